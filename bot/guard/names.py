"""Find the names of people: with a title, in full, of relatives, under a picture, and beside an age or an illness."""

from collections.abc import Iterator

from bot.guard.giveaways import Giveaway, GuardedText, Trace
from bot.guard.text import Word

MAX_NAME_WORDS = 7
COLLEAGUE_WITHIN = 3
"""Words before a name within which somebody's work says that it is a colleague's."""
ILLNESS_WITHIN = 9
"""Words after a first name within which an illness is taken to be theirs."""
MAX_AGE = 112


def find_titled_names(reading: GuardedText) -> Iterator[Giveaway]:
    """Find names with a title: "mevrouw El Idrissi", "mw. vd Meer", "Mr and Mrs Kowalski"."""
    for at in range(len(reading.words)):
        begin, after, is_work = _read_titles(reading, at)
        if after == at:
            continue
        end = _read_name(reading, after, titled=True) if _follows(reading, after) else after
        if end == after and not is_work:
            end = _read_small_name(reading, after)
        if end > after and not _is_colleague(reading, begin, end, titled=True, work=is_work):
            yield reading.make_finding(Trace.TITLED_NAME, begin, end, reading.between(after, end))
    yield from _find_told_surnames(reading)


def _follows(reading: GuardedText, at: int) -> bool:
    return at < len(reading.words) and reading.words[at].is_close


def _read_titles(reading: GuardedText, at: int) -> tuple[int, int, bool]:
    """Return where a title begins, where it ends (there too when there is none), and whether it is one of work."""
    if at and reading.has("titles", at - 1) and reading.words[at].is_close:
        return at, at, False  # read from its first word
    after = at + 1 if reading.has("titles", at) else at
    while after > at and _goes_on_with_title(reading, after):
        after += 2 if reading.has("joins", after) else 1
    if after > at:
        while reading.has("work_titles", after):
            after += 1
        return at, after, False
    if reading.has("work_titles", at):
        return at, at + 1, True
    is_weak = reading.has("weak_titles", at) and not reading.has("whose", at - 1) and not reading.has("own", at - 1)
    follows = at + 1 < len(reading.words) and _may_be_surname(reading, at + 1)
    return at, at + 1 if is_weak and follows else at, False


def _goes_on_with_title(reading: GuardedText, at: int) -> bool:
    """Return whether another title follows: "de heer", "Mr and Mrs"."""
    if reading.has("joins", at):
        return reading.has("titles", at + 1)
    return reading.has("titles", at) and reading.words[at].is_close


def _may_be_surname(reading: GuardedText, at: int) -> bool:
    word = reading.words[at]
    is_first_name = word in reading.phrases("first_names")
    return word.is_capital and word.is_close and not is_first_name and not _is_no_name(reading, at)


def _is_no_name(reading: GuardedText, at: int) -> bool:
    word = reading.words[at]
    return word in reading.phrases("sentence_starts") or (len(word.text) > 1 and word in reading.phrases("ordinary"))


def _read_name(reading: GuardedText, at: int, *, titled: bool = False) -> int:
    """Return where the name that begins at a word ends; that word itself when none does. Its last part is written with
    a capital. `titled`: a title is in front, so that an ordinary word with a capital is a name: "mevrouw Klein"."""
    end = at
    for here in range(at, min(at + MAX_NAME_WORDS, len(reading.words))):
        word = reading.words[here]
        if here > at and not _continues(reading, here):
            break
        if _is_part_of_name(reading, here, after_title=titled and here == at, first=at):
            end = here + 1
        elif word not in reading.phrases("particles"):
            break
    return end


def _is_part_of_name(reading: GuardedText, here: int, *, after_title: bool, first: int) -> bool:
    """Return whether a word with a capital can be of a name: an ordinary one only after a title or "van"."""
    word = reading.words[here]
    if not word.is_capital or word.is_number:
        return False
    is_sure = after_title or (here > first and reading.has("particles", here - 1))
    return is_sure or word in reading.phrases("particles") or not _is_no_name(reading, here)


def _continues(reading: GuardedText, here: int) -> bool:
    """Return whether a word goes on with the name before it: a full stop follows an initial or a particle only."""
    before, word = reading.words[here - 1], reading.words[here]
    if word.sentence != before.sentence or not word.is_close:
        return False
    return "." not in word.gap or len(before.text) <= 2


def _read_small_name(reading: GuardedText, at: int) -> int:
    """Return where a name in small letters ends, after a title: "mevr bakker", "mw vd meer", "mr t."."""
    here = at
    while here < min(at + 4, len(reading.words)) and reading.words[here].is_close and _is_small_part(reading, here):
        here += 1
    if here >= len(reading.words) or not reading.words[here].is_close:
        return at
    word = reading.words[here]
    if word in reading.phrases("ordinary") or word.is_number:
        return at
    is_initial = len(word.text) == 1 and reading.text[word.end : word.end + 1] == "."
    is_known = word in reading.phrases("surnames") or word in reading.phrases("first_names")
    return here + 1 if is_initial or is_known or reading.has("name_starts", here - 1) else at


def _is_small_part(reading: GuardedText, at: int) -> bool:
    """Return whether a word is a particle, or an initial with another part of a name after it: "mvr. j. bakker"."""
    word = reading.words[at]
    is_initial = len(word.text) == 1 and reading.text[word.end : word.end + 1] == "."
    goes_on = at + 1 < len(reading.words) and reading.words[at + 1].text.islower() and reading.words[at + 1].is_close
    return word in reading.phrases("particles") or (is_initial and goes_on and not reading.has("ordinary", at + 1))


def _find_told_surnames(reading: GuardedText) -> Iterator[Giveaway]:
    """Find a surname that is told beside the title: "mevrouw heet Terlouw"."""
    for begin, end in reading.phrases("called").find(reading.words):
        name_end = _read_name(reading, end, titled=True) if _follows(reading, end) else end
        said = any(reading.has("titles", at) for at in range(max(begin - 2, 0), begin))
        if said and name_end > end:
            yield reading.make_finding(Trace.TITLED_NAME, end, name_end, reading.between(end, name_end))


def find_full_names(reading: GuardedText) -> Iterator[Giveaway]:
    """Find a first name with a surname that is nobody's at work: "bewoner Jo Versteeg"."""
    at = 0
    while at < len(reading.words):
        end = _read_full_name(reading, at)
        if end > at and not _is_colleague(reading, at, end) and not _is_organisation(reading, at, end):
            yield reading.make_finding(Trace.FULL_NAME, at, end, reading.between(at, end))
        at = max(end, at + 1)


def _read_full_name(reading: GuardedText, at: int) -> int:
    word = reading.words[at]
    if word in reading.phrases("titles"):
        return at
    if not word.is_capital:
        return _read_small_full_name(reading, at)
    is_first = word in reading.phrases("first_names") and not _is_no_name(reading, at)
    is_said = _is_client(reading, at) or _is_named(reading, at)
    end = _read_name(reading, at) if is_first or is_said else at
    if any(one.text.endswith(("'s", "’s")) for one in reading.words[at : end - 1]):
        return at  # "Robin Hood's Bay"
    capitals = sum(one.is_capital and one not in reading.phrases("particles") for one in reading.words[at:end])
    if capitals >= 2:
        return end
    first, last = reading.words[at], reading.words[max(end - 1, at)]
    both_capital = first.is_capital and last.is_capital and end - at >= 2
    known = any(one in reading.phrases("surnames") for one in reading.words[at + 1 : end])
    return end if both_capital and known else at


def _is_client(reading: GuardedText, at: int) -> bool:
    """Return whether the word before a name says that it is a client's."""
    return reading.has("clients", at - 1) and reading.words[at].gap.strip() in ("", ",", "(", ":")


def _is_named(reading: GuardedText, at: int) -> bool:
    """Return whether the words before a name introduce it: "heet", "called"."""
    begin = max(at - 3, 0)
    is_said = any(end == at for _, end in reading.phrases("called").find(reading.words, begin, at))
    return is_said and any(reading.has_any(name, max(at - 5, 0), at) for name in ("persons", "whose", "clients"))


def _read_small_full_name(reading: GuardedText, at: int) -> int:
    """Return where a full name in small letters ends: "jan de vries", "joan whitlock"."""
    word = reading.words[at]
    if word not in reading.phrases("first_names") or word in reading.phrases("ordinary") or len(word.plain) < 3:
        return at
    here = at + 1
    while reading.has("particles", here):
        here += 1
    if not reading.has("surnames", here) or reading.has("ordinary", here):
        return at
    return here + 1 if all(one.is_close for one in reading.words[at + 1 : here + 1]) else at


def _is_colleague(reading: GuardedText, begin: int, end: int, *, titled: bool = False, work: bool = False) -> bool:
    """Return whether the words around a name say that it is no client's: somebody's work, or the writer."""
    if _is_client(reading, begin):
        return False
    before = [at for at in range(begin - COLLEAGUE_WITHIN, begin) if at >= 0 and _is_same_clause(reading, at, begin)]
    if work or any(reading.has("colleagues", at) for at in before):
        return True
    if any(stop == begin for _, stop in reading.phrases("myself").find(reading.words, max(begin - 3, 0), begin)):
        return True
    return _has_work_after(reading, end)


def _is_same_clause(reading: GuardedText, at: int, begin: int) -> bool:
    return all(one.gap.strip() in ("", ",") or one.is_close for one in reading.words[at + 1 : begin + 1])


def _has_work_after(reading: GuardedText, end: int) -> bool:
    """Return whether a name is followed by somebody's work: ", wijkverpleegkundige", "is the cook here"."""
    if end >= len(reading.words) or reading.words[end].sentence != reading.words[end - 1].sentence:
        return False
    gap = reading.words[end].gap.strip()
    if gap in (",", "(", "-", "–"):
        return any(reading.has("colleagues", at) for at in range(end, end + 3))
    return gap == "" and reading.has("is", end) and any(reading.has("colleagues", at) for at in range(end + 1, end + 4))


def _is_organisation(reading: GuardedText, begin: int, end: int) -> bool:
    """Return whether a name is that of an organisation, a building, a street or a thing."""
    around = [*range(begin + 1, end), end]
    is_near = end < len(reading.words) and reading.words[end].is_close
    if any(reading.has("organisations", at) for at in around if at < end or is_near):
        return True
    is_place = reading.has("streets", end - 1) and reading.has("at_place", begin - 1)
    return is_place or reading.has("organisations", begin - 1) or reading.has("the", begin - 1)


def find_initials(reading: GuardedText) -> Iterator[Giveaway]:
    """Find initials or a first name beside an age: "Mw. B., 83 jaar, dementie", "M. (17)", "Nel (93)"."""
    for at, word in enumerate(reading.words):
        begin = at
        while begin and reading.words[begin].is_close and _leads_to_initial(reading, begin - 1):
            begin -= 1
        is_initial = word.is_initial and (begin < at or reading.text[word.end : word.end + 1] == ".")
        if not is_initial or (at and reading.words[at - 1].is_initial and word.is_close):
            continue
        name_end = at + 1
        while name_end < len(reading.words) and reading.words[name_end].is_initial and reading.words[name_end].is_close:
            name_end += 1
        end, ages, illnesses = _read_attributes(reading, name_end)
        if ages or illnesses:
            yield reading.make_finding(Trace.INITIALS_AGE_ILLNESS, begin, end)


def _leads_to_initial(reading: GuardedText, at: int) -> bool:
    return reading.has("titles", at) or (reading.has("particles", at) and not reading.has("at_place", at))


def find_names_with_illness(reading: GuardedText) -> Iterator[Giveaway]:
    """Find a first name beside an illness or an age: "Rita has dementia", "Tinus na zijn beroerte", "Nel (93)"."""
    for at, word in enumerate(reading.words):
        if not _is_first_name(reading, at) or _is_colleague(reading, at, at + 1):
            continue
        end, ages, illnesses = _read_attributes(reading, at + 1)
        name = word.text
        if illnesses:
            yield reading.make_finding(Trace.NAME_DIAGNOSIS, at, end, name)
        elif ages:
            yield reading.make_finding(Trace.INITIALS_AGE_ILLNESS, at, end, name)
        elif _is_ill(reading, at):
            yield reading.make_finding(Trace.NAME_DIAGNOSIS, at, at + 1, name)


def _is_first_name(reading: GuardedText, at: int) -> bool:
    word = reading.words[at]
    return word.is_capital and word in reading.phrases("first_names") and not _is_no_name(reading, at)


def _read_attributes(reading: GuardedText, at: int) -> tuple[int, bool, bool]:
    """Return where the ages and illnesses right after a name end, and whether there were ages, and illnesses."""
    end, here, ages, illnesses = at, at, False, False
    while here < len(reading.words) and reading.words[here].sentence == reading.words[at - 1].sentence:
        age_end = _read_age(reading, here, is_set_apart=here > at or reading.words[at].gap.strip() != "")
        illness_end = reading.phrases("illnesses").match(reading.words, here)
        if age_end > here:
            ages, here, end = True, age_end, age_end
        elif illness_end > here and not _is_a_subject(reading, here, illness_end):
            illnesses, here, end = True, illness_end, illness_end
        elif reading.has("links", here) and here < end + 3:
            here += 1
        else:
            break
    return end, ages, illnesses


def _read_age(reading: GuardedText, at: int, *, is_set_apart: bool) -> int:
    """Return where an age ends: "(93)", ", 83 jaar", "88 years old"."""
    word = reading.words[at]
    number = word.number if word.is_number and word.plain.isdigit() else _number_in_words(reading, at)
    if not 0 < number <= MAX_AGE:
        return at
    after = reading.phrases("age").match(reading.words, at + 1)
    is_alone = reading.text[word.end : word.end + 1] in (")", ",", ".", "")
    return after if after > at + 1 else at + 1 if is_set_apart and is_alone else at


def _number_in_words(reading: GuardedText, at: int) -> int:
    return int(reading.lists.values("number_words").get(reading.words[at].plain, -1))


def _is_a_subject(reading: GuardedText, begin: int, end: int) -> bool:
    """Return whether an illness is what something is about: "groep", "cursus", "over"."""
    after = reading.has("not_theirs", end) and reading.words[end].is_close
    return after or any(reading.has(name, at) for at in range(begin - 2, begin) for name in ("not_theirs", "speaks"))


def _is_ill(reading: GuardedText, at: int) -> bool:
    """Return whether the sentence of a first name says that they are ill."""
    begin, end = reading.sentence_of(at)
    for name in ("illnesses", "signs"):
        for first, last in reading.phrases(name).find(reading.words, begin, end):
            if first > at and first - at <= ILLNESS_WITHIN and _belongs(reading, at, first, last, sign=name == "signs"):
                return True
            if last <= at and any(reading.has("whose", here) for here in range(first - 2, first)):
                return True
    return False


def _belongs(reading: GuardedText, at: int, first: int, last: int, *, sign: bool) -> bool:
    between = range(at + 1, first)
    if any(reading.has("not_theirs", here) for here in (*between, last)):
        return False
    if any(reading.has("speaks", here) for here in between) or _has_other_name(reading, at + 1, first):
        return False
    return sign or any(reading.has("has", here) for here in between)


def _has_other_name(reading: GuardedText, begin: int, end: int) -> bool:
    return any(_is_first_name(reading, here) for here in range(begin, end))


def find_relatives(reading: GuardedText) -> Iterator[Giveaway]:
    """Find relatives by name: "zijn zus Annelies die in de Spar werkt", "de kleinzoon, Daan van de sportschool"."""
    for at in range(len(reading.words) - 1):
        if not reading.has("kinship", at) or reading.has("own", at - 1):
            continue
        name = reading.words[at + 1]
        is_apart = name.gap.strip() == ","
        if not (is_apart or name.is_close) or not _may_be_relative(reading, at + 1):
            continue
        end = _read_detail(reading, at + 2)
        is_theirs = any(reading.has("whose", here) for here in range(at - 2, at))
        if is_theirs or end > at + 2:
            yield reading.make_finding(Trace.RELATIVE_NAME, at + 1 if is_apart else at, end, name.text)


def _may_be_relative(reading: GuardedText, at: int) -> bool:
    word = reading.words[at]
    return word.is_capital and not word.is_initial and not _is_no_name(reading, at)


def _read_detail(reading: GuardedText, at: int) -> int:
    """Return where that what a relative is known by ends: "van de sportschool", ", juf op de Regenboog,"."""
    if at >= len(reading.words) or reading.words[at].sentence != reading.words[at - 1].sentence:
        return at
    is_apart = reading.words[at].gap.strip() == ","
    if not reading.has("before_place", at) and not (is_apart and reading.has("colleagues", at)):
        return at
    last = at + 1
    while last < min(at + 6, len(reading.words)) and reading.words[last].is_close:
        last += 1
    known = next((here for here in range(at + 1, last) if reading.has("known_for", here)), None)
    if is_apart and last < len(reading.words) and "," in reading.words[last].gap:
        return last
    if known is None:
        return min(last, at + 3)
    has_object = reading.has("the", known + 1) or reading.has("at_place", known + 1)
    return min(known + 3, last) if has_object and known + 2 < len(reading.words) else known + 1


def find_captions(reading: GuardedText) -> Iterator[Giveaway]:
    """Find who is in a picture: "v.l.n.r. Riet Aalbers, Piet Scholte en Nel (93)"."""
    for begin, end in reading.phrases("pictures").find(reading.words):
        last, tells = _read_picture_names(reading, end)
        if tells:
            ordered = reading.has("in_order", begin)
            yield reading.make_finding(Trace.PHOTO_CAPTION, begin if ordered else end, last)


def _read_picture_names(reading: GuardedText, at: int) -> tuple[int, bool]:
    """Return where the names of a caption end, and whether one of them is told in full, or with an age or illness."""
    here, last, tells = at, at, False
    while here < len(reading.words) and reading.words[here].sentence == reading.words[at - 1].sentence:
        name_end = _read_picture_name(reading, here)
        if name_end == here and not reading.has("joins", here) and not reading.has("titles", here):
            break
        if name_end == here:
            here += 1
            continue
        after, ages, illnesses = _read_attributes(reading, name_end)
        tells = tells or ages or illnesses or name_end - here > 1 or reading.has("titles", here - 1)
        here = last = after
    return last, tells


def _read_picture_name(reading: GuardedText, at: int) -> int:
    word: Word = reading.words[at]
    return _read_name(reading, at) if word.is_capital and not _is_no_name(reading, at) else at

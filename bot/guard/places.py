"""Find where somebody lives: addresses, and rooms beside what somebody has."""

import re
from collections.abc import Iterator

from bot.guard.giveaways import Giveaway, GuardedText, Trace

_HOUSE_NUMBER = re.compile(r"\d{1,4}[a-z]{0,2}")
_SHORTEST_STREET = 3
"""Letters that the name of a street has before its ending, when it is one word: "lijsterbeslaan"."""
_LONGEST_NAME = 7
"""Words that a name has at most, with a title and an age."""
_NEAR = 12
"""Words after a room within which an illness is taken to be of who lives there."""


def find_addresses(reading: GuardedText) -> Iterator[Giveaway]:
    """Find a street with a number, and a street somebody is said to live in."""
    for at in range(len(reading.words)):
        begin = _read_street(reading, at)
        if begin < 0:
            continue
        number = at + 1 + reading.has("any_numbers", at + 1)
        if _is_house_number(reading, number):
            yield reading.make_finding(Trace.ADDRESS, begin, _read_annex(reading, number + 1))
        elif begin > 0 and _is_house_number(reading, begin - 1) and at > begin - 1:
            yield reading.make_finding(Trace.ADDRESS, begin - 1, _read_annex(reading, at + 1))
        elif (first := _find_number_before(reading, begin)) < begin:
            yield reading.make_finding(Trace.ADDRESS, first, at + 1)
        elif _is_lived_in(reading, begin, at):
            yield reading.make_finding(Trace.ADDRESS, begin, at + 1)


def _read_street(reading: GuardedText, at: int) -> int:
    """Return the first word of the name of a street that ends with a word; -1 when it ends none."""
    word = reading.words[at]
    if word in reading.phrases("streets"):
        return _read_two_part_street(reading, at)
    is_one = word.plain.endswith(reading.phrases("streets").endings) and len(word.plain) > _SHORTEST_STREET + 3
    if not is_one or word in reading.phrases("no_streets") or word in reading.phrases("ordinary"):
        return -1
    if not reading.phrases("endings_of_one_word").words:
        return -1
    if not word.is_capital and not word.plain.endswith(reading.phrases("sure_streets").endings):
        return -1
    return _go_back(reading, at) if word.is_capital else at


def _read_two_part_street(reading: GuardedText, at: int) -> int:
    word = reading.words[at]
    begin = _go_back(reading, at)
    if begin < at and (word.is_capital or reading.has("sure_streets", at)):
        return begin
    if (
        word.is_capital
        and reading.has("bare_streets", at)
        and reading.has("the", at - 1)
        and reading.words[at - 1].is_capital
    ):
        return at - 1
    # In small letters a number has to be in front: "8 rowan close".
    is_small = at >= 2 and not word.is_capital and reading.has("sure_streets", at) and _is_house_number(reading, at - 2)
    return at - 1 if is_small and not reading.has("ordinary", at - 1) else -1


def _go_back(reading: GuardedText, at: int) -> int:
    begin = at
    while begin > 0 and at - begin < 3 and reading.words[begin].is_close and "." not in reading.words[begin].gap:
        before = reading.words[begin - 1]
        is_particle = before in reading.phrases("particles") and before.plain not in reading.phrases("at_place").words
        is_opening = reading.opens_sentence(begin - 1) and before in reading.phrases("ordinary")
        is_part = before.is_capital and not before.is_number and not is_opening
        if before.sentence != reading.words[at].sentence or not (is_part or (is_particle and before.is_capital)):
            break
        begin -= 1
    return begin - 1 if begin and _is_title_of_street(reading, begin) else begin


def _is_title_of_street(reading: GuardedText, at: int) -> bool:
    """Return whether a street is called after somebody with a title: "Dr. Schaepmanlaan"."""
    return reading.has("work_titles", at - 1) and reading.words[at - 1].is_capital and reading.words[at].is_close


def _is_house_number(reading: GuardedText, at: int) -> bool:
    if not 0 <= at < len(reading.words) or not _is_number_of_house(reading, at):
        return False
    word, after = reading.words[at], at + 1
    if not word.is_close and word.gap.strip() not in ("", ","):
        return False
    is_time = reading.text[word.end : word.end + 1] in ".:" and reading.text[word.end + 1 : word.end + 2].isdigit()
    is_amount = reading.has("units", after) and reading.has("amounts", after)
    return not is_time and not is_amount and not reading.has("amounts", after)


def _is_number_of_house(reading: GuardedText, at: int) -> bool:
    word = reading.words[at]
    is_spoken = word.plain in reading.lists.values("number_words") and not reading.has("ordinary", at)
    return is_spoken or _HOUSE_NUMBER.fullmatch(word.plain) is not None


def _find_number_before(reading: GuardedText, begin: int) -> int:
    """Return where "nummer 34 in de" before a street begins; the street's own place where it does not."""
    first = begin - 1 if reading.has("the", begin - 1) else begin
    if first >= 3 and reading.has("at_place", first - 1) and _is_house_number(reading, first - 2):
        return first - 3 if reading.has("any_numbers", first - 3) else begin
    return begin


def _read_annex(reading: GuardedText, at: int) -> int:
    """Return where what follows a house number ends: "8 hs", "flat 2", "12 A"."""
    if at < len(reading.words) and reading.words[at].gap == "-" and reading.words[at].is_number:
        return at + 1  # "12-3"
    if at < len(reading.words) and reading.words[at].is_close and reading.has("annexes", at):
        is_numbered = at + 1 < len(reading.words) and reading.words[at + 1].is_number
        return at + 2 if is_numbered else at + 1
    return at


def _is_lived_in(reading: GuardedText, begin: int, at: int) -> bool:
    first, _ = reading.sentence_of(at)
    is_named = reading.words[at].is_capital
    return is_named and reading.has_any("lives", max(first, begin - 8), begin)


def find_rooms(reading: GuardedText) -> Iterator[Giveaway]:
    """Find a person told apart by room: "die van 22, met dat been", "room 14, the one with COPD"."""
    for at in range(len(reading.words)):
        yield from _find_by_pointer(reading, at)
        yield from _find_by_number(reading, at)
    for begin, end in reading.phrases("spots").find(reading.words):
        last = _read_illness_near(reading, begin, end)
        before = _read_illness_near(reading, begin, max(begin - 6, reading.sentence_of(begin)[0]))
        if last > end or begin >= before > max(begin - 6, reading.sentence_of(begin)[0]):
            first = begin - 1 if reading.has("the", begin - 1) else begin
            yield reading.make_finding(Trace.ROOM_ILLNESS, first, last)


def _find_by_pointer(reading: GuardedText, at: int) -> Iterator[Giveaway]:
    """Find "de mevrouw op kamer 3", "die van 22 …, met dat been"."""
    if not reading.has("pointers", at) or not (reading.has("from_room", at + 1) and reading.words[at + 1].is_close):
        return
    room = at + 2
    has_room = reading.has("rooms", room)
    room += has_room
    if reading.has("any_numbers", room):
        room += 1
    number_end = _read_room_number(reading, room)
    if number_end == room or reading.has("amounts", number_end) or reading.has("month_names", number_end):
        return
    last = _read_illness_near(reading, room, number_end)
    if has_room or last > number_end:
        yield reading.make_finding(Trace.ROOM_ILLNESS, at, last)


def _find_by_number(reading: GuardedText, at: int) -> Iterator[Giveaway]:
    """Find "room 14 at The Willows, the one with COPD", "kamer 12 belde"."""
    if not reading.has("rooms", at):
        return
    number_end = _read_room_number(reading, at + 1)
    if number_end == at + 1:
        return
    last = _read_illness_near(reading, at, number_end)
    is_person = reading.opens_sentence(at) and reading.has("acts", number_end)
    if last > number_end or is_person or _is_room_of_somebody(reading, at):
        yield reading.make_finding(Trace.ROOM_ILLNESS, at, last)


def _is_room_of_somebody(reading: GuardedText, at: int) -> bool:
    """Return whether a room is told of a relative or a client: "mijn moeder mevrouw Bos (83) van kamer 12", "mijn oma
    woont op kamer 12"."""
    here = at - 1
    if not reading.has("from_room", here) or not reading.words[at].is_close:
        return False
    first, _ = reading.sentence_of(at)
    here -= 1
    for begin, end in reading.phrases("lives").find(reading.words, max(first, here - 3), here + 1):
        here = begin - 1 if end == here + 1 else here
    begin = here
    while begin > first and here - begin < _LONGEST_NAME and _may_be_of_name(reading, begin):
        begin -= 1
    is_colleague = any(reading.has("colleagues", one) for one in range(max(first, begin - 1), here + 1))
    is_somebody = any(reading.has(name, begin) for name in ("kinship", "titles", "clients"))
    return begin >= first and is_somebody and not is_colleague


def _may_be_of_name(reading: GuardedText, at: int) -> bool:
    """Return whether a word may belong to a name with an age behind it, after the word that says whose it is."""
    if any(reading.has(name, at) for name in ("kinship", "clients")):
        return False
    is_title = reading.has("titles", at)
    if is_title and not reading.has("kinship", at - 1):
        return False
    word = reading.words[at]
    return is_title or word.is_capital or word.is_number or reading.has("particles", at)


def _read_room_number(reading: GuardedText, at: int) -> int:
    if at >= len(reading.words) or not reading.words[at].is_close:
        return at
    word = reading.words[at]
    if word.plain in reading.lists.values("number_words"):
        return at + 1
    if not word.is_number or len(word.plain) > 4:
        return at
    is_split = at + 1 < len(reading.words) and reading.words[at + 1].gap == "." and reading.words[at + 1].is_number
    return at + 2 if is_split else at + 1


def _read_illness_near(reading: GuardedText, begin: int, end: int) -> int:
    """Return where the illness, or what somebody has, that a sentence tells after a room ends; `end` when it tells
    none."""
    _, last = reading.sentence_of(begin)
    last = min(last, end + _NEAR)
    for first, stop in reading.phrases("illnesses").find(reading.words, end, last):
        spoken = any(reading.has("speaks", here) for here in range(end, first))
        if not spoken and not any(reading.has("not_theirs", here) for here in (*range(end, first), stop)):
            return stop + 1 if reading.has("stands", stop) else stop
    for first, stop in reading.phrases("body").find(reading.words, end, last):
        if any(reading.has("with", here) for here in range(first - 3, first)):
            return stop
    return end

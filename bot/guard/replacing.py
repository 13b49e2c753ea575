"""Propose a text without the words that give somebody away, one that still reads well."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.domain.person import Language
from bot.guard.giveaways import Giveaway, GuardedText, Trace
from bot.guard.word_lists import word_lists

_OPENS_SENTENCE = re.compile(r"(?:^|[.!?…]\s+|\n)[\"'“‘(]*$")
_NAMED_FIRST = (Trace.NAME_DIAGNOSIS,)
"""Kinds of which the name alone gives away: what is told of them may stay, without it."""
_KEEPS_MARKER = (Trace.BSN, Trace.POSTCODE)
_WORDS = {
    Trace.PHOTO_CAPTION: "clients",
    Trace.EMAIL: "email",
    Trace.PHONE: "phone",
    Trace.ADDRESS: "address",
    Trace.POSTCODE: "address",
    Trace.BSN: "number",
}
"""The word list entry of each kind; of any other it depends on the words around it, or is a client."""


@dataclass(frozen=True)
class _Cut:
    """A part of a text, from `start` up to `end`, and what takes its place."""

    start: int
    end: int
    instead: str
    opens: bool = True


def replace_giveaways(text: str, language: Language, found: Sequence[Giveaway]) -> str:
    """Return a text with something plain in the place of what gives somebody away."""
    if not found:
        return text
    reading = GuardedText(text, word_lists(language))
    words = reading.lists.values("replacements")
    seen: set[str] = set()
    relatives: dict[str, str] = {}
    result, end = "", 0
    for one in sorted((*found, *_find_repeats(reading, found)), key=lambda each: each.start):
        cut = _cut_out(reading, one, words)
        name = one.name or one.text
        if _is_relative(reading, one):
            relatives |= dict.fromkeys((name, *name.split()), _tell_relative(reading, one))
        elif name in relatives:
            cut = replace(cut, instead=relatives[name])
        elif cut.instead == words["client"]:
            cut = replace(cut, instead=words["again"]) if name in seen else cut
            seen |= {name, *name.split()}
        if cut.start < end:
            continue
        before = result + text[end : cut.start]
        result = before + (_capitalise(cut.instead) if _is_opening(before, text, cut) else cut.instead)
        end = cut.end
    return _tidy(result + text[end:])


def _is_opening(before: str, text: str, cut: _Cut) -> bool:
    return text[cut.start : cut.start + 1].isupper() and _OPENS_SENTENCE.search(before) is not None


def _capitalise(words: str) -> str:
    return words[:1].upper() + words[1:]


def _tidy(text: str) -> str:
    """Return a text without the marks and spaces that a word taken out leaves behind."""
    text = re.sub(r"\(\s*\)", "", text)
    text = re.sub(r"[ \t]{2,}", " ", text)
    return re.sub(r" +([,.;:!?])", r"\1", text).strip()


def _find_repeats(reading: GuardedText, found: Sequence[Giveaway]) -> Iterator[Giveaway]:
    """Yield where the name of somebody who is given away stands once more, by a part of it."""
    names = {part for one in found for part in one.name.split() if part[:1].isupper()}
    covered = [(one.start, one.end) for one in found]
    for word in reading.words:
        bare = word.text.removesuffix("'s").removesuffix("’s")
        if bare in names and not any(start <= word.start < end for start, end in covered):
            yield Giveaway(Trace.TITLED_NAME, word.start, word.start + len(bare), bare, bare)


def _cut_out(reading: GuardedText, one: Giveaway, words: dict[str, str]) -> _Cut:
    """Return what is cut out for one finding, with an article in front of it, and what takes its place."""
    at = next(number for number, word in enumerate(reading.words) if word.end > one.start)
    if one.kind in _NAMED_FIRST and one.name and one.text.startswith(one.name):
        one = replace(one, end=one.start + len(one.name), text=one.name)
    if one.kind is Trace.RELATIVE_NAME:
        return _cut_relative(reading, one, at)
    if _is_relative(reading, one):
        return _cut_name_of_relative(reading, one, at)
    if one.kind is Trace.ROOM_ILLNESS and reading.has("rooms", at) and _is_from(reading, at - 1):
        closes = "," in reading.words[at - 1].gap and reading.text[one.end : one.end + 1] == ","
        return _Cut(reading.words[at - 1].start, one.end + closes, "")
    bracket = _cut_brackets(reading, one)
    if bracket is not None:
        return bracket
    if _is_said_already(reading, one, at):
        return _cut_name_after_client(reading, one, at)
    entry = _choose_words(reading, one, at)
    instead, start = words[entry], one.start
    if _follows_its_word(reading, one, at):
        start = reading.words[at - 1].start
    while (
        at
        and (reading.has("article", at - 1) or reading.has("own", at - 1))
        and (entry == "day" or _has_article(instead, reading))
    ):
        start, at = reading.words[at - 1].start, at - 1
    return _Cut(start, _end_with_comma(reading, one), instead)


def _has_article(words: str, reading: GuardedText) -> bool:
    return words.split()[0] in reading.phrases("article").words


def _end_with_comma(reading: GuardedText, one: Giveaway) -> int:
    """Return where a finding ends, with the comma that closes what it told between commas."""
    is_apposition = "," in one.text and one.kind is not Trace.PHOTO_CAPTION
    return one.end + 1 if is_apposition and reading.text[one.end : one.end + 1] == "," else one.end


def _cut_brackets(reading: GuardedText, one: Giveaway) -> _Cut | None:
    """Return the brackets around a number or date, when they hold little else; None for anything else."""
    opening = reading.text.rfind("(", 0, one.start + 1)
    closing = reading.text.find(")", one.end - 1)
    if opening < 0 or closing < 0 or ")" in reading.text[opening : one.start] or one.name:
        return None
    if one.kind in (Trace.INITIALS_AGE_ILLNESS, Trace.ROOM_ILLNESS, Trace.PHOTO_CAPTION):
        return None
    return _Cut(opening, closing + 1, "") if one.start - opening < 20 and closing - one.end < 20 else None


def _is_said_already(reading: GuardedText, one: Giveaway, at: int) -> bool:
    """Return whether the word in front says what it is: "bewoner Jo Versteeg", "BSN 9999…", "patiënt patnr 44…"."""
    if one.kind is Trace.BSN:
        return reading.has("bsn", at - 1)
    if one.kind is Trace.PATIENT_NUMBER and reading.has("any_numbers", at - 1):
        return True
    is_person = one.kind in (Trace.FULL_NAME, Trace.TITLED_NAME, Trace.PATIENT_NUMBER)
    return is_person and reading.has("clients", at - 1)


def _cut_name_after_client(reading: GuardedText, one: Giveaway, at: int) -> _Cut:
    before = reading.words[at - 1]
    gap = reading.words[at].gap.strip()
    end = one.end + 1 if gap == "," and reading.text[one.end : one.end + 1] == "," else one.end
    has_article = (
        one.kind is Trace.BSN
        or reading.has("any_numbers", at - 1)
        or any(reading.has(name, at - 2) for name in ("article", "own", "whose", "the"))
    )
    if has_article or before.plain.endswith(("s", "en")):
        return _Cut(before.end, end, "")
    article = reading.lists.values("replacements")["client"].split()[0]
    instead = f"{article} {before.text[:1].lower()}{before.text[1:]}"
    return _Cut(before.start, end, instead)


def _cut_relative(reading: GuardedText, one: Giveaway, at: int) -> _Cut:
    """Return the cut of a relative's name, of whom only "zijn zus" is left."""
    if reading.has("kinship", at):
        return _Cut(reading.words[at].end, _end_with_comma(reading, one), "")
    before = reading.words[at - 1]
    end = one.end + 1 if reading.text[one.end : one.end + 1] == "," else one.end
    return _Cut(before.end, end, "")


def _is_relative(reading: GuardedText, one: Giveaway) -> bool:
    """Return whether the word in front of a name says what relative it is: "mijn moeder mevrouw Bos"."""
    at = next(number for number, word in enumerate(reading.words) if word.end > one.start)
    is_name = one.kind in (Trace.TITLED_NAME, Trace.FULL_NAME)
    return is_name and reading.has("kinship", at - 1) and reading.words[at].gap.strip() in ("", ",", "(")


def _tell_relative(reading: GuardedText, one: Giveaway) -> str:
    """Return what a relative is called instead of by their name: "mijn moeder"."""
    at = next(number for number, word in enumerate(reading.words) if word.end > one.start)
    is_whose = any(reading.has(name, at - 2) for name in ("own", "whose", "article", "the"))
    told = reading.between(at - 2 if is_whose else at - 1, at)
    return told[:1].lower() + told[1:]


def _cut_name_of_relative(reading: GuardedText, one: Giveaway, at: int) -> _Cut:
    gap = reading.words[at].gap.strip()
    if gap == "(":
        return _Cut(one.start, one.end, "")
    is_between = gap == "," and reading.text[one.end : one.end + 1] == ","
    return _Cut(reading.words[at - 1].end, one.end + is_between, "")


def _is_from(reading: GuardedText, at: int) -> bool:
    """Return whether a word says whose room it is, and no more: "van", "from"."""
    return reading.has("from_room", at) and not reading.has("at_place", at)


def _follows_its_word(reading: GuardedText, one: Giveaway, at: int) -> bool:
    """Return whether the word in front goes with what is cut out: "postcode 1234 AB", "opa Sjef"."""
    if one.kind is Trace.POSTCODE:
        return reading.has("postcode_words", at - 1)
    return one.kind is Trace.NAME_DIAGNOSIS and reading.has("kinship", at - 1) and reading.words[at].is_close


def _choose_words(reading: GuardedText, one: Giveaway, at: int) -> str:
    is_called = one.kind in (Trace.FULL_NAME, Trace.TITLED_NAME)
    if is_called and any(end == at for _, end in reading.phrases("has_name").find(reading.words, max(at - 3, 0), at)):
        return "called"
    if one.kind in _WORDS:
        return _WORDS[one.kind]
    if one.kind is Trace.PATIENT_NUMBER:
        return "number" if one.text.startswith("#") or reading.has("any_numbers", at) else "file"
    if one.kind is Trace.BIRTH_DATE:
        if reading.phrases("birth").match(reading.words, at) > at:
            return "date" if reading.has("whose", at - 1) else "born"
        return "day" if reading.has_any("turned", *reading.sentence_of(at)) else "since"
    if one.kind is Trace.ROOM_ILLNESS and not reading.has("pointers", at) and reading.has("at_place", at - 1):
        return "room"
    return "client"

"""Hold a text that is looked through, and what in it may give somebody away."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.guard.text import Word, make_plain, split_text
from bot.guard.word_lists import Phrases, WordLists


class Trace(StrEnum):
    """A kind of words that can give somebody away."""

    PHOTO_CAPTION = "photo_caption"
    INITIALS_AGE_ILLNESS = "initials_age_illness"
    ROOM_ILLNESS = "room_illness"
    TITLED_NAME = "titled_name"
    FULL_NAME = "full_name"
    NAME_DIAGNOSIS = "name_diagnosis"
    RELATIVE_NAME = "relative_name"
    RARE_COMBINATION = "rare_combination"
    BIRTH_DATE = "birth_date"
    EMAIL = "email"
    ADDRESS = "address"
    POSTCODE = "postcode"
    BSN = "bsn"
    PATIENT_NUMBER = "patient_number"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Giveaway:
    """Words of a text that may give somebody away: from `start` up to `end`. `name`: the name among them, if any."""

    kind: Trace
    start: int
    end: int
    text: str
    name: str = ""


_WITH_INITIALS = (Trace.TITLED_NAME, Trace.INITIALS_AGE_ILLNESS)


class GuardedText:
    """A text that is looked through, with the lists of its language."""

    def __init__(self, text: str, lists: WordLists) -> None:
        self.text = text
        self.lists = lists
        self._by_name = lists.by_name
        self.words: Sequence[Word] = split_text(text, lists["abbreviations"].words)

    def phrases(self, name: str) -> Phrases:
        """Return a list by its name."""
        return self._by_name[name]

    def has(self, name: str, at: int) -> bool:
        """Return whether a word of the text is in a list."""
        return 0 <= at < len(self.words) and self.words[at] in self._by_name[name]

    def has_any(self, name: str, begin: int, end: int) -> bool:
        """Return whether anything of a list stands between two words of the text."""
        return next(self._by_name[name].find(self.words, max(begin, 0), min(end, len(self.words))), None) is not None

    def sentence_of(self, at: int) -> tuple[int, int]:
        """Return the first word of the sentence around a word, and the one after its last."""
        number, begin, end = self.words[at].sentence, at, at + 1
        while begin > 0 and self.words[begin - 1].sentence == number:
            begin -= 1
        while end < len(self.words) and self.words[end].sentence == number:
            end += 1
        return begin, end

    def opens_sentence(self, at: int) -> bool:
        """Return whether a word is the first of its sentence."""
        return at == 0 or self.words[at - 1].sentence != self.words[at].sentence

    def between(self, begin: int, end: int) -> str:
        """Return the text of the words from `begin` up to `end`."""
        return self.text[self.words[begin].start : self.words[end - 1].end]

    def make_finding(self, kind: Trace, begin: int, end: int, name: str = "") -> Giveaway:
        """Return the finding of the words from `begin` up to `end`."""
        last = self.words[end - 1]
        owns = last.text.endswith(("'s", "’s")) and last.plain == make_plain(last.text[:-2])
        is_name = kind in (Trace.TITLED_NAME, Trace.FULL_NAME)
        return self.cut(kind, self.words[begin].start, last.end - 2 if owns and is_name else last.end, name)

    def cut(self, kind: Trace, start: int, end: int, name: str = "") -> Giveaway:
        """Return the finding of the characters from `start` up to `end`, with a bracket or full stop that belongs."""
        part = self.text[start:end]
        if self.text[end : end + 1] == ")" and part.count("(") > part.count(")"):
            end += 1
        elif kind in _WITH_INITIALS and self.text[end : end + 1] == "." and self.text[end - 2 : end - 1] in " .":
            end += 1  # an initial at the end
        if part[:1].isdigit() and self.text[start - 1 : start] in ("'", "’"):
            start -= 1  # '38
        return Giveaway(kind, start, end, self.text[start:end], name)

"""Find what gives away the people a story is about, before others read it.

`look_through` reads a text by rules and word lists (`prompts/<language>/guard/`): no model, nothing is sent anywhere.
It cannot see everything: a nickname, or what only a neighbour would recognise, it misses.
"""

from collections.abc import Callable, Collection, Iterator

from bot.domain.person import Language
from bot.guard.giveaways import Giveaway, GuardedText, Trace
from bot.guard.moments import find_birth_dates
from bot.guard.names import (
    find_captions,
    find_full_names,
    find_initials,
    find_names_with_illness,
    find_relatives,
    find_titled_names,
)
from bot.guard.numbers import (
    find_emails,
    find_file_numbers,
    find_postcodes,
    find_service_numbers,
    find_telephones,
)
from bot.guard.places import find_addresses, find_rooms
from bot.guard.rare import find_rare_people
from bot.guard.text import list_plain_words, split_text
from bot.guard.word_lists import word_lists

__all__ = ["Giveaway", "Trace", "guess_language", "load_number_checks", "load_word_lists", "look_through"]

_FINDERS: tuple[Callable[[GuardedText], Iterator[Giveaway]], ...] = (
    find_emails,
    find_service_numbers,
    find_file_numbers,
    find_birth_dates,
    find_telephones,
    find_postcodes,
    find_captions,
    find_initials,
    find_rooms,
    find_titled_names,
    find_full_names,
    find_names_with_illness,
    find_relatives,
    find_rare_people,
    find_addresses,
)
"""The finders, in order: where two find the same words, the first one says what they are."""


def look_through(text: str, language: Language, members: Collection[str] = ()) -> tuple[Giveaway, ...]:
    """Return what may give somebody away in a text, in the order of the text. `members`: the names of people of the
    movement, who are no clients."""
    reading = GuardedText(text, word_lists(language))
    known = [frozenset(_parts(name)) for name in members if name.strip()]
    found: list[Giveaway] = []
    for finder in _FINDERS:
        for one in finder(reading):
            is_new = not any(one.start < other.end and other.start < one.end for other in found)
            if is_new and not _is_member(one, known):
                found.append(one)
    return tuple(sorted(found, key=lambda one: one.start))


def _is_member(finding: Giveaway, known: Collection[frozenset[str]]) -> bool:
    """Return whether a name is that of a member: all of it is in theirs, and it is more than their first name."""
    name = frozenset(_parts(finding.name))
    return bool(name) and any(name == one or (name < one and finding.kind is not Trace.NAME_DIAGNOSIS) for one in known)


def _parts(name: str) -> Iterator[str]:
    particles = word_lists(Language.NL)["particles"]
    return (word.plain for word in split_text(name) if word not in particles)


def distinctive_part(name: str) -> str:
    """Return the longest word of a name, as names are compared: whoever is called so has it in theirs."""
    return max(_parts(name), key=len, default="")


def guess_language(text: str, otherwise: Language) -> Language:
    """Return the language whose ordinary words a text has most of; `otherwise` when that is undecided."""
    plain = list(list_plain_words(text))
    counts = {one: sum(word in word_lists(one)["ordinary"].words for word in plain) for one in Language}
    return max(counts, key=lambda one: (counts[one], one is otherwise))


def load_word_lists() -> None:
    """Read all word lists, so that the first who tells something need not wait for it."""
    for language in Language:
        look_through("Mw. Bos (83)", language)


def load_number_checks() -> None:
    """Load the libraries that tell telephone numbers and those of people from others."""
    look_through("06 12345678, 123456782, 943 476 5919", Language.NL)

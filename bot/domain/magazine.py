"""Magazines: stories that a movement, or an initiative, puts in print, and the yes of those who told them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
from bot.domain.story import Dimension, Story, StoryId

MagazineId = NewType("MagazineId", str)

MAX_TITLE_CHARS = 80
MAX_WORDS_CHARS = 800
"""Characters of the words with which a magazine begins."""
MAX_PRINTED = 40
"""Stories in one magazine."""


class PrintAnswer(StrEnum):
    """The answer of a teller to the question whether a story may be printed. ASKED: none, for whatever reason."""

    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"


class PrintName(StrEnum):
    """How a teller's name stands under their story in print."""

    FULL = "full"
    FIRST = "first"
    NONE = "none"


class PaperSize(StrEnum):
    """The paper that a magazine is set for."""

    A4 = "a4"
    PHONE = "phone"


@dataclass(kw_only=True, eq=False)
class Magazine:
    """A magazine of a movement, or of one `initiative_id`. Its stories are those of a `dimension` and a `period` (see
    `Period`), where these are given. `shown_at`: everyone in the movement can read it since then."""

    id: MagazineId
    movement_id: MovementId
    initiative_id: InitiativeId | None = None
    dimension: Dimension | None = None
    period: str = ""
    title: str
    words: str = ""
    history: bool = True
    made_by: PersonId | None = None
    begun_at: datetime
    shown_at: datetime | None = None


@dataclass(kw_only=True, eq=False)
class PrintConsent:
    """A story that was chosen for a magazine, and what its teller answers. `chosen`: who makes it still wants it."""

    magazine_id: MagazineId
    story_id: StoryId
    movement_id: MovementId
    person_id: PersonId
    chosen: bool = True
    answer: PrintAnswer = PrintAnswer.ASKED
    shown_name: PrintName = PrintName.NONE
    asked_at: datetime
    answered_at: datetime | None = None

    def agree(self, name: PrintName, now: datetime) -> None:
        """Record a yes, and how the name stands."""
        self.answer, self.shown_name, self.answered_at = PrintAnswer.AGREED, name, now

    def decline(self, now: datetime) -> None:
        """Record a no, or a yes that is taken back."""
        self.answer, self.shown_name, self.answered_at = PrintAnswer.DECLINED, PrintName.NONE, now


class PrintCandidate(NamedTuple):
    """A chosen story with its teller; `belongs`: the teller is in the movement."""

    consent: PrintConsent
    story: Story
    teller: Person
    belongs: bool

    @property
    def may_be_asked(self) -> bool:
        """True when its teller can still say something about it, and it may be read beyond its thread."""
        reachable = self.teller.account is not None and self.teller.deactivated_at is None and self.belongs
        return self.consent.chosen and self.story.may_travel and bool(self.story.text) and reachable

    @property
    def is_printed(self) -> bool:
        """True when its yes stands: who cannot take a yes back any more has none."""
        return self.may_be_asked and self.consent.answer is PrintAnswer.AGREED

    @property
    def credit(self) -> str:
        """The name that stands under it; "" for none."""
        return credit_in_print(self.story, self.teller, self.consent.shown_name)


def choose_for_print(candidates: Iterable[PrintCandidate]) -> list[PrintCandidate]:
    """Return what goes in print, in the order in which it was told."""
    printed = [one for one in candidates if one.is_printed]
    return sorted(printed, key=lambda one: (one.story.told_at, one.story.id))[:MAX_PRINTED]


def credit_in_print(story: Story, teller: Person, name: PrintName) -> str:
    """Return the name of a teller as it stands under a story: never more than was agreed, and none under a story that
    is told without one."""
    if not story.named or name is PrintName.NONE:
        return ""
    return first_name(teller.name) if name is PrintName.FIRST else teller.name


def first_name(name: str) -> str:
    """Return the first word of a name."""
    return name.split()[0] if name.split() else ""

"""The log of what coordinators change in a movement, which everybody in it can read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from bot.domain.rhythm import RhythmKind

ChangeId = NewType("ChangeId", str)

CHANGES_SHOWN = 20
"""The latest changes are shown; older ones are kept as long as the retention says."""
MAX_ABOUT_CHARS = 120


class CoordinatorAct(StrEnum):
    """A kind of change; each has words in `changes/what.md.j2`."""

    MOVEMENT_BEGUN = "movement_begun"
    COORDINATOR_ADDED = "coordinator_added"
    PLACE_LINKED = "place_linked"
    PLACE_JOINED = "place_joined"
    PLACE_LEFT = "place_left"
    PLACE_SET = "place_set"
    CODE_MADE = "code_made"
    CODE_REVOKED = "code_revoked"
    PURPOSE_WRITTEN = "purpose_written"
    RHYTHM_MADE = "rhythm_made"
    RHYTHM_CHANGED = "rhythm_changed"
    RHYTHM_PAUSED = "rhythm_paused"
    RHYTHM_RESUMED = "rhythm_resumed"
    RHYTHM_ENDED = "rhythm_ended"
    RHYTHM_TAKEN_BACK = "rhythm_taken_back"
    MOMENT_CHANGED = "moment_changed"
    DAYS_OFF_CHANGED = "days_off_changed"
    HOLIDAYS_CHANGED = "holidays_changed"
    GROUPS_CHANGED = "groups_changed"
    HOURS_CHANGED = "hours_changed"
    INITIATIVE_CHANGED = "initiative_changed"
    ROUND_PLANNED = "round_planned"
    ROUND_ENDED = "round_ended"
    REACH_RESTS = "reach_rests"
    MESSAGE_DROPPED = "message_dropped"
    COUNCIL_AGREED = "council_agreed"
    COUNCIL_WITHDREW = "council_withdrew"
    HOLDOUT_BEGUN = "holdout_begun"
    HOLDOUT_ENDED = "holdout_ended"
    EXPORT_MADE = "export_made"
    TOKEN_MADE = "token_made"  # noqa: S105  # no secret
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    WEBHOOK_MADE = "webhook_made"
    WEBHOOK_ENDED = "webhook_ended"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    MAGAZINE_SHOWN = "magazine_shown"
    MAGAZINE_HIDDEN = "magazine_hidden"
    QUESTION_CHOSEN = "question_chosen"
    CHOICE_BEGUN = "choice_begun"
    CHOICE_ENDED = "choice_ended"


ABOUT_PLACE = frozenset(
    {
        CoordinatorAct.MOVEMENT_BEGUN,
        CoordinatorAct.PLACE_LINKED,
        CoordinatorAct.PLACE_JOINED,
        CoordinatorAct.PLACE_LEFT,
        CoordinatorAct.PLACE_SET,
        CoordinatorAct.RHYTHM_MADE,
        CoordinatorAct.RHYTHM_CHANGED,
        CoordinatorAct.RHYTHM_PAUSED,
        CoordinatorAct.RHYTHM_RESUMED,
        CoordinatorAct.RHYTHM_ENDED,
        CoordinatorAct.RHYTHM_TAKEN_BACK,
        CoordinatorAct.MOMENT_CHANGED,
        CoordinatorAct.HOLIDAYS_CHANGED,
        CoordinatorAct.ROUND_PLANNED,
        CoordinatorAct.ROUND_ENDED,
    }
)
"""Kinds of changes that name a channel, if anything."""


class ToldAbout(NamedTuple):
    """Tells what a change is about: a channel, of one of its rhythms the kind too, or another name."""

    place: str = ""
    rhythm: str = ""
    name: str = ""


def join_about(rhythm: RhythmKind, place: str) -> str:
    """Return what a change of a rhythm is `about`: its kind, and the name of its channel."""
    return f"{rhythm.value} #{place}"


@dataclass(kw_only=True, eq=False)
class CoordinatorChange:
    """One change: what, when, and by whom in their role. `about` names what it is about (a channel, a group), never a
    person; of a rhythm also its kind, see `join_about`. Of a coordinator who was forgotten only the role is left."""

    id: ChangeId
    movement_id: MovementId
    kind: CoordinatorAct
    about: str = ""
    by_id: PersonId
    at: datetime

    def tell_about(self) -> ToldAbout:
        """Return what it is about, in parts. Of a rhythm that was changed before its kind was noted, only the channel
        is known."""
        if self.kind not in ABOUT_PLACE:
            return ToldAbout(name=self.about)
        rhythm, mark, place = self.about.partition(" #")
        if mark and rhythm in tuple(RhythmKind):
            return ToldAbout(place=place, rhythm=rhythm)
        return ToldAbout(place=self.about)

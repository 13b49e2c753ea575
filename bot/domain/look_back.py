"""The look-back: choosing the meaningful moments of an initiative or movement for one time line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from heapq import nlargest
from operator import attrgetter
from typing import NamedTuple

from bot.domain.initiative import Audience, EpisodeId, EpisodeState
from bot.domain.next_step import StepId
from bot.domain.person import PersonId
from bot.domain.story import StoryId

MAX_TIMELINE_MOMENTS = 12
MAX_ROWS_PER_KIND = 80
"""Rows of each kind that are read for a look-back, the latest: more than any line can show."""


class ToldStory(NamedTuple):
    """The columns of a story that a look-back needs. A light tuple, as there may be many and few are shown."""

    id: StoryId
    told_at: datetime
    teller_id: PersonId
    named: bool
    text: str
    may_travel: bool
    ripples: int
    called: str = ""


class DoneStep(NamedTuple):
    """The columns of a done step that a look-back needs."""

    id: StepId
    person_id: PersonId
    action: str
    posted: bool
    closed_at: datetime | None


class StuckSpell(NamedTuple):
    """The columns of a stuck episode that a look-back needs."""

    id: EpisodeId
    person_id: PersonId
    audience: Audience
    state: EpisodeState
    opened_at: datetime
    closed_at: datetime | None


class MomentKind(StrEnum):
    """The kind of a moment on the time line."""

    STARTED = "started"
    BEGUN = "begun"
    JOINED = "joined"
    STUCK = "stuck"
    BREAKTHROUGH = "breakthrough"
    LET_GO = "let_go"
    STEP = "step"
    STORY = "story"
    DECIDED = "decided"
    CHANCE = "chance"
    SUPPORTED = "supported"
    CLOSED = "closed"


WEIGHT = {
    MomentKind.STARTED: 100,
    MomentKind.BREAKTHROUGH: 30,
    MomentKind.BEGUN: 20,
    MomentKind.CLOSED: 20,
    MomentKind.DECIDED: 20,
    MomentKind.STORY: 10,
    MomentKind.STEP: 8,
    MomentKind.CHANCE: 7,
    MomentKind.SUPPORTED: 7,
    MomentKind.STUCK: 6,
    MomentKind.LET_GO: 5,
    MomentKind.JOINED: 4,
}
"""The weight of each kind, by which moments are chosen; a ripple adds five."""


@dataclass(frozen=True, kw_only=True)
class TimelineMoment:
    """One meaningful moment. `who` is a name that may be shown here, or ""; `what` names it or holds the teller's
    words; `ripples` counts the people a story moved. Of an experiment, `decision` is what became of it, and `learned`
    what those who took part said."""

    at: datetime
    turning: MomentKind
    who: str = ""
    what: str = ""
    ripples: int = 0
    decision: str = ""
    learned: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        return WEIGHT[self.turning] + 5 * self.ripples


def choose_moments(moments: Sequence[TimelineMoment], most: int = MAX_TIMELINE_MOMENTS) -> list[TimelineMoment]:
    """Choose at most `most` moments, in time order: the first, the last, and the weightiest between, spread over time.

    The line is cut into as many stretches as there is room for. Each gives its weightiest moment; the room that empty
    stretches leave goes to the weightiest of the rest.
    """
    line = sorted(moments, key=attrgetter("at"))
    if len(line) <= most:
        return line
    first, last, middle = line[0], line[-1], line[1:-1]
    room = most - 2
    span = (last.at - first.at) / room
    stretches: dict[int, TimelineMoment] = {}
    for moment in middle:
        # Moments at the very end would fall into a stretch too far; without any span, all are in the first.
        stretch = min(room - 1, int((moment.at - first.at) / span)) if span else 0
        if stretch not in stretches or moment.weight > stretches[stretch].weight:
            stretches[stretch] = moment
    chosen = list(stretches.values())
    taken = {id(moment) for moment in chosen}
    rest = [moment for moment in middle if id(moment) not in taken]
    chosen += nlargest(room - len(chosen), rest, key=attrgetter("weight"))
    return [first, *sorted(chosen, key=attrgetter("at")), last]

"""Looking back: the meaningful moments of an initiative or movement on one line, made to see the next step."""

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

MOST_SHOWN = 12
LATEST = 80
"""As far as it goes, of each kind: more than any line can show."""


class Told(NamedTuple):
    """A story, as far as it matters here. There may be many, and of most nothing is shown."""

    id: StoryId
    told_at: datetime
    teller_id: PersonId
    named: bool
    text: str
    may_travel: bool
    ripples: int


class Done(NamedTuple):
    """A step that was done."""

    id: StepId
    person_id: PersonId
    action: str
    posted: bool
    closed_at: datetime | None


class Spell(NamedTuple):
    """Being stuck, for a while."""

    id: EpisodeId
    person_id: PersonId
    audience: Audience
    state: EpisodeState
    opened_at: datetime
    closed_at: datetime | None


class Turning(StrEnum):
    """What kind of moment it was."""

    STARTED = "started"
    BEGUN = "begun"
    JOINED = "joined"
    STUCK = "stuck"
    BREAKTHROUGH = "breakthrough"
    LET_GO = "let_go"
    STEP = "step"
    STORY = "story"
    CLOSED = "closed"


WEIGHT = {
    Turning.STARTED: 100,
    Turning.BREAKTHROUGH: 30,
    Turning.BEGUN: 20,
    Turning.CLOSED: 20,
    Turning.STORY: 10,
    Turning.STEP: 8,
    Turning.STUCK: 6,
    Turning.LET_GO: 5,
    Turning.JOINED: 4,
}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One meaningful moment. `who` is a name that may be told here, or ""; `what` names it or gives the teller's words;
    `ripples` is how many a story moved."""

    at: datetime
    turning: Turning
    who: str = ""
    what: str = ""
    ripples: int = 0

    @property
    def weight(self) -> int:
        return WEIGHT[self.turning] + 5 * self.ripples


def choose(moments: Sequence[Moment], most: int = MOST_SHOWN) -> list[Moment]:
    """At most `most` moments in time order: the first, the last, and in between what meant most, spread over time.

    The line is cut in as many stretches as there is room for; each gives its weightiest moment, and what room is left
    goes to the weightiest of the rest.
    """
    line = sorted(moments, key=attrgetter("at"))
    if len(line) <= most:
        return line
    first, last, middle = line[0], line[-1], line[1:-1]
    room = most - 2
    span = (last.at - first.at) / room
    stretches: dict[int, Moment] = {}
    for moment in middle:
        stretch = min(room - 1, int((moment.at - first.at) / span)) if span else 0
        if stretch not in stretches or moment.weight > stretches[stretch].weight:
            stretches[stretch] = moment
    chosen = list(stretches.values())
    taken = {id(moment) for moment in chosen}
    rest = [moment for moment in middle if id(moment) not in taken]
    chosen += nlargest(room - len(chosen), rest, key=attrgetter("weight"))
    return [first, *sorted(chosen, key=attrgetter("at")), last]

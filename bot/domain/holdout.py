"""Does it help? Places take turns, by lot, of being left out of reminders; what followed is compared. No persons.

Four periods of four weeks are a block. In each block every place is left out in one of the four periods: which one is
drawn. Because the lot alone decides that, the same numbers can be laid beside every other way the lot could have
fallen (randomisation inference): docs/holdout.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from random import Random
from typing import NewType

from bot.domain.movement import MovementId, PlaceId

HoldoutId = NewType("HoldoutId", str)

HOLDOUT_PERIOD = timedelta(weeks=4)
HOLDOUT_BLOCK = 4
"""Periods in which each place is left out once."""
FEWEST_PLACES = 2
"""With one place there is nothing to compare."""
FEWEST_PEOPLE = 5
"""Of fewer people who told or planned something, no figure is shown."""
HOLDOUT_SAID = "holdout_said"
"""The kind of the message to a place that says what the lot means for it."""


@dataclass(kw_only=True, eq=False)
class Holdout:
    """A movement that lets the lot leave places out of reminders, since `begun_at`. `seed` makes the lot."""

    id: HoldoutId
    movement_id: MovementId
    seed: str
    begun_at: datetime
    ended_at: datetime | None = None

    def period_at(self, now: datetime) -> int:
        """Return the number of the period that a moment is in, from 0."""
        return max(0, (now - self.begun_at) // HOLDOUT_PERIOD)

    def starts_at(self, period: int) -> datetime:
        """Return when a period starts; the one before ends then."""
        return self.begun_at + period * HOLDOUT_PERIOD


@dataclass(kw_only=True, eq=False)
class HoldoutTurn:
    """A place in a period: whether the lot left it out, and, once that ended, how many stories were told and small
    steps planned there."""

    holdout_id: HoldoutId
    movement_id: MovementId
    place_id: PlaceId
    period: int
    starts_at: datetime
    ends_at: datetime
    left_out: bool
    stories: int | None = None
    steps: int | None = None


def draw_lot(seed: str, block: int, places: Collection[PlaceId]) -> dict[PlaceId, int]:
    """Return for each place the period (from 0) within a block in which it is left out; the same for the same seed,
    in whatever order the places come. In each period about a quarter is left out."""
    lot = Random(f"{seed}:{block}")  # no secret: it has to be the same when it is drawn again
    order, slots = sorted(places), list(range(HOLDOUT_BLOCK))
    lot.shuffle(order)
    lot.shuffle(slots)
    return {place: slots[number % HOLDOUT_BLOCK] for number, place in enumerate(order)}


@dataclass(frozen=True)
class HoldoutBlock:
    """The figures of one whole block: a row for each place, a column for each period; and in which one each place was
    left out."""

    outcomes: tuple[tuple[float, ...], ...]
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Estimate:
    """How much more follows in a place in a period with reminders than without: a figure, and the interval in which the
    truth is, 95 times in 100, if the reminder adds the same everywhere."""

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """True when the interval ends somewhere: before that there are too few ways for the lot to have fallen."""
        return self.low > -inf and self.high < inf

    @property
    def tells(self) -> bool:
        """True when doing nothing is outside the interval."""
        return self.is_known and not self.low <= 0 <= self.high


def group_blocks(turns: Sequence[HoldoutTurn], what: str) -> list[HoldoutBlock]:
    """Return the whole blocks among turns, with the figures of `what` ("stories" or "steps"). A place counts in a block
    of which all four periods are known; where fewer than two do, there is nothing to compare."""
    by_block: dict[tuple[HoldoutId, int], dict[PlaceId, list[HoldoutTurn]]] = {}
    for turn in turns:
        key = (turn.holdout_id, turn.period // HOLDOUT_BLOCK)
        by_block.setdefault(key, {}).setdefault(turn.place_id, []).append(turn)
    blocks = []
    for _, rows in sorted(by_block.items()):
        whole = [sorted(one, key=lambda turn: turn.period) for one in rows.values() if _is_whole(one, what)]
        if len(whole) >= FEWEST_PLACES:
            blocks.append(
                HoldoutBlock(
                    outcomes=tuple(tuple(float(getattr(turn, what)) for turn in one) for one in whole),
                    slots=tuple(next(n for n, turn in enumerate(one) if turn.left_out) for one in whole),
                )
            )
    return blocks


def _is_whole(turns: Sequence[HoldoutTurn], what: str) -> bool:
    known = [turn for turn in turns if getattr(turn, what) is not None]
    return len(known) == HOLDOUT_BLOCK and sum(turn.left_out for turn in known) == 1

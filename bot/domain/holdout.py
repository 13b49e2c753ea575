"""Does it help? Places take turns, by lot, of being left out of reminders; what followed is compared. No persons.

Four periods of four weeks are a block. In each block every place is left out in one of the four periods: which one is
drawn. Because the lot alone decides that, the same numbers can be laid beside every other way the lot could have
fallen (randomisation inference): docs/holdout.md.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from itertools import permutations
from math import factorial, inf, prod
from random import Random
from typing import Any, NewType

import numpy as np

from bot.domain.movement import MovementId, PlaceId

HoldoutId = NewType("HoldoutId", str)

HOLDOUT_PERIOD = timedelta(weeks=4)
HOLDOUT_BLOCK = 4
"""Periods in which each place is left out once."""
FEWEST_PLACES = 2
"""With one place there is nothing to compare."""
FEWEST_PEOPLE = 5
"""Of fewer people who told or planned something, no figure is shown."""
ALPHA = 0.05
"""How often an interval may miss the truth."""
MOST_LOTS = 5_000
"""Up to so many ways in which the lot could have fallen, all are tried; of more, `DRAWN_LOTS`."""
DRAWN_LOTS = 4_999
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


def estimate_effect(blocks: Sequence[HoldoutBlock]) -> Estimate | None:
    """Estimate what reminders add, by laying what happened beside the other ways the lot could have fallen within each
    block. None without a block in which places differ in their lot."""
    blocks = [_sort_block(one) for one in blocks if len(set(one.slots)) > 1]
    if not blocks:
        return None
    own = [np.array(one.slots) for one in blocks]
    contrasts = [_center(_mark_reminders(one)) for one in own]
    outcomes = [_center(np.array(one.outcomes)) for one in blocks]
    size = sum(float((one * one).sum()) for one in contrasts)
    value = -sum(_sum_left_out(y, slots[None, :])[0] for y, slots in zip(outcomes, own, strict=True)) / size
    # Of all ways the lot could have fallen: what would have been found, and how much that lot is like the real one.
    lots, combine = _list_lots(own)
    fallen = -combine([_sum_left_out(y, slots) for y, slots in zip(outcomes, lots, strict=True)]) / size
    alike = -combine([_sum_left_out(z, slots) for z, slots in zip(contrasts, lots, strict=True)]) / size
    lows, highs = _bound_effects(value, fallen, alike)
    skipped = int(ALPHA * len(lows))
    return Estimate(value=float(value), low=float(np.sort(lows)[skipped]), high=float(-np.sort(-highs)[skipped]))


def _bound_effects(value: float, fallen: Any, alike: Any) -> tuple[Any, Any]:
    """Return between which effects each other lot looks at least as extreme as the real one: where
    |fallen - effect·alike| ≥ |value - effect|. The same lot, or its mirror, always does."""
    room = 1 - alike * alike
    same = room < 1e-9
    room = np.where(same, 1, room)
    middle, spread = value - fallen * alike, np.abs(fallen - value * alike)
    lows, highs = (middle - spread) / room, (middle + spread) / room
    return np.where(same, -inf, lows), np.where(same, inf, highs)


def _mark_reminders(slots: Any) -> Any:
    """Return 1 for each place and period with reminders, 0 where the place was left out."""
    reminded = np.ones((len(slots), HOLDOUT_BLOCK))
    reminded[np.arange(len(slots)), slots] = 0
    return reminded


def _center(figures: Any) -> Any:
    """Return figures less the averages of their place and of their period."""
    return figures - figures.mean(axis=1, keepdims=True) - figures.mean(axis=0, keepdims=True) + figures.mean()


def _sum_left_out(figures: Any, lots: Any) -> Any:
    """Return for each lot (a row of slots) the sum of the figures where it leaves a place out."""
    return figures[np.arange(figures.shape[0]), lots].sum(axis=1)


def _sort_block(block: HoldoutBlock) -> HoldoutBlock:
    """Put the places of a block in an order that follows from their figures alone, whatever they are called."""
    rows = sorted(zip(block.slots, block.outcomes, strict=True))
    return HoldoutBlock(outcomes=tuple(one for _, one in rows), slots=tuple(slot for slot, _ in rows))


def _list_lots(own: Sequence[Any]) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """Return for each block ways in which its lot could have fallen, the real one first among them, and how the sums of
    blocks combine: all ways with all others, or as many as were drawn, row by row."""
    if prod(factorial(len(one)) for one in own) <= MOST_LOTS:
        return [np.array(list(permutations(one))) for one in own], lambda sums: reduce(np.add.outer, sums).ravel()
    lot = np.random.default_rng(len(own))  # the same draws for the same figures
    drawn = [np.vstack([one[None, :], lot.permuted(np.tile(one, (DRAWN_LOTS, 1)), axis=1)]) for one in own]
    return drawn, lambda sums: np.sum(sums, axis=0)


def measure_effect(turns: Sequence[HoldoutTurn], people: int) -> Mapping[str, Estimate]:
    """Return what is known of stories and of steps; nothing while too few people, or too few periods, tell."""
    if people < FEWEST_PEOPLE:
        return {}
    found = {what: estimate_effect(group_blocks(turns, what)) for what in ("stories", "steps")}
    return {what: one for what, one in found.items() if one is not None and one.is_known}

"""Estimate what reminders add, by the other ways in which the lot could have fallen (docs/holdout.md).

In a module of its own: few ask, and numpy takes a third of a second to load.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import permutations
from math import factorial, inf, prod
from typing import Any

import numpy as np

from bot.domain.holdout import FEWEST_PEOPLE, HOLDOUT_BLOCK, Estimate, HoldoutBlock, HoldoutTurn, group_blocks

ALPHA = 0.05
"""How often an interval may miss the truth."""
MOST_LOTS = 5_000
"""Up to so many ways in which the lot could have fallen, all are tried; of more, `DRAWN_LOTS`."""
DRAWN_LOTS = 4_999


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

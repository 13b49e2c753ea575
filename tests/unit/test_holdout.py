"""The lot is fair and drawn again the same; the interval covers the truth, and says nothing before it can."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.holdout import (
    HOLDOUT_BLOCK,
    HOLDOUT_PERIOD,
    HoldoutBlock,
    HoldoutId,
    HoldoutTurn,
    draw_lot,
    group_blocks,
)
from bot.domain.holdout_effect import estimate_effect, measure_effect
from bot.domain.movement import MovementId, PlaceId

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def places(many: int) -> list[PlaceId]:
    return [PlaceId(f"p{number}") for number in range(many)]


def make_block(rng: np.random.Generator, many: int, effect: float, seed: str, block: int) -> HoldoutBlock:
    """Make a block in which places and periods differ a lot, and a reminder adds `effect`."""
    lot = draw_lot(seed, block, places(many))
    usual = rng.uniform(0, 20, (many, 1)) + rng.uniform(0, 10, (1, HOLDOUT_BLOCK)) + rng.normal(0, 1, (many, 4))
    slots = tuple(lot[one] for one in places(many))
    for row, slot in enumerate(slots):
        usual[row, [n for n in range(HOLDOUT_BLOCK) if n != slot]] += effect
    return HoldoutBlock(outcomes=tuple(map(tuple, usual.tolist())), slots=slots)


@given(st.text(max_size=8), st.integers(0, 50), st.integers(1, 30))
def test_each_place_is_left_out_once_in_a_block_and_about_a_quarter_at_a_time(seed: str, block: int, many: int) -> None:
    lot = draw_lot(seed, block, places(many))
    assert set(lot) == set(places(many))
    assert draw_lot(seed, block, list(reversed(places(many)))) == lot
    taken = [list(lot.values()).count(slot) for slot in range(HOLDOUT_BLOCK)]
    assert max(taken) - min(taken) <= 1


def test_every_place_comes_in_every_period_about_as_often() -> None:
    counts = np.zeros((3, HOLDOUT_BLOCK))
    for block in range(2_000):
        for place, slot in draw_lot("seed", block, places(3)).items():
            counts[int(place[1:]), slot] += 1
    assert np.all(np.abs(counts / 2_000 - 0.25) < 0.04)


@pytest.mark.parametrize("effect", [0.0, 2.5])
@pytest.mark.parametrize(("many", "blocks"), [(5, 1), (4, 2), (2, 6)])
def test_the_interval_covers_the_truth_as_often_as_it_says(effect: float, many: int, blocks: int) -> None:
    rng, hits, runs = np.random.default_rng(7), 0, 200
    for run in range(runs):
        found = estimate_effect([make_block(rng, many, effect, f"s{run}", block) for block in range(blocks)])
        if found is None:  # the lot left both out at once in every block
            hits += 1
            continue
        hits += found.low - 1e-9 <= effect <= found.high + 1e-9
    assert hits / runs >= 0.9  # 95 in 100, less three standard deviations of 200 runs


def test_a_large_effect_is_told_and_none_is_not() -> None:
    rng = np.random.default_rng(3)
    told = estimate_effect([make_block(rng, 6, 5.0, "a", block) for block in range(2)])
    nothing = estimate_effect([make_block(rng, 6, 0.0, "b", block) for block in range(2)])
    assert told is not None
    assert told.tells
    assert 3 < told.low < told.value < told.high < 7
    assert nothing is not None
    assert nothing.low < nothing.value < nothing.high


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(5)), st.booleans())
def test_what_places_are_called_changes_nothing(seed: int, order: list[int], large: bool) -> None:
    rng = np.random.default_rng(seed)
    blocks = [make_block(rng, 5, 1.0, str(seed), block) for block in range(2 if large else 1)]
    shuffled = [
        HoldoutBlock(tuple(one.outcomes[n] for n in order), tuple(one.slots[n] for n in order)) for one in blocks
    ]
    found, again = estimate_effect(blocks), estimate_effect(shuffled)
    assert found is not None
    assert again is not None
    assert (found.value, found.low, found.high) == pytest.approx((again.value, again.low, again.high))


@given(st.floats(-50, 50))
def test_the_same_everywhere_more_or_less_changes_nothing(shift: float) -> None:
    block = make_block(np.random.default_rng(1), 5, 2.0, "s", 0)
    moved = HoldoutBlock(tuple(tuple(value + shift for value in row) for row in block.outcomes), block.slots)
    found, again = estimate_effect([block]), estimate_effect([moved])
    assert found is not None
    assert again is not None
    assert (found.low, found.high) == pytest.approx((again.low, again.high), abs=1e-6)


def turns(many: int, periods: int, *, stories: int = 3) -> list[HoldoutTurn]:
    found = []
    for period in range(periods):
        lot = draw_lot("s", period // HOLDOUT_BLOCK, places(many))
        found += [
            HoldoutTurn(
                holdout_id=HoldoutId("h"),
                movement_id=MovementId("m"),
                place_id=place,
                period=period,
                starts_at=NOW + period * HOLDOUT_PERIOD,
                ends_at=NOW + (period + 1) * HOLDOUT_PERIOD,
                left_out=slot == period % HOLDOUT_BLOCK,
                stories=stories + number,
                steps=1,
            )
            for number, (place, slot) in enumerate(sorted(lot.items()))
        ]
    return found


def test_nothing_is_said_before_a_block_is_whole_or_of_fewer_than_five_people() -> None:
    assert measure_effect(turns(6, 3), people=40) == {}
    assert measure_effect(turns(6, 4), people=4) == {}
    assert set(measure_effect(turns(6, 4), people=5)) == {"stories", "steps"}


def test_few_ways_for_the_lot_to_fall_tell_nothing() -> None:
    assert measure_effect(turns(3, 4), people=40) == {}
    found = measure_effect(turns(3, 8), people=40)
    assert set(found) == {"stories", "steps"}
    assert not any(one.tells for one in found.values())


def test_a_place_that_left_does_not_count_in_that_block() -> None:
    found = turns(5, 4)
    left = [one for one in found if not (one.place_id == "p1" and one.period == 3)]
    (block,) = group_blocks(left, "stories")
    assert len(block.slots) == 4

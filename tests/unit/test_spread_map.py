"""The spread map: rounded by chance, without small groups, and laid out the same each time."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.spread import (
    SPREAD_PERIODS,
    Flow,
    FlowCount,
    GroupSpread,
    SpreadCounts,
    ToldCount,
    draw_spread,
    load_spread,
    order_on_ring,
)

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
SIZES = {"Nacht": 5, "Staf": 4, "Zuid": 12}


def lowest(most: int) -> int:
    return most - 1


def highest(most: int) -> int:
    return 0


def test_groups_under_five_are_left_out_with_all_that_came_and_went() -> None:
    counts = SpreadCounts(
        sizes=SIZES,
        told=[ToldCount("Staf", 2, 50), ToldCount("Zuid", 0, 5), ToldCount("Zuid", 2, 10)],
        flows=[FlowCount("Staf", "Zuid", 50), FlowCount("Zuid", "Staf", 50), FlowCount("Zuid", "Nacht", 10)],
    )
    shown = draw_spread(counts, NOW, lowest)
    assert shown.groups == (
        GroupSpread(group="Nacht", stories=(0, 0, 0)),
        GroupSpread(group="Zuid", stories=(5, 0, 10)),
    )
    assert shown.flows == (Flow(source="Zuid", target="Nacht", times=10),)


@given(st.integers(0, 40), st.sampled_from([lowest, highest]))
def test_every_figure_is_one_of_five_and_less_than_five_beside_the_truth(many: int, draw) -> None:  # type: ignore[no-untyped-def]
    counts = SpreadCounts(sizes=SIZES, told=[ToldCount("Zuid", 1, many)], flows=[FlowCount("Zuid", "Nacht", many)])
    shown = draw_spread(counts, NOW, draw)
    figures = [figure for one in shown.groups for figure in one.stories] + [one.times for one in shown.flows]
    assert all(figure % 5 == 0 for figure in figures)
    told = next(one for one in shown.groups if one.group == "Zuid").stories
    assert len(told) == SPREAD_PERIODS
    assert abs(told[1] - many) < 5


def test_what_a_movement_keeps_is_read_again_and_stands_for_a_week() -> None:
    kept = draw_spread(SpreadCounts(sizes=SIZES, flows=[FlowCount("Zuid", "Nacht", 10)]), NOW, lowest)
    assert load_spread(kept.dump()) == kept
    assert load_spread({}) is None
    assert kept.without({"Zuid"}).groups == (GroupSpread(group="Nacht", stories=(0, 0, 0)),)
    assert kept.without({"Zuid"}).flows == ()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 12])
def test_the_same_groups_stand_in_the_same_order_whatever_order_they_came_in(count: int) -> None:
    groups = [f"Groep {number:02}" for number in range(count)]
    flows = [Flow(source=groups[n], target=groups[(n * 5 + 1) % count], times=5 + n) for n in range(count)]
    order = order_on_ring(groups, flows)
    assert sorted(order) == groups
    assert order_on_ring(groups, list(reversed(flows))) == order


def test_groups_with_much_between_them_stand_side_by_side() -> None:
    groups = ["a", "b", "c", "d", "e", "f"]
    pairs = (("a", "d"), ("b", "e"), ("c", "f"))
    order = order_on_ring(groups, [Flow(source=one, target=other, times=50) for one, other in pairs])
    for one, other in pairs:
        assert _steps_between(order, one, other) == 1


def _steps_between(order: Sequence[str], one: str, other: str) -> int:
    apart = abs(order.index(one) - order.index(other))
    return min(apart, len(order) - apart)

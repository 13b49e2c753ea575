"""How far a movement reaches is shown in figures that tell of nobody."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.coverage import (
    RECOUNTED_AFTER,
    ROUNDED_TO,
    GroupCount,
    draw_picture,
    load_picture,
    round_by_chance,
)

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
counts = st.integers(0, 300)
groups = st.builds(GroupCount, st.text(min_size=1, max_size=3), counts, counts, counts)


def draw_lowest(below: int) -> int:
    return 0


@given(st.lists(groups, max_size=9, unique_by=lambda one: one.group), st.integers())
def test_only_groups_of_five_and_figures_in_fives_are_shown(some: list[GroupCount], seed: int) -> None:
    picture = draw_picture(some, NOW, None, Random(seed).randrange)
    large = {one.group: one for one in some if one.well + one.once + one.unknown >= 5}
    assert {one.group for one in picture.groups} == set(large)
    for one in picture.groups:
        for shown, is_so in zip((one.well, one.once, one.unknown), large[one.group][1:], strict=True):
            assert shown % ROUNDED_TO == 0
            assert abs(shown - is_so) < ROUNDED_TO


def test_a_person_without_a_group_is_in_no_figure() -> None:
    assert draw_picture([GroupCount("", 9, 9, 9)], NOW, None, draw_lowest).groups == ()


@given(st.integers(0, 300))
def test_rounding_is_right_on_average(many: int) -> None:
    shown = Counter(round_by_chance(many, lambda below, one=one: one) for one in range(ROUNDED_TO))
    assert sum(figure * times for figure, times in shown.items()) == many * ROUNDED_TO


@given(st.integers(0, 300))
def test_one_person_more_can_leave_the_figure_as_it_was(many: int) -> None:
    """No figure is certain to change when one person does."""
    before = {round_by_chance(many, lambda below, one=one: one) for one in range(ROUNDED_TO)}
    after = {round_by_chance(many + 1, lambda below, one=one: one) for one in range(ROUNDED_TO)}
    assert before & after


def test_out_of_reach_is_where_more_know_nobody_than_somebody_and_comes_first() -> None:
    some = [GroupCount("dag", 10, 10, 5), GroupCount("nacht", 5, 0, 10), GroupCount("staf", 5, 5, 10)]
    picture = draw_picture(some, NOW, None, draw_lowest)
    assert [(one.group, one.out_since) for one in picture.groups] == [("nacht", NOW), ("dag", None), ("staf", None)]


def test_a_group_that_stays_out_of_reach_keeps_since_when() -> None:
    first = draw_picture([GroupCount("nacht", 0, 0, 10)], NOW, None, draw_lowest)
    later = NOW + RECOUNTED_AFTER
    again = draw_picture([GroupCount("kort", 0, 0, 5), GroupCount("nacht", 0, 5, 10)], later, first, draw_lowest)
    assert [(one.group, one.out_since) for one in again.groups] == [("nacht", NOW), ("kort", later)]


def test_what_is_kept_is_the_same_picture_for_a_week() -> None:
    picture = draw_picture([GroupCount("nacht", 0, 5, 10), GroupCount("dag", 5, 0, 0)], NOW, None, draw_lowest)
    kept = load_picture(picture.dump())
    assert kept == picture
    assert load_picture({}) is None

"""Direction is asked about when a moment opens, and never more than once a month."""

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.steering import RARELY, broadens_again, may_steer, ripples_suddenly
from bot.domain.story import Dimension
from tests.support.world import MONDAY

MOMENTS = st.lists(st.integers(0, 200).map(lambda hours: MONDAY + timedelta(hours=6 * hours)), max_size=60)


@given(MOMENTS)
def test_whatever_opens_it_is_asked_at_most_once_a_month(moments: list) -> None:  # type: ignore[type-arg]
    asked: list = []  # type: ignore[type-arg]
    for moment in sorted(moments):
        if may_steer(asked, moment):
            asked.append(moment)
    assert all(later - earlier >= RARELY for earlier, later in itertools.pairwise(asked))
    assert bool(asked) is bool(moments)


@given(MOMENTS)
def test_a_story_ripples_suddenly_at_its_fifth_or_three_in_two_days(moments: list) -> None:  # type: ignore[type-arg]
    latest = sorted(moments)[-3:]
    close = len(latest) == 3 and latest[-1] - latest[0] <= timedelta(days=2)
    assert ripples_suddenly(moments) is (close or len(moments) == 5)


@given(st.lists(st.sampled_from(Dimension), max_size=6))
def test_three_broadening_moments_in_a_row(dimensions: list[Dimension]) -> None:
    assert broadens_again(dimensions) is (dimensions[:3] == [Dimension.BROADEN] * 3)

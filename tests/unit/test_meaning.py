"""How stories were meant: every point can be reached, and a cloud is drawn in batches that give nobody away."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.meaning import (
    CLOUD_FROM,
    SCALES,
    Answers,
    Cloud,
    join_meaning,
    list_first,
    list_near,
    list_points,
    load_cloud,
    redraw,
    split_meaning,
)
from bot.domain.person import Language
from bot.wording import block_names

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("scale", SCALES)
def test_every_point_is_reached_in_two_presses_and_has_words(scale: str) -> None:
    first = list_first(scale)
    assert {*first, *(near for one in first for near in list_near(scale, one))} == set(list_points(scale))
    for language in Language:
        words = block_names("stories/meanings.md.j2", language)
        assert {scale, *(f"{scale}_{one}" for one in list_points(scale))} <= words


def test_only_a_point_of_a_scale_is_a_meaning() -> None:
    assert split_meaning(join_meaning("triangle", "steer")) == ("triangle", "steer")
    for other in ("", "asked", "triangle:left", "courage:broaden", "nothing:left", "triangle"):
        assert split_meaning(other) == ("", "")


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_cloud_is_drawn_only_of_five_others_together(tellers: int, new: int) -> None:
    drawn = redraw(Answers(points={"steer": tellers}, tellers=tellers, new_tellers=new), NOW)
    assert (drawn is not None) == (tellers >= CLOUD_FROM and new >= CLOUD_FROM)


@given(st.lists(st.sampled_from(["broaden", "deepen", "steer"]), min_size=5, max_size=9))
def test_no_teller_who_knows_their_own_answer_knows_that_all_others_gave_the_same(given: list[str]) -> None:
    alike = max(map(given.count, given))
    answers = Answers(points={one: given.count(one) for one in given}, tellers=len(given), new_tellers=len(given))
    drawn = redraw(replace(answers, alike=alike), NOW)
    gives_away = any(len(set(given[:own] + given[own + 1 :])) == 1 for own in range(len(given)))
    assert (drawn is None) == gives_away


def test_what_a_movement_keeps_is_read_again() -> None:
    cloud = Cloud(at=NOW, points={"steer": 5, "middle": 1})
    assert load_cloud({"triangle": cloud.dump()}, "triangle") == cloud
    assert load_cloud({"triangle": cloud.dump()}, "origin") is None
    assert load_cloud({}, "") is None

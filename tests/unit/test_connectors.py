"""Reasons for a suggestion: each true, and none of what may not be shown."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.connectors import (
    MIN_GROUP_SIZE,
    RESTS,
    Acquaintance,
    Candidate,
    KeyFigure,
    Reason,
    Suggestion,
    SuggestionId,
    find_reach,
    give_reason,
)
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.support.world import MONDAY

ME = PersonId("me")
WANTED = KeyFigure.MAVEN


def candidate(says: str = "", *, named: bool = False, group: str = "", reaches: str = "") -> Candidate:
    return Candidate(
        id=ME, group=group, says=frozenset(map(KeyFigure, says.split())), is_named=named, reaches=tuple(reaches.split())
    )


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (candidate("maven", named=True, group="night"), Reason.NAMED),
        (candidate("maven", group="night"), Reason.SAID),
        (candidate("connector", named=True), Reason.AGREED),
        (candidate(reaches="day night", group="night"), Reason.REACHES),
        (candidate(reaches="day", group="night"), Reason.BELONGS),
        (candidate(group="day"), Reason.AGREED),
    ],
    ids=["named", "said", "named but not agreed to", "reaches", "belongs", "agreed"],
)
def test_the_first_reason_that_may_be_told(one: Candidate, reason: Reason) -> None:
    assert give_reason(one, WANTED, {"night"}) is reason


groups = st.sampled_from(["", "day", "night", "small"])


@given(st.lists(groups), st.dictionaries(groups, st.integers(0, 9)))
def test_groups_are_reached_from_two_people_on_and_shown_from_five(known: list[str], sizes: dict[str, int]) -> None:
    some = [Acquaintance(person_id=ME, other_id=PersonId(str(n)), group=group) for n, group in enumerate(known)]
    found = find_reach(some, sizes)
    assert set(found) == {one for one in known if known.count(one) > 1 and sizes.get(one, 0) >= MIN_GROUP_SIZE}
    assert found == find_reach(reversed(some), sizes)


def test_who_was_set_aside_rests_for_a_while() -> None:
    one = Suggestion(
        id=SuggestionId("s"),
        movement_id=MovementId("m"),
        initiative_id=None,
        asker_id=ME,
        person_id=PersonId("other"),
        at=MONDAY,
    )
    assert not one.rests(MONDAY)
    one.rest(MONDAY)
    assert one.rests(MONDAY + RESTS - timedelta(seconds=1))
    assert not one.rests(MONDAY + RESTS)

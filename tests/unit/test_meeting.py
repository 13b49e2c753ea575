"""Bring people together: of different groups, in turn, and never the same two twice in a row."""

from datetime import UTC, datetime, time
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import Calendar
from bot.domain.meeting import MeetingCandidate, Pair, choose_guests, propose_meeting
from bot.domain.person import PersonId
from bot.domain.quiet_hours import FreeMoments, QuietHours

GROUPS = ("nacht", "dag", "staf", "wijk", "")
waiting_people = st.lists(st.sampled_from(GROUPS), max_size=9).map(
    lambda groups: [MeetingCandidate(PersonId(f"p{at}"), group) for at, group in enumerate(groups)]
)


@settings(max_examples=60)
@given(waiting_people, st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12))
def test_three_or_four_of_different_groups_and_no_pair_of_the_last_time(
    waiting: list[MeetingCandidate], before: set[tuple[int, int]]
) -> None:
    together = {Pair((PersonId(f"p{one}"), PersonId(f"p{other}"))) for one, other in before if one != other}
    chosen = choose_guests(waiting, together, ())
    assert len(chosen) in (0, 3, 4)
    assert len(set(chosen)) == len(chosen)
    assert not {Pair(two) for two in combinations(chosen, 2)} & together
    groups = {one.group or one.person for one in waiting if one.person in chosen}
    assert not chosen or len(groups) >= 2


def test_as_many_groups_as_people_go_before_one_person_more() -> None:
    waiting = [MeetingCandidate(PersonId(name), group) for name, group in zip("abcd", "nndw", strict=True)]
    assert choose_guests(waiting, (), ()) == ["a", "c", "d"]


def test_who_were_together_the_last_time_come_again_only_when_there_is_nobody_else() -> None:
    three = [MeetingCandidate(PersonId(name), name) for name in "abc"]
    before = {Pair((PersonId("a"), PersonId("b")))}
    assert choose_guests(three, (), before) == ["a", "b", "c"]
    assert choose_guests([*three, MeetingCandidate(PersonId("d"), "d")], (), before) == ["a", "c", "d"]
    assert choose_guests(three, before, ()) == []


def test_everyone_gets_a_turn() -> None:
    waiting = [MeetingCandidate(PersonId(f"p{at}"), f"g{at % 4}") for at in range(12)]
    together: set[Pair] = set()
    met: set[str] = set()
    for _ in range(3):
        chosen = choose_guests(waiting, together, ())
        met.update(chosen)
        together = {Pair(two) for two in combinations(chosen, 2)}
        waiting = [one for one in waiting if one.person not in chosen] + [
            one for one in waiting if one.person in chosen
        ]
    assert len(met) == 12


def quiet(start: int, end: int) -> QuietHours:
    return QuietHours(start=time(start), end=time(end), weekends=True, timezone="Europe/Amsterdam")


def test_a_meeting_is_at_lunch_or_at_the_nearest_hour_at_which_all_are_awake() -> None:
    monday, free = datetime(2027, 3, 1, 8, tzinfo=UTC), FreeMoments(quiet=quiet(18, 8), calendar=Calendar())
    assert propose_meeting(monday, free) == datetime(2027, 3, 8, 11, 30, tzinfo=UTC)
    assert propose_meeting(monday, free, [quiet(8, 16), quiet(18, 8)]) == datetime(2027, 3, 8, 15, tzinfo=UTC)
    assert propose_meeting(monday, free, [quiet(8, 19)]) == datetime(2027, 3, 8, 11, 30, tzinfo=UTC)

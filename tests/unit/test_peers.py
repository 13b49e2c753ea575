"""The choice of peers for company: in their order, mixed groups, nobody who should be left alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.company import choose_peers, may_be_asked
from bot.domain.person import Person, PersonId, WorkspaceId

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def person(name: str, group: str = "") -> Person:
    made = Person(id=PersonId(name), workspace_id=WorkspaceId("test:W1"), account=name, name=name, created_at=NOW)
    made.group = group
    return made


def test_the_first_are_asked_and_the_next_kept_in_reserve() -> None:
    found = choose_peers([person(name) for name in "abc"], person("me"))
    assert [one.id for one in found.asked] == ["a", "b"]
    assert [one.id for one in found.reserve] == ["c"]


def test_one_of_the_two_is_from_another_group() -> None:
    same = [person(name, "dag") for name in "abc"]
    found = choose_peers([*same, person("d", "nacht")], person("me", "dag"))
    assert [one.id for one in found.asked] == ["a", "d"]


@given(st.lists(st.sampled_from(["", "dag", "nacht"]), max_size=8))
def test_at_most_two_and_mixed_whenever_that_can_be(drawn: list[str]) -> None:
    everyone = [person(str(n), group) for n, group in enumerate(drawn)]
    found = choose_peers(everyone, person("me", "dag"))
    assert len(found.asked) == min(2, len(everyone))
    assert not set(found.asked) & set(found.reserve)
    if any(one.group == "nacht" for one in everyone):
        assert any(one.group == "nacht" for one in found.asked)


def test_who_stopped_snoozed_or_is_quiet_is_left_alone() -> None:
    stopped, snoozed, quiet, nameless = (person(name) for name in "abcd")
    stopped.stopped_at, snoozed.snoozed_until, quiet.went_quiet_at = NOW, NOW + timedelta(days=1), NOW
    nameless.name = ""
    assert not any(may_be_asked(one, NOW) for one in (stopped, snoozed, quiet, nameless))
    assert may_be_asked(person("f"), NOW)
    assert may_be_asked(snoozed, NOW + timedelta(days=2))

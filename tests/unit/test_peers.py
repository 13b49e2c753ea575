"""The choice of peers for company: willing people first, mixed groups, nobody who should be left alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.company import choose_peers, may_be_asked
from bot.domain.person import Person, PersonId, WorkspaceId

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def person(name: str, group: str = "", suggestible: bool | None = None) -> Person:
    made = Person(id=PersonId(name), workspace_id=WorkspaceId("test:W1"), account=name, name=name, created_at=NOW)
    made.group, made.suggestible = group, suggestible
    return made


def test_willing_people_come_first() -> None:
    found = choose_peers([person("a"), person("b", suggestible=True), person("c", suggestible=True)], person("me"))
    assert [one.id for one in found.asked] == ["b", "c"]
    assert [one.id for one in found.reserve] == ["a"]


def test_one_of_the_two_is_from_another_group() -> None:
    same = [person(name, "dag", True) for name in "abc"]
    found = choose_peers([*same, person("d", "nacht")], person("me", "dag"))
    assert [one.id for one in found.asked] == ["a", "d"]


@given(st.lists(st.tuples(st.sampled_from(["", "dag", "nacht"]), st.booleans()), max_size=8))
def test_at_most_two_and_mixed_whenever_that_can_be(drawn: list[tuple[str, bool]]) -> None:
    everyone = [person(str(n), group, willing or None) for n, (group, willing) in enumerate(drawn)]
    found = choose_peers(everyone, person("me", "dag"))
    assert len(found.asked) == min(2, len(everyone))
    assert not set(found.asked) & set(found.reserve)
    if any(one.group == "nacht" for one in everyone):
        assert any(one.group == "nacht" for one in found.asked)


def test_who_said_no_stopped_snoozed_or_is_quiet_is_left_alone() -> None:
    stopped, snoozed, quiet, nameless = (person(name) for name in "abcd")
    stopped.stopped_at, snoozed.snoozed_until, quiet.went_quiet_at = NOW, NOW + timedelta(days=1), NOW
    nameless.name = ""
    assert not any(
        may_be_asked(one, NOW) for one in (stopped, snoozed, quiet, nameless, person("e", suggestible=False))
    )
    assert may_be_asked(person("f"), NOW)
    assert may_be_asked(snoozed, NOW + timedelta(days=2))

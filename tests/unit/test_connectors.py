"""Suggestions of key figures: those who together reach furthest, each for a reason."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.connectors import MAX_SUGGESTIONS, Candidate, KeyFigure, suggest
from bot.domain.person import PersonId

PEOPLE = [PersonId(name) for name in "abcdefgh"]
GROUPS = ["", "day", "night", "office"]


def candidate(name: str, group: str, knows: str, *, figure: KeyFigure = KeyFigure.CONNECTOR, by: int = 1) -> Candidate:
    return Candidate(
        id=PersonId(name), group=group, named_as={figure: by}, knows=frozenset(PersonId(one) for one in knows)
    )


def test_two_who_bridge_together_go_before_one_more_hub_of_the_same_circle() -> None:
    hub, twin, bridge = candidate("a", "night", "efg"), candidate("b", "night", "ef"), candidate("c", "office", "h")
    found = suggest([hub, twin, bridge], wanted=KeyFigure.CONNECTOR, inside=[PersonId("z")], groups=frozenset({"day"}))
    assert [one.id for one in found] == ["a", "c"]


def test_the_reason_names_who_of_the_initiative_knows_them() -> None:
    found = suggest(
        [candidate("a", "night", "yx")],
        wanted=KeyFigure.CONNECTOR,
        inside=[PersonId("z"), PersonId("y")],
        groups=frozenset(),
    )
    assert found[0].known_by == "y"


def test_who_adds_nothing_is_not_suggested() -> None:
    one = candidate("a", "day", "z")
    assert suggest([one], wanted=KeyFigure.CONNECTOR, inside=[PersonId("z")], groups=frozenset({"day"})) == []


candidates = st.lists(
    st.builds(
        Candidate,
        id=st.sampled_from(PEOPLE),
        group=st.sampled_from(GROUPS),
        named_as=st.dictionaries(st.sampled_from(list(KeyFigure)), st.integers(1, 4)),
        knows=st.frozensets(st.sampled_from(PEOPLE)),
    ),
    unique_by=lambda one: one.id,
)


@given(candidates, st.sampled_from(list(KeyFigure)), st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True))
def test_only_who_was_named_as_what_is_wanted_and_is_not_in_yet(
    some: list[Candidate], wanted: KeyFigure, inside: list[PersonId]
) -> None:
    found = suggest(some, wanted=wanted, inside=inside, groups=frozenset({"day"}))
    by_id = {one.id: one for one in some}
    assert len(found) <= MAX_SUGGESTIONS
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert by_id[one.id].named_as[wanted]
        assert one.id not in inside
        assert one.known_by is None or one.known_by in by_id[one.id].knows
        assert one.new_group in ("", by_id[one.id].group)
    assert found == suggest(list(reversed(some)), wanted=wanted, inside=inside, groups=frozenset({"day"}))

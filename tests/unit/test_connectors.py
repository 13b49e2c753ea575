"""Suggestions of key figures: those who together reach furthest, each for a reason."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.connectors import MAX_SUGGESTIONS, Candidate, KeyFigure, suggest
from bot.domain.person import PersonId

PEOPLE = [PersonId(name) for name in "abcdefgh"]
GROUPS = ["", "day", "night", "office"]


def candidate(name: str, group: str, knows: str, *, figure: KeyFigure = KeyFigure.CONNECTOR) -> Candidate:
    return Candidate(
        id=PersonId(name), group=group, figures=frozenset({figure}), knows=frozenset(PersonId(one) for one in knows)
    )


def test_two_who_bridge_together_go_before_one_more_hub_of_the_same_circle() -> None:
    hub, twin, bridge = candidate("a", "night", "efg"), candidate("b", "night", "ef"), candidate("c", "office", "h")
    found = suggest(
        [hub, twin, bridge],
        wanted=KeyFigure.CONNECTOR,
        inside=[PersonId("z")],
        groups=frozenset({"day"}),
        nameable={"z"},
    )
    assert [one.id for one in found] == ["a", "c", "b"]


def test_the_reason_names_who_of_the_initiative_knows_them() -> None:
    found = suggest(
        [candidate("a", "night", "yx")],
        wanted=KeyFigure.CONNECTOR,
        inside=[PersonId("z"), PersonId("y")],
        groups=frozenset(),
        nameable={"z", "y"},
    )
    assert found[0].known_by == "y"


def test_the_reason_names_nobody_who_may_not_be_named() -> None:
    some = [candidate("a", "night", "yx")]
    inside = [PersonId("z"), PersonId("y")]
    found = suggest(some, wanted=KeyFigure.CONNECTOR, inside=inside, groups=frozenset(), nameable={"z"})
    assert found[0].known_by is None


def test_who_adds_only_themselves_is_suggested_unless_somebody_chosen_knows_them() -> None:
    alone, friend, known = candidate("a", "day", "z"), candidate("b", "night", "c"), candidate("c", "night", "b")
    inside = [PersonId("z")]
    found = suggest(
        [alone, friend, known], wanted=KeyFigure.CONNECTOR, inside=inside, groups=frozenset({"day"}), nameable={"z"}
    )
    assert [one.id for one in found] == ["b", "a"]


candidates = st.lists(
    st.builds(
        Candidate,
        id=st.sampled_from(PEOPLE),
        group=st.sampled_from(GROUPS),
        figures=st.frozensets(st.sampled_from(list(KeyFigure))),
        knows=st.frozensets(st.sampled_from(PEOPLE)),
    ),
    unique_by=lambda one: one.id,
)


@given(candidates, st.sampled_from(list(KeyFigure)), st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True))
def test_only_who_agreed_as_what_is_wanted_and_is_not_in_yet(
    some: list[Candidate], wanted: KeyFigure, inside: list[PersonId]
) -> None:
    nameable = {inside[0]}
    found = suggest(some, wanted=wanted, inside=inside, groups=frozenset({"day"}), nameable=nameable)
    by_id = {one.id: one for one in some}
    assert len(found) <= MAX_SUGGESTIONS
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert wanted in by_id[one.id].figures
        assert one.id not in inside
        assert one.known_by is None or one.known_by in by_id[one.id].knows & nameable
        assert one.new_group in ("", by_id[one.id].group)
    again = suggest(list(reversed(some)), wanted=wanted, inside=inside, groups=frozenset({"day"}), nameable=nameable)
    assert found == again

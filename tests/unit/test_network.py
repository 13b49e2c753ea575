"""Choosing whom to invite: who agreed, within their budget, together furthest; whatever people are called."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.choices import choose_as_before, choose_together
from benchmarks.contagion import make_two_bridges
from bot.domain.network import Network, invite
from bot.domain.network.arena import Arena
from bot.domain.network.question import put_question
from bot.domain.network.screening import screen

PEOPLE = list(range(16))

ties = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.one_of(st.none(), st.floats(-1, 50))), max_size=50
)
groups = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(["", "day", "night", "office"]))
some = st.frozensets(st.sampled_from([*PEOPLE, 98, 99]))
asks = st.dictionaries(st.sampled_from(PEOPLE), st.lists(st.floats(0, 90), max_size=4))
sizes = st.integers(0, 5)


@given(ties, groups, some, some, asks, sizes)
def test_only_who_agreed_is_free_and_within_budget_is_invited(ties, groups, active, consented, asked, k) -> None:
    found = invite(Network.of(ties, groups), active, consented, asked, k)
    may = {one for one in consented - active if sum(days <= 30 for days in asked.get(one, ())) < 2}
    assert set(found) <= may
    assert len(found) == len(set(found)) == min(k, len(may))


@given(ties, groups, some, some, asks, sizes)
def test_the_same_question_has_the_same_answer(ties, groups, active, consented, asked, k) -> None:
    first = invite(Network.of(ties, groups), active, consented, asked, k)
    assert invite(Network.of(iter(ties), dict(groups)), sorted(active), sorted(consented), dict(asked), k) == first


@given(ties, groups, some, some, asks, sizes, st.randoms(use_true_random=False))
def test_names_decide_nothing(ties, groups, active, consented, asked, k, rng) -> None:
    consented -= {98, 99}
    names = [f"p{number:02}" for number in PEOPLE]
    rng.shuffle(names)
    called = {**dict(zip(PEOPLE, names, strict=True)), 98: "x98", 99: "x99"}
    found = invite(Network.of(ties, groups), active, consented, asked, k)
    renamed = invite(
        Network.of(
            [(called[one], called[other], strength) for one, other, strength in ties],
            {called[one]: group for one, group in groups.items()},
        ),
        {called[one] for one in active},
        {called[one] for one in consented},
        {called[one]: days for one, days in asked.items()},
        k,
    )
    strangers = {one for one in consented if one not in {*groups, *(p for t in ties for p in t[:2])}}
    if not strangers:  # who stands alone differs from another who does in nothing but the name
        assert renamed == [called[one] for one in found]


def make_wards(rng: random.Random) -> tuple[list[tuple[int, int, int]], set[int], set[int], set[int]]:
    """Make two wards of thirty, and two people who each know the same four of the far one, where nobody agreed to be
    suggested. Return the ties, who is active, who agreed, and the two."""
    ties = [
        (a, b, 1)
        for ward in (0, 30)
        for a in range(ward, ward + 30)
        for b in range(a)
        if b >= ward and rng.random() < 0.2
    ]
    far = rng.sample(range(30, 60), 4)
    ties += [(bridge, one, 1) for bridge in (60, 61) for one in [*far, *rng.sample(range(30), 2)]]
    rng.shuffle(ties)
    active = set(rng.sample(range(30), 4))
    return ties, active, set(rng.sample(sorted(set(range(30)) - active), 12)) | {60, 61}, {60, 61}


@pytest.mark.parametrize("seed", range(5))
def test_two_who_tip_others_only_together_are_both_found(seed: int) -> None:
    ties, active, consented, bridges = make_wards(random.Random(seed))
    assert bridges <= set(invite(Network.of(ties, {}), active, consented, {}, 3))
    assert set(invite(Network.of(ties, {}), active, consented, {}, 2)) == bridges


def expect(network: Network[int], active: set[int], chosen: list[int]) -> float:
    """Return what a choice is worth by the method's own measure, a new group included."""
    question = put_question(network, frozenset(active), set(chosen), {}, {})
    arena = Arena(question, screen(question))
    return float(arena.weigh([tuple(arena.everyone)])[0]) if chosen else 0.0


@given(ties, groups, some, some, some, sizes)
def test_more_people_who_agree_never_make_the_choice_worse(ties, groups, active, consented, others, k) -> None:
    network = Network.of(ties, groups)
    few = [one for one in invite(network, active, consented, {}, k) if one in network.positions]
    many = [one for one in invite(network, active, consented | others, {}, k) if one in network.positions]
    assert expect(network, active, many) >= expect(network, active, few) - 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_in_a_larger_movement_too_more_who_agree_help(seed: int) -> None:
    rng = random.Random(seed)
    network = Network.of([(rng.randrange(300), rng.randrange(300), 1) for _ in range(1200)], {})
    active, people = {0, 1, 2, 3}, rng.sample(range(4, 300), 240)
    values = [
        expect(network, active, invite(network, active, people[:number], {}, 3)) for number in (15, 30, 60, 120, 240)
    ]
    assert all(more >= 0.95 * fewer for fewer, more in pairwise(values))


def test_a_network_grows_by_the_ties_that_come() -> None:
    ties = [(1, 2, 1), (2, 3, 2), (3, 4, 1), (1, 5, 3)]
    whole = Network.of(ties, {1: "day", 4: "night", 9: "office"})
    grown = Network.of(ties[:2], {1: "day"}).with_ties(ties[2:], {4: "night", 9: "office"})
    for one in range(1, 6):
        assert {grown.ids[other] for other in grown.strengths[[grown.positions[one]]].indices} == {
            whole.ids[other] for other in whole.strengths[[whole.positions[one]]].indices
        }
    assert invite(grown, {1}, {3, 4, 9}, {}, 2) == invite(whole, {1}, {3, 4, 9}, {}, 2)


def test_who_was_asked_lately_rests_and_who_is_named_counts() -> None:
    ties = [(hub, 10 * hub + leaf, 1) for hub in (1, 2) for leaf in range(6)]
    network = Network.of(ties, {})
    assert invite(network, (), {1, 2}, {}, 1) == [1]
    assert invite(network, (), {1, 2}, {1: [3]}, 1) == [2]
    assert invite(network, (), {1, 2}, {}, 1, evidence={2: 3}) == [2]


def test_a_group_not_reached_yet_goes_before_one_that_is() -> None:
    ties = [(0, 1, 1), (1, 10, 1), (1, 11, 1), (2, 20, 1), (2, 21, 1), (0, 2, 1)]
    assert invite(Network.of(ties, {0: "day", 1: "day", 2: "night"}), {0}, {1, 2}, {}, 1) == [2]
    assert invite(Network.of(ties, {0: "day", 1: "night", 2: "day"}), {0}, {1, 2}, {}, 1) == [1]


def test_a_stronger_tie_counts_for_more() -> None:
    ties = [(1, one, 1) for one in (10, 11, 12)] + [(2, one, 9) for one in (20, 21, 22)]
    assert invite(Network.of(ties, {}), {0}, {1, 2}, {}, 1) == [2]


def test_two_who_share_contacts_probably_know_each_other() -> None:
    network = Network.of([(1, 2, 1), (2, 3, 1), (3, 4, 1), (2, 6, 1), (2, 7, 1), (2, 8, 1), (3, 9, 1)], {})
    likely = network.likely.toarray()
    place = network.positions
    assert 0 < likely[place[1], place[3]] < 1
    assert likely[place[1], place[2]] == 1
    assert not likely.diagonal().any()
    assert (likely == likely.T).all()


def test_a_large_network_is_answered_from_a_part_of_it() -> None:
    rng = random.Random(1)
    ties = [(rng.randrange(6000), rng.randrange(6000), rng.randrange(1, 4)) for _ in range(30_000)]
    network = Network.of(ties, {one: f"g{one % 9}" for one in range(6000)})
    found = invite(network, range(10), range(10, 2500), {}, 3)
    assert len(set(found) & set(range(10, 2500))) == 3
    assert found == invite(network, range(10), reversed(range(10, 2500)), {}, 3)


def test_odd_strengths_and_people_nobody_knows_are_no_trouble() -> None:
    nobody: Network[str] = Network.of([], {})
    assert invite(nobody, [], [], {}, 3) == []
    assert invite(nobody, ["a"], ["b", "a"], {}, 3) == ["b"]
    ties = [
        ("a", "a", 1),
        ("a", "b", None),
        ("c", "d", float("nan")),
        ("d", "e", float("inf")),
        ("x", "y", -1),
        ("p", "q", 0),
    ]
    network = Network.of([*ties, ("e", "d", 1e300)], {"z": "", "a": "day"})
    assert set(invite(network, set(), ["z", "a", "b", "q", "d"], {"a": []}, 5)) == {"z", "a", "b", "q", "d"}
    assert network.strengths.nnz == 6
    assert invite(network, ["a"], iter(["b"]), {}, 0) == []


def test_the_harness_finds_two_bridges_where_the_rule_of_before_does_not() -> None:
    movement, bridges = make_two_bridges(0)
    assert bridges <= set(choose_together(movement.graph, movement, movement.consented, 3))
    assert not bridges <= set(choose_as_before(movement.graph, movement, movement.consented, 3))

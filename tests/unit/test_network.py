"""Choosing whom to invite: who agreed, within their budget, together furthest; whatever people are called."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.network import Network, invite

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


def test_starting_loads_none_of_it() -> None:
    code = "import sys, adapters.cli, adapters.bootstrap; sys.exit('scipy' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

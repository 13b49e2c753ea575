"""Simulate how taking part spreads through movements made up of known and generated graphs.

One rule for both kinds: everybody takes part as soon as as many of their contacts do as they need. In complex contagion
most need two (Centola and Macy 2007). In simple contagion each active contact has one chance of one in eight to win
somebody over, which is the same as needing a number drawn from a geometric distribution (independent cascades, Kempe,
Kleinberg and Tardos 2003).
"""

import random
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

Needs = NDArray[np.float32]

NEVER = 99
COMPLEX_NEEDS = ((1, 0.05), (2, 0.55), (3, 0.2), (NEVER, 0.2))
"""How many active contacts people need, and which share of them."""
SIMPLE_CHANCE = 1 / 8
ROUNDS = 4
"""How far it is carried: people take part within weeks or hardly at all."""
CONSENTED = 0.4
ACTIVE = 4


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A made-up movement: the true ties, groups, who takes part already and who agreed to be suggested."""

    family: str
    seed: int
    graph: nx.Graph
    groups: dict[int, str]
    active: tuple[int, ...]
    consented: tuple[int, ...]


def _relabel(graph: nx.Graph) -> nx.Graph:
    simple = nx.Graph(graph)
    simple.remove_edges_from(nx.selfloop_edges(simple))
    return nx.convert_node_labels_to_integers(simple)


def _find_groups(graph: nx.Graph, rng: random.Random) -> dict[int, str]:
    """Take circles of the graph for groups; one in ten people is in another group than their circle, or in none."""
    found = nx.community.asyn_lpa_communities(graph, seed=rng.randrange(10**6))
    groups = {person: f"g{number}" for number, circle in enumerate(found) for person in circle}
    names = sorted(set(groups.values()))
    return {person: rng.choice([*names, ""]) if rng.random() < 0.1 else group for person, group in groups.items()}


def _blocks(rng: random.Random) -> nx.Graph:
    sizes = [rng.randint(15, 45) for _ in range(6)]
    inside, between = 0.25, 0.01
    return nx.stochastic_block_model(
        sizes, [[inside if a == b else between for b in range(6)] for a in range(6)], seed=rng.randrange(10**6)
    )


def _caves(rng: random.Random) -> nx.Graph:
    return nx.relaxed_caveman_graph(20, 9, 0.15, seed=rng.randrange(10**6))


def _wards(rng: random.Random) -> nx.Graph:
    """Make wards of close colleagues, a night shift that knows one in each of four wards, and chance ties."""
    graph = nx.Graph()
    wards = [range(start, start + 14) for start in range(0, 168, 14)]
    for ward in wards:
        graph.add_edges_from((a, b) for a in ward for b in ward if a < b and rng.random() < 0.5)
    for person in range(168, 186):
        graph.add_edges_from((person, rng.choice(ward)) for ward in rng.sample(wards, 4))
    graph.add_edges_from(rng.sample(range(168), 2) for _ in range(60))
    return graph


def _seeded(make: Callable[[int], nx.Graph]) -> Callable[[random.Random], nx.Graph]:
    return lambda rng: make(rng.randrange(10**6))


TUNED_ON: dict[str, Callable[[random.Random], nx.Graph]] = {
    "small world": _seeded(lambda seed: nx.watts_strogatz_graph(200, 8, 0.1, seed=seed)),
    "hubs": _seeded(lambda seed: nx.barabasi_albert_graph(200, 3, seed=seed)),
    "blocks": _blocks,
    "caves": _caves,
    "karate club": lambda rng: nx.karate_club_graph(),
}
HELD_OUT: dict[str, Callable[[random.Random], nx.Graph]] = {
    "hubs in circles": _seeded(lambda seed: nx.powerlaw_cluster_graph(200, 4, 0.6, seed=seed)),
    "neighbourhoods": _seeded(lambda seed: nx.random_geometric_graph(220, 0.11, seed=seed)),
    "wards and a night shift": _wards,
    "Les Misérables": lambda rng: nx.les_miserables_graph(),
}
FAMILIES = TUNED_ON | HELD_OUT


def make_movement(family: str, seed: int) -> Movement:
    """Make a movement of a family; the same for the same seed."""
    rng = random.Random(f"{family} {seed}")
    graph = _relabel(FAMILIES[family](rng))
    people = list(graph)
    first = rng.choice([one for one in people if graph.degree(one) > 1])
    near = [one for one in nx.single_source_shortest_path_length(graph, first, cutoff=2) if one != first]
    active = (first, *rng.sample(near, min(ACTIVE - 1, len(near))))
    others = [one for one in people if one not in active]
    return Movement(
        family=family,
        seed=seed,
        graph=graph,
        groups=_find_groups(graph, rng),
        active=active,
        consented=tuple(sorted(rng.sample(others, round(CONSENTED * len(others))))),
    )


def make_two_bridges(seed: int) -> tuple[Movement, set[int]]:
    """Make two wards of forty, and two people who each know the same few in the far one; return these too.

    Everybody needs two active contacts, so that neither of them sets anything in motion there alone; and of the far
    ward nobody agreed to be suggested.
    """
    rng = random.Random(f"two bridges {seed}")
    graph = nx.disjoint_union(
        *(nx.gnp_random_graph(40, 0.15, seed=rng.randrange(10**6)) for _ in range(2)),
    )
    bridges = {80, 81}
    far = rng.sample(range(40, 80), 4)
    for bridge in bridges:
        graph.add_edges_from((bridge, one) for one in [*far, *rng.sample(range(40), 2)])
    numbers = list(graph)
    rng.shuffle(numbers)
    called = dict(zip(graph, numbers, strict=True))
    active = rng.sample(range(40), ACTIVE)
    consented = {*rng.sample([one for one in range(40) if one not in active], 16), *bridges}
    movement = Movement(
        family="two bridges",
        seed=seed,
        graph=nx.relabel_nodes(graph, called),
        groups={called[one]: "near" if one < 40 else "far" if one < 80 else "" for one in graph},
        active=tuple(called[one] for one in active),
        consented=tuple(sorted(called[one] for one in consented)),
    )
    return movement, {called[one] for one in bridges}


def hide_ties(graph: nx.Graph, share: float, seed: int) -> nx.Graph:
    """Return the graph with only a share of its ties, everybody still in it."""
    seen = nx.Graph()
    seen.add_nodes_from(graph)
    rng = random.Random(f"{seed} {share}")
    edges = list(graph.edges)
    seen.add_edges_from(rng.sample(edges, round(share * len(edges))))
    return seen


def draw_needs(size: int, runs: int, seed: int, *, is_complex: bool) -> Needs:
    """Draw how many active contacts everybody needs, in each run."""
    rng = np.random.default_rng(seed)
    if is_complex:
        numbers, shares = zip(*COMPLEX_NEEDS, strict=True)
        return rng.choice(numbers, (size, runs), p=shares).astype(np.float32)
    return rng.geometric(SIMPLE_CHANCE, (size, runs)).astype(np.float32)


class Simulation:
    """Simulate a graph with drawn needs: how many take part in the end, on average over the runs."""

    def __init__(self, graph: nx.Graph, active: Iterable[int], needs: Needs) -> None:
        self.ties = nx.to_numpy_array(graph, nodelist=range(len(graph)), dtype=np.float32, weight=None)
        self.active = tuple(active)
        self.needs = needs
        self.before = self.reach([()])[0]

    def reach(self, sets: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the average number of people who take part in the end, for each set that is invited."""
        size, runs = self.needs.shape
        state = np.zeros((size, len(sets), runs), np.float32)
        state[list(self.active)] = 1
        for number, chosen in enumerate(sets):
            state[list(chosen), number] = 1
        flat = state.reshape(size, -1)
        needs = np.tile(self.needs, (1, len(sets)))
        for _ in range(ROUNDS):
            after = np.maximum(flat, self.ties @ flat >= needs)
            if (after == flat).all():
                break
            flat = after
        return flat.reshape(size, len(sets), runs).sum(axis=0).mean(axis=1)

    def greedy(self, candidates: Sequence[int], k: int) -> list[int]:
        """Choose one after the other who adds most to those before (Monte-Carlo greedy, Kempe et al. 2003)."""
        chosen: list[int] = []
        for _ in range(min(k, len(candidates))):
            left = [one for one in candidates if one not in chosen]
            reached = np.concatenate(
                [self.reach([(*chosen, one) for one in left[part : part + 20]]) for part in range(0, len(left), 20)]
            )
            chosen.append(left[int(reached.argmax())])
        return chosen


def seed_of(*parts: object) -> int:
    """Return a number for some words, the same in every process."""
    return zlib.crc32(repr(parts).encode())

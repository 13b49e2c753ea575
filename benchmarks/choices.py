"""Choose whom to invite in the ways that are known, beside ours: each from the ties that are seen."""

import random
from collections.abc import Callable, Mapping, Sequence

import networkx as nx

from benchmarks.contagion import Movement, Simulation, draw_needs, seed_of
from bot.domain.network import Network, invite

Asked = Mapping[int, Sequence[float]]
Choose = Callable[[nx.Graph, Movement, Sequence[int], int], list[int]]
"""Chooses whom to invite: of the ties seen, a movement, and those who may be asked, so many."""

CHANCE = 0.1
"""The chance of the degree discount (Chen, Wang and Yang 2009)."""


def _take(values: Mapping[int, float], free: Sequence[int], k: int) -> list[int]:
    return sorted(free, key=lambda one: (-values[one], one))[:k]


def choose_at_random(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose anybody."""
    return random.Random(seed_of(movement.family, movement.seed, len(seen.edges), *free)).sample(
        free, min(k, len(free))
    )


def choose_by_degree(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose who has most ties."""
    return _take(dict(seen.degree), free, k)


def choose_by_degree_discount(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose who has most ties, less those to who takes part or was chosen (Chen, Wang and Yang 2009)."""
    inside = list(movement.active)
    chosen: list[int] = []
    for _ in range(min(k, len(free))):
        values = {}
        for one in set(free) - set(chosen):
            ties, known = seen.degree(one), sum(other in inside for other in seen[one])
            values[one] = ties - 2 * known - (ties - known) * known * CHANCE
        chosen += _take(values, sorted(values), 1)
        inside.append(chosen[-1])
    return chosen


def choose_by_pagerank(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose by PageRank."""
    return _take(nx.pagerank(seen), free, k)


def choose_by_low_constraint(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose who spans most structural holes: the lowest constraint (Burt 1992)."""
    constraint = nx.constraint(seen, free)
    return _take(
        {one: -value if value == value else -9.0 for one, value in constraint.items()}, free, k
    )  # NaN: no ties


def choose_by_progress(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose one after the other who brings most people nearer to two active contacts."""
    inside = set(movement.active)
    chosen: list[int] = []
    progress = {one: sum(other in inside for other in seen[one]) for one in seen}
    for _ in range(min(k, len(free))):
        left = [one for one in free if one not in chosen]
        values = {one: 1 + sum(progress[other] < 2 and other not in inside for other in seen[one]) / 2 for one in left}
        chosen += _take(values, left, 1)
        inside.add(chosen[-1])
        for other in seen[chosen[-1]]:
            progress[other] += 1
    return chosen


def choose_by_simulation(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose one after the other who adds most in simulations on the ties seen (Kempe et al. 2003)."""
    needs = draw_needs(len(seen), 40, seed_of("seen", movement.family, movement.seed), is_complex=True)
    return Simulation(seen, movement.active, needs).greedy(free, k)


def choose_as_before(seen: nx.Graph, movement: Movement, free: Sequence[int], k: int) -> list[int]:
    """Choose by the rule of before: a new group first, then the number of new people known."""
    reached = set(movement.active)
    covered = {movement.groups[one] for one in movement.active}
    chosen: list[int] = []

    def gain(one: int) -> tuple[bool, int]:
        group = movement.groups[one]
        return bool(group) and group not in covered, len({one, *seen[one]} - reached)

    while len(chosen) < min(k, len(free)):
        best = min(set(free) - set(chosen), key=lambda one: (*(-part for part in gain(one)), one))
        if gain(best) == (False, 0):
            break
        chosen.append(best)
        reached |= {best, *seen[best]}
        covered.add(movement.groups[best])
    return chosen


def choose_together(
    seen: nx.Graph, movement: Movement, free: Sequence[int], k: int, asked: Asked | None = None
) -> list[int]:
    """Choose who together tips most: the way of Ritme."""
    network = Network.of([(one, other, 1.0) for one, other in seen.edges], movement.groups)
    return invite(network, movement.active, free, asked or {}, k)


METHODS: dict[str, Choose] = {
    "random": choose_at_random,
    "degree": choose_by_degree,
    "degree discount": choose_by_degree_discount,
    "PageRank": choose_by_pagerank,
    "low constraint": choose_by_low_constraint,
    "coverage by progress": choose_by_progress,
    "simulated greedy on ties seen": choose_by_simulation,
    "a new group first (before)": choose_as_before,
    "together (Ritme)": choose_together,
}

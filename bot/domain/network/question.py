"""Put the question whom to invite in the numbers of a network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from bot.domain.network.ties import Network, Numbers, T, Values

BUDGET_DAYS = 30
MOST_ASKS = 2
"""Nobody is asked more often than this within `BUDGET_DAYS`."""
ASK_HALVES = 60.0
"""Days after which an ask weighs half as much."""
ASK_WEIGHS = 0.6
"""How much an ask of today lowers how much somebody counts."""
EVIDENCE = 0.3
"""How much more somebody counts at most, whom colleagues named."""


@dataclass(frozen=True, kw_only=True)
class Question(Generic[T]):
    """The people who can be chosen, by position, and how much each of them counts.

    `start`: 1 for who is active; `reached`: the groups of these, and -1, which is no group.
    """

    network: Network[T]
    start: Values
    candidates: Numbers
    counts: Values
    reached: frozenset[int]


def find_free(active: frozenset[T], consented: Iterable[T], asked: Mapping[T, Sequence[float]]) -> set[T]:
    """Return those who agreed, are not active, and were not asked as often as may be within thirty days."""
    free = set(consented) - active
    return free - {one for one in free & asked.keys() if sum(days <= BUDGET_DAYS for days in asked[one]) >= MOST_ASKS}


def put_question(
    network: Network[T],
    active: frozenset[T],
    free: set[T],
    asked: Mapping[T, Sequence[float]],
    evidence: Mapping[T, float],
) -> Question[T]:
    """Return the question with those of the `free` who are in the network."""
    known = free & network.positions.keys()
    candidates = np.sort(np.fromiter(map(network.positions.__getitem__, known), np.int32, len(known)))
    start = np.zeros(len(network), np.float32)
    start[[network.positions[one] for one in active if one in network.positions]] = 1
    counts = np.ones(len(network), np.float32)
    for one, days in asked.items():
        if one in network.positions:
            counts[network.positions[one]] *= _lower(days)
    for one, named in evidence.items():
        if one in network.positions:
            counts[network.positions[one]] *= 1 + EVIDENCE * max(named, 0.0) / (1 + max(named, 0.0))
    reached = frozenset(network.group_of[start > 0].tolist()) | {-1}
    return Question(network=network, start=start, candidates=candidates, counts=counts, reached=reached)


def _lower(days: Sequence[float]) -> float:
    """Return how much somebody counts who was asked so many days ago."""
    left = 1.0
    for ago in days:
        left *= 1 - ASK_WEIGHS * 0.5 ** (max(ago, 0.0) / ASK_HALVES)
    return left

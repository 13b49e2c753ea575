"""Carry on how taking part spreads where most people need more than one contact who does (complex contagion)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.domain.network.ties import Sparse, Values


@dataclass(frozen=True, kw_only=True)
class World:
    """A supposition about people: which share of them takes part from one active contact on, which from two on, and so
    forth (the others never do); in how many rounds it is carried on; and how much what comes of it counts."""

    needs: tuple[float, ...]
    rounds: int
    counts: float


WORLDS = (
    World(needs=(0.1, 0.3, 0.15, 0.05), rounds=2, counts=1.0),
    World(needs=(0.0, 1.0), rounds=4, counts=0.2),
)
"""Nobody knows what people need. In the first world the chance grows with every contact, and nothing is carried far,
for of what is further away little is known. In the other everybody needs two, and then a whole circle may follow: this
is where bridges show that carry only together."""
FEW = 8
"""Where less than one in so many has a chance, only those are added up."""
MIXTURE = tuple(
    sum(world.counts * (*world.needs, 0, 0, 0, 0)[number] for world in WORLDS) / sum(world.counts for world in WORLDS)
    for number in range(4)
)
"""Needs between the worlds', for estimates."""


def chance(contacts: Values, needs: Sequence[float] = MIXTURE) -> Values:
    """Return everybody's chance to take part, by the number of their contacts that do."""
    # Between two whole numbers the chance grows evenly; written as minima, which take half the time of steps.
    total = np.zeros_like(contacts)
    part = np.empty_like(contacts)
    for number, (share, further) in enumerate(zip(needs, (*needs[1:], 0.0), strict=True), start=1):
        np.minimum(contacts, np.float32(number), out=part)
        part *= np.float32(share - further)
        total += part
    return total


def add_contacts(weights: Sparse, chances: Values) -> Values:
    """Return how many contacts of everybody take part, by the chances of these; in a column per start, if there are
    more."""
    if chances.ndim == 1:
        some = np.flatnonzero(chances)
        if len(some) * FEW < len(chances):
            added: Values = chances[some] @ weights[some]  # the matrix is symmetric: their rows are their contacts
            return added
    contacts: Values = weights @ chances
    return contacts


def carry(
    weights: Sparse,
    start: Values,
    world: World,
    *,
    contacts: Values | None = None,
    outside: Sequence[Values] | None = None,
) -> list[Values]:
    """Return everybody's chances at the start and after each round; with a column per start, if there are more.

    `contacts` are those of the first round, when they are known already; `outside` holds, for each round, the active
    contacts that are not among these people.
    """
    rounds = [start]
    for number in range(world.rounds):
        if contacts is None or number:
            contacts = add_contacts(weights, rounds[-1])
            if outside is not None:
                contacts += outside[number]
        rounds.append(np.maximum(start, chance(contacts, world.needs)))
    return rounds

"""How taking part spreads where most people need more than one contact who does (complex contagion)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.domain.network.ties import Sparse, Values

NEEDS = (0.2, 0.6, 0.2)
"""Which share of people takes part with one active contact, with two, and with three."""
ROUNDS = 4
"""How many times what people do reaches their contacts."""

Chances = NDArray[np.float32]


def chance(contacts: Values) -> Values:
    """Return everybody's chance to take part, by the number of their contacts that do."""
    total = np.zeros_like(contacts)
    for number, share in enumerate(NEEDS):
        total += np.float32(share) * np.clip(contacts - np.float32(number), 0, 1)
    return total


def carry(weights: Sparse, start: Values, outside: Sequence[Values] | None = None) -> list[Values]:
    """Return the chances at the start and after each round; a column per start. `outside`: the contacts each round of
    people who are not among the rows."""
    chances = [start]
    for number in range(ROUNDS):
        contacts = weights @ chances[-1]
        if outside is not None:
            contacts += outside[number]
        chances.append(np.maximum(start, chance(contacts)))
    return chances

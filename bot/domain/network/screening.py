"""Screen a whole network for the people who promise most, by themselves or beside somebody else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.domain.network.question import Question
from bot.domain.network.spread import add_contacts, chance
from bot.domain.network.ties import Numbers, T, Values

SHORTLIST = 48
"""People whose sets are carried on."""
LONGLIST = 300
"""People of whom it is estimated what they add only together."""
SMALL_NETWORK = 3_000
"""Up to so many people, who probably know each other too is taken into account in the screening."""


@dataclass(frozen=True, kw_only=True)
class Shortlist:
    """The most promising candidates, by position in order; what each two add only together; and for everybody in the
    network what their taking part is worth: to themselves, and further on."""

    positions: Numbers
    together: NDArray[np.float64]
    worth: Values


def screen(question: Question[T]) -> Shortlist:
    """Return the most promising candidates: half of them for what they promise by themselves; the others beside
    somebody else, for contacts whom each of them would leave one short."""
    network, counts = question.network, question.counts
    weights = network.likely if len(network) <= SMALL_NETWORK else network.weights
    idle = 1 - question.start
    contacts = add_contacts(weights, question.start + idle * chance(add_contacts(weights, question.start)))
    now, one_more, two_more = (chance(contacts + extra) for extra in (0, 1, 2))
    slope = idle * (one_more - now)
    worth: Values = 1 + weights @ slope
    alone = counts * (idle * (1 - now) + weights @ (slope * worth))
    beside = counts * (weights @ (idle * (two_more - now) / 2 * worth))
    candidates = question.candidates
    longlist = candidates
    if len(candidates) > LONGLIST:
        first = _take_best(candidates, alone[candidates], LONGLIST // 2)
        rest = np.setdiff1d(candidates, first)
        longlist = np.sort(np.concatenate([first, _take_best(rest, beside[rest], LONGLIST - len(first))]))
    near = weights[longlist]
    bent = near.copy()
    bent.data = bent.data * (idle * (two_more - 2 * one_more + now) * worth)[bent.indices]
    together = (bent @ near.T).toarray().astype(np.float64) * counts[longlist][:, None] * counts[longlist][None, :]
    np.fill_diagonal(together, 0)
    short = np.arange(len(longlist), dtype=np.int32)
    if len(longlist) > SHORTLIST:
        first = _take_best(short, alone[longlist], SHORTLIST // 2)
        rest = np.setdiff1d(short, first)
        pair = (alone[longlist][None, :] / 2 + alone[longlist][:, None] / 2 + together).max(axis=1)
        second = _take_best(rest, pair[rest], SHORTLIST // 4)
        rest = np.setdiff1d(rest, second)
        third = _take_best(rest, together.max(axis=1)[rest], SHORTLIST - len(first) - len(second))
        short = np.sort(np.concatenate([first, second, third]))
    return Shortlist(positions=longlist[short], together=together[np.ix_(short, short)], worth=worth)


def _take_best(people: Numbers, values: Values, number: int) -> Numbers:
    """Return the people with the highest values; between equals who came first."""
    lowered = -np.round(values.astype(np.float64), 4)
    if number >= len(people):
        return people
    likely = np.flatnonzero(lowered <= np.partition(lowered, number)[number])
    best: Numbers = people[likely[np.argsort(lowered[likely], kind="stable")[:number]]]
    return best

"""Weigh sets of people together: what their taking part sets in motion around them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from bot.domain.network.question import Question
from bot.domain.network.screening import Shortlist
from bot.domain.network.spread import WORLDS, World, add_contacts, carry
from bot.domain.network.ties import Numbers, Sparse, T, Values, close

ARENA = 800
"""People, around the most promising, among whom sets are carried on."""
WHOLE = 1_000
"""Up to so many people, all of them are: to cut out a part takes longer than to carry on the whole."""
FURTHER = np.float32(0.1)
"""How much the contacts of contacts count when these people are looked for."""
NEW_GROUP = 1.0
"""Reaching a group not reached yet counts as much as so many people."""

Exact = NDArray[np.float64]
Chosen = tuple[int, ...]
"""Some of the shortlist, by their number in it."""


class Arena(Generic[T]):
    """The part of the network around a shortlist, where sets of the shortlist are carried on."""

    def __init__(self, question: Question[T], shortlist: Shortlist) -> None:
        network, positions = question.network, shortlist.positions
        people = _surround(question, shortlist)
        self.is_part = len(people) < len(network)
        inside = network.weights[people][:, people] if self.is_part else network.weights
        self.weights = close(inside, network.gaps) if self.is_part else network.likely
        self.start = question.start[people]
        self.where, self.counts = np.searchsorted(people, positions), question.counts[positions]
        self.near = np.ascontiguousarray(self.weights[self.where].toarray().T) * self.counts[None, :]
        self.outside = {
            world: self._look_outside(question, people, inside, world) if self.is_part else None for world in WORLDS
        }
        self.base = {
            world: float(
                carry(self.weights, self.start[:, None], world, outside=self.outside[world])[-1].sum(dtype=np.float64)
            )
            for world in WORLDS
        }
        self.contacts = self.weights @ self.start[:, None]
        self.together = shortlist.together
        self.new = [{int(group)} - question.reached for group in network.group_of[positions]]
        self.structure = _tell_apart(network.weights, positions)
        self.everyone = range(len(positions))
        self.alone = self.weigh([(one,) for one in self.everyone])
        self.ranked: list[int] = np.lexsort((-np.round(self.structure, 4), -self.alone)).tolist()

    def _look_outside(self, question: Question[T], people: Numbers, inside: Sparse, world: World) -> list[Values]:
        """Return the active contacts that are not among these people, each round, when nobody is invited."""
        weights = question.network.weights
        rows = weights[people]
        rounds = carry(weights, question.start, replace(world, rounds=world.rounds - 1))
        return [(rows @ one - inside @ one[people])[:, None] for one in rounds]

    def weigh(self, sets: Sequence[Chosen]) -> Exact:
        """Return how much each set adds, in people; a new group counts as some more."""
        members = np.array(sets, np.intp)
        start = np.repeat(self.start[:, None], len(sets), axis=1)
        contacts = np.repeat(self.contacts, len(sets), axis=1)
        for one in members.T:
            start[self.where[one], np.arange(len(sets))] = self.counts[one]
            contacts += self.near[:, one]
        gains = (
            np.array([len(set().union(*(self.new[one] for one in chosen))) for chosen in sets], np.float64) * NEW_GROUP
        )
        for world, outside in self.outside.items():
            first = contacts if outside is None else contacts + outside[0]
            after = carry(self.weights, start, world, contacts=first, outside=outside)[-1]
            gains += world.counts * (after.sum(axis=0, dtype=np.float64) - self.base[world])
        rounded: Exact = np.round(gains, 4)
        return rounded

    def best(self, sets: Sequence[Chosen], number: int) -> list[Chosen]:
        """Return the best sets, best first; between equals those with most ties, then who came first."""
        structure = np.round([float(self.structure[list(chosen)].sum()) for chosen in sets], 4)
        order = np.lexsort((-structure, -self.weigh(sets)))
        return [sets[one] for one in order[:number]]

    def pairs(self, number: int) -> list[Chosen]:
        """Return the pairs that promise most: by what each adds, and what they add only together; and those who add
        most only together."""
        one, other = np.triu_indices(len(self.everyone), 1)
        together = self.together[one, other]
        promise = self.alone[one] + self.alone[other] + together
        found = [np.argsort(-np.round(values, 3), kind="stable")[: number // 2] for values in (promise, together)]
        surest = [(min(pair), max(pair)) for pair in combinations(self.ranked[:6], 2)]
        both = np.concatenate(found)
        return list(dict.fromkeys([*zip(one[both].tolist(), other[both].tolist(), strict=True), *surest]))


def _tell_apart(weights: Sparse, positions: Numbers) -> Values:
    """Tell people apart by their place in the network: their ties, and those of their contacts."""
    ties = weights @ np.ones(weights.shape[0], np.float32)
    further = weights[positions] @ ties
    structure: Values = ties[positions] + further / (1 + further.max(initial=0))
    return structure


def _surround(question: Question[T], shortlist: Shortlist) -> Numbers:
    """Return the positions of the shortlist, of those they know whose taking part is worth most, and of their
    contacts."""
    size = len(question.network)
    if size <= WHOLE:
        return np.arange(size, dtype=np.int32)
    weights = question.network.weights
    near = np.asarray(weights[shortlist.positions].sum(axis=0)).ravel() * shortlist.worth
    promise = near + FURTHER * add_contacts(weights, near)
    promise[shortlist.positions] = np.inf
    cut = np.partition(promise, size - ARENA)[size - ARENA]
    around = np.flatnonzero(promise >= max(cut, np.float32(1e-6)))
    people: Numbers = around[np.sort(np.argsort(-promise[around], kind="stable")[:ARENA])].astype(np.int32)
    return people

"""Choose whom to invite: those who together make it likeliest that many others take part.

Three steps. *Screen*: one pass over the whole network estimates for everybody how much their taking part would set in
motion. *Pair*: for the most promising, how much two set in motion only together: contacts whom each alone leaves one
short. *Weigh*: the most promising sets are carried on for real, and the best grow by one more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from bot.domain.network.spread import ROUNDS, carry, chance
from bot.domain.network.ties import Network, Numbers, T, Values

BUDGET_DAYS = 30
MAX_ASKS = 2
"""Nobody is asked more often than this within `BUDGET_DAYS`."""
REST_HALVES_IN = 30.0
"""Days after which an ask weighs half as much."""
ASK_WEIGHS = 0.6
"""How much an ask of today lowers the chance that somebody says yes."""
NEW_GROUP = 1.0
"""Reaching a group not reached yet counts as much as so many people."""
EVIDENCE = 0.3
"""How much more somebody counts whom many colleagues named."""

SHORTLIST = 48
BEAM = 4
PAIRS = 48
EVERY_SET = 3_000
"""When there are no more sets than this (and the network is small) each is weighed."""
SMALL = 120_000
"""Numbers that a computation on every set may hold."""
ARENA = 1_500
"""People, around the most promising, among whom sets are carried on."""

Exact = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Question(Generic[T]):
    """The people who can be chosen, by position, and how much each of them counts."""

    network: Network[T]
    start: Values
    candidates: Numbers
    counts: Values
    reached: frozenset[int]


def invite(
    network: Network[T],
    active: Iterable[T],
    consented: Iterable[T],
    asked: Mapping[T, Sequence[float]],
    k: int,
    *,
    evidence: Mapping[T, float] | None = None,
) -> list[T]:
    """Return up to `k` people to invite, who together reach furthest; the same for the same question.

    `active` take part already. Only who `consented` is returned, is not active, and was not asked twice within thirty
    days: `asked` holds the days since each ask. Who was asked lately counts less, so that asks spread. `evidence` (how
    often colleagues named somebody) lets them count more. Between equals their place in the network decides, then the
    order in which they came into it; names never do.
    """
    inside = set(active)
    free = {
        one
        for one in consented
        if one not in inside and sum(days <= BUDGET_DAYS for days in asked.get(one, ())) < MAX_ASKS
    }
    known = np.array(sorted(network.positions[one] for one in free if one in network.positions), np.int32)
    strangers = sorted(
        (one for one in free if one not in network.positions), key=lambda one: (str(type(one)), str(one))
    )
    chosen: list[T] = []
    if k > 0 and len(known):
        start = np.zeros(len(network), np.float32)
        start[[network.positions[one] for one in inside if one in network.positions]] = 1
        counts = np.ones(len(network), np.float32)
        for one, position in ((network.ids[position], position) for position in known):
            counts[position] = _willingness(asked.get(one, ())) * _authority((evidence or {}).get(one, 0.0))
        reached = frozenset(int(one) for one in np.unique(network.group_of[start > 0])) | {-1}
        question = _Question(network=network, start=start, candidates=known, counts=counts, reached=reached)
        chosen = [network.ids[position] for position in _choose(question, min(k, len(known)))]
    return [*chosen, *strangers][: max(k, 0)]


def _willingness(days: Sequence[float]) -> float:
    left = 1.0
    for ago in days:
        left *= 1 - ASK_WEIGHS * 0.5 ** (max(ago, 0.0) / REST_HALVES_IN)
    return left


def _authority(named: float) -> float:
    return 1 + EVIDENCE * max(named, 0.0) / (1 + max(named, 0.0))


def _choose(question: _Question[T], k: int) -> list[int]:
    network = question.network
    rounds = carry(network.weights, question.start)
    worth, alone, together = _screen(question, rounds)
    shortlist = _shorten(question, alone, together)
    arena = _Arena(question, rounds, shortlist, worth)
    order = arena.order
    if comb(len(shortlist), k) * len(arena.people) <= SMALL:
        sets = [tuple(one) for one in combinations(order, k)]
        best = arena.best(sets, 1)[0]
        return [int(shortlist[one]) for one in best]
    beam = arena.best([(one,) for one in order], len(order))
    ranked = [one for (one,) in beam]
    if k > 1:
        beam = arena.best(arena.pairs(ranked), BEAM)
    for _ in range(k - 2):
        more = {tuple(sorted((*one, another))) for one in beam for another in ranked[:24] if another not in one}
        beam = arena.best(sorted(more), BEAM)
    return [int(shortlist[one]) for one in beam[0]]


def _screen(question: _Question[T], rounds: Sequence[Values]) -> tuple[Values, Values, Values]:
    """Estimate what each person's taking part is worth: to themselves and further on; what each adds alone; and what
    with somebody beside them."""
    weights = question.network.weights
    contacts = weights @ rounds[-1]
    now = np.maximum(chance(contacts), question.start)
    idle = 1 - question.start
    slope = idle * (chance(contacts + 1) - chance(contacts))
    pair = idle * (chance(contacts + 2) - chance(contacts)) / 2
    worth = np.ones_like(slope)
    for _ in range(ROUNDS - 2):
        worth = 1 + np.minimum(weights @ (slope * worth), 10)
    alone = question.counts * ((1 - now) + weights @ (slope * worth))
    together = question.counts * ((1 - now) + weights @ (np.maximum(slope, pair) * worth))
    return worth, alone, together


def _shorten(question: _Question[T], alone: Values, together: Values) -> Numbers:
    """Return the positions of the most promising: by themselves, beside another, and the first of each new group."""
    candidates = question.candidates
    if len(candidates) <= SHORTLIST:
        return candidates
    half = SHORTLIST // 2
    first = candidates[_descend(alone[candidates])][:half]
    second = candidates[_descend(together[candidates])]
    rest = second[~np.isin(second, first)][: SHORTLIST - len(first)]
    return np.sort(np.concatenate([first, rest]))


def _descend(values: Values) -> NDArray[np.intp]:
    return np.argsort(-np.round(values.astype(np.float64), 4), kind="stable")


class _Arena(Generic[T]):
    """The part of the network around a shortlist, where sets of the shortlist are carried on."""

    def __init__(self, question: _Question[T], rounds: Sequence[Values], shortlist: Numbers, worth: Values) -> None:
        network = question.network
        self.shortlist = shortlist
        rows = network.weights[shortlist]
        if len(network) <= ARENA:
            people = np.arange(len(network), dtype=np.int32)
        else:
            weight = np.asarray(rows.sum(axis=0)).ravel() * worth
            weight[shortlist] = np.inf
            people = np.sort(np.argpartition(-weight, ARENA)[:ARENA]).astype(np.int32)
        self.people = people
        self.where = np.searchsorted(people, shortlist)
        self.counts = question.counts[shortlist]
        self.start = question.start[people]
        self.weights = network.weights if len(people) == len(network) else network.weights[people][:, people]
        self.outside = None
        if len(people) < len(network):
            self.outside = [
                (network.weights @ one)[people][:, None] - (self.weights @ one[people])[:, None] for one in rounds[:-1]
            ]
        self.base = float(rounds[-1][people].sum(dtype=np.float64))
        self.groups = network.group_of[shortlist]
        self.reached = question.reached
        contacts = (network.weights @ rounds[-1])[people]
        bend = (1 - self.start) * (chance(contacts + 2) - 2 * chance(contacts + 1) + chance(contacts)) * worth[people]
        near = self.weights[self.where]
        scaled = near.copy()
        scaled.data = scaled.data * bend[scaled.indices]
        self.bent = (scaled @ near.T).toarray() * self.counts[:, None] * self.counts[None, :]
        degree = np.asarray(network.weights[shortlist].sum(axis=1)).ravel()
        further = np.asarray(network.weights[shortlist] @ np.asarray(network.weights.sum(axis=1)).ravel()).ravel()
        self.structure = degree + further / (1 + float(further.max(initial=0)))
        self.order = list(range(len(shortlist)))
        self.gain: dict[tuple[int, ...], float] = {}

    def weigh(self, sets: Sequence[tuple[int, ...]]) -> Exact:
        """Return how much each set adds, in people; a new group counts as some more."""
        members = np.array(sets, np.intp)
        start = np.repeat(self.start[:, None], len(sets), axis=1)
        columns = np.arange(len(sets))
        for column in range(members.shape[1]):
            start[self.where[members[:, column]], columns] = self.counts[members[:, column]]
        total = carry(self.weights, start, self.outside)[-1].sum(axis=0, dtype=np.float64) - self.base
        bonus = np.array([len({int(self.groups[one]) for one in chosen} - self.reached) for chosen in sets], np.float64)
        gains: Exact = total + NEW_GROUP * bonus
        return gains

    def best(self, sets: Sequence[tuple[int, ...]], number: int) -> list[tuple[int, ...]]:
        """Return the best sets, best first; between equals those with most ties, then who came first."""
        gains = np.round(self.weigh(sets), 4)
        self.gain.update(zip(sets, gains.tolist(), strict=True))
        structure = np.round([sum(self.structure[one] for one in chosen) for chosen in sets], 4)
        order = np.lexsort((np.arange(len(sets)), -structure, -gains))
        return [sets[one] for one in order[:number]]

    def pairs(self, ranked: Sequence[int]) -> list[tuple[int, int]]:
        """Return the pairs that promise most: what each adds, and what they add only together."""
        every = list(combinations(self.order, 2))
        promise = np.array([self.gain[one,] + self.gain[other,] + self.bent[one, other] for one, other in every])
        found = [every[one] for one in np.argsort(-np.round(promise, 4), kind="stable")[:PAIRS]]
        sure = [tuple(sorted(one)) for one in combinations(ranked[:6], 2)]
        return list(dict.fromkeys([*found, *((one, other) for one, other in sure)]))

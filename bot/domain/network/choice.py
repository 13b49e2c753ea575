"""Choose whom to invite: those who together make it likeliest that many others take part.

Three steps. *Screen*: one pass over the whole network estimates for everybody how much their taking part would set in
motion. *Pair*: for the most promising, how much two set in motion only together: contacts whom each alone leaves one
short. *Weigh*: the most promising sets are carried on for real; the best of them grow by one more, and change members
as long as that helps.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import comb

from bot.domain.network.arena import Arena, Chosen
from bot.domain.network.question import Question, find_free, put_question
from bot.domain.network.screening import screen
from bot.domain.network.ties import Network, T

PAIRS, BEAM = 40, 4
"""Pairs that are weighed; sets that grow by one more."""
WORK, FEWEST = 16_000, 12
"""Times the people among whom it is, so many others are tried in a set, but at least so few."""
SWAPS = 2
"""How often the best set may change one of its members for any other of the shortlist."""
SMALL = 120_000
"""Every set is weighed when, times the people among whom it is, there are no more than this."""


def invite(
    network: Network[T],
    active: Iterable[T],
    consented: Iterable[T],
    asked: Mapping[T, Sequence[float]],
    k: int,
    *,
    evidence: Mapping[T, float] | None = None,
) -> list[T]:
    """Return up to `k` people to invite, who together reach furthest; always the same for the same question.

    `active` take part already. Only who `consented` is returned, is not active, and was not asked twice within thirty
    days: `asked` holds the days since each ask. Who was asked lately counts for less, so that asks spread; whom
    colleagues named (`evidence`: how often) counts for more. Between equals their place in the network decides, then
    the order in which they came into it. Their names decide only about people of whom nothing else is known.
    """
    inside = frozenset(active)
    free = find_free(inside, consented, asked)
    strangers = sorted(free - network.positions.keys(), key=lambda one: (str(type(one)), str(one)))
    question = put_question(network, inside, free, asked, evidence or {})
    chosen: list[T] = []
    if k > 0 and len(question.candidates):
        chosen = [network.ids[position] for position in _choose(question, min(k, len(question.candidates)))]
    return [*chosen, *strangers][: max(k, 0)]


def _choose(question: Question[T], k: int) -> list[int]:
    shortlist = screen(question)
    arena = Arena(question, shortlist)
    if comb(len(arena.everyone), k) * len(arena.start) <= SMALL:
        (best,) = arena.best(list(combinations(arena.everyone, k)), 1)
    else:
        best = _grow(arena, k)
    return [int(shortlist.positions[one]) for one in arena.ranked if one in best]


def _grow(arena: Arena[T], k: int) -> Chosen:
    """Return the best set found: the best pairs grow by one more, then change members while that helps."""
    if k == 1:
        return (arena.ranked[0],)
    beam = arena.best(arena.pairs(PAIRS), BEAM)
    others = arena.ranked[: max(FEWEST, WORK // len(arena.start))]
    for _ in range(k - 2):
        beam = arena.best(_vary(((*one, other) for one in beam for other in others), k=len(beam[0]) + 1), BEAM)
    best = beam[0]
    for _ in range(SWAPS):
        swapped = ((*rest, other) for rest in combinations(best, k - 1) for other in others)
        (better,) = arena.best([best, *_vary(swapped, k=k)], 1)
        if better == best:
            break
        best = better
    return best


def _vary(sets: Iterable[Chosen], *, k: int) -> list[Chosen]:
    """Return the different sets of `k` people among some."""
    return sorted({tuple(sorted(one)) for one in sets if len(set(one)) == k})

"""Keep the networks of movements in memory, and ask them whom to suggest, off the event loop.

One answer is computed at a time. What is kept of a movement is checked against the database each time, in the
transaction that reads the rest: other processes change ties too. Nothing here is shown to anybody before it is checked
again (`bot.use_cases.connecting.suggestions`).
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from bot.domain.connectors import KeyFigure
from bot.domain.movement import MovementId
from bot.domain.network_question import NetworkAdvice, NetworkQuestion, NetworkRows, NetworkVersion
from bot.domain.person import PersonId
from bot.ports import NeedsNetwork, NetworkReader

if TYPE_CHECKING:
    from bot.domain.network import Network

MOST_KEPT = 3_000_000
"""People and ties of all networks that are kept together; those not asked for longest are let go first."""
DAY = timedelta(days=1)
OWN_WORD = 1.0
"""How much it counts that somebody agreed to be named as what is wanted: as much as a colleague who named them."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """A movement's network as it was at a version."""

    network: "Network[PersonId]"
    version: NetworkVersion
    latest: datetime | None
    agreed: Mapping[PersonId, frozenset[KeyFigure]]
    sizes: Mapping[str, int]
    ties: int

    @property
    def size(self) -> int:
        return len(self.network) + self.ties


def load_numbers() -> None:
    """Load numpy and scipy, which takes a third of a second in which nobody is answered."""
    import_module("bot.domain.network")


class NetworkCache:
    """Implements `NetworkAdviser` in a thread. Others wait while it computes: a service has a process for it
    (`adapters.network_process`)."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._kept: OrderedDict[MovementId, _Kept] = OrderedDict()
        self._turn = asyncio.Lock()

    async def advise(self, needs: NeedsNetwork) -> NetworkAdvice:
        """Answer a question, off the event loop. Raises `StorageUnavailable`."""
        async with self._turn:
            return await asyncio.to_thread(self.answer, needs.question, needs.reader, needs.before)

    def answer(self, question: NetworkQuestion, reader: NetworkReader, before: NetworkAdvice | None) -> NetworkAdvice:
        """Answer a question, one at a time. Blocks. Raises `StorageUnavailable`."""
        known = self._kept.pop(question.movement, None)
        version, latest = (known.version, known.latest) if known is not None else (None, None)
        rows = reader.read(question, version, latest)
        kept = _refresh(known, rows)
        self._keep(question.movement, kept)
        chosen = _choose(kept, question, rows) if question.most else ()
        return NetworkAdvice(
            chosen=chosen,
            named=frozenset(one for one in chosen if one in rows.named),
            sizes=kept.sizes,
            rounds=before.rounds + 1 if before is not None else 1,
            left_out=question.left_out,
        )

    def _keep(self, movement: MovementId, kept: _Kept) -> None:
        self._kept[movement] = kept
        while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > self._most_kept:
            self._kept.popitem(last=False)


def _refresh(known: _Kept | None, rows: NetworkRows) -> _Kept:
    """Return the network as it was when the rows were read."""
    # Here, and not above: a command of the command line has no need of numpy and scipy.
    from bot.domain.network import Network

    if known is None or rows.is_whole:
        ties = len(rows.ties)
        # People first, in the order they joined: between equals the earlier one decides, in every process the same.
        network = Network[PersonId].of((), rows.groups).with_ties(_drain(rows.ties))
        sizes = Counter(group for group in rows.groups.values() if group)
        return _Kept(
            network=network, version=rows.version, latest=rows.latest, agreed=rows.agreed, sizes=sizes, ties=ties
        )
    if rows.version == known.version and not rows.ties:
        return known
    positions, strengths = known.network.positions, known.network.strengths
    added = []
    for one, other, strength in rows.ties:
        if one in positions and other in positions:
            more = strength - float(strengths[positions[one], positions[other]])
            if more > 0:
                added.append((one, other, more))
    network = known.network.with_ties(added) if added else known.network
    return replace(known, network=network, version=rows.version, latest=rows.latest, ties=known.ties + len(added))


def _drain(ties: list[tuple[PersonId, PersonId, int]]) -> Iterable[tuple[PersonId, PersonId, float]]:
    """Yield ties, letting each go: a million of them take memory that is needed for the arrays."""
    ties.reverse()
    while ties:
        yield ties.pop()


def _choose(kept: _Kept, question: NetworkQuestion, rows: NetworkRows) -> tuple[PersonId, ...]:
    from bot.domain.network import invite

    free = kept.agreed.keys() - rows.unfree - question.left_out - question.active
    asked = {one: [(question.now - at) / DAY for at in moments] for one, moments in rows.asked.items()}
    evidence = {
        one: rows.named.get(one, 0) + OWN_WORD * (question.wanted in kept.agreed[one])
        for one in free
        if one in rows.named or question.wanted in kept.agreed[one]
    }
    return tuple(invite(kept.network, question.active, free, asked, question.most, evidence=evidence))

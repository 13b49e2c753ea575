"""What an engine keeps going."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.person import WorkspaceId


class Work(Protocol):
    """Ritme, as its engine knows it. A lane is a workspace id."""

    async def plan(self) -> int:
        """Turns what is due into deliveries; returns how many."""

    async def lanes_due(self) -> Sequence[WorkspaceId]:
        """The lanes that have something to send now."""

    async def drain(self, lane: WorkspaceId) -> int:
        """Sends at most one batch of what is due in this lane; returns how many deliveries it settled."""

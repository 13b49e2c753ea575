"""The port through which an engine calls Ritme."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.person import WorkspaceId


class Work(Protocol):
    """Ritme as an engine sees it. A lane is a workspace: its deliveries are drained by one worker at a time."""

    async def plan(self) -> int:
        """Turn moments that are due into deliveries. Returns how many."""

    async def lanes_due(self) -> Sequence[WorkspaceId]:
        """Return the lanes that have something to send now."""

    async def drain(self, lane: WorkspaceId) -> int:
        """Send at most one batch of what is due in this lane. Returns how many deliveries were settled; 0 ends the
        drain."""

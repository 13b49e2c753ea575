"""Words for others that may give a client away, held until their writer chose what is to happen with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

from bot.domain.movement import MovementId
from bot.domain.person import PersonId, WorkspaceId

HeldWordsId = NewType("HeldWordsId", str)

HELD_FOR = timedelta(days=7)
"""How long words wait for their writer's choice; then they are erased."""


@dataclass(kw_only=True, eq=False)
class HeldWords:
    """An act with words for others that waits for its writer: the `intent` and its `args`, where, and the `texts` that
    others would read, by the name of the argument that held them. Nobody but the writer reads these."""

    id: HeldWordsId
    workspace_id: WorkspaceId
    person_id: PersonId
    movement_id: MovementId | None
    intent: str
    args: dict[str, object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    channel: str
    channel_name: str = ""
    personal: bool = False
    thread: str | None = None
    message: str | None = None
    asked_at: datetime

    @property
    def until(self) -> datetime:
        """The moment until which they wait."""
        return self.asked_at + HELD_FOR

    @property
    def values(self) -> Mapping[str, str | tuple[str, ...]]:
        """The arguments as an intent has them; storage gives lists back."""
        return {
            name: tuple(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
            for name, value in self.args.items()
        }

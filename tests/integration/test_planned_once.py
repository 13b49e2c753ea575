"""SQLite plans a statement once, however often it runs: for many it takes longer to plan them than to run them."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.movement import MovementId
from bot.domain.person import PersonId, WorkspaceId
from bot.ports import UnitOfWork
from tests.support.databases import open_database
from tests.support.world import LANE, MONDAY

ASKED: dict[str, Callable[[UnitOfWork], Awaitable[Any]]] = {
    "who solved it before": lambda work: work.stories.solved_by_others(MovementId("m"), PersonId("p")),
    "what may have arrived": lambda work: work.deliveries.unknown(WorkspaceId(LANE)),
    "what nobody sends any more": lambda work: work.deliveries.stale(MONDAY),
}
"""Questions about columns that are in conditions of partial indexes."""


@pytest.mark.parametrize("what", ASKED)
async def test_what_is_asked_again_is_not_planned_again(tmp_path: Path, what: str) -> None:
    planned: list[object] = []

    def note(*what: object) -> int:
        planned.append(what)
        return sqlite3.SQLITE_OK

    async with open_database("sqlite", tmp_path) as storage, storage.transact.begin() as work:
        session: Any = work.stories._session  # type: ignore[attr-defined]
        session._connection.connection.set_authorizer(note)  # SQLite asks it while it plans
        await ASKED[what](work)
        once = len(planned)
        await ASKED[what](work)
        session._connection.connection.set_authorizer(None)
    assert once
    assert len(planned) == once

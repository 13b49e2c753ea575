"""Database connections keep what people typed out of errors, and let go of what they cannot open."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect, unit_of_work
from bot.domain.person import Workspace, WorkspaceId


async def test_an_error_holds_the_statement_but_nothing_anyone_typed(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    with pytest.raises(DatabaseError) as broke:
        async with database.begin() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "mevrouw De Vries viel"})
    await database.dispose()

    assert "nowhere" in str(broke.value)
    assert "De Vries" not in str(broke.value)


async def test_a_file_that_is_no_database_leaves_no_connection_open(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("dear district nurses, " * 1000)
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(DatabaseError):
        async with database.connect():
            pass
    await database.dispose()


async def test_a_writer_elsewhere_is_waited_for_while_everything_else_goes_on(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    begin = unit_of_work(database)
    async with begin():
        pass
    elsewhere = sqlite3.connect(tmp_path / "ritme.db", isolation_level=None)
    elsewhere.execute("BEGIN IMMEDIATE")

    async def waits() -> None:
        async with begin():
            pass

    waiting = asyncio.create_task(waits())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    elsewhere.execute("COMMIT")
    await asyncio.wait_for(waiting, 5)
    elsewhere.close()
    await database.dispose()


async def test_what_fails_half_way_leaves_nothing_and_lets_the_next_one_in(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    begin = unit_of_work(database)
    lane = WorkspaceId("slack:T1")

    async def fails() -> None:
        async with begin() as work:
            work.people.add(Workspace(id=lane))
            await work.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    async with begin() as work:
        assert await work.people.workspace(lane) is None
    await database.dispose()

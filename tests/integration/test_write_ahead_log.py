"""SQLite's write-ahead log is brought into the file beside those who write: that waits for the disk."""

import shutil
import sqlite3
from asyncio import to_thread
from pathlib import Path
from threading import Event

import pytest
from structlog.testing import capture_logs

from adapters.database import sqlite
from adapters.database.unit_of_work import UnitsOfWork
from bot.domain.person import Workspace, WorkspaceId
from bot.ports import UnitOfWork
from tests.support.databases import open_database


async def add_workspace(transact: UnitsOfWork, name: str) -> None:
    async def act(work: UnitOfWork) -> None:
        work.people.add(Workspace(id=WorkspaceId(name)))

    await transact(act)


def count_workspaces(file: Path) -> int:
    connection = sqlite3.connect(file)
    try:
        return int(connection.execute("SELECT count(*) FROM workspaces").fetchone()[0])
    finally:
        connection.close()


async def test_what_was_written_is_in_the_file_after_some_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_EVERY", 3)
    written_back, write_back = Event(), sqlite._write_back

    def note(file: str) -> None:
        write_back(file)
        written_back.set()

    monkeypatch.setattr(sqlite, "_write_back", note)
    async with open_database("sqlite", tmp_path) as storage:
        file = Path(storage.url.partition("///")[2])
        before = count_workspaces(shutil.copy(file, tmp_path / "before.db"))
        for number in range(3):
            await add_workspace(storage.transact, f"slack:T{number}")
        assert await to_thread(written_back.wait, 10)
        # Without its log, as whoever copies only the file has it.
        assert count_workspaces(shutil.copy(file, tmp_path / "after.db")) == before + 3


async def test_nobody_waits_until_it_is_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_EVERY", 1)
    begun, goes_on, files = Event(), Event(), list[str]()

    def wait(file: str) -> None:
        files.append(file)
        begun.set()
        goes_on.wait(10)

    monkeypatch.setattr(sqlite, "_write_back", wait)
    async with open_database("sqlite", tmp_path) as storage:
        try:
            await add_workspace(storage.transact, "slack:T1")
            assert await to_thread(begun.wait, 10)
            await add_workspace(storage.transact, "slack:T2")
            assert len(files) == 1, "one at a time"
        finally:
            goes_on.set()


async def test_a_disk_that_fails_stops_nobody(tmp_path: Path) -> None:
    with capture_logs() as logged:
        sqlite._write_back(str(tmp_path / "no folder" / "ritme.db"))
    assert [line["event"] for line in logged] == ["database_checkpoint_failed"]

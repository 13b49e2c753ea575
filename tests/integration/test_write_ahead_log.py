"""SQLite's write-ahead log is brought into the file beside those who write: that waits for the disk."""

import shutil
import sqlite3
from asyncio import CancelledError, create_task, sleep, to_thread
from contextlib import closing
from pathlib import Path
from threading import Event, Timer

import pytest
from structlog.testing import capture_logs

from adapters.database import sqlite
from adapters.database.unit_of_work import UnitsOfWork, connect
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


async def test_nobody_writes_until_it_is_in_the_file_and_everything_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
            another = create_task(add_workspace(storage.transact, "slack:T2"))
            for _ in range(20):
                await sleep(0)
            assert not another.done()
        finally:
            goes_on.set()
        await another
    assert set(files) == {str(tmp_path / "ritme.db")}


def test_it_waits_for_no_other_process(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ritme.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE stories (id)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite._write_back(str(tmp_path / "ritme.db"))
        other.execute("COMMIT")
        sqlite._write_back(str(tmp_path / "ritme.db"))
        assert other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone() == (0, 2, 2), "all of it is there already"


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        sqlite._write_back(str(tmp_path / "ritme.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "problem", [sqlite3.OperationalError("disk I/O error"), RuntimeError("can't start new thread")]
)
async def test_what_fails_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_EVERY", 1)
    failed = Event()

    def fail(_file: str) -> None:
        failed.set()
        raise problem

    monkeypatch.setattr(sqlite, "_write_back", fail)
    with capture_logs() as logged:
        async with open_database("sqlite", tmp_path) as storage:
            await add_workspace(storage.transact, "slack:T1")
            assert await to_thread(failed.wait, 10)
            await add_workspace(storage.transact, "slack:T2")
    assert {line["event"] for line in logged} == {"database_checkpoint_failed"}


async def test_who_is_cancelled_while_another_writes_holds_up_nobody(tmp_path: Path) -> None:
    file = tmp_path / "ritme.db"
    database = connect(f"sqlite+aiosqlite:///{file}")
    async with database.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE stories (id)")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with database.begin() as connection:
                await connection.exec_driver_sql("INSERT INTO stories VALUES (1)")

        writing = create_task(write())
        for _ in range(50):  # until a thread waits for the lock
            await sleep(0)
        release = Timer(0.3, lambda: other.execute("COMMIT"))
        release.start()
        writing.cancel()
        steps = 0
        while other.in_transaction:
            steps += 1
            await sleep(0)
        assert steps > 100, "the event loop goes on"
        with pytest.raises(CancelledError):
            await writing
        other.execute("BEGIN IMMEDIATE")  # its lock is not left behind
    await database.dispose()

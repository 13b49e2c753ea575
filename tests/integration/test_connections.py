"""Database connections: timeouts, locks, and errors that never hold what people typed."""

import asyncio
import io
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from contextvars import ContextVar
from pathlib import Path
from threading import Event, Timer

import pytest
import structlog
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DatabaseError, OperationalError

from adapters import logs
from adapters.database import postgresql, sqlite
from adapters.database.errors import translate_errors
from adapters.database.inline import InlineSession, WaitedInTransaction
from adapters.database.pipelining import PipelinedConnection
from adapters.database.postgresql import TRANSACTIONS
from adapters.database.sessions import sessions
from adapters.database.tables import metadata, workspaces
from adapters.database.unit_of_work import Begin, connect, unit_of_work
from adapters.libpq import CONNECT_TIMEOUTS
from bot.domain.person import Workspace, WorkspaceId
from bot.ports import Conflict, StorageUnavailable, UnitOfWork
from tests.support import databases
from tests.support.databases import BOTH, OpenDatabase, open_database

SLACK_WAITS = 3
"""Seconds."""
WRITTEN = "mevrouw De Vries viel"
REFUSED = {
    "a row without what it needs": (
        "INSERT INTO workspaces (id, name) VALUES (:said, NULL)",
        "23502",
        "workspaces.name",
    ),
    "a key that is there already": (
        "INSERT INTO workspaces (id, name) VALUES (:said, ''), (:said, '')",
        "23505",
        "pk_",
    ),
    "a referent that is not there": (
        "INSERT INTO segments (workspace_id, handle, movement_id, name) VALUES (:said, '', '', '')",
        "23503",
        "fk_segments",
    ),
    "too long": ("INSERT INTO workspaces (id, name) VALUES (repeat(:said, 9), '')", "22001", ""),
    "of another kind": ("SELECT CAST(CAST(:said AS text) AS integer)", "22P02", ""),
    "no JSON": ("SELECT CAST(CAST(:said AS text) AS json)", "22P02", ""),
    "no text": ("SELECT CAST(:said || chr(0) AS text)", "54000", ""),
    "no search": ("SELECT to_tsquery(:said)", "42601", ""),
}


async def test_an_error_holds_the_statement_but_no_values(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    with pytest.raises(DatabaseError) as broke:
        async with database.begin() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": WRITTEN})
    await database.dispose()

    assert "nowhere" in str(broke.value)
    assert "De Vries" not in str(broke.value)


@pytest.mark.usefixtures("logging_as_it_was")
@pytest.mark.parametrize(("statement", "state", "where"), REFUSED.values(), ids=REFUSED)
async def test_what_postgresql_refuses_is_logged_without_values(statement: str, state: str, where: str) -> None:
    stream = io.StringIO()
    logs.configure_logging(stream)
    with databases.postgresql() as url:
        database = connect(url)
        for begun in (database.begin(), sessions(database).begin()):
            with pytest.raises((DatabaseError, Conflict)) as broke:
                async with begun as under_way:
                    await under_way.execute(text(statement), {"said": WRITTEN})
            try:
                raise RuntimeError("while it was handled") from broke.value
            except RuntimeError:
                structlog.get_logger().exception("intent_failed")
        await database.dispose()
    logged = [line["exception"] for line in map(json.loads, stream.getvalue().splitlines()) if "exception" in line]
    assert len(logged) == 2
    for said in logged:
        assert state in said
        assert where in said
        assert "De Vries" not in said


async def test_errors_of_postgresql_itself_are_shown() -> None:
    database = connect("postgresql+psycopg://ritme@127.0.0.1:1/ritme")
    with pytest.raises(DatabaseError, match="refused"):
        async with database.connect():
            pass
    await database.dispose()
    with databases.postgresql() as url:
        database = connect(url)
        async with database.connect() as connection:
            await connection.execute(text("CREATE ROLE guest_of_a_test"))
            await connection.execute(text("SET ROLE guest_of_a_test"))
            with pytest.raises(DatabaseError, match="permission denied for table workspaces"):
                await connection.execute(text("SELECT * FROM workspaces"))
        await database.dispose()


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """Listen as a server that accepts connections and never answers; yield its URL and the connections."""
    came: list[asyncio.StreamWriter] = []

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    try:
        yield f"postgresql+psycopg://ritme@127.0.0.1:{server.sockets[0].getsockname()[1]}/ritme", came
    finally:
        for one in came:
            one.close()
        server.close()
        await server.wait_closed()


async def test_a_database_that_hangs_is_unavailable_like_one_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECT_TIMEOUTS, "connect_timeout", 2)  # its library waits no less
    async with silent_server() as (url, came):
        database = connect(url)
        with pytest.raises(StorageUnavailable):
            await unit_of_work(database)(lambda work: work.people.workspace(WorkspaceId("slack:T1")))
        assert len(came) == 1
        await database.dispose()


async def test_connecting_times_out_as_the_address_says() -> None:
    with databases.postgresql() as url:
        asked = {}
        for address in (url, f"{url}&keepalives_idle=60" if "?" in url else f"{url}?keepalives_idle=60"):
            database = connect(address)
            assert database.pool.timeout() < SLACK_WAITS  # type: ignore[attr-defined]  # a QueuePool
            async with database.connect() as connection:
                raw = await connection.get_raw_connection()
                assert raw.driver_connection is not None
                asked[address] = raw.driver_connection.info.get_parameters()
            await database.dispose()
    usual, own = asked.values()
    assert {"connect_timeout", "tcp_user_timeout", "keepalives_interval", "keepalives_count"} <= set(usual)
    assert (usual["keepalives_idle"], own["keepalives_idle"]) == ("5", "60")


async def test_locks_and_idle_transactions_time_out() -> None:
    with databases.postgresql() as url:
        held_at_most = f"{url}{'&' if '?' in url else '?'}options=-c%20lock_timeout%3D50"
        database, hasty = connect(url), connect(held_at_most)
        async with database.connect() as connection:
            limits = [
                (await connection.exec_driver_sql(f"SHOW {name}")).scalar_one()
                for name in ("lock_timeout", "idle_in_transaction_session_timeout")
            ]
        assert limits == ["10s", "30s"]
        lane = WorkspaceId("slack:T1")

        async def lock(work: UnitOfWork) -> None:
            await work.people.lock_movement(lane, "U2", None, None)

        async with unit_of_work(database).begin() as work:
            work.people.add(Workspace(id=lane))
        async with unit_of_work(database).begin() as work:
            await work.people.lock_movement(lane, "U1", None, None)
            with pytest.raises(StorageUnavailable):
                await unit_of_work(hasty)(lock)
        await unit_of_work(hasty)(lock)
        for one in (database, hasty):
            await one.dispose()


async def test_a_connection_that_broke_unnoticed_raises_storage_unavailable() -> None:
    """The core catches what breaks in one message, so that the others go on: over a connection that may be broken."""

    async def go_on(session: InlineSession) -> None:
        with suppress(DatabaseError):
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await session.execute(text("SELECT 1"))

    with databases.postgresql() as url:
        database = connect(url)
        with pytest.raises(StorageUnavailable):
            await sessions(database).run(go_on)
        await database.dispose()


def test_a_locked_sqlite_error_becomes_storage_unavailable() -> None:
    locked = OperationalError("INSERT", None, sqlite3.OperationalError("database is locked"))
    with pytest.raises(StorageUnavailable), translate_errors():
        raise locked
    with pytest.raises(OperationalError), translate_errors():
        raise OperationalError("INSERT", None, sqlite3.OperationalError("no such table: people"))


async def test_a_file_locked_by_another_writer_raises_storage_unavailable_after_a_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WRITE_LOCK_TIMEOUT", 0.01)
    async with write_locked_file(tmp_path / "ritme.db") as (begin, elsewhere):
        with pytest.raises(StorageUnavailable):
            async with begin():
                pass
        elsewhere.execute("COMMIT")
        async with begin():
            pass


@asynccontextmanager
async def write_locked_file(file: Path) -> AsyncIterator[tuple[Begin, sqlite3.Connection]]:
    """Open a file that another connection holds the write lock of; yield transactions over it and that connection."""
    database = connect(f"sqlite+aiosqlite:///{file}")
    begin = unit_of_work(database).begin
    async with begin():
        pass  # the file is there
    elsewhere = sqlite3.connect(file, isolation_level=None)
    elsewhere.execute("BEGIN IMMEDIATE")
    yield begin, elsewhere
    elsewhere.close()
    await database.dispose()


async def test_a_file_that_is_no_database_leaves_no_connection_open(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("dear district nurses, " * 1000)
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(DatabaseError):
        async with database.connect():
            pass
    await database.dispose()


async def test_waiting_for_another_writer_does_not_block_the_event_loop(tmp_path: Path) -> None:
    async with write_locked_file(tmp_path / "ritme.db") as (begin, elsewhere):

        async def waits() -> None:
            async with begin():
                pass

        waiting = asyncio.create_task(waits())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        elsewhere.execute("COMMIT")
        await asyncio.wait_for(waiting, 5)


async def test_a_transaction_that_fails_is_rolled_back_and_releases_its_lock(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    begin = unit_of_work(database).begin
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


@pytest.fixture(params=BOTH)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    """Open a database of each kind."""
    async with open_database(request.param, tmp_path) as storage:
        yield storage


async def is_stored(opened: OpenDatabase, lane: WorkspaceId) -> bool:
    return await opened.transact(lambda work: work.people.workspace(lane)) is not None


async def test_a_transaction_that_waits_for_anything_else_is_a_fault_and_leaves_nothing(opened: OpenDatabase) -> None:
    lane, loop = WorkspaceId("slack:T1"), asyncio.get_running_loop()

    async def waits(work: UnitOfWork) -> None:
        work.people.add(Workspace(id=lane))
        await work.flush()
        await loop.create_future()

    async def hides_that_it_waits(work: UnitOfWork) -> None:
        with suppress(RuntimeError):
            await waits(work)

    for act in (waits, hides_that_it_waits):
        with pytest.raises(WaitedInTransaction) as broke:
            await opened.transact(act)
        assert any("await loop.create_future()" in str(frame.statement) for frame in broke.traceback)
        assert not await is_stored(opened, lane)


async def test_a_transaction_may_give_way_where_it_computes(opened: OpenDatabase) -> None:
    lane = WorkspaceId("slack:T1")

    async def computes(work: UnitOfWork) -> int:
        work.people.add(Workspace(id=lane))
        for _ in range(3):
            await asyncio.sleep(0)
        return 3

    assert await opened.transact(computes) == 3
    assert await is_stored(opened, lane)


async def test_a_transaction_sees_the_context_of_who_asked_for_it(opened: OpenDatabase) -> None:
    asked: ContextVar[str] = ContextVar("asked")

    async def look(_: UnitOfWork) -> str:
        return asked.get()

    async def ask(name: str) -> str:
        asked.set(name)
        return await opened.transact(look)

    assert await asyncio.gather(*(ask(str(number)) for number in range(20))) == [str(number) for number in range(20)]


class Held:
    """A transaction that waits for the database until the test lets it go on."""

    def __init__(self, lane: str = "slack:T1") -> None:
        self.lane, self.began = WorkspaceId(lane), asyncio.Event()

    async def __call__(self, work: UnitOfWork) -> int:
        work.people.add(Workspace(id=self.lane))
        await work.flush()
        self.began.set()
        await work.execute(text("SELECT pg_advisory_xact_lock_shared(4711)"))
        found: int = (await work.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        return found


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    """Open a database on PostgreSQL, where transactions go on while others wait."""
    async with open_database("postgresql", tmp_path) as storage:
        yield storage


@asynccontextmanager
async def held_up(server: OpenDatabase) -> AsyncIterator[None]:
    """Hold up every transaction that is `Held`, within the context."""
    async with server.database.connect() as elsewhere:
        await elsewhere.execute(text("SELECT pg_advisory_lock(4711)"))
        yield
        await elsewhere.execute(text("SELECT pg_advisory_unlock(4711)"))


async def test_while_one_waits_for_the_database_others_go_on(server: OpenDatabase) -> None:
    held = Held()
    async with held_up(server):
        asked = asyncio.create_task(server.transact(held))
        await held.began.wait()
        assert not await is_stored(server, held.lane)
        assert not asked.done()
    await asked
    assert await is_stored(server, held.lane)


async def test_who_is_cancelled_waits_for_its_transaction_which_is_rolled_back(server: OpenDatabase) -> None:
    held = Held()
    async with held_up(server):
        asked = asyncio.create_task(server.transact(held))
        await held.began.wait()
        for _ in range(3):  # however often: its connection may not outlive it
            asked.cancel()
            done, _ = await asyncio.wait({asked}, timeout=0.01)
            assert not done
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not await is_stored(server, held.lane)


@pytest.mark.parametrize("ends", ["its act fails", "it goes on"])
async def test_a_cancellation_reaches_who_was_cancelled_and_nobody_else(server: OpenDatabase, ends: str) -> None:
    held, went_on = Held(), False

    async def act(work: UnitOfWork) -> None:
        nonlocal went_on
        held.began.set()
        await work.execute(text("SELECT pg_advisory_xact_lock_shared(4711)"))
        if ends == "its act fails":
            raise ZeroDivisionError
        await work.execute(text("SELECT 1"))
        went_on = True

    async with held_up(server):
        asked = asyncio.create_task(server.transact(act))
        await held.began.wait()
        asked.cancel()
        await asyncio.wait({asked}, timeout=0.01)
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not went_on
    for _ in range(TRANSACTIONS):
        assert not await is_stored(server, held.lane)


async def test_who_is_cancelled_while_reading_waits_for_the_end_of_it(server: OpenDatabase) -> None:
    began, go, ended = Event(), Event(), []

    async def hold(work: UnitOfWork) -> None:
        began.set()
        assert go.wait(10)
        await work.people.workspace(WorkspaceId("slack:T1"))
        ended.append(True)

    reading = asyncio.create_task(server.transact.read(hold))
    assert await asyncio.to_thread(began.wait, 10)
    reading.cancel()
    done, _ = await asyncio.wait({reading}, timeout=0.01)
    assert not done
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ended == [True]


async def test_a_lost_race_keeps_its_connection(server: OpenDatabase) -> None:
    async def lose(work: UnitOfWork) -> None:
        pids.append((await work.execute(text("SELECT pg_backend_pid()"))).scalar_one())
        session = work.people._session  # type: ignore[attr-defined]
        await session.post(update(workspaces).values(name="x").where(workspaces.c.id == "none"), expects=1)

    pids: list[int] = []
    for _ in range(2):
        with pytest.raises(Conflict):
            await server.transact(lose)
    assert len(pids) == 2
    assert len({*pids}) == 1


async def test_what_cannot_be_sent_is_not_committed_by_whoever_passes_over_it(server: OpenDatabase) -> None:
    lane = WorkspaceId("slack:T1")

    async def pass_over(work: UnitOfWork) -> None:
        session = work.people._session  # type: ignore[attr-defined]
        await session.post(insert(workspaces), {"id": lane, "name": ""})
        await session.post(insert(workspaces), {"id": "slack:T2", "name": "a\0b"})
        with suppress(DatabaseError):
            await work.people.workspace(lane)

    with pytest.raises((Conflict, DatabaseError)):
        await server.transact(pass_over)
    assert not await is_stored(server, lane)


async def test_who_is_cancelled_while_it_gives_way_is_rolled_back(server: OpenDatabase) -> None:
    lane, began = WorkspaceId("slack:T1"), asyncio.Event()

    async def computes(work: UnitOfWork) -> None:
        work.people.add(Workspace(id=lane))
        await work.flush()
        began.set()
        for _ in range(1_000_000):
            await asyncio.sleep(0)

    asked = asyncio.create_task(server.transact(computes))
    await began.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not await is_stored(server, lane)


async def test_what_is_being_committed_when_its_task_is_cancelled_stands(
    server: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, commit, committing = Held(), PipelinedConnection.commit, asyncio.Event()

    def commit_here(connection: PipelinedConnection) -> None:
        committing.set()  # whoever waits for it goes on when this waits for the database
        commit(connection)

    assert not await is_stored(server, held.lane)  # over a connection that is there now: a new one commits its settings
    monkeypatch.setattr(PipelinedConnection, "commit", commit_here)
    asked = asyncio.create_task(server.transact(held))
    await committing.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await is_stored(server, held.lane)


@pytest.mark.parametrize("many", [1, TRANSACTIONS])
async def test_a_transaction_that_was_cancelled_leaves_every_connection_free(server: OpenDatabase, many: int) -> None:
    lanes = [WorkspaceId(f"slack:T{number}") for number in range(2 * TRANSACTIONS)]
    connecting = [asyncio.create_task(server.transact(Held(lane))) for lane in lanes[:many]]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(is_stored(server, lane)) for lane in lanes]
    for task in (*connecting, *waiting):
        task.cancel()
    ended = await asyncio.gather(*connecting, *waiting, return_exceptions=True)
    assert {type(one) for one in ended} == {asyncio.CancelledError}
    assert await asyncio.gather(*(is_stored(server, lane) for lane in lanes)) == [False] * len(lanes)
    assert await count_connections(server) <= TRANSACTIONS


async def test_who_finds_every_connection_taken_is_told_in_time(
    server: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "POOL_TIMEOUT", 0.05)
    held = [Held(f"slack:T{number}") for number in range(TRANSACTIONS)]
    async with held_up(server):
        taken = [asyncio.create_task(server.transact(act)) for act in held]
        await asyncio.gather(*(act.began.wait() for act in held))
        with pytest.raises(StorageUnavailable):
            await is_stored(server, WorkspaceId("slack:T1"))
    await asyncio.gather(*taken)
    assert await is_stored(server, WorkspaceId("slack:T1"))


async def test_connections_that_the_server_ended_are_replaced_once_somebody_found_out(server: OpenDatabase) -> None:
    lanes = [WorkspaceId(f"slack:T{number}") for number in range(TRANSACTIONS)]
    await asyncio.gather(*(is_stored(server, lane) for lane in lanes))
    async with server.database.begin() as elsewhere:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        await elsewhere.execute(text(f"{ended}current_database()"))
    with pytest.raises(StorageUnavailable):
        await is_stored(server, lanes[0])
    assert await asyncio.gather(*(is_stored(server, lane) for lane in lanes)) == [False] * len(lanes)


async def test_those_who_read_for_long_leave_the_connections_to_others(server: OpenDatabase) -> None:
    go, read = Event(), []

    async def hold(_: UnitOfWork) -> None:
        assert go.wait(10)
        read.append(True)

    reading = [asyncio.create_task(server.transact.read(hold)) for _ in range(2 * TRANSACTIONS)]
    assert not await is_stored(server, WorkspaceId("slack:T1"))
    go.set()
    await asyncio.gather(*reading)
    assert len(read) == 2 * TRANSACTIONS


async def test_what_runs_when_connections_are_closed_ends_and_closes_its_own(server: OpenDatabase) -> None:
    held = Held()
    async with held_up(server):
        asked = asyncio.create_task(server.transact(held))
        await held.began.wait()
        sessions(server.database).dispose()
    its_connection = await asked
    assert await is_stored(server, held.lane)
    assert its_connection not in await list_connections(server)


async def count_connections(server: OpenDatabase) -> int:
    """Count the server's connections to this database besides the one that asks."""
    return len(await list_connections(server))


async def list_connections(server: OpenDatabase) -> list[int]:
    """List the server's connections to this database besides the one that asks, by their processes."""
    others = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    async with server.database.connect() as elsewhere:
        return [*(await elsewhere.execute(text(others))).scalars()]


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

        writing = asyncio.create_task(write())
        for _ in range(50):  # until a thread waits for the lock
            await asyncio.sleep(0)
        release = Timer(0.3, lambda: other.execute("COMMIT"))
        release.start()
        writing.cancel()
        steps = 0
        while other.in_transaction:
            steps += 1
            await asyncio.sleep(0)
        assert steps > 100, "the event loop goes on"
        with pytest.raises(asyncio.CancelledError):
            await writing
        other.execute("BEGIN IMMEDIATE")  # its lock is not left behind
    await database.dispose()

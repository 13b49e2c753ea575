"""The Monday 09:00 storm: 100,000 reminders over 5,000 places of 50 workspaces come due in one minute, on PostgreSQL.

How fast they are planned, beside writing the same rows and nothing else; how fast one worker process sends them to a
platform that answers at once, beside a bare loop that only claims and marks the same rows, beside procrastinate running
one empty job a message, and beside two workers; what a worker holds in memory; and how long an answer takes meanwhile,
beside the same when nothing goes on. Everything begins from a copy of the same database. The attention budget is
lifted: it would leave three reminders a place.

Usage: python -m benchmarks storm
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import procrastinate
import psutil
import psycopg
import structlog
from sqlalchemy.engine import URL, make_url

from adapters.clock import DialClock
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from adapters.engine.jobs import ENQUEUE, enqueue_values
from benchmarks.report import Line, show, under_way
from benchmarks.worker import AtOnce, without_budget
from bot.app import Ritme
from bot.chat import Account, ChatPlace, Intent
from bot.domain.person import WorkspaceId
from bot.ports import Platform
from tests.support.postgres import Server

LANES = 50
START = datetime(2027, 3, 1, 7, 55, tzinfo=UTC)
DUE = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
CLONE = Path(__file__).resolve().parents[1]
BARE_BATCH = 200
EMPTY_JOBS = 3_000
ANSWERS = 200


class NoEngine:
    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None: ...


async def furnish(begin: Callable[..., object], database: object, places: int, rhythms: int) -> None:
    """Movements, places and rhythms, as the core makes them; then many more like them."""
    from bot.domain.movement import Member, Movement, MovementId, PlaceId, Role
    from bot.domain.movement import Place as Channel
    from bot.domain.person import Language, Person, PersonId, Workspace
    from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind

    each = places // LANES
    for lane in range(LANES):
        workspace = WorkspaceId(f"bench:{lane}")
        async with begin() as work:  # type: ignore[attr-defined]  # a unit of work
            work.people.add(Workspace(id=workspace, name=f"Org {lane}"))
            movement = Movement(id=MovementId(f"m{lane}"), name="Samen op pad", language=Language.NL, started_at=START)
            work.movements.add(movement)
            person = Person(
                id=PersonId(f"p{lane}"), workspace_id=workspace, account="iris", name="iris", created_at=START
            )
            work.people.add(person)
            work.movements.add(
                Member(movement_id=movement.id, person_id=person.id, role=Role.COORDINATOR, joined_at=START)
            )
            for number in range(each):
                place = Channel(
                    id=PlaceId(f"{lane}-{number}"), workspace_id=workspace, channel=f"C{number}",
                    name=f"C{number}", created_at=START,
                )  # fmt: skip
                place.movement_id = movement.id
                work.movements.add(place)
            work.rhythms.add(
                Rhythm(
                    id=RhythmId(f"r{lane}"),
                    movement_id=movement.id,
                    place_id=PlaceId(f"{lane}-0"),
                    kind=RhythmKind.STORIES,
                    rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO",
                    starts_on=DUE.date(),
                    at=DUE.replace(hour=9).time(),
                    timezone="Europe/Amsterdam",
                    next_at=DUE,
                    created_by=person.id,
                    created_at=START,
                )
            )
    async with database.begin() as connection:  # type: ignore[attr-defined]  # an engine
        columns = (await connection.exec_driver_sql(
            "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid = 'rhythms'::regclass"
            " AND attnum > 0 AND attname NOT IN ('id', 'place_id')"
        )).scalar_one()  # fmt: skip
        await connection.exec_driver_sql(
            f"INSERT INTO rhythms (id, place_id, {columns}) SELECT md5(p.id || '/' || n), p.id, "
            + ", ".join(f"r.{one}" for one in columns.split(","))
            + " FROM rhythms r JOIN places p ON p.movement_id = r.movement_id"
            + f", generate_series(1, {rhythms // places}) n"
        )
        await connection.exec_driver_sql("ANALYZE")


@dataclass(frozen=True)
class Rate:
    done: int
    seconds: float

    @property
    def a_second(self) -> float:
        return self.done / self.seconds

    def __str__(self) -> str:
        return f"{self.a_second:,.0f} a second"


class Storm:
    """One PostgreSQL, and a copy of the database as it was for each thing that is measured."""

    def __init__(self, server: Server, longest: float) -> None:
        self._server = server
        self._longest = longest
        self._copies = 0

    def copy(self, name: str) -> str:
        self._copies += 1
        copied = f"{name}_{self._copies}"
        self._server.execute(f"CREATE DATABASE {copied} TEMPLATE {name} STRATEGY file_copy")
        self._server.execute("CHECKPOINT")
        return self.url(copied)

    def url(self, name: str) -> str:
        url: URL = self._server.url.set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    async def planned(self, url: str) -> Rate:
        database = connect(url)
        ritme = _ritme(unit_of_work(database))
        began = time.perf_counter()
        planned = await ritme.plan()
        seconds = time.perf_counter() - began
        await database.dispose()
        return Rate(planned, seconds)

    async def written(self, empty: str, full: str) -> Rate:
        """The same rows, in one statement, from a table that has them."""
        async with (
            await psycopg.AsyncConnection.connect(_plain(full)) as other,
            await psycopg.AsyncConnection.connect(_plain(empty), autocommit=True) as connection,
        ):
            await connection.execute("CREATE TABLE written (LIKE deliveries)")
            async with (
                other.cursor().copy("COPY deliveries TO STDOUT (FORMAT binary)") as rows,
                connection.cursor().copy("COPY written FROM STDIN (FORMAT binary)") as here,
            ):
                async for some in rows:
                    await here.write(some)
            began = time.perf_counter()
            done = await connection.execute("INSERT INTO deliveries SELECT * FROM written ON CONFLICT (key) DO NOTHING")
            return Rate(done.rowcount, time.perf_counter() - began)

    async def claimed(self, url: str) -> Rate:
        """Claims and marks the rows of one lane after another, and nothing else."""
        done, began = 0, time.perf_counter()
        async with await psycopg.AsyncConnection.connect(_plain(url)) as connection:
            for lane in range(LANES):
                while time.perf_counter() - began < self._longest:
                    found = await connection.execute(
                        "SELECT row FROM deliveries WHERE state = 'waiting' AND workspace_id = %s AND due_at <= %s"
                        " ORDER BY priority, queued_at, row LIMIT %s FOR UPDATE SKIP LOCKED",
                        (f"bench:{lane}", DUE, BARE_BATCH),
                    )
                    rows = [one[0] for one in await found.fetchall()]
                    if not rows:
                        break
                    await connection.execute("UPDATE deliveries SET state = 'sending' WHERE row = ANY(%s)", (rows,))
                    await connection.commit()
                    await connection.execute("UPDATE deliveries SET state = 'sent' WHERE row = ANY(%s)", (rows,))
                    await connection.commit()
                    done += len(rows)
        return Rate(done, time.perf_counter() - began)

    async def sent(self, url: str, workers: int) -> tuple[Rate, float, float]:
        """By so many worker processes; and the megabytes the first had, before and at most."""
        async with (
            _workers(url, workers) as processes,
            await psycopg.AsyncConnection.connect(_plain(url), autocommit=True) as connection,
        ):
            sent, before = await _sent(connection), megabytes(processes[0])
            most, began = before, time.perf_counter()
            await _begin(connection)
            while time.perf_counter() - began < self._longest and await _waits(connection):
                most = max(most, megabytes(processes[0]))
                await asyncio.sleep(0.1)  # other processes
            return Rate(await _sent(connection) - sent, time.perf_counter() - began), before, most

    async def answered(self, url: str) -> tuple[Sequence[float], Sequence[float]]:
        """Milliseconds that a `/stuck` takes: when nothing else goes on, and while a worker sends."""
        database = connect(url)
        ritme = _ritme(unit_of_work(database, announce))
        await answers(ritme, 20)
        idle = await answers(ritme, ANSWERS)
        async with _workers(url, 1), await psycopg.AsyncConnection.connect(_plain(url), autocommit=True) as connection:
            await _begin(connection)
            await asyncio.sleep(1)  # it is well under way
            busy = await answers(ritme, ANSWERS)
            if not await _waits(connection):
                raise RuntimeError("the storm was over before the answers were")
        await database.dispose()
        return idle, busy


def _ritme(begin: Callable[..., object]) -> Ritme:
    return Ritme(
        begin=begin,  # type: ignore[arg-type]  # a unit of work
        platforms={"bench": Platform(messenger=AtOnce())},
        clock=DialClock(DUE, running=False),
        engine=NoEngine(),
    )


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def _begin(connection: psycopg.AsyncConnection) -> None:
    lanes = [WorkspaceId(f"bench:{lane}") for lane in range(LANES)]
    await connection.execute(ENQUEUE, dict(enqueue_values(lanes)))  # type: ignore[arg-type]  # ours


async def _waits(connection: psycopg.AsyncConnection) -> bool:
    found = await connection.execute(
        "SELECT EXISTS (SELECT FROM deliveries WHERE state IN ('waiting', 'sending') AND due_at <= %s)", (DUE,)
    )
    return bool((await found.fetchall())[0][0])


async def _sent(connection: psycopg.AsyncConnection) -> int:
    found = await connection.execute("SELECT count(*) FROM deliveries WHERE state = 'sent'")
    return int((await found.fetchall())[0][0])


@asynccontextmanager
async def _workers(url: str, many: int) -> AsyncIterator[list[psutil.Process]]:
    """So many worker processes, ready."""
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.worker", url, DUE.isoformat(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=CLONE,
        )
        for _ in range(many)
    ]  # fmt: skip
    try:
        for one in running:
            assert one.stdout is not None
            if not await one.stdout.readline():
                raise RuntimeError("a worker did not start")
        yield [psutil.Process(one.pid) for one in running]
        for one in running:
            assert one.stdin is not None
            one.stdin.close()
            await one.wait()
    finally:
        for one in running:
            if one.returncode is None:
                one.kill()
                await one.wait()


def megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)


async def empty_jobs(url: str, jobs: int) -> Rate:
    """As many empty jobs, one a message."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_plain(url)))

    @app.task(name="nothing", queue="bench")
    async def nothing(number: int) -> None: ...

    async with app.open_async():
        await nothing.batch_defer_async(*({"number": number} for number in range(jobs)))
        began = time.perf_counter()
        await app.run_worker_async(
            queues=["bench"], wait=False, listen_notify=False, install_signal_handlers=False, concurrency=10
        )
        return Rate(jobs, time.perf_counter() - began)


async def answers(ritme: Ritme, count: int) -> Sequence[float]:
    """Milliseconds that so many `/stuck` take, one after the other, each by somebody else."""
    took = []
    for number in range(count):
        lane = f"bench:{number % LANES}"
        intent = Intent(
            name="command",
            args={"command": "/stuck", "text": f"Nobody comes {number}"},
            actor=Account(workspace=lane, id=f"u{number}-{time.monotonic_ns()}", name=f"u{number}"),
            place=ChatPlace(workspace=lane, channel="C0", name="C0"),
            key=f"{time.monotonic_ns()}/{number}",
        )
        began = time.perf_counter()
        await ritme.handle(intent)
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.005)
    return sorted(took)


def p99(took: Sequence[float]) -> float:
    return took[min(len(took) - 1, int(len(took) * 0.99))]


async def lines(reminders: int = 100_000, places: int = 5_000, longest: float = 60) -> list[Line]:
    """`longest`: seconds for which each kind of sending is measured, at most."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    without_budget()
    told = [Line(what=f"storm: {reminders:,} reminders over {places:,} places of {LANES} workspaces, in one minute")]

    def tell(**about: object) -> None:
        told.append(Line(**about))  # type: ignore[arg-type]
        under_way(f"  {told[-1].what}: {told[-1].measured}")

    with (
        tempfile.TemporaryDirectory(prefix="ritme-storm-") as folder,
        Server(Path(folder) / "postgres", durable=True) as server,
    ):
        storm = Storm(server, longest)
        empty = server.database("quiet")
        database = connect(empty)
        await furnish(unit_of_work(database), database, places, reminders)
        await database.dispose()
        storm.copy("quiet")
        process = psutil.Process()
        before = megabytes(process)
        planned = await storm.planned(storm.url("quiet_1"))
        flat = f"{before:.0f} MB before, {megabytes(process):.0f} MB after"
        server.execute("ALTER DATABASE quiet_1 RENAME TO due")
        written = await storm.written(storm.copy("quiet"), storm.url("due"))
        tell(what="planned", measured=str(planned), aim="≥ 20,000 a second")
        tell(
            what="", measured=flat, beside=f"the rows written, and no more: {written}",
            ratio=planned.a_second / written.a_second,
        )  # fmt: skip
        one, before, most = await storm.sent(storm.copy("due"), 1)
        claimed = await storm.claimed(storm.copy("due"))
        jobs = await empty_jobs(storm.copy("quiet"), EMPTY_JOBS)
        tell(
            what="sent by one worker", measured=str(one), beside=f"rows claimed and marked, and no more: {claimed}",
            ratio=one.a_second / claimed.a_second, aim="≥ 0.5",
        )  # fmt: skip
        tell(
            what="", measured=f"{before:.0f} MB before, {most:.0f} MB at most",
            beside=f"procrastinate, an empty job each: {jobs}", ratio=one.a_second / jobs.a_second, aim="≥ 3",
        )  # fmt: skip
        two, _, _ = await storm.sent(storm.copy("due"), 2)
        tell(
            what="sent by two workers", measured=str(two), beside=f"by one: {one}",
            ratio=two.a_second / one.a_second, aim="≥ 1.6 with the server elsewhere; here it shares two cores",
        )  # fmt: skip
        idle, busy = await storm.answered(storm.copy("due"))
        tell(
            what="an answer meanwhile", measured=f"p50 {median(busy):.0f} ms, p99 {p99(busy):.0f} ms",
            beside=f"when nothing goes on: p50 {median(idle):.0f} ms, p99 {p99(idle):.0f} ms",
            ratio=p99(busy) / p99(idle), aim="≤ 2",
        )  # fmt: skip
    return told


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--reminders", type=int, default=100_000)
    asked.add_argument("--places", type=int, default=5_000)
    asked.add_argument("--seconds", type=float, default=60, help="how long sending is measured, at most")
    given = asked.parse_args()
    show(await lines(given.reminders, given.places, given.seconds))


if __name__ == "__main__":
    asyncio.run(main())

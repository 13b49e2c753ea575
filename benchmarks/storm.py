"""Measure the Monday 09:00 storm: 100,000 reminders over 5,000 places of 50 workspaces due in one minute.

On PostgreSQL. Measured is how fast they are planned, beside writing the same rows and nothing else; how fast one worker
process sends them to a platform that answers at once, beside a bare loop that only claims and marks the same rows,
beside procrastinate running one empty job a message, and beside two workers; what a worker holds in memory; and how
long an answer takes meanwhile, beside the same when nothing goes on. Everything begins from a copy of the same
database. The attention budget is lifted: it would leave three reminders a place.

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
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import procrastinate
import psutil
import psycopg
import structlog
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SettableClock
from adapters.database.unit_of_work import Begin, connect, unit_of_work
from adapters.engine.distributed import announce
from adapters.engine.jobs import ENQUEUE, enqueue_values
from benchmarks.report import Line, print_progress, show
from benchmarks.worker import InstantMessenger, lift_attention_budget
from bot.app import Ritme
from bot.chat import Account, ChatPlace, Intent
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.ports import Platform, Transact, UnitOfWork
from tests.scale.everyday import NoEngine
from tests.support.postgres import Server

LANES = 50
START = datetime(2027, 3, 1, 7, 55, tzinfo=UTC)
DUE = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
CLONE = Path(__file__).resolve().parents[1]
BARE_BATCH = 200
"""Rows the bare loop claims at a time: as many as Ritme (`bot.outbox.claim.BATCH`)."""
EMPTY_JOBS = 3_000
"""Jobs that do nothing, to measure procrastinate by itself."""
NICE = ("nice", "-n", "5")
"""How a worker is started where answers are given on the same machine, as in the Procfile."""
ANSWERS = 400
"""Requests timed, both when nothing else goes on and while a worker sends."""


async def seed_rhythms(begin: Begin, database: AsyncEngine, places: int, rhythms: int) -> None:
    """Add movements and places as the core makes them, with one rhythm each; then multiply the rhythms in SQL.

    Every rhythm is due at DUE, `rhythms` / `places` of them in each place (in the first of a lane one more).
    """
    for lane in range(LANES):
        async with begin() as work:
            _seed_lane(work, lane, places // LANES)
    async with database.begin() as connection:
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


def _seed_lane(work: UnitOfWork, lane: int, places: int) -> None:
    workspace = WorkspaceId(f"bench:{lane}")
    work.people.add(Workspace(id=workspace, name=f"Org {lane}"))
    movement = Movement(id=MovementId(f"m{lane}"), name="Samen op pad", language=Language.NL, started_at=START)
    work.movements.add(movement)
    person = Person(id=PersonId(f"p{lane}"), workspace_id=workspace, account="iris", name="iris", created_at=START)
    work.people.add(person)
    work.movements.add(Member(movement_id=movement.id, person_id=person.id, role=Role.COORDINATOR, joined_at=START))
    for number in range(places):
        place = Place(
            id=PlaceId(f"{lane}-{number}"), workspace_id=workspace, channel=f"C{number}", name=f"C{number}",
            created_at=START,
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


@dataclass(frozen=True)
class Rate:
    """So many things done in so many seconds."""

    done: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    def __str__(self) -> str:
        return f"{self.per_second:,.0f} a second"


class Storm:
    """A PostgreSQL server on which each measurement starts from a fresh copy of a database."""

    def __init__(self, server: Server, longest: float) -> None:
        self._server = server
        self._longest = longest
        self._copies = 0

    def copy(self, name: str) -> str:
        """Copy a database, as `<name>_<number>`. Returns the copy's URL."""
        self._copies += 1
        copied = f"{name}_{self._copies}"
        self._server.execute(f"CREATE DATABASE {copied} TEMPLATE {name} STRATEGY file_copy")
        self._server.execute("CHECKPOINT")
        return self.url(copied)

    def url(self, name: str) -> str:
        """Return the URL of a database on the server."""
        url: URL = self._server.url.set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    async def measure_planning(self, url: str) -> Rate:
        """Plan everything that is due."""
        database = connect(url)
        ritme = _make_ritme(unit_of_work(database))
        began = time.perf_counter()
        planned = await ritme.plan()
        seconds = time.perf_counter() - began
        await database.dispose()
        return Rate(planned, seconds)

    async def measure_writing(self, empty: str, full: str) -> Rate:
        """Write the rows that planning made, as one statement, from a copy of the table in `full`."""
        async with (
            await psycopg.AsyncConnection.connect(_libpq_url(full)) as other,
            await psycopg.AsyncConnection.connect(_libpq_url(empty), autocommit=True) as connection,
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

    async def measure_claiming(self, url: str) -> Rate:
        """Claim and mark the rows of one lane after another, and nothing else."""
        done, began = 0, time.perf_counter()
        async with await psycopg.AsyncConnection.connect(_libpq_url(url)) as connection:
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

    async def measure_sending(self, url: str, workers: int) -> tuple[Rate, float, float]:
        """Send with so many worker processes. Returns also the megabytes the first had, before and at most."""
        async with (
            _start_workers(url, workers) as processes,
            await psycopg.AsyncConnection.connect(_libpq_url(url), autocommit=True) as connection,
        ):
            sent, before = await _count_sent(connection), megabytes(processes[0])
            most, began = before, time.perf_counter()
            await _enqueue_lanes(connection)
            while time.perf_counter() - began < self._longest and await _is_any_due(connection):
                most = max(most, megabytes(processes[0]))
                await asyncio.sleep(0.1)  # other processes
            return Rate(await _count_sent(connection) - sent, time.perf_counter() - began), before, most

    async def measure_answering(self, url: str) -> tuple[Sequence[float], Sequence[float]]:
        """Return the milliseconds of each `/stuck`: when nothing else goes on, and while a worker sends."""
        database = connect(url)
        ritme = _make_ritme(unit_of_work(database, announce))
        await time_answers(ritme, 20)
        idle = await time_answers(ritme, ANSWERS)
        async with (
            _start_workers(url, 1),
            await psycopg.AsyncConnection.connect(_libpq_url(url), autocommit=True) as connection,
        ):
            await _enqueue_lanes(connection)
            await asyncio.sleep(1)  # it is well under way
            busy = await time_answers(ritme, ANSWERS)
            if not await _is_any_due(connection):
                raise RuntimeError("the storm was over before the answers were")
        await database.dispose()
        return idle, busy


def _make_ritme(transact: Transact) -> Ritme:
    return Ritme(
        transact=transact,
        platforms={"bench": Platform(messenger=InstantMessenger())},
        clock=SettableClock(DUE, running=False),
        engine=NoEngine(),
    )


def _libpq_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def _enqueue_lanes(connection: psycopg.AsyncConnection) -> None:
    lanes = [WorkspaceId(f"bench:{lane}") for lane in range(LANES)]
    await connection.execute(ENQUEUE, dict(enqueue_values(lanes)))  # type: ignore[arg-type]  # ours


async def _is_any_due(connection: psycopg.AsyncConnection) -> bool:
    found = await connection.execute(
        "SELECT EXISTS (SELECT FROM deliveries WHERE state IN ('waiting', 'sending') AND due_at <= %s)", (DUE,)
    )
    return bool((await found.fetchall())[0][0])


async def _count_sent(connection: psycopg.AsyncConnection) -> int:
    found = await connection.execute("SELECT count(*) FROM deliveries WHERE state = 'sent'")
    return int((await found.fetchall())[0][0])


@asynccontextmanager
async def _start_workers(url: str, many: int) -> AsyncIterator[list[psutil.Process]]:
    """Start so many worker processes, and stop them at the end. Yields them when they take jobs."""
    running = [
        await asyncio.create_subprocess_exec(
            *NICE, sys.executable, "-m", "benchmarks.worker", url, DUE.isoformat(),
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
    """Return the resident memory of a process."""
    return float(process.memory_info().rss / 2**20)


async def measure_empty_jobs(url: str, jobs: int) -> Rate:
    """Run so many jobs that do nothing with procrastinate."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_libpq_url(url)))

    @app.task(name="nothing", queue="bench")
    async def nothing(number: int) -> None: ...

    async with app.open_async():
        await nothing.batch_defer_async(*({"number": number} for number in range(jobs)))
        began = time.perf_counter()
        await app.run_worker_async(
            queues=["bench"], wait=False, listen_notify=False, install_signal_handlers=False, concurrency=10
        )
        return Rate(jobs, time.perf_counter() - began)


async def time_answers(ritme: Ritme, count: int) -> Sequence[float]:
    """Return the milliseconds of so many `/stuck`, sorted; one after the other, each by somebody else."""
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
    """Return the 99th percentile of sorted figures."""
    return took[min(len(took) - 1, int(len(took) * 0.99))]


async def run(reminders: int = 100_000, places: int = 5_000, longest: float = 60) -> list[Line]:
    """Run the benchmark. Returns its lines for the table.

    `longest`: seconds for which each kind of sending is measured, at most.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lift_attention_budget()
    lines = [Line(what=f"storm: {reminders:,} reminders over {places:,} places of {LANES} workspaces, in one minute")]

    def add(**about: object) -> None:
        lines.append(Line(**about))  # type: ignore[arg-type]
        print_progress(f"  {lines[-1].what}: {lines[-1].measured}")

    with (
        tempfile.TemporaryDirectory(prefix="ritme-storm-") as folder,
        Server(Path(folder) / "postgres", durable=True) as server,
    ):
        storm = Storm(server, longest)
        database = connect(server.create_database("quiet"))
        await seed_rhythms(unit_of_work(database).begin, database, places, reminders)
        await database.dispose()
        await _add_planning(storm, server, add)
        await _add_sending(storm, add)
        await _add_answers(storm, add)
    return lines


async def _add_planning(storm: Storm, server: Server, add: Callable[..., None]) -> None:
    """Measure planning, and leave a database `due` in which everything is planned."""
    storm.copy("quiet")
    process = psutil.Process()
    before = megabytes(process)
    planned = await storm.measure_planning(storm.url("quiet_1"))
    memory = f"{before:.0f} MB before, {megabytes(process):.0f} MB after"
    server.execute("ALTER DATABASE quiet_1 RENAME TO due")
    written = await storm.measure_writing(storm.copy("quiet"), storm.url("due"))
    add(what="planned", measured=str(planned), aim="≥ 20,000 a second")
    add(
        what="", measured=memory, beside=f"the rows written, and no more: {written}",
        ratio=planned.per_second / written.per_second,
    )  # fmt: skip


async def _add_sending(storm: Storm, add: Callable[..., None]) -> None:
    one, before, most = await storm.measure_sending(storm.copy("due"), 1)
    claimed = await storm.measure_claiming(storm.copy("due"))
    jobs = await measure_empty_jobs(storm.copy("quiet"), EMPTY_JOBS)
    add(
        what="sent by one worker", measured=str(one), beside=f"rows claimed and marked, and no more: {claimed}",
        ratio=one.per_second / claimed.per_second, aim="≥ 0.4",
    )  # fmt: skip
    add(
        what="", measured=f"{before:.0f} MB before, {most:.0f} MB at most",
        beside=f"procrastinate, an empty job each: {jobs}", ratio=one.per_second / jobs.per_second, aim="≥ 3",
    )  # fmt: skip
    two, _, _ = await storm.measure_sending(storm.copy("due"), 2)
    add(
        what="sent by two workers", measured=str(two), beside=f"by one: {one}",
        ratio=two.per_second / one.per_second, aim="≥ 1.6 with the server elsewhere; here it shares two cores",
    )  # fmt: skip


async def _add_answers(storm: Storm, add: Callable[..., None]) -> None:
    idle, busy = await storm.measure_answering(storm.copy("due"))
    add(
        what="an answer meanwhile", measured=f"p50 {median(busy):.0f} ms, p99 {p99(busy):.0f} ms",
        beside=f"when nothing goes on: p50 {median(idle):.0f} ms, p99 {p99(idle):.0f} ms",
        ratio=p99(busy) / p99(idle), aim="≤ 2",
    )  # fmt: skip


async def main() -> None:
    """Run the benchmark by itself."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--reminders", type=int, default=100_000)
    asked.add_argument("--places", type=int, default=5_000)
    asked.add_argument("--seconds", type=float, default=60, help="how long sending is measured, at most")
    given = asked.parse_args()
    show(await run(given.reminders, given.places, given.seconds))


if __name__ == "__main__":
    asyncio.run(main())

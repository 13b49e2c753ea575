"""Measure how many `/stuck <text>` requests a second Ritme takes, beside the least a durable Slack app can do.

Requests are of people in twenty movements of one workspace. They are signed over HTTP or come over Socket Mode, and are
kept on SQLite or PostgreSQL (by the web process alone).
Each server runs in its own process, or in two, one after the other, a few rounds; of each number the median counts.
PostgreSQL runs beside it, and waits for no disk. Once it is a millisecond away, and the trips to it are counted.

Usage: python -m benchmarks inbound
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import psutil
from sqlalchemy import func, select

from adapters.database.migrate import migrate_schema
from adapters.database.tables import episodes
from adapters.database.unit_of_work import connect, unit_of_work
from benchmarks.distance import DelayingProxy
from benchmarks.link import SocketModeServer
from benchmarks.load import CHANNELS, CONNECTIONS, SECRET, LoadResult, make_commands, send_all
from benchmarks.report import Line, print_progress, show
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from tests.support.postgres import Server

ROUNDS = 3
WARM_UP, REQUESTS = 200, 2000
FAR_REQUESTS, DISTANCE = 500, 0.001
"""Requests to a Ritme whose database is far, and the seconds from a question to its answer there, in both ways."""
MOST_TRIPS = 6
MOST_TAIL = 1.4
"""How many times as long as with the bare app 99 of 100 may take at most."""
CLONE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A transport and a database, with which Ritme and the bare app are measured, in one process or more; where
    `inline`, the bare app also on connections that have no thread of their own. `aim`: the least share of its rate."""

    what: str
    aim: float
    socket: bool = False
    postgresql: bool = False
    inline: bool = False
    processes: int = 1


SETUPS = (
    Setup(what="inbound, SQLite", aim=0.7, inline=True),
    Setup(what="inbound, PostgreSQL", aim=0.25, postgresql=True),
    Setup(what="inbound, PostgreSQL, two processes", aim=0.45, postgresql=True, processes=2),
    Setup(what="inbound by Socket Mode, SQLite", aim=0.7, socket=True),
)
SERVE = ("-c", "from adapters.cli import main; main()", "serve")
OURS, BARE, INLINE = "Ritme", "bare bolt + one insert", "bare, without threads"


async def seed_movements(url: str, people: int, lanes: Sequence[str] = ("slack:T1",), channels: int = 1) -> None:
    """Migrate a database, and add a movement in each of so many channels of every workspace, the people divided over
    them."""
    engine = connect(url)
    await migrate_schema(engine)
    now = datetime.now(UTC)
    places = [(WorkspaceId(lane), f"C{channel + 1}") for channel in range(channels) for lane in lanes]
    movements = [MovementId(f"m{number or ''}") for number, _ in enumerate(places)]
    async with unit_of_work(engine).begin() as work:
        for lane in lanes:
            work.people.add(Workspace(id=WorkspaceId(lane)))
        for number, (movement, (where, channel)) in enumerate(zip(movements, places, strict=True)):
            work.movements.add(Movement(id=movement, name="Samen op pad", language=Language.NL, started_at=now))
            work.movements.add(
                Place(
                    id=PlaceId(f"p{number or ''}"),
                    workspace_id=where,
                    channel=channel,
                    name="general",
                    movement_id=movement,
                    created_at=now,
                )
            )
        for number in range(people):
            account, which = f"U{number:06d}", number % len(places)
            lane = places[which][0]
            person = Person(id=PersonId(account), workspace_id=lane, account=account, name=account, created_at=now)
            work.people.add(person)
            work.movements.add(Member(movement_id=movements[which], person_id=person.id, joined_at=now))
    if engine.dialect.name == "postgresql":  # has statistics, as with autovacuum
        async with engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")
    await engine.dispose()


@asynccontextmanager
async def serve_process(
    command: list[str], port: int, **environment: str
) -> AsyncIterator[tuple[psutil.Process, float]]:
    """Run a server in its own process. Yields the process and the seconds it took to be ready."""
    # Modules are compiled once, as in the image, also where the environment keeps Python from that.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    started = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: ASYNC220  # once, before anything is measured
            [sys.executable, *command], cwd=CLONE, stdout=log, stderr=log, env=environment
        )
        try:
            while not await asyncio.to_thread(is_healthy, port):
                if process.poll() is not None or time.perf_counter() - started > 30:
                    log.seek(0)
                    raise RuntimeError(log.read().decode()[-2000:])
                await asyncio.sleep(0.01)
            yield psutil.Process(process.pid), time.perf_counter() - started
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 10)


def is_healthy(port: int) -> bool:
    """Return whether a server answers its health check."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Round:
    """One measurement of one server.

    `ready` in seconds, `memory` in megabytes, of its slowest and its largest process; `work` in milliseconds of
    processor time a request: the figure that other work on the machine changes least. `put_off`: requests that were
    answered with an apology, as the machine was too slow for so many at a time.
    """

    measured: LoadResult
    ready: float
    memory: float
    work: float
    put_off: int = 0


Send = Callable[[list[dict[str, str]]], Awaitable[LoadResult]]


async def measure(
    name: str, command: Sequence[str], ports: Sequence[int], send: Send, requests: int = REQUESTS, **environment: str
) -> Round:
    """Run a server in a process a port (`{port}` in the words of the command), warm it up, and send it the requests."""
    async with AsyncExitStack() as running:
        served = [
            await running.enter_async_context(
                serve_process(
                    [word.format(port=port) for word in command], port, **{**environment, "RITME_PORT": str(port)}
                )
            )
            for port in ports
        ]
        await send(make_commands(f"{name}.warm", 0, WARM_UP))
        before = [process.cpu_times() for process, _ in served]
        measured = await send(make_commands(name, WARM_UP, requests))
        after = [process.cpu_times() for process, _ in served]
        spent = sum(new.user + new.system - old.user - old.system for old, new in zip(before, after, strict=True))
        return Round(
            measured=measured,
            ready=max(ready for _, ready in served),
            memory=max(process.memory_info().rss for process, _ in served) / 1e6,
            work=spent * 1000 / requests,
        )


async def run() -> list[Line]:
    """Run the benchmark. Returns its lines for the table."""
    rounds: dict[tuple[Setup, str], list[Round]] = {}
    with tempfile.TemporaryDirectory(prefix="ritme-inbound-") as folder, Server(Path(folder) / "postgres") as server:
        each = [(way, who) for way in SETUPS for who in ((BARE, INLINE, OURS) if way.inline else (BARE, OURS))]
        for turn in range(ROUNDS):
            for number, (way, who) in enumerate(each):
                name = f"bench_{turn}_{number}"
                url = create_database(server, name) if way.postgresql else f"sqlite+aiosqlite:///{folder}/{name}.db"
                one = await measure_once(way, who, url)
                rounds.setdefault((way, who), []).append(one)
                print_progress(f"  round {turn + 1} of {ROUNDS}: {way.what}, {who}: {one.measured.rate:.0f} requests/s")
        far = await measure_far(server)
    middles = {which: median_round(some) for which, some in rounds.items()}
    heading = f"{REQUESTS} /stuck requests, {CONNECTIONS} at a time, the middle of {ROUNDS} rounds"
    return [Line(what=heading), *(line for way in SETUPS for line in make_lines(way, middles)), *far]


async def measure_far(server: Server) -> list[Line]:
    """Measure Ritme with PostgreSQL a millisecond away. Returns its lines for the table."""
    url = create_database(server, "bench_far")
    await seed_movements(url, WARM_UP + FAR_REQUESTS, channels=CHANNELS)
    proxy, ports = DelayingProxy(server.url.set(database="bench_far"), DISTANCE), [free_port()]
    async with proxy.running() as far:
        found: list[int] = []

        async def send(commands: list[dict[str, str]]) -> LoadResult:
            before = proxy.trips
            sent = await send_all(ports, commands)
            found.append(proxy.trips - before)
            return sent

        words = far.render_as_string(hide_password=False)
        one = await measure("far", SERVE, ports, send, FAR_REQUESTS, **environment_of(words))
        one = replace(one, put_off=WARM_UP + FAR_REQUESTS - await count_episodes(url))
    return [
        Line(
            what=f"inbound, PostgreSQL {DISTANCE * 1000:.0f} ms away",
            measured=_rate(one),
        ),
        Line(what="  trips a request", measured=f"{found[-1] / FAR_REQUESTS:.1f}", aim=f"≤ {MOST_TRIPS}"),
        Line(what="  half, and 99 of 100, within", measured=_within(one)),
    ]


def create_database(server: Server, name: str) -> str:
    """Create an empty database. Returns its URL."""
    server.execute(f"CREATE DATABASE {name}")
    return server.url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


async def measure_once(way: Setup, who: str, url: str) -> Round:
    """Measure one server (OURS, BARE or INLINE) in one setup, on a database of its own."""
    ports = [free_port() for _ in range(way.processes)]
    async with SocketModeServer().running() as link:
        send = link.send_all if way.socket else partial(send_all, ports)
        # In a trigger's id, which holds letters, digits and a few signs, and no more than Slack's own would.
        name = "".join(filter(str.isalnum, f"{way.what}{who}"))
        if who != OURS:
            how = ["inline"] if who == INLINE else [f"{link.url}/api/"] if way.socket else []
            return await measure(name, ["-m", "benchmarks.bare", url, "{port}", *how], ports, send)
        await seed_movements(url, WARM_UP + REQUESTS, channels=CHANNELS)
        one = await measure(name, SERVE, ports, send, **environment_of(url, link if way.socket else None))
        return replace(one, put_off=WARM_UP + REQUESTS - await count_episodes(url))


async def count_episodes(url: str) -> int:
    """Return how many requests were acted on."""
    engine = connect(url)
    async with engine.connect() as connection:
        counted = await connection.scalar(select(func.count()).select_from(episodes))
    await engine.dispose()
    return int(counted or 0)


def environment_of(url: str, link: SocketModeServer | None = None) -> dict[str, str]:
    """Return the settings of Ritme on this database: over HTTP, or with `link` over Socket Mode."""
    return {
        "RITME_DATABASE_URL": url.replace("+aiosqlite", "").replace("+psycopg", ""),
        "RITME_OPERATIONS_PORT": "0",
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_API_URL": f"{link.url}/api" if link else "http://127.0.0.1:9/api",
        **({"SLACK_APP_TOKEN": "xapp-bench"} if link else {"SLACK_SIGNING_SECRET": SECRET}),
    }


def median_round(rounds: Sequence[Round]) -> Round:
    """Return the median of each number."""

    def of(pick: Callable[[Round], float]) -> float:
        return median(pick(one) for one in rounds)

    measured = LoadResult(
        rate=of(lambda one: one.measured.rate),
        p50=of(lambda one: one.measured.p50),
        p99=of(lambda one: one.measured.p99),
    )
    return Round(
        measured=measured,
        ready=of(lambda one: one.ready),
        memory=of(lambda one: one.memory),
        work=of(lambda one: one.work),
        put_off=max(one.put_off for one in rounds),
    )


def make_lines(way: Setup, middles: Mapping[tuple[Setup, str], Round]) -> list[Line]:
    """Return the lines of a setup: requests a second, and below them the other numbers."""
    ours, bare = middles[way, OURS], middles[way, BARE]
    found = [_beside(way.what, ours, BARE, bare, f"≥ {way.aim}")]
    if way.inline:
        found.append(_beside("  beside that on connections without threads", ours, BARE, middles[way, INLINE]))
    return [
        *found,
        Line(
            what="  processor time a request",
            measured=f"{ours.work:.2f} ms",
            beside=f"{bare.work:.2f} ms",
            ratio=bare.work / ours.work,
        ),
        Line(
            what="  half, and 99 of 100, within",
            measured=_within(ours),
            beside=_within(bare),
            ratio=ours.measured.p99 / bare.measured.p99,
            aim=f"≤ {MOST_TAIL}",
        ),
        Line(what="  ready in", measured=f"{ours.ready:.1f} s", beside=f"{bare.ready:.1f} s"),
        Line(what="  in memory", measured=f"{ours.memory:.0f} MB", beside=f"{bare.memory:.0f} MB"),
    ]


def _rate(one: Round) -> str:
    put_off = f", at most {one.put_off} put off: too slow a machine" if one.put_off else ""
    return f"{one.measured.rate:.0f} requests/s{put_off}"


def _within(one: Round) -> str:
    return f"{one.measured.p50:.0f}, {one.measured.p99:.0f} ms"


def _beside(what: str, ours: Round, name: str, other: Round, aim: str = "") -> Line:
    mine, theirs = ours.measured.rate, other.measured.rate
    return Line(
        what=what,
        measured=_rate(ours),
        beside=f"{name}: {theirs:.0f} requests/s",
        ratio=mine / theirs,
        aim=aim,
    )


if __name__ == "__main__":
    show(asyncio.run(run()))

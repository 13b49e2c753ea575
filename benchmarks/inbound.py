"""How many `/stuck <text>` requests a second Ritme takes, signed over HTTP and over Socket Mode, kept on SQLite and on
PostgreSQL (by the web process alone), beside the least a durable Slack app can do. Each server runs in its own process,
one after the other, a few rounds; the middle round counts. PostgreSQL runs beside it, and waits for no disk.

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
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import psutil

from adapters.database.migrate import migrate
from adapters.database.unit_of_work import connect, unit_of_work
from benchmarks.link import Link
from benchmarks.load import CONNECTIONS, SECRET, Measured, commands, press
from benchmarks.report import Line, show, under_way
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from tests.support.postgres import Server

ROUNDS = 3
WARM_UP, REQUESTS = 200, 2000
AIM = 0.4
CLONE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way in, and where what comes in is kept. Ritme and the bare app are measured there; where `inline`, the bare
    app also on connections that have no thread of their own."""

    what: str
    socket: bool = False
    postgresql: bool = False
    inline: bool = False


WAYS = (
    Way(what="inbound, SQLite", inline=True),
    Way(what="inbound, PostgreSQL", postgresql=True),
    Way(what="inbound by Socket Mode, SQLite", socket=True),
)
OURS, BARE, INLINE = "Ritme", "bare bolt + one insert", "bare, without threads"


async def furnish(url: str, people: int, lane: str = "slack:T1") -> None:
    """A movement with this many members, of one channel of a workspace."""
    engine = connect(url)
    await migrate(engine)
    now, where, movement = datetime.now(UTC), WorkspaceId(lane), MovementId("m")
    async with unit_of_work(engine)() as work:
        work.people.add(Workspace(id=where))
        work.movements.add(Movement(id=movement, name="Samen op pad", language=Language.NL, started_at=now))
        work.movements.add(
            Place(
                id=PlaceId("p"), workspace_id=where, channel="C1", name="general", movement_id=movement, created_at=now
            )
        )
        for number in range(people):
            account = f"U{number:06d}"
            person = Person(id=PersonId(account), workspace_id=where, account=account, name=account, created_at=now)
            work.people.add(person)
            work.movements.add(Member(movement_id=movement, person_id=person.id, joined_at=now))
    await engine.dispose()


@asynccontextmanager
async def serving(command: list[str], port: int, **environment: str) -> AsyncIterator[tuple[psutil.Process, float]]:
    """A server in its own process, and the seconds it took to be ready."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: ASYNC220  # once, before anything is measured
            [sys.executable, *command], cwd=CLONE, stdout=log, stderr=log, env={**os.environ, **environment}
        )
        try:
            while not await asyncio.to_thread(answers, port):
                if process.poll() is not None or time.perf_counter() - started > 30:
                    log.seek(0)
                    raise RuntimeError(log.read().decode()[-2000:])
                await asyncio.sleep(0.01)
            yield psutil.Process(process.pid), time.perf_counter() - started
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 10)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Round:
    """`ready` in seconds, `memory` in megabytes, `work` in milliseconds of processor time a request: what other work
    on the machine changes least."""

    measured: Measured
    ready: float
    memory: float
    work: float


async def measure(name: str, command: list[str], port: int, link: Link | None, **environment: str) -> Round:
    async with serving(command, port, **environment) as (process, ready):
        send = partial(press, port) if link is None else link.press
        await send(commands(f"{name}.warm", 0, WARM_UP))
        before = process.cpu_times()
        measured = await send(commands(name, WARM_UP, REQUESTS))
        after = process.cpu_times()
        work = (after.user + after.system - before.user - before.system) * 1000 / REQUESTS
        return Round(measured=measured, ready=ready, memory=process.memory_info().rss / 1e6, work=work)


async def lines() -> list[Line]:
    rounds: dict[tuple[Way, str], list[Round]] = {}
    with tempfile.TemporaryDirectory(prefix="ritme-inbound-") as folder, Server(Path(folder) / "postgres") as server:
        each = [(way, who) for way in WAYS for who in ((BARE, INLINE, OURS) if way.inline else (BARE, OURS))]
        for turn in range(ROUNDS):
            for number, (way, who) in enumerate(each):
                name = f"bench_{turn}_{number}"
                url = database(server, name) if way.postgresql else f"sqlite+aiosqlite:///{folder}/{name}.db"
                one = await measured_once(way, who, url)
                rounds.setdefault((way, who), []).append(one)
                under_way(f"  round {turn + 1} of {ROUNDS}: {way.what}, {who}: {one.measured.rate:.0f} requests/s")
    middles = {which: middle(some) for which, some in rounds.items()}
    heading = f"{REQUESTS} /stuck requests, {CONNECTIONS} at a time, the middle of {ROUNDS} rounds"
    return [Line(what=heading), *(line for way in WAYS for line in told(way, middles))]


def database(server: Server, name: str) -> str:
    """Makes an empty one. Returns its URL."""
    server.execute(f"CREATE DATABASE {name}")
    return server.url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


async def measured_once(way: Way, who: str, url: str) -> Round:
    port = free_port()
    async with Link().running() as link:
        by = link if way.socket else None
        name = f"{way.what}, {who}"
        if who != OURS:
            how = ["inline"] if who == INLINE else [f"{link.url}/api/"] if way.socket else []
            return await measure(name, ["-m", "benchmarks.bare", url, str(port), *how], port, by)
        await furnish(url, WARM_UP + REQUESTS)
        return await measure(
            name,
            ["-c", "from adapters.cli import main; main()", "serve"],
            port,
            by,
            RITME_DATABASE_URL=url.replace("+aiosqlite", "").replace("+psycopg", ""),
            RITME_PORT=str(port),
            SLACK_BOT_TOKEN="xoxb-bench",
            SLACK_API_URL=f"{link.url}/api" if way.socket else "http://127.0.0.1:9/api",
            **({"SLACK_APP_TOKEN": "xapp-bench"} if way.socket else {"SLACK_SIGNING_SECRET": SECRET}),
        )


def middle(rounds: Sequence[Round]) -> Round:
    """Of each number the middle one."""

    def of(pick: Callable[[Round], float]) -> float:
        return median(pick(one) for one in rounds)

    measured = Measured(
        rate=of(lambda one: one.measured.rate),
        p50=of(lambda one: one.measured.p50),
        p99=of(lambda one: one.measured.p99),
    )
    return Round(
        measured=measured,
        ready=of(lambda one: one.ready),
        memory=of(lambda one: one.memory),
        work=of(lambda one: one.work),
    )


def told(way: Way, middles: Mapping[tuple[Way, str], Round]) -> list[Line]:
    """Requests a second, and below them what else was seen."""
    ours, bare = middles[way, OURS], middles[way, BARE]
    found = [_beside(way.what, ours, BARE, bare, f"≥ {AIM}")]
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
        Line(what="  half, and 99 of 100, within", measured=_within(ours), beside=_within(bare)),
        Line(what="  ready in", measured=f"{ours.ready:.1f} s", beside=f"{bare.ready:.1f} s"),
        Line(what="  in memory", measured=f"{ours.memory:.0f} MB", beside=f"{bare.memory:.0f} MB"),
    ]


def _within(one: Round) -> str:
    return f"{one.measured.p50:.0f}, {one.measured.p99:.0f} ms"


def _beside(what: str, ours: Round, name: str, other: Round, aim: str = "") -> Line:
    mine, theirs = ours.measured.rate, other.measured.rate
    return Line(
        what=what,
        measured=f"{mine:.0f} requests/s",
        beside=f"{name}: {theirs:.0f} requests/s",
        ratio=mine / theirs,
        aim=aim,
    )


if __name__ == "__main__":
    show(asyncio.run(lines()))

"""How many `/stuck <text>` requests a second Ritme takes, signed over HTTP and over Socket Mode, kept on SQLite, beside
the least a durable Slack app can do. Each server runs in its own process, one after the other, a few rounds; the
middle round counts.

Usage: make bench
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
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
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId

ROUNDS = 3
WARM_UP, REQUESTS = 200, 2000
BESIDE = {
    "bare": "Ritme",
    "bare, inline": "Ritme",
    "Ritme": "Ritme",
    "bare, socket": "Ritme, socket",
    "Ritme, socket": "Ritme, socket",
}
"""What is measured, and beside which of ours."""
CLONE = Path(__file__).resolve().parents[1]


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


async def main() -> None:
    results: dict[str, list[Round]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS):
            for name in BESIDE:
                port, file = free_port(), Path(folder) / f"{turn}-{name.replace(' ', '-')}.db"
                async with Link().running() as link:
                    results.setdefault(name, []).append(await one(name, file, port, link))
    show(results)


async def one(name: str, file: Path, port: int, link: Link) -> Round:
    socket = link if "socket" in name else None
    if not name.startswith("Ritme"):
        how = ["inline"] if "inline" in name else [f"{link.url}/api/"] if socket else []
        return await measure(name, ["-m", "benchmarks.bare", str(file), str(port), *how], port, socket)
    await furnish(f"sqlite+aiosqlite:///{file}", WARM_UP + REQUESTS)
    by = {"SLACK_APP_TOKEN": "xapp-bench"} if socket else {"SLACK_SIGNING_SECRET": SECRET}
    return await measure(
        name,
        ["-c", "from adapters.cli import main; main()", "serve"],
        port,
        socket,
        RITME_DATABASE_URL=f"sqlite:///{file}",
        RITME_PORT=str(port),
        SLACK_BOT_TOKEN="xoxb-bench",
        SLACK_API_URL=f"{link.url}/api" if socket else "http://127.0.0.1:9/api",
        **by,
    )


def show(results: dict[str, list[Round]]) -> None:
    def middle(name: str, pick: Callable[[Round], float]) -> float:
        return median(pick(one) for one in results[name])

    columns: dict[str, Callable[[Round], float]] = {
        "requests/s": lambda one: one.measured.rate,
        "p50 ms": lambda one: one.measured.p50,
        "p99 ms": lambda one: one.measured.p99,
        "CPU ms": lambda one: one.work,
        "ready s": lambda one: one.ready,
        "MB": lambda one: one.memory,
    }
    print(f"{REQUESTS} /stuck requests, {CONNECTIONS} at a time, the middle of {ROUNDS} rounds\n")
    print(f"{'':14}" + "".join(f"{title:>12}" for title in columns) + f"{'of it':>8}{'by CPU':>8}")
    for name in results:
        row = "".join(f"{middle(name, pick):12.1f}" for pick in columns.values())
        ours = BESIDE[name]
        rate = middle(ours, columns["requests/s"]) / middle(name, columns["requests/s"])
        work = middle(name, columns["CPU ms"]) / middle(ours, columns["CPU ms"])
        print(f"{name:14}{row}" + ("" if name == ours else f"{rate:8.2f}{work:8.2f}"))
    print('\n"of it": what Ritme does of that app\'s requests a second; "by CPU": the same, counted in processor time')
    print('"inline": that app on connections without threads')


if __name__ == "__main__":
    asyncio.run(main())

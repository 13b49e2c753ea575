"""How many signed `/stuck <text>` requests a second Ritme takes, kept on SQLite, beside the least a durable Slack app
can do. Each server runs in its own process, one after the other, a few rounds; the middle round counts.

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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil

from adapters.database.migrate import migrate
from adapters.database.unit_of_work import connect, unit_of_work
from benchmarks.load import CONNECTIONS, SECRET, Measured, commands, press
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId

ROUNDS = 3
WARM_UP, REQUESTS = 200, 2000
CLONE = Path(__file__).resolve().parents[1]


async def furnish(url: str, people: int) -> None:
    """A movement with this many members, of one channel."""
    engine = connect(url)
    await migrate(engine)
    now, lane, movement = datetime.now(UTC), WorkspaceId("slack:T1"), MovementId("m")
    async with unit_of_work(engine)() as work:
        work.people.add(Workspace(id=lane))
        work.movements.add(Movement(id=movement, name="Samen op pad", language=Language.NL, started_at=now))
        work.movements.add(
            Place(
                id=PlaceId("p"), workspace_id=lane, channel="C1", name="general", movement_id=movement, created_at=now
            )
        )
        for number in range(people):
            account = f"U{number:06d}"
            person = Person(id=PersonId(account), workspace_id=lane, account=account, name=account, created_at=now)
            work.people.add(person)
            work.movements.add(Member(movement_id=movement, person_id=person.id, joined_at=now))
    await engine.dispose()


@contextmanager
def serving(command: list[str], port: int, **environment: str) -> Iterator[tuple[psutil.Process, float]]:
    """A server in its own process, and the seconds it took to be ready."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=CLONE, stdout=log, stderr=log, env={**os.environ, **environment}
        )
        try:
            while not answers(port):
                if process.poll() is not None or time.perf_counter() - started > 30:
                    log.seek(0)
                    raise RuntimeError(log.read().decode()[-2000:])
                time.sleep(0.01)
            yield psutil.Process(process.pid), time.perf_counter() - started
        finally:
            process.terminate()
            process.wait(10)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def measure(name: str, command: list[str], port: int, **environment: str) -> tuple[Measured, float, float]:
    with serving(command, port, **environment) as (process, ready):
        await press(port, commands(f"{name}.warm", 0, WARM_UP))
        measured = await press(port, commands(name, WARM_UP, REQUESTS))
        return measured, ready, process.memory_info().rss / 1e6


async def main() -> None:
    results: dict[str, list[tuple[Measured, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS):
            for name in ("bare", "bare, inline", "Ritme"):
                port, file = free_port(), Path(folder) / f"{turn}-{name[:10].replace(' ', '-')}.db"
                if name == "Ritme":
                    await furnish(f"sqlite+aiosqlite:///{file}", WARM_UP + REQUESTS)
                    command = ["-c", "from adapters.cli import main; main()", "serve"]
                    environment = {
                        "RITME_DATABASE_URL": f"sqlite:///{file}",
                        "RITME_PORT": str(port),
                        "SLACK_SIGNING_SECRET": SECRET,
                        "SLACK_BOT_TOKEN": "xoxb-bench",
                        "SLACK_API_URL": "http://127.0.0.1:9/api",
                    }
                else:
                    command = ["-m", "benchmarks.bare", str(file), str(port), *(["inline"] if "inline" in name else [])]
                    environment = {}
                results.setdefault(name, []).append(await measure(name, command, port, **environment))
    show(results)


def show(results: dict[str, list[tuple[Measured, float, float]]]) -> None:
    rates = {name: median(one.rate for one, _, _ in rounds) for name, rounds in results.items()}
    print(f"{REQUESTS} signed /stuck requests over {CONNECTIONS} connections, the middle of {ROUNDS} rounds\n")
    print(f"{'':24}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'ready s':>9}{'MB':>6}{'of it':>8}")
    for name, rounds in results.items():
        cells = [median(pick(one) for one in rounds) for pick in (lambda r: r[0].p50, lambda r: r[0].p99)]
        ready, memory = median(one[1] for one in rounds), median(one[2] for one in rounds)
        share = rates["Ritme"] / rates[name]
        print(
            f"{name:24}{rates[name]:12.0f}{cells[0]:9.1f}{cells[1]:9.1f}{ready:9.2f}{memory:6.0f}"
            f"{'' if name == 'Ritme' else f'{share:.2f}':>8}"
        )
    print(
        '\n"of it": what Ritme does of that app\'s requests a second; "inline": that app on connections without threads'
    )


if __name__ == "__main__":
    asyncio.run(main())

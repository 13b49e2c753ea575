"""Measure how many `stuck <text>` turns a second Ritme takes from Teams, beside botbuilder's own echo bot.

Ritme keeps them on SQLite, the echo bot keeps nothing. Each server runs in its own process, one after the other, a few
rounds; of each number the median counts.

Usage: python -m benchmarks teams
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.inbound import ROUNDS, free_port, seed_movement, serve_process
from benchmarks.load import CONNECTIONS, LoadResult, summarize
from benchmarks.report import Line, print_progress, show

WARM_UP, TURNS = 100, 1000
AIM = 10
OURS, ECHO = "Ritme", "botbuilder's echo"
TENANT = "00000000-0000-0000-0000-00000000feed"
APP = "00000000-0000-0000-0000-00000000b071"


@asynccontextmanager
async def connector() -> AsyncIterator[str]:
    """Serve a connector that takes every answer. Yields its address."""

    async def took(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"id": "1"}, status=201)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", took)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def activities(run: str, start: int, many: int, url: str) -> Iterator[dict[str, Any]]:
    """List the activities of `stuck <text>`, each by a different person in their own chat."""
    for number in range(start, start + many):
        who = f"U{number:06d}"
        yield {
            "type": "message",
            "id": f"{run}.{number}",
            "channelId": "msteams",
            "serviceUrl": url,
            "text": "stuck De nachtdienst hoort altijd als laatste wat we doen",
            "from": {"id": f"29:{who}", "name": who, "aadObjectId": who},
            "recipient": {"id": "28:ritme", "name": "Ritme"},
            "conversation": {"id": f"a:{who}", "conversationType": "personal", "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}},
        }


async def send_all(port: int, waiting: Iterator[dict[str, Any]]) -> LoadResult:
    """Post every activity, `CONNECTIONS` at a time. Raises RuntimeError unless each is answered 202."""
    took: list[float] = []

    async def one(session: aiohttp.ClientSession) -> None:
        for activity in waiting:
            started = time.perf_counter()
            async with session.post(f"http://127.0.0.1:{port}/teams/messages", json=activity) as answer:
                if answer.status != 202:
                    raise RuntimeError(f"answered {answer.status}")
            took.append(time.perf_counter() - started)

    started = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        await asyncio.gather(*(one(session) for _ in range(CONNECTIONS)))
    return summarize(took, time.perf_counter() - started)


async def measure(name: str, file: Path, url: str) -> LoadResult:
    """Run a server (OURS or ECHO), warm it up, and send it the turns."""
    port, environment = free_port(), {}
    command = ["-m", "benchmarks.echo", str(port)]
    if name == OURS:
        await seed_movement(f"sqlite+aiosqlite:///{file}", WARM_UP + TURNS, lane=f"teams:{TENANT}")
        command = ["-c", "from adapters.cli import main; main()", "serve"]
        environment = {
            "RITME_DATABASE_URL": f"sqlite:///{file}",
            "RITME_PORT": str(port),
            "RITME_OPERATIONS_PORT": "0",
            "TEAMS_AUTH": "disabled-for-local-test",
            "TEAMS_APP_ID": APP,
        }
    async with serve_process(command, port, **environment):
        await send_all(port, activities(f"{name}.warm", 0, WARM_UP, url))
        return await send_all(port, activities(name, WARM_UP, TURNS, url))


async def run() -> list[Line]:
    """Run the benchmark. Returns its lines for the table."""
    rounds: dict[str, list[LoadResult]] = {ECHO: [], OURS: []}
    with tempfile.TemporaryDirectory(prefix="ritme-teams-") as folder:
        async with connector() as url:
            for turn in range(ROUNDS):
                for who, so_far in rounds.items():
                    found = await measure(who, Path(folder) / f"{turn}.db", url)
                    so_far.append(found)
                    print_progress(f"  round {turn + 1} of {ROUNDS}: {who}: {found.rate:.0f} turns/s")

    def middle(who: str, what: str) -> float:
        return float(median(getattr(one, what) for one in rounds[who]))

    within = {who: f"{middle(who, 'p50'):.0f}, {middle(who, 'p99'):.0f} ms" for who in rounds}
    return [
        Line(what=f"{TURNS} turns from Teams, {CONNECTIONS} at a time, the middle of {ROUNDS} rounds"),
        Line(
            what="turns from Teams, SQLite",
            measured=f"{middle(OURS, 'rate'):.0f} turns/s",
            beside=f"{ECHO}, which keeps nothing: {middle(ECHO, 'rate'):.0f} turns/s",
            ratio=middle(OURS, "rate") / middle(ECHO, "rate"),
            aim=f"≥ {AIM}",
        ),
        Line(what="  half, and 99 of 100, within", measured=within[OURS], beside=within[ECHO]),
    ]


if __name__ == "__main__":
    show(asyncio.run(run()))

"""Measure how many `stuck <text>` turns a second Ritme takes from Teams, until the answer has arrived.

Turns come from many organisations, for Teams paces each, and every token is checked. Beside Ritme on SQLite: the echo
bot of botbuilder, which keeps nothing; the same with its one slow constant repaired; an echo through Ritme's own way in
and out, on top of which all else comes; and the least a bot can do, with sqlite3 and with SQLAlchemy. Each server runs
in its own process, one after the other, a few rounds; of each number the median counts.

Usage: python -m benchmarks teams
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.inbound import ROUNDS, free_port, seed_movements, serve_process
from benchmarks.load import LoadResult, summarize
from benchmarks.microsoft import APP, METADATA_PATH, Microsoft, read_message
from benchmarks.report import Line, print_progress, show

WARM_UP, TURNS = 100, 1000
CONVERSATIONS = 16
AIM = 8
ANSWER_WITHIN = 30
"""Seconds after which a turn without an answer fails the benchmark."""
OURS, ECHO, REPAIRED, REBUILT = "Ritme", "botbuilder's echo", "the echo, repaired", "the echo, Ritme's way"
BARE, LAYERED = "bare aiohttp + sqlite3", "bare aiohttp + SQLAlchemy"
SERVERS = (ECHO, REPAIRED, REBUILT, BARE, LAYERED, OURS)
TENANTS = tuple(f"00000000-0000-0000-0000-{number:012d}" for number in range(1, 25))


def make_turns(microsoft: Microsoft, run: str, start: int, many: int) -> list[tuple[str, bytes]]:
    """Return signed requests of `stuck <text>` by conversation, each by a different person in their own chat."""
    tokens = [microsoft.sign(number) for number in range(len(TENANTS))]
    return [
        (f"a:U{number:06d}", _write_request(microsoft.connector, tokens[number % len(TENANTS)], run, number))
        for number in range(start, start + many)
    ]


def _write_request(url: str, token: str, run: str, number: int) -> bytes:
    who, tenant = f"U{number:06d}", TENANTS[number % len(TENANTS)]
    activity = {
        "type": "message",
        "id": f"{run}.{number}",
        "timestamp": datetime.now(UTC).isoformat(),
        "channelId": "msteams",
        "serviceUrl": url,
        "text": "stuck De nachtdienst hoort altijd als laatste wat we doen",
        "from": {"id": f"29:{who}", "name": who, "aadObjectId": who},
        "recipient": {"id": "28:ritme", "name": "Ritme"},
        "conversation": {"id": f"a:{who}", "conversationType": "personal", "tenantId": tenant},
        "channelData": {"tenant": {"id": tenant}},
    }
    body = json.dumps(activity).encode()
    head = (
        "POST /teams/messages HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def take_turns(port: int, microsoft: Microsoft, turns: list[tuple[str, bytes]]) -> LoadResult:
    """Take every turn, `CONVERSATIONS` at a time. One ends when it was answered 2xx and its answer has arrived."""
    waiting, took = iter(turns), list[float]()
    started = time.perf_counter()
    await asyncio.gather(*(_converse(port, microsoft, waiting, took) for _ in range(CONVERSATIONS)))
    return summarize(took, time.perf_counter() - started)


async def _converse(port: int, microsoft: Microsoft, waiting: Iterator[tuple[str, bytes]], took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for conversation, request in waiting:
        arrived = microsoft.answers[conversation] = asyncio.Event()
        started = time.perf_counter()
        writer.write(request)
        async with asyncio.timeout(ANSWER_WITHIN):
            first, _ = await read_message(reader)
            if " 20" not in first:
                raise RuntimeError(f"answered {first}")
            await arrived.wait()
        took.append(time.perf_counter() - started)
    writer.close()


async def measure(name: str, file: Path, microsoft: Microsoft) -> LoadResult:
    """Run one of `SERVERS`, warm it up, and take the turns."""
    port, metadata, environment = free_port(), microsoft.identity + METADATA_PATH, {}
    match name:
        case "Ritme":
            lanes = tuple(f"teams:{one}" for one in TENANTS)
            await seed_movements(f"sqlite+aiosqlite:///{file}", WARM_UP + TURNS, lanes)
            command = ["-m", "benchmarks.teams_service", microsoft.identity, microsoft.connector]
            environment = {
                "RITME_DATABASE_URL": f"sqlite:///{file}",
                "RITME_PORT": str(port),
                "RITME_OPERATIONS_PORT": "0",
                "TEAMS_APP_ID": APP,
                "TEAMS_APP_PASSWORD": "bench-bench-bench",
                "TEAMS_TENANT_ID": TENANTS[0],
                "TEAMS_ALLOWED_TENANTS": ",".join(TENANTS),
            }
        case "botbuilder's echo" | "the echo, repaired":
            command = ["-m", "benchmarks.echo", str(port), metadata, *(["repaired"] if name == REPAIRED else [])]
        case "the echo, Ritme's way":
            command = ["-m", "benchmarks.teams_echo", str(port), metadata]
        case _:
            how = ["sqlalchemy"] if name == LAYERED else []
            command = ["-m", "benchmarks.teams_bare", str(file), str(port), metadata, *how]
    async with serve_process(command, port, **environment):
        await take_turns(port, microsoft, make_turns(microsoft, "warm", 0, WARM_UP))
        return await take_turns(port, microsoft, make_turns(microsoft, "turn", WARM_UP, TURNS))


async def run() -> list[Line]:
    """Run the benchmark. Returns its lines for the table."""
    rounds: dict[str, list[LoadResult]] = {who: [] for who in SERVERS}
    with tempfile.TemporaryDirectory(prefix="ritme-teams-") as folder:
        async with Microsoft().running() as microsoft:
            for turn in range(ROUNDS):
                for number, (who, so_far) in enumerate(rounds.items()):
                    found = await measure(who, Path(folder) / f"{turn}.{number}.db", microsoft)
                    so_far.append(found)
                    print_progress(f"  round {turn + 1} of {ROUNDS}: {who}: {found.rate:.0f} turns/s")

    def middle(who: str, what: str) -> float:
        return float(median(getattr(one, what) for one in rounds[who]))

    def within(who: str) -> str:
        return f"{middle(who, 'p50'):.0f}, {middle(who, 'p99'):.0f} ms"

    heading = (
        f"{TURNS} turns of {len(TENANTS)} organisations in Teams until the answer arrived, {CONVERSATIONS} at a time, "
        f"the middle of {ROUNDS} rounds"
    )
    lines = [Line(what=heading)]
    for who in SERVERS[:-1]:
        lines += [
            Line(
                what="turns from Teams, SQLite" if who == ECHO else "  beside another",
                measured=f"{middle(OURS, 'rate'):.0f} turns/s",
                beside=f"{who}: {middle(who, 'rate'):.0f} turns/s",
                ratio=middle(OURS, "rate") / middle(who, "rate"),
                aim=f"≥ {AIM}" if who == ECHO else "",
            ),
            Line(what="  half, and 99 of 100, within", measured=within(OURS), beside=within(who)),
        ]
    return lines


if __name__ == "__main__":
    show(asyncio.run(run()))

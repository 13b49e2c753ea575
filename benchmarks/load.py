"""Send signed slash commands over HTTP as fast as they are answered."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import urlencode

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CONNECTIONS = 32
CHANNELS = 20
"""Channels from which commands come, each of a movement of its own: who act in one wait for its row."""


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """Figures of one load: `rate` in requests a second; `p50` and `p99` in milliseconds."""

    rate: float
    p50: float
    p99: float


def make_commands(run: str, start: int, many: int) -> list[dict[str, str]]:
    """Return the payloads of `/stuck <text>`, each by a different person. `run` makes their ids unique."""
    return [
        {
            "command": "/stuck",
            "text": "De nachtdienst hoort altijd als laatste wat we doen",
            "team_id": "T1",
            "user_id": f"U{number:06d}",
            "user_name": f"u{number:06d}",
            "channel_id": f"C{number % CHANNELS + 1}",
            "channel_name": "general",
            "trigger_id": f"{run}.{number}",
            "response_url": "https://hooks.slack.com/commands/x",
        }
        for number in range(start, start + many)
    ]


def _sign_request(command: dict[str, str]) -> bytes:
    body = urlencode(command)
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def send_all(ports: Sequence[int], requests: list[dict[str, str]]) -> LoadResult:
    """Send every request over `CONNECTIONS` connections, divided over the ports. Raises RuntimeError unless each is
    answered 200 with words."""
    # Signed before the clock starts: the client's work is not the server's time.
    waiting, took = iter([_sign_request(request) for request in requests]), list[float]()
    started = time.perf_counter()
    await asyncio.gather(*(_one(ports[each % len(ports)], waiting, took) for each in range(CONNECTIONS)))
    return summarize(took, time.perf_counter() - started)


def summarize(took: list[float], elapsed: float) -> LoadResult:
    """Return the figures of a load. `took`: seconds each; `elapsed`: seconds they took together."""
    cuts = quantiles(took, n=100)
    return LoadResult(rate=len(took) / elapsed, p50=cuts[49] * 1000, p99=cuts[98] * 1000)


async def _one(port: int, waiting: Iterator[bytes], took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        body = await reader.readexactly(length)
        took.append(time.perf_counter() - started)
        if not head.startswith(b"HTTP/1.1 200") or len(body) < 5:
            raise RuntimeError(f"answered {head[:60]!r} {body[:200]!r}")
    writer.close()

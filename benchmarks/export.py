"""Measure how long others wait while the file with everything about somebody is composed, on SQLite.

One process answers `/stuck` from colleagues, one after the other: first by itself, then while it composes the file of
somebody with years of messages. A watchdog in the event loop wakes every millisecond and notes how late it is; the
longest of that is the longest stall, in which nobody was answered. A few rounds; of each number the median counts.

Usage: python -m benchmarks export
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import structlog
from sqlalchemy import create_engine, insert

from adapters.clock import SettableClock
from adapters.database.tables import deliveries, stories
from adapters.database.unit_of_work import connect, unit_of_work
from benchmarks.inbound import seed_movements
from benchmarks.report import Line, print_progress, show
from benchmarks.worker import InstantMessenger
from bot.app import Ritme
from bot.chat import Account, ChatPlace, Intent, Post, Receipt
from bot.domain.delivery import Act, DeliveryState, Priority
from bot.domain.person import WorkspaceId
from bot.domain.story import Readers
from bot.ports import Platform
from tests.scale.everyday import NoEngine
from tests.support.world import MONDAY

ROUNDS = 5
MESSAGES, STORIES = 8_000, 2_000
"""The messages and stories of somebody after years."""
LANE, WHO = "bench:W1", "U000000"
WORDS = "Na de overdracht liepen we met z’n drieën een rondje langs alle kamers, en dat hebben we opgeschreven. " * 3
TICK = 0.001
"""Seconds between two looks of the watchdog."""
PAUSE = 0.005
"""Seconds between two requests of colleagues."""


@dataclass(frozen=True, kw_only=True)
class Stalls:
    """Figures of a watchdog, in milliseconds: the longest stall in `seconds`; what it computed most between
    two looks (which no other process of the machine makes longer), and how long each answer took."""

    longest: float
    busiest: float
    seconds: float
    answers: Sequence[float]


class FileMessenger(InstantMessenger):
    """A platform that takes files at once."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    async def send(self, post: Post) -> Receipt:
        """Count the bytes of a file."""
        self.bytes += len(post.file.content) if post.file else 0
        return await super().send(post)


def fill_with_years(url: str) -> None:
    """Write the messages and the stories of one person."""
    engine = create_engine(url.replace("+aiosqlite", ""))
    with engine.begin() as connection:
        connection.execute(
            insert(deliveries),
            [
                {
                    "id": f"d{number}", "workspace_id": LANE, "movement_id": "m", "person_id": WHO, "kind": "follow_up",
                    "subject": f"s{number}", "args": {"step": f"s{number}", "text": WORDS[:120]}, "act": Act.POST,
                    "reaction": "", "priority": Priority.ASKED_FOR, "key": f"k{number}", "due_at": MONDAY,
                    "state": DeliveryState.SENT, "reason": "", "attempts": 1, "receipt": f"r{number}",
                    "created_at": MONDAY, "sent_at": MONDAY,
                }
                for number in range(MESSAGES)
            ],
        )  # fmt: skip
        connection.execute(
            insert(stories),
            [
                {
                    "id": f"s{number}", "movement_id": "m", "place_id": "p", "teller_id": WHO, "text": WORDS,
                    "named": True, "readers": Readers.MOVEMENT, "part": "", "told_at": MONDAY,
                }
                for number in range(STORIES)
            ],
        )  # fmt: skip
    engine.dispose()


async def watch_loop(during: Awaitable[None]) -> tuple[float, float]:
    """Return the longest stall of the event loop while something goes on, and the longest that it computed at once; in
    milliseconds."""
    longest = busiest = 0.0
    task = asyncio.ensure_future(during)
    while not task.done():
        began, computed = time.perf_counter(), time.thread_time()
        await asyncio.sleep(TICK)  # measured: the timer itself is what comes late
        longest = max(longest, time.perf_counter() - began - TICK)
        busiest = max(busiest, time.thread_time() - computed)
    await task
    return longest * 1000, busiest * 1000


def make_request(name: str, who: str, *, personal: bool = False, **args: str) -> Intent:
    """Make a request of somebody, in the channel or in their own chat."""
    place = ChatPlace(workspace=LANE, channel=f"dm-{who}" if personal else "C1", personal=personal)
    key = str(time.monotonic_ns())
    return Intent(name=name, args=args, actor=Account(workspace=LANE, id=who, name=who), place=place, key=key)


async def measure_stalls(ritme: Ritme, during: Awaitable[None]) -> Stalls:
    """Answer colleagues, one after the other, until something is over."""
    took: list[float] = []
    over = asyncio.ensure_future(during)

    async def answer_colleagues() -> None:
        while not over.done():
            asked = time.perf_counter()
            who = f"U{1 + len(took) % 99:06d}"
            await ritme.handle(make_request("command", who, command="/stuck", text=f"Niemand komt, alweer {len(took)}"))
            took.append((time.perf_counter() - asked) * 1000)
            await asyncio.sleep(PAUSE)  # others are served meanwhile
        await over

    began = time.perf_counter()
    longest, busiest = await watch_loop(answer_colleagues())
    return Stalls(longest=longest, busiest=busiest, seconds=time.perf_counter() - began, answers=sorted(took))


async def measure_round(folder: Path, number: int) -> tuple[Stalls, Stalls, int]:
    """Measure once without a file and once while one is composed. Returns also the bytes of the file."""
    url = f"sqlite+aiosqlite:///{folder / f'{number}.db'}"
    await seed_movements(url, 100, (LANE,))
    fill_with_years(url)
    engine = connect(url)
    messenger = FileMessenger()
    ritme = Ritme(
        transact=unit_of_work(engine),
        platforms={"bench": Platform(messenger=messenger)},
        clock=SettableClock(MONDAY, running=False),
        engine=NoEngine(),
    )

    async def drain() -> None:
        while await ritme.drain(WorkspaceId(LANE)):
            pass

    async def give_file() -> None:
        await ritme.handle(make_request("me.export", WHO, personal=True))
        await drain()

    await measure_stalls(ritme, asyncio.sleep(0.5))  # warm: templates and statements are compiled
    await drain()
    with_file = await measure_stalls(ritme, give_file())
    await drain()
    alone = await measure_stalls(ritme, asyncio.sleep(with_file.seconds))
    await engine.dispose()
    if not messenger.bytes:
        raise RuntimeError("no file was given")
    return alone, with_file, messenger.bytes


async def run() -> list[Line]:
    """Run the benchmark. Returns its lines for the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rounds = []
    with tempfile.TemporaryDirectory(prefix="ritme-export-") as folder:
        for number in range(ROUNDS):
            rounds.append(await measure_round(Path(folder), number))
            alone, with_file, _ = rounds[-1]
            print_progress(f"  longest stall {with_file.longest:.1f} ms, {alone.longest:.1f} ms without a file")
    size = rounds[0][2] / 2**20
    took = median(one.seconds for _, one, _ in rounds)
    longest, bare = (median(pair[which].longest for pair in rounds) for which in (1, 0))
    busiest, bare_busiest = (median(pair[which].busiest for pair in rounds) for which in (1, 0))
    middle, bare_middle = (median(median(pair[which].answers) for pair in rounds) for which in (1, 0))
    return [
        Line(what=f"a file with {MESSAGES + STORIES:,} rows ({size:.0f} MB), composed in {took:.1f} s, on SQLite"),
        Line(
            what="  longest stall of the event loop", measured=f"{longest:.1f} ms",
            beside=f"the same requests, and no file: {bare:.1f} ms", ratio=longest / bare, aim="< 50 ms",
        ),
        Line(
            what="  of that, computing at once", measured=f"{busiest:.1f} ms",
            beside=f"{bare_busiest:.1f} ms", ratio=busiest / bare_busiest,
        ),
        Line(
            what="  an answer meanwhile", measured=f"p50 {middle:.1f} ms",
            beside=f"p50 {bare_middle:.1f} ms", ratio=middle / bare_middle,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    show(asyncio.run(run()))

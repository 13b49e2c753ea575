"""Run one ordeal: real `ritme serve` and `ritme worker` processes over a real PostgreSQL, killed and stopped at random.

Meanwhile people in two workspaces tell stories, rhythms come due, and the Slack of the tests answers with 429s and
500s, hangs up, or answers when nobody waits any more, before and after it did what was asked. In the end every story
that was accepted is kept once and stands in its channel once, never after one that was told only then; every rhythm's
moment likewise; and whatever was not sent has a reason.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import aiohttp
from sqlalchemy import select

from adapters.database.tables import deliveries
from adapters.database.unit_of_work import connect
from bot import wording
from bot.catalogue.errors import Apology
from bot.domain.delivery import DeliveryState
from bot.domain.person import Language
from bot.wording import Reader
from tests.fakes.slack.people import People, Sent
from tests.support.postgres import Server
from tests.torture.judging import judge
from tests.torture.stage import (
    FAULTS,
    TOO_LATE,
    Process,
    SlackWorkspaces,
    Spot,
    make_processes,
    new_encryption_key,
    seed_workspaces,
)

STOP_SHARE = 0.25
"""Share of the processes struck that are told to stop (SIGTERM) rather than killed."""
READY_SHARE = 0.8
"""Share struck when all roles are at work; the others perhaps while they begin."""
READY_TIMEOUT = 60.0
LATE_SHARE = 0.2
"""Share of Slack's faults that are answers too late: each keeps its place waiting for half a minute."""
SETTLE_TIMEOUT = 300.0
"""Seconds after the last kill: a killed worker's jobs come back after half a minute, what it was sending after one."""


class Told(NamedTuple):
    """Where a story was told, and when it was first asked and accepted, on one clock (s)."""

    spot: Spot
    asked: float
    accepted: float


@dataclass
class Report:
    """Counts of what happened, and what was wrong in the end; `problems` is empty when nothing was."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    accepted: dict[str, Told] = field(default_factory=dict)
    """Every story that was accepted, by its text."""
    retries: int = 0
    away: int = 0
    moments: str = ""
    sent: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    too_late: int = 0
    settled_after: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills.total()} kills ({_each(self.kills)}), {self.stops.total()} told to stop "
            f"({_each(self.stops)}), {self.restarts} database restarts, {self.faults} faults of Slack, {self.too_late} "
            f"of them answers that came too late, {self.seconds:.0f} s\n"
            f"{len(self.accepted)} stories accepted ({self.retries} requests tried again, {self.away} answered "
            f"503), moments due: {self.moments}; {self.sent.total()} messages sent ({_each(self.sent)}); settled after "
            f"{self.settled_after:.0f} s\n"
            + ("nothing lost, nothing twice, all in order" if not self.problems else "\n".join(self.problems))
        )


def _each(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counted.items()))


@dataclass
class Ordeal:
    """One run: its seed, its server, and the report that grows while it goes on."""

    seed: int
    folder: Path
    server: Server
    report: Report = field(init=False)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.report = Report(self.seed)

    async def run(self, *, kills: int, restarts: int = 0) -> Report:
        """Strike so many times, with so many restarts of the database in between, then wait and judge."""
        began = time.monotonic()
        url, key = self.server.create_database("torture"), new_encryption_key()
        self.database = connect(url)
        async with SlackWorkspaces().running() as slack, aiohttp.ClientSession() as session:
            self.slack = slack
            await seed_workspaces(self.database, slack, key, self._random("rhythms"), seconds=max(6.0, kills * 1.2))
            begun, ports = make_processes(url, f"{slack.url}/api/", key, self.folder)
            self.doors = [
                People(
                    server=slack.workspaces[0],
                    session=session,
                    bot_url=f"http://127.0.0.1:{port}/slack/events",
                    forbids_calls=False,
                )
                for port in ports
            ]
            try:
                for process in begun:
                    process.begin()
                await self._wait_until_ready(session, ports)
                tellers = [asyncio.create_task(self._tell_stories(number)) for number in range(len(slack.tellers))]
                trouble = asyncio.create_task(self._cause_faults())
                await self._strike(begun, kills, restarts)
                self.over.set()
                await asyncio.gather(*tellers, trouble)
                for one in slack.workspaces:
                    one.faults.clear()
                await self._wait_until_settled()
            finally:
                self.over.set()
                for process in begun:
                    process.kill()
            await judge(self.report, self.database, slack)
        await self.database.dispose()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _random(self, what: str) -> random.Random:
        """Return a generator of its own for everything that goes on at once, so that a seed repeats each of them."""
        return random.Random(f"{self.seed}/{what}")

    async def _wait_until_ready(self, session: aiohttp.ClientSession, ports: list[int]) -> None:
        async with asyncio.timeout(60):
            for port in ports:
                while not await self._is_ready(session, port):  # noqa: ASYNC110  # another process
                    await asyncio.sleep(0.2)

    async def _is_ready(self, session: aiohttp.ClientSession, port: int) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    # -- what goes on -------------------------------------------------------------------------------------------------

    async def _tell_stories(self, teller: int) -> None:
        """Tell one story after another, some of them in one go in one place.

        A request that was not accepted is made again unchanged, as Slack does: the same key must not act twice.
        """
        chance, number, more = self._random(f"teller {teller}"), 0, 0
        where, user = self.slack.tellers[teller]
        spots = [spot for spot in self.slack.spots if spot.slack is where]
        spot = spots[0]
        while not self.over.is_set():
            if not more:
                await asyncio.sleep(chance.uniform(1, 5))
                spot, more = chance.choice(spots), chance.randint(1, 3)
            number, more = number + 1, more - 1
            text = f"verhaal {teller}-{number}."
            body = urlencode(
                {
                    "command": "/verhaal",
                    "text": text,
                    "team_id": where.team,
                    "user_id": user,
                    "user_name": f"teller{teller}",
                    "channel_id": spot.channel,
                    "channel_name": "place",
                    "trigger_id": f"{teller}.{number}",
                    "response_url": f"{self.slack.url}/response/none",
                }
            )
            sent = Sent(body=body, content_type="application/x-www-form-urlencoded")
            asked = time.monotonic()
            while not await self._is_accepted(chance.choice(self.doors), sent):
                self.report.retries += 1
                await asyncio.sleep(0.1)
            self.report.accepted[text] = Told(spot, asked, time.monotonic())

    async def _is_accepted(self, people: People, sent: Sent) -> bool:
        try:
            async with asyncio.timeout(10):
                status, said = await people.deliver(sent)
        except (aiohttp.ClientError, TimeoutError):
            return False
        apologised = isinstance(said, dict) and str(said.get("text", "")).startswith(_apology_start())
        if status == 503 or apologised:
            self.report.away += 1
        return status == 200 and not apologised

    async def _cause_faults(self) -> None:
        """Add faults to Slack, at most three waiting in each workspace; the first is an answer that comes too late."""
        chance, late = self._random("trouble"), True
        while not self.over.is_set():
            faults = chance.choice(self.slack.workspaces).faults
            if len(faults) < 3:
                faults.append(chance.choice(TOO_LATE if late else FAULTS))
                self.report.faults += 1
                self.report.too_late += late
            late = chance.random() < LATE_SHARE
            await asyncio.sleep(chance.uniform(0.1, 1.0))

    async def _strike(self, begun: list[Process], kills: int, restarts: int) -> None:
        """Kill or stop one process after another while the others work; the first is stopped, so that one always is."""
        chance = self._random("strikes")
        at, stopping = set(chance.sample(range(kills), restarts)), []
        for number in range(kills):
            await asyncio.sleep(chance.uniform(0.2, 1.6))
            await self._wait_until_at_work(begun)
            if number in at:
                await asyncio.to_thread(self.server.restart)
                await self.database.dispose()
                self.report.restarts += 1
            ready = chance.random() < READY_SHARE
            victim = chance.choice([one for one in begun if (one.is_ready if ready else not one.is_stopping)])
            if number == 0 or chance.random() < STOP_SHARE:
                self.report.stops[victim.role] += 1
                stopping.append(asyncio.create_task(victim.stop()))
            else:
                victim.kill()
                self.report.kills[victim.role] += 1
                victim.begin()
        self.report.problems += [wrong for wrong in await asyncio.gather(*stopping) if wrong]

    async def _wait_until_at_work(self, begun: list[Process]) -> None:
        """Wait until at least one process of each role is ready."""
        async with asyncio.timeout(READY_TIMEOUT):
            while {one.role for one in begun if one.is_ready} < {one.role for one in begun}:  # noqa: ASYNC110  # others
                await asyncio.sleep(0.05)

    async def _wait_until_settled(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_TIMEOUT and await self._is_busy():  # noqa: ASYNC110  # other processes
            await asyncio.sleep(0.5)
        self.report.settled_after = time.monotonic() - began
        if await self._is_busy():
            self.report.problems.append(f"not settled within {SETTLE_TIMEOUT:.0f} s")

    async def _is_busy(self) -> bool:
        under_way = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
        async with self.database.connect() as connection:
            left = await connection.execute(select(deliveries.c.id).where(deliveries.c.state.in_(under_way)).limit(1))
            return left.first() is not None


def _apology_start() -> str:
    reader = Reader(language=Language.NL, timezone="UTC", now=datetime.now(UTC))
    return wording.render_entry(Apology(reference="@"), reader).text.partition("@")[0][:25]


@asynccontextmanager
async def ordeal(seed: int, folder: Path) -> AsyncIterator[Ordeal]:
    """An ordeal with a PostgreSQL of its own, which can be restarted; its logs are in `folder`."""
    with Server(durable=True) as server:
        yield Ordeal(seed=seed, folder=folder, server=server)

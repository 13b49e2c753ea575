"""One ordeal: real `ritme serve` and `ritme worker` processes over a real PostgreSQL, killed at random, by a seed.

Meanwhile people tell stories, rhythms come due, and the Slack of the tests answers with 429s and 500s and hangs up,
before and after it did what was asked. In the end every story that was accepted stands in its channel once, in the
order it was accepted there; every rhythm's moment likewise; and whatever was not sent has a reason.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from sqlalchemy import select

from adapters.database.tables import deliveries, places, stories
from adapters.database.unit_of_work import connect, unit_of_work
from bot import wording
from bot.catalogue.errors import Apology
from bot.domain.delivery import Act, DeliveryState
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.wording import Reader
from tests.fakes.slack.people import SECRET, People, Sent
from tests.fakes.slack.server import BOT, TEAM, TOKEN, SlackServer
from tests.fakes.slack.state import Fault
from tests.postgres import Server

LANE = WorkspaceId(f"slack:{TEAM}")
CHANNELS, TELLERS = 12, 6
FAULTS = (
    Fault(method="chat.postMessage", status=429, error="ratelimited", retry_after=1),
    Fault(method="chat.postMessage", status=500),
    Fault(method="chat.postMessage", status=500, after=True),
    Fault(method="chat.postMessage", hang_up=True),
    Fault(method="chat.postMessage", hang_up=True, after=True),
    Fault(method="chat.postMessage", error="internal_error", after=True),
)
SETTLES_WITHIN = 240.0
"""Seconds after the last kill: a killed worker's jobs come back after half a minute, what it was sending after one."""


@dataclass
class Report:
    """What happened, and what was wrong in the end; `problems` is empty when nothing was."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    accepted: int = 0
    tried_again: int = 0
    away: int = 0
    moments: str = ""
    sent: int = 0
    faults: int = 0
    settled_after: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        killed = ", ".join(f"{count} {role}" for role, count in sorted(self.kills.items()))
        return (
            f"seed {self.seed}: {sum(self.kills.values())} kills ({killed}), {self.restarts} database restarts, "
            f"{self.faults} faults of Slack, {self.seconds:.0f} s\n"
            f"{self.accepted} stories accepted ({self.tried_again} requests tried again, {self.away} answered 503), "
            f"moments due: {self.moments}; {self.sent} messages sent; settled after {self.settled_after:.0f} s\n"
            + ("nothing lost, nothing twice, all in order" if not self.problems else "\n".join(self.problems))
        )


@dataclass
class Process:
    """A `ritme` process that is begun again whenever it was killed."""

    role: str
    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-c", "from adapters.cli import main; main()", *self.command],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        assert self.running is not None
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()


@dataclass
class Ordeal:
    seed: int
    folder: Path
    server: Server
    report: Report = field(init=False)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.report = Report(self.seed)
        self.chance = random.Random(self.seed)

    async def run(self, *, kills: int, restarts: int = 0) -> Report:
        """Goes through so many kills, and so many restarts of the database in between."""
        began = time.monotonic()
        url = self.server.database("torture")
        self.database = connect(url)
        async with SlackServer(lambda: datetime.now(UTC)).running() as slack, aiohttp.ClientSession() as session:
            self.slack = slack
            await self._furnish(seconds=kills * 1.2)
            ports = [_free_port() for _ in range(2)]
            processes = self._processes(url, ports)
            self.people = [
                People(
                    server=slack, session=session, bot_url=f"http://127.0.0.1:{port}/slack/events", nobody_else=False
                )
                for port in ports
            ]
            try:
                for process in processes:
                    process.begin()
                await self._answers(session, ports)
                tellers = [asyncio.create_task(self._tell(number)) for number in range(TELLERS)]
                trouble = asyncio.create_task(self._trouble())
                await self._kill(processes, kills, restarts)
                self.over.set()
                await asyncio.gather(*tellers, trouble)
                slack.faults.clear()
                await self._settled()
            finally:
                self.over.set()
                for process in processes:
                    process.kill()
            await self._judge()
        await self.database.dispose()
        self.report.seconds = time.monotonic() - began
        return self.report

    # -- the stage ----------------------------------------------------------------------------------------------------

    async def _furnish(self, seconds: float) -> None:
        now = datetime.now(UTC)
        self.tellers = [self.slack.add_user(f"teller{number}").id for number in range(TELLERS)]
        self.channels = [self.slack.add_channel(f"place{number}", *self.slack.users).id for number in range(CHANNELS)]
        movement = Movement(id=MovementId("movement"), name="Samen op pad", language=Language.NL, started_at=now)
        # Nowhere is it quiet time, where it is noon.
        movement.timezone = f"Etc/GMT{now.hour - 12:+d}"  # POSIX turns the sign
        async with unit_of_work(self.database)() as work:
            work.people.add(Workspace(id=LANE, name="Wijkzorg"))
            work.movements.add(movement)
            for number, user in enumerate(self.tellers):
                person = Person(id=PersonId(f"p{number}"), workspace_id=LANE, account=user, name=user, created_at=now)
                work.people.add(person)
                work.movements.add(
                    Member(movement_id=movement.id, person_id=person.id, role=Role.MEMBER, joined_at=now)
                )
            for number, channel in enumerate(self.channels):
                place = Place(id=PlaceId(channel), workspace_id=LANE, channel=channel, name=channel, created_at=now)
                place.movement_id, place.timezone = movement.id, movement.timezone
                work.movements.add(place)
                due = now + timedelta(seconds=self.chance.uniform(5, max(6.0, seconds)))
                rhythm = Rhythm(
                    id=RhythmId(f"r{number}"),
                    movement_id=movement.id,
                    place_id=place.id,
                    kind=RhythmKind.STORIES,
                    rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR,SA,SU",
                    starts_on=due.date(),
                    at=due.time().replace(tzinfo=None),
                    timezone="UTC",
                    next_at=due,
                    created_by=None,
                    created_at=now,
                )
                work.rhythms.add(rhythm)

    def _processes(self, url: str, ports: list[int]) -> list[Process]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RITME_", "SLACK_"))},
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "RITME_DATABASE_URL": url,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_URL": self.slack.api_url,
        }
        webs = [
            Process("web", ("serve",), {**environment, "RITME_PORT": str(port)}, self.folder / f"web-{port}.log")
            for port in ports
        ]
        workers = [
            Process("worker", ("worker", "--concurrency", "2"), environment, self.folder / f"worker-{number}.log")
            for number in range(2)
        ]
        return [*webs, *workers]

    async def _answers(self, session: aiohttp.ClientSession, ports: list[int]) -> None:
        async with asyncio.timeout(60):
            for port in ports:
                while not await self._is_ready(session, port):  # noqa: ASYNC110  # another process
                    await asyncio.sleep(0.2)

    async def _is_ready(self, session: aiohttp.ClientSession, port: int) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    # -- what goes on -------------------------------------------------------------------------------------------------

    async def _tell(self, teller: int) -> None:
        """One story after another. A request that was not accepted is made again, as it was, as Slack does."""
        chance = random.Random(f"{self.seed}/{teller}")
        number = 0
        while not self.over.is_set():
            number += 1
            body = urlencode(
                {
                    "command": "/verhaal",
                    "text": f"verhaal {teller}-{number}.",
                    "team_id": TEAM,
                    "user_id": self.tellers[teller],
                    "user_name": f"teller{teller}",
                    "channel_id": chance.choice(self.channels),
                    "channel_name": "place",
                    "trigger_id": f"{teller}.{number}",
                    "response_url": f"{self.slack.url}/response/none",
                }
            )
            sent = Sent(body=body, content_type="application/x-www-form-urlencoded")
            while not await self._accepted(chance.choice(self.people), sent):
                self.report.tried_again += 1
                await asyncio.sleep(0.1)
            self.report.accepted += 1
            await asyncio.sleep(chance.uniform(0.3, 1.5))

    async def _accepted(self, people: People, sent: Sent) -> bool:
        try:
            async with asyncio.timeout(10):
                status, said = await people.deliver(sent)
        except (aiohttp.ClientError, TimeoutError):
            return False
        apologised = isinstance(said, dict) and str(said.get("text", "")).startswith(_apology())
        if status == 503 or apologised:
            self.report.away += 1
        return status == 200 and not apologised

    async def _trouble(self) -> None:
        while not self.over.is_set():
            if len(self.slack.faults) < 3:
                self.slack.faults.append(self.chance.choice(FAULTS))
                self.report.faults += 1
            await asyncio.sleep(self.chance.uniform(0.1, 1.0))

    async def _kill(self, processes: list[Process], kills: int, restarts: int) -> None:
        at = set(self.chance.sample(range(kills), restarts))
        for number in range(kills):
            await asyncio.sleep(self.chance.uniform(0.2, 1.6))
            if number in at:
                await asyncio.to_thread(self.server.restart)
                await self.database.dispose()
                self.report.restarts += 1
            victim = self.chance.choice(processes)
            victim.kill()
            self.report.kills[victim.role] += 1
            victim.begin()

    async def _settled(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < SETTLES_WITHIN and await self._busy():  # noqa: ASYNC110  # other processes
            await asyncio.sleep(0.5)
        self.report.settled_after = time.monotonic() - began

    async def _busy(self) -> bool:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        under_way = deliveries.c.state.in_((DeliveryState.SENDING, DeliveryState.UNKNOWN))
        due = (deliveries.c.state == DeliveryState.WAITING) & (deliveries.c.due_at < soon)
        async with self.database.connect() as connection:
            left = await connection.execute(select(deliveries.c.id).where(under_way | due).limit(1))
            return left.first() is not None

    # -- what came of it ----------------------------------------------------------------------------------------------

    async def _judge(self) -> None:
        wrong, accepted = self.report.problems.append, self.report.accepted
        async with self.database.connect() as connection:
            query = select(deliveries, places.c.channel).outerjoin(places, places.c.id == deliveries.c.place_id)
            rows = (await connection.execute(query.order_by(deliveries.c.row))).all()
            told = Counter((await connection.execute(select(stories.c.text))).scalars())
        if len(told) != accepted or sum(told.values()) != accepted:
            wrong(f"{accepted} stories were accepted, {sum(told.values())} are kept, {len(told)} of them unlike others")
        for row in rows:
            unsettled = row.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED)
            if unsettled or (row.state is DeliveryState.DROPPED and not row.reason):
                wrong(f"{row.kind} is {row.state.value}, reason: {row.reason or 'none'}")
        moments = Counter(f"{row.state.value} {row.reason}".strip() for row in rows if row.kind == "rhythm_stories")
        self.report.moments = ", ".join(f"{count} {what}" for what, count in moments.items())
        if moments.total() != CHANNELS:
            wrong(f"{CHANNELS} moments came due, {moments.total()} were planned")
        public = [row for row in rows if row.channel and row.person_id is None and row.act is Act.POST]
        self.report.sent = sum(row.state is DeliveryState.SENT for row in public)
        for channel in self.channels:
            self._judge_channel(channel, [row for row in public if row.channel == channel])
        self.report.problems += [f"Slack: {problem}" for problem in self.slack.problems]

    def _judge_channel(self, channel: str, rows: list[Any]) -> None:
        shown = [one for one in self.slack.channels[channel].messages if one.by == BOT and one.only_for is None]
        stand = [one.metadata["event_payload"]["id"] for one in shown if one.metadata]
        line = sorted(rows, key=lambda row: (row.queued_at, row.row))
        sent = [row for row in line if row.state is DeliveryState.SENT]
        if Counter(stand) != Counter(row.id for row in sent):
            twice = sum(count > 1 for count in Counter(stand).values())
            self.report.problems.append(f"{channel}: {len(sent)} sent, {len(stand)} stand there, {twice} of them twice")
        # A reminder goes after what people asked for: only among themselves do stories keep their order.
        asked = [row.id for row in sent if row.kind != "rhythm_stories"]
        if [one for one in stand if one in asked] != [one for one in asked if one in stand]:
            self.report.problems.append(f"{channel}: out of order")
            self.report.problems += [
                f"  {row.id[:8]} {row.kind} stands at {stand.index(row.id) if row.id in stand else '-'}, "
                f"tries {row.attempts}, made {row.created_at}, sent {row.sent_at}"
                for row in line
            ]


def _apology() -> str:
    reader = Reader(language=Language.NL, timezone="UTC", now=datetime.now(UTC))
    return wording.message(Apology(reference="@"), reader).text.partition("@")[0][:25]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def ordeal(seed: int, folder: Path) -> AsyncIterator[Ordeal]:
    """An ordeal with a PostgreSQL of its own, which can be restarted."""
    with Server(folder / "postgres", durable=True) as server:
        yield Ordeal(seed=seed, folder=folder, server=server)

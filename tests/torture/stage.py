"""The surroundings of an ordeal: two workspaces of one Slack, a movement in each, and the processes that serve both."""

import os
import random
import signal
import socket
import subprocess
import sys
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography.fernet import Fernet
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.slack import SqlInstallations
from adapters.database.unit_of_work import unit_of_work
from adapters.slack.tokens import TokenCipher
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.fakes.slack.people import SECRET
from tests.fakes.slack.server import BOT, SlackServer
from tests.fakes.slack.state import Fault

CHANNELS, TELLERS = 6, 3
"""Numbers in each workspace."""
FAULTS = (
    Fault(method="chat.postMessage", status=429, error="ratelimited", retry_after=1),
    Fault(method="chat.postMessage", status=500),
    Fault(method="chat.postMessage", status=500, after=True),
    Fault(method="chat.postMessage", hang_up=True),
    Fault(method="chat.postMessage", hang_up=True, after=True),
    Fault(method="chat.postMessage", error="internal_error", after=True),
)
TOO_LATE = (
    Fault(method="chat.postMessage", never=True),
    Fault(method="chat.postMessage", never=True, after=True),
    Fault(method="chat.postMessage", late=True),
)
"""Slack answers after we stopped waiting, and acted on the request before that, after it, or not at all."""
STOP_TIMEOUT = 30.0
"""Seconds that a process told to stop has to finish what it began."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A channel, with its workspace."""

    slack: SlackServer
    channel: str

    @property
    def place(self) -> PlaceId:
        return PlaceId(f"{self.slack.team}-{self.channel}")

    def __str__(self) -> str:
        return self.place


class SlackWorkspaces:
    """Two workspaces at one address, told apart by the token of whoever asks."""

    def __init__(self) -> None:
        self.workspaces = [
            SlackServer(lambda: datetime.now(UTC), team=team, token=f"xoxb-test-{team}") for team in ("T1", "T2")
        ]
        self.tellers: list[tuple[SlackServer, str]] = []
        self.spots: list[Spot] = []
        for one in self.workspaces:
            self.tellers += [(one, one.add_user(f"teller{number}").id) for number in range(TELLERS)]
            self.spots += [
                Spot(slack=one, channel=one.add_channel(f"place{number}", *one.users).id) for number in range(CHANNELS)
            ]
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SlackWorkspaces"]:
        """Serve from entering to leaving the context, on a free port."""
        app = web.Application()
        app.router.add_post("/api/{method}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            for one in self.workspaces:
                one._closing.set()
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "")
        asked = next((one for one in self.workspaces if shown == f"Bearer {one.token}"), self.workspaces[0])
        return await asked._serve(request)

    @property
    def problems(self) -> list[str]:
        return [f"{one.team}: {problem}" for one in self.workspaces for problem in one.problems]


async def seed_workspaces(
    database: AsyncEngine, slack: SlackWorkspaces, key: str, chance: random.Random, seconds: float
) -> None:
    """Install Ritme in every workspace, with a movement, and in each channel a rhythm due within `seconds`."""
    now = datetime.now(UTC)
    # A time zone where it is noon now, outside the quiet hours; on a day of the weekend it is quiet all the same.
    noon = f"Etc/GMT{now.hour - 12:+d}"  # POSIX turns the sign
    for one in slack.workspaces:
        lane, movement = WorkspaceId(f"slack:{one.team}"), MovementId(f"movement-{one.team}")
        await SqlInstallations(database).save(
            {
                "team_id": one.team,
                "team_name": one.team,
                "app_id": "A1",
                "bot_user_id": BOT,
                "bot_token": TokenCipher((key,)).encrypt(one.token),
                "refresh_token": None,
                "expires_at": None,
                "renewing_until": None,
                "scopes": "",
                "installed_by": "U1",
                "installed_at": now,
            }
        )
        async with unit_of_work(database).begin() as work:
            work.people.add(Workspace(id=lane, name=one.team))
            begun = Movement(id=movement, name="Samen op pad", language=Language.NL, started_at=now)
            begun.timezone = noon
            work.movements.add(begun)
            for user in (user for where, user in slack.tellers if where is one):
                who = PersonId(f"{one.team}-{user}")
                work.people.add(Person(id=who, workspace_id=lane, account=user, name=user, created_at=now))
                work.movements.add(Member(movement_id=movement, person_id=who, role=Role.MEMBER, joined_at=now))
            for spot in (spot for spot in slack.spots if spot.slack is one):
                place = Place(id=spot.place, workspace_id=lane, channel=spot.channel, name="place", created_at=now)
                place.movement_id, place.timezone = movement, noon
                work.movements.add(place)
                work.rhythms.add(
                    _daily_rhythm(spot, movement, now, now + timedelta(seconds=chance.uniform(5, seconds)))
                )


def _daily_rhythm(spot: Spot, movement: MovementId, now: datetime, due: datetime) -> Rhythm:
    return Rhythm(
        id=RhythmId(f"r-{spot}"),
        movement_id=movement,
        place_id=spot.place,
        kind=RhythmKind.STORIES,
        rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        starts_on=due.date(),
        at=due.time().replace(tzinfo=None),
        timezone="UTC",
        next_at=due,
        created_by=None,
        created_at=now,
    )


@dataclass
class Process:
    """A `ritme` process that is begun again whenever it was killed or stopped."""

    role: str
    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None
    is_stopping: bool = False
    _logged: int = field(default=0)

    def begin(self) -> None:
        """Start it; what it says goes to its log."""
        with self.log.open("ab") as log:
            self._logged = log.tell()
            self.running = subprocess.Popen(
                [sys.executable, "-c", "from adapters.cli import main; main()", *self.command],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    @property
    def is_ready(self) -> bool:
        """True once it logged that it is ready, since it was last begun, and while it is not told to stop."""
        return not self.is_stopping and b"is ready" in self.log.read_bytes()[self._logged :]

    def kill(self) -> None:
        """Send SIGKILL, and wait until it is gone."""
        assert self.running is not None
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()

    async def stop(self) -> str:
        """Send SIGTERM, wait, and begin it again. Returns what was wrong with how it ended; empty when nothing was."""
        assert self.running is not None
        heard, self.is_stopping = self.is_ready, True
        self.running.send_signal(signal.SIGTERM)
        try:
            code = await to_thread(self.running.wait, STOP_TIMEOUT)
            # Before it was ready, it ends as any process does.
            wrong = "" if code == 0 or (code == -signal.SIGTERM and not heard) else f"ended with {code}"
        except subprocess.TimeoutExpired:
            wrong = f"did not stop within {STOP_TIMEOUT:.0f} s"
            self.kill()
        self.begin()
        self.is_stopping = False
        return wrong and f"{self.role}, told to stop, {wrong}: see {self.log}"


def make_processes(url: str, api_url: str, key: str, folder: Path) -> tuple[list[Process], list[int]]:
    """Return two web and two worker processes, not begun yet, and the ports of the web processes."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RITME_", "SLACK_"))},
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "RITME_DATABASE_URL": url,
        "RITME_SECRET_KEY": key,
        "RITME_PUBLIC_URL": "https://ritme.example.org",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "geheim-van-de-app",
        "SLACK_API_URL": api_url,
        "RITME_OPERATIONS_PORT": "0",
    }
    ports = [_free_port() for _ in range(2)]
    webs = [
        Process("web", ("serve",), {**environment, "RITME_PORT": str(port)}, folder / f"web-{port}.log")
        for port in ports
    ]
    workers = [
        Process("worker", ("worker", "--concurrency", "2"), environment, folder / f"worker-{number}.log")
        for number in range(2)
    ]
    return [*webs, *workers], ports


def new_encryption_key() -> str:
    """Return a key that encrypts the workspaces' tokens."""
    return Fernet.generate_key().decode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])

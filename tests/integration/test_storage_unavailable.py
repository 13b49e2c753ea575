"""While PostgreSQL is unavailable, events get 503 and commands an answer that says so; repeated requests act once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp
import psycopg
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from adapters.bootstrap import open_service
from adapters.database.slack import SqlInstallations
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.settings import Settings
from adapters.slack.tokens import TokenCipher
from adapters.web import make_operations_app
from bot import wording
from bot.catalogue.errors import Apology
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.wording import Reader
from tests.fakes.slack.people import SECRET, People, Sent
from tests.fakes.slack.server import TEAM, TOKEN, SlackServer
from tests.support.postgres import Server

TENANT, WEST = "00000000-0000-0000-0000-00000000feed", "19:west@thread.tacv2"
KEY = Fernet.generate_key().decode()
MANY = {
    "slack_client_id": "1.2",
    "slack_client_secret": "geheim",
    "secret_key": KEY,
    "public_url": "https://ritme.example.org",
}
FORM = "application/x-www-form-urlencoded"
AWAY = wording.render_entry(
    Apology(reference="@"), Reader(language=Language.NL, timezone="UTC", now=datetime(2027, 3, 1, tzinfo=UTC))
).text.partition("@")[0].replace("*", "")  # fmt: skip


@dataclass
class ServedRitme:
    """`ritme serve` over a PostgreSQL server that can be stopped."""

    server: Server
    url: str
    address: str
    people: People
    session: aiohttp.ClientSession
    iris: str
    channel: str
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def command(self, line: str, **more: str) -> Sent:
        """Make the request that Slack sends for a slash command of Iris."""
        command, _, text = line.partition(" ")
        fields = {
            "command": command,
            "text": text,
            "team_id": TEAM,
            "user_id": self.iris,
            "user_name": "iris",
            "channel_id": self.channel,
            "channel_name": "wijkteam",
            "trigger_id": f"t{next(self.numbers)}",
            "response_url": "http://127.0.0.1:9/none",
            **more,
        }
        return Sent(body=urlencode(fields), content_type=FORM)

    def event(self, text: str) -> Sent:
        """Make the event that Slack sends for a message of Iris in her own chat."""
        said = {"type": "message", "channel_type": "im", "channel": "D1", "user": self.iris, "text": text}
        event = {**said, "ts": "1800000000.000001", "event_ts": "1800000000.000001"}
        body = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event_time": 1, "event": event}
        return Sent(body=json.dumps(body), content_type="application/json")

    async def deliver(self, sent: Sent, *, again: bool = False) -> tuple[int, Any]:
        return await self.people.deliver(sent, attempt=int(again))

    async def send_from_teams(self, text: str, channel: str, *, id: str) -> int:
        """Send a message of Noor that mentions Ritme in a channel of Teams; return the HTTP status."""
        activity = {
            "type": "message",
            "id": id,
            "channelId": "msteams",
            "serviceUrl": "http://127.0.0.1:9/",
            "from": {"id": "29:noor", "name": "Noor", "aadObjectId": "noor"},
            "recipient": {"id": "28:ritme", "name": "Ritme"},
            "conversation": {"id": f"{channel};messageid=1", "conversationType": "channel"},
            "channelData": {"tenant": {"id": TENANT}, "team": {"id": channel}, "channel": {"id": channel}},
            "text": f"<at>Ritme</at> {text}",
            "entities": [{"type": "mention", "mentioned": {"id": "28:ritme"}, "text": "<at>Ritme</at>"}],
        }
        async with self.session.post(f"{self.address}/teams/messages", json=activity) as answer:
            return answer.status

    async def status(self, path: str) -> int:
        async with self.session.get(f"{self.address}{path}") as answer:
            return answer.status

    def stories(self) -> list[str]:
        """Return the texts of the stored stories, sorted."""
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            return sorted(text for (text,) in connection.execute("SELECT text FROM stories"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start a PostgreSQL that the tests of this file stop and start; its databases are theirs alone."""
    with Server(durable=True) as server:
        yield server


@asynccontextmanager
async def serve(server: Server, *, many: bool = False) -> AsyncIterator[ServedRitme]:
    """Start the service over a new database; with `many`, for many workspaces, of which ours has installed the app."""
    url = server.create_database("many" if many else "one")
    async with SlackServer(lambda: datetime.now(UTC)).running() as slack, aiohttp.ClientSession() as session:
        settings = Settings(
            database_url=url,
            slack_signing_secret=SECRET,
            slack_api_url=slack.api_url,
            **(MANY if many else {"slack_bot_token": TOKEN}),
            teams_app_id=TENANT,
            teams_allowed_tenants=TENANT,
            teams_auth="disabled-for-local-test",
        )
        service = await open_service(settings, sends_deliveries=False)
        await service.start()
        app = make_operations_app(find_problems=service.find_problems, metrics=service.export_metrics)
        for mount in service.mounts:
            mount(app)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        people = People(forbids_calls=False, server=slack, session=session, bot_url=f"{address}/slack/events")
        iris = slack.add_user("iris").id
        channel = slack.add_channel("wijkteam", iris).id
        await seed_movement(url, iris, channel)
        if many:
            await add_installation(url)
        try:
            yield ServedRitme(server, url, address, people, session, iris, channel)
        finally:
            await runner.cleanup()
            await service.close()


async def seed_movement(url: str, iris: str, channel: str) -> None:
    """Add a movement of Iris in Slack and Noor in Teams, with a channel in each."""
    now, movement = datetime.now(UTC), MovementId("movement")
    database = connect(url)
    async with unit_of_work(database).begin() as work:
        work.movements.add(Movement(id=movement, name="Samen op pad", language=Language.NL, started_at=now))
        for lane, who, where in ((f"slack:{TEAM}", iris, channel), (f"teams:{TENANT}", "noor", WEST)):
            workspace = WorkspaceId(lane)
            work.people.add(Workspace(id=workspace))
            work.people.add(Person(id=PersonId(who), workspace_id=workspace, account=who, name=who, created_at=now))
            work.movements.add(Member(movement_id=movement, person_id=PersonId(who), joined_at=now))
            place = Place(id=PlaceId(where), workspace_id=workspace, channel=where, name=where, created_at=now)
            place.movement_id = movement
            work.movements.add(place)
    await database.dispose()


async def add_installation(url: str) -> None:
    database = connect(url)
    now, seal = datetime.now(UTC), TokenCipher([KEY])
    await SqlInstallations(database).save(
        {
            "team_id": TEAM, "team_name": "Wijkzorg", "app_id": "A1", "bot_user_id": "UBOT", "scopes": "commands",
            "bot_token": seal.encrypt(TOKEN), "refresh_token": None, "expires_at": None, "installed_by": "U1",
            "installed_at": now,
        }
    )  # fmt: skip
    await database.dispose()


async def test_repeated_requests_act_once_when_the_database_is_back(server: Server) -> None:
    async with serve(server) as served:
        assert await served.send_from_teams("hulp", WEST, id="m0") == 202
        event, command = served.event("verhaal Wim liep mee."), served.command("/verhaal Bep liep mee.")

        await asyncio.to_thread(served.server.stop)
        assert (await served.deliver(event))[0] == 503
        assert await served.send_from_teams("verhaal Noor liep mee.", WEST, id="m1") == 503
        # Nor where nobody heard of that place before.
        assert await served.send_from_teams("hulp", "19:east@thread.tacv2", id="m2") == 503
        status, said = await served.deliver(command)
        assert (status, said["response_type"]) == (200, "ephemeral")
        assert said["text"].replace("*", "").startswith(AWAY)
        assert "Probeer het zo nog eens" in AWAY
        assert (await served.status("/healthz"), await served.status("/readyz")) == (200, 503)

        await asyncio.to_thread(served.server.start)
        for _ in range(2):
            assert (await served.deliver(event, again=True))[0] == 200
            assert await served.send_from_teams("verhaal Noor liep mee.", WEST, id="m1") == 202
        assert (await served.deliver(served.command("/verhaal Bep liep mee.")))[0] == 200
        assert await served.status("/readyz") == 200
        assert served.stories() == ["Bep liep mee.", "Noor liep mee.", "Wim liep mee."]


async def test_commands_of_one_of_many_workspaces_say_so_too(server: Server) -> None:
    async with serve(server, many=True) as served:
        await asyncio.to_thread(served.server.stop)
        status, said = await served.deliver(served.command("/verhaal Bep liep mee."))
        assert (status, said["response_type"]) == (200, "ephemeral")
        assert said["text"].replace("*", "").startswith(AWAY)
        assert (await served.deliver(served.event("verhaal Wim liep mee.")))[0] == 503

        await asyncio.to_thread(served.server.start)
        assert (await served.deliver(served.event("verhaal Wim liep mee."), again=True))[0] == 200
        assert (await served.deliver(served.command("/verhaal Bep liep mee.")))[0] == 200
        assert (await served.deliver(served.command("/verhaal Ons.", team_id="TELSEWHERE")))[0] == 200
        assert served.stories() == ["Bep liep mee.", "Wim liep mee."]

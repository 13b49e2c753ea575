"""What an operator starts: it takes in and sends, finishes what it began when it is told to stop, and stops at once
when it is told twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM

import aiohttp
import pytest
from sqlalchemy import select

from adapters.database.tables import deliveries
from adapters.database.unit_of_work import connect, unit_of_work
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from tests.fakes.slack.people import SECRET, People
from tests.fakes.slack.server import TEAM, TOKEN, SlackServer
from tests.fakes.slack.state import Fault, Modal
from tests.support.databases import postgresql
from tests.support.processes import PROCFILE, Process, process

READY = "Ritme is ready at "
POST = "chat.postMessage"


@dataclass
class Stage:
    """A PostgreSQL, a Slack, and whoever is started between them."""

    url: str
    slack: SlackServer
    session: aiohttp.ClientSession
    folder: Path
    iris: str = ""

    @asynccontextmanager
    async def started(self, command: str) -> AsyncIterator[Process]:
        environment = {
            "RITME_DATABASE_URL": self.url,
            "RITME_PORT": "0",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_URL": self.slack.api_url,
        }
        async with process(command, self.folder, environment) as begun:
            yield begun

    async def people(self, web: Process) -> People:
        """Whoever is in Slack, once the web process is ready."""
        ready = await web.says()
        assert ready.startswith(READY)
        address = f"{ready.removeprefix(READY)}/slack/events"
        return People(server=self.slack, session=self.session, bot_url=address, nobody_else=False)

    async def furnish(self, *channels: str) -> None:
        """A movement of Iris, in these channels."""
        self.iris = self.slack.add_user("iris").id
        now, movement, lane = datetime.now(UTC), MovementId("movement"), WorkspaceId(f"slack:{TEAM}")
        database = connect(self.url)
        async with unit_of_work(database)() as work:
            work.people.add(Workspace(id=lane))
            work.movements.add(Movement(id=movement, name="Samen", language=Language.NL, started_at=now))
            person = Person(id=PersonId("iris"), workspace_id=lane, account=self.iris, name="iris", created_at=now)
            work.people.add(person)
            work.movements.add(Member(movement_id=movement, person_id=person.id, joined_at=now))
            for name in channels:
                channel = self.slack.add_channel(name, self.iris).id
                place = Place(id=PlaceId(name), workspace_id=lane, channel=channel, name=name, created_at=now)
                place.movement_id = movement
                work.movements.add(place)
        await database.dispose()

    def channel(self, name: str) -> str:
        return next(one.id for one in self.slack.channels.values() if one.name == name)

    async def tell(self, people: People, name: str) -> None:
        """Iris tells a story in the channel of that name, about which it is."""
        said = await people.command(self.iris, self.channel(name), f"/verhaal Het ging over {name}.")
        assert said is not None

    async def hang(self, people: People, name: str) -> None:
        """The same, while Slack never answers whoever sends it."""
        self.slack.faults.append(Fault(method=POST, never=True))
        sent = len([method for method, _ in self.slack.calls if method == POST])
        await self.tell(people, name)
        await self.slack.called(POST, sent + 1)

    async def heard(self, name: str) -> None:
        await self.slack.heard(self.channel(name), self.iris, f"Het ging over {name}.")

    def said(self, name: str) -> int:
        """How often the story stands there."""
        shown = self.slack.visible(self.channel(name), self.iris)
        return sum(f"Het ging over {name}." in one.words() and one.only_for is None for one in shown)

    async def states(self) -> list[str]:
        """Of all posts in channels, as they came."""
        database = connect(self.url)
        async with database.connect() as connection:
            query = select(deliveries.c.state).where(deliveries.c.person_id.is_(None)).order_by(deliveries.c.row)
            found = [one.value for one in await connection.scalars(query)]
        await database.dispose()
        return found


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with postgresql(empty=getattr(request, "param", False)) as url:
        yield url


@pytest.fixture
async def stage(database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with SlackServer(lambda: datetime.now(UTC)).running() as slack, aiohttp.ClientSession() as session:
        yield Stage(database, slack, session, tmp_path)
        assert slack.problems == []


@pytest.mark.parametrize("database", [True], indirect=True, ids=["empty database"])
async def test_what_the_procfile_starts_takes_in_and_sends_and_finishes_what_it_began(stage: Stage) -> None:
    async with stage.started(PROCFILE["release"]) as release:
        assert await release.ended() == 0
    await stage.furnish("noord", "oost", "zuid", "west")
    async with stage.started(PROCFILE["web"]) as web:
        people = await stage.people(web)
        for name in ("noord", "oost", "zuid"):
            await stage.tell(people, name)

        go_on = asyncio.Event()
        stage.slack.faults += [Fault(method=POST, until=go_on) for _ in range(3)]
        async with stage.started(PROCFILE["worker"]) as worker:
            assert await worker.says() == "Ritme's worker is ready"
            await stage.slack.called(POST, 3)
            await worker.told_to_stop()
            await stage.tell(people, "west")
            go_on.set()
            assert await worker.ended() == 0
        assert [stage.said(name) for name in ("noord", "oost", "zuid", "west")] == [1, 1, 1, 0]
        assert await stage.states() == ["sent", "sent", "sent", "waiting"]

        async with stage.started(PROCFILE["worker"]) as worker:
            assert await worker.says() == "Ritme's worker is ready"
            await stage.heard("west")
            await stage.hang(people, "noord")
            await worker.told_to_stop()
            assert await worker.told_again() == -SIGTERM

        go_on = asyncio.Event()
        stage.slack.faults.append(Fault(method="views.open", until=go_on))
        asked = asyncio.create_task(people.command(stage.iris, stage.channel("west"), "/vast"))
        await stage.slack.called("views.open")
        await web.told_to_stop()
        go_on.set()
        assert isinstance(await asked, Modal)
        assert await web.ended() == 0
    assert await stage.states() == [*["sent"] * 4, "sending"]


async def test_one_process_does_it_all(stage: Stage) -> None:
    await stage.furnish("noord", "oost")
    async with stage.started(f"{PROCFILE['web']} --all") as everything:
        people = await stage.people(everything)
        await stage.tell(people, "noord")
        await stage.heard("noord")

        await stage.hang(people, "oost")
        await everything.told_to_stop()
        assert await everything.told_again() == -SIGTERM
    assert await stage.states() == ["sent", "sending"]

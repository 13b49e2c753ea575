"""The processes of the Procfile: they answer, send, finish their work on SIGTERM, and stop at once on a second."""

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
from tests.support.processes import PROCFILE, Process, run_process

READY = "Ritme is ready at "
POST = "chat.postMessage"


@dataclass
class Deployment:
    """A PostgreSQL database and a Slack, and processes of Ritme between them."""

    url: str
    slack: SlackServer
    session: aiohttp.ClientSession
    folder: Path
    iris: str = ""

    @asynccontextmanager
    async def start(self, command: str) -> AsyncIterator[Process]:
        environment = {
            "RITME_DATABASE_URL": self.url,
            "RITME_PORT": "0",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_URL": self.slack.api_url,
        }
        async with run_process(command, self.folder, environment) as begun:
            yield begun

    async def people(self, web: Process) -> People:
        """Return the people of Slack, who reach the web process when it is ready."""
        ready = await web.read_line()
        assert ready.startswith(READY)
        address = f"{ready.removeprefix(READY)}/slack/events"
        return People(server=self.slack, session=self.session, bot_url=address, forbids_calls=False)

    async def seed_movement(self, *channels: str) -> None:
        """Add a movement of Iris, in these channels."""
        self.iris = self.slack.add_user("iris").id
        now, movement, lane = datetime.now(UTC), MovementId("movement"), WorkspaceId(f"slack:{TEAM}")
        database = connect(self.url)
        async with unit_of_work(database).begin() as work:
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

    async def tell_story(self, people: People, name: str) -> None:
        """Have Iris tell a story in the channel of that name; the story is about the name."""
        said = await people.command(self.iris, self.channel(name), f"/verhaal Het ging over {name}.")
        assert said is not None

    async def tell_story_unanswered(self, people: People, name: str) -> None:
        """Have Iris tell a story, and Slack never answer the process that posts it."""
        self.slack.faults.append(Fault(method=POST, never=True))
        sent = len([method for method, _ in self.slack.calls if method == POST])
        await self.tell_story(people, name)
        await self.slack.wait_for_call(POST, sent + 1)

    async def wait_until_heard(self, name: str) -> None:
        await self.slack.wait_for_words(self.channel(name), self.iris, f"Het ging over {name}.")

    def count_posts(self, name: str) -> int:
        """Count how often the story stands in the channel."""
        shown = self.slack.visible(self.channel(name), self.iris)
        return sum(f"Het ging over {name}." in one.words() and one.only_for is None for one in shown)

    async def post_states(self) -> list[str]:
        """Return the states of all posts in channels, in order."""
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
async def deployment(database: str, tmp_path: Path) -> AsyncIterator[Deployment]:
    async with SlackServer(lambda: datetime.now(UTC)).running() as slack, aiohttp.ClientSession() as session:
        yield Deployment(database, slack, session, tmp_path)
        assert slack.problems == []


@pytest.mark.parametrize("database", [True], indirect=True, ids=["empty database"])
async def test_processes_of_the_procfile_handle_requests_send_and_finish_their_work(deployment: Deployment) -> None:
    async with deployment.start(PROCFILE["release"]) as release:
        assert await release.wait_for_exit() == 0
    await deployment.seed_movement("noord", "oost", "zuid", "west")
    async with deployment.start(PROCFILE["web"]) as web:
        people = await deployment.people(web)
        for name in ("noord", "oost", "zuid"):
            await deployment.tell_story(people, name)

        go_on = asyncio.Event()
        deployment.slack.faults += [Fault(method=POST, until=go_on) for _ in range(3)]
        async with deployment.start(PROCFILE["worker"]) as worker:
            assert await worker.read_line() == "Ritme's worker is ready"
            await deployment.slack.wait_for_call(POST, 3)
            await worker.request_stop()
            await deployment.tell_story(people, "west")
            go_on.set()
            assert await worker.wait_for_exit() == 0
        assert [deployment.count_posts(name) for name in ("noord", "oost", "zuid", "west")] == [1, 1, 1, 0]
        assert await deployment.post_states() == ["sent", "sent", "sent", "waiting"]

        async with deployment.start(PROCFILE["worker"]) as worker:
            assert await worker.read_line() == "Ritme's worker is ready"
            await deployment.wait_until_heard("west")
            await deployment.tell_story_unanswered(people, "noord")
            await worker.request_stop()
            assert await worker.force_stop() == -SIGTERM

        go_on = asyncio.Event()
        deployment.slack.faults.append(Fault(method="views.open", until=go_on))
        asked = asyncio.create_task(people.command(deployment.iris, deployment.channel("west"), "/vast"))
        await deployment.slack.wait_for_call("views.open")
        await web.request_stop()
        go_on.set()
        assert isinstance(await asked, Modal)
        assert await web.wait_for_exit() == 0
    assert await deployment.post_states() == [*["sent"] * 4, "sending"]


async def test_one_process_can_do_everything(deployment: Deployment) -> None:
    await deployment.seed_movement("noord", "oost")
    async with deployment.start(f"{PROCFILE['web']} --all") as everything:
        people = await deployment.people(everything)
        await deployment.tell_story(people, "noord")
        await deployment.wait_until_heard("noord")

        await deployment.tell_story_unanswered(people, "oost")
        await everything.request_stop()
        assert await everything.force_stop() == -SIGTERM
    assert await deployment.post_states() == ["sent", "sending"]

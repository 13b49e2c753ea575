"""Serve Ritme's playground over real HTTP: the real core, a real SQLite file, the page's own API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from adapters.api import ApiSite, api_address
from adapters.clock import SettableClock
from adapters.database.migrate import migrate_schema
from adapters.database.unit_of_work import Begin, UnitsOfWork, connect, unit_of_work
from adapters.engine.embedded import EmbeddedEngine
from adapters.feed_links import feeds_address, mount_feeds
from adapters.pages.links import PageLinks
from adapters.pages.web import PagesSite
from adapters.playground.personas import CHANNELS, PERSONAS, TIMEZONE, WORKSPACE
from adapters.playground.playground import Playground
from adapters.slack.render import render_blocks
from adapters.slack.views import render_modal
from adapters.typesetting import TypstTypesetter
from adapters.web import listen, make_app
from bot.app import Ritme
from bot.chat import CommandSyntax, Form, Message
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.ports import Platform
from tests.support.vault import VAULT

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""Monday 1 March 2027, 10:00 in Amsterdam."""
LANE = WorkspaceId(WORKSPACE)
MOVEMENT = MovementId("movement")


@dataclass
class ServedPlayground:
    """A running playground at `address`, and the calls its page makes."""

    address: str
    playground: Playground
    transact: UnitsOfWork
    clock: SettableClock
    session: aiohttp.ClientSession
    ritme: Ritme

    @property
    def begin(self) -> Begin:
        """Open a transaction as a block, in the event loop."""
        return self.transact.begin

    async def call(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        async with self.session.request(
            method, f"/playground/api{path}", json=json, headers=dict(headers or {})
        ) as response:
            assert response.status == status, f"{response.status}: {await response.text()}"
            return await response.json()

    async def get(self, path: str, **expected: Any) -> Any:
        return await self.call("GET", path, **expected)

    async def download(self, path: str) -> bytes:
        async with self.session.get(f"/playground/api{path}") as response:
            assert response.status == 200, await response.text()
            return await response.read()

    async def say(self, persona: str, channel: str, text: str, thread: str = "", **expected: Any) -> Any:
        said = {"persona": persona, "channel": channel, "text": text, "thread": thread}
        return await self.call("POST", "/messages", said, **expected)

    async def press(self, persona: str, message: str, button: str, **expected: Any) -> Any:
        return await self.call("POST", f"/messages/{message}/press", {"persona": persona, "button": button}, **expected)

    async def submit(self, persona: str, form: Mapping[str, Any], values: Mapping[str, Any], **expected: Any) -> Any:
        return await self.call("POST", f"/forms/{form['id']}", {"persona": persona, "values": dict(values)}, **expected)

    async def set_clock(self, to: str, **expected: Any) -> Any:
        return await self.call("POST", "/clock", {"to": to}, **expected)

    async def seen_by(self, persona: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(f"/state?persona={persona}"))["messages"]
        return found


async def add_movement(begin: Begin, now: datetime) -> None:
    """Add a movement with everyone in every channel; Iris coordinates, and Fatima and Jan have an initiative."""
    async with begin() as work:
        work.people.add(Workspace(id=LANE))
        work.movements.add(Movement(id=MOVEMENT, name="Samen vooruit", language=Language.NL, started_at=now))
        for channel in CHANNELS:
            place = Place(
                id=PlaceId(channel.id), workspace_id=LANE, channel=channel.id, name=channel.name, created_at=now
            )
            place.movement_id = MOVEMENT
            work.movements.add(place)
        for one in PERSONAS:
            person = Person(
                id=PersonId(one.id), workspace_id=LANE, account=one.id, name=one.name.split()[0], created_at=now
            )
            person.language, person.timezone, person.group = Language(one.language), TIMEZONE, one.group
            work.people.add(person)
            role = Role.COORDINATOR if one.id == "iris" else Role.MEMBER
            work.movements.add(Member(movement_id=MOVEMENT, person_id=person.id, role=role, joined_at=now))
        walk = Initiative(
            id=InitiativeId("walk"),
            movement_id=MOVEMENT,
            name="Wandelen na het eten",
            started_by=PersonId("fatima"),
            started_at=now,
        )
        work.initiatives.add(walk)
        for who in ("fatima", "jan"):
            work.initiatives.add(
                Participant(
                    initiative_id=walk.id,
                    person_id=PersonId(who),
                    movement_id=MOVEMENT,
                    initiator=who == "fatima",
                    joined_at=now,
                )
            )


@asynccontextmanager
async def serve_playground(
    file: Path, *, start: datetime = START, with_movement: bool = True, hosts: tuple[str, ...] = ()
) -> AsyncIterator[ServedPlayground]:
    """Serve the playground stored in `file` on a free port; add a movement unless `with_movement` is False."""
    database = connect(f"sqlite+aiosqlite:///{file}")
    await migrate_schema(database)
    transact, clock, engine = unit_of_work(database), SettableClock(start), EmbeddedEngine(tick=3600)
    place = await Playground.open(database=database, clock=clock)
    listening = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    links = PageLinks(("secret",), "")
    platform = Platform(
        messenger=place.messenger,
        directory=place.directory,
        syntax=CommandSyntax(pages=links),
        feeds=feeds_address(address, "playground"),
        api=api_address(address),
    )
    ritme = Ritme(
        transact=transact,
        platforms={"playground": platform},
        clock=clock,
        engine=engine,
        typesetter=TypstTypesetter(),
        vault=VAULT,
    )
    place.connect(ritme, transact=transact, run_until_idle=engine.run_until_idle, renderers={"slack": slack})
    if with_movement:
        await add_movement(transact.begin, clock.now())
    await ritme.recover()
    await engine.start(ritme)
    mounts = [PagesSite(ritme, links, clock).mount, partial(place.mount, hosts=hosts), mount_feeds(ritme)]
    mounts.append(ApiSite(ritme.api, address).mount)
    runner = web.AppRunner(make_app(mounts=mounts), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        async with aiohttp.ClientSession(address) as session:
            yield ServedPlayground(address, place, transact, clock, session, ritme)
    finally:
        await runner.cleanup()
        await engine.close()
        await database.dispose()


def slack(said: Message | Form) -> object:
    return render_modal(said, {}) if isinstance(said, Form) else render_blocks(said)

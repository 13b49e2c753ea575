"""Drive the whole service through a fake Slack, as people who see what Slack shows them.

The vocabulary is that of `tests.support.world.World`: type, press, submit, reply, react, posts, private, until.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SettableClock
from adapters.database.unit_of_work import Begin
from adapters.file_links import FileLinks, mount_files
from adapters.pages.links import PageLinks
from adapters.slack.platform import SlackPlatform
from adapters.typesetting import TypstTypesetter
from adapters.web import make_app
from bot.app import Ritme
from bot.chat import CommandSyntax
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.understanding import load_books
from tests.fakes.slack.people import SECRET, People
from tests.fakes.slack.server import BOT, TEAM, TOKEN, SlackServer
from tests.fakes.slack.sockets import APP_TOKEN
from tests.fakes.slack.state import Modal, Shown, Tab
from tests.support.databases import OpenDatabase, open_database
from tests.support.vault import VAULT
from tests.support.world import API, MONDAY

LANE = WorkspaceId(f"slack:{TEAM}")
UNHURRIED = 60.0
"""Seconds an answer may take here: a busy machine is no slow Slack. `test_slack_in_time` is about the real budget."""
DRAIN_WINDOW = timedelta(seconds=5)
"""How far ahead `drain` follows deliveries: enough for a few posts in one channel, a second apart."""
WAYS: dict[str, dict[str, Any]] = {
    "HTTP, SQLite": {"kind": "sqlite"},
    "HTTP, PostgreSQL": {"kind": "postgresql"},
    "socket, SQLite": {"kind": "sqlite", "socket": True},
}
"""Variants in which a journey runs: how requests come in, and which database is used."""


@dataclass
class SlackDriver:
    """The service, a fake Slack, and what people do there.

    People and channels are given by name; both are made when first mentioned.
    """

    ritme: Ritme
    clock: SettableClock
    slack: SlackServer
    people: People
    storage: OpenDatabase
    platform: SlackPlatform

    @property
    def database(self) -> AsyncEngine:
        return self.storage.database

    @property
    def begin(self) -> Begin:
        return self.storage.begin

    def user(self, who: str) -> str:
        """Return someone's account; add them to the workspace and to every channel if they are new."""
        for user in self.slack.users.values():
            if user.name == who:
                return user.id
        made = self.slack.add_user(who)
        for channel in self.slack.channels.values():
            if not channel.personal:
                channel.members.add(made.id)
        return made.id

    def channel(self, name: str | None, who: str = "") -> str:
        """Return the id of a channel, made if it is new; for None, of the chat between `who` and the bot."""
        if name is None:
            return self.slack.chat_of(self.user(who)).id
        for channel in self.slack.channels.values():
            if channel.name == name and not channel.personal:
                return channel.id
        return self.slack.add_channel(name, *(user for user in self.slack.users if user != BOT)).id

    async def movement(
        self, *people: str, coordinator: str = "iris", channels: tuple[str, ...] = ("general",)
    ) -> Movement:
        """Store a movement in these channels, with a coordinator and members, as if it had been there for a while."""
        now = self.clock.now()
        movement = Movement(id=MovementId("movement"), name="Samen op pad", language=Language.NL, started_at=now)
        async with self.begin() as work:
            if await work.people.workspace(LANE) is None:
                work.people.add(Workspace(id=LANE))
            work.movements.add(movement)
            for name in channels:
                channel = self.channel(name)
                place = Place(id=PlaceId(name), workspace_id=LANE, channel=channel, name=name, created_at=now)
                place.movement_id = movement.id
                work.movements.add(place)
            for name in (coordinator, *people):
                person = Person(
                    id=PersonId(name), workspace_id=LANE, account=self.user(name), name=name, created_at=now
                )
                work.people.add(person)
                role = Role.COORDINATOR if name == coordinator else Role.MEMBER
                work.movements.add(Member(movement_id=movement.id, person_id=person.id, role=role, joined_at=now))
        return movement

    async def type(self, who: str, line: str, *, channel: str | None = "general") -> Shown | Modal | None:
        """Type a slash command. Returns what appears to them alone, at once or once everything due is sent."""
        user = self.user(who)
        shown = await self.people.command(user, self.channel(channel, who), line)
        news = await self._wait_for_change(user, self._private(user))
        return shown or news

    async def say(self, who: str, text: str, *, channel: str | None = None) -> Shown | None:
        """Write a message, to the bot itself unless a channel is named. Returns the bot's private answer."""
        user = self.user(who)
        before = self._private(user)
        await self.people.say(user, self.channel(channel, who), text)
        return await self._wait_for_change(user, before)

    async def home(self, who: str) -> Tab:
        """Open the app's Home tab. Returns it as it is once everything due is sent."""
        user = self.user(who)
        await self.people.open_home(user)
        await self.drain()
        return self.slack.tabs[user]

    async def press_home(self, who: str, name: str, number: int = 1) -> Shown | Modal | None:
        """Press a button of their Home tab. Returns the form it opens, else what appears in their own chat."""
        user = self.user(who)
        before = self._private(user)
        return await self.people.press_home(user, name, number) or await self._wait_for_change(user, before)

    async def shortcut(self, who: str, callback: str, shown: Shown | None = None) -> Shown | Modal | None:
        """Use a shortcut, on `shown` if it is given. Returns the form it opens, else what appears for them alone."""
        user = self.user(who)
        before = self._private(user)
        if shown is None:
            return await self.people.shortcut(user, callback) or await self._wait_for_change(user, before)
        return await self.people.shortcut_on(user, shown, callback) or await self._wait_for_change(user, before)

    async def press(self, who: str, shown: Shown | Modal | None, name: str) -> Shown | Modal | None:
        """Press a button. Returns the form it opens, else what appears or changes for them alone."""
        assert isinstance(shown, Shown), f"no message to press {name} on: {shown}"
        user = self.user(who)
        before = self._private(user)
        return await self.people.press(user, shown, name) or await self._wait_for_change(user, before)

    async def submit(
        self, who: str, form: Shown | Modal | None, **values: Any
    ) -> Shown | Modal | dict[str, str] | None:
        """Send a form, with people and channels given by name.

        Returns the errors beside its fields, else what appears for them alone.
        """
        assert isinstance(form, Modal), f"no form: {form}"
        user = self.user(who)
        before = self._private(user)
        answer = await self.people.submit(user, form, **self._by_id(form, values))
        return answer or await self._wait_for_change(user, before)

    async def reply(self, who: str, channel: str, thread: str, text: str) -> Shown:
        shown = await self.people.say(self.user(who), self.channel(channel), text, thread=thread)
        await self.drain()
        return shown

    async def edit(self, who: str, shown: Shown, text: str) -> None:
        await self.people.edit(self.user(who), shown, text)
        await self.drain()

    async def delete(self, who: str, shown: Shown) -> None:
        await self.people.delete(self.user(who), shown)
        await self.drain()

    async def react(self, who: str, shown: Shown, name: str = "heart", *, remove: bool = False) -> None:
        await self.people.react(self.user(who), shown, name, remove=remove)
        await self.drain()

    def posts(self, channel: str = "general") -> list[Shown]:
        """List the bot's messages to everyone in a channel, threads included, oldest first."""
        found = self.slack.channels[self.channel(channel)].messages
        return [one for one in found if one.by == BOT and one.only_for is None and not one.deleted]

    def said_to_all(self) -> list[str]:
        """List the words of the bot's messages to everyone in a channel."""
        return [
            one.words()
            for channel in self.slack.channels.values()
            for one in channel.messages
            if not channel.personal and one.by == BOT and one.only_for is None and not one.deleted
        ]

    def private(self, who: str) -> list[Shown]:
        """List the bot's messages to one person alone, wherever they are, oldest first."""
        return self._private(self.user(who))

    async def drain(self) -> None:
        """Send all that is due; move the clock where Slack wants posts a second apart."""
        await self._drain()
        end = self.clock.now() + DRAIN_WINDOW
        while (due := await self.ritme.next_due()) is not None and due <= end:
            self.clock.set(max(due, self.clock.now()))
            await self._drain()
            if await self.ritme.next_due() == due:
                return

    async def until(self, moment: datetime) -> None:
        """Move the clock to a moment; everything planned on the way happens at its own time."""
        while (due := await self.ritme.next_due()) is not None and due <= moment:
            self.clock.set(max(due, self.clock.now()))
            await self._drain()
            if await self.ritme.next_due() == due:
                break
        self.clock.set(max(moment, self.clock.now()))
        await self._drain()

    async def pass_(self, **time: float) -> None:
        await self.until(self.clock.now() + timedelta(**time))

    async def _drain(self) -> None:
        await self.storage.engine.run_until_idle(LANE)
        assert self.slack.problems == [], self.slack.problems

    def _private(self, user: str) -> list[Shown]:
        found = [one for channel in self.slack.channels for one in self.slack.visible(channel, user)]
        mine = [
            one
            for one in found
            if one.by == BOT and (one.only_for == user or self.slack.channels[one.channel].personal)
        ]
        return sorted(mine, key=lambda one: one.ts)

    async def _wait_for_change(self, user: str, before: list[Shown]) -> Shown | None:
        """Send everything due; return the last message that appeared or changed for this person alone."""
        known = {(one.channel, one.ts): one.words() for one in before}
        await self.drain()
        fresh = [one for one in self._private(user) if known.get((one.channel, one.ts)) != one.words()]
        return fresh[-1] if fresh else None

    def _by_id(self, form: Modal, values: dict[str, Any]) -> dict[str, Any]:
        kinds = {
            block["block_id"]: block["element"]["type"] for block in form.view["blocks"] if block["type"] == "input"
        }
        found = dict(values)
        for name, value in values.items():
            if kinds.get(name) == "users_select":
                found[name] = self.user(value)
            elif kinds.get(name) == "multi_users_select":
                found[name] = [self.user(one) for one in value]
        return found


@asynccontextmanager
async def slack_driver(
    tmp_path: Path,
    start: datetime = MONDAY,
    *,
    kind: str = "sqlite",
    socket: bool = False,
    ping_every: float = 5,
    call_timeout: float = 10,
    ack_budget: float = UNHURRIED,
    links: FileLinks | None = None,
    pages: PageLinks | None = None,
    app: str = "Ritme",
) -> AsyncIterator[SlackDriver]:
    """Run a fresh service with a fresh database and workspace, over real HTTP or, with `socket`, in Socket Mode.

    `app` is what the app is called there.
    """
    load_books()  # as `ritme serve` does before the first request
    clock = SettableClock(start, running=False)
    async with (
        open_database(kind, tmp_path) as storage,
        SlackServer(clock.now).running() as slack,
        aiohttp.ClientSession() as session,
    ):
        slack.users[BOT].name = app
        door = {"app_token": APP_TOKEN} if socket else {"signing_secret": SECRET}
        platform = SlackPlatform(
            token=TOKEN,
            api_url=slack.api_url,
            clock=clock,
            ping_every=ping_every,
            call_timeout=call_timeout,
            ack_budget=ack_budget,
            links=links,
            syntax=CommandSyntax(platform="slack", app=app, pages=pages),
            **door,
        )
        known = {"slack": replace(platform.ports, api=API)}
        drawer = TypstTypesetter()
        ritme = Ritme(
            transact=storage.transact,
            platforms=known,
            clock=clock,
            engine=storage.engine,
            typesetter=drawer,
            vault=VAULT,
        )
        await storage.start_engine(ritme)
        mounts = [lambda app: platform.mount(app, ritme), *([mount_files(links, clock, ritme)] if links else [])]
        served = make_app(mounts=mounts)
        runner = web.AppRunner(served, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        people = People(server=slack, session=session, bot_url="" if socket else address)
        if socket:
            await platform.start()
            await slack.sockets.wait_for_connections()
        try:
            yield SlackDriver(ritme=ritme, clock=clock, slack=slack, people=people, storage=storage, platform=platform)
            assert slack.sockets.problems == []
        finally:
            await platform.stop_receiving()
            await runner.cleanup()
            await platform.close()

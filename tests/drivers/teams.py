"""Drive journeys in Teams: people act in Microsoft's Agents Playground, which speaks with Ritme over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SettableClock
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import Begin
from adapters.file_links import FileLinks
from adapters.pages.links import PageLinks
from adapters.teams.platform import AppRegistration, TeamsPlatform
from bot.app import Ritme
from bot.domain.person import WorkspaceId
from tests.fakes.teams.agents_playground import (
    APP,
    BOT,
    NIGHT,
    PERSONAL,
    TEAM,
    TENANT,
    AgentsPlayground,
    Json,
    Shown,
    agents_playground,
    user,
)
from tests.support.databases import OpenDatabase, open_database
from tests.support.vault import VAULT
from tests.support.world import MONDAY

LANE = WorkspaceId(f"teams:{TENANT}")
PACE = timedelta(seconds=5)
"""Enough for the messages of one action, at the rate that Teams takes."""


@dataclass
class TeamsDriver:
    """A running service and what people do with it. The program's own user is iris; the others are in its team."""

    ritme: Ritme
    clock: SettableClock
    teams: AgentsPlayground
    storage: OpenDatabase
    address: str
    session: aiohttp.ClientSession
    handled: asyncio.Semaphore
    app: str = "Ritme"
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def database(self) -> AsyncEngine:
        return self.storage.database

    @property
    def begin(self) -> Begin:
        return self.storage.begin

    async def say(self, who: str, text: str, *, where: str = PERSONAL, mention: bool = False) -> str:
        """Send a message, in a channel the first of a new thread unless `where` is one. Returns its id.

        A message that does not mention the bot reaches it where an organisation consented to that, which
        agents_playground does not play: it is told as any other event.
        """
        if where != PERSONAL and not mention:
            known = f"1{next(self.numbers):012d}"
            there = where if ";" in where else f"{where};messageid={known}"
            await self.event(who, "message", where=there, id=known, text=text)
            return known
        name = f"<at>{self.app}</at>"
        body: Json = {"from": {"id": f"29:{who}"}, "text": f"{name} {text}" if mention else text}
        mentions = [{"mentioned": {"id": BOT}, "text": name}] if mention else []
        path = f"/_conversation/v1/conversations/{where}/messages"
        said = await self.teams.post(path, {**body, "textFormat": "plain", "mentions": mentions})
        await self._wait_until_handled()
        return str(said["messageId"])

    async def event(self, who: str, type: str, *, where: str = TEAM, **more: Any) -> None:
        """Tell of anything else that happens there, as Teams would."""
        await self.teams.post("/_internal/v1/customActivities", self.activity(who, type, where=where, **more))
        await self._wait_until_handled()

    async def press(self, who: str, shown: Shown, intent: str) -> Json:
        """Press a button. Returns the dialog it opens, else the answer to its press."""
        button = shown.button(intent)
        if button["type"] == "Action.Submit":
            value = {"data": button["data"], "context": {"theme": "default"}}
            return await self._invoke(who, "task/fetch", value, shown)
        value = {"action": {**{k: button[k] for k in ("type", "title", "verb", "data")}}, "trigger": "manual"}
        return await self._invoke(who, "adaptiveCard/action", value, shown)

    async def submit(self, who: str, opened: Json, *, where: str = PERSONAL, **values: Any) -> Json:
        """Send a dialog, filled in over what it holds. Returns the answer."""
        card = opened["task"]["value"]["card"]["content"]
        inputs = {one["id"]: one for one in card["body"] if one["type"].startswith("Input.")}
        assert not set(values) - set(inputs), f"the dialog asks for {list(inputs)}"
        filled = {name: values.get(name, one.get("value", "")) for name, one in inputs.items()}
        missing = [name for name, one in inputs.items() if one.get("isRequired") and not filled[name]]
        assert not missing, f"Teams does not send it without {missing}"
        data = {**card["actions"][0]["data"], **{name: value for name, value in filled.items() if value}}
        return await self._invoke(who, "task/submit", {"data": data, "context": {}}, None, where=where)

    async def invoke(self, who: str, name: str, value: Json, *, where: str) -> Json:
        """Send any other invoke. Returns the answer."""
        return await self._invoke(who, name, value, None, where=where)

    async def _invoke(self, who: str, name: str, value: Json, shown: Shown | None, *, where: str = PERSONAL) -> Json:
        """Call the bot directly: agents_playground plays no dialogs. Returns the answer, after a drain."""
        there = shown.conversation if shown is not None else where
        activity = self.activity(who, "invoke", where=there, name=name, value=value)
        if shown is not None:
            activity["replyToId"] = shown.id
        async with self.session.post(self.address, json=activity) as answer:
            assert answer.status == 200, await answer.text()
            text = await answer.text()
        await self.drain()
        return dict(await answer.json()) if text else {}

    def activity(self, who: str, type: str, *, where: str, **more: Any) -> Json:
        """Return an activity as Teams sends it; `data` is added to its `channelData`."""
        channel = where.partition(";")[0]
        in_team = channel.endswith("tacv2")
        kind = "channel" if in_team else "groupChat" if channel.endswith("thread.v2") else "personal"
        someone = user(who)
        return {
            "type": type,
            "id": f"a{next(self.numbers)}",
            "channelId": "msteams",
            "serviceUrl": f"{self.teams.url}/_connector",
            "timestamp": self.clock.now().isoformat(),
            "from": {name: someone[name] for name in ("id", "name", "aadObjectId")},
            "recipient": {"id": BOT, "name": self.app},
            "conversation": {"id": where, "conversationType": kind, "tenantId": TENANT},
            "locale": "nl-NL",
            "channelData": {
                "tenant": {"id": TENANT},
                **({"team": {"id": TEAM}, "channel": {"id": channel}} if in_team else {}),
                **more.pop("data", {}),
            },
            **more,
        }

    def posts(self, where: str = TEAM) -> list[Shown]:
        """Return the bot's messages in a channel, threads included, oldest first."""
        return [one for one in self.teams.seen.values() if one.conversation.partition(";")[0] == where]

    def private(self) -> list[Shown]:
        """Return the bot's messages to iris alone."""
        return self.posts(PERSONAL)

    async def drain(self) -> None:
        """Send all that is due, moving the clock while Teams' rate asks for it, and wait until it is seen."""
        end = self.clock.now() + PACE
        while True:
            await self.storage.engine.run_until_idle(LANE)
            due = await self.ritme.next_due()
            if due is None or due > end or due <= self.clock.now():
                break
            self.clock.set(due)
        async with self.database.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT receipt, receipt_channel FROM deliveries WHERE state = 'sent' AND act = 'post'"
            )
            # The page shows only what iris sees: nothing of other people's chats.
            await self.teams.wait_for({str(receipt) for receipt, channel in rows if channel in (PERSONAL, TEAM, NIGHT)})

    async def until(self, moment: datetime) -> None:
        """Live until a moment: everything planned before it happens at its time."""
        while (due := await self.ritme.next_due()) is not None and due <= moment:
            self.clock.set(max(due, self.clock.now()))
            await self.drain()
            if await self.ritme.next_due() == due:
                break
        self.clock.set(max(moment, self.clock.now()))
        await self.drain()

    async def _wait_until_handled(self) -> None:
        """Wait until the bot handled an activity, and send all that follows."""
        async with asyncio.timeout(10):
            await self.handled.acquire()
        await self.drain()


@asynccontextmanager
async def teams_driver(
    tmp_path: Path,
    start: datetime = MONDAY,
    kind: str = "sqlite",
    links: FileLinks | None = None,
    *,
    pages: PageLinks | None = None,
    app: str = "Ritme",
) -> AsyncIterator[TeamsDriver]:
    """Run a fresh service over a fresh database, and a fresh agents_playground. `app` is what the app is called."""
    async with (
        open_database(kind, tmp_path) as storage,
        _run_service(storage, tmp_path, start, links, pages, app) as driver,
    ):
        yield driver


@asynccontextmanager
async def _run_service(
    storage: OpenDatabase,
    tmp_path: Path,
    start: datetime,
    links: FileLinks | None,
    pages: PageLinks | None,
    called: str,
) -> AsyncIterator[TeamsDriver]:
    clock = SettableClock(start, running=False)
    registration = AppRegistration(app_id=APP, name=called, tenants=frozenset({TENANT}), auth_disabled=True)
    platform = TeamsPlatform(
        registration, SqlConversations(storage.database), clock, opens=Ritme.opens, links=links, pages=pages
    )
    known = {"teams": platform.ports}
    ritme = Ritme(transact=storage.transact, platforms=known, clock=clock, engine=storage.engine, vault=VAULT)
    await storage.start_engine(ritme)
    handled = asyncio.Semaphore(0)

    @web.middleware
    async def count_handled(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handler(request)
            return answer
        finally:
            if (await request.json())["type"] != "invoke":
                handled.release()

    app = web.Application(middlewares=[count_handled])
    platform.mount(app, ritme)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
    try:
        async with aiohttp.ClientSession() as session, agents_playground(tmp_path, address) as teams:
            yield TeamsDriver(
                ritme=ritme,
                clock=clock,
                teams=teams,
                storage=storage,
                address=address,
                session=session,
                handled=handled,
                app=called,
            )
    finally:
        await runner.cleanup()
        await platform.close()

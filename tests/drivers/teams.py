"""A movement lived in Teams: people act in Microsoft's own playground, which speaks with Ritme over HTTP."""

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

from adapters.clock import DialClock
from adapters.database.teams import SqlConversations
from adapters.teams import Bot, TeamsPlatform
from bot.app import Ritme
from bot.domain.person import WorkspaceId
from bot.ports import Begin, Platform
from tests.fakes.teams.agents_playground import (
    APP,
    BOT,
    NIGHT,
    PERSONAL,
    TEAM,
    TENANT,
    Json,
    Playground,
    Shown,
    playground,
    user,
)
from tests.support.databases import Kept, kept
from tests.support.world import MONDAY

LANE = WorkspaceId(f"teams:{TENANT}")
PACE = timedelta(seconds=5)
MENTION = "<at>Ritme</at>"


@dataclass
class TeamsStage:
    """People are named as they are called; the playground's own user is iris, and the others are in its team."""

    ritme: Ritme
    clock: DialClock
    teams: Playground
    kept: Kept
    address: str
    session: aiohttp.ClientSession
    handled: asyncio.Semaphore
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def database(self) -> AsyncEngine:
        return self.kept.database

    @property
    def begin(self) -> Begin:
        return self.kept.begin

    async def say(self, who: str, text: str, *, where: str = PERSONAL, mention: bool = False) -> str:
        """A message, in a channel the first of a new thread unless `where` is one. Returns its id.

        What does not mention the bot reaches it where an organisation consented to that, which the playground does
        not play."""
        if where != PERSONAL and not mention:
            known = f"1{next(self.numbers):012d}"
            there = where if ";" in where else f"{where};messageid={known}"
            await self.event(who, "message", where=there, id=known, text=text)
            return known
        body: Json = {"from": {"id": f"29:{who}"}, "text": f"{MENTION} {text}" if mention else text}
        mentions = [{"mentioned": {"id": BOT}, "text": MENTION}] if mention else []
        path = f"/_conversation/v1/conversations/{where}/messages"
        said = await self.teams.post(path, {**body, "textFormat": "plain", "mentions": mentions})
        await self._arrived()
        return str(said["messageId"])

    async def event(self, who: str, type: str, *, where: str = TEAM, **more: Any) -> None:
        """Anything else that happens there, as Teams would tell it."""
        await self.teams.post("/_internal/v1/customActivities", self.activity(who, type, where=where, **more))
        await self._arrived()

    async def press(self, who: str, shown: Shown, intent: str) -> Json:
        """A button. Returns the dialog it opens, else what its press is answered with."""
        button = shown.button(intent)
        if button["type"] == "Action.Submit":
            value = {"data": button["data"], "context": {"theme": "default"}}
            return await self._invoke(who, "task/fetch", value, shown)
        value = {"action": {**{k: button[k] for k in ("type", "title", "verb", "data")}}, "trigger": "manual"}
        return await self._invoke(who, "adaptiveCard/action", value, shown)

    async def submit(self, who: str, opened: Json, *, where: str = PERSONAL, **values: Any) -> Json:
        """Sends a dialog, filled in over what it holds. Returns what it is answered with."""
        card = opened["task"]["value"]["card"]["content"]
        inputs = {one["id"]: one for one in card["body"] if one["type"].startswith("Input.")}
        assert not set(values) - set(inputs), f"the dialog asks for {list(inputs)}"
        filled = {name: values.get(name, one.get("value", "")) for name, one in inputs.items()}
        missing = [name for name, one in inputs.items() if one.get("isRequired") and not filled[name]]
        assert not missing, f"Teams does not send it without {missing}"
        data = {**card["actions"][0]["data"], **{name: value for name, value in filled.items() if value}}
        return await self._invoke(who, "task/submit", {"data": data, "context": {}}, None, where=where)

    async def invoke(self, who: str, name: str, value: Json, *, where: str) -> Json:
        return await self._invoke(who, name, value, None, where=where)

    async def _invoke(self, who: str, name: str, value: Json, shown: Shown | None, *, where: str = PERSONAL) -> Json:
        """Straight to the bot: the playground plays no dialogs."""
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
            "recipient": {"id": BOT, "name": "Ritme"},
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
        """What the bot said in a channel, threads included, oldest first."""
        return [one for one in self.teams.seen.values() if one.conversation.partition(";")[0] == where]

    def private(self) -> list[Shown]:
        """What the bot said to iris alone."""
        return self.posts(PERSONAL)

    async def drain(self) -> None:
        """All that is due is sent, and seen."""
        end = self.clock.now() + PACE
        while True:
            await self.kept.engine.run_until_idle(LANE)
            due = await self.ritme.next_due()
            if due is None or due > end or due <= self.clock.now():
                break
            self.clock.set(due)
        async with self.database.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT receipt, receipt_channel FROM deliveries WHERE state = 'sent' AND act = 'post'"
            )
            # Its page shows what iris sees.
            await self.teams.knows({str(receipt) for receipt, channel in rows if channel in (PERSONAL, TEAM, NIGHT)})

    async def until(self, moment: datetime) -> None:
        while (due := await self.ritme.next_due()) is not None and due <= moment:
            self.clock.set(max(due, self.clock.now()))
            await self.drain()
            if await self.ritme.next_due() == due:
                break
        self.clock.set(max(moment, self.clock.now()))
        await self.drain()

    async def _arrived(self) -> None:
        """What was done reached the bot, and all that follows was sent."""
        async with asyncio.timeout(10):
            await self.handled.acquire()
        await self.drain()


@asynccontextmanager
async def teams_stage(tmp_path: Path, start: datetime = MONDAY, kind: str = "sqlite") -> AsyncIterator[TeamsStage]:
    """A fresh service over a fresh database, and a fresh playground."""
    async with kept(kind, tmp_path) as database, _staged(database, tmp_path, start) as stage:
        yield stage


@asynccontextmanager
async def _staged(database: Kept, tmp_path: Path, start: datetime) -> AsyncIterator[TeamsStage]:
    clock = DialClock(start, running=False)
    bot = Bot(app_id=APP, tenants=frozenset({TENANT}), trusting=True)
    platform = TeamsPlatform(bot, SqlConversations(database.database), clock, opens=Ritme.opens)
    known = {"teams": Platform(messenger=platform.messenger, directory=platform.directory)}
    ritme = Ritme(begin=database.begin, platforms=known, clock=clock, engine=database.engine)
    await database.open(ritme)
    handled = asyncio.Semaphore(0)

    @web.middleware
    async def counting(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handler(request)
            return answer
        finally:
            if (await request.json())["type"] != "invoke":
                handled.release()

    app = web.Application(middlewares=[counting])
    platform.mount(app, ritme)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
    try:
        async with aiohttp.ClientSession() as session, playground(tmp_path, address) as teams:
            yield TeamsStage(
                ritme=ritme,
                clock=clock,
                teams=teams,
                kept=database,
                address=address,
                session=session,
                handled=handled,
            )
    finally:
        await runner.cleanup()
        await platform.close()

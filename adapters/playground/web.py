"""The playground's page and its small HTTP API; `docs/playground-api.md` walks through it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.playground import gallery, render, requests, words
from adapters.playground.activity import Activity
from adapters.playground.chat import Chat
from adapters.playground.dial import CannotTurn, Dial
from adapters.playground.doings import REACTIONS, Doings, Impossible
from adapters.playground.guard import add_headers, guard, refuse
from adapters.playground.hub import Change, Hub
from adapters.playground.personas import CHANNELS, GROUPS, PERSONAS
from bot.chat import Value
from bot.domain.person import Language

PAGE = Path(__file__).parent / "page"
HEARTBEAT = 15.0
"""Seconds of silence after which an open stream says that it is still there."""
TYPED = ("stuck", "story", "ritme")
Act = Callable[[web.Request, str], Awaitable[dict[str, Any]]]


@dataclass(kw_only=True)
class Api:
    chat: Chat
    doings: Doings
    dial: Dial
    activity: Activity
    hub: Hub
    speak: Callable[[str, Language], Awaitable[None]]
    renderers: Mapping[str, gallery.Renderer]
    _writing: dict[str, asyncio.Lock] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", _page("index.html")),
            web.get("/gallery", _page("gallery.html")),
            web.get("/api/words", self.words),
            web.get("/api/state", self.state),
            web.get("/api/events", self.events),
            web.get("/api/clock", self.clock),
            web.get("/api/activity", self.what_happened),
            web.get("/api/gallery", self.gallery),
            web.post("/api/messages", self._once(self.say)),
            web.patch("/api/messages/{id}", self._once(self.edit)),
            web.delete("/api/messages/{id}", self._once(self.delete)),
            web.post("/api/messages/{id}/press", self._once(self.press)),
            web.put("/api/messages/{id}/reactions/{reaction}", self._once(self.react)),
            web.delete("/api/messages/{id}/reactions/{reaction}", self._once(self.unreact)),
            web.post("/api/forms/{id}", self._once(self.submit)),
            web.post("/api/read", self._once(self.read)),
            web.post("/api/language", self._once(self.change_language)),
            web.post("/api/clock", self._once(self.turn)),
        ]

    # -- reading ----------------------------------------------------------------------------------------------------

    async def words(self, request: web.Request) -> web.Response:
        language = requests.language(request)
        return web.json_response({"language": language, "words": words.of_page(language, self.dial.clock.now())})

    async def state(self, request: web.Request) -> web.Response:
        """Everything one persona sees."""
        persona = requests.persona(request)
        return web.json_response(
            {
                "persona": persona,
                "language": self.chat.language(persona),
                "personas": [
                    {"id": one.id, "name": one.name, "group": one.group, "language": self.chat.language(one.id)}
                    for one in PERSONAS
                ],
                "groups": list(GROUPS),
                "channels": [{"id": one.id, "name": one.name} for one in CHANNELS],
                "reactions": list(REACTIONS),
                "unread": self.chat.unread(persona),
                "messages": [render.said(said) for said in self.chat.visible_to(persona)],
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        persona = requests.persona(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        with self.hub.listening() as listener:
            await stream.prepare(request)
            try:
                await stream.write(b"retry: 1500\nevent: ready\ndata: {}\n\n")
                async with aclosing(listener.changes(HEARTBEAT)) as changes:
                    async for change in changes:
                        line = self._event(change, persona)
                        if line:
                            await stream.write(line.encode())
            except ConnectionError:
                pass  # the page was closed
        return stream

    def _event(self, change: Change | None, persona: str) -> str:
        if change is None:
            return ": still here\n\n"
        if change.kind == "message":
            said = self.chat.get(change.id)
            if said is None or not said.visible_to(persona):
                return ""
            return f"event: message\ndata: {json.dumps(render.said(said))}\n\n"
        data = {"now": self.dial.clock.now().isoformat()} if change.kind == "clock" else {}
        return f"event: {change.kind}\ndata: {json.dumps(data)}\n\n"

    async def clock(self, request: web.Request) -> web.Response:
        return web.json_response(await self._clock(requests.language(request)))

    async def _clock(self, language: Language) -> dict[str, Any]:
        now = self.dial.clock.now()
        due = await self.dial.next()
        first = await self.activity.first(language, now) if due is not None else None
        planned = None if due is None else {"at": due.isoformat(), **_what(first)}
        return {"now": now.isoformat(), "timezone": words.TIMEZONE, "next": planned}

    async def what_happened(self, request: web.Request) -> web.Response:
        language, now = requests.language(request), self.dial.clock.now()
        return web.json_response(
            {"planned": await self.activity.planned(language, now), "done": await self.activity.done(language, now)}
        )

    async def gallery(self, _request: web.Request) -> web.Response:
        return web.json_response({"entries": gallery.entries(self.dial.clock.now(), self.renderers)})

    # -- doing ------------------------------------------------------------------------------------------------------

    async def say(self, request: web.Request, key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Say)
        return await self.doings.say(asked.persona, asked.channel, asked.text, thread=asked.thread, key=key)

    async def edit(self, request: web.Request, key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Edit)
        return await self.doings.edit(asked.persona, request.match_info["id"], asked.text, key=key)

    async def delete(self, request: web.Request, key: str) -> dict[str, Any]:
        return await self.doings.delete(requests.persona(request), request.match_info["id"], key=key)

    async def press(self, request: web.Request, key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Press)
        return await self.doings.press(asked.persona, request.match_info["id"], asked.button, key=key)

    async def react(self, request: web.Request, key: str) -> dict[str, Any]:
        return await self._reaction(request, key, add=True)

    async def unreact(self, request: web.Request, key: str) -> dict[str, Any]:
        return await self._reaction(request, key, add=False)

    async def _reaction(self, request: web.Request, key: str, *, add: bool) -> dict[str, Any]:
        message, reaction = request.match_info["id"], request.match_info["reaction"]
        return await self.doings.react(requests.persona(request), message, reaction, add=add, key=key)

    async def submit(self, request: web.Request, key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Submit)
        values: dict[str, Value] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in asked.values.items()
        }
        return await self.doings.submit(asked.persona, request.match_info["id"], values, key=key)

    async def read(self, request: web.Request, _key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Read)
        await self.chat.read(asked.persona, asked.channel)
        return {}

    async def change_language(self, request: web.Request, _key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Speak)
        if asked.language not in list(Language):
            raise Impossible("no_such_language", "language is nl or en")
        await self.speak(asked.persona, Language(asked.language))
        return {}

    async def turn(self, request: web.Request, _key: str) -> dict[str, Any]:
        asked = await requests.body(request, requests.Turn)
        language = requests.language(request)
        try:
            await self.dial.turn(asked.to)
        except CannotTurn as cannot:
            status = 409 if cannot.code == "nothing_planned" else 400
            raise Impossible(cannot.code, 'to is "next", "hour", "day", "monday" or a moment ahead', status) from None
        return await self._clock(language)

    def _once(self, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Acts at most once per Idempotency-Key, and answers a repeated request as the first time."""

        async def answer(request: web.Request) -> web.Response:
            given = requests.key(request)
            if not given:
                body = await act(request, "")
                self.hub.tell("activity")
                return _answer(body)
            name = f"{request.method} {request.path} {given}"
            try:
                async with self._writing.setdefault(name, asyncio.Lock()):
                    before = self.chat.answered(name)
                    if before is not None:
                        return _answer(before)
                    body = await act(request, given)
                    if "errors" not in body and "reference" not in body:
                        await self.chat.remember(name, body)
                    return _answer(body)
            finally:
                self._writing.pop(name, None)
                self.hub.tell("activity")

        return answer


def _what(first: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: first[name] for name in ("kind", "what", "channel", "persona")} if first else {}


def _answer(body: dict[str, Any]) -> web.Response:
    """With `errors` the form stays open. 500: it broke, and trying again is welcome."""
    return web.json_response(body, status=500 if "reference" in body else 200)


def _page(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def page(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / name)

    return page


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What cannot be done is said in JSON, with a code."""
    try:
        return await handler(request)
    except Impossible as impossible:
        return refuse(impossible.status, impossible.code, impossible.detail)


def mount(app: web.Application, api: Api, *, hosts: tuple[str, ...] = ()) -> None:
    """Adds the playground under /playground, and sends visitors of / there. `hosts`: names it is served under, beside
    those of this machine."""

    async def home(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/playground/")

    room = web.Application(middlewares=[guard(hosts), _explain])
    room.add_routes(api.routes())
    room.router.add_static("/static", PAGE)
    room.on_response_prepare.append(add_headers)
    app.router.add_get("/", home)
    app.router.add_get("/playground", home)
    app.add_subapp("/playground", room)

    async def end_streams(_app: web.Application) -> None:
        api.hub.close()

    app.on_shutdown.append(end_streams)

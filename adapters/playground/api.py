"""Handle the playground's HTTP API, which `docs/playground-api.md` describes."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from adapters.file_links import FileSource, expired_page, file_response
from adapters.playground import message_gallery, page_texts, render, requests
from adapters.playground.actions import REACTIONS, PersonaActions, RequestRejected
from adapters.playground.activity import OutboxActivity
from adapters.playground.broadcaster import Broadcaster, Change
from adapters.playground.chat import Chat
from adapters.playground.clock_control import CannotAdvance, ClockControl
from adapters.playground.personas import CHANNELS, GROUPS, PERSONAS, TIMEZONE
from bot.chat import Value
from bot.domain.person import Language

STREAM_KEEPALIVE = 15.0
"""Seconds without an event after which a comment is sent, so that nothing closes the connection as idle."""
KeyedHandler = Callable[[web.Request, str], Awaitable[dict[str, Any]]]
"""Handles a request with its idempotency key (empty for none); returns the JSON object that answers it."""


@dataclass(kw_only=True)
class PlaygroundApi:
    """Handle the API's requests: parse each, carry it out, answer with JSON."""

    chat: Chat
    actions: PersonaActions
    clock_control: ClockControl
    activity: OutboxActivity
    broadcaster: Broadcaster
    set_language: Callable[[str, Language], Awaitable[None]]
    renderers: Mapping[str, message_gallery.Renderer]
    files: FileSource
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the API, relative to /playground."""
        return [
            web.get("/api/words", self.get_words),
            web.get("/api/state", self.get_state),
            web.get("/api/events", self.stream_events),
            web.get("/api/clock", self.get_clock),
            web.get("/api/activity", self.get_activity),
            web.get("/api/gallery", self.get_gallery),
            web.get("/api/messages/{id}/file", self.get_file),
            web.get("/api/messages/{id}/picture", self.get_picture),
            web.post("/api/messages", self._idempotent(self.say)),
            web.patch("/api/messages/{id}", self._idempotent(self.edit)),
            web.delete("/api/messages/{id}", self._idempotent(self.delete)),
            web.post("/api/messages/{id}/press", self._idempotent(self.press)),
            web.put("/api/messages/{id}/reactions/{reaction}", self._idempotent(self.react)),
            web.delete("/api/messages/{id}/reactions/{reaction}", self._idempotent(self.unreact)),
            web.post("/api/forms/{id}", self._idempotent(self.submit)),
            web.post("/api/read", self._idempotent(self.mark_read)),
            web.post("/api/language", self._idempotent(self.change_language)),
            web.post("/api/clock", self._idempotent(self.advance_clock)),
        ]

    # -- reading ----------------------------------------------------------------------------------------------------

    async def get_words(self, request: web.Request) -> web.Response:
        """Return the page's texts in a language."""
        language = requests.language_parameter(request)
        return web.json_response(
            {"language": language, "words": page_texts.render_page_texts(language, self.clock_control.clock.now())}
        )

    async def get_state(self, request: web.Request) -> web.Response:
        """Return everything one persona sees."""
        persona = requests.persona_parameter(request)
        return web.json_response(
            {
                "persona": persona,
                "language": self.chat.language_of(persona),
                "personas": [
                    {"id": one.id, "name": one.name, "group": one.group, "language": self.chat.language_of(one.id)}
                    for one in PERSONAS
                ],
                "groups": list(GROUPS),
                "channels": [{"id": one.id, "name": one.name} for one in CHANNELS],
                "reactions": list(REACTIONS),
                "unread": self.chat.unread_counts(persona),
                "messages": [render.render_message(message) for message in self.chat.visible_to(persona)],
            }
        )

    async def stream_events(self, request: web.Request) -> web.StreamResponse:
        """Stream the changes a persona may see as server-sent events, until the page or the server goes."""
        persona = requests.persona_parameter(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        with self.broadcaster.subscribe() as subscription:
            # Subscribed before anything is answered: a change in between is queued, not lost.
            await stream.prepare(request)
            try:
                await stream.write(b"retry: 1500\nevent: ready\ndata: {}\n\n")
                async with aclosing(subscription.changes(STREAM_KEEPALIVE)) as changes:
                    async for change in changes:
                        event = self._render_event(change, persona)
                        if event:
                            await stream.write(event.encode())
            except ConnectionError:
                pass  # the page was closed
        return stream

    def _render_event(self, change: Change | None, persona: str) -> str:
        """Return the lines of an event; empty for a message this persona may not see."""
        if change is None:
            return ": still here\n\n"
        if change.kind == "message":
            message = self.chat.get(change.id)
            if message is None or not message.visible_to(persona):
                return ""
            return f"event: message\ndata: {json.dumps(render.render_message(message))}\n\n"
        data = {"now": self.clock_control.clock.now().isoformat()} if change.kind == "clock" else {}
        return f"event: {change.kind}\ndata: {json.dumps(data)}\n\n"

    async def get_clock(self, request: web.Request) -> web.Response:
        """Return the time, the time zone and the next planned moment."""
        return web.json_response(await self._describe_clock(requests.language_parameter(request)))

    async def _describe_clock(self, language: Language) -> dict[str, Any]:
        now = self.clock_control.clock.now()
        due = await self.clock_control.next_moment()
        first = await self.activity.find_next(language, now) if due is not None else None
        planned = None if due is None else {"at": due.isoformat(), **_planned_fields(first)}
        return {"now": now.isoformat(), "timezone": TIMEZONE, "next": planned}

    async def get_activity(self, request: web.Request) -> web.Response:
        """Return what Ritme planned and did."""
        language, now = requests.language_parameter(request), self.clock_control.clock.now()
        return web.json_response(
            {
                "planned": await self.activity.list_upcoming(language, now),
                "done": await self.activity.list_recent(language, now),
            }
        )

    async def get_gallery(self, _request: web.Request) -> web.Response:
        """Return every message Ritme can send."""
        return web.json_response(
            {"entries": message_gallery.render_gallery(self.clock_control.clock.now(), self.renderers)}
        )

    async def get_file(self, request: web.Request) -> web.Response:
        """Give the file under a message to a persona who may see it; once it is deleted, a page that says so."""
        persona = requests.persona_parameter(request)
        message = self.chat.get(request.match_info["id"])
        if message is None or message.file is None or not message.visible_to(persona):
            raise RequestRejected("no_such_file", "no message of this persona has such a file", 404)
        opened = await self.files.open_file(message.file.id)
        if opened is None:
            return expired_page(request)
        return file_response(replace(opened, name=message.file.name), "attachment")

    async def get_picture(self, request: web.Request) -> web.Response:
        """Give the picture under a message to a persona who may see it."""
        persona = requests.persona_parameter(request)
        message = self.chat.get(request.match_info["id"])
        if message is None or message.picture is None or not message.visible_to(persona):
            raise RequestRejected("no_such_file", "no message of this persona has such a picture", 404)
        # A message that changed has another revision in the address of its picture.
        return web.Response(
            body=b64decode(message.picture.png), content_type="image/png", headers={"Cache-Control": "private"}
        )

    # -- doing ------------------------------------------------------------------------------------------------------

    async def say(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle a typed line."""
        body = await requests.parse_body(request, requests.SayRequest)
        return await self.actions.say(body.persona, body.channel, body.text, thread=body.thread, key=key)

    async def edit(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle an edited message."""
        body = await requests.parse_body(request, requests.EditRequest)
        return await self.actions.edit(body.persona, request.match_info["id"], body.text, key=key)

    async def delete(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle a deleted or dismissed message."""
        return await self.actions.delete(requests.persona_parameter(request), request.match_info["id"], key=key)

    async def press(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle a pressed button."""
        body = await requests.parse_body(request, requests.PressRequest)
        return await self.actions.press(body.persona, request.match_info["id"], body.button, key=key)

    async def react(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle an added reaction."""
        return await self._reaction(request, key, add=True)

    async def unreact(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle a removed reaction."""
        return await self._reaction(request, key, add=False)

    async def _reaction(self, request: web.Request, key: str, *, add: bool) -> dict[str, Any]:
        message, reaction = request.match_info["id"], request.match_info["reaction"]
        return await self.actions.react(requests.persona_parameter(request), message, reaction, add=add, key=key)

    async def submit(self, request: web.Request, key: str) -> dict[str, Any]:
        """Handle a submitted form."""
        body = await requests.parse_body(request, requests.SubmitRequest)
        values: dict[str, Value] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in body.values.items()
        }
        return await self.actions.submit(body.persona, request.match_info["id"], values, key=key)

    async def mark_read(self, request: web.Request, _key: str) -> dict[str, Any]:
        """Mark a channel as read."""
        body = await requests.parse_body(request, requests.ReadRequest)
        await self.chat.mark_read(body.persona, body.channel)
        return {}

    async def change_language(self, request: web.Request, _key: str) -> dict[str, Any]:
        """Change a persona's language."""
        body = await requests.parse_body(request, requests.LanguageRequest)
        if body.language not in list(Language):
            raise RequestRejected("no_such_language", "language is nl or en")
        await self.set_language(body.persona, Language(body.language))
        return {}

    async def advance_clock(self, request: web.Request, _key: str) -> dict[str, Any]:
        """Advance the clock; return what `get_clock` does."""
        body = await requests.parse_body(request, requests.ClockRequest)
        language = requests.language_parameter(request)
        try:
            await self.clock_control.advance(body.to)
        except CannotAdvance as cannot:
            status = 409 if cannot.code == "nothing_planned" else 400
            raise RequestRejected(
                cannot.code, 'to is "next", "hour", "day", "monday" or a moment ahead', status
            ) from None
        return await self._describe_clock(language)

    def _idempotent(self, handle: KeyedHandler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap a handler: carry out at most one request per Idempotency-Key, and answer a repeated one alike."""

        async def answer(request: web.Request) -> web.Response:
            key = requests.idempotency_key(request)
            if not key:
                body = await handle(request, "")
                self.broadcaster.publish("activity")
                return _json_answer(body)
            name = f"{request.method} {request.path} {key}"
            try:
                # A retry may arrive while the first request is still being handled: it waits for that answer.
                async with self._locks.setdefault(name, asyncio.Lock()):
                    saved = self.chat.find_answer(name)
                    if saved is not None:
                        return _json_answer(saved)
                    body = await handle(request, key)
                    # Neither a form with errors nor a failure is final: a repeated request may fare better.
                    if "errors" not in body and "reference" not in body:
                        await self.chat.save_answer(name, body)
                    return _json_answer(body)
            finally:
                self._locks.pop(name, None)
                self.broadcaster.publish("activity")

        return answer


def _planned_fields(row: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: row[name] for name in ("kind", "what", "channel", "persona")} if row else {}


def _json_answer(body: dict[str, Any]) -> web.Response:
    """Answer with JSON; a `reference` means that something failed: status 500, so that the client may try again."""
    return web.json_response(body, status=500 if "reference" in body else 200)

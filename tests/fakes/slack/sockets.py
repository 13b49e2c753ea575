"""Slack's end of Socket Mode: addresses good once, envelopes that want an acknowledgement, connections that break.

Sources: docs.slack.dev, "Using Socket Mode" and `apps.connections.open`.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.state import Json

APP_TOKEN = "xapp-1-test-token"
MOST = 10
"""Connections one app may have."""
PATIENCE = 3.0
"""Seconds an envelope waits for its acknowledgement before it is sent again."""
RETRIES = 3


@dataclass(eq=False)
class Connection:
    socket: web.WebSocketResponse
    number: int
    received: list[str] = field(default_factory=list)
    """The envelopes it was sent."""


@dataclass(kw_only=True)
class Sockets:
    """Every open connection of the app. `patience` may be shortened by a test that wants a redelivery."""

    url: Callable[[], str]
    patience: float = PATIENCE
    open: list[Connection] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    refuses: str = ""
    """An error to answer `apps.connections.open` with."""
    problems: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _next: int = 0

    def mount(self, app: web.Application) -> None:
        app.router.add_post("/api/apps.connections.open", self._give_address)
        app.router.add_get("/link/{ticket}", self._connect)

    async def connected(self, many: int = 1) -> None:
        """Waits until this many connections are open."""
        async with self._changed, asyncio.timeout(10):
            await self._changed.wait_for(lambda: len(self.open) == many)

    async def deliver(self, kind: str, payload: Json) -> tuple[int, Any]:
        """Sends an envelope until it is acknowledged, to any connection that is open: 200 and what came with the
        acknowledgement, or 0 when nobody ever did. Commands are sent once, events up to four times."""
        tries = RETRIES + 1 if kind == "events_api" else 1
        for attempt in range(tries):
            retry = {"retry_attempt": attempt, "retry_reason": "timeout"} if attempt else {}
            answer = await self._once(kind, payload, retry)
            if answer is not None:
                return 200, answer.get("payload") or ""
        return 0, ""

    async def disconnect(self, connection: Connection, reason: str = "refresh_requested") -> None:
        """Asks for a new connection, and closes this one a moment later, as Slack does."""
        await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "test"}})
        await connection.socket.close()

    async def cut(self, connection: Connection) -> None:
        """The network breaks, without a word."""
        transport = connection.socket._req.transport if connection.socket._req else None
        assert transport is not None
        transport.abort()

    async def _once(self, kind: str, payload: Json, retry: Json) -> Json | None:
        async with self._changed, asyncio.timeout(10):
            await self._changed.wait_for(lambda: bool(self.open))
        connection = self.open[self._next % len(self.open)]
        self._next += 1
        envelope = f"envelope-{next(self._numbers)}"
        connection.received.append(envelope)
        answered = asyncio.get_running_loop().create_future()
        self._waiting[envelope] = answered
        accepts = kind != "events_api"
        try:
            await connection.socket.send_json(
                {
                    "envelope_id": envelope,
                    "type": kind,
                    "payload": payload,
                    "accepts_response_payload": accepts,
                    **retry,
                }
            )
            answer: Json = await asyncio.wait_for(answered, self.patience)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._waiting.pop(envelope, None)
        if answer.get("payload") and not accepts:
            self.problems.append(f"{kind} takes no payload with its acknowledgement")
        return answer

    async def _give_address(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if self.refuses:
            return web.json_response({"ok": False, "error": self.refuses})
        ticket = f"ticket-{next(self._numbers)}"
        self.tickets.add(ticket)
        return web.json_response({"ok": True, "url": f"{self.url().replace('http', 'ws', 1)}/link/{ticket}"})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        ticket = request.match_info["ticket"]
        if ticket not in self.tickets:
            return web.Response(status=403, text="invalid ticket")
        self.tickets.remove(ticket)
        if len(self.open) >= MOST:
            return web.Response(status=403, text="too_many_websockets")
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        connection = Connection(socket, next(self._numbers))
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.open) + 1,
                "debug_info": {"host": "test", "approximate_connection_time": 3600},
                "connection_info": {"app_id": "A1"},
            }
        )
        await self._change(lambda: self.open.append(connection))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            await self._change(lambda: self.open.remove(connection))
        return socket

    def _acknowledged(self, said: Json) -> None:
        unknown = set(said) - {"envelope_id", "payload"}
        if unknown:
            self.problems.append(f"an acknowledgement with {unknown}")
        waiting = self._waiting.get(said.get("envelope_id", ""))
        if waiting is not None and not waiting.done():
            waiting.set_result(said)

    async def _change(self, change: Callable[[], None]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()

"""Fake Slack's end of Socket Mode: single-use addresses, envelopes to be acknowledged, connections that break.

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
MAX_CONNECTIONS = 10
"""Connections that one app may have open."""
ACKNOWLEDGE_TIMEOUT = 3.0
"""Seconds an envelope waits for its acknowledgement before it is sent again."""
RETRIES = 3


@dataclass(eq=False)
class Connection:
    """One WebSocket connection of the app."""

    socket: web.WebSocketResponse
    number: int
    received: list[str] = field(default_factory=list)
    """Ids of the envelopes that were sent over it."""


@dataclass(kw_only=True)
class Sockets:
    """All open connections of the app. A test that wants a redelivery may shorten `acknowledge_timeout`."""

    url: Callable[[], str]
    acknowledge_timeout: float = ACKNOWLEDGE_TIMEOUT
    open: list[Connection] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    refuses: str = ""
    """Error to answer `apps.connections.open` with; empty to accept."""
    problems: list[str] = field(default_factory=list)
    connections: int = 0
    """How many have been opened since the start."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _next: int = 0

    def mount(self, app: web.Application) -> None:
        app.router.add_post("/api/apps.connections.open", self._open_connection)
        app.router.add_get("/link/{ticket}", self._connect)

    async def wait_for_connections(self, many: int = 1) -> None:
        """Wait until this many connections are open, ten seconds at most."""
        async with self._changed, asyncio.timeout(10):
            await self._changed.wait_for(lambda: len(self.open) == many)

    async def deliver(self, kind: str, payload: Json) -> tuple[int, Any]:
        """Send an envelope until it is acknowledged, over the open connections in turn.

        Returns 200 and the payload of the acknowledgement, or 0 when there was none. Events are sent up to four times,
        everything else once.
        """
        tries = RETRIES + 1 if kind == "events_api" else 1
        for attempt in range(tries):
            retry = {"retry_attempt": attempt, "retry_reason": "timeout"} if attempt else {}
            answer = await self._send_envelope(kind, payload, retry)
            if answer is not None:
                return 200, answer.get("payload") or ""
        return 0, ""

    async def disconnect(self, connection: Connection, reason: str = "refresh_requested") -> None:
        """Ask for a new connection, and close this one a moment later, as Slack does."""
        await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "test"}})
        await connection.socket.close()

    async def cut(self, connection: Connection) -> None:
        """Break a connection without closing it properly, as when the network fails."""
        transport = connection.socket._req.transport if connection.socket._req else None
        assert transport is not None
        transport.abort()

    async def _send_envelope(self, kind: str, payload: Json, retry: Json) -> Json | None:
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
            answer: Json = await asyncio.wait_for(answered, self.acknowledge_timeout)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._waiting.pop(envelope, None)
        if answer.get("payload") and not accepts:
            self.problems.append(f"{kind} takes no payload with its acknowledgement")
        return answer

    async def _open_connection(self, request: web.Request) -> web.Response:
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
        if len(self.open) >= MAX_CONNECTIONS:
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
        self.connections += 1
        await self._change(lambda: self.open.append(connection))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._resolve(json.loads(message.data))
        finally:
            await self._change(lambda: self.open.remove(connection))
        return socket

    def _resolve(self, said: Json) -> None:
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

"""Play Slack's end of a Socket Mode connection: send slash commands as fast as they are acknowledged."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from benchmarks.load import CONNECTIONS, LoadResult, summarize


class SocketModeServer:
    """A server that opens one Socket Mode connection to a client. `url` is where its Web API is."""

    def __init__(self) -> None:
        self.url = ""
        self._socket: web.WebSocketResponse | None = None
        self._open = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SocketModeServer"]:
        """Serve from entering to leaving the context, on a free port."""
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        app.router.add_get("/link", self._connect)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def send_all(self, payloads: list[dict[str, Any]]) -> LoadResult:
        """Send every command, `CONNECTIONS` at a time. Raises RuntimeError unless each is acknowledged with words."""
        await self._open.wait()
        waiting, took = iter(payloads), list[float]()
        started = time.perf_counter()
        await asyncio.gather(*(self._one(waiting, took) for _ in range(CONNECTIONS)))
        return summarize(took, time.perf_counter() - started)

    async def _one(self, waiting: Iterator[dict[str, Any]], took: list[float]) -> None:
        for payload in waiting:
            envelope, answer = payload["trigger_id"], asyncio.get_running_loop().create_future()
            self._waiting[envelope] = answer
            started = time.perf_counter()
            assert self._socket is not None
            message = {"envelope_id": envelope, "type": "slash_commands", "payload": payload}
            await self._socket.send_str(json.dumps({**message, "accepts_response_payload": True}))
            said = await answer
            took.append(time.perf_counter() - started)
            if not said.get("payload"):
                raise RuntimeError(f"acknowledged with {said}")

    async def _answer(self, request: web.Request) -> web.Response:
        """Answer a Web API call: a connection can be opened; there is no workspace behind it to talk to."""
        if request.match_info["method"] == "apps.connections.open":
            return web.json_response({"ok": True, "url": self.url.replace("http", "ws") + "/link"})
        return web.json_response({"ok": False, "error": "not_authed"})

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._open.set()
        async for message in socket:
            said = json.loads(message.data)
            self._waiting.pop(said["envelope_id"]).set_result(said)
        self._open.clear()
        return socket

"""One aiohttp application for every platform, and how it is served."""

import asyncio
import errno
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)

LARGEST_REQUEST = 1_000_000
"""Bytes; the largest form people can send is far below it."""
PATIENCE = 3.0
"""Seconds that open requests get to finish when Ritme stops."""

Part = Callable[[web.Application], None]
"""Adds one platform's routes."""


class CannotListen(Exception):
    """The address cannot be listened on; the text says why, and the cure."""


def make_app(*, parts: Iterable[Part], ready: Callable[[], Awaitable[bool]]) -> web.Application:
    """The application: every part's routes, and /healthz, which answers 200 while `ready` says so, else 503."""

    async def healthz(_request: web.Request) -> web.Response:
        try:
            well = await ready()
        except Exception:
            log.exception("unhealthy")
            well = False
        return web.json_response({"status": "ok" if well else "unavailable"}, status=200 if well else 503)

    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[_apologise])
    app.router.add_get("/healthz", healthz)
    for part in parts:
        part(app)
    return app


@web.middleware
async def _apologise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug becomes a 500 with a reference that is in the log, so that a platform retries and a person gets help."""
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("request failed", reference=reference, method=request.method, path=request.path)
        return web.json_response({"error": "internal", "reference": reference}, status=500)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises `CannotListen`."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken on {host}. Stop what uses it, or choose another: PORT={port + 1}"
        elif problem.errno == errno.EACCES:
            reason = f"Port {port} is reserved for the system. Choose one above 1023: PORT=8080"
        else:
            reason = f"Cannot listen on {host}: {problem.strerror}. Set RITME_HOST to an address of this machine"
        raise CannotListen(reason) from problem


async def serve(app: web.Application, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT, then lets open requests finish. Calls `on_ready` once it really answers."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def once() -> None:
        """A second signal ends Ritme the hard way."""
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, once)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        on_ready()
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()

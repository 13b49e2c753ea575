"""One aiohttp application for every platform, and how it is served."""

import asyncio
import errno
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import InterfaceError, OperationalError

from bot.ports import StorageUnavailable

log = structlog.get_logger(__name__)

LARGEST_REQUEST = 1_000_000
"""Bytes; the largest form people can send is far below it."""
PATIENCE = 3.0
"""Seconds that open requests get to finish when Ritme stops."""

Part = Callable[[web.Application], None]
"""Adds one platform's routes."""


class CannotListen(Exception):
    """The address cannot be listened on; the text says why, and the cure."""


def make_app(
    *,
    parts: Iterable[Part],
    ready: Callable[[], Awaitable[Mapping[str, str]]],
    metrics: Callable[[], Awaitable[bytes]] | None = None,
) -> web.Application:
    """The application: every part's routes; /healthz, which answers 200 while this process is alive; /readyz, which
    answers 200 while `ready` says that nothing is the matter, else 503 with what is; and /metrics, for Prometheus."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        matter = await ready()
        said = {"status": "unavailable", **matter} if matter else {"status": "ok"}
        return web.json_response(said, status=503 if matter else 200)

    async def counted(_request: web.Request) -> web.Response:
        said = await metrics() if metrics is not None else b""
        return web.Response(body=said, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[_apologise])
    app.router.add_get("/metrics", counted)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    for part in parts:
        part(app)
    return app


@web.middleware
async def _apologise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug becomes a 500 with a reference that is in the log, so that a platform retries and a person gets help; while
    the database is away it is a 503. Whatever is logged on the way carries the same correlation id."""
    try:
        with structlog.contextvars.bound_contextvars(correlation=secrets.token_hex(16)):
            return await handler(request)
    except (web.HTTPException, ConnectionError, asyncio.CancelledError):
        raise
    except Exception as problem:
        reference, unavailable = (
            secrets.token_hex(4),
            isinstance(problem, (StorageUnavailable, OperationalError, InterfaceError)),
        )
        log.exception("request failed", reference=reference, method=request.method, path=request.path)
        error = "try again" if unavailable else "internal"
        return web.json_response({"error": error, "reference": reference}, status=503 if unavailable else 500)


def listen(host: str, port: int, *, chosen_by: str = "RITME_PORT=") -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises `CannotListen`, which says how the port is `chosen_by`."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken on {host}. Stop what uses it, or choose another: {chosen_by}{port + 1}"
        elif problem.errno == errno.EACCES:
            reason = f"Port {port} is reserved for the system. Choose one above 1023: {chosen_by}8080"
        else:
            reason = f"Cannot listen on {host}: {problem.strerror}. Set RITME_HOST to an address of this machine"
        raise CannotListen(reason) from problem


async def told_to_stop(on_ready: Callable[[], None] = lambda: None) -> None:
    """Waits for SIGTERM or SIGINT; calls `on_ready` once it hears them. A second one ends Ritme the hard way."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def once() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, once)
    on_ready()
    await stop.wait()
    log.info("stopping")


async def serve(app: web.Application, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serves until told to stop, then lets open requests finish. Calls `on_ready` once it really answers."""
    told = asyncio.ensure_future(told_to_stop())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        await asyncio.sleep(0)  # from here on, a signal is heard
        on_ready()
        await told
    finally:
        told.cancel()
        await runner.cleanup()

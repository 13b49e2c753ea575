"""Build one aiohttp application for all platforms, and serve it until the process is told to stop."""

import asyncio
import errno
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass

import structlog
from aiohttp import web, web_response
from aiohttp.typedefs import Handler, Middleware

from adapters.connections import HEADERS_TIMEOUT, MAX_CONNECTIONS, Connections, server_logger
from adapters.door import LARGEST_BODY, BadInput
from adapters.failures import report_failure
from adapters.page_policy import protect_response

log = structlog.get_logger(__name__)

BODY_TIMEOUT = 10.0
"""Seconds in which the body of a request has to come in."""
KEEPALIVE_TIMEOUT = 150.0
"""Seconds without a request after which a connection is closed. Proxies close it sooner, nginx after 60 and Caddy after
120: if we did, a request of theirs could meet a connection that is just being closed."""
LINGERING_TIME = 2.0
"""Seconds that the rest of a body may still come in after its request was refused, so that the refusal is read."""
SHUTDOWN_TIMEOUT = 3.0
"""Seconds that open requests get to finish when Ritme stops."""

RouteAdder = Callable[[web.Application], None]
"""Adds one platform's routes to the application."""


CONNECTIONS = web.AppKey("connections", Connections)

# aiohttp tells its version and Python's in every answer. Not by a hook of ours: what is no HTTP at all meets none.
web_response.SERVER_SOFTWARE = "Ritme"  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """Limits what clients take: seconds over headers, a body, and the rest of a refused one; connections at once."""

    headers_timeout: float = HEADERS_TIMEOUT
    body_timeout: float = BODY_TIMEOUT
    lingering_time: float = LINGERING_TIME
    connections: int = MAX_CONNECTIONS


DEFAULT_LIMITS = RequestLimits()
LIMITS = web.AppKey("limits", RequestLimits)


class CannotListen(Exception):
    """The address cannot be listened on; the text says why, and the cure."""


def make_app(*, mounts: Iterable[RouteAdder] = (), limits: RequestLimits = DEFAULT_LIMITS) -> web.Application:
    """Create the application for everybody, with the routes that `mounts` add.

    One of its own: /healthz answers 200 while this process is alive.
    """

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_handle_errors, _make_door(limits)])
    app[LIMITS] = limits
    app[CONNECTIONS] = Connections(limits.connections, limits.headers_timeout)
    app.on_response_prepare.append(protect_response)
    app.router.add_get("/healthz", healthz)
    for mount in mounts:
        mount(app)
    return app


def make_operations_app(
    *, find_problems: Callable[[], Awaitable[Mapping[str, str]]], metrics: Callable[[], Awaitable[bytes]]
) -> web.Application:
    """Create the application for whoever keeps Ritme running, to be served where nobody else comes.

    Beside /healthz: /readyz answers 200 while `find_problems` finds none, else 503 with the problems by subject;
    /metrics answers `metrics` in Prometheus's text format.
    """

    async def readyz(_request: web.Request) -> web.Response:
        problems = await find_problems()
        body = {"status": "unavailable", **problems} if problems else {"status": "ok"}
        return web.json_response(body, status=503 if problems else 200)

    async def export_metrics(_request: web.Request) -> web.Response:
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=await metrics(), headers=headers)

    app = make_app()
    app.router.add_get("/metrics", export_metrics)
    app.router.add_get("/readyz", readyz)
    return app


def _make_door(limits: RequestLimits) -> Middleware:
    """Create middleware that reads the whole body before a handler sees the request.

    So whatever can be wrong with it, too large, too slow, cut off or badly compressed, is answered in one place, and no
    handler has to think of it.
    """

    @web.middleware
    async def read_body(request: web.Request, handler: Handler) -> web.StreamResponse:
        with request.app[CONNECTIONS].handling(request.transport):
            if request.match_info.http_exception is None and request.body_exists:
                refusal = await _try_to_read(request, limits)
                if refusal is not None:
                    return refusal
            return await handler(request)

    return read_body


async def _try_to_read(request: web.Request, limits: RequestLimits) -> web.Response | None:
    """Read the body, which aiohttp then keeps; return the refusal of one that cannot be read."""
    try:
        if (request.content_length or 0) > LARGEST_BODY:
            return _refuse(request, 413, "too large")
        # A small body came with its headers, as a rule: then nothing is waited for.
        async with nullcontext() if request.content.is_eof() else asyncio.timeout(limits.body_timeout):
            await request.read()
    except TimeoutError:
        return _refuse(request, 408, "too slow")
    except web.HTTPRequestEntityTooLarge:
        return _refuse(request, 413, "too large")
    except (web.RequestPayloadError, ValueError):
        return _refuse(request, 400, "unreadable")
    return None


def _refuse(request: web.Request, status: int, error: str) -> web.Response:
    """Answer without having read everything, so that the connection cannot be used again."""
    log.warning("request_refused", path=_route(request), status=status, reason=error)
    refusal = web.json_response({"error": error}, status=status)
    refusal.force_close()
    return refusal


@web.middleware
async def _handle_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what cannot be read with status 400, an unexpected exception with 500, or 503 while the database is away.

    The last two make a platform deliver again; their answer has a reference by which an operator finds the exception
    in the log. Lines logged while a request is handled carry one correlation id.
    """
    with structlog.contextvars.bound_contextvars(correlation=secrets.token_hex(16)):
        try:
            return await handler(request)
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except BadInput as bad:
            log.warning("request_malformed", method=request.method, path=_route(request), reason=bad.reason)
            return web.json_response({"error": "bad request"}, status=400)
        except Exception as problem:  # `report_failure` logs it
            if isinstance(problem, ConnectionError) and _is_gone(request):
                raise  # aiohttp passes over it in silence, as it would over one of our own connections
            failure = report_failure("request_failed", problem, method=request.method, path=_route(request))
            return web.json_response(failure.body, status=failure.status)


def _is_gone(request: web.Request) -> bool:
    """Return whether the client closed its connection: nobody reads an answer."""
    return request.transport is None or request.transport.is_closing()


def _route(request: web.Request) -> str:
    """Return the path of a request without what differs from one to another, which may be a secret or anything."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def listen(host: str, port: int, *, chosen_by: str = "RITME_PORT=", host_variable: str = "RITME_HOST") -> socket.socket:
    """Open a listening socket; port 0 takes any free one.

    Raises `CannotListen`, whose cure tells how the port is chosen, `chosen_by` followed by another port, and which
    variable holds the host.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            other = port + 1 if port < 65535 else port - 1
            reason = f"Port {port} is taken on {host}. Stop what uses it, or choose another: {chosen_by}{other}"
        elif problem.errno == errno.EACCES:
            reason = f"Port {port} is reserved for the system. Choose one above 1023: {chosen_by}8080"
        else:
            reason = f"Cannot listen on {host}: {problem.strerror}. Set {host_variable} to an address of this machine"
        raise CannotListen(reason) from problem


async def wait_for_stop_signal(on_ready: Callable[[], None] = lambda: None) -> None:
    """Wait for SIGTERM or SIGINT; call `on_ready` once both are handled. A second signal kills the process as usual."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def stop_once() -> None:
        # Without our handlers the next signal ends the process at once: a way out when stopping hangs.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_once)
    on_ready()
    await stop.wait()
    log.info("stopping")


def make_runner(app: web.Application) -> web.AppRunner:
    """Create what runs the application, with the limits that it was made with once `serve_on` serves it."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=server_logger(),
        shutdown_timeout=SHUTDOWN_TIMEOUT,
        keepalive_timeout=KEEPALIVE_TIMEOUT,
        lingering_time=app[LIMITS].lingering_time,
    )


async def serve_on(runner: web.AppRunner, listening: socket.socket) -> asyncio.Server:
    """Start to serve an application that is set up; close the server before the runner."""
    if runner.server is None:
        raise RuntimeError("the runner is not set up")
    factory = runner.app[CONNECTIONS].wrap(runner.server)
    return await asyncio.get_running_loop().create_server(factory, sock=listening)


async def serve_apps(served: Sequence[tuple[web.Application, socket.socket]], on_ready: Callable[[], None]) -> None:
    """Serve every application on its socket until a stop signal, then let open requests finish.

    Calls `on_ready` once requests are answered.
    """
    stop = asyncio.ensure_future(wait_for_stop_signal())
    async with AsyncExitStack() as stack:
        stack.callback(stop.cancel)
        for app, listening in served:
            runner = make_runner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback((await serve_on(runner, listening)).close)
        await asyncio.sleep(0)  # lets `stop` start: from here on, signals are handled
        on_ready()
        await stop

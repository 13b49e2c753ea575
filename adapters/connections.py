"""Guard the HTTP server against those who hold its connections: how many there are, and how long headers may take.

aiohttp has no limit to either. So a `_Connection` stands between a socket and aiohttp's own protocol.
"""

import asyncio
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

MAX_CONNECTIONS = 1_000
"""Connections at once, unless told otherwise."""
HEADERS_TIMEOUT = 10.0
"""Seconds that the first line and the headers of a request may take."""
FILES_BESIDE = 256
"""Open files beside those of connections: of the database, of platforms, of Python itself."""
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nbusy\n"
)
log = structlog.get_logger(__name__)


class Connections:
    """The connections of one server: at most `limit`, of which none may take longer than a time over its headers."""

    def __init__(self, limit: int = MAX_CONNECTIONS, headers_timeout: float = HEADERS_TIMEOUT) -> None:
        self.limit = limit
        self.headers_timeout = headers_timeout
        self._open: dict[asyncio.BaseTransport, _Connection] = {}
        self._is_full = False

    @property
    def count(self) -> int:
        """How many there are now."""
        return len(self._open)

    def wrap(self, make_protocol: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return a protocol factory for `loop.create_server` that guards the protocols of another."""
        return lambda: _Connection(self, make_protocol())

    @contextmanager
    def handling(self, transport: asyncio.BaseTransport | None) -> Iterator[None]:
        """Mark that the headers of a request are complete and that it is handled, for as long as this lasts."""
        connection = self._open.get(transport) if transport is not None else None
        if connection is None:
            yield
            return
        connection.begin_request()
        try:
            yield
        finally:
            connection.is_handling = False

    def admit(self, transport: asyncio.BaseTransport, connection: "_Connection") -> bool:
        """Count a new connection in; return False when there are too many already.

        One that is kept open after its last request makes room for a new one: it can be opened again.
        """
        if len(self._open) >= self.limit and not self._close_idle():
            if not self._is_full:  # once: those who flood us must not flood the log
                log.warning("connections_refused", limit=self.limit)
            self._is_full = True
            return False
        self._open[transport] = connection
        return True

    def _close_idle(self) -> bool:
        """Close the oldest connection on which nothing goes on; return False when there is none."""
        for transport, connection in self._open.items():
            if connection.is_idle:
                self.drop(transport)
                connection.close()
                return True
        return False

    def drop(self, transport: asyncio.BaseTransport) -> None:
        """Count a connection out."""
        self._open.pop(transport, None)
        if len(self._open) < self.limit * 0.9:
            self._is_full = False


class _Connection(asyncio.Protocol):
    """Passes everything on to aiohttp's protocol, and closes the connection when headers take too long."""

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections = connections
        self._inner: asyncio.Protocol | None = inner
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.is_handling = False

    @property
    def is_idle(self) -> bool:
        """True between two requests."""
        return not self.is_handling and self._timer is None

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()  # not `close`: it would wait until what is written was read

    def begin_request(self) -> None:
        """Stop the timer: the headers of a request are there."""
        self.is_handling = True
        self._stop_timer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._inner is None or not self._connections.admit(transport, self):
            self._inner = None
            self._transport.write(_REFUSAL)
            self._transport.close()
            return
        self._start_timer()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is None:
            return
        if not self.is_handling and self._timer is None:
            self._start_timer()  # the next request of a connection that is kept alive begins
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._inner is not None and self._transport is not None:
            self._connections.drop(self._transport)
            self._inner.connection_lost(exc)

    def _start_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._connections.headers_timeout, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self.close()


def raise_file_limit(connections: int) -> None:
    """Allow this process as many open files as its connections need; many systems allow 1,024 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + FILES_BESIDE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        log.warning("file_limit_low", allowed=allowed, needed=needed)


def server_logger() -> logging.Logger:
    """Return the logger for aiohttp's server: what is no HTTP is one line, not a stack trace that anyone can cause."""
    logger = logging.getLogger("ritme.http")
    if not logger.filters:
        logger.addFilter(_shorten_bad_requests)
    return logger


def _shorten_bad_requests(record: logging.LogRecord) -> bool:
    problem = record.exc_info[1] if record.exc_info else None
    if isinstance(problem, (HttpProcessingError, web.RequestPayloadError)):
        record.msg, record.args = "bad_http", ()
        record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
    return True

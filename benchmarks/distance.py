"""Put a distance between Ritme and PostgreSQL: what is sent arrives later, each way, and the trips are counted."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.engine import URL

CHUNK = 65_536
READY = b"Z\0\0\0\5"
"""How PostgreSQL says that it answered all that it was asked, but for one more byte."""


class DelayingProxy:
    """A server on this machine that passes everything on to the PostgreSQL at `url`, which listens in a folder, and
    back: each way half of `delay` seconds later.

    `trips` counts how often the server had answered all that it was asked. What is asked without waiting is one trip,
    though the server may begin to answer before it has all of it.
    """

    def __init__(self, url: URL, delay: float) -> None:
        self._url = url
        self._half = delay / 2
        self.trips = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[URL]:
        """Serve from entering to leaving the context. Yields the address of the database through it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield self._url.set(host="127.0.0.1", port=port, query={})

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        path = f"{self._url.query['host']}/.s.PGSQL.{self._url.port or 5432}"
        server, to_server = await asyncio.open_unix_connection(path)
        waiting = asyncio.Event()  # the client, for an answer
        await asyncio.gather(
            self._pass_on(client, to_server, lambda _: waiting.set()),
            self._pass_on(server, to_client, self._answered(waiting)),
        )

    def _answered(self, waiting: asyncio.Event) -> Callable[[bytes], None]:
        last, is_open = b"", False

        def note(data: bytes) -> None:
            nonlocal last, is_open
            last = (last + data)[-len(READY) - 1 :]
            is_done = last.startswith(READY)
            if is_done or not is_open:  # who connects waits for each answer
                self.trips += waiting.is_set()
                waiting.clear()
            is_open |= is_done

        return note

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, note: Callable[[bytes], None]
    ) -> None:
        loop, late = asyncio.get_running_loop(), deque[bytes]()
        while data := await source.read(CHUNK):
            note(data)
            late.append(data)
            loop.call_later(self._half, lambda: target.write(late.popleft()))
        await asyncio.sleep(self._half)
        target.close()

"""On PostgreSQL an intent takes few trips to the database, however many statements: each waits for the network."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from select import select
from threading import Thread

from sqlalchemy import make_url

from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from tests.scale.everything import THINGS, Stage
from tests.support.databases import open_database

STUCK = "/stuck De nachtdienst hoort het als laatste"
STORY = "/story Vandaag liepen we met z’n vieren, en het regende"
TRIPS = {STUCK: 6, STORY: 4, "thread.replied": 10, "step.done": 12}


SOCKET = ".s.PGSQL.5432"


class CountingProxy:
    """Stands between clients and a server, in threads, and counts how often a client waits for an answer."""

    def __init__(self, server: str, client: str) -> None:
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(client)
        self._listener.listen()
        self.trips = 0

    def serve(self) -> None:
        """Connect clients until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what two say to each other, until either ends."""
        spoke = server
        with client, server:
            while True:
                for one in select([client, server], [], [])[0]:
                    said = one.recv(65536)
                    if not said:
                        return
                    self.trips += one is client and spoke is server
                    spoke = one
                    (server if one is client else client).sendall(said)

    def close(self) -> None:
        """Connect nobody any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[tuple[Stage, CountingProxy]]:
    """Open a movement whose database is reached through a proxy that counts."""
    async with open_database("postgresql", folder) as storage:
        url = make_url(storage.url)
        database = connect(url.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False))
        stage = Stage(replace(storage, database=database, transact=unit_of_work(database, announce)))
        proxy = CountingProxy(f"{url.query['host']}/{SOCKET}", str(folder / SOCKET))
        thread = Thread(target=proxy.serve)
        thread.start()
        try:
            await stage.fill()
            yield stage, proxy
        finally:
            await database.dispose()
            proxy.close()
            thread.join()


async def test_an_intent_takes_few_trips(tmp_path: Path) -> None:
    took: dict[str, int] = {}
    async with staged(tmp_path) as (stage, proxy):
        for one in THINGS:
            if one.what in TRIPS:
                act = await one.prepare(stage, stage.world)
                proxy.trips = 0
                await act()
                took[one.what] = proxy.trips
    assert {what: trips for what, trips in took.items() if trips > TRIPS[what]} == {}
    assert took.keys() == TRIPS.keys()

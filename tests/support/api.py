"""A program outside: it asks the API over real HTTP, with a key."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession, web

from adapters.api import ApiSite
from adapters.api.web import API_PATH
from adapters.web import make_app
from bot.api import ApiReader
from bot.chat import Reply
from bot.domain.api_token import Lifetime, Scope
from tests.support.world import World, text_of

KEY = re.compile(r"ritme_[\w-]{43}")
EVERY_SCOPE = tuple(one.value for one in Scope)


@dataclass
class Program:
    """A program that reads with a key, or (empty) without one."""

    session: ClientSession
    url: str
    key: str = ""

    async def ask(self, path: str, method: str = "GET", **headers: str) -> ClientResponse:
        """Ask, and read the whole answer."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        answer = await self.session.request(method, f"{API_PATH}{path}", headers={**sent, **headers})
        await answer.read()
        return answer

    async def read(self, path: str) -> Any:
        """Return the body of what is there."""
        answer = await self.ask(path)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def refused(self, path: str, status: int, method: str = "GET", **headers: str) -> dict[str, Any]:
        """Return the problem of what is refused, of the form that every problem has."""
        answer = await self.ask(path, method, **headers)
        assert (answer.status, answer.content_type) == (status, "application/problem+json"), await answer.text()
        told: dict[str, Any] = await answer.json()
        assert set(told) >= {"type", "title", "status", "detail"}
        assert told["detail"]
        return told


@asynccontextmanager
async def open_api(core: ApiReader) -> AsyncIterator[Program]:
    """Serve the API on a free port."""
    runner = web.AppRunner(make_app(mounts=[ApiSite(core, "").mount]), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with ClientSession(url) as session:
            yield Program(session, url)
    finally:
        await runner.cleanup()


async def make_key(
    world: World, *scopes: str, who: str = "iris", name: str = "Website", lasts: str = Lifetime.YEAR
) -> str:
    """Make a key in chat, and return its secret."""
    shown = await world.type(who, "/ritme api")
    form = await world.press(who, shown, "make")
    made = await world.submit(who, form, name=name, opens=scopes or EVERY_SCOPE, lasts=str(lasts))
    return key_in(made)


def key_in(made: Reply) -> str:
    """Return the key that is shown."""
    found = KEY.search(text_of(made))
    assert found, text_of(made)
    return found.group()

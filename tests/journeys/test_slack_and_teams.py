"""One movement in Slack and in Teams: a code of one opens the other, stories cross, and what is taken back is gone."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.database.teams import SqlConversations
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.web import make_app
from bot.app import Ritme
from bot.domain.person import WorkspaceId
from tests.drivers.slack import SlackDriver, slack_driver
from tests.fakes.slack.state import Shown
from tests.fakes.teams.microsoft import Microsoft, microsoft
from tests.support.databases import BOTH

TENANT, CHANNEL = "00000000-0000-0000-0000-00000000feed", "19:west@thread.tacv2"
STORY = "We liepen een rondje met de buurvrouw"


@dataclass
class Both:
    """Slack as in the other journeys, and a channel of Teams beside it."""

    slack: SlackDriver
    microsoft: Microsoft
    session: aiohttp.ClientSession
    address: str
    numbers: int = 0

    async def in_teams(self, text: str, **more: Any) -> None:
        """Have Noor say something to Ritme in her channel of Teams; `more` of the activity, such as her locale."""
        await self._send({"type": "message", "text": f"<at>Ritme</at> {text}", "entities": [MENTION], **more})

    async def press_in_teams(self, intent: str, args: dict[str, str], message: str) -> None:
        action = {"type": "Action.Execute", "verb": intent, "data": {"intent": intent, "args": args}}
        more = {"name": "adaptiveCard/action", "value": {"action": action}, "replyToId": message}
        await self._send({"type": "invoke", **more})

    async def _send(self, what: dict[str, Any]) -> None:
        self.numbers += 1
        activity = {
            "id": f"a{self.numbers}",
            "channelId": "msteams",
            "serviceUrl": f"{self.microsoft.url}/connector/",
            "from": {"id": "29:noor", "name": "Noor", "aadObjectId": "noor"},
            "recipient": {"id": "28:ritme", "name": "Ritme"},
            "conversation": {"id": f"{CHANNEL};messageid=1", "conversationType": "channel"},
            "channelData": {
                "tenant": {"id": TENANT},
                "team": {"id": CHANNEL, "name": "Team West"},
                "channel": {"id": CHANNEL},
            },
            **what,
        }
        async with self.session.post(self.address, json=activity) as answer:
            assert answer.status < 300
        await self.drain()

    async def drain(self) -> None:
        await self.slack.drain()
        while await self.slack.ritme.drain(WorkspaceId(f"teams:{TENANT}")):
            pass

    def said_in_teams(self, method: str = "POST") -> list[str]:
        """List the texts that were sent to the channel in Teams."""
        return [json.dumps(body, ensure_ascii=False) for how, _, body in self.microsoft.calls if how == method]


MENTION = {"type": "mention", "mentioned": {"id": "28:ritme"}, "text": "<at>Ritme</at>"}


@pytest.fixture(params=BOTH)
async def both(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    async with slack_and_teams(tmp_path, kind=request.param) as fresh:
        yield fresh


@asynccontextmanager
async def slack_and_teams(tmp_path: Path, kind: str = "sqlite") -> AsyncIterator[Both]:
    """Run a fresh service that speaks with a fake Slack and with a fake of Microsoft's servers."""
    async with (
        slack_driver(tmp_path, kind=kind) as slack,
        microsoft(slack.clock.now()) as there,
        aiohttp.ClientSession() as session,
    ):
        registration = AppRegistration(app_id="app", tenants=frozenset({TENANT}), auth_disabled=True)
        teams = TeamsPlatform(registration, SqlConversations(slack.database), slack.clock, opens=Ritme.opens)
        platforms: Any = slack.ritme._drainer._platforms
        platforms["teams"] = teams.ports
        app = make_app(mounts=[lambda served: teams.mount(served, slack.ritme)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
        yield Both(slack=slack, microsoft=there, session=session, address=address)
        await runner.cleanup()
        await teams.close()


async def test_a_code_of_slack_opens_teams_and_a_story_goes_there_and_back(both: Both) -> None:
    slack = both.slack
    await slack.movement("fatima", "jan")
    made = await slack.press("iris", await slack.type("iris", "/ritme code"), "make")
    assert isinstance(made, Shown)
    code = re.search(r"\w{4}-\w{4}-\w{4}", made.words())
    assert code
    await both.in_teams(f"join {code.group(0)}")
    assert "Samen op pad" in both.said_in_teams()[-1]
    assert "Team West" in slack.private("iris")[-1].words()

    form = await slack.type("fatima", "/story")
    told = await slack.submit("fatima", form, text=STORY, named="with", readers="movement")
    share = await slack.press("fatima", told, "share")
    async with slack.begin() as work:
        place = await work.movements.place_in(WorkspaceId(f"teams:{TENANT}"), CHANNEL)
    assert place is not None
    await slack.submit("fatima", share, place=place.id)
    await both.drain()
    shared = both.said_in_teams()[-1]
    assert STORY in shared
    assert "Verteld in #general" in shared or "Told in #general" in shared

    story = re.search(r'"story": "(\w+)"', shared)
    assert story
    await both.press_in_teams("ripple", {"story": story.group(1)}, "77")
    assert STORY in slack.private("fatima")[-1].words()
    assert "🌊" in slack.private("fatima")[-1].words()

    await slack.press("fatima", told, "withdraw")
    await both.drain()
    assert slack.posts() == []
    assert [path for how, path, _ in both.microsoft.calls if how == "DELETE"] != []

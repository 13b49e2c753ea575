"""Tokens at the endpoint for Teams: valid ones are accepted, and every kind of bad one is refused without effect."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.clock import SettableClock
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect
from adapters.teams import AppRegistration, TeamsPlatform
from adapters.teams.credentials import ClientCredentials
from adapters.web import make_app
from bot.chat import Intent, Reply
from bot.ports import RetryAfter, Unreachable
from tests.fakes.teams.microsoft import Microsoft, microsoft
from tests.support.service import no_problems
from tests.support.world import MONDAY

TENANT, FOREIGN = "00000000-0000-0000-0000-00000000feed", "00000000-0000-0000-0000-0000000000ba"
SERVICE = "https://smba.trafficmanager.net/emea/"
Json = dict[str, Any]


class RecordingCore:
    """A core that records the intents it was handed."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []

    async def handle(self, intent: Intent) -> Reply:
        self.intents.append(intent)
        return None


@dataclass
class Endpoint:
    """The endpoint for Teams over HTTP, with a key server of the tests' own."""

    microsoft: Microsoft
    clock: SettableClock
    core: RecordingCore
    session: aiohttp.ClientSession
    address: str

    async def send(self, token: str | None, **more: Any) -> int:
        """Send an activity with a token; return the HTTP status."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        async with self.session.post(self.address, json={**ACTIVITY, **more}, headers=headers) as answer:
            return answer.status


ACTIVITY: Json = {
    "type": "message",
    "id": "1",
    "channelId": "msteams",
    "serviceUrl": SERVICE,
    "text": "help",
    "from": {"id": "29:1", "name": "Fatima", "aadObjectId": "a1"},
    "recipient": {"id": "28:app"},
    "conversation": {"id": "a:chat", "conversationType": "personal"},
    "channelData": {"tenant": {"id": TENANT}},
}


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    clock = SettableClock(MONDAY, running=False)
    async with microsoft(MONDAY) as theirs, aiohttp.ClientSession() as session:
        registration = AppRegistration(
            app_id="app",
            password="geheim",
            tenant=TENANT,
            tenants=frozenset({TENANT}),
            authority=theirs.url,
            metadata=f"{theirs.url}/metadata",
        )
        platform = TeamsPlatform(registration, SqlConversations(database), clock, opens=frozenset())
        core = RecordingCore()
        app = make_app(mounts=[lambda served: platform.mount(served, core)], find_problems=no_problems)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
        yield Endpoint(microsoft=theirs, clock=clock, core=core, session=session, address=address)
        await runner.cleanup()
        await platform.close()
    await database.dispose()


async def test_a_good_token_gets_in(endpoint: Endpoint) -> None:
    assert await endpoint.send(endpoint.microsoft.token()) == 202
    (intent,) = endpoint.core.intents
    assert intent.actor.workspace == f"teams:{TENANT}"


LATE, EARLY = timedelta(minutes=-6), timedelta(minutes=6)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": MONDAY + LATE},
        {"nbf": MONDAY + EARLY},
        {"aud": "another"},
        {"iss": "https://sts.windows.net/x/"},
        {"serviceurl": "https://evil.example/"},
        *({name: None} for name in ("exp", "nbf", "iss", "aud", "serviceurl")),
        {"algorithm": "HS256"},
        {"algorithm": "none"},
        {"kid": "unknown"},
    ],
    ids=str,
)
async def test_a_bad_token_does_not(endpoint: Endpoint, claims: dict[str, Any]) -> None:
    assert await endpoint.send(endpoint.microsoft.token(**claims)) == 401
    assert endpoint.core.intents == []


@pytest.mark.parametrize("header", [None, "", "x.y.z", "a" * 5000])
async def test_nor_does_what_is_no_token(endpoint: Endpoint, header: str | None) -> None:
    assert await endpoint.send(header) == 401
    assert endpoint.core.intents == []


async def test_a_token_signed_by_somebody_else_does_not(endpoint: Endpoint) -> None:
    async with microsoft(MONDAY) as other:
        assert await endpoint.send(other.token()) == 401
    assert endpoint.core.intents == []


@pytest.mark.parametrize(
    ("claims", "more"),
    [
        ({}, {"channelData": {"tenant": {"id": FOREIGN}}}),
        ({}, {"channelData": {}}),
        ({}, {"channelId": "webchat"}),
        ({}, {"channelId": None}),
        ({"serviceurl": "https://evil.example/"}, {"serviceUrl": "https://evil.example/"}),
        ({"serviceurl": "http://smba.trafficmanager.net/"}, {"serviceUrl": "http://smba.trafficmanager.net/"}),
        ({"serviceurl": "https://trafficmanager.net/"}, {"serviceUrl": "https://trafficmanager.net/"}),
        (
            {"serviceurl": "https://x.botframework.com.evil.example/"},
            {"serviceUrl": "https://x.botframework.com.evil.example/"},
        ),
    ],
    ids=str,
)
async def test_a_good_token_for_somewhere_else_is_refused(
    endpoint: Endpoint, claims: dict[str, Any], more: Json
) -> None:
    assert await endpoint.send(endpoint.microsoft.token(**claims), **more) == 403
    assert endpoint.core.intents == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"type": 3}', '{"type": "message", "conversation": "x"}'])
async def test_what_is_no_activity_is_refused(endpoint: Endpoint, body: str) -> None:
    async with endpoint.session.post(
        endpoint.address, data=body, headers={"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 400


class TestKeys:
    async def test_are_fetched_once_however_many_come(self, endpoint: Endpoint) -> None:
        token = endpoint.microsoft.token()
        assert set(await asyncio.gather(*(endpoint.send(token, id=str(one)) for one in range(20)))) == {202}
        assert endpoint.microsoft.key_fetches == 1

    async def test_that_roll_are_found_and_an_unknown_one_is_not_looked_for_at_every_request(
        self, endpoint: Endpoint
    ) -> None:
        assert await endpoint.send(endpoint.microsoft.token()) == 202
        endpoint.microsoft.roll_keys("k2")
        endpoint.clock.set(MONDAY + timedelta(minutes=2))
        assert await endpoint.send(endpoint.microsoft.token(key="k2")) == 202
        for _ in range(5):
            assert await endpoint.send(endpoint.microsoft.token(key="k2", kid="k3")) == 401
        assert endpoint.microsoft.key_fetches == 2

    async def test_that_cannot_be_fetched_make_teams_try_again(self, endpoint: Endpoint) -> None:
        endpoint.microsoft.keys_unavailable = True
        assert await endpoint.send(endpoint.microsoft.token()) == 503
        assert endpoint.core.intents == []
        endpoint.microsoft.keys_unavailable = False
        assert await endpoint.send(endpoint.microsoft.token()) == 202

    async def test_for_another_channel_do_not_count(self, endpoint: Endpoint) -> None:
        endpoint.microsoft.endorsements = ["webchat"]
        assert await endpoint.send(endpoint.microsoft.token()) == 401


class TestOurOwnToken:
    def credentials(self, endpoint: Endpoint) -> ClientCredentials:
        return ClientCredentials(
            endpoint.session,
            endpoint.clock,
            app_id="app",
            password="geheim",
            tenant=TENANT,
            authority=endpoint.microsoft.url,
        )

    async def test_is_fetched_once_and_again_before_it_ends(self, endpoint: Endpoint) -> None:
        ours = self.credentials(endpoint)
        assert set(await asyncio.gather(*(ours.token() for _ in range(20)))) == {"ours-1"}
        (asked,) = endpoint.microsoft.token_requests
        assert asked["path"] == f"/{TENANT}/oauth2/v2.0/token"
        assert asked["scope"] == "https://api.botframework.com/.default"
        endpoint.clock.set(MONDAY + timedelta(minutes=56))
        assert await ours.token() == "ours-2"

    async def test_refused_it_says_so_and_away_it_is_tried_later(self, endpoint: Endpoint) -> None:
        endpoint.microsoft.refuses_secret = True
        with pytest.raises(Unreachable) as refused:
            await self.credentials(endpoint).token()
        assert refused.value.workspace_is_gone
        nobody = ClientCredentials(
            endpoint.session,
            endpoint.clock,
            app_id="app",
            password="x",
            tenant=TENANT,
            authority="http://127.0.0.1:9",
        )
        with pytest.raises(RetryAfter):
            await nobody.token()


async def test_no_secret_and_no_words_reach_the_log(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    token = endpoint.microsoft.token()
    await endpoint.send(token, text="iets persoonlijks")
    await endpoint.send(token, text="iets persoonlijks", channelId="webchat")
    await endpoint.send(endpoint.microsoft.token(aud="another"), text="iets persoonlijks")
    said = capsys.readouterr()
    assert not [secret for secret in (token, "geheim", "persoonlijks") if secret in said.out + said.err]

"""Tokens at the endpoint for Teams: valid ones are accepted, and every kind of bad one is refused without effect."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from adapters.clock import SettableClock
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect
from adapters.teams import auth
from adapters.teams.credentials import ClientCredentials
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.web import make_app
from bot.chat import Intent, Reply
from bot.ports import RetryAfter, Unreachable
from tests.fakes.teams.microsoft import Microsoft, microsoft
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
async def endpoint(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Endpoint]:
    """An endpoint that remembers as many checked tokens as its parameter says, if it has one."""
    monkeypatch.setattr(auth, "MAX_CHECKED_TOKENS", getattr(request, "param", auth.MAX_CHECKED_TOKENS))
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
        platform = TeamsPlatform(registration, SqlConversations(database), clock, opens=frozenset(), keys_timeout=0.2)
        core = RecordingCore()
        app = make_app(mounts=[lambda served: platform.mount(served, core)])
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
EVIL = "https://evil.example/"


def at(url: object) -> tuple[Json, Json]:
    """Return a token and an activity that agree on where the answer goes."""
    return {"serviceurl": url}, {"serviceUrl": url}


REFUSED: list[tuple[int, Json, Json]] = [
    (401, {"exp": MONDAY + LATE}, {}),
    (401, {"nbf": MONDAY + EARLY}, {}),
    (401, {"exp": 10**400}, {}),
    (401, {"exp": "soon"}, {}),
    (401, {"nbf": float("nan")}, {}),
    (401, {"aud": "another"}, {}),
    (401, {"aud": None}, {}),
    (401, {"iss": "https://sts.windows.net/x/"}, {}),
    (401, {"iss": None}, {}),
    (401, {"exp": None}, {}),
    (401, {"nbf": None}, {}),
    (401, {"serviceurl": None}, {}),
    (401, {"serviceurl": EVIL}, {}),
    (401, {}, {"serviceUrl": EVIL}),
    (401, {}, {"serviceUrl": None}),
    (401, {"algorithm": "HS256"}, {}),
    (401, {"algorithm": "HS256 with the public key"}, {}),
    (401, {"algorithm": "none"}, {}),
    (401, {"kid": "unknown"}, {}),
    (403, {}, {"channelData": {"tenant": {"id": FOREIGN}}}),
    (403, {}, {"channelData": {}}),
    (403, {}, {"channelData": {"tenant": {"id": [TENANT]}}}),
    (403, {}, {"channelId": "webchat"}),
    (403, {}, {"channelId": None}),
    (403, *at(EVIL)),
    (403, *at("http://smba.trafficmanager.net/")),
    (403, *at("https://trafficmanager.net/")),
    (403, *at("https://x.botframework.com.evil.example/")),
    (403, *at("https://smba.trafficmanager.net@evil.example/")),
    (403, *at("https://[smba.trafficmanager.net/")),
]


@pytest.mark.parametrize(("status", "claims", "more"), REFUSED, ids=str)
async def test_a_token_that_is_bad_or_for_somewhere_else_is_refused_without_effect(
    endpoint: Endpoint, status: int, claims: Json, more: Json
) -> None:
    assert await endpoint.send(endpoint.microsoft.token(**claims), **more) == status
    assert endpoint.core.intents == []


def make_header(text: str) -> str:
    """Return something in the form of a token, that begins with this text."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + ".e30.eA"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x.y.z",
        "a" * 5000,
        make_header("[" * 5000),
        make_header("[]"),
        make_header('{"alg": "RS256", "kid": ["k1"]}'),
        make_header('{"alg": ["RS256"]}'),
        "é.é.é",
    ],
    ids=lambda header: str(header)[:20],
)
async def test_nor_does_what_is_no_token(endpoint: Endpoint, header: str | None) -> None:
    assert await endpoint.send(header) == 401
    assert endpoint.core.intents == []


async def test_a_token_signed_by_somebody_else_does_not(endpoint: Endpoint) -> None:
    async with microsoft(MONDAY) as other:
        assert await endpoint.send(other.token()) == 401
    assert endpoint.core.intents == []


async def test_two_tokens_are_none(endpoint: Endpoint) -> None:
    headers = [("Authorization", f"Bearer {endpoint.microsoft.token()}")] * 2
    async with endpoint.session.post(endpoint.address, json=ACTIVITY, headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("body", ["", "{", "[]", '{"type": 3}', '{"type": "message", "conversation": "x"}'])
async def test_what_is_no_activity_is_refused(endpoint: Endpoint, body: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.microsoft.token()}"}
    async with endpoint.session.post(endpoint.address, data=body, headers=headers) as answer:
        assert answer.status == 400
    async with endpoint.session.post(endpoint.address, data=body) as answer:
        assert answer.status == 401  # who has no token is told nothing of it


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were verified, in order."""
    tokens, decode = list[str](), jwt.decode

    def note(token: str, *about: Any, **more: Any) -> Any:
        tokens.append(token)
        return decode(token, *about, **more)

    monkeypatch.setattr(jwt, "decode", note)
    return tokens


class TestTokensThatComeAgain:
    async def test_are_verified_once(self, endpoint: Endpoint, verified: list[str]) -> None:
        token = endpoint.microsoft.token()
        assert [await endpoint.send(token, id=str(one)) for one in range(3)] == [202] * 3
        assert verified == [token]

    @pytest.mark.parametrize("endpoint", [2], indirect=True)
    async def test_are_verified_again_when_too_many_came_since(self, endpoint: Endpoint, verified: list[str]) -> None:
        first, second, third = (endpoint.microsoft.token(jti=str(one)) for one in range(3))
        for token in (first, second, third, third, second, first):
            assert await endpoint.send(token) == 202
        assert verified == [first, second, third, first]

    @pytest.mark.parametrize(
        ("status", "more"),
        [(401, {"serviceUrl": EVIL}), (403, {"channelData": {"tenant": {"id": FOREIGN}}}), (403, {"channelId": "web"})],
        ids=str,
    )
    async def test_are_good_for_nothing_else(self, endpoint: Endpoint, status: int, more: Json) -> None:
        token = endpoint.microsoft.token()
        assert await endpoint.send(token) == 202
        assert await endpoint.send(token, **more) == status
        assert len(endpoint.core.intents) == 1

    async def test_expire(self, endpoint: Endpoint) -> None:
        token = endpoint.microsoft.token(exp=MONDAY + timedelta(minutes=5))
        assert await endpoint.send(token) == 202
        endpoint.clock.set(MONDAY + timedelta(minutes=11))
        assert await endpoint.send(token) == 401

    async def test_end_with_the_key_that_signed_them(self, endpoint: Endpoint) -> None:
        token = endpoint.microsoft.token()
        assert await endpoint.send(token) == 202
        endpoint.microsoft.roll_keys("k2")
        endpoint.clock.set(MONDAY + timedelta(minutes=2))
        assert await endpoint.send(endpoint.microsoft.token(key="k2")) == 202
        assert await endpoint.send(token) == 401

    async def test_end_with_their_key_though_another_has_its_id(self, endpoint: Endpoint) -> None:
        token = endpoint.microsoft.token()
        assert await endpoint.send(token) == 202
        endpoint.microsoft.roll_keys("k1")
        endpoint.clock.set(MONDAY + timedelta(minutes=2))
        assert await endpoint.send(endpoint.microsoft.token(kid="k2")) == 401  # the keys are fetched anew for it
        assert await endpoint.send(endpoint.microsoft.token()) == 202
        assert await endpoint.send(token) == 401


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
        endpoint.clock.set(MONDAY + timedelta(minutes=1))
        assert await endpoint.send(endpoint.microsoft.token()) == 202

    @pytest.mark.parametrize("away", [False, True])
    async def test_that_are_unknown_are_looked_for_once_a_minute_however_many_there_are(
        self, endpoint: Endpoint, away: bool
    ) -> None:
        endpoint.microsoft.keys_unavailable = away
        for minute in range(3):
            endpoint.clock.set(MONDAY + timedelta(minutes=minute))
            tokens = [endpoint.microsoft.token(kid=f"unknown {minute} {one}") for one in range(10)]
            answers = await asyncio.gather(*(endpoint.send(token) for token in tokens))
            assert set(answers) == {503 if away else 401}
        assert endpoint.microsoft.key_fetches == 3

    async def test_whose_server_hangs_delay_nobody_whose_key_is_known(self, endpoint: Endpoint) -> None:
        assert await endpoint.send(endpoint.microsoft.token()) == 202
        endpoint.microsoft.now += timedelta(hours=25)
        endpoint.clock.set(MONDAY + timedelta(hours=25))
        async with asyncio.timeout(10), endpoint.microsoft.hanging():
            unknown = asyncio.create_task(endpoint.send(endpoint.microsoft.token(kid="unknown")))
            while endpoint.microsoft.key_fetches < 2:  # noqa: ASYNC110  # until the request is at the key server
                await asyncio.sleep(0)
            assert await endpoint.send(endpoint.microsoft.token()) == 202  # a day old, and used all the same
            assert not unknown.done()
            assert await unknown == 503
        endpoint.microsoft.now += timedelta(hours=24)
        endpoint.clock.set(MONDAY + timedelta(hours=49))
        endpoint.microsoft.keys_unavailable = True
        assert await endpoint.send(endpoint.microsoft.token()) == 503  # but not for ever

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

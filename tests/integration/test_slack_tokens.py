"""Tokens of many workspaces: encrypted at rest, renewed once by concurrent callers, deleted when revoked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from slack_sdk.web.async_client import AsyncWebClient

from adapters.clock import SettableClock
from adapters.database.slack import SqlInstallations
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect
from adapters.slack import installed_tokens
from adapters.slack.installed_tokens import InstalledTokens
from adapters.slack.outbound import SlackMessenger
from adapters.slack.tokens import AppCredentials, NoToken, StaticToken, TokenCipher
from adapters.slack.web_api import SlackApi
from bot.chat import Message, Paragraph, Post, Span
from bot.ports import RetryAfter, StorageUnavailable
from tests.support.world import MONDAY

TWELVE_HOURS = timedelta(hours=12)


@dataclass
class TokenServer:
    """A Slack that gives a new token for each refresh token, once; `refuses` is an error, `silent` hangs up."""

    given: list[str] = field(default_factory=list)
    good: set[str] = field(default_factory=lambda: {"xoxe-1-first"})
    refuses: str = ""
    silent: bool = False
    posts: list[str] = field(default_factory=list)
    """Channels that were posted in."""
    ends_after: int = 0
    """Posts after which the first token expires; 0 for never."""
    time_ends: Callable[[], None] = lambda: None

    async def post(self, request: web.Request) -> web.Response:
        if self.ends_after and len(self.posts) >= self.ends_after:
            self.time_ends()
            if request.headers["Authorization"] == "Bearer xoxb-first":
                return web.json_response({"ok": False, "error": "token_expired"})
        channel = (await request.json())["channel"]
        self.posts.append(channel)
        return web.json_response({"ok": True, "channel": channel, "ts": f"1.{len(self.posts):06d}"})

    async def access(self, request: web.Request) -> web.Response:
        asked = await request.post()
        refresh = str(asked["refresh_token"])
        self.given.append(refresh)
        await asyncio.sleep(0)
        if self.silent:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.refuses or refresh not in self.good:
            return web.json_response({"ok": False, "error": self.refuses or "invalid_refresh_token"})
        self.good = {f"xoxe-1-{len(self.given)}"}
        new = {"access_token": f"xoxe.xoxb-{len(self.given)}", "refresh_token": next(iter(self.good))}
        return web.json_response({"ok": True, **new, "expires_in": 43200, "token_type": "bot"})


@dataclass
class TokenSetup:
    """A Slack, a clock and stored installations, which any number of processes can share."""

    slack: TokenServer
    clock: SettableClock
    file: Path
    client: AsyncWebClient
    rows: SqlInstallations
    keys: list[str]

    def process(self, *keys: str) -> InstalledTokens:
        app = AppCredentials(client_id="1.2", client_secret="geheim")
        return InstalledTokens(self.rows, TokenCipher(keys or self.keys), app, self.client, self.clock)

    async def pass_(self, time: timedelta) -> None:
        self.clock.set(self.clock.now() + time)


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[TokenSetup]:
    slack = TokenServer()
    app = web.Application()
    app.router.add_post("/api/oauth.v2.access", slack.access)
    app.router.add_post("/api/chat.postMessage", slack.post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/api/", session=session, retry_handlers=[]
        )
        yield TokenSetup(
            slack=slack,
            clock=SettableClock(MONDAY, running=False),
            file=tmp_path / "ritme.db",
            client=client,
            rows=SqlInstallations(database),
            keys=[Fernet.generate_key().decode()],
        )
    await runner.cleanup()
    await database.dispose()


async def install(setup: TokenSetup, *, rotates: bool = True) -> InstalledTokens:
    ours = setup.process()
    given: dict[str, Any] = {
        "team_id": "T1",
        "team_name": "Wijkzorg",
        "app_id": "A1",
        "bot_user_id": "UBOT",
        "bot_token": "xoxb-first",
        "refresh_token": "xoxe-1-first" if rotates else None,
        "expires_at": setup.clock.now() + TWELVE_HOURS if rotates else None,
        "scopes": "commands",
        "installed_by": "U1",
        "installed_at": setup.clock.now(),
    }
    await ours.save_install(given)
    return ours


async def test_nothing_readable_lies_in_the_database(setup: TokenSetup) -> None:
    await install(setup)
    with sqlite3.connect(setup.file) as file:
        kept = str(file.execute("select * from slack_installations").fetchall())
    file.close()
    assert "T1" in kept
    assert "first" not in kept


async def test_a_token_that_does_not_end_is_never_renewed(setup: TokenSetup) -> None:
    tokens = await install(setup, rotates=False)
    await setup.pass_(timedelta(days=400))
    assert await tokens.get_token("T1") == "xoxb-first"
    assert setup.slack.given == []


async def test_concurrent_callers_renew_a_token_once(setup: TokenSetup) -> None:
    tokens = await install(setup)
    await setup.pass_(TWELVE_HOURS - timedelta(minutes=5))
    assert set(await asyncio.gather(*(tokens.get_token("T1") for _ in range(50)))) == {"xoxe.xoxb-1"}
    assert setup.slack.given == ["xoxe-1-first"]

    await setup.pass_(TWELVE_HOURS)
    assert set(await asyncio.gather(*(tokens.get_token("T1") for _ in range(50)))) == {"xoxe.xoxb-2"}
    assert setup.slack.given == ["xoxe-1-first", "xoxe-1-1"]


async def test_two_processes_do_not_use_one_refresh_token_twice(setup: TokenSetup) -> None:
    one, other = await install(setup), setup.process()
    await setup.pass_(TWELVE_HOURS - timedelta(minutes=5))
    got = await asyncio.gather(*(process.get_token("T1") for process in (one, other) * 10))
    assert set(got) <= {"xoxb-first", "xoxe.xoxb-1"}
    assert setup.slack.given == ["xoxe-1-first"]
    await setup.pass_(timedelta(minutes=6))
    assert {await one.get_token("T1"), await other.get_token("T1")} == {"xoxe.xoxb-1"}


async def test_while_another_process_renews_an_ended_one_everything_waits(setup: TokenSetup) -> None:
    tokens = await install(setup)
    await setup.pass_(TWELVE_HOURS)
    now = setup.clock.now()
    row = await setup.rows.get("T1")
    assert row is not None
    assert await setup.rows.claim_renewal("T1", row["refresh_token"], now, now + timedelta(seconds=30))
    with pytest.raises(RetryAfter) as later:
        await tokens.get_token("T1")
    assert later.value.whole_workspace
    await setup.pass_(timedelta(seconds=31))  # the other one died
    assert await tokens.get_token("T1") == "xoxe.xoxb-1"


@pytest.mark.parametrize("trouble", ["refuses", "silent"])
async def test_refused_a_new_one_the_old_serves_to_its_end(setup: TokenSetup, trouble: str) -> None:
    tokens = await install(setup)
    setup.slack.refuses, setup.slack.silent = ("invalid_refresh_token", False) if trouble == "refuses" else ("", True)
    ended = NoToken if trouble == "refuses" else RetryAfter
    await setup.pass_(TWELVE_HOURS - timedelta(minutes=5))
    assert {await tokens.get_token("T1") for _ in range(10)} == {"xoxb-first"}
    assert len(setup.slack.given) == 1, "not asked again at once"
    await setup.pass_(timedelta(minutes=6))
    with pytest.raises(ended):
        await tokens.get_token("T1")
    setup.slack.refuses, setup.slack.silent = "", False
    await setup.pass_(timedelta(minutes=1))
    assert (await tokens.get_token("T1")).startswith("xoxe.xoxb-")


async def test_called_expired_it_is_read_again_and_renewed(setup: TokenSetup) -> None:
    tokens = await install(setup)
    assert await tokens.get_token("T1") == "xoxb-first"
    assert await tokens.replace_token("xoxb-first", "T1") is None, "as far as we know it is good"
    await setup.pass_(TWELVE_HOURS)
    assert await tokens.replace_token("xoxb-first", "T1") == "xoxe.xoxb-1"


async def test_ended_while_many_are_sending_it_is_renewed_once_and_everything_arrives_once(setup: TokenSetup) -> None:
    tokens = await install(setup)
    messenger = SlackMessenger(SlackApi(setup.client, tokens, setup.clock), setup.client.session, setup.clock)  # type: ignore[arg-type]
    end = setup.clock.now() + TWELVE_HOURS
    setup.slack.ends_after, setup.slack.time_ends = 10, lambda: setup.clock.set(end)
    said = Message(paragraphs=(Paragraph(spans=(Span(text="Hallo"),)),))
    channels = [f"C{number}" for number in range(50)]
    sent = await asyncio.gather(
        *(
            messenger.send(Post(delivery=channel, workspace="slack:T1", channel=channel, message=said))
            for channel in channels
        )
    )
    assert [one.channel for one in sent] == channels
    assert sorted(setup.slack.posts) == sorted(channels)
    assert setup.slack.given == ["xoxe-1-first"]


class FlakyInstallations(SqlInstallations):
    """Installations whose methods raise StorageUnavailable as often as `away` says for each."""

    def __init__(self, setup: TokenSetup, **away: int) -> None:
        super().__init__(setup.rows._engine)
        self._away = away

    def _fail_sometimes(self, what: str) -> None:
        if self._away.get(what, 0):
            self._away[what] -= 1
            raise StorageUnavailable(what)

    async def get(self, team: str) -> Mapping[str, Any] | None:
        self._fail_sometimes("get")
        return await super().get(team)

    async def renew(self, team: str, *, spent: str, bot_token: str, refresh_token: str, expires_at: datetime) -> None:
        self._fail_sometimes("renew")
        await super().renew(team, spent=spent, bot_token=bot_token, refresh_token=refresh_token, expires_at=expires_at)


@pytest.fixture
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the backoff between attempts to save a token."""
    monkeypatch.setattr(installed_tokens, "TOKEN_SAVE_INITIAL_BACKOFF", 0.001)
    monkeypatch.setattr(installed_tokens, "TOKEN_SAVE_MAX_BACKOFF", 0.001)


@pytest.mark.usefixtures("short_backoff")
@pytest.mark.parametrize("times", [1, 9])
async def test_a_new_token_is_used_at_once_and_saved_when_the_database_is_back(setup: TokenSetup, times: int) -> None:
    await install(setup)
    await setup.pass_(timedelta(hours=11, minutes=30))
    setup.rows = FlakyInstallations(setup, renew=times)
    ours = setup.process()
    assert [await ours.get_token("T1") for _ in range(2)] == ["xoxe.xoxb-1"] * 2
    await ours.close()  # waits for that
    assert await setup.process().get_token("T1") == "xoxe.xoxb-1"
    await setup.pass_(timedelta(hours=11, minutes=30))
    assert await setup.process().get_token("T1") == "xoxe.xoxb-2"
    assert setup.slack.given == ["xoxe-1-first", "xoxe-1-1"]


@pytest.mark.usefixtures("short_backoff")
async def test_a_token_that_cannot_be_saved_does_not_block_shutdown(
    setup: TokenSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_tokens, "TOKEN_SAVE_SHUTDOWN_TIMEOUT", 0.01)
    await install(setup)
    await setup.pass_(timedelta(hours=11, minutes=30))
    setup.rows = FlakyInstallations(setup, renew=10_000)
    ours = setup.process()
    assert await ours.get_token("T1") == "xoxe.xoxb-1"
    async with asyncio.timeout(5):
        await ours.close()


@pytest.mark.usefixtures("short_backoff")
async def test_a_late_save_does_not_overwrite_a_newer_install(setup: TokenSetup) -> None:
    await install(setup)
    await setup.pass_(timedelta(hours=11, minutes=30))
    setup.rows = FlakyInstallations(setup, renew=3)
    ours = setup.process()
    assert await ours.get_token("T1") == "xoxe.xoxb-1"
    await install(setup, rotates=False)
    await ours.close()
    assert await setup.process().get_token("T1") == "xoxb-first"


async def test_posts_wait_while_no_token_can_be_looked_up(setup: TokenSetup) -> None:
    await install(setup)
    setup.rows = FlakyInstallations(setup, get=1)
    api = SlackApi(setup.client, setup.process(), setup.clock)
    with pytest.raises(RetryAfter):
        await api.call("T1", "chat.postMessage", channel="C1", text="Hoi")
    assert setup.slack.posts == []
    await api.call("T1", "chat.postMessage", channel="C1", text="Hoi")
    assert setup.slack.posts == ["C1"]


async def test_tokens_encrypted_with_an_old_key_can_be_read_with_a_new_key_in_front(setup: TokenSetup) -> None:
    await install(setup)
    fresh = Fernet.generate_key().decode()
    assert await setup.process(fresh, *setup.keys).get_token("T1") == "xoxb-first"
    with pytest.raises(NoToken) as none:
        await setup.process(fresh).get_token("T1")
    assert none.value.code == "sealed_with_another_key"


async def test_removed_it_is_forgotten_unless_installed_again_since(setup: TokenSetup) -> None:
    tokens = await install(setup)
    assert not await tokens.remove_install("T1", setup.clock.now() - timedelta(minutes=1)), "told late"
    assert await tokens.is_installed("T1")
    assert await tokens.remove_install("T1", setup.clock.now() + timedelta(minutes=1))
    assert not await tokens.is_installed("T1")
    with pytest.raises(NoToken):
        await tokens.get_token("T1")


async def test_a_state_is_used_once_and_forgotten_when_it_expired(setup: TokenSetup) -> None:
    now = setup.clock.now()
    until = now + timedelta(minutes=10)
    assert await setup.rows.use_state("one", until, now)
    assert not await setup.rows.use_state("one", until, now)
    later = now + timedelta(minutes=11)
    assert await setup.rows.use_state("two", later + timedelta(minutes=10), later)
    assert await setup.rows.use_state("one", later, later), "its row is gone; its own date is what refuses it"


async def test_the_one_token_of_the_environment_serves_its_own_workspace_only() -> None:
    token = StaticToken("xoxb-1")
    assert await token.get_token("T1") == "xoxb-1"
    token.team = "T1"
    assert await token.is_installed("T1")
    assert not await token.is_installed("T2")
    with pytest.raises(NoToken):
        await token.get_token("T2")

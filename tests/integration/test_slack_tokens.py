"""Tokens of many workspaces: sealed where they lie, renewed once however many ask, and let go when Slack says so."""

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

from adapters.clock import DialClock
from adapters.database.slack import SqlInstallations
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect
from adapters.slack import tokens
from adapters.slack.calls import Calls
from adapters.slack.outbound import SlackMessenger
from adapters.slack.tokens import App, InstalledTokens, NoToken, OneToken, TokenCipher
from bot.chat import Message, Paragraph, Post, Span
from bot.ports import RetryAfter, StorageUnavailable
from tests.support.world import MONDAY

TWELVE_HOURS = timedelta(hours=12)


@dataclass
class Slack:
    """Gives a new token for each refresh token, once; `refuses` makes it say no, `silent` hang up."""

    given: list[str] = field(default_factory=list)
    good: set[str] = field(default_factory=lambda: {"xoxe-1-first"})
    refuses: str = ""
    silent: bool = False
    posts: list[str] = field(default_factory=list)
    """The channels that were posted in."""
    ends_after: int = 0
    """After how many posts the first token ends, when it does."""
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
class Here:
    slack: Slack
    clock: DialClock
    file: Path
    client: AsyncWebClient
    rows: SqlInstallations
    keys: list[str]

    def process(self, *keys: str) -> InstalledTokens:
        app = App(client_id="1.2", client_secret="geheim")
        return InstalledTokens(self.rows, TokenCipher(keys or self.keys), app, self.client, self.clock)

    async def pass_(self, time: timedelta) -> None:
        self.clock.set(self.clock.now() + time)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    slack = Slack()
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
        yield Here(
            slack=slack,
            clock=DialClock(MONDAY, running=False),
            file=tmp_path / "ritme.db",
            client=client,
            rows=SqlInstallations(database),
            keys=[Fernet.generate_key().decode()],
        )
    await runner.cleanup()
    await database.dispose()


async def install(here: Here, *, rotates: bool = True) -> InstalledTokens:
    ours = here.process()
    given: dict[str, Any] = {
        "team_id": "T1",
        "team_name": "Wijkzorg",
        "app_id": "A1",
        "bot_user_id": "UBOT",
        "bot_token": "xoxb-first",
        "refresh_token": "xoxe-1-first" if rotates else None,
        "expires_at": here.clock.now() + TWELVE_HOURS if rotates else None,
        "scopes": "commands",
        "installed_by": "U1",
        "installed_at": here.clock.now(),
    }
    await ours.keep(given)
    return ours


async def test_nothing_readable_lies_in_the_database(here: Here) -> None:
    await install(here)
    with sqlite3.connect(here.file) as file:
        kept = str(file.execute("select * from slack_installations").fetchall())
    file.close()
    assert "T1" in kept
    assert "first" not in kept


async def test_a_token_that_does_not_end_is_never_renewed(here: Here) -> None:
    tokens = await install(here, rotates=False)
    await here.pass_(timedelta(days=400))
    assert await tokens.of("T1") == "xoxb-first"
    assert here.slack.given == []


async def test_however_many_ask_it_is_renewed_once(here: Here) -> None:
    tokens = await install(here)
    await here.pass_(TWELVE_HOURS - timedelta(minutes=5))
    assert set(await asyncio.gather(*(tokens.of("T1") for _ in range(50)))) == {"xoxe.xoxb-1"}
    assert here.slack.given == ["xoxe-1-first"]

    await here.pass_(TWELVE_HOURS)
    assert set(await asyncio.gather(*(tokens.of("T1") for _ in range(50)))) == {"xoxe.xoxb-2"}
    assert here.slack.given == ["xoxe-1-first", "xoxe-1-1"]


async def test_two_processes_do_not_use_one_refresh_token_twice(here: Here) -> None:
    one, other = await install(here), here.process()
    await here.pass_(TWELVE_HOURS - timedelta(minutes=5))
    got = await asyncio.gather(*(process.of("T1") for process in (one, other) * 10))
    assert set(got) <= {"xoxb-first", "xoxe.xoxb-1"}
    assert here.slack.given == ["xoxe-1-first"]
    await here.pass_(timedelta(minutes=6))
    assert {await one.of("T1"), await other.of("T1")} == {"xoxe.xoxb-1"}


async def test_while_another_process_renews_an_ended_one_everything_waits(here: Here) -> None:
    tokens = await install(here)
    await here.pass_(TWELVE_HOURS)
    now = here.clock.now()
    row = await here.rows.get("T1")
    assert row is not None
    assert await here.rows.claim_renewal("T1", row["refresh_token"], now, now + timedelta(seconds=30))
    with pytest.raises(RetryAfter) as later:
        await tokens.of("T1")
    assert later.value.whole_workspace
    await here.pass_(timedelta(seconds=31))  # the other one died
    assert await tokens.of("T1") == "xoxe.xoxb-1"


@pytest.mark.parametrize("trouble", ["refuses", "silent"])
async def test_refused_a_new_one_the_old_serves_to_its_end(here: Here, trouble: str) -> None:
    tokens = await install(here)
    here.slack.refuses, here.slack.silent = ("invalid_refresh_token", False) if trouble == "refuses" else ("", True)
    ended = NoToken if trouble == "refuses" else RetryAfter
    await here.pass_(TWELVE_HOURS - timedelta(minutes=5))
    assert {await tokens.of("T1") for _ in range(10)} == {"xoxb-first"}
    assert len(here.slack.given) == 1, "not asked again at once"
    await here.pass_(timedelta(minutes=6))
    with pytest.raises(ended):
        await tokens.of("T1")
    here.slack.refuses, here.slack.silent = "", False
    await here.pass_(timedelta(minutes=1))
    assert (await tokens.of("T1")).startswith("xoxe.xoxb-")


async def test_called_expired_it_is_read_again_and_renewed(here: Here) -> None:
    tokens = await install(here)
    assert await tokens.of("T1") == "xoxb-first"
    assert await tokens.after("xoxb-first", "T1") is None, "as far as we know it is good"
    await here.pass_(TWELVE_HOURS)
    assert await tokens.after("xoxb-first", "T1") == "xoxe.xoxb-1"


async def test_ended_while_many_are_sending_it_is_renewed_once_and_everything_arrives_once(here: Here) -> None:
    tokens = await install(here)
    messenger = SlackMessenger(Calls(here.client, tokens, here.clock), here.client.session, here.clock)  # type: ignore[arg-type]
    end = here.clock.now() + TWELVE_HOURS
    here.slack.ends_after, here.slack.time_ends = 10, lambda: here.clock.set(end)
    said = Message(paragraphs=(Paragraph(spans=(Span(text="Hallo"),)),))
    channels = [f"C{number}" for number in range(50)]
    sent = await asyncio.gather(
        *(
            messenger.send(Post(delivery=channel, workspace="slack:T1", channel=channel, message=said))
            for channel in channels
        )
    )
    assert [one.channel for one in sent] == channels
    assert sorted(here.slack.posts) == sorted(channels)
    assert here.slack.given == ["xoxe-1-first"]


class Leaving(SqlInstallations):
    """Rows of a database that goes away now and then: `away` is how often what is asked so finds it gone."""

    def __init__(self, here: Here, **away: int) -> None:
        super().__init__(here.rows._engine)
        self._away = away

    def _here(self, what: str) -> None:
        if self._away.get(what, 0):
            self._away[what] -= 1
            raise StorageUnavailable(what)

    async def get(self, team: str) -> Mapping[str, Any] | None:
        self._here("get")
        return await super().get(team)

    async def renew(self, team: str, *, spent: str, bot_token: str, refresh_token: str, expires_at: datetime) -> None:
        self._here("renew")
        await super().renew(team, spent=spent, bot_token=bot_token, refresh_token=refresh_token, expires_at=expires_at)


@pytest.fixture
def hastily(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new token is kept at once, or a moment later."""
    monkeypatch.setattr(tokens, "INITIAL_BACKOFF", 0.001)
    monkeypatch.setattr(tokens, "MAX_BACKOFF", 0.001)


@pytest.mark.usefixtures("hastily")
@pytest.mark.parametrize("times", [1, 9])
async def test_a_new_token_serves_at_once_and_is_kept_when_the_database_is_back(here: Here, times: int) -> None:
    await install(here)
    await here.pass_(timedelta(hours=11, minutes=30))
    here.rows = Leaving(here, renew=times)
    ours = here.process()
    assert [await ours.of("T1") for _ in range(2)] == ["xoxe.xoxb-1"] * 2
    await ours.close()  # waits for that
    assert await here.process().of("T1") == "xoxe.xoxb-1"
    await here.pass_(timedelta(hours=11, minutes=30))
    assert await here.process().of("T1") == "xoxe.xoxb-2"
    assert here.slack.given == ["xoxe-1-first", "xoxe-1-1"]


@pytest.mark.usefixtures("hastily")
async def test_what_cannot_be_kept_does_not_keep_ritme_from_stopping(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "LAST_PATIENCE", 0.01)
    await install(here)
    await here.pass_(timedelta(hours=11, minutes=30))
    here.rows = Leaving(here, renew=10_000)
    ours = here.process()
    assert await ours.of("T1") == "xoxe.xoxb-1"
    async with asyncio.timeout(5):
        await ours.close()


@pytest.mark.usefixtures("hastily")
async def test_an_install_meanwhile_is_not_undone_by_a_token_kept_late(here: Here) -> None:
    await install(here)
    await here.pass_(timedelta(hours=11, minutes=30))
    here.rows = Leaving(here, renew=3)
    ours = here.process()
    assert await ours.of("T1") == "xoxe.xoxb-1"
    await install(here, rotates=False)
    await ours.close()
    assert await here.process().of("T1") == "xoxb-first"


async def test_while_no_token_can_be_looked_up_what_is_to_be_sent_waits(here: Here) -> None:
    await install(here)
    here.rows = Leaving(here, get=1)
    calls = Calls(here.client, here.process(), here.clock)
    with pytest.raises(RetryAfter):
        await calls("T1", "chat.postMessage", channel="C1", text="Hoi")
    assert here.slack.posts == []
    await calls("T1", "chat.postMessage", channel="C1", text="Hoi")
    assert here.slack.posts == ["C1"]


async def test_a_new_key_in_front_opens_what_the_old_one_sealed(here: Here) -> None:
    await install(here)
    fresh = Fernet.generate_key().decode()
    assert await here.process(fresh, *here.keys).of("T1") == "xoxb-first"
    with pytest.raises(NoToken) as none:
        await here.process(fresh).of("T1")
    assert none.value.code == "sealed_with_another_key"


async def test_removed_it_is_forgotten_unless_installed_again_since(here: Here) -> None:
    tokens = await install(here)
    assert not await tokens.forget("T1", here.clock.now() - timedelta(minutes=1)), "told late"
    assert await tokens.knows("T1")
    assert await tokens.forget("T1", here.clock.now() + timedelta(minutes=1))
    assert not await tokens.knows("T1")
    with pytest.raises(NoToken):
        await tokens.of("T1")


async def test_a_state_is_good_once_and_for_a_while(here: Here) -> None:
    now = here.clock.now()
    await here.rows.note_state("one", now + timedelta(minutes=10), now)
    await here.rows.note_state("two", now + timedelta(minutes=10), now)
    assert await here.rows.use_state("one", now)
    assert not await here.rows.use_state("one", now)
    assert not await here.rows.use_state("two", now + timedelta(minutes=11))
    assert not await here.rows.use_state("never", now)


async def test_the_one_token_of_the_environment_serves_its_own_workspace_only() -> None:
    token = OneToken("xoxb-1")
    assert await token.of("T1") == "xoxb-1"
    token.team = "T1"
    assert await token.knows("T1")
    assert not await token.knows("T2")
    with pytest.raises(NoToken):
        await token.of("T2")

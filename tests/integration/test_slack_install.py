"""Installing in any workspace by OAuth, through the service that `ritme serve` starts, as a browser does it."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet

from adapters.bootstrap import open_service
from adapters.clock import SettableClock
from adapters.database.migrate import migrate_schema
from adapters.service import Service
from adapters.settings import Settings
from adapters.slack.install import STATE_COOKIE, InstallStates
from adapters.slack.permissions import SCOPES
from adapters.web import make_app
from bot.app import Ritme
from bot.ports import StorageUnavailable
from tests.fakes.slack.people import SECRET, People
from tests.fakes.slack.server import SlackServer

CLIENT, CLIENT_SECRET = "1.2", "geheim-van-de-app"
PUBLIC = "https://ritme.example.org"


@dataclass
class Consent:
    """Slack's side of OAuth: each code is good for one token."""

    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    silent: bool = False

    def agree(self, workspace: str, **more: Any) -> str:
        """Have someone of a workspace agree; return the code that their browser carries back."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = {
            "ok": True,
            "app_id": "A1",
            "team": {"id": workspace, "name": f"Wijkzorg {workspace}"},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U1"},
            "bot_user_id": "UBOT",
            "access_token": f"xoxb-geheim-{workspace}-{code}",
            "scope": ",".join(SCOPES),
            **more,
        }
        return code

    async def access(self, request: web.Request) -> web.Response:
        asked = await request.post()
        if self.silent:
            assert request.transport is not None
            request.transport.abort()
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT, CLIENT_SECRET):
            return web.json_response({"ok": False, "error": "bad_client_secret"})
        if asked.get("redirect_uri") != f"{PUBLIC}/slack/oauth_redirect":
            return web.json_response({"ok": False, "error": "bad_redirect_uri"})
        return web.json_response(self.codes.pop(str(asked["code"]), {"ok": False, "error": "invalid_code"}))

    async def revoke(self, request: web.Request) -> web.Response:
        self.revoked.append(request.headers["Authorization"])
        return web.json_response({"ok": True, "revoked": True})


@dataclass
class InstallFlow:
    """A service for many workspaces, and a browser that installs it."""

    service: Service
    consent: Consent
    slack: SlackServer
    session: aiohttp.ClientSession
    address: str
    database: Path
    people: People

    async def begin(self) -> tuple[str, str]:
        """Open the install page; return the state for Slack and the cookie for the browser."""
        async with self.session.get(f"{self.address}/slack/install", allow_redirects=False) as answer:
            assert answer.status == 302
            where = urlsplit(answer.headers["Location"])
            asked = parse_qs(where.query)
            assert where.path == "/oauth/v2/authorize"
            assert asked["client_id"] == [CLIENT]
            assert asked["redirect_uri"] == [f"{PUBLIC}/slack/oauth_redirect"]
            assert set(asked["scope"][0].split(",")) == set(SCOPES)
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "Secure" in cookie
            assert "SameSite=Lax" in cookie
            return asked["state"][0], cookie.partition(";")[0]

    async def finish(self, cookie: str, *, language: str = "nl", **query: str) -> tuple[int, str]:
        """Come back from Slack; return the status and text of the page."""
        headers = {"Cookie": cookie, "Accept-Language": language}
        url = f"{self.address}/slack/oauth_redirect"
        async with self.session.get(url, params=query, headers=headers) as page:
            return page.status, await page.text()

    async def install(self, workspace: str = "T1", **more: Any) -> tuple[int, str]:
        state, cookie = await self.begin()
        return await self.finish(cookie, state=state, code=self.consent.agree(workspace, **more))


@pytest.fixture
async def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[InstallFlow]:
    # Bolt would switch on an OAuth of its own when it finds these.
    monkeypatch.setenv("SLACK_CLIENT_ID", CLIENT)
    monkeypatch.setenv("SLACK_CLIENT_SECRET", CLIENT_SECRET)
    consent = Consent()
    async with SlackServer(lambda: datetime.now(UTC)).running() as slack, aiohttp.ClientSession() as session:
        oauth = web.Application()
        oauth.router.add_post("/api/oauth.v2.access", consent.access)
        oauth.router.add_post("/api/auth.revoke", consent.revoke)
        beside = web.AppRunner(oauth, access_log=None)
        await beside.setup()
        await web.TCPSite(beside, "127.0.0.1", 0).start()
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'ritme.db'}",
            slack_signing_secret=SECRET,
            slack_client_id=CLIENT,
            slack_client_secret=CLIENT_SECRET,
            secret_key=Fernet.generate_key().decode(),
            public_url=PUBLIC,
            slack_api_url=f"http://127.0.0.1:{beside.addresses[0][1]}/api",
        )
        service = await open_service(settings)
        await migrate_schema(service.database)
        await service.start()
        app = make_app(mounts=service.mounts)
        await service.open()
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield InstallFlow(
            service=service,
            consent=consent,
            slack=slack,
            session=session,
            address=address,
            database=tmp_path / "ritme.db",
            people=People(server=slack, session=session, bot_url=f"{address}/slack/events", forbids_calls=False),
        )
        await runner.cleanup()
        await service.close()
        await beside.cleanup()


async def test_a_workspace_installs_and_is_told_what_next(flow: InstallFlow) -> None:
    status, page = await flow.install("T7")
    assert status == 200
    assert "Wijkzorg T7" in page
    assert "/invite @Ritme" in page
    kept = b"".join(file.read_bytes() for file in flow.database.parent.glob("ritme.db*"))
    assert b"T7" in kept
    assert b"geheim" not in kept


async def test_its_page_speaks_english_too(flow: InstallFlow) -> None:
    state, cookie = await flow.begin()
    _, page = await flow.finish(cookie, language="en-GB,en;q=0.8", state=state, code=flow.consent.agree("T7"))
    assert "Ritme is in Wijkzorg T7" in page
    assert 'lang="en"' in page


@pytest.mark.parametrize(
    ("query", "cookie", "said"),
    [
        ({"error": "access_denied"}, True, "Er is niets geïnstalleerd"),
        ({"code": "given"}, False, "Laten we opnieuw beginnen"),
        ({"code": "guessed"}, True, "Slack nam het niet aan"),
        ({}, True, "Dat duurde wat lang"),
        ({"state": "forged", "code": "given"}, True, "Laten we opnieuw beginnen"),
    ],
)
async def test_what_goes_wrong_installs_nothing_and_offers_another_try(
    flow: InstallFlow, query: dict[str, str], cookie: bool, said: str
) -> None:
    state, kept = await flow.begin()
    if query.get("code") == "given":
        query = {**query, "code": flow.consent.agree("T7")}
    status, page = await flow.finish(kept if cookie else "", **{"state": state, **query})
    assert status == 400
    assert said in page
    assert 'href="/slack/install"' in page
    state, kept = await flow.begin()
    assert (await flow.finish(kept, state=state, code=flow.consent.agree("T7")))[0] == 200


async def test_the_way_back_works_once(flow: InstallFlow) -> None:
    state, cookie = await flow.begin()
    assert (await flow.finish(cookie, state=state, code=flow.consent.agree("T7")))[0] == 200
    status, page = await flow.finish(cookie, state=state, code=flow.consent.agree("T8"))
    assert status == 400
    assert "Dat duurde wat lang" in page


async def test_however_often_it_works_it_works_once(flow: InstallFlow) -> None:
    state, cookie = await flow.begin()
    codes = [flow.consent.agree(f"T{number}") for number in range(5)]
    answers = await asyncio.gather(*(flow.finish(cookie, state=state, code=code) for code in codes))
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400, 400]


async def test_the_way_back_is_that_browsers_alone(flow: InstallFlow) -> None:
    state, _ = await flow.begin()
    _, of_another = await flow.begin()
    status, page = await flow.finish(of_another, state=state, code=flow.consent.agree("T7"))
    assert status == 400
    assert "Laten we opnieuw beginnen" in page


def issue_long_ago(secret: str = CLIENT_SECRET) -> str:
    return InstallStates(secret, SettableClock(datetime.now(UTC) - timedelta(minutes=11))).issue()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (issue_long_ago(), "Dat duurde wat lang"),
        (issue_long_ago("of-somebody-else"), "Laten we opnieuw beginnen"),
        (re.sub(r"\.\d+\.", ".9999999999.", issue_long_ago()), "Laten we opnieuw beginnen"),
        ("x.y.z", "Laten we opnieuw beginnen"),
        ("", "Laten we opnieuw beginnen"),
        ("..", "Laten we opnieuw beginnen"),
    ],
)
async def test_a_state_that_is_old_or_not_ours_opens_nothing(flow: InstallFlow, state: str, said: str) -> None:
    """The browser has it as a cookie, as one has that somebody prepared."""
    cookie = f"{STATE_COOKIE}={state}"
    status, page = await flow.finish(cookie, state=state, code=flow.consent.agree("T7"))
    assert (status, said in page) == (400, True)


async def test_nothing_is_stored_before_the_browser_comes_back(flow: InstallFlow) -> None:
    async def count_rows() -> int:
        async with flow.service.database.begin() as connection:
            return int((await connection.exec_driver_sql("select count(*) from slack_states")).scalar_one())

    for _ in range(20):
        state, cookie = await flow.begin()
    assert await count_rows() == 0
    await flow.finish(cookie, state=state, code=flow.consent.agree("T7"))
    assert await count_rows() == 1


async def test_a_whole_enterprise_organisation_is_refused_and_its_token_given_back(flow: InstallFlow) -> None:
    status, page = await flow.install("T7", is_enterprise_install=True, enterprise={"id": "E1"}, team=None)
    assert status == 400
    assert "Eén werkruimte tegelijk" in page
    assert len(flow.consent.revoked) == 1


async def test_slack_being_away_is_said(flow: InstallFlow) -> None:
    flow.consent.silent = True
    status, page = await flow.install()
    assert status == 400
    assert "Slack geeft geen antwoord" in page


async def test_a_workspace_name_is_only_text(flow: InstallFlow) -> None:
    _, page = await flow.install("T7", team={"id": "T7", "name": "<script>alert(1)</script>"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_only_who_installed_is_answered(flow: InstallFlow) -> None:
    iris = flow.slack.add_user("Iris").id
    channel = flow.slack.add_channel("wijkteam", iris).id
    assert await flow.people.command(iris, channel, "/ritme help") is None
    await flow.install("T1")
    assert await flow.people.command(iris, channel, "/ritme help") is not None


async def report_removal(flow: InstallFlow, kind: str = "app_uninstalled", **seconds: float) -> None:
    """Send the event that the app was removed, dated so long from now."""
    tokens = {"tokens": {"oauth": [], "bot": ["UBOT"]}} if kind == "tokens_revoked" else {}
    await flow.people.event({"type": kind, **tokens}, at=datetime.now(UTC) + timedelta(**seconds))
    assert flow.people.answers[-1] == 200


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_removed_it_answers_nobody_there_until_it_is_installed_again(flow: InstallFlow, kind: str) -> None:
    iris = flow.slack.add_user("Iris").id
    channel = flow.slack.add_channel("wijkteam", iris).id
    await flow.install()
    assert await flow.people.command(iris, channel, "/ritme help") is not None
    await report_removal(flow, kind, seconds=5)
    assert await flow.people.command(iris, channel, "/ritme help") is None
    async with flow.service.database.begin() as connection:
        gone = (await connection.exec_driver_sql("select gone_at, gone_reason from workspaces")).one()
    assert gone.gone_at is not None
    assert gone.gone_reason == "uninstalled"

    await flow.install()
    assert await flow.people.command(iris, channel, "/ritme help") is not None


async def test_removed_while_storage_is_away_it_is_noted_when_slack_tells_it_again(
    flow: InstallFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flow.install()
    note, problems = Ritme.workspace_uninstalled, [StorageUnavailable("away")]

    async def away_once(core: Ritme, workspace: str, at: datetime | None = None) -> None:
        if problems:
            raise problems.pop()
        await note(core, workspace, at)

    monkeypatch.setattr(Ritme, "workspace_uninstalled", away_once)
    await report_removal(flow, seconds=5)
    assert flow.people.answers[-2:] == [503, 200]
    async with flow.service.database.begin() as connection:
        assert (await connection.exec_driver_sql("select gone_reason from workspaces")).scalar_one() == "uninstalled"
        assert (await connection.exec_driver_sql("select count(*) from slack_installations")).scalar_one() == 0


async def test_told_late_that_it_was_removed_a_new_install_stays(flow: InstallFlow) -> None:
    iris = flow.slack.add_user("Iris").id
    channel = flow.slack.add_channel("wijkteam", iris).id
    await flow.install()
    await report_removal(flow, seconds=-60)
    assert await flow.people.command(iris, channel, "/ritme help") is not None

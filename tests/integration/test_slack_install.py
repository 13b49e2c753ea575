"""Installing in any workspace by OAuth: served as `ritme serve` wires it, walked as a browser walks it."""

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

from adapters.bootstrap import Service, open_service
from adapters.database.migrate import migrate
from adapters.settings import Settings
from adapters.slack.permissions import SCOPES
from adapters.web import make_app
from tests.fakes.slack.people import SECRET, People
from tests.fakes.slack.server import SlackServer

CLIENT, CLIENT_SECRET = "1.2", "geheim-van-de-app"
PUBLIC = "https://ritme.example.org"


@dataclass
class Consent:
    """Slack's side of OAuth: a code is given once, and is good for one token."""

    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    silent: bool = False

    def agree(self, workspace: str, **more: Any) -> str:
        """Someone of this workspace agrees; the code their browser carries back."""
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
class Here:
    service: Service
    consent: Consent
    slack: SlackServer
    session: aiohttp.ClientSession
    address: str
    database: Path
    people: People

    async def begin(self) -> tuple[str, str]:
        """The state Slack is sent, and the cookie that stays in the browser."""
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
            return asked["state"][0], cookie.partition(";")[0]

    async def back(self, cookie: str, *, language: str = "nl", **query: str) -> tuple[int, str]:
        """The page shown when Slack sends the browser back."""
        headers = {"Cookie": cookie, "Accept-Language": language}
        url = f"{self.address}/slack/oauth_redirect"
        async with self.session.get(url, params=query, headers=headers) as page:
            return page.status, await page.text()

    async def install(self, workspace: str = "T1", **more: Any) -> tuple[int, str]:
        state, cookie = await self.begin()
        return await self.back(cookie, state=state, code=self.consent.agree(workspace, **more))


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
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
        await migrate(service.database)
        await service.start()
        app = make_app(parts=service.parts, ready=service.ready)
        await service.open()
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Here(
            service=service,
            consent=consent,
            slack=slack,
            session=session,
            address=address,
            database=tmp_path / "ritme.db",
            people=People(server=slack, session=session, bot_url=f"{address}/slack/events", nobody_else=False),
        )
        await runner.cleanup()
        await service.close()
        await beside.cleanup()


async def test_a_workspace_installs_and_is_told_what_next(here: Here) -> None:
    status, page = await here.install("T7")
    assert status == 200
    assert "Wijkzorg T7" in page
    assert "/invite @Ritme" in page
    kept = b"".join(file.read_bytes() for file in here.database.parent.glob("ritme.db*"))
    assert b"T7" in kept
    assert b"geheim" not in kept


async def test_its_page_speaks_english_too(here: Here) -> None:
    state, cookie = await here.begin()
    _, page = await here.back(cookie, language="en-GB,en;q=0.8", state=state, code=here.consent.agree("T7"))
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
    here: Here, query: dict[str, str], cookie: bool, said: str
) -> None:
    state, kept = await here.begin()
    if query.get("code") == "given":
        query = {**query, "code": here.consent.agree("T7")}
    status, page = await here.back(kept if cookie else "", **{"state": state, **query})
    assert status == 400
    assert said in page
    assert 'href="/slack/install"' in page
    state, kept = await here.begin()
    assert (await here.back(kept, state=state, code=here.consent.agree("T7")))[0] == 200


async def test_the_way_back_works_once(here: Here) -> None:
    state, cookie = await here.begin()
    assert (await here.back(cookie, state=state, code=here.consent.agree("T7")))[0] == 200
    status, page = await here.back(cookie, state=state, code=here.consent.agree("T8"))
    assert status == 400
    assert "Dat duurde wat lang" in page


async def test_a_whole_enterprise_organisation_is_refused_and_its_token_given_back(here: Here) -> None:
    status, page = await here.install("T7", is_enterprise_install=True, enterprise={"id": "E1"}, team=None)
    assert status == 400
    assert "Eén werkruimte tegelijk" in page
    assert len(here.consent.revoked) == 1


async def test_slack_being_away_is_said(here: Here) -> None:
    here.consent.silent = True
    status, page = await here.install()
    assert status == 400
    assert "Slack geeft geen antwoord" in page


async def test_a_workspace_name_is_only_text(here: Here) -> None:
    _, page = await here.install("T7", team={"id": "T7", "name": "<script>alert(1)</script>"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_only_who_installed_is_answered(here: Here) -> None:
    iris = here.slack.add_user("Iris").id
    channel = here.slack.add_channel("wijkteam", iris).id
    assert await here.people.command(iris, channel, "/ritme help") is None
    await here.install("T1")
    assert await here.people.command(iris, channel, "/ritme help") is not None


async def removed(here: Here, kind: str = "app_uninstalled", **seconds: float) -> None:
    """Slack tells that the app was removed, so long from now."""
    tokens = {"tokens": {"oauth": [], "bot": ["UBOT"]}} if kind == "tokens_revoked" else {}
    await here.people.event({"type": kind, **tokens}, at=datetime.now(UTC) + timedelta(**seconds))
    assert here.people.answers[-1] == 200


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_removed_it_answers_nobody_there_until_it_is_installed_again(here: Here, kind: str) -> None:
    iris = here.slack.add_user("Iris").id
    channel = here.slack.add_channel("wijkteam", iris).id
    await here.install()
    assert await here.people.command(iris, channel, "/ritme help") is not None
    await removed(here, kind, seconds=5)
    assert await here.people.command(iris, channel, "/ritme help") is None
    async with here.service.database.begin() as connection:
        gone = (await connection.exec_driver_sql("select gone_at, gone_reason from workspaces")).one()
    assert gone.gone_at is not None
    assert gone.gone_reason == "not_allowed"

    await here.install()
    assert await here.people.command(iris, channel, "/ritme help") is not None


async def test_told_late_that_it_was_removed_a_new_install_stays(here: Here) -> None:
    iris = here.slack.add_user("Iris").id
    channel = here.slack.add_channel("wijkteam", iris).id
    await here.install()
    await removed(here, seconds=-60)
    assert await here.people.command(iris, channel, "/ritme help") is not None

"""Installing in a workspace, by whoever may: Slack's OAuth, from the button to the kept token."""

import re
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from html import escape
from secrets import token_urlsafe
from urllib.parse import quote

import aiohttp
import structlog
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import AuthorizeUrlGenerator, OAuthStateUtils
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.inbound import Core
from adapters.slack.tokens import App, Installations, InstalledTokens, error_of
from adapters.slack.translate import workspace
from bot import wording
from bot.domain.person import Language
from bot.ports import Clock
from bot.wording import Reader

BEGIN = "/slack/install"
BACK = "/slack/oauth_redirect"
STATE_LASTS = timedelta(minutes=10)
PAGES = "slack/pages.md.j2"
log = structlog.get_logger("ritme.slack")


class _NotInstalled(Exception):
    """`reason` is a block of the pages' words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Install:
    """Two addresses: one sends people to Slack to agree, the other is where Slack sends them back."""

    def __init__(
        self,
        core: Core,
        tokens: InstalledTokens,
        rows: Installations,
        app: App,
        *,
        scopes: Sequence[str],
        url: str,
        client: AsyncWebClient,
        clock: Clock,
    ) -> None:
        self._core = core
        self._tokens = tokens
        self._rows = rows
        self._app = app
        self._back = url + BACK
        self._client = client
        self._clock = clock
        self._cookies = OAuthStateUtils(expiration_seconds=int(STATE_LASTS.total_seconds()))
        self._authorize = AuthorizeUrlGenerator(
            client_id=app.client_id,
            scopes=scopes,
            redirect_uri=self._back,
            authorization_url=re.sub("api/$", "oauth/v2/authorize", client.base_url),
        )

    def mount(self, app: web.Application) -> None:
        app.router.add_get(BEGIN, self._begin)
        app.router.add_get(BACK, self._finish)

    async def _begin(self, request: web.Request) -> web.Response:
        state, now = token_urlsafe(24), self._clock.now()
        await self._rows.note_state(_digest(state), now + STATE_LASTS, now)
        cookie = self._cookies.build_set_cookie_for_new_state(state)
        return web.Response(status=302, headers={"Location": self._authorize.generate(state), "Set-Cookie": cookie})

    async def _finish(self, request: web.Request) -> web.Response:
        try:
            team, name = await self._install(request)
        except _NotInstalled as problem:
            log.warning("slack_not_installed", reason=problem.reason)
            return self._page(request, problem.reason, status=400, again=True)
        log.info("slack_installed", workspace=team)
        return self._page(request, "installed", team=name, app=f"slack://open?team={quote(team)}")

    async def _install(self, request: web.Request) -> tuple[str, str]:
        """The team that installed, and its name. Raises `_NotInstalled`."""
        state, code = request.query.get("state", ""), request.query.get("code", "")
        if request.query.get("error"):
            raise _NotInstalled("cancelled")
        if not self._cookies.is_valid_browser(state, {"cookie": [request.headers.get("Cookie", "")]}):
            raise _NotInstalled("other_browser")
        now = self._clock.now()
        if not code or not await self._rows.use_state(_digest(state), now):
            raise _NotInstalled("too_late")
        try:
            said = await self._app.access(self._client, code=code, redirect_uri=self._back)
            if said.get("is_enterprise_install"):
                await self._give_back(str(said["access_token"]))
                raise _NotInstalled("whole_organisation")
        except SlackApiError as problem:
            log.warning("slack_refused_install", error=error_of(problem))
            raise _NotInstalled("refused") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_refused_install", error=type(problem).__name__)
            raise _NotInstalled("no_answer") from None
        team, name = str(said["team"]["id"]), str(said["team"].get("name") or "")
        expires_in = said.get("expires_in")
        await self._tokens.keep(
            {
                "team_id": team,
                "team_name": name,
                "app_id": said["app_id"],
                "bot_user_id": said["bot_user_id"],
                "bot_token": said["access_token"],
                "refresh_token": said.get("refresh_token"),
                "expires_at": now + timedelta(seconds=int(expires_in)) if expires_in else None,
                "scopes": said.get("scope") or "",
                "installed_by": said["authed_user"]["id"],
                "installed_at": now,
            }
        )
        await self._core.workspace_installed(workspace(team), name)
        return team, name

    async def _give_back(self, token: str) -> None:
        try:
            await self._client.api_call("auth.revoke", headers={"Authorization": f"Bearer {token}"})
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_token_not_given_back", error=type(problem).__name__)

    def _page(
        self, request: web.Request, what: str, *, status: int = 200, team: str = "", app: str = "", again: bool = False
    ) -> web.Response:
        accepted = request.headers.get("Accept-Language", "")
        reader = Reader(language=Language.meant(accepted, Language.NL), timezone="UTC", now=self._clock.now())

        def said(block: str) -> str:
            return escape(wording.sentence(PAGES, block, reader, {"team": team}))

        way_on = (
            f'<a href="{BEGIN}">{said("again")}</a>' if again else f'<a href="{escape(app)}">{said("open_slack")}</a>'
        )
        html = _PAGE.format(language=reader.language.value, title=said(f"{what}_title"), text=said(what), way_on=way_on)
        return web.Response(
            status=status,
            text=html,
            content_type="text/html",
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
                "Referrer-Policy": "no-referrer",
                "Set-Cookie": self._cookies.build_set_cookie_for_deletion(),
            },
        )


def _digest(state: str) -> str:
    return sha256(state.encode()).hexdigest()


_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 17px/1.55 system-ui, sans-serif; color: #22302c; background: #f6f5f0; margin: 0;
         display: grid; place-items: center; min-height: 100vh; }}
  main {{ max-width: 30rem; margin: 1.5rem; padding: 2rem; background: #fffefb; border: 1px solid #dddbd2;
         border-radius: 16px; }}
  h1 {{ font: 600 1.5rem/1.25 Georgia, serif; margin: 0 0 .75rem; }}
  a {{ display: inline-block; margin-top: .5rem; padding: .6rem 1.1rem; border-radius: 10px; background: #2a6b58;
       color: #fff; text-decoration: none; font-weight: 600; }}
  @media (prefers-color-scheme: dark) {{
    body {{ color: #e8ece9; background: #17201d; }}
    main {{ background: #1f2a26; border-color: #35423d; }}
    a {{ background: #7cc3aa; color: #10211b; }}
  }}
</style>
<main><h1>{title}</h1><p>{text}</p>{way_on}</main>
</html>
"""

"""Let people install the app in their workspace: Slack's OAuth flow, from the button to the stored token."""

import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import quote

import aiohttp
import structlog
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import AuthorizeUrlGenerator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.inbound import SlackCore
from adapters.slack.installed_tokens import InstalledTokens
from adapters.slack.tokens import AppCredentials, Installations, slack_error_code
from adapters.slack.translate import slack_workspace
from adapters.web_page import PageLink, WebPage, page_response
from bot import wording
from bot.chat import DEFAULT_SYNTAX, CommandSyntax
from bot.domain.person import Language
from bot.ports import Clock
from bot.wording import Reader

INSTALL_PATH = "/slack/install"
OAUTH_REDIRECT_PATH = "/slack/oauth_redirect"
STATE_COOKIE = "ritme_slack_install"
STATE_TTL = timedelta(minutes=10)
"""How long people have to agree on Slack's page."""
INSTALL_PAGE_TEMPLATE = "slack/pages.md.j2"
log = structlog.get_logger("ritme.slack")


class _InstallFailed(Exception):
    """An install did not succeed; `reason` is a block of `INSTALL_PAGE_TEMPLATE`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InstallPages:
    """Two pages: one redirects people to Slack to agree, the other is where Slack redirects them back."""

    def __init__(
        self,
        core: SlackCore,
        tokens: InstalledTokens,
        installations: Installations,
        app: AppCredentials,
        *,
        scopes: Sequence[str],
        url: str,
        client: AsyncWebClient,
        clock: Clock,
        syntax: CommandSyntax = DEFAULT_SYNTAX,
    ) -> None:
        self._core = core
        self._tokens = tokens
        self._installations = installations
        self._app = app
        self._redirect_url = url + OAUTH_REDIRECT_PATH
        self._client = client
        self._clock = clock
        self._syntax = syntax
        self._states = InstallStates(app.client_secret, clock)
        self._is_secure = url.startswith("https:")
        self._authorize = AuthorizeUrlGenerator(
            client_id=app.client_id,
            scopes=scopes,
            redirect_uri=self._redirect_url,
            authorization_url=re.sub("api/$", "oauth/v2/authorize", client.base_url),
        )

    def mount(self, app: web.Application) -> None:
        """Add both pages to the application."""
        app.router.add_get(INSTALL_PATH, self._begin)
        app.router.add_get(OAUTH_REDIRECT_PATH, self._finish)

    async def _begin(self, request: web.Request) -> web.Response:
        # Nothing is stored until the browser comes back: anybody may open this page, as often as they like.
        state = self._states.issue()
        response = web.Response(status=302, headers={"Location": self._authorize.generate(state)})
        # The cookie ties the state to this browser: nobody can make somebody else finish an install they began.
        response.set_cookie(
            STATE_COOKIE,
            state,
            max_age=int(STATE_TTL.total_seconds()),
            path=OAUTH_REDIRECT_PATH,
            secure=self._is_secure,
            httponly=True,
            samesite="Lax",  # Slack's page leads back here: with "Strict" the browser would leave the cookie out
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _finish(self, request: web.Request) -> web.Response:
        try:
            team, name = await self._install(request)
        except _InstallFailed as problem:
            log.warning("slack_not_installed", reason=problem.reason)
            return self._page(request, problem.reason, status=400, again=True)
        log.info("slack_installed", workspace=team)
        return self._page(request, "installed", team=name, app=f"slack://open?team={quote(team)}")

    async def _install(self, request: web.Request) -> tuple[str, str]:
        """Finish an install; return the team and its name. Raises `_InstallFailed`."""
        state, code = request.query.get("state", ""), request.query.get("code", "")
        if request.query.get("error"):
            raise _InstallFailed("cancelled")
        if not self._states.is_ours(state) or not hmac.compare_digest(_digest(state), _digest(_find_cookie(request))):
            raise _InstallFailed("other_browser")
        expires_at = self._states.find_expiry(state)
        if not code or expires_at is None:
            raise _InstallFailed("too_late")
        if not await self._installations.use_state(_digest(state), expires_at, self._clock.now()):
            raise _InstallFailed("too_late")
        granted = await self._exchange_code(code)
        now = self._clock.now()
        team, name = str(granted["team"]["id"]), str(granted["team"].get("name") or "")
        expires_in = granted.get("expires_in")
        await self._tokens.save_install(
            {
                "team_id": team,
                "team_name": name,
                "app_id": granted["app_id"],
                "bot_user_id": granted["bot_user_id"],
                "bot_token": granted["access_token"],
                "refresh_token": granted.get("refresh_token"),
                "expires_at": now + timedelta(seconds=int(expires_in)) if expires_in else None,
                "scopes": granted.get("scope") or "",
                "installed_by": granted["authed_user"]["id"],
                "installed_at": now,
            }
        )
        await self._core.workspace_installed(slack_workspace(team), name)
        return team, name

    async def _exchange_code(self, code: str) -> AsyncSlackResponse:
        """Exchange an authorization code for a token; return Slack's answer. Raises `_InstallFailed`."""
        try:
            granted = await self._app.request_token(self._client, code=code, redirect_uri=self._redirect_url)
            if granted.get("is_enterprise_install"):
                await self._revoke(str(granted["access_token"]))
                raise _InstallFailed("whole_organisation")
        except SlackApiError as problem:
            log.warning("slack_refused_install", error=slack_error_code(problem))
            raise _InstallFailed("refused") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_refused_install", error=type(problem).__name__)
            raise _InstallFailed("no_answer") from None
        return granted

    async def _revoke(self, token: str) -> None:
        """Give a token that is of no use back to Slack, if it answers."""
        try:
            await self._client.api_call("auth.revoke", headers={"Authorization": f"Bearer {token}"})
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_token_revoke_failed", error=type(problem).__name__)

    def _page(
        self, request: web.Request, block: str, *, status: int = 200, team: str = "", app: str = "", again: bool = False
    ) -> web.Response:
        """Return a page in the browser's language: a `block` of the template, with a link to `app` or to try again."""
        accepted = request.headers.get("Accept-Language", "")
        language = Language.from_locale(accepted, Language.NL)
        reader = Reader(language=language, timezone="UTC", now=self._clock.now(), syntax=self._syntax)

        def text(name: str) -> str:
            return wording.render_sentence(INSTALL_PAGE_TEMPLATE, name, reader, {"team": team})

        action = (
            PageLink(href=INSTALL_PATH, label=text("again")) if again else PageLink(href=app, label=text("open_slack"))
        )
        page = WebPage(title=text(f"{block}_title"), paragraphs=(text(block),), language=language, action=action)
        response = page_response(page, status=status, headers={"Cache-Control": "no-store"})
        response.del_cookie(STATE_COOKIE, path=OAUTH_REDIRECT_PATH)
        return response


class InstallStates:
    """Issues the states of installs: random, signed with a secret that all processes have, and good for ten minutes."""

    def __init__(self, secret: str, clock: Clock) -> None:
        # A key of its own: what else is signed with this secret is no state.
        self._key = sha256(f"ritme slack install:{secret}".encode()).digest()
        self._clock = clock

    def issue(self) -> str:
        """Return a new state."""
        expires = int((self._clock.now() + STATE_TTL).timestamp())
        content = f"{token_urlsafe(24)}.{expires}"
        return f"{content}.{self._sign(content)}"

    def is_ours(self, state: str) -> bool:
        """Return whether we issued a state, expired or not."""
        content, _, mark = state.rpartition(".")
        return hmac.compare_digest(_digest(mark), _digest(self._sign(content)))

    def find_expiry(self, state: str) -> datetime | None:
        """Return until when a state that is ours is good; None when that is over."""
        expires = datetime.fromtimestamp(int(state.split(".")[1]), UTC)
        return expires if self._clock.now() < expires else None

    def _sign(self, content: str) -> str:
        return hmac.new(self._key, content.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _find_cookie(request: web.Request) -> str:
    return request.cookies.get(STATE_COOKIE, "")


def _digest(state: str) -> str:
    """Return what is stored and compared of a state: whoever reads the database cannot finish an install with it."""
    return sha256(state.encode("utf-8", "surrogatepass")).hexdigest()

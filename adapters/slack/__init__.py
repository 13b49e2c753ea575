"""Slack: requests in, posts out. A workspace is "slack:<team id>"."""

import asyncio
from dataclasses import dataclass, field

import aiohttp
import structlog
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.calls import Calls, Said
from adapters.slack.directory import SlackDirectory
from adapters.slack.inbound import Core, Inbound
from adapters.slack.install import Install
from adapters.slack.outbound import SlackMessenger
from adapters.slack.socket import PING_EVERY, Refused, Socket
from adapters.slack.tokens import App, Installations, InstalledTokens, OneToken, TokenCipher
from adapters.slack.translate import workspace
from bot.ports import Clock, OutcomeUnknown, RetryAfter

PATIENCE = 10.0
"""Seconds a call may take; after that it counts as one without an answer."""
log = structlog.get_logger("ritme.slack")

__all__ = ["App", "Distribution", "Refused", "SlackPlatform"]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """An app that many workspaces install. `keys` seal their tokens; `url` is where people reach Ritme."""

    app: App = field(repr=False)
    scopes: tuple[str, ...]
    keys: tuple[str, ...] = field(repr=False)
    url: str
    installations: Installations


class SlackPlatform:
    """Everything about Slack. Made inside a running event loop; started and closed once.

    Either one workspace (`token`) or many (`many`); requests come over HTTP (`signing_secret`) or, with `app_token`,
    over a connection of our own. `api_url` is where the Web API is, with a slash at its end.
    """

    def __init__(
        self,
        *,
        api_url: str,
        clock: Clock,
        signing_secret: str = "",
        token: str = "",
        app_token: str = "",
        many: Distribution | None = None,
        ping_every: float = PING_EVERY,
        patience: float = PATIENCE,
    ) -> None:
        self._ping_every = ping_every
        self._signing_secret = signing_secret
        self._app_token = app_token
        self._clock = clock
        # The client's own timeout does not hold for a session it is given.
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience), trust_env=True)
        # No retries: after a dropped connection the post may well have arrived.
        self._client = AsyncWebClient(base_url=api_url, session=self._session, retry_handlers=[])
        self._one = OneToken(token)
        self._many = many
        self._installed = (
            InstalledTokens(many.installations, TokenCipher(many.keys), many.app, self._client, clock)
            if many is not None
            else None
        )
        tokens = self._installed or self._one
        self._tokens = tokens
        self._calls = Calls(self._client, tokens, clock)
        self.messenger = SlackMessenger(self._calls, self._session, clock)
        self.directory = SlackDirectory(self._calls, clock)
        self._inbound: Inbound | None = None
        self._socket: Socket | None = None
        self._core: Core | None = None
        self._introducing: asyncio.Task[None] | None = None

    def mount(self, app: web.Application, core: Core) -> None:
        """Adds Slack's addresses to the application; `core` is what requests are handed to."""
        self._core = core
        inbound = self._inbound = Inbound(
            core,
            calls=self._calls,
            tokens=self._tokens,
            messenger=self.messenger,
            clock=self._clock,
            uninstalls=self._installed,
        )
        if self._app_token:
            self._socket = Socket(inbound, app_token=self._app_token, client=self._client, ping_every=self._ping_every)
        else:
            inbound.mount(app, self._signing_secret)
        if self._many is not None and self._installed is not None:
            Install(
                core,
                self._installed,
                self._many.installations,
                self._many.app,
                scopes=self._many.scopes,
                url=self._many.url,
                client=self._client,
                clock=self._clock,
            ).mount(app)

    async def start(self) -> None:
        """Opens the connection, where there is one. Raises `Refused`."""
        if self._socket is not None:
            await self._socket.open()
        if self._installed is None:
            self._introducing = asyncio.create_task(self._introduce(), name="slack introduction")

    async def hush(self) -> None:
        """Takes no more requests over its own connection; what came in is answered."""
        if self._introducing is not None:
            self._introducing.cancel()
        if self._socket is not None:
            await self._socket.close()
        if self._inbound is not None:
            await self._inbound.close()

    async def close(self) -> None:
        if self._installed is not None:
            await self._installed.close()
        await self._session.close()

    async def _introduce(self) -> None:
        """Asks whose token it is, so that requests from elsewhere are refused, and the workspace has a name."""
        try:
            said = await self._calls("", "auth.test")
        except (Said, OutcomeUnknown, RetryAfter) as problem:
            log.warning("slack_not_introduced", error=str(problem))
            return
        self._one.team = str(said["team_id"])
        if self._core is not None:
            await self._core.workspace_installed(workspace(self._one.team), str(said.get("team") or ""))

"""Connect Ritme to Slack: receive requests, send posts, look up names. A workspace's id is "slack:<team id>"."""

import asyncio
from dataclasses import dataclass, field

import aiohttp
import structlog
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from adapters.file_links import FileLinks
from adapters.slack.answer_tasks import ACK_BUDGET
from adapters.slack.directory import SlackDirectory
from adapters.slack.inbound import SlackCore, SlackInbound
from adapters.slack.install import InstallPages
from adapters.slack.installed_tokens import InstalledTokens
from adapters.slack.outbound import SlackMessenger
from adapters.slack.socket import PING_EVERY, SocketModeConnection
from adapters.slack.tokens import AppCredentials, Installations, StaticToken, TokenCipher
from adapters.slack.translate import slack_workspace
from adapters.slack.web_api import SlackApi, SlackApiRefusal
from bot.chat import DEFAULT_SYNTAX, CommandSyntax
from bot.ports import Clock, OutcomeUnknown, Platform, RetryAfter

SLACK_CALL_TIMEOUT = 10.0
"""Seconds a call may take; after that it counts as unanswered."""
log = structlog.get_logger("ritme.slack")


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Settings of an app that many workspaces install: `keys` encrypt their tokens, `url` is Ritme's public address."""

    app: AppCredentials = field(repr=False)
    scopes: tuple[str, ...]
    keys: tuple[str, ...] = field(repr=False)
    url: str
    installations: Installations


class SlackPlatform:
    """All of Slack's adapter. Create it inside a running event loop; start and close it once.

    It serves one workspace (`token`) or many (`many`). Requests come over HTTP, verified with `signing_secret`, or,
    with `app_token`, over Socket Mode. `api_url` is the address of the Web API, with a slash at its end.
    `call_timeout`, `ack_budget` and `ping_every` are in seconds. `links`: see `SlackMessenger`.
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
        syntax: CommandSyntax = DEFAULT_SYNTAX,
        ping_every: float = PING_EVERY,
        call_timeout: float = SLACK_CALL_TIMEOUT,
        ack_budget: float = ACK_BUDGET,
        links: FileLinks | None = None,
    ) -> None:
        self._ping_every = ping_every
        self._ack_budget = ack_budget
        self._signing_secret = signing_secret
        self._app_token = app_token
        self._clock = clock
        self.syntax = syntax
        # The client's own timeout does not hold for a session it is given; its proxy it finds in the environment.
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=call_timeout))
        # No retries: after a dropped connection the post may well have arrived.
        self._client = AsyncWebClient(base_url=api_url, session=self._session, retry_handlers=[])
        self._static_token = StaticToken(token)
        self._distribution = many
        self._installed_tokens = (
            InstalledTokens(many.installations, TokenCipher(many.keys), many.app, self._client, clock)
            if many is not None
            else None
        )
        self.tokens = self._installed_tokens or self._static_token
        self._api = SlackApi(self._client, self.tokens, clock)
        self.messenger = SlackMessenger(self._api, self._session, clock, links=links)
        self.directory = SlackDirectory(self._api, clock)
        self.inbound: SlackInbound | None = None
        self._socket: SocketModeConnection | None = None
        self._core: SlackCore | None = None
        self._identifying: asyncio.Task[None] | None = None

    @property
    def ports(self) -> Platform:
        """The ports that the core gets."""
        return Platform(messenger=self.messenger, directory=self.directory, syntax=self.syntax)

    def mount(self, app: web.Application, core: SlackCore) -> None:
        """Add Slack's routes to the application; `core` handles the requests."""
        self._core = core
        inbound = self.inbound = SlackInbound(
            core,
            api=self._api,
            tokens=self.tokens,
            messenger=self.messenger,
            clock=self._clock,
            installs=self._installed_tokens,
            syntax=self.syntax,
            ack_budget=self._ack_budget,
        )
        if self._app_token:
            self._socket = SocketModeConnection(
                inbound, app_token=self._app_token, client=self._client, ping_every=self._ping_every
            )
        else:
            inbound.mount(app, self._signing_secret)
        if self._distribution is not None and self._installed_tokens is not None:
            InstallPages(
                core,
                self._installed_tokens,
                self._distribution.installations,
                self._distribution.app,
                scopes=self._distribution.scopes,
                url=self._distribution.url,
                client=self._client,
                clock=self._clock,
                syntax=self.syntax,
            ).mount(app)

    async def start(self) -> None:
        """Open the Socket Mode connection, if any, and start to ask which workspace the token is for.

        Raises `ConnectionRefused`.
        """
        if self._socket is not None:
            await self._socket.open()
        if self._installed_tokens is None:
            self._identifying = asyncio.create_task(self._identify_workspace(), name="slack introduction")

    async def stop_receiving(self) -> None:
        """Close the Socket Mode connection; answer the requests that came in over it."""
        if self._identifying is not None:
            self._identifying.cancel()
        if self._socket is not None:
            await self._socket.close()
        if self.inbound is not None:
            await self.inbound.close()

    async def close(self) -> None:
        """Save renewed tokens and close the HTTP session: nothing can be sent any more."""
        if self._installed_tokens is not None:
            await self._installed_tokens.close()
        await self._session.close()

    async def _identify_workspace(self) -> None:
        """Ask whose token it is, so that requests from other workspaces are refused, and this one has a name."""
        try:
            answer = await self._api.call("", "auth.test")
        except (SlackApiRefusal, OutcomeUnknown, RetryAfter) as problem:
            log.warning("slack_workspace_not_identified", error=str(problem))
            return
        self._static_token.team, self._static_token.bot = str(answer["team_id"]), str(answer.get("user_id") or "")
        if self._core is not None:
            workspace = slack_workspace(self._static_token.team)
            await self._core.workspace_installed(workspace, str(answer.get("team") or ""))

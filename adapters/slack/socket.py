"""Socket Mode: Slack's requests over a connection we open, for whoever has no public address."""

import asyncio
import logging
from time import monotonic, time

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.inbound import Inbound
from adapters.slack.tokens import error_of

REFUSED = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type"})
LAST_WORDS = 3.0
"""Seconds that requests under way get when Ritme stops: as long as Slack waits for an answer."""
PING_EVERY = 5.0
"""Seconds; four without an answer, and the connection counts as lost."""
AGAIN = 5.0
"""Seconds between two tries to connect."""
ADDRESS_LASTS = 15.0
log = structlog.get_logger("ritme.slack")


class Refused(Exception):
    """Slack does not let us open a connection; `code` is its error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """One connection, opened again whenever it breaks or Slack asks for it. Slack spreads requests over all the
    connections of an app: what reaches two processes is recognised by its key, and acted upon once."""

    def __init__(
        self, inbound: Inbound, *, app_token: str, client: AsyncWebClient, ping_every: float = PING_EVERY
    ) -> None:
        self._inbound = inbound
        self._ping_every = ping_every
        self._app_token = app_token
        self._web = client
        self._client: SocketModeClient | None = None
        self._under_way: set[asyncio.Future[None]] = set()
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects, and goes on trying while Slack cannot be reached. Raises `Refused` when it will never do."""
        try:
            await self._web.apps_connections_open(app_token=self._app_token)
        except SlackApiError as problem:
            code = error_of(problem)
            if code in REFUSED or code == "missing_scope":
                raise Refused(code) from None
            log.warning("slack_socket_not_opened", error=code)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_socket_not_opened", error=type(problem).__name__)
        # What it logs holds the addresses it connects to, which let anyone in, and what people write.
        quiet = logging.getLogger("slack_sdk.ritme")
        quiet.setLevel(logging.CRITICAL)
        self._client = _Connection(
            app_token=self._app_token, web_client=self._web, logger=quiet, ping_interval=self._ping_every
        )
        self._client.socket_mode_request_listeners.append(self._on_request)
        self._opening = asyncio.create_task(self._keep_opening(self._client), name="slack socket")

    async def close(self) -> None:
        """Hangs up as soon as all that came in is answered. What comes in after that, Slack brings to another
        connection: it has no answer."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._opening is not None:
            self._opening.cancel()
        deadline = monotonic() + LAST_WORDS
        while self._under_way and monotonic() < deadline:
            await asyncio.wait(self._under_way, timeout=deadline - monotonic())
        await client.close()  # type: ignore[no-untyped-call]
        await client.aiohttp_client_session.close()

    async def _keep_opening(self, client: SocketModeClient) -> None:
        """Until the first connection stands; from then on the client looks after it."""
        while True:
            try:
                await client.connect_to_new_endpoint(force=True)
                return
            except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(AGAIN)

    async def _on_request(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        under_way = asyncio.get_running_loop().create_future()
        self._under_way.add(under_way)
        try:
            started = time()
            asked = AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=build_headers(request))
            await send_async_response(client, request, await self._inbound.answer(asked), started)
        except Exception:
            log.exception("slack_request_failed", kind=request.type)
        finally:
            under_way.set_result(None)
            self._under_way.discard(under_way)


class _Connection(SocketModeClient):
    """The SDK's client, which connects again by itself; here it says so in our log."""

    async def issue_new_wss_url(self) -> str:
        try:
            return await super().issue_new_wss_url()
        except SlackApiError as problem:
            log.warning("slack_socket_not_opened", error=error_of(problem))
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_socket_not_opened", error=type(problem).__name__)
            raise

    async def connect(self) -> None:
        """An address is good for one connection, within half a minute; the client itself would try it for ever."""
        while not self.closed:
            try:
                await asyncio.wait_for(super().connect(), ADDRESS_LASTS)  # type: ignore[no-untyped-call]
            except TimeoutError:
                log.warning("slack_socket_not_opened", error="stale_address")
                self.wss_uri = None
            else:
                log.info("slack_socket_open")
                return

"""Receive Slack's requests over a WebSocket that Ritme opens (Socket Mode), where it has no public address."""

import asyncio
import json
import logging
from time import monotonic, time

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.door import BadInput
from adapters.failures import report_failure
from adapters.slack.inbound import SlackInbound
from adapters.slack.tokens import slack_error_code

CONNECTION_REFUSED_ERRORS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type"}
)
"""Slack's errors after which no further attempt to connect will succeed."""
SOCKET_SHUTDOWN_GRACE = 3.0
"""Seconds that requests in progress get when Ritme stops: as long as Slack waits for an answer."""
PING_EVERY = 5.0
"""Seconds between two pings; after four unanswered ones the connection counts as lost."""
RECONNECT_DELAY = 5.0
"""Seconds between two attempts to open the first connection."""
SOCKET_CONNECT_TIMEOUT = 15.0
"""Seconds an attempt to connect may take, before a new address is asked for."""
log = structlog.get_logger("ritme.slack")


class ConnectionRefused(Exception):
    """Slack refuses to let the app open a connection; `code` is its error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SocketModeConnection:
    """One connection, opened again whenever it breaks or Slack asks for it.

    Slack spreads requests over all connections of an app, so several processes may each have one. A request that
    reaches two of them is acted upon once: the core recognises its key.
    """

    def __init__(
        self, inbound: SlackInbound, *, app_token: str, client: AsyncWebClient, ping_every: float = PING_EVERY
    ) -> None:
        self._inbound = inbound
        self._ping_every = ping_every
        self._app_token = app_token
        self._web = client
        self._client: SocketModeClient | None = None
        self._in_flight: set[asyncio.Future[None]] = set()
        self._connecting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect in the background, retrying while Slack cannot be reached.

        Asks Slack once before it returns. Raises `ConnectionRefused` when connecting will never succeed.
        """
        try:
            await self._web.apps_connections_open(app_token=self._app_token)
        except SlackApiError as problem:
            code = slack_error_code(problem)
            if code in CONNECTION_REFUSED_ERRORS or code == "missing_scope":
                raise ConnectionRefused(code) from None
            log.warning("slack_socket_not_opened", error=code)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_socket_not_opened", error=type(problem).__name__)
        # The SDK logs what people write, and the addresses it connects to, which let anyone in.
        quiet = logging.getLogger("slack_sdk.ritme")
        quiet.setLevel(logging.CRITICAL)
        self._client = _ReportingClient(
            app_token=self._app_token, web_client=self._web, logger=quiet, ping_interval=self._ping_every
        )
        self._client.socket_mode_request_listeners.append(self._on_request)
        self._connecting = asyncio.create_task(self._connect_first(self._client), name="slack socket")

    async def close(self) -> None:
        """Answer the requests in progress, within `SOCKET_SHUTDOWN_GRACE` seconds, then close the connection.

        Slack sends later requests, which get no acknowledgement, to another connection.
        """
        client, self._client = self._client, None
        if client is None:
            return
        if self._connecting is not None:
            self._connecting.cancel()
        deadline = monotonic() + SOCKET_SHUTDOWN_GRACE
        while self._in_flight and monotonic() < deadline:
            await asyncio.wait(self._in_flight, timeout=deadline - monotonic())
        await client.close()  # type: ignore[no-untyped-call]
        await client.aiohttp_client_session.close()

    async def _connect_first(self, client: SocketModeClient) -> None:
        """Retry until the first connection is open; from then on the client reopens it itself."""
        while True:
            try:
                await client.connect_to_new_endpoint(force=True)
                return
            except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(RECONNECT_DELAY)

    async def _on_request(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        done = asyncio.get_running_loop().create_future()
        self._in_flight.add(done)
        started = time()
        try:
            await send_async_response(client, request, await self._inbound.answer(request.payload), started)
        except BadInput as bad:
            # It would be no better the next time: acknowledged, so that Slack does not send it again.
            log.warning("slack_request_malformed", kind=request.type, reason=bad.reason)
            await send_async_response(client, request, BoltResponse(status=200), started)
        except Exception as problem:  # noqa: BLE001  # `report_failure` logs it
            # Not acknowledged: Slack delivers an event again.
            _ = report_failure("slack_request_failed", problem, kind=str(request.type))
        finally:
            done.set_result(None)
            self._in_flight.discard(done)


class _ReportingClient(SocketModeClient):
    """The SDK's client, which reconnects by itself: once for each connection that goes, with log events of ours."""

    _leaving: aiohttp.ClientWebSocketResponse | None = None
    """The connection that Slack last asked to leave."""

    async def enqueue_message(self, message: str) -> None:
        if message.startswith("{") and json.loads(message).get("type") == "disconnect":
            self._leaving = self.current_session
        await super().enqueue_message(message)

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Connect anew, unless another did so meanwhile.

        Slack closes the connection right after it asks to leave it. Each of the two reconnects, and the second one
        of the SDK would close what the first has opened, with the requests that came over it.
        """
        async with self.connect_operation_lock:
            if (force and self.current_session is self._leaving) or not await self.is_connected():
                self.wss_uri = await self.issue_new_wss_url()
                await self.connect()

    async def issue_new_wss_url(self) -> str:
        try:
            return await super().issue_new_wss_url()
        except SlackApiError as problem:
            log.warning("slack_socket_not_opened", error=slack_error_code(problem))
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_socket_not_opened", error=type(problem).__name__)
            raise

    async def connect(self) -> None:
        """Connect, with a new address after each timeout.

        An address is good for one connection, within half a minute; the SDK would try the same one for ever.
        """
        while not self.closed:
            try:
                await asyncio.wait_for(super().connect(), SOCKET_CONNECT_TIMEOUT)  # type: ignore[no-untyped-call]
            except TimeoutError:
                log.warning("slack_socket_not_opened", error="stale_address")
                self.wss_uri = None
            else:
                log.info("slack_socket_open")
                return

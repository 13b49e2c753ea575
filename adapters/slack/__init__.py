"""Slack: signed requests in, posts out. One workspace, with one bot token; its id is "slack:<team id>"."""

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.calls import Calls
from adapters.slack.directory import SlackDirectory
from adapters.slack.inbound import Handle, Inbound
from adapters.slack.outbound import SlackMessenger
from bot.ports import Clock

PATIENCE = 10.0
"""Seconds a call may take; after that it counts as one without an answer."""


class SlackPlatform:
    """Everything about Slack. Made inside a running event loop, closed once.

    `api_url` is where the Web API is, with a slash at its end.
    """

    def __init__(self, *, signing_secret: str, token: str, api_url: str, clock: Clock) -> None:
        self._signing_secret = signing_secret
        self._clock = clock
        # The client's own timeout does not hold for a session it is given.
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        # No retries: after a dropped connection the post may well have arrived.
        self._client = AsyncWebClient(token=token, base_url=api_url, session=self._session, retry_handlers=[])
        calls = Calls(self._client, clock)
        self.messenger = SlackMessenger(calls, self._session, clock)
        self.directory = SlackDirectory(calls, clock)

    def mount(self, app: web.Application, handle: Handle) -> None:
        """Adds Slack's address to the application; `handle` is the core's way in."""
        Inbound(
            handle,
            signing_secret=self._signing_secret,
            client=self._client,
            messenger=self.messenger,
            clock=self._clock,
        ).mount(app)

    async def close(self) -> None:
        await self._session.close()

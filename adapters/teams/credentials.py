"""Fetch the token with which we prove to Teams who we are.

botbuilder 4.17.1 makes a new MSAL app and fetches a token at every turn, blocking the event loop. Here the token is
fetched without blocking, and kept until shortly before it expires.
"""

import asyncio
from datetime import datetime, timedelta

import aiohttp
import structlog

from adapters.proxies import find_proxy
from bot.ports import Clock, RetryAfter, Unreachable

AUTHORITY = "https://login.microsoftonline.com"
SCOPE = "https://api.botframework.com/.default"
TEAMS_TOKEN_RENEWAL_MARGIN = timedelta(minutes=5)
"""How long before it expires a token is renewed."""
TEAMS_TOKEN_RETRY_DELAY = timedelta(seconds=30)
"""How long to wait after Microsoft gave no token."""
log = structlog.get_logger("ritme.teams")


class ClientCredentials:
    """Our own access token, by the OAuth client credentials grant: fetched once however many ask for it at once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        app_id: str,
        password: str,
        tenant: str,
        authority: str = AUTHORITY,
    ) -> None:
        self._session = session
        self._clock = clock
        self._url = f"{authority}/{tenant}/oauth2/v2.0/token"
        self._request = {
            "grant_type": "client_credentials",
            "client_id": app_id,
            "client_secret": password,
            "scope": SCOPE,
        }
        self._token = ""
        self._expires_at: datetime | None = None
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """Return the token. Raises `Unreachable` when the secret is refused, `RetryAfter` when Microsoft cannot
        answer."""
        if not self._is_valid():
            async with self._fetching:
                # Looked at again under the lock: whoever held it before may have fetched the token.
                if not self._is_valid():
                    await self._fetch()
        return self._token

    def _is_valid(self) -> bool:
        return self._expires_at is not None and self._clock.now() < self._expires_at - TEAMS_TOKEN_RENEWAL_MARGIN

    async def _fetch(self) -> None:
        try:
            async with self._session.post(self._url, data=self._request, proxy=find_proxy(self._url)) as answer:
                status, body = answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            log.warning("teams_token_fetch_failed", error=type(problem).__name__)
            raise self._retry_after() from None
        if status == 200 and isinstance(body, dict) and body.get("access_token"):
            self._token = str(body["access_token"])
            self._expires_at = self._clock.now() + timedelta(seconds=int(body.get("expires_in") or 0))
            return
        error = str(body.get("error"))[:40] if isinstance(body, dict) else ""
        log.warning("teams_token_fetch_failed", status=status, error=error)
        if status in (400, 401, 403):
            raise Unreachable("not_allowed", workspace_is_gone=True)
        raise self._retry_after()

    def _retry_after(self) -> RetryAfter:
        return RetryAfter(self._clock.now() + TEAMS_TOKEN_RETRY_DELAY, whole_workspace=True)


class NoCredentials:
    """Credentials where nobody asks who we are: a test on this machine."""

    async def token(self) -> str:
        """Return the empty token, which is not sent."""
        return ""

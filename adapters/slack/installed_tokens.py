"""Cache, renew and save the tokens of workspaces that installed the app."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.tokens import (
    NOT_INSTALLED,
    TOKEN_RETRY_DELAY,
    AppCredentials,
    Installations,
    NoToken,
    TokenCipher,
    slack_error_code,
)
from bot.ports import Clock, OutcomeUnknown, RetryAfter

TOKEN_RENEWAL_MARGIN = timedelta(hours=1)
"""How long before it expires a token is renewed."""
RENEWAL_CLAIM_TTL = timedelta(seconds=30)
"""How long one process keeps the others from renewing; its own call times out well before."""
TOKEN_SAVE_INITIAL_BACKOFF, TOKEN_SAVE_MAX_BACKOFF = 0.5, 30.0
"""Seconds between two attempts to save a renewed token while the database is unavailable; doubles each time."""
TOKEN_SAVE_SHUTDOWN_TIMEOUT = 5.0
"""Seconds those attempts may still take when Ritme stops."""
REFRESH_REFUSED_ERRORS = frozenset({"invalid_refresh_token", "token_revoked", "account_inactive", "invalid_client_id"})
"""Slack's errors after which a refresh token will never work again."""
log = structlog.get_logger("ritme.slack")


@dataclass(frozen=True, kw_only=True)
class _CachedToken:
    token: str
    expires_at: datetime | None


class InstalledTokens:
    """The tokens of every workspace that installed the app, cached and renewed `TOKEN_RENEWAL_MARGIN` before expiry.

    A refresh token works once, so each is used once, however many callers in however many processes ask for the token
    at the same moment: a lock keeps to one caller per process, a claim on the row to one process.
    """

    def __init__(
        self,
        installations: Installations,
        cipher: TokenCipher,
        app: AppCredentials,
        client: AsyncWebClient,
        clock: Clock,
    ) -> None:
        self._installations = installations
        self._cipher = cipher
        self._app = app
        self._client = client
        self._clock = clock
        self._cache: dict[str, _CachedToken] = {}
        self._saves: set[asyncio.Task[None]] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def save_install(self, installed: Mapping[str, Any]) -> None:
        """Save a new install, given with its tokens in the clear, in place of an earlier one of that workspace."""
        refresh = installed["refresh_token"]
        await self._installations.save(
            {
                **installed,
                "bot_token": self._cipher.encrypt(installed["bot_token"]),
                "refresh_token": self._cipher.encrypt(refresh) if refresh else None,
            }
        )
        self.evict(installed["team_id"])

    async def was_installed_since(self, team: str, moment: datetime) -> bool:
        """Return whether a workspace's install was made at that moment or later."""
        row = await self._installations.get(team)
        return row is not None and bool(row["installed_at"] >= moment)

    async def remove_install(self, team: str, before: datetime) -> bool:
        """Delete the install of a workspace that removed the app at the moment `before`.

        Returns False when it was installed again since then, or was not installed.
        """
        self.evict(team)
        return await self._installations.remove(team, before)

    def evict(self, team: str) -> None:
        """Drop the cached token of a workspace, so that it is read from its row again."""
        self._cache.pop(team, None)

    def is_known(self, team: str) -> bool:
        return team in self._cache

    async def is_installed(self, team: str) -> bool:
        return self.is_known(team) or await self._installations.get(team) is not None

    async def bot_user(self, team: str) -> str:
        row = await self._installations.get(team)
        return str(row["bot_user_id"]) if row is not None else ""

    async def get_token(self, team: str) -> str:
        cached = self._cache.get(team)
        if cached is None or self._expires_soon(cached.expires_at):
            async with self._locks[team]:
                # Looked at again: who had the lock before us may have renewed it.
                cached = self._cache.get(team)
                if cached is None or self._expires_soon(cached.expires_at):
                    cached = self._cache[team] = await self._load(team)
        return cached.token

    async def replace_token(self, expired: str, team: str) -> str | None:
        cached = self._cache.get(team)
        if cached is not None and cached.token == expired:  # otherwise another caller has replaced it already
            self.evict(team)
        token = await self.get_token(team)
        return token if token != expired else None

    def _expires_soon(self, moment: datetime | None) -> bool:
        return moment is not None and moment - TOKEN_RENEWAL_MARGIN <= self._clock.now()

    async def _load(self, team: str) -> _CachedToken:
        """Read the stored token of a workspace, which another process may have renewed; renew it if it expires soon.

        Raises `NoToken`, or `RetryAfter` when the token has expired and could not be renewed yet.
        """
        row = await self._installations.get(team)
        if row is None:
            raise NoToken(NOT_INSTALLED)
        stored = _CachedToken(token=self._cipher.decrypt(row["bot_token"]), expires_at=row["expires_at"])
        if not self._expires_soon(stored.expires_at) or row["refresh_token"] is None:
            return stored
        now = self._clock.now()
        is_expired = stored.expires_at is not None and stored.expires_at <= now
        if await self._installations.claim_renewal(team, row["refresh_token"], now, now + RENEWAL_CLAIM_TTL):
            try:
                return await self._renew(team, row["refresh_token"])
            except NoToken:
                if is_expired:
                    raise
            except OutcomeUnknown:
                pass  # renewed again once the claim has run out
        if is_expired:
            raise RetryAfter(now + TOKEN_RETRY_DELAY, whole_workspace=True)
        # Renewal failed, or another process is at it: until it expires, the stored token still works.
        return stored

    async def _renew(self, team: str, spent: str) -> _CachedToken:
        """Exchange the encrypted refresh token `spent` for a new token, cache it and start saving it.

        Raises `NoToken` when Slack will give none, `OutcomeUnknown` when Slack gave no answer or a temporary error.
        """
        unsealed = self._cipher.decrypt(spent)
        try:
            answer = await self._app.request_token(self._client, grant_type="refresh_token", refresh_token=unsealed)
        except SlackApiError as problem:
            code = slack_error_code(problem)
            log.warning("slack_token_not_renewed", team=team, error=code)
            raise (NoToken("token_revoked") if code in REFRESH_REFUSED_ERRORS else OutcomeUnknown()) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_token_not_renewed", team=team, error=type(problem).__name__)
            raise OutcomeUnknown from None
        token, refresh = str(answer["access_token"]), str(answer["refresh_token"])
        expires_at = self._clock.now() + timedelta(seconds=int(answer["expires_in"]))
        renewed = self._cache[team] = _CachedToken(token=token, expires_at=expires_at)
        # In a task of its own, so that it goes on when the caller is cancelled: the old refresh token is used up, and
        # the new one is known nowhere else.
        save = asyncio.create_task(
            self._save_renewal(
                team,
                spent=spent,
                bot_token=self._cipher.encrypt(token),
                refresh_token=self._cipher.encrypt(refresh),
                expires_at=expires_at,
            )
        )
        self._saves.add(save)
        save.add_done_callback(self._saves.discard)
        await asyncio.wait([save], timeout=TOKEN_SAVE_INITIAL_BACKOFF)
        return renewed

    async def _save_renewal(self, team: str, **renewed: Any) -> None:
        """Save a renewed token, retrying with doubling pauses until it succeeds."""
        pause = TOKEN_SAVE_INITIAL_BACKOFF
        while True:
            try:
                await self._installations.renew(team, **renewed)
            except Exception:
                log.warning("slack_token_save_failed", team=team, exc_info=True)
            else:
                log.info("slack_token_renewed", team=team)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, TOKEN_SAVE_MAX_BACKOFF)

    async def close(self) -> None:
        """Wait for renewed tokens to be saved, at most `TOKEN_SAVE_SHUTDOWN_TIMEOUT` seconds."""
        if self._saves:
            _, unsaved = await asyncio.wait(self._saves, timeout=TOKEN_SAVE_SHUTDOWN_TIMEOUT)
            for save in unsaved:
                log.error("slack_token_lost", cure="that workspace has to install again when its token ends")
                save.cancel()

"""Which token speaks for which workspace: one from the environment, or those that installs brought, kept sealed."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import aiohttp
import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.ports import Clock, OutcomeUnknown, RetryAfter

EARLY = timedelta(hours=1)
"""How long before it ends a token is renewed."""
RENEWAL_TAKES = timedelta(seconds=30)
"""How long one process keeps the others from renewing; its own call gives up well before."""
SOON = timedelta(seconds=5)
INITIAL_BACKOFF, MAX_BACKOFF = 0.5, 30.0
"""Seconds between two tries to keep a new token, while the database is away."""
LAST_PATIENCE = 5.0
"""Seconds for that when Ritme stops."""
REFUSED = frozenset({"invalid_refresh_token", "token_revoked", "account_inactive", "invalid_client_id"})
NOT_INSTALLED = "not_installed"
log = structlog.get_logger("ritme.slack")


def error_of(problem: SlackApiError) -> str:
    """What Slack calls what is wrong; "no_answer" when it answered with something else, such as a page of a proxy."""
    data = getattr(problem.response, "data", None)
    return str(data.get("error") or "no_answer") if isinstance(data, dict) else "no_answer"


class NoToken(Exception):
    """There is none for this workspace; `code` says why, as Slack's own errors do."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Tokens(Protocol):
    async def knows(self, team: str) -> bool:
        """Whether requests from this workspace are ours to answer."""

    async def of(self, team: str) -> str:
        """The token of a workspace. Raises `NoToken`, or `RetryAfter` while it is being renewed elsewhere."""

    async def after(self, expired: str, team: str) -> str | None:
        """Another token than the one Slack called expired; None when there is none."""


class OneToken:
    """The bot token of the environment: one workspace, `team` once Slack told which."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.team = ""

    async def knows(self, team: str) -> bool:
        return team == self.team or not self.team

    async def of(self, team: str) -> str:
        if not await self.knows(team):
            raise NoToken(NOT_INSTALLED)
        return self._token

    async def after(self, expired: str, team: str) -> str | None:
        return None


class Installations(Protocol):
    """The rows of all installs, by team; what is secret in them is sealed."""

    async def get(self, team: str) -> Mapping[str, Any] | None: ...
    async def save(self, row: Mapping[str, Any]) -> None: ...
    async def remove(self, team: str, installed_before: datetime) -> bool: ...
    async def claim_renewal(self, team: str, sealed: str, now: datetime, until: datetime) -> bool: ...
    async def renew(
        self, team: str, *, spent: str, bot_token: str, refresh_token: str, expires_at: datetime
    ) -> None: ...
    async def note_state(self, digest: str, expires_at: datetime, now: datetime) -> None: ...
    async def use_state(self, digest: str, now: datetime) -> bool: ...


class TokenCipher:
    """Encrypts with the first key, opens with any: a new key goes in front, and the old one may go once every token
    was renewed or installed again."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def close(self, secret: str) -> str:
        return self._keys.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken:
            raise NoToken("sealed_with_another_key") from None


@dataclass(frozen=True, kw_only=True)
class App:
    """The app's own credentials."""

    client_id: str
    client_secret: str

    async def access(self, client: AsyncWebClient, **granted: str) -> AsyncSlackResponse:
        """A token for a code or a refresh token. The client's own method signs in a way aiohttp is about to drop."""
        mine = {"client_id": self.client_id, "client_secret": self.client_secret}
        return await client.api_call("oauth.v2.access", data={**mine, **granted})


@dataclass(frozen=True, kw_only=True)
class _Held:
    token: str
    expires_at: datetime | None


class InstalledTokens:
    """The tokens of every workspace that installed the app, renewed an hour before they end, once, however many
    ask at the same moment and in however many processes."""

    def __init__(self, rows: Installations, seal: TokenCipher, app: App, client: AsyncWebClient, clock: Clock) -> None:
        self._rows = rows
        self._seal = seal
        self._app = app
        self._client = client
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def keep(self, installed: Mapping[str, Any]) -> None:
        """A new install, its tokens in the clear; takes the place of an earlier one of that workspace."""
        refresh = installed["refresh_token"]
        await self._rows.save(
            {
                **installed,
                "bot_token": self._seal.close(installed["bot_token"]),
                "refresh_token": self._seal.close(refresh) if refresh else None,
            }
        )
        self.let_go(installed["team_id"])

    async def forget(self, team: str, before: datetime) -> bool:
        """The app was removed there at that moment. False when it was installed again since, or was not there."""
        self.let_go(team)
        return await self._rows.remove(team, before)

    def let_go(self, team: str) -> None:
        self._held.pop(team, None)

    async def knows(self, team: str) -> bool:
        return team in self._held or await self._rows.get(team) is not None

    async def of(self, team: str) -> str:
        held = self._held.get(team)
        if held is None or self._ends_soon(held.expires_at):
            async with self._one_at_a_time[team]:
                held = self._held.get(team)
                if held is None or self._ends_soon(held.expires_at):
                    held = self._held[team] = await self._read(team)
        return held.token

    async def after(self, expired: str, team: str) -> str | None:
        held = self._held.get(team)
        if held is not None and held.token == expired:
            self.let_go(team)
        token = await self.of(team)
        return token if token != expired else None

    def _ends_soon(self, moment: datetime | None) -> bool:
        return moment is not None and moment - EARLY <= self._clock.now()

    async def _read(self, team: str) -> _Held:
        """What is kept of a workspace, renewed when it ends soon: what another process renewed is found here."""
        row = await self._rows.get(team)
        if row is None:
            raise NoToken(NOT_INSTALLED)
        held = _Held(token=self._seal.open(row["bot_token"]), expires_at=row["expires_at"])
        if not self._ends_soon(held.expires_at) or row["refresh_token"] is None:
            return held
        now = self._clock.now()
        ended = held.expires_at is not None and held.expires_at <= now
        if await self._rows.claim_renewal(team, row["refresh_token"], now, now + RENEWAL_TAKES):
            try:
                return await self._renewed(team, row["refresh_token"])
            except NoToken:
                if ended:
                    raise
            except OutcomeUnknown:
                pass  # asked again when the claim has run out
        if ended:
            raise RetryAfter(now + SOON, whole_workspace=True)
        return held

    async def _renewed(self, team: str, spent: str) -> _Held:
        """A new token for this sealed refresh token. Raises `NoToken` when Slack will give none, `OutcomeUnknown` when
        it
        could not be asked."""
        unsealed = self._seal.open(spent)
        try:
            said = await self._app.access(self._client, grant_type="refresh_token", refresh_token=unsealed)
        except SlackApiError as problem:
            code = error_of(problem)
            log.warning("slack_token_not_renewed", team=team, error=code)
            raise (NoToken("token_revoked") if code in REFUSED else OutcomeUnknown()) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_token_not_renewed", team=team, error=type(problem).__name__)
            raise OutcomeUnknown from None
        token, refresh = str(said["access_token"]), str(said["refresh_token"])
        expires_at = self._clock.now() + timedelta(seconds=int(said["expires_in"]))
        held = self._held[team] = _Held(token=token, expires_at=expires_at)
        # Also when whoever asked is stopped meanwhile: the old one is used up, and nobody else knows the new one.
        keeping = asyncio.create_task(
            self._keep(
                team,
                spent=spent,
                bot_token=self._seal.close(token),
                refresh_token=self._seal.close(refresh),
                expires_at=expires_at,
            )
        )
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        await asyncio.wait([keeping], timeout=INITIAL_BACKOFF)
        return held

    async def _keep(self, team: str, **renewed: Any) -> None:
        pause = INITIAL_BACKOFF
        while True:
            try:
                await self._rows.renew(team, **renewed)
            except Exception:
                log.warning("slack_token_not_kept_yet", team=team, exc_info=True)
            else:
                log.info("slack_token_renewed", team=team)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_BACKOFF)

    async def close(self) -> None:
        """Lets what is being kept be kept, if that can be done soon."""
        if self._keeping:
            _, late = await asyncio.wait(self._keeping, timeout=LAST_PATIENCE)
            for one in late:
                log.error("slack_token_not_kept", cure="that workspace has to install again when its token ends")
                one.cancel()

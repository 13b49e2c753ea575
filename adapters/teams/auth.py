"""Check that a request comes from Teams, for this bot, of an organisation that may use it.

The check of botbuilder 4.17.1 is not used. It answers 500 to most bad tokens, rejects valid ones for up to 24 hours
after a signing key rolled, and fetches keys over a blocking connection without a timeout in the event loop. It lets
pass: a foreign tenant, a missing `channelId`, a missing `serviceUrl` or one of another host, and a token without `exp`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import structlog

from adapters.memory import Memory
from adapters.proxies import find_proxy
from bot.ports import Clock

ISSUER = "https://api.botframework.com"
OPENID_METADATA_URL = "https://login.botframework.com/v1/.well-known/openidconfiguration"
CHANNEL_ID = "msteams"
SERVICE_HOSTS = ("smba.trafficmanager.net", ".botframework.com", ".teams.microsoft.com", ".teams.microsoft.us")
"""Hosts that a `serviceUrl` may have; one that begins with a dot stands for all that end in it."""
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
KEYS_TTL = timedelta(hours=24)
"""How long fetched signing keys are used without fetching them again."""
KEYS_EXPIRY = timedelta(hours=48)
"""How long they are used while that does not succeed."""
KEYS_REFETCH_INTERVAL = timedelta(minutes=1)
"""How long after a fetch, failed or not, the keys are not fetched again: anybody may send an unknown key id."""
KEYS_FETCH_TIMEOUT = 5.0
"""Seconds that a fetch may take."""
LEEWAY = timedelta(minutes=5)
"""How far the clocks of Microsoft and of this machine may differ."""
CHECKED_TOKENS_TTL = timedelta(hours=1)
"""How long a checked token is remembered: about as long as Microsoft makes them last."""
MAX_CHECKED_TOKENS = 1_000
"""Checked tokens that are remembered, at most."""
log = structlog.get_logger("ritme.teams")


class TeamsRequestRejected(Exception):
    """A request that is not let in: `status` is 401 for a bad token, 403 for a good one that is not for here."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class KeysUnavailable(Exception):
    """The keys to check a token with cannot be fetched now."""


class SigningKeys:
    """The public keys that the Bot Framework signs with, by key id.

    They are fetched beside the requests: one signed with a key that is known waits for nobody.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        metadata_url: str = OPENID_METADATA_URL,
        *,
        fetch_timeout: float = KEYS_FETCH_TIMEOUT,
    ) -> None:
        self._session = session
        self._clock = clock
        self._metadata_url = metadata_url
        self._fetch_timeout = fetch_timeout
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._fetching: asyncio.Task[bool] | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return a key, after fetching the keys once more if it is unknown: keys roll. Raises `KeysUnavailable`."""
        is_known = key_id in self._keys and self._is_within(KEYS_EXPIRY, self._fetched_at)
        if not is_known or not self._is_within(KEYS_TTL, self._fetched_at):
            self._start_fetch()
        if is_known:
            return self._keys[key_id]
        # Shielded: who goes away must not end the fetch for the others.
        if self._fetching is not None and not await asyncio.shield(self._fetching):
            raise KeysUnavailable
        if not self._is_within(KEYS_EXPIRY, self._fetched_at):
            raise KeysUnavailable
        return self._keys.get(key_id)

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetching

    def _start_fetch(self) -> None:
        """Fetch the keys beside what is going on, unless that was tried a moment ago, whatever came of it."""
        if self._fetching is not None and not self._fetching.done():
            return
        if self._is_within(KEYS_REFETCH_INTERVAL, self._tried_at):
            return
        self._tried_at = self._clock.now()
        self._fetching = asyncio.create_task(self._fetch(), name="teams keys")

    def _is_within(self, age: timedelta, moment: datetime | None) -> bool:
        return moment is not None and self._clock.now() - moment < age

    async def _fetch(self) -> bool:
        """Fetch the keys; return whether that succeeded."""
        try:
            async with asyncio.timeout(self._fetch_timeout):
                metadata = await self._get(self._metadata_url)
                keys = await self._get(str(metadata["jwks_uri"]))
            self._keys = {
                str(one["kid"]): jwt.PyJWK(one, algorithm="RS256")
                for one in keys["keys"]
                # A key without endorsements is for every channel.
                if one.get("kty") == "RSA" and CHANNEL_ID in one.get("endorsements", [CHANNEL_ID])
            }
        except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError,
                jwt.PyJWTError) as problem:  # fmt: skip  # whatever the answer is, it must not end the task
            log.warning("teams_keys_fetch_failed", error=type(problem).__name__)
            return False
        self._fetched_at = self._clock.now()
        return True

    async def _get(self, url: str) -> Mapping[str, Any]:
        async with self._session.get(url, proxy=find_proxy(url)) as answer:
            answer.raise_for_status()
            body: Mapping[str, Any] = await answer.json(content_type=None)
            return body


@dataclass(frozen=True, kw_only=True)
class _CheckedToken:
    """The claims of a token that was signed with a key for this bot."""

    key_id: str
    key: jwt.PyJWK
    claims: Mapping[str, Any]


class TokenValidator:
    """Lets in what comes from Teams, for this bot, of one of `tenants`; of any when none are named.

    Teams sends a token with many requests: one that was checked is remembered, by its hash, as long as its key is used.
    Its times, and what it is for, are looked at each time.

    `keys` is None when tokens are not looked at, which only a test on this machine may ask for.
    """

    def __init__(
        self,
        keys: SigningKeys | None,
        clock: Clock,
        *,
        app_id: str,
        tenants: frozenset[str],
        hosts: tuple[str, ...] = SERVICE_HOSTS,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._app_id = app_id
        self._tenants = tenants
        self._hosts = hosts
        self._checked: Memory[bytes, _CheckedToken] = Memory(clock, CHECKED_TOKENS_TTL, MAX_CHECKED_TOKENS)

    async def check_token(self, headers: Sequence[str]) -> Mapping[str, Any]:
        """Return the claims of a request with these `Authorization` headers; empty when tokens are not looked at.

        Raises `TeamsRequestRejected` or `KeysUnavailable`.
        """
        return await self._read_claims(self._keys, headers) if self._keys is not None else {}

    def check_activity(self, activity: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
        """Check that an activity is for the place that the claims of its token name. Raises `TeamsRequestRejected`."""
        service_url = activity.get("serviceUrl")
        # We send our own token to this address, so it has to be the one that was signed.
        if not isinstance(service_url, str) or (self._keys is not None and claims.get("serviceurl") != service_url):
            raise TeamsRequestRejected(401, "for another address")
        if activity.get("channelId") != CHANNEL_ID:
            raise TeamsRequestRejected(403, "not from Teams")
        if not self._is_allowed_url(service_url):
            raise TeamsRequestRejected(403, "an address that is not of Teams")
        tenant = _find_tenant(activity)
        if not tenant or (self._tenants and tenant not in self._tenants):
            raise TeamsRequestRejected(403, "an organisation that may not use this bot")

    async def _read_claims(self, keys: SigningKeys, headers: Sequence[str]) -> Mapping[str, Any]:
        scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not token:
            raise TeamsRequestRejected(401, "no token")
        digest = sha256(token.encode(errors="surrogateescape")).digest()
        known = self._checked.get(digest)
        # By identity: of keys that were fetched anew, none checked it.
        if known is None or await keys.find(known.key_id) is not known.key:
            known = await self._verify(keys, token)
            self._checked.put(digest, known)
        self._check_times(known.claims)
        return known.claims

    async def _verify(self, keys: SigningKeys, token: str) -> "_CheckedToken":
        """Check all of a token but its times. Raises as `check_token` does."""
        try:
            token_header = jwt.get_unverified_header(token)
            if token_header.get("alg") != "RS256":
                raise TeamsRequestRejected(401, "signed in another way")
            key_id = str(token_header.get("kid") or "")
            key = await keys.find(key_id)
            if key is None:
                raise TeamsRequestRejected(401, "signed with an unknown key")
            # Times are only required here: they are compared below, with our own clock.
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._app_id,
                issuer=ISSUER,
                options={
                    "require": ["exp", "nbf", "iss", "aud", "serviceurl"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as problem:  # anybody may send any header
            raise TeamsRequestRejected(401, type(problem).__name__) from None
        return _CheckedToken(key_id=key_id, key=key, claims=claims)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        try:
            not_before, expires = float(claims["nbf"]), float(claims["exp"])
        except (TypeError, ValueError, OverflowError):
            raise TeamsRequestRejected(401, "no times") from None
        # Written so that it does not hold for what is no number (NaN) either.
        if not not_before - LEEWAY.total_seconds() <= now <= expires + LEEWAY.total_seconds():
            raise TeamsRequestRejected(401, "not of this time")

    def _is_allowed_url(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        host = parts.hostname or ""
        if self._keys is None and host in LOOPBACK_HOSTS:
            return True
        is_known = any(host == one or (one.startswith(".") and host.endswith(one)) for one in self._hosts)
        return parts.scheme == "https" and is_known


def _find_tenant(activity: Mapping[str, Any]) -> str:
    """Return the tenant that an activity comes from; empty when it names none."""
    data = activity.get("channelData")
    tenant = data.get("tenant") if isinstance(data, dict) else None
    named = tenant.get("id") if isinstance(tenant, dict) else None
    return named if isinstance(named, str) else ""

"""Who may speak to us as Teams, and how we prove to Teams who we are.

Tokens are checked here, not by botbuilder, which answers 500 to a bad one, keeps a rolled key for a day, fetches over a
blocking connection in the event loop, and lets a foreign tenant, a foreign address and a token without an end pass.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import structlog

from bot.ports import Clock, RetryAfter, Unreachable

ISSUER = "https://api.botframework.com"
METADATA = "https://login.botframework.com/v1/.well-known/openidconfiguration"
AUTHORITY = "https://login.microsoftonline.com"
SCOPE = "https://api.botframework.com/.default"
CHANNEL = "msteams"
HOSTS = ("smba.trafficmanager.net", ".botframework.com", ".teams.microsoft.com", ".teams.microsoft.us")
"""Where Teams lets itself be reached: these, or what ends in them when they begin with a dot."""
KEYS_LAST = timedelta(hours=24)
LOOK_AGAIN = timedelta(minutes=1)
"""At most once in so long the keys are fetched for a key we do not know."""
LEEWAY = timedelta(minutes=5)
EARLY = timedelta(minutes=5)
"""How long before its end a token of ours is renewed."""
log = structlog.get_logger("ritme.teams")


class Refused(Exception):
    """Not from whom it should be: `status` is 401 for a bad token, 403 for one that is good but not here."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class KeysAway(Exception):
    """The keys to check a token with cannot be fetched now."""


class Keys:
    """The keys that the Bot Framework signs with, by id."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, metadata: str = METADATA) -> None:
        self._session = session
        self._clock = clock
        self._metadata = metadata
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._fetching = asyncio.Lock()

    async def key(self, id: str) -> jwt.PyJWK | None:
        """The key called so; an unknown one is looked for once more. Raises `KeysAway`."""
        if not self._is_fresh(KEYS_LAST) or (id not in self._keys and not self._is_fresh(LOOK_AGAIN)):
            async with self._fetching:
                if not self._is_fresh(KEYS_LAST) or (id not in self._keys and not self._is_fresh(LOOK_AGAIN)):
                    await self._fetch()
        return self._keys.get(id)

    def _is_fresh(self, age: timedelta) -> bool:
        return self._fetched_at is not None and self._clock.now() - self._fetched_at < age

    async def _fetch(self) -> None:
        try:
            found = await self._get(self._metadata)
            keys = await self._get(str(found["jwks_uri"]))
            self._keys = {
                str(one["kid"]): jwt.PyJWK(one, algorithm="RS256")
                for one in keys["keys"]
                if one.get("kty") == "RSA" and CHANNEL in one.get("endorsements", [CHANNEL])
            }
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as problem:
            log.warning("teams_keys_away", error=type(problem).__name__)
            raise KeysAway from None
        self._fetched_at = self._clock.now()

    async def _get(self, url: str) -> Mapping[str, Any]:
        async with self._session.get(url) as answer:
            answer.raise_for_status()
            found: Mapping[str, Any] = await answer.json(content_type=None)
            return found


class TokenValidator:
    """Lets in what comes from Teams, for this bot, of an organisation that may use it.

    `keys` is None when tokens are not looked at, which only a test on this machine may ask for.
    """

    def __init__(
        self,
        keys: Keys | None,
        clock: Clock,
        *,
        app_id: str,
        tenants: frozenset[str],
        hosts: tuple[str, ...] = HOSTS,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._app_id = app_id
        self._tenants = tenants
        self._hosts = hosts

    async def check(self, activity: Mapping[str, Any], header: str) -> Mapping[str, Any]:
        """The claims of a request. Raises `Refused` or `KeysAway`."""
        claims = await self._claims(header) if self._keys is not None else {}
        address = str(activity.get("serviceUrl") or "")
        if self._keys is not None and claims.get("serviceurl") != address:
            raise Refused(401, "for another address")
        if activity.get("channelId") != CHANNEL:
            raise Refused(403, "not from Teams")
        if not self._is_reachable(address):
            raise Refused(403, "an address that is not of Teams")
        tenant = ((activity.get("channelData") or {}).get("tenant") or {}).get("id")
        if not tenant or (self._tenants and tenant not in self._tenants):
            raise Refused(403, "an organisation that may not use this bot")
        return claims

    async def _claims(self, header: str) -> Mapping[str, Any]:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused(401, "no token")
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") != "RS256" or self._keys is None:
                raise Refused(401, "signed in another way")
            key = await self._keys.key(str(head.get("kid") or ""))
            if key is None:
                raise Refused(401, "signed with an unknown key")
            # Times are looked at below, by our own clock.
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
        except jwt.PyJWTError as problem:
            raise Refused(401, type(problem).__name__) from None
        self._in_time(claims)
        return claims

    def _in_time(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        try:
            begins, ends = float(claims["nbf"]), float(claims["exp"])
        except (TypeError, ValueError):
            raise Refused(401, "no times") from None
        if now > ends + LEEWAY.total_seconds() or now < begins - LEEWAY.total_seconds():
            raise Refused(401, "not of this time")

    def _is_reachable(self, address: str) -> bool:
        parts = urlsplit(address)
        host = parts.hostname or ""
        if self._keys is None and host in ("127.0.0.1", "localhost", "::1"):
            return True
        fits = any(host == one or (one.startswith(".") and host.endswith(one)) for one in self._hosts)
        return parts.scheme == "https" and fits


class ClientCredentials:
    """Our own token, which opens the connector: fetched once however many ask, and again before it ends."""

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
        self._asks = {
            "grant_type": "client_credentials",
            "client_id": app_id,
            "client_secret": password,
            "scope": SCOPE,
        }
        self._token = ""
        self._ends_at: datetime | None = None
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """Raises `Unreachable` when the secret is refused, `RetryAfter` when Microsoft cannot answer."""
        if not self._holds():
            async with self._fetching:
                if not self._holds():
                    await self._fetch()
        return self._token

    def _holds(self) -> bool:
        return self._ends_at is not None and self._clock.now() < self._ends_at - EARLY

    async def _fetch(self) -> None:
        try:
            async with self._session.post(self._url, data=self._asks) as answer:
                status, said = answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            log.warning("teams_no_token", error=type(problem).__name__)
            raise RetryAfter(self._clock.now() + timedelta(seconds=30), whole_workspace=True) from None
        if status == 200 and isinstance(said, dict) and said.get("access_token"):
            self._token = str(said["access_token"])
            self._ends_at = self._clock.now() + timedelta(seconds=int(said.get("expires_in") or 0))
            return
        log.warning(
            "teams_no_token", status=status, error=str(said.get("error"))[:40] if isinstance(said, dict) else ""
        )
        if status in (400, 401, 403):
            raise Unreachable("not_allowed", workspace_is_gone=True)
        raise RetryAfter(self._clock.now() + timedelta(seconds=30), whole_workspace=True)


class NoCredentials:
    """Where nobody asks who we are: a test on this machine."""

    async def token(self) -> str:
        return ""

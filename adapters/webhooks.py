"""Call addresses outside, in the form of Standard Webhooks: signed, with an id that stays the same when it is repeated.

Whoever adds an address chooses where we knock. So only https, only what leads to the open internet, looked at again for
every connection (a name may lead elsewhere by then), and where it sends us on we do not go.
"""

import asyncio
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from socket import AddressFamily
from urllib.parse import urlsplit

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, ThreadedResolver, hdrs
from aiohttp.abc import AbstractResolver, ResolveResult

from adapters.vault import SecretVault
from bot.chat import Post, PostedEvent, Receipt
from bot.domain.webhook import is_open_internet, is_outside_address
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

log = structlog.get_logger(__name__)
CALL_TIMEOUT = 5.0
"""Seconds that an address has to answer."""
CALLS_AT_ONCE = 20
LONGEST_PAUSE = timedelta(hours=1)
"""The longest that an address may have us wait."""
_GONE = 410
_PACED = (429, 503)


class AddressBlocked(OSError):
    """A name leads to an address that is not of the open internet."""


class _GuardedResolver(AbstractResolver):
    """Finds the numbers of a name, when all of them may be called."""

    def __init__(self, allows: Callable[[str], bool]) -> None:
        self._allows = allows
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(self._allows(one["host"]) for one in found):
            raise AddressBlocked(f"{len(found)} addresses, not all of the open internet")
        return found

    async def close(self) -> None:
        await self._resolver.close()


class WebhookMessenger:
    """Implements `Messenger` for addresses outside. `allows` says which numbers, and `accepts` which addresses, may be
    called: a test calls itself."""

    def __init__(
        self,
        vault: SecretVault,
        clock: Clock,
        *,
        allows: Callable[[str], bool] = is_open_internet,
        accepts: Callable[[str], bool] = is_outside_address,
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._allows = allows
        self._accepts = accepts
        self._session: ClientSession | None = None
        self._places = asyncio.Semaphore(CALLS_AT_ONCE)

    async def send(self, post: Post) -> Receipt:
        """Call an address. What is not answered by a status of success is repeated, with the same id."""
        event = post.event
        if event is None:
            raise Unreachable("address_refused")
        secret = self._vault.reveal(event.sealed)
        host = urlsplit(event.url).hostname or ""
        if not self._accepts(event.url) or not self._may_be_number(host):
            raise Unreachable("address_refused")
        if secret is None:
            # Whoever runs Ritme can mend that; the address did nothing wrong.
            log.error("webhook_secret_unreadable", lane=post.workspace)
            raise RetryAfter(self._clock.now() + LONGEST_PAUSE, reason="secret_unreadable")
        async with self._places:
            await self._call(event, secret)
        return Receipt(channel=post.workspace, message=event.id)

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """Return None: it is called again, and knows by the id what it had."""
        return None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _may_be_number(self, host: str) -> bool:
        """Return whether a host may be called: a name is looked at when it is resolved, a number never is."""
        try:
            ip_address(host)
        except ValueError:
            return True
        return self._allows(host)

    async def _call(self, event: PostedEvent, secret: str) -> None:
        now = self._clock.now()
        headers = {
            hdrs.CONTENT_TYPE: "application/json",
            hdrs.USER_AGENT: "Ritme",
            "webhook-id": event.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": sign_event(secret, event.id, now, event.body),
        }
        try:
            async with self._open_session().post(
                event.url, data=event.body, headers=headers, allow_redirects=False
            ) as answer:
                status, pause = answer.status, answer.headers.get(hdrs.RETRY_AFTER, "")
        except AddressBlocked:
            raise Unreachable("address_refused") from None
        except ClientError as problem:
            if isinstance(problem.__cause__, AddressBlocked):
                raise Unreachable("address_refused") from None
            raise OutcomeUnknown from None
        except (TimeoutError, ValueError):
            raise OutcomeUnknown from None
        if status == _GONE:
            raise Unreachable("address_refused")
        if status in _PACED and pause.isdecimal() and int(pause[:9]) > 0:
            raise RetryAfter(now + min(timedelta(seconds=int(pause[:9])), LONGEST_PAUSE))
        if not 200 <= status < 300:
            raise OutcomeUnknown

    def _open_session(self) -> ClientSession:
        if self._session is None:
            connector = TCPConnector(resolver=_GuardedResolver(self._allows), use_dns_cache=False, limit=CALLS_AT_ONCE)
            self._session = ClientSession(
                connector=connector, timeout=ClientTimeout(total=CALL_TIMEOUT), trust_env=False
            )
        return self._session


def sign_event(secret: str, id: str, at: datetime, body: bytes) -> str:
    """Return the signature of a call, as Standard Webhooks has it."""
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{int(at.timestamp())}.".encode() + body
    return f"v1,{b64encode(hmac.new(key, signed, sha256).digest()).decode()}"

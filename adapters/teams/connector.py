"""Call the Bot Connector over our own pooled connections, and say what its failures mean to a delivery.

The client of botbuilder 4.17.1 is not used: it opens `requests` sessions in threads, and its `ClientRetryPolicy` scans
a list of 500 status codes twice a turn, about 5 ms of CPU.

No call is ever repeated here: Teams has no history that a bot may read, so a second attempt could be a second message.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import structlog

from adapters.proxies import find_proxy
from bot.domain.ids import new_reference
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

log = structlog.get_logger("ritme.teams")

RETRYABLE_STATUSES = frozenset({412, 429, 502, 504})
"""Teams did nothing, and asks to come back."""
DEFAULT_RETRY_AFTER = 5
"""Seconds to wait when it does not say how long."""
MAX_RETRY_AFTER = 3600
"""Seconds to wait at most, whatever it says."""
REASONS_BY_ERROR = {
    "MessageWritesBlocked": "person_gone",
    "BotNotInConversationRoster": "not_in_place",
    "ConversationNotFound": "place_gone",
    "ConversationBlockedByUser": "person_gone",
    "ForbiddenOperationException": "place_closed",
}
"""Error code of the connector → why a message cannot be sent, a block of `errors/reasons.md.j2`."""
OUR_STATUSES = frozenset({400, 405, 411, 413, 415, 422})
"""Teams does not take what we composed or how we asked; an error code of `REASONS_BY_ERROR` says otherwise."""
REASONS_BY_STATUS = {401: "not_allowed", 403: "not_in_place", 404: "place_gone"}
"""The reason where the error code tells none."""


class ConnectorTokens(Protocol):
    """Gives the token that proves who we are."""

    async def token(self) -> str:
        """Return the token; empty where nothing is asked. Raises `Unreachable` or `RetryAfter`."""


class ConnectorError(Exception):
    """The connector answered that it did not do it: `status` is the one of HTTP, `code` the connector's own error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code

    @property
    def is_ours(self) -> bool:
        """True when Teams does not take what we composed or how we asked: a bug of ours."""
        return self.code not in REASONS_BY_ERROR and self.status in OUR_STATUSES

    def to_unreachable(self) -> Unreachable:
        """Return what this means to a delivery, and log it."""
        reason = REASONS_BY_ERROR.get(self.code)
        if reason is None:
            reason = REASONS_BY_STATUS.get(self.status, "not_accepted")
        reference = new_reference() if self.is_ours else ""
        if reference:
            log.error("teams_call_invalid", status=self.status, error=self.code, reference=reference)
        else:
            log.warning("teams_call_refused", status=self.status, error=self.code)
        return Unreachable(
            reason,
            place_is_gone=self.status in (403, 404) and reason != "person_gone",
            workspace_is_gone=self.status == 401,
            reference=reference,
        )


class Connector:
    """The few calls we make, each for a conversation or team reached at `service_url`.

    Every call raises `ConnectorError` when it was refused, `RetryAfter` when nothing was done, `OutcomeUnknown` when
    nobody can tell, and what `tokens` raises. `session` has a timeout, after which the outcome is unknown.
    """

    def __init__(self, session: aiohttp.ClientSession, tokens: ConnectorTokens, clock: Clock) -> None:
        self._session = session
        self._tokens = tokens
        self._clock = clock

    async def create_conversation(self, service_url: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create a thread of a channel, or the chat with one person. Returns its `id`, and the `activityId` of a first
        message."""
        return await self._call("POST", service_url, "v3/conversations", parameters)

    async def send_activity(
        self, service_url: str, conversation: str, activity: Mapping[str, Any], **query: str
    ) -> str:
        """Send an activity. Returns its id."""
        path = f"v3/conversations/{quote(conversation, safe='')}/activities"
        return str((await self._call("POST", service_url, path, activity, query)).get("id") or "")

    async def update_activity(self, service_url: str, conversation: str, id: str, activity: Mapping[str, Any]) -> None:
        """Replace an activity of ours."""
        path = f"v3/conversations/{quote(conversation, safe='')}/activities/{quote(id, safe='')}"
        await self._call("PUT", service_url, path, {**activity, "id": id})

    async def delete_activity(self, service_url: str, conversation: str, id: str) -> None:
        """Delete an activity of ours."""
        path = f"v3/conversations/{quote(conversation, safe='')}/activities/{quote(id, safe='')}"
        await self._call("DELETE", service_url, path)

    async def get_member(self, service_url: str, conversation: str, id: str) -> Mapping[str, Any]:
        """Return a member of a conversation, with `name` and `userRole`."""
        path = f"v3/conversations/{quote(conversation, safe='')}/members/{quote(id, safe='')}"
        return await self._call("GET", service_url, path)

    async def list_channels(self, service_url: str, team: str) -> Mapping[str, Any]:
        """Return the channels of a team, as `conversations` with an `id` and a `name`."""
        return await self._call("GET", service_url, f"v3/teams/{quote(team, safe='')}/conversations")

    async def _call(
        self,
        method: str,
        service_url: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        token = await self._tokens.token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{service_url.rstrip('/')}/{path}"
        try:
            async with self._session.request(
                method, url, json=body, params=query or None, headers=headers, proxy=find_proxy(url)
            ) as answer:
                status, content = answer.status, await _read_body(answer)
                retry_after = answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("teams_call_failed", method=method, error=type(problem).__name__)
            raise OutcomeUnknown from None
        self._raise_for_status(method, status, retry_after, content)
        return content

    def _raise_for_status(self, method: str, status: int, retry_after: str, content: Mapping[str, Any]) -> None:
        # Before the other 5xx: of 502 and 504 Teams documents that they may be retried.
        if status in RETRYABLE_STATUSES:
            wait = min(int(retry_after), MAX_RETRY_AFTER) if retry_after.isdecimal() else DEFAULT_RETRY_AFTER
            raise RetryAfter(self._clock.now() + timedelta(seconds=wait))
        if status >= 500:
            log.warning("teams_call_failed", method=method, status=status)
            raise OutcomeUnknown
        if status >= 400:
            error = content.get("error")
            raise ConnectorError(status, str(error.get("code") or "") if isinstance(error, dict) else "")


async def _read_body(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        return {}
    if isinstance(body, list):
        return {"members": body}
    return body if isinstance(body, dict) else {}

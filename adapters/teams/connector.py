"""Calls to the Bot Connector over our own pooled connections, and what their failures mean to a delivery.

No call is ever repeated here: Teams has no history that a bot may read, so a second try could be a second message.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import structlog

from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

log = structlog.get_logger("ritme.teams")

LATER = frozenset({412, 429, 502, 504})
"""Teams did nothing, and says to come back."""
COME_BACK_AFTER = 5
"""Seconds, when it does not say when."""
LONGEST_WAIT = 3600
REASONS = {
    "MessageWritesBlocked": "person_gone",
    "BotNotInConversationRoster": "not_in_place",
    "ConversationNotFound": "place_gone",
    "ConversationBlockedByUser": "person_gone",
    "ForbiddenOperationException": "place_closed",
}


class Tokens(Protocol):
    async def token(self) -> str:
        """What proves who we are; empty where nothing is asked. Raises `NoToken`, `RetryAfter` or `OutcomeUnknown`."""


class Refusal(Exception):
    """Teams answered that it did not do it; `code` is its error, `status` the one of HTTP."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code

    def unreachable(self) -> Unreachable:
        reason = REASONS.get(self.code)
        if reason is None:
            reason = {401: "not_allowed", 403: "not_in_place", 404: "place_gone"}.get(self.status, "not_accepted")
        log.warning("teams_said_no", status=self.status, error=self.code)
        return Unreachable(
            reason,
            place_is_gone=self.status in (403, 404) and reason != "person_gone",
            workspace_is_gone=self.status == 401,
        )


class Connector:
    """The few calls we make. `session` has a time-out, after which a call counts as one without an answer."""

    def __init__(self, session: aiohttp.ClientSession, tokens: Tokens, clock: Clock) -> None:
        self._session = session
        self._tokens = tokens
        self._clock = clock

    async def create(self, service_url: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new conversation: a thread of a channel, or the chat with one person."""
        return await self._call("POST", service_url, "v3/conversations", parameters)

    async def send(self, service_url: str, conversation: str, activity: Mapping[str, Any], **query: str) -> str:
        """The id of what was sent."""
        path = f"v3/conversations/{quote(conversation, safe='')}/activities"
        return str((await self._call("POST", service_url, path, activity, query)).get("id") or "")

    async def update(self, service_url: str, conversation: str, id: str, activity: Mapping[str, Any]) -> None:
        path = f"v3/conversations/{quote(conversation, safe='')}/activities/{quote(id, safe='')}"
        await self._call("PUT", service_url, path, {**activity, "id": id})

    async def delete(self, service_url: str, conversation: str, id: str) -> None:
        path = f"v3/conversations/{quote(conversation, safe='')}/activities/{quote(id, safe='')}"
        await self._call("DELETE", service_url, path)

    async def member(self, service_url: str, conversation: str, id: str) -> Mapping[str, Any]:
        path = f"v3/conversations/{quote(conversation, safe='')}/members/{quote(id, safe='')}"
        return await self._call("GET", service_url, path)

    async def channels(self, service_url: str, team: str) -> Mapping[str, Any]:
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
            async with self._session.request(method, url, json=body, params=query or None, headers=headers) as answer:
                status, said = answer.status, await _body(answer)
                after = answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("teams_no_answer", method=method, error=type(problem).__name__)
            raise OutcomeUnknown from None
        if status in LATER:
            wait = min(int(after), LONGEST_WAIT) if after.isdecimal() else COME_BACK_AFTER
            raise RetryAfter(self._clock.now() + timedelta(seconds=wait))
        if status >= 500:
            log.warning("teams_no_answer", method=method, status=status)
            raise OutcomeUnknown
        if status >= 400:
            error = said.get("error")
            raise Refusal(status, str(error.get("code") or "") if isinstance(error, dict) else "")
        return said


async def _body(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    try:
        said = await answer.json(content_type=None)
    except ValueError:
        return {}
    if isinstance(said, list):
        return {"members": said}
    return said if isinstance(said, dict) else {}

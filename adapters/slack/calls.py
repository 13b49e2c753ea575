"""One call to Slack's Web API, and what its failure means to a delivery."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.tokens import NOT_INSTALLED, SOON, NoToken, Tokens
from bot.ports import Clock, OutcomeUnknown, RetryAfter, StorageUnavailable, Unreachable

log = structlog.get_logger("ritme.slack")

EXPIRED = "token_expired"
UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""Slack may or may not have done it. Every other error means that it did not."""
BUSY = {"ratelimited": 30, "rate_limited": 30, "message_limit_exceeded": 60, "team_added_to_org": 300}
"""Errors that pass, and for how many seconds to wait when Slack does not say."""
PLACE_GONE = {
    "channel_not_found": "place_gone",
    "is_archived": "place_archived",
    "not_in_channel": "not_in_place",
    "channel_is_limited_access": "place_closed",
}
PLACE_CLOSED = frozenset(
    {
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
    }
)
THREAD_CLOSED = frozenset({"restricted_action_thread_locked", "thread_locked"})
PERSON_GONE = frozenset(
    {
        "user_not_found",
        "users_not_found",
        "user_disabled",
        "user_not_visible",
        "user_not_in_channel",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "invalid_user_combination",
    }
)
REMOVED = frozenset({"account_inactive", "token_revoked"})
"""The app was taken out of the workspace, or its access back."""
NOT_ALLOWED = frozenset(
    {
        "access_denied",
        "accesslimited",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "not_authed",
        "sealed_with_another_key",
        NOT_INSTALLED,
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "two_factor_setup_required",
    }
)
SCOPE_MISSING = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})
REASONS = {
    **PLACE_GONE,
    **dict.fromkeys(PLACE_CLOSED, "place_closed"),
    **dict.fromkeys(THREAD_CLOSED, "thread_closed"),
    **dict.fromkeys(REMOVED, "app_removed"),
    **dict.fromkeys(SCOPE_MISSING, "scope_missing"),
    **dict.fromkeys(PERSON_GONE, "person_gone"),
    **dict.fromkeys(NOT_ALLOWED, "not_allowed"),
    "message_not_found": "message_gone",
    "cant_update_message": "message_gone",
    "edit_window_closed": "message_gone",
    "cant_delete_message": "message_gone",
    "thread_not_found": "message_gone",
}
"""Why something cannot be sent, as a block of `errors/reasons.md.j2`, by Slack's error."""


class Said(Exception):
    """Slack answered with an error that means nothing was done; `code` is that error."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code

    def unreachable(self) -> Unreachable:
        log.warning("slack_said_no", method=self.method, error=self.code)
        return Unreachable(
            REASONS.get(self.code, "not_accepted"),
            place_is_gone=self.code in PLACE_GONE or self.code in PLACE_CLOSED,
            workspace_is_gone=self.code in REMOVED or self.code in NOT_ALLOWED,
        )


def team_of(workspace: str) -> str:
    """Slack's own id of a workspace: "slack:T1" → "T1"."""
    return workspace.partition(":")[2]


class Calls:
    """The Web API through one client, which itself never retries: a second try could be a second post."""

    def __init__(self, client: AsyncWebClient, tokens: Tokens, clock: Clock) -> None:
        self._client = client
        self._tokens = tokens
        self._clock = clock

    async def __call__(
        self, team: str, method: str, *, per_channel: bool = False, reads: bool = False, **args: Any
    ) -> Mapping[str, Any]:
        """Slack's answer, in the workspace `team`. Raises `RetryAfter` (for the whole workspace, unless Slack counts
        `per_channel`), `OutcomeUnknown`, or `Said`. A method that only `reads` takes its arguments as a form."""
        shape = {"data" if reads else "json": args}
        try:
            token = await self._tokens.of(team)
            try:
                return await self._once(token, method, per_channel, shape)
            except Said as said:
                fresh = await self._tokens.after(token, team) if said.code == EXPIRED else None
                if fresh is None:
                    raise
                return await self._once(fresh, method, per_channel, shape)
        except NoToken as none:
            raise Said(method, none.code) from None
        except StorageUnavailable:  # nobody was asked: its token cannot be looked up
            raise RetryAfter(self._clock.now() + SOON) from None

    async def _once(self, token: str, method: str, per_channel: bool, shape: dict[str, Any]) -> Mapping[str, Any]:
        try:
            answer = await self._client.api_call(method, headers={"Authorization": f"Bearer {token}"}, **shape)
        except SlackApiError as problem:
            raise self._meaning(method, problem, whole_workspace=not per_channel) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_no_answer", method=method, error=type(problem).__name__)
            raise OutcomeUnknown from None
        return answer.data if isinstance(answer.data, dict) else {}

    def _meaning(self, method: str, problem: SlackApiError, *, whole_workspace: bool) -> Exception:
        response: Any = problem.response
        data = getattr(response, "data", None)
        code = str(data.get("error") or "") if isinstance(data, dict) else ""
        status = int(getattr(response, "status_code", 0) or 0)
        if status == 429 or code in BUSY:
            return self.later(response.headers, BUSY.get(code, 30), whole_workspace=whole_workspace)
        if not code or code in UNSURE or status >= 500:
            log.warning("slack_no_answer", method=method, status=status, error=code)
            return OutcomeUnknown()
        return Said(method, code)

    def later(self, headers: Mapping[str, str], seconds: int, *, whole_workspace: bool) -> RetryAfter:
        """When Slack says to come back, or after `seconds` when it does not say."""
        said = str(headers.get("Retry-After", ""))
        wait = int(said) if said.isdecimal() else seconds
        return RetryAfter(self._clock.now() + timedelta(seconds=wait), whole_workspace=whole_workspace)

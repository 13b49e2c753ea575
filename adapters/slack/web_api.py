"""Call Slack's Web API once, and translate its failures into the port's: retry, outcome unknown, or unreachable."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.tokens import NOT_INSTALLED, TOKEN_RETRY_DELAY, NoToken, TokenSource
from bot.domain.ids import new_reference
from bot.ports import Clock, OutcomeUnknown, RetryAfter, StorageUnavailable, Unreachable

log = structlog.get_logger("ritme.slack")

EXPIRED_ERROR = "token_expired"
"""Error on which a call is made once more, with another token."""
UNCERTAIN_ERRORS = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""Errors after which Slack may or may not have done what was asked. Every other error means that it did not."""
RETRYABLE_ERRORS = {"ratelimited": 30, "rate_limited": 30, "message_limit_exceeded": 60, "team_added_to_org": 300}
"""Temporary errors → seconds to wait when Slack sends no `Retry-After`."""
PLACE_GONE_ERRORS = {
    "channel_not_found": "place_gone",
    "is_archived": "place_archived",
    "not_in_channel": "not_in_place",
    "channel_is_limited_access": "place_closed",
}
"""Errors that say the bot cannot reach a place any more → the reason, as in `SLACK_ERROR_REASONS`."""
PLACE_CLOSED_ERRORS = frozenset(
    {
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
    }
)
"""Errors that say posting in a place is restricted."""
THREAD_CLOSED_ERRORS = frozenset({"restricted_action_thread_locked", "thread_locked"})
"""Errors that say a thread takes no replies."""
PERSON_GONE_ERRORS = frozenset(
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
"""Errors that say a person cannot be written to."""
APP_REMOVED_ERRORS = frozenset({"account_inactive", "token_revoked"})
"""Errors that say the app was removed from the workspace, or its access withdrawn."""
NOT_ALLOWED_ERRORS = frozenset(
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
"""Errors that say the app, or its token, is not accepted in the workspace."""
SCOPE_MISSING_ERRORS = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})
"""Errors that say the app was installed without a permission it needs."""
LATE_ERRORS = frozenset({"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"})
"""Errors that say a form was opened too late, or with a trigger that was used."""
OUR_ERRORS = frozenset(
    {
        "as_user_not_supported",
        "attachment_payload_limit_exceeded",
        "block_mismatch",
        "cannot_reply_to_message",
        "deprecated_endpoint",
        "duplicate_channel_not_found",
        "duplicate_external_id",
        "duplicate_message_not_found",
        "ephemeral_not_supported",
        "file_share_limit_reached",
        "hash_conflict",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_attachments",
        "invalid_block_id",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_form_data",
        "invalid_json",
        "invalid_metadata_filter_keys",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_post_type",
        "invalid_thread_ts",
        "invalid_trigger_id",
        "json_not_object",
        "markdown_text_conflict",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "method_deprecated",
        "method_not_supported_for_channel_type",
        "missing_argument",
        "missing_post_type",
        "msg_blocks_too_long",
        "msg_too_long",
        "must_be_thread_reply",
        "no_dual_broadcast_content_update",
        "no_text",
        "not_found",
        "not_implemented",
        "push_limit_reached",
        "request_body_too_large",
        "slack_connect_file_link_sharing_blocked",
        "too_many_attachments",
        "too_many_contact_cards",
        "unknown_method",
        "unsupported_content_type",
        "view_too_large",
    }
)
"""Errors that say Slack does not take what we composed or how we asked: a bug of ours."""
SLACK_ERROR_REASONS = {
    **PLACE_GONE_ERRORS,
    **dict.fromkeys(PLACE_CLOSED_ERRORS, "place_closed"),
    **dict.fromkeys(THREAD_CLOSED_ERRORS, "thread_closed"),
    **dict.fromkeys(APP_REMOVED_ERRORS, "app_removed"),
    **dict.fromkeys(SCOPE_MISSING_ERRORS, "scope_missing"),
    **dict.fromkeys(PERSON_GONE_ERRORS, "person_gone"),
    **dict.fromkeys(NOT_ALLOWED_ERRORS, "not_allowed"),
    "message_not_found": "message_gone",
    "cant_update_message": "message_gone",
    "edit_window_closed": "message_gone",
    "cant_delete_message": "message_gone",
    "thread_not_found": "message_gone",
}
"""Slack's error → the reason why something cannot be sent, a block of `errors/reasons.md.j2`."""


class SlackApiRefusal(Exception):
    """Slack refused a call, so nothing was done; `code` is its error."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code

    @property
    def is_late(self) -> bool:
        """True when a form was to be opened too late: asked for again, it opens."""
        return self.code in LATE_ERRORS

    def to_unreachable(self) -> Unreachable:
        """Log the refusal, and return it as the port's error for a delivery that cannot be sent."""
        reference = new_reference() if self.code in OUR_ERRORS else ""
        if reference:
            log.error("slack_call_invalid", method=self.method, error=self.code, reference=reference)
        else:
            log.warning("slack_call_refused", method=self.method, error=self.code)
        return Unreachable(
            SLACK_ERROR_REASONS.get(self.code, "not_accepted"),
            place_is_gone=self.code in PLACE_GONE_ERRORS or self.code in PLACE_CLOSED_ERRORS,
            workspace_is_gone=self.code in APP_REMOVED_ERRORS or self.code in NOT_ALLOWED_ERRORS,
            reference=reference,
        )


def slack_team(workspace: str) -> str:
    """Return Slack's own id of a workspace: "slack:T1" → "T1"."""
    return workspace.partition(":")[2]


class SlackApi:
    """Slack's Web API, called with the token of the workspace. `client` must not retry: that could post twice."""

    def __init__(self, client: AsyncWebClient, tokens: TokenSource, clock: Clock) -> None:
        self._client = client
        self._tokens = tokens
        self._clock = clock

    async def call(
        self, team: str, method: str, *, per_channel: bool = False, reads: bool = False, **args: Any
    ) -> Mapping[str, Any]:
        """Call `method` in the workspace `team` (Slack's id) and return Slack's answer.

        Arguments go as JSON, or as a form for a method that only `reads`. Raises `RetryAfter` (for the whole workspace,
        unless Slack limits this method `per_channel`), `OutcomeUnknown` or `SlackApiRefusal`.
        """
        arguments = {"data" if reads else "json": args}
        try:
            token = await self._tokens.get_token(team)
            try:
                return await self._call_once(token, method, per_channel, arguments)
            except SlackApiRefusal as refusal:
                # A refusal means that nothing was done, so a second call cannot post twice.
                fresh = await self._tokens.replace_token(token, team) if refusal.code == EXPIRED_ERROR else None
                if fresh is None:
                    raise
                return await self._call_once(fresh, method, per_channel, arguments)
        except NoToken as problem:
            raise SlackApiRefusal(method, problem.code) from None
        except StorageUnavailable:
            # Slack was not called, because the token cannot be read: the outcome is known, and a retry is safe.
            raise RetryAfter(self._clock.now() + TOKEN_RETRY_DELAY) from None

    async def _call_once(
        self, token: str, method: str, per_channel: bool, arguments: dict[str, Any]
    ) -> Mapping[str, Any]:
        try:
            answer = await self._client.api_call(method, headers={"Authorization": f"Bearer {token}"}, **arguments)
        except SlackApiError as problem:
            raise self._translate_error(method, problem, whole_workspace=not per_channel) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_no_answer", method=method, error=type(problem).__name__)
            raise OutcomeUnknown from None
        return answer.data if isinstance(answer.data, dict) else {}

    def _translate_error(self, method: str, problem: SlackApiError, *, whole_workspace: bool) -> Exception:
        response: Any = problem.response
        data = getattr(response, "data", None)
        code = str(data.get("error") or "") if isinstance(data, dict) else ""
        status = int(getattr(response, "status_code", 0) or 0)
        if status == 429 or code in RETRYABLE_ERRORS:
            return self.retry_after(response.headers, RETRYABLE_ERRORS.get(code, 30), whole_workspace=whole_workspace)
        if not code or code in UNCERTAIN_ERRORS or status >= 500:
            log.warning("slack_no_answer", method=method, status=status, error=code)
            return OutcomeUnknown()
        return SlackApiRefusal(method, code)

    def retry_after(self, headers: Mapping[str, str], seconds: int, *, whole_workspace: bool) -> RetryAfter:
        """Return the error that reschedules to when Slack's `Retry-After` says, or by `seconds` without it."""
        header = str(headers.get("Retry-After", ""))
        wait = int(header) if header.isdecimal() else seconds
        return RetryAfter(self._clock.now() + timedelta(seconds=wait), whole_workspace=whole_workspace)

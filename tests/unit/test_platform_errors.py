"""Each error that Slack and Teams document has one meaning: whose it is, and what follows from it."""

import pytest

from adapters.slack import web_api
from adapters.slack.permissions import API_METHODS
from adapters.slack.web_api import SlackApiRefusal
from adapters.teams.connector import RETRYABLE_STATUSES, ConnectorError

EVERY_METHOD = {
    "ours": "deprecated_endpoint invalid_arg_name invalid_arguments invalid_array_arg invalid_charset "
    "invalid_form_data invalid_post_type method_deprecated missing_post_type",
    "workspace": "access_denied accesslimited account_inactive ekm_access_denied enterprise_is_restricted invalid_auth "
    "not_authed org_login_required team_access_not_granted token_expired token_revoked two_factor_setup_required",
    "permission": "missing_scope no_permission not_allowed_token_type",
    "later": "ratelimited team_added_to_org",
    "nobody knows": "fatal_error internal_error request_timeout service_unavailable",
}
MESSAGES = {
    "ours": "as_user_not_supported attachment_payload_limit_exceeded cannot_reply_to_message invalid_attachments "
    "invalid_blocks invalid_blocks_format invalid_metadata_format invalid_metadata_schema markdown_text_conflict "
    "metadata_must_be_sent_from_app metadata_too_large msg_blocks_too_long msg_too_long must_be_thread_reply no_text "
    "slack_connect_file_link_sharing_blocked too_many_attachments too_many_contact_cards",
    "place": "channel_not_found is_archived not_in_channel restricted_action restricted_action_read_only_channel "
    "restricted_action_thread_only_channel restricted_action_non_threadable_channel",
    "thread": "restricted_action_thread_locked thread_not_found thread_locked",
    "person": "messages_tab_disabled user_not_in_channel",
    "later": "message_limit_exceeded rate_limited",
}
SLACK: dict[str, dict[str, str]] = {
    "views.open": {
        "ours": "duplicate_external_id invalid_trigger_id view_too_large invalid_blocks",
        "late": "exchanged_trigger_id expired_trigger_id trigger_expired trigger_exchanged",
    },
    "views.update": {"ours": "duplicate_external_id hash_conflict not_found view_too_large"},
    "views.push": {
        "ours": "duplicate_external_id invalid_trigger_id not_found push_limit_reached view_too_large",
        "late": "exchanged_trigger_id expired_trigger_id",
    },
    "views.publish": {"ours": "duplicate_external_id hash_conflict view_too_large", "person": "user_not_found"},
    "chat.postMessage": MESSAGES,
    "chat.postEphemeral": MESSAGES,
    "chat.update": {**MESSAGES, "message": "cant_update_message edit_window_closed message_not_found"},
    "chat.delete": {"message": "cant_delete_message message_not_found"},
    "chat.getPermalink": {"message": "message_not_found"},
    "conversations.open": {
        "ours": "method_not_supported_for_channel_type",
        "person": "cannot_dm_bot invalid_user_combination user_disabled user_not_found user_not_visible "
        "users_not_found",
    },
}
"""Documented errors, per method and meaning."""
ROWS = [
    (method, code, meaning)
    for method, table in SLACK.items()
    for meanings in (EVERY_METHOD, table)
    for meaning, codes in meanings.items()
    for code in codes.split()
]


@pytest.mark.parametrize(("method", "code", "meaning"), ROWS)
def test_an_error_of_slack_has_one_meaning(method: str, code: str, meaning: str) -> None:
    if meaning == "later":
        assert code in web_api.RETRYABLE_ERRORS
        return
    if meaning == "nobody knows":
        assert code in web_api.UNCERTAIN_ERRORS
        return
    refusal = SlackApiRefusal(method, code)
    told = refusal.to_unreachable()
    assert bool(told.reference) == (meaning == "ours")
    assert refusal.is_late == (meaning == "late")
    assert told.place_is_gone == (meaning == "place")
    assert told.workspace_is_gone == (meaning == "workspace")
    expected = {
        "ours": {"not_accepted"},
        "late": {"not_accepted"},
        "permission": {"scope_missing"},
        "person": {"person_gone"},
        "thread": {"thread_closed", "message_gone"},
        "message": {"message_gone"},
    }
    assert told.reason in expected.get(meaning, {told.reason})


def test_no_error_has_two_meanings() -> None:
    known = [
        web_api.OUR_ERRORS,
        web_api.LATE_ERRORS,
        web_api.UNCERTAIN_ERRORS,
        web_api.RETRYABLE_ERRORS.keys(),
        web_api.SLACK_ERROR_REASONS.keys(),
    ]
    together = [code for codes in known for code in codes]
    assert len(together) == len(set(together))


def test_every_method_that_shows_something_is_in_the_table() -> None:
    shows = {one for one in API_METHODS if one.startswith(("views.", "chat."))}
    assert shows <= SLACK.keys()


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "BadSyntax", "ours"),
        (400, "BadArgument", "ours"),
        (400, "ServiceError", "ours"),
        (413, "MessageSizeTooBig", "ours"),
        (405, "", "ours"),
        (415, "", "ours"),
        (400, "ConversationBlockedByUser", "person"),
        (403, "MessageWritesBlocked", "person"),
        (403, "BotNotInConversationRoster", "place"),
        (403, "ForbiddenOperationException", "place"),
        (403, "", "place"),
        (404, "ConversationNotFound", "place"),
        (404, "", "place"),
        (401, "", "workspace"),
        (412, "PreconditionFailed", "later"),
        (429, "", "later"),
        (502, "", "later"),
        (504, "", "later"),
    ],
)
def test_an_error_of_teams_has_one_meaning(status: int, code: str, meaning: str) -> None:
    if meaning == "later":
        assert status in RETRYABLE_STATUSES
        return
    told = ConnectorError(status, code).to_unreachable()
    assert bool(told.reference) == (meaning == "ours")
    assert told.place_is_gone == (meaning == "place")
    assert told.workspace_is_gone == (meaning == "workspace")
    assert (told.reason == "person_gone") == (meaning == "person")

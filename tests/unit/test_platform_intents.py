"""Buttons and forms, whose content a client sends, cause nothing that only a platform may cause."""

import json
from typing import Any

import pytest

from adapters.slack import translate as slack
from adapters.teams import translate as teams
from adapters.teams.payloads import read_activity
from adapters.teams.signer import Signer
from bot import commands
from bot.chat import PLATFORM_INTENTS


def test_every_event_of_a_platform_is_one() -> None:
    assert {
        *commands.PLATFORM_EVENTS,
        *commands.PASSIVE_EVENTS,
        *commands.ARRIVALS,
        "home.opened",
    } == PLATFORM_INTENTS


@pytest.mark.parametrize("name", sorted(PLATFORM_INTENTS))
def test_pressed_or_sent_it_is_nothing(name: str) -> None:
    content: dict[str, Any] = {"intent": name, "args": {"channel": "19:mine@thread.tacv2"}}
    activity = read_activity(
        {
            "type": "invoke",
            "id": "1",
            "name": "adaptiveCard/action",
            "from": {"id": "29:fatima"},
            "conversation": {"id": "19:west@thread.tacv2", "conversationType": "channel", "tenantId": "t"},
            "value": {"action": {"data": content}},
        }
    )
    assert teams.press_intent(activity, Signer("geheim")).name == teams.INVALID_PAYLOAD
    assert teams.submission_intent(activity, name, {}, {}).name == teams.INVALID_PAYLOAD
    press = {
        "team_id": "T1",
        "user": {"id": "U1"},
        "trigger_id": "t",
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
        "actions": [{"type": "button", "value": json.dumps(content)}],
    }
    assert slack.translate_block_action(press).name == slack.UNREADABLE_PAYLOAD
    view = {"id": "V1", "hash": "h", "callback_id": name, "state": {"values": {}}, "blocks": [], "private_metadata": ""}
    form = {"team_id": "T1", "user": {"id": "U1"}, "view": view}
    assert slack.translate_view_submission(form).name == slack.UNREADABLE_PAYLOAD

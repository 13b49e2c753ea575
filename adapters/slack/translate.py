"""Translate Slack's commands, buttons, shortcuts and forms to intents. Pure: no network, no state.

Payloads are as the door leaves them (see `adapters.slack.payloads`): checked, with our workspace as `team_id`, our own
user there as `bot_user`, and in `names` those of the people and channels that they mention, by id.

Idempotency keys, by which a redelivery is recognised: the trigger of a command, shortcut or press; the view and its
hash of a form.
"""

import json
from collections.abc import Mapping
from typing import Any

from adapters.slack import limits
from adapters.slack.payloads import PERSON_SUBTYPES, is_slack_team
from adapters.slack.permissions import SAVE_SHORTCUT, STUCK_SHORTCUT
from adapters.slack.render import dump_html_safe
from adapters.slack.views import read_submitted_view
from adapters.slack.words import clean_own, detokenise, read_words
from bot.chat import PLATFORM_INTENTS, Account, ChatPlace, Intent, Value

Payload = Mapping[str, Any]

UNREADABLE_PAYLOAD = "unreadable"
"""Name of the intent, which has no handler, for a button or view that holds something Ritme did not put there."""
SLACKBOT = "USLACKBOT"
"""The user by which Slack itself speaks in every workspace."""
AUTOMATION_MARKS = ("bot_id", "app_id", "bot_profile", "workflow_id", "hidden", "is_ephemeral")
"""Fields of messages that no person wrote, or that nobody reads."""
PLACEHOLDER_NAMES = frozenset({"directmessage", "privategroup"})
"""Names that Slack gives to every private conversation."""


def translate_command(payload: Payload) -> Intent:
    """Translate a slash command. Slack does not offer those in threads."""
    return Intent(
        name="command",
        args={
            "command": payload["command"],
            "text": clean_own(detokenise(payload.get("text", ""), bot=payload.get("bot_user", ""))),
        },
        actor=slack_account(payload["team_id"], payload["user_id"]),
        place=slack_place(payload["team_id"], payload["channel_id"], payload.get("channel_name", "")),
        key=f"command:{payload['trigger_id']}",
    )


def translate_block_action(payload: Payload) -> Intent:
    """Translate a pressed button.

    The answer goes through the outbox: to `answer_to`, in place of the pressed message, when only its reader sees that
    message. A button on someone's Home tab is taken as pressed in their own chat.
    """
    button, container = payload["actions"][0], payload["container"]
    name, args = _read_button(button)
    team = payload["team_id"]
    actor = slack_account(team, payload["user"]["id"], payload["user"].get("team_id"))
    if container["type"] == "view":
        return Intent(
            name=name,
            args=args,
            actor=actor,
            place=ChatPlace(workspace=slack_workspace(team), channel="", personal=True),
            key=f"press:{payload['trigger_id']}",
            answerable=False,
            on_page=True,
        )
    channel = payload.get("channel") or {"id": container["channel_id"]}
    place = slack_place(team, channel["id"], channel.get("name", ""))
    private = bool(container.get("is_ephemeral"))
    own_message = container["message_ts"] if place.personal else None
    return Intent(
        name=name,
        args=args,
        actor=actor,
        place=place,
        key=f"press:{payload['trigger_id']}",
        message=None if private else container["message_ts"],
        thread=container.get("thread_ts") or payload.get("message", {}).get("thread_ts"),
        answerable=False,
        answer_to=payload.get("response_url") if private else own_message,
        answer_channel=None if private else own_message and place.channel,
    )


def translate_shortcut(payload: Payload) -> Intent:
    """Translate a shortcut: a global one, or one on a message, which comes with its text."""
    team = payload["team_id"]
    actor = slack_account(team, payload["user"]["id"], payload["user"].get("team_id"))
    key = f"shortcut:{payload['trigger_id']}"
    if payload["type"] == "shortcut":
        name = "stuck" if payload["callback_id"] == STUCK_SHORTCUT else UNREADABLE_PAYLOAD
        place = ChatPlace(workspace=slack_workspace(team), channel="", personal=True)
        return Intent(name=name, actor=actor, place=place, key=key, answerable=False)
    message, channel = payload["message"], payload["channel"]
    author = message.get("user", "") if is_by_person(message, payload.get("bot_user", "")) else ""
    return Intent(
        name="story.save_message" if payload["callback_id"] == SAVE_SHORTCUT else UNREADABLE_PAYLOAD,
        args={
            "author": author,
            "text": _fit_metadata(read_message(payload, message)),
            "files": slack_file_names(message),
        },
        actor=actor,
        place=slack_place(team, channel["id"], channel.get("name", "")),
        key=key,
        message=message["ts"],
        thread=message.get("thread_ts"),
        answerable=False,
    )


def _fit_metadata(text: str) -> str:
    """Return as much of a text as fits, as JSON, in the private metadata of a form about it."""
    most = limits.MAX_CARRIED_TEXT
    while len(dump_html_safe({"": (shown := limits.truncate_text(text, most))})) > limits.MAX_CARRIED_TEXT:
        most = most * 9 // 10
    return shown


def view_origin(intent: Intent) -> dict[str, str]:
    """Return where a form is opened from, to travel in its view until `translate_view_submission` needs it."""
    facts = {
        "channel": intent.place.channel,
        "name": intent.place.name,
        "personal": "yes" if intent.place.personal else "",
        "message": intent.message,
        "thread": intent.thread,
        "answer_to": intent.answer_to,
        "answer_channel": intent.answer_channel,
    }
    return {name: fact for name, fact in facts.items() if fact}


def translate_view_submission(payload: Payload) -> Intent:
    """Translate a submitted form."""
    view, team = payload["view"], payload["team_id"]
    args: dict[str, Value]
    try:
        args, where = read_submitted_view(view)
        name = view["callback_id"]
    except (ValueError, KeyError, AttributeError):
        name, args, where = UNREADABLE_PAYLOAD, {}, {}
    return Intent(
        name=UNREADABLE_PAYLOAD if name in PLATFORM_INTENTS else name,
        args=args,
        actor=slack_account(team, payload["user"]["id"], payload["user"].get("team_id")),
        place=ChatPlace(
            workspace=slack_workspace(team),
            channel=where.get("channel", ""),
            name=where.get("name", ""),
            personal=bool(where.get("personal")) or not where.get("channel"),
        ),
        key=f"view:{view['id']}:{view['hash']}",
        message=where.get("message"),
        thread=where.get("thread"),
        answerable=False,
        answer_to=where.get("answer_to"),
        answer_channel=where.get("answer_channel"),
    )


def _read_button(button: Payload) -> tuple[str, Mapping[str, str]]:
    """Return the intent and arguments that a button holds; `UNREADABLE_PAYLOAD` unless they look like ours."""
    value = button.get("value") or ""
    try:
        content = json.loads(value) if len(value) <= limits.MAX_BUTTON_VALUE else None
    except ValueError:
        content = None
    match content:
        case {"intent": str(name), "args": dict(args)} if name not in PLATFORM_INTENTS:
            if all(isinstance(one, str) for one in args.values()):
                return name, args
    return UNREADABLE_PAYLOAD, {}


def read_message(payload: Payload, message: Payload) -> str:
    """Return what a message of a payload says, in plain text."""
    return read_words(message, bot=payload.get("bot_user", ""), names=payload.get("names"))


def is_by_person(message: Payload, bot: str) -> bool:
    """Return whether a person wrote a message themselves: not a bot, ours or another, an app or workflow on somebody's
    behalf, or Slack itself. What only one person sees, or nobody any more, counts as nobody's."""
    made = any(message.get(mark) for mark in AUTOMATION_MARKS)
    return not made and message.get("subtype") in PERSON_SUBTYPES and message.get("user") not in (None, bot, SLACKBOT)


def slack_workspace(team: str) -> str:
    """Return the core's id of a workspace: "T1" → "slack:T1". Raises `ValueError` for what is no id of Slack's."""
    if not is_slack_team(team):
        raise ValueError("not the id of a workspace")
    return f"slack:{team}"


def slack_account(team: str, user: str, home: str | None = None) -> Account:
    """Return someone's account in our workspace; a guest when their `home` is another one, as in a shared channel.

    Names are not taken from payloads, which hold handles; the directory looks up people's names.
    """
    elsewhere = home is not None and home.startswith("T") and home != team
    return Account(workspace=slack_workspace(team), id=user, guest=elsewhere)


def slack_file_names(message: Payload) -> tuple[str, ...]:
    """Return the names of the files of a message. Files themselves are never fetched."""
    names = [one.get("title") or one.get("name") for one in message.get("files") or () if isinstance(one, Mapping)]
    return tuple(str(one)[: limits.MAX_OPTION_LABEL] for one in names if one)


def slack_place(team: str, channel: str, name: str) -> ChatPlace:
    """Return a channel or conversation of our workspace; without the names that Slack gives to private ones."""
    # The id of a direct message begins with a D; the bot is only in those between a person and itself.
    return ChatPlace(
        workspace=slack_workspace(team),
        channel=channel,
        name="" if name in PLACEHOLDER_NAMES or name.startswith("mpdm-") else name,
        personal=channel.startswith("D"),
    )

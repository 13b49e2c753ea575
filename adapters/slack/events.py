"""Translate Slack's events to intents. Pure: no network, no state.

Idempotency keys, by which a redelivery is recognised: the channel and timestamp of a message, about which Slack may
send several events; else the event's id.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from adapters.slack import people
from adapters.slack.translate import (
    SLACKBOT,
    Payload,
    is_by_person,
    read_message,
    slack_account,
    slack_file_names,
    slack_place,
)
from adapters.slack.words import is_mentioned
from bot.chat import Intent, Value

PLACE_GONE_EVENTS = {
    "channel_left": "not_in_place",
    "group_left": "not_in_place",
    "channel_archive": "place_archived",
    "group_archive": "place_archived",
    "channel_deleted": "place_deleted",
    "group_deleted": "place_deleted",
}
"""Events that say Ritme is no longer in a place → the reason, a block of `errors/reasons.md.j2`."""


PERSONAL_CHANNEL_TYPES = frozenset({"im", "app_home"})
"""Types of channel where a person writes to Ritme alone."""


def translate_event(payload: Payload) -> Intent | None:
    """Translate an event; return None for what a bot did, and for what does not concern Ritme."""
    event = payload["event"]
    translator = EVENT_TRANSLATORS.get(event["type"])
    return translator(payload, event, payload.get("bot_user", "")) if translator is not None else None


# Translators of one type of event: each takes the payload, the event in it, and the user id of our own bot.


def _mention(payload: Payload, event: Payload, bot: str) -> Intent | None:
    return _person_message(payload, event, "command") if is_by_person(event, bot) else None


def _message(payload: Payload, event: Payload, bot: str) -> Intent | None:
    match event.get("subtype"):
        case "message_changed":
            return _edited_message(payload, event, bot)
        case "message_deleted":
            return _deleted_message(payload, event, event.get("previous_message") or {}, bot)
    if not is_by_person(event, bot):
        return None
    if event.get("channel_type") in PERSONAL_CHANNEL_TYPES or event["channel"].startswith("D"):
        return _person_message(payload, event, "command")
    if is_mentioned(event, bot):
        return None  # Slack sends an app_mention event about the message as well
    is_reply = event.get("thread_ts", event["ts"]) != event["ts"]
    # Where Slack does not take a command, as in a thread or after a space, it is a message like any other.
    if is_reply or event.get("text", "").lstrip().startswith(("/", "@")):
        return _person_message(payload, event, "thread.replied")
    return None


def _person_message(payload: Payload, event: Payload, name: str) -> Intent:
    """Translate a message that a person wrote, to the bot ("command") or in a thread ("thread.replied")."""
    more: dict[str, Value] = {"command": ""} if name == "command" else {"files": slack_file_names(event)}
    thread = event.get("thread_ts")
    key = f"message:{event['channel']}:{event['ts']}"
    args: dict[str, Value] = {"text": read_message(payload, event), **more}
    return _intent(payload, name, args, event["user"], event["channel"], event["ts"], thread, key)


def _edited_message(payload: Payload, event: Payload, bot: str) -> Intent | None:
    now, before = event["message"], event.get("previous_message") or {}
    # A deleted message that has replies is changed into a tombstone, under which its thread goes on.
    if now.get("subtype") == "tombstone":
        return _deleted_message(payload, {**event, "deleted_ts": now["ts"]}, before, bot)
    if not is_by_person(now, bot):
        return None
    text, files = read_message(payload, now), slack_file_names(now)
    if before and (text, files) == (read_message(payload, before), slack_file_names(before)):
        return None  # Slack also sends this event when a link gets its preview
    args: dict[str, Value] = {"text": text, "files": files}
    return _intent(payload, "message.edited", args, now["user"], event["channel"], now["ts"], now.get("thread_ts"))


def _deleted_message(payload: Payload, event: Payload, before: Payload, bot: str) -> Intent | None:
    # Slack documents this event without the message that was deleted: then nobody knows whose it was.
    if not before or (bot and before.get("user") == bot):
        return _intent(payload, "message.gone", {}, "", event["channel"], event["deleted_ts"])
    if not is_by_person(before, bot):
        return None
    author, thread = before["user"], before.get("thread_ts")
    return _intent(payload, "message.deleted", {}, author, event["channel"], event["deleted_ts"], thread)


def _reaction(payload: Payload, event: Payload, bot: str) -> Intent | None:
    if event["item"]["type"] != "message" or event["user"] in (bot, SLACKBOT):
        return None
    name = "reaction.added" if event["type"] == "reaction_added" else "reaction.removed"
    args = {"reaction": event["reaction"].partition("::")[0]}  # without its skin tone
    item = event["item"]
    return _intent(payload, name, args, event["user"], item["channel"], item["ts"])


def _home(payload: Payload, event: Payload, bot: str) -> Intent | None:
    if event.get("tab") != "home":
        return None
    blank = {} if event.get("view") else {"blank": "yes"}
    return _intent(payload, "home.opened", blank, event["user"], event["channel"])


def _joining(payload: Payload, event: Payload, bot: str) -> Intent | None:
    if event["user"] != bot:
        return None
    if event.get("inviter"):
        return _intent(payload, "place.joined", {}, event["inviter"], event["channel"])
    return _intent(payload, "place.back", {}, bot, event["channel"])


def _departure(payload: Payload, event: Payload, bot: str) -> Intent | None:
    # Slack tells it of everybody who leaves, and of ourselves in some places only so.
    if not bot or event["user"] != bot:
        return None
    return _intent(payload, "place.gone", {"reason": "not_in_place"}, "", event["channel"])


def _leaving(payload: Payload, event: Payload, bot: str) -> Intent:
    return _intent(payload, "place.gone", {"reason": PLACE_GONE_EVENTS[event["type"]]}, "", event["channel"])


def _return(payload: Payload, event: Payload, bot: str) -> Intent:
    return _intent(payload, "place.back", {}, "", event["channel"])


def _rename(payload: Payload, event: Payload, bot: str) -> Intent:
    channel = event["channel"]
    return _intent(payload, "place.renamed", {}, "", channel["id"], channel_name=channel.get("name", ""))


def _move(payload: Payload, event: Payload, bot: str) -> Intent:
    """Translate that a channel has another id from now on, as a private one has once it is shared with others."""
    return _intent(payload, "place.moved", {"channel": event["new_channel_id"]}, "", event["old_channel_id"])


def _person(payload: Payload, event: Payload, bot: str) -> Intent:
    user = event["user"]
    found = people.profile(user, payload["team_id"])
    intent = _intent(payload, "person.changed", {"deactivated": "yes"} if found.deactivated else {}, user["id"], "")
    actor = replace(intent.actor, name=found.name, language=found.language, timezone=found.timezone, guest=found.guest)
    return replace(intent, actor=actor)


def _group(payload: Payload, event: Payload, bot: str) -> Intent:
    """Translate a change of a user group: of its members, or of the group itself (its name, or its end)."""
    group = event.get("subteam") or {}
    args: dict[str, Value] = {
        "group": event.get("subteam_id") or group.get("id", ""),
        "name": group.get("name", ""),
        "ended": "yes" if group.get("date_delete") else "",
        "added": tuple(event.get("added_users") or ()),
        "removed": tuple(event.get("removed_users") or ()),
    }
    return _intent(payload, "group.changed", args, "", "")


EVENT_TRANSLATORS: Mapping[str, Callable[[Payload, Payload, str], Intent | None]] = {
    "message": _message,
    "app_mention": _mention,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "app_home_opened": _home,
    "member_joined_channel": _joining,
    "member_left_channel": _departure,
    "channel_id_changed": _move,
    **dict.fromkeys(PLACE_GONE_EVENTS, _leaving),
    "channel_unarchive": _return,
    "group_unarchive": _return,
    "channel_rename": _rename,
    "group_rename": _rename,
    "team_join": _person,
    "user_change": _person,
    "subteam_members_changed": _group,
    "subteam_updated": _group,
}
"""Type of event → its translator. Every other event is ignored, but for `APP_REMOVED_EVENTS`, which are no intents."""


def _intent(
    payload: Payload,
    name: str,
    args: Mapping[str, Value],
    user: str,
    channel: str,
    message: str | None = None,
    thread: str | None = None,
    key: str = "",
    channel_name: str = "",
) -> Intent:
    team, event = payload["team_id"], payload["event"]
    home = event.get("user_team") or event.get("source_team") or event.get("team")
    return Intent(
        name=name,
        args=args,
        actor=slack_account(team, user, home),
        place=slack_place(team, channel, channel_name),
        key=key or f"event:{payload['event_id']}",
        message=message,
        thread=thread,
        answerable=False,
        opens_forms=False,
        at=_moment(payload),
    )


def _moment(payload: Payload) -> datetime | None:
    """Return when an event happened; None when Slack does not tell."""
    told = payload["event"].get("event_ts") or payload.get("event_time")
    try:
        return datetime.fromtimestamp(float(told), UTC) if told else None
    except (TypeError, ValueError, OverflowError):
        return None

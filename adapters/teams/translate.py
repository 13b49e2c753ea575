"""Translate Teams' activities into intents. Pure: no network, no state.

Keys, by which a redelivery is recognised: the conversation and id of a message (one message is one thing said), else
the activity's own id.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.teams.activity import (
    ActivityJson,
    channel_id,
    event_type,
    file_names,
    happened_at,
    html_to_text,
    is_addressed_to_bot,
    is_from_bot,
    is_personal_conversation,
    teams_account,
    teams_place,
    teams_workspace,
    thread_root,
    typed_text,
)
from adapters.teams.package import SAVE_COMMAND_ID
from adapters.teams.signer import Signer
from bot.chat import ChatPlace, Intent, Value

INVALID_PAYLOAD = "unreadable"
"""An intent nobody handles: a button or dialog holds something else than we put there."""
TEAMS_EVENT_INTENTS = frozenset(
    {
        "thread.replied",
        "message.edited",
        "message.deleted",
        "message.gone",
        "message.restored",
        "reaction.added",
        "reaction.removed",
        "place.joined",
        "place.gone",
        "place.back",
        "place.renamed",
        "person.changed",
        "group.changed",
        "home.opened",
    }
)
"""Intents that only a platform may cause, never a button or a form, whose content a client sends."""
PLACE_GONE_REASONS = {
    "channelDeleted": "place_deleted",
    "teamArchived": "place_archived",
    "teamDeleted": "place_deleted",
}
"""Events after which nothing can be said in a place → the reason, a block of `errors/reasons.md.j2`."""
PLACE_BACK_EVENTS = frozenset({"channelRestored", "teamUnarchived", "teamRestored"})
MAX_SAVED_TEXT = 4_000
"""Characters kept of a message that is saved as a story."""


def activity_intents(activity: ActivityJson, signer: Signer) -> list[Intent]:
    """Return the intents of an activity that waits for no answer; none for what is no business of ours."""
    match activity["type"]:
        case "message":
            intent = _new_message_intent(activity, signer)
        case "messageUpdate" if event_type(activity) in ("editMessage", ""):
            intent = None if is_from_bot(activity) else _message_intent(activity, "message.edited", _content(activity))
        case "messageUpdate" if event_type(activity) == "undeleteMessage":
            intent = (
                None if is_from_bot(activity) else _message_intent(activity, "message.restored", _content(activity))
            )
        case "messageDelete" if event_type(activity) in ("softDeleteMessage", ""):
            intent = _message_intent(activity, "message.deleted", {})
        case "messageReaction":
            return _reaction_intents(activity)
        case "conversationUpdate":
            intent = _conversation_update_intent(activity)
        case "installationUpdate" if str(activity.get("action")).startswith("remove"):
            intent = _event_intent(activity, "place.gone", {"reason": "not_in_place"})
        case _:
            intent = None
    return [intent] if intent is not None else []


def press_intent(activity: ActivityJson, signer: Signer) -> Intent:
    """Return the intent of a pressed button: one that acts (`adaptiveCard/action`) or asks for a dialog
    (`task/fetch`). A button in someone's own chat may be about a place elsewhere, which then is the intent's place."""
    value = activity.get("value") or {}
    action = value.get("action")
    data = action.get("data") if isinstance(action, Mapping) else value.get("data")
    data = data if isinstance(data, Mapping) else {}
    name, args = _read_button(data)
    own_message = str(activity.get("replyToId") or "") if is_personal_conversation(activity) else None
    elsewhere = (
        signer.verify_origin(teams_account(activity).id, data.get("origin")) if own_message is not None else None
    )
    intent = _intent(
        activity,
        name,
        args,
        message=str(activity.get("replyToId") or "") or None,
        key=f"press:{activity.get('id')}",
        opens_forms=activity.get("name") == "task/fetch",
        answer_to=own_message,
        answer_channel=channel_id(activity) if own_message is not None else None,
    )
    if elsewhere is None:
        return intent
    channel, thread = elsewhere
    there = ChatPlace(workspace=intent.place.workspace, channel=channel)
    return replace(intent, place=there, thread=thread, message=None)


def submission_intent(
    activity: ActivityJson, name: str, args: Mapping[str, Value], origin: Mapping[str, str]
) -> Intent:
    """Return the intent of a dialog that was sent. `origin`: where it was opened, as of `dialog_origin`."""
    place = ChatPlace(
        workspace=teams_workspace(activity),
        channel=origin.get("channel", ""),
        name=origin.get("name", ""),
        personal=bool(origin.get("personal")) or not origin.get("channel"),
    )
    return Intent(
        name=INVALID_PAYLOAD if name in TEAMS_EVENT_INTENTS else name,
        args=args,
        actor=teams_account(activity),
        place=place,
        key=f"dialog:{activity.get('id')}",
        message=origin.get("message"),
        thread=origin.get("thread"),
        answerable=False,
        answer_to=origin.get("answer_to"),
        answer_channel=origin.get("answer_channel"),
    )


def message_action_intent(activity: ActivityJson) -> Intent:
    """Return the intent of *Save as story* on a message, with the message's words."""
    value = activity.get("value") or {}
    payload = value.get("messagePayload") or {}
    author = (payload.get("from") or {}).get("user") or {}
    thread = payload.get("replyToId")
    return _intent(
        activity,
        "story.save_message" if value.get("commandId") == SAVE_COMMAND_ID else INVALID_PAYLOAD,
        {
            "author": str(author.get("id") or ""),
            "text": html_to_text(str((payload.get("body") or {}).get("content") or ""))[:MAX_SAVED_TEXT],
            "files": file_names(payload.get("attachments") or ()),
        },
        message=str(payload.get("id") or "") or None,
        thread=str(thread) if thread else None,
        key=f"action:{activity.get('id')}",
    )


def dialog_origin(intent: Intent) -> dict[str, str]:
    """Return where a dialog is opened from, to travel with it until `submission_intent` reads it."""
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


def _new_message_intent(activity: ActivityJson, signer: Signer) -> Intent | None:
    if is_from_bot(activity):
        return None
    if isinstance(activity.get("value"), Mapping) and not activity.get("text"):
        return press_intent(activity, signer)  # a client that knows no other way to send a button
    if not is_personal_conversation(activity) and not is_addressed_to_bot(activity):
        # With consent to read everything the bot gets every message: only replies can be about one of ours, or what
        # looks like a command that somebody typed without a mention.
        concerns_us = thread_root(activity) or typed_text(activity).startswith(("/", "@"))
        return _message_intent(activity, "thread.replied", _content(activity)) if concerns_us else None
    word, _, rest = typed_text(activity).partition(" ")
    is_slash = word.startswith("/")
    args: dict[str, Value] = {
        "command": word if is_slash else "",
        "text": rest.strip() if is_slash else typed_text(activity),
        "files": file_names(activity.get("attachments") or ()),
    }
    return _message_intent(activity, "command", args)


def _content(activity: ActivityJson) -> dict[str, Value]:
    return {"text": typed_text(activity), "files": file_names(activity.get("attachments") or ())}


def _message_intent(activity: ActivityJson, name: str, args: Mapping[str, Value]) -> Intent:
    message = str(activity.get("id") or "")
    at = str(activity.get("timestamp") or activity.get("localTimestamp") or "")
    if name in ("command", "thread.replied"):
        key = f"message:{channel_id(activity)}:{message}"
    else:  # a message can be edited or deleted more than once: the time tells which of them this is
        key = f"{name}:{channel_id(activity)}:{message}:{at}"
    return _intent(activity, name, args, message=message, thread=thread_root(activity), key=key, opens_forms=False)


def _reaction_intents(activity: ActivityJson) -> list[Intent]:
    reactions = [(reaction, "reaction.added") for reaction in activity.get("reactionsAdded") or ()]
    reactions += [(reaction, "reaction.removed") for reaction in activity.get("reactionsRemoved") or ()]
    return [
        _intent(
            activity,
            name,
            {"reaction": str(reaction.get("type") or "")},
            message=str(activity.get("replyToId") or "") or None,
            key=f"{name}:{activity.get('id')}:{number}",
            opens_forms=False,
        )
        for number, (reaction, name) in enumerate(reactions)
    ]


def _conversation_update_intent(activity: ActivityJson) -> Intent | None:
    """Return the intent of a change to a place, or to our being in it."""
    event, bot = event_type(activity), (activity.get("recipient") or {}).get("id")
    if any(member.get("id") == bot for member in activity.get("membersAdded") or ()):
        return _event_intent(activity, "help" if is_personal_conversation(activity) else "place.joined", {})
    if any(member.get("id") == bot for member in activity.get("membersRemoved") or ()):
        return _event_intent(activity, "place.gone", {"reason": "not_in_place"})
    if event in PLACE_GONE_REASONS:
        return _event_intent(activity, "place.gone", {"reason": PLACE_GONE_REASONS[event]})
    if event in PLACE_BACK_EVENTS:
        return _event_intent(activity, "place.back", {})
    if event == "channelRenamed":
        return _event_intent(activity, "place.renamed", {})
    return None


def _event_intent(activity: ActivityJson, name: str, args: Mapping[str, Value]) -> Intent:
    """Return the intent of an event; `TeamsInbound` repeats one about a whole team for each of its channels."""
    return _intent(activity, name, args, key=f"event:{activity.get('id')}", opens_forms=False)


def _intent(
    activity: ActivityJson,
    name: str,
    args: Mapping[str, Value],
    *,
    key: str,
    message: str | None = None,
    thread: str | None = None,
    opens_forms: bool = True,
    answer_to: str | None = None,
    answer_channel: str | None = None,
) -> Intent:
    return Intent(
        name=name,
        args=args,
        actor=teams_account(activity),
        place=teams_place(activity),
        key=f"{teams_workspace(activity)}:{key}",
        message=message,
        thread=thread or thread_root(activity),
        answerable=False,
        opens_forms=opens_forms,
        answer_to=answer_to,
        answer_channel=answer_channel,
        at=happened_at(activity),
    )


def _read_button(data: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    match data:
        case {"intent": str(name), "args": Mapping() as args} if name not in TEAMS_EVENT_INTENTS:
            if all(isinstance(value, str) for value in args.values()):
                return name, dict(args)
    return INVALID_PAYLOAD, {}

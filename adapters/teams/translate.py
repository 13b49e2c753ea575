"""Translate Teams' activities into intents. Pure: no network, no state.

Keys, by which a redelivery is recognised: the conversation and id of a message (one message is one thing said), else
the activity's own id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from adapters.door import check_body
from adapters.teams.activity import (
    channel_id,
    event_type,
    happened_at,
    is_from_bot,
    is_personal_conversation,
    team_id,
    teams_account,
    teams_place,
    teams_workspace,
    thread_root,
)
from adapters.teams.package import SAVE_COMMAND_ID
from adapters.teams.payloads import ActivityPayload, Correspondent, MessageActionPayload, PressPayload
from adapters.teams.signer import Signer
from adapters.teams.typed_words import acted_on_words, is_addressed_to_bot, typed_files, typed_text
from bot.chat import PLATFORM_INTENTS, ChatPlace, Intent, Value

INVALID_PAYLOAD = "unreadable"
"""An intent nobody handles: a button or dialog holds something else than we put there."""
PLACE_GONE_REASONS = {
    "channelDeleted": "place_deleted",
    "teamArchived": "place_archived",
    "teamDeleted": "place_deleted",
    "teamHardDeleted": "place_deleted",
}
"""Events after which nothing can be said in a place → the reason, a block of `errors/reasons.md.j2`."""
PLACE_BACK_EVENTS = frozenset({"channelRestored", "teamUnarchived", "teamRestored"})
MAX_SAVED_TEXT = 4_000
"""Characters kept of a message that is saved as a story."""


def activity_intents(activity: ActivityPayload, signer: Signer) -> list[Intent]:
    """Return the intents of an activity that waits for no answer; none for what is no business of ours."""
    match activity.type:
        case "conversationUpdate" | "installationUpdate":
            return place_intents(activity)
        case _ if is_from_bot(activity):
            return []
        case "messageReaction":
            return _reaction_intents(activity)
        case "message":
            intent = _new_message_intent(activity, signer)
        case "messageUpdate" if event_type(activity) in ("editMessage", ""):
            intent = _message_intent(activity, "message.edited", _content(activity))
        case "messageUpdate" if event_type(activity) == "undeleteMessage":
            intent = _message_intent(activity, "message.restored", _content(activity))
        case "messageDelete" if event_type(activity) in ("softDeleteMessage", ""):
            intent = _message_intent(activity, "message.deleted", {})
        case _:
            intent = None
    return [intent] if intent is not None else []


def press_intent(activity: ActivityPayload, signer: Signer) -> Intent:
    """Return the intent of a pressed button: one that acts (`adaptiveCard/action`) or asks for a dialog
    (`task/fetch`). A button in someone's own chat may be about a place elsewhere, which then is the intent's place."""
    # A client that does not know `Action.Execute` sends what the button carries by itself.
    data = check_body(PressPayload, activity.value or {}).content or activity.value or {}
    name, args = _read_button(data)
    own_message = activity.reply_to_id if is_personal_conversation(activity) else None
    elsewhere = (
        signer.verify_origin(teams_account(activity).id, data.get("origin")) if own_message is not None else None
    )
    intent = _intent(
        activity,
        name,
        args,
        message=activity.reply_to_id or None,
        key=f"press:{activity.id}",
        opens_forms=activity.name == "task/fetch",
        answer_to=own_message,
        answer_channel=channel_id(activity) if own_message is not None else None,
    )
    if elsewhere is None:
        return intent
    channel, thread = elsewhere
    there = ChatPlace(workspace=intent.place.workspace, channel=channel)
    return replace(intent, place=there, thread=thread, message=None)


def submission_intent(
    activity: ActivityPayload, name: str, args: Mapping[str, Value], origin: Mapping[str, str]
) -> Intent:
    """Return the intent of a dialog that was sent. `origin`: where it was opened, as of `dialog_origin`."""
    place = ChatPlace(
        workspace=teams_workspace(activity),
        channel=origin.get("channel", ""),
        name=origin.get("name", ""),
        personal=bool(origin.get("personal")) or not origin.get("channel"),
    )
    return Intent(
        name=INVALID_PAYLOAD if name in PLATFORM_INTENTS else name,
        args=args,
        actor=teams_account(activity),
        place=place,
        key=f"dialog:{activity.id}",
        message=origin.get("message"),
        thread=origin.get("thread"),
        answerable=False,
        answer_to=origin.get("answer_to"),
        answer_channel=origin.get("answer_channel"),
    )


def message_action_intent(activity: ActivityPayload) -> Intent:
    """Return the intent of *Save as story* on a message, with the message's words."""
    value = check_body(MessageActionPayload, activity.value or {})
    payload = value.message_payload
    text, files = acted_on_words(payload, activity.recipient.id)
    return _intent(
        activity,
        "story.save_message" if value.command_id == SAVE_COMMAND_ID else INVALID_PAYLOAD,
        {"author": payload.sender.user.id, "text": text[:MAX_SAVED_TEXT], "files": files},
        message=payload.id or None,
        thread=payload.reply_to_id or None,
        key=f"action:{activity.id}",
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


def _new_message_intent(activity: ActivityPayload, signer: Signer) -> Intent | None:
    if isinstance(activity.value, Mapping) and not activity.text:
        return press_intent(activity, signer)  # a client that knows no other way to send a button
    if not is_personal_conversation(activity) and not is_addressed_to_bot(activity):
        # With consent to read everything the bot gets every message: only replies can be about one of ours, or what
        # looks like a command that somebody typed without a mention.
        concerns_us = thread_root(activity) or typed_text(activity).startswith(("/", "@"))
        return _message_intent(activity, "thread.replied", _content(activity)) if concerns_us else None
    text = typed_text(activity)
    word, rest = (*text.split(None, 1), "", "")[:2]
    is_slash = word.startswith("/")
    args: dict[str, Value] = {
        "command": word if is_slash else "",
        "text": rest.strip() if is_slash else text,
        "files": typed_files(activity),
    }
    return _message_intent(activity, "command", args)


def _content(activity: ActivityPayload) -> dict[str, Value]:
    return {"text": typed_text(activity), "files": typed_files(activity)}


def _message_intent(activity: ActivityPayload, name: str, args: Mapping[str, Value]) -> Intent:
    message = activity.id
    at = activity.timestamp or activity.local_timestamp
    if name in ("command", "thread.replied"):
        key = f"message:{channel_id(activity)}:{message}"
    else:  # a message can be edited or deleted more than once: the time tells which of them this is
        key = f"{name}:{channel_id(activity)}:{message}:{at}"
    return _intent(activity, name, args, message=message, thread=thread_root(activity), key=key, opens_forms=False)


def _reaction_intents(activity: ActivityPayload) -> list[Intent]:
    reactions = [(reaction, "reaction.added") for reaction in activity.reactions_added]
    reactions += [(reaction, "reaction.removed") for reaction in activity.reactions_removed]
    return [
        _intent(
            activity,
            name,
            {"reaction": reaction.type},
            message=activity.reply_to_id or None,
            key=f"{name}:{activity.id}:{number}",
            opens_forms=False,
        )
        for number, (reaction, name) in enumerate(reactions)
    ]


def place_intents(activity: ActivityPayload) -> list[Intent]:
    """Return the intents of a change to a place, or to our being in it; `TeamsInbound` adds the channels of a team."""
    event = event_type(activity)
    if is_arrival(activity):
        return _arrival_intents(activity)
    if is_removal(activity):
        return [_event_intent(activity, "place.gone", {"reason": PLACE_GONE_REASONS.get(event, "not_in_place")})]
    if event in PLACE_GONE_REASONS:
        return [_event_intent(activity, "place.gone", {"reason": PLACE_GONE_REASONS[event]})]
    if event in PLACE_BACK_EVENTS:
        return [_event_intent(activity, "place.back", {})]
    if event == "teamRenamed":
        intent = _event_intent(activity, "place.renamed", {})
        # The first channel, wherever Teams says that it happened.
        first = replace(intent.place, channel=team_id(activity), name=activity.channel_data.team.name)
        return [replace(intent, place=first)]
    is_renamed = event in ("channelRenamed", "topicName") or bool(activity.topic_name)
    return [_event_intent(activity, "place.renamed", {})] if is_renamed else []


def _arrival_intents(activity: ActivityPayload) -> list[Intent]:
    """Return the intents of our coming. A person who let us in is welcomed in their own chat; where an administrator
    or a program did, nobody is."""
    is_person = bool(teams_account(activity).id)
    if is_personal_conversation(activity):
        return [_event_intent(activity, "help", {})] if is_person else []
    # A newer version of the app says so too where we were already, which is news only where we are new.
    about = {"upgrade": "yes"} if activity.action == "add-upgrade" else {}
    arrived = _event_intent(activity, "place.joined" if is_person else "place.installed", about)
    chosen = activity.channel_data.settings.selected_channel
    if chosen.id:
        arrived = replace(arrived, place=replace(arrived.place, channel=chosen.id, name=chosen.name))
    # A place that was out of reach in another way is back, whether or not our coming there is news.
    return [arrived, replace(arrived, name="place.back", key=f"{arrived.key}:back")]


def is_arrival(activity: ActivityPayload) -> bool:
    """Return whether an activity tells that we came where it happened. Teams may tell it once or twice, in two ways."""
    if activity.type == "installationUpdate":
        return activity.action.startswith("add")
    return activity.type == "conversationUpdate" and _is_among(activity.members_added, activity)


def is_removal(activity: ActivityPayload) -> bool:
    """Return whether an activity tells that we are out of where it happened for good."""
    if activity.type == "installationUpdate":
        return activity.action.startswith("remove")
    if activity.type != "conversationUpdate":
        return False
    return event_type(activity) == "teamHardDeleted" or _is_among(activity.members_removed, activity)


def is_about_team(activity: ActivityPayload) -> bool:
    """Return whether a change to a place holds for all channels of its team."""
    event = event_type(activity)
    comes_or_goes = not event.startswith("channel") and (is_arrival(activity) or is_removal(activity))
    return bool(team_id(activity)) and (comes_or_goes or event.startswith("team"))


def _is_among(members: Iterable[Correspondent], activity: ActivityPayload) -> bool:
    return any(member.id and member.id == activity.recipient.id for member in members)


def _event_intent(activity: ActivityPayload, name: str, args: Mapping[str, Value]) -> Intent:
    """Return the intent of an event; `TeamsInbound` repeats one about a whole team for each of its channels."""
    return _intent(activity, name, args, key=f"event:{activity.id}", opens_forms=False)


def _intent(
    activity: ActivityPayload,
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
        case {"intent": str(name), "args": Mapping() as args} if name not in PLATFORM_INTENTS:
            if all(isinstance(value, str) for value in args.values()):
                return name, dict(args)
    return INVALID_PAYLOAD, {}

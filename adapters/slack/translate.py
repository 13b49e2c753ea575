"""Slack's payloads → intents. Pure: no network, no state.

Keys, by which a redelivery is recognised: the trigger of a command or a press, the view and its hash, the channel and
timestamp of a message (one message is one thing said, however many events tell of it), else the event's id.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.slack import limits, people
from adapters.slack.permissions import SAVE, STUCK
from adapters.slack.render import packed
from adapters.slack.views import filled_in
from bot.chat import Account, ChatPlace, Intent, Value

Payload = Mapping[str, Any]

UNREADABLE = "unreadable"
"""An intent nobody handles: what a button or view holds is not what we put there."""
EVENTS = frozenset(
    {
        "thread.replied",
        "message.edited",
        "message.deleted",
        "reaction.added",
        "reaction.removed",
        "place.joined",
        "home.opened",
        "place.gone",
        "place.back",
        "place.renamed",
        "person.changed",
        "group.changed",
    }
)
"""What only Slack can tell us, never a button or a form."""
OUT = {
    "channel_left": "not_in_place",
    "group_left": "not_in_place",
    "channel_archive": "place_archived",
    "group_archive": "place_archived",
    "channel_deleted": "place_deleted",
    "group_deleted": "place_deleted",
}
"""Events by which Ritme is out of a place, and why: a block of `errors/reasons.md.j2`."""
SAID = frozenset({None, "thread_broadcast", "file_share", "me_message"})
"""The subtypes of messages in which a person says something."""
NO_NAMES = frozenset({"directmessage", "privategroup"})
"""What Slack writes instead of the name of a private conversation."""
_TOKEN = re.compile(r"<([^<>]*)>")


def text_of(tokenised: str) -> str:
    """What a person typed, from what Slack made of it: `<@U1|ann>` → @ann, `<https://a.b|a.b>` → a.b, `&amp;` → &."""
    shown = _TOKEN.sub(lambda token: _shown(token.group(1)), tokenised)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(token: str) -> str:
    target, _, label = token.partition("|")
    kind = target[:1]
    if kind == "@":
        return f"@{label or '…'}"
    if kind == "#":
        return f"#{label or '…'}"
    if kind == "!":
        # <!here>, <!channel>, <!subteam^S1|@nurses>, <!date^…|fallback>
        return label or f"@{target[1:].partition('^')[0]}"
    return label or target.removeprefix("mailto:")


def command(payload: Payload) -> Intent:
    """A slash command. Slack does not offer those in threads."""
    return Intent(
        name="command",
        args={"command": payload["command"], "text": text_of(payload.get("text", ""))},
        actor=_account(payload["team_id"], payload["user_id"]),
        place=_place(payload["team_id"], payload["channel_id"], payload.get("channel_name", "")),
        key=f"command:{payload['trigger_id']}",
    )


def press(payload: Payload) -> Intent:
    """A pressed button. Its answer goes through the outbox: into the pressed message when only its reader sees it. What
    is pressed on someone's own page happens in their own chat."""
    button, container = payload["actions"][0], payload["container"]
    name, args = _pressed(button)
    team = payload["team"]["id"]
    actor = _account(team, payload["user"]["id"], payload["user"].get("team_id"))
    if container["type"] == "view":
        return Intent(
            name=name,
            args=args,
            actor=actor,
            place=ChatPlace(workspace=workspace(team), channel="", personal=True),
            key=f"press:{payload['trigger_id']}",
            answerable=False,
            on_page=True,
        )
    channel = payload.get("channel") or {"id": container["channel_id"]}
    place = _place(team, channel["id"], channel.get("name", ""))
    private = bool(container.get("is_ephemeral"))
    own_chat = f"{place.channel}/{container['message_ts']}" if place.personal else None
    return Intent(
        name=name,
        args=args,
        actor=actor,
        place=place,
        key=f"press:{payload['trigger_id']}",
        message=None if private else container["message_ts"],
        thread=container.get("thread_ts") or payload.get("message", {}).get("thread_ts"),
        answerable=False,
        answer_to=payload.get("response_url") if private else own_chat,
    )


def shortcut(payload: Payload) -> Intent:
    """A shortcut: from anywhere, or on a message, of which the words come along."""
    team = payload["team"]["id"]
    actor = _account(team, payload["user"]["id"], payload["user"].get("team_id"))
    key = f"shortcut:{payload['trigger_id']}"
    if payload["type"] == "shortcut":
        name = "stuck" if payload["callback_id"] == STUCK else UNREADABLE
        place = ChatPlace(workspace=workspace(team), channel="", personal=True)
        return Intent(name=name, actor=actor, place=place, key=key, answerable=False)
    said, channel = payload["message"], payload["channel"]
    person = "" if said.get("bot_id") or said.get("subtype") not in SAID else said.get("user") or ""
    return Intent(
        name="story.save_message" if payload["callback_id"] == SAVE else UNREADABLE,
        args={"author": person, "text": _carried(text_of(said.get("text", "")).strip()), "files": _files(said)},
        actor=actor,
        place=_place(team, channel["id"], channel.get("name", "")),
        key=key,
        message=said["ts"],
        thread=said.get("thread_ts"),
        answerable=False,
    )


def _carried(text: str) -> str:
    """As much of it as a form can hold on to."""
    most = limits.CARRIED
    while len(packed({"": (shown := limits.cut(text, most))})) > limits.CARRIED:
        most = most * 9 // 10
    return shown


def origin(intent: Intent) -> dict[str, str]:
    """Where a form is opened from, for `submission` to know."""
    facts = {
        "channel": intent.place.channel,
        "name": intent.place.name,
        "personal": "yes" if intent.place.personal else "",
        "message": intent.message,
        "thread": intent.thread,
        "answer_to": intent.answer_to,
    }
    return {name: fact for name, fact in facts.items() if fact}


def submission(payload: Payload) -> Intent:
    """A submitted form."""
    view, team = payload["view"], team_of(payload)
    args: dict[str, Value]
    try:
        args, where = filled_in(view)
        name = view["callback_id"]
    except (ValueError, KeyError, AttributeError):
        name, args, where = UNREADABLE, {}, {}
    return Intent(
        name=UNREADABLE if name in EVENTS else name,
        args=args,
        actor=_account(team, payload["user"]["id"], payload["user"].get("team_id")),
        place=ChatPlace(
            workspace=workspace(team),
            channel=where.get("channel", ""),
            name=where.get("name", ""),
            personal=bool(where.get("personal")) or not where.get("channel"),
        ),
        key=f"view:{view['id']}:{view['hash']}",
        message=where.get("message"),
        thread=where.get("thread"),
        answerable=False,
        answer_to=where.get("answer_to"),
    )


def event(payload: Payload) -> Intent | None:
    """What an event means to us; None for what a bot did, and for what is none of our business."""
    happened = payload["event"]
    ours = next((one["user_id"] for one in payload.get("authorizations") or () if one.get("is_bot")), "")
    match happened["type"]:
        case "message":
            return _message(payload, happened, ours)
        case "app_mention":
            return None if _is_bot(happened, ours) else _said(payload, happened, ours, "command")
        case "reaction_added" | "reaction_removed" if happened["item"]["type"] == "message":
            return _reaction(payload, happened, ours)
        case "app_home_opened" if happened.get("tab") == "home":
            blank = {} if happened.get("view") else {"blank": "yes"}
            return _intent(payload, "home.opened", blank, happened["user"], happened["channel"])
        case "member_joined_channel" if happened["user"] == ours:
            if happened.get("inviter"):
                return _intent(payload, "place.joined", {}, happened["inviter"], happened["channel"])
            return _intent(payload, "place.back", {}, ours, happened["channel"])
        case kind if kind in OUT:
            return _intent(payload, "place.gone", {"reason": OUT[kind]}, "", happened["channel"])
        case "channel_unarchive" | "group_unarchive":
            return _intent(payload, "place.back", {}, "", happened["channel"])
        case "channel_rename" | "group_rename":
            renamed = happened["channel"]
            return _intent(payload, "place.renamed", {}, "", renamed["id"], channel_name=renamed.get("name", ""))
        case "user_change":
            return _person(payload, happened["user"])
        case "subteam_members_changed" | "subteam_updated":
            return _group(payload, happened)
    return None


def _person(payload: Payload, user: Payload) -> Intent:
    told = people.profile(user, payload["team_id"])
    intent = _intent(payload, "person.changed", {"deactivated": "yes"} if told.deactivated else {}, user["id"], "")
    actor = replace(intent.actor, name=told.name, language=told.language, timezone=told.timezone, guest=told.guest)
    return replace(intent, actor=actor)


def _group(payload: Payload, happened: Payload) -> Intent:
    """Who came and went, or the whole group when it was changed itself."""
    group = happened.get("subteam") or {}
    args: dict[str, Value] = {
        "group": happened.get("subteam_id") or group.get("id", ""),
        "name": group.get("name", ""),
        "ended": "yes" if group.get("date_delete") else "",
        "added": tuple(happened.get("added_users") or ()),
        "removed": tuple(happened.get("removed_users") or ()),
    }
    return _intent(payload, "group.changed", args, "", "")


def _message(payload: Payload, happened: Payload, ours: str) -> Intent | None:
    match happened.get("subtype"):
        case "message_changed":
            return _changed(payload, happened, ours)
        case "message_deleted":
            return _deleted(payload, happened, happened.get("previous_message") or {}, ours)
        case subtype if subtype in SAID and not _is_bot(happened, ours):
            if happened.get("channel_type") == "im":
                return _said(payload, happened, ours, "command")
            if ours and f"<@{ours}>" in happened.get("text", ""):
                return None  # told by app_mention as well
            if happened.get("thread_ts", happened["ts"]) != happened["ts"]:
                return _said(payload, happened, ours, "thread.replied")
    return None


def _said(payload: Payload, happened: Payload, ours: str, name: str) -> Intent:
    text = happened.get("text", "")
    if name == "command":
        text = text.replace(f"<@{ours}>", "", 1) if ours else re.sub(r"^\s*<@[UW]\w+>", "", text)
    more: dict[str, Value] = {"command": ""} if name == "command" else {"files": _files(happened)}
    thread = happened.get("thread_ts")
    key = f"message:{happened['channel']}:{happened['ts']}"
    args: dict[str, Value] = {"text": text_of(text).strip(), **more}
    return _intent(payload, name, args, happened["user"], happened["channel"], happened["ts"], thread, key)


def _changed(payload: Payload, happened: Payload, ours: str) -> Intent | None:
    now, before = happened["message"], happened.get("previous_message") or {}
    if now.get("subtype") == "tombstone":
        return _deleted(payload, {**happened, "deleted_ts": now["ts"]}, before, ours)
    if _is_bot(now, ours) or now.get("text") == before.get("text"):
        return None  # a link that got its preview is no edit
    args: dict[str, Value] = {"text": text_of(now.get("text", "")).strip(), "files": _files(now)}
    return _intent(payload, "message.edited", args, now["user"], happened["channel"], now["ts"], now.get("thread_ts"))


def _deleted(payload: Payload, happened: Payload, before: Payload, ours: str) -> Intent | None:
    if _is_bot(before, ours):
        return None
    return _intent(
        payload,
        "message.deleted",
        {},
        before["user"],
        happened["channel"],
        happened["deleted_ts"],
        before.get("thread_ts"),
    )


def _reaction(payload: Payload, happened: Payload, ours: str) -> Intent | None:
    if happened["user"] == ours:
        return None
    name = "reaction.added" if happened["type"] == "reaction_added" else "reaction.removed"
    args = {"reaction": happened["reaction"].partition("::")[0]}
    item = happened["item"]
    return _intent(payload, name, args, happened["user"], item["channel"], item["ts"])


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
    team, happened = payload["team_id"], payload["event"]
    home = happened.get("user_team") or happened.get("source_team")
    return Intent(
        name=name,
        args=args,
        actor=_account(team, user, home),
        place=_place(team, channel, channel_name),
        key=key or f"event:{payload['event_id']}",
        message=message,
        thread=thread,
        answerable=False,
        opens_forms=False,
    )


def _is_bot(said: Payload, ours: str) -> bool:
    """Bots, ourselves among them, and what nobody said."""
    return bool(said.get("bot_id")) or said.get("user") in (None, ours)


def _pressed(button: Payload) -> tuple[str, Mapping[str, str]]:
    value = button.get("value") or ""
    try:
        held = json.loads(value) if len(value) <= limits.VALUE else None
    except ValueError:
        held = None
    match held:
        case {"intent": str(name), "args": dict(args)} if name not in EVENTS:
            if all(isinstance(one, str) for one in args.values()):
                return name, args
    return UNREADABLE, {}


def workspace(team: str) -> str:
    """How the core calls one of Slack's workspaces."""
    return f"slack:{team}"


def team_of(payload: Payload) -> str:
    """Our workspace in a request of any kind; empty when it does not say. A form may be sent from another one, with
    which a channel is shared."""
    installed = (payload.get("view") or {}).get("app_installed_team_id")
    return str(installed or payload.get("team_id") or (payload.get("team") or {}).get("id") or "")


def _account(team: str, user: str, home: str | None = None) -> Account:
    """Someone as our workspace knows them; a guest when their `home` is another one, as in a channel shared with it.
    Names are not taken from payloads, which hold handles; the directory knows what people are called."""
    elsewhere = home is not None and home.startswith("T") and home != team
    return Account(workspace=workspace(team), id=user, guest=elsewhere)


def _files(said: Payload) -> tuple[str, ...]:
    """What the files of a message are called. They are never fetched."""
    names = [one.get("title") or one.get("name") for one in said.get("files") or () if isinstance(one, Mapping)]
    return tuple(str(one)[: limits.OPTION] for one in names if one)


def _place(team: str, channel: str, name: str) -> ChatPlace:
    # Conversations of two have an id with a D; of those, the bot takes part in its own only.
    return ChatPlace(
        workspace=workspace(team),
        channel=channel,
        name="" if name in NO_NAMES or name.startswith("mpdm-") else name,
        personal=channel.startswith("D"),
    )

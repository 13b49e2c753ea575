"""Teams' activities → intents. Pure: no network, no state.

Keys, by which a redelivery is recognised: the conversation and id of a message (one message is one thing said), else
the activity's own id.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

from adapters.teams.package import SAVE
from adapters.teams.references import Conversation
from adapters.teams.signer import Signer
from adapters.zones import known_zone
from bot.chat import Account, ChatPlace, Intent, Value

Activity = Mapping[str, Any]

UNREADABLE = "unreadable"
"""An intent nobody handles: what a button or dialog holds is not what we put there."""
EVENTS = frozenset(
    {
        "thread.replied",
        "message.edited",
        "message.deleted",
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
"""What only a platform can tell us, never a button or a form."""
GONE = {"channelDeleted": "place_deleted", "teamArchived": "place_archived", "teamDeleted": "place_deleted"}
BACK = frozenset({"channelRestored", "teamUnarchived", "teamRestored"})
THREAD = ";messageid="
CARRIED = 4_000
_MENTION = re.compile(r"<at[^>]*>(.*?)</at>", re.IGNORECASE | re.DOTALL)


def workspace(activity: Activity) -> str:
    """How the core calls the organisation an activity comes from; "teams:" when it does not say."""
    data = activity.get("channelData") or {}
    tenant = (data.get("tenant") or {}).get("id") or (activity.get("conversation") or {}).get("tenantId") or ""
    return f"teams:{tenant}"


def conversation(activity: Activity) -> Conversation:
    """Where an activity happened, to be reached again. Of a channel: the channel, whichever thread it was in."""
    data, said = activity.get("channelData") or {}, activity["conversation"]
    channel, personal = _channel(activity), said.get("conversationType") == "personal"
    person = activity.get("from") or {}
    return Conversation(
        workspace_id=workspace(activity),
        channel=channel,
        service_url=str(activity.get("serviceUrl") or ""),
        bot=str((activity.get("recipient") or {}).get("id") or ""),
        team=str((data.get("team") or {}).get("id") or ""),
        account=_account_id(person) if personal else "",
        member=str(person.get("id") or "") if personal else "",
        hears="yes" if activity["type"] == "message" and not personal and not is_for_us(activity) else "",
    )


def intents(activity: Activity, seal: Signer) -> list[Intent]:
    """What an activity that waits for no answer means to us; nothing for what is none of our business."""
    match activity["type"]:
        case "message":
            said = _message(activity, seal)
        case "messageUpdate" if _event(activity) in ("editMessage", ""):
            said = None if is_bot(activity) else _told(activity, "message.edited")
        case "messageDelete" if _event(activity) in ("softDeleteMessage", ""):
            said = _told(activity, "message.deleted")
        case "messageReaction":
            return _reactions(activity)
        case "conversationUpdate":
            return _changes(activity)
        case "installationUpdate" if str(activity.get("action")).startswith("remove"):
            return _each_place(activity, "place.gone", {"reason": "not_in_place"})
        case _:
            said = None
    return [said] if said is not None else []


def press(activity: Activity, seal: Signer) -> Intent:
    """A pressed button: one that acts (`adaptiveCard/action`), or one that asks for a dialog (`task/fetch`). In
    someone's own chat it may be about a place elsewhere."""
    value = activity.get("value") or {}
    action = value.get("action")
    data = action.get("data") if isinstance(action, Mapping) else value.get("data")
    data = data if isinstance(data, Mapping) else {}
    name, args = _pressed(data)
    own = f"{_channel(activity)}/{activity.get('replyToId')}" if is_personal(activity) else None
    elsewhere = seal.place(account(activity).id, data.get("origin")) if own else None
    intent = _intent(
        activity,
        name,
        args,
        message=str(activity.get("replyToId") or "") or None,
        key=f"press:{activity.get('id')}",
        opens_forms=activity.get("name") == "task/fetch",
        answer_to=own,
    )
    if elsewhere is None:
        return intent
    channel, thread = elsewhere
    there = ChatPlace(workspace=intent.place.workspace, channel=channel)
    return replace(intent, place=there, thread=thread, message=None)


def submission(activity: Activity, name: str, args: Mapping[str, Value], origin: Mapping[str, str]) -> Intent:
    """A dialog that was sent: its arguments, and where it was opened."""
    where = ChatPlace(
        workspace=workspace(activity),
        channel=origin.get("channel", ""),
        name=origin.get("name", ""),
        personal=bool(origin.get("personal")) or not origin.get("channel"),
    )
    return Intent(
        name=UNREADABLE if name in EVENTS else name,
        args=args,
        actor=account(activity),
        place=where,
        key=f"dialog:{activity.get('id')}",
        message=origin.get("message"),
        thread=origin.get("thread"),
        answerable=False,
        answer_to=origin.get("answer_to"),
    )


def message_action(activity: Activity) -> Intent:
    """*Save as story* on a message, of which the words come along."""
    value = activity.get("value") or {}
    said = value.get("messagePayload") or {}
    user = (said.get("from") or {}).get("user") or {}
    name = "story.save_message" if value.get("commandId") == SAVE else UNREADABLE
    args: dict[str, Value] = {
        "author": str(user.get("id") or ""),
        "text": plain(str((said.get("body") or {}).get("content") or ""))[:CARRIED],
        "files": _names(said.get("attachments") or ()),
    }
    thread = said.get("replyToId")
    message = str(said.get("id") or "") or None
    return _intent(
        activity,
        name,
        args,
        message=message,
        thread=str(thread) if thread else None,
        key=f"action:{activity.get('id')}",
    )


def origin(intent: Intent) -> dict[str, str]:
    """Where a dialog is opened from, for `submission` to know."""
    facts = {
        "channel": intent.place.channel,
        "name": intent.place.name,
        "personal": "yes" if intent.place.personal else "",
        "message": intent.message,
        "thread": intent.thread,
        "answer_to": intent.answer_to,
    }
    return {name: fact for name, fact in facts.items() if fact}


def account(activity: Activity, person: Mapping[str, Any] | None = None) -> Account:
    """Who did it; language and zone as their Teams tells them."""
    someone = person if person is not None else activity.get("from") or {}
    extra: Mapping[str, Any] = next(
        (one for one in activity.get("entities") or () if one.get("type") == "clientInfo"), {}
    )
    return Account(
        workspace=workspace(activity),
        id=_account_id(someone),
        name=str(someone.get("name") or ""),
        language=activity.get("locale") or extra.get("locale"),
        timezone=known_zone(activity.get("localTimezone")) or known_zone(extra.get("timezone")),
    )


def text_of(activity: Activity) -> str:
    """What a person typed: without the mention of us, other people by name, and no markup."""
    text, ours = str(activity.get("text") or ""), str((activity.get("recipient") or {}).get("id") or "")
    for one in activity.get("entities") or ():
        if one.get("type") == "mention" and (one.get("mentioned") or {}).get("id") == ours and one.get("text"):
            text = text.replace(str(one["text"]), "", 1)
            break
    named = _MENTION.sub(lambda found: f"@{unescape(found.group(1))}", text)
    return unescape(named).replace("\xa0", " ").strip()


def is_for_us(activity: Activity) -> bool:
    """Whether a message in a channel or group chat mentions us, or was a slash command, which only we see."""
    ours = (activity.get("recipient") or {}).get("id")
    return bool((activity.get("recipient") or {}).get("isTargeted")) or any(
        one.get("type") == "mention" and (one.get("mentioned") or {}).get("id") == ours
        for one in activity.get("entities") or ()
    )


class _Words(HTMLParser):
    """The text of a message that comes as HTML: never more than its words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in ("br", "p", "div", "li") and self.words:
            self.words.append("\n")


def plain(html: str) -> str:
    """The words in a message's HTML."""
    reading = _Words()
    reading.feed(html)
    reading.close()
    lines = (" ".join(line.split()) for line in "".join(reading.words).replace("\xa0", " ").splitlines())
    return "\n".join(line for line in lines if line)


def _message(activity: Activity, seal: Signer) -> Intent | None:
    if is_bot(activity):
        return None
    if isinstance(activity.get("value"), Mapping) and not activity.get("text"):
        return press(activity, seal)  # a client that knows no other way to send a button
    if not is_personal(activity) and not is_for_us(activity):
        return _told(activity, "thread.replied") if _thread(activity) else None
    word, _, rest = text_of(activity).partition(" ")
    slash = word.startswith("/")
    args: dict[str, Value] = {
        "command": word if slash else "",
        "text": rest.strip() if slash else text_of(activity),
        "files": _names(activity.get("attachments") or ()),
    }
    return _told(activity, "command", args)


def _told(activity: Activity, name: str, args: Mapping[str, Value] | None = None) -> Intent:
    files: dict[str, Value] = {"text": text_of(activity), "files": _names(activity.get("attachments") or ())}
    message = str(activity.get("id") or "")
    said = f"message:{_channel(activity)}:{message}"
    key = said if name in ("command", "thread.replied") else f"{name}:{_channel(activity)}:{message}:{_stamp(activity)}"
    return _intent(
        activity,
        name,
        args if args is not None else ({} if name == "message.deleted" else files),
        message=message,
        thread=_thread(activity),
        key=key,
        opens_forms=False,
    )


def _reactions(activity: Activity) -> list[Intent]:
    told = [(one, "reaction.added") for one in activity.get("reactionsAdded") or ()]
    told += [(one, "reaction.removed") for one in activity.get("reactionsRemoved") or ()]
    return [
        _intent(
            activity,
            name,
            {"reaction": str(one.get("type") or "")},
            message=str(activity.get("replyToId") or "") or None,
            key=f"{name}:{activity.get('id')}:{number}",
            opens_forms=False,
        )
        for number, (one, name) in enumerate(told)
    ]


def _changes(activity: Activity) -> list[Intent]:
    """What happened to a place, or to our being in it."""
    event, ours = _event(activity), (activity.get("recipient") or {}).get("id")
    if any(one.get("id") == ours for one in activity.get("membersAdded") or ()):
        if is_personal(activity):
            return [_intent(activity, "help", {}, key=f"event:{activity.get('id')}", opens_forms=False)]
        return [_intent(activity, "place.joined", {}, key=f"event:{activity.get('id')}", opens_forms=False)]
    if any(one.get("id") == ours for one in activity.get("membersRemoved") or ()):
        return _each_place(activity, "place.gone", {"reason": "not_in_place"})
    if event in GONE:
        return _each_place(activity, "place.gone", {"reason": GONE[event]})
    if event in BACK:
        return _each_place(activity, "place.back", {})
    if event == "channelRenamed":
        return [_intent(activity, "place.renamed", {}, key=f"event:{activity.get('id')}", opens_forms=False)]
    return []


def _each_place(activity: Activity, name: str, args: Mapping[str, Value]) -> list[Intent]:
    """Of what happens to a whole team, `inbound` tells each of its channels."""
    return [_intent(activity, name, args, key=f"event:{activity.get('id')}", opens_forms=False)]


def _intent(
    activity: Activity,
    name: str,
    args: Mapping[str, Value],
    *,
    key: str,
    message: str | None = None,
    thread: str | None = None,
    opens_forms: bool = True,
    answer_to: str | None = None,
) -> Intent:
    return Intent(
        name=name,
        args=args,
        actor=account(activity),
        place=place(activity),
        key=f"{workspace(activity)}:{key}",
        message=message,
        thread=thread or _thread(activity),
        answerable=False,
        opens_forms=opens_forms,
        answer_to=answer_to,
    )


def place(activity: Activity) -> ChatPlace:
    data = activity.get("channelData") or {}
    channel, team = data.get("channel") or {}, data.get("team") or {}
    # A team's first channel bears the team's id, and no name of its own.
    name = channel.get("name") or (team.get("name") if channel.get("id") == team.get("id") else "") or ""
    return ChatPlace(
        workspace=workspace(activity), channel=_channel(activity), name=str(name), personal=is_personal(activity)
    )


def _channel(activity: Activity) -> str:
    said = activity["conversation"]
    channel = ((activity.get("channelData") or {}).get("channel") or {}).get("id")
    return str(channel or str(said["id"]).partition(THREAD)[0])


def _thread(activity: Activity) -> str | None:
    """The first message of the thread; None for what concerns that message itself."""
    root = str(activity["conversation"]["id"]).partition(THREAD)[2]
    itself = activity.get("replyToId") if activity["type"] in ("invoke", "messageReaction") else activity.get("id")
    return root if root and root != str(itself or "") else None


def is_personal(activity: Activity) -> bool:
    return bool(activity["conversation"].get("conversationType") == "personal")


def is_bot(activity: Activity) -> bool:
    person, ours = activity.get("from") or {}, (activity.get("recipient") or {}).get("id")
    return person.get("role") in ("bot", "skill") or person.get("id") in (None, ours)


def _event(activity: Activity) -> str:
    return str((activity.get("channelData") or {}).get("eventType") or "")


def _stamp(activity: Activity) -> str:
    return str(activity.get("timestamp") or activity.get("localTimestamp") or "")


def _account_id(person: Mapping[str, Any]) -> str:
    return str(person.get("aadObjectId") or person.get("id") or "")


def _names(attachments: Sequence[Any]) -> tuple[str, ...]:
    """What the files of a message are called. They are never fetched; the text as HTML is no file."""
    return tuple(
        str(one["name"])[:75]
        for one in attachments
        if isinstance(one, Mapping) and one.get("name") and one.get("contentType") != "text/html"
    )


def _pressed(data: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    match data:
        case {"intent": str(name), "args": Mapping() as args} if name not in EVENTS:
            if all(isinstance(one, str) for one in args.values()):
                return name, dict(args)
    return UNREADABLE, {}

"""Read facts from an activity, as the JSON that Teams sends. Pure: no network, no state.

The model of an activity in botbuilder 4.17.1 is not used: its `conversation.tenant_id` is always None (it reads
`tenantID`, Teams writes `tenantId`), and it moves what an entity holds of its own to `additional_properties`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

from adapters.teams.references import Conversation
from adapters.zones import parse_time_zone
from bot.chat import Account, ChatPlace

ActivityJson = Mapping[str, Any]
"""An activity of the Bot Framework, as parsed from JSON."""
THREAD_SEPARATOR = ";messageid="
"""Stands between channel and root message in the conversation id of a thread."""
MAX_FILE_NAME = 75
_MENTION = re.compile(r"<at[^>]*>(.*?)</at>", re.IGNORECASE | re.DOTALL)


def teams_workspace(activity: ActivityJson) -> str:
    """Return the workspace id, "teams:<tenant id>", of where an activity comes from; "teams:" when it names no
    tenant."""
    data = activity.get("channelData") or {}
    tenant = (data.get("tenant") or {}).get("id") or (activity.get("conversation") or {}).get("tenantId") or ""
    return f"teams:{tenant}"


def happened_at(activity: ActivityJson) -> datetime | None:
    """Return when an activity happened, in UTC; None when it does not tell."""
    try:
        moment = datetime.fromisoformat(str(activity.get("timestamp") or ""))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_conversation(activity: ActivityJson) -> Conversation:
    """Return where an activity happened, as needed to write there later. In a thread this is its channel."""
    data = activity.get("channelData") or {}
    is_personal = activity["conversation"].get("conversationType") == "personal"
    person = activity.get("from") or {}
    # An ordinary message that does not mention us shows that the organisation consented to our reading all of them.
    hears_all = activity["type"] == "message" and not is_personal and not is_addressed_to_bot(activity)
    return Conversation(
        workspace_id=teams_workspace(activity),
        channel=channel_id(activity),
        service_url=str(activity.get("serviceUrl") or ""),
        bot=str((activity.get("recipient") or {}).get("id") or ""),
        team=str((data.get("team") or {}).get("id") or ""),
        account=_account_id(person) if is_personal else "",
        member=str(person.get("id") or "") if is_personal else "",
        hears="yes" if hears_all else "",
    )


def teams_account(activity: ActivityJson) -> Account:
    """Return who sent an activity, with the language and time zone that their client tells."""
    person = activity.get("from") or {}
    client: Mapping[str, Any] = next(
        (entity for entity in activity.get("entities") or () if entity.get("type") == "clientInfo"), {}
    )
    return Account(
        workspace=teams_workspace(activity),
        id=_account_id(person),
        name=str(person.get("name") or ""),
        language=activity.get("locale") or client.get("locale"),
        timezone=parse_time_zone(activity.get("localTimezone")) or parse_time_zone(client.get("timezone")),
    )


def teams_place(activity: ActivityJson) -> ChatPlace:
    """Return the channel or chat an activity happened in; `name` is empty where Teams does not tell it."""
    data = activity.get("channelData") or {}
    channel, team = data.get("channel") or {}, data.get("team") or {}
    # A team's first channel bears the team's id, and no name of its own.
    name = channel.get("name") or (team.get("name") if channel.get("id") == team.get("id") else "") or ""
    return ChatPlace(
        workspace=teams_workspace(activity),
        channel=channel_id(activity),
        name=str(name),
        personal=is_personal_conversation(activity),
    )


def channel_id(activity: ActivityJson) -> str:
    """Return the id of the channel or chat, without the thread."""
    channel = ((activity.get("channelData") or {}).get("channel") or {}).get("id")
    return str(channel or str(activity["conversation"]["id"]).partition(THREAD_SEPARATOR)[0])


def thread_root(activity: ActivityJson) -> str | None:
    """Return the id of the first message of the thread; None when the activity is about that message itself."""
    root = str(activity["conversation"]["id"]).partition(THREAD_SEPARATOR)[2]
    # Invokes and reactions have an id of their own: the message they are about is the one they reply to.
    about = activity.get("replyToId") if activity["type"] in ("invoke", "messageReaction") else activity.get("id")
    return root if root and root != str(about or "") else None


def event_type(activity: ActivityJson) -> str:
    """Return which event of Teams an activity tells, such as "channelRenamed"; empty when it tells none."""
    return str((activity.get("channelData") or {}).get("eventType") or "")


def is_personal_conversation(activity: ActivityJson) -> bool:
    """Return whether this happened in the chat between one person and the bot."""
    return bool(activity["conversation"].get("conversationType") == "personal")


def is_from_bot(activity: ActivityJson) -> bool:
    """Return whether a bot (we or another one) sent this, or nobody did."""
    person, bot = activity.get("from") or {}, (activity.get("recipient") or {}).get("id")
    return person.get("role") in ("bot", "skill") or person.get("id") in (None, bot)


def is_addressed_to_bot(activity: ActivityJson) -> bool:
    """Return whether a message in a channel or group chat mentions us, or was a slash command, which only we see."""
    recipient = activity.get("recipient") or {}
    return bool(recipient.get("isTargeted")) or any(
        _is_mention_of(entity, recipient.get("id")) for entity in activity.get("entities") or ()
    )


def typed_text(activity: ActivityJson) -> str:
    """Return the text a person typed: without the mention of us, other people by name, and no markup."""
    text, bot = str(activity.get("text") or ""), str((activity.get("recipient") or {}).get("id") or "")
    # botbuilder's `remove_recipient_mention` eats text: "<at>Bot</at> report Bottleneck" becomes "report tleneck".
    # So the exact text of the mention is taken out, once.
    for entity in activity.get("entities") or ():
        if _is_mention_of(entity, bot) and entity.get("text"):
            text = text.replace(str(entity["text"]), "", 1)
            break
    with_names = _MENTION.sub(lambda found: f"@{unescape(found.group(1))}", text)
    return unescape(with_names).replace("\xa0", " ").strip()


def file_names(attachments: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of the files of a message. The files themselves are never fetched."""
    return tuple(
        str(one["name"])[:MAX_FILE_NAME]
        for one in attachments
        # The text of a message comes along once more, as HTML: that is no file.
        if isinstance(one, Mapping) and one.get("name") and one.get("contentType") != "text/html"
    )


def html_to_text(html: str) -> str:
    """Return the words of a message's HTML, a line per paragraph or line break, without empty lines."""
    parser = _TextParser()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).replace("\xa0", " ").splitlines())
    return "\n".join(line for line in lines if line)


class _TextParser(HTMLParser):
    """Keeps the text of a message that comes as HTML, and nothing of its markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in ("br", "p", "div", "li") and self.parts:
            self.parts.append("\n")


def _is_mention_of(entity: Mapping[str, Any], account: object) -> bool:
    return entity.get("type") == "mention" and (entity.get("mentioned") or {}).get("id") == account


def _account_id(person: Mapping[str, Any]) -> str:
    # The id in the organisation's directory is the same everywhere; "29:…" differs from bot to bot.
    return str(person.get("aadObjectId") or person.get("id") or "")

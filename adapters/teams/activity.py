"""Read facts from an activity. Pure: no network, no state. Its words are read by `adapters.teams.typed_words`."""

from datetime import UTC, datetime

from adapters.teams.payloads import THREAD_SEPARATOR, ActivityPayload, Correspondent
from adapters.teams.references import Conversation
from adapters.teams.typed_words import is_addressed_to_bot
from adapters.zones import parse_time_zone
from bot.chat import Account, ChatPlace

NOBODYS_PREFIXES = ("28:", "19:", "48:")
"""Of ids that no person has: those of bots, connectors and workflows, of conversations, and of Teams itself."""


def teams_workspace(activity: ActivityPayload) -> str:
    """Return the workspace id, "teams:<tenant id>", of where an activity comes from; "teams:" when it names no
    tenant."""
    return f"teams:{activity.channel_data.tenant.id or activity.conversation.tenant_id}"


def happened_at(activity: ActivityPayload) -> datetime | None:
    """Return when an activity happened, in UTC; None when it does not tell."""
    try:
        moment = datetime.fromisoformat(activity.timestamp)
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # no moment, or one outside the years that there are
        return None


def read_conversation(activity: ActivityPayload) -> Conversation:
    """Return where an activity happened, as needed to write there later. In a thread this is its channel."""
    is_personal = is_personal_conversation(activity)
    # An ordinary message that does not mention us shows that the organisation consented to our reading all of them.
    hears_all = activity.type == "message" and not is_personal and not is_addressed_to_bot(activity)
    is_person = is_personal and not is_from_bot(activity)
    return Conversation(
        workspace_id=teams_workspace(activity),
        channel=channel_id(activity),
        service_url=activity.service_url,
        bot=activity.recipient.id,
        team=activity.channel_data.team.id,
        account=_account_id(activity.sender) if is_person else "",
        member=activity.sender.id if is_person else "",
        hears="yes" if hears_all else "",
    )


def teams_account(activity: ActivityPayload) -> Account:
    """Return who sent an activity, with the language and time zone that their client tells. Nobody, with an empty id,
    when Teams or a bot did."""
    client = next((entity for entity in activity.entities if entity.type == "clientInfo"), None)
    is_nobody = is_from_bot(activity)
    return Account(
        workspace=teams_workspace(activity),
        id="" if is_nobody else _account_id(activity.sender),
        name="" if is_nobody else activity.sender.name,
        language=activity.locale or (client.locale if client is not None else "") or None,
        timezone=parse_time_zone(activity.local_timezone)
        or (parse_time_zone(client.timezone) if client is not None else None),
    )


def teams_place(activity: ActivityPayload) -> ChatPlace:
    """Return the channel or chat an activity happened in; `name` is empty where Teams does not tell it."""
    data, channel = activity.channel_data, channel_id(activity)
    # A team's first channel bears the team's id, and mostly no name of its own.
    in_team = data.channel.name or (data.team.name if channel == data.team.id else "")
    return ChatPlace(
        workspace=teams_workspace(activity),
        channel=channel,
        name=in_team or activity.topic_name or activity.conversation.name,
        personal=is_personal_conversation(activity),
    )


def channel_id(activity: ActivityPayload) -> str:
    """Return the id of the channel or chat, without the thread."""
    return activity.channel_data.channel.id or activity.conversation.id.partition(THREAD_SEPARATOR)[0]


def team_id(activity: ActivityPayload) -> str:
    """Return the id of the team, which is that of its first channel; empty for a chat."""
    in_team = activity.conversation.conversation_type == "channel"
    return activity.channel_data.team.id or (channel_id(activity) if in_team else "")


def thread_root(activity: ActivityPayload) -> str | None:
    """Return the id of the first message of the thread; None when the activity is about that message itself."""
    root = activity.conversation.id.partition(THREAD_SEPARATOR)[2]
    # Invokes and reactions have an id of their own: the message they are about is the one they reply to.
    about = activity.reply_to_id if activity.type in ("invoke", "messageReaction") else activity.id
    return root if root and root != about else None


def event_type(activity: ActivityPayload) -> str:
    """Return which event of Teams an activity tells, such as "channelRenamed"; empty when it tells none."""
    return activity.channel_data.event_type


def is_personal_conversation(activity: ActivityPayload) -> bool:
    """Return whether this happened in the chat between one person and the bot."""
    return activity.conversation.conversation_type == "personal"


def is_from_bot(activity: ActivityPayload) -> bool:
    """Return whether a bot (we or another one), a workflow or Teams itself sent this, or nobody did."""
    sender = activity.sender
    is_bot = sender.role in ("bot", "skill") or sender.id.startswith(NOBODYS_PREFIXES)
    return is_bot or not _account_id(sender) or (sender.id != "" and sender.id == activity.recipient.id)


def _account_id(person: Correspondent) -> str:
    # The id in the organisation's directory is the same everywhere; "29:…" differs from bot to bot.
    return person.aad_object_id or person.id

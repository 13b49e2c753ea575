"""Describe what is read of Teams' activities and of the values of their invokes; whatever else they hold is ignored.

The model of an activity in botbuilder 4.17.1 is not used: its `conversation.tenant_id` is always None (it reads
`tenantID`, Teams writes `tenantId`), and it moves what an entity holds of its own to `additional_properties`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from adapters.door import MAX_PLATFORM_ID, AccountId, CleanText, Inbound, PlatformId, TenantId, check_body
from bot.domain.plain_text import clean_name

THREAD_SEPARATOR = ";messageid="
"""Stands between channel and root message in the conversation id of a thread."""
MAX_ACTIVITY_TEXT = 100_000
"""Characters of a message or of its HTML; Teams takes far less from people."""
MAX_HINT = 64
"""Characters kept of a language or a time zone."""


def _check_conversation(id: str) -> str:
    channel, separator, root = id.partition(THREAD_SEPARATOR)
    if not channel or len(channel) > MAX_PLATFORM_ID or (separator and not 0 < len(root) <= MAX_PLATFORM_ID):
        raise ValueError("is no conversation")
    if " " in id or not id.isprintable():
        raise ValueError("is no id")
    return id


def _keep_hint(told: object) -> str:
    return told[:MAX_HINT] if isinstance(told, str) else ""


Words = Annotated[CleanText, StringConstraints(max_length=MAX_ACTIVITY_TEXT)]
Name = Annotated[str, AfterValidator(clean_name)]
"""A name of someone or something; of one without end the beginning is kept."""
Hint = Annotated[str, BeforeValidator(_keep_hint)]
"""A language or time zone that a client tells: nothing is refused for it."""
Term = Annotated[str, StringConstraints(max_length=100)]
"""A word of Teams' own, such as the type of an activity."""
ConversationId = Annotated[str, AfterValidator(_check_conversation)]
"""The id of a conversation; that of a thread is its channel's with that of its first message."""
ServiceUrl = Annotated[str, StringConstraints(max_length=300)]


class _Payload(Inbound):
    """A part of an activity. What Teams leaves out, it also sends as null or as an empty text."""

    model_config = ConfigDict(alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def leave_out_blanks(cls, told: object) -> object:
        """Drop what is null or empty, so that its default holds; what is frozen has tuples, JSON has lists."""
        if not isinstance(told, Mapping):
            return told
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in told.items()
            if value is not None and value != ""
        }


class Correspondent(_Payload):
    """A person or a bot: who sent an activity, who gets it, or whom it is about."""

    id: AccountId = ""
    name: Name = ""
    aad_object_id: AccountId = ""
    role: Term = ""
    is_targeted: bool = False
    """Of who gets it: a slash command, which only the bot sees."""


class Titled(_Payload):
    """A tenant, a team or a channel."""

    id: PlatformId = ""
    name: Name = ""


class Tenant(_Payload):
    """An organisation."""

    id: TenantId = ""


class InstallSettings(_Payload):
    """The choice made while the app was installed: for a team, the channel that it is to speak in."""

    selected_channel: Titled = Titled()


class ChannelData(_Payload):
    """The part of an activity that Teams adds to the Bot Framework."""

    tenant: Tenant = Tenant()
    team: Titled = Titled()
    channel: Titled = Titled()
    settings: InstallSettings = InstallSettings()
    event_type: Term = ""


class ConversationPayload(_Payload):
    """Where an activity happened; the id of a thread is that of its channel with its first message."""

    id: ConversationId
    conversation_type: Term = ""
    tenant_id: TenantId = ""
    name: Name = ""


class Entity(_Payload):
    """A mention, or what the client tells of itself (`clientInfo`)."""

    type: Term = ""
    mentioned: Correspondent = Correspondent()
    text: Words = ""
    locale: Hint = ""
    timezone: Hint = ""


class AttachmentPayload(_Payload):
    """A file, a picture, or the message once more as HTML."""

    content_type: Term = ""
    content_url: str = ""
    name: Name = ""
    content: Any = None

    @property
    def html(self) -> str:
        """The message as HTML; empty when this is something else."""
        is_html = self.content_type == "text/html" and isinstance(self.content, str)
        return self.content[:MAX_ACTIVITY_TEXT] if is_html else ""


class Reaction(_Payload):
    """A reaction, such as "heart"."""

    type: Term = ""


class ActivityPayload(_Payload):
    """An activity: anything that Teams tells."""

    type: Annotated[Term, StringConstraints(min_length=1)]
    id: PlatformId = ""
    name: Term = ""
    action: Term = ""
    service_url: ServiceUrl = ""
    timestamp: Term = ""
    local_timestamp: Term = ""
    local_timezone: Hint = ""
    locale: Hint = ""
    sender: Correspondent = Field(default=Correspondent(), alias="from")
    recipient: Correspondent = Correspondent()
    conversation: ConversationPayload
    channel_data: ChannelData = ChannelData()
    text: Words = ""
    text_format: Term = ""
    reply_to_id: PlatformId = ""
    entities: tuple[Entity, ...] = ()
    attachments: tuple[AttachmentPayload, ...] = ()
    topic_name: Name = ""
    """Of a group chat that was renamed."""
    members_added: tuple[Correspondent, ...] = ()
    members_removed: tuple[Correspondent, ...] = ()
    reactions_added: tuple[Reaction, ...] = ()
    reactions_removed: tuple[Reaction, ...] = ()
    value: Any = None
    """Of an invoke: see the models below."""


class PressedAction(_Payload):
    """An action that was pressed."""

    data: Mapping[str, Any] = {}


class PressPayload(_Payload):
    """The value of a pressed button: of one that acts, or (`data`) of one that asks for a dialog."""

    action: PressedAction | None = None
    data: Mapping[str, Any] = {}

    @property
    def content(self) -> Mapping[str, Any]:
        """The data that the button carries."""
        return self.action.data if self.action is not None else self.data


class SubmissionPayload(_Payload):
    """The value of a dialog that was sent: what was typed, by field."""

    data: Mapping[str, Any] = {}


class Author(_Payload):
    """A person or an app, as Graph tells of whoever wrote or is mentioned."""

    user: Titled = Titled()
    application: Titled = Titled()


class MessageBody(_Payload):
    """The words of a message: HTML, unless `content_type` is "text"."""

    content_type: Term = ""
    content: Words = ""


class PayloadMention(_Payload):
    """A mention in a message that somebody acts on; `id` is that of the mark in its HTML."""

    id: int = -1
    mention_text: Words = ""
    mentioned: Author = Author()


class ActedOnMessage(_Payload):
    """The message that somebody acts on, as Graph describes messages."""

    id: PlatformId = ""
    reply_to_id: PlatformId = ""
    sender: Author = Field(default=Author(), alias="from")
    body: MessageBody = MessageBody()
    attachments: tuple[AttachmentPayload, ...] = ()
    mentions: tuple[PayloadMention, ...] = ()


class MessageActionPayload(_Payload):
    """The value of an action on a message."""

    command_id: Term = ""
    message_payload: ActedOnMessage = ActedOnMessage()


def read_activity(decoded: object) -> ActivityPayload:
    """Return an activity, from JSON. Raises `BadInput` where what is read of it has another shape."""
    return check_body(ActivityPayload, decoded)

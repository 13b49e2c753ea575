"""Check Slack's payloads at the door: the models hold exactly what Ritme reads of them, and the rest is dropped.

`read_payload` returns what is left of a payload, which every listener and translator relies on; `named_workspaces`
lists the workspaces that a payload names, from which the door picks ours.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from adapters.door import AccountId, BadInput, CleanText, Inbound, PlatformId, check_body, decode_form, decode_json

MAX_SLACK_TEXT = 100_000
"""Characters of a text; the longest message that Slack takes has 40,000."""
_TEAM = re.compile(r"[TE][A-Z0-9]{1,30}")

Stamp = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9]+\.[0-9]+$")]
"""A `ts`: the id of a message in its channel."""
Label = Annotated[CleanText, Field(max_length=1_000)]
SlackText = Annotated[CleanText, Field(max_length=MAX_SLACK_TEXT)]
Address = Annotated[str, StringConstraints(max_length=500, pattern=r"^https?://[!-~]+$")]
Mark = Annotated[bool, BeforeValidator(bool)]
"""True where something is there, whatever it is."""


# -- parts of payloads ------------------------------------------------------------------------------------------------


class _Actor(Inbound):
    id: AccountId
    team_id: PlatformId | None = None


class _Channel(Inbound):
    id: PlatformId
    name: Label = ""


class _File(Inbound):
    title: Label | None = None
    name: Label | None = None


class _Message(Inbound):
    """A message, in an event, under a shortcut, or as it was before it changed."""

    ts: Stamp | None = None
    thread_ts: Stamp | None = None
    subtype: Label | None = None
    user: AccountId | None = None
    text: SlackText | None = None
    blocks: list[Any] | None = Field(default=None, max_length=100)
    files: list[_File | None] | None = Field(default=None, max_length=100)
    team: PlatformId | None = None
    user_team: PlatformId | None = None
    source_team: PlatformId | None = None
    bot_id: PlatformId | None = None
    app_id: PlatformId | None = None
    workflow_id: PlatformId | None = None
    bot_profile: Mark = False
    hidden: Mark = False
    is_ephemeral: Mark = False


class _SentMessage(_Message):
    ts: Stamp


class _Option(Inbound):
    value: SlackText


class _Answer(Inbound):
    """The state of one input of a view."""

    type: Label
    value: SlackText | None = None
    selected_option: _Option | None = None
    selected_options: list[_Option] | None = Field(default=None, max_length=100)
    selected_user: AccountId | None = None
    selected_users: list[AccountId] | None = Field(default=None, max_length=1_000)
    selected_date: Label | None = None
    selected_time: Label | None = None


class _Block(Inbound):
    type: Label
    block_id: Label = ""


class _State(Inbound):
    values: dict[Label, dict[Label, _Answer]] = Field(max_length=100)


class _View(Inbound):
    type: Literal["modal", "home"] = "modal"
    id: PlatformId
    hash: PlatformId
    callback_id: PlatformId
    private_metadata: SlackText | None = None
    state: _State
    blocks: list[_Block] = Field(max_length=100)


class _ClosedView(Inbound):
    type: Literal["modal", "home"] = "modal"
    callback_id: PlatformId


class _Button(Inbound):
    type: Label
    action_id: Label
    block_id: Label = ""
    value: SlackText | None = None


class _Container(Inbound):
    type: Label
    channel_id: PlatformId | None = None
    message_ts: Stamp | None = None
    thread_ts: Stamp | None = None
    is_ephemeral: bool | None = None


class _Pressed(Inbound):
    thread_ts: Stamp | None = None


# -- requests ---------------------------------------------------------------------------------------------------------


class _Command(Inbound):
    command: Label
    text: SlackText = ""
    user_id: AccountId
    channel_id: PlatformId
    channel_name: Label = ""
    trigger_id: PlatformId


class _BlockActions(Inbound):
    type: Literal["block_actions"]
    user: _Actor
    trigger_id: PlatformId
    actions: list[_Button] = Field(min_length=1, max_length=25)
    container: _Container
    channel: _Channel | None = None
    message: _Pressed | None = None
    response_url: Address | None = None

    @model_validator(mode="after")
    def _stands_somewhere(self) -> Self:
        where = self.container
        if where.type != "view" and (where.message_ts is None or not (self.channel or where.channel_id)):
            raise ValueError("a button that stands nowhere")
        return self


class _Shortcut(Inbound):
    type: Literal["shortcut"]
    callback_id: PlatformId
    trigger_id: PlatformId
    user: _Actor


class _MessageAction(Inbound):
    type: Literal["message_action"]
    callback_id: PlatformId
    trigger_id: PlatformId
    user: _Actor
    channel: _Channel
    message: _SentMessage


class _ViewSubmission(Inbound):
    type: Literal["view_submission"]
    user: _Actor
    view: _View


class _ViewClosed(Inbound):
    type: Literal["view_closed"]
    view: _ClosedView


class _UrlVerification(Inbound):
    type: Literal["url_verification"]
    challenge: SlackText


class _Authorization(Inbound):
    team_id: PlatformId | None = None
    user_id: AccountId | None = None
    is_bot: bool | None = None


class _Envelope(Inbound):
    """Hold what surrounds every event."""

    type: Literal["event_callback"]
    event_id: PlatformId
    event_time: int | None = Field(default=None, ge=0, le=100_000_000_000)
    authorizations: list[_Authorization] | None = Field(default=None, max_length=100)


# -- events -----------------------------------------------------------------------------------------------------------


class _Event(Inbound):
    type: Label
    event_ts: Stamp | float | None = None


class _Said(_SentMessage):
    """A message event: somebody wrote something."""

    type: Label
    event_ts: Stamp | None = None
    channel: PlatformId
    channel_type: Label | None = None


class _Changed(_Event):
    subtype: Literal["message_changed"]
    channel: PlatformId
    message: _SentMessage
    previous_message: _Message | None = None


class _Deleted(_Event):
    subtype: Literal["message_deleted"]
    channel: PlatformId
    deleted_ts: Stamp
    previous_message: _Message | None = None


class _Item(Inbound):
    type: Label
    channel: PlatformId | None = None
    ts: Stamp | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.type == "message" and (self.channel is None or self.ts is None):
            raise ValueError("a message that stands nowhere")
        return self


class _Reaction(_Event):
    user: AccountId
    reaction: Label
    item: _Item
    user_team: PlatformId | None = None


class _HomeOpened(_Event):
    user: AccountId
    channel: PlatformId
    tab: Label | None = None
    view: Mark = False


class _Membership(_Event):
    user: AccountId
    channel: PlatformId
    inviter: AccountId | None = None


class _PlaceEvent(_Event):
    channel: PlatformId


class _PlaceRenamed(_Event):
    channel: _Channel


class _PlaceMoved(_Event):
    old_channel_id: PlatformId
    new_channel_id: PlatformId


class _Profile(Inbound):
    display_name: Label | None = None
    real_name: Label | None = None


class _User(Inbound):
    id: AccountId
    team_id: PlatformId | None = None
    name: Label | None = None
    real_name: Label | None = None
    profile: _Profile | None = None
    locale: Label | None = None
    tz: Label | None = None
    deleted: bool | None = None
    is_bot: bool | None = None
    is_restricted: bool | None = None
    is_ultra_restricted: bool | None = None
    is_stranger: bool | None = None


class _UserEvent(_Event):
    user: _User


class _GroupMembers(_Event):
    subteam_id: PlatformId
    added_users: list[AccountId] | None = None
    removed_users: list[AccountId] | None = None


class _Group(Inbound):
    id: PlatformId
    name: Label = ""
    date_delete: int | None = None


class _GroupChanged(_Event):
    subteam: _Group


class _Tokens(Inbound):
    bot: list[AccountId] | None = None


class _TokensRevoked(_Event):
    tokens: _Tokens | None = None


REQUESTS: Mapping[str, type[Inbound]] = {
    "block_actions": _BlockActions,
    "shortcut": _Shortcut,
    "message_action": _MessageAction,
    "view_submission": _ViewSubmission,
    "view_closed": _ViewClosed,
    "url_verification": _UrlVerification,
}
"""Type of request → what Ritme reads of it. Commands have no type, and events an envelope."""
EVENTS: Mapping[str, type[Inbound]] = {
    "message": _Said,
    "app_mention": _Said,
    "reaction_added": _Reaction,
    "reaction_removed": _Reaction,
    "app_home_opened": _HomeOpened,
    "member_joined_channel": _Membership,
    "member_left_channel": _Membership,
    "channel_archive": _PlaceEvent,
    "channel_deleted": _PlaceEvent,
    "channel_left": _PlaceEvent,
    "channel_unarchive": _PlaceEvent,
    "group_archive": _PlaceEvent,
    "group_deleted": _PlaceEvent,
    "group_left": _PlaceEvent,
    "group_unarchive": _PlaceEvent,
    "channel_rename": _PlaceRenamed,
    "group_rename": _PlaceRenamed,
    "channel_id_changed": _PlaceMoved,
    "team_join": _UserEvent,
    "user_change": _UserEvent,
    "subteam_members_changed": _GroupMembers,
    "subteam_updated": _GroupChanged,
    "app_uninstalled": _Event,
    "tokens_revoked": _TokensRevoked,
}
"""Type of event → what Ritme reads of it."""
PERSON_SUBTYPES = frozenset({None, "thread_broadcast", "file_share", "me_message"})
"""Subtypes of messages that a person wrote."""
_MESSAGES: Mapping[str | None, type[Inbound]] = {
    **dict.fromkeys(PERSON_SUBTYPES, _Said),
    "message_changed": _Changed,
    "message_deleted": _Deleted,
}


def decode_body(raw: bytes, content_type: str) -> object:
    """Return the payload in the body of a request: JSON, or a form, which may hold JSON in a field named `payload`.

    Raises `BadInput`.
    """
    if content_type == "application/json" or raw.startswith(b"{"):
        return decode_json(raw)
    fields = decode_form(raw)
    return decode_json(fields["payload"]) if "payload" in fields else fields


def read_payload(body: object) -> dict[str, Any] | None:
    """Return what Ritme reads of a payload; None when it is of a kind that is none of its business.

    Raises `BadInput` when it is of a kind that Ritme reads, and not as Slack documents it.
    """
    if not isinstance(body, Mapping):
        raise BadInput("body: no object")
    kind = body.get("type")
    if "command" in body:
        return _read(_Command, body)
    if not isinstance(kind, str):
        raise BadInput("type: missing")
    if kind == "event_callback":
        return _read_event(body)
    model = REQUESTS.get(kind)
    return _read(model, body) if model is not None else None


def _read_event(body: Mapping[str, Any]) -> dict[str, Any] | None:
    event = body.get("event")
    if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
        raise BadInput("event: missing")
    model = EVENTS.get(event["type"])
    if event["type"] == "message":
        subtype = event.get("subtype")
        if not (subtype is None or isinstance(subtype, str)):
            raise BadInput("event.subtype: string_type")
        model = _MESSAGES.get(subtype)
    return None if model is None else {**_read(_Envelope, body), "event": _read(model, event)}


def _read(model: type[Inbound], found: Mapping[str, Any]) -> dict[str, Any]:
    return check_body(model, found).model_dump(exclude_none=True)


# -- whose it is ------------------------------------------------------------------------------------------------------


def named_workspaces(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every workspace or organisation that a payload names as one it may be for, the likeliest first.

    Slack names them in many ways. Where it tells which workspace installed the app, no other counts: in a channel that
    several share, an event of one that removed it is nobody's, whoever else is in it. Elsewhere `team` and `team_id`
    may be another's there, and with an app installed by a whole organisation `team` may be null. Where somebody has
    their account comes last: they may be a guest.
    """
    view, event = _object(body.get("view")), _object(body.get("event"))
    authorizations = body.get("authorizations")
    installs = [_object(one) for one in authorizations] if isinstance(authorizations, list) else []
    installed = _list_teams([view.get("app_installed_team_id"), *(one.get("team_id") for one in installs)])
    if any(one.startswith("T") for one in installed):
        return installed
    found: list[object] = [
        *installed,
        body.get("context_team_id"),
        _id(body.get("team")),
        body.get("team_id"),
        view.get("team_id"),
        _object(body.get("user")).get("team_id"),
        _id(event.get("team")),
        event.get("team_id"),
        _object(event.get("user")).get("team_id"),
        *(_object(event.get(name)).get("team") for name in ("message", "previous_message")),
        _object(body.get("message")).get("team"),
        event.get("user_team"),
        event.get("source_team"),
        *(one.get("enterprise_id") for one in installs),
        body.get("context_enterprise_id"),
        _id(body.get("enterprise")),
        body.get("enterprise_id"),
    ]
    return _list_teams(found)


def _list_teams(found: Sequence[object]) -> tuple[str, ...]:
    """Return what can be an id of a workspace or organisation, each once."""
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str) and _TEAM.fullmatch(one)))


def named_bot(payload: Mapping[str, Any], team: str) -> str:
    """Return our own user in a workspace, as the envelope of an event tells it; empty when it does not."""
    bots = [one for one in payload.get("authorizations") or () if one.get("is_bot") and one.get("user_id")]
    ours = [one for one in bots if one.get("team_id") == team] or [one for one in bots if not one.get("team_id")]
    return str(ours[0]["user_id"]) if ours else ""


def spoken_messages(payload: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the messages in a payload whose words are read."""
    event = payload.get("event") or {}
    return tuple(one for one in (event, event.get("message"), payload.get("message")) if one)


def is_slack_team(team: object) -> bool:
    """Return whether something can be Slack's id of a workspace or organisation."""
    return isinstance(team, str) and _TEAM.fullmatch(team) is not None


def _object(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _id(found: object) -> object:
    """Return the id of something that Slack names by it, or by an object that holds it."""
    return found.get("id") if isinstance(found, Mapping) else found

"""Every table, and how the domain's dataclasses map onto them.

Enumerations are stored as their values, moments as UTC, ids as the opaque text they are. Invariants that must
hold under concurrency are unique indexes: the inbox key, the outbox key, one open episode, one ripple, one membership.
"""

from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Time,
    false,
    text,
)
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator

from bot.domain.connectors import Invitation, InvitationState, KeyFigure, Nomination, Tie
from bot.domain.delivery import AGAIN, Act, DeliveryState, Priority
from bot.domain.initiative import (
    Audience,
    Company,
    CompanyState,
    EpisodeState,
    Initiative,
    Participant,
    QuestionAsked,
    StuckEpisode,
    StuckKind,
)
from bot.domain.movement import InviteCode, Member, Movement, PartSaid, Place, PlaceState, Purpose, Role, Segment
from bot.domain.next_step import Chance, NextStep, StepState
from bot.domain.person import Language, Person, StoryChoice, Workspace
from bot.domain.rhythm import MomentChange, OnHoliday, Rhythm, RhythmKind
from bot.domain.story import Dimension, Readers, Retelling, Ripple, Story, StoryRequest

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware UTC moment; SQLite keeps no zone, so it is stored without and given back with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Chosen(TypeDecorator[Enum]):
    """An enumeration, stored as its value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind
        # Looked up by hand for every row there is: an enumeration takes ten times as long about it.
        self._members: dict[Any, Enum | None] = {None: None, **{one.value: one for one in kind}}

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> Any:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> Enum | None:
        return self._members[value] if value in self._members else self.kind(value)


class Ranked(Chosen):
    """An enumeration of numbers, stored so that it sorts."""

    impl = Integer()  # type: ignore[assignment]  # narrowed on purpose
    cache_ok = True


WAITING = "state = 'waiting'"
HELD_BACK = f"{WAITING} AND reason IN {AGAIN!r}"
NUDGES_IN_PLACES = "person_id IS NULL AND act = 'post' AND priority <> 0"
NOT_SENT_IN_PLACES = f"{NUDGES_IN_PLACES} AND reason <> ''"
TAKEN_AWAY = "act = 'delete'"
"""Which rows of `deliveries` its partial indexes hold: a query says it in the same words, or they do not serve it."""
STUCK_NOW = "state = 'open'"
"""And which of `stuck_episodes`."""
NAMELESS_PLACES = "name = ''"
NAMELESS_PEOPLE = f"{NAMELESS_PLACES} AND account IS NOT NULL"
"""And what the platform has yet to be asked about."""


def _index_where(name: str, *columns: str, where: str) -> Index:
    """What few rows have in common is found among those few, and costs the others nothing when they are written."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _ref(name: str, to: str, *, null: bool = False, primary: bool = False) -> Column[str]:
    return Column(
        name,
        String(64),
        ForeignKey(f"{to}.id", deferrable=True, initially="DEFERRED"),
        nullable=null,
        primary_key=primary,
    )


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("held_until", Utc),
    Column("gone_at", Utc),
    Column("gone_reason", String(64), nullable=False, server_default=""),
)
inbox = Table(
    "inbox",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("at", Utc, nullable=False, index=True),
)
people = Table(
    "people",
    metadata,
    _id(),
    _ref("workspace_id", "workspaces"),
    Column("account", String(128)),
    Column("name", String(200), nullable=False),
    Column("language", Chosen(Language)),
    Column("timezone", String(64)),
    Column("group", String(120), nullable=False),
    Column("quiet_from", Time),
    Column("quiet_until", Time),
    Column("quiet_weekends", Boolean),
    Column("suggestible", Boolean),
    Column("story_choice", Chosen(StoryChoice)),
    Column("story_named", Boolean, nullable=False),
    Column("named_beyond", Boolean, nullable=False, server_default=false()),
    Column("guest", Boolean, nullable=False, server_default=false()),
    Column("deactivated_at", Utc),
    Column("chose", JSON, nullable=False, server_default="[]"),
    Column("snoozed_until", Utc),
    Column("stopped_at", Utc),
    Column("unanswered", Integer, nullable=False),
    Column("went_quiet_at", Utc),
    Column("home_mark", String(64)),
    Column("said", JSON(), nullable=False, server_default="{}"),
    Column("created_at", Utc, nullable=False),
    Index("uq_people_account", "workspace_id", "account", unique=True),
    _index_where("ix_people_nameless", "workspace_id", where=NAMELESS_PEOPLE),
)
movements = Table(
    "movements",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("language", Chosen(Language), nullable=False),
    Column("country", String(8), nullable=False),
    Column("good_friday", Boolean, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("started_at", Utc, nullable=False),
)
places = Table(
    "places",
    metadata,
    _id(),
    _ref("workspace_id", "workspaces"),
    Column("channel", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    _ref("movement_id", "movements", null=True),
    Column("language", Chosen(Language)),
    Column("timezone", String(64), nullable=False),
    Column("quiet_from", Time, nullable=False),
    Column("quiet_until", Time, nullable=False),
    Column("quiet_weekends", Boolean, nullable=False),
    Column("state", Chosen(PlaceState), nullable=False),
    Column("state_reason", String(64), nullable=False),
    Column("said", JSON(), nullable=False, server_default="{}"),
    Column("created_at", Utc, nullable=False),
    Index("uq_places_channel", "workspace_id", "channel", unique=True),
    Index("ix_places_movement_id", "movement_id"),
    _index_where("ix_places_nameless", "workspace_id", where=NAMELESS_PLACES),
)
members = Table(
    "members",
    metadata,
    _ref("movement_id", "movements", primary=True),
    _ref("person_id", "people", primary=True),
    Column("role", Chosen(Role), nullable=False),
    Column("joined_at", Utc, nullable=False),
    Index("ix_members_person_id", "person_id", "joined_at"),
)
purposes = Table(
    "purposes",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("version", Integer, nullable=False),
    Column("vision", Text, nullable=False),
    Column("mission", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("norms", Text, nullable=False),
    Column("values", Text, nullable=False),
    Column("core_messages", JSON, nullable=False),
    Column("behaviours", JSON, nullable=False),
    _ref("written_by", "people", null=True),
    Column("written_at", Utc, nullable=False),
    Index("uq_purposes_version", "movement_id", "version", unique=True),
)
invite_codes = Table(
    "invite_codes",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("digest", String(64), nullable=False),
    _ref("made_by", "people", null=True),
    Column("made_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Index("uq_invite_codes_digest", "digest", unique=True),
    Index("ix_invite_codes_movement_id", "movement_id"),
)
segments = Table(
    "segments",
    metadata,
    _ref("workspace_id", "workspaces", primary=True),
    Column("handle", String(64), primary_key=True),
    _ref("movement_id", "movements"),
    Column("name", String(120), nullable=False),
    Column("known_at", Utc),
    Index("ix_segments_movement_id", "movement_id"),
)
parts_said = Table(
    "parts_said",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _ref("place_id", "places"),
    _ref("movement_id", "movements"),
    Column("part", String(64), nullable=False),
    Column("said_at", Utc, nullable=False),
    Index("ix_parts_said_place_id", "place_id", "said_at"),
)
initiatives = Table(
    "initiatives",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    _ref("place_id", "places", null=True),
    _ref("started_by", "people", null=True),
    Column("started_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("ix_initiatives_movement_id", "movement_id", "started_at"),
)
participants = Table(
    "participants",
    metadata,
    _ref("initiative_id", "initiatives", primary=True),
    _ref("person_id", "people", primary=True),
    _ref("movement_id", "movements"),
    Column("initiator", Boolean, nullable=False),
    Column("joined_at", Utc, nullable=False),
    Column("left_at", Utc),
    Index("ix_participants_person_id", "person_id", "movement_id"),
    Index("ix_participants_movement_id", "movement_id"),
)
episodes = Table(
    "stuck_episodes",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("person_id", "people"),
    _ref("place_id", "places", null=True),
    Column("thread", String(200)),
    Column("text", Text, nullable=False),
    Column("kind", Chosen(StuckKind), nullable=False),
    Column("audience", Chosen(Audience), nullable=False),
    Column("helpers", MutableList.as_mutable(JSON()), nullable=False),
    Column("state", Chosen(EpisodeState), nullable=False),
    Column("still_stuck", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("ix_stuck_episodes_movement_id", "movement_id", "opened_at"),
    Index("ix_stuck_episodes_person_id", "person_id", "state"),
    _index_where("ix_stuck_episodes_now", "person_id", "movement_id", "opened_at", where=STUCK_NOW),
    Index(
        "uq_stuck_episodes_open",
        "person_id",
        "initiative_id",
        unique=True,
        sqlite_where=text("state = 'open' AND initiative_id IS NOT NULL"),
        postgresql_where=text("state = 'open' AND initiative_id IS NOT NULL"),
    ),
)
questions_asked = Table(
    "questions_asked",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("person_id", "people"),
    _ref("episode_id", "stuck_episodes"),
    Column("question", String(64), nullable=False),
    Column("asked_at", Utc, nullable=False),
    Index("ix_questions_asked_initiative_id", "initiative_id", "asked_at", "id", "movement_id", "question"),
    Index("ix_questions_asked_person_id", "person_id", "movement_id", "asked_at"),
)
companies = Table(
    "companies",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("episode_id", "stuck_episodes"),
    _ref("person_id", "people"),
    Column("round", Integer, nullable=False),
    Column("picked", Boolean, nullable=False),
    Column("state", Chosen(CompanyState), nullable=False),
    Column("question", Text, nullable=False),
    Column("idea", Text, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Index("uq_companies_person", "episode_id", "person_id", unique=True),
    Index("ix_companies_movement_id", "movement_id", "asked_at"),
    Index("ix_companies_person_id", "person_id"),
)
steps = Table(
    "next_steps",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("episode_id", "stuck_episodes", null=True),
    _ref("story_id", "stories", null=True),
    _ref("person_id", "people"),
    Column("cue", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("with_whom", String(300), nullable=False),
    Column("on_my_own", Boolean, nullable=False),
    Column("follow_up_at", Utc, nullable=False),
    Column("state", Chosen(StepState), nullable=False),
    Column("not_yet", Integer, nullable=False),
    Column("posted", Boolean, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("chosen_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("ix_next_steps_person_id", "person_id", "state"),
    Index("ix_next_steps_story_id", "story_id"),
    Index("ix_next_steps_movement_id", "movement_id", "state", "closed_at"),
)
chances = Table(
    "chances",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("person_id", "people"),
    Column("text", Text, nullable=False),
    Column("noted_at", Utc, nullable=False),
    Index("ix_chances_movement_id", "movement_id", "noted_at"),
    Index("ix_chances_person_id", "person_id"),
)
stories = Table(
    "stories",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("place_id", "places", null=True),
    Column("thread", String(200)),
    Column("message", String(200)),
    _ref("teller_id", "people"),
    Column("text", Text, nullable=False),
    Column("named", Boolean, nullable=False),
    Column("readers", Chosen(Readers), nullable=False),
    _ref("initiative_id", "initiatives", null=True),
    Column("dimension", Chosen(Dimension)),
    Column("part", String(64), nullable=False),
    Column("told_at", Utc, nullable=False),
    Column("withdrawn_at", Utc),
    Column("harvested_at", Utc),
    Index("uq_stories_message", "place_id", "message", unique=True),
    Index("ix_stories_movement_id", "movement_id", "told_at"),
    Index("ix_stories_teller_id", "teller_id", "told_at"),
    _index_where("ix_stories_thread", "place_id", "thread", where="thread IS NOT NULL"),
    _index_where("ix_stories_harvested", "movement_id", "harvested_at", where="harvested_at IS NOT NULL"),
    Index("ix_stories_initiative_id", "initiative_id"),
)
story_requests = Table(
    "story_requests",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("place_id", "places"),
    Column("message", String(200), nullable=False),
    Column("thread", String(200)),
    _ref("author_id", "people"),
    _ref("asked_by_id", "people"),
    Column("text", Text, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Index("uq_story_requests_message", "place_id", "message", unique=True),
    Index("ix_story_requests_author_id", "author_id"),
    Index("ix_story_requests_asked_by_id", "asked_by_id"),
    Index("ix_story_requests_movement_id", "movement_id"),
    _index_where("ix_story_requests_open", "asked_at", where="answered_at IS NULL"),
)
ripples = Table(
    "ripples",
    metadata,
    _ref("story_id", "stories", primary=True),
    _ref("person_id", "people", primary=True),
    _ref("movement_id", "movements"),
    _ref("place_id", "places", null=True),
    Column("at", Utc, nullable=False),
    Column("pressed", Boolean, nullable=False),
    Column("reactions", MutableList.as_mutable(JSON()), nullable=False),
    Index("ix_ripples_movement_id", "movement_id", "story_id"),
    Index("ix_ripples_person_id", "person_id"),
)
retellings = Table(
    "retellings",
    metadata,
    _ref("story_id", "stories", primary=True),
    _ref("delivery_id", "deliveries", primary=True),
    _ref("movement_id", "movements"),
    Index("ix_retellings_delivery_id", "delivery_id"),
)
nominations = Table(
    "nominations",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("nominator_id", "people"),
    _ref("nominee_id", "people"),
    Column("figure", Chosen(KeyFigure), nullable=False),
    Column("topic", String(300), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_nominations_movement_id", "movement_id"),
    Index("ix_nominations_nominator_id", "nominator_id"),
    Index("ix_nominations_nominee_id", "nominee_id"),
    Index("uq_nominations_figure", "movement_id", "nominator_id", "nominee_id", "figure", unique=True),
)
ties = Table(
    "ties",
    metadata,
    _ref("movement_id", "movements", primary=True),
    _ref("one_id", "people", primary=True),
    _ref("other_id", "people", primary=True),
    Column("strength", Integer, nullable=False),
    Column("last_at", Utc, nullable=False),
    Index("ix_ties_one_id", "one_id"),
    Index("ix_ties_other_id", "other_id"),
)
invitations = Table(
    "invitations",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("inviter_id", "people"),
    _ref("invitee_id", "people"),
    _ref("place_id", "places", null=True),
    Column("text", Text, nullable=False),
    Column("state", Chosen(InvitationState), nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Index("ix_invitations_invitee_id", "invitee_id", "sent_at"),
    Index("ix_invitations_movement_id", "movement_id", "sent_at"),
    Index("ix_invitations_inviter_id", "inviter_id"),
)
rhythms = Table(
    "rhythms",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("place_id", "places"),
    Column("kind", Chosen(RhythmKind), nullable=False),
    Column("rule", String(300), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("at", Time, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("on_holiday", Chosen(OnHoliday), nullable=False),
    Column("next_at", Utc),
    Column("paused_until", Date),
    Column("ended_at", Utc),
    Column("unanswered", Integer, nullable=False),
    Column("pace_asked_at", Utc),
    _ref("created_by", "people", null=True),
    Column("created_at", Utc, nullable=False),
    Index("ix_rhythms_next_at", "next_at"),
    Index("ix_rhythms_movement_id", "movement_id", "next_at"),
)
moment_changes = Table(
    "moment_changes",
    metadata,
    _ref("rhythm_id", "rhythms", primary=True),
    Column("on", Date, primary_key=True),
    _ref("movement_id", "movements"),
    Column("skipped", Boolean, nullable=False),
    Column("moved_to", Utc),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("row", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False),
    _ref("workspace_id", "workspaces"),
    _ref("movement_id", "movements", null=True),
    _ref("place_id", "places", null=True),
    _ref("person_id", "people", null=True),
    Column("kind", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("args", JSON(), nullable=False),
    Column("act", Chosen(Act), nullable=False),
    Column("thread", String(200)),
    Column("target", String(2000)),
    Column("reaction", String(64), nullable=False),
    Column("priority", Ranked(Priority), nullable=False),
    Column("key", String(200), nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("queued_at", Utc),
    Column("expires_at", Utc),
    Column("state", Chosen(DeliveryState), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("receipt", String(200)),
    Column("receipt_channel", String(200)),
    Column("correlation", String(32), nullable=False, server_default=""),
    Column("created_at", Utc, nullable=False),
    Column("attempted_at", Utc),
    Column("sent_at", Utc),
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("uq_deliveries_id", "id", unique=True),
    Index("uq_deliveries_key", "key", unique=True),
    Index("ix_deliveries_due", "state", "due_at"),
    _index_where("ix_deliveries_waiting", "workspace_id", "priority", "queued_at", "row", where=WAITING),
    _index_where("ix_deliveries_held_back", "workspace_id", where=HELD_BACK),
    Index("ix_deliveries_subject", "kind", "subject"),
    _index_where("ix_deliveries_person_id", "person_id", "sent_at", where="person_id IS NOT NULL"),
    _index_where("ix_deliveries_nudges", "place_id", "sent_at", where=NUDGES_IN_PLACES),
    _index_where("ix_deliveries_receipt", "place_id", "receipt", where="receipt IS NOT NULL"),
    Index("ix_deliveries_movement_id", "movement_id", "created_at"),
    # By person_id too, which is empty in all of them: to SQLite it would else be as good as the one above.
    _index_where("ix_deliveries_not_sent", "movement_id", "person_id", "created_at", where=NOT_SENT_IN_PLACES),
    _index_where("ix_deliveries_taken_away", "place_id", "target", where=TAKEN_AWAY),
)

engine_failures = Table(
    "engine_failures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job", String(64), nullable=False),
    Column("lane", String(64), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("at", Utc, nullable=False, index=True),
)
"""Why a job of many workers failed; see adapters/engine/distributed.py."""
slack_installations = Table(
    "slack_installations",
    metadata,
    Column("team_id", String(64), primary_key=True),
    Column("team_name", String(200), nullable=False),
    Column("app_id", String(64), nullable=False),
    Column("bot_user_id", String(64), nullable=False),
    Column("bot_token", Text, nullable=False),
    Column("refresh_token", Text),
    Column("expires_at", Utc),
    Column("renewing_until", Utc),
    Column("scopes", Text, nullable=False),
    Column("installed_by", String(64), nullable=False),
    Column("installed_at", Utc, nullable=False),
)
"""Tokens are encrypted; see adapters/slack/tokens.py."""
teams_conversations = Table(
    "teams_conversations",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("channel", String(300), primary_key=True),
    Column("service_url", String(300), nullable=False),
    Column("bot", String(200), nullable=False),
    Column("team", String(200), nullable=False),
    Column("account", String(200), nullable=False),
    Column("member", String(200), nullable=False),
    Column("hears", String(3), nullable=False),
    Index("ix_teams_conversations_account", "workspace_id", "account"),
)
"""Where Teams reaches whom; see adapters/teams/references.py."""
slack_states = Table(
    "slack_states",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Utc, nullable=False),
)

MAPPED: dict[type, Table] = {
    Workspace: workspaces,
    Person: people,
    Movement: movements,
    InviteCode: invite_codes,
    Segment: segments,
    Place: places,
    Member: members,
    Purpose: purposes,
    PartSaid: parts_said,
    Initiative: initiatives,
    Participant: participants,
    StuckEpisode: episodes,
    QuestionAsked: questions_asked,
    Company: companies,
    NextStep: steps,
    Chance: chances,
    Story: stories,
    StoryRequest: story_requests,
    Ripple: ripples,
    Retelling: retellings,
    Nomination: nominations,
    Tie: ties,
    Invitation: invitations,
    Rhythm: rhythms,
    MomentChange: moment_changes,
}
_mapper = registry(metadata=metadata)
_NUMBERED = {PartSaid: "id", QuestionAsked: "id"}
"""Rows whose number (the order they were written in) is no business of the domain. For those of the outbox, see
repositories/rows.py."""
for _entity, _table in MAPPED.items():
    _hidden = {"_row": _table.c[_NUMBERED[_entity]]} if _entity in _NUMBERED else {}
    _mapper.map_imperatively(_entity, _table, properties=_hidden)

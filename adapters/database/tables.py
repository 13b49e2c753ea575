"""Define every table, its indexes, and the conditions of the partial ones.

Enumerations are stored as their values, moments as UTC, ids as the opaque text they are. Invariants that must
hold under concurrency are unique indexes: the inbox key, the outbox key, one open episode, one ripple, one membership.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Time,
    false,
    text,
)
from sqlalchemy.ext.mutable import MutableList

from adapters.database.types import EnumValue, OrderedEnum, Utc
from bot.domain.change import MAX_ABOUT_CHARS, CoordinatorAct
from bot.domain.connectors import InvitationState, KeyFigure
from bot.domain.delivery import RETRY_REASONS, Act, DeliveryState, Priority
from bot.domain.door import DoorState
from bot.domain.experiment import Decision
from bot.domain.initiative import Audience, CompanyState, EpisodeState, StuckKind
from bot.domain.magazine import PrintAnswer, PrintName
from bot.domain.meeting import GuestAnswer
from bot.domain.movement import PlaceState, Role
from bot.domain.next_step import ChanceState, StepState
from bot.domain.person import Language, StoryChoice
from bot.domain.rhythm import OnHoliday, RhythmKind
from bot.domain.room import RoomState, Wanted
from bot.domain.story import Dimension, Readers
from bot.domain.stretches import MAX_STRETCHES_CHARS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# Conditions of partial indexes. A query has to repeat one literally: with other words, or a parameter for a value,
# neither database uses the index.
WAITING = "state = 'waiting'"
AWAITING_RETRY = f"{WAITING} AND reason IN {RETRY_REASONS!r}"
"""Deliveries that were put off, and will be tried again."""
NUDGES_IN_PLACES = "person_id IS NULL AND act = 'post' AND priority <> 0"
"""Posts in places, but answers: they draw on the attention budget of the place."""
NOT_POSTED = f"{NUDGES_IN_PLACES} AND reason <> ''"
"""Those of them with a reason why they were not posted, or not at their time."""
TROUBLED = (
    "(deliveries.state IN ('unknown', 'failed', 'dropped')"
    " OR (deliveries.state = 'waiting' AND deliveries.reason <> ''))"
)
"""Deliveries that did not go out as they were to. Those that wait for their moment, or arrived, are none."""
TAKEN_AWAY = "act = 'delete'"
TOLD_OUTSIDE = "readers = 'everyone' AND withdrawn_at IS NULL"
"""Stories that their tellers want read outside the movement too."""
CHANCES_SHARED = "chances.shared"
STORIES_UNINDEXED = "NOT stories.search_indexed AND stories.withdrawn_at IS NULL"
STUCK_NOW = "state = 'open'"
SOLVED_TOGETHER = "state = 'breakthrough'"
PLACES_MISSING_NAME = "name = ''"
PEOPLE_MISSING_NAME = f"{PLACES_MISSING_NAME} AND account IS NOT NULL"
"""Rows whose name the platform has yet to be asked for."""


def _partial_index(name: str, *columns: str, where: str) -> Index:
    """Create an index of the rows that match `where`. Few do: the other rows cost nothing when they are written."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


# Deferred foreign keys are checked on commit, so rows may be inserted and deleted in any order within a transaction.
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
    Column("installed_at", Utc),
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
    Column("language", EnumValue(Language)),
    Column("timezone", String(64)),
    Column("group", String(120), nullable=False),
    Column("quiet_from", Time),
    Column("quiet_until", Time),
    Column("quiet_weekends", Boolean),
    Column("group_quiet_from", Time),
    Column("group_quiet_until", Time),
    Column("group_quiet_weekends", Boolean),
    Column("days_place", String(64), nullable=False, server_default=""),
    Column("days_off", JSON, nullable=False, server_default="{}"),
    # Read and written by the version before 0011 only, which may run beside this one; to be dropped in the next.
    Column("suggestible", Boolean),
    Column("story_choice", EnumValue(StoryChoice)),
    Column("story_named", Boolean, nullable=False),
    Column("named_beyond", Boolean, nullable=False, server_default=false()),
    Column("guest", Boolean, nullable=False, server_default=false()),
    Column("deactivated_at", Utc),
    Column("looked_up_at", Utc),
    Column("chose", JSON, nullable=False, server_default="[]"),
    Column("snoozed_until", Utc),
    Column("stopped_at", Utc),
    Column("unanswered", Integer, nullable=False),
    Column("went_quiet_at", Utc),
    # Read and written by the version before 0007 only, which may run beside this one; to be dropped in the next.
    Column("home_mark", String(64)),
    Column("home_movement", String(64)),
    Column("home_digest", String(24), nullable=False, server_default=""),
    Column("said", JSON(), nullable=False, server_default="{}"),
    Column("created_at", Utc, nullable=False),
    Index("uq_people_account", "workspace_id", "account", unique=True),
    _partial_index("ix_people_nameless", "workspace_id", where=PEOPLE_MISSING_NAME),
    Index("ix_people_looked_up", "workspace_id", "looked_up_at"),
    Index("ix_people_group", "group"),
)
movements = Table(
    "movements",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("language", EnumValue(Language), nullable=False),
    Column("country", String(8), nullable=False),
    Column("good_friday", Boolean, nullable=False, default=False),
    Column("region", String(64), nullable=False, server_default=""),
    Column("weekend", String(7), nullable=False, server_default=""),
    Column("holidays", JSON, nullable=False, server_default="[]"),
    Column("timezone", String(64), nullable=False),
    Column("reach", JSON, nullable=False, server_default="{}"),
    Column("looked_at", Utc),
    Column("council_agreed_at", Utc),
    Column("figures", JSON, nullable=False, server_default="{}"),
    Column("closed", String(MAX_STRETCHES_CHARS), nullable=False, server_default=""),
    Column("meaning", String(32), nullable=False, server_default="triangle"),
    Column("clouds", JSON, nullable=False, server_default="{}"),
    Column("spread", JSON, nullable=False, server_default="{}"),
    Column("weeks", JSON, nullable=False, server_default="{}"),
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
    Column("language", EnumValue(Language)),
    Column("timezone", String(64), nullable=False),
    Column("quiet_from", Time, nullable=False),
    Column("quiet_until", Time, nullable=False),
    Column("quiet_weekends", Boolean, nullable=False),
    Column("country", String(8), nullable=False, server_default=""),
    Column("region", String(64), nullable=False, server_default=""),
    Column("weekend", String(7), nullable=False, server_default=""),
    Column("holidays", JSON, nullable=False, server_default="[]"),
    Column("state", EnumValue(PlaceState), nullable=False),
    Column("state_reason", String(64), nullable=False),
    Column("lost_at", Utc),
    Column("said", JSON(), nullable=False, server_default="{}"),
    Column("created_at", Utc, nullable=False),
    Index("uq_places_channel", "workspace_id", "channel", unique=True),
    Index("ix_places_movement_id", "movement_id"),
    _partial_index("ix_places_nameless", "workspace_id", where=PLACES_MISSING_NAME),
)
members = Table(
    "members",
    metadata,
    _ref("movement_id", "movements", primary=True),
    _ref("person_id", "people", primary=True),
    Column("role", EnumValue(Role), nullable=False),
    Column("joined_at", Utc, nullable=False),
    Column("suggestible", Boolean),
    Column("figures", JSON, nullable=False, server_default="[]"),
    Column("meets", Boolean),
    Column("suggested", JSON, nullable=False, server_default="[]"),
    Index("ix_members_person_id", "person_id", "joined_at"),
)
coordinator_changes = Table(
    "coordinator_changes",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("kind", EnumValue(CoordinatorAct), nullable=False),
    Column("about", String(MAX_ABOUT_CHARS), nullable=False),
    _ref("by_id", "people"),
    Column("at", Utc, nullable=False),
    Index("ix_coordinator_changes_movement_id", "movement_id", "at"),
    Index("ix_coordinator_changes_by_id", "by_id"),
    Index("ix_coordinator_changes_at", "at"),
)
"""Changes that coordinators made, for everyone in the movement to read; see bot/changes.py."""
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
group_hours = Table(
    "group_hours",
    metadata,
    _ref("movement_id", "movements", primary=True),
    Column("key", String(120), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("quiet_from", Time, nullable=False),
    Column("quiet_until", Time, nullable=False),
    Column("quiet_weekends", Boolean, nullable=False),
    Column("set_at", Utc, nullable=False),
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
    Column("seeks_since", Utc),
    Column("silence_asked_at", Utc),
    Column("rests_since", Utc),
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
rooms = Table(
    "rooms",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("asker_id", "people"),
    _ref("giver_id", "people"),
    Column("trying", Text, nullable=False),
    Column("asking", Text, nullable=False),
    Column("limit", String(300), nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("state", EnumValue(RoomState), nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Column("wanted", EnumValue(Wanted), nullable=False, server_default=Wanted.ROOM.value),
    Column("support", String(300), nullable=False, server_default=""),
    Column("supported_at", Utc),
    Index("ix_rooms_movement_id", "movement_id"),
    Index("ix_rooms_initiative_id", "initiative_id"),
    Index("ix_rooms_asker_id", "asker_id"),
    Index("ix_rooms_giver_id", "giver_id"),
    Index("ix_rooms_ends_at", "ends_at"),
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
    Column("kind", EnumValue(StuckKind), nullable=False),
    Column("audience", EnumValue(Audience), nullable=False),
    Column("helpers", MutableList.as_mutable(JSON()), nullable=False),
    Column("state", EnumValue(EpisodeState), nullable=False),
    Column("still_stuck", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("ix_stuck_episodes_movement_id", "movement_id", "opened_at"),
    Index("ix_stuck_episodes_person_id", "person_id", "state"),
    Index("ix_stuck_episodes_initiative_id", "initiative_id", "movement_id", "opened_at"),
    Index("ix_stuck_episodes_closed_at", "closed_at"),
    _partial_index("ix_stuck_episodes_now", "person_id", "movement_id", "opened_at", where=STUCK_NOW),
    _partial_index("ix_stuck_episodes_solved", "initiative_id", "movement_id", "closed_at", where=SOLVED_TOGETHER),
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
    Index("ix_questions_asked_episode_id", "episode_id"),
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
    Column("state", EnumValue(CompanyState), nullable=False),
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
    # No foreign key: SQLite cannot add one to a table that is there.
    Column("experiment_id", String(64)),
    _ref("person_id", "people"),
    Column("cue", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("with_whom", String(300), nullable=False),
    Column("on_my_own", Boolean, nullable=False),
    Column("follow_up_at", Utc, nullable=False),
    Column("state", EnumValue(StepState), nullable=False),
    Column("not_yet", Integer, nullable=False),
    Column("posted", Boolean, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("chosen_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("ix_next_steps_person_id", "person_id", "state"),
    Index("ix_next_steps_story_id", "story_id"),
    Index("ix_next_steps_experiment_id", "experiment_id"),
    Index("ix_next_steps_closed_at", "closed_at"),
    Index("ix_next_steps_movement_id", "movement_id", "state", "closed_at"),
    Index("ix_next_steps_initiative_id", "initiative_id", "movement_id", "state", "closed_at"),
    Index("ix_next_steps_episode_id", "episode_id"),
)
experiments = Table(
    "experiments",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("person_id", "people"),
    Column("trying", Text, nullable=False),
    Column("sign", Text, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("moved", Integer, nullable=False),
    Column("decision", EnumValue(Decision)),
    Column("decided_at", Utc),
    Column("started_at", Utc, nullable=False),
    Index("ix_experiments_movement_id", "movement_id", "initiative_id"),
    Index("ix_experiments_person_id", "person_id"),
    Index("ix_experiments_ends_at", "ends_at"),
)
experiment_answers = Table(
    "experiment_answers",
    metadata,
    _ref("experiment_id", "experiments", primary=True),
    _ref("person_id", "people", primary=True),
    _ref("movement_id", "movements"),
    Column("answer", EnumValue(Decision), nullable=False),
    Column("learned", Text, nullable=False),
    Column("answered_at", Utc, nullable=False),
    Index("ix_experiment_answers_person_id", "person_id"),
    Index("ix_experiment_answers_movement_id", "movement_id"),
)
chances = Table(
    "chances",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("person_id", "people"),
    Column("text", Text, nullable=False),
    Column("noted_at", Utc, nullable=False),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("state", EnumValue(ChanceState), nullable=False, server_default=ChanceState.OPEN.value),
    Column("comes_back_at", Utc),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("closed_at", Utc),
    Index("ix_chances_movement_id", "movement_id", "noted_at"),
    _partial_index("ix_chances_shared", "movement_id", "noted_at", where=CHANCES_SHARED.replace("chances.", "")),
    Index("ix_chances_person_id", "person_id"),
    Index("ix_chances_noted_at", "noted_at"),
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
    Column("called", String(80), nullable=False, server_default=""),
    Column("readers", EnumValue(Readers), nullable=False),
    _ref("initiative_id", "initiatives", null=True),
    Column("dimension", EnumValue(Dimension)),
    Column("part", String(64), nullable=False),
    Column("told_at", Utc, nullable=False),
    Column("withdrawn_at", Utc),
    Column("harvested_at", Utc),
    # Withdrawn because its message was deleted; it comes back with the message.
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("meant", String(64), nullable=False, server_default=""),
    Column("meant_at", Utc),
    # Where it is among all in order of time, and whether its words are in `story_postings`.
    Column("search_position", BigInteger),
    Column("search_indexed", Boolean, nullable=False, server_default=false()),
    Index("uq_stories_message", "place_id", "message", unique=True),
    Index("ix_stories_movement_id", "movement_id", "told_at"),
    Index("ix_stories_teller_id", "teller_id", "told_at"),
    _partial_index("ix_stories_thread", "place_id", "thread", where="thread IS NOT NULL"),
    _partial_index("ix_stories_harvested", "movement_id", "harvested_at", where="harvested_at IS NOT NULL"),
    Index("ix_stories_initiative_id", "initiative_id", "movement_id", "told_at"),
    Index("uq_stories_search_position", "search_position", unique=True),
    Index("ix_stories_search", "movement_id", "search_position"),
    _partial_index("ix_stories_meant", "movement_id", "meant", where="meant_at IS NOT NULL"),
    _partial_index("ix_stories_outside", "movement_id", "told_at", "id", where=TOLD_OUTSIDE),
    _partial_index("ix_stories_unindexed", "movement_id", "told_at", where=STORIES_UNINDEXED.replace("stories.", "")),
)
story_postings = Table(
    "story_postings",
    metadata,
    # No foreign key: it would have whoever indexes stories wait for those who act in their movement.
    Column("movement_id", String(64), primary_key=True),
    # In the order of their letters, whatever the language of the database: words are found by how they begin.
    Column("token", String(64).with_variant(String(64, collation="C"), "postgresql"), primary_key=True),
    Column("until", BigInteger, primary_key=True, autoincrement=False),
    Column("entries", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
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
    _partial_index("ix_story_requests_open", "asked_at", where="answered_at IS NULL"),
)
held_words = Table(
    "held_words",
    metadata,
    _id(),
    _ref("workspace_id", "workspaces"),
    _ref("person_id", "people"),
    _ref("movement_id", "movements", null=True),
    Column("intent", String(64), nullable=False),
    Column("args", JSON, nullable=False),
    Column("texts", JSON, nullable=False),
    Column("channel", String(200), nullable=False),
    Column("channel_name", String(200), nullable=False),
    Column("personal", Boolean, nullable=False),
    Column("thread", String(200)),
    Column("message", String(200)),
    Column("asked_at", Utc, nullable=False),
    Index("ix_held_words_person_id", "person_id"),
    Index("ix_held_words_movement_id", "movement_id"),
    Index("ix_held_words_asked_at", "asked_at"),
    Index("ix_held_words_message", "workspace_id", "message"),
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
    Index("ix_ripples_at", "movement_id", "at"),
)
significances = Table(
    "significances",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("story_id", "stories"),
    _ref("place_id", "places"),
    # The id of a post; no foreign key: what was chosen outlives it.
    Column("round", String(64), nullable=False),
    _ref("by_id", "people"),
    Column("why", Text, nullable=False),
    Column("chosen_at", Utc, nullable=False),
    Column("agreed_at", Utc),
    Index("uq_significances_round", "round", unique=True),
    Index("ix_significances_story_id", "story_id"),
    Index("ix_significances_movement_id", "movement_id"),
    Index("ix_significances_by_id", "by_id"),
)
retellings = Table(
    "retellings",
    metadata,
    _ref("story_id", "stories", primary=True),
    _ref("delivery_id", "deliveries", primary=True),
    _ref("movement_id", "movements"),
    Index("ix_retellings_delivery_id", "delivery_id"),
)
mentions = Table(
    "mentions",
    metadata,
    # No foreign key: both go together, but the delivery of an answer may go first.
    Column("delivery_id", String(64), primary_key=True),
    _ref("person_id", "people", primary=True),
    _ref("workspace_id", "workspaces"),
    Index("ix_mentions_person_id", "person_id"),
)
"""The people named, or quoted, in messages to others: these are taken back when one of them is forgotten."""
old_messages = Table(
    "old_messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _ref("workspace_id", "workspaces"),
    _ref("person_id", "people"),
    Column("channel", String(200), nullable=False),
    Column("message", String(200), nullable=False),
    Index("ix_old_messages_person_id", "person_id"),
)
"""Places of messages to someone, or that name someone, whose deliveries were deleted: to be deleted there when
that person is forgotten."""
nominations = Table(
    "nominations",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("nominator_id", "people"),
    _ref("nominee_id", "people"),
    Column("figure", EnumValue(KeyFigure), nullable=False),
    Column("topic", String(300), nullable=False),
    Column("at", Utc, nullable=False),
    Column("refused", Boolean, nullable=False, server_default=false()),
    Index("ix_nominations_movement_id", "movement_id"),
    Index("ix_nominations_nominator_id", "nominator_id"),
    Index("ix_nominations_at", "at"),
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
    Index("ix_ties_other_id", "other_id", "movement_id", "one_id"),
    Index("ix_ties_movement_id", "movement_id", "last_at"),
)
networks = Table(
    "networks",
    metadata,
    _ref("movement_id", "movements", primary=True),
    Column("ties", Integer, nullable=False),
    Column("circle", Integer, nullable=False),
)
"""How often the ties of a movement changed, and its people, their groups, or who agreed to be suggested: by that a
network kept in memory knows that it is old."""
suggestions = Table(
    "suggestions",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    _ref("asker_id", "people"),
    _ref("person_id", "people"),
    Column("at", Utc, nullable=False),
    Column("rests_until", Utc),
    Index("ix_suggestions_movement_id", "movement_id"),
    Index("ix_suggestions_asker_id", "asker_id", "at"),
    Index("ix_suggestions_person_id", "person_id", "at"),
    Index("ix_suggestions_at", "at"),
)
tie_answers = Table(
    "tie_answers",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("person_id", "people"),
    _ref("other_id", "people"),
    Column("shown", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Index("uq_tie_answers_pair", "movement_id", "person_id", "other_id", unique=True),
    Index("ix_tie_answers_person_id", "person_id"),
    Index("ix_tie_answers_other_id", "other_id"),
    Index("ix_tie_answers_at", "at"),
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
    Column("state", EnumValue(InvitationState), nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Column("confirmed", Boolean),
    Column("story_id", String(64)),
    Index("ix_invitations_sent_at", "sent_at"),
    Index("ix_invitations_invitee_id", "invitee_id", "sent_at"),
    Index("ix_invitations_movement_id", "movement_id", "sent_at"),
    Index("ix_invitations_inviter_id", "inviter_id"),
)
practices = Table(
    "practices",
    metadata,
    _ref("movement_id", "movements", primary=True),
    Column("behaviour", String(16), primary_key=True),
    _ref("person_id", "people", primary=True),
    _ref("place_id", "places", null=True),
    Column("at", Utc, nullable=False),
    Index("ix_practices_person_id", "person_id"),
)
meetings = Table(
    "meetings",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("place_id", "places", null=True),
    Column("question", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("proposed_at", Utc, nullable=False),
    Index("ix_meetings_movement_id", "movement_id"),
    Index("ix_meetings_proposed_at", "proposed_at"),
)
meeting_guests = Table(
    "meeting_guests",
    metadata,
    _ref("meeting_id", "meetings", primary=True),
    _ref("person_id", "people", primary=True),
    _ref("movement_id", "movements"),
    Column("answer", EnumValue(GuestAnswer), nullable=False),
    Column("met", Boolean),
    Column("answered_at", Utc),
    Index("ix_meeting_guests_person_id", "person_id"),
    Index("ix_meeting_guests_movement_id", "movement_id"),
)
history_rounds = Table(
    "history_rounds",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives"),
    Column("asked_at", Utc, nullable=False),
    Column("told_at", Utc, nullable=False),
    Index("ix_history_rounds_movement_id", "movement_id"),
    Index("ix_history_rounds_initiative_id", "initiative_id", "asked_at"),
    Index("ix_history_rounds_told_at", "told_at"),
)
history_answers = Table(
    "history_answers",
    metadata,
    _ref("round_id", "history_rounds", primary=True),
    _ref("person_id", "people", primary=True),
    _ref("movement_id", "movements"),
    Column("moment", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("named", Boolean, nullable=False),
    Column("answered_at", Utc, nullable=False),
    Index("ix_history_answers_person_id", "person_id"),
    Index("ix_history_answers_movement_id", "movement_id"),
)
rhythms = Table(
    "rhythms",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("place_id", "places"),
    Column("kind", EnumValue(RhythmKind), nullable=False),
    Column("rule", String(300), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("at", Time, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("on_holiday", EnumValue(OnHoliday), nullable=False),
    Column("next_at", Utc),
    Column("paused_until", Date),
    Column("pauses", String(MAX_STRETCHES_CHARS), nullable=False, server_default=""),
    Column("ended_at", Utc),
    Column("unanswered", Integer, nullable=False),
    Column("pace_asked_at", Utc),
    Column("previous", JSON(), nullable=False, server_default="{}"),
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
    Column("slot", Integer, primary_key=True, autoincrement=False, server_default="0"),
    _ref("movement_id", "movements"),
    Column("skipped", Boolean, nullable=False),
    Column("moved_to", Utc),
)
deliveries = Table(
    "deliveries",
    metadata,
    # The order in which deliveries were planned; `id` is opaque and random.
    Column("row", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False),
    _ref("workspace_id", "workspaces"),
    _ref("movement_id", "movements", null=True),
    _ref("place_id", "places", null=True),
    _ref("person_id", "people", null=True),
    Column("kind", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("args", JSON(), nullable=False),
    Column("act", EnumValue(Act), nullable=False),
    Column("thread", String(200)),
    Column("target", String(2000)),
    # Where the target is, when that is another channel than the place's or person's.
    Column("target_channel", String(200)),
    Column("reaction", String(64), nullable=False),
    Column("priority", OrderedEnum(Priority), nullable=False),
    Column("key", String(200), nullable=False),
    # When to try next; a retry moves it. The place in the line is `queued_at`, which a retry keeps.
    Column("due_at", Utc, nullable=False),
    Column("queued_at", Utc),
    Column("expires_at", Utc),
    Column("state", EnumValue(DeliveryState), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("receipt", String(200)),
    Column("receipt_channel", String(200)),
    Column("correlation", String(32), nullable=False, server_default=""),
    Column("created_at", Utc, nullable=False),
    Column("attempted_at", Utc),
    Column("sent_at", Utc),
    # Optimistic lock: every update increments it, and matches the value that was read.
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("uq_deliveries_id", "id", unique=True),
    Index("uq_deliveries_key", "key", unique=True),
    Index("ix_deliveries_due", "state", "due_at"),
    _partial_index("ix_deliveries_waiting", "workspace_id", "priority", "queued_at", "row", where=WAITING),
    _partial_index("ix_deliveries_held_back", "workspace_id", where=AWAITING_RETRY),
    Index("ix_deliveries_subject", "kind", "subject"),
    _partial_index("ix_deliveries_person_id", "person_id", "sent_at", where="person_id IS NOT NULL"),
    _partial_index("ix_deliveries_nudges", "place_id", "sent_at", where=NUDGES_IN_PLACES),
    # Of a movement: or PostgreSQL, as long as it has no statistics, takes it for those of a place.
    _partial_index(
        "ix_deliveries_posts", "movement_id", "created_at", where=f"{NUDGES_IN_PLACES} AND movement_id IS NOT NULL"
    ),
    _partial_index("ix_deliveries_receipt", "place_id", "receipt", where="receipt IS NOT NULL"),
    Index("ix_deliveries_movement_id", "movement_id", "created_at"),
    # By person_id too, which is empty in all of them: to SQLite it would else be as good as the one above.
    _partial_index("ix_deliveries_not_sent", "movement_id", "person_id", "created_at", where=NOT_POSTED),
    _partial_index("ix_deliveries_troubled", "movement_id", "due_at", where=TROUBLED.replace("deliveries.", "")),
    _partial_index("ix_deliveries_taken_away", "place_id", "target", where=TAKEN_AWAY),
)

magazines = Table(
    "magazines",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives", null=True),
    Column("dimension", EnumValue(Dimension)),
    Column("period", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    Column("words", Text, nullable=False),
    Column("history", Boolean, nullable=False),
    _ref("made_by", "people", null=True),
    Column("begun_at", Utc, nullable=False),
    Column("shown_at", Utc),
    Index("ix_magazines_movement_id", "movement_id", "begun_at"),
    Index("ix_magazines_made_by", "made_by"),
)
magazine_stories = Table(
    "magazine_stories",
    metadata,
    _ref("magazine_id", "magazines", primary=True),
    _ref("story_id", "stories", primary=True),
    _ref("movement_id", "movements"),
    _ref("person_id", "people"),
    Column("chosen", Boolean, nullable=False),
    Column("answer", EnumValue(PrintAnswer), nullable=False),
    Column("shown_name", EnumValue(PrintName), nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("answered_at", Utc),
    Index("ix_magazine_stories_person_id", "person_id"),
    Index("ix_magazine_stories_movement_id", "movement_id"),
    Index("ix_magazine_stories_story_id", "story_id"),
    Index("ix_magazine_stories_asked_at", "asked_at"),
)
"""Stories chosen for a magazine, and what their tellers answer."""

personal_files = Table(
    "personal_files",
    metadata,
    _id(),
    _ref("workspace_id", "workspaces"),
    _ref("person_id", "people"),
    Column("asked_at", Utc, nullable=False),
    Column("made_at", Utc),
    Column("expires_at", Utc, nullable=False),
    Column("sends", Integer, nullable=False, server_default="0"),
    Column("kind", String(16), nullable=False, server_default="everything"),
    # No foreign key: SQLite cannot add one to a table that is there.
    Column("movement_id", String(64)),
    # What it holds, where that is looked up each time it is opened.
    Column("subject", String(64), nullable=False, server_default=""),
    Column("changes", Integer, nullable=False, server_default="0"),
    # The page, compressed; read and written apart from the rest, because it may be megabytes.
    Column("content", LargeBinary),
    Index("ix_personal_files_person_id", "person_id", "asked_at"),
    Index("ix_personal_files_expires_at", "expires_at"),
)

page_sessions = Table(
    "page_sessions",
    metadata,
    _id(),
    _ref("person_id", "people"),
    Column("made_at", Utc, nullable=False),
    Column("opened_at", Utc),
    Column("expires_at", Utc, nullable=False),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("device", String(60), nullable=False, server_default=""),
    Column("coordinated", Boolean, nullable=False, server_default=false()),
    Index("ix_page_sessions_person_id", "person_id", "made_at"),
    Index("ix_page_sessions_expires_at", "expires_at"),
    Index("ix_page_sessions_digest", "digest"),
)

story_doors = Table(
    "story_doors",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("initiative_id", "initiatives"),
    Column("question", Text, nullable=False),
    _ref("opened_by", "people", null=True),
    Column("opened_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Index("ix_story_doors_movement_id", "movement_id", "opened_at"),
    Index("ix_story_doors_opened_by", "opened_by"),
)
door_stories = Table(
    "door_stories",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    _ref("door_id", "story_doors"),
    Column("press", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("called", String(80), nullable=False),
    Column("told_at", Utc, nullable=False),
    Column("state", EnumValue(DoorState), nullable=False),
    _ref("story_id", "stories", null=True),
    Column("ended_at", Utc),
    Column("changed_at", Utc),
    Column("changes", Integer, nullable=False, server_default="0"),
    Index("uq_door_stories_press", "press", unique=True),
    Index("uq_door_stories_code", "code", unique=True),
    Index("ix_door_stories_door_id", "door_id", "state", "told_at"),
    Index("ix_door_stories_told_at", "told_at"),
    Index("ix_door_stories_movement_id", "movement_id"),
    Index("ix_door_stories_ended_at", "ended_at"),
    Index("ix_door_stories_changed_at", "changed_at"),
)
calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    _id(),
    _ref("workspace_id", "workspaces"),
    _ref("movement_id", "movements"),
    _ref("person_id", "people"),
    Column("digest", String(64), nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("mark", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("uq_calendar_feeds_digest", "digest", unique=True),
    Index("uq_calendar_feeds_person_id", "person_id", "movement_id", unique=True),
    Index("ix_calendar_feeds_movement_id", "movement_id"),
)
"""Private links by which somebody's own calendar follows a movement; see bot/domain/feed.py."""
api_tokens = Table(
    "api_tokens",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("name", String(60), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    _ref("made_by", "people", null=True),
    Column("made_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("used_on", Date),
    Index("uq_api_tokens_digest", "digest", unique=True),
    Index("ix_api_tokens_movement_id", "movement_id"),
)
"""Keys by which programs outside read what a movement shows; see bot/domain/api_token.py."""
holdouts = Table(
    "holdouts",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("seed", String(64), nullable=False),
    Column("begun_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Index("ix_holdouts_movement_id", "movement_id"),
)
holdout_turns = Table(
    "holdout_turns",
    metadata,
    _ref("holdout_id", "holdouts", primary=True),
    _ref("place_id", "places", primary=True),
    Column("period", Integer, primary_key=True),
    _ref("movement_id", "movements"),
    Column("starts_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("left_out", Boolean, nullable=False),
    Column("stories", Integer),
    Column("steps", Integer),
    Index("ix_holdout_turns_movement_id", "movement_id", "ends_at"),
    Index("ix_holdout_turns_place_id", "place_id", "ends_at"),
)
"""Which places the lot leaves out of reminders, and how much followed; see bot/domain/holdout.py."""
webhooks = Table(
    "webhooks",
    metadata,
    _id(),
    _ref("movement_id", "movements"),
    Column("url", String(300), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("events", JSON, nullable=False),
    _ref("made_by", "people", null=True),
    Column("made_at", Utc, nullable=False),
    Column("failing_since", Utc),
    Column("ended_at", Utc),
    Index("ix_webhooks_movement_id", "movement_id"),
)
"""Addresses outside that hear what happens in a movement, each with an encrypted secret; see bot/domain/webhook.py."""
engine_failures = Table(
    "engine_failures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job", String(64), nullable=False),
    Column("lane", String(64), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("at", Utc, nullable=False, index=True),
)
"""Reasons of failed jobs; see adapters/engine/retry_policy.py."""
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
"""Tokens are encrypted; `renewing_until` is a lease on their renewal. See adapters/slack/tokens.py."""
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
"""How to reach the places and people of Teams; see adapters/teams/references.py."""
teams_removals = Table(
    "teams_removals",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("channel", String(300), primary_key=True),
    Column("service_url", String(300), nullable=False),
    Column("bot", String(200), nullable=False),
    Column("removed_at", Utc, nullable=False),
)
"""Since when Ritme is out of conversations of Teams, kept for 30 days: what was said there before arrives late."""
slack_states = Table(
    "slack_states",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Utc, nullable=False),
)
"""Digests of the OAuth states of installs that came back from Slack, until they expire; each can be used once."""

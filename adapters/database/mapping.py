"""Map the domain's dataclasses onto the tables.

Importing this module registers the mappers, once. The package `adapters.database.repositories` imports it, so that no
query can run without them.
"""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import deferred, registry

from adapters.database.tables import (
    api_tokens,
    calendar_feeds,
    chances,
    companies,
    coordinator_changes,
    door_stories,
    episodes,
    experiment_answers,
    experiments,
    group_hours,
    held_words,
    history_answers,
    history_rounds,
    holdout_turns,
    holdouts,
    initiatives,
    invitations,
    invite_codes,
    magazine_stories,
    magazines,
    meeting_guests,
    meetings,
    members,
    metadata,
    moment_changes,
    movements,
    nominations,
    page_sessions,
    participants,
    parts_said,
    people,
    personal_files,
    places,
    practices,
    purposes,
    retellings,
    rhythms,
    ripples,
    rooms,
    segments,
    significances,
    steps,
    stories,
    story_doors,
    story_requests,
    suggestions,
    tie_answers,
    ties,
    webhooks,
    workspaces,
)
from bot.domain.api_token import ApiToken
from bot.domain.change import CoordinatorChange
from bot.domain.choosing import Significance
from bot.domain.connectors import Invitation, Nomination, Suggestion, Tie, TieAnswer
from bot.domain.door import DoorStory, StoryDoor
from bot.domain.experiment import Experiment, ExperimentAnswer
from bot.domain.feed import CalendarFeed
from bot.domain.group_hours import GroupHours
from bot.domain.held_words import HeldWords
from bot.domain.history import HistoryAnswer, HistoryRound
from bot.domain.holdout import Holdout, HoldoutTurn
from bot.domain.initiative import Company, Initiative, Participant, StuckEpisode
from bot.domain.magazine import Magazine, PrintConsent
from bot.domain.meeting import Guest, Meeting
from bot.domain.movement import InviteCode, Member, Movement, PartSaid, Place, Purpose, Segment
from bot.domain.next_step import Chance, NextStep
from bot.domain.page_session import PageSession
from bot.domain.person import Person, Workspace
from bot.domain.personal_file import PersonalFile
from bot.domain.practice import Practice
from bot.domain.rhythm import MomentChange, Rhythm
from bot.domain.room import Room
from bot.domain.story import Retelling, Ripple, Story, StoryRequest
from bot.domain.webhook import Webhook

MAPPED: dict[type, Table] = {
    Workspace: workspaces,
    Person: people,
    PersonalFile: personal_files,
    PageSession: page_sessions,
    CalendarFeed: calendar_feeds,
    ApiToken: api_tokens,
    StoryDoor: story_doors,
    DoorStory: door_stories,
    Webhook: webhooks,
    Movement: movements,
    InviteCode: invite_codes,
    Segment: segments,
    GroupHours: group_hours,
    Place: places,
    Member: members,
    CoordinatorChange: coordinator_changes,
    Purpose: purposes,
    PartSaid: parts_said,
    Practice: practices,
    Initiative: initiatives,
    Participant: participants,
    Room: rooms,
    StuckEpisode: episodes,
    Company: companies,
    NextStep: steps,
    Chance: chances,
    Experiment: experiments,
    ExperimentAnswer: experiment_answers,
    Story: stories,
    StoryRequest: story_requests,
    HeldWords: held_words,
    Significance: significances,
    Ripple: ripples,
    Retelling: retellings,
    Nomination: nominations,
    Tie: ties,
    TieAnswer: tie_answers,
    Invitation: invitations,
    Suggestion: suggestions,
    Magazine: magazines,
    PrintConsent: magazine_stories,
    Meeting: meetings,
    Guest: meeting_guests,
    HistoryRound: history_rounds,
    HistoryAnswer: history_answers,
    Rhythm: rhythms,
    MomentChange: moment_changes,
    Holdout: holdouts,
    HoldoutTurn: holdout_turns,
}
"""The table of each class. `Delivery` is not among them: repositories/rows.py loads and writes the outbox in bulk."""
_NUMBERED = {PartSaid: "id"}
"""The column that numbers the rows in the order they were written. The domain's classes do not have it, so it is mapped
to a private attribute."""
_UNMAPPED: dict[type, tuple[str, ...]] = {
    Person: ("home_mark", "suggestible"),
    Movement: ("good_friday",),
    PersonalFile: ("content",),
}
"""Columns that only the version before this one uses, and one too large to be loaded with its row."""
_PRIVATE: dict[type, dict[str, Any]] = {
    # Written by adapters/database/story_words.py, and never loaded with a story.
    Story: {
        "_search_position": deferred(stories.c.search_position),
        "_search_indexed": deferred(stories.c.search_indexed),
    },
    **{entity: {"_row": MAPPED[entity].c[column]} for entity, column in _NUMBERED.items()},
}
_registry = registry(metadata=metadata)
for _entity, _table in MAPPED.items():
    _private = _PRIVATE.get(_entity, {})
    _registry.map_imperatively(_entity, _table, properties=_private, exclude_properties=_UNMAPPED.get(_entity, ()))

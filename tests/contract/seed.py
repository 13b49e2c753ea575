"""Seed a database with two organisations, each with a movement of its own, and make rows for them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from adapters.database.unit_of_work import Begin, UnitsOfWork, connect, unit_of_work
from bot.domain.api_token import ApiToken, ApiTokenId
from bot.domain.change import ChangeId, CoordinatorAct, CoordinatorChange
from bot.domain.choosing import Significance, SignificanceId
from bot.domain.connectors import (
    Invitation,
    InvitationId,
    KeyFigure,
    Nomination,
    NominationId,
    Suggestion,
    SuggestionId,
    TieAnswer,
    TieAnswerId,
)
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.door import DoorStory, DoorStoryId, StoryDoor, StoryDoorId
from bot.domain.experiment import Decision, Experiment, ExperimentAnswer, ExperimentId
from bot.domain.feed import CalendarFeed, FeedId
from bot.domain.group_hours import GroupHours
from bot.domain.held_words import HeldWords, HeldWordsId
from bot.domain.history import HistoryAnswer, HistoryRound, HistoryRoundId
from bot.domain.holdout import Holdout, HoldoutId, HoldoutTurn
from bot.domain.initiative import (
    Company,
    CompanyId,
    EpisodeId,
    EpisodeState,
    Initiative,
    InitiativeId,
    Participant,
    StuckEpisode,
)
from bot.domain.magazine import Magazine, MagazineId, PrintAnswer, PrintConsent
from bot.domain.meeting import Guest, GuestAnswer, Meeting, MeetingId
from bot.domain.movement import (
    InviteCode,
    InviteCodeId,
    Member,
    Movement,
    MovementId,
    PartSaid,
    Place,
    PlaceId,
    Purpose,
    PurposeId,
    Role,
    Segment,
)
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId, StepState
from bot.domain.page_session import PageSession, PageSessionId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.practice import Practice
from bot.domain.rhythm import MomentChange, Rhythm, RhythmId, RhythmKind
from bot.domain.room import Room, RoomId, RoomState
from bot.domain.story import Dimension, Readers, Retelling, Ripple, Story, StoryId, StoryRequest, StoryRequestId
from bot.domain.webhook import Webhook, WebhookId
from bot.ports import Transact, UnitOfWork
from tests.support.databases import OpenDatabase, open_database
from tests.support.world import MONDAY as NOW

W1, W2 = WorkspaceId("test:W1"), WorkspaceId("test:W2")
OURS, THEIRS = MovementId("ours"), MovementId("theirs")
HERE, NIGHT, THERE = PlaceId("here"), PlaceId("night"), PlaceId("there")
FATIMA, JAN, NOOR = PersonId("fatima"), PersonId("jan"), PersonId("noor")
WALK, SPELL, BESIDE = InitiativeId("walk"), EpisodeId("spell"), CompanyId("beside")
STEP, CHANCE = StepId("step"), ChanceId("chance")
TOLD, ASKED, WEEKLY = StoryId("told"), StoryRequestId("asked"), RhythmId("weekly")
NAMED, INVITED = NominationId("named"), InvitationId("invited")
TRIED = ExperimentId("tried")
LOOKED = HistoryRoundId("looked")
LUNCH, ROOM = MeetingId("lunch"), RoomId("room")
DOOR, SAID = StoryDoorId("door"), DoorStoryId("said")
PRINTED = MagazineId("printed")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_numbers = count(1)


@dataclass(frozen=True)
class Seeded:
    """A seeded database; `begin` and `begin_other` open transactions over connections of their own."""

    storage: OpenDatabase
    other: UnitsOfWork

    @property
    def begin(self) -> Begin:
        return self.storage.begin

    @property
    def begin_other(self) -> Begin:
        return self.other.begin

    @property
    def both(self) -> tuple[Transact, Transact]:
        return self.storage.transact, self.other

    async def add(self, *rows: Any) -> None:
        """Store rows of any kind in one transaction."""
        async with self.begin() as work:
            for row in rows:
                if isinstance(row, Delivery):
                    assert await work.deliveries.add_new(row)
                else:
                    work.movements.add(row)  # every repository stores whatever it is given


@asynccontextmanager
async def seed_database(kind: str, folder: Path) -> AsyncIterator[Seeded]:
    """Open a database with two workspaces, two movements and three places; Fatima coordinates ours, Noor theirs."""
    async with open_database(kind, folder) as storage:
        other = connect(storage.url)
        seeded = Seeded(storage, unit_of_work(other))
        await seeded.add(
            Workspace(id=W1, name="Oost"),
            Workspace(id=W2, name="West"),
            *(Movement(id=one, name=one, language=Language.NL, started_at=NOW) for one in (OURS, THEIRS)),
            place(HERE, W1, OURS, country="BE"),
            place(NIGHT, W1, OURS),
            place(THERE, W2, THEIRS),
            *(person(one, W1, group="nacht", days_place=HERE) for one in (FATIMA, JAN)),
            person(NOOR, W2),
            Member(movement_id=OURS, person_id=FATIMA, role=Role.COORDINATOR, joined_at=NOW),
            Member(movement_id=OURS, person_id=JAN, joined_at=NOW + HOUR, suggestible=True, meets=True),
            Member(movement_id=THEIRS, person_id=NOOR, role=Role.COORDINATOR, joined_at=NOW),
        )
        try:
            yield seeded
        finally:
            await other.dispose()


def place(id: PlaceId, workspace: WorkspaceId, movement: MovementId | None, **more: Any) -> Place:
    """Make a place, linked to `movement` unless it is None."""
    named = {"channel": f"c-{id}", "name": id, **more}
    return Place(id=id, workspace_id=workspace, movement_id=movement, created_at=NOW, **named)


def person(id: PersonId, workspace: WorkspaceId, **more: Any) -> Person:
    """Make a person of a workspace, with account `u-<id>`."""
    return Person(id=id, workspace_id=workspace, **{"account": f"u-{id}", "name": id, "created_at": NOW, **more})


def delivery(key: str = "", **more: Any) -> Delivery:
    """Make a delivery for everyone in our first place, due now, unless `more` says otherwise; its key is its id."""
    key = key or f"k{next(_numbers)}"
    usual = {
        "id": DeliveryId(key),
        "workspace_id": W1,
        "movement_id": OURS,
        "place_id": HERE,
        "kind": "news",
        "due_at": NOW,
        "created_at": NOW,
        "priority": Priority.NEWS,
    }
    return Delivery(key=key, **{**usual, **more})


MEANT = {"meant": "triangle:steer", "meant_at": NOW}


def story(id: str = "", **more: Any) -> Story:
    """Make a story of Fatima in our first place that the whole movement reads."""
    usual = {
        "id": StoryId(id or f"s{next(_numbers)}"),
        "movement_id": OURS,
        "place_id": HERE,
        "teller_id": FATIMA,
        "text": "We liepen een rondje.",
        "readers": Readers.MOVEMENT,
        "told_at": NOW,
    }
    return Story(**{**usual, **more})


def step(id: str = "", **more: Any) -> NextStep:
    """Make a planned step of Fatima, followed up in a day."""
    usual = {
        "id": StepId(id or f"p{next(_numbers)}"),
        "movement_id": OURS,
        "initiative_id": None,
        "episode_id": None,
        "person_id": FATIMA,
        "cue": "het rustig is",
        "action": "bel ik Jan",
        "follow_up_at": NOW + DAY,
        "chosen_at": NOW,
    }
    return NextStep(**{**usual, **more})


def episode(id: str = "", **more: Any) -> StuckEpisode:
    """Make an open stuck episode of Fatima."""
    usual = {
        "id": EpisodeId(id or f"e{next(_numbers)}"),
        "movement_id": OURS,
        "initiative_id": None,
        "person_id": FATIMA,
        "place_id": HERE,
        "text": "Niemand komt",
        "opened_at": NOW,
    }
    return StuckEpisode(**{**usual, **more})


def rhythm(id: str, **more: Any) -> Rhythm:
    """Make a weekly story round in our first place, due now."""
    usual = {
        "id": RhythmId(id),
        "movement_id": OURS,
        "place_id": HERE,
        "kind": RhythmKind.STORIES,
        "rule": "FREQ=WEEKLY;BYDAY=MO",
        "starts_on": NOW.date(),
        "at": time(9),
        "timezone": "Europe/Amsterdam",
        "next_at": NOW,
        "created_by": None,
        "created_at": NOW,
    }
    return Rhythm(**{**usual, **more})


def change(rhythm: str, on: date, **more: Any) -> MomentChange:
    """Make a change of the moment of a rhythm on a day."""
    return MomentChange(rhythm_id=RhythmId(rhythm), movement_id=OURS, on=on, **more)


async def add_one_of_everything(seeded: Seeded) -> None:
    """Add a row of every kind to our movement and our workspace, and none to theirs."""
    sent = delivery("sent", kind="told", subject=TOLD, person_id=FATIMA, state=DeliveryState.SENT, receipt="m1")
    await seeded.add(
        place(PlaceId("nameless"), W1, OURS, name=""),
        person(PersonId("nameless"), W1, name=""),
        Purpose(id=PurposeId("p1"), movement_id=OURS, version=1, vision="Samen", written_by=FATIMA, written_at=NOW),
        Practice(movement_id=OURS, behaviour="b1", person_id=FATIMA, place_id=HERE, at=NOW),
        PartSaid(place_id=HERE, movement_id=OURS, part="vision", said_at=NOW),
        Segment(workspace_id=W1, handle="S1", movement_id=OURS, name="Nacht"),
        GroupHours(
            movement_id=OURS,
            key="nacht",
            name="Nacht",
            quiet_from=time(8),
            quiet_until=time(16),
            quiet_weekends=False,
            set_at=NOW,
        ),
        InviteCode(
            id=InviteCodeId("c1"), movement_id=OURS, digest="d1", made_by=FATIMA, made_at=NOW, expires_at=NOW + DAY
        ),
        Initiative(
            id=WALK, movement_id=OURS, name="Wandelen", started_by=FATIMA, started_at=NOW, rests_since=NOW + DAY
        ),
        Participant(initiative_id=WALK, movement_id=OURS, person_id=FATIMA, joined_at=NOW),
        episode(SPELL, initiative_id=WALK),
        episode("solved", initiative_id=WALK, state=EpisodeState.BREAKTHROUGH, opened_at=NOW - DAY, closed_at=NOW),
        Company(id=BESIDE, movement_id=OURS, episode_id=SPELL, person_id=JAN, asked_at=NOW),
        story(TOLD, initiative_id=WALK, part="vision", dimension=Dimension.BROADEN, message="m1", thread="t1", **MEANT),
        Significance(
            id=SignificanceId("chosen"),
            movement_id=OURS,
            story_id=TOLD,
            place_id=HERE,
            round="chosen in",
            by_id=FATIMA,
            why="Zo gewoon, en toch.",
            chosen_at=NOW,
            agreed_at=NOW,
        ),
        Experiment(
            id=TRIED,
            movement_id=OURS,
            initiative_id=WALK,
            person_id=FATIMA,
            trying="Lopen",
            sign="Lachen",
            ends_at=NOW,
            timezone="Europe/Amsterdam",
            decision=Decision.GOES_ON,
            decided_at=NOW,
            started_at=NOW,
        ),
        ExperimentAnswer(
            experiment_id=TRIED, movement_id=OURS, person_id=FATIMA, answer=Decision.GOES_ON, answered_at=NOW
        ),
        step(STEP, initiative_id=WALK, experiment_id=TRIED),
        step(state=StepState.DONE, initiative_id=WALK, story_id=TOLD, closed_at=NOW, posted=True),
        Chance(id=CHANCE, movement_id=OURS, person_id=FATIMA, text="Zon", noted_at=NOW),
        Magazine(id=PRINTED, movement_id=OURS, title="Ons jaar", words="Zo was het.", made_by=FATIMA, begun_at=NOW),
        PrintConsent(
            magazine_id=PRINTED,
            story_id=TOLD,
            movement_id=OURS,
            person_id=FATIMA,
            answer=PrintAnswer.AGREED,
            asked_at=NOW,
        ),
        StoryRequest(
            id=ASKED,
            movement_id=OURS,
            place_id=HERE,
            message="m2",
            author_id=FATIMA,
            asked_by_id=JAN,
            text="Kijk",
            asked_at=NOW,
        ),
        HeldWords(
            id=HeldWordsId("held"),
            workspace_id=W1,
            person_id=FATIMA,
            movement_id=OURS,
            intent="story",
            args={"text": "Mevrouw Bos zong"},
            texts={"text": "Mevrouw Bos zong"},
            channel="here",
            message="m3",
            asked_at=NOW,
        ),
        PageSession(
            id=PageSessionId("opened"),
            person_id=FATIMA,
            made_at=NOW,
            opened_at=NOW,
            expires_at=NOW + DAY,
            digest="d1",
            device="Firefox, Android",
        ),
        Ripple(story_id=TOLD, movement_id=OURS, person_id=JAN, place_id=HERE, at=NOW),
        Nomination(
            id=NAMED,
            movement_id=OURS,
            nominator_id=FATIMA,
            nominee_id=JAN,
            figure=KeyFigure.MAVEN,
            at=NOW,
        ),
        TieAnswer(id=TieAnswerId("ta1"), movement_id=OURS, person_id=FATIMA, other_id=JAN, at=NOW),
        Invitation(
            id=INVITED,
            movement_id=OURS,
            initiative_id=WALK,
            inviter_id=FATIMA,
            invitee_id=JAN,
            text="Loop je mee?",
            sent_at=NOW,
        ),
        HistoryRound(id=LOOKED, movement_id=OURS, initiative_id=WALK, asked_at=NOW, told_at=NOW + 7 * DAY),
        HistoryAnswer(
            round_id=LOOKED, person_id=FATIMA, movement_id=OURS, moment="Samen.", result="Rust.", answered_at=NOW
        ),
        Invitation(
            id=InvitationId("introduced"),
            movement_id=OURS,
            initiative_id=None,
            inviter_id=JAN,
            invitee_id=FATIMA,
            text="",
            story_id=TOLD,
            sent_at=NOW,
        ),
        Room(
            id=ROOM,
            movement_id=OURS,
            initiative_id=WALK,
            asker_id=JAN,
            giver_id=FATIMA,
            trying="Buiten eten",
            asking="Mag dat?",
            ends_at=NOW + 28 * DAY,
            state=RoomState.GRANTED,
            asked_at=NOW,
            support="Mooi dat jullie dit proberen.",
            supported_at=NOW,
        ),
        Suggestion(
            id=SuggestionId("suggested"),
            movement_id=OURS,
            initiative_id=WALK,
            asker_id=JAN,
            person_id=FATIMA,
            at=NOW,
        ),
        Meeting(
            id=LUNCH,
            movement_id=OURS,
            place_id=HERE,
            question=1,
            at=NOW + 7 * DAY,
            timezone="Europe/Amsterdam",
            proposed_at=NOW,
        ),
        Guest(meeting_id=LUNCH, movement_id=OURS, person_id=FATIMA, answer=GuestAnswer.COMING),
        Guest(meeting_id=LUNCH, movement_id=OURS, person_id=JAN),
        StoryDoor(
            id=DOOR,
            movement_id=OURS,
            initiative_id=WALK,
            question="Wat maakte je mee?",
            opened_by=FATIMA,
            opened_at=NOW,
            ends_at=NOW + 28 * DAY,
        ),
        DoorStory(
            id=SAID,
            door_id=DOOR,
            movement_id=OURS,
            press="p1",
            code="c1",
            text="We zwaaiden naar elkaar.",
            called="een buur",
            told_at=NOW,
        ),
        CalendarFeed(
            id=FeedId("feed"),
            workspace_id=W1,
            movement_id=OURS,
            person_id=FATIMA,
            digest="f1",
            made_at=NOW,
            changed_at=NOW,
        ),
        step("planned here", episode_id=SPELL),
        Holdout(id=HoldoutId("lot"), movement_id=OURS, seed="s", begun_at=NOW),
        HoldoutTurn(
            holdout_id=HoldoutId("lot"),
            movement_id=OURS,
            place_id=HERE,
            period=0,
            starts_at=NOW,
            ends_at=NOW + 28 * DAY,
            left_out=True,
        ),
        CoordinatorChange(
            id=ChangeId("changed"),
            movement_id=OURS,
            kind=CoordinatorAct.RHYTHM_MADE,
            about="here",
            by_id=FATIMA,
            at=NOW,
        ),
        Webhook(
            id=WebhookId("hook"),
            movement_id=OURS,
            url="https://site.example.org/x",
            sealed="sealed",
            events=["story_told"],
            made_by=FATIMA,
            made_at=NOW,
        ),
        ApiToken(
            id=ApiTokenId("token"),
            movement_id=OURS,
            name="Website",
            scopes=["stories"],
            digest="k1",
            made_by=FATIMA,
            made_at=NOW,
            expires_at=NOW + 28 * DAY,
        ),
        rhythm(WEEKLY),
        sent,
        delivery("moment", kind="rhythm_stories", state=DeliveryState.SENT, sent_at=NOW),
        delivery("waiting"),
        delivery("failed", state=DeliveryState.FAILED),
        delivery("unknown", state=DeliveryState.UNKNOWN),
        delivery("again", reason="pace"),
        delivery("quiet", reason="went_quiet", place_id=None, person_id=FATIMA),
        delivery("nudged", place_id=None, person_id=FATIMA, state=DeliveryState.SENT, sent_at=NOW),
        delivery("too much", reason="budget", place_id=None, person_id=FATIMA, state=DeliveryState.DROPPED),
        delivery("posted", kind="rhythm_stories", priority=Priority.RHYTHM, state=DeliveryState.SENT, sent_at=NOW),
    )
    async with seeded.begin() as work:
        work.stories.add(Retelling(story_id=TOLD, delivery_id=sent.id, movement_id=OURS))
        await work.connecting.strengthen(OURS, JAN, FATIMA, NOW)
        await add_questions(work, "reach_1", at=NOW)


async def add_questions(work: UnitOfWork, *questions: str, at: datetime, spell: EpisodeId = SPELL) -> None:
    """Ask Fatima questions in an episode: about our initiative, unless told otherwise."""
    about = await work.stuck.episode(spell, OURS)
    assert about is not None
    await work.stuck.add_questions(about, questions, at)


def ids(rows: Iterable[Any]) -> list[str]:
    """List the ids of rows, or of the first row of each pair."""
    return [(row if hasattr(row, "id") else row[0]).id for row in rows]

"""The protocols by which the core reads and writes storage, one per family of entities.

Every method runs in the transaction of its `UnitOfWork`. A query is scoped by workspace, movement, person or place and
finds nothing of another; the few that look everywhere say so. `add` stores a new entity; an entity that was loaded is
tracked, so changing it is enough to store the change.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.api_token import ApiToken, ApiTokenId
from bot.domain.attention import Attention
from bot.domain.change import CoordinatorChange
from bot.domain.choosing import Significance, SignificanceId
from bot.domain.connectors import (
    Acquaintance,
    Invitation,
    InvitationId,
    Nomination,
    NominationId,
    Suggestion,
    Tie,
    TieAnswer,
)
from bot.domain.coverage import GroupCount
from bot.domain.delivery import BulkRow, Delivery, DeliveryId
from bot.domain.door import DoorStory, DoorStoryId, StoryDoor, StoryDoorId
from bot.domain.experiment import DecidedExperiment, Experiment, ExperimentAnswer, ExperimentId
from bot.domain.feed import CalendarFeed
from bot.domain.figures import FigureCounts
from bot.domain.group_hours import GroupHours
from bot.domain.held_words import HeldWords, HeldWordsId
from bot.domain.history import HistoryAnswer, HistoryRound, HistoryRoundId
from bot.domain.holdout import Holdout, HoldoutId, HoldoutTurn
from bot.domain.initiative import (
    AskedBefore,
    Company,
    CompanyId,
    EpisodeId,
    Initiative,
    InitiativeId,
    Participant,
    StuckEpisode,
)
from bot.domain.look_back import DoneStep, StuckSpell, ToldStory
from bot.domain.magazine import Magazine, MagazineId, PrintCandidate, PrintConsent
from bot.domain.meaning import Answers
from bot.domain.meeting import Guest, Meeting, MeetingId
from bot.domain.movement import InviteCode, Member, Movement, MovementId, PartSaid, Place, PlaceId, Purpose, Segment
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId
from bot.domain.page_session import PageSession, PageSessionId
from bot.domain.person import Person, PersonId, Workspace, WorkspaceId
from bot.domain.personal_file import EVERYTHING, PersonalFile, PersonalFileId
from bot.domain.practice import Practice
from bot.domain.rhythm import Due, MomentChange, MomentName, Rhythm, RhythmId, RhythmKind
from bot.domain.room import Room, RoomId
from bot.domain.solved import SolvedSpell
from bot.domain.spread import SpreadCounts
from bot.domain.story import Dimension, Retelling, Ripple, Story, StoryId, StoryRequest, StoryRequestId
from bot.domain.story_search import StoryFilters, StoryMatch, StoryReader
from bot.domain.takeaway import TakenMoment, TakenStep, TakenStory
from bot.domain.webhook import Webhook, WebhookId
from bot.domain.week_figures import AnswerCount, ReasonCount, WeekCount
from bot.domain.year import GivenMoment
from bot.ports.turn import Context


class Inbox(Protocol):
    """Idempotency keys of inbound requests, and of presses and forms: what comes twice is handled once."""

    async def claim(self, workspace: WorkspaceId, key: str, now: datetime) -> bool:
        """Claim a key. Returns False when it was claimed before; waits while another transaction is claiming it."""

    async def claim_turn(
        self,
        workspace: WorkspaceId,
        account: str,
        channel: str | None,
        movement: MovementId | None,
        keys: Collection[str],
        now: datetime,
    ) -> Collection[str]:
        """Lock the movement that a request is about, as `People.lock_movement` does, then claim its keys: one trip to
        the database. Returns the keys that were not claimed before."""

    async def is_claimed(self, workspace: WorkspaceId, key: str) -> bool:
        """Return whether a key was claimed."""

    async def has_any_since(self, moment: datetime) -> bool:
        """Return whether a key was claimed since a moment, in any workspace: somebody acted."""

    async def release(self, workspace: WorkspaceId, keys: Collection[str]) -> None:
        """Give up the claim to keys."""

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` keys claimed before a moment, of all workspaces: no platform redelivers requests that
        old. Returns how many."""


class People(Protocol):
    """People, and the workspaces they belong to."""

    def add(self, new: Person | Workspace) -> None:
        """Store a new person or workspace."""

    async def workspace(self, id: WorkspaceId) -> Workspace | None:
        """Return a workspace; None when Ritme was never installed there."""

    async def workspaces(self, ids: Collection[WorkspaceId]) -> Mapping[WorkspaceId, Workspace]:
        """Return those of these workspaces in which Ritme was ever installed, by id."""

    async def lock_movement(
        self, workspace: WorkspaceId, account: str, channel: str | None, movement: MovementId | None
    ) -> None:
        """Lock the movement that a request is about, until the transaction ends; waits while another request holds it.

        That is `movement` when given, else the one the channel is linked to, else the one the account joined last.
        An account without any locks its workspace instead.
        """

    async def load_context(
        self, workspace: WorkspaceId, account: str, channel: str | None, movement: MovementId | None = None
    ) -> Context:
        """Return what a turn starts with.

        The movement is `movement` when given and the person belongs to it, else the one the channel is linked to, else
        the one the person joined last.
        """

    async def find_expired_workspace(self, moment: datetime) -> Workspace | None:
        """Return any workspace that Ritme was removed from before `moment` and that was not erased yet."""

    async def find_leaver(self, before: datetime) -> Person | None:
        """Lock and return any person, of all workspaces, who was not forgotten and whose account is deactivated since
        before a moment. One whom another process has locked is skipped."""

    async def delete_past_matters(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` rows of a kind, of all workspaces, about what ended before a moment: stuck episodes,
        steps, chances, nominations, invitations and suggestions. Returns how many."""

    async def accounts_in(self, workspace: WorkspaceId) -> Sequence[Person]:
        """Return everyone of a workspace who was not forgotten, in no order."""

    async def erase(self, workspace: WorkspaceId) -> None:
        """Delete the places of a workspace with all that was said and planned there, and the movements that have places
        nowhere else. The workspace and its people stay: forget those one by one."""

    async def by_account(self, workspace: WorkspaceId, account: str) -> Person | None:
        """Return the person with this platform account."""

    async def get_or_create(self, workspace: WorkspaceId, account: str, now: datetime) -> Person:
        """Return the person with this platform account. Someone new is stored with their account only: the rest becomes
        known when they act, or when the platform is asked."""

    async def get(self, id: PersonId, movement: MovementId) -> Person | None:
        """Return a person who is a member of the movement."""

    async def in_workspace(self, id: PersonId, workspace: WorkspaceId) -> Person | None:
        """Return a person who belongs to the workspace."""

    async def names_by_ids(self, workspace: WorkspaceId, ids: Collection[str]) -> dict[str, str]:
        """Return the names of those people, places and user groups of a workspace that have one, by their ids on the
        platform."""

    async def names_like(self, movement: MovementId, words: Collection[str]) -> Sequence[str]:
        """Return the names of members of a movement: of all in whose names one of these words stands, in small letters
        without accents, and perhaps of others."""

    async def count_in(self, movement: MovementId, most: int | None = None) -> int:
        """Return how many are in a movement who were not forgotten, counted no further than to `most`. They may be
        twenty thousand: loading them takes seconds, and nothing does."""

    async def among(self, ids: Collection[PersonId], movement: MovementId) -> Sequence[Person]:
        """Return those of these people who are in a movement and were not forgotten, in no order."""

    async def keeping_days_of(self, place: PlaceId, workspace: WorkspaceId) -> Sequence[Person]:
        """Return those who keep the days off of a place of a workspace."""

    async def in_group(self, movement: MovementId, group: str) -> set[PersonId]:
        """Return the members of a movement who are of a group and were not forgotten."""

    async def large_groups(
        self, movement: MovementId, least: int, among: Collection[str] | None = None
    ) -> Sequence[str]:
        """Return the groups of a movement, or those `among` some, with at least so many members whose account is in
        use, by name: as many as `Connecting.count_reach` and `Stories.count_spread` count."""

    async def group_sizes(self, movement: MovementId) -> Mapping[str, int]:
        """Return how many members of a movement who were not forgotten are of each group, by its name as written."""

    async def of_groups(self, movement: MovementId, groups: Collection[str]) -> Sequence[Person]:
        """Return the members of a movement who are of one of these groups, as written, and were not forgotten."""

    async def suggestible_in(self, movement: MovementId) -> set[PersonId]:
        """Return who of a movement said yes, there, to being suggested to colleagues who look for help."""

    async def coordinators(self, movement: MovementId) -> Sequence[Person]:
        """Return the coordinators of a movement who were neither forgotten nor deactivated, the first joined first."""

    async def looked_up_before(self, workspace: WorkspaceId, before: datetime, limit: int) -> Sequence[Person]:
        """Return people who were not forgotten, and about whom the directory was last asked before a moment, or never;
        those asked about longest ago first."""

    async def lanes_looked_up_before(self, platform: str, before: datetime) -> Sequence[WorkspaceId]:
        """Return the workspaces of a platform that have such people."""

    async def note_lookups(self, workspace: WorkspaceId, accounts: Collection[str], at: datetime) -> None:
        """Record that the directory was asked about people at a moment: others come first now."""

    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Person]:
        """Return at most `limit` people whose name is not known yet and who were not forgotten, in no order."""

    async def count_rows(self, person: PersonId, tables: Collection[str]) -> dict[str, int]:
        """Return how many rows of these tables are about one person: table → number. Tables without any are left
        out."""

    async def forget(self, person: PersonId) -> None:
        """Delete every row about one person, drop what still waits for them, and empty what was sent to them.

        The person without an account stays, and so do their stories (to be withdrawn before) and what others live with:
        purposes, initiatives and rhythms.
        """

    async def note_mentions(
        self, delivery: DeliveryId, workspace: WorkspaceId, reader: PersonId | None, texts: Collection[str]
    ) -> None:
        """Remember which people, of those loaded in this transaction, are named in a message: those whose name or
        account is one of its texts. Not who it is for."""

    async def old_messages(self, person: PersonId) -> Sequence[tuple[WorkspaceId, str, str]]:
        """Return where messages to or about someone stand (workspace, channel, message id) of which the deliveries were
        deleted; oldest first."""


RowKey = tuple[object, ...]
"""The primary key of a row about someone, of whichever table."""


class PersonalFiles(Protocol):
    """Files for one person, such as everything about them, and the rows that are told in that."""

    def add(self, new: PersonalFile) -> None:
        """Store a new file, still without content."""

    async def get(self, id: PersonalFileId) -> PersonalFile | None:
        """Return a file, of whomever: who asks for it must have proven that it is theirs."""

    async def latest_of(self, person: PersonId, kind: str = EVERYTHING) -> PersonalFile | None:
        """Return the file of a kind that a person asked for last."""

    async def content(self, id: PersonalFileId) -> bytes | None:
        """Return the stored content of a file; None while it is not composed, or when the file is gone."""

    async def set_content(self, id: PersonalFileId, content: bytes) -> None:
        """Store the content of a file."""

    async def keep(self, file: PersonalFile, content: bytes, made_at: datetime) -> bool:
        """Store the content of a file that was composed since it was loaded. Returns False, and stores nothing, when
        something that is told in it changed meanwhile (see `PersonalFile.changes`), or it is gone."""

    async def sweep(self, now: datetime) -> int:
        """Delete the files, of everyone, that expired. Returns how many."""

    def tables(self) -> Sequence[str]:
        """Return the names of all tables with rows about people."""

    async def keys_about(self, person: PersonId, table: str, start: int, limit: int) -> Sequence[RowKey]:
        """Return at most `limit` keys of a table's rows about a person, newest first, without the first `start`."""

    async def rows_about(self, person: PersonId, table: str, keys: Sequence[RowKey]) -> Sequence[Mapping[str, object]]:
        """Return the rows with these keys, as far as they are about the person, as JSON values, without empty ones.
        Other people stand in them by a name the person has seen, or not at all."""


class PageSessions(Protocol):
    """The links to the pages, and the sessions they opened."""

    def add(self, new: PageSession) -> None:
        """Store a new link."""

    async def lock(self, id: PageSessionId) -> PageSession | None:
        """Lock and return a link or session, of whomever: who asks for it must have proven that it is theirs."""

    async def opened_by(self, digest: str) -> tuple[PageSession, Person] | None:
        """Return the session of whoever has the secret that this is the digest of, and whose it is; it may be over."""

    async def owner(self, id: PageSessionId) -> Person | None:
        """Return whose link or session this is, of whomever."""

    async def of_person(self, person: PersonId, now: datetime) -> Sequence[PageSession]:
        """Return the sessions of a person that are open, the one opened last first."""

    async def end(self, person: PersonId) -> None:
        """End every session of a person, and void every link."""

    async def end_one(self, id: PageSessionId, person: PersonId) -> None:
        """End a session of this person."""

    async def void_links(self, person: PersonId) -> None:
        """Void the links of a person that were not opened."""

    async def sweep(self, now: datetime) -> int:
        """Delete the links and sessions, of everyone, that expired. Returns how many."""


class Outside(Protocol):
    """The keys by which programs outside read what movements show, and the addresses that hear what happens."""

    def add(self, new: ApiToken | Webhook) -> None:
        """Store a new key, or address."""

    async def token_by_digest(self, digest: str) -> ApiToken | None:
        """Return the key whose secret has this digest, of whichever movement: who knows the secret may use it. It may
        have expired."""

    async def token(self, id: ApiTokenId, movement: MovementId) -> ApiToken | None:
        """Return a key to the movement."""

    async def tokens(self, movement: MovementId) -> Sequence[ApiToken]:
        """Return every key to a movement, expired ones too, the oldest first."""

    async def webhook(self, id: WebhookId, movement: MovementId) -> Webhook | None:
        """Return an address that the movement calls."""

    async def webhook_to_call(self, id: WebhookId) -> Webhook | None:
        """Return an address, of whichever movement: for what is to be sent there."""

    async def webhooks(self, movement: MovementId) -> Sequence[Webhook]:
        """Return every address that a movement calls, or called, the oldest first."""

    async def close_all_in(self, movement: MovementId) -> None:
        """Delete every key to a movement, and every address that it calls."""


class Takeaways(Protocol):
    """The rows that a movement takes along, a batch at a time, in order: nobody's name unless they agreed."""

    async def stories_after(
        self, movement: MovementId, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[TakenStory]:
        """Return the next stories that everyone in a movement may read, after the one told at a moment with an id."""

    async def steps_after(
        self, movement: MovementId, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[TakenStep]:
        """Return the next steps of a movement that were done and posted, after the one done at a moment with an id."""

    async def moments_after(
        self, movement: MovementId, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[TakenMoment]:
        """Return the next moments of a movement's rhythms that were posted, after the one planned at a moment with an
        id."""

    async def colleagues_after(
        self, movement: MovementId, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[str, str, str]]:
        """Return the next people in the workspaces of a movement, after the one with an account in a workspace, as
        workspace, account and name; the name is empty of who agreed to be named beyond their own organisation."""

    async def members_after(
        self, movement: MovementId, after: PersonId | None, limit: int
    ) -> Sequence[tuple[PersonId, str]]:
        """Return the next members of a movement, in the order of their ids, with such a name."""

    async def has_withdrawn_since(self, movement: MovementId, at: datetime) -> bool:
        """Return whether a story of the movement was taken back at a moment or later."""


class Feeds(Protocol):
    """Private links by which somebody's own calendar follows a movement."""

    def add(self, new: CalendarFeed) -> None:
        """Store a new one."""

    async def by_digest(self, digest: str) -> CalendarFeed | None:
        """Return the one whose secret has this digest, of whomever: who knows the secret may read it."""

    async def of_person(self, person: PersonId, movement: MovementId) -> CalendarFeed | None:
        """Return a person's own, of a movement."""

    async def revoke_all_of(self, person: PersonId) -> None:
        """Delete all of a person."""

    async def revoke_all_in(self, movement: MovementId) -> None:
        """Delete all of a movement, of everyone."""


class Doors(Protocol):
    """Doors by which people without an account tell a story, and what came through them."""

    def add(self, new: StoryDoor | DoorStory) -> None:
        """Store a new one."""

    async def find(self, id: StoryDoorId) -> StoryDoor | None:
        """Return a door, of whichever movement: who asks for it must have its address."""

    async def lock(self, id: StoryDoorId) -> StoryDoor | None:
        """Lock and return a door, of whichever movement: who asks for it must have its address."""

    async def get(self, id: StoryDoorId, movement: MovementId) -> StoryDoor | None:
        """Return a door of a movement."""

    async def of_movement(self, movement: MovementId, limit: int) -> Sequence[StoryDoor]:
        """Return the doors of a movement, open or not, the one opened last first."""

    async def get_story(self, id: DoorStoryId, movement: MovementId) -> DoorStory | None:
        """Return what was told at a door of a movement."""

    async def by_press(self, press: str) -> DoorStory | None:
        """Return what was told by the page whose digest this is, at whichever door."""

    async def by_code(self, door: StoryDoorId, code: str) -> DoorStory | None:
        """Return what was told at a door by whoever has the code whose digest this is."""

    async def waiting(self, door: StoryDoorId, movement: MovementId, limit: int) -> Sequence[DoorStory]:
        """Return what was told at a door of a movement and waits for somebody to read it, the oldest first."""

    async def count_since(self, moment: datetime, door: StoryDoorId | None = None) -> int:
        """Return how many stories were told or changed after a moment: at a door, or at all doors of everyone."""

    async def unread_before(self, moment: datetime, limit: int) -> Sequence[DoorStory]:
        """Return what waits since before a moment, at whichever door, the oldest first."""


class Holdouts(Protocol):
    """The lots that leave places out of reminders, and what followed."""

    def add(self, new: Holdout | HoldoutTurn) -> None:
        """Store a new lot, or the turn of a place in a period."""

    async def running_in(self, movement: MovementId) -> Holdout | None:
        """Return the lot that runs in a movement; None when none does."""

    async def running(self) -> Sequence[Holdout]:
        """Return all lots that run."""

    async def turns_in(self, movement: MovementId) -> Sequence[HoldoutTurn]:
        """Return the turns of all places in a movement, of lots that ended too, the oldest first."""

    async def turns_of(self, holdout: HoldoutId, period: int) -> Sequence[HoldoutTurn]:
        """Return the turns of one period of a lot."""

    async def leaves_out(self, place: PlaceId, movement: MovementId, now: datetime) -> bool:
        """Return whether the lot of a movement leaves a place out of reminders at a moment."""

    async def places_with(self, movement: MovementId, kind: RhythmKind) -> Sequence[Place]:
        """Return the places of a movement that are reachable and have a rhythm of a kind."""

    async def count_stories(self, place: PlaceId, movement: MovementId, start: datetime, end: datetime) -> int:
        """Count the stories that were told in a place, and not withdrawn, from `start` until `end`."""

    async def count_steps(self, place: PlaceId, movement: MovementId, start: datetime, end: datetime) -> int:
        """Count the small steps that were planned from `start` until `end` about what began in a place."""

    async def count_people(self, movement: MovementId, since: datetime) -> int:
        """Count who told a story or planned a step in a movement since a moment."""


class Magazines(Protocol):
    """Magazines, and what tellers answered about their stories in them."""

    def add(self, new: Magazine | PrintConsent) -> None:
        """Store a new magazine, or a story chosen for one."""

    async def get(self, id: MagazineId, movement: MovementId) -> Magazine | None:
        """Return a magazine of the movement."""

    async def find_for(self, id: MagazineId, person: PersonId) -> tuple[Magazine, Movement] | None:
        """Return a magazine, with its movement, for somebody who is in that movement."""

    async def of_movement(self, movement: MovementId, limit: int) -> Sequence[Magazine]:
        """Return the magazines of the movement, the newest first."""

    async def candidates(self, id: MagazineId, movement: MovementId) -> Sequence[PrintCandidate]:
        """Return every story that was ever chosen for a magazine, the oldest first, with its teller and their answer;
        without those whose row is gone."""

    async def consent(self, id: MagazineId, story: StoryId, teller: PersonId) -> PrintConsent | None:
        """Return what a teller answers about a story of theirs in a magazine, in whichever movement."""


class Movements(Protocol):
    """Movements, with their members, places, groups, invite codes and purpose."""

    def add(
        self,
        new: Movement
        | Place
        | Member
        | InviteCode
        | Segment
        | GroupHours
        | Purpose
        | PartSaid
        | Practice
        | CoordinatorChange,
    ) -> None:
        """Store something new of a movement."""

    async def get(self, id: MovementId) -> Movement | None:
        """Return a movement."""

    async def membership(self, movement: MovementId, person: PersonId) -> Member | None:
        """Return the membership of a person in a movement; None when they are no member."""

    async def of_person(self, person: PersonId) -> Sequence[tuple[Movement, Member]]:
        """Return the movements a person belongs to, with their membership, the last joined first."""

    async def place(self, id: PlaceId) -> Place | None:
        """Return a place, of any movement or of none."""

    async def places_among(self, ids: Collection[PlaceId]) -> Mapping[PlaceId, Place]:
        """Return places, of any movement or of none, by their ids."""

    async def place_in(self, workspace: WorkspaceId, channel: str) -> Place | None:
        """Return the place that a channel of a workspace is."""

    async def move_place(self, place: Place, channel: str) -> None:
        """Give a place another channel, also in what was sent there. A place that has that channel gets its old one."""

    async def places(self, movement: MovementId) -> Sequence[Place]:
        """Return the places of a movement in all its workspaces, the oldest first."""

    async def due_for_a_look(self, before: datetime, limit: int) -> Sequence[MovementId]:
        """Return at most `limit` movements, everywhere, of which was last looked before a moment, or never, how far
        they reach; those longest ago first."""

    async def all_ids(self) -> Sequence[MovementId]:
        """Return the ids of all movements, everywhere."""

    async def places_abroad(self, movement: MovementId, among: Collection[PlaceId] | None = None) -> Sequence[Place]:
        """Return the places of a movement, or those `among` some of them, that keep holidays, or a weekend, of their
        own."""

    async def count_figures(self, movement: MovementId, since: datetime) -> FigureCounts | None:
        """Count a movement, its stories and ripples after a moment; None for one that is not there."""

    async def labels(self, movement: MovementId, seen_from: WorkspaceId) -> Mapping[PlaceId, str]:
        """Return the names of a movement's places. Those in another workspace than `seen_from` have its name with them:
        "nacht (Zorggroep West)"."""

    async def codes(self, movement: MovementId, now: datetime) -> Sequence[InviteCode]:
        """Return the invite codes of a movement that are neither revoked nor expired, in no order."""

    async def code(self, digest: str) -> InviteCode | None:
        """Return the invite code with this digest, of whichever movement; it may have expired."""

    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Place]:
        """Return at most `limit` places whose name is not known yet, in no order."""

    async def segments_in(self, workspace: WorkspaceId) -> Sequence[Segment]:
        """Return the user groups of a workspace that stand for a group of whichever movement, by name."""

    async def group_hours(self, movement: MovementId) -> Sequence[GroupHours]:
        """Return the quiet hours that groups of a movement have."""

    async def find_hours(self, people: Collection[PersonId], group: str) -> Mapping[PersonId, GroupHours]:
        """Return the quiet hours of a group for people of it, in the movements that each belongs to: those set last.
        Who has none is left out."""

    async def purpose(self, movement: MovementId) -> Purpose | None:
        """Return the latest version of a movement's purpose."""

    async def purposes(self, movement: MovementId) -> Sequence[Purpose]:
        """Return every version of a movement's purpose, newest first."""

    async def changes_by_coordinators(
        self, movement: MovementId, limit: int
    ) -> Sequence[tuple[CoordinatorChange, Person]]:
        """Return the latest changes that coordinators made, newest first, each with who made it."""

    async def practice(self, movement: MovementId, behaviour: str, person: PersonId) -> Practice | None:
        """Return the record that a person does a behaviour of the movement too."""

    async def count_practices(self, movement: MovementId) -> Mapping[str, tuple[int, int]]:
        """Return how many members who were neither forgotten nor deactivated do each behaviour of a movement, and in
        how many places: behaviour → (people, places). What of it may be told: `tell_how_many`."""

    async def said_parts(self, place: PlaceId) -> list[str]:
        """Return the keys of the parts of the purpose that were said last in a place, at most `PARTS_REMEMBERED`, the
        oldest first, with repetitions."""


class Initiatives(Protocol):
    """Initiatives and the people who take part in them."""

    def add(self, new: Initiative | Participant | HistoryRound | HistoryAnswer | Room) -> None:
        """Store a new initiative or participant, a round of looking back together or an answer in one, or a request for
        room."""

    async def history(self, id: HistoryRoundId, movement: MovementId) -> HistoryRound | None:
        """Return a round of looking back together in the movement."""

    async def last_history(self, initiative: InitiativeId, movement: MovementId) -> HistoryRound | None:
        """Return the latest round of looking back together on an initiative."""

    async def history_answers(
        self, round: HistoryRoundId, movement: MovementId
    ) -> Sequence[tuple[HistoryAnswer, Person]]:
        """Return the answers in a round of who was not forgotten, the first answered first."""

    async def history_answer(self, round: HistoryRoundId, person: PersonId) -> HistoryAnswer | None:
        """Return what a person answered in a round."""

    async def get(self, id: InitiativeId, movement: MovementId) -> Initiative | None:
        """Return an initiative of the movement, open or closed."""

    async def name(self, id: InitiativeId | None, movement: MovementId) -> str:
        """Return the name of an initiative of the movement; empty without one."""

    async def of_movement(
        self, movement: MovementId, *, closed: bool = False, most: int | None = None
    ) -> Sequence[Initiative]:
        """Return open initiatives of a movement (with `closed`, closed ones too), the newest first: `most`, or all."""

    async def of_person(self, person: PersonId, movement: MovementId) -> Sequence[Initiative]:
        """Return the open initiatives that a person takes part in, the last joined first."""

    async def participant(self, initiative: InitiativeId, person: PersonId) -> Participant | None:
        """Return the participation of a person in an initiative, also when they left it."""

    async def participants(
        self, initiative: InitiativeId, movement: MovementId
    ) -> Sequence[tuple[Person, Participant]]:
        """Return the people who take part in an initiative now and were not forgotten, the first joined first."""

    async def people_in(
        self, some: Collection[InitiativeId], movement: MovementId
    ) -> Mapping[InitiativeId, Collection[PersonId]]:
        """Return who they are, in each of some initiatives."""

    async def groups_in(self, initiative: InitiativeId, movement: MovementId) -> Mapping[PersonId, str]:
        """Return who takes part in an initiative now and was not forgotten, the first joined first, and the group of
        each; "" for none."""

    async def count(self, movement: MovementId) -> int:
        """Count the open initiatives of a movement."""

    async def initiators(self, movement: MovementId, limit: int) -> Sequence[tuple[Initiative, Person | None]]:
        """Return the open initiatives of a movement, at most `limit`, newest first, each with who carries it: the first
        initiator who takes part and whose account is in use, None where there is none."""

    async def room(self, id: RoomId, movement: MovementId) -> Room | None:
        """Return a request for room of the movement."""

    async def room_to(self, id: RoomId, giver: PersonId) -> Room | None:
        """Return a request for room that was made of this person, of whichever movement."""

    async def current_rooms(
        self, initiative: InitiativeId, movement: MovementId, now: datetime
    ) -> Sequence[tuple[Room, Person]]:
        """Return the room that an initiative of the movement has now, the first to end first, each with who gave it."""

    async def endorsements(
        self, initiative: InitiativeId, movement: MovementId, limit: int
    ) -> Sequence[tuple[Room, Person]]:
        """Return the support that was said for an initiative of the movement and not taken back, the latest first, at
        most `limit`, each with who said it; what ended too."""

    async def without_initiator(self, limit: int) -> Sequence[tuple[InitiativeId, MovementId]]:
        """Return at most `limit` open initiatives, of all movements, that had an initiator once and have none now, and
        are not offered to anybody yet."""

    async def silent(
        self, before: datetime, asked_before: datetime, limit: int
    ) -> Sequence[tuple[InitiativeId, MovementId]]:
        """Return at most `limit` open initiatives, of all movements, in which nothing happened since a moment: nothing
        told, joined, stuck or stepped. One that was asked about is left out, unless something happened since then, or
        that was before `asked_before`."""

    async def last_sign(self, initiative: InitiativeId, movement: MovementId) -> datetime | None:
        """Return when something last happened in an initiative of the movement, or when it began; None of another."""

    async def resting(self, movement: MovementId) -> set[InitiativeId]:
        """Return the open initiatives of a movement that rest, and in which nothing happened since that was said."""


class Stuck(Protocol):
    """Stuck episodes, the questions asked in them, and the company that peers keep."""

    def add(self, new: StuckEpisode | Company) -> None:
        """Store a new episode, or a peer who is asked to think along."""

    async def remove_company(self, asked: Company) -> None:
        """Delete a request to think along."""

    async def add_questions(self, episode: StuckEpisode, questions: Sequence[str], now: datetime) -> None:
        """Store which questions ("reach_3") were asked in an episode, in this order: an initiative does not get them
        again soon."""

    async def episode(self, id: EpisodeId, movement: MovementId) -> StuckEpisode | None:
        """Return an episode of the movement, whoever is stuck."""

    async def own(self, id: str, person: PersonId, movement: MovementId) -> StuckEpisode | None:
        """Return an episode of the movement if it is this person's own."""

    async def open_of(self, person: PersonId, movement: MovementId) -> Sequence[StuckEpisode]:
        """Return the open episodes of a person, the one opened last first; at most fifty."""

    async def asked_questions(
        self, movement: MovementId, initiative: InitiativeId | None, person: PersonId
    ) -> AskedBefore:
        """Return how many rounds of questions a person was asked, with the latest hundred questions about an
        initiative, or else of that person outside any."""

    async def asked_about_latest(self, movement: MovementId, person: PersonId) -> AskedBefore:
        """Return what `asked_questions` does of the initiative that a person joined last; of that person, where they
        take part in none."""

    async def rounds_of(self, person: PersonId, movement: MovementId) -> int:
        """Return how many rounds of questions a person was asked."""

    async def peer_candidates(self, episode: StuckEpisode, rested_since: datetime) -> Sequence[Person]:
        """Return the members who could be asked to think along: who agreed to be suggested in the episode's movement,
        were not forgotten, not asked in this episode, and asked by nobody after `rested_since`. Those never asked come
        first, the latest asked last.

        Each is then asked by `Deliveries.add_ask`, which refuses for somebody who was asked enough, in whichever
        movement; `Deliveries.asked_enough` tells beforehand of whom that is so.
        """

    async def episodes_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[StuckSpell]:
        """Return episodes about an initiative (None: of all the movement), newest first, at most two hundred."""

    async def company(self, id: CompanyId, movement: MovementId) -> Company | None:
        """Return a peer's part in an episode of the movement."""

    async def company_of(self, episode: EpisodeId, movement: MovementId) -> Sequence[tuple[Company, Person]]:
        """Return the peers asked in an episode, of every round, the first asked first."""


class Steps(Protocol):
    """Next steps, and the chances people noted."""

    def add(self, new: NextStep | Chance) -> None:
        """Store a new step or chance."""

    async def get(self, id: StepId, movement: MovementId) -> NextStep | None:
        """Return a step of the movement, whoever takes it."""

    async def own(self, id: str, person: PersonId, movement: MovementId) -> NextStep | None:
        """Return a step of the movement if it is this person's own."""

    async def planned_of(self, person: PersonId, movement: MovementId) -> Sequence[NextStep]:
        """Return the planned steps of a person, the first to be followed up first."""

    async def done_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[DoneStep]:
        """Return done steps of an initiative (None: of all the movement), newest first, at most two hundred."""

    async def chance(self, id: ChanceId, movement: MovementId) -> Chance | None:
        """Return a chance of the movement."""

    async def open_chances(self, person: PersonId, movement: MovementId, limit: int) -> Sequence[Chance]:
        """Return at most `limit` open chances of a person, the latest noted first."""

    async def chances_in(self, movement: MovementId, reader: PersonId | None, limit: int) -> Sequence[Chance]:
        """Return at most `limit` chances that are not gone, the latest noted first: those that are shared, and the
        `reader`'s own."""


class Experiments(Protocol):
    """Experiments, and what those who took part said at their end."""

    def add(self, new: Experiment | ExperimentAnswer) -> None:
        """Store a new experiment or answer."""

    async def get(self, id: ExperimentId, movement: MovementId) -> Experiment | None:
        """Return an experiment of the movement, whoever made it."""

    async def of_initiative(self, initiative: InitiativeId, movement: MovementId, limit: int) -> Sequence[Experiment]:
        """Return at most `limit` experiments of an initiative: those not decided first, then the latest to end."""

    async def of_person(self, person: PersonId, movement: MovementId, limit: int) -> Sequence[Experiment]:
        """Return at most `limit` experiments that a person made, in the order of `of_initiative`."""

    async def answers(self, experiment: ExperimentId, movement: MovementId) -> Sequence[ExperimentAnswer]:
        """Return what was said at the end of an experiment, the first answer first."""

    async def decided_in(
        self, movement: MovementId, initiative: InitiativeId | None, reader: PersonId | None, limit: int
    ) -> Sequence[DecidedExperiment]:
        """Return at most `limit` decided experiments of an initiative (None: of all the movement), newest first; of
        those that belong to no initiative, only the `reader`'s own."""

    async def count_steps(self, experiment: ExperimentId, movement: MovementId) -> int:
        """Return how many steps belong to an experiment."""


class StorySearch(Protocol):
    """A search of stories, which may be asked in one way after the other; nothing changes meanwhile."""

    async def find(self, match: StoryMatch, limit: int) -> Sequence[tuple[Story, Person]]:
        """Return at most `limit` stories that match, with their tellers; newest first."""


class Stories(Protocol):
    """Stories, the requests to keep one, words held before they are told, their ripples and their retellings."""

    added: list[Story]
    """Stories that were added in this transaction."""
    rippled: list[Ripple]
    """Ripples that were added in this transaction."""
    regrouped: list[Story]
    """Stories that were told before, and got another initiative or dimension in this transaction."""

    def add(self, new: Story | StoryRequest | HeldWords | Ripple | Retelling | Significance) -> None:
        """Store something new about a story."""

    async def find_words(self, id: HeldWordsId) -> HeldWords | None:
        """Return held words, of whomever: who reads them must be their writer."""

    async def erase_words(self, id: HeldWordsId, person: PersonId) -> None:
        """Erase held words, if this person wrote them."""

    async def erase_words_about(self, workspace: WorkspaceId, message: str) -> None:
        """Erase the words that are held of a message."""

    async def find_words_before(self, moment: datetime) -> Sequence[HeldWords]:
        """Return at most two hundred held words, of everyone, that were asked about before a moment."""

    async def get(self, id: StoryId, movement: MovementId) -> Story | None:
        """Return a story of the movement, withdrawn or not."""

    async def told_among(self, ids: Collection[StoryId], movement: MovementId) -> Mapping[StoryId, Story]:
        """Return those of these stories of the movement that are not withdrawn, by their ids."""

    async def with_tellers(self, ids: Collection[StoryId], movement: MovementId) -> Sequence[tuple[Story, Person]]:
        """Return those of these stories of the movement that are not withdrawn, each with its teller, in no order."""

    async def own(self, id: StoryId, teller: PersonId) -> Story | None:
        """Return a story told by this person, in whichever movement, withdrawn or not."""

    async def of_teller(self, teller: PersonId, limit: int) -> Sequence[Story]:
        """Return at most `limit` stories that a person told in any movement and did not withdraw, newest first."""

    async def in_thread(self, place: PlaceId, thread: str) -> Sequence[Story]:
        """Return the stories told in a thread, withdrawn or not, oldest first."""

    async def showing(self, movement: MovementId, part: str, since: datetime, place: PlaceId) -> Story | None:
        """Return a story told since a moment that may travel and shows this part of the purpose: the newest from
        another place, else the newest from `place`; never one that a purpose reminder there told before.

        The caller who tells it adds a `Retelling`, so that later edits reach that message.
        """

    async def related_to_none(
        self, movement: MovementId, parts: Collection[str], since: datetime, place: PlaceId, limit: int
    ) -> Sequence[Story]:
        """Return at most `limit` stories told since a moment that may travel and of which nobody said that they show
        one of these parts of the purpose, newest first; never one that a purpose reminder in `place` told before."""

    async def to_harvest(
        self, movement: MovementId, place: PlaceId | None, given_before: datetime, limit: int
    ) -> Sequence[tuple[Story, Person]]:
        """Return at most `limit` stories of a movement that may travel, told since the last harvest in this place, with
        their tellers; newest first. Where there was none, those told since the last harvest anywhere earlier than
        `given_before`; without a place, only those of them that no harvest held. Those of the four weeks before that no
        harvest held are among them."""

    async def retold_in(self, story: StoryId, movement: MovementId) -> Sequence[Delivery]:
        """Return our messages that hold a story and were not taken away again, oldest first."""

    async def retold_each(self, some: Collection[Story]) -> Mapping[StoryId, Sequence[Delivery]]:
        """Return the same of each of these stories."""

    async def told_outside(
        self,
        movement: MovementId,
        initiative: InitiativeId | None,
        after: tuple[datetime, StoryId] | None,
        limit: int,
    ) -> Sequence[tuple[Story, Person]]:
        """Return stories, not withdrawn, that their tellers want read outside the movement too, of an initiative (None:
        of all the movement), each with its teller, newest first: at most `limit`, that come after one that was told at
        a moment and has an id."""

    async def told_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[ToldStory]:
        """Return stories, not withdrawn, of an initiative (None: of all the movement), newest first, at most two
        hundred."""

    async def solved_by_others(self, movement: MovementId, reader: PersonId) -> Sequence[SolvedSpell]:
        """Return stories of others that may travel, each with a breakthrough it may tell of (see
        `SolvedSpell.is_told_of`): of its initiative, or of its teller. The story told last comes first; at most
        eighty."""

    def search(
        self, movement: MovementId, reader: StoryReader, filters: StoryFilters, before: int | None
    ) -> StorySearch:
        """Begin to search the stories of a movement, within filters, that this reader may read (those that may travel,
        their own, and those told in the place where they are), from before a position (see `story_position`)."""

    async def index_stories(self, limit: int) -> int:
        """Make at most `limit` stories findable that are not yet, of all movements, the newest first: they were told
        before there was a search, or written by another version. Returns how many."""

    async def meanings(self, movement: MovementId, scale: str, since: datetime | None) -> Answers:
        """Count how stories of the movement that may travel were meant on a scale; the tellers who answered after
        `since` (None: ever) are the new ones."""

    async def choice(self, id: SignificanceId, movement: MovementId) -> Significance | None:
        """Return a choice that people of a place made."""

    async def choice_in(self, round: str, movement: MovementId) -> Significance | None:
        """Return the choice that was made in a round (the id of its post); None when there is none yet."""

    async def whys(self, of: Collection[StoryId], movement: MovementId) -> Sequence[Significance]:
        """Return the choices of these stories that may travel to which their tellers agreed, newest first."""

    async def choices_by(self, person: PersonId) -> Sequence[tuple[Significance, Story]]:
        """Return the choices whose why a person wrote, each with its story."""

    async def remove_choice(self, made: Significance) -> None:
        """Delete a choice."""

    async def remove_choices_of(self, *some: Story) -> None:
        """Delete every choice of stories, as nothing is to stand beside them any more."""

    async def count_spread(self, movement: MovementId, now: datetime) -> SpreadCounts:
        """Count the stories that may travel of the last `SPREAD_OVER`, and who did something with them, by group."""

    async def steps_from(self, story: StoryId, movement: MovementId) -> int:
        """Return how many steps were taken because of a story."""

    async def look_in(self, workspace: WorkspaceId, channel: str, message: str) -> None:
        """Look for the story in a message: who asks for it in this transaction (`by_message`) has it at once."""

    async def by_message(self, place: PlaceId, message: str) -> Story | None:
        """Return the story told in a message, withdrawn or not."""

    async def is_known(self, workspace: WorkspaceId, channel: str, *, thread: str, message: str) -> bool:
        """Return whether a thread or a message in a channel of a movement is one of ours, or of a story: it holds one,
        stories were told in its thread, or its author was asked for it. "" is no thread or message."""

    async def request_about(self, place: PlaceId, message: str) -> StoryRequest | None:
        """Return the request to keep a message as a story, answered or not."""

    async def request_to(self, id: StoryRequestId, author: PersonId) -> StoryRequest | None:
        """Return a request put to this author, in whichever movement."""

    async def requests_before(self, moment: datetime) -> Sequence[StoryRequest]:
        """Return at most two hundred requests, of all movements, put before a moment and still unanswered."""

    async def ripples(self, story: StoryId, movement: MovementId) -> int:
        """Return how many people a story moved."""

    async def ripple_moments(self, story: StoryId, movement: MovementId) -> Sequence[datetime]:
        """Return when people said that they do what a story tells, in no order; at most five hundred."""

    async def dimensions_in(self, initiative: InitiativeId, movement: MovementId, limit: int) -> Sequence[Dimension]:
        """Return the dimensions of the latest stories of an initiative that have one, newest first."""

    async def was_told_from(self, group: str, initiative: InitiativeId, movement: MovementId, before: datetime) -> bool:
        """Return whether somebody of a group told a story of an initiative before a moment, that was not withdrawn."""

    async def ripple(self, story: StoryId, person: PersonId) -> Ripple | None:
        """Return the ripple of a person at a story."""


class Connecting(Protocol):
    """Nominations of key figures, ties between people, and invitations."""

    def add(self, new: Nomination | Tie | TieAnswer | Invitation | Suggestion | Meeting | Guest) -> None:
        """Store a new nomination, tie, answer in a round of ties, invitation, suggestion or meeting, or somebody's part
        in a meeting."""

    async def meeting(self, id: MeetingId, movement: MovementId) -> Meeting | None:
        """Return a meeting of the movement."""

    async def joined_meetings(self, person: PersonId, movement: MovementId, since: datetime) -> Sequence[Meeting]:
        """Return the meetings of the movement after a moment to which a person said yes, first to come first."""

    async def guests(self, meeting: MeetingId, movement: MovementId) -> Sequence[tuple[Guest, Person]]:
        """Return who was invited to a meeting and was not forgotten, by name."""

    async def waiting_to_meet(self, movement: MovementId, workspace: WorkspaceId, limit: int) -> Sequence[Person]:
        """Return at most `limit` members of one workspace who agreed to be brought together and were not forgotten:
        those never invited first, then those invited longest ago."""

    async def together_last(self, people: Collection[PersonId], movement: MovementId) -> set[frozenset[PersonId]]:
        """Return the pairs of which at least one is among these people, and which were invited together the last time
        that one was."""

    async def invitation(self, id: InvitationId, movement: MovementId) -> Invitation | None:
        """Return an invitation of the movement."""

    async def nomination(self, id: NominationId, movement: MovementId) -> Nomination | None:
        """Return a nomination of the movement."""

    async def named_by(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]:
        """Return the nominations that a person made, in no order."""

    async def naming(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]:
        """Return the nominations of a person in the movement, by whomever, in no order."""

    async def invitations_between(
        self, inviter: PersonId, invitee: PersonId, movement: MovementId, since: datetime
    ) -> Sequence[Invitation]:
        """Return the invitations of one person by another, sent after a moment, oldest first."""

    async def introduction(self, story: StoryId, by: PersonId, movement: MovementId) -> Invitation | None:
        """Return the offer of a person to be introduced to who told a story, answered or not, unless taken back."""

    async def invited_for(self, initiative: InitiativeId, movement: MovementId, since: datetime) -> set[PersonId]:
        """Return who was invited for an initiative after a moment, by whomever, without taking it back."""

    async def ties(self, movement: MovementId) -> Sequence[Tie]:
        """Return all ties of a movement, in no order."""

    async def tie_answers(self, person: PersonId, movement: MovementId) -> Sequence[TieAnswer]:
        """Return the answers in rounds of ties that a person gave, and those that name them; the oldest first."""

    async def count_reach(self, movement: MovementId) -> Sequence[GroupCount]:
        """Count, per group of whatever size, how many members take part in an open initiative or have a tie
        with two or more who do, with one, or with nobody; what they answered themselves in a round of ties counts
        as a tie of theirs. Only people with an account that is not deactivated count."""

    async def acquaintances(
        self, people: Collection[PersonId], movement: MovementId, reader: PersonId
    ) -> Sequence[Acquaintance]:
        """Return whom these people know, as far as `reader` may know: of two who both agreed to be suggested, or one of
        whom is the reader. In no order."""

    async def members_among(
        self, people: Collection[PersonId], movement: MovementId
    ) -> Mapping[PersonId, tuple[Person, Member]]:
        """Return those of these people who are members, with their membership, by their id."""

    async def suggestions_to(self, asker: PersonId, movement: MovementId) -> Sequence[Suggestion]:
        """Return who was suggested to somebody, the last ones last."""

    async def strengthen(self, movement: MovementId, one: PersonId, other: PersonId, now: datetime) -> None:
        """Count an occasion on which two people answered each other in the open, or met, in their tie; the first one
        makes the tie. A person has no tie with themselves."""


class Rhythms(Protocol):
    """Rhythms and the changes to single moments of them."""

    def add(self, new: Rhythm | MomentChange) -> None:
        """Store a new rhythm, or a change to one of its moments."""

    async def get(self, id: RhythmId, movement: MovementId) -> Rhythm | None:
        """Return a rhythm of the movement, ended or not."""

    async def of_movement(self, movement: MovementId, most: int | None = None) -> Sequence[Rhythm]:
        """Return the rhythms of a movement that have not ended, oldest first; where there are more than `most`, those
        that come soonest."""

    async def count(self, movement: MovementId) -> int:
        """Return how many rhythms of a movement have not ended."""

    async def changes(self, rhythm: Rhythm, after: datetime) -> dict[MomentName, MomentChange]:
        """Return the changes to moments of a rhythm that can still matter after a moment; see `MAX_MOVE`."""

    async def oldest(self, movement: MovementId, most: int) -> Sequence[Rhythm]:
        """Return at most so many of a movement's rhythms that have not ended, the oldest first."""

    async def of_place(self, place: PlaceId) -> Sequence[Rhythm]:
        """Return the rhythms of a place that have not ended, in no order."""

    async def of_places(self, among: Collection[PlaceId]) -> Mapping[PlaceId, Sequence[Rhythm]]:
        """Return the rhythms of places that have not ended, in no order; places without any are left out."""

    async def change(self, rhythm: RhythmId, moment: MomentName) -> MomentChange | None:
        """Return the change to a moment of a rhythm."""

    async def movements_due(self, now: datetime) -> Sequence[MovementId]:
        """Return the movements, everywhere, in which a rhythm's `next_at` has come; in no order."""

    async def due(self, movement: MovementId, now: datetime, limit: int) -> Sequence[Due]:
        """Lock and return at most `limit` rhythms of a movement whose `next_at` has come, the earliest. Those that
        another planner has locked are skipped."""

    async def set_next_at(self, rhythms: Sequence[RhythmId], at: datetime | None) -> None:
        """Set `next_at` of planned rhythms, all to the same moment, in one statement."""

    def increment_unanswered(self, rhythm: Rhythm) -> None:
        """Count one more moment of a rhythm without an answer. Written as an increment when the transaction ends, so
        that an answer recorded at the same time is not overwritten."""

    async def upcoming(self, before: datetime, limit: int) -> Sequence[tuple[Rhythm, Place]]:
        """Return at most `limit` rhythms, everywhere, whose `next_at` is not after `before`, the earliest first."""

    async def changes_of(
        self, rhythms: Sequence[RhythmId], after: datetime
    ) -> Mapping[RhythmId, dict[MomentName, MomentChange]]:
        """Return the changes that can still matter to moments of these rhythms after one: rhythm → `changes`. Rhythms
        without any are left out."""

    async def changes_in(
        self, places: Collection[PlaceId], after: datetime
    ) -> Mapping[RhythmId, dict[MomentName, MomentChange]]:
        """Return the same of all rhythms of these places that have not ended."""

    async def next_due(self) -> datetime | None:
        """Return the earliest `next_at` of all rhythms, everywhere; None when there is none."""


class Deliveries(Protocol):
    """The outbox: everything that is to be sent, and what became of it.

    A lane is the part of the outbox for one workspace. `claim`, `unknown`, `awaiting_retry`, `in_doubt`, `waiting` and
    `attention` do not see changes of this transaction that are still to be written: call them before changing rows.
    """

    async def add(self, new: Delivery) -> None:
        """Put a row in the outbox and, if it is due, wake its lane after commit; nothing is added when there is a row
        with its key already."""

    async def add_new(self, new: Delivery, *, wakes: bool = True) -> bool:
        """Add a row, and return whether it was: False when there is one with its key already. It takes a trip to the
        database, so only who wants to know asks."""

    async def stands_behind(self, answer: Delivery, now: datetime) -> bool:
        """Return whether another delivery for the same place or person (`ordering_key`) stands ahead of an answer: one
        that is being sent, or may or may not have arrived, or an answer that is due or waits for a retry."""

    async def add_ask(self, new: Delivery, now: datetime, *, postpone: bool = False) -> bool:
        """Put an ask of a person (one of `ASK_KINDS`) in the outbox, unless they were asked enough: over all movements
        together, `MAX_ASKS_PER_MONTH`. Every ask goes out by this.

        With `postpone` it never is too much, but later: its `due_at` becomes the first moment at which there is room.
        Returns False, and adds nothing, when they were asked enough, or when there is a row with its key already.

        The person is locked until the transaction ends, so that two asks in different movements are counted one after
        the other. Instead of `add`: `if await work.deliveries.add_ask(message, turn.now): work.stuck.add(company)`.
        """

    async def add_asks(self, new: Sequence[Delivery], now: datetime) -> int:
        """Put asks of different people in the outbox in as many statements however many they are, but for those who
        were asked enough; see `add_ask`. Keys that are there already are skipped. Returns how many are asked."""

    async def asked_enough(self, people: Collection[PersonId], now: datetime) -> set[PersonId]:
        """Return those of these people who can be asked nothing more now; see `add_ask`. Asks that wait count, those
        that were dropped do not."""

    async def count_asks(self, person: PersonId, now: datetime) -> int:
        """Return how often a person was asked something within the last `MONTH`, over all movements together; what
        still waits is not among it."""

    async def bulk_add(self, new: Delivery, each: Sequence[BulkRow]) -> None:
        """Put a copy of `new` in the outbox for each of `each`, in one statement, and wake the lane after commit. Keys
        that are there already are skipped."""

    async def get(self, id: DeliveryId, workspace: WorkspaceId) -> Delivery | None:
        """Return a delivery for the workspace."""

    async def by_key(self, key: str) -> Delivery | None:
        """Return the delivery with this key, of any workspace: keys are unique everywhere."""

    async def by_keys(self, keys: Collection[str]) -> Mapping[str, Delivery]:
        """Return the deliveries with these keys, by their key."""

    async def by_receipt(self, place: PlaceId, message: str) -> Delivery | None:
        """Return the delivery that became this message in a place."""

    async def about(self, kind: str, subject: str, movement: MovementId) -> Sequence[Delivery]:
        """Return every delivery of a kind about one subject, oldest first."""

    async def given_moments(
        self, kinds: Collection[str], rhythms: Collection[RhythmId], movement: MovementId
    ) -> Mapping[RhythmId, Sequence[GivenMoment]]:
        """Return the messages of these kinds for moments of rhythms, oldest first. Rhythms without any are left out."""

    async def claim(self, lane: WorkspaceId, now: datetime, limit: int) -> Sequence[Delivery]:
        """Lock and return at most `limit` due rows of a lane, by priority, then by their place in the queue. Waits for
        rows that another transaction has locked: skipped, they would be overtaken."""

    async def lock(self, ids: Sequence[DeliveryId], workspace: WorkspaceId) -> Sequence[Delivery]:
        """Lock rows until the transaction ends, and return those that still exist, oldest first."""

    async def save_all(self, changed: Sequence[Delivery]) -> None:
        """Write changes to claimed or locked rows, in bulk. Call it last."""

    async def prefetch(self, claimed: Sequence[Delivery]) -> Sequence[object]:
        """Load the places, people, movements and rhythms that rows are for, one query for each kind. As long as the
        caller keeps the result, asking for one of them needs no query."""

    async def attention(self, claimed: Sequence[Delivery], now: datetime) -> Attention:
        """Return the attention budgets that rows draw on: nudges of the last week, and those due within a week that go
        before one of these."""

    async def lanes_due(self, now: datetime) -> list[WorkspaceId]:
        """Return the lanes with something due to send or to look up, in no order; none of a workspace that Ritme was
        removed from."""

    async def next_due(self) -> datetime | None:
        """Return when the next row of any lane becomes due, to be sent or looked up; not counting workspaces that Ritme
        was removed from."""

    async def stale(self, before: datetime) -> Sequence[Delivery]:
        """Return the rows, of all lanes, that are SENDING since before a moment: their sender died."""

    async def unknown(self, lane: WorkspaceId) -> Sequence[Delivery]:
        """Return the UNKNOWN rows of a lane, oldest first."""

    async def awaiting_retry(self, lane: WorkspaceId) -> Sequence[Delivery]:
        """Return the rows of a lane that were due before and wait for a retry (see `RETRY_REASONS`), in no order."""

    async def in_doubt(self, lane: WorkspaceId) -> Sequence[Delivery]:
        """Return the rows of a lane that are UNKNOWN or SENDING, including those whose sender died; in no order."""

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` settled rows, of all lanes, that were due before a moment. Returns how many.

        Rows that hold a story stay: withdrawing it needs them.
        """

    async def waiting(self, kind: str, lane: WorkspaceId) -> Sequence[Delivery]:
        """Return the WAITING rows of a kind in a lane, in no order."""

    async def trouble(self, movement: MovementId, since: datetime) -> Sequence[tuple[Delivery, Place | None]]:
        """Return rows due after a moment that are UNKNOWN, failed, were dropped, or wait for a reason; each with its
        place, newest first, at most two hundred. `bot.domain.trouble` decides which of them coordinators see."""

    async def count_weeks(self, movement: MovementId, begins: Sequence[datetime]) -> Sequence[WeekCount]:
        """Count the posts of rhythms and the personal messages that Ritme started by itself, sent and not sent, in each
        of the weeks that begin at these moments; the last moment ends the last week. What still waits is in neither."""

    async def count_reasons(self, movement: MovementId, since: datetime, until: datetime) -> Sequence[ReasonCount]:
        """Count those that were not sent between two moments, by the reason; the most frequent first."""

    async def count_answers(self, movement: MovementId, since: datetime, until: datetime) -> Sequence[AnswerCount]:
        """Count, per kind of rhythm, the posts between two moments and the answers under them that were kept."""

    async def held_for(self, place: Place) -> Sequence[Delivery]:
        """Return the rows for everyone in a place that wait because it is out of reach, oldest first."""

    async def was_nudged(self, person: PersonId, since: datetime, but: Collection[DeliveryId]) -> bool:
        """Return whether a nudge arrived at a person after a moment, other than these."""

    async def held_while_quiet(self, person: PersonId) -> Sequence[Delivery]:
        """Return the rows for a person that wait because Ritme is quiet towards them, oldest first."""

    async def cancel_for(self, place: Place, reason: str) -> int:
        """Drop all WAITING rows for a place. Returns how many."""

    async def cancel(self, kind: str, subject: str, reason: str) -> int:
        """Drop the WAITING rows of a kind about a subject. Returns how many."""

    async def cancel_each(self, kind: str, subjects: Collection[str], reason: str) -> Collection[str]:
        """Drop the WAITING rows of a kind about each of these subjects. Returns about which there were any."""

    async def upcoming(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        """Return at most `limit` WAITING rows of a lane, the first due first, with the place and person each is for."""

    async def history(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        """Return at most `limit` rows of a lane that are not WAITING, the latest sent or tried first, with the place
        and person each is for."""

    async def of_person(self, person: PersonId, since: datetime) -> Sequence[Delivery]:
        """Return the rows made for a person after a moment, sent or not, except updates of their own page; newest
        first."""

    async def sent_to(self, person: PersonId) -> Sequence[Delivery]:
        """Return the messages to a person, sent or perhaps sent, oldest first."""

    async def telling_of(self, person: PersonId) -> Sequence[Delivery]:
        """Return the messages in places and to others that name this person, hold their words, or may: sent or perhaps
        sent, and answers that wait; oldest first. Posts of their stories are not among them (`Stories.retold_in`)."""

    async def take_late_mentions(self) -> Sequence[Delivery]:
        """Return at most two hundred messages, of all lanes, that name someone who is forgotten, and forget that they
        do: they were worded at the same moment."""

    async def shared_by(self, person: PersonId) -> Sequence[Delivery]:
        """Return the posts, sent or not, by which a person shared a story, with a line of their own."""

    async def add_all(self, new: Sequence[Delivery]) -> None:
        """Put many rows in the outbox in one statement, and wake their lanes. Keys that are there already are
        skipped."""

    async def of_movement(
        self, movement: MovementId, since: datetime, limit: int, *, not_posted: bool = False
    ) -> Sequence[Delivery]:
        """Return at most `limit` rows made for a movement after a moment, newest first; with `not_posted` only those
        that are `Delivery.was_not_posted`."""

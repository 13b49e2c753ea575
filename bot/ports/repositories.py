"""What the core asks of storage, one protocol per family. Every query is scoped by workspace or by movement."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from bot.domain.attention import Attention
from bot.domain.connectors import Invitation, InvitationId, Nomination, NominationId, Tie
from bot.domain.delivery import BulkRow, Delivery, DeliveryId
from bot.domain.initiative import (
    Company,
    CompanyId,
    EpisodeId,
    Initiative,
    InitiativeId,
    Participant,
    QuestionAsked,
    StuckEpisode,
)
from bot.domain.look_back import Done, Spell, Told
from bot.domain.movement import InviteCode, Member, Movement, MovementId, PartSaid, Place, PlaceId, Purpose, Segment
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId
from bot.domain.person import Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Due, MomentChange, Rhythm, RhythmId
from bot.domain.story import Retelling, Ripple, Story, StoryId, StoryRequest, StoryRequestId


class Inbox(Protocol):
    """Which inbound requests were acted upon."""

    async def claim(self, workspace: WorkspaceId, key: str, now: datetime) -> bool:
        """True for the first transaction that claims this key; False when it was acted upon before."""

    async def forget(self, before: datetime, limit: int) -> int:
        """Forgets at most so many requests of before this moment; no platform brings those again. Returns how many."""


class People(Protocol):
    def add(self, new: Person | Workspace) -> None: ...
    async def workspace(self, id: WorkspaceId) -> Workspace | None: ...
    async def lock_movement(
        self, workspace: WorkspaceId, account: str, channel: str | None, movement: MovementId | None
    ) -> None:
        """Waits until nobody else acts in the movement this will be about: the one said, else the channel's, else the
        one joined last. Who is in none waits for the others in their workspace who are not."""

    async def load_context(
        self, workspace: WorkspaceId, account: str, channel: str | None
    ) -> tuple[Person | None, Place | None, Movement | None, Member | None]:
        """Everything a turn starts with, in one query. Without a `channel` (or in an unlinked one), the movement is the
        one the person joined last."""

    async def gone_since(self, moment: datetime) -> Workspace | None:
        """A workspace that Ritme was removed from before this moment and that was not erased yet."""

    async def accounts_in(self, workspace: WorkspaceId) -> Sequence[Person]:
        """Everyone of a workspace who was not forgotten."""

    async def erase(self, workspace: WorkspaceId) -> None:
        """Deletes its places and all that was said and planned there, and movements that lived nowhere else."""

    async def by_account(self, workspace: WorkspaceId, account: str) -> Person | None: ...
    async def known(self, workspace: WorkspaceId, account: str, now: datetime) -> Person:
        """Someone who was named: whom Ritme does not know yet is known by their account alone until they act."""

    async def get(self, id: PersonId, movement: MovementId) -> Person | None:
        """Someone of this movement."""

    async def in_workspace(self, id: PersonId, workspace: WorkspaceId) -> Person | None: ...
    async def of_movement(self, movement: MovementId) -> Sequence[tuple[Person, Member]]:
        """Everyone in a movement who was not forgotten, with their membership, oldest first."""

    async def coordinators(self, movement: MovementId) -> Sequence[Person]:
        """Who coordinates a movement and is still there."""

    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Person]:
        """People of whom the platform has not told us the name yet."""

    async def everything(self, person: PersonId) -> dict[str, list[dict[str, object]]]:
        """All that is kept about one person, as JSON values: table → rows."""

    async def counted(self, person: PersonId, tables: Collection[str]) -> dict[str, int]:
        """How many rows of `everything` there are in these tables: table → number, but for those without any."""

    async def forget(self, person: PersonId) -> None:
        """Deletes every row that is theirs, and empties what was sent to them. Their stories (to be withdrawn before)
        and the nameless person stay."""


class Movements(Protocol):
    def add(self, new: Movement | Place | Member | InviteCode | Segment | Purpose | PartSaid) -> None: ...
    async def get(self, id: MovementId) -> Movement | None: ...
    async def membership(self, movement: MovementId, person: PersonId) -> Member | None: ...
    async def of_person(self, person: PersonId) -> Sequence[tuple[Movement, Member]]:
        """The movements this person belongs to, the last joined first."""

    async def place(self, id: PlaceId) -> Place | None: ...
    async def place_in(self, workspace: WorkspaceId, channel: str) -> Place | None: ...
    async def places(self, movement: MovementId) -> Sequence[Place]: ...
    async def labels(self, movement: MovementId, seen_from: WorkspaceId) -> Mapping[PlaceId, str]:
        """What its places are called, those in another workspace with whose that is: "nacht (Zorggroep West)"."""

    async def codes(self, movement: MovementId, now: datetime) -> Sequence[InviteCode]:
        """The invite codes that are valid now."""

    async def code(self, digest: str) -> InviteCode | None: ...
    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Place]:
        """Places of which the platform has not told us the name yet."""

    async def segments_in(self, workspace: WorkspaceId) -> Sequence[Segment]:
        """The user groups of a workspace that stand for a group, of whichever movement."""

    async def purpose(self, movement: MovementId) -> Purpose | None:
        """The version that holds now."""

    async def purposes(self, movement: MovementId) -> Sequence[Purpose]:
        """Every version, newest first."""

    async def parts_said(self, place: PlaceId) -> list[str]:
        """The parts of the purpose said in this place, oldest first."""


class Initiatives(Protocol):
    def add(self, new: Initiative | Participant) -> None: ...
    async def get(self, id: InitiativeId, movement: MovementId) -> Initiative | None: ...
    async def name(self, id: InitiativeId | None, movement: MovementId) -> str:
        """What an initiative is called; empty without one."""

    async def of_movement(self, movement: MovementId, *, closed: bool = False) -> Sequence[Initiative]:
        """Open initiatives (with `closed`, all of them), newest first."""

    async def of_person(self, person: PersonId, movement: MovementId) -> Sequence[Initiative]:
        """Open initiatives this person takes part in, the latest joined first."""

    async def participant(self, initiative: InitiativeId, person: PersonId) -> Participant | None: ...
    async def participants(
        self, initiative: InitiativeId, movement: MovementId
    ) -> Sequence[tuple[Person, Participant]]:
        """Who takes part now."""


class Stuck(Protocol):
    def add(self, new: StuckEpisode | Company) -> None: ...
    async def ask(self, questions: Sequence[QuestionAsked]) -> None:
        """Keeps that these were asked."""

    async def episode(self, id: EpisodeId, movement: MovementId) -> StuckEpisode | None: ...
    async def own(self, id: str, person: PersonId, movement: MovementId) -> StuckEpisode | None:
        """This person's own episode."""

    async def open_of(
        self, person: PersonId, initiative: InitiativeId | None, movement: MovementId
    ) -> StuckEpisode | None:
        """The open episode of this person about this initiative."""

    async def questions_asked(
        self, movement: MovementId, initiative: InitiativeId | None, person: PersonId
    ) -> list[str]:
        """Questions asked of this initiative (or, without one, of this person), oldest first."""

    async def rounds_of(self, person: PersonId, movement: MovementId) -> int:
        """How often this person was asked a round of questions."""

    async def latest_open(self, person: PersonId, movement: MovementId) -> StuckEpisode | None:
        """The open episode this person began last."""

    async def could_think_along(self, episode: StuckEpisode, rested_since: datetime) -> Sequence[Person]:
        """People of the movement not asked in this episode, nor by anyone since that moment; the latest asked last."""

    async def episodes_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[Spell]:
        """Spells of being stuck, of one initiative or of all; the latest two hundred."""

    async def company(self, id: CompanyId, movement: MovementId) -> Company | None: ...
    async def company_of(self, episode: EpisodeId, movement: MovementId) -> Sequence[tuple[Company, Person]]: ...


class Steps(Protocol):
    def add(self, new: NextStep | Chance) -> None: ...
    async def get(self, id: StepId, movement: MovementId) -> NextStep | None: ...
    async def own(self, id: str, person: PersonId, movement: MovementId) -> NextStep | None:
        """This person's own step."""

    async def planned_of(self, person: PersonId, movement: MovementId) -> Sequence[NextStep]: ...
    async def done_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[Done]:
        """Steps that were done, of one initiative or of all; the latest two hundred."""

    async def chance(self, id: ChanceId, movement: MovementId) -> Chance | None: ...


class Stories(Protocol):
    def add(self, new: Story | StoryRequest | Ripple | Retelling) -> None: ...
    async def get(self, id: StoryId, movement: MovementId) -> Story | None: ...
    async def own(self, id: StoryId, teller: PersonId) -> Story | None:
        """A story this person told, in whichever movement."""

    async def of_teller(self, teller: PersonId, limit: int) -> Sequence[Story]:
        """What this person told and did not withdraw, newest first."""

    async def in_thread(self, place: PlaceId, thread: str) -> Sequence[Story]:
        """The stories told in a thread, withdrawn or not, oldest first."""

    async def showing(self, movement: MovementId, part: str, since: datetime, place: PlaceId) -> Story | None:
        """A recent story that may travel and shows this part of the purpose: from another place first, then the newest,
        and none that a reminder in `place` already told. Who says it adds a `Retelling`, so that edits follow."""

    async def to_harvest(self, movement: MovementId, limit: int) -> Sequence[tuple[Story, Person]]:
        """Stories that may travel, told since the last harvest of this movement, with their tellers; newest first."""

    async def retold_in(self, story: StoryId, movement: MovementId) -> Sequence[Delivery]:
        """Our messages that hold this story, oldest first; not those taken away again."""

    async def told_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[Told]:
        """Stories not withdrawn, of one initiative or of all; the latest two hundred."""

    async def steps_from(self, story: StoryId, movement: MovementId) -> int:
        """How many steps were taken because of it."""

    async def by_message(self, place: PlaceId, message: str) -> Story | None:
        """The story told in this message, withdrawn or not."""

    async def request_about(self, place: PlaceId, message: str) -> StoryRequest | None:
        """That the author of this message was asked whether it may be kept."""

    async def asked_of(self, id: StoryRequestId, author: PersonId) -> StoryRequest | None:
        """What this author was asked, in whichever movement."""

    async def requests_before(self, moment: datetime) -> Sequence[StoryRequest]:
        """What nobody has answered since before then, wherever; at most two hundred."""

    async def ripples(self, story: StoryId, movement: MovementId) -> int: ...
    async def ripple(self, story: StoryId, person: PersonId) -> Ripple | None: ...


class Connecting(Protocol):
    def add(self, new: Nomination | Tie | Invitation) -> None: ...
    async def invitation(self, id: InvitationId, movement: MovementId) -> Invitation | None: ...
    async def nomination(self, id: NominationId, movement: MovementId) -> Nomination | None: ...
    async def named_by(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]: ...
    async def was_named(self, person: PersonId, movement: MovementId) -> bool: ...
    async def invitations(self, movement: MovementId, since: datetime) -> Sequence[Invitation]:
        """What was sent since then, oldest first."""

    async def nominations(self, movement: MovementId) -> Sequence[Nomination]: ...
    async def ties(self, movement: MovementId) -> Sequence[Tie]: ...
    async def strengthen(self, movement: MovementId, one: PersonId, other: PersonId, now: datetime) -> None:
        """Notes an occasion on which these two met or named each other."""


class Rhythms(Protocol):
    def add(self, new: Rhythm | MomentChange) -> None: ...
    async def get(self, id: RhythmId, movement: MovementId) -> Rhythm | None: ...
    async def of_movement(self, movement: MovementId) -> Sequence[Rhythm]:
        """Rhythms that have not ended."""

    async def changes(self, rhythm: Rhythm, after: datetime) -> dict[date, MomentChange]:
        """What was changed about moments that can matter after this moment, by the date their rule gave them."""

    async def of_place(self, place: PlaceId) -> Sequence[Rhythm]:
        """Those that have not ended."""

    async def change(self, rhythm: RhythmId, on: date) -> MomentChange | None: ...
    async def movements_due(self, now: datetime) -> Sequence[MovementId]:
        """The movements, wherever, in which a rhythm's `next_at` has come (the planner's query)."""

    async def due(self, movement: MovementId, now: datetime, limit: int) -> Sequence[Due]:
        """Rhythms of a movement whose `next_at` has come, but those somebody else plans just now."""

    async def set_next_at(self, rhythms: Sequence[RhythmId], at: datetime | None) -> None:
        """These were planned: the next moment of each is this one."""

    def increment_unanswered(self, rhythm: Rhythm) -> None:
        """One more of its moments without an answer. An answer that comes at the same moment is not undone by it."""

    async def coming(self, before: datetime, limit: int) -> Sequence[tuple[Rhythm, Place]]:
        """The rhythms that come first, wherever."""

    async def changes_of(self, rhythms: Sequence[Due]) -> Mapping[RhythmId, dict[date, MomentChange]]:
        """What was changed about moments of these that can still matter, by rhythm; see `changes`."""

    async def next_due(self) -> datetime | None: ...


class Deliveries(Protocol):
    async def add(self, new: Delivery) -> bool:
        """Puts a row in the outbox and wakes its lane after commit; False when its key is already there."""

    async def bulk_add(self, new: Delivery, each: Sequence[BulkRow]) -> None:
        """The same for many that differ only in this, in one statement."""

    async def get(self, id: DeliveryId, workspace: WorkspaceId) -> Delivery | None: ...
    async def by_key(self, key: str) -> Delivery | None: ...
    async def by_receipt(self, place: PlaceId, message: str) -> Delivery | None:
        """The delivery that became this message."""

    async def about(self, kind: str, subject: str, movement: MovementId) -> Sequence[Delivery]:
        """Every delivery of a kind about one subject, oldest first."""

    async def claim(self, lane: WorkspaceId, now: datetime, limit: int) -> Sequence[Delivery]:
        """Due rows of a lane, by priority, then due moment."""

    async def lock(self, ids: Sequence[DeliveryId], workspace: WorkspaceId) -> Sequence[Delivery]:
        """Those that are still there, kept from others until the end of the transaction."""

    async def save_all(self, changed: Sequence[Delivery]) -> None:
        """Writes what became of rows claimed or in hand, all at once; the last thing done with them."""

    async def prefetch(self, claimed: Sequence[Delivery]) -> Sequence[object]:
        """Loads the places, people, movements and rhythms these are for, all at once; while what it returns is held,
        asking for one of them costs nothing."""

    async def attention(self, claimed: Sequence[Delivery], now: datetime) -> Attention:
        """What draws on the attention of those these are for."""

    async def lanes_due(self, now: datetime) -> list[WorkspaceId]:
        """Lanes with something to send or to look up; not those that let us in no more."""

    async def next_due(self) -> datetime | None: ...
    async def stale(self, before: datetime) -> Sequence[Delivery]:
        """Rows that were being sent since before this moment: their sender is gone."""

    async def unknown(self, lane: WorkspaceId) -> Sequence[Delivery]:
        """Rows of a lane of which nobody knows whether they arrived, the first sent first."""

    async def awaiting_retry(self, lane: WorkspaceId) -> Sequence[Delivery]:
        """Rows of a lane that were to be sent already, and wait to be tried again (see `RETRY_REASONS`)."""

    async def in_doubt(self, lane: WorkspaceId) -> Sequence[Delivery]:
        """The same, and those being sent, perhaps by somebody who is not there any more."""

    async def forget(self, before: datetime, limit: int) -> int:
        """Deletes at most so many settled rows that were due before this moment, but those by which a story can still
        be taken back. Returns how many."""

    async def waiting(self, kind: str, lane: WorkspaceId) -> Sequence[Delivery]:
        """What waits of a kind in a workspace."""

    async def trouble(self, movement: MovementId, since: datetime) -> Sequence[tuple[Delivery, Place | None]]:
        """What waits for a reason, failed or was dropped of what was due since then, with its place; the last first, at
        most two hundred. `bot.domain.trouble` says what of it coordinators see."""

    async def held_for(self, place: Place) -> Sequence[Delivery]:
        """What waits for a place that is out of reach, oldest first."""

    async def cancel_for(self, place: Place, reason: str) -> int:
        """Drops what still waits for a place."""

    async def cancel(self, kind: str, subject: str, reason: str) -> int:
        """Drops what still waits of a kind about a subject."""

    async def planned(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        """What waits in a workspace, with where and whom it is for, the first due first."""

    async def settled(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        """What no longer waits in a workspace, the last first."""

    async def of_person(self, person: PersonId, since: datetime) -> Sequence[Delivery]:
        """What was planned or sent to this person since then, but for their own page; the last first."""

    async def posted_for(self, person: PersonId) -> Sequence[Delivery]:
        """Posts in places that hold what this person said of being stuck or of a step."""

    async def of_movement(
        self, movement: MovementId, since: datetime, limit: int, *, not_posted: bool = False
    ) -> Sequence[Delivery]:
        """What was planned since then, the last first; with `not_posted` only what `Delivery.was_not_posted`."""

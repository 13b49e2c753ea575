"""Movements, their places, purpose and initiatives."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Table, bindparam, exists, func, or_, select, text, update

from adapters.database.inline import InlineSession
from adapters.database.repositories.base import Repository, is_of
from adapters.database.tables import (
    PLACES_MISSING_NAME,
    coordinator_changes,
    deliveries,
    episodes,
    experiments,
    group_hours,
    history_answers,
    history_rounds,
    initiatives,
    invitations,
    invite_codes,
    magazines,
    members,
    movements,
    old_messages,
    participants,
    parts_said,
    people,
    places,
    practices,
    purposes,
    ripples,
    rooms,
    segments,
    steps,
    stories,
    story_doors,
    workspaces,
)
from bot.domain.change import CoordinatorChange
from bot.domain.figures import FigureCounts
from bot.domain.group_hours import GroupHours, group_key
from bot.domain.history import HistoryAnswer, HistoryRound, HistoryRoundId
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import (
    PARTS_REMEMBERED,
    InviteCode,
    Member,
    Movement,
    MovementId,
    Place,
    PlaceId,
    Purpose,
    Segment,
)
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.practice import Practice
from bot.domain.room import Room, RoomId, RoomState, Wanted
from bot.domain.story import Readers


class SqlMovements(Repository):
    """Implements `Movements`."""

    def __init__(self, session: InlineSession) -> None:
        super().__init__(session)
        self._in_channels: dict[tuple[WorkspaceId, str], Place] = {}
        """Keeps what `place_in` found: an event asks for its place more than once."""

    async def get(self, id: MovementId) -> Movement | None:
        return await self._session.get(Movement, id)

    async def membership(self, movement: MovementId, person: PersonId) -> Member | None:
        return await self._session.scalar(
            select(Member).where(members.c.movement_id == movement, members.c.person_id == person)
        )

    async def of_person(self, person: PersonId) -> Sequence[tuple[Movement, Member]]:
        found = await self._session.execute(
            select(Movement, Member)
            .join_from(Member, Movement, members.c.movement_id == movements.c.id)
            .where(members.c.person_id == person)
            .order_by(members.c.joined_at.desc(), movements.c.id)
        )
        return [(movement, member) for movement, member in found]

    async def place(self, id: PlaceId) -> Place | None:
        return await self._session.get(Place, id)

    async def places_among(self, ids: Collection[PlaceId]) -> Mapping[PlaceId, Place]:
        return await self._get_each(Place, places.c.id, ids)

    async def place_in(self, workspace: WorkspaceId, channel: str) -> Place | None:
        known = self._in_channels.get((workspace, channel))
        if known is not None and known.channel == channel:
            return known
        found: Place | None = await self._session.scalar(
            select(Place).where(places.c.workspace_id == workspace, places.c.channel == channel)
        )
        if found is not None:
            self._in_channels[workspace, channel] = found
        return found

    async def move_place(self, place: Place, channel: str) -> None:
        old, lane = place.channel, place.workspace_id
        there = await self.place_in(lane, channel)
        if there is not None:
            # In three steps, as no two places may have one channel at any time.
            there.channel = f"moving:{there.id}"
            await self._session.flush()
        place.channel = channel
        await self._session.flush()
        if there is not None:
            there.channel = old
            await self._session.flush()
        for column in (deliveries.c.receipt_channel, deliveries.c.target_channel):
            await self._session.execute(
                update(deliveries)
                .where(deliveries.c.place_id == place.id, column == old)
                .values({column: channel})
                .execution_options(synchronize_session="fetch")
            )
        named = (old_messages.c.workspace_id == lane, old_messages.c.channel == old)
        await self._session.execute(update(old_messages).where(*named).values(channel=channel))

    async def places(self, movement: MovementId) -> Sequence[Place]:
        found = await self._session.scalars(
            select(Place).where(places.c.movement_id == movement).order_by(places.c.created_at, places.c.id)
        )
        return found.all()

    async def due_for_a_look(self, before: datetime, limit: int) -> Sequence[MovementId]:
        at = movements.c.looked_at
        found = await self._session.scalars(
            select(movements.c.id)
            .where(at.is_(None) | (at <= before))
            .order_by(at.asc().nulls_first(), movements.c.id)
            .limit(limit)
        )
        return [MovementId(one) for one in found]

    async def all_ids(self) -> Sequence[MovementId]:
        found = await self._session.scalars(select(movements.c.id).order_by(movements.c.id))
        return [MovementId(one) for one in found]

    async def places_abroad(self, movement: MovementId, among: Collection[PlaceId] | None = None) -> Sequence[Place]:
        mine = select(Place).where(places.c.movement_id == movement, places.c.country != "")
        if among is not None:
            mine = mine.where(self._among(places.c.id, among))
        return (await self._session.scalars(mine.order_by(places.c.created_at, places.c.id))).all()

    async def count_figures(self, movement: MovementId, since: datetime) -> FigureCounts | None:
        its = (members.c.movement_id == movement, people.c.id == members.c.person_id, _IS_THERE)
        takes_part = exists().where(
            participants.c.person_id == people.c.id,
            participants.c.movement_id == movement,
            participants.c.left_at.is_(None),
            participants.c.initiative_id == initiatives.c.id,
            initiatives.c.closed_at.is_(None),
        )
        travels = (stories.c.withdrawn_at.is_(None), stories.c.readers != Readers.THREAD)
        told = (stories.c.movement_id == movement, *travels)
        rippled = (ripples.c.movement_id == movement, ripples.c.story_id == stories.c.id, ripples.c.at > since)
        counts = (
            select(func.count()).select_from(members, people).where(*its),
            select(func.count()).select_from(members, people).where(*its, takes_part),
            select(func.count()).select_from(stories).where(*told, stories.c.told_at > since),
            select(func.count()).select_from(ripples, stories).where(*told, *rippled),
        )
        found = select(*(one.scalar_subquery() for one in counts)).where(movements.c.id == movement)
        row = (await self._session.execute(found.select_from(movements))).one_or_none()
        return FigureCounts(*row) if row is not None else None

    async def labels(self, movement: MovementId, seen_from: WorkspaceId) -> Mapping[PlaceId, str]:
        found = await self._session.execute(
            select(places.c.id, places.c.name, places.c.channel, places.c.workspace_id, workspaces.c.name)
            .join(workspaces, workspaces.c.id == places.c.workspace_id)
            .where(places.c.movement_id == movement)
        )
        labels = {}
        for place, name, channel, workspace, organisation in found:
            elsewhere = organisation if workspace != seen_from else ""
            labels[place] = f"{name or channel} ({elsewhere})" if elsewhere else name or channel
        return labels

    async def codes(self, movement: MovementId, now: datetime) -> Sequence[InviteCode]:
        found = await self._session.scalars(
            select(InviteCode).where(
                invite_codes.c.movement_id == movement,
                invite_codes.c.revoked_at.is_(None),
                invite_codes.c.expires_at > now,
            )
        )
        return found.all()

    async def code(self, digest: str) -> InviteCode | None:
        return await self._session.scalar(select(InviteCode).where(invite_codes.c.digest == digest))

    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Place]:
        found = await self._session.scalars(
            select(Place).where(places.c.workspace_id == workspace, text(PLACES_MISSING_NAME)).limit(limit)
        )
        return found.all()

    async def segments_in(self, workspace: WorkspaceId) -> Sequence[Segment]:
        found = await self._session.scalars(
            select(Segment).where(segments.c.workspace_id == workspace).order_by(segments.c.name, segments.c.handle)
        )
        return found.all()

    async def group_hours(self, movement: MovementId) -> Sequence[GroupHours]:
        found = await self._session.scalars(
            select(GroupHours).where(group_hours.c.movement_id == movement).order_by(group_hours.c.key)
        )
        return found.all()

    async def find_hours(self, among: Collection[PersonId], group: str) -> Mapping[PersonId, GroupHours]:
        rows = await self._session.execute(
            select(members.c.person_id, GroupHours)
            .join(GroupHours, group_hours.c.movement_id == members.c.movement_id)
            .where(self._among(members.c.person_id, among), group_hours.c.key == group_key(group))
            .order_by(group_hours.c.set_at.desc(), group_hours.c.movement_id)
        )
        found: dict[PersonId, GroupHours] = {}
        for person, hours in rows:
            found.setdefault(person, hours)
        return found

    async def purpose(self, movement: MovementId) -> Purpose | None:
        return await self._session.scalar(
            select(Purpose).where(purposes.c.movement_id == movement).order_by(purposes.c.version.desc()).limit(1)
        )

    async def purposes(self, movement: MovementId) -> Sequence[Purpose]:
        found = await self._session.scalars(
            select(Purpose).where(purposes.c.movement_id == movement).order_by(purposes.c.version.desc())
        )
        return found.all()

    async def changes_by_coordinators(
        self, movement: MovementId, limit: int
    ) -> Sequence[tuple[CoordinatorChange, Person]]:
        found = await self._session.execute(
            select(CoordinatorChange, Person)
            .join(people, people.c.id == coordinator_changes.c.by_id)
            .where(coordinator_changes.c.movement_id == movement)
            .order_by(coordinator_changes.c.at.desc(), coordinator_changes.c.id)
            .limit(limit)
        )
        return [(change, person) for change, person in found]

    async def practice(self, movement: MovementId, behaviour: str, person: PersonId) -> Practice | None:
        return await self._session.get(Practice, (movement, behaviour, person))

    async def count_practices(self, movement: MovementId) -> Mapping[str, tuple[int, int]]:
        found = await self._session.execute(
            select(
                practices.c.behaviour,
                func.count(practices.c.person_id.distinct()),
                func.count(practices.c.place_id.distinct()),
            )
            .join(
                members,
                (members.c.movement_id == practices.c.movement_id) & (members.c.person_id == practices.c.person_id),
            )
            .join(people, people.c.id == practices.c.person_id)
            .where(
                practices.c.movement_id == movement, people.c.account.is_not(None), people.c.deactivated_at.is_(None)
            )
            .group_by(practices.c.behaviour)
        )
        return {behaviour: (count, places) for behaviour, count, places in found}

    async def said_parts(self, place: PlaceId) -> list[str]:
        found = await self._session.scalars(
            select(parts_said.c.part)
            .where(parts_said.c.place_id == place)
            .order_by(parts_said.c.said_at.desc(), parts_said.c.id.desc())
            .limit(PARTS_REMEMBERED)
        )
        return list(found)[::-1]


_OF_PERSON = (
    select(Initiative)
    .join(Participant, participants.c.initiative_id == initiatives.c.id)
    .where(
        participants.c.person_id == bindparam("person"),
        participants.c.left_at.is_(None),
        initiatives.c.movement_id == bindparam("movement"),
        initiatives.c.closed_at.is_(None),
    )
    .order_by(participants.c.joined_at.desc(), initiatives.c.id)
)
LATEST_OF_PERSON = _OF_PERSON.with_only_columns(initiatives.c.id).limit(1).scalar_subquery()
"""Of whom `person` is, in `movement`, the initiative that they joined last."""

_GROUPS_IN = (
    select(people.c.id, people.c.group)
    .join(participants, participants.c.person_id == people.c.id)
    .where(
        participants.c.initiative_id == bindparam("initiative"),
        participants.c.movement_id == bindparam("movement"),
        participants.c.left_at.is_(None),
        people.c.account.is_not(None),
        people.c.deactivated_at.is_(None),
    )
    .order_by(participants.c.joined_at, people.c.id)
)


_IS_ITS = participants.c.initiative_id == initiatives.c.id
_IS_THERE = people.c.account.is_not(None) & people.c.deactivated_at.is_(None)
_IS_OPEN = initiatives.c.closed_at.is_(None)
SIGNS_OF_LIFE = (
    (participants, participants.c.joined_at),
    (stories, stories.c.told_at),
    (episodes, episodes.c.opened_at),
    (episodes, episodes.c.closed_at),
    (steps, steps.c.chosen_at),
    (steps, steps.c.closed_at),
    (invitations, invitations.c.sent_at),
    (experiments, experiments.c.started_at),
    (experiments, experiments.c.decided_at),
    (history_rounds, history_rounds.c.asked_at),
    (rooms, rooms.c.asked_at),
    (rooms, rooms.c.answered_at),
    (rooms, rooms.c.supported_at),
    (story_doors, story_doors.c.opened_at),
    (magazines, magazines.c.begun_at),
    (magazines, magazines.c.shown_at),
)
"""The moments that show that something happens in an initiative."""


def _happened_after(moment: datetime | Column[datetime | None]) -> ColumnElement[bool]:
    """Match initiatives in which something happened after a moment."""
    # Nothing of an initiative is older than it. Said here because PostgreSQL would otherwise read all that happened
    # anywhere since that moment; an inequality with the initiative makes it look by the initiative.
    began = initiatives.c.started_at
    return or_(*(exists().where(*_belongs(table), at > moment, at >= began) for table, at in SIGNS_OF_LIFE))


def _belongs(table: Table) -> tuple[ColumnElement[bool], ...]:
    # Some of the indexes begin with the movement.
    return table.c.initiative_id == initiatives.c.id, table.c.movement_id == initiatives.c.movement_id


class SqlInitiatives(Repository):
    """Implements `Initiatives`."""

    async def get(self, id: InitiativeId, movement: MovementId) -> Initiative | None:
        return await self._get(Initiative, id, movement_id=movement)

    async def name(self, id: InitiativeId | None, movement: MovementId) -> str:
        found = await self.get(id, movement) if id is not None else None
        return found.name if found is not None else ""

    async def of_movement(
        self, movement: MovementId, *, closed: bool = False, most: int | None = None
    ) -> Sequence[Initiative]:
        query = select(Initiative).where(initiatives.c.movement_id == movement)
        if not closed:
            query = query.where(initiatives.c.closed_at.is_(None))
        found = await self._session.scalars(
            query.order_by(initiatives.c.started_at.desc(), initiatives.c.id).limit(most)
        )
        return found.all()

    async def of_person(self, person: PersonId, movement: MovementId) -> Sequence[Initiative]:
        found = await self._session.scalars(_OF_PERSON, {"person": person, "movement": movement})
        return found.all()

    async def history(self, id: HistoryRoundId, movement: MovementId) -> HistoryRound | None:
        return await self._get(HistoryRound, id, movement_id=movement)

    async def last_history(self, initiative: InitiativeId, movement: MovementId) -> HistoryRound | None:
        return await self._session.scalar(
            select(HistoryRound)
            .where(history_rounds.c.initiative_id == initiative, history_rounds.c.movement_id == movement)
            .order_by(history_rounds.c.asked_at.desc())
            .limit(1)
        )

    async def history_answers(
        self, round: HistoryRoundId, movement: MovementId
    ) -> Sequence[tuple[HistoryAnswer, Person]]:
        found = await self._session.execute(
            select(HistoryAnswer, Person)
            .join_from(HistoryAnswer, Person, people.c.id == history_answers.c.person_id)
            .where(
                history_answers.c.round_id == round,
                history_answers.c.movement_id == movement,
                people.c.account.is_not(None),
            )
            .order_by(history_answers.c.answered_at, people.c.id)
        )
        return [(answer, person) for answer, person in found]

    async def history_answer(self, round: HistoryRoundId, person: PersonId) -> HistoryAnswer | None:
        return await self._session.get(HistoryAnswer, (round, person))

    async def participant(self, initiative: InitiativeId, person: PersonId) -> Participant | None:
        return await self._session.get(Participant, (initiative, person))

    async def participants(
        self, initiative: InitiativeId, movement: MovementId
    ) -> Sequence[tuple[Person, Participant]]:
        found = await self._session.execute(
            select(Person, Participant)
            .join_from(Person, Participant, participants.c.person_id == people.c.id)
            .where(
                participants.c.initiative_id == initiative,
                is_of(participants.c.movement_id, movement),
                participants.c.left_at.is_(None),
                people.c.account.is_not(None),
            )
            .order_by(participants.c.joined_at)
        )
        return [(person, participant) for person, participant in found]

    async def people_in(
        self, some: Collection[InitiativeId], movement: MovementId
    ) -> Mapping[InitiativeId, Collection[PersonId]]:
        found = await self._session.execute(
            select(participants.c.initiative_id, participants.c.person_id)
            .join(people, people.c.id == participants.c.person_id)
            .where(
                self._among(participants.c.initiative_id, some),
                participants.c.movement_id == movement,
                participants.c.left_at.is_(None),
                people.c.account.is_not(None),
            )
        )
        taking_part: dict[InitiativeId, set[PersonId]] = {one: set() for one in some}
        for initiative, person in found:
            taking_part[initiative].add(person)
        return taking_part

    async def groups_in(self, initiative: InitiativeId, movement: MovementId) -> Mapping[PersonId, str]:
        found = await self._session.execute(_GROUPS_IN, {"initiative": initiative, "movement": movement})
        return {PersonId(person): group for person, group in found}

    async def count(self, movement: MovementId) -> int:
        going_on = select(func.count()).where(initiatives.c.movement_id == movement, _IS_OPEN)
        return await self._session.scalar(going_on) or 0

    async def initiators(self, movement: MovementId, limit: int) -> Sequence[tuple[Initiative, Person | None]]:
        newest = (
            select(initiatives.c.id)
            .where(initiatives.c.movement_id == movement, initiatives.c.closed_at.is_(None))
            .order_by(initiatives.c.started_at.desc(), initiatives.c.id)
            .limit(limit)
        )
        carries = _IS_ITS & participants.c.initiator.is_(True) & participants.c.left_at.is_(None)
        found = await self._session.execute(
            select(Initiative, Person)
            .join_from(Initiative, Participant, carries, isouter=True)
            .join(Person, (people.c.id == participants.c.person_id) & _IS_THERE, isouter=True)
            .where(initiatives.c.id.in_(newest))
            .order_by(initiatives.c.started_at.desc(), initiatives.c.id, participants.c.joined_at)
        )
        first: dict[InitiativeId, tuple[Initiative, Person | None]] = {}
        for initiative, person in found:
            if first.get(initiative.id, (initiative, None))[1] is None:
                first[initiative.id] = (initiative, person)
        return list(first.values())

    async def without_initiator(self, limit: int) -> Sequence[tuple[InitiativeId, MovementId]]:
        had_one = exists().where(_IS_ITS, participants.c.initiator.is_(True))
        # The part of somebody who was forgotten is deleted; that they began it is kept, nameless.
        was_forgotten = exists().where(people.c.id == initiatives.c.started_by, people.c.account.is_(None))
        carried = exists().where(
            _IS_ITS,
            participants.c.initiator.is_(True),
            participants.c.left_at.is_(None),
            people.c.id == participants.c.person_id,
            _IS_THERE,
        )
        found = await self._session.execute(
            select(initiatives.c.id, initiatives.c.movement_id)
            .where(_IS_OPEN, initiatives.c.seeks_since.is_(None), had_one | was_forgotten, ~carried)
            .limit(limit)
        )
        return [(initiative, movement) for initiative, movement in found]

    async def silent(
        self, before: datetime, asked_before: datetime, limit: int
    ) -> Sequence[tuple[InitiativeId, MovementId]]:
        asked_at = initiatives.c.silence_asked_at
        may_be_asked = asked_at.is_(None) | (asked_at <= asked_before) | _happened_after(asked_at)
        tries = exists().where(*_belongs(experiments), experiments.c.ends_at > before)
        found = await self._session.execute(
            select(initiatives.c.id, initiatives.c.movement_id)
            .where(_IS_OPEN, initiatives.c.started_at <= before, ~_happened_after(before), ~tries, may_be_asked)
            .limit(limit)
        )
        return [(initiative, movement) for initiative, movement in found]

    async def last_sign(self, initiative: InitiativeId, movement: MovementId) -> datetime | None:
        began = select(initiatives.c.started_at).where(
            initiatives.c.id == initiative, initiatives.c.movement_id == movement
        )
        found = [await self._session.scalar(began)]
        for table, at in SIGNS_OF_LIFE:
            is_its = (table.c.initiative_id == initiative) & (table.c.movement_id == movement)
            found.append(await self._session.scalar(select(func.max(at)).where(is_its)))
        return max((one for one in found if one is not None), default=None)

    async def resting(self, movement: MovementId) -> set[InitiativeId]:
        rests = initiatives.c.rests_since
        found = await self._session.scalars(
            select(initiatives.c.id).where(
                initiatives.c.movement_id == movement, _IS_OPEN, rests.is_not(None), ~_happened_after(rests)
            )
        )
        return set(found)

    async def room(self, id: RoomId, movement: MovementId) -> Room | None:
        return await self._get(Room, id, movement_id=movement)

    async def room_to(self, id: RoomId, giver: PersonId) -> Room | None:
        return await self._get(Room, id, giver_id=giver)

    async def current_rooms(
        self, initiative: InitiativeId, movement: MovementId, now: datetime
    ) -> Sequence[tuple[Room, Person]]:
        found = await self._session.execute(
            select(Room, Person)
            .join_from(Room, Person, rooms.c.giver_id == people.c.id)
            .where(
                rooms.c.initiative_id == initiative,
                rooms.c.movement_id == movement,
                rooms.c.state == RoomState.GRANTED,
                rooms.c.wanted == Wanted.ROOM,
                rooms.c.ends_at > now,
            )
            .order_by(rooms.c.ends_at, rooms.c.id)
        )
        return [(room, person) for room, person in found]

    async def endorsements(
        self, initiative: InitiativeId, movement: MovementId, limit: int
    ) -> Sequence[tuple[Room, Person]]:
        found = await self._session.execute(
            select(Room, Person)
            .join_from(Room, Person, rooms.c.giver_id == people.c.id)
            .where(rooms.c.initiative_id == initiative, rooms.c.movement_id == movement, rooms.c.support != "")
            .order_by(rooms.c.supported_at.desc(), rooms.c.id)
            .limit(limit)
        )
        return [(room, person) for room, person in found]

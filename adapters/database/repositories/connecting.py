"""Nominations, ties and invitations."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, and_, bindparam, case, func, or_, select, union_all

from adapters.database.repositories.base import DIALECTS, Repository, among, counts_in_group, is_of
from adapters.database.repositories.networks import count_tie_change
from adapters.database.tables import (
    initiatives,
    invitations,
    meeting_guests,
    meetings,
    members,
    nominations,
    participants,
    people,
    suggestions,
    tie_answers,
    ties,
)
from adapters.database.tables import people as everyone
from adapters.database.types import Utc
from bot.domain.connectors import (
    Acquaintance,
    Invitation,
    InvitationId,
    InvitationState,
    Nomination,
    NominationId,
    Suggestion,
    Tie,
    TieAnswer,
)
from bot.domain.coverage import GroupCount
from bot.domain.initiative import InitiativeId
from bot.domain.meeting import Guest, GuestAnswer, Meeting, MeetingId
from bot.domain.movement import Member, MovementId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.story import StoryId

# A suggestion runs the statements below while others wait for its movement. They are built once: for SQLAlchemy to
# build one costs more than running it.
_INVITED_FOR = select(invitations.c.invitee_id).where(
    invitations.c.movement_id == bindparam("movement"),
    invitations.c.initiative_id == bindparam("initiative"),
    invitations.c.sent_at > bindparam("since", type_=Utc),
    invitations.c.state != InvitationState.TAKEN_BACK,
)
_SUGGESTIONS_TO = (
    select(Suggestion)
    .where(suggestions.c.asker_id == bindparam("asker"), suggestions.c.movement_id == bindparam("movement"))
    .order_by(suggestions.c.at, suggestions.c.id)
)
_MEMBERS_AMONG = {
    dialect: select(Person, Member)
    .join_from(Person, Member, members.c.person_id == everyone.c.id)
    .where(among(everyone.c.id, "people", dialect), members.c.movement_id == bindparam("movement"))
    for dialect in DIALECTS
}


def _select_acquaintances(whose: Column[str], other: Column[str], dialect: str) -> Select[Any]:
    """Build the query of the ties of people, from one end to the other, with the other's group. From the people to
    their ties: from the ties, SQLite looks through all of a movement."""
    who, them = members.alias("who"), members.alias("them")
    return (
        select(whose, other, everyone.c.group)
        .select_from(who)
        .join(ties, and_(whose == who.c.person_id, ties.c.movement_id == who.c.movement_id))
        .join(everyone, everyone.c.id == other)
        .outerjoin(them, and_(them.c.person_id == other, them.c.movement_id == who.c.movement_id))
        .where(
            who.c.movement_id == bindparam("movement"),
            among(who.c.person_id, "people", dialect),
            everyone.c.account.is_not(None),
            or_(other == bindparam("reader"), and_(who.c.suggestible.is_(True), them.c.suggestible.is_(True))),
        )
    )


_ACQUAINTANCES = {
    dialect: (
        _select_acquaintances(ties.c.one_id, ties.c.other_id, dialect),
        _select_acquaintances(ties.c.other_id, ties.c.one_id, dialect),
    )
    for dialect in DIALECTS
}


class SqlConnecting(Repository):
    """Implements `Connecting`."""

    async def invitation(self, id: InvitationId, movement: MovementId) -> Invitation | None:
        return await self._get(Invitation, id, movement_id=movement)

    async def nomination(self, id: NominationId, movement: MovementId) -> Nomination | None:
        return await self._get(Nomination, id, movement_id=movement)

    async def named_by(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]:
        found = await self._session.scalars(
            select(Nomination).where(nominations.c.nominator_id == person, nominations.c.movement_id == movement)
        )
        return found.all()

    async def naming(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]:
        found = await self._session.scalars(
            select(Nomination).where(nominations.c.nominee_id == person, nominations.c.movement_id == movement)
        )
        return found.all()

    async def invitations_between(
        self, inviter: PersonId, invitee: PersonId, movement: MovementId, since: datetime
    ) -> Sequence[Invitation]:
        found = await self._session.scalars(
            select(Invitation)
            .where(
                invitations.c.invitee_id == invitee,
                invitations.c.inviter_id == inviter,
                invitations.c.movement_id == movement,
                invitations.c.sent_at > since,
            )
            .order_by(invitations.c.sent_at)
        )
        return found.all()

    async def introduction(self, story: StoryId, by: PersonId, movement: MovementId) -> Invitation | None:
        return await self._session.scalar(
            select(Invitation).where(
                invitations.c.story_id == story,
                invitations.c.inviter_id == by,
                is_of(invitations.c.movement_id, movement),
                invitations.c.state != InvitationState.TAKEN_BACK,
            )
        )

    async def invited_for(self, initiative: InitiativeId, movement: MovementId, since: datetime) -> set[PersonId]:
        found = await self._session.scalars(
            _INVITED_FOR, {"movement": movement, "initiative": initiative, "since": since}
        )
        return set(found)

    async def meeting(self, id: MeetingId, movement: MovementId) -> Meeting | None:
        return await self._get(Meeting, id, movement_id=movement)

    async def joined_meetings(self, person: PersonId, movement: MovementId, since: datetime) -> Sequence[Meeting]:
        found = await self._session.scalars(
            select(Meeting)
            .join(Guest, meeting_guests.c.meeting_id == meetings.c.id)
            .where(
                meeting_guests.c.person_id == person,
                meeting_guests.c.answer == GuestAnswer.COMING,
                meetings.c.movement_id == movement,
                meetings.c.at > since,
            )
            .order_by(meetings.c.at, meetings.c.id)
        )
        return found.all()

    async def guests(self, meeting: MeetingId, movement: MovementId) -> Sequence[tuple[Guest, Person]]:
        found = await self._session.execute(
            select(Guest, Person)
            .join_from(Guest, Person, people.c.id == meeting_guests.c.person_id)
            .where(
                meeting_guests.c.meeting_id == meeting,
                meeting_guests.c.movement_id == movement,
                people.c.account.is_not(None),
            )
            .order_by(people.c.name, people.c.id)
        )
        return [(guest, person) for guest, person in found]

    async def waiting_to_meet(self, movement: MovementId, workspace: WorkspaceId, limit: int) -> Sequence[Person]:
        invited = (
            select(meeting_guests.c.person_id, func.max(meetings.c.proposed_at).label("at"))
            .join(meetings, meetings.c.id == meeting_guests.c.meeting_id)
            .where(meeting_guests.c.movement_id == movement)
            .group_by(meeting_guests.c.person_id)
            .subquery()
        )
        found = await self._session.scalars(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .outerjoin(invited, invited.c.person_id == people.c.id)
            .where(
                members.c.movement_id == movement,
                members.c.meets.is_(True),
                people.c.workspace_id == workspace,
                people.c.account.is_not(None),
            )
            .order_by(invited.c.at.asc().nulls_first(), members.c.joined_at, people.c.id)
            .limit(limit)
        )
        return found.all()

    async def together_last(self, people: Collection[PersonId], movement: MovementId) -> set[frozenset[PersonId]]:
        found = await self._session.execute(
            select(meeting_guests.c.person_id, meeting_guests.c.meeting_id)
            .join(meetings, meetings.c.id == meeting_guests.c.meeting_id)
            .where(meeting_guests.c.person_id.in_(people), meeting_guests.c.movement_id == movement)
            .order_by(meetings.c.proposed_at)
        )
        last = {row.person_id: row.meeting_id for row in found}
        others = await self._session.execute(
            select(meeting_guests.c.meeting_id, meeting_guests.c.person_id).where(
                meeting_guests.c.meeting_id.in_(set(last.values()))
            )
        )
        guests: dict[str, list[PersonId]] = {}
        for meeting, person in others:
            guests.setdefault(meeting, []).append(person)
        return {
            frozenset((person, other))
            for person, meeting in last.items()
            for other in guests[meeting]
            if other != person
        }

    async def ties(self, movement: MovementId) -> Sequence[Tie]:
        found = await self._session.scalars(select(Tie).where(ties.c.movement_id == movement))
        return found.all()

    async def tie_answers(self, person: PersonId, movement: MovementId) -> Sequence[TieAnswer]:
        found = await self._session.scalars(
            select(TieAnswer)
            .where(
                tie_answers.c.movement_id == movement,
                or_(tie_answers.c.person_id == person, tie_answers.c.other_id == person),
            )
            .order_by(tie_answers.c.at, tie_answers.c.id)
        )
        return found.all()

    async def count_reach(self, movement: MovementId) -> Sequence[GroupCount]:
        here = ties.c.movement_id == movement
        knows = union_all(
            select(ties.c.one_id.label("person"), ties.c.other_id.label("other")).where(here),
            select(ties.c.other_id.label("person"), ties.c.one_id.label("other")).where(here),
            # Only of who said so: nobody else can change by what they say how far somebody is reached.
            select(tie_answers.c.person_id.label("person"), tie_answers.c.other_id.label("other")).where(
                tie_answers.c.movement_id == movement
            ),
        ).cte("knows")
        active = (
            select(participants.c.person_id.label("person"))
            .join(initiatives, initiatives.c.id == participants.c.initiative_id)
            .join(people, people.c.id == participants.c.person_id)
            .where(
                participants.c.movement_id == movement,
                participants.c.left_at.is_(None),
                initiatives.c.closed_at.is_(None),
                people.c.account.is_not(None),
                people.c.deactivated_at.is_(None),
            )
            .distinct()
            .cte("active")
        )
        # Here and below not joined to those who are active: SQLite would compare everyone with everyone.
        known = (
            select(knows.c.person, func.count(knows.c.other.distinct()).label("many"))
            .where(knows.c.other.in_(select(active.c.person)))
            .group_by(knows.c.person)
            .cte("known")
        )
        is_active = people.c.id.in_(select(active.c.person))
        each = (
            select(people.c.group, case((is_active, 2), else_=func.coalesce(known.c.many, 0)).label("many"))
            .join(members, members.c.person_id == people.c.id)
            .outerjoin(known, known.c.person == people.c.id)
            .where(members.c.movement_id == movement, counts_in_group(people))
            .subquery()
        )
        ways = (each.c.many >= 2, each.c.many == 1, each.c.many == 0)
        found = await self._session.execute(
            select(each.c.group, *(func.sum(case((way, 1), else_=0)) for way in ways))
            .group_by(each.c.group)
            .order_by(each.c.group)
        )
        return [GroupCount(group, int(well), int(once), int(unknown)) for group, well, once, unknown in found]

    async def acquaintances(
        self, people: Collection[PersonId], movement: MovementId, reader: PersonId
    ) -> Sequence[Acquaintance]:
        given = {"people": list(people), "movement": movement, "reader": reader}
        asks = (self._session.execute(one, given) for one in _ACQUAINTANCES[self._dialect])
        return [
            Acquaintance(person_id=one, other_id=two, group=group)
            for rows in await self._session.together(*asks)
            for one, two, group in rows
        ]

    async def members_among(
        self, people: Collection[PersonId], movement: MovementId
    ) -> Mapping[PersonId, tuple[Person, Member]]:
        if not people:
            return {}
        found = await self._session.execute(
            _MEMBERS_AMONG[self._dialect], {"people": list(people), "movement": movement}
        )
        return {person.id: (person, member) for person, member in found}

    async def suggestions_to(self, asker: PersonId, movement: MovementId) -> Sequence[Suggestion]:
        found = await self._session.scalars(_SUGGESTIONS_TO, {"asker": asker, "movement": movement})
        return found.all()

    async def strengthen(self, movement: MovementId, one: PersonId, other: PersonId, now: datetime) -> None:
        if one == other:
            return
        low, high = sorted((one, other))
        tie = await self._session.get(Tie, (movement, low, high))
        if tie is None:
            self._session.add(Tie(movement_id=movement, one_id=low, other_id=high, last_at=now))
        else:
            tie.strength, tie.last_at = tie.strength + 1, now
        await count_tie_change(self._session, movement)

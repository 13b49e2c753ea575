"""Stuck episodes, the company people keep each other, steps and chances."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.database.repositories.authors import remember_author
from adapters.database.repositories.base import Repository, is_among_few, is_of
from adapters.database.repositories.movements import LATEST_OF_PERSON
from adapters.database.tables import (
    CHANCES_SHARED,
    STUCK_NOW,
    chances,
    companies,
    episodes,
    members,
    people,
    questions_asked,
    steps,
)
from bot.domain.initiative import (
    MAX_OPEN_EPISODES,
    AskedBefore,
    Company,
    CompanyId,
    EpisodeId,
    InitiativeId,
    StuckEpisode,
)
from bot.domain.look_back import MAX_ROWS_PER_KIND, DoneStep, StuckSpell
from bot.domain.movement import Member, MovementId
from bot.domain.next_step import Chance, ChanceId, ChanceState, NextStep, StepId, StepState
from bot.domain.person import Person, PersonId

# Statements that run often are built once: for SQLAlchemy to build one costs more than running it.
_OPEN_OF = (
    select(StuckEpisode)
    .where(
        episodes.c.person_id == bindparam("person"),
        episodes.c.movement_id == bindparam("movement"),
        text(STUCK_NOW),
    )
    .order_by(episodes.c.opened_at.desc(), episodes.c.id)
    .limit(MAX_OPEN_EPISODES)
)
_QUESTION = ("movement_id", "initiative_id", "person_id", "episode_id", "question", "asked_at")
_ADD_QUESTIONS = {
    dialect: insert(questions_asked).from_select(
        _QUESTION,
        select(
            *(each if name == "question" else bindparam(name, type_=questions_asked.c[name].type) for name in _QUESTION)
        ),
    )
    for dialect, each in (
        ("sqlite", func.json_each(bindparam("questions", type_=JSON)).table_valued("value").c.value),
        ("postgresql", func.unnest(bindparam("questions", type_=ARRAY(String)))),
    )
}
_ROUNDS_OF = select(func.count(questions_asked.c.asked_at.distinct())).where(
    questions_asked.c.person_id == bindparam("person"), questions_asked.c.movement_id == bindparam("movement")
)


def _select_questions(*either: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Select in how many rounds a person was asked questions, and those asked about something, the latest first; a row
    without one where none was. `either`: the conditions of what they are about, of which one is met at a time."""
    found = [
        select(questions_asked)
        .where(questions_asked.c.movement_id == bindparam("movement"), *about)
        .order_by(questions_asked.c.asked_at.desc(), questions_asked.c.id.desc())
        .limit(100)  # more than the number of different questions, so a longer history would add nothing
        .subquery()
        for about in either
    ]
    asked = union_all(*map(select, found)).subquery() if len(found) > 1 else found[0]
    rounds = select(_ROUNDS_OF.scalar_subquery().label("rounds")).subquery()
    return (
        select(rounds.c.rounds, asked.c.question)
        .select_from(rounds.outerjoin(asked, true()))
        .order_by(asked.c.asked_at.desc(), asked.c.id.desc())
    )


_OUTSIDE_ANY = (questions_asked.c.initiative_id.is_(None), questions_asked.c.person_id == bindparam("person"))
_ASKED_INITIATIVE = _select_questions((questions_asked.c.initiative_id == bindparam("initiative"),))
_ASKED_PERSON = _select_questions(_OUTSIDE_ANY)
_ASKED_LATEST = _select_questions(
    (questions_asked.c.initiative_id == LATEST_OF_PERSON,), (*_OUTSIDE_ANY, LATEST_OF_PERSON.is_(None))
)
_SPELLS = (
    select(
        episodes.c.id,
        episodes.c.person_id,
        episodes.c.audience,
        episodes.c.state,
        episodes.c.opened_at,
        episodes.c.closed_at,
    )
    .order_by(episodes.c.opened_at.desc())
    .limit(MAX_ROWS_PER_KIND)
)
_DONE = (
    select(steps.c.id, steps.c.person_id, steps.c.action, steps.c.posted, steps.c.closed_at)
    .where(steps.c.state == StepState.DONE)
    .order_by(steps.c.closed_at.desc())
    .limit(MAX_ROWS_PER_KIND)
)


_CHANCES = select(Chance).order_by(chances.c.noted_at.desc(), chances.c.id)


class SqlStuck(Repository):
    """Implements `Stuck`."""

    async def episode(self, id: EpisodeId, movement: MovementId) -> StuckEpisode | None:
        return await self._get(StuckEpisode, id, movement_id=movement)

    async def own(self, id: str, person: PersonId, movement: MovementId) -> StuckEpisode | None:
        return await self._get(StuckEpisode, id, movement_id=movement, person_id=person)

    async def open_of(self, person: PersonId, movement: MovementId) -> Sequence[StuckEpisode]:
        return (await self._session.scalars(_OPEN_OF, {"person": person, "movement": movement})).all()

    async def remove_company(self, asked: Company) -> None:
        await self._session.post(delete(companies).where(companies.c.id == asked.id))

    async def add_questions(self, episode: StuckEpisode, questions: Sequence[str], now: datetime) -> None:
        about = {
            "movement_id": episode.movement_id,
            "initiative_id": episode.initiative_id,
            "person_id": episode.person_id,
            "episode_id": episode.id,
            "questions": list(questions),
            "asked_at": now,
        }
        await self._session.post(_ADD_QUESTIONS[self._dialect], about)

    async def asked_questions(
        self, movement: MovementId, initiative: InitiativeId | None, person: PersonId
    ) -> AskedBefore:
        about = {"person": person, "initiative": initiative, "movement": movement}
        return await self._recall(_ASKED_PERSON if initiative is None else _ASKED_INITIATIVE, about)

    async def asked_about_latest(self, movement: MovementId, person: PersonId) -> AskedBefore:
        return await self._recall(_ASKED_LATEST, {"person": person, "movement": movement})

    async def _recall(self, query: Select[Any], about: Mapping[str, Any]) -> AskedBefore:
        found = await self._session.fetch_rows(query, about)
        return AskedBefore(rounds=found[0][0], questions=[question for _, question in reversed(found) if question])

    async def rounds_of(self, person: PersonId, movement: MovementId) -> int:
        return await self._session.scalar(_ROUNDS_OF, {"person": person, "movement": movement}) or 0

    async def peer_candidates(self, episode: StuckEpisode, rested_since: datetime) -> Sequence[Person]:
        in_episode = select(companies.c.person_id).where(companies.c.episode_id == episode.id)
        # Of each candidate by itself: of all who were ever asked there are far more than may be asked now.
        last = (
            select(func.max(companies.c.asked_at))
            .where(companies.c.person_id == people.c.id, is_of(companies.c.movement_id, episode.movement_id))
            .scalar_subquery()
        )
        found = await self._session.scalars(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .where(
                members.c.movement_id == episode.movement_id,
                people.c.account.is_not(None),
                members.c.suggestible.is_(True),
                people.c.id != episode.person_id,
                people.c.id.not_in(in_episode),
                or_(last.is_(None), last <= rested_since),
            )
            # Those never asked first, then those asked longest ago.
            .order_by(last.is_not(None), last, members.c.joined_at, people.c.id)
        )
        return found.all()

    async def episodes_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[StuckSpell]:
        query = _SPELLS.where(episodes.c.movement_id == movement)
        if initiative is not None:
            query = query.where(episodes.c.initiative_id == initiative)
        return [StuckSpell(*row) for row in await self._session.execute(query)]

    async def company(self, id: CompanyId, movement: MovementId) -> Company | None:
        return await self._get(Company, id, movement_id=movement)

    async def company_of(self, episode: EpisodeId, movement: MovementId) -> Sequence[tuple[Company, Person]]:
        found = await self._session.execute(
            select(Company, Person)
            .join_from(Company, Person, companies.c.person_id == people.c.id)
            .where(companies.c.episode_id == episode, is_of(companies.c.movement_id, movement))
            .order_by(companies.c.asked_at, companies.c.id)
        )
        return [(company, person) for company, person in found]


class SqlSteps(Repository):
    """Implements `Steps`."""

    async def get(self, id: StepId, movement: MovementId) -> NextStep | None:
        return await self._get(NextStep, id, movement_id=movement)

    async def own(self, id: str, person: PersonId, movement: MovementId) -> NextStep | None:
        return await self._get(NextStep, id, movement_id=movement, person_id=person)

    async def planned_of(self, person: PersonId, movement: MovementId) -> Sequence[NextStep]:
        found = await self._session.scalars(
            select(NextStep)
            .where(steps.c.person_id == person, steps.c.movement_id == movement, steps.c.state == StepState.PLANNED)
            .order_by(steps.c.follow_up_at)
        )
        return found.all()

    async def chance(self, id: ChanceId, movement: MovementId) -> Chance | None:
        return await self._get(Chance, id, movement_id=movement)

    async def open_chances(self, person: PersonId, movement: MovementId, limit: int) -> Sequence[Chance]:
        found = await self._session.scalars(
            _CHANCES.where(
                chances.c.person_id == person, chances.c.movement_id == movement, chances.c.state == ChanceState.OPEN
            ).limit(limit)
        )
        return found.all()

    async def chances_in(self, movement: MovementId, reader: PersonId | None, limit: int) -> Sequence[Chance]:
        known = _CHANCES.where(chances.c.state != ChanceState.GONE).limit(limit)
        # Each by an index of its own: with both in one condition, all chances of the movement were gone through.
        shared, own = await self._session.together(
            self._session.scalars(known.where(text(CHANCES_SHARED), is_among_few(chances.c.movement_id, movement))),
            self._session.scalars(known.where(chances.c.person_id == reader, is_of(chances.c.movement_id, movement))),
        )
        found = {one.id: one for one in (*shared, *own)}.values()
        return sorted(sorted(found, key=lambda one: one.id), key=lambda one: one.noted_at, reverse=True)[:limit]

    async def done_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[DoneStep]:
        query = _DONE.where(steps.c.movement_id == movement)
        if initiative is not None:
            query = query.where(steps.c.initiative_id == initiative)
        found = [DoneStep(*row) for row in await self._session.execute(query)]
        for one in found:
            remember_author(self._session.sync_session, one.action, one.person_id)
        return found

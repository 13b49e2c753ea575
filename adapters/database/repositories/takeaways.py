"""Read the rows that a movement takes along, a batch at a time, in order: of nobody by name who did not agree."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    case,
    event,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapper

from adapters.database.inline import post_beside
from adapters.database.repositories.base import Repository, has_changed
from adapters.database.tables import (
    NUDGES_IN_PLACES,
    deliveries,
    members,
    people,
    personal_files,
    places,
    ripples,
    steps,
    stories,
)
from bot.domain.delivery import DeliveryState
from bot.domain.movement import MovementId
from bot.domain.next_step import StepState
from bot.domain.person import Person, PersonId
from bot.domain.personal_file import TAKEAWAY
from bot.domain.story import Readers, Story
from bot.domain.takeaway import TakenAfter, TakenMoment, TakenStep, TakenStory

_RIPPLES = (
    select(func.count())
    .where(ripples.c.story_id == stories.c.id, ripples.c.movement_id == stories.c.movement_id)
    .scalar_subquery()
)
_AGREED = stories.c.named & people.c.named_beyond & people.c.account.is_not(None) & (stories.c.called == "")


_UNAGREED_NAME = case((people.c.named_beyond, literal("")), else_=people.c.name)
_POSTS = text(NUDGES_IN_PLACES)
_SHOWN_OF_STORY = ("text", "readers", "named", "called", "withdrawn_at")
_SHOWN_OF_TELLER = ("name", "named_beyond", "account")


@event.listens_for(Story, "after_update")
def _follow_story(_mapper: Mapper[Story], connection: Connection, story: Story) -> None:
    """Have what a movement takes along made anew when a story is not what it was: perhaps fewer may read it now."""
    if has_changed(story, *_SHOWN_OF_STORY):
        post_beside(connection, _MAKE_ANEW_IN, {"of": story.movement_id})


@event.listens_for(Person, "after_insert")
def _follow_newcomer(_mapper: Mapper[Person], connection: Connection, person: Person) -> None:
    """Have it made anew when a colleague comes whose name stories may hold already."""
    if person.name:
        colleagues_of = select(places.c.movement_id).where(places.c.workspace_id == person.workspace_id)
        post_beside(connection, _make_anew().where(personal_files.c.movement_id.in_(colleagues_of)))


@event.listens_for(Person, "after_update")
def _follow_teller(_mapper: Mapper[Person], connection: Connection, person: Person) -> None:
    """Have it made anew wherever somebody may be named, when another name of theirs may be shown than before."""
    if has_changed(person, *_SHOWN_OF_TELLER):
        # Wherever they told something, or a story may name them: see `colleagues_after`.
        told_in = select(stories.c.movement_id).where(stories.c.teller_id == person.id)
        colleagues_of = select(places.c.movement_id).where(places.c.workspace_id == person.workspace_id)
        in_ = select(members.c.movement_id).where(members.c.person_id == person.id)
        where = (personal_files.c.movement_id.in_(one) for one in (told_in, colleagues_of, in_))
        post_beside(connection, _make_anew().where(or_(*where)))


def _make_anew() -> Update:
    values = {"made_at": None, "changes": personal_files.c.changes + 1}
    return update(personal_files).where(personal_files.c.kind == TAKEAWAY).values(values)


_MAKE_ANEW_IN = _make_anew().where(personal_files.c.movement_id == bindparam("of"))


class SqlTakeaways(Repository):
    """Implements `Takeaways`."""

    async def stories_after(self, movement: MovementId, after: TakenAfter | None, limit: int) -> Sequence[TakenStory]:
        query = (
            select(
                stories.c.told_at,
                stories.c.id,
                stories.c.text,
                case((_AGREED, people.c.name), else_=literal("")),
                stories.c.called != "",
                stories.c.initiative_id,
                stories.c.dimension,
                _RIPPLES,
            )
            .join_from(stories, people, people.c.id == stories.c.teller_id)
            .where(
                stories.c.movement_id == movement,
                stories.c.withdrawn_at.is_(None),
                stories.c.readers != Readers.THREAD,
            )
        )
        found = await self._session.execute(_page(query, stories.c.told_at, stories.c.id, after, limit))
        return [TakenStory(*row) for row in found]

    async def steps_after(self, movement: MovementId, after: TakenAfter | None, limit: int) -> Sequence[TakenStep]:
        query = select(steps.c.closed_at, steps.c.id, steps.c.cue, steps.c.action, steps.c.initiative_id).where(
            steps.c.movement_id == movement,
            steps.c.posted.is_(True),
            steps.c.state == StepState.DONE,
            steps.c.closed_at.is_not(None),
        )
        found = await self._session.execute(_page(query, steps.c.closed_at, steps.c.id, after, limit))
        return [TakenStep(*row) for row in found]

    async def moments_after(self, movement: MovementId, after: TakenAfter | None, limit: int) -> Sequence[TakenMoment]:
        query = select(
            deliveries.c.created_at, deliveries.c.id, deliveries.c.kind, deliveries.c.place_id, deliveries.c.sent_at
        ).where(
            deliveries.c.movement_id == movement,
            _POSTS,
            deliveries.c.kind.startswith("rhythm_", autoescape=True),
            deliveries.c.state == DeliveryState.SENT,
            deliveries.c.sent_at.is_not(None),
        )
        found = await self._session.execute(_page(query, deliveries.c.created_at, deliveries.c.id, after, limit))
        return [TakenMoment(*row) for row in found]

    async def colleagues_after(
        self, movement: MovementId, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[str, str, str]]:
        query = select(people.c.workspace_id, people.c.account, _UNAGREED_NAME).where(
            # Also who left, or never took part: a story may name any colleague. Who was forgotten has no name.
            people.c.workspace_id.in_(select(places.c.workspace_id).where(places.c.movement_id == movement)),
            people.c.account.is_not(None),
        )
        if after is not None:
            query = query.where(tuple_(people.c.workspace_id, people.c.account) > after)
        found = await self._session.execute(query.order_by(people.c.workspace_id, people.c.account).limit(limit))
        return [(workspace, account, name) for workspace, account, name in found]

    async def members_after(
        self, movement: MovementId, after: PersonId | None, limit: int
    ) -> Sequence[tuple[PersonId, str]]:
        query = select(members.c.person_id, _UNAGREED_NAME).join_from(
            members, people, people.c.id == members.c.person_id
        )
        query = query.where(members.c.movement_id == movement, members.c.person_id > (after or ""))
        found = await self._session.execute(query.order_by(members.c.person_id).limit(limit))
        return [(person, name) for person, name in found]

    async def has_withdrawn_since(self, movement: MovementId, at: datetime) -> bool:
        withdrawn = select(stories.c.id).where(stories.c.movement_id == movement, stories.c.withdrawn_at >= at)
        return await self._session.scalar(withdrawn.limit(1)) is not None


def _page(
    query: Select[Any], at: ColumnElement[Any], id: ColumnElement[Any], after: TakenAfter | None, limit: int
) -> Select[Any]:
    """Return the next rows of a query, in the order of a moment and an id, after those that were read."""
    if after is not None:
        # The first condition follows from the second: by it the index is entered where the last batch ended.
        query = query.where(at >= after[0], or_(at > after[0], and_(at == after[0], id > after[1])))
    return query.order_by(at, id).limit(limit)

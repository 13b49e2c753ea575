"""Stories, their retellings and their ripples."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    union,
    union_all,
)

from adapters.database.inline import InlineSession
from adapters.database.repositories.authors import remember_author
from adapters.database.repositories.base import Repository, counts_in_group, is_among_few, is_of
from adapters.database.repositories.rows import SELECT_DELIVERIES, Rows
from adapters.database.repositories.story_search import StorySearcher
from adapters.database.story_words import lock_postings, put_in
from adapters.database.tables import (
    NUDGES_IN_PLACES,
    STORIES_UNINDEXED,
    TAKEN_AWAY,
    TOLD_OUTSIDE,
    deliveries,
    episodes,
    held_words,
    members,
    people,
    places,
    retellings,
    ripples,
    significances,
    steps,
    stories,
    story_requests,
)
from adapters.database.types import EachOf, days_before
from bot.domain.choosing import Significance, SignificanceId
from bot.domain.delivery import Act, Delivery
from bot.domain.harvest import LEFT_OVER
from bot.domain.held_words import HeldWords, HeldWordsId
from bot.domain.initiative import Audience, EpisodeState, InitiativeId
from bot.domain.look_back import MAX_ROWS_PER_KIND, ToldStory
from bot.domain.meaning import Answers, join_meaning, list_points, split_meaning
from bot.domain.movement import MovementId, PlaceId
from bot.domain.next_step import StepState
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.retelling import HARVEST, SHARED
from bot.domain.solved import TOLD_AT_ONCE, TOLD_WITHIN, SolvedSpell
from bot.domain.spread import SPREAD_OVER, SPREAD_PERIOD, SPREAD_PERIODS, FlowCount, SpreadCounts, ToldCount
from bot.domain.story import Dimension, Readers, Ripple, Story, StoryId, StoryRequest, StoryRequestId
from bot.domain.story_search import StoryFilters, StoryReader


def _may_travel() -> ColumnElement[bool]:
    """Match the stories for which `Story.may_travel` is true; both must change together."""
    return stories.c.withdrawn_at.is_(None) & (stories.c.readers != Readers.THREAD)


def _told_by_reminder(place: PlaceId) -> ColumnElement[bool]:
    """Match the stories that a purpose reminder in a place told."""
    return exists().where(
        retellings.c.story_id == stories.c.id,
        retellings.c.delivery_id == deliveries.c.id,
        deliveries.c.place_id == place,
        deliveries.c.kind == "rhythm_purpose",
    )


def _spread_by(recent: CTE) -> CompoundSelect[Any]:
    """Select who did something with which of these stories, each pair once: said that they do it too, took a step
    because of it, or passed it on. With the teller and their group: joined to them once more, SQLite would compare
    every pair with every story."""
    taken = (StepState.DONE, StepState.SOMETHING_ELSE)
    its = (recent.c.story, recent.c.teller, recent.c.source)
    # Not the column itself: by that SQLite would take all that anybody passed on, in every movement.
    kind = func.coalesce(deliveries.c.kind, "")
    return union(
        select(*its, ripples.c.person_id.label("person")).join(ripples, ripples.c.story_id == recent.c.story),
        select(*its, steps.c.person_id)
        .join(steps, (steps.c.story_id == recent.c.story) & (steps.c.movement_id == recent.c.movement))
        .where(steps.c.state.in_(taken)),
        select(*its, deliveries.c.args["by"].as_string())
        .join(retellings, retellings.c.story_id == recent.c.story)
        .join(deliveries, deliveries.c.id == retellings.c.delivery_id)
        .where(kind == SHARED, deliveries.c.receipt.is_not(None)),
    )


_TOLD = (
    select(
        stories.c.id,
        stories.c.told_at,
        stories.c.teller_id,
        stories.c.named,
        stories.c.text,
        _may_travel(),
        select(func.count())
        .where(ripples.c.story_id == stories.c.id, ripples.c.movement_id == stories.c.movement_id)
        .scalar_subquery(),
        stories.c.called,
    )
    .where(stories.c.withdrawn_at.is_(None))
    .order_by(stories.c.told_at.desc())
    .limit(MAX_ROWS_PER_KIND)
)
SOLVED_AMONG = 200
"""The newest stories of a movement among which those are found that tell how somebody moved again."""


_FOR_READER = (
    stories.c.movement_id == bindparam("movement"),
    stories.c.teller_id != bindparam("reader"),
    _may_travel(),
)
_newest = (
    select(stories.c.id, stories.c.told_at, stories.c.teller_id, stories.c.initiative_id, stories.c.text)
    .where(*_FOR_READER)
    .order_by(stories.c.told_at.desc(), stories.c.id)
    .limit(SOLVED_AMONG)
    .cte("newest")
)
_earliest = select(func.min(_newest.c.told_at)).scalar_subquery()
_alone = (
    select(episodes)
    .where(
        episodes.c.state == EpisodeState.BREAKTHROUGH,
        episodes.c.initiative_id.is_(None),
        episodes.c.movement_id == bindparam("movement"),
        episodes.c.closed_at >= days_before(_earliest, TOLD_AT_ONCE),
    )
    .cte("alone")
    .prefix_with("MATERIALIZED")
)
"""Breakthroughs without an initiative. First those of the movement: looked for by their person, all that each teller
ever had were gone through."""


def _select_breakthroughs(
    story: FromClause, of: FromClause, within: timedelta, *how: ColumnElement[bool]
) -> Select[Any]:
    """Select the first stories, from the newest, with a spell that ended well, belonging together by `how`: no longer
    than `within` before the story was told, as an initiative has ever more of them. `SolvedSpell.is_told_of` says it to
    the second."""
    spell_text = case((of.c.audience == Audience.CHANNEL, of.c.text), else_="")
    return (
        select(
            *(story.c.id.label("story"), story.c.teller_id, story.c.text, story.c.told_at, story.c.initiative_id),
            *(of.c.id.label("spell"), of.c.person_id, of.c.kind, spell_text.label("spell_text")),
            *(of.c.opened_at, of.c.closed_at),
        )
        .join_from(story, of, and_(*how))
        .where(
            # Not as SQLite looks for it: by this it would take all spells that were opened before the story.
            func.coalesce(of.c.opened_at, story.c.told_at) <= story.c.told_at,
            of.c.closed_at >= days_before(story.c.told_at, within),
        )
        .order_by(story.c.told_at.desc(), story.c.id, of.c.opened_at.desc(), of.c.id)
        .limit(MAX_ROWS_PER_KIND)
    )


# Each by an index of its own: with both in one condition, all spells of the movement were gone through for each story.
# Those of initiatives by the index of the movement's stories, in its order: a database goes on story by story until it
# has enough, where it would else gather all that ended in the weeks before each of them.
_told_of = union_all(
    select(
        _select_breakthroughs(
            stories,
            episodes,
            TOLD_WITHIN,
            episodes.c.state == EpisodeState.BREAKTHROUGH,
            episodes.c.initiative_id == EachOf(stories.c.initiative_id),
            episodes.c.movement_id == stories.c.movement_id,
        )
        .where(*_FOR_READER, stories.c.told_at >= _earliest)
        .subquery()
    ),
    select(
        _select_breakthroughs(
            _newest,
            _alone,
            TOLD_AT_ONCE,
            _newest.c.initiative_id.is_(None),
            _alone.c.person_id == _newest.c.teller_id,
        ).subquery()
    ),
).subquery("told_of")
_SOLVED = (
    select(_told_of)
    .order_by(_told_of.c.told_at.desc(), _told_of.c.story, _told_of.c.opened_at.desc(), _told_of.c.spell)
    .limit(MAX_ROWS_PER_KIND)
)


_IN_MESSAGE = select(Story).where(stories.c.place_id == bindparam("place"), stories.c.message == bindparam("message"))
_IN_CHANNEL = (
    select(places.c.id, Story)
    .select_from(places)
    .outerjoin(Story, (stories.c.place_id == places.c.id) & (stories.c.message == bindparam("message")))
    .where(places.c.workspace_id == bindparam("workspace"), places.c.channel == bindparam("channel"))
)
_channel = (
    select(places.c.id)
    .where(
        places.c.workspace_id == bindparam("workspace"),
        places.c.channel == bindparam("channel"),
        places.c.movement_id.is_not(None),
    )
    .cte("channel")
)
# As a value, found once: joined to the place, PostgreSQL would gather what any place has of that name.
_here = select(_channel.c.id).scalar_subquery()
_IS_KNOWN = select(
    or_(
        *(
            exists().where(
                deliveries.c.place_id == _here,
                deliveries.c.receipt == bindparam(its),
                deliveries.c.act == Act.POST,
            )
            for its in ("thread", "message")
        ),
        *(
            exists().where(stories.c.place_id == _here, stories.c.message == bindparam(its))
            for its in ("thread", "message")
        ),
        exists().where(stories.c.place_id == _here, stories.c.thread == bindparam("thread")),
        exists().where(story_requests.c.place_id == _here, story_requests.c.message == bindparam("message")),
    )
)
"""Every reply in every thread asks this. No stored id is "", which stands for none."""


_NEWEST_OF_EACH = (stories.c.movement_id.desc(), stories.c.told_at.desc())


_taken_away = deliveries.alias("taken_away")
_RETELLINGS = (
    SELECT_DELIVERIES.join(retellings, retellings.c.delivery_id == deliveries.c.id)
    .where(
        ~exists().where(
            _taken_away.c.place_id == deliveries.c.place_id,
            _taken_away.c.target == deliveries.c.receipt,
            text(f"taken_away.{TAKEN_AWAY}"),
        )
    )
    .order_by(deliveries.c.row)
)
"""Selects our messages that hold stories, and were not taken away again."""


class SqlStories(Repository):
    """Implements `Stories`."""

    def __init__(self, session: InlineSession, rows: Rows) -> None:
        super().__init__(session)
        self._rows = rows
        self.added: list[Story] = []
        self.rippled: list[Ripple] = []
        self.regrouped: list[Story] = []
        self._in_messages: dict[tuple[PlaceId, str], Story | None] = {}
        """Keeps what `by_message` found: a message is asked about up to four times a turn."""

    def add(self, new: object) -> None:
        if isinstance(new, Story):
            self.added.append(new)
            self._in_messages.clear()
        if isinstance(new, Ripple):
            self.rippled.append(new)
        super().add(new)

    async def find_words(self, id: HeldWordsId) -> HeldWords | None:
        return await self._session.get(HeldWords, id)

    async def erase_words(self, id: HeldWordsId, person: PersonId) -> None:
        await self._session.post(delete(held_words).where(held_words.c.id == id, held_words.c.person_id == person))

    async def erase_words_about(self, workspace: WorkspaceId, message: str) -> None:
        about = (held_words.c.workspace_id == workspace, held_words.c.message == message)
        await self._session.post(delete(held_words).where(*about))

    async def find_words_before(self, moment: datetime) -> Sequence[HeldWords]:
        found = select(HeldWords).where(held_words.c.asked_at < moment).order_by(held_words.c.asked_at)
        return (await self._session.scalars(found.limit(200))).all()

    async def get(self, id: StoryId, movement: MovementId) -> Story | None:
        return await self._get(Story, id, movement_id=movement)

    async def told_among(self, ids: Collection[StoryId], movement: MovementId) -> Mapping[StoryId, Story]:
        if not ids:
            return {}
        # By their ids alone: told the movement too, SQLite would go through all of its stories.
        some = await self._session.scalars(select(Story).where(self._among(stories.c.id, ids)))
        return {one.id: one for one in some if one.is_told and one.movement_id == movement}

    async def with_tellers(self, ids: Collection[StoryId], movement: MovementId) -> Sequence[tuple[Story, Person]]:
        if not ids:
            return []
        some = select(Story, Person).join_from(Story, Person, stories.c.teller_id == people.c.id)
        found = await self._session.execute(some.where(self._among(stories.c.id, ids)))
        return [(one, teller) for one, teller in found if one.is_told and one.movement_id == movement]

    async def own(self, id: StoryId, teller: PersonId) -> Story | None:
        return await self._get(Story, id, teller_id=teller)

    async def of_teller(self, teller: PersonId, limit: int) -> Sequence[Story]:
        found = await self._session.scalars(
            select(Story)
            .where(stories.c.teller_id == teller, stories.c.withdrawn_at.is_(None))
            .order_by(stories.c.told_at.desc(), stories.c.id)
            .limit(limit)
        )
        return found.all()

    async def in_thread(self, place: PlaceId, thread: str) -> Sequence[Story]:
        found = await self._session.scalars(
            select(Story)
            .where(stories.c.place_id == place, stories.c.thread == thread)
            .order_by(stories.c.told_at, stories.c.id)
        )
        return found.all()

    async def showing(self, movement: MovementId, part: str, since: datetime, place: PlaceId) -> Story | None:
        newest = (
            select(Story)
            .where(
                stories.c.movement_id == movement,
                stories.c.part == part,
                stories.c.told_at >= since,
                _may_travel(),
                ~_told_by_reminder(place),
            )
            .order_by(stories.c.told_at.desc(), stories.c.id)
            .limit(1)
        )
        # Two queries, each of which walks an index from the newest story to the first that fits. One query, ordered by
        # whether a story was told elsewhere, would read all stories of a month.
        elsewhere = await self._session.scalar(newest.where(stories.c.place_id.is_distinct_from(place)))
        return elsewhere or await self._session.scalar(newest.where(stories.c.place_id == place))

    async def related_to_none(
        self, movement: MovementId, parts: Collection[str], since: datetime, place: PlaceId, limit: int
    ) -> Sequence[Story]:
        found = await self._session.scalars(
            select(Story)
            .where(
                stories.c.movement_id == movement,
                stories.c.part.not_in(parts),
                stories.c.told_at >= since,
                _may_travel(),
                ~_told_by_reminder(place),
            )
            .order_by(stories.c.told_at.desc(), stories.c.id)
            .limit(limit)
        )
        return found.all()

    async def to_harvest(
        self, movement: MovementId, place: PlaceId | None, given_before: datetime, limit: int
    ) -> Sequence[tuple[Story, Person]]:
        query = (
            select(Story, Person)
            .join_from(Story, Person, stories.c.teller_id == people.c.id)
            .where(stories.c.movement_id == movement, _may_travel())
        )
        last: datetime | None = None
        if place is None:
            query = query.where(stories.c.harvested_at.is_(None))
        else:
            # Only a harvest that arrived gave something back. Each place has its own: with two rhythms of harvests, the
            # first must not leave the second with nothing.
            told_here = exists().where(
                retellings.c.story_id == stories.c.id,
                retellings.c.delivery_id == deliveries.c.id,
                is_of(deliveries.c.place_id, place),
                is_of(deliveries.c.kind, HARVEST),
                deliveries.c.receipt.is_not(None),
            )
            query = query.where(~told_here)
            last = await self._session.scalar(
                select(deliveries.c.due_at)
                .where(
                    deliveries.c.place_id == place,
                    text(NUDGES_IN_PLACES),  # as a harvest is: by their index, not through all that was ever told here
                    is_of(deliveries.c.kind, HARVEST),
                    deliveries.c.receipt.is_not(None),
                    deliveries.c.sent_at.is_not(None),
                    exists().where(retellings.c.delivery_id == deliveries.c.id),
                )
                .order_by(deliveries.c.sent_at.desc())
                .limit(1)
            )
        if last is None:
            last = await self._session.scalar(
                select(func.max(stories.c.harvested_at)).where(
                    stories.c.movement_id == movement, stories.c.harvested_at < given_before
                )
            )
        if last is not None:
            left_over = stories.c.harvested_at.is_(None)
            query = query.where(stories.c.told_at >= last - LEFT_OVER, (stories.c.told_at >= last) | left_over)
        found = await self._session.execute(query.order_by(stories.c.told_at.desc(), stories.c.id).limit(limit))
        return [(story, teller) for story, teller in found]

    async def retold_in(self, story: StoryId, movement: MovementId) -> Sequence[Delivery]:
        return await self._rows.find(
            _RETELLINGS.where(retellings.c.story_id == story, retellings.c.movement_id == movement)
        )

    async def retold_each(self, some: Collection[Story]) -> Mapping[StoryId, Sequence[Delivery]]:
        found: dict[StoryId, list[Delivery]] = {one.id: [] for one in some}
        for movement in {one.movement_id for one in some}:
            its = self._among(retellings.c.story_id, [one.id for one in some if one.movement_id == movement])
            query = _RETELLINGS.add_columns(retellings.c.story_id).where(its, retellings.c.movement_id == movement)
            for delivery, story in await self._rows.find_with(query):
                found[story].append(delivery)
        return found

    async def told_outside(
        self,
        movement: MovementId,
        initiative: InitiativeId | None,
        after: tuple[datetime, StoryId] | None,
        limit: int,
    ) -> Sequence[tuple[Story, Person]]:
        query = (
            select(Story, Person)
            .join_from(Story, Person, stories.c.teller_id == people.c.id)
            .where(stories.c.movement_id == movement, text(TOLD_OUTSIDE))
        )
        if initiative is not None:
            query = query.where(stories.c.initiative_id == initiative)
        if after is not None:
            at, last = after
            query = query.where(or_(stories.c.told_at < at, (stories.c.told_at == at) & (stories.c.id < last)))
        newest = query.order_by(stories.c.told_at.desc(), stories.c.id.desc()).limit(limit)
        found = [(story, teller) for story, teller in await self._session.execute(newest)]
        for story, teller in found:
            remember_author(self._session.sync_session, story.text, teller.id)
        return found

    async def told_in(self, movement: MovementId, initiative: InitiativeId | None) -> Sequence[ToldStory]:
        query = _TOLD.where(stories.c.movement_id == movement)
        if initiative is not None:
            query = query.where(stories.c.initiative_id == initiative)
        found = [ToldStory(*row) for row in await self._session.execute(query)]
        for one in found:
            remember_author(self._session.sync_session, one.text, one.teller_id)
        return found

    async def solved_by_others(self, movement: MovementId, reader: PersonId) -> Sequence[SolvedSpell]:
        asked = {"movement": movement, "reader": reader}
        solved = [SolvedSpell(*row) for row in await self._session.fetch_rows(_SOLVED, asked)]
        for one in solved:
            remember_author(self._session.sync_session, one.text, one.teller)
        return solved

    def search(
        self, movement: MovementId, reader: StoryReader, filters: StoryFilters, before: int | None
    ) -> StorySearcher:
        return StorySearcher(self._session, movement, reader, filters, before)

    async def index_stories(self, limit: int) -> int:
        unindexed = text(STORIES_UNINDEXED)
        # Of any movement: said so, that the index of those few is gone through from its end.
        any_movement = select(stories.c.movement_id).where(unindexed, stories.c.movement_id > "")
        newest = any_movement.order_by(*_NEWEST_OF_EACH).limit(1)
        movement = await self._session.scalar(newest)
        if movement is None:
            return 0
        await self._session.run_sync(lambda session: lock_postings(session.connection(), movement))
        of_it = is_among_few(stories.c.movement_id, movement)
        some = select(Story).where(unindexed, of_it).order_by(*_NEWEST_OF_EACH).limit(limit)
        found = (await self._session.scalars(some.with_for_update(skip_locked=True))).all()
        await self._session.run_sync(lambda session: put_in(session.connection(), movement, found))
        return len(found)

    async def meanings(self, movement: MovementId, scale: str, since: datetime | None) -> Answers:
        on_scale = (
            stories.c.movement_id == movement,
            stories.c.meant_at.is_not(None),
            stories.c.meant.in_([join_meaning(scale, point) for point in list_points(scale)]),
            _may_travel(),
        )
        found = await self._session.execute(
            select(stories.c.meant, func.count()).where(*on_scale).group_by(stories.c.meant)
        )
        tellers = select(func.count(stories.c.teller_id.distinct())).where(*on_scale)
        new = tellers if since is None else tellers.where(stories.c.meant_at > since)
        alike = select(func.count(stories.c.teller_id.distinct()).label("many")).where(*on_scale)
        alike = (alike if since is None else alike.where(stories.c.meant_at > since)).group_by(stories.c.meant)
        return Answers(
            points={split_meaning(meant)[1]: many for meant, many in found},
            tellers=await self._session.scalar(tellers) or 0,
            new_tellers=await self._session.scalar(new) or 0,
            alike=max(await self._session.scalars(alike), default=0),
        )

    async def choice(self, id: SignificanceId, movement: MovementId) -> Significance | None:
        return await self._get(Significance, id, movement_id=movement)

    async def choice_in(self, round: str, movement: MovementId) -> Significance | None:
        return await self._session.scalar(
            select(Significance).where(significances.c.round == round, significances.c.movement_id == movement)
        )

    async def whys(self, of: Collection[StoryId], movement: MovementId) -> Sequence[Significance]:
        found = await self._session.scalars(
            select(Significance)
            .join(Story, stories.c.id == significances.c.story_id)
            .where(
                significances.c.story_id.in_(of),
                significances.c.movement_id == movement,
                significances.c.agreed_at.is_not(None),
                _may_travel(),
            )
            .order_by(significances.c.chosen_at.desc(), significances.c.id)
        )
        return found.all()

    async def choices_by(self, person: PersonId) -> Sequence[tuple[Significance, Story]]:
        found = await self._session.execute(
            select(Significance, Story)
            .join(Story, stories.c.id == significances.c.story_id)
            .where(significances.c.by_id == person)
            .order_by(significances.c.id)
        )
        return [(made, story) for made, story in found]

    async def remove_choice(self, made: Significance) -> None:
        await self._session.post(delete(significances).where(significances.c.id == made.id))

    async def remove_choices_of(self, *some: Story) -> None:
        theirs = self._among(significances.c.story_id, [one.id for one in some])
        await self._session.post(delete(significances).where(theirs))

    async def count_spread(self, movement: MovementId, now: datetime) -> SpreadCounts:
        teller, doer = people.alias("teller"), people.alias("doer")
        sizes = await self._session.execute(
            select(people.c.group, func.count())
            .join(members, members.c.person_id == people.c.id)
            .where(members.c.movement_id == movement, counts_in_group(people))
            .group_by(people.c.group)
        )
        starts = [now - SPREAD_PERIOD * back for back in range(SPREAD_PERIODS - 1, 0, -1)]
        period = sum((case((stories.c.told_at >= start, 1), else_=0) for start in starts), literal(0))
        since = (
            stories.c.movement_id == movement,
            stories.c.told_at >= now - SPREAD_OVER,
            _may_travel(),
            counts_in_group(teller),
        )
        told = await self._session.execute(
            select(teller.c.group, period.label("period"), func.count())
            .select_from(stories)
            .join(teller, teller.c.id == stories.c.teller_id)
            .where(*since)
            .group_by(teller.c.group, text("period"))
        )
        # Only what was done with these few: never with every story there is.
        recent = (
            select(
                stories.c.id.label("story"),
                stories.c.movement_id.label("movement"),
                teller.c.id.label("teller"),
                teller.c.group.label("source"),
            )
            .join(teller, teller.c.id == stories.c.teller_id)
            .where(*since)
            .cte("recent")
        )
        spread = _spread_by(recent).subquery()
        flows = await self._session.execute(
            select(spread.c.source, doer.c.group, func.count())
            .join(doer, doer.c.id == spread.c.person)
            .where(counts_in_group(doer), doer.c.id != spread.c.teller)
            .group_by(spread.c.source, doer.c.group)
        )
        return SpreadCounts(
            sizes={str(group): int(many) for group, many in sizes},
            told=[ToldCount(group, int(which), many) for group, which, many in told],
            flows=[FlowCount(source, target, times) for source, target, times in flows],
        )

    async def steps_from(self, story: StoryId, movement: MovementId) -> int:
        return (
            await self._session.scalar(
                select(func.count())
                .select_from(steps)
                .where(
                    steps.c.story_id == story,
                    steps.c.movement_id == movement,
                    steps.c.state.in_((StepState.DONE, StepState.SOMETHING_ELSE)),
                )
            )
            or 0
        )

    async def by_message(self, place: PlaceId, message: str) -> Story | None:
        if (place, message) not in self._in_messages:
            found = await self._session.scalar(_IN_MESSAGE, {"place": place, "message": message})
            self._in_messages[place, message] = found
        return self._in_messages[place, message]

    async def look_in(self, workspace: WorkspaceId, channel: str, message: str) -> None:
        given = {"workspace": workspace, "channel": channel, "message": message}
        for place, story in await self._session.execute(_IN_CHANNEL, given):
            self._in_messages[place, message] = story

    async def is_known(self, workspace: WorkspaceId, channel: str, *, thread: str, message: str) -> bool:
        given = {"workspace": workspace, "channel": channel, "thread": thread, "message": message}
        return bool(await self._session.scalar(_IS_KNOWN, given))

    async def request_about(self, place: PlaceId, message: str) -> StoryRequest | None:
        return await self._session.scalar(
            select(StoryRequest).where(story_requests.c.place_id == place, story_requests.c.message == message)
        )

    async def request_to(self, id: StoryRequestId, author: PersonId) -> StoryRequest | None:
        return await self._get(StoryRequest, id, author_id=author)

    async def requests_before(self, moment: datetime) -> Sequence[StoryRequest]:
        found = await self._session.scalars(
            select(StoryRequest)
            .where(story_requests.c.answered_at.is_(None), story_requests.c.asked_at < moment)
            .limit(200)
        )
        return found.all()

    async def ripple_moments(self, story: StoryId, movement: MovementId) -> Sequence[datetime]:
        found = await self._session.scalars(
            select(ripples.c.at).where(ripples.c.story_id == story, ripples.c.movement_id == movement).limit(500)
        )
        return found.all()

    async def dimensions_in(self, initiative: InitiativeId, movement: MovementId, limit: int) -> Sequence[Dimension]:
        found = await self._session.scalars(
            select(stories.c.dimension)
            .where(
                stories.c.initiative_id == initiative,
                stories.c.movement_id == movement,
                stories.c.withdrawn_at.is_(None),
                stories.c.dimension.is_not(None),
            )
            .order_by(stories.c.told_at.desc(), stories.c.id)
            .limit(limit)
        )
        return found.all()

    async def was_told_from(self, group: str, initiative: InitiativeId, movement: MovementId, before: datetime) -> bool:
        found = await self._session.scalar(
            select(stories.c.teller_id)
            .join(people, people.c.id == stories.c.teller_id)
            .where(
                func.coalesce(people.c.group, "") == group,  # found by the initiative, not by its people
                people.c.account.is_not(None),
                stories.c.initiative_id == initiative,
                stories.c.movement_id == movement,
                stories.c.withdrawn_at.is_(None),
                stories.c.told_at < before,
            )
            .limit(1)
        )
        return found is not None

    async def ripples(self, story: StoryId, movement: MovementId) -> int:
        return (
            await self._session.scalar(
                select(func.count())
                .select_from(ripples)
                .where(ripples.c.story_id == story, ripples.c.movement_id == movement)
            )
            or 0
        )

    async def ripple(self, story: StoryId, person: PersonId) -> Ripple | None:
        return await self._session.get(Ripple, (story, person))

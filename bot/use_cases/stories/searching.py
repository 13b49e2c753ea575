"""Search the stories that somebody may read, by words and by what narrows them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, Pick
from bot.catalogue.forms import read_form
from bot.catalogue.searches import FoundStory, SearchFilters, StoriesFound, StorySearchForm
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import Person
from bot.domain.story import Dimension, Story
from bot.domain.story_search import (
    SEARCH_PERIODS,
    FoundBy,
    Period,
    SearchCursor,
    StoryFilters,
    StoryReader,
    match_words,
    read_query,
    story_position,
)
from bot.errors import Refused
from bot.ports import TookTooLong, Turn, UnitOfWork
from bot.understanding.likeness import common_words
from bot.whys import load_whys
from bot.wording import shorten

FOUND_SHOWN = 4
"""Stories in an answer in chat."""
MAX_TYPED_CHARS = 120
"""Characters of what was typed that are searched for, and go on with the buttons."""

Found = tuple[Story, Person, FoundBy]


async def search(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the stories that hold what was typed, at most `FOUND_SHOWN`; `after` goes on from there. Without any
    word or filter, open the form."""
    turn.require_movement()
    typed, filters = shorten(turn.text("text"), MAX_TYPED_CHARS), _filters_in(turn)
    if not typed and not filters.narrows:
        return await narrow(work, turn)
    return await _show(work, turn, typed, filters, SearchCursor.parse(turn.text("after")))


async def narrow(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form of a search, with what was searched for."""
    movement = turn.require_movement().id
    initiatives, groups = await work.together(
        work.initiatives.of_movement(movement, closed=True, most=MAX_FORM_OPTIONS),
        work.people.large_groups(movement, MIN_GROUP_SIZE),
    )
    filters = _filters_in(turn)
    return StorySearchForm(
        values={
            "text": shorten(turn.text("text"), MAX_TYPED_CHARS),
            "initiative": filters.initiative,
            "dimension": filters.dimension,
            "group": filters.group if filters.group in groups else "",
            "period": filters.period,
        },
        options={
            "initiative": tuple(Pick(value=one.id, label=one.name) for one in initiatives),
            "group": tuple(Pick(value=one, label=one) for one in groups[:MAX_FORM_OPTIONS]),
        },
    )


async def submit_search(work: UnitOfWork, turn: Turn) -> Entry:
    """Search for what the form holds. Raises `Invalid`; an empty form finds the newest stories."""
    movement = turn.require_movement().id
    filled = read_form(StorySearchForm, turn.intent.args)
    initiative, group = filled.text("initiative"), filled.text("group")
    if initiative and await work.initiatives.get(InitiativeId(initiative), movement) is None:
        filled.problems.add("initiative", "unknown_choice")
    if group and not await _may_be_shown(work, movement, group):
        filled.problems.add("group", "unknown_choice")
    filled.problems.raise_if_any()
    return await _show(work, turn, shorten(filled.text("text"), MAX_TYPED_CHARS), _filters_in(turn), None)


async def find_stories(
    work: UnitOfWork,
    movement: MovementId,
    reader: StoryReader,
    words: Sequence[str],
    filters: StoryFilters,
    after: SearchCursor | None,
    limit: int,
) -> tuple[Sequence[Found], SearchCursor | None]:
    """Return a page of the stories that a reader may read and that hold these words (see `read_query`), with their
    tellers and how each was found, and where the next page begins; None when there is none.

    Those with every word come first, the newest first; then those that hold them as part of a longer word. Only where
    there is none at all, those with some of the words, else those spelled nearly so.
    """
    surely = (FoundBy.ALL, FoundBy.PARTS)
    if after is not None and after.by not in surely:
        ways: Sequence[tuple[FoundBy, ...]] = ((after.by,),)
    elif after is not None:
        ways = (surely[surely.index(after.by) :],)
    else:
        ways = (surely, (FoundBy.SOME,), (FoundBy.NEAR,)) if words else ((FoundBy.ALL,),)
    begin = partial(work.stories.search, movement, reader, filters)
    found, anew = list[Found](), begin(None)
    going_on = begin(after.before) if after is not None else anew
    for way in ways:
        for by in way:
            match = match_words(words, by)
            if match is None or len(found) > limit:
                continue
            search = going_on if after is not None and after.by is by else anew
            rows = await search.find(match, limit + 1 - len(found))
            found += [(story, teller, by) for story, teller in rows]
        if found:
            break
    page = found[:limit]
    more = SearchCursor(by=page[-1][2], before=story_position(page[-1][0])) if len(found) > limit else None
    return page, more


async def _show(work: UnitOfWork, turn: Turn, typed: str, filters: SearchFilters, after: SearchCursor | None) -> Entry:
    movement = turn.require_movement().id
    words = read_query(typed, common_words())
    if typed and not words:
        return StoriesFound(typed=typed, filters=filters)
    if filters.initiative:
        name = await work.initiatives.name(InitiativeId(filters.initiative), movement)
        filters = replace(filters, initiative_name=name)
    if filters.group and not await _may_be_shown(work, movement, filters.group):
        raise Refused("not_found")
    here = turn.place.id if turn.place is not None else None
    reader = StoryReader(person=turn.person.id, workspace=turn.person.workspace_id, place=here)
    narrowed = _to_story_filters(filters, turn)
    try:
        (page, more), labels = await work.together(
            find_stories(work, movement, reader, words, narrowed, after, FOUND_SHOWN),
            work.movements.labels(movement, turn.person.workspace_id),
        )
    except TookTooLong:
        raise Refused("search_slow") from None
    whys = await load_whys(work, movement, turn.person.workspace_id, [story.id for story, _, _ in page])
    found = tuple(
        FoundStory(
            story=story.id,
            text=story.text,
            teller=story.credit(teller, turn.person.workspace_id),
            mine=story.teller_id == turn.person.id,
            place=labels.get(story.place_id or PlaceId(""), ""),
            told_at=story.told_at,
            words=tuple(words),
            by=by,
            whys=whys.get(story.id, ()),
        )
        for story, teller, by in page
    )
    return StoriesFound(typed=typed, filters=filters, found=found, after=str(more or ""), goes_on=after is not None)


def _filters_in(turn: Turn) -> SearchFilters:
    """Return the filters among the arguments of an intent; what is none of ours is left out."""
    dimension, period = turn.text("dimension"), turn.text("period")
    return SearchFilters(
        initiative=turn.text("initiative"),
        dimension=dimension if dimension in tuple(Dimension) else "",
        group=turn.text("group"),
        period=period if period in tuple(Period) else "",
    )


def _to_story_filters(filters: SearchFilters, turn: Turn) -> StoryFilters:
    return StoryFilters(
        initiative=InitiativeId(filters.initiative) if filters.initiative else None,
        dimension=Dimension(filters.dimension) if filters.dimension else None,
        group=filters.group,
        since=turn.now - SEARCH_PERIODS[Period(filters.period)] if filters.period else None,
    )


async def _may_be_shown(work: UnitOfWork, movement: MovementId, group: str) -> bool:
    """Return whether a group is, still, so large that its stories do not tell who is in it."""
    return bool(await work.people.large_groups(movement, MIN_GROUP_SIZE, among=[group]))

"""Load what only pages show: every initiative side by side, and the latest stories."""

from bot.catalogue.pages import PagePatch, PagePatches, PageStories, PageStory
from bot.domain.initiative import InitiativeId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.whys import load_whys

PAGE_PATCHES = 60
PAGE_STORIES = 12


async def show_patches(work: UnitOfWork, turn: Turn) -> PagePatches:
    """Show the open initiatives of the movement, newest first."""
    movement = turn.require_movement()
    carried = await work.initiatives.initiators(movement.id, PAGE_PATCHES + 1)
    resting = await work.initiatives.resting(movement.id)
    mine = {one.id for one in await work.initiatives.of_person(turn.person.id, movement.id)}
    return PagePatches(
        patches=tuple(
            PagePatch(
                id=one.id,
                name=one.name,
                trying=one.description,
                seeks=carries is None,
                rests=one.id in resting,
                mine=one.id in mine,
            )
            for one, carries in carried[:PAGE_PATCHES]
        ),
        more=await work.initiatives.count(movement.id) - PAGE_PATCHES if len(carried) > PAGE_PATCHES else 0,
    )


async def show_stories(work: UnitOfWork, turn: Turn) -> PageStories:
    """Show the latest stories of the movement, or of the initiative named, that everyone in it may read."""
    movement, about = turn.require_movement(), turn.text("initiative")
    initiative = InitiativeId(about) if about else None
    if initiative is not None and await work.initiatives.get(initiative, movement.id) is None:
        raise Refused("not_found")
    told = await work.stories.told_in(movement.id, initiative)
    readable = [one for one in told if one.text and one.may_travel]
    ids = [one.id for one in readable[:PAGE_STORIES]]
    whys, stories = await work.together(
        load_whys(work, movement.id, turn.person.workspace_id, ids), work.stories.told_among(ids, movement.id)
    )
    tellers = await work.people.among({one.teller_id for one in stories.values()}, movement.id)
    by_id = {one.id: one for one in tellers}
    shown = []
    for each in readable[:PAGE_STORIES]:
        story = stories.get(each.id)
        if story is None:
            continue
        teller = by_id.get(story.teller_id)
        mine = story.teller_id == turn.person.id
        shown.append(
            PageStory(
                story=story.id,
                text=story.text,
                teller=story.credit(teller, turn.person.workspace_id),
                told_at=story.told_at,
                about="" if initiative else await work.initiatives.name(story.initiative_id, movement.id),
                ripples=each.ripples,
                mine=mine,
                whys=whys.get(story.id, ()),
            )
        )
    return PageStories(stories=tuple(shown))

"""Read stories again: one's own, one at a time, and the whole of what was shown in part."""

from bot.catalogue.base import Entry
from bot.catalogue.stories import FullStory, StoriesRead, StoryMine
from bot.domain.meaning import split_meaning
from bot.domain.retelling import POSTED, StoryStanding, standing_of
from bot.domain.story import StoryId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.whys import load_whys

MAX_OWN_STORIES = 100
"""Of one's own stories, the newest so many can be looked through."""
MAX_READ = 100
"""Stories shown at once."""


async def show_own(work: UnitOfWork, turn: Turn) -> Entry:
    """Show one of the actor's own stories: the `number`th, counted from the newest. Raises `Refused` without any."""
    told = await work.stories.of_teller(turn.person.id, MAX_OWN_STORIES)
    if not told:
        raise Refused("no_stories")
    asked = turn.text("number")
    number = min(max(int(asked) if asked.isascii() and asked.isdigit() else 1, 1), len(told))
    story = told[number - 1]
    place = await work.movements.place(story.place_id) if story.place_id else None
    post = await work.deliveries.by_key(f"{POSTED}:{story.id}")
    movement = await work.movements.get(story.movement_id) if story.may_travel else None
    scale, meant = split_meaning(story.meant)
    return StoryMine(
        story=story.id,
        text=story.text,
        place=(place.name or place.channel) if place else "",
        named=story.named,
        readers=story.readers,
        in_thread=story.message is not None,
        is_reply=story.is_reply,
        standing=standing_of(post, place) if place is not None and story.message is None else StoryStanding.STANDS,
        ripples=await work.stories.ripples(story.id, story.movement_id),
        number=number,
        more=number < len(told),
        whys=(await load_whys(work, story.movement_id, turn.person.workspace_id, [story.id])).get(story.id, ()),
        scale=scale or (movement.meaning if movement is not None else ""),
        meant=meant,
    )


async def show_whole(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the whole of the `stories` (ids, with spaces between them) that may be read here, or are the actor's own; of
    what was taken back since, nothing. Raises `Refused` when none is left."""
    movement, here = turn.require_movement().id, turn.place.id if turn.place else None
    found = [await work.stories.get(StoryId(one), movement) for one in turn.text("stories").split()[:MAX_READ]]
    mine = turn.person.id
    readable = [
        story
        for story in found
        if story is not None and (story.is_readable(here) or (story.is_told and story.teller_id == mine))
    ]
    if not readable:
        raise Refused("not_found")
    tellers = {
        story.id: story.credit(await work.people.get(story.teller_id, movement), turn.person.workspace_id)
        for story in readable
    }
    whys = await load_whys(work, movement, turn.person.workspace_id, [story.id for story in readable])
    return StoriesRead(
        stories=tuple(
            FullStory(text=story.text, teller=tellers[story.id], whys=whys.get(story.id, ())) for story in readable
        )
    )

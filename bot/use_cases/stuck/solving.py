"""Show who solved this before: stories of the movement about a breakthrough in something alike."""

from collections.abc import Sequence

from bot.catalogue.base import Entry
from bot.catalogue.stuck import SolvedBefore, SolvedStory
from bot.domain.person import Person, PersonId
from bot.domain.story import Story
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.understanding.solving import find_alike_breakthroughs


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show up to three stories, each with the offer to ask its teller, where they may be asked. Never who was stuck."""
    movement = turn.require_movement()
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, movement.id)
    if episode is None:
        raise Refused("not_found")
    told = await work.stories.solved_by_others(movement.id, turn.person.id)
    alike = find_alike_breakthroughs(episode, told)
    loaded = [one for one in await work.stories.with_tellers(alike, movement.id) if one[0].may_travel]
    found = sorted(loaded, key=lambda one: alike.index(one[0].id))
    askable = await _find_askable(work, turn, found)
    return SolvedBefore(
        episode=episode.id,
        stories=tuple(
            SolvedStory(
                story=story.id,
                text=story.text,
                teller=story.credit(teller, turn.person.workspace_id),
                person=teller.id if teller.id in askable else "",
            )
            for story, teller in found
        ),
        is_open=episode.is_open,
    )


async def _find_askable(work: UnitOfWork, turn: Turn, found: Sequence[tuple[Story, Person]]) -> set[PersonId]:
    """Return the tellers who agreed to be suggested, are named with their story, and can be asked something now."""
    agreed = await work.people.suggestible_in(turn.require_movement().id)
    able = {
        teller.id
        for story, teller in found
        if teller.id in agreed
        and story.credit(teller, turn.person.workspace_id)
        and teller.may_be_named_in(turn.person.workspace_id)
        and teller.can_be_suggested(turn.now)
    }
    return able - await work.deliveries.asked_enough(able, turn.now)

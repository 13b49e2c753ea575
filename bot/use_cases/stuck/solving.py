"""Show who solved this before: stories of the movement about a breakthrough in something alike."""

from bot.catalogue.base import Entry
from bot.catalogue.stuck import SolvedBefore, SolvedStory
from bot.domain.person import PersonId
from bot.domain.solved import SolvedSpell
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.understanding.solving import find_alike_breakthroughs


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show up to three stories, each with the offer to ask its teller, where they may be asked. Never who was stuck."""
    movement = turn.require_movement()
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, movement.id)
    if episode is None:
        raise Refused("not_found")
    found = find_alike_breakthroughs(episode, await work.stories.solved_by_others(movement.id, turn.person.id))
    askable = await _find_askable(work, turn, found)
    return SolvedBefore(
        episode=episode.id,
        stories=tuple(
            SolvedStory(
                story=one.story.id,
                text=one.story.text,
                teller=one.story.credit(one.teller, turn.person.workspace_id),
                person=one.teller.id if one.teller.id in askable else "",
            )
            for one in found
        ),
        is_open=episode.is_open,
    )


async def _find_askable(work: UnitOfWork, turn: Turn, found: list[SolvedSpell]) -> set[PersonId]:
    """Return the tellers who agreed to be suggested, are named with their story, and can be asked something now."""
    agreed = await work.people.suggestible_in(turn.require_movement().id)
    able = {
        one.teller.id
        for one in found
        if one.teller.id in agreed
        and one.story.credit(one.teller, turn.person.workspace_id)
        and one.teller.may_be_named_in(turn.person.workspace_id)
        and one.teller.can_be_suggested(turn.now)
    }
    return able - await work.deliveries.asked_enough(able, turn.now)

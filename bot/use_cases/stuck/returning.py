"""Come back once to a stuck episode of which nobody heard since, and let it rest after that."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.stuck import NotNow, StuckReturn, StuckStands
from bot.domain import stuck_return
from bot.domain.initiative import EpisodeId
from bot.domain.stuck_return import IN_A_WEEK, NOT_AGAIN, RETURN_AFTER
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.resting import find_episodes_with_step


async def choose(work: UnitOfWork, turn: Turn) -> InPlace:
    """Choose when Ritme comes back to an episode, once: `after` a week, a month, or never."""
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.require_movement().id)
    if episode is None:
        raise Refused("not_found")
    initiative = await work.initiatives.name(episode.initiative_id, episode.movement_id)
    if not episode.is_open:
        return InPlace(entry=StuckStands.of(episode, initiative))
    rows = await work.deliveries.about(stuck_return.RETURN_KIND, episode.id, episode.movement_id)
    planned = None
    if turn.text("after") == NOT_AGAIN:
        await work.deliveries.cancel(stuck_return.RETURN_KIND, episode.id, "not_wanted")
    else:
        due_at = turn.now + RETURN_AFTER.get(turn.text("after"), RETURN_AFTER[IN_A_WEEK])
        planned = stuck_return.plan_return(episode, turn.person, rows, turn.now, due_at, promised=turn.timezone)
        if planned is not None:
            await work.deliveries.add(planned)
    return InPlace(
        entry=NotNow(
            initiative=initiative,
            episode=episode.id,
            variant=await work.stuck.rounds_of(turn.person.id, episode.movement_id),
            at=planned.due_at if planned is not None else None,
            chosen=True,
        )
    )


async def compose_return(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question how things are now. Raises `Unwanted` when it ended, or a step was chosen since."""
    movement, person = outgoing.require_movement(), outgoing.person
    episode = await work.stuck.episode(EpisodeId(outgoing.delivery.subject), movement.id)
    if episode is None or person is None or not episode.is_open:
        raise Unwanted("no_longer_stuck")
    if episode.id in await find_episodes_with_step(work, person.id, movement.id, outgoing.now):
        raise Unwanted("step_chosen")
    return StuckReturn(
        episode=episode.id,
        initiative=await work.initiatives.name(episode.initiative_id, movement.id),
        text=episode.text,
    )

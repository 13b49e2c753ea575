"""Tell what rests: planned steps about which nothing comes any more, and stuck episodes that nothing follows up."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain import stuck_return
from bot.domain.delivery import Delivery
from bot.domain.initiative import EpisodeId, StuckEpisode
from bot.domain.movement import MovementId
from bot.domain.next_step import NextStep, rests_since
from bot.domain.person import Person, PersonId
from bot.ports import UnitOfWork


async def find_rest(work: UnitOfWork, step: NextStep, now: datetime) -> datetime | None:
    """Return since when a step rests; None while it is followed up, or closed."""
    if not step.is_planned or step.follow_up_at > now:
        return None
    return rests_since(step, await work.deliveries.about("follow_up", step.id, step.movement_id), now)


async def find_episodes_with_step(
    work: UnitOfWork, person: PersonId, movement: MovementId, now: datetime
) -> set[EpisodeId | None]:
    """Return the stuck episodes of someone that a step of theirs follows up; one that rests does not."""
    planned = [one for one in await work.steps.planned_of(person, movement) if one.is_planned]
    rests = await work.together(*(find_rest(work, one, now) for one in planned))
    return {one.episode_id for one, rest in zip(planned, rests, strict=True) if rest is None}


async def return_to_episode(
    work: UnitOfWork, episode: StuckEpisode, person: Person, now: datetime, *, is_new: bool = False
) -> None:
    """Come back to an open episode once, a week from now, unless that was done, they chose a later moment, or a step
    follows it up. `is_new`: none of that can be yet."""
    if not episode.is_open:
        return
    rows: Sequence[Delivery] = ()
    if not is_new:
        followed, rows = await work.together(
            find_episodes_with_step(work, person.id, episode.movement_id, now),
            work.deliveries.about(stuck_return.RETURN_KIND, episode.id, episode.movement_id),
        )
        if episode.id in followed:
            return
    planned = stuck_return.plan_usual_return(episode, person, rows, now)
    if planned is not None:
        await work.deliveries.add(planned)

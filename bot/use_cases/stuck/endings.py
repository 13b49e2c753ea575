"""Rest or end a stuck episode: not now, a breakthrough, or let go. Each is as welcome as the others."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.stuck import IN_PLACE, NotNow, StuckEnded, StuckStands
from bot.domain import stuck_post, stuck_return
from bot.domain.initiative import StuckEpisode
from bot.domain.next_step import StepState
from bot.domain.stuck_return import IN_A_WEEK, RETURN_AFTER
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork


async def postpone(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Leave an episode open without doing anything about it now; Ritme comes back to it once."""
    episode = await _load_own_episode(work, turn)
    if not episode.is_open:
        return await _report_state(work, episode)
    variant, initiative, rows = await work.together(
        work.stuck.rounds_of(turn.person.id, episode.movement_id),
        work.initiatives.name(episode.initiative_id, episode.movement_id),
        work.deliveries.about(stuck_return.RETURN_KIND, episode.id, episode.movement_id),
    )
    planned = stuck_return.plan_return(
        episode, turn.person, rows, turn.now, turn.now + RETURN_AFTER[IN_A_WEEK], promised=""
    )
    if planned is not None:
        await work.deliveries.add(planned)
    at = planned.due_at if planned is not None and turn.person.will_read(turn.now) else None
    return _answer(turn, NotNow(initiative=initiative, episode=episode.id, at=at, variant=variant))


async def break_through(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """End an episode as a breakthrough. Steps still planned stay: they were wanted for themselves."""
    episode = await _load_own_episode(work, turn)
    if not episode.is_open:
        return _answer(turn, await _report_state(work, episode))
    episode.break_through(turn.now)
    return _answer(turn, await _finish(work, turn, episode))


async def let_go(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """End an episode by letting it go, and with it the steps still planned: their follow-ups are cancelled."""
    episode = await _load_own_episode(work, turn)
    if not episode.is_open:
        return _answer(turn, await _report_state(work, episode))
    episode.let_go(turn.now)
    planned = await work.steps.planned_of(turn.person.id, episode.movement_id)
    steps = [step for step in planned if step.episode_id == episode.id]
    for step in steps:
        step.close(StepState.LET_GO, turn.now)
    await work.deliveries.cancel_each("follow_up", [step.id for step in steps], "let_go")
    return _answer(turn, await _finish(work, turn, episode))


def _answer(turn: Turn, entry: Entry) -> Entry | InPlace:
    """Return the answer, in place of the message whose button was pressed where that button says so."""
    return InPlace(entry=entry) if turn.text(IN_PLACE) else entry


async def _load_own_episode(work: UnitOfWork, turn: Turn) -> StuckEpisode:
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.require_movement().id)
    if episode is None:
        raise Refused("not_found")
    return episode


async def _finish(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Entry:
    """Update the episode's post in the channel, so that those who read along see that it ended; nobody asks again."""
    _, places, rows, initiative, variant = await work.together(
        work.deliveries.cancel(stuck_return.RETURN_KIND, episode.id, "no_longer_stuck"),
        work.movements.places_among({episode.place_id} if episode.place_id else ()),
        work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id),
        work.initiatives.name(episode.initiative_id, episode.movement_id),
        work.stuck.rounds_of(turn.person.id, episode.movement_id),
    )
    place = places.get(episode.place_id) if episode.place_id else None
    post = stuck_post.update_post(episode, place, rows, turn.now) if place is not None else None
    if post is not None:
        await work.deliveries.add(post)
    return StuckEnded(
        initiative=initiative,
        initiative_id=episode.initiative_id or "",
        state=episode.state,
        episode=episode.id,
        variant=variant,
    )


async def _report_state(work: UnitOfWork, episode: StuckEpisode) -> Entry:
    return StuckStands.of(episode, await work.initiatives.name(episode.initiative_id, episode.movement_id))

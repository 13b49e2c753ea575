"""How a spell of being stuck rests or ends: not now, a breakthrough, or let go. Each is as welcome as the others."""

from bot.catalogue.base import Entry
from bot.catalogue.stuck import NotNow, StuckEnded, StuckStands
from bot.domain import stuck_post
from bot.domain.initiative import StuckEpisode
from bot.domain.next_step import StepState
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork


async def not_now(work: UnitOfWork, turn: Turn) -> Entry:
    """It rests; the episode stays open."""
    episode = await _mine(work, turn)
    variant = await work.stuck.rounds_of(turn.person.id, episode.movement_id)
    return NotNow(initiative=await work.initiatives.name(episode.initiative_id, episode.movement_id), variant=variant)


async def moves_again(work: UnitOfWork, turn: Turn) -> Entry:
    """A breakthrough. Steps still planned stay: they were wanted for themselves."""
    episode = await _mine(work, turn)
    if not episode.is_open:
        return await _stands(work, episode)
    episode.break_through(turn.now)
    return await _ended(work, turn, episode)


async def let_go(work: UnitOfWork, turn: Turn) -> Entry:
    """Let go, and with it the steps that were still planned: nothing comes back to them."""
    episode = await _mine(work, turn)
    if not episode.is_open:
        return await _stands(work, episode)
    episode.let_go(turn.now)
    for step in await work.steps.planned_of(turn.person.id, episode.movement_id):
        if step.episode_id == episode.id:
            step.close(StepState.LET_GO, turn.now)
            await work.deliveries.cancel("follow_up", step.id, "let_go")
    return await _ended(work, turn, episode)


async def _mine(work: UnitOfWork, turn: Turn) -> StuckEpisode:
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.the_movement().id)
    if episode is None:
        raise Refused("not_found")
    return episode


async def _ended(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Entry:
    """Those who read along in the channel read that it ended."""
    place = await work.movements.place(episode.place_id) if episode.place_id else None
    rows = await work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id)
    post = stuck_post.follow(episode, place, rows, turn.now) if place is not None else None
    if post is not None:
        await work.deliveries.add(post)
    return StuckEnded(
        initiative=await work.initiatives.name(episode.initiative_id, episode.movement_id),
        initiative_id=episode.initiative_id or "",
        state=episode.state,
        variant=await work.stuck.rounds_of(turn.person.id, episode.movement_id),
    )


async def _stands(work: UnitOfWork, episode: StuckEpisode) -> Entry:
    return StuckStands.of(episode, await work.initiatives.name(episode.initiative_id, episode.movement_id))

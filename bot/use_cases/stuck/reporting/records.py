"""Write a report of being stuck to its episode, and to those who may read it: the channel, or the helpers picked."""

from collections.abc import Sequence

from bot.domain import company, stuck_post
from bot.domain.ids import new_id
from bot.domain.initiative import Audience, CompanyState, EpisodeId, StuckEpisode
from bot.domain.person import Person
from bot.ports import Turn, UnitOfWork
from bot.use_cases.stuck.reporting.form import StuckReport


def open_episode(work: UnitOfWork, turn: Turn, reported: StuckReport) -> StuckEpisode:
    """Add an episode without words; `update_episode` gives it those of the report."""
    episode = StuckEpisode(
        id=EpisodeId(new_id()),
        movement_id=turn.require_movement().id,
        initiative_id=reported.initiative_id,
        person_id=turn.person.id,
        place_id=None,
        text="",
        opened_at=turn.now,
    )
    work.stuck.add(episode)
    return episode


async def update_episode(
    work: UnitOfWork, turn: Turn, episode: StuckEpisode, reported: StuckReport, *, is_new: bool = False
) -> None:
    """Put a report into an episode, and bring what others see of it up to date.

    Posts, rewrites or takes away the post in the channel; asks the helpers picked; takes back requests to those who
    are not picked any more. A new episode for oneself has nothing to bring up to date.
    """
    if turn.place is not None and turn.place.movement_id == episode.movement_id and episode.place_id is None:
        episode.place_id = turn.place.id
    episode.text, episode.kind, episode.audience = reported.text, reported.kind, reported.audience
    episode.helpers = [str(helper.id) for helper in reported.helpers]
    if is_new and reported.audience is Audience.ME:
        return
    await work.flush()
    await _update_channel_post(work, turn, episode)
    await _take_back_requests(work, episode)
    asked_before = {person.id for _, person in await work.stuck.company_of(episode.id, episode.movement_id)}
    await _ask_helpers(work, turn, episode, [one for one in reported.helpers if one.id not in asked_before])


async def _update_channel_post(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> None:
    place = await work.movements.place(episode.place_id) if episode.place_id else None
    rows = await work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id)
    post = stuck_post.update_post(episode, place, rows, turn.now) if place is not None else None
    if post is not None:
        await work.deliveries.add(post)


async def _take_back_requests(work: UnitOfWork, episode: StuckEpisode) -> None:
    """Cancel requests not sent yet to people who are not picked any more, so that they never get to read it."""
    for one, person in await work.stuck.company_of(episode.id, episode.movement_id):
        is_dropped = one.picked and person.id not in episode.helpers and one.state is CompanyState.ASKED
        if is_dropped and await work.deliveries.cancel("company_asked", one.id, "taken_back"):
            await work.delete(one)
    await work.flush()


async def _ask_helpers(work: UnitOfWork, turn: Turn, episode: StuckEpisode, helpers: Sequence[Person]) -> None:
    if not helpers:
        return
    before = [one for one, _ in await work.stuck.company_of(episode.id, episode.movement_id)]
    asked, messages = company.begin_round(
        episode,
        turn.person,
        company.Peers(asked=tuple(helpers)),
        picked=True,
        before=before,
        movement=turn.require_movement(),
        now=turn.now,
    )
    for one in asked:
        work.stuck.add(one)
    for message in messages:
        await work.deliveries.add(message)

"""Write a report of being stuck to its episode, and to those who may read it: the channel, or the helpers picked."""

from collections.abc import Sequence

from bot.domain import company, stuck_post
from bot.domain.delivery import Act, Delivery, DeliveryState, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import CompanyState, EpisodeId, StuckEpisode
from bot.domain.person import Person, PersonId
from bot.errors import Invalid
from bot.ports import Turn, UnitOfWork
from bot.use_cases.stuck.reporting.form import StuckReport


def open_episode(work: UnitOfWork, turn: Turn, reported: StuckReport) -> StuckEpisode:
    """Add an episode; of one for others too, `update_episode` brings what they see up to date."""
    movement, place = turn.require_movement().id, turn.place
    episode = StuckEpisode(
        id=EpisodeId(new_id()),
        movement_id=movement,
        initiative_id=reported.initiative_id,
        person_id=turn.person.id,
        place_id=place.id if place is not None and place.movement_id == movement else None,
        text=reported.text,
        kind=reported.kind,
        audience=reported.audience,
        helpers=[str(helper.id) for helper in reported.helpers],
        opened_at=turn.now,
    )
    work.stuck.add(episode)
    return episode


async def update_episode(work: UnitOfWork, turn: Turn, episode: StuckEpisode, reported: StuckReport) -> None:
    """Put a report into an episode, and bring what others see of it up to date.

    Posts, rewrites or takes away the post in the channel; asks the helpers picked; takes back requests to those who
    are not picked any more.
    """
    if turn.place is not None and turn.place.movement_id == episode.movement_id and episode.place_id is None:
        episode.place_id = turn.place.id
    episode.text, episode.kind, episode.audience = reported.text, reported.kind, reported.audience
    episode.helpers = [str(helper.id) for helper in reported.helpers]
    _, asked_before = await work.together(
        _update_channel_post(work, turn, episode), _take_back_requests(work, turn, episode)
    )
    await _ask_helpers(work, turn, episode, [one for one in reported.helpers if one.id not in asked_before])


async def _update_channel_post(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> None:
    place = await work.movements.place(episode.place_id) if episode.place_id else None
    rows = await work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id)
    post = stuck_post.update_post(episode, place, rows, turn.now) if place is not None else None
    if post is not None:
        await work.deliveries.add(post)


async def _take_back_requests(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> set[PersonId]:
    """Take back requests to people who are not picked any more and did not answer: one that waits is never sent, one
    that was sent is deleted. Returns whom the others are to."""
    asked = await work.stuck.company_of(episode.id, episode.movement_id)
    unwanted = [
        (one, person)
        for one, person in asked
        if one.picked and person.id not in episode.helpers and one.state is CompanyState.ASKED
    ]
    requests = await work.together(
        *(work.deliveries.about("company_asked", one.id, episode.movement_id) for one, _ in unwanted)
    )
    for (one, person), sent in zip(unwanted, requests, strict=True):
        for request in sent:
            if request.state is DeliveryState.WAITING:
                request.drop("taken_back")
            elif request.act is Act.POST and request.state not in (DeliveryState.DROPPED, DeliveryState.FAILED):
                await work.deliveries.add(_delete_request(request, person, turn))
        await work.stuck.remove_company(one)
    return {person.id for _, person in asked} - {person.id for _, person in unwanted}


def _delete_request(sent: Delivery, person: Person, turn: Turn) -> Delivery:
    """Make the deletion of a request that was sent, or is under way: then it is found by `of` once it has arrived."""
    deletion = to_person(
        person,
        sent.kind,
        key=f"delete:{sent.id}",
        now=turn.now,
        movement=sent.movement_id,
        subject=sent.subject,
        args={"of": sent.id},
    )
    deletion.act, deletion.target, deletion.target_channel = Act.DELETE, sent.receipt, sent.receipt_channel
    return deletion


async def add_split(work: UnitOfWork, turn: Turn, episode: StuckEpisode, other: StuckEpisode) -> None:
    """Add an episode that was split off from another, and show both in the channel if that is where the one was."""
    work.stuck.add(other)
    await work.flush()
    for one in (episode, other):
        await _update_channel_post(work, turn, one)


async def _ask_helpers(work: UnitOfWork, turn: Turn, episode: StuckEpisode, helpers: Sequence[Person]) -> None:
    """Ask the helpers picked, in a round of their own. Raises `Invalid` that names those who cannot be asked now, or
    were asked enough."""
    if not helpers:
        return
    number = company.next_round([one for one, _ in await work.stuck.company_of(episode.id, episode.movement_id)])
    unasked: list[str] = []
    for person in helpers:
        one, message = company.ask_peer(episode, person, number, turn.now, picked=True)
        if person.can_be_suggested(turn.now) and await work.deliveries.add_ask(message, turn.now):
            work.stuck.add(one)
        else:
            unasked.append(person.name)
    if unasked:
        raise Invalid({"helpers": "cannot_be_asked"}, {"helpers": {"names": [name for name in unasked if name]}})
    shown = company.plan_showing(
        episode, turn.person, helpers, of_round=number, reserve=(), movement=turn.require_movement(), now=turn.now
    )
    await work.deliveries.add(shown)

"""Ask two peers for company: each gives one question and one idea, and the person who is stuck sees both together.

A round is one set of peers asked at the same time. Its `company_together` delivery is planned at once, for the last
moment at which the answers are shown, and is brought forward when nobody's answer is awaited any more.
"""

from collections.abc import Sequence

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.company import (
    CompanyAsked,
    CompanyDeclined,
    CompanyForm,
    CompanyGiven,
    CompanyNobody,
    CompanyOffer,
    CompanyOnItsWay,
    CompanyStands,
    CompanyTogether,
    PeerAnswer,
)
from bot.catalogue.forms import parse_form
from bot.domain import company
from bot.domain.company import Peers
from bot.domain.delivery import Delivery, DeliveryState, to_person
from bot.domain.initiative import COMPANY_SIZE, Company, CompanyId, CompanyState, EpisodeId, StuckEpisode
from bot.domain.person import Person
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def offer(work: UnitOfWork, turn: Turn) -> Entry:
    """Show who would be asked, and what they would read. Nothing is sent before this is confirmed (see `ask_peer`)."""
    episode = await _load_open_episode(work, turn)
    waiting = await _load_waiting_peers(work, episode)
    if waiting:
        return _on_its_way(episode, waiting)
    found = company.choose_peers(await _load_candidates(work, turn, episode), turn.person)
    return _make_offer(episode, found)


def _make_offer(episode: StuckEpisode, found: Peers) -> Entry:
    if not found.asked:
        return CompanyNobody(episode=episode.id)
    return CompanyOffer.to(episode, found)


async def ask(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Begin a round with the peers named in the offer, as far as they can still be asked.

    `people` and `reserve`: comma-separated ids of persons, as `CompanyOffer` put them on its button.
    """
    episode = await _load_open_episode(work, turn)
    waiting = await _load_waiting_peers(work, episode)
    if waiting:
        return InPlace(entry=_on_its_way(episode, waiting))
    candidates = await _load_candidates(work, turn, episode)
    named = [one for name in ("people", "reserve") for one in candidates if one.id in turn.text(name).split(",")]
    if not named:
        # Nobody who was named can be asked any more: name others first.
        return InPlace(entry=_make_offer(episode, company.choose_peers(candidates, turn.person)))
    chosen = Peers(asked=tuple(named[:COMPANY_SIZE]), reserve=tuple(named[COMPANY_SIZE:]))
    before = [one for one, _ in await work.stuck.company_of(episode.id, episode.movement_id)]
    movement = turn.require_movement()
    asked, messages = company.begin_round(episode, turn.person, chosen, before=before, movement=movement, now=turn.now)
    for one in asked:
        work.stuck.add(one)
    for message in messages:
        await work.deliveries.add(message)
    return InPlace(entry=_on_its_way(episode, chosen.asked))


def _on_its_way(episode: StuckEpisode, asked: Sequence[Person]) -> Entry:
    return CompanyOnItsWay(names=tuple(person.name for person in asked), audience=episode.audience)


async def _load_waiting_peers(work: UnitOfWork, episode: StuckEpisode) -> list[Person]:
    """Return the peers Ritme found for a round whose answers were not shown yet, but for those who declined.

    Peers picked by the person who is stuck do not count: they do not keep Ritme from offering others.
    """
    rows = await work.deliveries.about("company_together", episode.id, episode.movement_id)
    # A row with `only` shows one late answer; it is not a round of its own.
    rounds = {row.args["round"] for row in rows if row.state is DeliveryState.WAITING and "only" not in row.args}
    asked = await work.stuck.company_of(episode.id, episode.movement_id)
    return [
        person
        for one, person in asked
        if one.round in rounds and not one.picked and one.state is not CompanyState.DECLINED
    ]


async def give(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form for one question and one idea; or say that this peer has answered already."""
    asked, _, stuck = await _load_request(work, turn)
    if asked.state is not CompanyState.ASKED:
        return CompanyStands(name=stuck.name, answered=asked.state is CompanyState.GIVEN)
    return CompanyForm(name=stuck.name, hidden={"company": asked.id})


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep a peer's question and idea, and show the round when no other answer is awaited."""
    asked, episode, stuck = await _load_request(work, turn)
    if asked.state is not CompanyState.ASKED:
        return CompanyStands(name=stuck.name, answered=asked.state is CompanyState.GIVEN)
    filled = parse_form(CompanyForm, turn.intent.args)
    asked.give(filled.text("question"), filled.text("idea"), turn.now)
    shown = await work.deliveries.by_key(company.round_key(episode, asked.round))
    if shown is not None and shown.state is not DeliveryState.WAITING:
        await _show_late_answer(work, turn, asked, episode, stuck)
    else:
        await _show_if_complete(work, turn, asked, episode, stuck, shown)
    return CompanyGiven(name=stuck.name)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that a peer declines, and ask the next reserve instead; without one, show the round if it is complete."""
    asked, episode, stuck = await _load_request(work, turn)
    if asked.state is CompanyState.GIVEN:
        return InPlace(entry=CompanyStands(name=stuck.name, answered=True))
    if asked.state is CompanyState.ASKED:
        asked.decline(turn.now)
        shown = await work.deliveries.by_key(company.round_key(episode, asked.round))
        is_running = episode.is_open and shown is not None and shown.state is DeliveryState.WAITING
        if shown is not None and is_running and not await _ask_reserve(work, turn, asked, episode, shown):
            await _show_if_complete(work, turn, asked, episode, stuck, shown)
    return InPlace(entry=CompanyDeclined(name=stuck.name))


async def _ask_reserve(work: UnitOfWork, turn: Turn, declined: Company, episode: StuckEpisode, shown: Delivery) -> bool:
    """Ask the first reserve who can still be asked. Returns False when there is none.

    `shown` is the round's `company_together` delivery, which keeps the reserves that are left.
    """
    named = shown.args.get("reserve")
    reserve = [str(one) for one in named] if isinstance(named, list) else []
    candidates = {str(person.id): person for person in await _load_candidates(work, turn, episode)}
    for index, one in enumerate(reserve):
        if one in candidates:
            asked, message = company.ask_peer(episode, candidates[one], declined.round, turn.now)
            work.stuck.add(asked)
            await work.deliveries.add(message)
            shown.add_args(reserve=reserve[index + 1 :])
            return True
    return False


async def _show_if_complete(
    work: UnitOfWork, turn: Turn, asked: Company, episode: StuckEpisode, stuck: Person, shown: Delivery | None
) -> None:
    """Bring the moment of showing forward when nobody's answer is awaited any more; never into quiet hours."""
    everyone = await work.stuck.company_of(episode.id, episode.movement_id)
    if shown is None or not company.is_complete([one for one, _ in everyone if one.round == asked.round]):
        return
    shown.due_at = min(shown.due_at, company.first_reachable_at(stuck, turn.require_movement(), turn.now))
    work.woken.add(shown.workspace_id)


async def _show_late_answer(work: UnitOfWork, turn: Turn, asked: Company, episode: StuckEpisode, stuck: Person) -> None:
    """Plan a message with one answer that came after the others were shown: nothing anyone gave is lost."""
    await work.deliveries.add(
        to_person(
            stuck,
            "company_together",
            key=f"company_together:{episode.id}:late:{asked.id}",
            now=turn.now,
            movement=episode.movement_id,
            subject=episode.id,
            due_at=company.first_reachable_at(stuck, turn.require_movement(), turn.now),
            args={"round": asked.round, "only": asked.id},
        )
    )


async def _load_candidates(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Sequence[Person]:
    """Return who can be asked now, of the actor's own workspace."""
    rested = await work.stuck.peer_candidates(episode, turn.now - company.REST)
    lane = turn.person.workspace_id
    return [one for one in rested if one.workspace_id == lane and company.may_be_asked(one, turn.now)]


async def _load_open_episode(work: UnitOfWork, turn: Turn) -> StuckEpisode:
    """Return the actor's own open episode. Raises `Refused` for any other."""
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.require_movement().id)
    if episode is None:
        raise Refused("not_found")
    if not episode.is_open:
        raise Refused("no_longer_stuck")
    return episode


async def _load_request(work: UnitOfWork, turn: Turn) -> tuple[Company, StuckEpisode, Person]:
    """Return the request to the actor, its episode and the person who is stuck. Raises `Refused` for another's."""
    movement = turn.require_movement()
    asked = await work.stuck.company(CompanyId(turn.text("company")), movement.id)
    if asked is None or asked.person_id != turn.person.id:
        raise Refused("not_found")
    episode = await work.stuck.episode(asked.episode_id, movement.id)
    stuck = await work.people.get(episode.person_id, movement.id) if episode else None
    if episode is None or stuck is None:
        raise Refused("not_found")
    return asked, episode, stuck


async def compose_request(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the request to one peer. Raises `Unwanted` when it was answered or taken back, or the episode ended."""
    movement = outgoing.require_movement()
    asked = await work.stuck.company(CompanyId(outgoing.delivery.subject), movement.id)
    episode = await work.stuck.episode(asked.episode_id, movement.id) if asked else None
    stuck = await work.people.get(episode.person_id, movement.id) if episode else None
    if asked is None or asked.state is not CompanyState.ASKED:
        raise Unwanted("answered")
    if episode is None or stuck is None or not episode.is_open:
        raise Unwanted("no_longer_stuck")
    return CompanyAsked(
        company=asked.id,
        name=stuck.name,
        initiative=await work.initiatives.name(episode.initiative_id, movement.id),
        text=episode.text,
    )


async def compose_answers(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the answers of one round, as far as they came; with `only` in its arguments, one late answer."""
    movement, args = outgoing.require_movement(), outgoing.delivery.args
    episode = await work.stuck.episode(EpisodeId(outgoing.delivery.subject), movement.id)
    if episode is None:
        raise Unwanted("no_longer_stuck")
    if outgoing.person is None or outgoing.person.stopped_at is not None:
        raise Unwanted("stopped")
    everyone = [pair for pair in await work.stuck.company_of(episode.id, movement.id) if pair[0].round == args["round"]]
    if not everyone:
        raise Unwanted("taken_back")
    voices = tuple(
        PeerAnswer(name=person.name, question=one.question, idea=one.idea)
        for one, person in everyone
        if one.state is CompanyState.GIVEN and one.round == args.get("round") and args.get("only", one.id) == one.id
    )
    if not voices and not episode.is_open:
        raise Unwanted("no_longer_stuck")
    return CompanyTogether(
        episode=episode.id, initiative=await work.initiatives.name(episode.initiative_id, movement.id), voices=voices
    )

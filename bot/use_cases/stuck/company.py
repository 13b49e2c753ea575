"""Company: two peers each give one question and one idea, and who is stuck sees both together."""

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
    Voice,
)
from bot.catalogue.forms import read
from bot.domain import company
from bot.domain.company import Peers
from bot.domain.delivery import Delivery, DeliveryState, to_person
from bot.domain.initiative import COMPANY_SIZE, Company, CompanyId, CompanyState, EpisodeId, StuckEpisode
from bot.domain.person import Person
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def offer(work: UnitOfWork, turn: Turn) -> Entry:
    """Who would be asked, and what they would read. Nothing is sent yet."""
    episode = await _mine(work, turn)
    running = await _running(work, episode)
    if running:
        return _on_its_way(episode, running)
    found = company.peers(await _candidates(work, turn, episode), turn.person)
    return _offered(episode, found)


def _offered(episode: StuckEpisode, found: Peers) -> Entry:
    if not found.asked:
        return CompanyNobody(episode=episode.id)
    return CompanyOffer.to(episode, found)


async def ask(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Confirmed: those who were named are asked, as far as they still can be."""
    episode = await _mine(work, turn)
    running = await _running(work, episode)
    if running:
        return InPlace(entry=_on_its_way(episode, running))
    candidates = await _candidates(work, turn, episode)
    named = [one for name in ("people", "reserve") for one in candidates if one.id in turn.text(name).split(",")]
    if not named:
        # Nobody who was named can be asked any more: name others first.
        return InPlace(entry=_offered(episode, company.peers(candidates, turn.person)))
    chosen = Peers(asked=tuple(named[:COMPANY_SIZE]), reserve=tuple(named[COMPANY_SIZE:]))
    before = [one for one, _ in await work.stuck.company_of(episode.id, episode.movement_id)]
    movement = turn.the_movement()
    asked, messages = company.begin_round(episode, turn.person, chosen, before=before, movement=movement, now=turn.now)
    for one in asked:
        work.stuck.add(one)
    for message in messages:
        await work.deliveries.add(message)
    return InPlace(entry=_on_its_way(episode, chosen.asked))


def _on_its_way(episode: StuckEpisode, asked: Sequence[Person]) -> Entry:
    return CompanyOnItsWay(names=tuple(person.name for person in asked), audience=episode.audience)


async def _running(work: UnitOfWork, episode: StuckEpisode) -> list[Person]:
    """Who is thinking along now, found by Ritme, when that round has not been shown yet."""
    rows = await work.deliveries.about("company_together", episode.id, episode.movement_id)
    rounds = {row.args["round"] for row in rows if row.state is DeliveryState.WAITING and "only" not in row.args}
    asked = await work.stuck.company_of(episode.id, episode.movement_id)
    return [
        person
        for one, person in asked
        if one.round in rounds and not one.picked and one.state is not CompanyState.DECLINED
    ]


async def give(work: UnitOfWork, turn: Turn) -> Entry:
    """The form: one question, one idea."""
    asked, _, stuck = await _asked(work, turn)
    if asked.state is not CompanyState.ASKED:
        return CompanyStands(name=stuck.name, answered=asked.state is CompanyState.GIVEN)
    return CompanyForm(name=stuck.name, hidden={"company": asked.id})


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """What a peer gives; when it was the last, both are shown."""
    asked, episode, stuck = await _asked(work, turn)
    if asked.state is not CompanyState.ASKED:
        return CompanyStands(name=stuck.name, answered=asked.state is CompanyState.GIVEN)
    filled = read(CompanyForm, turn.intent.args)
    asked.give(filled.text("question"), filled.text("idea"), turn.now)
    shown = await work.deliveries.by_key(company.together_key(episode, asked.round))
    if shown is not None and shown.state is not DeliveryState.WAITING:
        await _late(work, turn, asked, episode, stuck)
    else:
        await _when_complete(work, turn, asked, episode, stuck, shown)
    return CompanyGiven(name=stuck.name)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Not this time. Whoever was named as reserve is asked instead."""
    asked, episode, stuck = await _asked(work, turn)
    if asked.state is CompanyState.GIVEN:
        return InPlace(entry=CompanyStands(name=stuck.name, answered=True))
    if asked.state is CompanyState.ASKED:
        asked.decline(turn.now)
        shown = await work.deliveries.by_key(company.together_key(episode, asked.round))
        waits = shown is not None and shown.state is DeliveryState.WAITING
        if shown is not None and waits and episode.is_open and not await _reserve(work, turn, asked, episode, shown):
            await _when_complete(work, turn, asked, episode, stuck, shown)
    return InPlace(entry=CompanyDeclined(name=stuck.name))


async def _reserve(work: UnitOfWork, turn: Turn, left: Company, episode: StuckEpisode, shown: Delivery) -> bool:
    """Asks the next reserve who can be asked; False when there is none."""
    named = shown.args.get("reserve")
    reserve = [str(one) for one in named] if isinstance(named, list) else []
    candidates = {str(person.id): person for person in await _candidates(work, turn, episode)}
    for index, one in enumerate(reserve):
        if one in candidates:
            asked, message = company.ask(episode, candidates[one], left.round, turn.now)
            work.stuck.add(asked)
            await work.deliveries.add(message)
            shown.note(reserve=reserve[index + 1 :])
            return True
    return False


async def _when_complete(
    work: UnitOfWork, turn: Turn, asked: Company, episode: StuckEpisode, stuck: Person, shown: Delivery | None
) -> None:
    """Brings the moment of showing forward when nobody's answer is awaited any more."""
    everyone = await work.stuck.company_of(episode.id, episode.movement_id)
    if shown is None or not company.is_complete([one for one, _ in everyone if one.round == asked.round]):
        return
    shown.due_at = min(shown.due_at, company.free_at(stuck, turn.the_movement(), turn.now))
    work.woken.add(shown.workspace_id)


async def _late(work: UnitOfWork, turn: Turn, asked: Company, episode: StuckEpisode, stuck: Person) -> None:
    """An answer that came after the others were shown is shown by itself: nothing anyone gave is lost."""
    await work.deliveries.add(
        to_person(
            stuck,
            "company_together",
            key=f"company_together:{episode.id}:late:{asked.id}",
            now=turn.now,
            movement=episode.movement_id,
            subject=episode.id,
            due_at=company.free_at(stuck, turn.the_movement(), turn.now),
            args={"round": asked.round, "only": asked.id},
        )
    )


async def _candidates(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Sequence[Person]:
    rested = await work.stuck.could_think_along(episode, turn.now - company.REST)
    lane = turn.person.workspace_id
    return [one for one in rested if one.workspace_id == lane and company.may_be_asked(one, turn.now)]


async def _mine(work: UnitOfWork, turn: Turn) -> StuckEpisode:
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.the_movement().id)
    if episode is None:
        raise Refused("not_found")
    if not episode.is_open:
        raise Refused("no_longer_stuck")
    return episode


async def _asked(work: UnitOfWork, turn: Turn) -> tuple[Company, StuckEpisode, Person]:
    """What the actor was asked, about which episode, by whom."""
    movement = turn.the_movement()
    asked = await work.stuck.company(CompanyId(turn.text("company")), movement.id)
    if asked is None or asked.person_id != turn.person.id:
        raise Refused("not_found")
    episode = await work.stuck.episode(asked.episode_id, movement.id)
    stuck = await work.people.get(episode.person_id, movement.id) if episode else None
    if episode is None or stuck is None:
        raise Refused("not_found")
    return asked, episode, stuck


async def compose_company_asked(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """The request to one peer; no longer when it ended, or was taken back."""
    movement = outgoing.the_movement()
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


async def compose_company_together(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """What the peers of one round gave until now."""
    movement, args = outgoing.the_movement(), outgoing.delivery.args
    episode = await work.stuck.episode(EpisodeId(outgoing.delivery.subject), movement.id)
    if episode is None:
        raise Unwanted("no_longer_stuck")
    if outgoing.person is None or outgoing.person.stopped_at is not None:
        raise Unwanted("stopped")
    everyone = [pair for pair in await work.stuck.company_of(episode.id, movement.id) if pair[0].round == args["round"]]
    if not everyone:
        raise Unwanted("taken_back")
    voices = tuple(
        Voice(name=person.name, question=one.question, idea=one.idea)
        for one, person in everyone
        if one.state is CompanyState.GIVEN and one.round == args.get("round") and args.get("only", one.id) == one.id
    )
    if not voices and not episode.is_open:
        raise Unwanted("no_longer_stuck")
    return CompanyTogether(
        episode=episode.id, initiative=await work.initiatives.name(episode.initiative_id, movement.id), voices=voices
    )

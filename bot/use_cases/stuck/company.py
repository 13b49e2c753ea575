"""Ask two peers for company: each gives one question and one idea, and the person who is stuck sees both together.

A round is one set of peers asked at the same time. Its `company_together` delivery is planned at once, for the last
moment at which the answers are shown, and is brought forward when nobody's answer is awaited any more. Who is silent
by then is replaced by the reserves, in a round of their own.
"""

from dataclasses import replace
from datetime import datetime
from typing import cast

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
from bot.domain.curiosity import fresh_questions
from bot.domain.delivery import Delivery, DeliveryState, to_person
from bot.domain.forgetting import FORGETS
from bot.domain.initiative import COMPANY_SIZE, Company, CompanyId, CompanyState, EpisodeId, StuckEpisode
from bot.domain.movement import Movement
from bot.domain.person import Person
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.understanding.solving import find_alike_breakthroughs


async def offer(work: UnitOfWork, turn: Turn) -> Entry:
    """Show how many would be asked, and what they would read. Nothing is sent before this is confirmed (see `ask`)."""
    episode = await _load_open_episode(work, turn)
    running = await _show_running(work, episode)
    if running is not None:
        return running
    return await _make_offer(work, turn, episode, await _find_peers(work, turn, episode))


async def _make_offer(work: UnitOfWork, turn: Turn, episode: StuckEpisode, found: Peers) -> Entry:
    if found.asked:
        return CompanyOffer.to(episode, found)
    nobody = CompanyNobody.to(episode, turn.person, await work.people.coordinators(episode.movement_id))
    # Not remembered as asked: pressed again, the button says the same.
    asked = await work.stuck.asked_questions(episode.movement_id, episode.initiative_id, episode.person_id)
    questions = tuple(fresh_questions(episode.kind, asked.questions))
    return replace(nobody, questions=questions, solved=await _is_solved(work, episode))


async def _ask_questions(work: UnitOfWork, episode: StuckEpisode, now: datetime) -> tuple[str, ...]:
    """Return three questions of the kind that were not asked lately, and remember that they are asked."""
    asked = await work.stuck.asked_questions(episode.movement_id, episode.initiative_id, episode.person_id)
    questions = fresh_questions(episode.kind, asked.questions)
    await work.stuck.add_questions(episode, questions, now)
    return tuple(questions)


async def _is_solved(work: UnitOfWork, episode: StuckEpisode) -> bool:
    """Return whether others told how they went on from something alike."""
    return bool(
        find_alike_breakthroughs(episode, await work.stories.solved_by_others(episode.movement_id, episode.person_id))
    )


async def ask(work: UnitOfWork, turn: Turn) -> InPlace:
    """Begin a round with at most as many peers as were offered (`most`), as far as they can still be asked.

    Who they are is decided now, and told once they answer. An offer of a version that named them is made anew.
    """
    episode = await _load_open_episode(work, turn)
    running = await _show_running(work, episode)
    if running is not None:
        return InPlace(entry=running)
    found = await _find_peers(work, turn, episode)
    most = min(int(turn.text("most")), COMPANY_SIZE) if turn.text("most").isdecimal() else 0
    number = company.next_round([one for one, _ in await work.stuck.company_of(episode.id, episode.movement_id)])
    asked: list[Person] = []
    left = [*found.asked, *found.reserve]
    while left and len(asked) < most:
        if await _ask_peer(work, episode, left[0], number, turn.now):
            asked.append(left[0])
        left = left[1:]
    if not asked:
        return InPlace(entry=await _make_offer(work, turn, episode, found))
    shown = company.plan_showing(
        episode, turn.person, asked, of_round=number, reserve=left, movement=turn.require_movement(), now=turn.now
    )
    await work.deliveries.add(shown)
    return InPlace(entry=CompanyOnItsWay(names=(), waiting=len(asked), until=shown.due_at, audience=episode.audience))


async def _ask_peer(work: UnitOfWork, episode: StuckEpisode, person: Person, of_round: int, now: datetime) -> bool:
    """Ask one peer, unless they were asked enough. Returns whether they are asked."""
    one, message = company.ask_peer(episode, person, of_round, now)
    if not await work.deliveries.add_ask(message, now):
        return False
    work.stuck.add(one)
    return True


async def _show_running(work: UnitOfWork, episode: StuckEpisode) -> Entry | None:
    """Return how it stands with a round whose answers were not shown yet; None when there is none.

    Peers picked by the person who is stuck do not count: they do not keep Ritme from offering others.
    """
    rows, everyone = await work.together(
        work.deliveries.about("company_together", episode.id, episode.movement_id),
        work.stuck.company_of(episode.id, episode.movement_id),
    )
    # A row with `only` shows one late answer; it is not a round of its own.
    until = {row.args["round"]: row.due_at for row in rows if _is_running(row)}
    awaited = [
        (one, person)
        for one, person in everyone
        if one.round in until and not one.picked and one.state is not CompanyState.DECLINED
    ]
    if not awaited:
        return None
    return CompanyOnItsWay(
        names=tuple(person.name for one, person in awaited if one.state is CompanyState.GIVEN and person.name),
        waiting=sum(one.state is CompanyState.ASKED for one, _ in awaited),
        until=max(until[one.round] for one, _ in awaited),
        audience=episode.audience,
    )


def _is_running(shown: Delivery) -> bool:
    return shown.state is DeliveryState.WAITING and "only" not in shown.args


async def give(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form for one question and one idea; or say that this peer has answered already."""
    asked, _, stuck = await _load_request(work, turn)
    if asked.state is not CompanyState.ASKED or not company.can_be_told(stuck):
        return _stands(asked, stuck)
    return CompanyForm(name=stuck.name, hidden={"company": asked.id})


def _stands(asked: Company, stuck: Person) -> Entry:
    """Say how a request stands that takes no answer: it has one, or nobody could be told of it."""
    is_open = asked.state is CompanyState.ASKED
    return CompanyStands(name=stuck.name, answered=asked.state is CompanyState.GIVEN, out_of_reach=is_open)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep a peer's question and idea, and show the round when no other answer is awaited."""
    asked, episode, stuck = await _load_request(work, turn)
    if asked.state is not CompanyState.ASKED or not company.can_be_told(stuck):
        return _stands(asked, stuck)
    filled = parse_form(CompanyForm, turn.intent.args)
    asked.give(filled.text("question"), filled.text("idea"), turn.now)
    shown = await work.deliveries.by_key(company.round_key(episode, asked.round))
    if shown is not None and shown.state is not DeliveryState.WAITING:
        await _show_late_answer(work, turn, asked, episode, stuck)
    else:
        await _show_if_complete(work, turn.require_movement(), turn.now, asked, episode, stuck, shown)
    return CompanyGiven(name=stuck.name)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that a peer declines, and ask the next reserve instead; without one, show the round if it is complete."""
    asked, episode, stuck = await _load_request(work, turn)
    if asked.state is CompanyState.GIVEN:
        return InPlace(entry=_stands(asked, stuck))
    if asked.state is CompanyState.ASKED:
        await _replace(work, turn.require_movement(), turn.now, asked, episode, stuck)
    return InPlace(entry=CompanyDeclined(name=stuck.name, picked=asked.picked))


async def _replace(
    work: UnitOfWork, movement: Movement, now: datetime, asked: Company, episode: StuckEpisode, stuck: Person
) -> None:
    """Record that a peer does not think along, and ask the next reserve; without one, show the round if it is
    complete."""
    asked.decline(now)
    shown = await work.deliveries.by_key(company.round_key(episode, asked.round))
    is_running = episode.is_open and shown is not None and shown.state is DeliveryState.WAITING
    if shown is not None and is_running and not await _ask_reserve(work, episode, shown, asked.round, now):
        await _show_if_complete(work, movement, now, asked, episode, stuck, shown)


async def _ask_reserve(
    work: UnitOfWork, episode: StuckEpisode, shown: Delivery, of_round: int, now: datetime
) -> Person | None:
    """Ask the first reserve who can still be asked, and return who that is; None when there is none.

    `shown` is the round's `company_together` delivery, which keeps the reserves that are left.
    """
    named = shown.args.get("reserve")
    reserve = [str(one) for one in named] if isinstance(named, list) else []
    if not reserve:
        return None
    rested = {str(one.id): one for one in await work.stuck.peer_candidates(episode, now - company.REST)}
    for index, one in enumerate(reserve):
        person = rested.get(one)
        may_be_asked = person is not None and company.may_be_asked(person, now)
        if person is not None and may_be_asked and await _ask_peer(work, episode, person, of_round, now):
            shown.add_args(reserve=reserve[index + 1 :])
            return person
    return None


async def _show_if_complete(
    work: UnitOfWork,
    movement: Movement,
    now: datetime,
    asked: Company,
    episode: StuckEpisode,
    stuck: Person,
    shown: Delivery | None,
) -> None:
    """Bring the moment of showing forward when nobody's answer is awaited any more; never into quiet hours."""
    everyone = await work.stuck.company_of(episode.id, episode.movement_id)
    if shown is None or not company.is_complete([one for one, _ in everyone if one.round == asked.round]):
        return
    shown.due_at = min(shown.due_at, company.first_reachable_at(stuck, movement, now))
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


async def _find_peers(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Peers:
    """Return who can be asked now: of those who agreed to it in this movement, in the actor's own workspace."""
    rested = await work.stuck.peer_candidates(episode, turn.now - company.REST)
    enough = await work.deliveries.asked_enough([one.id for one in rested], turn.now)
    return company.find_peers(rested, turn.person, enough, turn.now)


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
    """Compose the request to one peer. Raises `Unwanted` when it was answered or taken back, or the episode ended; and
    for one who took back their yes since, for whom another is asked: nobody hears who that was."""
    movement = outgoing.require_movement()
    asked = await work.stuck.company(CompanyId(outgoing.delivery.subject), movement.id)
    episode = await work.stuck.episode(asked.episode_id, movement.id) if asked else None
    stuck = await work.people.get(episode.person_id, movement.id) if episode else None
    if asked is None or asked.state is not CompanyState.ASKED:
        raise Unwanted("answered")
    if episode is None or stuck is None or not episode.is_open:
        raise Unwanted("no_longer_stuck")
    if not company.can_be_told(stuck):
        raise Unwanted("stopped")
    member = await work.movements.membership(movement.id, asked.person_id)
    if not asked.picked and (member is None or not member.suggestible):
        await _replace(work, movement, outgoing.now, asked, episode, stuck)
        raise Unwanted("withdrawn")
    return CompanyAsked(
        company=asked.id,
        name=stuck.name,
        initiative=await work.initiatives.name(episode.initiative_id, movement.id),
        text=episode.text,
    )


async def compose_answers(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the answers of one round, as far as they came; with `only` in its arguments, one late answer.

    Who stayed silent is replaced by the reserves, in a round of their own. Where nothing came and nobody is left to
    ask, there are questions, and who solved it before.
    """
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    episode = await work.stuck.episode(EpisodeId(delivery.subject), movement.id)
    if episode is None:
        raise Unwanted("no_longer_stuck")
    if outgoing.person is None or not company.can_be_told(outgoing.person):
        raise Unwanted("stopped")
    shown = await _gather(work, episode, str(delivery.args["round"]), str(delivery.args.get("only", "")))
    if shown is None:
        raise Unwanted("taken_back")
    if not shown.voices and not episode.is_open:
        raise Unwanted("no_longer_stuck")
    if "only" in delivery.args or not episode.is_open:
        return shown
    return await _lead_on(work, outgoing, episode, shown)


async def _lead_on(work: UnitOfWork, outgoing: Outgoing, episode: StuckEpisode, shown: CompanyTogether) -> Entry:
    """Return what a round brought, with what comes after it: others who are asked now, or questions and who solved it
    before. Raises `Unwanted` for an extra round that brought nothing."""
    delivery = outgoing.delivery
    is_first = FORGETS not in delivery.args
    if is_first:
        await _replace_silent(work, outgoing, episode, has_answers=bool(shown.voices))
    others, until = await _count_others(work, episode, delivery)
    if shown.voices:
        return replace(shown, others=others)
    if delivery.args.get(company.EXTRA) and is_first:
        raise Unwanted("nothing_to_give")
    if others and until is not None:
        return replace(shown, others=others, until=until)
    if "questions" not in delivery.args:
        delivery.add_args(questions=list(await _ask_questions(work, episode, outgoing.now)))
    return replace(
        shown,
        questions=tuple(str(one) for one in cast("list[str]", delivery.args["questions"])),
        solved=await _is_solved(work, episode),
    )


async def _replace_silent(work: UnitOfWork, outgoing: Outgoing, episode: StuckEpisode, *, has_answers: bool) -> None:
    """Ask the reserves in place of those who stayed silent. Composed again after it could not be sent, nobody more is
    asked: the delivery keeps which round is the `next`.

    Where the others gave answers, what the reserves give is extra: it comes when it is there, and else nothing does.
    """
    delivery, movement, now = outgoing.delivery, outgoing.require_movement(), outgoing.now
    everyone = await work.stuck.company_of(episode.id, movement.id)
    silent = [one for one, _ in everyone if one.round == delivery.args["round"] and one.state is CompanyState.ASKED]
    if outgoing.person is None or "next" in delivery.args or not silent:
        return
    number = company.next_round([one for one, _ in everyone])
    asked: list[Person] = []
    for one in silent:
        reserve = await _ask_reserve(work, episode, delivery, number, now)
        if reserve is None:
            break
        asked.append(reserve)
        # A request that still waits for its reader would make it three who are asked.
        if await work.deliveries.cancel("company_asked", one.id, "replaced"):
            one.decline(now)
    if not asked:
        return
    shown = company.plan_showing(
        episode, outgoing.person, asked, of_round=number, reserve=(), movement=movement, now=now
    )
    shown.add_args(reserve=delivery.args.get("reserve", []), **({company.EXTRA: True} if has_answers else {}))
    delivery.add_args(next=number, reserve=[])
    await work.deliveries.add(shown)


async def _count_others(work: UnitOfWork, episode: StuckEpisode, delivery: Delivery) -> tuple[int, datetime | None]:
    """Return how many were asked in place of the silent ones, and until when their answers are awaited."""
    number = delivery.args.get("next")
    if not isinstance(number, int):
        return 0, None
    everyone = await work.stuck.company_of(episode.id, episode.movement_id)
    shown = await work.deliveries.by_key(company.round_key(episode, number))
    return sum(one.round == number for one, _ in everyone), shown.due_at if shown is not None else None


async def rest(work: UnitOfWork, turn: Turn) -> InPlace:
    """Leave it at the answers of a round, or of one late peer (`only`), for now: they stay, without the question."""
    movement = turn.require_movement()
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, movement.id)
    shown = await _gather(work, episode, turn.text("round"), turn.text("only")) if episode is not None else None
    if shown is None:
        raise Refused("not_found")
    return InPlace(entry=replace(shown, resting=True))


async def _gather(work: UnitOfWork, episode: StuckEpisode, of_round: str, only: str) -> CompanyTogether | None:
    """Return the answers of a round; with `only`, of that peer alone. None when nobody is left in the round."""
    everyone = [
        (one, person)
        for one, person in await work.stuck.company_of(episode.id, episode.movement_id)
        if str(one.round) == of_round
    ]
    if not everyone:
        return None
    voices = tuple(
        PeerAnswer(name=person.name, question=one.question, idea=one.idea)
        for one, person in everyone
        if one.state is CompanyState.GIVEN and (not only or one.id == only)
    )
    return CompanyTogether(
        episode=episode.id,
        initiative=await work.initiatives.name(episode.initiative_id, episode.movement_id),
        voices=voices,
        round=of_round,
        only=only,
        awaited=any(one.state is CompanyState.ASKED for one, _ in everyone),
    )

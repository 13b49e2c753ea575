"""Note a chance to seize, come back to it at its moment, and keep what became of it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import NO, YES, Entry, InPlace
from bot.catalogue.forms import read_form
from bot.catalogue.steps import ChanceAsked, ChanceClosed, ChanceForm, ChanceKept, ChanceNoted
from bot.catalogue.stuck import MAX_FIELD_CHARS
from bot.domain.ids import new_id
from bot.domain.next_step import (
    CHANCE_DAYS,
    MAX_CHANCE_DAYS,
    Chance,
    ChanceId,
    ChanceState,
    parse_day,
    plan_chance_question,
    propose_day,
)
from bot.domain.quiet_hours import FreeMoments, arrival_of, free_moments_of
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def note(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/ritme chance <text>`: note it and ask one question back; without words, or with too many, return a
    small form."""
    turn.require_movement()
    text = turn.text("text")
    longest = ChanceForm.asks[0].max_length
    if text and len(text) <= longest:
        return await _add(work, turn, text)
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    proposed = propose_day(turn.now, _free_moments(turn), ahead=CHANCE_DAYS, most=MAX_CHANCE_DAYS)
    day = {"day": proposed.astimezone(ZoneInfo(turn.timezone)).date().isoformat()} if proposed is not None else {}
    return ChanceForm(
        values={"shared": NO, **day, **({"text": text[:MAX_FIELD_CHARS]} if text else {})},
        too_long=len(text) > longest,
        earliest=today + timedelta(days=1),
        latest=today + timedelta(days=MAX_CHANCE_DAYS),
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Note the chance that was filled in, and ask one question back. Without a day it comes back in a week."""
    turn.require_movement()
    filled = read_form(ChanceForm, turn.intent.args)
    free, problems = _free_moments(turn), filled.problems
    if filled.day("day") is not None:
        comes_back_at = parse_day(filled.day("day"), turn.now, free, problems, most=MAX_CHANCE_DAYS)
    else:
        comes_back_at = propose_day(turn.now, free, ahead=CHANCE_DAYS, most=MAX_CHANCE_DAYS)
    problems.raise_if_any()
    chance = _make(turn, filled.text("text"))
    chance.shared, chance.comes_back_at = filled.text("shared") == YES, comes_back_at
    return await _store(work, turn, chance)


async def _add(work: UnitOfWork, turn: Turn, text: str) -> Entry:
    chance = _make(turn, text)
    chance.comes_back_at = propose_day(turn.now, _free_moments(turn), ahead=CHANCE_DAYS, most=MAX_CHANCE_DAYS)
    return await _store(work, turn, chance)


def _make(turn: Turn, text: str) -> Chance:
    movement = turn.require_movement()
    return Chance(
        id=ChanceId(new_id()), movement_id=movement.id, person_id=turn.person.id, text=text, noted_at=turn.now
    )


async def _store(work: UnitOfWork, turn: Turn, chance: Chance) -> Entry:
    work.steps.add(chance)
    question = plan_chance_question(chance, turn.person, turn.now, turn.timezone)
    if question is not None:
        await work.deliveries.add(question)
    comes = chance.comes_back_at if turn.person.stopped_at is None else None
    return ChanceNoted(
        chance=chance.id,
        text=chance.text,
        at=arrival_of(turn.person, turn.timezone, turn.movement, comes) if comes is not None else None,
        shared=chance.shared,
    )


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a chance of the actor, with what can become of it."""
    chance = await _load(work, turn)
    return _ask(chance) if chance.is_open else ChanceClosed(chance=chance.id, text=chance.text, state=chance.state)


async def seize(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that a chance was seized, and offer a step or a story."""
    return await _close(work, turn, ChanceState.SEIZED)


async def let_pass(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that a chance is gone."""
    return await _close(work, turn, ChanceState.GONE)


async def _close(work: UnitOfWork, turn: Turn, state: ChanceState) -> InPlace:
    chance = await _load(work, turn)
    chance.close(state, turn.now)
    await work.deliveries.cancel("chance_asked", chance.id, "already_chosen")
    return InPlace(entry=ChanceClosed(chance=chance.id, text=chance.text, state=chance.state))


async def keep_open(work: UnitOfWork, turn: Turn) -> InPlace:
    """Leave a chance open: the first time it comes back once more; it stays on the page."""
    chance = await _load(work, turn)
    if not chance.is_open or turn.text("round") != str(chance.round):
        return InPlace(entry=await look(work, turn), on_page=True)
    await work.deliveries.cancel("chance_asked", chance.id, "moved")
    chance.keep(propose_day(turn.now, _free_moments(turn), ahead=CHANCE_DAYS, most=MAX_CHANCE_DAYS))
    question = plan_chance_question(chance, turn.person, turn.now, turn.timezone)
    at = None
    if question is not None and turn.person.stopped_at is None:
        await work.deliveries.add(question)
        at = arrival_of(turn.person, turn.timezone, turn.movement, question.due_at)
    return InPlace(entry=ChanceKept(text=chance.text, at=at))


async def compose_chance_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question what became of a chance. Raises `Unwanted` when that was said, or it got another moment."""
    found = await work.steps.chance(ChanceId(outgoing.delivery.subject), outgoing.require_movement().id)
    if found is None or not found.is_open:
        raise Unwanted("already_chosen")
    if outgoing.delivery.args.get("round") != found.round:
        raise Unwanted("moved")
    return _ask(found)


def _ask(chance: Chance) -> ChanceAsked:
    return ChanceAsked(chance=chance.id, text=chance.text, round=chance.round)


async def _load(work: UnitOfWork, turn: Turn) -> Chance:
    found = await work.steps.chance(ChanceId(turn.text("chance")), turn.require_movement().id)
    if found is None or found.person_id != turn.person.id:
        raise Refused("not_found")
    return found


def _free_moments(turn: Turn) -> FreeMoments:
    return free_moments_of(turn.person, turn.timezone, turn.require_movement())

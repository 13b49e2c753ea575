"""Follow up a small step at its moment: done, something else, not yet, still stuck, or let go.

A button's `round` says for which moment it was shown: one that was answered or moved since then changes nothing.
"""

from datetime import timedelta

from bot import webhooks
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.company import CompanyNobody, CompanyOffer
from bot.catalogue.forms import parse_form, read_form
from bot.catalogue.steps import (
    FollowUp,
    FollowUpAgain,
    OutcomeAsked,
    StepLetGo,
    StepMoveForm,
    StepOutcomeForm,
    StepPlanned,
    StepStands,
    StepWelcomed,
    StillStuck,
)
from bot.domain import company
from bot.domain.delivery import PROMISED_IN
from bot.domain.initiative import StuckEpisode
from bot.domain.next_step import (
    AGAIN,
    FOR_OUTCOME,
    NextStep,
    StepId,
    StepState,
    follow_up_key,
    parse_moment,
    plan_follow_up,
    plan_second_follow_up,
    propose_moment,
    propose_return,
)
from bot.domain.person import Person
from bot.domain.quiet_hours import FreeMoments, free_moments_of, to_utc
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, RetryAfter, Turn, UnitOfWork
from bot.ports.turn import timezone_for
from bot.postponing import offer_moment
from bot.resting import find_rest, return_to_episode

LATE_AFTER = timedelta(minutes=15)
"""A follow-up that comes later than this after its moment says so."""
SHORTEST_PAUSE = timedelta(hours=12)
"""Between a follow-up and the one that comes when nobody answered."""


async def compose_follow_up(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question how a step went. Raises `Unwanted` when the step was closed or moved meanwhile."""
    step = await work.steps.get(StepId(outgoing.delivery.subject), outgoing.require_movement().id)
    if outgoing.delivery.args.get(FOR_OUTCOME):
        return _ask_outcome(step)
    if step is None or not step.is_planned:
        raise Unwanted("step_closed")
    if step.not_yet != outgoing.delivery.args.get("round", 0):
        raise Unwanted("moved")
    if outgoing.delivery.args.get(AGAIN):
        return await _compose_again(work, outgoing, step)
    if outgoing.person is not None:
        at = propose_return(outgoing.now, _moments_of(outgoing, outgoing.person))
        await work.deliveries.add(plan_second_follow_up(step, outgoing.person, outgoing.now, at, AGAIN))
    is_late = outgoing.now - step.follow_up_at > LATE_AFTER
    return FollowUp(
        step=step.id,
        round=step.not_yet,
        cue=step.cue,
        action=step.action,
        promised=step.follow_up_at if is_late else None,
        promised_in=str(outgoing.delivery.args.get(PROMISED_IN, "")),
        was_quiet=outgoing.delivery.reason in ("quiet_hours", "snoozed"),
        variant=outgoing.next_number(),
    )


async def _compose_again(work: UnitOfWork, outgoing: Outgoing, step: NextStep) -> Entry:
    """Compose the lighter question, once, about a step that nobody answered about. Raises `Unwanted` when the first
    never came, `RetryAfter` when it came only just now."""
    first = await work.deliveries.by_key(follow_up_key(step))
    if first is None or first.sent_at is None or outgoing.person is None:
        raise Unwanted("never_sent")
    if outgoing.now - first.sent_at < SHORTEST_PAUSE:
        at = propose_return(first.sent_at, _moments_of(outgoing, outgoing.person))
        # Never a moment that has been: it would be tried again, and again, at once.
        raise RetryAfter(max(at, first.sent_at + SHORTEST_PAUSE), reason="moved")
    return FollowUpAgain(step=step.id, round=step.not_yet, cue=step.cue, action=step.action)


def _ask_outcome(step: NextStep | None) -> Entry:
    """Return the question, once, what happened. Raises `Unwanted` when it was told, or the step is gone."""
    if step is None or step.state not in (StepState.DONE, StepState.SOMETHING_ELSE) or step.outcome:
        raise Unwanted("answered")
    return OutcomeAsked(step=step.id, round=step.not_yet, action=step.action, state=step.state)


def _moments_of(outgoing: Outgoing, person: Person) -> FreeMoments:
    movement = outgoing.require_movement()
    promised_in = str(outgoing.delivery.args.get(PROMISED_IN, "")) or timezone_for(person, None, movement)
    return free_moments_of(person, person.timezone or promised_in, movement)


async def complete(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Close a step as done, and ask what happened."""
    return await _close(work, turn, StepState.DONE)


async def complete_otherwise(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Close a step because something else was done instead, and ask what happened."""
    return await _close(work, turn, StepState.SOMETHING_ELSE)


async def _close(work: UnitOfWork, turn: Turn, state: StepState) -> Entry | InPlace:
    """Close a step, then return the form that asks what happened.

    The step counts before the form comes back, which may be never: then it is asked for once more, another day.
    Pressing again opens the form again, as long as nothing was filled in.
    """
    step = await _load_own_step(work, turn)
    if step.is_planned:
        step.close(state, turn.now)
        await work.together(
            webhooks.announce_step(work, step.movement_id, turn.now),
            work.deliveries.cancel("follow_up", step.id, "step_closed"),
            _come_back_to_episode(work, turn, step),
        )
        at = propose_return(turn.now, _free_moments(turn))
        await work.deliveries.add(plan_second_follow_up(step, turn.person, turn.now, at, FOR_OUTCOME))
    elif step.state is not state or step.outcome:
        return await _show_state(work, turn, step)
    return StepOutcomeForm(action=step.action, hidden={"step": step.id})


async def save_outcome(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Keep what happened, welcome it, and offer to tell it as a story."""
    step = await _load_own_step(work, turn)
    if step.state not in (StepState.DONE, StepState.SOMETHING_ELSE):
        return await _show_state(work, turn, step)
    step.outcome = parse_form(StepOutcomeForm, turn.intent.args).text("outcome")
    await work.deliveries.cancel("follow_up", step.id, "answered")
    return StepWelcomed(step=step.id, outcome=step.outcome, episode=await _open_episode_id(work, step))


async def postpone(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Return the form for a new moment; the second time, offer a smaller step or letting go instead."""
    step = await _load_own_step(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet):
        return await _show_state(work, turn, step)
    return offer_moment(turn, step)


async def reschedule(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Move a step, and its follow-up, to the moment that was filled in."""
    step = await _load_own_step(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet):
        return await _show_state(work, turn, step)
    filled = read_form(StepMoveForm, turn.intent.args)
    moment = parse_moment(filled.day("day"), filled.time("at"), turn.now, _free_moments(turn), filled.problems)
    if moment is None or filled.problems:
        raise filled.problems.to_invalid()
    # Before the new follow-up is added: this drops every one that still waits about the step.
    await work.deliveries.cancel("follow_up", step.id, "moved")
    step.move_to(moment)
    await work.deliveries.add(plan_follow_up(step, turn.person, turn.now, turn.timezone))
    return StepPlanned.of(step, turn.person, turn.timezone, turn.movement)


async def pick_up(work: UnitOfWork, turn: Turn) -> InPlace:
    """Plan a step that rests anew, at the moment that is proposed for any step."""
    step = await _load_own_step(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet) or step.follow_up_at > turn.now:
        return await _show_state(work, turn, step)
    free = _free_moments(turn)
    day, at = propose_moment(turn.now, free)
    await work.deliveries.cancel("follow_up", step.id, "moved")
    step.move_to(to_utc(day, at, free.quiet.timezone))
    await work.deliveries.add(plan_follow_up(step, turn.person, turn.now, turn.timezone))
    return InPlace(entry=StepPlanned.of(step, turn.person, turn.timezone, turn.movement))


async def report_still_stuck(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Close a step that did not help; the second time in an episode, offer company (see `company.ask`)."""
    step = await _load_own_step(work, turn)
    if not step.is_planned:
        return await _show_state(work, turn, step)
    step.close(StepState.STILL_STUCK, turn.now)
    _, episode = await work.together(
        work.deliveries.cancel("follow_up", step.id, "step_closed"), _come_back_to_episode(work, turn, step)
    )
    if episode is None or not episode.is_open:
        return InPlace(entry=StillStuck(episode=""))
    if not episode.still_stuck_again():
        return InPlace(entry=StillStuck(episode=episode.id))
    rested = await work.stuck.peer_candidates(episode, turn.now - company.REST)
    enough = await work.deliveries.asked_enough([one.id for one in rested], turn.now)
    found = company.find_peers(rested, turn.person, enough, turn.now)
    if found.asked:
        return InPlace(entry=CompanyOffer.to(episode, found))
    return InPlace(entry=CompanyNobody.to(episode, turn.person, await work.people.coordinators(episode.movement_id)))


async def let_go(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Close a step by letting it go. Its episode stays as it is; the answer names it, so that it can be ended too."""
    step = await _load_own_step(work, turn)
    if not step.is_planned:
        return await _show_state(work, turn, step)
    step.close(StepState.LET_GO, turn.now)
    await work.together(work.deliveries.cancel("follow_up", step.id, "let_go"), _come_back_to_episode(work, turn, step))
    return InPlace(entry=StepLetGo(episode=await _open_episode_id(work, step)))


async def _come_back_to_episode(work: UnitOfWork, turn: Turn, step: NextStep) -> StuckEpisode | None:
    """Return the episode of a step that was just closed; Ritme comes back to it once, now that no step does."""
    episode = await work.stuck.episode(step.episode_id, step.movement_id) if step.episode_id else None
    if episode is not None:
        await return_to_episode(work, episode, turn.person, turn.now)
    return episode


async def _open_episode_id(work: UnitOfWork, step: NextStep) -> str:
    """Return the id of the step's episode while that is open; else empty."""
    episode = await work.stuck.episode(step.episode_id, step.movement_id) if step.episode_id else None
    return episode.id if episode is not None and episode.is_open else ""


def _free_moments(turn: Turn) -> FreeMoments:
    return free_moments_of(turn.person, turn.timezone, turn.require_movement())


async def _show_state(work: UnitOfWork, turn: Turn, step: NextStep) -> InPlace:
    """Show what became of a step, in place of the card that does not fit it any more."""
    rests = await find_rest(work, step, turn.now)
    return InPlace(entry=StepStands.of(step, turn.person, turn.timezone, turn.movement, rests), on_page=True)


async def _load_own_step(work: UnitOfWork, turn: Turn) -> NextStep:
    step = await work.steps.own(turn.text("step"), turn.person.id, turn.require_movement().id)
    if step is None:
        raise Refused("not_found")
    return step

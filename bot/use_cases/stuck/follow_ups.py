"""Coming back to a small step at its moment: done, something else, not yet, still stuck, or let go."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.company import CompanyNobody, CompanyOffer
from bot.catalogue.forms import read
from bot.catalogue.steps import (
    FollowUp,
    NotYetAgain,
    StepLetGo,
    StepMoveForm,
    StepOutcomeForm,
    StepPlanned,
    StepStands,
    StepWelcomed,
    StillStuck,
)
from bot.domain import company
from bot.domain.next_step import (
    NextStep,
    StepId,
    StepState,
    chosen_moment,
    days_to_choose,
    follow_up,
    usual_moment,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def compose_follow_up(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """At its moment, unless the step was closed or moved meanwhile."""
    step = await work.steps.get(StepId(outgoing.delivery.subject), outgoing.the_movement().id)
    if step is None or not step.is_planned:
        raise Unwanted("step_closed")
    if step.not_yet != outgoing.delivery.args.get("round", 0):
        raise Unwanted("moved")
    return FollowUp(step=step.id, round=step.not_yet, cue=step.cue, action=step.action, variant=outgoing.number())


async def done(work: UnitOfWork, turn: Turn) -> Entry:
    return await _close(work, turn, StepState.DONE)


async def something_else(work: UnitOfWork, turn: Turn) -> Entry:
    return await _close(work, turn, StepState.SOMETHING_ELSE)


async def _close(work: UnitOfWork, turn: Turn, state: StepState) -> Entry:
    """It counts at once; what happened is asked, not demanded."""
    step = await _mine(work, turn)
    if step.is_planned:
        step.close(state, turn.now)
        await work.deliveries.cancel("follow_up", step.id, "step_closed")
    elif step.state is not state or step.outcome:
        return StepStands.of(step)
    return StepOutcomeForm(action=step.action, hidden={"step": step.id})


async def tell(work: UnitOfWork, turn: Turn) -> Entry:
    """What happened: welcomed, and offered as a story."""
    step = await _mine(work, turn)
    if step.state not in (StepState.DONE, StepState.SOMETHING_ELSE):
        return StepStands.of(step)
    step.outcome = read(StepOutcomeForm, turn.intent.args).text("outcome")
    return StepWelcomed(step=step.id, outcome=step.outcome, episode=await _still_open(work, step))


async def not_yet(work: UnitOfWork, turn: Turn) -> Entry:
    """A new moment; the second time a smaller step, or letting go."""
    step = await _mine(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet):
        return StepStands.of(step)
    if step.not_yet:
        return NotYetAgain(step=step.id, action=step.action)
    earliest, latest = days_to_choose(turn.now, turn.timezone)
    day, at = usual_moment(turn.now, turn.timezone)
    return StepMoveForm(
        values={"day": day.isoformat(), "at": f"{at:%H:%M}"},
        hidden={"step": step.id, "round": str(step.not_yet)},
        earliest=earliest,
        latest=latest,
    )


async def move(work: UnitOfWork, turn: Turn) -> Entry:
    """The new moment."""
    step = await _mine(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet):
        return StepStands.of(step)
    filled = read(StepMoveForm, turn.intent.args)
    moment = chosen_moment(filled.day("day"), filled.time("at"), turn.now, turn.timezone)
    await work.deliveries.cancel("follow_up", step.id, "moved")
    step.move_to(moment)
    await work.deliveries.add(follow_up(step, turn.person, turn.now))
    return StepPlanned.of(step)


async def still_stuck(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Welcome again; the second time company is offered."""
    step = await _mine(work, turn)
    if not step.is_planned:
        return StepStands.of(step)
    step.close(StepState.STILL_STUCK, turn.now)
    await work.deliveries.cancel("follow_up", step.id, "step_closed")
    episode = await work.stuck.episode(step.episode_id, step.movement_id) if step.episode_id else None
    if episode is None or not episode.is_open:
        return InPlace(entry=StillStuck(episode=""))
    if not episode.still_stuck_again():
        return InPlace(entry=StillStuck(episode=episode.id))
    rested = await work.stuck.could_think_along(episode, turn.now - company.REST)
    found = company.peers([one for one in rested if company.may_be_asked(one, turn.now)], turn.person)
    return InPlace(entry=CompanyOffer.to(episode, found) if found.asked else CompanyNobody(episode=episode.id))


async def let_go(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """The step is let go; being stuck may stay, or end too."""
    step = await _mine(work, turn)
    if not step.is_planned:
        return StepStands.of(step)
    step.close(StepState.LET_GO, turn.now)
    await work.deliveries.cancel("follow_up", step.id, "let_go")
    return InPlace(entry=StepLetGo(episode=await _still_open(work, step)))


async def _still_open(work: UnitOfWork, step: NextStep) -> str:
    episode = await work.stuck.episode(step.episode_id, step.movement_id) if step.episode_id else None
    return episode.id if episode is not None and episode.is_open else ""


async def _mine(work: UnitOfWork, turn: Turn) -> NextStep:
    step = await work.steps.own(turn.text("step"), turn.person.id, turn.the_movement().id)
    if step is None:
        raise Refused("not_found")
    return step

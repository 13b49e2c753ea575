"""The small step after being stuck: chosen as an if-then plan, come back to at its moment; and the chance to seize."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.company import CompanyNobody, CompanyOffer
from bot.catalogue.forms import Filled, read
from bot.catalogue.steps import (
    NO,
    YES,
    ChanceForm,
    ChanceNoted,
    FollowUp,
    NotYetAgain,
    StepForm,
    StepLetGo,
    StepMoveForm,
    StepOutcomeForm,
    StepPlanned,
    StepPosted,
    StepStands,
    StepWelcomed,
    StillStuck,
)
from bot.catalogue.stuck import LONGEST_FIELD
from bot.chat import Value
from bot.domain import company
from bot.domain.delivery import Act, DeliveryState, Priority, to_person, to_place
from bot.domain.ids import new_id
from bot.domain.initiative import EpisodeId, StuckEpisode
from bot.domain.movement import Place
from bot.domain.next_step import (
    FURTHEST_DAYS,
    Chance,
    ChanceId,
    NextStep,
    StepId,
    StepState,
    moment_of,
    next_working_day,
)
from bot.domain.story import Story, StoryId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

USUAL_TIME = time(9)
LATEST_TODAY = time(18)
BEGAN_WITH = ("episode", "chance", "story")
"""What a step can come from."""

# -- choosing ------------------------------------------------------------------------------------------------------


async def choose(work: UnitOfWork, turn: Turn) -> Entry:
    """The form for a step: after being stuck (`episode`), for a chance (`chance`), because of a `story`, or of its
    own."""
    await _episode(work, turn)
    await _story(work, turn)
    chance = await _chance(work, turn)
    values: dict[str, Value] = _usual(turn, today=chance is not None)
    if turn.text("text"):
        values["action"] = turn.text("text")[:300]
    hidden = {name: turn.text(name) for name in BEGAN_WITH if turn.text(name)}
    return _form(turn, values, hidden, chance=chance.text if chance else "")


async def smaller(work: UnitOfWork, turn: Turn) -> Entry:
    """The form filled with a step that is to be made smaller."""
    step = await _mine(work, turn)
    if not step.is_planned:
        return _stands(step)
    values: dict[str, Value] = {
        **_usual(turn),
        "cue": step.cue,
        "action": step.action,
        "with_whom": step.with_whom,
        "on_my_own": YES if step.on_my_own else NO,
    }
    return _form(turn, values, {"step": step.id, "round": str(step.not_yet), "smaller": YES}, smaller=True)


def _form(
    turn: Turn, values: dict[str, Value], hidden: dict[str, str], *, smaller: bool = False, chance: str = ""
) -> StepForm:
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    place = _place(turn)
    return StepForm(
        values={"post": NO, **values},
        hidden=hidden,
        earliest=today,
        latest=today + timedelta(days=FURTHEST_DAYS),
        smaller=smaller,
        chance=chance,
        post=place is not None,
        place=place.name if place else "",
    )


def _usual(turn: Turn, *, today: bool = False) -> dict[str, Value]:
    """The moment proposed: the next working day at nine, or (for a chance) later today while the day lasts."""
    local = turn.now.astimezone(ZoneInfo(turn.timezone))
    soon = (local + timedelta(hours=2)).replace(minute=0)
    if today and soon.date() == local.date() and USUAL_TIME <= soon.time() <= LATEST_TODAY:
        return {"day": local.date().isoformat(), "at": f"{soon:%H:%M}"}
    return {"day": next_working_day(local.date()).isoformat(), "at": f"{USUAL_TIME:%H:%M}"}


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """The chosen step. When it needs someone's permission or money: one friendly try to make it smaller."""
    movement = turn.the_movement()
    filled = read(StepForm, turn.intent.args)
    moment = _moment(turn, filled)
    episode, chance, story = await _episode(work, turn), await _chance(work, turn), await _story(work, turn)
    known = await _mine(work, turn) if turn.text("step") else None
    if known is not None and (not known.is_planned or turn.text("round") != str(known.not_yet)):
        return _stands(known)
    if filled.text("on_my_own") == NO and turn.text("smaller") != YES:
        hidden = {name: turn.text(name) for name in BEGAN_WITH if turn.text(name)} | {"smaller": YES}
        return _form(turn, dict(filled.values), hidden, smaller=True, chance=chance.text if chance else "")
    plan = (filled.text("cue"), filled.text("action"), filled.text("with_whom"))
    step = known
    if step is None:
        step = NextStep(
            id=StepId(new_id()),
            movement_id=movement.id,
            initiative_id=episode.initiative_id if episode else None,
            episode_id=episode.id if episode else None,
            story_id=story.id if story else None,
            person_id=turn.person.id,
            cue=plan[0],
            action=plan[1],
            with_whom=plan[2],
            follow_up_at=moment,
            chosen_at=turn.now,
        )
        work.steps.add(step)
    else:
        await work.deliveries.cancel("follow_up", step.id, "moved")
        step.make_smaller(*plan, moment)
    step.on_my_own = filled.text("on_my_own") == YES
    step.posted = step.posted or await _posted(work, turn, filled, step, episode)
    await _come_back(work, turn, step)
    return StepPlanned(
        step=step.id, cue=step.cue, action=step.action, with_whom=step.with_whom, at=moment, posted=step.posted
    )


def _moment(turn: Turn, filled: Filled) -> datetime:
    """The moment that was filled in: within two weeks, and not past."""
    day, at = filled.day("day"), filled.time("at")
    if day is None or at is None:
        raise Invalid({"day": "missing"})
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    latest = today + timedelta(days=FURTHEST_DAYS)
    if day < today:
        raise Invalid({"day": "too_early"}, {"day": {"earliest": today}})
    if day > latest:
        raise Invalid({"day": "too_late"}, {"day": {"latest": latest}})
    moment = moment_of(day, at, turn.timezone)
    if moment <= turn.now:
        raise Invalid({"at": "moment_passed"})
    return moment


async def _come_back(work: UnitOfWork, turn: Turn, step: NextStep) -> None:
    await work.deliveries.add(
        to_person(
            turn.person,
            "follow_up",
            key=f"follow_up:{step.id}:{step.not_yet}",
            now=turn.now,
            movement=step.movement_id,
            subject=step.id,
            priority=Priority.ASKED_FOR,
            due_at=step.follow_up_at,
            args={"round": step.not_yet},
        )
    )


async def _posted(work: UnitOfWork, turn: Turn, filled: Filled, step: NextStep, episode: StuckEpisode | None) -> bool:
    """Posts the step where they are, when they like: under what they told there about being stuck, if they did."""
    place = _place(turn)
    if filled.text("post") != YES or place is None:
        return False
    rows = await work.deliveries.about("stuck_posted", episode.id, episode.movement_id) if episode else ()
    gone = {row.target for row in rows if row.act is Act.DELETE}
    roots = [
        row.receipt
        for row in rows
        if row.act is Act.POST
        and row.state is DeliveryState.SENT
        and row.place_id == place.id
        and row.receipt not in gone
    ]
    key = f"step_posted:{step.id}:{step.not_yet}"
    thread = roots[-1] if roots else None
    return await work.deliveries.add(
        to_place(place, "step_posted", key=key, now=turn.now, subject=step.id, thread=thread)
    )


def _place(turn: Turn) -> Place | None:
    """Where a step can be posted: in a channel of this movement, never in a personal chat."""
    return turn.place if turn.place is not None and turn.place.movement_id == turn.the_movement().id else None


async def compose_step_posted(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    step = await work.steps.get(StepId(outgoing.delivery.subject), outgoing.the_movement().id)
    person = await work.people.get(step.person_id, step.movement_id) if step else None
    if step is None or person is None or person.account is None:
        raise Unwanted("forgotten")
    return StepPosted(name=person.name, cue=step.cue, action=step.action, with_whom=step.with_whom)


# -- coming back ---------------------------------------------------------------------------------------------------


async def compose_follow_up(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """At its moment, unless the step was closed or moved meanwhile."""
    step = await work.steps.get(StepId(outgoing.delivery.subject), outgoing.the_movement().id)
    if step is None or not step.is_planned:
        raise Unwanted("step_closed")
    if step.not_yet != outgoing.delivery.args.get("round", 0):
        raise Unwanted("moved")
    variant = await work.deliveries.sent_count("follow_up", None, step.person_id)
    return FollowUp(step=step.id, round=step.not_yet, cue=step.cue, action=step.action, variant=variant)


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
        return _stands(step)
    return StepOutcomeForm(action=step.action, hidden={"step": step.id})


async def tell(work: UnitOfWork, turn: Turn) -> Entry:
    """What happened: welcomed, and offered as a story."""
    step = await _mine(work, turn)
    if step.state not in (StepState.DONE, StepState.SOMETHING_ELSE):
        return _stands(step)
    step.outcome = read(StepOutcomeForm, turn.intent.args).text("outcome")
    return StepWelcomed(step=step.id, outcome=step.outcome, episode=await _still_open(work, step))


async def not_yet(work: UnitOfWork, turn: Turn) -> Entry:
    """A new moment; the second time a smaller step, or letting go."""
    step = await _mine(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet):
        return _stands(step)
    if step.not_yet:
        return NotYetAgain(step=step.id, action=step.action)
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    return StepMoveForm(
        values=_usual(turn),
        hidden={"step": step.id, "round": str(step.not_yet)},
        earliest=today,
        latest=today + timedelta(days=FURTHEST_DAYS),
    )


async def move(work: UnitOfWork, turn: Turn) -> Entry:
    """The new moment."""
    step = await _mine(work, turn)
    if not step.is_planned or turn.text("round") != str(step.not_yet):
        return _stands(step)
    moment = _moment(turn, read(StepMoveForm, turn.intent.args))
    await work.deliveries.cancel("follow_up", step.id, "moved")
    step.move_to(moment)
    await _come_back(work, turn, step)
    return StepPlanned(step=step.id, cue=step.cue, action=step.action, with_whom=step.with_whom, at=moment)


async def still_stuck(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Welcome again; the second time company is offered."""
    step = await _mine(work, turn)
    if not step.is_planned:
        return _stands(step)
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
        return _stands(step)
    step.close(StepState.LET_GO, turn.now)
    await work.deliveries.cancel("follow_up", step.id, "let_go")
    return InPlace(entry=StepLetGo(episode=await _still_open(work, step)))


async def _still_open(work: UnitOfWork, step: NextStep) -> str:
    episode = await work.stuck.episode(step.episode_id, step.movement_id) if step.episode_id else None
    return episode.id if episode is not None and episode.is_open else ""


def _stands(step: NextStep) -> Entry:
    at = step.follow_up_at if step.is_planned else step.closed_at or step.follow_up_at
    return StepStands(step=step.id, action=step.action, state=step.state, at=at)


async def _mine(work: UnitOfWork, turn: Turn) -> NextStep:
    step = await work.steps.get(StepId(turn.text("step")), turn.the_movement().id)
    if step is None or step.person_id != turn.person.id:
        raise Refused("not_found")
    return step


async def _episode(work: UnitOfWork, turn: Turn) -> StuckEpisode | None:
    """The actor's episode an intent names, if it names one; refuses one that is not theirs."""
    movement = turn.the_movement()
    if not turn.text("episode"):
        return None
    episode = await work.stuck.episode(EpisodeId(turn.text("episode")), movement.id)
    if episode is None or episode.person_id != turn.person.id:
        raise Refused("not_found")
    return episode


# -- the chance ----------------------------------------------------------------------------------------------------


async def chance(work: UnitOfWork, turn: Turn) -> Entry:
    """`/ritme chance <text>`: noted, and one question back; without words a small form."""
    turn.the_movement()
    text = turn.text("text")
    longest = ChanceForm.asks[0].max_length
    if not text or len(text) > longest:
        return ChanceForm(values={"text": text[:LONGEST_FIELD]} if text else {}, too_long=len(text) > longest)
    return _noted(work, turn, text)


async def save_chance(work: UnitOfWork, turn: Turn) -> Entry:
    turn.the_movement()
    return _noted(work, turn, read(ChanceForm, turn.intent.args).text("text"))


def _noted(work: UnitOfWork, turn: Turn, text: str) -> Entry:
    movement = turn.the_movement()
    noted = Chance(
        id=ChanceId(new_id()), movement_id=movement.id, person_id=turn.person.id, text=text, noted_at=turn.now
    )
    work.steps.add(noted)
    return ChanceNoted(chance=noted.id, text=text)


async def _chance(work: UnitOfWork, turn: Turn) -> Chance | None:
    if not turn.text("chance"):
        return None
    found = await work.steps.chance(ChanceId(turn.text("chance")), turn.the_movement().id)
    if found is None or found.person_id != turn.person.id:
        raise Refused("not_found")
    return found


async def _story(work: UnitOfWork, turn: Turn) -> Story | None:
    """The story that moved someone to a step; None when there is none, or when it was withdrawn by now."""
    if not turn.text("story"):
        return None
    found = await work.stories.get(StoryId(turn.text("story")), turn.the_movement().id)
    if found is None:
        raise Refused("not_found")
    return found if found.is_told else None

"""Choose a small next step as an if-then plan."""

from dataclasses import replace
from datetime import datetime

from bot.catalogue.base import NO, YES, Entry, InPlace, Pick
from bot.catalogue.conversation import MeaningAsked
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.steps import FollowUp, StepForm, StepPlanned, StepPosted, StepStands
from bot.chat import Value
from bot.domain import stuck_post, stuck_return
from bot.domain.delivery import to_place
from bot.domain.experiment import Experiment, ExperimentId
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId, StuckEpisode
from bot.domain.movement import Place, PlaceState
from bot.domain.next_step import (
    Chance,
    ChanceId,
    ChanceState,
    NextStep,
    StepId,
    allowed_days,
    parse_moment,
    plan_follow_up,
    propose_moment,
    strip_lead_in,
)
from bot.domain.quiet_hours import FreeMoments, free_moments_of
from bot.domain.story import Story, StoryId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.postponing import offer_moment
from bot.resting import find_rest
from bot.understanding.absence import read_return
from bot.understanding.likeness import find_alike
from bot.understanding.rhythm import read_day
from bot.understanding.step_news import MOVE, read_step_news
from bot.wording import shorten

ORIGINS = ("episode", "chance", "story", "experiment", "initiative")
"""Arguments that say where a step came from; the form carries them along."""
MAX_PREFILL = 300
"""Characters of a typed step that are put into the form."""
MAX_OPEN_OFFERED, MAX_OPEN_CHARS = 5, 60
"""Open episodes that are offered, the latest, and characters of what they are about."""

IfThenPlan = tuple[str, str, str]
"""The cue, the action, and with whom."""


async def hear_step(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form for a step; for news of a planned one the question how it went, which closes nothing yet, or the
    form for another day. `said` is the whole sentence, where there was one."""
    said = turn.text("said") or turn.text("text")
    news = "" if any(turn.text(name) for name in ORIGINS) else read_step_news(said, turn.language)
    if not news:
        return await choose(work, turn)
    planned = await work.steps.planned_of(turn.person.id, turn.require_movement().id)
    if not planned:
        return MeaningAsked(text=said, guesses=("story", "home"))
    named = find_alike(said, {one.id: f"{one.cue} {one.action}" for one in planned}, most=1)
    step = next((one for one in planned if one.id in named), planned[0])
    if news == MOVE:
        today, _ = allowed_days(turn.now, turn.timezone)
        return offer_moment(turn, step, read_day(said, turn.language, today) or read_return(said, turn.language, today))
    return FollowUp(step=step.id, round=step.not_yet, cue=step.cue, action=step.action)


async def choose(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form for a step: after being stuck (`episode`), for a chance (`chance`), because of a `story`, within
    an `experiment` or an `initiative`, or of its own; then, in a personal chat, what is open is offered to go on with.
    Raises `Refused` where one of these is not theirs."""
    await _load_episode(work, turn)
    await _load_story(work, turn)
    await _load_experiment(work, turn)
    await _load_initiative(work, turn)
    chance = await _load_chance(work, turn)
    values: dict[str, Value] = _usual_moment(turn, today=chance is not None)
    if turn.text("text"):
        values |= {"action": turn.text("text")[:MAX_PREFILL], **_hear_day(turn)}
    hidden = {name: turn.text(name) for name in ORIGINS if turn.text(name)}
    picks = () if hidden or not turn.intent.place.personal else await _list_open(work, turn)
    if len(picks) == 1:
        values["about"] = picks[0].value
    return _form(turn, values, hidden, chance=chance.text if chance else "", about=picks)


async def _list_open(work: UnitOfWork, turn: Turn) -> tuple[Pick, ...]:
    """Return what the actor is still stuck with, to choose from, the latest first."""
    found = await work.stuck.open_of(turn.person.id, turn.require_movement().id)
    return tuple(Pick(value=one.id, label=shorten(one.text, MAX_OPEN_CHARS)) for one in found[:MAX_OPEN_OFFERED])


async def choose_smaller(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Return the form, filled with a planned step that is to be made smaller."""
    step = await _load_own_step(work, turn)
    if not step.is_planned:
        return await _show_state(work, turn, step)
    values: dict[str, Value] = {
        **_usual_moment(turn),
        "cue": step.cue,
        "action": step.action,
        "with_whom": step.with_whom,
        "on_my_own": YES if step.on_my_own else NO,
    }
    return _form(turn, values, {"step": step.id, "round": str(step.not_yet), "smaller": YES}, smaller=True)


def _form(
    turn: Turn,
    values: dict[str, Value],
    hidden: dict[str, str],
    *,
    smaller: bool = False,
    chance: str = "",
    about: tuple[Pick, ...] = (),
) -> StepForm:
    earliest, latest = allowed_days(turn.now, turn.timezone)
    place = _place_to_post(turn)
    return StepForm(
        values={"post": NO, **values},
        options={"about": about} if about else {},
        hidden=hidden,
        earliest=earliest,
        latest=latest,
        smaller=smaller,
        chance=chance,
        post=place is not None,
        place=place.name if place else "",
    )


def _usual_moment(turn: Turn, *, today: bool = False) -> dict[str, Value]:
    day, at = propose_moment(turn.now, _free_moments(turn), today=today)
    return {"day": day.isoformat(), "at": f"{at:%H:%M}"}


def _hear_day(turn: Turn) -> dict[str, Value]:
    """Return the day that was typed with the step, where a step can have it."""
    earliest, latest = allowed_days(turn.now, turn.timezone)
    day = read_day(turn.text("text"), turn.language, earliest)
    return {"day": day.isoformat()} if day is not None and earliest <= day <= latest else {}


def _free_moments(turn: Turn) -> FreeMoments:
    """Return the moments at which the actor can be promised a follow-up."""
    return free_moments_of(turn.person, turn.timezone, turn.require_movement())


async def save(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Plan the chosen step, or replan one that was made smaller (`step`), with its follow-up.

    When it needs someone's permission or money, the form comes back once, to try and make the step smaller.
    """
    turn.require_movement()
    filled = read_form(StepForm, turn.intent.args)
    moment = parse_moment(filled.day("day"), filled.time("at"), turn.now, _free_moments(turn), filled.problems)
    chosen = await _load_chosen(work, turn, filled)
    if moment is None or filled.problems:
        raise filled.problems.to_invalid()
    episode, chance, story = (
        await _load_episode(work, turn) or chosen,
        await _load_chance(work, turn),
        await _load_story(work, turn),
    )
    known = await _load_own_step(work, turn) if turn.text("step") else None
    # `round` tells an old form from the step as it is now: what was moved since then is not moved by it.
    if known is not None and (not known.is_planned or turn.text("round") != str(known.not_yet)):
        return await _show_state(work, turn, known)
    if filled.text("on_my_own") == NO and turn.text("smaller") != YES:
        hidden = {name: turn.text(name) for name in ORIGINS if turn.text(name)} | {"smaller": YES}
        hidden |= {"episode": episode.id} if episode else {}
        return _form(turn, dict(filled.values), hidden, smaller=True, chance=chance.text if chance else "")
    plan: IfThenPlan = (
        strip_lead_in(filled.text("cue")),
        strip_lead_in(filled.text("action")),
        filled.text("with_whom"),
    )
    step = known
    if step is None:
        step = _new_step(turn, plan, moment, episode, story)
        initiative = await _load_initiative(work, turn)
        step.initiative_id = step.initiative_id or (initiative.id if initiative is not None else None)
        if (experiment := await _load_experiment(work, turn)) is not None:
            step.experiment_id = experiment.id
            step.initiative_id = step.initiative_id or experiment.initiative_id
        work.steps.add(step)
        if chance is not None:
            chance.close(ChanceState.SEIZED, turn.now)
            await work.deliveries.cancel("chance_asked", chance.id, "already_chosen")
    else:
        # Before the new follow-up is added: this drops every one that still waits about the step.
        await work.deliveries.cancel("follow_up", step.id, "moved")
        step.make_smaller(*plan, moment)
    step.on_my_own = filled.text("on_my_own") == YES
    is_posted = await _post_on_request(work, turn, filled, step, episode)
    step.posted = step.posted or is_posted
    await work.deliveries.add(plan_follow_up(step, turn.person, turn.now, turn.timezone))
    if step.episode_id is not None:
        await work.deliveries.cancel(stuck_return.RETURN_KIND, step.episode_id, "step_chosen")
    # The words of an earlier post are not these.
    held = _held_in(turn) if is_posted else ""
    return replace(StepPlanned.of(step, turn.person, turn.timezone, turn.movement), posted=is_posted, held=held)


def _new_step(
    turn: Turn, plan: IfThenPlan, moment: datetime, episode: StuckEpisode | None, story: Story | None
) -> NextStep:
    cue, action, with_whom = plan
    return NextStep(
        id=StepId(new_id()),
        movement_id=turn.require_movement().id,
        initiative_id=episode.initiative_id if episode else None,
        episode_id=episode.id if episode else None,
        story_id=story.id if story else None,
        person_id=turn.person.id,
        cue=cue,
        action=action,
        with_whom=with_whom,
        follow_up_at=moment,
        chosen_at=turn.now,
    )


async def _post_on_request(
    work: UnitOfWork, turn: Turn, filled: Filled, step: NextStep, episode: StuckEpisode | None
) -> bool:
    """Post the step where they are, when they asked for it: under their post about being stuck there, if there is one.

    Returns whether it is posted.
    """
    place = _place_to_post(turn)
    if filled.text("post") != YES or place is None:
        return False
    rows = await work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id) if episode else ()
    root = stuck_post.current_post(rows)
    thread = root.receipt if root is not None and root.place_id == place.id else turn.intent.thread
    key = f"step_posted:{step.id}:{step.not_yet}"
    return await work.deliveries.add_new(
        to_place(place, "step_posted", key=key, now=turn.now, subject=step.id, thread=thread)
    )


def _place_to_post(turn: Turn) -> Place | None:
    """Return where a step can be posted: a channel of this movement; None in a personal chat or elsewhere."""
    return turn.place if turn.place is not None and turn.place.movement_id == turn.require_movement().id else None


def _held_in(turn: Turn) -> str:
    """Return the name of the channel where a post has to wait until it can be reached again; empty when it need not."""
    place = _place_to_post(turn)
    return (place.name or place.channel) if place is not None and place.state is PlaceState.UNREACHABLE else ""


async def compose_step(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the post of a step in a channel. Raises `Unwanted` when the step or its owner is gone."""
    step = await work.steps.get(StepId(outgoing.delivery.subject), outgoing.require_movement().id)
    person = await work.people.get(step.person_id, step.movement_id) if step else None
    if step is None or person is None or person.account is None:
        raise Unwanted("forgotten")
    return StepPosted(name=person.name, cue=step.cue, action=step.action, with_whom=step.with_whom)


async def _show_state(work: UnitOfWork, turn: Turn, step: NextStep) -> InPlace:
    rests = await find_rest(work, step, turn.now)
    return InPlace(entry=StepStands.of(step, turn.person, turn.timezone, turn.movement, rests), on_page=True)


async def _load_own_step(work: UnitOfWork, turn: Turn) -> NextStep:
    step = await work.steps.own(turn.text("step"), turn.person.id, turn.require_movement().id)
    if step is None:
        raise Refused("not_found")
    return step


async def _load_episode(work: UnitOfWork, turn: Turn) -> StuckEpisode | None:
    """Return the episode an intent names; None when it names none. Raises `Refused` for one that is not theirs."""
    movement = turn.require_movement()
    if not turn.text("episode"):
        return None
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, movement.id)
    if episode is None:
        raise Refused("not_found")
    return episode


async def _load_chosen(work: UnitOfWork, turn: Turn, filled: Filled) -> StuckEpisode | None:
    """Return the episode that was chosen in the form; adds a problem for one that is not theirs."""
    if not filled.text("about"):
        return None
    episode = await work.stuck.own(filled.text("about"), turn.person.id, turn.require_movement().id)
    if episode is None:
        filled.problems.add("about", "unknown_choice")
    return episode


async def _load_chance(work: UnitOfWork, turn: Turn) -> Chance | None:
    if not turn.text("chance"):
        return None
    found = await work.steps.chance(ChanceId(turn.text("chance")), turn.require_movement().id)
    if found is None or found.person_id != turn.person.id:
        raise Refused("not_found")
    return found


async def _load_story(work: UnitOfWork, turn: Turn) -> Story | None:
    """Return the story that moved someone to a step; None when there is none, or it was withdrawn by now."""
    if not turn.text("story"):
        return None
    found = await work.stories.get(StoryId(turn.text("story")), turn.require_movement().id)
    if found is None:
        raise Refused("not_found")
    return found if found.is_told else None


async def _load_initiative(work: UnitOfWork, turn: Turn) -> Initiative | None:
    """Return the initiative that a step is about. Raises `Refused` for one of another movement."""
    if not turn.text("initiative"):
        return None
    found = await work.initiatives.get(InitiativeId(turn.text("initiative")), turn.require_movement().id)
    if found is None:
        raise Refused("not_found")
    return found


async def _load_experiment(work: UnitOfWork, turn: Turn) -> Experiment | None:
    """Return the experiment that a step belongs to. Raises `Refused` for somebody else's own."""
    if not turn.text("experiment"):
        return None
    found = await work.experiments.get(ExperimentId(turn.text("experiment")), turn.require_movement().id)
    if found is None or (found.initiative_id is None and found.person_id != turn.person.id):
        raise Refused("not_found")
    return found

"""The small step after being stuck, chosen as an if-then plan; and the chance to seize."""

from bot.catalogue.base import Entry
from bot.catalogue.forms import Filled, read
from bot.catalogue.steps import NO, YES, ChanceForm, ChanceNoted, StepForm, StepPlanned, StepPosted, StepStands
from bot.catalogue.stuck import LONGEST_FIELD
from bot.chat import Value
from bot.domain import stuck_post
from bot.domain.delivery import to_place
from bot.domain.ids import new_id
from bot.domain.initiative import StuckEpisode
from bot.domain.movement import Place
from bot.domain.next_step import (
    Chance,
    ChanceId,
    NextStep,
    StepId,
    chosen_moment,
    days_to_choose,
    follow_up,
    usual_moment,
    without_lead,
)
from bot.domain.story import Story, StoryId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

BEGAN_WITH = ("episode", "chance", "story")
"""What a step can come from."""


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
        return StepStands.of(step)
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
    earliest, latest = days_to_choose(turn.now, turn.timezone)
    place = _place(turn)
    return StepForm(
        values={"post": NO, **values},
        hidden=hidden,
        earliest=earliest,
        latest=latest,
        smaller=smaller,
        chance=chance,
        post=place is not None,
        place=place.name if place else "",
    )


def _usual(turn: Turn, *, today: bool = False) -> dict[str, Value]:
    day, at = usual_moment(turn.now, turn.timezone, today=today)
    return {"day": day.isoformat(), "at": f"{at:%H:%M}"}


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """The chosen step. When it needs someone's permission or money: one friendly try to make it smaller."""
    movement = turn.the_movement()
    filled = read(StepForm, turn.intent.args)
    moment = chosen_moment(filled.day("day"), filled.time("at"), turn.now, turn.timezone)
    episode, chance, story = await _episode(work, turn), await _chance(work, turn), await _story(work, turn)
    known = await _mine(work, turn) if turn.text("step") else None
    if known is not None and (not known.is_planned or turn.text("round") != str(known.not_yet)):
        return StepStands.of(known)
    if filled.text("on_my_own") == NO and turn.text("smaller") != YES:
        hidden = {name: turn.text(name) for name in BEGAN_WITH if turn.text(name)} | {"smaller": YES}
        return _form(turn, dict(filled.values), hidden, smaller=True, chance=chance.text if chance else "")
    plan = (without_lead(filled.text("cue")), without_lead(filled.text("action")), filled.text("with_whom"))
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
    await work.deliveries.add(follow_up(step, turn.person, turn.now))
    return StepPlanned.of(step)


async def _posted(work: UnitOfWork, turn: Turn, filled: Filled, step: NextStep, episode: StuckEpisode | None) -> bool:
    """Posts the step where they are, when they like: under what they told there about being stuck, if they did."""
    place = _place(turn)
    if filled.text("post") != YES or place is None:
        return False
    rows = await work.deliveries.about(stuck_post.KIND, episode.id, episode.movement_id) if episode else ()
    root = stuck_post.standing(rows)
    thread = root.receipt if root is not None and root.place_id == place.id else turn.intent.thread
    key = f"step_posted:{step.id}:{step.not_yet}"
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


async def _mine(work: UnitOfWork, turn: Turn) -> NextStep:
    step = await work.steps.own(turn.text("step"), turn.person.id, turn.the_movement().id)
    if step is None:
        raise Refused("not_found")
    return step


async def _episode(work: UnitOfWork, turn: Turn) -> StuckEpisode | None:
    """The actor's episode an intent names, if it names one; refuses one that is not theirs."""
    movement = turn.the_movement()
    if not turn.text("episode"):
        return None
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, movement.id)
    if episode is None:
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

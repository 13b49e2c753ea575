"""Say how one meant one's own story, and see how the stories of the movement were meant, all together."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read_form
from bot.catalogue.meanings import (
    NO_SCALE,
    CloudDrawn,
    CloudEmpty,
    CloudPoint,
    MeaningCleared,
    MeaningForm,
    MeaningSet,
    StoryMeant,
)
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.meaning import CLOUD_FROM, Answers, list_points, load_cloud, redraw, split_meaning
from bot.domain.movement import Movement
from bot.domain.story import Story, StoryId
from bot.errors import Refused, Unwanted
from bot.pictures import plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork

CLOUD_KIND = "cloud_drawn"


async def say(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Keep how the actor meant their story, or now means it otherwise. Said again, it changes nothing."""
    story, meant = await _load_own(work, turn), turn.text("meant")
    scale, point = split_meaning(meant)
    if not point:
        raise Refused("not_found")
    if story.meant != meant:
        story.meant, story.meant_at = meant, turn.now
        await _redraw_cloud(work, turn, story, scale)
    shown = StoryMeant(story=story.id, scale=scale, point=point)
    return InPlace(entry=shown) if turn.text("here") else shown


async def show_choices(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Show again how the actor may have meant their story. Raises `Refused` where nobody is asked that."""
    story = await _load_own(work, turn)
    scale = await _scale_of(work, story)
    if not scale:
        raise Refused("not_found")
    shown = StoryMeant(story=story.id, scale=scale)
    return InPlace(entry=shown) if turn.text("here") else shown


async def clear(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep no more how the actor meant their story."""
    (await _load_own(work, turn)).forget_meaning()
    return InPlace(entry=MeaningCleared())


async def ask_cloud(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the picture of the cloud for the actor; without one, return what it takes."""
    shown = await show_cloud(work, turn)
    return await plan_picture(work, turn, CLOUD_KIND) if isinstance(shown, CloudDrawn) else shown


async def show_cloud(work: UnitOfWork, turn: Turn) -> CloudDrawn | CloudEmpty:
    """Return the cloud of the movement as it was last drawn, or what it takes."""
    may_choose = turn.member is not None and turn.member.coordinates
    return await _load_cloud(work, turn.require_movement(), may_choose=may_choose)


async def compose_cloud(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the picture of the cloud for who asked. Raises `Unwanted` when too few answers are left, or they do not
    belong to the movement any more."""
    movement, reader = outgoing.require_movement(), outgoing.person
    member = await work.movements.membership(movement.id, reader.id) if reader is not None else None
    if member is None:
        raise Unwanted("gone")
    shown = await _load_cloud(work, movement, may_choose=member.coordinates)
    if isinstance(shown, CloudEmpty):
        raise Unwanted("nothing_to_give")
    return shown


async def choose_scale(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form with what tellers can be asked about their stories."""
    return MeaningForm(values={"scale": turn.require_coordinator().meaning or NO_SCALE})


async def save_scale(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask tellers from now on what was chosen; what was answered before stays as it is."""
    movement = turn.require_coordinator()
    filled = read_form(MeaningForm, turn.intent.args)
    filled.problems.raise_if_any()
    record_change(work, turn, CoordinatorAct.QUESTION_CHOSEN)
    movement.meaning = "" if filled.text("scale") == NO_SCALE else filled.text("scale")
    return MeaningSet(scale=movement.meaning)


async def _load_own(work: UnitOfWork, turn: Turn) -> Story:
    """Return the actor's own story that others may read. Raises `Refused` for any other."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None or not story.may_travel:
        raise Refused("not_found")
    return story


async def _scale_of(work: UnitOfWork, story: Story) -> str:
    movement = await work.movements.get(story.movement_id)
    return movement.meaning if movement is not None else ""


async def _redraw_cloud(work: UnitOfWork, turn: Turn, story: Story, scale: str) -> None:
    """Draw the cloud anew once enough others answered. It is drawn here and nowhere else: looking at it more often
    shows no more of it."""
    movement = turn.movement
    if movement is None or movement.id != story.movement_id:
        return  # another movement than that whose lock is held: its next answer draws it
    await work.flush()
    drawn = redraw(await _load_answers(work, movement, scale), turn.now)
    if drawn is not None:
        movement.clouds = {**movement.clouds, scale: drawn.dump()}


async def _load_answers(work: UnitOfWork, movement: Movement, scale: str) -> Answers:
    kept = load_cloud(movement.clouds, scale)
    return await work.stories.meanings(movement.id, scale, kept.at if kept is not None else None)


async def _load_cloud(work: UnitOfWork, movement: Movement, *, may_choose: bool) -> CloudDrawn | CloudEmpty:
    """Return the cloud as it was last drawn; none when too few tellers are left of those who answered."""
    scale = movement.meaning
    kept = load_cloud(movement.clouds, scale)
    if kept is None or (await _load_answers(work, movement, scale)).tellers < CLOUD_FROM:
        return CloudEmpty(scale=scale, may_choose=may_choose)
    return CloudDrawn(
        name=movement.name,
        scale=scale,
        at=kept.at,
        points=tuple(
            CloudPoint(point=one, stories=kept.points[one]) for one in list_points(scale) if kept.points.get(one)
        ),
        may_choose=may_choose,
    )

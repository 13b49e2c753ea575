"""A micro-story, told in one's own words: with which name and for whom, changed, taken back."""

from dataclasses import replace

from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.forms import Filled, read
from bot.catalogue.stories import (
    StoriesRead,
    StoryForm,
    StoryMine,
    StoryPosted,
    StoryTold,
    StoryTooLong,
    StoryWithdrawn,
    Whole,
)
from bot.chat import Value
from bot.domain.delivery import to_place
from bot.domain.ids import new_id
from bot.domain.initiative import InitiativeId
from bot.domain.movement import Movement, MovementId, Place
from bot.domain.next_step import StepId
from bot.domain.person import PersonId
from bot.domain.retelling import POSTED, follow
from bot.domain.story import (
    LONGEST_STORY,
    Dimension,
    Readers,
    Retelling,
    Story,
    StoryId,
    tells_something,
)
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

LONGEST_FORM = 3000
"""No platform's form holds more than this."""
MINE_SHOWN = 100
MOST_OPTIONS = 100
"""No platform's list holds more choices."""


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """`/story`: the form, prefilled from a step or the text given; `/story <text>`: told at once, for the movement to
    read, under one's name or not as the last time."""
    movement = turn.the_movement()
    text, initiative = turn.text("text"), turn.text("initiative")
    prefill = turn.text("prefill")
    if turn.text("step"):
        step = await work.steps.get(StepId(turn.text("step")), movement.id)
        if step is None or step.person_id != turn.person.id:
            raise Refused("not_found")
        prefill, initiative = prefill or step.outcome, initiative or step.initiative_id or ""
    elif text and len(text) <= LONGEST_STORY and tells_something(text):
        return await _tell(work, turn, movement, text)
    else:
        prefill = prefill or text
    if len(prefill) > LONGEST_FORM:
        return StoryTooLong(text=prefill, most=LONGEST_STORY)
    return await _form(
        work,
        turn.person.id,
        movement.id,
        place=_here(turn, movement),
        values={
            "text": prefill,
            "initiative": initiative,
            "named": "with" if turn.person.story_named else "without",
            "readers": Readers.MOVEMENT.value,
        },
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """The submitted form: a new story, or (with `story`) a change of one's own."""
    if turn.text("story"):
        return await _changed(work, turn)
    movement = turn.the_movement()
    filled = await _filled(work, turn, movement.id)
    turn.person.story_named = filled.text("named") == "with"
    return await _tell(
        work,
        turn,
        movement,
        filled.text("text"),
        readers=Readers(filled.text("readers")),
        initiative=InitiativeId(filled.text("initiative")) if filled.text("initiative") else None,
        dimension=Dimension(filled.text("dimension")) if filled.text("dimension") else None,
    )


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """The form over one's own story."""
    story = await _own(work, turn)
    return await _form(
        work,
        turn.person.id,
        story.movement_id,
        place=await work.movements.place(story.place_id) if story.place_id else None,
        values={
            "text": story.text,
            "initiative": story.initiative_id or "",
            "dimension": story.dimension.value if story.dimension else "",
            "named": "with" if story.named else "without",
            "readers": story.readers.value,
        },
        hidden={"story": story.id},
    )


async def withdraw(work: UnitOfWork, turn: Turn) -> InPlace:
    """Takes one's own story back, everywhere it went."""
    story = await _own(work, turn)
    story.withdraw(turn.now)
    await _follow(work, turn, story)
    return InPlace(entry=StoryWithdrawn())


async def mine(work: UnitOfWork, turn: Turn) -> Entry:
    """One's own stories, one at a time, the newest first."""
    told = await work.stories.of_teller(turn.person.id, MINE_SHOWN)
    if not told:
        raise Refused("no_stories")
    asked = turn.text("number")
    number = min(max(int(asked) if asked.isascii() and asked.isdigit() else 1, 1), len(told))
    story = told[number - 1]
    place = await work.movements.place(story.place_id) if story.place_id else None
    return StoryMine(
        story=story.id,
        text=story.text,
        place=_name(place),
        named=story.named,
        readers=story.readers,
        in_thread=story.message is not None,
        ripples=await work.stories.ripples(story.id, story.movement_id),
        number=number,
        more=number < len(told),
    )


async def read_on(work: UnitOfWork, turn: Turn) -> Entry:
    """The whole of what was shown in part; of what was taken back since, nothing."""
    movement, here = turn.the_movement().id, turn.place.id if turn.place else None
    found = [await work.stories.get(StoryId(one), movement) for one in turn.text("stories").split()[:MOST_OPTIONS]]
    readable = [story for story in found if story is not None and story.is_readable(here)]
    if not readable:
        raise Refused("not_found")
    tellers = {
        story.id: story.credit(await work.people.get(story.teller_id, movement), turn.person.workspace_id)
        for story in readable
    }
    return StoriesRead(stories=tuple(Whole(text=story.text, teller=tellers[story.id]) for story in readable))


async def compose_posted(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """The story where it was told."""
    movement = outgoing.the_movement()
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    if story is None or not story.is_told:
        raise Unwanted("withdrawn")
    teller = await work.people.get(story.teller_id, movement.id)
    initiative = await work.initiatives.get(story.initiative_id, movement.id) if story.initiative_id else None
    return StoryPosted(
        story=story.id,
        text=story.text,
        teller=story.credit(teller, outgoing.delivery.workspace_id),
        initiative=initiative.name if initiative else "",
        travels=story.may_travel(),
    )


async def _tell(
    work: UnitOfWork,
    turn: Turn,
    movement: Movement,
    text: str,
    *,
    readers: Readers = Readers.MOVEMENT,
    initiative: InitiativeId | None = None,
    dimension: Dimension | None = None,
) -> Entry:
    place = _here(turn, movement)
    story = Story(
        id=StoryId(new_id()),
        movement_id=movement.id,
        place_id=place.id if place else None,
        teller_id=turn.person.id,
        text=text,
        named=turn.person.story_named,
        readers=readers,
        initiative_id=initiative,
        dimension=dimension,
        told_at=turn.now,
    )
    work.stories.add(story)
    if place is not None:
        post = to_place(
            place,
            POSTED,
            key=f"{POSTED}:{story.id}",
            now=turn.now,
            subject=story.id,
            thread=turn.intent.thread,
        )
        await work.deliveries.add(post)
        work.stories.add(Retelling(story_id=story.id, delivery_id=post.id, movement_id=movement.id))
    return _told(story, place)


async def _changed(work: UnitOfWork, turn: Turn) -> Entry:
    story = await _own(work, turn)
    filled = await _filled(work, turn, story.movement_id)
    story.text, story.readers = filled.text("text"), Readers(filled.text("readers"))
    story.named = turn.person.story_named = filled.text("named") == "with"
    story.initiative_id = InitiativeId(filled.text("initiative")) if filled.text("initiative") else None
    story.dimension = Dimension(filled.text("dimension")) if filled.text("dimension") else None
    await _follow(work, turn, story)
    place = await work.movements.place(story.place_id) if story.place_id else None
    return replace(_told(story, place), changed=True)


async def _follow(work: UnitOfWork, turn: Turn, story: Story) -> None:
    retold_in = await work.stories.retold_in(story.id, story.movement_id)
    for one in follow(story, retold_in, occasion=turn.intent.key, now=turn.now):
        await work.deliveries.add(one)


async def _own(work: UnitOfWork, turn: Turn) -> Story:
    """One's own story, told through the form: what was told in a thread changes with its message."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None or not story.is_told or story.message is not None:
        raise Refused("not_found")
    return story


async def _filled(work: UnitOfWork, turn: Turn, movement: MovementId) -> Filled:
    filled = read(StoryForm, turn.intent.args)
    if not tells_something(filled.text("text")):
        raise Invalid({"text": "no_words"})
    about = filled.text("initiative")
    if about and await work.initiatives.get(InitiativeId(about), movement) is None:
        raise Invalid({"initiative": "unknown_choice"})
    return filled


async def _form(
    work: UnitOfWork,
    teller: PersonId,
    movement: MovementId,
    *,
    place: Place | None,
    values: dict[str, Value],
    hidden: dict[str, str] | None = None,
) -> StoryForm:
    current, length = values["initiative"], len(values["text"])
    known = await work.initiatives.of_movement(movement, closed=True)
    mine = {one.id for one in await work.initiatives.of_person(teller, movement)}
    initiatives = [one for one in known if one.closed_at is None or one.id == current]
    initiatives = sorted(initiatives, key=lambda one: (one.id != current, one.id not in mine))[:MOST_OPTIONS]
    return StoryForm(
        place=_name(place),
        too_long=length if length > LONGEST_STORY else 0,
        values={**values, "initiative": current if any(one.id == current for one in initiatives) else ""},
        options={"initiative": tuple(Pick(value=one.id, label=one.name) for one in initiatives)},
        hidden=hidden or {},
    )


def _told(story: Story, place: Place | None) -> StoryTold:
    return StoryTold(story=story.id, place=_name(place), named=story.named, readers=story.readers)


def _here(turn: Turn, movement: Movement) -> Place | None:
    """The place of the movement this is told in; None in a personal chat or a channel outside it."""
    return turn.place if turn.place is not None and turn.place.movement_id == movement.id else None


def _name(place: Place | None) -> str:
    return "" if place is None else place.name or place.channel

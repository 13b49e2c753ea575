"""Tell a micro-story in one's own words, under one's name or not; change it, or take it back."""

from dataclasses import replace

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.stories import (
    StoryForm,
    StoryPosted,
    StoryTold,
    StoryTooLong,
    StoryWithdrawn,
)
from bot.catalogue.stuck import MAX_FIELD_CHARS
from bot.chat import Value
from bot.domain.delivery import to_place
from bot.domain.ids import new_id
from bot.domain.initiative import InitiativeId
from bot.domain.movement import Movement, MovementId, Place, PlaceState
from bot.domain.next_step import StepId
from bot.domain.person import PersonId
from bot.domain.retelling import POSTED, StoryStanding, find_out_of_reach, plan_changes, standing_of
from bot.domain.story import (
    MAX_STORY_CHARS,
    Dimension,
    Readers,
    Retelling,
    Story,
    StoryId,
    has_words,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/story` (the form, prefilled from a step or the text given) and `/story <text>`, which is told at once.

    What is told at once is for the movement to read, and under one's name or not as the last time.
    """
    movement = turn.require_movement()
    text, initiative = turn.text("text"), turn.text("initiative")
    prefill = turn.text("prefill")
    if turn.text("step"):
        step = await work.steps.get(StepId(turn.text("step")), movement.id)
        if step is None or step.person_id != turn.person.id:
            raise Refused("not_found")
        prefill, initiative = prefill or step.outcome, initiative or step.initiative_id or ""
    elif text and len(text) <= MAX_STORY_CHARS and has_words(text):
        return await _tell(work, turn, movement, text)
    else:
        prefill = prefill or text
    if len(prefill) > MAX_FIELD_CHARS:
        return StoryTooLong(text=prefill, most=MAX_STORY_CHARS)
    return await _form(
        work,
        turn.person.id,
        movement.id,
        place=_place_of(turn, movement),
        values={
            "text": prefill,
            "initiative": initiative,
            "named": "with" if turn.person.story_named else "without",
            "readers": Readers.MOVEMENT.value,
        },
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep what was filled in: a new story, or (with `story`) a change of one's own."""
    if turn.text("story"):
        return await _change(work, turn)
    movement = turn.require_movement()
    filled = await _parse_form(work, turn, movement.id)
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
    """Return the form, filled with one's own story."""
    story = await _load_own_story(work, turn)
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
    """Take one's own story back, everywhere it went. Pressed again, it says the same."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None or story.message is not None:
        raise Refused("not_found")
    retold_in = await work.stories.retold_in(story.id, story.movement_id)
    places = await work.movements.places(story.movement_id)
    labels = await work.movements.labels(story.movement_id, turn.person.workspace_id)
    out_of_reach = find_out_of_reach(retold_in, places, labels)
    if story.is_told:
        story.withdraw(turn.now)
        await _update_retellings(work, turn, story)
    return InPlace(entry=StoryWithdrawn(out_of_reach=out_of_reach))


async def compose_story(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the post of a story in the place it was told in. Raises `Unwanted` when it was taken back."""
    movement = outgoing.require_movement()
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
        travels=story.may_travel,
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
    place = _place_of(turn, movement)
    story = Story(
        id=StoryId(new_id()),
        movement_id=movement.id,
        place_id=place.id if place else None,
        thread=turn.intent.typed_in if place else None,
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
    return _confirm(story, place, StoryStanding.HELD if _is_out_of_reach(place) else StoryStanding.COMING)


async def _change(work: UnitOfWork, turn: Turn) -> Entry:
    story = await _load_own_story(work, turn)
    filled = await _parse_form(work, turn, story.movement_id)
    story.text, story.readers = filled.text("text"), Readers(filled.text("readers"))
    story.named = turn.person.story_named = filled.text("named") == "with"
    story.initiative_id = InitiativeId(filled.text("initiative")) if filled.text("initiative") else None
    story.dimension = Dimension(filled.text("dimension")) if filled.text("dimension") else None
    await _update_retellings(work, turn, story)
    place = await work.movements.place(story.place_id) if story.place_id else None
    post = await work.deliveries.by_key(f"{POSTED}:{story.id}")
    standing = standing_of(post, place) if place is not None else StoryStanding.COMING
    return replace(_confirm(story, place, standing), changed=True)


async def _update_retellings(work: UnitOfWork, turn: Turn, story: Story) -> None:
    """Plan the changes to every message of ours that holds the story."""
    retold_in = await work.stories.retold_in(story.id, story.movement_id)
    for one in plan_changes(story, retold_in, occasion=turn.intent.key, now=turn.now):
        await work.deliveries.add(one)


async def _load_own_story(work: UnitOfWork, turn: Turn) -> Story:
    """Return one's own story that was told through the form. Raises `Refused` for any other.

    One told in a thread changes with its message (see `threads.handle_edit`).
    """
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None or not story.is_told or story.message is not None:
        raise Refused("not_found")
    return story


async def _parse_form(work: UnitOfWork, turn: Turn, movement: MovementId) -> Filled:
    filled = read_form(StoryForm, turn.intent.args)
    if not has_words(filled.text("text")):
        filled.problems.add("text", "no_words")
    about = filled.text("initiative")
    if about and await work.initiatives.get(InitiativeId(about), movement) is None:
        filled.problems.add("initiative", "unknown_choice")
    filled.problems.raise_if_any()
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
    initiatives = sorted(initiatives, key=lambda one: (one.id != current, one.id not in mine))[:MAX_FORM_OPTIONS]
    return StoryForm(
        place=_name(place),
        too_long=length if length > MAX_STORY_CHARS else 0,
        values={**values, "initiative": current if any(one.id == current for one in initiatives) else ""},
        options={"initiative": tuple(Pick(value=one.id, label=one.name) for one in initiatives)},
        hidden=hidden or {},
    )


def _confirm(story: Story, place: Place | None, standing: StoryStanding) -> StoryTold:
    return StoryTold(story=story.id, place=_name(place), named=story.named, readers=story.readers, standing=standing)


def _is_out_of_reach(place: Place | None) -> bool:
    return place is not None and place.state is PlaceState.UNREACHABLE


def _place_of(turn: Turn, movement: Movement) -> Place | None:
    """Return the place of the movement this is told in; None in a personal chat or a channel outside it."""
    return turn.place if turn.place is not None and turn.place.movement_id == movement.id else None


def _name(place: Place | None) -> str:
    return "" if place is None else place.name or place.channel

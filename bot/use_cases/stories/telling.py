"""Tell a micro-story in one's own words, under one's name or not; change it, or take it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import webhooks
from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.stories import (
    NOWHERE,
    StoryForm,
    StoryPosted,
    StoryTold,
    StoryTooLong,
    StoryWithdrawn,
)
from bot.catalogue.stuck import MAX_FIELD_CHARS
from bot.domain.delivery import Delivery, to_place
from bot.domain.ids import new_id
from bot.domain.initiative import Audience, InitiativeId
from bot.domain.movement import Movement, MovementId, Place, PlaceId, PlaceState
from bot.domain.person import PersonId
from bot.domain.retelling import POSTED, StoryStanding, find_out_of_reach, plan_changes, standing_of
from bot.domain.story import (
    MAX_STORY_CHARS,
    NO_PART,
    Dimension,
    Readers,
    Retelling,
    Story,
    StoryId,
    has_words,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.understanding.likeness import find_alike
from bot.wording import shorten

MAX_PART_CHARS, MAX_SHOWN_CHARS = 60, 200
"""Characters of a part of the purpose in a choice, and in what is said to the teller."""


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/story` (the form, prefilled from a step or the text given) and `/story <text>`, which is told at once.

    What is told at once is for the movement to read, and under one's name or not as the last time.
    """
    movement, origin = turn.require_movement(), await _load_origin(work, turn)
    text, prefill = turn.text("text"), turn.text("prefill") or origin.text
    if not origin.is_known and text and len(text) <= MAX_STORY_CHARS and has_words(text):
        return await _tell(work, turn, movement, text, _place_of(turn, movement))
    prefill = prefill or text
    if len(prefill) > MAX_FIELD_CHARS:
        return StoryTooLong(text=prefill, most=MAX_STORY_CHARS)
    where = await _offer_places(work, turn, movement, origin)
    return await _form(
        work,
        turn.person.id,
        movement.id,
        place=_place_of(turn, movement) if not where else None,
        where=where,
        values={
            "text": prefill,
            "where": where[0].value if where else "",
            "initiative": origin.initiative,
            "part": "",
            "named": "with" if turn.person.story_named else "without",
            "readers": Readers.MOVEMENT.value,
        },
    )


@dataclass(frozen=True)
class _Origin:
    """The source of a story: a step, a stuck episode, an initiative, or (not `is_known`) nothing that we know.

    `text` is what was told of it before; `places` are those it belongs to, the first one first.
    """

    is_known: bool
    text: str = ""
    initiative: str = ""
    places: tuple[PlaceId, ...] = ()


async def _load_origin(work: UnitOfWork, turn: Turn) -> _Origin:
    """Return what the actor's story comes from. Raises `Refused` for another's step or episode."""
    movement, text, initiative = turn.require_movement().id, "", turn.text("initiative")
    episode_id = turn.text("episode")
    if turn.text("step"):
        step = await work.steps.own(turn.text("step"), turn.person.id, movement)
        if step is None:
            raise Refused("not_found")
        text, initiative, episode_id = step.outcome, initiative or step.initiative_id or "", step.episode_id or ""
    episode, about = await work.together(
        work.stuck.own(episode_id, turn.person.id, movement), work.initiatives.get(InitiativeId(initiative), movement)
    )
    if turn.text("episode") and episode is None:
        raise Refused("not_found")
    # Where they told nobody else that they were stuck is no place that the story comes from.
    told_in = episode.place_id if episode is not None and episode.audience is Audience.CHANNEL else None
    places = [one for one in (about.place_id if about is not None else None, told_in) if one is not None]
    is_known = bool(turn.text("step") or episode_id or initiative)
    return _Origin(is_known, text, initiative, tuple(places))


async def _offer_places(work: UnitOfWork, turn: Turn, movement: Movement, origin: _Origin) -> tuple[Pick, ...]:
    """Return where a story can stand, for the teller to choose; nothing where that goes without saying: what is told in
    a channel, out of the blue, stands there.

    What it comes from says which place is proposed, the first one; else it is nowhere.
    """
    here = _place_of(turn, movement)
    if here is not None and not origin.is_known:
        return ()
    labels, places = await work.together(
        work.movements.labels(movement.id, turn.person.workspace_id), work.movements.places(movement.id)
    )
    alive = [one.id for one in places if one.state is PlaceState.ALIVE]
    wanted = dict.fromkeys([*origin.places, *([here.id] if here is not None else []), *alive])
    picks = [Pick(value=one, label=labels[one]) for one in wanted if one in alive][: MAX_FORM_OPTIONS - 1]
    if not picks:
        return ()
    nowhere = Pick(value=NOWHERE)
    return (*picks, nowhere) if origin.is_known else (nowhere, *picks)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep what was filled in: a new story, or (with `story`) a change of one's own."""
    if turn.text("story"):
        return await _change(work, turn)
    movement = turn.require_movement()
    filled = await _parse_form(work, turn, movement.id)
    turn.person.story_named = filled.text("named") == "with"
    where = filled.text("where")
    if where:
        place = await work.movements.place(PlaceId(where)) if where != NOWHERE else None
    else:
        place = _place_of(turn, movement)
    return await _tell(
        work,
        turn,
        movement,
        filled.text("text"),
        place,
        part=filled.text("part"),
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
            "part": story.part,
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
    retold_in, places, labels = await work.together(
        work.stories.retold_in(story.id, story.movement_id),
        work.movements.places(story.movement_id),
        work.movements.labels(story.movement_id, turn.person.workspace_id),
    )
    out_of_reach = find_out_of_reach(retold_in, places, labels)
    if story.is_told:
        story.withdraw(turn.now)
        await work.stories.remove_choices_of(story)
        await _update_retellings(work, turn, story, retold_in)
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
    place: Place | None,
    *,
    part: str = "",
    readers: Readers = Readers.MOVEMENT,
    initiative: InitiativeId | None = None,
    dimension: Dimension | None = None,
) -> Entry:
    # The thread they are in is of the channel they are in.
    is_here = place is not None and place is turn.place
    story = Story(
        id=StoryId(new_id()),
        movement_id=movement.id,
        place_id=place.id if place else None,
        thread=turn.intent.typed_in if is_here else None,
        teller_id=turn.person.id,
        text=text,
        named=turn.person.story_named,
        readers=readers,
        initiative_id=initiative,
        dimension=dimension,
        part=part,
        told_at=turn.now,
    )
    work.stories.add(story)
    await webhooks.announce_story(work, story, turn.now)
    if place is not None:
        post = to_place(
            place,
            POSTED,
            key=f"{POSTED}:{story.id}",
            now=turn.now,
            subject=story.id,
            thread=turn.intent.thread if is_here else None,
        )
        await work.deliveries.add(post)
        work.stories.add(Retelling(story_id=story.id, delivery_id=post.id, movement_id=movement.id))
    return await _confirm(
        work, turn, story, place, StoryStanding.HELD if _is_out_of_reach(place) else StoryStanding.COMING
    )


async def _change(work: UnitOfWork, turn: Turn) -> Entry:
    story = await _load_own_story(work, turn)
    filled = await _parse_form(work, turn, story.movement_id)
    story.text, story.readers = filled.text("text"), Readers(filled.text("readers"))
    story.named = turn.person.story_named = filled.text("named") == "with"
    before = story.initiative_id, story.dimension
    story.initiative_id = InitiativeId(filled.text("initiative")) if filled.text("initiative") else None
    story.dimension = Dimension(filled.text("dimension")) if filled.text("dimension") else None
    if (story.initiative_id, story.dimension) != before:
        work.stories.regrouped.append(story)
    story.part = filled.text("part") or story.part
    await webhooks.announce_story(work, story, turn.now)
    await _update_retellings(work, turn, story, await work.stories.retold_in(story.id, story.movement_id))
    place = await work.movements.place(story.place_id) if story.place_id else None
    post = await work.deliveries.by_key(f"{POSTED}:{story.id}")
    standing = standing_of(post, place) if place is not None else StoryStanding.COMING
    return replace(await _confirm(work, turn, story, place, standing), changed=True)


async def _update_retellings(work: UnitOfWork, turn: Turn, story: Story, retold_in: Sequence[Delivery]) -> None:
    """Plan the changes to every message of ours that holds the story."""
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
    where = filled.text("where")
    if where and where not in {NOWHERE, *(one.id for one in await work.movements.places(movement))}:
        filled.problems.add("where", "unknown_choice")
    part = filled.text("part")
    if part and part not in {NO_PART, *await _load_parts(work, movement)}:
        filled.problems.add("part", "unknown_choice")
    filled.problems.raise_if_any()
    return filled


async def _load_parts(work: UnitOfWork, movement: MovementId) -> dict[str, str]:
    """Return the parts of the movement's purpose, key → text."""
    purpose = await work.movements.purpose(movement)
    return dict(purpose.parts()) if purpose is not None else {}


async def _form(
    work: UnitOfWork,
    teller: PersonId,
    movement: MovementId,
    *,
    place: Place | None,
    values: dict[str, str],
    where: tuple[Pick, ...] = (),
    hidden: dict[str, str] | None = None,
) -> StoryForm:
    current, length = values["initiative"], len(values["text"])
    parts, known, own = await work.together(
        _load_parts(work, movement),
        work.initiatives.of_movement(movement, closed=True),
        work.initiatives.of_person(teller, movement),
    )
    known_part = values["part"] if values["part"] in {NO_PART, *parts} else ""
    shown = known_part or next(iter(find_alike(values["text"], parts, most=1)), "")
    picks = [Pick(value=key, label=shorten(text, MAX_PART_CHARS)) for key, text in parts.items()]
    mine = {one.id for one in own}
    initiatives = [one for one in known if one.closed_at is None or one.id == current]
    initiatives = sorted(initiatives, key=lambda one: (one.id != current, one.id not in mine))[:MAX_FORM_OPTIONS]
    return StoryForm(
        place=_name(place),
        too_long=length if length > MAX_STORY_CHARS else 0,
        values={
            **values,
            "initiative": current if any(one.id == current for one in initiatives) else "",
            "part": shown,
        },
        options={
            "where": where,
            "initiative": tuple(Pick(value=one.id, label=one.name) for one in initiatives),
            "part": (*picks[: MAX_FORM_OPTIONS - 1], Pick(value=NO_PART)) if picks else (),
        },
        hidden=hidden or {},
    )


async def _confirm(
    work: UnitOfWork, turn: Turn, story: Story, place: Place | None, standing: StoryStanding
) -> StoryTold:
    # One that stays where it was told comes with no reminder.
    parts = await _load_parts(work, story.movement_id) if story.part and story.may_travel else {}
    labels = await work.movements.labels(story.movement_id, turn.person.workspace_id) if place is not None else {}
    return StoryTold(
        story=story.id,
        place=labels.get(place.id, _name(place)) if place is not None else "",
        named=story.named,
        readers=story.readers,
        standing=standing,
        shows=shorten(parts.get(story.part, ""), MAX_SHOWN_CHARS),
        asks=story.ask_meaning(turn.movement.meaning) if turn.movement is not None else "",
    )


def _is_out_of_reach(place: Place | None) -> bool:
    return place is not None and place.state is PlaceState.UNREACHABLE


def _place_of(turn: Turn, movement: Movement) -> Place | None:
    """Return the place of the movement this is told in; None in a personal chat or a channel outside it."""
    return turn.place if turn.place is not None and turn.place.movement_id == movement.id else None


def _name(place: Place | None) -> str:
    return "" if place is None else place.name or place.channel

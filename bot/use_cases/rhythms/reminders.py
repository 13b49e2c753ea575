"""Compose the messages of recurring moments, and ask coordinators about the pace when nobody answers them."""

from datetime import datetime, timedelta

from bot.catalogue.base import Entry
from bot.catalogue.rhythms import CheckIn, MomentDropped, PaceAsked, PurposeReminder, StoryRound
from bot.domain.delivery import Act, Delivery, Priority, to_person
from bot.domain.movement import PartSaid, Place, PlaceId, Purpose
from bot.domain.practice import behaviour_mark, tell_how_many
from bot.domain.rhythm import UNANSWERED_BEFORE_ASKING, Rhythm, RhythmId
from bot.domain.story import NO_PART, Retelling, Story, StoryId
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork
from bot.understanding.likeness import find_alike

STORY_IS_RECENT = timedelta(days=30)
"""How old a story in a purpose reminder may be."""
STORIES_COMPARED = 50
"""Stories of which nobody said what they show, the newest, whose words are compared with the purpose."""
QUESTIONS = 8
"""Questions that `rhythms/questions.md.j2` has, numbered from 1."""


async def compose_purpose(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose a purpose reminder: the part of the purpose whose turn it is, with a story that shows it if there is one.

    Part and story are chosen once and stored with the delivery: composed again (after an edit), it tells the same.
    """
    movement, delivery, place = outgoing.require_movement(), outgoing.delivery, _require_place(outgoing)
    if "part" not in delivery.args:
        rhythm = await _load_rhythm(work, outgoing)
        if await work.holdouts.leaves_out(place.id, movement.id, outgoing.now):
            raise Unwanted("left_out")
        purpose = await work.movements.purpose(movement.id)
        if purpose is None or not purpose.parts():
            raise Unwanted("no_purpose")
        key, text = purpose.next_part(await work.movements.said_parts(place.id))
        story = await _find_story(work, purpose, key, outgoing.now - STORY_IS_RECENT, place.id)
        shown = story.id if story is not None else ""
        delivery.add_args(part=key, text=text, number=outgoing.next_number(), story=shown)
        if key.startswith("behaviour:"):
            mark = behaviour_mark(text)
            told = tell_how_many(*(await work.movements.count_practices(movement.id)).get(mark, (0, 0)))
            delivery.add_args(behaviour=mark, people=told.people, places=told.places)
        work.movements.add(PartSaid(place_id=place.id, movement_id=movement.id, part=key, said_at=outgoing.now))
        if story is not None:
            work.stories.add(Retelling(story_id=story.id, delivery_id=delivery.id, movement_id=movement.id))
        await _count_reminder(work, outgoing, rhythm)
    args = delivery.args
    number = int(str(args["number"]))
    story = await _load_story(work, outgoing, str(args["story"]))
    return PurposeReminder(
        text=str(args["text"]),
        # One further in every round of questions, so that a question does not always meet the same `variant`.
        question=(number + number // QUESTIONS) % QUESTIONS + 1,
        variant=number,
        story=story.text if story is not None else "",
        story_id=story.id if story is not None else "",
        teller=story.credit(await work.people.get(story.teller_id, movement.id), delivery.workspace_id)
        if story is not None
        else "",
        behaviour=str(args.get("behaviour", "")),
        people=int(str(args.get("people", 0))),
        places=int(str(args.get("places", 0))),
    )


async def _find_story(work: UnitOfWork, purpose: Purpose, part: str, since: datetime, place: PlaceId) -> Story | None:
    """Return a story that shows a part of the purpose: because its teller or its thread says so, else by its words. Of
    those, one from another place goes first, then the newest."""
    said = await work.stories.showing(purpose.movement_id, part, since, place)
    if said is not None:
        return said
    parts = dict(purpose.parts())
    others = await work.stories.related_to_none(purpose.movement_id, [*parts, NO_PART], since, place, STORIES_COMPARED)
    for story in sorted(others, key=lambda one: one.place_id == place):
        if find_alike(story.text, parts, most=1) == [part]:
            return story
    return None


async def _load_story(work: UnitOfWork, outgoing: Outgoing, story: str) -> Story | None:
    found = await work.stories.get(StoryId(story), outgoing.require_movement().id) if story else None
    return found if found is not None and found.may_travel else None


async def compose_stories(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the invitation to a story round."""
    return StoryRound(variant=await _choose_number(work, outgoing))


async def compose_check_in(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose a check-in."""
    return CheckIn(variant=await _choose_number(work, outgoing))


async def _choose_number(work: UnitOfWork, outgoing: Outgoing) -> int:
    """Return how many of this kind went before in this place; stored at the first try, so that a retry is the same."""
    delivery = outgoing.delivery
    if "number" not in delivery.args:
        rhythm = await _load_rhythm(work, outgoing)
        delivery.add_args(number=outgoing.next_number())
        await _count_reminder(work, outgoing, rhythm)
    return int(str(delivery.args["number"]))


async def _load_rhythm(work: UnitOfWork, outgoing: Outgoing) -> Rhythm:
    rhythm = await work.rhythms.get(RhythmId(outgoing.delivery.subject), outgoing.require_movement().id)
    if rhythm is None or rhythm.ended_at is not None:
        raise Unwanted("rhythm_ended")
    return rhythm


def _require_place(outgoing: Outgoing) -> Place:
    if outgoing.place is None:
        raise Unwanted("place_gone")
    return outgoing.place


async def _count_reminder(work: UnitOfWork, outgoing: Outgoing, rhythm: Rhythm) -> None:
    """Count a reminder as unanswered. When the three before it were, ask the coordinators about the pace, once until
    someone answers again."""
    if outgoing.delivery.act is not Act.POST:
        return  # an edit of a reminder is not another one
    if rhythm.unanswered == 0 and rhythm.pace_asked_at is not None:  # setting None again would still write the row
        rhythm.pace_asked_at = None
    if rhythm.unanswered >= UNANSWERED_BEFORE_ASKING and rhythm.pace_asked_at is None:
        rhythm.pace_asked_at = outgoing.now
        await _tell_coordinators(work, rhythm, "pace_asked", outgoing.delivery)
    work.rhythms.increment_unanswered(rhythm)


async def _tell_coordinators(work: UnitOfWork, rhythm: Rhythm, kind: str, occasion: Delivery) -> None:
    """Plan a private message to each coordinator; `occasion` is the delivery it is about."""
    for coordinator in await work.people.coordinators(rhythm.movement_id):
        await work.deliveries.add(
            to_person(
                coordinator,
                kind,
                key=f"{kind}:{occasion.key}:{coordinator.id}",
                now=occasion.created_at,
                movement=rhythm.movement_id,
                subject=rhythm.id,
                priority=Priority.NEWS,
                args={**occasion.args, "at": occasion.due_at.isoformat()},
            )
        )


async def compose_pace_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question about the pace. Raises `Unwanted` when someone answered meanwhile."""
    rhythm = await _load_rhythm(work, outgoing)
    if rhythm.unanswered < UNANSWERED_BEFORE_ASKING:
        raise Unwanted("answered")
    return PaceAsked(
        rhythm=rhythm.id,
        place=await _place_name(work, rhythm),
        may_slow=rhythm.pattern.slower(outgoing.now.date()) is not None,
        rule=rhythm.rule,
        kind=rhythm.kind,
    )


async def compose_dropped_moment(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for a coordinator that a moment was missed."""
    rhythm = await _load_rhythm(work, outgoing)
    args = outgoing.delivery.args
    return MomentDropped(
        kind=rhythm.kind,
        place=await _place_name(work, rhythm),
        at=datetime.fromisoformat(str(args["at"])),
        unplannable=bool(args.get("unplannable")),
        more=int(str(args.get("more", 0))),
        next_at=rhythm.next_at,
        timezone=rhythm.timezone,
    )


async def _place_name(work: UnitOfWork, rhythm: Rhythm) -> str:
    place = await work.movements.place(rhythm.place_id)
    return (place.name or place.channel) if place is not None else ""

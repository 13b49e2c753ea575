"""What recurring moments say: the purpose, a story round, a check-in; and asking a coordinator about the pace."""

from datetime import datetime, timedelta

from bot.catalogue.base import Entry
from bot.catalogue.rhythms import CheckIn, MomentDropped, PaceAsked, PurposeReminder, StoryRound
from bot.domain.delivery import Act, Delivery, Priority, to_person
from bot.domain.movement import PartSaid, Place
from bot.domain.rhythm import UNANSWERED_BEFORE_ASKING, Pattern, Rhythm, RhythmId
from bot.domain.story import Retelling, Story, StoryId
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork

STORY_IS_RECENT = timedelta(days=30)
QUESTIONS = 8


async def compose_purpose(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """The part whose turn it is, with a story that shows it if there is one. Chosen once; worded again after edits."""
    movement, delivery, place = outgoing.the_movement(), outgoing.delivery, _place(outgoing)
    if "part" not in delivery.args:
        rhythm = await _rhythm(work, outgoing)
        purpose = await work.movements.purpose(movement.id)
        if purpose is None or not purpose.parts():
            raise Unwanted("no_purpose")
        key, text = purpose.next_part(await work.movements.parts_said(place.id))
        story = await work.stories.showing(movement.id, key, outgoing.now - STORY_IS_RECENT, place.id)
        shown = story.id if story is not None else ""
        delivery.note(part=key, text=text, number=outgoing.number(), story=shown)
        work.movements.add(PartSaid(place_id=place.id, movement_id=movement.id, part=key, said_at=outgoing.now))
        if story is not None:
            work.stories.add(Retelling(story_id=story.id, delivery_id=delivery.id, movement_id=movement.id))
        await _count(work, outgoing, rhythm)
    args = delivery.args
    number = int(str(args["number"]))
    story = await _travelling(work, outgoing, str(args["story"]))
    return PurposeReminder(
        text=str(args["text"]),
        question=(number + number // QUESTIONS) % QUESTIONS + 1,
        variant=number,
        story=story.text if story is not None else "",
        story_id=story.id if story is not None else "",
        teller=story.credit(await work.people.get(story.teller_id, movement.id), delivery.workspace_id)
        if story is not None
        else "",
    )


async def _travelling(work: UnitOfWork, outgoing: Outgoing, story: str) -> Story | None:
    found = await work.stories.get(StoryId(story), outgoing.the_movement().id) if story else None
    return found if found is not None and found.may_travel() else None


async def compose_stories(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    return StoryRound(variant=await _number(work, outgoing))


async def compose_check_in(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    return CheckIn(variant=await _number(work, outgoing))


async def _number(work: UnitOfWork, outgoing: Outgoing) -> int:
    """How many of this kind went before in this place; settled once, so that a second try says the same."""
    delivery = outgoing.delivery
    if "number" not in delivery.args:
        rhythm = await _rhythm(work, outgoing)
        delivery.note(number=outgoing.number())
        await _count(work, outgoing, rhythm)
    return int(str(delivery.args["number"]))


async def _rhythm(work: UnitOfWork, outgoing: Outgoing) -> Rhythm:
    rhythm = await work.rhythms.get(RhythmId(outgoing.delivery.subject), outgoing.the_movement().id)
    if rhythm is None or rhythm.ended_at is not None:
        raise Unwanted("rhythm_ended")
    return rhythm


def _place(outgoing: Outgoing) -> Place:
    if outgoing.place is None:
        raise Unwanted("place_gone")
    return outgoing.place


async def _count(work: UnitOfWork, outgoing: Outgoing, rhythm: Rhythm) -> None:
    """One more without an answer, until someone answers. After three, the coordinators are asked, once."""
    if outgoing.delivery.act is not Act.POST:
        return
    if rhythm.unanswered == 0 and rhythm.pace_asked_at is not None:  # what changes nothing would be written, too
        rhythm.pace_asked_at = None
    if rhythm.unanswered >= UNANSWERED_BEFORE_ASKING and rhythm.pace_asked_at is None:
        rhythm.pace_asked_at = outgoing.now
        await _tell_coordinators(work, rhythm, "pace_asked", outgoing.delivery)
    work.rhythms.increment_unanswered(rhythm)


async def _tell_coordinators(work: UnitOfWork, rhythm: Rhythm, kind: str, occasion: Delivery) -> None:
    """Privately, each of them; `occasion` is the delivery it is about."""
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


async def compose_pace_asked(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    rhythm = await _rhythm(work, outgoing)
    if rhythm.unanswered < UNANSWERED_BEFORE_ASKING:
        raise Unwanted("answered")
    return PaceAsked(
        rhythm=rhythm.id,
        place=await _name(work, rhythm),
        may_slow=Pattern.of(rhythm.rule).slower() is not None,
    )


async def compose_moment_dropped(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    rhythm = await _rhythm(work, outgoing)
    args = outgoing.delivery.args
    return MomentDropped(
        kind=rhythm.kind,
        place=await _name(work, rhythm),
        at=datetime.fromisoformat(str(args["at"])),
        more=int(str(args.get("more", 0))),
    )


async def _name(work: UnitOfWork, rhythm: Rhythm) -> str:
    place = await work.movements.place(rhythm.place_id)
    return (place.name or place.channel) if place is not None else ""

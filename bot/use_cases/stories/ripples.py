"""Count "I do this too" for a story, by a button or a reaction, in whichever message it is read."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import IntroductionOffered
from bot.catalogue.stories import RippleNoted, RippleTaken, StoryRippled
from bot.domain.connectors import (
    ANSWER_KINDS,
    Invitation,
    InvitationId,
    invitation_key,
    plan_invitation,
    plan_quiet_news,
    plan_withdrawal,
)
from bot.domain.delivery import Priority, to_home, to_person
from bot.domain.ids import new_id
from bot.domain.person import Person
from bot.domain.retelling import SINGLE_STORY_KINDS
from bot.domain.story import STORY_NEWS_TTL, Ripple, Story, StoryId, should_announce_ripple
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def press(work: UnitOfWork, turn: Turn) -> Entry:
    """Add the actor's ripple by the button. Pressing again changes nothing."""
    story = await _load_readable(work, turn)
    if story.teller_id == turn.person.id:
        raise Refused("own_story")
    ripple = await _get_or_add(work, turn, story)
    ripple.pressed = True
    teller = await _find_teller(work, turn, story)
    offered = await work.connecting.introduction(story.id, turn.person.id, story.movement_id)
    return RippleNoted(
        story=story.id,
        teller=story.credit(teller, turn.person.workspace_id),
        may_tell=teller is not None and offered is None,
        told=offered is not None,
    )


async def offer_introduction(work: UnitOfWork, turn: Turn) -> Entry:
    """Let the teller of a story read who does this too, and ask them whether they want to meet: once. Raises `Refused`
    for one who does not do it, and when the teller cannot be asked now."""
    movement = turn.require_movement()
    story = await _load_readable(work, turn)
    teller, ripple, before = await work.together(
        _find_teller(work, turn, story),
        work.stories.ripple(story.id, turn.person.id),
        work.connecting.introduction(story.id, turn.person.id, movement.id),
    )
    if teller is None or ripple is None:
        raise Refused("not_found")
    name = story.credit(teller, turn.person.workspace_id)
    if before is not None:
        return IntroductionOffered(name=name, invitation=before.id)
    if not teller.can_be_suggested(turn.now):
        raise Refused("teller_cannot_be_asked")
    invitation = Invitation(
        id=InvitationId(new_id()),
        movement_id=movement.id,
        initiative_id=None,
        inviter_id=turn.person.id,
        invitee_id=teller.id,
        text="",
        story_id=story.id,
        place_id=turn.place.id if turn.place else None,
        sent_at=turn.now,
    )
    if not await work.deliveries.add_ask(plan_invitation(invitation, teller, turn.now, number=0), turn.now):
        raise Refused("teller_cannot_be_asked")
    work.connecting.add(invitation)
    await work.deliveries.add(plan_quiet_news(invitation, turn.person, turn.now, number=0))
    return IntroductionOffered(name=name, invitation=invitation.id, told=turn.person.will_read(turn.now))


async def _find_teller(work: UnitOfWork, turn: Turn, story: Story) -> Person | None:
    """Return who told a story, if they and the actor may read each other's names; None for the actor themselves."""
    teller = await work.people.get(story.teller_id, story.movement_id)
    if teller is None or teller.account is None or teller.deactivated_at is not None or teller.id == turn.person.id:
        return None
    reads = teller.may_be_named_in(turn.person.workspace_id) and turn.person.may_be_named_in(teller.workspace_id)
    return teller if reads and turn.person.name else None


async def undo(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take the actor's ripple back, whether it came by the button or by reactions."""
    movement = turn.require_movement()
    story = await work.stories.get(StoryId(turn.text("story")), movement.id)
    ripple = await work.stories.ripple(story.id, turn.person.id) if story else None
    if ripple is not None:
        await _delete(work, turn, ripple)
    return InPlace(entry=RippleTaken())


async def handle_reaction(work: UnitOfWork, turn: Turn) -> None:
    """Add a ripple for any reaction of another person to a story, or to a message of ours that holds one story."""
    story = await _story_in_message(work, turn)
    if story is None or not story.is_told or story.teller_id == turn.person.id:
        return
    ripple = await _get_or_add(work, turn, story)
    if _reaction_key(turn) not in ripple.reactions:
        ripple.reactions.append(_reaction_key(turn))


async def handle_reaction_removal(work: UnitOfWork, turn: Turn) -> None:
    """Remove a reaction; delete its ripple when no other reaction and no button press carries it."""
    story = await _story_in_message(work, turn)
    ripple = await work.stories.ripple(story.id, turn.person.id) if story else None
    if ripple is None or _reaction_key(turn) not in ripple.reactions:
        return
    ripple.reactions.remove(_reaction_key(turn))
    if not ripple.lasts:
        await _delete(work, turn, ripple)


async def compose_ripple(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for a teller how many do this too, counted now. Raises `Unwanted` when nobody does any more."""
    movement = outgoing.require_movement()
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    if story is None or not story.is_told:
        raise Unwanted("withdrawn")
    count = await work.stories.ripples(story.id, movement.id)
    if not count:
        raise Unwanted("no_ripples")
    return StoryRippled(text=story.text, count=count)


async def _delete(work: UnitOfWork, turn: Turn, ripple: Ripple) -> None:
    """Delete a ripple, and take back the offer to be introduced that was not answered yet."""
    await work.delete(ripple)
    offer = await work.connecting.introduction(ripple.story_id, ripple.person_id, ripple.movement_id)
    if offer is None or not offer.awaits_answer:
        return
    sent = await work.together(*(work.deliveries.by_key(invitation_key(offer.id, number)) for number in (0, 1)))
    offer.take_back()
    kinds = ("invitation", *ANSWER_KINDS)
    await work.together(*(work.deliveries.cancel(kind, offer.id, "taken_back") for kind in kinds))
    for change in plan_withdrawal([one for one in sent if one is not None], turn.now):
        await work.deliveries.add(change)


async def _get_or_add(work: UnitOfWork, turn: Turn, story: Story) -> Ripple:
    """Return the one ripple of this person and story; for a new one, also tell the teller."""
    ripple = await work.stories.ripple(story.id, turn.person.id)
    if ripple is not None:
        return ripple
    place = turn.place.id if turn.place else None
    ripple = Ripple(
        story_id=story.id, movement_id=story.movement_id, person_id=turn.person.id, place_id=place, at=turn.now
    )
    work.stories.add(ripple)
    # Before the count in `_notify_teller`, which is a query.
    await work.flush()
    await _notify_teller(work, turn, story)
    return ripple


async def _notify_teller(work: UnitOfWork, turn: Turn, story: Story) -> None:
    """Refresh the teller's home page, and tell them of the first ripple and of every fifth."""
    count, teller = await work.together(
        work.stories.ripples(story.id, story.movement_id), work.people.get(story.teller_id, story.movement_id)
    )
    if teller is None or teller.account is None:
        return
    if teller.has_home:
        key = f"ripple:{story.id}:{turn.person.id}:{turn.now.timestamp()}"
        await work.deliveries.add(to_home(teller, key=key, now=turn.now, movement=story.movement_id))
    if not should_announce_ripple(count):
        return
    await work.deliveries.cancel("story_ripple", story.id, "newer")
    await work.deliveries.add(
        to_person(
            teller,
            "story_ripple",
            key=f"story_ripple:{story.id}:{count}",
            now=turn.now,
            movement=story.movement_id,
            subject=story.id,
            priority=Priority.NEWS,
            expires_at=turn.now + STORY_NEWS_TTL,
        )
    )


async def _load_readable(work: UnitOfWork, turn: Turn) -> Story:
    """Return the story an intent is about. Raises `Refused` when it may not be read where the actor is."""
    story = await work.stories.get(StoryId(turn.text("story")), turn.require_movement().id)
    if story is None or not story.is_readable(turn.place.id if turn.place else None):
        raise Refused("not_found")
    return story


async def _story_in_message(work: UnitOfWork, turn: Turn) -> Story | None:
    """Return the story of the message reacted to: told in it, or the one story our message there holds."""
    place, message = turn.place, turn.intent.message
    if place is None or place.movement_id is None or not message:
        return None
    told = await work.stories.by_message(place.id, message)
    if told is not None:
        return told
    post = await work.deliveries.by_receipt(place.id, message)
    if post is None or post.kind not in SINGLE_STORY_KINDS:
        return None
    return await work.stories.get(StoryId(post.subject), place.movement_id)


def _reaction_key(turn: Turn) -> str:
    """Return how a ripple remembers a reaction: "place:message:name"."""
    return f"{turn.place.id if turn.place else ''}:{turn.intent.message}:{turn.text('reaction')}"

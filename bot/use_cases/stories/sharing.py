"""Share a story in another place of the movement."""

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, Pick
from bot.catalogue.forms import read_form
from bot.catalogue.stories import ShareForm, StoryCarried, StoryShared, StoryTravelled
from bot.domain.delivery import Act, Priority, to_person, to_place
from bot.domain.movement import Place, PlaceId, PlaceState
from bot.domain.person import PersonId
from bot.domain.retelling import RECHECK_COMING, RECHECK_HELD, SHARED, StoryStanding, standing_of
from bot.domain.story import STORY_NEWS_TTL, Retelling, Story, StoryId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, RetryAfter, Turn, UnitOfWork


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form: where to, and a line of one's own. Raises `Refused` when there is no other place."""
    story = await _load_sharable(work, turn)
    places = await _load_free_places(work, story)
    if not places:
        raise Refused("no_other_place")
    labels = await work.movements.labels(story.movement_id, turn.person.workspace_id)
    picks = tuple(Pick(value=place.id, label=labels[place.id]) for place in places[:MAX_FORM_OPTIONS])
    nameless = not _sharer_name(story, turn.person.id, turn.person.name or turn.person.id)
    return ShareForm(options={"place": picks}, hidden={"story": story.id}, nameless=nameless)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Post a story in the place chosen; the first time it is shared, tell its teller."""
    story = await _load_sharable(work, turn)
    filled = read_form(ShareForm, turn.intent.args)
    free = {place.id: place for place in await _load_free_places(work, story)}
    place = free.get(PlaceId(filled.text("place")))
    if place is None:
        known = {one.id for one in await work.movements.places(story.movement_id)}
        filled.problems.add("place", "already_there" if filled.text("place") in known else "unknown_choice")
    if place is None or filled.problems:
        raise filled.problems.to_invalid()
    earlier = await work.deliveries.about(SHARED, story.id, story.movement_id)
    post = to_place(
        place,
        SHARED,
        key=f"{SHARED}:{story.id}:{place.id}:{len(earlier)}",
        now=turn.now,
        subject=story.id,
        args={"by": turn.person.id, "line": filled.text("line")},
    )
    await work.deliveries.add(post)
    work.stories.add(Retelling(story_id=story.id, delivery_id=post.id, movement_id=story.movement_id))
    told = await _notify_teller(work, turn, story, place)
    labels = await work.movements.labels(story.movement_id, turn.person.workspace_id)
    return StoryCarried(place=labels[place.id], told=told)


async def compose_shared_story(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose a story for another place, with where it came from. Raises `Unwanted` when it may not travel any more."""
    movement, args = outgoing.require_movement(), outgoing.delivery.args
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    if story is None or not story.may_travel:
        raise Unwanted("withdrawn")
    lane = outgoing.delivery.workspace_id
    labels = await work.movements.labels(movement.id, lane)
    by = await work.people.get(PersonId(str(args.get("by", ""))), movement.id)
    return StoryShared(
        story=story.id,
        text=story.text,
        teller=story.credit(await work.people.get(story.teller_id, movement.id), lane),
        origin=labels.get(story.place_id, "") if story.place_id else "",
        by=_sharer_name(story, by.id, by.name) if by is not None and by.account is not None else "",
        line=str(args.get("line", "")) if by is not None and by.account is not None else "",
    )


def _sharer_name(story: Story, by: PersonId, name: str) -> str:
    """Return the name of the one who shared it; empty when that would give away a teller who is not named."""
    return "" if by == story.teller_id and not story.named else name


async def compose_share_news(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for a teller where their story was shared, once it stands there.

    Raises `Unwanted` when it may not travel any more, or never arrived; `RetryAfter` while it is on its way.
    """
    movement = outgoing.require_movement()
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    place = await work.movements.place(PlaceId(str(outgoing.delivery.args["place"])))
    if story is None or not story.may_travel or place is None:
        raise Unwanted("withdrawn")
    posts = [one for one in await work.deliveries.about(SHARED, story.id, movement.id) if one.place_id == place.id]
    standings = {standing_of(post, place) for post in posts if post.act is Act.POST}
    if StoryStanding.STANDS not in standings:
        if not standings & {StoryStanding.COMING, StoryStanding.HELD}:
            raise Unwanted("never_sent")
        wait = RECHECK_COMING if StoryStanding.COMING in standings else RECHECK_HELD
        raise RetryAfter(outgoing.now + wait, reason="under_way")
    labels = await work.movements.labels(story.movement_id, outgoing.delivery.workspace_id)
    return StoryTravelled(text=story.text, place=labels.get(place.id, place.name))


async def _notify_teller(work: UnitOfWork, turn: Turn, story: Story, place: Place) -> bool:
    """Tell the teller, unless they shared it themselves. The key makes sure of once in the life of a story. Returns
    whether they hear of it."""
    teller = await work.people.get(story.teller_id, story.movement_id)
    if teller is None or teller.account is None or teller.id == turn.person.id:
        return False
    planned = await work.deliveries.add_new(
        to_person(
            teller,
            "story_travelled",
            key=f"story_travelled:{story.id}",
            now=turn.now,
            movement=story.movement_id,
            subject=story.id,
            priority=Priority.NEWS,
            expires_at=turn.now + STORY_NEWS_TTL,
            args={"place": place.id},
        )
    )
    return planned and teller.suppression_reason(turn.now) is None


async def _load_sharable(work: UnitOfWork, turn: Turn) -> Story:
    """Return the story an intent is about. Raises `Refused` for one that may not leave its thread."""
    story = await work.stories.get(StoryId(turn.text("story")), turn.require_movement().id)
    if story is None or not story.is_told:
        raise Refused("not_found")
    if not story.may_travel:
        raise Refused("story_stays")
    return story


async def _load_free_places(work: UnitOfWork, story: Story) -> list[Place]:
    """Return the reachable places of the movement, but for the story's own and those it was shared in already."""
    there = {one.place_id for one in await work.stories.retold_in(story.id, story.movement_id) if one.kind == SHARED}
    return [
        place
        for place in await work.movements.places(story.movement_id)
        if place.state is PlaceState.ALIVE and place.id != story.place_id and place.id not in there
    ]

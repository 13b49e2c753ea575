"""Choose the most significant of a few stories with the people of a place, and say why. Its teller reads the why,
and decides whether it stands anywhere. Nobody votes, and nobody is ranked."""

from datetime import datetime, timedelta

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.choices import (
    ChoiceBegun,
    ChoiceEnded,
    ChoiceForm,
    ChoiceNoted,
    ChoiceRound,
    ChoiceSettled,
    ChoiceTold,
    OfferedStory,
    WhyForm,
)
from bot.catalogue.forms import read_form
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.choosing import (
    CHOICE_ROUND,
    CHOICE_TOLD,
    LEAST_STORIES,
    ROUND_LASTS,
    Significance,
    SignificanceId,
    pick_stories,
)
from bot.domain.delivery import Act, Delivery, DeliveryId, DeliveryState, Priority, to_person, to_place
from bot.domain.ids import new_id
from bot.domain.initiative import InitiativeId
from bot.domain.movement import Movement, Place, PlaceId, PlaceState
from bot.domain.retelling import plan_changes
from bot.domain.story import STORY_NEWS_TTL, Retelling, Story, StoryId, has_words
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.whys import change_rounds

PERIODS_BACK = {"month": timedelta(days=31), "quarter": timedelta(days=92), "year": timedelta(days=366)}


async def begin(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form that begins a round. Raises `Refused` when there is no place where people could choose."""
    movement = turn.require_coordinator()
    places = await _list_places(work, turn, movement)
    if not places:
        raise Refused("no_place_reached")
    known = await work.initiatives.of_movement(movement.id, most=MAX_FORM_OPTIONS)
    return ChoiceForm(
        values={"places": tuple(one.id for one in places[:1]), "period": "quarter", "initiative": ""},
        options={
            "places": tuple(Pick(value=one.id, label=one.name or one.channel) for one in places[:MAX_FORM_OPTIONS]),
            "initiative": tuple(Pick(value=one.id, label=one.name) for one in known),
        },
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Begin a round: plan a post with a few stories in each place that was chosen."""
    movement = turn.require_coordinator()
    filled = read_form(ChoiceForm, turn.intent.args)
    places = [one for one in await _list_places(work, turn, movement) if one.id in filled.many("places")]
    if not places or len(places) < len(filled.many("places")):
        filled.problems.add("places", "unknown_choice")
    about = InitiativeId(filled.text("initiative")) if filled.text("initiative") else None
    if about is not None and await work.initiatives.get(about, movement.id) is None:
        filled.problems.add("initiative", "unknown_choice")
    since = turn.now - PERIODS_BACK.get(filled.text("period"), timedelta())
    told = await work.stories.told_in(movement.id, about)
    tellers = {one.id for one in await work.people.among({one.teller_id for one in told}, movement.id)}
    open_to_all = [
        (one.id, one.teller_id)
        for one in told
        if one.may_travel and one.told_at >= since and one.teller_id in tellers  # who can be asked
    ]
    if not filled.problems and len(open_to_all) < LEAST_STORIES:
        filled.problems.add("period", "too_few_stories")
    filled.problems.raise_if_any()
    occasion, until = new_id(), turn.now + ROUND_LASTS
    asked = []
    for place in places:
        picked = pick_stories(open_to_all, place.id, occasion)
        post = to_place(
            place,
            CHOICE_ROUND,
            key=f"{CHOICE_ROUND}:{place.id}:{turn.now.date().isoformat()}",
            now=turn.now,
            subject=occasion,
            priority=Priority.RHYTHM,
            expires_at=until,
            args={"stories": picked, "until": until.isoformat()},
        )
        if await work.deliveries.add_new(post):
            asked.append(place.name or place.channel)
            # So that an edit or a withdrawal reaches the post.
            for story in picked:
                work.stories.add(Retelling(story_id=story, delivery_id=post.id, movement_id=movement.id))
    if not asked:
        raise Refused("choice_asked")
    record_change(work, turn, CoordinatorAct.CHOICE_BEGUN)
    return ChoiceBegun(occasion=occasion, places=tuple(asked), until=until)


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """End a round: what waits is not posted, and nobody chooses any more."""
    movement = turn.require_coordinator()
    posts = await work.deliveries.about(CHOICE_ROUND, turn.text("occasion"), movement.id)
    if not posts:
        raise Refused("not_found")
    for post in posts:
        post.add_args(until=turn.now.isoformat())
        if post.state is DeliveryState.WAITING:
            post.drop("taken_back")
    record_change(work, turn, CoordinatorAct.CHOICE_ENDED)
    return InPlace(entry=ChoiceEnded())


async def compose_round(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the stories for a place to choose from, or which was chosen, with why once its teller agreed. What was
    taken back since is left out; raises `Unwanted` when too few are left to choose from."""
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    if outgoing.place is None or outgoing.place.movement_id != movement.id:
        raise Unwanted("no_movement")
    offered = await _load_stories(work, movement, delivery)
    if delivery.act is Act.POST and len(offered) < LEAST_STORIES:
        raise Unwanted("nothing_to_give")
    post = str(delivery.args.get("of") or delivery.id)
    made = await work.stories.choice_in(post, movement.id)
    numbers = {one.id: number for number, one in enumerate(offered, 1)}
    chosen = numbers.get(made.story_id, 0) if made is not None else 0
    return ChoiceRound(
        round=post,
        stories=tuple(OfferedStory(story=one.id, text=one.text) for one in offered),
        until=datetime.fromisoformat(str(delivery.args["until"])),
        chosen=chosen,
        why=made.why if made is not None and chosen and made.agreed_at is not None else "",
    )


async def pick(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form to say why people here chose a story."""
    post, story, _ = await _load_open(work, turn)
    return WhyForm(hidden={"round": post.id, "story": story.id})


async def tell(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep what was chosen and why, in place of an earlier choice that its teller did not agree to yet; tell the
    teller."""
    post, story, before = await _load_open(work, turn)
    filled = read_form(WhyForm, turn.intent.args)
    if not has_words(filled.text("why")):
        filled.problems.add("why", "no_words")
    filled.problems.raise_if_any()
    movement, place = turn.require_movement(), turn.place
    if before is not None:
        await work.deliveries.cancel(CHOICE_TOLD, before.id, "answered")
        await work.stories.remove_choice(before)  # the round has room for one
    made = Significance(
        id=SignificanceId(new_id()),
        movement_id=movement.id,
        story_id=story.id,
        place_id=PlaceId(place.id) if place is not None else PlaceId(""),
        round=post.id,
        by_id=turn.person.id,
        why=filled.text("why"),
        chosen_at=turn.now,
    )
    work.stories.add(made)
    await work.flush()
    await work.deliveries.add_all(plan_changes(story, [post], occasion=turn.intent.key, now=turn.now))
    teller = await work.people.get(story.teller_id, movement.id)
    if teller is not None and teller.account is not None:
        await work.deliveries.add(
            to_person(
                teller,
                CHOICE_TOLD,
                key=f"{CHOICE_TOLD}:{made.id}",
                now=turn.now,
                movement=movement.id,
                subject=made.id,
                priority=Priority.NEWS,
                expires_at=turn.now + STORY_NEWS_TTL,
            )
        )
    return ChoiceNoted()


async def compose_why(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the why for the teller. Raises `Unwanted` when it was chosen otherwise since, or the story taken back."""
    movement = outgoing.require_movement()
    made = await work.stories.choice(SignificanceId(outgoing.delivery.subject), movement.id)
    story = await work.stories.get(made.story_id, movement.id) if made is not None else None
    if made is None or story is None or not story.may_travel or made.agreed_at is not None:
        raise Unwanted("withdrawn")
    labels = await work.movements.labels(movement.id, outgoing.delivery.workspace_id)
    return ChoiceTold(significance=made.id, text=story.text, why=made.why, place=labels.get(made.place_id, ""))


async def agree(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let the why stand beside the actor's story, also where it was chosen."""
    made, story = await _load_own_choice(work, turn)
    if made.agreed_at is None:
        made.agreed_at = turn.now
        await change_rounds(work, story, occasion=turn.intent.key, now=turn.now)
    return InPlace(entry=ChoiceSettled(stands=True))


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep the why nowhere: the actor read it, and that is all."""
    made, story = await _load_own_choice(work, turn)
    await work.stories.remove_choice(made)
    if made.agreed_at is not None:
        await change_rounds(work, story, occasion=turn.intent.key, now=turn.now)
    return InPlace(entry=ChoiceSettled(stands=False))


async def remove_whys(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep no why beside the actor's story any more."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None:
        raise Refused("not_found")
    await work.stories.remove_choices_of(story)
    await change_rounds(work, story, occasion=turn.intent.key, now=turn.now)
    return InPlace(entry=ChoiceSettled(stands=False))


async def _load_open(work: UnitOfWork, turn: Turn) -> tuple[Delivery, Story, Significance | None]:
    """Return the post of a round in the place where this happens, one of its stories, and what was chosen before.
    Raises `Refused` when it is over, decided, or of another place."""
    movement, round_of = turn.require_movement(), DeliveryId(turn.text("round"))
    post, made = await work.together(
        work.deliveries.get(round_of, turn.person.workspace_id), work.stories.choice_in(round_of, movement.id)
    )
    here = turn.place is not None and post is not None and post.place_id == turn.place.id
    if post is None or not here or post.kind != CHOICE_ROUND or post.movement_id != movement.id:
        raise Refused("not_found")
    if turn.now >= datetime.fromisoformat(str(post.args["until"])):
        raise Refused("choice_over")
    if made is not None and made.agreed_at is not None:
        raise Refused("choice_made")
    story = next((one for one in await _load_stories(work, movement, post) if one.id == turn.text("story")), None)
    if story is None:
        raise Refused("not_found")
    return post, story, made


async def _load_own_choice(work: UnitOfWork, turn: Turn) -> tuple[Significance, Story]:
    """Return a choice of the actor's own story, and that. Raises `Refused` for any other, or when it was chosen
    otherwise."""
    movement = turn.require_movement()
    made = await work.stories.choice(SignificanceId(turn.text("significance")), movement.id)
    story = await work.stories.own(made.story_id, turn.person.id) if made is not None else None
    if made is None or story is None or not story.may_travel:
        raise Refused("not_found")
    return made, story


async def _load_stories(work: UnitOfWork, movement: Movement, post: Delivery) -> list[Story]:
    """Return the stories of a post that may still be read by everyone."""
    ids = post.args.get("stories")
    asks = (work.stories.get(StoryId(str(one)), movement.id) for one in (ids if isinstance(ids, list) else []))
    found = await work.together(*asks)
    return [one for one in found if one is not None and one.may_travel]


async def _list_places(work: UnitOfWork, turn: Turn, movement: Movement) -> list[Place]:
    """Return the places of the actor's workspace where Ritme can post, the one they are in first."""
    found = [
        one
        for one in await work.movements.places(movement.id)
        if one.workspace_id == turn.person.workspace_id and one.state is PlaceState.ALIVE
    ]
    return sorted(found, key=lambda one: turn.place is None or one.id != turn.place.id)

"""Begin, describe, join, leave, close and reopen initiatives."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot import webhooks
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.experiments import ExperimentSummary
from bot.catalogue.forms import read_form
from bot.catalogue.initiatives import (
    GivenRoom,
    GivenSupport,
    InitiativeForm,
    InitiativeShown,
    InitiativesListed,
    InitiativeSummary,
)
from bot.changes import record_change
from bot.domain.carrying import CARRY_OFFERED, SILENCE_ASKED, carriers, settle_cards
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Delivery, DeliveryState, Priority, to_person
from bot.domain.experiment import ExperimentState, plan_question
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.look_back import ToldStory
from bot.domain.person import Person
from bot.domain.webhook import MovementEvent
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork

PAGE_SIZE = 5
EXPERIMENTS_SHOWN = 2
NAMES_SHOWN = 3
"""Participants shown by name; the others are counted."""
INITIATIVE_JOINED = "initiative_joined"
"""The kind of the news that somebody joined."""
JOINED_TOGETHER = timedelta(days=1)
"""Those who join within this time are told of in one message."""
JOINED_IS_NEWS = timedelta(days=14)


async def show_all(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a page of the open initiatives; when the beginning of a name was typed, that initiative, closed or not."""
    movement = turn.require_movement()
    typed = turn.text("text").casefold()
    if typed:
        for one in await work.initiatives.of_movement(movement.id, closed=True):
            if one.name.casefold().startswith(typed):
                return await _show(work, turn, one)
    going_on = await work.initiatives.of_movement(movement.id)
    pages = max(1, -(-len(going_on) // PAGE_SIZE))  # rounded up
    page = min(_page_number(turn.text("page")), pages - 1)
    listed = going_on[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    resting, *parts = await work.together(
        work.initiatives.resting(movement.id), *(work.initiatives.participants(one.id, movement.id) for one in listed)
    )
    patches = []
    for one, taking_part in zip(listed, parts, strict=True):
        people = [person for person, _ in taking_part]
        patches.append(
            InitiativeSummary(
                id=one.id,
                name=one.name,
                people=_visible_names(people, turn),
                more=len(people) - len(_visible_names(people, turn)),
                mine=turn.person.id in {person.id for person in people},
                seeks=not carriers(taking_part),
                rests=one.id in resting,
            )
        )
    return InitiativesListed(name=movement.name, patches=tuple(patches), page=page, pages=pages)


def _page_number(typed: str) -> int:
    """Parse a page number; 0 for anything else."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 0


async def show_one(work: UnitOfWork, turn: Turn) -> Entry:
    """Show one initiative."""
    return await _show(work, turn, await _load_initiative(work, turn))


async def create(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to begin an initiative, with the name that was typed."""
    turn.require_movement()
    return InitiativeForm(values={"name": turn.text("text")})


async def describe(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to change the name and description of an initiative."""
    initiative = await _load_own(work, turn)
    return InitiativeForm(
        values={"name": initiative.name, "description": initiative.description}, hidden={"initiative": initiative.id}
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save a new initiative, with its maker as initiator; or, with `initiative`, the new name and description of one.

    Raises `Invalid` when another open initiative has that name.
    """
    movement = turn.require_movement()
    filled = read_form(InitiativeForm, turn.intent.args)
    name = " ".join(filled.text("name").split())
    initiative = await _load_own(work, turn) if turn.text("initiative") else None
    for other in await work.initiatives.of_movement(movement.id):
        if other.name.casefold() == name.casefold() and (initiative is None or other.id != initiative.id):
            filled.problems.add("name", "name_taken", name=other.name)
    filled.problems.raise_if_any()
    if initiative is not None:
        initiative.name, initiative.description = name, filled.text("description")
        await _log_as_coordinator(work, turn, initiative)
        return replace(await _show(work, turn, initiative), news="described")
    initiative = Initiative(
        id=InitiativeId(new_id()),
        movement_id=movement.id,
        name=name,
        description=filled.text("description"),
        place_id=turn.place.id if turn.place else None,
        started_by=turn.person.id,
        started_at=turn.now,
    )
    work.initiatives.add(initiative)
    work.initiatives.add(
        Participant(
            initiative_id=initiative.id,
            movement_id=movement.id,
            person_id=turn.person.id,
            initiator=True,
            joined_at=turn.now,
        )
    )
    await _announce(work, initiative, MovementEvent.INITIATIVE_BEGUN, turn.now)
    await work.flush()
    return replace(await _show(work, turn, initiative), news="made")


async def join(work: UnitOfWork, turn: Turn) -> InPlace:
    """Make the actor a participant. Raises `Refused` for a closed initiative."""
    initiative = await _load_initiative(work, turn)
    if initiative.closed_at is not None:
        raise Refused("initiative_closed")
    is_new = await _take_part(work, turn, initiative)
    if not is_new:
        return InPlace(entry=replace(await _show(work, turn, initiative), news="joined"))
    shown, told = await work.together(
        _show(work, turn, initiative), work.stories.told_in(initiative.movement_id, initiative.id)
    )
    shown = await _with_story(work, turn, replace(shown, news="joined", first=True), told)
    # The page shows that they take part, not the welcome.
    return InPlace(entry=shown, on_page=True)


async def _take_part(work: UnitOfWork, turn: Turn, initiative: Initiative) -> bool:
    """Make the actor a participant, and let those who carry it know. Returns whether it is for the first time."""
    its = (initiative.id, initiative.movement_id)
    participant, asked, parts, experiments = await work.together(
        work.initiatives.participant(initiative.id, turn.person.id),
        work.deliveries.about(INITIATIVE_JOINED, *its),
        work.initiatives.participants(*its),
        work.experiments.of_initiative(*its, PAGE_SIZE),
    )
    if participant is not None and participant.left_at is None:
        return False
    if participant is None:
        work.initiatives.add(
            Participant(
                initiative_id=initiative.id,
                movement_id=initiative.movement_id,
                person_id=turn.person.id,
                joined_at=turn.now,
            )
        )
    else:
        participant.left_at, participant.joined_at = None, turn.now
    await _tell_initiators(work, turn, initiative, asked, parts)
    for experiment in experiments:
        if experiment.state_at(turn.now) is ExperimentState.GOING:
            await work.deliveries.add(plan_question(experiment, turn.person, turn.now))
    return participant is None


async def _tell_initiators(
    work: UnitOfWork,
    turn: Turn,
    initiative: Initiative,
    before: Sequence[Delivery],
    parts: Sequence[tuple[Person, Participant]],
) -> None:
    """Plan for each initiator the news that somebody joined: one message for all who do within a day."""
    waiting = {one.person_id for one in before if one.state is DeliveryState.WAITING}
    for person, part in parts:
        if part.initiator and person.id != turn.person.id and person.id not in waiting:
            await work.deliveries.add(
                to_person(
                    person,
                    INITIATIVE_JOINED,
                    key=f"{INITIATIVE_JOINED}:{initiative.id}:{person.id}:{turn.now.isoformat()}",
                    now=turn.now,
                    movement=initiative.movement_id,
                    subject=initiative.id,
                    priority=Priority.NEWS,
                    due_at=turn.now + JOINED_TOGETHER,
                    expires_at=turn.now + JOINED_IS_NEWS,
                    args={"since": turn.now.isoformat()},
                )
            )


async def _with_story(
    work: UnitOfWork, turn: Turn, shown: InitiativeShown, stories: Sequence[ToldStory]
) -> InitiativeShown:
    """Add the latest story of an initiative that the actor may read and did not tell themselves, if there is one."""
    movement = turn.require_movement()
    for told in stories:
        story = await work.stories.get(told.id, movement.id) if told.may_travel and told.text else None
        if story is not None and story.teller_id != turn.person.id:
            teller = await work.people.get(story.teller_id, movement.id)
            return replace(
                shown, story=story.text, story_id=story.id, teller=story.credit(teller, turn.person.workspace_id)
            )
    return shown


async def leave(work: UnitOfWork, turn: Turn) -> InPlace:
    """End the actor's participation."""
    initiative = await _load_initiative(work, turn)
    participant = await work.initiatives.participant(initiative.id, turn.person.id)
    if participant is not None and participant.left_at is None:
        participant.left_at = turn.now
    await work.flush()
    return InPlace(entry=replace(await _show(work, turn, initiative), news="left"))


async def close(work: UnitOfWork, turn: Turn) -> InPlace:
    """Close an initiative; its stories stay. An ending is as welcome as a success."""
    initiative = await _load_own(work, turn)
    initiative.closed_at = initiative.closed_at or turn.now
    await _log_as_coordinator(work, turn, initiative)
    kinds = (CARRY_OFFERED, SILENCE_ASKED)
    _, *asked = await work.together(
        _announce(work, initiative, MovementEvent.INITIATIVE_ENDED, initiative.closed_at),
        *(work.deliveries.about(kind, initiative.id, initiative.movement_id) for kind in kinds),
    )
    for cards in asked:
        await work.deliveries.add_all(settle_cards(cards, "closed", turn.person.id, turn.now))
    return InPlace(entry=replace(await _show(work, turn, initiative), news="closed"))


async def reopen(work: UnitOfWork, turn: Turn) -> InPlace:
    """Reopen a closed initiative."""
    initiative = await _load_own(work, turn)
    initiative.reopen(turn.now)
    await _log_as_coordinator(work, turn, initiative)
    await _announce(work, initiative, MovementEvent.INITIATIVE_BEGUN, turn.now)
    return InPlace(entry=replace(await _show(work, turn, initiative), news="reopened"))


async def _announce(work: UnitOfWork, initiative: Initiative, event: MovementEvent, at: datetime) -> None:
    """Let addresses outside know that an initiative begins, or ends, at a moment."""
    occasion = f"{initiative.id}:{at.isoformat()}"
    await webhooks.announce_event(work, initiative.movement_id, event, initiative.id, at, occasion=occasion)


async def _load_initiative(work: UnitOfWork, turn: Turn) -> Initiative:
    found = await work.initiatives.get(InitiativeId(turn.text("initiative")), turn.require_movement().id)
    if found is None:
        raise Refused("not_found")
    return found


async def _load_own(work: UnitOfWork, turn: Turn) -> Initiative:
    """Load an initiative that the actor may change. Raises `Refused` otherwise."""
    initiative = await _load_initiative(work, turn)
    if not await _may_change(work, turn, initiative):
        raise Refused("initiators_only")
    return initiative


async def _log_as_coordinator(work: UnitOfWork, turn: Turn, initiative: Initiative) -> None:
    """Log a change that the actor may make because they coordinate: an initiator's own is no matter of that role."""
    participant = await work.initiatives.participant(initiative.id, turn.person.id)
    if participant is None or not participant.initiator:
        record_change(work, turn, CoordinatorAct.INITIATIVE_CHANGED, initiative.name)


async def _may_change(work: UnitOfWork, turn: Turn, initiative: Initiative) -> bool:
    """Return whether the actor coordinates the movement, or is an initiator of the initiative."""
    if turn.member is not None and turn.member.coordinates:
        return True
    participant = await work.initiatives.participant(initiative.id, turn.person.id)
    return participant is not None and participant.initiator


def _visible_names(people: Sequence[Person], turn: Turn) -> tuple[str, ...]:
    """Return the first names to show, of people whom the actor may see by name."""
    known = [person.name for person in people if person.may_be_named_in(turn.person.workspace_id)]
    return tuple(known[:NAMES_SHOWN])


async def _show(work: UnitOfWork, turn: Turn, initiative: Initiative) -> InitiativeShown:
    its = (initiative.id, initiative.movement_id)
    taking_part, resting, carried, experiments, rooms, endorsements = await work.together(
        work.initiatives.participants(*its),
        work.initiatives.resting(initiative.movement_id),
        _may_change(work, turn, initiative),
        work.experiments.of_initiative(*its, EXPERIMENTS_SHOWN),
        work.initiatives.current_rooms(*its, turn.now),
        work.initiatives.endorsements(*its, PAGE_SIZE),
    )
    people = [person for person, _ in taking_part]
    return InitiativeShown(
        id=initiative.id,
        name=initiative.name,
        description=initiative.description,
        people=_visible_names(people, turn),
        more=len(people) - len(_visible_names(people, turn)),
        mine=turn.person.id in {person.id for person in people},
        carried=carried,
        closed=initiative.closed_at is not None,
        experiments=tuple(ExperimentSummary.of(one, turn.now) for one in experiments),
        seeks=not carriers(taking_part),
        rests_since=initiative.rests_since if initiative.id in resting else None,
        rooms=tuple(
            GivenRoom(
                trying=room.trying,
                until=room.last_day,
                giver=giver.name_in(turn.person.workspace_id),
                limit=room.limit,
            )
            for room, giver in rooms
        ),
        supports=tuple(
            GivenSupport(words=room.support, giver=giver.name_in(turn.person.workspace_id))
            for room, giver in endorsements
            if turn.now < room.ends_at
        ),
    )

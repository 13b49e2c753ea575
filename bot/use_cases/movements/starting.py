"""Begin movements, link further places to them, and welcome a channel that Ritme comes into."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.countries import AHEAD_IN_PASSING, KeptDays, list_ahead
from bot.catalogue.forms import read_form
from bot.catalogue.movements import AlreadyHere, LinkOrBegin, MovementStarted, PlaceLinked, StartForm, TakenOn, Welcome
from bot.changes import record_change
from bot.chat import Intent
from bot.domain.calendar import Calendar, find_country, holidays_of, list_regions
from bot.domain.change import CoordinatorAct
from bot.domain.countries import guess_country, name_country
from bot.domain.delivery import reopen_place, to_place
from bot.domain.ids import new_id
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, PlaceState, Purpose, PurposeId, Role
from bot.domain.person import Language, PersonId, Workspace, WorkspaceId
from bot.domain.welcome import plan_welcome
from bot.errors import Refused
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.understanding.countries import read_country


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form in a new channel, or ask someone who coordinates a movement whether this is a further place of it.
    In a place of a movement, say so."""
    place = _current_place(turn)
    if place.movement_id is not None:
        return await _already_here(work, turn)
    if turn.movement is not None and turn.member is not None and turn.member.coordinates:
        return LinkOrBegin(name=turn.movement.name)
    return await begin(work, turn)


async def begin(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for a new movement, where the place belongs to none."""
    if _current_place(turn).movement_id is not None:
        return await _already_here(work, turn)
    country = find_country(turn.timezone)
    ahead = list_ahead(Calendar(country=country), turn.language, _today(turn), AHEAD_IN_PASSING)
    return StartForm(
        values={"language": turn.language.value, "country": name_country(country, turn.language)}, ahead=ahead
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save a new movement: the actor and those they named coordinate it, this place is linked to it, and the vision is
    the first version of its purpose."""
    place = _current_place(turn)
    if place.movement_id is not None:
        return await _already_here(work, turn)
    filled = read_form(StartForm, turn.intent.args)
    if turn.intent.actor.id in filled.many("coordinators"):
        filled.problems.add("coordinators", "not_yourself")
    named = read_country(filled.text("country"))
    country = named.country if filled.text("country") else find_country(turn.timezone)
    if filled.text("country") and not country:
        guessed = guess_country(filled.text("country"), turn.language)
        filled.problems.add("country", "unknown_country", name=guessed)
    filled.problems.raise_if_any()
    lane = turn.person.workspace_id
    others = [await work.people.get_or_create(lane, account, turn.now) for account in filled.many("coordinators")]
    movement = Movement(
        id=MovementId(new_id()),
        name=filled.text("name"),
        language=Language(filled.text("language")),
        country=country,
        region=named.region if named.region in dict(list_regions(country, _today(turn))) else "",
        timezone=turn.timezone,
        started_at=turn.now,
    )
    work.movements.add(movement)
    place.join(movement)
    work.movements.add(
        Purpose(
            id=PurposeId(new_id()),
            movement_id=movement.id,
            version=1,
            vision=filled.text("vision"),
            written_by=turn.person.id,
            written_at=turn.now,
        )
    )
    for person in (turn.person, *others):
        work.movements.add(
            Member(movement_id=movement.id, person_id=person.id, role=Role.COORDINATOR, joined_at=turn.now)
        )
    record_change(work, turn, CoordinatorAct.MOVEMENT_BEGUN, place.name or place.channel, movement=movement)
    for _ in others:
        record_change(work, turn, CoordinatorAct.COORDINATOR_ADDED, movement=movement)
    for person in others:
        await work.deliveries.add(plan_welcome(person, movement.id, turn.now, named_by=turn.person.id))
    kept = KeptDays.of(holidays_of(movement), turn.language, _today(turn), count=AHEAD_IN_PASSING)
    return MovementStarted(name=movement.name, place=place.name, kept=kept)


async def take_on(work: UnitOfWork, turn: Turn) -> InPlace:
    """Make the actor coordinator of a movement whose coordinators are all gone. Raises `Refused` while there is one."""
    movement = turn.require_movement()
    if turn.member is None or turn.place is None:
        raise Refused("not_found")
    if coordinators := await work.people.coordinators(movement.id):
        raise Refused("coordinated_already", {"name": coordinators[0].name_in(turn.person.workspace_id)})
    turn.member.role = Role.COORDINATOR
    record_change(work, turn, CoordinatorAct.COORDINATOR_ADDED)
    return InPlace(entry=TakenOn(name=movement.name))


async def link(work: UnitOfWork, turn: Turn) -> InPlace:
    """Link a further channel to the movement that the actor coordinates."""
    place = _current_place(turn)
    movement = turn.require_coordinator()
    if place.movement_id is not None:
        return InPlace(entry=await _already_here(work, turn))
    place.join(movement)
    record_change(work, turn, CoordinatorAct.PLACE_LINKED, place.name or place.channel)
    return InPlace(entry=PlaceLinked(name=movement.name, place=place.name))


async def _already_here(work: UnitOfWork, turn: Turn) -> AlreadyHere:
    """Say that this place belongs to a movement, and what can be done about that."""
    movement = turn.require_movement()
    return AlreadyHere(
        name=movement.name,
        orphaned=not await work.people.coordinators(movement.id),
        leavable=turn.member is not None and turn.member.coordinates,
    )


async def handle_arrival(work: UnitOfWork, turn: Turn) -> None:
    """Welcome a channel that Ritme came into. A place of a movement that was out of reach gets what waited for it
    instead."""
    # A channel of no movement has no language yet: its welcome is in that of the person who added Ritme.
    await _welcome(work, _current_place(turn), turn.now, invited_by=turn.person.id)


async def is_unsettled(work: UnitOfWork, intent: Intent) -> bool:
    """Return whether being let into a channel is news there: nothing goes on in it yet, or it was out of reach. Of an
    `upgrade` it is only where we never were, as far as we know, or were out of reach."""
    place = await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
    if place is None or place.state is PlaceState.UNREACHABLE:
        return True
    return place.movement_id is None and not intent.text("upgrade")


async def handle_installation(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Welcome a channel that nobody in particular let Ritme into. No person is added."""
    lane, spot = WorkspaceId(intent.place.workspace), intent.place
    if await work.people.workspace(lane) is None:
        work.people.add(Workspace(id=lane))
    place = await work.movements.place_in(lane, spot.channel)
    if place is None:
        place = Place(id=PlaceId(new_id()), workspace_id=lane, channel=spot.channel, name=spot.name, created_at=now)
        work.movements.add(place)
    await _welcome(work, place, now)


async def _welcome(work: UnitOfWork, place: Place, now: datetime, *, invited_by: PersonId | None = None) -> None:
    is_back = place.movement_id is not None and place.state is PlaceState.UNREACHABLE
    reopen_place(place, await work.deliveries.held_for(place), now)
    if is_back:
        work.woken.add(place.workspace_id)
        return
    about: dict[str, object] = {"invited_by": invited_by} if invited_by and not place.movement_id else {}
    await work.deliveries.add(
        to_place(place, "welcome", key=f"welcome:{place.id}:{now.isoformat()}", now=now, args=about)
    )


async def compose_welcome(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the welcome for a channel."""
    return Welcome(variant=outgoing.next_number())


def _today(turn: Turn) -> date:
    return turn.now.astimezone(ZoneInfo(turn.timezone)).date()


def _current_place(turn: Turn) -> Place:
    """Return the channel the actor is in. Raises `Refused` in a personal chat."""
    if turn.place is None:
        raise Refused("start_in_channel")
    return turn.place

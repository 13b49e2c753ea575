"""Link other workspaces to a movement: a coordinator hands out a code, and a channel elsewhere joins with it."""

from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.countries import AHEAD_IN_PASSING, KeptDays
from bot.catalogue.forms import parse_form
from bot.catalogue.linking import (
    MAX_CODE_CHARS,
    CodeMade,
    CodeRevoked,
    CodeShown,
    Joined,
    JoinForm,
    PlaceJoined,
    PlaceLeft,
)
from bot.catalogue.movements import AlreadyHere
from bot.changes import record_change
from bot.days_off import update_followers
from bot.domain.calendar import find_country, holidays_of
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Priority, to_person
from bot.domain.ids import new_id
from bot.domain.movement import (
    CODE_LASTS,
    InviteCode,
    InviteCodeId,
    Member,
    Movement,
    Place,
    PlaceId,
    Role,
    hash_code,
    new_code,
)
from bot.domain.person import PersonId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.shifts import join_group

JOINED = "place_joined"


async def show_code(work: UnitOfWork, turn: Turn) -> Entry:
    """Show what a code is for, and until when there is one now."""
    movement = turn.require_coordinator()
    valid = await work.movements.codes(movement.id, turn.now)
    return CodeShown(name=movement.name, until=max((one.expires_at for one in valid), default=None))


async def make_code(work: UnitOfWork, turn: Turn) -> InPlace:
    """Make a new code, shown this once: only its digest is stored. Earlier codes are revoked."""
    movement = turn.require_coordinator()
    await _revoke_codes(work, turn)  # first: it revokes every code it finds
    code, until = new_code(), turn.now + CODE_LASTS
    work.movements.add(
        InviteCode(
            id=InviteCodeId(new_id()),
            movement_id=movement.id,
            digest=hash_code(code),
            made_by=turn.person.id,
            made_at=turn.now,
            expires_at=until,
        )
    )
    record_change(work, turn, CoordinatorAct.CODE_MADE)
    return InPlace(entry=CodeMade(name=movement.name, code=code, until=until))


async def revoke_code(work: UnitOfWork, turn: Turn) -> InPlace:
    """Revoke all codes; places that joined with one stay."""
    await _revoke_codes(work, turn)
    record_change(work, turn, CoordinatorAct.CODE_REVOKED)
    return InPlace(entry=CodeRevoked())


async def join(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for a code; when a code was typed, join with it at once."""
    place = _unlinked_place(turn)
    if place is None:
        return _say_already_here(turn)
    typed = turn.text("text")
    if not typed:
        return JoinForm()
    return await _link_place(work, turn, place, typed)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Join with the submitted code."""
    place = _unlinked_place(turn)
    if place is None:
        return _say_already_here(turn)
    return await _link_place(work, turn, place, parse_form(JoinForm, turn.intent.args).text("code"))


async def leave(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take this place out of the movement: its rhythms end and its planned deliveries are cancelled; stories stay."""
    movement, place = turn.require_coordinator(), turn.place
    if place is None or place.movement_id != movement.id:
        raise Refused("not_found")
    for rhythm in await work.rhythms.of_place(place.id):
        rhythm.ended_at, rhythm.next_at = turn.now, None
    place.movement_id = None
    await update_followers(work, place)
    record_change(work, turn, CoordinatorAct.PLACE_LEFT, place.name or place.channel)
    # What is being sent or was sent stays; only what waits is dropped.
    await work.deliveries.cancel_for(place, "no_movement")
    await work.flush()  # the query for the places that are left has to see it
    is_last = not await work.movements.places(movement.id)
    if is_last:
        await work.feeds.revoke_all_in(movement.id)
        await work.outside.close_all_in(movement.id)
    return InPlace(entry=PlaceLeft(name=movement.name, last=is_last))


async def compose_join_notice(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for a coordinator that a place joined with their code."""
    movement, args = outgoing.require_movement(), outgoing.delivery.args
    by = await work.people.get(PersonId(str(args["by"])), movement.id)
    place = await work.movements.place(PlaceId(outgoing.delivery.subject))
    if place is None or place.movement_id != movement.id:
        raise Unwanted("gone")
    labels = await work.movements.labels(movement.id, outgoing.delivery.workspace_id)
    return PlaceJoined(
        name=movement.name,
        place=labels[place.id],
        by=by.name if by is not None and by.account is not None else "",
    )


async def _link_place(work: UnitOfWork, turn: Turn, place: Place, typed: str) -> Entry:
    """Link the place, make the actor a coordinator, and notify the other coordinators.

    Raises `Refused` for guests and `Invalid` for a code that is not valid.
    """
    if turn.person.guest:
        raise Refused("guests_cannot_join")
    code = await work.movements.code(hash_code(typed[:MAX_CODE_CHARS]))
    if code is not None and not code.is_valid(turn.now):
        raise Invalid({"code": "code_ended"})
    movement = await work.movements.get(code.movement_id) if code is not None else None
    if movement is None:
        raise Invalid({"code": "unknown_code"})
    coordinators = await work.people.coordinators(movement.id)
    kept = _settle(turn, place, movement)
    member = await work.movements.membership(movement.id, turn.person.id)
    if member is None:
        member = Member(movement_id=movement.id, person_id=turn.person.id, joined_at=turn.now)
        work.movements.add(member)
        await join_group(work, turn.person, turn.now)
    member.role = Role.COORDINATOR
    record_change(work, turn, CoordinatorAct.PLACE_JOINED, place.name or place.channel, movement=movement)
    others = [one for one in coordinators if one.id != turn.person.id and one.will_read(turn.now)]
    for coordinator in others:
        await work.deliveries.add(
            to_person(
                coordinator,
                JOINED,
                key=f"{JOINED}:{place.id}:{coordinator.id}:{turn.now.isoformat()}",
                now=turn.now,
                movement=movement.id,
                subject=place.id,
                priority=Priority.FROM_A_PERSON,
                args={"by": turn.person.id},
            )
        )
    purpose = await work.movements.purpose(movement.id)
    return Joined(
        name=movement.name,
        place=place.name or place.channel,
        vision=purpose.vision if purpose else "",
        told=bool(others),
        readers=tuple(filter(None, (one.name_in(place.workspace_id) for one in others))),
        kept=kept,
    )


def _settle(turn: Turn, place: Place, movement: Movement) -> KeptDays | None:
    """Make a place elsewhere one of a movement: in another country, as the time zone of who joins tells, it keeps the
    holidays there. Returns those, where they differ."""
    zone = turn.person.timezone or movement.timezone
    place.join(movement, zone)
    country = find_country(zone)
    if not country or country == movement.country:
        return None
    place.country = country
    today = turn.now.astimezone(ZoneInfo(zone)).date()
    return KeptDays.of(holidays_of(movement, place), turn.language, today, count=AHEAD_IN_PASSING)


async def _revoke_codes(work: UnitOfWork, turn: Turn) -> None:
    for code in await work.movements.codes(turn.require_coordinator().id, turn.now):
        code.revoked_at = turn.now


def _say_already_here(turn: Turn) -> AlreadyHere:
    """Say that this place belongs to a movement already, so that no code is needed or used."""
    leavable = turn.member is not None and turn.member.coordinates
    return AlreadyHere(name=turn.require_movement().name, joining=True, leavable=leavable)


def _unlinked_place(turn: Turn) -> Place | None:
    """Return the current place, or None when it belongs to a movement already. Raises `Refused` in a personal chat."""
    if turn.place is None:
        raise Refused("join_in_channel")
    return turn.place if turn.place.movement_id is None else None

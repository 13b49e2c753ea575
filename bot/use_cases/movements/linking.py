"""A movement across workspaces: a coordinator hands out a code, and with it another workspace links a channel."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read
from bot.catalogue.linking import CodeMade, CodeRevoked, CodeShown, Joined, JoinForm, PlaceJoined, PlaceLeft
from bot.catalogue.movements import AlreadyHere
from bot.domain.delivery import Priority, to_person
from bot.domain.ids import new_id
from bot.domain.movement import CODE_LASTS, InviteCode, InviteCodeId, Member, Place, PlaceId, Role, digest_of, new_code
from bot.domain.person import PersonId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

JOINED = "place_joined"
LONGEST_CODE = 40


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Whether there is a code now, and what one is for."""
    movement = turn.as_coordinator()
    valid = await work.movements.codes(movement.id, turn.now)
    return CodeShown(name=movement.name, until=max((one.expires_at for one in valid), default=None))


async def make(work: UnitOfWork, turn: Turn) -> InPlace:
    """A new code, shown this once. The one before it ends."""
    movement = turn.as_coordinator()
    await _revoke(work, turn)
    code, until = new_code(), turn.now + CODE_LASTS
    work.movements.add(
        InviteCode(
            id=InviteCodeId(new_id()),
            movement_id=movement.id,
            digest=digest_of(code),
            made_by=turn.person.id,
            made_at=turn.now,
            expires_at=until,
        )
    )
    return InPlace(entry=CodeMade(name=movement.name, code=code, until=until))


async def revoke(work: UnitOfWork, turn: Turn) -> InPlace:
    """No code is valid from now on; who joined with one, stays."""
    await _revoke(work, turn)
    return InPlace(entry=CodeRevoked())


async def join(work: UnitOfWork, turn: Turn) -> Entry:
    """The form for a code; with a code typed, at once."""
    place = _free(turn)
    if place is None:
        return AlreadyHere(name=turn.the_movement().name)
    typed = turn.text("text")
    if not typed:
        return JoinForm()
    return await _join(work, turn, place, typed)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """The submitted code."""
    place = _free(turn)
    if place is None:
        return AlreadyHere(name=turn.the_movement().name)
    return await _join(work, turn, place, read(JoinForm, turn.intent.args).text("code"))


async def leave(work: UnitOfWork, turn: Turn) -> InPlace:
    """This place no longer belongs: nothing is planned here any more. What was told, stays told."""
    movement, place = turn.as_coordinator(), turn.place
    if place is None or place.movement_id != movement.id:
        raise Refused("not_found")
    for rhythm in await work.rhythms.of_place(place.id):
        rhythm.ended_at, rhythm.next_at = turn.now, None
    place.movement_id = None
    await work.deliveries.cancel_for(place, "no_movement")
    return InPlace(entry=PlaceLeft(name=movement.name))


async def compose_joined(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """To a coordinator: who joined, and where."""
    movement, args = outgoing.the_movement(), outgoing.delivery.args
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


async def _join(work: UnitOfWork, turn: Turn, place: Place, typed: str) -> Entry:
    """Links the place, and makes the actor one of the coordinators, who are told."""
    if turn.person.guest:
        raise Refused("guests_cannot_join")
    code = await work.movements.code(digest_of(typed[:LONGEST_CODE]))
    movement = await work.movements.get(code.movement_id) if code is not None and code.is_valid(turn.now) else None
    if movement is None:
        raise Invalid({"code": "unknown_code"})
    coordinators = await work.people.coordinators(movement.id)
    place.movement_id = movement.id
    member = await work.movements.membership(movement.id, turn.person.id)
    if member is None:
        member = Member(movement_id=movement.id, person_id=turn.person.id, joined_at=turn.now)
        work.movements.add(member)
    member.role = Role.COORDINATOR
    for one in coordinators:
        if one.id != turn.person.id:
            await work.deliveries.add(
                to_person(
                    one,
                    JOINED,
                    key=f"{JOINED}:{place.id}:{one.id}:{turn.now.isoformat()}",
                    now=turn.now,
                    movement=movement.id,
                    subject=place.id,
                    priority=Priority.FROM_A_PERSON,
                    args={"by": turn.person.id},
                )
            )
    purpose = await work.movements.purpose(movement.id)
    return Joined(name=movement.name, place=place.name or place.channel, vision=purpose.vision if purpose else "")


async def _revoke(work: UnitOfWork, turn: Turn) -> None:
    for code in await work.movements.codes(turn.as_coordinator().id, turn.now):
        code.revoked_at = turn.now


def _free(turn: Turn) -> Place | None:
    """The place, when it belongs to no movement yet."""
    if turn.place is None:
        raise Refused("start_in_channel")
    return turn.place if turn.place.movement_id is None else None

"""Show everybody what coordinators changed, and let a coordinator record what the works council said."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.changes import ChangeLine, ChangesShown, CouncilShown
from bot.changes import record_change
from bot.domain.change import CHANGES_SHOWN, CoordinatorAct
from bot.domain.coverage import NAMES_ROUND, TIES_ROUND
from bot.domain.movement import Movement
from bot.ports import Turn, UnitOfWork


async def show_changes(work: UnitOfWork, turn: Turn) -> Entry:
    """Show what coordinators of the movement changed last: what, when, and by whom where their name is told."""
    movement = turn.require_movement()
    found = await work.movements.changes_by_coordinators(movement.id, CHANGES_SHOWN + 1)
    return ChangesShown(
        name=movement.name,
        lines=tuple(
            ChangeLine(
                kind=change.kind,
                about=about.name,
                place=about.place,
                rhythm=about.rhythm,
                by=person.name_in(turn.person.workspace_id) if person.account is not None else "",
                at=change.at,
            )
            for change, person in found[:CHANGES_SHOWN]
            for about in (change.tell_about(),)
        ),
        more=len(found) > CHANGES_SHOWN,
        keep_days=turn.keeps_closed.days,
    )


async def show_council(work: UnitOfWork, turn: Turn) -> Entry:
    """Show whether the works council has to agree here, whether it did, and what rests until then."""
    return _show(turn, turn.require_movement())


def _show(turn: Turn, movement: Movement, news: str = "") -> CouncilShown:
    return CouncilShown(
        name=movement.name,
        asks=turn.works_council,
        agreed_at=movement.council_agreed_at,
        may_change=turn.member is not None and turn.member.coordinates,
        news=news,
    )


async def record_agreement(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the works council agreed that colleagues are named; everybody reads that and who recorded it."""
    movement = turn.require_coordinator()
    if movement.council_agreed_at is None:
        movement.council_agreed_at = turn.now
        record_change(work, turn, CoordinatorAct.COUNCIL_AGREED)
    return InPlace(entry=_show(turn, movement, "agreed"))


async def record_withdrawal(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the works council does not agree (any more): rounds that wait do not come."""
    movement = turn.require_coordinator()
    if movement.council_agreed_at is not None:
        movement.council_agreed_at = None
        record_change(work, turn, CoordinatorAct.COUNCIL_WITHDREW)
        if turn.works_council:
            for place in await work.movements.places(movement.id):
                for kind in (NAMES_ROUND, TIES_ROUND):
                    await work.deliveries.cancel(kind, place.id, "council_first")
    return InPlace(entry=_show(turn, movement, "withdrawn"))

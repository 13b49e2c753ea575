"""The one step by which a use case logs what a coordinator changed, in the transaction of that change.

`tests/journeys/test_changes.py` walks every handler: one that changes what coordinators are in charge of, and logs
nothing, fails there.
"""

from bot.domain.change import MAX_ABOUT_CHARS, ChangeId, CoordinatorAct, CoordinatorChange
from bot.domain.ids import new_id
from bot.domain.movement import Movement
from bot.ports import Turn, UnitOfWork


def record_change(
    work: UnitOfWork, turn: Turn, kind: CoordinatorAct, about: str = "", *, movement: Movement | None = None
) -> None:
    """Log that the actor, as a coordinator, changed something; `about` names a channel or a group, never a person."""
    work.movements.add(
        CoordinatorChange(
            id=ChangeId(new_id()),
            movement_id=(movement or turn.require_movement()).id,
            kind=kind,
            about=about[:MAX_ABOUT_CHARS],
            by_id=turn.person.id,
            at=turn.now,
        )
    )

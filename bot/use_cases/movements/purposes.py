"""Show and change the purpose of a movement, restore an earlier version, and note who does a behaviour of it too."""

from dataclasses import replace

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.purposes import (
    BehaviourNoted,
    BehaviourTaken,
    PurposeForm,
    PurposeShown,
    PurposeVersion,
    PurposeVersions,
)
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.ids import new_id
from bot.domain.movement import PARTS, Purpose, PurposeId
from bot.domain.person import PersonId
from bot.domain.practice import Practice, behaviour_mark, tell_how_many
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork

CORE_MESSAGES = (1, 7)
"""The fewest and the most of them, as `BEHAVIOURS`."""
BEHAVIOURS = (3, 7)
MAX_LINE_CHARS = 200
"""Characters."""
VERSIONS_SHOWN = 5


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the purpose. Where there is none yet, open the form for a coordinator; raise `Refused` for anyone else."""
    movement = turn.require_movement()
    purpose = await work.movements.purpose(movement.id)
    if purpose is None:
        if turn.member is not None and turn.member.coordinates:
            return PurposeForm()
        raise Refused("no_purpose")
    return await _to_entry(work, turn, purpose)


async def press_behaviour(work: UnitOfWork, turn: Turn) -> Entry:
    """Record that the actor does a small behaviour too, or take that back when they said so before. Raises `Refused`
    when the purpose does not have it any more."""
    movement = turn.require_movement()
    purpose, mark = await work.movements.purpose(movement.id), turn.text("behaviour")
    text = next((one for one in purpose.behaviours if behaviour_mark(one) == mark), "") if purpose is not None else ""
    if not text:
        raise Refused("not_found")
    known = await work.movements.practice(movement.id, mark, turn.person.id)
    if known is not None and not known.is_same_press(turn.now):
        await work.delete(known)
        return BehaviourTaken(text=text)
    if known is None:
        place = turn.place.id if turn.place is not None and turn.place.movement_id == movement.id else None
        work.movements.add(
            Practice(movement_id=movement.id, behaviour=mark, person_id=turn.person.id, place_id=place, at=turn.now)
        )
    return BehaviourNoted(text=text)


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to change the purpose."""
    movement = turn.require_coordinator()
    purpose = await work.movements.purpose(movement.id)
    if purpose is None:
        return PurposeForm()
    return PurposeForm(
        values={
            **{part: getattr(purpose, part) for part in PARTS},
            "core_messages": "\n".join(purpose.core_messages),
            "behaviours": "\n".join(purpose.behaviours),
        }
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save the purpose as a new version; the earlier ones stay."""
    movement = turn.require_coordinator()
    filled = read_form(PurposeForm, turn.intent.args)
    core_messages = _parse_lines(filled, "core_messages", *CORE_MESSAGES)
    behaviours = _parse_lines(filled, "behaviours", *BEHAVIOURS)
    filled.problems.raise_if_any()
    before = await work.movements.purpose(movement.id)
    purpose = Purpose(
        id=PurposeId(new_id()),
        movement_id=movement.id,
        version=before.version + 1 if before else 1,
        core_messages=core_messages,
        behaviours=behaviours,
        written_by=turn.person.id,
        written_at=turn.now,
        **{part: filled.text(part) for part in PARTS},
    )
    work.movements.add(purpose)
    record_change(work, turn, CoordinatorAct.PURPOSE_WRITTEN)
    return replace(await _to_entry(work, turn, purpose), saved=True)


def _parse_lines(filled: Filled, name: str, fewest: int, most: int) -> list[str]:
    """Parse a field with one item a line. Too few, too many or too long lines are a problem; none at all passes (the
    form says whether a field is required)."""
    lines = [" ".join(line.split()) for line in filled.text(name).splitlines() if line.strip()]
    if lines and not fewest <= len(lines) <= most:
        filled.problems.add(name, "so_many_lines", fewest=str(fewest), most=str(most))
    if any(len(line) > MAX_LINE_CHARS for line in lines):
        filled.problems.add(name, "line_too_long", most=str(MAX_LINE_CHARS))
    return lines


async def show_earlier(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the versions before the current one."""
    movement = turn.require_coordinator()
    versions = (await work.movements.purposes(movement.id))[1 : VERSIONS_SHOWN + 1]
    if not versions:
        raise Refused("not_found")
    writers = await work.people.among({one.written_by for one in versions if one.written_by}, movement.id)
    names = {person.id: person.name_in(turn.person.workspace_id) for person in writers}
    return PurposeVersions(
        versions=tuple(
            PurposeVersion(
                number=one.version,
                at=one.written_at,
                by=names.get(one.written_by or PersonId(""), ""),
                vision=one.vision,
            )
            for one in versions
        )
    )


async def restore(work: UnitOfWork, turn: Turn) -> InPlace:
    """Restore an earlier version, by saving it as a new one."""
    movement = turn.require_coordinator()
    versions = await work.movements.purposes(movement.id)
    wanted = next((one for one in versions if str(one.version) == turn.text("version")), None)
    if wanted is None:
        raise Refused("not_found")
    purpose = Purpose(
        id=PurposeId(new_id()),
        movement_id=movement.id,
        version=versions[0].version + 1,
        core_messages=list(wanted.core_messages),
        behaviours=list(wanted.behaviours),
        written_by=turn.person.id,
        written_at=turn.now,
        **{part: getattr(wanted, part) for part in PARTS},
    )
    work.movements.add(purpose)
    record_change(work, turn, CoordinatorAct.PURPOSE_WRITTEN)
    return InPlace(entry=replace(await _to_entry(work, turn, purpose), saved=True))


async def _to_entry(work: UnitOfWork, turn: Turn, purpose: Purpose) -> PurposeShown:
    practised = await work.movements.count_practices(purpose.movement_id)
    marks = tuple(behaviour_mark(one) for one in purpose.behaviours)
    told = [tell_how_many(*practised.get(mark, (0, 0))) for mark in marks]
    return PurposeShown(
        marks=marks,
        people=tuple(one.people for one in told),
        places=tuple(one.places for one in told),
        name=turn.require_movement().name,
        version=purpose.version,
        core_messages=tuple(purpose.core_messages),
        behaviours=tuple(purpose.behaviours),
        may_change=turn.member is not None and turn.member.coordinates,
        **{part: getattr(purpose, part) for part in PARTS},
    )

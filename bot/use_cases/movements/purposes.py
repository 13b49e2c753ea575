"""The purpose: how it sounds, changing it, and going back to what it was."""

from dataclasses import replace

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import Filled, read
from bot.catalogue.purposes import PurposeForm, PurposeShown, PurposeVersions, Version
from bot.domain.ids import new_id
from bot.domain.movement import PARTS, Purpose, PurposeId
from bot.domain.person import PersonId
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork

CORE_MESSAGES = (1, 7)
BEHAVIOURS = (3, 7)
LONGEST_LINE = 200
VERSIONS_SHOWN = 5


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Everyone sees how it sounds; coordinators can change it."""
    movement = turn.the_movement()
    purpose = await work.movements.purpose(movement.id)
    if purpose is None:
        if turn.member is not None and turn.member.coordinates:
            return PurposeForm()
        raise Refused("no_purpose")
    return _shown(turn, purpose)


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    movement = turn.as_coordinator()
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
    """A new version; the earlier ones stay."""
    movement = turn.as_coordinator()
    filled = read(PurposeForm, turn.intent.args)
    core_messages = _lines(filled, "core_messages", *CORE_MESSAGES)
    behaviours = _lines(filled, "behaviours", *BEHAVIOURS)
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
    return replace(_shown(turn, purpose), saved=True)


def _lines(filled: Filled, name: str, fewest: int, most: int) -> list[str]:
    """One a line; none at all is fine where the field need not be filled."""
    lines = [" ".join(line.split()) for line in filled.text(name).splitlines() if line.strip()]
    if lines and not fewest <= len(lines) <= most:
        raise Invalid({name: "so_many_lines"}, {name: {"fewest": str(fewest), "most": str(most)}})
    if any(len(line) > LONGEST_LINE for line in lines):
        raise Invalid({name: "line_too_long"}, {name: {"most": str(LONGEST_LINE)}})
    return lines


async def earlier(work: UnitOfWork, turn: Turn) -> Entry:
    movement = turn.as_coordinator()
    versions = (await work.movements.purposes(movement.id))[1 : VERSIONS_SHOWN + 1]
    if not versions:
        raise Refused("not_found")
    names = {
        person.id: person.name_in(turn.person.workspace_id) for person, _ in await work.people.of_movement(movement.id)
    }
    return PurposeVersions(
        versions=tuple(
            Version(
                number=one.version,
                at=one.written_at,
                by=names.get(one.written_by or PersonId(""), ""),
                vision=one.vision,
            )
            for one in versions
        )
    )


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """An earlier version holds again, as a new one."""
    movement = turn.as_coordinator()
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
    return InPlace(entry=replace(_shown(turn, purpose), saved=True))


def _shown(turn: Turn, purpose: Purpose) -> PurposeShown:
    return PurposeShown(
        name=turn.the_movement().name,
        version=purpose.version,
        core_messages=tuple(purpose.core_messages),
        behaviours=tuple(purpose.behaviours),
        may_change=turn.member is not None and turn.member.coordinates,
        **{part: getattr(purpose, part) for part in PARTS},
    )

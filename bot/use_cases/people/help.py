"""Answer with help: what this person can do here now, or the nearest meaning of an unknown word."""

from bot.catalogue.base import Entry
from bot.catalogue.help import Help, Standing
from bot.ports import Turn, UnitOfWork


async def answer(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the help; for an unknown word, with the nearest known one instead of an error."""
    word = turn.text(f"meant_{turn.language.value}")
    has_pages = turn.syntax.pages is not None
    return Help.about(turn.text("text"), turn.text("meant"), word, await _standing(work, turn), pages=has_pages)


async def _standing(work: UnitOfWork, turn: Turn) -> Standing:
    movement = turn.movement
    if movement is None:
        return "newcomer" if turn.place is None else "newcomer_here"
    if await work.stuck.open_of(turn.person.id, movement.id):
        return "stuck"
    return "coordinator" if turn.member is not None and turn.member.coordinates else "member"

"""Help: what can be done, or the nearest thing to what was typed."""

from bot.catalogue.base import Entry
from bot.catalogue.help import Help
from bot.ports import Turn, UnitOfWork


async def answer(work: UnitOfWork, turn: Turn) -> Entry:
    """An unknown word gets the nearest meant one and a short help, never an error."""
    return Help.about(turn.text("text"), turn.text("meant"), turn.text(f"meant_{turn.language.value}"))

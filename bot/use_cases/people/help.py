"""Answer with help: the words that can be typed, or the nearest one to an unknown word."""

from bot.catalogue.base import Entry
from bot.catalogue.help import Help
from bot.ports import Turn, UnitOfWork


async def answer(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the help; for an unknown word, with the nearest known one instead of an error."""
    return Help.about(turn.text("text"), turn.text("meant"), turn.text(f"meant_{turn.language.value}"))

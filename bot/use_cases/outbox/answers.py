"""Compose answers that could not be given at once, and the message that says Ritme goes quiet."""

from bot.catalogue.base import Entry
from bot.catalogue.people import WentQuiet
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork
from bot.sealing import open_entry


async def compose_answer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Return the entry that was stored with the delivery. Raises `Unwanted` when its words were erased."""
    if not outgoing.delivery.args:
        raise Unwanted("taken_back")  # somebody it named was forgotten while it was under way
    return open_entry(outgoing, outgoing.delivery.args)


async def compose_went_quiet(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Return the entry that tells someone Ritme will not start anything by itself for now."""
    return WentQuiet()

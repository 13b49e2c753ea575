"""Answer plain sentences that ask for nothing, that may mean several things, or that somebody in need writes."""

from bot.catalogue.base import Entry
from bot.catalogue.conversation import (
    COORDINATORS_CHOOSE,
    CrisisAnswered,
    MeaningAsked,
    SmallTalkReturned,
    ThanksReturned,
)
from bot.ports import Turn, UnitOfWork


async def return_thanks(work: UnitOfWork, turn: Turn) -> Entry:
    """Answer thanks in one line."""
    return ThanksReturned(variant=turn.now.minute)


async def return_small_talk(work: UnitOfWork, turn: Turn) -> Entry:
    """Answer small talk in one line."""
    return SmallTalkReturned(variant=turn.now.minute)


async def ask_meaning(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask what is meant by `text`, offering the `guesses` (meanings, with spaces between them) that they may choose."""
    coordinates = turn.member is not None and turn.member.coordinates
    guesses = [one for one in turn.text("guesses").split() if coordinates or one not in COORDINATORS_CHOOSE]
    return MeaningAsked(text=turn.text("text"), guesses=tuple(guesses) or ("story", "stuck"))


async def answer_crisis(work: UnitOfWork, turn: Turn) -> Entry:
    """Point to people who can help. The intent holds none of the words: they are not kept, and in no log."""
    return CrisisAnswered(sure=bool(turn.text("sure")), written=bool(turn.text("written")))

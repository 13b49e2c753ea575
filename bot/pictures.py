"""Plan a picture that somebody asks for. It comes in their own chat, and is drawn outside the request, when sent."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from bot.catalogue.pictures import PictureComing
from bot.domain.delivery import to_person
from bot.ports import Turn, UnitOfWork

AFTER_ANSWER = timedelta(seconds=1)
"""Where the answer goes through the outbox too, it comes first: it says what is coming."""
PICTURE_DEADLINE = timedelta(days=1)
"""How long a picture that was asked for may wait."""


async def plan_picture(
    work: UnitOfWork, turn: Turn, kind: str, subject: str = "", words: Mapping[str, str] | None = None
) -> PictureComing:
    """Plan the picture of a kind of delivery for the actor, about `subject`, with `words` of theirs; announce it."""
    movement = turn.require_movement().id
    await work.deliveries.add(
        to_person(
            turn.person,
            kind,
            # Pressed twice, it comes once.
            key=f"{kind}:{turn.person.id}:{movement}:{subject}:{_mark(words)}{turn.now:%Y%m%dT%H%M}",
            now=turn.now,
            movement=movement,
            subject=subject,
            args=dict(words or {}),
            due_at=turn.now if turn.intent.answerable else turn.now + AFTER_ANSWER,
            expires_at=turn.now + PICTURE_DEADLINE,
        )
    )
    return PictureComing()


def _mark(words: Mapping[str, str] | None) -> str:
    """Return what tells pictures with other words apart; nothing for one without words."""
    return f"{sha256(repr(sorted(words.items())).encode()).hexdigest()[:12]}:" if words else ""

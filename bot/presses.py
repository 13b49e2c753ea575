"""Tell presses of buttons and sent forms apart, so that each has its effect once, from whichever device it comes.

A platform's key is of one request: pressing again makes another. A message is therefore worded with the id of its card
in every button, and a form is opened with an id of its own; a press is then known by who presses which button of which
card, a sent form by its id and what was filled in. `Command.again` says which buttons may be pressed again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from bot.chat import CARD, FORM, WITHIN, Intent, Value
from bot.domain.movement import MovementId
from bot.domain.person import WorkspaceId
from bot.ports import UnitOfWork

REOPENS = "reopens"
"""The argument of a button that opens a form that came too late: the id that it has."""
REFUSAL_REPEATED_AFTER = 60
"""Seconds in which a press that is refused, and pressed again, is answered once."""


@lru_cache(maxsize=256)  # of one request it is asked for a few times
def hash_key(key: str) -> str:
    """Hash a request's idempotency key: 40 hexadecimal digits, whatever the platform sends, revealing nothing of who
    sent it."""
    return sha256(key.encode()).hexdigest()[:40]


def press_key(intent: Intent) -> str:
    """Return what identifies a press among all of its workspace; empty for an intent that is no press.

    The message tells the card of a button from before buttons carried it.
    """
    card = intent.text(CARD) or (intent.answer_to or "" if not intent.text(FORM) else "")
    return _key("press", intent, card, _serialize(intent.args)) if card else ""


def submission_key(intent: Intent) -> str:
    """Return what identifies a sent form: sent again with something else in it, it is another. Empty for an intent that
    is no form."""
    return _key("sent", intent, intent.text(FORM), _serialize(intent.args)) if intent.text(FORM) else ""


def locate(intent: Intent) -> tuple[WorkspaceId, str, str | None, MovementId | None]:
    """Return what is known of who acts and where before anything is loaded: workspace, account, channel and, in a
    personal chat, which of someone's movements a button or form there says it is about."""
    is_personal = intent.place.personal
    movement = MovementId(intent.text(WITHIN)) if is_personal and intent.text(WITHIN) else None
    return WorkspaceId(intent.actor.workspace), intent.actor.id, None if is_personal else intent.place.channel, movement


async def claim(work: UnitOfWork, intent: Intent, now: datetime, *, decides: bool) -> Collection[str] | None:
    """Lock the movement that an intent is about, and claim its key; of what `decides` also the press or form, and of a
    form that it was sent: the next one that its button opens gets another id.

    Returns what was claimed beside the key, which a form shown instead of an effect gives up (`release`). Returns None
    when the intent was handled, or the press or form had its effect, before.
    """
    key, act = hash_key(intent.key), (submission_key(intent) or press_key(intent)) if decides else ""
    needed = {key, act} - {""}
    # In order: two transactions that claim the same keys wait for each other, never both.
    keys = sorted({*needed, intent.text(FORM)} - {""})
    claimed = {*await work.inbox.claim_turn(*locate(intent), keys, now)}
    if needed <= claimed:
        return claimed - {key}
    await release(work, intent, claimed - {key})
    return None


async def release(work: UnitOfWork, intent: Intent, claimed: Collection[str]) -> None:
    """Give claims up, because what was meant had no effect: it may be asked for again."""
    if claimed:
        await work.inbox.release(WorkspaceId(intent.actor.workspace), claimed)


async def claim_refusal(work: UnitOfWork, intent: Intent, now: datetime) -> bool:
    """Claim the answer to a press that is refused. Returns False when it was just given: nothing was changed, so a
    later press is tried, and answered, again."""
    key = press_key(intent)
    if not key:
        return True
    minute = int(now.timestamp()) // REFUSAL_REPEATED_AFTER
    return await work.inbox.claim(WorkspaceId(intent.actor.workspace), hash_key(f"refused:{key}:{minute}"), now)


async def make_form_mark(work: UnitOfWork, intent: Intent, now: datetime) -> str:
    """Return the id of the form that an intent opens: until it is sent, every device on which its button is pressed
    opens the same, and so does the button that offers it once more, or who asks for it in the same words again on the
    same day, because nothing seemed to happen."""
    opened_by = submission_key(intent) or press_key(intent)
    if not opened_by:
        opened_by = _key("asked", intent, intent.place.channel, _serialize(intent.args), now.date().isoformat())
    sent, lane = 0, WorkspaceId(intent.actor.workspace)
    if (late := intent.text(REOPENS)) and not await work.inbox.is_claimed(lane, late):
        return late
    while await work.inbox.is_claimed(lane, mark := hash_key(f"form:{opened_by}:{sent}")):
        sent += 1
    return mark


def _key(kind: str, intent: Intent, *parts: str) -> str:
    return hash_key("\0".join((kind, intent.actor.id, intent.name, *parts)))


def _serialize(args: Mapping[str, Value]) -> str:
    return repr(sorted((name, value.strip() if isinstance(value, str) else value) for name, value in args.items()))

"""What a due delivery becomes: a post in words, or nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from bot import commands, wording
from bot.acting import STALE_AFTER, said, within_movement
from bot.catalogue.home import Home
from bot.chat import Message, Page, Post
from bot.domain.attention import Attention
from bot.domain.delivery import Act, Delivery
from bot.errors import Unwanted
from bot.ports import Outgoing, TryLater, UnitOfWork
from bot.ports.turn import lives, speaks
from bot.use_cases import deliveries, threads
from bot.wording import Reader

WORDS_COME = timedelta(minutes=1)
"""When a kind of message nobody here knows is looked at again: during an update another version may know it."""
log = structlog.get_logger("ritme")


async def prepared(work: UnitOfWork, delivery: Delivery, attention: Attention, now: datetime) -> Post | None:
    """The post a due delivery becomes; None when it was dropped or put off. A bug in one message must not hold back all
    that is due in its workspace."""
    try:
        outgoing = await deliveries.prepare(work, delivery, attention, now)
        return await _composed(work, outgoing) if outgoing is not None else None
    except Unwanted as unwanted:
        delivery.drop(unwanted.reason)
    except TryLater as later:
        delivery.wait_until(later.until, later.reason)
    except Exception:
        log.exception("wording_broke", kind=delivery.kind, delivery=delivery.id)
        delivery.fail("broken")
    return None


async def _composed(work: UnitOfWork, outgoing: Outgoing) -> Post:
    """What is sent, in words. Raises `Unwanted` or `TryLater`."""
    delivery = outgoing.delivery
    if delivery.act not in (Act.POST, Act.UPDATE, Act.HOME):
        return _post(outgoing, None, None)
    composer = commands.COMPOSERS.get(delivery.kind)
    if composer is None:
        # Planned by a newer version of Ritme, which sends it: or nobody has words for it any more.
        log.error("no_words", kind=delivery.kind, delivery=delivery.id)
        if outgoing.now - delivery.created_at > STALE_AFTER:
            raise Unwanted("gone")
        raise TryLater(outgoing.now + WORDS_COME, reason="no_words")
    entry = await composer(work, outgoing)
    if not isinstance(entry, Home) or delivery.act is not Act.HOME:
        within = outgoing.movement.id if outgoing.movement and outgoing.place is None else None
        return _post(outgoing, said(entry, _reader(outgoing), within), None)
    page = _page(entry, _reader(outgoing))
    mark = _home_mark(entry, page)
    if outgoing.person is not None and outgoing.person.home_mark == mark:
        raise Unwanted("unchanged")
    delivery.note(mark=mark)
    return _post(outgoing, None, page)


def _page(home: Home, reader: Reader) -> Page:
    page = wording.page(home, reader)
    sections = (replace(one, message=within_movement(one.message, home.movement)) for one in page.sections)
    return replace(page, sections=tuple(sections))


def _home_mark(home: Home, page: Page) -> str:
    """What tells this page from any other: see `Person.home_mark`."""
    return f"{home.movement}:{sha256(repr(page).encode()).hexdigest()[:24]}"


async def addressed(work: UnitOfWork, delivery: Delivery, now: datetime) -> tuple[Post, datetime]:
    """Where and since when to look for a delivery."""
    outgoing = await deliveries.load(work, delivery, now)
    return _post(outgoing, None, None), delivery.attempted_at or delivery.due_at


def _post(outgoing: Outgoing, message: Message | None, page: Page | None) -> Post:
    delivery, account = outgoing.delivery, outgoing.person.account if outgoing.person else None
    if delivery.act is Act.HOME:
        account = account or delivery.target
    return Post(
        delivery=delivery.id,
        workspace=delivery.workspace_id,
        act=delivery.act.value,
        channel=outgoing.place.channel if outgoing.place else None,
        account=account,
        thread=delivery.thread,
        target=delivery.target,
        reaction=delivery.reaction,
        message=message,
        page=page,
        gathers=delivery.kind in threads.GATHERING,
    )


def _reader(outgoing: Outgoing) -> Reader:
    to = (outgoing.person or outgoing.invited_by, outgoing.place, outgoing.movement)
    return Reader(language=speaks(*to), timezone=lives(*to), now=outgoing.now)

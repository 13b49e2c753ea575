"""Compose the post that a due delivery becomes: checked, worded and addressed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from bot import commands, webhooks, wording
from bot.catalogue.base import Entry, FileEntry, PictureEntry, ThreadEntry, list_texts
from bot.catalogue.home import Home
from bot.catalogue.people import TakenBack
from bot.chat import CARD, WITHIN, CommandSyntax, Message, Page, Post, PostedFile, PostedLink, PostedPicture
from bot.domain.attention import Attention
from bot.domain.delivery import Act, Delivery
from bot.domain.forgetting import FORGETS
from bot.domain.ids import new_reference
from bot.domain.person import Person
from bot.domain.webhook import EVENT_KIND
from bot.errors import Unwanted
from bot.outbox.apologies import fail_with_apology
from bot.outbox.checks import check_and_load, load_outgoing
from bot.ports import Outgoing, RetryAfter, UnitOfWork, Vault
from bot.ports.turn import language_for, timezone_for
from bot.use_cases.stories import threads
from bot.wording import Reader

SOONEST_RETRY = timedelta(seconds=1)
PRIVACY = "privacy"
"""The key in `Person.said` of whether they were told that nobody else reads their personal chat."""
ANSWER_TTL = timedelta(days=1)
"""How long an answer that could not be given at once still makes sense."""
UNKNOWN_KIND_RETRY = timedelta(minutes=1)
"""When to look again at a kind of message this version has no composer for: during an upgrade another process may."""
log = structlog.get_logger("ritme")


async def compose_post(
    work: UnitOfWork,
    delivery: Delivery,
    attention: Attention,
    now: datetime,
    syntax: CommandSyntax,
    works_council: bool = False,
    vault: Vault | None = None,
    entry: Entry | None = None,
) -> Post | None:
    """Compose the post for a due delivery. Returns None when it was dropped, failed or rescheduled instead.

    `entry`: what it says, where that was added to the outbox in this transaction, with who is named in it. An
    exception fails this delivery only: a bug in one message must not hold up all that is due in its workspace.
    """
    try:
        outgoing = await check_and_load(
            work, delivery, attention, now, syntax=syntax, works_council=works_council, vault=vault
        )
        return await _compose(work, outgoing, entry) if outgoing is not None else None
    except Unwanted as unwanted:
        delivery.drop(unwanted.reason)
    except RetryAfter as later:
        # Never at once: a composer that asks for a moment that has been would be asked again without end.
        delivery.reschedule(max(later.until, now + SOONEST_RETRY), later.reason)
    except Exception:
        reference = new_reference()
        log.exception("delivery_compose_failed", kind=delivery.kind, delivery=delivery.id, reference=reference)
        await fail_with_apology(work, delivery, "broken", reference, now)
    return None


async def lookup_post(work: UnitOfWork, delivery: Delivery, now: datetime) -> tuple[Post, datetime]:
    """Return the post without words by which a delivery is looked up, and the moment since which it may be there."""
    outgoing = await load_outgoing(work, delivery, now)
    return _address(outgoing), delivery.attempted_at or delivery.due_at


def list_button_args(entry: Entry, within: str | None, card: str) -> dict[str, str]:
    """Return what the buttons of an entry carry: the movement `within`, as in a personal chat nothing else says which
    one they are about, and the id of their `card`. A home page says itself which movement it shows."""
    movement = entry.movement if isinstance(entry, Home) and within else within
    return {WITHIN: movement, CARD: card} if movement else {CARD: card}


def remember_privacy(person: Person | None, entry: Entry, reader: Reader) -> bool:
    """Remember that a personal message says who reads it, so that the next ones need not. Returns whether it does."""
    is_news = reader.personal and not reader.knows_privacy and wording.tells_privacy(entry, reader.language)
    if person is None or not is_news:
        return False
    # A new dict: SQLAlchemy does not notice changes within one.
    person.said = {**person.said, PRIVACY: 1}
    return True


async def _compose(work: UnitOfWork, outgoing: Outgoing, added: Entry | None) -> Post:
    """Word and address a delivery. Raises `Unwanted` or `RetryAfter`."""
    delivery = outgoing.delivery
    if delivery.act not in (Act.POST, Act.UPDATE, Act.HOME):
        return _address(outgoing)
    if delivery.kind == EVENT_KIND:
        return await webhooks.compose_event(work, outgoing)
    composer = commands.COMPOSERS.get(delivery.kind)
    if composer is None:
        # Planned by a newer version of Ritme, which can send it; or no version has a composer for it any more.
        log.error("delivery_kind_unknown", kind=delivery.kind, delivery=delivery.id)
        if outgoing.now - delivery.created_at > ANSWER_TTL:
            raise Unwanted("gone")
        raise RetryAfter(outgoing.now + UNKNOWN_KIND_RETRY, reason="no_words")
    entry = added or await _compose_entry(work, outgoing, composer)
    if not isinstance(entry, Home) or delivery.act is not Act.HOME:
        if added is None and (texts := list_texts(entry)):
            await work.people.note_mentions(delivery.id, delivery.workspace_id, delivery.person_id, texts)
        within = outgoing.movement.id if outgoing.movement and outgoing.place is None else None
        reader = _reader(outgoing)
        if remember_privacy(outgoing.person, entry, reader):
            delivery.add_args(**{PRIVACY: True})  # worded again for a retry, it says so again
        return _address(
            outgoing,
            message=_word(entry, reader, list_button_args(entry, within, delivery.id), is_shared=added is None),
            file=wording.render_file(entry, reader) if isinstance(entry, FileEntry) else None,
            link=_link(entry, reader),
            picture=wording.render_picture(entry, reader) if isinstance(entry, PictureEntry) else None,
        )
    page = _render_page(entry, _reader(outgoing))
    shown = (entry.movement, _digest(page))
    person = outgoing.person
    if person is not None and (person.home_movement, person.home_digest) == shown:
        raise Unwanted("unchanged")
    delivery.add_args(shown=shown)
    sections = (replace(one, message=one.message.carry({CARD: delivery.id})) for one in page.sections)
    return _address(outgoing, page=replace(page, sections=tuple(sections)))


async def _compose_entry(work: UnitOfWork, outgoing: Outgoing, composer: commands.Composer) -> Entry:
    """Return the entry of a delivery. A message that has to lose somebody, and cannot be worded without them, is taken
    back."""
    try:
        return await composer(work, outgoing)
    except Unwanted:
        if not outgoing.delivery.args.get(FORGETS):
            raise
        return TakenBack()


def _word(entry: Entry, reader: Reader, carried: Mapping[str, str], *, is_shared: bool) -> Message:
    """Word an entry; one `is_shared` that others may read in the same words, but for what its buttons have carried."""
    if not is_shared:
        return wording.render_entry(entry, reader, carried)
    return wording.render_entry(entry, reader).carry(carried)


def _link(entry: Entry, reader: Reader) -> PostedLink | None:
    """Return the link to the thread that an entry is about."""
    if not isinstance(entry, ThreadEntry) or not entry.thread:
        return None
    return PostedLink(label=wording.render_link(entry, reader), channel=entry.channel, message=entry.thread)


def _render_page(home: Home, reader: Reader) -> Page:
    page = wording.render_page(home, reader)
    carried = {WITHIN: home.movement} if home.movement else {}
    sections = (replace(one, message=one.message.carry(carried)) for one in page.sections)
    return replace(page, sections=tuple(sections))


def _digest(page: Page) -> str:
    return sha256(repr(page).encode()).hexdigest()[:24]


def _address(
    outgoing: Outgoing,
    *,
    message: Message | None = None,
    page: Page | None = None,
    file: PostedFile | None = None,
    link: PostedLink | None = None,
    picture: PostedPicture | None = None,
) -> Post:
    delivery, account = outgoing.delivery, outgoing.person.account if outgoing.person else None
    if delivery.act in (Act.HOME, Act.POST):
        account = account or delivery.target  # of someone who was forgotten meanwhile
    return Post(
        delivery=delivery.id,
        workspace=delivery.workspace_id,
        act=delivery.act.value,
        channel=outgoing.place.channel if outgoing.place else None,
        account=account,
        thread=delivery.thread,
        target=delivery.target,
        target_channel=delivery.target_channel,
        reaction=delivery.reaction,
        message=message,
        page=page,
        gathers=delivery.kind in threads.GATHERING_KINDS,
        anew=not delivery.args.get(FORGETS),
        file=file,
        link=link,
        picture=picture,
    )


def _reader(outgoing: Outgoing) -> Reader:
    to = (outgoing.person or outgoing.invited_by, outgoing.place, outgoing.movement)
    return Reader(
        language=language_for(*to),
        timezone=timezone_for(*to),
        now=outgoing.now,
        syntax=outgoing.syntax,
        personal=outgoing.place is None,
        in_thread=outgoing.place is not None and outgoing.delivery.thread is not None,
        knows_privacy=bool(outgoing.person and outgoing.person.said.get(PRIVACY))
        and not outgoing.delivery.args.get(PRIVACY),
    )

"""Make an invitation card for a meeting, as a picture and a PDF, for who comes to hand on."""

import json
import zlib

from bot import wording
from bot.catalogue.base import Entry
from bot.catalogue.forms import parse_form
from bot.catalogue.meetings import MAX_CARD_CHARS, MAX_WHERE_CHARS, CardDrawn, CardFile, CardForm
from bot.catalogue.pictures import PictureComing
from bot.domain.delivery import to_person
from bot.domain.meeting import GuestAnswer, Meeting, MeetingId
from bot.domain.movement import Movement
from bot.domain.person import PersonId
from bot.domain.personal_file import CARD_FILE, INVITATION_CARD, LINK_TTL, PersonalFile, PersonalFileId
from bot.errors import Refused, Unwanted
from bot.pictures import AFTER_ANSWER, plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.qr import qr_rows
from bot.wording import Reader

CARD_DRAWN = "card_drawn"
"""The kind of a delivery that gives someone a card, and its template."""


async def open_form(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form of a card. Raises `Refused` for who does not come to the meeting."""
    meeting = await _load(work, turn)
    return CardForm(hidden={"meeting": meeting.id})


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the card as a picture. Raises `Refused` for who does not come to the meeting."""
    meeting = await _load(work, turn)
    filled = parse_form(CardForm, turn.intent.args)
    words = {"where": filled.text("where"), "words": filled.text("words")}
    return await plan_picture(work, turn, CARD_DRAWN, meeting.id, words)


async def compose_card(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the card for who made it. Raises `Unwanted` when they do not come any more."""
    movement, args = outgoing.require_movement(), outgoing.delivery.args
    meeting = await _find(work, movement, outgoing.delivery.subject, outgoing.delivery.person_id)
    if meeting is None:
        raise Unwanted("gone")
    pages = outgoing.syntax.pages
    link = pages.find_address(movement.id) if pages is not None else ""
    return await _make(work, movement, meeting, str(args.get("where", "")), str(args.get("words", "")), link)


async def print_card(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the card as a PDF, with what stands in the picture. Raises `Refused` for who does not come."""
    movement, meeting, now = turn.require_movement(), await _load(work, turn), turn.now
    link = turn.syntax.pages.find_address(movement.id) if turn.syntax.pages is not None else ""
    where, words = turn.text("where")[:MAX_WHERE_CHARS], turn.text("words")[:MAX_CARD_CHARS]
    card = await _make(work, movement, meeting, where, words, link)
    reader = Reader(language=turn.language, timezone=turn.timezone, now=now, personal=True)
    drawn = wording.render_picture(card, reader).data
    file = PersonalFile.ask(turn.person, now, INVITATION_CARD)
    file.made_at = now
    work.files.add(file)
    await work.flush()  # its content is written beside it
    await work.files.set_content(file.id, zlib.compress(json.dumps(drawn, ensure_ascii=False).encode()))
    file.send_again(now)
    await work.deliveries.add(
        to_person(
            turn.person,
            CARD_FILE,
            key=file.delivery_key,
            now=now,
            movement=movement.id,
            subject=file.id,
            due_at=now if turn.intent.answerable else now + AFTER_ANSWER,
            expires_at=file.expires_at,
        )
    )
    return PictureComing()


async def compose_card_file(work: UnitOfWork, outgoing: Outgoing) -> CardFile:
    """Word the message with a card as a PDF. Raises `Unwanted` when it is gone."""
    file = await work.files.get(PersonalFileId(outgoing.delivery.subject))
    if file is None or outgoing.person is None or file.person_id != outgoing.person.id:
        raise Unwanted("gone")
    return CardFile(file=file.id, until=outgoing.now + LINK_TTL)


async def _make(work: UnitOfWork, movement: Movement, meeting: Meeting, where: str, words: str, link: str) -> CardDrawn:
    purpose = await work.movements.purpose(movement.id)
    return CardDrawn(
        meeting=meeting.id,
        movement=movement.name,
        purpose=purpose.vision if purpose is not None else "",
        question=meeting.question,
        at=meeting.at,
        timezone=meeting.timezone,
        where=where,
        words=words,
        code=qr_rows(link) if link else (),
    )


async def _load(work: UnitOfWork, turn: Turn) -> Meeting:
    meeting = await _find(work, turn.require_movement(), turn.text("meeting"), turn.person.id)
    if meeting is None:
        raise Refused("not_found")
    return meeting


async def _find(work: UnitOfWork, movement: Movement, id: str, guest: PersonId | None) -> Meeting | None:
    """Return a meeting that somebody comes to."""
    meeting = await work.connecting.meeting(MeetingId(id), movement.id)
    guests = await work.connecting.guests(meeting.id, movement.id) if meeting is not None else []
    comes = any(person.id == guest and one.answer is GuestAnswer.COMING for one, person in guests)
    return meeting if comes else None

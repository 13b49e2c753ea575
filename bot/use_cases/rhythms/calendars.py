"""Give people a private link by which their own calendar follows the movement, and take it back; or a file that their
calendar takes in once."""

import zlib
from datetime import datetime, timedelta
from functools import partial

from bot.agendas import AgendaFacts, load_facts, load_whole, make_agenda
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.calendars import (
    CalendarComing,
    CalendarFile,
    CalendarLinked,
    CalendarOff,
    CalendarOffered,
    CalendarOn,
    CalendarUnserved,
)
from bot.domain.delivery import to_person
from bot.domain.feed import CalendarFeed
from bot.domain.personal_file import CALENDAR, CALENDAR_FILE, LINK_TTL, PersonalFile, PersonalFileId
from bot.domain.rhythm import RhythmId
from bot.errors import Refused, Unwanted
from bot.ics import write_agenda
from bot.ports import NeedsComputing, Outgoing, Turn, UnitOfWork

FILE_DELAY = timedelta(seconds=1)
"""How long after the answer that announces it a file is sent."""


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Say what a link to this movement is, and offer to make one; when the actor has one, say since when."""
    movement = turn.require_movement()
    if not turn.feeds_url:
        return CalendarUnserved(name=movement.name)
    feed = await work.feeds.of_person(turn.person.id, movement.id)
    return CalendarOn(name=movement.name, since=feed.made_at) if feed else CalendarOffered(name=movement.name)


async def renew(work: UnitOfWork, turn: Turn) -> InPlace:
    """Give the actor a link; one before stops working, unless they take up an offer of their `first` once more."""
    movement = turn.require_movement()
    if not turn.feeds_url:
        return InPlace(entry=CalendarUnserved(name=movement.name))
    feed = await work.feeds.of_person(turn.person.id, movement.id)
    if feed is not None and turn.text("first"):
        return InPlace(entry=CalendarOn(name=movement.name, since=feed.made_at))
    return InPlace(entry=await _give_link(work, turn, feed))


async def revoke(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back the actor's link: nobody reads their calendar by it any more."""
    movement = turn.require_movement()
    feed = await work.feeds.of_person(turn.person.id, movement.id)
    if feed is not None:
        await work.delete(feed)
    return InPlace(entry=CalendarOff(name=movement.name))


async def give_file(work: UnitOfWork, turn: Turn) -> Entry:
    """Put a file in the actor's own chat with the coming moments of one rhythm, or (without one) of the movement and
    themselves. Raises `Refused` when there are none."""
    movement, person, now = turn.require_movement(), turn.person, turn.now
    rhythm = await work.rhythms.get(RhythmId(turn.text("rhythm")), movement.id) if turn.text("rhythm") else None
    if turn.text("rhythm") and (rhythm is None or rhythm.ended_at is not None):
        raise Refused("not_found")
    if turn.computed is None:
        if rhythm is not None:
            facts = await load_facts(work, movement, person, (rhythm,), now, turn.syntax)
        else:
            facts = await load_whole(work, movement, person, now, turn.syntax)
        # Taken in again, it takes the place of what was taken in before.
        revision = int((now - movement.started_at).total_seconds()) // 60
        raise NeedsComputing(partial(_write, facts, max(revision, 0), now))
    if not turn.computed:
        raise Refused("calendar_empty")
    file = PersonalFile.ask(person, now, CALENDAR)
    file.made_at = now
    work.files.add(file)
    await work.flush()  # its content is written beside it
    await work.files.set_content(file.id, turn.computed)
    file.send_again(now)
    await work.deliveries.add(
        to_person(
            person,
            CALENDAR_FILE,
            key=file.delivery_key,
            now=now,
            movement=movement.id,
            subject=file.id,
            # Where the answer goes through the outbox too, it comes first: it says what is coming.
            due_at=now if turn.intent.answerable else now + FILE_DELAY,
            expires_at=file.expires_at,
            args={"kind": rhythm.kind.value if rhythm is not None else ""},
        )
    )
    return CalendarComing()


def _write(facts: AgendaFacts, revision: int, now: datetime) -> bytes:
    """Return the content of a file as it is stored; empty when nothing stands in it."""
    agenda = make_agenda(facts)
    return zlib.compress(write_agenda(agenda, revision=revision, changed_at=now)) if agenda.events else b""


async def compose_file(work: UnitOfWork, outgoing: Outgoing) -> CalendarFile:
    """Word the message with a calendar. Raises `Unwanted` when the file is gone."""
    file = await work.files.get(PersonalFileId(outgoing.delivery.subject))
    if file is None or outgoing.person is None or file.person_id != outgoing.person.id:
        raise Unwanted("gone")
    return CalendarFile(
        file=file.id,
        name=outgoing.require_movement().name,
        kind=str(outgoing.delivery.args.get("kind", "")),
        until=outgoing.now + LINK_TTL,
    )


async def _give_link(work: UnitOfWork, turn: Turn, before: CalendarFeed | None) -> CalendarLinked:
    movement = turn.require_movement()
    feed = before
    if feed is None:
        feed = CalendarFeed.make(turn.person, movement.id, turn.now)
        work.feeds.add(feed)
    link = f"{turn.feeds_url}{feed.renew(turn.now)}.ics"
    return CalendarLinked(name=movement.name, link=link, renewed=before is not None)

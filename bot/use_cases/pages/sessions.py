"""Give people the link to their pages, open a session by it once, and end sessions."""

from collections.abc import Sequence
from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.pages import SESSIONS_SHOWN, BoardLink, BoardOff, BoardSessions, OpenSession
from bot.domain.movement import Member, Movement
from bot.domain.page_session import PageSession, PageSessionId
from bot.domain.person import Person
from bot.ports import Turn, UnitOfWork

HERE = "here"
"""The argument by which the pages tell in which session they are shown."""


async def give_link(work: UnitOfWork, turn: Turn) -> Entry:
    """Give the actor a link to their pages; the one they got before, and did not open, is void."""
    if turn.syntax.pages is None:
        return BoardOff()
    await work.sessions.void_links(turn.person.id)
    session = PageSession.offer(turn.person, turn.now)
    work.sessions.add(session)
    return BoardLink(
        session=session.id, until=session.expires_at, movement=turn.movement.id if turn.movement is not None else ""
    )


async def show(work: UnitOfWork, turn: Turn) -> BoardSessions:
    """Show on which devices the actor's pages are open."""
    found = await work.sessions.of_person(turn.person.id, turn.now)
    return BoardSessions(
        sessions=tuple(
            OpenSession(
                id=one.id,
                device=one.device,
                since=one.opened_at or one.made_at,
                until=one.expires_at,
                here=one.id == turn.text(HERE),
            )
            for one in found[:SESSIONS_SHOWN]
        ),
        more=max(0, len(found) - SESSIONS_SHOWN),
    )


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """End one of the actor's own sessions; without its id, all of them."""
    if named := turn.text("session"):
        await work.sessions.end_one(PageSessionId(named), turn.person.id)
    else:
        await work.sessions.end(turn.person.id)
    found = await show(work, turn)
    return InPlace(entry=BoardSessions(sessions=found.sessions, more=found.more, ended=True))


async def open_session(work: UnitOfWork, id: PageSessionId, digest: str, device: str, now: datetime) -> bool:
    """Open the session of a link on a device. Returns False for a link that was used, voided or is late, and when its
    person may open none any more."""
    session = await work.sessions.lock(id)
    person = await work.sessions.owner(id)
    if session is None or person is None or not session.may_be_opened(now) or not await may_visit(work, person):
        return False
    session.open(digest, device, now, coordinated=await _coordinates(work, person))
    return True


async def identify(
    work: UnitOfWork, digest: str, now: datetime
) -> tuple[PageSession, Person, Sequence[tuple[Movement, Member]]] | None:
    """Return the session of whoever has a secret, whose it is, and the movements they belong to; None when it ended: in
    time, with the role they had, or because they left."""
    found = await work.sessions.opened_by(digest)
    if found is None:
        return None
    session, person = found
    may, belongs = await work.together(may_visit(work, person), work.movements.of_person(person.id))
    coordinates = any(member.coordinates for _, member in belongs)
    if session.lasts(now) and may and (coordinates or not session.coordinated):
        return session, person, belongs
    await work.sessions.end_one(session.id, person.id)
    return None


async def may_visit(work: UnitOfWork, person: Person) -> bool:
    """Return whether someone may open their pages: they are not forgotten, use their account, and Ritme is still
    where they are."""
    if person.account is None or person.deactivated_at is not None:
        return False
    workspace = await work.people.workspace(person.workspace_id)
    return workspace is None or not workspace.is_removed


async def _coordinates(work: UnitOfWork, person: Person) -> bool:
    return any(member.coordinates for _, member in await work.movements.of_person(person.id))

"""The links to the pages, and the sessions they opened."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from adapters.database.repositories.base import Repository
from adapters.database.tables import page_sessions, people
from bot.domain.page_session import PageSession, PageSessionId
from bot.domain.person import Person, PersonId


class SqlPageSessions(Repository):
    """Implements `PageSessions`."""

    async def lock(self, id: PageSessionId) -> PageSession | None:
        wanted = select(PageSession).where(page_sessions.c.id == id).with_for_update()
        return await self._session.scalar(wanted)

    async def opened_by(self, digest: str) -> tuple[PageSession, Person] | None:
        if not digest:
            return None
        found = await self._session.execute(
            select(PageSession, Person)
            .join(people, people.c.id == page_sessions.c.person_id)
            .where(page_sessions.c.digest == digest)
        )
        row = found.one_or_none()
        return (row[0], row[1]) if row is not None else None

    async def owner(self, id: PageSessionId) -> Person | None:
        return await self._session.scalar(
            select(Person).join(page_sessions, people.c.id == page_sessions.c.person_id).where(page_sessions.c.id == id)
        )

    async def of_person(self, person: PersonId, now: datetime) -> Sequence[PageSession]:
        found = await self._session.scalars(
            select(PageSession)
            .where(
                page_sessions.c.person_id == person,
                page_sessions.c.opened_at.is_not(None),
                page_sessions.c.expires_at > now,
            )
            .order_by(page_sessions.c.opened_at.desc(), page_sessions.c.id)
        )
        return found.all()

    async def end(self, person: PersonId) -> None:
        await self._session.post(delete(page_sessions).where(page_sessions.c.person_id == person))

    async def end_one(self, id: PageSessionId, person: PersonId) -> None:
        await self._session.execute(
            delete(page_sessions).where(page_sessions.c.id == id, page_sessions.c.person_id == person)
        )

    async def void_links(self, person: PersonId) -> None:
        await self._session.execute(
            delete(page_sessions).where(page_sessions.c.person_id == person, page_sessions.c.opened_at.is_(None))
        )

    async def sweep(self, now: datetime) -> int:
        done = await self._session.execute(delete(page_sessions).where(page_sessions.c.expires_at <= now))
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

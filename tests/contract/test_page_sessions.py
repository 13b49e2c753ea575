"""Links to the pages and the sessions they open are kept, found and ended alike on both databases."""

from datetime import timedelta

from bot.domain.page_session import PageSession, PageSessionId
from tests.contract.seed import FATIMA, JAN, NOW, Seeded, ids

HOUR = timedelta(hours=1)


def session(id: str, person: str = FATIMA, *, digest: str = "", hours: int = 8) -> PageSession:
    return PageSession(
        id=PageSessionId(id),
        person_id=person,  # type: ignore[arg-type]
        made_at=NOW,
        opened_at=NOW if digest else None,
        expires_at=NOW + hours * HOUR,
        digest=digest,
    )


async def test_a_session_is_found_by_its_secret_only_and_ended_for_its_person_only(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        for one in (session("phone", digest="d1"), session("desk", digest="d2", hours=1), session("link")):
            work.sessions.add(one)
        work.sessions.add(session("other", JAN, digest="d3"))
    async with seeded.begin() as work:
        found = await work.sessions.opened_by("d1")
        assert found is not None
        assert (found[0].id, found[1].id) == ("phone", FATIMA)
        assert await work.sessions.opened_by("") is None  # a link is no session
        assert await work.sessions.opened_by("d9") is None
        assert ids(await work.sessions.of_person(FATIMA, NOW + 2 * HOUR)) == ["phone"]
        link, owner = await work.sessions.lock(PageSessionId("link")), await work.sessions.owner(PageSessionId("link"))
        assert link is not None
        assert owner is not None
        assert (link.digest, owner.id) == ("", FATIMA)
        await work.sessions.end_one(PageSessionId("other"), FATIMA)
        assert await work.sessions.opened_by("d3") is not None
        await work.sessions.void_links(FATIMA)
        assert await work.sessions.lock(PageSessionId("link")) is None
        assert await work.sessions.sweep(NOW + HOUR) == 1
        await work.sessions.end(FATIMA)
        assert await work.sessions.opened_by("d1") is None

"""Quiet towards somebody never drops what they asked for: it is held until they are back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.database.unit_of_work import Begin
from bot.domain.attention import MAX_NUDGES_PER_WEEK
from bot.domain.delivery import Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import UNANSWERED_BEFORE_QUIET, PersonId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY, World, text_of

ANSWERED = "jan"


async def leave_unanswered(begin: Begin, who: str) -> None:
    """Let Ritme go quiet towards somebody."""
    async with begin() as work:
        person = await work.people.get(PersonId(who), MovementId("movement"))
        assert person is not None
        person.unanswered, person.went_quiet_at = UNANSWERED_BEFORE_QUIET, MONDAY


async def plan(world: World, who: str, priority: Priority, key: str = "") -> None:
    """Plan a message to somebody, of whichever kind."""
    async with world.begin() as work:
        person = await work.people.get(PersonId(who), MovementId("movement"))
        assert person is not None
        await work.deliveries.add(
            to_person(
                person,
                "went_quiet",
                key=f"asked:{priority}{key}",
                now=MONDAY,
                movement=MovementId("movement"),
                priority=priority,
            )
        )


async def test_what_came_within_one_day_counts_once(world: World) -> None:
    await world.movement("fatima")
    for number in range(MAX_NUDGES_PER_WEEK):
        await plan(world, "fatima", Priority.ASKED_FOR, key=f"{number}")
    await world.pass_(minutes=5)
    assert len(world.private("fatima")) == MAX_NUDGES_PER_WEEK > 1
    assert await _unanswered(world) == 1
    await plan(world, "fatima", Priority.ASKED_FOR, key="a week later")
    await world.pass_(days=8)
    assert await _unanswered(world) == 2


async def _unanswered(world: World) -> int:
    async with world.begin() as work:
        person = await work.people.get(PersonId("fatima"), MovementId("movement"))
        assert person is not None
        return person.unanswered


async def test_what_somebody_asked_for_comes_once_they_are_back(world: World) -> None:
    await world.movement("fatima")
    await leave_unanswered(world.begin, "fatima")
    await plan(world, "fatima", Priority.ASKED_FOR)
    await world.pass_(days=30)
    assert world.private("fatima") == []
    await world.do("fatima", "help")
    await world.pass_(days=1)
    assert len(world.private("fatima")) == 1


async def test_other_news_is_not_kept(world: World) -> None:
    await world.movement("fatima")
    await leave_unanswered(world.begin, "fatima")
    await plan(world, "fatima", Priority.NEWS)
    await world.pass_(days=1)
    await world.do("fatima", "help")
    await world.pass_(days=8)
    assert world.private("fatima") == []


async def test_an_answer_to_an_invitation_is_held_for_who_sent_it(world: World) -> None:
    await world.movement("fatima", "jan")
    async with world.begin() as work:
        member = await work.movements.membership(MovementId("movement"), PersonId("jan"))
        assert member is not None
        member.agree()
    form = await world.do("fatima", "invite", person="jan")
    await world.submit("fatima", form, text="Loop je mee?")
    await leave_unanswered(world.begin, "fatima")
    await world.press("jan", world.private("jan")[-1], "accept", channel=None)
    await world.pass_(days=3)
    assert not any(ANSWERED in text_of(one) for one in world.private("fatima"))
    await world.do("fatima", "help")
    await world.pass_(hours=25)
    assert any(ANSWERED in text_of(one) for one in world.private("fatima"))


async def test_who_never_comes_back_gets_it_no_more(world: World) -> None:
    await world.movement("fatima")
    await leave_unanswered(world.begin, "fatima")
    await plan(world, "fatima", Priority.ASKED_FOR)
    await world.until(MONDAY + timedelta(days=100))
    await world.do("fatima", "help")
    await world.pass_(days=8)
    assert world.private("fatima") == []


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_an_answer_waits_weeks_for_who_asked(border: Border) -> None:
    async with border.begin() as work:
        (walk,) = await work.initiatives.of_movement(MovementId("movement"))
        part = await work.initiatives.participant(walk.id, PersonId("fatima"))
        assert part is not None
        part.initiator = True
    form = await border.form("fatima", f"/ritme initiatief {walk.name}", "room.ask", button="ask_room")
    until = (MONDAY + timedelta(days=80)).date().isoformat()
    await border.submit("fatima", form, person=("sanne",), until=until)
    await border.until(MONDAY + timedelta(hours=2))
    await leave_unanswered(border.begin, "fatima")
    await border.press("sanne", (await border.to("sanne"))[-1], "grant")
    await border.until(MONDAY + timedelta(days=25))
    assert not any("geeft ruimte" in one.words() for one in await border.to("fatima"))
    await border.type("fatima", "/ritme help")
    await border.until(MONDAY + timedelta(days=27))
    assert any("geeft ruimte" in one.words() for one in await border.to("fatima"))

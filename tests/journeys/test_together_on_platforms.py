"""People are brought together, and see what is being tried, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY

MOVEMENT = MovementId("movement")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def add_rhythm(border: Border, kind: str) -> Any:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    weekly = {"every": "1", "weekdays": ("TU",), "at": "10:00", "place": HERE, "on_holiday": "skip"}
    return await border.submit("iris", form, kind=kind, **weekly)


async def test_three_who_agreed_hear_of_each_other_and_of_who_comes(border: Border) -> None:
    before = len(await border.to("wim"))
    shown = await add_rhythm(border, "meeting")
    assert "ontmoeting" in shown.words().casefold()
    async with border.begin() as work:
        for who in ("fatima", "jan", "sanne"):
            member = await work.movements.membership(MOVEMENT, PersonId(who))
            assert member is not None
            member.meets = True
    await border.until(datetime(2027, 3, 2, 9, 1, tzinfo=UTC))
    post = (await border.to_all())[-1].casefold()
    assert not any(name in post for name in ("fatima", "jan", "sanne"))
    for who in ("fatima", "jan"):
        said = await border.press(who, (await border.to(who))[-1], "come")
        assert "je komt" in said.words()
    await border.until(datetime(2027, 3, 8, 12, tzinfo=UTC))
    told = (await border.to("fatima"))[-1].words().casefold()
    assert "jan" in told
    assert "sanne" not in told
    assert len(await border.to("wim")) == before


async def test_being_brought_together_is_chosen_and_ended_on_ones_own_page(border: Border) -> None:
    form = await border.form("fatima", "/ritme ik", "me.settings", button="settings")
    await border.submit("fatima", form, meets=("movement",))
    page = await border.type("fatima", "/ritme ik")
    assert "breng ik je soms bij elkaar" in page.words()
    said = await border.press("fatima", page, "no_meetings")
    assert "breng je niet meer" in said.words()
    assert "bij elkaar" not in (await border.type("fatima", "/ritme ik")).words()


async def test_what_is_tried_stands_in_the_channel_and_what_is_alike_is_told_apart(border: Border) -> None:
    async with border.begin() as work:
        for who, about in (("fatima", "Bewoners in de tuin"), ("jan", "De tuin open voor bewoners")):
            work.initiatives.add(
                Initiative(id=InitiativeId(about), movement_id=MOVEMENT, name=about, started_by=None, started_at=MONDAY)
            )
            work.initiatives.add(
                Participant(
                    initiative_id=InitiativeId(about),
                    person_id=PersonId(who),
                    movement_id=MOVEMENT,
                    initiator=True,
                    joined_at=MONDAY,
                )
            )
    before = len(await border.to("wim"))
    await add_rhythm(border, "quilt")
    await border.until(datetime(2027, 3, 2, 9, 1, tzinfo=UTC))
    assert "De tuin open voor bewoners" in (await border.to_all())[-1]
    assert "De tuin open voor bewoners" in (await border.to("fatima"))[-1].words()
    assert len(await border.to("wim")) == before


async def test_whom_to_invite_is_told_to_who_asks_alone_with_why_and_somebody_else(border: Border) -> None:
    before = {who: len(await border.to(who)) for who in ("jan", "sanne", "wim")}
    posted = len(await border.to_all())
    async with border.begin() as work:
        for who in ("sanne", "wim"):
            member = await work.movements.membership(MOVEMENT, PersonId(who))
            assert member is not None
            member.suggestible = True
        await work.connecting.strengthen(MOVEMENT, PersonId("fatima"), PersonId("sanne"), MONDAY)
    form = await border.form("fatima", "/ritme verbind", "connect")
    card = await border.submit("fatima", form, initiative="walk", figure="maven")
    said = card.words().casefold()
    assert "sanne" in said
    assert "wim" in said
    assert "jullie kennen elkaar" in said
    assert said.count("voor zover ik mag zeggen") == 1
    assert "kent nog niemand hier wim, en kennen deze twee elkaar niet." in said
    why = (await border.press("fatima", card, "why_these")).words().casefold()
    assert "weet ik niet" in why
    assert "jan" not in why
    other = await border.press("fatima", card, "someone_else")
    assert "verder weet ik nu niemand" in other.words().casefold()
    assert {who: len(await border.to(who)) for who in before} == before
    assert len(await border.to_all()) == posted

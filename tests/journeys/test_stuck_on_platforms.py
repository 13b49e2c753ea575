"""Being stuck leads on, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.initiative import EpisodeId, EpisodeState, Initiative, InitiativeId, StuckEpisode, StuckKind
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from bot.domain.story import Readers, Story, StoryId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY, agree

MOVEMENT = MovementId("movement")
SOLVED = "De nachtzuster kwam zelf kijken toen we om zes uur begonnen."


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def solve(border: Border) -> None:
    """Store that Jan was stuck, that things moved again, and the story he told of it."""
    at = MONDAY - timedelta(days=2)
    about = InitiativeId("night")
    async with border.begin() as work:
        work.initiatives.add(
            Initiative(id=about, movement_id=MOVEMENT, name="Met de nacht", started_by=None, started_at=at)
        )
        await work.flush()
        work.stuck.add(
            StuckEpisode(
                id=EpisodeId("solved"),
                movement_id=MOVEMENT,
                initiative_id=about,
                person_id=PersonId("jan"),
                place_id=None,
                text="Het lukt mij niet",
                kind=StuckKind.REACH,
                state=EpisodeState.BREAKTHROUGH,
                opened_at=at,
                closed_at=at,
            )
        )
        work.stories.add(
            Story(
                id=StoryId("solved"),
                movement_id=MOVEMENT,
                place_id=None,
                teller_id=PersonId("jan"),
                text=SOLVED,
                readers=Readers.MOVEMENT,
                initiative_id=about,
                told_at=at,
            )
        )
    await agree(border.begin, "jan")


async def test_who_solved_it_before_is_shown_and_can_be_asked(border: Border) -> None:
    await solve(border)
    before = len(await border.to("jan"))
    shown = await border.press("fatima", await border.type("fatima", "/vast de nachtzuster komt niet"), "solved")
    assert SOLVED in shown.words()
    assert "Het lukt mij niet" not in shown.words()
    form = await border.press("fatima", shown, "ask_1")
    await border.submit("fatima", form, text="Mag ik je iets vragen over zes uur?")
    asked = (await border.to("jan"))[before:]
    assert ["Mag ik je iets vragen over zes uur?" in one.words() for one in asked] == [True]


async def test_not_now_comes_back_when_chosen_and_is_picked_up(border: Border) -> None:
    rests = await border.press("fatima", await border.type("fatima", "/vast de nachtzuster komt niet"), "not_now")
    await border.press("fatima", rests, "week")
    before = len(await border.to("fatima"))
    await border.until(MONDAY + timedelta(days=6))
    assert len(await border.to("fatima")) == before
    await border.until(MONDAY + timedelta(days=8))
    back = (await border.to("fatima"))[-1]
    assert "nachtzuster" in back.words()
    assert "nachtzuster" in (await border.press("fatima", back, "go_on")).words()
    await border.until(MONDAY + timedelta(days=90))
    assert len([one for one in await border.to("fatima") if "daarna rust het" in one.words()]) == 1


async def test_silent_company_is_replaced_and_else_there_are_questions_and_who_solved_it(border: Border) -> None:
    await solve(border)
    await agree(border.begin, "jan", "sanne", "wim")
    before = {who: len(await border.to(who)) for who in ("jan", "sanne", "wim")}
    offer = await border.press("fatima", await border.type("fatima", "/vast de nachtzuster komt niet"), "company")
    await border.press("fatima", offer, "ask_them")
    await border.until(MONDAY + timedelta(days=3))
    assert "Ik vroeg het nu aan een ander" in (await border.to("fatima"))[-1].words()
    assert {who: len(await border.to(who)) - before[who] for who in before} == dict.fromkeys(before, 1)
    await border.until(MONDAY + timedelta(days=7))
    said = [one for one in await border.to("fatima") if "Misschien helpt een van deze vragen" in one.words()]
    questions = said[-1]
    assert SOLVED in (await border.press("fatima", questions, "solved")).words()

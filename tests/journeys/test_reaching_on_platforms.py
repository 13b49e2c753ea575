"""Being suggested, and how far the network reaches, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.movement import Member, MovementId
from bot.domain.person import Language, Person, PersonId
from tests.drivers.border import HERE, PLATFORMS, THERE, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY

MOVEMENT = MovementId("movement")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def add_early_shift(border: Border) -> None:
    """Add a group of fifteen who know nobody that takes part."""
    async with border.begin() as work:
        lane = (await work.people.coordinators(MOVEMENT))[0].workspace_id
        for number in range(15):
            person = Person(
                id=PersonId(f"n{number}"), workspace_id=lane, account=f"n{number}", name=f"N{number}", created_at=MONDAY
            )
            person.language, person.group = Language.NL, "Vroege dienst"
            work.people.add(person)
            work.movements.add(Member(movement_id=MOVEMENT, person_id=person.id, joined_at=MONDAY))


async def test_a_yes_is_ended_with_one_press(border: Border) -> None:
    async with border.begin() as work:
        member = await work.movements.membership(MOVEMENT, PersonId("sanne"))
        assert member is not None
        member.agree("connector")
    kept = await border.type("sanne", "/ritme ik")
    assert "stelde ik je aan niemand voor, en vroeg ik je niets" in kept.words()
    await border.press("sanne", kept, "withdraw_1")
    async with border.begin() as work:
        member = await work.movements.membership(MOVEMENT, PersonId("sanne"))
    assert member is not None
    assert member.suggestible is False


async def test_a_group_out_of_reach_is_asked_for_names(border: Border) -> None:
    await add_early_shift(border)
    before = len(await border.to_all())
    shown = await border.type("iris", "/ritme bereik")
    assert "nog niet: ongeveer 15" in shown.words()
    form = await border.press("iris", shown, "names_1")
    await border.submit("iris", form, place=HERE)
    posts = await border.to_all()
    assert len(posts) == before + 1
    assert "Wie in Vroege dienst geeft dingen goed door" in posts[-1]


async def test_a_tie_is_made_by_two_who_both_say_so(border: Border) -> None:
    shown = await border.type("iris", "/ritme bereik")
    await border.submit("iris", await border.press("iris", shown, "ties"), place=HERE)
    post = (await border.posts())[-1]
    assert "buiten je eigen team" in post.words()
    form = await border.press("fatima", post, "say_who")
    said = await border.submit("fatima", form, people=("jan",), shown="yes")
    assert "jan kan jouw naam lezen" in said.words().casefold()
    kept = await border.type("jan", "/ritme ik")
    assert "laatst iets gevraagd" in kept.words()
    await border.press("jan", kept, "tie_yes")
    async with border.begin() as work:
        ties = await work.connecting.ties(MOVEMENT)
    assert [(tie.one_id, tie.other_id) for tie in ties] == [("fatima", "jan")]


async def test_a_group_that_stays_out_of_reach_is_told_of_and_asked_for_names_with_one_press(border: Border) -> None:
    await add_early_shift(border)
    for days in (1, 8, 36, 43, 71, 78):
        await border.until(MONDAY + timedelta(days=days, hours=1))
    told = [one for one in await border.to("iris") if "In Vroege dienst kennen" in one.words()]
    assert len(told) == 1
    said = await border.press("iris", told[0], "ask_there")
    assert "zodra het daar past" in said.words()
    place = next(one for one in (HERE, THERE, "kantoor", "wijkteam-noord") if one in said.words())
    posts = await border.to_all(place)
    assert len([one for one in posts if "Wie in Vroege dienst geeft dingen goed door" in one]) == 1

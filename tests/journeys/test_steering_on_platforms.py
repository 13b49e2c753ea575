"""A moment opens, and who carries an initiative is asked about its direction, rarely, on each platform."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.initiative import InitiativeId
from bot.domain.movement import Member, MovementId
from bot.domain.person import Person, PersonId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY

MOVEMENT, WALK = MovementId("movement"), InitiativeId("walk")
NAME = "Wandelen na het eten"


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    """Yield a border at which Fatima carries an initiative that Jan takes part in."""
    async with open_border(request.param, tmp_path) as fresh:
        async with fresh.begin() as work:
            part = await work.initiatives.participant(WALK, PersonId("fatima"))
            assert part is not None
            part.initiator = True
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def tell(border: Border, who: str, text: str, dimension: str = "") -> None:
    form = await border.form(who, "/ritme verhaal", "story", button="tell_story")
    await border.submit(who, form, text=text, initiative="walk", dimension=dimension)


async def asked(border: Border, who: str = "fatima") -> list[str]:
    """Return the questions about the direction of the initiative that somebody got."""
    texts = [one.words() for one in await border.to(who)]
    return [one for one in texts if NAME in one and "Een antwoord hoeft niet" in one]


async def do_too(border: Border, *people: str) -> None:
    for who in people:
        post = next(one for one in await border.posts() if "rondje" in one.words())
        await border.press(who, post, "ripple")


async def test_a_story_that_suddenly_ripples(border: Border) -> None:
    await tell(border, "fatima", "We liepen een rondje.")
    await do_too(border, "jan", "wim")
    assert await asked(border) == []
    await do_too(border, "sanne")
    (question,) = await asked(border)
    assert "overgenomen" in question
    for who in ("jan", "wim", "sanne", "iris"):
        assert await asked(border, who) == []


async def test_a_question_leads_to_an_experiment_or_a_step_of_that_initiative(border: Border) -> None:
    await tell(border, "fatima", "We liepen een rondje.")
    await do_too(border, "jan", "wim", "sanne")
    card = next(one for one in await border.to("fatima") if "Een antwoord hoeft niet" in one.words())
    form = await border.press("fatima", card, "experiment")
    said = await border.submit("fatima", form, trying="Elke avond samen", sign="Ze vragen erom", day="2027-03-16")
    assert "Elke avond samen" in said.words()
    async with border.begin() as work:
        (tried,) = await work.experiments.of_initiative(WALK, MOVEMENT, 5)
    assert tried.trying == "Elke avond samen"
    form = await border.press("fatima", card, "choose_step")
    await border.submit("fatima", form, cue="het avondeten klaar is", action="vraag ik Jan mee", on_my_own="yes")
    async with border.begin() as work:
        (step,) = await work.steps.planned_of(PersonId("fatima"), MOVEMENT)
    assert step.initiative_id == WALK


async def test_the_first_of_a_group_who_joins(border: Border) -> None:
    async with border.begin() as work:
        lane = (await work.people.coordinators(MOVEMENT))[0].workspace_id
        for number in range(2):
            other = PersonId(f"night{number}")
            work.people.add(
                Person(id=other, workspace_id=lane, account=other, name=other, group="nacht", created_at=MONDAY)
            )
            await work.flush()
            work.movements.add(Member(movement_id=MOVEMENT, person_id=other, joined_at=MONDAY))
        for who in ("sanne", "wim", "iris"):
            person = await work.people.get(PersonId(who), MOVEMENT)
            assert person is not None
            person.group = "nacht"
    for hour, who in enumerate(("sanne", "wim"), start=1):
        listed = await border.type(who, "/ritme initiatieven")
        shown = await border.press(who, listed, "look_1")
        await border.press(who, shown, "join")
        await border.until(MONDAY + timedelta(hours=hour))
    (question,) = await asked(border)
    assert "andere groep" in question


async def test_three_broadening_moments_in_a_row_at_most_monthly(border: Border) -> None:
    for number, dimension in enumerate(("broaden", "deepen", "broaden", "broaden")):
        await tell(border, "jan", f"We liepen rondje {number}.", dimension)
        await border.until(MONDAY + timedelta(hours=number + 1))
    assert await asked(border) == []
    await tell(border, "wim", "Nu loopt de nachtdienst mee.", "broaden")
    (question,) = await asked(border)
    assert "breder" in question
    await border.until(MONDAY + timedelta(days=10))
    await tell(border, "wim", "En de keuken.", "broaden")
    assert len(await asked(border)) == 1
    await border.until(MONDAY + timedelta(days=36))
    await tell(border, "wim", "En de tuinman.", "broaden")
    assert len(await asked(border)) == 2


async def test_one_who_stopped_is_not_asked_but_another_who_carries_it(border: Border) -> None:
    async with border.begin() as work:
        part = await work.initiatives.participant(WALK, PersonId("jan"))
        assert part is not None
        part.initiator = True
    said = await border.type("fatima", "/ritme stop")
    await border.press("fatima", said, "stop")
    await tell(border, "wim", "We liepen een rondje.")
    await do_too(border, "iris", "sanne", "jan")
    assert await asked(border) == []
    (question,) = await asked(border, "jan")
    assert "overgenomen" in question

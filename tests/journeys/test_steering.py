"""Direction is asked about when a moment opens, and rarely."""

from datetime import timedelta

import pytest

from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.support.world import World, text_of

PEOPLE = ("jan", "noor", "kwame", "sanne", "bo", "wim")


@pytest.fixture
async def walking(world: World) -> World:
    """Return a world in which Fatima carries an initiative, beside six others of the night."""
    await world.movement("fatima", *PEOPLE)
    async with world.begin() as work:
        for who in PEOPLE:
            person = await work.people.get(PersonId(who), MovementId("movement"))
            assert person is not None
            person.group = "nacht"
    await world.do("fatima", "initiative.save", args={"name": "Wandelen", "description": ""})
    return world


async def walk(world: World) -> str:
    async with world.begin() as work:
        return (await work.initiatives.of_movement(MovementId("movement")))[0].id


async def tell(world: World, who: str = "fatima", dimension: str = "") -> str:
    values = {"text": f"We liepen {world.clock.now():%d %H}.", "named": "without", "readers": "movement"}
    await world.do(who, "story.save", args={**values, "dimension": dimension}, initiative=await walk(world))
    async with world.begin() as work:
        return (await work.stories.of_teller(PersonId(who), 1))[0].id


def asked(world: World) -> list[str]:
    """Return the questions about direction; one about an initiative that is silent is no such question."""
    texts = map(text_of, world.private("fatima"))
    return [text for text in texts if "Wandelen" in text and "Een antwoord hoeft niet" in text]


async def test_a_story_that_suddenly_ripples(walking: World) -> None:
    story = await tell(walking)
    for who in ("jan", "noor"):
        await walking.do(who, "ripple", story=story)
    await walking.pass_(days=1)
    assert asked(walking) == []
    await walking.do("kwame", "ripple", story=story)
    assert "overgenomen" in asked(walking)[0]
    assert walking.private("jan") == []
    for who in ("sanne", "bo"):
        await walking.do(who, "ripple", story=story)
    await walking.pass_(days=20)
    assert len(asked(walking)) == 1


async def test_the_first_of_a_group_who_joins(walking: World) -> None:
    for who in ("jan", "noor"):
        await walking.pass_(hours=1)
        await walking.do(who, "initiative.join", initiative=await walk(walking), channel=None)
    assert len(asked(walking)) == 1
    assert "andere groep" in asked(walking)[0]


async def test_a_story_that_is_changed_into_a_third_broadening_one(walking: World) -> None:
    for _ in range(2):
        await tell(walking, dimension="broaden")
        await walking.pass_(minutes=1)
    last = await tell(walking, dimension="deepen")
    form = await walking.do("fatima", "story.change", story=last, channel=None)
    await walking.submit("fatima", form, channel=None, text="We liepen met meer.")
    await walking.pass_(days=1)
    assert asked(walking) == []
    form = await walking.do("fatima", "story.change", story=last, channel=None)
    await walking.submit("fatima", form, channel=None, dimension="broaden")
    await walking.pass_(days=1)
    assert "steeds breder" in asked(walking)[0]


async def test_three_broadening_moments_in_a_row(walking: World) -> None:
    for dimension in ("broaden", "deepen", "broaden", "broaden"):
        await tell(walking, dimension=dimension)
        await walking.pass_(hours=1)
    assert asked(walking) == []
    await tell(walking, dimension="broaden")
    assert "breder" in asked(walking)[0]
    for _ in range(5):
        await walking.pass_(days=8)
        await tell(walking, dimension="broaden")
    assert len(asked(walking)) == 2


async def test_a_closed_initiative_is_asked_nothing(walking: World) -> None:
    story = await tell(walking)
    await walking.do("fatima", "initiative.close", initiative=await walk(walking))
    for who in ("jan", "noor", "kwame"):
        await walking.do(who, "ripple", story=story)
    assert asked(walking) == []


@pytest.mark.parametrize("again", [timedelta(days=10), timedelta(days=32)])
async def test_it_is_rare(walking: World, again: timedelta) -> None:
    for _ in range(2):
        story = await tell(walking)
        for who in ("jan", "noor", "kwame"):
            await walking.do(who, "ripple", story=story)
        await walking.until(walking.clock.now() + again)
    assert len(asked(walking)) == (2 if again.days > 31 else 1)

"""Somebody stuck reads who solved it before, and can ask them; never who was stuck."""

import pytest

from bot.chat import Form, Reply
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.journeys.test_stuck import add_initiative, buttons, episode
from tests.support.world import World, agree, text_of

MOVEMENT = MovementId("movement")
SOLVED = "De nachtzuster kwam zelf kijken toen we om zes uur begonnen."


async def report(world: World, who: str, text: str, *, kind: str = "reach", **values: str) -> Reply:
    form = await world.do(who, "stuck.new")
    return await world.submit(who, form, text=text, kind=kind, audience="me", **values)


async def solve(world: World, who: str, story: str = SOLVED, *, kind: str = "reach", **values: str) -> None:
    """Have someone get stuck, move again, and tell how that came about."""
    welcome = await report(world, who, "Het lukt mij niet", kind=kind)
    assert text_of(welcome)
    spell = (await episode(world, who)).id
    ended = await world.do(who, "stuck.moves_again", episode=spell)
    form = await world.press(who, ended, "tell_story")
    await world.submit(who, form, **{"text": story, "named": "with", "readers": "movement", **values})
    await world.pass_(minutes=5)


@pytest.fixture
async def solved(world: World) -> World:
    """Return a world in which Jan, who tries something with Noor, told how things got moving."""
    await world.movement("fatima", "jan", "noor", "bram")
    await add_initiative(world, "jan", "noor")
    await solve(world, "jan")
    return world


async def look(world: World, text: str = "Niemand doet mee", **values: str) -> Reply:
    return await world.press("fatima", await report(world, "fatima", text, **values), "solved")


async def test_a_story_about_the_same_kind_is_shown_with_its_teller(solved: World) -> None:
    shown = text_of(await look(solved))
    assert SOLVED in shown
    assert "jan" in shown
    assert "Het lukt mij niet" not in shown


async def test_alike_words_find_a_story_of_another_kind(solved: World) -> None:
    assert SOLVED in text_of(await look(solved, "De nachtzusters willen niet beginnen", kind="energy"))


async def test_what_is_not_alike_offers_nothing(solved: World) -> None:
    welcome = await report(solved, "fatima", "De printer staat stil", kind="rules")
    assert "solved" not in buttons(welcome)


async def test_ones_own_story_is_not_somebody_elses(solved: World) -> None:
    assert "solved" not in buttons(await report(solved, "jan", "Niemand doet mee"))


async def test_a_story_of_a_colleague_about_the_initiative_after_the_breakthrough(solved: World) -> None:
    form = await solved.do("noor", "story", args={"initiative": "samen-wandelen"})
    await solved.submit("noor", form, text="Ook de avond loopt nu mee.", named="without", readers="movement")
    shown = text_of(await look(solved))
    assert "Ook de avond loopt nu mee." in shown
    assert "Iemand vertelde" in shown
    assert "noor" not in shown


async def test_no_story_before_the_breakthrough_or_long_after_it(solved: World) -> None:
    await solved.pass_(days=40)
    form = await solved.do("noor", "story", args={"initiative": "samen-wandelen"})
    await solved.submit("noor", form, text="Veel later.", named="with", readers="movement")
    assert "Veel later." not in text_of(await look(solved))


async def test_no_story_that_stays_where_it_was_told_or_was_taken_back(world: World) -> None:
    await world.movement("fatima", "jan")
    await solve(world, "jan", readers="thread")
    assert "solved" not in buttons(await report(world, "fatima", "Niemand doet mee"))
    await solve(world, "jan")
    welcome = await report(world, "fatima", "Niemand doet echt mee")
    async with world.begin() as work:
        told = await work.stories.of_teller(PersonId("jan"), 9)
    for one in told:
        await world.do("jan", "story.withdraw", story=one.id)
    assert SOLVED not in text_of(await world.press("fatima", welcome, "solved"))


async def test_what_somebody_told_only_themselves_finds_nothing(world: World) -> None:
    await world.movement("fatima", "jan")
    await report(world, "jan", "Ruzie over de wasserij", kind="other")
    await world.do("jan", "stuck.moves_again", episode=(await episode(world, "jan")).id)
    form = await world.do("jan", "story", args={})
    await world.submit("jan", form, text="We dronken samen koffie.", named="with", readers="movement")
    assert "solved" not in buttons(await report(world, "fatima", "Ruzie over de wasserij", kind="opposition"))


async def test_at_most_three_and_the_most_alike_first(world: World) -> None:
    await world.movement("fatima", "a", "b", "c", "d")
    for who, story in (("a", "Taart hielp."), ("b", "Bellen hielp."), ("c", SOLVED), ("d", "Wachten hielp.")):
        await solve(world, who, story)
    shown = text_of(await look(world, "De nachtzuster begint niet"))
    assert shown.index(SOLVED) < shown.index("Wachten hielp.") < shown.index("Bellen hielp.")
    assert "Taart hielp." not in shown


async def test_the_teller_can_be_asked_in_ones_own_words_when_they_agreed(solved: World) -> None:
    assert "ask_1" not in buttons(await look(solved))
    await agree(solved.begin, "jan")
    shown = await look(solved)
    assert solved.private("jan") == []
    form = await solved.press("fatima", shown, "ask_1")
    assert isinstance(form, Form)
    await solved.submit("fatima", form, channel=None)
    (asked,) = solved.private("jan")
    assert "fatima" in text_of(asked)
    assert SOLVED[:20] in text_of(asked)
    assert "Niemand doet mee" not in text_of(asked)


async def test_who_told_it_without_a_name_is_not_asked(world: World) -> None:
    await world.movement("fatima", "jan")
    await agree(world.begin, "jan")
    await solve(world, "jan", named="without")
    shown = await look(world)
    assert "jan" not in text_of(shown)
    assert "ask_1" not in buttons(shown)

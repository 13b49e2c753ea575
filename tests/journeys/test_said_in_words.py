"""People type words after a command, or a country in a sentence, and are taken at their word, whole."""

import pytest
from sqlalchemy import text as sql

from bot.chat import Form
from tests.support.stories import latest_story
from tests.support.world import World, text_of


@pytest.mark.parametrize("typed", ["zoek bus", "zoek de bus", "zoeken bus", "zoek dankjewel", "search weather"])
async def test_a_typed_command_is_obeyed_whatever_its_words_look_like(world: World, typed: str) -> None:
    await world.movement("fatima")
    assert typed.partition(" ")[2] in text_of(await world.type("fatima", f"/ritme {typed}"))
    assert "weet niet zeker" not in text_of(await world.type("fatima", f"/ritme {typed}"))


@pytest.mark.parametrize("typed", ["vast bedankt voor de moeite", "kans op regen morgen?"])
async def test_a_saying_that_begins_like_a_command_is_no_command(world: World, typed: str) -> None:
    await world.movement("fatima")
    assert not isinstance(await world.type("fatima", f"/ritme {typed}"), Form)


@pytest.mark.parametrize(
    "said", ["kan de tuin ook van de buurt worden", "wij vroegen ons af waarom de deur dicht bleef"]
)
async def test_a_word_that_is_the_beginning_of_a_command_begins_a_sentence(world: World, said: str) -> None:
    await world.movement("fatima")
    assert said in text_of(await world.type("fatima", f"/ritme {said}"))


@pytest.mark.parametrize("who", ["iris", "fatima"])
@pytest.mark.parametrize(
    "said",
    [
        "wij werken in Duitsland, de nachtdienst daar deed het heel anders",
        "mijn schoonmoeder woont in België",
        "mijn moeder woont in Duitsland",
        "mijn moeder vierde de feestdagen bij ons",
        "we work in Germany, the night shift there did it very differently",
        "my mother lives in Germany",
    ],
)
async def test_a_story_with_a_country_in_it_stays_its_tellers(world: World, who: str, said: str) -> None:
    await world.movement("fatima")
    asked = await world.type(who, f"/ritme {said}")
    assert said in text_of(asked)
    assert ("Land en feestdagen" in str(asked)) is (who == "iris")
    form = await world.press(who, asked, "story")
    assert isinstance(form, Form)
    assert {one.name: one.value for one in form.fields}["text"] == said


@pytest.mark.parametrize("typed", ["verhaal wij werken in Duitsland, de nachtdienst daar deed het heel anders"])
async def test_after_story_a_country_is_part_of_the_story(world: World, typed: str) -> None:
    await world.movement()
    await world.type("iris", f"/ritme {typed}")
    assert (await latest_story(world, "iris")).text == typed.partition(" ")[2]


async def test_what_is_not_understood_is_quoted_and_carried_whole(world: World) -> None:
    await world.movement("fatima")
    said = "onze website moet de verhalen kunnen tonen"
    asked = await world.type("fatima", f"/ritme {said}")
    assert said in text_of(asked)
    form = await world.press("fatima", asked, "story")
    assert isinstance(form, Form)
    assert {one.name: one.value for one in form.fields}["text"] == said


@pytest.mark.parametrize("typed", ["/ritme story door", "/ritme verhaal deur", "/verhaal deur", "/story door"])
async def test_a_command_about_stories_is_no_story(world: World, typed: str) -> None:
    await world.movement()
    shown = await world.type("iris", typed)
    assert text_of(shown) == text_of(await world.type("iris", "/ritme deur"))
    assert await _count_stories(world) == 0


@pytest.mark.parametrize("typed", ["/ritme verhaal overdracht", "/verhaal overdracht"])
async def test_a_story_of_one_word_opens_the_form_with_it(world: World, typed: str) -> None:
    await world.movement("fatima")
    form = await world.type("fatima", typed)
    assert isinstance(form, Form)
    assert {one.name: one.value for one in form.fields}["text"] == "overdracht"
    assert await _count_stories(world) == 0


async def _count_stories(world: World) -> int:
    async with world.database.connect() as connection:
        return (await connection.execute(sql("SELECT count(*) FROM stories"))).scalar_one()

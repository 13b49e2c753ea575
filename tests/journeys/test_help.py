"""Help says what this person can do here now, and no more."""

import pytest

from bot.catalogue.help import Help
from bot.domain.person import Language
from bot.wording import Reader, render_entry
from tests.support.world import MONDAY, World, button_of, text_of


@pytest.mark.parametrize("language", list(Language), ids=str)
@pytest.mark.parametrize("entry", Help.examples(), ids=repr)
def test_it_is_three_lines_at_most(entry: Help, language: Language) -> None:
    message = render_entry(entry, Reader(language=language, timezone="Europe/Amsterdam", now=MONDAY))
    assert len([one for one in message.paragraphs if one.kind != "small"]) <= 3
    assert len(message.text.split()) <= 60
    assert len(message.buttons) <= 4


async def test_a_newcomer_is_told_where_to_begin(world: World) -> None:
    there = await world.type("jan", "/ritme help", channel="lounge")
    assert {button.intent for button in there.message.buttons} == {"start", "start.join"}  # type: ignore[union-attr]
    assert "/ritme start" in text_of(await world.type("jan", "/ritme help", channel=None))


async def test_it_follows_from_who_asks(world: World) -> None:
    await world.movement("fatima")
    assert button_of(await world.type("iris", "/ritme help"), "rhythm")
    member = await world.type("fatima", "/ritme help")
    assert button_of(member, "stuck")
    assert "/ritme ritme" not in text_of(member)
    await world.type("fatima", "/vast de overdracht loopt niet")
    assert button_of(await world.type("fatima", "/ritme help"), "go_on")


async def test_an_unknown_word_gets_the_nearest_meaning_only(world: World) -> None:
    await world.movement("fatima")
    asked = await world.type("fatima", "/ritme bedoling")
    assert "/ritme bedoeling" in text_of(asked)
    assert len(text_of(asked).splitlines()) <= 2
    assert await world.press("fatima", asked, "do_it") is not None
    assert "/ritme thuis" in text_of(await world.press("fatima", asked, "else"))

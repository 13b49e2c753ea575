"""A leader who was asked says support for an initiative, once and short; it stands in the background, and can be taken
back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chat import FieldErrors, Form, Reply
from bot.domain.person import PersonId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.journeys.test_rooms import ASKED, ask_for_room
from tests.journeys.test_welcomes import begin_walk
from tests.support.readers import find_untrue
from tests.support.world import MONDAY, MOVEMENT, World, members_of, text_of

WORDS = "Mooi dat jullie dit proberen."
STANDS = f"Steun op de achtergrond, van karin: “{WORDS}”"


async def ask_for_support(world: World) -> str:
    """Let Fatima ask Karin for support alone; return the initiative's id."""
    await world.movement("fatima", "jan")
    walk = await begin_walk(world)
    form = await world.do("fatima", "room.ask", initiative=walk)
    assert {one.name for one in form.fields} >= {"wanted", "asking"}  # type: ignore[union-attr]
    await world.submit("fatima", form, wanted="support", person=("karin",))
    assert "fatima vraagt je om steun voor Wandelen" in text_of(world.private("karin")[0])
    return walk


async def support(world: World, shown: object) -> Reply:
    form = await world.press("karin", shown, "support", channel=None)  # type: ignore[arg-type]
    assert isinstance(form, Form)
    return await world.submit("karin", form, channel=None, words=WORDS)


async def look(world: World, walk: str) -> str:
    return text_of(await world.do("jan", "initiative.look", initiative=walk))


async def look_back(world: World, walk: str) -> str:
    return text_of(await world.do("jan", "lookback", initiative=walk, channel=None))


async def test_who_gave_room_says_support_once_and_it_ends_with_the_room(world: World) -> None:
    walk = await ask_for_room(world)
    given = await world.press("karin", world.private("karin")[0], "grant", channel=None)
    said = await support(world, given)
    assert "Iedereen in de beweging kan het lezen" in text_of(said)
    await world.pass_(days=1)
    assert f"karin steunt Wandelen: {WORDS}" in " ".join(text_of(world.private("fatima")[-1]).split())
    assert STANDS in await look(world, walk)
    assert f"karin steunde dit op de achtergrond: {WORDS}" in await look_back(world, walk)
    again = await world.do("karin", "support.give", room=room_of(given), channel=None)
    assert "al beantwoord" in text_of(again)
    await world.until(datetime(2027, 3, 29, 22, 1, tzinfo=UTC))
    assert "Steun op" not in await look(world, walk)
    assert WORDS in await look_back(world, walk)


def room_of(shown: Reply) -> str:
    return str(shown.message.buttons[0].args["room"])  # type: ignore[union-attr]


async def test_support_alone_can_be_asked_for_in_the_same_form(world: World) -> None:
    walk = await ask_for_support(world)
    card = world.private("karin")[0]
    assert card.message is not None
    assert [button.name for button in card.message.buttons] == ["support", "talk", "decline"]
    await support(world, card)
    shown = await look(world, walk)
    assert STANDS in shown
    assert "Ruimte tot" not in shown
    await world.pass_(days=9)
    assert not any("hoorde ik nog niets" in text_of(one) for one in world.private("fatima"))


async def test_support_is_taken_back_in_one_press_wherever_it_stands(world: World) -> None:
    walk = await ask_for_support(world)
    said = await support(world, world.private("karin")[0])
    await world.pass_(days=1)
    assert WORDS in text_of(world.private("fatima")[-1])
    gone = await world.press("karin", said, "undo", channel=None)
    assert "Je steun is weg" in text_of(gone)
    await world.pass_(hours=1)
    assert WORDS not in await look(world, walk)
    assert WORDS not in await look_back(world, walk)
    assert not any(WORDS in text_of(one) for one in world.private("fatima"))
    assert "nam de steun voor Wandelen terug" in text_of(world.private("fatima")[-1])


async def test_a_look_back_in_a_place_loses_it_too(world: World) -> None:
    walk = await ask_for_support(world)
    await world.do("jan", "initiative.join", initiative=walk)
    said = await support(world, world.private("karin")[0])
    await world.do("fatima", "history.begin", initiative=walk)
    await world.pass_(days=8)
    assert any(WORDS in text_of(one) for one in world.posts())
    await world.press("karin", said, "undo", channel=None)
    await world.pass_(hours=1)
    assert not any(WORDS in text_of(one) for one in (*world.posts(), *world.private("jan"), *world.private("fatima")))


async def test_nobody_is_seen_or_steered_by_it(world: World) -> None:
    walk = await ask_for_support(world)
    said = await support(world, world.private("karin")[0])
    assert "jan" not in text_of(said)
    assert world.posts() == world.private("jan") == []
    async with world.begin() as work:
        assert "karin" not in {person.account for person in await members_of(work)}
    assert WORDS not in text_of(await world.do("iris", "lookback", channel=None)), "no moment of the movement"
    assert walk


async def test_who_declined_or_was_not_asked_says_none(world: World) -> None:
    walk = await ask_for_room(world)
    card = world.private("karin")[0]
    about = card.message.buttons[0].args  # type: ignore[union-attr]
    await world.press("karin", card, "decline", channel=None)
    for who in ("karin", "jan"):
        await world.do(who, "support.save", args={**about, "words": WORDS}, channel=None)
    assert WORDS not in await look(world, walk)


async def test_a_grant_is_no_answer_to_who_asked_for_support_alone(world: World) -> None:
    walk = await ask_for_support(world)
    about = world.private("karin")[0].message.buttons[0].args  # type: ignore[union-attr]
    await world.do("karin", "room.grant", args=about, channel=None)
    assert "Ruimte tot" not in await look(world, walk)


async def test_words_of_support_are_looked_through_for_what_gives_a_client_away(world: World) -> None:
    walk = await ask_for_support(world)
    form = await world.press("karin", world.private("karin")[0], "support", channel=None)
    asked = await world.submit("karin", form, channel=None, words="Fijn voor mevrouw Bos van kamer 12")
    assert "mevrouw Bos" in text_of(asked)
    assert "Steun op" not in await look(world, walk)
    await world.press("karin", asked, "without", channel=None)
    shown = await look(world, walk)
    assert "Steun op" in shown
    assert "Bos" not in shown


async def test_somebody_who_cannot_be_asked_is_said_beside_the_field(world: World) -> None:
    await world.movement("fatima", "jan")
    walk = await begin_walk(world)
    await world.do("jan", "stop.me", channel=None)
    said = await world.do("fatima", "room.send", args={**ASKED, "person": ("jan",), "initiative": walk})
    assert isinstance(said, FieldErrors)
    assert set(said.errors) == {"person"}


async def test_who_is_forgotten_takes_their_support_along(world: World) -> None:
    walk = await ask_for_support(world)
    await support(world, world.private("karin")[0])
    await world.pass_(days=1)
    await world.do("karin", "me.forget", channel=None)
    await world.pass_(hours=1)
    assert WORDS not in await look(world, walk)
    assert not any("karin" in text_of(one) or WORDS in text_of(one) for one in world.private("fatima"))


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_support_is_asked_for_said_and_taken_back(border: Border) -> None:
    async with border.begin() as work:
        (walk,) = await work.initiatives.of_movement(MOVEMENT)
        part = await work.initiatives.participant(walk.id, PersonId("fatima"))
        assert part is not None
        part.initiator = True
    line = f"/ritme initiatief {walk.name}"
    form = await border.form("fatima", line, "room.ask", button="ask_room")
    day = (MONDAY + timedelta(days=20)).date().isoformat()
    await border.submit("fatima", form, person=("sanne",), until=day, wanted="support")
    await border.until(MONDAY + timedelta(hours=4))
    card = (await border.to("sanne"))[-1]
    assert "om steun" in card.words()
    form = await border.press("sanne", card, "support")
    said = await border.submit("sanne", form, words=WORDS)
    assert WORDS in said.words()
    await border.until(MONDAY + timedelta(hours=6))
    assert WORDS in (await border.to("fatima"))[-1].words()
    assert WORDS in (await border.type("jan", line)).words()
    gone = await border.press("sanne", said, "undo")
    assert "Je steun is weg" in gone.words()
    assert WORDS not in (await border.type("jan", line)).words()

"""Somebody asks a leader for room to try something; the answer reaches them, and the room ends by itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chat import FieldErrors
from bot.domain.person import PersonId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.journeys.test_stuck import submit_stuck
from tests.journeys.test_welcomes import begin_walk
from tests.support.readers import find_untrue
from tests.support.world import MONDAY, MOVEMENT, World, members_of, text_of

ASKED = {"trying": "Samen buiten eten.", "asking": "Mag dat ook op zondag?", "until": "2027-03-29"}


async def ask_for_room(world: World, whom: str = "karin") -> str:
    """Let Fatima ask somebody for room for her initiative; return its id."""
    await world.movement("fatima", "jan")
    walk = await begin_walk(world)
    said = await world.do("fatima", "room.send", args={**ASKED, "person": (whom,), "initiative": walk})
    assert "Wat het antwoord is, hoor je van mij" in text_of(said)
    return walk


async def test_the_request_is_drafted_and_can_be_changed(world: World) -> None:
    await world.movement("fatima")
    shown = await world.do("fatima", "initiative.save", args={"name": "Wandelen", "description": "Na het eten"})
    form = await world.press("fatima", shown, "ask_room")
    filled = {one.name: one.value for one in form.fields}  # type: ignore[union-attr]
    assert filled["trying"] == "Na het eten"
    assert "We willen dit uitproberen" in str(filled["asking"])
    assert filled["until"] == "2027-03-29"
    await world.submit("fatima", form, person=("karin",), asking="Mag het een maand?")
    asked = text_of(world.private("karin")[0])
    assert "fatima vraagt je om ruimte voor Wandelen, tot en met maandag 29 maart" in asked
    assert "Mag het een maand?" in asked


async def test_room_is_asked_given_shown_and_ends_by_itself(world: World) -> None:
    walk = await ask_for_room(world)
    said = await world.press("karin", world.private("karin")[0], "grant", channel=None)
    assert "Daarna houdt het vanzelf op" in text_of(said)
    assert "karin geeft ruimte voor Wandelen, tot en met maandag 29 maart" in text_of(world.private("fatima")[0])
    shown = text_of(await world.do("jan", "initiative.look", initiative=walk))
    assert "Ruimte tot en met maandag 29 maart, van karin: Samen buiten eten." in shown
    await world.until(datetime(2027, 3, 26, 9, tzinfo=UTC))
    assert "loopt tot en met maandag 29 maart" in text_of(world.private("fatima")[-1])
    await world.until(datetime(2027, 3, 29, 21, 59, tzinfo=UTC))
    assert "Samen buiten eten." in text_of(await world.do("jan", "initiative.look", initiative=walk))
    await world.until(datetime(2027, 3, 29, 22, 1, tzinfo=UTC))
    assert "Samen buiten eten." not in text_of(await world.do("jan", "initiative.look", initiative=walk))
    assert world.private("jan") == []


async def test_given_room_is_taken_back_by_who_gave_it_and_who_asked_is_told(world: World) -> None:
    walk = await ask_for_room(world)
    said = await world.press("karin", world.private("karin")[0], "grant", channel=None)
    form = await world.press("karin", said, "support", channel=None)
    supported = await world.submit("karin", form, channel=None, words="Mooi dat jullie dit proberen.")
    await world.pass_(days=1)
    ended = await world.press("karin", supported, "end", channel=None)
    await world.pass_(days=8)  # Fatima got two messages this week
    told = [text_of(one) for one in world.private("fatima")]
    assert sum("karin neemt de ruimte terug die er was voor Wandelen" in one for one in told) == 1
    shown = text_of(await world.do("jan", "initiative.look", initiative=walk))
    assert "Ruimte tot" not in shown
    assert "Mooi dat jullie dit proberen." in shown
    await world.press("karin", ended, "undo", channel=None)
    assert "Mooi dat" not in text_of(await world.do("jan", "initiative.look", initiative=walk))
    await world.pass_(days=40)
    assert not any("loopt tot en met" in text_of(one) for one in world.private("fatima"))


async def test_room_that_was_taken_back_before_it_was_told_of_was_never_given(world: World) -> None:
    await ask_for_room(world)
    await world.pass_(hours=12)  # into quiet hours: the news waits
    said = await world.press("karin", world.private("karin")[0], "grant", channel=None)
    await world.press("karin", said, "end", channel=None)
    await world.pass_(days=1)
    (told,) = world.private("fatima")
    assert "kan de ruimte nu niet geven" in text_of(told)


async def test_a_limit_and_talking_first_reach_who_asked(world: World) -> None:
    walk = await ask_for_room(world)
    talk = await world.press("karin", world.private("karin")[0], "talk", channel=None)
    assert "wil er eerst met je over praten" in text_of(world.private("fatima")[-1])
    form = await world.press("karin", talk, "limit", channel=None)
    await world.submit("karin", form, channel=None, limit="Niet in de regen")
    await world.pass_(days=1)
    assert "De grens: Niet in de regen" in text_of(world.private("fatima")[-1])
    assert "grens: Niet in de regen" in text_of(await world.do("jan", "initiative.look", initiative=walk))


async def test_no_is_kind_and_silence_is_told_after_a_week(world: World) -> None:
    walk = await ask_for_room(world)
    await world.pass_(days=8)
    assert "hoorde ik nog niets" in text_of(world.private("fatima")[-1])
    await world.press("karin", world.private("karin")[0], "decline", channel=None)
    await world.pass_(days=1)
    assert "Dat zegt niets over jullie idee" in text_of(world.private("fatima")[-1])
    assert "Ruimte" not in text_of(await world.do("jan", "initiative.look", initiative=walk))
    await world.pass_(days=40)
    assert len(world.private("karin")) == 1


async def test_a_request_is_taken_back_until_it_is_answered(world: World) -> None:
    await world.movement("fatima")
    walk = await begin_walk(world)
    said = await world.do("fatima", "room.send", args={**ASKED, "person": ("karin",), "initiative": walk})
    card = world.private("karin")[0].message
    assert card is not None
    back = await world.press("fatima", said, "take_back")
    assert "ziet op die plek alleen nog dat je de vraag terugnam" in text_of(back)
    await world.pass_(minutes=1)
    assert "fatima heeft deze vraag teruggenomen" in text_of(world.private("karin")[0])
    late = await world.do("karin", "room.grant", channel=None, args=card.buttons[0].args)
    assert "speelt niet meer" in text_of(late)
    await world.pass_(days=9)
    assert world.private("fatima") == []
    assert "Ruimte" not in text_of(await world.do("fatima", "initiative.look", initiative=walk))
    again = await world.do("fatima", "room.send", args={**ASKED, "person": ("els",), "initiative": walk})
    await world.press("els", world.private("els")[0], "grant", channel=None)
    stands = text_of(await world.press("fatima", again, "take_back"))
    assert "heeft al geantwoord" in stands
    assert "Ruimte tot" in text_of(await world.do("fatima", "initiative.look", initiative=walk))


async def test_what_is_finished_needs_no_answer(world: World) -> None:
    walk = await ask_for_room(world)
    await world.do("fatima", "initiative.close", initiative=walk)
    said = await world.press("karin", world.private("karin")[0], "grant", channel=None)
    assert "speelt niet meer" in text_of(said)
    await world.pass_(days=2)
    assert not any("ruimte" in text_of(one) for one in world.private("fatima"))


@pytest.mark.parametrize("button", ["grant", "talk", "decline"])
async def test_who_reads_nothing_is_not_said_to_hear_it(world: World, button: str) -> None:
    await ask_for_room(world)
    await world.do("fatima", "stop.me", channel=None)
    said = text_of(await world.press("karin", world.private("karin")[0], button, channel=None))
    assert "fatima hoort" not in said
    assert "fatima leest nu geen berichten van mij" in said


async def test_who_is_asked_becomes_no_member_and_sees_no_person(world: World) -> None:
    await ask_for_room(world)
    said = await world.press("karin", world.private("karin")[0], "grant", channel=None)
    assert "jan" not in text_of(world.private("karin")[0]) + text_of(said)
    async with world.begin() as work:
        members = {person.account for person in await members_of(work)}
    assert "karin" not in members
    assert len(world.private("karin")) == 1


async def test_nobody_else_can_answer_and_only_who_takes_part_can_ask(world: World) -> None:
    walk = await ask_for_room(world)
    card = world.private("karin")[0]
    assert card.message is not None
    await world.do("jan", "room.grant", args=card.message.buttons[0].args)
    assert "Ruimte tot" not in text_of(await world.do("jan", "initiative.look", initiative=walk))
    await world.do("jan", "room.send", args={**ASKED, "person": ("els",), "initiative": walk})
    assert world.private("els") == []


async def test_a_day_that_is_gone_and_oneself_are_said_beside_the_fields(world: World) -> None:
    await world.movement("fatima")
    walk = await begin_walk(world)
    wrong = {**ASKED, "person": ("fatima",), "until": "2027-03-01", "initiative": walk}
    said = await world.do("fatima", "room.send", args=wrong)
    assert isinstance(said, FieldErrors)
    assert set(said.errors) == {"person", "until"}


async def test_stuck_on_rules_offers_to_ask_for_room(world: World) -> None:
    await world.movement("fatima")
    await begin_walk(world)
    said = await submit_stuck(world, text="Het mag niet van het protocol", kind="rules", audience="me")
    form = await world.press("fatima", said, "ask_room")
    assert "Het mag niet van het protocol" in str(form)


async def test_what_gives_a_client_away_is_asked_about_on_either_side(world: World) -> None:
    await world.movement("fatima")
    walk = await begin_walk(world)
    asked = {**ASKED, "asking": "Mag mevrouw Bos mee?", "person": ("karin",), "initiative": walk}
    said = await world.do("fatima", "room.send", args=asked)
    assert "mevrouw Bos" in text_of(said)
    assert world.private("karin") == []
    await world.press("fatima", said, "without")
    (card,) = world.private("karin")
    assert "mevrouw Bos" not in text_of(card)
    form = await world.press("karin", card, "limit", channel=None)
    said = await world.submit("karin", form, channel=None, limit="Niet met meneer De Wit")
    assert "meneer De Wit" in text_of(said)
    assert "Ruimte tot" not in text_of(await world.do("fatima", "initiative.look", initiative=walk))
    await world.press("karin", said, "without", channel=None)
    shown = text_of(await world.do("fatima", "initiative.look", initiative=walk))
    assert "grens: Niet met" in shown
    assert "De Wit" not in shown


@pytest.mark.parametrize("who", ["fatima", "karin"])
async def test_nothing_of_it_is_left_of_who_is_forgotten(world: World, who: str) -> None:
    await ask_for_room(world)
    await world.press("karin", world.private("karin")[0], "grant", channel=None)
    await world.do(who, "me.forget", channel=None)
    await world.pass_(days=30)
    other = "karin" if who == "fatima" else "fatima"
    assert not any(who in text_of(one) for one in world.private(other))
    async with world.begin() as work:
        people = [PersonId("fatima")]
        assert await work.people.count_rows(people[0], ("rooms",)) == {}


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_room_is_given_in_one_press(border: Border) -> None:
    async with border.begin() as work:
        (walk,) = await work.initiatives.of_movement(MOVEMENT)
        part = await work.initiatives.participant(walk.id, PersonId("fatima"))
        assert part is not None
        part.initiator = True
    form = await border.form("fatima", f"/ritme initiatief {walk.name}", "room.ask", button="ask_room")
    day = (MONDAY + timedelta(days=20)).date().isoformat()
    await border.submit("fatima", form, person=("sanne",), until=day)
    await border.until(MONDAY + timedelta(hours=4))
    card = (await border.to("sanne"))[-1]
    assert "vraagt je om ruimte" in card.words()
    await border.press("sanne", card, "grant")
    await border.until(MONDAY + timedelta(hours=6))
    assert "geeft ruimte" in (await border.to("fatima"))[-1].words()

"""People without an account tell a story at a door; a member lets it in, and its teller takes it back."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.pages.links import PageLinks
from bot.chat import Account, ChatPlace, Intent
from bot.domain.door import ALL_PER_HOUR, CHANGES_PER_HOUR, PER_HOUR, UNREAD_FOR, DoorState, DoorStory, digest_words
from bot.domain.initiative import InitiativeId
from bot.domain.person import Language
from bot.doors import Told
from tests.drivers.playground import Dialog, PlaygroundDriver, Seen
from tests.support.playground import LANE, MOVEMENT, ServedPlayground, serve_playground
from tests.support.visitors import WebVisitor, a_browser
from tests.support.world import open_world, text_of

STORY = "Mijn moeder liep weer mee naar de vijver."
CRISIS = "Ik wil niet meer leven."


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        yield running


async def open_door(served: ServedPlayground, **values: str) -> str:
    """Let the coordinator open a door, and return its path."""
    people = PlaygroundDriver(served)
    form = await people.press("iris", await people.type("iris", "/ritme deur", channel=None), "open")
    assert isinstance(form, Dialog), form
    filled = {"initiative": "walk", "day": "2027-03-29", "question": "Wat maakte u mee?", **values}
    shown = await people.submit("iris", form, **filled)
    link = re.search(r"/pages/door/[\w.-]+", shown.words())
    assert link is not None, shown
    return link[0]


def hidden(browser: WebVisitor, name: str = "once") -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', browser.html)
    assert found is not None, browser.text
    return unescape(found[1])


def code_in(browser: WebVisitor) -> str:
    found = re.search(r'<p class="code">([\w-]+)</p>', browser.html)
    assert found is not None, browser.text
    return found[1]


async def tell(browser: WebVisitor, door: str, story: str = STORY, **more: str) -> WebVisitor:
    await browser.get(door)
    filled = {"once": hidden(browser), "language": "nl", "story": story, "called": "nobody", **more}
    return await browser.post(door, filled)


async def waiting(served: ServedPlayground) -> list[DoorStory]:
    async with served.begin() as work:
        found = await work.doors.of_movement(MOVEMENT, 9)
        return [one for door in found for one in await work.doors.waiting(door.id, MOVEMENT, 99)]


async def last_card(served: ServedPlayground, who: str = "fatima") -> Seen:
    """Return the last message in someone's own chat about a door."""
    people = PlaygroundDriver(served)
    await people.drain()
    return [one for one in await people.private(who) if "Aan de deur van" in one.words()][-1]


async def found_by(served: ServedPlayground, who: str, words: str) -> str:
    shown: Seen = await PlaygroundDriver(served).type(who, f"/ritme zoek {words}")
    return shown.words()


async def everything_stored(served: ServedPlayground) -> str:
    async with served.begin() as work:
        session = work._session  # type: ignore[attr-defined]
        return " ".join([await dump_tables(session)])


async def dump_tables(session: Any) -> str:
    real = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    names = (await session.execute(text(real))).scalars().all()
    rows = [(await session.execute(text(f'SELECT * FROM "{name}"'))).all() for name in names]
    return repr(rows)


async def test_a_story_is_read_by_a_member_and_then_a_story_of_the_initiative(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await neighbour.get(door)
        assert neighbour.status == 200
        for said in (
            "Wandelen na het eten",
            "Samen vooruit",
            "Eerst leest wie het initiatief draagt, of een coördinator.",
            "Wat maakte u mee?",
        ):
            assert said in neighbour.text
        assert neighbour.headers["X-Robots-Tag"].startswith("noindex")
        assert "Set-Cookie" not in neighbour.headers
        assert "script" not in neighbour.html
        await tell(neighbour, door, called="name", name="Mia")
        assert neighbour.status == 200, neighbour.text
        code = code_in(neighbour)
    assert code not in await everything_stored(served)
    assert STORY not in await found_by(served, "jan", "vijver")
    assert not [one for one in await people.private("jan") if STORY in one.words()]  # takes part, carries nothing
    card = await last_card(served)
    assert STORY in card.words()
    assert "Mia, van buiten" in card.words()
    done = await people.press("fatima", card, "let_in")
    assert "is binnen" in done.words()
    found = await found_by(served, "jan", "vijver")
    assert STORY in found
    assert "Mia, van buiten" in found
    async with served.begin() as work:
        story = (await work.stories.told_in(MOVEMENT, InitiativeId("walk")))[0]
        assert story.called == "Mia, van buiten"
        assert await work.people.get(story.teller_id, MOVEMENT) is None  # nobody who could be sent anything
        nobody = await work.people.in_workspace(story.teller_id, LANE)
        assert nobody is not None
        assert nobody.account is None
    for line in ("/ritme terugblik Wandelen na het eten", "/ritme oogst", "/ritme initiatief"):
        await people.type("jan", line)
    home = await people.type("jan", "/ritme thuis", channel=None)
    assert home is not None


async def test_what_is_not_let_in_is_erased_and_why_is_kept_nowhere(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        code = code_in(neighbour)
        await tell(neighbour, door, "De kat kwam ook mee.", called="neighbour")
        card = await last_card(served)
        assert "Er wacht nog één verhaal" in card.words()
        done = await people.press("fatima", card, "not_this")
        assert "De kat kwam ook mee." in done.words()  # the next one, in its place
        assert "een buur" in done.words()
        told = await waiting(served)
        assert [one.text for one in told] == ["De kat kwam ook mee."]
        await neighbour.post(f"{door}/mine", {"code": code, "act": "look"})
        assert "Naar de verhaaldeur" in neighbour.text
        assert "niet binnengelaten" in neighbour.text
        assert STORY not in neighbour.text


async def test_a_page_sent_twice_tells_once_and_gives_the_same_code(served: ServedPlayground) -> None:
    door = await open_door(served)
    async with a_browser(served) as neighbour:
        await neighbour.get(door)
        filled = {"once": hidden(neighbour), "language": "nl", "story": STORY, "called": "nobody"}
        codes = {code_in(await neighbour.post(door, filled)) for _ in range(3)}
        assert len(codes) == 1
        assert len(await waiting(served)) == 1


async def test_who_has_the_code_takes_it_back_wherever_it_is(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        code, card = code_in(neighbour), await last_card(served)
        await neighbour.post(f"{door}/mine", {"code": code.lower().replace("-", " "), "act": "withdraw"})
        assert "Teruggehaald" in neighbour.text
        await people.drain()
        assert not await waiting(served)
        assert "vijver" not in "".join(one.words() for one in await people.private("fatima"))
        await served.press("fatima", card.id, "let_in", status=409)  # the button is gone with it
        # And once it was let in.
        await tell(neighbour, door, "De hond liep mee tot het hek.")
        code = code_in(neighbour)
        await people.press("fatima", await last_card(served), "let_in")
        assert "hek" in await found_by(served, "jan", "hek")
        closed = await people.press("iris", await people.type("iris", "/ritme deur", channel=None), "look_1")
        await people.press("iris", closed, "close")
        await neighbour.get(f"{door}/mine")
        assert "Naar de verhaaldeur" not in neighbour.text
        await neighbour.post(f"{door}/mine", {"code": code, "act": "withdraw"})
        assert "Teruggehaald" in neighbour.text
        await people.drain()
        assert "De hond" not in await found_by(served, "jan", "tot het hek")
        assert "tot het hek" not in await everything_stored(served)


async def test_a_message_with_it_stands_until_it_is_taken_back(tmp_path: Path) -> None:
    """It has no account, as somebody who was forgotten; whose messages are taken back by themselves."""
    async with open_world(tmp_path, pages=True) as world:
        await world.movement("fatima", "jan")
        await world.do("fatima", "initiative.save", args={"name": "Zwaaien", "description": ""})
        async with world.begin() as work:
            (waving,) = await work.initiatives.of_movement(MOVEMENT)
        await world.do("iris", "door.save", args={"initiative": waving.id, "day": "2027-03-29", "question": "Wat?"})
        async with world.begin() as work:
            (door,) = await work.doors.of_movement(MOVEMENT, 9)
        await world.ritme.doors.tell(door.id, Told(text=STORY, once="a", code="AAAA"), Language.NL)
        await world.drain()
        await world.press("fatima", world.private("fatima")[-1], "let_in", channel=None)
        await world.do("jan", "search", text="vijver", channel=None, answerable=False)
        assert STORY in text_of(world.private("jan")[-1])
        await world.pass_(hours=3)
        assert STORY in text_of(world.private("jan")[-1])
        assert await world.ritme.doors.take_back(door.id, "AAAA")
        await world.drain()
        assert STORY not in text_of(world.private("jan")[-1])


async def test_what_is_changed_waits_for_who_reads_it_again(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        code = code_in(neighbour)
        await people.press("fatima", await last_card(served), "let_in")
        changed = {"code": code, "act": "change", "story": "Mijn vader liep weer mee naar het plein."}
        assert "is binnen" in (await neighbour.post(f"{door}/mine", {**changed, "story": ""})).text  # still
        await neighbour.post(f"{door}/mine", changed)
        assert "Veranderd" in neighbour.text, neighbour.text
        assert STORY not in await found_by(served, "jan", "vijver")
        assert "naar het plein" not in await found_by(served, "jan", "plein mee")
        await people.press("fatima", await last_card(served), "let_in")
        assert "naar het plein" in await found_by(served, "jan", "plein")
        await neighbour.post(f"{door}/mine", {"code": code, "act": "look"})
        assert "naar het plein" in neighbour.text


@pytest.mark.parametrize("button", ["let_in", "not_this"])
async def test_words_that_nobody_read_are_not_decided_about(served: ServedPlayground, button: str) -> None:
    """They were changed after the card arrived: the press on it was about other words."""
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        code, seen = code_in(neighbour), (await waiting(served))[0]
        await last_card(served)
        changed = {"code": code, "act": "change", "story": "Mijn vader liep weer mee naar het plein."}
        await neighbour.post(f"{door}/mine", changed)
        pressed = act_of("fatima", seen, f"door.{button}")  # on the card as it was
        shown = await served.playground.actions._core.handle(pressed)  # type: ignore[attr-defined]
        assert "naar het plein" in shown.message.text
        assert "veranderd" in shown.message.text
        assert [one.text for one in await waiting(served)] == ["Mijn vader liep weer mee naar het plein."]
        await people.press("fatima", await last_card(served), button)
        assert not await waiting(served)
        assert ("naar het plein" in await found_by(served, "jan", "plein")) == (button == "let_in")


async def test_what_is_changed_while_it_waits_is_not_announced_again(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        code = code_in(neighbour)
        await last_card(served)

        async def change(story: str) -> int:
            await neighbour.post(f"{door}/mine", {"code": code, "act": "change", "story": story})
            return neighbour.status

        for number in range(CHANGES_PER_HOUR):
            assert await change(f"Verhaal {number} van de straat.") == 200
            assert await change(f"Verhaal {number} van de straat.") == 200  # sent twice: nothing changes
            await people.drain()
        cards = [one.words() for one in await people.private("fatima") if "Aan de deur van" in one.words()]
        assert len(cards) == 1
        assert f"Verhaal {CHANGES_PER_HOUR - 1} van de straat." in cards[0]
        assert await change("Nog een verhaal van de straat.") == 429
        assert "over een uur" in neighbour.text
        assert hidden_text(neighbour) == "Nog een verhaal van de straat."
        served.clock.set(served.clock.now() + timedelta(hours=1, seconds=1))
        assert await change("Nog een verhaal van de straat.") == 200
        for number in range(CHANGES_PER_HOUR - 1):
            assert await change(f"Weer verhaal {number}.") == 200
        assert await change("Te veel.") == 429
        await neighbour.post(f"{door}/mine", {"code": code, "act": "withdraw"})  # at any time
        assert "Teruggehaald" in neighbour.text


async def test_changes_count_for_how_much_a_door_takes(served: ServedPlayground) -> None:
    door = await open_door(served)
    async with served.begin() as work:
        one = (await work.doors.of_movement(MOVEMENT, 1))[0]
        row = DoorStory.tell(one, "p", "c", STORY, "", served.clock.now() - timedelta(hours=2))
        for _ in range(PER_HOUR):
            row.tell_again(STORY, "", served.clock.now())
        work.doors.add(row)
    async with a_browser(served) as neighbour:
        assert (await tell(neighbour, door)).status == 429


async def test_another_text_from_the_same_page_is_asked_for_again(served: ServedPlayground) -> None:
    """Somebody goes back in their browser and tells something else: it is not thanked for and lost."""
    door, other = await open_door(served), "De kat kwam ook mee."
    async with a_browser(served) as neighbour:
        await neighbour.get(door)
        filled = {"once": hidden(neighbour), "language": "nl", "story": STORY, "called": "nobody"}
        code = code_in(await neighbour.post(door, filled))
        for changed in ({"story": other}, {"called": "neighbour"}):
            await neighbour.post(door, {**filled, **changed})
            assert neighbour.status == 409
            assert "al iets verteld" in neighbour.text
        await neighbour.post(door, {**filled, "story": CRISIS})
        assert "113" in neighbour.text
        await neighbour.post(door, {**filled, "story": other})
        assert hidden_text(neighbour) == other
        assert [one.text for one in await waiting(served)] == [STORY]
        assert hidden(neighbour) != filled["once"]
        await neighbour.post(door, {**filled, "story": other, "once": hidden(neighbour)})
        assert code_in(neighbour) != code
        assert {one.text for one in await waiting(served)} == {STORY, other}


@pytest.mark.parametrize("end", ["declined", "taken back", "taken back from all", "unread"])
async def test_the_name_of_who_told_goes_with_the_words(served: ServedPlayground, end: str) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door, called="name", name="Zwaantje")
        code, card = code_in(neighbour), await last_card(served)
        assert "Zwaantje" in await everything_stored(served)
        if end == "unread":
            await people.until(served.clock.now() + UNREAD_FOR + timedelta(hours=2))
        if end in ("declined", "taken back from all"):
            await people.press("fatima", card, "not_this" if end == "declined" else "let_in")
        if end.startswith("taken back"):
            await neighbour.post(f"{door}/mine", {"code": code, "act": "withdraw"})
        await people.drain()
        assert "Zwaantje" not in await everything_stored(served)


async def test_who_changes_a_story_keeps_the_name_they_chose(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door, called="name", name="Zwaantje")
        code = code_in(neighbour)
        await people.press("fatima", await last_card(served), "let_in")
        await neighbour.post(f"{door}/mine", {"code": code, "act": "change", "story": "Mijn vader liep mee."})
        card = await last_card(served)
        assert "Zwaantje, van buiten" in card.words()
        await people.press("fatima", card, "let_in")
        assert "Zwaantje, van buiten" in await found_by(served, "jan", "vader")


async def test_words_that_give_somebody_away_are_asked_about_before_anything_is_kept(served: ServedPlayground) -> None:
    door = await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door, "Mevrouw Bos (83) van kamer 12 schonk zelf de koffie in.")
        assert neighbour.status == 422
        assert "Mevrouw Bos" in neighbour.html
        assert "kamer 12" in hidden_text(neighbour)  # what was typed is kept, on the page alone
        assert "Bos" not in await everything_stored(served)
        kept = {"once": hidden(neighbour), "language": "nl", "called": "nobody", "story": hidden_text(neighbour)}
        await neighbour.post(door, {**kept, "choice": "without"})
        assert neighbour.status == 200, neighbour.text
    told = await waiting(served)
    assert len(told) == 1
    assert "Bos" not in told[0].text


async def test_who_lets_it_in_is_asked_about_words_and_changes_none(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    seen = "Mevrouw Jansen kwam ook mee."
    async with a_browser(served) as neighbour:
        await tell(neighbour, door, seen, choice="fine")
        code = code_in(neighbour)
        asked = await people.press("fatima", await last_card(served), "let_in")
        assert "“Mevrouw Jansen”" in asked.words()
        assert seen in asked.words()
        assert "Jij verandert de woorden niet" in asked.words()
        assert asked.buttons() == ["fine", "not_this"]
        async with served.begin() as work:
            (row,) = (await work._session.execute(text("SELECT id, texts FROM held_words"))).all()  # type: ignore[attr-defined]
        assert "Jansen" not in row.texts  # taken back at the door, they are nowhere
        for choice in ("guard.without", "guard.change", "guard.tell"):
            forged = act_as("fatima", choice, held=row.id, text="Iets anders.")
            reply = await served.playground.actions._core.handle(forged)  # type: ignore[attr-defined]
            assert "van wie ze vertelde" in reply.message.text, choice
        assert len(await waiting(served)) == 1
        done = await people.press("fatima", asked, "fine")
        assert "is binnen" in done.words()
        await neighbour.post(f"{door}/mine", {"code": code, "language": "nl", "act": "look"})
        assert seen in hidden_text(neighbour)
        # Changed at the door, it is asked about again; not let in, nothing of it is left.
        changed = {"code": code, "language": "nl", "act": "change", "story": "Meneer Pool liep mee.", "choice": "fine"}
        await neighbour.post(f"{door}/mine", changed)
        asked = await people.press("fatima", await last_card(served), "let_in")
        assert "“Meneer Pool”" in asked.words()
        done = await people.press("fatima", asked, "not_this")
        assert "niet binnengelaten" in done.words()
        async with served.begin() as work:
            assert not (await work._session.execute(text("SELECT id FROM held_words"))).all()  # type: ignore[attr-defined]


def act_as(who: str, intent: str, **args: str) -> Intent:
    return Intent(
        name=intent,
        args={"movement": MOVEMENT, **args},
        actor=Account(workspace=LANE, id=who),
        place=ChatPlace(workspace=LANE, channel="", personal=True),
        key=f"forged-{who}-{intent}",
    )


def act_of(who: str, told: DoorStory, name: str = "door.let_in") -> Intent:
    return act_as(who, name, door=told.door_id, told=told.id, words=digest_words(told.text, told.called))


def hidden_text(browser: WebVisitor) -> str:
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", browser.html, re.DOTALL)
    assert found is not None
    return unescape(found[1])


async def test_what_is_missing_or_too_long_is_said_and_what_was_typed_stays(served: ServedPlayground) -> None:
    door = await open_door(served)
    async with a_browser(served) as neighbour:
        for story, more, said in (
            ("", {}, "Schrijf eerst"),
            ("🌱", {}, "Schrijf eerst"),
            ("Een heel lang verhaal. " * 4000, {}, "1500 tekens"),
            (STORY, {"called": "name"}, "voornaam"),
            (STORY, {"called": "name", "name": "M" * 31}, "30 tekens"),
            (STORY, {"called": "baas"}, "genoemd"),
        ):
            await tell(neighbour, door, story, **more)
            assert neighbour.status == 422, said
            assert said in neighbour.text
            assert hidden_text(neighbour).strip() == story.strip()
        assert not await waiting(served)


async def test_despair_is_answered_on_the_page_and_goes_nowhere(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as someone:
        await tell(someone, door, CRISIS)
        assert someone.status == 200
        for said in ("113", "0800-0113", "112"):
            assert said in someone.text
        assert not await waiting(served)
        assert "niet meer leven" not in await everything_stored(served)
        await people.drain()
        assert not [one for one in await people.private("fatima") if "deur" in one.words()]
        await someone.get(f"{door}?language=en")
        await someone.post(
            door, {"once": hidden(someone), "language": "en", "story": "I want to kill myself.", "called": ""}
        )
        assert "someone now" in someone.text
        # In the country of the movement, whatever its time zone.
        async with served.begin() as work:
            movement = await work.movements.get(MOVEMENT)
            assert movement is not None
            movement.country = "BE"
        await tell(someone, door, CRISIS)
        assert "1813" in someone.text


async def test_a_door_is_full_for_an_hour_and_all_doors_are(served: ServedPlayground) -> None:
    door = await open_door(served)
    async with a_browser(served) as neighbour:
        for number in range(PER_HOUR):
            await tell(neighbour, door, f"Verhaal {number} van de straat.")
        await tell(neighbour, door)
        assert neighbour.status == 429
        assert "over een uur" in neighbour.text
        assert hidden_text(neighbour) == STORY
        again = {"once": hidden(neighbour), "language": "nl", "story": STORY, "called": "nobody"}
        served.clock.set(served.clock.now() + timedelta(hours=1, seconds=1))
        assert (await neighbour.post(door, again)).status == 200
        async with served.begin() as work:
            one = (await work.doors.of_movement(MOVEMENT, 1))[0]
            for number in range(ALL_PER_HOUR):
                row = DoorStory.tell(one, f"p{number}", f"c{number}", "", "", served.clock.now())
                row.end(DoorState.TAKEN_BACK, served.clock.now())
                work.doors.add(row)
        await tell(neighbour, await open_door(served))
        assert neighbour.status == 429


async def test_a_door_that_is_closed_or_past_its_time_takes_nothing_and_says_so(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour, a_browser(served) as late:
        await late.get(door)
        filled = {"once": hidden(late), "language": "nl", "story": STORY, "called": "nobody"}
        shown = await people.press("iris", await people.type("iris", "/ritme deur", channel=None), "look_1")
        assert "is dicht" in (await people.press("iris", shown, "close")).words()
        await neighbour.get(door)
        assert neighbour.status == 410
        assert "dicht" in neighbour.text
        await late.post(door, filled)
        assert late.status == 410
        assert STORY in late.text  # theirs, to keep
        assert not await waiting(served)
        second = await open_door(served)
        await late.get(second)
        served.clock.set(served.clock.now() + timedelta(days=29))
        await late.post(second, {**filled, "once": hidden(late)})
        assert late.status in (410, 422)
        assert (await neighbour.get(second)).status == 410
        assert not await waiting(served)


async def test_a_forged_foreign_or_old_page_tells_nothing(served: ServedPlayground) -> None:
    door = await open_door(served)
    other = await open_door(served)
    async with a_browser(served) as thief:
        token = door.rpartition("/")[2]
        named, _, mark = token.partition(".")
        for forged in (
            f"{named}.{mark[::-1]}",
            named,
            f"{named}.",
            "x.y",
            PageLinks(("other",), "").make_door(named).rpartition("/")[2],
        ):
            await thief.get(f"/pages/door/{forged}")
            assert thief.status == 404, forged
            assert "Wandelen" not in thief.text
            assert (await thief.post(f"/pages/door/{forged}", {"story": STORY})).status == 404
        await thief.get(other)
        once = hidden(thief)
        filled = {"language": "nl", "story": STORY, "called": "nobody"}
        for mark in (once, "", f"{once}x", "1-1.2"):  # of another door, none, made up
            await thief.post(door, {**filled, "once": mark})
            assert thief.status == 422
            assert STORY in hidden_text(thief)
        await thief.get(door)
        once = hidden(thief)
        await thief.post(door, {**filled, "once": once}, headers={"Sec-Fetch-Site": "cross-site"})
        assert thief.status in (403, 422)
        served.clock.set(served.clock.now() + timedelta(days=1, seconds=1))
        await thief.post(door, {**filled, "once": once})
        assert thief.status == 422
        assert not await waiting(served)
        for code in ("", "AAAA-AAAA-AAAA-AAAA", "x" * 400):
            for act in ("look", "withdraw", "change"):
                assert (await thief.post(f"{door}/mine", {"code": code, "act": act, "story": STORY})).status == 422
    codes = [PageLinks(("secret",), "").make_code(one, once, served.clock.now()) for one in ("a", "b")]
    assert codes == ["", ""]


async def test_what_nobody_reads_in_time_is_erased(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        code = code_in(neighbour)
        await people.until(served.clock.now() + UNREAD_FOR + timedelta(hours=2))
        assert not await waiting(served)
        assert STORY not in await everything_stored(served)
        await neighbour.post(f"{door}/mine", {"code": code, "act": "look"})
        assert "Niemand heeft je verhaal" in neighbour.text


async def test_only_who_carries_it_or_coordinates_decides_and_only_coordinators_open(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    refused = await people.type("jan", "/ritme deur", channel=None)
    assert "coördinator" in refused.words()
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
    told = (await waiting(served))[0]
    for who in ("jan", "wim"):
        forged = act_of(who, told)
        reply = await served.playground.actions._core.handle(forged)  # type: ignore[attr-defined]
        assert "draagt" in reply.message.text
    assert len(await waiting(served)) == 1
    shown = await people.press("iris", await people.type("iris", "/ritme deur", channel=None), "look_1")
    await people.press("iris", shown, "read")
    done = await people.press("iris", await last_card(served, "iris"), "let_in")
    assert "is binnen" in done.words()
    assert "wacht nu niets" in (await last_card(served)).words()


async def test_who_carries_it_hears_once_of_the_door_and_can_close_it(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    async with a_browser(served) as neighbour:
        await tell(neighbour, door)
        await tell(neighbour, door, "De kat kwam ook mee.")
    card = await last_card(served)
    assert "opende een deur voor" in card.words()
    assert "Iris" in card.words()
    after = await people.press("fatima", card, "let_in")
    assert "opende een deur" not in after.words()
    listed = await people.type("fatima", "/ritme deur", channel=None)
    assert "open" not in listed.buttons()  # only coordinators open one
    assert "Eerst leest wie het initiatief draagt, of een coördinator." in listed.words()
    shown = await people.press("fatima", listed, "look_1")
    assert "Eerst leest wie het initiatief draagt, of een coördinator." in shown.words()
    closed = await people.press("fatima", shown, "close")
    assert "is dicht" in closed.words()
    await people.press("iris", await people.type("iris", "/ritme deur", channel=None), "look_1")
    forged = act_as("jan", "door.close", door=(await doors_of(served))[0])
    reply = await served.playground.actions._core.handle(forged)  # type: ignore[attr-defined]
    assert "draagt" in reply.message.text


async def doors_of(served: ServedPlayground) -> list[str]:
    async with served.begin() as work:
        return [one.id for one in await work.doors.of_movement(MOVEMENT, 9)]


async def test_the_card_has_the_address_as_a_code(served: ServedPlayground) -> None:
    people, door = PlaygroundDriver(served), await open_door(served)
    shown = await people.press("iris", await people.type("iris", "/ritme deur", channel=None), "look_1")
    await people.press("iris", shown, "card")
    await people.drain()
    card = next(one for one in reversed(await people.private("iris")) if one.json.get("picture"))
    assert door in card.words()
    png = await served.download(f"/messages/{card.id}/picture?persona=iris")
    assert png.startswith(b"\x89PNG")

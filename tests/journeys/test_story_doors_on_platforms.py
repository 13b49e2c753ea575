"""A member reads and lets in what is told at a door, in Slack and in Teams; taken back, it leaves their chat."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.pages.links import PageLinks
from bot.app import Ritme
from bot.domain.door import StoryDoor, StoryDoorId
from bot.domain.movement import MovementId
from bot.domain.person import Language, PersonId
from bot.doors import Told
from tests.drivers.border import InTeams, OnSlack, open_border
from tests.support.world import MONDAY

MOVEMENT = MovementId("movement")
DOOR = "door"
PAGES = PageLinks(["geheim"], "https://ritme.example.org")


@pytest.fixture(params=["slack", "teams"])
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[OnSlack | InTeams]:
    async with open_border(request.param, tmp_path, pages=PAGES) as fresh:
        assert isinstance(fresh, OnSlack | InTeams)
        async with fresh.begin() as work:
            (walk,) = [one.id for one in await work.initiatives.of_movement(MOVEMENT)]
            part = await work.initiatives.participant(walk, PersonId("fatima"))
            assert part is not None
            part.initiator = True
            work.doors.add(
                StoryDoor(
                    id=StoryDoorId(DOOR),
                    movement_id=MOVEMENT,
                    initiative_id=walk,
                    question="Wat maakte je mee?",
                    opened_by=PersonId("iris"),
                    opened_at=MONDAY,
                    ends_at=MONDAY + timedelta(days=28),
                )
            )
        yield fresh


def core(border: OnSlack | InTeams) -> Ritme:
    return border.ritme if isinstance(border, InTeams) else border.driver.ritme


async def tell(border: OnSlack | InTeams, text: str, code: str) -> None:
    told = Told(text=text, called="neighbour", once=code, code=code)
    assert (await core(border).doors.tell(DOOR, told, Language.NL)).outcome == "told"
    await border.until(MONDAY + timedelta(minutes=5))


async def test_a_member_reads_what_is_told_and_lets_it_in(border: OnSlack | InTeams) -> None:
    before = len(await border.to("wim"))
    await tell(border, "Mijn moeder liep weer mee.", "AAAA")
    card = (await border.to("fatima"))[-1]
    assert "Mijn moeder liep weer mee." in card.words()
    assert "een buur" in card.words()
    done = await border.press("fatima", card, "let_in")
    assert "is binnen" in done.words()
    async with border.begin() as work:
        (story,) = await work.stories.told_in(MOVEMENT, None)
        assert story.called == "een buur"
    assert len(await border.to("wim")) == before


async def test_what_is_taken_back_leaves_the_chat_of_who_reads_it(border: OnSlack | InTeams) -> None:
    await tell(border, "De hond liep mee.", "AAAA")
    await tell(border, "De kat bleef thuis.", "BBBB")
    assert await core(border).doors.take_back(DOOR, "aaaa")
    await border.until(MONDAY + timedelta(minutes=10))
    said = " ".join(one.words() for one in await border.to("fatima"))
    assert "De hond liep mee." not in said
    assert "De kat bleef thuis." in said


async def test_who_opens_a_door_gets_its_card_to_hand_out_and_nobody_else_hears(border: OnSlack | InTeams) -> None:
    before = {who: len(await border.to(who)) for who in ("jan", "wim")}
    posted = len(await border.to_all())
    form = await border.form("iris", "/ritme deur", "door.open", button="open")
    filled = {"initiative": "walk", "day": "2027-03-29", "question": "Wat liep er mee?"}
    opened = await border.submit("iris", form, **filled)
    assert "/pages/door/" in opened.words()
    await border.press("iris", opened, "door.card" if isinstance(border, InTeams) else "card")
    await border.until(MONDAY + timedelta(minutes=5))
    png, text = await border.picture("iris")
    assert png.startswith(b"\x89PNG")
    assert "Wat liep er mee?" in text
    assert "/pages/door/" in text
    assert {who: len(await border.to(who)) for who in before} == before
    assert len(await border.to_all()) == posted

"""People who come to a meeting make an invitation card of it, as a picture and a PDF, for themselves to hand on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from adapters.pages.links import PageLinks
from adapters.typesetting import TypstTypesetter
from bot.catalogue.meetings import CardDrawn
from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.meeting import Guest, GuestAnswer, Meeting, MeetingId
from bot.domain.movement import MovementId
from bot.domain.person import Language, Person, PersonId
from bot.qr import qr_rows
from bot.wording import Reader, render_picture
from tests.drivers.border import LINKS, PLATFORMS, open_border
from tests.support.world import MONDAY, MOVEMENT, World, text_of


async def add_meeting(world: Any) -> None:
    """Store a meeting that Fatima comes to, and Jan was asked for."""
    async with world.begin() as work:
        work.connecting.add(
            Meeting(
                id=MeetingId("lunch"),
                movement_id=MovementId("movement"),
                place_id=None,
                question=1,
                at=MONDAY + timedelta(days=7, hours=3, minutes=30),
                timezone="Europe/Amsterdam",
                proposed_at=MONDAY,
            )
        )
        for who, answer in (("fatima", GuestAnswer.COMING), ("jan", GuestAnswer.ASKED)):
            work.connecting.add(
                Guest(meeting_id=MeetingId("lunch"), movement_id=MOVEMENT, person_id=PersonId(who), answer=answer)
            )


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_card_comes_to_who_makes_it_as_a_picture_and_a_pdf(tmp_path: Path, platform: str) -> None:
    async with open_border(platform, tmp_path, links=LINKS) as border:
        await add_meeting(border)
        async with border.begin() as work:
            guests = await work.connecting.guests(MeetingId("lunch"), MOVEMENT)
            guests[0][0].answer = guests[1][0].answer = GuestAnswer.ASKED
            for who in ("fatima", "jan"):
                member = await work.movements.membership(MOVEMENT, PersonId(who))
                assert member is not None
                member.meets = True
            meeting = await work.connecting.meeting(MeetingId("lunch"), MOVEMENT)
            fatima = await work.people.get(PersonId("fatima"), MOVEMENT)
            assert meeting is not None
            assert fatima is not None
            await work.deliveries.add(plan_proposal(meeting, fatima))
        posted, jan = len(await border.to_all()), len(await border.to("jan"))
        await border.until(MONDAY + timedelta(minutes=5))
        coming = await border.press("fatima", (await border.to("fatima"))[-1], "come")
        form = await border.press("fatima", coming, "card")
        await border.submit("fatima", form, where="Bij de *grote* tafel #1", words="Neem iets mee.")
        await border.until(MONDAY + timedelta(minutes=10))
        png, text = await border.picture("fatima")
        assert png.startswith(b"\x89PNG")
        assert "Bij de *grote* tafel #1" in text
        await border.press("fatima", (await border.to("fatima"))[-1], "pdf")
        await border.until(MONDAY + timedelta(minutes=15))
        pdf = PdfReader(BytesIO(await border.file("fatima")))
        words = pdf.pages[0].extract_text()
        assert "Bij de *grote* tafel #1" in words
        assert "12:30" in words
        assert "jan" not in words.casefold()
        assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]
        assert (len(await border.to_all()), len(await border.to("jan"))) == (posted, jan)


def plan_proposal(meeting: Meeting, person: Person) -> Delivery:
    return to_person(
        person,
        "meeting_proposed",
        key="proposed",
        now=MONDAY,
        movement=MOVEMENT,
        subject=meeting.id,
        priority=Priority.FROM_A_PERSON,
    )


async def test_who_does_not_come_makes_none(world: World) -> None:
    await world.movement("fatima", "jan")
    await add_meeting(world)
    for intent in ("meeting.card", "meeting.card.save", "meeting.card.print"):
        said = await world.do("jan", intent, meeting="lunch", where="Buiten", channel=None)
        assert "niet (meer) vinden" in text_of(said)


@pytest.mark.parametrize("language", list(Language), ids=str)
async def test_a_code_is_on_it_only_where_there_is_an_address(language: Language) -> None:
    links = PageLinks(["geheim"], "https://ritme.example.org")
    assert links.find_address("m 1") == "https://ritme.example.org/pages/m/m%201/movement"
    assert PageLinks(["geheim"], "").find_address("m") == ""
    reader = Reader(language=language, timezone="Europe/Amsterdam", now=datetime(2027, 3, 1, 8, tzinfo=UTC))
    card = CardDrawn(meeting="m", movement="M", question=1, at=MONDAY, timezone="UTC", where="w")
    drawn = [
        await TypstTypesetter().typeset("card_drawn", render_picture(replace(card, code=code), reader).data, "svg")
        for code in ((), qr_rows(links.find_address("m")))
    ]
    assert b"<image" not in drawn[0]
    assert len(drawn[1]) > len(drawn[0])

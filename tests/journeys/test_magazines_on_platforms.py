"""A magazine is made, asked about and given as a PDF, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.drivers.border import LINKS, PLATFORMS, Border, open_border
from tests.support.prints import add_told
from tests.support.world import MONDAY


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path, links=LINKS) as fresh:
        yield fresh


async def add_stories(border: Border, **told: str) -> None:
    async with border.begin() as work:
        add_told(work, MONDAY, told)


async def make(border: Border, *stories: str) -> Any:
    """Have Iris begin a magazine and choose stories. Returns the desk."""
    form = await border.form("iris", "/ritme magazine", "magazine.begin", button="begin")
    desk = await border.submit("iris", form, name="Een jaar samen", words="Zo ging het.")
    return await border.submit("iris", await border.press("iris", desk, "choose"), stories=stories)


async def answer(border: Border, who: str, button: str) -> Any:
    return await border.press(who, (await border.to(who))[-1], button)


async def test_a_magazine_is_made_and_comes_as_a_pdf(border: Border) -> None:
    await add_stories(border, fatima="We liepen #samen *buiten*.", jan="Wij zongen $hard$.", sanne="Nooit gekozen.")
    posted = len(await border.to_all())
    await make(border, "of-fatima", "of-jan")
    await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
    png, text = await border.picture("fatima")
    assert png.startswith(b"\x89PNG")
    assert "We liepen #samen" in text
    said = await answer(border, "fatima", "yes_full")
    assert "Het mag" in said.words() or "het mag" in said.words()
    await answer(border, "jan", "no")
    desk = await border.type("iris", "/ritme magazine")
    assert "Wij zongen" not in desk.words()
    await border.press("iris", desk, "a4")
    await border.until(datetime(2027, 3, 1, 12, 5, tzinfo=UTC))
    reader = PdfReader(BytesIO(await border.file("iris")))
    words = "\n".join(page.extract_text() for page in reader.pages)
    assert "Een jaar samen" in words
    assert "We liepen #samen *buiten*." in words
    assert "zongen" not in words
    assert "Nooit gekozen" not in words
    assert len(await border.to_all()) == posted, "nobody else gets any of it"


async def test_a_link_given_before_has_what_may_be_printed_now(tmp_path: Path) -> None:
    async with open_border("teams", tmp_path, links=LINKS) as border:
        await add_stories(border, fatima="We liepen.", jan="Wij zongen.")
        await make(border, "of-fatima", "of-jan")
        await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
        said = await answer(border, "fatima", "yes_full")
        await answer(border, "jan", "yes_full")
        await border.press("iris", await border.type("iris", "/ritme magazine"), "a4")
        await border.until(datetime(2027, 3, 1, 12, 5, tzinfo=UTC))
        before = PdfReader(BytesIO(await border.file("iris")))
        assert "We liepen" in before.pages[0].extract_text()
        back = await border.press("fatima", said, "take_back")
        assert "houdt die" in back.words()
        now = PdfReader(BytesIO(await border.file("iris")))
        assert "We liepen" not in now.pages[0].extract_text()
        assert "Wij zongen" in now.pages[0].extract_text()


async def test_a_link_of_a_member_ends_when_the_magazine_is_taken_away(tmp_path: Path) -> None:
    async with open_border("teams", tmp_path, links=LINKS) as border:
        await add_stories(border, fatima="We liepen.")
        await make(border, "of-fatima")
        await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
        await answer(border, "fatima", "yes_full")
        await border.press("iris", await border.type("iris", "/ritme magazine"), "show")
        for who in ("jan", "iris"):
            listed = await border.type(who, "/ritme magazine")
            await border.press(who, await border.press(who, listed, "magazine.look") if who == "jan" else listed, "a4")
        await border.until(datetime(2027, 3, 1, 12, 5, tzinfo=UTC))
        assert (await border.file("jan")).startswith(b"%PDF")
        await border.press("iris", await border.type("iris", "/ritme magazine"), "magazine.show")
        assert (await border.file("iris")).startswith(b"%PDF"), "who makes it keeps theirs"
        with pytest.raises(AssertionError):
            await border.file("jan")

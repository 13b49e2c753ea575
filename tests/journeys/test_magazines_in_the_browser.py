"""The page of a magazine, on a phone and a laptop: readable for everyone, and one's story taken back by keyboard."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.domain.magazine import Magazine, MagazineId, PrintAnswer, PrintConsent, PrintName
from bot.domain.person import PersonId
from bot.domain.story import StoryId
from tests.journeys.test_browser import LAPTOP, PHONE, browser
from tests.journeys.test_pages_in_the_browser import check_page
from tests.support.playground import MOVEMENT, ServedPlayground, serve_playground
from tests.support.prints import add_told
from tests.support.visitors import ask_link

pytestmark = pytest.mark.browser
__all__ = ["browser"]
WORDS = {"nl": ("Neem terug", "Open mijn pagina’s"), "en": ("Take it back", "Open my pages")}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        await print_stories(running, fatima="We liepen samen een rondje.", jan="Na het eten bleef de deur open.")
        yield running


async def print_stories(served: ServedPlayground, **told: str) -> None:
    """Store a magazine that everyone can read, with a story of each that may be printed."""
    now = served.clock.now()
    async with served.begin() as work:
        year = MagazineId("year")
        work.magazines.add(
            Magazine(
                id=year,
                movement_id=MOVEMENT,
                title="Een jaar samen",
                words="Dit maakten we mee.",
                begun_at=now,
                shown_at=now,
            )
        )
        add_told(work, now - timedelta(days=9), told)
        await work.flush()
        for who in told:
            work.magazines.add(
                PrintConsent(
                    magazine_id=year,
                    story_id=StoryId(f"of-{who}"),
                    movement_id=MOVEMENT,
                    person_id=PersonId(who),
                    answer=PrintAnswer.AGREED,
                    shown_name=PrintName.FIRST,
                    asked_at=now,
                )
            )


@pytest.mark.parametrize(
    ("screen", "language", "scheme"),
    [(LAPTOP, "nl", "light"), (PHONE, "en", "dark")],
    ids=["laptop-nl-light", "phone-en-dark"],
)
async def test_a_magazine_is_read_and_a_story_taken_back_by_everyone(
    browser: Browser, served: ServedPlayground, screen: tuple[int, int], language: str, scheme: str
) -> None:
    take_back, open_it = WORDS[language]
    await served.call("POST", "/language", {"persona": "fatima", "language": language})
    width, height = screen
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = await context.new_page()
    page.set_default_timeout(8000)
    await page.goto(served.address + await ask_link(served, "fatima"))
    await page.get_by_role("button", name=open_it).click()
    await page.goto(f"{served.address}/pages/m/movement/magazine/year")
    await expect(page.get_by_role("heading", level=1, name="Een jaar samen")).to_be_visible()
    await expect(page.get_by_text("Na het eten bleef de deur open.")).to_be_visible()
    await check_page(page, f"magazine-{language}")
    back = page.get_by_role("button", name=take_back)
    await expect(back).to_have_count(1)  # of one's own story alone
    await back.focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await check_page(page, f"magazine-taken-back-{language}")
    await page.goto(f"{served.address}/pages/m/movement/magazine/year")
    await expect(page.get_by_text("Na het eten bleef de deur open.")).to_be_visible()
    await expect(page.get_by_text("We liepen samen een rondje.")).to_have_count(0)
    await context.close()

"""Somebody without a mouse does on the pages what people come for: every stop on the way can be seen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.journeys.test_browser import browser
from tests.journeys.test_pages_in_the_browser import LOOK_AT_ALL
from tests.support.playground import ServedPlayground, serve_playground
from tests.support.visitors import ask_link, start_rhythm

pytestmark = pytest.mark.browser
__all__ = ["browser"]
MOST_STOPS = 150
SEEN = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
  return one === document.body || (ring && box.width > 0 && box.bottom > 0 && box.top < innerHeight);
}"""


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        await start_rhythm(running)
        await running.say("fatima", "samen-vooruit", "/verhaal We liepen samen een rondje en de buurvrouw liep mee.")
        yield running


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus; wherever it is on the way, it can be seen."""
    await page.evaluate(LOOK_AT_ALL)
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        await page.wait_for_function(SEEN)  # what is further down is scrolled to
        if await wanted.evaluate("(one) => one === document.activeElement"):
            return
    pytest.fail(f"no Tab leads to {wanted}")


async def follow(page: Page, wanted: Locator) -> None:
    """Go by Tab to what leads to another page, and press Enter."""
    await tab_to(page, wanted)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_what_people_come_for_is_done_without_a_mouse(browser: Browser, served: ServedPlayground) -> None:
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(8000)
    menu, main = page.locator("header nav"), page.locator("main")
    await page.goto(served.address + await ask_link(served, "iris"))
    await follow(page, page.get_by_role("button", name="Open mijn pagina’s"))

    await tab_to(page, page.get_by_label("Waar gaat het over?"))
    await page.keyboard.type("buurvrouw")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await expect(main.get_by_role("strong").get_by_text("buurvrouw").last).to_be_visible()

    await follow(page, menu.get_by_role("link", name="Ik", exact=True))
    await follow(page, main.get_by_role("button", name="Instellingen").first)
    await follow(page, main.locator("button.primary"))
    await expect(main.get_by_text("Goed, zo doen we het voortaan.")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Terug"))

    await tab_to(page, main.locator("summary", has_text="Download mijn gegevens"))
    await page.keyboard.press("Enter")
    await follow(page, main.locator("details[open] button"))
    await expect(main.get_by_text("Ik zet alles wat ik van je bewaar in één bestand.")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Terug"))

    await follow(page, menu.get_by_role("link", name="Beweging"))
    await follow(page, main.get_by_role("button", name="Verander één keer"))
    await follow(page, main.locator("button.primary"))
    await expect(main.get_by_text("overgeslagen op jullie verzoek")).to_be_visible()
    await page.close()

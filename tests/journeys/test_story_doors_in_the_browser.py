"""The pages of a door on a phone: readable and usable by everyone, without a script, in both languages."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.test_browser import PHONE, browser
from tests.journeys.test_pages_in_the_browser import check_page
from tests.journeys.test_story_doors import open_door
from tests.support.playground import ServedPlayground, serve_playground

pytestmark = pytest.mark.browser
__all__ = ["browser"]
WORDS = {
    "nl": ("Vertel", "Als een buur", "Dank je wel", "Haal het terug", "Teruggehaald", "Je code", "Laat het zien"),
    "en": ("Tell it", "A neighbour", "Thank you", "Take it back", "Taken back", "Your code", "Show it"),
}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        yield running


@pytest.mark.parametrize(("language", "scheme"), [("nl", "light"), ("en", "dark")])
async def test_a_neighbour_tells_and_takes_it_back_on_a_phone(
    browser: Browser, served: ServedPlayground, language: str, scheme: str
) -> None:
    door = await open_door(served)
    tell, neighbour, thanks, back, gone, your_code, show = WORDS[language]
    width, height = PHONE
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page, hosts = await context.new_page(), set[str]()
    page.set_default_timeout(8000)
    page.on("request", lambda asked: hosts.add(urlsplit(asked.url).netloc))
    await page.goto(served.address + door)
    await page.get_by_role("link", name="English" if language == "en" else "Nederlands").click()
    assert await page.locator("html").get_attribute("lang") == language
    await check_page(page, f"door-{language}")
    await page.get_by_role("button", name=tell).click()
    await expect(page.get_by_role("alert")).to_be_in_viewport(ratio=0.5)
    await expect(page.get_by_role("alert")).to_be_focused()
    await check_page(page, f"door-mend-{language}")
    await page.locator("#story").fill("Mevrouw Bos (83) van kamer 12 zwaaide.")
    await page.get_by_label(neighbour).check()
    await page.get_by_role("button", name=tell, exact=True).click()
    await expect(page.locator("#story")).to_have_value("Mevrouw Bos (83) van kamer 12 zwaaide.")
    await expect(page.get_by_role("alert")).to_be_in_viewport(ratio=0.5)
    await expect(page.get_by_role("alert")).to_be_focused()
    await check_page(page, f"door-words-{language}")
    await page.locator("#story").fill("We zwaaiden naar elkaar.")
    await page.get_by_role("button", name=tell, exact=True).click()
    await expect(page.get_by_role("heading", level=1, name=thanks)).to_be_visible()
    await check_page(page, f"door-told-{language}")
    code = await page.locator(".code").inner_text()
    await page.goto(f"{served.address}{door}/mine?language={language}")
    await check_page(page, f"door-mine-{language}")
    await page.get_by_label(your_code).fill(code)
    await page.get_by_role("button", name=show).click()
    await check_page(page, f"door-own-{language}")
    await page.get_by_role("button", name=back).click()
    await expect(page.get_by_role("heading", level=1, name=gone)).to_be_visible()
    assert hosts == {urlsplit(served.address).netloc}
    assert await context.cookies() == []
    await context.close()

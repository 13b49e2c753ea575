"""In the playground a visitor downloads everything about a persona, and opens it: it loads and runs nothing."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.test_browser import LAPTOP, PHONE, browser, visitor
from tests.support.exports import tables_in
from tests.support.playground import serve_playground

pytestmark = pytest.mark.browser
__all__ = ["browser"]
WORDS = {"nl": ("Download mijn gegevens", "Maak het", "Open mijn gegevens", "Verhalen die je vertelde"),
         "en": ("Download my data", "Make it", "Open my data", "Stories you told")}  # fmt: skip


@pytest.mark.parametrize(("screen", "language"), [(LAPTOP, "nl"), (PHONE, "en")], ids=["laptop-nl", "phone-en"])
async def test_a_download_that_can_be_read(
    browser: Browser, tmp_path: Path, screen: tuple[int, int], language: str
) -> None:
    who = {"nl": "fatima", "en": "kwame"}[language]
    button, yes, link, title = WORDS[language]
    async with serve_playground(tmp_path / "demo.db") as served:
        someone = await visitor(browser, served, screen, language, f"export-{language}")
        page = someone.page
        await served.say(who, "samen-vooruit", "/verhaal We liepen <b>een</b> rondje & de buurvrouw liep mee")
        await someone.arrive()
        await someone.be(who)
        await someone.go(f"dm-{who}")
        await page.locator("#composer textarea").fill("/ritme me")
        await page.locator("#composer textarea").press("Enter")
        await page.get_by_role("button", name=button).last.click()
        await page.get_by_role("button", name=yes).click()
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name=link).last.click()
        download = await waiting.value
        assert download.suggested_filename == "ritme-2027-03-01.html"
        path = tmp_path / "ritme.html"
        await download.save_as(path)
        tables = tables_in(path.read_bytes())
        assert tables["stories"][0]["text"].startswith("We liepen <b>een</b>")

        opened = await page.context.new_page()
        asked: list[str] = []
        opened.on("request", lambda one: asked.append(one.url))
        await opened.goto(path.as_uri())
        await expect(opened.get_by_role("heading", name=title)).to_be_visible()
        await expect(opened.get_by_text("We liepen <b>een</b> rondje")).to_be_visible()
        assert await opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert asked == [path.as_uri()]
        async with opened.expect_download() as saving:
            await opened.locator("#data").click()
        assert (await saving.value).suggested_filename == "ritme.json"
        await opened.screenshot(path=Path(__file__).parents[1] / "screenshots" / f"export-{language}.png")

        served.clock.set(served.clock.now().replace(hour=11))
        gone = await page.context.new_page()
        await gone.goto(download.url)
        await expect(gone.locator("h1")).to_be_visible()
        assert {"nl": "werkt niet meer", "en": "no longer works"}[language] in await gone.locator("h1").inner_text()

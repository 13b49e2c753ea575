"""The small pages can be read: on a phone and in the dark, in both languages, under their own policy."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import expect

from tests.journeys.test_pages_in_the_browser import AXE, NARROWEST, RUN_AXE, SCHEMES
from tests.support.chromium import chromium
from tests.support.service import serve_platforms

pytestmark = pytest.mark.browser
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
PAGES = {
    "/slack/oauth_redirect?error=access_denied": ("Er is niets geïnstalleerd", "Nothing was installed"),
    "/slack/oauth_redirect?state=x&code=y": ("Laten we opnieuw beginnen", "Let's begin once more"),
    "/teams/about": ("Ritme", "Ritme"),
    "/teams/privacy": ("Wie wat leest", "Who reads what"),
    "/teams/terms": ("Gebruiksvoorwaarden", "Terms of use"),
    "/teams/files/x.1.y": ("Deze link werkt niet meer", "This link no longer works"),
    "/slack/calendar/x.ics": ("Hier staat geen agenda", "There is no calendar here"),
    "/teams/calendar/x.ics": ("Hier staat geen agenda", "There is no calendar here"),
}
"""Path → the title in Dutch and in English."""
PRIVACY = ("/privacy", "/privacy/slack", "/privacy/teams")


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    async with serve_platforms(tmp_path) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("scheme", "language", "ground"),
    [("light", "nl", "rgb(246, 245, 240)"), ("dark", "en", "rgb(23, 32, 29)")],
    ids=["light-nl", "dark-en"],
)
async def test_they_can_be_read_on_a_phone(address: str, scheme: str, language: str, ground: str) -> None:
    troubles: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(
            viewport={"width": 360, "height": 740},
            color_scheme="dark" if scheme == "dark" else "light",
            locale={"nl": "nl-NL", "en": "en-GB"}[language],
        )
        page = await context.new_page()
        page.on(
            "console", lambda said: troubles.append(said.text) if "Failed to load resource" not in said.text else None
        )
        for number, (path, titles) in enumerate(PAGES.items()):
            await page.goto(address + path)
            await expect(page.locator("h1")).to_have_text(titles[0] if language == "nl" else titles[1])
            await expect(page.locator("html")).to_have_attribute("lang", language)
            assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for link in await page.locator("a").all():
                box = await link.bounding_box()
                assert box is not None
                assert box["height"] >= 40, "large enough for a thumb"
            SCREENSHOTS.mkdir(exist_ok=True)
            await page.screenshot(path=SCREENSHOTS / f"page-{scheme}-{language}-{number}.png", full_page=True)
    assert troubles == []


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_everyone_can_read_them_also_at_twice_the_size(address: str, language: str) -> None:
    async with chromium() as browser:
        context = await browser.new_context(
            locale={"nl": "nl-NL", "en": "en-GB"}[language],
        )
        page = await context.new_page()
        for path in (*PAGES, *PRIVACY):
            await page.goto(address + path)
            await page.evaluate(AXE.read_text(encoding="utf-8"))
            for width in (NARROWEST, 1280):
                await page.set_viewport_size({"width": width, "height": 640})
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
                for scheme in SCHEMES:
                    await page.emulate_media(color_scheme=scheme)
                    assert await page.evaluate(RUN_AXE) == [], f"{path}, {scheme}, {width} wide"
            if path in PRIVACY:
                await page.screenshot(path=SCREENSHOTS / f"page{path.replace('/', '-')}-{language}.png")
                links = await page.evaluate("[...document.links].map((one) => one.href)")
                reached = set()
                for _ in range(await page.locator("a, summary, [tabindex]").count()):
                    await page.keyboard.press("Tab")
                    reached.add(await page.evaluate("document.activeElement.href"))
                assert set(links) <= reached, "by keyboard"


WORD_IN_TWO = """() => {
  const narrow = [];
  const range = document.createRange();
  for (const cell of document.querySelectorAll("td")) {
    const text = cell.firstChild;
    for (const word of text.data.matchAll(/\\p{L}+/gu)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (range.getClientRects().length > 1) narrow.push(word[0]);
    }
  }
  return narrow;
}"""
"""Words of the cells of tables that stand on two lines."""


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_no_word_of_a_table_is_cut_on_a_phone_and_each_cell_says_what_it_is(address: str, language: str) -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        await page.goto(f"{address}/privacy?language={language}")
        assert await page.evaluate(WORD_IN_TWO) == []
        (heads, rows) = await page.get_by_role("columnheader").all_inner_texts(), page.get_by_role("row")
        assert len(heads) == 3
        assert await rows.count() > 30
        cells = rows.nth(1).get_by_role("cell")
        assert [await one.get_attribute("data-head") for one in await cells.all()] == heads


async def test_no_page_may_be_framed_or_load_anything_except_what_teams_shows(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path in (*PAGES, "/teams/board", "/slack/install", "/healthz", "/nowhere", "/teams/messages"):
            async with session.get(address + path, allow_redirects=False) as page:
                policy, path = page.headers["Content-Security-Policy"], path.partition("?")[0]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert page.headers["X-Content-Type-Options"] == "nosniff"
                assert page.headers["Referrer-Policy"] == "no-referrer"
                assert page.headers["Server"] == "Ritme"
                assert not re.search(r"<script|style=|https?://", await page.text())
                framed = policy.partition("frame-ancestors ")[2]
                is_of_teams = path in ("/teams/about", "/teams/board", "/teams/privacy", "/teams/terms")
                assert framed.startswith("https://*.teams.microsoft.com " if is_of_teams else "'none'")
                assert ("X-Frame-Options" in page.headers) != is_of_teams

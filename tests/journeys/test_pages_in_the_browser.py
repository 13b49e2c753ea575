"""People open their pages from the playground: readable for all, by keyboard, on a phone, in the dark, on paper."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.test_browser import LAPTOP, PHONE, SCREENSHOTS, browser
from tests.support.playground import ServedPlayground, serve_playground
from tests.support.visitors import add_patch, ask_link, start_rhythm

pytestmark = pytest.mark.browser
__all__ = ["browser"]
AXE = Path(__file__).parents[1] / "npm" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = "axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes.map((node) => node.html)]))"
IS_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
LOOK_AT_ALL = """Promise.all([...document.images].map((one) => {
  one.loading = "eager";
  return one.decode();
}))"""
FITS_SCREEN = """([narrow, dark]) => {
  const one = [...document.querySelectorAll("img[src*=quilt_drawn]")].find((each) => each.checkVisibility());
  const has = (look) => new URL(one.currentSrc).searchParams.has(look);
  return one.complete && has("narrow") === narrow && has("dark") === dark;
}"""
OURS = "/pages/m/movement"
NARROWEST = 320
"""Pixels across of a screen of 1280 that is read four times as large, and of the smallest phone."""
WORDS = {
    "nl": ("Open mijn pagina’s", "Noteer een kans", "Kijk hier nog eens naar:", "Sluit mijn pagina’s"),
    "en": ("Open my pages", "Note a chance", "Have another look at this:", "Close my pages"),
}

SEARCH_WORDS = {
    "nl": ("Waar gaat het over?", "Zoek", "Zoek preciezer"),
    "en": ("What is it about?", "Search", "Narrow down"),
}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        await start_rhythm(running)
        await running.say("fatima", "samen-vooruit", "/verhaal We liepen samen een rondje en de buurvrouw liep mee.")
        await add_patch(running, "Thee om drie uur")
        await running.say("jan", "samen-vooruit", "/verhaal Na het eten bleef de deur open; er kwamen er drie bij.")
        yield running


async def check_page(page: Page, name: str) -> None:
    """Check what holds for every page, on a laptop and a phone, by day and in the dark: readable for everyone, no wider
    than the screen; and save a picture of how it is shown here."""
    # What is further down is drawn when it is looked at; a page is looked at whole here.
    await page.evaluate(LOOK_AT_ALL)
    assert await page.evaluate("[...document.images].filter((one) => !one.naturalWidth).map((one) => one.src)") == []
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"pages-{name}.png", full_page=True)
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    screen, is_dark = page.viewport_size, await page.evaluate(IS_DARK)
    assert screen is not None
    for width, height in (LAPTOP, PHONE, (NARROWEST, PHONE[1])):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{name} is wider than {width}"
        )
        for scheme in SCHEMES if width != NARROWEST else ():
            await page.emulate_media(color_scheme=scheme)
            assert await page.evaluate(RUN_AXE) == [], f"{name}, {scheme}, {width} wide: {page.url}"
    await page.emulate_media(color_scheme=SCHEMES[is_dark])
    await page.set_viewport_size(screen)


@pytest.mark.parametrize(
    ("screen", "language", "scheme"),
    [(LAPTOP, "nl", "light"), (PHONE, "en", "dark")],
    ids=["laptop-nl-light", "phone-en-dark"],
)
async def test_every_page_can_be_read_and_used_by_everyone(
    browser: Browser, served: ServedPlayground, screen: tuple[int, int], language: str, scheme: str
) -> None:
    who = "iris"
    await served.call("POST", "/language", {"persona": who, "language": language})
    width, height = screen
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page, hosts, troubles = await context.new_page(), set[str](), list[str]()
    page.set_default_timeout(8000)
    page.on("request", lambda asked: hosts.add(urlsplit(asked.url).netloc))
    page.on(
        "console", lambda said: troubles.append(said.text) if "Refused" in said.text or "CSP" in said.text else None
    )
    open_it, note, look_again, close = WORDS[language]
    mark = f"{language}-{'phone' if screen == PHONE else 'laptop'}"

    await page.goto(served.address + await ask_link(served, who))
    assert await page.locator("html").get_attribute("lang") == language
    await check_page(page, f"open-{mark}")
    await page.keyboard.press("Tab")  # the way to what one came for
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name=open_it)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Samen vooruit")).to_be_visible()
    await expect(page.locator("blockquote", has_text="de buurvrouw liep mee")).to_be_visible()
    await check_page(page, f"movement-{mark}")
    # A picture is as wide and as dark as its screen, its words are behind a press, by keyboard too.
    quilt = page.locator("img[src*=quilt_drawn]:visible")
    await page.wait_for_function(FITS_SCREEN, arg=[screen == PHONE, scheme == "dark"])
    words = page.locator("section", has=quilt).locator("details")
    await expect(words.get_by_text("Thee om drie uur")).to_be_hidden()
    await words.locator("summary").press("Enter")
    await expect(words.get_by_text("Thee om drie uur")).to_be_visible()
    await check_page(page, f"words-{mark}")
    # Stories are searched by keyboard.
    field, find, narrow, *_ = SEARCH_WORDS[language]
    await page.get_by_label(field).focus()
    await page.keyboard.type("buurvrouw")
    await page.keyboard.press("Tab")
    await expect(page.locator("summary", has_text=narrow)).to_be_focused()
    async with page.expect_navigation():
        await page.get_by_role("button", name=find, exact=True).press("Enter")
    assert urlsplit(page.url).path == f"{OURS}/search"
    await expect(page.get_by_role("strong").get_by_text("buurvrouw").last).to_be_visible()
    await expect(page.get_by_label(field)).to_have_value("buurvrouw")
    await page.locator("summary", has_text=narrow).press("Enter")
    await check_page(page, f"found-{mark}")
    await page.goto(f"{served.address}{OURS}/search?text=olifant&period=week")
    await check_page(page, f"nothing-{mark}")
    for name in ("me", "initiative/walk", "initiative/nothing", "coordinator"):
        await page.goto(f"{served.address}{OURS}/{name}")
        await check_page(page, f"{name.replace('/', '-')}-{mark}")
    await page.locator('a[href*="/rhythm/"]').first.click()
    await check_page(page, f"rhythm-{mark}")

    await page.goto(f"{served.address}{OURS}/me")
    await page.get_by_role("button", name=note).focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await check_page(page, f"form-{mark}")
    await page.locator("main button.primary").press("Enter")  # nothing filled in
    await expect(page.get_by_role("heading", name=look_again)).to_be_visible()
    await check_page(page, f"errors-{mark}")
    await page.locator("main textarea, main input[type=text]").first.fill("De wethouder komt langs")
    await page.locator("main input[type=radio]").last.check()
    async with page.expect_navigation():
        await page.locator("main button.primary").press("Enter")
    await check_page(page, f"answer-{mark}")

    await page.goto(f"{served.address}{OURS}/movement")
    await page.emulate_media(media="print")
    await expect(page.locator("header nav").first).to_be_hidden()
    await expect(page.locator(".presses").first).to_be_hidden()
    await expect(page.locator("img[src$=dark]:visible")).to_have_count(0)  # paper is light
    await expect(page.locator("img[src$=svg]:visible").first).to_be_visible()
    await page.emulate_media(media="screen")
    async with page.expect_navigation():
        await page.get_by_role("button", name=close).click()
    await check_page(page, f"closed-{mark}")
    await page.goto(f"{served.address}{OURS}/movement")
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("Samen vooruit")
    assert hosts == {urlsplit(served.address).netloc}
    assert not troubles
    await context.close()


async def test_the_playground_leads_to_pages_that_need_no_script(browser: Browser, served: ServedPlayground) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="nl-NL")
    page = await context.new_page()
    page.set_default_timeout(8000)
    await served.say("fatima", "dm-fatima", "/ritme pagina")
    await page.goto(f"{served.address}/playground/#/dm-fatima")
    async with page.expect_popup() as waiting:
        await page.locator("a.button", has_text="Open mijn pagina’s").last.click()
    opened = await waiting.value
    await opened.wait_for_load_state()
    plain = await browser.new_context(java_script_enabled=False)
    reader = await plain.new_page()
    await reader.goto(opened.url)
    await reader.get_by_role("button").click()
    await expect(reader.get_by_role("heading", level=1, name="Samen vooruit")).to_be_visible()
    await reader.get_by_role("link", name="Ik", exact=True).click()
    await expect(reader.get_by_text("Alleen jij ziet deze pagina.").last).to_be_visible()
    for one in (context, plain):
        await one.close()

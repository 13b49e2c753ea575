"""Draw the pages as people see them in a browser: docs/images/page-*.webp, of a movement that has lived for four months
(`tests.support.showcase`), at a fixed clock. `make pictures` runs it, with `tests.looks`."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.async_api import Browser, Page

from adapters.pages.links import PageLinks
from bot.domain.person import Language
from tests.support.chromium import chromium
from tests.support.images import keep_pictures
from tests.support.playground import ServedPlayground, serve_playground
from tests.support.showcase import COORDINATES, DOOR, MAGAZINE, show_movement
from tests.support.visitors import ask_link

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
OURS = "/pages/m/movement"
DESK, PHONE = (860, 1100), (390, 844)
"""Screens: across and down, in pixels of a page."""
SHARPNESS = {DESK: 1.25, PHONE: 1.5}
QUALITY = 72
MOST_BYTES = 1_500_000
"""All of the pictures together, at most."""
_LOAD_ALL = """Promise.all([...document.images].map((one) => {
  one.loading = "eager";
  return one.decode();
}))"""
_SCROLL = """(number) => {
  const section = document.querySelectorAll("main section")[number];
  section.style.scrollMarginTop = "0";  // nothing of what stands above it
  section.scrollIntoView({behavior: "instant"});
}"""


@dataclass(frozen=True)
class Screen:
    """A page on a screen: its address, and the part (a section, from 0) that is on top."""

    path: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"] = "light"
    top: int | None = None


SCREENS = {
    "movement": Screen(f"{OURS}/movement", DESK),
    "movement-phone": Screen(f"{OURS}/movement", PHONE, "dark", top=1),
    "initiative": Screen(f"{OURS}/initiative/i0", DESK),
    "me-phone-dark": Screen(f"{OURS}/me", PHONE, "dark"),
    "coordinator": Screen(f"{OURS}/coordinator", DESK),
    "search-phone": Screen(f"{OURS}/search?initiative=i0", PHONE, top=1),
    "magazine-phone": Screen(f"{OURS}/magazine/{MAGAZINE}", PHONE),
    "door-phone": Screen(PageLinks(("secret",), "").make_door(DOOR), PHONE),
}
"""The screens that are drawn, by the name of their file."""


def list_screens() -> Iterator[tuple[str, Language]]:
    """List what is drawn, with the languages in which it is."""
    yield from ((name, language) for name in SCREENS for language in Language)


def name_file(name: str, language: Language) -> str:
    """Return the name of the file of a picture."""
    return f"page-{name}-{language.value}.webp"


async def _draw(page: Page, served: ServedPlayground, screen: Screen, language: Language) -> bytes:
    address = served.address + screen.path
    await page.goto(f"{address}?language={language.value}" if "/door/" in address else address)
    await page.evaluate(_LOAD_ALL)
    if screen.top is not None:
        await page.evaluate(_SCROLL, screen.top)
    # Chromium writes WebP itself, but playwright does not ask it for that.
    session = await page.context.new_cdp_session(page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    return b64decode(taken["data"])


async def draw_screens(browser: Browser, language: Language) -> AsyncIterator[tuple[str, bytes]]:
    """Draw every page in a language; yield the names of the files, and what is in them."""
    with TemporaryDirectory() as folder:
        async with serve_playground(Path(folder) / "demo.db", with_movement=False) as served:
            await show_movement(served, language)
            await served.call("POST", "/language", {"persona": COORDINATES, "language": language.value})
            for name, screen in SCREENS.items():
                across, down = screen.size
                context = await browser.new_context(
                    viewport={"width": across, "height": down},
                    color_scheme=screen.scheme,
                    device_scale_factor=SHARPNESS[screen.size],
                )
                page = await context.new_page()
                await page.goto(served.address + await ask_link(served, COORDINATES))
                async with page.expect_navigation():
                    await page.locator("main button").click()
                yield name_file(name, language), await _draw(page, served, screen, language)
                await context.close()


async def draw_all(browser: Browser) -> None:
    """Draw all of them anew, and print how large each is."""
    drawn = {file: picture for one in Language async for file, picture in draw_screens(browser, one)}
    keep_pictures(drawn, "page-*.webp", IMAGES)


async def main() -> None:
    """Draw the pages alone."""
    async with chromium() as browser:
        await draw_all(browser)


if __name__ == "__main__":
    asyncio.run(main())

"""In Teams everyone's file is a link in their own chat: for an hour, to whoever has it, served by any process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from adapters.file_links import FileLinks, mount_files
from adapters.web import make_app
from tests.drivers.teams import TeamsDriver, teams_driver
from tests.fakes.teams.agents_playground import Shown
from tests.support.databases import BOTH
from tests.support.exports import tables_in

ADDRESS = "https://ritme.example.org"
LINKS = FileLinks(["geheim"], ADDRESS)


async def ask_for_file(driver: TeamsDriver) -> Shown:
    """Have Iris ask for her file; return the last message in her own chat."""
    await driver.say("iris", "ik")
    await driver.press("iris", driver.private()[-1], "me.export")
    return driver.private()[-1]


def link_in(shown: Shown) -> str:
    (link,) = [one["url"] for one in shown.buttons().values() if one["type"] == "Action.OpenUrl"]
    return str(link)


@asynccontextmanager
async def other_process(driver: TeamsDriver) -> AsyncIterator[str]:
    """Serve the files as a process does that did not make them; yield its address."""
    app = make_app(mounts=[mount_files(FileLinks(["nieuw", "geheim"], ADDRESS), driver.clock, driver.ritme)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("kind", BOTH)
async def test_a_link_lives_an_hour_in_their_own_chat(tmp_path: Path, kind: str) -> None:
    async with teams_driver(tmp_path, kind=kind, links=LINKS) as driver, aiohttp.ClientSession() as browser:
        shown = await ask_for_file(driver)
        assert "De link werkt tot 09:00" in shown.words()
        link = link_in(shown)
        assert link.startswith(f"{ADDRESS}/teams/files/")
        assert "iris" not in link
        async with other_process(driver) as address:
            there = link.replace(ADDRESS, address)
            async with browser.get(there) as page:
                assert page.status == 200
                assert page.content_type == "text/html"
                assert page.headers["Cache-Control"] == "no-store"
                assert page.headers["Referrer-Policy"] == "no-referrer"
                assert "sandbox" in page.headers["Content-Security-Policy"]
                assert tables_in(await page.read())["people"]
            await driver.until(driver.clock.now() + timedelta(minutes=60))
            async with browser.get(there) as page:
                assert page.status == 410
                said = await page.text()
                assert "Deze link werkt niet meer" in said
                assert "Download mijn gegevens" in said
            async with browser.get(there.replace("language=en", "language=nl")) as page:
                assert "Deze link werkt niet meer" in await page.text()


async def test_without_an_address_they_read_whom_to_ask(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as driver:
        shown = await ask_for_file(driver)
        assert "RITME_PUBLIC_URL" in shown.words()
        assert all(one["type"] != "Action.OpenUrl" for one in shown.buttons().values())

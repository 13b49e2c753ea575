"""Somebody takes the coming moments into their calendar as a file, in their own chat, on every platform."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import icalendar
import pytest
import recurring_ical_events
from aiohttp import web

from adapters.file_links import FileLinks, mount_files
from adapters.web import make_app
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.drivers.playground import playground_driver
from tests.drivers.slack import slack_driver
from tests.drivers.teams import teams_driver
from tests.journeys.test_on_teams import start_movement

ADDRESS = "https://ritme.example.org"
LINKS = FileLinks(["geheim"], ADDRESS)
RHYTHM = {
    "kind": "stories",
    "every": "1",
    "weekdays": ("MO",),
    "at": "10:00",
    "on_holiday": "skip",
}
MONDAYS = [datetime(2027, 3, day, 9, tzinfo=UTC) for day in (8, 15, 22)]


def read(content: bytes | None) -> tuple[set[str], list[datetime]]:
    """Read a file as a calendar does: the titles, and the moments of three weeks."""
    assert content is not None
    calendar = icalendar.Calendar.from_ical(content)
    found = recurring_ical_events.of(calendar).between(date(2027, 3, 2), date(2027, 3, 24))
    return {str(one["SUMMARY"]) for one in found}, sorted(one.start.astimezone(UTC) for one in found)


async def add_rhythm(driver: Any, channel: str) -> Any:
    """Have Iris make a rhythm; return its page."""
    shown = await driver.type("iris", "/ritme ritme")
    form = await driver.press("iris", shown, "new")
    return await driver.submit("iris", form, **RHYTHM, place=channel)


async def test_on_slack_it_is_uploaded_from_the_page_of_a_rhythm(tmp_path: Path) -> None:
    async with slack_driver(tmp_path) as driver:
        await driver.movement("fatima")
        page = await add_rhythm(driver, "general")
        await driver.press("iris", page, "calendar")
        chat = driver.slack.chat_of(driver.user("iris"))
        (file,) = [one for shown in driver.slack.visible(chat.id, driver.user("iris")) for one in shown.files]
        assert file.name.endswith(".ics")
        assert read(file.content) == ({"Verhaalronde in #general"}, MONDAYS)


async def test_in_teams_it_is_a_link_for_an_hour(tmp_path: Path) -> None:
    async with teams_driver(tmp_path, links=LINKS) as driver, aiohttp.ClientSession() as browser:
        app = make_app(mounts=[mount_files(LINKS, driver.clock, driver.ritme)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await start_movement(driver)
        await driver.say("iris", "rhythm every Monday at 10:00 a story round")
        await driver.press("iris", driver.private()[-1], "rhythm.heard.save")
        await driver.press("iris", driver.private()[-1], "calendar.file")
        shown = driver.private()[-1]
        (link,) = [one["url"] for one in shown.buttons().values() if one["type"] == "Action.OpenUrl"]
        async with browser.get(str(link).replace(ADDRESS, f"http://127.0.0.1:{runner.addresses[0][1]}")) as answer:
            assert answer.content_type == "text/calendar"
            titles, moments = read(await answer.read())
        assert moments == MONDAYS
        assert len(titles) == 1
        await runner.cleanup()


async def test_in_the_playground_it_hangs_under_the_message_and_a_link_works(tmp_path: Path) -> None:
    async with playground_driver(tmp_path) as driver:
        await driver.movement()
        page = await add_rhythm(driver, HERE)
        await driver.press("iris", page, "calendar")
        shown = (await driver.private("iris"))[-1]
        assert shown.json["file"]["name"].endswith(".ics")
        url = f"{driver.served.address}/playground/api/messages/{shown.id}/file?persona=iris"
        async with aiohttp.ClientSession() as browser, browser.get(url) as answer:
            assert answer.content_type == "text/calendar"
            assert read(await answer.read())[1] == MONDAYS
        linked = await driver.press("iris", await driver.type("iris", "/ritme agenda"), "make")
        address = next(word for word in linked.words().split() if word.startswith("http"))
        async with aiohttp.ClientSession() as browser, browser.get(address) as answer:
            assert answer.status == 200
            assert read(await answer.read())[1] == MONDAYS


@pytest.mark.parametrize("platform", [one for one in PLATFORMS if one != "playground"])
async def test_without_an_address_a_file_is_offered(tmp_path: Path, platform: str) -> None:
    async with open_border(platform, tmp_path) as border:
        await make_rhythm(border)
        shown = await border.type("fatima", "/ritme agenda")
        assert "RITME_PUBLIC_URL" in shown.words()
        await border.press("fatima", shown, "file")
        told = (await border.to("fatima"))[-1].words()
        assert ("je agenda neemt over" in told) is (platform == "slack")
        assert ("RITME_PUBLIC_URL" in told) is (platform == "teams")


async def make_rhythm(border: Border) -> None:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    await border.submit("iris", form, **RHYTHM, place=HERE)

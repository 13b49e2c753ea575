"""In Slack everyone's file comes as an upload in their own chat; where Slack allows none, they get it another way."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.file_links import FileLinks
from adapters.slack.permissions import SCOPES
from tests.drivers.slack import WAYS, SlackDriver, slack_driver
from tests.fakes.slack.state import Fault, UploadedFile
from tests.support.exports import readable_text, tables_in


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
async def driver(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SlackDriver]:
    async with slack_driver(tmp_path, **request.param) as fresh:
        await fresh.movement("fatima", "jan")
        yield fresh


async def press_download(driver: SlackDriver, who: str = "fatima") -> Any:
    return await driver.press(who, await driver.type(who, "/ritme me"), "export")


def given(driver: SlackDriver, who: str = "fatima") -> list[UploadedFile]:
    """List the files in someone's own chat with the bot."""
    chat = driver.slack.chat_of(driver.user(who))
    return [file for one in driver.slack.visible(chat.id, driver.user(who)) for file in one.files]


async def test_it_is_uploaded_to_their_own_chat(driver: SlackDriver) -> None:
    await driver.type("fatima", "/story We liepen tot de brievenbus")
    await press_download(driver)
    (file,) = given(driver)
    assert file.name.startswith("ritme-2027-03-01-")
    assert file.name.endswith(".html")
    assert file.title == "Wat ik van je bewaar"
    assert file.content is not None
    assert tables_in(file.content)["people"][0]["name"] == "fatima"
    assert "fatima" in readable_text(file.content)
    assert given(driver, "jan") == []
    shared = [one for one in driver.private("fatima") if one.files]
    assert "alles wat ik van je bewaar" in shared[0].words()


async def test_forgotten_takes_the_file_away(driver: SlackDriver) -> None:
    await press_download(driver)
    (file,) = given(driver)
    await driver.press("fatima", await driver.type("fatima", "/ritme me"), "forget")
    await driver.pass_(minutes=5)
    assert file.deleted
    assert given(driver) == []


async def test_without_the_permission_they_read_how_they_get_it(driver: SlackDriver) -> None:
    driver.slack.granted = [scope for scope in SCOPES if scope != "files:write"]
    await press_download(driver)
    assert given(driver) == []
    said = driver.private("fatima")[-1].words()
    assert "files:write" in said
    assert "Vraag" in said
    driver.slack.granted = list(SCOPES)
    await driver.pass_(minutes=5)
    await press_download(driver)
    (file,) = given(driver)
    assert file.content is not None


async def test_a_workspace_without_uploads_says_so_too(driver: SlackDriver) -> None:
    driver.slack.faults = [Fault(method="files.getUploadURLExternal", error="file_uploads_disabled")]
    await press_download(driver)
    assert "Vraag" in driver.private("fatima")[-1].words()


async def test_without_the_permission_a_link_is_given_where_people_can_reach_us(tmp_path: Path) -> None:
    async with slack_driver(tmp_path, links=FileLinks(["geheim"], "")) as driver, aiohttp.ClientSession() as browser:
        await driver.movement("fatima")
        driver.slack.granted = [scope for scope in SCOPES if scope != "files:write"]
        await press_download(driver)
        last = driver.private("fatima")[-1]
        link = last.blocks[-1]["elements"][0]["elements"][0]
        assert link["text"] == "Open mijn gegevens"
        assert "10:00" in last.words()
        async with browser.get(driver.people.bot_url.removesuffix("/slack/events") + link["url"]) as page:
            assert page.status == 200
            assert tables_in(await page.read())["people"][0]["name"] == "fatima"

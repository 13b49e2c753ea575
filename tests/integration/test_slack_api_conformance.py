"""Our calls to Slack's Web API, against our fake server and against an emulator by others: both must agree."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from slack_sdk.web.async_client import AsyncWebClient

from adapters.bootstrap import open_service
from adapters.clock import SettableClock
from adapters.database.migrate import migrate_schema
from adapters.settings import Settings
from adapters.slack.permissions import API_METHODS
from adapters.slack.platform import SlackPlatform
from adapters.slack.tokens import StaticToken
from adapters.slack.views import render_modal
from adapters.slack.web_api import SlackApi, SlackApiRefusal
from adapters.web import make_app
from bot import wording
from bot.catalogue.stories import StoryForm
from bot.chat import Account, ChatPlace, Message, Page, Paragraph, Post, PostedFile, Section, Span
from bot.domain.person import Language
from bot.ports import Unreachable
from bot.wording import Reader
from tests.fakes.slack.emulated import APP, Emulated, emulated
from tests.fakes.slack.emulated import TOKEN as THEIR_TOKEN
from tests.fakes.slack.server import TOKEN, SlackServer

NOT_COVERED = {"auth.revoke", "usergroups.list", "usergroups.users.list"}
"""Methods that the emulator does not have; only our fake server has them."""
BLOCKS = [{"type": "section", "text": {"type": "plain_text", "text": "De vraag"}}]
QUIET = {"unfurl_links": False, "unfurl_media": False}
WORDS = "Wim & Fatima <liepen> *een* rondje"


def said(text: str = WORDS) -> Message:
    return Message(paragraphs=(Paragraph(spans=(Span(text=text),)),))


@dataclass(frozen=True, kw_only=True)
class ConformanceWorkspace:
    """A workspace of either server, seeded alike."""

    platform: SlackPlatform
    api: SlackApi
    lane: str
    channel: str
    fatima: str
    trigger: Callable[[], Awaitable[str]]
    clock: SettableClock

    def wait_a_second(self) -> None:
        """Move the clock on by a second, as Slack wants between two posts in one channel."""
        self.clock.set(self.clock.now() + timedelta(seconds=1))

    def post(self, **more: Any) -> Post:
        return Post(**{"delivery": "d1", "workspace": self.lane, "channel": self.channel, "message": said(), **more})

    async def texts(self, **where: Any) -> list[str]:
        """List the texts in the channel, oldest first; with `ts`, in that thread."""
        method = "conversations.replies" if "ts" in where else "conversations.history"
        page = await self.api.call("", method, reads=True, channel=self.channel, include_all_metadata="true", **where)
        found = [one["text"] for one in page["messages"]]
        return found if "ts" in where else found[::-1]


@pytest.fixture(params=["ours", "theirs"])
async def slack(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ConformanceWorkspace]:
    clock = SettableClock(datetime.now(UTC), running=False)
    if request.param == "ours":
        async with SlackServer(clock.now).running() as server:
            fatima = server.add_user("fatima").id
            channel = server.add_channel("general", fatima).id

            async def trigger() -> str:
                return server.new_trigger(fatima)

            async with open_platform(server.api_url, TOKEN, clock) as (platform, api):
                yield ConformanceWorkspace(
                    platform=platform,
                    api=api,
                    lane="slack:T1",
                    channel=channel,
                    fatima=fatima,
                    trigger=trigger,
                    clock=clock,
                )
        return
    async with emulated(tmp_path) as other:

        async def theirs() -> str:
            return str((await other.call("views.generateTriggerId"))["trigger_id"])

        fatima, channel = await other.user("fatima"), await other.channel("general")
        await other.call("conversations.invite", channel=channel, users=fatima)
        async with open_platform(f"{other.url}/api/", THEIR_TOKEN, clock) as (platform, api):
            yield ConformanceWorkspace(
                platform=platform,
                api=api,
                lane="slack:T000000001",
                channel=channel,
                fatima=fatima,
                trigger=theirs,
                clock=clock,
            )


@asynccontextmanager
async def open_platform(
    api_url: str, token: str, clock: SettableClock
) -> AsyncIterator[tuple[SlackPlatform, SlackApi]]:
    """Open the adapter for a Slack at `api_url`; yield it with the API client it uses."""
    platform = SlackPlatform(clock=clock, signing_secret="s", api_url=api_url, token=token)
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=api_url, session=session, retry_handlers=[])
        yield platform, SlackApi(client, StaticToken(token), clock)
    await platform.close()


async def test_a_post_is_found_changed_and_taken_away(slack: ConformanceWorkspace) -> None:
    send, since = slack.platform.messenger, datetime.now(UTC) - timedelta(minutes=5)
    receipt = await send.send(slack.post())
    assert receipt.channel == slack.channel
    assert await slack.texts() == ["Wim &amp; Fatima &lt;liepen&gt; *een* rondje"]
    assert await send.find(slack.post(), since) == receipt
    assert await send.find(slack.post(delivery="d2"), since) is None

    await send.send(slack.post(act="update", target=receipt.message, message=said("Anders")))
    assert await slack.texts() == ["Anders"]
    await send.send(slack.post(act="delete", target=receipt.message))
    assert "Anders" not in await slack.texts()
    await send.send(slack.post(act="delete", target=receipt.message))  # as good as done


async def test_a_reply_stands_in_its_thread(slack: ConformanceWorkspace) -> None:
    send, since = slack.platform.messenger, datetime.now(UTC) - timedelta(minutes=5)
    root = await slack.api.call("", "chat.postMessage", channel=slack.channel, text="De vraag", blocks=BLOCKS, **QUIET)
    slack.wait_a_second()
    reply = await send.send(slack.post(thread=root["ts"], delivery="d3"))
    assert (await slack.texts(ts=root["ts"]))[0] == "De vraag"
    assert len(await slack.texts(ts=root["ts"])) == 2
    assert await send.find(slack.post(thread=root["ts"], delivery="d3"), since) == reply


async def test_what_one_person_sees_is_not_in_the_history(slack: ConformanceWorkspace) -> None:
    await slack.platform.messenger.send(slack.post(account=slack.fatima))
    assert await slack.texts() == []


async def test_a_sign_is_put_on_a_message_once_and_taken_off(slack: ConformanceWorkspace) -> None:
    send = slack.platform.messenger
    receipt = await send.send(slack.post())
    react = {"target": receipt.message, "reaction": "seedling"}
    for act in ("react", "react", "unreact", "unreact"):
        await send.send(slack.post(act=act, **react))


async def test_someone_is_reached_in_their_own_chat(slack: ConformanceWorkspace) -> None:
    receipt = await slack.platform.messenger.send(slack.post(channel=None, account=slack.fatima))
    assert receipt.channel != slack.channel
    found = await slack.api.call("", "conversations.history", reads=True, channel=receipt.channel)
    assert len(found["messages"]) == 1


async def test_a_file_is_given_in_someones_own_chat_and_taken_away(slack: ConformanceWorkspace) -> None:
    send, since = slack.platform.messenger, datetime.now(UTC) - timedelta(minutes=5)
    file = PostedFile(
        id="f1",
        name="ritme-2027-03-01.html",
        title="Wat ik van je bewaar",
        label="Open",
        until=datetime.now(UTC) + timedelta(hours=1),
        linked=said(),
        refused=said("Dat mag hier niet"),
        content=b"<!doctype html>\n<p>\xc3\xa9n",
    )
    post = slack.post(channel=None, account=slack.fatima, file=file)
    receipt = await send.send(post)
    assert receipt.message.startswith("F")
    assert await send.find(slack.post(channel=None, account=slack.fatima), since) == receipt
    assert await send.find(slack.post(channel=None, account=slack.fatima, delivery="other"), since) is None

    async def messages() -> int:
        page = await slack.api.call("", "conversations.history", reads=True, channel=receipt.channel)
        return len(page["messages"])

    assert await messages() == 1
    for _ in range(2):  # the second time it is as good as done
        await send.send(slack.post(act="delete", channel=receipt.channel, target=receipt.message))


async def test_people_and_places_have_names(slack: ConformanceWorkspace) -> None:
    directory = slack.platform.directory
    profile = await directory.profile(Account(workspace=slack.lane, id=slack.fatima))
    assert profile is not None
    assert profile.name == "fatima"
    assert not profile.guest
    assert await directory.place_name(ChatPlace(workspace=slack.lane, channel=slack.channel)) == "general"
    assert await directory.profile(Account(workspace=slack.lane, id="U0NOBODY")) is None


async def test_a_form_opens_once_a_trigger(slack: ConformanceWorkspace) -> None:
    reader = Reader(language=Language.NL, timezone="Europe/Amsterdam", now=datetime.now(UTC))
    view, trigger = render_modal(wording.render_form_entry(StoryForm.example(), reader), {}), await slack.trigger()
    assert (await slack.api.call("", "views.open", trigger_id=trigger, view=view))["view"]["id"]
    with pytest.raises(SlackApiRefusal, match="trigger"):
        await slack.api.call("", "views.open", trigger_id=trigger, view=view)


async def test_someones_page_is_shown(slack: ConformanceWorkspace) -> None:
    page = Page(sections=(Section(title="Mijn kleine stappen", message=said()),))
    shown = await slack.platform.messenger.send(slack.post(act="home", channel=None, account=slack.fatima, page=page))
    assert shown.message


async def test_who_we_are(slack: ConformanceWorkspace) -> None:
    told = await slack.api.call("", "auth.test")
    assert told["team_id"] == slack.lane.partition(":")[2]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"channel": "C0NOWHERE"}, "place_gone"),
        ({"channel": None, "account": "U0NOBODY"}, "person_gone"),
        ({"act": "update", "target": "1.000001"}, "message_gone"),
    ],
)
async def test_what_cannot_be_says_why(slack: ConformanceWorkspace, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreachable) as refused:
        await slack.platform.messenger.send(slack.post(**more))
    assert refused.value.reason == reason


async def test_every_method_we_call_is_heard_by_both_or_known_not_to_be(tmp_path: Path) -> None:
    async with emulated(tmp_path) as other:
        unknown = set()
        for method in API_METHODS:
            headers = {"Authorization": f"Bearer {THEIR_TOKEN}"}
            async with other.session.post(f"{other.url}/api/{method}", json={}, headers=headers) as answer:
                if answer.status == 404:
                    unknown.add(method)
    assert unknown == NOT_COVERED


async def test_a_workspace_installs_with_a_code_that_works_once(tmp_path: Path) -> None:
    back = "https://ritme.example.org/slack/oauth_redirect"
    async with emulated(tmp_path, back=back) as other:
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'ritme.db'}",
            slack_signing_secret="s",
            slack_client_id=APP["client_id"],
            slack_client_secret=APP["client_secret"],
            secret_key=Fernet.generate_key().decode(),
            public_url="https://ritme.example.org",
            slack_api_url=f"{other.url}/api/",
        )
        service = await open_service(settings)
        await migrate_schema(service.database)
        runner = web.AppRunner(make_app(mounts=service.mounts), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ritme = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            pages = [await install(ritme, other) for _ in range(2)]
            assert [status for status, _ in pages] == [200, 200]
            again = await finish(ritme, *pages[0][1])
            assert again != 200
            async with service.database.connect() as connection:
                rows = (await connection.exec_driver_sql("SELECT team_name FROM slack_installations")).all()
            assert [tuple(one) for one in rows] == [("Thuiszorg Oost",)]
        finally:
            await runner.cleanup()
            await service.close()


async def install(ritme: str, other: Emulated) -> tuple[int, tuple[str, str, str]]:
    """Install as a browser does: go to Slack, agree, come back. Return the page's status and the query it came with."""
    async with aiohttp.ClientSession() as browser:
        async with browser.get(f"{ritme}/slack/install", allow_redirects=False) as sent:
            consent, cookie = sent.headers["Location"], sent.headers["Set-Cookie"].partition(";")[0]
        async with browser.get(consent) as page:
            assert page.status == 200
            hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', await page.text()))
        asked = {name: values[0] for name, values in parse_qs(urlsplit(consent).query).items()}
        form = {**asked, **hidden}
        async with browser.post(f"{other.url}/oauth/v2/authorize/callback", data=form, allow_redirects=False) as agreed:
            returned = parse_qs(urlsplit(agreed.headers["Location"]).query)
        back = (returned["code"][0], returned["state"][0], cookie)
        return await finish(ritme, *back), back


async def finish(ritme: str, code: str, state: str, cookie: str) -> int:
    headers = {"Cookie": cookie}
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{ritme}/slack/oauth_redirect", params={"code": code, "state": state}, headers=headers) as page,
    ):
        return page.status

"""The log holds no secret, no name and nothing that somebody wrote, over a whole journey and its failures."""

import io
import logging
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from adapters import logs
from bot import commands
from tests.drivers.border import HERE, PLATFORMS, InTeams, OnSlack, open_border
from tests.drivers.slack import WAYS, slack_driver
from tests.fakes.slack.people import SECRET, Sent
from tests.fakes.slack.server import TOKEN
from tests.fakes.slack.sockets import APP_TOKEN
from tests.fakes.slack.state import Fault, Shown
from tests.fakes.teams.microsoft import Fault as TeamsFault

WRITTEN = ("zonnebloem", "pannenkoek", "regenworm", "kikkerdril")
"""Words of the story, the stuck text, a name and an initiative: each is nowhere else."""
STORY, STUCK, NAME, INITIATIVE = WRITTEN
SHAPES = re.compile(r"xox[a-z]-|xapp-|v0=[0-9a-f]{64}|eyJ[\w-]{8,}\.|/response/r\d|trigger\.\d")
pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture
def logged() -> io.StringIO:
    stream = io.StringIO()
    logs.configure_logging(stream, logging.DEBUG)
    return stream


def check_log(logged: io.StringIO, *secrets: str) -> None:
    text = logged.getvalue().lower()
    assert "intent" in text
    assert [one for one in (*WRITTEN, *map(str.lower, secrets)) if one in text] == []
    assert SHAPES.findall(logged.getvalue()) == []


def quoting(words: str) -> Any:
    async def break_down(*_: object) -> None:
        raise ValueError(f"cannot read {words!r}") from KeyError(words)

    return break_down


@pytest.mark.parametrize("way", ["HTTP, SQLite", "socket, SQLite"])
async def test_on_slack(tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    async with slack_driver(tmp_path, **WAYS[way]) as driver:
        await driver.movement("fatima", NAME)
        driver.user("fatima")
        form = await driver.type("fatima", "/story")
        await driver.submit("fatima", form, text=f"Een {STORY}!", named="with", readers="movement")
        await driver.type("fatima", f"/stuck {STUCK} komt niet")
        await driver.say(NAME, f"@Ritme ik zit vast met de {STUCK}", channel="general")
        await driver.reply("fatima", "general", driver.posts()[-1].ts, f"Een {STORY} meer")
        await driver.press(NAME, driver.posts()[-1], "ripple")
        form = await driver.type("fatima", f"/ritme nominate {NAME}")
        await driver.submit("fatima", form, connector=[NAME])
        # Failures: of Slack, of ours, of a body.
        for fault in ("invalid_blocks", "internal_error", "channel_not_found", "missing_scope"):
            driver.slack.faults = [Fault(method="chat.postEphemeral", error=fault)]
            await driver.say("fatima", f"@Ritme stuck {STUCK}", channel="general")
        driver.slack.faults = [Fault(method="views.open", error="invalid_arguments")]
        await driver.type("fatima", f"/ritme nominate {NAME}")
        monkeypatch.setitem(commands.HANDLERS, "stuck", quoting(STUCK))
        assert isinstance(await driver.type("fatima", f"/stuck {STUCK} komt niet"), Shown)
        bad = Sent(
            body=f'{{"type": "event_callback", "event": {{"type": ["{STORY}"]}}}}', content_type="application/json"
        )
        await driver.people.deliver(bad)
        monkeypatch.setattr(driver.ritme, "handle", quoting(STORY))
        if way.startswith("HTTP"):
            await driver.people.deliver(Sent(body=f"payload={STORY}", content_type="application/x-www-form-urlencoded"))
            await driver.people.say(driver.user("fatima"), driver.channel("general"), f"@Ritme story {STORY}")
    check_log(logged, TOKEN, SECRET, APP_TOKEN)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_on_every_platform(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    async with open_border(platform, tmp_path) as border:
        form = await border.form("fatima", "/story", "story")
        await border.submit("fatima", form, text=f"Een {STORY}!")
        form = await border.form("fatima", "/ritme initiative", "initiative.make", button="make")
        await border.submit("fatima", form, name=INITIATIVE)
        await border.type("fatima", f"/stuck {STUCK} komt niet")
        if isinstance(border, InTeams):
            border.microsoft.faults = [TeamsFault(status=400, code="BadSyntax"), TeamsFault(status=403)]
        elif isinstance(border, OnSlack):
            border.driver.slack.faults = [Fault(method="chat.postEphemeral", error="invalid_blocks")]
        await border.type("jan", f"/stuck {STUCK} komt niet")
        if not isinstance(border, InTeams):  # there it is an activity that Teams delivers again
            monkeypatch.setitem(commands.HANDLERS, "stuck", quoting(STUCK))
            with nullcontext() if platform == "slack" else pytest.raises(AssertionError):  # a status of 500
                await border.type("jan", f"/stuck {STUCK} komt niet", channel=HERE)
    check_log(logged)

"""An error of our own is an apology with a reference that is in the log, whatever platform refuses what we composed;
too late is offered again."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.catalogue.people import Me
from tests.drivers.border import HERE, InTeams, open_border
from tests.drivers.slack import SlackDriver, slack_driver
from tests.fakes.slack.state import Fault, Modal, Shown
from tests.fakes.teams.microsoft import Fault as TeamsFault
from tests.support.world import open_world

REFERENCE = re.compile(r"\b[0-9a-f]{8}\b")
OURS = ["invalid_arguments", "invalid_blocks", "view_too_large", "invalid_trigger_id", "something_new"]
LATE = ["expired_trigger_id", "exchanged_trigger_id", "internal_error", "ratelimited"]


def reference_in(words: str) -> str:
    found = REFERENCE.findall(words)
    assert len(found) == 1, words
    return str(found[0])


def logged_references(lines: Iterable[MutableMapping[str, Any]]) -> list[str]:
    return [str(one["reference"]) for one in lines if one.get("reference")]


@pytest.fixture(params=["http", "socket"])
async def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    async with slack_driver(tmp_path, socket=request.param == "socket") as slack:
        await slack.movement("fatima")
        slack.user("fatima")
        yield slack


@pytest.mark.parametrize("error", OURS)
async def test_a_form_that_slack_refuses_is_an_apology(driver: SlackDriver, error: str) -> None:
    driver.slack.faults = [Fault(method="views.open", error=error)]
    with capture_logs() as lines:
        shown = await driver.type("fatima", "/ritme nominate Jan")
    assert isinstance(shown, Shown)
    assert logged_references(lines) == [reference_in(shown.words())]
    assert error in str(lines)
    assert "Jan" not in str(lines)


@pytest.mark.parametrize("error", LATE)
async def test_a_form_that_is_only_late_is_offered_again(driver: SlackDriver, error: str) -> None:
    driver.slack.faults = [Fault(method="views.open", error=error)]
    shown = await driver.type("fatima", "/ritme nominate Jan")
    assert isinstance(shown, Shown)
    assert "net te laat" in shown.words()
    assert "Jan" in shown.words()
    assert isinstance(await driver.press("fatima", shown, "open"), Modal)


async def test_a_form_that_cannot_be_worded_for_slack_is_an_apology(
    driver: SlackDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(form: object, origin: Mapping[str, str]) -> Any:
        raise ValueError("form hides too much")

    monkeypatch.setattr("adapters.slack.views.render_modal", refuse)
    with capture_logs() as lines:
        shown = await driver.type("fatima", "/story")
    assert isinstance(shown, Shown)
    assert logged_references(lines) == [reference_in(shown.words())]


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long"])
async def test_an_answer_that_slack_refuses_is_an_apology(driver: SlackDriver, error: str) -> None:
    driver.slack.faults = [Fault(method="chat.postEphemeral", error=error)]
    with capture_logs() as lines:
        shown = await driver.say("fatima", "@Ritme me", channel="general")
    assert isinstance(shown, Shown)
    assert logged_references(lines) == [reference_in(shown.words())]


async def test_an_apology_that_is_refused_too_is_the_end_of_it(driver: SlackDriver) -> None:
    driver.slack.faults = [Fault(method="chat.postEphemeral", error="invalid_blocks") for _ in range(3)]
    assert await driver.say("fatima", "@Ritme me", channel="general") is None
    assert len(driver.slack.faults) == 1


async def test_a_post_that_slack_refuses_fails_without_an_apology(driver: SlackDriver) -> None:
    form = await driver.type("fatima", "/story")
    driver.slack.faults = [Fault(method="chat.postMessage", error="invalid_blocks")]
    await driver.submit("fatima", form, text="We liepen", named="with", readers="movement")
    await driver.drain()
    assert not [one for one in driver.private("fatima") if "ging bij mij iets mis" in one.words()]
    async with driver.database.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT kind, reason FROM deliveries WHERE state = 'failed'")).all()
    assert rows == [("story_posted", "not_accepted")]


@pytest.mark.parametrize("fault", [TeamsFault(status=400, code="BadSyntax"), TeamsFault(status=413)])
async def test_an_answer_that_teams_refuses_is_an_apology(tmp_path: Path, fault: TeamsFault) -> None:
    async with open_border("teams", tmp_path) as border:
        assert isinstance(border, InTeams)
        border.microsoft.faults = [fault]
        with capture_logs() as lines:
            shown = await border.type("fatima", "/ritme me", channel=HERE)
        assert logged_references(lines) == [reference_in(shown.words())]


async def test_an_answer_that_cannot_be_worded_is_an_apology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        assert await world.do("fatima", "me", answerable=False) is None
        assert len(world.private("fatima")) == 1
        monkeypatch.setattr(Me, "buttons", lambda self: 1 / 0)
        with capture_logs() as lines:
            await world.do("fatima", "me", answerable=False)
        said = world.private("fatima")[-1].message
        assert said is not None
        assert logged_references(lines) == [reference_in(said.text)]

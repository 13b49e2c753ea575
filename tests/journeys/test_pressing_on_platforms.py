"""Pressed twice on a phone, from two devices and at the same moment, in Slack, Teams and the playground."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.playground import Dialog, PlaygroundDriver, Seen, playground_driver
from tests.drivers.slack import SlackDriver
from tests.drivers.teams import TeamsDriver, teams_driver
from tests.fakes.slack.state import Modal, Shown
from tests.fakes.teams.agents_playground import BOT, TEAM

STEP = {"cue": "het rustig is", "action": "bel ik Jan", "on_my_own": "yes"}


async def count(driver: Any, table: str) -> int:
    async with driver.database.connect() as connection:
        return int((await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one())


class TestInSlack:
    @pytest.fixture(autouse=True)
    async def _start(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")

    @pytest.mark.parametrize("channel", ["general", None])
    async def test_not_now_four_times_is_answered_once(self, on_slack: SlackDriver, channel: str | None) -> None:
        shown = await on_slack.type("fatima", "/vast niemand komt", channel=channel)
        assert isinstance(shown, Shown)
        button, before = deepcopy(shown.buttons()["not_now"]), len(on_slack.private("fatima"))
        user = on_slack.user("fatima")
        # The card as it was on two devices; each press is a request of its own.
        await asyncio.gather(*(on_slack.people.send_press(user, shown, button) for _ in range(2)))
        await on_slack.drain()
        for _ in range(2):
            await on_slack.people.send_press(user, shown, button)
            await on_slack.drain()
        said = on_slack.private("fatima")
        assert len(said) == before
        assert "not_now" not in said[-1].buttons()

    async def test_a_form_sent_from_two_devices_is_one_step(self, on_slack: SlackDriver) -> None:
        shown = await on_slack.type("fatima", "/vast niemand komt")
        forms = [await on_slack.press("fatima", shown, "choose_step") for _ in range(2)]
        for form in forms:
            assert isinstance(form, Modal)
            on_slack.slack.screens[on_slack.user("fatima")] = form  # the screen of that device
            await on_slack.submit("fatima", form, **STEP)
        assert await count(on_slack, "next_steps") == 1
        assert len([one for one in on_slack.private("fatima") if "bel ik Jan" in one.words()]) == 1


class TestInTeams:
    @pytest.fixture
    async def on_teams(self, tmp_path: Path) -> AsyncIterator[TeamsDriver]:
        async with teams_driver(tmp_path) as fresh:
            channel = {"team": {"id": TEAM, "name": "Wijkteam"}, "channel": {"id": TEAM}}
            await fresh.event("iris", "conversationUpdate", membersAdded=[{"id": BOT}], data=channel)
            opened = await fresh.press("iris", fresh.posts()[-1], "start")
            await fresh.submit("iris", opened, where=TEAM, name="Samen", language="nl", vision="Iedereen loopt mee")
            yield fresh

    async def test_not_now_four_times_is_answered_once(self, on_teams: TeamsDriver) -> None:
        await on_teams.say("iris", "stuck Niemand komt naar het overleg")
        shown = deepcopy(on_teams.private()[-1])
        before = len(on_teams.private())
        for _ in range(4):
            await on_teams.press("iris", shown, "stuck.not_now")
        assert len(on_teams.private()) == before
        assert await self._sent(on_teams) == 1

    async def _sent(self, driver: TeamsDriver) -> int:
        async with driver.database.connect() as connection:
            query = "SELECT count(*) FROM deliveries WHERE act = 'update' AND kind = 'answer'"
            return int((await connection.exec_driver_sql(query)).scalar_one())

    async def test_a_dialog_sent_from_two_devices_is_one_step(self, on_teams: TeamsDriver) -> None:
        await on_teams.say("iris", "stuck Niemand komt naar het overleg")
        shown = deepcopy(on_teams.private()[-1])
        dialogs = [await on_teams.press("iris", shown, "step") for _ in range(2)]
        for opened in dialogs:
            assert await on_teams.submit("iris", opened, **STEP) == {}
        assert await count(on_teams, "next_steps") == 1

    async def test_done_opens_a_dialog(self, on_teams: TeamsDriver) -> None:
        await on_teams.say("iris", "stuck Niemand komt naar het overleg")
        opened = await on_teams.press("iris", on_teams.private()[-1], "step")
        await on_teams.submit("iris", opened, **STEP)
        while not any("step.done" in repr(one.card) for one in on_teams.private()):
            due = await on_teams.ritme.next_due()
            assert due is not None
            await on_teams.until(due)
        (asked,) = [one for one in on_teams.private() if "step.done" in repr(one.card)]
        opened = await on_teams.press("iris", asked, "step.done")
        assert opened["task"]["type"] == "continue"
        await on_teams.submit("iris", opened, outcome="Jan kwam langs.")
        assert await count(on_teams, "next_steps WHERE outcome = 'Jan kwam langs.'") == 1


class TestInThePlayground:
    @pytest.fixture
    async def playground(self, tmp_path: Path) -> AsyncIterator[PlaygroundDriver]:
        async with AsyncExitStack() as stack:
            fresh = await stack.enter_async_context(playground_driver(tmp_path))
            await fresh.movement("fatima")
            yield fresh

    async def test_not_now_twice_at_once_is_answered_once(self, playground: PlaygroundDriver) -> None:
        shown = await playground.type("fatima", "/vast niemand komt")
        assert isinstance(shown, Seen)
        before = len(await playground.private("fatima"))
        both = [playground.served.press("fatima", shown.id, "not_now") for _ in range(2)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        # The second finds the card replaced, or is told nothing.
        assert sum(isinstance(one, dict) and bool(one.get("reply")) for one in answers) == 1
        assert len(await playground.private("fatima")) == before

    async def test_a_form_sent_twice_at_once_is_one_step(self, playground: PlaygroundDriver) -> None:
        shown = await playground.type("fatima", "/vast niemand komt")
        form = await playground.press("fatima", shown, "choose_step")
        assert isinstance(form, Dialog)
        values = {**{one["name"]: one["value"] for one in form.json["fields"]}, **STEP}
        both = [playground.served.submit("fatima", form.json, values) for _ in range(2)]
        answers = await asyncio.gather(*both)
        assert sum(bool(one.get("reply")) for one in answers) == 1
        assert (await playground.served.submit("fatima", form.json, values)) == {"reply": None}

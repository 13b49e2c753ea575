"""Whole lives of a movement, alike in the playground and in Slack, over both databases; over both clock changes of 2027
and King's Day."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.drivers.playground import PlaygroundStage, playground_stage
from tests.drivers.slack import WAYS, SlackStage, slack_stage

CHANNEL = "samen-vooruit"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EVERYONE = ("fatima", "jan", "sanne", "kwame", "priya", "wim", "agnieszka")
STEP = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes"}


class OnSlack:
    """The Slack stage, where the playground's stage asks and it merely knows."""

    def __init__(self, stage: SlackStage) -> None:
        self._stage = stage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    async def movement(self, *people: str) -> None:
        await self._stage.movement(*people, channels=(CHANNEL, "wijkteam-noord"))

    async def type(self, who: str, line: str) -> Any:
        return await self._stage.type(who, line, channel=CHANNEL)

    async def reply(self, who: str, channel: str, under: Any, text: str) -> Any:
        return await self._stage.reply(who, channel, under.ts, text)

    async def posts(self) -> list[Any]:
        return list(self._stage.posts(CHANNEL))

    async def private(self, who: str) -> list[Any]:
        return list(self._stage.private(who))

    def at(self, shown: Any) -> datetime:
        return datetime.fromtimestamp(float(shown.ts), UTC)


Stage = PlaygroundStage | OnSlack


@pytest.fixture(params=["playground", *WAYS])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        if request.param == "playground":
            yield await stack.enter_async_context(playground_stage(tmp_path))
        else:
            slack = await stack.enter_async_context(slack_stage(tmp_path, **WAYS[request.param]))
            for who in ("iris", *EVERYONE):
                slack.user(who)
            slack.channel(CHANNEL)
            yield OnSlack(slack)


async def with_button(stage: Stage, who: str, name: str) -> Any:
    """The last thing said to someone alone that has this button."""
    found = [one for one in await stage.private(who) if name in one.buttons()]
    assert found, f"nothing said to {who} has a button {name}"
    return found[-1]


async def rhythm(stage: Stage, **values: Any) -> None:
    form = await stage.press("iris", await stage.type("iris", "/ritme ritme"), "new")
    made = await stage.submit("iris", form, every="1", on_holiday="move", **values)
    assert "moment" in made.buttons(), made


async def test_from_the_first_start_to_the_harvest_and_on_through_the_year(stage: Stage) -> None:
    form = await stage.type("iris", "/ritme start")
    started = await stage.submit("iris", form, name="Samen", vision="Samen doen wat kan.", language="nl")
    form = await stage.press("iris", started, "purpose")
    saved = await stage.submit("iris", form, core_messages="Vraag eerst.\nEen klein stapje telt.")
    assert "Vraag eerst." in saved.words()
    await rhythm(stage, kind="purpose", weekdays=["MO", "TU"], at="09:00")
    await rhythm(stage, kind="harvest", weekdays=["FR"], at="15:00")

    await stage.until(datetime(2027, 3, 8, 9, tzinfo=UTC))
    reminder = (await stage.posts())[-1]
    stories = {}
    told_by = {"fatima": "We liepen tot de brievenbus.", "jan": "Ze pakte zelf de kam.", "kwame": "I asked."}
    for who, told in told_by.items():
        stories[who] = await stage.reply(who, CHANNEL, reminder, told)
        kept = await stage.press(who, await with_button(stage, who, "keep"), "keep")
        assert kept is not None
    await stage.react("sanne", stories["fatima"])
    await stage.until(datetime(2027, 3, 8, 10, tzinfo=UTC))
    assert len(await stage.private("fatima")) >= 2

    await stage.until(datetime(2027, 3, 12, 15, tzinfo=UTC))
    harvest = (await stage.posts())[-1]
    for told in ("brievenbus", "de kam", "I asked"):
        assert told in harvest.words()

    await stage.until(datetime(2027, 11, 3, 12, tzinfo=UTC))
    heard = [stage.at(one).astimezone(AMSTERDAM) for one in await stage.posts()]
    mornings = {one.date() for one in heard if (one.hour, one.minute) == (9, 0)}
    assert {one.hour for one in heard} == {9, 15}
    assert {date(2027, 3, 23), date(2027, 3, 30), date(2027, 4, 28), date(2027, 10, 26), date(2027, 11, 2)} <= mornings
    assert not {date(2027, 3, 29), date(2027, 4, 27)} & mornings


async def test_from_stuck_through_company_to_a_story_over_the_clock_change(stage: Stage) -> None:
    await stage.movement(*EVERYONE)
    await stage.until(datetime(2027, 3, 24, 9, tzinfo=UTC))
    form = await stage.type("fatima", "/vast")
    wrong = await stage.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="helpers")
    assert set(wrong) == {"helpers"}
    form = await stage.type("fatima", "/stuck")
    welcome = await stage.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="me")

    await stage.submit("fatima", await stage.press("fatima", welcome, "choose_step"), **STEP, day="2027-03-26")
    await stage.until(datetime(2027, 3, 26, 9, tzinfo=UTC))
    form = await stage.press("fatima", await with_button(stage, "fatima", "not_yet"), "not_yet")
    await stage.submit("fatima", form, day="2027-03-30")
    await stage.until(datetime(2027, 3, 30, 9, tzinfo=UTC))
    back = await with_button(stage, "fatima", "still_stuck")
    assert stage.at(back).astimezone(AMSTERDAM).strftime("%d %H:%M") == "30 09:00"
    still = await stage.press("fatima", back, "still_stuck")
    await stage.submit("fatima", await stage.press("fatima", still, "choose_step"), **STEP, day="2027-04-06")
    await stage.until(datetime(2027, 4, 6, 9, tzinfo=UTC))
    offer = await stage.press("fatima", await with_button(stage, "fatima", "still_stuck"), "still_stuck")

    await stage.press("fatima", offer, "ask_them")
    await stage.until(datetime(2027, 4, 6, 10, tzinfo=UTC))
    asked = [who for who in ("iris", *EVERYONE) if any("give" in one.buttons() for one in await stage.private(who))]
    assert len(asked) == 2
    for who in asked:
        form = await stage.press(who, await with_button(stage, who, "give"), "give")
        await stage.submit(who, form, question="Wie loopt graag?", idea=f"idee van {who}")
    await stage.until(datetime(2027, 4, 6, 11, tzinfo=UTC))
    together = (await stage.private("fatima"))[-1]
    assert all(f"idee van {who}" in together.words() for who in asked)

    await stage.submit("fatima", await stage.press("fatima", together, "choose_step"), **STEP, day="2027-04-13")
    await stage.until(datetime(2027, 4, 13, 9, tzinfo=UTC))
    form = await stage.press("fatima", await with_button(stage, "fatima", "done"), "done")
    done = await stage.submit("fatima", form, outcome="Sanne nam iemand mee.")
    await stage.submit("fatima", await stage.press("fatima", done, "tell_story"), readers="movement")
    assert "Sanne nam iemand mee." in (await stage.type("fatima", "/ritme verhalen")).words()


async def test_from_naming_a_colleague_to_having_met(stage: Stage) -> None:
    await stage.movement(*EVERYONE)
    await stage.submit("jan", await stage.type("jan", "/ritme noem"), connector=["sanne"])
    await stage.submit("kwame", await stage.type("kwame", "/ritme nominate"), connector=["sanne"])
    assert await stage.press("sanne", await with_button(stage, "sanne", "yes"), "yes") is not None

    form = await stage.press("fatima", await stage.type("fatima", "/ritme beginnetje"), "make")
    await stage.submit("fatima", form, name="Samen eten")
    suggested = await stage.submit("fatima", await stage.type("fatima", "/ritme verbind"), figure="connector")
    assert "sanne" in suggested.words().lower()
    form = await stage.press("fatima", suggested, "invite_1")
    await stage.submit("fatima", form, text="Eet je een keer mee?")
    await stage.until(datetime(2027, 3, 1, 10, tzinfo=UTC))
    invitation = await with_button(stage, "sanne", "accept")
    assert "Eet je een keer mee?" in invitation.words()
    await stage.press("sanne", invitation, "accept")
    await stage.until(datetime(2027, 3, 9, 10, tzinfo=UTC))
    noted = await stage.press("fatima", await with_button(stage, "fatima", "met"), "met")
    assert "tell" in noted.buttons()


async def test_snoozed_stopped_and_forgotten(stage: Stage) -> None:
    await stage.movement(*EVERYONE)
    stuck = await stage.type("fatima", "/vast De nacht hoort het als laatste")
    await stage.submit("fatima", await stage.press("fatima", stuck, "choose_step"), **STEP, day="2027-03-02")
    form = await stage.press("fatima", await stage.type("fatima", "/ritme ik"), "snooze")
    await stage.submit("fatima", form, until="2027-03-05")
    await stage.until(datetime(2027, 3, 4, 12, tzinfo=UTC))
    assert not any("done" in one.buttons() for one in await stage.private("fatima"))
    await stage.until(datetime(2027, 3, 5, 12, tzinfo=UTC))
    await with_button(stage, "fatima", "done")

    await stage.submit("fatima", await stage.press("fatima", stuck, "choose_step"), **STEP, day="2027-03-09")
    stopped = await stage.type("fatima", "/ritme stop")
    before = len(await stage.private("fatima"))
    await stage.until(datetime(2027, 3, 12, 12, tzinfo=UTC))
    assert len(await stage.private("fatima")) == before
    bye = await stage.press("fatima", stopped, "forget")
    assert "weg" in bye.words()
    anew = await stage.type("fatima", "/ritme ik")
    assert "stapje" not in anew.words().split("\n")[1]

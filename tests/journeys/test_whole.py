"""Journeys from beginning to end, the same in the playground and in Slack, over both databases, and over both clock
changes of 2027 and King's Day."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.drivers.playground import PlaygroundDriver, playground_driver
from tests.drivers.slack import WAYS, SlackDriver, slack_driver
from tests.support.world import agree

CHANNEL = "samen-vooruit"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EVERYONE = ("fatima", "jan", "sanne", "kwame", "priya", "wim", "agnieszka")
STEP = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes"}


class OnSlack:
    """The Slack driver with coroutines, where the playground's driver has to ask its server."""

    def __init__(self, driver: SlackDriver) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def movement(self, *people: str) -> None:
        await self._driver.movement(*people, channels=(CHANNEL, "wijkteam-noord"))

    async def type(self, who: str, line: str) -> Any:
        return await self._driver.type(who, line, channel=CHANNEL)

    async def reply(self, who: str, channel: str, under: Any, text: str) -> Any:
        return await self._driver.reply(who, channel, under.ts, text)

    async def posts(self) -> list[Any]:
        return list(self._driver.posts(CHANNEL))

    async def private(self, who: str) -> list[Any]:
        return list(self._driver.private(who))

    def at(self, shown: Any) -> datetime:
        return datetime.fromtimestamp(float(shown.ts), UTC)


Driver = PlaygroundDriver | OnSlack


@pytest.fixture(params=["playground", *WAYS])
async def driver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Driver]:
    async with AsyncExitStack() as stack:
        if request.param == "playground":
            yield await stack.enter_async_context(playground_driver(tmp_path))
        else:
            slack = await stack.enter_async_context(slack_driver(tmp_path, **WAYS[request.param]))
            for who in ("iris", *EVERYONE):
                slack.user(who)
            slack.channel(CHANNEL)
            yield OnSlack(slack)


async def with_button(driver: Driver, who: str, name: str) -> Any:
    """Return the last message to someone alone that has this button."""
    found = [one for one in await driver.private(who) if name in one.buttons()]
    assert found, f"nothing said to {who} has a button {name}"
    return found[-1]


async def rhythm(driver: Driver, **values: Any) -> None:
    form = await driver.press("iris", await driver.type("iris", "/ritme ritme"), "new")
    made = await driver.submit("iris", form, every="1", on_holiday="move", **values)
    assert "moment" in made.buttons(), made


async def test_from_the_first_start_to_the_harvest_and_on_through_the_year(driver: Driver) -> None:
    form = await driver.type("iris", "/ritme start")
    started = await driver.submit("iris", form, name="Samen", vision="Samen doen wat kan.", language="nl")
    form = await driver.press("iris", started, "purpose")
    saved = await driver.submit("iris", form, core_messages="Vraag eerst.\nEen klein stapje telt.")
    assert "Vraag eerst." in saved.words()
    await rhythm(driver, kind="purpose", weekdays=["MO", "TU"], at="09:00")
    await rhythm(driver, kind="harvest", weekdays=["FR"], at="15:00")

    await driver.until(datetime(2027, 3, 8, 9, tzinfo=UTC))
    reminder = (await driver.posts())[-1]
    stories = {}
    told_by = {"fatima": "We liepen tot de brievenbus.", "jan": "Ze pakte zelf de kam.", "kwame": "I asked."}
    for who, told in told_by.items():
        stories[who] = await driver.reply(who, CHANNEL, reminder, told)
        kept = await driver.press(who, await with_button(driver, who, "keep"), "keep")
        assert kept is not None
    await driver.react("sanne", stories["fatima"])
    await driver.until(datetime(2027, 3, 8, 10, tzinfo=UTC))
    assert len(await driver.private("fatima")) >= 2

    await driver.until(datetime(2027, 3, 12, 15, tzinfo=UTC))
    harvest = (await driver.posts())[-1]
    for told in ("brievenbus", "de kam", "I asked"):
        assert told in harvest.words()

    await driver.until(datetime(2027, 11, 3, 12, tzinfo=UTC))
    heard = [driver.at(one).astimezone(AMSTERDAM) for one in await driver.posts()]
    mornings = {one.date() for one in heard if (one.hour, one.minute) == (9, 0)}
    assert {one.hour for one in heard} == {9, 15}
    assert {date(2027, 3, 23), date(2027, 3, 30), date(2027, 4, 28), date(2027, 10, 26), date(2027, 11, 2)} <= mornings
    assert not {date(2027, 3, 29), date(2027, 4, 27)} & mornings


async def test_from_stuck_through_company_to_a_story_over_the_clock_change(driver: Driver) -> None:
    await driver.movement(*EVERYONE)
    for who in ("jan", "sanne"):
        settings = await driver.press(who, await driver.type(who, "/ritme ik"), "settings")
        await driver.submit(who, settings, suggestible="yes")
    await driver.until(datetime(2027, 3, 24, 9, tzinfo=UTC))
    form = await driver.type("fatima", "/vast")
    wrong = await driver.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="helpers")
    assert set(wrong) == {"helpers"}
    form = await driver.type("fatima", "/stuck")
    welcome = await driver.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="me")

    await driver.submit("fatima", await driver.press("fatima", welcome, "choose_step"), **STEP, day="2027-03-26")
    await driver.until(datetime(2027, 3, 26, 9, tzinfo=UTC))
    form = await driver.press("fatima", await with_button(driver, "fatima", "not_yet"), "not_yet")
    await driver.submit("fatima", form, day="2027-03-30")
    await driver.until(datetime(2027, 3, 30, 9, tzinfo=UTC))
    back = await with_button(driver, "fatima", "still_stuck")
    assert driver.at(back).astimezone(AMSTERDAM).strftime("%d %H:%M") == "30 09:00"
    still = await driver.press("fatima", back, "still_stuck")
    await driver.submit("fatima", await driver.press("fatima", still, "choose_step"), **STEP, day="2027-04-06")
    await driver.until(datetime(2027, 4, 6, 9, tzinfo=UTC))
    offer = await driver.press("fatima", await with_button(driver, "fatima", "still_stuck"), "still_stuck")

    await driver.press("fatima", offer, "ask_them")
    await driver.until(datetime(2027, 4, 6, 10, tzinfo=UTC))
    asked = [who for who in ("iris", *EVERYONE) if any("give" in one.buttons() for one in await driver.private(who))]
    assert len(asked) == 2
    for who in asked:
        form = await driver.press(who, await with_button(driver, who, "give"), "give")
        await driver.submit(who, form, question="Wie loopt graag?", idea=f"idee van {who}")
    await driver.until(datetime(2027, 4, 6, 11, tzinfo=UTC))
    together = (await driver.private("fatima"))[-1]
    assert all(f"idee van {who}" in together.words() for who in asked)

    await driver.submit("fatima", await driver.press("fatima", together, "choose_step"), **STEP, day="2027-04-13")
    await driver.until(datetime(2027, 4, 13, 9, tzinfo=UTC))
    form = await driver.press("fatima", await with_button(driver, "fatima", "done"), "done")
    done = await driver.submit("fatima", form, outcome="Sanne nam iemand mee.")
    await driver.submit("fatima", await driver.press("fatima", done, "tell_story"), readers="movement")
    assert "Sanne nam iemand mee." in (await driver.type("fatima", "/ritme verhalen")).words()


async def test_from_naming_a_colleague_to_having_met(driver: Driver) -> None:
    await driver.movement(*EVERYONE)
    await driver.submit("jan", await driver.type("jan", "/ritme noem"), connector=["sanne"])
    await driver.submit("kwame", await driver.type("kwame", "/ritme nominate"), connector=["sanne"])
    assert await driver.press("sanne", await with_button(driver, "sanne", "yes"), "yes") is not None

    form = await driver.press("fatima", await driver.type("fatima", "/ritme beginnetje"), "make")
    await driver.submit("fatima", form, name="Samen eten")
    suggested = await driver.submit("fatima", await driver.type("fatima", "/ritme verbind"), figure="connector")
    assert "sanne" in suggested.words().lower()
    form = await driver.press("fatima", suggested, "invite_1")
    await driver.submit("fatima", form, text="Eet je een keer mee?")
    await driver.until(datetime(2027, 3, 1, 10, tzinfo=UTC))
    invitation = await with_button(driver, "sanne", "accept")
    assert "Eet je een keer mee?" in invitation.words()
    await driver.press("sanne", invitation, "accept")
    await driver.until(datetime(2027, 3, 9, 10, tzinfo=UTC))
    noted = await driver.press("fatima", await with_button(driver, "fatima", "met"), "met")
    assert "tell" in noted.buttons()


async def test_snoozed_stopped_and_forgotten(driver: Driver) -> None:
    await driver.movement(*EVERYONE)
    stuck = await driver.type("fatima", "/vast De nacht hoort het als laatste")
    await driver.submit("fatima", await driver.press("fatima", stuck, "choose_step"), **STEP, day="2027-03-02")
    form = await driver.press("fatima", await driver.type("fatima", "/ritme ik"), "snooze")
    await driver.submit("fatima", form, until="2027-03-05")
    await driver.until(datetime(2027, 3, 4, 12, tzinfo=UTC))
    assert not any("done" in one.buttons() for one in await driver.private("fatima"))
    await driver.until(datetime(2027, 3, 5, 12, tzinfo=UTC))
    await with_button(driver, "fatima", "done")

    await driver.submit("fatima", await driver.press("fatima", stuck, "choose_step"), **STEP, day="2027-03-09")
    stopped = await driver.press("fatima", await driver.type("fatima", "/ritme stop"), "stop")
    before = len(await driver.private("fatima"))
    await driver.until(datetime(2027, 3, 12, 12, tzinfo=UTC))
    assert len(await driver.private("fatima")) == before
    bye = await driver.press("fatima", stopped, "forget")
    assert "weg" in bye.words()
    anew = await driver.type("fatima", "/ritme ik")
    assert "stapje" not in anew.words().split("\n")[1]


async def test_stuck_twice_is_said_and_taken_apart_and_company_has_no_name_before_it_answers(driver: Driver) -> None:
    await driver.movement(*EVERYONE)
    await agree(driver.served.begin if isinstance(driver, PlaygroundDriver) else driver.begin, "jan", "sanne")

    wrong = await driver.submit(
        "fatima",
        await driver.press("fatima", await driver.type("fatima", "/stuck het loopt niet"), "change"),
        audience="channel",
        helpers=["jan"],
    )
    assert "Alleen wie ik kies" in str(wrong)

    added = await driver.type("fatima", "/stuck en de nacht komt niet")
    assert all(words in added.words() for words in ("het loopt niet", "en de nacht komt niet"))
    apart = await driver.press("fatima", added, "take_apart")
    assert "take_first" in apart.buttons()
    welcome = await driver.press("fatima", apart, "take_second")
    assert "het loopt niet" not in welcome.words()

    offer = await driver.press("fatima", welcome, "company")
    assert "Twee collega's" in offer.words()
    asked = await driver.press("fatima", offer, "ask_them")
    shown = (offer.words() + asked.words()).lower()
    assert not any(name in shown for name in ("jan", "sanne"))
    await driver.drain()
    form = await driver.press("sanne", await with_button(driver, "sanne", "give"), "give")
    await driver.submit("sanne", form, question="Wie loopt graag?", idea="Loop een keer mee")
    form = await driver.press("jan", await with_button(driver, "jan", "give"), "give")
    await driver.submit("jan", form, question="Wanneer?", idea="Bel eens")
    await driver.drain()
    together = (await with_button(driver, "fatima", "moves_again")).words()
    assert all(words in together for words in ("Loop een keer mee", "Bel eens"))


async def test_a_rhythm_said_in_a_sentence_comes_where_and_when_it_says(driver: Driver) -> None:
    form = await driver.type("iris", "/ritme start")
    await driver.submit("iris", form, name="Samen", vision="Samen doen wat kan.", language="nl")
    shown = await driver.type("iris", "/ritme ritme elke maandag om 10 uur een verhaalronde")
    made = await driver.press("iris", shown, "save")
    assert "elke maandag om 10:00" in made.words()
    assert "Tweede paasdag: overgeslagen" in made.words()
    shown = await driver.type("iris", "/ritme ritme elke maandag om 10 uur een verhaalronde")
    asked = await driver.press("iris", shown, "save")
    assert "Dit ritme is er al" in asked.words()
    before = len(await driver.posts())
    await driver.until(datetime(2027, 4, 6, tzinfo=UTC))
    heard = [driver.at(one).astimezone(AMSTERDAM) for one in (await driver.posts())[before:]]
    rounds = [one for one in heard if one.weekday() == 0]
    assert [(one.month, one.day, one.hour) for one in rounds[-4:]] == [(3, 8, 10), (3, 15, 10), (3, 22, 10), (4, 5, 10)]

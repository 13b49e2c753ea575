"""Make an appointment for a follow-up on every platform: what cannot be is refused beside its field."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.drivers.playground import Dialog, playground_driver
from tests.drivers.slack import SlackDriver
from tests.drivers.teams import teams_driver
from tests.fakes.slack.state import Modal, Shown
from tests.journeys.test_on_teams import rows, start_movement

STEP = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes"}
SATURDAY_EVENING = {"day": "2027-03-06", "at": "20:00"}
REFUSED = {
    "day": "In het weekend is het stil bij jou. Kies bijvoorbeeld maandag 8 maart om 09:00.",
    "at": "Dan is het stil bij jou. Kies bijvoorbeeld maandag 8 maart om 09:00.",
}
PROPOSED = {"day": "2027-03-08", "at": "09:00"}
PROMISE = "Dan kom ik er maandag 8 maart om 09:00 op terug"
COMES = datetime(2027, 3, 8, 8, tzinfo=UTC)


async def test_in_slack(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    form = await on_slack.type("fatima", "/ritme stap")
    assert isinstance(form, Modal)
    assert await on_slack.submit("fatima", form, **STEP, **SATURDAY_EVENING) == REFUSED
    card = await on_slack.submit("fatima", form, **STEP, **PROPOSED)
    assert isinstance(card, Shown)
    assert PROMISE in card.words()
    before = len(on_slack.private("fatima"))
    await on_slack.until(COMES - timedelta(minutes=1))
    assert len(on_slack.private("fatima")) == before
    await on_slack.until(COMES)
    assert "vraag ik Jan" in on_slack.private("fatima")[-1].words()
    assert len(on_slack.private("fatima")) == before + 1


async def test_in_teams(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as on_teams:
        await start_movement(on_teams)
        await on_teams.say("iris", "stap")
        opened = await on_teams.press("iris", on_teams.private()[-1], "step")
        refused = await on_teams.submit("iris", opened, **STEP, **SATURDAY_EVENING)
        body = refused["task"]["value"]["card"]["content"]["body"]
        for name, sentence in REFUSED.items():
            at = next(index for index, one in enumerate(body) if one.get("id") == name)
            assert sentence in str(body[at - 1])
            assert body[at]["value"] == SATURDAY_EVENING[name]
        assert await on_teams.submit("iris", refused, **PROPOSED) == {}
        assert PROMISE in on_teams.private()[-1].words()
        assert await rows(on_teams, "SELECT count(*) FROM next_steps") == [(1,)]
        before = len(on_teams.private())
        ((zone,),) = await rows(on_teams, "SELECT DISTINCT timezone FROM people WHERE timezone IS NOT NULL")
        comes = datetime(2027, 3, 8, 9, tzinfo=ZoneInfo(str(zone))).astimezone(UTC)
        await on_teams.until(comes - timedelta(minutes=1))
        assert len(on_teams.private()) == before
        await on_teams.until(comes)
        assert len(on_teams.private()) == before + 1
        assert "vraag ik Jan" in on_teams.private()[-1].words()


async def test_in_the_playground(tmp_path: Path) -> None:
    async with playground_driver(tmp_path) as driver:
        await driver.movement()
        form = await driver.type("fatima", "/ritme stap")
        assert isinstance(form, Dialog)
        assert await driver.submit("fatima", form, **STEP, **SATURDAY_EVENING) == REFUSED
        card = await driver.submit("fatima", form, **STEP, **PROPOSED)
        assert PROMISE in card.words()
        await driver.until(COMES)
        # The clock of the playground runs.
        assert driver.at((await driver.private("fatima"))[-1]).replace(second=0, microsecond=0) == COMES

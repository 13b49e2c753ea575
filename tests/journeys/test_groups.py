"""Slack's user groups stand for groups of the movement: chosen by a coordinator, kept up by what Slack tells."""

from datetime import time

import pytest

from adapters.playground.messenger import PlaygroundDirectory
from bot.domain.person import WorkspaceId
from tests.drivers.slack import LANE, SlackDriver
from tests.fakes.slack.state import Fault, Modal, Shown
from tests.support.world import World, text_of

NIGHT, NORTH = "S1", "S2"


async def seed_groups(driver: SlackDriver) -> None:
    await driver.movement("fatima", "jan")
    members = [driver.user("fatima"), driver.user("wim")]
    driver.slack.groups = {NIGHT: ("Nachtdienst", members), NORTH: ("Wijkteam Noord", [driver.user("jan")])}


async def choose(driver: SlackDriver, *handles: str) -> Shown:
    offered = await driver.type("iris", "/ritme groepen")
    offered = driver.private("iris")[-1]
    form = await driver.press("iris", offered, "choose")
    assert isinstance(form, Modal)
    saved = await driver.submit("iris", form, groups=list(handles))
    assert isinstance(saved, Shown)
    return saved


async def read_group(driver: SlackDriver, who: str) -> str | None:
    async with driver.begin() as work:
        person = await work.people.by_account(LANE, driver.user(who))
    return person.group if person is not None else None


async def set_hours(driver: SlackDriver, group: str, start: str = "08:00") -> None:
    form = await driver.press("iris", await driver.type("iris", "/ritme uren"), "set")
    values = {"group": group, "quiet_from": start, "quiet_until": "16:00", "quiet_weekends": "no"}
    await driver.submit("iris", form, **values)


async def read_quiet(driver: SlackDriver, who: str) -> tuple[time | None, time | None]:
    async with driver.begin() as work:
        person = await work.people.by_account(LANE, driver.user(who))
    assert person is not None
    return person.group_quiet_from, person.group_quiet_until


async def list_hours(driver: SlackDriver) -> dict[str, str]:
    """Return the groups with quiet hours: key → name."""
    async with driver.begin() as work:
        movements = {one.movement_id for one in await work.movements.segments_in(LANE)}
        return {hours.key: hours.name for one in movements for hours in await work.movements.group_hours(one)}


async def test_chosen_groups_hold_who_ritme_knows_and_nobody_else(on_slack: SlackDriver) -> None:
    await seed_groups(on_slack)
    saved = await choose(on_slack, NIGHT, NORTH)
    assert "Nachtdienst" in saved.words()
    assert [await read_group(on_slack, who) for who in ("fatima", "jan", "iris", "wim")] == [
        "Nachtdienst",
        "Wijkteam Noord",
        "",
        None,
    ]


async def test_who_comes_later_belongs_from_their_first_act(on_slack: SlackDriver) -> None:
    await seed_groups(on_slack)
    await choose(on_slack, NIGHT)
    await on_slack.type("wim", "/ritme hulp")
    assert await read_group(on_slack, "wim") == "Nachtdienst"


async def test_a_group_someone_filled_in_stays(on_slack: SlackDriver) -> None:
    await seed_groups(on_slack)
    shown = await on_slack.type("fatima", "/ritme ik")
    await on_slack.submit("fatima", await on_slack.press("fatima", shown, "settings"), group="Leerlingen")
    await choose(on_slack, NIGHT)
    await on_slack.people.change_group(NIGHT, removed=(on_slack.user("fatima"),))
    assert await read_group(on_slack, "fatima") == "Leerlingen"


async def test_no_longer_chosen_it_is_nobodys_group(on_slack: SlackDriver) -> None:
    await seed_groups(on_slack)
    await choose(on_slack, NIGHT, NORTH)
    await choose(on_slack, NORTH)
    assert await read_group(on_slack, "fatima") == ""
    assert await read_group(on_slack, "jan") == "Wijkteam Noord"


class TestWhatSlackTells:
    async def test_who_comes_and_goes(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await choose(on_slack, NIGHT, NORTH)
        fatima, jan = on_slack.user("fatima"), on_slack.user("jan")
        await on_slack.people.change_group(NORTH, added=(fatima,))
        assert await read_group(on_slack, "fatima") == "Nachtdienst"
        await on_slack.people.change_group(NIGHT, removed=(fatima,), added=(on_slack.user("wim"),))
        await on_slack.drain()
        assert await read_group(on_slack, "fatima") == "Wijkteam Noord"
        await on_slack.people.change_group(NORTH, removed=(jan,))
        assert await read_group(on_slack, "jan") == ""
        assert await read_group(on_slack, "wim") is None

    async def test_another_name(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await choose(on_slack, NIGHT)
        await on_slack.people.rename_group(NIGHT, "Nachtploeg")
        assert await read_group(on_slack, "fatima") == "Nachtploeg"

    async def test_another_name_keeps_its_quiet_hours(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await choose(on_slack, NIGHT)
        await set_hours(on_slack, "Nachtdienst")
        await on_slack.pass_(days=1)
        before = len(on_slack.private("fatima"))
        await on_slack.people.rename_group(NIGHT, "Nachtploeg")
        assert await read_quiet(on_slack, "fatima") == (time(8), time(16))
        assert await list_hours(on_slack) == {"nachtploeg": "Nachtploeg"}
        await on_slack.people.rename_group(NIGHT, "NACHTPLOEG")  # the same to us
        assert await list_hours(on_slack) == {"nachtploeg": "NACHTPLOEG"}
        await on_slack.pass_(days=1)
        assert len(on_slack.private("fatima")) == before

    async def test_another_name_leaves_hours_to_who_wrote_the_old_one(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await choose(on_slack, NIGHT)
        shown = await on_slack.type("jan", "/ritme ik")
        await on_slack.submit("jan", await on_slack.press("jan", shown, "settings"), group="nachtdienst")
        await set_hours(on_slack, "Nachtdienst")
        await on_slack.people.rename_group(NIGHT, "Nachtploeg")
        assert set(await list_hours(on_slack)) == {"nachtdienst", "nachtploeg"}
        assert await read_quiet(on_slack, "fatima") == await read_quiet(on_slack, "jan") == (time(8), time(16))

    async def test_a_name_with_hours_of_its_own_keeps_those(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await choose(on_slack, NIGHT)
        await set_hours(on_slack, "Nachtdienst")
        await set_hours(on_slack, "Nachtploeg", "09:00")
        await on_slack.people.rename_group(NIGHT, "Nachtploeg")
        assert await read_quiet(on_slack, "fatima") == (time(9), time(16))

    async def test_an_end(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await choose(on_slack, NIGHT)
        await on_slack.people.rename_group(NIGHT, "Nachtdienst", ended=True)
        assert await read_group(on_slack, "fatima") == ""

    async def test_of_groups_nobody_chose_nothing_is_kept(self, on_slack: SlackDriver) -> None:
        await seed_groups(on_slack)
        await on_slack.people.change_group(NIGHT, added=(on_slack.user("jan"),))
        async with on_slack.database.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT count(*) FROM inbox")).scalar_one() == 0


async def test_when_slack_does_not_tell_it_is_said(on_slack: SlackDriver) -> None:
    await seed_groups(on_slack)
    on_slack.slack.faults = [Fault(method="usergroups.list", error="missing_scope")]
    await on_slack.type("iris", "/ritme groepen")
    assert "Ik kreeg nu niet te horen" in on_slack.private("iris")[-1].words()


async def test_where_there_are_no_groups_everyone_can_fill_one_in(on_slack: SlackDriver) -> None:
    await on_slack.movement()
    await on_slack.type("iris", "/ritme groups")
    assert "geen groepen" in on_slack.private("iris")[-1].words()


async def test_only_coordinators_choose_and_only_from_what_was_offered(on_slack: SlackDriver) -> None:
    await seed_groups(on_slack)
    shown = await on_slack.type("fatima", "/ritme groepen")
    assert isinstance(shown, Shown)
    assert "coördinator" in shown.words()
    await on_slack.type("iris", "/ritme groepen")
    await on_slack.type("jan", "/ritme groepen")
    assert [one.words() for one in on_slack.private("jan") if "Nachtdienst" in one.words()] == []


@pytest.mark.parametrize("intent", ["groups.choose", "groups.save"])
async def test_a_list_that_was_not_theirs_is_not_found(world: World, intent: str) -> None:
    await world.movement("fatima")
    assert "niet (meer) vinden" in text_of(await world.do("iris", intent, args={"list": "other", "groups": ("S1",)}))


async def test_the_playground_has_groups_too(tmp_path: object) -> None:
    directory = PlaygroundDirectory(chat=None)  # type: ignore[arg-type]  # groups need no chat
    lane = WorkspaceId("playground:demo")
    names = [one.name for one in await directory.groups(lane)]
    assert "Nachtdienst" in names
    assert list(await directory.group_members(lane, "Nachtdienst")) == ["kwame", "sanne"]

"""What Slack tells of people: names and zones that change, guests, and who is no longer there."""

import pytest

from adapters.slack import people
from bot.chat import Profile
from bot.domain.delivery import DeliveryState, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Language, Person, WorkspaceId
from tests.drivers.slack import LANE, SlackStage
from tests.support.outbox import row
from tests.support.world import World, text_of

FULL = {"id": "U1", "team_id": "T1", "tz": "Europe/Paris", "locale": "en-US", "profile": {"display_name": "Fatima"}}


async def known(stage: SlackStage, who: str) -> Person | None:
    async with stage.begin() as work:
        return await work.people.by_account(LANE, stage.user(who))


async def person(stage: SlackStage, who: str) -> Person:
    found = await known(stage, who)
    assert found is not None
    return found


class TestAProfile:
    def test_has_name_language_and_zone(self) -> None:
        told = people.profile(FULL, "T1")
        assert told == Profile(name="Fatima", language="en-US", timezone="Europe/Paris")

    @pytest.mark.parametrize(
        ("shown", "name"),
        [
            ({"profile": {"display_name": "", "real_name": "Fatima El Idrissi"}}, "Fatima El Idrissi"),
            ({"real_name": "Fatima E"}, "Fatima E"),
            ({"name": "fatima", "profile": None}, "fatima"),
            ({}, ""),
        ],
    )
    def test_calls_people_as_they_call_themselves(self, shown: dict[str, object], name: str) -> None:
        assert people.profile({"id": "U1", **shown}, "T1").name == name

    @pytest.mark.parametrize(
        "marks",
        [
            {"is_restricted": True},
            {"is_ultra_restricted": True},
            {"is_stranger": True},
            {"is_bot": True},
            {"team_id": "T2"},
        ],
    )
    def test_of_someone_from_outside_is_a_guest(self, marks: dict[str, object]) -> None:
        assert people.profile({**FULL, **marks}, "T1").guest
        assert not people.profile({**FULL, **dict.fromkeys(marks, False), "team_id": "T1"}, "T1").guest

    @pytest.mark.parametrize("zone", ["Mars/Base", "../etc", "", None])
    def test_leaves_out_a_zone_nobody_knows(self, zone: str | None) -> None:
        assert people.profile({**FULL, "tz": zone}, "T1").timezone is None


class TestAChange:
    async def test_of_name_and_zone_is_followed(self, on_slack: SlackStage) -> None:
        await on_slack.movement("fatima")
        await on_slack.people.change_profile(on_slack.user("fatima"), name="Fatima E.", tz="Europe/Lisbon")
        async with on_slack.begin() as work:
            fatima = next(one for one, _ in await work.people.of_movement(MovementId("movement")) if one.id == "fatima")
        assert (fatima.name, fatima.timezone) == ("Fatima E.", "Europe/Lisbon")

    async def test_leaves_what_someone_chose_themselves(self, on_slack: SlackStage) -> None:
        await on_slack.movement("fatima")
        shown = await on_slack.type("fatima", "/ritme me")
        form = await on_slack.press("fatima", shown, "settings")
        await on_slack.submit("fatima", form, language="en", timezone="Europe/Lisbon")
        await on_slack.people.change_profile(on_slack.user("fatima"), locale="nl-NL", tz="Europe/Paris")
        fatima = await person(on_slack, "fatima")
        assert (fatima.language, fatima.timezone) == (Language.EN, "Europe/Lisbon")

    async def test_of_a_language_once_told_is_followed(self, on_slack: SlackStage) -> None:
        await on_slack.say("fatima", "hulp")
        assert (await person(on_slack, "fatima")).language is Language.NL
        await on_slack.people.change_profile(on_slack.user("fatima"), locale="en-GB")
        assert (await person(on_slack, "fatima")).language is Language.EN

    async def test_of_a_stranger_leaves_no_trace(self, on_slack: SlackStage) -> None:
        await on_slack.movement()
        await on_slack.people.change_profile(on_slack.user("wim"), name="Wim")
        assert await known(on_slack, "wim") is None
        async with on_slack.database.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT count(*) FROM inbox")).scalar_one() == 0


class TestWhoIsNoLongerThere:
    async def test_is_not_nudged_nor_counted_as_coordinator_until_they_are_back(self, on_slack: SlackStage) -> None:
        await on_slack.movement("fatima")
        iris = on_slack.user("iris")
        await on_slack.people.change_profile(iris, deleted=True)
        async with on_slack.begin() as work:
            assert await work.people.coordinators(MovementId("movement")) == []
            gone = await work.people.by_account(LANE, iris)
            assert gone is not None
            await work.deliveries.add(
                to_person(gone, "went_quiet", key="news", now=on_slack.clock.now(), movement=None)
            )
        await on_slack.drain()
        dropped = await row(on_slack, "news")
        assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "deactivated")
        await on_slack.people.change_profile(iris, deleted=False)
        async with on_slack.begin() as work:
            assert len(await work.people.coordinators(MovementId("movement"))) == 1

    async def test_leaves_a_movement_someone_else_can_take_on(self, on_slack: SlackStage) -> None:
        await on_slack.movement("fatima")
        await on_slack.people.change_profile(on_slack.user("iris"), deleted=True)
        shown = await on_slack.type("fatima", "/ritme start")
        await on_slack.press("fatima", shown, "take_on")
        async with on_slack.begin() as work:
            assert [one.id for one in await work.people.coordinators(MovementId("movement"))] == ["fatima"]

    async def test_who_acts_is_there(self, here: World) -> None:
        await here.movement("fatima")
        await here.ritme.handle(here.intent("fatima", "person.changed", {"deactivated": "yes"}))
        await here.type("fatima", "/ritme ik")
        async with here.begin() as work:
            fatima = await work.people.by_account(WorkspaceId("test:W1"), "fatima")
        assert fatima is not None
        assert fatima.deactivated_at is None


async def _mark(here: World, *people: str, deactivated: bool = False) -> None:
    async with here.begin() as work:
        for one, _ in await work.people.of_movement(MovementId("movement")):
            if one.id in people:
                one.guest = not deactivated
                one.deactivated_at = here.clock.now() if deactivated else None


@pytest.mark.parametrize("deactivated", [False, True], ids=["guests", "gone"])
async def test_nobody_is_led_to_guests_or_to_who_is_gone(here: World, deactivated: bool) -> None:
    await here.movement("fatima", "jan", "sanne")
    await _mark(here, "jan", "sanne", "iris", deactivated=deactivated)
    shown = await here.type("fatima", "/stuck niemand komt")
    offered = await here.press("fatima", shown, "company")
    assert "jan" not in text_of(offered)
    assert "sanne" not in text_of(offered)
    form = await here.do("fatima", "nominate")
    await here.submit("fatima", form, connector=("jan",))
    assert here.private("jan") == []


async def test_a_guest_takes_part_and_hears_of_what_they_do_themselves_only(here: World) -> None:
    await here.movement("fatima")
    await _mark(here, "fatima")
    assert text_of(await here.type("fatima", "/stuck niemand komt"))
    async with here.begin() as work:
        fatima = await work.people.by_account(WorkspaceId("test:W1"), "fatima")
        assert fatima is not None
        for priority in (Priority.ASKED_FOR, Priority.FROM_A_PERSON, Priority.NEWS):
            await work.deliveries.add(
                to_person(
                    fatima, "went_quiet", key=priority.name, now=here.clock.now(), movement=None, priority=priority
                )
            )
    await here.drain()
    assert (await row(here, "ASKED_FOR")).state is DeliveryState.SENT
    for unasked in ("FROM_A_PERSON", "NEWS"):
        assert ((await row(here, unasked)).state, (await row(here, unasked)).reason) == (
            DeliveryState.DROPPED,
            "guest",
        )

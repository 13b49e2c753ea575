"""People as Slack reports them: names and time zones that change, guests, and people who left."""

import pytest

from adapters.slack import people
from bot.chat import Profile
from bot.domain.delivery import DeliveryState, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from tests.drivers.slack import LANE, SlackDriver
from tests.fakes.slack.state import Modal, Shown
from tests.support.outbox import get_delivery
from tests.support.world import World, members_of, text_of

FULL = {"id": "U1", "team_id": "T1", "tz": "Europe/Paris", "locale": "en-US", "profile": {"display_name": "Fatima"}}


async def find_person(driver: SlackDriver, who: str) -> Person | None:
    async with driver.begin() as work:
        return await work.people.by_account(LANE, driver.user(who))


async def get_person(driver: SlackDriver, who: str) -> Person:
    found = await find_person(driver, who)
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
    async def test_of_name_and_zone_is_followed(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await on_slack.people.change_profile(on_slack.user("fatima"), name="Fatima E.", tz="Europe/Lisbon")
        async with on_slack.begin() as work:
            fatima = await work.people.get(PersonId("fatima"), MovementId("movement"))
        assert fatima is not None
        assert (fatima.name, fatima.timezone) == ("Fatima E.", "Europe/Lisbon")

    @pytest.mark.parametrize("kind", ["user_change", "team_join"])
    async def test_is_followed_by_whichever_event_it_is_told(self, on_slack: SlackDriver, kind: str) -> None:
        await on_slack.movement("fatima")
        profile = {"display_name": "", "real_name": "Fatima Bakker"}
        user = {
            "id": on_slack.user("fatima"),
            "team_id": "T1",
            "tz": "Europe/Lisbon",
            "profile": profile,
            "deleted": False,
        }
        await on_slack.people.event({"type": kind, "user": {**user, "deleted": True}})
        assert (await get_person(on_slack, "fatima")).deactivated_at is not None
        await on_slack.people.event({"type": kind, "user": {**user, "is_restricted": True}})
        fatima = await get_person(on_slack, "fatima")
        assert (fatima.name, fatima.timezone, fatima.guest) == ("Fatima Bakker", "Europe/Lisbon", True)
        assert fatima.deactivated_at is None

    async def test_leaves_what_someone_chose_themselves(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        shown = await on_slack.type("fatima", "/ritme me")
        form = await on_slack.press("fatima", shown, "settings")
        await on_slack.submit("fatima", form, language="en", timezone="Europe/Lisbon")
        await on_slack.people.change_profile(on_slack.user("fatima"), locale="nl-NL", tz="Europe/Paris")
        fatima = await get_person(on_slack, "fatima")
        assert (fatima.language, fatima.timezone) == (Language.EN, "Europe/Lisbon")

    async def test_of_a_language_once_told_is_followed(self, on_slack: SlackDriver) -> None:
        await on_slack.say("fatima", "hulp")
        assert (await get_person(on_slack, "fatima")).language is Language.NL
        await on_slack.people.change_profile(on_slack.user("fatima"), locale="en-GB")
        assert (await get_person(on_slack, "fatima")).language is Language.EN

    async def test_of_a_language_is_followed_in_a_movement_in_another_too(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("jan")
        on_slack.slack.add_user("john", locale="en-GB")
        await on_slack.type("john", "/ritme help")
        shown = await on_slack.type("john", "/vast nobody comes")
        assert isinstance(shown, Shown)
        assert shown.only_for == on_slack.user("john")
        assert "Not now" in shown.words()
        form = await on_slack.press("john", shown, "choose_step")
        assert isinstance(form, Modal)
        assert "small step" in str(form.view)
        form = await on_slack.type("john", "/verhaal")
        await on_slack.submit("john", form, text="We walked", named="with", readers="movement")
        # What everyone reads stays in the language of the place.
        assert "Doe jij dit ook?" in on_slack.posts()[-1].words()

    async def test_of_a_language_that_is_not_spoken_leaves_that_of_the_movement(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("jan")
        on_slack.slack.add_user("hans", locale="de-DE")
        await on_slack.type("hans", "/ritme help")
        assert (await get_person(on_slack, "hans")).language is None

    async def test_of_a_stranger_leaves_no_trace(self, on_slack: SlackDriver) -> None:
        await on_slack.movement()
        await on_slack.people.change_profile(on_slack.user("wim"), name="Wim")
        assert await find_person(on_slack, "wim") is None
        async with on_slack.database.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT count(*) FROM inbox")).scalar_one() == 0


class TestWhoIsNoLongerThere:
    async def test_is_not_nudged_nor_counted_as_coordinator_until_they_are_back(self, on_slack: SlackDriver) -> None:
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
        dropped = await get_delivery(on_slack, "news")
        assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "deactivated")
        await on_slack.people.change_profile(iris, deleted=False)
        async with on_slack.begin() as work:
            assert len(await work.people.coordinators(MovementId("movement"))) == 1

    async def test_leaves_a_movement_someone_else_can_take_on(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await on_slack.people.change_profile(on_slack.user("iris"), deleted=True)
        shown = await on_slack.type("fatima", "/ritme start")
        await on_slack.press("fatima", shown, "take_on")
        async with on_slack.begin() as work:
            assert [one.id for one in await work.people.coordinators(MovementId("movement"))] == ["fatima"]

    async def test_who_acts_is_there(self, world: World) -> None:
        await world.movement("fatima")
        await world.ritme.handle(world.intent("fatima", "person.changed", {"deactivated": "yes"}))
        await world.type("fatima", "/ritme ik")
        async with world.begin() as work:
            fatima = await work.people.by_account(WorkspaceId("test:W1"), "fatima")
        assert fatima is not None
        assert fatima.deactivated_at is None


async def _mark_people(world: World, *people: str, deactivated: bool = False) -> None:
    async with world.begin() as work:
        for one in await members_of(work):
            if one.id in people:
                one.guest = not deactivated
                one.deactivated_at = world.clock.now() if deactivated else None


@pytest.mark.parametrize("deactivated", [False, True], ids=["guests", "gone"])
async def test_nobody_is_led_to_guests_or_to_who_is_gone(world: World, deactivated: bool) -> None:
    await world.movement("fatima", "jan", "sanne")
    await _mark_people(world, "jan", "sanne", "iris", deactivated=deactivated)
    shown = await world.type("fatima", "/stuck niemand komt")
    offered = await world.press("fatima", shown, "company")
    assert "jan" not in text_of(offered)
    assert "sanne" not in text_of(offered)
    form = await world.do("fatima", "nominate")
    await world.submit("fatima", form, connector=("jan",))
    assert world.private("jan") == []


async def test_a_guest_takes_part_and_hears_of_what_they_do_themselves_only(world: World) -> None:
    await world.movement("fatima")
    await _mark_people(world, "fatima")
    assert text_of(await world.type("fatima", "/stuck niemand komt"))
    async with world.begin() as work:
        fatima = await work.people.by_account(WorkspaceId("test:W1"), "fatima")
        assert fatima is not None
        for priority in (Priority.ASKED_FOR, Priority.FROM_A_PERSON, Priority.NEWS):
            await work.deliveries.add(
                to_person(
                    fatima, "went_quiet", key=priority.name, now=world.clock.now(), movement=None, priority=priority
                )
            )
    await world.drain()
    assert (await get_delivery(world, "ASKED_FOR")).state is DeliveryState.SENT
    for unasked in ("FROM_A_PERSON", "NEWS"):
        assert ((await get_delivery(world, unasked)).state, (await get_delivery(world, unasked)).reason) == (
            DeliveryState.DROPPED,
            "guest",
        )

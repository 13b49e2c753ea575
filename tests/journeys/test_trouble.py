"""Everything that can go wrong in sending ends where a coordinator can read it and do something about it."""

from datetime import timedelta

import pytest

from bot.domain.delivery import DeliveryState, Priority, to_person
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import WorkspaceId
from tests.drivers.slack import LANE, SlackDriver
from tests.fakes.slack.state import Fault, Shown
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.world import World, button_of, text_of

PLACES = {
    "channel_not_found": "ik ben er niet bij",
    "not_in_channel": "/invite @Ritme",
    "is_archived": "gearchiveerd",
    "restricted_action": "mag ik niets schrijven",
    "restricted_action_read_only_channel": "mag ik niets schrijven",
}
WORKSPACES = {"account_inactive": "verwijderd", "token_revoked": "verwijderd", "invalid_auth": "niet meer in"}
ENDED = {"missing_scope": "ik mis daar een toestemming", "something_new": "werd niet aangenomen"}


async def look(driver: SlackDriver, who: str = "iris") -> Shown:
    shown = await driver.type(who, "/ritme hapering")
    assert isinstance(shown, Shown)
    return shown


async def fail_post(driver: SlackDriver, error: str) -> None:
    """Send a post that Slack answers with this error."""
    await driver.movement("fatima")
    driver.slack.faults = [Fault(method="chat.postMessage", error=error)]
    await enqueue_post(driver, "aaa", round_of_stories=True)
    await driver.drain()


async def test_there_is_no_trouble(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    assert "Er is geen storing" in (await look(on_slack)).words()


async def test_only_coordinators_look(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    assert "coördinator" in (await look(on_slack, "fatima")).words()


@pytest.mark.parametrize(("error", "words"), PLACES.items())
async def test_a_place_out_of_reach_is_read_cured_and_goes_on(on_slack: SlackDriver, error: str, words: str) -> None:
    await fail_post(on_slack, error)
    shown = await look(on_slack)
    assert words in shown.words()
    assert "Ik kan niets posten in #" in shown.words()
    assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.WAITING
    assert [words in one.words() for one in on_slack.private("iris")[:1]] == [True]
    await on_slack.press("iris", shown, "again_1")
    assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.SENT
    assert "Er is geen storing" in (await look(on_slack)).words()


@pytest.mark.parametrize(("error", "words"), WORKSPACES.items())
async def test_a_workspace_that_refuses_holds_everything_until_it_lets_in(
    on_slack: SlackDriver, error: str, words: str
) -> None:
    await on_slack.movement("fatima", channels=("general", "night"))
    on_slack.slack.faults = [Fault(error=error) for _ in range(20)]
    await enqueue_post(on_slack, "aaa")
    await enqueue_post(on_slack, "bbb", place="night")
    await on_slack.drain()
    asked = len(on_slack.slack.calls)
    for _ in range(3):
        await on_slack.drain()
    assert len(on_slack.slack.calls) - asked <= 3  # it knocks with one message, and burns none
    for key in ("aaa", "bbb"):
        assert (await get_delivery(on_slack, key)).state is DeliveryState.WAITING
    shown = await look(on_slack)
    assert words in shown.words()
    on_slack.slack.faults.clear()
    on_slack.clock.set(on_slack.clock.now() + timedelta(minutes=1))
    await on_slack.press("iris", shown, "knock")
    for key in ("aaa", "bbb"):
        assert (await get_delivery(on_slack, key)).state is DeliveryState.SENT
    async with on_slack.begin() as work:
        workspace = await work.people.workspace(LANE)
    assert workspace is not None
    assert workspace.gone_at is None


@pytest.mark.parametrize(("error", "words"), ENDED.items())
async def test_what_failed_can_be_tried_once_more(on_slack: SlackDriver, error: str, words: str) -> None:
    await fail_post(on_slack, error)
    assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.FAILED
    shown = await look(on_slack)
    assert words in shown.words()
    on_slack.slack.faults = [Fault(method="chat.postMessage", error=error)]
    await on_slack.press("iris", shown, "again_1")
    again = await look(on_slack)
    assert "again_1" not in again.buttons()
    await on_slack.press("iris", again, "leave_1")
    assert "Er is geen storing" in (await look(on_slack)).words()


async def test_in_english_too(on_slack: SlackDriver) -> None:
    await fail_post(on_slack, "not_in_channel")
    async with on_slack.begin() as work:
        iris = await work.people.by_account(LANE, on_slack.user("iris"))
        assert iris is not None
        iris.language = "en"  # type: ignore[assignment]
        iris.chose = ["language"]
    shown = await on_slack.type("iris", "/ritme trouble")
    assert isinstance(shown, Shown)
    assert "Invite me there again" in shown.words()


async def test_whose_message_failed_stays_between_ritme_and_them(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        fatima = await work.people.by_account(WorkspaceId("test:W1"), "fatima")
        assert fatima is not None
        for key, reason in (("a", "person_gone"), ("b", "stopped")):
            one = to_person(
                fatima,
                "went_quiet",
                key=key,
                now=world.clock.now(),
                movement=MovementId("movement"),
                priority=Priority.NEWS,
            )
            if reason == "stopped":
                one.drop(reason)
            else:
                one.fail(reason)
            await work.deliveries.add(one)
    words = text_of(await world.type("iris", "/ritme hapering"))
    assert "Een paar persoonlijke berichten, minder dan vijf" in words
    assert "fatima" not in words.lower()


async def test_what_waits_says_until_when_and_can_be_let_go(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        place = await work.movements.place(PlaceId("general"))
        assert place is not None
        place.mark_unreachable("not_in_place")
    await enqueue_post(world, "aaa")
    await world.drain()
    shown = await world.type("iris", "/ritme hapering")
    assert "wacht tot" in text_of(shown)
    assert button_of(shown, "again_1").args["place"] == "general"
    await world.press("iris", shown, "leave_2")
    assert ((await get_delivery(world, "aaa")).state, (await get_delivery(world, "aaa")).reason) == (
        DeliveryState.DROPPED,
        "let_go",
    )


async def test_nobody_touches_what_is_of_another_movement(world: World) -> None:
    await world.movement("fatima")
    await enqueue_post(world, "aaa")
    await world.drain()
    before = await get_delivery(world, "aaa")
    for intent in ("trouble.again", "trouble.leave", "trouble.place"):
        shown = text_of(await world.do("iris", intent, args={"delivery": before.id, "place": "elsewhere"}))
        assert "niet (meer) vinden" in shown or shown.startswith("Er is geen storing")
    assert (await get_delivery(world, "aaa")).state is before.state
    for intent in ("trouble.again", "trouble.leave", "trouble.place", "trouble.knock"):
        assert "coördinator" in text_of(await world.do("fatima", intent))

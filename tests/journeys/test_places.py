"""Places go out of reach and come back: what waits for them, and who hears of it."""

import pytest

from bot.domain.delivery import DeliveryState
from bot.domain.movement import Place, PlaceId, PlaceState
from tests.drivers.slack import LANE, SlackDriver
from tests.support.outbox import enqueue_post, get_delivery


async def the_place(driver: SlackDriver) -> Place:
    async with driver.begin() as work:
        place = await work.movements.place(PlaceId("general"))
    assert place is not None
    return place


async def test_out_of_a_channel_the_coordinator_hears_it_once_and_what_waited_goes_out_when_back(
    on_slack: SlackDriver,
) -> None:
    await on_slack.movement("fatima")
    channel = on_slack.channel("general")
    await on_slack.people.remove_bot(channel)
    await enqueue_post(on_slack, "aaa")
    await on_slack.people.remove_bot(channel)
    await on_slack.drain()
    assert on_slack.posts() == []
    (told,) = on_slack.private("iris")
    assert "/invite @Ritme" in told.words()
    assert on_slack.private("fatima") == []
    await on_slack.people.invite_bot(on_slack.user("iris"), channel)
    await on_slack.drain()
    assert [one.state for one in [await get_delivery(on_slack, "aaa")]] == [DeliveryState.SENT]
    assert (await the_place(on_slack)).state is PlaceState.ALIVE


async def test_an_archived_channel_comes_back_out_of_the_archive(on_slack: SlackDriver) -> None:
    await on_slack.movement()
    channel, iris = on_slack.channel("general"), on_slack.user("iris")
    await on_slack.people.archive(iris, channel)
    await on_slack.drain()
    assert (await the_place(on_slack)).state_reason == "place_archived"
    assert "archief" in on_slack.private("iris")[-1].words()
    await enqueue_post(on_slack, "aaa")
    await on_slack.drain()
    await on_slack.people.archive(iris, channel, back=True)
    await on_slack.drain()
    assert len(on_slack.posts()) == 1


async def test_what_is_too_late_when_a_place_comes_back_stays_away(on_slack: SlackDriver) -> None:
    await on_slack.movement()
    await on_slack.people.remove_bot(on_slack.channel("general"))
    await enqueue_post(on_slack, "aaa")
    await on_slack.pass_(days=4)
    await on_slack.people.invite_bot(on_slack.user("iris"), on_slack.channel("general"))
    await on_slack.drain()
    dropped = await get_delivery(on_slack, "aaa")
    assert (dropped.state, dropped.reason) == (DeliveryState.DROPPED, "not_in_place")


async def test_hello_is_said_in_the_language_of_whoever_invited(on_slack: SlackDriver) -> None:
    iris = on_slack.slack.add_user("iris", locale="en-GB").id
    channel = on_slack.slack.add_channel("general", iris, with_bot=False).id
    await on_slack.people.invite_bot(iris, channel)
    await on_slack.drain()
    (welcome,) = on_slack.posts()
    assert "Start a movement" in welcome.words()


async def test_a_channel_keeps_its_new_name(on_slack: SlackDriver) -> None:
    await on_slack.movement()
    await on_slack.people.rename(on_slack.channel("general"), "samen-verder")
    assert (await the_place(on_slack)).name == "samen-verder"


@pytest.mark.parametrize("kind", ["channel_left", "group_left", "channel_archive", "channel_deleted", "group_deleted"])
async def test_of_a_channel_ritme_never_was_in_nothing_is_kept(on_slack: SlackDriver, kind: str) -> None:
    await on_slack.movement()
    await on_slack.people.event({"type": kind, "channel": "C999", "user": "U999"})
    await on_slack.people.event({"type": "channel_rename", "channel": {"id": "C999", "name": "x"}})
    async with on_slack.begin() as work:
        assert await work.movements.place_in(LANE, "C999") is None
        assert await work.people.by_account(LANE, "U999") is None

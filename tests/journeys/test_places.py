"""Places go out of reach and come back: what waits for them, and who hears of it."""

from dataclasses import replace

import pytest

from bot.domain.delivery import DeliveryState
from bot.domain.movement import Movement, MovementId, Place, PlaceId, PlaceState
from bot.domain.person import Language
from tests.drivers.slack import LANE, SlackDriver
from tests.fakes.slack.server import BOT
from tests.journeys.test_stories_on_slack import start_story_round, texts
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


async def move_channel(driver: SlackDriver, name: str, new: str) -> str:
    """Give a channel another id, as Slack does when a private one is shared, without telling anybody. Returns the old
    one."""
    old = driver.channel(name)
    moved = driver.slack.channels[new] = replace(driver.slack.channels.pop(old), id=new)
    for shown in moved.messages:
        shown.channel = new
    return old


@pytest.mark.parametrize("heard_first", [False, True], ids=["", "heard under its new id first"])
async def test_a_channel_with_another_id_takes_everything_along(on_slack: SlackDriver, heard_first: bool) -> None:
    await on_slack.movement("fatima")
    root = await start_story_round(on_slack)
    old = await move_channel(on_slack, "general", "C777")
    await enqueue_post(on_slack, "aaa")
    await on_slack.drain()
    assert (await the_place(on_slack)).state is PlaceState.UNREACHABLE
    if heard_first:
        await on_slack.say("fatima", "@Ritme hulp", channel="general")
    for _ in range(2):  # a second time it changes nothing
        await on_slack.people.event({"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": "C777"})
    await on_slack.drain()
    place = await the_place(on_slack)
    assert (place.channel, place.state) == ("C777", PlaceState.ALIVE)
    assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.SENT
    shown = await on_slack.reply("fatima", "general", root, "Meneer liep zelf")
    assert await texts(on_slack) == ["Meneer liep zelf"]
    assert any(name == "seedling" for _, name in shown.reactions)
    await on_slack.type("iris", "/ritme ritme", channel="general")  # what is answered there arrives there
    async with on_slack.begin() as work:
        assert (await work.movements.place_in(LANE, "C777")) is not None
    async with on_slack.database.connect() as connection:
        stale = f"SELECT count(*) FROM deliveries WHERE receipt_channel = '{old}' AND place_id = 'general'"
        assert (await connection.exec_driver_sql(stale)).scalar_one() == 0


async def test_a_channel_with_another_id_that_started_anew_there_stays_as_people_made_it(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", channels=("general", "nieuw"))
    async with on_slack.begin() as work:
        other = await work.movements.place(PlaceId("nieuw"))
        assert other is not None
        other.movement_id = None
        work.movements.add(
            Movement(id=MovementId("m2"), name="X", language=Language.NL, started_at=on_slack.clock.now())
        )
        await work.flush()
        other.movement_id = MovementId("m2")
    old, new = on_slack.channel("general"), on_slack.channel("nieuw")
    await on_slack.people.event({"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new})
    assert (await the_place(on_slack)).channel == old


@pytest.mark.parametrize("subtype", ["channel_convert_to_private", "channel_convert_to_public", "channel_name"])
async def test_a_channel_that_is_made_private_or_public_goes_on(on_slack: SlackDriver, subtype: str) -> None:
    await on_slack.movement("fatima")
    root = await start_story_round(on_slack)
    fatima, channel = on_slack.user("fatima"), on_slack.channel("general")
    event = {"type": "message", "channel": channel, "user": fatima, "text": "made this channel private"}
    await on_slack.people.event({**event, "subtype": subtype, "ts": "7.7", "thread_ts": root})
    for kind in ("channel_shared", "channel_unshared"):
        await on_slack.people.event({"type": kind, "channel": channel, "connected_team_id": "T9"})
    await on_slack.drain()
    assert await texts(on_slack) == []
    assert (await the_place(on_slack)).state is PlaceState.ALIVE


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "channel_left"}, "not_in_place"),
        ({"type": "group_left"}, "not_in_place"),
        ({"type": "member_left_channel", "user": BOT}, "not_in_place"),
        ({"type": "member_left_channel", "user": "U9"}, ""),
        ({"type": "group_archive"}, "place_archived"),
        ({"type": "channel_deleted"}, "place_deleted"),
    ],
    ids=str,
)
async def test_whoever_speaks_to_ritme_in_a_place_proves_that_it_is_there(
    on_slack: SlackDriver, event: dict[str, str], reason: str
) -> None:
    await on_slack.movement("fatima")
    await on_slack.people.event({**event, "channel": on_slack.channel("general")})
    assert (await the_place(on_slack)).state_reason == reason
    await on_slack.pass_(minutes=5)
    await on_slack.say("fatima", "@Ritme hulp", channel="general")
    assert (await the_place(on_slack)).state is PlaceState.ALIVE

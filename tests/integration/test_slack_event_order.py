"""Events as Slack sends them: repeated, at the same moment, and out of order."""

import asyncio
from typing import Any

from tests.drivers.slack import SlackDriver
from tests.fakes.slack.state import Json, Shown
from tests.journeys.test_stories_on_slack import start_story_round, texts

TOLD, CHANGED = "De buurman liep zelf", "De buurvrouw liep zelf"


async def write_unheard_reply(driver: SlackDriver, root: str, text: str = TOLD) -> tuple[Shown, Json]:
    """Write a reply of Fatima in a thread; return it with its event, which was not sent."""
    channel, user = driver.channel("general"), driver.user("fatima")
    shown = Shown(channel=channel, ts=driver.slack.next_ts(), by=user, text=text, thread=root)
    driver.slack.channels[channel].messages.append(shown)
    said = {"user": user, "text": text, "ts": shown.ts, "thread_ts": root}
    return shown, {"type": "message", "channel": channel, "channel_type": "channel", **said}


async def send_events(driver: SlackDriver, *events: Json) -> None:
    for event in events:
        await driver.people.event(event)
    await driver.drain()


def edit(said: Json, text: str) -> Json:
    kept = {name: said[name] for name in ("user", "ts", "thread_ts")}
    now, before = {**kept, "text": text}, {**kept, "text": said["text"]}
    return {"type": "message", "subtype": "message_changed", "channel": said["channel"], "ts": "9.9", "message": now,
            "previous_message": before}  # fmt: skip


def deletion(said: Json) -> Json:
    before = {name: said[name] for name in ("user", "ts", "thread_ts", "text")}
    return {"type": "message", "subtype": "message_deleted", "channel": said["channel"], "ts": "9.9",
            "deleted_ts": said["ts"], "previous_message": before}  # fmt: skip


def bare_deletion(said: Json, **more: Any) -> Json:
    """Return a deletion as Slack documents it, without the message that was deleted."""
    return {"type": "message", "subtype": "message_deleted", "hidden": True, "channel": said["channel"], "ts": "9.9",
            "deleted_ts": said["ts"], **more}  # fmt: skip


def reaction(said: Json, user: str, *, removed: bool = False) -> Json:
    item = {"type": "message", "channel": said["channel"], "ts": said["ts"]}
    return {
        "type": "reaction_removed" if removed else "reaction_added",
        "user": user,
        "reaction": "heart",
        "item": item,
    }


async def count_ripples(driver: SlackDriver) -> int:
    async with driver.database.connect() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM ripples")).scalar_one())


class TestOutOfOrder:
    async def test_an_edit_before_its_message(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await send_events(on_slack, edit(said, CHANGED), said)
        assert await texts(on_slack) == [CHANGED]

    async def test_a_deletion_before_its_message(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await send_events(on_slack, deletion(said), said)
        assert await texts(on_slack) == []

    async def test_a_deletion_that_does_not_say_of_what(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await send_events(on_slack, said, bare_deletion({**said, "ts": "1.1"}))
        assert await texts(on_slack) == [TOLD]
        await send_events(on_slack, bare_deletion(said), bare_deletion(said))
        assert await texts(on_slack) == []

    async def test_a_deletion_that_does_not_say_of_what_before_its_message(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        _, said = await write_unheard_reply(on_slack, root)
        _, other = await write_unheard_reply(on_slack, root, "Iets anders")
        await send_events(on_slack, bare_deletion(said), edit(said, CHANGED), said, other)
        assert await texts(on_slack) == ["Iets anders"]
        async with on_slack.database.connect() as connection:
            kept = str((await connection.exec_driver_sql("SELECT * FROM inbox")).all())
        assert said["ts"] not in kept
        # The mark ends by itself.
        await on_slack.pass_(days=31)
        await on_slack.ritme.plan()
        async with on_slack.database.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT count(*) FROM inbox")).scalar_one() == 0

    async def test_a_deletion_where_nothing_is_gathered_leaves_nothing(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await send_events(on_slack, bare_deletion({"channel": "C9", "ts": "2.2"}))
        async with on_slack.database.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT count(*) FROM inbox")).scalar_one() == 0

    async def test_a_saved_message_with_replies_that_leaves_a_bare_tombstone(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        message = await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), TOLD)
        await on_slack.shortcut("fatima", "save_as_story", message)
        assert await texts(on_slack) == [TOLD]
        tombstone = {"subtype": "tombstone", "ts": message.ts, "user": "USLACKBOT", "text": "This message was deleted."}
        gone = {"type": "message", "subtype": "message_changed", "channel": message.channel, "message": tombstone}
        await send_events(on_slack, gone)
        assert await texts(on_slack) == []

    async def test_an_edit_after_the_deletion(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await send_events(on_slack, said, deletion(said), edit(said, CHANGED))
        assert await texts(on_slack) == []

    async def test_a_reaction_on_what_was_deleted(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await send_events(on_slack, said, deletion(said), reaction(said, on_slack.user("jan")))
        assert await count_ripples(on_slack) == 0
        assert not [one for one in on_slack.private("fatima") if "🌊" in one.words()]

    async def test_a_reaction_before_its_message_and_one_taken_away_before_it_came(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        jan = on_slack.user("jan")
        await send_events(on_slack, reaction(said, jan), reaction(said, jan, removed=True), said)
        assert await texts(on_slack) == [TOLD]
        assert await count_ripples(on_slack) == 0

    async def test_replies_of_two_people_the_wrong_way_round(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        _, first = await write_unheard_reply(on_slack, root, "Eerst dit")
        _, second = await write_unheard_reply(on_slack, root, "Toen dat")
        await send_events(on_slack, second, first)
        assert sorted(await texts(on_slack)) == ["Eerst dit", "Toen dat"]

    async def test_an_archive_and_its_undoing_the_wrong_way_round(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        channel = on_slack.channel("general")
        for kind in ("channel_unarchive", "channel_archive", "channel_unarchive"):
            await on_slack.people.event({"type": kind, "channel": channel, "user": on_slack.user("iris")})
        await on_slack.type("fatima", "/story Het lukte vandaag")
        assert len(on_slack.posts()) == 1


class TestAgainAndAtOnce:
    async def at_once(self, driver: SlackDriver, *events: Json, times: int = 4) -> None:
        """Send every event several times at the same moment, each time with an event id of its own."""
        people = driver.people
        await asyncio.gather(
            *(people.event(event, event_id=f"Ev-{index}") for index, event in enumerate(events) for _ in range(times))
        )
        await driver.drain()

    async def test_one_reply_told_by_several_events_is_one_story(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await self.at_once(on_slack, said, {**said, "subtype": "thread_broadcast"})
        assert await texts(on_slack) == [TOLD]
        assert len(on_slack.private("fatima")) == 1

    async def test_reactions_are_one_ripple(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await send_events(on_slack, said)
        await self.at_once(on_slack, reaction(said, on_slack.user("jan")))
        assert await count_ripples(on_slack) == 1

    async def test_message_edit_and_deletion_together_leave_nothing(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        _, said = await write_unheard_reply(on_slack, await start_story_round(on_slack))
        await self.at_once(on_slack, said, edit(said, CHANGED), deletion(said))
        assert await texts(on_slack) == []

    async def test_a_shortcut_and_a_form_sent_twice(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        message = await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), TOLD)
        await on_slack.shortcut("fatima", "save_as_story", message)
        for _ in range(3):
            await on_slack.people.redeliver_latest()
        await on_slack.submit(
            "jan", await on_slack.type("jan", "/story"), text="Bij ons ook", named="with", readers="thread"
        )
        requests: list[Any] = [on_slack.people.redeliver_latest() for _ in range(3)]
        await asyncio.gather(*requests)
        await on_slack.drain()
        assert sorted(await texts(on_slack)) == ["Bij ons ook", TOLD]

    async def test_the_bot_invited_twice_greets_once_an_event(self, on_slack: SlackDriver) -> None:
        channel = on_slack.channel("nieuw")
        joined = {"type": "member_joined_channel", "user": "UBOT", "channel": channel, "inviter": on_slack.user("iris")}
        await self.at_once(on_slack, joined)
        assert len(on_slack.posts("nieuw")) == 1

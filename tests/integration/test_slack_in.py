"""Requests from Slack: verified, handled once, and each answered."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters import logs
from adapters.slack import events
from bot.chat import Intent
from bot.domain.initiative import StuckEpisode
from tests.drivers.slack import SlackDriver
from tests.fakes.slack.people import SECRET, Sent
from tests.fakes.slack.server import BOT, TOKEN
from tests.fakes.slack.state import Fault, Modal, Shown
from tests.journeys.test_stories_on_slack import start_story_round


async def count_rows(on_slack: SlackDriver, table: str) -> int:
    async with on_slack.database.connect() as connection:
        found = await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
        return int(found.scalar_one())


COMMAND = Sent(
    body="command=/stuck&text=x&team_id=T1&user_id=U1&channel_id=C1&trigger_id=t",
    content_type="application/x-www-form-urlencoded",
)


class TestWhoeverIsNotSlack:
    async def test_with_another_secret_is_refused(self, on_slack: SlackDriver) -> None:
        assert (await on_slack.people.deliver(COMMAND, secret="guessed"))[0] == 401

    @pytest.mark.parametrize("age", [301, 3600, -301])
    async def test_with_an_old_or_future_request_is_refused(self, on_slack: SlackDriver, age: int) -> None:
        assert (await on_slack.people.deliver(COMMAND, age=age))[0] == 401

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Slack-Signature": ""},
            {"X-Slack-Signature": "v0=é"},
            {"X-Slack-Signature": "v1=00"},
            {"X-Slack-Request-Timestamp": "soon"},
            {"X-Slack-Request-Timestamp": ""},
        ],
        ids=str,
    )
    async def test_without_a_real_signature_is_refused(self, on_slack: SlackDriver, headers: dict[str, str]) -> None:
        assert (await on_slack.people.deliver(COMMAND, **headers))[0] == 401

    async def test_without_any_signature_is_refused(self, on_slack: SlackDriver) -> None:
        async with on_slack.people.session.post(on_slack.people.bot_url, data=COMMAND.body) as answer:
            assert answer.status == 401

    async def test_with_another_method_is_refused(self, on_slack: SlackDriver) -> None:
        async with on_slack.people.session.get(on_slack.people.bot_url) as answer:
            assert answer.status == 405

    async def test_with_a_giant_body_is_refused(self, on_slack: SlackDriver) -> None:
        giant = Sent(body="x" * 1_100_000, content_type="application/json")
        assert (await on_slack.people.deliver(giant))[0] == 413

    async def test_leaves_no_trace(self, on_slack: SlackDriver) -> None:
        await on_slack.people.deliver(COMMAND, secret="guessed")
        assert await count_rows(on_slack, "inbox") == await count_rows(on_slack, "people") == 0


@pytest.mark.parametrize(
    "body", ["{not json", '{"type": 5}', "payload={}", "payload=x", "", '{"type":"event_callback"}']
)
async def test_signed_nonsense_breaks_nothing(on_slack: SlackDriver, body: str) -> None:
    status, _ = await on_slack.people.deliver(Sent(body=body, content_type="application/x-www-form-urlencoded"))
    assert status in (200, 400)


async def test_slack_can_verify_the_address(on_slack: SlackDriver) -> None:
    asked = Sent(body=json.dumps({"type": "url_verification", "challenge": "c1"}), content_type="application/json")
    status, answer = await on_slack.people.deliver(asked)
    assert (status, answer) == (200, {"challenge": "c1"})


@pytest.mark.parametrize("kind", ["block_suggestion", "function_executed", "interactive_message", "dialog_submission"])
async def test_what_is_not_for_us_is_acknowledged(on_slack: SlackDriver, kind: str) -> None:
    asked = Sent(body=json.dumps({"type": kind, "callback_id": "x"}), content_type="application/json")
    assert (await on_slack.people.deliver(asked))[0] == 200


async def test_events_we_do_not_use_are_acknowledged(on_slack: SlackDriver) -> None:
    for kind in ("channel_created", "channel_archive", "pin_added", "app_home_opened", "tokens_revoked"):
        await on_slack.people.event({"type": kind, "user": "U1", "channel": "C1"})
    assert set(on_slack.people.answers) == {200}
    assert await count_rows(on_slack, "inbox") == 0


class TestTheSameRequestTwice:
    async def test_a_command_acts_once(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await on_slack.type("fatima", "/stuck niemand komt")
        status, answer = await on_slack.people.redeliver_latest()
        assert (status, answer) == (200, "")
        assert await count_rows(on_slack, "stuck_episodes") == 1

    async def test_at_the_same_moment_a_command_acts_once(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        await on_slack.type("fatima", "/stuck niemand komt")
        hers = on_slack.people.sent[-1]
        body = hers.body.replace("trigger.", "another.").replace(on_slack.user("fatima"), on_slack.user("jan"))
        his = Sent(body=body, content_type=hers.content_type)
        answers = await asyncio.gather(*(on_slack.people.deliver(his) for _ in range(20)))
        assert {status for status, _ in answers} == {200}
        assert sum(1 for _, answer in answers if answer) == 1
        assert await count_rows(on_slack, "stuck_episodes") == 2

    async def test_a_reply_told_by_two_events_acts_once(self, on_slack: SlackDriver) -> None:
        told = {
            "type": "message",
            "channel": "C1",
            "channel_type": "channel",
            "user": "U1",
            "ts": "2.0",
            "thread_ts": "1.0",
            "text": "x",
        }
        keys = {
            intent.key
            for one in (told, {**told, "subtype": "thread_broadcast"}, {**told, "type": "app_mention"})
            if (intent := events.translate_event(_event(one)))
        }
        assert len(keys) == 1

    async def test_a_form_acts_once_but_can_be_sent_again_after_an_error(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        form = await on_slack.type("fatima", "/stuck")
        assert isinstance(form, Modal)
        errors = await on_slack.people.submit(on_slack.user("fatima"), form, text=" ", kind="reach", audience="me")
        assert isinstance(errors, dict)
        assert set(errors) == {"text"}
        await on_slack.submit("fatima", form, text="Niemand komt", kind="reach", audience="me")
        await on_slack.people.redeliver_latest()
        assert await count_rows(on_slack, "stuck_episodes") == 1


async def _episodes(on_slack: SlackDriver) -> list[StuckEpisode]:
    async with AsyncSession(on_slack.database) as session:
        return list(await session.scalars(select(StuckEpisode)))


class TestWhenSomethingBreaks:
    async def test_a_command_says_so_in_words(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await _break(on_slack)
        shown = await on_slack.people.command(on_slack.user("fatima"), on_slack.channel("general"), "/stuck x")
        assert isinstance(shown, Shown)
        assert shown.words()

    async def test_an_event_is_delivered_again(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await _break(on_slack)
        await on_slack.people.say(on_slack.user("fatima"), on_slack.channel(None, "fatima"), "vast")
        assert on_slack.people.answers == [500] * 4

    async def test_a_form_stays_with_everything_typed(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        form = await on_slack.type("fatima", "/stuck")
        assert isinstance(form, Modal)
        await _break(on_slack)
        notice = await on_slack.people.submit(on_slack.user("fatima"), form, text="X", kind="reach", audience="me")
        assert isinstance(notice, Modal)
        assert notice.behind is form
        await on_slack.people.close(on_slack.user("fatima"), notice)
        assert on_slack.slack.screens[on_slack.user("fatima")] is form


async def _break(on_slack: SlackDriver) -> None:
    async with on_slack.database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE inbox RENAME TO gone")


async def test_nothing_anyone_wrote_and_no_secret_reaches_the_log(
    on_slack: SlackDriver, logging_as_it_was: None
) -> None:
    said = "mevrouw De Vries"
    stream = io.StringIO()
    logs.configure_logging(stream)
    await on_slack.movement("fatima")
    form = await on_slack.type("fatima", "/stuck")
    await on_slack.submit("fatima", form, text=said, kind="reach", audience="me")
    await on_slack.people.deliver(replace(on_slack.people.sent[-1], body=f"command={said}"), secret="guessed")
    await on_slack.people.deliver(
        Sent(body=json.dumps({"type": "shortcut", "text": said}), content_type="application/json")
    )
    await _break(on_slack)
    await on_slack.people.command(on_slack.user("fatima"), on_slack.channel("general"), f"/stuck {said}")
    await on_slack.people.say(on_slack.user("fatima"), on_slack.channel(None, "fatima"), said)
    written = stream.getvalue()
    assert "intent_failed" in written
    assert '"outcome": "ok"' in written
    for secret in (said, "Vries", SECRET, TOKEN, "/response/"):
        assert secret not in written


class TestAForm:
    async def test_that_cannot_be_opened_in_time_is_said(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        on_slack.slack.faults = [Fault(method="views.open", error="expired_trigger_id")]
        shown = await on_slack.type("fatima", "/stuck")
        assert isinstance(shown, Shown)
        assert "nog eens" in shown.words()

    async def test_asked_for_by_a_mention_is_offered_as_a_button(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        offer = await on_slack.say("fatima", "@Ritme vast", channel="general")
        assert isinstance(offer, Shown)
        assert offer.only_for == on_slack.user("fatima")
        assert isinstance(await on_slack.press("fatima", offer, "open"), Modal)

    async def test_knows_where_it_was_opened(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        form = await on_slack.type("fatima", "/stuck")
        welcome = await on_slack.submit("fatima", form, text="Niemand komt", kind="reach", audience="me")
        assert isinstance(welcome, Shown)
        assert welcome.channel == on_slack.channel("general")
        assert welcome.only_for == on_slack.user("fatima")

    async def test_from_a_channel_without_the_bot_is_answered_personally(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        on_slack.slack.channels[on_slack.channel("general")].members.discard(BOT)
        form = await on_slack.type("fatima", "/stuck")
        welcome = await on_slack.submit("fatima", form, text="Niemand komt", kind="reach", audience="me")
        assert isinstance(welcome, Shown)
        assert welcome.channel == on_slack.channel(None, "fatima")


class TestAButton:
    @pytest.mark.parametrize(
        "value",
        [
            "",
            "{",
            "[]",
            "null",
            '{"intent": 5, "args": {}}',
            '{"intent": "stuck", "args": []}',
            '{"intent": "stuck", "args": {"text": 5}}',
            '{"intent": "message.deleted", "args": {}}',
            '{"intent": "no_such_thing", "args": {}}',
            '{"intent": "step", "args": {"episode": "someone-elses"}}',
            json.dumps({"intent": "stuck", "args": {"text": "x" * 3000}}),
        ],
    )
    async def test_that_was_tampered_with_changes_nothing_and_says_so(self, on_slack: SlackDriver, value: str) -> None:
        await on_slack.movement("fatima")
        welcome = await on_slack.type("fatima", "/stuck niemand komt")
        assert isinstance(welcome, Shown)
        before = len(on_slack.private("fatima"))
        button = {**next(iter(welcome.buttons().values())), "value": value}
        await on_slack.people.send_press(on_slack.user("fatima"), welcome, button)
        await on_slack.drain()
        assert len(on_slack.private("fatima")) == before + 1
        assert await count_rows(on_slack, "stuck_episodes") == 1
        assert await count_rows(on_slack, "next_steps") == 0

    async def test_pressed_twice_at_once_acts_once(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        welcome = await on_slack.type("fatima", "/stuck niemand komt")
        assert isinstance(welcome, Shown)
        await on_slack.press("fatima", welcome, "not_now")
        await on_slack.people.redeliver_latest()
        await on_slack.drain()
        assert on_slack.people.answers[-1] == 200


class TestWhatPeopleSayToEachOther:
    async def test_is_not_kept(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        root = await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), "Zomaar iets")
        await on_slack.reply("jan", "general", root.ts, "En nog iets")
        await on_slack.react("jan", root)
        await on_slack.edit("fatima", root, "Iets anders")
        await on_slack.delete("fatima", root)
        assert set(on_slack.people.answers) == {200}
        for table in ("stories", "ripples", "deliveries"):
            assert await count_rows(on_slack, table) == 0

    async def test_nor_what_bots_say(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        await on_slack.people.say(on_slack.user("fatima"), on_slack.channel(None, "fatima"), "vast", bot_id="B9")
        await on_slack.drain()
        assert on_slack.private("fatima") == []

    @pytest.mark.parametrize(
        "marks",
        [
            {"app_id": "A9"},
            {"bot_profile": {"id": "B9"}},
            {"workflow_id": "Wf9", "subtype": "bot_message"},
            {"hidden": True},
            {"is_ephemeral": True},
        ],
        ids=str,
    )
    async def test_nor_what_something_automatic_says(self, on_slack: SlackDriver, marks: dict[str, Any]) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        before = await count_rows(on_slack, "deliveries")
        await on_slack.people.say(
            on_slack.user("fatima"), on_slack.channel("general"), "Het lukte", thread=root, **marks
        )
        await on_slack.people.say(on_slack.user("fatima"), on_slack.channel(None, "fatima"), "vast", **marks)
        await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), "@Ritme vast", **marks)
        await on_slack.drain()
        assert await count_rows(on_slack, "stories") == 0
        assert await count_rows(on_slack, "deliveries") == before

    async def test_names_who_is_mentioned_and_leaves_itself_out(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        root = await start_story_round(on_slack)
        fatima, general = on_slack.user("fatima"), on_slack.channel("general")
        said = f"Met <@{on_slack.user('jan')}> & <@{on_slack.user('els')}> <@{BOT}> in <#{general}|>"
        event = {"type": "app_mention", "channel": general, "user": fatima}
        await on_slack.people.event({**event, "ts": "8.8", "thread_ts": root, "text": said.replace("&", "&amp;")})
        async with on_slack.database.connect() as connection:
            (text,) = (await connection.exec_driver_sql("SELECT text FROM stories")).scalars()
        assert text == "Met @jan & @… in #general"

    async def test_a_personal_message_is_a_command(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        welcome = await on_slack.say("fatima", "vast niemand van de nachtdienst komt & <nu>")
        assert isinstance(welcome, Shown)
        assert welcome.channel == on_slack.channel(None, "fatima")
        assert [one.text for one in await _episodes(on_slack)] == ["niemand van de nachtdienst komt & <nu>"]


def _event(happened: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "team_id": "T1",
        "event_id": "Ev1",
        "bot_user": BOT,
        "event": happened,
    }


def meant(**happened: Any) -> Intent | None:
    return events.translate_event(_event({"type": "message", "channel": "C1", "channel_type": "channel", **happened}))


class TestTranslation:
    def test_of_a_link_preview_is_nothing(self) -> None:
        said = {"user": "U1", "ts": "2.0", "text": "zie <https://a.nl>", "thread_ts": "1.0"}
        assert meant(subtype="message_changed", message={**said, "attachments": [1]}, previous_message=said) is None

    def test_of_a_deleted_root_with_replies_is_a_deletion(self) -> None:
        gone = meant(
            subtype="message_changed",
            message={"subtype": "tombstone", "ts": "2.0", "user": "USLACKBOT"},
            previous_message={"user": "U1", "ts": "2.0", "text": "x"},
        )
        assert gone is not None
        assert (gone.name, gone.message, gone.actor.id) == ("message.deleted", "2.0", "U1")

    @pytest.mark.parametrize("before", [{}, {"previous_message": {"user": BOT, "bot_id": "B1", "ts": "2.0"}}])
    def test_of_a_deletion_by_nobody_known_names_nobody(self, before: dict[str, Any]) -> None:
        gone = meant(subtype="message_deleted", deleted_ts="2.0", **before)
        assert gone is not None
        assert (gone.name, gone.message, gone.actor.id) == ("message.gone", "2.0", "")

    def test_of_a_deletion_of_what_another_bot_said_is_nothing(self) -> None:
        said = {"user": "U9", "bot_id": "B2", "ts": "2.0"}
        assert meant(subtype="message_deleted", deleted_ts="2.0", previous_message=said) is None

    @pytest.mark.parametrize(
        "happened",
        [
            {"user": BOT, "ts": "2.0", "thread_ts": "1.0", "text": "x"},
            {"user": "U1", "bot_id": "B2", "ts": "2.0", "thread_ts": "1.0", "text": "x"},
            {"subtype": "bot_message", "bot_id": "B2", "ts": "2.0", "thread_ts": "1.0", "text": "x"},
            {"subtype": "channel_join", "user": "U1", "ts": "2.0", "text": "x"},
            *(
                {"user": "U1", "ts": "2.0", "thread_ts": "1.0", "text": "x", **automated}
                for automated in (
                    {"user": "USLACKBOT"},
                    {"app_id": "A1"},
                    {"bot_profile": {"id": "B1"}},
                    {"workflow_id": "Wf1"},
                    {"hidden": True},
                    {"is_ephemeral": True},
                )
            ),
            {"user": "USLACKBOT", "ts": "2.0", "text": "vast", "channel": "D1", "channel_type": "im"},
            {"type": "app_mention", "user": "USLACKBOT", "ts": "2.0", "text": f"<@{BOT}> vast"},
            {"type": "app_mention", "user": "U1", "app_id": "A1", "ts": "2.0", "text": f"<@{BOT}> vast"},
            {"subtype": "message_changed", "message": {"user": "U1", "app_id": "A1", "ts": "2.0", "text": "y"}},
            {"user": "U1", "ts": "2.0", "text": "zomaar"},
            {"user": "U1", "ts": "2.0", "thread_ts": "2.0", "text": "zomaar"},
            {"subtype": "message_changed", "message": {"user": BOT, "bot_id": "B", "ts": "2.0", "text": "y"}},
            {
                "type": "reaction_added",
                "user": BOT,
                "reaction": "seedling",
                "item": {"type": "message", "channel": "C1", "ts": "2.0"},
            },
            {"type": "reaction_added", "user": "U1", "reaction": "x", "item": {"type": "file", "file": "F1"}},
            {"type": "member_joined_channel", "user": "U1", "inviter": "U2"},
        ],
    )
    def test_of_what_bots_do_and_what_is_no_business_of_ours_is_nothing(self, happened: dict[str, Any]) -> None:
        assert meant(**happened) is None

    def test_of_the_bot_joining_a_channel_names_who_invited_it(self) -> None:
        joined = meant(type="member_joined_channel", user=BOT, inviter="U2")
        assert joined is not None
        assert (joined.name, joined.actor.id, joined.place.channel) == ("place.joined", "U2", "C1")

    def test_of_a_reaction_forgets_skin_tone(self) -> None:
        item = {"type": "message", "channel": "C1", "ts": "2.0"}
        reacted = meant(type="reaction_added", user="U1", reaction="+1::skin-tone-2", item=item)
        assert reacted is not None
        assert (reacted.name, reacted.text("reaction"), reacted.message) == ("reaction.added", "+1", "2.0")

    def test_of_a_mention_leaves_the_words_after_it(self) -> None:
        said = meant(type="app_mention", user="U1", ts="2.0", text=f"<@{BOT}> kans &amp; meer")
        assert said is not None
        assert (said.name, said.text("command"), said.text("text")) == ("command", "", "kans & meer")


async def test_what_a_press_lacked_is_said_after_slack_got_its_answer(on_slack: SlackDriver) -> None:
    """A button whose form cannot be opened: the reason comes as a private message."""
    await on_slack.movement("fatima")
    shown = await on_slack.type("fatima", "/vast Niemand komt")
    assert isinstance(shown, Shown)
    user = on_slack.user("fatima")
    button = {"type": "button", "action_id": "x", "value": '{"intent":"step.save","args":{}}'}
    before = len(on_slack.private("fatima"))
    await on_slack.people.send_press(user, shown, button)
    await on_slack.platform.stop_receiving()
    assert on_slack.people.answers[-1] == 200
    assert len(on_slack.private("fatima")) == before + 1

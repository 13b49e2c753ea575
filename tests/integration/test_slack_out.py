"""Posts to Slack: once, in order, whatever Slack answers, and without mentions that nobody meant."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat import Account, Message, Paragraph, Post, Receipt, Span
from bot.compiled import PROMPTS
from bot.domain.delivery import DeliveryState
from bot.domain.movement import PlaceId, PlaceState
from bot.ports import OutcomeUnknown, RetryAfter, Unreachable
from tests.drivers.slack import LANE, SlackDriver
from tests.fakes.slack.server import BOT
from tests.fakes.slack.state import Fault, Shown
from tests.support.outbox import enqueue_post, get_delivery

HELLO = Message(paragraphs=(Paragraph(spans=(Span(text="Hallo <!channel> & @here *iedereen*"),)),))


def a_post(on_slack: SlackDriver, **more: object) -> Post:
    base = Post(delivery="d1", workspace=LANE, channel=on_slack.channel("general"), message=HELLO)
    return replace(base, **more)  # type: ignore[arg-type]


async def send(on_slack: SlackDriver, post: Post) -> Receipt:
    return await on_slack.platform.messenger.send(post)


class TestAPost:
    async def test_arrives_as_it_was_written(self, on_slack: SlackDriver) -> None:
        receipt = await send(on_slack, a_post(on_slack))
        (shown,) = on_slack.posts()
        assert receipt == Receipt(channel=shown.channel, message=shown.ts)
        assert shown.words() == "Hallo <!channel> & @here *iedereen*"
        assert "<!channel>" not in shown.text

    async def test_never_asks_slack_to_look_for_names(self, on_slack: SlackDriver) -> None:
        await send(on_slack, a_post(on_slack))
        asked = dict(on_slack.slack.calls)["chat.postMessage"]
        assert not {"link_names", "parse"} & set(asked)
        assert asked["metadata"] == {"event_type": "ritme_delivery", "event_payload": {"id": "d1"}}

    async def test_to_a_person_reaches_their_own_chat(self, on_slack: SlackDriver) -> None:
        fatima = on_slack.user("fatima")
        await send(on_slack, a_post(on_slack, channel=None, account=fatima))
        on_slack.clock.set(on_slack.clock.now() + timedelta(seconds=2))
        await send(on_slack, a_post(on_slack, channel=None, account=fatima))
        assert len(on_slack.private("fatima")) == 2
        assert [name for name, _ in on_slack.slack.calls].count("conversations.open") == 1

    async def test_for_one_pair_of_eyes_is_seen_by_them_alone(self, on_slack: SlackDriver) -> None:
        fatima, jan = on_slack.user("fatima"), on_slack.user("jan")
        channel = on_slack.channel("general")
        await send(on_slack, a_post(on_slack, account=fatima))
        assert len(on_slack.slack.visible(channel, fatima)) == 1
        assert on_slack.slack.visible(channel, jan) == []

    async def test_can_be_changed_and_deleted(self, on_slack: SlackDriver) -> None:
        receipt = await send(on_slack, a_post(on_slack))
        changed = Message(paragraphs=(Paragraph(spans=(Span(text="Anders"),)),))
        await send(on_slack, a_post(on_slack, act="update", target=receipt.message, message=changed))
        assert [one.words() for one in on_slack.posts()] == ["Anders"]
        for _ in range(2):
            await send(on_slack, a_post(on_slack, act="delete", target=receipt.message, message=None))
        assert on_slack.posts() == []

    async def test_can_be_marked_and_unmarked_any_number_of_times(self, on_slack: SlackDriver) -> None:
        told = await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), "Het lukte")
        mark = a_post(on_slack, act="react", target=told.ts, reaction="seedling", message=None)
        for _ in range(2):
            await send(on_slack, mark)
        assert told.reactions == {(BOT, "seedling")}
        for _ in range(2):
            await send(on_slack, replace(mark, act="unreact"))
        assert told.reactions == set()
        await send(on_slack, replace(mark, target="1.000000"))


class TestPace:
    async def test_is_one_a_second_in_one_channel(self, on_slack: SlackDriver) -> None:
        on_slack.channel("night")
        await send(on_slack, a_post(on_slack))
        with pytest.raises(RetryAfter) as later:
            await send(on_slack, a_post(on_slack))
        assert later.value.until == on_slack.clock.now() + timedelta(seconds=1)
        assert not later.value.whole_workspace
        await send(on_slack, a_post(on_slack, channel=on_slack.channel("night")))

    async def test_keeps_the_order_and_holds_no_other_place(self, on_slack: SlackDriver) -> None:
        await on_slack.movement(channels=("general", "night"))
        for key in ("a1", "a2", "a3"):
            await enqueue_post(on_slack, key)
        await enqueue_post(on_slack, "b1", place="night")
        await on_slack._drain()
        assert len(on_slack.posts("night")) == 1
        await on_slack.drain()
        assert [key for one in on_slack.posts() for key in ("a1", "a2", "a3") if key in one.words()] == [
            "a1",
            "a2",
            "a3",
        ]

    async def test_is_what_slack_says_it_is(self, on_slack: SlackDriver) -> None:
        on_slack.slack.faults = [Fault(method="chat.postMessage", status=429, error="ratelimited", retry_after=30)]
        with pytest.raises(RetryAfter) as later:
            await send(on_slack, a_post(on_slack))
        assert later.value.until == on_slack.clock.now() + timedelta(seconds=30)
        assert not later.value.whole_workspace

    async def test_of_other_methods_holds_the_workspace(self, on_slack: SlackDriver) -> None:
        on_slack.slack.faults = [Fault(method="conversations.open", status=429, error="ratelimited", retry_after=7)]
        with pytest.raises(RetryAfter) as later:
            await send(on_slack, a_post(on_slack, channel=None, account=on_slack.user("fatima")))
        assert later.value.whole_workspace


class TestWithoutAnAnswer:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(hang_up=True),
            Fault(hang_up=True, after=True),
            Fault(status=500),
            Fault(status=502, after=True),
            Fault(status=200, error="internal_error", after=True),
            Fault(status=503, error="service_unavailable"),
            Fault(error="fatal_error"),
        ],
        ids=repr,
    )
    async def test_the_outcome_is_unknown_then_settled_without_a_second_post(
        self, on_slack: SlackDriver, fault: Fault
    ) -> None:
        await on_slack.movement()
        await enqueue_post(on_slack, "aaa")
        on_slack.slack.faults = [replace(fault, method="chat.postMessage")]
        await on_slack._drain()
        assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.UNKNOWN
        await enqueue_post(on_slack, "bbb")
        await on_slack.pass_(minutes=2)
        assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.SENT
        assert [key for one in on_slack.posts() for key in ("aaa", "bbb") if key in one.words()] == ["aaa", "bbb"]

    async def test_in_a_thread_it_is_looked_for_there(self, on_slack: SlackDriver) -> None:
        root = await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), "Hoe gaat het?")
        on_slack.slack.faults = [Fault(method="chat.postMessage", hang_up=True, after=True)]
        post = a_post(on_slack, thread=root.ts)
        with pytest.raises(OutcomeUnknown):
            await send(on_slack, post)
        found = await on_slack.platform.messenger.find(post, on_slack.clock.now())
        assert found is not None
        assert found.message == on_slack.posts()[0].ts

    async def test_it_is_found_among_many(self, on_slack: SlackDriver) -> None:
        await send(on_slack, a_post(on_slack))
        for number in range(40):
            await on_slack.people.say(on_slack.user("fatima"), on_slack.channel("general"), f"Bericht {number}")
        found = await on_slack.platform.messenger.find(a_post(on_slack), on_slack.clock.now())
        assert found is not None
        assert await on_slack.platform.messenger.find(a_post(on_slack, delivery="d2"), on_slack.clock.now()) is None

    async def test_when_it_cannot_be_looked_up_it_stays_unknown(self, on_slack: SlackDriver) -> None:
        on_slack.slack.faults = [Fault(status=429, error="ratelimited", retry_after=60)]
        with pytest.raises(OutcomeUnknown):
            await on_slack.platform.messenger.find(a_post(on_slack), on_slack.clock.now())


class TestWhatCannotBeSent:
    @pytest.mark.parametrize(
        ("error", "reason", "gone"),
        [
            ("channel_not_found", "place_gone", "place"),
            ("is_archived", "place_archived", "place"),
            ("not_in_channel", "not_in_place", "place"),
            ("restricted_action", "place_closed", "place"),
            ("restricted_action_read_only_channel", "place_closed", "place"),
            ("thread_locked", "thread_closed", ""),
            ("account_inactive", "app_removed", "workspace"),
            ("token_revoked", "app_removed", "workspace"),
            ("invalid_auth", "not_allowed", "workspace"),
            ("missing_scope", "scope_missing", ""),
            ("something_new", "not_accepted", ""),
        ],
    )
    async def test_ends_with_a_reason_people_can_read(
        self, on_slack: SlackDriver, error: str, reason: str, gone: str
    ) -> None:
        on_slack.slack.faults = [Fault(method="chat.postMessage", error=error)]
        with pytest.raises(Unreachable) as ended:
            await send(on_slack, a_post(on_slack))
        assert ended.value.reason == reason
        assert (ended.value.place_is_gone, ended.value.workspace_is_gone) == (gone == "place", gone == "workspace")
        for language in ("nl", "en"):
            assert f"{{% block {reason} %}}" in (PROMPTS / language / "errors/reasons.md.j2").read_text()

    async def test_marks_a_place_that_is_gone(self, on_slack: SlackDriver) -> None:
        await on_slack.movement()
        on_slack.slack.channels[on_slack.channel("general")].archived = True
        await enqueue_post(on_slack, "aaa")
        await on_slack.drain()
        assert (await get_delivery(on_slack, "aaa")).state is DeliveryState.WAITING
        async with on_slack.begin() as work:
            place = await work.movements.place(PlaceId("general"))
        assert place is not None
        assert place.state is PlaceState.UNREACHABLE

    async def test_to_one_who_left_the_channel_goes_to_their_own_chat(self, on_slack: SlackDriver) -> None:
        fatima, channel = on_slack.user("fatima"), on_slack.channel("general")
        on_slack.slack.channels[channel].members.discard(fatima)
        receipt = await send(on_slack, a_post(on_slack, account=fatima, thread="5.000000"))
        assert receipt.channel == on_slack.channel(None, "fatima")


class TestAPrivateMessage:
    async def test_is_replaced_through_its_response_url(self, on_slack: SlackDriver) -> None:
        shown, url = await self._shown(on_slack)
        await send(on_slack, a_post(on_slack, account=on_slack.user("fatima"), act="update", target=url))
        assert [one.words() for one in on_slack.private("fatima")] == ["Hallo <!channel> & @here *iedereen*"]
        assert shown.ts == on_slack.private("fatima")[0].ts

    async def test_stands_by_itself_when_that_is_over(self, on_slack: SlackDriver) -> None:
        _, url = await self._shown(on_slack)
        on_slack.clock.set(on_slack.clock.now() + timedelta(minutes=31))
        await send(on_slack, a_post(on_slack, account=on_slack.user("fatima"), act="update", target=url))
        assert len(on_slack.private("fatima")) == 2

    async def test_in_their_own_chat_is_replaced_in_place_or_stands_by_itself(self, on_slack: SlackDriver) -> None:
        fatima = on_slack.user("fatima")
        first = await send(on_slack, a_post(on_slack, channel=None, account=fatima))
        chat = on_slack.channel(None, "fatima")
        for target, channel, many in ((first.message, None, 1), (first.message, chat, 1), ("1.000000", None, 2)):
            on_slack.clock.set(on_slack.clock.now() + timedelta(seconds=2))
            there = {"target": target, "target_channel": channel}
            await send(on_slack, a_post(on_slack, channel=None, account=fatima, act="update", **there))
            assert len(on_slack.private("fatima")) == many

    async def test_reaches_even_one_who_was_just_forgotten(self, on_slack: SlackDriver) -> None:
        first = await send(on_slack, a_post(on_slack, channel=None, account=on_slack.user("fatima")))
        there = {"target": first.message, "target_channel": first.channel}
        changed = Message(paragraphs=(Paragraph(spans=(Span(text="Weg"),)),))
        await send(on_slack, a_post(on_slack, channel=None, act="update", message=changed, **there))
        assert [one.words() for one in on_slack.private("fatima")] == ["Weg"]
        with pytest.raises(Unreachable):
            await send(on_slack, a_post(on_slack, channel=None))

    @pytest.mark.parametrize("fault", [Fault(status=500), Fault(hang_up=True), Fault(status=429, retry_after=3)])
    async def test_waits_when_slack_has_trouble(self, on_slack: SlackDriver, fault: Fault) -> None:
        _, url = await self._shown(on_slack)
        on_slack.slack.faults = [replace(fault, method="response_url")]
        with pytest.raises((OutcomeUnknown, RetryAfter)):
            await send(on_slack, a_post(on_slack, account=on_slack.user("fatima"), act="update", target=url))

    async def _shown(self, on_slack: SlackDriver) -> tuple[Shown, str]:
        fatima = on_slack.user("fatima")
        await send(on_slack, a_post(on_slack, account=fatima))
        (shown,) = on_slack.private("fatima")
        return shown, on_slack.slack.new_response_url(shown, shown.channel, fatima)


class TestTheDirectory:
    async def test_tells_names_zones_and_languages(self, on_slack: SlackDriver) -> None:
        account = Account(workspace=LANE, id=on_slack.slack.add_user("Fatima", locale="en-GB", tz="Europe/London").id)
        profile = await on_slack.platform.directory.profile(account)
        assert profile is not None
        assert (profile.name, profile.language, profile.timezone) == ("Fatima", "en-GB", "Europe/London")

    async def test_knows_no_zone_rather_than_one_that_does_not_exist(self, on_slack: SlackDriver) -> None:
        account = Account(workspace=LANE, id=on_slack.slack.add_user("Fatima", tz="Mars/Base").id)
        profile = await on_slack.platform.directory.profile(account)
        assert profile is not None
        assert profile.timezone is None

    async def test_is_not_asked_in_vain_again_and_again(self, on_slack: SlackDriver) -> None:
        account = Account(workspace=LANE, id="UNOBODY")
        for _ in range(3):
            assert await on_slack.platform.directory.profile(account) is None
        assert len(on_slack.slack.calls) == 1

    async def test_names_who_acts_before_anything_is_said_of_them(self, on_slack: SlackDriver) -> None:
        on_slack.slack.add_user("Fatima", locale="en-GB", tz="Europe/London")
        await on_slack.type("Fatima", "/stuck nobody comes")
        async with on_slack.begin() as work:
            fatima = await work.people.by_account(LANE, on_slack.user("Fatima"))
        assert fatima is not None
        assert (fatima.name, fatima.language, fatima.timezone) == ("Fatima", "en", "Europe/London")

    async def test_names_a_private_channel_no_payload_names(self, on_slack: SlackDriver) -> None:
        on_slack.slack.add_channel("wijkteam", on_slack.user("fatima"), private=True)
        await on_slack.type("fatima", "/stuck niemand komt", channel="wijkteam")
        async with on_slack.begin() as work:
            place = await work.movements.place_in(LANE, on_slack.channel("wijkteam"))
        assert place is not None
        assert place.name == "wijkteam"

    async def test_that_does_not_answer_holds_nothing_back(self, on_slack: SlackDriver) -> None:
        await on_slack.movement()
        on_slack.slack.faults = [Fault(method="users.info", status=500)]
        await on_slack.type("fatima", "/stuck niemand komt")
        await enqueue_post(on_slack, "aaa")
        await on_slack.drain()
        assert len(on_slack.posts()) == 1


async def test_when_another_process_has_just_posted_there_slack_says_wait_and_it_arrives_once(
    on_slack: SlackDriver,
) -> None:
    await on_slack.movement()
    on_slack.slack.posted_at[on_slack.channel("general")] = on_slack.clock.now()
    with pytest.raises(RetryAfter) as later:
        await send(on_slack, a_post(on_slack))
    assert later.value.until == on_slack.clock.now() + timedelta(seconds=1)
    assert not later.value.whole_workspace
    on_slack.clock.set(later.value.until)
    await send(on_slack, a_post(on_slack))
    assert len(on_slack.posts()) == 1

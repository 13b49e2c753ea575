"""Draining the outbox: nothing lost, nothing sent twice, in order, whatever the platform answers."""

from asyncio import CancelledError, Event, Task, create_task, sleep
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.engine.embedded import EmbeddedEngine
from bot import commands, transactions, wording
from bot.app import Ritme
from bot.catalogue.base import Entry, dump
from bot.catalogue.errors import Apology
from bot.chat import Message, Post, Receipt
from bot.domain.delivery import Delivery, DeliveryState, Priority, to_person, to_place
from bot.domain.movement import Place, PlaceId
from bot.domain.person import UNANSWERED_BEFORE_QUIET, PersonId, WorkspaceId, platform_of
from bot.outbox import drain, outcomes, record
from bot.ports import OutcomeUnknown, Outgoing, Platform, RetryAfter, StorageUnavailable, UnitOfWork, Unreachable
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.world import LANE, MONDAY, World


def sent_order(world: World, *keys: str, channel: str = "general") -> list[str]:
    texts = [one.message.text for one in world.posts(channel) if one.message]
    return [next(key for key in keys if key in text) for text in texts]


async def test_a_key_is_put_in_the_outbox_once(world: World) -> None:
    await world.movement()
    await enqueue_post(world, "aaa")
    await enqueue_post(world, "aaa")
    await world.drain()
    assert len(world.posts()) == 1


async def test_a_rate_limited_place_keeps_its_order_and_does_not_block_other_places(world: World) -> None:
    await world.movement(channels=("general", "night"))
    for key in ("aaa", "bbb"):
        await enqueue_post(world, key)
    await enqueue_post(world, "ccc", place="night")
    later = world.clock.now() + timedelta(seconds=30)
    world.messenger.fail_next = [(RetryAfter(later), False)]
    await world.drain()
    assert world.posts() == []
    assert sent_order(world, "ccc", channel="night") == ["ccc"]
    await world.until(later)
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]


async def test_a_composer_that_wants_a_moment_that_has_been_is_not_asked_at_once_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.movement()
    asked: list[datetime] = []

    async def never(work: UnitOfWork, outgoing: Outgoing) -> Entry:
        asked.append(outgoing.now)
        if len(asked) > 3:
            raise AssertionError("asked without end")
        raise RetryAfter(outgoing.now - timedelta(hours=1), reason="moved")

    monkeypatch.setitem(commands.COMPOSERS, "answer", never)
    await enqueue_post(world, "aaa")
    await world.drain()
    assert len(asked) == 1


async def test_a_rate_limit_can_hold_a_whole_workspace(world: World) -> None:
    await world.movement(channels=("general", "night"))
    await enqueue_post(world, "aaa")
    later = world.clock.now() + timedelta(seconds=30)
    world.messenger.fail_next = [(RetryAfter(later, whole_workspace=True), False)]
    await world.drain()
    await enqueue_post(world, "ccc", place="night")
    await world.drain()
    assert world.posts("night") == []
    await world.until(later)
    assert len(world.posts("night")) == len(world.posts()) == 1


async def test_an_unknown_outcome_that_arrived_is_looked_up_and_not_sent_again(world: World) -> None:
    await world.movement()
    world.messenger.fail_next = [(OutcomeUnknown(), True)]
    await enqueue_post(world, "aaa")
    await world.drain()
    assert (await get_delivery(world, "aaa")).state is DeliveryState.UNKNOWN
    await enqueue_post(world, "bbb")
    await world.pass_(minutes=1)
    assert (await get_delivery(world, "aaa")).state is DeliveryState.SENT
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]


async def test_an_unknown_outcome_that_was_lost_is_sent_again_before_later_posts(world: World) -> None:
    await world.movement()
    world.messenger.fail_next = [(OutcomeUnknown(), False)]
    await enqueue_post(world, "aaa")
    await world.drain()
    await enqueue_post(world, "bbb")
    await world.pass_(minutes=1)
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]


async def test_posts_for_a_place_that_is_gone_wait_with_a_reason_and_are_dropped_in_the_end(world: World) -> None:
    await world.movement()
    world.messenger.fail_next = [(Unreachable("place_gone", place_is_gone=True), False)]
    await enqueue_post(world, "aaa")
    await world.drain()
    await enqueue_post(world, "bbb")
    await world.drain()
    for key in ("aaa", "bbb"):
        assert (await get_delivery(world, key)).state is DeliveryState.WAITING
    await world.pass_(days=3)
    for key in ("aaa", "bbb"):
        assert (await get_delivery(world, key)).state is DeliveryState.DROPPED
        assert (await get_delivery(world, key)).reason == "place_gone"


async def test_a_restart_while_sending_loses_nothing_and_repeats_nothing(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert fatima is not None
        for key in ("aaa", "bbb"):
            delivery = to_person(
                fatima, "answer", key=key, now=world.clock.now(), movement=None, args=dump(Apology(reference=key))
            )
            await work.deliveries.add(delivery)
            delivery.start(world.clock.now())
            if key == "aaa":
                await world.messenger.send(_as_sent(delivery))
    await world.ritme.recover()
    await world.pass_(minutes=1)
    assert sorted(one.post.delivery for one in world.messenger.sent) == sorted(
        [(await get_delivery(world, "aaa")).id, (await get_delivery(world, "bbb")).id]
    )
    assert (await get_delivery(world, "aaa")).state is (await get_delivery(world, "bbb")).state is DeliveryState.SENT


def _as_sent(delivery: Delivery) -> Post:
    return Post(delivery=delivery.id, workspace=LANE, account="fatima")


async def test_a_message_that_cannot_be_rendered_fails_alone(world: World) -> None:
    await world.movement()
    async with world.begin() as work:
        to = await work.movements.place(PlaceId("general"))
        assert to is not None
        await work.deliveries.add(to_place(to, "answer", key="bad", now=world.clock.now(), args={"entry": "Nothing"}))
    await enqueue_post(world, "aaa")
    await world.drain()
    assert (await get_delivery(world, "bad")).state is DeliveryState.FAILED
    assert sent_order(world, "aaa") == ["aaa"]


async def test_messages_between_people_are_not_stored(world: World) -> None:
    await world.movement("fatima")
    await world.do("fatima", "thread.replied", thread="t1", message="m1", text="Tot morgen")
    await world.do("newcomer", "reaction.added", message="m1", reaction="heart")
    async with world.database.connect() as connection:
        assert (await connection.exec_driver_sql("select count(*) from inbox")).scalar() == 0
        assert (await connection.exec_driver_sql("select count(*) from people")).scalar() == 2


async def test_later_posts_do_not_overtake_a_rescheduled_one(world: World) -> None:
    await world.movement()
    await enqueue_post(world, "aaa")
    later = world.clock.now() + timedelta(seconds=30)
    world.messenger.fail_next = [(RetryAfter(later), False)]
    await world.drain()
    await world.until(world.clock.now() + timedelta(seconds=10))
    await enqueue_post(world, "bbb")
    await world.drain()
    assert world.posts() == []
    world.clock.set(later + timedelta(seconds=5))
    await enqueue_post(world, "ccc")
    await world.drain()
    assert sent_order(world, "aaa", "bbb", "ccc") == ["aaa", "bbb", "ccc"]


async def test_waiting_posts_keep_their_order_with_a_claim_batch_of_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "CLAIM_BATCH", 1)
    await world.movement()
    keys = [letter * 3 for letter in "abcdef"]
    later = world.clock.now() + timedelta(seconds=30)
    world.messenger.fail_next = [(RetryAfter(later), False)]
    for key in keys:
        await enqueue_post(world, key)
        await world.drain()
        await world.pass_(seconds=1)
    assert world.posts() == []
    await world.until(later + timedelta(seconds=1))
    assert sent_order(world, *keys) == keys


@pytest.mark.parametrize("arrives", [True, False])
async def test_posts_behind_an_unknown_outcome_in_the_same_batch_wait_for_it(world: World, arrives: bool) -> None:
    await world.movement()
    world.messenger.fail_next = [(OutcomeUnknown(), arrives)]
    for key in ("aaa", "bbb"):
        await enqueue_post(world, key)
    await world.drain()
    assert (await get_delivery(world, "bbb")).state is DeliveryState.WAITING
    await world.pass_(minutes=1)
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]


async def test_without_lookup_an_unknown_outcome_blocks_its_place_only_for_a_minute(world: World) -> None:
    await world.movement()
    world.messenger.can_look_up = False
    world.messenger.fail_next = [(OutcomeUnknown(), True)]
    for key in ("aaa", "bbb"):
        await enqueue_post(world, key)
    await world.drain()
    await world.pass_(minutes=1)
    lost = await get_delivery(world, "aaa")
    assert (lost.state, lost.reason) == (DeliveryState.FAILED, "never_known")
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]
    await world.pass_(days=2)
    assert len(world.posts()) == 2


async def test_a_post_that_never_arrives_is_retried_with_backoff_and_dropped_in_the_end(world: World) -> None:
    await world.movement()
    world.messenger.poison = "aaa"
    for key in ("aaa", "bbb"):
        await enqueue_post(world, key)
    await world.pass_(hours=1)
    assert (await get_delivery(world, "aaa")).state in (DeliveryState.WAITING, DeliveryState.UNKNOWN)
    assert sent_order(world, "bbb") == ["bbb"]
    assert world.messenger.tries < 15
    world.clock.set(world.clock.now() + timedelta(days=1))
    await world.pass_(hours=1)
    assert (await get_delivery(world, "aaa")).state is DeliveryState.DROPPED


async def test_an_expired_claim_is_released_unsent(world: World) -> None:
    """Its claim expired, so another worker may send the rest: it goes out once."""
    await world.movement()
    for key in ("aaa", "bbb"):
        await enqueue_post(world, key)
    world.messenger.slow = lambda: world.clock.set(world.clock.now() + timedelta(seconds=50))
    held = await world.ritme.drain(WorkspaceId(LANE))
    assert held == 2
    assert sent_order(world, "aaa", "bbb") == ["aaa"]
    world.messenger.slow = None
    await world.pass_(minutes=1)
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]


async def test_an_unknown_time_zone_fails_one_delivery_alone(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert fatima is not None
        fatima.timezone = "Mars/Phobos"
        news = to_person(fatima, "news", key="lost", now=world.clock.now(), movement=None, priority=Priority.NEWS)
        await work.deliveries.add(news)
    await enqueue_post(world, "aaa")
    await world.drain()
    assert ((await get_delivery(world, "lost")).state, (await get_delivery(world, "lost")).reason) == (
        DeliveryState.FAILED,
        "broken",
    )
    assert sent_order(world, "aaa") == ["aaa"]


async def test_a_template_that_breaks_fails_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.movement()
    for key in ("bad", "aaa"):
        await enqueue_post(world, key)
    word = wording.render_entry

    def broken(entry: Entry, reader: wording.Reader) -> Message:
        if isinstance(entry, Apology) and entry.reference == "bad":
            raise ZeroDivisionError
        return word(entry, reader)

    monkeypatch.setattr(wording, "render_entry", broken)
    await world.drain()
    assert (await get_delivery(world, "bad")).state is DeliveryState.FAILED
    assert sent_order(world, "aaa") == ["aaa"]


async def test_deliveries_that_follow_from_a_delivery_carry_its_correlation(world: World) -> None:
    """After three nudges without an answer one more says that Ritme goes quiet, with the correlation of the third."""
    await world.movement("fatima")
    async with world.begin() as work:
        fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert fatima is not None
        fatima.unanswered = UNANSWERED_BEFORE_QUIET - 1
        last = to_person(
            fatima, "answer", key="last", now=world.clock.now(), movement=None, args=dump(Apology(reference="last"))
        )
        last.priority, last.correlation = Priority.NEWS, "the third"
        await work.deliveries.add(last)
    await world.drain()
    async with world.begin() as work:
        found = await work.deliveries.of_person(PersonId("fatima"), world.clock.now() - timedelta(days=1))
    assert {one.kind: one.correlation for one in found} == {"answer": "the third", "went_quiet": "the third"}


async def test_a_kind_of_a_newer_version_waits_and_is_dropped_in_the_end(world: World) -> None:
    await world.movement()
    async with world.begin() as work:
        to = await work.movements.place(PlaceId("general"))
        assert to is not None
        await work.deliveries.add(to_place(to, "song", key="song", now=world.clock.now()))
    await enqueue_post(world, "aaa")
    await world.drain()
    assert ((await get_delivery(world, "song")).state, (await get_delivery(world, "song")).reason) == (
        DeliveryState.WAITING,
        "no_words",
    )
    assert sent_order(world, "aaa") == ["aaa"]
    world.clock.set(world.clock.now() + timedelta(days=2))
    await world.drain()
    assert ((await get_delivery(world, "song")).state, (await get_delivery(world, "song")).reason) == (
        DeliveryState.DROPPED,
        "gone",
    )


async def test_a_delivery_marked_stale_while_it_was_sent_is_recorded_as_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.movement()
    await enqueue_post(world, "aaa")
    send = world.messenger.send

    async def slowly(post: Post) -> Receipt:
        receipt = await send(post)
        await world.ritme.recover()
        return receipt

    monkeypatch.setattr(world.messenger, "send", slowly)
    await world.drain()
    assert (await get_delivery(world, "aaa")).state is DeliveryState.SENT
    assert len(world.posts()) == 1


async def test_a_rate_limit_does_not_count_as_an_attempt(world: World) -> None:
    """However often a place had to wait, a delivery that is lost afterwards keeps its position."""
    await world.movement()
    await enqueue_post(world, "aaa")
    for _ in range(8):
        world.messenger.fail_next = [(RetryAfter(world.clock.now() + timedelta(seconds=1)), False)]
        await world.drain()
        world.clock.set(world.clock.now() + timedelta(seconds=1))
    world.messenger.fail_next = [(OutcomeUnknown(), False)]
    await world.drain()
    assert (await get_delivery(world, "aaa")).attempts == 1
    await enqueue_post(world, "bbb")
    await world.pass_(minutes=1)
    assert sent_order(world, "aaa", "bbb") == ["aaa", "bbb"]


async def test_deliveries_of_a_platform_this_process_does_not_serve_are_left_alone(world: World) -> None:
    await world.movement()
    await enqueue_post(world, "aaa")
    elsewhere = Ritme(transact=world.storage.transact, platforms={}, clock=world.clock, engine=EmbeddedEngine())
    assert await elsewhere.drain(WorkspaceId(LANE)) == 0
    assert await elsewhere.reconcile(WorkspaceId(LANE)) == 0
    assert (await get_delivery(world, "aaa")).state is DeliveryState.WAITING
    await world.drain()
    assert sent_order(world, "aaa") == ["aaa"]


async def test_a_lookup_that_breaks_blocks_only_its_own_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.movement(channels=("general", "night"))
    world.messenger.fail_next = [(OutcomeUnknown(), False)]
    await enqueue_post(world, "aaa")
    await world.drain()

    async def find(post: Post, since: datetime) -> Receipt | None:
        raise KeyError("messages")

    with monkeypatch.context() as broken:
        broken.setattr(world.messenger, "find", find)
        await enqueue_post(world, "bbb", place="night")
        await world.pass_(minutes=1)
        assert (await get_delivery(world, "aaa")).state is DeliveryState.UNKNOWN
        assert sent_order(world, "bbb", channel="night") == ["bbb"]
    await world.pass_(minutes=10)
    assert sent_order(world, "aaa") == ["aaa"]


async def test_the_longest_rate_limit_of_a_workspace_counts(world: World) -> None:
    await world.movement(channels=("general", "night"))
    now = world.clock.now()
    world.messenger.fail_next = [
        (RetryAfter(now + timedelta(seconds=seconds), whole_workspace=True), False) for seconds in (60, 1)
    ]
    for place in ("general", "night"):
        await enqueue_post(world, place, place=place)
    await world.drain()
    await world.until(now + timedelta(seconds=59))
    assert world.posts() == world.posts("night") == []
    await world.until(now + timedelta(seconds=60))
    assert len(world.posts()) == len(world.posts("night")) == 1


async def test_posts_of_a_lost_place_go_out_when_it_is_back_whatever_the_reason_was(world: World) -> None:
    await world.movement()
    world.messenger.fail_next = [(Unreachable("place_gone", place_is_gone=True), False)]
    await enqueue_post(world, "aaa")
    await world.drain()
    await world.do("iris", "place.gone", reason="not_in_place")
    assert world.posts() == []
    await world.do("iris", "place.back")
    assert sent_order(world, "aaa") == ["aaa"]


class SlowMessenger:
    """A messenger that answers when `go` is set."""

    def __init__(self, answer: Receipt | RetryAfter | Unreachable) -> None:
        self.asked, self.go = Event(), Event()
        self._answer = answer

    async def send(self, post: Post) -> Receipt:
        self.asked.set()
        await self.go.wait()
        if isinstance(self._answer, Receipt):
            return self._answer
        raise self._answer

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        return None


async def drain_until_stale(world: World, slow_messenger: SlowMessenger) -> Task[int]:
    """Start a drain that hangs in its first send, and let its claim become stale; return the task of that drain."""
    platforms = {platform_of(LANE): Platform(messenger=slow_messenger)}
    somebody = Ritme(transact=world.storage.transact, platforms=platforms, clock=world.clock, engine=EmbeddedEngine())
    stalled = create_task(somebody.drain(WorkspaceId(LANE)))
    await slow_messenger.asked.wait()
    world.clock.set(world.clock.now() + timedelta(minutes=2))
    await world.ritme.plan()
    return stalled


async def test_a_stale_worker_does_not_record_results_over_the_attempts_of_others(world: World) -> None:
    """Otherwise the message would be sent again, without a lookup of the other worker's attempt."""
    await world.movement()
    await enqueue_post(world, "aaa")
    slow_messenger = SlowMessenger(RetryAfter(world.clock.now()))
    stalled = await drain_until_stale(world, slow_messenger)
    world.messenger.fail_next = [(OutcomeUnknown(), True)]
    await world.pass_(minutes=2)
    tried = await get_delivery(world, "aaa")
    slow_messenger.go.set()
    await stalled
    after = await get_delivery(world, "aaa")
    assert (after.state, after.attempts, after.due_at) == (tried.state, tried.attempts, tried.due_at)
    await world.pass_(hours=1)
    assert len(world.posts()) == 1


async def test_a_stale_worker_may_record_that_its_post_arrived(world: World) -> None:
    await world.movement()
    await enqueue_post(world, "aaa")
    slow_messenger = SlowMessenger(Receipt(channel="general", message="m9"))
    stalled = await drain_until_stale(world, slow_messenger)
    assert (await get_delivery(world, "aaa")).state is DeliveryState.UNKNOWN
    slow_messenger.go.set()
    await stalled
    assert ((await get_delivery(world, "aaa")).state, (await get_delivery(world, "aaa")).receipt) == (
        DeliveryState.SENT,
        "m9",
    )


async def test_a_cancelled_drain_records_what_arrived(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.movement(channels=("general", "night"))
    for place in ("general", "night"):
        await enqueue_post(world, place, place=place)
    send, record_results, begun = world.messenger.send, record.record_results, Event()

    async def half(post: Post) -> Receipt:
        if post.channel == "night":
            await Event().wait()
        return await send(post)

    async def slowly(*args: Any, **more: Any) -> Sequence[Delivery]:
        begun.set()
        await sleep(0)
        return await record_results(*args, **more)

    monkeypatch.setattr(world.messenger, "send", half)
    monkeypatch.setattr(record, "record_results", slowly)
    draining = create_task(world.ritme.drain(WorkspaceId(LANE)))
    await begun.wait()
    draining.cancel()
    with pytest.raises(CancelledError):
        await draining
    assert (await get_delivery(world, "general")).state is DeliveryState.SENT
    assert (await get_delivery(world, "night")).state is DeliveryState.SENDING


async def test_a_result_that_cannot_be_recorded_does_not_block_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.movement(channels=("general", "night", "day"))
    for place in ("general", "night", "day"):
        await enqueue_post(world, place, place=place)
    apply_result = outcomes.apply_result

    async def odd(work: UnitOfWork, one: Delivery, *more: Any) -> None:
        await apply_result(work, one, *more)
        if one.key == "night":
            raise ValueError("a receipt nobody can write down")

    monkeypatch.setattr(outcomes, "apply_result", odd)
    with capture_logs() as logged:
        assert await world.ritme.drain(WorkspaceId(LANE)) == 3
    assert [one["delivery"] for one in logged if one["event"] == "result_record_failed"] == [
        (await get_delivery(world, "night")).id
    ]
    states = {key: (await get_delivery(world, key)).state for key in ("general", "night", "day")}
    assert states == {"general": DeliveryState.SENT, "night": DeliveryState.SENDING, "day": DeliveryState.SENT}
    monkeypatch.undo()
    world.clock.set(world.clock.now() + timedelta(minutes=2))
    await world.drain()
    await world.pass_(minutes=10)
    assert (await get_delivery(world, "night")).state is DeliveryState.SENT
    assert len(world.posts("night")) == 1


async def test_a_rate_limit_wakes_the_lane_when_it_is_over(world: World) -> None:
    """With ticks alone, every second message of a place would be a second late."""
    woken: list[tuple[WorkspaceId, timedelta]] = []

    class Noting(EmbeddedEngine):
        def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
            woken.append((lane, after))

    await world.movement(channels=("general", "night"))
    now = world.clock.now()
    world.messenger.fail_next = [(RetryAfter(now + timedelta(seconds=seconds)), False) for seconds in (3, 1)]
    for place in ("general", "night"):
        await enqueue_post(world, place, place=place)
    platforms = {platform_of(LANE): Platform(messenger=world.messenger)}
    await Ritme(transact=world.storage.transact, platforms=platforms, clock=world.clock, engine=Noting()).drain(
        WorkspaceId(LANE)
    )
    later = [after for lane, after in woken if lane == LANE and after]
    assert set(later) == {timedelta(seconds=1), timedelta(seconds=3)}


@pytest.mark.parametrize("answer", [RetryAfter(MONDAY + timedelta(minutes=3)), Unreachable("not_accepted")])
async def test_a_stale_worker_may_record_that_its_post_was_not_sent(
    world: World, answer: RetryAfter | Unreachable
) -> None:
    """Teams has no lookup: a delivery whose outcome is unknown there has failed."""
    await world.movement()
    await enqueue_post(world, "aaa")
    slow_messenger = SlowMessenger(answer)
    stalled = await drain_until_stale(world, slow_messenger)
    assert (await get_delivery(world, "aaa")).state is DeliveryState.UNKNOWN
    slow_messenger.go.set()
    await stalled
    after = await get_delivery(world, "aaa")
    expected = DeliveryState.WAITING if isinstance(answer, RetryAfter) else DeliveryState.FAILED
    assert (after.state, after.attempts) == (expected, 0 if isinstance(answer, RetryAfter) else 1)


async def test_while_results_cannot_be_recorded_nothing_more_is_sent_and_no_result_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.movement(channels=("general", "night"))
    for key in ("aaa", "bbb", "ccc"):
        await enqueue_post(world, key)
    for key in ("night", "later"):
        await enqueue_post(world, key, place="night")
    record_results, slow = record.record_results, Event()
    away = transactions.RECORD_MAX_ATTEMPTS  # as often as one recording is tried

    async def now_and_then(*args: Any, **more: Any) -> Sequence[Delivery]:
        nonlocal away
        if not away:
            slow.set()  # what was on its way all the time arrives
        done = await record_results(*args, **more)
        if away:
            away -= 1
            raise StorageUnavailable("gone")  # as when it goes away while this is committed
        return done

    send = world.messenger.send

    async def sent(post: Post) -> Receipt:
        if post.channel == "night":
            await slow.wait()
        return await send(post)

    monkeypatch.setattr(transactions, "uniform", lambda *_: 0)  # no pause between two tries
    monkeypatch.setattr(world.messenger, "send", sent)
    monkeypatch.setattr(record, "record_results", now_and_then)
    await world.ritme.drain(WorkspaceId(LANE))
    states = {key: (await get_delivery(world, key)).state for key in ("aaa", "bbb", "ccc", "night", "later")}
    assert states.pop("later") is DeliveryState.WAITING  # it was not begun
    assert set(states.values()) == {DeliveryState.SENT}
    monkeypatch.undo()
    await world.drain()
    assert sent_order(world, "aaa", "bbb", "ccc") == ["aaa", "bbb", "ccc"]
    assert sent_order(world, "night", "later", channel="night") == ["night", "later"]


async def test_posts_of_a_place_without_a_movement_go_out_when_ritme_is_invited_again(world: World) -> None:
    await world.movement()
    async with world.begin() as work:
        where = {"id": PlaceId("lobby"), "workspace_id": WorkspaceId(LANE), "channel": "lobby", "name": "lobby"}
        work.movements.add(Place(**where, created_at=world.clock.now()))
    world.messenger.fail_next = [(Unreachable("not_in_place", place_is_gone=True), False)]
    await enqueue_post(world, "aaa", place="lobby")
    await world.drain()
    assert world.posts("lobby") == []
    await world.do("iris", "place.joined", channel="lobby")
    texts = [one.message.text for one in world.posts("lobby") if one.message]
    assert ["aaa" in text for text in texts] == [True, False]  # and a welcome after it

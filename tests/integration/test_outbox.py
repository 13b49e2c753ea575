"""The outbox: nothing lost, nothing twice, in order, whatever the platform answers."""

from asyncio import CancelledError, Event, Task, create_task, sleep
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.engine.embedded import EmbeddedEngine
from bot import transactions, wording
from bot.app import Ritme
from bot.catalogue.base import Entry, dump
from bot.catalogue.errors import Apology
from bot.chat import Message, Post, Receipt
from bot.domain.delivery import Delivery, DeliveryState, Priority, to_person, to_place
from bot.domain.movement import Place, PlaceId
from bot.domain.person import UNANSWERED_BEFORE_QUIET, PersonId, WorkspaceId
from bot.outbox import drain, outcomes, record
from bot.ports import OutcomeUnknown, Platform, RetryAfter, StorageUnavailable, UnitOfWork, Unreachable
from tests.support.outbox import put, row
from tests.support.world import LANE, MONDAY, World


def order(here: World, *keys: str, channel: str = "general") -> list[str]:
    texts = [one.message.text for one in here.posts(channel) if one.message]
    return [next(key for key in keys if key in text) for text in texts]


async def test_the_same_key_is_put_in_the_outbox_once(here: World) -> None:
    await here.movement()
    await put(here, "aaa")
    await put(here, "aaa")
    await here.drain()
    assert len(here.posts()) == 1


async def test_what_is_asked_to_wait_keeps_its_order_and_does_not_hold_other_places(here: World) -> None:
    await here.movement(channels=("general", "night"))
    for key in ("aaa", "bbb"):
        await put(here, key)
    await put(here, "ccc", place="night")
    later = here.clock.now() + timedelta(seconds=30)
    here.messenger.fail_next = [(RetryAfter(later), False)]
    await here.drain()
    assert here.posts() == []
    assert order(here, "ccc", channel="night") == ["ccc"]
    await here.until(later)
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]


async def test_a_whole_workspace_can_be_held(here: World) -> None:
    await here.movement(channels=("general", "night"))
    await put(here, "aaa")
    later = here.clock.now() + timedelta(seconds=30)
    here.messenger.fail_next = [(RetryAfter(later, whole_workspace=True), False)]
    await here.drain()
    await put(here, "ccc", place="night")
    await here.drain()
    assert here.posts("night") == []
    await here.until(later)
    assert len(here.posts("night")) == len(here.posts()) == 1


async def test_arrived_without_an_answer_is_found_and_not_sent_again(here: World) -> None:
    await here.movement()
    here.messenger.fail_next = [(OutcomeUnknown(), True)]
    await put(here, "aaa")
    await here.drain()
    assert (await row(here, "aaa")).state is DeliveryState.UNKNOWN
    await put(here, "bbb")
    await here.pass_(minutes=1)
    assert (await row(here, "aaa")).state is DeliveryState.SENT
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]


async def test_lost_on_the_way_is_sent_again_before_what_came_after(here: World) -> None:
    await here.movement()
    here.messenger.fail_next = [(OutcomeUnknown(), False)]
    await put(here, "aaa")
    await here.drain()
    await put(here, "bbb")
    await here.pass_(minutes=1)
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]


async def test_what_is_for_a_place_that_is_gone_waits_with_a_reason_and_is_dropped_in_the_end(here: World) -> None:
    await here.movement()
    here.messenger.fail_next = [(Unreachable("place_gone", place_is_gone=True), False)]
    await put(here, "aaa")
    await here.drain()
    await put(here, "bbb")
    await here.drain()
    for key in ("aaa", "bbb"):
        assert (await row(here, key)).state is DeliveryState.WAITING
    await here.pass_(days=3)
    for key in ("aaa", "bbb"):
        assert (await row(here, key)).state is DeliveryState.DROPPED
        assert (await row(here, key)).reason == "place_gone"


async def test_a_restart_while_sending_loses_nothing_and_repeats_nothing(here: World) -> None:
    await here.movement("fatima")
    async with here.begin() as work:
        fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert fatima is not None
        for key in ("aaa", "bbb"):
            delivery = to_person(
                fatima, "answer", key=key, now=here.clock.now(), movement=None, args=dump(Apology(reference=key))
            )
            await work.deliveries.add(delivery)
            delivery.start(here.clock.now())
            if key == "aaa":
                await here.messenger.send(_as_sent(delivery))
    await here.ritme.recover()
    await here.pass_(minutes=1)
    assert sorted(one.post.delivery for one in here.messenger.sent) == sorted(
        [(await row(here, "aaa")).id, (await row(here, "bbb")).id]
    )
    assert (await row(here, "aaa")).state is (await row(here, "bbb")).state is DeliveryState.SENT


def _as_sent(delivery: Delivery) -> Post:
    return Post(delivery=delivery.id, workspace=LANE, account="fatima")


async def test_a_message_that_cannot_be_worded_fails_alone(here: World) -> None:
    await here.movement()
    async with here.begin() as work:
        to = await work.movements.place(PlaceId("general"))
        assert to is not None
        await work.deliveries.add(to_place(to, "answer", key="bad", now=here.clock.now(), args={"entry": "Nothing"}))
    await put(here, "aaa")
    await here.drain()
    assert (await row(here, "bad")).state is DeliveryState.FAILED
    assert order(here, "aaa") == ["aaa"]


async def test_of_what_people_say_to_each_other_nothing_is_kept(here: World) -> None:
    await here.movement("fatima")
    await here.do("fatima", "thread.replied", thread="t1", message="m1", text="Tot morgen")
    await here.do("newcomer", "reaction.added", message="m1", reaction="heart")
    async with here.database.connect() as connection:
        assert (await connection.exec_driver_sql("select count(*) from inbox")).scalar() == 0
        assert (await connection.exec_driver_sql("select count(*) from people")).scalar() == 2


async def test_what_came_later_does_not_overtake_what_was_asked_to_wait(here: World) -> None:
    await here.movement()
    await put(here, "aaa")
    later = here.clock.now() + timedelta(seconds=30)
    here.messenger.fail_next = [(RetryAfter(later), False)]
    await here.drain()
    await here.until(here.clock.now() + timedelta(seconds=10))
    await put(here, "bbb")
    await here.drain()
    assert here.posts() == []
    here.clock.set(later + timedelta(seconds=5))
    await put(here, "ccc")
    await here.drain()
    assert order(here, "aaa", "bbb", "ccc") == ["aaa", "bbb", "ccc"]


async def test_of_many_that_wait_the_first_goes_first_however_small_a_batch_is(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "BATCH", 1)
    await here.movement()
    keys = [letter * 3 for letter in "abcdef"]
    later = here.clock.now() + timedelta(seconds=30)
    here.messenger.fail_next = [(RetryAfter(later), False)]
    for key in keys:
        await put(here, key)
        await here.drain()
        await here.pass_(seconds=1)
    assert here.posts() == []
    await here.until(later + timedelta(seconds=1))
    assert order(here, *keys) == keys


@pytest.mark.parametrize("arrives", [True, False])
async def test_what_stands_behind_a_lost_answer_in_the_same_batch_waits_for_it(here: World, arrives: bool) -> None:
    await here.movement()
    here.messenger.fail_next = [(OutcomeUnknown(), arrives)]
    for key in ("aaa", "bbb"):
        await put(here, key)
    await here.drain()
    assert (await row(here, "bbb")).state is DeliveryState.WAITING
    await here.pass_(minutes=1)
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]


async def test_where_nothing_can_be_looked_up_a_lost_answer_holds_up_nobody_for_long(here: World) -> None:
    await here.movement()
    here.messenger.tells = False
    here.messenger.fail_next = [(OutcomeUnknown(), True)]
    for key in ("aaa", "bbb"):
        await put(here, key)
    await here.drain()
    await here.pass_(minutes=1)
    lost = await row(here, "aaa")
    assert (lost.state, lost.reason) == (DeliveryState.FAILED, "never_known")
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]
    await here.pass_(days=2)
    assert len(here.posts()) == 2


async def test_what_never_arrives_is_tried_ever_less_often_and_ends(here: World) -> None:
    await here.movement()
    here.messenger.poison = "aaa"
    for key in ("aaa", "bbb"):
        await put(here, key)
    await here.pass_(hours=1)
    assert (await row(here, "aaa")).state in (DeliveryState.WAITING, DeliveryState.UNKNOWN)
    assert order(here, "bbb") == ["bbb"]
    assert here.messenger.tries < 15
    here.clock.set(here.clock.now() + timedelta(days=1))
    await here.pass_(hours=1)
    assert (await row(here, "aaa")).state is DeliveryState.DROPPED


async def test_whoever_stood_still_for_a_minute_sends_nothing_more_of_what_it_held(here: World) -> None:
    """Others may have taken it for dead: what it had not begun is left to them, and goes out once."""
    await here.movement()
    for key in ("aaa", "bbb"):
        await put(here, key)
    here.messenger.slow = lambda: here.clock.set(here.clock.now() + timedelta(seconds=50))
    held = await here.ritme.drain(WorkspaceId(LANE))
    assert held == 2
    assert order(here, "aaa", "bbb") == ["aaa"]
    here.messenger.slow = None
    await here.pass_(minutes=1)
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]


async def test_someone_in_a_zone_nobody_knows_holds_up_nobody_else(here: World) -> None:
    await here.movement("fatima")
    async with here.begin() as work:
        fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert fatima is not None
        fatima.timezone = "Mars/Phobos"
        news = to_person(fatima, "news", key="lost", now=here.clock.now(), movement=None, priority=Priority.NEWS)
        await work.deliveries.add(news)
    await put(here, "aaa")
    await here.drain()
    assert ((await row(here, "lost")).state, (await row(here, "lost")).reason) == (DeliveryState.FAILED, "broken")
    assert order(here, "aaa") == ["aaa"]


async def test_a_template_that_breaks_fails_alone(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await here.movement()
    for key in ("bad", "aaa"):
        await put(here, key)
    word = wording.message

    def broken(entry: Entry, reader: wording.Reader) -> Message:
        if isinstance(entry, Apology) and entry.reference == "bad":
            raise ZeroDivisionError
        return word(entry, reader)

    monkeypatch.setattr(wording, "message", broken)
    await here.drain()
    assert (await row(here, "bad")).state is DeliveryState.FAILED
    assert order(here, "aaa") == ["aaa"]


async def test_what_came_of_a_delivery_bears_the_name_of_its_request(here: World) -> None:
    """Three nudges without an answer, and one says that it goes quiet: that came of the third."""
    await here.movement("fatima")
    async with here.begin() as work:
        fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert fatima is not None
        fatima.unanswered = UNANSWERED_BEFORE_QUIET - 1
        last = to_person(
            fatima, "answer", key="last", now=here.clock.now(), movement=None, args=dump(Apology(reference="last"))
        )
        last.priority, last.correlation = Priority.NEWS, "the third"
        await work.deliveries.add(last)
    await here.drain()
    async with here.begin() as work:
        found = await work.deliveries.of_person(PersonId("fatima"), here.clock.now() - timedelta(days=1))
    assert {one.kind: one.correlation for one in found} == {"answer": "the third", "went_quiet": "the third"}


async def test_a_kind_that_only_a_newer_version_knows_waits_for_it_and_not_for_ever(here: World) -> None:
    await here.movement()
    async with here.begin() as work:
        to = await work.movements.place(PlaceId("general"))
        assert to is not None
        await work.deliveries.add(to_place(to, "song", key="song", now=here.clock.now()))
    await put(here, "aaa")
    await here.drain()
    assert ((await row(here, "song")).state, (await row(here, "song")).reason) == (DeliveryState.WAITING, "no_words")
    assert order(here, "aaa") == ["aaa"]
    here.clock.set(here.clock.now() + timedelta(days=2))
    await here.drain()
    assert ((await row(here, "song")).state, (await row(here, "song")).reason) == (DeliveryState.DROPPED, "gone")


async def test_what_others_took_for_lost_while_it_was_sent_is_on_record_as_sent(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.movement()
    await put(here, "aaa")
    send = here.messenger.send

    async def slowly(post: Post) -> Receipt:
        receipt = await send(post)
        await here.ritme.recover()
        return receipt

    monkeypatch.setattr(here.messenger, "send", slowly)
    await here.drain()
    assert (await row(here, "aaa")).state is DeliveryState.SENT
    assert len(here.posts()) == 1


async def test_being_asked_to_wait_is_no_try(here: World) -> None:
    """However often a place had to wait: what then gets lost keeps its place in the line."""
    await here.movement()
    await put(here, "aaa")
    for _ in range(8):
        here.messenger.fail_next = [(RetryAfter(here.clock.now() + timedelta(seconds=1)), False)]
        await here.drain()
        here.clock.set(here.clock.now() + timedelta(seconds=1))
    here.messenger.fail_next = [(OutcomeUnknown(), False)]
    await here.drain()
    assert (await row(here, "aaa")).attempts == 1
    await put(here, "bbb")
    await here.pass_(minutes=1)
    assert order(here, "aaa", "bbb") == ["aaa", "bbb"]


async def test_what_is_for_a_platform_that_is_not_served_from_here_waits_for_who_serves_it(here: World) -> None:
    await here.movement()
    await put(here, "aaa")
    elsewhere = Ritme(begin=here.begin, platforms={}, clock=here.clock, engine=EmbeddedEngine())
    assert await elsewhere.drain(WorkspaceId(LANE)) == 0
    assert await elsewhere.reconcile(WorkspaceId(LANE)) == 0
    assert (await row(here, "aaa")).state is DeliveryState.WAITING
    await here.drain()
    assert order(here, "aaa") == ["aaa"]


async def test_a_look_up_that_breaks_holds_up_only_its_own_place(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await here.movement(channels=("general", "night"))
    here.messenger.fail_next = [(OutcomeUnknown(), False)]
    await put(here, "aaa")
    await here.drain()

    async def find(post: Post, since: datetime) -> Receipt | None:
        raise KeyError("messages")

    with monkeypatch.context() as broken:
        broken.setattr(here.messenger, "find", find)
        await put(here, "bbb", place="night")
        await here.pass_(minutes=1)
        assert (await row(here, "aaa")).state is DeliveryState.UNKNOWN
        assert order(here, "bbb", channel="night") == ["bbb"]
    await here.pass_(minutes=10)
    assert order(here, "aaa") == ["aaa"]


async def test_the_longest_a_workspace_is_asked_to_wait_counts(here: World) -> None:
    await here.movement(channels=("general", "night"))
    now = here.clock.now()
    here.messenger.fail_next = [
        (RetryAfter(now + timedelta(seconds=seconds), whole_workspace=True), False) for seconds in (60, 1)
    ]
    for place in ("general", "night"):
        await put(here, place, place=place)
    await here.drain()
    await here.until(now + timedelta(seconds=59))
    assert here.posts() == here.posts("night") == []
    await here.until(now + timedelta(seconds=60))
    assert len(here.posts()) == len(here.posts("night")) == 1


async def test_what_waits_for_a_place_goes_out_when_it_is_back_whatever_was_said_of_why(here: World) -> None:
    await here.movement()
    here.messenger.fail_next = [(Unreachable("place_gone", place_is_gone=True), False)]
    await put(here, "aaa")
    await here.drain()
    await here.do("iris", "place.gone", reason="not_in_place")
    assert here.posts() == []
    await here.do("iris", "place.back")
    assert order(here, "aaa") == ["aaa"]


class Late:
    """A messenger whose answer comes when it is let go."""

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


async def taken_for_dead(here: World, late: Late) -> Task[int]:
    """Somebody who stands still while it sends what is due, for so long that others take it for dead."""
    platforms = {LANE.partition(":")[0]: Platform(messenger=late)}
    somebody = Ritme(begin=here.begin, platforms=platforms, clock=here.clock, engine=EmbeddedEngine())
    standing_still = create_task(somebody.drain(WorkspaceId(LANE)))
    await late.asked.wait()
    here.clock.set(here.clock.now() + timedelta(minutes=2))
    await here.ritme.plan()
    return standing_still


async def test_who_was_taken_for_dead_says_nothing_of_the_tries_of_others(here: World) -> None:
    """It would have the message sent once more, without looking whether that of another arrived."""
    await here.movement()
    await put(here, "aaa")
    late = Late(RetryAfter(here.clock.now()))
    standing_still = await taken_for_dead(here, late)
    here.messenger.fail_next = [(OutcomeUnknown(), True)]
    await here.pass_(minutes=2)
    tried = await row(here, "aaa")
    late.go.set()
    await standing_still
    after = await row(here, "aaa")
    assert (after.state, after.attempts, after.due_at) == (tried.state, tried.attempts, tried.due_at)
    await here.pass_(hours=1)
    assert len(here.posts()) == 1


async def test_who_was_taken_for_dead_is_believed_that_it_arrived(here: World) -> None:
    await here.movement()
    await put(here, "aaa")
    late = Late(Receipt(channel="general", message="m9"))
    standing_still = await taken_for_dead(here, late)
    assert (await row(here, "aaa")).state is DeliveryState.UNKNOWN
    late.go.set()
    await standing_still
    assert ((await row(here, "aaa")).state, (await row(here, "aaa")).receipt) == (DeliveryState.SENT, "m9")


async def test_who_is_stopped_puts_on_record_what_arrived(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await here.movement(channels=("general", "night"))
    for place in ("general", "night"):
        await put(here, place, place=place)
    send, record_results, begun = here.messenger.send, record.record_results, Event()

    async def half(post: Post) -> Receipt:
        if post.channel == "night":
            await Event().wait()
        return await send(post)

    async def slowly(*args: Any, **more: Any) -> Sequence[Delivery]:
        begun.set()
        await sleep(0)
        return await record_results(*args, **more)

    monkeypatch.setattr(here.messenger, "send", half)
    monkeypatch.setattr(record, "record_results", slowly)
    draining = create_task(here.ritme.drain(WorkspaceId(LANE)))
    await begun.wait()
    draining.cancel()
    with pytest.raises(CancelledError):
        await draining
    assert (await row(here, "general")).state is DeliveryState.SENT
    assert (await row(here, "night")).state is DeliveryState.SENDING


async def test_what_cannot_be_put_on_record_keeps_no_other_from_it(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.movement(channels=("general", "night", "day"))
    for place in ("general", "night", "day"):
        await put(here, place, place=place)
    apply_result = outcomes.apply_result

    async def odd(work: UnitOfWork, one: Delivery, *more: Any) -> None:
        await apply_result(work, one, *more)
        if one.key == "night":
            raise ValueError("a receipt nobody can write down")

    monkeypatch.setattr(outcomes, "apply_result", odd)
    with capture_logs() as logged:
        assert await here.ritme.drain(WorkspaceId(LANE)) == 3
    assert [one["delivery"] for one in logged if one["event"] == "result_record_failed"] == [
        (await row(here, "night")).id
    ]
    states = {key: (await row(here, key)).state for key in ("general", "night", "day")}
    assert states == {"general": DeliveryState.SENT, "night": DeliveryState.SENDING, "day": DeliveryState.SENT}
    monkeypatch.undo()
    here.clock.set(here.clock.now() + timedelta(minutes=2))
    await here.drain()
    await here.pass_(minutes=10)
    assert (await row(here, "night")).state is DeliveryState.SENT
    assert len(here.posts("night")) == 1


async def test_asked_to_wait_it_is_woken_when_that_is_over(here: World) -> None:
    """Looked for by the tick alone, every other message of a place would be a second late."""
    woken: list[tuple[WorkspaceId, timedelta]] = []

    class Noting(EmbeddedEngine):
        def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
            woken.append((lane, after))

    await here.movement(channels=("general", "night"))
    now = here.clock.now()
    here.messenger.fail_next = [(RetryAfter(now + timedelta(seconds=seconds)), False) for seconds in (3, 1)]
    for place in ("general", "night"):
        await put(here, place, place=place)
    platforms = {LANE.partition(":")[0]: Platform(messenger=here.messenger)}
    await Ritme(begin=here.begin, platforms=platforms, clock=here.clock, engine=Noting()).drain(WorkspaceId(LANE))
    later = [after for lane, after in woken if lane == LANE and after]
    assert set(later) == {timedelta(seconds=1), timedelta(seconds=3)}


@pytest.mark.parametrize("answer", [RetryAfter(MONDAY + timedelta(minutes=3)), Unreachable("not_accepted")])
async def test_what_surely_was_not_sent_is_known_even_when_others_took_it_for_lost(
    here: World, answer: RetryAfter | Unreachable
) -> None:
    """In Teams nothing can be looked up: what is not known there has failed."""
    await here.movement()
    await put(here, "aaa")
    late = Late(answer)
    standing_still = await taken_for_dead(here, late)
    assert (await row(here, "aaa")).state is DeliveryState.UNKNOWN
    late.go.set()
    await standing_still
    after = await row(here, "aaa")
    expected = DeliveryState.WAITING if isinstance(answer, RetryAfter) else DeliveryState.FAILED
    assert (after.state, after.attempts) == (expected, 0 if isinstance(answer, RetryAfter) else 1)


async def test_while_nothing_can_be_put_on_record_nothing_more_is_sent_and_nothing_known_is_lost(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.movement(channels=("general", "night"))
    for key in ("aaa", "bbb", "ccc"):
        await put(here, key)
    for key in ("night", "later"):
        await put(here, key, place="night")
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

    send = here.messenger.send

    async def sent(post: Post) -> Receipt:
        if post.channel == "night":
            await slow.wait()
        return await send(post)

    monkeypatch.setattr(transactions, "uniform", lambda *_: 0)  # no pause between two tries
    monkeypatch.setattr(here.messenger, "send", sent)
    monkeypatch.setattr(record, "record_results", now_and_then)
    await here.ritme.drain(WorkspaceId(LANE))
    states = {key: (await row(here, key)).state for key in ("aaa", "bbb", "ccc", "night", "later")}
    assert states.pop("later") is DeliveryState.WAITING  # it was not begun
    assert set(states.values()) == {DeliveryState.SENT}
    monkeypatch.undo()
    await here.drain()
    assert order(here, "aaa", "bbb", "ccc") == ["aaa", "bbb", "ccc"]
    assert order(here, "night", "later", channel="night") == ["night", "later"]


async def test_what_waits_for_a_place_of_no_movement_goes_out_when_ritme_is_asked_in_again(here: World) -> None:
    await here.movement()
    async with here.begin() as work:
        where = {"id": PlaceId("lobby"), "workspace_id": WorkspaceId(LANE), "channel": "lobby", "name": "lobby"}
        work.movements.add(Place(**where, created_at=here.clock.now()))
    here.messenger.fail_next = [(Unreachable("not_in_place", place_is_gone=True), False)]
    await put(here, "aaa", place="lobby")
    await here.drain()
    assert here.posts("lobby") == []
    await here.do("iris", "place.joined", channel="lobby")
    texts = [one.message.text for one in here.posts("lobby") if one.message]
    assert ["aaa" in text for text in texts] == [True, False]  # and a welcome after it

"""Answers that are sent in their own turn: once, in order, whatever happens in between."""

import re
from asyncio import Event, create_task, sleep
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.catalogue.base import dump
from bot.catalogue.errors import Apology
from bot.chat import CARD, Post, Receipt
from bot.domain.delivery import Delivery, DeliveryState, to_person
from bot.domain.person import WorkspaceId
from bot.outbox import outcomes, record
from bot.ports import OutcomeUnknown, RetryAfter, StorageUnavailable, UnitOfWork, Unreachable
from tests.conftest import BOTH
from tests.scale.plans import QueryRecorder
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.world import LANE, World, open_world

GENERAL = "general"


@pytest.fixture(params=BOTH)
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Open a world whose platform answers directly."""
    async with open_world(tmp_path, kind=request.param, answers_directly=True) as fresh:
        await fresh.movement("sanne")
        yield fresh


async def turn(world: World, words: str, who: str = "sanne") -> None:
    """Report being stuck, where the answer has to be sent; do not send what is due."""
    await world.ritme.handle(
        world.intent(who, "command", {"command": "stuck", "text": words}, channel=None, answerable=False)
    )


async def finish(world: World) -> None:
    """Wait until what is being sent in its own turn is over."""
    await world.ritme.finish_answers()


async def answers(world: World, who: str = "sanne") -> list[Delivery]:
    async with world.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), who)
        assert person is not None
        rows = await work.deliveries.of_person(person.id, world.clock.now() - timedelta(days=9))
    return [one for one in reversed(rows) if one.kind == "answer"]


async def add_for(world: World, who: str, key: str, **more: Any) -> None:
    """Put something due for a person in the outbox."""

    async with world.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), who)
        assert person is not None
        one = to_person(
            person, "answer", key=key, now=world.clock.now(), movement=None, args=dump(Apology(reference=key))
        )
        for name, value in more.items():
            setattr(one, name, value)
        await work.deliveries.add(one)


async def test_an_answer_is_sent_in_its_own_turn_and_by_no_drain_again(world: World) -> None:
    await turn(world, "de dienst staat leeg")
    await finish(world)
    assert len(world.private("sanne")) == 1
    (row,) = await answers(world)
    assert (row.state, row.attempts, row.args) == (DeliveryState.SENT, 1, {})
    assert await world.ritme.lanes_due() == []
    await world.drain()
    assert len(world.private("sanne")) == 1


async def test_an_answer_asks_for_nothing_that_its_turn_has_loaded(world: World) -> None:
    await turn(world, "de dienst staat leeg")
    await finish(world)
    with QueryRecorder() as listening:
        await turn(world, "en weer")
    asked = [" ".join(one.split()) for one in listening.asked]
    again = re.compile(r"SELECT (people|movements|workspaces)\.id, .* FROM \1 WHERE \1\.id = ")
    assert [one for one in asked if again.match(one)] == []


async def test_an_answer_says_the_same_in_its_own_turn_and_by_a_drain(world: World) -> None:
    for who in ("sanne", "iris"):
        await turn(world, "de nachtdienst van Noor", who)  # nobody's first, which says more
        await world.pass_(hours=1)
    await add_for(world, "iris", "ahead")
    for who in ("sanne", "iris"):
        await world.ritme.handle(world.intent(who, "command", {"text": "hulp"}, channel=None, answerable=False))
    await finish(world)
    await world.drain()
    at_once, later = (world.private(who)[-1].post for who in ("sanne", "iris"))
    assert at_once.message is not None
    assert later.message is not None
    assert at_once.message.paragraphs == later.message.paragraphs
    assert at_once.message.buttons
    for said, one in zip(later.message.buttons, at_once.message.buttons, strict=True):
        assert one == replace(said, args={**said.args, CARD: at_once.delivery})
        assert said.args[CARD] == later.delivery


@pytest.mark.parametrize("state", [DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN])
async def test_an_answer_waits_for_what_stands_ahead_of_it(world: World, state: DeliveryState) -> None:
    world.messenger.can_look_up = True
    moments = {} if state is DeliveryState.WAITING else {"attempted_at": world.clock.now(), "attempts": 1}
    await add_for(world, "sanne", "aaa", state=state, **moments)
    await turn(world, "de dienst staat leeg")
    await finish(world)
    assert world.private("sanne") == []
    await world.pass_(minutes=5)
    texts = [one.message.text for one in world.private("sanne") if one.message]
    assert len(texts) == 2
    assert "aaa" in texts[0]
    assert "aaa" not in texts[1]


async def test_what_others_wait_for_or_comes_later_holds_up_no_answer(world: World) -> None:
    await add_for(world, "iris", "aaa")
    await add_for(world, "sanne", "later", due_at=world.clock.now() + timedelta(days=1))
    await turn(world, "de dienst staat leeg")
    await finish(world)
    assert len(world.private("sanne")) == 1
    assert world.private("iris") == []


async def test_a_second_answer_comes_after_the_first_that_is_still_being_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, begun, go = world.messenger.send, Event(), Event()

    async def slowly(post: Post) -> Receipt:
        begun.set()
        await go.wait()
        return await send(post)

    monkeypatch.setattr(world.messenger, "send", slowly)
    await turn(world, "eerst dit")
    await begun.wait()
    await turn(world, "dan dat")
    draining = create_task(world.ritme.drain(WorkspaceId(LANE)))
    await sleep(0)
    assert world.private("sanne") == []
    go.set()
    await draining
    first, second = world.private("sanne")
    assert [one.post.delivery for one in (first, second)] == [one.id for one in await answers(world)]
    assert {one.state for one in await answers(world)} == {DeliveryState.SENT}


async def test_an_answer_that_has_to_wait_comes_later_once(world: World) -> None:
    later = world.clock.now() + timedelta(seconds=30)
    world.messenger.fail_next = [(RetryAfter(later), False)]
    await turn(world, "de dienst staat leeg")
    await finish(world)
    (row,) = await answers(world)
    assert (row.state, row.reason, row.attempts) == (DeliveryState.WAITING, "pace", 0)
    await turn(world, "en nog iets")  # keeps its place behind it
    await finish(world)
    assert world.private("sanne") == []
    await world.until(later)
    assert [one.post.delivery for one in world.private("sanne")] == [one.id for one in await answers(world)]


async def test_an_answer_of_which_nobody_knows_is_looked_up(world: World) -> None:
    world.messenger.fail_next = [(OutcomeUnknown(), True)]
    await turn(world, "de dienst staat leeg")
    await finish(world)
    (row,) = await answers(world)
    assert row.state is DeliveryState.UNKNOWN
    await world.pass_(minutes=1)
    (row,) = await answers(world)
    assert row.state is DeliveryState.SENT
    assert len(world.private("sanne")) == 1


async def test_an_answer_whose_process_died_is_sent_once_its_claim_is_stale(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.direct.AnswersInFlight.start", lambda *_: None)
    await turn(world, "de dienst staat leeg")
    (row,) = await answers(world)
    assert row.state is DeliveryState.SENDING
    monkeypatch.undo()
    await world.drain()
    assert world.private("sanne") == []  # whoever claimed it may still live
    world.clock.set(world.clock.now() + timedelta(minutes=2))
    await world.drain()
    await world.pass_(minutes=10)
    assert len(world.private("sanne")) == 1


async def test_an_answer_whose_result_cannot_be_recorded_is_not_sent_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise StorageUnavailable("gone")

    monkeypatch.setattr("bot.transactions.uniform", lambda *_: 0)
    monkeypatch.setattr(record, "record_results", away)
    await turn(world, "de dienst staat leeg")
    await finish(world)
    monkeypatch.undo()
    (row,) = await answers(world)
    assert row.state is DeliveryState.SENDING
    world.clock.set(world.clock.now() + timedelta(minutes=2))
    await world.drain()
    await world.pass_(minutes=10)
    assert len(world.private("sanne")) == 1


class Recordings(list[list[DeliveryState]]):
    """Notes what is recorded, by transaction."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        apply = record.record_results

        async def note(*args: Any, **more: Any) -> Any:
            done = await apply(*args, **more)
            self.append([one.state for one in done])
            return done

        monkeypatch.setattr(record, "record_results", note)


async def send_side_by_side(world: World, monkeypatch: pytest.MonkeyPatch, *who: str) -> None:
    """Take turns whose answers arrive at the same moment."""
    send, begun, go = world.messenger.send, list[Post](), Event()

    async def together(post: Post) -> Receipt:
        begun.append(post)
        await go.wait()
        return await send(post)

    monkeypatch.setattr(world.messenger, "send", together)
    for one in who:
        await turn(world, "de dienst staat leeg", who=one)
    while len(begun) < len(who):  # noqa: ASYNC110  # until all are at the platform
        await sleep(0)
    go.set()
    await finish(world)


async def test_results_of_answers_sent_side_by_side_are_recorded_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = Recordings(monkeypatch)
    await send_side_by_side(world, monkeypatch, "sanne", "iris", "jan")
    assert recordings == [[DeliveryState.SENT] * 3]


async def test_a_result_is_recorded_at_once_where_nothing_else_is_being_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(_: float) -> None:
        raise AssertionError("waited for no other")

    monkeypatch.setattr("bot.outbox.direct.sleep", wait)
    await turn(world, "de dienst staat leeg")
    await finish(world)
    (row,) = await answers(world)
    assert row.state is DeliveryState.SENT


async def test_a_result_that_cannot_be_recorded_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = outcomes.apply_result

    async def break_one(work: UnitOfWork, row: Delivery, *rest: Any) -> None:
        if row.person_id == bad.id:
            raise ValueError("broken")
        await apply(work, row, *rest)

    async with world.begin() as work:
        bad = await work.people.get_or_create(WorkspaceId(LANE), "iris", world.clock.now())
        bad.name = "iris"
    monkeypatch.setattr(outcomes, "apply_result", break_one)
    await send_side_by_side(world, monkeypatch, "sanne", "iris", "jan")
    states = [one.state for who in ("sanne", "iris", "jan") for one in await answers(world, who)]
    assert states == [DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.SENT]


async def test_a_process_that_stops_records_what_it_knows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send, begun = world.messenger.send, list[Post]()

    async def all_but_iris(post: Post) -> Receipt:
        begun.append(post)
        if post.account == "iris":
            await Event().wait()
        return await send(post)

    monkeypatch.setattr(world.messenger, "send", all_but_iris)
    monkeypatch.setattr("bot.app.ANSWERS_SHUTDOWN_GRACE", 0)
    recordings = Recordings(monkeypatch)
    for one in ("iris", "sanne"):
        await turn(world, "de dienst staat leeg", who=one)
    while len(begun) < 2:  # noqa: ASYNC110  # until both are at the platform
        await sleep(0)
    await finish(world)
    assert recordings == [[DeliveryState.SENT]]
    (row,) = await answers(world, "iris")
    assert row.state is DeliveryState.SENDING


async def test_nothing_is_sent_of_a_turn_that_was_rolled_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("bot.requests.show_home", broken)
    await turn(world, "de dienst staat leeg")
    await finish(world)
    assert world.messenger.sent == []
    assert await answers(world) == []


@pytest.mark.parametrize(
    "refusal", [RetryAfter, lambda until: Unreachable("not_allowed", workspace_is_gone=True)], ids=["held", "gone"]
)
async def test_an_answer_waits_where_the_workspace_is_held_or_out_of_reach(world: World, refusal: Any) -> None:
    until = world.clock.now() + timedelta(seconds=30)
    failure = refusal(until)
    failure.whole_workspace = True
    world.messenger.fail_next = [(failure, False)]
    await turn(world, "de dienst staat leeg")
    await finish(world)
    tries = world.messenger.tries
    await turn(world, "ook iets", who="iris")
    await finish(world)
    assert world.messenger.tries == tries
    (row,) = await answers(world, "iris")
    assert row.state is DeliveryState.WAITING
    await world.pass_(minutes=5)
    assert len(world.private("iris")) == len(world.private("sanne")) == 1


async def test_a_process_that_stops_finishes_what_it_is_sending(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send, stopping = world.messenger.send, Event()

    async def slowly(post: Post) -> Receipt:
        await stopping.wait()
        return await send(post)

    monkeypatch.setattr(world.messenger, "send", slowly)
    await turn(world, "de dienst staat leeg")
    closing = create_task(finish(world))
    await sleep(0)
    assert not closing.done()
    stopping.set()
    await closing
    (row,) = await answers(world)
    assert row.state is DeliveryState.SENT


async def test_an_answer_to_a_new_face_waits_for_the_names_that_are_looked_up(world: World) -> None:
    async with world.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), "sanne")
        assert person is not None
        person.name = ""
    intent = world.intent("sanne", "command", {"command": "stuck", "text": "leeg"}, channel=None, answerable=False)
    object.__setattr__(intent.actor, "name", "")
    await world.ritme.handle(intent)
    await finish(world)
    assert world.private("sanne") == []
    await world.drain()
    assert len(world.private("sanne")) == 1


async def test_an_answer_in_a_place_waits_for_what_is_due_there(world: World) -> None:
    await enqueue_post(world, "aaa", place=GENERAL)
    say = {"command": "stuck", "text": "leeg"}
    await world.ritme.handle(world.intent("sanne", "command", say, channel=GENERAL, answerable=False))
    await finish(world)
    assert world.messenger.sent == []
    await world.drain()
    assert [bool(one.post.account) for one in world.messenger.sent] == [False, True]
    assert (await get_delivery(world, "aaa")).state is DeliveryState.SENT
    await world.ritme.handle(world.intent("sanne", "command", say, channel=GENERAL, answerable=False))
    await finish(world)
    assert len(world.messenger.sent) == 3

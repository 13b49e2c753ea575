"""On SQLite, which has one writer, people who act go before what Ritme sends by itself; who computes for long gives way
on both databases."""

from asyncio import Task, create_task, gather, sleep
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.database import sqlite
from adapters.database.unit_of_work import UnitsOfWork
from bot import commands
from bot.catalogue.base import Entry
from bot.chat import Reply
from bot.domain.person import Workspace, WorkspaceId
from bot.outbox.claim import YIELD_EVERY
from bot.outbox.drain import PEOPLE_ACT_FOR
from bot.ports import Outgoing, UnitOfWork
from tests.support.databases import BOTH, open_database
from tests.support.outbox import enqueue_post
from tests.support.world import LANE, open_world


@pytest.fixture
async def transact(tmp_path: Path) -> AsyncIterator[UnitsOfWork]:
    async with open_database("sqlite", tmp_path) as storage:
        yield storage.transact


class Turns:
    """Transactions that note in which order they had their turn."""

    def __init__(self, transact: UnitsOfWork) -> None:
        self._transact = transact
        self.order: list[str] = []

    async def start(self, name: str, *, gives_way: bool = False) -> Task[None]:
        """Begin one, and let it wait for its turn."""

        async def act(work: UnitOfWork) -> None:
            self.order.append(name)

        started = create_task(self._transact.give_way(act) if gives_way else self._transact(act))
        await until_all_wait()
        return started


async def until_all_wait() -> None:
    for _ in range(10):
        await sleep(0)


async def test_who_acts_goes_before_all_that_waits_to_be_sent(transact: UnitsOfWork) -> None:
    turns = Turns(transact)
    async with transact.begin():
        waiting = [await turns.start(f"storm {number}", gives_way=True) for number in range(3)]
        waiting += [await turns.start(name) for name in ("iris", "fatima")]
    await gather(*waiting)
    assert turns.order == ["iris", "fatima", "storm 0", "storm 1", "storm 2"]


async def test_what_gave_way_for_long_has_its_turn_all_the_same(
    transact: UnitsOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LONGEST_WAY", 0)
    turns = Turns(transact)
    async with transact.begin():
        waiting = [await turns.start("storm", gives_way=True), await turns.start("iris")]
    await gather(*waiting)
    assert turns.order == ["storm", "iris"]


async def test_what_gives_way_leaves_a_step_of_the_loop_between_two(transact: UnitsOfWork) -> None:
    steps = 0
    taken = list[int]()

    async def count_steps() -> None:
        nonlocal steps
        while True:
            steps += 1
            await sleep(0)

    async def note_step(work: UnitOfWork) -> None:
        taken.append(steps)

    async def sweep() -> None:
        for _ in range(3):
            await transact.give_way(note_step)

    counting = create_task(count_steps())
    await gather(*(sweep() for _ in range(3)))  # who comes in any of these steps has a turn in the next
    counting.cancel()
    assert len(taken) == len(set(taken)) == 9


async def test_one_that_is_cancelled_holds_up_nobody(transact: UnitsOfWork) -> None:
    turns = Turns(transact)
    async with transact.begin():
        for gives_way in (False, True):
            cancelled = await turns.start("cancelled", gives_way=gives_way)
            cancelled.cancel()
        waiting = [await turns.start("storm", gives_way=True), await turns.start("iris")]
    await gather(*waiting)
    assert turns.order == ["iris", "storm"]


async def test_a_batch_ends_early_when_somebody_acts_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("sanne")
        keys = [f"key{number:03}" for number in range(3 * YIELD_EVERY)]
        for key in keys:
            await enqueue_post(world, key)
        acting: list[Task[Reply]] = []
        compose = commands.COMPOSERS["answer"]

        async def compose_while_she_acts(work: UnitOfWork, outgoing: Outgoing) -> Entry:
            if not acting:
                intent = world.intent("sanne", "command", {"command": "help"})
                acting.append(create_task(world.ritme.handle(intent)))
            return await compose(work, outgoing)

        monkeypatch.setitem(commands.COMPOSERS, "answer", compose_while_she_acts)
        assert await world.ritme.drain(LANE) == YIELD_EVERY
        assert await acting[0] is not None
        await world.drain()
        texts = [one.message.text for one in world.posts() if one.message]
        assert [next(key for key in keys if key in text) for text in texts] == keys


async def test_what_ritme_looks_after_by_itself_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("sanne")
        went_in_front = list[str]()
        take_turn = UnitsOfWork.__call__

        async def note_turn(self: UnitsOfWork, act: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
            went_in_front.append(str(act))
            return await take_turn(self, act)

        monkeypatch.setattr(UnitsOfWork, "__call__", note_turn)
        await world.ritme.plan()  # the first sweeps as well
        await world.ritme.lanes_due()
        await world.ritme.next_due()
        assert not went_in_front


async def test_while_people_act_what_is_sent_takes_one_turn_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = 0
    give_way = UnitsOfWork.give_way

    async def count(self: UnitsOfWork, act: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await give_way(self, act)
        finally:
            running -= 1

    monkeypatch.setattr(UnitsOfWork, "give_way", count)
    async with open_world(tmp_path, kind="postgresql") as world:
        await world.movement("sanne")

        async def drain_lanes() -> int:
            nonlocal most
            most = 0
            await gather(*(world.ritme.drain(WorkspaceId(one)) for one in (LANE, "test:W2", "test:W3")))
            return most

        assert await drain_lanes() == 3
        await world.type("sanne", "/stuck nobody comes")
        await drain_lanes()  # and sees that somebody acts
        assert await drain_lanes() == 1
        async with world.begin() as work:
            work.people.add(Workspace(id=WorkspaceId("test:W4"), gone_at=world.clock.now()))
        await world.ritme.drain(WorkspaceId("test:W4"))
        assert await drain_lanes() == 1, "also after a look at where Ritme was removed"
        world.clock.set(world.clock.now() + PEOPLE_ACT_FOR + timedelta(milliseconds=1))
        await drain_lanes()  # and sees that nobody acts any more
        assert await drain_lanes() == 3


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("gathers", [False, True])
async def test_who_computes_gives_way_also_beside_look_ups(tmp_path: Path, kind: str, gathers: bool) -> None:
    steps = 0

    async def count_steps() -> None:
        nonlocal steps
        while True:
            steps += 1
            await sleep(0)

    async def compute() -> int:
        before = steps
        for _ in range(20):
            await sleep(0)
        return steps - before

    async def act(work: UnitOfWork) -> int:
        if not gathers:
            return await compute()
        let_go, _ = await work.together(compute(), work.people.workspace(WorkspaceId(LANE)))
        return int(let_go)

    async with open_database(kind, tmp_path) as storage:
        others = create_task(count_steps())
        assert await storage.transact(act) >= 20
        others.cancel()

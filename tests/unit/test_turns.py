"""A few intents of a workspace act at a time, in the order they came; those of others do not wait for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.clock import SettableClock
from bot import turns
from bot.app import Ritme
from bot.chat import Account, Answer, ChatPlace, Intent
from bot.ports import UnitOfWork
from bot.turns import INTENTS_AT_A_TIME, WorkspaceTurns
from tests.scale.everyday import NoEngine
from tests.support.world import MONDAY


class HeldDatabase:
    """A `Transact` whose transactions begin at once and never end."""

    def __init__(self) -> None:
        self.running = 0

    async def __call__(self, _: Callable[[UnitOfWork], Awaitable[Any]], /) -> Any:
        self.running += 1
        await asyncio.Event().wait()


def intent_of(workspace: str, number: int) -> Intent:
    place = ChatPlace(workspace=workspace, channel="C1")
    actor = Account(workspace=workspace, id=f"U{number}", name="Fatima")
    return Intent(name="help", args={}, actor=actor, place=place, key=f"{workspace}{number}")


async def until_all_wait() -> None:
    """Let every task go on until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_busy_workspace_leaves_connections_to_others() -> None:
    database = HeldDatabase()
    ritme = Ritme(transact=database, platforms={}, clock=SettableClock(MONDAY), engine=NoEngine())
    busy = [asyncio.create_task(ritme.handle(intent_of("slack:busy", number))) for number in range(20)]
    await until_all_wait()
    assert database.running == INTENTS_AT_A_TIME
    other = asyncio.create_task(ritme.handle(intent_of("slack:other", 1)))
    await until_all_wait()
    assert database.running == INTENTS_AT_A_TIME + 1
    for task in (*busy, other):
        task.cancel()
    await asyncio.gather(*busy, other, return_exceptions=True)


async def test_who_came_first_acts_first() -> None:
    taken, order = WorkspaceTurns(), []

    async def act(number: int) -> None:
        async with taken.take("slack:T1"):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(act(number) for number in range(10)))
    assert order == list(range(10))
    assert not taken._turns, "a workspace where nobody acts any more is kept"


async def test_who_waits_too_long_is_told_and_leaves_no_turn_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_TIMEOUT", 0)
    database = HeldDatabase()
    ritme = Ritme(transact=database, platforms={}, clock=SettableClock(MONDAY), engine=NoEngine())
    first = [asyncio.create_task(ritme.handle(intent_of("slack:T1", number))) for number in range(INTENTS_AT_A_TIME)]
    await until_all_wait()
    reply = await ritme.handle(intent_of("slack:T1", 9))
    assert isinstance(reply, Answer)
    assert reply.unavailable
    for task in first:
        task.cancel()
    await asyncio.gather(*first, return_exceptions=True)


async def test_a_turn_is_given_back_by_who_is_cancelled_while_waiting_or_acting() -> None:
    taken, go = WorkspaceTurns(), asyncio.Event()

    async def act() -> None:
        async with taken.take("slack:T1"):
            await go.wait()

    tasks = [asyncio.create_task(act()) for _ in range(3 * INTENTS_AT_A_TIME)]
    await until_all_wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    go.set()
    await asyncio.wait_for(asyncio.gather(*(act() for _ in range(3 * INTENTS_AT_A_TIME))), 5)

"""Figures that stand: of groups from which somebody left, of movements beside one that fails, and who waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.database.repositories.connecting import SqlConnecting
from bot import turns
from bot.chat import Answer
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import GroupCount, load_picture
from bot.domain.figures import FigureCounts, load_figures
from bot.domain.movement import Movement, MovementId
from bot.domain.person import Language, PersonId, WorkspaceId
from bot.domain.spread import load_spread
from bot.turns import INTENTS_AT_A_TIME
from tests.support.api import make_key
from tests.support.groups import add_active, add_group
from tests.support.world import KEEP_FOR_YEARS, LANE, MOVEMENT, World, open_world, text_of

OTHER = MovementId("other")
FIGURES = FigureCounts._fields
NIGHT = tuple(f"n{number}" for number in range(MIN_GROUP_SIZE))


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with open_world(tmp_path, kind=request.param) as fresh:
        await fresh.movement("fatima")
        await add_group(fresh, "Nacht", *NIGHT)
        yield fresh


async def deactivate(world: World, who: str) -> None:
    async with world.begin() as work:
        person = await work.people.get(PersonId(who), MOVEMENT)
        assert person is not None
        person.deactivated_at = world.clock.now()


async def load_movement(world: World, id: MovementId = MOVEMENT) -> Movement:
    async with world.begin() as work:
        movement = await work.movements.get(id)
        assert movement is not None
        return movement


class TestAGroupOfFiveThatSomebodyLeft:
    @pytest.fixture(autouse=True)
    async def left(self, world: World) -> None:
        await deactivate(world, NIGHT[0])

    async def test_is_in_no_reach_and_on_no_map(self, world: World) -> None:
        assert "nog geen groep van vijf" in text_of(await world.do("iris", "reach", channel=None))
        assert "nog geen kaart" in text_of(await world.do("fatima", "map", channel=None))

    async def test_is_in_no_figure_for_programs(self, world: World) -> None:
        assert (await world.ritme.api.figures(await make_key(world))).facts.groups == ()

    async def test_does_not_keep_the_sweep_from_its_work(self, world: World) -> None:
        for intent in ("reach", "map"):
            await world.do("iris", intent, channel=None)
        for days in (0, 8):
            world.clock.set(world.clock.now() + timedelta(days=days, hours=2))
            await world.ritme.plan()
        movement, now = await load_movement(world), world.clock.now()
        kept = load_picture(movement.reach), load_spread(movement.spread)
        assert [one.at for one in kept if one is not None] == [now, now]

    async def test_is_shown_once_it_is_five_again(self, world: World) -> None:
        await world.do("iris", "reach", channel=None)
        await add_group(world, "Nacht", "fatima")
        await world.pass_(minutes=1)
        assert "Nacht" in text_of(await world.do("iris", "reach", channel=None))


async def test_a_group_that_somebody_left_is_not_shown_the_same_day(world: World) -> None:
    assert "Nacht" in text_of(await world.do("iris", "reach", channel=None))
    await deactivate(world, NIGHT[0])
    assert "Nacht" not in text_of(await world.do("iris", "reach", channel=None))


async def test_a_movement_whose_counting_fails_keeps_no_other_from_it_and_nothing_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_reach = SqlConnecting.count_reach

    async def fail_once_there(connecting: SqlConnecting, movement: MovementId) -> Sequence[GroupCount]:
        if movement == MOVEMENT:
            raise ValueError("a bug")
        return await count_reach(connecting, movement)

    await add_active(world, *NIGHT)  # so that Ritme looks by itself how far it reaches
    await world.do("iris", "reach", channel=None)
    async with world.begin() as work:
        ours = await work.movements.get(MOVEMENT)
        assert ours is not None
        work.movements.add(
            Movement(
                id=OTHER, name="Elders", language=Language.NL, started_at=world.clock.now(),
                reach=ours.reach, figures={"at": world.clock.now().isoformat(), **dict.fromkeys(FIGURES, 0)},
            )
        )  # fmt: skip
        assert await work.inbox.claim(WorkspaceId(LANE), "old", world.clock.now())
    world.clock.set(world.clock.now() + KEEP_FOR_YEARS.events + timedelta(days=1))
    monkeypatch.setattr(SqlConnecting, "count_reach", fail_once_there)
    await world.ritme.plan()
    now, other = world.clock.now(), await load_movement(world, OTHER)
    counted = load_picture(other.reach), load_figures(other.figures)
    assert [one.at for one in counted if one is not None] == [now, now]
    assert other.looked_at == now
    assert (await load_movement(world)).looked_at != now
    async with world.begin() as work:
        assert not await work.inbox.is_claimed(WorkspaceId(LANE), "old")


async def test_who_lets_figures_be_counted_holds_no_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_TIMEOUT", 0)  # whoever would have to wait for a turn is put off
    transact = world.storage.transact
    read, counting, go = transact.read, asyncio.Semaphore(0), asyncio.Event()

    async def hold(act: Callable[[Any], Awaitable[Any]]) -> Any:
        counting.release()
        await go.wait()
        return await read(act)

    monkeypatch.setattr(transact, "read", hold)
    intents = [world.intent(who, "map", {}, channel=None) for who in NIGHT[:INTENTS_AT_A_TIME]]
    looking = [asyncio.create_task(world.ritme.handle(one)) for one in intents]
    for _ in looking:
        await counting.acquire()
    meanwhile = await world.ritme.handle(world.intent("fatima", "help", {}))
    assert not any(one.done() for one in looking)
    go.set()
    for reply in (meanwhile, *await asyncio.gather(*looking)):
        assert isinstance(reply, Answer)
        assert not reply.unavailable

"""Networks kept in memory follow the database: ties, consent and groups, whichever process changed them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.connectors import KeyFigure, Nomination, NominationId
from bot.domain.movement import MovementId
from bot.domain.network_question import NetworkAdvice, NetworkQuestion
from bot.domain.person import PersonId, WorkspaceId
from bot.networks import NetworkCache
from bot.ports import NeedsNetwork
from tests.support.world import LANE, World, agree

OURS = MovementId("movement")
PEOPLE = ("fatima", "jan", "sanne", "wim", "bram", "noor")


def question(now: datetime, *, most: int = 3) -> NetworkQuestion:
    return NetworkQuestion(
        movement=OURS,
        asker=PersonId("fatima"),
        workspace=WorkspaceId(LANE),
        now=now,
        wanted=KeyFigure.MAVEN,
        active=frozenset({PersonId("fatima")}),
        most=most,
    )


class Process:
    """A process: networks of its own, over a database that it shares."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cache = NetworkCache()
        self.whole = 0

    async def ask(self, *, most: int = 3) -> NetworkAdvice:
        async with self._world.begin() as work:
            reader = work.networks
        asked = question(self._world.clock.now(), most=most)
        return await self._cache.advise(NeedsNetwork(asked, self._counting(reader), None))

    def strength(self, one: str, other: str) -> float:
        network = self._cache._kept[OURS].network
        return float(network.strengths[network.positions[PersonId(one)], network.positions[PersonId(other)]])

    def _counting(self, reader: object) -> object:
        process = self

        class Counting:
            def read(self, *asked: object) -> object:
                rows = reader.read(*asked)  # type: ignore[attr-defined]
                process.whole += rows.is_whole
                return rows

        return Counting()


async def tie(world: World, *pairs: tuple[str, str]) -> None:
    async with world.begin() as work:
        for one, other in pairs:
            await work.connecting.strengthen(OURS, PersonId(one), PersonId(other), world.clock.now())


async def test_a_tie_that_another_process_made_is_added_without_reading_all_again(world: World) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, *PEOPLE)
    await tie(world, ("jan", "sanne"))
    here, there = Process(world), Process(world)
    for one in (here, there):
        await one.ask()
        assert one.strength("sanne", "jan") == 1
    for passed in (timedelta(0), timedelta(days=3)):  # at the same moment, and later
        world.clock.set(world.clock.now() + passed)
        await tie(world, ("jan", "sanne"), ("wim", "jan"))
    for one in (here, there):
        await one.ask()
        assert (one.strength("sanne", "jan"), one.strength("jan", "wim")) == (3, 2)
        assert one.whole == 1


async def test_however_it_came_about_it_answers_the_same(world: World) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, *PEOPLE)
    old = Process(world)
    for pair in (("noor", "jan"), ("bram", "wim"), ("wim", "sanne"), ("bram", "wim")):
        await tie(world, pair)
        world.clock.set(world.clock.now() + timedelta(hours=1))
        await old.ask()
    assert await old.ask() == await Process(world).ask()


async def test_who_agrees_or_takes_it_back_is_in_it_or_not_at_once(world: World) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, "jan", "sanne")
    await tie(world, ("jan", "sanne"), ("wim", "sanne"))
    process = Process(world)
    assert set((await process.ask()).chosen) == {"jan", "sanne"}
    assert process.strength("wim", "sanne") == 0, "wim did not agree"
    await agree(world.begin, "wim")
    assert set((await process.ask()).chosen) == {"jan", "sanne", "wim"}
    assert process.strength("wim", "sanne") == 1
    await agree(world.begin, "jan", answer=False)
    assert set((await process.ask()).chosen) == {"sanne", "wim"}
    assert process.strength("jan", "sanne") == 0
    await world.do("wim", "me.forget", channel=None)
    assert set((await process.ask()).chosen) == {"sanne"}


async def test_groups_are_counted_as_they_are(world: World) -> None:
    await world.movement(*PEOPLE)
    process = Process(world)
    assert (await process.ask()).sizes == {}
    async with world.begin() as work:
        for who in ("jan", "wim"):
            person = await work.people.get(PersonId(who), OURS)
            assert person is not None
            person.group = "Nacht"
    assert (await process.ask()).sizes == {"Nacht": 2}


@pytest.mark.parametrize("asks", [1, 2])
async def test_asks_count_wherever_they_were_made(world: World, asks: int) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, "jan", "sanne")
    for who in ("fatima", "wim")[:asks]:
        await world.do(who, "invite.send", person="sanne", text="Kom je?")
    chosen = set((await Process(world).ask()).chosen)
    assert chosen == ({"jan", "sanne"} if asks == 1 else {"jan"})
    assert (await Process(world).ask(most=1)).chosen == ("jan",), "who was asked comes later"
    world.clock.set(world.clock.now() + timedelta(days=31))
    assert set((await Process(world).ask()).chosen) == {"jan", "sanne"}


async def test_named_weighs_from_two_others_on(world: World) -> None:
    await world.movement(*PEOPLE)
    await agree(world.begin, "jan", "sanne")
    process = Process(world)
    [first] = (await process.ask(most=1)).chosen
    [second] = {"jan", "sanne"} - {first}

    async def name(who: str, whom: str) -> None:
        async with world.begin() as work:
            work.connecting.add(
                Nomination(
                    id=NominationId(f"{who}/{whom}"),
                    movement_id=OURS,
                    nominator_id=PersonId(who),
                    nominee_id=PersonId(whom),
                    figure=KeyFigure.MAVEN,
                    at=world.clock.now(),
                )
            )

    for who in ("fatima", "wim"):  # who asks does not count
        await name(who, second)
        advice = await process.ask(most=1)
        assert (advice.chosen, advice.named) == ((first,), frozenset())
    await name("bram", second)
    advice = await process.ask(most=1)
    assert (advice.chosen, advice.named) == ((second,), {second})


async def test_the_least_used_is_let_go_first(world: World) -> None:
    await world.movement(*PEOPLE)
    cache = NetworkCache(most_kept=len(PEOPLE) + 1)
    async with world.begin() as work:
        reader = work.networks
    for movement in ("other", "movement"):
        asked = replace(question(world.clock.now()), movement=MovementId(movement))
        await cache.advise(NeedsNetwork(asked, reader, None))
    assert set(cache._kept) == {OURS, "other"}, "an empty one takes no room"
    asked = replace(question(world.clock.now()), movement=MovementId("other"))
    cache._most_kept = 1
    await cache.advise(NeedsNetwork(asked, reader, None))
    assert set(cache._kept) == {"other"}

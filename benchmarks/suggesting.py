"""Measure how long it takes from the command to the suggestion of whom to invite, and how long others wait meanwhile.

Movements of 1,000, 20,000 and 100,000 people with ten ties each, of whom 40 % agreed to be suggested, on both
databases. Colleagues ask something every 20 ms, whether those before were answered or not: first alone, then while one
person asks whom to invite: the first time, when nothing is kept in memory, and then again, each time after a new tie.
They ask again as soon as they were answered (in a row), which nobody does but a program, or half a second after they
asked, as if somebody in the movement pressed the button every half second. So many answers that 99 of 100 is not the
worst but one.

The pace does not slow down when answers take longer. Where a machine cannot keep it up (people in one movement act one
after the other), every connection to the database is taken: who asks then waits two seconds, reads an apology, and asks
again. That is how Ritme is meant to behave; such answers are counted, and the figures are those of a machine too slow.

Usage: python -m benchmarks connectors
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time as daytime
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import structlog
from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SettableClock
from adapters.database.tables import initiatives, members, movements, participants, people, places, ties, workspaces
from adapters.heap import collect_seldom, freeze_heap
from adapters.network_process import NetworkProcess
from benchmarks.report import Line, print_progress, show
from benchmarks.worker import InstantMessenger
from bot.app import Ritme
from bot.chat import Account, Answer, ChatPlace, Intent, Reply
from bot.domain.movement import MovementId, PlaceState, Role
from bot.domain.person import Language, PersonId
from bot.ports import Platform, StorageUnavailable, Transact
from tests.scale.everyday import NoEngine
from tests.support.databases import BOTH, open_database
from tests.support.world import MONDAY

SIZES = (1_000, 20_000, 100_000)
TIES, GROUP, AGREED, INSIDE = 10, 50, 0.4, 20
"""Ties per person, people in a group, the share that agreed, and people in the initiative."""
LANE, MOVEMENT, WALK = "bench:W1", MovementId("m"), "walk"
PAUSE = 0.02
"""Seconds between two requests of colleagues."""
ALONE = 12.0
"""Seconds in which nobody asks whom to invite."""
PACED, PACE = 24, 0.5
"""How often somebody asks whom to invite every half second, the first time among them, and how many seconds that is."""
IN_A_ROW = 100
"""How often they ask in a row after that."""
YEAR, BATCH = timedelta(days=365), 10_000


@dataclass(frozen=True, kw_only=True)
class Suggesting:
    """Milliseconds: the first suggestion, the later ones, and the answers to colleagues alone, while somebody asks
    every half second, and while they ask in a row."""

    first: float
    later: Sequence[float]
    alone: Sequence[float]
    meanwhile: Sequence[float]
    in_a_row: Sequence[float]
    put_off: int
    """How many answers were an apology, because the pace was too high for the machine."""


def _rows(size: int) -> Iterator[tuple[Table, dict[str, Any]]]:
    """Yield the rows of a movement, those that others refer to first."""
    random = Random(size)
    name = "{:06d}".format
    yield workspaces, {"id": LANE, "name": "Zorg", "gone_reason": ""}
    yield (
        movements,
        {"id": MOVEMENT, "name": "Op pad", "language": Language.NL, "country": "NL", "good_friday": False,
         "timezone": "Europe/Amsterdam", "started_at": MONDAY},
    )  # fmt: skip
    yield (
        places,
        {"id": "p", "workspace_id": LANE, "channel": "C1", "name": "zorg", "movement_id": MOVEMENT,
         "timezone": "Europe/Amsterdam", "quiet_weekends": True, "state": PlaceState.ALIVE},
    )  # fmt: skip
    for one in range(size):
        yield people, {"id": name(one), "account": name(one), "name": f"Naam {one}", "group": f"Groep {one // GROUP}"}
    for one in range(size):
        agreed = True if random.random() < AGREED else None
        yield members, {"person_id": name(one), "role": Role.MEMBER, "joined_at": MONDAY, "suggestible": agreed}
    yield initiatives, {"id": WALK, "name": "Wandelen"}
    for one in range(INSIDE):
        yield participants, {"initiative_id": WALK, "person_id": name(one), "joined_at": MONDAY}
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < size * TIES:
        one = random.randrange(size)
        near = one - one % GROUP + random.randrange(GROUP)
        other = min(near, size - 1) if random.random() < 0.7 else random.randrange(size)
        if one != other:
            pairs.add((min(one, other), max(one, other)))
    for one, other in sorted(pairs):
        strength = 1 + int(random.expovariate(1))
        yield (
            ties,
            {
                "one_id": name(one),
                "other_id": name(other),
                "strength": strength,
                "last_at": MONDAY - random.random() * YEAR,
            },
        )


async def _fill(database: AsyncEngine, size: int) -> None:
    """Write a movement of so many people."""
    waiting: list[dict[str, Any]] = []
    last: Table | None = None

    async def write() -> None:
        if last is not None and waiting:
            async with database.begin() as connection:
                await connection.execute(insert(last), waiting)
            waiting.clear()

    for table, row in _rows(size):
        if table is not last or len(waiting) >= BATCH:
            await write()
            last = table
        waiting.append(_complete(table, row))
    await write()
    if database.dialect.name == "postgresql":  # whose autovacuum sees to it; SQLite is never told
        async with database.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")


def _complete(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with a value in every column that needs one."""
    shared: dict[str, Any] = {"movement_id": MOVEMENT, "workspace_id": LANE, "created_at": MONDAY, "started_at": MONDAY}
    empty: dict[type, Any] = {str: "", bool: False, int: 0, daytime: daytime(18), Role: Role.MEMBER}
    whole = dict(row)
    for column in table.c:
        if column.name not in whole and column.name in shared:
            whole[column.name] = shared[column.name]
        elif column.name not in whole and not column.nullable and column.server_default is None:
            kind = column.type.python_type
            whole[column.name] = ([] if column.name in ("chose", "figures") else {}) if kind is dict else empty[kind]
    return whole


def _request(who: str, name: str, **args: str) -> Intent:
    place = ChatPlace(workspace=LANE, channel="C1")
    actor = Account(workspace=LANE, id=who, name=f"Naam {int(who)}")
    return Intent(name=name, args=args, actor=actor, place=place, key=str(time.monotonic_ns()))


async def _suggest(ritme: Ritme) -> float:
    """Ask whom to invite, and again after an apology; return the milliseconds until the answer. Who was suggested
    rests, so that others follow."""
    began = time.perf_counter()
    reply = await ritme.handle(_request("000000", "connect.look", initiative=WALK, figure="connector"))
    while _is_put_off(reply):
        reply = await ritme.handle(_request("000000", "connect.look", initiative=WALK, figure="connector"))
    took = (time.perf_counter() - began) * 1000
    if not isinstance(reply, Answer) or "Naam" not in str(reply.message):
        raise RuntimeError(f"nobody was suggested: {reply}")
    return took


def _is_put_off(reply: Reply) -> bool:
    """Return whether an answer is the apology for a database that could not be reached in time."""
    return isinstance(reply, Answer) and reply.unavailable


async def _ask_for(ritme: Ritme, during: "asyncio.Task[Any]", size: int) -> tuple[list[float], int]:
    """Let colleagues ask something at a steady pace until a task is over; return the milliseconds each waited from when
    they meant to ask, and how many were put off."""
    took: list[float] = []
    put_off: list[str] = []
    asking: set[asyncio.Task[None]] = set()

    async def ask(due: float, who: str) -> None:
        reply = await ritme.handle(_request(who, "command", command="/ritme", text="initiatief"))
        if _is_put_off(reply):
            put_off.append(who)
        took.append((time.perf_counter() - due) * 1000)

    due = time.perf_counter()
    while not during.done():
        asking.add(asyncio.create_task(ask(due, f"{1 + len(asking) % (size - 1):06d}")))
        due += PAUSE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    await asyncio.gather(*asking)
    await during
    return took, len(put_off)


async def _suggest_often(
    ritme: Ritme, transact: Transact, clock: SettableClock, numbers: range, size: int, pace: float = 0.0
) -> list[float]:
    """Ask whom to invite so many times, each after a new tie, and no sooner than `pace` seconds after the last."""
    took = []
    for number in numbers:
        due = time.perf_counter() + pace
        clock.set(clock.now() + timedelta(minutes=1))
        one, other = (PersonId(f"{(100 + 7 * number + step) % size:06d}") for step in (0, 3))
        await _tie(transact, one, other, clock)
        took.append(await _suggest(ritme))
        await asyncio.sleep(due - time.perf_counter())
    return took


async def _tie(transact: Transact, one: PersonId, other: PersonId, clock: SettableClock) -> None:
    """Let two people know each other, as soon as there is a connection for it."""
    while True:
        try:
            await transact(lambda work: work.connecting.strengthen(MOVEMENT, one, other, clock.now()))
            return
        except StorageUnavailable:
            continue  # it waited two seconds


async def measure(kind: str, size: int) -> Suggesting:
    """Measure a movement of so many people on one database."""
    with tempfile.TemporaryDirectory(prefix="ritme-suggesting-") as folder:
        async with open_database(kind, Path(folder)) as storage:
            await _fill(storage.database, size)
            clock = SettableClock(MONDAY, running=False)
            Ritme.load_books()
            networks = NetworkProcess()
            ritme = Ritme(
                transact=storage.transact,
                platforms={"bench": Platform(messenger=InstantMessenger())},
                clock=clock,
                engine=NoEngine(),
                networks=networks,
            )
            await _ask_for(ritme, asyncio.create_task(asyncio.sleep(1)), size)  # warm: statements are compiled
            collect_seldom()
            freeze_heap()  # as a service does when it is ready
            alone, _ = await _ask_for(ritme, asyncio.create_task(asyncio.sleep(ALONE)), size)
            often = partial(_suggest_often, ritme, storage.transact, clock)
            paced = asyncio.create_task(often(range(PACED), size, PACE))
            meanwhile, put_off = await _ask_for(ritme, paced, size)
            rapid = asyncio.create_task(often(range(PACED, PACED + IN_A_ROW), size))
            in_a_row, put_off_too = await _ask_for(ritme, rapid, size)
            await networks.close()
            return Suggesting(
                first=paced.result()[0],
                later=[*paced.result()[1:], *rapid.result()],
                alone=alone,
                meanwhile=meanwhile,
                in_a_row=in_a_row,
                put_off=put_off + put_off_too,
            )


def p99(took: Sequence[float]) -> float:
    """Return what 99 of 100 take at most."""
    return sorted(took)[int(len(took) * 0.99)]


async def measure_use_case(sizes: Sequence[int] = SIZES, kinds: Sequence[str] = BOTH) -> list[Line]:
    """Measure the whole use case. Returns its lines for the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lines = [Line(what="whom to invite, from the command to the answer")]
    for kind in kinds:
        for size in sizes:
            found = await measure(kind, size)
            lines += [
                Line(
                    what=f"  {size:,} people on {kind}",
                    measured=f"{median(found.later):.0f} ms, at most {max(found.later):.0f} ms",
                    beside=f"the first time: {found.first:.0f} ms",
                ),
                Line(
                    what="    others meanwhile",
                    measured=f"p99 {p99(found.meanwhile):.1f} ms of {len(found.meanwhile)}"
                    + (f", {found.put_off} put off: too slow a machine" if found.put_off else ""),
                    beside=f"alone: p99 {p99(found.alone):.1f} ms of {len(found.alone)}",
                    ratio=p99(found.meanwhile) / p99(found.alone),
                    aim="≤ 2",
                ),
                Line(
                    what="    the same, asked in a row",
                    measured=f"p99 {p99(found.in_a_row):.1f} ms of {len(found.in_a_row)}",
                    beside=f"alone: p99 {p99(found.alone):.1f} ms",
                    ratio=p99(found.in_a_row) / p99(found.alone),
                ),
            ]
            for one in lines[-3:]:
                print_progress(f"{one.what}: {one.measured}; {one.beside}")
    return lines


if __name__ == "__main__":
    show(asyncio.run(measure_use_case()))

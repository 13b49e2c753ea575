"""What people do all day, with a thousand stories and with a million (three years of them, and a year of deliveries):
what it costs, in process, on PostgreSQL and on SQLite, the two in turn; and how the database goes about each statement.

PostgreSQL knows what is in its tables, as its autovacuum sees to; SQLite does not, as nobody tells it to look.

Usage: python -m benchmarks.growth [--stories 1000000] [--times 30] [--plans FILE] [postgresql] [sqlite]
"""

import argparse
import asyncio
import logging
import re
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

import structlog
from sqlalchemy import Connection, create_engine, func, select

from adapters.database.migrate import migrate
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from benchmarks.report import Line, show, under_way
from bot.chat import Post, Receipt
from tests.scale.everyday import EVERYDAY, Doing, Everyday
from tests.scale.past import Past, write
from tests.scale.plans import Asked, Listening, Plan, planning_on
from tests.support.postgres import Server

FEW, MANY, TIMES = 1_000, 1_000_000, 30
WARM_UP = 5
"""Turns that are not measured, but listened to."""
AIM = 1.2
GROWS = 5
"""A table is large when it has so many times the rows in the one that it has in the other."""
WORTH_TELLING = 50
"""Pages (or steps) by which a statement goes further."""
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


class AtOnce:
    """A platform without a network."""

    def __init__(self) -> None:
        self.sent = 0

    async def send(self, post: Post) -> Receipt:
        self.sent += 1
        return Receipt(channel=post.channel or "", message=f"sent-{self.sent}")

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        return None


@dataclass
class Side:
    """A database with a past: what each thing took there, in milliseconds, and what it asked of the database."""

    url: str
    past: Past
    day: Everyday
    took: dict[str, list[float]] = field(default_factory=dict)
    asked: dict[str, dict[str, Asked]] = field(default_factory=dict)

    async def does(self, doing: Doing, turn: int) -> None:
        movement, time_ = turn % self.past.movements, turn // self.past.movements
        if time_ >= doing.times:
            return
        if doing.before is not None:
            await doing.before(self.day, movement, time_)
        self.day.notes.sent.clear()
        if turn < WARM_UP:
            with Listening(self.asked.setdefault(doing.what, {})):
                await doing.act(self.day, movement, time_)
        else:
            began = time.perf_counter()
            await doing.act(self.day, movement, time_)
            self.took.setdefault(doing.what, []).append((time.perf_counter() - began) * 1000)
        if doing.sends and doing.sends not in self.day.notes.sent:
            raise RuntimeError(f"{doing.what} sent {self.day.notes.sent}")
        await self.day.run_until_idle()

    def rows(self) -> dict[str, int]:
        """How many there are, by table."""
        engine = create_engine(plainly(self.url))
        with engine.connect() as connection:
            counted = {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }
        engine.dispose()
        return counted


def plainly(url: str) -> str:
    """For a driver that waits by itself."""
    return url.replace("+aiosqlite", "")


def a_past(stories: int) -> Past:
    return Past(stories=stories, weeks=max(1, 52 * stories // 1_000_000))


@contextmanager
def without_indexes(connection: Connection) -> Iterator[None]:
    """Made afterwards they cost a fraction."""
    indexes = [index for table in metadata.tables.values() for index in table.indexes if not index.unique]
    for index in indexes:
        index.drop(connection, checkfirst=True)
    yield
    for index in indexes:
        index.create(connection)


def fill(url: str, past: Past) -> None:
    engine = create_engine(plainly(url))
    on_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        before = (
            ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000")
            if on_sqlite
            else ("SET session_replication_role = replica", "SET maintenance_work_mem = '256MB'", "SET jit = off")
        )
        for setting in before:
            connection.exec_driver_sql(setting)
        connection.commit()
        with without_indexes(connection):
            write(connection, past)
        connection.commit()
    if not on_sqlite:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()


@asynccontextmanager
async def databases(kind: str, *pasts: Past) -> AsyncIterator[list[Side]]:
    """One for each past."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ritme-growth-")))
        server = stack.enter_context(Server(folder / "postgres")) if kind == "postgresql" else None
        sides = []
        for past in pasts:
            began = time.perf_counter()
            if server is not None:
                url = await asyncio.to_thread(server.database, f"growth_{past.stories}")
            else:
                url = f"sqlite+aiosqlite:///{folder / str(past.stories)}.db"
                fresh = connect(url)
                await migrate(fresh)
                await fresh.dispose()
            await asyncio.to_thread(fill, url, past)
            engine = connect(url)
            stack.push_async_callback(engine.dispose)
            begin = unit_of_work(engine, announce if server is not None else None)
            sides.append(Side(url=url, past=past, day=Everyday(past, begin, AtOnce())))
            under_way(f"  {NAMES[kind]}: {past.stories:,} stories written in {time.perf_counter() - began:.0f} s")
        yield sides


async def measure(few: Side, many: Side, times: int) -> None:
    """Everything, in turns, the two databases one after the other, each first as often as the other."""
    for turn in range(WARM_UP + times):
        for doing in EVERYDAY:
            for side in (few, many) if turn % 2 else (many, few):
                await side.does(doing, turn)
        if turn % 10 == 0:
            under_way(f"  turn {turn} of {WARM_UP + times}")


def large(few: Side, many: Side) -> set[str]:
    """The tables that grow with the stories."""
    before = few.rows()
    return {name for name, rows in many.rows().items() if rows > GROWS * max(1, before[name])}


def plans(side: Side, tables: Collection[str]) -> list[Plan]:
    """One for each statement that any of it asked."""
    asked = {statement: one for of_one in side.asked.values() for statement, one in of_one.items()}
    with planning_on(side.url) as planner:
        return [planner.plan(one, tables) for one in asked.values()]


def about(statement: str, width: int = 200) -> str:
    """Which statement that is, without the columns it asks for."""
    words = " ".join(statement.split())
    words = re.sub(r"^SELECT [^(]*?, .*? FROM", "SELECT … FROM", words)
    words = re.sub(r"::[A-Z]+( WITH TIME ZONE)?", "", words)
    return words if len(words) <= width else f"{words[: width - 1]}…"


def tell_growth(few: Side, many: Side, what: str) -> None:
    """Where the time went that it takes more, by statement."""
    before, after = few.asked[what], many.asked[what]

    def more(statement: str) -> float:
        then = before.get(statement)
        return (after[statement].seconds - (then.seconds if then else 0)) * 1000 / WARM_UP

    for statement in sorted(after, key=more, reverse=True)[:3]:
        then = before[statement].times if statement in before else 0
        print(
            f"    {more(statement):+6.2f} ms, asked {then / WARM_UP:g} → {after[statement].times / WARM_UP:g} times: "
            f"{about(statement)}"
        )


def tell_plans(few: Sequence[Plan], many: Sequence[Plan]) -> None:
    """Which read a table from one end to the other, and which go further where there is more."""
    for plan in many:
        if plan.whole:
            print(f"    reads all of {', '.join(plan.whole)}: {about(plan.statement)}")
    before = {plan.statement: plan.work for plan in few}
    for plan in sorted(many, key=lambda one: one.work - before.get(one.statement, 0), reverse=True):
        then = before.get(plan.statement, 0)
        if plan.work > 2 * then and plan.work - then > WORTH_TELLING and not plan.whole:
            print(f"    goes further, {then:,} → {plan.work:,}: {about(plan.statement)}")


async def grown(kind: str, stories: int, times: int, file: Path | None) -> list[Line]:
    name = NAMES[kind]
    async with databases(kind, a_past(min(FEW, stories)), a_past(stories)) as (few, many):
        await measure(few, many, times)
        tables = large(few, many)
        found, found_before = plans(many, tables), plans(few, tables)
    lines = [Line(what=f"with {many.past.stories:,} stories and all that belongs to them, in {name}")]
    print(f"\n{name}, {few.past.stories:,} and {many.past.stories:,} stories; what grows:", flush=True)
    for doing in EVERYDAY:
        then, now = median(few.took[doing.what]), median(many.took[doing.what])
        # Of each turn by itself: whatever else the machine does, it does to both.
        ratio = median(b / a for a, b in zip(few.took[doing.what], many.took[doing.what], strict=True))
        lines.append(
            Line(
                what=f"  {doing.what}",
                measured=f"{now:.1f} ms",
                beside=f"with {few.past.stories:,} stories: {then:.1f} ms",
                ratio=ratio,
                aim=f"≤ {AIM}",
            )
        )
        if ratio > AIM:
            print(f"  {doing.what}: {then:.1f} → {now:.1f} ms")
            tell_growth(few, many, doing.what)
    print(f"  of {len(found)} statements, on {', '.join(sorted(tables))}:")
    tell_plans(found_before, found)
    if file is not None:
        with file.open("a") as out:
            for plan in found:
                out.write(f"-- {name}\n{plan.statement}\n\n{plan.text}\n\n\n")
    whole = sum(bool(plan.whole) for plan in found)
    lines.append(Line(what="  statements that no index leads", measured=f"{whole} of {len(found)}", aim="0"))
    return lines


async def lines(
    kinds: Sequence[str] = tuple(NAMES), stories: int = MANY, times: int = TIMES, file: Path | None = None
) -> list[Line]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return [line for kind in kinds for line in await grown(kind, stories, times, file)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("kinds", nargs="*", metavar="database", help=f"of {', '.join(NAMES)}; both without any")
    asked.add_argument("--stories", type=int, default=MANY)
    asked.add_argument("--times", type=int, default=TIMES, help="how often each thing is done and measured")
    asked.add_argument("--plans", type=Path, help="a file to write every plan to")
    given = asked.parse_args()
    if unknown := [kind for kind in given.kinds if kind not in NAMES]:
        asked.error(f"there is no {unknown[0]}; there are {' and '.join(NAMES)}")
    if given.plans is not None:
        given.plans.unlink(missing_ok=True)
    show(asyncio.run(lines(given.kinds or tuple(NAMES), given.stories, given.times, given.plans)))


if __name__ == "__main__":
    main()

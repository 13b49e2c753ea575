"""Measure what everyday activities cost with 250,000 stories and with 1,000,000; explain their statements.

They are of the same fifty movements, which people told as much in, nine months old and three years. So every list is
as full in both, and every week that is counted: what takes longer in the old ones, does so because of all that lies
before. Measured in process, on PostgreSQL and on SQLite. The planner of PostgreSQL has statistics, as with autovacuum;
SQLite's has none, as nobody runs ANALYZE there.

Usage: python -m benchmarks.growth [--stories 1000000] [--times 20] [--plans FILE] [postgresql] [sqlite]
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
from pathlib import Path
from statistics import median

import structlog
from sqlalchemy import Connection, create_engine, func, select

from adapters.database.migrate import migrate_schema
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from benchmarks.report import Line, print_progress, show
from benchmarks.worker import InstantMessenger
from tests.scale.everyday import ACTIVITIES, Activity, Everyday
from tests.scale.past import Past, write_past
from tests.scale.plans import QueryPlan, QueryRecorder, QueryStats, open_planner
from tests.support.postgres import Server

FEW, MANY, TIMES = 250_000, 1_000_000, 20
WARM_UP = 5
"""Turns in which statements are recorded instead of time."""
AIM = 1.2
GROWTH_FACTOR = 2
"""A table grows with the stories when it has more than so many times the rows in the large database."""
MIN_EXTRA_WORK = 50
"""Pages (PostgreSQL) or steps (SQLite) more that make a statement worth printing."""
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


@dataclass
class PastDatabase:
    """A database with a past, and what was measured there.

    `took`: milliseconds of each activity, turn by turn; `asked`: its statements.
    """

    url: str
    past: Past
    day: Everyday
    took: dict[str, list[float]] = field(default_factory=dict)
    asked: dict[str, dict[str, QueryStats]] = field(default_factory=dict)

    async def do(self, activity: Activity, turn: int) -> None:
        """Do an activity once, then let everything due be sent. Raises RuntimeError unless it sent what it should.

        Each turn is in another movement; an activity that can be done no more is left out.
        """
        movement, time_ = turn % self.past.movements, turn // self.past.movements
        if time_ >= activity.times:
            return
        if activity.prepare is not None:
            await activity.prepare(self.day, movement, time_)
        self.day.telemetry.sent.clear()
        if turn < WARM_UP:
            with QueryRecorder(self.asked.setdefault(activity.what, {})):
                await activity.act(self.day, movement, time_)
        else:
            began = time.perf_counter()
            await activity.act(self.day, movement, time_)
            self.took.setdefault(activity.what, []).append((time.perf_counter() - began) * 1000)
        if activity.sends and activity.sends not in self.day.telemetry.sent:
            raise RuntimeError(f"{activity.what} sent {self.day.telemetry.sent}")
        await self.day.run_until_idle()

    def rows(self) -> dict[str, int]:
        """Count the rows of each table."""
        engine = create_engine(sync_url(self.url))
        with engine.connect() as connection:
            counted = {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }
        engine.dispose()
        return counted


def sync_url(url: str) -> str:
    """Return a database URL for the synchronous driver."""
    return url.replace("+aiosqlite", "")


def make_past(stories: int) -> Past:
    """Return a past of so many stories, as long as they take to tell: three years, of which one with deliveries, for a
    million."""
    return Past(stories=stories, weeks=max(1, 52 * stories // 1_000_000), years=3 * stories / 1_000_000)


@contextmanager
def without_indexes(connection: Connection) -> Iterator[None]:
    """Drop all but unique indexes, and create them again at the end: that costs a fraction of keeping them up."""
    indexes = [index for table in metadata.tables.values() for index in table.indexes if not index.unique]
    if connection.dialect.name == "sqlite":
        # In the order in which migrations made them: by that, SQLite chooses between two that it takes for as good.
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY rowid")
        made = list(found.scalars())
        indexes.sort(key=lambda index: made.index(str(index.name)))
    for index in indexes:
        index.drop(connection, checkfirst=True)
    yield
    for index in indexes:
        index.create(connection)


def fill(url: str, past: Past) -> None:
    """Write a past into a migrated database, as fast as the database can; leave PostgreSQL vacuumed and analysed."""
    engine = create_engine(sync_url(url))
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
            write_past(connection, past)
        connection.commit()
    if not on_sqlite:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()


@asynccontextmanager
async def databases(kind: str, *pasts: Past) -> AsyncIterator[list[PastDatabase]]:
    """Create and fill a database for each past, and remove them at the end."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ritme-growth-")))
        server = stack.enter_context(Server(folder / "postgres")) if kind == "postgresql" else None
        sides = []
        for past in pasts:
            began = time.perf_counter()
            if server is not None:
                url = await asyncio.to_thread(server.create_database, f"growth_{past.stories}")
            else:
                url = f"sqlite+aiosqlite:///{folder / str(past.stories)}.db"
                fresh = connect(url)
                await migrate_schema(fresh)
                await fresh.dispose()
            await asyncio.to_thread(fill, url, past)
            engine = connect(url)
            stack.push_async_callback(engine.dispose)
            transact = unit_of_work(engine, announce if server is not None else None)
            sides.append(PastDatabase(url=url, past=past, day=Everyday(past, transact, InstantMessenger())))
            print_progress(f"  {NAMES[kind]}: {past.stories:,} stories written in {time.perf_counter() - began:.0f} s")
        yield sides


async def measure(few: PastDatabase, many: PastDatabase, times: int) -> None:
    """Do every activity in turns on both databases, each first as often as the other."""
    for turn in range(WARM_UP + times):
        for activity in ACTIVITIES:
            for side in (few, many) if turn % 2 else (many, few):
                await side.do(activity, turn)
        if turn % 10 == 0:
            print_progress(f"  turn {turn} of {WARM_UP + times}")


def find_growing_tables(few: PastDatabase, many: PastDatabase) -> set[str]:
    """Return the tables that grow with the stories."""
    before = few.rows()
    return {name for name, rows in many.rows().items() if rows > GROWTH_FACTOR * max(1, before[name])}


def explain_all(side: PastDatabase, tables: Collection[str]) -> list[QueryPlan]:
    """Return the plan of each statement that any activity asked. `tables`: those that must not be read whole."""
    asked = {statement: one for of_one in side.asked.values() for statement, one in of_one.items()}
    with open_planner(side.url) as planner:
        return [planner.plan(one, tables) for one in asked.values()]


def shorten(statement: str, width: int = 200) -> str:
    """Return a statement on one line, without the columns it selects, cut at `width`."""
    words = " ".join(statement.split())
    words = re.sub(r"^SELECT [^(]*?, .*? FROM", "SELECT … FROM", words)
    words = re.sub(r"::[A-Z]+( WITH TIME ZONE)?", "", words)
    return words if len(words) <= width else f"{words[: width - 1]}…"


def print_growth(few: PastDatabase, many: PastDatabase, what: str) -> None:
    """Print the three statements in which an activity lost most time."""
    before, after = few.asked[what], many.asked[what]

    def more(statement: str) -> float:
        then = before.get(statement)
        return (after[statement].seconds - (then.seconds if then else 0)) * 1000 / WARM_UP

    for statement in sorted(after, key=more, reverse=True)[:3]:
        then = before[statement].times if statement in before else 0
        print(
            f"    {more(statement):+6.2f} ms, asked {then / WARM_UP:g} → {after[statement].times / WARM_UP:g} times: "
            f"{shorten(statement)}"
        )


def print_plans(few: Sequence[QueryPlan], many: Sequence[QueryPlan]) -> None:
    """Print the statements that read a table from one end to the other, or do more work where there is more."""
    for plan in many:
        if plan.whole:
            print(f"    reads all of {', '.join(plan.whole)}: {shorten(plan.statement)}")
    before = {plan.statement: plan.work for plan in few}
    for plan in sorted(many, key=lambda one: one.work - before.get(one.statement, 0), reverse=True):
        then = before.get(plan.statement, 0)
        if plan.work > 2 * then and plan.work - then > MIN_EXTRA_WORK and not plan.whole:
            print(f"    goes further, {then:,} → {plan.work:,}: {shorten(plan.statement)}")


async def measure_growth(kind: str, stories: int, times: int, file: Path | None) -> list[Line]:
    """Measure one database kind. Returns its lines; prints what grows, and appends every plan to `file`."""
    name = NAMES[kind]
    async with databases(kind, make_past(min(FEW, stories)), make_past(stories)) as (few, many):
        await measure(few, many, times)
        tables = find_growing_tables(few, many)
        found, found_before = explain_all(many, tables), explain_all(few, tables)
    lines = [Line(what=f"with {many.past.stories:,} stories and all that belongs to them, in {name}")]
    print(f"\n{name}, {few.past.stories:,} and {many.past.stories:,} stories; what grows:", flush=True)
    for activity in ACTIVITIES:
        then, now = median(few.took[activity.what]), median(many.took[activity.what])
        # The median of the ratios, turn by turn: what else the machine does then, slows both down.
        ratio = median(b / a for a, b in zip(few.took[activity.what], many.took[activity.what], strict=True))
        lines.append(
            Line(
                what=f"  {activity.what}",
                measured=f"{now:.1f} ms",
                beside=f"with {few.past.stories:,} stories: {then:.1f} ms",
                ratio=ratio,
                aim=f"≤ {AIM}",
            )
        )
        if ratio > AIM:
            print(f"  {activity.what}: {then:.1f} → {now:.1f} ms")
            print_growth(few, many, activity.what)
    print(f"  of {len(found)} statements, on {', '.join(sorted(tables))}:")
    print_plans(found_before, found)
    if file is not None:
        with file.open("a") as out:
            for plan in found:
                out.write(f"-- {name}\n{plan.statement}\n\n{plan.text}\n\n\n")
    whole = sum(bool(plan.whole) for plan in found)
    lines.append(Line(what="  statements that no index leads", measured=f"{whole} of {len(found)}", aim="0"))
    return lines


async def run(
    kinds: Sequence[str] = tuple(NAMES), stories: int = MANY, times: int = TIMES, file: Path | None = None
) -> list[Line]:
    """Run the benchmark. Returns its lines for the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return [line for kind in kinds for line in await measure_growth(kind, stories, times, file)]


def main() -> None:
    """Run the benchmark by itself."""
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
    show(asyncio.run(run(given.kinds or tuple(NAMES), given.stories, given.times, given.plans)))


if __name__ == "__main__":
    main()

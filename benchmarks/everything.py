"""Measure all that a person waits for, in one small movement and in one that is far too large: 1,000 stories of 20
people, and 1,000,000 of 20,000. Both have the places, the initiatives and a year of the rhythms of the large one: what
there is to choose from is listed as a whole, and its length is another question than how much was told.

Every command, button, form, event, page and question of a program (`tests/scale/everything.py`) is done again and again
over the same rows: each unit of work is rolled back in its end, so a commit is not measured (`inbound` does that).
Statements and rows are counted; the time is this process's own, and on the clock. Beside it stands the least that an
answer takes: one indexed select and one insert, in a unit of work of the same kind.

The bars: the statements do not grow with the movement; the time does not grow by more than 1.2 ×, and is below 100 ms;
at most some hundred rows are loaded. What breaks one is printed, the worst 25 first; `--all FILE` writes everything.

Usage: python -m benchmarks.everything [--times 5] [--only REGEX] [--all FILE] [postgresql] [sqlite]
"""

import argparse
import asyncio
import gc
import logging
import re
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import structlog

from adapters.database.migrate import migrate_schema
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from adapters.engine.embedded import EmbeddedEngine
from adapters.heap import freeze_heap
from benchmarks.growth import NAMES, fill
from benchmarks.report import Line, print_progress, show
from bot.app import Ritme
from tests.scale.everything import BARE, THINGS, Do, Stage, Taken, Thing, past_of
from tests.scale.past import Past
from tests.support.databases import NEVER, ManualEngine, OpenDatabase
from tests.support.postgres import Server

SMALL, LARGE = (1_000, 20), (1_000_000, 20_000)
"""Stories and people."""
TIMES = 3
WORST = 25
MAX_GROWTH, MAX_MS, MAX_ROWS = 1.2, 100.0, 500
FULL_LISTS = 20
"""Statements that lists of people and stories take which are cut off in the large movement and shorter in the small
one. One that is asked for each of them is asked hundreds of times more."""
FULL_ROWS = 10
"""Rows less than by which lists differ that count as equally long."""
NOISE_MS = 3.0
"""Milliseconds by which the same takes longer now and then."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Holds what a thing takes in one movement: statements and rows; milliseconds of this process and on the clock,
    median and 95th percentile, and the least on the clock."""

    statements: int
    rows: int
    processor: float
    slow_processor: float
    wall: float
    slow_wall: float
    least_wall: float

    @classmethod
    def of(cls, taken: Sequence[Taken]) -> "Cost":
        """Sum up the times it was done."""
        processor, wall = sorted(one.processor for one in taken), sorted(one.wall for one in taken)
        slow = int(len(taken) * 0.95)
        return cls(
            statements=max(one.statements for one in taken),
            rows=max(one.rows for one in taken),
            processor=median(processor),
            slow_processor=processor[slow],
            wall=median(wall),
            slow_wall=wall[slow],
            least_wall=wall[0],
        )


@dataclass(frozen=True)
class Compared:
    """A thing in the small movement and in the large one."""

    what: str
    small: Cost
    large: Cost

    @property
    def growth(self) -> float:
        """By how much longer it takes in the large one: the least of each, as all else only adds to it."""
        return self.large.least_wall / self.small.least_wall

    @property
    def loads_as_much(self) -> bool:
        """True when the large one loads as many rows: what is listed is as long in both."""
        return self.large.rows - self.small.rows < FULL_ROWS

    @property
    def breaks(self) -> list[str]:
        """The bars that it breaks."""
        grows = self.growth > MAX_GROWTH and self.large.least_wall > self.small.least_wall + NOISE_MS
        return [
            *(["statements grow"] if self.large.statements > self.small.statements + FULL_LISTS else []),
            *(["slow"] if self.large.wall > MAX_MS else []),
            *(["many rows"] if self.large.rows > MAX_ROWS else []),
            *(["grows"] if grows else []),
        ]

    def line(self) -> Line:
        """Return it as a line of the table."""
        return Line(
            what=f"  {self.what}",
            measured=_tell(self.large),
            beside=_tell(self.small),
            ratio=self.growth,
            aim=", ".join(self.breaks),
        )


def _tell(cost: Cost) -> str:
    return (
        f"{cost.statements} st, {cost.rows:,} rows, {cost.wall:.1f} ms (p95 {cost.slow_wall:.1f};"
        f" cpu {cost.processor:.1f}, p95 {cost.slow_processor:.1f})"
    )


@asynccontextmanager
async def open_stage(kind: str, past: Past, folder: Path, server: Server | None) -> AsyncIterator[Stage]:
    """Open a database of a kind with a movement that has a past, ready to do things in."""
    began, name = time.perf_counter(), f"stories_{past.stories}"
    if server is not None:
        url = await asyncio.to_thread(server.create_database, name)
    else:
        url = f"sqlite+aiosqlite:///{folder / name}.db"
        fresh = connect(url)
        await migrate_schema(fresh)
        await fresh.dispose()
    database = connect(url)
    embedded = EmbeddedEngine(tick=NEVER)  # of which nothing is asked
    transact = unit_of_work(database, announce if server is not None else None)
    try:
        stage = Stage(OpenDatabase(kind, url, database, transact, ManualEngine(embedded), embedded))
        await stage.fill()
        await database.dispose()  # its connections: another writes now, and locks the whole file
        await asyncio.to_thread(fill, url, past)
        print_progress(f"  {NAMES[kind]}: {past.stories:,} stories written in {time.perf_counter() - began:.0f} s")
        yield stage
    finally:
        await database.dispose()


async def measure_thing(stage: Stage, act: Do, times: int) -> Cost:
    """Do a thing a few times, the first of them unmeasured."""
    await stage.take(act)
    return Cost.of([await stage.take(act) for _ in range(times)])


async def measure(kind: str, times: int, things: Sequence[Thing]) -> list[Compared]:
    """Measure things in both movements, in turns: what else the machine does then, slows both down."""
    with tempfile.TemporaryDirectory(prefix="ritme-everything-") as folder:
        server = Server(Path(folder) / "postgres") if kind == "postgresql" else None
        if server is not None:
            server.__enter__()
        try:
            async with (
                open_stage(kind, past_of(*SMALL, like=LARGE[1]), Path(folder), server) as small,
                open_stage(kind, past_of(*LARGE), Path(folder), server) as large,
            ):
                return await _measure_both(small, large, times, things)
        finally:
            if server is not None:
                server.__exit__(None, None, None)


async def _measure_both(small: Stage, large: Stage, times: int, things: Sequence[Thing]) -> list[Compared]:
    compared = []
    for number, one in enumerate((BARE, *things)):
        acts = [await one.prepare(stage, stage.undone) for stage in (small, large)]
        if one.keeps:
            # For real, so that what was counted is kept.
            first = [Cost.of([await stage.take(await one.prepare(stage, stage.world))]) for stage in (small, large)]
            compared.append(Compared(f"{one.what}, the first time", *first))
        costs = [await measure_thing(stage, act, times) for stage, act in zip((small, large), acts, strict=True)]
        compared.append(Compared(one.what, *costs))
        if number == 0:
            freeze_heap()  # as a service does when it is ready
        if number % 50 == 0:
            print_progress(f"  {number} of {len(things)}")
            gc.collect()
    return compared


def list_lines(kind: str, found: Sequence[Compared], *, whole: bool) -> list[Line]:
    """Return the lines of a table: everything, or the worst of what breaks a bar; first the bare measure."""
    bare, *rest = found
    broken = [one for one in rest if one.breaks]
    usual = [one for one in rest if not one.what.endswith("the first time")]
    shown = rest if whole else sorted(broken, key=lambda one: -one.large.wall)[:WORST]
    walls = sorted(one.large.wall for one in usual)
    name = f"{len(usual)} commands, buttons, forms, pages and questions in {NAMES[kind]}"
    return [
        Line(what=f"{name}: {LARGE[0]:,} stories, {LARGE[1]:,} people, beside {SMALL[0]:,} and {SMALL[1]}"),
        Line(
            what="  all of them",
            measured=f"median {median(walls):.1f} ms, p95 {walls[int(len(walls) * 0.95)]:.1f} ms",
            beside=f"{bare.what}: {bare.large.wall:.2f} ms",
            ratio=median(one.growth for one in usual),
            aim=f"≤ {MAX_GROWTH}",
        ),
        *_list_alike([one for one in usual if one.loads_as_much]),
        *(
            Line(what=f"  that break “{bar}”", measured=str(sum(bar in one.breaks for one in usual)), aim="0")
            for bar in ("statements grow", "slow", "many rows", "grows")
        ),
        *(one.line() for one in shown),
    ]


def _list_alike(alike: Sequence[Compared]) -> list[Line]:
    """Return the line of those that load as much in both movements: what grows there is not the length of a list."""
    if not alike:
        return []
    grows = median(one.growth for one in alike)
    measured = f"{len(alike)}, processor {median(one.large.processor for one in alike):.1f} ms"
    return [Line(what="  that load as many rows in both", measured=measured, ratio=grows, aim=f"≤ {MAX_GROWTH}")]


async def run(
    kinds: Sequence[str] = tuple(NAMES), times: int = TIMES, only: str = "", file: Path | None = None
) -> list[Line]:
    """Run the benchmark. Returns its lines for the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    Ritme.load_books()
    things = [one for one in THINGS if re.search(only, one.what)]
    lines: list[Line] = []
    for kind in kinds:
        found = await measure(kind, times, things)
        lines += list_lines(kind, found, whole=False)
        if file is not None:
            with file.open("a") as out:
                for line in list_lines(kind, found, whole=True):
                    out.write(f"{line.what}\t{line.measured}\t{line.beside}\t{line.ratio or ''}\t{line.aim}\n")
    return lines


def main() -> None:
    """Run the benchmark by itself."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("kinds", nargs="*", metavar="database", help=f"of {', '.join(NAMES)}; both without any")
    asked.add_argument("--times", type=int, default=TIMES, help="how often each thing is done and measured")
    asked.add_argument("--only", default="", help="a regular expression of what is measured")
    asked.add_argument("--all", type=Path, help="a file to write all that was measured to")
    given = asked.parse_args()
    if unknown := [kind for kind in given.kinds if kind not in NAMES]:
        asked.error(f"there is no {unknown[0]}; there are {' and '.join(NAMES)}")
    if given.all is not None:
        given.all.unlink(missing_ok=True)
    show(asyncio.run(run(given.kinds or tuple(NAMES), given.times, given.only, given.all)))


if __name__ == "__main__":
    main()

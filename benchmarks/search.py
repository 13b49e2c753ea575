"""Measure how long searching a million stories takes, beside a bare query of the same database for the same words.

All are of one movement, over five years: that is the hardest. The texts are made of words as frequent as in a
language, and of some whose number is known. Every second search goes on from somewhere within those years.

Usage: python -m benchmarks.search [--stories 1000000] [--times 40] [postgresql] [sqlite]
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg

from adapters.database.migrate import migrate_schema
from adapters.database.story_words import TOKENS, fts5_query, tsquery
from adapters.database.unit_of_work import connect, unit_of_work
from benchmarks.report import Line, print_progress, show
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.story import Dimension, Readers, Story, StoryId
from bot.domain.story_search import (
    FoundBy,
    SearchCursor,
    StoryFilters,
    StoryReader,
    index_story,
    match_words,
    position_at,
    read_query,
)
from bot.ports import Begin, UnitOfWork
from bot.understanding.likeness import common_words
from bot.use_cases.stories.searching import find_stories
from tests.support.postgres import Server

MANY, TIMES, PAGE = 1_000_000, 40, 4
AIM = 100
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
NOW = datetime(2026, 11, 29, tzinfo=UTC)
YEAR = timedelta(days=365)
YEARS = 5 * YEAR
OURS, LANE, TELLERS = MovementId("ours"), WorkspaceId("bench:W"), 500
BATCH = 5_000
COLUMNS = (
    "id", "movement_id", "place_id", "teller_id", "text", "named", "readers", "initiative_id", "dimension", "part",
    "told_at", "search_position", "search_words",
)  # fmt: skip
SYLLABLES = [first + second for first in "bdghklmnprstvw" for second in "aeo"]


@dataclass(frozen=True)
class Case:
    """A search: what is typed, and what narrows it."""

    what: str
    typed: str
    filters: StoryFilters = field(default_factory=StoryFilters)


CASES = (
    Case("a word in 100,000 stories", "nachtdienst"),
    Case("two such words", "nachtdienst overdracht"),
    Case("a word in 1,000", "rolstoel"),
    Case("a word in 20", "balie"),
    Case("a frequent word with a rare one", "nachtdienst balie"),
    Case("a frequent word, of an initiative", "nachtdienst", StoryFilters(initiative=InitiativeId("i3"))),
    Case("… of a week a year ago", "nachtdienst", StoryFilters(until=NOW - YEAR, since=NOW - YEAR - YEAR / 52)),
    Case("… of a group of five, that steers", "nachtdienst", StoryFilters(group="small", dimension=Dimension.STEER)),
    Case("… of a group of five", "nachtdienst", StoryFilters(group="small")),
    Case("… of half of all people", "nachtdienst", StoryFilters(group="large")),
    Case("a frequent word of five years ago", "kerstlied"),
    Case("a part of a frequent word", "dienst"),
    Case("a frequent word, mistyped", "nachtdiesnt"),
    Case("a word in no story", "giraffe"),
)  # fmt: skip


def make_stories(many: int) -> Iterator[Story]:
    """Make stories from the oldest to the newest."""
    chance = random.Random(27)  # the same stories each time
    words = sorted({"".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(20_000)})
    chance.shuffle(words)
    weights = [1 / (rank + 10) for rank in range(len(words))]
    picked = iter(())  # type: ignore[var-annotated]
    for number in range(many):
        if number % BATCH == 0:
            picked = iter(chance.choices(words, weights, k=30 * BATCH))
        text = [next(picked) for _ in range(30)]
        text += ["nachtdienst"] if number % 10 == 3 else []
        text += ["overdracht"] if number % 10 == 7 or number % 30 == 3 else []
        text += ["rolstoel"] if number % 1_000 == 13 else []
        text += ["balie"] if number % (many // 20) == 3 else []
        text += ["kerstlied"] if number < many // 10 else []
        yield Story(
            id=StoryId(f"s{number}"),
            movement_id=OURS,
            place_id=PlaceId(f"p{number % 7}"),
            teller_id=PersonId(f"u{chance.randrange(TELLERS)}"),
            text=" ".join(text),
            readers=Readers.THREAD if number % 5 == 4 else Readers.MOVEMENT,
            initiative_id=InitiativeId(f"i{number % 11}") if number % 2 else None,
            dimension=tuple(Dimension)[number % 3],
            told_at=NOW - YEARS * ((many - number) / many),
        )


async def seed(begin: Begin) -> None:
    """Store everything that stories refer to: of the people half are of a large group, and five of a small one."""
    async with begin() as work:
        work.people.add(Workspace(id=LANE))
        work.movements.add(Movement(id=OURS, name="Ours", language=Language.NL, started_at=NOW))
        for number in range(7):
            place = Place(id=PlaceId(f"p{number}"), workspace_id=LANE, channel=f"c{number}", created_at=NOW)
            place.movement_id = OURS
            work.movements.add(place)
        for number in range(11):
            name = InitiativeId(f"i{number}")
            work.initiatives.add(Initiative(id=name, movement_id=OURS, name=name, started_by=None, started_at=NOW))
        for number in range(TELLERS):
            group = "small" if number < 5 else ("large" if number % 2 else "")
            who = PersonId(f"u{number}")
            work.people.add(Person(id=who, workspace_id=LANE, account=who, name=who, group=group, created_at=NOW))
            work.movements.add(Member(movement_id=OURS, person_id=who, role=Role.MEMBER, joined_at=NOW))


def row(story: Story, moment: Callable[[datetime], object]) -> tuple[object, ...]:
    """Return the columns of a story, in the order of `COLUMNS`."""
    position, words = index_story(story)
    dimension = story.dimension.value if story.dimension else None
    return (
        *(story.id, story.movement_id, story.place_id, story.teller_id, story.text, True, story.readers.value),
        *(story.initiative_id, dimension, "", moment(story.told_at), position, words),
    )


def fill_sqlite(file: str, many: int) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("INSERT INTO story_words(story_words, rank) VALUES ('hashsize', 67108864)")
    connection.execute("BEGIN")
    # Later, all at once: keeping them up meanwhile takes longer.
    connection.execute("DROP TRIGGER story_words_added")
    insert = f"INSERT INTO stories ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    connection.executemany(insert, (row(one, lambda at: f"{at:%Y-%m-%d %H:%M:%S.%f}") for one in make_stories(many)))
    connection.execute(
        "INSERT INTO story_words(rowid, tokens) SELECT search_position, search_words FROM stories ORDER BY 1"
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def fill_postgresql(server: Server, database: str, many: int) -> None:
    url = server.url.set(database=database).render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        found = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_stories_search_words'"
        ).fetchone()
        assert found is not None
        connection.execute("DROP INDEX ix_stories_search_words")
        columns = ", ".join(COLUMNS)
        with connection.cursor() as cursor, cursor.copy(f"COPY stories ({columns}) FROM STDIN") as copy:  # type: ignore[arg-type]
            for one in make_stories(many):
                copy.write_row(row(one, lambda at: at))
        connection.execute(found[0])
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


async def search(work: UnitOfWork, case: Case, after: SearchCursor | None) -> int:
    """Search as people do in chat; return how many stories were found."""
    reader = StoryReader(person=PersonId("u7"), workspace=LANE)
    words = read_query(case.typed, common_words())
    page, _ = await find_stories(work, OURS, reader, words, case.filters, after, PAGE)
    return len(page)


async def measure(begin: Begin, case: Case, times: int) -> list[float]:
    """Return the milliseconds of every search."""
    chance, took = random.Random(case.what), []  # the same places each time
    for turn in range(times + 2):
        at = NOW - YEARS * chance.random()
        after = SearchCursor(by=FoundBy.ALL, before=position_at(at)) if turn % 2 else None
        began = time.perf_counter()
        async with begin() as work:
            await search(work, case, after)
        took.append((time.perf_counter() - began) * 1000)
    return took[2:]


def measure_bare(kind: str, url: str, case: Case, times: int) -> float:
    """Return the median of milliseconds that the database takes for the newest four stories with these words."""
    match = match_words(read_query(case.typed), FoundBy.ALL)
    assert match is not None
    took = []
    if kind == "sqlite":
        connection = sqlite3.connect(url)
        ask = lambda: connection.execute(  # noqa: E731
            "SELECT rowid FROM story_words WHERE story_words MATCH ? ORDER BY rowid DESC LIMIT 4", [fts5_query(match)]
        ).fetchall()
    else:
        server = psycopg.connect(url)
        statement = f"SELECT id FROM stories WHERE {TOKENS} @@ %s::tsquery ORDER BY search_position DESC LIMIT 4"
        ask = lambda: server.execute(statement, [tsquery(match)]).fetchall()  # type: ignore[arg-type]  # noqa: E731
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


async def run_on(kind: str, many: int, times: int) -> list[Line]:
    """Fill a database of one kind and measure every case."""
    lines = [Line(what=f"searching {many:,} stories on {NAMES[kind]}: p50 / p95")]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ritme-search-")))
        began = time.perf_counter()
        if kind == "sqlite":
            file = str(folder / "ritme.db")
            url, bare = f"sqlite+aiosqlite:///{file}", file
            fresh = connect(url)
            await migrate_schema(fresh)
            await fresh.dispose()
        else:
            server = stack.enter_context(Server(folder / "postgres"))
            url = await asyncio.to_thread(server.create_database, "search")
            bare = server.url.set(database="search").render_as_string(hide_password=False)
        engine = connect(url)
        begin = unit_of_work(engine)
        await seed(begin)
        if kind == "sqlite":
            await engine.dispose()
            await asyncio.to_thread(fill_sqlite, bare, many)
            engine = connect(url)
            begin = unit_of_work(engine)
        else:
            await asyncio.to_thread(fill_postgresql, server, "search", many)
        print_progress(f"  {NAMES[kind]}: {many:,} stories written in {time.perf_counter() - began:.0f} s")
        everything: list[float] = []
        for case in CASES:
            took = sorted(await measure(begin, case, times))
            everything += took
            beside = measure_bare(kind, bare, case, max(3, times // 8))
            lines.append(line(f"  {case.what}", took, f"{beside:.1f} ms: a bare query"))
        lines.append(line("  all of them", sorted(everything), ""))
        await engine.dispose()
    return lines


def line(what: str, took: Sequence[float], beside: str) -> Line:
    p95 = took[int(len(took) * 0.95)]
    return Line(
        what=what,
        measured=f"{median(took):.1f} / {p95:.1f} ms",
        beside=beside,
        ratio=p95 / AIM,
        aim="≤ 1 (p95, 100 ms)",
    )


async def run(kinds: Sequence[str] = ("postgresql", "sqlite"), many: int = MANY, times: int = TIMES) -> list[Line]:
    """Measure on both databases, one after the other."""
    return [one for kind in kinds for one in await run_on(kind, many, times)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--stories", type=int, default=MANY)
    asked.add_argument("--times", type=int, default=TIMES)
    asked.add_argument("kinds", nargs="*", choices=["postgresql", "sqlite", []])
    given = asked.parse_args()
    show(asyncio.run(run(given.kinds or ("postgresql", "sqlite"), given.stories, given.times)))


if __name__ == "__main__":
    main()

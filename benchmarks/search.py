"""Measure how long searching a million stories takes, beside a bare query of the full-text index of the same database.

They are of one movement, over five years: that is the hardest; beside it there are a thousand small ones. The texts are
made of words as frequent as in a language, and of some whose number is known. Every second search goes on from
somewhere within those years. The bare query (FTS5, GIN) asks for the newest four with these words, whoever may read
them.

Usage: python -m benchmarks.search [--stories 1000000] [--times 25] [postgresql] [sqlite]
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from array import array
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median

import psycopg

from adapters.database.migrate import migrate_schema
from adapters.database.story_words import MAX_IN_ROW, OPEN, make_entry, write_entries
from adapters.database.unit_of_work import Begin, connect, unit_of_work
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
    position_at,
    read_query,
    story_position,
)
from bot.ports import UnitOfWork
from bot.understanding.likeness import common_words
from bot.use_cases.stories.searching import find_stories
from tests.support.postgres import Server

MANY, TIMES, PAGE = 1_000_000, 25, 4
AIM = 100
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
NOW = datetime(2026, 11, 29, tzinfo=UTC)
YEAR = timedelta(days=365)
YEARS = 5 * YEAR
OURS, LANE, TELLERS = MovementId("ours"), WorkspaceId("bench:W"), 500
BATCH = 5_000
BATCHES, BATCH_SIZE = 6, 200
"""How often stories are put into the index to measure it, and how many at once, as a tick does."""
BARE_TOKENS = "to_tsvector('simple', text)"
COLUMNS = (
    "id", "movement_id", "place_id", "teller_id", "text", "named", "readers", "initiative_id", "dimension", "part",
    "told_at", "search_position", "search_indexed",
)  # fmt: skip
SYLLABLES = [first + second for first in "bdghklmnprstvw" for second in "aeo"]


SMALL, IN_SMALL = 1_000, 20
"""Small movements, and stories in each of them."""
POSTINGS = ("movement_id", "token", "until", "entries")


@dataclass(frozen=True)
class Case:
    """A search: what is typed, what narrows it, in which movement, and in which of its places."""

    what: str
    typed: str
    filters: StoryFilters = field(default_factory=StoryFilters)
    movement: MovementId = OURS
    place: PlaceId | None = None


CASES = (
    Case("a word in 100,000 stories", "nachtdienst"),
    Case("… in a channel", "nachtdienst", place=PlaceId("p3")),
    Case("two such words", "nachtdienst overdracht"),
    Case("two such words, never together", "nachtdienst vertrouwd"),
    Case("a word in half of all", "bewoners"),
    Case("two of them, with a third", "bewoners samen nachtdienst"),
    Case("a word in 1,000", "rolstoel"),
    Case("a word in 20", "balie"),
    Case("a frequent word with a rare one", "nachtdienst balie"),
    Case("a frequent word of five years ago", "kerstlied"),
    Case("… with a frequent one", "kerstlied bewoners"),
    Case("a frequent word, told among others only", "vertrouwd"),
    Case("a frequent word, of an initiative", "nachtdienst", StoryFilters(initiative=InitiativeId("i3"))),
    Case("… that steers", "nachtdienst", StoryFilters(dimension=Dimension.STEER)),
    Case("… of a week a year ago", "nachtdienst", StoryFilters(until=NOW - YEAR, since=NOW - YEAR - YEAR / 52)),
    Case("… of a group of five, that steers", "nachtdienst", StoryFilters(group="small", dimension=Dimension.STEER)),
    Case("… of a group of five", "nachtdienst", StoryFilters(group="small")),
    Case("… of half of all people", "nachtdienst", StoryFilters(group="large")),
    Case("no word, of an initiative", "", StoryFilters(initiative=InitiativeId("i3"))),
    Case("a part of a frequent word", "dienst"),
    Case("a part of 500 words", "zorg"),
    Case("a frequent word, mistyped", "nachtdiesnt"),
    Case("six frequent words, never together", "nachtdienst overdracht vertrouwd kerstlied bewoners samen"),
    Case("a word in no story", "giraffe"),
    Case("a word in a small movement", "nachtdienst", movement=MovementId("small7")),
)


def make_stories(many: int) -> Iterator[Story]:
    """Make stories of the large movement from the oldest to the newest, and then those of the small ones."""
    chance = random.Random(27)  # the same stories each time
    words = sorted({"".join(chance.choices(SYLLABLES, k=chance.randint(2, 5))) for _ in range(30_000)})
    chance.shuffle(words)
    weights = [1 / (rank + 10) for rank in range(len(words))]
    for number in range(many + SMALL * IN_SMALL):
        if number % BATCH == 0:
            picked = iter(chance.choices(words, weights, k=30 * BATCH))
        text = [next(picked) for _ in range(30)]
        text += ["nachtdienst"] if number % 10 == 3 else []
        text += ["overdracht"] if number % 10 == 7 or number % 30 == 3 else []
        text += ["vertrouwd"] if number % 10 == 4 else []
        text += ["bewoners"] if number % 2 else []
        text += ["samen"] if number % 3 else []
        text += [f"zorg{words[number % 500]}"] if number % 5 == 2 else []
        text += ["rolstoel"] if number % (many // 1_000) == 13 else []
        text += ["balie"] if number % (many // 20) == 3 else []
        text += ["kerstlied"] if number < many // 10 else []
        is_large = number < many
        movement = OURS if is_large else MovementId(f"small{number % SMALL}")
        years = (many - number) / many if is_large else (number - many) / (SMALL * IN_SMALL + 1)
        yield Story(
            id=StoryId(f"s{number}"),
            movement_id=movement,
            place_id=PlaceId(f"p{number % 7}"),
            teller_id=PersonId(f"u{chance.randrange(TELLERS)}"),
            text=" ".join(text),
            readers=Readers.THREAD if number % 5 == 4 else Readers.MOVEMENT,
            initiative_id=InitiativeId(f"i{number % 11}") if number % 2 else None,
            dimension=tuple(Dimension)[number % 3],
            told_at=NOW - YEARS * years,
        )


class Held:
    """Holds what the index has of stories, as it is when each was put in after the one before it."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], array[int]] = {}

    def put_in(self, story: Story) -> None:
        """Put a story in, after all that are older."""
        position, tokens = index_story(story)
        assert position is not None
        entry = make_entry(position, story.readers)
        for token in tokens:
            self._entries.setdefault((story.movement_id, token), array("Q")).append(entry)

    def list_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the rows of the index."""
        for (movement, token), entries in sorted(self._entries.items()):
            ordered = sorted(entries)
            for begin in range(0, len(ordered), MAX_IN_ROW):
                some = ordered[begin : begin + MAX_IN_ROW]
                is_last = begin + MAX_IN_ROW >= len(ordered)
                yield movement, token, OPEN if is_last else some[-1] >> 1, write_entries(some)


async def seed(begin: Begin) -> None:
    """Store everything that stories refer to: of the people half are of a large group, and five of a small one."""
    async with begin() as work:
        work.people.add(Workspace(id=LANE))
        for movement in (OURS, *(MovementId(f"small{number}") for number in range(SMALL))):
            work.movements.add(Movement(id=movement, name=movement, language=Language.NL, started_at=NOW))
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
    dimension = story.dimension.value if story.dimension else None
    return (
        *(story.id, story.movement_id, story.place_id, story.teller_id, story.text, True, story.readers.value),
        *(story.initiative_id, dimension, "", moment(story.told_at), story_position(story), True),
    )


Write = Callable[[str, Sequence[str], Iterable[tuple[object, ...]]], None]
"""Writes rows into a table, with the names of their columns."""


@contextmanager
def writing_sqlite(file: str) -> Iterator[Write]:
    """Give what writes into a file; in the end, let SQLite's own index be made."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")

    def write(table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    yield write
    connection.execute("COMMIT")
    connection.execute("CREATE VIRTUAL TABLE bare USING fts5(words, content='', columnsize=0, detail=none)")
    connection.execute("INSERT INTO bare(rowid, words) SELECT search_position, text FROM stories ORDER BY 1")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


@contextmanager
def writing_postgresql(url: str) -> Iterator[Write]:
    """Give what writes into a database; in the end, let PostgreSQL's own index be made."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")

        def write(table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:  # type: ignore[arg-type]
                for one in rows:
                    copy.write_row(one)

        yield write
        connection.execute(f"CREATE INDEX bare ON stories USING gin ({BARE_TOKENS})")  # type: ignore[arg-type]
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


WRITING: Mapping[str, tuple[Callable[[str], AbstractContextManager[Write]], Callable[[datetime], object]]] = {
    "sqlite": (writing_sqlite, lambda at: f"{at:%Y-%m-%d %H:%M:%S.%f}"),
    "postgresql": (writing_postgresql, lambda at: at),
}
"""For each kind of database how it is written, and how a moment is."""


def fill(databases: Mapping[str, str], many: int) -> None:
    """Write the same stories, and the index of their words, into a database of each kind, made once for all of them."""
    held = Held()
    with ExitStack() as stack:
        writes = [
            (stack.enter_context(writing(databases[kind])), moment)
            for kind, (writing, moment) in WRITING.items()
            if kind in databases
        ]
        each = make_stories(many)
        while some := list(islice(each, BATCH)):
            for story in some:
                held.put_in(story)
            for write, moment in writes:
                write("stories", COLUMNS, (row(one, moment) for one in some))
        rows = held.list_rows()
        while entries := list(islice(rows, BATCH)):
            for write, _ in writes:
                write("story_postings", POSTINGS, entries)


async def search(work: UnitOfWork, case: Case, after: SearchCursor | None) -> int:
    """Search as people do in chat; return how many stories were found."""
    reader = StoryReader(person=PersonId("u7"), workspace=LANE, place=case.place)
    words = read_query(case.typed, common_words())
    page, _ = await find_stories(work, case.movement, reader, words, case.filters, after, PAGE)
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
    words, took = case.typed.split(), []
    if kind == "sqlite":
        connection = sqlite3.connect(url)
        statement = "SELECT rowid FROM bare WHERE bare MATCH ? ORDER BY rowid DESC LIMIT 4"
        ask = lambda: connection.execute(statement, [" ".join(words)]).fetchall()  # noqa: E731
    else:
        server = psycopg.connect(url)
        # Materialized: else it may walk through all stories, the newest first, and take each apart, for minutes.
        hits = f"SELECT search_position AS at FROM stories WHERE {BARE_TOKENS} @@ %s::tsquery"
        statement = f"WITH hits AS MATERIALIZED ({hits}) SELECT at FROM hits ORDER BY at DESC LIMIT 4"
        ask = lambda: server.execute(statement, [" & ".join(words)]).fetchall()  # type: ignore[arg-type]  # noqa: E731
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


@dataclass(frozen=True)
class SearchedDatabase:
    """A database to search in: its address for a driver, and its units of work."""

    bare: str
    begin: Begin


@asynccontextmanager
async def open_filled(kinds: Collection[str], folder: Path, many: int) -> AsyncIterator[dict[str, SearchedDatabase]]:
    """Open a database of each kind with all stories."""
    async with AsyncExitStack() as stack:
        urls, bare = {}, {}
        for kind in kinds:
            if kind == "sqlite":
                bare[kind] = str(folder / "ritme.db")
                urls[kind] = f"sqlite+aiosqlite:///{bare[kind]}"
                fresh = connect(urls[kind])
                await migrate_schema(fresh)
                await fresh.dispose()
            else:
                server = stack.enter_context(Server(folder / "postgres"))
                urls[kind] = await asyncio.to_thread(server.create_database, "search")
                bare[kind] = server.url.set(database="search").render_as_string(hide_password=False)
            engine = connect(urls[kind])
            await seed(unit_of_work(engine).begin)
            await engine.dispose()
        await asyncio.to_thread(fill, bare, many)
        opened = {}
        for kind, url in urls.items():
            engine = connect(url)
            stack.push_async_callback(engine.dispose)
            opened[kind] = SearchedDatabase(bare[kind], unit_of_work(engine).begin)
        yield opened


async def measure_all(kind: str, begin: Begin, bare: str, many: int, times: int) -> list[Line]:
    """Measure every kind of search, and what it costs to write."""
    lines = [Line(what=f"searching {many:,} stories on {NAMES[kind]}: p50 / p95")]
    everything: list[float] = []
    for case in CASES:
        took = sorted(await measure(begin, case, times))
        everything += took
        beside = f"{measure_bare(kind, bare, case, max(3, times // 8)):.1f} ms: a bare query" if case.typed else ""
        lines.append(line(f"  {case.what}", took, beside))
        print_progress(f"    {case.what}: {lines[-1].measured} ({beside})")
    lines.append(line("  all of them", sorted(everything), ""))
    return [*lines, *await measure_writing(begin, many)]


async def measure_writing(begin: Begin, many: int) -> list[Line]:
    """Measure what the index adds to telling a story, and to taking one back."""
    told, indexed, taken_back = [], [], []
    later = iter(make_stories(10 * BATCHES * BATCH_SIZE))
    for number in range(BATCHES):
        for at in range(BATCH_SIZE):
            story = replace(
                next(later), id=StoryId(f"new{number}-{at}"), told_at=NOW + timedelta(seconds=number, milliseconds=at)
            )
            began = time.perf_counter()
            async with begin() as work:
                work.stories.add(story)
            told.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        async with begin() as work:
            assert await work.stories.index_stories(BATCH_SIZE) == BATCH_SIZE
        indexed.append((time.perf_counter() - began) * 1000 / BATCH_SIZE)
    for number in range(BATCHES * BATCH_SIZE // 4):
        async with begin() as work:
            old = await work.stories.get(StoryId(f"s{number * many // (BATCHES * BATCH_SIZE)}"), OURS)
            assert old is not None
            began = time.perf_counter()
            old.withdraw(NOW)
            await work.flush()
            taken_back.append((time.perf_counter() - began) * 1000)
    tell, index, back = median(told), median(indexed), median(taken_back)
    both = Line(
        what="  telling one, and putting it into the index later",
        measured=f"{tell:.2f} + {index:.2f} ms",
        beside=f"{tell:.2f} ms: only telling it",
        ratio=(tell + index) / tell,
    )
    return [both, Line(what="  taking one back, out of the index at once", measured=f"{back:.2f} ms")]


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
    with tempfile.TemporaryDirectory(prefix="ritme-search-") as folder:
        began, lines = time.perf_counter(), []
        async with open_filled(kinds, Path(folder), many) as databases:
            print_progress(f"  {many:,} stories written in {time.perf_counter() - began:.0f} s")
            for kind, one in databases.items():
                lines += await measure_all(kind, one.begin, one.bare, many, times)
        return lines


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--stories", type=int, default=MANY)
    asked.add_argument("--times", type=int, default=TIMES)
    asked.add_argument("kinds", nargs="*", choices=["postgresql", "sqlite", []])
    given = asked.parse_args()
    show(asyncio.run(run(given.kinds or ("postgresql", "sqlite"), given.stories, given.times)))


if __name__ == "__main__":
    main()

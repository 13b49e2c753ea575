"""The database is asked as much however much there is: nothing is asked once a message of a batch, and all that a
person waits for asks as much of a large movement as of a small one, and holds up nobody else for long.

What it takes with a million stories, `make bench ARGS=everything` measures.
"""

from pathlib import Path

import pytest

from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.scale.everything import THINGS, Stage, Taken, past_of
from tests.scale.past import Past, write_past
from tests.scale.plans import QueryRecorder
from tests.support.databases import BOTH, open_database
from tests.support.loops import count_calls
from tests.support.world import LANE, World

MANY = 40
SMALL, LARGE = (
    past_of(stories, people, things=things, partakers=5 * things)
    for stories, people, things in ((1_000, 110, 22), (4_000, 880, 44))
)
"""A movement, and one with eight times the people and four times the stories. Lists are as long in both: they are cut
off below what the small one has of each. In an initiative there are as many people."""
MORE_STATEMENTS = 4
"""By how many more statements it may be: whether a group is out of reach is rounded by chance."""
MORE_ROWS = 300
"""By how many rows the larger one may load more: its places and initiatives are there to choose from."""
MOST_CALLS = 25_000
"""Python functions that one step of the event loop may call: they take ten milliseconds, about."""
CALLS_LITTLE = {"meeting.card.print"}
"""It makes a code of squares: many calls, of next to nothing each."""
READS_ON = ("search", "search.filled", "/ritme search nachtdienst overdracht", "page search")
"""Searches, which read on where little is found, until a second is over (`make bench ARGS=search`)."""
READS_NETWORK = ("connect", "connect.look", "connect.other")
"""These read the network of a movement, which is kept after the first time (`make bench ARGS=connectors`)."""

TURNS = {
    "/stuck De nachtdienst hoort het als laatste": 9,
    "/story Vandaag liepen we met z’n vieren, en het regende": 7,
    "thread.replied": 9,
    "thread.replied elsewhere": 1,
    "conversation.thanks": 2,
    "meaning": 9,
    "ripple": 12,
    "step": 4,
    "step.save": 6,
    "stuck.go_on": 10,
    "story.save": 17,
}
"""How many statements each of these takes at most, BEGIN and COMMIT aside. Two lock what it is about, claim it and load
who acts. On PostgreSQL several make one trip: `test_trips.py` counts those."""


async def test_no_statement_is_asked_once_a_message(world: World) -> None:
    await world.movement("fatima")
    due = world.clock.now()
    async with world.begin() as work:
        for number in range(MANY):
            place = Place(
                id=PlaceId(f"p{number}"), workspace_id=WorkspaceId(LANE), channel=f"C{number}", name=f"c{number}",
                created_at=due,
            )  # fmt: skip
            place.movement_id = MovementId("movement")
            work.movements.add(place)
            work.rhythms.add(
                Rhythm(
                    id=RhythmId(f"r{number}"),
                    movement_id=MovementId("movement"),
                    place_id=place.id,
                    kind=RhythmKind.STORIES,
                    rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO",
                    starts_on=due.date(),
                    at=due.time(),
                    timezone="UTC",
                    next_at=due,
                    created_by=PersonId("iris"),
                    created_at=due,
                )
            )
    with QueryRecorder() as recorded:
        assert await world.ritme.plan() >= MANY
    planned = {one.statement: one.times for one in recorded.asked.values()}
    with QueryRecorder() as recorded:
        assert await world.ritme.drain(WorkspaceId(LANE)) >= MANY
    drained = {one.statement: one.times for one in recorded.asked.values()}
    assert {what: times for what, times in {**planned, **drained}.items() if times >= MANY} == {}


@pytest.mark.parametrize("kind", BOTH)
async def test_turns_that_come_most_ask_no_more_than_they_need(kind: str, tmp_path: Path) -> None:
    async with open_database(kind, tmp_path) as storage:
        stage = Stage(storage)
        await stage.fill()
        for who in ("fatima", "jan", "kwame"):  # their platform told of them before
            await stage.do(stage.world, stage.world.intent(who, "help", {}))
        took: dict[str, int] = {}
        for one in THINGS:
            if one.what in TURNS:
                do = await one.prepare(stage, stage.undone)
                await do()
                began = 1 if kind == "sqlite" else 0  # BEGIN IMMEDIATE is a statement to SQLAlchemy
                took[one.what] = (await stage.take(do)).statements - began
    assert set(took) == set(TURNS)
    assert {what: many for what, many in took.items() if many > TURNS[what]} == {}


async def test_all_that_a_person_waits_for_asks_as_much_of_a_large_movement(tmp_path: Path) -> None:
    small, _ = await count_all(tmp_path, SMALL)
    large, calls = await count_all(tmp_path, LARGE)
    assert {name: many for name, many in calls.items() if many > MOST_CALLS and name not in CALLS_LITTLE} == {}
    told = {name: (small[name], large[name]) for name in small if name not in (*READS_ON, *READS_NETWORK)}
    asked = {name: (one.statements, other.statements) for name, (one, other) in told.items()}
    assert {name: both for name, both in asked.items() if both[1] > both[0] + MORE_STATEMENTS} == {}
    loaded = {name: (one.rows, other.rows) for name, (one, other) in told.items()}
    assert {name: both for name, both in loaded.items() if both[1] > both[0] + MORE_ROWS} == {}


async def count_all(folder: Path, past: Past) -> tuple[dict[str, Taken], dict[str, int]]:
    """Do everything twice in a movement with a past, and undo it; return what it took, and the calls of the busiest
    step of the event loop."""
    taken, calls = {}, {}
    async with open_database("sqlite", folder) as storage:
        stage = Stage(storage)
        await stage.fill()
        async with storage.database.begin() as connection:
            await connection.run_sync(write_past, past)
        await stage.count_anew()
        for one in THINGS:
            act = await one.prepare(stage, stage.undone)
            taken[one.what], calls[one.what] = await stage.take(act), await count_calls(act)
    return taken, calls

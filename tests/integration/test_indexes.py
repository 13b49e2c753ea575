"""Query plans: every statement of an ordinary day uses an index on tables that grow, on both databases.

What it costs with a million stories, `make bench` measures.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from bot.domain.delivery import Priority, to_person, to_place
from bot.domain.initiative import EpisodeId, InitiativeId
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.story import StoryId
from bot.domain.story_search import StoryFilters, StoryMatch, StoryReader
from tests.scale.everyday import ACTIVITIES, Activity, Everyday
from tests.scale.past import Past, write_past
from tests.scale.plans import QueryPlan, QueryRecorder, QueryStats, open_planner
from tests.support.world import World

PAST = Past(platform="test", stories=2_400, weeks=4, lanes=3, movements=6, people=20)
GROWING = (
    "chances",
    "companies",
    "deliveries",
    "inbox",
    "invitations",
    "magazine_stories",
    "magazines",
    "next_steps",
    "nominations",
    "parts_said",
    "questions_asked",
    "retellings",
    "ripples",
    "significances",
    "stories",
    "story_postings",
    "story_requests",
    "suggestions",
    "stuck_episodes",
    "ties",
)
"""Tables that grow every day."""
NEEDED_INDEXES = {
    "chances": "ix_chances_person_id",
    "companies": "ix_companies_person_id",
    "deliveries": "ix_deliveries_person_id",
    "inbox": "ix_inbox_at",
    "invitations": "ix_invitations_inviter_id",
    "magazines": "ix_magazines_movement_id",
    "next_steps": "ix_next_steps_person_id",
    "nominations": "ix_nominations_nominee_id",
    "parts_said": "ix_parts_said_place_id",
    "ripples": "ix_ripples_person_id",
    "stories": "ix_stories_teller_id",
    "story_requests": "ix_story_requests_open",
    "stuck_episodes": "ix_stuck_episodes_person_id",
    "ties": "ix_ties_other_id",
}
"""An index of each growing table that some statement cannot do without."""
PARTIAL_INDEXES = (
    "ix_deliveries_not_sent",
    "ix_deliveries_nudges",
    "ix_deliveries_person_id",
    "ix_deliveries_receipt",
    "ix_deliveries_taken_away",
    "ix_stories_harvested",
    "ix_stories_thread",
    "ix_stories_unindexed",
    "ix_story_requests_open",
    "ix_stuck_episodes_now",
    "ix_stuck_episodes_solved",
)
"""Partial indexes, which a database uses only for a query with the same condition."""


@pytest.fixture
async def day(world: World) -> Everyday:
    """Fill a world with some years of rows; return the actions of a Monday morning in it."""
    async with world.database.begin() as connection:
        await connection.run_sync(write_past, PAST)
        if world.storage.kind == "postgresql":  # whose autovacuum sees to it; SQLite is never told
            await connection.execute(text("ANALYZE"))
    return Everyday(PAST, world.storage.transact, world.messenger)


async def record_statements(day: Everyday) -> Collection[QueryStats]:
    """Run every action twice, where it can be; return the statements it sent to the database."""
    with QueryRecorder() as listening:
        for time in range(2):
            for activity in ACTIVITIES:
                if time < activity.times:
                    await run_action(day, activity, time)
    return listening.asked.values()


async def run_action(day: Everyday, activity: Activity, time: int) -> None:
    if activity.prepare is not None:
        await activity.prepare(day, 0, time)
    day.telemetry.sent.clear()
    await activity.act(day, 0, time)
    assert not activity.sends or activity.sends in day.telemetry.sent
    await day.run_until_idle()


def explain(world: World, asked: Collection[QueryStats]) -> list[QueryPlan]:
    with open_planner(world.storage.url, force_indexes=True) as planner:
        return [planner.plan(one, GROWING) for one in asked]


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)  # PostgreSQL weighs how much there is, and here is little
async def test_whom_somebody_knows_is_not_looked_for_in_all_of_a_movement(world: World, day: Everyday) -> None:
    with QueryRecorder() as listening:
        async with day.begin() as work:
            await work.connecting.acquaintances([PersonId("p")], MovementId("m"), PersonId("q"))
    plans = [plan.text for plan in explain(world, listening.asked.values())]
    assert len(plans) == 2
    for plan in plans:
        assert re.search(r"ties USING .*\((movement_id=\? AND one_id=\?|other_id=\? AND movement_id=\?)\)", plan)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_what_is_of_one_thing_is_not_looked_for_in_all_of_a_movement(world: World, day: Everyday) -> None:
    with QueryRecorder() as listening:
        async with day.begin() as work:
            await work.stuck.company_of(EpisodeId("e"), MovementId("m"))
            await work.connecting.introduction(StoryId("s"), PersonId("p"), MovementId("m"))
            reader = StoryReader(person=PersonId("p"), workspace=WorkspaceId("w"), place=None)
            await work.stories.search(MovementId("m"), reader, StoryFilters(), None).find(StoryMatch(every=()), 4)
            await work.steps.chances_in(MovementId("m"), PersonId("p"), 9)
            await work.initiatives.participants(InitiativeId("i"), MovementId("m"))
            await work.people.in_group(MovementId("m"), "Nacht")
    plans = "\n".join(plan.text for plan in explain(world, listening.asked.values()))
    for index in (
        "uq_companies_person (episode_id=?)",
        "ix_invitations_inviter_id (inviter_id=?)",
        "ix_stories_unindexed (movement_id>?",
        "ix_chances_shared (movement_id>?",
        "sqlite_autoindex_participants_1 (initiative_id=?)",
        "ix_people_group (group=?)",
    ):
        assert f"USING INDEX {index}" in plans


class Preparations:
    """Counts how often each statement is executed on SQLite, and how often it is prepared for that: only then its
    authorizer is asked."""

    def __init__(self) -> None:
        self.executed, self.prepared = Counter[str](), Counter[str]()
        self._asked = 0
        self._connections: dict[int, sqlite3.Connection] = {}

    def __enter__(self) -> "Preparations":
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._before)
        event.remove(Engine, "after_cursor_execute", self._after)

    def _authorize(self, *_: object) -> int:
        self._asked += 1
        return sqlite3.SQLITE_OK

    def _before(self, _connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        driver = getattr(cursor, "connection", None)
        if isinstance(driver, sqlite3.Connection) and id(driver) not in self._connections:
            self._connections[id(driver)] = driver
            driver.set_authorizer(self._authorize)
        self._asked = 0

    def _after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.executed[statement] += 1
        self.prepared[statement] += self._asked > 0


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_what_is_asked_often_is_prepared_once(world: World, day: Everyday) -> None:
    with Preparations() as counted:
        await record_statements(day)
        async with day.begin() as work:
            for _ in range(3):
                await work.stories.solved_by_others(MovementId("m"), PersonId("p"))
    often = [one for one, times in counted.executed.items() if times > 2 and not one.startswith("BEGIN")]
    each_time = [one for one in often if counted.prepared[one] == counted.executed[one]]
    assert [one for one in each_time if not one.startswith("WITH active")] == []  # counted once a week
    assert len(often) > len(each_time) + 10


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_a_breakthrough_is_looked_for_by_its_initiative_and_when_it_ended(world: World, day: Everyday) -> None:
    with QueryRecorder() as listening:
        async with day.begin() as work:
            await work.stories.solved_by_others(MovementId("m"), PersonId("p"))
    (plan,) = [plan.text for plan in explain(world, listening.asked.values())]
    found_by = re.findall(r"stuck_episodes USING INDEX \w+ \((.*)\)", plan)
    assert found_by == ["initiative_id=? AND movement_id=? AND closed_at>?"] * 2


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
async def test_a_breakthrough_is_not_looked_for_among_all_of_a_movement(world: World, day: Everyday) -> None:
    with QueryRecorder() as listening:
        async with day.begin() as work:
            await work.stories.solved_by_others(MovementId("m"), PersonId("p"))
    with open_planner(world.storage.url) as planner:
        (plan,) = [planner.plan(one, ()).text for one in listening.asked.values()]
    joined = [cond for cond in re.findall(r"(?:Hash|Merge) Cond: (.*)", plan) if "initiative_id" in cond]
    assert joined == []


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_whether_a_story_was_given_back_is_looked_for_by_the_story(world: World, day: Everyday) -> None:
    with QueryRecorder() as listening:
        async with day.begin() as work:
            await work.stories.to_harvest(MovementId("m"), PlaceId("p"), world.clock.now(), 9)
    plans = "\n".join(plan.text for plan in explain(world, listening.asked.values()))
    assert re.search(r"retellings USING INDEX \w+ \(story_id=\?\)\W+SEARCH deliveries USING INDEX \w+ \(id=\?\)", plans)
    assert "deliveries USING INDEX ix_deliveries_nudges (place_id=? AND sent_at>?)" in plans


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_what_stands_ahead_of_an_answer_is_not_looked_for_in_all_that_was_sent(
    world: World, day: Everyday
) -> None:
    now = world.clock.now()
    to = Person(id=PersonId("p"), workspace_id=WorkspaceId("w"), account="p", name="p", created_at=now)
    with QueryRecorder() as listening:
        async with day.begin() as work:
            for place in (None, PlaceId("q")):
                await work.deliveries.stands_behind(
                    to_person(to, "answer", key="a", now=now, movement=None, place=place), now
                )
    plans = [plan.text for plan in explain(world, listening.asked.values())]
    used = ("ix_deliveries_person_id (person_id=? AND sent_at=?)", "ix_deliveries_due", "ix_deliveries_waiting")
    assert len(plans) == len(used)
    for plan, index in zip(plans, used, strict=True):
        assert index in plan


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
async def test_a_storm_is_not_looked_through_for_each_place_while_statistics_are_of_before_it(world: World) -> None:
    async with world.database.begin() as connection:
        await connection.execute(text("ANALYZE"))  # as yet there is nothing
        await connection.run_sync(write_past, PAST)
    now = world.clock.now()
    place = Place(id=PlaceId("p"), workspace_id=WorkspaceId("w"), channel="C", name="c", created_at=now)
    person = Person(id=PersonId("p"), workspace_id=WorkspaceId("w"), account="p", name="p", created_at=now)
    nudges = (
        to_place(place, "rhythm_stories", key="a", now=now, priority=Priority.RHYTHM),
        to_person(person, "step_due", key="b", now=now, movement=None, priority=Priority.RHYTHM),
    )
    with QueryRecorder() as listening:
        async with world.begin() as work:
            await work.deliveries.attention(nudges, now)
            await work.deliveries.cancel("rhythm_stories", "r", "ended")
            await work.deliveries.cancel_each("rhythm_stories", ["r"], "ended")
            await work.deliveries.held_while_quiet(person.id)
    plans = [plan.text for plan in explain(world, listening.asked.values())]
    used = [{*re.findall(r"ix_deliveries_\w+", plan)} for plan in plans]
    by_person, by_place, by_subject = "ix_deliveries_person_id", "ix_deliveries_nudges", "ix_deliveries_subject"
    assert used == [{by_person}, {by_person}, {by_place}, {by_place}, {by_subject}, {by_subject}, {by_person}]


async def test_every_statement_uses_an_index_and_dropping_it_shows(world: World, day: Everyday) -> None:
    asked = await record_statements(day)
    assert all(any(re.search(rf"(FROM|JOIN) {table}", one.statement) for one in asked) for table in GROWING)
    plans = explain(world, asked)
    assert [f"{plan.whole}: {plan.statement}\n{plan.text}" for plan in plans if plan.whole] == []
    if world.storage.kind == "sqlite":  # PostgreSQL weighs how much there is, and here that is little
        assert [index for index in PARTIAL_INDEXES if not any(index in plan.text for plan in plans)] == []
    async with world.database.begin() as connection:
        for index in NEEDED_INDEXES.values():
            await connection.execute(text(f"DROP INDEX {index}"))
    assert {table for plan in explain(world, asked) for table in plan.whole} >= set(NEEDED_INDEXES)

"""Whatever people do all day, an index leads to what it is about, on both databases: nothing is looked for by going
through all there is.

What it costs with a million stories, `make bench` measures.
"""

from collections.abc import Collection

import pytest
from sqlalchemy import text

from tests.scale.everyday import EVERYDAY, Doing, Everyday
from tests.scale.past import Past, write
from tests.scale.plans import Asked, Listening, Plan, planning_on
from tests.support.world import World

PAST = Past(platform="test", stories=2_400, weeks=4, lanes=3, movements=6, people=20)
GROWING = (
    "chances",
    "companies",
    "deliveries",
    "inbox",
    "invitations",
    "next_steps",
    "nominations",
    "parts_said",
    "questions_asked",
    "retellings",
    "ripples",
    "stories",
    "story_requests",
    "stuck_episodes",
    "ties",
)
"""Tables that have more in them every day."""
ONE_OF_EACH = {
    "chances": "ix_chances_person_id",
    "companies": "ix_companies_person_id",
    "deliveries": "ix_deliveries_person_id",
    "inbox": "ix_inbox_at",
    "invitations": "ix_invitations_inviter_id",
    "next_steps": "ix_next_steps_person_id",
    "nominations": "ix_nominations_nominee_id",
    "parts_said": "ix_parts_said_place_id",
    "ripples": "ix_ripples_person_id",
    "stories": "ix_stories_teller_id",
    "story_requests": "ix_story_requests_open",
    "stuck_episodes": "ix_stuck_episodes_person_id",
    "ties": "ix_ties_other_id",
}
"""An index of each that something every day cannot do without; the others are found by their keys, or by more."""
OF_FEW = (
    "ix_deliveries_not_sent",
    "ix_deliveries_nudges",
    "ix_deliveries_person_id",
    "ix_deliveries_receipt",
    "ix_deliveries_taken_away",
    "ix_stories_harvested",
    "ix_stories_thread",
    "ix_story_requests_open",
    "ix_stuck_episodes_now",
)
"""Indexes of some rows only, which a database leaves aside unless it is asked in the very same words."""


@pytest.fixture
async def day(here: World) -> Everyday:
    """A Monday morning after some years."""
    async with here.database.begin() as connection:
        await connection.run_sync(write, PAST)
        if here.kept.kind == "postgresql":  # whose autovacuum sees to it; SQLite is never told
            await connection.execute(text("ANALYZE"))
    return Everyday(PAST, here.begin, here.messenger)


async def asked_all_day(day: Everyday) -> Collection[Asked]:
    """Every statement that is asked while all of it is done, by two people, as far as it can be."""
    with Listening() as listening:
        for time in range(2):
            for doing in EVERYDAY:
                if time < doing.times:
                    await done(day, doing, time)
    return listening.asked.values()


async def done(day: Everyday, doing: Doing, time: int) -> None:
    if doing.before is not None:
        await doing.before(day, 0, time)
    day.notes.sent.clear()
    await doing.act(day, 0, time)
    assert not doing.sends or doing.sends in day.notes.sent
    await day.run_until_idle()


def planned(here: World, asked: Collection[Asked]) -> list[Plan]:
    with planning_on(here.kept.url, however_small=True) as planner:
        return [planner.plan(one, GROWING) for one in asked]


async def test_an_index_leads_to_all_that_is_asked_and_without_it_that_shows(here: World, day: Everyday) -> None:
    asked = await asked_all_day(day)
    assert all(any(f"FROM {table}" in one.statement for one in asked) for table in GROWING)
    plans = planned(here, asked)
    assert [f"{plan.whole}: {plan.statement}\n{plan.text}" for plan in plans if plan.whole] == []
    if here.kept.kind == "sqlite":  # PostgreSQL weighs how much there is, and here that is little
        assert [index for index in OF_FEW if not any(index in plan.text for plan in plans)] == []
    async with here.database.begin() as connection:
        for index in ONE_OF_EACH.values():
            await connection.execute(text(f"DROP INDEX {index}"))
    assert {table for plan in planned(here, asked) for table in plan.whole} >= set(ONE_OF_EACH)

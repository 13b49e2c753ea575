"""A person's file has everything about them, whatever column is added, and nothing of others that they did not see."""

import json
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    String,
    Table,
    Time,
    insert,
)
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.database.repositories.personal_files import ACCOUNT_COLUMNS, LEFT_OUT, POINTERS, SqlPersonalFiles
from adapters.database.tables import metadata, people, workspaces
from adapters.database.types import EnumValue, Utc
from bot.domain.connectors import Invitation, InvitationId, KeyFigure, Nomination, NominationId
from bot.domain.delivery import DeliveryState
from bot.domain.person import PersonId
from bot.domain.personal_file import TAKEAWAY, PersonalFile
from bot.domain.story import Readers, StoryRequest, StoryRequestId
from tests.contract.seed import (
    DAY,
    FATIMA,
    HERE,
    JAN,
    NOW,
    OURS,
    THEIRS,
    TOLD,
    W1,
    W2,
    Seeded,
    add_one_of_everything,
    delivery,
    episode,
    person,
)
from tests.support.exports import everything_about

ME, LOT, RIK = PersonId("pid-of-me"), PersonId("pid-of-lot"), PersonId("pid-of-rik")
NOT_ABOUT_PEOPLE = {
    "workspaces": "organisations",
    "inbox": "hashes of requests, of whom nothing can be read",
    "networks": "how often the network of a movement changed",
    "movements": "shared; who belongs to one is in members",
    "places": "channels",
    "holdouts": "since when the lot leaves places out of reminders",
    "holdout_turns": "which places the lot leaves out, and counts of what followed there",
    "segments": "groups, without their members",
    "group_hours": "hours of groups, without their members",
    "history_rounds": "when an initiative looked back together; the answers are in history_answers",
    "meetings": "moments and questions; who was asked is in meeting_guests",
    "parts_said": "what a place was reminded of",
    "door_stories": "told by people without an account, of whom nothing is kept",
    "story_postings": "in which stories a word stands; the stories are their tellers', and leave nothing here",
    "retellings": "where a story stands; the story is its teller's",
    "moment_changes": "moments of a rhythm",
    "engine_failures": "jobs of the engine",
    "slack_states": "hashes of installs that came back from Slack",
    "teams_removals": "conversations that Ritme is out of, for 30 days; of a chat only its id",
}
"""Tables that are not handed over, and what they hold instead. A new table that is about people must not come here."""


def test_every_table_is_handed_over_or_known_not_to_be_about_people() -> None:
    handed_over = set(SqlPersonalFiles(AsyncSession()).tables())
    assert handed_over.isdisjoint(NOT_ABOUT_PEOPLE)
    assert handed_over | set(NOT_ABOUT_PEOPLE) | POINTERS == set(metadata.tables)


def any_value(column: Column[Any]) -> Any:
    """Return a value that is not empty, of the type of a column."""
    kind = column.type
    if isinstance(kind, EnumValue):
        return next(iter(kind.kind))
    known = {Utc: NOW, Boolean: True, Integer: 977, JSON: ["words"], Date: date(2027, 3, 1), Time: time(9)}
    if isinstance(kind, LargeBinary):
        return b"bytes"
    if isinstance(kind, String):
        return f"{column.name} words"[: kind.length or 40]
    return next(value for type_, value in known.items() if isinstance(kind, type_))


def whole_row(table: Table) -> dict[str, Any]:
    """Make a row about ME with a value in every column."""
    row = {column.name: any_value(column) for column in table.c}
    for column in table.c:
        if any(key.column.table is people for key in column.foreign_keys):
            row[column.name] = ME
    if table in ACCOUNT_COLUMNS:
        row |= {"workspace_id": "slack:T9", "team_id": "T9", "account": "u-me", "installed_by": "u-me"}
    return {name: value for name, value in row.items() if name in table.c}


async def test_every_column_about_someone_is_handed_over(seeded: Seeded) -> None:
    async with seeded.storage.database.connect() as connection:
        # Never committed: foreign keys are checked on commit, and these lead nowhere.
        session = AsyncSession(connection)
        files = SqlPersonalFiles(session)
        await session.execute(insert(workspaces).values({**whole_row(workspaces), "id": "slack:T9"}))
        me = {**whole_row(people), "id": ME, "workspace_id": "slack:T9", "account": "u-me"}
        await session.execute(insert(people).values(me))
        for name in files.tables():
            table = metadata.tables[name]
            if table is not people:
                await session.execute(insert(table).values(whole_row(table)))
            keys = await files.keys_about(ME, name, 0, 1000)
            (row,) = await files.rows_about(ME, name, keys)
            missing = {column.name for column in table.c if not isinstance(column.type, LargeBinary)} - set(row)
            assert missing <= set(LEFT_OUT), name
            json.dumps(row)
        await session.rollback()
        await connection.rollback()


async def test_others_stay_unnamed_unless_the_person_saw_their_name(seeded: Seeded) -> None:
    nominated = {"movement_id": OURS, "figure": KeyFigure.MAVEN, "at": NOW}
    await seeded.add(
        person(ME, W1, name="Fien"),
        person(LOT, W1, name="Lot"),
        person(RIK, W1, name="Rik"),
        Nomination(id=NominationId("of me"), nominator_id=RIK, nominee_id=ME, topic="wonden", **nominated),
        Nomination(id=NominationId("by me"), nominator_id=ME, nominee_id=LOT, **nominated),
        Invitation(
            id=InvitationId("i"),
            movement_id=OURS,
            initiative_id=None,
            inviter_id=ME,
            invitee_id=LOT,
            text="Loop mee",
            sent_at=NOW,
        ),
        StoryRequest(
            id=StoryRequestId("r"),
            movement_id=OURS,
            place_id=HERE,
            message="m9",
            author_id=LOT,
            asked_by_id=ME,
            text="De woorden van Lot",
            asked_at=NOW,
        ),
        episode("spell of me", person_id=ME, helpers=[LOT]),
        delivery("to me", person_id=ME, subject=RIK, args={"by": RIK, "also": [RIK], "line": "Kijk", RIK: "x"}),
    )
    async with seeded.begin() as work:
        await work.connecting.strengthen(OURS, ME, RIK, NOW)
    tables = await everything_about(seeded.begin, ME)
    told = json.dumps(tables, ensure_ascii=False)
    assert RIK not in told
    assert LOT not in told
    assert "Rik" not in told
    assert "De woorden van Lot" not in told
    of_me, by_me = sorted(tables["nominations"], key=lambda row: "nominee" in row)
    assert (of_me["topic"], of_me["figure"]) == ("wonden", "maven")
    assert by_me["nominee"] == "Lot"
    assert tables["invitations"][0]["invitee"] == "Lot"
    assert tables["story_requests"][0]["author"] == "Lot"
    assert tables["stuck_episodes"][0]["helpers"] == ["Lot"]
    assert tables["stuck_episodes"][0]["place"] == "here"
    assert tables["deliveries"][0]["args"] == {"also": [], "line": "Kijk"}


@pytest.mark.parametrize(("beyond", "named"), [(False, []), (True, ["Lot"])])
async def test_names_stay_in_their_workspace(seeded: Seeded, beyond: bool, named: list[str]) -> None:
    await seeded.add(person(LOT, W2, name="Lot", named_beyond=beyond), episode("spell", helpers=[LOT]))
    (row,) = (await everything_about(seeded.begin, FATIMA))["stuck_episodes"]
    assert row.get("helpers", []) == named


async def test_rows_are_read_by_key_but_never_those_of_another(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    async with seeded.begin() as work:
        for table in work.files.tables():
            theirs = await work.files.keys_about(FATIMA, table, 0, 1000)
            mine = await work.files.keys_about(JAN, table, 0, 1000)
            got = await work.files.rows_about(JAN, table, theirs)
            assert len(got) == len(set(theirs) & set(mine)), table


async def test_counts_match_what_is_handed_over(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    for one in (FATIMA, JAN):
        everything = await everything_about(seeded.begin, one)
        async with seeded.begin() as work:
            counted = await work.people.count_rows(one, everything)
            assert counted == {table: len(rows) for table, rows in everything.items()}
            assert await work.people.count_rows(one, ("people", "rhythms")) == {"people": 1}


async def test_newest_rows_come_first(seeded: Seeded) -> None:
    await seeded.add(*(episode(f"e{day}", opened_at=NOW + day * DAY) for day in (2, 1, 3)))
    rows = (await everything_about(seeded.begin, FATIMA))["stuck_episodes"]
    assert [row["id"] for row in rows] == ["e3", "e2", "e1"]
    async with seeded.begin() as work:
        pages = [await work.files.keys_about(FATIMA, "stuck_episodes", start, 2) for start in (0, 2, 4)]
    assert pages == [[("e3",), ("e2",)], [("e1",)], []]


async def test_expired_files_are_deleted_and_the_latest_is_found(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        fatima = await work.people.in_workspace(FATIMA, W1)
        assert fatima is not None
        first, second = PersonalFile.ask(fatima, NOW), PersonalFile.ask(fatima, NOW + timedelta(minutes=1))
        for one in (first, second):
            work.files.add(one)
        await work.flush()
        await work.files.set_content(first.id, b"old")
        await work.files.set_content(second.id, b"new")
    async with seeded.begin() as work:
        latest = await work.files.latest_of(FATIMA)
        assert latest is not None
        assert latest.id == second.id
        assert await work.files.latest_of(JAN) is None
        assert await work.files.content(first.id) == b"old"
        assert await work.files.sweep(first.expires_at) == 1
    async with seeded.begin() as work:
        assert await work.files.get(first.id) is None
        assert await work.files.content(first.id) is None
        assert await work.files.content(second.id) == b"new"


async def test_a_takeaway_is_not_kept_when_something_in_it_changed_since_it_was_begun(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    async with seeded.begin() as work:
        jan = await work.people.in_workspace(JAN, W1)
        assert jan is not None
        file, other = (PersonalFile.ask(jan, NOW, TAKEAWAY, its) for its in (OURS, THEIRS))
        work.files.add(file)
        work.files.add(other)
    async with seeded.begin() as work:
        story = await work.stories.get(TOLD, OURS)
        assert story is not None
        story.readers = Readers.THREAD
    async with seeded.begin() as work:
        assert not await work.files.keep(file, b"begun before", NOW)
        assert await work.files.content(file.id) is None
        assert await work.files.keep(other, b"of another movement", NOW)
        begun = await work.files.get(file.id)
        assert begun is not None
        assert await work.files.keep(begun, b"begun since", NOW)
    async with seeded.begin() as work:
        kept = await work.files.get(file.id)
        assert kept is not None
        assert (kept.made_at, await work.files.content(file.id)) == (NOW, b"begun since")


async def test_forgetting_someone_deletes_their_files(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        fatima = await work.people.in_workspace(FATIMA, W1)
        assert fatima is not None
        file = PersonalFile.ask(fatima, NOW)
        work.files.add(file)
        await work.deliveries.add(
            delivery("file", person_id=FATIMA, place_id=None, kind="personal_file", subject=file.id)
        )
    async with seeded.begin() as work:
        await work.people.forget(FATIMA)
    async with seeded.begin() as work:
        assert await work.files.get(file.id) is None
        sent = await work.deliveries.by_key("file")
        assert sent is not None
        assert sent.state is DeliveryState.DROPPED

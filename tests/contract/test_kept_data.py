"""The list that works councils read tells all that is kept about people, and goes when it says."""

from datetime import timedelta

from sqlalchemy import func, select, update

from adapters.database.repositories.erasure import person_columns
from adapters.database.repositories.personal_files import ACCOUNT_COLUMNS
from adapters.database.tables import episodes, experiments, history_rounds, magazine_stories, metadata
from adapters.settings import Settings
from adapters.trust import compose_pack, list_registry_blocks
from bot import wording
from bot.domain.kept_data import KEPT_ABOUT_PEOPLE, KeptUntil, ReadIn
from bot.domain.magazine import PrintAnswer
from bot.domain.person import Language
from tests.contract.seed import NOW, Seeded, add_one_of_everything
from tests.contract.test_personal_files import NOT_ABOUT_PEOPLE


def personal_tables() -> set[str]:
    return {table.name for table in metadata.sorted_tables if person_columns(table) or table in ACCOUNT_COLUMNS}


def test_every_table_with_personal_columns_is_in_the_pack() -> None:
    assert set(KEPT_ABOUT_PEOPLE) == personal_tables()
    assert set(KEPT_ABOUT_PEOPLE).isdisjoint(NOT_ABOUT_PEOPLE)
    for language in Language:
        blocks = wording.block_names("trust/pack.md.j2", language)
        named = {one for one in blocks if one.startswith(("kept_what_", "kept_readers_", "kept_until_"))}
        assert named == list_registry_blocks()


def test_every_row_is_written_out() -> None:
    pack = compose_pack(Settings(), Language.NL, NOW)
    (kept,) = [one for one in pack.sections if one.name == "kept"]
    assert kept.table is not None
    assert len(kept.table.rows) == len(KEPT_ABOUT_PEOPLE)
    assert all(all(row) for row in kept.table.rows)


def test_what_all_members_can_read_is_said_so() -> None:
    readers = {name: kept.readers for name, kept in KEPT_ABOUT_PEOPLE.items()}
    every = {"initiatives", "purposes", "rhythms", "magazines", "webhooks"}
    assert {readers[one] for one in every} == {ReadIn.MOVEMENT}


async def test_what_is_said_to_go_after_it_ended_goes_and_nothing_else(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)

    async def count() -> dict[str, int]:
        async with seeded.storage.database.connect() as connection:
            return {
                table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
                for table in metadata.sorted_tables
            }

    async with seeded.storage.database.begin() as connection:
        for table, column in ((episodes, "closed_at"), (experiments, "ends_at"), (history_rounds, "told_at")):
            await connection.execute(update(table).values({column: NOW}))
        steps = metadata.tables["next_steps"]
        await connection.execute(update(steps).values(closed_at=NOW))
        await connection.execute(update(magazine_stories).values(answer=PrintAnswer.DECLINED))
    before = await count()
    async with seeded.begin() as work:
        while await work.people.delete_past_matters(NOW + timedelta(days=4000), 99):
            pass
    after = await count()
    gone = {name for name in personal_tables() if after[name] < before[name]}
    ends = (KeptUntil.CLOSED, KeptUntil.UNLESS_YES)
    said = {name for name, kept in KEPT_ABOUT_PEOPLE.items() if kept.until in ends and before[name]}
    assert gone == said
    assert all(after[name] == 0 for name in said)

"""A statement that was prepared gives what SQLAlchemy gives, and what it loads is noticed when it changes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, event, insert, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from adapters.database.prepared import prepare_statement
from adapters.database.tables import inbox, members, people, workspaces
from bot.domain.movement import Member, MovementId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from tests.support.world import LANE, MONDAY, World

FATIMA = PersonId("fatima")
_WITH_MEMBER = (
    select(Person, members.c.role, Member)
    .select_from(workspaces)
    .outerjoin(people, (people.c.workspace_id == workspaces.c.id) & (people.c.account == bindparam("account")))
    .outerjoin(members, members.c.person_id == people.c.id)
    .where(workspaces.c.id == LANE)
)


async def test_what_is_loaded_is_one_object_whose_changes_are_written(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        fatima = await work.people.get(FATIMA, MovementId("movement"))
        assert fatima is not None
        fatima.name = "Fatima V."
        fatima.language = Language.EN
        fatima.quiet_until = MONDAY.time()
        again = await work.people.in_workspace(FATIMA, fatima.workspace_id)
        assert again is fatima
    async with world.begin() as work:
        fatima = await work.people.get(FATIMA, MovementId("movement"))
        assert fatima is not None
        assert (fatima.name, fatima.language, fatima.quiet_until) == ("Fatima V.", Language.EN, MONDAY.time())
        assert fatima.created_at.utcoffset() == timedelta(0)


async def test_an_outer_join_that_finds_nothing_gives_nothing(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        session: Any = work.people._session  # type: ignore[attr-defined]
        (found,) = (await session.execute(_WITH_MEMBER, {"account": "fatima"})).all()
        assert (found[0].id, found[2].person_id, found[1]) == (FATIMA, FATIMA, found[2].role)
        assert (await session.execute(_WITH_MEMBER, {"account": "nobody"})).all() == [(None, None, None)]


@pytest.mark.parametrize("wanted", [[], ["fatima"], ["fatima", "jan"], ["jan", "nobody", "fatima"]])
async def test_lists_of_any_length_are_asked_for(world: World, wanted: list[str]) -> None:
    await world.movement("fatima", "jan")
    async with world.begin() as work:
        session: Any = work.people._session  # type: ignore[attr-defined]
        found = await session.scalars(select(people.c.id).where(people.c.id.in_(wanted), people.c.workspace_id == LANE))
        assert set(found) == set(wanted) - {"nobody"}


async def test_values_stay_out_of_an_error(world: World) -> None:
    rows = [{"workspace_id": LANE, "key": "what somebody typed", "at": MONDAY}] * 2
    with pytest.raises(LookupError):  # noqa: PT012  # the block is a transaction
        async with world.begin() as work:
            session: Any = work.people._session  # type: ignore[attr-defined]
            with pytest.raises(IntegrityError) as caught:
                await session.execute(insert(inbox), rows)
            raise LookupError  # so that it is rolled back
    told: BaseException | None = caught.value
    while told is not None:
        assert "typed" not in str(told)
        told = told.__cause__


async def test_whoever_listens_hears_each_statement(world: World) -> None:
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(Engine, "after_cursor_execute", hear)
    try:
        async with world.begin() as work:
            assert await work.people.workspace(WorkspaceId(LANE)) is None
    finally:
        event.remove(Engine, "after_cursor_execute", hear)
    assert [one for one in heard if "workspaces" in one] != []


async def test_a_statement_is_compiled_once(world: World) -> None:
    def one(name: str) -> Any:
        return select(Person).where(people.c.name == name)

    dialect = world.storage.database.dialect
    (first, _), (second, written) = (prepare_statement(one(name), dialect, ()) for name in ("Jan", "Fatima"))
    assert first is not None
    assert first is second
    assert written == ["Fatima"]

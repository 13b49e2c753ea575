"""Statements that nobody awaits are seen by what is asked after them, and are all or nothing with their transaction."""

from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from adapters.database.tables import inbox, workspaces
from bot.domain.delivery import DeliveryState, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId, Workspace, WorkspaceId
from bot.ports import Conflict, UnitOfWork
from tests.support.world import LANE, MONDAY, World

KEYS = ("a", "b", "c")


def session_of(work: UnitOfWork) -> Any:
    """Return the session that a unit of work shares."""
    return work.people._session  # type: ignore[attr-defined]


def row(key: str) -> dict[str, object]:
    return {"workspace_id": LANE, "key": key, "at": MONDAY}


async def count_keys(session: Any) -> int:
    return await session.scalar(select(func.count()).select_from(inbox))  # type: ignore[no-any-return]


async def test_what_is_posted_is_seen_by_what_is_asked_next(world: World) -> None:
    async with world.begin() as work:
        session = session_of(work)
        for number, key in enumerate(KEYS, start=1):
            await session.post(insert(inbox), row(key))
            assert await count_keys(session) == number
        await session.post(insert(inbox), [row("d"), row("e")])
    async with world.begin() as work:
        assert await count_keys(session_of(work)) == 5


async def test_more_than_a_socket_takes_is_posted_at_once(world: World) -> None:
    """In the event loop, and in a thread that is held up by it; the server answers while it is still written to."""
    many, longest = 8000, "x" * 200

    async def post_much(work: UnitOfWork, run: str) -> None:
        for number in range(many):
            work.people.add(Workspace(id=WorkspaceId(f"slack:{run}{number}"), name=longest))

    await world.storage.transact(lambda work: post_much(work, "A"))
    async with world.begin() as work:
        await post_much(work, "B")

    async def count(work: UnitOfWork) -> int:
        statement = select(func.count()).select_from(workspaces).where(workspaces.c.name == longest)
        return await session_of(work).scalar(statement)  # type: ignore[no-any-return]

    assert await world.storage.transact(count) == 2 * many


async def test_what_is_posted_last_goes_with_the_commit_or_not_at_all(world: World) -> None:
    async def post_twice(work: UnitOfWork) -> None:
        for key in (*KEYS, "a", *KEYS):
            await session_of(work).post(insert(inbox), row(key))

    with pytest.raises((Conflict, IntegrityError)):
        await world.storage.transact(post_twice)
    async with world.begin() as work:
        assert await count_keys(session_of(work)) == 0


async def test_an_error_of_what_was_posted_is_raised_by_what_is_asked_next(world: World) -> None:
    async def post_twice(session: Any) -> None:
        for key in ("a", *KEYS):
            await session.post(insert(inbox), row(key))
        await count_keys(session)

    with pytest.raises(LookupError):  # noqa: PT012  # the block is a transaction
        async with world.begin() as work:
            with pytest.raises(IntegrityError):
                await post_twice(session_of(work))
            raise LookupError  # so that it is rolled back


@pytest.mark.parametrize("asks", [True, False])
async def test_an_update_that_finds_its_row_changed_is_a_lost_race(world: World, asks: bool) -> None:
    async def update_what_is_gone(work: UnitOfWork) -> None:
        session = session_of(work)
        await session.post(insert(inbox), row("a"))
        await session.post(update(inbox).where(inbox.c.key == "gone").values(at=MONDAY), expects=1)
        if asks:
            await count_keys(session)

    with pytest.raises(Conflict):
        await world.storage.transact(update_what_is_gone)
    async with world.begin() as work:
        assert await count_keys(session_of(work)) == 0


async def test_what_a_transaction_leaves_behind_is_not_in_the_next(world: World) -> None:
    async def leave(work: UnitOfWork) -> None:
        await session_of(work).post(insert(inbox), row("a"))
        work.people.add(Workspace(id=WorkspaceId("test:W9")))
        await work.flush()
        raise LookupError

    with pytest.raises(LookupError):
        await world.storage.transact(leave)
    async with world.begin() as work:
        assert await count_keys(session_of(work)) == 0
        assert await work.people.workspace(WorkspaceId("test:W9")) is None


async def test_look_ups_together_are_answered_in_their_order(world: World) -> None:
    await world.movement("fatima")

    async def ask_twice(session: Any) -> tuple[int, int]:
        return await count_keys(session), await count_keys(session)

    async with world.begin() as work:
        session = session_of(work)
        await session.post(insert(inbox), row("a"))
        found = await session.together(work.people.workspace(WorkspaceId(LANE)), ask_twice(session))
        workspace, counts = found
        assert (workspace.id, counts) == (LANE, (1, 1))
        assert await session.together() == []


async def test_one_look_up_that_fails_ends_all(world: World) -> None:
    async def fail() -> None:
        raise LookupError

    async with world.begin() as work:
        session = session_of(work)
        with pytest.raises(LookupError):
            await session.together(count_keys(session), fail(), count_keys(session))
        assert await count_keys(session) == 0


async def test_after_one_look_up_failed_beside_others_that_gather_each_is_answered_again(world: World) -> None:
    async def fail(session: Any) -> None:
        await count_keys(session)
        raise LookupError

    async def gather(session: Any) -> Any:
        return await session.together(ask_three_times(session), ask_three_times(session))

    async def ask_three_times(session: Any) -> list[int]:
        return [await count_keys(session) for _ in range(3)]

    async with world.begin() as work:
        session = session_of(work)
        with pytest.raises(LookupError):
            await session.together(fail(session), gather(session))
        assert await count_keys(session) == 0


async def test_what_is_asked_beside_a_change_does_not_undo_it(world: World) -> None:
    await world.movement("fatima")
    movement = MovementId("movement")
    async with world.begin() as work:
        fatima = await work.people.by_account(WorkspaceId(LANE), "fatima")
        assert fatima is not None
        await work.deliveries.add(
            to_person(fatima, "follow_up", key="k", now=MONDAY, movement=movement, subject="step")
        )
    async with world.begin() as work:
        _, (found,) = await work.together(
            work.deliveries.cancel("follow_up", "step", "gone"), work.deliveries.about("follow_up", "step", movement)
        )
        assert found.state is DeliveryState.DROPPED
        found.args = {"after": "it"}
    async with world.begin() as work:
        (found,) = await work.deliveries.about("follow_up", "step", movement)
        assert (found.state, found.args) == (DeliveryState.DROPPED, {"after": "it"})


async def test_what_is_deleted_is_not_got_again(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        session = session_of(work)
        workspace = await session.get(Workspace, LANE)
        await work.delete(workspace)
        assert await session.get(Workspace, LANE) is None
        session.sync_session.expunge_all()


async def test_a_commit_that_fails_leaves_nothing_to_the_next_transaction(world: World) -> None:
    async def refer_to_nothing(work: UnitOfWork) -> None:
        work.people.add(Person(id=PersonId("p"), workspace_id=WorkspaceId("nowhere"), account="p", created_at=MONDAY))

    async def count(work: UnitOfWork) -> int:
        return await count_keys(session_of(work))

    with pytest.raises(IntegrityError):
        await world.storage.transact(refer_to_nothing)
    assert await world.storage.transact(count) == 0


async def test_a_transaction_in_which_a_statement_failed_is_not_taken_for_committed(world: World) -> None:
    """PostgreSQL answers such a COMMIT by rolling back, and SQLite goes on after the statement."""

    async def swallow(work: UnitOfWork) -> None:
        session = session_of(work)
        await session.execute(insert(inbox), row("a"))
        with pytest.raises(IntegrityError):
            await session.execute(insert(inbox), row("a"))

    is_kept = True
    try:
        await world.storage.transact(swallow)
    except Conflict:
        is_kept = False
    async with world.begin() as work:
        assert await count_keys(session_of(work)) == is_kept


async def test_rows_are_written_in_the_order_of_their_keys_whatever_changes_in_them(world: World) -> None:
    """Two transactions that change the same rows in different orders would wait for each other."""
    await world.movement(*(f"p{number}" for number in range(6)))
    asked: list[Any] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "UPDATE people" in statement:
            asked.extend(values if isinstance(values, list) else [values])

    async def change(work: UnitOfWork) -> None:
        found = {one.id: one for one in await work.people.accounts_in(WorkspaceId(LANE))}
        for number in (4, 1, 5, 0, 3, 2):
            person = found[PersonId(f"p{number}")]
            if number % 2:
                person.name = f"Naam {number}"
            else:
                person.timezone = "Europe/Brussels"

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        await world.storage.transact(change)
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    keys = [next(one for one in (v.values() if isinstance(v, dict) else v) if str(one).startswith("p")) for v in asked]
    assert keys == sorted(keys)
    assert len(keys) == 6

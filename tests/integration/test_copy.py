"""`ritme copy` moves every row from SQLite to PostgreSQL, compares them, and can be resumed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner, Result

from adapters.cli.commands import ritme
from adapters.database.copying import CannotCopy, open_copy
from adapters.database.migrate import migrate_schema
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from bot.app import Ritme
from bot.chat import Answer
from bot.ports import Platform
from tests.fakes.messenger import RecordingMessenger
from tests.support.databases import postgresql
from tests.support.world import World, open_world


@asynccontextmanager
async def seeded_file(tmp_path: Path) -> AsyncIterator[World]:
    """Open a world on SQLite, with the tables of the migrations and a movement with stories."""
    async with open_world(tmp_path) as world:
        async with world.database.begin() as connection:
            await connection.run_sync(metadata.drop_all)
        await migrate_schema(world.database)
        await world.movement("fatima", "jan", channels=("general", "night"))
        await world.type("fatima", "/vast De nachtdienst hoort het als laatste")
        for number in range(7):
            await world.type("jan", f"/verhaal Mevrouw {number} liep tot de brievenbus.")
        await world.press("fatima", world.posts()[-1], "ripple")
        yield world


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


async def test_everything_is_there_and_lives_on(tmp_path: Path) -> None:
    async with seeded_file(tmp_path) as world:
        with postgresql() as url:
            with open_copy(world.storage.url, url, batch=3) as under_way:
                under_way.check()
                done = dict(under_way.copy())
                compared = {one.table: one for one in under_way.compare()}
                assert not under_way.was_source_changed()
            assert all(one.equal for one in compared.values())
            assert done["stories"] == 7
            assert compared["ripples"].here == 1

            there = connect(url)
            core = Ritme(
                transact=unit_of_work(there, announce),
                platforms={"test": Platform(messenger=RecordingMessenger())},
                clock=world.clock,
                engine=world.storage.engine,
            )
            typed = {"command": "/verhaal", "text": "Nog een."}
            assert isinstance(await core.handle(world.intent("jan", "command", typed, key="moved")), Answer)
            async with there.connect() as connection:
                assert (await connection.execute(text("SELECT count(*) FROM stories"))).scalar_one() == 8
            await there.dispose()


async def test_broken_off_it_goes_on_where_it_was(tmp_path: Path) -> None:
    async with seeded_file(tmp_path) as world:
        with postgresql() as url:
            with open_copy(world.storage.url, url, batch=2) as under_way:
                steps = under_way.copy()
                for _ in range(9):
                    next(steps)
            with open_copy(world.storage.url, url) as again:
                assert not all(one.equal for one in again.compare())
                again.check()
                for _ in again.copy():
                    pass
                assert all(one.equal for one in again.compare())


async def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    async with seeded_file(tmp_path) as world:
        with postgresql() as url:
            execute(url, "INSERT INTO workspaces (id, name) VALUES ('slack:T9', 'Ander')")
            with open_copy(world.storage.url, url) as under_way, pytest.raises(CannotCopy, match="workspaces slack:T9"):
                under_way.check()


async def test_what_differs_is_named_but_not_shown(tmp_path: Path) -> None:
    async with seeded_file(tmp_path) as world:
        with postgresql() as url:
            with open_copy(world.storage.url, url) as under_way:
                for _ in under_way.copy():
                    pass
            execute(url, "UPDATE stories SET text = 'Iets anders' WHERE text LIKE '%3%'", "DELETE FROM ripples")
            with open_copy(world.storage.url, url) as under_way:
                found = {one.table: one for one in under_way.compare() if not one.equal}
    assert set(found) == {"stories", "ripples"}
    assert found["stories"].different == 1
    assert "brievenbus" not in str(found)


def test_the_same_database_is_no_other(tmp_path: Path) -> None:
    file = f"{tmp_path}/a.db"
    with pytest.raises(CannotCopy), open_copy(f"sqlite:///{file}", f"sqlite+aiosqlite:///{file}"):
        pass


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, ritme, words)


async def test_the_command_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seeded_file(tmp_path) as world:
        monkeypatch.setenv("RITME_DATABASE_URL", world.storage.url)
        for nowhere in ("nowhere", "postgresql://ritme:geheim@localhost:notaport/ritme"):
            bad = await run("copy", "--to", nowhere)
            assert bad.exit_code == 2
            assert "The address given with --to is no database address.\n" in bad.output
            assert "geheim" not in bad.output
        closed = await run("copy", "--to", "postgresql://ritme@127.0.0.1:1/ritme")
        assert closed.exit_code == 1
        assert "Start PostgreSQL, or correct the address, user or password in --to.\n" in closed.output
        with postgresql(empty=True) as url:
            bare = await run("copy", "--to", url)
            assert bare.exit_code == 1
            assert "Run ritme migrate first, with RITME_DATABASE_URL set to that one.\n" in bare.output
        with postgresql() as url:
            for _ in range(2):
                said = await run("copy", "--to", url)
                assert said.exit_code == 0, said.output
                assert "Everything is there" in said.output
                assert "brievenbus" not in said.output
            # A database without statistics looks through everything to find one row.
            with psycopg.connect(plain(url)) as connection:
                counted = connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'stories'").fetchone()
            assert counted == (7,)
    monkeypatch.setenv("RITME_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert "Nothing was copied: this database is not there yet" in (await run("copy", "--to", "sqlite:///a.db")).output


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

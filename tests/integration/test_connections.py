"""Database connections keep what people typed out of errors, and let go of what they cannot open."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from adapters.database.unit_of_work import connect


async def test_an_error_holds_the_statement_but_nothing_anyone_typed(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    with pytest.raises(DatabaseError) as broke:
        async with database.begin() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "mevrouw De Vries viel"})
    await database.dispose()

    assert "nowhere" in str(broke.value)
    assert "De Vries" not in str(broke.value)


async def test_a_file_that_is_no_database_leaves_no_connection_open(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("dear district nurses, " * 1000)
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(DatabaseError):
        async with database.connect():
            pass
    await database.dispose()

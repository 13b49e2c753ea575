"""Fixtures: an empty PostgreSQL for tests of many workers; seeded databases of both kinds for tests of storage."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.unit_of_work import connect
from tests.contract.seed import Seeded, seed_database
from tests.support.databases import BOTH, postgresql


@pytest.fixture
async def database() -> AsyncIterator[AsyncEngine]:
    """Create a migrated, empty PostgreSQL database."""
    with postgresql() as url:
        opened = connect(url)
        yield opened
        await opened.dispose()


@pytest.fixture(params=BOTH)
async def seeded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Seeded]:
    """Seed a database of each kind."""
    async with seed_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
async def seeded_postgresql(tmp_path: Path) -> AsyncIterator[Seeded]:
    """Seed PostgreSQL, for two transactions that are open at the same time: on SQLite one waits for the other."""
    async with seed_database("postgresql", tmp_path) as made:
        yield made

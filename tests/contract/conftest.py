"""A PostgreSQL of their own for tests of many workers; furnished rooms, on both databases, for those of storage."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.unit_of_work import connect
from tests.contract.seed import Furnished, furnished
from tests.support.databases import BOTH, postgresql


@pytest.fixture
async def database() -> AsyncIterator[AsyncEngine]:
    with postgresql() as url:
        opened = connect(url)
        yield opened
        await opened.dispose()


@pytest.fixture(params=BOTH)
async def rooms(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Furnished]:
    async with furnished(request.param, tmp_path) as made:
        yield made

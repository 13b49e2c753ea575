"""A PostgreSQL of their own for tests of many workers."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.unit_of_work import connect
from tests.databases import postgresql


@pytest.fixture
async def database() -> AsyncIterator[AsyncEngine]:
    with postgresql() as url:
        opened = connect(url)
        yield opened
        await opened.dispose()

"""What every repository shares."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession


class Repository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, new: Any) -> None:
        self._session.add(new)

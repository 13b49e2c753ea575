"""Test what a service does when it opens and closes, by stand-ins for what it runs."""

from types import SimpleNamespace
from typing import Any

from adapters.service import Service


async def nothing() -> None: ...


async def test_the_phrase_books_are_read_before_anybody_says_something() -> None:
    read: list[str] = []
    parts: dict[str, Any] = {
        "ritme": SimpleNamespace(load_books=lambda: read.append("books"), finish_answers=nothing),
        "engine": SimpleNamespace(close=nothing),
        "database": SimpleNamespace(dispose=nothing),
        "clock": None,
        "metrics": None,
    }
    service = Service(**parts)
    await service.open()
    await service.close()
    assert read == ["books"]

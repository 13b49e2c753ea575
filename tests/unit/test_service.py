"""Test what a service does when it opens and closes, by stand-ins for what it runs."""

from threading import Thread, current_thread
from types import SimpleNamespace
from typing import Any

from structlog.testing import capture_logs

from adapters.service import Service


async def nothing() -> None: ...


def make_service(**ritme: Any) -> Service:
    """Make a service of parts that do nothing, but for what the application does."""
    parts: dict[str, Any] = {
        "ritme": SimpleNamespace(finish_answers=nothing, **ritme),
        "engine": SimpleNamespace(close=nothing),
        "database": SimpleNamespace(dispose=nothing),
        "clock": None,
        "metrics": None,
    }
    return Service(**parts)


async def test_the_phrase_books_are_read_before_anybody_says_something() -> None:
    read: list[str] = []
    service = make_service(load_books=lambda: read.append("books"))
    await service.open()
    await service.close()
    assert read == ["books"]


async def test_libraries_are_loaded_beside_those_who_are_answered() -> None:
    threads: list[Thread] = []
    service = make_service(load_libraries=lambda: threads.append(current_thread()))
    service.load_libraries()
    await service.close()
    assert len(threads) == 1
    assert current_thread() not in threads


async def test_a_library_that_cannot_be_loaded_is_logged() -> None:
    def fail() -> None:
        raise ImportError("no stemmers")

    service = make_service(load_libraries=fail)
    with capture_logs() as logged:
        service.load_libraries()
        await service.close()
    assert [(one["event"], one["log_level"]) for one in logged] == [("libraries_load_failed", "error")]

"""Compile SQL statements once for all databases of a test run: compiling them for each took a sixth of its time."""

from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

MOST_KEPT = 5_000
_compiled: LRUCache[Any, Any] = LRUCache(MOST_KEPT)


def share_compiled_statements() -> None:
    """Let every engine that is created from now on keep its compiled statements in one place.

    They are found by dialect: two of a class that talk to the same version of a server are taken for one.
    """

    def is_same(one: DefaultDialect, other: object) -> bool:
        return type(one) is type(other) and one.server_version_info == other.server_version_info

    Engine._compiled_cache = property(lambda _: _compiled, lambda _engine, _own: None)  # type: ignore[assignment]
    DefaultDialect.__eq__ = is_same  # type: ignore[method-assign, assignment]
    DefaultDialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign]

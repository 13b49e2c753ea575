"""Writes what is new or changed in a session with prepared statements whose results nobody awaits.

SQLAlchemy's own flush sorts entities by foreign keys, which ours defer to the end of a transaction, and awaits each
statement. It still writes what is deleted, what the database numbers, and keys that change.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Connection, Insert, Update, bindparam, insert, update
from sqlalchemy.orm import InstanceState, Mapper, Session
from sqlalchemy.orm.base import NO_VALUE

Execute = Callable[..., None]
"""Executes a statement with values, or with a list of them; with `expects`, it is a lost race unless each changes so
many rows."""


def save(session: Session, connection: Connection, post: Execute) -> None:
    """Write what is new or changed in a session, whoever listens to that included."""
    new = list(session._new)
    touched = list(session.identity_map._dirty_states())
    changed = [one for one in touched if _changed_names(one)]
    if session._deleted or any(map(_is_numbered, new)) or any(map(_is_renamed, changed)):
        session.flush()
        return
    for one in new:
        one.mapper.dispatch.before_insert(one.mapper, connection, one)
    for one in changed:
        one.mapper.dispatch.before_update(one.mapper, connection, one)
    _insert_rows(new, post)
    _update_rows(changed, post)
    for one in new:
        one.mapper.dispatch.after_insert(one.mapper, connection, one)
    for one in changed:
        one.mapper.dispatch.after_update(one.mapper, connection, one)
    # With those that were set to what they were already; not with what a listener changed, which is written next.
    session._register_persistent({*new, *touched})


def _insert_rows(new: Sequence[InstanceState[Any]], post: Execute) -> None:
    """Insert all rows of a table that have the same columns at once."""
    rows: dict[tuple[Mapper[Any], tuple[str, ...]], list[dict[str, Any]]] = {}
    for one in new:
        columns, known = _columns(one.mapper), one.dict
        values = {
            column.key: known[name]
            for name, column in columns.items()
            # Nothing leaves a column to its default in the database.
            if name in known and (known[name] is not None or column.server_default is None)
        }
        rows.setdefault((one.mapper, tuple(values)), []).append(values)
    for (mapper, _), given in rows.items():
        post(_insert(mapper), given if len(given) > 1 else given[0])


def _update_rows(changed: Sequence[InstanceState[Any]], post: Execute) -> None:
    """Update all rows in the order of their keys, those next to each other in which the same columns change at once:
    two transactions that change the same rows wait for each other, not each for the other."""
    ordered = sorted(changed, key=lambda one: (one.mapper.class_.__name__, one.identity))
    for (mapper, names), rows in groupby(ordered, key=lambda one: (one.mapper, (*sorted(_changed_names(one)),))):
        columns = _columns(mapper)
        given = [
            {
                **{columns[name].key: one.dict[name] for name in names},
                **{f"key_{at}": value for at, value in enumerate(one.identity or ())},
            }
            for one in rows
        ]
        post(_update(mapper), given if len(given) > 1 else given[0], expects=1)


def _changed_names(one: InstanceState[Any]) -> list[str]:
    """List the attributes that are not what was loaded or last written."""
    known, manager = one.dict, one.manager
    return [
        name
        for name, was in one.committed_state.items()
        if was is NO_VALUE or name not in known or not manager[name].impl.is_equal(known[name], was)
    ]


def _is_numbered(one: InstanceState[Any]) -> bool:
    """Return whether the database gives this entity its number, which has to be asked for."""
    return one.mapper.local_table.autoincrement_column is not None  # type: ignore[attr-defined]  # a Table


def _is_renamed(one: InstanceState[Any]) -> bool:
    return not {*_changed_names(one)}.isdisjoint(column.key for column in one.mapper.primary_key)


@cache
def _columns(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """Return the column of each attribute."""
    return {one.key: one.columns[0] for one in mapper.column_attrs}  # type: ignore[misc]  # of a table


@cache
def _insert(mapper: Mapper[Any]) -> Insert:
    return insert(mapper.local_table)  # type: ignore[arg-type]  # a Table


@cache
def _update(mapper: Mapper[Any]) -> Update:
    its_key = (one == bindparam(f"key_{at}", type_=one.type) for at, one in enumerate(mapper.primary_key))
    return update(mapper.local_table).where(*its_key)  # type: ignore[arg-type]  # a Table

"""Compiles statements once, and runs them on the driver's cursor (docs/adr/0119).

Each time SQLAlchemy executes a statement it finds out anew how to word it, convert its values and map its rows; that
takes three times as long as SQLite takes to answer. A `Prepared` keeps what was found out. Entities go into the
session's identity map as if the session had loaded them, so that it notices and writes their changes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import (
    JSON,
    CompoundSelect,
    Delete,
    Dialect,
    Executable,
    Insert,
    Select,
    Update,
    bindparam,
    inspect,
    select,
)
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.cache_key import CacheKey
from sqlalchemy.sql.compiler import ExpandedState, SQLCompiler
from sqlalchemy.util import LRUCache

from adapters.database.types import read_json

Convert = Callable[[Any], Any]
Given = Mapping[str, Any]
Item = Callable[[Session, Sequence[Any]], Any]
"""Makes an entity of a row as it came from the driver."""
_BUILT = (Select, CompoundSelect, Insert, Update, Delete)
MAX_PREPARED = 2000


class _Parameter(NamedTuple):
    """A parameter of the driver, and where its value comes from: `given` by name to who executes, or written in the
    statement, there the `place`-th, of which it is one `element` where that is a list."""

    name: str
    given: str | None
    place: int | None
    element: int | None
    constant: Any
    convert: Convert | None

    def word(self, number: int) -> str:
        """Word, in Python, how to find the value: in `given`, `written`, or as the constant of this number."""
        if self.given is not None:
            value = f"given[{self.given!r}]"
        elif self.place is not None:
            value = f"written[{self.place}]" + ("" if self.element is None else f"[{self.element}]")
        else:
            value = f"constant_{number}"
        return value if self.convert is None else f"convert_{number}({value})"


class Prepared:
    """A statement as one dialect words it; `bind` and `read` convert its values and its rows."""

    def __init__(
        self,
        compiled: SQLCompiler,
        expanded: ExpandedState | None,
        parameters: Sequence[_Parameter],
        entities: Sequence[Mapper[Any] | None],
    ) -> None:
        self.sql = compiled.string if expanded is None else expanded.statement
        self.is_query = bool(compiled._result_columns)
        self._dialect = compiled.dialect
        self.bind = _make_bind(parameters, positional=bool(compiled.positional))
        self._columns = compiled._result_columns
        self._entities = entities
        self._read_row: Callable[[Session, Sequence[Any]], tuple[Any, ...]] | None = None
        names = [one.keyname for one in self._columns]
        self.metadata = SimpleResultMetaData(
            names if not entities else [one.class_.__name__ if one else "" for one in entities]
        )

    def read(self, session: Session, cursor: Any) -> list[tuple[Any, ...]]:
        """Fetch all rows and make values and entities of them."""
        if self._read_row is None:
            self._read_row = self._make_read_row([kind for _, kind, *_ in cursor.description])
        read_row = self._read_row
        return [read_row(session, row) for row in cursor.fetchall()]

    def _make_read_row(self, kinds: Sequence[Any]) -> Callable[[Session, Sequence[Any]], tuple[Any, ...]]:
        """Find out how to convert columns, which for some depends on the driver's own type (`kinds`)."""
        converts = [
            one.type._cached_result_processor(self._dialect, kind)
            for one, kind in zip(self._columns, kinds, strict=True)
        ]
        words: list[str] = []
        known: dict[str, Any] = {}
        at = 0
        for mapper in self._entities or (None,) * len(converts):
            width = 1 if mapper is None else len(_loaded_names(mapper))
            if mapper is None:
                words += _word_values({at: converts[at]}, known)
            else:
                known[f"make_{at}"] = _entity(mapper, at, converts)
                words.append(f"make_{at}(session, row)")
            at += width
        return _write_function("session, row", f"({''.join(f'{word}, ' for word in words)})", known)


def _make_bind(parameters: Sequence[_Parameter], *, positional: bool) -> Callable[[Given, Sequence[Any]], Any]:
    """Write the function that returns the values of all parameters, converted, as the driver takes them: one that goes
    through the parameters each time takes three times as long."""
    known: dict[str, Any] = {}
    for number, one in enumerate(parameters):
        known |= {f"constant_{number}": one.constant, f"convert_{number}": one.convert}
    words = [one.word(number) for number, one in enumerate(parameters)]
    if positional:
        made = f"({''.join(f'{word}, ' for word in words)})"
    else:
        made = f"{{{', '.join(f'{one.name!r}: {word}' for one, word in zip(parameters, words, strict=True))}}}"
    return _write_function("given, written", made, known)


def _write_function(given: str, made: str, known: dict[str, Any]) -> Callable[..., Any]:
    """Write a function of these parameters that returns what is `made` of them and of what is `known`."""
    written: Callable[..., Any] = eval(f"lambda {given}: {made}", known)  # noqa: S307  # of names in our own statements
    return written


def _word_values(converts: Mapping[int, Convert | None], known: dict[str, Any]) -> list[str]:
    """Word, in Python, the values of a `row` at some places, converted by what is put in `known`. None stays None,
    whatever the type."""
    known |= {f"convert_{at}": convert for at, convert in converts.items()}
    return [
        f"row[{at}]" if convert is None else f"(None if row[{at}] is None else convert_{at}(row[{at}]))"
        for at, convert in converts.items()
    ]


def _loaded_names(mapper: Mapper[Any]) -> list[str]:
    """List the attributes that are loaded with an entity."""
    return [one.key for one in mapper.column_attrs if not one.deferred]


class _Loading:
    """Tells listeners to "load" the session."""

    def __init__(self, session: Session) -> None:
        self.session = session


def _entity(mapper: Mapper[Any], start: int, converts: Sequence[Convert | None]) -> Item:
    """Return what makes an entity of the columns from `start`: the one that the session has, or a new one; None where
    an outer join found none."""
    names = _loaded_names(mapper)
    manager, entity, hears = mapper.class_manager, mapper.class_, mapper.class_manager.dispatch.load
    known: dict[str, Any] = {}
    # SQLAlchemy's own asks of each document twice whether it may be a number.
    places = range(start, start + len(names))
    own = {
        at: read_json if convert and isinstance(mapper.columns[name].type, JSON) else convert
        for at, name, convert in zip(places, names, converts[start : places.stop], strict=True)
    }
    words = _word_values(own, known)
    its_key = [words[names.index(mapper.get_property_by_column(one).key)] for one in mapper.primary_key]
    read_key = _write_function("row", f"({''.join(f'{word}, ' for word in its_key)})", known)
    pairs = (f"{name!r}: {word}" for name, word in zip(names, words, strict=True))
    read_values = _write_function("row", f"{{{', '.join(pairs)}}}", known)

    def make(session: Session, row: Sequence[Any]) -> Any:
        primary = read_key(row)
        key = (entity, primary, None)
        has = session.identity_map.get(key)
        if has is not None or primary[0] is None:
            return has
        made = manager.new_instance()
        state = instance_state(made)
        state.key, state.session_id = key, session.hash_key
        made.__dict__.update(read_values(row))
        session.identity_map.add(state)
        if hears:
            hears(state, _Loading(session))
        return made

    return make


@cache
def select_by_key(entity: type[Any]) -> Select[Any]:
    """Build the query of an entity by its primary key, whose values are `key_0` and so on."""
    key = inspect(entity).primary_key
    return select(entity).where(*(one == bindparam(f"key_{at}") for at, one in enumerate(key)))


_prepared: LRUCache[Any, tuple[Prepared | None]] = LRUCache(MAX_PREPARED)
_of_statement: WeakKeyDictionary[Executable, dict[Any, tuple[Prepared | None, Sequence[Any]]]] = WeakKeyDictionary()
"""Keeps what was found for a statement object: most are built once, when their module is imported."""


def prepare_statement(
    statement: Executable, dialect: Dialect, names: tuple[str, ...]
) -> tuple[Prepared | None, Sequence[Any]]:
    """Return a statement as prepared, for values of these names, and the values that are written in it; None for the
    first where SQLAlchemy has to execute it."""
    if not isinstance(statement, _BUILT):
        return None, ()
    found = _of_statement.get(statement)
    if found is None:
        _of_statement[statement] = found = {}
    which = (dialect.name, names)
    if which not in found:
        found[which] = _prepare_by_key(statement, dialect, names)
    return found[which]


def _prepare_by_key(statement: Any, dialect: Dialect, names: tuple[str, ...]) -> tuple[Prepared | None, Sequence[Any]]:
    """Look up a statement by how it is built, whatever values are written in it; compile it when it is new."""
    cache_key: CacheKey | None = statement._generate_cache_key()
    if cache_key is None or cache_key.params:
        return None, ()
    written = [one.effective_value for one in cache_key.bindparams]
    lists = [value for one, value in zip(cache_key.bindparams, written, strict=True) if one.expanding]
    key = (cache_key.key, dialect.name, names, tuple([None if each is None else len(each) for each in lists]))
    found = _prepared.get(key)
    if found is None:
        _prepared[key] = found = (_compile(statement, cache_key, dialect, names),)
    return found[0], written


def _compile(statement: Any, cache_key: CacheKey, dialect: Dialect, names: Sequence[str]) -> Prepared | None:
    flat, entities = _flatten(statement)
    its_key = flat._generate_cache_key()  # of the same values, perhaps in another order
    compiled = flat.compile(
        dialect=dialect,
        cache_key=its_key,
        column_keys=list(names) or None,
        # As for many rows: then it does not ask for the key of the one that was inserted.
        for_executemany=isinstance(flat, Insert) and not flat.exported_columns,
    )
    if compiled.literal_execute_params or compiled.escaped_bind_names or compiled.prefetch:
        return None
    if entities and len(compiled._result_columns) != sum(len(_loaded_names(one)) if one else 1 for one in entities):
        return None  # a column that is asked for twice is sent once
    expanded = compiled.construct_expanded_state(dict.fromkeys(names)) if compiled.post_compile_params else None
    places = {one.key: place for place, one in enumerate(cache_key.bindparams)}
    matches = compiled._cache_key_bind_match[0]
    place_of = {bind: places[one.key] for one in its_key.bindparams for bind in matches[one]}
    parameters = _find_parameters(compiled, expanded, place_of, names)
    return None if parameters is None else Prepared(compiled, expanded, parameters, entities)


def _flatten(statement: Any) -> tuple[Any, Sequence[Mapper[Any] | None]]:
    """Return a query with the columns of its entities in their place, and what its items are: an entity, or None for a
    column. Any other statement stays as it is."""
    if not isinstance(statement, Select) or not any(map(_is_entity, statement.column_descriptions)):
        return statement, ()
    columns: list[Any] = []
    entities: list[Mapper[Any] | None] = []
    for one in statement.column_descriptions:
        mapper = inspect(one["expr"]).mapper if _is_entity(one) else None
        columns += [getattr(one["expr"], name) for name in _loaded_names(mapper)] if mapper else [one["expr"]]
        entities.append(mapper)
    return statement.with_only_columns(*columns), entities


def _is_entity(described: Mapping[str, Any]) -> bool:
    """Return whether a query asks for an entity here, by what describes its columns."""
    return described.get("entity") is not None and described["expr"] is described["entity"]


def _find_parameters(
    compiled: SQLCompiler, expanded: ExpandedState | None, place_of: Mapping[Any, int], names: Sequence[str]
) -> Sequence[_Parameter] | None:
    """Return where the value of each parameter comes from, in the driver's order; None where one is missing, or is a
    list of who executes, or of tuples."""
    converts: dict[str, Any] = {**compiled._bind_processors, **(expanded.processors if expanded else {})}
    parts = expanded.parameter_expansion if expanded else {}
    found: dict[str, _Parameter] = {}
    for bind, name in compiled.bind_names.items():
        given = next((one for one in (bind.key, name) if one in names), None)
        is_list = bind.expanding and (given is not None or bind.type._is_tuple_type)
        if is_list or (bind.required and given is None):
            return None
        place = place_of.get(bind) if given is None else None
        if name not in parts:
            found[name] = _Parameter(name, given, place, None, bind.effective_value, converts.get(name))
        for element, part in enumerate(parts.get(name, ())):
            found[part] = _Parameter(part, None, place, element, None, converts.get(part))
    order = (expanded.positiontup if expanded else compiled.positiontup) if compiled.positional else found
    return [found[name] for name in order or ()]

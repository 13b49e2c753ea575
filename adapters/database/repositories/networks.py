"""Read a movement's network as plain rows, in a thread and a transaction of its own, and count when it changes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, create_engine, event, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.orm import Mapper
from sqlalchemy.pool import NullPool

from adapters.database.errors import translate_errors
from adapters.database.inline import InlineSession, post_beside, run_statement
from adapters.database.mapping import MAPPED
from adapters.database.prepared import prepare_statement
from adapters.database.repositories.asked import ASKED_AT, IS_ASK
from adapters.database.repositories.base import has_changed
from adapters.database.sqlite import reading_engine
from adapters.database.tables import deliveries, members, networks, nominations, people, ties
from adapters.libpq import connection_timeouts
from bot.domain.connectors import NAMED_FROM, KeyFigure
from bot.domain.movement import Member, MovementId
from bot.domain.network_question import ASKS_COUNT_FOR, NetworkQuestion, NetworkRows, NetworkVersion
from bot.domain.person import Person, PersonId

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far before the latest tie changed ones are looked for: clocks of processes differ a little, and so does the order
in which transactions end."""
ONE_MOMENT = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Begins a transaction to the whole of which PostgreSQL shows one moment."""
NETWORK_BATCH = 2_000
"""Rows fetched at a time: between two such batches other threads get their turn."""


class SqlNetworkReader:
    """Implements `NetworkReader`. It is only an address, so that another process can read by it; each reading has a
    connection of its own, closed when it ends: there are few."""

    def __init__(self, url: URL) -> None:
        self.url = url

    def read(self, question: NetworkQuestion, known: NetworkVersion | None, since: datetime | None) -> NetworkRows:
        connect = _connect_to_sqlite if self.url.get_backend_name() == "sqlite" else _connect_to_postgresql
        with translate_errors(), connect(self.url) as connection:
            return _Reading(connection, question).read(known, since)


class _Reading:
    """One reading of a movement's network."""

    def __init__(self, connection: Connection, question: NetworkQuestion) -> None:
        self._connection = connection
        self._question = question
        self._movement = question.movement

    def read(self, known: NetworkVersion | None, since: datetime | None) -> NetworkRows:
        asks = self._question.most > 0
        versions, moments, *asked = self._ask(
            select(networks.c.ties, networks.c.circle).where(networks.c.movement_id == self._movement),
            select(func.max(ties.c.last_at)).where(ties.c.movement_id == self._movement),
            *((self._unfree(), self._asks(), self._names()) if asks else ()),
        )
        version = next((NetworkVersion(ties=its, circle=circle) for its, circle in versions), NetworkVersion())
        latest = moments[0][0]
        is_whole = known is None or known.circle != version.circle
        # The moment too: a process of the version before this one counts no changes.
        is_changed = known is None or known != version or latest != since
        members_now, consents = self._ask(self._members(), self._consents()) if is_whole else ((), ())
        groups = {PersonId(person): group for person, group in members_now}
        found: list[tuple[PersonId, PersonId, int]] = []
        if is_changed:
            after = None if is_whole or since is None else since - CLOCKS_DIFFER
            found = self._ties({one: one for one in groups}, after)
        unfree, moments_of_asks, names = asked or ((), (), ())
        return NetworkRows(
            version=version,
            is_whole=is_whole,
            groups=groups,
            agreed=_read_consents(consents),
            ties=found,
            latest=latest,
            unfree=frozenset(PersonId(one) for (one,) in unfree),
            asked=_gather_asks(moments_of_asks),
            named={PersonId(person): number for person, number in names},
        )

    def _ask(self, *statements: Select[Any]) -> list[Sequence[Any]]:
        """Return the rows of statements; on PostgreSQL in one trip."""
        connection, dialect = self._connection, self._connection.dialect
        together = connection.connection.pipeline() if dialect.name == "postgresql" else nullcontext()
        asked: list[tuple[Any, Any]] = [prepare_statement(one, dialect, ()) for one in statements]
        try:
            with together:
                cursors = [run_statement(connection, one.sql, one.bind({}, written)) for one, written in asked]
        except dialect.loaded_dbapi.Error as problem:
            connection._handle_dbapi_exception(problem, None, None, None, None)  # as in `run_statement`
        return [one.read(None, cursor) for (one, _), cursor in zip(asked, cursors, strict=True)]

    def _members(self) -> Select[Any]:
        return (
            select(people.c.id, people.c.group)
            .join(members, members.c.person_id == people.c.id)
            .where(members.c.movement_id == self._movement, people.c.account.is_not(None))
            .order_by(members.c.joined_at, people.c.id)
        )

    def _consents(self) -> Select[Any]:
        return select(members.c.person_id, members.c.figures).where(*self._may_be_suggested())

    def _ties(self, same: dict[PersonId, PersonId], after: datetime | None) -> list[tuple[PersonId, PersonId, int]]:
        """Read the ties between two who agreed, changed after a moment if one is given; `same` holds ids that are in
        memory already."""
        query = select(ties.c.one_id, ties.c.other_id, ties.c.strength).where(*_match_two_yeses(self._movement))
        if after is not None:
            query = query.where(ties.c.last_at >= after)
        # In batches: there may be a million of them.
        rows = self._connection.execution_options(yield_per=NETWORK_BATCH).execute(query)
        return [(same.get(one, one), same.get(other, other), strength) for one, other, strength in rows]

    def _may_be_suggested(self) -> tuple[Any, ...]:
        return members.c.movement_id == self._movement, members.c.suggestible.is_(True)

    def _unfree(self) -> Select[Any]:
        """Select who agreed, but cannot be suggested now, or not be named where the answer is read. The rule itself is
        `Person.can_be_suggested`, by which everyone is checked again."""
        held = or_(
            people.c.account.is_(None),
            people.c.name == "",
            people.c.guest.is_(True),
            people.c.deactivated_at.is_not(None),
            people.c.stopped_at.is_not(None),
            people.c.went_quiet_at.is_not(None),
            people.c.snoozed_until > self._question.now,
            and_(people.c.workspace_id != self._question.workspace, people.c.named_beyond.is_(False)),
        )
        joined = select(people.c.id).join(members, members.c.person_id == people.c.id)
        return joined.where(*self._may_be_suggested(), held)

    def _asks(self) -> Select[Any]:
        """Select when those who agreed were asked something, in whichever movement."""
        return (
            select(deliveries.c.person_id, ASKED_AT)
            .join(members, members.c.person_id == deliveries.c.person_id)
            .where(IS_ASK, deliveries.c.due_at > self._question.now - ASKS_COUNT_FOR, *self._may_be_suggested())
        )

    def _names(self) -> Select[Any]:
        """Select how often each was named."""
        many = func.count(nominations.c.nominator_id.distinct())
        return (
            select(nominations.c.nominee_id, many)
            .where(
                nominations.c.movement_id == self._movement,
                nominations.c.figure == self._question.wanted,
                nominations.c.refused.is_(False),
                nominations.c.nominator_id != self._question.asker,
            )
            .group_by(nominations.c.nominee_id)
            .having(many >= NAMED_FROM)
        )


def _read_consents(rows: Iterable[Any]) -> dict[PersonId, frozenset[KeyFigure]]:
    sets: dict[str, frozenset[KeyFigure]] = {}
    return {
        PersonId(person): sets.setdefault(str(figures), frozenset(map(KeyFigure, figures))) for person, figures in rows
    }


def _gather_asks(rows: Iterable[Any]) -> dict[PersonId, list[datetime]]:
    asked: dict[PersonId, list[datetime]] = {}
    for person, at in rows:
        asked.setdefault(PersonId(person), []).append(at)
    return asked


def _match_two_yeses(movement: MovementId) -> tuple[Any, ...]:
    """Match ties between two people who both agreed to be suggested in a movement."""
    agreed = select(members.c.person_id).where(members.c.movement_id == movement, members.c.suggestible.is_(True))
    other = members.alias()
    # Not twice the same: SQLite would look up every pair of two who agreed.
    other_agreed = select(literal(1)).where(
        other.c.movement_id == movement, other.c.person_id == ties.c.other_id, other.c.suggestible.is_(True)
    )
    return ties.c.movement_id == movement, ties.c.one_id.in_(agreed), other_agreed.exists()


@contextmanager
def _connect_to_sqlite(url: URL) -> Iterator[Connection]:
    """Open a connection to a SQLite file, in a transaction. With WAL it reads beside the writer, and neither waits."""
    with reading_engine(str(url.database)).begin() as connection:
        yield connection


@contextmanager
def _connect_to_postgresql(url: URL) -> Iterator[Connection]:
    """Open a connection to PostgreSQL, in a transaction that sees one moment (REPEATABLE READ) and takes no locks."""
    with _engine_on_postgresql(url).connect() as connection:
        connection.exec_driver_sql(ONE_MOMENT)
        yield connection  # what is not committed ends with it


@lru_cache(maxsize=4)
def _engine_on_postgresql(url: URL) -> Engine:
    from adapters.database.postgresql import hide_row_values, set_session_settings

    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=connection_timeouts(url),
        isolation_level="AUTOCOMMIT",  # each begin and end of the driver's is a trip
        use_native_hstore=False,  # looked up each time that it connects
    )
    hide_row_values(engine)
    set_session_settings(engine)
    return engine


async def count_tie_change(session: InlineSession, movement: MovementId) -> None:
    """Count that a tie of a movement was made or grew stronger."""
    await session.post(_counting(session.get_bind().dialect.name, networks.c.ties, movement))


async def count_circle_change(session: InlineSession, person: PersonId) -> None:
    """Count, in every movement of a person, that its circle changed: before they are deleted."""
    await session.post(_counting(session.get_bind().dialect.name, networks.c.circle, _movements_of(person)))


def _counting(dialect: str, column: Any, of: Any) -> Any:
    """Return the statement that counts one more change of a kind in a movement, or in those that a query finds."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    both = {name: int(name == column.name) for name in ("ties", "circle")}
    if isinstance(of, str):
        made: Any = insert(networks).values(movement_id=of, **both)
    else:
        made = insert(networks).from_select(["movement_id", *both], of.add_columns(*map(literal, both.values())))
    return made.on_conflict_do_update(index_elements=["movement_id"], set_={column.name: column + 1})


def _movements_of(person: str) -> Select[Any]:
    # In one order: two transactions that count the same movements cannot deadlock.
    return select(members.c.movement_id).where(members.c.person_id == person).order_by(members.c.movement_id)


def _note_member(_: Mapper[Any], connection: Connection, member: Member) -> None:
    if has_changed(member, "suggestible", "figures"):
        post_beside(connection, _counting(connection.dialect.name, networks.c.circle, member.movement_id))


def _note_person(_: Mapper[Any], connection: Connection, person: Person) -> None:
    if has_changed(person, "group"):
        post_beside(connection, _counting(connection.dialect.name, networks.c.circle, _movements_of(person.id)))


for _entity, _moment, _note in (
    (Member, "after_insert", _note_member),
    (Member, "after_update", _note_member),
    (Person, "after_update", _note_person),
):
    if _entity in MAPPED:  # the mapping has to be there before anybody can listen
        event.listen(_entity, _moment, _note)

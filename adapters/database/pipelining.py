"""PostgreSQL connections that make few trips: what nobody awaits is sent with what somebody does (docs/adr/0121). In
the event loop others go on while one waits for its trip (docs/adr/0125)."""

import asyncio
import logging
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Self, TypeVar

import psycopg
from psycopg.generators import send
from psycopg.pq import TransactionStatus
from psycopg.waiting import Ready, Wait
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

T = TypeVar("T")
_Posted = tuple[psycopg.Cursor[Any], str, Any, bool]
"""A statement to execute on its cursor, with its values, once or many times."""

# It warns of errors that follow from the one that is raised, and quotes them.
logging.getLogger("psycopg").addFilter(lambda record: not str(record.msg).startswith("error ignored"))


class PipelinedConnection(psycopg.Connection[Any]):
    """Keeps statements whose results nobody awaits, and sends them in one trip with the next, or with COMMIT; BEGIN
    goes with the first. An error is raised by the trip in which its statement went.

    To be opened with `autocommit=True`, and `PipelinedCursor`: psycopg's own BEGIN is a trip.
    """

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._was_cancelled = self._was_lost = False
        self._watched: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._becomes_ready: asyncio.Future[Ready] | None = None
        self._posted: list[_Posted] = []

    @property
    def in_transaction(self) -> bool:
        """True in the middle of something, and when it broke."""
        return self.pgconn.transaction_status != TransactionStatus.IDLE

    @property
    def has_posted(self) -> bool:
        """True while something is kept for the next trip."""
        return bool(self._posted)

    def refuse_commit(self) -> None:
        """Refuse to commit this transaction, whoever caught the error: a statement of it was not sent."""
        self._was_lost = True

    def raise_cancellation(self) -> None:
        """Raise what `wait` put off, once."""
        was_cancelled, self._was_cancelled = self._was_cancelled, False
        if was_cancelled:
            raise asyncio.CancelledError

    def post(self, cursor: psycopg.Cursor[Any], sql: str, values: Any, *, many: bool) -> None:
        """Execute a statement on this cursor in the next trip."""
        self._posted.append((cursor, sql, values, many))

    def send(self) -> None:
        """Make a trip with what was posted."""
        with self.next_trip():
            pass

    def next_trip(self) -> AbstractContextManager[object]:
        """Send, in one trip, what was posted and what is executed in this block. Raises `CancelledError` when the task
        was cancelled in an earlier one."""
        self.raise_cancellation()
        begins = self.pgconn.transaction_status == TransactionStatus.IDLE
        if not self._posted and not begins:
            return _NO_PIPELINE
        posted, self._posted = self._posted, []
        return _Trip(self, posted, begins=begins)

    def wait(self, gen: Generator[Wait, Ready | int, T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Run one of psycopg's generators to its end; where it waits for the server in a greenlet of the event loop,
        others go on. Who is cancelled meanwhile still waits, as the connection may not be left in the middle:
        `raise_cancellation`."""
        try:
            wants = next(gen)
            if wants != Wait.R:
                wants = gen.send(Ready.W)  # nearly always; else it wants the same again
            if not in_greenlet():
                return super().wait(_go_on(gen, wants), interval, timeout)
            while True:
                wants = gen.send(self._ready(wants))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # of this type by what the generator is

    def _ready(self, wants: Wait) -> Ready:
        """Let others go on until the socket is ready. Whatever ends the waiting itself leaves no connection in the
        middle of a statement."""
        try:
            return await_only(self._wait_for(wants))
        except BaseException:
            self.close()
            raise

    async def _wait_for(self, wants: Wait) -> Ready:
        """Wait until the socket can be read from, or written to where that is wanted; return which."""
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        if self._watched is None:
            loop.add_reader(socket, self._note_ready, Ready.R)
            self._watched = loop, socket
        while True:
            ready: asyncio.Future[Ready] = loop.create_future()
            self._becomes_ready = ready
            if wants != Wait.R:
                loop.add_writer(socket, self._note_ready, Ready.W)
            try:
                return await ready
            except asyncio.CancelledError:
                self._was_cancelled = True
            finally:
                if wants != Wait.R:
                    loop.remove_writer(socket)

    def _note_ready(self, what: Ready) -> None:
        if self._becomes_ready is not None and not self._becomes_ready.done():
            self._becomes_ready.set_result(what)

    def unwatch(self) -> None:
        """Let the event loop watch the socket no more, after a transaction: it does from the first trip on, as
        beginning and ending that each time takes longer than the rest of the waiting."""
        if self._watched is not None:
            (loop, socket), self._watched = self._watched, None
            loop.remove_reader(socket)  # also of a connection that was closed

    def commit(self) -> None:
        """Commit, in one trip with what was posted. Raises when a statement failed before, whoever caught that: the
        server would answer COMMIT by rolling back, and call it no error."""
        if self._was_lost or self.pgconn.transaction_status == TransactionStatus.INERROR:
            self.rollback()  # nobody else does, for a transaction that was to be committed
            raise psycopg.errors.InFailedSqlTransaction("a statement of this transaction failed before")
        if not self._posted:
            super().commit()
            return
        try:
            with self.next_trip():
                self.wait(self._exec_command(b"COMMIT"))
        except psycopg.Error:
            # What failed was perhaps before COMMIT, and nobody rolls back a transaction that was committed.
            with suppress(psycopg.Error):
                self.rollback()
            raise

    def rollback(self) -> None:
        """Roll back, and forget what was posted."""
        self._posted.clear()
        self._was_lost = False
        if not self.closed:
            super().rollback()


def _go_on(gen: Generator[Wait, Ready | int, T], wants: Wait) -> Generator[Wait, Ready | int, T]:
    """Go on with a generator that waits for something: whoever runs it asks first what that is."""
    while True:
        ready = yield wants
        try:
            wants = gen.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # of this type by what the generator is


_NO_PIPELINE = nullcontext()


class _Trip(psycopg.Pipeline):
    """A pipeline that begins with what was posted, and is sent at its end: psycopg's own asks after each statement
    whether it may write, and writes it. It raises the error of the statement that failed first.

    Of private methods of psycopg, whose version is pinned; tests/integration/test_trips.py counts what is sent.
    """

    def __init__(self, connection: PipelinedConnection, posted: Sequence[_Posted], *, begins: bool) -> None:
        super().__init__(connection)
        self._connection, self._posted, self._begins = connection, posted, begins

    def __enter__(self) -> Self:
        connection = self._connection
        connection._pipeline, self.level = self, 1
        self.pgconn.enter_pipeline_mode()
        try:
            if self._begins:
                connection.wait(connection._exec_command(b"BEGIN"))
            for cursor, sql, values, many in self._posted:
                (psycopg.Cursor.executemany if many else psycopg.Cursor.execute)(cursor, sql, values)
        except BaseException as problem:  # a value that cannot be sent
            connection.refuse_commit()
            self.__exit__(type(problem), problem, None)
            raise
        return self

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        try:
            self._conn.wait(self._exit_gen())
        except psycopg.Error:
            if problem is None:  # that one came first
                raise
        finally:
            self._conn._pipeline = None
            self._exit(problem)

    def _communicate_gen(self) -> Generator[Wait, Ready | int, None]:
        yield from ()

    def _exit_gen(self) -> Generator[Wait, Ready | int, None]:
        for command in self.command_queue:
            command()
        self.pgconn.pipeline_sync()
        self.result_queue.append(None)
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)


class PipelinedCursor(psycopg.Cursor[Any]):
    """Executes in the next trip of its `PipelinedConnection`, and has the result after that."""

    def execute(self, *given: Any, **settings: Any) -> Any:
        """Execute in the next trip, and await it."""
        with self.connection.next_trip():  # type: ignore[attr-defined]
            return super().execute(*given, **settings)

    def executemany(self, *given: Any, **settings: Any) -> None:
        """Execute with many values in the next trip, and await it."""
        with self.connection.next_trip():  # type: ignore[attr-defined]
            super().executemany(*given, **settings)

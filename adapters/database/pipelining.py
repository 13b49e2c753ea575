"""PostgreSQL connections that make few trips: what nobody awaits is sent with what somebody does (docs/adr/0121)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

# It warns of errors that follow from the one that is raised, and quotes them.
logging.getLogger("psycopg").addFilter(lambda record: not str(record.msg).startswith("error ignored"))


class PipelinedConnection(psycopg.Connection[Any]):
    """Keeps statements whose results nobody awaits, and sends them in one trip with the next, or with COMMIT; BEGIN
    goes with the first. An error is raised by the trip in which its statement went.

    To be opened with `autocommit=True`, and `PipelinedCursor`: psycopg's own BEGIN is a trip.
    """

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._posted: list[tuple[psycopg.Cursor[Any], str, Any, bool]] = []

    def post(self, cursor: psycopg.Cursor[Any], sql: str, values: Any, *, many: bool) -> None:
        """Execute a statement on this cursor in the next trip."""
        self._posted.append((cursor, sql, values, many))

    def send(self) -> None:
        """Make a trip with what was posted."""
        with self.next_trip():
            pass

    @contextmanager
    def next_trip(self) -> Iterator[None]:
        """Send, in one trip, what was posted and what is executed in this block."""
        posted, self._posted = self._posted, []
        begins = self.pgconn.transaction_status == TransactionStatus.IDLE
        if not posted and not begins:
            yield
            return
        with _raise_first_error(), self.pipeline():
            if begins:
                psycopg.Cursor(self).execute("BEGIN", prepare=False)
            for cursor, sql, values, many in posted:
                (psycopg.Cursor.executemany if many else psycopg.Cursor.execute)(cursor, sql, values)
            yield

    def commit(self) -> None:
        """Commit, in one trip with what was posted. Raises when a statement failed before, whoever caught that: the
        server would answer COMMIT by rolling back, and call it no error."""
        if self.pgconn.transaction_status == TransactionStatus.INERROR:
            self.rollback()  # nobody else does, for a transaction that was to be committed
            raise psycopg.errors.InFailedSqlTransaction("a statement of this transaction failed before")
        if not self._posted:
            super().commit()
            return
        try:
            with self.next_trip():
                psycopg.Cursor(self).execute("COMMIT", prepare=False)
        except psycopg.Error:
            # What failed was perhaps before COMMIT, and nobody rolls back a transaction that was committed.
            with suppress(psycopg.Error):
                self.rollback()
            raise

    def rollback(self) -> None:
        """Roll back, and forget what was posted."""
        self._posted.clear()
        super().rollback()


@contextmanager
def _raise_first_error() -> Iterator[None]:
    """Raise the error of the statement that failed, not of those that were to follow it."""
    try:
        yield
    except psycopg.errors.PipelineAborted as aborted:
        if isinstance(aborted.__context__, psycopg.Error):
            raise aborted.__context__ from None
        raise


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

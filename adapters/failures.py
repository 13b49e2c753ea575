"""Report an exception that reached the border: one line in the log with a reference, and an answer that tells only that
reference."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from bot.domain.ids import new_reference
from bot.ports import StorageUnavailable

log = structlog.get_logger("ritme")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A request that failed, by a bug of ours or because storage is `unavailable`. Its `reference` is in the log."""

    reference: str
    unavailable: bool = False

    @property
    def status(self) -> int:
        """The HTTP status; both make a platform deliver again."""
        return 503 if self.unavailable else 500

    @property
    def body(self) -> Mapping[str, str]:
        """The JSON to answer with."""
        return {"error": "try again" if self.unavailable else "internal", "reference": self.reference}


def report_failure(event: str, problem: BaseException, **about: str) -> Failure:
    """Log an exception as `event`, with a new reference, and return the failure to answer with."""
    # SQLAlchemy's own errors come from what asks the database outside a unit of work.
    unavailable = isinstance(problem, StorageUnavailable | OperationalError | InterfaceError)
    failure = Failure(reference=new_reference(), unavailable=unavailable)
    log.error(event, reference=failure.reference, exc_info=problem, **about)
    return failure

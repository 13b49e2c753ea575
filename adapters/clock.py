"""What time it is."""

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class DialClock:
    """A clock that can be set forward and then runs on: for the playground's dial and for tests.

    With `running` False it stands still until moved.
    """

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        self._running = running
        self._ahead = timedelta(0) if start is None else start - datetime.now(UTC)
        self._still = start or datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead if self._running else self._still

    def set(self, moment: datetime) -> None:
        """Moves to `moment`, an aware datetime."""
        self._ahead = moment - datetime.now(UTC)
        self._still = moment

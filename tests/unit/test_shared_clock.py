"""Processes that share a database agree on the time, also while they are busy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from adapters import clock
from adapters.clock import SYNC_READINGS, SharedClock

START = datetime(2027, 3, 1, 8, tzinfo=UTC)


class Machine:
    """Runs a monotonic clock, and a database whose answers take a while to be asked for and to be read."""

    def __init__(self, waits: Iterator[tuple[float, float]]) -> None:
        self.seconds, self._waits = 5000.0, waits

    def monotonic(self) -> float:
        return self.seconds

    def database_time(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def fetch_time(self) -> datetime:
        to_database, to_reader = next(self._waits)
        self.seconds += to_database
        answer = self.database_time()
        self.seconds += to_reader
        return answer


@pytest.mark.parametrize("place", range(SYNC_READINGS))
async def test_of_several_answers_the_quickest_tells_the_time(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    late = [(0.001, 0.080), (0.070, 0.002)]
    waits = [(0.001, 0.002) if number == place else late[number % 2] for number in range(SYNC_READINGS)]
    machine = Machine(cycle(waits))
    monkeypatch.setattr(clock, "monotonic", machine.monotonic)
    shared = SharedClock(machine.fetch_time)
    await shared.sync()
    for seconds in (0, 20):
        machine.seconds += seconds
        assert abs(shared.now() - machine.database_time()) <= timedelta(milliseconds=1.5)

"""A memory keeps things for a while, and never more than fit."""

from datetime import timedelta

from adapters.clock import SettableClock
from adapters.memory import Memory
from adapters.teams.rate_limiter import RateLimiter
from tests.support.world import MONDAY

MINUTE = timedelta(minutes=1)


def test_a_thing_is_remembered_for_a_while() -> None:
    clock = SettableClock(MONDAY, running=False)
    memory: Memory[str, int] = Memory(clock, MINUTE)
    memory.put("one", 1)
    assert (memory.get("one"), memory.get("two"), "one" in memory) == (1, None, True)
    clock.set(MONDAY + MINUTE / 2)
    memory.put("one", 2)
    clock.set(MONDAY + MINUTE)
    assert memory.get("one") == 2
    clock.set(MONDAY + MINUTE * 2)
    assert "one" not in memory


def test_what_is_old_or_too_much_is_dropped_as_more_comes() -> None:
    clock = SettableClock(MONDAY, running=False)
    memory: Memory[int, int] = Memory(clock, MINUTE, most=3)
    for number in range(5):
        memory.put(number, number)
    assert (len(memory), memory.get(1), memory.get(2)) == (3, None, 2)
    memory.put(2, 2)
    memory.put(9, 9)
    assert [memory.get(one) for one in (2, 3, 4, 9)] == [2, None, 4, 9]
    clock.set(MONDAY + MINUTE)
    memory.put(10, 10)
    assert len(memory) == 1
    memory.forget(10)
    memory.forget(11)
    assert len(memory) == 0


def test_conversations_that_nothing_was_sent_in_lately_are_not_counted_any_more() -> None:
    clock = SettableClock(MONDAY, running=False)
    limiter = RateLimiter(clock)
    for number in range(300):
        clock.set(clock.now() + MINUTE)
        limiter.acquire("teams:t", f"a:{number}")
    assert len(limiter._sent) <= 61

"""Run a worker as `ritme worker` does, but with a platform without a network, a stopped clock, and no log.

Prints a line when it takes jobs, and stops when its input ends.

Usage: python -m benchmarks.worker postgresql://… 2027-03-01T08:00:00+00:00
"""

import asyncio
import logging
import sys
from datetime import datetime

import structlog

from adapters.clock import SettableClock
from adapters.database.failures import SqlFailures
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import DistributedEngine, announce
from adapters.heap import freeze_heap
from bot.app import Ritme
from bot.chat import Post, Receipt
from bot.domain import attention
from bot.ports import Platform

CONCURRENCY = 4


class InstantMessenger:
    """A platform without a network: sending succeeds at once."""

    def __init__(self) -> None:
        self.sent = 0

    async def send(self, post: Post) -> Receipt:
        self.sent += 1
        return Receipt(channel=post.channel or "", message=f"{post.delivery}.{self.sent}")

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        return None


def lift_attention_budget() -> None:
    """Lift the attention budget: of twenty reminders in one place it would leave three, and all are to be sent."""
    attention.MAX_POSTS_PER_WEEK = sys.maxsize


async def main(url: str, now: datetime) -> None:
    """Take jobs until the input ends. `now`: the moment at which the clock stands."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lift_attention_budget()
    database = connect(url)
    engine = DistributedEngine(url, failures=SqlFailures(database), concurrency=CONCURRENCY, periodic=False)
    ritme = Ritme(
        transact=unit_of_work(database, announce),
        platforms={"bench": Platform(messenger=InstantMessenger())},
        clock=SettableClock(now, running=False),
        engine=engine,
    )
    await engine.start(ritme)
    freeze_heap()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await engine.close()
    await database.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))

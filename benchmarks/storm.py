"""The Monday 09:00 storm: 100,000 reminders over 5,000 places come due in one minute, on PostgreSQL.

Prints how fast they are planned, and how fast one worker settles them into a messenger that answers at once, beside a
bare loop that only claims and marks the same rows, and beside procrastinate running one empty job a message; memory on
the way; and how long an answer takes meanwhile, beside the same when nothing goes on.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import procrastinate
import psutil
import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from adapters.clock import DialClock
from adapters.database.unit_of_work import connect, unit_of_work
from bot.app import Platform, Ritme
from bot.chat import Account, Intent, Place, Post, Receipt
from bot.domain.person import WorkspaceId
from tests.postgres import Server

LANES = 50
START = datetime(2027, 3, 1, 7, 55, tzinfo=UTC)
DUE = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
BARE_BATCH = 200
MB = 2**20


class AtOnce:
    """A platform without a network."""

    def __init__(self) -> None:
        self.sent = 0

    async def send(self, post: Post) -> Receipt:
        self.sent += 1
        return Receipt(channel=post.channel or "", message=str(self.sent))

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        return None


class NoEngine:
    def wake(self, lane: WorkspaceId) -> None: ...


async def furnish(begin: Callable[..., object], database: object, places: int, rhythms: int) -> None:
    """Movements, places and rhythms, as the core makes them; then many more like them."""
    from bot.domain.movement import Member, Movement, MovementId, PlaceId, Role
    from bot.domain.movement import Place as Channel
    from bot.domain.person import Language, Person, PersonId, Workspace
    from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind

    each = places // LANES
    for lane in range(LANES):
        workspace = WorkspaceId(f"bench:{lane}")
        async with begin() as work:  # type: ignore[attr-defined]  # a unit of work
            work.people.add(Workspace(id=workspace, name=f"Org {lane}"))
            movement = Movement(id=MovementId(f"m{lane}"), name="Samen op pad", language=Language.NL, started_at=START)
            work.movements.add(movement)
            person = Person(
                id=PersonId(f"p{lane}"), workspace_id=workspace, account="iris", name="iris", created_at=START
            )
            work.people.add(person)
            work.movements.add(
                Member(movement_id=movement.id, person_id=person.id, role=Role.COORDINATOR, joined_at=START)
            )
            for number in range(each):
                place = Channel(
                    id=PlaceId(f"{lane}-{number}"), workspace_id=workspace, channel=f"C{number}",
                    name=f"C{number}", created_at=START,
                )  # fmt: skip
                place.movement_id = movement.id
                work.movements.add(place)
            work.rhythms.add(
                Rhythm(
                    id=RhythmId(f"r{lane}"),
                    movement_id=movement.id,
                    place_id=PlaceId(f"{lane}-0"),
                    kind=RhythmKind.STORIES,
                    rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO",
                    starts_on=DUE.date(),
                    at=DUE.replace(hour=9).time(),
                    timezone="Europe/Amsterdam",
                    next_at=DUE,
                    created_by=person.id,
                    created_at=START,
                )
            )
    async with database.begin() as connection:  # type: ignore[attr-defined]  # an engine
        columns = (await connection.exec_driver_sql(
            "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid = 'rhythms'::regclass"
            " AND attnum > 0 AND attname NOT IN ('id', 'place_id')"
        )).scalar_one()  # fmt: skip
        await connection.exec_driver_sql(
            f"INSERT INTO rhythms (id, place_id, {columns}) SELECT md5(p.id || '/' || n), p.id, "
            + ", ".join(f"r.{one}" for one in columns.split(","))
            + " FROM rhythms r JOIN places p ON p.movement_id = r.movement_id"
            + f", generate_series(1, {rhythms // places}) n"
        )
        await connection.exec_driver_sql("ANALYZE")


async def timed(what: Awaitable[int]) -> tuple[int, float]:
    began = time.perf_counter()
    done = await what
    return done, time.perf_counter() - began


async def bare(url: str, limit: float) -> tuple[int, float]:
    """Claims and marks the rows of one lane after another, and nothing else."""
    done, began = 0, time.perf_counter()
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(plain) as connection:
        for lane in range(LANES):
            while time.perf_counter() - began < limit:
                found = await connection.execute(
                    "SELECT row FROM deliveries WHERE state = 'waiting' AND workspace_id = %s AND due_at <= %s"
                    " ORDER BY priority, queued_at, row LIMIT %s FOR UPDATE SKIP LOCKED",
                    (f"bench:{lane}", DUE, BARE_BATCH),
                )
                rows = [one[0] for one in await found.fetchall()]
                if not rows:
                    break
                await connection.execute("UPDATE deliveries SET state = 'sending' WHERE row = ANY(%s)", (rows,))
                await connection.commit()
                await connection.execute("UPDATE deliveries SET state = 'sent' WHERE row = ANY(%s)", (rows,))
                await connection.commit()
                done += len(rows)
    return done, time.perf_counter() - began


async def empty_jobs(url: str, jobs: int) -> tuple[int, float]:
    """As many empty jobs, one a message."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=plain))

    @app.task(name="nothing", queue="bench")
    async def nothing(number: int) -> None: ...

    async with app.open_async():
        await nothing.batch_defer_async(*({"number": number} for number in range(jobs)))
        began = time.perf_counter()
        await app.run_worker_async(
            queues=["bench"], wait=False, listen_notify=False, install_signal_handlers=False, concurrency=10
        )
        return jobs, time.perf_counter() - began


async def answers(ritme: Ritme, count: int, pause: float) -> list[float]:
    """Milliseconds that so many `/stuck` take, one after the other."""
    took = []
    for number in range(count):
        lane = f"bench:{number % LANES}"
        intent = Intent(
            name="command",
            args={"command": "/stuck", "text": f"Nobody comes {number}"},
            actor=Account(workspace=lane, id=f"u{number}", name=f"u{number}"),
            place=Place(workspace=lane, channel="C0", name="C0"),
            key=f"{pause}/{number}",
        )
        began = time.perf_counter()
        await ritme.handle(intent)
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(pause)
    return sorted(took)


def p99(took: list[float]) -> float:
    return took[min(len(took) - 1, int(len(took) * 0.99))]


def tell(what: str, count: int, seconds: float, beside: str) -> None:
    print(f"{what:<13} {count:>8,} in {seconds:6.1f} s  {count / seconds:>8,.0f} a second  ({beside})", flush=True)


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--reminders", type=int, default=100_000)
    asked.add_argument("--places", type=int, default=5_000)
    asked.add_argument("--seconds", type=float, default=20, help="how long deliveries are measured, at most")
    given = asked.parse_args()
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder = Path(tempfile.mkdtemp(prefix="ritme-storm-"))
    with Server(folder / "postgres") as server:
        url = server.database("storm")
        database, messenger = connect(url), AtOnce()
        clock = DialClock(START, running=False)
        begin = unit_of_work(database)
        ritme = Ritme(begin=begin, platforms={"bench": Platform(messenger=messenger)}, clock=clock, engine=NoEngine())
        await furnish(begin, database, given.places, given.reminders)
        idle = await answers(ritme, 200, 0.0)
        for lane in range(LANES):  # what those left in the outbox
            while await ritme.drain(WorkspaceId(f"bench:{lane}")):
                pass
        clock.set(DUE)
        memory = psutil.Process()
        before = memory.memory_info().rss
        planned, seconds = await timed(ritme.plan())
        tell("planned", planned, seconds, "aim 20,000")
        print(f"memory        {before / MB:,.0f} MB before, {memory.memory_info().rss / MB:,.0f} MB after planning")

        async def drain(lanes: list[int], until: float) -> int:
            settled = 0
            for lane in lanes:
                while time.perf_counter() < until and (some := await ritme.drain(WorkspaceId(f"bench:{lane}"))):
                    settled += some
            return settled

        sent = messenger.sent
        ours, seconds = await timed(drain(list(range(LANES // 2)), time.perf_counter() + given.seconds))
        rate = ours / seconds
        tell("settled", ours, seconds, f"{messenger.sent - sent:,} sent, the others dropped with a reason")
        print(f"memory        {memory.memory_info().rss / MB:,.0f} MB while sending")
        draining = asyncio.create_task(drain(list(range(LANES // 2, LANES)), time.perf_counter() + 15))
        busy = await answers(ritme, 200, 0.01)
        draining.cancel()
        await asyncio.wait([draining])
        times = p99(busy) / p99(idle)
        print(f"answer        p99 {p99(idle):.0f} ms idle, {p99(busy):.0f} ms in the storm: {times:.1f} times (aim 2)")
        async with database.begin() as connection:
            await connection.execute(text("UPDATE deliveries SET state = 'waiting', due_at = :due"), {"due": DUE})
        done, seconds = await bare(url, given.seconds)
        tell("bare loop", done, seconds, f"ratio {rate / (done / seconds):.2f}, aim 0.5")
        done, seconds = await empty_jobs(url, 3_000)
        tell("empty jobs", done, seconds, f"ratio {rate / (done / seconds):.2f}, aim 3")
        await database.dispose()


if __name__ == "__main__":
    asyncio.run(main())

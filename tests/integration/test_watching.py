"""What /metrics says is what happened; and a trace holds a request with all that came of it."""

import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from adapters import logs
from adapters.bootstrap import Service
from adapters.watching import OpenTelemetry, Watching
from adapters.web import make_app
from bot import commands
from bot.ports import NoAnswer, TryLater, Unreachable
from tests.databases import BOTH
from tests.outbox import put, row
from tests.world import World, world

RHYTHM = {"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "10:00", "place": "general", "on_holiday": "skip"}
"""Every Monday, for the first time an hour after a world begins."""
Metrics = dict[tuple[str, ...], float]
"""Values by the name of a metric and its labels' values, in the order of the labels' names."""


@asynccontextmanager
async def served(here: World, watching: Watching, *parts: Callable[[web.Application], None]) -> AsyncIterator[str]:
    """The application around a world; its address."""
    service = Service(
        ritme=here.ritme, engine=here.kept.runs, database=here.database, clock=here.clock, watching=watching
    )
    runner = web.AppRunner(make_app(parts=parts, ready=service.ready, metrics=service.metrics), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def metrics(address: str) -> Metrics:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        assert answer.status == 200
        return values(await answer.text())


def values(said: str) -> Metrics:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(said)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def of(found: Metrics, name: str) -> Metrics:
    return {labels[1:]: value for labels, value in found.items() if labels[0] == name}


@pytest.fixture(params=BOTH)
async def watched(
    tmp_path: Path, request: pytest.FixtureRequest, logging_as_it_was: None
) -> AsyncIterator[tuple[World, str]]:
    """A world, and where its metrics are."""
    logs.set_up(io.StringIO())
    watching = Watching()
    async with world(tmp_path, kind=request.param, watch=watching) as here, served(here, watching) as address:
        await here.movement("fatima", "jan", channels=("general", "night", "day", "garden"))
        yield here, address


async def test_intents_are_counted_by_name_and_by_what_came_of_them(
    watched: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, address = watched

    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(commands.HANDLERS, "help", breaks)
    await here.type("fatima", "/vast De nachtdienst hoort het als laatste")
    await here.submit("jan", await here.do("jan", "stuck"))
    await here.do("jan", "what nobody ever heard of")
    await here.do("jan", "help")
    found = await metrics(address)
    assert of(found, "ritme_intents_total") == {
        ("stuck", "ok"): 2,
        ("stuck.report", "invalid"): 1,
        ("unknown", "refused"): 1,
        ("help", "broken"): 1,
    }
    assert of(found, "ritme_answer_seconds_count") == {(): 5}
    assert of(found, "ritme_answer_seconds_bucket")["+Inf",] == 5
    assert of(found, "ritme_answer_seconds_sum")[()] > 0


async def test_deliveries_are_counted_by_what_became_of_them_and_how_late_they_came(
    watched: tuple[World, str],
) -> None:
    here, address = watched
    assert of(await metrics(address), "ritme_deliveries_total") == {}
    now = here.clock.now()
    for place, failure in {
        "general": (TryLater(now + timedelta(seconds=40)), False),
        "night": (NoAnswer(), True),
        "day": (NoAnswer(), False),
        "garden": (Unreachable("not_accepted"), False),
    }.items():
        here.messenger.fail_next = [failure]
        await put(here, place, place=place)
        await here.drain()
    found = await metrics(address)
    assert of(found, "ritme_deliveries_total") == {
        ("test", "waiting"): 1,
        ("test", "unknown"): 2,
        ("test", "failed"): 1,
    }
    assert of(found, "ritme_retries_total") == {("test", "pace"): 1}
    assert of(found, "ritme_outbox_rows") == {("test", "waiting"): 1, ("test", "unknown"): 2}

    await here.pass_(minutes=1)
    found = await metrics(address)
    assert of(found, "ritme_deliveries_total") == {
        ("test", "waiting"): 2,  # once as it was asked to wait, once as it had not arrived
        ("test", "unknown"): 2,
        ("test", "failed"): 1,
        ("test", "sent"): 3,
    }
    assert of(found, "ritme_retries_total") == {("test", "pace"): 1, ("test", "not_arrived"): 1}
    assert of(found, "ritme_delivery_lag_seconds_count") == {("test",): 3}
    arrived = [await row(here, place) for place in ("general", "night", "day")]
    lags = [(one.sent_at - now).total_seconds() for one in arrived if one.sent_at is not None]
    assert max(lags) == 40
    assert of(found, "ritme_delivery_lag_seconds_sum") == {("test",): sum(lags)}
    assert of(found, "ritme_delivery_lag_seconds_bucket")["30.0", "test"] == 2
    assert of(found, "ritme_outbox_rows") == {}


async def test_what_waits_is_told_as_it_is_now_with_how_long_it_should_have_been_there(
    watched: tuple[World, str],
) -> None:
    here, address = watched
    for place in ("general", "night"):
        await put(here, place, place=place)
    await put(here, "tomorrow", due_at=here.clock.now() + timedelta(days=1))
    here.clock.set(here.clock.now() + timedelta(seconds=90))
    found = await metrics(address)
    assert of(found, "ritme_outbox_rows") == {("test", "waiting"): 3}
    assert of(found, "ritme_queue_depth") == {("test",): 2}
    assert of(found, "ritme_overdue_seconds") == {("test",): 90}
    await here.drain()
    found = await metrics(address)
    assert of(found, "ritme_queue_depth") == {("test",): 0}
    assert of(found, "ritme_overdue_seconds") == {("test",): 0}


def test_where_nothing_waits_it_says_so_and_where_nobody_knows_it_says_nothing() -> None:
    watching = Watching(platforms=("slack", "teams"))
    quiet, unknown = (values(watching.text(standing).decode()) for standing in ([], None))
    for name in ("ritme_queue_depth", "ritme_overdue_seconds"):
        assert of(quiet, name) == {("slack",): 0, ("teams",): 0}
        assert of(unknown, name) == {}


async def test_moments_of_rhythms_are_counted_once(watched: tuple[World, str]) -> None:
    here, address = watched
    await here.do("iris", "rhythm.save", args=RHYTHM)
    await here.pass_(days=14)
    assert of(await metrics(address), "ritme_planned_total") == {(): 2}


@pytest.mark.usefixtures("logging_as_it_was")
@pytest.mark.parametrize("kind", BOTH)
async def test_a_request_and_all_that_comes_of_it_are_one_trace_named_as_the_log_names_it(
    tmp_path: Path, kind: str
) -> None:
    logged, exporter = io.StringIO(), InMemorySpanExporter()
    logs.set_up(logged)
    traces = OpenTelemetry(exporter)
    watching = Watching(traces)
    async with world(tmp_path, kind=kind, watch=watching) as here:
        await here.movement("fatima", "jan")

        async def say(request: web.Request) -> web.Response:
            """Somebody types something; the answer follows through the outbox."""
            typed = {"command": "/vast", "text": await request.text()}
            await here.ritme.handle(here.intent(request.query["who"], "command", typed, answerable=False))
            return web.Response()

        async with (
            served(here, watching, partial(_mount, say)) as address,
            aiohttp.ClientSession() as session,
        ):
            for who in ("fatima", "jan"):
                async with session.post(f"{address}/say?who={who}", data="Mevrouw De Vries viel") as answer:
                    assert answer.status == 200
        await here.drain()
        async with here.database.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT person_id, correlation FROM deliveries WHERE state = 'sent'"
            )
            answers = {row.person_id: row.correlation for row in rows}
    traces.close()
    spans = exporter.get_finished_spans()
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert len(set(answers.values())) == 2
    for correlation in answers.values():
        asked, sent = sorted((one for one in spans if trace_of(one) == correlation), key=lambda one: one.name)
        assert (asked.name, sent.name) == ("intent", "send")
        assert asked.parent is not None
        assert sent.parent is not None
        assert asked.parent.span_id == sent.parent.span_id == int(correlation[:16], 16)
        events = [line["event"] for line in lines if line.get("correlation") == correlation]
        assert {"intent", "delivery"} <= set(events)
    assert len(spans) == 4
    assert "De Vries" not in str([dict(one.attributes or {}) for one in spans])


def _mount(handler: Callable[[web.Request], Awaitable[web.Response]], app: web.Application) -> None:
    app.router.add_post("/say", handler)


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"

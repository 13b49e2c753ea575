"""One trace holds a request and everything that followed from it."""

import io
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters import logs
from adapters.metrics import Metrics
from adapters.tracing import OpenTelemetry
from tests.support.databases import BOTH
from tests.support.service import serve_world
from tests.support.world import open_world


@pytest.mark.usefixtures("logging_as_it_was")
@pytest.mark.parametrize("kind", BOTH)
async def test_a_request_and_all_that_comes_of_it_are_one_trace_named_as_the_log_names_it(
    tmp_path: Path, kind: str
) -> None:
    logged, exporter = io.StringIO(), InMemorySpanExporter()
    logs.configure_logging(logged)
    tracer = OpenTelemetry(exporter)
    metrics = Metrics(tracer)
    async with open_world(tmp_path, kind=kind, telemetry=metrics) as world:
        await world.movement("fatima", "jan")

        async def say(request: web.Request) -> web.Response:
            """Handle a typed command; its answer follows through the outbox."""
            typed = {"command": "/vast", "text": await request.text()}
            await world.ritme.handle(world.intent(request.query["who"], "command", typed, answerable=False))
            return web.Response()

        async with (
            serve_world(world, metrics, partial(_mount, say)) as address,
            aiohttp.ClientSession() as session,
        ):
            for who in ("fatima", "jan"):
                async with session.post(f"{address}/say?who={who}", data="Mevrouw De Vries viel") as answer:
                    assert answer.status == 200
        await world.drain()
        async with world.database.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT person_id, correlation FROM deliveries WHERE state = 'sent'"
            )
            answers = {row.person_id: row.correlation for row in rows}
    tracer.close()
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

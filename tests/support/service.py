"""Serve a world over HTTP, with its metrics, without starting the platforms."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from adapters.bootstrap import Service
from adapters.metrics import Metrics
from adapters.web import make_app
from tests.support.world import World


@asynccontextmanager
async def serve_world(here: World, metrics: Metrics, *parts: Callable[[web.Application], None]) -> AsyncIterator[str]:
    """Serve the application around a world, with the routes that `parts` add; yield its address."""
    service = Service(
        ritme=here.ritme, engine=here.kept.runs, database=here.database, clock=here.clock, metrics=metrics
    )
    app = make_app(parts=parts, ready=service.ready, metrics=service.export_metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()

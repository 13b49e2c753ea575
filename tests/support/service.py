"""Serve a world over HTTP, with its metrics, without starting the platforms."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from adapters.metrics import Metrics
from adapters.service import Service
from adapters.web import make_operations_app
from tests.support.world import World


@asynccontextmanager
async def serve_world(world: World, metrics: Metrics, *mounts: Callable[[web.Application], None]) -> AsyncIterator[str]:
    """Serve the application around a world, with the routes that `mounts` add; yield its address."""
    service = Service(
        ritme=world.ritme, engine=world.storage.live_engine, database=world.database, clock=world.clock, metrics=metrics
    )
    # One application for both, so that a test has one address.
    app = make_operations_app(find_problems=service.find_problems, metrics=service.export_metrics)
    for mount in mounts:
        mount(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()

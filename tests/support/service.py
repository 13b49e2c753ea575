"""Serve a world over HTTP with its metrics, or every platform's routes, without starting the platforms."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from cryptography.fernet import Fernet

from adapters.bootstrap import open_service
from adapters.database.migrate import migrate_schema
from adapters.metrics import Metrics
from adapters.service import Service
from adapters.settings import Settings
from adapters.web import DEFAULT_LIMITS, RequestLimits, listen, make_app, make_operations_app, make_runner, serve_on
from tests.fakes.slack.people import SECRET
from tests.support.world import World

APP_ID = "00000000-0000-0000-0000-00000000feed"


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


@asynccontextmanager
async def serve_guarded(app: web.Application) -> AsyncIterator[int]:
    """Serve as `ritme serve` does, with its limits but not its signals; yield the port."""
    runner = make_runner(app)
    await runner.setup()
    listening = listen("127.0.0.1", 0)
    server = await serve_on(runner, listening)
    yield listening.getsockname()[1]
    server.close()
    await runner.cleanup()


@asynccontextmanager
async def serve_platforms(folder: Path, limits: RequestLimits = DEFAULT_LIMITS) -> AsyncIterator[int]:
    """Serve every route of Slack, for many workspaces, and of Teams, over a new database; yield the port."""
    settings = Settings(
        database_url=f"sqlite:///{folder / 'ritme.db'}",
        slack_signing_secret=SECRET,
        slack_client_id="1.2",
        slack_client_secret="geheim",
        secret_key=Fernet.generate_key().decode(),
        public_url="https://ritme.example.org",
        slack_api_url="http://127.0.0.1:9/api",
        teams_app_id=APP_ID,
        teams_app_password="geheim",
        teams_tenant_id=APP_ID,
    )
    service = await open_service(settings)
    await migrate_schema(service.database)
    async with serve_guarded(make_app(mounts=service.mounts, limits=limits)) as port:
        yield port
    await service.close()

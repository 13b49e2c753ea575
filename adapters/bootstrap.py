"""The composition root: the one file that knows everybody."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import DialClock, SharedClock, SystemClock
from adapters.database.migrate import is_newer, versions
from adapters.database.outbox import Outbox
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.embedded import EmbeddedEngine
from adapters.engine.work import Work
from adapters.metrics import Metrics
from adapters.settings import BadSettings, Settings
from adapters.tracing import make_tracer
from bot.app import Retention, Ritme
from bot.ports import Begin, Clock, Engine, Platform

if TYPE_CHECKING:
    from adapters.slack import SlackPlatform

log = structlog.get_logger(__name__)
PATIENCE = 2.0
"""Seconds in which the database has to answer for this process to be ready."""
CONCURRENCY = 4
"""How many lanes a worker drains at a time, unless told otherwise."""


class Runs(Engine, Protocol):
    """An engine as the service keeps it."""

    @property
    def runs(self) -> bool:
        """Whether it goes on taking work."""

    async def start(self, work: Work) -> None: ...
    async def run_until_idle(self) -> None:
        """Plans and sends all that is due, and returns when that is done."""

    async def close(self) -> None: ...


@dataclass(kw_only=True)
class Service:
    """Everything that runs, ready to be started once and closed once.

    `works` when deliveries are sent from here, and not only by workers elsewhere. `parts` add the platforms' routes;
    `openings` open connections of their own, by which requests come in, and `hushes` close those, before what is being
    sent is sent.
    """

    ritme: Ritme
    engine: Runs
    database: AsyncEngine
    clock: Clock
    metrics: Metrics
    works: bool = True
    alone: bool = True
    openings: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    hushes: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    parts: list[Callable[[web.Application], None]] = field(default_factory=list)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    started: bool = False
    _looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """What the last run left half-way is settled first; then time starts to count."""
        if isinstance(self.clock, SharedClock):
            await self.clock.look()
            self._looking = asyncio.create_task(self.clock.keep_looking(), name="clock")
        if self.alone:
            await self.ritme.recover()
        if self.works:
            await self.engine.start(self.ritme)
        self.started = True

    async def open(self) -> None:
        """Once the parts are mounted: requests may come in by other ways than HTTP, too."""
        for opening in self.openings:
            await opening()

    async def ready(self) -> dict[str, str]:
        """What is needed to do its work, by name, with what is the matter; empty when it is well. Tables that the next
        version made already serve this one, too."""
        if not self.started:
            return {"engine": "is starting"}
        try:
            async with asyncio.timeout(PATIENCE):
                current, head = await versions(self.database)
        except Exception as problem:
            log.warning("not_ready", exc_info=True)
            return {"database": type(problem).__name__}
        if current != head and not is_newer(current):
            return {"migrations": f"at {current or 'none'}, this version needs {head}"}
        if self.works and not self.engine.runs:
            return {"engine": "does not run"}
        return {}

    async def export_metrics(self) -> bytes:
        """Return what /metrics answers; while the database is away, without the statistics of the outbox."""
        try:
            async with asyncio.timeout(PATIENCE):
                return self.metrics.export(await Outbox(self.database).stats(self.clock.now()))
        except Exception:
            log.warning("outbox_unanswered", exc_info=True)
            return self.metrics.export(None)

    async def close(self) -> None:
        """Lets what is being sent be sent, then lets go of everything."""
        for hush in self.hushes:
            await hush()
        await self.engine.close()
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        for close in self.closing:
            await close()
        await self.database.dispose()


async def open_service(
    settings: Settings, *, demo: bool = False, works: bool = True, concurrency: int = CONCURRENCY
) -> Service:
    """Wires the service that these settings ask for; with `demo`, the playground instead of real platforms.

    On PostgreSQL, without `works` nothing is sent from here: workers elsewhere do; with it, up to `concurrency` lanes
    at a time.
    """
    database = connect(settings.database_url)
    dial = DialClock()
    engine: Runs
    clock: Clock
    if settings.many_processes:
        # Only who has many processes waits for what runs them to load.
        from adapters.database.failures import SqlFailures
        from adapters.database.postgresql import time_of
        from adapters.engine.distributed import DistributedEngine, announce

        clock = SharedClock(partial(time_of, database))
        engine = DistributedEngine(settings.database_url, failures=SqlFailures(database), concurrency=concurrency)
        begin = unit_of_work(database, announce)
    else:
        clock = dial if demo else SystemClock()
        engine, works = EmbeddedEngine(), True
        begin = unit_of_work(database)
    platforms: dict[str, Platform] = {}
    tracer = make_tracer()
    metrics = Metrics(tracer, platforms=platforms)
    retention = Retention(
        events=timedelta(days=settings.keep_events_days), deliveries=timedelta(days=settings.keep_deliveries_days)
    )
    ritme = Ritme(begin=begin, platforms=platforms, clock=clock, engine=engine, telemetry=metrics, retention=retention)
    alone = not settings.many_processes
    service = Service(
        ritme=ritme, engine=engine, database=database, clock=clock, works=works, alone=alone, metrics=metrics
    )
    if tracer is not None:
        service.closing.append(partial(asyncio.to_thread, tracer.close))
    if demo:
        await _open_playground(service, begin, platforms, dial, settings.host)
    else:
        if settings.slack:
            _open_slack(service, platforms, settings, clock)
        if settings.teams:
            _open_teams(service, platforms, settings, clock)
    return service


def _open_slack(service: Service, platforms: dict[str, Platform], settings: Settings, clock: Clock) -> None:
    # Only who serves Slack waits for its libraries to load.
    from adapters.database.slack import SqlInstallations
    from adapters.slack import App, Distribution, SlackPlatform
    from adapters.slack.permissions import SCOPES

    def plain(secret: SecretStr | None) -> str:
        return secret.get_secret_value() if secret is not None else ""

    many = None
    if settings.many_workspaces:
        many = Distribution(
            app=App(client_id=settings.slack_client_id or "", client_secret=plain(settings.slack_client_secret)),
            scopes=tuple(SCOPES),
            keys=settings.secret_keys,
            url=settings.base_url,
            installations=SqlInstallations(service.database),
        )
    slack = SlackPlatform(
        api_url=settings.slack_api_url,
        clock=clock,
        signing_secret=plain(settings.slack_signing_secret),
        token=plain(settings.slack_bot_token),
        app_token=plain(settings.slack_app_token),
        many=many,
    )
    platforms["slack"] = Platform(messenger=slack.messenger, directory=slack.directory)
    service.parts.append(partial(slack.mount, core=service.ritme))
    service.openings.append(partial(_opened, slack))
    service.hushes.append(slack.hush)
    service.closing.append(slack.close)


def _open_teams(service: Service, platforms: dict[str, Platform], settings: Settings, clock: Clock) -> None:
    # Only who serves Teams waits for its libraries to load.
    from adapters.database.teams import SqlConversations
    from adapters.teams import Bot, TeamsPlatform

    password = settings.teams_app_password
    bot = Bot(
        app_id=settings.teams_app_id or "",
        password=password.get_secret_value() if password is not None else "",
        tenant=settings.teams_tenant_id or "",
        tenants=settings.tenants,
        trusting=settings.teams_trusting,
        targeted=settings.teams_targeted,
    )
    teams = TeamsPlatform(bot, SqlConversations(service.database), clock, opens=service.ritme.opens)
    platforms["teams"] = Platform(messenger=teams.messenger, directory=teams.directory)
    service.parts.append(partial(teams.mount, core=service.ritme))
    service.closing.append(teams.close)


async def _opened(slack: "SlackPlatform") -> None:
    from adapters.slack import Refused

    try:
        await slack.start()
    except Refused as refused:
        raise BadSettings({"SLACK_APP_TOKEN": f"is refused by Slack ({refused.code})"}) from None


async def _open_playground(
    service: Service, begin: Begin, platforms: dict[str, Platform], clock: DialClock, host: str
) -> None:
    """The playground, with the weeks before a visitor came lived through when it is new. `host`: where it listens."""
    # Only who opens the playground waits for it to load; a gallery shows what Slack would be sent.
    from adapters.playground import history
    from adapters.playground.playground import Playground
    from adapters.slack import render, views
    from bot.chat import Form, Message

    def as_slack(shown: Message | Form) -> object:
        return views.modal(shown, {}) if isinstance(shown, Form) else render.blocks(shown)

    playground = await Playground.open(database=service.database, clock=clock)
    platforms["playground"] = Platform(messenger=playground.messenger, directory=playground.directory)
    if playground.chat.is_new:
        clock.set(history.begins())
        run_until_idle = partial(_settle, service.ritme)
        playground.connect(service.ritme, begin=begin, run_until_idle=run_until_idle)
        await history.live(playground.chat, playground.doings, playground.dial.turn, run_until_idle)
    playground.connect(
        service.ritme, begin=begin, run_until_idle=service.engine.run_until_idle, renderers={"slack": as_slack}
    )
    service.parts.append(partial(playground.mount, hosts=(host,)))


async def _settle(ritme: Ritme) -> None:
    """Plans and sends all that is due, before an engine does."""
    await ritme.plan()
    while sum([await ritme.drain(lane) for lane in await ritme.lanes_due()]):
        pass

"""The composition root: the one file that knows everybody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import DialClock, SystemClock
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.embedded import EmbeddedEngine
from adapters.settings import Settings
from bot.app import Platform, Ritme
from bot.ports import Begin, Clock


@dataclass(kw_only=True)
class Service:
    """Everything that runs, ready to be started once and closed once. `parts` add the platforms' routes."""

    ritme: Ritme
    engine: EmbeddedEngine
    database: AsyncEngine
    parts: list[Callable[[web.Application], None]] = field(default_factory=list)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    started: bool = False

    async def start(self) -> None:
        """What the last run left half-way is settled first; then time starts to count."""
        await self.ritme.recover()
        self.engine.start(self.ritme)
        self.started = True

    async def ready(self) -> bool:
        """Whether requests can be answered: started, and the database is there."""
        if not self.started:
            return False
        async with self.database.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return True

    async def close(self) -> None:
        """Lets what is being sent be sent, then lets go of everything."""
        await self.engine.close()
        for close in self.closing:
            await close()
        await self.database.dispose()


async def open_service(settings: Settings, *, demo: bool = False) -> Service:
    """Wires the service that these settings ask for; with `demo`, the playground instead of real platforms."""
    database = connect(settings.database_url)
    engine = EmbeddedEngine()
    dial = DialClock()
    clock: Clock = dial if demo else SystemClock()
    platforms: dict[str, Platform] = {}
    begin = unit_of_work(database)
    ritme = Ritme(begin=begin, platforms=platforms, clock=clock, engine=engine)
    service = Service(ritme=ritme, engine=engine, database=database)
    if demo:
        await _open_playground(service, begin, platforms, dial, settings.host)
    if settings.slack_signing_secret and settings.slack_bot_token and not demo:
        # Only who serves Slack waits for its libraries to load.
        from adapters.slack import SlackPlatform

        slack = SlackPlatform(
            signing_secret=settings.slack_signing_secret.get_secret_value(),
            token=settings.slack_bot_token.get_secret_value(),
            api_url=settings.slack_api_url,
            clock=clock,
        )
        platforms["slack"] = Platform(messenger=slack.messenger, directory=slack.directory)
        service.parts.append(partial(slack.mount, handle=ritme.handle))
        service.closing.append(slack.close)
    return service


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
        settle = partial(_settle, service.ritme)
        playground.connect(service.ritme, begin=begin, settle=settle)
        await history.live(playground.chat, playground.doings, playground.dial.turn, settle)
    playground.connect(service.ritme, begin=begin, settle=service.engine.settle, renderers={"slack": as_slack})
    service.parts.append(partial(playground.mount, hosts=(host,)))


async def _settle(ritme: Ritme) -> None:
    """Plans and sends all that is due, before an engine does."""
    await ritme.plan()
    while sum([await ritme.drain(lane) for lane in await ritme.lanes_due()]):
        pass

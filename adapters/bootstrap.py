"""The composition root: the one file that knows everybody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import DialClock, SystemClock
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.embedded import EmbeddedEngine
from adapters.settings import BadSettings, Settings
from bot.app import Platform, Ritme
from bot.ports import Begin, Clock

if TYPE_CHECKING:
    from adapters.slack import SlackPlatform


@dataclass(kw_only=True)
class Service:
    """Everything that runs, ready to be started once and closed once.

    `parts` add the platforms' routes; `openings` open connections of their own, by which requests come in, and
    `hushes` close those, before what is being sent is sent.
    """

    ritme: Ritme
    engine: EmbeddedEngine
    database: AsyncEngine
    openings: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    hushes: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    parts: list[Callable[[web.Application], None]] = field(default_factory=list)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    started: bool = False

    async def start(self) -> None:
        """What the last run left half-way is settled first; then time starts to count."""
        await self.ritme.recover()
        self.engine.start(self.ritme)
        self.started = True

    async def open(self) -> None:
        """Once the parts are mounted: requests may come in by other ways than HTTP, too."""
        for opening in self.openings:
            await opening()

    async def ready(self) -> bool:
        """Whether requests can be answered: started, and the database is there."""
        if not self.started:
            return False
        async with self.database.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return True

    async def close(self) -> None:
        """Lets what is being sent be sent, then lets go of everything."""
        for hush in self.hushes:
            await hush()
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
    from adapters.slack.needs import SCOPES

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

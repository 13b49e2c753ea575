"""Compose the service from the settings: the one module that imports every adapter.

Platforms and PostgreSQL's engine are imported by the function that needs them, so that a process does not wait for
libraries it does not use.
"""

import asyncio
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from secrets import token_bytes, token_hex
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.api import ApiSite, api_address
from adapters.clock import SettableClock, SharedClock, SystemClock
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.embedded import EmbeddedEngine
from adapters.feed_links import feeds_address, mount_feeds
from adapters.file_links import FileLinks, mount_files
from adapters.metrics import Metrics
from adapters.network_process import NetworkProcess
from adapters.pages.links import PageLinks
from adapters.pages.web import PagesSite
from adapters.privacy_pages import mount_privacy
from adapters.service import Service, ServiceEngine
from adapters.settings import BadSettings, Settings
from adapters.tracing import make_tracer
from adapters.typesetting import TypstTypesetter
from adapters.vault import SecretVault
from bot.app import Retention, Ritme
from bot.chat import CommandSyntax
from bot.domain.webhook import WEBHOOKS
from bot.ports import Clock, Platform, Transactions

if TYPE_CHECKING:
    from adapters.slack.platform import SlackPlatform

CONCURRENCY = 4
"""Lanes a worker drains at a time, unless told otherwise."""


async def open_service(
    settings: Settings, *, demo: bool = False, sends_deliveries: bool = True, concurrency: int = CONCURRENCY
) -> Service:
    """Create the service that these settings ask for; with `demo`, the playground instead of real platforms.

    On PostgreSQL this process sends for up to `concurrency` lanes at a time; without `sends_deliveries` it leaves
    sending to workers elsewhere. On SQLite it always sends.
    """
    database = connect(settings.database_url)
    settable_clock = SettableClock()
    if settings.is_multi_process:
        engine, clock, transact = _open_shared_engine(settings.database_url, database, concurrency)
    else:
        engine, clock = EmbeddedEngine(), settable_clock if demo else SystemClock()
        transact = unit_of_work(database)
    platforms: dict[str, Platform] = {}
    tracer = make_tracer()
    metrics = Metrics(tracer, platforms=platforms)
    retention = Retention(
        events=timedelta(days=settings.keep_events_days),
        deliveries=timedelta(days=settings.keep_deliveries_days),
        closed=timedelta(days=settings.keep_closed_days),
        left=timedelta(days=settings.forget_left_days),
    )
    networks = NetworkProcess()
    vault = _make_vault(settings, demo=demo)
    ritme = Ritme(
        transact=transact,
        platforms=platforms,
        clock=clock,
        engine=engine,
        telemetry=metrics,
        retention=retention,
        silent_after=timedelta(weeks=settings.silent_weeks),
        works_council=settings.works_council,
        networks=networks,
        typesetter=TypstTypesetter(),
        vault=vault,
    )
    service = Service(
        ritme=ritme,
        engine=engine,
        database=database,
        clock=clock,
        sends_deliveries=sends_deliveries or not settings.is_multi_process,
        is_single_process=not settings.is_multi_process,
        metrics=metrics,
    )
    service.close_hooks.append(networks.close)
    service.mounts.append(partial(mount_privacy, settings, clock))
    if tracer is not None:
        service.close_hooks.append(partial(asyncio.to_thread, tracer.close))
    if demo:
        here = PageLinks((token_hex(),), "", settings.base_url)  # followed from the playground's own page
        service.mounts.append(PagesSite(service.ritme, here, clock).mount)
        await _open_playground(service, transact, platforms, settable_clock, settings.host, here)
        _serve_feeds(service, platforms, settings.base_url)
    else:
        links, pages = _make_file_links(settings), _make_page_links(settings)
        if links is not None:
            service.mounts.append(mount_files(links, clock, service.ritme))
        if pages is not None:
            service.mounts.append(PagesSite(service.ritme, pages, clock).mount)
        if settings.serves_slack:
            _open_slack(service, platforms, settings, clock, links, pages)
        if settings.serves_teams:
            _open_teams(service, platforms, settings, clock, links, pages)
        _serve_feeds(service, platforms, _public_address(settings))
    if vault is not None and vault.lasting:
        from adapters.webhooks import WebhookMessenger

        messenger = WebhookMessenger(vault, clock)
        platforms[WEBHOOKS] = Platform(messenger=messenger)
        service.close_hooks.append(messenger.close)
    return service


def _serve_feeds(service: Service, platforms: dict[str, Platform], url: str | None) -> None:
    """Serve people's calendars, and what programs outside read, where these can reach us."""
    if url is None:
        return
    for name, platform in platforms.items():
        platforms[name] = replace(platform, feeds=feeds_address(url, name), api=api_address(url))
    service.mounts.append(mount_feeds(service.ritme))
    service.mounts.append(ApiSite(service.ritme.api, url).mount)


def _open_shared_engine(url: str, database: AsyncEngine, concurrency: int) -> tuple[ServiceEngine, Clock, Transactions]:
    """Create what several processes on one PostgreSQL database share: the engine, the clock and units of work."""
    from adapters.database.failures import SqlFailures
    from adapters.database.postgresql import database_time
    from adapters.engine.distributed import DistributedEngine, announce

    engine = DistributedEngine(url, failures=SqlFailures(database), concurrency=concurrency)
    return engine, SharedClock(partial(database_time, database)), unit_of_work(database, announce)


def _make_vault(settings: Settings, *, demo: bool) -> SecretVault | None:
    """Return what encrypts secrets: with the keys that were set, or, for what waits to be sent only, with one made of
    what signs links; None without either. A playground can do without a key that outlives this process."""
    if demo:
        return SecretVault((urlsafe_b64encode(token_bytes(32)).decode(),))
    made = [urlsafe_b64encode(sha256(f"outbox {one}".encode()).digest()).decode() for one in _link_secrets(settings)]
    keys = (*settings.secret_keys, *made)  # what waits while a key is set for the first time can still be opened
    return SecretVault(keys, lasting=bool(settings.secret_keys)) if keys else None


def _make_file_links(settings: Settings) -> FileLinks | None:
    """Return the links by which people open files of their own; None where their browsers cannot reach us."""
    url, secrets = _public_address(settings), _link_secrets(settings)
    return FileLinks(secrets, url) if url and secrets else None


def _make_page_links(settings: Settings) -> PageLinks | None:
    """Return the links by which people open their pages; None where their browsers cannot reach us."""
    url, secrets = _public_address(settings), _link_secrets(settings)
    return PageLinks(secrets, url) if url and secrets else None


def _public_address(settings: Settings) -> str | None:
    return settings.public_url or (settings.base_url if settings.is_teams_auth_disabled else None)


def _link_secrets(settings: Settings) -> tuple[str, ...]:
    """Return what signs links: the tokens' key where there is one, else whichever secret every process has; the latter
    still opens links that were given before there was a key."""
    others = (settings.teams_app_password, settings.slack_signing_secret, settings.slack_bot_token)
    secrets = (*settings.secret_keys, *tuple(one.get_secret_value() for one in others if one is not None)[:1])
    if not secrets and settings.is_teams_auth_disabled:
        return (token_hex(),)  # a test on this machine, in one process
    return secrets


def _open_slack(
    service: Service,
    platforms: dict[str, Platform],
    settings: Settings,
    clock: Clock,
    links: FileLinks | None,
    pages: PageLinks | None,
) -> None:
    """Connect Slack: its messenger and directory to the core, its routes and connections to the service."""
    from adapters.database.slack import SqlInstallations
    from adapters.slack.permissions import SCOPES
    from adapters.slack.platform import Distribution, SlackPlatform
    from adapters.slack.tokens import AppCredentials

    def reveal(secret: SecretStr | None) -> str:
        return secret.get_secret_value() if secret is not None else ""

    many = None
    if settings.is_multi_workspace:
        many = Distribution(
            app=AppCredentials(
                client_id=settings.slack_client_id or "", client_secret=reveal(settings.slack_client_secret)
            ),
            scopes=tuple(SCOPES),
            keys=settings.secret_keys,
            url=settings.base_url,
            installations=SqlInstallations(service.database),
        )
    command, *shortcuts = settings.slack_commands
    words = frozenset(one.removeprefix("/") for one in shortcuts)
    syntax = CommandSyntax(platform="slack", app=settings.app_name, command=command, shortcuts=words, pages=pages)
    slack = SlackPlatform(
        api_url=settings.slack_api_url,
        clock=clock,
        signing_secret=reveal(settings.slack_signing_secret),
        token=reveal(settings.slack_bot_token),
        app_token=reveal(settings.slack_app_token),
        many=many,
        syntax=syntax,
        links=links,
    )
    platforms["slack"] = slack.ports
    service.mounts.append(partial(slack.mount, core=service.ritme))
    service.start_hooks.append(partial(_start_slack, slack))
    service.stop_intake_hooks.append(slack.stop_receiving)
    service.close_hooks.append(slack.close)


def _open_teams(
    service: Service,
    platforms: dict[str, Platform],
    settings: Settings,
    clock: Clock,
    links: FileLinks | None,
    pages: PageLinks | None,
) -> None:
    """Connect Teams: its messenger and directory to the core, its routes to the service."""
    from adapters.database.teams import SqlConversations
    from adapters.teams.platform import AppRegistration, TeamsPlatform

    password = settings.teams_app_password
    registration = AppRegistration(
        app_id=settings.teams_app_id or "",
        name=settings.app_name,
        password=password.get_secret_value() if password is not None else "",
        tenant=settings.teams_tenant_id or "",
        tenants=settings.tenants,
        auth_disabled=settings.is_teams_auth_disabled,
        targeted=settings.teams_targeted,
    )
    teams = TeamsPlatform(
        registration, SqlConversations(service.database), clock, opens=service.ritme.opens, links=links, pages=pages
    )
    platforms["teams"] = teams.ports
    service.mounts.append(partial(teams.mount, core=service.ritme))
    service.close_hooks.append(teams.close)


async def _start_slack(slack: "SlackPlatform") -> None:
    """Start Slack's own connection, if it has one. Raises `BadSettings` when Slack refuses the app-level token."""
    from adapters.slack.socket import ConnectionRefused

    try:
        await slack.start()
    except ConnectionRefused as refused:
        raise BadSettings({"SLACK_APP_TOKEN": f"is refused by Slack ({refused.code})"}) from None


async def _open_playground(
    service: Service,
    transact: Transactions,
    platforms: dict[str, Platform],
    clock: SettableClock,
    host: str,
    pages: PageLinks,
) -> None:
    """Connect the playground; when it is new, replay the weeks before a visitor came. `host` is where it listens."""
    from adapters.playground import history
    from adapters.playground.playground import Playground
    from adapters.slack import render, views
    from bot.chat import Form, Message

    def render_for_slack(shown: Message | Form) -> object:
        return views.render_modal(shown, {}) if isinstance(shown, Form) else render.render_blocks(shown)

    playground = await Playground.open(database=service.database, clock=clock)
    platforms["playground"] = Platform(
        messenger=playground.messenger, directory=playground.directory, syntax=CommandSyntax(pages=pages)
    )
    if playground.chat.is_new:
        clock.set(history.start_of())
        # The engine starts later; until then, this plans and sends.
        run_until_idle = partial(_run_until_idle, service.ritme)
        playground.connect(service.ritme, transact=transact, run_until_idle=run_until_idle)
        await history.replay(playground.chat, playground.actions, playground.clock_control.advance, run_until_idle)
    playground.connect(
        service.ritme,
        transact=transact,
        run_until_idle=service.engine.run_until_idle,
        renderers={"slack": render_for_slack},
    )
    service.mounts.append(partial(playground.mount, hosts=(host,)))


async def _run_until_idle(ritme: Ritme) -> None:
    """Plan and send all that is due, without an engine."""
    await ritme.plan()
    while sum([await ritme.drain(lane) for lane in await ritme.lanes_due()]):
        pass

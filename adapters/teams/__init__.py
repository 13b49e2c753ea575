"""Teams: activities in, activities out. A workspace is "teams:<tenant id>"."""

from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from adapters.teams import pages
from adapters.teams.auth import AUTHORITY, HOSTS, METADATA, ClientCredentials, Keys, NoCredentials, TokenValidator
from adapters.teams.cards import written
from adapters.teams.connector import Connector
from adapters.teams.directory import TeamsDirectory
from adapters.teams.inbound import Core, Inbound
from adapters.teams.messages_endpoint import MessagesEndpoint
from adapters.teams.outbound import TeamsMessenger
from adapters.teams.rate_limiter import RateLimiter
from adapters.teams.references import Kept, References
from adapters.teams.signer import Signer
from bot.ports import Clock

PATIENCE = 10.0
"""Seconds a call may take; after that it counts as one without an answer."""

__all__ = ["Bot", "TeamsPlatform"]


@dataclass(frozen=True, kw_only=True)
class Bot:
    """The app registration we are. `tenants` may use it; none named: whoever Teams lets in. With `trusting`, which only
    a test on this machine may ask for, nobody proves who they are."""

    app_id: str
    password: str = field(default="", repr=False)
    tenant: str = ""
    tenants: frozenset[str] = frozenset()
    trusting: bool = False
    targeted: bool = False
    authority: str = AUTHORITY
    metadata: str = METADATA
    hosts: tuple[str, ...] = HOSTS


class TeamsPlatform:
    """Everything about Teams. Made inside a running event loop; closed once. `opens`: what opens a dialog."""

    def __init__(
        self, bot: Bot, kept: Kept, clock: Clock, *, opens: frozenset[str], patience: float = PATIENCE
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=patience), trust_env=True, json_serialize=written
        )
        self.references = References(kept, clock)
        tokens: ClientCredentials | NoCredentials = NoCredentials()
        if not bot.trusting:
            tokens = ClientCredentials(
                self._session,
                clock,
                app_id=bot.app_id,
                password=bot.password,
                tenant=bot.tenant,
                authority=bot.authority,
            )
        connector = Connector(self._session, tokens, clock)
        self._seal = Signer(f"{bot.app_id}:{bot.password}")
        self.messenger = TeamsMessenger(
            connector, self.references, RateLimiter(clock), clock, opens=opens, seal=self._seal, targeted=bot.targeted
        )
        self.directory = TeamsDirectory(connector, self.references, clock)

    def mount(self, app: web.Application, core: Core) -> None:
        """Adds Teams' addresses to the application; `core` is what activities are handed to."""
        keys = None if self._bot.trusting else Keys(self._session, self._clock, self._bot.metadata)
        gate = TokenValidator(
            keys, self._clock, app_id=self._bot.app_id, tenants=self._bot.tenants, hosts=self._bot.hosts
        )
        MessagesEndpoint(Inbound(core, self.references, self._seal).receive, gate).mount(app)
        pages.mount(app)

    async def close(self) -> None:
        await self._session.close()

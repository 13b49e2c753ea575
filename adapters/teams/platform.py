"""Teams: activities in, activities out. A workspace is "teams:<tenant id>"."""

from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from adapters.file_links import FileLinks
from adapters.teams.apologies import Apologies
from adapters.teams.auth import KEYS_FETCH_TIMEOUT, OPENID_METADATA_URL, SERVICE_HOSTS, SigningKeys, TokenValidator
from adapters.teams.cards import dump_json
from adapters.teams.connector import Connector, ConnectorTokens
from adapters.teams.credentials import AUTHORITY, ClientCredentials, NoCredentials
from adapters.teams.directory import TeamsDirectory
from adapters.teams.inbound import TeamsCore, TeamsInbound
from adapters.teams.messages_endpoint import MessagesEndpoint
from adapters.teams.outbound import TeamsMessenger
from adapters.teams.pages import mount_pages
from adapters.teams.rate_limiter import RateLimiter
from adapters.teams.references import ConversationReferences, ConversationStore
from adapters.teams.signer import Signer
from bot.chat import CommandSyntax, PageAddresses
from bot.ports import Clock, Platform

TEAMS_CALL_TIMEOUT = 10.0
"""Seconds a call may take; after that it counts as one without an answer."""


@dataclass(frozen=True, kw_only=True)
class AppRegistration:
    """The app registration at Microsoft that we are.

    `tenants` may use the bot; none named: whoever Teams lets in. With `auth_disabled`, which only a test on this
    machine may ask for, nobody proves who they are. `targeted`: see `TeamsMessenger`. `name` is what people call us.
    """

    app_id: str
    name: str = "Ritme"
    password: str = field(default="", repr=False)
    tenant: str = ""
    tenants: frozenset[str] = frozenset()
    auth_disabled: bool = False
    targeted: bool = False
    authority: str = AUTHORITY
    metadata: str = OPENID_METADATA_URL
    hosts: tuple[str, ...] = SERVICE_HOSTS


class TeamsPlatform:
    """Everything about Teams. Made inside a running event loop; closed once. `opens`: intents that open a dialog."""

    def __init__(
        self,
        registration: AppRegistration,
        store: ConversationStore,
        clock: Clock,
        *,
        opens: frozenset[str],
        timeout: float = TEAMS_CALL_TIMEOUT,
        keys_timeout: float = KEYS_FETCH_TIMEOUT,
        links: FileLinks | None = None,
        pages: PageAddresses | None = None,
    ) -> None:
        self._registration = registration
        self._clock = clock
        self.syntax = CommandSyntax(
            platform="teams", app=registration.name, command="", shortcuts=frozenset(), pages=pages
        )
        # One session for all calls: it keeps connections open between them.
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout), json_serialize=dump_json)
        self.references = ConversationReferences(store, clock)
        connector = Connector(self._session, self._connector_tokens(), clock)
        self._signer = Signer(f"{registration.app_id}:{registration.password}")
        self.messenger = TeamsMessenger(
            connector,
            self.references,
            RateLimiter(clock),
            clock,
            opens=opens,
            signer=self._signer,
            targeted=registration.targeted,
            links=links,
            syntax=self.syntax,
        )
        self.directory = TeamsDirectory(connector, self.references, clock)
        self.keys = SigningKeys(self._session, clock, registration.metadata, fetch_timeout=keys_timeout)

    def _connector_tokens(self) -> ConnectorTokens:
        registration = self._registration
        if registration.auth_disabled:
            return NoCredentials()
        return ClientCredentials(
            self._session,
            self._clock,
            app_id=registration.app_id,
            password=registration.password,
            tenant=registration.tenant,
            authority=registration.authority,
        )

    @property
    def ports(self) -> Platform:
        """The ports that the core gets."""
        return Platform(
            messenger=self.messenger,
            directory=self.directory,
            syntax=self.syntax,
            tells_departures=False,
            answers_directly=True,
        )

    def mount(self, app: web.Application, core: TeamsCore) -> None:
        """Add Teams' addresses to the application; `core` is what activities are handed to."""
        registration = self._registration
        validator = TokenValidator(
            None if registration.auth_disabled else self.keys,
            self._clock,
            app_id=registration.app_id,
            tenants=registration.tenants,
            hosts=registration.hosts,
        )
        inbound = TeamsInbound(core, self.references, self._signer, self._clock)
        apologies = Apologies(self.messenger, self.syntax, self._clock)
        MessagesEndpoint(inbound.receive, validator, apologies).mount(app)
        mount_pages(app, self.syntax)

    async def close(self) -> None:
        """Close the connections to Microsoft."""
        await self.keys.close()
        await self._session.close()

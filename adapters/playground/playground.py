"""Assemble the playground for the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SettableClock
from adapters.file_links import FileSource
from adapters.playground import clock_control
from adapters.playground.actions import IntentHandler, PersonaActions
from adapters.playground.activity import OutboxActivity
from adapters.playground.api import PlaygroundApi
from adapters.playground.broadcaster import Broadcaster
from adapters.playground.chat import Chat
from adapters.playground.clock_control import ClockControl, Schedule
from adapters.playground.message_gallery import Renderer
from adapters.playground.messenger import PlaygroundDirectory, PlaygroundMessenger
from adapters.playground.personas import WORKSPACE
from adapters.playground.store import PlaygroundStore
from adapters.playground.web import mount_playground
from bot.domain.person import Language, WorkspaceId
from bot.ports import Transact, UnitOfWork


class PlaygroundCore(IntentHandler, Schedule, FileSource, Protocol):
    """The part of the core that the playground needs: Ritme."""


class Playground:
    """The whole playground.

    Open it, give its `messenger` and `directory` to the core, then `connect` that core and `mount` the page.
    """

    def __init__(self, *, chat: Chat, clock: SettableClock, broadcaster: Broadcaster) -> None:
        self.chat = chat
        self.messenger = PlaygroundMessenger(chat, clock)
        self.directory = PlaygroundDirectory(chat)
        self.actions: PersonaActions
        self.clock_control: ClockControl
        self._clock = clock
        self._broadcaster = broadcaster
        self._api: PlaygroundApi

    @classmethod
    async def open(cls, *, database: AsyncEngine, clock: SettableClock) -> "Playground":
        """Load the playground saved in this database, and set `clock` to the time it had come to."""
        broadcaster = Broadcaster()
        chat = Chat(PlaygroundStore(database), broadcaster)
        settings = await chat.load()
        clock_control.restore_clock(clock, settings.get(clock_control.CLOCK_SETTING))
        opened = cls(chat=chat, clock=clock, broadcaster=broadcaster)
        # The caller may have set the clock already, as a test does: a restart has to find that time.
        await clock_control.save_clock(chat, clock)
        return opened

    def connect(
        self,
        core: PlaygroundCore,
        *,
        transact: Transact,
        run_until_idle: Callable[[], Awaitable[None]],
        renderers: Mapping[str, Renderer] | None = None,
    ) -> None:
        """Connect the core. May be called again to replace it.

        `run_until_idle` plans and sends all that is due and then returns; `renderers`, by platform, show in the gallery
        what other platforms would be sent.
        """
        self.actions = PersonaActions(chat=self.chat, core=core, clock=self._clock)
        self.clock_control = ClockControl(
            clock=self._clock,
            schedule=core,
            run_until_idle=run_until_idle,
            chat=self.chat,
            broadcaster=self._broadcaster,
        )

        async def set_language(persona: str, language: Language) -> None:
            await self.chat.set_language(persona, language.value)

            async def remember(work: UnitOfWork) -> None:
                person = await work.people.by_account(WorkspaceId(WORKSPACE), persona)
                if person is not None:
                    person.language = language

            await transact(remember)

        self._api = PlaygroundApi(
            chat=self.chat,
            actions=self.actions,
            clock_control=self.clock_control,
            activity=OutboxActivity(transact),
            broadcaster=self._broadcaster,
            set_language=set_language,
            renderers=renderers or {},
            files=core,
        )

    def mount(self, app: web.Application, *, hosts: tuple[str, ...] = ()) -> None:
        """Add the routes; `hosts` are names it is served under beside those of this machine."""
        mount_playground(app, self._api, hosts=hosts)

"""The playground as the composition root sees it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import DialClock
from adapters.playground import dial
from adapters.playground.activity import Activity
from adapters.playground.chat import Chat
from adapters.playground.dial import Dial, Planned
from adapters.playground.doings import Core, Doings
from adapters.playground.gallery import Renderer
from adapters.playground.hub import Hub
from adapters.playground.messenger import PlaygroundDirectory, PlaygroundMessenger
from adapters.playground.personas import WORKSPACE
from adapters.playground.shelf import Shelf
from adapters.playground.web import Api, mount
from bot.domain.person import Language, WorkspaceId
from bot.ports import Begin


class Ritme(Core, Planned, Protocol):
    """What the playground asks of the core."""


class Playground:
    """Open it, give its `messenger` and `directory` to the core, then `connect` that core and `mount` the page."""

    def __init__(self, *, chat: Chat, clock: DialClock, hub: Hub) -> None:
        self.chat = chat
        self.messenger = PlaygroundMessenger(chat, clock)
        self.directory = PlaygroundDirectory(chat)
        self.doings: Doings
        self.dial: Dial
        self._clock = clock
        self._hub = hub
        self._api: Api

    @classmethod
    async def open(cls, *, database: AsyncEngine, clock: DialClock) -> "Playground":
        """The playground kept in this database; turns `clock` to where its dial was left."""
        hub = Hub()
        chat = Chat(Shelf(database), hub)
        settings = await chat.open()
        dial.resume(clock, settings.get(dial.SETTING))
        opened = cls(chat=chat, clock=clock, hub=hub)
        await opened.keep_time()
        return opened

    async def keep_time(self) -> None:
        """Keeps what time it is for after a restart: for whoever sets the clock without the dial."""
        await dial.remember(self.chat, self._clock)

    def connect(
        self,
        core: Ritme,
        *,
        begin: Begin,
        run_until_idle: Callable[[], Awaitable[None]],
        renderers: Mapping[str, Renderer] | None = None,
    ) -> None:
        """Gives the playground its core. `run_until_idle` plans and sends all that is due and then returns;
        `renderers` show in the gallery what other platforms would be sent."""
        self.doings = Doings(chat=self.chat, core=core, clock=self._clock)
        self.dial = Dial(clock=self._clock, planned=core, run_until_idle=run_until_idle, chat=self.chat, hub=self._hub)

        async def speak(persona: str, language: Language) -> None:
            await self.chat.speak(persona, language.value)
            async with begin() as work:
                person = await work.people.by_account(WorkspaceId(WORKSPACE), persona)
                if person is not None:
                    person.language = language

        self._api = Api(
            chat=self.chat,
            doings=self.doings,
            dial=self.dial,
            activity=Activity(begin),
            hub=self._hub,
            speak=speak,
            renderers=renderers or {},
        )

    def mount(self, app: web.Application, *, hosts: tuple[str, ...] = ()) -> None:
        """Adds the routes; `hosts` are names it is served under beside those of this machine."""
        mount(app, self._api, hosts=hosts)

"""The pages in a browser: what people see in chat, of a whole movement at a time.

A page is a row of answers: each part is what the core answers to an intent, as its use case gives it to this reader. So
nobody reads on a page what they could not read in chat, and everything on it is changed by the same intents.
"""

from asyncio import sleep
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from bot import commands, wording
from bot.catalogue.base import Entry, FormEntry, InPlace, PageEntry
from bot.catalogue.home import Home
from bot.catalogue.meanings import CloudDrawn
from bot.catalogue.offers import FormOffered
from bot.catalogue.spreads import SpreadDrawn
from bot.chat import (
    Account,
    BrowserPage,
    ChatPlace,
    CommandSyntax,
    Intent,
    Message,
    Page,
    Paragraph,
    PostedPicture,
    Section,
    Span,
    Visitor,
)
from bot.domain.initiative import InitiativeId
from bot.domain.magazine import MagazineId
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSessionId, digest_secret
from bot.domain.person import KEEP_CLOSED, Person, platform_of
from bot.errors import Refused
from bot.outside import say_readers_outside
from bot.ports import Clock, Platform, Turn, Typesetter, UnitOfWork, Vault
from bot.ports.turn import language_for, timezone_for
from bot.transactions import TransactionRunner
from bot.use_cases.movements import look_backs, quilts, spreading
from bot.use_cases.pages import boards, coordinating, sessions
from bot.use_cases.rhythms import changing, year
from bot.use_cases.stories import magazines, meanings, searching
from bot.wording import Reader

PAGE_WORDS = "pages/layout.md.j2"
"""The words around what pages show."""
FIRST = "movement"
"""The page that a link opens."""
SEARCH_ARGS = ("text", "initiative", "dimension", "group", "period", "after")
"""Names of what the page of a search can be asked with."""
Load = Callable[[UnitOfWork, Turn], Awaitable[Sequence[Entry]]]
"""Loads the entries of a part: the first is the part itself, the others are its items."""


def _answer(intent: str) -> Load:
    """Return what loads the answer to an intent as a part; nothing where it is refused."""

    async def load(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
        outcome = await commands.HANDLERS[intent](work, turn)
        entry = outcome.entry if isinstance(outcome, InPlace) else outcome
        if isinstance(entry, FormEntry):
            title = wording.render_sentence(entry.template, "title", _reader(turn))
            return (FormOffered(title=title, intent=entry.opener or intent),)
        return (entry,) if entry is not None else ()

    return load


def _only(load: Callable[[UnitOfWork, Turn], Awaitable[Entry]]) -> Load:
    async def one(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
        return (await load(work, turn),)

    return one


async def _load_rhythms(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    """Load the rhythms, each with its next moments and the reasons of those that are skipped."""
    return await changing.show_each(work, turn)


async def _load_coming(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    home = await commands.HANDLERS["home"](work, turn)
    return (home.moments,) if isinstance(home, Home) and home.moments is not None else ()


async def _load_search_form(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    return (await searching.narrow(work, turn),)


async def _search_stories(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    """Search for what the form was sent with; empty, it finds the newest stories."""
    asked = any(turn.text(name) for name in SEARCH_ARGS)
    return await _answer("search" if asked else "search.filled")(work, turn)


async def _load_quilt(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    drawn = await quilts.load_quilt(work, turn.require_movement(), turn.person.workspace_id)
    return (drawn,) if drawn is not None else ()


async def _load_history(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    drawn = await look_backs.load_drawing(work, turn)
    return (drawn,) if drawn is not None else ()


async def _load_year(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    drawn = await year.load_year(work, turn.require_movement(), turn.language, turn.now)
    return (drawn,) if drawn.rhythms else ()


async def _load_cloud(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    shown = await meanings.show_cloud(work, turn)
    return (shown,) if isinstance(shown, CloudDrawn) else ()


async def _load_map(work: UnitOfWork, turn: Turn) -> Sequence[Entry]:
    shown = await spreading.show_map(work, turn)
    return (shown,) if isinstance(shown, SpreadDrawn) else ()


@dataclass(frozen=True)
class Part:
    """A part of a page: under which heading (a block of `PAGE_WORDS`; an entry with a title has its own), and what.

    `items`: its entries are items under the heading, each by itself. `drawing`: the picture it shows, if any.
    `without`: intents whose buttons have no place here, as the page shows that already. `refused`: what is said in its
    place, a block of `PAGE_WORDS`, where it is refused for a reason; without any it is left out.
    """

    heading: str
    load: Load
    items: bool = False
    drawing: str = ""
    without: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)


_SET_BELOW = frozenset({"hours", "country", "rhythm.closed", "rhythm.place"})
"""Intents of buttons that the coordinators' page has together, with the settings."""
_SEARCH = Part("", _load_search_form)
_QUILT = Part("quilt_title", _load_quilt, drawing="quilt_drawn", without=frozenset({"initiative"}))
_HISTORY = Part("lookback_title", _load_history, drawing="history_drawn")
_CLOUD = Part("", _load_cloud, drawing="cloud_drawn")
_MAP = Part("", _load_map, drawing="spread_drawn")
_YEAR = Part("year_title", _load_year, drawing="rhythm_year", without=frozenset({"rhythm"}))


@dataclass(frozen=True)
class Board:
    """A page: who may read it (a block of `PAGE_WORDS`), and its parts. `about`: it is of one thing, by its id.
    `takes`: what it is asked with besides. `has_tab`: every page leads to it."""

    readers: str
    parts: tuple[Part, ...]
    about: str = ""
    for_coordinators: bool = False
    needs_movement: bool = True
    takes: tuple[str, ...] = ()
    has_tab: bool = True


BOARDS: Mapping[str, Board] = {
    "movement": Board(
        "footer_all",
        (
            Part("purpose_title", _answer("purpose")),
            _QUILT,
            Part("", _only(boards.show_patches)),
            _SEARCH,
            Part("", _only(boards.show_stories)),
            Part("", _only(magazines.show_shelf)),
            _HISTORY,
            Part("", _load_coming),
            _YEAR,
            Part("rhythms_title", _load_rhythms, items=True),
            Part("", _answer("changes")),
            _CLOUD,
            _MAP,
        ),
    ),
    "search": Board(
        "footer_own",
        (
            _SEARCH,
            Part(
                "found_title",
                _search_stories,
                without=frozenset({"search.narrow"}),
                refused={"search_slow": "search_slow", "not_found": "search_nothing"},
            ),
        ),
        takes=SEARCH_ARGS,
        has_tab=False,
    ),
    "me": Board(
        "footer_own",
        (
            Part("", _answer("home")),
            Part("kept_title", _answer("me")),
            Part("", _only(sessions.show)),
        ),
        needs_movement=False,
    ),
    "initiative": Board(
        "footer_all",
        (
            Part("about_title", _answer("initiative.look"), without=frozenset({"lookback"})),
            _HISTORY,
            Part("", _only(boards.show_stories)),
        ),
        about="initiative",
        has_tab=False,
    ),
    "rhythm": Board(
        "footer_all",
        (Part("rhythm_title", _answer("rhythm.look")),),
        about="rhythm",
        has_tab=False,
    ),
    "magazine": Board("footer_all", (Part("", _only(magazines.show_page)),), about="magazine", has_tab=False),
    "coordinator": Board(
        "footer_coordinators",
        (
            Part("rhythms_title", _answer("rhythm"), without=_SET_BELOW | {"rhythm.year"}),
            _YEAR,
            Part("", _only(coordinating.show_weeks)),
            Part("", _only(coordinating.show_answers)),
            Part("", _only(magazines.show_newest)),
            Part("trouble_title", _answer("trouble")),
            Part("reach_title", _answer("reach")),
            Part("", _only(coordinating.show_settings)),
            Part("", _answer("effect")),
            Part("", _answer("api")),
            Part("", _answer("webhook")),
        ),
        for_coordinators=True,
    ),
}


@dataclass(kw_only=True)
class Pages:
    """Opens sessions by links, and shows pages to those who have one."""

    run: TransactionRunner
    clock: Clock
    platforms: Mapping[str, Platform]
    keeps_closed: timedelta = KEEP_CLOSED
    """How long closed matters are kept."""
    typesetter: Typesetter | None = None
    """Draws the pictures of pages; without one, pages say the same in words."""
    works_council: bool = False
    """True in works-council mode."""
    vault: Vault | None = None
    _boards: Mapping[str, Board] = field(default_factory=lambda: BOARDS)

    async def may_open(self, link: str) -> bool:
        """Return whether a link still opens a session. Changes nothing, however often it is asked: mail and chat
        programs look at links before people do."""
        now = self.clock.now()

        async def look(work: UnitOfWork) -> bool:
            session = await work.sessions.lock(PageSessionId(link))
            return session is not None and session.may_be_opened(now)

        return await self.run(look)

    async def open(self, link: str, secret: str, device: str) -> bool:
        """Open the session of a link, once; from then on whoever has this secret is known by it."""
        digest, now = digest_secret(secret), self.clock.now()
        act = partial(sessions.open_session, id=PageSessionId(link), digest=digest, device=device, now=now)
        return await self.run(act)

    async def identify(self, secret: str) -> Visitor | None:
        """Return who has this secret of an open session; None when there is none (any more)."""
        now = self.clock.now()
        if len(secret) != SESSION_SECRET_CHARS:
            return None  # nobody's: not worth a transaction

        async def look(work: UnitOfWork) -> Visitor | None:
            found = await sessions.identify(work, digest_secret(secret), now)
            if found is None:
                return None
            session, person, belongs = found
            movement = belongs[0][0] if belongs else None
            return Visitor(
                session=session.id,
                account=_account_of(person),
                name=person.name,
                language=language_for(person, None, movement).value,
                timezone=timezone_for(person, None, movement),
                syntax=self._syntax(person),
            )

        return await self.run(look)

    async def show(
        self, secret: str, name: str, movement: str, about: str = "", given: Mapping[str, str] | None = None
    ) -> BrowserPage | None:
        """Return a page of a movement ("": the one joined last) for whoever has this secret, asked with what is
        `given`; None without a session. Raises `Refused` for a page that is not there for them."""
        if len(secret) != SESSION_SECRET_CHARS:
            return None
        load = partial(self._load, secret=secret, name=name, asked=movement, about=about, given=given or {})
        loaded = await self.run(load)
        return await self._word(loaded) if loaded is not None else None

    async def draw(
        self, secret: str, name: str, movement: str, about: str, drawing: str, *, narrow: bool, dark: bool
    ) -> PostedPicture | None:
        """Return a picture of a page as an SVG, `narrow` for a phone, `dark` for a dark page; None without a session.
        Raises `Refused` for one that is not there for them, and `TypesettingFailed`. It is drawn outside the
        transaction."""
        if len(secret) != SESSION_SECRET_CHARS:
            return None
        loaded = await self.run(
            partial(self._load, secret=secret, name=name, asked=movement, about=about, given={}, drawing=drawing)
        )
        if loaded is None:
            return None
        page = await self._word(loaded)
        found = next((one.picture for one in page.page.sections if one.picture is not None), None)
        if found is None or self.typesetter is None:
            raise Refused("not_found")
        data = {**found.data, "narrow": narrow, "dark": dark, "roomy": True}
        content = await self.typesetter.typeset(found.drawing, data, "svg")
        return replace(found, content=content)

    async def _load(
        self,
        work: UnitOfWork,
        *,
        secret: str,
        name: str,
        asked: str,
        about: str,
        given: Mapping[str, str],
        drawing: str = "",
    ) -> "_Loaded | None":
        """Load a page; of a `drawing`, only the part that shows it."""
        now = self.clock.now()
        found = await sessions.identify(work, digest_secret(secret), now)
        if found is None:
            return None
        session, person, belongs = found
        board = self._boards.get(name)
        movement, member = _choose(belongs, asked)
        coordinates = member is not None and member.coordinates
        if board is None or (board.for_coordinators and not coordinates) or (board.needs_movement and not movement):
            raise Refused("not_found")
        args = {sessions.HERE: session.id, **({board.about: about} if board.about else {})}
        args |= {one: given[one] for one in board.takes if given.get(one)}
        turn = Turn(
            intent=_reading(person, args),
            now=now,
            person=person,
            place=None,
            movement=movement,
            member=member,
            syntax=self._syntax(person),
            keeps_closed=self.keeps_closed,
            works_council=self.works_council,
            api_url=self._api_url(person),
            vault=self.vault,
        )
        parts = [one for one in board.parts if not drawing or one.drawing == drawing]
        loaded = await work.together(
            *(_load_part(work, turn, part, is_first=number == 0) for number, part in enumerate(parts))
        )
        title = await _name(work, board, about, movement.id) if board.about and movement else ""
        tabs = (
            tab
            for tab, one in self._boards.items()
            if one.has_tab and (coordinates or not one.for_coordinators) and (movement or not one.needs_movement)
        )
        page = BrowserPage(
            name=name,
            title=title or (movement.name if movement and name == FIRST else ""),
            page=Page(sections=(), language=turn.language.value),
            about=about if board.about else "",
            movement=movement.id if movement is not None else "",
            movement_name=movement.name if movement is not None else "",
            movements={one.id: one.name for one, _ in belongs},
            tabs=tuple(tabs),
        )
        return _Loaded(page=page, reader=_reader(turn), parts=loaded)

    async def _word(self, loaded: "_Loaded") -> BrowserPage:
        """Word what was loaded, giving way to others after each entry: there may be a hundred."""
        shown: list[Section] = []
        for part in loaded.parts:
            shown += [self._keep_picture(section) for section in await part.word(loaded.reader)]
        title = loaded.page.title or wording.render_sentence(PAGE_WORDS, loaded.page.name, loaded.reader)
        return replace(loaded.page, title=title, page=replace(loaded.page.page, sections=tuple(shown)))

    def _keep_picture(self, section: Section) -> Section:
        return section if self.typesetter is not None else replace(section, picture=None)

    def _api_url(self, person: Person) -> str:
        platform = self.platforms.get(platform_of(person.workspace_id))
        return platform.api if platform is not None else ""

    def _syntax(self, person: Person) -> CommandSyntax:
        platform = self.platforms.get(platform_of(person.workspace_id))
        return platform.syntax if platform is not None else CommandSyntax(platform=platform_of(person.workspace_id))


def footer_of(name: str) -> str:
    """Return the block of `PAGE_WORDS` that says who reads a page."""
    return BOARDS[name].readers


def takes_of(name: str) -> Sequence[str]:
    """Return what a page can be asked with, in its address."""
    return BOARDS[name].takes


@dataclass(frozen=True, kw_only=True)
class _LoadedPart:
    """Holds the entries of a part, in the words of no language yet, or why it was refused."""

    part: Part
    entries: Sequence[Entry] = ()
    refused: str = ""

    async def word(self, reader: Reader) -> list[Section]:
        """Word the part. What has no words for why it is refused, is left out."""
        if self.refused:
            words = self.part.refused.get(self.refused)
            return [_say(words, reader)] if words else []
        heading = wording.render_sentence(PAGE_WORDS, self.part.heading, reader) if self.part.heading else ""
        found: list[Section] = []
        for entry in self.entries:
            found += [_leave_out(section, self.part.without) for section in _word(entry, reader)]
            await sleep(0)
        if not found or not heading:
            return found
        if self.part.items:
            return [Section(title=heading, message=Message(paragraphs=(), language=reader.language.value)), *found]
        first, *rest = found
        return [replace(first, title=first.title or heading), *rest]


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    """Holds a page whose sections are not worded yet: that takes as long as loading them, and needs no transaction."""

    page: BrowserPage
    reader: Reader
    parts: Sequence[_LoadedPart]


async def _load_part(work: UnitOfWork, turn: Turn, part: Part, *, is_first: bool) -> _LoadedPart:
    """Load a part. What cannot be shown to this reader now is left out, but for the first part of a page, without which
    there is none."""
    try:
        entries = await part.load(work, turn)
    except Refused as refused:
        if is_first and refused.reason in ("not_found", "coordinators_only"):
            raise
        return _LoadedPart(part=part, refused=refused.reason)
    said = [await say_readers_outside(work, turn, entry) for entry in entries]
    await sleep(0)  # to others, on SQLite: parts take milliseconds each
    return _LoadedPart(part=part, entries=said)


def _leave_out(section: Section, intents: frozenset[str]) -> Section:
    kept = tuple(one for one in section.message.buttons if one.intent not in intents)
    return replace(section, message=replace(section.message, buttons=kept))


def _say(block: str, reader: Reader) -> Section:
    """Return words of the pages as a part of one, under a title of their own (the block `<block>_title`)."""
    said = Paragraph(spans=(Span(text=wording.render_sentence(PAGE_WORDS, block, reader)),))
    title = wording.render_sentence(PAGE_WORDS, f"{block}_title", reader)
    return Section(title=title, message=Message(paragraphs=(said,), language=reader.language.value))


async def _name(work: UnitOfWork, board: Board, about: str, movement: MovementId) -> str:
    """Return how what a page is about is called."""
    if board.about == "magazine":
        magazine = await work.magazines.get(MagazineId(about), movement)
        return magazine.title if magazine is not None else ""
    return await work.initiatives.name(InitiativeId(about), movement)


def _word(entry: Entry, reader: Reader) -> Sequence[Section]:
    if isinstance(entry, FormEntry):
        form = wording.render_form_entry(entry, reader)
        note = (Paragraph(spans=(Span(text=form.note),)),) if form.note else ()
        said = Message(paragraphs=note, language=reader.language.value)
        return (Section(title=form.title, message=said, form=form),)
    if isinstance(entry, PageEntry):
        return wording.render_page(entry, reader).sections
    return (wording.render_section(entry, reader),)


def _choose(belongs: Sequence[tuple[Movement, Member]], asked: str) -> tuple[Movement, Member] | tuple[None, None]:
    """Return the movement that is asked for, or the one joined last. Raises `Refused` for one they do not belong to."""
    if not asked:
        return belongs[0] if belongs else (None, None)
    found = next((one for one in belongs if one[0].id == asked), None)
    if found is None:
        raise Refused("not_found")
    return found


def _reading(person: Person, args: Mapping[str, str]) -> Intent:
    """Return the intent of somebody who looks at a page: in their own chat, and nothing that counts as an answer."""
    return Intent(
        name="page",
        args=args,
        actor=_account_of(person),
        place=ChatPlace(workspace=person.workspace_id, channel="", personal=True),
        key="page",
    )


def _asking(turn: Turn, name: str, **args: str) -> Turn:
    return replace(turn, intent=replace(turn.intent, name=name, args={**turn.intent.args, **args}))


def _account_of(person: Person) -> Account:
    return Account(workspace=person.workspace_id, id=person.account or "")


def _reader(turn: Turn) -> Reader:
    # Who reads a page is said at its foot, once.
    return Reader(
        language=turn.language,
        timezone=turn.timezone,
        now=turn.now,
        syntax=turn.syntax,
        personal=True,
        knows_privacy=True,
        on_page=True,
    )

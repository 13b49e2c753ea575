"""Serve the doors: pages for people without an account. No cookie, no script, nothing of any visitor is kept or logged.

A page carries a mark of ours, by which it is known when it is sent twice. The code that takes a story back is made of
it: it is shown, never stored, and stands in no address.
"""

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import hdrs, web
from babel.core import get_global

from adapters.door import decode_form_pairs, read_body
from adapters.pages import html
from adapters.pages.html import PageFrame
from adapters.pages.links import DOOR_PATH, PageLinks
from adapters.pages.origin import is_from_own_page
from bot import wording
from bot.catalogue.conversation import CrisisAnswered
from bot.chat import Message
from bot.domain.door import MAX_CALLED_CHARS, Called, DoorState
from bot.domain.person import Language
from bot.domain.story import MAX_STORY_CHARS
from bot.doors import DOOR_WORDS, DoorAnswer, DoorFace, StoryDoors, Told
from bot.ports import Clock
from bot.wording import Reader

STATUS = {
    "told": 200,
    "despair": 200,
    "words": 422,
    "mend": 422,
    "full": 429,
    "before": 409,
    "closed": 410,
    "gone": 404,
}
"""The HTTP status of what became of a story."""
MAX_TYPED_CODE = 40


@dataclass(frozen=True, kw_only=True)
class DoorFrame(PageFrame):
    """Holds what the pages of one door share: where it is, in which language it is read, and what is seen of it."""

    path: str
    face: DoorFace | None = None
    languages: tuple[tuple[str, str], ...] = (("nl", "Nederlands"), ("en", "English"))

    def tell(self, block: str, **values: object) -> str:
        """Return words of the pages of a door."""
        known = {"face": self.face, **values}
        return wording.render_sentence(DOOR_WORDS, block, self.reader, known)


class DoorSite:
    """The routes of the doors."""

    def __init__(self, doors: StoryDoors, links: PageLinks, clock: Clock) -> None:
        self._doors = doors
        self._links = links
        self._clock = clock

    def mount(self, app: web.Application) -> None:
        """Add the routes to the application."""
        app.router.add_get(f"{DOOR_PATH}/{{token}}", self._show)
        app.router.add_post(f"{DOOR_PATH}/{{token}}", self._tell)
        app.router.add_get(f"{DOOR_PATH}/{{token}}/mine", self._ask_code)
        app.router.add_post(f"{DOOR_PATH}/{{token}}/mine", self._act_on_own)

    # -- telling ------------------------------------------------------------------------------------------------------

    async def _show(self, request: web.Request) -> web.Response:
        door, frame = await self._open(request, request.query.get("language", ""))
        if frame.face is None:
            return _notice(frame, "gone", status=404)
        if not frame.face.is_open:
            return _notice(frame, "closed", status=410, mine=True)
        return self._form(door, frame, Told(text=""))

    async def _tell(self, request: web.Request) -> web.Response:
        sent = await _read_form(request)
        door, frame = await self._open(request, sent.get("language", ""))
        if frame.face is None:
            return _notice(frame, "gone", status=404)
        once = sent.get("once", "")
        code = self._links.make_code(door, once, self._clock.now())
        told = _take_fields(sent, once, code)
        if not code or not is_from_own_page(request, self._links):
            # Shown again with what was typed: a press on this page is one of theirs.
            return self._form(door, frame, told, DoorAnswer(outcome="mend", problems={"page": "old_page"}))
        answer = await self._doors.tell(door, told, frame.reader.language)
        match answer.outcome:
            case "told":
                beside = _answer_despair(frame, kept=True) if answer.beside else None
                return _notice(frame, "told", status=200, code=code, mine=True, despair=beside)
            case "despair":
                return _notice(frame, "despair", status=200, despair=_answer_despair(frame, kept=False))
            case "closed" | "gone":
                return _notice(frame, answer.outcome, status=STATUS[answer.outcome], typed=told.text)
            case _:
                return self._form(door, frame, told, answer)

    def _form(self, door: str, frame: DoorFrame, told: Told, answer: DoorAnswer | None = None) -> web.Response:
        problems = dict(answer.problems) if answer is not None else {}
        # By this page something was told before: what is sent now gets a page, and a code, of its own.
        reused = answer is not None and answer.outcome in ("words", "mend", "full") and told.code
        return html.render_door(
            frame,
            title=frame.tell("title"),
            status=STATUS[answer.outcome] if answer is not None else 200,
            view="form",
            problems={name: frame.tell(block, most=_MOST.get(name, 0)) for name, block in problems.items()},
            words=answer.words if answer is not None else (),
            proposal=answer.proposal if answer is not None else "",
            told=told,
            once=told.once if reused else self._links.mark_page(door, self._clock.now()),
            most=MAX_STORY_CHARS,
            most_called=MAX_CALLED_CHARS,
            choices=tuple(one.value for one in Called),
        )

    # -- what one told oneself ----------------------------------------------------------------------------------------

    async def _ask_code(self, request: web.Request) -> web.Response:
        _, frame = await self._open(request, request.query.get("language", ""))
        return _mine(frame) if frame.face is not None else _notice(frame, "gone", status=404)

    async def _act_on_own(self, request: web.Request) -> web.Response:
        sent = await _read_form(request)
        door, frame = await self._open(request, sent.get("language", ""))
        if frame.face is None:
            return _notice(frame, "gone", status=404)
        if not is_from_own_page(request, self._links):
            return _mine(frame, problem="old_page", status=403)
        code, act = sent.get("code", "")[:MAX_TYPED_CODE].strip(), sent.get("act", "look")
        if act == "withdraw":
            done = await self._doors.take_back(door, code)
            return _notice(frame, "withdrawn", status=200) if done else _mine(frame, problem="unknown_code")
        if act == "change":
            return await self._change(door, frame, code, _take_fields(sent, "", ""))
        found = await self._doors.find(door, code)
        if found is None:
            return _mine(frame, problem="unknown_code")
        return _own(frame, code, found.text, state=found.state.value)

    async def _change(self, door: str, frame: DoorFrame, code: str, told: Told) -> web.Response:
        answer = await self._doors.change(door, code, told, frame.reader.language)
        match answer.outcome:
            case "told":
                beside = _answer_despair(frame, kept=True) if answer.beside else None
                return _notice(frame, "changed", status=200, mine=True, despair=beside)
            case "despair":
                return _notice(frame, "despair", status=200, despair=_answer_despair(frame, kept=False))
            case "gone":
                return _mine(frame, problem="unknown_code")
            case _:
                own = await self._doors.find(door, code)
                state = own.state if own is not None else DoorState.WAITING
                return _own(frame, code, told.text, state=state.value, answer=answer)

    # -- around it ----------------------------------------------------------------------------------------------------

    async def _open(self, request: web.Request, asked: str) -> tuple[str, DoorFrame]:
        """Return the door that a request is about, and the frame of its pages, in the language that was asked for."""
        token = request.match_info["token"]
        door = self._links.read_door(token)
        face = await self._doors.look(door) if door else None
        hint = asked or request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
        language = Language.from_locale(hint, face.language if face is not None else Language.NL)
        zone = _zone_of(face) if face is not None else "Europe/Amsterdam"
        reader = Reader(language=language, timezone=zone, now=self._clock.now(), personal=True, knows_privacy=True)
        return door, DoorFrame(reader=reader, path=f"{DOOR_PATH}/{quote(token)}", face=face)


_MOST = {"story": MAX_STORY_CHARS, "name": MAX_CALLED_CHARS}


def _zone_of(face: DoorFace) -> str:
    """Return a time zone of the country of a door: whom to call in despair is chosen by it."""
    country = face.country.upper()
    territories = get_global("zone_territories")
    if not country or territories.get(face.timezone) == country:
        return face.timezone
    return next((zone for zone in sorted(territories) if territories[zone] == country and "/" in zone), face.timezone)


def _answer_despair(frame: DoorFrame, *, kept: bool) -> Message:
    return wording.render_entry(CrisisAnswered(sure=not kept, written=not kept, kept=kept), frame.reader)


def _notice(
    frame: DoorFrame,
    what: str,
    *,
    status: int,
    code: str = "",
    mine: bool = False,
    typed: str = "",
    despair: Message | None = None,
) -> web.Response:
    """Render a title and what is said below it: the blocks `<what>_title` and `<what>_how`."""
    return html.render_door(
        frame,
        title=frame.tell(f"{what}_title"),
        status=status,
        view="notice",
        how=frame.tell(f"{what}_how") if what != "despair" else "",
        code=code,
        mine=mine,
        typed=typed,
        despair=despair.paragraphs if despair is not None else (),
    )


def _mine(frame: DoorFrame, *, problem: str = "", status: int = 0) -> web.Response:
    said = frame.tell(problem) if problem else ""
    return html.render_door(
        frame, title=frame.tell("mine_title"), status=status or (422 if problem else 200), view="mine", problem=said
    )


def _own(frame: DoorFrame, code: str, text: str, *, state: str, answer: DoorAnswer | None = None) -> web.Response:
    problems = answer.problems if answer is not None else {}
    return html.render_door(
        frame,
        title=frame.tell("own_title"),
        status=STATUS[answer.outcome] if answer is not None else 200,
        view="own",
        code=code,
        text=text,
        state=frame.tell(f"state_{state}"),
        may_change=state in ("waiting", "let_in"),
        problems={name: frame.tell(block, most=MAX_STORY_CHARS) for name, block in problems.items()},
        words=answer.words if answer is not None else (),
        proposal=answer.proposal if answer is not None else "",
        most=MAX_STORY_CHARS,
    )


def _take_fields(sent: dict[str, str], once: str, code: str) -> Told:
    choice = sent.get("choice", "")
    return Told(
        text=sent.get("story", ""),
        called=sent.get("called", Called.NOBODY),
        name=sent.get("name", ""),
        once=once,
        code=code,
        choice=choice if choice in ("without", "fine") else "",  # type: ignore[arg-type]  # one of its literals
    )


async def _read_form(request: web.Request) -> dict[str, str]:
    """Return the form that was sent. Raises `BadInput`."""
    return dict(decode_form_pairs(await read_body(request)))

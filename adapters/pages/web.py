"""Serve the pages: links that open a session, the pages themselves, and what is pressed and filled in on them.

A link is looked at by programs before people: chat and mail programs fetch it to show what is behind it, or to check
it. So fetching changes nothing; the small page behind a link has a button, and only pressing that opens a session.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from secrets import token_urlsafe
from typing import Protocol
from urllib.parse import urlencode

import structlog
from aiohttp import hdrs, web
from multidict import MultiDict

from adapters.door import decode_form_pairs, read_body
from adapters.pages import html
from adapters.pages.device import name_device
from adapters.pages.doors import DoorSite
from adapters.pages.html import FIELD_PREFIX, PICKED_IN_CHAT, PageFrame, page_path
from adapters.pages.links import OPEN_PATH, PageLinks
from adapters.pages.origin import is_from_own_page
from adapters.pages.tokens import PageAct, unseal
from bot.chat import PLATFORM_INTENTS, Answer, BrowserPage, ChatPlace, FieldErrors, Form, Intent, Reply, Value, Visitor
from bot.domain.page_session import SESSION_SECRET_BYTES, SESSION_TTL
from bot.domain.person import Language
from bot.doors import StoryDoors
from bot.errors import Refused
from bot.pages import Pages, takes_of
from bot.ports import Clock, TypesettingFailed
from bot.wording import Reader

log = structlog.get_logger("ritme.pages")
ABOUT_MOVEMENT = "movement"
"""The argument that says which movement an intent from outside any channel is about."""
FIRST_PAGE = "movement"
_ID = re.compile(r"[\w-]{0,64}", re.ASCII)


class PagesCore(Protocol):
    """The part of the core that the pages need: Ritme."""

    pages: Pages
    doors: StoryDoors

    async def handle(self, intent: Intent) -> Reply:
        """Act on one intent. Never raises."""


class PagesSite:
    """The routes of the pages."""

    def __init__(self, core: PagesCore, links: PageLinks, clock: Clock) -> None:
        self._core = core
        self._links = links
        self._clock = clock
        # `__Host-`: only for this host and by https, whatever another site on a sister domain sets.
        self._cookie = "__Host-ritme" if links.is_secure else "ritme_pages"

    def mount(self, app: web.Application) -> None:
        """Add the routes to the application."""
        app.router.add_get(f"{OPEN_PATH}/{{token}}", self._show_link)
        app.router.add_post(f"{OPEN_PATH}/{{token}}", self._open)
        app.router.add_get("/pages", self._go_to_first)
        app.router.add_get("/pages/m/{movement}/{name}", self._show)
        app.router.add_get("/pages/m/{movement}/{name}/{about}", self._show)
        app.router.add_get("/pages/m/{movement}/{name}/{about}/{drawing}.svg", self._draw)
        app.router.add_post(html.ACT_PATH, self._act)
        DoorSite(self._core.doors, self._links, self._clock).mount(app)

    # -- the session --------------------------------------------------------------------------------------------------

    async def _show_link(self, request: web.Request) -> web.Response:
        frame = self._stranger(request)
        session = self._links.read_link(request.match_info["token"], self._clock.now())
        if not session or not await self._core.pages.may_open(session):
            return self._say_goodbye(request)
        return html.render_opening(request.match_info["token"], request.query.get("to", ""), frame)

    async def _open(self, request: web.Request) -> web.Response:
        if not is_from_own_page(request, self._links):
            return html.render_page_notice("again", self._stranger(request), status=403)
        body = await _read_form(request)
        session, secret = (
            self._links.read_link(request.match_info["token"], self._clock.now()),
            token_urlsafe(SESSION_SECRET_BYTES),
        )
        device = name_device(request.headers.get(hdrs.USER_AGENT, ""))
        if not session or not await self._core.pages.open(session, secret, device):
            return self._say_goodbye(request)
        to = body.get("to", "")
        response = _redirect(page_path(to, FIRST_PAGE) if to else "/pages")
        response.set_cookie(
            self._cookie,
            secret,
            max_age=int(SESSION_TTL.total_seconds()),
            path="/",
            secure=self._links.is_secure,
            httponly=True,
            samesite="Lax",
        )
        log.info("page_session_opened")
        return response

    def _secret(self, request: web.Request) -> str:
        sent = request.cookies.get(self._cookie, "")
        return sent if sent.isascii() else ""  # no secret of ours

    def _say_goodbye(self, request: web.Request, *, status: int = 410) -> web.Response:
        """Answer that there is no session, and how to get one; the same for every reason."""
        frame = self._stranger(request)
        response = html.render_page_notice("ended", frame, status=status)
        if self._secret(request):
            self._forget_secret(response)
        return response

    def _forget_secret(self, response: web.Response) -> None:
        response.del_cookie(self._cookie, path="/", secure=self._links.is_secure, httponly=True, samesite="Lax")

    def _stranger(self, request: web.Request) -> PageFrame:
        """Return the frame for somebody of whom nothing is known."""
        hint = request.query.get("language") or request.headers.get("Accept-Language")
        language = Language.from_locale(hint, Language.NL)
        return PageFrame(reader=Reader(language=language, timezone="Europe/Amsterdam", now=self._clock.now()))

    # -- reading ------------------------------------------------------------------------------------------------------

    async def _go_to_first(self, request: web.Request) -> web.Response:
        secret = self._secret(request)
        for name in (FIRST_PAGE, "me"):
            try:
                page = await self._core.pages.show(secret, name, "")
            except Refused:
                continue
            return (
                _redirect(page_path(page.movement, name))
                if page is not None
                else self._say_goodbye(request, status=401)
            )
        return self._say_goodbye(request, status=401)

    async def _show(self, request: web.Request) -> web.Response:
        secret, path = self._secret(request), request.match_info
        visitor = await self._core.pages.identify(secret)
        if visitor is None:
            return self._say_goodbye(request, status=401)
        movement, about = "" if path["movement"] == "-" else path["movement"], path.get("about", "")
        try:
            if not _ID.fullmatch(about):
                raise Refused("not_found")
            given = dict(decode_form_pairs(request.rel_url.raw_query_string))
            page = await self._core.pages.show(secret, path["name"], movement, about, given)
        except Refused:
            return html.render_page_notice("not_here", self._frame(visitor, secret), status=404)
        if page is None:
            return self._say_goodbye(request, status=401)
        frame = PageFrame(
            reader=html.reader_of_visitor(visitor, self._clock.now()),
            secret=secret,
            movement=page.movement,
            back=_address_of(page, given),
            tabs=page.tabs,
            movements=page.movements,
            current=page.name,
            session=visitor.session,
            name=visitor.name,
        )
        return html.render_board(page, frame)

    async def _draw(self, request: web.Request) -> web.Response:
        secret, path = self._secret(request), request.match_info
        movement, about = ("" if path[name] == "-" else path[name] for name in ("movement", "about"))
        try:
            if not _ID.fullmatch(about) or not _ID.fullmatch(path["drawing"]):
                raise Refused("not_found")
            looks = {look: look in request.query for look in ("narrow", "dark")}
            picture = await self._core.pages.draw(secret, path["name"], movement, about, path["drawing"], **looks)
        except Refused:
            return web.Response(status=404, headers=html.NO_STORE)
        except TypesettingFailed:
            log.exception("page_picture_draw_failed", drawing=path["drawing"])
            return web.Response(status=503, headers=html.NO_STORE)
        return html.render_picture_file(picture) if picture is not None else web.Response(status=401)

    def _frame(self, visitor: Visitor, secret: str, act: PageAct | None = None) -> PageFrame:
        return PageFrame(
            reader=html.reader_of_visitor(visitor, self._clock.now()),
            secret=secret,
            movement=act.movement if act is not None else "",
            back=act.back if act is not None else "/pages",
            session=visitor.session,
            name=visitor.name,
        )

    # -- acting -------------------------------------------------------------------------------------------------------

    async def _act(self, request: web.Request) -> web.Response:
        if not is_from_own_page(request, self._links):
            return html.render_page_notice("again", self._stranger(request), status=403)
        secret, body = self._secret(request), await _read_form(request)
        visitor = await self._core.pages.identify(secret)
        if visitor is None:
            return self._say_goodbye(request, status=401)
        act = unseal(body.get("act", ""), secret)
        if act is None or act.intent in PLATFORM_INTENTS:
            return html.render_page_notice("again", self._frame(visitor, secret), status=403)
        typed = _read_fields(act.form, body) if act.form is not None else {}
        hidden = dict(act.form.hidden) if act.form is not None else {}
        args: dict[str, Value] = {ABOUT_MOVEMENT: act.movement, **act.args, **typed, **hidden}
        if not args[ABOUT_MOVEMENT]:
            del args[ABOUT_MOVEMENT]
        reply = await self._core.handle(
            Intent(
                name=act.intent,
                args=args,
                actor=visitor.account,
                place=ChatPlace(workspace=visitor.account.workspace, channel="", personal=True),
                key=f"pages:{visitor.session}:{act.key}",
            )
        )
        return await self._answer(request, reply, act, visitor, typed)

    async def _answer(
        self, request: web.Request, reply: Reply, act: PageAct, visitor: Visitor, typed: Mapping[str, Value]
    ) -> web.Response:
        secret = self._secret(request)
        frame = self._frame(visitor, secret, act)
        match reply:
            case None:
                return _redirect(act.back)
            case FieldErrors(errors=errors) if act.form is not None:
                known = {one.name for one in act.form.fields}
                elsewhere = frame.say("in_chat", **_names_of(visitor))
                said = {name: error if name in known else elsewhere for name, error in errors.items()}
                return html.render_page_form(act.form, act, frame, errors=said, typed=typed)
            case Form():
                asked = replace(reply, fields=tuple(one for one in reply.fields if one.kind not in PICKED_IN_CHAT))
                if not asked.fields or any(one.required for one in reply.fields if one not in asked.fields):
                    return html.render_page_notice("in_chat", frame, status=200, **_names_of(visitor))
                opened = PageAct(intent=reply.intent, movement=act.movement, back=act.back, form=asked)
                return html.render_page_form(asked, opened, frame)
            case Answer(reference=str(), message=message):
                return html.render_answer(message, frame, status=500, title="failed_title")
            case Answer(message=message):
                return await self._answer_act(request, frame, partial(html.render_answer, message))
            case _:
                return _redirect(act.back)

    async def _answer_act(
        self, request: web.Request, frame: PageFrame, render: "partial[web.Response]"
    ) -> web.Response:
        """Show an answer; whose session ended by what they did sees it without anything that needs one."""
        if await self._core.pages.identify(frame.secret) is not None:
            return render(frame)
        response = render(PageFrame(reader=frame.reader))
        self._forget_secret(response)
        return response


def _names_of(visitor: Visitor) -> dict[str, str]:
    """Return how the app and the platform are called, for words about a chat."""
    app = visitor.syntax.app
    return {"app": app, "platform": {"slack": "Slack", "teams": "Teams"}.get(visitor.account.platform, app)}


def _address_of(page: BrowserPage, given: Mapping[str, str]) -> str:
    """Return the path of a page, with what it was asked."""
    asked = urlencode({one: given[one] for one in takes_of(page.name) if given.get(one)})
    return page_path(page.movement, page.name, page.about) + (f"?{asked}" if asked else "")


def _redirect(to: str) -> web.Response:
    # Our own paths only: `to` is made by us, or sealed.
    return web.Response(status=303, headers={**html.NO_STORE, "Location": to})


async def _read_form(request: web.Request) -> MultiDict[str]:
    """Return the form that was sent. Raises `BadInput`."""
    return MultiDict(decode_form_pairs(await read_body(request)))


def _read_fields(form: Form, sent: MultiDict[str]) -> dict[str, Value]:
    """Return what was filled in, of the fields that the form has."""
    found: dict[str, Value] = {}
    for one in form.fields:
        values = sent.getall(f"{FIELD_PREFIX}{one.name}", [])
        if one.kind == "choices":
            found[one.name] = tuple(values[: one.max_items])
        else:
            found[one.name] = values[0].replace("\r\n", "\n") if values else ""
    return found

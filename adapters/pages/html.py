"""Render pages, messages and forms of the core as HTML, of which everything that people wrote is escaped."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.page_policy import style_sources
from adapters.pages.tokens import PageAct, seal
from adapters.typesetting import describe_svg
from bot import wording
from bot.chat import (
    BrowserPage,
    Button,
    Field,
    Form,
    Message,
    Paragraph,
    PostedPicture,
    Section,
    Span,
    Value,
    Visitor,
)
from bot.domain.person import Language
from bot.pages import FIRST, PAGE_WORDS, footer_of
from bot.wording import Reader

ACT_PATH = "/pages/act"
NO_STORE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "same-origin"}
PICKED_IN_CHAT = frozenset({"person", "people", "place"})
"""Kinds of fields that only a platform can offer: it knows everyone by name, and who may read that."""
FIELD_PREFIX = "f-"
_LINKED = {
    "initiative.look": ("initiative", "initiative"),
    "rhythm.look": ("rhythm", "rhythm"),
    "magazine.look": ("magazine", "magazine"),
    "home": ("me", ""),
    "me": ("me", ""),
    "rhythm": ("coordinator", ""),
    "reach": ("coordinator", ""),
    "initiative": ("movement", ""),
}
"""Intents that show what a page shows: the page, and the argument that says of what."""
_FOUND_BY = {"search.filled": "search", "search": "search"}
"""Intents of forms and buttons that only show something: the page that is asked with their values, by its address."""
LISTED_FROM = 5
"""Parts from which on a page begins with a list of them."""
_NUMBER = re.compile(r"\d+\.")
_HIDDEN = frozenset({"board"})
"""Intents whose buttons lead to where the reader is already."""


def picture_path(page: BrowserPage, drawing: str) -> str:
    """Return the path of a picture of a page."""
    return f"{page_path(page.movement, page.name, page.about or '-')}/{drawing}.svg"


def page_path(movement: str, name: str, about: str = "") -> str:
    """Return the path of a page."""
    return "/".join(("/pages/m", quote(movement or "-", safe=""), name, *([quote(about, safe="")] if about else ())))


@dataclass(frozen=True, kw_only=True)
class PageFrame:
    """Holds what all of one answer shares: who reads it, in which session (its secret seals the buttons), and where."""

    reader: Reader
    secret: str = field(default="", repr=False)
    movement: str = ""
    back: str = "/pages"
    tabs: Sequence[str] = ()
    movements: Mapping[str, str] = field(default_factory=dict)
    current: str = ""
    session: str = ""
    name: str = ""

    def say(self, block: str, **values: object) -> str:
        """Return words of the pages."""
        return wording.render_sentence(PAGE_WORDS, block, self.reader, values)


def render_board(page: BrowserPage, frame: PageFrame) -> web.Response:
    """Render one of someone's pages."""
    groups: list[dict[str, Any]] = []
    for section in page.page.sections:
        if section.title or not groups:
            picture = _picture(page, section, frame)
            group = _group(section.title, _message(section.message, frame), picture)
            groups.append({**group, "form": _search(section.form, frame) if section.form is not None else None})
        else:
            groups[-1]["items"].append(_message(section.message, frame))
    _leave_title_out(groups, page.title)
    return _respond(
        "board.html.j2",
        frame,
        title=page.title,
        groups=groups,
        contents=sum(1 for one in groups if one["title"]) >= LISTED_FROM,
        up=page_path(frame.movement, FIRST) if FIRST in frame.tabs and page.name not in frame.tabs else "",
        footer=frame.say(footer_of(page.name)),
    )


def _leave_title_out(groups: Sequence[Mapping[str, Any]], title: str) -> None:
    """Leave the name of what a page is about out of its first part: it stands above it."""
    paragraphs = groups[0]["paragraphs"] if groups else []
    if paragraphs and "".join(span.text for span in paragraphs[0][1][0].spans).strip() == title:
        kind, (_, *others) = paragraphs[0]
        paragraphs[:1] = [(kind, others)] if others else []


def render_answer(message: Message, frame: PageFrame, *, status: int = 200, title: str = "") -> web.Response:
    """Render what the core answered to a press."""
    shown = _message(message, frame)
    return _respond(
        "board.html.j2",
        frame,
        status=status,
        title=frame.say(title) if title else frame.reader.app,
        groups=[_group("", shown)],
        footer=frame.say("footer_own") if frame.secret else "",
        goes_back=bool(frame.secret),
    )


def render_page_notice(block: str, frame: PageFrame, *, status: int, **values: object) -> web.Response:
    """Render a title and a sentence of the pages: the blocks `<block>_title` and `<block>_how`, or `<block>`."""
    known = wording.block_names(PAGE_WORDS, frame.reader.language)
    how = f"{block}_how" if f"{block}_how" in known else block
    said = Paragraph(spans=(Span(text=frame.say(how, **values)),))
    groups = [_group("", {"paragraphs": [("text", [said])], "buttons": []})]
    title = frame.say(f"{block}_title")
    return _respond(
        "board.html.j2", frame, status=status, title=title, groups=groups, footer="", goes_back=bool(frame.secret)
    )


def render_door(frame: PageFrame, *, title: str, status: int = 200, **values: object) -> web.Response:
    """Render a page of a door, for people without an account."""
    return _respond("door.html.j2", frame, title=title, status=status, **values)


def render_opening(token: str, to: str, frame: PageFrame) -> web.Response:
    """Render the small page behind a link, whose button opens the session."""
    return _respond("open.html.j2", frame, title=frame.say("open_title"), action=f"/pages/open/{quote(token)}", to=to)


def render_page_form(
    form: Form,
    act: PageAct,
    frame: PageFrame,
    *,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, Value] | None = None,
) -> web.Response:
    """Render a form; after errors, with what was typed still in it."""
    wrong, kept = dict(errors or {}), dict(typed or {})
    fields = [
        _field(one, f"{FIELD_PREFIX}{one.name}", kept.get(one.name, one.value), wrong.pop(one.name, ""))
        for one in form.fields
    ]
    return _respond(
        "form.html.j2",
        frame,
        status=422 if errors else 200,
        title=form.title,
        form=form,
        fields=fields,
        other_errors=list(wrong.values()),
        sealed=seal(act, frame.secret),
    )


def render_picture_file(picture: PostedPicture) -> web.Response:
    """Return a picture of a page as a browser asks for it: an SVG that nothing can be run in."""
    policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    response = web.Response(
        text=describe_svg(picture.content, picture.title, picture.text),
        content_type="image/svg+xml",
        headers={**NO_STORE, "Content-Security-Policy": policy},
    )
    response.enable_compression()
    return response


def _group(title: str, shown: Mapping[str, Any], picture: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"title": title, **shown, "items": [], "picture": picture, "form": None}


def _search(form: Form, frame: PageFrame) -> dict[str, Any]:
    """Return a form that only shows something: it is sent by its address, which can be kept and shared."""
    return {
        "action": page_path(frame.movement, _FOUND_BY[form.intent]),
        "submit": form.submit,
        "fields": [_field(one, one.name, one.value) for one in form.fields],
    }


def _field(one: Field, name: str, value: Value, error: str = "") -> dict[str, Any]:
    return {
        "id": name,
        "kind": one.kind,
        "label": one.label,
        "hint": one.hint,
        "example": one.example,
        "required": one.required,
        "value": value,
        "options": one.options,
        "max_length": one.max_length,
        "earliest": one.earliest.isoformat() if one.earliest else "",
        "latest": one.latest.isoformat() if one.latest else "",
        "error": error,
    }


def _picture(page: BrowserPage, section: Section, frame: PageFrame) -> dict[str, str] | None:
    """Return where the picture of a section is, and what it is called."""
    if section.picture is None:
        return None
    called = frame.say("picture", title=section.picture.title)
    return {"path": picture_path(page, section.picture.drawing), "called": called}


def _message(message: Message, frame: PageFrame) -> dict[str, Any]:
    kinds = groupby(message.paragraphs, key=lambda one: one.kind)
    return {
        "paragraphs": [(kind, list(some)) for kind, some in kinds],
        "buttons": [_button(one, frame) for one in message.buttons if one.intent not in _HIDDEN],
    }


def _button(button: Button, frame: PageFrame) -> dict[str, Any]:
    href = button.url or _find_page(button, frame)
    act = PageAct(intent=button.intent, args=dict(button.args), movement=frame.movement, back=frame.back)
    return {
        "label": button.label,
        "style": button.style,
        "href": href,
        "confirm": button.confirm,
        "sealed": "" if href else seal(act, frame.secret),
    }


def _find_page(button: Button, frame: PageFrame) -> str:
    """Return the page that shows what a button would show; empty when there is none."""
    name, about = _LINKED.get(button.intent, ("", ""))
    if button.intent in _FOUND_BY:
        asked = urlencode({key: value for key, value in button.args.items() if value})
        return f"{page_path(frame.movement, _FOUND_BY[button.intent])}?{asked}"
    if button.intent == "home.switch":
        return page_path(button.args.get("to", ""), "me")
    if name in (*frame.tabs, "initiative") and not about:
        return page_path(frame.movement, name)
    if about and button.args.get(about):
        return page_path(frame.movement, name, button.args[about])
    return ""


def _respond(template: str, frame: PageFrame, *, title: str, status: int = 200, **values: object) -> web.Response:
    links = [(frame.say(one), page_path(frame.movement, one), _is_here(one, frame)) for one in frame.tabs]
    others = [(name, page_path(one, "movement"), one == frame.movement) for one, name in frame.movements.items()]
    leave = PageAct(intent="board.end", args={"session": frame.session}, movement=frame.movement)
    html = (
        _environment()
        .get_template(template)
        .render(
            {"goes_back": False, "contents": False, "up": "", **values},
            frame=frame,
            title=title,
            language=frame.reader.language.value,
            tabs=links,
            movements=others if len(others) > 1 else [],
            movement_name=frame.movements.get(frame.movement, ""),
            act_path=ACT_PATH,
            leave=seal(leave, frame.secret) if frame.session else "",
        )
    )
    policy = (
        f"default-src 'none'; style-src {style_sources(html)}; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    headers = {**NO_STORE, "Content-Security-Policy": policy}
    return web.Response(status=status, text=html, content_type="text/html", headers=headers)


def _is_here(tab: str, frame: PageFrame) -> str:
    """Return what `aria-current` says of a tab: the page itself, or the one that this page is below."""
    if tab == frame.current:
        return "page"
    return "true" if tab == FIRST and frame.current and frame.current not in frame.tabs else ""


def reader_of_visitor(visitor: Visitor, now: datetime) -> Reader:
    """Return the context to word the pages of someone in."""
    return Reader(
        language=Language(visitor.language),
        timezone=visitor.timezone,
        now=now,
        syntax=visitor.syntax,
        personal=True,
        knows_privacy=True,
        on_page=True,
    )


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["numbered"] = _is_numbered
    return made


def _is_numbered(one: Paragraph) -> bool:
    """Return whether an item of a list begins with its number: then it needs no mark besides."""
    return bool(one.spans) and one.spans[0].bold and _NUMBER.match("".join(span.text for span in one.spans)) is not None

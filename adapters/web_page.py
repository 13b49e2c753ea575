"""Show one small page to a person in a browser: a title, some paragraphs, and where to go from there."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from adapters.page_policy import style_sources
from bot.domain.person import Language

_TEMPLATE = "web_page.html.j2"


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """A link on a page; `href` is ours or an address that we made."""

    href: str
    label: str


@dataclass(frozen=True, kw_only=True)
class PageChapter:
    """A part of a page under a heading of its own: paragraphs, a table with its headings, a list, and paragraphs
    after those."""

    title: str
    paragraphs: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    items: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WebPage:
    """Holds what a page says, as plain text. `action` is what to do now; `links` lead to other pages."""

    title: str
    paragraphs: tuple[str, ...]
    language: Language
    action: PageLink | None = None
    links: tuple[PageLink, ...] = ()
    chapters: tuple[PageChapter, ...] = ()


def page_response(
    page: WebPage, *, status: int = 200, framed_by: str = "'none'", headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a page as an answer. `framed_by` names the sites that may show it in a frame; `headers` replace ours."""
    html = _load_template().render(page=page)
    policy = (
        f"default-src 'none'; style-src {style_sources(html)}; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {framed_by}"
    )
    said = {"Content-Security-Policy": policy, "Vary": "Accept-Language", **(headers or {})}
    return web.Response(status=status, text=html, content_type="text/html", headers=said)


@cache
def _load_template() -> Template:
    # Everything is escaped: a name of a workspace is whatever its owner typed.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE)

"""Serve the pages that the app package leads to: about Ritme, its privacy, its terms, and the tab in Teams."""

from datetime import UTC, datetime
from functools import partial

from aiohttp import web

from adapters.web_page import PageLink, WebPage, page_response
from bot import wording
from bot.chat import CommandSyntax
from bot.domain.person import Language
from bot.wording import Reader

ABOUT_PATH, BOARD_PATH, PRIVACY_PATH, TERMS_PATH = "/teams/about", "/teams/board", "/teams/privacy", "/teams/terms"
_WORDS = "teams/pages.md.j2"
_BLOCKS = {ABOUT_PATH: "about", BOARD_PATH: "about", PRIVACY_PATH: "privacy", TERMS_PATH: "terms"}
"""Path → the blocks of the template it shows: <name>_title, and <name>_1, _2 and so on."""
_FRAMED_BY = "https://*.teams.microsoft.com https://teams.microsoft.com https://*.cloud.microsoft https://*.office.com"
"""Sites of Microsoft in which Teams shows the tab: only they may put it in a frame."""


def mount_pages(app: web.Application, syntax: CommandSyntax) -> None:
    """Add the pages to the application. Anyone may read them; they hold nothing of anybody."""
    for path in _BLOCKS:
        app.router.add_get(path, partial(_page, syntax))


async def _page(syntax: CommandSyntax, request: web.Request) -> web.Response:
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    language = Language.from_locale(hint, Language.EN)
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC), syntax=syntax)

    def text(block: str) -> str:
        return wording.render_sentence(_WORDS, block, reader)

    page = _BLOCKS[request.path]
    paragraphs = sorted(
        block for block in wording.block_names(_WORDS, reader.language) if block.removeprefix(f"{page}_").isdecimal()
    )
    links = tuple(
        PageLink(href=f"{path}?language={reader.language.value}", label=text(f"{_BLOCKS[path]}_title"))
        for path in (ABOUT_PATH, PRIVACY_PATH, TERMS_PATH)
        if _BLOCKS[path] != page
    )
    said = tuple(text(block) for block in paragraphs)
    shown = WebPage(title=text(f"{page}_title"), paragraphs=said, language=reader.language, links=links)
    # In a frame of another site it is a resource of another origin, which may be said only here.
    return page_response(shown, framed_by=_FRAMED_BY, headers={"Cross-Origin-Resource-Policy": "cross-origin"})

"""Serve the pages that the app package leads to: about Ritme, its privacy, its terms, and the tab in Teams."""

from datetime import UTC, datetime
from functools import partial
from html import escape

from aiohttp import web

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
_SECURITY_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors {_FRAMED_BY}"


def mount_pages(app: web.Application, syntax: CommandSyntax) -> None:
    """Add the pages to the application. Anyone may read them; they hold nothing of anybody."""
    for path in _BLOCKS:
        app.router.add_get(path, partial(_page, syntax))


async def _page(syntax: CommandSyntax, request: web.Request) -> web.Response:
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    language = Language.from_locale(hint, Language.EN)
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC), syntax=syntax)

    def html_text(block: str) -> str:
        return escape(wording.render_sentence(_WORDS, block, reader))

    page = _BLOCKS[request.path]
    paragraphs = sorted(
        block for block in wording.block_names(_WORDS, reader.language) if block.removeprefix(f"{page}_").isdecimal()
    )
    links = "".join(
        f'<a href="{path}?language={reader.language.value}">{html_text(f"{_BLOCKS[path]}_title")}</a>'
        for path in (ABOUT_PATH, PRIVACY_PATH, TERMS_PATH)
        if _BLOCKS[path] != page
    )
    html = _HTML.format(
        language=reader.language.value,
        title=html_text(f"{page}_title"),
        text="".join(f"<p>{html_text(block)}</p>" for block in paragraphs),
        links=links,
    )
    return web.Response(
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _SECURITY_POLICY,
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept-Language",
        },
    )


_HTML = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 17px/1.55 system-ui, sans-serif; color: #22302c; background: #f6f5f0; margin: 0;
         display: grid; place-items: start center; min-height: 100vh; }}
  main {{ max-width: 36rem; margin: 1.5rem; padding: 2rem; background: #fffefb; border: 1px solid #dddbd2;
         border-radius: 16px; }}
  h1 {{ font: 600 1.5rem/1.25 Georgia, serif; margin: 0 0 .75rem; }}
  nav {{ display: flex; flex-wrap: wrap; gap: 1.25rem; margin-top: 1.5rem; }}
  a {{ color: #1f5d57; }}
  @media (prefers-color-scheme: dark) {{
    body {{ color: #e8ece9; background: #17201d; }}
    main {{ background: #1f2a26; border-color: #35423d; }}
    a {{ color: #7cc3aa; }}
  }}
</style>
<main><h1>{title}</h1>{text}<nav>{links}</nav></main>
</html>
"""

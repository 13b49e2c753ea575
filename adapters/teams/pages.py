"""Four small pages that the app package leads to: about Ritme, its privacy, its terms, and the tab in Teams."""

from datetime import UTC, datetime
from html import escape

from aiohttp import web

from bot import wording
from bot.domain.person import Language
from bot.wording import Reader

ABOUT, BOARD, PRIVACY, TERMS = "/teams/about", "/teams/board", "/teams/privacy", "/teams/terms"
_WORDS = "teams/pages.md.j2"
_SHOWN = {ABOUT: "about", BOARD: "about", PRIVACY: "privacy", TERMS: "terms"}
_FRAMES = "https://*.teams.microsoft.com https://teams.microsoft.com https://*.cloud.microsoft https://*.office.com"
"""Who may show the tab inside a page of theirs: the addresses of Teams."""


def mount(app: web.Application) -> None:
    """Adds the pages. Anyone may read them; they hold nothing of anybody."""
    for path in _SHOWN:
        app.router.add_get(path, _page)


async def _page(request: web.Request) -> web.Response:
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    reader = Reader(language=Language.meant(hint, Language.EN), timezone="UTC", now=datetime.now(UTC))

    def said(block: str) -> str:
        return escape(wording.sentence(_WORDS, block, reader))

    shown = _SHOWN[request.path]
    paragraphs = sorted(
        block for block in wording.blocks(_WORDS, reader.language) if block.removeprefix(f"{shown}_").isdecimal()
    )
    ways = "".join(
        f'<a href="{path}?language={reader.language.value}">{said(f"{_SHOWN[path]}_title")}</a>'
        for path in (ABOUT, PRIVACY, TERMS)
        if _SHOWN[path] != shown
    )
    html = _HTML.format(
        language=reader.language.value,
        title=said(f"{shown}_title"),
        text="".join(f"<p>{said(block)}</p>" for block in paragraphs),
        ways=ways,
    )
    return web.Response(
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors {_FRAMES}",
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
<main><h1>{title}</h1>{text}<nav>{ways}</nav></main>
</html>
"""

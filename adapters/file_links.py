"""Signed links to files for one person, and the page behind them.

A link names the file (a random id, of which nothing about anybody can be read) and when it expires, and holds a
signature over both. So it cannot be guessed, changed or prolonged, and the database alone does not give it away.
Whoever has it may open the file: a browser that Slack or Teams opens brings no other proof of who somebody is.
"""

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import Protocol

from aiohttp import web

from bot import wording
from bot.chat import OpenedFile, PostedFile
from bot.domain.person import Language
from bot.ports import Clock
from bot.wording import Reader

FILES_PATHS = {"slack": "/slack/files", "teams": "/teams/files"}
"""Path of the files of each platform: below the one that a proxy passes on to us already."""
_WORDS = "people/link_page.md.j2"
FILE_HEADERS = {
    # `sandbox`: a page of ours, but it holds what people wrote. It may only let its reader save what is in it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-downloads",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class FileSource(Protocol):
    """The part of the core that has the files: Ritme."""

    async def open_file(self, id: str) -> OpenedFile | None:
        """Return a file; None when it is not there any more."""


class FileLinks:
    """Makes links to files, and reads them. `secrets` are known to us alone and the same in every process: the first
    signs, all of them are accepted. `url` is the address at which people reach us, without a slash at its end."""

    def __init__(self, secrets: Sequence[str], url: str) -> None:
        # A key of its own: what else is signed with these secrets is no link.
        self._keys = [sha256(f"ritme file links:{secret}".encode()).digest() for secret in secrets]
        self._url = url

    def make_link(self, file: PostedFile, platform: str) -> str:
        """Return a link to a file, for someone on this platform; it lives until the moment the file says."""
        expires = int(file.until.timestamp())
        language = file.linked.language
        mark = _sign(self._keys[0], file.id, expires)
        path = FILES_PATHS[platform]
        return f"{self._url}{path}/{file.id}.{expires}.{mark}?language={language}"

    def read_link(self, token: str, now: datetime) -> str | None:
        """Return the id of the file that the last part of a link's path names; None when it is none of ours, or
        expired."""
        file, _, rest = token.partition(".")
        expires, _, mark = rest.partition(".")
        if not expires.isdecimal() or len(expires) > 12 or not expires.isascii():
            return None
        signed = any(hmac.compare_digest(mark.encode(), _sign(key, file, int(expires)).encode()) for key in self._keys)
        return file if signed and now < datetime.fromtimestamp(int(expires), UTC) else None


def _sign(key: bytes, id: str, expires: int) -> str:
    return hmac.new(key, f"{id}\n{expires}".encode(), sha256).hexdigest()


def mount_files(links: FileLinks, clock: Clock, source: FileSource) -> Callable[[web.Application], None]:
    """Return the function that adds the route of the links to the application."""

    async def give_file(request: web.Request) -> web.Response:
        named = links.read_link(request.match_info["token"], clock.now())
        file = await source.open_file(named) if named is not None else None
        if file is None:
            return expired_page(request)
        disposition = f'inline; filename="{file.name}"'
        headers = {**FILE_HEADERS, "Content-Disposition": disposition}
        return web.Response(body=file.content, content_type="text/html", charset="utf-8", headers=headers)

    def mount(app: web.Application) -> None:
        for path in FILES_PATHS.values():
            app.router.add_get(f"{path}/{{token}}", give_file)

    return mount


def expired_page(request: web.Request) -> web.Response:
    """Answer that a file cannot be opened (any more), and how to get a new one. The same for every reason: it tells
    nobody whether there ever was a file."""
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    reader = Reader(language=Language.from_locale(hint, Language.NL), timezone="UTC", now=datetime.now(UTC))

    def html_text(block: str) -> str:
        return escape(wording.render_sentence(_WORDS, block, reader))

    page = _HTML.format(language=reader.language.value, title=html_text("title"), text=html_text("how_to"))
    return web.Response(text=page, status=410, content_type="text/html", headers=FILE_HEADERS)


_HTML = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 17px/1.55 system-ui, sans-serif; color: #22302c; background: #f6f5f0; margin: 0;
         display: grid; place-items: start center; }}
  main {{ max-width: 36rem; margin: 1.5rem; padding: 2rem; background: #fffefb; border: 1px solid #dddbd2;
         border-radius: 16px; }}
  h1 {{ font: 600 1.5rem/1.25 Georgia, serif; margin: 0 0 .75rem; }}
  @media (prefers-color-scheme: dark) {{
    body {{ color: #e8ece9; background: #17201d; }}
    main {{ background: #1f2a26; border-color: #35423d; }}
  }}
</style>
<main><h1>{title}</h1><p>{text}</p></main>
</html>
"""

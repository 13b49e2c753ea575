"""Signed links to files for one person, and the page behind them.

A link names the file (a random id, of which nothing about anybody can be read) and when it expires, and holds a
signature over both. So it cannot be guessed, changed or prolonged, and the database alone does not give it away.
Whoever has it may open the file: a browser that Slack or Teams opens brings no other proof of who somebody is.
"""

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from aiohttp import web

from adapters.page_policy import style_sources
from adapters.web_page import WebPage, page_response
from bot import wording
from bot.chat import OpenedFile, PostedFile
from bot.domain.person import Language
from bot.ics import CONTENT_TYPE as CALENDAR_TYPE
from bot.ports import Clock
from bot.wording import Reader

FILES_PATHS = {"slack": "/slack/files", "teams": "/teams/files"}
"""Path of the files of each platform: below the one that a proxy passes on to us already."""
_WORDS = "people/link_page.md.j2"
PDF_TYPE = "application/pdf"
_FILE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
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
        return file_response(file, "inline")

    def mount(app: web.Application) -> None:
        for path in FILES_PATHS.values():
            app.router.add_get(f"{path}/{{token}}", give_file)

    return mount


def file_response(file: OpenedFile, disposition: str) -> web.Response:
    """Give a file, a page of ours with what people wrote, a calendar or a magazine, to be shown ("inline") or saved
    ("attachment")."""
    is_packed, is_pdf = file.name.endswith(".zip"), file.name.endswith(".pdf")
    styles = "'unsafe-inline'" if is_pdf else "'none'" if is_packed else style_sources(file.content.decode())
    # `sandbox`: it may only let its reader save what is in it. Browsers show no PDF in one, nor without plugins and the
    # styles of their own reader; a PDF of ours runs nothing.
    policy = f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" + (
        "; object-src 'self'" if is_pdf else "; sandbox allow-downloads"
    )
    headers = {
        **_FILE_HEADERS,
        "Content-Security-Policy": policy,
        "Content-Disposition": f'{disposition}; filename="{file.name}"',
    }
    if is_packed:
        headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
        return web.Response(body=file.content, content_type="application/zip", headers=headers)
    if is_pdf:
        return web.Response(body=file.content, content_type=PDF_TYPE, headers=headers)
    content_type = CALENDAR_TYPE if file.name.endswith(".ics") else "text/html"
    return web.Response(body=file.content, content_type=content_type, charset="utf-8", headers=headers)


def expired_page(request: web.Request) -> web.Response:
    """Answer that a file cannot be opened (any more), and how to get a new one. The same for every reason: it tells
    nobody whether there ever was a file."""
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    reader = Reader(language=Language.from_locale(hint, Language.NL), timezone="UTC", now=datetime.now(UTC))

    def text(block: str) -> str:
        return wording.render_sentence(_WORDS, block, reader)

    page = WebPage(title=text("title"), paragraphs=(text("how_to"),), language=reader.language)
    return page_response(page, status=410, headers=_FILE_HEADERS)

"""Serve people's calendars to the programs that follow them.

A calendar program brings no other proof than the secret in its address, so whoever has the address reads the calendar.
What is unknown, was revoked or never existed is answered the same: 404, and how to get a link.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

from aiohttp import web

from adapters.web_page import WebPage, page_response
from bot import wording
from bot.chat import OpenedFeed
from bot.domain.person import Language
from bot.ics import CONTENT_TYPE
from bot.wording import Reader

FEEDS_PATHS = {"slack": "/slack/calendar", "teams": "/teams/calendar", "playground": "/calendar"}
"""Path of the calendars of each platform: below the one that a proxy passes on to us already."""
FILE_NAME = "ritme.ics"
_WORDS = "calendars/feed_page.md.j2"
_PRIVATE: Mapping[str, str] = {"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex, nofollow"}


class FeedSource(Protocol):
    """The part of the core that has the calendars: Ritme."""

    async def open_feed(self, secret: str, known: Collection[str] = ()) -> OpenedFeed | None:
        """Return the calendar whose link has this secret, without content when its mark is `known` to who asks; None
        when there is none (any more)."""


def feeds_address(url: str, platform: str) -> str:
    """Return the address below which the calendars of a platform are served, at the address where people reach us."""
    return f"{url}{FEEDS_PATHS[platform]}/"


def mount_feeds(source: FeedSource) -> Callable[[web.Application], None]:
    """Return the function that adds the routes of the calendars to the application."""

    async def give_feed(request: web.Request) -> web.Response:
        known = frozenset(one.value for one in request.if_none_match or ())
        found = await source.open_feed(request.match_info["secret"], known)
        return _give(found, known) if found is not None else _no_such_feed(request)

    def mount(app: web.Application) -> None:
        for path in FEEDS_PATHS.values():
            app.router.add_get(f"{path}/{{secret}}.ics", give_feed)  # HEAD too

    return mount


def _give(feed: OpenedFeed, known: Collection[str]) -> web.Response:
    """Give a calendar, or say that the one which a program has is still the same."""
    headers = {
        **_PRIVATE,
        "ETag": f'"{feed.mark}"',
        "Last-Modified": format_datetime(feed.changed_at.replace(microsecond=0), usegmt=True),
        "Vary": "Accept-Encoding",
    }
    if feed.mark in known:
        return web.Response(status=304, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{FILE_NAME}"'
    answer = web.Response(body=feed.content, content_type=CONTENT_TYPE, charset="utf-8", headers=headers)
    answer.enable_compression()
    return answer


def _no_such_feed(request: web.Request) -> web.Response:
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    reader = Reader(language=Language.from_locale(hint, Language.NL), timezone="UTC", now=datetime.now(UTC))

    def text(block: str) -> str:
        return wording.render_sentence(_WORDS, block, reader)

    page = WebPage(title=text("title"), paragraphs=(text("how_to"),), language=reader.language)
    return page_response(page, status=404, headers={**_PRIVATE, "Cache-Control": "no-store"})

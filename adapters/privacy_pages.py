"""Serve the privacy pages: what is kept here, by whom it is read and how long, as a whole and for each platform."""

from functools import partial

from aiohttp import web

from adapters.pages.links import PRIVACY_ROOT
from adapters.settings import Settings
from adapters.trust import PLATFORM_NAMES, PRIVACY_SECTIONS, TrustSection, compose_pack
from adapters.web_page import PageChapter, PageLink, WebPage, page_response
from bot.domain.person import Language
from bot.ports import Clock


def mount_privacy(settings: Settings, clock: Clock, app: web.Application) -> None:
    """Add the pages to the application. Anyone may read them; they hold nothing of anybody."""
    for platform in ("", *list_platforms(settings)):
        path = f"{PRIVACY_ROOT}/{platform}" if platform else PRIVACY_ROOT
        app.router.add_get(path, partial(_answer, settings, clock, platform))


def list_platforms(settings: Settings) -> list[str]:
    """Return the names of the platforms that are served, as their pages are called."""
    served = {"slack": settings.serves_slack, "teams": settings.serves_teams}
    return [name for name, on in served.items() if on]


async def _answer(settings: Settings, clock: Clock, platform: str, request: web.Request) -> web.Response:
    hint = request.query.get("language") or request.headers.get("Accept-Language")
    language = Language.from_locale(hint, Language.EN)
    pack = compose_pack(settings, language, clock.now(), sections=PRIVACY_SECTIONS, platform=platform)
    others = [name for name in ("", *list_platforms(settings)) if name != platform]
    links = tuple(
        PageLink(
            href=f"{PRIVACY_ROOT}/{name}?language={language.value}".replace("/?", "?"),
            label=PLATFORM_NAMES.get(name, pack.title),
        )
        for name in others
    )
    title = f"{pack.title} ({PLATFORM_NAMES[platform]})" if platform else pack.title
    page = WebPage(
        title=title,
        paragraphs=(pack.made,),
        language=language,
        chapters=tuple(_to_chapter(one) for one in pack.sections),
        links=links if len(others) > 1 or platform else (),
    )
    return page_response(page)


def _to_chapter(section: TrustSection) -> PageChapter:
    return PageChapter(
        title=section.title,
        paragraphs=section.paragraphs,
        head=section.table.head if section.table is not None else (),
        rows=section.table.rows if section.table is not None else (),
        items=section.items,
        after=section.after,
    )

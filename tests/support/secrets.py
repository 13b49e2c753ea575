"""One of every secret that Ritme gives somebody in a chat or on a page, made as it makes them."""

from datetime import datetime, timedelta

from adapters.file_links import FileLinks
from adapters.pages.links import PageLinks
from bot.chat import Message, PostedFile
from bot.domain.api_token import ApiToken, Lifetime, Scope
from bot.domain.feed import CalendarFeed
from bot.domain.ids import new_id
from bot.domain.movement import MovementId, new_code
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.webhook import new_webhook_secret

SITE = "https://ritme.example.org"


def make_secrets(now: datetime) -> dict[str, str]:
    """Return secrets by what they are."""
    pages = PageLinks(["geheim"], SITE)
    movement, somebody, door = MovementId("m"), PersonId("p"), new_id()
    person = Person(id=somebody, workspace_id=WorkspaceId("test:W1"), account="p", created_at=now)
    said = Message(paragraphs=(), language="nl")
    given = PostedFile(
        id=new_id(), name="f", title="f", label="f", until=now + timedelta(days=1), linked=said, refused=said
    )
    files = FileLinks(["geheim"], SITE)
    return {
        "linking code": new_code(),
        "API key": ApiToken.make(movement, "Website", [Scope.PURPOSE], somebody, Lifetime.YEAR, now)[1],
        "webhook": new_webhook_secret(),
        "page": pages.make_link("a" * 43, now + timedelta(minutes=10), "m", "nl"),
        "door": pages.make_door(door),
        "calendar": f"{SITE}/teams/calendar/{CalendarFeed.make(person, movement, now).renew(now)}.ics",
        "file": files.make_link(given, "teams"),
        "taking back": pages.make_code(door, pages.mark_page(door, now), now),
    }


def core_of(secret: str) -> str:
    """Return the part of a secret that opens something."""
    is_link = secret.startswith("https://")
    return secret.rpartition("/")[2].partition("?")[0].removesuffix(".ics") if is_link else secret

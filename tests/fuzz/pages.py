"""The doors that browsers open: the pages of Slack's install, those of Teams, and links to files of one's own."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from cryptography.fernet import Fernet
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from adapters.clock import SettableClock
from adapters.database.slack import SqlInstallations
from adapters.file_links import FILES_PATHS, FileLinks, _sign, mount_files
from adapters.slack.install import INSTALL_PATH, OAUTH_REDIRECT_PATH, STATE_COOKIE, InstallPages
from adapters.slack.installed_tokens import InstalledTokens
from adapters.slack.tokens import AppCredentials, TokenCipher
from adapters.teams.pages import _BLOCKS
from bot.app import Ritme
from tests.fuzz.payloads import PAGE, Payload
from tests.support.world import MONDAY

Row = dict[str, Any]
BROWSER = {"Accept-Language": "nl-NL,nl;q=0.9,en;q=0.8", "User-Agent": "Mozilla/5.0"}
FILE = "mijngegevens"
NEW_TEAM = "TNEW"
LATER = MONDAY + timedelta(days=3_650)
STATE, LINK = "{state}", "{link}"
"""Stand for what is made anew each time: the state of an install just begun, and a link that is good."""


class _Credentials(AppCredentials):
    """Credentials that Slack takes."""

    async def request_token(self, client: AsyncWebClient, **granted: str) -> Any:
        return {
            "app_id": "A1",
            "team": {"id": NEW_TEAM, "name": "Nieuw"},
            "authed_user": {"id": "U1"},
            "bot_user_id": "UBOT",
            "access_token": f"xoxb-{granted.get('code', '')[:20]}",
            "scope": "commands",
        }


@dataclass
class Doors:
    """The pages in an application, and what a browser has after it began an install or was given a link."""

    install: InstallPages
    links: FileLinks
    clock: SettableClock
    rows: Mapping[str, list[Row]]

    def request(self, content: Any) -> tuple[URL, dict[str, str]]:
        """Return the address and headers of a request with this content, as an HTTP parser leaves them."""
        asked = content if isinstance(content, dict) else {"path": content}
        expires = int(LATER.timestamp())
        made = {
            STATE: self.install._states.issue(),
            LINK: f"{FILE}.{expires}.{_sign(self.links._keys[0], FILE, expires)}",
        }
        path = quote(_fill_in(asked.get("path"), made), safe="/%:@!$&'()*+,;=~", errors="surrogatepass")
        query = asked.get("query")
        pairs = [(str(name), _fill_in(one, made)) for name, one in query.items()] if isinstance(query, dict) else []
        url = URL.build(
            path="/" + path.lstrip("/"), query_string=urlencode(pairs, errors="surrogatepass"), encoded=True
        )
        headers = asked.get("headers")
        told = headers.items() if isinstance(headers, dict) else ()
        names = ((re.sub(r"[^\w-]", "", str(name), flags=re.ASCII) or "X", one) for name, one in told)
        return url, {name: _as_header(_fill_in(one, made)) for name, one in names}


def _fill_in(value: Any, made: Mapping[str, str]) -> str:
    """Return a value as text, with what is made anew in the places that stand for it."""
    text = value if isinstance(value, str) else repr(value)
    for name, one in made.items():
        text = text.replace(name, one)
    return text


def _as_header(text: str) -> str:
    """Return a header's value: a server lets no control characters in, and keeps bytes that are no UTF-8."""
    kept = re.sub(r"[\x00-\x1f\x7f]", "", text)[:8_000]
    return kept.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def mount_doors(app: web.Application, ritme: Ritme, clock: SettableClock, database: AsyncEngine) -> Doors:
    """Add the pages that need more than the stage's one workspace to the application."""
    credentials, installations = _Credentials(client_id="1.2", client_secret="geheim"), SqlInstallations(database)
    client = AsyncWebClient(base_url="http://127.0.0.1:1/api/", retry_handlers=[])
    tokens = InstalledTokens(installations, TokenCipher([Fernet.generate_key().decode()]), credentials, client, clock)
    install = InstallPages(
        ritme,
        tokens,
        installations,
        credentials,
        scopes=("commands",),
        url="https://ritme.example",
        client=client,
        clock=clock,
    )
    install.mount(app)
    links = FileLinks(["geheim"], "https://ritme.example")
    mount_files(links, clock, ritme)(app)
    return Doors(install, links, clock, {"personal_files": [_file_row()]})


def _file_row() -> Row:
    return {
        "id": FILE,
        "workspace_id": "slack:T1",
        "person_id": "fatima",
        "asked_at": MONDAY,
        "made_at": MONDAY,
        "expires_at": LATER,
        "sends": 1,
        "content": zlib.compress(b"<!doctype html><title>Mijn gegevens</title><p>Fatima</p>"),
    }


def page_payloads() -> list[Payload]:
    """List what browsers ask for."""
    cookie = {"Cookie": f"{STATE_COOKIE}={STATE}; other=1"}
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (INSTALL_PATH, {}, {}),
        (INSTALL_PATH, {"team": "T1", "utm_source": "x"}, {}),
        (OAUTH_REDIRECT_PATH, {"code": "1.2.abc", "state": STATE}, cookie),
        (OAUTH_REDIRECT_PATH, {"error": "access_denied", "state": STATE}, cookie),
        (OAUTH_REDIRECT_PATH, {"code": "1.2.abc", "state": "x.1.2"}, {"Cookie": f"{STATE_COOKIE}=x.1.2"}),
        *((path, {"language": "nl"}, {}) for path in sorted(_BLOCKS)),
        *((path, {}, {}) for path in sorted(_BLOCKS)),
        *((f"{path}/{LINK}", {"language": "en"}, {}) for path in FILES_PATHS.values()),
        *((f"{path}/{FILE}.99.abc", {}, {}) for path in FILES_PATHS.values()),
        ("/healthz", {}, {}),
    ]
    return [
        Payload(PAGE, path, {"path": path, "query": query, "headers": {**BROWSER, **more}}, "page")
        for path, query, more in asked
    ]

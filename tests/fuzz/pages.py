"""The doors that browsers and programs open: the pages of Slack's install, of Teams and of people, links to files of
one's own, story doors, what is told of privacy, and the API."""

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

from adapters.api import ApiSite
from adapters.api.operations import OPERATIONS
from adapters.clock import SettableClock
from adapters.database.slack import SqlInstallations
from adapters.file_links import FILES_PATHS, FileLinks, _sign, mount_files
from adapters.pages.html import ACT_PATH
from adapters.pages.links import PageLinks
from adapters.pages.tokens import PageAct, seal
from adapters.pages.web import PagesSite
from adapters.privacy_pages import mount_privacy
from adapters.settings import Settings
from adapters.slack.install import INSTALL_PATH, OAUTH_REDIRECT_PATH, STATE_COOKIE, InstallPages
from adapters.slack.installed_tokens import InstalledTokens
from adapters.slack.tokens import AppCredentials, TokenCipher
from adapters.teams.pages import _BLOCKS
from bot.app import Ritme
from bot.domain.api_token import Scope, digest_token
from bot.domain.page_session import digest_secret
from bot.pages import BOARDS
from tests.fuzz.payloads import PAGE, Payload
from tests.support.world import MONDAY

Row = dict[str, Any]
BROWSER = {"Accept-Language": "nl-NL,nl;q=0.9,en;q=0.8", "User-Agent": "Mozilla/5.0"}
FILE = "mijngegevens"
NEW_TEAM = "TNEW"
LATER = MONDAY + timedelta(days=3_650)
STATE, LINK = "{state}", "{link}"
"""Stand for what is made anew each time: the state of an install just begun, and a link that is good."""
DOOR, ONCE, OPENS, PRESSED = "{door}", "{once}", "{opens}", "{act}"
"""Likewise: the address of a story door, the mark of its page, a link that opens a session, and a sealed press."""
SESSIONS = {"fatima": "s" * 43, "jan": "t" * 43}
"""The secret on the device of somebody who opened their pages."""
KEY = "ritme_" + "k" * 43
ADDRESS = "https://ritme.example"
MAY_SAVE_DAY = "UPDATE api_tokens"
"""The one thing that asking changes: the day on which a key was last used."""


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
    pages: PageLinks
    clock: SettableClock
    rows: Mapping[str, list[Row]]

    def request(self, content: Any) -> tuple[str, URL, dict[str, str], bytes]:
        """Return the method, address, headers and body of a request with this content, as an HTTP parser leaves
        them."""
        asked = content if isinstance(content, dict) else {"path": content}
        expires = int(LATER.timestamp())
        made = {
            STATE: self.install._states.issue(),
            LINK: f"{FILE}.{expires}.{_sign(self.links._keys[0], FILE, expires)}",
            DOOR: self.pages.make_door("door").rpartition("/")[2],
            ONCE: self.pages.mark_page("door", self.clock.now()),
            OPENS: self.pages.make_link("waits", LATER, "", "nl").rpartition("/")[2].partition("?")[0],
            PRESSED: seal(PageAct(intent="me", movement="ours"), SESSIONS["fatima"]),
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
        told_headers = {name: _as_header(_fill_in(one, made)) for name, one in names}
        form = asked.get("form")
        if form is None:
            return ("HEAD" if asked.get("method") == "HEAD" else "GET"), url, told_headers, b""
        sent = form.items() if isinstance(form, dict) else [("act", form)]
        fields = [(str(name), _fill_in(one, made)) for name, one in sent]
        body = urlencode(fields, errors="surrogatepass").encode()
        told_headers = {"Content-Type": "application/x-www-form-urlencoded", **told_headers}
        return "POST", url, {**told_headers, "Content-Length": str(len(body))}, body


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
    pages = PageLinks(["geheim"], ADDRESS)
    PagesSite(ritme, pages, clock).mount(app)
    ApiSite(ritme.api, ADDRESS).mount(app)
    mount_privacy(Settings(), clock, app)
    rows = {"personal_files": [_file_row()], "page_sessions": _session_rows(), "api_tokens": [_key_row()]}
    return Doors(install, links, pages, clock, rows)


def _session_rows() -> list[Row]:
    opened = {"made_at": MONDAY, "expires_at": LATER, "device": "", "coordinated": False}
    return [
        {**opened, "id": "waits", "person_id": "fatima", "opened_at": None, "digest": ""},
        *(
            {**opened, "id": f"s-{who}", "person_id": who, "opened_at": MONDAY, "digest": digest_secret(secret)}
            for who, secret in SESSIONS.items()
        ),
    ]


def _key_row() -> Row:
    return {
        "id": "reads",
        "movement_id": "ours",
        "name": "Website",
        "scopes": [one.value for one in Scope],
        "digest": digest_token(KEY),
        "made_by": "fatima",
        "made_at": MONDAY,
        "expires_at": LATER,
        "used_on": None,
    }


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
        *(
            Payload(PAGE, path, {"path": path, "query": query, "headers": {**BROWSER, **more}}, "page")
            for path, query, more in asked
        ),
        *_people_payloads(),
    ]


def _people_payloads() -> list[Payload]:
    """List what people ask for on their pages and at a story door, and what programs ask with a key or without."""
    here = "/pages/m/ours"
    cookie = f"__Host-ritme={SESSIONS['fatima']}; other=1"
    found = f"{here}/search"
    queries: dict[str, dict[str, str]] = {
        found: {"words": "lopen", "initiative": "walk", "direction": "broaden", "group": "g", "since": "2027-01-01"}
    }
    asked = ["/pages", *(f"{here}/{one}" for one in BOARDS), f"{here}/initiative/walk", "/pages/m/-/me", found]
    asked += [f"{here}/{one}" for one in ("movement/-/quilt_drawn.svg", "initiative/walk/history_drawn.svg")]
    contents: list[Row] = [
        {"path": path, "query": queries.get(path, {}), "headers": {**BROWSER, "Cookie": cookie}} for path in asked
    ]
    contents += [{"path": path, "query": {}, "headers": BROWSER} for path in ("/pages", f"{here}/movement", "/privacy")]
    contents.append(
        {"path": f"{here}/coordinator", "query": {}, "headers": {"Cookie": f"__Host-ritme={SESSIONS['jan']}"}}
    )
    contents += [
        {"path": f"/api/v1{path}", "query": query, "headers": {"Authorization": f"Bearer {KEY}"}}
        for path, query in (
            *(
                (one.path.replace("{id}", "walk"), {"limit": "2"} if one.path in ("/stories", "/initiatives") else {})
                for one in OPERATIONS
            ),
            *((one.path.replace("{id}", "told"), {}) for one in OPERATIONS),
            ("/openapi.json", {}),
        )
    ]
    contents.append({"path": "/api/v1/stories", "query": {}, "headers": {}})
    door = f"/pages/door/{DOOR}"
    contents += [{"path": path, "query": {"language": "nl"}, "headers": BROWSER} for path in (door, f"{door}/mine")]
    own = {**BROWSER, "Sec-Fetch-Site": "same-origin", "Origin": ADDRESS}
    told = {
        "language": "nl",
        "once": ONCE,
        "story": "We liepen mee.",
        "called": "name",
        "name": "Mia",
        "choice": "fine",
    }
    mine = {"language": "nl", "code": "AAAA-BBBB", "act": "change", "story": "Anders."}
    contents += [
        {
            "path": path,
            "query": {},
            "headers": {**own, **({"Cookie": cookie} if path == ACT_PATH else {})},
            "form": form,
        }
        for path, form in (
            (door, told),
            (f"{door}/mine", mine),
            (f"/pages/open/{OPENS}", {"to": "ours"}),
            (ACT_PATH, {"act": PRESSED, "f-text": "x"}),
        )
    ]
    return [Payload(PAGE, str(one["path"]), one, "page") for one in contents]

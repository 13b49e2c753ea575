"""The service that is fuzzed: the real application over a living movement on each platform, and over those of others.

Requests reach the application through its own handler, without sockets: every middleware and route is there. What
Ritme sends goes nowhere: the two clients of Slack's and Microsoft's APIs answer by themselves.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zlib import crc32

from aiohttp import HttpVersion11, web
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from sqlalchemy import event, select
from yarl import URL

from adapters.clock import SettableClock
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.slack.platform import SlackPlatform
from adapters.slack.web_api import SlackApi, SlackApiRefusal
from adapters.teams.connector import Connector
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.web import make_app
from bot.app import Ritme
from bot.chat import CommandSyntax
from tests.contract.seed import add_one_of_everything, seed_database
from tests.fakes.slack.people import SECRET
from tests.fakes.slack.server import TOKEN
from tests.fakes.teams.microsoft import Microsoft, microsoft
from tests.fuzz.pages import MAY_SAVE_DAY, Doors, mount_doors, page_payloads
from tests.fuzz.payloads import (
    FOREIGN_TEAM,
    FOREIGN_TENANT,
    TEAM,
    TENANT,
    Payload,
    slack_payloads,
    teams_payloads,
)
from tests.support.databases import OpenDatabase
from tests.support.world import MONDAY

Row = dict[str, Any]
Tables = dict[str, list[Row]]
OTHERS = "other-"
"""Stands before every id of the movements of others."""
OURS_ON_TEAMS = "teams-"
INSTALLS = ("/slack/install", "/slack/oauth_redirect")
"""Slack sends browsers here to install: asking does change something."""


@dataclass
class Stage:
    """The running service: `ask` sends it a request, `reset` makes its movements as they were."""

    app: web.Application
    ritme: Ritme
    clock: SettableClock
    storage: OpenDatabase
    microsoft: Microsoft
    platforms: tuple[SlackPlatform, TeamsPlatform]
    rows: Tables
    payloads: list[Payload] = field(default_factory=list)
    doors: Doors | None = None
    pages: list[Payload] = field(default_factory=list)
    token: str = ""
    others: Any = None
    is_indexed: bool = False
    """The words of the stories are in the index, which else a tick puts there."""

    @property
    def foreign(self) -> list[str]:
        """Ids of others, in every form in which one is sent."""
        ids = [f"{OTHERS}{one}" for one in ("ours", "here", "fatima", "jan", "walk", "spell", "told", "step", "weekly")]
        ids += [f"{OTHERS}{one}" for one in ("invited", "asked", "chance", "beside", "sent", "failed")]
        return [
            *ids,
            "UOTHER",
            "COTHER",
            "TSTRANGER",
            "19:other@thread.tacv2",
            "u-other",
            "29:other",
            "1800000000.0001",
        ]

    async def ask_page(self, content: Any) -> tuple[int, bytes]:
        """Return status and body of the answer to a browser."""
        assert self.doors is not None
        method, url, headers, body = self.doors.request(content)
        headers = {**headers, "Host": "ritme.example"}
        if method == "POST" or url.raw_path.startswith(INSTALLS):
            return await self.ask(url.raw_path_qs, body, headers, method=method)
        changed: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and MAY_SAVE_DAY not in statement:
                changed.append(statement)

        engine = self.storage.database.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            status, said = await self.ask(url.raw_path_qs, body, headers, method=method)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        if changed:
            raise AssertionError(f"asking changed something: {changed[0][:200]}")
        asked = f"{url.raw_path_qs}{headers}"
        if OTHERS.encode() in said and OTHERS not in asked:
            raise AssertionError("an answer tells of others")
        return status, said

    async def ask(
        self, path: str, body: bytes, headers: Mapping[str, str], *, method: str = "POST"
    ) -> tuple[int, bytes]:
        """Return status and body of the application's answer."""
        fields = CIMultiDict(headers)
        raw = tuple((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers.items())
        url = URL(path, encoded=True)
        message = RawRequestMessage(
            method, path, HttpVersion11, CIMultiDictProxy(fields), raw, False, None, False, False, url
        )
        loop, protocol = asyncio.get_running_loop(), _PROTOCOL
        content = StreamReader(protocol, 2**16, loop=loop)  # type: ignore[arg-type]
        content.feed_data(body)
        content.feed_eof()
        task: Any = asyncio.current_task()
        request = web.Request(
            message, content, protocol, _WRITER, task, loop, client_max_size=self.app._client_max_size
        )  # type: ignore[arg-type]
        try:
            answer = await self.app._handle(request)
        except web.HTTPException as refused:
            return refused.status, b""
        assert isinstance(answer, web.Response)
        said = answer.body
        return answer.status, said if isinstance(said, bytes) else b""

    def sign(self, payload: Payload, body: bytes, content_type: str) -> dict[str, str]:
        """Return the headers of a request as the platform would sign it."""
        headers = {"Content-Type": content_type, "Content-Length": str(len(body)), "Host": "ritme.example"}
        if payload.platform == "teams":
            return {**headers, "Authorization": f"Bearer {self.token}"}
        stamp = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), b"v0:%s:%s" % (stamp.encode(), body), hashlib.sha256).hexdigest()
        return {**headers, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}

    async def settle(self) -> None:
        """Send all that is due."""
        for _ in range(3):
            await asyncio.sleep(0)
        await self.storage.engine.run_until_idle()

    async def reset(self) -> None:
        """Make every movement as it was at first; what was learned since is forgotten."""
        async with self.storage.database.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(table.delete())
            for table in metadata.sorted_tables:
                if rows := self.rows.get(table.name):
                    await connection.execute(table.insert(), [self._keep_still(one) for one in rows])
        if not self.is_indexed:
            await self._index_stories()
        references = self.platforms[1].references
        for known in (references._cache, references._met, references._chats):
            known.clear()
        self.microsoft.now = self.clock.now()
        self.token = self.microsoft.token(exp=self.clock.now() + timedelta(days=30))
        self.others = await self.read_others()

    async def _index_stories(self) -> None:
        async with self.storage.begin() as work:
            while await work.stories.index_stories(50):
                pass
        async with self.storage.database.connect() as connection:
            for table in metadata.sorted_tables:
                if table.name in ("stories", "story_postings"):
                    self.rows[table.name] = [dict(one) for one in (await connection.execute(select(table))).mappings()]
        self.is_indexed = True

    def _keep_still(self, row: Row) -> Row:
        """Return a row as it is stored. Others were looked up and asked just now, so that nobody asks for them again,
        and nothing of theirs expires, by itself."""
        moments = {
            name: self.clock.now()
            for name in ("looked_up_at", "looked_at", "asked_at")
            if name in row and _is_others(row)
        }
        return {**row, **moments}

    async def read_others(self) -> Tables:
        """Return every row that belongs to others."""
        found: Tables = {}
        async with self.storage.database.connect() as connection:
            for table in metadata.sorted_tables:
                rows = [dict(one) for one in (await connection.execute(select(table))).mappings()]
                theirs = [_without_number(one) for one in rows if _is_others(one)]
                found[table.name] = sorted(theirs, key=str)
        return found

    async def find_trespasses(self) -> list[str]:
        """List the tables in which something of others changed since the last reset."""
        now = await self.read_others()
        return [
            f"{name}: {_difference(self.others[name], now[name])}" for name in now if now[name] != self.others[name]
        ]


def _without_number(row: Row) -> Row:
    """Return a row without the number that the database gave it."""
    return {name: value for name, value in row.items() if name not in ("id", "row") or not isinstance(value, int)}


def _difference(before: list[Row], after: list[Row]) -> str:
    gone, new = [one for one in before if one not in after], [one for one in after if one not in before]
    return f"{len(gone)} gone {gone[:1]}, {len(new)} new {new[:1]}"


def _is_others(row: Row) -> bool:
    """Return whether a row is of others, or names something of theirs where an id of ours belongs."""
    lanes = (f"slack:{FOREIGN_TEAM}", f"teams:{FOREIGN_TENANT}")
    ids = [one for name, one in row.items() if isinstance(one, str) and (name == "id" or name.endswith("_id"))]
    return any(one.startswith(OTHERS) or one in lanes for one in ids)


class _Protocol:
    """Stands for the connection that a request came over."""

    transport = None
    _reading_paused = False
    ssl_context = None
    peername = sockname = ("127.0.0.1", 1)

    def pause_reading(self) -> None: ...

    def resume_reading(self, *_: object, **__: object) -> None: ...


class _Writer:
    """Stands for what answers are written to."""


_PROTOCOL: Any = _Protocol()
_WRITER: Any = _Writer()


async def _answer_slack(_api: SlackApi, team: str, method: str, **args: Any) -> Mapping[str, Any]:
    """Answer a call of Slack's Web API, without Slack."""
    if method == "users.info":
        if args.get("user") not in ("UFATIMA", "UJAN"):
            raise SlackApiRefusal(method, "user_not_found")
        return {"user": {"id": args["user"], "team_id": TEAM, "profile": {"display_name": args["user"]}}}
    channel = str(args.get("channel") or "CHERE")
    return {
        "ok": True,
        "ts": "1700000009.000100",
        "message_ts": "1700000009.000100",
        "channel": {"id": "DFATIMA", "name": "here"} if method.startswith("conversations.") else channel,
        "view": {"id": "V1", "hash": "1.x"},
        "messages": [],
        "upload_url": "https://files.slack.com/upload/v1/x",
        "file_id": "F1",
        "files": [{"id": "F1", "shares": {"private": {"DFATIMA": [{"ts": "1700000009.000100"}]}}}],
        "usergroups": [{"id": "S1", "name": "Nacht"}],
        "users": ["UFATIMA"],
    }


async def _answer_teams(_connector: Connector, method: str, *_: object) -> Mapping[str, Any]:
    """Answer a call of the Bot Connector, without Microsoft."""
    return {"id": "1700000000099", "activityId": "1700000000098", "name": "Fatima", "conversations": []}


class _NoSession:
    """Stands for the session that posts to Slack's response URLs: everything arrives."""

    def post(self, *_: object, **__: object) -> "_NoSession":
        return self

    status = 200
    headers: Mapping[str, str] = {}

    async def __aenter__(self) -> "_NoSession":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def text(self) -> str:
        return "ok"

    async def read(self) -> bytes:
        return b"ok"

    async def json(self, **_: object) -> Mapping[str, Any]:
        return {"ok": True}


async def _read_tables(storage: OpenDatabase) -> Tables:
    async with storage.database.connect() as connection:
        return {
            table.name: [_without_number(dict(one)) for one in (await connection.execute(select(table))).mappings()]
            for table in metadata.sorted_tables
        }


ACCOUNTS = {
    "slack": {"u-fatima": "UFATIMA", "u-jan": "UJAN", "u-nameless": "UNAMELESS", "u-noor": "UNOOR"},
    "teams": {},
}
CHANNELS = {
    "slack": {"c-here": "CHERE", "c-night": "CNIGHT", "c-nameless": "CNAMELESS", "c-there": "CTHERE"},
    "teams": {
        "c-here": "19:here@thread.tacv2",
        "c-night": "19:night@thread.tacv2",
        "c-nameless": "19:nameless@thread.tacv2",
        "c-there": "19:there@thread.tacv2",
    },
}
MESSAGES = {"slack": {"m1": "1700000000.000100", "t1": "1700000000.000100", "m2": "1700000002.000100"}, "teams": {}}


def _copy_rows(tables: Tables, platform: str, tenant: str, prefix: str, *, still: bool) -> Tables:
    """Return rows that `tests.contract.seed` made as those of a workspace on a platform, with `prefix` before their
    ids. `still`: nothing in them comes due by itself, so that they stay as they are."""
    ids = {row["id"] for rows in tables.values() for row in rows if isinstance(row.get("id"), str)}
    known = {
        "test:W1": f"{platform}:{tenant}",
        **ACCOUNTS[platform],
        **CHANNELS[platform],
        **MESSAGES[platform],
        **{one: f"{prefix}{one}" for one in ids if one not in ("test:W1", "test:W2")},
    }
    copied: Tables = {}
    for name, rows in tables.items():
        if still and name == "rhythms":
            continue
        copied[name] = [
            {column: _rename(column, value, known, prefix) for column, value in row.items()}
            for row in rows
            if "test:W2" not in row.values()
            and "theirs" not in row.values()
            and row.get("person_id") != "noor"
            and not (name == "deliveries" and row["kind"] == "news")  # no kind of ours
        ]
    return copied


def _rename(column: str, value: Any, known: Mapping[str, str], prefix: str) -> Any:
    if column == "kind" and value == "told":
        return "story_posted"  # as the kind is really called
    if column in ("digest", "key", "press", "code", "round") and isinstance(value, str):
        return f"{prefix}{value}"  # unique in the whole database
    if column == "search_position" and value is not None:
        return value + crc32(prefix.encode())  # likewise
    return known.get(value, value) if isinstance(value, str) and type(value) is str else value


@asynccontextmanager
async def open_stage(kind: str, folder: Path) -> AsyncIterator[Stage]:
    """Open a fresh service over a fresh database of `kind`."""
    clock = SettableClock(MONDAY, running=False)
    async with seed_database(kind, folder) as seeded, microsoft(MONDAY) as there:
        storage = seeded.storage
        await add_one_of_everything(seeded)
        rows = _four_copies(await _read_tables(storage))
        slack = SlackPlatform(
            api_url="http://127.0.0.1:1/",
            clock=clock,
            token=TOKEN,
            signing_secret=SECRET,
            syntax=CommandSyntax(platform="slack"),
        )
        slack._static_token.team = TEAM
        slack.messenger._session = _NoSession()  # type: ignore[assignment]
        registration = AppRegistration(
            app_id="app",
            password="geheim",
            tenant=TENANT,
            tenants=frozenset({TENANT}),
            authority=there.url,
            metadata=f"{there.url}/metadata",
        )
        teams = TeamsPlatform(registration, SqlConversations(storage.database), clock, opens=Ritme.opens)
        ritme = Ritme(
            transact=storage.transact,
            platforms={"slack": slack.ports, "teams": teams.ports},
            clock=clock,
            engine=storage.engine,
        )
        await storage.start_engine(ritme)
        app = make_app(mounts=[lambda app: slack.mount(app, ritme), lambda app: teams.mount(app, ritme)])
        doors = mount_doors(app, ritme, clock, storage.database)
        rows = {**rows, **{name: [*rows.get(name, ()), *more] for name, more in doors.rows.items()}}
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stage = Stage(app, ritme, clock, storage, there, (slack, teams), rows, doors=doors, pages=page_payloads())
        stage.payloads = [*slack_payloads(), *teams_payloads(teams._signer, OURS_ON_TEAMS)]
        with patch.object(SlackApi, "call", _answer_slack), patch.object(Connector, "_call", _answer_teams):
            await stage.reset()
            try:
                yield stage
            finally:
                await stage.settle()
                await slack.stop_receiving()
                await runner.cleanup()
                await slack.close()
                await teams.close()


def _four_copies(tables: Tables) -> Tables:
    copies = (
        _copy_rows(tables, "slack", TEAM, "", still=False),
        _copy_rows(tables, "teams", TENANT, OURS_ON_TEAMS, still=False),
        _copy_rows(tables, "slack", FOREIGN_TEAM, OTHERS, still=True),
        _copy_rows(tables, "teams", FOREIGN_TENANT, f"{OTHERS}teams-", still=True),
    )
    return {name: [row for copy in copies for row in copy.get(name, ())] for name in tables}

"""Serve a fake of Slack's Web API over real HTTP, on loopback."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from aiohttp import web

from tests.fakes.slack.block_kit import problems_in_home, problems_in_message, problems_in_view
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.state import Channel, Fault, Json, Modal, Shown, Tab, Trigger, UploadedFile, User

TEAM, BOT, BOT_ID, TOKEN = "T1", "UBOT", "BBOT", "xoxb-test-token"
POST_INTERVAL = timedelta(seconds=1)
TRIGGER_TTL = timedelta(seconds=3)
RESPONSE_URL_TTL = timedelta(minutes=30)
RESPONSE_URL_USES = 5
MAX_FILE = 100_000_000


class RateLimited(Exception):
    """Answer 429: there was a message in this channel less than a second ago."""


class MethodRefused(Exception):
    """Answer `ok: false` with this error."""


class SlackServer:
    """One workspace. `now` is Slack's clock; `token` is the bot token it accepts."""

    def __init__(self, now: Callable[[], datetime], *, team: str = TEAM, token: str = TOKEN) -> None:
        self.now = now
        self.team = team
        self.token = token
        self.url = ""
        self.users: dict[str, User] = {BOT: User(id=BOT, name="Ritme")}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, tuple[str, list[str]]] = {}
        self.screens: dict[str, Modal] = {}
        self.tabs: dict[str, Tab] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, tuple[Shown | None, str, str, datetime, list[None]]] = {}
        self.files: dict[str, UploadedFile] = {}
        self.faults: list[Fault] = []
        self.calls: list[tuple[str, Json]] = []
        self.posted_at: dict[str, datetime] = {}
        self.problems: list[str] = []
        self.sockets = Sockets(url=lambda: self.url)
        self.granted: list[str] | None = None
        """Scopes of the token, sent as a header with every answer; None omits the header."""
        self._message_posted = asyncio.Event()
        self._method_called = asyncio.Event()
        self._closing = asyncio.Event()
        self._numbers = count(1)

    # -- the workspace ----------------------------------------------------------------------------------------------

    def add_user(self, name: str, **about: str) -> User:
        """Add a member to the workspace."""
        user = User(id=f"U{len(self.users):03d}{name.upper()}", name=name, **about)
        self.users[user.id] = user
        return user

    def add_channel(self, name: str, *members: str, with_bot: bool = True, private: bool = False) -> Channel:
        """Add a channel with these users, and the bot, as members."""
        inside = {*members, *([BOT] if with_bot else [])}
        channel = Channel(id=f"C{len(self.channels):03d}", name=name, members=inside, private=private)
        self.channels[channel.id] = channel
        return channel

    def chat_of(self, user: str) -> Channel:
        """Return the conversation between a person and the bot; it begins to exist when first asked for."""
        channel_id = f"D{user[1:]}"
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(id=channel_id, name="directmessage", members={user, BOT}, personal=True)
        return self.channels[channel_id]

    def next_ts(self) -> str:
        """Return a new timestamp, unique as Slack's are."""
        return f"{int(self.now().timestamp())}.{next(self._numbers):06d}"

    def new_trigger(self, user: str) -> str:
        """Issue a trigger id, with which the bot may open one view for this user."""
        name = f"trigger.{next(self._numbers)}"
        self.triggers[name] = Trigger(user=user, at=self.now())
        return name

    def new_response_url(self, shown: Shown | None, channel: str, user: str) -> str:
        """Issue a response URL, with which the bot may replace a message or show the user another."""
        token = f"r{next(self._numbers)}"
        self.response_urls[token] = (shown, channel, user, self.now(), [])
        return f"{self.url}/response/{token}"

    def visible(self, channel: str, user: str) -> list[Shown]:
        """List the messages that this person sees in a channel, threads included, oldest first."""
        found = self.channels[channel]
        mine = user in found.members
        return [one for one in found.messages if not one.deleted and (one.only_for == user if one.only_for else mine)]

    async def wait_for_words(self, channel: str, user: str, words: str) -> Shown:
        """Wait, ten seconds at most, until this person sees these words of the bot in a channel."""
        async with asyncio.timeout(10):
            while True:
                self._message_posted.clear()
                for one in self.visible(channel, user):
                    if one.by == BOT and words in one.words():
                        return one
                await self._message_posted.wait()

    async def wait_for_call(self, method: str, times: int = 1) -> None:
        """Wait, ten seconds at most, until this method was called this many times."""
        async with asyncio.timeout(10):
            while sum(name == method for name, _ in self.calls) < times:
                self._method_called.clear()
                await self._method_called.wait()

    # -- over HTTP --------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SlackServer"]:
        """Serve on a free port until the context ends."""
        app = web.Application(client_max_size=MAX_FILE)
        self.sockets.mount(app)
        app.router.add_post("/api/{method}", self._serve)
        app.router.add_post("/response/{token}", self._respond)
        app.router.add_post("/upload/{file}", self._receive_file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._closing.set()
            await runner.cleanup()

    @property
    def api_url(self) -> str:
        """The address of the Web API, with a slash at its end."""
        return f"{self.url}/api/"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if request.content_type == "application/json":
            args: Json = await request.json()
        else:
            args = dict(await request.post())
        self.calls.append((method, args))
        self._method_called.set()
        return await self._apply_fault(request, method, args, lambda: self._answer(method, args))

    async def _apply_fault(
        self, request: web.Request, method: str, args: Json, act: Callable[[], web.Response]
    ) -> web.StreamResponse:
        """Answer with `act`, or with the first fault that fits this call, which is thereby used up."""
        fault = next(
            (one for one in self.faults if one.method in ("*", method) and one.channel in ("", args.get("channel"))),
            None,
        )
        if fault is None:
            return act()
        self.faults.remove(fault)
        if fault.until is not None:
            await fault.until.wait()
            if not fault.error:
                return act()
        if fault.late:
            await self._wait_for_disconnect(request)
        if fault.after or fault.late:
            act()
        if fault.never:
            await self._closing.wait()
        if (fault.hang_up or fault.never) and request.transport is not None:
            request.transport.abort()
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        if fault.error:
            return web.json_response({"ok": False, "error": fault.error}, status=fault.status, headers=headers)
        return web.Response(status=fault.status, text="<html>", content_type="text/html", headers=headers)

    async def _wait_for_disconnect(self, request: web.Request) -> None:
        """Wait until the caller has closed the connection."""
        while request.transport is not None and not self._closing.is_set():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.05)

    def _answer(self, method: str, args: Json) -> web.Response:
        act = getattr(self, re.sub(r"\.|(?=[A-Z])", "_", f".{method}").lower(), None)
        if act is None:
            return web.json_response({"ok": False, "error": "unknown_method"})
        granted = {"x-oauth-scopes": ",".join(self.granted)} if self.granted is not None else None
        try:
            return web.json_response({"ok": True, **act(args)}, headers=granted)
        except RateLimited:
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        except MethodRefused as declined:
            return web.json_response({"ok": False, "error": str(declined)})

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        args: Json = await request.json()
        self.calls.append(("response_url", args))
        return await self._apply_fault(request, "response_url", args, lambda: self._use_response_url(request, args))

    async def _receive_file(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self.calls.append(("upload", {"file": request.match_info["file"]}))
        return await self._apply_fault(request, "upload", {}, lambda: self._take_file(request, content))

    def _take_file(self, request: web.Request, content: bytes) -> web.Response:
        file = self.files.get(request.match_info["file"])
        if file is None or file.shared:
            return web.Response(status=404, text="file_not_found")
        if len(content) != file.length:
            return web.Response(status=400, text="wrong length")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    def _use_response_url(self, request: web.Request, args: Json) -> web.Response:
        shown, channel, user, made, uses = self.response_urls.get(
            request.match_info["token"], (None, "", "", self.now() - RESPONSE_URL_TTL, [])
        )
        if self.now() - made >= RESPONSE_URL_TTL:
            return web.Response(status=404, text="expired_url")
        if len(uses) >= RESPONSE_URL_USES:
            return web.Response(status=404, text="used_url")
        uses.append(None)
        self._check(problems_in_message({name: args[name] for name in ("text", "blocks")}))
        if shown is not None and args.get("replace_original"):
            shown.text, shown.blocks = args["text"], args["blocks"]
        else:
            self._put(channel, args, only_for=user)
        return web.Response(text="ok")

    # -- methods of the Web API, found by name: `chat.postMessage` is `_chat_post_message` ---------------------------

    def _auth_test(self, args: Json) -> Json:
        return {"team_id": self.team, "team": "Wijkzorg", "user_id": BOT, "user": "ritme", "bot_id": BOT_ID}

    def _chat_post_message(self, args: Json) -> Json:
        self._check(problems_in_message(args))
        channel = self._writable(args["channel"])
        if args.get("unfurl_links") is not False or args.get("unfurl_media") is not False:
            self._check(["links would unfold"])
        if self.now() - self.posted_at.get(channel.id, datetime.min.replace(tzinfo=UTC)) < POST_INTERVAL:
            raise RateLimited
        self.posted_at[channel.id] = self.now()
        shown = self._put(channel.id, args, metadata=args.get("metadata"))
        return {"channel": channel.id, "ts": shown.ts}

    def _chat_post_ephemeral(self, args: Json) -> Json:
        self._check(problems_in_message(args))
        if "metadata" in args:
            self._check(["an ephemeral has no metadata"])
        channel = self._writable(args["channel"])
        if args["user"] not in channel.members:
            raise MethodRefused("user_not_in_channel")
        return {"message_ts": self._put(channel.id, args, only_for=args["user"]).ts}

    def _chat_update(self, args: Json) -> Json:
        self._check(problems_in_message(args))
        shown = self._own(args, "cant_update_message")
        shown.text, shown.blocks, shown.edited = args["text"], args["blocks"], True
        return {"channel": shown.channel, "ts": shown.ts}

    def _chat_get_permalink(self, args: Json) -> Json:
        if args["message_ts"] not in {one.ts for one in self.channels[args["channel"]].messages}:
            raise MethodRefused("message_not_found")
        number = args["message_ts"].replace(".", "")
        return {"permalink": f"https://wijkzorg.slack.com/archives/{args['channel']}/p{number}"}

    def _chat_delete(self, args: Json) -> Json:
        shown = self._own(args, "cant_delete_message")
        shown.deleted = True
        return {"channel": shown.channel, "ts": shown.ts}

    def _files_get_upload_u_r_l_external(self, args: Json) -> Json:
        self._require_scope("files:write")
        if not args.get("filename") or int(args["length"]) <= 0:
            raise MethodRefused("missing_argument")
        if len(args.get("alt_txt", "")) > 1000:
            raise MethodRefused("invalid_arguments")
        file = UploadedFile(id=f"F{next(self._numbers):08d}", name=args["filename"], length=int(args["length"]))
        file.alt_text = args.get("alt_txt", "")
        self.files[file.id] = file
        return {"upload_url": f"{self.url}/upload/{file.id}", "file_id": file.id}

    def _files_complete_upload_external(self, args: Json) -> Json:
        self._require_scope("files:write")
        channel = self._writable(args["channel_id"])
        self._check(problems_in_message({"text": "-", "blocks": args["blocks"]}))
        files = [self.files.get(one["id"]) for one in args["files"]]
        if any(file is None or file.content is None or file.shared for file in files):
            raise MethodRefused("file_not_found")
        shown = self._put(channel.id, {"text": "", **args})
        for file, named in zip(files, args["files"], strict=True):
            assert file is not None
            file.title, file.shared = named["title"], True
            shown.files.append(file)
        return {"files": [{"id": file.id, "title": file.title} for file in shown.files]}

    def _files_delete(self, args: Json) -> Json:
        self._require_scope("files:write")
        file = self.files.get(args["file"])
        if file is None or not file.shared:
            raise MethodRefused("file_not_found")
        if file.deleted:
            raise MethodRefused("file_deleted")
        file.deleted = True
        for channel in self.channels.values():
            for one in channel.messages:
                one.deleted = one.deleted or file in one.files
        return {}

    def _reactions_add(self, args: Json) -> Json:
        shown = self._message(args["channel"], args["timestamp"])
        if not args["name"].replace("_", "").replace("+", "").isalnum() or not args["name"].isascii():
            raise MethodRefused("invalid_name")
        if (BOT, args["name"]) in shown.reactions:
            raise MethodRefused("already_reacted")
        shown.reactions.add((BOT, args["name"]))
        return {}

    def _reactions_remove(self, args: Json) -> Json:
        shown = self._message(args["channel"], args["timestamp"])
        if (BOT, args["name"]) not in shown.reactions:
            raise MethodRefused("no_reaction")
        shown.reactions.discard((BOT, args["name"]))
        return {}

    def _conversations_open(self, args: Json) -> Json:
        if args["users"] not in self.users:
            raise MethodRefused("user_not_found")
        return {"channel": {"id": self.chat_of(args["users"]).id}}

    def _conversations_history(self, args: Json) -> Json:
        roots = [one for one in self._readable(args["channel"]) if one.thread in (None, one.ts)]
        return self._page(list(reversed(roots)), args)

    def _conversations_replies(self, args: Json) -> Json:
        told = [one for one in self._readable(args["channel"]) if args["ts"] in (one.ts, one.thread)]
        if not told:
            raise MethodRefused("thread_not_found")
        return self._page(told, args)

    def _conversations_info(self, args: Json) -> Json:
        channel = self.channels.get(args["channel"])
        if channel is None or (channel.private and BOT not in channel.members):
            raise MethodRefused("channel_not_found")
        return {"channel": {"id": channel.id, "name": channel.name}}

    def _users_info(self, args: Json) -> Json:
        user = self.users.get(args["user"])
        if user is None:
            raise MethodRefused("user_not_found")
        return {"user": user.record(with_locale=args.get("include_locale") in ("true", "1", True))}

    def _usergroups_list(self, args: Json) -> Json:
        return {
            "usergroups": [{"id": one, "name": name, "handle": name.lower()} for one, (name, _) in self.groups.items()]
        }

    def _usergroups_users_list(self, args: Json) -> Json:
        if args["usergroup"] not in self.groups:
            raise MethodRefused("no_such_subteam")
        return {"users": list(self.groups[args["usergroup"]][1])}

    def _views_open(self, args: Json) -> Json:
        trigger = self.triggers.get(args["trigger_id"])
        if trigger is None:
            raise MethodRefused("invalid_trigger_id")
        if trigger.used:
            raise MethodRefused("exchanged_trigger_id")
        if self.now() - trigger.at > TRIGGER_TTL:
            raise MethodRefused("expired_trigger_id")
        trigger.used = True
        return {"view": {"id": self.show(trigger.user, args["view"]).id}}

    def _views_publish(self, args: Json) -> Json:
        if args["user_id"] not in self.users:
            raise MethodRefused("user_not_found")
        self._check(problems_in_home(args["view"]))
        number = next(self._numbers)
        before = self.tabs.get(args["user_id"])
        tab = Tab(id=before.id if before else f"V{number}", user=args["user_id"], view=args["view"], hash=f"h{number}")
        self.tabs[tab.user] = tab
        return {"view": {"id": tab.id, "hash": tab.hash, **tab.view}}

    # -- parts of those methods -------------------------------------------------------------------------------------

    def show(self, user: str, view: Json, behind: Modal | None = None, view_id: str = "") -> Modal:
        """Put a view on someone's screen, over or in place of the one before."""
        self._check(problems_in_view(view))
        number = next(self._numbers)
        modal = Modal(id=view_id or f"V{number}", user=user, view=view, hash=f"h{number}", behind=behind)
        self.screens[user] = modal
        return modal

    def _put(self, channel: str, args: Json, *, only_for: str | None = None, metadata: Json | None = None) -> Shown:
        thread = args.get("thread_ts")
        if thread is not None and self.channels[channel].find(thread) is None:
            raise MethodRefused("thread_not_found")
        shown = Shown(
            channel=channel,
            ts=self.next_ts(),
            by=BOT,
            text=args["text"],
            blocks=json.loads(json.dumps(args["blocks"])),
            thread=thread,
            only_for=only_for,
            metadata=metadata,
        )
        self.channels[channel].messages.append(shown)
        self._message_posted.set()
        return shown

    def _require_scope(self, scope: str) -> None:
        if self.granted is not None and scope not in self.granted:
            raise MethodRefused("missing_scope")

    def _check(self, problems: list[str]) -> None:
        if problems:
            self.problems += problems
            raise MethodRefused("invalid_blocks")

    def _writable(self, channel_id: str) -> Channel:
        channel = self.channels.get(channel_id)
        if channel is None:
            raise MethodRefused("channel_not_found")
        if channel.archived:
            raise MethodRefused("is_archived")
        if BOT not in channel.members:
            raise MethodRefused("not_in_channel")
        return channel

    def _readable(self, channel_id: str) -> list[Shown]:
        return [one for one in self._writable(channel_id).messages if not one.deleted and not one.only_for]

    def _message(self, channel_id: str, ts: str) -> Shown:
        shown = self._writable(channel_id).find(ts)
        if shown is None:
            raise MethodRefused("message_not_found")
        return shown

    def _own(self, args: Json, otherwise: str) -> Shown:
        shown = self._message(args["channel"], args["ts"])
        if shown.by != BOT:
            raise MethodRefused(otherwise)
        return shown

    def _page(self, told: list[Shown], args: Json) -> Json:
        """Return a page of messages: apps outside the Marketplace get fifteen at a time."""
        told = [one for one in told if float(one.ts) > float(args.get("oldest", 0))]
        start, size = int(args.get("cursor") or 0), min(int(args.get("limit", 15)), 15)
        with_metadata = args.get("include_all_metadata") in ("true", "1", True)
        messages: list[dict[str, Any]] = [
            {
                "ts": one.ts,
                "text": one.text,
                "blocks": one.blocks,
                # Without files:read Slack tells only that there is something, so nobody may rely on it.
                **({"files": [{"id": file.id, "mode": "hidden"} for file in one.files]} if one.files else {}),
                **({"metadata": one.metadata} if with_metadata and one.metadata else {}),
            }
            for one in told[start : start + size]
        ]
        more = str(start + size) if start + size < len(told) else ""
        return {"messages": messages, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

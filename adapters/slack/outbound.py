"""Sends to Slack, once, and finds out what became of a post whose answer was lost."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog

from adapters.slack import render
from adapters.slack.calls import PLACE_GONE, Calls, Said, team_of
from adapters.slack.home import home
from bot.chat import Post, Receipt
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

EVENT = "ritme_delivery"
PACE = timedelta(seconds=1)
"""Slack takes one post a second in one channel."""
WORKSPACE_PACE = timedelta(milliseconds=200)
"""And "several hundred a minute" in one workspace: three hundred,"""
AT_ONCE = 50
"""after this many in one go."""
EARLIER = timedelta(minutes=1)
"""How far Slack's clock may be behind ours when looking for a post."""
PAGES = 20
DONE = {
    "reactions.add": frozenset({"already_reacted", "message_not_found", "no_reaction"}),
    "reactions.remove": frozenset({"no_reaction", "message_not_found"}),
    "chat.delete": frozenset({"message_not_found"}),
}
"""Errors that say it is already as it should be."""
ELSEWHERE = {*PLACE_GONE, "user_not_in_channel"}
"""Errors at which a private message finds its reader in their own chat instead."""
log = structlog.get_logger("ritme.slack")


class SlackMessenger:
    """Sends to every workspace there is a token for. `session` posts to response URLs."""

    def __init__(self, calls: Calls, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._calls = calls
        self._session = session
        self._clock = clock
        self._chats: dict[tuple[str, str], str] = {}
        self._free_at: dict[tuple[str, str], datetime] = {}
        self._busy_until: dict[str, datetime] = {}

    async def send(self, post: Post) -> Receipt:
        """Does what `post` says. A message only one person may see goes to their own chat where the channel cannot
        show it, and where it cannot take the place of another message any more it stands by itself."""
        try:
            match post.act:
                case "post":
                    return await self._post(post)
                case "update":
                    return await self._update(post)
                case "delete":
                    return await self._settled(post, "chat.delete", ts=post.target)
                case "react":
                    return await self._settled(post, "reactions.add", timestamp=post.target, name=post.reaction)
                case "unreact":
                    return await self._settled(post, "reactions.remove", timestamp=post.target, name=post.reaction)
                case "home":
                    return await self._publish(post)
        except Said as said:
            raise said.unreachable() from None

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """Looks for a post by its delivery id. Everything else is harmless to do again: a change leaves the same
        result, and a message for one pair of eyes, of which Slack keeps no history, is at worst shown twice."""
        if post.act != "post" or (post.account and post.channel):
            return None
        try:
            channel = post.channel or await self._chat_with(post)
            return await self._found(post, channel, since - EARLIER)
        except (Said, RetryAfter, Unreachable) as problem:
            log.warning("slack_cannot_look", error=str(problem))
            raise OutcomeUnknown from None

    async def _post(self, post: Post) -> Receipt:
        if post.channel is None:
            return await self._post_personally(post)
        if post.account is None:
            return await self._post_in(post.channel, post)
        try:
            shown = await self._calls(
                team_of(post.workspace),
                "chat.postEphemeral",
                channel=post.channel,
                user=post.account,
                **_in_thread(post),
                **_content(post),
            )
        except Said as said:
            if said.code not in ELSEWHERE:
                raise
            return await self._post_personally(replace(post, thread=None))
        return Receipt(channel=post.channel, message=shown["message_ts"])

    async def _post_personally(self, post: Post) -> Receipt:
        chat = await self._chat_with(post)
        try:
            return await self._post_in(chat, post)
        except Said:
            self._chats.pop((post.workspace, post.account or ""), None)
            raise

    async def _post_in(self, channel: str, post: Post) -> Receipt:
        self._take_turn(post.workspace, channel)
        shown = await self._calls(
            team_of(post.workspace),
            "chat.postMessage",
            per_channel=True,
            channel=channel,
            metadata={"event_type": EVENT, "event_payload": {"id": post.delivery}},
            unfurl_links=False,
            unfurl_media=False,
            **_in_thread(post),
            **_content(post),
        )
        return Receipt(channel=shown["channel"], message=shown["ts"])

    def _take_turn(self, workspace: str, channel: str) -> None:
        """Raises `RetryAfter` when the channel, or its workspace, had as much as Slack takes."""
        now = self._clock.now()
        busy_until = max(self._busy_until.get(workspace, now), now)
        if busy_until - now > WORKSPACE_PACE * AT_ONCE:
            raise RetryAfter(busy_until - WORKSPACE_PACE * AT_ONCE, whole_workspace=True)
        place = (workspace, channel)
        if (free_at := self._free_at.get(place, now)) > now:
            raise RetryAfter(free_at)
        self._free_at = {one: moment for one, moment in self._free_at.items() if moment > now} | {place: now + PACE}
        self._busy_until[workspace] = busy_until + WORKSPACE_PACE

    async def _update(self, post: Post) -> Receipt:
        """`target` is a message in the channel, "<channel>/<message>" for one elsewhere, or a response URL."""
        target = post.target or ""
        if target.startswith(("https://", "http://")):
            replaced = await self._replace(post, target)
            return replaced or await self._post(post)
        elsewhere, _, ts = target.rpartition("/")
        channel = elsewhere or post.channel or await self._chat_with(post)
        try:
            await self._calls(team_of(post.workspace), "chat.update", channel=channel, ts=ts, **_content(post))
        except Said as said:
            if post.account is None or said.code not in ("message_not_found", "cant_update_message"):
                raise
            return await self._post(post)
        return Receipt(channel=channel, message=ts)

    async def _replace(self, post: Post, url: str) -> Receipt | None:
        """Replaces a message only its reader sees; None when that is over (five times, for thirty minutes)."""
        try:
            async with self._session.post(url, json={"replace_original": True, **_content(post)}) as answer:
                status, headers = answer.status, dict(answer.headers)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise OutcomeUnknown from None
        if status == 429:
            raise self._calls.later(headers, 30, whole_workspace=False)
        if status >= 500:
            raise OutcomeUnknown
        return Receipt(channel=post.channel or "", message=post.delivery) if status == 200 else None

    async def _publish(self, post: Post) -> Receipt:
        """Shows someone their page; doing so again does no harm, so nothing has to be looked up before. Slack counts
        pages by themselves: when there are too many, nothing else has to wait."""
        if post.page is None or post.account is None:
            raise Unreachable("person_gone")
        team, view = team_of(post.workspace), home(post.page)
        shown = await self._calls(team, "views.publish", per_channel=True, user_id=post.account, view=view)
        return Receipt(channel="", message=str((shown.get("view") or {}).get("id", "")))

    async def _settled(self, post: Post, method: str, **what: Any) -> Receipt:
        channel = post.channel or await self._chat_with(post)
        try:
            await self._calls(team_of(post.workspace), method, channel=channel, **what)
        except Said as said:
            if said.code not in DONE[method]:
                raise
        return Receipt(channel=channel, message=post.target or "")

    async def _chat_with(self, post: Post) -> str:
        if post.account is None:
            raise Unreachable("person_gone")
        whose = (post.workspace, post.account)
        if whose not in self._chats:
            opened = await self._calls(team_of(post.workspace), "conversations.open", users=post.account)
            self._chats[whose] = str(opened["channel"]["id"])
        return self._chats[whose]

    async def _found(self, post: Post, channel: str, since: datetime) -> Receipt | None:
        method = "conversations.replies" if post.thread else "conversations.history"
        where: dict[str, Any] = {"channel": channel, "oldest": f"{since.timestamp():.6f}", "limit": "15"}
        if post.thread:
            where["ts"] = post.thread
        for _ in range(PAGES):
            page = await self._calls(team_of(post.workspace), method, reads=True, include_all_metadata="true", **where)
            for message in page["messages"]:
                if _delivery(message) == post.delivery:
                    return Receipt(channel=channel, message=message["ts"])
            where["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
            if not where["cursor"]:
                return None
        raise OutcomeUnknown


def _content(post: Post) -> dict[str, Any]:
    if post.message is None:
        raise ValueError(f"nothing to say in {post.delivery}")
    return {"text": render.fallback(post.message), "blocks": render.blocks(post.message)}


def _in_thread(post: Post) -> dict[str, Any]:
    return {"thread_ts": post.thread} if post.thread else {}


def _delivery(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("id") if metadata.get("event_type") == EVENT else None

"""Send posts to Slack, once each, and look up posts whose answer was lost."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog

from adapters.file_links import FileLinks
from adapters.memory import Memory
from adapters.proxies import find_proxy
from adapters.slack import render
from adapters.slack.home import render_home
from adapters.slack.web_api import PLACE_GONE_ERRORS, SCOPE_MISSING_ERRORS, SlackApi, SlackApiRefusal, slack_team
from bot.chat import Post, PostedFile, PostedPicture, Receipt
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable
from bot.wording import shorten

FILE_ID_PREFIX = "F"
"""Of Slack's id of a file, which is the receipt of a message with one: Slack does not tell the message's own."""
METADATA_EVENT_TYPE = "ritme_delivery"
"""Type of the message metadata that holds the delivery's id, by which a post is found again."""
POST_INTERVAL = timedelta(seconds=1)
"""Slack takes one post a second in one channel."""
WORKSPACE_POST_INTERVAL = timedelta(milliseconds=200)
"""Slack takes "several hundred a minute" in one workspace; Ritme posts three hundred, plus a burst."""
WORKSPACE_BURST = 50
"""Posts in one workspace that may go before they are spaced by `WORKSPACE_POST_INTERVAL`."""
MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far Slack's clock may be behind ours when looking for a post."""
CHAT_CACHE_TTL = timedelta(days=1)
"""How long the id of someone's chat with the bot, which never changes, is not asked for again."""
MAX_HISTORY_PAGES = 20
"""Pages of fifteen messages to look through for a post, before its outcome stays unknown."""
ALREADY_DONE_ERRORS = {
    "reactions.add": frozenset({"already_reacted", "message_not_found", "no_reaction"}),
    "reactions.remove": frozenset({"no_reaction", "message_not_found"}),
    "chat.delete": frozenset({"message_not_found"}),
    "files.delete": frozenset({"file_not_found", "file_deleted"}),
}
"""Errors by method that say the result is already there: a retry counts as a success."""
FILES_REFUSED_ERRORS = frozenset(
    {
        *SCOPE_MISSING_ERRORS,
        "file_type_not_allowed",
        "file_upload_size_restricted",
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "storage_limit_reached",
    }
)
"""Errors that say we may give no (such) files in a workspace: the person reads how they get it all the same."""
MAX_ALT_TEXT = 1000
"""Characters of the text that is read to somebody who does not see a picture."""
UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=30)
"""For taking a file to Slack: megabytes, over any line."""
UPLOAD_RETRY_DELAY = timedelta(seconds=30)
NOT_SHOWN_IN_CHANNEL_ERRORS = {*PLACE_GONE_ERRORS, "user_not_in_channel"}
"""Errors on which a private message goes to its reader's own chat instead of the channel."""
log = structlog.get_logger("ritme.slack")


class SlackMessenger:
    """Sends to every workspace there is a token for, and paces posts per channel and per workspace.

    `session` posts to response URLs and takes files to where Slack wants them, which is outside the Web API. `links`
    are for a workspace that lets us give no files; None where people cannot reach us. Pacing is kept in memory: several
    processes may together exceed a limit, and then Slack's own 429 reschedules the post.
    """

    def __init__(
        self, api: SlackApi, session: aiohttp.ClientSession, clock: Clock, *, links: FileLinks | None = None
    ) -> None:
        self._links = links
        self._api = api
        self._session = session
        self._clock = clock
        self._chats: Memory[tuple[str, str], str] = Memory(clock, CHAT_CACHE_TTL)
        self._free_at: dict[tuple[str, str], datetime] = {}
        self._busy_until: dict[str, datetime] = {}

    async def send(self, post: Post) -> Receipt:
        """Do what `post` says.

        A message for one person goes to their own chat when the channel cannot show it to them; an update for one
        person is posted anew when the message it should replace cannot be changed any more.
        """
        try:
            match post.act:
                case "post":
                    return await self._post(post)
                case "update" if (post.target or "").startswith(FILE_ID_PREFIX):
                    return await self._replace_file(post)
                case "update":
                    return await self._update(post)
                case "delete" if (post.target or "").startswith(FILE_ID_PREFIX):
                    return await self._delete_file(post)
                case "delete":
                    return await self._apply_idempotently(post, "chat.delete", ts=post.target)
                case "react":
                    return await self._apply_idempotently(
                        post, "reactions.add", timestamp=post.target, name=post.reaction
                    )
                case "unreact":
                    return await self._apply_idempotently(
                        post, "reactions.remove", timestamp=post.target, name=post.reaction
                    )
                case "home":
                    return await self._publish_home(post)
        except SlackApiRefusal as refusal:
            raise refusal.to_unreachable() from None

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """Look for a post by its delivery id; return None when it is not there and may be sent again.

        None also for everything else, which is harmless to do again: a change leaves the same result, and an ephemeral
        message, of which Slack keeps no history, is at worst shown twice. Raises `OutcomeUnknown`.
        """
        if post.act != "post" or (post.account and post.channel):
            return None
        try:
            channel = post.channel or await self._open_chat(post)
            return await self._search_history(post, channel, since - MAX_CLOCK_SKEW)
        except (SlackApiRefusal, RetryAfter, Unreachable) as problem:
            log.warning("slack_lookup_failed", error=str(problem))
            raise OutcomeUnknown from None

    async def _post(self, post: Post) -> Receipt:
        if post.channel is None:
            return await self._post_personally(post)
        if post.account is None:
            return await self._post_in(post.channel, post)
        try:
            answer = await self._api.call(
                slack_team(post.workspace),
                "chat.postEphemeral",
                channel=post.channel,
                user=post.account,
                **_in_thread(post),
                **_content(post),
            )
        except SlackApiRefusal as refusal:
            if refusal.code not in NOT_SHOWN_IN_CHANNEL_ERRORS:
                raise
            return await self._post_personally(replace(post, thread=None))
        return Receipt(channel=post.channel, message=answer["message_ts"])

    async def _post_personally(self, post: Post) -> Receipt:
        """Post in the reader's own chat with the bot."""
        chat = await self._open_chat(post)
        try:
            if post.file is not None:
                return await self._give_file(chat, post, post.file)
            if post.picture is not None:
                return await self._show_picture(chat, post, post.picture)
            return await self._post_in(chat, post)
        except SlackApiRefusal:
            # The cached chat may be the reason: open it again next time.
            self._chats.forget((post.workspace, post.account or ""))
            raise

    async def _post_in(self, channel: str, post: Post) -> Receipt:
        self._reserve_slot(post.workspace, channel)
        answer = await self._api.call(
            slack_team(post.workspace),
            "chat.postMessage",
            per_channel=True,
            channel=channel,
            metadata={"event_type": METADATA_EVENT_TYPE, "event_payload": {"id": post.delivery}},
            unfurl_links=False,
            unfurl_media=False,
            **_in_thread(post),
            **await self._content_with_link(post),
        )
        return Receipt(channel=answer["channel"], message=answer["ts"])

    async def _content_with_link(self, post: Post) -> dict[str, Any]:
        """Return the content of a message, with a link to its file where that cannot be given itself, or to the thread
        it is about."""
        content = self._content_or_link(post)
        if post.link is None:
            return content
        about = {"channel": post.link.channel, "message_ts": post.link.message}
        try:
            found = await self._api.call(
                slack_team(post.workspace), "chat.getPermalink", per_channel=True, reads=True, **about
            )
        except (SlackApiRefusal, RetryAfter, OutcomeUnknown) as problem:
            # The message says in which channel it is: a link is not worth waiting for.
            log.info("slack_permalink_failed", error=str(problem))
            return content
        return {**content, "blocks": [*content["blocks"], render.link_block(post.link.label, found["permalink"])]}

    def _content_or_link(self, post: Post) -> dict[str, Any]:
        """Return the content of a message; with a link to its file, where that cannot be given itself."""
        content = _content(post)
        if post.file is None or self._links is None:
            return content
        link = render.link_block(post.file.label, self._links.make_link(post.file, "slack"))
        return {**content, "blocks": [*content["blocks"], link]}

    async def _give_file(self, chat: str, post: Post, file: PostedFile) -> Receipt:
        """Give a file with its message. Where the workspace lets us give none, give a link, or say what to do."""
        given = await self._share_file(chat, post, file)
        if given is not None:
            return given
        return await self._post_in(chat, replace(post, message=file.refused if self._links is None else file.linked))

    async def _show_picture(self, chat: str, post: Post, picture: PostedPicture) -> Receipt:
        """Show a picture with its message; where the workspace lets us give no files, the message alone."""
        given = await self._share_file(chat, post, picture, alt_txt=shorten(picture.text, MAX_ALT_TEXT))
        return given or await self._post_in(chat, post)

    async def _share_file(
        self, chat: str, post: Post, file: PostedFile | PostedPicture, **about: str
    ) -> Receipt | None:
        """Share a file with the message of a post; return None where the workspace lets us give none.

        Only the last of three calls shows anything, so what happens before it may be done again. The message shows its
        delivery id as the id of its first block, and as a part of the file's name: by these it is found.
        """
        team = slack_team(post.workspace)
        try:
            upload = await self._api.call(
                team,
                "files.getUploadURLExternal",
                per_channel=True,
                reads=True,
                filename=_file_name(file, post.delivery),
                length=str(len(file.content)),
                **about,
            )
        except SlackApiRefusal as refusal:
            if refusal.code not in FILES_REFUSED_ERRORS:
                raise
            log.warning("slack_file_refused", workspace=post.workspace, error=refusal.code)
            return None
        await self._upload(str(upload["upload_url"]), file.content)
        self._reserve_slot(post.workspace, chat)
        first, *rest = _content(post)["blocks"]
        done = await self._api.call(
            team,
            "files.completeUploadExternal",
            per_channel=True,
            files=[{"id": upload["file_id"], "title": file.title}],
            channel_id=chat,
            blocks=[{**first, "block_id": post.delivery}, *rest],
        )
        given = done.get("files") or [{}]
        return Receipt(channel=chat, message=str(given[0].get("id") or upload["file_id"]))

    async def _upload(self, url: str, content: bytes) -> None:
        """Take a file to Slack, where nobody sees it yet. Raises `RetryAfter` when it did not get there."""
        try:
            async with self._session.post(url, data=content, timeout=UPLOAD_TIMEOUT, proxy=find_proxy(url)) as answer:
                if answer.status == 200:
                    return
                log.warning("slack_upload_failed", status=answer.status)
                if answer.status == 429:
                    raise self._api.retry_after(dict(answer.headers), 30, whole_workspace=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            log.warning("slack_upload_failed", error=type(problem).__name__)
        raise RetryAfter(self._clock.now() + UPLOAD_RETRY_DELAY, reason="still_not_arrived")

    async def _delete_file(self, post: Post) -> Receipt:
        """Delete a file, and the message with it."""
        try:
            await self._api.call(slack_team(post.workspace), "files.delete", file=post.target)
        except SlackApiRefusal as refusal:
            if refusal.code not in ALREADY_DONE_ERRORS["files.delete"]:
                raise
        return Receipt(channel=post.channel or "", message=post.target or "")

    async def _replace_file(self, post: Post) -> Receipt:
        """Delete a message with a file, which cannot be changed, and unless it is only to lose somebody, post anew."""
        deleted = await self._delete_file(post)
        return await self._post(post) if post.anew and post.account is not None else deleted

    def _reserve_slot(self, workspace: str, channel: str) -> None:
        """Reserve the next moment to post in a channel. Raises `RetryAfter` when it, or its workspace, is at its limit.

        `_busy_until` is when the posts reserved in a workspace would end if they were spaced evenly. It may run ahead
        of the clock by a burst.
        """
        now = self._clock.now()
        busy_until = max(self._busy_until.get(workspace, now), now)
        if busy_until - now > WORKSPACE_POST_INTERVAL * WORKSPACE_BURST:
            raise RetryAfter(busy_until - WORKSPACE_POST_INTERVAL * WORKSPACE_BURST, whole_workspace=True)
        place = (workspace, channel)
        if (free_at := self._free_at.get(place, now)) > now:
            raise RetryAfter(free_at)
        # Without the channels that are free again, so that this does not grow with every channel ever posted in.
        self._free_at = {one: moment for one, moment in self._free_at.items() if moment > now} | {
            place: now + POST_INTERVAL
        }
        self._busy_until[workspace] = busy_until + WORKSPACE_POST_INTERVAL

    async def _update(self, post: Post) -> Receipt:
        """Change a message: `target` is its ts in `target_channel`, or else in the channel; or a response URL."""
        target = post.target or ""
        if target.startswith(("https://", "http://")):
            replaced = await self._replace(post, target)
            return replaced or await self._post(post)
        channel = post.target_channel or post.channel or await self._open_chat(post)
        try:
            await self._api.call(
                slack_team(post.workspace), "chat.update", channel=channel, ts=target, **_content(post)
            )
        except SlackApiRefusal as refusal:
            is_gone = refusal.code in ("message_not_found", "cant_update_message")
            if post.account is None or not is_gone or not post.anew:
                raise
            return await self._post(post)
        return Receipt(channel=channel, message=target)

    async def _replace(self, post: Post, url: str) -> Receipt | None:
        """Replace an ephemeral message through its response URL, which works five times within thirty minutes.

        Returns None when the URL does not work any more.
        """
        try:
            content = {"replace_original": True, **_content(post)}
            async with self._session.post(url, json=content, proxy=find_proxy(url)) as answer:
                status, headers = answer.status, dict(answer.headers)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise OutcomeUnknown from None
        if status == 429:
            raise self._api.retry_after(headers, 30, whole_workspace=False)
        if status >= 500:
            raise OutcomeUnknown
        return Receipt(channel=post.channel or "", message=post.delivery) if status == 200 else None

    async def _publish_home(self, post: Post) -> Receipt:
        """Publish someone's Home tab. Publishing the same page again does no harm, so it is never looked up."""
        if post.page is None or post.account is None:
            raise Unreachable("person_gone")
        team, view = slack_team(post.workspace), render_home(post.page)
        # Slack has a limit of its own for this method: a 429 must not hold up the rest of the workspace.
        answer = await self._api.call(team, "views.publish", per_channel=True, user_id=post.account, view=view)
        return Receipt(channel="", message=str((answer.get("view") or {}).get("id", "")))

    async def _apply_idempotently(self, post: Post, method: str, **args: Any) -> Receipt:
        """Call a method that may be repeated: an error that says the result is there already counts as success.

        Slack limits these per method: a 429 must not hold up the rest of the workspace.
        """
        channel = post.target_channel or post.channel or await self._open_chat(post)
        try:
            await self._api.call(slack_team(post.workspace), method, per_channel=True, channel=channel, **args)
        except SlackApiRefusal as refusal:
            if refusal.code not in ALREADY_DONE_ERRORS[method]:
                raise
        return Receipt(channel=channel, message=post.target or "")

    async def _open_chat(self, post: Post) -> str:
        """Return the channel id of the chat between the post's reader and the bot."""
        if post.account is None:
            raise Unreachable("person_gone")
        key = (post.workspace, post.account)
        chat = self._chats.get(key)
        if chat is None:
            answer = await self._api.call(slack_team(post.workspace), "conversations.open", users=post.account)
            chat = str(answer["channel"]["id"])
            self._chats.put(key, chat)
        return chat

    async def _search_history(self, post: Post, channel: str, since: datetime) -> Receipt | None:
        """Look through a channel or thread, from `since` on, for the message with the post's delivery id.

        Raises `OutcomeUnknown` when it is not on the first `MAX_HISTORY_PAGES` pages and there are more.
        """
        team, method = slack_team(post.workspace), "conversations.replies" if post.thread else "conversations.history"
        # Slack gives an app that is not in its Marketplace no more than fifteen messages at a time.
        args: dict[str, Any] = {"channel": channel, "oldest": f"{since.timestamp():.6f}", "limit": "15"}
        if post.thread:
            args["ts"] = post.thread
        for _ in range(MAX_HISTORY_PAGES):
            page = await self._api.call(team, method, reads=True, include_all_metadata="true", **args)
            for message in page["messages"]:
                if _is_of_delivery(message, post.delivery):
                    return Receipt(channel=channel, message=_receipt_id(message))
            args["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
            if not args["cursor"]:
                return None
        raise OutcomeUnknown


def _content(post: Post) -> dict[str, Any]:
    if post.message is None:
        raise ValueError(f"nothing to say in {post.delivery}")
    return {"text": render.notification_text(post.message), "blocks": render.render_blocks(post.message)}


def _file_name(file: PostedFile | PostedPicture, delivery: str) -> str:
    stem, dot, ending = file.name.rpartition(".")
    return f"{stem}-{delivery[:8]}{dot}{ending}"


def _in_thread(post: Post) -> dict[str, Any]:
    return {"thread_ts": post.thread} if post.thread else {}


def _is_of_delivery(message: Mapping[str, Any], delivery: str) -> bool:
    """Return whether a message is the one that a delivery became: by its metadata, or, with a file, by its first block
    or the name of the file."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") == METADATA_EVENT_TYPE:
        return bool((metadata.get("event_payload") or {}).get("id") == delivery)
    first: Mapping[str, Any] = next(iter(message.get("blocks") or ()), {})
    names = [str(one.get("name") or "") for one in message.get("files") or ()]
    return first.get("block_id") == delivery or any(f"-{delivery[:8]}." in name for name in names)


def _receipt_id(message: Mapping[str, Any]) -> str:
    """Return the receipt of a message that was found: of one with a file, the file's id, by which it is deleted."""
    file: Mapping[str, Any] = next(iter(message.get("files") or ()), {})
    return str(file.get("id") or message["ts"])

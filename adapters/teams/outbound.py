"""Send to Teams, once: a message whose answer was lost cannot be looked up, so it is never sent again."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import structlog

from adapters.file_links import FileLinks
from adapters.teams import cards
from adapters.teams.connector import Connector, ConnectorError
from adapters.teams.payloads import THREAD_SEPARATOR
from adapters.teams.phrases import answer_phrase
from adapters.teams.rate_limiter import RateLimiter
from adapters.teams.references import Conversation, ConversationReferences
from adapters.teams.signer import Signer
from bot.chat import DEFAULT_SYNTAX, CommandSyntax, Paragraph, Post, PostedLink, PostedPicture, Receipt, Span
from bot.domain.person import Language
from bot.ports import Clock, LookupUnsupported, RetryAfter, StorageUnavailable, Unreachable

REFERENCE_RETRY_DELAY = timedelta(seconds=5)
"""How long a message waits when storage does not tell where it is to go."""
log = structlog.get_logger("ritme.teams")


class TeamsMessenger:
    """Sends to the conversations that Teams told us of.

    With `targeted`, a message for one pair of eyes is shown in the channel, to that person only; without, which every
    organisation has, in their own chat. A press on a button whose intent is in `opens` asks for a dialog.
    """

    def __init__(
        self,
        connector: Connector,
        references: ConversationReferences,
        rate_limiter: RateLimiter,
        clock: Clock,
        *,
        opens: frozenset[str],
        signer: Signer,
        targeted: bool = False,
        syntax: CommandSyntax = DEFAULT_SYNTAX,
        links: FileLinks | None = None,
    ) -> None:
        self._connector = connector
        self._references = references
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._opens = opens
        self._signer = signer
        self._targeted = targeted
        self._links = links
        self._syntax = syntax

    async def send(self, post: Post) -> Receipt:
        try:
            match post.act:
                case "post":
                    return await self._post(post)
                case "update":
                    return await self._update(post)
                case "delete":
                    return await self._delete(post)
                case "react" | "unreact":
                    # A bot cannot react in Teams; the private message says that it was kept.
                    return Receipt(channel=post.channel or "", message=post.target or "")
                case "home":
                    raise Unreachable("person_gone")  # nobody opens such a page in Teams
        except ConnectorError as error:
            raise error.to_unreachable() from None
        except StorageUnavailable:  # where it is to go cannot be looked up: nothing was sent
            raise RetryAfter(self._clock.now() + REFERENCE_RETRY_DELAY) from None

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """Return None for a change, which leaves the same result when it is made again. Raises `LookupUnsupported` for
        a new message: a bot can read no history in Teams."""
        if post.act in ("update", "delete"):
            return None
        raise LookupUnsupported

    async def _post(self, post: Post) -> Receipt:
        if post.account is not None:
            if post.channel is not None and self._targeted:
                return await self._send_in_channel_to_one(post, post.channel)
            return await self._send_to_chat(post)
        conversation = await self._find_conversation(post, post.channel or "")
        self._rate_limiter.acquire(post.workspace, conversation.channel)
        activity = self._activity(_with_mention_hint(post, conversation, self._syntax))
        # Outside a thread, a message in a channel of a team begins one: that takes a new conversation.
        if post.thread or not conversation.team:
            target = _thread_id(post, conversation)
            sent = await self._connector.send_activity(conversation.service_url, target, activity)
            return Receipt(channel=conversation.channel, message=sent)
        made = await self._connector.create_conversation(
            conversation.service_url,
            {
                "isGroup": True,
                "channelData": {
                    "channel": {"id": conversation.channel},
                    "tenant": {"id": _tenant_id(post.workspace)},
                },
                "bot": {"id": conversation.bot},
                "activity": activity,
            },
        )
        root = str(made.get("id") or "").partition(THREAD_SEPARATOR)[2]
        return Receipt(channel=conversation.channel, message=str(made.get("activityId") or root))

    async def _send_to_chat(self, post: Post) -> Receipt:
        """Send to a person's own chat. The buttons carry which channel it is about, if any."""
        chat = await self._find_or_create_chat(post)
        self._rate_limiter.acquire(post.workspace, chat.channel)
        origin = self._signer.sign_origin(post.account or "", post.channel, post.thread) if post.channel else None
        sent = await self._connector.send_activity(chat.service_url, chat.channel, self._activity(post, origin))
        return Receipt(channel=chat.channel, message=sent)

    async def _send_in_channel_to_one(self, post: Post, channel: str) -> Receipt:
        """Send to a channel, shown to one person only."""
        conversation = await self._find_conversation(post, channel)
        self._rate_limiter.acquire(post.workspace, channel)
        chat = await self._references.find_by_person(post.workspace, post.account or "")
        reader = {"id": chat.member if chat is not None and chat.member else post.account}
        sent = await self._connector.send_activity(
            conversation.service_url,
            _thread_id(post, conversation),
            {**self._activity(post), "recipient": reader},
            isTargetedActivity="true",
        )
        return Receipt(channel=channel, message=sent)

    async def _update(self, post: Post) -> Receipt:
        """Replace the message `target`, in `target_channel` or else in the channel."""
        message = post.target or ""
        conversation = await self._target_conversation(post)
        is_about_channel = bool(post.target_channel and post.account and post.channel)
        origin = None
        if is_about_channel:
            origin = self._signer.sign_origin(post.account or "", post.channel or "", post.thread)
        try:
            activity = self._activity(_with_mention_hint(post, conversation, self._syntax), origin)
            await self._connector.update_activity(conversation.service_url, conversation.channel, message, activity)
        except ConnectorError as error:
            if error.status not in (400, 403, 404):
                raise
            if post.account is None or not post.anew:
                raise Unreachable("message_gone") from None
            # The card is gone, but its reader waits for an answer.
            return await self._send_to_chat(post)
        return Receipt(channel=conversation.channel, message=message)

    async def _delete(self, post: Post) -> Receipt:
        message = post.target or ""
        conversation = await self._target_conversation(post)
        self._rate_limiter.acquire(post.workspace, conversation.channel)
        try:
            await self._connector.delete_activity(conversation.service_url, conversation.channel, message)
        except ConnectorError as error:
            if error.status not in (403, 404):  # deleted already, or out of our reach with all that is there
                raise
        return Receipt(channel=conversation.channel, message=message)

    async def _target_conversation(self, post: Post) -> Conversation:
        if channel := post.target_channel or post.channel:
            return await self._find_conversation(post, channel)
        return await self._find_or_create_chat(post)

    async def _find_conversation(self, post: Post, channel: str) -> Conversation:
        """Return a conversation as Teams told it last; of one we lost, with the service URL of another one in the
        organisation. Raises `Unreachable` when we know none."""
        known = await self._references.find(post.workspace, channel)
        if known is not None:
            return known
        other = await self._references.find_any(post.workspace)
        if other is None:
            raise Unreachable("not_in_place", place_is_gone=True)
        return Conversation(workspace_id=post.workspace, channel=channel, service_url=other.service_url)

    async def _find_or_create_chat(self, post: Post) -> Conversation:
        """Return the chat with one person. Raises `Unreachable` when we know no conversation of the organisation."""
        account = post.account or ""
        known = await self._references.find_by_person(post.workspace, account)
        if known is not None and known.can_receive:
            return known
        # Where we are nowhere any more, a coordinator may still be told so: by the address of where we were last.
        other = await self._references.find_any(post.workspace) or await self._references.find_former(post.workspace)
        if other is None or not account:
            raise Unreachable("person_gone")
        tenant = _tenant_id(post.workspace)
        made = await self._connector.create_conversation(
            other.service_url,
            {
                "isGroup": False,
                "bot": {"id": other.bot},
                "members": [{"id": known.member if known is not None else account}],
                "tenantId": tenant,
                "channelData": {"tenant": {"id": tenant}},
            },
        )
        chat = Conversation(
            workspace_id=post.workspace,
            channel=str(made.get("id") or ""),
            service_url=other.service_url,
            bot=other.bot,
            account=account,
            member=known.member if known is not None else "",
        )
        await self._references.record(chat)
        return chat

    def _activity(self, post: Post, origin: Mapping[str, str] | None = None) -> dict[str, Any]:
        message, link = post.message, None
        if post.file is not None:
            message = post.file.refused if self._links is None else post.file.linked
            link = None if self._links is None else (post.file.label, self._links.make_link(post.file, "teams"))
        elif post.link is not None:
            link = (post.link.label, _message_link(post.workspace, post.link))
        if message is None:
            raise ValueError(f"nothing to say in {post.delivery}")
        return {
            "type": "message",
            "summary": cards.notification_summary(message),
            "attachments": [
                {
                    "contentType": cards.ADAPTIVE_CARD_TYPE,
                    "content": cards.render_card(message, opens=self._opens, origin=origin, link=link),
                },
                *([_inline(post.picture)] if post.picture is not None else ()),
            ],
        }


def _inline(picture: PostedPicture) -> dict[str, str]:
    """Return a picture as an attachment that holds it; below the card, which says the same."""
    content = b64encode(picture.content).decode()
    return {"contentType": "image/png", "contentUrl": f"data:image/png;base64,{content}", "name": picture.name}


def _with_mention_hint(post: Post, conversation: Conversation, syntax: CommandSyntax) -> Post:
    """Return a post that asks for answers with the request to mention us, where we hear only what does."""
    if not post.gathers or conversation.hears or post.message is None:
        return post
    hint = answer_phrase("mention_me", Language(post.message.language), syntax)
    paragraph = Paragraph(spans=(Span(text=hint),), kind="small")
    return replace(post, message=replace(post.message, paragraphs=(*post.message.paragraphs, paragraph)))


def _thread_id(post: Post, conversation: Conversation) -> str:
    """Return the conversation id of the post's thread; a chat or group chat has no threads."""
    if post.thread and conversation.team:
        return f"{conversation.channel}{THREAD_SEPARATOR}{post.thread}"
    return conversation.channel


def _message_link(workspace: str, link: PostedLink) -> str:
    """Return the address that opens a message in Teams.

    https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-link-teams
    """
    about = urlencode({"tenantId": _tenant_id(workspace), "parentMessageId": link.message})
    return (
        f"https://teams.microsoft.com/l/message/{quote(link.channel, safe='')}/{quote(link.message, safe='')}?{about}"
    )


def _tenant_id(workspace: str) -> str:
    return workspace.partition(":")[2]

"""Sends to Teams, once. What became of a message whose answer was lost cannot be looked up: it is never sent again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from adapters.teams import cards
from adapters.teams.connector import Connector, Refusal
from adapters.teams.rate_limiter import RateLimiter
from adapters.teams.references import Conversation, References
from adapters.teams.signer import Signer
from bot import wording
from bot.chat import Paragraph, Post, Receipt, Span
from bot.domain.person import Language
from bot.ports import Clock, LookupUnsupported, RetryAfter, StorageUnavailable, Unreachable
from bot.wording import Reader

ANSWERS = "teams/answers.md.j2"
THREAD = ";messageid="
SOON = timedelta(seconds=5)
log = structlog.get_logger("ritme.teams")


class TeamsMessenger:
    """Sends wherever Teams told us of. With `targeted`, a message for one pair of eyes is shown in the channel, to that
    person only; without, which every organisation has, in their own chat."""

    def __init__(
        self,
        connector: Connector,
        references: References,
        pace: RateLimiter,
        clock: Clock,
        *,
        opens: frozenset[str],
        seal: Signer,
        targeted: bool = False,
    ) -> None:
        self._connector = connector
        self._references = references
        self._pace = pace
        self._clock = clock
        self._opens = opens
        self._seal = seal
        self._targeted = targeted

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
        except Refusal as refusal:
            raise refusal.unreachable() from None
        except StorageUnavailable:  # where it is to go cannot be looked up: nothing was sent
            raise RetryAfter(self._clock.now() + SOON) from None

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """A change leaves the same result when it is made again; of a new message nobody can tell."""
        if post.act in ("update", "delete"):
            return None
        raise LookupUnsupported

    async def _post(self, post: Post) -> Receipt:
        if post.account is not None:
            if post.channel is not None and self._targeted:
                return await self._whisper(post, post.channel)
            return await self._post_personally(post)
        there = await self._conversation(post, post.channel or "")
        self._pace.take_turn(post.workspace, there.channel)
        if post.thread or not there.team:
            where = f"{there.channel}{THREAD}{post.thread}" if post.thread and there.team else there.channel
            sent = await self._connector.send(there.service_url, where, self._activity(_told_how(post, there)))
            return Receipt(channel=there.channel, message=sent)
        made = await self._connector.create(
            there.service_url,
            {
                "isGroup": True,
                "channelData": {"channel": {"id": there.channel}, "tenant": {"id": _tenant(post.workspace)}},
                "bot": {"id": there.bot},
                "activity": self._activity(_told_how(post, there)),
            },
        )
        return Receipt(channel=there.channel, message=str(made.get("activityId") or _root(str(made.get("id") or ""))))

    async def _post_personally(self, post: Post) -> Receipt:
        chat = await self._chat_with(post)
        self._pace.take_turn(post.workspace, chat.channel)
        origin = self._seal.origin(post.account or "", post.channel, post.thread) if post.channel else None
        sent = await self._connector.send(chat.service_url, chat.channel, self._activity(post, origin))
        return Receipt(channel=chat.channel, message=sent)

    async def _whisper(self, post: Post, channel: str) -> Receipt:
        there = await self._conversation(post, channel)
        self._pace.take_turn(post.workspace, channel)
        chat = await self._references.with_person(post.workspace, post.account or "")
        where = f"{channel}{THREAD}{post.thread}" if post.thread and there.team else channel
        reader = {"id": chat.member if chat is not None and chat.member else post.account}
        sent = await self._connector.send(
            there.service_url, where, {**self._activity(post), "recipient": reader}, isTargetedActivity="true"
        )
        return Receipt(channel=channel, message=sent)

    async def _update(self, post: Post) -> Receipt:
        """`target` is a message in the channel, or "<conversation>/<message>" for one elsewhere."""
        elsewhere, _, message = (post.target or "").rpartition("/")
        there = await self._place_of(post, elsewhere)
        own = bool(elsewhere and post.account and post.channel)
        origin = self._seal.origin(post.account or "", post.channel or "", post.thread) if own else None
        try:
            activity = self._activity(_told_how(post, there), origin)
            await self._connector.update(there.service_url, there.channel, message, activity)
        except Refusal as refusal:
            if refusal.status not in (400, 403, 404):
                raise
            if post.account is None:
                raise Unreachable("message_gone") from None
            return await self._post_personally(post)
        return Receipt(channel=there.channel, message=message)

    async def _delete(self, post: Post) -> Receipt:
        elsewhere, _, message = (post.target or "").rpartition("/")
        there = await self._place_of(post, elsewhere)
        try:
            await self._connector.delete(there.service_url, there.channel, message)
        except Refusal as refusal:
            if refusal.status not in (403, 404):
                raise
        return Receipt(channel=there.channel, message=message)

    async def _place_of(self, post: Post, elsewhere: str) -> Conversation:
        if elsewhere:
            return await self._conversation(post, elsewhere)
        return await self._conversation(post, post.channel) if post.channel else await self._chat_with(post)

    async def _conversation(self, post: Post, channel: str) -> Conversation:
        """Where a message goes, as Teams told us last; an address of the same organisation serves for what we lost."""
        known = await self._references.of(post.workspace, channel)
        if known is not None:
            return known
        somewhere = await self._references.somewhere(post.workspace)
        if somewhere is None:
            raise Unreachable("not_in_place", place_is_gone=True)
        return Conversation(workspace_id=post.workspace, channel=channel, service_url=somewhere.service_url)

    async def _chat_with(self, post: Post) -> Conversation:
        """The chat with one person; made when there is none yet."""
        account = post.account or ""
        met = await self._references.with_person(post.workspace, account)
        if met is not None and met.is_chat:
            return met
        somewhere = await self._references.somewhere(post.workspace)
        if somewhere is None or not account:
            raise Unreachable("person_gone")
        tenant = _tenant(post.workspace)
        made = await self._connector.create(
            somewhere.service_url,
            {
                "isGroup": False,
                "bot": {"id": somewhere.bot},
                "members": [{"id": met.member if met is not None else account}],
                "tenantId": tenant,
                "channelData": {"tenant": {"id": tenant}},
            },
        )
        chat = Conversation(
            workspace_id=post.workspace,
            channel=str(made.get("id") or ""),
            service_url=somewhere.service_url,
            bot=somewhere.bot,
            account=account,
            member=met.member if met is not None else "",
        )
        await self._references.note(chat)
        return chat

    def _activity(self, post: Post, origin: Mapping[str, str] | None = None) -> dict[str, Any]:
        if post.message is None:
            raise ValueError(f"nothing to say in {post.delivery}")
        return {
            "type": "message",
            "summary": cards.fallback(post.message),
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": cards.card(post.message, opens=self._opens, origin=origin),
                }
            ],
        }


def _told_how(post: Post, there: Conversation) -> Post:
    """Where we hear only what mentions us, a message that asks for answers says so."""
    if not post.gathers or there.hears or post.message is None:
        return post
    reader = Reader(language=Language(post.message.language), timezone="UTC", now=datetime.now(UTC))
    how = Paragraph(spans=(Span(text=wording.sentence(ANSWERS, "mention_me", reader)),), kind="small")
    return replace(post, message=replace(post.message, paragraphs=(*post.message.paragraphs, how)))


def _root(conversation: str) -> str:
    return conversation.partition(THREAD)[2]


def _tenant(workspace: str) -> str:
    return workspace.partition(":")[2]

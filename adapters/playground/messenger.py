"""How the core sends to the playground."""

from collections.abc import Sequence
from datetime import datetime

from adapters.playground.chat import Chat, Said
from adapters.playground.personas import BY_ID, CHANNEL_BY_ID, GROUPS, PERSONAS, RITME, TIMEZONE, personal_chat
from bot.chat import Account, ChatPlace, Post, Profile, Receipt, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, Unreachable


class PlaygroundMessenger:
    """Puts posts in the chat, each delivery once."""

    def __init__(self, chat: Chat, clock: Clock) -> None:
        self._chat = chat
        self._clock = clock

    async def send(self, post: Post) -> Receipt:
        if post.act != "post":
            return _receipt(await self._changed(post, self._target(post)))
        there = self._chat.by_delivery(post.delivery)
        if there is not None:
            return _receipt(there)
        if post.account is not None and post.account not in BY_ID:
            raise Unreachable("person_gone")
        channel = post.channel or personal_chat(post.account or "")
        if post.channel is not None and post.channel not in CHANNEL_BY_ID:
            raise Unreachable("place_gone", place_is_gone=True)
        said = await self._chat.post(
            author=RITME,
            channel=channel,
            at=self._clock.now(),
            said=post.message,
            only=(post.account or "") if post.channel else "",
            thread=post.thread or "",
            delivery=post.delivery,
        )
        return _receipt(said)

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        there = self._chat.by_delivery(post.delivery)
        return None if there is None else _receipt(there)

    def _target(self, post: Post) -> Said:
        target = self._chat.get(post.target or "")
        if target is None or target.deleted:
            raise Unreachable("message_gone")
        return target

    async def _changed(self, post: Post, target: Said) -> Said:
        match post.act:
            case "update":
                return await self._chat.change(target, said=post.message)
            case "delete":
                return await self._chat.change(target, deleted=True, said=None, text="", reactions={})
            case "react":
                return await self._chat.react(target, RITME, post.reaction)
            case _:
                return await self._chat.unreact(target, RITME, post.reaction)


class PlaygroundDirectory:
    """What the playground tells of a persona."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def profile(self, account: Account) -> Profile | None:
        persona = BY_ID.get(account.id)
        if persona is None:
            return None
        first = persona.name.partition(" ")[0]
        return Profile(name=first, language=self._chat.language(persona.id), timezone=TIMEZONE)

    async def place_name(self, place: ChatPlace) -> str | None:
        """Every request of the playground names its channel."""
        return place.name or None

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup]:
        return [UserGroup(handle=name, name=name) for name in GROUPS]

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str]:
        return [one.id for one in PERSONAS if one.group == handle]


def _receipt(said: Said) -> Receipt:
    return Receipt(channel=said.channel, message=said.id)

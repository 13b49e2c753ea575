"""Implement the core's `Messenger` and `Directory` for the playground."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from adapters.playground.chat import Chat
from adapters.playground.chat_message import AttachedFile, ChatMessage, ShownPicture
from adapters.playground.personas import CHANNEL_BY_ID, GROUPS, PERSONA_BY_ID, PERSONAS, RITME, TIMEZONE, personal_chat
from bot.chat import Account, ChatPlace, Post, PostedFile, PostedPicture, Profile, Receipt, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, Unreachable


class PlaygroundMessenger:
    """Post deliveries in the chat, each once: a delivery sent again returns the receipt of the first time."""

    def __init__(self, chat: Chat, clock: Clock) -> None:
        self._chat = chat
        self._clock = clock

    async def send(self, post: Post) -> Receipt:
        if post.act != "post":
            return _receipt(await self._apply_change(post, self._target(post)))
        posted = self._chat.by_delivery(post.delivery)
        if posted is not None:
            return _receipt(posted)
        if post.account is not None and post.account not in PERSONA_BY_ID:
            raise Unreachable("person_gone")
        channel = post.channel or personal_chat(post.account or "")
        if post.channel is not None and post.channel not in CHANNEL_BY_ID:
            raise Unreachable("place_gone", place_is_gone=True)
        message = await self._chat.post(
            author=RITME,
            channel=channel,
            at=self._clock.now(),
            said=post.message,
            only=(post.account or "") if post.channel else "",
            thread=post.thread or "",
            delivery=post.delivery,
            file=_as_attachment(post.file),
            picture=_show_picture(post.picture),
        )
        return _receipt(message)

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        posted = self._chat.by_delivery(post.delivery)
        return None if posted is None else _receipt(posted)

    def _target(self, post: Post) -> ChatMessage:
        target = self._chat.get(post.target or "")
        if target is None or target.deleted:
            raise Unreachable("message_gone")
        return target

    async def _apply_change(self, post: Post, target: ChatMessage) -> ChatMessage:
        match post.act:
            case "update":
                return await self._chat.update(target, said=post.message, picture=_show_picture(post.picture))
            case "delete":
                return await self._chat.update(
                    target, deleted=True, said=None, text="", reactions={}, file=None, picture=None
                )
            case "react":
                return await self._chat.add_reaction(target, RITME, post.reaction)
            case _:
                return await self._chat.remove_reaction(target, RITME, post.reaction)


class PlaygroundDirectory:
    """Look up personas, and their groups as user groups."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def profile(self, account: Account) -> Profile | None:
        persona = PERSONA_BY_ID.get(account.id)
        if persona is None:
            return None
        return Profile(name=persona.first_name, language=self._chat.language_of(persona.id), timezone=TIMEZONE)

    async def place_name(self, place: ChatPlace) -> str | None:
        """Return the name the place came with: every request of the playground names its channel."""
        return place.name or None

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup]:
        return [UserGroup(handle=name, name=name) for name in GROUPS]

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str]:
        return [one.id for one in PERSONAS if one.group == handle]


def _as_attachment(file: PostedFile | None) -> AttachedFile | None:
    """Return a file as it hangs under a message. Its content stays in the core, which deletes it after an hour."""
    return None if file is None else AttachedFile(id=file.id, name=file.name, label=file.label)


def _show_picture(picture: PostedPicture | None) -> ShownPicture | None:
    if picture is None:
        return None
    return ShownPicture(name=picture.name, text=picture.text, png=b64encode(picture.content).decode())


def _receipt(message: ChatMessage) -> Receipt:
    return Receipt(channel=message.channel, message=message.id)

"""State of the playground as a chat platform: messages, reactions, open forms, read marks and languages.

Everything is held in memory. Each change is written to the store first: what a page was told survives a restart.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from adapters.playground.broadcaster import Broadcaster
from adapters.playground.chat_message import AttachedFile, ChatMessage, OpenForm, ShownPicture, is_answer_to
from adapters.playground.personas import PERSONA_BY_ID, personal_chat
from adapters.playground.store import PlaygroundStore
from bot.chat import Form, Message

MAX_ANSWERS = 400
"""Answers kept for repeated requests; beyond it the oldest half is deleted."""
MAX_OPEN_FORMS = 100
"""Forms kept open; beyond it the oldest is closed."""


_CHAT_MESSAGE: TypeAdapter[ChatMessage] = TypeAdapter(ChatMessage)
_OPEN_FORM: TypeAdapter[OpenForm] = TypeAdapter(OpenForm)


class Chat:
    """Hold and persist the chat, and publish each change to the open pages."""

    def __init__(self, store: PlaygroundStore, broadcaster: Broadcaster) -> None:
        self._store = store
        self._broadcaster = broadcaster
        self._messages: dict[str, ChatMessage] = {}
        self._change_lock = asyncio.Lock()
        self._by_delivery: dict[str, str] = {}
        self._forms: dict[str, OpenForm] = {}
        self._read: dict[str, dict[str, int]] = {}
        self._languages: dict[str, str] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._answer_number = 0
        self._number = 0

    async def load(self) -> dict[str, Any]:
        """Load everything from the store. Returns the settings saved beside the chat, by name."""
        found = await self._store.load()
        for value in found.get("said", {}).values():
            self._index(_CHAT_MESSAGE.validate_python(value))
        for value in found.get("form", {}).values():
            form = _OPEN_FORM.validate_python(value)
            self._forms[form.id] = form
            # Messages and forms take their numbers from one sequence.
            self._number = max(self._number, int(form.id[1:]))
        for persona, read in found.get("read", {}).items():
            self._read[persona] = read
        for persona, value in found.get("language", {}).items():
            self._languages[persona] = value["language"]
        answers = sorted(found.get("answer", {}).items(), key=lambda pair: int(pair[1]["number"]))
        self._answers = {key: kept["answer"] for key, kept in answers}
        self._answer_number = answers[-1][1]["number"] if answers else 0
        return found.get("setting", {})

    @property
    def is_new(self) -> bool:
        """True while no message was ever posted."""
        return not self._messages

    # -- messages ---------------------------------------------------------------------------------------------------

    def get(self, id: str) -> ChatMessage | None:
        """Return a message, deleted ones included, or None."""
        return self._messages.get(id)

    def by_delivery(self, delivery: str) -> ChatMessage | None:
        """Return the message that was posted for a delivery, or None."""
        return self._messages.get(self._by_delivery.get(delivery, ""))

    def visible_to(self, persona: str) -> list[ChatMessage]:
        """Return the messages a persona can see, oldest first."""
        return sorted(
            (message for message in self._messages.values() if message.visible_to(persona) and self._is_shown(message)),
            key=lambda message: (message.at, message.number),
        )

    def _is_shown(self, message: ChatMessage) -> bool:
        """Return whether a message still has a place: a deleted one only while it has replies."""
        return not message.deleted or any(
            reply.thread == message.id and not reply.deleted for reply in self._messages.values()
        )

    async def post(
        self,
        *,
        author: str,
        channel: str,
        at: datetime,
        text: str = "",
        said: Message | None = None,
        only: str = "",
        thread: str = "",
        delivery: str = "",
        reactions: Mapping[str, Iterable[str]] | None = None,
        file: AttachedFile | None = None,
        picture: ShownPicture | None = None,
    ) -> ChatMessage:
        """Post a message dated `at`, which may lie in the past. The core is not told of it."""
        self._number += 1
        message = ChatMessage(
            id=f"m{self._number}",
            channel=channel,
            author=author,
            at=at,
            text=text,
            said=said,
            only=only,
            thread=thread,
            delivery=delivery,
            reactions={name: tuple(who) for name, who in (reactions or {}).items()},
            file=file,
            picture=picture,
        )
        return await self._save(message)

    async def update(self, message: ChatMessage, **changes: Any) -> ChatMessage:
        """Change fields of a message. Returns the changed message."""
        return await self._update(message.id, lambda _: changes)

    async def remove_answers(self, persona: str, *, but: str) -> None:
        """Remove what was answered to a persona alone, except the message `but`, the forms they have open, and the
        answers kept for repeated requests, which quote people (everyone's: a repeated request acts once all the same).
        The core removes what it sent."""
        for form in [one.id for one in self._forms.values() if one.persona == persona]:
            await self.close_form(form)
        await self._store.delete("answer", *self._answers)
        self._answers.clear()
        for message in [one for one in self._messages.values() if is_answer_to(persona, one)]:
            if message.id != but:
                await self.update(message, deleted=True, said=None, text="", reactions={}, file=None, picture=None)

    async def add_reaction(self, message: ChatMessage, who: str, reaction: str) -> ChatMessage:
        """Add a reaction of `who`; does nothing when it is there already."""

        def add(current: ChatMessage) -> dict[str, Any]:
            reacted = current.reactions.get(reaction, ())
            return {} if who in reacted else {"reactions": {**current.reactions, reaction: (*reacted, who)}}

        return await self._update(message.id, add)

    async def remove_reaction(self, message: ChatMessage, who: str, reaction: str) -> ChatMessage:
        """Remove a reaction of `who`."""

        def remove(current: ChatMessage) -> dict[str, Any]:
            left = tuple(one for one in current.reactions.get(reaction, ()) if one != who)
            others = {name: reacted for name, reacted in current.reactions.items() if name != reaction}
            return {"reactions": {**others, **({reaction: left} if left else {})}}

        return await self._update(message.id, remove)

    async def _update(self, id: str, make_changes: Callable[[ChatMessage], Mapping[str, Any]]) -> ChatMessage:
        # The caller's copy may be outdated, and saving awaits: read, change and save under one lock, or two reactions
        # at once would lose one.
        async with self._change_lock:
            current = self._messages[id]
            changes = make_changes(current)
            if not changes:
                return current
            return await self._save(replace(current, **changes, revision=current.revision + 1))

    async def _save(self, message: ChatMessage) -> ChatMessage:
        await self._store.save("said", message.id, _CHAT_MESSAGE.dump_python(message, mode="json"))
        self._index(message)
        self._broadcaster.publish("message", message.id)
        return message

    def _index(self, message: ChatMessage) -> None:
        self._messages[message.id] = message
        self._number = max(self._number, message.number)
        if message.delivery:
            self._by_delivery[message.delivery] = message.id

    # -- forms ------------------------------------------------------------------------------------------------------

    async def open_form(self, form: Form, *, persona: str, channel: str, thread: str, pressed: str) -> OpenForm:
        """Open a form for a persona; `pressed` is the message whose button asked for it, or empty."""
        self._number += 1
        opened = OpenForm(
            id=f"f{self._number}", persona=persona, channel=channel, thread=thread, pressed=pressed, form=form
        )
        await self._store.save("form", opened.id, _OPEN_FORM.dump_python(opened, mode="json"))
        self._forms[opened.id] = opened
        while len(self._forms) > MAX_OPEN_FORMS:
            await self.close_form(next(iter(self._forms)))
        return opened

    def find_form(self, id: str) -> OpenForm | None:
        """Return an open form, or None."""
        return self._forms.get(id)

    async def close_form(self, id: str) -> None:
        """Close a form, if it is open."""
        await self._store.delete("form", id)
        self._forms.pop(id, None)

    # -- per persona ------------------------------------------------------------------------------------------------

    def language_of(self, persona: str) -> str:
        """Return the language a persona chose, else the one they start with."""
        return self._languages.get(persona, PERSONA_BY_ID[persona].language)

    async def set_language(self, persona: str, language: str) -> None:
        """Save the language a persona chose."""
        await self._store.save("language", persona, {"language": language})
        self._languages[persona] = language

    def unread_counts(self, persona: str) -> dict[str, int]:
        """Count the messages a persona has not read, by channel; their own count as read."""
        counts: dict[str, int] = {}
        read = self._read.get(persona, {})
        for message in self._messages.values():
            is_new = message.number > read.get(message.channel, 0) and message.author != persona and not message.deleted
            if is_new and message.visible_to(persona):
                counts[message.channel] = counts.get(message.channel, 0) + 1
        return counts

    async def mark_read(self, persona: str, channel: str) -> None:
        """Mark all messages in a channel as read by a persona."""
        await self._save_read_marks(persona, {**self._read.get(persona, {}), channel: self._number})

    async def mark_all_read(self) -> None:
        """Mark all messages as read by every persona: for a history that was replayed."""
        for persona in PERSONA_BY_ID:
            channels = {message.channel for message in self._messages.values()} | {personal_chat(persona)}
            await self._save_read_marks(persona, dict.fromkeys(sorted(channels), self._number))

    async def _save_read_marks(self, persona: str, read: dict[str, int]) -> None:
        await self._store.save("read", persona, read)
        self._read[persona] = read

    # -- requests ---------------------------------------------------------------------------------------------------

    def find_answer(self, key: str) -> dict[str, Any] | None:
        """Return the answer that was saved for a request key, or None."""
        return self._answers.get(key)

    async def save_answer(self, key: str, answer: dict[str, Any]) -> None:
        """Save the answer to a request, for when the request is repeated."""
        self._answer_number += 1
        await self._store.save("answer", key, {"number": self._answer_number, "answer": answer})
        self._answers[key] = answer
        if len(self._answers) > MAX_ANSWERS:
            # Half of them at once, so that most requests need no delete.
            old = list(self._answers)[: MAX_ANSWERS // 2]
            await self._store.delete("answer", *old)
            for one in old:
                del self._answers[one]

    async def save_setting(self, name: str, value: Mapping[str, Any]) -> None:
        """Save a setting beside the chat; `load` returns it."""
        await self._store.save("setting", name, value)

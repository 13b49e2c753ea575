"""The platform's own state: what was said where, by whom, and who may see it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from adapters.playground.hub import Hub
from adapters.playground.personas import BY_ID, RITME, is_personal, personal_chat
from adapters.playground.shelf import Shelf
from bot.chat import Form, Message

ANSWERS_KEPT = 400
"""How many answers to requests are remembered, to answer a repeated request alike."""
FORMS_KEPT = 100


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message. `said` is what Ritme said, `text` what a persona typed. `only` is the one persona who can see it
    (empty: everyone in the channel); `thread` the root message it answers. `delivery` is the outbox row it came from.
    """

    id: str
    channel: str
    author: str
    at: datetime
    text: str = ""
    said: Message | None = None
    only: str = ""
    thread: str = ""
    delivery: str = ""
    edited: bool = False
    deleted: bool = False
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    revision: int = 0
    """Counts the changes, so that a page that hears of two in the wrong order keeps the later one."""

    @property
    def number(self) -> int:
        return int(self.id[1:])

    def visible_to(self, persona: str) -> bool:
        """Private means private: another persona never gets it, whatever they ask."""
        if is_personal(self.channel):
            return self.channel == personal_chat(persona)
        return self.only in ("", persona)


@dataclass(frozen=True, kw_only=True)
class OpenForm:
    """A dialog somebody has open: where it was asked for, and the private message whose button opened it."""

    id: str
    persona: str
    channel: str
    thread: str = ""
    pressed: str = ""
    form: Form


_SAID: TypeAdapter[Said] = TypeAdapter(Said)
_FORM: TypeAdapter[OpenForm] = TypeAdapter(OpenForm)


class Chat:
    """Everything said, kept on the shelf, told to whoever looks."""

    def __init__(self, shelf: Shelf, hub: Hub) -> None:
        self._shelf = shelf
        self._hub = hub
        self._said: dict[str, Said] = {}
        self._changing = asyncio.Lock()
        self._by_delivery: dict[str, str] = {}
        self._forms: dict[str, OpenForm] = {}
        self._read: dict[str, dict[str, int]] = {}
        self._languages: dict[str, str] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._answered = 0
        self._number = 0

    async def open(self) -> dict[str, Any]:
        """Remembers what the shelf holds; returns the settings kept beside the chat (the dial's)."""
        found = await self._shelf.open()
        for value in found.get("said", {}).values():
            self._put(_SAID.validate_python(value))
        for value in found.get("form", {}).values():
            form = _FORM.validate_python(value)
            self._forms[form.id] = form
            self._number = max(self._number, int(form.id[1:]))
        for persona, read in found.get("read", {}).items():
            self._read[persona] = read
        for persona, value in found.get("language", {}).items():
            self._languages[persona] = value["language"]
        answers = sorted(found.get("answer", {}).items(), key=lambda pair: int(pair[1]["number"]))
        self._answers = {key: kept["answer"] for key, kept in answers}
        self._answered = answers[-1][1]["number"] if answers else 0
        return found.get("setting", {})

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever said here."""
        return not self._said

    # -- what was said ----------------------------------------------------------------------------------------------

    def get(self, id: str) -> Said | None:
        return self._said.get(id)

    def by_delivery(self, delivery: str) -> Said | None:
        return self._said.get(self._by_delivery.get(delivery, ""))

    def visible_to(self, persona: str) -> list[Said]:
        """What this persona can see, oldest first."""
        return sorted(
            (said for said in self._said.values() if said.visible_to(persona) and self._stands(said)),
            key=lambda said: (said.at, said.number),
        )

    def _stands(self, said: Said) -> bool:
        """A deleted message leaves a mark only where others answered it."""
        return not said.deleted or any(one.thread == said.id and not one.deleted for one in self._said.values())

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
    ) -> Said:
        """Says something at a moment, which may lie in the past (history). Tells nobody but the pages that look."""
        self._number += 1
        made = Said(
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
        )
        return await self._keep(made)

    async def change(self, message: Said, **changes: Any) -> Said:
        return await self._change(message.id, lambda _: changes)

    async def react(self, said: Said, who: str, reaction: str) -> Said:
        def added(now: Said) -> dict[str, Any]:
            there = now.reactions.get(reaction, ())
            return {} if who in there else {"reactions": {**now.reactions, reaction: (*there, who)}}

        return await self._change(said.id, added)

    async def unreact(self, said: Said, who: str, reaction: str) -> Said:
        def removed(now: Said) -> dict[str, Any]:
            left = tuple(one for one in now.reactions.get(reaction, ()) if one != who)
            others = {name: there for name, there in now.reactions.items() if name != reaction}
            return {"reactions": {**others, **({reaction: left} if left else {})}}

        return await self._change(said.id, removed)

    async def _change(self, id: str, how: Callable[[Said], Mapping[str, Any]]) -> Said:
        """Changes what a message is by now, one change at a time."""
        async with self._changing:
            now = self._said[id]
            changes = how(now)
            return await self._keep(replace(now, **changes, revision=now.revision + 1)) if changes else now

    async def _keep(self, said: Said) -> Said:
        await self._shelf.put("said", said.id, _SAID.dump_python(said, mode="json"))
        self._put(said)
        self._hub.tell("message", said.id)
        return said

    def _put(self, said: Said) -> None:
        self._said[said.id] = said
        self._number = max(self._number, said.number)
        if said.delivery:
            self._by_delivery[said.delivery] = said.id

    # -- dialogs ----------------------------------------------------------------------------------------------------

    async def open_form(self, form: Form, *, persona: str, channel: str, thread: str, pressed: str) -> OpenForm:
        self._number += 1
        made = OpenForm(
            id=f"f{self._number}", persona=persona, channel=channel, thread=thread, pressed=pressed, form=form
        )
        await self._shelf.put("form", made.id, _FORM.dump_python(made, mode="json"))
        self._forms[made.id] = made
        while len(self._forms) > FORMS_KEPT:
            await self.close_form(next(iter(self._forms)))
        return made

    def form(self, id: str) -> OpenForm | None:
        return self._forms.get(id)

    async def close_form(self, id: str) -> None:
        await self._shelf.drop("form", id)
        self._forms.pop(id, None)

    # -- per persona ------------------------------------------------------------------------------------------------

    def language(self, persona: str) -> str:
        return self._languages.get(persona, BY_ID[persona].language)

    async def speak(self, persona: str, language: str) -> None:
        await self._shelf.put("language", persona, {"language": language})
        self._languages[persona] = language

    def unread(self, persona: str) -> dict[str, int]:
        """How much this persona has not read yet, by channel; their own words count as read."""
        counts: dict[str, int] = {}
        read = self._read.get(persona, {})
        for said in self._said.values():
            new = said.number > read.get(said.channel, 0) and said.author != persona and not said.deleted
            if new and said.visible_to(persona):
                counts[said.channel] = counts.get(said.channel, 0) + 1
        return counts

    async def read(self, persona: str, channel: str) -> None:
        """Everything said in a channel so far has been read."""
        await self._mark_read(persona, {**self._read.get(persona, {}), channel: self._number})

    async def read_everything(self) -> None:
        """Nobody has anything unread: for a history that was lived already."""
        for persona in BY_ID:
            channels = {said.channel for said in self._said.values()} | {personal_chat(persona)}
            await self._mark_read(persona, dict.fromkeys(sorted(channels), self._number))

    async def _mark_read(self, persona: str, read: dict[str, int]) -> None:
        await self._shelf.put("read", persona, read)
        self._read[persona] = read

    # -- requests ---------------------------------------------------------------------------------------------------

    def answered(self, key: str) -> dict[str, Any] | None:
        """What was answered to a request before, or None."""
        return self._answers.get(key)

    async def remember(self, key: str, answer: dict[str, Any]) -> None:
        self._answered += 1
        await self._shelf.put("answer", key, {"number": self._answered, "answer": answer})
        self._answers[key] = answer
        if len(self._answers) > ANSWERS_KEPT:
            old = list(self._answers)[: ANSWERS_KEPT // 2]
            await self._shelf.drop("answer", *old)
            for one in old:
                del self._answers[one]

    async def set(self, name: str, value: Mapping[str, Any]) -> None:
        """Keeps a setting beside the chat."""
        await self._shelf.put("setting", name, value)


def by_ritme(said: Said) -> bool:
    return said.author == RITME

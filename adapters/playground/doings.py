"""What people do in the playground: every act becomes an intent for the core, and its reply a message or a dialog."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Protocol

from adapters.playground import render
from adapters.playground.chat import Chat, Said, by_ritme
from adapters.playground.personas import (
    BY_ID,
    CHANNEL_BY_ID,
    RITME,
    account_of,
    is_personal,
    personal_chat,
    place_of,
)
from bot.chat import Answer, FieldErrors, Form, Intent, Reply, Value
from bot.ports import Clock

LONGEST_TEXT = 4000
"""Characters in one typed message."""
REACTIONS = ("seedling", "ocean", "heart", "clap", "smile", "+1")
_MENTION = re.compile(r"@ritme\b[,:]?\s*", re.IGNORECASE)


class Core(Protocol):
    async def handle(self, intent: Intent) -> Reply:
        """Acts on one intent; never raises."""


class Impossible(Exception):
    """What was asked cannot be done here; `code` says what is wrong, `status` is the HTTP status that says it too."""

    def __init__(self, code: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Here:
    """Where something is done: a channel, in a thread, on a message."""

    channel: str
    thread: str = ""
    message: str = ""


class Doings:
    """Translates what a persona does. Each method returns the JSON that answers it; `key` makes repeating harmless."""

    def __init__(self, *, chat: Chat, core: Core, clock: Clock) -> None:
        self._chat = chat
        self._core = core
        self._clock = clock

    async def say(self, persona: str, channel: str, text: str, *, thread: str = "", key: str = "") -> dict[str, Any]:
        """Types a line. "/…" is a command and stays unseen; what begins with @Ritme is seen and asked."""
        self._may_be_in(persona, channel)
        root = self._root(persona, channel, thread)
        text = text.strip()
        if not text:
            raise Impossible("empty", "text holds nothing but spaces")
        if len(text) > LONGEST_TEXT:
            raise Impossible("too_long", f"text is longer than {LONGEST_TEXT} characters")
        here = Here(channel=channel, thread=root)
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            return await self._do(persona, here, "command", {"command": command, "text": rest.strip()}, key)
        said = await self._post(persona, here, text, key)
        here = Here(channel=channel, thread=root, message=said.id)
        mention = _MENTION.match(text)
        if is_personal(channel) or mention:
            rest = text[mention.end() :] if mention else text
            done = await self._do(persona, here, "command", {"command": "", "text": rest}, key)
        elif root:
            done = await self._do(persona, here, "thread.replied", {"text": text}, key)
        else:
            done = {"reply": None}
        return {"message": render.said(said), **done}

    async def _post(self, persona: str, here: Here, text: str, key: str) -> Said:
        """Once per key, also when the process died between saying and answering."""
        origin = f"said:{persona}:{key}" if key else ""
        before = self._chat.by_delivery(origin) if origin else None
        return before or await self._chat.post(
            author=persona, channel=here.channel, at=self._clock.now(), text=text, thread=here.thread, delivery=origin
        )

    async def edit(self, persona: str, id: str, text: str, *, key: str = "") -> dict[str, Any]:
        said = self._own(persona, id)
        text = text.strip()
        if not text or len(text) > LONGEST_TEXT:
            raise Impossible("empty" if not text else "too_long", f"text is 1 to {LONGEST_TEXT} characters")
        changed = await self._chat.change(said, text=text, edited=True)
        here = Here(channel=said.channel, thread=said.thread, message=said.id)
        return {
            "message": render.said(changed),
            **(await self._do(persona, here, "message.edited", {"text": text}, key)),
        }

    async def delete(self, persona: str, id: str, *, key: str = "") -> dict[str, Any]:
        """Deletes one's own message, or puts away a message only this persona sees."""
        said = self._visible(persona, id)
        if said.only == persona:
            await self._chat.change(said, deleted=True, said=None, text="")
            return {"reply": None}
        said = self._own(persona, id)
        await self._chat.change(said, deleted=True, text="", reactions={})
        here = Here(channel=said.channel, thread=said.thread, message=said.id)
        return await self._do(persona, here, "message.deleted", {}, key)

    async def react(self, persona: str, id: str, reaction: str, *, add: bool, key: str = "") -> dict[str, Any]:
        said = self._visible(persona, id)
        if reaction not in REACTIONS:
            raise Impossible("no_such_reaction", f"a reaction is one of {', '.join(REACTIONS)}")
        if said.only:
            raise Impossible("private", "a message only you see has no reactions")
        changed = await (self._chat.react if add else self._chat.unreact)(said, persona, reaction)
        here = Here(channel=said.channel, thread=said.thread, message=said.id)
        name = "reaction.added" if add else "reaction.removed"
        return {"message": render.said(changed), **(await self._do(persona, here, name, {"reaction": reaction}, key))}

    async def press(self, persona: str, id: str, name: str, *, key: str = "") -> dict[str, Any]:
        said = self._visible(persona, id)
        button = next((one for one in said.said.buttons if one.name == name), None) if said.said else None
        if button is None:
            raise Impossible("no_such_button", f"message {id} has no button {name} (any more)", 409)
        here = Here(channel=said.channel, thread=said.thread, message=said.id)
        return await self._do(persona, here, button.intent, button.args, key, pressed=id)

    async def submit(self, persona: str, id: str, values: Mapping[str, Value], *, key: str = "") -> dict[str, Any]:
        """Sends a dialog. With `errors` in the answer it stays open; otherwise it is done with."""
        opened = self._chat.form(id)
        if opened is None or opened.persona != persona:
            raise Impossible("no_such_form", f"{persona} has no open form {id}", 404)
        unknown = set(values) - {field.name for field in opened.form.fields}
        if unknown:
            raise Impossible("no_such_field", f"the form has no field {', '.join(sorted(unknown))}")
        args = {**dict(values), **opened.form.hidden}
        here = Here(channel=opened.channel, thread=opened.thread, message=opened.pressed)
        done = await self._do(persona, here, opened.form.intent, args, key, pressed=opened.pressed)
        if "errors" not in done and "reference" not in done:
            await self._chat.close_form(id)
        return done

    # -- how it reaches the core, and what comes back ----------------------------------------------------------------

    async def _do(
        self, persona: str, here: Here, name: str, args: Mapping[str, Value], key: str, *, pressed: str = ""
    ) -> dict[str, Any]:
        reply = await self._core.handle(
            Intent(
                name=name,
                args=args,
                actor=account_of(BY_ID[persona], self._chat.language(persona)),
                place=place_of(here.channel),
                key=f"{persona}:{key or token_hex(12)}",
                message=here.message or None,
                thread=here.thread or None,
                answer_to=pressed or None,
            )
        )
        match reply:
            case None:
                return {"reply": None}
            case FieldErrors(errors=errors):
                return {"errors": dict(errors)}
            case Form():
                opened = await self._chat.open_form(
                    reply, persona=persona, channel=here.channel, thread=here.thread, pressed=pressed
                )
                return {"form": render.open_form(opened)}
            case Answer(reference=str() as reference, message=message):
                return {"reference": reference, "text": message.text}
            case _:
                return {"reply": render.said(await self._show(persona, here, reply, pressed))}

    async def _show(self, persona: str, here: Here, answer: Answer, pressed: str) -> Said:
        """An answer for this persona only; in the place of the pressed message where that was for them only."""
        before = self._chat.get(pressed)
        if answer.replaces and before is not None and (before.only == persona or is_personal(before.channel)):
            return await self._chat.change(before, said=answer.message, deleted=False)
        return await self._chat.post(
            author=RITME,
            channel=here.channel,
            at=self._clock.now(),
            said=answer.message,
            only="" if is_personal(here.channel) else persona,
            thread=here.thread,
        )

    # -- what may be done ---------------------------------------------------------------------------------------------

    def _may_be_in(self, persona: str, channel: str) -> None:
        if channel not in CHANNEL_BY_ID and channel != personal_chat(persona):
            raise Impossible("no_such_channel", f"{persona} sees no channel {channel}", 404)

    def _visible(self, persona: str, id: str) -> Said:
        said = self._chat.get(id)
        if said is None or said.deleted or not said.visible_to(persona):
            raise Impossible("no_such_message", f"{persona} sees no message {id}", 404)
        return said

    def _own(self, persona: str, id: str) -> Said:
        said = self._visible(persona, id)
        if said.author != persona:
            raise Impossible("not_yours", "only who wrote a message changes it", 403)
        return said

    def _root(self, persona: str, channel: str, thread: str) -> str:
        """The message a thread begins with; replying to a reply is replying to its root."""
        if not thread:
            return ""
        if is_personal(channel):
            raise Impossible("no_threads", "a personal chat has no threads")
        said = self._chat.get(thread)
        if said is None or not said.visible_to(persona) or said.channel != channel:
            raise Impossible("no_such_message", f"{persona} sees no message {thread} in {channel}", 404)
        if by_ritme(said) and said.only:
            raise Impossible("private", "a message only you see has no thread")
        return said.thread or said.id

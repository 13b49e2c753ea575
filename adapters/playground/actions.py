"""Translate what a persona does into an intent for the core, and the core's reply into a message or a form."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Protocol

from adapters.playground import render
from adapters.playground.chat import Chat
from adapters.playground.chat_message import ChatMessage, is_by_ritme
from adapters.playground.personas import (
    CHANNEL_BY_ID,
    PERSONA_BY_ID,
    RITME,
    account_of,
    is_personal_chat,
    personal_chat,
    place_of,
)
from bot.chat import Answer, FieldErrors, Form, Intent, Reply, Value
from bot.ports import Clock

LONGEST_TEXT = 4000
"""Characters in one typed message, at most."""
FORGET_INTENT = "me.forget"
"""The intent after which Ritme's answers to that persona are gone too: the core knows only what it sent."""
SENT_FORMS_REMEMBERED = 200
"""Forms of which a second sending is passed over in silence."""
REACTIONS = ("seedling", "ocean", "heart", "clap", "smile", "+1")
_MENTION = re.compile(r"@ritme\b[,:]?\s*", re.IGNORECASE)


class IntentHandler(Protocol):
    """The part of the core that personas' actions need: Ritme."""

    async def handle(self, intent: Intent) -> Reply:
        """Act on one intent. Never raises."""


class RequestRejected(Exception):
    """A request that cannot be carried out. `code` is for the page, `detail` for people, `status` the HTTP status."""

    def __init__(self, code: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


@dataclass(frozen=True, kw_only=True)
class ChatLocation:
    """The channel in which something is done; with the thread and the message it is done to, if any."""

    channel: str
    thread: str = ""
    message: str = ""


class PersonaActions:
    """Carry out what a persona does.

    Each method returns the JSON object that answers the request and raises `RequestRejected` when it cannot be done.
    `key` is an idempotency key: a repeated request with the same key acts once; empty for none.
    """

    def __init__(self, *, chat: Chat, core: IntentHandler, clock: Clock) -> None:
        self._chat = chat
        self._core = core
        self._clock = clock
        self._sent: deque[tuple[str, str]] = deque(maxlen=SENT_FORMS_REMEMBERED)

    async def say(self, persona: str, channel: str, text: str, *, thread: str = "", key: str = "") -> dict[str, Any]:
        """Type a line. "/…" is a command and is not posted; what begins with @Ritme is posted and then a command."""
        self._require_channel(persona, channel)
        root = self._thread_root(persona, channel, thread)
        text = text.strip()
        if not text:
            raise RequestRejected("empty", "text holds nothing but spaces")
        if len(text) > LONGEST_TEXT:
            raise RequestRejected("too_long", f"text is longer than {LONGEST_TEXT} characters")
        here = ChatLocation(channel=channel, thread=root)
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            return await self._handle(persona, here, "command", {"command": command, "text": rest.strip()}, key)
        posted = await self._post_once(persona, here, text, key)
        here = ChatLocation(channel=channel, thread=root, message=posted.id)
        mention = _MENTION.match(text)
        if is_personal_chat(channel) or mention:
            rest = text[mention.end() :] if mention else text
            answer = await self._handle(persona, here, "command", {"command": "", "text": rest}, key)
        elif root:
            answer = await self._handle(persona, here, "thread.replied", {"text": text}, key)
        else:
            answer = {"reply": None}
        return {"message": render.render_message(posted), **answer}

    async def _post_once(self, persona: str, here: ChatLocation, text: str, key: str) -> ChatMessage:
        # The answer is saved after the message: when the process dies in between, the repeated request gets here again
        # and finds the message by its key.
        origin = f"said:{persona}:{key}" if key else ""
        existing = self._chat.by_delivery(origin) if origin else None
        return existing or await self._chat.post(
            author=persona, channel=here.channel, at=self._clock.now(), text=text, thread=here.thread, delivery=origin
        )

    async def edit(self, persona: str, id: str, text: str, *, key: str = "") -> dict[str, Any]:
        """Replace the text of one's own message."""
        message = self._require_own(persona, id)
        text = text.strip()
        if not text or len(text) > LONGEST_TEXT:
            raise RequestRejected("empty" if not text else "too_long", f"text is 1 to {LONGEST_TEXT} characters")
        edited = await self._chat.update(message, text=text, edited=True)
        here = _location_of(message)
        return {
            "message": render.render_message(edited),
            **(await self._handle(persona, here, "message.edited", {"text": text}, key)),
        }

    async def delete(self, persona: str, id: str, *, key: str = "") -> dict[str, Any]:
        """Delete one's own message, or dismiss a message that only this persona sees."""
        message = self._require_visible(persona, id)
        if message.only == persona:
            await self._chat.update(message, deleted=True, said=None, text="")
            return {"reply": None}
        message = self._require_own(persona, id)
        await self._chat.update(message, deleted=True, text="", reactions={})
        return await self._handle(persona, _location_of(message), "message.deleted", {}, key)

    async def react(self, persona: str, id: str, reaction: str, *, add: bool, key: str = "") -> dict[str, Any]:
        """Add one of `REACTIONS` to a message; with `add` False, remove it."""
        message = self._require_visible(persona, id)
        if reaction not in REACTIONS:
            raise RequestRejected("no_such_reaction", f"a reaction is one of {', '.join(REACTIONS)}")
        if message.only:
            raise RequestRejected("private", "a message only you see has no reactions")
        changed = await (self._chat.add_reaction if add else self._chat.remove_reaction)(message, persona, reaction)
        here = _location_of(message)
        name = "reaction.added" if add else "reaction.removed"
        answer = await self._handle(persona, here, name, {"reaction": reaction}, key)
        return {"message": render.render_message(changed), **answer}

    async def press(self, persona: str, id: str, name: str, *, key: str = "") -> dict[str, Any]:
        """Press the button `name` of a message."""
        message = self._require_visible(persona, id)
        button = next((one for one in message.said.buttons if one.name == name), None) if message.said else None
        if button is None:
            raise RequestRejected("no_such_button", f"message {id} has no button {name} (any more)", 409)
        return await self._handle(persona, _location_of(message), button.intent, button.args, key, pressed=id)

    async def submit(self, persona: str, id: str, values: Mapping[str, Value], *, key: str = "") -> dict[str, Any]:
        """Submit a form. It stays open when the answer has `errors` or a `reference`; otherwise it is closed."""
        opened = self._chat.find_form(id)
        if opened is None and (persona, id) in self._sent:
            return {"reply": None}  # a double tap, or another page with the same form
        if opened is None or opened.persona != persona:
            raise RequestRejected("no_such_form", f"{persona} has no open form {id}", 404)
        unknown = set(values) - {field.name for field in opened.form.fields}
        if unknown:
            raise RequestRejected("no_such_field", f"the form has no field {', '.join(sorted(unknown))}")
        args = {**dict(values), **opened.form.hidden}
        here = ChatLocation(channel=opened.channel, thread=opened.thread, message=opened.pressed)
        answer = await self._handle(persona, here, opened.form.intent, args, key, pressed=opened.pressed)
        if "errors" not in answer and "reference" not in answer:
            await self._chat.close_form(id)
            self._sent.append((persona, id))
        return answer

    # -- intents and replies -----------------------------------------------------------------------------------------

    async def _handle(
        self, persona: str, here: ChatLocation, name: str, args: Mapping[str, Value], key: str, *, pressed: str = ""
    ) -> dict[str, Any]:
        reply = await self._core.handle(
            Intent(
                name=name,
                args=args,
                actor=account_of(PERSONA_BY_ID[persona], self._chat.language_of(persona)),
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
                return {"form": render.render_open_form(opened)}
            case Answer(reference=str() as reference, message=message):
                return {"reference": reference, "text": message.text}
            case _:
                shown = await self._show_answer(persona, here, reply, pressed)
                if name == FORGET_INTENT:
                    await self._chat.remove_answers(persona, but=shown.id)
                    return {"reply": render.render_message(shown), "forgotten": True}
                return {"reply": render.render_message(shown)}

    async def _show_answer(self, persona: str, here: ChatLocation, answer: Answer, pressed: str) -> ChatMessage:
        """Show an answer to this persona only. It replaces the pressed message where only they see that one."""
        before = self._chat.get(pressed)
        if answer.replaces and before is not None and (before.only == persona or is_personal_chat(before.channel)):
            return await self._chat.update(before, said=answer.message, deleted=False)
        return await self._chat.post(
            author=RITME,
            channel=here.channel,
            at=self._clock.now(),
            said=answer.message,
            only="" if is_personal_chat(here.channel) else persona,
            thread=here.thread,
        )

    # -- permissions -------------------------------------------------------------------------------------------------

    def _require_channel(self, persona: str, channel: str) -> None:
        if channel not in CHANNEL_BY_ID and channel != personal_chat(persona):
            raise RequestRejected("no_such_channel", f"{persona} sees no channel {channel}", 404)

    def _require_visible(self, persona: str, id: str) -> ChatMessage:
        message = self._chat.get(id)
        # One error for absent and invisible, so that guessing ids reveals nothing.
        if message is None or message.deleted or not message.visible_to(persona):
            raise RequestRejected("no_such_message", f"{persona} sees no message {id}", 404)
        return message

    def _require_own(self, persona: str, id: str) -> ChatMessage:
        message = self._require_visible(persona, id)
        if message.author != persona:
            raise RequestRejected("not_yours", "only who wrote a message changes it", 403)
        return message

    def _thread_root(self, persona: str, channel: str, thread: str) -> str:
        """Return the id of the message a thread begins with, also for a reply in it; empty outside a thread."""
        if not thread:
            return ""
        if is_personal_chat(channel):
            raise RequestRejected("no_threads", "a personal chat has no threads")
        message = self._chat.get(thread)
        if message is None or not message.visible_to(persona) or message.channel != channel:
            raise RequestRejected("no_such_message", f"{persona} sees no message {thread} in {channel}", 404)
        if is_by_ritme(message) and message.only:
            raise RequestRejected("private", "a message only you see has no thread")
        return message.thread or message.id


def _location_of(message: ChatMessage) -> ChatLocation:
    return ChatLocation(channel=message.channel, thread=message.thread, message=message.id)

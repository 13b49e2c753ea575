"""Replay the weeks before a visitor comes.

`history.toml` lists what the personas did and when. Each action is carried out as a visitor's would be, with the clock
at that moment, so everything Ritme said, planned and held back in those weeks is what it really does.
"""

import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.playground.actions import PersonaActions
from adapters.playground.chat import Chat
from adapters.playground.chat_message import ChatMessage, is_by_ritme
from adapters.playground.personas import PERSONA_BY_ID, TIMEZONE, personal_chat
from bot.chat import Value

SCRIPT = Path(__file__).with_name("history.toml")


class BadHistory(Exception):
    """An action of the script cannot be carried out; the text says which one."""


@dataclass(frozen=True, kw_only=True)
class ScriptedAction:
    """An action of one persona (`who`) at a moment, in a channel.

    It is one of: `type` a command, `say` a line, `reply` with a line in the thread of Ritme's last post, `press` a
    button, or `react` with a reaction to the last reply of the person `to`. `fill` holds values for the form that
    opens, by field name; `then` are buttons pressed on the private answers that follow, in order.
    """

    at: datetime
    who: str
    channel: str
    type: str = ""
    say: str = ""
    reply: str = ""
    press: str = ""
    react: str = ""
    to: str = ""
    fill: Mapping[str, Value] = field(default_factory=dict)
    then: tuple[str, ...] = ()


def read_script(script: Path = SCRIPT) -> tuple[list[ScriptedAction], datetime]:
    """Read a script. Returns its actions, in order, and the moment (UTC) at which a visitor comes in."""
    tables = tomllib.loads(script.read_text(encoding="utf-8"))
    return [_parse_action(table) for table in tables["act"]], _to_utc(tables["visitor_comes"])


def start_of(script: Path = SCRIPT) -> datetime:
    """Return the moment (UTC) to which the clock has to be set before the script is replayed."""
    return read_script(script)[0][0].at - timedelta(minutes=1)


async def replay(
    chat: Chat,
    actions: PersonaActions,
    advance: Callable[[str], Awaitable[object]],
    run_until_idle: Callable[[], Awaitable[None]],
    *,
    script: Path = SCRIPT,
) -> None:
    """Replay a script. Leaves nothing unread, and private answers dismissed. Raises `BadHistory`.

    `advance` (of `ClockControl`) moves the clock to an ISO moment, through everything planned on the way;
    `run_until_idle` sends what is due.
    """
    script_actions, visitor_comes = read_script(script)
    for number, action in enumerate(script_actions):
        await advance(action.at.isoformat())
        await _ActionRunner(chat, actions, run_until_idle, action, key=f"history:{number}").run()
    await advance(visitor_comes.isoformat())
    for persona in PERSONA_BY_ID:
        for message in chat.visible_to(persona):
            if message.only:  # read weeks ago, and dismissed since
                await chat.update(message, deleted=True, said=None)
    await chat.mark_all_read()


class _ActionRunner:
    """Carry out one action of the script."""

    def __init__(
        self,
        chat: Chat,
        actions: PersonaActions,
        run_until_idle: Callable[[], Awaitable[None]],
        action: ScriptedAction,
        *,
        key: str,
    ) -> None:
        self._chat = chat
        self._actions = actions
        self._run_until_idle = run_until_idle
        self._action = action
        self._key = key

    async def run(self) -> None:
        action, who = self._action, self._action.who
        if action.type or action.say:
            answer = await self._actions.say(who, action.channel, action.type or action.say, key=self._key)
        elif action.reply:
            root = self._find_last(self._is_open_post)
            answer = await self._actions.say(who, action.channel, action.reply, thread=root.id, key=self._key)
        elif action.react:
            reply = self._find_last(lambda message: self._is_reply_by(message, action.to))
            answer = await self._actions.react(who, reply.id, action.react, add=True, key=self._key)
        else:
            answer = await self._press(action.press, self._key)
        await self._fill_form(answer, self._key)
        for number, name in enumerate(action.then):
            await self._run_until_idle()
            await self._fill_form(await self._press(name, f"{self._key}:{number}"), f"{self._key}:{number}")

    async def _press(self, name: str, key: str) -> dict[str, Any]:
        message = self._find_last(
            lambda message: message.said is not None and any(one.name == name for one in message.said.buttons)
        )
        return await self._actions.press(self._action.who, message.id, name, key=key)

    async def _fill_form(self, answer: Mapping[str, Any], key: str) -> None:
        """Submit the form in an answer, if there is one: as it came, with the action's values for fields it has."""
        if "form" in answer:
            form = answer["form"]
            initial = {one["name"]: _to_value(one["value"]) for one in form["fields"]}
            filled = {name: value for name, value in self._action.fill.items() if name in initial}
            answer = await self._actions.submit(self._action.who, form["id"], {**initial, **filled}, key=f"{key}:form")
        if "errors" in answer or "reference" in answer:
            raise BadHistory(f"{self._action}: {answer}")

    def _is_open_post(self, message: ChatMessage) -> bool:
        is_private = bool(message.only)
        is_here = message.channel == self._action.channel
        return is_by_ritme(message) and not is_private and not message.thread and is_here

    def _is_reply_by(self, message: ChatMessage, author: str) -> bool:
        return message.author == author and message.channel == self._action.channel and bool(message.thread)

    def _find_last(self, is_wanted: Callable[[ChatMessage], bool]) -> ChatMessage:
        channels = (self._action.channel, personal_chat(self._action.who))
        for message in reversed(self._chat.visible_to(self._action.who)):
            if message.channel in channels and not message.deleted and is_wanted(message):
                return message
        raise BadHistory(f"{self._action}: there is no such message")


def _to_value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value


def _parse_action(table: Mapping[str, Any]) -> ScriptedAction:
    fill = {name: _to_value(value) for name, value in table.get("fill", {}).items()}
    return ScriptedAction(**{**table, "at": _to_utc(table["at"]), "fill": fill, "then": tuple(table.get("then", ()))})


def _to_utc(local: datetime) -> datetime:
    """Convert a moment of the script, which is in the personas' local time."""
    return local.replace(tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)

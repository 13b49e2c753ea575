"""The weeks before a visitor comes: lived, not painted.

`history.toml` tells what the personas did and when. Each act goes through the doors a visitor uses, with the clock at
that moment, so all that Ritme said, planned and held back in those weeks is really what it does.
"""

import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.playground.chat import Chat, Said, by_ritme
from adapters.playground.doings import Doings
from adapters.playground.personas import BY_ID, TIMEZONE, personal_chat
from bot.chat import Value

SCRIPT = Path(__file__).with_name("history.toml")


class BadHistory(Exception):
    """The script asks for something that cannot be done; the text says which act."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """What one persona does: one of `type`, `say`, `reply`, `press` or `react` (`to` whose message). `fill` answers the
    dialog that opens, `then` are buttons pressed on the private answers that follow, in order."""

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


def read(script: Path = SCRIPT) -> tuple[list[Act], datetime]:
    """The acts, in order, and the moment a visitor comes in."""
    told = tomllib.loads(script.read_text(encoding="utf-8"))
    return [_act(one) for one in told["act"]], _moment(told["visitor_comes"])


def begins(script: Path = SCRIPT) -> datetime:
    """The moment before the script begins: what the clock has to be set to before it is lived."""
    return read(script)[0][0].at - timedelta(minutes=1)


async def live(
    chat: Chat,
    doings: Doings,
    turn: Callable[[str], Awaitable[object]],
    run_until_idle: Callable[[], Awaitable[None]],
    *,
    script: Path = SCRIPT,
) -> None:
    """Lives through the script; `turn` (the dial's) moves the clock through everything planned on the way to an ISO
    moment, `run_until_idle` sends what is due. Leaves nothing unread."""
    acts, visitor_comes = read(script)
    for number, act in enumerate(acts):
        await turn(act.at.isoformat())
        await _Life(chat, doings, run_until_idle, act, key=f"history:{number}").do()
    await turn(visitor_comes.isoformat())
    for persona in BY_ID:
        for said in chat.visible_to(persona):
            if said.only:  # read weeks ago, and put away
                await chat.change(said, deleted=True, said=None)
    await chat.read_everything()


class _Life:
    """One act, as its persona does it."""

    def __init__(
        self, chat: Chat, doings: Doings, run_until_idle: Callable[[], Awaitable[None]], act: Act, *, key: str
    ) -> None:
        self._chat = chat
        self._doings = doings
        self._settle = run_until_idle
        self._act = act
        self._key = key

    async def do(self) -> None:
        act, who = self._act, self._act.who
        if act.type or act.say:
            done = await self._doings.say(who, act.channel, act.type or act.say, key=self._key)
        elif act.reply:
            root = self._last(
                lambda said: by_ritme(said) and not said.only and not said.thread and said.channel == act.channel
            )
            done = await self._doings.say(who, act.channel, act.reply, thread=root.id, key=self._key)
        elif act.react:
            told = self._last(lambda said: said.author == act.to and said.channel == act.channel and bool(said.thread))
            done = await self._doings.react(who, told.id, act.react, add=True, key=self._key)
        else:
            done = await self._press(act.press, self._key)
        await self._fill(done, self._key)
        for number, name in enumerate(act.then):
            await self._settle()
            await self._fill(await self._press(name, f"{self._key}:{number}"), f"{self._key}:{number}")

    async def _press(self, name: str, key: str) -> dict[str, Any]:
        shown = self._last(lambda said: said.said is not None and any(one.name == name for one in said.said.buttons))
        return await self._doings.press(self._act.who, shown.id, name, key=key)

    async def _fill(self, done: Mapping[str, Any], key: str) -> None:
        if "form" in done:
            form = done["form"]
            names = {one["name"] for one in form["fields"]}
            filled = {one["name"]: _value(one["value"]) for one in form["fields"]}
            known = {name: value for name, value in self._act.fill.items() if name in names}
            done = await self._doings.submit(self._act.who, form["id"], {**filled, **known}, key=f"{key}:form")
        if "errors" in done or "reference" in done:
            raise BadHistory(f"{self._act}: {done}")

    def _last(self, wanted: Callable[[Said], bool]) -> Said:
        here = (self._act.channel, personal_chat(self._act.who))
        for said in reversed(self._chat.visible_to(self._act.who)):
            if said.channel in here and not said.deleted and wanted(said):
                return said
        raise BadHistory(f"{self._act}: there is no such message")


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value


def _act(told: Mapping[str, Any]) -> Act:
    fill = {name: _value(value) for name, value in told.get("fill", {}).items()}
    return Act(**{**told, "at": _moment(told["at"]), "fill": fill, "then": tuple(told.get("then", ()))})


def _moment(local: datetime) -> datetime:
    """A moment in the script is local time where the personas live."""
    return local.replace(tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)

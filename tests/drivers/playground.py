"""Drive journeys through Ritme's playground over its real HTTP API, with the verbs of `tests.drivers.slack`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.playground.personas import RITME, is_personal_chat, personal_chat
from tests.support.playground import ServedPlayground, add_movement, serve_playground
from tests.support.world import MONDAY


@dataclass(frozen=True)
class Seen:
    """A message as its reader's page gets it."""

    json: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.json["id"])

    def buttons(self) -> list[str]:
        return [one["name"] for one in (self.json["said"] or {}).get("buttons", [])]

    def words(self) -> str:
        return str(self.json["said"]["text"] if self.json["said"] else self.json["text"])


@dataclass(frozen=True)
class Dialog:
    """An open form."""

    json: dict[str, Any]

    def words(self) -> str:
        return str(self.json)


@dataclass
class PlaygroundDriver:
    """People who act through the page's API: they are personas, and channels those of the playground."""

    served: ServedPlayground

    async def movement(self, *people: str, coordinator: str = "iris", channels: tuple[str, ...] = ()) -> None:
        """Add a movement with everyone in every channel; Iris coordinates."""
        assert coordinator == "iris"
        await add_movement(self.served.begin, self.served.clock.now())

    async def type(self, who: str, line: str, *, channel: str | None = "samen-vooruit") -> Any:
        return await self._shown(who, self.served.say(who, channel or personal_chat(who), line))

    async def press(self, who: str, shown: Any, name: str) -> Any:
        assert isinstance(shown, Seen), shown
        return await self._shown(who, self.served.press(who, shown.id, name))

    async def submit(self, who: str, form: Any, **values: Any) -> Any:
        assert isinstance(form, Dialog), form
        filled = {one["name"]: one["value"] for one in form.json["fields"]}
        assert set(values) <= set(filled), f"the form has {set(filled)}"
        return await self._shown(who, self.served.submit(who, form.json, {**filled, **values}))

    async def reply(self, who: str, channel: str, under: Any, text: str) -> Any:
        done = await self.served.say(who, channel, text, under.id)
        await self.drain()
        return Seen(done["message"])

    async def react(self, who: str, shown: Any, name: str = "heart") -> None:
        await self.served.call("PUT", f"/messages/{shown.id}/reactions/{name}?persona={who}")
        await self.drain()

    async def posts(self, channel: str = "samen-vooruit") -> list[Seen]:
        """List what Ritme said to everyone in a channel, oldest first."""
        found = await self.served.seen_by("wim")
        return [
            Seen(one) for one in found if one["channel"] == channel and one["author"] == RITME and not one["private"]
        ]

    async def private(self, who: str) -> list[Seen]:
        """List what Ritme said to one person alone, wherever, oldest first."""
        found = await self.served.seen_by(who)
        mine = [one for one in found if one["author"] == RITME and (one["private"] or is_personal_chat(one["channel"]))]
        return [Seen(one) for one in mine]

    def at(self, shown: Any) -> datetime:
        return datetime.fromisoformat(shown.json["at"])

    async def drain(self) -> None:
        """Send all that is due; a second passes."""
        await self.until(self.served.clock.now() + timedelta(seconds=1))

    async def until(self, moment: datetime) -> None:
        await self.served.set_clock(moment.isoformat())

    async def _shown(self, who: str, done: Any) -> Any:
        """Await an act; return its errors, its form, its answer, or what appeared for them alone."""
        before = {(one.id, one.words()) for one in await self.private(who)}
        answer = await done
        if "errors" in answer:
            return answer["errors"]
        if "form" in answer:
            return Dialog(answer["form"])
        await self.drain()
        if answer.get("reply"):
            return Seen(answer["reply"])
        fresh = [one for one in await self.private(who) if (one.id, one.words()) not in before]
        return fresh[-1] if fresh else None


@asynccontextmanager
async def playground_driver(tmp_path: Path, start: datetime = MONDAY) -> AsyncIterator[PlaygroundDriver]:
    """Serve an empty playground over a database file in `tmp_path`, on a real socket; yield its driver."""
    async with serve_playground(tmp_path / "ritme.db", start=start, with_movement=False) as served:
        yield PlaygroundDriver(served)

"""One vocabulary for a journey on Slack, in Teams and in the playground: what people do there, and what reaches whom.

Channels, people and buttons have the same names on each; forms and messages are those of the platform.
"""

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import aiohttp
from aiohttp import web

from adapters.clock import SettableClock
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import Begin
from adapters.file_links import FileLinks
from adapters.pages.links import PageLinks
from adapters.teams.package import SAVE_COMMAND_ID
from adapters.teams.platform import AppRegistration, TeamsPlatform
from adapters.typesetting import TypstTypesetter
from adapters.web import make_app
from bot.app import Ritme
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.meaning import SCALES, join_meaning, list_points
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from tests.drivers.playground import Dialog, PlaygroundDriver, Seen, playground_driver
from tests.drivers.slack import SlackDriver, slack_driver
from tests.fakes.slack.server import BOT as RITME
from tests.fakes.slack.state import Modal
from tests.fakes.slack.state import Shown as SlackShown
from tests.fakes.teams.agents_playground import Shown
from tests.fakes.teams.microsoft import Microsoft, microsoft
from tests.support.databases import OpenDatabase, open_database
from tests.support.vault import VAULT
from tests.support.world import API, MONDAY

PLATFORMS = ("slack", "teams", "playground")
HERE, THERE = "samen-vooruit", "night-shift"
"""The channels of the movement."""
PEOPLE = ("fatima", "jan", "sanne", "wim")
TENANT = "00000000-0000-0000-0000-00000000feed"
BOT = "28:ritme"
MENTION = "<at>Ritme</at>"
LINKS = FileLinks(["geheim"], "https://ritme.example.org")
"""How files are linked to in Teams, where a journey wants an address."""
POSTED = "77"
"""The id that `tests.fakes.teams.microsoft` gives every post in a channel."""
INTENTS = {
    "ask_there": "reach.names.here",
    "begin": "effect.begin",
    "make": "api.new",
    "revoke_1": "api.revoke",
    "remove_1": "webhook.remove",
    "new": "rhythm.new",
    "more": "rhythm.more",
    "edit": "rhythm.edit",
    "apply": "rhythm.apply",
    "calendar": "calendar.file",
    "file": "calendar.file",
    "copy": "rhythm.copy",
    "revert": "rhythm.undo",
    "pause": "rhythm.pause",
    "drop_1": "rhythm.resume",
    "closed": "rhythm.closed",
    "place": "rhythm.place",
    "set": "hours.set",
    "fit_1": "rhythm.fit",
    "clock": "rhythm.zone",
    "year": "rhythm.year",
    "draw": "lookback.draw",
    "add": "rhythm.closed.add",
    "country": "country",
    "choose": "country.choose",
    "adjust": "country.days",
    "save": "rhythm.heard.save",
    "change": "rhythm.new",
    "keep": "rhythm.keep",
    "something_new": "stuck.new",
    "take_apart": "stuck.take_apart",
    "names_1": "reach.names",
    "ties": "reach.ties",
    "say_who": "ties",
    "tie_yes": "ties.confirm",
    "withdraw_1": "suggest.no",
    "give": "company.give",
    "ask_them": "company.ask",
    "yes": "suggest.yes",
    "not_yet": "step.not_yet",
    "come": "meeting.come",
    "clear": "meaning.clear",
    "pick_1": "choice.pick",
    "beside": "choice.agree",
    "no_whys": "choice.forget",
    "no_meetings": "meeting.leave",
    "settings": "me.settings",
    "look_1": "initiative.look",
    "join": "initiative.join",
    "choose_step": "step",
    "stop": "stop.me",
    "without": "guard.without",
    "fine": "guard.fine",
    "goes_on": "experiment.answer",
    "seized": "chance.seize",
    "tell_story": "story",
    "solved": "stuck.solved",
    "not_now": "stuck.not_now",
    "week": "stuck.return",
    "go_on": "stuck.go_on",
    "ask_1": "invite",
    "introduce": "ripple.introduce",
    "together": "history.begin",
    "answer": "history.answer",
    "accept": "invitation.accept",
    "let_in": "door.let_in",
    "invite_1": "invite",
    "why_these": "connect.why",
    "someone_else": "connect.other",
    "set_aside": "connect.not_now",
    "tell": "saving.readers",
    "too_1": "behaviour",
    "carry": "initiative.carry",
    "rest": "initiative.rest",
    "card": "meeting.card",
    "pdf": "meeting.card.print",
    "a4": "magazine.print",
    "yes_full": "magazine.agree",
    "yes_none": "magazine.agree",
    "no": "magazine.decline",
    "take_back": "magazine.take_back",
    "show": "magazine.show",
    "ask_room": "room.ask",
    "grant": "room.grant",
    "support": "support.give",
    "stuck": "stuck.new",
    "undo": "support.undo",
    "done": "step.done",
    "pick_up_2": "step.pick_up",
}
"""Intents of buttons by name; other buttons are named after their intent."""
ALSO = {
    "tell": "step.done",
    "keep": "hours.keep",
    "save": "country.save",
    "choose": "magazine.choose",
}
"""Other intents of buttons with a name of those above."""


MEANT = {f"{scale}_{point}": join_meaning(scale, point) for scale in SCALES for point in list_points(scale)}
"""Values by which a button says how a story was meant, by its name."""


class Border(Protocol):
    """A platform as a journey uses it: acts of people, and what reached them."""

    @property
    def begin(self) -> Begin: ...

    async def type(self, who: str, line: str, *, channel: str = HERE) -> Any:
        """Type a command in a channel. Returns the form, or the message to them alone."""

    async def form(self, who: str, line: str, intent: str, *, button: str = "", channel: str = HERE) -> Any:
        """Type a command and open its form: at once, or by the `button` under its answer, or that of an `intent`."""

    async def press(self, who: str, shown: Any, button: str) -> Any:
        """Press a button. Returns the form, or the message to them alone."""

    async def submit(self, who: str, form: Any, **values: Any) -> Any:
        """Send a form. Returns the errors beside its fields, or the message to them alone."""

    async def posts(self, channel: str = HERE) -> list[Any]:
        """List the messages that everyone in a channel got."""

    async def to_all(self, channel: str = HERE) -> list[str]:
        """List the words of what everyone in a channel got."""

    async def to(self, who: str) -> list[Any]:
        """List the messages that one person alone got."""

    async def picture(self, who: str) -> tuple[bytes, str]:
        """Return the picture that one person got last, and the text that is read in its place."""

    async def file(self, who: str) -> bytes:
        """Return the file that one person got last, as it is opened now."""

    async def until(self, moment: datetime) -> None:
        """Live until a moment."""

    async def reply(self, who: str, said: str, text: str) -> None:
        """Reply in the thread of what everyone in the first channel got with these words."""

    async def say(self, who: str, text: str, *, thread: Any = None) -> Any:
        """Write a message in the first channel, in a thread or, without one, as its first. "@Ritme …" mentions Ritme.
        Returns it, whose thread others may reply in."""


async def add_initiative(begin: Begin, now: datetime) -> None:
    """Add the initiative that Fatima and Jan have in the playground."""
    about = InitiativeId("walk")
    async with begin() as work:
        movement = MovementId("movement")
        work.initiatives.add(
            Initiative(
                id=about,
                movement_id=movement,
                name="Wandelen na het eten",
                started_by=PersonId("fatima"),
                started_at=now,
            )
        )
        for who in ("fatima", "jan"):
            work.initiatives.add(
                Participant(initiative_id=about, person_id=PersonId(who), movement_id=movement, joined_at=now)
            )


@dataclass
class OnSlack:
    """Slack, through the driver of its journeys."""

    driver: SlackDriver

    @property
    def begin(self) -> Begin:
        return self.driver.begin

    async def type(self, who: str, line: str, *, channel: str = HERE) -> Any:
        return await self.driver.type(who, line, channel=channel)

    async def form(self, who: str, line: str, intent: str, *, button: str = "", channel: str = HERE) -> Any:
        shown = await self.type(who, line, channel=channel)
        return shown if isinstance(shown, Modal) else await self.press(who, shown, button)

    async def press(self, who: str, shown: Any, button: str) -> Any:
        return await self.driver.press(who, shown, button)

    async def submit(self, who: str, form: Any, **values: Any) -> Any:
        return await self.driver.submit(who, form, **values)

    async def posts(self, channel: str = HERE) -> list[Any]:
        return list(self.driver.posts(channel))

    async def to_all(self, channel: str = HERE) -> list[str]:
        return [one.words() for one in await self.posts(channel)]

    async def to(self, who: str) -> list[SlackShown]:
        return self.driver.private(who)

    async def picture(self, who: str) -> tuple[bytes, str]:
        *_, (file,) = (one.files for one in self.driver.private(who) if one.files)
        assert file.content is not None
        return file.content, file.alt_text

    async def file(self, who: str) -> bytes:
        *_, (file,) = (one.files for one in self.driver.private(who) if one.files)
        assert file.content is not None
        return file.content

    async def until(self, moment: datetime) -> None:
        await self.driver.until(moment)

    async def reply(self, who: str, said: str, text: str) -> None:
        root = next(one for one in self.driver.posts(HERE) if said in one.words())
        await self.driver.reply(who, HERE, root.ts, text)

    async def say(self, who: str, text: str, *, thread: Any = None) -> Any:
        written = text.replace("@Ritme", f"@{self.driver.slack.users[RITME].name}")
        user, channel = self.driver.user(who), self.driver.channel(HERE)
        said = await self.driver.people.say(user, channel, written, thread=thread.ts if thread else None)
        await self.driver.drain()
        return said


@dataclass
class InThePlayground:
    """The playground, through the driver of its journeys."""

    driver: PlaygroundDriver

    @property
    def begin(self) -> Begin:
        return self.driver.served.begin

    async def type(self, who: str, line: str, *, channel: str = HERE) -> Any:
        return await self.driver.type(who, line, channel=channel)

    async def form(self, who: str, line: str, intent: str, *, button: str = "", channel: str = HERE) -> Any:
        shown = await self.type(who, line, channel=channel)
        return shown if isinstance(shown, Dialog) else await self.press(who, shown, button)

    async def press(self, who: str, shown: Any, button: str) -> Any:
        return await self.driver.press(who, shown, button)

    async def submit(self, who: str, form: Any, **values: Any) -> Any:
        lists = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return await self.driver.submit(who, form, **lists)

    async def posts(self, channel: str = HERE) -> list[Any]:
        return list(await self.driver.posts(channel))

    async def to_all(self, channel: str = HERE) -> list[str]:
        return [one.words() for one in await self.posts(channel)]

    async def to(self, who: str) -> list[Any]:
        return await self.driver.private(who)

    async def picture(self, who: str) -> tuple[bytes, str]:
        *_, shown = (one for one in await self.driver.private(who) if one.json["picture"])
        png = await self.driver.served.download(f"/messages/{shown.id}/picture?persona={who}")
        return png, shown.json["picture"]["text"]

    async def file(self, who: str) -> bytes:
        *_, shown = (one for one in await self.driver.private(who) if one.json["file"])
        return await self.driver.served.download(f"/messages/{shown.id}/file?persona={who}")

    async def until(self, moment: datetime) -> None:
        await self.driver.until(moment)

    async def reply(self, who: str, said: str, text: str) -> None:
        root = next(one for one in await self.driver.posts(HERE) if said in one.words())
        await self.driver.reply(who, HERE, root, text)

    async def say(self, who: str, text: str, *, thread: Any = None) -> Any:
        done = await self.driver.served.say(who, HERE, text, thread.id if thread else "")
        await self.driver.drain()
        return Seen(done["message"])


@dataclass
class InTeams:
    """Teams, with the connector of `tests.fakes.teams.microsoft`: everyone's own chat can be read there."""

    ritme: Ritme
    clock: SettableClock
    microsoft: Microsoft
    storage: OpenDatabase
    session: aiohttp.ClientSession
    address: str
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def begin(self) -> Begin:
        return self.storage.begin

    async def movement(self) -> None:
        """Store a movement of these people in both channels; each has spoken in their own chat before."""
        now, lane = self.clock.now(), WorkspaceId(f"teams:{TENANT}")
        movement = Movement(id=MovementId("movement"), name="Samen op pad", language=Language.NL, started_at=now)
        async with self.begin() as work:
            work.people.add(Workspace(id=lane))
            work.movements.add(movement)
            for name in (HERE, THERE):
                place = Place(id=PlaceId(name), workspace_id=lane, channel=channel_id(name), name=name, created_at=now)
                place.movement_id = movement.id
                work.movements.add(place)
            for name in ("iris", *PEOPLE):
                work.people.add(Person(id=PersonId(name), workspace_id=lane, account=name, name=name, created_at=now))
                role = Role.COORDINATOR if name == "iris" else Role.MEMBER
                member = Member(movement_id=movement.id, person_id=PersonId(name), role=role, joined_at=now)
                work.movements.add(member)
        for channel in (HERE, THERE):
            await self.send("iris", {"type": "message", "text": "Dag allemaal"}, channel)
        for name in ("iris", *PEOPLE):
            await self.send(name, {"type": "message", "text": "dankjewel!"}, "")

    async def type(self, who: str, line: str, *, channel: str = HERE) -> Any:
        before = await self._seen(who)
        text = line.removeprefix("/ritme ").removeprefix("/")
        mention = {"type": "mention", "mentioned": {"id": BOT}, "text": MENTION}
        await self.send(who, {"type": "message", "text": f"{MENTION} {text}", "entities": [mention]}, channel)
        return await self._news(who, before)

    async def form(self, who: str, line: str, intent: str, *, button: str = "", channel: str = HERE) -> Any:
        shown = await self.type(who, line, channel=channel)
        offered = [action["data"]["intent"] for action in shown.buttons().values()]
        return await self.press(who, shown, intent if intent in offered else button)

    async def press(self, who: str, shown: Any, button: str) -> Any:
        before = await self._seen(who)
        offered = [one["data"].get("intent") for one in shown.buttons().values()]
        names = (button, INTENTS.get(button, button), ALSO.get(button, button))
        wanted = next((one for one in names if one in offered), names[1])
        # Several buttons with one intent are told apart by what they say of it.
        meant = [
            one for one in shown.buttons().values() if MEANT.get(button, "-") in one["data"].get("args", {}).values()
        ]
        action = meant[0] if meant else shown.button(wanted)
        channel = next((one for one in (HERE, THERE) if shown.conversation.startswith(channel_id(one))), "")
        if action["type"] == "Action.Submit":
            opening = {"name": "task/fetch", "value": {"data": action["data"], "context": {}}}
            return await self.send(who, {"type": "invoke", **opening, "replyToId": shown.id}, channel)
        value = {"action": {name: action[name] for name in ("type", "title", "verb", "data")}, "trigger": "manual"}
        pressed = {"type": "invoke", "name": "adaptiveCard/action", "value": value, "replyToId": shown.id}
        await self.send(who, pressed, channel)
        return await self._news(who, before)

    async def submit(self, who: str, form: Any, **values: Any) -> Any:
        card = form["task"]["value"]["card"]["content"]
        inputs = {one["id"]: one.get("value", "") for one in card["body"] if one["type"].startswith("Input.")}
        assert not set(values) - set(inputs), f"the dialog asks for {list(inputs)}"
        given = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
        filled = {name: value for name, value in {**inputs, **given}.items() if value}
        before = await self._seen(who)
        sending = {"data": {**card["actions"][0]["data"], **filled}, "context": {}}
        again = await self.send(who, {"type": "invoke", "name": "task/submit", "value": sending}, "")
        if again.get("task", {}).get("type") == "continue":
            body = again["task"]["value"]["card"]["content"]["body"]
            beside = [(said.get("inlines") or [{}], one) for said, one in pairwise(body) if "id" in one]
            return {one["id"]: runs[0]["text"] for runs, one in beside if runs[0].get("color") == "Attention"}
        return await self._news(who, before)

    async def posts(self, channel: str = HERE) -> list[Any]:
        return [one for one in self._messages() if one.conversation.partition(";")[0] == channel_id(channel)]

    async def to_all(self, channel: str = HERE) -> list[str]:
        return [one.words() for one in await self.posts(channel)]

    async def to(self, who: str) -> list[Shown]:
        return [one for one in self._messages() if one.conversation == f"chat-of-{who}"]

    async def picture(self, who: str) -> tuple[bytes, str]:
        given = []
        for method, path, body in self.microsoft.calls:
            if method == "POST" and unquote(path).split("/")[1:2] == [f"chat-of-{who}"]:
                cards, pictures = body["attachments"][:1], body["attachments"][1:]
                given += [(one["contentUrl"], cards[0]["content"]["fallbackText"]) for one in pictures]
        *_, (address, text) = given
        assert address.startswith("data:image/png;base64,")
        return b64decode(address.partition(",")[2]), text

    async def file(self, who: str) -> bytes:
        *_, address = (one["url"] for shown in await self.to(who) for one in shown.buttons().values() if "url" in one)
        named = LINKS.read_link(str(address).rpartition("/")[2].partition("?")[0], self.clock.now())
        opened = await self.ritme.open_file(named or "")
        assert opened is not None
        return opened.content

    async def until(self, moment: datetime) -> None:
        while (due := await self.ritme.next_due()) is not None and due <= moment:
            self.clock.set(max(due, self.clock.now()))
            await self.storage.engine.run_until_idle()
            if await self.ritme.next_due() == due:
                break
        self.clock.set(max(moment, self.clock.now()))
        await self.storage.engine.run_until_idle()

    async def reply(self, who: str, said: str, text: str) -> None:
        assert any(said in one for one in await self.to_all())
        where = {"id": f"{channel_id(HERE)};messageid={POSTED}", "conversationType": "channel"}
        await self.send(who, {"type": "message", "text": text, "conversation": where}, HERE)

    async def say(self, who: str, text: str, *, thread: Any = None) -> Any:
        own = f"said{next(self.numbers)}"
        where = {"id": f"{channel_id(HERE)};messageid={thread or own}", "conversationType": "channel"}
        mention = {"type": "mention", "mentioned": {"id": BOT}, "text": MENTION}
        entities = [mention] if "@Ritme" in text else []
        words = text.replace("@Ritme", MENTION)
        said = {"type": "message", "id": own, "text": words, "entities": entities, "conversation": where}
        await self.send(who, said, HERE)
        return thread or own

    async def save_message(self, who: str, author: str, text: str, message: str = "m1", thread: str = "") -> Any:
        """Use *Save as story* on a message of the first channel. Returns the dialog."""
        payload = {
            "id": message,
            "from": {"user": {"id": author, "displayName": author}},
            "body": {"contentType": "html", "content": f"<p>{text}</p>"},
            **({"replyToId": thread} if thread else {}),
        }
        value = {"commandId": SAVE_COMMAND_ID, "commandContext": "message", "messagePayload": payload}
        return await self.send(who, {"type": "invoke", "name": "composeExtension/fetchTask", "value": value}, HERE)

    def _messages(self) -> list[Shown]:
        """List the messages that the connector got, as they read now."""
        found: dict[tuple[str, str], Shown] = {}
        for number, (method, path, body) in enumerate(self.microsoft.calls, start=1):
            activity = body.get("activity", body)
            cards = [one["content"] for one in activity.get("attachments", ()) if "content" in one]
            parts = [unquote(one) for one in path.split("/")]
            if not cards or method not in ("POST", "PUT"):
                continue
            where = parts[1] if len(parts) > 1 else body["channelData"]["channel"]["id"]
            message = parts[3] if method == "PUT" else f"m{number}"
            found[where, message] = Shown(id=message, conversation=where, card=cards[0])
        return list(found.values())

    async def _seen(self, who: str) -> set[tuple[str, str]]:
        return {(one.id, one.words()) for one in await self.to(who)}

    async def _news(self, who: str, before: set[tuple[str, str]]) -> Shown | None:
        fresh = [one for one in await self.to(who) if (one.id, one.words()) not in before]
        return fresh[-1] if fresh else None

    async def send(self, who: str, what: dict[str, Any], channel: str) -> dict[str, Any]:
        """Deliver an activity from a channel, or from their own chat; return the answer once all due is sent."""
        there = {"id": channel_id(channel), "name": channel}
        activity = {
            "id": f"a{next(self.numbers)}",
            "channelId": "msteams",
            "serviceUrl": f"{self.microsoft.url}/connector/",
            "from": {"id": f"29:{who}", "name": who, "aadObjectId": who},
            "recipient": {"id": BOT, "name": "Ritme"},
            "locale": "nl-NL",
            "conversation": {"id": f"{there['id']};messageid=1", "conversationType": "channel"}
            if channel
            else {"id": f"chat-of-{who}", "conversationType": "personal"},
            "channelData": {
                "tenant": {"id": TENANT},
                **({"team": {"id": channel_id(HERE)}, "channel": there} if channel else {}),
            },
            **what,
        }
        async with self.session.post(self.address, json=activity) as answer:
            assert answer.status < 300, await answer.text()
            said = dict(await answer.json()) if await answer.text() else {}
        await self.until(self.clock.now() + timedelta(seconds=5))
        return said


def channel_id(name: str) -> str:
    return f"19:{name}@thread.tacv2"


@asynccontextmanager
async def open_border(
    platform: str,
    tmp_path: Path,
    start: datetime = MONDAY,
    *,
    links: FileLinks | None = None,
    pages: PageLinks | None = None,
) -> AsyncIterator[Border]:
    """Run the service on a platform, with a movement of Iris and `PEOPLE` in two channels. `links` to files: for
    Teams; `pages`: links to pages, which the playground always has."""
    if platform == "slack":
        async with slack_driver(tmp_path, start, pages=pages) as slack:
            await slack.movement(*PEOPLE, channels=(HERE, THERE))
            await add_initiative(slack.begin, slack.clock.now())
            yield OnSlack(slack)
    elif platform == "playground":
        async with playground_driver(tmp_path, start) as playground:
            await playground.movement()
            yield InThePlayground(playground)
    else:
        async with open_teams(tmp_path, start, links=links, pages=pages) as teams:
            yield teams


@asynccontextmanager
async def open_teams(
    tmp_path: Path,
    start: datetime = MONDAY,
    kind: str = "sqlite",
    links: FileLinks | None = None,
    pages: PageLinks | None = None,
) -> AsyncIterator[InTeams]:
    """Run the service for Teams, with a movement of Iris and `PEOPLE` in two channels of its team."""
    clock = SettableClock(start, running=False)
    async with (
        open_database(kind, tmp_path) as storage,
        microsoft(start) as there,
        aiohttp.ClientSession() as session,
    ):
        registration = AppRegistration(app_id="app", tenants=frozenset({TENANT}), auth_disabled=True)
        chats = SqlConversations(storage.database)
        platform = TeamsPlatform(registration, chats, clock, opens=Ritme.opens, links=links, pages=pages)
        known = {"teams": replace(platform.ports, api=API)}
        drawer = TypstTypesetter()
        ritme = Ritme(
            transact=storage.transact,
            platforms=known,
            clock=clock,
            engine=storage.engine,
            typesetter=drawer,
            vault=VAULT,
        )
        await storage.start_engine(ritme)
        app = make_app(mounts=[lambda served: platform.mount(served, ritme)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
        teams = InTeams(ritme, clock, there, storage, session, address)
        try:
            await teams.movement()
            await add_initiative(storage.begin, clock.now())
            yield teams
        finally:
            await runner.cleanup()
            await platform.close()

"""The state of a fake Slack workspace: users, channels, messages and views."""

from asyncio import Event
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(kw_only=True)
class User:
    """A member of the workspace."""

    id: str
    name: str
    locale: str = "nl-NL"
    tz: str = "Europe/Amsterdam"
    marks: dict[str, Any] = field(default_factory=dict)
    """Other keys of their record: deleted, is_restricted, team_id …"""

    def record(self, *, with_locale: bool) -> Json:
        """Return the user as Slack's API gives it."""
        return {
            "id": self.id,
            "team_id": "T1",
            "name": self.id.lower(),
            "tz": self.tz,
            **({"locale": self.locale} if with_locale else {}),
            "profile": {"display_name": self.name},
            **self.marks,
        }


@dataclass(kw_only=True)
class UploadedFile:
    """A file of the bot: announced by `name` and `length`, then taken to Slack, then shared under a `title`."""

    id: str
    name: str
    length: int
    content: bytes | None = None
    alt_text: str = ""
    title: str = ""
    shared: bool = False
    deleted: bool = False


@dataclass(kw_only=True)
class Shown:
    """A message in a channel; with `only_for`, an ephemeral one for that user. `by` is a user id."""

    channel: str
    ts: str
    by: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread: str | None = None
    only_for: str | None = None
    metadata: Json | None = None
    reactions: set[tuple[str, str]] = field(default_factory=set)
    response_url: str = ""
    deleted: bool = False
    edited: bool = False
    files: list[UploadedFile] = field(default_factory=list)

    def buttons(self) -> dict[str, Json]:
        return {
            one["action_id"]: one for block in self.blocks if block["type"] == "actions" for one in block["elements"]
        }

    def words(self) -> str:
        """Return all that a reader sees in it, a line per paragraph or button; of a person's message, its text."""
        return "\n".join(_lines(self.blocks)) or self.text


def _lines(found: Any) -> list[str]:
    if isinstance(found, list):
        return [line for one in found for line in _lines(one)]
    if not isinstance(found, dict):
        return []
    if isinstance(found.get("text"), str):
        return [found["text"]]
    runs = found.get("elements", [])
    if runs and all(run.get("type") == "text" for run in runs):
        return ["".join(run["text"] for run in runs)]
    return [line for value in found.values() for line in _lines(value)]


@dataclass(kw_only=True)
class Channel:
    """A channel, or a conversation between a person and the bot (`personal`)."""

    id: str
    name: str
    members: set[str]
    personal: bool = False
    private: bool = False
    archived: bool = False
    messages: list[Shown] = field(default_factory=list)

    def find(self, ts: str) -> Shown | None:
        return next((one for one in self.messages if one.ts == ts and not one.deleted and not one.only_for), None)


@dataclass(kw_only=True)
class Modal:
    """A view on someone's screen. `behind` is the one it was pushed upon."""

    id: str
    user: str
    view: Json
    hash: str
    behind: "Modal | None" = None


@dataclass(kw_only=True)
class Tab:
    """Someone's Home tab of the app, as it was last published."""

    id: str
    user: str
    view: Json
    hash: str

    def buttons(self, name: str) -> list[Json]:
        """List the buttons with this action id, from top to bottom."""
        rows = [block for block in self.view["blocks"] if block["type"] == "actions"]
        return [one for row in rows for one in row["elements"] if one["action_id"] == name]

    def words(self) -> str:
        """Return all that a reader sees on it, a line per header, paragraph or button."""
        return "\n".join(_lines(self.view["blocks"]))


@dataclass(kw_only=True)
class Trigger:
    """A trigger id: the permission to open one view for a user, shortly after they did something."""

    user: str
    at: datetime
    used: bool = False


@dataclass(kw_only=True)
class Fault:
    """A fault of the next call of a method ("*": any): answer with a status or error, `hang_up`, or `never` answer.

    With `after`, Slack does what was asked nevertheless; with `late`, it does so once the caller has given up. With
    `until`, it answers as usual, or with its `error`, but not before that event is set.
    """

    method: str = "*"
    status: int = 200
    error: str = ""
    retry_after: int | None = None
    hang_up: bool = False
    never: bool = False
    after: bool = False
    late: bool = False
    until: Event | None = None
    channel: str = ""

"""The addresses outside that hear what happens in a movement: what they hear, how they know us, and when they fail."""

import re
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_bytes
from typing import NewType
from urllib.parse import urlsplit

from bot.domain.delivery import RETRY_DEADLINE, Delivery, new_delivery_id
from bot.domain.ids import new_id
from bot.domain.movement import MovementId
from bot.domain.person import PersonId, Workspace, WorkspaceId

WebhookId = NewType("WebhookId", str)

WEBHOOKS = "webhook"
"""The platform of their lanes: each address has one, so that a slow one holds up no other."""
EVENT_KIND = "webhook_event"
"""The kind of a delivery of an event."""
ENDED_KIND = "webhook_ended"
"""The kind of the message to a coordinator that an address is not called any more."""
MAX_WEBHOOKS = 3
MAX_ADDRESS_CHARS = 300
ENDS_AFTER = timedelta(days=3)
"""How long after the first of nothing but failures an address is not called any more."""
STEPS_TOLD_AT = time(6)
"""When (UTC) the day after it is told that steps were done on a day."""

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
"""A host with more than one label: percent-encoded or other characters are read otherwise by some."""
_LOOKS_LIKE_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""A last label that no name has: some read such a host as a number of IPv4, however it is written."""
_OWN_NAMES = (".local", ".internal", ".localhost", ".home.arpa")
_GLOBAL_UNICAST = ip_network("2000::/3")
"""All of IPv6 that is given out to the open internet; fec0::/10 and the like are none of it."""
_SPECIAL = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocols
            "192.88.99.0/24",  # relays to IPv6
            "2001::/23",  # protocols; 2001::/32 holds numbers of IPv4
            "2002::/16",  # holds numbers of IPv4
            "2001:db8::/32",
            "3fff::/20",  # examples
        ),
    )
)
"""Numbers that are not of some host of the open internet, though they lie within it."""


class MovementEvent(StrEnum):
    """Something that happens in a movement, as addresses outside hear of it: never who did it, and no words."""

    STORY_TOLD = "story_told"
    RHYTHM_POSTED = "rhythm_posted"
    INITIATIVE_BEGUN = "initiative_begun"
    INITIATIVE_ENDED = "initiative_ended"
    STEPS_DONE = "steps_done"

    @property
    def wire_name(self) -> str:
        """Its type in the body: "story.told"."""
        return self.value.replace("_", ".")


TEST_EVENT = "ritme.test"
"""The type of an event that only tries whether an address answers."""


def new_webhook_secret() -> str:
    """Return a new secret to sign with, in the form of Standard Webhooks."""
    return f"whsec_{b64encode(token_bytes(32)).decode()}"


def is_outside_address(url: str) -> bool:
    """Return whether an address may be called at all: by https, at a name or a number that is not of some own network.
    What its name leads to is looked at when it is called."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    is_plain = url.isascii() and url.isprintable() and " " not in url and not parts.fragment
    if parts.scheme != "https" or not is_plain or parts.username is not None or port not in (None, 443):
        return False
    name = host.removesuffix(".")
    try:
        ip_address(name)
    except ValueError:
        is_name = _NAME.fullmatch(name) is not None and not name.endswith(_OWN_NAMES)
        return is_name and _LOOKS_LIKE_NUMBER.fullmatch(name.rpartition(".")[2]) is None
    return name == host and is_open_internet(host)


def is_open_internet(address: str) -> bool:
    """Return whether a number is of the open internet, and of nobody's own network."""
    number = ip_address(address.partition("%")[0])
    if isinstance(number, IPv6Address):
        if number.ipv4_mapped is not None:
            number = number.ipv4_mapped
        elif number not in _GLOBAL_UNICAST:
            return False
    is_special = any(number in network for network in _SPECIAL)
    return number.is_global and not number.is_multicast and not number.is_reserved and not is_special


@dataclass(kw_only=True, eq=False)
class Webhook:
    """An address outside that a movement calls. It belongs to the movement, as its keys do. `sealed` is the secret,
    encrypted. `failing_since`: the first of nothing but failures; `ended_at`: since when it is not called."""

    id: WebhookId
    movement_id: MovementId
    url: str
    sealed: str
    events: list[str] = field(default_factory=list)
    made_by: PersonId | None = None
    made_at: datetime
    failing_since: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def make(
        cls,
        movement: MovementId,
        url: str,
        events: Collection[MovementEvent],
        sealed: str,
        by: PersonId,
        now: datetime,
    ) -> "Webhook":
        """Make one that is called from now on."""
        return cls(
            id=WebhookId(new_id()),
            movement_id=movement,
            url=url,
            sealed=sealed,
            events=[one.value for one in MovementEvent if one in events],
            made_by=by,
            made_at=now,
        )

    @property
    def lane(self) -> WorkspaceId:
        """Its part of the outbox."""
        return WorkspaceId(f"{WEBHOOKS}:{self.id}")

    @property
    def host(self) -> str:
        """The name of its host: what may be shown of it, as the rest of an address may be a secret."""
        return urlsplit(self.url).hostname or ""

    def make_lane(self) -> Workspace:
        """Make its part of the outbox."""
        return Workspace(id=self.lane)

    def hears(self, event: MovementEvent) -> bool:
        """Return whether it is told of an event."""
        return self.ended_at is None and event.value in self.events

    def turn_on(self) -> None:
        """Call it again."""
        self.failing_since = self.ended_at = None

    def note_arrival(self) -> None:
        """Record that it answered as it should."""
        self.failing_since = None

    def note_failure(self, now: datetime, *, for_good: bool) -> bool:
        """Record that it did not, and end it when that is for good or takes too long. Returns whether it ended now."""
        if self.ended_at is not None:
            return False
        self.failing_since = self.failing_since or now
        if for_good or now - self.failing_since >= ENDS_AFTER:
            self.ended_at = now
        return self.ended_at is not None

    def plan_call(
        self, event: str, about: str, occasion: str, now: datetime, due_at: datetime | None = None
    ) -> Delivery:
        """Make the delivery of an event: once for each `occasion`, tried for a day. `about` is the id it is of."""
        due = due_at or now
        return Delivery(
            id=new_delivery_id(),
            workspace_id=self.lane,
            kind=EVENT_KIND,
            subject=self.id,
            args={"event": event, "about": about, "at": now.isoformat()},
            key=f"{EVENT_KIND}:{self.id}:{event}:{occasion}",
            due_at=due,
            expires_at=due + RETRY_DEADLINE,
            created_at=now,
        )

"""Messages about programs outside: the keys by which they read what a movement shows, and the addresses that hear what
happens in it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.domain.api_token import MAX_TOKEN_NAME_CHARS, MAX_TOKENS, Lifetime, Scope
from bot.domain.webhook import MAX_ADDRESS_CHARS, MAX_WEBHOOKS, MovementEvent

_UNTIL = datetime(2028, 2, 28, 8, tzinfo=UTC)
_ADDRESS = "https://ritme.example.org/api/v1"


@dataclass(frozen=True, kw_only=True)
class KeptKey:
    """A key as the list shows it: what it opens, until when, and when it last read. `by`: who made it, where their name
    may be read."""

    id: str
    name: str
    scopes: tuple[str, ...]
    until: datetime
    used_on: date | None = None
    by: str = ""
    ended: bool = False


class ApiKeys(Entry):
    """The keys to a movement. Coordinators make and revoke them; others read what they open. `revoked`: one just
    was."""

    name: str
    address: str
    keys: tuple[KeptKey, ...] = ()
    coordinates: bool = False
    revoked: bool = False

    def buttons(self) -> tuple[Press, ...]:
        if not self.coordinates:
            return ()
        make = (
            (Press(name="make", intent="api.new", style="primary", form=True),) if len(self.keys) < MAX_TOKENS else ()
        )
        return (
            *make,
            *(
                Press(name=f"revoke_{number}", intent="api.revoke", args={"token": one.id}, style="danger")
                for number, one in enumerate(self.keys[:MAX_TOKENS], 1)
            ),
        )

    @classmethod
    def example(cls) -> Self:
        website = KeptKey(
            id="k1",
            name="Website",
            scopes=(Scope.PURPOSE.value, Scope.STORIES.value),
            until=_UNTIL,
            used_on=date(2027, 3, 1),
            by="Iris",
        )
        return cls(name="Samen op pad", address=_ADDRESS, keys=(website,), coordinates=True)


class ApiUnserved(Entry):
    """That programs cannot read along here, and what would make it possible. `reachable`: others reach us, but a key
    cannot be kept safe until it is in a chat."""

    name: str
    reachable: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")


class ApiKeyForm(FormEntry):
    """The form for a new key: what it is for, what it opens and how long."""

    intent: ClassVar[str] = "api.make"
    opener: ClassVar[str] = "api.new"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="name", max_length=MAX_TOKEN_NAME_CHARS),
        Ask(name="opens", kind="choices", options=tuple(Scope)),
        Ask(name="lasts", kind="choice", options=tuple(Lifetime)),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"opens": (Scope.PURPOSE.value, Scope.STORIES.value), "lasts": Lifetime.YEAR.value})


class ApiKeyMade(Entry):
    """A new key, shown this once."""

    secrets: ClassVar[tuple[str, ...]] = ("key",)
    id: str
    name: str
    key: str
    scopes: tuple[str, ...]
    until: datetime
    address: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="revoke", intent="api.revoke", args={"token": self.id}, style="danger"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="k1",
            name="Website",
            key="ritme_Yb3q0vQx7mJt5cWn2LkR8sAeUdZf1hGoPiT4uXwB6yM",
            scopes=(Scope.PURPOSE.value, Scope.STORIES.value),
            until=_UNTIL,
            address=_ADDRESS,
        )


@dataclass(frozen=True, kw_only=True)
class CalledAddress:
    """An address as the list shows it: its host, what it hears, and since when it fails. `ended`: it is not called."""

    id: str
    host: str
    events: tuple[str, ...]
    failing_since: datetime | None = None
    ended: bool = False


class WebhooksShown(Entry):
    """The addresses outside that hear what happens in a movement. `news` tells what was just done: "tested", "on" or
    "removed"."""

    name: str
    addresses: tuple[CalledAddress, ...] = ()
    news: str = ""

    def buttons(self) -> tuple[Press, ...]:
        more = len(self.addresses) < MAX_WEBHOOKS
        add = (Press(name="add", intent="webhook.new", style="primary", form=True),) if more else ()
        each: list[Press] = []
        for number, one in enumerate(self.addresses[:MAX_WEBHOOKS], 1):
            about = {"webhook": one.id}
            intent = "webhook.on" if one.ended else "webhook.test"
            each.append(Press(name=f"{'on' if one.ended else 'test'}_{number}", intent=intent, args=about))
            each.append(Press(name=f"remove_{number}", intent="webhook.remove", args=about, style="danger"))
        return (*add, *each)

    @classmethod
    def example(cls) -> Self:
        site = CalledAddress(
            id="w1", host="site.example.org", events=("story_told",), failing_since=datetime(2027, 3, 1, 8, tzinfo=UTC)
        )
        return cls(name="Samen op pad", addresses=(site,))


class WebhookUnserved(Entry):
    """That no address can be called here, and what would make it possible."""

    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")


class WebhookForm(FormEntry):
    """The form for an address, and what it hears."""

    intent: ClassVar[str] = "webhook.save"
    opener: ClassVar[str] = "webhook.new"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="address", max_length=MAX_ADDRESS_CHARS),
        Ask(name="events", kind="choices", options=tuple(MovementEvent)),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"events": (MovementEvent.STORY_TOLD.value,)})


class WebhookMade(Entry):
    """An address that is called from now on, and the secret by which it knows us, shown this once."""

    secrets: ClassVar[tuple[str, ...]] = ("secret",)
    id: str
    host: str
    secret: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"webhook": self.id}
        return (
            Press(name="test", intent="webhook.test", args=about, style="primary"),
            Press(name="remove", intent="webhook.remove", args=about, style="danger"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(id="w1", host="site.example.org", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # noqa: S106


class WebhookEnded(Entry):
    """That an address is not called any more, since it failed all the time since a moment."""

    id: str
    host: str
    since: datetime

    def buttons(self) -> tuple[Press, ...]:
        about = {"webhook": self.id}
        return (
            Press(name="on", intent="webhook.on", args=about, style="primary"),
            Press(name="remove", intent="webhook.remove", args=about, style="danger"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(id="w1", host="site.example.org", since=datetime(2027, 2, 25, 8, tzinfo=UTC))

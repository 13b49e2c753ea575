"""An address outside hears what happens in a movement, signed, again when it does not answer, and nobody's words."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web
from multidict import CIMultiDict
from sqlalchemy import text

from adapters.vault import SecretVault
from adapters.webhooks import WebhookMessenger
from bot.chat import Post, PostedEvent
from bot.domain.movement import Role
from bot.domain.person import PersonId
from bot.domain.webhook import MovementEvent, is_open_internet, is_outside_address
from bot.ports import Platform, Unreachable
from tests.support.vault import VAULT_KEY
from tests.support.world import MOVEMENT, World, button_of, open_world, text_of

ADDRESS = "https://site.example.org/ritme"


@dataclass
class Receiver:
    """A program outside that is called: what came, and how it answers."""

    url: str = ""
    calls: list[tuple[CIMultiDict[str], bytes]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    status: int = 204

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((CIMultiDict(request.headers), await request.read()))
        return self.answers.pop(0) if self.answers else web.Response(status=self.status)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver, app = Receiver(), web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ritme"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as fresh:
        yield fresh


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as fresh:
        await fresh.movement("fatima", "jan", "noor", "wim", "bo")
        messenger = WebhookMessenger(
            SecretVault((VAULT_KEY,)), fresh.clock, allows=lambda _: True, accepts=lambda _: True
        )
        fresh.ritme._platforms["webhook"] = Platform(messenger=messenger)  # type: ignore[index]
        try:
            yield fresh
        finally:
            await messenger.close()


async def add_address(world: World, receiver: Receiver | None, *events: MovementEvent, number: int = 0) -> str:
    """Add an address in chat, which then leads to the receiver; return its secret."""
    form = await world.press("iris", await world.type("iris", "/ritme webhook"), "add")
    made = await world.submit("iris", form, address=f"{ADDRESS}{number}", events=events or tuple(MovementEvent))
    if receiver is not None:
        async with world.begin() as work:
            (*_, hook) = await work.outside.webhooks(MOVEMENT)
            hook.url = receiver.url
    return next(word for word in text_of(made).split() if word.startswith("whsec_"))


async def tell(world: World, words: str = "We liepen.", readers: str = "everyone") -> str:
    """Tell a story, and return its id."""
    said = await world.do("fatima", "story.save", text=words, named="with", readers=readers)
    return button_of(said, "change").args["story"]


async def test_an_address_hears_what_happens_and_nothing_else(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver)
    for readers in ("thread", "movement"):
        await tell(world, readers=readers)
    story = await tell(world)
    made = await world.do("fatima", "initiative.save", args={"name": "Samen eten", "description": "Aan tafel"})
    initiative = button_of(made, "close").args["initiative"]
    await world.do("fatima", "initiative.close", initiative=initiative)
    assert [(one["type"], one["data"]) for one in receiver.bodies] == [
        ("story.told", {"story_id": story}),
        ("initiative.begun", {"initiative_id": initiative}),
        ("initiative.ended", {"initiative_id": initiative}),
    ]
    everything = str(receiver.calls).casefold()
    for secret in ("liepen", "fatima", "samen", "tafel", "general"):
        assert secret not in everything


async def test_a_rhythm_that_came_is_heard(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver, MovementEvent.RHYTHM_POSTED)
    weekly = {"kind": "stories", "place": "general", "every": "1", "weekdays": ("TU",), "at": "10:00"}
    await world.do("iris", "rhythm.save", args={**weekly, "on_holiday": "skip"})
    await world.pass_(days=2)
    async with world.begin() as work:
        (rhythm,) = await work.rhythms.of_movement(MOVEMENT)
    assert [(one["type"], one["data"]) for one in receiver.bodies] == [("rhythm.posted", {"rhythm_id": rhythm.id})]


async def test_steps_are_heard_the_day_after_once_and_only_of_five_or_more(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver, MovementEvent.STEPS_DONE)
    for who in ("fatima", "jan"):
        planned = await world.do(who, "step.save", args={"cue": "het rustig is", "action": "bel ik", **STEP})
        await world.do(who, "step.done", args=button_of(planned, "let_go").args)
    assert receiver.calls == []
    await world.pass_(days=2)
    assert receiver.bodies == [{"type": "steps.done", "timestamp": "2027-03-01T00:00:00+00:00", "data": {}}]
    async with world.begin() as work:
        for who in ("noor", "wim"):
            member = await work.movements.membership(MOVEMENT, PersonId(who))
            assert member is not None
            await work.delete(member)
    planned = await world.do("fatima", "step.save", args={"cue": "het kan", "action": "loop ik", **STEP})
    await world.do("fatima", "step.done", args=button_of(planned, "let_go").args)
    await world.pass_(days=2)
    assert len(receiver.calls) == 1


STEP = {"day": "2027-03-08", "at": "09:00", "on_my_own": "yes"}


async def test_a_call_is_signed_as_the_library_of_others_verifies_it(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await add_address(world, receiver)
    await tell(world)
    ((headers, body),) = receiver.calls

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return world.clock.now().astimezone(tz)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Clock)
    verifier = standardwebhooks.Webhook(secret)
    assert verifier.verify(body, dict(headers))["type"] == "story.told"  # type: ignore[index]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifier.verify(body + b" ", dict(headers))
    world.clock.set(world.clock.now() + timedelta(minutes=6))  # replayed later
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifier.verify(body, dict(headers))


async def test_what_was_not_answered_is_repeated_with_the_same_id(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver)
    receiver.answers = [
        web.Response(status=500),
        web.Response(status=302, headers={"Location": f"{receiver.url}-elsewhere"}),
        web.Response(status=429, headers={"Retry-After": "60"}),
    ]
    await tell(world)
    await world.pass_(minutes=10)
    assert len(receiver.calls) == 4
    ids = {headers["webhook-id"] for headers, _ in receiver.calls}
    bodies = {body for _, body in receiver.calls}
    times = [headers["webhook-timestamp"] for headers, _ in receiver.calls]
    assert (len(ids), len(bodies)) == (1, 1)
    assert len(set(times)) > 1
    await world.pass_(hours=3)
    assert len(receiver.calls) == 4


async def test_after_days_of_failure_it_is_called_off_told_once_and_turned_on_again(
    world: World, receiver: Receiver
) -> None:
    async with world.begin() as work:
        jan = await work.movements.membership(MOVEMENT, PersonId("jan"))
        assert jan is not None
        jan.role = Role.COORDINATOR
    await add_address(world, receiver)
    receiver.status = 503
    await tell(world)
    await world.pass_(days=1, hours=1)
    assert "Antwoordt niet sinds" in text_of(await world.type("iris", "/ritme webhook"))
    tried = len(receiver.calls)
    await world.pass_(days=1)
    assert len(receiver.calls) == tried  # a call is tried for a day
    assert not [one for one in world.private("iris") if "site" in str(one.message)]
    await world.pass_(days=1)
    await tell(world, "Nog een.")
    await world.pass_(hours=2)
    told = {who: [one for one in world.private(who) if "niet meer aan" in str(one.message)] for who in ("iris", "jan")}
    assert {who: len(found) for who, found in told.items()} == {"iris": 1, "jan": 1}
    assert not [one for one in world.private("fatima") if "niet meer aan" in str(one.message)]
    before, receiver.status = len(receiver.calls), 204
    await tell(world, "En nog een.")
    assert len(receiver.calls) == before
    said = await world.press("iris", told["iris"][0], "on", channel=None)
    assert "weer aan" in text_of(said)
    assert [one["type"] for one in receiver.bodies[before:]] == ["ritme.test"]
    story = await tell(world, "Weer een.")
    assert receiver.bodies[-1]["data"] == {"story_id": story}


async def test_an_address_that_says_it_is_gone_is_called_off_at_once(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver)
    receiver.answers = [web.Response(status=410)]
    await tell(world)
    assert "Staat uit" in text_of(await world.type("iris", "/ritme webhook"))
    await tell(world, "Nog een.")
    assert len(receiver.calls) == 1


async def test_a_story_taken_back_before_it_was_heard_is_not_told(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver)
    receiver.answers = [web.Response(status=500)]
    story = await tell(world)
    await world.do("fatima", "story.withdraw", story=story)
    await world.pass_(hours=1)
    assert len(receiver.calls) == 1


async def test_an_address_that_was_removed_hears_nothing_more(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver)
    receiver.answers = [web.Response(status=500)]
    await tell(world)
    said = await world.press("iris", await world.type("iris", "/ritme webhook"), "remove_1")
    assert "Weggehaald" in text_of(said)
    await tell(world, "Nog een.")
    await world.pass_(days=1)
    assert len(receiver.calls) == 1


async def test_a_test_is_sent_and_one_address_does_not_hold_up_another(world: World, receiver: Receiver) -> None:
    async with receiving() as other:
        await add_address(world, receiver)
        await add_address(world, other, number=2)
        receiver.status = 500
        await tell(world)
        assert len(other.calls) == 1
        shown = await world.type("iris", "/ritme webhook")
        async with world.begin() as work:
            second = [one.url for one in await work.outside.webhooks(MOVEMENT)].index(other.url) + 1
        await world.press("iris", shown, f"test_{second}")
        assert [one["type"] for one in other.bodies] == ["story.told", "ritme.test"]


async def test_the_secret_is_shown_once_and_kept_encrypted(world: World) -> None:
    secret = await add_address(world, None)
    assert secret not in text_of(await world.type("iris", "/ritme webhook"))
    async with world.database.connect() as connection:
        for table in ("webhooks", "deliveries", "inbox", "coordinator_changes"):
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            assert secret not in str(rows)


async def test_a_secret_on_its_way_is_sealed_and_arrives_as_it_is(world: World) -> None:
    sent: list[str] = []
    for name, args in (
        ("webhook.save", {"address": ADDRESS, "events": ("story_told",)}),
        ("api.make", {"name": "Website", "opens": ("purpose",), "lasts": "year"}),
    ):
        await world.ritme.handle(world.intent("iris", name, args, channel=None, answerable=False))
        async with world.database.connect() as connection:
            stored = str((await connection.execute(text("SELECT args FROM deliveries"))).all())
        assert "whsec_" not in stored
        assert "ritme_" not in stored
        await world.drain()
        sent.append(text_of(world.private("iris")[-1]))
    assert "whsec_" in sent[0]
    assert "ritme_" in sent[1]


@pytest.mark.parametrize("path", ["123456782", "mevrouw-Bos", "kamer12"])
async def test_an_address_lies_nowhere_but_where_it_is_called(world: World, path: str) -> None:
    form = await world.press("iris", await world.type("iris", "/ritme webhook"), "add")
    address = f"https://site.example.org/Mevrouw.Bos/{path}"
    made = await world.submit("iris", form, address=address, events=("story_told",))
    assert "whsec_" in text_of(made)
    async with world.database.connect() as connection:
        for table in ("held_words", "deliveries", "inbox"):
            assert path not in str((await connection.execute(text(f"SELECT * FROM {table}"))).all())


async def test_no_more_addresses_than_fit_and_only_those_outside(world: World) -> None:
    for number in range(3):
        await add_address(world, None, number=number)
    shown = await world.type("iris", "/ritme webhook")
    assert "add" not in [one.name for one in shown.message.buttons]  # type: ignore[union-attr]
    assert "drie adressen" in text_of(await world.do("iris", "webhook.new"))
    said = await world.do("iris", "webhook.save", address="http://site.example.org", events=("story_told",))
    assert "https://" in text_of(said)
    assert "Dat kan alleen" in text_of(await world.type("fatima", "/ritme webhook"))


async def test_without_a_key_the_chat_says_what_to_set(world: World) -> None:
    world.ritme._vault = None
    for name in ("webhook", "webhook.new", "webhook.save", "api.new", "api.make"):
        assert "RITME_SECRET_KEY" in text_of(await world.do("iris", name))


@pytest.mark.parametrize(
    "url",
    [
        "http://site.example.org/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://site.internal/",
        "https://printer.local/",
        "https://user:pass@site.example.org/",
        "https://site.example.org:8443/",
        "https://site.example.org:x/",
        "https://",
        "https:///x",
        "ftp://site.example.org/",
        "https://site.example.org/#x",
        "https://site.example.org/ x",
        "javascript:alert(1)",
        "https://127.1/",
        "https://10.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f.0.0.0x1/",
        "https://127.0.0.1./",
        "https://93.184.216.34./",
        "https://127.0.0.%31/",
        "https://127.0.0.1\\.example.org/",
        "https://[fec0::1]/",
        "https://site.internal./",
        "https://router.home.arpa/",
        "https://localhost./",
    ],
)
def test_an_address_of_an_own_network_is_not_taken(url: str) -> None:
    assert not is_outside_address(url)
    assert is_outside_address(ADDRESS)


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("::7f00:1", False),
        ("fec0::1", False),
        ("192.88.99.1", False),
        ("192.0.0.8", False),
        ("192.0.0.9", False),
        ("3fff::1", False),
        ("2001:db8::1", False),
        ("5f00::1", False),
    ],
)
def test_only_numbers_of_the_open_internet_are_called(number: str, may: bool) -> None:
    assert is_open_internet(number) == may


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_where_a_name_leads_is_looked_at_when_it_is_called(world: World, receiver: Receiver, host: str) -> None:
    vault = SecretVault((VAULT_KEY,))
    sealed = vault.seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    url = receiver.url.replace("127.0.0.1", host)
    event = PostedEvent(id="msg_1", url=url, sealed=sealed, body=b"{}")
    messenger = WebhookMessenger(vault, world.clock, accepts=lambda _: True)
    try:
        with pytest.raises(Unreachable):
            await messenger.send(Post(delivery="d", workspace="webhook:w", event=event))
    finally:
        await messenger.close()
    assert receiver.calls == []


async def test_an_address_waits_while_its_secret_cannot_be_read(world: World, receiver: Receiver) -> None:
    await add_address(world, receiver)
    async with world.begin() as work:
        (hook,) = await work.outside.webhooks(MOVEMENT)
        sealed, hook.sealed = hook.sealed, "gAAAA-of-another-key"
    story = await tell(world)
    await world.pass_(hours=5)
    assert receiver.calls == []
    async with world.begin() as work:
        (hook,) = await work.outside.webhooks(MOVEMENT)
        assert (hook.ended_at, hook.failing_since) == (None, None)
        hook.sealed = sealed  # whoever runs it put the key back
    await world.pass_(hours=2)
    assert [one["data"] for one in receiver.bodies] == [{"story_id": story}]

"""Conversation references of Teams, shared by several processes: what one stores, others use within a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from adapters.clock import SettableClock
from adapters.database.inline import InlineSession
from adapters.database.sqlite import InlineWriter
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.teams.inbound import RedeliveryNeeded, TeamsInbound
from adapters.teams.payloads import ActivityPayload, read_activity
from adapters.teams.references import Conversation, ConversationReferences
from adapters.teams.signer import Signer
from bot.chat import Answer, Intent, Message, Reply
from tests.support.databases import postgresql
from tests.support.world import MONDAY

LANE = "teams:00000000-0000-0000-0000-00000000feed"
CHANNEL = Conversation(
    workspace_id=LANE, channel="19:team@thread.tacv2", service_url="https://emea.example/", bot="28:app", team="19:team"
)
MINUTE = timedelta(minutes=1)


@dataclass
class TwoProcesses:
    """Two processes over one database."""

    web: ConversationReferences
    worker: ConversationReferences
    clock: SettableClock
    begin: Any

    def advance(self, time: timedelta) -> None:
        self.clock.set(self.clock.now() + time)


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[TwoProcesses]:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    clock, kept = SettableClock(MONDAY, running=False), SqlConversations(database)
    yield TwoProcesses(
        web=ConversationReferences(kept, clock),
        worker=ConversationReferences(kept, clock),
        clock=clock,
        begin=unit_of_work(database).begin,
    )
    await database.dispose()


async def lookup(who: ConversationReferences) -> Conversation | None:
    return await who.find(LANE, CHANNEL.channel)


async def test_a_worker_uses_within_a_minute_what_a_web_process_stored(processes: TwoProcesses) -> None:
    await processes.web.record(CHANNEL)
    assert await lookup(processes.worker) == CHANNEL
    moved = replace(CHANNEL, service_url="https://amer.example/", hears="yes")
    await processes.web.record(moved)
    processes.advance(MINUTE)
    assert await lookup(processes.worker) == moved


async def test_what_one_process_stored_no_other_overwrites(processes: TwoProcesses) -> None:
    await processes.web.record(CHANNEL)
    assert await lookup(processes.worker) == CHANNEL
    await processes.web.record(replace(CHANNEL, hears="yes"))
    await processes.worker.record(replace(CHANNEL, service_url="https://amer.example/"))
    processes.advance(MINUTE)
    for who in (processes.web, processes.worker):
        assert await lookup(who) == replace(CHANNEL, service_url="https://amer.example/", hears="yes")


class SilentCore:
    """A core that answers nothing."""

    async def handle(self, intent: Intent) -> Reply:
        return None


async def test_taken_out_and_put_back_through_different_processes_it_is_known(processes: TwoProcesses) -> None:
    one, other = (
        TeamsInbound(SilentCore(), who, Signer("secret"), processes.clock) for who in (processes.web, processes.worker)
    )
    activity = {
        "type": "installationUpdate",
        "serviceUrl": CHANNEL.service_url,
        "recipient": {"id": CHANNEL.bot},
        "conversation": {"id": CHANNEL.channel, "conversationType": "channel"},
        "channelData": {"tenant": {"id": LANE.partition(":")[2]}, "team": {"id": CHANNEL.team}},
    }
    for told, by in (("add", one), ("add", other), ("remove", one), ("add", other)):
        await by.receive(read_activity({**activity, "action": told}))
    assert await lookup(processes.web) == CHANNEL


class KeepingCore:
    """A core whose turn ends with a commit, or else with a rollback after what was kept beside it."""

    def __init__(self, begin: Any, *, commits: bool = True) -> None:
        self._begin = begin
        self._commits = commits
        self.acted = 0

    async def handle(self, intent: Intent) -> Reply:
        if intent.beside is None:
            return None
        try:
            async with self._begin() as work:
                if not await intent.beside(work):
                    return None
                self.acted += 1
                if not self._commits:
                    raise ValueError("broken")
        except ValueError:
            text = Message(paragraphs=())
            return Answer(message=text, reference="abc")
        return None


def spoken_by(who: str, at: datetime | None = None) -> ActivityPayload:
    return read_activity(
        {
            "type": "message",
            "timestamp": at.isoformat() if at is not None else "",
            "id": "1",
            "text": "vast",
            "serviceUrl": CHANNEL.service_url,
            "from": {"id": f"29:{who}", "aadObjectId": who},
            "recipient": {"id": CHANNEL.bot},
            "conversation": {"id": f"a:{who}", "conversationType": "personal"},
            "channelData": {"tenant": {"id": LANE.partition(":")[2]}},
        }
    )


async def test_where_a_turn_was_spoken_is_kept_in_its_own_transaction(
    processes: TwoProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbound = TeamsInbound(KeepingCore(processes.begin), processes.web, Signer("secret"), processes.clock)
    transaction, begun = InlineWriter.begin, list[InlineWriter]()

    def begin(writer: InlineWriter) -> AbstractAsyncContextManager[InlineSession]:
        begun.append(writer)
        return transaction(writer)

    monkeypatch.setattr(InlineWriter, "begin", begin)
    await inbound.receive(spoken_by("jan"))
    assert len(begun) == 1
    for who in (processes.web, processes.worker):
        chat = await who.find_by_person(LANE, "jan")
        assert chat is not None
        assert (chat.channel, chat.member) == ("a:jan", "29:jan")
    asked = list[str]()
    note = event.listens_for(Engine, "before_cursor_execute")(lambda *about: asked.append(about[2]))
    try:
        await inbound.receive(spoken_by("jan"))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    begins, looks, *_ = asked
    assert (begins, looks.split()[0]) == ("BEGIN IMMEDIATE", "SELECT")
    assert len(asked) == 2  # whether we were removed from there, and that nothing is new


async def test_what_was_spoken_before_a_removal_is_neither_acted_on_nor_kept(processes: TwoProcesses) -> None:
    """Whichever process heard of the removal."""
    jan = replace(CHANNEL, channel="a:jan", team="", account="jan", member="29:jan")
    await processes.worker.record_removal(jan, processes.clock.now())
    core = KeepingCore(processes.begin)
    inbound = TeamsInbound(core, processes.web, Signer("secret"), processes.clock)
    for when in (-MINUTE, timedelta(0)):
        await inbound.receive(spoken_by("jan", processes.clock.now() + when))
    assert core.acted == 0
    assert await processes.web.find_by_person(LANE, "jan") is None
    await inbound.receive(spoken_by("jan", processes.clock.now() + MINUTE))
    assert core.acted == 1
    assert await processes.web.find_by_person(LANE, "jan") is not None


async def test_where_a_turn_was_spoken_is_kept_when_the_turn_breaks(processes: TwoProcesses) -> None:
    """Else nobody could be told of it."""
    broken = KeepingCore(processes.begin, commits=False)
    inbound = TeamsInbound(broken, processes.web, Signer("secret"), processes.clock)
    with pytest.raises(RedeliveryNeeded):
        await inbound.receive(spoken_by("jan"))
    for who in (processes.web, processes.worker):
        assert await who.find_by_person(LANE, "jan") is not None


async def test_where_a_turn_was_spoken_is_kept_when_it_says_nothing_to_us(processes: TwoProcesses) -> None:
    inbound = TeamsInbound(SilentCore(), processes.web, Signer("secret"), processes.clock)
    await inbound.receive(spoken_by("jan"))
    assert await processes.worker.find_by_person(LANE, "jan") is not None


async def test_a_chat_that_another_process_heard_of_is_used_within_a_minute(processes: TwoProcesses) -> None:
    jan = replace(CHANNEL, channel="a:jan", team="", account="jan", member="29:jan")
    await processes.web.record(jan)
    moved = replace(jan, service_url="https://amer.example/")
    await processes.worker.record(moved)
    processes.advance(MINUTE)
    assert await processes.web.find_by_person(LANE, "jan") == moved


async def test_concurrent_saves_of_one_conversation_succeed() -> None:
    with postgresql() as url:
        databases = [connect(url) for _ in range(2)]
        every = [SqlConversations(database) for database in databases for _ in range(3)]
        await asyncio.gather(*(kept.save(asdict(CHANNEL)) for kept in every))
        assert await every[0].get(LANE, CHANNEL.channel) == asdict(CHANNEL)
        for database in databases:
            await database.dispose()


async def test_someone_forgotten_can_be_met_again(processes: TwoProcesses) -> None:
    jan = replace(CHANNEL, account="jan", member="29:jan")
    for who in (processes.web, processes.worker):
        await who.record_member(jan)
    await processes.web.forget(LANE, "29:jan")
    processes.advance(MINUTE)
    await processes.worker.record_member(jan)
    found = await processes.web.find_by_person(LANE, "jan")
    assert found is not None
    assert found.member == "29:jan"

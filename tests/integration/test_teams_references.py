"""Where Teams reaches whom, as several processes know it: what one of them hears, the others go by within a minute."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.clock import DialClock
from adapters.database.tables import metadata
from adapters.database.teams import SqlConversations
from adapters.database.unit_of_work import connect
from adapters.teams.inbound import Inbound
from adapters.teams.references import Conversation, References
from adapters.teams.signer import Signer
from bot.chat import Intent, Reply
from tests.support.databases import postgresql
from tests.support.world import MONDAY

LANE = "teams:00000000-0000-0000-0000-00000000feed"
CHANNEL = Conversation(
    workspace_id=LANE, channel="19:team@thread.tacv2", service_url="https://emea.example/", bot="28:app", team="19:team"
)
MINUTE = timedelta(minutes=1)


@dataclass
class Here:
    """Two processes over one database."""

    web: References
    worker: References
    clock: DialClock

    def pass_(self, time: timedelta) -> None:
        self.clock.set(self.clock.now() + time)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    clock, kept = DialClock(MONDAY, running=False), SqlConversations(database)
    yield Here(web=References(kept, clock), worker=References(kept, clock), clock=clock)
    await database.dispose()


async def known_to(who: References) -> Conversation | None:
    return await who.of(LANE, CHANNEL.channel)


async def test_a_worker_hears_within_a_minute_what_a_web_process_was_told(here: Here) -> None:
    await here.web.note(CHANNEL)
    assert await known_to(here.worker) == CHANNEL
    moved = replace(CHANNEL, service_url="https://amer.example/", hears="yes")
    await here.web.note(moved)
    here.pass_(MINUTE)
    assert await known_to(here.worker) == moved


async def test_what_one_process_learned_no_other_forgets(here: Here) -> None:
    await here.web.note(CHANNEL)
    assert await known_to(here.worker) == CHANNEL
    await here.web.note(replace(CHANNEL, hears="yes"))
    await here.worker.note(replace(CHANNEL, service_url="https://amer.example/"))
    here.pass_(MINUTE)
    for who in (here.web, here.worker):
        assert await known_to(who) == replace(CHANNEL, service_url="https://amer.example/", hears="yes")


class Nobody:
    """A core to which nothing matters."""

    async def handle(self, intent: Intent) -> Reply:
        return None


async def test_taken_out_and_put_back_through_different_processes_it_is_known(here: Here) -> None:
    one, other = (Inbound(Nobody(), who, Signer("secret")) for who in (here.web, here.worker))
    activity = {
        "type": "installationUpdate",
        "serviceUrl": CHANNEL.service_url,
        "recipient": {"id": CHANNEL.bot},
        "conversation": {"id": CHANNEL.channel, "conversationType": "channel"},
        "channelData": {"tenant": {"id": LANE.partition(":")[2]}, "team": {"id": CHANNEL.team}},
    }
    for told, by in (("add", one), ("add", other), ("remove", one), ("add", other)):
        await by.receive({**activity, "action": told})
    assert await known_to(here.web) == CHANNEL


async def test_told_of_a_place_by_several_at_once_none_of_them_stumbles() -> None:
    with postgresql() as url:
        databases = [connect(url) for _ in range(2)]
        every = [SqlConversations(database) for database in databases for _ in range(3)]
        await asyncio.gather(*(kept.save(asdict(CHANNEL)) for kept in every))
        assert await every[0].get(LANE, CHANNEL.channel) == asdict(CHANNEL)
        for database in databases:
            await database.dispose()


async def test_someone_forgotten_can_be_met_again(here: Here) -> None:
    jan = replace(CHANNEL, account="jan", member="29:jan")
    for who in (here.web, here.worker):
        await who.meet(jan)
    await here.web.forget(LANE, "29:jan")
    here.pass_(MINUTE)
    await here.worker.meet(jan)
    found = await here.web.with_person(LANE, "jan")
    assert found is not None
    assert found.member == "29:jan"

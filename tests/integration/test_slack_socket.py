"""Socket Mode: whatever happens to the connection, what people do is acted upon once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from adapters.bootstrap import open_service
from adapters.database.migrate import migrate
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.settings import BadSettings, Settings
from adapters.slack import SlackPlatform
from adapters.web import make_app
from bot.app import Ritme
from bot.ports import Platform
from tests.drivers.slack import LANE, SlackStage, slack_stage
from tests.fakes.slack.server import TOKEN
from tests.fakes.slack.sockets import APP_TOKEN
from tests.fakes.slack.state import Shown


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with slack_stage(tmp_path, socket=True, ping_every=0.1) as stage:
        await stage.movement("fatima", "jan")
        yield stage


async def stuck(here: SlackStage, who: str = "fatima") -> str:
    shown = await here.type(who, "/vast Niemand komt")
    assert isinstance(shown, Shown)
    return shown.words()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what another task does in real time."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def count(here: SlackStage, table: str) -> int:
    async with here.database.begin() as connection:
        return int((await connection.exec_driver_sql(f"select count(*) from {table}")).scalar_one())


@asynccontextmanager
async def second_process(here: SlackStage) -> AsyncIterator[tuple[Ritme, SlackPlatform]]:
    """Another Ritme over the same database, with a connection of its own."""
    database = connect(str(here.database.url))
    platform = SlackPlatform(
        token=TOKEN, app_token=APP_TOKEN, api_url=here.slack.api_url, clock=here.clock, ping_every=0.1
    )
    ritme = Ritme(
        begin=unit_of_work(database),
        platforms={"slack": Platform(messenger=platform.messenger, directory=platform.directory)},
        clock=here.clock,
        engine=here.kept.engine,
    )
    platform.mount(web.Application(), ritme)
    await platform.start()
    await here.slack.sockets.connected(2)
    try:
        yield ritme, platform
    finally:
        await platform.hush()
        await platform.close()
        await database.dispose()


@pytest.mark.parametrize("how", ["refresh", "cut"])
async def test_a_connection_that_goes_is_replaced_by_another(here: SlackStage, how: str) -> None:
    sockets = here.slack.sockets
    (first,) = sockets.open
    await (sockets.disconnect(first) if how == "refresh" else sockets.cut(first))
    await until(lambda: bool(sockets.open) and sockets.open[0] is not first)
    assert "fatima" not in await stuck(here)
    assert await count(here, "stuck_episodes") == 1


async def test_what_is_not_acknowledged_is_brought_again_and_acted_upon_once(here: SlackStage) -> None:
    fatima = here.user("fatima")
    await here.people.say(fatima, here.slack.chat_of(fatima).id, "vast Niemand komt")
    assert await count(here, "stuck_episodes") == 1
    status, _ = await here.people.again()
    assert status == 200
    assert await count(here, "stuck_episodes") == 1


async def test_two_processes_share_the_work_and_do_nothing_twice(here: SlackStage) -> None:
    async with second_process(here) as (other, _):
        for who in ("fatima", "jan"):
            await here.type(who, "/vast Niemand komt")
        first, second = here.slack.sockets.open
        assert first.received
        assert second.received
        fatima = here.user("fatima")
        await here.people.say(fatima, here.slack.chat_of(fatima).id, "kans De soep is gratis")
        await here.people.again()
        assert await count(here, "chances") == 1
        await other.recover()
        await asyncio.gather(here.ritme.plan(), other.plan(), here.drain(), other.drain(LANE))
        assert len([one for one in here.private("fatima") if "soep" in one.words() or "kans" in one.words()]) <= 1


async def test_when_it_stops_what_came_in_is_answered_first(here: SlackStage) -> None:
    socket = here.platform._socket
    assert socket is not None
    async with here.begin():  # every writer waits for this
        asked = asyncio.create_task(
            here.people.command(here.user("fatima"), here.channel("general"), "/vast Niemand komt")
        )
        await until(lambda: bool(socket._under_way))
        stopping = asyncio.create_task(here.platform.hush())
        await asyncio.sleep(0)
        assert not stopping.done()
    assert isinstance(await asked, Shown)
    await stopping
    await until(lambda: here.slack.sockets.open == [])
    assert await count(here, "stuck_episodes") == 1


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope"])
async def test_a_refused_app_token_stops_the_start_and_names_the_cure(tmp_path: Path, error: str) -> None:
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(slack_stage(tmp_path))
        stage.slack.sockets.refuses = error
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'served.db'}",
            slack_app_token=APP_TOKEN,
            slack_bot_token=TOKEN,
            slack_api_url=stage.slack.api_url,
        )
        service = await open_service(settings)
        await migrate(service.database)
        await service.start()
        make_app(parts=service.parts, ready=service.ready)
        with pytest.raises(BadSettings, match=f"SLACK_APP_TOKEN is refused by Slack \\({error}\\)"):
            await service.open()
        await service.close()


async def test_slack_away_at_the_start_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.socket.AGAIN", 0.01)
    async with slack_stage(tmp_path) as stage:
        stage.slack.sockets.refuses = "internal_error"
        async with AsyncExitStack() as stack:
            platform = SlackPlatform(token=TOKEN, app_token=APP_TOKEN, api_url=stage.slack.api_url, clock=stage.clock)
            platform.mount(web.Application(), stage.ritme)
            stack.push_async_callback(platform.close)
            stack.push_async_callback(platform.hush)
            await platform.start()
            assert stage.slack.sockets.open == []
            stage.slack.sockets.refuses = ""
            await stage.slack.sockets.connected(1)

"""Socket Mode: lost connections are replaced, and repeated requests are handled once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from adapters.bootstrap import open_service
from adapters.database.migrate import migrate_schema
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.settings import BadSettings, Settings
from adapters.slack.platform import SlackPlatform
from adapters.web import make_app
from bot.app import Ritme
from tests.drivers.slack import LANE, SlackDriver, slack_driver
from tests.fakes.slack.server import TOKEN
from tests.fakes.slack.sockets import APP_TOKEN
from tests.fakes.slack.state import Json, Shown


@pytest.fixture
async def over_socket(tmp_path: Path) -> AsyncIterator[SlackDriver]:
    async with slack_driver(tmp_path, socket=True, ping_every=0.5) as driver:
        await driver.movement("fatima", "jan")
        yield driver


async def report_stuck(over_socket: SlackDriver, who: str = "fatima") -> str:
    shown = await over_socket.type(who, "/vast Niemand komt")
    assert isinstance(shown, Shown)
    return shown.words()


async def until(condition: Callable[[], bool]) -> None:
    """Poll until `condition` is true, for effects of another task in real time."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def count_rows(over_socket: SlackDriver, table: str) -> int:
    async with over_socket.database.begin() as connection:
        return int((await connection.exec_driver_sql(f"select count(*) from {table}")).scalar_one())


@asynccontextmanager
async def second_process(over_socket: SlackDriver) -> AsyncIterator[tuple[Ritme, SlackPlatform]]:
    """Start another Ritme over the same database, with a connection of its own."""
    database = connect(str(over_socket.database.url))
    platform = SlackPlatform(
        token=TOKEN, app_token=APP_TOKEN, api_url=over_socket.slack.api_url, clock=over_socket.clock, ping_every=0.5
    )
    ritme = Ritme(
        transact=unit_of_work(database),
        platforms={"slack": platform.ports},
        clock=over_socket.clock,
        engine=over_socket.storage.engine,
    )
    platform.mount(web.Application(), ritme)
    await platform.start()
    await over_socket.slack.sockets.wait_for_connections(2)
    try:
        yield ritme, platform
    finally:
        await platform.stop_receiving()
        await platform.close()
        await database.dispose()


@pytest.mark.parametrize("how", ["refresh", "cut"])
async def test_a_connection_that_goes_is_replaced_once(over_socket: SlackDriver, how: str) -> None:
    sockets = over_socket.slack.sockets
    (first,) = sockets.open
    await (sockets.disconnect(first) if how == "refresh" else sockets.cut(first))
    await until(lambda: bool(sockets.open) and sockets.open[0] is not first)
    (second,) = sockets.open
    assert "fatima" not in await report_stuck(over_socket)
    assert await count_rows(over_socket, "stuck_episodes") == 1
    assert sockets.open == [second]
    assert sockets.connections == 2


async def test_an_unacknowledged_request_is_redelivered_and_handled_once(over_socket: SlackDriver) -> None:
    fatima = over_socket.user("fatima")
    await over_socket.people.say(fatima, over_socket.slack.chat_of(fatima).id, "vast Niemand komt")
    assert await count_rows(over_socket, "stuck_episodes") == 1
    status, _ = await over_socket.people.redeliver_latest()
    assert status == 200
    assert await count_rows(over_socket, "stuck_episodes") == 1


async def test_two_processes_share_the_work_and_do_nothing_twice(over_socket: SlackDriver) -> None:
    async with second_process(over_socket) as (other, _):
        for who in ("fatima", "jan"):
            await over_socket.type(who, "/vast Niemand komt")
        first, second = over_socket.slack.sockets.open
        assert first.received
        assert second.received
        fatima = over_socket.user("fatima")
        await over_socket.people.say(fatima, over_socket.slack.chat_of(fatima).id, "kans De soep is gratis")
        await over_socket.people.redeliver_latest()
        assert await count_rows(over_socket, "chances") == 1
        await other.recover()
        await asyncio.gather(over_socket.ritme.plan(), other.plan(), over_socket.drain(), other.drain(LANE))
        assert (
            len([one for one in over_socket.private("fatima") if "soep" in one.words() or "kans" in one.words()]) <= 1
        )


async def test_when_it_stops_what_came_in_is_answered_first(over_socket: SlackDriver) -> None:
    socket = over_socket.platform._socket
    assert socket is not None
    async with over_socket.begin():  # every writer waits for this
        asked = asyncio.create_task(
            over_socket.people.command(over_socket.user("fatima"), over_socket.channel("general"), "/vast Niemand komt")
        )
        await until(lambda: bool(socket._in_flight))
        stopping = asyncio.create_task(over_socket.platform.stop_receiving())
        await asyncio.sleep(0)
        assert not stopping.done()
    assert isinstance(await asked, Shown)
    await stopping
    await until(lambda: over_socket.slack.sockets.open == [])
    assert await count_rows(over_socket, "stuck_episodes") == 1


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("events_api", {"type": "event_callback", "team_id": "T1", "event": {"type": "message", "text": "De Vries"}}),
        ("interactive", {"type": "view_submission", "user": [], "view": "De Vries"}),
        ("slash_commands", {"command": "/stuck", "text": "De Vries"}),
    ],
)
async def test_what_is_malformed_is_acknowledged_and_logged_without_its_words(
    over_socket: SlackDriver, kind: str, payload: Json
) -> None:
    with structlog.testing.capture_logs() as logged:
        status, _ = await over_socket.slack.sockets.deliver(kind, payload)
    assert status == 200
    assert [one["kind"] for one in logged if one["event"] == "slack_request_malformed"] == [kind]
    assert "Vries" not in str(logged)


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope"])
async def test_a_refused_app_token_stops_the_start_and_names_the_cure(tmp_path: Path, error: str) -> None:
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(slack_driver(tmp_path))
        driver.slack.sockets.refuses = error
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'served.db'}",
            slack_app_token=APP_TOKEN,
            slack_bot_token=TOKEN,
            slack_api_url=driver.slack.api_url,
        )
        service = await open_service(settings)
        await migrate_schema(service.database)
        await service.start()
        make_app(mounts=service.mounts)
        with pytest.raises(BadSettings, match=f"SLACK_APP_TOKEN is refused by Slack \\({error}\\)"):
            await service.open()
        await service.close()


async def test_slack_unavailable_at_the_start_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.socket.RECONNECT_DELAY", 0.01)
    async with slack_driver(tmp_path) as driver:
        driver.slack.sockets.refuses = "internal_error"
        async with AsyncExitStack() as stack:
            platform = SlackPlatform(token=TOKEN, app_token=APP_TOKEN, api_url=driver.slack.api_url, clock=driver.clock)
            platform.mount(web.Application(), driver.ritme)
            stack.push_async_callback(platform.close)
            stack.push_async_callback(platform.stop_receiving)
            await platform.start()
            assert driver.slack.sockets.open == []
            driver.slack.sockets.refuses = ""
            await driver.slack.sockets.wait_for_connections(1)

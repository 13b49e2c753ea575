"""The whole service, as `ritme serve` starts it from settings, on the real clock."""

from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from adapters.bootstrap import open_service
from adapters.database.migrate import migrate_schema
from adapters.settings import Settings
from adapters.web import make_app
from tests.fakes.slack.people import SECRET, People
from tests.fakes.slack.server import TOKEN, SlackServer
from tests.fakes.slack.state import Modal


async def test_a_movement_begins(tmp_path: Path) -> None:
    async with SlackServer(lambda: datetime.now(UTC)).running() as slack, aiohttp.ClientSession() as session:
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'ritme.db'}",
            slack_signing_secret=SECRET,
            slack_bot_token=TOKEN,
            slack_api_url=slack.api_url,
        )
        service = await open_service(settings)
        await migrate_schema(service.database)
        await service.start()
        runner = web.AppRunner(make_app(mounts=service.mounts), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        people = People(server=slack, session=session, bot_url=f"{address}/slack/events", forbids_calls=False)
        iris = slack.add_user("Iris").id
        channel = slack.add_channel("wijkteam", iris)
        try:
            async with session.get(f"{address}/healthz") as health:
                assert health.status == 200
            form = await people.command(iris, channel.id, "/ritme start")
            assert isinstance(form, Modal)
            assert await people.submit(iris, form, name="Samen op pad", vision="Iedereen loopt mee") is None
            await service.engine.run_until_idle()
        finally:
            await runner.cleanup()
            await service.close()
        assert any("Samen op pad" in one.words() for one in slack.visible(channel.id, iris))
        assert slack.problems == []

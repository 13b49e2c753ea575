"""Serve botbuilder's own echo bot, as its samples make it: deserialise every turn, answer through its connector.

Usage: python -m benchmarks.echo PORT
"""

import asyncio
import sys

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity
from botframework.connector.auth import BotFrameworkAuthenticationFactory


class Adapter(CloudAdapterBase):
    """botbuilder's own adapter, unchanged."""


async def main(port: int) -> None:
    """Serve until killed, on `/teams/messages`."""
    adapter = Adapter(BotFrameworkAuthenticationFactory.create())

    async def echo(context: TurnContext) -> None:
        await context.send_activity(f"Echo: {context.activity.text}")

    async def serve(request: web.Request) -> web.Response:
        activity = Activity().deserialize(await request.json())
        await adapter.process_activity(request.headers.get("Authorization", ""), activity, echo)
        return web.Response(status=202)

    async def well(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/teams/messages", serve)
    app.router.add_get("/healthz", well)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

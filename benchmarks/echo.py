"""Serve botbuilder's own echo bot, as its samples make it: check the token, answer through its connector.

It asks nobody for a token of its own, which spares it a blocking fetch every turn. With `repaired`, the list of 500
status codes that msrest scans twice a turn is the set it could have been.

Usage: python -m benchmarks.echo PORT METADATA_URL [repaired]
"""

import asyncio
import sys
from typing import Any

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity
from botframework.connector.auth import (
    BotFrameworkAuthenticationFactory,
    ChannelValidation,
    MicrosoftAppCredentials,
    PasswordServiceClientCredentialFactory,
)
from msrest.universal_http.requests import ClientRetryPolicy

from benchmarks.microsoft import APP, serve_turns


class Adapter(CloudAdapterBase):  # type: ignore[misc]  # botbuilder has no types
    """botbuilder's own adapter, unchanged."""


class NoToken(PasswordServiceClientCredentialFactory):  # type: ignore[misc]
    """Knows who the bot is, and asks for no token to answer with."""

    async def create_credentials(self, *_args: Any, **_named: Any) -> Any:
        return MicrosoftAppCredentials.empty()


async def main(port: int, metadata: str, *, repaired: bool) -> None:
    """Serve until killed, on `/teams/messages`."""
    ChannelValidation.open_id_metadata_endpoint = metadata
    if repaired:
        ClientRetryPolicy.safe_codes = frozenset(ClientRetryPolicy.safe_codes)
    adapter = Adapter(BotFrameworkAuthenticationFactory.create(credential_factory=NoToken(APP, "bench")))

    async def echo(context: TurnContext) -> None:
        await context.send_activity(f"Echo: {context.activity.text}")

    async def serve(request: web.Request) -> web.Response:
        activity = Activity().deserialize(await request.json())
        await adapter.process_activity(request.headers.get("Authorization", ""), activity, echo)
        return web.Response(status=202)

    await serve_turns(serve, port)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], repaired="repaired" in sys.argv[3:]))

"""Serve the least a durable Slack app can do: check the signature, insert one row, commit, answer.

The row goes through SQLAlchemy and aiosqlite, or psycopg. With `inline`, on aiosqlite connections that skip its thread;
with a Web API address, over Socket Mode.

Usage: python -m benchmarks.bare sqlite+aiosqlite:///FILE|postgresql+psycopg://… PORT [inline] [http://…/api/]
"""

import asyncio
import sys
from contextlib import nullcontext
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Column, Integer, MetaData, String, Table, event, insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.database.postgresql import BESIDE, TRANSACTIONS
from adapters.database.unit_of_work import connect
from benchmarks.load import SECRET

rows = Table("rows", MetaData(), Column("id", Integer, primary_key=True), Column("text", String))


def plain(url: str) -> AsyncEngine:
    """Return an engine as SQLAlchemy makes it: on PostgreSQL with as many connections as Ritme has, on SQLite with
    its pragmas."""
    if url.startswith("postgresql"):
        return create_async_engine(url, pool_size=TRANSACTIONS + BESIDE, max_overflow=0)
    engine = create_async_engine(url, connect_args={"isolation_level": None, "timeout": 10})

    def prepare(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


async def main(url: str, port: int, *, inline: bool, api: str) -> None:
    """Serve until killed, on `/slack/events` and, with `api`, over Socket Mode."""
    engine = connect(url) if inline else plain(url)
    # On SQLite one writer at a time, as in Ritme.
    turn = asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()
    async with engine.begin() as connection:
        await connection.run_sync(rows.metadata.create_all)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-bare")

    client = AsyncWebClient(base_url=api) if api else None
    bolt = AsyncApp(signing_secret=SECRET, authorize=authorize, process_before_response=True, client=client)

    @bolt.command("/stuck")
    async def stuck(ack: AsyncAck, command: dict[str, Any]) -> None:
        async with turn, engine.begin() as connection:
            await connection.execute(insert(rows), {"text": command["text"]})
        await ack("Noted.")

    async def serve(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    async def healthz(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/slack/events", serve)
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    if api:
        await AsyncSocketModeHandler(bolt, "xapp-bare").connect_async()
    await asyncio.Event().wait()


if __name__ == "__main__":
    api = next((one for one in sys.argv[3:] if one.startswith("http")), "")
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), inline="inline" in sys.argv[3:], api=api))

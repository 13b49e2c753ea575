"""Serve the least a durable Teams bot can do: check the token, insert one row, commit, await the answer's arrival.

The row goes through sqlite3 in the event loop, or with `sqlalchemy` through SQLAlchemy and aiosqlite.

Usage: python -m benchmarks.teams_bare FILE PORT METADATA_URL [sqlalchemy]
"""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import aiohttp
import jwt
from aiohttp import web
from sqlalchemy import insert

from benchmarks.bare import plain, rows
from benchmarks.microsoft import APP, ISSUER, serve_turns

Insert = Callable[[str], Awaitable[None]]


async def plain_insert(file: str) -> Insert:
    """Return what inserts by sqlite3."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE rows (text TEXT)")

    async def add(text: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows VALUES (?)", (text,))
        connection.execute("COMMIT")

    return add


async def sqlalchemy_insert(file: str) -> Insert:
    """Return what inserts by SQLAlchemy and aiosqlite, one writer at a time."""
    engine, turn = plain(f"sqlite+aiosqlite:///{file}"), asyncio.Lock()
    async with engine.begin() as connection:
        await connection.run_sync(rows.metadata.create_all)

    async def add(text: str) -> None:
        async with turn, engine.begin() as connection:
            await connection.execute(insert(rows), {"text": text})

    return add


async def main(file: str, port: int, metadata: str, *, sqlalchemy: bool) -> None:
    """Serve until killed, on `/teams/messages`."""
    add = await (sqlalchemy_insert if sqlalchemy else plain_insert)(file)
    async with aiohttp.ClientSession() as session:
        async with session.get(metadata) as found:
            keys_url = (await found.json())["jwks_uri"]
        async with session.get(keys_url) as found:
            keys = {one["kid"]: jwt.PyJWK(one, algorithm="RS256") for one in (await found.json())["keys"]}

        async def serve(request: web.Request) -> web.Response:
            token = request.headers["Authorization"].partition(" ")[2]
            key = keys[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, algorithms=["RS256"], audience=APP, issuer=ISSUER)
            activity = await request.json()
            await add(activity["text"])
            where = quote(activity["conversation"]["id"], safe="")
            url = f"{activity['serviceUrl']}/v3/conversations/{where}/activities"
            async with session.post(url, json={"type": "message", "text": "Noted."}) as answer:
                await answer.read()
            return web.Response(status=202)

        await serve_turns(serve, port)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sqlalchemy="sqlalchemy" in sys.argv[4:]))

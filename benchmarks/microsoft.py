"""Stand in for Microsoft on this machine: sign activities, serve the keys that check them, and take the answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://api.botframework.com"
APP = "00000000-0000-0000-0000-00000000b071"
METADATA_PATH = "/metadata"
_KEY_ID = "bench"


class Microsoft:
    """Serves OpenID metadata, keys and access tokens at `identity`, and the connector at `connector`.

    `answers` holds who waits for an answer, by conversation.
    """

    def __init__(self) -> None:
        self.identity = ""
        self.connector = ""
        self.answers: dict[str, asyncio.Event] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Microsoft"]:
        """Serve until the block ends."""
        app = web.Application()
        app.router.add_get(METADATA_PATH, self._serve_metadata)
        app.router.add_get("/keys", self._serve_keys)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._serve_token)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.identity = f"http://127.0.0.1:{runner.addresses[0][1]}"
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.connector = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            await runner.cleanup()

    def sign(self, number: int) -> str:
        """Return a token as the Bot Framework sends one: valid for an hour."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": APP, "nbf": now - 60, "exp": now + 3600, "serviceurl": self.connector}
        return jwt.encode({**claims, "jti": str(number)}, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    async def _serve_metadata(self, _: web.Request) -> web.Response:
        return web.json_response({"jwks_uri": f"{self.identity}/keys"})

    async def _serve_keys(self, _: web.Request) -> web.Response:
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return web.json_response({"keys": [{**public, "kid": _KEY_ID, "endorsements": ["msteams"]}]})

    async def _serve_token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": "bench", "expires_in": 3600})

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take every answer over one connection. By hand: what takes the answers must not be what is measured."""
        answer = b'{"id":"1","name":"Iemand","userRole":"user"}'
        head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, body = await read_message(reader)
                writer.write(head.encode() + answer)
                parts = first.split(" ")[1].split("/")
                waits = self.answers.get(unquote(parts[3])) if len(parts) > 3 and body else None
                if waits is not None:
                    waits.set()
        writer.close()


async def read_message(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Read one HTTP message. Returns its first line and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next((int(one[15:]) for one in lines if one.lower().startswith(b"content-length:")), 0)
    return lines[0].decode(), await reader.readexactly(length)


async def serve_turns(serve: Callable[[web.Request], Awaitable[web.Response]], port: int) -> None:
    """Serve turns, and whether it is well, until it is killed."""

    async def well(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/teams/messages", serve)
    app.router.add_get("/healthz", well)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()

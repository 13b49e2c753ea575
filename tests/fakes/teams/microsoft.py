"""Microsoft's side of proving who one is: signing keys, tokens for us, and a connector that answers as it is told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

Json = dict[str, Any]


@dataclass(kw_only=True)
class Fault:
    """What the next call is answered with, instead of being done; with `after`, it is done all the same."""

    status: int = 500
    code: str = ""
    retry_after: str = ""
    hang_up: bool = False
    after: bool = False


@dataclass(kw_only=True)
class Microsoft:
    """`now` is its clock; `keys` those it signs with, by id. `refuses` our secret; `away` nobody finds its keys."""

    now: datetime
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    endorsements: list[str] | None = field(default_factory=lambda: ["msteams"])
    url: str = ""
    away: bool = False
    refuses: bool = False
    fetched: int = 0
    given: list[Json] = field(default_factory=list)
    calls: list[tuple[str, str, Json]] = field(default_factory=list)
    """What the connector did: method, path, body."""
    bearers: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def rolls(self, id: str) -> None:
        """A new key takes the place of the others."""
        self.keys = {id: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def token(self, *, key: str = "k1", kid: str = "", algorithm: str = "RS256", **claims: Any) -> str:
        """What Teams would send; `claims` over the right ones, None leaves one out."""
        right = {
            "iss": "https://api.botframework.com",
            "aud": "app",
            "nbf": self.now - timedelta(minutes=1),
            "exp": self.now + timedelta(hours=1),
            "serviceurl": "https://smba.trafficmanager.net/emea/",
        }
        told = {name: value for name, value in {**right, **claims}.items() if value is not None}
        secret: Any = {"none": None, "HS256": "x" * 40}.get(algorithm, self.keys.get(key))
        return jwt.encode(told, secret, algorithm=algorithm, headers={"kid": kid or key})

    async def _metadata(self, request: web.Request) -> web.Response:
        self.fetched += 1
        if self.away:
            return web.Response(status=503)
        return web.json_response({"issuer": "x", "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, request: web.Request) -> web.Response:
        said = []
        for name, key in self.keys.items():
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            marks = {"endorsements": self.endorsements} if self.endorsements is not None else {}
            said.append({**public, "kid": name, "use": "sig", **marks})
        return web.json_response({"keys": said})

    async def _token(self, request: web.Request) -> web.Response:
        asked = dict(await request.post())
        self.given.append({**asked, "path": request.path})
        if self.refuses:
            return web.json_response({"error": "invalid_client"}, status=401)
        return web.json_response({"access_token": f"ours-{len(self.given)}", "expires_in": 3600})

    async def _connector(self, request: web.Request) -> web.StreamResponse:
        self.bearers.add(request.headers.get("Authorization", ""))
        body = await request.json() if request.can_read_body else {}
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or fault.after:
            self.calls.append((request.method, request.rel_url.raw_path.partition("/v3/")[2], body))
        if fault is not None:
            if fault.hang_up:
                assert request.transport is not None
                request.transport.abort()
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return web.json_response({"error": {"code": fault.code}}, status=fault.status, headers=headers)
        if request.path.endswith("/v3/conversations"):
            group = body.get("isGroup")
            made = f"{body['channelData']['channel']['id']};messageid=77" if group else "chat-of-someone"
            return web.json_response({"id": made, **({"activityId": "77"} if group else {})}, status=201)
        return web.json_response({"id": f"m{len(self.calls)}"}, status=201)


@asynccontextmanager
async def microsoft(now: datetime) -> AsyncIterator[Microsoft]:
    there = Microsoft(now=now)
    there.rolls("k1")
    app = web.Application()
    app.router.add_get("/metadata", there._metadata)
    app.router.add_get("/keys", there._keys)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", there._token)
    app.router.add_route("*", "/connector/{rest:.*}", there._connector)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield there
    finally:
        await runner.cleanup()

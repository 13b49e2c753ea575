"""A fake of Microsoft's servers: signing keys, access tokens for us, and a connector that fails as it is told."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]


@dataclass(kw_only=True)
class Fault:
    """The answer to the next call, instead of doing it; with `after`, it is done all the same.

    `code` and `retry_after` are sent with `status`; with `hang_up` the connection is cut without an answer.
    """

    status: int = 500
    code: str = ""
    retry_after: str = ""
    hang_up: bool = False
    after: bool = False


@dataclass(kw_only=True)
class Microsoft:
    """The fake, with what it was asked.

    `now` is its clock; `keys` are those it signs with, by id. `keys_unavailable`: their address answers 503;
    `refuses_secret`: it gives us no token. `key_fetches` counts requests for the keys.
    """

    now: datetime
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    endorsements: list[str] | None = field(default_factory=lambda: ["msteams"])
    url: str = ""
    keys_unavailable: bool = False
    refuses_secret: bool = False
    key_fetches: int = 0
    token_requests: list[Json] = field(default_factory=list)
    absent: dict[str, Fault] = field(default_factory=dict)
    """The answer to who looks up a member, by account; any other member is found."""
    lookups: list[str] = field(default_factory=list)
    """Accounts that were looked up among members, and where: "conversations/<id>/members/<account>"."""
    calls: list[tuple[str, str, Json]] = field(default_factory=list)
    """Calls that the connector did: method, path, body."""
    bearers: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    _may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def roll_keys(self, id: str) -> None:
        """Replace all keys by a new one."""
        self.keys = {id: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def token(self, *, key: str = "k1", kid: str = "", algorithm: str = "RS256", **claims: Any) -> str:
        """Return a token as Teams sends it; `claims` replace the right ones, None leaves one out."""
        right = {
            "iss": "https://api.botframework.com",
            "aud": "app",
            "nbf": self.now - timedelta(minutes=1),
            "exp": self.now + timedelta(hours=1),
            "serviceurl": "https://smba.trafficmanager.net/emea/",
        }
        chosen = {name: value for name, value in {**right, **claims}.items() if value is not None}
        if algorithm == "HS256 with the public key":
            return self._sign_with_public_key(chosen, kid or key)
        secret: Any = {"none": None, "HS256": "x" * 40}.get(algorithm, self.keys.get(key))
        return jwt.encode(chosen, secret, algorithm=algorithm, headers={"kid": kid or key})

    def _sign_with_public_key(self, claims: Json, kid: str) -> str:
        """Sign as somebody would who knows only what is public. By hand: PyJWT refuses to."""
        public = self.keys[kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        unsigned = jwt.encode(claims, "x" * 40, algorithm="HS256", headers={"kid": kid}).rpartition(".")[0]
        mark = hmac.new(public, unsigned.encode(), "sha256").digest()
        return f"{unsigned}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"

    @asynccontextmanager
    async def hanging(self) -> AsyncIterator[None]:
        """Let requests for the keys wait for as long as this lasts."""
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    async def _metadata(self, request: web.Request) -> web.Response:
        self.key_fetches += 1
        await self._may_answer.wait()
        if self.keys_unavailable:
            return web.Response(status=503)
        return web.json_response({"issuer": "x", "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, request: web.Request) -> web.Response:
        published = []
        for name, key in self.keys.items():
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            endorsed = {"endorsements": self.endorsements} if self.endorsements is not None else {}
            published.append({**public, "kid": name, "use": "sig", **endorsed})
        return web.json_response({"keys": published})

    async def _token(self, request: web.Request) -> web.Response:
        asked = dict(await request.post())
        self.token_requests.append({**asked, "path": request.path})
        if self.refuses_secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        return web.json_response({"access_token": f"ours-{len(self.token_requests)}", "expires_in": 3600})

    async def _connector(self, request: web.Request) -> web.StreamResponse:
        self.bearers.add(request.headers.get("Authorization", ""))
        body = await request.json() if request.can_read_body else {}
        where, _, member = request.path.partition("/v3/")[2].rpartition("/members/")
        if request.method == "GET" and where:
            self.lookups.append(f"{where}/members/{member}")
            if missing := self.absent.get(member.removeprefix("29:")):
                return web.json_response({"error": {"code": missing.code}}, status=missing.status)
            return web.json_response({"id": member, "name": member.capitalize()})
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or fault.after:
            self.calls.append((request.method, request.rel_url.raw_path.partition("/v3/")[2], body))
        if fault is not None:
            if fault.hang_up:  # the client sees a dropped connection, and cannot tell whether it was done
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
    """Serve the fake over HTTP on this machine."""
    fake = Microsoft(now=now)
    fake.roll_keys("k1")
    fake._may_answer.set()
    app = web.Application()
    app.router.add_get("/metadata", fake._metadata)
    app.router.add_get("/keys", fake._keys)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", fake._token)
    app.router.add_route("*", "/connector/{rest:.*}", fake._connector)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()

"""Teams' one address: the request is checked, runs through botbuilder's adapter, and is answered as Teams wants it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.core.cloud_adapter_base import CloudAdapterBase
from botbuilder.schema import Activity
from botframework.connector.auth import BotFrameworkAuthentication, ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult
from botframework.connector.auth.connector_factory import ConnectorFactory

from adapters.teams.auth import KeysAway, Refused, TokenValidator
from adapters.teams.cards import written
from adapters.teams.inbound import Broken, InvokeAnswer
from bot.domain.ids import new_id
from bot.ports import StorageUnavailable

PATH = "/teams/messages"
LARGEST = 1_000_000
"""Bytes; what Teams sends stays far below it."""
Receive = Callable[[Mapping[str, Any]], Awaitable[InvokeAnswer | None]]
log = structlog.get_logger("ritme.teams")


class MessagesEndpoint:
    """`receive` is handed every activity that `gate` lets in."""

    def __init__(self, receive: Receive, gate: TokenValidator) -> None:
        self._receive = receive
        self._gate = gate
        self._adapter = _Adapter(_Authentication())

    def mount(self, app: web.Application) -> None:
        app.router.add_post(PATH, self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > LARGEST:
            raise web.HTTPRequestEntityTooLarge(max_size=LARGEST, actual_size=request.content_length or 0)
        try:
            raw = await request.json()
        except ValueError:
            return web.json_response({"error": "unreadable"}, status=400)
        if not _is_activity(raw):
            return web.json_response({"error": "no activity"}, status=400)
        try:
            claims = await self._gate.check(raw, request.headers.get("Authorization", ""))
        except Refused as refused:
            log.warning("teams_refused_request", status=refused.status, reason=refused.reason)
            return web.json_response({"error": "refused"}, status=refused.status)
        except KeysAway:
            return web.json_response({"error": "try again"}, status=503)
        return await self._turned(raw, claims)

    async def _turned(self, raw: Mapping[str, Any], claims: Mapping[str, Any]) -> web.Response:
        answers: list[InvokeAnswer | None] = []

        async def turn(_: TurnContext) -> None:
            answers.append(await self._receive(raw))

        activity = Activity(
            type=raw["type"], channel_id=raw.get("channelId"), service_url=raw.get("serviceUrl"), id=raw.get("id")
        )
        try:
            await self._adapter.process_activity(_known(claims), activity, turn)
        except Broken as broken:
            return web.json_response({"error": broken.reference}, status=503 if broken.unavailable else 500)
        except StorageUnavailable as problem:
            reference = new_id()[:8]
            log.error("storage_unavailable", type=str(raw["type"])[:40], reference=reference, reason=str(problem))
            return web.json_response({"error": reference}, status=503)
        except Exception:
            reference = new_id()[:8]
            log.exception("activity_handle_failed", type=str(raw["type"])[:40], reference=reference)
            return web.json_response({"error": reference}, status=500)
        answer = answers[0] if answers else None
        if answer is None:
            return web.Response(status=202 if raw["type"] != "invoke" else 200)
        if answer.body is None:
            return web.Response(status=answer.status)
        return web.json_response(dict(answer.body), status=answer.status, dumps=written)


def _is_activity(raw: object) -> bool:
    """Whether it has what every activity has."""
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        return False
    said, data, person = raw.get("conversation"), raw.get("channelData"), raw.get("from")
    return (
        isinstance(said, dict)
        and isinstance(said.get("id"), str)
        and isinstance(data or {}, dict)
        and isinstance(person or {}, dict)
    )


def _known(claims: Mapping[str, Any]) -> AuthenticateRequestResult:
    result = AuthenticateRequestResult()
    result.claims_identity = ClaimsIdentity(dict(claims), bool(claims))
    result.audience, result.connector_factory = "", _NoConnector()
    return result


class _NoConnector(ConnectorFactory):  # type: ignore[misc]  # botbuilder has no types
    """botbuilder wants a client of its own for every turn. We send through ours, so this is nothing."""

    async def create(self, service_url: str, audience: str) -> object:
        return self


class _Authentication(BotFrameworkAuthentication):  # type: ignore[misc]
    """Requests are checked by `TokenValidator` before they come here."""

    async def authenticate_request(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        raise NotImplementedError

    async def authenticate_streaming_request(self, auth_header: str, channel_id_header: str) -> Any:
        raise NotImplementedError

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        return _NoConnector()

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        return None


class _Adapter(CloudAdapterBase):  # type: ignore[misc]
    """botbuilder's own, with nothing added: its middleware runs around every turn."""

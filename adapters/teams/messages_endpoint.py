"""Serve the one address that Teams sends to: check a request, run it through botbuilder's adapter, and answer it.

Of botbuilder 4.17.1 `CloudAdapterBase` runs the turn. `CloudAdapter.process`, its HTTP handler, is not used: it answers
500 to every invoke whose answer has a body, which it serialises twice, and to most bad tokens.
"""

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

from adapters.door import BadInput, decode_json, read_body
from adapters.failures import Failure, report_failure
from adapters.teams.apologies import Apologies
from adapters.teams.auth import CHANNEL_ID, KeysUnavailable, TeamsRequestRejected, TokenValidator
from adapters.teams.cards import dump_json
from adapters.teams.inbound import InvokeResponse, RedeliveryNeeded
from adapters.teams.payloads import ActivityPayload, read_activity

MESSAGES_PATH = "/teams/messages"
Receive = Callable[[ActivityPayload], Awaitable[InvokeResponse | None]]
"""Acts on one activity; returns the answer to an invoke."""
log = structlog.get_logger("ritme.teams")


class MessagesEndpoint:
    """Hands every activity that `validator` lets in to `receive`; a bug of ours is told to who waits for an answer."""

    def __init__(self, receive: Receive, validator: TokenValidator, apologies: Apologies) -> None:
        self._receive = receive
        self._apologies = apologies
        self._validator = validator
        self._adapter = _Adapter(_Authentication())

    def mount(self, app: web.Application) -> None:
        """Add the address to the application."""
        app.router.add_post(MESSAGES_PATH, self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            claims = await self._validator.check_token(request.headers.getall("Authorization", []))
            # Only now: what comes from who knows whom is not worth parsing.
            raw = decode_json(await read_body(request))
            if not _is_activity(raw):
                raise BadInput("body: no activity")
            self._validator.check_activity(raw, claims)
        except TeamsRequestRejected as rejected:
            log.warning("teams_refused_request", status=rejected.status, reason=rejected.reason)
            return web.json_response({"error": "refused"}, status=rejected.status)
        except KeysUnavailable:
            return web.json_response({"error": "try again"}, status=503)
        return await self._answer(read_activity(raw), claims)

    async def _answer(self, activity: ActivityPayload, claims: Mapping[str, Any]) -> web.Response:
        """Run the turn; answer 500 or 503 where Teams should deliver the activity again."""
        try:
            response = await self._run_turn(activity, claims)
        except RedeliveryNeeded as needed:
            return await self._fail(activity, Failure(reference=needed.reference, unavailable=needed.unavailable))
        except BadInput:
            raise
        except Exception as problem:  # noqa: BLE001  # `report_failure` logs it
            return await self._fail(
                activity, report_failure("activity_handle_failed", problem, type=activity.type[:40])
            )
        if response is None:
            return web.Response(status=202 if activity.type != "invoke" else 200)
        if response.body is None:
            return web.Response(status=response.status)
        return web.json_response(dict(response.body), status=response.status, dumps=dump_json)

    async def _fail(self, activity: ActivityPayload, failure: Failure) -> web.Response:
        """Answer with a failure. Storage that is away comes back before Teams has delivered the activity again: only of
        a bug the person reads, of whom Teams tells nothing but that something failed."""
        if not failure.unavailable:
            await self._apologies.apologize(activity, failure.reference)
        return web.json_response(failure.body, status=failure.status)

    async def _run_turn(self, told: ActivityPayload, claims: Mapping[str, Any]) -> InvokeResponse | None:
        responses: list[InvokeResponse | None] = []

        async def turn(_: TurnContext) -> None:
            responses.append(await self._receive(told))

        # Only what the adapter itself looks at: everything else is read from our own model.
        activity = Activity(type=told.type, channel_id=CHANNEL_ID, service_url=told.service_url, id=told.id)
        await self._adapter.process_activity(_authentication_result(claims), activity, turn)
        return responses[0] if responses else None


def _is_activity(raw: object) -> bool:
    """Return whether this has what every activity has, in the shape that the rest of the code relies on."""
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        return False
    conversation, data, person = raw.get("conversation"), raw.get("channelData"), raw.get("from")
    return (
        isinstance(conversation, dict)
        and isinstance(conversation.get("id"), str)
        and isinstance(data or {}, dict)
        and isinstance(person or {}, dict)
    )


def _authentication_result(claims: Mapping[str, Any]) -> AuthenticateRequestResult:
    result = AuthenticateRequestResult()
    result.claims_identity = ClaimsIdentity(dict(claims), bool(claims))
    result.audience, result.connector_factory = "", _NoConnector()
    return result


class _NoConnector(ConnectorFactory):  # type: ignore[misc]  # botbuilder has no types
    """Stands for the client that botbuilder wants to make for every turn. We send through our own `Connector`."""

    async def create(self, service_url: str, audience: str) -> object:
        return self


class _Authentication(BotFrameworkAuthentication):  # type: ignore[misc]
    """Authenticates nothing: `TokenValidator` checked the request before it comes here."""

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

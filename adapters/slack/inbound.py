"""Requests from Slack: verified, translated, handed to the core, answered within the request.

A listener does one short transaction and then acknowledges; what goes wrong before that makes Slack deliver the event
again. Nothing is sent over the network on the way, but the opening of a form, whose trigger lives three seconds.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import render, translate, views
from adapters.slack.calls import Calls, Said, team_of
from adapters.slack.tokens import Tokens
from bot import wording
from bot.catalogue.errors import Declined
from bot.chat import Answer, FieldErrors, Form, Intent, Message, Paragraph, Post, Reply, Span
from bot.domain.ids import new_id
from bot.domain.person import Language
from bot.ports import Clock, Messenger, OutcomeUnknown, RetryAfter, StorageUnavailable
from bot.wording import Reader

PATH = "/slack/events"
LARGEST = 1_000_000
"""Bytes; Slack's own requests stay far below it."""
ANY = re.compile("")
GONE = re.compile("^(app_uninstalled|tokens_revoked)$")
log = structlog.get_logger("ritme.slack")


class Core(Protocol):
    """What Slack asks of the core: Ritme."""

    async def handle(self, intent: Intent) -> Reply: ...
    async def workspace_uninstalled(self, workspace: str, reason: str) -> None:
        """Ritme may not speak there any more."""

    async def workspace_installed(self, workspace: str, name: str) -> None:
        """Ritme may speak there (again)."""


class Uninstalls(Protocol):
    async def forget(self, team: str, before: datetime) -> bool: ...


class Inbound:
    """What Slack tells us, over HTTP or a socket. `messenger` says what no request can be answered with; `uninstalls`
    lets go of the tokens of who removed the app."""

    def __init__(
        self,
        core: Core,
        *,
        calls: Calls,
        tokens: Tokens,
        messenger: Messenger,
        clock: Clock,
        uninstalls: Uninstalls | None = None,
    ) -> None:
        self._core = core
        self._calls = calls
        self._tokens = tokens
        self._messenger = messenger
        self._clock = clock
        self._uninstalls = uninstalls
        self._saying: set[asyncio.Task[None]] = set()
        self._bolt = _bolt()
        self._bolt.event(GONE)(self._on_gone)
        self._bolt.command(ANY)(self._on_command)
        self._bolt.event(ANY)(self._on_event)
        self._bolt.action({"type": "block_actions", "action_id": ANY})(self._on_press)
        self._bolt.shortcut(ANY)(self._on_shortcut)
        self._bolt.view_submission(ANY)(self._on_submission)
        self._bolt.view_closed(ANY)(_on_nothing)

    def mount(self, app: web.Application, signing_secret: str) -> None:
        """Adds Slack's one address to the application."""
        verifier = SignatureVerifier(signing_secret)

        async def serve(request: web.Request) -> web.Response:
            return await self._serve(request, verifier)

        app.router.add_post(PATH, serve)

    async def _serve(self, request: web.Request, verifier: SignatureVerifier) -> web.Response:
        if (request.content_length or 0) > LARGEST:
            raise web.HTTPRequestEntityTooLarge(max_size=LARGEST, actual_size=request.content_length or 0)
        raw = await request.read()
        if not _is_from_slack(verifier, raw, request.headers):
            log.warning("slack_refused_request", bytes=len(raw))
            return web.json_response({"error": "invalid request"}, status=401)
        try:
            asked = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(request.headers))
        except ValueError:
            return web.json_response({"error": "unreadable"}, status=400)
        return await to_aiohttp_response(await self.answer(asked))

    async def answer(self, asked: AsyncBoltRequest) -> BoltResponse:
        """What to answer a request that is from Slack; 200 without a word to what is not for us."""
        if not _concerns_us(asked.body):
            log.info("slack_ignored", type=str(asked.body.get("type"))[:40])
            return BoltResponse(status=200)
        if (team := translate.team_of(asked.body)) and not await self._is_ours(team):
            log.warning("slack_unknown_workspace", workspace=team[:40])
            return BoltResponse(status=200)
        return await self._bolt.async_dispatch(asked)

    async def _is_ours(self, team: str) -> bool:
        """Whether this workspace has us; while storage is away, Slack's own signature has to do: the core, which finds
        it away as well, has words for who asks."""
        try:
            return await self._tokens.knows(team)
        except StorageUnavailable:
            return True

    # -- what each kind of request is answered with -----------------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        intent = translate.command(body)
        reply = await self._core.handle(intent)
        if isinstance(reply, Form) and not await self._opened(reply, intent, body):
            reply = self._too_late(reply)
        said = _said(reply)
        if said is None:
            await ack()
        else:
            await ack(response_type="ephemeral", text=render.fallback(said), blocks=render.blocks(said))

    async def _on_press(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        if body["actions"][0].get("type") != "button":
            await ack()
            return
        intent = translate.press(body)
        reply = await self._core.handle(intent)
        if isinstance(reply, Form) and not await self._opened(reply, intent, body):
            reply = self._too_late(reply)
        self._say(reply, intent)
        await ack()

    async def _on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        intent = translate.shortcut(body)
        reply = await self._core.handle(intent)
        if isinstance(reply, Form) and not await self._opened(reply, intent, body):
            reply = self._too_late(reply)
        self._say(reply, intent)
        await ack()

    async def _on_submission(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        intent = translate.submission(body)
        match await self._core.handle(intent):
            case FieldErrors() as errors:
                await ack(response_action="errors", errors=views.beside(errors, body["view"]))
            case Form() as form:
                await ack(response_action="update", view=views.modal(form, translate.origin(intent)))
            case Answer() as answer:
                await ack(response_action="push", view=views.notice(answer.message))
            case None:
                await ack()

    async def _on_event(self, ack: AsyncAck, body: dict[str, Any]) -> BoltResponse | None:
        intent = translate.event(body)
        if intent is not None:
            reply = await self._core.handle(intent)
            if isinstance(reply, Answer) and reply.reference is not None:
                return BoltResponse(
                    status=503 if reply.unavailable else 500
                )  # nothing was done: Slack delivers it again
            self._say(reply, intent)
        await ack()
        return None

    async def _on_gone(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The app was removed, or its token taken back. Told late, after a new install, it means nothing any more."""
        event, team = body["event"], body["team_id"]
        if event["type"] == "app_uninstalled" or (event.get("tokens") or {}).get("bot"):
            at = datetime.fromtimestamp(body["event_time"], UTC)
            if self._uninstalls is None or await self._uninstalls.forget(team, at):
                await self._core.workspace_uninstalled(translate.workspace(team), "not_allowed")
        await ack()

    # -- the few things said over the network, inside a request -----------------------------------------------------

    async def _opened(self, form: Form, intent: Intent, body: Mapping[str, Any]) -> bool:
        """Whether the form could be opened; not so when its trigger, which lives three seconds, was too old."""
        try:
            view = views.modal(form, translate.origin(intent))
            team = team_of(intent.actor.workspace)
            await self._calls(team, "views.open", trigger_id=body["trigger_id"], view=view)
        except Said as said:
            log.warning("slack_form_not_opened", form=form.intent, error=said.code)
            return False
        except (OutcomeUnknown, RetryAfter) as problem:
            log.warning("slack_form_not_opened", form=form.intent, error=type(problem).__name__)
            return False
        return True

    def _too_late(self, form: Form) -> Answer:
        reader = Reader(language=Language(form.language), timezone="UTC", now=self._clock.now())
        return Answer(message=wording.message(Declined(reason="form_late"), reader))

    def _say(self, reply: Reply, intent: Intent) -> None:
        """What could not go through the outbox, to the one who acted; Slack's answer does not wait for it."""
        said = _said(reply)
        if said is None:
            return
        place = intent.place
        post = Post(
            delivery=new_id(),
            workspace=place.workspace,
            channel=None if place.personal else place.channel,
            account=intent.actor.id,
            thread=intent.thread,
            message=said,
        )
        saying = asyncio.create_task(self._send(post, intent.name), name="slack answer")
        self._saying.add(saying)
        saying.add_done_callback(self._saying.discard)

    async def _send(self, post: Post, about: str) -> None:
        try:
            await self._messenger.send(post)
        except Exception:
            log.exception("slack_answer_lost", intent=about)

    async def close(self) -> None:
        """Lets the last answers be said."""
        if self._saying:
            await asyncio.wait(self._saying)


def _is_from_slack(verifier: SignatureVerifier, raw: bytes, headers: Mapping[str, str]) -> bool:
    """Over the bytes as they came, before anything in them is read. False as well for what cannot be a signature
    or a time, or is older than five minutes."""
    try:
        return verifier.is_valid_request(raw, headers)
    except (ValueError, TypeError):
        return False


def _bolt() -> AsyncApp:
    """Bolt that only routes: we verify before it parses, look up tokens when we call, and know ourselves."""
    # Its warnings quote what people wrote; and it sets the level of the logger called like the app, so not like ours.
    quiet = logging.getLogger("slack_bolt.ritme")
    quiet.setLevel(logging.ERROR)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

    return AsyncApp(
        name=quiet.name,
        logger=quiet,
        client=AsyncWebClient(retry_handlers=[]),  # it makes no calls
        signing_secret="",  # checked before it sees a request
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )


async def _on_nothing(ack: AsyncAck) -> None:
    """A form closed without sending it: nothing happened."""
    await ack()


def _concerns_us(body: Mapping[str, Any]) -> bool:
    """Whether a listener of ours takes it. Anything else is answered 200: Slack counts a 404 as a failure of ours."""
    if "command" in body:
        return True
    match body.get("type"):
        case "event_callback":
            return isinstance(body.get("event"), dict) and "type" in body["event"]
        case "block_actions":
            return bool(body.get("actions"))
        case "shortcut" | "message_action":
            return "trigger_id" in body
        case kind:
            return kind in ("url_verification", "view_submission", "view_closed")


def _said(reply: Reply) -> Message | None:
    """A reply as a message; sentences beside fields, where there are no fields, as paragraphs."""
    match reply:
        case Answer(message=message):
            return message
        case FieldErrors(errors=errors):
            return Message(paragraphs=tuple(Paragraph(spans=(Span(text=one),)) for one in errors.values()))
    return None

"""Verify requests from Slack, translate them to intents, hand them to the core and answer within the request.

A listener does one short transaction and then acknowledges; what goes wrong before that makes Slack deliver the event
again. It calls nothing over the network in between, except to open a form, whose trigger lives three seconds.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from aiohttp import web
from multidict import CIMultiDictProxy
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from adapters.door import BadInput, read_body
from adapters.slack import events, render, translate, views
from adapters.slack.tokens import TokenSource
from adapters.slack.web_api import SlackApi, SlackApiRefusal, slack_team
from bot import wording
from bot.catalogue.errors import Declined
from bot.chat import Answer, FieldErrors, Form, Intent, Message, Paragraph, Post, Reply, Span
from bot.domain.ids import new_id
from bot.domain.person import Language
from bot.ports import Clock, Messenger, OutcomeUnknown, RetryAfter, StorageUnavailable
from bot.wording import Reader

EVENTS_PATH = "/slack/events"
_TIMESTAMP, _SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
ANY_NAME = re.compile("")
"""Matches every command, event, action or callback id, so that one listener takes all of its kind."""
APP_REMOVED_EVENTS = re.compile("^(app_uninstalled|tokens_revoked)$")
log = structlog.get_logger("ritme.slack")


class SlackCore(Protocol):
    """The core, as Slack's adapter calls it; implemented by `bot.app.Ritme`."""

    async def handle(self, intent: Intent) -> Reply:
        """Act on an intent and return the reply."""

    async def workspace_uninstalled(self, workspace: str) -> None:
        """Stop sending to a workspace."""

    async def workspace_installed(self, workspace: str, name: str) -> None:
        """Start sending to a workspace, or send there again."""


class InstallRemover(Protocol):
    """Storage of the installs, as needed when a workspace removes the app."""

    async def remove_install(self, team: str, before: datetime) -> bool:
        """Delete a team's install if it was made before that moment; return whether it was."""


class SlackInbound:
    """Answers Slack's requests, however they come in: over HTTP (`mount`) or Socket Mode (`answer`).

    `messenger` sends replies that do not fit in the answer to a request; `installs` is where the tokens of workspaces
    that remove the app are deleted, None when there is one token from the environment.
    """

    def __init__(
        self,
        core: SlackCore,
        *,
        api: SlackApi,
        tokens: TokenSource,
        messenger: Messenger,
        clock: Clock,
        installs: InstallRemover | None = None,
    ) -> None:
        self._core = core
        self._api = api
        self._tokens = tokens
        self._messenger = messenger
        self._clock = clock
        self._installs = installs
        self._sends: set[asyncio.Task[None]] = set()
        self._bolt = _bolt()
        # Bolt calls the first listener that matches, so this one goes before that of all events.
        self._bolt.event(APP_REMOVED_EVENTS)(self._on_removal)
        self._bolt.command(ANY_NAME)(self._on_command)
        self._bolt.event(ANY_NAME)(self._on_event)
        self._bolt.action({"type": "block_actions", "action_id": ANY_NAME})(self._on_press)
        self._bolt.shortcut(ANY_NAME)(self._on_shortcut)
        self._bolt.view_submission(ANY_NAME)(self._on_submission)
        self._bolt.view_closed(ANY_NAME)(_acknowledge)

    def mount(self, app: web.Application, signing_secret: str) -> None:
        """Add the route of all of Slack's requests to the application."""
        verifier = SignatureVerifier(signing_secret)

        async def serve(request: web.Request) -> web.Response:
            return await self._serve(request, verifier)

        app.router.add_post(EVENTS_PATH, serve)

    async def _serve(self, request: web.Request, verifier: SignatureVerifier) -> web.Response:
        raw = await read_body(request)
        if not _is_from_slack(verifier, raw, request.headers):
            log.warning("slack_refused_request", bytes=len(raw))
            return web.json_response({"error": "invalid request"}, status=401)
        try:
            parsed = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(request.headers))
        except (ValueError, RecursionError):
            raise BadInput("body: unreadable") from None
        return await to_aiohttp_response(await self.answer(parsed))

    async def answer(self, request: AsyncBoltRequest) -> BoltResponse:
        """Answer a request that is known to be from Slack; with an empty 200 if no listener or install is concerned."""
        if not _has_listener(request.body):
            log.info("slack_ignored", type=str(request.body.get("type"))[:40])
            return BoltResponse(status=200)
        if (team := translate.payload_team(request.body)) and not await self._is_ours(team):
            log.warning("slack_unknown_workspace", workspace=team[:40])
            return BoltResponse(status=200)
        return await self._bolt.async_dispatch(request)

    async def _is_ours(self, team: str) -> bool:
        """Return whether the app is installed in this workspace."""
        try:
            return await self._tokens.is_installed(team)
        except StorageUnavailable:
            # Slack's signature has to do. The core will find storage unavailable too, and tells the person so.
            return True

    # -- the listeners, one per kind of request ---------------------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        intent = translate.translate_command(body)
        message = _as_message(await self._handle_and_open_form(intent, body))
        if message is None:
            await ack()
        else:
            text, blocks = render.notification_text(message), render.render_blocks(message)
            await ack(response_type="ephemeral", text=text, blocks=blocks)

    async def _on_press(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        if body["actions"][0].get("type") != "button":
            await ack()
            return
        intent = translate.translate_block_action(body)
        self._send_privately(await self._handle_and_open_form(intent, body), intent)
        await ack()

    async def _on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        intent = translate.translate_shortcut(body)
        self._send_privately(await self._handle_and_open_form(intent, body), intent)
        await ack()

    async def _on_submission(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        intent = translate.translate_view_submission(body)
        match await self._core.handle(intent):
            case FieldErrors() as errors:
                await ack(response_action="errors", errors=views.errors_by_block(errors, body["view"]))
            case Form() as form:
                await ack(response_action="update", view=views.render_modal(form, translate.view_origin(intent)))
            case Answer() as answer:
                await ack(response_action="push", view=views.render_notice_view(answer.message))
            case None:
                await ack()

    async def _on_event(self, ack: AsyncAck, body: dict[str, Any]) -> BoltResponse | None:
        intent = events.translate_event(body)
        if intent is not None:
            reply = await self._core.handle(intent)
            if isinstance(reply, Answer) and reply.reference is not None:
                # Nothing was done; on anything but a 200 Slack delivers the event again.
                return BoltResponse(status=503 if reply.unavailable else 500)
            self._send_privately(reply, intent)
        await ack()
        return None

    async def _on_removal(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Forget a workspace that removed the app or revoked its token, unless it was installed again since then."""
        event, team = body["event"], body["team_id"]
        if event["type"] == "app_uninstalled" or (event.get("tokens") or {}).get("bot"):
            at = datetime.fromtimestamp(body["event_time"], UTC)
            if self._installs is None or await self._installs.remove_install(team, at):
                await self._core.workspace_uninstalled(translate.slack_workspace(team))
        await ack()

    # -- replies that are not the answer to the request itself ------------------------------------------------------

    async def _handle_and_open_form(self, intent: Intent, body: Mapping[str, Any]) -> Reply:
        """Act on an intent; open the form it replies with. Returns that form, or what to say instead of it."""
        reply = await self._core.handle(intent)
        if isinstance(reply, Form) and not await self._try_open_form(reply, intent, body):
            return self._form_too_late(reply)
        return reply

    async def _try_open_form(self, form: Form, intent: Intent, body: Mapping[str, Any]) -> bool:
        """Open a form; return False if that failed, as it does when its trigger, which lives three seconds, expired."""
        try:
            view = views.render_modal(form, translate.view_origin(intent))
            team = slack_team(intent.actor.workspace)
            await self._api.call(team, "views.open", trigger_id=body["trigger_id"], view=view)
        except SlackApiRefusal as refusal:
            log.warning("slack_form_not_opened", form=form.intent, error=refusal.code)
            return False
        except (OutcomeUnknown, RetryAfter) as problem:
            log.warning("slack_form_not_opened", form=form.intent, error=type(problem).__name__)
            return False
        return True

    def _form_too_late(self, form: Form) -> Answer:
        reader = Reader(language=Language(form.language), timezone="UTC", now=self._clock.now())
        return Answer(message=wording.render_entry(Declined(reason="form_late"), reader))

    def _send_privately(self, reply: Reply, intent: Intent) -> None:
        """Start to send a reply that did not go through the outbox to the one who acted, and nobody else."""
        message = _as_message(reply)
        if message is None:
            return
        place = intent.place
        post = Post(
            delivery=new_id(),
            workspace=place.workspace,
            channel=None if place.personal else place.channel,
            account=intent.actor.id,
            thread=intent.thread,
            message=message,
        )
        # In a task: Slack waits for the answer to its request, and need not wait for this. The set keeps the task
        # alive, as the event loop holds only a weak reference.
        task = asyncio.create_task(self._send(post, intent.name), name="slack answer")
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, post: Post, about: str) -> None:
        try:
            await self._messenger.send(post)
        except Exception:
            log.exception("slack_answer_lost", intent=about)

    async def close(self) -> None:
        """Wait until the last replies are sent."""
        if self._sends:
            await asyncio.wait(self._sends)


def _is_from_slack(verifier: SignatureVerifier, raw: bytes, headers: CIMultiDictProxy[str]) -> bool:
    """Return whether Slack signed these bytes, exactly as they came in, within the last five minutes."""
    timestamps, signatures = headers.getall(_TIMESTAMP, []), headers.getall(_SIGNATURE, [])
    # Looked at before the verifier does, which raises whatever comes of a number or a text that is neither.
    if len(timestamps) != 1 or not re.fullmatch("[0-9]{1,12}", timestamps[0]):
        return False
    if len(signatures) != 1 or not re.fullmatch("v0=[0-9a-f]{64}", signatures[0]):
        return False
    try:
        return verifier.is_valid(raw, timestamps[0], signatures[0])
    except UnicodeDecodeError:  # Slack sends nothing but UTF-8
        return False


def _bolt() -> AsyncApp:
    """Create a Bolt app that only routes: signatures, tokens and our own events are dealt with elsewhere."""
    # Bolt's warnings quote what people wrote. It sets the level of the logger that is named after the app, so the app
    # must not have the name of our own logger.
    quiet = logging.getLogger("slack_bolt.ritme")
    quiet.setLevel(logging.ERROR)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

    app = AsyncApp(
        name=quiet.name,
        logger=quiet,
        client=AsyncWebClient(retry_handlers=[]),  # never used
        signing_secret="",  # `_serve` checks it before Bolt sees a request
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.error(_raise_again)
    return app


async def _raise_again(error: Exception) -> None:
    """Leave a listener's exception to whoever dispatched the request; Bolt would answer it with an empty 500."""
    raise error


async def _acknowledge(ack: AsyncAck) -> None:
    """Acknowledge that a form was closed without sending it, which changes nothing."""
    await ack()


def _has_listener(body: Mapping[str, Any]) -> bool:
    """Return whether a listener takes this request. Bolt would answer others 404, which Slack counts as our failure."""
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


def _as_message(reply: Reply) -> Message | None:
    """Return a reply as a message: errors of a form's fields as paragraphs; None when there is nothing to say."""
    match reply:
        case Answer(message=message):
            return message
        case FieldErrors(errors=errors):
            return Message(paragraphs=tuple(Paragraph(spans=(Span(text=one),)) for one in errors.values()))
    return None

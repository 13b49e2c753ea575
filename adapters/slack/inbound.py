"""Verify requests from Slack, translate them to intents, hand them to the core and answer within the request.

A listener does one short transaction and then acknowledges; what goes wrong before that makes Slack deliver the event
again. It calls nothing over the network in between, except to open a form, whose trigger lives three seconds. Every
request is acknowledged within `ACK_BUDGET`, whatever the database or Slack does; what takes longer goes on by itself:

- a command, press or shortcut: its answer follows. A form that is being opened is offered again meanwhile;
- a form: it stays open, and asks to be sent again, which does nothing twice;
- an event: 503, so that Slack delivers it again in case we die meanwhile. The second one finds that it is done.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from aiohttp import web
from multidict import CIMultiDictProxy
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from adapters.door import BadInput, read_body
from adapters.failures import Failure, report_failure
from adapters.slack import events, render, translate, views
from adapters.slack.answer_tasks import ACK_BUDGET, AnswerTasks, is_done_by
from adapters.slack.form_opener import FormOpener, offer_again
from adapters.slack.payloads import decode_body, named_bot, named_workspaces, read_payload, spoken_messages
from adapters.slack.tokens import TokenSource
from adapters.slack.web_api import SlackApi
from adapters.slack.words import list_mentions
from bot import wording
from bot.chat import (
    DEFAULT_SYNTAX,
    Answer,
    CommandSyntax,
    FieldErrors,
    Form,
    Intent,
    Message,
    Paragraph,
    Post,
    Reply,
    Span,
)
from bot.domain.ids import new_id
from bot.ports import Clock, Messenger, StorageUnavailable
from bot.wording import Reader

EVENTS_PATH = "/slack/events"
_TIMESTAMP, _SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
ACK_BY = "ack_by"
"""Key in a request's context: when it has to be acknowledged, by the event loop's clock."""
ANY_NAME = re.compile("")
"""Matches every command, event, action or callback id, so that one listener takes all of its kind."""
APP_REMOVED_EVENTS = frozenset({"app_uninstalled", "tokens_revoked"})
log = structlog.get_logger("ritme.slack")


class SlackCore(Protocol):
    """The core, as Slack's adapter calls it; implemented by `bot.app.Ritme`."""

    async def handle(self, intent: Intent) -> Reply:
        """Act on an intent and return the reply."""

    async def known_names(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of people, channels and groups of a workspace, by their ids there, as far as known."""

    async def workspace_uninstalled(self, workspace: str, at: datetime) -> None:
        """Stop sending to a workspace that removed Ritme at a moment, unless it was installed again since then."""

    async def workspace_installed(self, workspace: str, name: str) -> None:
        """Start sending to a workspace, or send there again."""


class InstallRemover(Protocol):
    """Storage of the installs, as needed when a workspace removes the app."""

    async def was_installed_since(self, team: str, moment: datetime) -> bool:
        """Return whether a team's install was made at that moment or later."""

    async def remove_install(self, team: str, before: datetime) -> bool:
        """Delete a team's install if it was made before that moment; return whether it was."""


class SlackInbound:
    """Answers Slack's requests, however they come in: over HTTP (`mount`) or Socket Mode (`answer`).

    `messenger` sends replies that do not fit in the answer to a request; `installs` is where the tokens of workspaces
    that remove the app are deleted, None when there is one token from the environment. `ack_budget`: see `ACK_BUDGET`.
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
        syntax: CommandSyntax = DEFAULT_SYNTAX,
        ack_budget: float = ACK_BUDGET,
    ) -> None:
        self._core = core
        self._forms = FormOpener(api, clock, syntax)
        self._tokens = tokens
        self._messenger = messenger
        self._clock = clock
        self._installs = installs
        self._ack_budget = ack_budget
        self._tasks = AnswerTasks()
        self._bolt = _bolt()
        # Bolt asks one listener after another whether a request is for it: what people wait for most comes first.
        self._bolt.command(ANY_NAME)(self._on_command)
        self._bolt.action({"type": "block_actions", "action_id": ANY_NAME})(self._on_press)
        self._bolt.event(ANY_NAME)(self._on_event)
        self._bolt.view_submission(ANY_NAME)(self._on_submission)
        self._bolt.shortcut(ANY_NAME)(self._on_shortcut)
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
        return _to_http(await self.answer(decode_body(raw, request.content_type)))

    async def answer(self, body: object) -> BoltResponse:
        """Answer a request that is known to be from Slack; with an empty 200 if no listener or install is concerned.

        A bug of ours, or of Bolt's, is logged and answered with its reference. Raises `BadInput`.
        """
        try:
            return await self._dispatch(body)
        except BadInput:
            raise
        except Exception as problem:  # noqa: BLE001  # `report_failure` logs it
            return _failure_response(report_failure("slack_request_failed", problem))

    async def _dispatch(self, body: object) -> BoltResponse:
        payload = read_payload(body)
        if payload is None or not isinstance(body, Mapping):
            return BoltResponse(status=200)
        ack_by = asyncio.get_running_loop().time() + self._ack_budget
        if payload.get("type") != "url_verification":
            team = await self._find_workspace(named_workspaces(body), ack_by)
            if team is None:
                return BoltResponse(status=200)
            payload |= await self._complete(payload, team, ack_by)
        # Bolt gets nothing but what was checked: it trips over shapes that it does not know.
        request = AsyncBoltRequest(mode="socket_mode", body=payload)
        request.context[ACK_BY] = ack_by
        return await self._bolt.async_dispatch(request)

    async def _find_workspace(self, named: Sequence[str], ack_by: float) -> str | None:
        """Return the first of the workspaces that a request names where the app is installed."""
        for team in named:
            if self._tokens.is_known(team) or await self._is_ours(team, ack_by):
                return team
        log.warning("slack_unknown_workspace", workspaces=list(named[:3]))
        return None

    async def _complete(self, payload: Mapping[str, Any], team: str, ack_by: float) -> dict[str, Any]:
        """Return what a payload does not tell and its translation needs: whose it is, who we are there, and the names
        of who is mentioned, as far as Ritme knows them."""
        bot, names = named_bot(payload, team), dict[str, str]()
        if messages := spoken_messages(payload):
            try:
                async with asyncio.timeout_at(ack_by):
                    bot = bot or await self._tokens.bot_user(team)
                    if others := [one for one in list_mentions(*messages) if one != bot]:
                        names |= await self._core.known_names(translate.slack_workspace(team), others)
            except (StorageUnavailable, TimeoutError):
                pass  # the core will find storage unavailable too
        return {"team_id": team, "bot_user": bot, "names": names}

    async def _is_ours(self, team: str, ack_by: float) -> bool:
        """Return whether the app is installed in this workspace."""
        try:
            async with asyncio.timeout_at(ack_by):
                return await self._tokens.is_installed(team)
        except (StorageUnavailable, TimeoutError):
            # Slack's signature has to do. The core will find storage unavailable too, and tells the person so.
            return True

    # -- the listeners, one per kind of request ---------------------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        intent = translate.translate_command(body)
        message = _as_message(await self._answer_in_time(intent, body, context[ACK_BY]))
        if message is None:
            await ack()
        else:
            text, blocks = render.notification_text(message), render.render_blocks(message)
            await ack(response_type="ephemeral", text=text, blocks=blocks)

    async def _on_press(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if body["actions"][0].get("type") == "button":
            intent = translate.translate_block_action(body)
            self._send_privately(await self._answer_in_time(intent, body, context[ACK_BY]), intent)
        await ack()

    async def _on_shortcut(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        intent = translate.translate_shortcut(body)
        self._send_privately(await self._answer_in_time(intent, body, context[ACK_BY]), intent)
        await ack()

    async def _on_submission(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        intent = translate.translate_view_submission(body)
        handling = self._tasks.start(self._core.handle(intent))
        if not await is_done_by(handling, context[ACK_BY]):
            # The form stays. Sent again, it is answered with what comes of it now, but for an answer, given once.
            self._tasks.run(self._send_late_answer(handling, intent))
            slow = FieldErrors(errors={"": self._ask_to_send_again(body["view"])})
            await ack(response_action="errors", errors=views.errors_by_block(slow, body["view"]))
            return
        match handling.result():
            case FieldErrors() as errors:
                await ack(response_action="errors", errors=views.errors_by_block(errors, body["view"]))
            case Form() as form:
                await ack(response_action="update", view=views.render_modal(form, translate.view_origin(intent)))
            case Answer() as answer:
                await ack(response_action="push", view=views.render_notice_view(answer.message))
            case None:
                await ack()

    async def _on_event(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse | None:
        if body["event"]["type"] in APP_REMOVED_EVENTS:
            return await self._on_removal(ack, body, context)
        intent = events.translate_event(body)
        if intent is not None:
            handling = self._tasks.start(self._core.handle(intent))
            if not await is_done_by(handling, context[ACK_BY]):
                self._tasks.run(self._send_late_answer(handling, intent))
                return _late_response(intent.name)
            reply = handling.result()
            if isinstance(reply, Answer) and reply.reference is not None:
                # Nothing was done; on anything but a 200 Slack delivers the event again.
                return _failure_response(Failure(reference=reply.reference, unavailable=reply.unavailable))
            self._send_privately(reply, intent)
        await ack()
        return None

    async def _on_removal(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse | None:
        """Forget a workspace that removed the app or revoked its token, unless it was installed again since then."""
        event, team = body["event"], body["team_id"]
        if event["type"] == "app_uninstalled" or (event.get("tokens") or {}).get("bot"):
            told = body.get("event_time")
            at = datetime.fromtimestamp(told, UTC) if told else self._clock.now()
            removing = self._tasks.start(self._remove(team, at))
            if not await is_done_by(removing, context[ACK_BY]):
                return _late_response("app_removed")
            removing.result()
        await ack()
        return None

    async def _remove(self, team: str, at: datetime) -> None:
        if self._installs is not None and await self._installs.was_installed_since(team, at):
            return
        await self._core.workspace_uninstalled(translate.slack_workspace(team), at)
        # Last: once there is no install, this event is nobody's, and would do nothing if Slack delivered it again.
        if self._installs is not None:
            await self._installs.remove_install(team, at)

    # -- replies that are not the answer to the request itself ------------------------------------------------------

    async def _answer_in_time(self, intent: Intent, body: Mapping[str, Any], ack_by: float) -> Reply:
        """Act on an intent, and open the form it replies with. Returns what to say by then, instead of that form too;
        the rest follows in a message."""
        handling = self._tasks.start(self._core.handle(intent))
        if not await is_done_by(handling, ack_by):
            log.warning("slack_answer_late", intent=intent.name)
            self._tasks.run(self._open_and_answer(handling, intent, body))
            return None
        reply = handling.result()
        if not isinstance(reply, Form):
            return reply
        opening = self._tasks.start(self._forms.open(reply, intent, body))
        if not await is_done_by(opening, ack_by):
            log.warning("slack_form_late", form=reply.intent)
            self._tasks.run(self._send_late_apology(opening, intent))
            return offer_again(reply)
        return opening.result()

    async def _open_and_answer(self, handling: asyncio.Task[Reply], intent: Intent, body: Mapping[str, Any]) -> None:
        """Answer what was acknowledged already."""
        reply = await handling
        self._send_privately(await self._forms.open(reply, intent, body) if isinstance(reply, Form) else reply, intent)

    async def _send_late_apology(self, opening: asyncio.Task[Answer | None], intent: Intent) -> None:
        """Say that a form cannot be opened at all, to who was already told that it was late."""
        answer = await opening
        if answer is not None and answer.reference is not None:
            self._send_privately(answer, intent)

    async def _send_late_answer(self, handling: asyncio.Task[Reply], intent: Intent) -> None:
        """Send what there is to say about a form or event, unless Slack or the person sends that again: an apology,
        errors or a next form."""
        reply = await handling
        if isinstance(reply, Answer) and reply.reference is None:
            self._send_privately(reply, intent)

    def _ask_to_send_again(self, view: Mapping[str, Any]) -> str:
        reader = Reader(language=views.read_language(view), timezone="UTC", now=self._clock.now())
        return wording.render_sentence("errors/fields.md.j2", "slow", reader)

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
        # In a task: Slack waits for the answer to its request, and need not wait for this.
        self._tasks.run(self._send(post, intent.name))

    async def _send(self, post: Post, about: str) -> None:
        try:
            await self._messenger.send(post)
        except Exception:
            log.exception("slack_answer_lost", intent=about)

    async def close(self) -> None:
        """Wait until the last replies are sent."""
        await self._tasks.close()


def _to_http(answer: BoltResponse) -> web.Response:
    """Return Bolt's answer as bytes, which aiohttp sends soonest; Bolt's own adapter makes a payload of it, and looks
    for cookies."""
    content_type, _, _ = answer.first_headers()["content-type"].partition(";")
    return web.Response(status=answer.status, body=answer.body.encode(), content_type=content_type)


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


class _NoTokens(AsyncAuthorize):
    """Lets every request through, without a token: whose it is was looked at before."""

    async def __call__(self, *, enterprise_id: str | None, team_id: str | None, **_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def _bolt() -> AsyncApp:
    """Create a Bolt app that only routes: signatures, tokens and our own events are dealt with elsewhere."""
    # Bolt's warnings quote what people wrote. It sets the level of the logger that is named after the app, so the app
    # must not have the name of our own logger.
    quiet = logging.getLogger("slack_bolt.ritme")
    quiet.setLevel(logging.ERROR)

    app = AsyncApp(
        name=quiet.name,
        logger=quiet,
        client=AsyncWebClient(retry_handlers=[]),  # never used
        signing_secret="",  # `_serve` checks it before Bolt sees a request
        authorize=_NoTokens(),  # type: ignore[no-untyped-call]
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


def _late_response(intent: str) -> BoltResponse:
    """Return the answer to an event that is still being handled: Slack delivers it again, in case it fails."""
    log.warning("slack_answer_late", intent=intent)
    return BoltResponse(status=503, body={"error": "try again"})


def _failure_response(failure: Failure) -> BoltResponse:
    return BoltResponse(status=failure.status, body=dict(failure.body))


async def _acknowledge(ack: AsyncAck) -> None:
    """Acknowledge that a form was closed without sending it, which changes nothing."""
    await ack()


def _as_message(reply: Reply) -> Message | None:
    """Return a reply as a message: errors of a form's fields as paragraphs; None when there is nothing to say."""
    match reply:
        case Answer(message=message):
            return message
        case FieldErrors(errors=errors):
            return Message(paragraphs=tuple(Paragraph(spans=(Span(text=one),)) for one in errors.values()))
    return None

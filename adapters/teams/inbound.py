"""Handle verified activities: translate them, hand them to the core with where they came from, and answer.

One short transaction, in which where they came from is kept too, and then the answer: Teams waits 5 seconds for the
answer to an invoke and then asks again. The core does a thing once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import structlog

from adapters.door import check_body
from adapters.teams import dialogs, translate
from adapters.teams.activity import (
    channel_id,
    happened_at,
    is_from_bot,
    is_personal_conversation,
    read_conversation,
    team_id,
    teams_account,
    teams_workspace,
)
from adapters.teams.payloads import ActivityPayload, SubmissionPayload
from adapters.teams.phrases import answer_phrase
from adapters.teams.references import Conversation, ConversationReferences, SenderNote
from adapters.teams.signer import Signer
from bot.chat import Answer, FieldErrors, Form, Intent, Reply
from bot.domain.person import Language
from bot.ports import Clock

MESSAGE_CONTENT_TYPE = "application/vnd.microsoft.activity.message"
CONCERNING_ACTIVITIES = frozenset(
    {
        "conversationUpdate",
        "installationUpdate",
        "invoke",
        "message",
        "messageDelete",
        "messageReaction",
        "messageUpdate",
    }
)
"""Types of activity that are anything to us; not those of meetings, of typing, or of another bot's conversation."""
MEMBERSHIP_ACTIVITIES = ("conversationUpdate", "installationUpdate")
"""Types of activity that may tell of our coming to a place, or going."""
Handle = Callable[[Intent], Awaitable[Reply]]
"""Hands an intent to the core."""
log = structlog.get_logger("ritme.teams")


class TeamsCore(Protocol):
    """The part of Ritme that Teams needs."""

    async def handle(self, intent: Intent) -> Reply:
        """Act on one intent, at most once per `intent.key`; never raises."""


@dataclass(frozen=True, kw_only=True)
class InvokeResponse:
    """The HTTP status and JSON body that an invoke is answered with."""

    status: int = 200
    body: Mapping[str, Any] | None = None


class RedeliveryNeeded(Exception):
    """Nothing was done: Teams should deliver the activity again. `reference` stands in the log."""

    def __init__(self, reference: str, *, unavailable: bool = False) -> None:
        super().__init__(reference)
        self.reference = reference
        self.unavailable = unavailable


class _ArrivedLate(Exception):
    """An activity is of before we were removed from where it happened."""


class TeamsInbound:
    """Handles activities that `TokenValidator` let in."""

    def __init__(self, core: TeamsCore, references: ConversationReferences, signer: Signer, clock: Clock) -> None:
        self._core = core
        self._clock = clock
        self._references = references
        self._signer = signer

    async def receive(self, activity: ActivityPayload) -> InvokeResponse | None:
        """Act on one activity. Returns the answer to an invoke; raises `RedeliveryNeeded` where trying again may
        help. What arrives late, from where we were removed, is passed over."""
        if activity.type not in CONCERNING_ACTIVITIES:
            return None
        if activity.type == "invoke" and is_from_bot(activity):
            return InvokeResponse()  # a press is somebody's, and no bot is a person
        if activity.type in MEMBERSHIP_ACTIVITIES:
            await self._receive_membership(activity)
            return None
        note = self._note_sender(activity)
        handle = partial(self._handle, note)
        try:
            if activity.type == "invoke":
                return await self._handle_invoke(activity, handle)
            for intent in translate.activity_intents(activity, self._signer):
                await self._handle_everywhere(activity, intent, handle)
        except _ArrivedLate:
            return InvokeResponse() if activity.type == "invoke" else None
        finally:
            if note is not None and not note.is_settled:  # nothing came to the core, or not as far as a commit
                await note.settle(committed=False)
        return None

    async def _handle(self, note: SenderNote | None, intent: Intent) -> Reply:
        """Hand an intent to the core, and in its transaction keep where it was spoken. Raises `_ArrivedLate`."""
        if note is None or note.is_settled:
            return await self._core.handle(intent)
        reply = await self._core.handle(replace(intent, beside=note.keep))
        await note.settle(committed=not isinstance(reply, Answer) or reply.reference is None)
        if note.is_late:
            raise _ArrivedLate
        return reply

    async def _receive_membership(self, activity: ActivityPayload) -> None:
        """Act on what is told of our coming to a place or going, and of its members."""
        at, channel = happened_at(activity), channel_id(activity)
        removed_at = await self._references.removed_at(teams_workspace(activity), channel, team_id(activity))
        if at is None or removed_at is None or at > removed_at:
            await self._record_membership(activity)
            await self._handle_events(activity, removed_at)

    async def _handle_events(self, activity: ActivityPayload, removed_at: datetime | None) -> None:
        """Act on what is told of places and members."""
        where = team_id(activity) or channel_id(activity)
        for intent in translate.activity_intents(activity, self._signer):
            is_arrival = translate.is_arrival(activity)
            told = _key_arrival(intent, where, removed_at) if is_arrival else intent
            await self._handle_everywhere(activity, told, self._core.handle)
        # Last: `_handle_everywhere` needs the references to the channels of a team that we are removed from.
        if translate.is_removal(activity):
            await self._record_removal(activity, happened_at(activity))

    async def _handle_everywhere(self, activity: ActivityPayload, intent: Intent, handle: Handle) -> None:
        """Hand an intent to the core, for each channel of a team that it holds for. Raises `RedeliveryNeeded`."""
        for one in await self._expand_to_channels(activity, intent):
            reply = await handle(one)
            if isinstance(reply, Answer) and reply.reference is not None:
                raise RedeliveryNeeded(reply.reference, unavailable=reply.unavailable)

    async def _record_removal(self, activity: ActivityPayload, at: datetime | None) -> None:
        """Record that we are out of a conversation, and of all channels of a team."""
        here, team = read_conversation(activity), team_id(activity) if translate.is_about_team(activity) else ""
        gone = {one.channel: one for one in await self._references.list_team(here.workspace_id, team)} if team else {}
        if team:
            gone[team] = replace(here, channel=team)
        gone[here.channel] = here
        for conversation in gone.values():
            await self._references.record_removal(conversation, at or self._clock.now())

    async def _record_membership(self, activity: ActivityPayload) -> None:
        """Record how a place that we came to or went from, and who told it, can be reached again."""
        conversation = read_conversation(activity)
        if not _can_be_reached(conversation):
            return
        await self._references.record(conversation)
        chosen = activity.channel_data.settings.selected_channel.id
        if chosen:
            await self._references.record(replace(conversation, channel=chosen))
        if (member := _find_member(activity, conversation)) is not None:
            await self._references.record_member(member)

    def _note_sender(self, activity: ActivityPayload) -> SenderNote | None:
        """Note how the place and the person can be reached again."""
        conversation = read_conversation(activity)
        if not _can_be_reached(conversation):
            return None
        member = _find_member(activity, conversation)
        return self._references.note(conversation, member, team=team_id(activity), at=happened_at(activity))

    async def _expand_to_channels(self, activity: ActivityPayload, intent: Intent) -> list[Intent]:
        """Return an intent, and of an event of a whole team one for each other channel of it that we know."""
        if intent.name not in ("place.gone", "place.back") or not translate.is_about_team(activity):
            return [intent]
        known = await self._references.list_team(intent.place.workspace, team_id(activity))
        others = (one.channel for one in known if one.channel != intent.place.channel)
        return [
            intent,
            *(
                replace(intent, place=replace(intent.place, channel=channel, name=""), key=f"{intent.key}:{channel}")
                for channel in others
            ),
        ]

    async def _handle_invoke(self, activity: ActivityPayload, handle: Handle) -> InvokeResponse:
        match activity.name:
            case "adaptiveCard/action":
                return await self._handle_press(activity, handle)
            case "task/fetch":
                return await self._open_dialog(translate.press_intent(activity, self._signer), handle)
            case "composeExtension/fetchTask":
                return await self._open_dialog(translate.message_action_intent(activity), handle)
            case "task/submit" | "composeExtension/submitAction":
                return await self._handle_submission(activity, handle)
        log.info("teams_invoke_ignored", invoke=activity.name[:40])
        return InvokeResponse(status=501)

    async def _handle_press(self, activity: ActivityPayload, handle: Handle) -> InvokeResponse:
        """Act on a pressed button. The answer follows through the outbox, in place of the pressed card or by itself."""
        intent = translate.press_intent(activity, self._signer)
        reply = await handle(replace(intent, opens_forms=False))
        if isinstance(reply, Answer):
            text = reply.message.text
        else:
            text = _phrase("done" if is_personal_conversation(activity) else "in_your_chat", intent)
        return InvokeResponse(body={"statusCode": 200, "type": MESSAGE_CONTENT_TYPE, "value": text})

    async def _handle_submission(self, activity: ActivityPayload, handle: Handle) -> InvokeResponse:
        data, sign = (
            check_body(SubmissionPayload, activity.value or {}).data,
            self._sign_for(teams_account(activity).id),
        )
        try:
            sent = dialogs.parse_dialog(data, sign)
        except ValueError:
            # The core has an answer for what nobody handles.
            unreadable = translate.submission_intent(activity, translate.INVALID_PAYLOAD, {}, {})
            return await self._open_dialog(unreadable, handle)
        intent = translate.submission_intent(activity, sent.intent, sent.args, sent.origin)
        reply = await handle(intent)
        if isinstance(reply, FieldErrors):
            return _continue_with(dialogs.render_with_errors(sent, reply, sign))
        if reply is None:
            return InvokeResponse()  # the dialog closes
        return self._show(reply, intent)

    async def _open_dialog(self, intent: Intent, handle: Handle) -> InvokeResponse:
        return self._show(await handle(intent), intent)

    def _show(self, reply: Reply, intent: Intent) -> InvokeResponse:
        """Return a dialog, or a line that says where the answer is."""
        match reply:
            case Form() as form:
                origin = translate.dialog_origin(intent)
                return _continue_with(dialogs.render_dialog(form, origin, self._sign_for(intent.actor.id)))
            case Answer() as answer:
                return _continue_with(dialogs.render_notice(answer.message))
        return InvokeResponse(body={"task": {"type": "message", "value": _phrase("in_your_chat", intent)}})

    def _sign_for(self, account: str) -> dialogs.Sign:
        return partial(self._signer.sign, account)


def _can_be_reached(conversation: Conversation) -> bool:
    return bool(conversation.channel and conversation.service_url) and conversation.workspace_id != "teams:"


def _find_member(activity: ActivityPayload, conversation: Conversation) -> Conversation | None:
    """Return who sent an activity as someone met among others; None for who is in their own chat, or not told of."""
    account, member = teams_account(activity).id, activity.sender.id
    if conversation.account or not account or not member or account == member:
        return None
    return replace(conversation, account=account, member=member)


def _key_arrival(intent: Intent, where: str, removed_at: datetime | None) -> Intent:
    """Give our coming to a place one key, however often Teams tells it; after we were removed another."""
    if intent.name == "place.back":
        return intent
    since = removed_at.isoformat() if removed_at is not None else ""
    return replace(intent, key=f"{intent.actor.workspace}:arrival:{where}:{since}")


def _phrase(block: str, intent: Intent) -> str:
    return answer_phrase(block, Language.from_locale(intent.actor.language, Language.NL))


def _continue_with(dialog: Mapping[str, Any]) -> InvokeResponse:
    return InvokeResponse(body={"task": {"type": "continue", "value": dialog}})

"""Activities from Teams: noted where they came from, translated, handed to the core, answered.

One short transaction and then the answer: an invoke is asked again after some seconds, and the core does a thing once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import structlog

from adapters.teams import dialogs, translate
from adapters.teams.references import References
from adapters.teams.signer import Signer
from adapters.teams.translate import Activity
from bot import wording
from bot.chat import Answer, FieldErrors, Form, Intent, Reply
from bot.domain.person import Language
from bot.wording import Reader

ANSWERS = "teams/answers.md.j2"
MESSAGE = "application/vnd.microsoft.activity.message"
OF_US = ("conversationUpdate", "installationUpdate")
"""Activities that may tell of our coming to a place, or going."""
log = structlog.get_logger("ritme.teams")


class Core(Protocol):
    """What Teams asks of the core: Ritme."""

    async def handle(self, intent: Intent) -> Reply: ...


@dataclass(frozen=True, kw_only=True)
class InvokeAnswer:
    """What an invoke is answered with."""

    status: int = 200
    body: Mapping[str, Any] | None = None


class Broken(Exception):
    """Nothing was done: Teams should deliver it again. `reference` stands in the log."""

    def __init__(self, reference: str, *, unavailable: bool = False) -> None:
        super().__init__(reference)
        self.reference = reference
        self.unavailable = unavailable


class Inbound:
    """What Teams tells us, verified already."""

    def __init__(self, core: Core, references: References, seal: Signer) -> None:
        self._seal = seal
        self._core = core
        self._references = references

    async def receive(self, activity: Activity) -> InvokeAnswer | None:
        """Acts on one activity. Returns the answer to an invoke; raises `Broken` where trying again may help."""
        await self._note(activity)
        if activity["type"] == "invoke":
            return await self._invoked(activity)
        for intent in translate.intents(activity, self._seal):
            for one in await self._everywhere(activity, intent):
                reply = await self._core.handle(one)
                if isinstance(reply, Answer) and reply.reference is not None:
                    raise Broken(reply.reference, unavailable=reply.unavailable)
        if activity["type"] == "installationUpdate" and str(activity.get("action")).startswith("remove"):
            await self._references.forget(translate.workspace(activity), translate.conversation(activity).channel)
        return None

    async def _note(self, activity: Activity) -> None:
        """Whoever is spoken with can be reached again."""
        told = translate.conversation(activity)
        if told.channel and told.service_url and told.workspace_id != "teams:":
            await self._references.note(told, anew=activity["type"] in OF_US)
            who = activity.get("from") or {}
            account, member = translate.account(activity).id, str(who.get("id") or "")
            if not told.account and account and member and account != member and not translate.is_bot(activity):
                await self._references.meet(replace(told, account=account, member=member))

    async def _everywhere(self, activity: Activity, intent: Intent) -> list[Intent]:
        """Of what happens to a whole team, an intent for each of its channels that we know."""
        data = activity.get("channelData") or {}
        team, channel = (data.get("team") or {}).get("id"), (data.get("channel") or {}).get("id")
        if intent.name not in ("place.gone", "place.back") or not team or channel:
            return [intent]
        known = await self._references.of_team(intent.place.workspace, str(team))
        return [
            replace(
                intent,
                place=replace(intent.place, channel=one.channel, name=""),
                key=f"{intent.key}:{one.channel}",
            )
            for one in known
        ]

    async def _invoked(self, activity: Activity) -> InvokeAnswer:
        match activity.get("name"):
            case "adaptiveCard/action":
                return await self._pressed(activity)
            case "task/fetch":
                intent = translate.press(activity, self._seal)
                return self._shown(await self._core.handle(intent), intent)
            case "composeExtension/fetchTask":
                intent = translate.message_action(activity)
                return self._shown(await self._core.handle(intent), intent)
            case "task/submit" | "composeExtension/submitAction":
                return await self._submitted(activity)
        log.info("teams_ignored", invoke=str(activity.get("name"))[:40])
        return InvokeAnswer(status=501)

    async def _pressed(self, activity: Activity) -> InvokeAnswer:
        """The answer follows through the outbox, in the place of the pressed card or by itself."""
        intent = translate.press(activity, self._seal)
        reply = await self._core.handle(replace(intent, opens_forms=False))
        if isinstance(reply, Answer):
            said = reply.message.text
        else:
            said = self._word("done" if translate.is_personal(activity) else "in_your_chat", intent)
        return InvokeAnswer(body={"statusCode": 200, "type": MESSAGE, "value": said})

    async def _submitted(self, activity: Activity) -> InvokeAnswer:
        data, sign = (activity.get("value") or {}).get("data"), self._sign(translate.account(activity).id)
        try:
            sent = dialogs.filled_in(data if isinstance(data, Mapping) else {}, sign)
        except ValueError:
            intent = translate.submission(activity, translate.UNREADABLE, {}, {})
            return self._shown(await self._core.handle(intent), intent)
        intent = translate.submission(activity, sent.intent, sent.args, sent.origin)
        reply = await self._core.handle(intent)
        if isinstance(reply, FieldErrors):
            return _dialog(dialogs.again(sent, reply, sign))
        if reply is None:
            return InvokeAnswer()  # the dialog closes
        return self._shown(reply, intent)

    def _shown(self, reply: Reply, intent: Intent) -> InvokeAnswer:
        """A dialog, or a line that says where the answer is."""
        match reply:
            case Form() as form:
                return _dialog(dialogs.dialog(form, translate.origin(intent), self._sign(intent.actor.id)))
            case Answer() as answer:
                return _dialog(dialogs.notice(answer.message))
        return InvokeAnswer(body={"task": {"type": "message", "value": self._word("in_your_chat", intent)}})

    def _sign(self, account: str) -> dialogs.Sign:
        return partial(self._seal.sign, account)

    def _word(self, block: str, intent: Intent) -> str:
        language = Language.meant(intent.actor.language, Language.NL)
        return wording.sentence(ANSWERS, block, Reader(language=language, timezone="UTC", now=datetime.now(UTC)))


def _dialog(info: Mapping[str, Any]) -> InvokeAnswer:
    return InvokeAnswer(body={"task": {"type": "continue", "value": info}})

"""Tell a person that something went wrong where Teams, which only gets an error, shows them nothing of it."""

import asyncio
from collections import deque

import structlog

from adapters.teams.activity import is_from_bot, is_personal_conversation, teams_account
from adapters.teams.payloads import ActivityPayload
from adapters.teams.typed_words import is_addressed_to_bot
from bot import wording
from bot.catalogue.errors import Apology
from bot.chat import CommandSyntax, Post
from bot.domain.ids import new_id
from bot.domain.person import Language
from bot.ports import Clock, Messenger
from bot.wording import Reader

APOLOGY_BUDGET = 3.0
"""Seconds that an apology may take: Teams waits for the error meanwhile."""
REMEMBERED = 1_000
"""Activities of which it is remembered that there was an apology; Teams delivers them again for minutes at most."""
log = structlog.get_logger("ritme.teams")


class Apologies:
    """Apologizes in their own chat to who waits for an answer: once for an activity, however often it is delivered."""

    def __init__(self, messenger: Messenger, syntax: CommandSyntax, clock: Clock) -> None:
        self._messenger = messenger
        self._syntax = syntax
        self._clock = clock
        self._told: deque[tuple[str, str, str]] = deque(maxlen=REMEMBERED)

    async def apologize(self, activity: ActivityPayload, reference: str) -> None:
        """Say that an activity led to an error of ours, with its reference. Never raises."""
        try:
            if self._is_awaited(activity):
                async with asyncio.timeout(APOLOGY_BUDGET):
                    await self._messenger.send(self._word(activity, reference))
        except Exception:
            log.exception("teams_apology_lost", type=activity.type[:40])

    def _is_awaited(self, activity: ActivityPayload) -> bool:
        """Return whether a person waits for the answer, and was not told before that none comes."""
        if is_from_bot(activity):
            return False
        to_us = activity.type == "message" and (is_personal_conversation(activity) or is_addressed_to_bot(activity))
        about = (activity.channel_data.tenant.id, activity.conversation.id, activity.id)
        if (activity.type != "invoke" and not to_us) or about in self._told:
            return False
        self._told.append(about)
        return True

    def _word(self, activity: ActivityPayload, reference: str) -> Post:
        actor = teams_account(activity)
        reader = Reader(
            language=Language.from_locale(actor.language, Language.NL),
            timezone="Europe/Amsterdam",
            now=self._clock.now(),
            syntax=self._syntax,
        )
        message = wording.render_entry(Apology(reference=reference), reader)
        return Post(delivery=new_id(), workspace=actor.workspace, channel=None, account=actor.id, message=message)

"""Open forms with `views.open`, whose trigger lives three seconds, and say what to do where one did not open."""

from collections.abc import Mapping
from typing import Any

import structlog

from adapters.slack import translate, views
from adapters.slack.web_api import SlackApi, SlackApiRefusal, slack_team
from bot import wording
from bot.catalogue.errors import Apology
from bot.chat import Answer, CommandSyntax, Form, Intent, Message
from bot.domain.ids import new_reference
from bot.domain.person import Language
from bot.ports import Clock, OutcomeUnknown, RetryAfter
from bot.wording import Reader

log = structlog.get_logger("ritme.slack")


class FormOpener:
    """Opens forms for who did something."""

    def __init__(self, api: SlackApi, clock: Clock, syntax: CommandSyntax) -> None:
        self._api = api
        self._clock = clock
        self._syntax = syntax

    async def open(self, form: Form, intent: Intent, body: Mapping[str, Any]) -> Answer | None:
        """Open a form. Returns what to say instead: that it was too late, with a button to open it after all, or, of
        what Slack refuses by its contents, an apology. None when it is open."""
        try:
            view = views.render_modal(form, translate.view_origin(intent))
            await self._api.call(
                slack_team(intent.actor.workspace), "views.open", trigger_id=body["trigger_id"], view=view
            )
        except SlackApiRefusal as refusal:
            if not refusal.is_late:
                reference = new_reference()
                log.error("slack_form_refused", form=form.intent, error=refusal.code, reference=reference)
                return self._apologize(form, reference)
            log.warning("slack_form_not_opened", form=form.intent, error=refusal.code)
            return offer_again(form)
        except (OutcomeUnknown, RetryAfter) as problem:
            log.warning("slack_form_not_opened", form=form.intent, error=type(problem).__name__)
            return offer_again(form)
        except Exception:
            reference = new_reference()
            log.exception("slack_form_render_failed", form=form.intent, reference=reference)
            return self._apologize(form, reference)
        return None

    def _apologize(self, form: Form, reference: str) -> Answer:
        reader = Reader(
            language=Language(form.language), timezone="UTC", now=self._clock.now(), syntax=self._syntax, personal=True
        )
        return Answer(message=wording.render_entry(Apology(reference=reference), reader), reference=reference)


def offer_again(form: Form) -> Answer:
    """Return the answer that offers a form again."""
    return Answer(message=form.late or Message(paragraphs=()))

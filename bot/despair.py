"""Hear despair in what people write in forms and in threads, before anything of it is kept or posted."""

from dataclasses import dataclass, replace
from functools import cache

from bot.catalogue.base import CATALOGUE, FormEntry
from bot.catalogue.conversation import CrisisAnswered
from bot.chat import Intent
from bot.understanding import CRISIS, understand_sentence

THREAD_WORDS = frozenset({"thread.replied", "message.edited", "message.restored"})
"""Events that carry what somebody wrote to others; only what is surely despair is answered there."""
CARRIED_TEXTS = {"story.save_message": ("text",), "saving.ask": ("text",)}
"""Other intents that carry what somebody wrote in the chat → the arguments that hold it."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An intent to go on with, without any words of despair, and the answer to give beside its own, if any."""

    intent: Intent
    answer: CrisisAnswered | None = None


def hear_despair(intent: Intent) -> Heard:
    """Listen for despair in every text that an intent carries.

    Where it is sure, the intent goes on without the words: one of a form or a saved message becomes the fixed answer,
    one of a thread is as empty as if nothing had been written. Where it is only likely, a form is handled as it was
    meant, and the answer is given as well.
    """
    names = free_texts().get(intent.name, ())
    readings = [understand_sentence(text) for text in map(intent.text, names) if text]
    despairing = [reading.sure for reading in readings if reading.meaning == CRISIS]
    if not despairing:
        return Heard(intent=intent)
    if intent.name in THREAD_WORDS:
        if not any(despairing):
            return Heard(intent=intent)
        return Heard(intent=replace(intent, args={"text": ""}), answer=CrisisAnswered())
    if any(despairing):
        args = {"sure": "yes", "written": "yes"}
        return Heard(intent=replace(intent, name="conversation.crisis", args=args))
    return Heard(intent=intent, answer=CrisisAnswered(sure=False, kept=True))


@cache
def free_texts() -> dict[str, tuple[str, ...]]:
    """Return the arguments that hold what somebody wrote: intent → names, of every form that has a field for text."""
    forms = [entry for entry in CATALOGUE.values() if issubclass(entry, FormEntry)]
    found = {form.intent: tuple(ask.name for ask in form.asks if ask.kind in ("text", "long_text")) for form in forms}
    of_threads = dict.fromkeys(THREAD_WORDS, ("text",))
    return {name: texts for name, texts in {**found, **of_threads, **CARRIED_TEXTS}.items() if texts}

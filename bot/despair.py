"""Hear despair in what people write in forms and in threads, before anything of it is kept or posted."""

import re
from dataclasses import dataclass, replace
from functools import cache

from bot.catalogue.base import CATALOGUE, FormEntry
from bot.catalogue.conversation import CrisisAnswered
from bot.chat import Intent
from bot.domain.person import Language
from bot.understanding import read_for_despair
from bot.understanding.phrasebook import PHRASES_ROOT
from bot.understanding.text import fold

THREAD_WORDS = frozenset({"thread.replied", "message.edited", "message.restored"})
"""Events that carry what somebody wrote to others; only what is surely despair is answered there."""
CARRIED_TEXTS = {"story.save_message": ("text",), "saving.ask": ("text",)}
"""Other intents that carry what somebody wrote in the chat → the arguments that hold it."""

_WORD = re.compile(r"[\w'’]+")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An intent to go on with, without any words of despair, and the answer to give beside its own, if any."""

    intent: Intent
    answer: CrisisAnswered | None = None


def hear_despair(intent: Intent) -> Heard:
    """Listen for despair in every text that an intent carries.

    Where it is sure, the intent goes on without the words: one of a form or a saved message becomes the fixed answer,
    one of a thread is as empty as if nothing had been written. Where it is plainly of somebody else, or (in a form)
    only likely, the intent is handled as it was meant, and the answer is given as well.
    """
    names = free_texts().get(intent.name, ())
    read = [(text, read_for_despair(text)) for text in map(intent.text, names) if text]
    heard = [(text, reading.sure) for text, reading in read if reading is not None]
    is_sure = any(sure for _, sure in heard)
    if not heard or (intent.name in THREAD_WORDS and not is_sure):
        return Heard(intent=intent)
    if not any(sure and not is_about_others(text) for text, sure in heard):
        return Heard(intent=intent, answer=CrisisAnswered(sure=False, kept=True))
    if intent.name in THREAD_WORDS:
        return Heard(intent=replace(intent, args={"text": ""}), answer=CrisisAnswered())
    return Heard(intent=replace(intent, name="conversation.crisis", args={"sure": "yes", "written": "yes"}))


def is_about_others(text: str) -> bool:
    """Return whether a text tells of a client, a resident, "mevrouw", and never of its writer: in care, people also
    write about the despair of others."""
    words = {fold(word) for word in _WORD.findall(text)}
    return bool(words & _word_list("others")) and not words & _word_list("oneself")


@cache
def _word_list(name: str) -> frozenset[str]:
    """Return the words of a list, in all languages."""
    files = [PHRASES_ROOT / language.value / "conversation" / f"{name}.txt" for language in Language]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return frozenset(fold(word) for line in lines if not line.startswith("#") for word in line.split())


@cache
def free_texts() -> dict[str, tuple[str, ...]]:
    """Return the arguments that hold what somebody wrote: intent → names, of every form that has a field for text."""
    forms = [entry for entry in CATALOGUE.values() if issubclass(entry, FormEntry)]
    found = {form.intent: tuple(ask.name for ask in form.asks if ask.kind in ("text", "long_text")) for form in forms}
    of_threads = dict.fromkeys(THREAD_WORDS, ("text",))
    return {name: texts for name, texts in {**found, **of_threads, **CARRIED_TEXTS}.items() if texts}

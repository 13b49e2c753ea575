"""Render every message Ritme can send, in both languages, as each platform shows it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.playground import render
from adapters.playground.personas import TIMEZONE
from bot import wording
from bot.catalogue import CATALOGUE, Entry, FormEntry
from bot.chat import Form, Message
from bot.domain.person import Language
from bot.wording import Reader

Renderer = Callable[[Message | Form], object]
"""Converts a message or form to the JSON value another platform would be sent."""


def render_gallery(now: datetime, renderers: Mapping[str, Renderer]) -> list[dict[str, Any]]:
    """Return all examples of the catalogue, by family and name, each rendered by every one of `renderers`."""
    return [
        _render_example(name, number, example, language, now, renderers)
        for name, entry in sorted(CATALOGUE.items(), key=lambda pair: (pair[1].family, pair[0]))
        for number, example in enumerate(_examples(entry))
        for language in Language
    ]


def _examples(entry: type[Entry]) -> tuple[Entry, ...]:
    """Return all examples of an entry: its `examples` where it has several, else its one `example`."""
    several = getattr(entry, "examples", None)
    return tuple(several()) if several is not None else (entry.example(),)


def _render_example(
    name: str, number: int, example: Entry, language: Language, now: datetime, renderers: Mapping[str, Renderer]
) -> dict[str, Any]:
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    worded: Message | Form
    if isinstance(example, FormEntry):
        worded = wording.render_form_entry(example, reader)
        body: dict[str, Any] = {"form": render.render_form(worded)}
    else:
        worded = wording.render_entry(example, reader)
        body = {"message": render.render_content(worded)}
    return {
        "name": name,
        "number": number,
        "family": example.family,
        "language": language.value,
        "about": (type(example).__doc__ or "").strip(),
        "platforms": {platform: renderer(worded) for platform, renderer in renderers.items()},
        **body,
    }

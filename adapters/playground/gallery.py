"""Every message Ritme can say, in both languages, as every platform shows it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.playground import render
from bot import wording
from bot.catalogue import CATALOGUE, Entry, FormEntry
from bot.chat import Form, Message
from bot.domain.person import Language
from bot.wording import Reader

Renderer = Callable[[Message | Form], object]
"""What another platform would be sent, as JSON values."""


def entries(now: datetime, renderers: Mapping[str, Renderer]) -> list[dict[str, Any]]:
    """All examples of the catalogue, by family and name; each with its renderings by platform."""
    return [
        _shown(name, number, example, language, now, renderers)
        for name, entry in sorted(CATALOGUE.items(), key=lambda pair: (pair[1].family, pair[0]))
        for number, example in enumerate(_examples(entry))
        for language in Language
    ]


def _examples(entry: type[Entry]) -> tuple[Entry, ...]:
    """All examples where an entry offers several, else the one."""
    several = getattr(entry, "examples", None)
    return tuple(several()) if several is not None else (entry.example(),)


def _shown(
    name: str, number: int, example: Entry, language: Language, now: datetime, renderers: Mapping[str, Renderer]
) -> dict[str, Any]:
    reader = Reader(language=language, timezone="Europe/Amsterdam", now=now)
    said: Message | Form
    if isinstance(example, FormEntry):
        said = wording.form(example, reader)
        body: dict[str, Any] = {"form": render.form(said)}
    else:
        said = wording.message(example, reader)
        body = {"message": render.message(said)}
    return {
        "name": name,
        "number": number,
        "family": example.family,
        "language": language.value,
        "about": (type(example).__doc__ or "").strip(),
        "platforms": {platform: renderer(said) for platform, renderer in renderers.items()},
        **body,
    }

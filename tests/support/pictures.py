"""Texts that try to be something else than text, put in the place of every word in an entry."""

from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from bot.catalogue.base import Entry

WILD = (
    '#eval("1") #panic() $x^2$ `raw` *vet* _schuin_ = Kop @wie <label> https://a.b // weg /* weg */ \\ \\u{0041}',
    "🌱🌊👩🏽‍⚕️ 日本語の名前 हिन्दी 🇳🇱",
    "שלום עולם مرحبا بالعالم \u202egespiegeld\u202c",
    "Zorg" * 120,
    '"}], "title": "x" \\" {{ 7 * 7 }} <script>alert(1)</script> ]]>',
    " ",
)
KEPT = {"id", "timezone", "initiative", "because", "rule", "scale", "point"}
E = TypeVar("E", bound=Entry)


def make_wild(entry: E, text: str) -> E:
    """Return an entry in which every text that people may have written is this one."""
    return _wild(entry, text, "")  # type: ignore[no-any-return]


def _wild(value: Any, text: str, name: str) -> Any:
    if isinstance(value, Enum | date):
        return value
    if isinstance(value, str):
        return value if name in KEPT or not value else text
    if isinstance(value, tuple):
        return tuple(_wild(one, text, name) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _wild(getattr(value, one.name), text, one.name) for one in fields(value)})
    return value

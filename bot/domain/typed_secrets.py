"""Recognise secrets of ours that somebody typed in a chat (codes, keys, private links), so that none is shown again."""

import re
from collections.abc import Iterable, Mapping

HIDDEN = "•••"
"""The sign that stands in the place of a secret."""
_SIGN = r"[0-9A-HJKMNP-TV-Z]"
"""Of an invite code (Crockford's Base32 has no I, L, O and U): words in capitals with a year are no codes."""
_HINT = re.compile("[-_/0-9]")
"""Of a secret: each kind has one of these, and most of what people type has none."""
_SECRET = re.compile(
    r"\britme_[\w-]{24,}"
    r"|\bwhsec_[A-Za-z0-9+/=]{8,}"
    # A code as it is shown; in small letters, or without what is between, words may look like it but for a digit.
    r"|\b(?=[\d-]*[A-Z])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2,}\b"
    r"|\b(?=[a-zA-Z-]*\d)(?=[\d-]*[a-zA-Z])[0-9a-zA-Z]{4}(?:-[0-9a-zA-Z]{4}){2,}\b"
    rf"|\b(?=[A-Z]*\d)(?=\d*[A-Z]){_SIGN}{{12}}\b"
    # The last part of a link that opens a page, a door, a file or a calendar.
    r"|(?<=/)(?:[\w-]{8,}\.\d{8,12}\.[0-9a-f]{16,}|[\w-]{32,}\.ics|[\w-]{8,}\.[0-9a-f]{16,})(?![\w.])",
    re.ASCII,
)


def find_secrets(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what in these texts may be a secret, the longest first."""
    found = {one.group() for text in texts if _HINT.search(text) for one in _SECRET.finditer(text)}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def hide_secrets(value: object, secrets: Iterable[str]) -> object:
    """Return a JSON value in whose texts none of the secrets stands."""
    if isinstance(value, str):
        for one in secrets:
            value = value.replace(one, HIDDEN)
        return value
    if isinstance(value, list):
        return [hide_secrets(one, secrets) for one in value]
    if isinstance(value, Mapping):
        return {name: hide_secrets(one, secrets) for name, one in value.items()}
    return value


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets in it; empty when there is nothing else."""
    hidden = str(hide_secrets(text, secrets))
    return hidden if hidden.replace(HIDDEN, "").strip(" .,;:-") else ""

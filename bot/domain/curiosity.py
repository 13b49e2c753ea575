"""Curious questions: choosing which to ask next, and recognising the kind of being stuck in someone's words."""

import re
from collections.abc import Sequence

from bot.domain.initiative import StuckKind

QUESTIONS_PER_KIND = 9
"""Three rounds of three: nothing returns before the fourth round of a kind."""
QUESTIONS_PER_ROUND = 3
_KEYS = {kind: [f"{kind.value}_{number}" for number in range(1, QUESTIONS_PER_KIND + 1)] for kind in StuckKind}
_POINTS_AT: dict[StuckKind, str] = {
    StuckKind.REACH: r"niemand doet mee|krijg \w+ niet mee|nobody (comes|joins)|no one joins"
    r"|can't get \w+ (along|on board)",
    StuckKind.OPPOSITION: r"weerstand|tegenwind|tegenwerking|opposition|resistance|against it",
    StuckKind.KNOW_HOW: r"weet niet hoe|weet niet wat|don't know (how|what)",
    StuckKind.ENERGY: r"geen (tijd|energie)|te moe|te druk|no (time|energy)|too (tired|busy)",
    StuckKind.RULES: r"regels|toestemming|mag niet|protocol|rules|permission|not allowed",
}


def _find_whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b({words.replace(chr(39), '[' + chr(39) + '’]')})\b", re.IGNORECASE)


_PATTERNS = {kind: _find_whole(words) for kind, words in _POINTS_AT.items()}
_ANY = _find_whole("|".join(_POINTS_AT.values()))
"""Any of them: most texts point at nothing."""


def fresh_questions(kind: StuckKind, asked: Sequence[str]) -> list[str]:
    """Return the keys ("reach_3") of three questions of a kind, those never asked or asked longest ago first.

    `asked` holds the keys asked before, oldest first.
    """
    last = {key: index for index, key in enumerate(asked)}
    never = [key for key in _KEYS[kind] if key not in last]
    again = sorted([key for key in _KEYS[kind] if key in last], key=last.__getitem__)
    return [*never, *again][:QUESTIONS_PER_ROUND]


def detect_kind(text: str) -> StuckKind:
    """Return the kind of being stuck that a Dutch or English text points at; OTHER unless it points at one only."""
    found = [kind for kind, pattern in _PATTERNS.items() if pattern.search(text)] if _ANY.search(text) else []
    return found[0] if len(found) == 1 else StuckKind.OTHER

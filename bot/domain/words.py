"""The words people type for what they mean, English and Dutch, and which of them is nearest to what was typed."""

import unicodedata
from difflib import get_close_matches

WORDS: dict[str, tuple[str, ...]] = {
    "help": ("help", "hulp"),
    "home": ("home", "thuis", "overzicht"),
    "start": ("start", "begin"),
    "start.join": ("join", "aansluiten"),
    "code": ("code", "koppelcode"),
    "purpose": ("purpose", "bedoeling"),
    "initiative": ("initiative", "initiatives", "initiatief", "initiatieven", "beginnetje"),
    "rhythm": ("rhythm", "ritme"),
    "stuck": ("stuck", "vast", "vastgelopen"),
    "step": ("step", "stap", "stapje"),
    "chance": ("chance", "kans"),
    "story": ("story", "verhaal", "verhaaltje"),
    "story.mine": ("stories", "verhalen", "verhaaltjes"),
    "harvest": ("harvest", "oogst"),
    "connect": ("connect", "verbind", "uitnodigen", "invite"),
    "nominate": ("nominate", "noem", "voordragen"),
    "lookback": ("lookback", "terugblik"),
    "groups": ("groups", "groepen", "group", "groep"),
    "trouble": ("trouble", "hapering", "haperingen"),
    "me": ("me", "ik"),
    "stop": ("stop",),
}
"""Intent → the words for it. The first English and the first Dutch one are those the help names."""
_MEANING = {word: intent for intent, words in WORDS.items() for word in words}
SHORTEST_BEGINNING = 3


def plain(word: str) -> str:
    """A typed word without capitals, accents and the marks around it."""
    split = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in split if letter.isalnum())


def meaning(word: str) -> str:
    """The intent a word means, also when only its beginning was typed and no other word begins so; "" when unsure."""
    typed = plain(word)
    if typed in _MEANING:
        return _MEANING[typed]
    begun = {intent for known, intent in _MEANING.items() if known.startswith(typed)}
    return begun.pop() if len(typed) >= SHORTEST_BEGINNING and len(begun) == 1 else ""


def nearest(word: str) -> str:
    """The intent of the word most like what was typed; "" when nothing is near."""
    found = get_close_matches(plain(word), _MEANING, n=1, cutoff=0.6)
    return meaning(word) or (_MEANING[found[0]] if found else "")

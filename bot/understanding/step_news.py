"""Read what somebody says about a step that they planned before: how it went, or that it moves to another day.

`prompts/<language>/steps/news.txt` says what the words mean (see `sayings`): `news:told`, `news:move`, and `news:whole`
for what is told only where nothing follows it ("done", but not "done with waiting: tomorrow I call Bob").
"""

from bot.domain.person import Language
from bot.understanding.sayings import SaidWord, Sayings, read_sayings, split_said_words

HOW_IT_WENT, MOVE, _ALONE = "told", "move", "whole"


def read_step_news(text: str, language: Language) -> str:
    """Return `HOW_IT_WENT` or `MOVE`, in this language or another; an empty text where a sentence does not begin so."""
    words = split_said_words(text)
    others = [one for one in Language if one is not language]
    found = (_find_news(words, read_sayings(one, "steps/news.txt")) for one in (language, *others))
    return next((news for news in found if news), "")


def _find_news(words: list[SaidWord], sayings: Sayings) -> str:
    while words:
        length, meanings = next(sayings.find(words), (0, []))
        if meanings or not length:
            news = dict(meanings).get("news", "")
            return news if news != _ALONE else "" if words[length:] else HOW_IT_WENT
        words = words[length:]
    return ""

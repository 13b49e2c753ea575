"""Find a person's own words in a message: without what introduces, asks for or closes them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.understanding.phrasebook import PhraseBook
from bot.understanding.phrases import Phrase
from bot.understanding.text import Token, tidy, tokenize

_PICTURE = r"[\s\u200d\u2600-\u27bf\ufe0f\U0001f1e6-\U0001faff]"
_PICTURES = re.compile(f"{_PICTURE}+$")
"""The emoji with which a message ends."""
_THANKS = re.compile(f"{_PICTURE}*🙏{_PICTURE}*$")
"""Pictures at the end with folded hands among them: these close a message as "thanks" does; others belong to what is
told."""
_OPENING = ('"', "“", "‘", "„", "«", "(")
_MARKS = (":", "?")
"""Marks that are words of their own among the tokens."""
_MARK = re.compile(r"[,.:;!?…–—\n\u2600-\u27bf\U0001f1e6-\U0001faff]| - ")
"""A mark that sets an opening or a closing apart from the content."""
_ORDINAL = re.compile(r"\d+(?:e|de|ste|st|nd|rd|th)")
"""A day of the month as it is written: "the 3rd", "de 14e"."""
LEAST_CONTENT = 3
"""Words that have to be left for the words around them to be taken for an opening or a closing."""
LONGEST_INTRODUCTION = 9
"""Words of which an introduction that nobody wrote down consists at most."""
WORDS_OF_A_PHRASE = 4
"""Words of a phrase with which a message has to begin to be introduced by it."""
TOLD = frozenset({"story", "stuck", "step", "chance", "nominate", "connect"})
"""Meanings of which the whole message is the content, where no phrase says otherwise."""
WITH_MOMENT, ABOUT_MOMENT = frozenset({"snooze", "step", "rhythm"}), frozenset({"snooze"})
"""Meanings of which the content can be a moment, and those of which it is nothing else."""
OF_A_MOMENT = ABOUT_MOMENT | {"forget", "lookback", "rhythm"}
"""Meanings of which a moment is the content where nothing else is."""
NAMED_WORTH = {"snooze": 1.15, "nominate": 1.5}
"""Meanings of which the content is a moment or a name, and how much sooner a phrase with a place for it tells it."""
WITHOUT_REASON = ABOUT_MOMENT | {"forget", "nominate"}
"""Meanings of which the content ends where the reason begins: "noem Wilma, die weet alles"."""
INTRODUCED, CONCLUDED = TOLD | {"initiative"}, frozenset({"chance"})
"""Meanings of which words that only introduce or conclude are left off."""
ASKED_ABOUT = frozenset({"connect", "lookback"})
"""Meanings that ask about what they name."""


class Match(NamedTuple):
    """A phrase found in a message: how well, where its words stand, and where the person's own words begin and end."""

    phrase: Phrase
    score: float
    first: int
    """Where in the message the matched words begin and end, in words."""
    last: int
    hit: tuple[int, ...] = ()
    own_from: int | None = None
    """Where the own words begin: at the place for them, or before it, with words of the phrase that belong to them."""
    slot_from: int | None = None
    slot_to: int | None = None


def find_content(text: str, tokens: Sequence[Token], matches: Sequence[Match], meaning: str, book: PhraseBook) -> str:
    """Return the person's own words: what the best phrase of the meaning leaves, or all where no phrase was found."""
    match = _choose_match(matches)
    if match is None or (meaning in TOLD and _leaves_words(match, tokens, book)):
        own = quote_whole(text, tokens) if meaning in TOLD else ""
    else:
        own = _quote_slot(text, tokens, match, book)
        own = _prefer_moment(own, match, book) if meaning in WITH_MOMENT else own
    asks_when = meaning == "rhythm" and match is not None and book.is_question([token.word for token in tokens])
    if not own and meaning in OF_A_MOMENT and not asks_when:
        # What is wanted comes last: "every week is too much, make it once a month".
        return _say_when(text, tokens, book, last=meaning == "rhythm")
    if meaning not in INTRODUCED:
        return own
    cut = match is not None and meaning in TOLD - WITH_MOMENT and not _sets_apart(match)
    return drop_frame(own, book, meaning, cut=cut)


def _choose_match(matches: Sequence[Match]) -> Match | None:
    """Return the match that tells what the content is; None where that is the whole message."""
    # What somebody set apart themselves ("vast: …") goes before what a phrase makes likely.
    match = max(
        matches, key=lambda one: (_sets_apart(one), one.score * _worth(one), len(one.phrase.words)), default=None
    )
    if match is not None and match.phrase.keeps:
        return max((one for one in matches if _introduces(one)), key=lambda one: one.last, default=None)
    return match


def _leaves_words(match: Match, tokens: Sequence[Token], book: PhraseBook) -> bool:
    """Return whether a phrase without a place for own words leaves so many that they are told all the same."""
    if match.slot_from is not None or any(word in book.negations for word in match.phrase.words):
        return False
    said = [token.word for token in tokens]
    left = {word for place, word in enumerate(said) if place not in match.hit} - book.filler
    return len(left) > LEAST_CONTENT and not book.is_question(said)


def find_request(text: str, tokens: Sequence[Token], matches: Sequence[Match], meaning: str) -> str:
    """Return the whole message where more of it is needed than its content: of a new rhythm what comes, and how
    often."""
    return quote_whole(text, tokens) if meaning == "rhythm" and _choose_match(matches) is None else ""


def _quote_slot(text: str, tokens: Sequence[Token], match: Match, book: PhraseBook) -> str:
    """Return what stands in the place that a phrase leaves for one's own words."""
    if match.own_from is None or match.slot_to is None:
        return ""
    own = tokens[match.own_from : match.slot_to]
    if all(token.word in book.filler for token in tokens[match.slot_from : match.slot_to]):
        return ""
    meaning = match.phrase.meaning
    to = match.slot_to - _count_closing_words(own, meaning, book)
    if to < match.slot_to or to < len(tokens):
        return _trim(tidy(text[own[0].start : tokens[to - 1].end]), match)
    # The marks after the last word belong to it.
    pictures = _THANKS if meaning in TOLD else _PICTURES
    return _trim(tidy(pictures.sub("", text[own[0].start :])), match)


def _trim(own: str, match: Match) -> str:
    """Return a moment, a name or a text to forget without the reason that follows it, and what is asked about without
    the question mark."""
    meaning = match.phrase.meaning
    if meaning in WITHOUT_REASON and not _sets_apart(match):
        return re.split(r"[,;.!?] ", own)[0]
    return own.rstrip("? ") if meaning in ASKED_ABOUT else own


def _worth(match: Match) -> float:
    """Return how much sooner a phrase tells the content: of a moment or a name one with a place for it."""
    return NAMED_WORTH.get(match.phrase.meaning, 1.0) if match.slot_from is not None else 1.0


def _sets_apart(match: Match) -> bool:
    return match.first == 0 and ":" in match.phrase.words and len(match.hit) == len(match.phrase.words)


def _introduces(match: Match) -> bool:
    """Return whether a message begins with a whole phrase, and the person's own words follow: "mag ik delen dat …"."""
    words = len(match.phrase.words)
    return words >= WORDS_OF_A_PHRASE and match.hit == tuple(range(words)) and match.slot_from == words


def _prefer_moment(own: str, match: Match, book: PhraseBook) -> str:
    """Return the moment alone where the own words begin with one that is set apart ("vrijdag? was ziek") or should
    be nothing else, and nothing where there is none."""
    clause = _MARK.split(own)[0].strip()
    if clause != own and _is_moment(clause, book):
        return clause
    said = tokenize(own, book.spellings)
    if match.phrase.meaning in ABOUT_MOMENT:
        return _say_when(own, said, book)
    if any(_is_of_moment(token.word, book) for token in said):
        return own
    # "not yet, been mad busy": a reason, and nothing to do
    return "" if any(word in book.negations for word in match.phrase.words) else own


def _is_moment(own: str, book: PhraseBook) -> bool:
    """Return whether words are a moment, and nothing else."""
    tokens = tokenize(own, book.spellings)
    return bool(tokens) and _find_moment(tokens, book) == (0, len(tokens))


def _is_of_moment(word: str, book: PhraseBook) -> bool:
    return word in book.frame.moments.words or bool(_ORDINAL.fullmatch(word))


def _say_when(text: str, tokens: Sequence[Token], book: PhraseBook, *, last: bool = False) -> str:
    """Return the first moment that a message names, or the last; empty when it names none."""
    found = _find_moment(tokens, book)
    while last and found and (later := _find_moment(tokens[found[1] :], book)):
        found = (found[1] + later[0], found[1] + later[1])
    return tidy(text[tokens[found[0]].start : tokens[found[1] - 1].end]) if found else ""


def _find_moment(tokens: Sequence[Token], book: PhraseBook) -> tuple[int, int] | None:
    """Return where the first moment begins and ends: words of moments, with the words that stand before and after."""
    before, after = book.frame.moments.before, book.frame.moments.after
    named = next((place for place, token in enumerate(tokens) if _is_of_moment(token.word, book)), None)
    if named is None:
        return None
    first, last = named, named + 1
    while first and (tokens[first - 1].word in before or tokens[first - 1].word.isdigit()):
        first -= 1
    while last < len(tokens) and (_is_of_moment(tokens[last].word, book) or tokens[last].word in after):
        last += 1
    return first, last


def drop_frame(own: str, book: PhraseBook, meaning: str, *, cut: bool = False) -> str:
    """Return content without what people say before and after it: "moet je horen, …", "…, could be something".

    `cut`: a phrase stood before or after it, of which words may be left ("mooi moment vandaag: …").
    """
    tokens = tokenize(own, book.spellings)
    words = tuple(token.word for token in tokens)
    first = _find_end_of_opening(own, tokens, words, book) or _find_end_of_introduction(own, tokens, book, cut)
    if first:
        return drop_frame(tidy(own[tokens[first].start :]), book, meaning)
    for closing, needs_mark in book.frame.closings.get(words[-1], ()) if words else ():
        size = len(closing)
        if words[-size:] == closing and len(words) - size >= LEAST_CONTENT:
            end = tokens[-size - 1].end
            if not needs_mark or _MARK.search(own[end : tokens[-size].start]):
                return drop_frame(own[:end], book, meaning)
    last = _find_begin_of_conclusion(own, tokens, book, cut) if meaning in CONCLUDED else 0
    return drop_frame(own[: tokens[last - 1].end], book, meaning) if last else own


def _find_end_of_opening(own: str, tokens: Sequence[Token], words: tuple[str, ...], book: PhraseBook) -> int:
    """Return with which word the content begins after an opening; 0 when there is none."""
    for opening, needs_mark in book.frame.openings.get(words[0], ()) if words else ():
        size = len(opening)
        if words[:size] == opening and len(words) - size > LEAST_CONTENT:
            first = size + (words[size] in _MARKS)
            if not needs_mark or first > size or _MARK.search(own[tokens[size - 1].end : tokens[size].start]):
                return first
    return 0


def _find_end_of_introduction(own: str, tokens: Sequence[Token], book: PhraseBook, cut: bool) -> int:
    """Return with which word the content begins after words that only introduce, in whatever order, up to a mark:
    "vandaag gebeurde er iets moois: …"; 0 when there are none."""
    tells = cut
    for place, token in enumerate(tokens[: LONGEST_INTRODUCTION + 1]):
        left = len(tokens) - place
        if place and tells and (token.word in _MARKS or _MARK.search(own[tokens[place - 1].end : token.start])):
            first = place + (token.word in _MARKS)
            return first if left > LEAST_CONTENT else 0
        if token.word in book.frame.introducing.words:
            tells = True
        elif token.word not in book.frame.introducing.before and token.word not in book.filler:
            return 0
    return 0


def _find_begin_of_conclusion(own: str, tokens: Sequence[Token], book: PhraseBook, cut: bool) -> int:
    """Return with which word a last sentence begins that only says what a thing is good for ("maybe we can use that");
    0 when there is none."""
    group, tells = book.frame.concluding, cut
    for place in range(len(tokens) - 1, LEAST_CONTENT - 1, -1):
        word = tokens[place].word
        tells = tells or word in group.words
        if word not in group.words and word not in group.before and word not in book.filler:
            return 0
        if tells and _MARK.search(own[tokens[place - 1].end : tokens[place].start]):
            return place
    return 0


def _count_closing_words(tokens: Sequence[Token], meaning: str, book: PhraseBook) -> int:
    """Count the words at the end that only close the message; 0 when nothing else would be left. Of what is told, only
    politeness goes without a mark before it: "weer" belongs to "het regende weer"."""
    words = tuple(token.word for token in tokens)
    for closing, needs_mark in book.frame.closings.get(words[-1], ()) if words else ():
        if needs_mark and meaning in TOLD:
            continue
        if len(words) > len(closing) and words[-len(closing) :] == closing:
            return len(closing) + _count_closing_words(tokens[: -len(closing)], meaning, book)
    return 0


def quote_whole(text: str, tokens: Sequence[Token]) -> str:
    """Return a message from its first word that counts."""
    start = tokens[0].start
    # A quotation mark is opened before the first word, and belongs to it.
    return tidy(text[start - 1 if text[start - 1 : start] in _OPENING else start :])

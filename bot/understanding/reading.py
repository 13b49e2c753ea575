"""Read a sentence: what somebody means, and which of their words are content.

Phrases are matched word by word, in order, with gaps and typing errors allowed. Evidence of several phrases for one
meaning adds up. A reading is sure when its evidence is strong and no other meaning comes near.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple, Self

from bot.domain.person import Language
from bot.understanding.content import Match, drop_frame, find_content, find_request, quote_whole
from bot.understanding.countries import COUNTRY_MEANING as COUNTRY
from bot.understanding.countries import tells_more_than_country
from bot.understanding.phrasebook import CRISIS, LEAST_WEIGHT, MIN_COVERAGE, SHOWN_MEANINGS, PhraseBook, phrase_book
from bot.understanding.phrases import UNKNOWN, Phrase, PhrasesByWords
from bot.understanding.text import Token, tokenize

OTHER = "other"
RISKY = frozenset({"stop", "forget", CRISIS})
WITHOUT_CONTENT = frozenset(
    {
        *(CRISIS, OTHER, "thanks", "smalltalk", "stop", "export", "me", "help", "home", "board", "code", "trouble"),
        *("reach", "why", "rest"),
        *SHOWN_MEANINGS,
    }
)
ONLY_BY_PHRASE = frozenset({COUNTRY, *SHOWN_MEANINGS})
"""Meanings that words by themselves do not point to: "we are in" is said of a meeting and of trouble too."""
SELDOM_ASKED, TOLD_AS_QUESTION = frozenset({"story", "step"}), 0.5
"""Meanings that are seldom asked, and what their phrases count for in a question."""
STATEMENT_FROM = 5
"""Words from which a message without a known phrase is a statement, and may be content."""
LONG_FROM, CLEAR_FROM = 9, 0.65
"""Words from which a statement tells something, as a rule, and the score from which it is something else yet."""
AT_LENGTH = frozenset({"story", "stuck", "step", "chance", "nominate", "snooze", "other", *RISKY})
"""Meanings that people tell at length."""
SURE_FROM = 0.74
SURE_MARGIN = 0.12
LIKELY_FROM = 0.30
"""Below this the message is none of the meanings."""
WORDS_TELLING_ENOUGH = 4
"""Words of one phrase that say enough together, however little each says."""
LEAST_OF_DESPAIR = 0.75
"""The share of a phrase of despair, by weight and by words, that has to be there, with its most telling word."""
STRONG_FROM = 0.9
"""The evidence of phrases from which the words by themselves need not agree."""
BAYES_WEIGHT = 0.7
"""How much the words by themselves count beside the phrases."""
PHRASED_FROM, LIKELY_ALONE_FROM = 0.05, 0.85
"""The score of a phrase below which a meaning has to be this likely by the words alone."""
SHOWN_FROM, SHOWN_SURELY_FROM = 0.8, 0.95
"""How likely words by themselves make one of `SHOWN_MEANINGS` where it is asked about, and where it casts doubt."""
TELLING_FROM = 0.5
"""The weight from which a word says something by itself."""
LONGEST = 60
"""Words that are read together; what follows in a long message is content, as a rule."""
OVERLAP = 12
"""Words read twice where a long message is read in parts: a phrase may stand across the border."""

ANNOUNCED_WITHIN = 5
"""Words before a colon that may say what follows: "ik zit vast: …". More of them tell something themselves."""
_COLON = re.compile(r":\s")


@dataclass(frozen=True)
class Reading:
    """The meaning of a message, with a `score` from 0 to 1, the next best as `others`, and its content as `rest`.

    `asks`: it is a question."""

    meaning: str
    rest: str
    sure: bool
    score: float = 0.0
    others: tuple[str, ...] = ()
    request: str = ""
    asks: bool = False


def read(text: str, language: Language, names: Sequence[str] = ("ritme",)) -> Reading:
    """Read a message. `names`: what the app is called there, left out where it is addressed.

    The first words tell what a long message is about; despair is looked for in all of it.
    """
    return _Message.hear(text, language, names).read()


def understand_sentence(text: str, names: Sequence[str] = ("ritme",)) -> Reading:
    """Read a message in whichever language it makes more sense; in the others only as far as they may make more. Of
    despair in either language nothing goes first."""
    heard = {language: _Message.hear(text, language, names) for language in Language}
    readings: dict[Language, Reading] = {}
    for language, message in sorted(heard.items(), key=lambda one: -one[1].most):
        if all(message.may_outdo(reading) for reading in readings.values()):
            readings[language] = message.read()
    found = [readings[language] for language in Language if language in readings]
    return max(found, key=lambda one: (one.meaning == CRISIS, one.sure, one.score))


class _Message(NamedTuple):
    """A message as one language hears it: its words, and what the phrases in the `first` of them say."""

    text: str
    book: PhraseBook
    tokens: Sequence[Token]
    first: Sequence[Token]
    later: Sequence[Sequence[Token]]
    phrased: "_Phrased"

    @classmethod
    def hear(cls, text: str, language: Language, names: Sequence[str]) -> Self:
        """Find the phrases of a language in a message."""
        book = phrase_book(language)
        tokens = _without_address(tokenize(text, book.spellings), names, book.greetings)
        first, *later = _split_long(tokens)
        return cls(text, book, tokens, first, later, _find_phrases(text, first, book))

    @property
    def most(self) -> float:
        """The highest score that this may be read with for sure; 0 where nothing is sure."""
        strongest = max(self.phrased.evidence.values(), default=0.0)
        return round(_add_likelihood(strongest, 1.0), 3) if strongest >= LIKELY_FROM else 0.0

    def may_outdo(self, other: Reading) -> bool:
        """Return whether this may be read as more than what another language makes of it; where it is, never False."""
        if not other.sure or self.later or _COLON.search(self.text) or self.most >= other.score:
            return True
        return CRISIS in self.phrased.evidence or self.book.despair.may_be(self.phrased.words, LIKELY_ALONE_FROM)

    def read(self) -> Reading:
        """Read what it means, and which of its words are content."""
        text, book, tokens, first = self.text, self.book, self.tokens, self.first
        for part in self.later:
            if not _may_tell_despair(part, book):
                continue
            reading = _read_tokens(text, part, book)
            if reading.meaning == CRISIS and reading.sure:
                return reading
        asks = book.is_question([token.word for token in tokens])
        reading = replace(_read_by_phrases(text, first, self.phrased, book), asks=asks)
        if not reading.sure and _is_announced(reading, text, first, book):
            reading = replace(reading, sure=True)
        if reading.meaning == COUNTRY and tells_more_than_country(text[tokens[0].start :], book):
            return _tell_with_country(text, tokens, reading, book)
        return reading


def _is_announced(reading: Reading, text: str, tokens: Sequence[Token], book: PhraseBook) -> bool:
    """Return whether a message says first, before a colon, what it is: the words after that are its content, and cast
    no doubt. What is hard to undo is never sure by that alone."""
    colon = _COLON.search(text)
    before = [one for one in tokens if colon is not None and one.end <= colon.start()]
    if reading.meaning in RISKY or not 0 < len(before) <= ANNOUNCED_WITHIN:
        return False
    announced = _read_tokens(text, before, book)
    return announced.sure and announced.meaning == reading.meaning


def _tell_with_country(text: str, tokens: Sequence[Token], reading: Reading, book: PhraseBook) -> Reading:
    """Read a message as told or asked, and not surely, in which a country is named among other things."""
    if reading.asks:
        return replace(reading, sure=False, others=("story",))
    rest = drop_frame(quote_whole(text, tokens), book, "story")
    return Reading("story", rest, sure=False, score=reading.score, others=(COUNTRY, *reading.others))


def may_tell_despair(text: str, language: Language, names: Sequence[str] = ("ritme",)) -> bool:
    """Return whether a message may tell of despair: one that does not is never read as that. A quick look, for the many
    texts of which nothing else has to be known."""
    book = phrase_book(language)
    tokens = _without_address(tokenize(text, book.spellings), names, book.greetings)
    return any(_may_tell_despair(part, book) for part in _split_long(tokens))


def _may_tell_despair(tokens: Sequence[Token], book: PhraseBook) -> bool:
    corrected = _correct(tokens, book)
    if _find_matches(corrected, book, book.despairing):
        return True
    words = [word for word, _ in corrected]
    may_be = book.despair.may_be(words, LIKELY_ALONE_FROM)
    return may_be and book.bayes.probabilities(words).get(CRISIS, 0.0) >= LIKELY_ALONE_FROM


def _split_long(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield the first words of a message, and what follows in a long one in parts that overlap."""
    yield tokens[:LONGEST]
    for begin in range(LONGEST - OVERLAP, len(tokens) - OVERLAP, LONGEST - OVERLAP):
        yield tokens[begin : begin + LONGEST]


class _Phrased(NamedTuple):
    """The phrases in words, as the book spells those (`words`): by meaning the matches, and how much these say together
    (`evidence`). What is a phrase of one meaning, and nothing else, is read already (`exact`). `asked`: a question."""

    words: Sequence[str]
    spelled: Sequence[tuple[str, float]]
    matches: Mapping[str, Sequence[Match]]
    evidence: Mapping[str, float]
    asked: bool = False
    exact: Reading | None = None


def _read_tokens(text: str, tokens: Sequence[Token], book: PhraseBook) -> Reading:
    return _read_by_phrases(text, tokens, _find_phrases(text, tokens, book), book)


def _find_phrases(text: str, tokens: Sequence[Token], book: PhraseBook) -> _Phrased:
    spelled = _correct(tokens, book)
    words = [word for word, _ in spelled]
    exact = _read_exact(text, tokens, spelled, book) if tokens else Reading(OTHER, "", sure=False)
    if exact is not None:
        return _Phrased(words, spelled, {}, {exact.meaning: exact.score}, exact=exact)
    matches = _find_matches(spelled, book, book.needing)
    asked = book.is_question(words)
    if asked:
        matches = list(map(_lower_in_question, matches))
    found: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        found[match.phrase.meaning].append(match)
    evidence = {meaning: _combine(some) for meaning, some in found.items()}
    return _Phrased(words, spelled, found, evidence, asked)


def _read_by_phrases(text: str, tokens: Sequence[Token], message: _Phrased, book: PhraseBook) -> Reading:
    if message.exact is not None:
        return message.exact
    words, asked, best, phrased = message.spelled, message.asked, message.matches, message.evidence
    likely, likeliest = book.find_likely(message.words)
    shown = next((one for one in SHOWN_MEANINGS & likeliest if likely[one] >= SHOWN_FROM), "")
    scores = _score(phrased, likely, told=len(words) >= LONG_FROM and not asked)
    ranked = sorted(scores, key=lambda meaning: (-scores[meaning], meaning))
    best_score = scores[ranked[0]] if ranked else 0.0
    if ranked and phrased.get(ranked[0], 0.0) < PHRASED_FROM and likely.get(ranked[0], 0.0) < LIKELY_ALONE_FROM:
        best_score = 0.0  # no phrase, and words that say too little by themselves
    if best_score < LIKELY_FROM:
        told = _guess_kind(words, likely, asked=asked, book=book)
        if told == OTHER and shown:
            return Reading(shown, "", sure=False, score=LIKELY_FROM * likely[shown], others=tuple(ranked[:2]))
        rest = "" if told == OTHER else drop_frame(quote_whole(text, tokens), book, told)
        return Reading(told, rest, sure=False, others=_list_others(shown, told, ranked[:2]))
    meaning, score = ranked[0], scores[ranked[0]]
    others = tuple(
        one for one in ranked[1:3] if scores[one] >= LIKELY_FROM and (one != CRISIS or phrased.get(CRISIS, 0.0) > 0)
    )
    margin = score - max((scores[one] for one in ranked[1:]), default=0.0)
    # Sure is only what both the phrases and the words by themselves point to, unless nearly all of a phrase is there:
    # then the words of the content ("the handover") have no say in it.
    sure = score >= SURE_FROM and margin >= SURE_MARGIN and phrased.get(meaning, 0.0) >= LIKELY_FROM
    doubted = bool(likeliest) and meaning not in likeliest
    doubted = doubted or (shown not in ("", meaning) and likely[shown] >= SHOWN_SURELY_FROM)
    sure = sure and not (doubted and phrased[meaning] < STRONG_FROM)
    if sure and meaning in RISKY:
        sure = _says_enough(best[meaning], words, book)
    if CRISIS in scores and meaning != CRISIS and scores[CRISIS] >= LIKELY_FROM:
        sure = False  # nobody in need is taken for somebody with a question
    rest = "" if meaning in WITHOUT_CONTENT else find_content(text, tokens, best[meaning], meaning, book)
    request = find_request(text, tokens, best[meaning], meaning)
    others = others if sure else _list_others(shown, meaning, others)
    return Reading(meaning, rest, sure, round(score, 3), others, request)


def _read_exact(
    text: str, tokens: Sequence[Token], words: Sequence[tuple[str, float]], book: PhraseBook
) -> Reading | None:
    """Read a message that is a phrase of one meaning, and nothing else; None for any other."""
    exact = book.phrases.find_whole(book.phrases.write(word for word, _ in words))
    meanings = {phrase.meaning for phrase in exact}
    if len(meanings) != 1:
        return None
    (meaning,) = meanings
    keeps = meaning not in WITHOUT_CONTENT and all(phrase.keeps for phrase in exact)
    rest = find_content(text, tokens, (), meaning, book) if keeps else ""
    spelled = min(certainty for _, certainty in words)
    request = find_request(text, tokens, (), meaning) if keeps else ""
    return Reading(meaning, rest, sure=True, score=spelled, request=request)


def _lower_in_question(match: Match) -> Match:
    """Return a match in a question: what was done and what will be is told, and not asked."""
    if not match.phrase.keeps or match.phrase.meaning not in SELDOM_ASKED:
        return match
    return match._replace(score=match.score * TOLD_AS_QUESTION)


def _score(phrased: Mapping[str, float], likely: Mapping[str, float], *, told: bool) -> dict[str, float]:
    """Return the score of each meaning by its phrases and by the words themselves. `told`: at length, as few meanings
    are."""
    scores = {
        meaning: _add_likelihood(by_phrase, likely.get(meaning, 0.0))
        for meaning, by_phrase in {**dict.fromkeys(likely, 0.0), **phrased}.items()
        if meaning not in ONLY_BY_PHRASE or by_phrase >= LIKELY_FROM
    }
    return {one: score for one, score in scores.items() if not told or one in AT_LENGTH or score >= CLEAR_FROM}


def _add_likelihood(by_phrase: float, likely: float) -> float:
    return 1 - (1 - by_phrase) * (1 - BAYES_WEIGHT * likely)


def _guess_kind(
    words: Sequence[tuple[str, float]], likely: Mapping[str, float], *, asked: bool, book: PhraseBook
) -> str:
    """Return what a message tells in which no meaning was found: being stuck, a story, or neither."""
    if asked or len(words) < STATEMENT_FROM:
        return OTHER
    is_bad = likely.get("stuck", 0.0) > 2 * likely.get("story", 0.0)
    return "stuck" if is_bad or any(word in book.negations for word, _ in words) else "story"


def _list_others(shown: str, meaning: str, others: Sequence[str]) -> tuple[str, ...]:
    """Return what else may be meant: first what the words by themselves say should be shown."""
    return tuple(dict.fromkeys(one for one in (shown, *others) if one not in ("", meaning)))


def _says_enough(matches: Sequence[Match], words: Sequence[tuple[str, float]], book: PhraseBook) -> bool:
    """Return whether more than one telling word speaks for a meaning that does harm when it is read wrongly."""
    best = max(matches, key=lambda one: one.score)
    if len(best.hit) >= WORDS_TELLING_ENOUGH:
        return True
    likely = [match for match in matches if match.score >= LIKELY_FROM]
    telling = {place for match in likely for place in match.hit if book.weight(words[place][0]) > TELLING_FROM}
    return len(telling) > 1 or len(words) <= len(best.hit) + 1


def _without_address(tokens: list[Token], names: Sequence[str], greetings: Collection[str]) -> list[Token]:
    if len(tokens) > 2 and tokens[1].word in names and tokens[0].word in greetings:
        tokens = tokens[1:]
    while tokens and tokens[0].word in names:
        tokens = tokens[1:]
        if tokens and tokens[0].word == ":":
            tokens = tokens[1:]
    return tokens


def _correct(tokens: Sequence[Token], book: PhraseBook) -> list[tuple[str, float]]:
    """Return each word as the book spells it, and how sure that is."""
    return book.correct([token.word for token in tokens])


class _Weighed(NamedTuple):
    """A message to find phrases in: its words as the book spells them, also as its letters, and by place how much each
    says (`weights`), also with all before it (`upto`), and how sure its spelling is (`spelled`)."""

    words: tuple[str, ...]
    letters: str
    weights: tuple[float, ...]
    upto: tuple[float, ...]
    spelled: tuple[float, ...]

    def weigh(self, first: int, last: int) -> float:
        """Return how much the words say from a place up to another."""
        return self.upto[last] - self.upto[first]


def _find_matches(words: Sequence[tuple[str, float]], book: PhraseBook, needing: PhrasesByWords) -> list[Match]:
    """Return the phrases that are in a message, in order, enough of each. `needing`: those that are looked for, by the
    words they need."""
    typed, spelled = zip(*words, strict=True) if words else ((), ())
    letters = book.phrases.write(typed)
    said = {*letters} - {UNKNOWN}
    found = needing.find(said)
    if not found:
        return []
    weights = book.weigh(typed)
    message = _Weighed(typed, letters, weights, tuple(accumulate(weights, initial=0.0)), spelled)
    return [
        match
        for number, phrase in _candidates(found, said, message, book)
        if (match := _match(number, phrase, message, book))
    ]


def _candidates(
    found: Collection[int], said: set[str], message: _Weighed, book: PhraseBook
) -> Iterator[tuple[int, str]]:
    """Yield the phrases, by number and as letters, of which enough is in the message, in any order, and more than one
    word of several: few enough to be aligned."""
    weights = dict(zip(message.letters, message.weights, strict=True))
    get_letters, totals = book.phrases.get_letters, book.totals
    for number in sorted(found):
        phrase = get_letters(number)
        common = said.intersection(phrase)
        if len(common) == 1 < len(phrase) and phrase.count(next(iter(common))) == 1:
            continue
        if sum([weights[letter] for letter in common]) >= MIN_COVERAGE * totals[number]:
            yield number, phrase


def _match(number: int, letters: str, message: _Weighed, book: PhraseBook) -> Match | None:
    """Align a phrase with a message, in order; None when too little of it is there, or no negation, or no country,
    where it has one."""
    total = book.totals[number]
    places = _align(letters, message.letters)
    hit = [place for place in places if place is not None]
    is_whole = len(hit) == len(letters)
    if not is_whole and (len(hit) < 2 or _misses_needed_word(letters, places, book)):
        return None
    coverage = sum([message.weights[place] * message.spelled[place] for place in hit]) / total
    if coverage < MIN_COVERAGE:
        return None
    phrase = book.phrases[number]
    if phrase.meaning == CRISIS and not _tells_despair(phrase, [message.words[place] for place in hit], coverage, book):
        return None
    first, last = hit[0], hit[-1]
    own_from, slot_from, slot_to = _find_slot(phrase, places, len(message.words))
    everything = message.upto[-1]
    left = everything - message.weigh(first, last + 1)
    gaps = message.weigh(first, last + 1) - sum([message.weights[place] for place in hit])
    if slot_from is not None and slot_to is not None:
        if slot_from >= slot_to:
            return None
        # The person's own words are neither a gap nor left over.
        own = message.weigh(slot_from, slot_to)
        if first < slot_from <= last:
            gaps -= own
        else:
            left -= own
    is_gapless = gaps < LEAST_WEIGHT
    unsaid = 1 - (0.25 if phrase.keeps else 0.75) * left / everything
    if phrase.meaning == CRISIS and phrase.keeps and len(hit) >= WORDS_TELLING_ENOUGH and coverage >= 1 and is_gapless:
        unsaid = 1.0  # despair in so many words counts among whatever else stands there
    strength = min(1.0, 0.55 + 0.3 * total)
    score = coverage**2 * (1 if is_gapless else 1 / (1 + 0.35 * gaps)) * unsaid * strength
    # Rounded, so that equals are equal: among those the first phrase decides.
    return Match(phrase, round(score, 9), first, last, tuple(hit), own_from, slot_from, slot_to)


def _align(phrase: str, message: str) -> list[int | None]:
    """Return the place of each word of a phrase, each after those before it; None where it is not there. Both are
    written as letters."""
    places: list[int | None] = []
    at = 0
    for wanted in phrase:
        place = message.find(wanted, at)
        if place < 0:
            places.append(None)
        else:
            places.append(place)
            at = place + 1
    return places


def _misses_needed_word(phrase: str, places: Sequence[int | None], book: PhraseBook) -> bool:
    """Return whether a word is not there that a phrase has to have."""
    if book.needed.isdisjoint(phrase):
        return False
    return any(letter in book.needed for letter, place in zip(phrase, places, strict=True) if place is None)


def _tells_despair(phrase: Phrase, hit: Sequence[str], coverage: float, book: PhraseBook) -> bool:
    """Return whether enough of a phrase of despair is there. A small word less makes "altijd weg" of "voor altijd weg",
    and "wat moet ik doen" is asked of anything."""
    if len(hit) == len(phrase.words):
        return True
    is_said = max(phrase.words, key=book.weight) in hit and coverage >= LEAST_OF_DESPAIR
    nearly_all = len(hit) >= LEAST_OF_DESPAIR * len(phrase.words)
    return len(phrase.words) >= WORDS_TELLING_ENOUGH and is_said and nearly_all


def _find_slot(phrase: Phrase, places: Sequence[int | None], words: int) -> tuple[int | None, int | None, int | None]:
    """Return from where the words belong to the content, and from where and up to where they are somebody's own; None
    where a phrase has no place for those."""
    if phrase.slot is None:
        return None, None, None
    before = [place for place in places[: phrase.slot] if place is not None]
    after = [place for place in places[phrase.slot :] if place is not None]
    slot_from, slot_to = before[-1] + 1 if before else 0, after[0] if after else words
    kept = None if phrase.own_from is None else places[phrase.own_from]
    return slot_from if kept is None else min(kept, slot_from), slot_from, slot_to


def _combine(matches: Sequence[Match]) -> float:
    """Add up the evidence of the best phrases: each further one counts for less."""
    doubt, weight, taken = 1.0, 1.0, set[int]()
    for match in sorted(matches, key=lambda one: -one.score):
        span = set(range(match.first, match.last + 1))
        if taken & span:
            continue
        taken |= span
        doubt *= 1 - match.score * weight
        weight *= 0.6
    return 1 - doubt

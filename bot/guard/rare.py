"""Find who is known by one thing: "de enige vrouwelijke schipper van Lutterdam"."""

from collections.abc import Iterator

from bot.guard.giveaways import Giveaway, GuardedText, Trace

_MAX_WORDS = 14


def find_rare_people(reading: GuardedText) -> Iterator[Giveaway]:
    """Find what makes somebody the only one, with the place or sentence that tells which."""
    for at in range(len(reading.words)):
        begin, who = _read_rare(reading, at)
        if who < 0:
            continue
        end = _read_which(reading, who + 1)
        if end > who + 1:
            yield reading.make_finding(Trace.RARE_COMBINATION, begin, end)


def _read_rare(reading: GuardedText, at: int) -> tuple[int, int]:
    """Return the first word of "the only woman", and its last; -1 for the last when it is nothing like that."""
    word = reading.words[at]
    begin = at - 1 if at and reading.has("article", at - 1) else at
    joined = word.plain.partition("-")
    if (
        joined[1]
        and joined[0] in reading.phrases("rare").words
        and any(joined[2].endswith(one) for one in reading.phrases("rare_people").words)
    ):
        return begin, at
    if word not in reading.phrases("rare"):
        return at, -1
    last = -1
    for here in range(at + 1, min(at + 4, len(reading.words))):
        if not reading.words[here].is_close:
            break
        is_told = reading.has("rare_adjectives", last) and last == here - 1 and not reading.has("before_place", here)
        if is_told or reading.has("rare_people", here):
            last = here
    return begin, last


def _read_which(reading: GuardedText, at: int) -> int:
    """Return where the place, or sentence, that says which one ends."""
    if not any(reading.has("before_place", here) for here in (at, at + 1)):
        return at
    end = at
    for here in range(at, min(at + _MAX_WORDS, len(reading.words))):
        word = reading.words[here]
        if not word.is_close or word.sentence != reading.words[at].sentence:
            break
        is_day = word in reading.phrases("weekdays")
        if (word.is_capital and not is_day) or reading.has("month_names", here):
            end = here + 1
    verbs = [here for here in range(end, min(end + 3, len(reading.words))) if reading.has("known_for", here)]
    return verbs[0] + 1 if end > at and verbs and reading.has("who", at) else end

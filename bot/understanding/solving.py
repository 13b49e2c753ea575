"""Find who solved before what somebody is stuck with: by alike words, then by the kind of being stuck."""

from collections.abc import Sequence

from bot.domain.initiative import StuckEpisode, StuckKind
from bot.domain.solved import SOLVED_SHOWN, SolvedSpell
from bot.domain.story import StoryId
from bot.understanding.likeness import find_alike


def find_alike_breakthroughs(episode: StuckEpisode, told: Sequence[SolvedSpell]) -> list[StoryId]:
    """Return at most `SOLVED_SHOWN` of the stories told: those in words alike first, then those about the same kind of
    being stuck. Within each they keep their order, and none comes twice."""
    fitting = [one for one in told if one.is_told_of]
    words: dict[StoryId, dict[str, None]] = {}
    for one in fitting:
        # A story may tell of many breakthroughs: its words, and those that they share, are compared once.
        words.setdefault(one.story, {one.text: None})[one.spell_text] = None
    same = {one.story for one in fitting if one.kind is episode.kind and episode.kind is not StuckKind.OTHER}
    alike = find_alike(episode.text, {key: "\n".join(some) for key, some in words.items()}, most=SOLVED_SHOWN)
    return list(dict.fromkeys([*alike, *(key for key in words if key in same)]))[:SOLVED_SHOWN]

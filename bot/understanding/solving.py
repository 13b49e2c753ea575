"""Find who solved before what somebody is stuck with: by alike words, then by the kind of being stuck."""

from collections.abc import Sequence

from bot.domain.initiative import StuckEpisode, StuckKind
from bot.domain.solved import SOLVED_SHOWN, SolvedSpell
from bot.domain.story import StoryId
from bot.understanding.likeness import find_alike


def find_alike_breakthroughs(episode: StuckEpisode, told: Sequence[SolvedSpell]) -> list[SolvedSpell]:
    """Return at most `SOLVED_SHOWN` of the stories told: those in words alike first, then those about the same kind of
    being stuck. Within each they keep their order, and none comes twice."""
    fitting = [one for one in told if one.story.may_travel and one.is_told_of]
    words: dict[StoryId, str] = {}
    for one in fitting:
        words[one.story.id] = f"{words.get(one.story.id, '')}\n{one.words}"
    same = {one.story.id for one in fitting if one.spell.kind is episode.kind and episode.kind is not StuckKind.OTHER}
    alike = find_alike(episode.text, words, most=SOLVED_SHOWN)
    found = {one.story.id: one for one in reversed(fitting)}
    return [found[key] for key in dict.fromkeys([*alike, *(key for key in words if key in same)])][:SOLVED_SHOWN]

"""Stories about a stuck episode that became a breakthrough: what others who are stuck may learn from."""

from datetime import timedelta
from typing import NamedTuple

from bot.domain.initiative import Audience, EpisodeState, StuckEpisode
from bot.domain.person import Person
from bot.domain.story import Story

TOLD_WITHIN = timedelta(days=28)
"""A story of the initiative, told so soon after the breakthrough, is about it."""
TOLD_AT_ONCE = timedelta(days=1)
"""How soon after it that is for a story of no initiative: nothing else says what it is about."""
SOLVED_SHOWN = 3
"""Stories shown to someone who is stuck."""


class SolvedSpell(NamedTuple):
    """A story with its teller, and a stuck episode of which it may tell how that became a breakthrough."""

    story: Story
    teller: Person
    spell: StuckEpisode

    @property
    def is_told_of(self) -> bool:
        """True when the story tells of the episode: its owner told it since they got stuck, or somebody of the same
        initiative after the breakthrough."""
        story, spell = self.story, self.spell
        is_own = story.teller_id == spell.person_id
        if spell.state is not EpisodeState.BREAKTHROUGH or spell.closed_at is None:
            return False
        if story.initiative_id != spell.initiative_id or (spell.initiative_id is None and not is_own):
            return False
        begins = spell.opened_at if is_own else spell.closed_at
        return begins <= story.told_at <= spell.closed_at + (TOLD_WITHIN if spell.initiative_id else TOLD_AT_ONCE)

    @property
    def words(self) -> str:
        """The words that it may be found by: the story, and what everyone in a channel could read. What somebody told
        only themselves, or a few, finds nothing for others."""
        return f"{self.story.text}\n{self.spell.text}" if self.spell.audience is Audience.CHANNEL else self.story.text

"""Stories about a stuck episode that became a breakthrough: what others who are stuck may learn from."""

from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.initiative import EpisodeId, InitiativeId, StuckKind
from bot.domain.person import PersonId
from bot.domain.story import StoryId

TOLD_WITHIN = timedelta(days=28)
"""A story of the initiative, told so soon after the breakthrough, is about it."""
TOLD_AT_ONCE = timedelta(days=1)
"""How soon after it that is for a story of no initiative: nothing else says what it is about."""
SOLVED_SHOWN = 3
"""Stories shown to someone who is stuck."""


class SolvedSpell(NamedTuple):
    """A story and a breakthrough that it may tell of: of the initiative they share, or of its teller.

    `spell_text`: the words of who was stuck, where everyone in a channel could read them; else empty, as what somebody
    told only themselves, or a few, finds nothing for others.
    """

    story: StoryId
    teller: PersonId
    text: str
    told_at: datetime
    initiative: InitiativeId | None
    spell: EpisodeId
    owner: PersonId
    kind: StuckKind
    spell_text: str
    opened_at: datetime
    closed_at: datetime

    @property
    def is_told_of(self) -> bool:
        """True when the story tells of the breakthrough: its owner told it since they got stuck, or somebody of the
        same initiative after the breakthrough."""
        begins = self.opened_at if self.teller == self.owner else self.closed_at
        return begins <= self.told_at <= self.closed_at + (TOLD_WITHIN if self.initiative else TOLD_AT_ONCE)

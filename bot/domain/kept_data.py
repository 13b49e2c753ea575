"""The one list of what is kept about people: who can read it in the app, and until when it is kept.

The works-council pack, the privacy pages and their tests are made from it. `tests/contract/test_kept_data.py` compares
it with the tables and with what is really deleted, so that it cannot go stale.
"""

from dataclasses import dataclass
from enum import StrEnum


class ReadIn(StrEnum):
    """Names who can read something in the app; each has words in `trust/pack.md.j2`."""

    OWN = "own"
    NAME = "name"
    CHOSEN = "chosen"
    TAKING_PART = "taking_part"
    MOVEMENT = "movement"
    INITIATIVE = "initiative"
    CHANNEL = "channel"
    GIVEN = "given"
    TWO = "two"
    TELLER = "teller"
    YES = "yes"
    AGREED = "agreed"
    NAMED = "named"
    COUNTED = "counted"
    SUGGESTED = "suggested"
    KNOWN = "known"
    NOBODY = "nobody"


class KeptUntil(StrEnum):
    """Names until when something is kept, but for *forget me*; each has words in `trust/pack.md.j2`."""

    BELONGS = "belongs"
    CLOSED = "closed"
    UNLESS_YES = "unless_yes"
    SENT = "sent"
    CHOSEN = "chosen"
    OPENED = "opened"


@dataclass(frozen=True)
class KeptAbout:
    """Tells who reads the rows of a table, and until when they are kept."""

    readers: ReadIn
    until: KeptUntil = KeptUntil.BELONGS


_CLOSED, _SENT = KeptUntil.CLOSED, KeptUntil.SENT
KEPT_ABOUT_PEOPLE: dict[str, KeptAbout] = {
    "people": KeptAbout(ReadIn.NAME),
    "members": KeptAbout(ReadIn.SUGGESTED),
    "stories": KeptAbout(ReadIn.CHOSEN),
    "ripples": KeptAbout(ReadIn.TELLER),
    "significances": KeptAbout(ReadIn.AGREED),
    "practices": KeptAbout(ReadIn.COUNTED),
    "story_requests": KeptAbout(ReadIn.TWO),
    "held_words": KeptAbout(ReadIn.OWN, KeptUntil.CHOSEN),
    "stuck_episodes": KeptAbout(ReadIn.CHOSEN, _CLOSED),
    "questions_asked": KeptAbout(ReadIn.OWN, _CLOSED),
    "companies": KeptAbout(ReadIn.TWO, _CLOSED),
    "next_steps": KeptAbout(ReadIn.CHOSEN, _CLOSED),
    "chances": KeptAbout(ReadIn.CHOSEN, _CLOSED),
    "experiments": KeptAbout(ReadIn.INITIATIVE, _CLOSED),
    "experiment_answers": KeptAbout(ReadIn.INITIATIVE, _CLOSED),
    "history_answers": KeptAbout(ReadIn.CHANNEL, _CLOSED),
    "initiatives": KeptAbout(ReadIn.MOVEMENT),
    "participants": KeptAbout(ReadIn.MOVEMENT),
    "rooms": KeptAbout(ReadIn.GIVEN, _CLOSED),
    "invitations": KeptAbout(ReadIn.TWO, _CLOSED),
    "nominations": KeptAbout(ReadIn.NAMED, _CLOSED),
    "suggestions": KeptAbout(ReadIn.OWN, _CLOSED),
    "ties": KeptAbout(ReadIn.KNOWN),
    "tie_answers": KeptAbout(ReadIn.CHOSEN, _CLOSED),
    "meeting_guests": KeptAbout(ReadIn.TAKING_PART, _CLOSED),
    "purposes": KeptAbout(ReadIn.MOVEMENT),
    "rhythms": KeptAbout(ReadIn.MOVEMENT),
    "coordinator_changes": KeptAbout(ReadIn.MOVEMENT, _CLOSED),
    "story_doors": KeptAbout(ReadIn.MOVEMENT),
    "magazines": KeptAbout(ReadIn.MOVEMENT),
    "magazine_stories": KeptAbout(ReadIn.YES, KeptUntil.UNLESS_YES),
    "api_tokens": KeptAbout(ReadIn.MOVEMENT),
    "webhooks": KeptAbout(ReadIn.MOVEMENT),
    "invite_codes": KeptAbout(ReadIn.NOBODY),
    "calendar_feeds": KeptAbout(ReadIn.OWN),
    "page_sessions": KeptAbout(ReadIn.OWN, KeptUntil.OPENED),
    "personal_files": KeptAbout(ReadIn.OWN, KeptUntil.OPENED),
    "deliveries": KeptAbout(ReadIn.OWN, _SENT),
    "mentions": KeptAbout(ReadIn.NOBODY, _SENT),
    "old_messages": KeptAbout(ReadIn.NOBODY),
    "slack_installations": KeptAbout(ReadIn.NOBODY),
    "teams_conversations": KeptAbout(ReadIn.NOBODY),
}
"""Every table with rows about people."""

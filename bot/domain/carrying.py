"""Initiatives that nobody carries any more, and those of which nothing was heard for long: when to ask whom, and what
the cards of others say once one answered."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.forgetting import replace_message
from bot.domain.initiative import Participant
from bot.domain.person import Person, PersonId

SILENT_AFTER = timedelta(weeks=4)
"""How long nothing happened in an initiative before it is asked about; `RITME_SILENT_WEEKS` sets another."""
ASK_AGAIN_AFTER = timedelta(weeks=13)
"""How long it is left alone after that, when nothing happens."""
CARRY_OFFERED, SILENCE_ASKED, INITIATIVE_SETTLED = "carry_offered", "silence_asked", "initiative_settled"
"""Kinds of deliveries: the offer to carry an initiative, the question how it goes on, and what replaces either."""

TakingPart = Sequence[tuple[Person, Participant]]


def carriers(taking_part: TakingPart) -> list[Person]:
    """Return who carries an initiative now: its initiators whose account is in use."""
    return [person for person, part in taking_part if part.initiator and person.deactivated_at is None]


def settle_cards(cards: Iterable[Delivery], what: str, by: PersonId, now: datetime) -> list[Delivery]:
    """Drop the cards that still wait, and make the changes by which those of others say what became of it (`what`), and
    by whom."""
    changes = []
    for card in cards:
        if card.state is DeliveryState.WAITING:
            card.drop("answered")
        elif card.may_have_arrived and card.person_id != by:
            change = replace_message(card, INITIATIVE_SETTLED, now)
            change.add_args(what=what, by=by)
            changes.append(change)
    return changes

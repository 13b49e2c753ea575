"""Company: two peers who think along with someone who is stuck. Who they are, and when they are asked and heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import quiet_hours
from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import COMPANY_HOURS, COMPANY_SIZE, Company, CompanyId, CompanyState, StuckEpisode
from bot.domain.movement import Movement
from bot.domain.person import Person

REST = timedelta(days=7)
"""Nobody is asked to think along twice in a week."""
MOST_RESERVES = 2


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Who would be asked now, and who would be asked when one of them cannot."""

    asked: tuple[Person, ...] = ()
    reserve: tuple[Person, ...] = ()


def peers(candidates: Sequence[Person], stuck: Person) -> Peers:
    """Willing people first, in the order given, and one from another group among the two when there is one."""
    willing = sorted(candidates, key=lambda person: person.suggestible is not True)
    elsewhere = next((one for one in willing if one.group and one.group != stuck.group), None)
    chosen = willing[:COMPANY_SIZE]
    if elsewhere is not None and elsewhere not in chosen:
        chosen = [*chosen[: COMPANY_SIZE - 1], elsewhere]
    rest = [one for one in willing if one not in chosen]
    return Peers(asked=tuple(chosen), reserve=tuple(rest[:MOST_RESERVES]))


def may_be_asked(person: Person, now: datetime) -> bool:
    """Nobody who wants nothing now, who said no to being suggested, or whose name cannot be told beforehand."""
    return bool(person.name) and person.suggestible is not False and person.can_be_suggested(now)


def ask(
    episode: StuckEpisode, person: Person, of_round: int, now: datetime, *, picked: bool = False
) -> tuple[Company, Delivery]:
    """One peer asked in a round of an episode, and the message that asks."""
    company = Company(
        id=CompanyId(new_id()),
        movement_id=episode.movement_id,
        episode_id=episode.id,
        person_id=person.id,
        round=of_round,
        picked=picked,
        asked_at=now,
    )
    return company, to_person(
        person,
        "company_asked",
        key=f"company_asked:{company.id}",
        now=now,
        movement=episode.movement_id,
        subject=company.id,
        priority=Priority.FROM_A_PERSON,
        # Where attention has been asked for enough, a request that could only come late does not come.
        expires_at=now + REST,
    )


def begin_round(
    episode: StuckEpisode,
    stuck: Person,
    chosen: Peers,
    *,
    before: Sequence[Company],
    movement: Movement,
    now: datetime,
    picked: bool = False,
) -> tuple[list[Company], list[Delivery]]:
    """A new round after those `before`: who is asked, the messages that ask, and the one that shows their answers
    side by side: at the latest 48 hours after the last of them could be reached."""
    number = max((one.round for one in before), default=0) + 1
    asked = [ask(episode, person, number, now, picked=picked) for person in chosen.asked]
    reached = max((free_at(person, movement, now) for person in chosen.asked), default=now)
    shown = to_person(
        stuck,
        "company_together",
        key=together_key(episode, number),
        now=now,
        movement=episode.movement_id,
        subject=episode.id,
        due_at=free_at(stuck, movement, reached + timedelta(hours=COMPANY_HOURS)),
        args={"round": number, "reserve": [person.id for person in chosen.reserve]},
    )
    return [company for company, _ in asked], [*(message for _, message in asked), shown]


def together_key(episode: StuckEpisode, of_round: int) -> str:
    """The key of the message that shows a round."""
    return f"company_together:{episode.id}:{of_round}"


def free_at(person: Person, movement: Movement, moment: datetime) -> datetime:
    """The first moment from `moment` on that is not quiet for this person."""
    return quiet_hours.of_person(person, person.timezone or movement.timezone).over_at(moment)


def is_complete(companies: Sequence[Company]) -> bool:
    """Whether nobody's answer is awaited any more."""
    return all(company.state is not CompanyState.ASKED for company in companies)

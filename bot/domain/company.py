"""Company: two peers think along with someone who is stuck. Choosing them, asking them, and showing their answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import quiet_hours
from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import COMPANY_HOURS, COMPANY_SIZE, Company, CompanyId, CompanyState, StuckEpisode
from bot.domain.movement import Movement
from bot.domain.person import Person, PersonId

REST = timedelta(days=7)
"""Nobody is asked to think along twice in a week."""
EXTRA = "extra"
"""The argument of a `company_together` delivery whose round is asked though another brought answers: when nothing
comes, nothing is said."""
MAX_RESERVES = 2
"""Peers kept in reserve, for when one who was asked cannot."""


@dataclass(frozen=True, kw_only=True)
class Peers:
    """The peers to ask now, and those in reserve for when one of them cannot. Who they are is told once they answer."""

    asked: tuple[Person, ...] = ()
    reserve: tuple[Person, ...] = ()


def find_peers(candidates: Sequence[Person], stuck: Person, asked_enough: Collection[PersonId], now: datetime) -> Peers:
    """Choose the peers to ask, of the candidates of the same workspace who may be asked now and were not asked
    enough."""
    willing = [
        one
        for one in candidates
        if one.workspace_id == stuck.workspace_id and one.id not in asked_enough and may_be_asked(one, now)
    ]
    return choose_peers(willing, stuck)


def choose_peers(candidates: Sequence[Person], stuck: Person) -> Peers:
    """Choose the peers to ask: in the order given, and one from another group among the two when there is one."""
    elsewhere = next((one for one in candidates if one.group and one.group != stuck.group), None)
    chosen = list(candidates[:COMPANY_SIZE])
    # Somebody from another group is worth more than the second in line.
    if elsewhere is not None and elsewhere not in chosen:
        chosen = [*chosen[: COMPANY_SIZE - 1], elsewhere]
    rest = [one for one in candidates if one not in chosen]
    return Peers(asked=tuple(chosen), reserve=tuple(rest[:MAX_RESERVES]))


def may_be_asked(person: Person, now: datetime) -> bool:
    """Return whether someone who agreed to be suggested may be asked to think along now. Not who should get no
    messages, and not those without a known name."""
    return bool(person.name) and person.can_be_suggested(now)


def can_be_told(stuck: Person) -> bool:
    """Return whether the one who is stuck can be shown what others give: they still read messages of Ritme."""
    return stuck.account is not None and stuck.stopped_at is None and stuck.deactivated_at is None


def ask_peer(
    episode: StuckEpisode, person: Person, of_round: int, now: datetime, *, picked: bool = False
) -> tuple[Company, Delivery]:
    """Ask one peer, in a round of an episode. Returns the record of it and the message that asks."""
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
        # Waiting for room in the attention budget may take longer than the question makes sense.
        expires_at=now + REST,
    )


def plan_showing(
    episode: StuckEpisode,
    stuck: Person,
    asked: Sequence[Person],
    *,
    of_round: int,
    reserve: Sequence[Person],
    movement: Movement,
    now: datetime,
) -> Delivery:
    """Make the message that shows the answers of a round side by side, at the latest 48 hours after the last peer could
    be reached. It keeps who is in reserve."""
    reached = max((first_reachable_at(person, movement, now) for person in asked), default=now)
    return to_person(
        stuck,
        "company_together",
        key=round_key(episode, of_round),
        now=now,
        movement=episode.movement_id,
        subject=episode.id,
        due_at=first_reachable_at(stuck, movement, reached + timedelta(hours=COMPANY_HOURS)),
        args={"round": of_round, "reserve": [person.id for person in reserve]},
    )


def next_round(before: Sequence[Company]) -> int:
    """Return the number of a new round, after those asked `before`."""
    return max((one.round for one in before), default=0) + 1


def round_key(episode: StuckEpisode, of_round: int) -> str:
    """Return the idempotency key of the message that shows the answers of a round."""
    return f"company_together:{episode.id}:{of_round}"


def first_reachable_at(person: Person, movement: Movement, moment: datetime) -> datetime:
    """Return the first moment from `moment` on that is outside a person's quiet hours."""
    return quiet_hours.of_person(person, person.timezone or movement.timezone, movement).first_allowed_at(moment)


def is_complete(companies: Sequence[Company]) -> bool:
    """Return whether every peer has answered."""
    return all(company.state is not CompanyState.ASKED for company in companies)

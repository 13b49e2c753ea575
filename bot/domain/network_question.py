"""Questions to a movement's network, and their answers, without the network itself.

Only ties between two who both agreed to be suggested in the movement are in it: whom others know is used for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.connectors import KeyFigure
from bot.domain.movement import MovementId
from bot.domain.person import PersonId, WorkspaceId

MOST_ROUNDS = 3
"""How often the network is asked for one answer: who turns out not to be free any more is left out the next time."""
ASKS_COUNT_FOR = timedelta(days=90)
"""How long an ask makes that somebody is suggested less."""


@dataclass(frozen=True, kw_only=True)
class NetworkQuestion:
    """The question whom of a movement to suggest to `asker`, as `wanted`, at most `most`: not those who take part
    (`active`) or are `left_out`, and only whose name may be read in `workspace`. With `most` 0 only the sizes of groups
    are asked."""

    movement: MovementId
    asker: PersonId
    workspace: WorkspaceId
    now: datetime
    wanted: KeyFigure | None = None
    active: frozenset[PersonId] = frozenset()
    left_out: frozenset[PersonId] = frozenset()
    most: int = 0


@dataclass(frozen=True, kw_only=True)
class NetworkAdvice:
    """The answer: whom to suggest, in order, who of them was named by colleagues, and how many members each group
    has."""

    chosen: tuple[PersonId, ...] = ()
    named: frozenset[PersonId] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)
    rounds: int = 1
    left_out: frozenset[PersonId] = frozenset()
    """Those that were left out before, because they turned out not to be free any more."""


@dataclass(frozen=True, kw_only=True)
class NetworkVersion:
    """How often a movement's ties changed, and its circle: who belongs to it, their groups, and who agreed."""

    ties: int = 0
    circle: int = 0


@dataclass(frozen=True, kw_only=True)
class NetworkRows:
    """The rows of a movement's network, read at one moment.

    `groups` (the group of every member, in the order they joined; "" for none) and `agreed` (who agreed to be
    suggested, and as what) are empty when the circle is as it was known; then `ties` (between two who agreed, with
    strength) are only those that may have changed. `latest`: when a tie changed last. `unfree`: those who agreed but
    cannot be suggested now; `asked`: when people were, or will be, asked something; `named`: how many others than the
    asker named somebody as what is wanted, from `NAMED_FROM` on.
    """

    version: NetworkVersion
    is_whole: bool
    groups: Mapping[PersonId, str]
    agreed: Mapping[PersonId, frozenset[KeyFigure]]
    ties: list[tuple[PersonId, PersonId, int]]
    latest: datetime | None
    unfree: frozenset[PersonId]
    asked: Mapping[PersonId, list[datetime]]
    named: Mapping[PersonId, int]

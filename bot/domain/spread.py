"""How stories spread between the groups of a movement: how many were told in each, and how many people elsewhere did
something with them. Rounded figures of groups, never persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import Draw, round_by_chance

SPREAD_PERIOD = timedelta(weeks=4)
SPREAD_PERIODS = 3
SPREAD_OVER = SPREAD_PERIOD * SPREAD_PERIODS
"""How far back a map looks."""


class ToldCount(NamedTuple):
    """How many stories that may travel people of a group told in a period, counted from 0, the earliest."""

    group: str
    period: int
    stories: int


class FlowCount(NamedTuple):
    """How many times people of a group (`target`) did something with a story of a group (`source`): said that they do
    it too, passed it on, or took a step because of it; each person and story counts once."""

    source: str
    target: str
    times: int


@dataclass(frozen=True, kw_only=True)
class SpreadCounts:
    """The counts: how many people each group has, what they told, and what others did with it."""

    sizes: Mapping[str, int]
    told: Sequence[ToldCount] = ()
    flows: Sequence[FlowCount] = ()


@dataclass(frozen=True, kw_only=True)
class GroupSpread:
    """The stories of a group, rounded: one figure for each period, the earliest first."""

    group: str
    stories: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The times that people of a group did something with stories of a group, rounded; within one
    group the two are the same."""

    source: str
    target: str
    times: int


@dataclass(frozen=True, kw_only=True)
class SpreadMap:
    """How stories spread, as it was counted at a moment. Groups under `MIN_GROUP_SIZE` are not in it."""

    at: datetime
    groups: tuple[GroupSpread, ...] = ()
    flows: tuple[Flow, ...] = ()

    def without(self, small: set[str]) -> "SpreadMap":
        """Return it without groups that have too few people by now."""
        return SpreadMap(
            at=self.at,
            groups=tuple(one for one in self.groups if one.group not in small),
            flows=tuple(one for one in self.flows if not {one.source, one.target} & small),
        )

    def dump(self) -> dict[str, object]:
        """Return it as JSON values; see `load_spread`."""
        return {
            "at": self.at.isoformat(),
            "groups": [[one.group, list(one.stories)] for one in self.groups],
            "flows": [[one.source, one.target, one.times] for one in self.flows],
        }


def load_spread(stored: Mapping[str, object]) -> SpreadMap | None:
    """Return the map that `SpreadMap.dump` stored; None for nothing."""
    groups, flows = stored.get("groups"), stored.get("flows")
    if not isinstance(groups, list) or not isinstance(flows, list):
        return None
    return SpreadMap(
        at=datetime.fromisoformat(str(stored["at"])),
        groups=tuple(GroupSpread(group=str(group), stories=tuple(map(int, many))) for group, many in groups),
        flows=tuple(Flow(source=str(one), target=str(other), times=int(times)) for one, other, times in flows),
    )


def draw_spread(counts: SpreadCounts, now: datetime, draw: Draw) -> SpreadMap:
    """Make the map of now: groups by name, flows from the largest; each figure rounded by chance."""
    shown = sorted(group for group, size in counts.sizes.items() if group and size >= MIN_GROUP_SIZE)
    told = {(group, period): stories for group, period, stories in counts.told}
    flows = [
        Flow(source=source, target=target, times=round_by_chance(times, draw))
        for source, target, times in sorted(counts.flows)
        if source in shown and target in shown
    ]
    return SpreadMap(
        at=now,
        groups=tuple(
            GroupSpread(
                group=group,
                stories=tuple(round_by_chance(told.get((group, period), 0), draw) for period in range(SPREAD_PERIODS)),
            )
            for group in shown
        ),
        flows=tuple(sorted((one for one in flows if one.times), key=lambda one: (-one.times, one.source, one.target))),
    )


def order_on_ring(groups: Sequence[str], flows: Sequence[Flow]) -> list[str]:
    """Return groups in the order in which they stand around a ring, so that those between which much flows stand near
    each other. The same groups and flows always give the same order.

    Spectral ordering: the angle of the two smoothest vectors of the graph's Laplacian, after the constant one.
    """
    if len(groups) < 4:
        return list(groups)
    import numpy as np  # here: few look at a map, and it takes long to load

    number = {group: index for index, group in enumerate(groups)}
    near = np.full((len(groups), len(groups)), 0.01)
    for one in flows:
        if one.source != one.target and {one.source, one.target} <= number.keys():
            near[number[one.source], number[one.target]] += one.times
            near[number[one.target], number[one.source]] += one.times
    # Slightly apart by their place in the list: equal values would leave the order to the library.
    near += np.diag(np.arange(len(groups)) * 1e-6)
    laplacian = np.diag(near.sum(axis=1)) - near
    _, vectors = np.linalg.eigh(laplacian)
    across, along = vectors[:, 1], vectors[:, 2]
    angles = np.round(np.arctan2(along, across), 6)
    order = sorted(range(len(groups)), key=lambda index: (float(angles[index]), groups[index]))
    # Turned and mirrored in one way: the first by name on top, and of its neighbours the first by name to the right.
    start = order.index(0)
    turned = order[start:] + order[:start]
    if turned[1] > turned[-1]:
        turned = [turned[0], *reversed(turned[1:])]
    return [groups[index] for index in turned]

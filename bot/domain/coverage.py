"""How far a movement reaches: how many of each group know who takes part in its initiatives. Figures, never persons."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from bot.domain.asks import MONTH
from bot.domain.connectors import MIN_GROUP_SIZE

RECOUNTED_AFTER = timedelta(days=7)
"""How long a picture stands: looked at more often, two of them might differ by one person."""
ROUNDED_TO = MIN_GROUP_SIZE
ROUND_RESTS = 3 * MONTH
"""How long after a round for names, or for ties, a place is not asked the same again."""
NAMES_ROUND, TIES_ROUND = "names_round", "ties_round"
"""Kinds of deliveries: the question, for everyone in a place, who passes things on well, and whom people ask things."""
GROUP_OUT = "group_out_of_reach"
"""The kind of the message to a coordinator that a group stays out of reach."""
LOOKS_AFTER = MONTH
"""How often Ritme looks by itself how far a movement reaches. A group stays out of reach when it is so at a look, and
was so that long before."""
TOLD_WAITS = timedelta(days=28)
"""How long that message waits for room in the attention budget."""

Draw = Callable[[int], int]
"""Returns a random number from 0 up to, but not including, its argument; `secrets.randbelow` is one."""


class GroupCount(NamedTuple):
    """How many members of a group take part or know two or more who do (`well`), know one (`once`), or nobody that
    Ritme knows of (`unknown`)."""

    group: str
    well: int
    once: int
    unknown: int


@dataclass(frozen=True, kw_only=True)
class GroupReach:
    """The figures of a `GroupCount`, rounded. `out_since`: since when the group is out of reach; None when it is not.

    Out of reach is a group of which more know nobody than somebody: the wish is most of each group, never everyone.
    """

    group: str
    well: int
    once: int
    unknown: int
    out_since: datetime | None = None


class RoundRepeat(NamedTuple):
    """A round (its `kind`) that comes again in a place, about once in `ROUND_RESTS`; of names, in a group."""

    kind: str
    place: str
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class ReachPicture:
    """How far a movement reached at a moment. Groups under `MIN_GROUP_SIZE`, and people without one, are not in it."""

    at: datetime
    groups: tuple[GroupReach, ...] = ()
    rests: Mapping[str, datetime | None] = field(default_factory=dict)
    """Groups out of reach about which Ritme says nothing by itself: until a moment, or (None) as long as they are."""

    repeats: tuple[RoundRepeat, ...] = ()
    """Rounds that come again, at most one of each kind in a place."""

    def is_out(self, group: str) -> bool:
        """Return whether a group was out of reach when it was counted."""
        return any(one.group == group and one.out_since is not None for one in self.groups)

    def find_news(self, now: datetime) -> str:
        """Return the group that stays out of reach, the longest, that a coordinator may be told of now; or ""."""
        return next((one.group for one in self.groups if self._stays_out(one, now) and self._may_tell(one, now)), "")

    def _stays_out(self, one: GroupReach, now: datetime) -> bool:
        return one.out_since is not None and now - one.out_since >= LOOKS_AFTER

    def _may_tell(self, one: GroupReach, now: datetime) -> bool:
        until = self.rests.get(one.group)
        return one.group not in self.rests or (until is not None and now >= until)

    def rest(self, group: str, until: datetime | None) -> Self:
        """Return it with nothing said about a group until a moment, or (None) as long as it is out of reach."""
        return replace(self, rests={**self.rests, group: until})

    def repeat(self, again: RoundRepeat) -> Self:
        """Return it with a round that comes again, in place of the one of its kind in that place."""
        return replace(self, repeats=(*self.end(again.kind, again.place).repeats, again))

    def end(self, kind: str, place: str) -> Self:
        """Return it without the round of a kind that comes again in a place."""
        return replace(self, repeats=tuple(one for one in self.repeats if one[:2] != (kind, place)))

    def wake(self, groups: Collection[str]) -> Self:
        """Return it with these groups spoken of again, except those that rest until a moment."""
        kept = {group: until for group, until in self.rests.items() if until is not None or group not in groups}
        return replace(self, rests=kept)

    def dump(self) -> dict[str, object]:
        """Return it as JSON values; see `load_picture`."""
        return {
            "at": self.at.isoformat(),
            "groups": [
                [one.group, one.well, one.once, one.unknown, one.out_since.isoformat() if one.out_since else ""]
                for one in self.groups
            ],
            # Beside the rows, not in them: a process of the version before reads rows of five.
            "rests": {group: until.isoformat() if until is not None else "" for group, until in self.rests.items()},
            "repeats": [list(one) for one in self.repeats],
        }


def load_picture(stored: Mapping[str, object]) -> ReachPicture | None:
    """Return the picture that `ReachPicture.dump` stored; None for nothing."""
    rows, rests, repeats = stored.get("groups"), stored.get("rests"), stored.get("repeats")
    if not isinstance(rows, list):
        return None
    rests = rests if isinstance(rests, dict) else {}
    repeats = repeats if isinstance(repeats, list) else []
    return ReachPicture(
        at=datetime.fromisoformat(str(stored["at"])),
        rests={group: datetime.fromisoformat(until) if until else None for group, until in rests.items()},
        repeats=tuple(RoundRepeat(*map(str, one)) for one in repeats),
        groups=tuple(
            GroupReach(
                group=str(group),
                well=int(well),
                once=int(once),
                unknown=int(unknown),
                out_since=datetime.fromisoformat(since) if since else None,
            )
            for group, well, once, unknown, since in rows
        ),
    )


def draw_picture(counts: Sequence[GroupCount], now: datetime, before: ReachPicture | None, draw: Draw) -> ReachPicture:
    """Make the picture of now: groups out of reach first, and those that are so longest before others."""
    since = {one.group: one.out_since for one in before.groups} if before is not None else {}
    shown = [
        _round(one, now, since.get(one.group), draw)
        for one in counts
        if one.group and one.well + one.once + one.unknown >= MIN_GROUP_SIZE
    ]
    rests = before.rests if before is not None else {}
    return ReachPicture(
        at=now,
        groups=tuple(sorted(shown, key=lambda one: (one.out_since is None, one.out_since or now, one.group))),
        # What was in reach for a while may be told of again.
        rests={one.group: rests[one.group] for one in shown if one.out_since is not None and one.group in rests},
        repeats=before.repeats if before is not None else (),
    )


def _round(count: GroupCount, now: datetime, since: datetime | None, draw: Draw) -> GroupReach:
    well, once, unknown = (round_by_chance(many, draw) for many in (count.well, count.once, count.unknown))
    is_out = unknown > well + once
    return GroupReach(
        group=count.group, well=well, once=once, unknown=unknown, out_since=(since or now) if is_out else None
    )


def round_by_chance(many: int, draw: Draw) -> int:
    """Round to the `ROUNDED_TO` below or above, to each as often as it is near: on average it is right, and no
    difference of two figures tells of one person. (Random rounding, as statistics offices do with small tables.)"""
    below = many - many % ROUNDED_TO
    return below + ROUNDED_TO if draw(ROUNDED_TO) < many % ROUNDED_TO else below


def is_named_after(place: str, group: str) -> bool:
    """Return whether the name of a place is that of a group, as far as letters and digits go, or contains it."""
    name, wanted = ("".join(filter(str.isalnum, one.casefold())) for one in (place, group))
    return bool(wanted) and wanted in name

"""How tellers meant their stories: one press on a triangle or between two poles, and the cloud that these make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.story import TRIANGLE

CLOUD_FROM = MIN_GROUP_SIZE
"""Tellers whose answers a cloud needs, and each redrawing of it: no difference of two clouds tells of one answer."""
OTHERWISE = 2
"""Of the tellers whose answers it is drawn of, so many at least answered otherwise than most: then nobody of them, who
knows their own answer, knows that all others gave the same."""
_CORNERS = ("broaden", "deepen", "steer")
_POLES = ("left", "leftish", "middle", "rightish", "right")
_POINTS = {
    TRIANGLE: (*_CORNERS, "broaden_deepen", "deepen_steer", "broaden_steer", "middle"),
    "origin": _POLES,
    "courage": _POLES,
    "practice": _POLES,
}
SCALES = tuple(_POINTS)
"""The scales that a coordinator chooses from; their words are in `stories/meanings.md.j2`."""
_NEAR = {
    "broaden": ("broaden_deepen", "broaden_steer"),
    "deepen": ("broaden_deepen", "deepen_steer"),
    "steer": ("broaden_steer", "deepen_steer"),
    "middle": ("leftish", "rightish"),
}


def list_points(scale: str) -> tuple[str, ...]:
    """Return every point of a scale, in the order in which they are told; none of a scale that is not known."""
    return _POINTS.get(scale, ())


def list_first(scale: str) -> tuple[str, ...]:
    """Return the points that are asked about at once: the corners and the middle, or the poles and between them."""
    return (*_CORNERS, "middle") if scale == TRIANGLE else ("left", "middle", "right")


def list_near(scale: str, point: str) -> tuple[str, ...]:
    """Return the points that somebody may go on to from one of the first: those between it and the others."""
    return tuple(one for one in _NEAR.get(point, ()) if one in list_points(scale))


def join_meaning(scale: str, point: str) -> str:
    """Return a point of a scale as it is stored with a story."""
    return f"{scale}:{point}"


def split_meaning(meant: str) -> tuple[str, str]:
    """Return the scale and the point that stand with a story; both empty where its teller did not answer."""
    scale, _, point = meant.partition(":")
    return (scale, point) if point in list_points(scale) else ("", "")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers on one scale, of stories that may travel: how many stories at each point, of how many tellers, and
    how many of those answered since the cloud was last drawn, at most `alike` of these at one point."""

    points: Mapping[str, int] = field(default_factory=dict)
    tellers: int = 0
    new_tellers: int = 0
    alike: int = 0


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The cloud of a scale as it was last drawn: how many stories at each point. It is drawn anew only after answers of
    five other tellers or more, taken together, who did not nearly all answer the same."""

    at: datetime
    points: Mapping[str, int]

    def dump(self) -> dict[str, object]:
        """Return it as JSON values; see `load_cloud`."""
        return {"at": self.at.isoformat(), "points": dict(self.points)}


def load_cloud(stored: Mapping[str, object], scale: str) -> Cloud | None:
    """Return the cloud of a scale among those that a movement keeps; None where none was drawn yet."""
    kept = stored.get(scale)
    if not isinstance(kept, dict):
        return None
    points = {point: int(many) for point, many in kept["points"].items() if point in list_points(scale)}
    return Cloud(at=datetime.fromisoformat(kept["at"]), points=points)


def redraw(answers: Answers, now: datetime) -> Cloud | None:
    """Return the cloud drawn anew; None while too few others answered since it was drawn, or nearly all the same."""
    if min(answers.new_tellers, answers.tellers) < CLOUD_FROM or answers.new_tellers - answers.alike < OTHERWISE:
        return None
    return Cloud(at=now, points=dict(answers.points))

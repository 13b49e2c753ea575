"""The overview for coordinators of problems in sending, with a button to solve each."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Self

from bot.catalogue.base import Entry, Press


@dataclass(frozen=True, kw_only=True)
class UninstalledWorkspace:
    """A workspace that Ritme was removed from. `reason`: a block of `errors/reasons.md.j2`, with a cure in
    `reach/cures.md.j2`."""

    workspace: str
    since: datetime
    reason: str
    platform: str = ""


@dataclass(frozen=True, kw_only=True)
class Snag:
    """One problem: a "place" out of reach, a message "held" back (until `at`), or one that "ended" unsent (at `at`)."""

    what: Literal["place", "held", "ended"]
    id: str
    place: str
    reason: str
    kind: str = ""
    at: datetime | None = None
    may_try: bool = True
    platform: str = ""


class TroubleShown(Entry):
    """The problems in sending, numbered, each with its way out. `more` counts those not shown, `personal` the failed
    messages to one person, never whose. `news` tells what was just done: "", "again" or "left"."""

    name: str
    refusals: tuple[UninstalledWorkspace, ...] = ()
    snags: tuple[Snag, ...] = ()
    more: int = 0
    personal: int = 0
    news: str = ""

    def buttons(self) -> tuple[Press, ...]:
        presses = [Press(name="knock", intent="trouble.knock", style="primary")] if self.refusals else []
        for number, snag in enumerate(self.snags, 1):
            if snag.what == "place":
                presses.append(Press(name=f"again_{number}", intent="trouble.place", args={"place": snag.id}))
                continue
            about = {"delivery": snag.id}
            if snag.may_try and snag.what == "ended":
                presses.append(Press(name=f"again_{number}", intent="trouble.again", args=about))
            presses.append(Press(name=f"leave_{number}", intent="trouble.leave", args=about))
        return tuple(presses)

    @classmethod
    def example(cls) -> Self:
        at = datetime(2027, 3, 1, 12, tzinfo=UTC)
        held = Snag(what="held", id="d1", place="nachtdienst", kind="rhythm_purpose", at=at, reason="quiet_hours")
        return cls(
            name="Samen vooruit",
            refusals=(UninstalledWorkspace(workspace="Thuiszorg Noord", since=at, reason="app_removed"),),
            snags=(
                Snag(what="place", id="p1", place="kantoor", reason="not_in_place"),
                held,
                Snag(what="ended", id="d2", place="kantoor", kind="story_posted", at=at, reason="scope_missing"),
                *(held,) * 3,
            ),
            more=2,
            personal=1,
        )

"""Messages that show a picture, and say the same in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal, Self

from bot.catalogue.base import Entry, PictureEntry, Press, Tell
from bot.catalogue.look_backs import LookBack
from bot.catalogue.rhythms import RhythmSummary
from bot.domain.look_back import MomentKind, TimelineMoment
from bot.domain.recurrence import Freq
from bot.domain.rhythm import RhythmKind
from bot.domain.year import QUARTER, WEEKS, MomentState, Year, YearMoment, mark_weeks

YEAR_RHYTHMS = 8
"""Rhythms that fit in the picture of a year."""
TOLD_PER_RHYTHM = 8
"""Lines of a rhythm about what comes otherwise than planned."""


class PictureComing(Entry):
    """Announcement of a picture, which comes in the reader's own chat."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class YearLine:
    """An outcome other than planned, of moments that follow each other: `state` and `because` as in `YearMoment`, from
    `first` to `last`. `holiday` is the name of the one day off, where it is known; `given` the day its rule gives."""

    state: MomentState
    first: date
    last: date
    because: Literal["", "holiday", "closed", "weekend", "changed", "quiet"] = ""
    holiday: str = ""
    given: date | None = None


@dataclass(frozen=True, kw_only=True)
class YearRhythm:
    """A rhythm in a year: its moments, and the names of the holidays on which one would fall, by day."""

    rhythm: RhythmSummary
    moments: tuple[YearMoment, ...] = ()
    holidays: tuple[tuple[date, str], ...] = ()

    @property
    def posted(self) -> int:
        """How many moments came."""
        return self._count(MomentState.SENT)

    @property
    def planned(self) -> int:
        """How many moments are to come."""
        return self._count(MomentState.PLANNED) + self._count(MomentState.MOVED)

    @property
    def lines(self) -> tuple[YearLine, ...]:
        """The outcomes other than planned of its moments, in order; alike ones that follow each other together."""
        names = dict(self.holidays)
        found = []
        for (state, because, _), ones in groupby(self.moments, key=self._alike):
            first, *rest = ones
            if first.given is None and state in (MomentState.SENT, MomentState.PLANNED):
                continue
            off = first.given or first.on
            found.append(
                YearLine(
                    state=state,
                    first=first.on,
                    last=rest[-1].on if rest else first.on,
                    because=because,
                    holiday=names.get(off, "") if because == "holiday" else "",
                    given=first.given,
                )
            )
        return tuple(found)

    @property
    def told(self) -> tuple[YearLine, ...]:
        """As many lines as a message has room for: what is to come goes before what has been."""
        return tuple(sorted(self.lines[-TOLD_PER_RHYTHM:], key=lambda one: one.first))

    @property
    def untold(self) -> int:
        """How many lines are left out."""
        return max(0, len(self.lines) - TOLD_PER_RHYTHM)

    def _count(self, state: MomentState) -> int:
        return sum(one.state is state for one in self.moments)

    @staticmethod
    def _alike(
        one: YearMoment,
    ) -> tuple[MomentState, Literal["", "holiday", "closed", "weekend", "changed", "quiet"], Any]:
        apart = one.given is not None or one.state is MomentState.UNSENT or one.because in ("holiday", "changed")
        return one.state, one.because, one.on if apart else None


class RhythmYear(PictureEntry):
    """The year of a movement's rhythms, for a coordinator: the weeks from `since` to `last`, and `today`. `more`
    rhythms have no room."""

    name: str
    since: date
    last: date
    today: date
    rhythms: tuple[YearRhythm, ...] = ()
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="rhythms", intent="rhythm", style="primary"),)

    def draw(self, tell: Tell) -> Mapping[str, object]:
        year = Year(since=self.since, until=self.last + timedelta(days=1))
        mondays = year.list_mondays()
        marks = [mark_weeks(one.moments, year) for one in self.rhythms]
        quarters = []
        for start in range(0, WEEKS, QUARTER):
            weeks = mondays[start : start + QUARTER]
            quarters.append(
                {
                    "label": tell("quarter", begin=weeks[0], end=weeks[-1] + timedelta(days=6)),
                    "weeks": [
                        {
                            "day": str(monday.day),
                            # The first Monday of a month, or of a row, names it.
                            "month": tell("month", month=monday) if monday == weeks[0] or monday.day <= 7 else "",
                            "now": monday <= self.today < monday + timedelta(days=7),
                        }
                        for monday in weeks
                    ],
                    "cells": [
                        [
                            {
                                "state": one.state.value if one else "",
                                "text": "" if one is None else f"{one.count}×" if one.count > 1 else str(one.day),
                                "also": "yes" if one is not None and one.also else "",
                                "moved": "yes" if one is not None and one.moved else "",
                            }
                            for one in row[start : start + QUARTER]
                        ]
                        for row in marks
                    ],
                }
            )
        used = {one.state for row in self.rhythms for one in row.moments}
        return {
            "title": tell("title"),
            "rhythms": [
                {"number": str(number), "index": number - 1, "label": tell("row", one=one.rhythm)}
                for number, one in enumerate(self.rhythms, 1)
            ],
            "quarters": quarters,
            "legend": [{"state": one.value, "label": tell(one.value)} for one in MomentState if one in used],
            "note": tell("note"),
        }

    @classmethod
    def example(cls) -> Self:
        today = date(2027, 3, 3)
        year = Year.around(today)
        weekly = RhythmSummary(
            id="r1",
            kind=RhythmKind.PURPOSE,
            place="samen-vooruit",
            every=1,
            nth=0,
            days=(0,),
            at=time(9),
            timezone="Europe/Amsterdam",
        )
        easter, kings_day = date(2027, 3, 29), date(2027, 4, 27)
        moments = [
            YearMoment(on=monday, state=MomentState.SENT if monday < today else MomentState.PLANNED)
            for monday in year.list_mondays()
            if monday != easter and not date(2027, 7, 10) <= monday < date(2027, 8, 23)
        ]
        moments += [YearMoment(on=easter, state=MomentState.SKIPPED, because="holiday")]
        moments += [
            YearMoment(on=date(2027, 7, 12) + timedelta(weeks=number), state=MomentState.PAUSED) for number in range(6)
        ]
        monthly = RhythmSummary(
            id="r2",
            kind=RhythmKind.STORIES,
            place="nachtdienst",
            every=1,
            nth=4,
            days=(1,),
            at=time(15, 30),
            timezone="Europe/Amsterdam",
            freq=Freq.NTH,
            which=(4,),
        )
        stories = (
            YearMoment(on=date(2026, 12, 23), state=MomentState.SENT, because="changed", given=date(2026, 12, 22)),
            YearMoment(on=date(2027, 1, 26), state=MomentState.UNSENT),
            YearMoment(on=date(2027, 2, 23), state=MomentState.SENT),
            YearMoment(on=date(2027, 3, 23), state=MomentState.PLANNED),
            YearMoment(on=date(2027, 4, 28), state=MomentState.MOVED, because="holiday", given=kings_day),
            YearMoment(on=date(2027, 5, 25), state=MomentState.SKIPPED, because="changed"),
            YearMoment(on=date(2027, 6, 22), state=MomentState.PLANNED),
        )
        return cls(
            name="Samen vooruit",
            since=year.since,
            last=year.until - timedelta(days=1),
            today=today,
            rhythms=(
                YearRhythm(
                    rhythm=weekly,
                    moments=tuple(sorted(moments, key=lambda one: one.on)),
                    holidays=((easter, "Tweede paasdag"),),
                ),
                YearRhythm(rhythm=monthly, moments=stories, holidays=((kings_day, "Koningsdag"),)),
            ),
        )


class HistoryDrawn(PictureEntry):
    """A learning history on a line, for who asked: the moments of a look-back, of an initiative or the movement."""

    name: str
    initiative: str = ""
    moments: tuple[TimelineMoment, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.initiative} if self.initiative else {}
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            Press(name="tell", intent="story"),
        )

    def draw(self, tell: Tell) -> Mapping[str, object]:
        years = [one.at.year for one in self.moments]
        return {
            "title": tell("title"),
            "moments": [
                {
                    "kind": one.turning.value,
                    "date": tell("date", at=one.at),
                    "year": str(one.at.year) if number == 0 or years[number] != years[number - 1] else "",
                    # A gap tells how long nothing was.
                    "weeks": (one.at - self.moments[number - 1].at).days // 7 if number else 0,
                    "label": tell(one.turning.value, one=one),
                    "text": tell("text", one=one),
                    "ripples": tell("ripples", one=one),
                }
                for number, one in enumerate(self.moments)
            ],
            "note": tell("note"),
        }

    @classmethod
    def example(cls) -> Self:
        shown = LookBack.example()
        decided = TimelineMoment(
            at=datetime(2027, 5, 3, 9, tzinfo=UTC),
            turning=MomentKind.DECIDED,
            what="elke vrijdag samen de post halen",
            decision="goes_on",
            learned=("wie niet loopt, gaat mee in de rolstoel",),
        )
        return cls(name=shown.name, initiative=shown.initiative, moments=(*shown.moments, decided))


@dataclass(frozen=True, kw_only=True)
class StitchedPatch:
    """One initiative in the picture of a quilt. `seeks`: nobody carries it now; `rests`: who carries it said so.
    `stitches` are the numbers, from 1, of the patches it is stitched to: where somebody takes part in both, or told a
    story of one under their name while they take part in the other."""

    name: str
    trying: str = ""
    seeks: bool = False
    rests: bool = False
    stitches: tuple[int, ...] = ()


class QuiltDrawn(PictureEntry):
    """The initiatives of a movement as a quilt, for who asked; `more` have no room."""

    name: str
    patches: tuple[StitchedPatch, ...] = ()
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="see", intent="initiative", style="primary"),)

    def draw(self, tell: Tell) -> Mapping[str, object]:
        return {
            "title": tell("title"),
            "patches": [
                {
                    "number": str(number),
                    "name": one.name,
                    "trying": one.trying,
                    "state": "rests" if one.rests else "seeks" if one.seeks else "alive",
                    "label": tell("state", one=one),
                    "stitches": [str(other) for other in one.stitches],
                    "stitched": tell("stitched", one=one),
                }
                for number, one in enumerate(self.patches, 1)
            ],
            "note": tell("note"),
        }

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            patches=(
                StitchedPatch(
                    name="Wandelen na het eten",
                    trying="Na de warme maaltijd samen een stukje lopen.",
                    stitches=(2, 4),
                ),
                StitchedPatch(
                    name="De tuin open", trying="De tuindeur gaat ’s middags open.", seeks=True, stitches=(1,)
                ),
                StitchedPatch(name="Muziek op de gang", rests=True),
                StitchedPatch(name="Eén goede vraag", trying="Wat wil je vandaag zelf doen?", stitches=(1,)),
                StitchedPatch(name="Soep op vrijdag"),
            ),
            more=2,
        )

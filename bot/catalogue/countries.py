"""Messages about the country of a movement or a place: its holidays, and its weekend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import ClassVar, Self

from bot.catalogue.base import MAX_FORM_OPTIONS, Ask, Entry, FormEntry, Press
from bot.catalogue.rhythms import STRETCHES_SHOWN, RhythmSummary
from bot.domain.calendar import Calendar
from bot.domain.countries import name_country
from bot.domain.person import Language
from bot.domain.recurrence import WEEKDAYS
from bot.domain.regions import name_regions
from bot.domain.rhythm import RhythmKind

AHEAD_SHOWN = 5
"""Holidays that are shown of those to come."""
AHEAD_IN_PASSING = 3
"""As many where it is about something else."""
MOVEMENT = "movement"
"""The choice, beside the places, of the whole movement."""
EVERYWHERE = "everywhere"
"""The choice of no region: what counts in the whole country."""
MAX_WEEKEND = 6
"""Days of a weekend at most: one has to be left to work on."""


@dataclass(frozen=True, kw_only=True)
class HolidayAhead:
    """A holiday to come, with its name in the reader's language, or there."""

    on: date
    name: str


@dataclass(frozen=True, kw_only=True)
class KeptDays:
    """The days off of a movement, or of one of its places (`place`): the names of the country and region, the weekend
    (0 = Monday), and the next holidays."""

    country: str
    region: str = ""
    weekend: tuple[int, ...] = ()
    ahead: tuple[HolidayAhead, ...] = ()
    place: str = ""

    @classmethod
    def of(
        cls, calendar: Calendar, language: Language, today: date, *, place: str = "", count: int = AHEAD_SHOWN
    ) -> Self:
        """Return what a calendar keeps, in words."""
        return cls(
            country=name_country(calendar.country, language),
            region=name_regions(calendar.country, today, language).get(calendar.region, calendar.region),
            weekend=calendar.weekend,
            ahead=list_ahead(calendar, language, today, count),
            place=place,
        )


def list_ahead(calendar: Calendar, language: Language, today: date, count: int) -> tuple[HolidayAhead, ...]:
    """Return the next holidays of a calendar, in words."""
    days: Sequence[date] = calendar.next_days(today, count)
    return tuple(HolidayAhead(on=day, name=calendar.name_day(day, language, foreign=True)) for day in days)


_BELGIAN = KeptDays(
    country="België",
    weekend=(5, 6),
    ahead=(
        HolidayAhead(on=date(2027, 3, 28), name="Eerste paasdag"),
        HolidayAhead(on=date(2027, 3, 29), name="Tweede paasdag"),
    ),
    place="nachtdienst",
)
_BERLIN = KeptDays(country="Duitsland", region="Berlin", weekend=(5, 6), ahead=_BELGIAN.ahead)


class CountryShown(Entry):
    """The holidays and the weekend of a movement, and of its places that have others. `saved`: they were just changed;
    `silenced` are the rhythms with a moment that is quiet since, and was not before. `missed`: words that name no
    country we know."""

    name: str
    kept: KeptDays
    places: tuple[KeptDays, ...] = ()
    saved: bool = False
    silenced: tuple[RhythmSummary, ...] = ()
    missed: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="adjust", intent="country.days", args={"where": MOVEMENT}, style="primary"),
            Press(name="choose", intent="country.choose"),
            *(
                Press(name=f"edit_{number}", intent="rhythm.edit", args={"rhythm": one.id})
                for number, one in enumerate(self.silenced[:STRETCHES_SHOWN], 1)
            ),
        )

    @classmethod
    def example(cls) -> Self:
        weekly = RhythmSummary(
            id="r1", kind=RhythmKind.STORIES, place="nachtdienst", every=1, nth=0, days=(6,), at=time(9)
        )
        silenced = (weekly,) * STRETCHES_SHOWN
        return cls(name="Samen vooruit", kept=_BERLIN, places=(_BELGIAN,), saved=True, silenced=silenced)


class CountryForm(FormEntry):
    """The form for the country of a movement, or of one of its places."""

    intent: ClassVar[str] = "country.look"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="where", kind="choice"),
        Ask(name="country", max_length=80),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"country": "België"})


class DaysForm(FormEntry):
    """The form for the region, the weekend and the holidays that count, in a country that was chosen. A country with
    more regions than a choice can show asks for the name of one (`region_named`); one without asks for none."""

    intent: ClassVar[str] = "country.propose"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="region", kind="choice", required=False),
        Ask(name="region_named", max_length=80, required=False),
        Ask(name="weekend", kind="choices", options=WEEKDAYS, max_items=MAX_WEEKEND),
        Ask(name="holidays", kind="choices", required=False, max_items=MAX_FORM_OPTIONS),
    )

    regions: int = 0

    def visible_asks(self) -> tuple[Ask, ...]:
        hidden = {"region", "region_named"}
        if self.regions:
            hidden -= {"region" if self.regions < MAX_FORM_OPTIONS else "region_named"}
        if not self.options.get("holidays"):
            hidden.add("holidays")
        return tuple(one for one in self.asks if one.name not in hidden)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"weekend": ("SA", "SU")})


class CountryProposed(Entry):
    """The holidays and the weekend that a movement or a place is to have, before they are saved; the rest is
    what was chosen, as the buttons send it. `named`: the words that named a country where it may also be that of one
    place; empty otherwise."""

    name: str
    kept: KeptDays
    where: str = MOVEMENT
    country: str = ""
    region: str = ""
    weekend: str = ""
    changed: str = ""
    named: str = ""

    def buttons(self) -> tuple[Press, ...]:
        args = {
            "where": self.where,
            "country": self.country,
            "region": self.region,
            "weekend": self.weekend,
            "changed": self.changed,
        }
        return (
            Press(name="save", intent="country.save", args=args, style="primary"),
            Press(name="adjust", intent="country.days", args=args),
            *((Press(name="elsewhere", intent="country.choose", args={"country": self.named}),) if self.named else ()),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit", kept=_BELGIAN, where="p1", country="BE", weekend="56", named="België")

"""How often a rhythm comes, in words."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from bot.catalogue.rhythms import RhythmShown, RhythmSummary
from bot.domain.person import Language
from bot.domain.recurrence import LAST, Freq, Pattern
from bot.wording import Reader, render_entry

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
MORE = (time(12), time(15, 30))


def describe(pattern: Pattern, language: str) -> str:
    """Return the sentence that says how often a rhythm with this pattern comes."""
    shown = RhythmShown.example()
    summary = replace(
        shown.rhythm,
        freq=pattern.freq,
        every=pattern.every,
        days=pattern.days,
        which=pattern.nth,
        on=pattern.on,
        off=pattern.off,
        until=pattern.until,
        also_at=pattern.also_at,
        starts_on=date(2027, 3, 8),
    )
    reader = Reader(language=Language(language), timezone="Europe/Amsterdam", now=NOW)
    text = render_entry(replace(shown, rhythm=summary), reader).text
    return next(line for line in text.splitlines() if "in #" in line).partition(", ")[2]


@pytest.mark.parametrize(
    ("pattern", "nl", "en"),
    [
        (Pattern(days=(0,)), "elke maandag om 09:00.", "every Monday at 09:00."),
        (
            Pattern(every=2, days=(0, 3), also_at=MORE),
            "om de week op maandag en donderdag om 09:00, 12:00 en 15:30.",
            "every other week on Monday and Thursday at 09:00, 12:00 and 15:30.",
        ),
        (
            Pattern(freq=Freq.NTH, days=(1,), nth=(1, 3)),
            "elke eerste en derde dinsdag van de maand om 09:00.",
            "every first and third Tuesday of the month at 09:00.",
        ),
        (
            Pattern(freq=Freq.NTH, every=3, days=(1,), nth=(LAST,)),
            "elk kwartaal op de laatste dinsdag om 09:00.",
            "every quarter on the last Tuesday at 09:00.",
        ),
        (
            Pattern(freq=Freq.WORKDAY, nth=(LAST,)),
            "elke laatste werkdag van de maand om 09:00.",
            "every last working day of the month at 09:00.",
        ),
        (
            Pattern(freq=Freq.DATES, nth=(1, 22)),
            "elke maand op de 1e en 22e om 09:00.",
            "every month on the 1st and 22nd at 09:00.",
        ),
        (
            Pattern(freq=Freq.DATES, nth=(31,)),
            "elke maand op de 31e (of de laatste dag, in een kortere maand) om 09:00.",
            "every month on the 31st (or the last day, in a shorter month) at 09:00.",
        ),
        (
            Pattern(freq=Freq.DATES, every=12, nth=(8,)),
            "elk jaar in maart op de 8e om 09:00.",
            "every year in March on the 8th at 09:00.",
        ),
        (Pattern(freq=Freq.WORKDAYS), "elke werkdag om 09:00.", "every working day at 09:00."),
        (Pattern(freq=Freq.DAYS, off=1), "om de dag om 09:00.", "every other day at 09:00."),
        (Pattern(freq=Freq.DAYS, off=9), "elke 10 dagen om 09:00.", "every 10 days at 09:00."),
        (
            Pattern(freq=Freq.DAYS, on=4, off=2),
            "4 dagen wel en 2 dagen niet, vanaf maandag 8 maart, om 09:00.",
            "4 days on and 2 days off, from Monday 8 March, at 09:00.",
        ),
        (
            Pattern(freq=Freq.BEFORE),
            "op de werkdag voor een feestdag om 09:00.",
            "on the working day before a public holiday at 09:00.",
        ),
        (
            Pattern(freq=Freq.ONCE),
            "één keer, op maandag 8 maart om 09:00.",
            "once, on Monday 8 March at 09:00.",
        ),
        (
            Pattern(days=(0,), until=date(2027, 5, 31)),
            "elke maandag om 09:00, tot en met maandag 31 mei.",
            "every Monday at 09:00, until Monday 31 May.",
        ),
    ],
    ids=str,
)
def test_what_comes_how_often(pattern: Pattern, nl: str, en: str) -> None:
    assert (describe(pattern, "nl"), describe(pattern, "en")) == (nl, en)


def test_an_answer_stored_before_patterns_were_more_reads_as_it_did() -> None:
    one = RhythmSummary(
        id="r", kind=RhythmShown.example().rhythm.kind, place="a", every=1, nth=-1, days=(4,), at=time(9)
    )
    reader = Reader(language=Language.EN, timezone="Europe/Amsterdam", now=NOW)
    assert "every last Friday of the month at 09:00" in render_entry(RhythmShown(rhythm=one), reader).text

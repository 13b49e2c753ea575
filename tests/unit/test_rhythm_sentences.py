"""Rhythms that people ask for in a sentence, in both languages."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue.forms import read_form
from bot.catalogue.rhythms import EVERY_MORE, NTH, RhythmForm
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, WorkspaceId
from bot.domain.recurrence import WEEKDAYS
from bot.domain.rhythm import OnHoliday, RhythmKind
from bot.errors import Invalid
from bot.understanding.rhythm import read_day, read_rhythm
from bot.use_cases.rhythms.changing.form import complete
from bot.use_cases.rhythms.changing.patterns import parse_more_times, parse_pattern

TODAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, tzinfo=UTC)
OURS = Movement(id=MovementId("m"), name="", language=Language.NL, started_at=NOW)
HERE = Place(id=PlaceId("here"), workspace_id=WorkspaceId("test:W1"), channel="c", created_at=NOW)
PLACES = {"C1": "care", "zorg": "care", "nacht dienst": "night"}


@pytest.mark.parametrize(
    ("said", "heard", "missed"),
    [
        ("elke maandag om 9 uur een herinnering", "purpose MO 09:00", ""),
        ("every Monday at 9 a reminder", "purpose MO 09:00", ""),
        ("Graag om de week op dinsdag en donderdag om 15.30 bijpraten!", "check_in 2 TU,TH 15:30", ""),
        ("every other friday at half past two a harvest in #zorg please", "harvest care 2 FR 14:30", ""),
        (
            "de laatste vrijdag van de maand om drie uur 's middags oogst in <#C1|zorg>",
            "harvest care monthly FR 15:00",
            "",
        ),
        ("every second tuesday of the month at 4pm stories", "stories monthly TU 16:00", ""),
        ("every second tuesday at 4pm stories", "stories 2 TU 16:00", ""),
        ("elke maandag om half tien verhaalronde in nacht dienst met taart", "stories night MO 09:30", "taart"),
        ("Elke werkdag om 9u30 een herinnering", "purpose WORK 09:30", ""),
        ("om de woensdag kwart over 2 terugblik", "look_back 2 WE 14:15", ""),
        ("tuesdays 9:15 catch up", "check_in TU 09:15", ""),
        ("every 6 weeks a check-in", "check_in", "6 weeks"),
        ("elke maandag om 9 uur en om 10 uur", "MO 09:00 10:00", ""),
        ("vrijdagmiddag oogst", "harvest FR 14:00", ""),
        ("taart eten", "", "taart eten"),
        ("", "", ""),
    ],
)
def test_a_sentence(said: str, heard: str, missed: str) -> None:
    read = read_rhythm(said, Language.NL, PLACES, TODAY)
    shown = [
        ",".join(value) if isinstance(value, tuple) else value
        for name in ("kind", "place", "every", "weekdays", "at", "also_at")
        if (value := read.values.get(name))
    ]
    assert (" ".join(shown), read.missed) == (heard, missed)


def test_holidays_and_which_of_the_month() -> None:
    read = read_rhythm("eerste maandag van de maand, op feestdagen verzetten", Language.EN, {}, TODAY)
    assert dict(read.values) == {"every": "monthly", "nth": ("1",), "weekdays": ("MO",), "on_holiday": "move"}


@pytest.mark.parametrize("said", ["wanneer komt de oogst op maandag", "which days do you come, monday?", "oogst"])
def test_what_asks_for_no_rhythm(said: str) -> None:
    assert not read_rhythm(said, Language.NL, PLACES, TODAY).is_wanted


WORDS = """elke maandag dinsdag om de week 9 uur half tien 25:99 ochtend pm zorg #zorg twee laatste eerste oogst every
other monday at noon 3pm first month reminder <#C1|x> 's ’ -- … 🙂 taart 99 weken"""
words = st.sampled_from(WORDS.split())


@given(said=st.one_of(st.text(max_size=60), st.lists(words, max_size=9).map(" ".join)))
def test_whatever_is_said_the_form_can_take_it(said: str) -> None:
    read = read_rhythm(said, Language.NL, PLACES, TODAY)
    values = dict(read.values)
    allowed = {
        "kind": set(RhythmKind),
        "place": set(PLACES.values()),
        "every": set(EVERY_MORE),
        "on_holiday": set(OnHoliday),
    }
    for name, choices in allowed.items():
        assert values.pop(name, next(iter(choices))) in choices
    assert set(values.pop("weekdays", ())) <= {*WEEKDAYS, "WORK"}
    assert set(values.pop("nth", ())) <= set(NTH)
    for name in ("also_at", "dates", "cycle", "times"):
        assert isinstance(values.pop(name, ""), str)
    for name in ("starts", "until"):
        date.fromisoformat(str(values.pop(name, "2027-03-01")))
    at = str(values.pop("at", "00:00"))
    assert (len(at), at[2]) == (5, ":")
    assert (int(at[:2]) < 24, int(at[3:]) < 60) == (True, True)
    assert not values


CORPUS = Path(__file__).parents[1] / "corpora" / "rhythm_sentences.txt"


def tell_meaning(language: str, said: str) -> str:
    """Return what a sentence means: its rule, its times and the rest; or why it is refused."""
    read = read_rhythm(said, Language(language), {"zorg": "care"}, TODAY)
    filled = read_form(RhythmForm, complete(read.values, HERE, OURS))
    pattern, more = parse_pattern(filled), parse_more_times(filled)
    if read.missed:
        return f"refused, not understood: {read.missed}"
    try:
        filled.problems.raise_if_any()
    except Invalid as invalid:
        return f"refused: {invalid}"
    assert pattern is not None
    at = [filled.text("at"), *(one.isoformat("minutes") for one in more)]
    rest = [
        f"{name} {read.values[name]}"
        for name in ("kind", "place", "starts", "until", "times", "on_holiday")
        if name in read.values
    ]
    return "; ".join([f"{pattern.rule} at {' '.join(at)}", *rest])


@pytest.mark.parametrize("line", CORPUS.read_text(encoding="utf-8").splitlines())
def test_a_hundred_sentences_and_what_they_mean(line: str) -> None:
    language, said, meaning = (one.strip() for one in line.split("|"))
    assert tell_meaning(language, said) == meaning


@pytest.mark.parametrize("said", ["elke 6 weken een herinnering", "every 6 weeks a check-in"])
def test_how_often_that_cannot_be_is_still_somebody_who_wants_a_rhythm(said: str) -> None:
    assert read_rhythm(said, Language.NL, PLACES, TODAY).is_wanted


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("dinsdag bel ik de huismeester", date(2026, 12, 1)),
        ("morgen vraag ik Jan mee", date(2026, 12, 1)),
        ("volgende week vrijdag bel ik de gemeente", date(2026, 12, 11)),
        ("vrijdag volgende week bel ik", date(2026, 12, 11)),
        ("14 december vraag ik het", date(2026, 12, 14)),
        ("call the caretaker on wednesday", date(2026, 12, 2)),
        ("next week on thursday i ask john", date(2026, 12, 10)),
        ("maandag en dinsdag loop ik mee", None),
        ("ik vraag het Jan op de eerste verdieping", None),
        ("vraag 3 mensen wat ze willen", None),
        ("", None),
    ],
)
def test_the_one_day_of_a_step_is_heard(text: str, day: date | None) -> None:
    assert {read_day(text, language, date(2026, 11, 30)) for language in Language} == {day}

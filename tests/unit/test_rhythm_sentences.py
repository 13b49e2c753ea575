"""Rhythms that people ask for in a sentence, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue.rhythms import EVERY, NTH
from bot.domain.person import Language
from bot.domain.rhythm import WEEKDAYS, OnHoliday, RhythmKind
from bot.understanding.rhythm import read_rhythm

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
        ("Elke werkdag om 9u30 een herinnering", "purpose MO,TU,WE,TH,FR 09:30", ""),
        ("om de woensdag kwart over 2 terugblik", "look_back 2 WE 14:15", ""),
        ("tuesdays 9:15 catch up", "check_in TU 09:15", ""),
        ("every 6 weeks a check-in", "check_in", "6 weeks"),
        ("elke maandag om 9 uur en om 10 uur", "MO 09:00", "10"),
        ("vrijdagmiddag oogst", "harvest FR 14:00", ""),
        ("taart eten", "", "taart eten"),
        ("", "", ""),
    ],
)
def test_a_sentence(said: str, heard: str, missed: str) -> None:
    read = read_rhythm(said, Language.NL, PLACES)
    shown = [
        ",".join(value) if isinstance(value, tuple) else value
        for name in ("kind", "place", "every", "weekdays", "at")
        if (value := read.values.get(name))
    ]
    assert (" ".join(shown), read.missed) == (heard, missed)


def test_holidays_and_which_of_the_month() -> None:
    read = read_rhythm("eerste maandag van de maand, op feestdagen verzetten", Language.EN, {})
    assert dict(read.values) == {"every": "monthly", "nth": "1", "weekdays": ("MO",), "on_holiday": "move"}


@pytest.mark.parametrize("said", ["wanneer komt de oogst op maandag", "which days do you come, monday?", "oogst"])
def test_what_asks_for_no_rhythm(said: str) -> None:
    assert not read_rhythm(said, Language.NL, PLACES).is_wanted


WORDS = """elke maandag dinsdag om de week 9 uur half tien 25:99 ochtend pm zorg #zorg twee laatste eerste oogst every
other monday at noon 3pm first month reminder <#C1|x> 's ’ -- … 🙂 taart 99 weken"""
words = st.sampled_from(WORDS.split())


@given(said=st.one_of(st.text(max_size=60), st.lists(words, max_size=9).map(" ".join)))
def test_whatever_is_said_the_form_can_take_it(said: str) -> None:
    read = read_rhythm(said, Language.NL, PLACES)
    values = dict(read.values)
    allowed = {
        "kind": set(RhythmKind),
        "place": set(PLACES.values()),
        "every": set(EVERY),
        "nth": set(NTH),
        "on_holiday": set(OnHoliday),
    }
    for name, choices in allowed.items():
        assert values.pop(name, next(iter(choices))) in choices
    assert set(values.pop("weekdays", ())) <= set(WEEKDAYS)
    at = str(values.pop("at", "00:00"))
    assert (len(at), at[2]) == (5, ":")
    assert (int(at[:2]) < 24, int(at[3:]) < 60) == (True, True)
    assert not values

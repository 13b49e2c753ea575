"""From which day somebody may be written to again, read from what they typed."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.person import Language
from bot.understanding.absence import read_return

MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("ik ga met vakantie tot 20 maart", date(2027, 3, 20)),
        ("tot en met 20 maart ben ik weg", date(2027, 3, 21)),
        ("t/m vrijdag niks", date(2026, 12, 5)),
        ("tot volgende week", date(2026, 12, 7)),
        ("volgende week vrij", date(2026, 12, 14)),
        ("volgende week woensdag weer", date(2026, 12, 9)),
        ("komende twee weken met rust", date(2026, 12, 14)),
        ("over 10 dagen weer", date(2026, 12, 10)),
        ("een maandje niks", date(2026, 12, 30)),
        ("deze maand even niet", date(2026, 12, 1)),
        ("half februari ben ik er weer", date(2027, 2, 15)),
        ("eind februari", date(2027, 2, 28)),
        ("na februari", date(2027, 3, 4)),
        ("na de zomer weer graag", date(2027, 9, 1)),
        ("tot na pasen", date(2027, 3, 30)),
        ("vandaag niet, donderdag weer", date(2026, 12, 3)),
        ("on holiday until 3 January", date(2027, 1, 3)),
        ("back March 3rd", date(2027, 3, 3)),
        ("away through 20 March", date(2027, 3, 21)),
        ("off next week", date(2026, 12, 14)),
        ("until next week", date(2026, 12, 7)),
        ("nothing for a fortnight", date(2026, 12, 14)),
        ("a couple of weeks", date(2026, 12, 14)),
        ("wednesday next week", date(2026, 12, 9)),
        ("until mid february", date(2027, 2, 15)),
        ("away until january 5", date(2027, 1, 5)),
        ("till March 20th", date(2027, 3, 20)),
        ("until march 20 2028", date(2028, 3, 20)),
        ("away 24-26 december", date(2026, 12, 26)),
        ("may I have no messages until friday", date(2026, 12, 4)),
    ],
)
def test_a_day_is_heard(text: str, day: date) -> None:
    assert {read_return(text, language, MONDAY) for language in Language} == {day}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("vanaf 20 december met vakantie", None),
        ("ik ben vanaf maandag met vakantie", None),
        ("vanaf 20 december met vakantie tot 3 januari", date(2027, 1, 3)),
        ("weer vanaf maandag graag", date(2026, 12, 7)),
        ("I am away from Monday", None),
        ("away from 20 December until 3 January", date(2027, 1, 3)),
        ("again from Monday please", date(2026, 12, 7)),
    ],
)
def test_from_when_somebody_is_away_is_no_day_to_come_back(text: str, day: date | None) -> None:
    assert {read_return(text, language, MONDAY) for language in Language} == {day}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ik ben ziek",
        "laat me met rust",
        "31 februari 1999",
        "leave me alone",
        "123456789 weken",
        "voor 123456 maanden",
        "snooze for 123456 days",
    ],
)
def test_a_sentence_without_a_day_to_come_says_none(text: str) -> None:
    assert read_return(text, Language.NL, MONDAY) is None


@given(st.text(max_size=80), st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.sampled_from(list(Language)))
def test_whatever_is_typed_the_day_is_to_come(text: str, today: date, language: Language) -> None:
    day = read_return(text, language, today)
    assert day is None or day > today


@given(st.integers(1, 400), st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_a_date_that_is_typed_is_the_next_one(days: int, today: date) -> None:
    day = today + timedelta(days=days)
    months = "jan feb mrt apr mei jun jul aug sep okt nov dec".split()  # noqa: SIM905
    assert read_return(f"tot {day.day} {months[day.month - 1]} {day.year}", Language.NL, today) == day

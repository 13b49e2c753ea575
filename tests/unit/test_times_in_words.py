"""A time is said in one zone, which is named where its clocks are not the reader's."""

from datetime import UTC, datetime, time

import pytest

from bot import wording
from bot.domain.person import Language
from bot.wording import Reader

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def say(filter_name: str, value: object, reader_zone: str, zone: str = "", language: Language = Language.NL) -> str:
    reader = Reader(language=language, timezone=reader_zone, now=NOW)
    words = wording.environment(language).filters[filter_name](value, reader, zone)
    assert isinstance(words, str)
    return words


@pytest.mark.parametrize(
    ("zone", "nl", "en"),
    [
        ("", "dinsdag 9 maart om 08:00", "Tuesday 9 March at 08:00"),
        ("Europe/London", "dinsdag 9 maart om 08:00", "Tuesday 9 March at 08:00"),
        (
            "Europe/Amsterdam",
            "dinsdag 9 maart om 09:00 (tijd in Amsterdam)",
            "Tuesday 9 March at 09:00 (Amsterdam time)",
        ),
        ("Europe/Brussels", "dinsdag 9 maart om 09:00 (tijd in Brussel)", "Tuesday 9 March at 09:00 (Brussels time)"),
        (
            "America/Argentina/Buenos_Aires",
            "dinsdag 9 maart om 05:00 (tijd in Buenos Aires)",
            "Tuesday 9 March at 05:00 (Buenos Aires time)",
        ),
        ("Asia/Tokyo", "dinsdag 9 maart om 17:00 (tijd in Tokio)", "Tuesday 9 March at 17:00 (Tokyo time)"),
    ],
)
def test_a_moment_names_the_zone_that_is_not_the_readers(zone: str, nl: str, en: str) -> None:
    at = datetime(2027, 3, 9, 8, tzinfo=UTC)
    assert say("moment", at, "Europe/London", zone) == nl
    assert say("moment", at, "Europe/London", zone, Language.EN) == en


def test_zones_with_the_same_clocks_need_no_name() -> None:
    assert say("clock", datetime(2027, 3, 9, 8, tzinfo=UTC), "Europe/Brussels", "Europe/Amsterdam") == "09:00"


def test_clocks_that_differ_only_for_some_weeks_are_named_then() -> None:
    # The United States change their clocks two weeks before Europe does; Arizona never does.
    apart, together = datetime(2027, 3, 16, 8, tzinfo=UTC), datetime(2027, 3, 9, 8, tzinfo=UTC)
    assert say("clock", together, "America/Denver", "America/Phoenix") == "01:00"
    assert say("clock", apart, "America/Denver", "America/Phoenix") == "01:00 (tijd in Phoenix)"


def test_a_time_of_every_week_names_the_zone_when_the_clocks_ever_differ() -> None:
    assert say("clock", time(9), "America/Denver", "America/Phoenix") == "09:00 (tijd in Phoenix)"
    assert say("clock", time(9), "Europe/Brussels", "Europe/Amsterdam") == "09:00"


def test_today_is_the_day_it_is_there() -> None:
    late = datetime(2027, 3, 1, 16, tzinfo=UTC)  # 2 March, 01:00, in Tokyo, where it is 1 March now
    assert say("day", late, "Europe/Amsterdam", "Asia/Tokyo") == "morgen"
    assert say("day", late, "Europe/Amsterdam") == "vandaag"


def test_a_zone_without_a_city_is_its_own_name() -> None:
    assert say("clock", datetime(2027, 3, 9, 8, tzinfo=UTC), "Europe/Amsterdam", "UTC") == "08:00 (UTC)"


def test_a_day_within_a_sentence() -> None:
    filters = wording.environment(Language.EN).filters
    reader = Reader(language=Language.EN, timezone="Europe/London", now=NOW)
    assert filters["day"](datetime(2027, 3, 9, 8, tzinfo=UTC), reader, on=True) == "on Tuesday 9 March"
    assert filters["day"](datetime(2027, 3, 2, 8, tzinfo=UTC), reader, on=True) == "tomorrow"
    assert filters["moment"](datetime(2027, 3, 9, 8, tzinfo=UTC), reader, on=True) == "on Tuesday 9 March at 08:00"


def test_a_list_is_written_as_in_britain() -> None:
    assert wording.environment(Language.EN).filters["listing"](("Jan", "Bea", "Samira")) == "Jan, Bea and Samira"

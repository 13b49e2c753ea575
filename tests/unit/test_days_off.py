"""Ten countries, their regions, weekends and chosen holidays, against the library itself."""

from datetime import date, timedelta

import holidays
import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import (
    Calendar,
    decode_changes,
    encode_changes,
    find_weekend,
    list_regions,
)
from bot.domain.countries import guess_country, name_country, parse_country
from bot.domain.next_step import next_working_day
from bot.domain.person import Language

COUNTRIES = ("NL", "BE", "DE", "FR", "GB", "US", "IN", "EG", "IL", "JP")
GOOD_FRIDAYS = {date(2026, 4, 3), date(2027, 3, 26), date(2028, 4, 14), date(2029, 3, 30)}
MONDAY = date(2027, 3, 1)
some_day = st.integers(0, 3 * 365).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
some_weekend = st.sets(st.integers(0, 6), max_size=6).map(lambda days: tuple(sorted(days)))


def off(country: str, region: str, day: date, *categories: str) -> bool:
    """Return whether the library has a day among the days of these categories."""
    days = holidays.country_holidays(country, subdiv=region or None, years=day.year, categories=categories or None)
    return day in days


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(COUNTRIES), some_day, some_weekend, st.data())
def test_days_off_are_those_of_the_library(
    country: str, day: date, weekend: tuple[int, ...], data: st.DataObject
) -> None:
    region = data.draw(st.sampled_from(["", *(code for code, _ in list_regions(country, MONDAY))]))
    calendar = Calendar(country=country, region=region, weekend=weekend)
    kept = off(country, region, day) and not (country == "NL" and day in GOOD_FRIDAYS)
    assert calendar(day) is kept
    assert calendar.is_working(day) is (not kept and day.weekday() not in weekend)
    following = next_working_day(day, calendar)
    assert calendar.is_working(following)
    between = (day + timedelta(days=number) for number in range(1, (following - day).days))
    assert not any(calendar.is_working(one) for one in between)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(COUNTRIES), st.data())
def test_of_the_holidays_those_count_that_are_chosen(country: str, data: st.DataObject) -> None:
    calendar = Calendar(country=country)
    listed = calendar.list_holidays(MONDAY)
    chosen = data.draw(st.sets(st.sampled_from([one.name for one in listed])))
    changed = calendar.choose_holidays(MONDAY, sorted(chosen))
    assert decode_changes(encode_changes(changed), country, MONDAY) == changed
    keeps = Calendar(country=country, changed=changed)
    assert {one.name for one in keeps.list_holidays(MONDAY) if one.kept} == chosen
    assert all(keeps(one.day) for one in listed if one.name in chosen)
    usual = [one.name for one in listed if one.usual]
    assert calendar.choose_holidays(MONDAY, usual) == ()
    assert keeps.choose_holidays(MONDAY, usual) == ()


def test_a_choice_stays_in_years_that_do_not_need_or_list_it() -> None:
    for country, today, changed in (
        ("NL", date(2029, 11, 1), "+Bevrijdingsdag"),  # that most keep in 2030, as every five years
        ("ES", date(2027, 3, 1), "-Asunción de la Virgen"),  # a Sunday in 2027: not listed
    ):
        calendar = Calendar(country=country, changed=(changed,))
        listed = calendar.list_holidays(today)
        assert calendar.choose_holidays(today, [one.name for one in listed if one.kept]) == (changed,)
    kept = Calendar(country="NL", changed=("+Bevrijdingsdag",))
    assert kept(date(2031, 5, 5))
    assert "-Bevrijdingsdag" in kept.choose_holidays(date(2029, 11, 1), ())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([one for one in COUNTRIES if list_regions(one, MONDAY)]), st.data())
def test_what_is_chosen_in_one_region_is_kept_in_another(country: str, data: st.DataObject) -> None:
    regions = st.sampled_from(["", *(code for code, _ in list_regions(country, MONDAY))])
    before, after = Calendar(country=country, region=data.draw(regions)), data.draw(regions)
    listed = before.list_holidays(MONDAY)
    chosen = data.draw(st.sets(st.sampled_from([one.name for one in listed])))
    changed = before.choose_holidays(MONDAY, sorted(chosen))
    assert decode_changes(encode_changes(changed), country, MONDAY) == changed
    moved = Calendar(country=country, region=after, changed=changed)
    kept = {one.name for one in moved.list_holidays(MONDAY) if one.kept}
    assert {one[1:] for one in changed if one.startswith("+")} <= kept
    assert not {one[1:] for one in changed if one.startswith("-")} & kept
    assert moved.choose_holidays(MONDAY, sorted(kept)) == changed


def test_a_holiday_of_another_region_has_a_name_and_can_be_left_again() -> None:
    berlin = Calendar(country="DE", region="BE", changed=("+Mariä Himmelfahrt",))
    assert berlin(date(2027, 8, 15))
    assert berlin.name_day(date(2027, 8, 15), Language.EN) == "Assumption Day"
    listed = berlin.list_holidays(MONDAY)
    assert berlin.name_holidays(listed, Language.EN)["Mariä Himmelfahrt"] == "Assumption Day"
    assert berlin.choose_holidays(MONDAY, [one.name for one in listed if one.usual]) == ()


def test_a_holiday_that_this_region_moves_in_some_years_is_not_taken_from_another() -> None:
    # In 2027 it is a Sunday: some regions of Spain keep the Monday, others nothing.
    assert not Calendar(country="ES", changed=("+Asunción de la Virgen",))(date(2027, 8, 16))


def test_days_that_only_some_keep_are_offered_and_not_kept_by_themselves() -> None:
    for country, name, day in (
        ("NL", "Bevrijdingsdag", date(2027, 5, 5)),
        ("NL", "Goede vrijdag", date(2027, 3, 26)),
        ("BE", "Goede vrijdag", date(2027, 3, 26)),
    ):
        calendar = Calendar(country=country)
        offered = {one.name: one for one in calendar.list_holidays(MONDAY)}[name]
        assert not offered.usual
        assert not calendar(day)
        assert Calendar(country=country, changed=(f"+{name}",))(day)
    # Once in five years it is a holiday for most; "not" holds in that year too.
    assert Calendar(country="NL")(date(2030, 5, 5))
    assert not Calendar(country="NL", changed=("-Bevrijdingsdag",))(date(2030, 5, 5))


def test_names_do_not_follow_the_language_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for locale in ("en_US.UTF-8", "nl_NL.UTF-8", "C"):
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.setenv(name, locale)
        calendar = Calendar(country="BE", changed=(f"-{locale}",))  # not computed before
        assert calendar.name_day(date(2027, 3, 29), Language.NL) == "Paasmaandag"
        assert calendar.name_day(date(2027, 3, 29), Language.EN) == "Easter Monday"
        assert Calendar(country="DE").name_day(date(2027, 3, 29), Language.NL) == ""
        assert Calendar(country="DE").name_day(date(2027, 3, 29), Language.NL, foreign=True) == "Ostermontag"
        greek = Calendar(country="GR")
        assert greek.name_day(date(2027, 5, 3), Language.NL, foreign=True) == "Easter Monday"


def test_a_substitute_day_goes_with_its_holiday() -> None:
    # In 2027 Independence Day is a Sunday: Monday 5 July is kept instead.
    assert Calendar(country="US")(date(2027, 7, 5))
    assert not Calendar(country="US", changed=("-Independence Day",))(date(2027, 7, 5))


def test_regions_are_those_that_make_a_difference() -> None:
    assert list_regions("NL", MONDAY) == ()  # only schools differ there
    assert ("BE", "Berlin") in list_regions("DE", MONDAY)
    assert ("SCT", "Scotland") in list_regions("GB", MONDAY)
    assert list_regions("", MONDAY) == list_regions("XX", MONDAY) == ()


def test_a_weekend_is_that_of_the_country() -> None:
    assert [find_weekend(one) for one in ("NL", "EG", "XX", "")] == [(5, 6), (4, 5), (5, 6), (5, 6)]


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Nederland", "NL"),
        ("belgie", "BE"),
        ("  het verenigd koninkrijk", "GB"),
        ("UK", "GB"),
        ("usa", "US"),
        ("the Netherlands", "NL"),
        ("nl", "NL"),
        ("ZZ", ""),
        ("EU", ""),
        ("", ""),
        ("zorg", ""),
    ],
)
def test_a_country_is_known_by_its_name_in_either_language_or_its_code(text: str, country: str) -> None:
    assert parse_country(text) == country


def test_every_country_that_has_a_name_is_found_by_it() -> None:
    for language, locale in ((Language.NL, "nl"), (Language.EN, "en_GB")):
        names = Locale.parse(locale).territories
        for country in holidays.list_supported_countries(include_aliases=False):
            assert name_country(country, language) == names[country]
            assert parse_country(name_country(country, language)) == country
    assert guess_country("Belgien", Language.NL) == "België"
    assert guess_country("qqqq", Language.NL) == ""

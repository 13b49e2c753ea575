"""Country, region, weekend and the holidays that count, per movement and place; on every platform."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat import FieldErrors, Form
from bot.domain.movement import Movement, MovementId, PlaceId
from bot.domain.person import WorkspaceId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.journeys.test_rhythms import MONDAY as WEEKLY
from tests.journeys.test_rhythms import moments_in, rhythm, times
from tests.support.world import LANE, World, text_of


async def movement_of(world: World) -> Movement:
    async with world.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        return movement


async def test_a_country_is_shown_with_its_holidays_before_it_is_saved(world: World) -> None:
    await world.movement()
    proposed = await world.type("iris", "/ritme land België")
    assert "Zo wordt het voor Samen op pad: land België" in text_of(proposed)
    assert "maandag 29 maart: Paasmaandag" in text_of(proposed)
    assert (await movement_of(world)).country == "NL"
    saved = await world.press("iris", proposed, "save")
    assert "Bewaard." in text_of(saved)
    assert (await movement_of(world)).country == "BE"
    # The Belgian national day is no day off in the Netherlands.
    await rhythm(world, kind="stories", weekdays=("WE",))
    await world.until(datetime(2027, 7, 28, 12, tzinfo=UTC))
    found = [(one.month, one.day) for one in await times(world)]
    assert (7, 21) not in found
    assert (7, 28) in found


async def test_what_names_no_country_says_so(world: World) -> None:
    await world.movement("fatima")
    assert "ken ik niet als land" in text_of(await world.type("iris", "/ritme land Verweggistan"))
    form = await world.press("iris", await world.type("iris", "/ritme land"), "choose")
    refused = await world.submit("iris", form, country="Belgien")
    assert isinstance(refused, FieldErrors)
    assert "Bedoel je België?" in refused.errors["country"]
    assert "coördinator" in text_of(await world.type("fatima", "/ritme land"))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("we zitten in België", "land België, weekend"),
        ("wij werken in Vlaanderen", "land België, weekend"),
        ("we're in Germany", "land Duitsland, weekend"),
        ("wij zitten in Schotland", "land Verenigd Koninkrijk (Schotland)"),
        ("welke feestdagen gelden er voor ons?", "Samen op pad: land Nederland"),
        ("bij ons is 11 juli een feestdag", "Samen op pad: land Nederland"),
    ],
)
async def test_a_country_is_said_in_a_sentence(world: World, said: str, shown: str) -> None:
    await world.movement()
    answer = text_of(await world.type("iris", f"/ritme {said}"))
    assert shown in answer
    assert "ken ik niet als land" not in answer
    assert (await movement_of(world)).country == "NL"


async def test_a_country_that_was_said_may_be_that_of_one_place(world: World) -> None:
    await world.movement(channels=("general", "gent"))
    form = await world.press("iris", await world.type("iris", "/ritme we zitten in België"), "elsewhere")
    assert isinstance(form, Form)
    assert {one.name: one.value for one in form.fields}["country"] == "België"
    saved = await world.press("iris", await world.submit("iris", form, where="gent"), "save")
    assert "In #gent: land België" in text_of(saved)
    assert (await movement_of(world)).country == "NL"


async def test_a_region_is_filled_in_as_a_country(world: World) -> None:
    await world.movement()
    form = await world.press("iris", await world.type("iris", "/ritme land"), "choose")
    await world.press("iris", await world.submit("iris", form, country="Schotland"), "save")
    kept = await movement_of(world)
    assert (kept.country, kept.region) == ("GB", "SCT")


async def test_good_friday_and_other_days_are_chosen(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, kind="stories", weekdays=("FR",))
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    assert isinstance(form, Form)
    days = {one.name: one for one in form.fields}["holidays"]
    labels = {one.label: one.value for one in days.options}
    assert labels["Goede vrijdag"] not in days.value
    assert labels["Koningsdag"] in days.value
    assert "Bevrijdingsdag" in labels
    kept = tuple(one for one in days.value if one != labels["Koningsdag"])
    proposed = await world.submit("iris", form, holidays=(*kept, labels["Goede vrijdag"]))
    assert "vrijdag 26 maart: Goede vrijdag" in text_of(proposed)
    assert "Koningsdag" not in text_of(proposed)
    await world.press("iris", proposed, "save")
    assert sorted((await movement_of(world)).holidays) == ["+Goede vrijdag", "-Koningsdag"]
    looked = await world.press("iris", await world.type("iris", "/ritme ritme"), "look_1")
    assert "vrijdag 26 maart, Goede vrijdag: overgeslagen" in moments_in(looked)
    assert shown != looked


async def test_a_choice_about_a_day_that_is_not_listed_this_year_stays(world: World) -> None:
    await world.movement()
    marks = ["-Asunción de la Virgen", "-Todos los Santos"]
    async with world.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        movement.country, movement.holidays = "ES", marks
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    assert isinstance(form, Form)
    days = {one.name: one for one in form.fields}["holidays"]
    listed = {one.label for one in days.options}
    assert "Todos los Santos" in listed
    assert not any("Asunción" in one for one in listed)  # a Sunday, in 2027
    proposed = await world.submit("iris", form)
    again = await world.submit("iris", await world.press("iris", proposed, "adjust"))
    await world.press("iris", again, "save")
    assert (await movement_of(world)).holidays == marks


async def test_the_country_that_it_is_in_is_shown_as_it_is_kept(world: World) -> None:
    await world.movement()
    async with world.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        movement.country, movement.region, movement.weekend, movement.holidays = "DE", "BE", "45", ["+Karfreitag"]
    proposed = await world.type("iris", "/ritme land Duitsland")
    assert "land Duitsland (Berlijn), weekend op vrijdag en zaterdag" in text_of(proposed)
    await world.press("iris", proposed, "save")
    kept = await movement_of(world)
    assert (kept.region, kept.weekend, kept.holidays) == ("BE", "45", ["+Karfreitag"])


async def tick_good_friday(world: World, *, kept: bool, at: datetime | None = None) -> None:
    """Keep Good Friday, or work on it; saved `at` a moment, when nothing of then is planned yet."""
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    assert isinstance(form, Form)
    days = {one.name: one for one in form.fields}["holidays"]
    friday = next(one.value for one in days.options if one.label == "Goede vrijdag")
    others = tuple(one for one in days.value if one != friday)
    proposed = await world.submit("iris", form, holidays=(*others, friday) if kept else others)
    if at is not None:
        world.clock.set(at)
    await world.press("iris", proposed, "save")


BEFORE_EASTER = [datetime(2027, 3, day, 8, tzinfo=UTC) for day in (5, 12, 19)]
ON_GOOD_FRIDAY = datetime(2027, 3, 26, 8, tzinfo=UTC)
AFTER_EASTER = datetime(2027, 3, 30, 7, tzinfo=UTC)
A_WEEK_LATER = datetime(2027, 4, 2, 7, tzinfo=UTC)


async def test_what_came_does_not_come_again_when_its_day_is_made_a_holiday(world: World) -> None:
    await world.movement()
    await rhythm(world, kind="stories", weekdays=("FR",), on_holiday="move")
    await world.until(datetime(2027, 3, 26, 12, tzinfo=UTC))
    await tick_good_friday(world, kept=True)
    looked = await world.press("iris", await world.type("iris", "/ritme ritme"), "look_1")
    assert moments_in(looked)[0] == "vrijdag 2 april om 09:00"
    await world.until(datetime(2027, 4, 3, tzinfo=UTC))
    assert await times(world) == [*BEFORE_EASTER, ON_GOOD_FRIDAY, A_WEEK_LATER]


async def test_what_was_promised_after_a_holiday_comes_when_that_is_none_any_more(world: World) -> None:
    await world.movement()
    await rhythm(world, kind="stories", weekdays=("FR",), on_holiday="move")
    await tick_good_friday(world, kept=True)
    await world.until(datetime(2027, 3, 26, 12, tzinfo=UTC))
    await tick_good_friday(world, kept=False)
    await world.until(datetime(2027, 4, 3, tzinfo=UTC))
    assert await times(world) == [*BEFORE_EASTER, AFTER_EASTER, A_WEEK_LATER]


async def test_what_is_due_when_its_day_is_made_a_holiday_comes(world: World) -> None:
    await world.movement()
    await rhythm(world, kind="stories", weekdays=("FR",))
    await world.until(datetime(2027, 3, 26, 7, tzinfo=UTC))
    await tick_good_friday(world, kept=True, at=datetime(2027, 3, 26, 8, 30, tzinfo=UTC))
    await world.until(datetime(2027, 3, 27, tzinfo=UTC))
    assert len(await times(world)) == len(BEFORE_EASTER) + 1


async def test_a_region_has_its_own_days(world: World) -> None:
    await world.movement()
    await world.press("iris", await world.type("iris", "/ritme land Duitsland"), "save")
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    assert isinstance(form, Form)
    regions = {one.label: one.value for one in form.fields[0].options}
    assert "Het hele land" in regions
    proposed = await world.submit("iris", form, region=regions["Berlijn"])
    assert "land Duitsland (Berlijn)" in text_of(proposed)
    assert "maandag 8 maart" in text_of(proposed)  # International Women's Day
    await world.press("iris", proposed, "save")
    assert (await movement_of(world)).region == "BE"


async def test_a_day_chosen_together_with_another_region_is_kept(world: World) -> None:
    await world.movement()
    async with world.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        movement.country, movement.region = "DE", "BY"
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    assert isinstance(form, Form)
    days = {one.name: one for one in form.fields}["holidays"]
    assumption = next(one.value for one in days.options if one.label == "Mariä Himmelfahrt")
    proposed = await world.submit("iris", form, region="BE", holidays=(*days.value, assumption))
    again = await world.press("iris", proposed, "adjust")
    assert isinstance(again, Form)
    assert assumption in {one.name: one for one in again.fields}["holidays"].value
    await world.press("iris", await world.submit("iris", again), "save")
    kept = await movement_of(world)
    assert (kept.region, kept.holidays) == ("BE", ["+Mariä Himmelfahrt"])


async def test_a_region_with_a_long_code_is_kept(world: World) -> None:
    await world.movement()
    form = await world.press("iris", await world.type("iris", "/ritme land Brazilië"), "adjust")
    proposed = await world.submit("iris", form, region="São Paulo Capital")
    assert "Bewaard." in text_of(await world.press("iris", proposed, "save"))
    assert (await movement_of(world)).region == "São Paulo Capital"


async def test_a_weekend_is_chosen_and_is_the_one_that_is_quiet(world: World) -> None:
    await world.movement()
    saved = await world.press("iris", await world.type("iris", "/ritme land Egypte"), "save")
    assert "weekend op vrijdag en zaterdag" in text_of(saved)
    await rhythm(world, kind="stories", weekdays=("SU",))
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    refused = await world.submit("iris", form, **{**WEEKLY, "kind": "stories", "weekdays": ("FR",)})
    assert isinstance(refused, FieldErrors)
    assert "In het weekend is het daar stil." in refused.errors["weekdays"]
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    proposed = await world.submit("iris", form, weekend=("SA", "SU"))
    silenced = await world.press("iris", proposed, "save")
    assert "Deze ritmes vallen nu soms in de stille tijd" in text_of(silenced)
    assert (await movement_of(world)).weekend == "56"
    changed = await world.press("iris", silenced, "edit_1")
    assert isinstance(changed, Form)
    # What was quiet before is no news.
    form = await world.press("iris", await world.type("iris", "/ritme land"), "adjust")
    proposed = await world.submit("iris", form, weekend=("FR", "SA", "SU"))
    assert "stille tijd" not in text_of(await world.press("iris", proposed, "save"))


async def test_a_place_abroad_keeps_its_own_days(world: World) -> None:
    await world.movement()
    await rhythm(world, kind="stories", weekdays=("WE",))
    form = await world.press("iris", await world.type("iris", "/ritme land"), "choose")
    proposed = await world.submit("iris", form, where="general", country="belgie")
    assert "In #general: land België" in text_of(proposed)
    saved = await world.press("iris", proposed, "save")
    assert "Samen op pad: land Nederland" in text_of(saved)
    assert "In #general: land België" in text_of(saved)
    await world.until(datetime(2027, 7, 29, 12, tzinfo=UTC))
    found = [(one.month, one.day) for one in await times(world)]
    assert (7, 21) not in found
    assert (7, 28) in found
    # As the movement again: it follows the movement from then on.
    form = await world.press("iris", await world.type("iris", "/ritme land"), "choose")
    proposed = await world.submit("iris", form, where="general", country="NL")
    assert "In #general" not in text_of(await world.press("iris", proposed, "save"))


async def test_a_movement_starts_in_the_country_of_the_time_zone(world: World) -> None:
    await world.do("wim", "help", channel="kortrijk")
    async with world.begin() as work:
        wim = await work.people.by_account(WorkspaceId(LANE), "wim")
        assert wim is not None
        wim.timezone, wim.chose = "Europe/Brussels", ["timezone"]
    form = await world.do("wim", "start.begin", channel="kortrijk")
    assert isinstance(form, Form)
    asked = {one.name: one for one in form.fields}["country"]
    assert asked.value == "België"
    assert "maandag 29 maart (Paasmaandag)" in asked.hint
    refused = await world.submit("wim", form, channel="kortrijk", name="Samen", vision="Samen.", country="Belg")
    assert isinstance(refused, FieldErrors)
    started = await world.submit("wim", form, channel="kortrijk", name="Samen", vision="Samen.")
    assert "land België, weekend op zaterdag en zondag" in text_of(started)
    async with world.begin() as work:
        place = await work.movements.place_in(WorkspaceId(LANE), "kortrijk")
        assert place is not None
        assert place.movement_id is not None
        movement = await work.movements.get(place.movement_id)
        assert movement is not None
        assert (movement.country, movement.timezone, place.timezone) == ("BE", "Europe/Brussels", "Europe/Brussels")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_country_and_days_on_every_platform(border: Border) -> None:
    shown = await border.press("iris", await border.type("iris", "/ritme ritme"), "country")
    form = await border.press("iris", shown, "choose")
    proposed = await border.submit("iris", form, where="movement", country="Duitsland")
    assert "Duitsland" in proposed.words()
    form = await border.press("iris", proposed, "adjust")
    chosen = await border.submit("iris", form, region="BE", weekend=("FR", "SA"))
    assert "Duitsland (Berlijn), weekend op vrijdag en zaterdag" in chosen.words()
    saved = await border.press("iris", chosen, "save")
    assert "Bewaard." in saved.words()
    async with border.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        assert (movement.country, movement.region, movement.weekend) == ("DE", "BE", "45")


async def test_of_places_abroad_those_are_loaded_that_something_is_due_in(world: World) -> None:
    await world.movement(channels=("general", "zorg"))
    async with world.begin() as work:
        for one in await work.movements.places(MovementId("movement")):
            one.country = "BE"
    async with world.begin() as work:
        found = await work.movements.places_abroad(MovementId("movement"), {PlaceId("zorg")})
        assert [one.id for one in found] == ["zorg"]
        assert len(await work.movements.places_abroad(MovementId("movement"))) == 2

"""Rhythms asked for in a sentence, or in the whole form: shown before they are saved, on every platform."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.chat import Answer, FieldErrors, Form, Value
from bot.domain.movement import MovementId
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.journeys.test_rhythms import moments_in, times
from tests.support.world import World, button_of, text_of

WHOLE: dict[str, Value] = {"kind": "stories", "place": "general", "at": "09:00", "on_holiday": "skip"}


async def rules(world: World) -> list[str]:
    async with world.begin() as work:
        return [one.rule for one in await work.rhythms.of_movement(MovementId("movement"))]


async def save(world: World, **values: Value) -> Answer | FieldErrors:
    reply = await world.do("iris", "rhythm.save", args={**WHOLE, **values})
    assert isinstance(reply, Answer | FieldErrors), reply
    return reply


class TestASentence:
    async def test_is_shown_as_it_is_read_and_saved_as_shown(self, world: World) -> None:
        await world.movement()
        shown = await world.type("iris", "/ritme ritme elke laatste werkdag van de maand om 15:00 verhaalronde")
        assert "Verhaalronde in #general, elke laatste werkdag van de maand om 15:00." in text_of(shown)
        assert moments_in(shown) == [
            "woensdag 31 maart om 15:00",
            "vrijdag 30 april om 15:00",
            "maandag 31 mei om 15:00",
            "woensdag 30 juni om 15:00",
            "vrijdag 30 juli om 15:00",
        ]
        assert await rules(world) == []
        saved = await world.press("iris", shown, "save")
        assert "Bewaard." in text_of(saved)
        assert moments_in(saved) == moments_in(shown)
        await world.until(datetime(2027, 4, 30, 14, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 31, 13, tzinfo=UTC), datetime(2027, 4, 30, 13, tzinfo=UTC)]

    @pytest.mark.parametrize(
        ("typed", "read"),
        [
            (
                "ik wil graag om de week een oogst op woensdagmiddag",
                "Oogst in #general, om de week op woensdag om 14:00",
            ),
            ("kun je elke maandag om 9 uur een verhaalronde doen", "Verhaalronde in #general, elke maandag om 09:00"),
            ("zet de verhaalronde op donderdag 14 uur", "Verhaalronde in #general, elke donderdag om 14:00"),
            ("hi, could you bring us a story round every other thursday at 2pm", "om de week op donderdag om 14:00"),
        ],
    )
    async def test_without_the_command_all_of_it_is_read(self, world: World, typed: str, read: str) -> None:
        await world.movement()
        assert read in text_of(await world.type("iris", f"/ritme {typed}"))

    @pytest.mark.parametrize("typed", ["wanneer komt de volgende verhaalronde?", "when is the next story round?"])
    async def test_a_question_is_no_wish(self, world: World, typed: str) -> None:
        await world.movement()
        await save(world, weekdays=("MO",), every="1")
        shown = text_of(await world.type("iris", f"/ritme {typed}"))
        assert "Eerstvolgend: maandag 8 maart" in shown
        assert "begreep ik niet" not in shown

    async def test_that_nothing_comes_without_a_purpose_is_said_before(self, world: World) -> None:
        await world.movement()
        assert "nog geen bedoeling" in text_of(await world.type("iris", "/ritme ritme elke maandag om 9 uur"))

    async def test_in_english_too(self, world: World) -> None:
        await world.movement()
        shown = await world.type("iris", "/ritme rhythm every other Tuesday at 9 stories")
        assert moments_in(shown)[:2] == ["morgen om 09:00", "dinsdag 16 maart om 09:00"]

    async def test_changed_it_opens_the_form_with_all_that_was_said(self, world: World) -> None:
        await world.movement(channels=("general", "night"))
        shown = await world.type("iris", "/ritme ritme om de week op dinsdag om half drie een oogst in #night")
        form = await world.press("iris", shown, "change")
        assert isinstance(form, Form)
        filled = {one.name: one.value for one in form.fields}
        assert (filled["kind"], filled["place"], filled["at"]) == ("harvest", "night", "14:30")
        assert (filled["every"], filled["weekdays"]) == ("2", ("TU",))
        assert "dates" not in filled
        assert "in #night, om de week op dinsdag om 14:30" in text_of(await world.submit("iris", form))

    async def test_that_the_short_form_cannot_hold_opens_the_whole_one(self, world: World) -> None:
        await world.movement()
        shown = await world.type("iris", "/ritme ritme elk kwartaal op de 1e om 9 uur, 4 keer")
        form = await world.press("iris", shown, "change")
        assert isinstance(form, Form)
        filled = {one.name: one.value for one in form.fields}
        assert (filled["every"], filled["dates"], filled["times"], filled["weekdays"]) == ("quarterly", "1", "4", "")
        assert "elk kwartaal op de 1e om 09:00, tot en met" in text_of(await world.submit("iris", form))

    async def test_with_words_that_are_not_understood_is_refused_and_nothing_is_lost(self, world: World) -> None:
        await world.movement()
        said = "om de week op dinsdag om half drie een oogst met taart"
        shown = await world.type("iris", f"/ritme ritme {said}")
        assert f"“{said}”" in text_of(shown)
        assert "Dit begreep ik niet: “taart”." in text_of(shown)
        form = await world.press("iris", shown, "change")
        assert isinstance(form, Form)
        assert {one.name: one.value for one in form.fields}["kind"] == "harvest"
        assert await rules(world) == []

    @pytest.mark.parametrize(
        ("said", "cure"),
        [
            ("elke zaterdag om 10 uur", "In het weekend is het daar stil. Kies een doordeweekse dag"),
            ("elke maandag om 7 uur", "Van 18:00 tot 08:00 is het daar stil."),
            ("eenmalig om 10 uur", "Kies een dag."),
            ("elke 6 weken een herinnering", "Dit begreep ik niet: “6 weken”"),
            ("elke maandag om 9 uur tot en met 2 maart", "Zo komt er nooit iets."),
        ],
    )
    async def test_that_cannot_be_says_the_cure(self, world: World, said: str, cure: str) -> None:
        await world.movement()
        shown = await world.type("iris", f"/ritme ritme {said}")
        assert cure in text_of(shown)
        assert isinstance(await world.press("iris", shown, "change"), Form)

    async def test_asked_for_twice_is_asked_about_first(self, world: World) -> None:
        await world.movement()
        for words in ("Bewaard.", "Dit ritme is er al"):
            shown = await world.type("iris", "/ritme ritme elke werkdag om 9 en 12 uur verhalen")
            assert words in text_of(await world.press("iris", shown, "save"))

    async def test_saved_when_it_cannot_be_any_more_says_why(self, world: World) -> None:
        await world.movement()
        shown = await world.type("iris", "/ritme ritme morgen om 10 uur verhalen")
        await world.until(datetime(2027, 3, 4, tzinfo=UTC))
        late = await world.press("iris", shown, "save")
        assert "Zo komt er nooit iets." in text_of(late)
        assert isinstance(await world.press("iris", late, "change"), Form)
        assert await rules(world) == []

    async def test_of_a_member_who_does_not_coordinate_is_not_taken(self, world: World) -> None:
        await world.movement("fatima")
        shown = await world.type("iris", "/ritme ritme elke maandag om 9 uur")
        args = dict(button_of(shown, "save").args)
        assert "de coördinator" in text_of(await world.do("fatima", "rhythm.heard.save", args=args))
        assert await rules(world) == []


class TestTheWholeForm:
    @pytest.mark.parametrize(
        ("values", "rule"),
        [
            ({"every": "1", "weekdays": ("WORK",)}, "FREQ=DAILY;X-WORKDAYS=ALL"),
            ({"every": "monthly", "weekdays": ("TU",), "nth": ("1", "3")}, "FREQ=MONTHLY;BYDAY=1TU,3TU"),
            ({"every": "monthly", "weekdays": ("WORK",), "nth": ("last",)}, "FREQ=MONTHLY;X-WORKDAY=-1"),
            ({"every": "half_yearly", "dates": "1, 31"}, "FREQ=MONTHLY;INTERVAL=6;X-DATE=1,31"),
            ({"every": "days", "cycle": "4-2", "starts": "2027-03-03"}, "FREQ=DAILY;INTERVAL=6;X-ON=4"),
            ({"every": "before"}, "FREQ=YEARLY;X-HOLIDAY=BEFORE"),
            ({"every": "once", "starts": "2027-03-03"}, "FREQ=DAILY;COUNT=1"),
            (
                {"every": "1", "weekdays": ("MO",), "also_at": "15.30, 12", "until": "2027-06-01"},
                "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;UNTIL=20270601;X-AT=1200,1530",
            ),
            ({"every": "1", "weekdays": ("MO",), "times": "3"}, "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;UNTIL=20270322"),
        ],
        ids=str,
    )
    async def test_expresses_everything(self, world: World, values: dict[str, Value], rule: str) -> None:
        await world.movement()
        assert "Bewaard." in text_of(await save(world, **values))
        assert await rules(world) == [rule]

    @pytest.mark.parametrize("language", ["nl", "en"])
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"every": "2", "weekdays": ("WORK",)}, "weekdays"),
            ({"every": "1", "weekdays": ("WORK", "MO")}, "weekdays"),
            ({"every": "monthly", "dates": "1", "weekdays": ("MO",)}, "dates"),
            ({"every": "monthly", "dates": "32"}, "dates"),
            ({"every": "1", "weekdays": ("MO",), "dates": "1"}, "dates"),
            ({"every": "days"}, "cycle"),
            ({"every": "days", "cycle": "9-0"}, "cycle"),
            ({"every": "days", "cycle": "3", "weekdays": ("MO",)}, "weekdays"),
            ({"every": "once"}, "starts"),
            ({"every": "once", "starts": "2027-03-03", "times": "2"}, "times"),
            ({"every": "1", "weekdays": ("MO",), "times": "0"}, "times"),
            ({"every": "1", "weekdays": ("MO",), "times": "2", "until": "2027-06-01"}, "times"),
            ({"every": "1", "weekdays": ("MO",), "also_at": "8, 10, 11, 12"}, "also_at"),
            ({"every": "1", "weekdays": ("MO",), "also_at": "20:00"}, "also_at"),
            ({"every": "1", "weekdays": ("MO",), "until": "2027-03-02"}, "until"),
            ({"every": "once", "starts": "2027-02-01"}, "every"),
            ({"every": "4", "weekdays": ("MO",), "starts": "2024-02-01"}, "starts"),
        ],
        ids=str,
    )
    async def test_says_beside_its_field_what_does_not_go_together(
        self, world: World, language: str, values: dict[str, Value], field: str
    ) -> None:
        await world.movement()
        reply = await world.do("iris", "rhythm.save", args={**WHOLE, **values}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}

    async def test_the_week_it_starts_is_the_coordinators_to_choose(self, world: World) -> None:
        await world.movement()
        await save(world, every="2", weekdays=("TU",), starts="2027-02-23")
        await world.until(datetime(2027, 3, 24, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 9, 8, tzinfo=UTC), datetime(2027, 3, 23, 8, tzinfo=UTC)]

    async def test_several_times_a_day_each_comes_and_one_can_be_skipped(self, world: World) -> None:
        await world.movement()
        shown = await save(world, every="1", weekdays=("TU",), also_at="12:00")
        form = await world.press("iris", shown, "moment")
        assert isinstance(form, Form)
        (on,) = [one for one in form.fields if one.name == "on"]
        assert [one.value for one in on.options][:2] == ["2027-03-02", "2027-03-02/1"]
        changed = await world.submit("iris", form, on="2027-03-09/1", what="skip")
        assert "dinsdag 9 maart om 12:00: overgeslagen op jullie verzoek" in moments_in(changed)
        await world.until(datetime(2027, 3, 10, tzinfo=UTC))
        heard = [(one.day, one.hour) for one in await times(world)]
        assert heard == [(2, 8), (2, 11), (9, 8)]

    async def test_once_is_over_after_it(self, world: World) -> None:
        await world.movement()
        await save(world, every="once", starts="2027-03-03")
        assert "één keer, op woensdag 3 maart" in text_of(await world.type("iris", "/ritme ritme"))
        await world.until(datetime(2027, 3, 8, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 3, 8, tzinfo=UTC)]
        listed = await world.type("iris", "/ritme ritme")
        assert "Is klaar." in text_of(listed)
        assert "er komt niets meer" in text_of(await world.press("iris", listed, "look_1"))

    async def test_a_date_in_the_weekend_moves_where_holidays_do(self, world: World) -> None:
        await world.movement()
        shown = await save(world, every="monthly", dates="1", on_holiday="move")
        assert "maandag 3 mei om 09:00, want zaterdag 1 mei valt in het weekend" in moments_in(shown)


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_what_is_read_is_shown_before_it_is_saved_and_comes(border: Border) -> None:
    shown = await border.type("iris", "/ritme ritme elke werkdag om 10 en 14 uur verhaalronde tot en met 3 maart")
    assert "elke werkdag om 10:00 en 14:00, tot en met woensdag 3 maart" in shown.words()
    before = len(await border.to_all())
    saved = await border.press("iris", shown, "save")
    assert "Bewaard" in saved.words()
    await border.until(datetime(2027, 3, 9, tzinfo=UTC))
    assert len(await border.to_all()) - before == 3  # the budget of a place: three posts in a week


async def test_what_is_not_understood_is_filled_in_by_hand(border: Border) -> None:
    shown = await border.type("iris", "/ritme ritme elke laatste werkdag van de maand om 15:00 taart")
    assert "Dit begreep ik niet: “taart”" in shown.words()
    form: Any = await border.press("iris", shown, "change")
    saved = await border.submit("iris", form, kind="stories")
    assert "elke laatste werkdag van de maand om 15:00" in saved.words()


async def test_the_whole_form_makes_a_roster(border: Border) -> None:
    form = await border.form("iris", "/ritme ritme", "rhythm.more", button="more")
    wrong = await border.submit("iris", form, every="days", place=HERE)
    assert "cycle" in getattr(wrong, "errors", wrong)
    form = await border.form("iris", "/ritme ritme", "rhythm.more", button="more")
    chosen = {"kind": "check_in", "every": "days", "cycle": "4-2", "starts": "2027-03-02", "weekdays": ()}
    saved = await border.submit("iris", form, **chosen, place=HERE, at="11:00")
    assert "4 dagen wel en 2 dagen niet, vanaf morgen, om 11:00" in saved.words()

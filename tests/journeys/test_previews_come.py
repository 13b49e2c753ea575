"""The preview of a change to a rhythm shows what comes, whatever came of it that day."""

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from bot.catalogue.rhythms import ComingMoment, RhythmChanged
from bot.chat import Answer, Form, Value
from bot.domain.movement import MovementId, PlaceId
from bot.domain.rhythm import MISFIRE_GRACE
from bot.use_cases.rhythms.changing import editing
from tests.journeys.test_rhythms import moments_in, rhythm
from tests.support.world import World, button_of, text_of

CASES = 8
HOURS = ("06:00", "09:00", "09:30", "11:00", "12:00", "15:00", "20:00", "23:30")
ZONES = ("", "Europe/Amsterdam", "Asia/Tokyo", "America/New_York", "Pacific/Auckland", "Europe/Lisbon")
FORM: dict[str, Value] = {"kind": "stories", "place": "general"}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def draw_timing(dice: random.Random) -> dict[str, Value]:
    at, *others = sorted(dice.sample(HOURS, dice.choice((1, 1, 2, 3))))
    days: dict[str, Value] = dice.choice(
        (
            {"every": "1", "weekdays": tuple(dice.sample(WEEKDAYS, dice.randrange(1, 8))), "cycle": ""},
            {"every": "2", "weekdays": tuple(dice.sample(WEEKDAYS, 3)), "cycle": ""},
            {"every": "1", "weekdays": ("WORK",), "cycle": ""},
            {"every": "days", "weekdays": (), "cycle": dice.choice(("1", "2", "2-1"))},
        )
    )
    return {
        **days,
        "at": at,
        "also_at": ", ".join(others),
        "timezone": dice.choice(ZONES),
        "on_holiday": dice.choice(("skip", "move")),
    }


async def change_a_moment(world: World, dice: random.Random, shown: Answer) -> None:
    """Skip, move or send now one of the next moments, as far as that can be."""
    form = await world.press("iris", shown, "moment")
    if not isinstance(form, Form):
        return
    on = dice.choice([one.value for one in next(one for one in form.fields if one.name == "on").options])
    what = dice.choice(("skip", "move", "move", "now"))
    day = (world.clock.now() + timedelta(days=dice.choice((0, 0, 1, 3)))).date().isoformat() if what == "move" else ""
    await world.submit("iris", form, on=on, what=what, day=day, at=dice.choice(HOURS) if what == "move" else "09:00")


async def planned_since(world: World, since: datetime) -> list[datetime]:
    async with world.begin() as work:
        rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 500)
    # Held up by the budget of the place, it is due later than its moment.
    planned = [one.expires_at - MISFIRE_GRACE for one in rows if one.kind == "rhythm_stories" and one.expires_at]
    return sorted(one for one in planned if one > since)


@pytest.mark.parametrize("number", range(CASES))
async def test_what_a_preview_shows_comes(world: World, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    dice = random.Random(f"preview/{number}")
    previews: list[tuple[ComingMoment, ...]] = []

    def record(**values: Any) -> RhythmChanged:
        previews.append(values["coming"])
        return RhythmChanged(**values)

    monkeypatch.setattr(editing, "RhythmChanged", record)
    await world.movement()
    async with world.begin() as work:
        place = await work.movements.place(PlaceId("general"))
        assert place is not None
        place.quiet_from, place.quiet_until, place.quiet_weekends = time(0), time(0), False
    shown = await rhythm(world, kind="stories", weekdays=WEEKDAYS)
    about = dict(button_of(shown, "edit").args)
    await world.press(
        "iris", await world.do("iris", "rhythm.save", args={**FORM, **draw_timing(dice), **about}), "apply"
    )
    for _ in range(dice.randrange(3)):
        await world.pass_(minutes=dice.randrange(36 * 60))
        looked = await world.do("iris", "rhythm.look", args=about)
        assert isinstance(looked, Answer)
        await change_a_moment(world, dice, looked)
    await world.pass_(minutes=dice.randrange(24 * 60))
    previews.clear()
    at = world.clock.now()
    preview = await world.do("iris", "rhythm.save", args={**FORM, **draw_timing(dice), **about})
    wait = dice.choice((0, 0, 1, 10))
    world.clock.set(at + timedelta(minutes=wait))
    applied = await world.press("iris", preview, "apply")
    assert "Veranderd" in text_of(applied)
    if not wait:
        assert moments_in(applied) == moments_in(preview)
    told = [one.at for one in previews[0] if one.at is not None]
    await world.until(told[-1] + timedelta(minutes=1))
    came = [one for one in await planned_since(world, at) if one <= told[-1]]
    assert came == told

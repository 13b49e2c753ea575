"""Rhythms: made through the form, heard when their moment comes, changed, missed, and asked about."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.chat import Answer, FieldErrors, Form
from bot.domain.delivery import DeliveryState
from bot.domain.ids import new_id
from bot.domain.movement import MovementId, PlaceId, Purpose, PurposeId
from bot.domain.person import Language, PersonId
from tests.support.world import World, button_of, text_of

MONDAY = {"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "09:00", "place": "general", "on_holiday": "skip"}


async def purpose(world: World, *messages: str) -> None:
    async with world.begin() as work:
        work.movements.add(
            Purpose(
                id=PurposeId(new_id()),
                movement_id=MovementId("movement"),
                version=1,
                vision="Samen doen wat kan.",
                core_messages=list(messages),
                written_by=PersonId("iris"),
                written_at=world.clock.now(),
            )
        )


async def rhythm(world: World, **more: str | tuple[str, ...]) -> Answer:
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    reply = await world.submit("iris", form, **{**MONDAY, **more})
    assert isinstance(reply, Answer), reply
    return reply


async def test_made_on_monday_heard_the_monday_after_and_every_part_before_any_twice(world: World) -> None:
    await world.movement("fatima")
    await purpose(world, "Vraag eerst.", "Een klein stapje telt.")
    shown = await rhythm(world)
    assert text_of(shown).count("maandag") >= 5
    heard = []
    for week in range(1, 5):
        await world.until(datetime(2027, 3, 1, 8, tzinfo=UTC) + timedelta(weeks=week, hours=2))
        heard.append(text_of(world.posts()[-1]))
    # The 29th is Easter Monday: skipped. Then the clocks have changed, and it is still nine.
    assert len(world.posts()) == 3
    assert (
        len({next(part for part in ("Samen doen", "Vraag eerst", "stapje telt") if part in one) for one in heard[:3]})
        == 3
    )
    assert len({one.splitlines()[0] for one in heard[:3]}) == 3


async def test_over_both_clock_changes_and_kings_day_it_stays_nine_o_clock(world: World) -> None:
    await world.movement()
    await purpose(world)
    await rhythm(world, weekdays=("TU",), on_holiday="move")
    await world.until(datetime(2027, 11, 3, tzinfo=UTC))
    async with world.begin() as work:
        rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 200)
    sent = sorted(one.sent_at for one in rows if one.kind == "rhythm_purpose" and one.sent_at)
    assert datetime(2027, 3, 23, 8, tzinfo=UTC) in sent
    assert datetime(2027, 3, 30, 7, tzinfo=UTC) in sent
    assert datetime(2027, 4, 28, 7, tzinfo=UTC) in sent
    assert datetime(2027, 10, 26, 7, tzinfo=UTC) in sent
    assert datetime(2027, 11, 2, 8, tzinfo=UTC) in sent
    assert len(sent) == len(set(sent)) == 36


async def test_one_moment_is_skipped_moved_or_sent_now(world: World) -> None:
    await world.movement()
    await purpose(world)
    shown = await rhythm(world)
    await world.submit("iris", await world.press("iris", shown, "moment"), on="2027-03-08", what="skip")
    form = await world.press("iris", shown, "moment")
    await world.submit("iris", form, on="2027-03-15", what="move", day="2027-03-16", at="10:00")
    await world.until(datetime(2027, 3, 15, 12, tzinfo=UTC))
    assert world.posts() == []
    await world.until(datetime(2027, 3, 16, 9, 30, tzinfo=UTC))
    assert len(world.posts()) == 1
    await world.submit("iris", await world.press("iris", shown, "moment"), on="2027-03-22", what="now")
    assert len(world.posts()) == 2
    await world.until(datetime(2027, 3, 23, tzinfo=UTC))
    assert len(world.posts()) == 2


async def test_paused_resumed_and_ended(world: World) -> None:
    await world.movement()
    await purpose(world)
    shown = await rhythm(world)
    paused = await world.submit("iris", await world.press("iris", shown, "pause"), until="2027-04-30")
    await world.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert world.posts() == []
    await world.press("iris", paused, "resume")
    await world.until(datetime(2027, 3, 16, tzinfo=UTC))
    assert len(world.posts()) == 1
    await world.press("iris", shown, "end")
    await world.until(datetime(2027, 4, 16, tzinfo=UTC))
    assert len(world.posts()) == 1


@pytest.mark.parametrize(("hours", "heard"), [(3, 1), (5, 0)])
async def test_down_while_due_it_is_sent_when_at_most_four_hours_late(world: World, hours: int, heard: int) -> None:
    await world.movement()
    await purpose(world)
    await rhythm(world)
    world.clock.set(datetime(2027, 3, 8, 8 + hours, tzinfo=UTC))
    await world.drain()
    assert len(world.posts()) == heard
    told = world.private("iris")
    assert len(told) == 1 - heard
    if not heard:
        assert "niet verstuurd" in text_of(told[0])
        assert "te laat" in text_of(await world.type("iris", "/ritme ritme"))
        async with world.begin() as work:
            rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 50)
        assert [one.reason for one in rows if one.state is DeliveryState.DROPPED] == ["too_late"]


async def test_after_a_month_away_nothing_floods(world: World) -> None:
    await world.movement()
    await purpose(world)
    await rhythm(world)
    world.clock.set(datetime(2027, 4, 15, 10, tzinfo=UTC))
    await world.drain()
    assert world.posts() == []
    assert len(world.private("iris")) == 1


async def test_three_reminders_without_an_answer_ask_the_coordinator_once(world: World) -> None:
    await world.movement()
    await purpose(world)
    await rhythm(world)
    await world.until(datetime(2027, 4, 6, tzinfo=UTC))
    [asked] = world.private("iris")
    slower = await world.press("iris", asked, "slower", channel=None)
    assert "om de week" in text_of(slower)
    await world.until(datetime(2027, 4, 30, tzinfo=UTC))
    assert len(world.private("iris")) == 1


async def test_an_answer_starts_the_count_anew(world: World) -> None:
    await world.movement("fatima")
    await purpose(world)
    await rhythm(world)
    await world.until(datetime(2027, 3, 16, tzinfo=UTC))
    await world.do(
        "fatima", "thread.replied", thread=world.posts()[-1].receipt.message, message="x1", text="We liepen."
    )
    await world.until(datetime(2027, 4, 7, tzinfo=UTC))
    assert world.private("iris") == []


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"weekdays": ()}, "weekdays"),
        ({"at": "07:00"}, "at"),
        ({"at": "soon"}, "at"),
        ({"weekdays": ("SU",)}, "weekdays"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"place": "elsewhere"}, "place"),
        ({"every": "monthly", "weekdays": ("MO", "TU"), "nth": "1"}, "weekdays"),
        ({"every": "monthly", "nth": ""}, "nth"),
        ({"kind": "party"}, "kind"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    world: World, language: str, values: dict[str, str | tuple[str, ...]], field: str
) -> None:
    await world.movement()
    async with world.begin() as work:
        iris = await work.people.by_account("test:W1", "iris")  # type: ignore[arg-type]
        assert iris is not None
        iris.language = Language(language)
    reply = await world.do("iris", "rhythm.save", args={**MONDAY, **values}, language=language)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


async def test_members_see_the_rhythm_and_do_not_change_it(world: World) -> None:
    await world.movement("fatima")
    await rhythm(world)
    seen = await world.press("fatima", await world.type("fatima", "/ritme rhythm"), "look_1")
    assert isinstance(seen, Answer)
    assert seen.message.buttons == ()
    for intent in ("rhythm.new", "rhythm.save", "rhythm.end", "rhythm.pause", "rhythm.place", "rhythm.moment"):
        assert "de coördinator van de beweging" in text_of(await world.do("fatima", intent))


async def test_monthly_on_the_last_friday(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, every="monthly", weekdays=("FR",), nth="last", kind="check_in", at="15:00")
    assert "elke laatste vrijdag van de maand om 15:00" in text_of(shown)
    await world.until(datetime(2027, 3, 27, tzinfo=UTC))
    assert len(world.posts()) == 1


async def test_quiet_hours_of_a_place_are_the_coordinators_to_choose(world: World) -> None:
    await world.movement()
    await purpose(world)
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "place")
    assert isinstance(form, Form)
    await world.submit("iris", form, quiet_from="22:00", quiet_until="06:00", quiet_weekends="no")
    await rhythm(world, at="07:00", weekdays=("SU",))
    await world.until(datetime(2027, 3, 7, 7, tzinfo=UTC))
    assert len(world.posts()) == 1


async def test_a_place_hears_at_most_three_posts_a_week(world: World) -> None:
    await world.movement()
    await purpose(world)
    for kind in ("purpose", "stories", "check_in"):
        await rhythm(world, kind=kind, weekdays=("TU", "TH"))
    await world.until(datetime(2027, 3, 6, tzinfo=UTC))
    assert len(world.posts()) == 3
    assert "genoeg" in text_of(await world.type("iris", "/ritme ritme"))
    assert button_of(await world.type("iris", "/ritme ritme"), "look_3")


async def test_a_rhythm_that_cannot_be_reckoned_stops_no_other(world: World) -> None:
    await world.movement(channels=("general", "night"))
    await rhythm(world, kind="stories")
    await rhythm(world, kind="stories", place="night")
    async with world.begin() as work:
        broken = next(iter(await work.rhythms.of_place(PlaceId("general"))))
        broken.timezone = "Mars/Phobos"
    await world.until(datetime(2027, 3, 8, 8, tzinfo=UTC) + timedelta(minutes=5))
    assert (len(world.posts()), len(world.posts("night"))) == (0, 1)
    async with world.begin() as work:
        again = await work.rhythms.get(broken.id, MovementId("movement"))
        assert again is not None
        again.timezone = "Europe/Amsterdam"
    await world.pass_(hours=2)
    assert len(world.posts()) == 0  # that moment is past; the next comes
    await world.pass_(weeks=1)
    assert len(world.posts()) == 1

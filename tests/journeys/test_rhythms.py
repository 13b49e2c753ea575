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


async def purpose(here: World, *messages: str) -> None:
    async with here.begin() as work:
        work.movements.add(
            Purpose(
                id=PurposeId(new_id()),
                movement_id=MovementId("movement"),
                version=1,
                vision="Samen doen wat kan.",
                core_messages=list(messages),
                written_by=PersonId("iris"),
                written_at=here.clock.now(),
            )
        )


async def rhythm(here: World, **more: str | tuple[str, ...]) -> Answer:
    form = await here.press("iris", await here.type("iris", "/ritme ritme"), "new")
    reply = await here.submit("iris", form, **{**MONDAY, **more})
    assert isinstance(reply, Answer), reply
    return reply


async def test_made_on_monday_heard_the_monday_after_and_every_part_before_any_twice(here: World) -> None:
    await here.movement("fatima")
    await purpose(here, "Vraag eerst.", "Een klein stapje telt.")
    shown = await rhythm(here)
    assert text_of(shown).count("maandag") >= 5
    heard = []
    for week in range(1, 5):
        await here.until(datetime(2027, 3, 1, 8, tzinfo=UTC) + timedelta(weeks=week, hours=2))
        heard.append(text_of(here.posts()[-1]))
    # The 29th is Easter Monday: skipped. Then the clocks have changed, and it is still nine.
    assert len(here.posts()) == 3
    assert (
        len({next(part for part in ("Samen doen", "Vraag eerst", "stapje telt") if part in one) for one in heard[:3]})
        == 3
    )
    assert len({one.splitlines()[0] for one in heard[:3]}) == 3


async def test_over_both_clock_changes_and_kings_day_it_stays_nine_o_clock(here: World) -> None:
    await here.movement()
    await purpose(here)
    await rhythm(here, weekdays=("TU",), on_holiday="move")
    await here.until(datetime(2027, 11, 3, tzinfo=UTC))
    async with here.begin() as work:
        rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 200)
    sent = sorted(one.sent_at for one in rows if one.kind == "rhythm_purpose" and one.sent_at)
    assert datetime(2027, 3, 23, 8, tzinfo=UTC) in sent
    assert datetime(2027, 3, 30, 7, tzinfo=UTC) in sent
    assert datetime(2027, 4, 28, 7, tzinfo=UTC) in sent
    assert datetime(2027, 10, 26, 7, tzinfo=UTC) in sent
    assert datetime(2027, 11, 2, 8, tzinfo=UTC) in sent
    assert len(sent) == len(set(sent)) == 36


async def test_one_moment_is_skipped_moved_or_sent_now(here: World) -> None:
    await here.movement()
    await purpose(here)
    shown = await rhythm(here)
    await here.submit("iris", await here.press("iris", shown, "moment"), on="2027-03-08", what="skip")
    form = await here.press("iris", shown, "moment")
    await here.submit("iris", form, on="2027-03-15", what="move", day="2027-03-16", at="10:00")
    await here.until(datetime(2027, 3, 15, 12, tzinfo=UTC))
    assert here.posts() == []
    await here.until(datetime(2027, 3, 16, 9, 30, tzinfo=UTC))
    assert len(here.posts()) == 1
    await here.submit("iris", await here.press("iris", shown, "moment"), on="2027-03-22", what="now")
    assert len(here.posts()) == 2
    await here.until(datetime(2027, 3, 23, tzinfo=UTC))
    assert len(here.posts()) == 2


async def test_paused_resumed_and_ended(here: World) -> None:
    await here.movement()
    await purpose(here)
    shown = await rhythm(here)
    paused = await here.submit("iris", await here.press("iris", shown, "pause"), until="2027-04-30")
    await here.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert here.posts() == []
    await here.press("iris", paused, "resume")
    await here.until(datetime(2027, 3, 16, tzinfo=UTC))
    assert len(here.posts()) == 1
    await here.press("iris", shown, "end")
    await here.until(datetime(2027, 4, 16, tzinfo=UTC))
    assert len(here.posts()) == 1


@pytest.mark.parametrize(("hours", "heard"), [(3, 1), (5, 0)])
async def test_down_while_due_it_is_sent_when_at_most_four_hours_late(here: World, hours: int, heard: int) -> None:
    await here.movement()
    await purpose(here)
    await rhythm(here)
    here.clock.set(datetime(2027, 3, 8, 8 + hours, tzinfo=UTC))
    await here.drain()
    assert len(here.posts()) == heard
    told = here.private("iris")
    assert len(told) == 1 - heard
    if not heard:
        assert "niet verstuurd" in text_of(told[0])
        assert "te laat" in text_of(await here.type("iris", "/ritme ritme"))
        async with here.begin() as work:
            rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 50)
        assert [one.reason for one in rows if one.state is DeliveryState.DROPPED] == ["too_late"]


async def test_after_a_month_away_nothing_floods(here: World) -> None:
    await here.movement()
    await purpose(here)
    await rhythm(here)
    here.clock.set(datetime(2027, 4, 15, 10, tzinfo=UTC))
    await here.drain()
    assert here.posts() == []
    assert len(here.private("iris")) == 1


async def test_three_reminders_without_an_answer_ask_the_coordinator_once(here: World) -> None:
    await here.movement()
    await purpose(here)
    await rhythm(here)
    await here.until(datetime(2027, 4, 6, tzinfo=UTC))
    [asked] = here.private("iris")
    slower = await here.press("iris", asked, "slower", channel=None)
    assert "om de week" in text_of(slower)
    await here.until(datetime(2027, 4, 30, tzinfo=UTC))
    assert len(here.private("iris")) == 1


async def test_an_answer_starts_the_count_anew(here: World) -> None:
    await here.movement("fatima")
    await purpose(here)
    await rhythm(here)
    await here.until(datetime(2027, 3, 16, tzinfo=UTC))
    await here.do("fatima", "thread.replied", thread=here.posts()[-1].receipt.message, message="x1", text="We liepen.")
    await here.until(datetime(2027, 4, 7, tzinfo=UTC))
    assert here.private("iris") == []


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
        ({"every": "monthly", "weekdays": ("MO", "TU")}, "weekdays"),
        ({"every": "monthly", "nth": ""}, "nth"),
        ({"kind": "party"}, "kind"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    here: World, language: str, values: dict[str, str | tuple[str, ...]], field: str
) -> None:
    await here.movement()
    async with here.begin() as work:
        iris = await work.people.by_account("test:W1", "iris")  # type: ignore[arg-type]
        assert iris is not None
        iris.language = Language(language)
    reply = await here.do("iris", "rhythm.save", args={**MONDAY, **values}, language=language)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


async def test_members_see_the_rhythm_and_do_not_change_it(here: World) -> None:
    await here.movement("fatima")
    await rhythm(here)
    seen = await here.press("fatima", await here.type("fatima", "/ritme rhythm"), "look_1")
    assert isinstance(seen, Answer)
    assert seen.message.buttons == ()
    for intent in ("rhythm.new", "rhythm.save", "rhythm.end", "rhythm.pause", "rhythm.place", "rhythm.moment"):
        assert "coördinatoren" in text_of(await here.do("fatima", intent))


async def test_monthly_on_the_last_friday(here: World) -> None:
    await here.movement()
    shown = await rhythm(here, every="monthly", weekdays=("FR",), nth="last", kind="check_in", at="15:00")
    assert "elke laatste vrijdag van de maand om 15:00" in text_of(shown)
    await here.until(datetime(2027, 3, 27, tzinfo=UTC))
    assert len(here.posts()) == 1


async def test_quiet_hours_of_a_place_are_the_coordinators_to_choose(here: World) -> None:
    await here.movement()
    await purpose(here)
    form = await here.press("iris", await here.type("iris", "/ritme ritme"), "place")
    assert isinstance(form, Form)
    await here.submit("iris", form, quiet_from="22:00", quiet_until="06:00", quiet_weekends="no")
    await rhythm(here, at="07:00", weekdays=("SU",))
    await here.until(datetime(2027, 3, 7, 7, tzinfo=UTC))
    assert len(here.posts()) == 1


async def test_a_place_hears_at_most_three_posts_a_week(here: World) -> None:
    await here.movement()
    await purpose(here)
    for kind in ("purpose", "stories", "check_in"):
        await rhythm(here, kind=kind, weekdays=("TU", "TH"))
    await here.until(datetime(2027, 3, 6, tzinfo=UTC))
    assert len(here.posts()) == 3
    assert "genoeg" in text_of(await here.type("iris", "/ritme ritme"))
    assert button_of(await here.type("iris", "/ritme ritme"), "look_3")


async def test_a_rhythm_that_cannot_be_reckoned_stops_no_other(here: World) -> None:
    await here.movement(channels=("general", "night"))
    await rhythm(here, kind="stories")
    await rhythm(here, kind="stories", place="night")
    async with here.begin() as work:
        broken = next(iter(await work.rhythms.of_place(PlaceId("general"))))
        broken.timezone = "Mars/Phobos"
    await here.until(datetime(2027, 3, 8, 8, tzinfo=UTC) + timedelta(minutes=5))
    assert (len(here.posts()), len(here.posts("night"))) == (0, 1)
    async with here.begin() as work:
        again = await work.rhythms.get(broken.id, MovementId("movement"))
        assert again is not None
        again.timezone = "Europe/Amsterdam"
    await here.pass_(hours=2)
    assert len(here.posts()) == 0  # that moment is past; the next comes
    await here.pass_(weeks=1)
    assert len(here.posts()) == 1

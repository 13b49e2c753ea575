"""Rhythms: made through the form, heard when their moment comes, changed, missed, and asked about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.delivery import DeliveryState
from bot.domain.ids import new_id
from bot.domain.movement import MovementId, PlaceId, PlaceState, Purpose, PurposeId, Role
from bot.domain.person import Language, PersonId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.ports import UnitOfWork
from tests.support.stories import add_reminder
from tests.support.world import World, button_of, text_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
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


def moments_in(shown: Reply) -> list[str]:
    """List what the page of a rhythm says of the coming dates."""
    assert isinstance(shown, Answer)
    return [one.text for one in shown.message.paragraphs if one.kind == "item"]


async def times(world: World, channel: str = "general") -> list[datetime]:
    """List when the messages of rhythms arrived in a channel."""
    async with world.begin() as work:
        rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 200)
    return sorted(
        one.sent_at for one in rows if one.sent_at and one.place_id == channel and one.kind.startswith("rhythm_")
    )


async def test_beside_one_whose_rule_names_no_day_it_asks_whether_to_double_it(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    doubled = await world.submit("iris", form, **{**MONDAY, "at": "09:00"})
    assert isinstance(doubled, Answer)
    assert doubled.reference is None
    assert [one.name for one in doubled.message.buttons] == ["keep", "make"]


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


async def test_no_moment_is_told_of_what_will_not_come(world: World) -> None:
    await world.movement("fatima")
    await rhythm(world)
    assert "Komt nu niet." in text_of(await world.type("iris", "/ritme ritme"))
    assert "maandag 8 maart" not in text_of(await world.type("fatima", "/ritme thuis"))
    await purpose(world, "Vraag eerst.")
    assert "Eerstvolgend" in text_of(await world.type("iris", "/ritme ritme"))
    assert "maandag 8 maart" in text_of(await world.type("fatima", "/ritme thuis"))
    async with world.begin() as work:
        place = await work.movements.place(PlaceId("general"))
        assert place is not None
        place.state, place.state_reason = PlaceState.UNREACHABLE, "place_gone"
    assert "Eerstvolgend" not in text_of(await world.type("iris", "/ritme ritme", channel=None))
    assert "maandag 8 maart" not in text_of(await world.type("fatima", "/ritme thuis", channel=None))


async def test_forms_name_channels_as_people_do(world: World) -> None:
    await world.movement("fatima", channels=("general", "zorg"))
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    assert isinstance(form, Form)
    (places,) = [field.options for field in form.fields if field.name == "place"]
    assert [one.label for one in places] == ["#general", "#zorg"]


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
    assert "Er is nog niets veranderd" in text_of(slower)
    assert "om de week" in text_of(await world.press("iris", slower, "apply", channel=None))
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
        iris.chose = ["language"]
    reply = await world.do("iris", "rhythm.save", args={**MONDAY, **values}, language=language)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


async def test_members_see_the_rhythm_and_do_not_change_it(world: World) -> None:
    await world.movement("fatima")
    await rhythm(world)
    seen = await world.press("fatima", await world.type("fatima", "/ritme rhythm"), "look_1")
    assert isinstance(seen, Answer)
    assert [button.name for button in seen.message.buttons] == ["calendar"]
    for intent in ("rhythm.new", "rhythm.save", "rhythm.end", "rhythm.pause", "rhythm.place", "rhythm.moment"):
        assert "de coördinator van de beweging" in text_of(await world.do("fatima", intent))


async def test_of_many_rhythms_the_soonest_are_listed_and_in_a_channel_its_own_first(world: World) -> None:
    await world.movement("fatima", channels=("general", "night"))
    await purpose(world)
    async with world.begin() as work:
        for number in range(22):
            add_weekly(work, f"r{number:02}", "general", world.clock.now() + timedelta(days=1))
        add_weekly(work, "late", "night", world.clock.now() + timedelta(days=6))
    shown = text_of(await world.type("fatima", "/ritme ritme"))
    assert "En nog 3 ritmes." in shown
    assert "night" not in shown.split("En nog")[0]
    own = await world.type("fatima", "/ritme ritme", channel="night")
    assert "En nog 3 ritmes." in text_of(own)
    assert button_of(own, "look_1").args["rhythm"] == "late"


def add_weekly(work: UnitOfWork, id: str, place: str, next_at: datetime) -> None:
    """Add a weekly reminder in a place that comes next at a moment."""
    work.rhythms.add(
        Rhythm(
            id=RhythmId(id),
            movement_id=MovementId("movement"),
            place_id=PlaceId(place),
            kind=RhythmKind.STORIES,
            rule="FREQ=WEEKLY;INTERVAL=1",
            starts_on=next_at.date(),
            at=next_at.time(),
            timezone="UTC",
            next_at=next_at,
            created_by=PersonId("iris"),
            created_at=next_at - timedelta(days=30),
        )
    )


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


class TestWhatIsSaidBefore:
    """Checks that what the page of a rhythm says comes true: the message arrives there and then, and not otherwise."""

    @pytest.mark.parametrize(
        ("on_holiday", "said", "comes"),
        [
            ("skip", "maandag 29 maart, Tweede paasdag: overgeslagen", ()),
            (
                "move",
                "dinsdag 30 maart om 09:00, want maandag 29 maart is het Tweede paasdag",
                (datetime(2027, 3, 30, 7, tzinfo=UTC),),
            ),
        ],
    )
    async def test_of_a_holiday(self, world: World, on_holiday: str, said: str, comes: tuple[datetime, ...]) -> None:
        await world.movement()
        await purpose(world)
        assert said in moments_in(await rhythm(world, on_holiday=on_holiday))
        await world.until(datetime(2027, 3, 27, tzinfo=UTC))
        before = len(world.posts())
        await world.until(datetime(2027, 4, 2, tzinfo=UTC))
        assert (await times(world))[before:] == list(comes)

    async def test_of_a_holiday_in_english(self, world: World) -> None:
        await world.movement()
        async with world.begin() as work:
            iris = await work.people.by_account("test:W1", "iris")  # type: ignore[arg-type]
            assert iris is not None
            iris.language = Language.EN
            iris.chose = ["language"]
        assert "Monday 29 March, Easter Monday: skipped" in moments_in(await rhythm(world))

    async def test_of_every_moment_shown(self, world: World) -> None:
        await world.movement(channels=("general", "night"))
        await purpose(world)
        shown = await rhythm(world, place="night", weekdays=("TU", "FR"), at="14:30", on_holiday="move")
        assert "in #night, elke dinsdag en vrijdag om 14:30" in text_of(shown)
        assert len(moments_in(shown)) == 5
        await world.until(datetime(2027, 3, 18, tzinfo=UTC))
        said = [f"{one.astimezone(AMSTERDAM):%-d maart om %H:%M}" for one in await times(world, "night")]
        lines = [one.replace("morgen", "dinsdag 2 maart") for one in moments_in(shown)]
        assert all(line.endswith(words) for words, line in zip(said, lines, strict=True))
        assert world.posts() == []

    async def test_of_what_people_skip_and_move_themselves(self, world: World) -> None:
        await world.movement()
        await purpose(world)
        shown = await rhythm(world)
        await world.submit("iris", await world.press("iris", shown, "moment"), on="2027-03-08", what="skip")
        form = await world.press("iris", shown, "moment")
        changed = await world.submit("iris", form, on="2027-03-15", what="move", day="2027-03-16", at="10:00")
        lines = moments_in(changed)
        assert lines[:2] == ["maandag 8 maart: overgeslagen op jullie verzoek", "dinsdag 16 maart om 10:00 (verzet)"]
        await world.until(datetime(2027, 3, 17, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 16, 9, tzinfo=UTC)]

    async def test_of_quiet_hours_that_came_later(self, world: World) -> None:
        await world.movement()
        await purpose(world)
        shown = await rhythm(world, weekdays=("MO", "TU"), at="09:00")
        form = await world.press("iris", await world.type("iris", "/ritme ritme"), "place")
        saved = await world.submit("iris", form, quiet_until="10:30")
        assert "Deze ritmes vallen nu soms in de stille tijd" in text_of(saved)
        looked = await world.do("iris", "rhythm.look", args=button_of(shown, "pause").args)
        assert moments_in(looked)[:2] == [
            "morgen om 10:30, na de stille uren",
            "maandag 8 maart om 10:30, na de stille uren",
        ]
        await world.until(datetime(2027, 3, 3, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 2, 9, 30, tzinfo=UTC)]

    async def test_of_a_weekend_that_became_quiet(self, world: World) -> None:
        await world.movement()
        await purpose(world)
        form = await world.press("iris", await world.type("iris", "/ritme ritme"), "place")
        await world.submit("iris", form, quiet_weekends="no")
        shown = await rhythm(world, weekdays=("SU",))
        form = await world.press("iris", await world.type("iris", "/ritme ritme"), "place")
        await world.submit("iris", form, quiet_weekends="yes")
        looked = await world.do("iris", "rhythm.look", args=button_of(shown, "pause").args)
        assert moments_in(looked)[0] == "zondag 7 maart, stille uren: overgeslagen"
        home = text_of(await world.type("iris", "/ritme home"))
        assert "7 maart" not in home
        await world.until(datetime(2027, 3, 12, tzinfo=UTC))
        assert world.posts() == []

    async def test_that_nothing_comes_without_a_purpose(self, world: World) -> None:
        await world.movement()
        shown = await rhythm(world)
        assert "nog geen bedoeling" in text_of(shown)
        await world.until(datetime(2027, 3, 9, tzinfo=UTC))
        assert world.posts() == []
        await purpose(world)
        looked = await world.do("iris", "rhythm.look", args=button_of(shown, "pause").args)
        assert "nog geen bedoeling" not in text_of(looked)

    async def test_that_a_place_has_no_room_for_more_than_three_in_a_week(self, world: World) -> None:
        await world.movement()
        assert "hooguit drie" not in text_of(await rhythm(world, kind="stories", weekdays=("TU", "WE", "TH")))
        assert "hooguit drie" in text_of(await rhythm(world, kind="check_in", weekdays=("FR",)))
        await world.until(datetime(2027, 3, 6, tzinfo=UTC))
        assert len(world.posts()) == 3

    async def test_of_three_days_a_week_also_when_the_clocks_go_forward(self, world: World) -> None:
        await world.movement()
        await rhythm(world, kind="stories", weekdays=("TU", "WE", "TH"))
        await world.until(datetime(2027, 4, 16, tzinfo=UTC))
        heard = [one.astimezone(AMSTERDAM) for one in await times(world)]
        assert {(one.hour, one.minute) for one in heard} == {(9, 0)}
        assert len(heard) == 7 * 3

    async def test_that_a_place_is_out_of_reach(self, world: World) -> None:
        await world.movement()
        async with world.begin() as work:
            place = await work.movements.place(PlaceId("general"))
            assert place is not None
            place.mark_unreachable("not_in_place")
        assert "daar niets posten: ik ben daar niet (meer) bij" in text_of(await rhythm(world, kind="stories"))

    async def test_in_the_zone_of_the_rhythm_which_is_named_to_who_lives_in_another(self, world: World) -> None:
        await world.movement("fatima")
        await rhythm(world, kind="stories", timezone="America/New_York", at="08:00")
        shown = await world.press("iris", await world.type("iris", "/ritme ritme"), "look_1")
        lines = [one for one in text_of(shown).splitlines() if "08:00" in one]
        assert len(lines) == 6
        assert all("08:00 (tijd in New York)" in one for one in lines)
        async with world.begin() as work:
            fatima = await work.people.by_account("test:W1", "fatima")  # type: ignore[arg-type]
            assert fatima is not None
            fatima.timezone = "America/New_York"
            fatima.chose = ["timezone"]
        hers = await world.press("fatima", await world.type("fatima", "/ritme ritme"), "look_1")
        assert "New York" not in text_of(hers)


class TestChoicesWithoutEffect:
    @pytest.mark.parametrize("language", ["nl", "en"])
    async def test_the_first_with_every_week_is_refused_beside_the_field(self, world: World, language: str) -> None:
        await world.movement()
        reply = await world.do("iris", "rhythm.save", args={**MONDAY, "nth": "1"}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {"nth"}
        assert isinstance(await world.do("iris", "rhythm.save", args={**MONDAY, "nth": "none"}), Answer)

    async def test_all_that_is_wrong_is_said_at_once(self, world: World) -> None:
        await world.movement()
        wrong = {"nth": "2", "at": "", "timezone": "Mars/Olympus", "place": "elsewhere"}
        reply = await world.do("iris", "rhythm.save", args={**MONDAY, **wrong})
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == set(wrong)

    @pytest.mark.parametrize("what", ["skip", "now"])
    async def test_a_day_for_a_moment_that_is_not_moved(self, world: World, what: str) -> None:
        await world.movement()
        form = await world.press("iris", await rhythm(world), "moment")
        reply = await world.submit("iris", form, what=what, day="2027-03-09")
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {"what"}

    async def test_a_pause_that_ends_before_anything_comes(self, world: World) -> None:
        await world.movement()
        shown = await rhythm(world, every="4")
        form = await world.press("iris", shown, "pause")
        reply = await world.submit("iris", form, until="2027-03-05")
        assert isinstance(reply, FieldErrors)
        assert "maandag 8 maart" in reply.errors["until"]
        assert isinstance(await world.submit("iris", form), Answer)  # what the form proposes has an effect


class TestTheSameTwice:
    async def test_it_is_asked_first(self, world: World) -> None:
        await world.movement()
        await purpose(world)
        await rhythm(world)
        asked = await rhythm(world)
        assert "Dit ritme is er al" in text_of(asked)
        kept = await world.press("iris", asked, "keep")
        assert isinstance(kept, Answer)
        assert kept.replaces
        await world.until(datetime(2027, 3, 9, tzinfo=UTC))
        assert len(world.posts()) == 1

    async def test_and_made_once_however_often_that_is_pressed(self, world: World) -> None:
        await world.movement()
        await purpose(world)
        await rhythm(world, weekdays=("MO", "TH"))
        asked = await rhythm(world, weekdays=("MO", "TH"))
        made, *again = [await world.press("iris", asked, "make") for _ in range(3)]
        assert isinstance(made, Answer)
        assert made.replaces
        assert "Bewaard" in text_of(made)
        assert again == [None, None]
        async with world.begin() as work:
            assert len(await work.rhythms.of_movement(MovementId("movement"))) == 2

    async def test_also_when_only_some_days_are_the_same(self, world: World) -> None:
        await world.movement()
        await rhythm(world, weekdays=("MO", "TH"))
        assert "op dezelfde dag en tijd" in text_of(await rhythm(world, every="2", weekdays=("TH",)))

    @pytest.mark.parametrize(
        "other", [{"kind": "stories"}, {"place": "night"}, {"at": "10:00"}, {"weekdays": ("TU",)}], ids=str
    )
    async def test_but_not_about_another(self, world: World, other: dict[str, str | tuple[str, ...]]) -> None:
        await world.movement(channels=("general", "night"))
        await rhythm(world)
        assert "Bewaard" in text_of(await rhythm(world, **other))


async def coordinate_too(world: World, who: str) -> None:
    async with world.begin() as work:
        member = await work.movements.membership(MovementId("movement"), PersonId(who))
        assert member is not None
        member.role = Role.COORDINATOR


class TestPressedByTwoCoordinators:
    async def test_a_rhythm_is_slowed_down_once(self, world: World) -> None:
        await world.movement("jan")
        await purpose(world)
        await coordinate_too(world, "jan")
        await rhythm(world)
        await world.until(datetime(2027, 4, 6, tzinfo=UTC))
        for who in ("iris", "jan"):
            [asked] = world.private(who)
            slower = await world.press(who, asked, "slower", channel=None)
            assert isinstance(slower, Answer)
            assert slower.replaces
            assert "om de week" in text_of(slower)
            if who == "iris":
                await world.press(who, slower, "apply", channel=None)
        async with world.begin() as work:
            (slowed,) = await work.rhythms.of_movement(MovementId("movement"))
            assert slowed.pattern.every == 2

    async def test_it_is_ended_once(self, world: World) -> None:
        await world.movement("jan")
        await coordinate_too(world, "jan")
        await rhythm(world)
        pages = [
            (who, await world.press(who, await world.type(who, "/ritme ritme"), "look_1")) for who in ("iris", "jan")
        ]
        for who, shown in pages:
            ended = await world.press(who, shown, "end")
            assert isinstance(ended, Answer)
            assert ended.replaces
            assert "is beëindigd" in text_of(ended)


class TestSaidInASentence:
    async def test_what_is_no_rhythm_is_said(self, world: World) -> None:
        await world.movement("fatima")
        assert "“taart eten”" in text_of(await world.type("iris", "/ritme ritme taart eten"))
        assert "Vraag het een coördinator" in text_of(await world.type("fatima", "/ritme ritme elke maandag"))

    @pytest.mark.parametrize("asked", ["wanneer komt de volgende oogst", "hoe laat is het op maandag"])
    async def test_a_question_is_answered_with_what_there_is(self, world: World, asked: str) -> None:
        await world.movement()
        await rhythm(world)
        shown = text_of(await world.type("iris", f"/ritme ritme {asked}"))
        assert "elke maandag om 09:00" in shown
        assert "herken ik geen ritme" not in shown


async def test_a_pause_ends_by_itself_on_its_day(world: World) -> None:
    await world.movement()
    await purpose(world)
    shown = await rhythm(world)
    paused = await world.submit("iris", await world.press("iris", shown, "pause"), until="2027-03-15")
    assert "Stil tot maandag 15 maart; daarna gaat het vanzelf verder." in text_of(paused)
    await world.until(datetime(2027, 3, 15, 7, 59, tzinfo=UTC))
    assert world.posts() == []
    await world.pass_(minutes=2)
    assert await times(world) == [datetime(2027, 3, 15, 8, tzinfo=UTC)]


async def test_the_next_moment_that_is_named_after_one_was_missed_comes(world: World) -> None:
    await world.movement()
    await purpose(world)
    await rhythm(world)
    world.clock.set(datetime(2027, 3, 8, 14, tzinfo=UTC))
    await world.drain()
    (told,) = world.private("iris")
    assert "De volgende staat op maandag 15 maart om 09:00." in text_of(told)
    await world.pass_(days=7)
    assert await times(world) == [datetime(2027, 3, 15, 8, tzinfo=UTC)]


async def test_one_that_cannot_be_planned_is_told_once_and_the_others_come(world: World) -> None:
    await world.movement("fatima")
    await rhythm(world, kind="stories", weekdays=("TU",))
    await rhythm(world, kind="check_in", weekdays=("TU",))
    async with world.begin() as work:
        broken = next(one for one in await work.rhythms.of_movement(MovementId("movement")) if one.kind == "stories")
        broken.timezone = "Mars/Olympus"
    await world.until(datetime(2027, 3, 2, 16, tzinfo=UTC))
    assert len(await times(world)) == 1
    (told,) = world.private("iris")
    assert "De verhaalronde in #general kan ik nu niet plannen" in text_of(told)
    assert world.private("fatima") == []
    trouble = await world.press("iris", told, "trouble")
    assert "ik kan niet uitrekenen wanneer dit komt" in text_of(trouble)
    assert isinstance(trouble, Answer)
    assert [one.name for one in trouble.message.buttons] == ["leave_1"]
    # Mended, it goes on; broken in another way, that is told too.
    async with world.begin() as work:
        one = await work.rhythms.get(broken.id, broken.movement_id)
        assert one is not None
        one.timezone = "Europe/Amsterdam"
    await world.until(datetime(2027, 3, 9, 12, tzinfo=UTC))
    assert len(await times(world)) == 3
    assert len(world.private("iris")) == 1

"""A step is followed up when its card promises: whatever the zone, clocks, weekends, holidays and other messages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot import wording
from bot.chat import Answer, FieldErrors, Form, Reply, Value
from bot.domain.delivery import Delivery, DeliveryState, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Language, PersonId
from bot.wording import Reader
from tests.journeys.test_stuck import buttons, fields
from tests.support.databases import BOTH
from tests.support.world import MONDAY, World, button_of, open_world, text_of

MOVEMENT = MovementId("movement")
STEP = {"cue": "het rustig is", "action": "bel ik Jan", "on_my_own": "yes"}


async def change_person(world: World, who: str = "fatima", **values: object) -> None:
    async with world.begin() as work:
        person = await work.people.get(PersonId(who), MOVEMENT)
        assert person is not None
        for name, value in values.items():
            setattr(person, name, value)
        person.chose = [*person.chose, "timezone"]  # their own choice, which no device changes


async def plan_step(world: World, **values: Value) -> Reply:
    return await world.submit("fatima", await world.do("fatima", "step"), **{**STEP, **values})


async def add_nudge(world: World, due_at: datetime, priority: Priority = Priority.NEWS) -> None:
    """Plan a message of another kind to Fatima, which draws on the same week."""
    async with world.begin() as work:
        person = await work.people.get(PersonId("fatima"), MOVEMENT)
        assert person is not None
        await work.deliveries.add(
            to_person(
                person,
                "went_quiet",
                key=uuid4().hex,
                now=world.clock.now(),
                movement=MOVEMENT,
                priority=priority,
                due_at=due_at,
            )
        )


async def rows(world: World) -> Sequence[Delivery]:
    async with world.begin() as work:
        found = await work.deliveries.of_person(PersonId("fatima"), datetime(2026, 1, 1, tzinfo=UTC))
    return sorted(found, key=lambda one: one.due_at)


async def followed_up_at(world: World) -> dict[str, datetime]:
    """Return when each step was followed up as promised."""
    follow_ups = [one for one in await rows(world) if one.kind == "follow_up" and one.is_promised]
    return {one.subject: one.sent_at for one in follow_ups if one.sent_at}


def say_moment(moment: datetime, timezone: str, now: datetime) -> str:
    reader = Reader(language=Language.NL, timezone=timezone, now=now)
    words = wording.environment(Language.NL).filters["moment"](moment, reader)
    assert isinstance(words, str)
    return words


starts = st.builds(
    lambda day, minutes: datetime.combine(day, time(), UTC) + timedelta(minutes=minutes),
    # Around both changes of the clock on both sides of the ocean, King's Day, Ascension, Christmas, and any day.
    st.one_of(
        st.sampled_from([date(2027, 3, 8), date(2027, 3, 22), date(2027, 4, 23), date(2027, 5, 3), date(2027, 10, 25)]),
        st.sampled_from([date(2027, 11, 3), date(2027, 12, 20), date(2027, 9, 30)]),
        st.dates(date(2027, 1, 1), date(2027, 12, 31)),
    ),
    st.integers(0, 24 * 60 - 1),
)
zones = st.sampled_from(
    ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland", "UTC"]
)
moments_wanted = st.lists(
    st.tuples(st.integers(0, 14), st.times().map(lambda at: at.replace(second=0, microsecond=0))),
    min_size=1,
    max_size=4,
)


@given(
    start=starts,
    timezone=zones,
    quiet=st.tuples(st.integers(0, 23), st.integers(0, 23), st.booleans()),
    wanted=moments_wanted,
    others=st.lists(st.integers(0, 14 * 24), max_size=5),
)
@example(
    # The second, lighter question was proposed within hours of the first, which came late.
    start=datetime(2027, 11, 3, 0, 16, tzinfo=UTC),
    timezone="Australia/Lord_Howe",
    quiet=(3, 3, False),
    wanted=[(0, time(22, 3))],
    others=[40],
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_step_is_followed_up_at_the_moment_its_card_names(
    tmp_path: Path,
    start: datetime,
    timezone: str,
    quiet: tuple[int, int, bool],
    wanted: list[tuple[int, time]],
    others: list[int],
) -> None:
    async with open_world(Path(mkdtemp(dir=tmp_path)), start) as world:
        await world.movement("fatima")
        chosen = {"quiet_from": time(quiet[0]), "quiet_until": time(quiet[1]), "quiet_weekends": quiet[2]}
        await change_person(world, timezone=timezone, **chosen)
        for hours in others:
            await add_nudge(world, start + timedelta(hours=hours))
        cards: dict[str, str] = {}
        for ahead, at in wanted:
            form = await world.do("fatima", "step")
            assert isinstance(form, Form)
            first = next(one.earliest for one in form.fields if one.name == "day")
            assert first is not None
            day = (first + timedelta(days=ahead)).isoformat()
            card = await world.submit("fatima", form, **{**STEP, "day": day, "at": f"{at:%H:%M}"})
            if isinstance(card, FieldErrors):
                assert set(card.errors) <= {"day", "at"}
                # The moment that the form proposes is always one that is taken.
                card = await world.submit("fatima", form, **STEP)
            assert isinstance(card, Answer)
            cards[button_of(card, "let_go").args["step"]] = text_of(card)
        await world.until(start + timedelta(days=20))
        came = await followed_up_at(world)
        assert set(came) == set(cards)
        for step, card in cards.items():
            assert f"kom ik er {say_moment(came[step], timezone, start)} op terug" in card


class TestRefused:
    @pytest.mark.parametrize(
        ("start", "values", "errors"),
        [
            (MONDAY, {"day": "2027-03-01", "at": "20:00"},
             {"at": "Dan is het stil bij jou. Kies bijvoorbeeld morgen om 09:00."}),
            (MONDAY, {"day": "2027-03-06", "at": "10:00"},
             {"day": "In het weekend is het stil bij jou. Kies bijvoorbeeld maandag 8 maart om 10:00."}),
            (datetime(2027, 4, 22, 9, tzinfo=UTC), {"day": "2027-04-27", "at": "10:00"},
             {"day": "Dat is een feestdag. Kies bijvoorbeeld woensdag 28 april om 10:00."}),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("form", ["new", "smaller", "later"])
    async def test_a_moment_that_is_not_free(
        self, tmp_path: Path, start: datetime, values: dict[str, str], errors: dict[str, str], form: str
    ) -> None:
        async with open_world(tmp_path, start) as world:
            await world.movement("fatima")
            if form == "new":
                asked = await world.do("fatima", "step")
                refused = await world.submit("fatima", asked, **{**STEP, **values})
            else:
                about = button_of(await plan_step(world), "let_go").args
                name = "step.smaller" if form == "smaller" else "step.not_yet"
                asked = await world.do("fatima", name, args={**about, "round": "0"})
                refused = await world.submit("fatima", asked, **values)
            assert isinstance(refused, FieldErrors)
            assert refused.errors == errors

    @pytest.mark.parametrize(
        ("day", "at", "field", "proposed"),
        [
            ("2027-03-01", "20:00", "at", datetime(2027, 3, 2, 8, tzinfo=UTC)),
            ("2027-03-06", "10:00", "day", datetime(2027, 3, 8, 9, tzinfo=UTC)),
        ],
    )
    async def test_what_is_proposed_is_taken_and_kept(
        self, world: World, day: str, at: str, field: str, proposed: datetime
    ) -> None:
        await world.movement("fatima")
        refused = await plan_step(world, day=day, at=at)
        assert isinstance(refused, FieldErrors)
        assert say_moment(proposed, "Europe/Amsterdam", MONDAY) in refused.errors[field]
        local = proposed.astimezone(ZoneInfo("Europe/Amsterdam"))
        card = await plan_step(world, day=local.date().isoformat(), at=f"{local:%H:%M}")
        assert isinstance(card, Answer)
        await world.pass_(days=10)
        assert list((await followed_up_at(world)).values()) == [proposed]

    async def test_in_english(self, world: World) -> None:
        await world.movement("fatima")
        await change_person(world, language=Language.EN)
        refused = await plan_step(world, day="2027-03-06", at="20:00")
        assert isinstance(refused, FieldErrors)
        assert refused.errors == {
            "day": "Your weekends are quiet. You could choose Monday 8 March at 09:00.",
            "at": "That's in your quiet hours. You could choose Monday 8 March at 09:00.",
        }

    async def test_who_wants_to_hear_at_night_may(self, world: World) -> None:
        await world.movement("fatima")
        await change_person(world, quiet_from=time(0), quiet_until=time(0), quiet_weekends=False)
        assert isinstance(await plan_step(world, day="2027-03-07", at="03:15"), Answer)
        await world.pass_(days=10)
        assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 7, 2, 15, tzinfo=UTC)]


@pytest.mark.parametrize("kind", BOTH)
async def test_kings_day_is_not_proposed(tmp_path: Path, kind: str) -> None:
    async with open_world(tmp_path, datetime(2027, 4, 26, 8, tzinfo=UTC), kind) as world:
        await world.movement("fatima")
        form = await world.do("fatima", "step")
        assert (fields(form)["day"], fields(form)["at"]) == ("2027-04-28", "09:00")
        card = await world.submit("fatima", form, **STEP)
        moved = await world.do("fatima", "step.not_yet", args={**button_of(card, "let_go").args, "round": "0"})
        assert (fields(moved)["day"], fields(moved)["at"]) == ("2027-04-28", "09:00")
        noted = await world.type("fatima", "/ritme kans de wethouder komt langs")
        assert fields(await world.press("fatima", noted, "choose_step"))["day"] == "2027-04-26"
        await world.pass_(days=1)
        assert fields(await world.press("fatima", noted, "choose_step"))["day"] == "2027-04-28"


async def test_a_full_week_moves_news_and_no_promise(world: World) -> None:
    await world.movement("fatima")
    for _ in range(4):
        await add_nudge(world, MONDAY)
    days = ["2027-03-02", "2027-03-03", "2027-03-03", "2027-03-04"]
    for day in days:
        await plan_step(world, day=day, at="10:30")
    await world.until(datetime(2027, 3, 5, tzinfo=UTC))
    assert sorted((await followed_up_at(world)).values()) == [
        datetime.combine(date.fromisoformat(day), time(9, 30), UTC) for day in days
    ]
    news = [one for one in await rows(world) if one.priority is Priority.NEWS]
    assert [one.state for one in news].count(DeliveryState.SENT) < 4


async def test_a_promise_is_kept_to_who_does_not_answer(world: World) -> None:
    await world.movement("fatima")
    await plan_step(world, day="2027-03-15", at="09:00")
    for days in (1, 3, 9, 11):
        await add_nudge(world, MONDAY + timedelta(days=days))
    await world.until(MONDAY + timedelta(days=13))
    async with world.begin() as work:
        person = await work.people.get(PersonId("fatima"), MOVEMENT)
    assert person is not None
    assert person.went_quiet_at is not None
    await world.until(datetime(2027, 3, 16, tzinfo=UTC))
    assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 15, 8, tzinfo=UTC)]


async def test_quiet_hours_that_change_say_what_they_move_and_to_when(world: World) -> None:
    await world.movement("fatima")
    card = await plan_step(world, day="2027-03-03", at="09:00")
    await plan_step(world, day="2027-03-03", at="13:00")
    form = await world.do("fatima", "me.settings")
    saved = await world.submit("fatima", form, quiet_until="10:00")
    said = "Op je kleine stap kom ik woensdag 3 maart om 10:00 terug, niet woensdag 3 maart om 09:00"
    assert said in text_of(saved)
    # Nothing moves by saving the same once more.
    form = await world.do("fatima", "me.settings")
    assert "kleine stap" not in text_of(await world.submit("fatima", form))
    await world.until(datetime(2027, 3, 3, 12, 30, tzinfo=UTC))
    step = button_of(card, "let_go").args["step"]
    assert (await followed_up_at(world))[step] == datetime(2027, 3, 3, 9, tzinfo=UTC)
    late, on_time = world.private("fatima")
    assert "Dit zou vandaag om 09:00 komen, maar toen was het stil bij jou." in text_of(late)
    assert "Dit zou" not in text_of(on_time)


async def test_a_promise_of_another_zone_that_comes_late_names_the_zone(world: World) -> None:
    await world.movement("fatima")
    await plan_step(world, day="2027-03-03", at="09:00")
    # She travels: it is three in the morning there.
    await change_person(world, timezone="America/New_York")
    await world.until(datetime(2027, 3, 3, 13, tzinfo=UTC))
    (late,) = world.private("fatima")
    assert "Dit zou vandaag om 09:00 (tijd in Amsterdam) komen, maar toen was het stil bij jou." in text_of(late)
    assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 3, 13, tzinfo=UTC)]


async def test_the_state_of_a_step_names_when_it_comes_now(world: World) -> None:
    await world.movement("fatima")
    card = await plan_step(world, day="2027-03-03", at="09:00")
    await world.submit("fatima", await world.do("fatima", "me.settings"), quiet_until="10:00")
    about = button_of(card, "let_go").args
    old = await world.do("fatima", "step.not_yet", args={**about, "round": "7"})
    assert "ik kom er woensdag 3 maart om 10:00 op terug" in text_of(old)
    assert "woensdag 3 maart om 10:00" in text_of(await world.do("fatima", "home"))
    assert "woensdag 3 maart om 10:00" in text_of(await world.do("fatima", "me"))


async def test_a_snooze_says_what_waits_for_its_end(world: World) -> None:
    await world.movement("fatima")
    await plan_step(world, day="2027-03-03", at="09:00")
    await plan_step(world, day="2027-03-10", at="09:00")
    # It ends on a Saturday; the weekend is quiet.
    snoozed = await world.submit("fatima", await world.do("fatima", "me.snooze"), until="2027-03-06")
    assert "Op je kleine stap kom ik maandag 8 maart om 08:00 terug, niet woensdag 3 maart om 09:00" in text_of(snoozed)
    assert "10 maart" not in text_of(snoozed)
    await world.pass_(days=20)
    assert sorted((await followed_up_at(world)).values()) == [
        datetime(2027, 3, 8, 7, tzinfo=UTC),
        datetime(2027, 3, 10, 8, tzinfo=UTC),
    ]


async def test_awake_early_the_first_promise_counts_again(world: World) -> None:
    await world.movement("fatima")
    first = await plan_step(world, day="2027-03-02", at="09:00")
    await plan_step(world, day="2027-03-04", at="09:00")
    snoozed = await world.submit("fatima", await world.do("fatima", "me.snooze"), until="2027-03-08")
    assert "morgen om 09:00 wordt maandag 8 maart om 08:00" in text_of(snoozed)
    await world.until(datetime(2027, 3, 3, 12, tzinfo=UTC))
    assert await followed_up_at(world) == {}
    awake = await world.press("fatima", snoozed, "wake")
    assert "Op je kleine stap kom ik morgen om 09:00 terug." in text_of(awake)
    # What waited comes now.
    assert await followed_up_at(world) == {button_of(first, "let_go").args["step"]: world.clock.now()}
    assert "Dit zou gisteren om 09:00 komen, maar toen was het stil bij jou." in text_of(world.private("fatima")[0])
    await world.pass_(days=10)
    assert max((await followed_up_at(world)).values()) == datetime(2027, 3, 4, 8, tzinfo=UTC)


async def test_someone_whose_zone_is_unknown_is_promised_a_moment_of_the_place(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        (place,) = await work.movements.places(MOVEMENT)
        place.timezone = "Asia/Tokyo"
    await world.until(datetime(2027, 3, 2, 0, 30, tzinfo=UTC))  # half past nine there
    intent = world.intent("fatima", "step.save", {**STEP, "day": "2027-03-02", "at": "17:30"})
    card = await world.ritme.handle(replace(intent, actor=replace(intent.actor, timezone=None)))
    assert isinstance(card, Answer)
    assert "vandaag om 17:30" in text_of(card)
    await world.pass_(days=3)
    assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 2, 8, 30, tzinfo=UTC)]


class TestPressedTwice:
    @pytest.mark.parametrize("name", ["let_go", "still_stuck"])
    async def test_what_decides_a_step_does_so_once_and_takes_the_place_of_its_card(
        self, world: World, name: str
    ) -> None:
        await world.movement("fatima")
        await plan_step(world)
        await world.until(MONDAY + timedelta(days=1))
        (card,) = world.private("fatima")
        first = await world.press("fatima", card, name, channel=None)
        assert isinstance(first, Answer)
        assert first.replaces
        assert await world.press("fatima", card, name, channel=None) is None
        # Another button of the old card, on another phone, shows what became of it, in its place.
        other = await world.press("fatima", card, "not_yet", channel=None)
        assert isinstance(other, Answer)
        assert other.replaces
        assert buttons(other) == ["another_step"]
        assert world.private("fatima") == [card]

    async def test_a_plan_that_was_sent_twice_is_one_step(self, world: World) -> None:
        await world.movement("fatima")
        card = await plan_step(world)
        about = button_of(card, "let_go").args
        form = await world.do("fatima", "step.not_yet", args={**about, "round": "0"})
        await world.submit("fatima", form, day="2027-03-03")
        again = await world.submit("fatima", form, day="2027-03-04")
        assert isinstance(again, Answer)
        assert "Er is niets veranderd: ik kom er woensdag 3 maart om 09:00 op terug." in text_of(again)
        await world.pass_(days=10)
        assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 3, 8, tzinfo=UTC)]


class TestWhoWantsNothing:
    @pytest.mark.parametrize(
        ("language", "said", "never"), [("nl", "niet op terug", "kom ik er "), ("en", "won't come back", "I'll come")]
    )
    async def test_is_promised_nothing_and_finds_the_step_back(
        self, world: World, language: str, said: str, never: str
    ) -> None:
        await world.movement("fatima")
        await change_person(world, stopped_at=MONDAY, language=Language(language))
        card = await plan_step(world)
        old = await world.do("fatima", "step.not_yet", args={**button_of(card, "let_go").args, "round": "7"})
        page = await world.do("fatima", "home")
        for shown in (card, old, page):
            assert said in text_of(shown)
            assert never not in text_of(shown)
        assert "bel ik Jan" in text_of(page)
        await world.pass_(days=5)
        assert world.private("fatima") == []

    async def test_who_comes_back_in_time_is_followed_up_after_all(self, world: World) -> None:
        await world.movement("fatima")
        await change_person(world, stopped_at=MONDAY)
        card = await plan_step(world)
        await world.press("fatima", card, "come_back")
        await world.pass_(days=5)
        assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 2, 8, tzinfo=UTC)]

    async def test_who_snoozed_is_promised_what_comes_after_that(self, world: World) -> None:
        await world.movement("fatima")
        await change_person(world, snoozed_until=datetime(2027, 3, 4, 23, tzinfo=UTC))
        card = await plan_step(world, day="2027-03-03", at="09:00")
        assert "Dan kom ik er vrijdag 5 maart om 08:00 op terug" in text_of(card)
        await world.pass_(days=9)
        assert list((await followed_up_at(world)).values()) == [datetime(2027, 3, 5, 7, tzinfo=UTC)]

"""Everyone decides about themselves: settings, quiet, stop, export, and being forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.chat import Answer, FieldErrors, Form
from bot.domain.delivery import Priority, to_person
from bot.domain.person import Language, Person, PersonId, StoryChoice, WorkspaceId
from tests.support.databases import readable_tables
from tests.support.stories import ROOT, add_reminder, find_story
from tests.support.world import LANE, World, text_of


async def person(world: World, who: str) -> Person:
    async with world.begin() as work:
        found = await work.people.in_workspace(PersonId(who), WorkspaceId(LANE))
    assert found is not None
    return found


async def choose_step(world: World, who: str = "fatima") -> None:
    """Have someone choose a step with a follow-up tomorrow morning."""
    stuck = await world.type(who, "/vast De nachtdienst hoort het als laatste")
    form = await world.press(who, stuck, "choose_step")
    await world.submit(who, form, cue="de overdracht klaar is", action="vraag ik Jan mee", on_my_own="yes")


async def test_me_shows_what_is_kept_and_what_is_coming(world: World) -> None:
    await world.movement("fatima")
    before = await world.type("fatima", "/ritme ik")
    await choose_step(world)
    after = await world.type("fatima", "/ritme me")
    assert "1 kleine stap" not in text_of(before)
    assert "1 kleine stap" in text_of(after)
    assert "hoe het ging met je kleine stap" in text_of(after)


async def test_settings_are_saved_and_spoken_in_at_once(world: World) -> None:
    await world.movement("fatima")
    form = await world.press("fatima", await world.type("fatima", "/ritme ik"), "settings")
    saved = await world.submit(
        "fatima", form, language="en", timezone="Europe/London", group=" Night   shift ", stories="here", named="no"
    )
    assert "from now on" in text_of(saved)
    fatima = await person(world, "fatima")
    assert (fatima.language, fatima.timezone, fatima.group) == (Language.EN, "Europe/London", "Night shift")
    assert fatima.story_choice is StoryChoice.HERE
    assert not fatima.story_named


@pytest.mark.parametrize(
    ("field", "value"),
    [("timezone", "Mars/Olympus"), ("language", "fr"), ("quiet_from", "25:00"), ("group", "x" * 81), ("named", "")],
)
async def test_a_wrong_setting_is_said_beside_its_field(world: World, field: str, value: str) -> None:
    await world.movement("fatima")
    form = await world.press("fatima", await world.type("fatima", "/ritme ik"), "settings")
    errors = await world.submit("fatima", form, **{field: value})
    assert isinstance(errors, FieldErrors)
    assert set(errors.errors) == {field}


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("ik ga met vakantie tot 20 maart", "2027-03-20"),
        ("even geen berichten tot volgende week", "2027-03-08"),
        ("stil tot vrijdag", "2027-03-05"),
        ("no messages for two weeks please", "2027-03-15"),
        ("even geen berichten", "2027-03-08"),
    ],
)
async def test_the_day_that_was_typed_stands_in_the_form_to_snooze(world: World, typed: str, until: str) -> None:
    await world.movement("fatima")
    form = await world.type("fatima", f"/ritme {typed}", channel=None)
    assert isinstance(form, Form)
    assert [one.value for one in form.fields] == [until]


async def test_snoozed_until_a_day_then_awake_by_itself(world: World) -> None:
    await world.movement("fatima")
    await choose_step(world)
    form = await world.press("fatima", await world.type("fatima", "/ritme ik"), "snooze")
    await world.submit("fatima", form, until="2027-03-05")
    await world.until(datetime(2027, 3, 4, 12, tzinfo=UTC))
    assert world.private("fatima") == []
    await world.until(datetime(2027, 3, 5, 12, tzinfo=UTC))
    assert len(world.private("fatima")) == 1


@pytest.mark.parametrize("until", ["2027-03-01", "2026-01-01", "2030-01-01", "soon", ""])
async def test_a_snooze_needs_a_day_ahead(world: World, until: str) -> None:
    await world.movement("fatima")
    form = await world.press("fatima", await world.type("fatima", "/ritme ik"), "snooze")
    assert isinstance(await world.submit("fatima", form, until=until), FieldErrors)


async def test_stopped_means_nothing_starts_by_itself_until_they_come_back(world: World) -> None:
    await world.movement("fatima")
    await choose_step(world)
    stopped = await world.type("fatima", "/ritme stop", channel=None)
    await world.pass_(days=3)
    assert world.private("fatima") == []
    back = await world.press("fatima", stopped, "come_back")
    assert isinstance(back, Answer)
    assert back.replaces
    await choose_step(world)
    await world.pass_(days=4)
    assert len(world.private("fatima")) == 1


async def test_stop_in_a_channel_says_what_can_stop_and_offers_both(world: World) -> None:
    await world.movement("fatima")
    offered = await world.type("fatima", "/ritme stop")
    assert isinstance(offered, Answer)
    assert "#general" in text_of(offered)
    assert "iris" in text_of(offered)
    assert [button.name for button in offered.message.buttons] == ["stop", "ask"]
    assert not await has_stopped(world, "fatima")
    asked = await world.press("fatima", offered, "ask")
    assert any("fatima" in text_of(one) for one in world.private("iris"))
    assert not await has_stopped(world, "fatima")
    # It took the place of the card: the other choice is on it.
    stopped = await world.press("fatima", asked, "stop")
    assert isinstance(stopped, Answer)
    assert stopped.replaces
    assert await has_stopped(world, "fatima")
    assert [button.name for button in stopped.message.buttons] == ["come_back", "forget"]
    assert await world.press("fatima", asked, "stop") is None


async def test_who_stopped_for_themselves_can_still_ask_about_the_place(world: World) -> None:
    await world.movement("fatima")
    stopped = await world.press("fatima", await world.type("fatima", "/ritme stop"), "stop")
    asked = await world.press("fatima", stopped, "ask")
    assert "iris" in text_of(asked)
    assert any("fatima" in text_of(one) for one in world.private("iris"))
    assert [button.name for button in asked.message.buttons] == []  # type: ignore[union-attr]


async def test_stop_under_a_post_is_not_taken_for_stop_for_me(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    for line in ("/ritme stop", "@Ritme stop", "ritme stop"):
        name = "command" if line.startswith("r") else "thread.replied"
        args = {"command": "", "text": line}
        offered = await world.do("fatima", name, args=args, thread=ROOT, message=line)
        assert "#general" in text_of(offered), line
        assert await find_story(world, line) is None
    assert not await has_stopped(world, "fatima")


async def test_a_coordinator_who_stops_is_led_to_the_rhythms(world: World) -> None:
    await world.movement("fatima")
    offered = await world.type("iris", "/ritme stop")
    assert [button.name for button in offered.message.buttons] == ["stop", "rhythms"]  # type: ignore[union-attr]
    await world.do("iris", "me.forget", channel=None)
    orphaned = await world.type("fatima", "/ritme stop")
    assert "/ritme start" in text_of(orphaned)
    assert [button.name for button in orphaned.message.buttons] == ["stop"]  # type: ignore[union-attr]


async def test_the_button_of_ones_own_page_stops_at_once(world: World) -> None:
    await world.movement("fatima")
    await world.press("fatima", await world.type("fatima", "/ritme ik"), "stop")
    assert await has_stopped(world, "fatima")


async def has_stopped(world: World, who: str) -> bool:
    return (await person(world, who)).stopped_at is not None


async def test_forgotten_leaves_no_trace_in_any_table(world: World) -> None:
    await world.movement("fatima", "jan", channels=("general", "night"))
    await choose_step(world)
    await world.type("fatima", "/verhaal De buurvrouw liep tot de brievenbus.")
    told = world.posts()[-1]
    await world.press("jan", told, "ripple")
    await world.type("fatima", "/vast Kanariegeel plan valt stil")
    bye = await world.press("fatima", await world.type("fatima", "/ritme ik"), "forget")
    assert "weg" in text_of(bye)
    async with world.database.connect() as connection:
        tables = await connection.run_sync(readable_tables)
        kept = [
            str(tuple(row)) for table in tables for row in await connection.execute(text(f'select * from "{table}"'))
        ]
    everything = "\n".join(kept).replace(str(PersonId("fatima")), "", 0)
    assert "buurvrouw" not in everything
    assert "Kanariegeel" not in everything
    assert "nachtdienst hoort" not in everything
    assert "vraag ik Jan" not in everything
    assert (await person(world, "fatima")).account is None
    assert (await person(world, "fatima")).name == ""
    assert told.deleted


async def test_after_being_forgotten_they_are_someone_new(world: World) -> None:
    await world.movement("fatima")
    await choose_step(world)
    await world.press("fatima", await world.type("fatima", "/ritme ik"), "forget")
    await world.pass_(days=20)
    assert world.private("fatima") == []
    again = await world.type("fatima", "/ritme ik")
    assert "1 kleine stap" not in text_of(again)
    assert isinstance(await world.type("fatima", "/vast"), Form)


async def test_the_last_word_reaches_someone_forgotten_where_no_answer_can_be_shown(world: World) -> None:
    await world.movement("fatima")
    await world.do("fatima", "me.forget", answerable=False, message="m1")
    async with world.begin() as work:
        rows = await work.deliveries.of_person(PersonId("fatima"), world.clock.now() - timedelta(days=1))
    assert all(row.args == {} for row in rows)


async def test_what_was_shared_stays_after_stopping(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/verhaal De buurvrouw liep tot de brievenbus.")
    await world.type("fatima", "/ritme stop", channel=None)
    await world.pass_(days=30)
    assert ["buurvrouw" in text_of(one) for one in world.posts()] == [True]
    assert "buurvrouw" in text_of(await world.do("fatima", "story.mine", channel=None))


class TestWhatIsToCome:
    async def test_what_may_be_moved_is_not_promised_for_a_moment(self, world: World) -> None:
        """The question whether they met draws on the week; a step was agreed on."""
        await world.movement("fatima", "jan")
        await choose_step(world)
        async with world.begin() as work:
            fatima = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
            assert fatima is not None
            await work.deliveries.add(
                to_person(
                    fatima,
                    "did_you_meet",
                    key="met",
                    now=world.clock.now(),
                    movement=None,
                    priority=Priority.ASKED_FOR,
                    due_at=datetime(2027, 3, 5, 8, tzinfo=UTC),
                )
            )
        shown = text_of(await world.type("fatima", "/ritme ik"))
        assert "morgen om 09:00: hoe het ging" in shown
        assert "vanaf morgen" not in shown
        assert "vanaf vrijdag 5 maart om 09:00: of jullie elkaar spraken" in shown

    async def test_who_stopped_is_shown_nothing_to_come(self, world: World) -> None:
        await world.movement("fatima")
        await choose_step(world)
        await world.type("fatima", "/ritme stop", channel=None)
        assert "Nog te komen" not in text_of(await world.type("fatima", "/ritme ik"))
        await world.pass_(days=5)
        assert world.private("fatima") == []

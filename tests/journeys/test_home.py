"""A page of one's own as a message, where a platform has no place for pages; and which movement it is about."""

from datetime import UTC, datetime

import pytest

from bot.chat import Answer, Form, Message, Value
from bot.domain.movement import Member, Movement, MovementId, PlaceId
from bot.domain.person import Language, PersonId
from tests.journeys.test_rhythms import MONDAY, purpose, rhythm, times
from tests.support.stories import add_reminder, reply_in_thread
from tests.support.world import World, text_of


async def second_movement(world: World, who: str) -> None:
    await world.pass_(hours=1)
    async with world.begin() as work:
        now = world.clock.now()
        work.movements.add(Movement(id=MovementId("other"), name="De buurt", language=Language.NL, started_at=now))
        work.movements.add(Member(movement_id=MovementId("other"), person_id=PersonId(who), joined_at=now))


def message(shown: object) -> Message:
    assert isinstance(shown, Answer)
    return shown.message


def labels(shown: object) -> list[str]:
    return [button.label for button in message(shown).buttons]


async def choose(world: World, action: str, **where: str) -> None:
    form = await world.do("fatima", "step", **where)  # type: ignore[arg-type]
    await world.submit("fatima", form, cue="het rustig is", action=action, on_my_own="yes")
    await world.pass_(minutes=1)


@pytest.mark.parametrize("line", ["/ritme home", "/ritme thuis", "/ritme overzicht"])
async def test_it_is_asked_for_in_either_language(world: World, line: str) -> None:
    await world.movement("fatima")
    assert "Mijn kleine stappen" in text_of(await world.type("fatima", line))


async def test_a_button_says_which_item_it_is_for(world: World) -> None:
    await world.movement("fatima")
    await choose(world, "bel ik Jan")
    await choose(world, "bel ik Piet")
    home = await world.type("fatima", "/ritme thuis")
    assert {"Gedaan 1", "Gedaan 2"} <= set(labels(home))
    assert "2. Als het rustig is, dan bel ik Piet" in text_of(home)
    second = next(button for button in message(home).buttons if button.label == "Gedaan 2")
    form = await world.do("fatima", second.intent, args=second.args)
    assert isinstance(form, Form)
    await world.submit("fatima", form, outcome="Hij doet mee")
    assert "Piet" not in text_of(await world.type("fatima", "/ritme thuis"))


async def test_more_steps_than_a_page_shows(world: World) -> None:
    await world.movement("fatima")
    for number in range(7):
        await choose(world, f"bel ik nummer {number}")
    text = text_of(await world.type("fatima", "/ritme thuis"))
    assert "Nog 2 stappen" in text
    assert "5. Als" in text
    assert "6. Als" not in text


async def test_without_a_movement_it_says_where_to_begin(world: World) -> None:
    home = await world.type("vreemd", "/ritme thuis", channel=None)
    assert "/ritme start" in text_of(home)
    assert labels(home) == ["Instellingen"]


class TestSeveralMovements:
    async def test_the_last_joined_is_shown_and_another_is_a_press_away(self, world: World) -> None:
        await world.movement("fatima")
        await choose(world, "bel ik Jan")
        await second_movement(world, "fatima")
        home = await world.type("fatima", "/ritme thuis", channel=None)
        assert "Dit is jouw pagina in De buurt" in text_of(home)
        assert "bel ik Jan" not in text_of(home)
        first = await world.press("fatima", home, "switch_1", channel=None)
        assert isinstance(first, Answer)
        assert first.replaces
        assert "Dit is jouw pagina in Samen op pad" in text_of(first)
        form = await world.press("fatima", first, "done_2", channel=None)
        assert isinstance(form, Form)

    async def test_a_movement_of_others_opens_nothing(self, world: World) -> None:
        await world.movement("fatima")
        await world.type("jan", "/ritme thuis", channel=None)
        assert "niet (meer) vinden" in text_of(await world.do("jan", "home.switch", to="movement", channel=None))

    async def test_in_a_channel_it_is_about_the_movement_there(self, world: World) -> None:
        await world.movement("fatima")
        await second_movement(world, "fatima")
        home = await world.type("fatima", "/ritme thuis", channel="general")
        assert "Samen op pad" in text_of(home)
        assert not [label for label in labels(home) if label.startswith("Naar")]


class TestStoriesInThreads:
    async def test_one_is_taken_back_alone(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", "De buurvrouw liep mee.", "m1")
        await reply_in_thread(world, "fatima", "De buurman dekte de tafel.", "m2")
        home = await world.type("fatima", "/ritme thuis", channel=None)
        assert "Alleen wie in de draad komt, leest dit" in text_of(home)
        number = next(n for n in (1, 2) if f"{n}. De buurvrouw" in text_of(home))
        back = next(one for one in message(home).buttons if one.label == f"Neem terug {number}")
        assert back.confirm is not None
        await world.do("fatima", back.intent, args=back.args, channel=None)
        text = text_of(await world.type("fatima", "/ritme thuis", channel=None))
        assert "buurvrouw" not in text
        assert "buurman" in text

    async def test_not_one_of_someone_else(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", "De buurvrouw liep mee.", "m1")
        home = await world.type("fatima", "/ritme thuis", channel=None)
        back = next(one for one in message(home).buttons if one.label == "Neem terug 1")
        assert "niet (meer) vinden" in text_of(await world.do("jan", back.intent, args=back.args, channel=None))


class TestWhatComes:
    async def show(self, world: World) -> str:
        return text_of(await world.do("fatima", "home", channel=None))

    async def add(self, world: World, **more: Value) -> None:
        await world.do("iris", "rhythm.save", args={**MONDAY, **more})

    async def test_comes_then_and_there(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await purpose(world)
        await self.add(world)
        await self.add(world, kind="stories", weekdays=("WE",), at="14:00", place="night")
        said = await self.show(world)
        assert "woensdag 3 maart om 14:00: verhaalronde in #night" in said
        assert "maandag 8 maart om 09:00: herinnering aan de bedoeling in #general" in said
        await world.until(datetime(2027, 3, 9, tzinfo=UTC))
        assert await times(world, "night") == [datetime(2027, 3, 3, 13, tzinfo=UTC)]
        assert await times(world) == [datetime(2027, 3, 8, 8, tzinfo=UTC)]

    async def test_what_cannot_come_is_not_said_to(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        await self.add(world)
        await self.add(world, kind="stories", weekdays=("WE",), place="night")
        async with world.begin() as work:
            place = await work.movements.place(PlaceId("night"))
            assert place is not None
            place.mark_unreachable("not_in_place")
        said = await self.show(world)
        assert "in #general" not in said, "there is no purpose yet"
        assert "in #night" not in said, "it is out of reach"
        await world.pass_(days=14)
        assert world.posts() == world.posts("night") == []

    async def test_what_depends_on_something_says_so(self, world: World) -> None:
        await world.movement("fatima")
        await self.add(world, kind="harvest")
        assert "oogst in #general, als er dan drie nieuwe verhalen zijn" in await self.show(world)
        await world.pass_(days=10)
        assert world.posts() == []

    async def test_why_something_is_skipped_or_moved(self, world: World) -> None:
        await world.movement("fatima", channels=("general", "night"))
        moved = await rhythm(world, kind="stories", on_holiday="move")
        skipping = await rhythm(world, kind="check_in", weekdays=("MO", "TU"), place="night")
        form = await world.press("iris", moved, "moment")
        await world.submit("iris", form, on="2027-03-08", what="move", day="2027-03-09", at="11:00")
        await world.submit("iris", await world.press("iris", skipping, "moment"), on="2027-03-09", what="skip")
        for closed in (
            {"starts": "2027-03-15", "until": "2027-03-16"},
            {"starts": "2027-03-22", "until": "2027-03-23"},
        ):
            await world.do("iris", "rhythm.closed.save", args=closed)
        said = (await self.show(world)).split("Wat er komt")[1]
        assert "dinsdag 9 maart om 11:00: verhaalronde in #general (verzet)" in said
        assert "dinsdag 9 maart: bijpraatronde in #night: overgeslagen op jullie verzoek" in said
        assert "woensdag 17 maart om 09:00: verhaalronde in #general, want maandag 15 maart zijn jullie vrij" in said
        assert (
            "maandag 15 maart tot en met dinsdag 23 maart: bijpraatronde in #night, jullie vrije dagen: overgeslagen"
            in said
        )
        await world.until(datetime(2027, 3, 29, 12, tzinfo=UTC))
        assert [one.day for one in await times(world)] == [9, 17, 24]
        await world.until(datetime(2027, 4, 6, 12, tzinfo=UTC))
        # Monday the 29th of March is Easter Monday.
        assert [one.day for one in await times(world, "night")] == [2, 8, 30, 5, 6]

    async def test_more_than_may_be_posted_in_a_week_is_said(self, world: World) -> None:
        await world.movement("fatima")
        await rhythm(world, kind="stories", weekdays=("MO", "TU", "WE"))
        assert "hooguit" not in (await self.show(world)).split("Onze bedoeling")[0]
        await self.add(world, kind="check_in", weekdays=("TH",))
        assert "In #general post ik uit mezelf hooguit drie keer in zeven dagen" in await self.show(world)
        await world.until(datetime(2027, 3, 8, tzinfo=UTC))
        assert len(world.posts()) == 3

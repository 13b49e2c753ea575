"""Some of us already do this: small behaviours that people say they do too."""

from datetime import date, time, timedelta

import pytest

from bot.domain.movement import MovementId, PlaceId, Purpose, PurposeId
from bot.domain.practice import Practised, behaviour_mark, tell_how_many
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.support.world import MONDAY, World, text_of

HANDS = "Handen op je rug"
MARK = behaviour_mark(HANDS)
PEOPLE = ("fatima", "jan", "noor", "kwame", "sanne", "bo")


@pytest.fixture
async def purposeful(world: World) -> World:
    """Return a world whose purpose has one part with a button: the behaviour that the reminder on Tuesday names."""
    await world.movement(*PEOPLE, channels=("general", "night"))
    async with world.begin() as work:
        work.movements.add(
            Purpose(
                id=PurposeId("p"),
                movement_id=MovementId("movement"),
                version=1,
                vision="",
                behaviours=[HANDS],
                written_by=None,
                written_at=MONDAY,
            )
        )
        work.rhythms.add(
            Rhythm(
                id=RhythmId("purpose"),
                movement_id=MovementId("movement"),
                place_id=PlaceId("general"),
                kind=RhythmKind.PURPOSE,
                rule="FREQ=WEEKLY;BYDAY=TU",
                starts_on=date(2027, 3, 2),
                at=time(10),
                timezone="Europe/Amsterdam",
                next_at=MONDAY + timedelta(days=1, hours=1),
                created_by=None,
                created_at=MONDAY,
            )
        )
    return world


async def do_too(world: World, *people: str, channel: str | None = "general") -> None:
    for one in people:
        await world.do(one, "behaviour", behaviour=MARK, channel=channel)


async def remind(world: World) -> str:
    """Return the words of the next reminder."""
    await world.pass_(days=7)
    return text_of(world.posts()[-1])


async def test_a_reminder_tells_from_five_people_on_with_how_many_and_never_who(purposeful: World) -> None:
    await purposeful.pass_(days=2)
    await purposeful.press("fatima", purposeful.posts()[0], "too")
    await do_too(purposeful, *PEOPLE[1:4], channel="night")
    assert "mensen" not in await remind(purposeful)
    await do_too(purposeful, "sanne")
    said = await remind(purposeful)
    assert "met vijf mensen, op twee plekken" in said
    assert not any(name in said for name in PEOPLE)


async def test_one_place_is_no_number_of_places(purposeful: World) -> None:
    await do_too(purposeful, *PEOPLE[:5])
    said = await remind(purposeful)
    assert "met vijf mensen." in said


async def test_pressing_again_takes_it_back_and_twice_at_once_does_not(purposeful: World) -> None:
    await do_too(purposeful, *PEOPLE[:5])
    await do_too(purposeful, "jan")
    assert "vijf mensen" in text_of(await purposeful.type("iris", "/ritme bedoeling"))
    await purposeful.pass_(minutes=5)
    said = await purposeful.do("jan", "behaviour", behaviour=MARK)
    assert "eraf" in text_of(said)
    assert "mensen" not in text_of(await purposeful.type("iris", "/ritme bedoeling"))


async def test_it_can_be_pressed_on_the_page_of_the_purpose(purposeful: World) -> None:
    said = await purposeful.press("jan", await purposeful.type("jan", "/ritme bedoeling"), "too_1")
    assert HANDS in text_of(said)
    async with purposeful.begin() as work:
        assert await work.movements.count_practices(MovementId("movement")) == {MARK: (1, 1)}


async def test_who_is_forgotten_is_not_counted(purposeful: World) -> None:
    await do_too(purposeful, *PEOPLE[:5])
    await purposeful.do("jan", "me.forget", channel=None)
    assert "mensen" not in await remind(purposeful)


async def test_a_behaviour_that_the_purpose_does_not_have_any_more_is_refused(purposeful: World) -> None:
    before = await purposeful.do("jan", "behaviour", behaviour="x")
    async with purposeful.begin() as work:
        assert await work.movements.count_practices(MovementId("movement")) == {}
    assert HANDS not in text_of(before)


def test_what_may_be_told() -> None:
    assert tell_how_many(4, 4) == Practised()
    assert tell_how_many(5, 1) == Practised(5, 0)
    assert tell_how_many(7, 4) == Practised(7, 4)
    assert behaviour_mark("Handen  op je rug ") == MARK

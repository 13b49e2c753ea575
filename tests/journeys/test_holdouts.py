"""Does it help? Places take turns, by lot, of going without reminders: each reads it there, and gets them again."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from bot.domain.change import CoordinatorAct
from bot.domain.holdout import HOLDOUT_PERIOD
from bot.domain.movement import MovementId, PlaceId, Purpose, PurposeId
from bot.domain.person import PersonId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.story import Readers, Story, StoryId
from tests.support.world import MONDAY, World, button_of, open_world, text_of

MOVEMENT = MovementId("movement")
PLACES = ("a", "b", "c", "d", "e")


@pytest.fixture
async def world(tmp_path: Path) -> object:
    async with open_world(tmp_path) as world:
        await world.movement("fatima", "jan", "kwame", "noor", "sanne", channels=PLACES)
        async with world.begin() as work:
            movement = await work.movements.get(MOVEMENT)
            assert movement is not None
            movement.country = ""  # no holiday comes in between
            work.movements.add(
                Purpose(
                    id=PurposeId("p"),
                    movement_id=MOVEMENT,
                    version=1,
                    vision="Samen op pad.",
                    written_by=None,
                    written_at=MONDAY,
                )
            )
            for place in PLACES:
                work.rhythms.add(
                    Rhythm(
                        id=RhythmId(f"r-{place}"),
                        movement_id=MOVEMENT,
                        place_id=PlaceId(place),
                        kind=RhythmKind.PURPOSE,
                        rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
                        starts_on=date(2027, 3, 2),
                        at=time(10),
                        timezone="Europe/Amsterdam",
                        next_at=MONDAY + timedelta(days=1, hours=1),
                        created_by=None,
                        created_at=MONDAY,
                    )
                )
        yield world


async def read_left_out(world: World, period: int) -> set[str]:
    async with world.begin() as work:
        turns = await work.holdouts.turns_in(MOVEMENT)
    return {one.place_id for one in turns if one.period == period and one.left_out}


def reminders(world: World, channel: str) -> int:
    return sum("Samen op pad." in (one.post.message.text if one.post.message else "") for one in world.posts(channel))


async def tell(world: World, count: int) -> None:
    """Store stories of five people, told now in every place."""
    async with world.begin() as work:
        for place in PLACES:
            for number, who in enumerate(("fatima", "jan", "kwame", "noor", "sanne")[:count]):
                work.stories.add(
                    Story(
                        id=StoryId(f"s{world.clock.now():%m%d}{place}{number}"),
                        movement_id=MOVEMENT,
                        place_id=PlaceId(place),
                        teller_id=PersonId(who),
                        text="Het lukte.",
                        readers=Readers.MOVEMENT,
                        told_at=world.clock.now(),
                    )
                )


async def test_it_is_off_until_a_coordinator_begins_it_and_everybody_can_see_how_it_stands(world: World) -> None:
    said = await world.type("fatima", "/ritme effect")
    assert "Er loopt geen loting" in text_of(said)
    assert "coördinator" in text_of(await world.do("fatima", "effect.begin", channel="a"))
    shown = await world.type("iris", "/ritme effect", channel="a")
    assert button_of(shown, "begin").confirm is not None
    assert "De loting loopt" in text_of(await world.press("iris", shown, "begin", channel="a"))
    assert "nog niet bekend" in text_of(await world.type("fatima", "/ritme effect"))
    async with world.begin() as work:
        kinds = [one.kind for one, _ in await work.movements.changes_by_coordinators(MOVEMENT, 9)]
    assert kinds == [CoordinatorAct.HOLDOUT_BEGUN]


async def test_a_left_out_place_gets_no_reminder_knows_why_and_gets_them_again(world: World) -> None:
    await world.do("iris", "effect.begin", channel="a")
    assert [len(world.posts(one)) for one in PLACES] == [1] * len(PLACES), "it is said in every place"
    for period in range(5):
        out = await read_left_out(world, period)
        before = {one: reminders(world, one) for one in PLACES}
        await world.until(MONDAY + (period + 1) * HOLDOUT_PERIOD - timedelta(hours=1))
        for place in PLACES:
            got = reminders(world, place) - before[place]
            assert got == (0 if place in out else 2), (period, place)
            if place in out:
                last = [one.post.message.text for one in world.posts(place) if one.post.message][-1]
                assert "blijft hier weg tot" in last
                assert "het lot koos" in last
    turns = [place for period in range(4) for place in await read_left_out(world, period)]
    assert sorted(turns) == sorted(PLACES), "each once in four periods"


async def test_ending_it_brings_the_reminders_back_at_once_and_says_so(world: World) -> None:
    await world.do("iris", "effect.begin", channel="a")
    out = await read_left_out(world, 0)
    later = await read_left_out(world, 1)
    await world.do("iris", "effect.end", channel="a")
    await world.pass_(days=40)
    for place in PLACES:
        assert reminders(world, place) == 3, place
        texts = [one.post.message.text for one in world.posts(place) if one.post.message]
        assert any("De loting is gestopt" in one for one in texts) == (place in out)
        if place in later - out:
            assert not any("blijft hier weg" in one for one in texts), "what was planned does not come"


async def test_nothing_is_told_before_a_whole_round_and_then_with_an_interval(world: World) -> None:
    await world.do("iris", "effect.begin", channel="a")
    for period in range(4):
        await tell(world, 5)
        shown = text_of(await world.type("fatima", "/ritme effect"))
        assert "nog niet bekend" in shown, period
        await world.until(MONDAY + (period + 1) * HOLDOUT_PERIOD + timedelta(hours=2))
    shown = text_of(await world.type("fatima", "/ritme effect"))
    assert "Verhalen per kanaal in vier weken: met herinnering 0,0 meer dan zonder" in shown
    assert "is zo niet te zeggen" in shown
    assert not any(name in shown for name in ("fatima", "jan", "kwame", "noor", "sanne"))


async def test_of_fewer_than_five_people_nothing_is_told(world: World) -> None:
    await world.do("iris", "effect.begin", channel="a")
    await tell(world, 4)
    await world.until(MONDAY + 4 * HOLDOUT_PERIOD + timedelta(hours=2))
    assert "te weinig mensen" in text_of(await world.type("fatima", "/ritme effect"))


async def test_a_place_that_leaves_or_joins_meanwhile_is_left_alone(world: World) -> None:
    await world.do("iris", "effect.begin", channel="a")
    (gone, *_) = sorted(await read_left_out(world, 1))
    await world.do("iris", "start.leave", channel=gone)
    await world.until(MONDAY + 2 * HOLDOUT_PERIOD)
    texts = [one.post.message.text for one in world.posts(gone) if one.post.message]
    assert not any("blijft hier weg" in one for one in texts)
    async with world.begin() as work:
        known = [one for one in await work.holdouts.turns_in(MOVEMENT) if one.place_id == gone]
    assert all(one.stories is None for one in known if one.period > 0)


async def test_with_one_reminded_place_there_is_no_lot(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.movement("fatima")
        assert "minstens twee kanalen" in text_of(await world.do("iris", "effect.begin"))

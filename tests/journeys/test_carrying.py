"""An initiative whose initiators are gone is offered to who takes part, and a silent one is asked about once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.database.repositories.movements import SIGNS_OF_LIFE
from adapters.database.tables import metadata, questions_asked, suggestions
from bot.domain.person import PersonId, WorkspaceId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.fakes.messenger import Sent
from tests.journeys.test_welcomes import begin_walk
from tests.support.readers import find_untrue
from tests.support.world import LANE, MONDAY, MOVEMENT, World, text_of

OFFER, SILENCE = "Wil jij het verder dragen?", "hoe is het ermee?"


async def begin_together(world: World, *people: str) -> str:
    """Let Fatima begin an initiative and these people join it; return its id."""
    await world.movement("fatima", "jan", "sanne", "wim")
    walk = await begin_walk(world)
    for who in people:
        await world.do(who, "initiative.join", initiative=walk)
    return walk


async def live(world: World, days: int) -> None:
    """Live day by day, as the service looks every hour."""
    for _ in range(days):
        await world.pass_(days=1)


def cards(world: World, who: str, words: str) -> list[Sent]:
    return [one for one in world.private(who) if words in text_of(one)]


async def leave_the_organisation(world: World) -> None:
    async with world.begin() as work:
        person = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert person is not None
        person.deactivated_at = world.clock.now()


async def leave_initiative(world: World) -> None:
    async with world.begin() as work:
        (walk,) = await work.initiatives.of_movement(MOVEMENT)
    await world.do("fatima", "initiative.leave", initiative=walk.id)


async def ask_to_be_forgotten(world: World) -> None:
    await world.do("fatima", "me.forget", channel=None)


@pytest.mark.parametrize("leave", [leave_initiative, leave_the_organisation, ask_to_be_forgotten])
async def test_however_the_last_initiator_left_those_who_take_part_are_asked(world: World, leave: object) -> None:
    await begin_together(world, "jan", "sanne")
    await leave(world)  # type: ignore[operator]
    await live(world, days=2)
    assert len(cards(world, "jan", OFFER)) == len(cards(world, "sanne", OFFER)) == 1
    assert cards(world, "wim", OFFER) == cards(world, "iris", "Wandelen") == []
    assert "zoekt iemand" in text_of(await world.do("wim", "initiative"))
    await live(world, days=20)
    assert len(cards(world, "jan", OFFER)) == 1


async def test_the_first_who_says_so_carries_it_and_the_others_read_who(world: World) -> None:
    walk = await begin_together(world, "jan", "sanne")
    await leave_initiative(world)
    await live(world, days=2)
    said = await world.press("jan", cards(world, "jan", OFFER)[0], "carry", channel=None)
    assert "jij trekt Wandelen nu" in text_of(said)
    assert cards(world, "sanne", OFFER) == []
    assert "jan trekt Wandelen nu" in text_of(world.private("sanne")[-1])
    assert "jan trekt Wandelen nu" in text_of(await world.do("sanne", "initiative.carry", initiative=walk))
    shown = text_of(await world.do("jan", "initiative.look", initiative=walk))
    assert "zoekt iemand" not in shown
    await world.do("jan", "initiative.leave", initiative=walk)
    await live(world, days=8)
    assert len(cards(world, "sanne", OFFER)) == 1, "a new round, for who takes part now"


async def test_where_nobody_takes_part_the_coordinators_read_so_once(world: World) -> None:
    await begin_together(world)
    await leave_initiative(world)
    await live(world, days=20)
    (card,) = cards(world, "iris", "Er doet nu niemand aan mee")
    assert cards(world, "fatima", "Wandelen") == []
    said = await world.press("iris", card, "carry", channel=None)
    assert "jij trekt Wandelen nu" in text_of(said)


async def test_who_left_it_before_the_offer_goes_out_gets_none(world: World) -> None:
    walk = await begin_together(world, "jan")
    world.clock.set(datetime(2027, 3, 1, 21, tzinfo=UTC))  # quiet hours
    await leave_initiative(world)
    await world.pass_(hours=2)
    await world.do("jan", "initiative.leave", initiative=walk)
    await live(world, days=2)
    assert cards(world, "jan", OFFER) == []


async def test_a_silence_is_asked_about_once_of_who_carries_it(world: World) -> None:
    await begin_together(world, "jan")
    await live(world, days=26)
    assert cards(world, "fatima", SILENCE) == []
    await live(world, days=5)
    (card,) = cards(world, "fatima", SILENCE)
    assert "sinds maandag 1 maart" in text_of(card)
    said = await world.press("fatima", card, "going", channel=None)
    assert "Goed om te horen" in text_of(said)
    await live(world, days=60)
    assert len(cards(world, "fatima", SILENCE)) == 1
    assert not any(SILENCE in text_of(one) for who in ("jan", "iris") for one in world.private(who))


async def test_whatever_happens_in_it_begins_the_four_weeks_anew(world: World) -> None:
    walk = await begin_together(world)
    await live(world, days=20)
    await world.do("wim", "initiative.join", initiative=walk)
    await live(world, days=20)
    assert cards(world, "fatima", SILENCE) == []
    await live(world, days=12)
    assert len(cards(world, "fatima", SILENCE)) == 1
    await world.do("sanne", "initiative.join", initiative=walk)
    await world.do("fatima", "help")
    await live(world, days=35)
    assert len(cards(world, "fatima", SILENCE)) == 2, "another silence"


async def test_what_rests_is_shown_so_and_left_alone_for_three_months(world: World) -> None:
    walk = await begin_together(world, "jan")
    await live(world, days=31)
    await world.press("fatima", cards(world, "fatima", SILENCE)[0], "rest", channel=None)
    for shown in (
        await world.do("jan", "initiative"),
        await world.do("jan", "initiative.look", initiative=walk),
        await world.do("jan", "home", channel=None),
    ):
        assert "rust" in text_of(shown)
    await live(world, days=85)
    assert len(cards(world, "fatima", SILENCE)) == 1
    await live(world, days=14)
    assert len(cards(world, "fatima", SILENCE)) == 2
    await world.do("wim", "initiative.join", initiative=walk)
    assert "rust" not in text_of(await world.do("jan", "initiative"))


async def test_what_is_let_go_is_finished_and_another_initiator_reads_so(world: World) -> None:
    walk = await begin_together(world, "jan")
    async with world.begin() as work:
        part = await work.initiatives.participant(walk, PersonId("jan"))  # type: ignore[arg-type]
        assert part is not None
        part.initiator = True
    await live(world, days=31)
    await world.press("fatima", cards(world, "fatima", SILENCE)[0], "close", channel=None)
    assert cards(world, "jan", SILENCE) == []
    assert "fatima rondde Wandelen af" in text_of(world.private("jan")[-1])


async def test_an_experiment_under_way_is_no_silence(world: World) -> None:
    walk = await begin_together(world)
    end = (MONDAY + timedelta(days=50)).date().isoformat()
    tried = {"trying": "Elke avond een rondje", "sign": "Wie slaapt", "day": end, "initiative": walk}
    await world.do("fatima", "experiment.save", args=tried)
    await live(world, days=77)
    assert cards(world, "fatima", SILENCE) == []
    await live(world, days=5)
    assert len(cards(world, "fatima", SILENCE)) == 1


def test_whatever_belongs_to_an_initiative_is_a_sign_that_something_happens() -> None:
    belonging = {table for table in metadata.tables.values() if "initiative_id" in table.columns}
    # Ritme asks the questions, about a spell that is a sign itself; who is suggested is one once they are invited.
    assert belonging - {questions_asked, suggestions} == {table for table, _ in SIGNS_OF_LIFE}


async def test_another_number_of_weeks_can_be_set(world: World) -> None:
    await begin_together(world)
    world.ritme._silent_after = timedelta(weeks=1)
    await live(world, days=9)
    assert len(cards(world, "fatima", SILENCE)) == 1


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_somebody_carries_it_on_and_lets_it_rest(border: Border) -> None:
    async with border.begin() as work:
        (walk,) = await work.initiatives.of_movement(MOVEMENT)
        for who, initiator in (("fatima", True), ("jan", False)):
            part = await work.initiatives.participant(walk.id, PersonId(who))
            assert part is not None
            part.initiator = initiator
            part.left_at = MONDAY if initiator else None
    await border.until(datetime(2027, 3, 2, 12, tzinfo=UTC))
    card = (await border.to("jan"))[-1]
    assert OFFER in card.words()
    said = await border.press("jan", card, "carry")
    assert "jij trekt" in said.words()
    await border.until(datetime(2027, 4, 2, 12, tzinfo=UTC))
    card = (await border.to("jan"))[-1]
    assert SILENCE in card.words()
    said = await border.press("jan", card, "rest")
    assert "rust" in said.words()

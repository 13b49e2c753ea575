"""The coordinators' page: figures of whole weeks that tell of no one person, rhythms to edit, and all that is set."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.ids import new_id
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from tests.journeys.test_pages_privacy import open_pages, secret_of, words_of
from tests.support.playground import ServedPlayground, serve_playground
from tests.support.visitors import start_rhythm, visit
from tests.support.world import LANE, MOVEMENT, World

OURS = "/pages/m/movement"
LAST_WEEK = timedelta(days=4)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        await start_rhythm(running)
        yield running


async def live_a_week(world: World, many: int) -> None:
    """Add what happened last week: a post of a rhythm, and for each of so many people an answer under it, a personal
    message that went out, and one that did not."""
    people = [f"mens{number}" for number in range(many)]
    await world.movement("noor", *people)
    at = world.clock.now() - LAST_WEEK

    def delivery(**more: object) -> Delivery:
        usual = {"workspace_id": WorkspaceId(LANE), "movement_id": MOVEMENT, "due_at": at, "created_at": at}
        return Delivery(id=DeliveryId(new_id()), key=new_id(), **{**usual, **more})  # type: ignore[arg-type]

    sent = {"state": DeliveryState.SENT, "sent_at": at}
    async with world.begin() as work:
        here = {"place_id": PlaceId("general"), "kind": "rhythm_stories", "priority": Priority.RHYTHM}
        await work.deliveries.add(delivery(**here, **sent, receipt="r1", receipt_channel="general"))
        await work.deliveries.add(delivery(**here, state=DeliveryState.DROPPED, reason="quiet_hours"))
        for name in people:
            to = {"person_id": PersonId(name), "kind": "story_ripple", "priority": Priority.NEWS}
            await work.deliveries.add(delivery(**to, **sent))
            await work.deliveries.add(delivery(**to, state=DeliveryState.DROPPED, reason="snoozed"))
            work.stories.add(
                Story(
                    id=StoryId(new_id()),
                    movement_id=MOVEMENT,
                    place_id=PlaceId("general"),
                    thread="r1",
                    message=f"m-{name}",
                    teller_id=PersonId(name),
                    text="Iets kleins.",
                    readers=Readers.THREAD,
                    told_at=at,
                )
            )
    await open_pages(world, "iris")


async def read_page(world: World) -> str:
    page = await world.ritme.pages.show(secret_of("iris"), "coordinator", MOVEMENT)
    assert page is not None
    return words_of(page)


@pytest.mark.parametrize("many", [0, 1, 4])
async def test_nothing_is_told_of_fewer_than_five_people(world: World, many: int) -> None:
    await live_a_week(world, many)
    words = await read_page(world)
    week = next(line for line in words.splitlines() if "Week van" in line)
    assert week.endswith("1 keer gepost, 1 keer niet"), "as for nobody at all"
    assert "minder dan vijf mensen antwoordden" in words
    assert "even niets horen" not in words
    assert "het was stille tijd: 1 keer" in words
    assert not re.findall(r"ongeveer \d", words)


async def test_from_five_on_figures_are_in_fives_and_stay_as_they_are(world: World) -> None:
    await live_a_week(world, 7)
    words = await read_page(world)
    week = next(line for line in words.splitlines() if "Week van" in line)
    sent, unsent = re.findall(r"ongeveer (\d+) persoonlijke", week)
    (reason,) = re.findall(r"even niets horen: ongeveer (\d+)", words)
    (answers,) = re.findall(r"ongeveer (\d+) antwoorden", words)
    assert {sent, unsent, reason, answers} <= {"5", "10"}
    for _ in range(3):
        assert await read_page(world) == words
    # Somebody stops coordinating, somebody else looks: it is the same for all of them.
    assert not [f"mens{number}" for number in range(7) if f"mens{number}" in words]


async def test_the_week_that_goes_on_is_not_counted(world: World) -> None:
    await live_a_week(world, 7)
    counted = re.findall(r"Week van .*", await read_page(world))
    assert len(counted) == 1
    await world.do("noor", "story", text="Nu net gebeurde er iets.")
    assert re.findall(r"Week van .*", await read_page(world)) == counted


async def test_a_rhythm_is_edited_on_its_page(served: ServedPlayground) -> None:
    async with visit(served, "iris") as iris, visit(served, "jan") as jan:
        await iris.get(f"{OURS}/coordinator")
        (address,) = set(re.findall(r'href="(/pages/m/movement/rhythm/[^"]+)"', iris.html))
        assert "Zie het jaar" not in iris.text  # it is there already
        await iris.get(address)
        assert "elke maandag" in iris.text
        await iris.press("Pas aan")
        assert (iris.status, "f-weekdays" in iris.html) == (200, True)
        assert (await jan.get(address)).status == 200  # everyone sees when it comes
        assert "Pas aan" not in jan.buttons
        assert (await jan.get(f"{OURS}/rhythm/nothing")).status == 404


async def test_everything_a_coordinator_sets_opens_from_there(served: ServedPlayground) -> None:
    await served.say("fatima", "samen-vooruit", "/verhaal We liepen samen een rondje.")
    async with visit(served, "iris") as iris:
        await iris.get(f"{OURS}/coordinator")
        section = iris.html.partition("Wat je instelt</h2>")[2].partition("</section>")[0]
        labels = re.findall(r"<button[^>]*>(.*?)</button>", section)
        assert len(labels) == 7
        for label in labels:
            await iris.get(f"{OURS}/coordinator")
            await iris.press(label)
            assert iris.status == 200, label
            assert "Niet verstuurd" not in iris.text, label
            assert len(iris.text) > 100, label


async def test_a_magazine_is_begun_and_worked_on_from_there(served: ServedPlayground) -> None:
    await served.say("fatima", "samen-vooruit", "/verhaal We liepen samen een rondje.")
    async with visit(served, "iris") as iris, visit(served, "jan") as jan:
        await iris.get(f"{OURS}/coordinator")
        assert "Er is nog geen magazine." in iris.text
        await iris.press("Begin er een")
        await iris.fill_in(name="Een jaar samen", history="yes")
        assert "Er is nog geen verhaal gekozen." in iris.text
        await iris.get(f"{OURS}/coordinator")
        assert "Een jaar samen" in iris.text
        (address,) = set(re.findall(r'href="(/pages/m/movement/magazine/[^"]+)"', iris.html))
        await iris.get(address)
        await iris.press("Werk eraan")
        await iris.press("Kies verhalen")
        assert "We liepen samen een rondje." in iris.text
        # Nobody else reads it before they may.
        await jan.get(f"{OURS}/movement")
        assert "Een jaar samen" not in jan.text
        assert (await jan.get(address)).status == 404

"""People who join a movement or an initiative are welcomed once, and its initiators hear who joined."""

import re
from pathlib import Path

from bot.domain.movement import PlaceId, Purpose, PurposeId
from bot.domain.person import PersonId
from bot.domain.story import Readers, Story, StoryId
from tests.support.world import MONDAY, MOVEMENT, World, text_of

ROOT = Path(__file__).parents[2]


async def add_purpose_and_story(world: World, readers: Readers = Readers.MOVEMENT) -> None:
    async with world.begin() as work:
        work.movements.add(
            Purpose(
                id=PurposeId("purpose"),
                movement_id=MOVEMENT,
                version=1,
                vision="Iedereen komt elke dag buiten.",
                written_by=None,
                written_at=MONDAY,
            )
        )
        work.stories.add(
            Story(
                id=StoryId("told"),
                movement_id=MOVEMENT,
                teller_id=PersonId("fatima"),
                place_id=PlaceId("general"),
                text="We liepen een rondje door de tuin.",
                readers=readers,
                named=True,
                told_at=MONDAY,
            )
        )


async def begin_walk(world: World, who: str = "fatima") -> str:
    """Begin an initiative, and return its id."""
    shown = await world.do(who, "initiative.save", args={"name": "Wandelen", "description": "Na het eten naar buiten"})
    return str(shown.message.buttons[0].args["initiative"])  # type: ignore[union-attr]


async def test_who_is_new_hears_what_it_is_for_one_story_and_what_is_kept(world: World) -> None:
    await world.movement("fatima")
    await add_purpose_and_story(world)
    await world.do("noor", "help")
    (welcome,) = world.private("noor")
    assert "Iedereen komt elke dag buiten." in text_of(welcome)
    assert "fatima vertelde" in text_of(welcome)
    assert "We liepen een rondje door de tuin." in text_of(welcome)
    assert "Ik bewaar je naam" in text_of(welcome)


async def test_a_welcome_comes_once_and_is_no_nudge(world: World) -> None:
    await world.movement("fatima")
    for _ in range(3):
        await world.do("noor", "help")
        await world.pass_(days=1)
    assert len(world.private("noor")) == 1
    shown = text_of(await world.do("noor", "me", channel=None))
    assert "Deze week stuurde ik je niets uit mezelf" in shown


async def test_a_story_kept_to_its_thread_is_in_no_welcome(world: World) -> None:
    await world.movement("fatima")
    await add_purpose_and_story(world, Readers.THREAD)
    await world.do("noor", "help")
    assert "rondje" not in text_of(world.private("noor")[0])


async def test_a_story_that_is_taken_back_leaves_the_welcome(world: World) -> None:
    await world.movement("fatima")
    await add_purpose_and_story(world)
    await world.do("noor", "help")
    await world.do("fatima", "story.withdraw", story="told")
    (welcome,) = world.private("noor")
    assert "rondje" not in text_of(welcome)
    assert "Iedereen komt elke dag buiten." in text_of(welcome)


async def test_who_begins_with_stop_is_left_alone(world: World) -> None:
    await world.movement("fatima")
    await world.do("noor", "stop.me")
    await world.pass_(days=3)
    assert world.private("noor") == []


async def test_a_coordinator_named_by_another_hears_of_it(world: World) -> None:
    await world.do(
        "fatima",
        "start.save",
        args={"name": "Buiten", "language": "nl", "vision": "Elke dag naar buiten", "coordinators": ("jan",)},
    )
    (welcome,) = world.private("jan")
    assert "fatima noemde je als coördinator van Buiten" in text_of(welcome)
    assert "Elke dag naar buiten" in text_of(welcome)
    assert world.private("fatima") == []


def test_wherever_somebody_becomes_a_member_they_are_welcomed() -> None:
    texts = {
        path.relative_to(ROOT / "bot").as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "bot").rglob("*.py")
    }
    adding = {name for name, text in texts.items() if re.search(r"[^\w]Member\(\w*movement_id=", text)}
    # Who links a place reads what the movement is for in the answer to that.
    assert {"requests.py", "use_cases/stories/saving.py"} <= adding
    assert [one for one in adding - {"use_cases/movements/linking.py"} if "plan_welcome(" not in texts[one]] == []


async def test_the_first_time_in_an_initiative_shows_one_story_of_it(world: World) -> None:
    await world.movement("fatima", "jan")
    walk = await begin_walk(world)
    await world.do("fatima", "story.save", text="Mevrouw liep mee.", readers="everyone", named="with", initiative=walk)
    async with world.begin() as work:
        for one in await work.stories.of_teller(PersonId("fatima"), 9):
            one.initiative_id = walk  # type: ignore[assignment]
    said = text_of(await world.do("jan", "initiative.join", initiative=walk))
    assert "Na het eten naar buiten" in said
    assert "fatima vertelde" in said
    assert "Mevrouw liep mee." in said
    assert "Ik bewaar dat je meedoet" in said
    await world.do("jan", "initiative.leave", initiative=walk)
    again = text_of(await world.do("jan", "initiative.join", initiative=walk))
    assert "Mevrouw" not in again


async def test_who_carries_it_hears_in_one_message_who_joined_within_a_day(world: World) -> None:
    await world.movement("fatima", "jan", "sanne", "wim")
    walk = await begin_walk(world)
    await world.do("jan", "initiative.join", initiative=walk)
    await world.pass_(hours=3)
    await world.do("sanne", "initiative.join", initiative=walk)
    await world.do("wim", "initiative.join", initiative=walk)
    await world.do("wim", "initiative.leave", initiative=walk)
    assert world.private("fatima") == []
    await world.pass_(days=3)
    (news,) = world.private("fatima")
    assert "jan en sanne doen nu mee met Wandelen" in text_of(news)
    assert world.private("jan") == world.private("sanne") == []


async def test_who_left_again_before_the_news_is_not_told_of(world: World) -> None:
    await world.movement("fatima", "jan")
    walk = await begin_walk(world)
    await world.do("jan", "initiative.join", initiative=walk)
    await world.do("jan", "initiative.leave", initiative=walk)
    await world.pass_(days=3)
    assert world.private("fatima") == []


async def test_who_is_forgotten_leaves_the_news(world: World) -> None:
    await world.movement("fatima", "jan", "sanne")
    walk = await begin_walk(world)
    for who in ("jan", "sanne"):
        await world.do(who, "initiative.join", initiative=walk)
    await world.pass_(days=2)
    await world.do("jan", "me.forget", channel=None)
    (news,) = world.private("fatima")
    assert "jan" not in text_of(news)
    assert "sanne" in text_of(news)

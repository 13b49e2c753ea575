"""The quilt: everyone in a place sees what is being tried; who carries an initiative, who has the same question."""

from datetime import date, time, timedelta

import pytest

from bot.chat import Form
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.support.world import MONDAY, World, agree, text_of

MOVEMENT = MovementId("movement")
WALKING = ("walking", "Wandelen na het eten", "Met bewoners een rondje door de tuin", "fatima")
GARDEN = ("garden", "De tuin open", "Bewoners gaan 's middags de tuin in", "noor")
FORMS = ("forms", "Minder formulieren", "Bij opname drie formulieren geschrapt", "kwame")


async def begin(world: World, *initiatives: tuple[str, str, str, str]) -> None:
    """Store initiatives, and a quilt on Tuesdays in #general."""
    async with world.begin() as work:
        for number, (about, name, description, who) in enumerate(initiatives):
            started = MONDAY - timedelta(days=number)
            work.initiatives.add(
                Initiative(
                    id=InitiativeId(about),
                    movement_id=MOVEMENT,
                    name=name,
                    description=description,
                    started_by=PersonId(who),
                    started_at=started,
                )
            )
            work.initiatives.add(
                Participant(
                    initiative_id=InitiativeId(about),
                    movement_id=MOVEMENT,
                    person_id=PersonId(who),
                    initiator=True,
                    joined_at=started,
                )
            )
        work.rhythms.add(
            Rhythm(
                id=RhythmId("quilt"),
                movement_id=MOVEMENT,
                place_id=PlaceId("general"),
                kind=RhythmKind.QUILT,
                rule="FREQ=WEEKLY;BYDAY=TU",
                starts_on=date(2027, 3, 2),
                at=time(10),
                timezone="Europe/Amsterdam",
                next_at=MONDAY + timedelta(days=1, hours=1),
                created_by=None,
                created_at=MONDAY,
            )
        )


@pytest.fixture
async def tried(world: World) -> World:
    """Return a world in which three things are being tried, two of them with bewoners in the garden."""
    await world.movement("fatima", "noor", "kwame")
    await begin(world, WALKING, GARDEN, FORMS)
    return world


async def test_a_place_sees_what_is_being_tried_without_names(tried: World) -> None:
    await tried.pass_(days=2)
    (post,) = tried.posts()
    words = text_of(post)
    assert all(name in words and trying in words for _, name, trying, _ in (WALKING, GARDEN, FORMS))
    assert not any(name in words for name in ("fatima", "noor", "kwame"))
    listed = await tried.press("kwame", post, "see")
    assert "noor" in text_of(listed)


async def test_who_carries_an_initiative_hears_who_has_the_same_question(tried: World) -> None:
    await tried.pass_(days=2)
    (news,) = tried.private("fatima")
    assert GARDEN[1] in text_of(news)
    assert FORMS[1] not in text_of(news)
    assert tried.private("kwame") == []


async def test_who_carries_several_gets_one_message(tried: World) -> None:
    second = {"name": "Lopen in de tuin", "description": "Bewoners lopen een rondje"}
    await tried.do("fatima", "initiative.save", args=second)
    await tried.pass_(days=2)
    (news,) = tried.private("fatima")
    assert second["name"] in text_of(news)
    assert GARDEN[1] in text_of(news)


async def test_an_introduction_is_offered_to_who_agreed_and_in_ones_own_words(tried: World) -> None:
    await agree(tried.begin, "noor")
    await tried.pass_(days=2)
    (news,) = tried.private("fatima")
    assert "noor" in text_of(news)
    form = await tried.press("fatima", news, "invite", channel=None)
    assert isinstance(form, Form)
    await tried.submit("fatima", form, channel=None)
    assert WALKING[1] in text_of(tried.private("noor")[-1])


async def test_nobody_is_named_who_did_not_agree(tried: World) -> None:
    await tried.pass_(days=2)
    (news,) = tried.private("fatima")
    assert "noor" not in text_of(news)
    assert [button.name for button in news.message.buttons] == ["see"]


async def test_an_initiative_that_nobody_carries_is_looking_for_someone(tried: World) -> None:
    await tried.do("noor", "initiative.leave", initiative="garden")
    await tried.pass_(days=2)
    (post,) = tried.posts()
    assert "tuin in (zoekt iemand)" in text_of(post)


async def test_one_initiative_makes_no_quilt(world: World) -> None:
    await world.movement("fatima")
    await begin(world, WALKING)
    await world.pass_(days=2)
    assert world.posts() == []
    assert world.private("fatima") == []


async def test_it_comes_again_with_what_is_then_alike(tried: World) -> None:
    await tried.pass_(days=2)
    await tried.do("noor", "initiative.close", initiative="garden")
    await tried.pass_(days=7)
    assert GARDEN[1] not in text_of(tried.posts()[-1])
    assert len(tried.private("fatima")) == 1

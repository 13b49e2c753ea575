"""Looking back: what happened, in order, of what the reader may know."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import Answer
from bot.domain.look_back import MAX_TIMELINE_MOMENTS, MomentKind, TimelineMoment, choose_moments
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import PersonId
from tests.support.world import MOVEMENT, World, text_of


async def live_through(world: World) -> None:
    """Live a few weeks of an initiative: begun, joined, stuck in private and in the open, a step, two stories."""
    await world.movement("fatima", "jan")
    await world.do("fatima", "initiative.save", args={"name": "Wandelen na het eten"})
    await world.pass_(days=1)
    look = await world.press("jan", await world.type("jan", "/ritme initiatief"), "look_1")
    await world.press("jan", look, "join")
    await world.pass_(days=1)
    await world.type("jan", "/vast Niemand hoort mijn geheim")
    await world.pass_(days=1)
    await world.type("fatima", "/verhaal De buurvrouw liep tot de brievenbus.")


async def test_the_asker_sees_their_own_line_and_others_do_not(world: World) -> None:
    await live_through(world)
    jan, fatima = await world.type("jan", "/ritme terugblik"), await world.type("fatima", "/ritme lookback")
    assert "liep vast" in text_of(jan)
    assert "liep vast" not in text_of(fatima)
    assert "geheim" not in text_of(jan)
    assert "brievenbus" in text_of(jan)
    assert "vraagt dit nu" in text_of(jan)


@pytest.mark.parametrize("typed", ["wandelen", "Wandeln na het eten"])
async def test_an_initiative_is_found_by_nearly_its_name(world: World, typed: str) -> None:
    await live_through(world)
    shown = text_of(await world.type("jan", f"/ritme terugblik {typed}"))
    assert "Wandelen na het eten" in shown
    assert "jan kwam erbij" in shown


async def test_what_is_not_there_is_said(world: World) -> None:
    await live_through(world)
    assert "ken ik niet" in text_of(await world.type("jan", "/ritme terugblik qqqqqq"))


async def test_a_movement_that_only_just_began_is_welcomed(world: World) -> None:
    await world.movement("fatima")
    reply = await world.type("fatima", "/ritme terugblik")
    assert isinstance(reply, Answer)
    assert [button.name for button in reply.message.buttons] == ["tell"]


async def test_a_page_has_no_part_for_a_history_that_is_empty(world: World) -> None:
    """After a year with one moment neither; and it is invited to tell something once."""
    await world.movement("fatima")
    await world.pass_(days=400)
    async with world.begin() as work:
        person = await work.people.get(PersonId("fatima"), MOVEMENT)
        assert person is not None
        session = PageSession.offer(person, world.clock.now())
        work.sessions.add(session)
    secret = "x" * SESSION_SECRET_CHARS
    assert await world.ritme.pages.open(session.id, secret, "")
    page = await world.ritme.pages.show(secret, "movement", MOVEMENT)
    assert page is not None
    assert "Leergeschiedenis" not in [one.title for one in page.page.sections]
    buttons = [button.intent for one in page.page.sections for button in one.message.buttons]
    assert buttons.count("story") == 1


async def test_a_place_hears_only_what_everyone_may_know(world: World) -> None:
    await live_through(world)
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    await world.submit("iris", form, kind="look_back", weekdays=("MO",), at="10:00", every="1")
    await world.until(datetime(2027, 3, 8, 10, tzinfo=UTC))
    said = text_of(world.posts()[-1])
    assert "brievenbus" in said
    assert "liep vast" not in said


async def test_only_what_may_travel_is_looked_back_on(world: World) -> None:
    await live_through(world)
    story = await world.type("jan", "/verhaal Dit blijft hier.")
    form = await world.press("jan", story, "change")
    await world.submit("jan", form, readers="thread")
    assert "Dit blijft hier" not in text_of(await world.type("fatima", "/ritme terugblik"))


moments = st.lists(
    st.builds(
        TimelineMoment,
        at=st.integers(0, 10**6).map(lambda minutes: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
        turning=st.sampled_from(list(MomentKind)),
        ripples=st.integers(0, 5),
    ),
    max_size=80,
)


@given(moments)
def test_a_line_is_short_in_order_and_keeps_both_ends(found: list[TimelineMoment]) -> None:
    chosen = choose_moments(found)
    assert len(chosen) == min(len(found), MAX_TIMELINE_MOMENTS)
    assert [one.at for one in chosen] == sorted(one.at for one in chosen)
    if found:
        assert chosen[0].at == min(one.at for one in found)
        assert chosen[-1].at == max(one.at for one in found)

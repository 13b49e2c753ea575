"""Looking back: what happened, in order, of what the reader may know."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import Answer
from bot.domain.look_back import MOST_SHOWN, Moment, Turning, choose
from tests.support.world import World, text_of


async def lived(here: World) -> None:
    """A few weeks of an initiative: begun, joined, stuck in private and in the open, a step, two stories."""
    await here.movement("fatima", "jan")
    await here.do("fatima", "initiative.save", args={"name": "Wandelen na het eten"})
    await here.pass_(days=1)
    look = await here.press("jan", await here.type("jan", "/ritme initiatief"), "look_1")
    await here.press("jan", look, "join")
    await here.pass_(days=1)
    await here.type("jan", "/vast Niemand hoort mijn geheim")
    await here.pass_(days=1)
    await here.type("fatima", "/verhaal Mevrouw Bakker liep tot de brievenbus.")


async def test_the_asker_sees_their_own_line_and_others_do_not(here: World) -> None:
    await lived(here)
    jan, fatima = await here.type("jan", "/ritme terugblik"), await here.type("fatima", "/ritme lookback")
    assert "liep vast" in text_of(jan)
    assert "liep vast" not in text_of(fatima)
    assert "geheim" not in text_of(jan)
    assert "brievenbus" in text_of(jan)
    assert "vraagt dit nu" in text_of(jan)


@pytest.mark.parametrize("typed", ["wandelen", "Wandeln na het eten"])
async def test_an_initiative_is_found_by_nearly_its_name(here: World, typed: str) -> None:
    await lived(here)
    shown = text_of(await here.type("jan", f"/ritme terugblik {typed}"))
    assert "Wandelen na het eten" in shown
    assert "jan kwam erbij" in shown


async def test_what_is_not_there_is_said(here: World) -> None:
    await lived(here)
    assert "ken ik niet" in text_of(await here.type("jan", "/ritme terugblik qqqqqq"))


async def test_a_movement_that_only_just_began_is_welcomed(here: World) -> None:
    await here.movement("fatima")
    reply = await here.type("fatima", "/ritme terugblik")
    assert isinstance(reply, Answer)
    assert [button.name for button in reply.message.buttons] == ["tell"]


async def test_a_place_hears_only_what_everyone_may_know(here: World) -> None:
    await lived(here)
    form = await here.press("iris", await here.type("iris", "/ritme ritme"), "new")
    await here.submit("iris", form, kind="look_back", weekdays=("MO",), at="10:00", every="1")
    await here.until(datetime(2027, 3, 8, 10, tzinfo=UTC))
    said = text_of(here.posts()[-1])
    assert "brievenbus" in said
    assert "liep vast" not in said


async def test_only_what_may_travel_is_looked_back_on(here: World) -> None:
    await lived(here)
    story = await here.type("jan", "/verhaal Dit blijft hier.")
    form = await here.press("jan", story, "change")
    await here.submit("jan", form, readers="thread")
    assert "Dit blijft hier" not in text_of(await here.type("fatima", "/ritme terugblik"))


moments = st.lists(
    st.builds(
        Moment,
        at=st.integers(0, 10**6).map(lambda minutes: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
        turning=st.sampled_from(list(Turning)),
        ripples=st.integers(0, 5),
    ),
    max_size=80,
)


@given(moments)
def test_a_line_is_short_in_order_and_keeps_both_ends(found: list[Moment]) -> None:
    chosen = choose(found)
    assert len(chosen) == min(len(found), MOST_SHOWN)
    assert [one.at for one in chosen] == sorted(one.at for one in chosen)
    if found:
        assert chosen[0].at == min(one.at for one in found)
        assert chosen[-1].at == max(one.at for one in found)

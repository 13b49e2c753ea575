"""The small step: chosen, come back to at its moment, closed in whatever way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chat import Answer, FieldErrors, Form
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.next_step import NextStep, StepId, StepState
from bot.domain.person import Language, PersonId
from tests.journeys.test_stuck import buttons, fields, step, told
from tests.support.databases import BOTH
from tests.support.world import MONDAY, World, button_of, text_of, world

MOVEMENT = MovementId("movement")


async def planned(here: World, who: str = "fatima") -> list[NextStep]:
    async with here.begin() as work:
        return list(await work.steps.planned_of(PersonId(who), MOVEMENT))


async def found(here: World, which: str) -> NextStep:
    async with here.begin() as work:
        one = await work.steps.get(StepId(which), MOVEMENT)
    assert one is not None
    return one


class TestChoosing:
    async def test_it_is_two_fields_and_the_next_working_day_is_proposed(self, here: World) -> None:
        await here.movement("fatima")
        form = await here.press("fatima", await told(here), "choose_step")
        assert isinstance(form, Form)
        assert {"cue", "action"} <= set(fields(form))
        assert (fields(form)["day"], fields(form)["at"]) == ("2027-03-02", "09:00")
        assert "post" in fields(form)
        alone = await here.press("fatima", await told(here), "choose_step", channel=None)
        assert "post" not in fields(alone)

    async def test_it_is_echoed_as_an_if_then_plan(self, here: World) -> None:
        await here.movement("fatima")
        plan = text_of(await step(here, await told(here)))
        assert plan.index("de overdracht klaar is") < plan.index("vraag ik Jan")

    @pytest.mark.parametrize(
        ("values", "wrong"),
        [
            ({"day": "2027-02-28"}, "day"),
            ({"day": "2027-03-16"}, "day"),
            ({"day": "morgen"}, "day"),
            ({"day": ""}, "day"),
            ({"at": "25:00"}, "at"),
            ({"day": "2027-03-01", "at": "08:59"}, "at"),
            ({"cue": " "}, "cue"),
            ({"action": ""}, "action"),
            ({"action": "x" * 301}, "action"),
            ({"on_my_own": "misschien"}, "on_my_own"),
        ],
    )
    async def test_what_is_wrong_is_said_beside_its_field(
        self, here: World, values: dict[str, str], wrong: str
    ) -> None:
        await here.movement("fatima")
        reply = await step(here, await told(here), **values)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {wrong}
        assert await planned(here) == []

    async def test_needing_permission_is_tried_smaller_once_then_taken_as_it_is(self, here: World) -> None:
        await here.movement("fatima")
        form = await step(here, await told(here), on_my_own="no", action="vraag ik de directie om geld")
        assert isinstance(form, Form)
        assert fields(form)["action"] == "vraag ik de directie om geld"
        assert await planned(here) == []
        assert isinstance(await here.submit("fatima", form), Answer)
        (one,) = await planned(here)
        assert not one.on_my_own

    async def test_if_they_like_it_is_posted_under_what_they_told(self, here: World) -> None:
        await here.movement("fatima")
        await step(here, await told(here, audience="channel"), post="yes")
        post, reply = here.posts()
        assert reply.post.thread == post.receipt.message
        assert "vraag ik Jan" in text_of(reply)

    async def test_it_is_not_posted_unasked(self, here: World) -> None:
        await here.movement("fatima")
        await step(here, await told(here))
        assert here.posts() == []


class TestComingBack:
    async def follow_up(self, here: World) -> str:
        await here.movement("fatima")
        await step(here, await told(here))
        await here.until(MONDAY + timedelta(days=1))
        (one,) = here.private("fatima")
        return button_of(one, "done").args["step"]

    async def test_it_comes_at_its_moment_and_once(self, here: World) -> None:
        await here.movement("fatima")
        await step(here, await told(here))
        await here.until(MONDAY + timedelta(days=1, seconds=-1))
        assert here.private("fatima") == []
        await here.pass_(seconds=1)
        assert len(here.private("fatima")) == 1
        await here.pass_(days=30)
        assert len(here.private("fatima")) == 1

    @pytest.mark.parametrize(
        ("name", "state"), [("done", StepState.DONE), ("something_else", StepState.SOMETHING_ELSE)]
    )
    async def test_done_and_something_else_are_both_welcome(self, here: World, name: str, state: StepState) -> None:
        known = await self.follow_up(here)
        message = here.private("fatima")[0]
        form = await here.press("fatima", message, name, channel=None)
        assert (await found(here, known)).state is state
        welcomed = await here.submit("fatima", form, channel=None, outcome="Het lukte half")
        assert buttons(welcomed) == ["tell_story", "moves_again", "another_step"]
        assert (await found(here, known)).outcome == "Het lukte half"
        for again in ("done", "something_else", "not_yet", "still_stuck", "let_go"):
            assert buttons(await here.press("fatima", message, again, channel=None)) == ["another_step"]
        assert (await found(here, known)).state is state

    async def test_the_same_new_moment_twice_moves_it_once(self, here: World) -> None:
        known = await self.follow_up(here)
        form = await here.press("fatima", here.private("fatima")[0], "not_yet", channel=None)
        await here.submit("fatima", form, channel=None)
        await here.submit("fatima", form, channel=None)
        one = await found(here, known)
        assert (one.not_yet, one.follow_up_at) == (1, datetime(2027, 3, 3, 8, tzinfo=UTC))

    async def test_not_yet_twice_becomes_smaller_or_is_let_go(self, here: World) -> None:
        known = await self.follow_up(here)
        form = await here.press("fatima", here.private("fatima")[0], "not_yet", channel=None)
        await here.submit("fatima", form, channel=None)
        await here.until(MONDAY + timedelta(days=2))
        again = await here.press("fatima", here.private("fatima")[1], "not_yet", channel=None)
        assert buttons(again) == ["make_smaller", "let_go"]
        form = await here.press("fatima", again, "make_smaller", channel=None)
        assert fields(form)["action"] == "vraag ik Jan"
        await here.submit("fatima", form, channel=None, action="groet ik Jan")
        assert [(one.id, one.action) for one in await planned(here)] == [(known, "groet ik Jan")]
        gone = await here.press("fatima", again, "let_go", channel=None)
        assert buttons(gone) == ["another_step", "moves_again", "let_all_go"]
        assert await planned(here) == []

    async def test_a_step_let_go_is_not_come_back_to(self, here: World) -> None:
        await here.movement("fatima")
        plan = await step(here, await told(here))
        await here.press("fatima", plan, "let_go")
        await here.pass_(days=20)
        assert here.private("fatima") == []

    async def test_someone_elses_step_cannot_be_found(self, here: World) -> None:
        known = await self.follow_up(here)
        for name in ("done", "else", "not_yet", "still_stuck", "let_go", "smaller", "tell", "move", "save"):
            reply = await here.do("iris", f"step.{name}", step=known, cue="x", action="x")
            assert not isinstance(reply, Form), name
        assert (await found(here, known)).is_planned


async def test_a_follow_up_belongs_to_its_movement_whatever_was_joined_since(here: World) -> None:
    await here.movement("fatima")
    await step(here, await told(here))
    await here.until(MONDAY + timedelta(days=1))
    async with here.begin() as work:
        other = Movement(id=MovementId("other"), name="Anders", language=Language.EN, started_at=here.clock.now())
        work.movements.add(other)
        work.movements.add(Member(movement_id=other.id, person_id=PersonId("fatima"), joined_at=here.clock.now()))
    message = here.private("fatima")[0]
    form = await here.press("fatima", message, "done", channel=None)
    assert "tell_story" in buttons(await here.submit("fatima", form, channel=None, outcome="Het lukte"))
    # A movement one does not belong to opens nothing.
    done = button_of(message, "done")
    reply = await here.do("vreemd", "step.done", channel=None, **done.args)
    assert isinstance(reply, Answer)
    assert "/ritme start" in text_of(reply)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("start", "day", "at", "arrives"),
    [
        # Friday before summer time begins → Monday after it, still nine on the clock.
        (datetime(2027, 3, 26, 9, tzinfo=UTC), "2027-03-29", "09:00", datetime(2027, 3, 29, 7, tzinfo=UTC)),
        (datetime(2027, 3, 26, 9, tzinfo=UTC), "2027-03-28", "02:30", datetime(2027, 3, 29, 6, tzinfo=UTC)),
        # Friday before it ends.
        (datetime(2027, 10, 29, 9, tzinfo=UTC), "2027-11-01", "09:00", datetime(2027, 11, 1, 8, tzinfo=UTC)),
        (datetime(2027, 10, 29, 9, tzinfo=UTC), "2027-10-31", "02:30", datetime(2027, 11, 1, 7, tzinfo=UTC)),
        # The weekend and the evening are quiet.
        (datetime(2027, 3, 5, 9, tzinfo=UTC), "2027-03-06", "10:00", datetime(2027, 3, 8, 7, tzinfo=UTC)),
        (datetime(2027, 3, 1, 9, tzinfo=UTC), "2027-03-01", "20:00", datetime(2027, 3, 2, 7, tzinfo=UTC)),
    ],
)
async def test_it_comes_back_at_the_hour_people_meant(
    tmp_path: Path, kind: str, start: datetime, day: str, at: str, arrives: datetime
) -> None:
    async with world(tmp_path, start, kind) as here:
        await here.movement("fatima")
        await step(here, await told(here), day=day, at=at)
        await here.until(arrives - timedelta(seconds=1))
        assert here.private("fatima") == []
        await here.until(arrives)
        assert len(here.private("fatima")) == 1


class TestChance:
    async def test_one_line_one_question_back_and_straight_into_a_step(self, here: World) -> None:
        await here.movement("fatima")
        noted = await here.type("fatima", "/ritme kans de wethouder komt langs")
        form = await here.press("fatima", noted, "choose_step")
        assert (fields(form)["day"], fields(form)["at"]) == ("2027-03-01", "11:00")
        await here.submit("fatima", form, cue="hij binnenkomt", action="bied ik koffie aan", on_my_own="yes")
        await here.until(datetime(2027, 3, 1, 10, tzinfo=UTC))
        form = await here.press("fatima", here.private("fatima")[0], "done", channel=None)
        welcomed = await here.submit("fatima", form, channel=None, outcome="Hij bleef een uur")
        assert buttons(welcomed) == ["tell_story", "another_step"]

    async def test_without_words_it_asks(self, here: World) -> None:
        await here.movement("fatima")
        form = await here.type("fatima", "/ritme chance")
        assert buttons(await here.submit("fatima", form, text="de wethouder komt")) == ["choose_step"]
        long = await here.type("fatima", "/ritme kans " + "x" * 600)
        assert fields(long)["text"] == "x" * 600

    async def test_still_stuck_with_a_step_of_its_own_can_be_told(self, here: World) -> None:
        await here.movement("fatima")
        form = await here.type("fatima", "/ritme stap bel ik Jan")
        assert fields(form)["action"] == "bel ik Jan"
        await here.submit("fatima", form, cue="het rustig is", on_my_own="yes")
        await here.until(MONDAY + timedelta(days=1))
        still = await here.press("fatima", here.private("fatima")[0], "still_stuck", channel=None)
        assert isinstance(await here.press("fatima", still, "tell", channel=None), Form)

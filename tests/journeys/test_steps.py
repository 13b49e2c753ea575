"""The small step: chosen, come back to at its moment, closed in whatever way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.next_step import NextStep, StepId, StepState, rests_since
from bot.domain.person import Language, PersonId
from tests.fakes.messenger import Sent
from tests.journeys.test_stuck import add_initiative, buttons, fields, options, submit_step, submit_stuck
from tests.support.world import MONDAY, World, button_of, text_of

MOVEMENT = MovementId("movement")


async def planned_steps(world: World, who: str = "fatima") -> list[NextStep]:
    async with world.begin() as work:
        return list(await work.steps.planned_of(PersonId(who), MOVEMENT))


async def get_step(world: World, which: str) -> NextStep:
    async with world.begin() as work:
        one = await work.steps.get(StepId(which), MOVEMENT)
    assert one is not None
    return one


class TestSaidInPlainWords:
    """A step that somebody tells in their own chat while they are stuck goes on with that."""

    @pytest.mark.parametrize(
        "words", ["mijn stap is: morgen bel ik Jan", "ik ga morgen met Jan praten over het rooster", "stap bel Jan"]
    )
    async def test_it_goes_on_with_what_is_open(self, world: World, words: str) -> None:
        await world.movement("fatima")
        await world.type("fatima", "/vast het rooster komt niet rond")
        (stuck,) = await open_of(world)
        form = await say(world, words)
        assert fields(form)["about"] == stuck
        plan = await world.submit(
            "fatima", form, channel=None, cue="het pauze is", action="bel ik Jan", on_my_own="yes"
        )
        assert "bel ik Jan" in text_of(plan)
        assert [step.episode_id for step in await planned_steps(world)] == [stuck]

    async def test_it_stays_with_it_when_it_is_made_smaller(self, world: World) -> None:
        await world.movement("fatima")
        await world.type("fatima", "/vast het rooster komt niet rond")
        form = await say(world, "stap vraag geld aan Jan")
        smaller = await world.submit("fatima", form, channel=None, cue="x", action="vraag ik geld", on_my_own="no")
        await world.submit("fatima", smaller, channel=None, action="bel ik Jan", on_my_own="yes")
        assert [step.episode_id for step in await planned_steps(world)] == await open_of(world)

    async def test_it_can_be_about_something_else(self, world: World) -> None:
        await world.movement("fatima")
        await world.type("fatima", "/vast het rooster komt niet rond")
        form = await say(world, "stap bel Jan")
        await world.submit("fatima", form, channel=None, about="", cue="x", action="bel ik Jan", on_my_own="yes")
        assert [step.episode_id for step in await planned_steps(world)] == [None]

    async def test_of_two_that_are_open_one_is_asked_for(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima", name="Oud")
        await submit_stuck(world, initiative="oud")
        await submit_stuck(world, initiative="")
        form = await say(world, "stap bel Jan")
        assert not fields(form).get("about")
        assert options(form, "about") == await open_of(world)

    async def test_nothing_is_offered_where_nothing_is_open_or_others_are(self, world: World) -> None:
        await world.movement("fatima")
        assert "about" not in fields(await say(world, "stap bel Jan"))
        await submit_stuck(world)
        assert "about" not in fields(await say(world, "stap bel Jan", channel="general"))


async def say(world: World, words: str, channel: str | None = None) -> Reply:
    return await world.do("fatima", "command", args={"command": "", "text": words}, channel=channel)


async def open_of(world: World) -> list[str]:
    async with world.begin() as work:
        return [one.id for one in await work.stuck.open_of(PersonId("fatima"), MOVEMENT)]


class TestChoosing:
    async def test_it_is_two_fields_and_the_next_working_day_is_proposed(self, world: World) -> None:
        await world.movement("fatima")
        form = await world.press("fatima", await submit_stuck(world), "choose_step")
        assert isinstance(form, Form)
        assert {"cue", "action"} <= set(fields(form))
        assert (fields(form)["day"], fields(form)["at"]) == ("2027-03-02", "09:00")
        assert "post" in fields(form)
        alone = await world.press("fatima", await submit_stuck(world), "choose_step", channel=None)
        assert "post" not in fields(alone)

    async def test_it_is_echoed_as_an_if_then_plan(self, world: World) -> None:
        await world.movement("fatima")
        plan = text_of(await submit_step(world, await submit_stuck(world)))
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
            ({"day": "2027-03-02", "at": "18:00"}, "at"),
            ({"day": "2027-03-06"}, "day"),
            ({"cue": " "}, "cue"),
            ({"action": ""}, "action"),
            ({"action": "x" * 301}, "action"),
            ({"on_my_own": "misschien"}, "on_my_own"),
        ],
    )
    async def test_what_is_wrong_is_said_beside_its_field(
        self, world: World, values: dict[str, str], wrong: str
    ) -> None:
        await world.movement("fatima")
        reply = await submit_step(world, await submit_stuck(world), **values)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {wrong}
        assert await planned_steps(world) == []

    async def test_needing_permission_is_tried_smaller_once_then_taken_as_it_is(self, world: World) -> None:
        await world.movement("fatima")
        form = await submit_step(
            world, await submit_stuck(world), on_my_own="no", action="vraag ik de directie om geld"
        )
        assert isinstance(form, Form)
        assert fields(form)["action"] == "vraag ik de directie om geld"
        assert await planned_steps(world) == []
        assert isinstance(await world.submit("fatima", form), Answer)
        (one,) = await planned_steps(world)
        assert not one.on_my_own

    async def test_if_they_like_it_is_posted_under_what_they_told(self, world: World) -> None:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world, audience="channel"), post="yes")
        post, reply = world.posts()
        assert reply.post.thread == post.receipt.message
        assert "vraag ik Jan" in text_of(reply)

    async def test_it_is_not_posted_unasked(self, world: World) -> None:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world))
        assert world.posts() == []


class TestComingBack:
    async def follow_up(self, world: World) -> str:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world))
        await world.until(MONDAY + timedelta(days=1))
        (one,) = world.private("fatima")
        return button_of(one, "done").args["step"]

    async def test_it_comes_at_its_moment_and_once_more_when_nobody_answers(self, world: World) -> None:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world))
        await world.until(MONDAY + timedelta(days=1, seconds=-1))
        assert world.private("fatima") == []
        await world.pass_(seconds=1)
        assert len(world.private("fatima")) == 1
        await world.pass_(days=30)
        assert len(world.private("fatima")) == 2

    @pytest.mark.parametrize(
        ("name", "state"), [("done", StepState.DONE), ("something_else", StepState.SOMETHING_ELSE)]
    )
    async def test_done_and_something_else_are_both_welcome(self, world: World, name: str, state: StepState) -> None:
        known = await self.follow_up(world)
        message = world.private("fatima")[0]
        form = await world.press("fatima", message, name, channel=None)
        assert (await get_step(world, known)).state is state
        welcomed = await world.submit("fatima", form, channel=None, outcome="Het lukte half")
        assert buttons(welcomed) == ["tell_story", "moves_again", "another_step"]
        assert (await get_step(world, known)).outcome == "Het lukte half"
        for again in ("done", "something_else", "not_yet", "still_stuck", "let_go"):
            assert buttons(await world.press("fatima", message, again, channel=None)) == ["another_step"]
        assert (await get_step(world, known)).state is state

    async def test_the_same_new_moment_twice_moves_it_once(self, world: World) -> None:
        known = await self.follow_up(world)
        form = await world.press("fatima", world.private("fatima")[0], "not_yet", channel=None)
        await world.submit("fatima", form, channel=None)
        await world.submit("fatima", form, channel=None)
        one = await get_step(world, known)
        assert (one.not_yet, one.follow_up_at) == (1, datetime(2027, 3, 3, 8, tzinfo=UTC))

    async def test_not_yet_twice_becomes_smaller_or_is_let_go(self, world: World) -> None:
        known = await self.follow_up(world)
        form = await world.press("fatima", world.private("fatima")[0], "not_yet", channel=None)
        await world.submit("fatima", form, channel=None)
        await world.until(MONDAY + timedelta(days=2))
        again = await world.press("fatima", world.private("fatima")[1], "not_yet", channel=None)
        assert buttons(again) == ["make_smaller", "let_go"]
        form = await world.press("fatima", again, "make_smaller", channel=None)
        assert fields(form)["action"] == "vraag ik Jan"
        await world.submit("fatima", form, channel=None, action="groet ik Jan")
        assert [(one.id, one.action) for one in await planned_steps(world)] == [(known, "groet ik Jan")]
        gone = await world.press("fatima", again, "let_go", channel=None)
        assert buttons(gone) == ["another_step", "moves_again", "let_all_go"]
        assert await planned_steps(world) == []

    async def test_a_step_let_go_is_not_come_back_to(self, world: World) -> None:
        await world.movement("fatima")
        plan = await submit_step(world, await submit_stuck(world))
        assert "Op deze stap kom ik niet meer terug" in text_of(await world.press("fatima", plan, "let_go"))
        await world.pass_(days=20)
        # What she is stuck with is another matter: that comes back once.
        assert ["vraag ik Jan" in text_of(one) for one in world.private("fatima")] == [False]

    async def test_someone_elses_step_cannot_be_found(self, world: World) -> None:
        known = await self.follow_up(world)
        for name in ("done", "else", "not_yet", "still_stuck", "let_go", "smaller", "tell", "move", "save"):
            reply = await world.do("iris", f"step.{name}", step=known, cue="x", action="x")
            assert not isinstance(reply, Form), name
        assert (await get_step(world, known)).is_planned


class TestNobodyAnswers:
    """A follow-up without an answer comes once more, lighter; then the step rests, for all to see whose it is."""

    async def ask(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await submit_step(world, await submit_stuck(world))
        await world.until(MONDAY + timedelta(days=1))

    async def home(self, world: World) -> Reply:
        return await world.do("fatima", "home", channel=None)

    async def test_it_comes_back_the_next_afternoon_and_never_again(self, world: World) -> None:
        await self.ask(world)
        await world.until(AFTERNOON - timedelta(seconds=1))
        assert len(world.private("fatima")) == 1
        assert "Rust" not in text_of(await self.home(world))
        await world.until(AFTERNOON)
        (_, again) = world.private("fatima")
        assert names(again) == ["done", "not_yet", "let_go"]
        assert "vraag ik Jan" in text_of(again)
        await world.pass_(days=40)
        assert len(world.private("fatima")) == 2
        assert [one.rests for one in await resting_steps(world)] == [AFTERNOON]
        assert "Rust sinds" in text_of(await self.home(world))

    async def test_asked_in_the_afternoon_it_comes_back_in_the_morning(self, world: World) -> None:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world), at="14:00")
        await world.until(datetime(2027, 3, 3, 9, tzinfo=UTC))
        assert len(world.private("fatima")) == 2

    @pytest.mark.parametrize("name", ["done", "something_else", "still_stuck", "let_go"])
    async def test_who_answered_is_not_asked_again_how_it_went(self, world: World, name: str) -> None:
        await self.ask(world)
        form = await world.press("fatima", world.private("fatima")[0], name, channel=None)
        if isinstance(form, Form):
            await world.submit("fatima", form, channel=None, outcome="Het lukte")
        await world.pass_(days=20)
        assert not [one for one in world.private("fatima")[1:] if "vraag ik Jan" in text_of(one)]

    async def test_who_moved_it_is_asked_at_the_new_moment_alone(self, world: World) -> None:
        await self.ask(world)
        form = await world.press("fatima", world.private("fatima")[0], "not_yet", channel=None)
        await world.submit("fatima", form, channel=None, day="2027-03-08")
        await world.until(datetime(2027, 3, 8, 7, 59, tzinfo=UTC))
        assert len(world.private("fatima")) == 1

    async def test_one_press_picks_it_up_and_it_is_followed_up_anew(self, world: World) -> None:
        await self.ask(world)
        await world.pass_(days=6)
        page = await self.home(world)
        plan = await world.press("fatima", page, "pick_up_2", channel=None)
        assert "dinsdag 9 maart" in text_of(plan) or "morgen" in text_of(plan)
        assert await resting_steps(world) == []
        await world.pass_(days=1)
        assert names(world.private("fatima")[-1]) == ["done", "something_else", "not_yet", "still_stuck", "let_go"]
        assert len(world.private("fatima")) == 3

    async def test_an_old_button_says_that_it_rests_and_picks_it_up(self, world: World) -> None:
        await self.ask(world)
        first = world.private("fatima")[0]
        form = await world.press("fatima", first, "not_yet", channel=None)
        await world.submit("fatima", form, channel=None)
        await world.pass_(days=20)
        stands = await world.press("fatima", first, "not_yet", channel=None)
        assert "rust sinds" in text_of(stands)
        await world.press("fatima", stands, "pick_up", channel=None)
        assert await resting_steps(world) == []
        (planned,) = await planned_steps(world)
        assert planned.follow_up_at > world.clock.now()

    async def test_what_is_not_at_rest_cannot_be_picked_up(self, world: World) -> None:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world))
        (planned,) = await planned_steps(world)
        await world.do("fatima", "step.pick_up", step=planned.id, round="0", channel=None)
        assert (await get_step(world, planned.id)).not_yet == 0

    async def test_who_stopped_finds_it_at_rest(self, world: World) -> None:
        await world.movement("fatima")
        await submit_step(world, await submit_stuck(world))
        await world.do("fatima", "stop", channel=None)
        await world.pass_(days=20)
        await world.do("fatima", "me.come_back", channel=None)
        assert world.private("fatima") == []
        assert len(await resting_steps(world)) == 1

    async def test_what_rests_keeps_nothing_away_that_is_to_come(self, world: World) -> None:
        await world.movement("fatima")
        for number in range(6):
            form = await world.type("fatima", f"/ritme stap bel ik nummer {number}")
            await world.submit("fatima", form, cue="het rustig is", on_my_own="yes")
        await world.pass_(days=25)
        form = await world.type("fatima", "/ritme stap bel ik de laatste")
        await world.submit("fatima", form, cue="het rustig is", on_my_own="yes")
        page = text_of(await self.home(world))
        assert page.index("bel ik de laatste") < page.index("bel ik nummer")


class TestNothingWasTold:
    """A form that was closed after *Done* is asked once more, the next working day; then never."""

    async def close_form(self, world: World, name: str = "done") -> None:
        await world.movement("fatima")
        form = await world.type("fatima", "/ritme stap vraag ik Jan")
        await world.submit("fatima", form, cue="de overdracht klaar is", on_my_own="yes")
        await world.until(MONDAY + timedelta(days=1))
        form = await world.press("fatima", world.private("fatima")[0], name, channel=None)
        assert isinstance(form, Form)

    @pytest.mark.parametrize(
        ("name", "state"), [("done", StepState.DONE), ("something_else", StepState.SOMETHING_ELSE)]
    )
    async def test_it_is_asked_once_more_and_can_be_told(self, world: World, name: str, state: StepState) -> None:
        await self.close_form(world, name)
        await world.until(AFTERNOON - timedelta(seconds=1))
        assert len(world.private("fatima")) == 1
        await world.until(AFTERNOON)
        asked = world.private("fatima")[-1]
        assert names(asked) == ["tell"]
        form = await world.press("fatima", asked, "tell", channel=None)
        welcomed = await world.submit("fatima", form, channel=None, outcome="Het lukte half")
        assert "tell_story" in buttons(welcomed)
        await world.pass_(days=20)
        assert len(world.private("fatima")) == 2
        (step,) = [await get_step(world, button_of(asked, "tell").args["step"])]
        assert (step.state, step.outcome) == (state, "Het lukte half")

    async def test_closed_again_it_is_never_asked_again(self, world: World) -> None:
        await self.close_form(world)
        await world.until(AFTERNOON)
        await world.press("fatima", world.private("fatima")[-1], "tell", channel=None)
        await world.pass_(days=40)
        assert len(world.private("fatima")) == 2

    async def test_told_meanwhile_it_is_not_asked(self, world: World) -> None:
        await self.close_form(world)
        form = await world.press("fatima", world.private("fatima")[0], "done", channel=None)
        await world.submit("fatima", form, channel=None, outcome="Het lukte")
        await world.pass_(days=20)
        assert len(world.private("fatima")) == 1


AFTERNOON = datetime(2027, 3, 3, 14, tzinfo=UTC)
"""Wednesday at three in Amsterdam: once more after Tuesday morning."""


def names(shown: Sent) -> list[str]:
    assert shown.message is not None
    return [button.name for button in shown.message.buttons]


@dataclass(frozen=True)
class Resting:
    step: NextStep
    rests: datetime


async def resting_steps(world: World) -> list[Resting]:
    found = []
    for step in await planned_steps(world):
        async with world.begin() as work:
            rows = await work.deliveries.about("follow_up", step.id, MOVEMENT)
        if (rests := rests_since(step, rows, world.clock.now())) is not None:
            found.append(Resting(step, rests))
    return found


async def test_a_follow_up_belongs_to_its_movement_whatever_was_joined_since(world: World) -> None:
    await world.movement("fatima")
    await submit_step(world, await submit_stuck(world))
    await world.until(MONDAY + timedelta(days=1))
    async with world.begin() as work:
        other = Movement(id=MovementId("other"), name="Anders", language=Language.EN, started_at=world.clock.now())
        work.movements.add(other)
        work.movements.add(Member(movement_id=other.id, person_id=PersonId("fatima"), joined_at=world.clock.now()))
    message = world.private("fatima")[0]
    form = await world.press("fatima", message, "done", channel=None)
    assert "tell_story" in buttons(await world.submit("fatima", form, channel=None, outcome="Het lukte"))
    # A movement one does not belong to opens nothing.
    done = button_of(message, "done")
    reply = await world.do("vreemd", "step.done", channel=None, **done.args)
    assert isinstance(reply, Answer)
    assert "/ritme start" in text_of(reply)


class TestChance:
    async def test_one_line_one_question_back_and_straight_into_a_step(self, world: World) -> None:
        await world.movement("fatima")
        noted = await world.type("fatima", "/ritme kans de wethouder komt langs")
        form = await world.press("fatima", noted, "choose_step")
        assert (fields(form)["day"], fields(form)["at"]) == ("2027-03-01", "11:00")
        await world.submit("fatima", form, cue="hij binnenkomt", action="bied ik koffie aan", on_my_own="yes")
        await world.until(datetime(2027, 3, 1, 10, tzinfo=UTC))
        form = await world.press("fatima", world.private("fatima")[0], "done", channel=None)
        welcomed = await world.submit("fatima", form, channel=None, outcome="Hij bleef een uur")
        assert buttons(welcomed) == ["tell_story", "another_step"]

    async def test_without_words_it_asks(self, world: World) -> None:
        await world.movement("fatima")
        form = await world.type("fatima", "/ritme chance")
        assert buttons(await world.submit("fatima", form, text="de wethouder komt")) == ["choose_step"]
        long = await world.type("fatima", "/ritme kans " + "x" * 600)
        assert fields(long)["text"] == "x" * 600

    async def test_still_stuck_with_a_step_of_its_own_can_be_told(self, world: World) -> None:
        await world.movement("fatima")
        form = await world.type("fatima", "/ritme stap bel ik Jan")
        assert fields(form)["action"] == "bel ik Jan"
        await world.submit("fatima", form, cue="het rustig is", on_my_own="yes")
        await world.until(MONDAY + timedelta(days=1))
        still = await world.press("fatima", world.private("fatima")[0], "still_stuck", channel=None)
        assert isinstance(await world.press("fatima", still, "tell", channel=None), Form)

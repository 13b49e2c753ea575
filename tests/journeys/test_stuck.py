"""Being stuck, from the first word to moving again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.initiative import Audience, EpisodeState, Initiative, InitiativeId, Participant, StuckEpisode, StuckKind
from bot.domain.movement import MovementId
from bot.domain.next_step import StepId
from bot.domain.person import PersonId
from bot.ports import OutcomeUnknown
from tests.support.world import MONDAY, World, agree, button_of, text_of

MOVEMENT = MovementId("movement")


async def add_initiative(world: World, *who: str, name: str = "Samen wandelen", days_ago: int = 0) -> Initiative:
    """Add an initiative of these people."""
    at = world.clock.now() - timedelta(days=days_ago)
    made = Initiative(
        id=InitiativeId(name.replace(" ", "-").lower()), movement_id=MOVEMENT, name=name, started_by=None, started_at=at
    )
    async with world.begin() as work:
        work.initiatives.add(made)
        for one in who:
            work.initiatives.add(
                Participant(initiative_id=made.id, movement_id=MOVEMENT, person_id=PersonId(one), joined_at=at)
            )
    return made


async def episodes(world: World, who: str = "fatima") -> list[StuckEpisode]:
    async with world.begin() as work:
        return list(await work.stuck.open_of(PersonId(who), MOVEMENT))


async def episode(world: World, who: str = "fatima") -> StuckEpisode:
    (one,) = await episodes(world, who)
    return one


def field(form: Reply, name: str) -> object:
    assert isinstance(form, Form), form
    return next(one for one in form.fields if one.name == name)


def fields(form: Reply) -> dict[str, object]:
    assert isinstance(form, Form), form
    return {one.name: one.value for one in form.fields}


def options(form: Reply, name: str) -> list[str]:
    assert isinstance(form, Form), form
    return [option.value for one in form.fields if one.name == name for option in one.options]


def buttons(shown: Reply) -> list[str]:
    assert isinstance(shown, Answer), shown
    return [button.name for button in shown.message.buttons]


async def submit_stuck(world: World, **values: object) -> Reply:
    """Fill in and submit the stuck form as Fatima."""
    form = await world.do("fatima", "stuck.new")
    filled = {"text": "De nacht komt niet", "kind": "reach", "audience": "me", **values}
    return await world.submit("fatima", form, **filled)  # type: ignore[arg-type]


async def submit_step(world: World, welcome: Reply, *, channel: str | None = "general", **values: object) -> Reply:
    form = await world.press("fatima", welcome, "choose_step", channel=channel)
    filled = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes", **values}
    return await world.submit("fatima", form, channel=channel, **filled)  # type: ignore[arg-type]


class TestTelling:
    async def test_without_a_movement_it_says_how_to_begin_one(self, world: World) -> None:
        reply = await world.type("fatima", "/vast")
        assert "/ritme start" in text_of(reply)

    async def test_the_same_request_twice_acts_once(self, world: World) -> None:
        await world.movement("fatima")
        first = await world.type("fatima", "/vast het loopt niet", key="same")
        assert isinstance(first, Answer)
        assert await world.type("fatima", "/vast het loopt niet", key="same") is None
        assert len(await episodes(world)) == 1

    async def test_the_form_offers_own_initiatives_first_then_the_others_or_none(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_initiative(world, "fatima", name="Oud", days_ago=9)
        await add_initiative(world, "jan", name="Van Jan")
        await add_initiative(world, "fatima", name="Nieuw", days_ago=1)
        form = await world.type("fatima", "/stuck")
        assert options(form, "initiative") == ["nieuw", "oud", "van-jan"]
        assert len(options(form, "kind")) == 6
        reply = await world.submit("fatima", form, initiative="", text="x", kind="rules", audience="me")
        assert isinstance(reply, Answer)
        assert (await episode(world)).initiative_id is None

    async def test_in_a_personal_chat_the_channel_is_not_offered(self, world: World) -> None:
        await world.movement("fatima")
        assert options(await world.type("fatima", "/stuck", channel=None), "audience") == ["helpers", "me"]
        assert options(await world.type("fatima", "/stuck"), "audience") == ["channel", "helpers", "me"]
        form = await world.type("fatima", "/stuck", channel=None)
        forged = await world.submit("fatima", form, channel=None, text="x", kind="reach", audience="channel")
        assert isinstance(forged, FieldErrors)
        assert set(forged.errors) == {"audience"}

    async def test_one_line_is_about_the_latest_own_initiative_and_for_oneself(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_initiative(world, "fatima")
        await world.type("fatima", "/stuck ik heb geen tijd")
        one = await episode(world)
        assert (one.initiative_id, one.kind, one.audience) == ("samen-wandelen", StuckKind.ENERGY, Audience.ME)
        assert world.posts() == []

    async def test_what_was_told_in_one_line_can_be_changed(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima")
        welcome = await world.type("fatima", "/vast het loopt niet")
        form = await world.press("fatima", welcome, "change")
        assert fields(form)["text"] == "het loopt niet"
        changed = await world.submit("fatima", form, kind="rules", text="we mogen niet naar buiten")
        one = await episode(world)
        assert (one.kind, one.text) == (StuckKind.RULES, "we mogen niet naar buiten")
        async with world.begin() as work:
            _, asked = await work.stuck.asked_questions(MOVEMENT, one.initiative_id, PersonId("fatima"))
        assert all(question.startswith("rules_") for question in asked[-3:])
        assert "choose_step" in buttons(changed)

    async def test_too_much_for_one_line_is_not_lost(self, world: World) -> None:
        await world.movement("fatima")
        form = await world.type("fatima", "/stuck " + "woord " * 300)
        assert fields(form)["text"] == ("woord " * 300).strip()
        again = await world.submit("fatima", form)
        assert isinstance(again, FieldErrors)
        assert set(again.errors) == {"text"}
        assert isinstance(await world.submit("fatima", form, text="korter"), Answer)
        much = "woord " * 650
        assert much.strip() in text_of(await world.type("jan", "/stuck " + much))

    async def test_an_open_episode_is_gone_on_with(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima")
        await world.type("fatima", "/stuck de nacht komt niet")
        await world.type("fatima", "/stuck en de dag ook niet")
        assert (await episode(world)).text == "de nacht komt niet\nen de dag ook niet"
        await submit_stuck(world, initiative="samen-wandelen", text="de avond wel", kind="energy")
        one = await episode(world)
        assert one.text.endswith("de avond wel")
        assert one.kind is StuckKind.ENERGY

    async def test_one_line_never_adds_to_what_others_read(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima")
        await submit_stuck(world, audience="channel")
        await world.pass_(minutes=1)
        await world.type("fatima", "/stuck en eerlijk gezegd ben ik moe")
        mine, shown = await episodes(world)
        assert (mine.text, mine.audience) == ("en eerlijk gezegd ben ik moe", Audience.ME)
        assert (shown.text, shown.audience) == ("De nacht komt niet", Audience.CHANNEL)
        (post,) = world.posts()
        assert "moe" not in text_of(post)

    async def test_words_for_oneself_stay_beside_those_for_the_channel(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima")
        await world.type("fatima", "/stuck geheim")
        await world.pass_(minutes=1)
        form = await world.do("fatima", "stuck.new")
        await world.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="channel")
        assert "geheim" not in text_of(world.posts()[-1])
        assert [(one.text, one.audience) for one in await episodes(world)] == [
            ("De nacht komt niet", Audience.CHANNEL),
            ("geheim", Audience.ME),
        ]

    async def test_told_twice_at_once_it_is_one_episode(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima")
        await asyncio.gather(*(world.type("fatima", "/stuck het loopt niet") for _ in range(8)))
        assert (await episode(world)).text == "het loopt niet"

    async def test_each_welcome_is_said_in_other_words(self, world: World) -> None:
        await world.movement("fatima")
        said = []
        for _ in range(6):
            said.append(text_of(await world.type("fatima", "/vast het loopt niet")).split("\n")[0])
            await world.pass_(hours=1)
        assert len(set(said)) == 6


async def test_whom_to_invite_is_one_press_away(world: World) -> None:
    await world.movement("fatima", "jan")
    await add_initiative(world, "fatima")
    invite = await world.press("fatima", await submit_stuck(world), "invite")
    assert isinstance(invite, Answer | Form)
    assert not isinstance(invite, Answer) or invite.reference is None


class TestWhoReads:
    async def test_in_the_channel_it_is_posted_rewritten_and_taken_away(self, world: World) -> None:
        await world.movement("fatima")
        await add_initiative(world, "fatima")
        welcome = await submit_stuck(world, audience="channel")
        (post,) = world.posts()
        assert "De nacht komt niet" in text_of(post)
        form = await world.press("fatima", welcome, "change")
        await world.submit("fatima", form, text="De nacht komt soms")
        assert "De nacht komt soms" in text_of(post)
        form = await world.press("fatima", welcome, "change")
        await world.submit("fatima", form, audience="me")
        assert post.deleted
        form = await world.press("fatima", welcome, "change")
        await world.submit("fatima", form, audience="channel")
        assert len(world.posts()) == 1

    async def test_helpers_are_people_of_the_movement_and_not_oneself(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await world.type("vreemd", "/stuck", channel="elders")
        for helpers, reason in (((), "Kies wie"), (("fatima",), "Jezelf"), (("vreemd",), "beweging"), (("x",), "")):
            reply = await submit_stuck(world, audience="helpers", helpers=helpers)
            assert isinstance(reply, FieldErrors)
            assert set(reply.errors) == {"helpers"}
            assert reason in reply.errors["helpers"]
        assert await episodes(world) == []

    @pytest.mark.parametrize(
        ("audience", "cure"), [("me", "Alleen wie ik kies"), ("channel", "In het kanaal leest iedereen")]
    )
    async def test_helpers_who_would_not_be_asked_are_not_passed_over(
        self, world: World, audience: str, cure: str
    ) -> None:
        await world.movement("fatima", "jan")
        form = await world.do("fatima", "stuck.new")
        reply = await world.submit("fatima", form, text="", kind="", audience=audience, helpers=("jan",))
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {"text", "kind", "helpers"}
        assert cure in reply.errors["helpers"]
        assert await episodes(world) == []

    async def test_all_that_cannot_be_chosen_is_said_at_once(self, world: World) -> None:
        await world.movement("fatima")
        form = await world.do("fatima", "stuck.new", channel=None)
        assert isinstance(form, Form)
        reply = await world.do(
            "fatima",
            form.intent,
            args={"initiative": "weg", "text": "x", "kind": "reach", "audience": "channel", "helpers": ("x",)},
            channel=None,
        )
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {"initiative", "audience", "helpers"}

    async def test_who_is_not_picked_any_more_has_it_no_longer(self, world: World) -> None:
        await world.movement("fatima", "jan", "samira")
        welcome = await submit_stuck(world, audience="helpers", helpers=("jan", "samira"))
        form = await world.press("fatima", welcome, "change")
        await world.submit("fatima", form, helpers=("samira",))
        assert world.private("jan") == []
        form = await world.press("fatima", welcome, "change")
        assert isinstance(await world.submit("fatima", form, audience="me"), Answer)
        assert world.private("samira") == []
        await world.pass_(days=4)
        assert world.private("fatima") == []

    @pytest.mark.parametrize("helpers", [(), ("jan",)])
    async def test_what_is_under_way_is_taken_away_once_it_is_there(
        self, world: World, helpers: tuple[str, ...]
    ) -> None:
        await world.movement("fatima", "jan")
        world.messenger.fail_next = [(OutcomeUnknown(), True)]
        welcome = await submit_stuck(world, audience="helpers" if helpers else "channel", helpers=helpers)
        form = await world.press("fatima", welcome, "change")
        await world.submit("fatima", form, audience="me")
        await world.pass_(hours=1)
        assert world.posts() == world.private("jan") == []
        assert len(world.messenger.sent) == 1

    async def test_helpers_get_it_in_their_own_chat_and_their_answer_comes_back(self, world: World) -> None:
        await world.movement("fatima", "jan", "samira", "bram")
        reply = await submit_stuck(world, audience="helpers", helpers=("jan", "samira"))
        assert "jan" in text_of(reply)
        assert world.posts() == []
        assert world.private("bram") == []
        for who in ("jan", "samira"):
            (asked,) = world.private(who)
            assert "De nacht komt niet" in text_of(asked)
            form = await world.press(who, asked, "give", channel=None)
            await world.submit(who, form, channel=None, question=f"vraag van {who}", idea=f"idee van {who}")
        (together,) = world.private("fatima")
        assert all(f"idee van {who}" in text_of(together) for who in ("jan", "samira"))


class TestEnding:
    async def test_not_now_leaves_it_open(self, world: World) -> None:
        await world.movement("fatima")
        welcome = await world.type("fatima", "/stuck het loopt niet")
        assert "/vast" in text_of(await world.press("fatima", welcome, "not_now"))
        assert (await episode(world)).is_open

    @pytest.mark.parametrize(
        ("name", "state"), [("moves_again", EpisodeState.BREAKTHROUGH), ("let_go", EpisodeState.LET_GO)]
    )
    async def test_stuck_again_offers_to_go_on_or_to_end(self, world: World, name: str, state: EpisodeState) -> None:
        await world.movement("fatima")
        await world.type("fatima", "/stuck het loopt niet")
        choice = await world.type("fatima", "/vast")
        assert buttons(choice) == ["go_on", "moves_again", "let_go", "something_new"]
        assert "choose_step" in buttons(await world.press("fatima", choice, "go_on"))
        about = await episode(world)
        ended = await world.press("fatima", choice, name)
        assert buttons(ended) == ["tell_story"]
        async with world.begin() as work:
            closed = await work.stuck.episode(about.id, MOVEMENT)
        assert closed is not None
        assert closed.state is state
        assert await world.press("fatima", choice, name) is None
        other = "let_go" if name == "moves_again" else "moves_again"
        assert buttons(await world.press("fatima", choice, other)) == ["stuck_again"]
        assert isinstance(await world.type("fatima", "/stuck"), Form)

    async def test_letting_go_takes_its_steps_along(self, world: World) -> None:
        await world.movement("fatima")
        welcome = await world.type("fatima", "/stuck het loopt niet")
        await submit_step(world, welcome)
        await world.press("fatima", await world.type("fatima", "/stuck"), "let_go")
        await world.pass_(days=20)
        assert world.private("fatima") == []

    async def test_the_channel_reads_how_it_ended(self, world: World) -> None:
        await world.movement("fatima")
        await submit_stuck(world, audience="channel")
        (post,) = world.posts()
        before = text_of(post)
        await world.press("fatima", await world.type("fatima", "/stuck"), "moves_again")
        assert text_of(post) != before


async def test_from_stuck_to_a_story(world: World) -> None:
    """stuck → step → not yet → still stuck → company → done → a story is offered."""
    await world.movement("fatima", "jan", "samira", "bram")
    async with world.begin() as work:
        for who, group in (("fatima", "dag"), ("jan", "dag"), ("samira", "nacht"), ("bram", "dag")):
            person = await work.people.get(PersonId(who), MOVEMENT)
            assert person is not None
            person.group = group
    await agree(world.begin, "jan", "samira")
    await add_initiative(world, "fatima")
    welcome = await submit_stuck(world)
    await submit_step(world, welcome)
    await world.until(MONDAY + timedelta(days=1))
    (follow_up,) = world.private("fatima")

    form = await world.press("fatima", follow_up, "not_yet", channel=None)
    await world.submit("fatima", form, channel=None, day="2027-03-04")
    moved = await world.press("fatima", follow_up, "not_yet", channel=None)
    assert "vraag ik Jan" in text_of(moved)
    await world.until(MONDAY + timedelta(days=3))
    second = world.private("fatima")[1]
    first_time = await world.press("fatima", second, "still_stuck", channel=None)
    assert "ask_me" in buttons(first_time)
    assert await world.press("fatima", second, "still_stuck", channel=None) is None
    other = await world.press("fatima", second, "let_go", channel=None)
    assert buttons(other) == ["another_step"]

    await submit_step(world, first_time, channel=None, day="2027-03-10")
    await world.until(datetime(2027, 3, 10, 9, tzinfo=UTC))
    offered = await world.press("fatima", world.private("fatima")[-1], "still_stuck", channel=None)
    assert world.private("jan") == world.private("samira") == []
    assert "Twee collega's" in text_of(offered)
    await world.press("fatima", offered, "ask_them", channel=None)
    await world.press("fatima", offered, "ask_them", channel=None)
    for who in ("jan", "samira"):
        (asked,) = world.private(who)
        form = await world.press(who, asked, "give", channel=None)
        await world.submit(who, form, channel=None, question=f"vraag van {who}", idea=f"idee van {who}")
    assert world.private("bram") == []
    together = world.private("fatima")[-1]
    assert all(f"vraag van {who}" in text_of(together) for who in ("jan", "samira"))

    form = await world.press("fatima", together, "choose_step", channel=None)
    await world.submit(
        "fatima", form, channel=None, cue="donderdag", action="loop ik mee", on_my_own="yes", day="2027-03-16"
    )
    await world.until(datetime(2027, 3, 18, 12, tzinfo=UTC))
    form = await world.press("fatima", world.private("fatima")[-1], "done", channel=None)
    told_it = await world.submit("fatima", form, channel=None, outcome="Samira nam iemand mee")
    story = button_of(told_it, "tell_story")
    assert story.intent == "story"
    async with world.begin() as work:
        done = await work.steps.get(StepId(story.args["step"]), MOVEMENT)
    assert done is not None
    assert done.outcome == "Samira nam iemand mee"
    ended = await world.press("fatima", told_it, "moves_again", channel=None)
    assert buttons(ended) == ["tell_story"]
    assert await episodes(world) == []

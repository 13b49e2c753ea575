"""Being stuck, from the first word to moving again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.initiative import Audience, EpisodeState, Initiative, InitiativeId, Participant, StuckEpisode, StuckKind
from bot.domain.movement import MovementId
from bot.domain.next_step import StepId
from bot.domain.person import PersonId
from tests.support.world import MONDAY, World, button_of, text_of

MOVEMENT = MovementId("movement")


async def initiative(here: World, *who: str, name: str = "Samen wandelen", days_ago: int = 0) -> Initiative:
    """An initiative of these people."""
    at = here.clock.now() - timedelta(days=days_ago)
    made = Initiative(
        id=InitiativeId(name.replace(" ", "-").lower()), movement_id=MOVEMENT, name=name, started_by=None, started_at=at
    )
    async with here.begin() as work:
        work.initiatives.add(made)
        for one in who:
            work.initiatives.add(
                Participant(initiative_id=made.id, movement_id=MOVEMENT, person_id=PersonId(one), joined_at=at)
            )
    return made


async def episodes(here: World, who: str = "fatima") -> list[StuckEpisode]:
    async with here.begin() as work:
        places = [None, *(one.id for one in await work.initiatives.of_movement(MOVEMENT, closed=True))]
        found = [await work.stuck.open_of(PersonId(who), about, MOVEMENT) for about in places]
    return [one for one in found if one is not None]


async def episode(here: World, who: str = "fatima") -> StuckEpisode:
    (one,) = await episodes(here, who)
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


async def told(here: World, **values: object) -> Reply:
    """The form, filled in by Fatima."""
    form = await here.do("fatima", "stuck.new")
    filled = {"text": "De nacht komt niet", "kind": "reach", "audience": "me", **values}
    return await here.submit("fatima", form, **filled)  # type: ignore[arg-type]


async def step(here: World, welcome: Reply, *, channel: str | None = "general", **values: object) -> Reply:
    form = await here.press("fatima", welcome, "choose_step", channel=channel)
    filled = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes", **values}
    return await here.submit("fatima", form, channel=channel, **filled)  # type: ignore[arg-type]


class TestTelling:
    async def test_without_a_movement_it_says_how_to_begin_one(self, here: World) -> None:
        reply = await here.type("fatima", "/vast")
        assert "/ritme start" in text_of(reply)

    async def test_the_same_request_twice_acts_once(self, here: World) -> None:
        await here.movement("fatima")
        first = await here.type("fatima", "/vast het loopt niet", key="same")
        assert isinstance(first, Answer)
        assert await here.type("fatima", "/vast het loopt niet", key="same") is None
        assert len(await episodes(here)) == 1

    async def test_the_form_offers_own_initiatives_first_then_the_others_or_none(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await initiative(here, "fatima", name="Oud", days_ago=9)
        await initiative(here, "jan", name="Van Jan")
        await initiative(here, "fatima", name="Nieuw", days_ago=1)
        form = await here.type("fatima", "/stuck")
        assert options(form, "initiative") == ["nieuw", "oud", "van-jan"]
        assert len(options(form, "kind")) == 6
        reply = await here.submit("fatima", form, initiative="", text="x", kind="rules", audience="me")
        assert isinstance(reply, Answer)
        assert (await episode(here)).initiative_id is None

    async def test_in_a_personal_chat_the_channel_is_not_offered(self, here: World) -> None:
        await here.movement("fatima")
        assert options(await here.type("fatima", "/stuck", channel=None), "audience") == ["helpers", "me"]
        assert options(await here.type("fatima", "/stuck"), "audience") == ["channel", "helpers", "me"]
        form = await here.type("fatima", "/stuck", channel=None)
        forged = await here.submit("fatima", form, channel=None, text="x", kind="reach", audience="channel")
        assert isinstance(forged, FieldErrors)
        assert set(forged.errors) == {"audience"}

    async def test_one_line_is_about_the_latest_own_initiative_and_for_oneself(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await initiative(here, "fatima")
        await here.type("fatima", "/stuck ik heb geen tijd")
        one = await episode(here)
        assert (one.initiative_id, one.kind, one.audience) == ("samen-wandelen", StuckKind.ENERGY, Audience.ME)
        assert here.posts() == []

    async def test_what_was_told_in_one_line_can_be_changed(self, here: World) -> None:
        await here.movement("fatima")
        await initiative(here, "fatima")
        welcome = await here.type("fatima", "/vast het loopt niet")
        form = await here.press("fatima", welcome, "change")
        assert fields(form)["text"] == "het loopt niet"
        changed = await here.submit("fatima", form, kind="rules", text="we mogen niet naar buiten")
        one = await episode(here)
        assert (one.kind, one.text) == (StuckKind.RULES, "we mogen niet naar buiten")
        async with here.begin() as work:
            asked = await work.stuck.questions_asked(MOVEMENT, one.initiative_id, PersonId("fatima"))
        assert all(question.startswith("rules_") for question in asked[-3:])
        assert "choose_step" in buttons(changed)

    async def test_too_much_for_one_line_is_not_lost(self, here: World) -> None:
        await here.movement("fatima")
        form = await here.type("fatima", "/stuck " + "woord " * 300)
        assert fields(form)["text"] == ("woord " * 300).strip()
        again = await here.submit("fatima", form)
        assert isinstance(again, FieldErrors)
        assert set(again.errors) == {"text"}
        assert isinstance(await here.submit("fatima", form, text="korter"), Answer)
        much = "woord " * 650
        assert much.strip() in text_of(await here.type("jan", "/stuck " + much))

    async def test_an_open_episode_is_gone_on_with(self, here: World) -> None:
        await here.movement("fatima")
        await initiative(here, "fatima")
        await here.type("fatima", "/stuck de nacht komt niet")
        await here.type("fatima", "/stuck en de dag ook niet")
        assert (await episode(here)).text == "de nacht komt niet\nen de dag ook niet"
        await told(here, initiative="samen-wandelen", text="de avond wel", kind="energy")
        one = await episode(here)
        assert one.text.endswith("de avond wel")
        assert one.kind is StuckKind.ENERGY

    async def test_one_line_never_adds_to_what_others_read_unasked(self, here: World) -> None:
        await here.movement("fatima")
        await initiative(here, "fatima")
        await told(here, audience="channel")
        form = await here.type("fatima", "/stuck en eerlijk gezegd ben ik moe")
        assert fields(form)["audience"] == "channel"
        assert (await episode(here)).text == "De nacht komt niet"

    async def test_words_for_oneself_do_not_come_along_to_the_channel(self, here: World) -> None:
        await here.movement("fatima")
        await initiative(here, "fatima")
        await here.type("fatima", "/stuck geheim")
        form = await here.do("fatima", "stuck.new")
        await here.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="channel")
        assert "geheim" not in text_of(here.posts()[-1])

    async def test_told_twice_at_once_it_is_one_episode(self, here: World) -> None:
        await here.movement("fatima")
        await initiative(here, "fatima")
        await asyncio.gather(*(here.type("fatima", "/stuck het loopt niet") for _ in range(8)))
        assert (await episode(here)).text == "het loopt niet"

    async def test_each_welcome_is_said_in_other_words(self, here: World) -> None:
        await here.movement("fatima")
        said = []
        for _ in range(6):
            said.append(text_of(await here.type("fatima", "/vast het loopt niet")).split("\n")[0])
            await here.pass_(hours=1)
        assert len(set(said)) == 6


async def test_whom_to_invite_is_one_press_away(here: World) -> None:
    await here.movement("fatima", "jan")
    await initiative(here, "fatima")
    invite = await here.press("fatima", await told(here), "invite")
    assert isinstance(invite, Answer | Form)
    assert not isinstance(invite, Answer) or invite.reference is None


class TestWhoReads:
    async def test_in_the_channel_it_is_posted_rewritten_and_taken_away(self, here: World) -> None:
        await here.movement("fatima")
        await initiative(here, "fatima")
        welcome = await told(here, audience="channel")
        (post,) = here.posts()
        assert "De nacht komt niet" in text_of(post)
        form = await here.press("fatima", welcome, "change")
        await here.submit("fatima", form, text="De nacht komt soms")
        assert "De nacht komt soms" in text_of(post)
        form = await here.press("fatima", welcome, "change")
        await here.submit("fatima", form, audience="me")
        assert post.deleted
        form = await here.press("fatima", welcome, "change")
        await here.submit("fatima", form, audience="channel")
        assert len(here.posts()) == 1

    async def test_helpers_are_people_of_the_movement_and_not_oneself(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await here.type("vreemd", "/stuck", channel="elders")
        for helpers, reason in (((), "Kies wie"), (("fatima",), "Jezelf"), (("vreemd",), "beweging"), (("x",), "")):
            reply = await told(here, audience="helpers", helpers=helpers)
            assert isinstance(reply, FieldErrors)
            assert set(reply.errors) == {"helpers"}
            assert reason in reply.errors["helpers"]
        assert await episodes(here) == []

    async def test_helpers_get_it_in_their_own_chat_and_their_answer_comes_back(self, here: World) -> None:
        await here.movement("fatima", "jan", "samira", "bram")
        reply = await told(here, audience="helpers", helpers=("jan", "samira"))
        assert "jan" in text_of(reply)
        assert here.posts() == []
        assert here.private("bram") == []
        for who in ("jan", "samira"):
            (asked,) = here.private(who)
            assert "De nacht komt niet" in text_of(asked)
            form = await here.press(who, asked, "give", channel=None)
            await here.submit(who, form, channel=None, question=f"vraag van {who}", idea=f"idee van {who}")
        (together,) = here.private("fatima")
        assert all(f"idee van {who}" in text_of(together) for who in ("jan", "samira"))


class TestEnding:
    async def test_not_now_leaves_it_open(self, here: World) -> None:
        await here.movement("fatima")
        welcome = await here.type("fatima", "/stuck het loopt niet")
        assert "/vast" in text_of(await here.press("fatima", welcome, "not_now"))
        assert (await episode(here)).is_open

    @pytest.mark.parametrize(
        ("name", "state"), [("moves_again", EpisodeState.BREAKTHROUGH), ("let_go", EpisodeState.LET_GO)]
    )
    async def test_stuck_again_offers_to_go_on_or_to_end(self, here: World, name: str, state: EpisodeState) -> None:
        await here.movement("fatima")
        await here.type("fatima", "/stuck het loopt niet")
        choice = await here.type("fatima", "/vast")
        assert buttons(choice) == ["go_on", "moves_again", "let_go", "something_new"]
        assert "choose_step" in buttons(await here.press("fatima", choice, "go_on"))
        about = await episode(here)
        ended = await here.press("fatima", choice, name)
        assert buttons(ended) == ["tell_story"]
        async with here.begin() as work:
            closed = await work.stuck.episode(about.id, MOVEMENT)
        assert closed is not None
        assert closed.state is state
        again = await here.press("fatima", choice, name)
        assert buttons(again) == ["stuck_again"]
        assert isinstance(await here.type("fatima", "/stuck"), Form)

    async def test_letting_go_takes_its_steps_along(self, here: World) -> None:
        await here.movement("fatima")
        welcome = await here.type("fatima", "/stuck het loopt niet")
        await step(here, welcome)
        await here.press("fatima", await here.type("fatima", "/stuck"), "let_go")
        await here.pass_(days=20)
        assert here.private("fatima") == []

    async def test_the_channel_reads_how_it_ended(self, here: World) -> None:
        await here.movement("fatima")
        await told(here, audience="channel")
        (post,) = here.posts()
        before = text_of(post)
        await here.press("fatima", await here.type("fatima", "/stuck"), "moves_again")
        assert text_of(post) != before


async def test_from_stuck_to_a_story(here: World) -> None:
    """stuck → step → not yet → still stuck → company → done → a story is offered."""
    await here.movement("fatima", "jan", "samira", "bram")
    async with here.begin() as work:
        for who, group in (("fatima", "dag"), ("jan", "dag"), ("samira", "nacht"), ("bram", "dag")):
            person = await work.people.get(PersonId(who), MOVEMENT)
            assert person is not None
            person.group, person.suggestible = group, who != "bram" or None
    await initiative(here, "fatima")
    welcome = await told(here)
    await step(here, welcome)
    await here.until(MONDAY + timedelta(days=1))
    (follow_up,) = here.private("fatima")

    form = await here.press("fatima", follow_up, "not_yet", channel=None)
    await here.submit("fatima", form, channel=None, day="2027-03-04")
    moved = await here.press("fatima", follow_up, "not_yet", channel=None)
    assert "vraag ik Jan" in text_of(moved)
    await here.until(MONDAY + timedelta(days=3))
    second = here.private("fatima")[1]
    first_time = await here.press("fatima", second, "still_stuck", channel=None)
    assert "ask_me" in buttons(first_time)
    again = await here.press("fatima", second, "still_stuck", channel=None)
    assert buttons(again) == ["another_step"]

    await step(here, first_time, channel=None, day="2027-03-10")
    await here.until(datetime(2027, 3, 10, 9, tzinfo=UTC))
    offered = await here.press("fatima", here.private("fatima")[-1], "still_stuck", channel=None)
    assert here.private("jan") == here.private("samira") == []
    assert "jan" in text_of(offered)
    assert "samira" in text_of(offered)
    await here.press("fatima", offered, "ask_them", channel=None)
    await here.press("fatima", offered, "ask_them", channel=None)
    for who in ("jan", "samira"):
        (asked,) = here.private(who)
        form = await here.press(who, asked, "give", channel=None)
        await here.submit(who, form, channel=None, question=f"vraag van {who}", idea=f"idee van {who}")
    assert here.private("bram") == []
    together = here.private("fatima")[-1]
    assert all(f"vraag van {who}" in text_of(together) for who in ("jan", "samira"))

    form = await here.press("fatima", together, "choose_step", channel=None)
    await here.submit(
        "fatima", form, channel=None, cue="donderdag", action="loop ik mee", on_my_own="yes", day="2027-03-16"
    )
    await here.until(datetime(2027, 3, 18, 12, tzinfo=UTC))
    form = await here.press("fatima", here.private("fatima")[-1], "done", channel=None)
    told_it = await here.submit("fatima", form, channel=None, outcome="Samira nam iemand mee")
    story = button_of(told_it, "tell_story")
    assert story.intent == "story"
    async with here.begin() as work:
        done = await work.steps.get(StepId(story.args["step"]), MOVEMENT)
    assert done is not None
    assert done.outcome == "Samira nam iemand mee"
    ended = await here.press("fatima", told_it, "moves_again", channel=None)
    assert buttons(ended) == ["tell_story"]
    assert await episodes(here) == []

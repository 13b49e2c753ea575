"""Micro-stories: told, changed, carried on and taken back."""

from datetime import timedelta

from bot.chat import Answer, FieldErrors, Form
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import MovementId
from bot.domain.next_step import NextStep, StepId, StepState
from bot.domain.person import PersonId
from bot.domain.story import Readers
from bot.ports import OutcomeUnknown, RetryAfter
from tests.support.stories import (
    WALK,
    add_reminder,
    count_ripples,
    get_story,
    is_declined,
    latest_story,
    reply_in_thread,
    set_language,
)
from tests.support.world import World, text_of


class TestTelling:
    async def test_in_one_line_it_stands_in_the_place_for_the_movement_to_read(self, world: World) -> None:
        await world.movement("fatima")
        answer = await world.type("fatima", f"/verhaal {WALK}")
        story = await latest_story(world, "fatima")
        assert (story.text, story.readers, story.named) == (WALK, Readers.MOVEMENT, True)
        [post] = world.posts()
        assert WALK in text_of(post)
        assert "fatima" in text_of(post)
        assert "beweging" in text_of(answer)
        buttons = {button.name for button in answer.message.buttons}
        assert buttons >= {"change", "share", "withdraw"}

    async def test_the_form_says_who_reads_and_keeps_the_last_choice_of_name(self, world: World) -> None:
        await world.movement("fatima")
        form = await world.type("fatima", "/story", language="en")
        answer = await world.submit("fatima", form, text=WALK, named="without", readers="everyone", dimension="broaden")
        assert isinstance(answer, Answer)
        [post] = world.posts()
        assert "fatima" not in text_of(post)
        again = await world.type("fatima", "/verhaal")
        assert isinstance(again, Form)
        assert {field.name: field.value for field in again.fields}["named"] == "without"
        await world.type("fatima", "/verhaal Nog een, weer zonder naam")
        assert not (await latest_story(world, "fatima")).named

    async def test_in_english_too(self, world: World) -> None:
        await world.movement("fatima")
        await set_language(world, "fatima", "en")
        answer = await world.type("fatima", "/story We took a walk together.")
        assert "Your story will be in #general in a moment, with your name." in text_of(answer)
        assert "We took a walk together." in text_of(await world.type("fatima", "/ritme stories"))

    async def test_for_this_place_only_it_cannot_be_carried_on(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        form = await world.type("fatima", "/verhaal")
        await world.submit("fatima", form, text=WALK, readers="thread")
        [post] = world.posts()
        assert [button.name for button in post.message.buttons] == ["ripple"]
        story = await latest_story(world, "fatima")
        assert is_declined(await world.do("jan", "share", story=story.id), "story_stays")

    async def test_in_a_personal_chat_it_is_kept_and_posted_nowhere(self, world: World) -> None:
        await world.movement("fatima")
        await world.type("fatima", f"/verhaal {WALK}", channel=None)
        assert (await latest_story(world, "fatima")).place_id is None
        assert world.messenger.sent == []

    async def test_too_long_for_one_line_loses_nothing(self, world: World) -> None:
        await world.movement("fatima")
        long = "woord " * 300
        form = await world.type("fatima", f"/verhaal {long}")
        assert isinstance(form, Form)
        shown = {field.name: field for field in form.fields}["text"]
        assert shown.value == long.strip()
        assert shown.max_length >= len(long.strip())
        assert str(len(long.strip())) in form.note
        wrong = await world.submit("fatima", form)
        assert isinstance(wrong, FieldErrors)
        assert set(wrong.errors) == {"text"}
        for_good = await world.type("fatima", "/verhaal " + "woord " * 700)
        assert text_of(for_good).count("woord") == 700

    async def test_a_step_done_prefills_it_for_its_owner_only(self, world: World) -> None:
        await world.movement("fatima", "jan")
        now = world.clock.now()
        async with world.begin() as work:
            initiative = InitiativeId("walks")
            work.initiatives.add(
                Initiative(
                    id=initiative,
                    movement_id=MovementId("movement"),
                    name="Wandelen",
                    started_by=None,
                    started_at=now,
                )
            )
            work.steps.add(
                NextStep(
                    id=StepId("step"),
                    movement_id=MovementId("movement"),
                    initiative_id=initiative,
                    episode_id=None,
                    person_id=PersonId("fatima"),
                    cue="na de overdracht",
                    action="vraag ik Jan mee",
                    follow_up_at=now,
                    state=StepState.DONE,
                    outcome=WALK,
                    chosen_at=now,
                )
            )
        form = await world.do("fatima", "story", step="step")
        assert isinstance(form, Form)
        values = {field.name: field.value for field in form.fields}
        assert (values["text"], values["initiative"]) == (WALK, "walks")
        await world.submit("fatima", form)
        assert (await latest_story(world, "fatima")).initiative_id == "walks"
        assert is_declined(await world.do("jan", "story", step="step"), "not_found")

    async def test_changing_it_changes_every_copy(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        form = await world.press("jan", world.posts()[0], "share")
        await world.submit("jan", form, place="night", line="Ook iets voor ons?")
        change = await world.press("fatima", answer, "change")
        await world.submit("fatima", change, text="Anders verteld.", named="without")
        for post in (*world.posts(), *world.posts("night")):
            assert "Anders verteld." in text_of(post)
            assert WALK not in text_of(post)
            assert "fatima" not in text_of(post)

    async def test_keeping_it_here_after_all_takes_the_copies_away_and_it_can_travel_again(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        form = await world.press("jan", world.posts()[0], "share")
        await world.submit("jan", form, place="night")
        await world.submit("fatima", await world.press("fatima", answer, "change"), readers="thread")
        assert len(world.posts()) == 1
        assert world.posts("night") == []
        await world.submit("fatima", await world.press("fatima", answer, "change"), readers="movement")
        await world.submit("jan", await world.press("jan", world.posts()[0], "share"), place="night")
        assert len(world.posts("night")) == 1

    async def test_taking_it_back_removes_it_everywhere_and_keeps_no_words(self, world: World) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        story = await latest_story(world, "fatima")
        await world.submit("jan", await world.press("jan", world.posts()[0], "share"), place="night")
        gone = await world.press("fatima", answer, "withdraw")
        assert isinstance(gone, Answer)
        assert gone.replaces
        assert world.posts() == world.posts("night") == []
        async with world.begin() as work:
            kept = await work.stories.get(story.id, story.movement_id)
        assert kept is not None
        assert kept.text == ""
        assert await world.press("fatima", answer, "withdraw") is None

    async def test_taking_it_back_while_its_post_is_under_way_reaches_the_post(self, world: World) -> None:
        await world.movement("fatima")
        world.messenger.fail_next.append((OutcomeUnknown(), True))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        assert len(world.posts()) == 1  # it arrived, but Ritme does not know yet
        await world.press("fatima", answer, "withdraw")
        await world.pass_(hours=1)
        assert world.posts() == []

    async def test_taking_it_back_before_it_was_posted_posts_nothing(self, world: World) -> None:
        await world.movement("fatima")
        world.messenger.fail_next.append((RetryAfter(world.clock.now() + timedelta(minutes=5)), False))
        answer = await world.type("fatima", f"/verhaal {WALK}")
        await world.press("fatima", answer, "withdraw")
        await world.pass_(hours=1)
        assert world.messenger.sent == []

    async def test_one_reads_ones_own_stories_back_one_at_a_time(self, world: World) -> None:
        await world.movement("fatima")
        assert is_declined(await world.do("fatima", "story.mine"), "no_stories")
        for text in ("Het eerste", "Het tweede"):
            await world.type("fatima", f"/verhaal {text}")
            world.clock.set(world.clock.now() + timedelta(minutes=1))
        newest = await world.do("fatima", "story.mine", channel=None)
        assert "Het tweede" in text_of(newest)
        assert "Het eerste" in text_of(await world.press("fatima", newest, "older", channel=None))


async def test_from_a_thread_a_story_ripples_travels_changes_and_goes(world: World) -> None:
    await world.movement("fatima", "jan", "noor", channels=("general", "night"))
    await add_reminder(world)
    await reply_in_thread(world, "fatima", WALK, "m-1")
    story = await get_story(world, "m-1")
    assert is_declined(await world.do("jan", "share", story=story.id), "story_stays")
    await world.press("fatima", world.private("fatima")[0], "keep")

    await world.do("jan", "reaction.added", message="m-1", reaction="heart")
    assert await count_ripples(world, story) == 1
    assert "🌊" in text_of(world.private("fatima")[1])

    form = await world.do("jan", "share", story=story.id)
    await world.submit("jan", form, place="night", line="Zou dit bij ons kunnen?")
    [copy] = world.posts("night")
    assert WALK in text_of(copy)
    assert "general" in text_of(copy)
    assert "Zou dit bij ons kunnen?" in text_of(copy)
    twice = await world.submit("jan", form, place="night")
    assert isinstance(twice, FieldErrors)
    assert set(twice.errors) == {"place"}

    pressed = await world.press("noor", copy, "ripple")
    await world.press("noor", copy, "ripple")
    await world.do("jan", "reaction.added", channel="night", message=copy.receipt.message, reaction="fire")
    assert await count_ripples(world, story) == 2
    assert "jan" not in text_of(pressed)
    await world.press("noor", pressed, "undo", channel="night")
    assert await count_ripples(world, story) == 1
    await world.do("jan", "reaction.removed", message="m-1", reaction="heart")
    assert await count_ripples(world, story) == 1
    await world.do("jan", "reaction.removed", channel="night", message=copy.receipt.message, reaction="fire")
    assert await count_ripples(world, story) == 0

    await world.do("fatima", "message.edited", message="m-1", text="We liepen twee rondjes.")
    assert "twee rondjes" in text_of(world.posts("night")[0])
    await world.do("fatima", "message.deleted", message="m-1")
    assert world.posts("night") == []
    assert is_declined(await world.do("noor", "ripple", story=story.id), "not_found")

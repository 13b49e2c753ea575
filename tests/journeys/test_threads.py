"""Stories that people tell in the thread of a reminder."""

from asyncio import gather

import pytest

from bot.chat import Answer
from bot.domain.movement import MovementId
from bot.domain.person import StoryChoice, WorkspaceId
from bot.domain.rhythm import RhythmId
from bot.domain.story import Readers
from tests.support.stories import (
    ROOT,
    WALK,
    add_reminder,
    count_ripples,
    find_story,
    get_person,
    get_story,
    is_declined,
    reply_in_thread,
)
from tests.support.world import LANE, World, text_of


class TestThreads:
    async def test_a_reply_is_marked_and_the_first_time_explained_in_private(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await reply_in_thread(world, "fatima", "En nog iets.", "m-2")
        story = await get_story(world, "m-1")
        assert (story.readers, story.part, story.thread) == (Readers.THREAD, "behaviour:0", ROOT)
        assert [(act.act, act.target, act.reaction) for act in world.messenger.acts] == [
            ("react", "m-1", "seedling"),
            ("react", "m-2", "seedling"),
        ]
        [private] = world.private("fatima")
        assert (private.post.channel, private.post.thread) == ("general", ROOT)
        assert [button.name for button in private.message.buttons] == ["keep", "here", "forget"]
        assert world.posts() == []
        async with world.begin() as work:
            rhythm = await work.rhythms.get(RhythmId(f"rhythm-{ROOT}"), MovementId("movement"))
        assert rhythm is not None
        assert rhythm.unanswered == 0

    @pytest.mark.parametrize("kind", ["rhythm_purpose", "rhythm_stories", "rhythm_check_in"])
    async def test_the_choice_holds_for_what_waited_and_for_what_follows(self, world: World, kind: str) -> None:
        await world.movement("fatima")
        await add_reminder(world, kind)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await reply_in_thread(world, "fatima", "En nog iets.", "m-2")
        kept = await world.press("fatima", world.private("fatima")[0], "keep")
        assert isinstance(kept, Answer)
        assert kept.replaces
        await reply_in_thread(world, "fatima", "En later.", "m-3")
        assert {(await get_story(world, one)).readers for one in ("m-1", "m-2", "m-3")} == {Readers.MOVEMENT}
        assert len(world.private("fatima")) == 1
        await world.press("fatima", kept, "here")
        assert (await get_person(world, "fatima")).story_choice is StoryChoice.HERE
        await reply_in_thread(world, "fatima", "En nog later.", "m-4")
        assert (await get_story(world, "m-4")).readers is Readers.THREAD
        assert {(await get_story(world, one)).readers for one in ("m-1", "m-2", "m-3")} == {Readers.THREAD}

    async def test_forgetting_keeps_no_words_and_no_mark_and_nothing_later(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.press("fatima", world.private("fatima")[0], "forget")
        await reply_in_thread(world, "fatima", "En nog iets.", "m-2")
        story = await get_story(world, "m-1")
        assert (story.is_told, story.text) == (False, "")
        assert await find_story(world, "m-2") is None
        assert [act.act for act in world.messenger.acts] == ["react", "unreact"]

    @pytest.mark.parametrize("text", ["", "  ", "👍", ":tada: :+1:", "…!"])
    async def test_what_holds_no_word_is_no_story(self, world: World, text: str) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", text, "m-1")
        assert await find_story(world, "m-1") is None
        assert world.messenger.acts == []

    async def test_a_long_reply_is_kept_whole_a_very_long_one_to_a_word(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", "woord " * 500, "m-1")
        await reply_in_thread(world, "fatima", "woord " * 900, "m-2")
        assert (await get_story(world, "m-1")).text == ("woord " * 500).strip()
        cut = (await get_story(world, "m-2")).text
        assert len(cut) <= 4000
        assert cut.endswith("woord…")

    async def test_elsewhere_nothing_is_kept(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_reminder(world, "rhythm_harvest")
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await reply_in_thread(world, "fatima", WALK, "m-2", thread="of people among themselves")
        assert await find_story(world, "m-1") is None
        assert await find_story(world, "m-2") is None

    async def test_the_same_event_again_or_at_once_acts_once(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_reminder(world)
        args = {"text": WALK}
        same = [
            world.intent("fatima", "thread.replied", args, thread=ROOT, message="m-1", key=key)
            for key in ("a", "a", "b", "a")
        ]
        await gather(*(world.ritme.handle(one) for one in same))
        liked = [
            world.intent("jan", "reaction.added", {"reaction": emoji}, message="m-1", key=f"r{key}")
            for key, emoji in enumerate(("heart", "heart", "fire"))
        ]
        await gather(*(world.ritme.handle(one) for one in liked))
        await world.drain()
        story = await get_story(world, "m-1")
        assert await count_ripples(world, story) == 1
        assert len([act for act in world.messenger.acts if act.act == "react"]) == 1
        assert len(world.private("fatima")) == 2  # what is kept, and the first ripple

    async def test_an_edit_before_its_message_and_a_deletion_before_it(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await world.do("fatima", "message.edited", thread=ROOT, message="m-1", text="Zoals het werd.")
        await reply_in_thread(world, "fatima", "Zoals het was.", "m-1")
        assert (await get_story(world, "m-1")).text == "Zoals het werd."
        await world.do("fatima", "message.deleted", thread=ROOT, message="m-2")
        await reply_in_thread(world, "fatima", "Al weg.", "m-2")
        assert not (await get_story(world, "m-2")).is_told
        await world.do("fatima", "reaction.added", message="m-2", reaction="heart")
        assert await count_ripples(world, await get_story(world, "m-2")) == 0

    async def test_only_its_writer_edits_a_story(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.do("jan", "message.edited", thread=ROOT, message="m-1", text="Van Jan")
        assert (await get_story(world, "m-1")).text == WALK

    async def test_those_who_tell_in_one_thread_are_tied_once(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_reminder(world)
        for number, who in enumerate(["fatima", "jan", "fatima", "jan"]):
            await reply_in_thread(world, who, WALK, f"m-{number}")
        async with world.begin() as work:
            [tie] = await work.connecting.ties(MovementId("movement"))
        assert (tie.one_id, tie.other_id, tie.strength) == ("fatima", "jan", 1)

    async def test_a_reminder_worded_again_is_no_reply_to_itself(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        for name in ("message.edited", "message.deleted"):
            await world.do("fatima", name, thread=ROOT, message=ROOT, text=WALK)
        assert await find_story(world, ROOT) is None

    async def test_an_edit_that_leaves_no_word_withdraws(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.do("fatima", "message.edited", message="m-1", text="🙈")
        assert not (await get_story(world, "m-1")).is_told
        assert [act.act for act in world.messenger.acts] == ["react", "unreact"]

    async def test_of_who_stopped_nothing_is_kept(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        async with world.begin() as work:
            fatima = await work.people.by_account(WorkspaceId(LANE), "fatima")
            assert fatima is not None
            fatima.stopped_at = world.clock.now()
        await reply_in_thread(world, "fatima", WALK, "m-1")
        assert await find_story(world, "m-1") is None


class TestForgetting:
    async def told_in_two_threads(self, world: World) -> None:
        """Have Fatima reply twice in one thread and once in another, for the movement to read."""
        await world.movement("fatima", "jan")
        await add_reminder(world)
        await add_reminder(world, thread="other root")
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.press("fatima", world.private("fatima")[0], "keep")
        await world.pass_(minutes=1)
        await reply_in_thread(world, "fatima", "En nog iets.", "m-2")
        await world.pass_(minutes=1)
        await reply_in_thread(world, "fatima", "Elders.", "m-3", thread="other root")
        await reply_in_thread(world, "jan", "Van Jan.", "m-4")

    async def told(self, world: World) -> set[str]:
        return {one for one in ("m-1", "m-2", "m-3", "m-4") if (await get_story(world, one)).is_told}

    async def test_it_takes_all_ones_replies_in_that_thread_and_says_what_is_left(self, world: World) -> None:
        await self.told_in_two_threads(world)
        story = await get_story(world, "m-2")
        gone = await world.do("fatima", "story.forget", story=story.id)
        assert await self.told(world) == {"m-3", "m-4"}
        assert "al je antwoorden" in text_of(gone)
        assert "andere draden" in text_of(gone)
        await reply_in_thread(world, "fatima", "Later.", "m-5")
        assert await find_story(world, "m-5") is None
        assert await world.do("fatima", "story.forget", story=story.id, key="again") is not None
        assert await self.told(world) == {"m-3", "m-4"}

    async def test_of_ones_own_story_this_one_or_all_can_be_forgotten(self, world: World) -> None:
        await self.told_in_two_threads(world)
        mine = await world.do("fatima", "story.mine", number="2", channel=None)
        assert "En nog iets." in text_of(mine)
        gone = await world.press("fatima", mine, "forget_this", channel=None)
        assert "Je eigen bericht blijft staan" in text_of(gone)
        assert await self.told(world) == {"m-1", "m-3", "m-4"}
        await world.pass_(minutes=1)
        await reply_in_thread(world, "fatima", "Later.", "m-5")
        assert (await get_story(world, "m-5")).is_told
        await world.press("fatima", await world.do("fatima", "story.mine", number="3", channel=None), "forget_all")
        assert await self.told(world) == {"m-3", "m-4"}
        assert not (await get_story(world, "m-5")).is_told

    @pytest.mark.parametrize("choice", ["keep", "here"])
    async def test_what_is_forgotten_is_not_said_to_be_kept_after_all(self, world: World, choice: str) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        assert "1 verhaal" in text_of(await world.type("fatima", "/ritme ik"))
        gone = await world.press("fatima", world.private("fatima")[0], "forget")
        assert "verhaal\n" not in text_of(await world.type("fatima", "/ritme ik"))
        changed = await world.press("fatima", gone, choice)
        assert "Wat vergeten is, blijft weg." in text_of(changed)
        assert not (await get_story(world, "m-1")).is_told


class TestMessagesThatGoAndComeBack:
    async def test_one_that_nobody_is_named_for_takes_its_story_along(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await self.vanish(world, "m-1", "nothing of ours")
        story = await get_story(world, "m-1")
        assert (story.is_told, story.text) == (False, "")
        async with world.begin() as work:
            assert await work.people.by_account(WorkspaceId(LANE), "") is None

    async def test_one_restored_brings_its_story_back_to_the_same_readers(self, world: World) -> None:
        await world.movement("fatima", "jan")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.press("fatima", world.private("fatima")[0], "keep")
        await world.do("fatima", "message.deleted", thread=ROOT, message="m-1")
        await world.do("jan", "message.restored", thread=ROOT, message="m-1", text="Van Jan")
        assert not (await get_story(world, "m-1")).is_told
        await world.pass_(minutes=1)
        await world.do("fatima", "message.restored", thread=ROOT, message="m-1", text=WALK)
        story = await get_story(world, "m-1")
        assert (story.text, story.readers, story.is_told) == (WALK, Readers.MOVEMENT, True)
        assert [act.act for act in world.messenger.acts] == ["react", "react"]

    async def test_one_whose_story_was_taken_back_before_stays_without(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.do("fatima", "story.take_back", story=(await get_story(world, "m-1")).id)
        await world.do("fatima", "message.deleted", thread=ROOT, message="m-1")
        await world.do("fatima", "message.restored", thread=ROOT, message="m-1", text=WALK)
        assert not (await get_story(world, "m-1")).is_told

    async def test_of_who_has_nothing_kept_by_now_nothing_comes_back(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        await world.do("fatima", "message.deleted", thread=ROOT, message="m-1")
        await world.do("fatima", "stop", channel=None)
        await world.do("fatima", "message.restored", thread=ROOT, message="m-1", text=WALK)
        assert not (await get_story(world, "m-1")).is_told

    async def test_the_question_to_keep_one_ends_with_it(self, world: World) -> None:
        await world.movement("fatima", "jan")
        asked = {"author": "fatima", "text": WALK}
        await world.do("jan", "saving.ask", args=asked, message="m-1")
        await world.do("jan", "saving.ask", args=asked, message="m-2")
        await self.vanish(world, "m-1")
        await world.do("fatima", "message.edited", message="m-2", text="")
        assert is_declined(await world.press("fatima", world.private("fatima")[0], "keep"), "already_answered")
        assert is_declined(await world.press("fatima", world.private("fatima")[1], "keep"), "already_answered")

    async def vanish(self, world: World, *messages: str) -> None:
        """Tell that messages are gone, without telling whose they were."""
        for message in messages:
            gone = world.intent("", "message.gone", {}, message=message)
            assert await world.ritme.handle(gone) is None
        await world.drain()


class TestCommandsInAThread:
    @pytest.mark.parametrize(
        "text", ["/ritme hulp", "@Ritme hulp", "/hulp", "/ritme  hulp ", "@ritme: hulp", "/RITME help"]
    )
    async def test_one_that_addresses_the_app_is_obeyed_and_no_story(self, world: World, text: str) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        where = {"thread": ROOT, "message": "m-1", "text": text}
        answer = await world.do("fatima", "thread.replied", **where)  # type: ignore[arg-type]  # as of `do`
        assert isinstance(answer, Answer)
        assert await find_story(world, "m-1") is None

    @pytest.mark.parametrize(
        "text",
        [
            "stop er maar mee, zei ze, en we lachten",
            "vast en zeker ging het goed",
            "/me zwaait naar iedereen",
            "ritme zit er weer in",
            "@Ritmeester was er ook bij",
            "1/stuk voor stuk lukte het",
        ],
    )
    async def test_an_ordinary_sentence_is_a_story(self, world: World, text: str) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", text, "m-1")
        assert (await get_story(world, "m-1")).text == text

    async def test_a_story_after_a_typed_mention_is_kept(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", f"@Ritme {WALK}", "m-1")
        assert (await get_story(world, "m-1")).text == WALK

    async def test_an_edit_to_a_command_leaves_no_story(self, world: World) -> None:
        await world.movement("fatima")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m-1")
        for message in ("m-1", "m-2"):
            await world.do("fatima", "message.edited", thread=ROOT, message=message, text="/ritme stop")
        assert not (await get_story(world, "m-1")).is_told
        assert await find_story(world, "m-2") is None
        assert (await get_person(world, "fatima")).stopped_at is None

    async def test_in_a_thread_of_others_nothing_is_kept_of_what_follows(self, world: World) -> None:
        await world.movement("fatima")
        where = {"thread": "of people among themselves", "message": "m-1"}
        answer = await world.do("fatima", "thread.replied", text="/ritme hulp", **where)  # type: ignore[arg-type]
        assert isinstance(answer, Answer)
        assert await find_story(world, "m-1") is None

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
    reply_in_thread,
)
from tests.support.world import LANE, World


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
        assert (await get_story(world, "m-2")).readers is Readers.MOVEMENT

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

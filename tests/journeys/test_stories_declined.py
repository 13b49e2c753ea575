"""Refusals around stories, in both languages."""

import pytest

from bot.chat import FieldErrors
from tests.support.stories import WALK, add_other_movement, count_ripples, is_declined, latest_story, set_language
from tests.support.world import World, button_of, text_of


@pytest.mark.parametrize("language", ["nl", "en"])
class TestWhatCannotBe:
    @pytest.mark.parametrize(
        "intent",
        ["ripple", "share", "share.save", "story.change", "story.withdraw", "story.keep", "story.here", "story.forget"],
    )
    async def test_a_story_of_another_movement_is_not_there(self, world: World, language: str, intent: str) -> None:
        await world.movement("fatima")
        await set_language(world, "fatima", language)
        story = await add_other_movement(world)
        for foreign in (story.id, "nonsense", ""):
            reply = await world.do("fatima", intent, language=language, story=foreign)
            assert is_declined(reply, "not_found", language), reply
        assert await count_ripples(world, story) == 0

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("text", ""),
            ("text", "👍"),
            ("text", "x" * 1501),
            ("initiative", "far-walks"),
            ("initiative", ("a", "b")),
            ("dimension", "sideways"),
            ("named", ""),
            ("named", "perhaps"),
            ("readers", "nobody"),
            ("readers", ("movement",)),
        ],
    )
    async def test_a_form_that_cannot_be_read_says_where(
        self, world: World, language: str, field: str, value: str
    ) -> None:
        await world.movement("fatima")
        await add_other_movement(world)
        await set_language(world, "fatima", language)
        good = {"text": WALK, "initiative": "", "dimension": "", "named": "with", "readers": "movement"}
        reply = await world.do("fatima", "story.save", args={**good, field: value}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}
        assert world.messenger.sent == []

    @pytest.mark.parametrize(
        ("field", "value"), [("place", ""), ("place", "general"), ("place", "far"), ("line", "x" * 301)]
    )
    async def test_a_place_that_cannot_be_chosen_says_so(
        self, world: World, language: str, field: str, value: str
    ) -> None:
        await world.movement("fatima", "jan", channels=("general", "night"))
        await add_other_movement(world)
        await set_language(world, "jan", language)
        await world.type("fatima", f"/verhaal {WALK}")
        good = {"story": (await latest_story(world, "fatima")).id, "place": "night", "line": ""}
        reply = await world.do("jan", "share.save", args={**good, field: value}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}

    async def test_somebody_elses_story_cannot_be_changed(self, world: World, language: str) -> None:
        await world.movement("fatima", "jan")
        await set_language(world, "jan", language)
        answer = await world.type("fatima", f"/verhaal {WALK}", language=language)
        good = {"text": "x y", "named": "with", "readers": "movement"}
        story = button_of(answer, "change").args["story"]
        assert is_declined(await world.do("jan", "story.save", args={**good, "story": story}), "not_found", language)
        for intent in ("story.change", "story.withdraw"):
            assert is_declined(await world.do("jan", intent, language=language, story=story), "not_found", language)

    async def test_without_a_movement_it_says_how_to_begin(self, world: World, language: str) -> None:
        for line in ("/story", "/verhaal iets", "/ritme oogst", "/ritme verhaaltje"):
            assert "/ritme start" in text_of(await world.type("fatima", line, language=language))

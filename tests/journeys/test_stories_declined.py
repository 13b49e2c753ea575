"""What cannot be done with stories, said in both languages."""

import pytest

from bot.chat import FieldErrors
from tests.support.stories import WALK, another_movement, declined, latest, ripples, speaks
from tests.support.world import World, button_of, text_of


@pytest.mark.parametrize("language", ["nl", "en"])
class TestWhatCannotBe:
    @pytest.mark.parametrize(
        "intent",
        ["ripple", "share", "share.save", "story.change", "story.withdraw", "story.keep", "story.here", "story.forget"],
    )
    async def test_a_story_of_another_movement_is_not_there(self, here: World, language: str, intent: str) -> None:
        await here.movement("fatima")
        await speaks(here, "fatima", language)
        story = await another_movement(here)
        for foreign in (story.id, "nonsense", ""):
            reply = await here.do("fatima", intent, language=language, story=foreign)
            assert declined(reply, "not_found", language), reply
        assert await ripples(here, story) == 0

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
        self, here: World, language: str, field: str, value: str
    ) -> None:
        await here.movement("fatima")
        await another_movement(here)
        await speaks(here, "fatima", language)
        good = {"text": WALK, "initiative": "", "dimension": "", "named": "with", "readers": "movement"}
        reply = await here.do("fatima", "story.save", args={**good, field: value}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}
        assert here.messenger.sent == []

    @pytest.mark.parametrize(
        ("field", "value"), [("place", ""), ("place", "general"), ("place", "far"), ("line", "x" * 301)]
    )
    async def test_a_place_that_cannot_be_chosen_says_so(
        self, here: World, language: str, field: str, value: str
    ) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        await another_movement(here)
        await speaks(here, "jan", language)
        await here.type("fatima", f"/verhaal {WALK}")
        good = {"story": (await latest(here, "fatima")).id, "place": "night", "line": ""}
        reply = await here.do("jan", "share.save", args={**good, field: value}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}

    async def test_somebody_elses_story_cannot_be_changed(self, here: World, language: str) -> None:
        await here.movement("fatima", "jan")
        await speaks(here, "jan", language)
        answer = await here.type("fatima", f"/verhaal {WALK}", language=language)
        good = {"text": "x y", "named": "with", "readers": "movement"}
        story = button_of(answer, "change").args["story"]
        assert declined(await here.do("jan", "story.save", args={**good, "story": story}), "not_found", language)
        for intent in ("story.change", "story.withdraw"):
            assert declined(await here.do("jan", intent, language=language, story=story), "not_found", language)

    async def test_without_a_movement_it_says_how_to_begin(self, here: World, language: str) -> None:
        for line in ("/story", "/verhaal iets", "/ritme oogst", "/ritme verhaaltje"):
            assert "/ritme start" in text_of(await here.type("fatima", line, language=language))

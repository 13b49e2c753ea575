"""Tellers hear of answers under their stories; an answer to a check-in leads on."""

import pytest

from bot.chat import Form
from bot.domain.story import Readers
from bot.domain.story_answer import has_question, is_aside
from tests.support.stories import (
    WALK,
    add_reminder,
    find_story,
    get_story,
    latest_story,
    reply_in_thread,
)
from tests.support.world import World, text_of

TRIED = "We proberen nu elke avond samen een rondje."


@pytest.fixture
async def told(world: World) -> World:
    """Return a world in which Fatima told a story in #general; its post can be answered."""
    await world.movement("fatima", "jan", "noor", channels=("general", "night"))
    await world.do("fatima", "story.save", text=WALK, readers="movement", named="with")
    return world


async def answer(world: World, who: str, text: str, message: str, name: str = "thread.replied") -> None:
    thread = world.posts()[0].receipt.message
    await world.do(who, name, text=text, message=message, thread=thread)


class TestUnderAStory:
    async def test_its_teller_hears_of_several_answers_in_one_message_and_never_whose(self, told: World) -> None:
        await answer(told, "jan", "Mooi gedaan, dank je.", "a1")
        await told.pass_(minutes=30)
        await answer(told, "noor", "Bij ons ook.", "a2")
        await told.pass_(hours=3)
        [news] = told.private("fatima")
        assert "twee nieuwe reacties" in text_of(news)
        assert WALK[:20] in text_of(news)
        assert "jan" not in text_of(news)
        assert news.post.link is not None
        assert (news.post.link.channel, news.post.link.message) == ("general", told.posts()[0].receipt.message)
        assert told.private("jan") == []

    async def test_an_edit_is_no_second_answer_and_a_deleted_one_is_none(self, told: World) -> None:
        await answer(told, "jan", "Mooi.", "a1")
        await answer(told, "jan", "Heel mooi.", "a1", "message.edited")
        await answer(told, "noor", "Bij ons ook.", "a2")
        await answer(told, "noor", "", "a2", "message.deleted")
        await told.pass_(hours=3)
        assert "Iemand reageerde" in text_of(told.private("fatima")[0])

    async def test_when_all_is_deleted_or_the_teller_was_there_nothing_comes(self, told: World) -> None:
        await answer(told, "jan", "Hoe dan?", "a1")
        await answer(told, "jan", "", "a1", "message.deleted")
        await answer(told, "noor", "Wie liep er mee?", "a2")
        await answer(told, "fatima", "Samira liep mee.", "a3")
        await told.pass_(days=8)
        assert told.private("fatima") == []

    async def test_a_story_taken_back_is_no_news(self, told: World) -> None:
        await answer(told, "jan", "Hoe dan?", "a1")
        await told.do("fatima", "story.withdraw", story=(await latest_story(told, "fatima")).id)
        await told.pass_(days=8)
        assert told.private("fatima") == []

    async def test_despair_is_no_answer(self, told: World) -> None:
        await answer(told, "jan", "Ik wil niet meer leven.", "a1")
        await told.pass_(hours=3)
        assert told.private("fatima") == []

    async def test_a_question_that_nobody_answers_reaches_its_teller_once(self, told: World) -> None:
        await answer(told, "jan", "Wie liep er mee?", "a1")
        await told.pass_(hours=2)
        await answer(told, "jan", "Ik ben benieuwd.", "a2")
        await told.pass_(days=10)
        await answer(told, "jan", "En nu?", "a3")
        await told.pass_(days=20)
        said = [text_of(one) for one in told.private("fatima")]
        assert sum("nog niemand" in one for one in said) == 1

    async def test_one_that_somebody_else_answers_does_not(self, told: World) -> None:
        await answer(told, "jan", "Wie liep er mee?", "a1")
        await answer(told, "noor", "Dat was Samira.", "a2")
        await told.pass_(days=10)
        assert not any("nog niemand" in text_of(one) for one in told.private("fatima"))


class TestInAGatheringThread:
    async def test_a_question_or_a_name_answers_a_story_and_a_story_of_ones_own_does_not(self, world: World) -> None:
        await world.movement("fatima", "jan", "noor")
        await add_reminder(world)
        await reply_in_thread(world, "fatima", WALK, "m1")
        await world.pass_(minutes=1)
        await reply_in_thread(world, "jan", "Ik belde de wijk op.", "m2")
        before = len(world.private("fatima"))
        await world.pass_(hours=3)
        assert len(world.private("fatima")) == before
        await reply_in_thread(world, "noor", "Mooi Fatima!", "m3")
        await reply_in_thread(world, "noor", "Wie liep er mee?", "m4")
        await world.pass_(hours=3)
        assert "Iemand reageerde" in text_of(world.private("fatima")[-1])
        assert "Iemand reageerde" in text_of(world.private("jan")[-1])


class TestAfterACheckIn:
    @pytest.fixture
    async def checked(self, world: World) -> World:
        """Return a world in which Jan, who chose before that what he replies stays there, can answer a check-in."""
        await world.movement("jan", "noor")
        await add_reminder(world, "rhythm_check_in")
        await reply_in_thread(world, "jan", "Eens.", "m0")
        await world.do("jan", "story.here", story=(await get_story(world, "m0")).id)
        return world

    def led_on(self, world: World) -> list[str]:
        return [text_of(one) for one in world.private("jan") if "bijpraten" in text_of(one)]

    async def test_a_story_a_step_and_stuck_are_one_press_away_with_the_words(self, checked: World) -> None:
        await reply_in_thread(checked, "jan", TRIED, "m1")
        await checked.pass_(minutes=10)
        said = checked.private("jan")[-1]
        assert TRIED in text_of(said)
        form = await checked.press("jan", said, "step", channel=None)
        assert TRIED in str(form)
        form = await checked.press("jan", said, "stuck", channel=None)
        assert isinstance(form, Form), "what they tried is not yet what they are stuck with"
        assert TRIED in str(form)
        await checked.press("jan", said, "tell", channel=None)
        assert (await get_story(checked, "m1")).readers is Readers.MOVEMENT

    @pytest.mark.parametrize(("choice", "leads"), [("here", 1), ("keep", 1), ("forget", 0)])
    async def test_a_first_answer_leads_on_once_it_is_known_who_reads_it(
        self, checked: World, choice: str, leads: int
    ) -> None:
        await reply_in_thread(checked, "noor", TRIED, "m9")
        await checked.pass_(minutes=10)
        assert not any("bijpraten" in text_of(one) for one in checked.private("noor"))
        story = (await get_story(checked, "m9")).id
        await checked.do("noor", f"story.{choice}", story=story)
        await checked.pass_(minutes=10)
        assert sum("bijpraten" in text_of(one) for one in checked.private("noor")) == leads

    async def test_at_most_once_a_week(self, checked: World) -> None:
        await reply_in_thread(checked, "jan", TRIED, "m1")
        await reply_in_thread(checked, "jan", f"{TRIED} En dat bevalt.", "m2")
        await checked.pass_(days=2)
        assert len(self.led_on(checked)) == 1
        await checked.pass_(days=6)
        await reply_in_thread(checked, "jan", f"{TRIED} Nog steeds.", "m3")
        await checked.pass_(minutes=10)
        assert len(self.led_on(checked)) == 2

    @pytest.mark.parametrize(
        "text",
        [
            "Eens.",
            "Ja, doen we!",
            "Noor, hoe gaat het bij jullie op zaal?",
            "Dank je wel voor alles vandaag, Noor.",
            "Ik wil niet meer leven, het hoeft van mij niet meer.",
        ],
    )
    async def test_never_after_an_aside_or_despair(self, checked: World, text: str) -> None:
        await reply_in_thread(checked, "jan", text, "m1")
        await checked.pass_(days=2)
        assert self.led_on(checked) == []

    async def test_not_for_what_was_taken_back_meanwhile(self, checked: World) -> None:
        await reply_in_thread(checked, "jan", TRIED, "m1")
        story = await find_story(checked, "m1")
        assert story is not None
        await checked.do("jan", "story.take_back", story=story.id)
        await checked.pass_(days=2)
        assert self.led_on(checked) == []

    async def test_other_threads_do_not_ask_it(self, checked: World) -> None:
        await add_reminder(checked, "rhythm_stories", thread="stories")
        await reply_in_thread(checked, "jan", TRIED, "m1", thread="stories")
        await checked.pass_(days=2)
        assert self.led_on(checked) == []


def test_what_asks_something_and_what_is_an_aside() -> None:
    assert has_question("Hoe deed je dat?")
    assert has_question("Echt? Knap.")
    assert not has_question("Zie https://wijk.nl/?q=1 voor meer")
    assert is_aside("Ja, doen we")
    assert not is_aside(TRIED)

"""Where slash commands do not exist: the two shortcuts, and mentions in a thread."""

from tests.drivers.slack import SlackDriver
from tests.fakes.slack.state import Modal, Shown

WALK = "Na de overdracht liepen we met z'n drieën een rondje & de buurvrouw liep mee <3"


async def rows(driver: SlackDriver, query: str) -> list[tuple[object, ...]]:
    async with driver.database.connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(query)]


async def stories(driver: SlackDriver) -> list[tuple[object, ...]]:
    return await rows(driver, "SELECT text, teller_id, readers FROM stories WHERE withdrawn_at IS NULL")


async def say(driver: SlackDriver, who: str, text: str, thread: str | None = None) -> Shown:
    shown = await driver.people.say(driver.user(who), driver.channel("general"), text, thread=thread)
    await driver.drain()
    return shown


class TestStuckFromAnywhere:
    async def test_it_opens_the_form_and_the_answer_comes_in_their_own_chat(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        form = await on_slack.shortcut("fatima", "stuck")
        assert isinstance(form, Modal)
        said = await on_slack.submit("fatima", form, text="Niemand komt naar het overleg", kind="other", audience="me")
        assert isinstance(said, Shown)
        assert on_slack.slack.channels[said.channel].personal

    async def test_who_belongs_to_no_movement_reads_what_to_do(self, on_slack: SlackDriver) -> None:
        said = await on_slack.shortcut("wim", "stuck")
        assert isinstance(said, Shown)
        assert "/ritme start" in said.words()

    async def test_a_shortcut_we_do_not_know_is_told_so(self, on_slack: SlackDriver) -> None:
        said = await on_slack.shortcut("wim", "of_another_app")
        assert isinstance(said, Shown)
        assert on_slack.people.answers[-1] == 200


class TestOnesOwnMessage:
    async def test_it_is_kept_at_once_marked_and_followed(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        message = await say(on_slack, "fatima", WALK)
        kept = await on_slack.shortcut("fatima", "save_as_story", message)
        assert isinstance(kept, Shown)
        assert kept.only_for == on_slack.user("fatima")
        assert await stories(on_slack) == [(WALK, "fatima", "thread")]
        assert {name for _, name in message.reactions} == {"seedling"}

        await on_slack.press("fatima", kept, "keep")
        await on_slack.edit("fatima", message, "We liepen een rondje")
        assert await stories(on_slack) == [("We liepen een rondje", "fatima", "movement")]
        await on_slack.delete("fatima", message)
        assert await stories(on_slack) == []

    async def test_the_root_of_a_thread_can_be_taken_away_too(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        message = await say(on_slack, "fatima", WALK)
        await say(on_slack, "jan", "Wat mooi!", thread=message.ts)
        message.thread = message.ts
        await on_slack.shortcut("fatima", "save_as_story", message)
        await on_slack.delete("fatima", message)
        assert await stories(on_slack) == []

    async def test_taken_back_and_kept_again(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        message = await say(on_slack, "fatima", WALK)
        kept = await on_slack.shortcut("fatima", "save_as_story", message)
        await on_slack.press("fatima", kept, "take_back")
        assert await stories(on_slack) == []
        assert not message.reactions
        await on_slack.pass_(minutes=1)
        await on_slack.shortcut("fatima", "save_as_story", message)
        assert await stories(on_slack) == [(WALK, "fatima", "thread")]
        assert {name for _, name in message.reactions} == {"seedling"}

    async def test_twice_is_once(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        message = await say(on_slack, "fatima", WALK)
        await on_slack.shortcut("fatima", "save_as_story", message)
        await on_slack.shortcut("fatima", "save_as_story", message)
        assert len(await stories(on_slack)) == 1

    async def test_outside_the_movement_the_words_are_ready_to_tell(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        elsewhere = on_slack.channel("koffie")
        message = await on_slack.people.say(on_slack.user("fatima"), elsewhere, WALK)
        offered = await on_slack.shortcut("fatima", "save_as_story", message)
        assert isinstance(offered, Shown)
        form = await on_slack.press("fatima", offered, "tell")
        assert isinstance(form, Modal)
        assert WALK in str(form.view)

    async def test_without_words_it_is_no_story(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        said = await on_slack.shortcut("fatima", "save_as_story", await say(on_slack, "fatima", "👍"))
        assert isinstance(said, Shown)
        assert "geen woorden" in said.words()


class TestSomeoneElsesMessage:
    async def asked(self, driver: SlackDriver) -> tuple[Shown, Shown]:
        """Jan asks whether what Fatima wrote may be kept: her message, and what she reads."""
        message = await say(driver, "fatima", WALK)
        form = await driver.shortcut("jan", "save_as_story", message)
        assert isinstance(form, Modal)
        assert await rows(driver, "SELECT * FROM story_requests") == []
        answer = await driver.submit("jan", form)
        assert isinstance(answer, Shown)
        assert answer.only_for == driver.user("jan")
        asked = driver.private("fatima")[-1]
        assert "jan" in asked.words()
        assert WALK in asked.words()
        return message, asked

    async def test_its_author_says_yes(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        message, asked = await self.asked(on_slack)
        assert await stories(on_slack) == []
        await on_slack.press("fatima", asked, "keep")
        assert await stories(on_slack) == [(WALK, "fatima", "movement")]
        assert {name for _, name in message.reactions} == {"seedling"}
        assert "zei ja" in on_slack.private("jan")[-1].words()
        assert await rows(on_slack, "SELECT text FROM story_requests") == [("",)]

    async def test_only_where_it_stands(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        _, asked = await self.asked(on_slack)
        await on_slack.press("fatima", asked, "here")
        assert await stories(on_slack) == [(WALK, "fatima", "thread")]
        assert "share" not in on_slack.private("jan")[-1].buttons()

    async def test_no_leaves_nothing_and_nobody_hears_of_it(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        message, asked = await self.asked(on_slack)
        before = len(on_slack.private("jan"))
        await on_slack.press("fatima", asked, "no")
        await on_slack.pass_(days=8)
        assert await rows(on_slack, "SELECT text FROM story_requests") == [("",)]
        assert len(on_slack.private("jan")) == before
        assert WALK not in str(await rows(on_slack, "SELECT * FROM deliveries"))

        questions = len(on_slack.private("fatima"))
        again = await on_slack.shortcut("jan", "save_as_story", message)
        await on_slack.submit("jan", again)
        assert len(on_slack.private("fatima")) == questions, "who said no is not asked again"

    async def test_no_answer_in_a_week_is_a_no(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        _, asked = await self.asked(on_slack)
        await on_slack.pass_(days=7, hours=2)
        assert await rows(on_slack, "SELECT text FROM story_requests") == [("",)]
        await on_slack.press("fatima", asked, "keep")
        assert await stories(on_slack) == []

    async def test_an_edit_before_the_answer_counts_and_a_deletion_ends_it(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        message, asked = await self.asked(on_slack)
        await on_slack.edit("fatima", message, "Anders gezegd: we liepen samen")
        assert await rows(on_slack, "SELECT text FROM story_requests") == [("Anders gezegd: we liepen samen",)]
        await on_slack.delete("fatima", message)
        await on_slack.press("fatima", asked, "keep")
        assert await stories(on_slack) == []

    async def test_who_wants_nothing_is_not_asked_and_jan_reads_the_same(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        await on_slack.type("fatima", "/ritme stop", channel=None)
        heard = len(on_slack.private("fatima"))
        message = await say(on_slack, "fatima", WALK)
        answer = await on_slack.submit("jan", await on_slack.shortcut("jan", "save_as_story", message))
        assert isinstance(answer, Shown)
        assert "Ik vraag het de schrijver, als dat kan" in answer.words()
        assert len(on_slack.private("fatima")) == heard
        assert await rows(on_slack, "SELECT * FROM story_requests") == []

    async def test_a_stranger_who_says_yes_belongs_from_then_on(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("jan")
        _, asked = await self.asked(on_slack)
        await on_slack.press("fatima", asked, "keep")
        found = await rows(on_slack, "SELECT count(*) FROM members JOIN people ON id = person_id WHERE name = 'fatima'")
        assert found == [(1,)]

    async def test_what_a_bot_wrote_is_nobodys_story(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("jan")
        await on_slack.type("jan", "/story Vandaag ging het goed")
        said = await on_slack.shortcut("jan", "save_as_story", on_slack.posts()[-1])
        assert isinstance(said, Shown)
        assert "zelf schreef" in said.words()

    async def test_a_long_message_full_of_signs_still_opens_the_form(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        message = await say(on_slack, "fatima", "woord <&> " * 390)
        form = await on_slack.shortcut("jan", "save_as_story", message)
        assert isinstance(form, Modal)
        await on_slack.submit("jan", form)
        assert "woord <&> woord" in on_slack.private("fatima")[-1].words()

    async def test_forgotten_is_also_what_was_asked(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        await self.asked(on_slack)
        me = await on_slack.type("fatima", "/ritme ik", channel=None)
        await on_slack.press("fatima", me, "forget")
        assert await rows(on_slack, "SELECT * FROM story_requests") == []


class TestInAThread:
    async def test_stuck_by_a_mention(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await say(on_slack, "fatima", "Hoe gaat het met het wandelen?")
        await say(on_slack, "fatima", "@Ritme stuck niemand komt", thread=root.ts)
        said = on_slack.private("fatima")[-1]
        assert said.thread == root.ts
        assert await rows(on_slack, "SELECT text FROM stuck_episodes") == [("niemand komt",)]

"""The main journeys in Teams, over Microsoft's Agents Playground."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.drivers.teams import TeamsDriver, teams_driver
from tests.fakes.teams.agents_playground import BOT, TEAM
from tests.support.databases import BOTH

STORY = "We liepen een rondje & de buurvrouw liep mee <3"


@pytest.fixture(params=BOTH)
async def on_teams(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[TeamsDriver]:
    async with teams_driver(tmp_path, kind=request.param) as fresh:
        yield fresh


async def install(driver: TeamsDriver) -> None:
    await driver.event(
        "iris",
        "conversationUpdate",
        membersAdded=[{"id": BOT}],
        data={"team": {"id": TEAM, "name": "Wijkteam"}, "channel": {"id": TEAM}},
    )


async def start_movement(driver: TeamsDriver) -> None:
    """Install Ritme in the team, and have Iris start a movement in its channel."""
    await install(driver)
    opened = await driver.press("iris", driver.posts()[-1], "start")
    closed = await driver.submit(
        "iris", opened, where=TEAM, name="Samen op pad", language="nl", vision="Iedereen loopt mee"
    )
    assert closed == {}


async def rows(driver: TeamsDriver, query: str) -> list[tuple[object, ...]]:
    async with driver.database.connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(query)]


async def test_it_greets_a_team_and_a_movement_begins(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    assert "@Ritme stop" in on_teams.posts()[0].words()
    assert "Samen op pad" in on_teams.private()[-1].words()
    assert [name for (name,) in await rows(on_teams, "SELECT name FROM movements")] == ["Samen op pad"]
    assert await rows(on_teams, "SELECT name FROM places") == [("Wijkteam",)]


async def test_help_in_ones_own_chat_and_by_mention(on_teams: TeamsDriver) -> None:
    await on_teams.say("iris", "hulp")
    assert "@Ritme start" in on_teams.private()[-1].words()
    await start_movement(on_teams)
    await on_teams.say("iris", "hulp")
    # Nothing stands before a word in one's own chat.
    assert "like I'm stuck with the handover." in on_teams.private()[-1].words()
    before = len(on_teams.private())
    await on_teams.say("iris", "help", where=TEAM, mention=True)
    assert len(on_teams.private()) == before + 1, "private answers come in one's own chat"
    assert "@Ritme" in on_teams.private()[-1].words()


async def test_a_word_is_understood_as_it_is_typed_in_a_channel_too(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "@Ritme stop")
    assert await rows(on_teams, "SELECT count(*) FROM people WHERE stopped_at IS NOT NULL") == [(1,)]


async def test_stuck_by_mention_asks_curious_questions_in_private(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "stuck Niemand komt naar het overleg", where=TEAM, mention=True)
    assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("Niemand komt naar het overleg",)]
    asked = on_teams.private()[-1]
    opened = await on_teams.press("iris", asked, "step")
    assert opened["task"]["type"] == "continue"


async def test_a_plain_sentence_by_mention_is_understood_and_an_unsure_one_asked_about(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "ik zit vast met de overdracht", where=TEAM, mention=True)
    assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("de overdracht",)]
    words = "de teamleider had vanochtend koffie gezet"
    await on_teams.say("iris", words)
    asked = on_teams.private()[-1]
    assert words in asked.words()
    opened = await on_teams.press("iris", asked, "story")
    assert words in repr(opened)
    assert await rows(on_teams, "SELECT text FROM stories") == []


async def test_despair_by_mention_is_answered_to_that_person_alone_and_kept_nowhere(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    before = len(on_teams.posts())
    await on_teams.say("iris", "ik wil niet meer leven", where=TEAM, mention=True)
    assert "0800-0113" in on_teams.private()[-1].words()
    assert len(on_teams.posts()) == before
    assert "leven" not in repr(await rows(on_teams, "SELECT args FROM deliveries"))


async def test_a_form_asked_for_in_a_channel_stays_about_that_channel(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "story", where=TEAM, mention=True)
    opened = await on_teams.press("iris", on_teams.private()[-1], "story")
    await on_teams.submit("iris", opened, text=STORY, named="with", readers="movement")
    (post,) = [one for one in on_teams.posts() if STORY in one.words()]
    assert "Iris" in post.words()


async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "/story")
    opened = await on_teams.press("iris", on_teams.private()[-1], "story")
    again = await on_teams.submit("iris", opened, text="👍", named="without", readers="thread")
    card = again["task"]["value"]["card"]["content"]
    at = next(index for index, one in enumerate(card["body"]) if one.get("id") == "text")
    assert card["body"][at]["value"] == "👍"
    assert "Attention" in str(card["body"][at - 1])
    assert await on_teams.submit("iris", again, text=STORY) == {}
    assert await rows(on_teams, "SELECT text, named FROM stories") == [(STORY, 0)]


class TestAThread:
    async def rhythm(self, driver: TeamsDriver, *, begin: bool = True) -> str:
        """Send a purpose reminder by its own rhythm; return its thread."""
        if begin:
            await start_movement(driver)
        await driver.say("iris", "ritme", where=TEAM, mention=True)
        opened = await driver.press("iris", driver.private()[-1], "rhythm.new")
        values = {one["id"]: one for one in opened["task"]["value"]["card"]["content"]["body"] if "id" in one}
        given = {
            name: one["choices"][0]["value"]
            for name, one in values.items()
            if one.get("choices") and not one.get("value") and one.get("isRequired")
        }
        await driver.submit("iris", opened, **given)
        before = set(driver.teams.seen)
        async with driver.begin() as work:
            due = await work.rhythms.next_due()
        assert due is not None
        await driver.until(due)
        (post,) = [one for one in driver.posts() if one.id not in before]
        return f"{TEAM};messageid={post.id}"

    async def test_replies_are_gathered_edited_and_taken_back(self, on_teams: TeamsDriver) -> None:
        thread = await self.rhythm(on_teams)
        await on_teams.say("fatima", STORY, where=thread)
        stories = await rows(on_teams, "SELECT text, readers FROM stories WHERE withdrawn_at IS NULL")
        assert stories == [(STORY, "thread")]
        (message,) = (await rows(on_teams, "SELECT message FROM stories"))[0]
        edit = {"id": message, "text": "Anders gegaan", "data": {"eventType": "editMessage"}}
        await on_teams.event("fatima", "messageUpdate", where=thread, **edit)
        assert await rows(on_teams, "SELECT text FROM stories") == [("Anders gegaan",)]
        reaction = {"reactionsAdded": [{"type": "heart"}], "replyToId": message}
        await on_teams.event("jan", "messageReaction", where=thread, **reaction)
        assert await rows(on_teams, "SELECT count(*) FROM ripples") == [(1,)]
        await on_teams.event(
            "fatima", "messageDelete", where=thread, id=message, data={"eventType": "softDeleteMessage"}
        )
        assert await rows(on_teams, "SELECT text FROM stories") == [("",)]
        restored = {"id": message, "text": "Anders gegaan", "data": {"eventType": "undeleteMessage"}}
        await on_teams.event("fatima", "messageUpdate", where=thread, **restored)
        assert await rows(on_teams, "SELECT text, withdrawn_at FROM stories") == [("Anders gegaan", None)]

    async def test_forget_takes_every_reply_in_the_thread(self, on_teams: TeamsDriver) -> None:
        thread = await self.rhythm(on_teams)
        for text in (STORY, "En nog iets"):
            await on_teams.say("iris", text, where=thread)
        await on_teams.say("fatima", "Bij ons ook", where=thread)
        await on_teams.press("iris", on_teams.private()[-1], "story.forget")
        assert "al je antwoorden" in on_teams.private()[-1].words()
        assert await rows(on_teams, "SELECT text FROM stories WHERE text <> ''") == [("Bij ons ook",)]

    async def test_a_command_without_a_mention_is_obeyed_and_kept_as_no_story(self, on_teams: TeamsDriver) -> None:
        thread = await self.rhythm(on_teams)
        await on_teams.say("iris", "/ritme stuck Niemand komt", where=thread)
        assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("Niemand komt",)]
        await on_teams.say("iris", "@Ritme help", where=thread)
        assert "stop" in on_teams.private()[-1].words().lower()
        assert await rows(on_teams, "SELECT count(*) FROM stories") == [(0,)]

    async def test_despair_in_a_thread_is_answered_to_that_person_alone_and_kept_nowhere(
        self, on_teams: TeamsDriver
    ) -> None:
        thread = await self.rhythm(on_teams)
        posts = len(on_teams.posts())
        await on_teams.say("iris", "ik wil er niet meer zijn", where=thread)
        assert "0800-0113" in on_teams.private()[-1].words()
        assert len(on_teams.posts()) == posts
        assert await rows(on_teams, "SELECT count(*) FROM stories") == [(0,)]

    async def test_without_consent_a_reply_that_mentions_the_bot_is_gathered(self, on_teams: TeamsDriver) -> None:
        thread = await self.rhythm(on_teams)
        asked = on_teams.teams.seen[thread.partition("messageid=")[2]]
        assert "met @Ritme" in asked.words()
        await on_teams.say("iris", "De buurman dekte zelf de tafel", where=thread, mention=True)
        assert await rows(on_teams, "SELECT text FROM stories") == [("De buurman dekte zelf de tafel",)]
        await on_teams.say("iris", "stuck Niemand komt", where=thread, mention=True)
        assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("Niemand komt",)]

    async def test_where_everything_is_heard_it_does_not_ask_to_be_mentioned(self, on_teams: TeamsDriver) -> None:
        await start_movement(on_teams)
        await on_teams.say("fatima", "Wie heeft er dienst?", where=TEAM)
        thread = await self.rhythm(on_teams, begin=False)
        assert "met @Ritme" not in on_teams.teams.seen[thread.partition("messageid=")[2]].words()

    async def test_of_other_threads_nothing_is_kept(self, on_teams: TeamsDriver) -> None:
        await start_movement(on_teams)
        root = await on_teams.say("fatima", "Wie heeft er dienst?", where=TEAM)
        await on_teams.say("jan", "Ik!", where=f"{TEAM};messageid={root}")
        assert await rows(on_teams, "SELECT count(*) FROM stories") == [(0,)]
        assert "dienst" not in str(await rows(on_teams, "SELECT * FROM deliveries"))


async def test_a_command_in_a_channel_without_a_mention_is_obeyed(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "/ritme stuck Niemand komt", where=TEAM)
    assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("Niemand komt",)]
    await on_teams.say("fatima", "/shrug dat weet ik niet", where=TEAM)
    assert "fatima" not in str(await rows(on_teams, "SELECT account FROM people"))
    assert "shrug" not in str(await rows(on_teams, "SELECT * FROM deliveries"))


async def test_a_message_of_ones_own_is_saved_as_a_story(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    root = await on_teams.say("iris", STORY, where=TEAM)
    payload = {
        "id": root,
        "body": {"contentType": "html", "content": "<p>We liepen een rondje &amp; <b>lachten</b><br>samen</p>"},
        "from": {"user": {"id": on_teams.activity("iris", "x", where=TEAM)["from"]["aadObjectId"]}},
    }
    value = {"commandId": "save_as_story", "messagePayload": payload}
    said = await on_teams.invoke("iris", "composeExtension/fetchTask", value, where=f"{TEAM};messageid={root}")
    assert said["task"]["type"] == "message"
    assert await rows(on_teams, "SELECT text FROM stories") == [("We liepen een rondje & lachten\nsamen",)]


async def test_a_slash_command_in_a_channel_is_for_us_alone(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    posts = len(on_teams.posts())
    targeted = {"recipient": {"id": BOT, "name": "Ritme", "isTargeted": True}, "text": "/stuck Niemand komt"}
    await on_teams.event("iris", "message", where=f"{TEAM};messageid=9", **targeted)
    assert await rows(on_teams, "SELECT text FROM stuck_episodes") == [("Niemand komt",)]
    assert len(on_teams.posts()) == posts


async def test_an_answer_takes_the_place_of_the_card_that_was_pressed(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "stop")
    stopped = on_teams.private()[-1]
    before = stopped.words()
    await on_teams.press("iris", stopped, "me.come_back")
    assert on_teams.teams.seen[stopped.id].words() != before


async def test_a_button_of_someone_elses_chat_is_not_about_that_place_for_another(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "story", where=TEAM, mention=True)
    offered = on_teams.private()[-1]
    opened = await on_teams.press("jan", offered, "story")
    assert TEAM not in str(opened)


async def test_removed_from_the_team_the_place_is_out_of_reach(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.event(
        "iris", "conversationUpdate", membersRemoved=[{"id": BOT}], data={"team": {"id": TEAM}, "channel": {"id": TEAM}}
    )
    assert await rows(on_teams, "SELECT state, state_reason FROM places") == [("unreachable", "not_in_place")]


async def test_stuck_twice_is_said_and_taken_apart(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    await on_teams.say("iris", "vast Niemand komt naar het overleg", where=TEAM, mention=True)
    assert "Niemand komt naar het overleg" in on_teams.private()[-1].words()
    await on_teams.say("iris", "vast En de planning schuift", where=TEAM, mention=True)
    added = on_teams.private()[-1]
    assert all(words in added.words() for words in ("Niemand komt naar het overleg", "En de planning schuift"))
    await on_teams.press("iris", added, "stuck.take_apart")
    texts = "SELECT text FROM stuck_episodes ORDER BY text"
    assert await rows(on_teams, texts) == [("En de planning schuift",), ("Niemand komt naar het overleg",)]
    await on_teams.press("iris", added, "stuck.take_apart")
    assert len(await rows(on_teams, texts)) == 2


async def test_who_is_forgotten_leaves_no_message_and_no_reference(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    for _ in range(3):
        await on_teams.say("iris", "hulp")
    await on_teams.say("iris", "ik")
    page = on_teams.private()[-1]
    await on_teams.press("iris", page, "me.forget")
    await on_teams.until(on_teams.clock.now() + timedelta(minutes=5))
    assert "Ik ben je vergeten" in on_teams.teams.seen[page.id].words()
    # The program does not play deletions; each message is to be deleted but the one that says so.
    removed = await rows(on_teams, "SELECT target FROM deliveries WHERE kind = 'removal'")
    assert {target for (target,) in removed} == {one.id for one in on_teams.private()} - {page.id}
    assert await rows(on_teams, "SELECT * FROM teams_conversations WHERE account <> ''") == []
    assert await rows(on_teams, "SELECT * FROM people WHERE account IS NOT NULL") == []


async def test_a_rhythm_said_in_a_sentence_is_filled_in_and_not_doubled_unasked(on_teams: TeamsDriver) -> None:
    await start_movement(on_teams)
    said = "ritme elke maandag om 10 uur een verhaalronde met taart"
    for expected in ("elke maandag om 10:00", "Dit ritme is er al"):
        await on_teams.say("iris", said, where=TEAM, mention=True)
        opened = await on_teams.press("iris", on_teams.private()[-1], "rhythm.new")
        assert "taart" in str(opened)
        await on_teams.submit("iris", opened, where=TEAM)
        assert expected in on_teams.private()[-1].words()
    await on_teams.press("iris", on_teams.private()[-1], "rhythm.keep")
    assert await rows(on_teams, "SELECT count(*) FROM rhythms") == [(1,)]

"""Words that may give a client away are asked about before others read them, and before anything of them is kept."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from adapters.database.tables import metadata
from bot.chat import Answer, Form, Reply
from bot.despair import free_texts
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from bot.domain.story import Readers
from bot.guarding import FOR_ONESELF
from tests.drivers.playground import playground_driver
from tests.drivers.slack import SlackDriver
from tests.drivers.teams import teams_driver
from tests.fakes.slack.state import Shown
from tests.fakes.teams.agents_playground import TEAM
from tests.journeys.test_on_teams import start_movement
from tests.journeys.test_stories_on_slack import start_story_round, texts
from tests.support.stories import add_reminder, find_story, get_story, is_declined, reply_in_thread
from tests.support.world import World, agree, text_of

STORY = "Mevrouw Bos schonk vandaag zelf de koffie in."
PLAIN = "Een cliënt schonk vandaag zelf de koffie in."


async def everything(world: World, *, but: str = "") -> str:
    """Return all that is stored, as text."""
    async with world.database.connect() as connection:
        names = [name for name in metadata.tables if name != but]
        rows = [(await connection.execute(sql(f"SELECT * FROM {name}"))).all() for name in names]
    return repr(rows)


async def count_held(world: World) -> int:
    async with world.database.connect() as connection:
        return len((await connection.execute(sql("SELECT * FROM held_words"))).all())


async def tell(world: World, text: str = STORY, **values: str) -> Reply:
    form = await world.type("fatima", "/verhaal")
    return await world.submit("fatima", form, text=text, **values)


def posted(world: World) -> list[str]:
    return [text_of(one) for one in world.posts()]


async def test_a_story_that_gives_a_client_away_is_asked_about_and_posted_without_those_words(world: World) -> None:
    await world.movement("fatima")
    asked = await tell(world)
    assert "“Mevrouw Bos”" in text_of(asked)
    assert PLAIN in text_of(asked)
    assert "Ik zie niet alles" in text_of(asked)
    assert world.posts() == []
    assert "Bos" not in await everything(world, but="held_words")
    told = await world.press("fatima", asked, "without")
    assert isinstance(told, Answer)
    assert told.replaces
    (post,) = posted(world)
    assert PLAIN in post
    assert "Bos" not in await everything(world)


async def test_it_is_fine_posts_it_as_it_was(world: World) -> None:
    await world.movement("fatima")
    asked = await tell(world)
    await world.press("fatima", asked, "fine")
    (post,) = posted(world)
    assert STORY in post
    assert await count_held(world) == 0
    # The other buttons of a card that was answered change nothing.
    assert is_declined(await world.press("fatima", asked, "without"), "words_gone")


async def test_change_opens_the_form_again_with_what_was_typed(world: World) -> None:
    await world.movement("fatima")
    asked = await tell(world, named="without")
    form = await world.press("fatima", asked, "change")
    assert isinstance(form, Form)
    typed = {one.name: one.value for one in form.fields}
    assert (typed["text"], typed["named"]) == (STORY, "without")
    again = await world.submit("fatima", form, text="Mevrouw Pool schonk in.")
    assert "“Mevrouw Pool”" in text_of(again)
    assert world.posts() == []
    form = await world.press("fatima", again, "change")
    await world.submit("fatima", form, text="Een bewoonster schonk in.")
    (post,) = posted(world)
    assert "Een bewoonster" in post
    stored = await everything(world)
    assert "Bos" not in stored
    assert "Pool" not in stored


async def test_a_colleague_raises_no_question_and_neither_does_what_is_for_oneself(world: World) -> None:
    await world.movement("fatima", "Jan de Bos")
    for text in ("Mevrouw Jan de Bos liep mee.", "Collega Anna Visser liep mee."):
        await tell(world, text)
    assert len(posted(world)) == 2
    form = await world.do("fatima", "story", channel=None)
    await world.submit("fatima", form, channel=None, text=STORY, readers="thread")
    assert STORY in await everything(world)
    await world.do("fatima", "stuck", text="Mevrouw Bos wil niet mee")
    assert await count_held(world) == 0


STEP = {"cue": "mevrouw Bos opstaat", "action": "vraag ik het", "day": "2027-03-02", "at": "10:00", "on_my_own": "yes"}
DOORS: Mapping[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "a typed story": ("", {"text": STORY}, {}),
    "an initiative": ("initiative.make", {}, {"name": "Koffie met mevrouw Bos"}),
    "stuck, for the channel": (
        "stuck.new",
        {},
        {"text": "Mevrouw Bos wil niet mee", "kind": "reach", "audience": "channel"},
    ),
    "a step that is shown": ("step", {}, {**STEP, "post": "yes"}),
}


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_to_others_is_guarded(world: World, door: str) -> None:
    await world.movement("fatima")
    opener, args, values = DOORS[door]
    if opener:
        form = await world.do("fatima", opener, args=args)
        asked = await world.submit("fatima", form, **values)
    else:
        asked = await world.do("fatima", "story", args=args)
    assert "evrouw Bos”" in text_of(asked)
    assert "Bos" not in await everything(world, but="held_words")
    await world.press("fatima", asked, "without")
    assert "cliënt" in await everything(world)
    assert "Bos" not in await everything(world)


def test_every_form_for_others_is_guarded_and_those_for_oneself_are_named() -> None:
    assert set(free_texts()) >= FOR_ONESELF


async def test_what_was_for_oneself_is_asked_about_when_colleagues_are_to_read_it(world: World) -> None:
    await world.movement("fatima", "jan", "wim")
    await agree(world.begin, "jan", "wim")
    await world.do("fatima", "stuck", text="Mevrouw Bos wil niet mee")
    async with world.begin() as work:
        (episode,) = await work.stuck.open_of(PersonId("fatima"), MovementId("movement"))
    offer = await world.do("fatima", "company", episode=episode.id)
    asked = await world.press("fatima", offer, "ask_them")
    assert "“Mevrouw Bos”" in text_of(asked)
    assert world.private("jan") == []
    await world.press("fatima", asked, "without")
    assert any("Een cliënt wil niet mee" in text_of(one) for one in world.private("jan"))
    assert not any("Bos" in text_of(one) for one in world.private("jan"))


async def test_a_reply_in_a_thread_is_asked_about_in_private_and_not_kept_until_they_chose(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    await reply_in_thread(world, "fatima", STORY, "m-1")
    (asked,) = world.private("fatima")
    assert "In de draad staat het al" in text_of(asked)
    assert await find_story(world, "m-1") is None
    assert world.messenger.acts == []
    await world.press("fatima", asked, "without")
    story = await get_story(world, "m-1")
    assert (story.text, story.readers) == (PLAIN, Readers.THREAD)


async def test_a_reply_that_is_edited_or_deleted_takes_its_words_along(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    await reply_in_thread(world, "fatima", STORY, "m-1")
    await reply_in_thread(world, "fatima", STORY, "m-2")
    await reply_in_thread(world, "fatima", STORY, "m-3")
    assert await count_held(world) == 3
    await world.do("fatima", "message.edited", text="Een bewoner schonk in.", message="m-1", thread="root")
    await world.do("fatima", "message.deleted", message="m-2", thread="root")
    await world.do("", "message.gone", message="m-3")
    assert await count_held(world) == 0
    assert (await get_story(world, "m-1")).text == "Een bewoner schonk in."


async def test_an_edit_that_gives_somebody_away_leaves_the_story_as_it_was_until_they_chose(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    await reply_in_thread(world, "fatima", "We dronken koffie.", "m-1")
    await world.do("fatima", "message.edited", text=STORY, message="m-1", thread="root")
    assert (await get_story(world, "m-1")).text == "We dronken koffie."
    await world.press("fatima", world.private("fatima")[-1], "fine")
    assert (await get_story(world, "m-1")).text == STORY
    # What they said is fine is not asked about again.
    await world.do("fatima", "message.edited", text=f"{STORY} Fijn!", message="m-1", thread="root")
    assert (await get_story(world, "m-1")).text == f"{STORY} Fijn!"


async def test_words_of_a_reply_can_be_changed_before_they_are_kept(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    await reply_in_thread(world, "fatima", STORY, "m-1")
    form = await world.press("fatima", world.private("fatima")[0], "change")
    assert isinstance(form, Form)
    assert [one.value for one in form.fields] == [STORY]
    await world.submit("fatima", form, text="Iemand schonk in.")
    assert (await get_story(world, "m-1")).text == "Iemand schonk in."
    assert await count_held(world) == 0


async def test_after_a_week_the_words_are_gone(world: World) -> None:
    await world.movement("fatima")
    asked = await tell(world)
    await world.pass_(days=8)
    assert "Bos" not in await everything(world)
    for button in ("fine", "without", "change"):
        assert is_declined(await world.press("fatima", asked, button), "words_gone")
    assert world.posts() == []


async def test_what_does_not_fit_any_more_stays_to_be_changed(world: World) -> None:
    await world.movement("fatima")
    form = await world.do("fatima", "step")
    asked = await world.submit("fatima", form, **STEP, post="yes")
    await world.pass_(days=3)
    assert is_declined(await world.press("fatima", asked, "fine"), "words_late")
    form = await world.press("fatima", asked, "change")
    await world.submit("fatima", form, cue="het rustig is", day="2027-03-05")
    (post,) = posted(world)
    assert "het rustig is" in post


async def test_forget_me_erases_words_that_wait_and_the_file_holds_them(world: World) -> None:
    await world.movement("fatima")
    await tell(world)
    async with world.begin() as work:
        keys = await work.files.keys_about(PersonId("fatima"), "held_words", 0, 10)
        (row,) = await work.files.rows_about(PersonId("fatima"), "held_words", keys)
    assert row["texts"] == {"text": STORY}
    await world.do("fatima", "me.forget", channel=None)
    assert await count_held(world) == 0
    assert "Bos" not in await everything(world)


async def test_nobody_chooses_for_another(world: World) -> None:
    await world.movement("fatima", "jan")
    asked = await tell(world)
    assert is_declined(await world.press("jan", asked, "fine"), "words_gone")
    assert world.posts() == []


async def test_on_slack_a_form_is_asked_about_changed_and_told(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    form = await on_slack.type("fatima", "/story")
    asked = await on_slack.submit("fatima", form, text=STORY, named="with", readers="movement")
    assert isinstance(asked, Shown)
    assert "Mevrouw Bos" in asked.words()
    assert on_slack.posts() == []
    form = await on_slack.press("fatima", asked, "change")
    await on_slack.submit("fatima", form, text="Een bewoner schonk in.")
    assert any("Een bewoner schonk in." in words for words in on_slack.said_to_all())
    assert not any("Bos" in words for words in on_slack.said_to_all())


async def test_on_slack_a_reply_is_asked_about_where_only_its_writer_sees_it(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    root = await start_story_round(on_slack)
    said = await on_slack.reply("fatima", "general", root, STORY)
    (asked,) = on_slack.private("fatima")
    assert (asked.only_for, asked.thread) == (on_slack.user("fatima"), root)
    assert "Mevrouw Bos" in asked.words()
    assert not said.reactions
    assert await texts(on_slack) == []
    await on_slack.press("fatima", asked, "without")
    assert "Mevrouw Bos" not in asked.words()
    assert await texts(on_slack) == [PLAIN]


async def test_in_teams_a_form_is_asked_about_and_told_without_those_words(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as on_teams:
        await start_movement(on_teams)
        posts = len(on_teams.posts())
        await on_teams.say("iris", "story", where=TEAM, mention=True)
        opened = await on_teams.press("iris", on_teams.private()[-1], "story")
        await on_teams.submit("iris", opened, text=STORY, named="with", readers="movement")
        asked = on_teams.private()[-1]
        assert "Mevrouw Bos" in asked.words()
        assert len(on_teams.posts()) == posts
        await on_teams.press("iris", asked, "guard.without")
        await on_teams.drain()
        assert PLAIN in on_teams.posts()[-1].words()


async def test_in_the_playground_a_form_is_asked_about_and_fine(tmp_path: Path) -> None:
    async with playground_driver(tmp_path) as playground:
        await playground.movement()
        posts = len(await playground.posts())
        form = await playground.type("fatima", "/verhaal")
        asked = await playground.submit("fatima", form, text=STORY, named="with", readers="movement")
        assert "Mevrouw Bos" in asked.words()
        assert len(await playground.posts()) == posts
        await playground.press("fatima", asked, "fine")
        assert any(STORY in one.words() for one in await playground.posts())


async def test_in_teams_changing_opens_the_form_with_what_was_typed(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as on_teams:
        await start_movement(on_teams)
        await on_teams.say("iris", "story", where=TEAM, mention=True)
        opened = await on_teams.press("iris", on_teams.private()[-1], "story")
        await on_teams.submit("iris", opened, text=STORY, named="with", readers="movement")
        form = await on_teams.press("iris", on_teams.private()[-1], "guard.change")
        assert STORY in str(form)
        await on_teams.submit("iris", form, text="Een bewoner schonk in.")
        await on_teams.drain()
        assert "Een bewoner schonk in." in on_teams.posts()[-1].words()

"""People talk to Ritme as they talk: in their own chat, by mention and after /ritme."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from structlog.testing import capture_logs

from adapters.database.tables import metadata
from bot.catalogue import CATALOGUE, FormEntry
from bot.catalogue.conversation import CrisisAnswered
from bot.chat import Answer, Form, Reply
from bot.commands import COMMANDS
from bot.compiled import PROMPTS
from bot.despair import THREAD_WORDS, free_texts, is_about_others
from bot.domain.person import Language, WorkspaceId
from bot.wording import Reader, render_entry
from tests.drivers.playground import playground_driver
from tests.drivers.slack import SlackDriver
from tests.drivers.teams import teams_driver
from tests.fakes.slack.state import Shown
from tests.fakes.teams.agents_playground import TEAM
from tests.journeys.test_on_teams import start_movement
from tests.support.stories import ROOT, WALK, add_reminder, find_story, get_story, reply_in_thread
from tests.support.world import LANE, MONDAY, World, text_of

DESPAIR = "ik wil er niet meer zijn, het is genoeg geweest"


async def everything(world: World) -> str:
    """Return all that is stored, as text."""
    async with world.database.connect() as connection:
        rows = [(await connection.execute(sql(f"SELECT * FROM {table}"))).all() for table in metadata.tables]
    return repr(rows)


async def say(world: World, who: str, words: str, **where: object) -> Reply:
    """Say something to Ritme: in one's own chat, or with `channel` by mention."""
    args = {"command": "", "text": words}
    return await world.do(who, "command", args=args, **{"channel": None, **where})  # type: ignore[arg-type]  # as of `do`


async def has_stopped(world: World) -> bool:
    async with world.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), "fatima")
    assert person is not None
    return person.stopped_at is not None


@pytest.mark.parametrize("channel", [None, "general"])
async def test_a_sentence_about_being_stuck_is_welcomed_with_its_own_words(world: World, channel: str | None) -> None:
    await world.movement("fatima")
    reply = await say(world, "fatima", "ik zit vast met de overdracht", channel=channel)
    assert "de overdracht" in await everything(world)
    assert "ik zit vast" not in await everything(world)
    assert reply is not None


@pytest.mark.parametrize(("language", "handover"), [("nl", "de overdracht"), ("en", "the handover")])
async def test_what_help_says_to_type_is_done(world: World, language: str, handover: str) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), "fatima")
        assert person is not None
        person.language = Language(language)
        person.chose = ["language"]
    shown = text_of(await say(world, "fatima", "help", channel="general"))
    (example,) = [line.partition("/ritme ")[2].rstrip(".") for line in shown.splitlines() if handover in line]
    await say(world, "fatima", example, channel="general")
    assert f"'{handover}'" in await everything(world)


async def test_who_is_in_no_movement_is_not_told_to_begin_one(world: World) -> None:
    await world.movement("fatima")
    told = text_of(await say(world, "noor", "ik zit vast met de overdracht", channel=None))
    assert "Zeg het in een kanaal waar ik al ben" in told
    assert await say(world, "noor", "ik zit vast met de overdracht", channel="general") is not None
    assert "de overdracht" in await everything(world)


async def test_only_being_stuck_opens_the_form(world: World) -> None:
    await world.movement("fatima")
    form = await say(world, "fatima", "ik zit vast", channel=None)
    assert isinstance(form, Form)
    assert form.intent == "stuck.report"


async def test_a_story_is_shown_in_its_form_before_anybody_reads_it(world: World) -> None:
    await world.movement("fatima")
    form = await say(world, "fatima", "nog eentje voor de verhalen: meneer Bos liep zelf naar de bus", channel=None)
    assert isinstance(form, Form)
    (told,) = [field.value for field in form.fields if field.name == "text"]
    assert told == "meneer Bos liep zelf naar de bus"
    assert "meneer Bos" not in await everything(world)


@pytest.mark.parametrize(("language", "thanks"), [("nl", "dankjewel!"), ("en", "thanks a lot 🙏")])
async def test_thanks_get_one_line_and_no_help(world: World, language: str, thanks: str) -> None:
    await world.movement("fatima")
    said = text_of(await say(world, "fatima", thanks, channel=None, language=language))
    assert len(said.split()) < 12
    assert "/ritme" not in said


@pytest.mark.parametrize("greeting", ["hoi", "Hello!", "hi", "Hey 👋"])
async def test_a_greeting_of_one_word_is_no_unknown_word(world: World, greeting: str) -> None:
    await world.movement("fatima")
    for channel in (None, "general"):
        said = text_of(await say(world, "fatima", greeting, channel=channel))
        assert "ken ik niet" not in said
        assert "/ritme stop" in said


@pytest.mark.parametrize(
    "line",
    [
        "hallo daar ben ik weer",
        "ik ben er weer",
        "ik ben weer terug van vakantie",
        "I'm back",
        "hi, I'm back from leave!",
    ],
)
async def test_who_comes_back_is_greeted_and_not_put_to_rest(world: World, line: str) -> None:
    await world.movement("fatima")
    said = text_of(await say(world, "fatima", line, channel=None))
    assert len(said.split()) < 16
    assert "/ritme" not in said


@pytest.mark.parametrize(
    ("line", "guess"),
    [
        ("ik ben er volgende week niet", "snooze"),
        ("ik wil even geen berichten meer", "stop"),
        ("thuis bij mevrouw Bos ging het vandaag anders", "story"),
        ("stop even een week met berichten", "stop"),
    ],
)
async def test_a_sentence_that_begins_with_a_command_is_no_command(world: World, line: str, guess: str) -> None:
    await world.movement("fatima")
    reply = await say(world, "fatima", line, channel=None)
    if isinstance(reply, Form):
        assert reply.intent.removeprefix("me.").startswith(guess)
    else:
        assert guess in [button.name for button in reply.message.buttons]  # type: ignore[union-attr]
    assert not await has_stopped(world)


async def test_a_story_by_mention_in_its_round_that_begins_with_i_is_a_story(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    told = "ik zat vandaag met mevrouw Bos in de tuin"
    await say(world, "fatima", told, channel="general", thread=ROOT, message="m1")
    assert told in await everything(world)


@pytest.mark.parametrize("mark", ["👍", "❤️", "🙏🙏", ":)", "…"])
async def test_a_message_without_words_gets_one_line(world: World, mark: str) -> None:
    await world.movement("fatima")
    said = text_of(await say(world, "fatima", mark, channel=None))
    assert "ken ik niet" not in said
    assert "/ritme" not in said


@pytest.mark.parametrize(
    ("word", "shown"),
    [("export", "export"), ("download", "export"), ("privacy", "forget"), ("instellingen", "settings")],
)
async def test_one_word_that_says_it_all_is_understood(world: World, word: str, shown: str) -> None:
    await world.movement("fatima")
    reply = await say(world, "fatima", word, channel=None)
    assert isinstance(reply, Answer)
    assert reply.message is not None
    assert shown in [button.name for button in reply.message.buttons]


async def test_a_word_for_a_pause_opens_its_form_in_either_language(world: World) -> None:
    await world.movement("fatima")
    for word in ("snooze", "pauze"):
        assert isinstance(await say(world, "fatima", word), Form)


async def test_in_a_thread_a_sentence_is_not_taken_for_its_first_word(world: World) -> None:
    await world.movement("fatima")
    where = {"channel": "general", "thread": "t1", "message": "m1"}
    asked = text_of(await say(world, "fatima", "hoe zat dat met de bus", **where))
    assert "ken ik niet" not in asked
    assert "hoe zat dat met de bus" in asked
    stuck = await say(world, "fatima", "we lopen vast met de overdracht", **where)
    await world.press("fatima", stuck, "stuck")
    assert "de overdracht" in await everything(world)
    assert "/ritme" not in text_of(await say(world, "fatima", "wat kan jij eigenlijk", **where))


async def test_what_may_mean_several_things_is_asked_and_goes_on_with_the_words(world: World) -> None:
    await world.movement("fatima")
    words = "de teamleider had vanochtend koffie gezet"
    asked = await say(world, "fatima", words, channel=None)
    assert words in text_of(asked)
    form = await world.press("fatima", asked, "story", channel=None)
    assert isinstance(form, Form)
    assert words in [field.value for field in form.fields]


async def test_words_too_long_for_a_button_are_not_cut_unsaid(world: World) -> None:
    await world.movement("fatima")
    asked = await say(world, "fatima", "de teamleider had vanochtend koffie gezet " + "x" * 1_500)
    assert "te lang" in text_of(asked)
    form = await world.press("fatima", asked, "story", channel=None)
    assert isinstance(form, Form)
    assert [field.value for field in form.fields if field.name == "text"] == [""]


async def test_stopping_is_asked_first(world: World) -> None:
    await world.movement("fatima")
    asked = await say(world, "fatima", "geen berichten meer sturen aub", channel=None)
    assert not await has_stopped(world)
    await world.press("fatima", asked, "stop", channel=None)
    assert await has_stopped(world)


@pytest.mark.parametrize("line", [DESPAIR, f"/vast {DESPAIR}", f"/verhaal {DESPAIR}", f"/ritme {DESPAIR}"])
async def test_despair_is_answered_with_care_and_kept_nowhere(world: World, line: str) -> None:
    await world.movement("fatima")
    with capture_logs() as logged:
        said = text_of(
            await (world.type if line.startswith("/") else partial(say, world))("fatima", line, channel=None)
        )
        await world.drain()
    assert "0800-0113" in said
    assert "112" in said
    for words in ("niet meer zijn", "genoeg geweest"):
        assert words not in repr(logged)
        assert words not in await everything(world)
        assert words not in said


FORM_TEXTS = sorted(
    (name, field) for name, fields in free_texts().items() for field in fields if name not in THREAD_WORDS
)
"""Every field of every form, and every message that is saved, in which somebody may write: (intent, argument)."""
LIKELY = "ik kan niet meer"


def test_every_form_with_text_is_listened_to() -> None:
    asked = {
        (form.intent, ask.name)
        for form in CATALOGUE.values()
        if issubclass(form, FormEntry)
        for ask in form.asks
        if ask.kind in ("text", "long_text")
    }
    assert asked <= set(FORM_TEXTS)
    assert {("story.save", "text"), ("stuck.report", "text"), ("step.save", "cue"), ("chance.save", "text")} <= asked


@pytest.mark.parametrize(("name", "field"), FORM_TEXTS)
async def test_despair_in_a_form_is_answered_and_neither_kept_nor_posted(world: World, name: str, field: str) -> None:
    await world.movement("fatima")
    with capture_logs() as logged:
        said = text_of(await world.do("fatima", name, args={field: DESPAIR}))
        await world.drain()
    assert "0800-0113" in said
    assert "opnieuw" in said
    for words in ("niet meer zijn", "genoeg geweest"):
        assert words not in repr(logged)
        assert words not in await everything(world)
        assert words not in said
    assert world.posts() == []


async def test_what_may_be_despair_in_a_form_is_kept_and_help_is_shown_beside_it(world: World) -> None:
    await world.movement("fatima")
    form = await world.type("fatima", "/ritme kans")
    answer = await world.submit("fatima", form, text=LIKELY)
    assert "0800-0113" not in text_of(answer)
    assert LIKELY in await everything(world)
    [help_shown] = [one for one in world.private("fatima") if "0800-0113" in text_of(one)]
    assert help_shown.post.channel is None
    assert "gewoon verwerkt" in text_of(help_shown)


@pytest.mark.parametrize(
    "told",
    [
        "Een oudere dame die niet meer wilde leven begon weer te zingen.",
        "A client said she did not want to live anymore, the team sat down with her.",
    ],
)
async def test_a_story_of_somebody_elses_despair_is_not_lost(world: World, told: str) -> None:
    await world.movement("fatima")
    await world.submit("fatima", await world.type("fatima", "/verhaal"), text=told)
    assert told in text_of(world.posts()[0])
    assert any("0800-0113" in text_of(one) for one in world.private("fatima"))


async def test_of_somebody_elses_despair_in_a_thread_the_help_is_shown_too(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    told = "Een oudere dame die niet meer wilde leven begon weer te zingen."
    await reply_in_thread(world, "fatima", told, "m-1")
    assert (await get_story(world, "m-1")).text == told
    assert any("0800-0113" in text_of(one) for one in world.private("fatima"))


@pytest.mark.parametrize(
    "words",
    ["wil niet meer leven", "ik ben als een cliënt, ik wil dood", "Mevrouw weet het niet, maar ik wil dood"],
)
def test_ones_own_despair_is_never_taken_for_somebody_elses(words: str) -> None:
    assert not is_about_others(words)


@pytest.mark.parametrize("name", sorted(THREAD_WORDS))
async def test_despair_in_a_thread_is_answered_to_that_person_alone(world: World, name: str) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    with capture_logs() as logged:
        await world.do("fatima", name, thread=ROOT, message="m-1", text=DESPAIR)
    [answer] = world.private("fatima")
    assert "0800-0113" in text_of(answer)
    assert answer.post.channel is None
    assert await find_story(world, "m-1") is None
    assert "niet meer zijn" not in repr(logged) + await everything(world)
    assert world.posts() == []


async def test_a_reply_changed_to_despair_is_no_story_any_more(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    await reply_in_thread(world, "fatima", WALK, "m-1")
    await world.do("fatima", "message.edited", thread=ROOT, message="m-1", text=DESPAIR)
    assert not (await get_story(world, "m-1")).is_told
    assert "niet meer zijn" not in await everything(world)


async def test_what_only_may_be_despair_in_a_thread_is_a_story_like_any_other(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    told = f"Mevrouw zei: {LIKELY}. We gingen samen aan het raam zitten."
    await reply_in_thread(world, "fatima", told, "m-1")
    assert (await get_story(world, "m-1")).text == told


async def test_despair_among_others_in_a_thread_that_is_not_ours_is_not_listened_to(world: World) -> None:
    await world.movement("fatima")
    where = {"thread": "of people among themselves", "message": "m-1"}
    assert await world.do("fatima", "thread.replied", text=DESPAIR, **where) is None  # type: ignore[arg-type]
    assert world.private("fatima") == []


async def test_on_slack_it_is_heard_in_ones_own_chat(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    await on_slack.say("fatima", DESPAIR)
    await on_slack.drain()
    assert any("0800-0113" in one.words() for one in on_slack.private("fatima"))


async def test_on_slack_it_is_heard_in_a_form(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    form = await on_slack.type("fatima", "/story")
    answer = await on_slack.submit("fatima", form, text=DESPAIR, named="with", readers="movement")
    assert isinstance(answer, Shown)
    assert "0800-0113" in answer.words()
    assert on_slack.posts() == []


async def test_in_teams_it_is_heard_in_a_form(tmp_path: Path) -> None:
    async with teams_driver(tmp_path) as on_teams:
        await start_movement(on_teams)
        posts = len(on_teams.posts())
        await on_teams.say("iris", "story", where=TEAM, mention=True)
        opened = await on_teams.press("iris", on_teams.private()[-1], "story")
        await on_teams.submit("iris", opened, text=DESPAIR, named="with", readers="movement")
        assert "0800-0113" in on_teams.private()[-1].words()
        assert len(on_teams.posts()) == posts


async def test_in_the_playground_it_is_heard_in_a_form(tmp_path: Path) -> None:
    async with playground_driver(tmp_path) as playground:
        await playground.movement()
        posts = len(await playground.posts())
        form = await playground.type("fatima", "/verhaal")
        answer = await playground.submit("fatima", form, text=DESPAIR, named="with", readers="movement")
        assert "0800-0113" in answer.words()
        assert len(await playground.posts()) == posts


async def test_what_was_typed_is_shown_where_no_field_holds_it(world: World) -> None:
    await world.movement("fatima")
    form = await say(world, "fatima", "laat me met rust tot maandag", channel=None)
    assert isinstance(form, Form)
    assert form.intent == "me.snooze.save"
    assert "maandag" in form.note


ACT_ON_IT = {"start", "start.join", "story"}
"""Commands for which what follows is a code, a story to post, or of no use: they have journeys of their own."""


@pytest.mark.parametrize(
    "name", sorted(name for name, command in COMMANDS.items() if command.nl and command.form and name not in ACT_ON_IT)
)
async def test_no_command_passes_over_what_was_typed_after_it(world: World, name: str) -> None:
    await world.movement("fatima")
    await world.do("iris", "initiative.save", args={"name": "Wandelen", "description": "na het eten"})
    typed = "de kat van de buren"
    shown = await world.do("iris", "command", command=COMMANDS[name].words(Language.NL)[0], text=typed)
    said = text_of(shown) if not isinstance(shown, Form) else f"{shown.note} {[one.value for one in shown.fields]}"
    assert typed in said


@pytest.mark.parametrize(
    ("timezone", "number"),
    [
        ("Europe/Amsterdam", "0800-0113"),
        ("Europe/Brussels", "1813"),
        ("Europe/London", "116 123"),
        ("America/New_York", "988"),
        ("Africa/Accra", "findahelpline.com"),
        ("UTC", "findahelpline.com"),
    ],
)
@pytest.mark.parametrize("language", list(Language), ids=str)
def test_whom_to_call_is_somebody_in_the_readers_country(language: Language, timezone: str, number: str) -> None:
    reader = Reader(language=language, timezone=timezone, now=MONDAY)
    message = render_entry(CrisisAnswered(), reader)
    assert number in message.text
    assert len([one for one in message.paragraphs if one.kind == "item"]) == 3


def test_helplines_are_kept_for_the_same_countries_in_both_languages() -> None:
    countries = [{path.name for path in (PROMPTS / one.value / "conversation/helplines").iterdir()} for one in Language]
    assert countries[0] == countries[1]
    assert {"nl.md.j2", "other.md.j2"} <= countries[0]

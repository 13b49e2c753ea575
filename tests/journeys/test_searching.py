"""Somebody looks for a story: by words, in a sentence, narrowed. They find what they may read; only they see it."""

import pytest

from adapters.database.repositories.story_search import StorySearcher
from bot.chat import Answer, Form, Reply
from bot.ports import TookTooLong
from tests.support.world import World, button_of, text_of

NIGHT = "De nachtdienst hoorde het als laatste. Nu schrijven we het op het bord."


def buttons(reply: Reply) -> list[str]:
    assert isinstance(reply, Answer)
    assert reply.message is not None
    return [one.name for one in reply.message.buttons]


@pytest.fixture
async def told(world: World) -> World:
    """Return a world in which stories were told: for all, for a channel, for oneself, without a name."""
    await world.movement("fatima", "jan", "noor", channels=("general", "night"))
    await world.type("jan", f"/verhaal {NIGHT}", channel="night")
    await world.pass_(days=1)
    await tell(world, "noor", "Koffie met de nachtdienst, samen op de gang.", named="without")
    await tell(world, "jan", "Geheime koffie op de gang.", channel="night", readers="thread")
    return world


async def tell(world: World, who: str, text: str, *, channel: str = "general", **values: str) -> None:
    form = await world.type(who, "/verhaal", channel=channel)
    await world.submit(who, form, channel=channel, **{"text": text, "named": "with", "readers": "movement", **values})
    await world.pass_(minutes=1)


async def test_a_word_finds_stories_the_newest_first_with_who_told_them_as_agreed(told: World) -> None:
    posts = len(told.posts()) + len(told.posts("night"))
    shown = text_of(await told.type("fatima", "/ritme zoek NACHTDIENSTEN"))
    assert shown.index("Koffie met de") < shown.index("hoorde het")
    assert "**nachtdienst**" in shown or "nachtdienst" in shown
    assert "jan" in shown
    assert "noor" not in shown
    assert "Alleen jij leest dit." in shown
    assert "Geheime" not in shown
    assert len(told.posts()) + len(told.posts("night")) == posts


@pytest.mark.parametrize(
    "line",
    [
        "/ritme search nachtdienst",
        "/zoek nachtdienst",
        "/ritme zoek verhalen over de nachtdienst",
        "/ritme zijn er verhalen over de nachtdienst?",
        "/ritme find stories about the nachtdienst",
        "/ritme can you find stories about nachtdienst please",
    ],
)
async def test_it_can_be_asked_in_a_sentence(told: World, line: str) -> None:
    assert "hoorde het als laatste" in text_of(await told.type("fatima", line)).replace("\n", " ")


@pytest.mark.parametrize("line", ["/ritme zoek verhalen over de dakgoot", "/ritme search stories about de dakgoot"])
async def test_only_what_is_looked_for_is_quoted(told: World, line: str) -> None:
    shown = text_of(await told.type("fatima", line))
    assert "dakgoot" in shown
    assert "verhalen over de" not in shown
    assert "stories about" not in shown


async def test_what_is_for_a_channel_is_found_there_and_ones_own_everywhere(told: World) -> None:
    assert "Geheime" not in text_of(await told.type("fatima", "/ritme zoek koffie"))
    assert "Geheime" not in text_of(await told.type("fatima", "/ritme zoek koffie", channel=None))
    assert "Geheime" in text_of(await told.type("fatima", "/ritme zoek koffie", channel="night"))
    assert "Jij" in text_of(await told.type("jan", "/ritme zoek geheime", channel=None))


async def test_what_is_taken_back_or_reworded_is_not_found_any_more(told: World) -> None:
    mine = await told.type("jan", "/ritme verhalen", channel=None)
    await told.press("jan", mine, "withdraw", channel=None)
    assert "Geheime" not in text_of(await told.type("jan", "/ritme zoek geheime", channel="night"))
    await told.do("noor", "me.forget", channel=None)
    shown = text_of(await told.type("fatima", "/ritme zoek koffie"))
    assert "geen verhaal" in shown


async def test_a_part_of_a_word_and_a_slip_find_it_too(told: World) -> None:
    assert "hoorde het" in text_of(await told.type("fatima", "/ritme zoek dienst"))
    near = text_of(await told.type("fatima", "/ritme zoek nachtdiesnt"))
    assert "lijkt erop" in near
    assert "hoorde het" in near
    some = text_of(await told.type("fatima", "/ritme zoek nachtdienst wethouder"))
    assert "een deel van" in some


async def test_more_goes_on_and_says_when_that_was_all(told: World) -> None:
    for number in range(6):
        await tell(told, "jan", f"Verhaal {number} over wandelen.")
    first = await told.type("fatima", "/ritme zoek wandelen")
    assert "Verhaal 5" in text_of(first)
    assert "Verhaal 1" not in text_of(first)
    rest = await told.press("fatima", first, "more")
    assert "Verhaal 1" in text_of(rest)
    assert "Verhaal 2" not in text_of(rest)
    assert "more" not in buttons(rest)


async def test_a_long_story_is_read_whole_by_a_button(told: World) -> None:
    await tell(told, "jan", "Begin. " + "Er gebeurde van alles. " * 20 + "En toen kwam de wethouder.")
    found = await told.type("fatima", "/ritme zoek wethouder")
    assert "Begin." not in text_of(found)
    assert "Begin." in text_of(await told.press("fatima", found, "read_1"))


async def test_the_form_narrows(told: World) -> None:
    await told.do("fatima", "initiative.save", args={"name": "Wandelen na het eten"})
    form = await told.press("fatima", await told.type("fatima", "/ritme zoek nachtdienst"), "narrow")
    assert isinstance(form, Form)
    assert [one.name for one in form.fields] == ["text", "initiative", "dimension", "period"]
    assert form.fields[0].value == "nachtdienst"
    assert "hoorde het" in text_of(await told.submit("fatima", form, period="week"))
    again = await told.do("fatima", "search.narrow", text="nachtdienst")
    nothing = await told.submit("fatima", again, dimension="steer")
    assert "geen verhaal" in text_of(nothing)
    assert "regie nemen" in text_of(nothing)
    assert "hoorde het" in text_of(await told.press("fatima", nothing, "widen"))
    await told.pass_(days=9)
    assert "geen verhaal" in text_of(await told.do("fatima", "search", text="nachtdienst", period="week"))


async def test_an_initiative_narrows_what_words_find_and_what_is_newest(told: World) -> None:
    made = await told.do("fatima", "initiative.save", args={"name": "Wandelen na het eten"})
    walk = button_of(made, "close").args["initiative"]
    await tell(told, "jan", "De nachtdienst wandelde mee.", initiative=walk)
    for words in ("nachtdienst", ""):
        form = await told.do("fatima", "search.narrow", text=words)
        found = text_of(await told.submit("fatima", form, initiative=walk))
        assert "wandelde mee" in found
        assert "Koffie" not in found
        assert "hoorde het" not in found
        assert "Wandelen na het eten" in found


async def test_a_group_under_five_is_no_filter(told: World) -> None:
    await told.do("jan", "me.save", args={"group": "nacht"})
    form = await told.do("fatima", "search.narrow")
    assert isinstance(form, Form)
    assert "group" not in [one.name for one in form.fields]
    refused = text_of(await told.do("fatima", "search", text="nachtdienst", group="nacht"))
    assert "hoorde het" not in refused


async def test_without_words_a_form_opens_and_an_empty_form_shows_the_newest(told: World) -> None:
    form = await told.type("fatima", "/ritme zoek")
    assert isinstance(form, Form)
    assert "Koffie met de" in text_of(await told.submit("fatima", form))


@pytest.mark.parametrize("typed", ["…", "' OR 1=1 --", "*", '"', "zzzzzzzz", "_a", "de", "x" * 3000])
async def test_what_finds_nothing_says_what_to_try(told: World, typed: str) -> None:
    shown = await told.do("fatima", "search", text=typed)
    assert "Probeer" in text_of(shown) or typed == "de"
    assert button_of(shown, "narrow")


@pytest.mark.parametrize("after", ["x", "all:", "all:99999999999999999999", "near:5", "parts:0", "ALL:5", "all:-1"])
async def test_a_page_that_does_not_exist_is_no_mistake(told: World, after: str) -> None:
    assert text_of(await told.do("fatima", "search", text="nachtdienst", after=after))


async def test_words_of_others_become_no_markup(told: World) -> None:
    await tell(told, "jan", "Een *sterretje* en <@U1> _hier_ **daar** [x](http://y) bij de balie.")
    shown = await told.type("fatima", "/ritme zoek balie")
    assert "*sterretje*" in text_of(shown)
    assert "[x](http://y)" in text_of(shown)


async def test_a_search_that_takes_too_long_says_what_helps(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def take_long(*_: object) -> list[object]:
        raise TookTooLong("search")

    monkeypatch.setattr(StorySearcher, "find", take_long)
    shown = text_of(await told.type("fatima", "/ritme zoek nachtdienst"))
    assert "duurt te lang" in shown
    monkeypatch.undo()
    assert "Koffie met de" in text_of(await told.type("fatima", "/ritme zoek nachtdienst"))

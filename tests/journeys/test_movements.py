"""A movement begins: its purpose, its places, its initiatives, and what can be typed."""

from collections.abc import Mapping

import pytest

from bot import wording
from bot.catalogue.initiatives import InitiativeShown
from bot.chat import CARD, Answer, FieldErrors, Form, Reply
from bot.domain.movement import MovementId, Purpose
from bot.domain.person import Language
from bot.wording import Reader
from tests.support.world import MONDAY, World, button_of, text_of

PARTS = {"vision": "Samen doen wat kan.", "core_messages": "Vraag eerst.\nEen klein stapje telt."}


async def start(world: World, who: str = "iris", *, channel: str = "general", **more: str) -> Answer:
    form = await world.type(who, "/ritme start", channel=channel)
    reply = await world.submit(who, form, channel=channel, **{"name": "Samen", "vision": "Samen doen wat kan.", **more})
    assert isinstance(reply, Answer)
    return reply


async def purposes(world: World) -> list[Purpose]:
    async with world.begin() as work:
        _, _, _, movement, _ = await work.people.load_context("test:W1", "iris", "general")  # type: ignore[arg-type]
        assert movement is not None
        return list(await work.movements.purposes(movement.id))


async def test_from_the_first_start_to_going_back_to_earlier_words(world: World) -> None:
    started = await start(world)
    form = await world.press("iris", started, "purpose")
    assert isinstance(form, Form)
    saved = await world.submit("iris", form, **PARTS, behaviours="Een\nTwee\nDrie")
    assert "Een klein stapje telt." in text_of(saved)
    await world.submit("iris", await world.press("iris", saved, "change"), vision="Iets heel anders.")
    versions = await world.press("iris", await world.type("iris", "/ritme bedoeling"), "earlier")
    taken = await world.press("iris", versions, "take_1")
    assert "Samen doen wat kan." in text_of(taken)
    assert [one.version for one in await purposes(world)] == [4, 3, 2, 1]


async def test_everyone_hears_the_purpose_and_only_coordinators_change_it(world: World) -> None:
    await start(world)
    shown = await world.type("fatima", "/ritme purpose")
    assert isinstance(shown, Answer)
    assert shown.message.buttons == ()
    for intent in ("purpose.change", "purpose.earlier"):
        assert "coördinator" in text_of(await world.do("fatima", intent))
    assert "coördinator" in text_of(await world.do("fatima", "purpose.save", args=PARTS))


async def test_a_further_channel_is_linked_and_a_place_belongs_to_one_movement(world: World) -> None:
    await start(world)
    choice = await world.type("iris", "/ritme start", channel="night")
    linked = await world.press("iris", choice, "link", channel="night")
    assert isinstance(linked, Answer)
    assert "Samen" in text_of(await world.type("fatima", "/ritme start", channel="night"))
    again = await world.do(
        "fatima", "start.save", channel="night", args={"name": "Anders", "language": "nl", "vision": "Iets"}
    )
    assert "Samen" in text_of(again)


async def test_a_movement_does_not_begin_in_a_personal_chat(world: World) -> None:
    assert "kanaal" in text_of(await world.type("iris", "/ritme start", channel=None))


async def test_whoever_comes_into_a_channel_introduces_itself_in_other_words_each_time(world: World) -> None:
    for _ in range(3):
        await world.do("iris", "place.joined")
        await world.pass_(hours=1)
    texts = [text_of(one) for one in world.posts()]
    assert len(set(texts)) == 3


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"vision": ""}, "vision"),
        ({"core_messages": "\n".join("abcdefgh")}, "core_messages"),
        ({"behaviours": "een\ntwee"}, "behaviours"),
        ({"behaviours": "x" * 201 + "\ntwee\ndrie"}, "behaviours"),
        ({"mission": "x" * 501}, "mission"),
    ],
)
async def test_what_is_wrong_with_the_purpose_is_said_beside_it(
    world: World, language: str, values: dict[str, str], field: str
) -> None:
    await start(world)
    reply = await world.do("iris", "purpose.save", args={**PARTS, **values}, language=language)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


async def test_an_initiative_is_made_joined_left_closed_and_opened_again(world: World) -> None:
    await start(world)
    empty = await world.type("fatima", "/ritme initiatief")
    made = await world.submit(
        "fatima", await world.press("fatima", empty, "make"), name="Wandelen", description="Samen"
    )
    look = await world.press("jan", await world.type("jan", "/ritme initiative"), "look_1")
    joined = await world.press("jan", look, "join")
    assert "jan" in text_of(joined)
    left = await world.press("jan", joined, "leave")
    assert "jan" not in text_of(left)
    assert not any(button.name == "close" for button in left.message.buttons)  # type: ignore[union-attr]
    closed = await world.press("fatima", made, "close")
    assert "afgerond" in text_of(closed)
    assert await world.press("jan", look, "join") is None  # pressed before: the card was replaced
    assert "afgerond" in text_of(await world.do("jan", "initiative.join", args={"initiative": made_id(made)}))
    found = await world.type("fatima", "/ritme initiatief wandel")
    assert about(closed, "reopen") == about(found, "reopen")
    assert button_of(await world.press("fatima", closed, "reopen"), "close")


def about(shown: Reply, name: str) -> Mapping[str, str]:
    """Return what a button is about, whichever card it stands on."""
    return {one: value for one, value in button_of(shown, name).args.items() if one != CARD}


def made_id(shown: Reply) -> str:
    return about(shown, "close")["initiative"]


async def test_one_name_is_one_initiative(world: World) -> None:
    await start(world)
    await world.do("fatima", "initiative.save", args={"name": "Wandelen"})
    reply = await world.do("jan", "initiative.save", args={"name": " WANDELEN "})
    assert isinstance(reply, FieldErrors)


async def test_an_initiative_of_another_movement_is_not_there(world: World) -> None:
    await start(world)
    await world.do("fatima", "initiative.save", args={"name": "Wandelen"})
    async with world.begin() as work:
        _, _, _, movement, _ = await work.people.load_context("test:W1", "iris", "general")  # type: ignore[arg-type]
        assert movement is not None
        [initiative] = await work.initiatives.of_movement(MovementId(movement.id))
    form = await world.type("piet", "/ritme start", channel="elders", workspace="test:W2")
    assert isinstance(form, Form)
    await world.do(
        "piet",
        "start.save",
        channel="elders",
        workspace="test:W2",
        args={"name": "Elders", "language": "nl", "vision": "Iets"},
    )
    for intent in ("initiative.look", "initiative.join", "initiative.leave", "initiative.close"):
        reply = await world.do("piet", intent, channel="elders", workspace="test:W2", initiative=initiative.id)
        assert "niet" in text_of(reply)


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("/ritme", "eigen woorden"),
        ("/ritme HELP", "eigen woorden"),
        ("/ritme bedoelin", "Samen doen"),
        ("/ritme Bedoeling", "Samen doen"),
        ("/ritme purpsoe", "Bedoel je"),
        ("/ritme xyzzy", "xyzzy"),
    ],
)
async def test_nearly_right_words_are_understood(world: World, line: str, sign: str) -> None:
    await start(world)
    assert sign in text_of(await world.type("fatima", line))


async def test_what_was_probably_meant_is_one_press_away(world: World) -> None:
    await start(world)
    reply = await world.type("fatima", "/ritme purpsoe")
    assert "Samen doen" in text_of(await world.press("fatima", reply, "do_it"))


async def test_the_last_channel_leaves_and_comes_back(world: World) -> None:
    await start(world)
    await world.press("iris", await world.type("iris", "/ritme start", channel="nacht"), "link", channel="nacht")
    left = await world.press(
        "iris", await world.type("iris", "/ritme start", channel="nacht"), "leave", channel="nacht"
    )
    assert "laatste" not in text_of(left)
    left = await world.press("iris", await world.type("iris", "/ritme start"), "leave")
    assert "Het was het laatste kanaal" in text_of(left)
    again = await world.type("iris", "/ritme start")
    assert "#general hoort nu bij Samen" in text_of(await world.press("iris", again, "link"))


@pytest.mark.parametrize(
    ("people", "more", "nl", "en"),
    [
        ((), 0, "Er doet nu niemand aan mee.", "Nobody is taking part right now."),
        (("Jan",), 0, "Jan doet mee.", "Jan is taking part."),
        (("Jan", "Ann"), 0, "Jan en Ann doen mee.", "Jan and Ann are taking part."),
        (("Jan",), 2, "Jan en nog 2 collega's doen mee.", "Jan and 2 more are taking part."),
        ((), 1, "Eén collega doet mee.", "One colleague is taking part."),
        ((), 4, "4 collega's doen mee.", "4 colleagues are taking part."),
    ],
)
def test_who_takes_part_agrees_with_its_verb(people: tuple[str, ...], more: int, nl: str, en: str) -> None:
    shown = InitiativeShown(id="i", name="Wandelen", description="", people=people, more=more)
    for language, words in ((Language.NL, nl), (Language.EN, en)):
        reader = Reader(language=language, timezone="Europe/Amsterdam", now=MONDAY)
        assert words in wording.render_entry(shown, reader).text


async def test_when_every_coordinator_is_gone_someone_who_is_there_can_take_it_on(world: World) -> None:
    await start(world)
    reply = await world.type("fatima", "/ritme start")
    assert isinstance(reply, Answer)
    assert "take_on" not in {button.name for button in reply.message.buttons}
    assert "al coördinator" in text_of(await world.do("fatima", "start.take_on"))
    await world.press("iris", await world.type("iris", "/ritme ik"), "forget")
    await world.press("fatima", await world.type("fatima", "/ritme start"), "take_on")
    assert isinstance(await world.do("fatima", "purpose.change"), Form)
    assert "al coördinator" in text_of(await world.do("jan", "start.take_on"))

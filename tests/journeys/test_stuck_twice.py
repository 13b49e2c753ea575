"""Stuck once more while stuck: what was kept is said, where it was kept too, and it can be taken apart."""

from bot.chat import Answer, Reply
from bot.domain.initiative import Audience, StuckKind
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.journeys.test_stuck import add_initiative, buttons, episodes, submit_step, submit_stuck
from tests.support.world import World, button_of, text_of

MOVEMENT = MovementId("movement")


async def texts(world: World) -> list[tuple[str, Audience]]:
    """Return the text and the readers of what Fatima is stuck with, the latest first."""
    return [(one.text, one.audience) for one in await episodes(world)]


async def press_later(world: World, shown: Reply, name: str) -> Reply:
    """Press a button a minute later, so that it is plain what was begun last."""
    await world.pass_(minutes=1)
    return await world.press("fatima", shown, name)


async def test_one_line_is_quoted_wherever_it_was_said(world: World) -> None:
    await world.movement("fatima", "jan")
    said = await world.type("fatima", "/stuck het loopt niet")
    assert "het loopt niet" in text_of(said)
    mentioned = await world.do("jan", "command", command="", text="ik zit vast, niemand luistert", channel=None)
    assert "niemand luistert" in text_of(mentioned)


async def test_of_a_long_text_the_beginning_is_quoted(world: World) -> None:
    await world.movement("fatima")
    said = text_of(await world.type("fatima", "/stuck het begint zo " + "en gaat verder " * 60))
    assert "het begint zo" in said
    assert len(said) < 900


async def test_what_is_added_is_said_and_both_are_quoted(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck de nacht komt niet")
    added = await world.type("fatima", "/stuck en de dag ook niet")
    assert all(words in text_of(added) for words in ("de nacht komt niet", "en de dag ook niet"))
    assert "take_apart" in buttons(added)
    again = await world.type("fatima", "/stuck en de dag ook niet")
    assert "take_apart" not in buttons(again)
    assert await texts(world) == [("de nacht komt niet\nen de dag ook niet", Audience.ME)]


async def test_words_that_are_part_of_others_are_kept(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck ik ben moe van alles")
    await world.type("fatima", "/stuck moe")
    assert await texts(world) == [("ik ben moe van alles\nmoe", Audience.ME)]


async def test_taken_apart_each_has_its_own_text_kind_and_follow_up(world: World) -> None:
    await world.movement("fatima")
    await add_initiative(world, "fatima")
    first = await world.type("fatima", "/stuck ik krijg weerstand")
    await submit_step(world, first)
    added = await world.type("fatima", "/stuck geen tijd meer")
    apart = await press_later(world, added, "take_apart")
    assert isinstance(apart, Answer)
    assert apart.replaces
    assert all(words in text_of(apart) for words in ("ik krijg weerstand", "geen tijd meer"))
    second, begun = await episodes(world)
    assert (begun.text, begun.kind) == ("ik krijg weerstand", StuckKind.OPPOSITION)
    assert (second.text, second.kind) == ("geen tijd meer", StuckKind.ENERGY)
    assert second.initiative_id == begun.initiative_id == "samen-wandelen"
    async with world.begin() as work:
        (step,) = await work.steps.planned_of(PersonId("fatima"), MOVEMENT)
    assert step.episode_id == begun.id
    welcome = await world.press("fatima", apart, "take_second")
    assert button_of(welcome, "choose_step").args["episode"] == second.id


async def test_taking_apart_twice_makes_two(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck de nacht komt niet")
    added = await world.type("fatima", "/stuck en de dag ook niet")
    apart = await press_later(world, added, "take_apart")
    assert await press_later(world, added, "take_apart") is None
    # The same from a card that the platform shows as another.
    again = await world.do("fatima", "stuck.take_apart", args={**button_of(added, "take_apart").args, "card": "other"})
    assert text_of(again) == text_of(apart)
    assert await texts(world) == [("en de dag ook niet", Audience.ME), ("de nacht komt niet", Audience.ME)]


async def test_three_times_told_the_second_is_taken_out_of_the_middle(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck een")
    second = await world.type("fatima", "/stuck twee")
    await world.type("fatima", "/stuck drie")
    await press_later(world, second, "take_apart")
    assert await texts(world) == [("twee", Audience.ME), ("een\ndrie", Audience.ME)]


async def test_words_that_were_changed_since_are_not_taken_apart(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck een")
    added = await world.type("fatima", "/stuck twee")
    form = await world.press("fatima", added, "change")
    await world.submit("fatima", form, text="heel anders")
    refused = await world.press("fatima", added, "take_apart")
    assert "er is niets veranderd" in text_of(refused)
    await world.do("fatima", "stuck.take_apart", **button_of(added, "take_apart").args | {"part": "0:9:x"})
    assert await texts(world) == [("heel anders", Audience.ME)]


async def test_in_the_channel_two_stand_where_one_stood(world: World) -> None:
    await world.movement("fatima")
    await submit_stuck(world, audience="channel", text="de nacht komt niet")
    added = await submit_stuck(world, audience="channel", text="en de dag ook niet")
    (post,) = world.posts()
    assert all(words in text_of(post) for words in ("de nacht komt niet", "en de dag ook niet"))
    await world.press("fatima", added, "take_apart")
    assert ["de dag" in text_of(one) for one in world.posts()] == [False, True]
    assert ["de nacht" in text_of(one) for one in world.posts()] == [True, False]


async def test_in_another_channel_it_is_told_there(world: World) -> None:
    await world.movement("fatima", channels=("general", "nacht"))
    await submit_stuck(world, audience="channel", text="voor hier")
    form = await world.do("fatima", "stuck.new", channel="nacht")
    await world.submit("fatima", form, channel="nacht", text="voor de nacht", kind="reach", audience="channel")
    (here,), (there,) = world.posts(), world.posts("nacht")
    assert "voor de nacht" not in text_of(here)
    assert "voor de nacht" in text_of(there)


async def test_other_helpers_read_only_their_own_words(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await submit_stuck(world, audience="helpers", helpers=("jan",), text="voor jan")
    await submit_stuck(world, audience="helpers", helpers=("samira",), text="voor samira")
    assert [("voor jan" in text_of(one)) for one in world.private("jan")] == [True]
    assert ["voor jan" in text_of(one) for one in world.private("samira")] == [False]
    await submit_stuck(world, audience="helpers", helpers=("jan",), text="nog iets")
    assert "nog iets" in text_of(world.private("jan")[-1])


async def test_what_has_no_room_is_told_beside_it(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck " + "a" * 1000)
    await world.pass_(minutes=1)
    await world.type("fatima", "/stuck " + "b" * 1000)
    assert [text[0] for text, _ in await texts(world)] == ["b", "a"]


async def test_all_that_is_open_is_within_reach(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck een")
    await press_later(world, await world.type("fatima", "/stuck twee"), "take_apart")
    shown = await world.type("fatima", "/stuck")
    assert "twee" in text_of(shown)
    shown = await world.press("fatima", shown, "show_other")
    assert "een" in text_of(shown)
    assert "twee" in text_of(await world.press("fatima", shown, "show_other"))
    await world.press("fatima", shown, "let_go")
    assert await texts(world) == [("twee", Audience.ME)]


async def test_a_question_adds_nothing_to_what_is_open(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/stuck Niemand komt naar de overdracht", channel=None)
    shown = await world.type("fatima", "/ritme wat moet ik nu doen", channel=None)
    assert "Hoe staat het ervoor?" in text_of(shown)
    again = await world.type("fatima", "/stuck", channel=None)
    assert "wat moet ik nu doen" not in text_of(again)
    assert "Niemand komt naar de overdracht" in text_of(again)

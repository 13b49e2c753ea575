"""A light question whom people ask things, answered alone: a tie only once both say so."""

import pytest

from bot.chat import FieldErrors, Form, Reply
from bot.domain.person import PersonId
from tests.journeys.test_connecting import list_ties
from tests.support.exports import everything_about
from tests.support.groups import MOVEMENT, add_active, add_group
from tests.support.stories import is_declined
from tests.support.world import World, agree, button_of, text_of


@pytest.fixture
async def asked(world: World) -> World:
    """Return a world in which everyone in #general was asked whom they last asked something."""
    await world.movement("fatima", "jan", "sanne")
    form = await world.press("iris", await world.type("iris", "/ritme bereik"), "ties")
    assert isinstance(form, Form)
    assert "een antwoord leest niemand, ook jij niet" in form.note
    assert "#general" in text_of(await world.submit("iris", form, place="general"))
    return world


async def answer(world: World, who: str, *named: str, shown: str = "no") -> Reply:
    form = await world.press(who, world.posts()[0], "say_who")
    assert isinstance(form, Form)
    assert "Niemand leest wie je kiest" in form.note
    return await world.submit(who, form, people=named, shown=shown)


async def count_answers(world: World, who: str) -> int:
    async with world.begin() as work:
        return len(await work.connecting.tie_answers(PersonId(who), MOVEMENT))


async def test_one_question_to_everyone_and_at_most_once_in_three_months(asked: World) -> None:
    (post,) = asked.posts()
    assert "Wie vroeg jij het laatst iets buiten je eigen team?" in text_of(post)
    await asked.pass_(days=80)
    again = await asked.do("iris", "reach.ties.save", place="general")
    assert isinstance(again, FieldErrors)
    await asked.pass_(days=11)
    await asked.do("iris", "reach.ties.save", place="general")
    assert len(asked.posts()) == 2


async def test_a_round_of_names_and_one_of_ties_rest_each_for_itself(asked: World) -> None:
    await add_group(asked, "Nacht", "a", "b", "c", "d", "e")
    await asked.do("iris", "reach.names.save", group="Nacht", place="general")
    assert len(asked.posts()) == 2


async def test_an_answer_is_read_by_nobody_and_makes_no_tie(asked: World) -> None:
    before = len(asked.messenger.sent)
    said = await answer(asked, "fatima", "jan")
    assert "Niemand leest dat je jan koos" in text_of(said)
    assert await list_ties(asked) == set()
    kept = text_of(await asked.type("jan", "/ritme ik", channel=None))
    assert "fatima" not in kept
    assert len(asked.messenger.sent) == before
    assert "fatima" not in str(await everything_about(asked.begin, PersonId("jan")))


async def test_two_who_name_each_other_know_each_other_and_read_the_same_answer(asked: World) -> None:
    first = await answer(asked, "fatima", "jan")
    second = await answer(asked, "jan", "fatima")
    assert text_of(first).replace("jan", "x") == text_of(second).replace("fatima", "x")
    assert await list_ties(asked) == {("fatima", "jan")}
    assert await count_answers(asked, "jan") == 0


async def test_who_was_named_can_confirm_where_they_look_when_that_was_wanted(asked: World) -> None:
    said = await answer(asked, "fatima", "jan", shown="yes")
    assert "jan kan jouw naam lezen" in text_of(said)
    assert asked.private("jan") == []
    kept = await asked.type("jan", "/ritme ik", channel=None)
    assert "fatima liet in Samen op pad weten jou laatst iets gevraagd te hebben" in text_of(kept)
    await asked.press("jan", kept, "tie_yes", channel=None)
    assert await list_ties(asked) == {("fatima", "jan")}
    assert "fatima liet" not in text_of(await asked.type("jan", "/ritme ik", channel=None))


async def test_or_deny_it_without_anybody_hearing(asked: World) -> None:
    await answer(asked, "fatima", "jan", shown="yes")
    before = len(asked.messenger.sent)
    await asked.press("jan", await asked.type("jan", "/ritme ik", channel=None), "tie_no", channel=None)
    assert await list_ties(asked) == set()
    assert await count_answers(asked, "fatima") == 0
    assert len(asked.messenger.sent) == before


@pytest.mark.parametrize("intent", ["ties.confirm", "ties.deny"])
async def test_only_who_was_named_and_may_read_it_settles_it(asked: World, intent: str) -> None:
    await answer(asked, "fatima", "jan")
    await answer(asked, "fatima", "sanne", shown="yes")
    for who in ("jan", "iris", "fatima"):
        for person in ("fatima", "sanne"):
            reply = await asked.do(who, intent, movement="movement", person=person, channel=None)
            assert is_declined(reply, "not_found")
    assert await list_ties(asked) == set()


async def test_an_answer_is_taken_back_with_one_press(asked: World) -> None:
    said = await answer(asked, "fatima", "jan", "sanne", shown="yes")
    await asked.press("fatima", said, "take_back")
    assert await count_answers(asked, "fatima") == 0
    await answer(asked, "jan", "fatima")
    assert await list_ties(asked) == set()


async def test_it_counts_in_how_far_who_answered_is_reached_and_for_nobody_else(asked: World) -> None:
    await add_active(asked, "fatima", "jan")
    await add_group(asked, "Nacht", "a", "b", "c", "d", "e")
    await answer(asked, "a", "fatima", "jan")
    await answer(asked, "fatima", "b")
    await answer(asked, "jan", "b")
    async with asked.begin() as work:
        (night,) = await work.connecting.count_reach(MOVEMENT)
    assert night[1:] == (1, 0, 4)


async def test_it_is_no_reason_in_a_suggestion_before_both_said_so(asked: World) -> None:
    await add_active(asked, "fatima", initiative="walk")
    await agree(asked.begin, "jan", "sanne", "fatima", figures=("connector",))
    await answer(asked, "fatima", "jan")
    looked = {"initiative": "walk", "figure": "connector"}
    for who in ("sanne", "fatima"):
        said = text_of(await asked.do(who, "connect.look", args=looked))
        assert "kent jan" not in said
        assert "Jullie kennen elkaar" not in said


async def test_of_who_is_forgotten_no_answer_stays(asked: World) -> None:
    await answer(asked, "fatima", "jan", shown="yes")
    await answer(asked, "sanne", "fatima")
    await asked.do("fatima", "me.forget", channel=None)
    assert await count_answers(asked, "jan") == await count_answers(asked, "sanne") == 0


async def test_oneself_cannot_be_named_nor_a_crowd(asked: World) -> None:
    for named in (("fatima",), ("jan", "sanne", "iris", "kwame")):
        assert isinstance(await asked.do("fatima", "ties.save", args={"people": named, "shown": "no"}), FieldErrors)
    assert await count_answers(asked, "fatima") == 0


async def test_the_export_tells_whom_somebody_named_themselves(asked: World) -> None:
    await answer(asked, "fatima", "jan")
    (row,) = (await everything_about(asked.begin, PersonId("fatima")))["tie_answers"]
    assert row["other"] == "jan"


async def test_a_round_that_waits_can_be_taken_back(asked: World) -> None:
    await asked.pass_(days=91, hours=11)
    planned = await asked.do("iris", "reach.ties.save", place="general")
    await asked.press("iris", planned, "take_back")
    await asked.pass_(days=2)
    assert len(asked.posts()) == 1
    assert button_of(asked.posts()[0], "say_who").intent == "ties"

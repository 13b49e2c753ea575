"""Suggestions of people to invite, with reasons: from naming a colleague to having met."""

import pytest

from bot.chat import Answer, FieldErrors, Form
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.support.stories import is_declined
from tests.support.world import LANE, World, agree, button_of, members_of, text_of


async def initiative(world: World, *people: str) -> str:
    made = Initiative(
        id=InitiativeId(new_id()),
        movement_id=MovementId("movement"),
        name="Wandelen",
        started_by=PersonId(people[0]),
        started_at=world.clock.now(),
    )
    async with world.begin() as work:
        work.initiatives.add(made)
        for who in people:
            work.initiatives.add(
                Participant(
                    initiative_id=made.id,
                    movement_id=made.movement_id,
                    person_id=PersonId(who),
                    joined_at=world.clock.now(),
                )
            )
    return made.id


async def nominate(world: World, who: str, **named: tuple[str, ...]) -> object:
    return await world.submit(who, await world.type(who, "/ritme noem"), **named)


async def report_stuck(world: World, who: str, about: str) -> Answer:
    reply = await world.submit(
        who,
        await world.type(who, "/vast"),
        initiative=about,
        text="Niemand van de nachtdienst komt",
        kind="reach",
        audience="me",
    )
    assert isinstance(reply, Answer)
    return reply


async def read_suggestible(world: World, who: str) -> bool | None:
    async with world.begin() as work:
        member = await work.movements.membership(MovementId("movement"), PersonId(who))
    assert member is not None
    return member.suggestible


async def list_ties(world: World) -> set[tuple[str, str]]:
    async with world.begin() as work:
        return {(tie.one_id, tie.other_id) for tie in await work.connecting.ties(MovementId("movement"))}


async def test_from_naming_to_having_met(world: World) -> None:
    await world.movement("fatima", "jan", "sanne", "kwame")
    about = await initiative(world, "fatima")
    await nominate(world, "jan", connector=("sanne",))
    await nominate(world, "kwame", connector=("sanne",))
    stuck = await report_stuck(world, "fatima", about)
    assert button_of(await world.press("fatima", stuck, "invite"), "nominate")

    [asked] = world.private("sanne")
    await world.press("sanne", asked, "yes", channel=None)
    assert await read_suggestible(world, "sanne") is True

    suggested = await world.press("fatima", stuck, "invite")
    assert "sanne" in text_of(suggested)
    form = await world.press("fatima", suggested, "invite_1")
    assert isinstance(form, Form)
    sent = await world.submit("fatima", form, text="Loop je een keer mee?")
    assert "Loop je een keer mee?" in text_of(sent)

    invitation = world.private("sanne")[-1]
    await world.press("sanne", invitation, "accept", channel=None)
    assert "sanne" in text_of(world.private("fatima")[-1])
    await world.pass_(days=8)
    # Not the last: so many unanswered messages are followed by the word that Ritme is quiet for a while.
    did_you_meet = next(one for one in world.private("fatima") if one.message and "gesproken" in one.message.text)
    noted = await world.press("fatima", did_you_meet, "met", channel=None)
    assert button_of(noted, "tell").intent == "story"
    assert await list_ties(world) == set()
    await world.pass_(days=2)
    await world.press("sanne", world.private("sanne")[-1], "met", channel=None)
    assert await list_ties(world) == {("fatima", "sanne")}


async def test_who_says_no_is_never_suggested_and_asked_only_once(world: World) -> None:
    await world.movement("fatima", "jan", "sanne")
    about = await initiative(world, "fatima")
    await nominate(world, "jan", connector=("sanne",))
    await world.press("sanne", world.private("sanne")[0], "no", channel=None)
    await nominate(world, "fatima", connector=("sanne",))
    assert len(world.private("sanne")) == 1
    reply = await world.do("fatima", "connect.look", initiative=about, figure="connector")
    assert button_of(reply, "nominate")


async def test_a_maven_is_suggested_where_reach_is_asked_but_not_as_what_they_did_not_say(world: World) -> None:
    await world.movement("fatima", "jan", "sanne")
    about = await initiative(world, "fatima")
    await nominate(world, "jan", maven=("sanne",))
    await world.press("sanne", world.private("sanne")[0], "yes", channel=None)
    reach = text_of(await world.do("fatima", "connect.look", initiative=about, figure="connector"))
    assert "sanne vindt het goed om gevraagd te worden" in reach.replace("*", "")
    know_how = text_of(await world.do("fatima", "connect.look", initiative=about, figure="maven"))
    assert "sanne weet veel van het vak" in know_how.replace("*", "")


async def test_nobody_is_asked_more_than_twice_a_month(world: World) -> None:
    await world.movement("fatima", "jan", "sanne")
    about = [await initiative(world, "fatima"), await initiative(world, "jan"), await initiative(world, "iris")]
    await agree(world.begin, "sanne")
    for who, one in zip(("fatima", "jan"), about, strict=False):
        await world.do(who, "invite.send", person="sanne", initiative=one, text="Kom je?")
    refused = await world.do("iris", "invite.send", person="sanne", initiative=about[2], text="Kom je?")
    assert is_declined(refused, "cannot_be_asked")
    await world.pass_(days=31)
    sent = await world.do("iris", "invite.send", person="sanne", initiative=about[2], text="Kom je?")
    assert "Kom je?" in text_of(sent)


async def test_later_is_asked_once_more(world: World) -> None:
    await world.movement("fatima", "jan", "sanne")
    about = await initiative(world, "fatima")
    await agree(world.begin, "sanne")
    await world.do("fatima", "invite.send", person="sanne", initiative=about, text="Kom je?")
    await world.press("sanne", world.private("sanne")[-1], "later", channel=None)
    before = len(world.private("sanne"))
    await world.pass_(days=16)
    assert len(world.private("sanne")) == before + 1
    await world.press("sanne", world.private("sanne")[-1], "later", channel=None)
    await world.pass_(days=40)
    assert len(world.private("sanne")) == before + 1


async def test_someone_outside_is_asked_and_belongs_only_after_a_yes(world: World) -> None:
    await world.movement("fatima")
    await nominate(world, "fatima", inspirer=("newcomer",))
    async with world.begin() as work:
        people = [person.account for person in await members_of(work)]
    assert "newcomer" not in people
    await world.press("newcomer", world.private("newcomer")[0], "yes", channel=None)
    async with world.begin() as work:
        people = [person.account for person in await members_of(work)]
    assert "newcomer" in people


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    ("named", "field"),
    [
        ({}, "connector"),
        ({"connector": ("fatima",)}, "connector"),
        ({"connector": tuple("abcdef")}, "connector"),
        ({"connector": ("a", "b", "c"), "inspirer": ("d", "e", "f")}, "inspirer"),
    ],
)
async def test_wrong_names_are_said_beside_the_question(
    world: World, language: str, named: dict[str, tuple[str, ...]], field: str
) -> None:
    await world.movement("fatima")
    reply = await world.do("fatima", "nominate.save", args=named, language=language)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


async def test_what_belongs_to_others_is_not_touched(world: World) -> None:
    await world.movement("fatima", "jan", "sanne")
    about = await initiative(world, "fatima")
    await nominate(world, "jan", connector=("sanne",))
    await world.press("sanne", world.private("sanne")[0], "yes", channel=None)
    await world.do("fatima", "invite.send", person="sanne", initiative=about, text="Kom je?")
    button = button_of(world.private("sanne")[-1], "accept")
    for who, workspace in (("jan", LANE), ("sanne", "test:W2")):
        reply = await world.do(who, button.intent, args=button.args, channel=None, workspace=workspace)
        assert isinstance(reply, Answer)
    assert world.private("fatima") == []
    assert isinstance(await world.do("jan", "invite", person="fatima", initiative=about), Answer)


async def test_someone_picked_twice_is_named_once(world: World) -> None:
    await world.movement("fatima", "jan")
    answer = await world.do("fatima", "nominate.save", connector=("jan", "jan"))
    assert isinstance(answer, Answer)
    assert answer.reference is None

"""Whom to invite, and why: from naming a colleague to having met."""

import pytest

from bot.chat import Answer, FieldErrors, Form
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import PersonId, WorkspaceId
from tests.support.world import LANE, World, button_of, text_of


async def initiative(here: World, *people: str) -> str:
    made = Initiative(
        id=InitiativeId(new_id()),
        movement_id=MovementId("movement"),
        name="Wandelen",
        started_by=PersonId(people[0]),
        started_at=here.clock.now(),
    )
    async with here.begin() as work:
        work.initiatives.add(made)
        for who in people:
            work.initiatives.add(
                Participant(
                    initiative_id=made.id,
                    movement_id=made.movement_id,
                    person_id=PersonId(who),
                    joined_at=here.clock.now(),
                )
            )
    return made.id


async def nominate(here: World, who: str, **named: tuple[str, ...]) -> object:
    return await here.submit(who, await here.type(who, "/ritme noem"), **named)


async def stuck_for_reach(here: World, who: str, about: str) -> Answer:
    reply = await here.submit(
        who,
        await here.type(who, "/vast"),
        initiative=about,
        text="Niemand van de nachtdienst komt",
        kind="reach",
        audience="me",
    )
    assert isinstance(reply, Answer)
    return reply


async def known(here: World, who: str) -> bool | None:
    async with here.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), who)
    assert person is not None
    return person.suggestible


async def test_from_naming_to_having_met(here: World) -> None:
    await here.movement("fatima", "jan", "sanne", "kwame")
    about = await initiative(here, "fatima")
    await nominate(here, "jan", connector=("sanne",))
    await nominate(here, "kwame", connector=("sanne",))
    stuck = await stuck_for_reach(here, "fatima", about)
    assert "noemen" in text_of(await here.press("fatima", stuck, "invite"))

    [asked] = here.private("sanne")
    await here.press("sanne", asked, "yes", channel=None)
    assert await known(here, "sanne") is True

    suggested = await here.press("fatima", stuck, "invite")
    assert "sanne" in text_of(suggested)
    form = await here.press("fatima", suggested, "invite_1")
    assert isinstance(form, Form)
    sent = await here.submit("fatima", form, text="Loop je een keer mee?")
    assert "Loop je een keer mee?" in text_of(sent)

    invitation = here.private("sanne")[-1]
    await here.press("sanne", invitation, "accept", channel=None)
    assert "sanne" in text_of(here.private("fatima")[-1])
    await here.pass_(days=8)
    did_you_meet = here.private("fatima")[-1]
    noted = await here.press("fatima", did_you_meet, "met", channel=None)
    assert button_of(noted, "tell").intent == "story"
    async with here.begin() as work:
        ties = {(tie.one_id, tie.other_id) for tie in await work.connecting.ties(MovementId("movement"))}
    assert (PersonId("fatima"), PersonId("sanne")) in ties


async def test_who_says_no_is_never_suggested_and_asked_only_once(here: World) -> None:
    await here.movement("fatima", "jan", "sanne")
    about = await initiative(here, "fatima")
    await nominate(here, "jan", connector=("sanne",))
    await here.press("sanne", here.private("sanne")[0], "no", channel=None)
    await nominate(here, "fatima", connector=("sanne",))
    assert len(here.private("sanne")) == 1
    reply = await here.do("fatima", "connect.look", initiative=about, figure="connector")
    assert button_of(reply, "nominate")


async def test_a_maven_is_not_suggested_where_reach_is_asked(here: World) -> None:
    await here.movement("fatima", "jan", "sanne")
    about = await initiative(here, "fatima")
    await nominate(here, "jan", maven=("sanne",))
    await here.press("sanne", here.private("sanne")[0], "yes", channel=None)
    assert button_of(await here.do("fatima", "connect.look", initiative=about, figure="connector"), "nominate")
    assert "sanne" in text_of(await here.do("fatima", "connect.look", initiative=about, figure="maven"))


async def test_nobody_is_asked_more_than_twice_a_month(here: World) -> None:
    await here.movement("fatima", "jan", "sanne")
    about = [await initiative(here, "fatima"), await initiative(here, "jan"), await initiative(here, "iris")]
    await nominate(here, "jan", connector=("sanne",))
    await here.press("sanne", here.private("sanne")[0], "yes", channel=None)
    for who, one in zip(("fatima", "jan"), about, strict=False):
        await here.do(who, "invite.send", person="sanne", initiative=one, text="Kom je?")
    refused = await here.do("iris", "invite.send", person="sanne", initiative=about[2], text="Kom je?")
    assert "genoeg" in text_of(refused)
    await here.pass_(days=31)
    assert "genoeg" not in text_of(
        await here.do("iris", "invite.send", person="sanne", initiative=about[2], text="Kom je?")
    )


async def test_later_is_asked_once_more(here: World) -> None:
    await here.movement("fatima", "jan", "sanne")
    about = await initiative(here, "fatima")
    await nominate(here, "jan", connector=("sanne",))
    await here.press("sanne", here.private("sanne")[0], "yes", channel=None)
    await here.do("fatima", "invite.send", person="sanne", initiative=about, text="Kom je?")
    await here.press("sanne", here.private("sanne")[-1], "later", channel=None)
    before = len(here.private("sanne"))
    await here.pass_(days=16)
    assert len(here.private("sanne")) == before + 1
    await here.press("sanne", here.private("sanne")[-1], "later", channel=None)
    await here.pass_(days=40)
    assert len(here.private("sanne")) == before + 1


async def test_someone_outside_is_asked_and_belongs_only_after_a_yes(here: World) -> None:
    await here.movement("fatima")
    await nominate(here, "fatima", inspirer=("newcomer",))
    async with here.begin() as work:
        people = [p.account for p, _ in await work.people.of_movement(MovementId("movement"))]
    assert "newcomer" not in people
    await here.press("newcomer", here.private("newcomer")[0], "yes", channel=None)
    async with here.begin() as work:
        people = [p.account for p, _ in await work.people.of_movement(MovementId("movement"))]
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
    here: World, language: str, named: dict[str, tuple[str, ...]], field: str
) -> None:
    await here.movement("fatima")
    reply = await here.do("fatima", "nominate.save", args=named, language=language)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


async def test_what_belongs_to_others_is_not_touched(here: World) -> None:
    await here.movement("fatima", "jan", "sanne")
    about = await initiative(here, "fatima")
    await nominate(here, "jan", connector=("sanne",))
    await here.press("sanne", here.private("sanne")[0], "yes", channel=None)
    await here.do("fatima", "invite.send", person="sanne", initiative=about, text="Kom je?")
    button = button_of(here.private("sanne")[-1], "accept")
    for who, workspace in (("jan", LANE), ("sanne", "test:W2")):
        reply = await here.do(who, button.intent, args=button.args, channel=None, workspace=workspace)
        assert isinstance(reply, Answer)
    assert here.private("fatima") == []
    assert isinstance(await here.do("jan", "invite", person="fatima", initiative=about), Answer)


async def test_someone_picked_twice_is_named_once(here: World) -> None:
    await here.movement("fatima", "jan")
    answer = await here.do("fatima", "nominate.save", connector=("jan", "jan"))
    assert isinstance(answer, Answer)
    assert answer.reference is None

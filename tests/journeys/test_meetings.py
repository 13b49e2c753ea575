"""A few people who agreed to it are brought together, with a moment and a question, and asked whether they met."""

from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from bot.chat import Form
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.support.world import MONDAY, World, text_of

GROUPS = {"fatima": "nacht", "noor": "dag", "kwame": "staf", "jan": "nacht", "sanne": "dag", "bo": "staf"}
FIRST = tuple(GROUPS)[:3]


@pytest.fixture
async def met(world: World) -> World:
    """Return a world with six people in three groups, and a meeting every Tuesday in #general."""
    await world.movement(*GROUPS)
    async with world.begin() as work:
        for name, group in GROUPS.items():
            person = await work.people.get(PersonId(name), MovementId("movement"))
            assert person is not None
            person.group = group
        work.rhythms.add(
            Rhythm(
                id=RhythmId("meeting"),
                movement_id=MovementId("movement"),
                place_id=PlaceId("general"),
                kind=RhythmKind.MEETING,
                rule="FREQ=WEEKLY;BYDAY=TU",
                starts_on=date(2027, 3, 2),
                at=time(10),
                timezone="Europe/Amsterdam",
                next_at=MONDAY + timedelta(days=1, hours=1),
                created_by=None,
                created_at=MONDAY,
            )
        )
    return world


async def take_part(world: World, *people: str) -> None:
    for one in people:
        await world.do(one, "meeting.join")


async def test_without_enough_people_the_place_is_asked_who_takes_part(met: World) -> None:
    await met.pass_(days=2)
    (post,) = met.posts()
    said = await met.press("fatima", post, "take_part")
    assert "Alleen wie je ontmoet, leest je naam" in text_of(said)
    assert all(met.private(one) == [] for one in GROUPS)


async def test_three_of_different_groups_get_a_moment_a_question_and_each_others_names(met: World) -> None:
    await take_part(met, *FIRST)
    await met.pass_(days=2)
    (post,) = met.posts()
    assert not any(name in text_of(post) for name in GROUPS)
    for one in FIRST:
        (proposal,) = met.private(one)
        assert all(other in text_of(proposal) for other in FIRST if other != one)
        assert "dinsdag 9 maart om 12:30" in text_of(proposal)
    assert met.private("jan") == []


async def test_who_comes_hears_the_day_before_who_else_does(met: World) -> None:
    await take_part(met, *FIRST)
    await met.pass_(days=2)
    for one, button in (("fatima", "come"), ("noor", "come"), ("kwame", "cannot")):
        await met.press(one, met.private(one)[0], button, channel=None)
    await met.until(MONDAY + timedelta(days=7, hours=12))
    told = text_of(met.private("fatima")[-1])
    assert "noor" in told
    assert "kwame" not in told
    assert len(met.private("kwame")) == 1


async def test_when_nobody_else_can_it_does_not_go_on(met: World) -> None:
    await take_part(met, *FIRST)
    await met.pass_(days=2)
    await met.press("fatima", met.private("fatima")[0], "come", channel=None)
    await met.pass_(days=9)
    told = [text_of(one) for one in met.private("fatima")]
    assert "gaat niet door" in told[1]
    assert not any("elkaar gesproken" in one for one in told)


async def test_two_who_say_they_met_know_each_other(met: World) -> None:
    await take_part(met, *FIRST)
    await met.pass_(days=2)
    for one in FIRST:
        await met.press(one, met.private(one)[0], "come", channel=None)
    await met.until(MONDAY + timedelta(days=9, hours=12))
    for one, button in (("fatima", "met"), ("noor", "met"), ("kwame", "not_met")):
        asked = next(sent for sent in met.private(one) if "elkaar gesproken" in text_of(sent))
        said = await met.press(one, asked, button, channel=None)
        assert ("verhaal" in text_of(said)) is (button == "met")
    async with met.begin() as work:
        ties = await work.connecting.ties(MovementId("movement"))
    assert [(tie.one_id, tie.other_id) for tie in ties] == [("fatima", "noor")]


async def test_the_same_two_are_never_asked_twice_in_a_row(met: World) -> None:
    await take_part(met, *GROUPS)
    await met.pass_(days=30)
    rounds: dict[str, set[str]] = {}
    for sent in met.messenger.sent:
        if sent.message is not None and (buttons := sent.message.buttons) and "meeting" in buttons[0].args:
            rounds.setdefault(buttons[0].args["meeting"], set()).add(str(sent.post.account))
    assert len(rounds) >= 3
    assert all(len(first & second) < 2 for first, second in pairwise(rounds.values()))


async def test_one_press_ends_it(met: World) -> None:
    await take_part(met, *FIRST)
    await met.pass_(days=2)
    said = await met.press("noor", met.private("noor")[0], "leave", channel=None)
    assert "niet meer" in text_of(said)
    await met.press("fatima", met.private("fatima")[0], "come", channel=None)
    await met.pass_(days=28)
    assert len(met.private("noor")) == 1


async def test_who_leaves_ritme_is_in_no_meeting(met: World) -> None:
    await take_part(met, *FIRST)
    await met.pass_(days=2)
    await met.do("noor", "me.forget", channel=None)
    await met.press("fatima", met.private("fatima")[0], "come", channel=None)
    await met.press("kwame", met.private("kwame")[0], "come", channel=None)
    await met.until(MONDAY + timedelta(days=7, hours=12))
    assert "noor" not in text_of(met.private("fatima")[-1])
    assert "kwame" in text_of(met.private("fatima")[-1])


async def settings(world: World, who: str, **values: object) -> None:
    form = await world.press(who, await world.type(who, "/ritme ik", channel=None), "settings", channel=None)
    assert isinstance(form, Form)
    await world.submit(who, form, channel=None, **values)


async def test_it_can_be_chosen_and_ended_where_one_sees_what_ritme_keeps(met: World) -> None:
    assert "bij elkaar" not in text_of(await met.type("fatima", "/ritme ik", channel=None))
    for one in FIRST:
        await settings(met, one, meets=("movement",))
    page = await met.type("fatima", "/ritme ik", channel=None)
    assert "In Samen op pad breng ik je soms bij elkaar" in text_of(page)
    said = await met.press("noor", await met.type("noor", "/ritme ik", channel=None), "no_meetings", channel=None)
    assert "breng je niet meer" in text_of(said)
    assert "bij elkaar" not in text_of(await met.type("noor", "/ritme ik", channel=None))
    await settings(met, "kwame", language="nl")
    assert "bij elkaar" in text_of(await met.type("kwame", "/ritme ik", channel=None))
    await settings(met, "kwame", meets=())
    await met.pass_(days=2)
    assert all(not any("Kom je?" in text_of(sent) for sent in met.private(one)) for one in GROUPS)


async def test_who_ends_it_before_the_proposal_comes_gets_none_and_is_named_in_none(met: World) -> None:
    await take_part(met, *FIRST)
    async with met.begin() as work:
        for one in ("noor", "kwame"):
            person = await work.people.get(PersonId(one), MovementId("movement"))
            assert person is not None
            person.quiet_from, person.quiet_until = time(8), time(14)
    await met.until(MONDAY + timedelta(days=1, hours=2))
    assert "noor" in text_of(met.private("fatima")[0])
    await met.press("noor", await met.type("noor", "/ritme ik", channel=None), "no_meetings", channel=None)
    await met.until(MONDAY + timedelta(days=2))
    assert met.private("noor") == []
    (proposal,) = met.private("kwame")
    assert "fatima" in text_of(proposal)
    assert "noor" not in text_of(proposal)

"""Company: asked only after a yes, never too much, shown together, and honest when there is nobody."""

import asyncio
from datetime import timedelta

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.delivery import DeliveryState
from bot.domain.movement import MovementId
from bot.domain.person import Language, Person, PersonId
from tests.journeys.test_stuck import buttons, episode, told
from tests.support.world import MONDAY, World, text_of

MOVEMENT = MovementId("movement")


async def settle(here: World, **people: dict[str, object]) -> None:
    """Changes people: settle(here, jan={"suggestible": True})."""
    async with here.begin() as work:
        for name, changes in people.items():
            person = await work.people.get(PersonId(name), MOVEMENT)
            assert isinstance(person, Person)
            for field, value in changes.items():
                setattr(person, field, value)


async def asked(here: World, *people: str) -> Reply:
    """Fatima is stuck among these people, asks for company and confirms. Iris does not take part."""
    await here.movement("fatima", *people)
    await settle(here, iris={"suggestible": False})
    offer = await here.press("fatima", await told(here), "company")
    return await here.press("fatima", offer, "ask_them")


async def give(here: World, who: str, idea: str = "een idee") -> Reply:
    form = await here.press(who, here.private(who)[0], "give", channel=None)
    return await here.submit(who, form, channel=None, question="een vraag", idea=idea)


async def test_names_and_words_are_shown_before_anything_is_sent(here: World) -> None:
    await here.movement("fatima", "jan", "samira", "bram")
    await settle(here, iris={"suggestible": False})
    offer = await here.press("fatima", await told(here), "company")
    assert all(name in text_of(offer) for name in ("jan", "samira", "bram", "De nacht komt niet"))
    assert all(here.private(who) == [] for who in ("jan", "samira", "bram"))
    await here.press("fatima", offer, "not_now")
    await here.pass_(days=3)
    assert all(here.private(who) == [] for who in ("jan", "samira", "bram"))


async def test_asking_twice_at_once_asks_two_people(here: World) -> None:
    await here.movement("fatima", "jan", "samira", "bram", "noor")
    await settle(here, iris={"suggestible": False})
    welcome = await told(here)
    offer = await here.press("fatima", welcome, "company")
    await asyncio.gather(*(here.press("fatima", offer, "ask_them") for _ in range(4)))
    on_its_way = await here.press("fatima", welcome, "company")
    assert buttons(on_its_way) == []
    assert "jan" in text_of(on_its_way)
    assert [len(here.private(who)) for who in ("bram", "jan", "noor", "samira")] == [1, 1, 0, 0]


async def test_both_are_shown_together_when_both_are_in_and_once(here: World) -> None:
    await asked(here, "jan", "samira")
    await give(here, "jan", "idee een")
    assert here.private("fatima") == []
    await give(here, "samira", "idee twee")
    await here.pass_(days=4)
    (together,) = here.private("fatima")
    assert "idee een" in text_of(together)
    assert "idee twee" in text_of(together)


async def test_after_two_days_what_is_there_is_shown_and_a_late_answer_still_arrives(here: World) -> None:
    await asked(here, "jan", "samira")
    await give(here, "jan", "idee een")
    await here.until(MONDAY + timedelta(hours=48))
    (together,) = here.private("fatima")
    assert "idee een" in text_of(together)
    await give(here, "samira", "idee twee")
    late = here.private("fatima")[1]
    assert "idee twee" in text_of(late)
    assert "idee een" not in text_of(late)


async def test_nobody_had_time_is_said_without_blame(here: World) -> None:
    await asked(here, "jan", "samira")
    await here.until(MONDAY + timedelta(hours=48))
    (together,) = here.private("fatima")
    assert "jan" not in text_of(together)


async def test_declining_asks_the_one_who_was_named_for_that(here: World) -> None:
    await asked(here, "jan", "samira", "bram")
    assert here.private("samira") == []
    await here.press("jan", here.private("jan")[0], "not_this_time", channel=None)
    assert len(here.private("samira")) == 1
    await give(here, "bram")
    await give(here, "samira", "idee van samira")
    (together,) = here.private("fatima")
    assert "idee van samira" in text_of(together)
    assert "jan" not in text_of(together)


async def test_when_everyone_declines_it_is_said_at_once(here: World) -> None:
    await asked(here, "jan", "samira")
    for who in ("jan", "samira"):
        await here.press(who, here.private(who)[0], "not_this_time", channel=None)
    assert len(here.private("fatima")) == 1


async def test_an_answer_is_given_once(here: World) -> None:
    await asked(here, "jan", "samira")
    form = await here.press("jan", here.private("jan")[0], "give", channel=None)
    await here.submit("jan", form, channel=None, question="een vraag", idea="eerste idee")
    again = await here.submit("jan", form, channel=None, question="een vraag", idea="tweede idee")
    assert isinstance(again, Answer)
    await here.press("jan", here.private("jan")[0], "not_this_time", channel=None)
    await give(here, "samira")
    assert "eerste idee" in text_of(here.private("fatima")[0])


async def test_nobody_is_asked_twice_in_a_week(here: World) -> None:
    await asked(here, "bram", "jan", "noor")
    for who in ("bram", "jan"):
        await give(here, who)
    other = await told_by(here, "noor")
    offer = await here.press("noor", other, "company")
    assert "fatima" in text_of(offer)
    assert "jan" not in text_of(offer)
    await here.pass_(days=7)
    assert "jan" in text_of(await here.press("noor", other, "company"))


async def told_by(here: World, who: str) -> Reply:
    form = await here.do(who, "stuck.new")
    return await here.submit(who, form, text="Het stokt", kind="other", audience="me")


async def test_with_one_or_nobody_it_says_so(here: World) -> None:
    await here.movement("fatima", "jan")
    await settle(here, iris={"stopped_at": MONDAY})
    welcome = await told(here)
    one = await here.press("fatima", welcome, "company")
    assert "jan" in text_of(one)
    await settle(here, jan={"snoozed_until": MONDAY + timedelta(days=9)})
    nobody = await here.press("fatima", welcome, "company")
    assert buttons(nobody) == ["choose_step", "invite"]
    # Confirming what was offered before: those named can no longer be asked, and nobody else is in their place.
    await here.press("fatima", one, "ask_them")
    assert here.private("jan") == []


async def test_who_is_asked_cannot_be_forged(here: World) -> None:
    await here.movement("fatima", "jan", "samira")
    await settle(here, iris={"suggestible": False}, samira={"suggestible": False})
    await told(here)
    await here.do("fatima", "company.ask", episode=(await episode(here)).id, people="samira,iris,fatima", reserve="x")
    assert all(here.private(who) == [] for who in ("samira", "iris", "jan"))
    refused = await here.do("jan", "company.ask", episode=(await episode(here)).id, people="jan")
    assert isinstance(refused, Answer)
    assert here.private("jan") == []


async def test_who_was_picked_and_not_reached_yet_can_be_taken_back(here: World) -> None:
    await here.movement("fatima", "jan")
    await here.until(MONDAY + timedelta(hours=12))
    welcome = await told(here, audience="helpers", helpers=("jan",))
    form = await here.press("fatima", welcome, "change")
    await here.submit("fatima", form, audience="me")
    await here.pass_(days=5)
    assert here.private("jan") == []
    assert here.private("fatima") == []


async def test_when_it_moves_again_nobody_is_asked_any_more(here: World) -> None:
    await here.movement("fatima", "jan")
    await here.until(MONDAY + timedelta(hours=12))
    await told(here, audience="helpers", helpers=("jan",))
    await here.press("fatima", await here.type("fatima", "/stuck"), "moves_again")
    await here.pass_(days=5)
    assert here.private("jan") == []
    assert here.private("fatima") == []
    async with here.begin() as work:
        rows = await work.deliveries.of_movement(MOVEMENT, MONDAY - timedelta(days=1), 50)
    assert {(row.state, row.reason) for row in rows} == {(DeliveryState.DROPPED, "no_longer_stuck")}


async def test_only_the_one_who_was_asked_answers(here: World) -> None:
    await asked(here, "jan", "samira")
    message = here.private("jan")[0]
    for name in ("give", "not_this_time"):
        assert not isinstance(await here.press("samira", message, name, channel=None), Form | FieldErrors)
    await give(here, "samira")
    assert here.private("fatima") == []


async def test_who_stopped_is_not_sent_anything(here: World) -> None:
    await asked(here, "jan", "samira")
    await settle(here, fatima={"stopped_at": here.clock.now()})
    for who in ("jan", "samira"):
        await give(here, who)
    assert here.private("fatima") == []


async def test_helpers_who_were_picked_do_not_stand_in_the_way_of_company(here: World) -> None:
    await here.movement("fatima", "jan", "samira", "bram")
    welcome = await told(here, audience="helpers", helpers=("jan",))
    offer = await here.press("fatima", welcome, "company")
    assert "ask_them" in buttons(offer)
    assert "jan" not in text_of(offer)


async def test_each_reads_it_in_their_own_language(here: World) -> None:
    await here.movement("fatima", "jan", "samira")
    await settle(here, iris={"suggestible": False}, jan={"language": Language.EN})
    await here.press("fatima", await here.press("fatima", await told(here), "company"), "ask_them")
    languages = [one.message.language for who in ("jan", "samira") for one in here.private(who) if one.message]
    assert languages == ["en", "nl"]

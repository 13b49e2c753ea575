"""Company: asked only after a yes, never too much, shown together, and honest when there is nobody."""

import asyncio
from datetime import timedelta

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.delivery import DeliveryState, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Language, Person, PersonId
from tests.journeys.test_stuck import buttons, episode, submit_stuck
from tests.support.world import MONDAY, World, agree, button_of, text_of

MOVEMENT = MovementId("movement")


async def update_people(world: World, **people: dict[str, object]) -> None:
    """Set fields of people: update_people(world, jan={"group": "nacht"})."""
    async with world.begin() as work:
        for name, changes in people.items():
            person = await work.people.get(PersonId(name), MOVEMENT)
            assert isinstance(person, Person)
            for field, value in changes.items():
                setattr(person, field, value)


async def ask_for_company(world: World, *people: str) -> Reply:
    """Have Fatima, stuck among these people, ask for company and confirm. Iris did not agree to be asked."""
    await world.movement("fatima", *people)
    await agree(world.begin, *people)
    offer = await world.press("fatima", await submit_stuck(world), "company")
    return await world.press("fatima", offer, "ask_them")


async def give_idea(world: World, who: str, idea: str = "een idee") -> Reply:
    form = await world.press(who, world.private(who)[0], "give", channel=None)
    return await world.submit(who, form, channel=None, question="een vraag", idea=idea)


async def test_how_many_and_which_words_are_shown_before_anything_is_sent(world: World) -> None:
    await world.movement("fatima", "jan", "samira", "bram")
    await agree(world.begin, "jan", "samira", "bram")
    offer = await world.press("fatima", await submit_stuck(world), "company")
    assert all(words in text_of(offer) for words in ("Twee collega's", "De nacht komt niet"))
    assert not any(name in text_of(offer) for name in ("jan", "samira", "bram"))
    assert all(world.private(who) == [] for who in ("jan", "samira", "bram"))
    await world.press("fatima", offer, "not_now")
    await world.pass_(days=3)
    assert all(world.private(who) == [] for who in ("jan", "samira", "bram"))


async def test_asking_twice_at_once_asks_two_people(world: World) -> None:
    await world.movement("fatima", "jan", "samira", "bram", "noor")
    await agree(world.begin, "jan", "samira", "bram", "noor")
    welcome = await submit_stuck(world)
    offer = await world.press("fatima", welcome, "company")
    await asyncio.gather(*(world.press("fatima", offer, "ask_them") for _ in range(4)))
    on_its_way = await world.press("fatima", welcome, "company")
    assert buttons(on_its_way) == []
    assert "twee collega's" in text_of(on_its_way)
    assert "woensdag 3 maart om 09:00" in text_of(on_its_way)
    assert [len(world.private(who)) for who in ("bram", "jan", "noor", "samira")] == [1, 1, 0, 0]


async def test_both_are_shown_together_when_both_are_in_and_once(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    await give_idea(world, "jan", "idee een")
    assert world.private("fatima") == []
    await give_idea(world, "samira", "idee twee")
    await world.pass_(days=4)
    (together,) = world.private("fatima")
    assert "idee een" in text_of(together)
    assert "idee twee" in text_of(together)


async def test_after_two_days_what_is_there_is_shown_and_a_late_answer_still_arrives(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    await give_idea(world, "jan", "idee een")
    await world.until(MONDAY + timedelta(hours=48))
    (together,) = world.private("fatima")
    assert "idee een" in text_of(together)
    await give_idea(world, "samira", "idee twee")
    late = world.private("fatima")[1]
    assert "idee twee" in text_of(late)
    assert "idee een" not in text_of(late)


async def test_nobody_had_time_is_said_without_blame(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    await world.until(MONDAY + timedelta(hours=48))
    (together,) = world.private("fatima")
    assert "jan" not in text_of(together)


async def test_declining_asks_the_one_who_was_named_for_that(world: World) -> None:
    await ask_for_company(world, "jan", "samira", "bram")
    assert world.private("samira") == []
    await world.press("jan", world.private("jan")[0], "not_this_time", channel=None)
    assert len(world.private("samira")) == 1
    await give_idea(world, "bram")
    await give_idea(world, "samira", "idee van samira")
    (together,) = world.private("fatima")
    assert "idee van samira" in text_of(together)
    assert "jan" not in text_of(together)


async def test_when_everyone_declines_it_is_said_at_once(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    for who in ("jan", "samira"):
        await world.press(who, world.private(who)[0], "not_this_time", channel=None)
    assert len(world.private("fatima")) == 1


async def test_an_answer_is_given_once(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    form = await world.press("jan", world.private("jan")[0], "give", channel=None)
    await world.submit("jan", form, channel=None, question="een vraag", idea="eerste idee")
    again = await world.submit("jan", form, channel=None, question="een vraag", idea="tweede idee")
    assert isinstance(again, Answer)
    await world.press("jan", world.private("jan")[0], "not_this_time", channel=None)
    await give_idea(world, "samira")
    assert "eerste idee" in text_of(world.private("fatima")[0])


async def test_who_did_not_answer_yet_is_not_said_to_have_no_time(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    await world.press("jan", world.private("jan")[0], "not_this_time", channel=None)
    await world.pass_(days=3)
    told = text_of(world.private("fatima")[-1])
    assert "niemand ruimte" not in told
    assert "Komt er later iets, dan lees je het hier." in told
    await give_idea(world, "samira", "toch een idee")
    await world.drain()
    assert "toch een idee" in text_of(world.private("fatima")[-1])


async def test_nobody_is_asked_twice_in_a_week(world: World) -> None:
    await ask_for_company(world, "bram", "jan", "noor")
    for who in ("bram", "jan"):
        await give_idea(world, who)
    other = await report_stuck(world, "noor")
    await agree(world.begin, "fatima")
    assert "Eén collega" in text_of(await world.press("noor", other, "company"))
    await world.pass_(days=7)
    offer = await world.press("noor", other, "company")
    assert "Twee collega's" in text_of(offer)
    await world.press("noor", offer, "ask_them")
    assert sorted(len(world.private(who)) for who in ("bram", "jan")) == [1, 2]
    assert "Het stokt" in text_of(world.private("fatima")[-1])


async def report_stuck(world: World, who: str) -> Reply:
    form = await world.do(who, "stuck.new")
    return await world.submit(who, form, text="Het stokt", kind="other", audience="me")


async def test_with_one_or_nobody_it_says_so(world: World) -> None:
    await world.movement("fatima", "jan")
    await agree(world.begin, "jan", "iris")
    await update_people(world, iris={"stopped_at": MONDAY})
    welcome = await submit_stuck(world)
    one = await world.press("fatima", welcome, "company")
    assert "Eén collega" in text_of(one)
    await update_people(world, jan={"snoozed_until": MONDAY + timedelta(days=9)})
    nobody = await world.press("fatima", welcome, "company")
    assert buttons(nobody) == ["pick", "choose_step"]
    assert "iris" in text_of(nobody)
    assert isinstance(await world.press("fatima", nobody, "pick"), Form)
    # Confirming what was offered before: nobody can be asked any more.
    await world.press("fatima", one, "ask_them")
    assert world.private("jan") == []


async def test_who_is_asked_cannot_be_forged(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan")
    await submit_stuck(world)
    await world.do("fatima", "company.ask", episode=(await episode(world)).id, people="samira,iris,fatima", reserve="x")
    assert all(world.private(who) == [] for who in ("samira", "iris", "jan"))
    refused = await world.do("jan", "company.ask", episode=(await episode(world)).id, people="jan")
    assert isinstance(refused, Answer)
    assert world.private("jan") == []


async def test_who_was_picked_and_not_reached_yet_can_be_taken_back(world: World) -> None:
    await world.movement("fatima", "jan")
    await world.until(MONDAY + timedelta(hours=12))
    welcome = await submit_stuck(world, audience="helpers", helpers=("jan",))
    form = await world.press("fatima", welcome, "change")
    await world.submit("fatima", form, audience="me")
    await world.pass_(days=5)
    assert world.private("jan") == []
    assert world.private("fatima") == []


async def test_when_it_moves_again_nobody_is_asked_any_more(world: World) -> None:
    await world.movement("fatima", "jan")
    await world.until(MONDAY + timedelta(hours=12))
    await submit_stuck(world, audience="helpers", helpers=("jan",))
    await world.press("fatima", await world.type("fatima", "/stuck"), "moves_again")
    await world.pass_(days=5)
    assert world.private("jan") == []
    assert world.private("fatima") == []
    async with world.begin() as work:
        rows = await work.deliveries.of_movement(MOVEMENT, MONDAY - timedelta(days=1), 50)
    assert {(row.state, row.reason) for row in rows} == {(DeliveryState.DROPPED, "no_longer_stuck")}


async def test_only_the_one_who_was_asked_answers(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    message = world.private("jan")[0]
    for name in ("give", "not_this_time"):
        assert not isinstance(await world.press("samira", message, name, channel=None), Form | FieldErrors)
    await give_idea(world, "samira")
    assert world.private("fatima") == []


async def test_who_stopped_is_not_sent_anything(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    await give_idea(world, "jan")
    form = await world.press("samira", world.private("samira")[0], "give", channel=None)
    await update_people(world, fatima={"stopped_at": world.clock.now()})
    told = await world.submit("samira", form, channel=None, question="een vraag", idea="een idee")
    assert "niet doorgeven" in text_of(told)
    await world.pass_(days=4)
    assert world.private("fatima") == []


async def test_helpers_who_were_picked_do_not_stand_in_the_way_of_company(world: World) -> None:
    await world.movement("fatima", "jan", "samira", "bram")
    await agree(world.begin, "samira", "bram")
    welcome = await submit_stuck(world, audience="helpers", helpers=("jan",))
    offer = await world.press("fatima", welcome, "company")
    await world.press("fatima", offer, "ask_them")
    assert [len(world.private(who)) for who in ("jan", "samira", "bram")] == [1, 1, 1]


async def test_each_reads_it_in_their_own_language(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan", "samira")
    await update_people(world, jan={"language": Language.EN})
    await world.press("fatima", await world.press("fatima", await submit_stuck(world), "company"), "ask_them")
    languages = [one.message.language for who in ("jan", "samira") for one in world.private(who) if one.message]
    assert languages == ["en", "nl"]


async def test_who_answers_is_named_from_then_on(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    await give_idea(world, "jan")
    stands = text_of(await world.do("fatima", "company", episode=(await episode(world)).id))
    assert "jan" in stands
    assert "samira" not in stands


async def test_only_who_agreed_in_this_movement_is_asked(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan", answer=False)
    nobody = await world.press("fatima", await submit_stuck(world), "company")
    assert buttons(nobody) == ["pick", "choose_step"]
    await world.do("fatima", "company.ask", episode=(await episode(world)).id, most="2")
    assert all(world.private(who) == [] for who in ("jan", "samira", "iris"))


async def test_an_offer_that_named_people_is_made_anew(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan")
    await submit_stuck(world)
    anew = await world.do(
        "fatima", "company.ask", episode=(await episode(world)).id, people="samira,jan", reserve="iris"
    )
    assert "ask_them" in buttons(anew)
    assert all(world.private(who) == [] for who in ("jan", "samira", "iris"))


async def test_of_one_colleague_that_was_offered_two_are_not_made(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan")
    offer = await world.press("fatima", await submit_stuck(world), "company")
    await agree(world.begin, "samira")
    await world.press("fatima", offer, "ask_them")
    assert sorted(len(world.private(who)) for who in ("jan", "samira")) == [0, 1]


async def test_who_was_asked_enough_is_not_asked_for_company(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan")
    for text in ("een", "twee"):
        await submit_stuck(world, audience="helpers", helpers=("jan",), text=text)
    third = await submit_stuck(world, audience="helpers", helpers=("jan", "samira"), text="drie")
    assert isinstance(third, FieldErrors)
    assert "jan" in third.errors["helpers"]
    assert "samira" not in third.errors["helpers"]
    nobody = await world.press("fatima", await submit_stuck(world), "company")
    assert buttons(nobody) == ["pick", "choose_step"]
    assert len(world.private("jan")) == 2
    assert world.private("samira") == []
    await world.pass_(days=31)
    assert isinstance(await submit_stuck(world, audience="helpers", helpers=("jan",), text="vier"), Answer)


async def test_who_wants_nothing_now_cannot_be_picked(world: World) -> None:
    await world.movement("fatima", "jan")
    await update_people(world, jan={"stopped_at": MONDAY})
    reply = await submit_stuck(world, audience="helpers", helpers=("jan",))
    assert isinstance(reply, FieldErrors)
    assert "jan" in reply.errors["helpers"]


async def test_the_answers_stay_when_it_may_rest(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    for who in ("jan", "samira"):
        await give_idea(world, who, f"idee van {who}")
    (together,) = world.private("fatima")
    rested = await world.press("fatima", together, "not_now", channel=None)
    assert isinstance(rested, Answer)
    assert rested.replaces
    assert buttons(rested) == ["choose_step", "moves_again"]
    assert all(f"idee van {who}" in text_of(rested) for who in ("jan", "samira"))
    assert await world.press("fatima", together, "not_now", channel=None) is None
    assert not isinstance(await world.do("jan", "company.rest", episode=(await episode(world)).id, round="1"), Form)


async def test_words_added_after_asking_are_kept_apart(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan", "samira")
    await world.until(MONDAY + timedelta(hours=12))
    welcome = await world.type("fatima", "/stuck de nacht komt niet")
    await world.press("fatima", await world.press("fatima", welcome, "company"), "ask_them")
    form = await world.press("fatima", welcome, "change")
    assert isinstance(form, Form)
    assert "leest dit ook" in form.note
    await world.type("fatima", "/stuck en ik ben het zat")
    await world.pass_(days=1)
    for who in ("jan", "samira"):
        (asked,) = world.private(who)
        assert "de nacht komt niet" in text_of(asked)
        assert "zat" not in text_of(asked)


async def test_the_moment_that_is_named_holds_in_a_full_week_and_over_a_weekend(world: World) -> None:
    await world.movement("fatima", "jan", "samira")
    await agree(world.begin, "jan", "samira")
    await world.until(MONDAY + timedelta(days=3))  # Thursday; two days later it is weekend, and quiet
    for number in range(2):
        async with world.begin() as work:
            fatima = await work.people.get(PersonId("fatima"), MOVEMENT)
            assert fatima is not None
            nudge = to_person(
                fatima,
                "went_quiet",
                key=f"nudge-{number}",
                now=world.clock.now(),
                movement=MOVEMENT,
                priority=Priority.NEWS,
            )
            await work.deliveries.add(nudge)
    await world.drain()
    full = len(world.private("fatima"))
    assert full == 2
    offer = await world.press("fatima", await submit_stuck(world), "company")
    said = text_of(await world.press("fatima", offer, "ask_them"))
    assert "maandag 8 maart om 08:00" in said
    await world.until(MONDAY + timedelta(days=7, hours=-1, seconds=-1))
    assert len(world.private("fatima")) == full
    await world.pass_(seconds=1)
    assert len(world.private("fatima")) == full + 1


async def test_an_answer_is_read_by_who_asked_alone(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    for who in ("jan", "samira"):
        await give_idea(world, who, f"idee van {who}")
    await world.pass_(days=10)
    readers = {one.post.account for one in world.messenger.sent if "idee van" in str(one.message)}
    assert readers == {"fatima"}
    together, *_ = world.private("fatima")
    assert "jan vraagt" in text_of(together), "with the name that the form said"
    assert world.private("iris") == world.posts() == []


async def test_who_stays_silent_is_replaced_by_the_reserves(world: World) -> None:
    await ask_for_company(world, "jan", "samira", "bram", "noor")
    silent, asked = [who for who in ("jan", "samira", "bram", "noor") if not world.private(who)], ["bram", "jan"]
    await world.until(MONDAY + timedelta(hours=48))
    (told,) = world.private("fatima")
    assert "Ik vroeg het nu aan twee anderen" in text_of(told)
    assert "vrijdag 5 maart" in text_of(told)
    assert [len(world.private(who)) for who in silent] == [1, 1]
    for who in silent:
        await give_idea(world, who, f"idee van {who}")
    together = text_of(world.private("fatima")[-1])
    assert all(f"idee van {who}" in together for who in silent)
    await give_idea(world, asked[0], "toch nog")
    assert "toch nog" in text_of(world.private("fatima")[-1])


async def test_beside_an_answer_another_is_asked_and_nothing_is_said_when_nothing_comes(world: World) -> None:
    await ask_for_company(world, "jan", "samira", "bram")
    asked = [who for who in ("jan", "samira", "bram") if world.private(who)]
    await give_idea(world, asked[0], "idee een")
    await world.until(MONDAY + timedelta(hours=48))
    (together,) = world.private("fatima")
    assert "idee een" in text_of(together)
    assert "Ik vroeg het ook nog aan een ander" in text_of(together)
    assert all(len(world.private(who)) == 1 for who in ("jan", "samira", "bram"))
    await world.pass_(days=6)
    assert len([one for one in world.private("fatima") if "meegedacht" in text_of(one)]) == 1


async def test_when_nobody_could_there_are_questions_at_once(world: World) -> None:
    await ask_for_company(world, "jan", "samira")
    for who in ("jan", "samira"):
        await world.press(who, world.private(who)[0], "not_this_time", channel=None)
    (told,) = world.private("fatima")
    assert "Misschien helpt een van deze vragen" in text_of(told)
    assert text_of(told).removesuffix("Genoeg zo? Kies “Nu niet”.").count("?") == 3


async def test_with_nobody_to_ask_there_are_questions_and_who_solved_it_before(world: World) -> None:
    await world.movement("fatima", "jan")
    spell = await world.submit("jan", await world.do("jan", "stuck.new"), text="x", kind="reach", audience="me")
    ended = await world.do("jan", "stuck.moves_again", args=button_of(spell, "not_now").args)
    form = await world.press("jan", ended, "tell_story")
    await world.submit("jan", form, text="Taart hielp.", named="with", readers="movement")
    nobody = await world.press("fatima", await submit_stuck(world), "company")
    assert text_of(nobody).count("?") == 3
    assert "Taart hielp." in text_of(await world.press("fatima", nobody, "solved"))


class TestWhoTakesBackTheirYesBeforeTheRequestIsSent:
    async def withdraw(self, world: World, who: str) -> None:
        assert world.private(who) == []
        await world.do(who, "suggest.no", movement="movement", channel=None)

    async def test_gets_none_and_another_is_asked_instead(self, world: World) -> None:
        await world.pass_(hours=12)  # into quiet hours: what is asked waits
        await ask_for_company(world, "jan", "samira", "bram")
        asked = [who for who in ("jan", "samira", "bram") if await is_asked(world, who)]
        assert len(asked) == 2
        (other,) = {"jan", "samira", "bram"} - set(asked)
        await self.withdraw(world, asked[0])
        await world.pass_(hours=13)
        assert [len(world.private(who)) for who in (asked[0], asked[1], other)] == [0, 1, 1]
        assert world.private("fatima") == []

    async def test_leaves_the_round_to_who_is_left_and_is_named_to_nobody(self, world: World) -> None:
        await world.pass_(hours=12)
        await ask_for_company(world, "jan", "samira")
        await self.withdraw(world, "samira")
        await world.pass_(hours=13)
        await give_idea(world, "jan", "idee een")
        await world.pass_(hours=1)
        (together,) = world.private("fatima")
        assert "idee een" in text_of(together)
        assert "samira" not in text_of(together)
        assert world.private("samira") == []

    async def test_leaves_questions_when_nobody_is_left(self, world: World) -> None:
        await world.pass_(hours=12)
        await ask_for_company(world, "jan")
        await self.withdraw(world, "jan")
        await world.pass_(days=3)
        (said,) = world.private("fatima")
        assert "jan" not in text_of(said).casefold()


async def is_asked(world: World, who: str) -> bool:
    spell = (await episode(world)).id
    async with world.begin() as work:
        return who in {person.id for _, person in await work.stuck.company_of(spell, MOVEMENT)}

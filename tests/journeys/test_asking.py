"""Suggestions and asks over two movements: a yes for each, one limit, and no nomination shown."""

from random import Random

import pytest

from bot.chat import Answer, Form
from bot.domain.connectors import KeyFigure
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, PersonId, WorkspaceId
from tests.journeys.test_stuck import submit_stuck
from tests.support.stories import is_declined
from tests.support.world import LANE, World, agree, button_of, text_of

OURS, THEIRS = MovementId("movement"), MovementId("other")
WALK, GARDEN = "walk", "garden"


async def add_movements(world: World, *people: str, both: tuple[str, ...] = ()) -> None:
    """Add our movement, in #general, and another, in #garden, to which `both` belong too; an initiative in each."""
    await world.movement(*people)
    now = world.clock.now()
    async with world.begin() as work:
        work.movements.add(Movement(id=THEIRS, name="Buiten is beter", language=Language.NL, started_at=now))
        place = Place(id=PlaceId(GARDEN), workspace_id=WorkspaceId(LANE), channel=GARDEN, name=GARDEN, created_at=now)
        place.movement_id = THEIRS
        work.movements.add(place)
        for one in both:
            work.movements.add(Member(movement_id=THEIRS, person_id=PersonId(one), joined_at=now))
        for name, movement in ((WALK, OURS), (GARDEN, THEIRS)):
            work.initiatives.add(
                Initiative(id=InitiativeId(name), movement_id=movement, name=name, started_by=None, started_at=now)
            )


async def look(world: World, who: str, initiative: str = WALK, figure: str = "connector") -> str:
    channel = "general" if initiative == WALK else GARDEN
    return text_of(await world.do(who, "connect.look", initiative=initiative, figure=figure, channel=channel))


class TestAYesIsOfOneMovement:
    async def test_said_in_the_settings_for_all_of_eight(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne", both=("sanne",))
        now = world.clock.now()
        async with world.begin() as work:
            for number in range(6):
                more = MovementId(f"more{number}")
                work.movements.add(Movement(id=more, name=f"Meer {number}", language=Language.NL, started_at=now))
                member = Member(movement_id=more, person_id=PersonId("sanne"), joined_at=now)
                member.suggestible = True if number == 5 else None
                work.movements.add(member)
        form = await world.press("sanne", await world.type("sanne", "/ritme ik"), "settings")
        assert isinstance(form, Form)
        (others,) = [one for one in form.fields if one.name == "suggestible_others"]
        labels = {one.label: one.value for one in others.options}
        asked = " ".join(one.label for one in form.fields) + " ".join(labels)
        for name in ("Samen op pad", "Buiten is beter", *(f"Meer {number}" for number in range(6))):
            assert name in asked
        assert others.value == ("more5",)
        first, *_ = [one for one in labels.values() if one != "more5"]
        await world.submit("sanne", form, suggestible_others=(first,))
        async with world.begin() as work:
            belongs = await work.movements.of_person(PersonId("sanne"))
        said = {movement.id: member.suggestible for movement, member in belongs}
        assert said.pop(MovementId(first)) is True
        assert said.pop(MovementId("more5")) is False
        assert set(said.values()) == {None}, "what was left open stays open"

    async def test_said_in_the_settings_for_each(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne", both=("fatima", "sanne"))
        form = await world.press("sanne", await world.type("sanne", "/ritme ik"), "settings")
        assert isinstance(form, Form)
        labels = {one.name: one.label for one in form.fields}
        assert "Samen op pad" in labels["suggestible"]
        assert "Buiten is beter" in labels["suggestible_2"]
        await world.submit("sanne", form, suggestible="yes", suggestible_2="no", figures=("connector",))
        assert "Samen op pad" in text_of(await world.type("sanne", "/ritme ik"))
        assert "sanne" in await look(world, "fatima")
        assert "sanne" not in await look(world, "fatima", GARDEN)
        refused = await world.do("fatima", "invite", person="sanne", initiative=GARDEN, channel=GARDEN)
        assert is_declined(refused, "not_found")

        shown = await world.type("sanne", "/ritme ik", channel=GARDEN)
        form = await world.press("sanne", shown, "settings", channel=GARDEN)
        assert isinstance(form, Form)
        assert "Buiten is beter" in form.fields[3].label, "where they are comes first"
        await world.submit("sanne", form, channel=GARDEN, suggestible="yes", suggestible_2="no")
        assert "sanne" not in await look(world, "fatima")

    async def test_other_settings_leave_it_as_it_was(self, world: World) -> None:
        await add_movements(world, "sanne", both=("sanne",))
        await agree(world.begin, "sanne", figures=("maven",))
        form = await world.press("sanne", await world.type("sanne", "/ritme ik"), "settings")
        await world.submit("sanne", form, group="Nacht")
        async with world.begin() as work:
            said = {member.movement_id: member for _, member in await work.movements.of_person(PersonId("sanne"))}
        assert (said[OURS].suggestible, said[OURS].figures) == (True, ["maven"])
        assert (said[THEIRS].suggestible, said[THEIRS].figures) == (None, [])

    async def test_nor_is_company_asked_of_who_agreed_elsewhere(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne", both=("fatima", "sanne"))
        await agree(world.begin, "sanne", movement=THEIRS)
        offer = await world.press("fatima", await submit_stuck(world), "company")
        assert "ask_them" not in [one.name for one in offer.message.buttons]  # type: ignore[union-attr]


class TestAsksCountOverAllMovements:
    async def test_whatever_kind_they_are(self, world: World) -> None:
        await add_movements(world, "fatima", "jan", "sanne", both=("jan", "sanne"))
        for movement in (OURS, THEIRS):
            await agree(world.begin, "sanne", movement=movement, figures=("connector",))
        offer = await world.press("fatima", await submit_stuck(world), "company")
        await world.press("fatima", offer, "ask_them")
        sent = await world.do("jan", "invite.send", person="sanne", initiative=GARDEN, text="Kom je?", channel=GARDEN)
        assert "Kom je?" in text_of(sent)
        assert len(world.private("sanne")) == 2
        for movement in (WALK, GARDEN):
            assert "sanne" not in await look(world, "jan", movement)
        again = await world.do("jan", "invite.send", person="sanne", initiative=WALK, text="Kom je?")
        assert is_declined(again, "cannot_be_asked")
        other = await world.do("jan", "stuck.report", text="Het stokt", kind="other", audience="me")
        offer = await world.press("jan", other, "company")
        assert "ask_them" not in [one.name for one in offer.message.buttons]  # type: ignore[union-attr]
        await world.pass_(days=31)
        assert "sanne" in await look(world, "jan")

    async def test_asked_later_counts_and_waits_for_its_turn(self, world: World) -> None:
        await add_movements(world, "fatima", "jan", "sanne", both=("jan", "sanne"))
        for movement in (OURS, THEIRS):
            await agree(world.begin, "sanne", movement=movement)
        await world.do("fatima", "invite.send", person="sanne", initiative=WALK, text="Loop je mee?")
        await world.pass_(days=3)
        await world.do("jan", "invite.send", person="sanne", initiative=GARDEN, text="Kom je?", channel=GARDEN)
        said = await world.press("sanne", world.private("sanne")[-1], "later", channel=None)
        assert "31 maart" in text_of(said), "a month after the first"
        await world.pass_(days=26)
        assert len(world.private("sanne")) == 2
        await world.pass_(days=4)
        assert "Kom je?" in text_of(world.private("sanne")[-1])
        assert len(world.private("sanne")) == 3

    async def test_the_question_of_a_nomination_comes_when_there_is_room(self, world: World) -> None:
        await add_movements(world, "fatima", "jan", "sanne", both=("sanne",))
        await agree(world.begin, "sanne", movement=THEIRS)
        async with world.begin() as work:
            work.movements.add(Member(movement_id=THEIRS, person_id=PersonId("jan"), joined_at=world.clock.now()))
        await world.do("jan", "invite.send", person="sanne", initiative=GARDEN, text="Kom je?", channel=GARDEN)
        await world.do("jan", "invite.send", person="sanne", text="En anders?", channel=GARDEN)
        before = len(world.private("sanne"))
        assert before == 2
        await world.submit("fatima", await world.type("fatima", "/ritme noem"), connector=("sanne",))
        await world.pass_(days=20)
        assert len(world.private("sanne")) == before
        await world.pass_(days=12)
        assert "suggest.yes" in [one.intent for one in world.private("sanne")[before].message.buttons]  # type: ignore[union-attr]


class TestANominationIsNeverShown:
    async def test_the_question_names_nobody_and_the_answer_tells_nothing(self, world: World) -> None:
        await world.movement("fatima", "jan", "sanne", "bram", "wim")
        await agree(world.begin, "bram")
        await agree(world.begin, "wim", answer=False)
        replies = [
            text_of(await world.submit("jan", await world.type("jan", "/ritme noem"), connector=(one,)))
            for one in ("sanne", "bram", "wim", "iris")
        ]
        named = zip(replies, ("sanne", "bram", "wim", "iris"), strict=True)
        assert len({reply.replace(one, "…") for reply, one in named}) == 1
        [asked] = world.private("sanne")
        assert "jan" not in text_of(asked)
        assert world.private("bram") == world.private("wim") == []

    @pytest.mark.parametrize("seed", range(6))
    async def test_no_suggestion_depends_on_one(self, world: World, seed: int) -> None:
        """Name people at random, nobody as the same by two: what anybody is suggested stays the same, to the letter."""
        random, people = Random(seed), ["fatima", "jan", "sanne", "bram", "wim", "noor"]
        await add_movements(world, *people)
        now = world.clock.now()
        async with world.begin() as work:
            for one in people:
                member = await work.movements.membership(OURS, PersonId(one))
                person = await work.people.get(PersonId(one), OURS)
                assert member is not None
                assert person is not None
                person.group = random.choice(("", "dag", "nacht"))
                if random.random() < 0.7:
                    member.agree(*random.sample(list(KeyFigure), random.randint(1, 3)))
                else:
                    member.decline()
            for _ in range(5):
                await work.connecting.strengthen(OURS, *map(PersonId, random.sample(people, 2)), now)
            for one in random.sample(people, 2):
                work.initiatives.add(
                    Participant(
                        initiative_id=InitiativeId(WALK), movement_id=OURS, person_id=PersonId(one), joined_at=now
                    )
                )

        async def suggestions() -> list[str]:
            return [await look(world, who, figure=figure) for who in people for figure in KeyFigure]

        before = await suggestions()
        assert any(one in text for one in people for text in before)
        for figure, of in random.sample([(figure, of) for figure in KeyFigure for of in people], 12):
            by = random.choice([one for one in people if one != of])
            await world.do(by, "nominate.save", args={figure.value: (of,)})
        await world.pass_(days=3)
        assert await suggestions() == before

    async def test_who_knows_whom_is_told_only_of_two_who_agreed(self, world: World) -> None:
        await add_movements(world, "fatima", "jan", "sanne")
        now = world.clock.now()
        async with world.begin() as work:
            await work.connecting.strengthen(OURS, PersonId("jan"), PersonId("sanne"), now)
            work.initiatives.add(
                Participant(
                    initiative_id=InitiativeId(WALK), movement_id=OURS, person_id=PersonId("jan"), joined_at=now
                )
            )
        await agree(world.begin, "sanne", figures=("connector",))
        assert "jan" not in await look(world, "fatima")
        await agree(world.begin, "jan")
        assert "jan kent sanne" in await look(world, "fatima")

    async def test_named_again_one_reads_so_oneself_and_says_what_may(self, world: World) -> None:
        await add_movements(world, "fatima", "jan", "sanne")
        await agree(world.begin, "sanne", figures=("connector",))
        await world.submit("jan", await world.type("jan", "/ritme noem"), maven=("sanne",))
        assert world.private("sanne") == []
        assert "veel van het vak" not in await look(world, "fatima", figure="maven")
        shown = await world.type("sanne", "/ritme ik", channel=None)
        assert "jan" not in text_of(shown)
        await world.press("sanne", shown, "also_yes", channel=None)
        assert "sanne weet veel van het vak" in (await look(world, "fatima", figure="maven")).replace("*", "")
        after = await world.type("sanne", "/ritme ik")
        assert "also_yes" not in [one.name for one in after.message.buttons]  # type: ignore[union-attr]


class TestAnInvitation:
    async def test_is_drafted_for_who_reads_it_and_explained_to_who_sends_it(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        async with world.begin() as work:
            person = await work.people.get(PersonId("sanne"), OURS)
            assert person is not None
            person.language = Language.EN
            person.chose = ["language"]
        await submit_stuck(world)
        form = await world.do("fatima", "invite", person="sanne", initiative=WALK)
        assert isinstance(form, Form)
        [text] = [one.value for one in form.fields]
        assert text == "Hi sanne, may I ask you something about walk? Best, fatima"
        assert "Hoi sanne, mag ik je iets vragen over walk? Groet, fatima" in form.note
        await world.submit("fatima", form, text="Will you walk with us?")
        received = text_of(world.private("sanne")[-1])
        assert "Will you walk with us?" in received
        assert "may I ask" not in received
        assert "stuck" not in received

    async def test_says_nothing_twice_to_who_reads_the_same_language(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        form = await world.do("fatima", "invite", person="sanne")
        assert isinstance(form, Form)
        assert "vragen" not in form.note

    async def test_sent_twice_is_one(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        answers = [text_of(await world.do("fatima", "invite.send", person="sanne", text="Kom je?")) for _ in range(3)]
        assert len(set(answers)) == 1
        assert len(world.private("sanne")) == 1

    async def test_does_not_say_that_an_inviter_hears_who_reads_nothing(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        await world.type("fatima", "stop", channel=None)
        await world.do("fatima", "invite.send", person="sanne", text="Kom je?")
        assert "leest nu geen berichten van mij" in text_of(world.private("sanne")[-1])

    @pytest.mark.parametrize("name", ["accept", "later", "decline"])
    async def test_answered_four_times_is_answered_once(self, world: World, name: str) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        await world.do("fatima", "invite.send", person="sanne", text="Kom je?")
        card = world.private("sanne")[-1]
        answers = [await world.press("sanne", card, name, channel=None) for _ in range(4)]
        for one in answers:
            assert one is None or (isinstance(one, Answer) and one.replaces)
        assert len({text_of(one) for one in answers if one is not None}) == 1
        assert len(world.private("fatima")) == 1

    async def test_of_someone_who_was_forgotten_names_nobody(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        await world.do("fatima", "invite.send", person="sanne", text="Kom je?")
        accept = button_of(world.private("sanne")[-1], "accept")
        await world.do("fatima", "me.forget", channel=None)
        assert "fatima" not in text_of(world.private("sanne")[-1])
        said = await world.do("sanne", accept.intent, args=accept.args, channel=None)
        assert is_declined(said, "invitation_gone")

    async def test_to_whom_it_is_told_when_the_inviter_reads_nothing(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        await world.do("fatima", "invite.send", person="sanne", text="Kom je?")
        await world.type("fatima", "/ritme stop", channel=None)
        said = await world.press("sanne", world.private("sanne")[-1], "accept", channel=None)
        assert "hoort het van mij" not in text_of(said)
        assert "fatima" in text_of(said)


class TestAMeeting:
    async def test_told_twice_counts_once_and_a_no_of_the_other_ties_nobody(self, world: World) -> None:
        await add_movements(world, "fatima", "sanne")
        await agree(world.begin, "sanne")
        await world.do("fatima", "invite.send", person="sanne", text="Kom je?")
        await world.press("sanne", world.private("sanne")[-1], "accept", channel=None)
        await world.pass_(days=8)
        card = world.private("fatima")[-1]
        for _ in range(3):
            await world.press("fatima", card, "met", channel=None)
        await world.pass_(days=2)
        confirm = world.private("sanne")[-1]
        assert "fatima" in text_of(confirm)
        await world.press("sanne", confirm, "not_met", channel=None)
        async with world.begin() as work:
            assert await work.connecting.ties(OURS) == []
        await world.press("sanne", confirm, "met", channel=None)
        async with world.begin() as work:
            [tie] = await work.connecting.ties(OURS)
        assert tie.strength == 1

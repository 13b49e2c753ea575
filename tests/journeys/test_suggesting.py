"""People are suggested together, each for a true reason; nothing follows about who did not say yes."""

import asyncio
from collections.abc import Collection, Sequence
from random import Random

import pytest

from bot.chat import Answer
from bot.domain.connectors import RESTS, KeyFigure, Nomination, NominationId
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.support.stories import is_declined
from tests.support.world import World, agree, button_of, text_of

OURS, WALK, GARDEN = MovementId("movement"), "walk", "garden"
DAY, NIGHT = "Dagdienst", "Nachtdienst"
NIGHTS = tuple(f"n{number}" for number in range(6))


async def add_world(
    world: World,
    groups: dict[str, str],
    *,
    ties: Sequence[tuple[str, str]] = (),
    agreed: Collection[str] = (),
    inside: Collection[str] = ("fatima",),
) -> None:
    """Add a movement of people with their groups, ties, and who agreed; two initiatives, `inside` in the first."""
    await world.movement(*groups)
    now = world.clock.now()
    async with world.begin() as work:
        for who, group in groups.items():
            person = await work.people.get(PersonId(who), OURS)
            assert person is not None
            person.group = group
        for one, other in ties:
            await work.connecting.strengthen(OURS, PersonId(one), PersonId(other), now)
        for name in (WALK, GARDEN):
            work.initiatives.add(
                Initiative(id=InitiativeId(name), movement_id=OURS, name=name, started_by=None, started_at=now)
            )
        for who in inside:
            work.initiatives.add(
                Participant(initiative_id=InitiativeId(WALK), movement_id=OURS, person_id=PersonId(who), joined_at=now)
            )
    await agree(world.begin, *agreed)


async def look(world: World, who: str = "fatima", figure: str = "connector", about: str = WALK) -> Answer:
    reply = await world.do(who, "connect.look", initiative=about, figure=figure)
    assert isinstance(reply, Answer)
    return reply


def read(reply: object) -> str:
    return text_of(reply).replace("*", "")  # type: ignore[arg-type]


async def name(world: World, who: str, whom: str, figure: KeyFigure) -> None:
    nomination = Nomination(
        id=NominationId(new_id()),
        movement_id=OURS,
        nominator_id=PersonId(who),
        nominee_id=PersonId(whom),
        figure=figure,
        at=world.clock.now(),
    )
    async with world.begin() as work:
        work.connecting.add(nomination)


async def add_bridges(world: World, **groups: str) -> None:
    """Add a world in which only sanne and wim together reach the night shift, who want no messages now."""
    groups |= {**dict.fromkeys(("fatima", "jan", "sanne", "wim", "bram"), DAY), **dict.fromkeys(NIGHTS, NIGHT)}
    ties = [(one, who) for one in ("sanne", "wim") for who in NIGHTS] + [("fatima", "jan")]
    await add_world(world, groups, ties=ties, agreed=("sanne", "wim", "bram", "fatima", *NIGHTS))
    async with world.begin() as work:
        for who in NIGHTS:
            person = await work.people.get(PersonId(who), OURS)
            assert person is not None
            person.stopped_at = world.clock.now()


class TestSuggested:
    async def test_two_who_reach_a_group_together_and_do_not_know_each_other(self, world: World) -> None:
        await add_bridges(world)
        said = read(await look(world))
        assert "sanne kent mensen in Nachtdienst" in said
        assert "wim kent mensen in Nachtdienst" in said
        assert "Samen bereiken ze Nachtdienst." in said

    async def test_strangers_are_called_so_only_as_far_as_may_be_told(self, world: World) -> None:
        await add_world(world, {"fatima": "", "sanne": "", "wim": ""}, agreed=("sanne", "wim"))
        said = read(await look(world))
        assert "Voor zover ik mag zeggen, kent nog niemand hier deze twee, en kennen ze elkaar ook niet." in said
        assert said.count("Voor zover") == 1
        async with world.begin() as work:
            await work.connecting.strengthen(OURS, PersonId("wim"), PersonId("sanne"), world.clock.now())
        said = read(await look(world))
        assert "Voor zover ik mag zeggen, kent nog niemand hier deze twee." in said
        assert "elkaar" not in said

    async def test_the_warm_path_or_that_nobody_knows_them(self, world: World) -> None:
        groups = dict.fromkeys(("fatima", "jan", "sanne", "wim", "bram"), "")
        ties = [("jan", "sanne"), ("fatima", "wim")]
        await add_world(world, groups, ties=ties, agreed=("jan", "sanne", "wim", "bram"), inside=("fatima", "jan"))
        said = read(await look(world))
        assert "jan kent sanne." in said
        assert "wim vindt het goed om gevraagd te worden. Jullie kennen elkaar." in said
        assert "Voor zover ik mag zeggen, kent nog niemand hier bram" in said
        assert said.count("Voor zover") == 1

    @pytest.mark.parametrize(
        ("namers", "told"), [(("jan",), False), (("jan", "fatima"), False), (("jan", "wim"), True)]
    )
    async def test_named_by_colleagues_from_two_others_on(
        self, world: World, namers: tuple[str, ...], told: bool
    ) -> None:
        await add_world(world, dict.fromkeys(("fatima", "jan", "wim", "sanne"), ""))
        await agree(world.begin, "sanne", figures=("maven",))
        for who in namers:
            await name(world, who, "sanne", KeyFigure.MAVEN)
        said = read(await look(world, figure="maven"))
        assert ("Collega’s noemden sanne als iemand die veel van het vak weet" in said) is told
        assert not {"jan", "wim"} & set(said.split())

    async def test_named_as_what_they_do_not_want_is_never_told(self, world: World) -> None:
        await add_world(world, dict.fromkeys(("fatima", "jan", "wim", "sanne"), ""), agreed=("sanne",))
        for who in ("jan", "wim", "iris"):
            await name(world, who, "sanne", KeyFigure.MAVEN)
        said = read(await look(world, figure="maven"))
        assert "sanne vindt het goed om gevraagd te worden" in said
        assert "noemden" not in said

    async def test_who_rests_or_was_asked_twice_anywhere_is_left_out(self, world: World) -> None:
        groups = dict.fromkeys(("fatima", "jan", "sanne", "wim", "bram"), "")
        await add_world(world, groups, agreed=("sanne", "wim", "bram"))
        for who in ("jan", "iris"):
            await world.do(who, "invite.send", person="sanne", text="Kom je?")
        await world.type("wim", "/ritme stop", channel=None)
        said = read(await look(world))
        assert "bram" in said
        assert not {"sanne", "wim"} & set(said.replace(".", " ").split())

    async def test_who_takes_a_yes_back_while_it_is_computed_is_not_named(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await add_world(world, dict.fromkeys(("fatima", "sanne", "wim"), ""), agreed=("sanne", "wim"))
        advise = world.ritme._networks.advise

        async def withdraw_meanwhile(needs: object) -> object:
            advice = await advise(needs)  # type: ignore[arg-type]
            # Another writer is not kept waiting: no transaction is open now.
            await asyncio.wait_for(agree(world.begin, "sanne", answer=False), 5)
            return advice

        monkeypatch.setattr(world.ritme._networks, "advise", withdraw_meanwhile)
        said = read(await look(world))
        assert "wim" in said
        assert "sanne" not in said


class TestTaught:
    @pytest.mark.parametrize("button", ["someone_else", "set_aside"])
    async def test_rests_for_this_initiative_and_this_inviter(self, world: World, button: str) -> None:
        people = ("sanne", "wim", "bram", "noor", "kees")
        await add_world(world, dict.fromkeys(("fatima", "jan", *people), ""), agreed=people)
        card = await look(world)
        first = {who for who in people if who in read(card)}
        assert len(first) == 3
        answer = await world.press("fatima", card, button)
        assert isinstance(answer, Answer)
        assert answer.replaces
        others = {who for who in people if who in read(await look(world))}
        assert others == set(people) - first
        if button == "someone_else":
            assert {who for who in people if who in read(answer)} == others
        assert {who for who in people if who in read(await look(world, "jan"))} == first
        assert {who for who in people if who in read(await look(world, about=GARDEN))} == first
        assert all(world.private(who) == [] for who in people)
        await world.pass_(days=RESTS.days + 1)
        assert {who for who in people if who in read(await look(world))} == first

    async def test_when_nobody_is_left_that_is_said(self, world: World) -> None:
        await add_world(world, dict.fromkeys(("fatima", "sanne"), ""), agreed=("sanne",))
        answer = await world.press("fatima", await look(world), "someone_else")
        assert "Verder weet ik nu niemand" in read(answer)
        assert button_of(answer, "nominate")


class TestWhy:
    async def test_shows_groups_of_five_and_nobody_else(self, world: World) -> None:
        more = {f"d{number}": DAY for number in range(5)}
        await add_bridges(world, kees="Staf", piet="Staf", **more)
        said = read(await world.press("fatima", await look(world), "why_these"))
        assert "◐ Nachtdienst: via sanne en wim" in said
        assert "Dagdienst: via" in said
        assert "Staf" not in said
        assert not {"jan", "kees", "piet", *NIGHTS} & set(said.replace(",", " ").split())
        assert "weet ik niet" in said

    async def test_is_of_who_asked_alone(self, world: World) -> None:
        await add_world(world, dict.fromkeys(("fatima", "jan", "sanne"), ""), agreed=("sanne",))
        why = button_of(await look(world), "why_these")
        assert is_declined(await world.do("jan", why.intent, args=why.args), "not_found")
        await agree(world.begin, "sanne", answer=False)
        assert is_declined(await world.do("fatima", why.intent, args=why.args), "not_found")


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_follows_about_who_did_not_say_yes(world: World, seed: int) -> None:
    """Everybody reads the same words, whatever ties somebody without a yes has, and whoever named them as what: also
    behind each button."""
    random, people = Random(seed), ["fatima", "jan", "sanne", "bram", "wim", "noor", "kees", "ada", "piet", "x"]
    agreed = ["sanne", "bram", "wim", "noor", "ada"]
    ties = [tuple(random.sample(people[:-1], 2)) for _ in range(12)]
    groups = {one: random.choice((DAY, NIGHT)) for one in people}
    await add_world(world, groups, ties=ties, agreed=agreed, inside=("fatima", "jan"))  # type: ignore[arg-type]
    readers = [one for one in people if one != "x"]

    async def words() -> list[str]:
        said = []
        for who in readers:
            for figure in KeyFigure:
                card = await look(world, who, figure.value)
                said.append(read(card))
                if any(one.name == "why_these" for one in card.message.buttons):  # type: ignore[union-attr]
                    said.append(read(await world.press(who, card, "why_these")))
        return said

    before = await words()
    for one in random.sample(readers, 5):
        async with world.begin() as work:
            await work.connecting.strengthen(OURS, PersonId("x"), PersonId(one), world.clock.now())
    for one in random.sample(readers, 3):
        await name(world, one, "x", random.choice(list(KeyFigure)))
    assert await words() == before


class TestSaidInASentence:
    async def test_why_these_is_about_who_was_suggested_last(self, world: World) -> None:
        await add_bridges(world)
        assert is_declined(await world.type("fatima", "/ritme waarom deze mensen?"), "nobody_suggested")
        await look(world)
        said = read(await world.type("fatima", "/ritme waarom deze mensen?"))
        assert any(f"Nachtdienst: via {both}" in said for both in ("wim en sanne", "sanne en wim"))

    async def test_not_these_now_is_asked_about_and_lets_them_rest(self, world: World) -> None:
        await add_bridges(world)
        await look(world)
        asked = await world.type("fatima", "/ritme deze mensen nu niet")
        said = await world.press("fatima", asked, "rest")
        assert "sanne" in read(said)
        assert "wim" in read(said)
        assert not {"sanne", "wim"} & set(read(await look(world)).split())

    async def test_not_me_any_more_shows_where_a_yes_is_ended(self, world: World) -> None:
        await add_bridges(world)
        kept = await world.type("sanne", "/ritme stel mij niet meer voor", channel=None)
        await world.press("sanne", kept, "withdraw_1", channel=None)
        async with world.begin() as work:
            member = await work.movements.membership(OURS, PersonId("sanne"))
            assert member is not None
            assert member.suggestible is False

    async def test_how_far_we_get_is_what_a_coordinator_sees(self, world: World) -> None:
        await add_bridges(world)
        assert "Hoe ver jullie netwerk reikt" in read(await world.type("iris", "/ritme wie bereiken we nog niet?"))
        assert "Dat kan alleen iris" in read(await world.type("fatima", "/ritme hoe ver komen we?"))
        assert "Dat kan alleen iris" in read(await world.type("fatima", "/ritme ik wil onze gegevens meenemen"))

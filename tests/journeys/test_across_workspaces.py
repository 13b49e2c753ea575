"""A movement in two organisations: a code, a channel linked with it, stories that cross, and names that do not."""

import re
from datetime import timedelta

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.movement import MovementId
from bot.domain.person import PersonId, Workspace, WorkspaceId
from tests.support.world import LANE, World, agree, button_of, text_of

WEST = "test:W2"
STORY = "We liepen een rondje met de buurvrouw"


async def add_west(world: World) -> None:
    async with world.begin() as work:
        work.people.add(Workspace(id=WorkspaceId(WEST), name="Zorggroep West"))
        home = await work.people.workspace(WorkspaceId(LANE))
        assert home is not None
        home.name = "Thuiszorg Oost"


async def make_code(world: World) -> str:
    made = await world.press("iris", await world.type("iris", "/ritme code"), "make")
    found = re.search(r"\w{4}-\w{4}-\w{4}", text_of(made))
    assert found
    return found.group(0)


async def join(world: World, typed: str, who: str = "noor", channel: str = "nacht") -> Reply:
    form = await world.type(who, "/ritme aansluiten", workspace=WEST, channel=channel)
    assert isinstance(form, Form)
    return await world.do(who, form.intent, args={"code": typed}, workspace=WEST, channel=channel)


async def add_linked_movement(world: World) -> None:
    await world.movement("fatima", "jan")
    await add_west(world)
    await join(world, await make_code(world))


async def tell(world: World, who: str = "fatima", *, named: str = "with", readers: str = "movement") -> Reply:
    form = await world.type(who, "/story")
    return await world.submit(who, form, text=STORY, named=named, readers=readers)


class TestACode:
    async def test_links_a_channel_elsewhere_and_the_coordinators_hear_of_it(self, world: World) -> None:
        await world.movement("fatima")
        await add_west(world)
        said = await join(world, await make_code(world))
        assert "Samen op pad" in text_of(said)
        heard = text_of(world.private("iris")[-1])
        assert "nacht (Zorggroep West)" in heard
        assert "noor" in heard
        assert isinstance(await world.type("noor", "/ritme rhythm", workspace=WEST, channel="nacht"), Answer | Form)
        assert isinstance(await world.press("noor", said, "purpose", workspace=WEST, channel="nacht"), Form)

    async def test_in_another_country_keeps_the_holidays_there_and_says_so(self, world: World) -> None:
        await world.movement()
        await add_west(world)
        code = await make_code(world)
        await world.do("noor", "help", workspace=WEST, channel="gent")
        async with world.begin() as work:
            noor = await work.people.by_account(WorkspaceId(WEST), "noor")
            assert noor is not None
            noor.timezone, noor.chose = "Europe/Brussels", ["timezone"]
        said = text_of(await join(world, code, channel="gent"))
        assert "land België" in said
        assert "maandag 29 maart: Paasmaandag" in said
        args = {"kind": "stories", "every": "1", "weekdays": ("WE",), "at": "09:00", "place": "gent"}
        shown = await world.do(
            "noor",
            "rhythm.save",
            args={**args, "starts": "2027-07-12", "on_holiday": "skip"},
            workspace=WEST,
            channel="gent",
        )
        assert "woensdag 14 juli om 09:00" in text_of(shown)
        assert "woensdag 21 juli, Nationale feestdag: overgeslagen" in text_of(shown)

    async def test_says_who_really_hears_of_it(self, world: World) -> None:
        await world.movement("ahmed")
        await add_west(world)
        code = await make_code(world)
        async with world.begin() as work:
            iris = await work.people.in_workspace(PersonId("iris"), WorkspaceId(LANE))
            assert iris is not None
            iris.stopped_at = world.clock.now()
        said = text_of(await join(world, code))
        assert "leest nu niemand berichten van mij" in said
        await world.pass_(days=3)
        assert world.private("iris") == []

    async def test_names_who_hears_of_it_where_that_may_be_said(self, world: World) -> None:
        await world.movement()
        await add_west(world)
        code = await make_code(world)
        said = text_of(await join(world, code))
        assert "iris" not in said
        assert "hoort dat jullie er zijn" in said

    @pytest.mark.parametrize(
        "how", [str.lower, lambda one: f" {one.replace('-', ' ')} ", lambda one: one.replace("0", "O")]
    )
    async def test_is_understood_however_it_is_typed(self, world: World, how: object) -> None:
        await world.movement()
        await add_west(world)
        typed = how(await make_code(world))  # type: ignore[operator]
        said = await world.type("noor", f"/ritme join {typed}", workspace=WEST, channel="nacht")
        assert "Samen op pad" in text_of(said)

    async def test_works_for_seven_days(self, world: World) -> None:
        await world.movement()
        await add_west(world)
        one = await make_code(world)
        world.clock.set(world.clock.now() + timedelta(days=7))
        assert "geldt niet meer" in text_of(await join(world, one))
        assert "ken ik niet" in text_of(await join(world, "AAAA-BBBB-CCCC"))

    async def test_is_used_in_a_channel(self, world: World) -> None:
        await world.movement("fatima")
        said = text_of(await world.type("fatima", "/ritme aansluiten", channel=None))
        assert "Typ /ritme aansluiten in het kanaal" in said

    async def test_is_not_used_where_a_movement_is_already(self, world: World) -> None:
        await add_linked_movement(world)
        again = await world.type("noor", f"/ritme join {await make_code(world)}", workspace=WEST, channel="nacht")
        assert "een code doet hier niets" in text_of(again)
        assert button_of(again, "leave")
        plain = await world.type("wim", "/ritme join", workspace=WEST, channel="nacht")
        assert "coördinator van deze kan het eruit halen" in text_of(plain)

    @pytest.mark.parametrize("end", ["revoke", "make"])
    async def test_ends_when_it_is_taken_back_or_another_is_made(self, world: World, end: str) -> None:
        await world.movement()
        await add_west(world)
        one = await make_code(world)
        await world.press("iris", await world.type("iris", "/ritme code"), end)
        refused = await join(world, one)
        assert isinstance(refused, FieldErrors)
        assert "code" in refused.errors

    @pytest.mark.parametrize("typed", ["", "AAAA-BBBB-CCCC", "💥", "x" * 40])
    async def test_nobody_comes_in_with_another(self, world: World, typed: str) -> None:
        await world.movement()
        await add_west(world)
        await make_code(world)
        assert isinstance(await join(world, typed), FieldErrors)
        assert await list_channels(world) == ["general"]

    async def test_is_kept_nowhere(self, world: World) -> None:
        await world.movement()
        await add_west(world)
        await world.do("iris", "code.make", answerable=False)
        sent = text_of(world.private("iris")[-1])
        found = re.search(r"\w{4}-\w{4}-\w{4}", sent)
        assert found
        async with world.database.connect() as connection:
            for table in ("invite_codes", "deliveries", "inbox"):
                assert found.group(0) not in str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())

    async def test_only_coordinators_make_one(self, world: World) -> None:
        await world.movement("fatima")
        assert "coördinator" in text_of(await world.type("fatima", "/ritme code"))

    async def test_a_channel_that_belongs_somewhere_stays_there(self, world: World) -> None:
        await add_linked_movement(world)
        said = await world.type("noor", f"/ritme join {await make_code(world)}", workspace=WEST, channel="nacht")
        assert "hoort al" in text_of(said)

    async def test_in_ones_own_chat_it_says_where(self, world: World) -> None:
        assert "kanaal" in text_of(await world.type("noor", "/ritme join", workspace=WEST, channel=None))

    async def test_a_guest_cannot_join_with_a_channel(self, world: World) -> None:
        await world.movement()
        await add_west(world)
        await world.type("noor", "/ritme hulp", workspace=WEST, channel="nacht")
        async with world.begin() as work:
            noor = await work.people.by_account(WorkspaceId(WEST), "noor")
            assert noor is not None
            noor.guest = True
        assert "te gast" in text_of(await join(world, await make_code(world)))


class TestStoriesThatCross:
    async def share(self, world: World, said: Reply) -> Reply:
        form = await world.press("fatima", said, "share")
        assert isinstance(form, Form)
        (place,) = [one for field in form.fields for one in field.options if field.name == "place"]
        assert place.label == "#nacht (Zorggroep West)"
        return await world.submit("fatima", form, place=place.value)

    async def test_without_a_name_unless_its_teller_agreed(self, world: World) -> None:
        await add_linked_movement(world)
        await self.share(world, await tell(world))
        shown = text_of(world.posts("nacht")[-1])
        assert STORY in shown
        assert "general (Thuiszorg Oost)" in shown
        assert "Verteld door" not in shown

        form = await world.press("fatima", await world.type("fatima", "/ritme ik"), "settings")
        await world.submit("fatima", form, named_beyond="yes")
        await world.press("jan", world.posts()[-1], "share")
        await self.share(world, await tell(world))
        assert "Verteld door fatima" in text_of(world.posts("nacht")[-1])

    async def test_what_stays_where_it_was_told_does_not_cross(self, world: World) -> None:
        await add_linked_movement(world)
        said = await tell(world, readers="thread")
        assert "share" not in [one.name for one in said.message.buttons]  # type: ignore[union-attr]
        button = button_of(await tell(world), "share")
        async with world.database.connect() as connection:
            rows = (await connection.exec_driver_sql("SELECT id FROM stories WHERE readers = 'thread'")).all()
        refused = await world.do("noor", "story.read", args={"stories": rows[0][0]}, workspace=WEST, channel="nacht")
        assert STORY not in text_of(refused)
        assert button.intent == "share"

    async def test_a_harvest_there_names_nobody_from_here(self, world: World) -> None:
        await add_linked_movement(world)
        for who in ("fatima", "jan", "iris"):
            await tell(world, who)
        shown = text_of(await world.type("noor", "/ritme oogst", workspace=WEST, channel="nacht"))
        assert STORY in shown
        assert not [name for name in ("fatima", "jan", "iris") if name in shown]
        assert "fatima" in text_of(await world.type("jan", "/ritme oogst"))


class TestNamesStayHome:
    async def test_in_initiatives_look_backs_and_versions_of_the_purpose(self, world: World) -> None:
        await add_linked_movement(world)
        await world.do("fatima", "initiative.save", args={"name": "Wandelen", "description": "Na het eten"})
        for line in (
            "/ritme initiatief",
            "/ritme initiatief Wandelen",
            "/ritme terugblik",
            "/ritme terugblik Wandelen",
        ):
            there = await world.type("noor", line, workspace=WEST, channel="nacht")
            assert "fatima" not in text_of(there), line
        assert "fatima" in text_of(await world.type("jan", "/ritme initiatief Wandelen"))

    async def test_nobody_elsewhere_is_asked_to_think_along_or_suggested(self, world: World) -> None:
        await add_linked_movement(world)
        await agree(world.begin, "fatima", "jan", "iris", figures=("connector",))
        said = await world.do(
            "noor", "stuck.report", text="Het lukt niet", kind="reach", audience="me", workspace=WEST, channel="nacht"
        )
        assert isinstance(said, Answer)
        pressed = [one.name for one in said.message.buttons if one.intent in ("company", "connect")]
        assert pressed
        for press in pressed:
            text = text_of(await world.press("noor", said, press, workspace=WEST, channel="nacht"))
            assert not [name for name in ("fatima", "jan", "iris") if name in text]


class TestLeaving:
    async def test_a_coordinator_takes_a_channel_out_and_its_rhythms_stop(self, world: World) -> None:
        await add_linked_movement(world)
        shown = await world.type("noor", "/ritme start", workspace=WEST, channel="nacht")
        said = await world.press("noor", shown, "leave", workspace=WEST, channel="nacht")
        assert "hoort niet meer" in text_of(said)
        assert await list_channels(world) == ["general"]
        assert isinstance(await world.type("noor", "/ritme aansluiten", workspace=WEST, channel="nacht"), Form)

    async def test_a_member_cannot(self, world: World) -> None:
        await world.movement("fatima")
        shown = await world.type("fatima", "/ritme start")
        assert "leave" not in [one.name for one in shown.message.buttons]  # type: ignore[union-attr]
        assert "coördinator" in text_of(await world.do("fatima", "start.leave"))


async def list_channels(world: World) -> list[str]:
    async with world.begin() as work:
        return [one.channel for one in await work.movements.places(MovementId("movement"))]

"""A movement in two organisations: a code, a channel linked with it, stories that cross, and names that do not."""

import re
from datetime import timedelta

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply
from bot.domain.movement import MovementId
from bot.domain.person import Workspace, WorkspaceId
from tests.support.world import LANE, World, button_of, text_of

WEST = "test:W2"
STORY = "We liepen een rondje met mevrouw Bakker"


async def west(here: World) -> None:
    async with here.begin() as work:
        work.people.add(Workspace(id=WorkspaceId(WEST), name="Zorggroep West"))
        home = await work.people.workspace(WorkspaceId(LANE))
        assert home is not None
        home.name = "Thuiszorg Oost"


async def code(here: World) -> str:
    made = await here.press("iris", await here.type("iris", "/ritme code"), "make")
    found = re.search(r"\w{4}-\w{4}-\w{4}", text_of(made))
    assert found
    return found.group(0)


async def join(here: World, typed: str, who: str = "noor", channel: str = "nacht") -> Reply:
    form = await here.type(who, "/ritme aansluiten", workspace=WEST, channel=channel)
    assert isinstance(form, Form)
    return await here.do(who, form.intent, args={"code": typed}, workspace=WEST, channel=channel)


async def joined(here: World) -> None:
    await here.movement("fatima", "jan")
    await west(here)
    await join(here, await code(here))


async def tell(here: World, who: str = "fatima", *, named: str = "with", readers: str = "movement") -> Reply:
    form = await here.type(who, "/story")
    return await here.submit(who, form, text=STORY, named=named, readers=readers)


class TestACode:
    async def test_links_a_channel_elsewhere_and_the_coordinators_hear_of_it(self, here: World) -> None:
        await here.movement("fatima")
        await west(here)
        said = await join(here, await code(here))
        assert "Samen op pad" in text_of(said)
        heard = text_of(here.private("iris")[-1])
        assert "nacht (Zorggroep West)" in heard
        assert "noor" in heard
        assert isinstance(await here.type("noor", "/ritme rhythm", workspace=WEST, channel="nacht"), Answer | Form)
        assert isinstance(await here.press("noor", said, "purpose", workspace=WEST, channel="nacht"), Form)

    @pytest.mark.parametrize(
        "how", [str.lower, lambda one: f" {one.replace('-', ' ')} ", lambda one: one.replace("0", "O")]
    )
    async def test_is_understood_however_it_is_typed(self, here: World, how: object) -> None:
        await here.movement()
        await west(here)
        typed = how(await code(here))  # type: ignore[operator]
        said = await here.type("noor", f"/ritme join {typed}", workspace=WEST, channel="nacht")
        assert "Samen op pad" in text_of(said)

    async def test_works_for_seven_days(self, here: World) -> None:
        await here.movement()
        await west(here)
        one = await code(here)
        here.clock.set(here.clock.now() + timedelta(days=7))
        assert isinstance(await join(here, one), FieldErrors)

    @pytest.mark.parametrize("end", ["revoke", "make"])
    async def test_ends_when_it_is_taken_back_or_another_is_made(self, here: World, end: str) -> None:
        await here.movement()
        await west(here)
        one = await code(here)
        await here.press("iris", await here.type("iris", "/ritme code"), end)
        refused = await join(here, one)
        assert isinstance(refused, FieldErrors)
        assert "code" in refused.errors

    @pytest.mark.parametrize("typed", ["", "AAAA-BBBB-CCCC", "💥", "x" * 40])
    async def test_nobody_comes_in_with_another(self, here: World, typed: str) -> None:
        await here.movement()
        await west(here)
        await code(here)
        assert isinstance(await join(here, typed), FieldErrors)
        assert await places(here) == ["general"]

    async def test_is_kept_nowhere(self, here: World) -> None:
        await here.movement()
        await west(here)
        await here.do("iris", "code.make", answerable=False)
        sent = text_of(here.private("iris")[-1])
        found = re.search(r"\w{4}-\w{4}-\w{4}", sent)
        assert found
        async with here.database.connect() as connection:
            for table in ("invite_codes", "deliveries", "inbox"):
                assert found.group(0) not in str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())

    async def test_only_coordinators_make_one(self, here: World) -> None:
        await here.movement("fatima")
        assert "coördinatoren" in text_of(await here.type("fatima", "/ritme code"))

    async def test_a_channel_that_belongs_somewhere_stays_there(self, here: World) -> None:
        await joined(here)
        said = await here.type("noor", f"/ritme join {await code(here)}", workspace=WEST, channel="nacht")
        assert "hoort al" in text_of(said)

    async def test_in_ones_own_chat_it_says_where(self, here: World) -> None:
        assert "kanaal" in text_of(await here.type("noor", "/ritme join", workspace=WEST, channel=None))

    async def test_a_guest_cannot_join_with_a_channel(self, here: World) -> None:
        await here.movement()
        await west(here)
        await here.type("noor", "/ritme hulp", workspace=WEST, channel="nacht")
        async with here.begin() as work:
            noor = await work.people.by_account(WorkspaceId(WEST), "noor")
            assert noor is not None
            noor.guest = True
        assert "te gast" in text_of(await join(here, await code(here)))


class TestStoriesThatCross:
    async def share(self, here: World, said: Reply) -> Reply:
        form = await here.press("fatima", said, "share")
        assert isinstance(form, Form)
        (place,) = [one for field in form.fields for one in field.options if field.name == "place"]
        assert place.label == "nacht (Zorggroep West)"
        return await here.submit("fatima", form, place=place.value)

    async def test_without_a_name_unless_its_teller_agreed(self, here: World) -> None:
        await joined(here)
        await self.share(here, await tell(here))
        shown = text_of(here.posts("nacht")[-1])
        assert STORY in shown
        assert "general (Thuiszorg Oost)" in shown
        assert "Verteld door" not in shown

        form = await here.press("fatima", await here.type("fatima", "/ritme ik"), "settings")
        await here.submit("fatima", form, named_beyond="yes")
        await here.press("jan", here.posts()[-1], "share")
        await self.share(here, await tell(here))
        assert "Verteld door fatima" in text_of(here.posts("nacht")[-1])

    async def test_what_stays_where_it_was_told_does_not_cross(self, here: World) -> None:
        await joined(here)
        said = await tell(here, readers="thread")
        assert "share" not in [one.name for one in said.message.buttons]  # type: ignore[union-attr]
        button = button_of(await tell(here), "share")
        async with here.database.connect() as connection:
            rows = (await connection.exec_driver_sql("SELECT id FROM stories WHERE readers = 'thread'")).all()
        refused = await here.do("noor", "story.read", args={"stories": rows[0][0]}, workspace=WEST, channel="nacht")
        assert STORY not in text_of(refused)
        assert button.intent == "share"

    async def test_a_harvest_there_names_nobody_from_here(self, here: World) -> None:
        await joined(here)
        for who in ("fatima", "jan", "iris"):
            await tell(here, who)
        shown = text_of(await here.type("noor", "/ritme oogst", workspace=WEST, channel="nacht"))
        assert STORY in shown
        assert not [name for name in ("fatima", "jan", "iris") if name in shown]
        assert "fatima" in text_of(await here.type("jan", "/ritme oogst"))


class TestNamesStayHome:
    async def test_in_initiatives_look_backs_and_versions_of_the_purpose(self, here: World) -> None:
        await joined(here)
        await here.do("fatima", "initiative.save", args={"name": "Wandelen", "description": "Na het eten"})
        for line in (
            "/ritme initiatief",
            "/ritme initiatief Wandelen",
            "/ritme terugblik",
            "/ritme terugblik Wandelen",
        ):
            there = await here.type("noor", line, workspace=WEST, channel="nacht")
            assert "fatima" not in text_of(there), line
        assert "fatima" in text_of(await here.type("jan", "/ritme initiatief Wandelen"))

    async def test_nobody_elsewhere_is_asked_to_think_along_or_suggested(self, here: World) -> None:
        await joined(here)
        async with here.begin() as work:
            for name in ("fatima", "jan", "iris"):
                person = await work.people.by_account(WorkspaceId(LANE), name)
                assert person is not None
                person.suggestible = True
        said = await here.do(
            "noor", "stuck.report", text="Het lukt niet", kind="reach", audience="me", workspace=WEST, channel="nacht"
        )
        assert isinstance(said, Answer)
        pressed = [one.name for one in said.message.buttons if one.intent in ("company", "connect")]
        assert pressed
        for press in pressed:
            text = text_of(await here.press("noor", said, press, workspace=WEST, channel="nacht"))
            assert not [name for name in ("fatima", "jan", "iris") if name in text]


class TestLeaving:
    async def test_a_coordinator_takes_a_channel_out_and_its_rhythms_stop(self, here: World) -> None:
        await joined(here)
        shown = await here.type("noor", "/ritme start", workspace=WEST, channel="nacht")
        said = await here.press("noor", shown, "leave", workspace=WEST, channel="nacht")
        assert "hoort niet meer" in text_of(said)
        assert await places(here) == ["general"]
        assert isinstance(await here.type("noor", "/ritme aansluiten", workspace=WEST, channel="nacht"), Form)

    async def test_a_member_cannot(self, here: World) -> None:
        await here.movement("fatima")
        shown = await here.type("fatima", "/ritme start")
        assert "leave" not in [one.name for one in shown.message.buttons]  # type: ignore[union-attr]
        assert "coördinatoren" in text_of(await here.do("fatima", "start.leave"))


async def places(here: World) -> list[str]:
    async with here.begin() as work:
        return [one.channel for one in await work.movements.places(MovementId("movement"))]

"""Promises of a time, a place or a reader come true on Slack, in Teams and in the playground.

Told by what reached whom: everyone in a channel, or one person alone.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.movement import Member, Movement, MovementId, PlaceId, Role
from bot.domain.person import Language, PersonId
from tests.drivers.border import HERE, PEOPLE, PLATFORMS, THERE, Border, open_border
from tests.support.readers import find_untrue
from tests.support.world import MONDAY, agree

STEP = {"cue": "het rustig is", "action": "bel ik Ada", "on_my_own": "yes"}
RHYTHM = {"kind": "stories", "every": "1", "weekdays": ("MO",), "at": "09:00", "place": HERE, "on_holiday": "skip"}
STUCK = {"text": "De nacht komt niet", "kind": "reach"}


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue([words for channel in (HERE, THERE) for words in await fresh.to_all(channel)]) == []


async def fill_in_rhythm(border: Border, **values: Any) -> Any:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    return await border.submit("iris", form, **{**RHYTHM, **values})


async def report_stuck(border: Border, **values: Any) -> Any:
    form = await border.form("fatima", "/vast", "stuck", button="something_new")
    return await border.submit("fatima", form, **{**STUCK, "audience": "me", **values})


async def begin_another_movement(border: Border, *people: str) -> None:
    """Store a second movement of these people, in the second channel."""
    other = MovementId("other")
    async with border.begin() as work:
        work.movements.add(Movement(id=other, name="Elders", language=Language.NL, started_at=MONDAY))
        place = await work.movements.place(PlaceId(THERE))
        assert place is not None
        place.movement_id = other
        for who in people:
            member = Member(movement_id=other, person_id=PersonId(who), role=Role.MEMBER, joined_at=MONDAY)
            work.movements.add(member)


async def counts(border: Border) -> dict[str, int]:
    """Count what each person alone got."""
    return {who: len(await border.to(who)) for who in ("iris", *PEOPLE)}


def names_in(words: str) -> set[str]:
    """Return who of the movement is named there."""
    return {who for who in ("iris", *PEOPLE) if re.search(rf"\b{who}\b", words, re.IGNORECASE)}


class TestTimes:
    async def test_a_step_in_quiet_hours_is_refused_and_comes_when_promised(self, border: Border) -> None:
        form = await border.form("fatima", "/ritme stap", "step")
        refused = await border.submit("fatima", form, **STEP, day="2027-03-01", at="20:00")
        assert refused == {"at": "Dan is het stil bij jou. Kies bijvoorbeeld morgen om 09:00."}
        card = await border.submit("fatima", form, **STEP, day="2027-03-02", at="09:00")
        assert "kom ik er morgen om 09:00 op terug" in card.words()
        before = len(await border.to("fatima"))
        await border.until(datetime(2027, 3, 2, 7, 59, tzinfo=UTC))
        assert len(await border.to("fatima")) == before
        await border.until(datetime(2027, 3, 2, 8, tzinfo=UTC))
        assert "bel ik Ada" in (await border.to("fatima"))[-1].words()
        assert len(await border.to("fatima")) == before + 1

    @pytest.mark.parametrize("platform", PLATFORMS)
    async def test_what_is_proposed_is_no_holiday(self, platform: str, tmp_path: Path) -> None:
        async with open_border(platform, tmp_path, datetime(2027, 4, 26, 8, tzinfo=UTC)) as border:
            form = await border.form("fatima", "/ritme stap", "step")
            refused = await border.submit("fatima", form, **STEP, day="2027-04-27", at="10:00")
            assert refused == {"day": "Dat is een feestdag. Kies bijvoorbeeld woensdag 28 april om 10:00."}
            form = await border.form("fatima", "/ritme stap", "step")
            card = await border.submit("fatima", form, **STEP)
            assert "woensdag 28 april om 09:00" in card.words()

    async def test_another_moment_for_a_step_is_refused_and_comes_likewise(self, border: Border) -> None:
        form = await border.form("fatima", "/ritme stap", "step")
        await border.submit("fatima", form, **STEP, day="2027-03-02", at="09:00")
        await border.until(datetime(2027, 3, 2, 8, tzinfo=UTC))
        form = await border.press("fatima", (await border.to("fatima"))[-1], "not_yet")
        refused = await border.submit("fatima", form, day="2027-03-06", at="10:00")
        assert refused == {"day": "In het weekend is het stil bij jou. Kies bijvoorbeeld maandag 8 maart om 10:00."}
        moved = await border.submit("fatima", form, day="2027-03-08", at="10:00")
        assert "maandag 8 maart om 10:00" in moved.words()
        before = len(await border.to("fatima"))
        await border.until(datetime(2027, 3, 8, 8, 59, tzinfo=UTC))
        assert len(await border.to("fatima")) == before
        await border.until(datetime(2027, 3, 8, 9, tzinfo=UTC))
        assert "bel ik Ada" in (await border.to("fatima"))[-1].words()

    async def test_the_zone_of_a_rhythm_elsewhere_is_named(self, border: Border) -> None:
        shown = await fill_in_rhythm(border, timezone="America/New_York", at="08:00")
        told = [line for line in shown.words().splitlines() if "08:00" in line]
        assert told
        assert all("08:00 (tijd in New York)" in line for line in told)


class TestPlaces:
    async def test_a_harvest_is_posted_where_its_rhythm_says_and_nowhere_else(self, border: Border) -> None:
        shown = await fill_in_rhythm(border, kind="harvest", weekdays=("FR",), at="15:00", place=THERE)
        assert f"#{THERE}" in shown.words()
        stories = {"Ada zong mee.": HERE, "Bep dekte de tafel.": HERE, "Cor liep een rondje.": THERE}
        for text, channel in stories.items():
            form = await border.form("fatima", "/verhaal", "story", channel=channel)
            await border.submit("fatima", form, text=text, readers="movement")
        before = {channel: await border.to_all(channel) for channel in (HERE, THERE)}
        await border.until(datetime(2027, 3, 5, 13, 59, tzinfo=UTC))
        assert {channel: await border.to_all(channel) for channel in (HERE, THERE)} == before
        await border.until(datetime(2027, 3, 5, 14, 1, tzinfo=UTC))
        (harvest,) = (await border.to_all(THERE))[len(before[THERE]) :]
        assert all(text in harvest for text in stories)
        await border.until(datetime(2027, 3, 7, tzinfo=UTC))
        assert await border.to_all(HERE) == before[HERE]

    async def test_a_holiday_that_is_skipped_is_named_before(self, border: Border) -> None:
        shown = await fill_in_rhythm(border)
        assert "maandag 29 maart, Tweede paasdag: overgeslagen" in shown.words()
        await border.until(datetime(2027, 3, 22, 9, tzinfo=UTC))
        before = len(await border.to_all())
        await border.until(datetime(2027, 3, 30, tzinfo=UTC))
        assert len(await border.to_all()) == before
        await border.until(datetime(2027, 4, 5, 8, tzinfo=UTC))
        assert len(await border.to_all()) == before + 1

    async def test_an_equal_rhythm_is_asked_about(self, border: Border) -> None:
        await fill_in_rhythm(border)
        asked = await fill_in_rhythm(border)
        assert "Dit ritme is er al" in asked.words()
        await border.press("iris", asked, "keep")
        before = len(await border.to_all())
        await border.until(datetime(2027, 3, 9, tzinfo=UTC))
        assert len(await border.to_all()) == before + 1

    async def test_a_choice_without_effect_is_refused_beside_its_field(self, border: Border) -> None:
        assert set(await fill_in_rhythm(border, nth="1")) == {"nth"}


class TestWhoReadsWhat:
    async def test_only_me_with_a_helper_picked_is_refused_beside_the_field(self, border: Border) -> None:
        before = await counts(border)
        refused = await report_stuck(border, audience="me", helpers=("jan",))
        assert list(refused) == ["helpers"]
        assert "zo lees alleen jij dit" in refused["helpers"]
        await border.until(MONDAY + timedelta(days=2))
        assert (await counts(border))["jan"] == before["jan"]

    async def test_what_is_added_is_quoted_and_taken_apart(self, border: Border) -> None:
        kept = await border.type("fatima", "/vast de nacht komt niet")
        assert "de nacht komt niet" in kept.words()
        others, posts = {**await counts(border), "fatima": 0}, await border.to_all()
        added = await border.type("fatima", "/vast en de dag ook niet")
        apart = await border.press("fatima", added, "take_apart")
        for shown in (added, apart):
            assert all(words in shown.words() for words in ("de nacht komt niet", "en de dag ook niet"))
        async with border.begin() as work:
            texts = [one.text for one in await work.stuck.open_of(PersonId("fatima"), MovementId("movement"))]
        assert sorted(texts) == ["de nacht komt niet", "en de dag ook niet"]
        assert {**await counts(border), "fatima": 0} == others
        assert await border.to_all() == posts

    async def test_naming_someone_shows_nothing_to_others(self, border: Border) -> None:
        before, posts = await counts(border), await border.to_all()
        form = await border.form("jan", "/ritme noem", "nominate")
        await border.submit("jan", form, connector=("sanne",))
        after = await counts(border)
        assert after["sanne"] == before["sanne"] + 1
        assert all(after[who] == before[who] for who in ("iris", "fatima", "wim"))
        asked = (await border.to("sanne"))[-1]
        assert names_in(asked.words()) <= {"sanne"}
        await border.press("sanne", asked, "yes")
        form = await border.form("fatima", "/ritme verbind", "connect")
        suggested = await border.submit("fatima", form, initiative="walk", figure="connector")
        assert names_in(suggested.words()) - {"fatima"} == {"sanne"}
        assert await border.to_all() == posts

    async def test_company_is_asked_of_who_agreed_and_named_after_they_answer(self, border: Border) -> None:
        await agree(border.begin, "jan", "sanne")
        before = await counts(border)
        offer = await border.press("fatima", await report_stuck(border), "company")
        assert "Twee collega's" in offer.words()
        assert names_in(offer.words()) == set()
        stands = await border.press("fatima", offer, "ask_them")
        assert names_in(stands.words()) == set()
        after = await counts(border)
        assert {who for who in PEOPLE[1:] if after[who] > before[who]} == {"jan", "sanne"}
        assert after["iris"] == before["iris"]
        for who in ("jan", "sanne"):
            asked = (await border.to(who))[-1]
            assert STUCK["text"] in asked.words()
            form = await border.press(who, asked, "give")
            await border.submit(who, form, question="Wie loopt er graag?", idea=f"Een idee uit {who[0]}.")
        await border.until(MONDAY + timedelta(minutes=5))
        together = (await border.to("fatima"))[-1].words()
        assert "Een idee uit j." in together
        assert names_in(together) == {"jan", "sanne"}

    async def test_who_knows_whom_is_told_only_of_two_who_said_yes(self, border: Border) -> None:
        await agree(border.begin, "sanne", figures=("connector",))
        async with border.begin() as work:
            await work.connecting.strengthen(MovementId("movement"), PersonId("sanne"), PersonId("jan"), MONDAY)
        for named in ({"sanne"}, {"sanne", "jan"}):
            form = await border.form("fatima", "/ritme verbind", "connect")
            suggested = await border.submit("fatima", form, initiative="walk", figure="connector")
            assert names_in(suggested.words()) == named
            await agree(border.begin, "jan", figures=("maven",))

    async def test_a_yes_counts_in_its_own_movement(self, border: Border) -> None:
        await begin_another_movement(border, "jan")
        await agree(border.begin, "jan", movement="other")
        before = await counts(border)
        nobody = await border.press("fatima", await report_stuck(border), "company")
        assert "kunnen met je meedenken" not in nobody.words()
        assert "jan" not in names_in(nobody.words())
        await border.until(MONDAY + timedelta(days=3))
        assert (await counts(border))["jan"] == before["jan"]

    async def test_who_was_asked_in_two_movements_cannot_be_picked(self, border: Border) -> None:
        await begin_another_movement(border, "jan", "sanne")
        before = await counts(border)
        for channel in (HERE, THERE):
            form = await border.form("sanne", "/ritme noem", "nominate", channel=channel)
            await border.submit("sanne", form, connector=("jan",))
        assert (await counts(border))["jan"] == before["jan"] + 2
        refused = await report_stuck(border, audience="helpers", helpers=("jan",))
        assert list(refused) == ["helpers"]
        assert names_in(refused["helpers"]) == {"jan"}
        await border.until(MONDAY + timedelta(days=1))
        assert (await counts(border))["jan"] == before["jan"] + 2

"""A story goes in print: never without a standing yes, never with more of a name than was agreed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.magazine import (
    MAX_PRINTED,
    MagazineId,
    PrintAnswer,
    PrintCandidate,
    PrintConsent,
    PrintName,
    choose_for_print,
    credit_in_print,
    first_name,
)
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.story import Readers, Story, StoryId

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def candidate(
    number: int,
    answer: PrintAnswer = PrintAnswer.AGREED,
    name: PrintName = PrintName.FULL,
    *,
    chosen: bool = True,
    readers: Readers = Readers.MOVEMENT,
    told: bool = True,
    named: bool = True,
    account: str | None = "a",
    there: bool = True,
    belongs: bool = True,
) -> PrintCandidate:
    person = Person(
        id=PersonId(f"p{number}"), workspace_id=WorkspaceId("w"), account=account, name="Noor Bakker", created_at=NOW
    )
    person.deactivated_at = None if there else NOW
    story = Story(
        id=StoryId(f"s{number}"),
        movement_id=MovementId("m"),
        place_id=None,
        teller_id=person.id,
        text="We liepen.",
        named=named,
        readers=readers,
        told_at=NOW + timedelta(minutes=number),
    )
    if not told:
        story.withdraw(NOW)
    consent = PrintConsent(
        magazine_id=MagazineId("z"),
        story_id=story.id,
        movement_id=MovementId("m"),
        person_id=person.id,
        chosen=chosen,
        answer=answer,
        shown_name=name,
        asked_at=NOW,
    )
    return PrintCandidate(consent, story, person, belongs)


CANDIDATES = st.builds(
    candidate,
    st.integers(0, 99),
    st.sampled_from(PrintAnswer),
    st.sampled_from(PrintName),
    chosen=st.booleans(),
    readers=st.sampled_from(Readers),
    told=st.booleans(),
    named=st.booleans(),
    account=st.sampled_from(("a", None)),
    there=st.booleans(),
    belongs=st.booleans(),
)


@given(st.lists(CANDIDATES, max_size=60))
def test_only_a_standing_yes_is_printed_in_the_order_of_telling(some: list[PrintCandidate]) -> None:
    printed = choose_for_print(some)
    for one in printed:
        assert one.consent.chosen
        assert one.consent.answer is PrintAnswer.AGREED
        assert one.story.may_travel
        assert one.story.text
        assert one.teller.account is not None
        assert one.teller.deactivated_at is None
        assert one.belongs
        assert not one.credit or (one.story.named and one.consent.shown_name is not PrintName.NONE)
    assert [one.story.told_at for one in printed] == sorted(one.story.told_at for one in printed)
    assert len(printed) <= MAX_PRINTED


@pytest.mark.parametrize(
    ("name", "named", "shown"),
    [
        (PrintName.FULL, True, "Noor Bakker"),
        (PrintName.FIRST, True, "Noor"),
        (PrintName.NONE, True, ""),
        (PrintName.FULL, False, ""),
    ],
)
def test_a_name_stands_as_agreed(name: PrintName, named: bool, shown: str) -> None:
    one = candidate(1, name=name, named=named)
    assert credit_in_print(one.story, one.teller, name) == shown == one.credit


def test_taking_back_leaves_no_name_behind() -> None:
    one = candidate(1)
    one.consent.decline(NOW)
    assert (one.consent.answer, one.consent.shown_name, one.is_printed) == (PrintAnswer.DECLINED, PrintName.NONE, False)
    assert first_name("  ") == ""

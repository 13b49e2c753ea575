"""What a story is, where it may go, and which are given back together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import Act, Delivery, DeliveryId, DeliveryState
from bot.domain.harvest import FEWEST, MOST, Ripe, choose
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.retelling import HARVEST, POSTED, SHARED, follow
from bot.domain.story import Readers, Story, StoryId, beginning, ripple_is_told, tells_something

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def story(**more: object) -> Story:
    made = {
        "id": StoryId("s"),
        "movement_id": MovementId("m"),
        "place_id": PlaceId("p"),
        "teller_id": PersonId("t"),
        "text": "Zo ging het.",
        "readers": Readers.MOVEMENT,
        "told_at": NOW,
    }
    return Story(**{**made, **more})  # type: ignore[arg-type]


def message(kind: str, receipt: str | None = "1.2") -> Delivery:
    return Delivery(
        id=DeliveryId(kind),
        workspace_id=WorkspaceId("w"),
        kind=kind,
        key=kind,
        due_at=NOW,
        created_at=NOW,
        receipt=receipt,
        state=DeliveryState.SENT if receipt else DeliveryState.WAITING,
    )


@pytest.mark.parametrize("text", ["", " \n", "👍🏽", ":heart: :+1::skin-tone-2:", "…?!"])
def test_without_a_word_it_tells_nothing(text: str) -> None:
    assert not tells_something(text)


@pytest.mark.parametrize("text", ["ja", "👍 fijn", "3", "مرحبا", ":heart: zo"])
def test_one_word_is_enough(text: str) -> None:
    assert tells_something(text)


@given(st.text(max_size=300), st.integers(min_value=2, max_value=200))
def test_a_beginning_is_the_tellers_own_words(text: str, most: int) -> None:
    cut = beginning(text, most)
    assert len(cut) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


def test_the_first_ripple_and_every_fifth_are_told() -> None:
    assert [count for count in range(21) if ripple_is_told(count)] == [1, 5, 10, 15, 20]


def test_a_name_is_given_only_by_who_wants_it_and_is_still_there() -> None:
    teller = Person(id=PersonId("t"), workspace_id=WorkspaceId("w"), account="a", name="Fatima", created_at=NOW)
    here, beyond = WorkspaceId("w"), WorkspaceId("elsewhere")
    assert story().credit(teller, here) == "Fatima"
    assert story(named=False).credit(teller, here) == ""
    assert story().credit(None, here) == ""
    assert story().credit(teller, beyond) == ""
    teller.named_beyond = True
    assert story().credit(teller, beyond) == "Fatima"
    teller.account = None
    assert story().credit(teller, here) == ""


class TestFollowing:
    def acts(self, told: Story) -> dict[str, Act]:
        held = [message(kind) for kind in (POSTED, SHARED, HARVEST, "rhythm_purpose")]
        return {one.kind: one.act for one in follow(told, held, occasion="k", now=NOW)}

    def test_an_edit_is_worded_again_everywhere(self) -> None:
        assert set(self.acts(story()).values()) == {Act.UPDATE}

    def test_withdrawn_it_goes_where_it_stood_alone(self) -> None:
        told = story()
        told.withdraw(NOW)
        assert self.acts(told) == {
            POSTED: Act.DELETE,
            SHARED: Act.DELETE,
            HARVEST: Act.UPDATE,
            "rhythm_purpose": Act.UPDATE,
        }

    def test_kept_here_it_goes_elsewhere(self) -> None:
        acts = self.acts(story(readers=Readers.THREAD))
        assert (acts[POSTED], acts[SHARED]) == (Act.UPDATE, Act.DELETE)

    def test_what_was_not_sent_yet_needs_nothing(self) -> None:
        assert follow(story(), [message(POSTED, receipt=None)], occasion="k", now=NOW) == []

    def test_one_thing_done_changes_things_once(self) -> None:
        def keys(occasion: str) -> list[str]:
            return [one.key for one in follow(story(), [message(POSTED)], occasion=occasion, now=NOW)]

        assert keys("k") == keys("k") != keys("another")
        assert len(keys("k" * 500)[0]) <= 200


@st.composite
def fields_of_stories(draw: st.DrawFn) -> list[Ripe]:
    return [
        Ripe(
            story=StoryId(f"s{number}"),
            teller=PersonId(f"t{draw(st.integers(0, 6))}"),
            group=draw(st.sampled_from(["", "nacht", "dag", "wijk", "staf"])),
            place=PlaceId(draw(st.sampled_from(["a", "b"]))),
            told_at=NOW + timedelta(hours=draw(st.integers(0, 20))),
        )
        for number in range(draw(st.integers(0, 14)))
    ]


def group(one: Ripe) -> str:
    return one.group or f"alone:{one.teller}"


class TestHarvest:
    @given(fields_of_stories())
    def test_three_to_five_or_none(self, ripe: list[Ripe]) -> None:
        chosen = choose(ripe)
        assert len(chosen) == (0 if len(ripe) < FEWEST else min(len(ripe), MOST))
        assert len({one.story for one in chosen}) == len(chosen)
        assert all(one in ripe for one in chosen)

    @given(fields_of_stories())
    def test_of_as_many_groups_as_there_are(self, ripe: list[Ripe]) -> None:
        chosen = choose(ripe)
        if chosen:
            assert len({group(one) for one in chosen}) == min(len(chosen), len({group(one) for one in ripe}))

    @given(fields_of_stories(), st.randoms(use_true_random=False))
    def test_it_does_not_matter_in_which_order_they_come(self, ripe: list[Ripe], random: object) -> None:
        shuffled = list(ripe)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert choose(shuffled) == choose(ripe)

    @given(fields_of_stories())
    def test_they_are_told_in_the_order_they_happened(self, ripe: list[Ripe]) -> None:
        moments = [one.told_at for one in choose(ripe)]
        assert moments == sorted(moments)

    def test_of_one_group_the_newest_are_chosen(self) -> None:
        ripe = [
            Ripe(
                story=StoryId(f"s{number}"),
                teller=PersonId(f"t{number}"),
                group="nacht",
                place=None,
                told_at=NOW + timedelta(days=number),
            )
            for number in range(8)
        ]
        assert [one.story for one in choose(ripe)] == ["s3", "s4", "s5", "s6", "s7"]

"""Stories: their words, where they may travel, changes of retellings, and the choice for a harvest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import Act, Delivery, DeliveryId, DeliveryState
from bot.domain.harvest import MAX_STORIES, MIN_STORIES, HarvestCandidate, choose_stories
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.retelling import HARVEST, POSTED, SHARED, plan_changes
from bot.domain.story import Readers, Story, StoryId, has_words, should_announce_ripple, truncate

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
def test_text_without_a_word_is_no_story(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize("text", ["ja", "👍 fijn", "3", "مرحبا", ":heart: zo"])
def test_one_word_is_enough(text: str) -> None:
    assert has_words(text)


@given(st.text(max_size=300), st.integers(min_value=2, max_value=200))
def test_a_beginning_is_the_tellers_own_words(text: str, most: int) -> None:
    cut = truncate(text, most)
    assert len(cut) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


def test_the_first_ripple_and_every_fifth_are_told() -> None:
    assert [count for count in range(21) if should_announce_ripple(count)] == [1, 5, 10, 15, 20]


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
        return {one.kind: one.act for one in plan_changes(told, held, occasion="k", now=NOW)}

    def test_an_edit_is_worded_again_everywhere(self) -> None:
        assert set(self.acts(story()).values()) == {Act.UPDATE}

    def test_a_withdrawn_story_is_deleted_where_it_stood_alone(self) -> None:
        told = story()
        told.withdraw(NOW)
        assert self.acts(told) == {
            POSTED: Act.DELETE,
            SHARED: Act.DELETE,
            HARVEST: Act.UPDATE,
            "rhythm_purpose": Act.UPDATE,
        }

    def test_a_story_kept_to_its_place_is_deleted_elsewhere(self) -> None:
        acts = self.acts(story(readers=Readers.THREAD))
        assert (acts[POSTED], acts[SHARED]) == (Act.UPDATE, Act.DELETE)

    def test_an_unsent_retelling_needs_no_change(self) -> None:
        assert plan_changes(story(), [message(POSTED, receipt=None)], occasion="k", now=NOW) == []

    def test_one_thing_done_changes_things_once(self) -> None:
        def keys(occasion: str) -> list[str]:
            return [one.key for one in plan_changes(story(), [message(POSTED)], occasion=occasion, now=NOW)]

        assert keys("k") == keys("k") != keys("another")
        assert len(keys("k" * 500)[0]) <= 200


@st.composite
def fields_of_stories(draw: st.DrawFn) -> list[HarvestCandidate]:
    return [
        HarvestCandidate(
            story=StoryId(f"s{number}"),
            teller=PersonId(f"t{draw(st.integers(0, 6))}"),
            group=draw(st.sampled_from(["", "nacht", "dag", "wijk", "staf"])),
            place=PlaceId(draw(st.sampled_from(["a", "b"]))),
            told_at=NOW + timedelta(hours=draw(st.integers(0, 20))),
        )
        for number in range(draw(st.integers(0, 14)))
    ]


def group(one: HarvestCandidate) -> str:
    return one.group or f"alone:{one.teller}"


class TestHarvest:
    @given(fields_of_stories())
    def test_three_to_five_or_none(self, ripe: list[HarvestCandidate]) -> None:
        chosen = choose_stories(ripe)
        assert len(chosen) == (0 if len(ripe) < MIN_STORIES else min(len(ripe), MAX_STORIES))
        assert len(choose_stories(ripe, least=1)) == min(len(ripe), MAX_STORIES)
        assert len({one.story for one in chosen}) == len(chosen)
        assert all(one in ripe for one in chosen)

    @given(fields_of_stories())
    def test_of_as_many_groups_as_there_are(self, ripe: list[HarvestCandidate]) -> None:
        chosen = choose_stories(ripe)
        if chosen:
            assert len({group(one) for one in chosen}) == min(len(chosen), len({group(one) for one in ripe}))

    @given(fields_of_stories(), st.randoms(use_true_random=False))
    def test_it_does_not_matter_in_which_order_they_come(self, ripe: list[HarvestCandidate], random: object) -> None:
        shuffled = list(ripe)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert choose_stories(shuffled) == choose_stories(ripe)

    @given(fields_of_stories())
    def test_they_are_told_in_the_order_they_happened(self, ripe: list[HarvestCandidate]) -> None:
        moments = [one.told_at for one in choose_stories(ripe)]
        assert moments == sorted(moments)

    def test_of_one_group_the_newest_are_chosen(self) -> None:
        ripe = [
            HarvestCandidate(
                story=StoryId(f"s{number}"),
                teller=PersonId(f"t{number}"),
                group="nacht",
                place=None,
                told_at=NOW + timedelta(days=number),
            )
            for number in range(8)
        ]
        assert [one.story for one in choose_stories(ripe)] == ["s3", "s4", "s5", "s6", "s7"]

"""Ritme comes back to a stuck episode once: in a week, or when its owner chose."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.initiative import EpisodeId, StuckEpisode
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.stuck_return import plan_return, plan_usual_return, returns_at

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
FATIMA = Person(id=PersonId("fatima"), workspace_id=WorkspaceId("test:W1"), account="fatima", created_at=NOW)
STUCK = StuckEpisode(
    id=EpisodeId("e"),
    movement_id=MovementId("m"),
    initiative_id=None,
    person_id=FATIMA.id,
    place_id=None,
    text="de nacht komt niet",
    opened_at=NOW,
)


def chosen(after: timedelta) -> Delivery:
    planned = plan_return(STUCK, FATIMA, [], NOW, NOW + after, promised="Europe/Amsterdam")
    assert planned is not None
    return planned


def test_it_is_a_week_unless_they_chose_a_later_moment() -> None:
    usual = plan_usual_return(STUCK, FATIMA, [], NOW)
    assert usual is not None
    assert (usual.due_at, usual.is_promised) == (NOW + WEEK, False)
    later = chosen(4 * WEEK)
    assert plan_usual_return(STUCK, FATIMA, [later], NOW) is None
    assert returns_at([later]) == NOW + 4 * WEEK


def test_one_that_waits_makes_room_for_the_next() -> None:
    sooner = chosen(timedelta(days=3))
    again = plan_usual_return(STUCK, FATIMA, [sooner], NOW)
    assert again is not None
    assert sooner.state is DeliveryState.DROPPED
    assert returns_at([sooner, again]) == NOW + WEEK


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN])
def test_what_was_asked_is_never_asked_again(state: DeliveryState) -> None:
    asked = chosen(WEEK)
    asked.state = state
    assert plan_usual_return(STUCK, FATIMA, [asked], NOW) is None

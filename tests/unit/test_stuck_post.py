"""The post in the channel follows who may see it, whatever became of it so far."""

from datetime import UTC, datetime

import pytest

from bot.domain.delivery import Act, Delivery, DeliveryState
from bot.domain.initiative import Audience, EpisodeId, StuckEpisode
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.stuck_post import current_post, update_post

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
PLACE = Place(id=PlaceId("p"), workspace_id=WorkspaceId("test:W1"), channel="c", name="zorg", created_at=NOW)


def stuck(audience: Audience) -> StuckEpisode:
    return StuckEpisode(
        id=EpisodeId("e"),
        movement_id=MovementId("m"),
        initiative_id=None,
        person_id=PersonId("fatima"),
        place_id=PLACE.id,
        text="de nacht komt niet",
        audience=audience,
        opened_at=NOW,
    )


def posted(state: DeliveryState) -> Delivery:
    post = update_post(stuck(Audience.CHANNEL), PLACE, [], NOW)
    assert post is not None
    post.state, post.receipt = state, "m1" if state is DeliveryState.SENT else None
    return post


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.SENT])
def test_what_was_worded_for_the_channel_is_changed_there(state: DeliveryState) -> None:
    post = posted(state)
    for audience, act in ((Audience.ME, Act.DELETE), (Audience.CHANNEL, Act.UPDATE)):
        change = update_post(stuck(audience), PLACE, [post], NOW)
        assert change is not None
        assert (change.act, change.args["of"], change.target) == (act, post.id, post.receipt)


def test_what_still_waits_is_not_sent() -> None:
    post = posted(DeliveryState.WAITING)
    assert update_post(stuck(Audience.ME), PLACE, [post], NOW) is None
    assert post.state is DeliveryState.DROPPED


def test_once_taken_away_it_is_posted_anew() -> None:
    post = posted(DeliveryState.SENDING)
    deletion = update_post(stuck(Audience.ME), PLACE, [post], NOW)
    assert deletion is not None
    assert current_post([post, deletion]) is None
    again = update_post(stuck(Audience.CHANNEL), PLACE, [post, deletion], NOW)
    assert again is not None
    assert again.act is Act.POST
    assert again.key not in (post.key, deletion.key)

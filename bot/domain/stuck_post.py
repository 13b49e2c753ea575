"""What stands in a channel about being stuck: posted, rewritten when words change, taken away when it is for fewer
eyes."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.delivery import Act, Delivery, DeliveryState, to_place
from bot.domain.initiative import Audience, StuckEpisode
from bot.domain.movement import Place

KIND = "stuck_posted"


def standing(rows: Sequence[Delivery]) -> Delivery | None:
    """The post that is (or soon will be) there to read. `rows`: every delivery of this kind about an episode."""
    gone = {row.target for row in rows if row.act is Act.DELETE}
    posts = [
        row
        for row in rows
        if row.act is Act.POST
        and row.state not in (DeliveryState.DROPPED, DeliveryState.FAILED)
        and (row.receipt is None or row.receipt not in gone)
    ]
    return posts[-1] if posts else None


def follow(episode: StuckEpisode, place: Place, rows: Sequence[Delivery], now: datetime) -> Delivery | None:
    """What to send so that the channel shows what the episode is now; a post still waiting is dropped if need be."""
    post, shown = standing(rows), episode.audience is Audience.CHANNEL
    key = f"{KIND}:{episode.id}:{len(rows)}"
    if post is None:
        return to_place(place, KIND, key=key, now=now, subject=episode.id) if shown and episode.is_open else None
    if post.receipt is not None:
        act = Act.UPDATE if shown else Act.DELETE
        return to_place(place, KIND, key=key, now=now, subject=episode.id, act=act, target=post.receipt)
    if not shown and post.state is DeliveryState.WAITING:
        post.drop("taken_back")
    return None

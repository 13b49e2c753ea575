"""The post about a stuck episode in a channel: updated with the episode, deleted when fewer people may see it."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.delivery import Act, Delivery, DeliveryState, to_place
from bot.domain.initiative import Audience, StuckEpisode
from bot.domain.movement import Place

KIND = "stuck_posted"
"""The kind of the deliveries that post, update and delete it."""


def current_post(rows: Sequence[Delivery]) -> Delivery | None:
    """Return the post that is, or soon will be, in the channel. `rows`: every delivery of `KIND` about an episode,
    oldest first."""
    deletions = [row for row in rows if row.act is Act.DELETE]
    gone: set[object] = {row.target for row in deletions} | {row.args.get("of") for row in deletions}
    posts = [
        row
        for row in rows
        if row.act is Act.POST
        and row.state not in (DeliveryState.DROPPED, DeliveryState.FAILED)
        and row.id not in gone
        and (row.receipt is None or row.receipt not in gone)
    ]
    return posts[-1] if posts else None


def update_post(episode: StuckEpisode, place: Place, rows: Sequence[Delivery], now: datetime) -> Delivery | None:
    """Return the delivery that makes the channel show the episode as it is now; None when nothing needs to be sent.

    A post that still waits is worded when it is sent; it is dropped when the channel may not see it any more. One that
    is under way was worded before: the change finds it by its argument `of` once it has arrived.
    """
    post, shown = current_post(rows), episode.audience is Audience.CHANNEL
    # The number of deliveries so far gives every change a key of its own.
    key = f"{KIND}:{episode.id}:{len(rows)}"
    if post is None:
        return to_place(place, KIND, key=key, now=now, subject=episode.id) if shown and episode.is_open else None
    if post.state is DeliveryState.WAITING:
        if not shown:
            post.drop("taken_back")
        return None
    act = Act.UPDATE if shown else Act.DELETE
    return to_place(
        place, KIND, key=key, now=now, subject=episode.id, act=act, target=post.receipt, args={"of": post.id}
    )

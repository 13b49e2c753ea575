"""User groups of a platform that stand for groups of a movement, and who is in them, as far as Ritme knows people."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.catalogue.base import Entry, Pick
from bot.catalogue.forms import read
from bot.catalogue.groups import GroupsAsked, GroupsForm, GroupsOffered, GroupsSaved
from bot.chat import Intent, UserGroup
from bot.domain.delivery import Delivery, DeliveryId, to_person
from bot.domain.movement import Segment
from bot.domain.person import WorkspaceId
from bot.errors import Invalid, Refused
from bot.ports import Outgoing, Turn, UnitOfWork

OFFERED = "groups_offered"
MOST = 100


async def ask(work: UnitOfWork, turn: Turn) -> Entry:
    """The platform is asked which groups there are; a message with the answer follows."""
    movement = turn.as_coordinator()
    await work.deliveries.add(
        to_person(
            turn.person,
            OFFERED,
            key=f"{OFFERED}:{turn.person.id}:{turn.now.isoformat()}",
            now=turn.now,
            movement=movement.id,
        )
    )
    return GroupsAsked()


async def open_queries(work: UnitOfWork, lane: WorkspaceId) -> tuple[Sequence[DeliveryId], Sequence[str]]:
    """What to ask a platform: for which messages the groups there are, and of which groups the members."""
    lists = [one.id for one in await work.deliveries.waiting(OFFERED, lane) if "groups" not in one.args]
    return lists, [one.handle for one in await work.movements.segments_in(lane) if one.known_at is None]


async def learn_groups(
    work: UnitOfWork, lane: WorkspaceId, lists: Sequence[DeliveryId], found: Sequence[UserGroup]
) -> None:
    """What there is to choose from, kept with the message that offers it."""
    for delivery in [await work.deliveries.get(one, lane) for one in lists]:
        if delivery is not None:
            delivery.note(groups={one.handle: one.name for one in found[:MOST]})


async def learn_members(
    work: UnitOfWork, lane: WorkspaceId, members: Mapping[str, Sequence[str]], now: datetime
) -> None:
    """Who is in the groups that stand for one; of people Ritme does not know nothing is kept."""
    people = await work.people.accounts_in(lane)
    segments = [one for one in await work.movements.segments_in(lane) if one.handle in members]
    for segment in segments:
        inside = set(members[segment.handle])
        for person in people:
            if person.account not in inside:
                segment.lets_go(person)
    for segment in segments:
        inside = set(members[segment.handle])
        for person in people:
            if person.account in inside:
                segment.takes_in(person)
        segment.known_at = now


async def compose_offered(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    delivery = outgoing.delivery
    known = _listed(delivery)
    return GroupsOffered(list=delivery.id, names=tuple(known.values()), told="groups" in delivery.args)


async def choose(work: UnitOfWork, turn: Turn) -> Entry:
    """The groups there are, those that stand for one chosen already."""
    movement = turn.as_coordinator()
    listed = await _list(work, turn)
    segments = await work.movements.segments_in(turn.person.workspace_id)
    taken = {one.handle for one in segments if one.movement_id != movement.id}
    return GroupsForm(
        options={"groups": tuple(Pick(value=one, label=name) for one, name in listed.items() if one not in taken)},
        values={"groups": tuple(one.handle for one in segments if one.handle in listed and one.handle not in taken)},
        hidden={"list": turn.text("list")},
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Those chosen stand for a group from now on, those no longer chosen do not."""
    movement = turn.as_coordinator()
    listed = await _list(work, turn)
    chosen = read(GroupsForm, turn.intent.args).many("groups")
    lane = turn.person.workspace_id
    segments = {one.handle: one for one in await work.movements.segments_in(lane)}
    elsewhere = {one.handle for one in segments.values() if one.movement_id != movement.id}
    if not listed.keys() - elsewhere >= set(chosen):
        raise Invalid({"groups": "unknown_choice"})
    for handle, segment in segments.items():
        if segment.movement_id == movement.id and handle in listed and handle not in chosen:
            await _end(work, segment)
    for handle in chosen:
        if handle not in segments:
            work.movements.add(Segment(workspace_id=lane, handle=handle, movement_id=movement.id, name=listed[handle]))
    work.woken.add(lane)
    return GroupsSaved(names=tuple(listed[one] for one in chosen))


async def is_known(work: UnitOfWork, intent: Intent) -> bool:
    """Whether a group that changed stands for one of ours."""
    return await _segment(work, intent) is not None


async def changed(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Who came (`added`) and went (`removed`), what it is called now (`name`), or that it `ended`."""
    segment = await _segment(work, intent)
    if segment is None:
        return
    if intent.text("ended"):
        await _end(work, segment)
        return
    people = await work.people.accounts_in(segment.workspace_id)
    if intent.text("name"):
        segment.rename(intent.text("name"), people)
    added, removed = intent.args.get("added", ()), intent.args.get("removed", ())
    for person in people:
        if person.account in removed:
            segment.lets_go(person)
            if not person.group:
                await _ask_again(work, segment.workspace_id)  # another one may hold them still
        if person.account in added:
            segment.takes_in(person)


async def _end(work: UnitOfWork, segment: Segment) -> None:
    for person in await work.people.accounts_in(segment.workspace_id):
        segment.lets_go(person)
    await work.delete(segment)
    await work.flush()
    await _ask_again(work, segment.workspace_id)


async def _ask_again(work: UnitOfWork, lane: WorkspaceId) -> None:
    for segment in await work.movements.segments_in(lane):
        segment.known_at = None
        work.woken.add(lane)


async def _segment(work: UnitOfWork, intent: Intent) -> Segment | None:
    segments = await work.movements.segments_in(WorkspaceId(intent.actor.workspace))
    return next((one for one in segments if one.handle == intent.text("group")), None)


async def _list(work: UnitOfWork, turn: Turn) -> dict[str, str]:
    """What was offered to the actor: handle → name."""
    delivery = await work.deliveries.get(DeliveryId(turn.text("list")), turn.person.workspace_id)
    if delivery is None or delivery.kind != OFFERED or delivery.person_id != turn.person.id or not _listed(delivery):
        raise Refused("not_found")
    return _listed(delivery)


def _listed(delivery: Delivery) -> dict[str, str]:
    groups = delivery.args.get("groups")
    return {str(handle): str(name) for handle, name in groups.items()} if isinstance(groups, dict) else {}

"""Link user groups of a platform to groups of a movement, and keep track of which known people are in them.

Ritme learns members only of linked groups (`Segment`). `known_at` is None while the members of one have to be asked:
the directory sync does that before the next drain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, Pick
from bot.catalogue.forms import parse_form
from bot.catalogue.groups import GroupsAsked, GroupsForm, GroupsOffered, GroupsSaved
from bot.changes import record_change
from bot.chat import Intent, UserGroup
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Delivery, DeliveryId, to_person
from bot.domain.group_hours import group_key
from bot.domain.movement import Segment
from bot.domain.person import Person, WorkspaceId
from bot.domain.plain_text import clean_name
from bot.errors import Invalid, Refused
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.shifts import follow_group

OFFERED = "groups_offered"


async def request_groups(work: UnitOfWork, turn: Turn) -> Entry:
    """Have the platform asked for its user groups; the delivery that will offer them holds the answer."""
    movement = turn.require_coordinator()
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


async def load_open_queries(work: UnitOfWork, lane: WorkspaceId) -> tuple[Sequence[DeliveryId], Sequence[str]]:
    """Return what to ask a platform: the deliveries that wait for the list of groups, and the handles of the linked
    groups whose members are not known."""
    lists = [one.id for one in await work.deliveries.waiting(OFFERED, lane) if "groups" not in one.args]
    return lists, [one.handle for one in await work.movements.segments_in(lane) if one.known_at is None]


async def learn_groups(
    work: UnitOfWork, lane: WorkspaceId, lists: Sequence[DeliveryId], found: Sequence[UserGroup]
) -> None:
    """Store the list of groups with the deliveries that offer it."""
    for delivery in [await work.deliveries.get(one, lane) for one in lists]:
        if delivery is not None:
            delivery.add_args(groups={one.handle: one.name for one in found[:MAX_FORM_OPTIONS]})


async def learn_members(
    work: UnitOfWork, lane: WorkspaceId, members: Mapping[str, Sequence[str]], now: datetime
) -> None:
    """Update who is in the linked groups, by handle; nothing is kept about people Ritme does not know."""
    people = await work.people.accounts_in(lane)
    before = [one.group for one in people]
    segments = [one for one in await work.movements.segments_in(lane) if one.handle in members]
    # Leaving before joining: a person has one group, and may have moved from one of these to another.
    for segment in segments:
        inside = set(members[segment.handle])
        for person in people:
            if person.account not in inside:
                segment.remove_person(person)
    for segment in segments:
        inside = set(members[segment.handle])
        for person in people:
            if person.account in inside:
                segment.add_person(person)
        segment.known_at = now
    for person, group in zip(people, before, strict=True):
        await _follow(work, person, group, now)


async def compose_groups_offer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the message with the user groups to choose from."""
    delivery = outgoing.delivery
    offered = _offered_groups(delivery)
    return GroupsOffered(list=delivery.id, names=tuple(offered.values()), told="groups" in delivery.args)


async def choose(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form with the user groups, those that are linked chosen; groups of another movement are left out."""
    movement = turn.require_coordinator()
    listed = await _load_offer(work, turn)
    segments = await work.movements.segments_in(turn.person.workspace_id)
    taken = {one.handle for one in segments if one.movement_id != movement.id}
    return GroupsForm(
        options={"groups": tuple(Pick(value=one, label=name) for one, name in listed.items() if one not in taken)},
        values={"groups": tuple(one.handle for one in segments if one.handle in listed and one.handle not in taken)},
        hidden={"list": turn.text("list")},
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Link the chosen user groups, and unlink those no longer chosen. Raises `Invalid` for one that was not offered."""
    movement = turn.require_coordinator()
    listed = await _load_offer(work, turn)
    chosen = parse_form(GroupsForm, turn.intent.args).many("groups")
    lane = turn.person.workspace_id
    segments = {one.handle: one for one in await work.movements.segments_in(lane)}
    elsewhere = {one.handle for one in segments.values() if one.movement_id != movement.id}
    if not listed.keys() - elsewhere >= set(chosen):
        raise Invalid({"groups": "unknown_choice"})
    for handle, segment in segments.items():
        if segment.movement_id == movement.id and handle in listed and handle not in chosen:
            await _end_segment(work, segment, turn.now)
    for handle in chosen:
        if handle not in segments:
            work.movements.add(Segment(workspace_id=lane, handle=handle, movement_id=movement.id, name=listed[handle]))
    work.woken.add(lane)
    record_change(work, turn, CoordinatorAct.GROUPS_CHANGED)
    return GroupsSaved(names=tuple(listed[one] for one in chosen))


async def is_known(work: UnitOfWork, intent: Intent) -> bool:
    """Return whether the user group of an event is linked to a movement."""
    return await _find_segment(work, intent) is not None


async def handle_group_change(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Apply a change of a linked user group: accounts `added` and `removed`, a new `name`, or that it `ended`."""
    segment = await _find_segment(work, intent)
    if segment is None:
        return
    if intent.text("ended"):
        await _end_segment(work, segment, now)
        return
    people = await work.people.accounts_in(segment.workspace_id)
    before = [one.group for one in people]
    name = clean_name(intent.text("name"))
    if name:
        was = segment.name
        segment.rename(name, people)
        await _rename_hours(work, segment, was)
    added, removed = intent.args.get("added", ()), intent.args.get("removed", ())
    for person in people:
        if person.account in removed:
            segment.remove_person(person)
            if not person.group:
                await _request_members_again(work, segment.workspace_id)  # another one may hold them still
        if person.account in added:
            segment.add_person(person)
    for person, group in zip(people, before, strict=True):
        await _follow(work, person, group, now)


async def _rename_hours(work: UnitOfWork, segment: Segment, was: str) -> None:
    """Let a group that was renamed keep its quiet hours; a name that has hours already keeps those. Where others are
    still of a group with the old name, that keeps them too."""
    before, after = group_key(was), group_key(segment.name)
    kept = {one.key: one for one in await work.movements.group_hours(segment.movement_id)}
    hours = kept.get(before)
    if hours is None:
        return
    if before == after:
        hours.name = segment.name
    elif after not in kept:
        work.movements.add(replace(hours, key=after, name=segment.name))
        await work.flush()  # who is of which group is found by a query that has to see the new names
        others = await work.people.group_sizes(segment.movement_id)
        if all(group_key(one) != before for one in others):
            await work.delete(hours)
    await work.flush()  # the hours that each follows are found by a query that has to see these


async def _follow(work: UnitOfWork, person: Person, before: str, now: datetime) -> None:
    """Let a person whose group may have changed follow the hours of it."""
    if person.group != before:
        belongs = await work.movements.of_person(person.id)
        await follow_group(work, person, now, movement=belongs[0][0].id if belongs else None)


async def _end_segment(work: UnitOfWork, segment: Segment, now: datetime) -> None:
    for person in await work.people.accounts_in(segment.workspace_id):
        before = person.group
        segment.remove_person(person)
        await _follow(work, person, before, now)
    await work.delete(segment)
    await work.flush()  # the query below must not find it any more
    await _request_members_again(work, segment.workspace_id)


async def _request_members_again(work: UnitOfWork, lane: WorkspaceId) -> None:
    for segment in await work.movements.segments_in(lane):
        segment.known_at = None
        work.woken.add(lane)


async def _find_segment(work: UnitOfWork, intent: Intent) -> Segment | None:
    segments = await work.movements.segments_in(WorkspaceId(intent.actor.workspace))
    return next((one for one in segments if one.handle == intent.text("group")), None)


async def _load_offer(work: UnitOfWork, turn: Turn) -> dict[str, str]:
    """Return the groups that were offered to the actor, as handle → name. Raises `Refused` when none were."""
    delivery = await work.deliveries.get(DeliveryId(turn.text("list")), turn.person.workspace_id)
    if (
        delivery is None
        or delivery.kind != OFFERED
        or delivery.person_id != turn.person.id
        or not _offered_groups(delivery)
    ):
        raise Refused("not_found")
    return _offered_groups(delivery)


def _offered_groups(delivery: Delivery) -> dict[str, str]:
    groups = delivery.args.get("groups")
    return {str(handle): str(name) for handle, name in groups.items()} if isinstance(groups, dict) else {}

"""Storage of people, movements, stories and the rest, the same on both databases.

Scopes are tested in test_scopes.py, rhythms and the outbox in test_rhythm_repository.py and test_outbox_*.py.
"""

import asyncio
from datetime import datetime, time, timedelta
from itertools import count

import pytest
from sqlalchemy import delete

from adapters.database.tables import stories
from bot.domain.delivery import Act, DeliveryId, DeliveryState
from bot.domain.group_hours import GroupHours, group_key
from bot.domain.initiative import (
    Company,
    CompanyId,
    EpisodeId,
    EpisodeState,
    Initiative,
    InitiativeId,
    Participant,
    StuckEpisode,
)
from bot.domain.look_back import MAX_ROWS_PER_KIND, ToldStory
from bot.domain.movement import (
    InviteCode,
    InviteCodeId,
    Member,
    MovementId,
    PartSaid,
    PlaceId,
    Purpose,
    PurposeId,
    Role,
)
from bot.domain.next_step import StepState
from bot.domain.person import ERASED, PersonId, Workspace, WorkspaceId
from bot.domain.solved import TOLD_AT_ONCE, TOLD_WITHIN
from bot.domain.story import Readers, Retelling, Ripple, Story, StoryId, StoryRequest, StoryRequestId
from bot.ports import Conflict, UnitOfWork
from tests.contract.seed import (
    BESIDE,
    DAY,
    FATIMA,
    HERE,
    HOUR,
    JAN,
    NIGHT,
    NOOR,
    NOW,
    OURS,
    SPELL,
    THEIRS,
    THERE,
    TOLD,
    W1,
    W2,
    WALK,
    Seeded,
    add_one_of_everything,
    add_questions,
    delivery,
    episode,
    ids,
    person,
    place,
    step,
    story,
)
from tests.scale.plans import QueryRecorder


def hours(movement: MovementId, name: str, set_at: datetime) -> GroupHours:
    return GroupHours(
        movement_id=movement,
        key=group_key(name),
        name=name,
        quiet_from=time(8),
        quiet_until=time(16),
        quiet_weekends=False,
        set_at=set_at,
    )


async def test_the_hours_of_a_group_are_found_for_each_in_their_own_movements(seeded: Seeded) -> None:
    await seeded.add(
        Member(movement_id=THEIRS, person_id=JAN, joined_at=NOW),
        hours(OURS, "Nacht", NOW),
        hours(OURS, "Dag", NOW + DAY),
        hours(THEIRS, "Nacht", NOW + HOUR),
    )
    async with seeded.begin() as work:
        found = await work.movements.find_hours([FATIMA, JAN], "nacht ")
        assert {person: one.movement_id for person, one in found.items()} == {FATIMA: OURS, JAN: THEIRS}
        assert await work.movements.find_hours([], "nacht") == {}
        assert await work.movements.find_hours([FATIMA], "avond") == {}


async def test_each_movement_has_its_own_people_and_places(seeded: Seeded) -> None:
    gone, forgotten = PersonId("gone"), PersonId("forgotten")
    await seeded.add(
        person(gone, W2, deactivated_at=NOW),
        person(forgotten, W2, account=None),
        Member(movement_id=THEIRS, person_id=gone, role=Role.COORDINATOR, joined_at=NOW + DAY),
        Member(movement_id=THEIRS, person_id=forgotten, role=Role.COORDINATOR, joined_at=NOW + DAY),
        place(PlaceId("across"), W1, THEIRS),
    )
    async with seeded.begin() as work:
        assert ids(await work.people.coordinators(THEIRS)) == [NOOR]
        assert await work.people.count_in(THEIRS) == 2
        assert [await work.people.count_in(THEIRS, most) for most in (1, 2, 3)] == [1, 2, 2]
        assert ids(await work.people.among([NOOR, forgotten, FATIMA], THEIRS)) == [NOOR]
        assert await work.people.among([], THEIRS) == []
        assert sorted(ids(await work.people.accounts_in(W2))) == [gone, NOOR]
        assert sorted(ids(await work.movements.places(THEIRS))) == ["across", THERE]
        assert await work.movements.labels(THEIRS, W2) == {THERE: "there", "across": "across (Oost)"}


async def test_load_context_finds_person_place_movement_and_membership(seeded: Seeded) -> None:
    await seeded.add(
        place(PlaceId("unlinked"), W1, None),
        place(PlaceId("across"), W2, OURS),
        Member(movement_id=THEIRS, person_id=JAN, joined_at=NOW + DAY),
    )
    for asked, arrives in ARRIVALS.items():
        async with seeded.begin() as work:
            lane, who, where, movement, member = await work.people.load_context(*asked)
            found = (who and who.id, where and where.id, movement and movement.id, member and member.movement_id)
        assert found == arrives, asked
        assert (lane and lane.id) == (asked[0] if asked[0] in (W1, W2) else None)


ARRIVALS: dict[tuple[WorkspaceId, str, str | None, MovementId | None], tuple[str | None, ...]] = {
    (W1, "u-fatima", "c-here", None): (FATIMA, HERE, OURS, OURS),
    (W1, "u-fatima", None, None): (FATIMA, None, OURS, OURS),
    (W1, "u-fatima", "c-unlinked", None): (FATIMA, "unlinked", OURS, OURS),
    (W1, "u-jan", "c-here", None): (JAN, HERE, OURS, OURS),
    (W1, "u-jan", None, None): (JAN, None, THEIRS, THEIRS),
    (W1, "u-jan", None, OURS): (JAN, None, OURS, OURS),
    (W1, "u-fatima", None, THEIRS): (FATIMA, None, OURS, OURS),
    (W2, "u-noor", "c-across", None): (NOOR, "across", OURS, None),
    (W1, "u-noor", "c-here", None): (None, HERE, OURS, None),
    (W2, "u-fatima", None, None): (None, None, None, None),
    (WorkspaceId("test:W3"), "u-fatima", "c-here", None): (None, None, None, None),
}
"""Ids of the person, the place, the movement it is about, and the movement they belong to."""


async def test_lock_movement_serializes_concurrent_requests_of_one_movement(seeded: Seeded) -> None:
    async def count_one(work: UnitOfWork) -> None:
        if next(numbers) % 2:
            await work.people.lock_movement(W1, "u-fatima", "c-here", None)
        else:
            await work.inbox.claim_turn(W1, "u-fatima", "c-here", None, ["a"], NOW)
        movement = await work.movements.get(OURS)
        assert movement is not None
        movement.name = str(int(movement.name) + 1)

    numbers = count()
    async with seeded.begin() as work:
        movement = await work.movements.get(OURS)
        assert movement is not None
        movement.name = "0"
    await asyncio.gather(*(transact(count_one) for transact in seeded.both * 5))
    async with seeded.begin() as work:
        movement = await work.movements.get(OURS)
        assert movement is not None
        assert movement.name == "10"


async def test_a_person_is_added_once_per_account(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        first = (await work.people.get_or_create(W1, "u-new", NOW)).id
    async with seeded.begin() as work:
        assert (await work.people.get_or_create(W1, "u-new", NOW)).id == first
        assert (await work.people.get_or_create(W2, "u-new", NOW)).id != first
        assert (await work.people.get_or_create(W1, "u-fatima", NOW)).id == FATIMA


async def test_an_uninstalled_workspace_is_listed_until_it_is_erased(seeded: Seeded) -> None:
    await seeded.add(
        Workspace(id=WorkspaceId("test:W3"), gone_at=NOW, gone_reason="app_removed"),
        Workspace(id=WorkspaceId("test:W4"), gone_at=NOW - DAY, gone_reason=ERASED),
    )
    async with seeded.begin() as work:
        assert await work.people.find_expired_workspace(NOW) is None
        assert await work.people.find_expired_workspace(NOW + HOUR) is await work.people.workspace(
            WorkspaceId("test:W3")
        )


async def test_a_request_key_is_claimed_once_per_workspace_until_it_is_deleted(seeded: Seeded) -> None:
    async def claim(workspace: WorkspaceId, key: str, at: datetime = NOW) -> bool:
        async with seeded.begin() as work:
            return await work.inbox.claim(workspace, key, at)

    assert [await claim(W1, "a"), await claim(W1, "a"), await claim(W2, "a")] == [True, False, True]
    assert await claim(W1, "b", NOW + DAY)
    async with seeded.begin() as work:
        assert await work.inbox.forget(NOW + HOUR, 1) == 1
        assert await work.inbox.forget(NOW + HOUR, 9) == 1
        assert await work.inbox.forget(NOW + HOUR, 9) == 0
    assert [await claim(W1, "a"), await claim(W2, "a"), await claim(W1, "b")] == [True, True, False]


async def test_threads_and_messages_are_known_by_what_stands_there(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    await seeded.add(place(PlaceId("unlinked"), W1, None))
    for thread, message, known in (
        ("t1", "", True),  # a story was told in it
        ("m1", "", True),  # it holds a story
        ("", "m1", True),
        ("", "m2", True),  # its author was asked for it
        ("m2", "", False),
        ("nothing", "else", False),
        ("", "", False),
    ):
        async with seeded.begin() as work:
            assert await work.stories.is_known(W1, "c-here", thread=thread, message=message) is known, (thread, message)
            assert not await work.stories.is_known(W1, "c-unlinked", thread=thread, message=message)
    async with seeded.begin() as work:
        sent = await work.deliveries.get(DeliveryId("sent"), W1)
        assert sent is not None
        sent.receipt = "m9"
    async with seeded.begin() as work:
        assert await work.stories.is_known(W1, "c-here", thread="m9", message="")
        assert await work.stories.is_known(W1, "c-here", thread="", message="m9")


async def test_keys_of_a_turn_are_claimed_together(seeded: Seeded) -> None:
    for lane, account, channel in ((W1, "u-fatima", "c-here"), (W1, "u-nobody", None), (WorkspaceId("new"), "u", None)):
        async with seeded.begin() as work:
            turn = lane, account, channel, None
            assert await work.inbox.claim(lane, f"known-{account}", NOW)
            claimed = await work.inbox.claim_turn(*turn, [f"known-{account}", f"b-{account}", f"c-{account}"], NOW)
            assert set(claimed) == {f"b-{account}", f"c-{account}"}
            assert not set(await work.inbox.claim_turn(*turn, [f"b-{account}"], NOW))
            assert await work.inbox.is_claimed(lane, f"c-{account}")


async def test_whether_anybody_acted_since_a_moment_is_known(seeded: Seeded) -> None:
    late, later = NOW + timedelta(days=400), NOW + timedelta(days=400, seconds=1)
    async with seeded.begin() as work:
        assert not await work.inbox.has_any_since(late)
        assert await work.inbox.claim(W2, "a", late)
        assert [await work.inbox.has_any_since(one) for one in (late, later)] == [True, False]


async def test_a_claim_that_is_given_up_can_be_made_again(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        assert await work.inbox.claim(W1, "a", NOW)
        assert [await work.inbox.is_claimed(one, "a") for one in (W1, W2)] == [True, False]
        await work.inbox.release(W2, ["a"])
        assert await work.inbox.is_claimed(W1, "a")
        await work.inbox.release(W1, ["a", "b"])
    async with seeded.begin() as work:
        assert not await work.inbox.is_claimed(W1, "a")
        assert await work.inbox.claim(W1, "a", NOW)


async def test_a_claim_that_is_rolled_back_can_be_claimed_again(seeded: Seeded) -> None:
    async def break_off() -> None:
        async with seeded.begin() as work:
            assert await work.inbox.claim(W1, "a", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    async with seeded.begin() as work:
        assert await work.inbox.claim(W1, "a", NOW)


# -- in which order ---------------------------------------------------------------------------------------------------


async def test_movements_purposes_and_parts_said(seeded: Seeded) -> None:
    def code(name: str, **more: datetime) -> InviteCode:
        usual = {"made_by": None, "made_at": NOW, "expires_at": NOW + HOUR}
        return InviteCode(id=InviteCodeId(name), movement_id=OURS, digest=name, **{**usual, **more})  # type: ignore[arg-type]

    def purpose(version: int) -> Purpose:
        its = PurposeId(f"v{version}")
        return Purpose(id=its, movement_id=OURS, version=version, vision="x", written_by=None, written_at=NOW)

    await seeded.add(
        Member(movement_id=THEIRS, person_id=FATIMA, joined_at=NOW + DAY),
        *(purpose(version) for version in (2, 10, 1)),
        code("good"),
        code("late", expires_at=NOW),
        code("revoked", revoked_at=NOW),
        *(PartSaid(place_id=HERE, movement_id=OURS, part=part, said_at=NOW + at * HOUR) for part, at in SAID),
    )
    async with seeded.begin() as work:
        assert ids(await work.movements.of_person(FATIMA)) == [THEIRS, OURS]
        assert ids(await work.movements.purposes(OURS)) == ["v10", "v2", "v1"]
        assert (await work.movements.purpose(OURS)) is (await work.movements.purposes(OURS))[0]
        assert ids(await work.movements.codes(OURS, NOW)) == ["good"]
        assert await work.movements.said_parts(HERE) == ["mission", "norms", "vision"]


SAID = (("norms", 2), ("vision", 3), ("mission", 1))


async def test_initiatives_and_participants(seeded: Seeded) -> None:
    def initiative(id: str, at: int, **more: datetime) -> Initiative:
        begun = NOW + at * HOUR
        return Initiative(id=InitiativeId(id), movement_id=OURS, name=id, started_by=None, started_at=begun, **more)

    def takes_part(id: str, who: PersonId, at: int, **more: datetime) -> Participant:
        joined = NOW + at * HOUR
        return Participant(initiative_id=InitiativeId(id), movement_id=OURS, person_id=who, joined_at=joined, **more)

    await seeded.add(
        *(initiative("old", 1), initiative("new", 2), initiative("closed", 3, closed_at=NOW)),
        *(takes_part("new", FATIMA, 1), takes_part("old", FATIMA, 2), takes_part("closed", FATIMA, 3)),
        takes_part("old", JAN, 1, left_at=NOW),
    )
    async with seeded.begin() as work:
        assert ids(await work.initiatives.of_movement(OURS)) == ["new", "old"]
        assert ids(await work.initiatives.of_movement(OURS, closed=True)) == ["closed", "new", "old"]
        assert ids(await work.initiatives.of_movement(OURS, closed=True, most=2)) == ["closed", "new"]
        assert ids(await work.initiatives.of_person(FATIMA, OURS)) == ["old", "new"]
        assert ids(await work.initiatives.of_person(JAN, OURS)) == []
        assert ids(await work.initiatives.participants(InitiativeId("old"), OURS)) == [FATIMA]


async def test_episodes_questions_and_company(seeded: Seeded) -> None:
    def beside(who: PersonId, spell: str, at: datetime) -> Company:
        of = EpisodeId(spell)
        return Company(id=CompanyId(f"{who}-{spell}"), movement_id=OURS, episode_id=of, person_id=who, asked_at=at)

    peers = [PersonId(f"peer{number}") for number in range(4)]
    await add_one_of_everything(seeded)
    await seeded.add(
        *(person(one, W1) for one in peers),
        *(
            Member(movement_id=OURS, person_id=one, joined_at=NOW + (9 - n) * HOUR, suggestible=True)
            for n, one in enumerate(peers)
        ),
        episode("later", opened_at=NOW + HOUR),
        episode("over", opened_at=NOW + DAY, initiative_id=WALK, state=EpisodeState.LET_GO),
        *(beside(peers[0], "over", NOW - 2 * DAY), beside(peers[1], "over", NOW - 3 * DAY)),
        beside(peers[2], "later", NOW - HOUR),
    )
    async with seeded.begin() as work:
        await add_questions(work, "reach_2", "reach_3", at=NOW + HOUR)
        await add_questions(work, at=NOW + HOUR)
        opened = await work.stuck.open_of(FATIMA, OURS)
        assert ids(opened) == ["later", SPELL]
        spell = opened[-1]
        assert ids(await work.stuck.episodes_in(OURS, None)) == ["over", "later", SPELL, "solved"]
        assert await work.stuck.asked_questions(OURS, WALK, FATIMA) == (2, ["reach_1", "reach_2", "reach_3"])
        assert await work.stuck.rounds_of(FATIMA, OURS) == 2
        # Jan is in it already, and peer2 was asked an hour ago.
        assert ids(await work.stuck.peer_candidates(spell, NOW - DAY)) == [peers[3], peers[1], peers[0]]
        assert ids(await work.stuck.peer_candidates(spell, NOW)) == [peers[3], peers[1], peers[0], peers[2]]
        assert ids(await work.stuck.company_of(SPELL, OURS)) == [BESIDE]


async def test_questions_are_recalled_of_the_initiative_that_was_joined_last(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    await seeded.add(episode("outside"))
    async with seeded.begin() as work:
        assert await work.stuck.asked_about_latest(OURS, FATIMA) == (1, ["reach_1"])
        await add_questions(work, "energy_2", "energy_1", at=NOW + HOUR, spell=EpisodeId("outside"))
        assert await work.stuck.asked_about_latest(OURS, FATIMA) == (2, ["reach_1"])
        joined = await work.initiatives.participant(WALK, FATIMA)
        assert joined is not None
        joined.left_at = NOW + HOUR
        assert await work.stuck.asked_about_latest(OURS, FATIMA) == (2, ["energy_2", "energy_1"])
        newer = InitiativeId("newer")
        work.initiatives.add(
            Initiative(id=newer, movement_id=OURS, name="Samen eten", started_by=FATIMA, started_at=NOW)
        )
        work.initiatives.add(Participant(initiative_id=newer, movement_id=OURS, person_id=FATIMA, joined_at=NOW + DAY))
        assert await work.stuck.asked_about_latest(OURS, FATIMA) == (2, [])


def tells_of(one: Story, spell: StuckEpisode) -> bool:
    """Say whether a story tells of a breakthrough of its teller (see `SolvedSpell.is_told_of`)."""
    within = TOLD_WITHIN if spell.initiative_id else TOLD_AT_ONCE
    assert spell.closed_at is not None
    return one.initiative_id == spell.initiative_id and spell.opened_at <= one.told_at <= spell.closed_at + within


async def test_spells_that_stories_may_tell_of_are_found_and_none_that_are_older(seeded: Seeded) -> None:
    """A hair before and after each limit of `is_told_of`, beside many old ones."""
    hair, over = timedelta(milliseconds=1), {"state": EpisodeState.BREAKTHROUGH, "person_id": JAN}
    ends = [NOW - TOLD_WITHIN, NOW - TOLD_AT_ONCE, NOW]
    some = [
        episode(opened_at=closed - DAY, closed_at=closed, initiative_id=its, **over)
        for its in (WALK, None)
        for closed in (moment + more for moment in ends for more in (-hair, timedelta(), hair))
    ]
    old = [
        episode(opened_at=NOW - 3 * TOLD_WITHIN, closed_at=NOW - 2 * TOLD_WITHIN, initiative_id=WALK, **over)
        for _ in range(MAX_ROWS_PER_KIND + 1)
    ]
    told = [story("of it", initiative_id=WALK, teller_id=JAN), story("his own", teller_id=JAN)]
    await add_one_of_everything(seeded)
    await seeded.add(*some, *old, *told)
    async with seeded.begin() as work:
        found = await work.stories.solved_by_others(OURS, FATIMA)
        of = {(one.id, spell.id) for one in told for spell in some if tells_of(one, spell)}
        assert len(of) == 13
        assert {(one.story, one.spell) for one in found if one.is_told_of} == {*of, ("of it", "solved")}
        assert not {one.spell for one in found} & {one.id for one in old}


async def test_planned_and_done_steps(seeded: Seeded) -> None:
    await seeded.add(
        step("second", follow_up_at=NOW + 2 * DAY),
        step("first", follow_up_at=NOW + DAY),
        step("done early", state=StepState.DONE, closed_at=NOW + HOUR),
        step("done late", state=StepState.DONE, closed_at=NOW + DAY),
        step("let go", state=StepState.LET_GO, closed_at=NOW),
    )
    async with seeded.begin() as work:
        assert ids(await work.steps.planned_of(FATIMA, OURS)) == ["first", "second"]
        assert ids(await work.steps.done_in(OURS, None)) == ["done late", "done early"]


async def test_stories_by_teller_and_thread_and_to_harvest(seeded: Seeded) -> None:
    await seeded.add(
        story("harvested", told_at=NOW - DAY, harvested_at=NOW),
        story("before", told_at=NOW - HOUR),
        story("first", told_at=NOW + HOUR, thread="t"),
        story("second", told_at=NOW + 2 * HOUR, thread="t"),
        story("stays", told_at=NOW + 3 * HOUR, readers=Readers.THREAD),
        story("back", told_at=NOW, withdrawn_at=NOW + HOUR, thread="t"),
    )
    async with seeded.begin() as work:
        assert ids(await work.stories.to_harvest(OURS, None, NOW + DAY, 9)) == ["second", "first", "before"]
        assert ids(await work.stories.to_harvest(OURS, None, NOW + DAY, 1)) == ["second"]
        # A place without a harvest of its own: what others were given lately is new there.
        assert ids(await work.stories.to_harvest(OURS, HERE, NOW, 9)) == ["second", "first", "before", "harvested"]
        assert ids(await work.stories.to_harvest(OURS, HERE, NOW + DAY, 9)) == ["second", "first", "before"]
        assert ids(await work.stories.told_in(OURS, None)) == ["stays", "second", "first", "before", "harvested"]
        assert ids(await work.stories.of_teller(FATIMA, 2)) == ["stays", "second"]
        assert ids(await work.stories.in_thread(HERE, "t")) == ["back", "first", "second"]


async def test_stories_showing_a_part_come_from_other_places_first_and_only_once(
    seeded: Seeded,
) -> None:
    part = {"part": "vision"}
    await seeded.add(
        story("here", told_at=NOW + DAY, **part),
        story("elsewhere", told_at=NOW, place_id=NIGHT, **part),
        story("newer", told_at=NOW + HOUR, place_id=NIGHT, **part),
        story("in a chat", told_at=NOW + HOUR / 2, place_id=None, **part),
        story("old", told_at=NOW - 9 * DAY, place_id=NIGHT, **part),
        story("stays", told_at=NOW + DAY, place_id=NIGHT, readers=Readers.THREAD, **part),
    )
    shown = []
    for number in range(5):
        async with seeded.begin() as work:
            found = await work.stories.showing(OURS, "vision", NOW - DAY, HERE)
            if found is None:
                break
            shown.append(found.id)
            reminder = delivery(f"reminder{number}", kind="rhythm_purpose")
            await work.deliveries.add(reminder)
            work.stories.add(Retelling(story_id=found.id, delivery_id=reminder.id, movement_id=OURS))
    assert shown == ["newer", "in a chat", "elsewhere", "here"]
    async with seeded.begin() as work:
        assert await work.stories.showing(OURS, "vision", NOW - DAY, NIGHT) is not None


async def test_stories_of_which_nobody_said_what_they_show_come_newest_first_and_only_once(seeded: Seeded) -> None:
    await seeded.add(
        story("fits", told_at=NOW),
        story("newer", told_at=NOW + HOUR, part="core_message:9"),
        story("said", told_at=NOW + HOUR, part="vision"),
        story("none", told_at=NOW + HOUR, part="none"),
        story("old", told_at=NOW - 9 * DAY),
        story("stays", told_at=NOW, readers=Readers.THREAD),
    )
    parts = ["vision", "none"]
    async with seeded.begin() as work:
        found = await work.stories.related_to_none(OURS, parts, NOW - DAY, HERE, 9)
        assert ids(found) == ["newer", "fits"]
        assert ids(await work.stories.related_to_none(OURS, parts, NOW - DAY, HERE, 1)) == ["newer"]
        reminder = delivery("reminder", kind="rhythm_purpose")
        await work.deliveries.add(reminder)
        work.stories.add(Retelling(story_id=StoryId("newer"), delivery_id=reminder.id, movement_id=OURS))
    async with seeded.begin() as work:
        assert ids(await work.stories.related_to_none(OURS, parts, NOW - DAY, HERE, 9)) == ["fits"]
        assert ids(await work.stories.related_to_none(OURS, parts, NOW - DAY, NIGHT, 9)) == ["newer", "fits"]


async def test_told_in_returns_what_a_look_back_needs_of_a_story(seeded: Seeded) -> None:
    await seeded.add(
        story("moved two", named=False),
        story("moved nobody", told_at=NOW - HOUR, readers=Readers.THREAD, teller_id=JAN, text="Stil."),
        *(
            Ripple(story_id=StoryId("moved two"), person_id=one, movement_id=OURS, place_id=HERE, at=NOW)
            for one in (JAN, NOOR)
        ),
    )
    async with seeded.begin() as work:
        assert await work.stories.told_in(OURS, None) == [
            ToldStory(StoryId("moved two"), NOW, FATIMA, False, "We liepen een rondje.", True, 2),
            ToldStory(StoryId("moved nobody"), NOW - HOUR, JAN, True, "Stil.", False, 0),
        ]


async def test_retellings_steps_and_open_requests_of_a_story(seeded: Seeded) -> None:
    stands = [delivery(f"m{number}", state=DeliveryState.SENT, receipt=f"m{number}") for number in (2, 1, 3)]
    await seeded.add(
        story(TOLD),
        *stands,
        delivery(act=Act.DELETE, target="m1"),
        delivery(act=Act.DELETE, target="m3", place_id=NIGHT),
        *(step(story_id=TOLD, state=state) for state in StepState),
        *(request(number) for number in range(3)),
    )
    async with seeded.begin() as work:
        for one in stands:
            work.stories.add(Retelling(story_id=TOLD, delivery_id=one.id, movement_id=OURS))
    async with seeded.begin() as work:
        assert ids(await work.stories.retold_in(TOLD, OURS)) == ["m2", "m3"]
        assert await work.stories.steps_from(TOLD, OURS) == 2
        assert ids(await work.stories.requests_before(NOW + 2 * HOUR)) == ["r0"]


def request(number: int) -> StoryRequest:
    """Make a request asked at the hour of its number; number 1 was answered."""
    return StoryRequest(
        id=StoryRequestId(f"r{number}"),
        movement_id=OURS,
        place_id=HERE,
        message=f"m{number}",
        author_id=FATIMA,
        asked_by_id=JAN,
        text="Kijk",
        asked_at=NOW + number * HOUR,
        answered_at=NOW + DAY if number == 1 else None,
    )


async def test_ties_grow_from_both_sides_and_nobody_meets_themselves(seeded: Seeded) -> None:
    for one, other in ((JAN, FATIMA), (FATIMA, JAN), (JAN, JAN)):
        async with seeded.begin() as work:
            await work.connecting.strengthen(OURS, one, other, NOW)
    async with seeded.begin() as work:
        ties = await work.connecting.ties(OURS)
    assert [(tie.one_id, tie.other_id, tie.strength) for tie in ties] == [(FATIMA, JAN, 2)]


async def test_names_by_ids_are_read_in_one_query(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        wanted = ["u-fatima", "c-here", "nobody", *(f"u-{number}" for number in range(40))]
        with QueryRecorder() as recorded:
            found = await work.people.names_by_ids(W1, wanted)
        fatima = await work.people.by_account(W1, "u-fatima")
        here = await work.movements.place_in(W1, "c-here")
    assert fatima is not None
    assert here is not None
    assert found == {one: name for one, name in (("u-fatima", fatima.name), ("c-here", here.name)) if name}
    assert found
    assert sum(stats.times for statement, stats in recorded.asked.items() if "SELECT" in statement) == 1


async def test_reading_beside_a_transaction_waits_for_nobody_and_keeps_nothing(seeded: Seeded) -> None:
    async def read_name(work: UnitOfWork) -> str:
        movement = await work.movements.get(OURS)
        assert movement is not None
        name, movement.name = movement.name, "Gelezen"
        return name

    transact = seeded.storage.transact
    before = await transact.read(read_name)
    async with seeded.begin() as work:
        movement = await work.movements.get(OURS)
        assert movement is not None
        movement.name = "Geschreven"
        await work.flush()
        assert await transact.read(read_name) == before
    assert await transact.read(read_name) == "Geschreven"
    assert await transact.read(read_name) == "Geschreven"


async def test_to_change_a_story_that_another_deleted_is_a_lost_race(seeded: Seeded) -> None:
    await seeded.add(story("told"))

    async def change_late() -> None:
        async with seeded.begin() as work:
            told = await work.stories.get(StoryId("told"), OURS)
            assert told is not None
            await work.execute(delete(stories).where(stories.c.id == "told"))
            told.tell_again("Anders.", Readers.MOVEMENT, NOW)

    with pytest.raises(Conflict):
        await change_late()

"""Queries by movement, workspace, person or place never return rows of another, on both databases."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from bot.domain.api_token import ApiTokenId
from bot.domain.choosing import SignificanceId
from bot.domain.delivery import DeliveryId, DeliveryState
from bot.domain.held_words import HeldWordsId
from bot.domain.movement import PlaceId
from bot.domain.rhythm import RhythmId, RhythmKind
from bot.domain.story import Readers, Retelling
from bot.domain.story_search import StoryFilters, StoryMatch, StoryReader
from bot.domain.webhook import WebhookId
from bot.ports import UnitOfWork
from tests.contract.seed import (
    ASKED,
    BESIDE,
    CHANCE,
    DAY,
    DOOR,
    FATIMA,
    HERE,
    INVITED,
    JAN,
    LOOKED,
    LUNCH,
    NAMED,
    NIGHT,
    NOW,
    OURS,
    PRINTED,
    ROOM,
    SAID,
    SPELL,
    STEP,
    THEIRS,
    THERE,
    TOLD,
    TRIED,
    W1,
    W2,
    WALK,
    WEEKLY,
    Seeded,
    add_one_of_everything,
    delivery,
    ids,
    place,
    story,
)
from tests.support.exports import everything_about

Ask = Callable[[UnitOfWork, Any], Awaitable[object]]


async def _name_of_fatima(work: UnitOfWork, its: Any) -> bool:
    """Return whether Fatima is among the members by name; another movement has members of its own."""
    return FATIMA in await work.people.names_like(its, [FATIMA])


async def _list_taking_part(work: UnitOfWork, its: Any) -> object:
    """Return who takes part in an initiative, if anybody does."""
    return (await work.initiatives.people_in([WALK], its))[WALK]


async def _count_stories(work: UnitOfWork, its: Any) -> int:
    """Return how many stories are counted in a movement; another has members of its own."""
    counts = await work.movements.count_figures(its, NOW - DAY)
    return counts.stories if counts is not None else 0


async def _told_outside(work: UnitOfWork, its: Any) -> object:
    """Return the stories that may be read outside, once ours may."""
    ours = await work.stories.get(TOLD, OURS)
    if ours is not None:
        ours.readers = Readers.EVERYONE
        await work.flush()
    return await work.stories.told_outside(its, None, None, 9)


async def _is_fatima_member(work: UnitOfWork, its: Any) -> bool:
    """Return whether Fatima is among the members; another movement has members of its own."""
    return FATIMA in {one for one, _ in await work.takeaways.members_after(its, None, 99)}


async def _is_fatima_colleague(work: UnitOfWork, its: Any) -> bool:
    """Return whether somebody of Fatima's workspace is among the colleagues of a movement."""
    return W1 in {workspace for workspace, _, _ in await work.takeaways.colleagues_after(its, None, 99)}


async def _withdrawn(work: UnitOfWork, its: Any) -> bool:
    """Return whether a story was taken back since, while ours is."""
    ours = await work.stories.get(TOLD, OURS)
    if ours is None:
        return False
    ours.withdrawn_at = NOW
    await work.flush()
    found = await work.takeaways.has_withdrawn_since(its, NOW)
    ours.withdrawn_at = None
    return found


OF_A_MOVEMENT: dict[str, Ask] = {
    "people.get": lambda work, its: work.people.get(FATIMA, its),
    "people.among": lambda work, its: work.people.among([FATIMA], its),
    "people.names_like": lambda work, its: _name_of_fatima(work, its),
    "people.in_group": lambda work, its: work.people.in_group(its, "nacht"),
    "people.suggestible_in": lambda work, its: work.people.suggestible_in(its),
    "movements.membership": lambda work, its: work.movements.membership(its, JAN),
    "movements.codes": lambda work, its: work.movements.codes(its, NOW),
    "movements.places_abroad": lambda work, its: work.movements.places_abroad(its),
    "movements.purpose": lambda work, its: work.movements.purpose(its),
    "movements.practice": lambda work, its: work.movements.practice(its, "b1", FATIMA),
    "movements.count_practices": lambda work, its: work.movements.count_practices(its),
    "movements.group_hours": lambda work, its: work.movements.group_hours(its),
    "people.large_groups": lambda work, its: work.people.large_groups(its, 1),
    "rhythms.count": lambda work, its: work.rhythms.count(its),
    "people.group_sizes": lambda work, its: work.people.group_sizes(its),
    "people.of_groups": lambda work, its: work.people.of_groups(its, ["nacht"]),
    "movements.purposes": lambda work, its: work.movements.purposes(its),
    "initiatives.get": lambda work, its: work.initiatives.get(WALK, its),
    "initiatives.name": lambda work, its: work.initiatives.name(WALK, its),
    "initiatives.of_movement": lambda work, its: work.initiatives.of_movement(its),
    "initiatives.of_person": lambda work, its: work.initiatives.of_person(FATIMA, its),
    "initiatives.count": lambda work, its: work.initiatives.count(its),
    "initiatives.initiators": lambda work, its: work.initiatives.initiators(its, 9),
    "initiatives.history": lambda work, its: work.initiatives.history(LOOKED, its),
    "initiatives.last_history": lambda work, its: work.initiatives.last_history(WALK, its),
    "initiatives.history_answers": lambda work, its: work.initiatives.history_answers(LOOKED, its),
    "initiatives.last_sign": lambda work, its: work.initiatives.last_sign(WALK, its),
    "initiatives.room": lambda work, its: work.initiatives.room(ROOM, its),
    "initiatives.current_rooms": lambda work, its: work.initiatives.current_rooms(WALK, its, NOW),
    "initiatives.endorsements": lambda work, its: work.initiatives.endorsements(WALK, its, 9),
    "initiatives.resting": lambda work, its: work.initiatives.resting(its),
    "initiatives.groups_in": lambda work, its: work.initiatives.groups_in(WALK, its),
    "initiatives.people_in": lambda work, its: _list_taking_part(work, its),
    "initiatives.participants": lambda work, its: work.initiatives.participants(WALK, its),
    "stuck.episode": lambda work, its: work.stuck.episode(SPELL, its),
    "stuck.own": lambda work, its: work.stuck.own(SPELL, FATIMA, its),
    "stuck.open_of": lambda work, its: work.stuck.open_of(FATIMA, its),
    "stuck.asked_questions": lambda work, its: _find_questions(work, its),
    "stuck.asked_about_latest": lambda work, its: _find_latest_questions(work, its),
    "stuck.rounds_of": lambda work, its: work.stuck.rounds_of(FATIMA, its),
    "stuck.episodes_in": lambda work, its: work.stuck.episodes_in(its, None),
    "stuck.company": lambda work, its: work.stuck.company(BESIDE, its),
    "stuck.company_of": lambda work, its: work.stuck.company_of(SPELL, its),
    "steps.get": lambda work, its: work.steps.get(STEP, its),
    "steps.own": lambda work, its: work.steps.own(STEP, FATIMA, its),
    "steps.planned_of": lambda work, its: work.steps.planned_of(FATIMA, its),
    "steps.done_in": lambda work, its: work.steps.done_in(its, None),
    "steps.chance": lambda work, its: work.steps.chance(CHANCE, its),
    "steps.open_chances": lambda work, its: work.steps.open_chances(FATIMA, its, 9),
    "steps.chances_in": lambda work, its: work.steps.chances_in(its, FATIMA, 9),
    "experiments.get": lambda work, its: work.experiments.get(TRIED, its),
    "experiments.of_initiative": lambda work, its: work.experiments.of_initiative(WALK, its, 9),
    "experiments.of_person": lambda work, its: work.experiments.of_person(FATIMA, its, 9),
    "experiments.answers": lambda work, its: work.experiments.answers(TRIED, its),
    "experiments.decided_in": lambda work, its: work.experiments.decided_in(its, None, None, 9),
    "experiments.count_steps": lambda work, its: work.experiments.count_steps(TRIED, its),
    "stories.told_among": lambda work, its: work.stories.told_among([TOLD], its),
    "stories.with_tellers": lambda work, its: work.stories.with_tellers([TOLD], its),
    "stories.get": lambda work, its: work.stories.get(TOLD, its),
    "stories.showing": lambda work, its: work.stories.showing(its, "vision", NOW - DAY, NIGHT),
    "stories.related_to_none": lambda work, its: work.stories.related_to_none(its, ["none"], NOW - DAY, NIGHT, 9),
    "stories.to_harvest": lambda work, its: work.stories.to_harvest(its, None, NOW, 9),
    "stories.retold_in": lambda work, its: work.stories.retold_in(TOLD, its),
    "stories.told_in": lambda work, its: work.stories.told_in(its, None),
    "stories.solved_by_others": lambda work, its: work.stories.solved_by_others(its, JAN),
    "stories.search": lambda work, its: work.stories.search(
        its, StoryReader(person=JAN, workspace=W1), StoryFilters(), None
    ).find(StoryMatch(every=()), 9),
    "stories.count_spread": lambda work, its: _count_told(work, its),
    "stories.choice": lambda work, its: work.stories.choice(SignificanceId("chosen"), its),
    "stories.choice_in": lambda work, its: work.stories.choice_in("chosen in", its),
    "stories.whys": lambda work, its: work.stories.whys([TOLD], its),
    "stories.meanings": lambda work, its: _count_meanings(work, its),
    "stories.steps_from": lambda work, its: work.stories.steps_from(TOLD, its),
    "stories.ripple_moments": lambda work, its: work.stories.ripple_moments(TOLD, its),
    "stories.dimensions_in": lambda work, its: work.stories.dimensions_in(WALK, its, 9),
    "stories.was_told_from": lambda work, its: work.stories.was_told_from("nacht", WALK, its, NOW + DAY),
    "stories.ripples": lambda work, its: work.stories.ripples(TOLD, its),
    "connecting.invitation": lambda work, its: work.connecting.invitation(INVITED, its),
    "connecting.invitations_between": lambda work, its: work.connecting.invitations_between(
        FATIMA, JAN, its, NOW - DAY
    ),
    "connecting.invited_for": lambda work, its: work.connecting.invited_for(WALK, its, NOW - DAY),
    "connecting.introduction": lambda work, its: work.connecting.introduction(TOLD, JAN, its),
    "connecting.nomination": lambda work, its: work.connecting.nomination(NAMED, its),
    "connecting.named_by": lambda work, its: work.connecting.named_by(FATIMA, its),
    "connecting.naming": lambda work, its: work.connecting.naming(JAN, its),
    "connecting.meeting": lambda work, its: work.connecting.meeting(LUNCH, its),
    "connecting.joined_meetings": lambda work, its: work.connecting.joined_meetings(FATIMA, its, NOW),
    "connecting.guests": lambda work, its: work.connecting.guests(LUNCH, its),
    "connecting.tie_answers": lambda work, its: work.connecting.tie_answers(FATIMA, its),
    "connecting.count_reach": lambda work, its: work.connecting.count_reach(its),
    "connecting.waiting_to_meet": lambda work, its: work.connecting.waiting_to_meet(its, W1, 9),
    "connecting.together_last": lambda work, its: work.connecting.together_last([FATIMA], its),
    "connecting.members_among": lambda work, its: work.connecting.members_among([JAN], its),
    "connecting.acquaintances": lambda work, its: work.connecting.acquaintances([JAN], its, FATIMA),
    "connecting.suggestions_to": lambda work, its: work.connecting.suggestions_to(JAN, its),
    "holdouts.running_in": lambda work, its: work.holdouts.running_in(its),
    "holdouts.turns_in": lambda work, its: work.holdouts.turns_in(its),
    "holdouts.leaves_out": lambda work, its: work.holdouts.leaves_out(HERE, its, NOW),
    "holdouts.places_with": lambda work, its: work.holdouts.places_with(its, RhythmKind.STORIES),
    "holdouts.count_stories": lambda work, its: work.holdouts.count_stories(HERE, its, NOW - DAY, NOW + DAY),
    "holdouts.count_steps": lambda work, its: work.holdouts.count_steps(HERE, its, NOW - DAY, NOW + DAY),
    "holdouts.count_people": lambda work, its: work.holdouts.count_people(its, NOW - DAY),
    "movements.changes_by_coordinators": lambda work, its: work.movements.changes_by_coordinators(its, 9),
    "connecting.ties": lambda work, its: work.connecting.ties(its),
    "feeds.of_person": lambda work, its: work.feeds.of_person(FATIMA, its),
    "outside.token": lambda work, its: work.outside.token(ApiTokenId("token"), its),
    "outside.webhook": lambda work, its: work.outside.webhook(WebhookId("hook"), its),
    "outside.webhooks": lambda work, its: work.outside.webhooks(its),
    "outside.tokens": lambda work, its: work.outside.tokens(its),
    "movements.count_figures": lambda work, its: _count_stories(work, its),
    "stories.told_outside": lambda work, its: _told_outside(work, its),
    "doors.get": lambda work, its: work.doors.get(DOOR, its),
    "doors.of_movement": lambda work, its: work.doors.of_movement(its, 9),
    "doors.get_story": lambda work, its: work.doors.get_story(SAID, its),
    "doors.waiting": lambda work, its: work.doors.waiting(DOOR, its, 9),
    "takeaways.stories_after": lambda work, its: work.takeaways.stories_after(its, None, 9),
    "takeaways.steps_after": lambda work, its: work.takeaways.steps_after(its, None, 9),
    "takeaways.moments_after": lambda work, its: work.takeaways.moments_after(its, None, 9),
    "takeaways.members_after": lambda work, its: _is_fatima_member(work, its),
    "takeaways.colleagues_after": lambda work, its: _is_fatima_colleague(work, its),
    "takeaways.has_withdrawn_since": lambda work, its: _withdrawn(work, its),
    "magazines.get": lambda work, its: work.magazines.get(PRINTED, its),
    "magazines.of_movement": lambda work, its: work.magazines.of_movement(its, 9),
    "magazines.candidates": lambda work, its: work.magazines.candidates(PRINTED, its),
    "rhythms.get": lambda work, its: work.rhythms.get(WEEKLY, its),
    "rhythms.oldest": lambda work, its: work.rhythms.oldest(its, 9),
    "rhythms.of_movement": lambda work, its: work.rhythms.of_movement(its),
    "rhythms.due": lambda work, its: work.rhythms.due(its, NOW, 9),
    "deliveries.about": lambda work, its: work.deliveries.about("told", TOLD, its),
    "deliveries.given_moments": lambda work, its: work.deliveries.given_moments(["told"], [RhythmId(TOLD)], its),
    "deliveries.trouble": lambda work, its: work.deliveries.trouble(its, NOW - DAY),
    "deliveries.count_weeks": lambda work, its: work.deliveries.count_weeks(its, (NOW - 9 * DAY, NOW + DAY)),
    "deliveries.count_reasons": lambda work, its: work.deliveries.count_reasons(its, NOW - 9 * DAY, NOW + DAY),
    "deliveries.count_answers": lambda work, its: work.deliveries.count_answers(its, NOW - 9 * DAY, NOW + DAY),
    "deliveries.of_movement": lambda work, its: work.deliveries.of_movement(its, NOW - DAY, 9),
}


async def _count_meanings(work: UnitOfWork, its: Any) -> int:
    return (await work.stories.meanings(its, "triangle", None)).tellers


async def _count_told(work: UnitOfWork, its: Any) -> list[object]:
    counts = await work.stories.count_spread(its, NOW)
    return [*counts.told, *counts.flows]


async def _fatima_among_unseen(work: UnitOfWork, its: str) -> list[object]:
    """Return whether she is found in a workspace: another has people as well."""
    unseen = await work.people.looked_up_before(its, NOW, 9)  # type: ignore[arg-type]
    return [one for one in unseen if one.id == FATIMA]


async def _find_questions(work: UnitOfWork, its: Any) -> Sequence[str]:
    return (await work.stuck.asked_questions(its, WALK, FATIMA)).questions


async def _find_latest_questions(work: UnitOfWork, its: Any) -> Sequence[str]:
    return (await work.stuck.asked_about_latest(its, FATIMA)).questions


async def _find_in_message(work: UnitOfWork, its: Any) -> object:
    await work.stories.look_in(its, "c-here", "m1")
    return work.stories._in_messages  # type: ignore[attr-defined]  # what `by_message` has at once


OF_A_WORKSPACE: dict[str, Ask] = {
    "people.by_account": lambda work, its: work.people.by_account(its, "u-fatima"),
    "people.names_by_ids": lambda work, its: work.people.names_by_ids(its, ["u-fatima", "c-here"]),
    "people.in_workspace": lambda work, its: work.people.in_workspace(FATIMA, its),
    "stories.is_known": lambda work, its: work.stories.is_known(its, "c-here", thread="t1", message=""),
    "stories.look_in": lambda work, its: _find_in_message(work, its),
    "people.looked_up_before": lambda work, its: _fatima_among_unseen(work, its),
    "people.missing_name": lambda work, its: work.people.missing_name(its, 9),
    "people.keeping_days_of": lambda work, its: work.people.keeping_days_of(HERE, its),
    "movements.place_in": lambda work, its: work.movements.place_in(its, "c-here"),
    "movements.missing_name": lambda work, its: work.movements.missing_name(its, 9),
    "movements.segments_in": lambda work, its: work.movements.segments_in(its),
    "deliveries.get": lambda work, its: work.deliveries.get("sent", its),  # type: ignore[arg-type]
    "deliveries.claim": lambda work, its: work.deliveries.claim(its, NOW, 9),
    "deliveries.lock": lambda work, its: work.deliveries.lock(["sent"], its),  # type: ignore[list-item]
    "deliveries.unknown": lambda work, its: work.deliveries.unknown(its),
    "deliveries.awaiting_retry": lambda work, its: work.deliveries.awaiting_retry(its),
    "deliveries.in_doubt": lambda work, its: work.deliveries.in_doubt(its),
    "deliveries.waiting": lambda work, its: work.deliveries.waiting("news", its),
    "deliveries.upcoming": lambda work, its: work.deliveries.upcoming(its, 9),
    "deliveries.history": lambda work, its: work.deliveries.history(its, 9),
}
OF_A_PERSON: dict[str, Ask] = {
    "people.count_rows": lambda work, their: work.people.count_rows(their, ("stories", "next_steps")),
    "initiatives.of_person": lambda work, their: work.initiatives.of_person(their, OURS),
    "initiatives.history_answer": lambda work, their: work.initiatives.history_answer(LOOKED, their),
    "initiatives.participant": lambda work, their: work.initiatives.participant(WALK, their),
    "initiatives.room_to": lambda work, their: work.initiatives.room_to(ROOM, their),
    "stuck.own": lambda work, their: work.stuck.own(SPELL, their, OURS),
    "stuck.open_of": lambda work, their: work.stuck.open_of(their, OURS),
    "stuck.rounds_of": lambda work, their: work.stuck.rounds_of(their, OURS),
    "steps.own": lambda work, their: work.steps.own(STEP, their, OURS),
    "steps.planned_of": lambda work, their: work.steps.planned_of(their, OURS),
    "steps.open_chances": lambda work, their: work.steps.open_chances(their, OURS, 9),
    "experiments.of_person": lambda work, their: work.experiments.of_person(their, OURS, 9),
    "sessions.of_person": lambda work, their: work.sessions.of_person(their, NOW),
    "stories.own": lambda work, their: work.stories.own(TOLD, their),
    "stories.of_teller": lambda work, their: work.stories.of_teller(their, 9),
    "stories.request_to": lambda work, their: work.stories.request_to(ASKED, their),
    "connecting.joined_meetings": lambda work, their: work.connecting.joined_meetings(their, OURS, NOW),
    "feeds.of_person": lambda work, their: work.feeds.of_person(their, OURS),
    "magazines.consent": lambda work, their: work.magazines.consent(PRINTED, TOLD, their),
    "connecting.named_by": lambda work, their: work.connecting.named_by(their, OURS),
    "deliveries.was_nudged": lambda work, their: work.deliveries.was_nudged(their, NOW - DAY, ["another"]),
    "deliveries.held_while_quiet": lambda work, their: work.deliveries.held_while_quiet(their),
    "deliveries.of_person": lambda work, their: work.deliveries.of_person(their, NOW - DAY),
}
OF_A_PLACE: dict[str, Ask] = {
    "movements.said_parts": lambda work, its: work.movements.said_parts(its),
    "stories.in_thread": lambda work, its: work.stories.in_thread(its, "t1"),
    "stories.by_message": lambda work, its: work.stories.by_message(its, "m1"),
    "stories.request_about": lambda work, its: work.stories.request_about(its, "m2"),
    "rhythms.of_place": lambda work, its: work.rhythms.of_place(its),
    "deliveries.by_receipt": lambda work, its: work.deliveries.by_receipt(its, "m1"),
}
SCOPES: dict[str, tuple[dict[str, Ask], str, str]] = {
    "movement": (OF_A_MOVEMENT, OURS, THEIRS),
    "workspace": (OF_A_WORKSPACE, W1, W2),
    "person": (OF_A_PERSON, FATIMA, JAN),
    "place": (OF_A_PLACE, HERE, NIGHT),
}
TOLD_BELOW = {
    "people.note_mentions",
    "inbox.claim",
    "inbox.claim_turn",
    "inbox.is_claimed",
    "inbox.release",
    "people.accounts_in",
    "people.load_context",
    "people.coordinators",
    "people.count_in",
    "people.erase",
    "people.get_or_create",
    "people.lock_movement",
    "people.note_lookups",
    "movements.places",
    "movements.labels",
    "connecting.strengthen",
    "feeds.revoke_all_in",
    "outside.close_all_in",
    "stories.erase_words_about",
}


def test_every_query_by_movement_or_workspace_is_in_the_tables_above() -> None:
    asked = {
        f"{family}.{name}"
        for family, protocol in inspect.get_annotations(UnitOfWork).items()
        if hasattr(protocol, "_is_protocol")
        for name, method in inspect.getmembers(protocol, inspect.isfunction)
        if {"movement", "workspace", "lane"} & set(inspect.signature(method).parameters)
    }
    assert asked == {*OF_A_MOVEMENT, *OF_A_WORKSPACE, *TOLD_BELOW}


async def test_queries_find_nothing_of_another_scope(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    for scope, (asks, ours, others) in SCOPES.items():
        for name, ask in asks.items():
            async with seeded.begin() as work:
                assert await ask(work, ours), f"{name} finds nothing of our own {scope}"
            async with seeded.begin() as work:
                assert not await ask(work, others), f"{name} finds what is of another {scope}"


async def test_calendar_links_are_revoked_of_one_movement_or_one_person(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    for revoke in (
        lambda work: work.feeds.revoke_all_in(THEIRS),
        lambda work: work.feeds.revoke_all_of(JAN),
    ):
        async with seeded.begin() as work:
            await revoke(work)
            assert await work.feeds.by_digest("f1") is not None
    async with seeded.begin() as work:
        await work.feeds.revoke_all_in(OURS)
        assert await work.feeds.by_digest("f1") is None


async def test_look_ups_are_noted_of_one_workspace(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    for workspace, is_due in ((W2, True), (W1, False)):
        async with seeded.begin() as work:
            await work.people.note_lookups(workspace, ["u-fatima", "u-nobody"], NOW)
        async with seeded.begin() as work:
            assert bool(await _fatima_among_unseen(work, W1)) is is_due


class _Undo(Exception):
    """Raised to end a transaction without keeping anything of it."""


async def test_held_words_are_erased_of_one_workspace_and_of_who_wrote_them(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    held = HeldWordsId("held")
    async with seeded.begin() as work:
        await work.stories.erase_words_about(W2, "m3")
        await work.stories.erase_words(held, JAN)
    for erase in (
        lambda work: work.stories.erase_words_about(W1, "m3"),
        lambda work: work.stories.erase_words(held, FATIMA),
    ):
        with suppress(_Undo):
            async with seeded.begin() as work:
                await erase(work)
                assert await work.stories.find_words(held) is None
                raise _Undo
        async with seeded.begin() as work:
            assert await work.stories.find_words(held) is not None


async def test_erasing_a_workspace_deletes_movements_that_live_nowhere_else(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    async with seeded.begin() as work:
        await work.people.erase(W1)
    async with seeded.begin() as work:
        assert await work.movements.get(OURS) is None
        for name, ask in OF_A_MOVEMENT.items():
            assert not await ask(work, OURS), name
        for name, ask in OF_A_WORKSPACE.items():
            assert name.startswith("people.") or not await ask(work, W1), name
        assert await work.movements.labels(THEIRS, W2) == {THERE: "there"}


async def test_erasing_a_workspace_keeps_movements_that_live_elsewhere_too(seeded: Seeded) -> None:
    await seeded.add(place(PlaceId("across"), W2, OURS), story(TOLD, place_id=HERE), delivery("told"))
    async with seeded.begin() as work:
        work.stories.add(Retelling(story_id=TOLD, delivery_id=DeliveryId("told"), movement_id=OURS))
    async with seeded.begin() as work:
        await work.people.erase(W1)
    async with seeded.begin() as work:
        assert ids(await work.movements.places(OURS)) == ["across"]
        told = await work.stories.get(TOLD, OURS)
        assert told is not None
        assert told.place_id is None


async def test_forgetting_a_person_keeps_only_what_others_share(seeded: Seeded) -> None:
    await add_one_of_everything(seeded)
    await seeded.add(delivery("mine", person_id=FATIMA, args={"text": "privé"}, target="x"))
    async with seeded.begin() as work:
        await work.people.forget(FATIMA)
    left = set(await everything_about(seeded.begin, FATIMA))
    async with seeded.begin() as work:
        mine = await work.deliveries.by_key("mine")
    assert left == {
        "people", "stories", "deliveries", "purposes", "initiatives", "experiments", "coordinator_changes",
        "story_doors", "magazines",
    }  # fmt: skip
    assert mine is not None
    assert (mine.state, mine.reason, mine.args, mine.target) == (DeliveryState.DROPPED, "forgotten", {}, None)

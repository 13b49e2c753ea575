"""Show people the data that Ritme keeps of them, give it to them as a file, and erase it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.people import (
    MAX_WITHDRAWALS,
    ExportComing,
    ExportFile,
    Forgotten,
    ListedNudge,
    Me,
    SuggestedIn,
    TakenBack,
    ThoughtOf,
    TieAsked,
)
from bot.domain.asks import MONTH
from bot.domain.attention import WEEK
from bot.domain.choosing import Significance
from bot.domain.connectors import KeyFigure
from bot.domain.delivery import Delivery, DeliveryState, to_home, to_person
from bot.domain.forgetting import (
    drop_mentions,
    pick_messages,
    plan_removal,
    plan_take_back,
    removal_due_at,
    remove_message,
)
from bot.domain.movement import Member, Movement
from bot.domain.person import ERASED, KEPT_AFTER_REMOVAL, Person, PersonId, WorkspaceId
from bot.domain.personal_file import LINK_TTL, PERSONAL_FILE, PersonalFile, PersonalFileId
from bot.domain.quiet_hours import arrival_of
from bot.domain.retelling import plan_changes, plan_mark
from bot.domain.story import Story
from bot.errors import Unwanted
from bot.pictures import AFTER_ANSWER
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.whys import change_rounds

COUNTED_TABLES = (
    "stories",
    "next_steps",
    "stuck_episodes",
    "chances",
    "experiments",
    "companies",
    "ripples",
    "significances",
    "practices",
    "magazine_stories",
    "nominations",
    "invitations",
    "ties",
    "tie_answers",
    "participants",
    "story_requests",
    "history_answers",
    "rooms",
    "initiatives",
    "purposes",
    "rhythms",
    "calendar_feeds",
    "api_tokens",
    "story_doors",
    "webhooks",
)
"""Tables of which `show` tells how many rows are kept; the rest is in the export."""
KINDS_WITH_WORDS = frozenset(
    {
        "coordinator_asked",
        "group_hours",
        "follow_up",
        "company_asked",
        "company_together",
        "stuck_return",
        "nominated",
        "invitation",
        "invitation_answered",
        "invitation_quiet",
        "history_asked",
        "history_given",
        "year_drawn",
        "print_asked",
        "print_next",
        "magazine_file",
        "card_drawn",
        "card_file",
        "quilt_drawn",
        "history_drawn",
        "cloud_drawn",
        "spread_drawn",
        "choice_told",
        "place_joined",
        "did_you_meet",
        "experiment_ends",
        "chance_asked",
        "steering_asked",
        "group_out_of_reach",
        "story_asked",
        "story_ripple",
        "story_saved",
        "story_travelled",
        "story_harvested",
        "story_answered",
        "story_question",
        "check_in_answered",
        "went_quiet",
        "welcomed",
        "initiative_joined",
        "carry_offered",
        "silence_asked",
        "room_asked",
        "room_answered",
        "room_unanswered",
        "room_ending",
        "support_given",
        "door_told",
        "takeaway_file",
        "door_card",
    }
)
"""Kinds of deliveries that `people/kinds.md.j2` has words for."""
ALL_STORIES = 10_000
"""More than anybody tells."""
REPEATED_PRESS = timedelta(minutes=1)
"""A second press within this time after a file was given is taken for the first one, made twice."""


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the data that Ritme keeps of the actor, their nudges of this week, and those to come."""
    person = turn.person
    kept, recent, belongs, asked_times = await work.together(
        work.people.count_rows(person.id, COUNTED_TABLES),
        work.deliveries.of_person(person.id, turn.now - timedelta(days=30)),
        work.movements.of_person(person.id),
        work.deliveries.count_asks(person.id, turn.now),
    )
    suggested_in = tuple(movement.name for movement, member in belongs if member.suggestible)
    withdrawals = tuple(
        SuggestedIn(movement=movement.id, name=movement.name) for movement, member in belongs if member.suggestible
    )
    # What is asked about colleagues waits for the works council, where it has to agree first.
    asking = [(movement, member) for movement, member in belongs if movement.may_name_people(turn.works_council)]
    thought_of = await _find_thought_of(work, person, asking)
    return Me(
        name=person.name,
        group=person.group,
        kept={kind: kept[kind] for kind in COUNTED_TABLES if kind in kept},
        sent=tuple(
            ListedNudge(kind=_listed_kind(one), at=one.sent_at)
            for one in reversed(recent)
            if one.is_nudge and one.sent_at is not None and one.sent_at > turn.now - WEEK
        ),
        coming=tuple(
            ListedNudge(kind=_listed_kind(one), at=_arrival_of_row(turn, one, belongs), exact=one.is_promised)
            for one in sorted(recent, key=lambda one: one.due_at)
            if one.is_nudge and one.state is DeliveryState.WAITING and person.will_read(turn.now)
        ),
        suggestible=bool(suggested_in),
        suggested_in=suggested_in,
        meets_in=tuple(movement.name for movement, member in belongs if member.meets),
        withdrawals=withdrawals[:MAX_WITHDRAWALS],
        suggested_times=sum(len(member.suggested_since(turn.now - MONTH)) for _, member in belongs),
        asked_times=asked_times,
        counts=not turn.works_council,
        thought_of=thought_of,
        tie_asked=await _find_tie_question(work, person, asking) if thought_of is None else None,
        stories=person.story_choice,
        snoozed_until=person.snoozed_until if person.snoozed_until and person.snoozed_until > turn.now else None,
        stopped=person.stopped_at is not None,
        keep_days=turn.keeps_closed.days,
        pages=turn.syntax.pages is not None,
    )


async def _find_thought_of(
    work: UnitOfWork, person: Person, belongs: Sequence[tuple[Movement, Member]]
) -> ThoughtOf | None:
    """Return as what a colleague named someone who agreed to be suggested, but did not answer about that yet. It is
    asked here, where they look by themselves: as a message it would be one more that is asked of them."""
    for movement, member in belongs:
        if not member.suggestible:
            continue
        named = await work.connecting.naming(person.id, movement.id)
        refused = {one.figure for one in named if one.refused}
        for figure in KeyFigure:
            is_new = figure not in member.figures and figure not in refused
            if is_new and any(one.figure is figure for one in named):
                return ThoughtOf(movement=movement.id, name=movement.name, figure=figure)
    return None


async def _find_tie_question(
    work: UnitOfWork, person: Person, belongs: Sequence[tuple[Movement, Member]]
) -> TieAsked | None:
    """Return a colleague who said that they asked this person something, and wants them to read that; as for a figure,
    it is asked here, where they look by themselves."""
    for movement, _ in belongs:
        for given in await work.connecting.tie_answers(person.id, movement.id):
            if given.other_id != person.id or not given.shown:
                continue
            asker = await work.people.in_workspace(given.person_id, person.workspace_id)
            if asker is not None and asker.name and asker.account is not None and asker.deactivated_at is None:
                return TieAsked(movement=movement.id, movement_name=movement.name, person=asker.id, name=asker.name)
    return None


def _arrival_of_row(turn: Turn, row: Delivery, belongs: Sequence[tuple[Movement, Member]]) -> datetime:
    """Return when a message that waits comes, with the weekend of the movement that it comes from."""
    movement = next((one for one, _ in belongs if one.id == row.movement_id), None)
    return arrival_of(turn.person, turn.timezone, movement, row.due_at)


def _listed_kind(delivery: Delivery) -> str:
    return delivery.kind if delivery.kind in KINDS_WITH_WORDS else "other"


async def export(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan one file with everything about the actor, given in their own chat; within the hour, the same file again."""
    person, now = turn.person, turn.now
    file = await work.files.latest_of(person.id)
    if file is None or not file.is_fresh(now):
        file = PersonalFile.ask(person, now)
        work.files.add(file)
    last = await work.deliveries.by_key(file.delivery_key) if file.sends else None
    if last is None or not _is_under_way(last, now):
        file.send_again(now)
        await work.deliveries.add(
            to_person(
                person,
                PERSONAL_FILE,
                key=file.delivery_key,
                now=now,
                movement=turn.movement.id if turn.movement else None,
                subject=file.id,
                # Where the answer goes through the outbox too, it comes first: it says what is coming.
                due_at=now if turn.intent.answerable else now + AFTER_ANSWER,
                expires_at=file.expires_at,
            )
        )
        return ExportComing(made_at=file.made_at, renewable_at=file.renewable_at, again=True)
    return ExportComing(made_at=file.made_at, renewable_at=file.renewable_at)


def _is_under_way(delivery: Delivery, now: datetime) -> bool:
    """Return whether a file is still being given, or was given only just: then a press is one that was made twice."""
    if delivery.state in (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN):
        return True
    return delivery.sent_at is not None and now - delivery.sent_at < REPEATED_PRESS


async def compose_file(work: UnitOfWork, outgoing: Outgoing) -> ExportFile:
    """Word the message with a file; the file itself is composed outside this transaction, when it is sent."""
    file = await work.files.get(PersonalFileId(outgoing.delivery.subject))
    if file is None or outgoing.person is None or file.person_id != outgoing.person.id:
        raise Unwanted("gone")
    return ExportFile(file=file.id, made_at=file.made_at or outgoing.now, until=outgoing.now + LINK_TTL)


async def compose_old_export(work: UnitOfWork, outgoing: Outgoing) -> ExportFile:
    """Give a file in place of the many messages that the version before planned: the first becomes the file, the others
    are not needed."""
    delivery = outgoing.delivery
    if outgoing.person is None or delivery.args.get("number") != 1:
        raise Unwanted("newer")
    if not delivery.subject:
        file = PersonalFile.ask(outgoing.person, outgoing.now)
        work.files.add(file)
        delivery.subject = file.id
        await work.flush()
    return await compose_file(work, outgoing)


async def forget(work: UnitOfWork, turn: Turn) -> InPlace:
    """Delete or anonymize everything about the actor at once: words, ties, name. What tells of them on the platform is
    taken back, and their own chat emptied but for the message that says so."""
    await _erase_person(work, turn.person, turn.now, but={turn.intent.answer_to or ""})
    return InPlace(entry=Forgotten())


async def compose_taken_back(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what replaces a message that told of someone who was forgotten."""
    return TakenBack()


async def forget_leaver(work: UnitOfWork, before: datetime, now: datetime) -> bool:
    """Forget one person whose account is deactivated since `before`. Returns False when there is none.

    One who acts again, or whom the platform reports back, is no longer deactivated; then this leaves them alone.
    """
    person = await work.people.find_leaver(before)
    if person is None:
        return False
    for movement, _ in sorted(await work.movements.of_person(person.id), key=lambda one: one[0].id):
        # As for a request of theirs: nobody names them in a movement meanwhile.
        await work.people.lock_movement(person.workspace_id, person.account or "", None, movement.id)
    await _erase_person(work, person, now)
    return True


async def take_back_late_messages(work: UnitOfWork, now: datetime) -> None:
    """Take back messages about people who were forgotten while these were being worded; at most two hundred at a
    time."""
    for told in await work.deliveries.take_late_mentions():
        drop_mentions(told)
        if told.state is not DeliveryState.DROPPED:
            await work.deliveries.add(plan_take_back(told, now))


async def erase_removed_workspace(work: UnitOfWork, now: datetime) -> WorkspaceId | None:
    """Erase one workspace that Ritme was removed from a month ago, with everyone in it; their stories are taken back in
    other workspaces too. Returns its id; None when there is none."""
    workspace = await work.people.find_expired_workspace(now - KEPT_AFTER_REMOVAL)
    if workspace is None:
        return None
    for person in await work.people.accounts_in(workspace.id):
        await _erase_person(work, person, now)
    await work.flush()
    await work.people.erase(workspace.id)
    workspace.name, workspace.gone_reason = "", ERASED  # the row stays, so that it is not erased again
    return workspace.id


async def _erase_person(work: UnitOfWork, person: Person, now: datetime, but: Collection[str] = ()) -> None:
    """Erase a person, and empty their home page. `but`: ids of messages in their chat that stay."""
    page = to_home(person, key=f"forgotten:{now.isoformat()}", now=now, movement=None, account=person.account)
    has_page = person.has_home
    await work.flush()
    told, chosen = await work.together(
        work.stories.of_teller(person.id, ALL_STORIES), work.stories.choices_by(person.id)
    )
    others = [(made, story) for made, story in chosen if story.teller_id != person.id]
    retold = await _withdraw_stories(work, person, told, now) | await _take_whys_away(work, person, others, now)
    _, sent, old = await work.together(
        take_back_messages(work, person.id, now, retold),
        work.deliveries.sent_to(person.id),
        work.people.old_messages(person.id),
    )
    await _empty_chat(work, sent, old, now, but)
    # `forget` runs statements in the database: the changes above have to be there first.
    await work.flush()
    await work.people.forget(person.id)
    _anonymize(person)
    if has_page:
        await work.deliveries.add(page)


async def _withdraw_stories(work: UnitOfWork, person: Person, told: Sequence[Story], now: datetime) -> set[str]:
    """Withdraw all someone told, wherever it was told again. Returns the ids of the deliveries that held it."""
    held: set[str] = set()
    # All that is looked up first: changes that stand are written before each query.
    places, retold, _ = await work.together(
        work.movements.places_among({one.place_id for one in told if one.place_id}),
        work.stories.retold_each(told),
        work.stories.remove_choices_of(*told),
    )
    planned: list[Delivery] = []
    for story in told:
        place = places.get(story.place_id) if story.place_id else None
        if place is not None and story.message is not None:
            planned.append(plan_mark(story, place, now, off=True))
        story.withdraw(now)
        story.named = False
        # What somebody else got of it names the teller, too: it is taken back as a whole (`take_back_messages`).
        posts = [one for one in retold[story.id] if one.person_id is None]
        held |= {one.id for one in posts}
        planned += plan_changes(story, posts, occasion=f"forget:{person.id}", now=now)
    await work.deliveries.add_all(planned)
    return held


async def _take_whys_away(
    work: UnitOfWork, person: Person, chosen: Sequence[tuple[Significance, Story]], now: datetime
) -> set[str]:
    """Take away what somebody wrote of why stories of others were chosen. Returns the ids of the posts that lose it."""
    held: set[str] = set()
    for made, story in chosen:
        await work.stories.remove_choice(made)
        held |= await change_rounds(work, story, occasion=f"forget:{person.id}:{made.id}", now=now)
    return held


async def take_back_messages(work: UnitOfWork, person: PersonId, now: datetime, but: Collection[str]) -> None:
    """Take back what was posted in places, and said to others, of someone; `but`: ids of messages that lose it
    otherwise."""
    shared, told = await work.together(work.deliveries.shared_by(person), work.deliveries.telling_of(person))
    for post in shared:
        post.args = {**post.args, "line": ""}
    channel_of = await _load_channels(work, told)
    picked = pick_messages([one for one in told if one.state is not DeliveryState.WAITING], channel_of, but=but)
    for one in told:
        drop_mentions(one)
    for one in picked:
        await work.deliveries.add(plan_take_back(one, now))


async def _empty_chat(
    work: UnitOfWork,
    sent: Sequence[Delivery],
    old: Sequence[tuple[WorkspaceId, str, str]],
    now: datetime,
    but: Collection[str],
) -> None:
    """Delete our messages in someone's own chat, and old ones that name them, at the pace that platforms take."""
    channel_of = await _load_channels(work, sent)
    stand = [
        (one.workspace_id, one.receipt_channel, one.receipt)
        for one in pick_messages(sent, channel_of, but=())
        if one.receipt and one.receipt_channel
    ]
    found = dict.fromkeys([*reversed(stand), *old])
    removals = [
        remove_message(workspace, channel, message, removal_due_at(number, now), now)
        for number, (workspace, channel, message) in enumerate(one for one in found if one[2] not in but)
    ]
    under_way = [plan_removal(one, now) for one in sent if one.receipt is None]
    await work.deliveries.add_all([*removals, *under_way])


async def _load_channels(work: UnitOfWork, some: Sequence[Delivery]) -> dict[str, str]:
    """Return the channel of every place that deliveries are for, by the id of the place."""
    places = await work.movements.places_among({row.place_id for row in some if row.place_id})
    return {str(place.id): place.channel for place in places.values()}


def _anonymize(person: Person) -> None:
    person.account, person.name, person.group = None, "", ""
    # The language stays: it identifies nobody, and the last message is worded in it.
    person.timezone = person.story_choice = person.deactivated_at = person.looked_up_at = None
    person.chose, person.guest, person.named_beyond = [], False, False
    person.quiet_from = person.quiet_until = person.quiet_weekends = None
    person.group_quiet_from = person.group_quiet_until = person.group_quiet_weekends = None
    person.days_place, person.days_off = "", {}
    person.snoozed_until = person.stopped_at = person.went_quiet_at = None
    person.home_movement, person.home_digest, person.said = None, "", {}
    person.story_named, person.unanswered = False, 0

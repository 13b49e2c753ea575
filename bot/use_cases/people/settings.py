"""What someone decides about themselves: settings, quiet, stop, what is kept, and being forgotten."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read
from bot.catalogue.people import (
    NO,
    YES,
    Awake,
    ExportComing,
    ExportPart,
    Forgotten,
    Me,
    SettingsForm,
    SettingsSaved,
    Snoozed,
    SnoozeForm,
    Stopped,
    Told,
)
from bot.domain import quiet_hours
from bot.domain.delivery import Act, Delivery, DeliveryState, to_home, to_person, to_place
from bot.domain.person import ERASED, KEPT_AFTER_REMOVAL, Language, Person, StoryChoice, WorkspaceId
from bot.domain.retelling import follow
from bot.errors import Invalid, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

SHOWN = (
    "stories",
    "next_steps",
    "stuck_episodes",
    "chances",
    "companies",
    "ripples",
    "nominations",
    "invitations",
    "ties",
    "participants",
)
"""What `me` counts, by table; the rest is in the export."""
NAMED = frozenset(
    {
        "follow_up",
        "company_asked",
        "company_together",
        "nominated",
        "invitation",
        "invitation_answered",
        "place_joined",
        "did_you_meet",
        "story_asked",
        "story_ripple",
        "story_saved",
        "story_travelled",
        "went_quiet",
    }
)
"""Deliveries that `people/kinds.md.j2` has words for."""
WEEK = timedelta(days=7)
LONGEST_SNOOZE = timedelta(days=365)
WAKES_AT = time(8)
PART_LENGTH = 2500
"""Characters of an export in one message: within what every platform shows whole."""


async def me(work: UnitOfWork, turn: Turn) -> Entry:
    """What Ritme keeps about the actor, sent them this week and is going to send."""
    person = turn.person
    kept = await work.people.counted(person.id, SHOWN)
    recent = await work.deliveries.of_person(person.id, turn.now - timedelta(days=30))
    return Me(
        name=person.name,
        group=person.group,
        kept={kind: kept[kind] for kind in SHOWN if kind in kept},
        sent=tuple(
            Told(kind=_named(one), at=one.sent_at)
            for one in reversed(recent)
            if one.is_nudge and one.sent_at is not None and one.sent_at > turn.now - WEEK
        ),
        coming=tuple(
            Told(kind=_named(one), at=one.due_at)
            for one in sorted(recent, key=lambda one: one.due_at)
            if one.is_nudge and one.state is DeliveryState.WAITING
        ),
        suggestible=person.suggestible,
        stories=person.story_choice,
        snoozed_until=person.snoozed_until if person.snoozed_until and person.snoozed_until > turn.now else None,
        stopped=person.stopped_at is not None,
    )


def _named(delivery: Delivery) -> str:
    return delivery.kind if delivery.kind in NAMED else "other"


async def settings(work: UnitOfWork, turn: Turn) -> Entry:
    person = turn.person
    quiet = quiet_hours.of_person(person, turn.timezone)
    return SettingsForm(
        values={
            "language": turn.language.value,
            "timezone": turn.timezone,
            "group": person.group,
            "suggestible": "" if person.suggestible is None else YES if person.suggestible else NO,
            "stories": person.story_choice.value if person.story_choice else "",
            "named": YES if person.story_named else NO,
            "named_beyond": YES if person.named_beyond else NO,
            "quiet_from": quiet.start.isoformat("minutes"),
            "quiet_until": quiet.end.isoformat("minutes"),
            "quiet_weekends": YES if quiet.weekends else NO,
        }
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """The submitted settings."""
    filled = read(SettingsForm, turn.intent.args)
    if filled.text("timezone") not in available_timezones():
        raise Invalid({"timezone": "unknown_zone"})
    person = turn.person
    language, timezone = Language(filled.text("language")), filled.text("timezone")
    group = " ".join(filled.text("group").split())
    changed = {
        "language": language is not turn.language,
        "timezone": timezone != turn.timezone,
        "group": group != person.group,
    }
    person.chose = [name for name, other in changed.items() if other or name in person.chose]
    person.language, person.timezone, person.group = language, timezone, group
    person.suggestible = filled.text("suggestible") == YES if filled.text("suggestible") else None
    person.story_choice = StoryChoice(filled.text("stories")) if filled.text("stories") else None
    person.story_named = filled.text("named") == YES
    person.named_beyond = filled.text("named_beyond") == YES
    person.quiet_from, person.quiet_until = filled.time("quiet_from"), filled.time("quiet_until")
    person.quiet_weekends = filled.text("quiet_weekends") == YES
    return SettingsSaved()


async def snooze(work: UnitOfWork, turn: Turn) -> Entry:
    today = _today(turn)
    return SnoozeForm(
        values={"until": (today + WEEK).isoformat()},
        earliest=today + timedelta(days=1),
        latest=today + LONGEST_SNOOZE,
    )


async def save_snooze(work: UnitOfWork, turn: Turn) -> Entry:
    """Quiet until the morning of a day; nobody has to wake it."""
    day = read(SnoozeForm, turn.intent.args).day("until") or date.max
    earliest, latest = _today(turn) + timedelta(days=1), _today(turn) + LONGEST_SNOOZE
    if day < earliest:
        raise Invalid({"until": "too_early"}, {"until": {"earliest": earliest}})
    if day > latest:
        raise Invalid({"until": "too_late"}, {"until": {"latest": latest}})
    turn.person.snoozed_until = datetime.combine(day, WAKES_AT, ZoneInfo(turn.timezone))
    return Snoozed(until=turn.person.snoozed_until)


async def wake(work: UnitOfWork, turn: Turn) -> InPlace:
    turn.person.snoozed_until = None
    return InPlace(entry=Awake())


async def stop(work: UnitOfWork, turn: Turn) -> Entry:
    """From now on Ritme starts nothing by itself towards the actor."""
    turn.person.stopped_at = turn.now
    return Stopped()


async def come_back(work: UnitOfWork, turn: Turn) -> InPlace:
    turn.person.stopped_at = turn.person.snoozed_until = None
    return InPlace(entry=Awake())


async def export(work: UnitOfWork, turn: Turn) -> Entry:
    """Everything about the actor as JSON, in their own chat, in as many messages as it takes."""
    parts = len(_parts(await work.people.everything(turn.person.id)))
    for number in range(1, parts + 1):
        await work.deliveries.add(
            to_person(
                turn.person,
                "export",
                key=f"export:{turn.person.id}:{turn.now.isoformat()}:{number}",
                now=turn.now,
                movement=turn.movement.id if turn.movement else None,
                args={"number": number, "parts": parts},
            )
        )
    return ExportComing(parts=parts)


async def compose_export(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """One part, worded when it is sent: the outbox keeps no second copy of anyone's life."""
    number, parts = outgoing.delivery.args["number"], outgoing.delivery.args["parts"]
    if outgoing.person is None or not isinstance(number, int) or not isinstance(parts, int):
        raise Unwanted("gone")
    found = _parts(await work.people.everything(outgoing.person.id))
    return ExportPart(number=number, parts=parts, json=found[number - 1] if number <= len(found) else "…")


def _parts(everything: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    # The export itself, under way, is left out: it would change from one part to the next.
    told = {kind: [row for row in rows if row.get("kind") != "export"] for kind, rows in everything.items() if rows}
    whole = json.dumps(told, ensure_ascii=False, indent=1)
    return [whole[at : at + PART_LENGTH] for at in range(0, len(whole), PART_LENGTH)]


async def forget(work: UnitOfWork, turn: Turn) -> InPlace:
    """Everything about the actor gone or made nameless, at once: words, ties, name; posts with their words deleted."""
    person, account, opened = turn.person, turn.person.account, turn.person.home_mark is not None
    await _forget(work, person, turn.now)
    if opened:
        key = f"forgotten:{turn.now.isoformat()}"
        await work.deliveries.add(to_home(person, key=key, now=turn.now, movement=None, account=account))
    return InPlace(entry=Forgotten())


async def erase_gone(work: UnitOfWork, now: datetime) -> WorkspaceId | None:
    """Forgets one workspace that Ritme was removed from a month ago, with everyone in it; None when there is none.
    Their stories are taken back in other workspaces too."""
    workspace = await work.people.gone_since(now - KEPT_AFTER_REMOVAL)
    if workspace is None:
        return None
    for person in await work.people.accounts_in(workspace.id):
        await _forget(work, person, now)
    await work.flush()
    await work.people.erase(workspace.id)
    workspace.name, workspace.gone_reason = "", ERASED
    return workspace.id


async def _forget(work: UnitOfWork, person: Person, now: datetime) -> None:
    await work.flush()
    for story in await work.stories.of_teller(person.id, 10_000):
        story.withdraw(now)
        story.named = False
        retold = await work.stories.retold_in(story.id, story.movement_id)
        for change in follow(story, retold, occasion=f"forget:{person.id}", now=now):
            await work.deliveries.add(change)
    for posted in await work.deliveries.posted_for(person.id):
        place = await work.movements.place(posted.place_id) if posted.place_id else None
        if place is not None and posted.receipt:
            await work.deliveries.add(
                to_place(
                    place,
                    posted.kind,
                    key=f"forget:{posted.id}",
                    now=now,
                    act=Act.DELETE,
                    target=posted.receipt,
                )
            )
    await work.flush()
    await work.people.forget(person.id)
    _become_nameless(person)


def _become_nameless(person: Person) -> None:
    person.account, person.name, person.group = None, "", ""
    # The language stays: it names nobody, and the last word is said in it.
    person.timezone = person.suggestible = person.story_choice = person.deactivated_at = None
    person.chose, person.guest, person.named_beyond = [], False, False
    person.quiet_from = person.quiet_until = person.quiet_weekends = None
    person.snoozed_until = person.stopped_at = person.went_quiet_at = None
    person.home_mark, person.said = None, {}
    person.story_named, person.unanswered = False, 0


def _today(turn: Turn) -> date:
    return turn.now.astimezone(ZoneInfo(turn.timezone)).date()

"""Tell a program outside what a movement shows, by a key that a coordinator made.

Every question is asked in one transaction, within the movement of the key. Nothing of a person is in an answer, but the
words of a story that its teller wants read outside too, with their name where they agreed to that beyond their own
workspace (`Story.credit`).
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Generic, Literal, TypeVar

from bot.counting import STANDING_FIGURES, load_standing
from bot.domain import quiet_hours
from bot.domain.api_token import Allowance, ApiToken, RequestPace, Scope, digest_token
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Movement
from bot.domain.person import Person, WorkspaceId
from bot.domain.quiet_hours import QuietHours
from bot.domain.rhythm import MOMENTS_SHOWN, Changes, RhythmId, Timing, can_come, expect_moments
from bot.domain.story import Readers, Story, StoryId
from bot.ports import Clock, UnitOfWork
from bot.transactions import TransactionRunner
from bot.use_cases.connecting import coverage

MAX_API_PAGE = 100
"""Items that are read at a time."""
OUTSIDE = WorkspaceId("")
"""No workspace: a name is shown there only of who agreed to be named beyond their own."""

After = tuple[datetime, str]
"""Where a page begins: behind the item of this moment and id."""
T = TypeVar("T")


@dataclass
class ApiRefusal(Exception):
    """A program may not read this; nothing was changed. `allowance` is None where the key is not known."""

    reason: Literal["no_token", "no_scope", "too_fast", "not_found"]
    allowance: Allowance | None = None


@dataclass(frozen=True)
class ApiAnswer(Generic[T]):
    """The answer to a program, and what its key may still ask this minute."""

    facts: T
    allowance: Allowance


@dataclass(frozen=True, kw_only=True)
class MovementFacts:
    """The movement of a key, and what the key opens until when."""

    id: str
    name: str
    language: str
    timezone: str
    started_on: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class PurposeFacts:
    """The purpose of a movement: its parts that are filled in."""

    version: int
    written_at: datetime
    vision: str
    mission: str
    identity: str
    norms: str
    values: str
    core_messages: tuple[str, ...]
    behaviours: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RhythmFacts:
    """A rhythm, without its place, and the moments (UTC) at which it comes next, as far as it will."""

    id: str
    kind: str
    timezone: str
    created_at: datetime
    next_moments: tuple[datetime, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InitiativeFacts:
    """An initiative, without who takes part and without its description: that was written for the movement."""

    id: str
    name: str
    state: Literal["going", "resting", "ended"]
    seeks_somebody: bool
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class StoryFacts:
    """A story as its teller told it; `teller` is None for one without a name outside."""

    id: str
    text: str
    teller: str | None
    told_at: datetime
    initiative_id: str | None
    dimension: str | None


@dataclass(frozen=True, kw_only=True)
class GroupFacts:
    """How far a movement reaches in a group of five or more, rounded."""

    group: str
    reached_well: int
    reached_once: int
    not_reached: int


@dataclass(frozen=True, kw_only=True)
class FigureFacts:
    """The figures of a movement, each rounded by chance to a multiple of five, and since when they stand."""

    counted_at: datetime
    members: int
    taking_part: int
    stories: int
    ripples: int
    groups_counted_at: datetime
    groups: tuple[GroupFacts, ...]


@dataclass(frozen=True)
class ApiPage(Generic[T]):
    """Some items in order, and where the next page begins; None after the last."""

    items: tuple[T, ...]
    next: After | None


class ApiReader:
    """Answers programs outside."""

    def __init__(self, *, run: TransactionRunner, clock: Clock, pace: RequestPace | None = None) -> None:
        self._run = run
        self._clock = clock
        self._pace = pace or RequestPace()

    async def movement(self, secret: str) -> ApiAnswer[MovementFacts]:
        """Return the movement of a key. As all of these: raises `ApiRefusal`."""
        return await self._read(secret, None, _load_movement)

    async def purpose(self, secret: str) -> ApiAnswer[PurposeFacts]:
        """Return the purpose; refused as not found while none is written."""
        return await self._read(secret, Scope.PURPOSE, _load_purpose)

    async def rhythms(self, secret: str, after: After | None, limit: int) -> ApiAnswer[ApiPage[RhythmFacts]]:
        """Return the rhythms, the oldest first, with their next moments."""
        now = self._clock.now()
        found = await self._read(secret, Scope.RHYTHMS, partial(_load_rhythms, after=after, limit=limit))
        # In a thread: a rhythm that was not laid out before takes some 10 ms.
        items = await to_thread(lambda: tuple(one.foresee(now) for one in found.facts.items))
        return ApiAnswer(ApiPage(items, found.facts.next), found.allowance)

    async def initiatives(self, secret: str, after: After | None, limit: int) -> ApiAnswer[ApiPage[InitiativeFacts]]:
        """Return the initiatives, those that ended too, newest first."""
        return await self._read(secret, Scope.INITIATIVES, partial(_load_initiatives, after=after, limit=limit))

    async def initiative(self, secret: str, id: str) -> ApiAnswer[InitiativeFacts]:
        """Return one initiative."""
        return await self._read(secret, Scope.INITIATIVES, partial(_load_initiative, id=InitiativeId(id)))

    async def stories(
        self, secret: str, initiative: str | None, after: After | None, limit: int
    ) -> ApiAnswer[ApiPage[StoryFacts]]:
        """Return the stories that may be read outside the movement, newest first."""
        about = InitiativeId(initiative) if initiative is not None else None
        return await self._read(
            secret, Scope.STORIES, partial(_load_stories, initiative=about, after=after, limit=limit)
        )

    async def story(self, secret: str, id: str) -> ApiAnswer[StoryFacts]:
        """Return one story; refused as not found as soon as it was taken back, or may not be read outside any more."""
        return await self._read(secret, Scope.STORIES, partial(_load_story, id=StoryId(id)))

    async def figures(self, secret: str) -> ApiAnswer[FigureFacts]:
        """Return the figures of the movement."""
        return await self._read(secret, Scope.FIGURES, _load_figures)

    async def _read(
        self, secret: str, scope: Scope | None, load: Callable[["ApiQuestion"], Awaitable[T]]
    ) -> ApiAnswer[T]:
        """Answer a question of whoever has this secret."""
        digest, now = digest_token(secret), self._clock.now()
        if not digest:
            raise ApiRefusal("no_token")
        counted: list[Allowance] = []  # a transaction that is tried again is one request

        async def answer(work: UnitOfWork) -> ApiAnswer[T]:
            token = await work.outside.token_by_digest(digest)
            movement = await work.movements.get(token.movement_id) if token is not None else None
            if token is None or movement is None or not token.lasts(now):
                raise ApiRefusal("no_token")
            if not counted:
                counted.append(self._pace.count(token.id, now))
            if counted[0].refused:
                raise ApiRefusal("too_fast", counted[0])
            if scope is not None and not token.opens(scope):
                raise ApiRefusal("no_scope", counted[0])
            token.note_use(now)
            try:
                facts = await load(ApiQuestion(work, movement, token, now))
            except ApiRefusal as refusal:
                raise replace(refusal, allowance=counted[0]) from None
            return ApiAnswer(facts, counted[0])

        return await self._run(answer)


@dataclass(frozen=True)
class ApiQuestion:
    """The transaction, movement and key of a question, and when it is asked."""

    work: UnitOfWork
    movement: Movement
    token: ApiToken
    now: datetime


async def _load_movement(asked: ApiQuestion) -> MovementFacts:
    movement = asked.movement
    return MovementFacts(
        id=movement.id,
        name=movement.name,
        language=movement.language.value,
        timezone=movement.timezone,
        started_on=movement.started_at.date().isoformat(),
        scopes=tuple(asked.token.scopes),
        expires_at=asked.token.expires_at,
    )


async def _load_purpose(asked: ApiQuestion) -> PurposeFacts:
    purpose = await asked.work.movements.purpose(asked.movement.id)
    if purpose is None:
        raise ApiRefusal("not_found")
    return PurposeFacts(
        version=purpose.version,
        written_at=purpose.written_at,
        vision=purpose.vision,
        mission=purpose.mission,
        identity=purpose.identity,
        norms=purpose.norms,
        values=purpose.values,
        core_messages=tuple(purpose.core_messages),
        behaviours=tuple(purpose.behaviours),
    )


@dataclass(frozen=True, kw_only=True)
class _Rhythm:
    """A rhythm as plain values, whose moments are still to be computed."""

    facts: RhythmFacts
    timing: Timing
    changes: Changes
    calendar: Calendar
    quiet: QuietHours
    comes: bool

    def foresee(self, now: datetime) -> RhythmFacts:
        if not self.comes or self.timing.ended_at is not None:
            return self.facts
        found = expect_moments(self.timing, self.changes, self.calendar, self.quiet, after=now, count=MOMENTS_SHOWN)
        return replace(self.facts, next_moments=tuple(one.at for one in found if one.at is not None))


async def _load_rhythms(asked: ApiQuestion, *, after: After | None, limit: int) -> ApiPage[_Rhythm]:
    work, movement = asked.work, asked.movement
    every = sorted(await work.rhythms.of_movement(movement.id), key=lambda one: (one.created_at, one.id))
    chosen, following = _cut(every, after, limit, lambda one: (one.created_at, one.id), newest_first=False)
    changes, there, purpose = await work.together(
        work.rhythms.changes_of([one.id for one in chosen], asked.now),
        work.movements.places(movement.id),
        work.movements.purpose(movement.id),
    )
    places = {one.id: one for one in there}
    return ApiPage(
        tuple(
            _Rhythm(
                facts=RhythmFacts(id=one.id, kind=one.kind.value, timezone=one.timezone, created_at=one.created_at),
                timing=one.timing,
                changes=_copy_changes(changes, one.id),
                calendar=holidays_of(movement, place),
                quiet=quiet_hours.of_place(place, movement),
                comes=can_come(one, place, purpose),
            )
            for one in chosen
            if (place := places.get(one.place_id)) is not None
        ),
        following,
    )


def _copy_changes(changes: Mapping[RhythmId, Changes], rhythm: RhythmId) -> Changes:
    return {name: replace(one) for name, one in changes.get(rhythm, {}).items()}


async def _load_initiatives(asked: ApiQuestion, *, after: After | None, limit: int) -> ApiPage[InitiativeFacts]:
    work, movement = asked.work, asked.movement.id
    every = sorted(
        await work.initiatives.of_movement(movement, closed=True),
        key=lambda one: (one.started_at, one.id),
        reverse=True,
    )
    chosen, following = _cut(every, after, limit, lambda one: (one.started_at, one.id), newest_first=True)
    resting = await work.initiatives.resting(movement)
    return ApiPage(tuple(_show_initiative(one, rests=one.id in resting) for one in chosen), following)


async def _load_initiative(asked: ApiQuestion, *, id: InitiativeId) -> InitiativeFacts:
    found = await asked.work.initiatives.get(id, asked.movement.id)
    if found is None:
        raise ApiRefusal("not_found")
    return _show_initiative(found, rests=found.id in await asked.work.initiatives.resting(asked.movement.id))


def _show_initiative(one: Initiative, *, rests: bool) -> InitiativeFacts:
    return InitiativeFacts(
        id=one.id,
        name=one.name,
        state="ended" if one.closed_at is not None else "resting" if rests else "going",
        seeks_somebody=one.closed_at is None and one.seeks_since is not None,
        started_at=one.started_at,
        ended_at=one.closed_at,
    )


async def _load_stories(
    asked: ApiQuestion, *, initiative: InitiativeId | None, after: After | None, limit: int
) -> ApiPage[StoryFacts]:
    work, movement = asked.work, asked.movement.id
    if initiative is not None and await work.initiatives.get(initiative, movement) is None:
        raise ApiRefusal("not_found")
    behind = (after[0], StoryId(after[1])) if after is not None else None
    found = await work.stories.told_outside(movement, initiative, behind, limit + 1)
    shown = tuple(_show_story(story, teller) for story, teller in found[:limit])
    return ApiPage(shown, (shown[-1].told_at, shown[-1].id) if len(found) > limit else None)


async def _load_story(asked: ApiQuestion, *, id: StoryId) -> StoryFacts:
    story = await asked.work.stories.get(id, asked.movement.id)
    if story is None or not story.is_told or story.readers is not Readers.EVERYONE:
        raise ApiRefusal("not_found")
    return _show_story(story, await asked.work.people.get(story.teller_id, asked.movement.id))


def _show_story(story: Story, teller: Person | None) -> StoryFacts:
    return StoryFacts(
        id=story.id,
        text=story.text,
        teller=story.credit(teller, OUTSIDE) or None,
        told_at=story.told_at,
        initiative_id=story.initiative_id,
        dimension=story.dimension.value if story.dimension is not None else None,
    )


async def _load_figures(asked: ApiQuestion) -> FigureFacts:
    work, movement, now = asked.work, asked.movement, asked.now
    figures = await load_standing(work, movement, now, STANDING_FIGURES)
    reach = await coverage.load_current_picture(work, movement, now)
    return FigureFacts(
        counted_at=figures.at,
        members=figures.members,
        taking_part=figures.taking_part,
        stories=figures.stories,
        ripples=figures.ripples,
        groups_counted_at=reach.at,
        groups=tuple(
            GroupFacts(group=one.group, reached_well=one.well, reached_once=one.once, not_reached=one.unknown)
            for one in sorted(reach.groups, key=lambda one: one.group)
        ),
    )


def _cut(
    every: Sequence[T], after: After | None, limit: int, place_of: Callable[[T], After], *, newest_first: bool
) -> tuple[Sequence[T], After | None]:
    """Return a page of items that are in order, and where the next one begins."""
    if after is not None:
        every = [one for one in every if (place_of(one) < after if newest_first else place_of(one) > after)]
    chosen = every[:limit]
    return chosen, place_of(chosen[-1]) if len(every) > limit else None

"""Compose look-backs: the moments of a movement or an initiative in order, as far as the reader may know them."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from bot.catalogue.base import Entry
from bot.catalogue.look_backs import LookBack
from bot.catalogue.pictures import HistoryDrawn
from bot.domain.history import HistoryRoundId
from bot.domain.initiative import Audience, EpisodeState, Initiative, InitiativeId
from bot.domain.look_back import MAX_TIMELINE_MOMENTS, MomentKind, TimelineMoment, choose_moments
from bot.domain.movement import Movement, MovementId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.errors import Refused, Unwanted
from bot.pictures import plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork


class _Names:
    """Holds whose moments are, to name them as the reader may see them: only of those moments that are chosen."""

    def __init__(self) -> None:
        self._whose: dict[int, PersonId] = {}

    def give(self, moment: TimelineMoment, to: PersonId | None) -> TimelineMoment:
        """Note whose a moment is; return it."""
        if to:
            self._whose[id(moment)] = to
        return moment

    async def fill_in(
        self, chosen: Sequence[TimelineMoment], work: UnitOfWork, movement: MovementId, seen_from: WorkspaceId
    ) -> tuple[TimelineMoment, ...]:
        """Return the chosen moments with the names of people, as far as they are in the movement."""
        ids = {self._whose[id(one)] for one in chosen if id(one) in self._whose}
        found = {one.id: one.name_in(seen_from) for one in await work.people.among(ids, movement)} if ids else {}
        whose = [self._whose.get(id(one)) for one in chosen]
        return tuple(
            replace(moment, who=found.get(person, "")) if person is not None else moment
            for moment, person in zip(chosen, whose, strict=True)
        )


async def look_back(work: UnitOfWork, turn: Turn) -> Entry:
    """Look back on the movement, or on the initiative that was (nearly) named: for the actor alone, with their own
    moments."""
    movement = turn.require_movement()
    initiative = await _find_initiative(work, turn, movement)
    return await _load_look_back(work, movement, initiative, turn.person.workspace_id, reader=turn.person)


async def _find_initiative(work: UnitOfWork, turn: Turn, movement: Movement) -> Initiative | None:
    """Find the initiative of a button or a typed name; None for the whole movement. Raises `Refused` for an unknown
    one."""
    if turn.text("initiative"):
        found = await work.initiatives.get(InitiativeId(turn.text("initiative")), movement.id)
        if found is None:
            raise Refused("not_found")
        return found
    typed = turn.text("text").casefold()
    if not typed:
        return None
    by_name = {one.name.casefold(): one for one in await work.initiatives.of_movement(movement.id, closed=True)}
    begun = [name for name in by_name if name.startswith(typed)]
    # The beginning of a name goes before a name that is merely like what was typed.
    near = begun or get_close_matches(typed, by_name, n=1, cutoff=0.5)
    if not near:
        raise Refused("no_such_initiative")
    return by_name[near[0]]


async def compose_look_back(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the look-back of a movement for everyone in a place. Raises `Unwanted` when there is nothing to tell."""
    shown = await _load_look_back(work, outgoing.require_movement(), None, outgoing.delivery.workspace_id, reader=None)
    if not shown.moments:
        raise Unwanted("nothing_to_give")
    return shown


async def ask_drawing(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the picture of a look-back for the actor. Raises `Refused` for an initiative that is not there."""
    initiative = await _find_initiative(work, turn, turn.require_movement())
    return await plan_picture(work, turn, "history_drawn", initiative.id if initiative is not None else "")


async def compose_drawing(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the picture of a look-back for who asked. Raises `Unwanted` when there is nothing to tell, or they do not
    belong to the movement any more."""
    movement, reader, about = outgoing.require_movement(), outgoing.person, outgoing.delivery.subject
    if reader is None or await work.movements.membership(movement.id, reader.id) is None:
        raise Unwanted("gone")
    initiative = await work.initiatives.get(InitiativeId(about), movement.id) if about else None
    if about and initiative is None:
        raise Unwanted("gone")
    shown = await _load_look_back(work, movement, initiative, reader.workspace_id, reader=reader)
    if not shown.moments:
        raise Unwanted("nothing_to_give")
    return HistoryDrawn(name=shown.name, initiative=shown.initiative, moments=shown.moments)


async def load_drawing(work: UnitOfWork, turn: Turn) -> HistoryDrawn | None:
    """Load the picture of the look-back on an initiative, or the movement, with what everyone there may know; None when
    there is nothing to tell."""
    movement = turn.require_movement()
    initiative = await _find_initiative(work, turn, movement)
    shown = await _load_look_back(work, movement, initiative, turn.person.workspace_id, reader=None)
    if not shown.moments:
        return None
    return HistoryDrawn(name=shown.name, initiative=shown.initiative, moments=shown.moments)


async def load_timeline(
    work: UnitOfWork,
    movement: Movement,
    initiative: Initiative,
    seen_from: WorkspaceId,
    *,
    round: HistoryRoundId,
    shared: bool,
) -> LookBack:
    """Return the usual look-back on an initiative, with what everyone may know, in place of one made together in a
    `round` that too few people answered."""
    shown = await _load_look_back(work, movement, initiative, seen_from, reader=None)
    return replace(shown, round=round, shared=shared)


async def _load_look_back(
    work: UnitOfWork,
    movement: Movement,
    initiative: Initiative | None,
    seen_from: WorkspaceId,
    *,
    reader: Person | None,
) -> LookBack:
    about, own = initiative.id if initiative is not None else None, reader.id if reader is not None else None
    names = _Names()
    found = await work.together(
        _initiative_moments(work, movement, initiative, names),
        _stuck_moments(work, movement, about, own),
        _step_moments(work, movement, about, own, names),
        _story_moments(work, movement, about, own, names),
        _experiment_moments(work, movement, about, own),
        _chance_moments(work, movement, own) if about is None else _support_moments(work, movement, about, seen_from),
    )
    moments = [one for some in found for one in some]
    # The beginning alone makes no history.
    chosen = choose_moments(moments) if len(moments) > 1 else ()
    return LookBack(
        name=initiative.name if initiative is not None else movement.name,
        initiative=about or "",
        moments=await names.fill_in(chosen, work, movement.id, seen_from),
        shared=reader is None,
    )


async def _initiative_moments(
    work: UnitOfWork, movement: Movement, initiative: Initiative | None, names: _Names
) -> list[TimelineMoment]:
    """Return beginnings and endings of the movement and its initiatives; for one initiative also who joined."""
    if initiative is None:
        moments = [TimelineMoment(at=movement.started_at, turning=MomentKind.STARTED)]
        begun, turning = await work.initiatives.of_movement(movement.id, closed=True), MomentKind.BEGUN
    else:
        moments = [
            names.give(TimelineMoment(at=participant.joined_at, turning=MomentKind.JOINED), person.id)
            for person, participant in await work.initiatives.participants(initiative.id, movement.id)
            if not participant.initiator
        ]
        begun, turning = [initiative], MomentKind.STARTED
    for one in begun:
        started = TimelineMoment(at=one.started_at, turning=turning, what=one.name)
        moments.append(names.give(started, one.started_by))
        if one.closed_at is not None:
            moments.append(TimelineMoment(at=one.closed_at, turning=MomentKind.CLOSED, what=one.name))
    return moments


async def _step_moments(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None, names: _Names
) -> list[TimelineMoment]:
    """Return steps that were done: those posted where others are, and the reader's own."""
    return [
        names.give(TimelineMoment(at=step.closed_at, turning=MomentKind.STEP, what=step.action), step.person_id)
        for step in await work.steps.done_in(movement.id, about)
        if step.closed_at is not None and (step.posted or step.person_id == own)
    ]


async def _story_moments(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None, names: _Names
) -> list[TimelineMoment]:
    """Return stories that may travel, and the reader's own."""
    return [
        names.give(
            TimelineMoment(
                at=story.told_at, turning=MomentKind.STORY, who=story.called, what=story.text, ripples=story.ripples
            ),
            story.teller_id if story.named and not story.called else None,
        )
        for story in await work.stories.told_in(movement.id, about)
        if story.may_travel or story.teller_id == own
    ]


async def _chance_moments(work: UnitOfWork, movement: Movement, own: PersonId | None) -> list[TimelineMoment]:
    """Return chances that may be shared, and the reader's own; never who noted them, nor those that are gone."""
    return [
        TimelineMoment(at=one.noted_at, turning=MomentKind.CHANCE, what=one.text)
        for one in await work.steps.chances_in(movement.id, own, MAX_TIMELINE_MOMENTS)
    ]


async def _support_moments(
    work: UnitOfWork, movement: Movement, about: InitiativeId, seen_from: WorkspaceId
) -> list[TimelineMoment]:
    """Return the support that was said for an initiative. It stays in the background: it is no moment of the
    movement."""
    return [
        TimelineMoment(
            at=room.supported_at, turning=MomentKind.SUPPORTED, who=giver.name_in(seen_from), what=room.support
        )
        for room, giver in await work.initiatives.endorsements(about, movement.id, MAX_TIMELINE_MOMENTS)
        if room.supported_at is not None
    ]


async def _experiment_moments(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None
) -> list[TimelineMoment]:
    """Return what was decided about experiments of initiatives, and the reader's own; never who decided."""
    return [
        TimelineMoment(
            at=one.decided_at,
            turning=MomentKind.DECIDED,
            what=one.trying,
            decision=one.decision,
            learned=one.learned,
        )
        for one in await work.experiments.decided_in(movement.id, about, own, MAX_TIMELINE_MOMENTS)
    ]


async def _stuck_moments(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None
) -> list[TimelineMoment]:
    """Return when people were stuck and moved again: episodes told in a channel, and the reader's own. Never who was
    stuck, nor their words."""
    moments = []
    for episode in await work.stuck.episodes_in(movement.id, about):
        if episode.audience is not Audience.CHANNEL and episode.person_id != own:
            continue
        moments.append(TimelineMoment(at=episode.opened_at, turning=MomentKind.STUCK))
        if episode.closed_at is not None:
            moved = episode.state is EpisodeState.BREAKTHROUGH
            moments.append(
                TimelineMoment(at=episode.closed_at, turning=MomentKind.BREAKTHROUGH if moved else MomentKind.LET_GO)
            )
    return moments

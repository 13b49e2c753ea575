"""Look back to see ahead: what happened, in order, of what the reader may know."""

from collections.abc import Mapping
from difflib import get_close_matches

from bot.catalogue.base import Entry
from bot.catalogue.look_backs import LookBack
from bot.domain.initiative import Audience, EpisodeState, Initiative, InitiativeId
from bot.domain.look_back import Moment, Turning, choose
from bot.domain.movement import Movement
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

Names = Mapping[PersonId, str]


async def look_back(work: UnitOfWork, turn: Turn) -> Entry:
    """Of the movement, or of the initiative that was (nearly) named; for the asker alone, with their own moments."""
    movement = turn.the_movement()
    initiative = await _named(work, turn, movement)
    return await _line(work, movement, initiative, turn.person.workspace_id, reader=turn.person)


async def _named(work: UnitOfWork, turn: Turn, movement: Movement) -> Initiative | None:
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
    near = begun or get_close_matches(typed, by_name, n=1, cutoff=0.5)
    if not near:
        raise Refused("no_such_initiative")
    return by_name[near[0]]


async def compose_look_back(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Of the whole movement, for everyone in a place: only what everyone may know."""
    shown = await _line(work, outgoing.the_movement(), None, outgoing.delivery.workspace_id, reader=None)
    if not shown.moments:
        raise Unwanted("nothing_to_give")
    return shown


async def _line(
    work: UnitOfWork,
    movement: Movement,
    initiative: Initiative | None,
    seen_from: WorkspaceId,
    *,
    reader: Person | None,
) -> LookBack:
    about, own = initiative.id if initiative is not None else None, reader.id if reader is not None else None
    names = {person.id: person.name_in(seen_from) for person, _ in await work.people.of_movement(movement.id)}
    moments = [
        *await _beginnings(work, movement, initiative, names),
        *await _spells(work, movement, about, own),
        *await _steps(work, movement, about, own, names),
        *await _stories(work, movement, about, own, names),
    ]
    return LookBack(
        name=initiative.name if initiative is not None else movement.name,
        initiative=about or "",
        moments=tuple(choose(moments)) if len(moments) > 1 else (),
        shared=reader is None,
    )


async def _beginnings(
    work: UnitOfWork, movement: Movement, initiative: Initiative | None, names: Names
) -> list[Moment]:
    """What began and what was closed; of one initiative also who joined."""
    if initiative is None:
        moments = [Moment(at=movement.started_at, turning=Turning.STARTED)]
        begun, turning = await work.initiatives.of_movement(movement.id, closed=True), Turning.BEGUN
    else:
        moments = [
            Moment(at=participant.joined_at, turning=Turning.JOINED, who=names.get(person.id, ""))
            for person, participant in await work.initiatives.participants(initiative.id, movement.id)
            if not participant.initiator
        ]
        begun, turning = [initiative], Turning.STARTED
    for one in begun:
        who = names.get(one.started_by or PersonId(""), "")
        moments.append(Moment(at=one.started_at, turning=turning, who=who, what=one.name))
        if one.closed_at is not None:
            moments.append(Moment(at=one.closed_at, turning=Turning.CLOSED, what=one.name))
    return moments


async def _steps(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None, names: Names
) -> list[Moment]:
    """Steps that were done: those posted where others are, and the reader's own."""
    return [
        Moment(at=step.closed_at, turning=Turning.STEP, who=names.get(step.person_id, ""), what=step.action)
        for step in await work.steps.done_in(movement.id, about)
        if step.closed_at is not None and (step.posted or step.person_id == own)
    ]


async def _stories(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None, names: Names
) -> list[Moment]:
    """Stories that may travel, and the reader's own."""
    return [
        Moment(
            at=story.told_at,
            turning=Turning.STORY,
            who=names.get(story.teller_id, "") if story.named else "",
            what=story.text,
            ripples=story.ripples,
        )
        for story in await work.stories.told_in(movement.id, about)
        if story.may_travel or story.teller_id == own
    ]


async def _spells(
    work: UnitOfWork, movement: Movement, about: InitiativeId | None, own: PersonId | None
) -> list[Moment]:
    """Being stuck and moving again: what was said in a channel, and the reader's own. Never who, nor the words."""
    moments = []
    for episode in await work.stuck.episodes_in(movement.id, about):
        if episode.audience is not Audience.CHANNEL and episode.person_id != own:
            continue
        moments.append(Moment(at=episode.opened_at, turning=Turning.STUCK))
        if episode.closed_at is not None:
            moved = episode.state is EpisodeState.BREAKTHROUGH
            moments.append(Moment(at=episode.closed_at, turning=Turning.BREAKTHROUGH if moved else Turning.LET_GO))
    return moments

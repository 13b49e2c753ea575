"""Report being stuck: it is welcomed, asked about with curiosity, and shown to those it is meant for.

`form` fills and checks the form; `records` changes an episode and what others see of it.
"""

from dataclasses import replace

from bot.catalogue.base import Entry
from bot.catalogue.forms import read_form
from bot.catalogue.stuck import StuckAlready, StuckForm, StuckPosted, StuckStands, StuckWelcomed
from bot.domain.curiosity import detect_kind, fresh_questions, record_questions
from bot.domain.delivery import Act
from bot.domain.initiative import MAX_STUCK_CHARS, Audience, EpisodeId, StuckEpisode, StuckKind
from bot.domain.person import PersonId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.use_cases.stuck.reporting.form import StuckReport, check_report, fill_form, find_channel
from bot.use_cases.stuck.reporting.records import open_episode, update_episode


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/stuck` (the form, or what is open already) and `/stuck <text>`, which is reported at once.

    The text is about the initiative joined last, and for oneself alone; both can be changed afterwards.
    """
    movement = turn.require_movement()
    text = turn.text("text")
    if not text:
        latest = await work.stuck.latest_open(turn.person.id, movement.id)
        if latest is None:
            return await fill_form(work, turn)
        return StuckAlready(episode=latest.id, initiative=await _initiative_name(work, latest), text=latest.text)
    mine = await work.initiatives.of_person(turn.person.id, movement.id)
    initiative = mine[0] if mine else None
    kind = detect_kind(text)
    known = await work.stuck.open_of(turn.person.id, initiative.id if initiative else None, movement.id)
    if known is not None and known.audience is not Audience.ME:
        # A typed line is private; text already shared is extended only when the person picks that audience again.
        return await fill_form(work, turn, known, text=_append(known.text, text))
    if len(text) > MAX_STUCK_CHARS:
        values = {"initiative": initiative.id if initiative else "", "kind": kind.value, "audience": Audience.ME.value}
        return await fill_form(work, turn, known, text=text, values=values)
    if known is not None and kind is StuckKind.OTHER:
        kind = known.kind
    return await _report(
        work, turn, StuckReport(initiative=initiative, text=text, kind=kind, audience=Audience.ME), known
    )


async def start_another(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the empty form, whatever else is open."""
    turn.require_movement()
    return await fill_form(work, turn)


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form, filled with what was reported; of a closed episode, how it ended."""
    episode = await _load_own_episode(work, turn)
    return await fill_form(work, turn, episode) if episode.is_open else await _show_state(work, episode)


async def report(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep what was filled in; with an `episode` it changes that one. Raises `Invalid`."""
    movement = turn.require_movement()
    filled = read_form(StuckForm, turn.intent.args)
    changed = await _load_own_episode(work, turn) if turn.text("episode") else None
    if changed is not None and not changed.is_open:
        return await _show_state(work, changed)
    reported = await check_report(work, turn, filled, changed)
    if changed is None:
        known = await work.stuck.open_of(turn.person.id, reported.initiative_id, movement.id)
        return await _report(work, turn, reported, known)
    changed.initiative_id = reported.initiative_id
    await update_episode(work, turn, changed, reported)
    return await _welcome(work, turn, changed)


async def ask_new_questions(work: UnitOfWork, turn: Turn) -> Entry:
    """Welcome an open episode again, with three other questions."""
    episode = await _load_own_episode(work, turn)
    return await _welcome(work, turn, episode) if episode.is_open else await _show_state(work, episode)


async def compose_channel_post(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose an episode's post in the channel, as it stands now.

    Raises `Unwanted` when it is not for the channel any more, has ended before it was posted, or its owner is gone.
    """
    episode = await work.stuck.episode(EpisodeId(outgoing.delivery.subject), outgoing.require_movement().id)
    if episode is None or episode.audience is not Audience.CHANNEL:
        raise Unwanted("taken_back")
    if not episode.is_open and outgoing.delivery.act is Act.POST:
        raise Unwanted("no_longer_stuck")
    person = await work.people.get(episode.person_id, episode.movement_id)
    if person is None or person.account is None:
        raise Unwanted("forgotten")
    return StuckPosted(
        name=person.name, initiative=await _initiative_name(work, episode), text=episode.text, state=episode.state
    )


async def _report(work: UnitOfWork, turn: Turn, reported: StuckReport, known: StuckEpisode | None) -> Entry:
    """Open an episode, or add to the one that is open about this initiative: there is never a second."""
    episode = known
    if episode is None:
        episode = open_episode(work, turn, reported)
    elif reported.audience in (episode.audience, Audience.ME):
        # Words written for a narrower audience are not carried over to a wider one.
        text = _append(episode.text, reported.text)
        if len(text) > MAX_STUCK_CHARS:
            values = {"kind": reported.kind.value, "audience": reported.audience.value}
            return await fill_form(work, turn, episode, text=text, values=values)
        reported = replace(reported, text=text)
    await update_episode(work, turn, episode, reported, is_new=known is None)
    return await _welcome(work, turn, episode)


async def _welcome(work: UnitOfWork, turn: Turn, episode: StuckEpisode) -> Entry:
    """Welcome in other words than before, with three questions this initiative has not been asked lately."""
    variant = await work.stuck.rounds_of(turn.person.id, episode.movement_id)
    asked = await work.stuck.asked_questions(episode.movement_id, episode.initiative_id, turn.person.id)
    questions = fresh_questions(episode.kind, asked)
    await work.stuck.add_questions(record_questions(episode, questions, turn.now))
    helpers = [await work.people.get(PersonId(one), episode.movement_id) for one in episode.helpers]
    names = tuple(one.name for one in helpers if one is not None)
    return StuckWelcomed(
        episode=episode.id,
        initiative=await _initiative_name(work, episode),
        questions=tuple(questions),
        audience=episode.audience,
        helpers=names if all(names) else (),
        place=await find_channel(work, turn, episode) or "",
        variant=variant,
    )


async def _show_state(work: UnitOfWork, episode: StuckEpisode) -> Entry:
    return StuckStands.of(episode, await _initiative_name(work, episode))


async def _load_own_episode(work: UnitOfWork, turn: Turn) -> StuckEpisode:
    """Return the episode an intent is about. Raises `Refused` unless the actor is the one who is stuck."""
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.require_movement().id)
    if episode is None:
        raise Refused("not_found")
    return episode


async def _initiative_name(work: UnitOfWork, episode: StuckEpisode) -> str:
    return await work.initiatives.name(episode.initiative_id, episode.movement_id)


def _append(before: str, text: str) -> str:
    """Join earlier and newer words; words that are there already are not repeated."""
    return before if text in before else f"{before}\n{text}"

"""Report being stuck: it is welcomed, asked about with curiosity, and shown to those it is meant for.

`form` fills and checks the form; `records` changes an episode and what others see of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read_form
from bot.catalogue.stuck import (
    IN_PLACE,
    StuckAlready,
    StuckForm,
    StuckPosted,
    StuckStands,
    StuckTakenApart,
    StuckWelcomed,
)
from bot.domain.addition import Addition, join_words
from bot.domain.curiosity import detect_kind, fresh_questions
from bot.domain.delivery import Act
from bot.domain.initiative import MAX_STUCK_CHARS, AskedBefore, Audience, EpisodeId, StuckEpisode, StuckKind
from bot.domain.person import PersonId
from bot.domain.solved import SolvedSpell
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.resting import return_to_episode
from bot.understanding.solving import find_alike_breakthroughs
from bot.use_cases.stuck.reporting.form import (
    StuckReport,
    check_report,
    fill_form,
    find_channel,
    is_held,
    was_shown_to_others,
)
from bot.use_cases.stuck.reporting.records import add_split, open_episode, update_episode

_Recalled = tuple[AskedBefore, Sequence[SolvedSpell]]
"""Which questions were asked before about an initiative, and who of others solved what."""


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/stuck` (the form, or what is open already) and `/stuck <text>`, which is reported at once.

    The text is about the initiative joined last, and for oneself alone; both can be changed afterwards. A sentence that
    `asks` ("what shall I do now?") adds nothing to what is open: that is shown.
    """
    movement = turn.require_movement()
    text = turn.text("text")
    shown = await _show_open(work, turn) if not text or turn.text("asks") else None
    if shown is not None or not text:
        return shown or await fill_form(work, turn)
    mine, already, asked, solved = await work.together(
        work.initiatives.of_person(turn.person.id, movement.id),
        work.stuck.open_of(turn.person.id, movement.id),
        work.stuck.asked_about_latest(movement.id, turn.person.id),
        work.stories.solved_by_others(movement.id, turn.person.id),
    )
    initiative, kind = mine[0] if mine else None, detect_kind(text)
    if len(text) > MAX_STUCK_CHARS:
        values = {"initiative": initiative.id if initiative else "", "kind": kind.value, "audience": Audience.ME.value}
        return await fill_form(work, turn, text=text, values=values)
    reported = StuckReport(initiative=initiative, text=text, kind=kind, audience=Audience.ME)
    return await _report(work, turn, reported, already, (asked, solved))


async def start_another(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form, whatever else is open; empty, or with words that were said elsewhere (`prefill`)."""
    turn.require_movement()
    return await fill_form(work, turn, text=turn.text("prefill"))


async def show_other(work: UnitOfWork, turn: Turn) -> InPlace:
    """Show the open episode that was begun before the one an intent names; after the oldest, the latest again.

    Raises `Refused` when none is open any more.
    """
    turn.require_movement()
    shown = await _show_open(work, turn, turn.text("episode"))
    if shown is None:
        raise Refused("no_longer_stuck")
    return InPlace(entry=shown)


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form, filled with what was reported; of a closed episode, how it ended."""
    episode = await _load_own_episode(work, turn)
    return await fill_form(work, turn, episode) if episode.is_open else await _show_state(work, episode)


async def report(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep what was filled in; with an `episode` it changes that one. Raises `Invalid`."""
    turn.require_movement()
    filled = read_form(StuckForm, turn.intent.args)
    changed = await _load_own_episode(work, turn) if turn.text("episode") else None
    if changed is not None and not changed.is_open:
        return await _show_state(work, changed)
    if changed is None:
        reported, already = await work.together(
            check_report(work, turn, filled, changed),
            work.stuck.open_of(turn.person.id, turn.require_movement().id),
        )
        return await _report(work, turn, reported, already)
    reported = await check_report(work, turn, filled, changed)
    changed.initiative_id = reported.initiative_id
    await update_episode(work, turn, changed, reported)
    return await _welcome(work, turn, changed)


async def take_apart(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take words that were added to an open episode out again, and make them an episode of their own.

    `part` says which words (see `Addition`), `was` and `kind` of which kind the episode was before, and the words are.
    Raises `Refused` when the words were changed since.
    """
    episode = await _load_own_episode(work, turn)
    # The same press always makes the same episode.
    split = EpisodeId(sha256(f"{episode.id} {turn.text('part')}".encode()).hexdigest()[:32])
    other = await work.stuck.own(split, turn.person.id, episode.movement_id)
    if other is None:
        if not episode.is_open:
            return InPlace(entry=await _show_state(work, episode))
        addition = Addition.parse(turn.text("part"))
        texts = addition.take_from(episode.text) if addition else None
        if texts is None:
            raise Refused("changed_since")
        kinds = (_read_kind(turn, "was"), _read_kind(turn, "kind"))
        other = episode.split(split, texts, kinds, turn.now)
        await add_split(work, turn, episode, other)
    return InPlace(
        entry=StuckTakenApart(
            episode=episode.id,
            other=other.id,
            initiative=await _initiative_name(work, episode),
            text=episode.text,
            other_text=other.text,
            audience=other.audience,
            helpers=await _helper_names(work, other),
            place=await find_channel(work, turn, other) or "",
            held=await is_held(work, turn, other),
        )
    )


async def ask_new_questions(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Welcome an open episode again, with three other questions."""
    episode = await _load_own_episode(work, turn)
    shown = await _welcome(work, turn, episode) if episode.is_open else await _show_state(work, episode)
    return InPlace(entry=shown) if turn.text(IN_PLACE) else shown


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


async def _report(
    work: UnitOfWork,
    turn: Turn,
    reported: StuckReport,
    already: Sequence[StuckEpisode],
    recalled: _Recalled | None = None,
) -> Entry:
    """Open an episode; or add to the one of those open `already` about this initiative that the same people read, and
    say so."""
    known = await _find_extendable(work, turn, reported, already)
    if known is None:
        episode = open_episode(work, turn, reported)
        if reported.audience is not Audience.ME:
            await update_episode(work, turn, episode, reported)
        return await _welcome(work, turn, episode, recalled, is_new=True)
    before, was = known.text, known.kind
    kind = was if reported.kind is StuckKind.OTHER else reported.kind
    text = join_words(before, reported.text)
    await update_episode(work, turn, known, replace(reported, text=text, kind=kind))
    welcome = await _welcome(work, turn, known, recalled)
    if text == before:
        return welcome
    part = Addition.after(before, reported.text).write()
    return replace(welcome, text=reported.text, before=before, part=part, was=was, kind=reported.kind)


async def _find_extendable(
    work: UnitOfWork, turn: Turn, reported: StuckReport, already: Sequence[StuckEpisode]
) -> StuckEpisode | None:
    """Return the open episode that a report is added to: about the same initiative, for the same readers, with room
    for it. Words for some are never put among words that others read."""
    place = turn.place.id if turn.place is not None else None
    helpers = {str(helper.id) for helper in reported.helpers}
    for episode in already:
        text = join_words(episode.text, reported.text)
        is_same = episode.initiative_id == reported.initiative_id and episode.is_meant_for(
            reported.audience, place, helpers
        )
        if is_same and len(text) <= MAX_STUCK_CHARS and await _may_grow(work, episode, text):
            return episode
    return None


async def _may_grow(work: UnitOfWork, episode: StuckEpisode, text: str) -> bool:
    """Return whether an episode may get this text without asking: in a channel its post shows it; those who were asked
    to think along read the words as they were then."""
    if episode.audience is Audience.CHANNEL or text == episode.text:
        return True
    return not await work.stuck.company_of(episode.id, episode.movement_id)


async def _recall(work: UnitOfWork, turn: Turn, episode: StuckEpisode, recalled: _Recalled | None) -> _Recalled:
    if recalled is not None:
        return recalled
    asked, solved = await work.together(
        work.stuck.asked_questions(episode.movement_id, episode.initiative_id, turn.person.id),
        work.stories.solved_by_others(episode.movement_id, turn.person.id),
    )
    return asked, solved


async def _welcome(
    work: UnitOfWork, turn: Turn, episode: StuckEpisode, recalled: _Recalled | None = None, *, is_new: bool = False
) -> StuckWelcomed:
    """Welcome in other words than before, with three questions this initiative has not been asked lately. `recalled`:
    those, where they were looked up already. `is_new`: nothing followed from the episode yet."""
    (asked, solved), initiative, helpers, _, *was_shown = await work.together(
        _recall(work, turn, episode, recalled),
        _initiative_name(work, episode),
        _helper_names(work, episode),
        return_to_episode(work, episode, turn.person, turn.now, is_new=is_new),
        *([] if is_new else [was_shown_to_others(work, episode)]),
    )
    questions = fresh_questions(episode.kind, asked.questions)
    await work.stuck.add_questions(episode, questions, turn.now)
    return StuckWelcomed(
        episode=episode.id,
        initiative=initiative,
        questions=tuple(questions),
        audience=episode.audience,
        helpers=helpers,
        place=await find_channel(work, turn, episode) or "",
        held=await is_held(work, turn, episode),
        variant=asked.rounds,
        text=episode.text,
        read_by_others=any(was_shown),
        rules=episode.kind is StuckKind.RULES,
        solved=bool(find_alike_breakthroughs(episode, solved)),
    )


async def _helper_names(work: UnitOfWork, episode: StuckEpisode) -> tuple[str, ...]:
    """Return the names of the helpers picked; none when one of them has no name."""
    helpers = await work.together(*(work.people.get(PersonId(one), episode.movement_id) for one in episode.helpers))
    names = tuple(one.name for one in helpers if one is not None)
    return names if all(names) else ()


async def _show_open(work: UnitOfWork, turn: Turn, after: str = "") -> Entry | None:
    """Return the question about the latest open episode, or the one begun before `after`; None when nothing is open."""
    found = await work.stuck.open_of(turn.person.id, turn.require_movement().id)
    if not found:
        return None
    ids = [one.id for one in found]
    episode = found[(ids.index(EpisodeId(after)) + 1) % len(ids)] if after in ids else found[0]
    return StuckAlready(
        episode=episode.id, initiative=await _initiative_name(work, episode), text=episode.text, others=len(found) - 1
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


def _read_kind(turn: Turn, name: str) -> StuckKind:
    """Return the kind of being stuck that an intent's argument names; OTHER for anything else."""
    return StuckKind(turn.text(name)) if turn.text(name) in tuple(StuckKind) else StuckKind.OTHER

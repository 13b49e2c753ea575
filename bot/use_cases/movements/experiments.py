"""Call what is tried an experiment, ask at its end what becomes of it, and keep the decision."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.experiments import (
    MAX_TRYING_CHARS,
    ExperimentAnswered,
    ExperimentAnswerForm,
    ExperimentEnds,
    ExperimentForm,
    ExperimentMoveForm,
    ExperimentShown,
    ExperimentsListed,
    ExperimentSummary,
)
from bot.catalogue.forms import read_form
from bot.domain.experiment import (
    MAX_EXPERIMENT_DAYS,
    QUESTION,
    Decision,
    Experiment,
    ExperimentAnswer,
    ExperimentId,
    ExperimentState,
    decides,
    parse_end,
    plan_question,
    plan_second_question,
    propose_end,
)
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.next_step import NextStep
from bot.domain.person import Person, PersonId
from bot.domain.quiet_hours import FreeMoments, free_moments_of
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

LISTED = 5


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form: about a step (`step`), in an `initiative`, differently than one before (`again`), or with the
    words that were typed. Typed without words, it first lists what the actor tries already."""
    movement = turn.require_movement()
    args = ("step", "initiative", "again", "new", "text")
    if not any(turn.text(one) for one in args):
        mine = await work.experiments.of_person(turn.person.id, movement.id, LISTED)
        if mine:
            return ExperimentsListed(experiments=tuple(ExperimentSummary.of(one, turn.now) for one in mine))
    step = await _load_step(work, turn)
    again = await _load(work, turn, "again") if turn.text("again") else None
    initiative = turn.text("initiative")
    trying = turn.text("text")[:MAX_TRYING_CHARS]
    if step is not None:
        trying, initiative = step.action, step.initiative_id or ""
    if again is not None:
        trying, initiative = again.trying, again.initiative_id or ""
    return await _form(work, turn, trying, initiative, step)


async def _form(work: UnitOfWork, turn: Turn, trying: str, initiative: str, step: NextStep | None) -> ExperimentForm:
    movement = turn.require_movement()
    mine = await work.initiatives.of_person(turn.person.id, movement.id)
    free = _free_moments(turn)
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    earliest, latest = today + timedelta(days=1), today + timedelta(days=MAX_EXPERIMENT_DAYS)
    day = propose_end(turn.now, free)
    return ExperimentForm(
        values={
            "trying": trying,
            "day": day.isoformat(),
            "initiative": initiative if any(one.id == initiative for one in mine) else "",
        },
        options={"initiative": tuple(Pick(value=one.id, label=one.name) for one in mine)} if mine else {},
        hidden={"step": step.id} if step is not None else {},
        earliest=earliest,
        latest=latest,
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep the experiment that was filled in, and plan the question at its end to everyone who takes part."""
    movement = turn.require_movement()
    filled = read_form(ExperimentForm, turn.intent.args)
    ends_at = parse_end(filled.day("day"), turn.now, _free_moments(turn), filled.problems)
    step = await _load_step(work, turn)
    initiative = filled.text("initiative")
    if initiative and initiative not in {
        one.id for one in await work.initiatives.of_person(turn.person.id, movement.id)
    }:
        filled.problems.add("initiative", "unknown_choice")
    if ends_at is None or filled.problems:
        raise filled.problems.to_invalid()
    experiment = Experiment(
        id=ExperimentId(new_id()),
        movement_id=movement.id,
        initiative_id=InitiativeId(initiative) if initiative else None,
        person_id=turn.person.id,
        trying=filled.text("trying"),
        sign=filled.text("sign"),
        ends_at=ends_at,
        timezone=turn.timezone,
        started_at=turn.now,
    )
    work.experiments.add(experiment)
    await work.flush()
    if step is not None:
        step.experiment_id = experiment.id
        await work.flush()
    await _plan_questions(work, turn, experiment)
    return replace(await _show(work, turn, experiment), news="made")


async def _load_step(work: UnitOfWork, turn: Turn) -> NextStep | None:
    if not turn.text("step"):
        return None
    step = await work.steps.own(turn.text("step"), turn.person.id, turn.require_movement().id)
    if step is None:
        raise Refused("not_found")
    return step


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    """Show an experiment."""
    return await _show(work, turn, await _load(work, turn))


async def move(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Open the form for another end."""
    experiment = await _load_to_change(work, turn)
    if _is_settled(experiment, turn):
        return InPlace(entry=await _show(work, turn, experiment), on_page=True)
    form = await _form(work, turn, "", "", None)
    return ExperimentMoveForm(
        values={"day": form.values["day"]},
        hidden={"experiment": experiment.id, "moved": str(experiment.moved)},
        earliest=form.earliest,
        latest=form.latest,
    )


async def save_move(work: UnitOfWork, turn: Turn) -> InPlace:
    """Move the end of an experiment, and the question with it."""
    experiment = await _load_to_change(work, turn)
    if _is_settled(experiment, turn):
        return InPlace(entry=await _show(work, turn, experiment), on_page=True)
    filled = read_form(ExperimentMoveForm, turn.intent.args)
    ends_at = parse_end(filled.day("day"), turn.now, _free_moments(turn), filled.problems)
    if ends_at is None or filled.problems:
        raise filled.problems.to_invalid()
    experiment.end_at(ends_at)
    await _plan_questions(work, turn, experiment)
    return InPlace(entry=replace(await _show(work, turn, experiment), news="moved"))


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """End an experiment now: the actor is asked at once what becomes of it, and so are the others."""
    experiment = await _load_to_change(work, turn)
    if _is_settled(experiment, turn) or experiment.state_at(turn.now) is not ExperimentState.GOING:
        return InPlace(entry=await _show(work, turn, experiment), on_page=True)
    experiment.end_at(turn.now)
    await _plan_questions(work, turn, experiment, but=turn.person.id)
    initiative = await _initiative(work, experiment)
    return InPlace(
        entry=ExperimentEnds(
            experiment=experiment.id,
            trying=experiment.trying,
            sign=experiment.sign,
            initiative=initiative.name if initiative else "",
            moved=experiment.moved,
        )
    )


async def answer(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Open the form for a line with an answer."""
    experiment = await _load(work, turn)
    may_answer, _ = await _may_answer(work, turn, experiment)
    if not may_answer:
        return InPlace(entry=await _show(work, turn, experiment), on_page=True)
    answered = _parse_answer(turn)
    return ExperimentAnswerForm(
        answer=answered,
        shared=experiment.initiative_id is not None,
        hidden={"experiment": experiment.id, "moved": str(experiment.moved), "answer": answered.value},
    )


async def save_answer(work: UnitOfWork, turn: Turn) -> Entry | InPlace:
    """Keep an answer. The first of who carries it is the decision; those of others are added."""
    experiment = await _load(work, turn)
    answered = _parse_answer(turn)
    (may_answer, carriers), initiative = await work.together(
        _may_answer(work, turn, experiment), _initiative(work, experiment)
    )
    if not may_answer:
        return InPlace(entry=await _show(work, turn, experiment), on_page=True)
    filled = read_form(ExperimentAnswerForm, turn.intent.args)
    learned = filled.text("learned")
    if answered is Decision.STOPPED and not learned and not filled.problems:
        filled.problems.add("learned", "missing")
    filled.problems.raise_if_any()
    work.experiments.add(
        ExperimentAnswer(
            experiment_id=experiment.id,
            person_id=turn.person.id,
            movement_id=experiment.movement_id,
            answer=answered,
            learned=learned,
            answered_at=turn.now,
        )
    )
    decided = decides(turn.person.id, carriers) and experiment.decide(answered, turn.now)
    if decided:
        await work.deliveries.cancel(QUESTION, experiment.id, "already_chosen")
    return ExperimentAnswered(
        experiment=experiment.id,
        trying=experiment.trying,
        answer=answered,
        learned=learned,
        initiative=initiative.name if initiative else "",
        initiative_id=initiative.id if initiative else "",
        decision=experiment.decision or "",
        decided=decided,
    )


async def compose_end_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question what becomes of an experiment, and plan it once more for when it stays unanswered. Raises
    `Unwanted` when it was moved or decided, or the reader answered or does not take part any more."""
    movement, delivery, person = outgoing.require_movement(), outgoing.delivery, outgoing.person
    experiment = await work.experiments.get(ExperimentId(delivery.subject), movement.id)
    if experiment is None or person is None:
        raise Unwanted("gone")
    people, carriers = await _load_parts(work, experiment)
    if person.id not in {one.id for one in people}:
        raise Unwanted("gone")
    if delivery.args.get("moved") != experiment.moved:
        raise Unwanted("moved")
    answered = {one.person_id for one in await work.experiments.answers(experiment.id, movement.id)}
    if experiment.decision is not None or person.id in answered:
        raise Unwanted("answered")
    again = bool(delivery.args.get("again"))
    if not again:
        await work.deliveries.add(plan_second_question(experiment, person, outgoing.now))
    initiative = await _initiative(work, experiment)
    return ExperimentEnds(
        experiment=experiment.id,
        trying=experiment.trying,
        sign=experiment.sign,
        initiative=initiative.name if initiative else "",
        moved=experiment.moved,
        again=again,
        decides=decides(person.id, carriers),
    )


async def _plan_questions(work: UnitOfWork, turn: Turn, experiment: Experiment, but: PersonId | None = None) -> None:
    # Before the new questions are added: this drops every one that still waits about it.
    _, (people, _) = await work.together(
        work.deliveries.cancel(QUESTION, experiment.id, "moved"), _load_parts(work, experiment)
    )
    await work.deliveries.add_all([plan_question(experiment, one, turn.now) for one in people if one.id != but])
    mine = next((one for one in people if one.id == but), None)
    if mine is not None:
        # Asked on the spot; what stays unanswered comes back as for everyone.
        await work.deliveries.add(plan_second_question(experiment, mine, turn.now))


async def _load_parts(work: UnitOfWork, experiment: Experiment) -> tuple[list[Person], set[PersonId]]:
    """Return who takes part in an experiment, and which of them carry it: the maker, and who takes part in its
    initiative."""
    maker = await work.people.get(experiment.person_id, experiment.movement_id)
    people = {maker.id: maker} if maker is not None and maker.account is not None else {}
    carriers = set(people)
    if experiment.initiative_id is not None:
        for person, part in await work.initiatives.participants(experiment.initiative_id, experiment.movement_id):
            people[person.id] = person
            if part.initiator:
                carriers.add(person.id)
    return list(people.values()), carriers


async def _load(work: UnitOfWork, turn: Turn, name: str = "experiment") -> Experiment:
    """Return the experiment of an intent. Raises `Refused` for somebody else's own."""
    found = await work.experiments.get(ExperimentId(turn.text(name)), turn.require_movement().id)
    if found is None or (found.initiative_id is None and found.person_id != turn.person.id):
        raise Refused("not_found")
    return found


async def _load_to_change(work: UnitOfWork, turn: Turn) -> Experiment:
    experiment = await _load(work, turn)
    _, carriers = await _load_parts(work, experiment)
    if turn.person.id not in carriers:
        raise Refused("initiators_only")
    return experiment


def _is_settled(experiment: Experiment, turn: Turn) -> bool:
    """Return whether a button is of an end that was moved since, or it is decided."""
    return experiment.decision is not None or turn.text("moved") != str(experiment.moved)


async def _may_answer(work: UnitOfWork, turn: Turn, experiment: Experiment) -> tuple[bool, set[PersonId]]:
    """Return whether the actor did not answer, and the end has come; and who carries it. Also after the decision: what
    others say is added. Raises `Refused` for who does not take part."""
    (people, carriers), answers = await work.together(
        _load_parts(work, experiment), work.experiments.answers(experiment.id, experiment.movement_id)
    )
    if turn.person.id not in {one.id for one in people}:
        raise Refused("not_found")
    has_answered = turn.person.id in {one.person_id for one in answers}
    return not has_answered and turn.now >= experiment.ends_at, carriers


def _parse_answer(turn: Turn) -> Decision:
    if turn.text("answer") not in list(Decision):
        raise Refused("not_found")
    return Decision(turn.text("answer"))


async def _initiative(work: UnitOfWork, experiment: Experiment) -> Initiative | None:
    if experiment.initiative_id is None:
        return None
    return await work.initiatives.get(experiment.initiative_id, experiment.movement_id)


def _free_moments(turn: Turn) -> FreeMoments:
    return free_moments_of(turn.person, turn.timezone, turn.require_movement())


async def _show(work: UnitOfWork, turn: Turn, experiment: Experiment) -> ExperimentShown:
    (people, carriers), answers, initiative, steps = await work.together(
        _load_parts(work, experiment),
        work.experiments.answers(experiment.id, experiment.movement_id),
        _initiative(work, experiment),
        work.experiments.count_steps(experiment.id, experiment.movement_id),
    )
    return ExperimentShown(
        id=experiment.id,
        trying=experiment.trying,
        sign=experiment.sign,
        initiative=initiative.name if initiative else "",
        initiative_id=initiative.id if initiative else "",
        state=experiment.state_at(turn.now),
        ends_at=experiment.ends_at,
        rests_from=experiment.rests_from,
        timezone=experiment.timezone,
        moved=experiment.moved,
        decision=experiment.decision or "",
        learned=tuple(one.learned for one in answers if one.learned),
        steps=steps,
        mine=turn.person.id in {one.id for one in people},
        carried=turn.person.id in carriers,
        answered=turn.person.id in {one.person_id for one in answers},
        comes=turn.person.stopped_at is None,
    )

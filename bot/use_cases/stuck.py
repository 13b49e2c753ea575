"""Being stuck: reported, welcomed, asked about with curiosity, ended in good grace."""

from bot.catalogue.base import Entry
from bot.catalogue.forms import read
from bot.catalogue.stuck import QUESTIONS_PER_KIND, StuckForm, StuckWelcomed
from bot.domain.ids import new_id
from bot.domain.initiative import (
    Audience,
    EpisodeId,
    Initiative,
    InitiativeId,
    QuestionAsked,
    StuckEpisode,
    StuckKind,
)
from bot.ports import Turn, UnitOfWork

QUESTIONS_ASKED = 3


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """`/stuck`: the form; `/stuck <text>`: reported at once, with defaults that can be changed after."""
    movement = turn.the_movement()
    if not turn.text("text"):
        return StuckForm()
    mine = await work.initiatives.of_person(turn.person.id, movement.id)
    return await _open(work, turn, mine[0] if mine else None, turn.text("text"), StuckKind.OTHER, Audience.ME)


async def report(work: UnitOfWork, turn: Turn) -> Entry:
    """The submitted form."""
    movement = turn.the_movement()
    filled = read(StuckForm, turn.intent.args)
    initiative = None
    if filled.text("initiative"):
        initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), movement.id)
    return await _open(
        work, turn, initiative, filled.text("text"), StuckKind(filled.text("kind")), Audience(filled.text("audience"))
    )


async def _open(
    work: UnitOfWork, turn: Turn, initiative: Initiative | None, text: str, kind: StuckKind, audience: Audience
) -> Entry:
    movement = turn.the_movement()
    about = initiative.id if initiative else None
    episode = await work.stuck.open_of(turn.person.id, about, movement.id)
    if episode is None:
        episode = StuckEpisode(
            id=EpisodeId(new_id()),
            movement_id=movement.id,
            initiative_id=about,
            person_id=turn.person.id,
            place_id=turn.place.id if turn.place else None,
            text=text,
            kind=kind,
            audience=audience,
            opened_at=turn.now,
        )
        work.stuck.add(episode)
    questions = fresh_questions(kind, await work.stuck.questions_asked(movement.id, about, turn.person.id))
    for question in questions:
        work.stuck.add(
            QuestionAsked(
                movement_id=movement.id,
                initiative_id=about,
                person_id=turn.person.id,
                episode_id=episode.id,
                question=question,
                asked_at=turn.now,
            )
        )
    return StuckWelcomed(
        episode=episode.id,
        initiative=initiative.name if initiative else "",
        questions=tuple(questions),
        audience=audience,
    )


def fresh_questions(kind: StuckKind, asked: list[str]) -> list[str]:
    """Three questions of this kind, those asked longest ago (or never) first. `asked`: oldest first."""
    keys = [f"{kind.value}_{number}" for number in range(1, QUESTIONS_PER_KIND + 1)]
    last = {key: index for index, key in enumerate(asked)}
    return sorted(keys, key=lambda key: last.get(key, -1))[:QUESTIONS_ASKED]

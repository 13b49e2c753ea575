"""Put together what stands in a magazine: stories with a standing yes, and a learning history without anybody's words.

Both the page and each print are made of this, every time anew: a yes that is taken back is gone from the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot import wording
from bot.catalogue.magazines import MagazinePage, PrintedStory
from bot.domain.experiment import DecidedExperiment
from bot.domain.initiative import Initiative
from bot.domain.look_back import MAX_TIMELINE_MOMENTS, MomentKind, TimelineMoment, choose_moments
from bot.domain.magazine import Magazine, MagazineId, PaperSize, PrintCandidate, choose_for_print
from bot.domain.movement import Movement, MovementId
from bot.domain.person import PersonId
from bot.ports import UnitOfWork
from bot.wording import Reader

PAPER_KINDS = {f"magazine_{size.value}": size for size in PaperSize}
"""Kinds of files that hold a magazine, each with its paper."""
DRAWING = "magazine"
PRINT_WORDS = "print/magazine.md.j2"


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A magazine as it stands now."""

    magazine: Magazine
    movement: str
    initiative: str
    stories: Sequence[PrintCandidate]
    moments: Sequence[TimelineMoment]
    abouts: Sequence[str]
    """The name of the initiative of each story; "" for none."""


async def load_print(work: UnitOfWork, movement: Movement, id: MagazineId) -> Printed | None:
    """Load a magazine of a movement with what stands in it now; None when it is not there."""
    magazine = await work.magazines.get(id, movement.id)
    if magazine is None:
        return None
    candidates, initiatives, decided = await work.together(
        work.magazines.candidates(magazine.id, movement.id),
        work.initiatives.of_movement(movement.id, closed=True),
        work.experiments.decided_in(movement.id, magazine.initiative_id, PersonId(""), MAX_TIMELINE_MOMENTS),
    )
    stories = choose_for_print(candidates)
    names = {one.id: one.name for one in initiatives}
    about = next((one for one in initiatives if one.id == magazine.initiative_id), None)
    return Printed(
        magazine=magazine,
        movement=movement.name,
        initiative=about.name if about is not None else "",
        stories=stories,
        moments=_tell_history(movement, about, initiatives, decided) if magazine.history else (),
        abouts=[
            names.get(one.story.initiative_id, "") if one.story.initiative_id and about is None else ""
            for one in stories
        ],
    )


async def may_read(work: UnitOfWork, magazine: Magazine, person: PersonId) -> bool:
    """Return whether somebody may read a magazine now, and have it printed: everyone in its movement can, or they make
    it."""
    member = await work.movements.membership(magazine.movement_id, person)
    if member is None:
        return False
    if magazine.shown_at is not None or member.coordinates:
        return True
    return magazine.initiative_id in {one.id for one in await find_initiatives_of(work, person, magazine.movement_id)}


async def find_initiatives_of(work: UnitOfWork, person: PersonId, movement: MovementId) -> list[Initiative]:
    """Return the initiatives of a movement that somebody carries, of which they can make a magazine."""
    taken_part = await work.initiatives.of_person(person, movement)
    parts = await work.together(*(work.initiatives.participant(one.id, person) for one in taken_part))
    return [
        one
        for one, part in zip(taken_part, parts, strict=True)
        if part is not None and part.initiator and part.left_at is None
    ]


def _tell_history(
    movement: Movement,
    initiative: Initiative | None,
    initiatives: Sequence[Initiative],
    decided: Sequence[DecidedExperiment],
) -> Sequence[TimelineMoment]:
    """Return the learning history as everybody may read it: no names of persons, and of what was written only how
    initiatives are called. What somebody tried, and that they were stuck, was told to the movement, not for print."""
    names = {one.id: one.name for one in initiatives}
    if initiative is None:
        moments = [TimelineMoment(at=movement.started_at, turning=MomentKind.STARTED)]
        begun, turning = initiatives, MomentKind.BEGUN
    else:
        moments, begun, turning = [], [initiative], MomentKind.STARTED
    for one in begun:
        moments.append(TimelineMoment(at=one.started_at, turning=turning, what=one.name))
        if one.closed_at is not None:
            moments.append(TimelineMoment(at=one.closed_at, turning=MomentKind.CLOSED, what=one.name))
    for tried in decided:
        what = names.get(tried.initiative_id, "") if tried.initiative_id else ""
        moments.append(
            TimelineMoment(at=tried.decided_at, turning=MomentKind.DECIDED, what=what, decision=tried.decision)
        )
    # The beginning alone makes no history.
    return choose_moments(moments) if len(moments) > 1 else ()


def make_page(printed: Printed, reader: Reader, me: PersonId, *, making: bool = False) -> MagazinePage:
    """Make the page of a magazine for a reader."""
    return MagazinePage(
        magazine=printed.magazine.id,
        title=printed.magazine.title,
        words=printed.magazine.words,
        history=tuple(word_moment(one, reader) for one in printed.moments),
        making=making,
        stories=tuple(
            PrintedStory(
                magazine=printed.magazine.id,
                story=one.story.id,
                text=one.story.text,
                teller=one.credit,
                about=about,
                mine=one.story.teller_id == me,
            )
            for one, about in zip(printed.stories, printed.abouts, strict=True)
        ),
    )


def word_moment(moment: TimelineMoment, reader: Reader) -> str:
    """Word a moment of the learning history on one line."""
    return wording.render_sentence(PRINT_WORDS, "moment", reader, {"one": moment})


def draw_magazine(printed: Printed, reader: Reader, paper: PaperSize) -> dict[str, object]:
    """Return all that is in a print, in words."""

    def say(block: str, **values: object) -> str:
        return wording.render_sentence(PRINT_WORDS, block, reader, values)

    magazine, count = printed.magazine, len(printed.stories)
    return {
        "language": reader.language.value,
        "paper": paper.value,
        "title": magazine.title,
        "movement": printed.movement,
        "initiative": printed.initiative,
        "date": say("date", at=reader.now.astimezone(reader.zone)),
        "words": [one for one in magazine.words.splitlines() if one.strip()],
        "contents": say("contents"),
        "stories": [
            {
                "title": say("story", number=number, count=count),
                "text": [line for line in one.story.text.splitlines() if line.strip()],
                "teller": say("teller", name=one.credit),
                "about": about,
            }
            for number, (one, about) in enumerate(zip(printed.stories, printed.abouts, strict=True), 1)
        ],
        "history": say("history"),
        "moments": [
            {"date": say("moment_date", at=one.at.astimezone(reader.zone)), "text": word_moment(one, reader)}
            for one in printed.moments
        ],
        "colophon": say("colophon"),
        "alone": say("alone"),
    }

"""A magazine with stories whose tellers agreed, to be printed; and stories for one that people make."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.look_back import MomentKind, TimelineMoment
from bot.domain.magazine import Magazine, MagazineId, PrintAnswer, PrintCandidate, PrintConsent, PrintName
from bot.domain.movement import MovementId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from bot.magazines import Printed
from bot.ports import UnitOfWork
from bot.wording import Reader

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def stories_of(count: int, text: str = "De buurvrouw liep mee, en toen wilde de hele gang.") -> list[PrintCandidate]:
    found = []
    for number in range(count):
        person = Person(
            id=PersonId(f"p{number}"), workspace_id=WorkspaceId("w"), account="a", name="Fatima de Wit", created_at=NOW
        )
        story = Story(
            id=StoryId(f"s{number}"),
            movement_id=MovementId("m"),
            place_id=None,
            teller_id=person.id,
            text=text,
            readers=Readers.MOVEMENT,
            told_at=NOW + timedelta(minutes=number),
        )
        consent = PrintConsent(
            magazine_id=MagazineId("z"),
            story_id=story.id,
            movement_id=MovementId("m"),
            person_id=person.id,
            answer=PrintAnswer.AGREED,
            shown_name=PrintName.FULL,
            asked_at=NOW,
        )
        found.append(PrintCandidate(consent, story, person, True))
    return found


def add_told(work: UnitOfWork, since: datetime, told: Mapping[str, str]) -> None:
    """Store a story of each in the movement, a minute after the other; its id is `of-` and who told it."""
    for number, (who, text) in enumerate(told.items()):
        work.stories.add(
            Story(
                id=StoryId(f"of-{who}"),
                movement_id=MovementId("movement"),
                place_id=None,
                teller_id=PersonId(who),
                text=text,
                readers=Readers.MOVEMENT,
                told_at=since + timedelta(minutes=number),
            )
        )


def make_print(
    stories: list[PrintCandidate],
    title: str = "Een jaar samen",
    *,
    history: bool = True,
    language: Language = Language.NL,
) -> Any:
    magazine = Magazine(
        id=MagazineId("z"), movement_id=MovementId("m"), title=title, words=f"Zo ging het.\n{title}", begun_at=NOW
    )
    moments = [
        TimelineMoment(at=NOW, turning=MomentKind.STARTED, what="Wandelen"),
        TimelineMoment(at=NOW, turning=MomentKind.STUCK),
    ]
    printed = Printed(
        magazine=magazine,
        movement="Samen op pad",
        initiative="Wandelen",
        stories=stories,
        moments=moments if history else (),
        abouts=[title if number % 2 else "" for number in range(len(stories))],
    )
    return printed, Reader(language=language, timezone="Europe/Amsterdam", now=NOW)

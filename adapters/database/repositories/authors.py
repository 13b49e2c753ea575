"""Remember, while a transaction lasts, whose names and words it read: what a message then says of somebody is known."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.domain.choosing import Significance
from bot.domain.experiment import ExperimentAnswer
from bot.domain.next_step import Chance
from bot.domain.person import Person, PersonId
from bot.domain.story import Story

_AUTHORS = "authors"
"""Where a session keeps whose each text is. Strong references: its identity map has only weak ones."""


def remember_author(session: Session, text: str | None, person: PersonId) -> None:
    """Remember that a text, a name or somebody's own words, is of this person."""
    if text:
        session.info.setdefault(_AUTHORS, {}).setdefault(text, set()).add(person)


def recall_authors(session: Session, texts: Collection[str]) -> set[PersonId]:
    """Return whose names or words, of all that was read in this transaction, are among these texts."""
    known: dict[str, set[PersonId]] = session.info.get(_AUTHORS, {})
    return set().union(*(known[text] for text in texts if text in known))


@event.listens_for(Person, "load")
def _note_person(person: Person, context: Any) -> None:
    if person.account is not None:
        remember_author(context.session, person.name, person.id)
        remember_author(context.session, person.account, person.id)


@event.listens_for(Story, "load")
def _note_story(story: Story, context: Any) -> None:
    remember_author(context.session, story.text, story.teller_id)


@event.listens_for(ExperimentAnswer, "load")
def _note_answer(answer: ExperimentAnswer, context: Any) -> None:
    remember_author(context.session, answer.learned, answer.person_id)


@event.listens_for(Significance, "load")
def _note_why(made: Significance, context: Any) -> None:
    remember_author(context.session, made.why, made.by_id)


@event.listens_for(Chance, "load")
def _note_chance(chance: Chance, context: Any) -> None:
    remember_author(context.session, chance.text, chance.person_id)

"""Answers of others under somebody's story: when its teller hears of them, and of a question that nobody answers."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from bot.domain.delivery import Delivery, DeliveryState, Priority, to_person
from bot.domain.movement import PlaceId
from bot.domain.person import Person, PersonId
from bot.domain.story import STORY_NEWS_TTL, Story, StoryId

ANSWERED_KIND, UNANSWERED_KIND = "story_answered", "story_question"
"""Kinds of deliveries that tell a teller of answers, and of a question that nobody answered."""
ANSWERS_TOGETHER = timedelta(hours=1)
"""How long the news of an answer waits for more of them, to be told together."""
QUESTION_WAITS = timedelta(days=3)
"""How long a question under a story waits for anybody's answer, before its teller hears of it."""
MIN_LEADING_WORDS = 5
"""Words from which on an answer to a check-in may lead to a story, a step or being stuck; fewer are an aside."""
LED_ON_PAUSE = timedelta(days=7)
"""How long nobody is asked again where their answer to a check-in leads."""
_QUESTION = re.compile(r"\?(?=[\s\"'”’)*_]|$)")


def has_question(text: str) -> bool:
    """Return whether a text asks something; a question mark in an address asks nothing."""
    return _QUESTION.search(text) is not None


def is_aside(text: str) -> bool:
    """Return whether an answer to a check-in is too short to lead anywhere, or a question to somebody else."""
    return len(text.split()) < MIN_LEADING_WORDS or has_question(text)


def answer_mark(place: PlaceId, message: str) -> str:
    """Return by what an answer is remembered, so that it counts once: it tells nothing of it."""
    return sha256(f"answer:{place}:{message}".encode()).hexdigest()[:16]


def asker_mark(story: StoryId, person: PersonId) -> str:
    """Return by what it is remembered who asked: it tells nothing of them."""
    return sha256(f"asker:{story}:{person}".encode()).hexdigest()[:16]


def list_answers(news: Delivery) -> list[str]:
    """Return the marks of the answers that news is about."""
    answers = news.args.get("answers", [])
    return [str(one) for one in answers] if isinstance(answers, list) else []


def plan_answer_news(
    story: Story, teller: Person, earlier: Iterable[Delivery], mark: str, where: dict[str, object], now: datetime
) -> Delivery | None:
    """Add an answer to the news that still waits, or make that news; None when nothing is to be added to the outbox.
    `earlier` is the news of answers under this story, `where` its place and thread."""
    earlier = list(earlier)
    if any(mark in list_answers(one) for one in earlier):
        return None
    waiting = next((one for one in earlier if one.state is DeliveryState.WAITING), None)
    if waiting is not None:
        waiting.add_args(answers=[*list_answers(waiting), mark])
        return None
    return to_person(
        teller,
        ANSWERED_KIND,
        key=f"{ANSWERED_KIND}:{story.id}:{mark}",
        now=now,
        movement=story.movement_id,
        subject=story.id,
        priority=Priority.NEWS,
        due_at=now + ANSWERS_TOGETHER,
        expires_at=now + STORY_NEWS_TTL,
        args={**where, "answers": [mark]},
    )


def plan_question_news(
    story: Story,
    teller: Person,
    earlier: Iterable[Delivery],
    asked: tuple[str, str],
    where: dict[str, object],
    now: datetime,
) -> Delivery | None:
    """Make the news of a question that nobody answers, once in the life of a story; None when there is some already.
    `asked` are the marks of the question and of who asked it."""
    if any(one.may_have_arrived or one.state is DeliveryState.WAITING for one in earlier):
        return None
    question, asker = asked
    return to_person(
        teller,
        UNANSWERED_KIND,
        key=f"{UNANSWERED_KIND}:{story.id}:{question}",
        now=now,
        movement=story.movement_id,
        subject=story.id,
        priority=Priority.NEWS,
        due_at=now + QUESTION_WAITS,
        expires_at=now + QUESTION_WAITS + STORY_NEWS_TTL,
        args={**where, "question": question, "asker": asker},
    )


def drop_questions(questions: Iterable[Delivery], by: str) -> None:
    """Drop the news of questions that somebody else than who asked (`by`: their mark) has answered now."""
    for one in questions:
        if one.state is DeliveryState.WAITING and one.args.get("asker") != by:
            one.drop("answered")


def take_answer_back(news: Iterable[Delivery], mark: str) -> None:
    """Take an answer whose message is gone out of the news that still waits; drop what then tells nothing."""
    for one in news:
        if one.state is not DeliveryState.WAITING:
            continue
        left = [answer for answer in list_answers(one) if answer != mark]
        if one.args.get("question") == mark or (one.kind == ANSWERED_KIND and not left):
            one.drop("withdrawn")
        elif one.kind == ANSWERED_KIND:
            one.add_args(answers=left)

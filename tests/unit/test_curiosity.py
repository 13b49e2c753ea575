"""Curious questions: not repeated within three rounds, fit to the kind, one open question each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.domain.curiosity import QUESTIONS_PER_KIND, QUESTIONS_PER_ROUND, detect_kind, fresh_questions
from bot.domain.initiative import StuckKind
from bot.domain.person import Language

KEYS = {f"{kind.value}_{number}" for kind in StuckKind for number in range(1, QUESTIONS_PER_KIND + 1)}


@given(st.lists(st.sampled_from(list(StuckKind)), min_size=1, max_size=40))
def test_no_question_returns_within_three_rounds_of_its_kind(kinds: list[StuckKind]) -> None:
    asked: list[str] = []
    rounds: dict[StuckKind, list[list[str]]] = {kind: [] for kind in StuckKind}
    for kind in kinds:
        questions = fresh_questions(kind, asked)
        assert len(set(questions)) == QUESTIONS_PER_ROUND
        lately = [question for earlier in rounds[kind][-2:] for question in earlier]
        assert not set(questions) & set(lately)
        rounds[kind].append(questions)
        asked += questions


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_there_are_enough_questions_and_each_is_one_open_question(language: Language) -> None:
    template = "stuck/questions.md.j2"
    assert wording.block_names(template, language) == KEYS
    by_kind: dict[str, set[str]] = {}
    for key in KEYS:
        text = wording._block(template, key, language)
        assert text.endswith("?"), text
        assert text.count("?") == 1, text
        assert len(text.split()) <= 14, text
        by_kind.setdefault(key.rpartition("_")[0], set()).add(text)
    assert len(set.union(*by_kind.values())) == len(KEYS), "a question is asked under one kind only"


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_being_stuck_is_welcomed_in_six_ways(language: Language) -> None:
    assert wording.count_variants("stuck/stuck_welcomed.md.j2", language) >= 6


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ik heb geen tijd meer", StuckKind.ENERGY),
        ("I don’t know how to begin", StuckKind.KNOW_HOW),
        ("We mogen het niet", StuckKind.OTHER),
        ("Het mag niet van de regels", StuckKind.RULES),
        ("Geen tijd, en er is weerstand", StuckKind.OTHER),
        ("", StuckKind.OTHER),
    ],
)
def test_a_kind_is_guessed_only_when_the_words_are_plain(text: str, kind: StuckKind) -> None:
    assert detect_kind(text) is kind

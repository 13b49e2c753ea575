"""The words of the house: one word for one thing, what to type as it is typed, and channels with their sign."""

import re
from pathlib import Path

import pytest

from bot.commands import VOCABULARY
from bot.compiled import PROMPTS
from bot.domain.person import Language
from bot.understanding import understand_sentence

TEMPLATES = sorted(path for path in PROMPTS.rglob("*.j2"))
OF_THE_PLAYGROUND = "playground"
"""The playground's own page, which says what its own composer takes."""
BANNED = {
    "nl": (
        r"stapjes?|verhaaltjes?|beginnetjes?|draadjes?|haperingen|hapering|berichtjes?|momentjes?|"
        r"beweegt weer|slimste zet|één mens|geef alles mee|stakeholders?|uitrollen|borgen|commitment|"
        r"even rust|vraag gezelschap|verhalenronde|voordracht(?:en)?|niet van toepassing|in deze plek|nieuw ritme|"
        r"er veel van weet|weet er veel van|weet hier het meeste van|dit kan niet terug|begin ik uit mezelf|"
        r"reisde verder|in goede vrede|vertelt dingen makkelijk door|zulke draden|houd het bij mij"
    ),
    "en": (
        r"moves again|get people along|thinks? along|one size smaller|still worth it\?|little story|little step|"
        r"stakeholders?|roll out|commitment|whoever|whom to invite|reads? along|by myself|harvest|not after all|"
        r"good beginning|quiet for you|suggest you to nobody|stories? along"
    ),
}
"""Words that were replaced by others, or that nobody at the coffee machine says; see voice and domain words."""
TYPED = re.compile(r'"([^"]+)" \| typed(?:_in_channel)?\(reader\)')
LITERAL = re.compile(r"(?<![\w\"/])(?:/(?:ritme|vast|verhaal|stuck|story|invite)\b|@Ritme\b)")
PLACE = re.compile(r"{{ *(?:\w+\.)?place *}}")


def words_of(path: Path) -> str:
    """Return a template without its remarks and without what stands between the marks of Jinja."""
    text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"{%.*?%}|{{.*?}}", " ", text)


def name_of(path: Path) -> str:
    return str(path.relative_to(PROMPTS))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_word_that_was_replaced_is_left(path: Path) -> None:
    language = path.relative_to(PROMPTS).parts[0]
    found = re.findall(rf"\b(?:{BANNED[language]})(?!\w)", words_of(path), flags=re.IGNORECASE)
    assert not found


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_what_to_type_and_the_name_of_the_app_are_those_of_the_place(path: Path) -> None:
    if OF_THE_PLAYGROUND in path.parts:
        return
    words = words_of(path)
    if "slack" in path.parts or 'there == "teams"' in path.read_text():
        words = words.replace("/invite", "")  # Slack's own command, where only people in Slack read it
    assert not LITERAL.findall(words)
    assert not re.findall(r"\bRitme\b", words_of(path)), "the app may have another name there"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_what_people_are_told_to_type_is_understood(path: Path) -> None:
    for typed in TYPED.findall(path.read_text(encoding="utf-8")):
        command = VOCABULARY.meaning(typed.partition(" ")[0])
        assert command or understand_sentence(typed).sure, typed


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_what_to_type_does_not_stand_alone(path: Path) -> None:
    """Where only the word is typed, "Fewer messages? **me**." would be a riddle."""
    assert not re.findall(r'[?:.] \*\*{{ "[^"]+" \| typed', path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_channel_is_shown_with_its_sign(path: Path) -> None:
    assert not PLACE.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_one_function_says_what_to_type(language: Language) -> None:
    told = [typed for path in (PROMPTS / language.value).rglob("*.j2") for typed in TYPED.findall(path.read_text())]
    assert len(told) > 10

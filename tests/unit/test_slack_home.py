"""Every page fits the limits of Slack's App Home, whatever people wrote, and is complete."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.slack.home import render_home
from bot import wording
from bot.catalogue.home import Home, HomeMoments, HomeRhythms, HomeStep, HomeSteps, HomeStories, HomeStory, HomeTrouble
from bot.chat import Message, Page, Paragraph, Section, Span
from bot.domain.person import Language
from bot.use_cases.people.home import (
    COMING_SHOWN,
    GAPS_SHOWN,
    HOME_RHYTHMS_SHOWN,
    STEPS_SHOWN,
    STORIES_SHOWN,
    TROUBLE_SHOWN,
)
from tests.fakes.slack.block_kit import problems_in_home
from tests.unit.test_slack_render import NASTY, buttons, extremes, paragraphs, reader, with_words

FULLEST = replace(
    Home.example(),
    stopped=True,
    steps=HomeSteps(steps=(HomeStep.example(),) * STEPS_SHOWN, more=9),
    stories=HomeStories(stories=(replace(HomeStory.example(), cut=True),) * STORIES_SHOWN, older=4),
    moments=HomeMoments(moments=HomeMoments.example().moments[1:2] * (COMING_SHOWN + GAPS_SHOWN)),
    rhythms=HomeRhythms(rhythms=HomeRhythms.example().rhythms[:1] * HOME_RHYTHMS_SHOWN, more=3),
    trouble=HomeTrouble(held=HomeTrouble.example().held * TROUBLE_SHOWN),
)


@pytest.mark.parametrize("language", list(Language), ids=str)
@pytest.mark.parametrize("page", [FULLEST, *Home.examples()], ids=lambda page: f"{len(page.sections())} sections")
def test_every_page_fits(page: Home, language: Language) -> None:
    for one in (page, *(with_words(page, words) for words in NASTY)):
        assert isinstance(one, Home)
        assert problems_in_home(render_home(wording.render_page(one, reader(language)))) == []


def test_the_fullest_page_is_shown_whole() -> None:
    page = wording.render_page(FULLEST, reader(Language.NL))
    view = render_home(page)
    pressed = [one for block in view["blocks"] if block["type"] == "actions" for one in block["elements"]]
    assert len(pressed) == sum(len(section.message.buttons) for section in page.sections)
    headers = [block["text"]["text"] for block in view["blocks"] if block["type"] == "header"]
    assert headers == [section.title for section in page.sections if section.title]


sections = st.builds(
    Section,
    title=st.just("") | extremes,
    message=st.builds(
        Message,
        paragraphs=st.lists(paragraphs, min_size=1, max_size=5).map(tuple),
        buttons=st.lists(buttons, max_size=3, unique_by=lambda button: button.name).map(tuple),
    ),
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(sections, min_size=1, max_size=3), st.integers(1, 12))
def test_any_page_fits(shown: list[Section], times: int) -> None:
    assert problems_in_home(render_home(Page(sections=tuple(shown * times)))) == []


def test_as_one_message_every_button_says_what_it_is_for() -> None:
    message = wording.render_entry(FULLEST, reader(Language.EN))
    labels = [button.label for button in message.buttons]
    assert len({button.name for button in message.buttons}) == len(labels)
    assert "Done 1" in labels
    assert "Done 5" in labels
    assert "5. When" in message.text


def test_a_page_too_long_for_slack_ends_in_an_ellipsis() -> None:
    said = Message(paragraphs=(Paragraph(spans=(Span(text="Hallo"),)),))
    view = render_home(Page(sections=(Section(title="Kop", message=said),) * 60))
    assert len(view["blocks"]) <= 100
    assert view["blocks"][-1]["elements"][0]["text"] == "…"

"""Templates match the catalogue: every entry in both languages, with the same blocks, and no template left over."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import meta

from bot import wording
from bot.catalogue import CATALOGUE, Entry, FormEntry
from bot.catalogue.errors import Declined
from bot.compiled import PROMPTS
from bot.domain.person import Language
from bot.wording import Reader

ENTRIES = sorted(CATALOGUE.values(), key=lambda entry: (entry.family, entry.__name__))
BLOCK = re.compile(r"{%-?\s*block\s+(\w+)\s*-?%}")


def reader(language: Language) -> Reader:
    return Reader(language=language, timezone="Europe/Amsterdam", now=datetime(2027, 3, 1, 8, tzinfo=UTC))


def templates(language: Language) -> set[str]:
    root = PROMPTS / language.value
    return {str(path.relative_to(root)) for path in root.rglob("*.md.j2")}


def source(name: str, language: Language) -> str:
    return Path(PROMPTS / language.value / name).read_text(encoding="utf-8")


def test_both_languages_have_the_same_files() -> None:
    assert templates(Language.NL) == templates(Language.EN)


@pytest.mark.parametrize("name", sorted(templates(Language.NL)))
def test_both_languages_have_the_same_blocks(name: str) -> None:
    dutch, english = (sorted(BLOCK.findall(source(name, language))) for language in Language)
    assert dutch == english
    assert len(dutch) == len(set(dutch))


@pytest.mark.parametrize("name", sorted(templates(Language.NL)))
def test_both_languages_use_the_same_values(name: str) -> None:
    dutch, english = (
        meta.find_undeclared_variables(wording.environment(one).parse(source(name, one))) for one in Language
    )
    assert dutch == english


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.family}.{entry.__name__}")
@pytest.mark.parametrize("language", list(Language), ids=str)
class TestEntry:
    def test_its_example_can_be_said(self, entry: type[Entry], language: Language) -> None:
        example = entry.example()
        if isinstance(example, FormEntry):
            form = wording.render_form_entry(example, reader(language))
            assert form.fields or form.note, "a form that asks nothing says what sending it does"
            assert len({field.name for field in form.fields}) == len(form.fields)
        else:
            message = wording.render_entry(example, reader(language))
            assert message.text.strip()
            assert len({button.name for button in message.buttons}) == len(message.buttons)

    def test_its_template_uses_only_its_fields(self, entry: type[Entry], language: Language) -> None:
        example = entry.example()
        used = meta.find_undeclared_variables(wording.environment(language).parse(source(example.template, language)))
        assert used <= {*(field.name for field in fields(entry)), "reader"}

    def test_its_buttons_are_short_verbs(self, entry: type[Entry], language: Language) -> None:
        if issubclass(entry, FormEntry):
            return
        for button in wording.render_entry(entry.example(), reader(language)).buttons:
            assert 1 <= len(button.label.split()) <= 4, button.label

    def test_every_form_of_it_can_be_said(self, entry: type[Entry], language: Language) -> None:
        example = entry.example()
        if isinstance(example, FormEntry | Declined):
            return
        for variant in range(wording.count_variants(example.template, language)):
            assert wording.render_entry(replace(example, variant=variant), reader(language)).text.strip()


def test_no_template_is_without_an_entry() -> None:
    shared = {
        "connecting/figures.md.j2",
        "connecting/times.md.j2",
        "errors/days.md.j2",
        "coordinators/topics.md.j2",
        "errors/fields.md.j2",
        "errors/reasons.md.j2",
        "look_backs/moments.md.j2",
        "rhythms/described.md.j2",
        "rhythms/left.md.j2",
        "rhythms/coming.md.j2",
        "rhythms/how_often.md.j2",
        "rhythms/in_the_way.md.j2",
        "rhythms/kinds.md.j2",
        "rhythms/moved_because.md.j2",
        "rhythms/skipped_because.md.j2",
        "countries/kept.md.j2",
        "rhythms/near.md.j2",
        "rhythms/needs.md.j2",
        "rhythms/ordinals.md.j2",
        "steering/occasion.md.j2",
        "meetings/questions.md.j2",
        "rhythms/reminded.md.j2",
        "rhythms/replies.md.j2",
        "rhythms/questions.md.j2",
        "people/export_page.md.j2",
        "pages/layout.md.j2",
        "people/kept.md.j2",
        "people/kinds.md.j2",
        "calendars/events.md.j2",
        "calendars/feed_page.md.j2",
        "pages/door.md.j2",
        "takeaways/readme.md.j2",
        "people/link_page.md.j2",
        "stuck/questions.md.j2",
        "stuck/asked.md.j2",
        "stories/meanings.md.j2",
        "stories/whys.md.j2",
        "stories/numbers.md.j2",
        "reach/cures.md.j2",
        "hours/when.md.j2",
        "outside/readers.md.j2",
        "changes/what.md.j2",
    }
    entries = {f"{entry.family}/{entry.snake}.md.j2" for entry in ENTRIES}
    strays = templates(Language.NL) - entries - shared
    apart = ("playground/", "print/", "slack/", "teams/", "trust/", "conversation/helplines/")
    strays = {name for name in strays if not name.startswith(apart)}
    assert not strays


STARTED = {
    "StuckReturn",
    "AskedStoryKept",
    "ChanceAsked",
    "CarryOffered",
    "CheckIn",
    "CompanyAsked",
    "CompanyTogether",
    "CoordinationWanted",
    "DidYouMeet",
    "DoorTold",
    "ExperimentEnds",
    "FollowUp",
    "HistoryAsked",
    "HoldoutSaid",
    "HoursTold",
    "Introduced",
    "IntroductionAsked",
    "LearningHistory",
    "InitiativeJoined",
    "FollowUpAgain",
    "GroupOutOfReach",
    "InvitationNews",
    "InvitationReceived",
    "MessageKept",
    "MomentDropped",
    "Nominated",
    "OutcomeAsked",
    "PaceAsked",
    "PlaceJoined",
    "PrintAsked",
    "PlaceLost",
    "PurposeReminder",
    "SteeringAsked",
    "RoomAsked",
    "RoomEnding",
    "RoomNews",
    "SupportNews",
    "SilenceAsked",
    "StoryAsked",
    "StoryKept",
    "StoryRippled",
    "StoryRound",
    "StoryTravelled",
    "StoryHarvested",
    "StoryAnswered",
    "StoryQuestioned",
    "CheckInAnswered",
    "ChoiceTold",
    "Welcomed",
    "WentQuiet",
}
"""Catalogue entries that the bot sends by itself."""


@pytest.mark.parametrize("name", sorted(STARTED))
@pytest.mark.parametrize("language", list(Language), ids=str)
def test_what_the_bot_starts_is_short_asks_one_thing_and_names_a_way_out(name: str, language: Language) -> None:
    example = CATALOGUE[name].example()
    for variant in range(wording.count_variants(example.template, language)):
        message = wording.render_entry(replace(example, variant=variant), reader(language))
        said = [paragraph for paragraph in message.paragraphs if paragraph.kind != "quote"]
        # The purpose in its own words (bold) may ask something itself.
        own = [span.text for one in said if one.kind != "small" for span in one.spans if not span.bold]
        assert sum(len(one.text.split()) for one in said) <= 60
        assert sum(text.count("?") for text in own) <= 1
        assert said[-1].kind == "small"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.family}.{entry.__name__}")
@pytest.mark.parametrize("language", list(Language), ids=str)
def test_a_line_that_is_no_news_leaves_no_spaces_behind(entry: type[Entry], language: Language) -> None:
    example = entry.example()
    if isinstance(example, FormEntry):
        return
    told = replace(reader(language), personal=True, knows_privacy=True)
    said = [one.text for one in wording.render_entry(example, told).paragraphs if one.kind != "quote"]
    assert said == [text.strip() for text in said]
    assert not [text for text in said if "  " in text]


def test_spaces_that_someone_typed_stay() -> None:
    example = replace(CATALOGUE["StuckTooLong"].example(), text="zo  en  zo")
    assert "zo  en  zo" in wording.render_entry(example, reader(Language.NL)).text


SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for room in ("bot", "adapters") for path in (PROMPTS.parent / room).rglob("*.py")
)


@pytest.mark.parametrize(
    ("template", "given"),
    [
        ("errors/declined.md.j2", r"Refused\(\"(\w+)\""),
        ("errors/reasons.md.j2", r"(?:Unwanted|Unreachable|(?:delivery|missed|row|self)\.(?:drop|fail))\(\"(\w+)\""),
        ("errors/reasons.md.j2", r"reschedule\([^\n]*\"(\w+)\"\)"),
        ("errors/reasons.md.j2", r"RetryAfter\([^\n]*reason=\"(\w+)\"\)"),
        ("errors/reasons.md.j2", r"\.cancel\([^\n]*\"(\w+)\"\)"),
        ("errors/fields.md.j2", r"Invalid\(\{\"?[\w.]+\"?: \"(\w+)\""),
        ("errors/fields.md.j2", r"return \"((?:missing\w*|too_\w+|not_a_\w+|unknown_\w+))\""),
        ("errors/fields.md.j2", r"problems\.add\([^\n]+?, \"(\w+)\""),
        ("errors/fields.md.j2", r"problems\.add\([^\n]+ else \"(\w+)\"\)"),
    ],
)
def test_every_reason_there_is_has_words(template: str, given: str) -> None:
    reasons = set(re.findall(given, SOURCES))
    assert reasons
    assert reasons <= wording.block_names(template, Language.NL)

"""Programs outside read what people write: as long as there are such, who writes or decides it is told so before."""

import json
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bot import wording
from bot.api import (
    ApiReader,
    FigureFacts,
    GroupFacts,
    InitiativeFacts,
    MovementFacts,
    PurposeFacts,
    RhythmFacts,
    StoryFacts,
)
from bot.catalogue import CATALOGUE
from bot.catalogue.base import Entry, FormEntry, OutsideEntry
from bot.chat import Form
from bot.domain.api_token import ApiToken, Lifetime, Scope
from bot.domain.person import Language, PersonId
from bot.domain.webhook import MovementEvent
from bot.wording import Reader
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.pressing import SUBMISSIONS, Act, fill
from tests.support.world import MONDAY, MOVEMENT, World, button_of, open_world, text_of

NOBODY = "nobody writes it"
BEFORE = "it is written when a movement starts, which has no keys yet"
COUNTED = "a count, rounded by chance, of which nobody writes a word"
WRITTEN_IN: dict[type, dict[str, str]] = {
    MovementFacts: {
        "id": NOBODY,
        "name": BEFORE,
        "language": BEFORE,
        "timezone": BEFORE,
        "started_on": NOBODY,
        "scopes": "it is of the key, and chosen in its form",
        "expires_at": "it is of the key, and chosen in its form",
    },
    PurposeFacts: {
        "version": NOBODY,
        **dict.fromkeys(("written_at", "vision", "mission", "identity", "norms", "values"), "PurposeForm"),
        **dict.fromkeys(("core_messages", "behaviours"), "PurposeForm"),
    },
    RhythmFacts: {
        "id": NOBODY,
        **dict.fromkeys(("kind", "timezone", "created_at"), "RhythmForm"),
        "next_moments": "RhythmForm MomentForm PauseForm ClosedForm RhythmPreviewed RhythmChanged",
    },
    InitiativeFacts: {
        "id": NOBODY,
        "name": "InitiativeForm",
        **dict.fromkeys(("state", "seeks_somebody", "started_at", "ended_at"), "InitiativeForm InitiativeShown"),
    },
    StoryFacts: {
        "id": NOBODY,
        **dict.fromkeys(("text", "teller", "told_at", "initiative_id", "dimension"), "StoryForm"),
    },
    FigureFacts: {
        **dict.fromkeys(("counted_at", "members", "taking_part", "stories", "ripples", "groups_counted_at"), COUNTED),
        "groups": "see GroupFacts",
    },
    GroupFacts: {
        "group": "GroupsForm SettingsForm",
        **dict.fromkeys(("reached_well", "reached_once", "not_reached"), COUNTED),
    },
}
"""Each field that a program reads → the entries by which people write or decide it, or why there are none."""
SCOPES = {
    PurposeFacts: Scope.PURPOSE,
    RhythmFacts: Scope.RHYTHMS,
    InitiativeFacts: Scope.INITIATIVES,
    StoryFacts: Scope.STORIES,
    FigureFacts: Scope.FIGURES,
    GroupFacts: Scope.FIGURES,
}
HEARD_OF = {
    MovementEvent.STORY_TOLD: "StoryForm",
    MovementEvent.RHYTHM_POSTED: "RhythmForm RhythmPreviewed RhythmChanged",
    MovementEvent.INITIATIVE_BEGUN: "InitiativeForm InitiativeShown",
    MovementEvent.INITIATIVE_ENDED: "InitiativeForm InitiativeShown",
    MovementEvent.STEPS_DONE: "StepOutcomeForm",
}
TELLS = {name: one for name, one in CATALOGUE.items() if issubclass(one, OutsideEntry)}


def _of(name: str, entry: type[Entry] | None) -> type[OutsideEntry]:
    assert entry is not None, name
    assert issubclass(entry, OutsideEntry), name
    return entry


def test_each_field_that_programs_read_has_the_forms_that_say_so() -> None:
    for facts, written in WRITTEN_IN.items():
        assert {one.name for one in fields(facts)} == set(written), facts
        for where in written.values():
            for name in where.split() if where.split()[0] in CATALOGUE else ():
                assert SCOPES[facts] in _of(name, CATALOGUE.get(name)).read_by, (facts, name)
    assert set(HEARD_OF) == set(MovementEvent)
    for event, names in HEARD_OF.items():
        for name in names.split():
            assert event in _of(name, CATALOGUE.get(name)).read_by, (event, name)


def test_every_one_of_them_is_used_and_has_words_in_both_languages() -> None:
    wanted = {what for one in TELLS.values() for what in one.read_by}
    assert wanted == {*Scope, *MovementEvent}
    for language in Language:
        told = {one.value for one in wanted} | {"initiatives_listed"}
        assert wording.block_names("outside/readers.md.j2", language) == told
        reader = Reader(language=language, timezone="Europe/Amsterdam", now=MONDAY)
        for name, one in TELLS.items():
            for what in one.read_by:
                shown = one.example()
                object.__setattr__(shown, "outside", what.value)
                said = wording.render_sentence("outside/readers.md.j2", shown.said_outside, reader)
                if isinstance(shown, FormEntry):
                    assert said in wording.render_form_entry(shown, reader).note, name
                else:
                    assert said in wording.render_entry(shown, reader).text, name


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path, pages=True) as fresh:
        await fill(fresh)
        async with fresh.begin() as work:
            for token in await work.outside.tokens(MOVEMENT):
                await work.delete(token)
            for hook in await work.outside.webhooks(MOVEMENT):
                hook.events = []
        yield fresh


async def open_for(world: World, *scopes: Scope) -> str:
    """Add a key, and return its secret."""
    now = world.clock.now()
    async with world.begin() as work:
        token, secret = ApiToken.make(MOVEMENT, "Website", scopes, PersonId("iris"), Lifetime.MONTH, now)
        work.outside.add(token)
    return secret


async def hear(world: World, *events: MovementEvent) -> None:
    async with world.begin() as work:
        (hook,) = await work.outside.webhooks(MOVEMENT)
        hook.events, hook.ended_at = [one.value for one in events], None


async def read_all(api: ApiReader, secret: str) -> dict[Scope, str]:
    """Return what a program reads of each part, but for how long ago it was counted."""
    read = {
        Scope.PURPOSE: (await api.purpose(secret)).facts,
        Scope.RHYTHMS: (await api.rhythms(secret, None, 100)).facts,
        Scope.INITIATIVES: (await api.initiatives(secret, None, 100)).facts,
        Scope.STORIES: (await api.stories(secret, None, None, 100)).facts,
        Scope.FIGURES: [one.group for one in (await api.figures(secret)).facts.groups],
    }
    return {scope: json.dumps(TypeAdapter(type(one)).dump_python(one, mode="json")) for scope, one in read.items()}


async def open_form(world: World, act: Act) -> Form:
    where = {"message": "m9"} if act.opener == "story.save_message" else {}
    form = await world.ritme.handle(world.intent(act.who, act.opener, act.args, channel=act.channel, **where))
    assert isinstance(form, Form), act
    return form


BY_FORM = {entry.intent: entry for entry in CATALOGUE.values() if issubclass(entry, FormEntry) and entry.intent}


async def test_no_form_changes_what_programs_read_without_saying_so(world: World) -> None:
    """Every form there is, sent one after the other: after it, a program reads the same, or it was said."""
    secret = await open_for(world, *Scope)
    world.ritme.api._pace = type(world.ritme.api._pace)(most=10_000)
    before = await read_all(world.ritme.api, secret)
    said: set[Scope] = set()
    for name, act in SUBMISSIONS.items():
        if name in ANOTHER:
            continue
        form = await open_form(world, act)
        more = {"readers": "everyone", "named": "with"} if name == "story.save" else {}
        values = {one.name: one.value for one in form.fields} | dict(act.values) | more
        where = {"message": "m9"} if name == "saving.ask" else {}
        args = {**act.args, **values, **form.hidden}
        await world.ritme.handle(world.intent(act.who, name, args, channel=act.channel, **where))
        after = await read_all(world.ritme.api, secret)
        changed = {scope for scope, one in after.items() if one != before[scope]}
        before = after
        if changed:
            entry = BY_FORM[name]
            assert issubclass(entry, OutsideEntry), (name, changed)
            assert changed <= set(entry.read_by), (name, changed)
            assert "Programma’s van buiten" in form.note, (name, form.note)
            said |= changed
    assert said >= {Scope.PURPOSE, Scope.RHYTHMS, Scope.INITIATIVES, Scope.STORIES}


ANOTHER = {
    "start.save": "it begins another movement",
    "start.join.save": "it adds another place",
    "experiment.answer.save": "that experiment was moved by the form before",
    "step.tell": "that step was moved by the form before",
}
"""Forms that cannot be sent after the others, to the movement that is read."""
OPENERS = {name: act for name, act in SUBMISSIONS.items() if issubclass(BY_FORM[name], OutsideEntry)}


@pytest.mark.parametrize("name", OPENERS)
async def test_a_form_says_it_as_long_as_somebody_outside_reads_it(world: World, name: str) -> None:
    read_by = _of(name, BY_FORM[name]).read_by
    act = OPENERS[name]

    async def note() -> str:
        return (await open_form(world, act)).note

    silent = await note()
    assert "van buiten" not in silent
    await open_for(world, *(one for one in Scope if one not in read_by))
    await hear(world, *(one for one in MovementEvent if one not in read_by))
    assert await note() == silent
    events = [one for one in read_by if isinstance(one, MovementEvent)]
    if events:
        await hear(world, *events)
        assert "rogramma van buiten" in await note()
    scopes = [one for one in read_by if isinstance(one, Scope)]
    if scopes:
        await open_for(world, *scopes)
        assert "Programma’s van buiten met een sleutel" in await note()
    async with world.begin() as work:
        for hook in await work.outside.webhooks(MOVEMENT):
            hook.ended_at = world.clock.now()
        for token in await work.outside.tokens(MOVEMENT):
            token.expires_at = world.clock.now()  # of this moment on it does not work
    assert await note() == silent


async def test_nobody_hears_of_steps_in_a_movement_of_under_five(tmp_path: Path) -> None:
    async with open_world(tmp_path) as small:
        await fill(small)
        await hear(small, MovementEvent.STEPS_DONE)
        async with small.begin() as work:
            for one in ("jan", "kwame"):
                member = await work.movements.membership(MOVEMENT, PersonId(one))
                assert member is not None
                await work.delete(member)
        form = await open_form(small, SUBMISSIONS["step.tell"])
        assert "van buiten" not in form.note


async def test_who_carries_an_initiative_reads_it_beside_the_button_that_ends_it(world: World) -> None:
    look = {"initiative": "walk"}
    assert "van buiten" not in text_of(await world.do("fatima", "initiative.look", **look))
    await open_for(world, Scope.INITIATIVES)
    assert "Programma’s van buiten" in text_of(await world.do("fatima", "initiative.look", **look))
    assert "van buiten" not in text_of(await world.do("noor", "initiative.look", **look))


@pytest.mark.parametrize(("name", "scope"), [("purpose", Scope.PURPOSE), ("initiative", Scope.INITIATIVES)])
async def test_where_it_is_said_that_everybody_in_the_movement_reads_it_programs_are_named(
    world: World, name: str, scope: Scope
) -> None:
    before = text_of(await world.do("noor", name))
    assert "in de beweging" in before
    assert "van buiten" not in before
    await open_for(world, *(one for one in Scope if one is not scope))
    assert text_of(await world.do("noor", name)) == before
    await open_for(world, scope)
    assert "Programma’s van buiten met een sleutel lezen" in text_of(await world.do("noor", name))


async def test_a_list_says_it_of_all_in_it_and_an_empty_one_of_nothing(world: World) -> None:
    await open_for(world, Scope.INITIATIVES)
    assert "hoe de initiatieven heten, en of ze lopen" in text_of(await world.do("noor", "initiative"))
    async with world.begin() as work:
        for one in await work.initiatives.of_movement(MOVEMENT):
            one.closed_at = world.clock.now()
    empty = text_of(await world.do("noor", "initiative"))
    assert "nog geen initiatief" in empty
    assert "van buiten" not in empty


async def test_a_rhythm_in_a_sentence_says_it_before_it_is_saved(world: World) -> None:
    words = "/ritme ritme verhalen elke dinsdag om 10:00"
    heard = await world.type("iris", words)
    assert button_of(heard, "save")
    assert "van buiten" not in text_of(heard)
    await open_for(world, Scope.RHYTHMS)
    assert "wanneer ze komen" in text_of(await world.type("iris", words))


async def test_a_key_that_expires_is_said_no_more(world: World) -> None:
    await open_for(world, Scope.PURPOSE)
    act = SUBMISSIONS["purpose.save"]
    assert "Programma’s van buiten" in (await open_form(world, act)).note
    world.clock.set(world.clock.now() + timedelta(days=31))
    assert "van buiten" not in (await open_form(world, act)).note


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_it_is_read_in_the_forms_of_three_platforms(border: Border) -> None:
    form = await border.form("iris", "/ritme initiatief", "initiative.make", button="make")
    assert "van buiten" not in str(form)
    made = await border.form("iris", "/ritme api", "api.new", button="make")
    await border.submit("iris", made, name="Onze website", opens=("rhythms", "initiatives"), lasts="year")
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    assert "zien welke ritmes er zijn" in str(form), form
    form = await border.form("iris", "/ritme initiatief", "initiative.make", button="make")
    assert "sleutel lezen ook de naam" in str(form), form

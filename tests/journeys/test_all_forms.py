"""Every form says everything that is wrong with it at once, beside its fields, each with its cure."""

import pytest

from bot import wording
from bot.catalogue import CATALOGUE, FormEntry
from bot.catalogue.base import Ask
from bot.catalogue.forms import missing_reason
from bot.chat import FieldErrors, Reply, Value
from bot.domain.person import Language
from bot.wording import Reader
from tests.journeys.test_cards import add_meeting
from tests.journeys.test_stuck import add_initiative, submit_step, submit_stuck
from tests.support.groups import add_group
from tests.support.world import MONDAY, World, agree, button_of

FORMS = {
    entry.intent: entry
    for entry in CATALOGUE.values()
    if issubclass(entry, FormEntry) and entry.asks and entry.intent != "groups.save"
}
"""Every form that asks something. The one for groups asks one thing, of the list that Slack gave: see `test_groups`."""
AT_LEAST_ONE = {"nominate.save": "connector", "experiment.answer.save": "learned"}
"""Forms without a required field of which one has to be filled in."""
MAY_BE_EMPTY = {"search.filled", "magazine.chosen"}
"""Forms that mean something without a value: the newest stories; none."""
UNUSABLE: dict[str, Value] = {
    "choice": "nonsense",
    "choices": ("nonsense",),
    "date": "overmorgen",
    "time": "25:00",
    "people": tuple(f"person{number}" for number in range(30)),
}
TOO_LONG = 5000
IMPOSSIBLE: dict[str, tuple[dict[str, Value], set[str]]] = {
    "step.save": (
        {"cue": "", "action": "bel ik Jan", "day": "2027-02-28", "at": "25:00", "on_my_own": "misschien"},
        {"cue", "day", "at", "on_my_own"},
    ),
    "step.move": ({"day": "2027-12-31", "at": "25:00"}, {"day", "at"}),
    "stuck.report": (
        {"initiative": "gone", "text": "", "kind": "reach", "audience": "helpers", "helpers": ("fatima",)},
        {"initiative", "text", "helpers"},
    ),
    "story.save": (
        {"text": "…", "initiative": "gone", "named": "", "readers": "movement"},
        {"text", "initiative", "named"},
    ),
    "initiative.save": (
        {"name": "samen  WANDELEN", "description": "x" * 501},
        {"name", "description"},
    ),
    "experiment.save": (
        {"trying": "", "day": "2027-02-28", "sign": "x" * 301, "initiative": "gone"},
        {"trying", "day", "sign", "initiative"},
    ),
    "experiment.move.save": ({"day": "2028-12-31"}, {"day"}),
    "door.save": (
        {"initiative": "gone", "day": "2026-01-01", "question": ""},
        {"initiative", "day", "question"},
    ),
    "chance.save": ({"text": "", "day": "2027-02-28", "shared": "misschien"}, {"text", "day", "shared"}),
    "connect.look": ({"initiative": "gone", "figure": ""}, {"initiative", "figure"}),
    "nominate.save": (
        {"connector": ("fatima",), "maven": ("a", "b", "c"), "inspirer": ("d", "e", "f")},
        {"connector", "inspirer"},
    ),
    "me.save": (
        {"language": "nl", "timezone": "Mars/Base", "named": "", "named_beyond": "no"}
        | {"quiet_from": "18:00", "quiet_until": "8 uur", "quiet_weekends": "yes"},
        {"timezone", "named", "quiet_until"},
    ),
    "purpose.save": (
        {"vision": "", "core_messages": "\n".join("abcdefgh"), "behaviours": "\n".join(["x" * 1000, "y", "z"])},
        {"vision", "core_messages", "behaviours"},
    ),
    "start.save": ({"name": "", "language": "nl", "vision": "", "coordinators": ("iris",)},
                   {"name", "vision", "coordinators"}),
    "rhythm.save": (
        {"kind": "", "place": "gone", "every": "monthly", "weekdays": ("MO", "TU"), "at": "", "timezone": "Mars/Base"}
        | {"on_holiday": "skip", "cycle": "10", "also_at": "soon", "starts": "2020-01-01", "times": "0"},
        {"kind", "place", "weekdays", "nth", "at", "timezone", "cycle", "also_at", "starts", "times"},
    ),
    "rhythm.moment.save": (
        {"on": "2027-03-07", "what": "move", "day": "2027-02-01", "at": "25:00"},
        {"on", "day", "at"},
    ),
    "rhythm.pause.save": (
        {"starts": "2027-02-01", "until": "2029-01-01"},
        {"starts", "until"},
    ),
    "rhythm.closed.save": (
        {"starts": "2027-02-01", "until": "2027-01-01"},
        {"starts", "until"},
    ),
    "rhythm.place.save": (
        {"place": "gone", "language": "fr", "timezone": "Mars/Base", "quiet_from": "18:00", "quiet_until": "08:00"}
        | {"quiet_weekends": "yes"},
        {"place", "language", "timezone"},
    ),
    "country.look": ({"where": "gone", "country": "Verweggistan"}, {"where", "country"}),
    "country.propose": (
        {"region": "Atlantis", "weekend": (), "holidays": ("x" * 200,)},
        {"region", "weekend", "holidays"},
    ),
    "history.save": ({"moment": "", "result": "x" * 301, "named": ""}, {"moment", "result", "named"}),
    "room.send": (
        {"person": ("fatima",), "trying": "", "asking": "x" * 501, "until": "2027-02-28"},
        {"person", "trying", "asking", "until"},
    ),
    "share.save": ({"place": "general", "line": "x" * 301}, {"place", "line"}),
}  # fmt: skip
"""Values that are possible by themselves, mixed with some that are not, and the fields to be named."""
IMPOSSIBLE["search.filled"] = (
    {"text": "x" * 121, "initiative": "gone", "dimension": "", "group": "gone", "period": "eeuw"},
    {"text", "initiative", "group", "period"},
)
IMPOSSIBLE["webhook.save"] = ({"address": "http://127.0.0.1/", "events": ()}, {"address", "events"})
IMPOSSIBLE["api.make"] = ({"name": "", "opens": (), "lasts": "eeuw"}, {"name", "opens", "lasts"})
IMPOSSIBLE["ties.save"] = ({"people": ("fatima",), "shown": "misschien"}, {"people", "shown"})
OF_COORDINATORS = (
    "country.",
    "purpose.",
    "start.",
    "rhythm.",
    "reach.",
    "hours.",
    "api.",
    "webhook.",
    "door.",
    "cloud.",
    "magazine.",
    "choice.save",
)
IMPOSSIBLE["choice.save"] = ({"places": ("elders",), "period": "eeuw"}, {"places", "period"})
IMPOSSIBLE["hours.save"] = (
    {"group": "x" * 81, "quiet_from": "08:00", "quiet_until": "", "quiet_weekends": "yes"},
    {"group", "quiet_until"},
)
IMPOSSIBLE["meeting.card.save"] = ({"where": "", "words": "x" * 201}, {"where", "words"})
IMPOSSIBLE["magazine.save"] = (
    {"name": "", "words": "x" * 801, "initiative": "gone", "dimension": "omhoog", "period": "eeuw", "history": "ooit"},
    {"name", "words", "initiative", "dimension", "period", "history"},
)
IMPOSSIBLE["reach.names.save"] = ({"place": "elders", "again": "ooit"}, {"place", "again"})
IMPOSSIBLE["reach.ties.save"] = ({"place": "elders", "again": "ooit"}, {"place", "again"})
WHERE = {"start.save": "new", "start.join.save": "new"}


async def seed(world: World, intent: str) -> dict[str, Value]:
    """Bring about what a form is about, and return what it carries along."""
    await world.movement("fatima", "jan", channels=("general", "night"))
    if intent == "initiative.save":
        await add_initiative(world, "jan")
    if intent.startswith("step."):
        plan = await submit_step(world, await submit_stuck(world))
        about = button_of(plan, "let_go").args
        if intent == "step.tell":
            await world.do("fatima", "step.done", args=about)
        return {} if intent == "step.save" else {**about, "round": "0"}
    if intent == "company.save":
        form = await world.do("jan", "stuck.new")
        await world.submit("jan", form, text="Het stokt", kind="other", audience="helpers", helpers=("fatima",))
        return dict(button_of(world.private("fatima")[0], "give").args)
    if intent == "invite.send":
        await agree(world.begin, "jan")
        return {"person": "jan"}
    if intent in ("rhythm.moment.save", "rhythm.pause.save"):
        form = await world.do("iris", "rhythm.new")
        shown = await world.submit("iris", form, at="09:00")
        return dict(button_of(shown, "moment").args)
    if intent == "history.save":
        shown = await world.do("fatima", "initiative.save", args={"name": "Samen eten", "description": ""})
        about = button_of(shown, "close").args
        await world.do("jan", "initiative.join", args=about)
        return dict(button_of(await world.do("fatima", "history.begin", args=about), "answer").args)
    if intent == "guard.tell":
        asked = await world.do("fatima", "story", text="Mevrouw Bos schonk zelf in.")
        return dict(button_of(asked, "change").args)
    if intent == "share.save":
        form = await world.do("fatima", "story")
        told = await world.submit("fatima", form, text="We liepen een rondje.", readers="movement")
        return dict(button_of(told, "share").args)
    return await _seed_rest(world, intent)


async def _seed_rest(world: World, intent: str) -> dict[str, Value]:
    if intent == "reach.names.save":
        await add_group(world, "Nachtdienst", "a", "b", "c", "d", "e")
        return {"group": "Nachtdienst"}
    if intent == "meeting.card.save":
        await add_meeting(world)
        return {"meeting": "lunch"}
    if intent == "magazine.chosen":
        desk = await world.do("iris", "magazine.save", args={"name": "Ons jaar", "history": "yes"})
        return dict(button_of(desk, "choose").args)
    if intent == "choice.tell":
        told = {"text": "We liepen een rondje.", "named": "with", "readers": "movement", "where": "nowhere"}
        for who in ("fatima", "jan", "iris"):
            await world.do(who, "story.save", args=told)
        await world.do("iris", "choice.save", args={"places": ("general",), "period": "month"})
        return dict(button_of(world.posts()[-1], "pick_1").args)
    if intent == "country.propose":
        return {"where": "movement", "country": "DE"}
    if intent not in ("experiment.move.save", "experiment.answer.save"):
        return {}
    form = await world.do("fatima", "experiment", new="yes")
    shown = await world.submit("fatima", form, trying="We lopen", sign="Ze lachen")
    if intent == "experiment.move.save":
        return dict(button_of(shown, "move").args)
    return dict(button_of(await world.press("fatima", shown, "end"), "stopped").args)


async def submit(world: World, intent: str, values: dict[str, Value]) -> FieldErrors:
    about = await seed(world, intent)
    reply: Reply = await world.do(
        "iris" if intent.startswith(OF_COORDINATORS) else "fatima",
        intent,
        args={**values, **about},
        channel=WHERE.get(intent, "general"),
    )
    assert isinstance(reply, FieldErrors), reply
    return reply


def say(reason: str) -> str:
    reader = Reader(language=Language.NL, timezone="Europe/Amsterdam", now=MONDAY)
    return wording.render_sentence("errors/fields.md.j2", reason, reader)


@pytest.mark.parametrize("intent", sorted(set(FORMS) - MAY_BE_EMPTY))
async def test_an_empty_form_names_every_field_that_is_needed(world: World, intent: str) -> None:
    needed = {ask.name: ask for ask in FORMS[intent].asks if ask.required or ask.name == AT_LEAST_ONE.get(intent)}
    errors = (await submit(world, intent, {})).errors
    assert errors == {name: say(missing_reason(ask.kind)) for name, ask in needed.items()}


@pytest.mark.parametrize("intent", FORMS)
async def test_a_form_of_nonsense_names_every_field(world: World, intent: str) -> None:
    asks: tuple[Ask, ...] = FORMS[intent].asks
    nonsense = {ask.name: UNUSABLE.get(ask.kind, "x" * TOO_LONG) for ask in asks}
    errors = (await submit(world, intent, nonsense)).errors
    assert set(errors) == set(nonsense)


@pytest.mark.parametrize("intent", IMPOSSIBLE)
async def test_what_cannot_be_is_said_together_with_what_is_missing(world: World, intent: str) -> None:
    values, wrong = IMPOSSIBLE[intent]
    assert set((await submit(world, intent, values)).errors) == wrong


def test_no_form_with_more_to_check_than_its_fields_is_left_out() -> None:
    assert set(IMPOSSIBLE) <= set(FORMS)
    assert {intent for intent, form in FORMS.items() if len(form.asks) > 1} - set(IMPOSSIBLE) == {"company.save"}

"""Bad input around being stuck: the answer is clear, in the reader's language, and nothing breaks."""

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply, Value
from bot.domain.movement import MovementId
from bot.domain.person import Language, PersonId
from tests.journeys.test_stuck import submit_step, submit_stuck
from tests.support.world import World, text_of

MOVEMENT = MovementId("movement")
FORMS: dict[str, tuple[str, ...]] = {
    "stuck.report": ("text", "kind", "audience"),
    "step.save": ("cue", "day", "at", "action", "on_my_own"),
    "step.move": ("day", "at"),
    "step.tell": ("outcome",),
    "company.save": ("question", "idea"),
    "chance.save": ("text",),
}
COMMANDS = ("/stuck", "/vast", "/ritme stuck", "/ritme vast", "/ritme kans", "/ritme chance", "/ritme stap")
ABOUT_SOMETHING = (
    *("stuck.change", "stuck.go_on", "stuck.not_now", "stuck.moves_again", "stuck.let_go"),
    *("company", "company.ask", "company.give", "company.decline"),
    *("step.smaller", "step.done", "step.else", "step.not_yet", "step.still_stuck", "step.let_go"),
)
FOREIGN: dict[str, Value] = dict.fromkeys(("episode", "step", "company", "chance", "initiative"), "of-another-tenant")
WORDS = {Language.NL: ("er is niets veranderd", "vul", "kies"),
         Language.EN: ("nothing has changed", "fill", "choose", "pick")}  # fmt: skip


async def seed_ids(world: World, language: Language) -> dict[str, str]:
    """Give Fatima a language, an episode, a step that is done and a request; return their ids."""
    await world.movement("fatima", "jan")
    async with world.begin() as work:
        person = await work.people.get(PersonId("fatima"), MOVEMENT)
        assert person is not None
        person.language = language
        person.chose = ["language"]
    welcome = await submit_stuck(world)
    assert isinstance(welcome, Answer)
    plan = await submit_step(world, welcome)
    assert isinstance(plan, Answer)
    form = await world.do("jan", "stuck.new")
    await world.submit("jan", form, text="Het stokt", kind="other", audience="helpers", helpers=("fatima",))
    asked = world.private("fatima")[0].message
    assert asked is not None
    return {
        "episode": welcome.message.buttons[0].args["episode"],
        "step": plan.message.buttons[0].args["step"],
        "company": asked.buttons[0].args["company"],
        "round": "0",
    }


def is_clear(reply: Reply, language: Language) -> None:
    """Return whether an answer has words in a person's language, and is no apology."""
    if isinstance(reply, FieldErrors):
        assert reply.errors
        assert all(sentence.strip() for sentence in reply.errors.values())
        return
    assert isinstance(reply, Answer | Form), reply
    if isinstance(reply, Answer):
        assert reply.reference is None
        assert reply.message.text.strip()
        assert reply.message.language == language
    else:
        assert reply.language == language


@pytest.mark.parametrize("language", list(Language), ids=str)
@pytest.mark.parametrize("name", FORMS)
class TestForms:
    async def test_empty(self, world: World, name: str, language: Language) -> None:
        about = await seed_ids(world, language)
        if name == "step.tell":
            await world.do("fatima", "step.done", step=about["step"])
        reply = await world.do("fatima", name, **about)
        assert isinstance(reply, FieldErrors), reply
        assert set(reply.errors) >= set(FORMS[name])
        assert all(any(word in said.lower() for word in WORDS[language]) for said in reply.errors.values())

    async def test_nonsense(self, world: World, name: str, language: Language) -> None:
        about = await seed_ids(world, language)
        odd: tuple[Value, ...] = ("x" * 5000, ("a", "b"), "\ue000{{ 7*7 }}\ue001", "<!channel>", "2027-02-30")
        for value in odd:
            is_clear(await world.do("fatima", name, **{**dict.fromkeys(FORMS[name], value), **about}), language)

    async def test_wrong_ids_of_every_shape(self, world: World, name: str, language: Language) -> None:
        await seed_ids(world, language)
        for odd in ("of-another-tenant", "", ("a", "b"), "x" * 5000):
            args: dict[str, Value] = {**dict.fromkeys(FORMS[name], "x"), **dict.fromkeys(FOREIGN, odd)}
            is_clear(await world.do("fatima", name, **args), language)

    async def test_a_stranger_without_a_movement(self, world: World, name: str, language: Language) -> None:
        about = await seed_ids(world, language)
        reply = await world.do(
            "x", name, workspace="test:W2", language=language.value, **{**dict.fromkeys(FORMS[name], "x"), **about}
        )
        assert isinstance(reply, Answer)
        is_clear(reply, language)
        assert "/ritme start" in text_of(reply)


@pytest.mark.parametrize("language", list(Language), ids=str)
class TestPresses:
    async def test_what_is_not_there_or_not_theirs(self, world: World, language: Language) -> None:
        await seed_ids(world, language)
        nothing: dict[str, Value] = {}
        for name in ABOUT_SOMETHING:
            for args in (nothing, FOREIGN, dict.fromkeys(FOREIGN, ("a", "b"))):
                reply = await world.do("fatima", name, **args)  # type: ignore[arg-type]
                assert isinstance(reply, Answer), name
                is_clear(reply, language)
                assert any(word in text_of(reply).lower() for word in WORDS[language])

    @pytest.mark.parametrize("line", COMMANDS)
    async def test_every_command_with_anything(self, world: World, line: str, language: Language) -> None:
        await seed_ids(world, language)
        for text in ("", "x", "x" * 1501, "x" * 3500, "<!channel> & *vet* {{ 7*7 }}", "🌱" * 400):
            is_clear(await world.type("fatima", f"{line} {text}".strip()), language)

"""A magazine holds the stories whose tellers said yes, under the name they chose, for as long as they want it."""

from datetime import timedelta
from random import Random

import pytest

from bot.catalogue.magazines import MagazinePage
from bot.chat import Answer, FieldErrors, Form
from bot.domain.experiment import Decision, Experiment, ExperimentId
from bot.domain.initiative import Audience, EpisodeId, EpisodeState, StuckEpisode
from bot.domain.magazine import MagazineId, PaperSize
from bot.domain.movement import MovementId, PlaceId
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import Language, PersonId, WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from bot.magazines import draw_magazine, load_print, make_page
from bot.wording import Reader
from tests.support.world import LANE, MOVEMENT, World, button_of, text_of


async def add_story(world: World, who: str, text: str, *, id: str = "", named: bool = True) -> str:
    """Store a story that may travel."""
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    made = StoryId(id or f"{who}-{''.join(text.split())[:20]}")
    async with world.begin() as work:
        work.stories.add(
            Story(
                id=made,
                movement_id=MOVEMENT,
                place_id=None,
                teller_id=PersonId(who),
                text=text,
                named=named,
                readers=Readers.MOVEMENT,
                told_at=world.clock.now(),
            )
        )
    return made


async def begin(world: World, who: str = "iris", **values: str) -> Answer:
    """Begin a magazine through its form."""
    form = await world.press(who, await world.type(who, "/ritme magazine"), "begin")
    desk = await world.submit(who, form, **{"name": "Een jaar samen", **values})
    assert isinstance(desk, Answer), desk
    return desk


async def choose(world: World, desk: Answer, *stories: str, who: str = "iris") -> Answer:
    """Choose stories on the desk; their tellers are asked."""
    shown = await world.submit(who, await world.press(who, desk, "choose"), stories=stories)
    assert isinstance(shown, Answer), shown
    return shown


async def printed(world: World, language: Language = Language.NL) -> tuple[dict[str, object], MagazinePage]:
    """Return what the newest magazine holds now, in print and on its page."""
    async with world.begin() as work:
        movement = await work.movements.get(MOVEMENT)
        assert movement is not None
        (newest, *_) = await work.magazines.of_movement(MOVEMENT, 1)
        found = await load_print(work, movement, newest.id)
    assert found is not None
    reader = Reader(language=language, timezone="Europe/Amsterdam", now=world.clock.now())
    return draw_magazine(found, reader, PaperSize.A4), make_page(found, reader, PersonId("iris"))


async def texts(world: World) -> list[tuple[str, str]]:
    """Return the stories in print, each with the name below it; the page has the same."""
    drawn, page = await printed(world)
    stories = drawn["stories"]
    assert isinstance(stories, list)
    found = [(" ".join(one["text"]), one["teller"]) for one in stories]
    assert found == [(one.text, one.teller) for one in page.stories]
    return found


async def test_only_what_its_teller_agrees_to_is_printed_under_the_name_they_choose(world: World) -> None:
    await world.movement("fatima", "jan", "noor")
    async with world.begin() as work:
        fatima = await work.people.get(PersonId("fatima"), MOVEMENT)
        assert fatima is not None
        fatima.name = "fatima de wit"  # until she acts: each press tells her name anew
    ids = [await add_story(world, who, f"We liepen met {who}.") for who in ("fatima", "jan", "noor")]
    asked = await choose(world, await begin(world), *ids)
    assert "Ik vraag het de vertellers" in text_of(asked)
    assert "Er mag nu nog niets in druk" in text_of(asked)
    assert await texts(world) == []
    question = world.private("fatima")[-1]
    assert "iris" in text_of(question)
    assert "wie de pdf heeft, houdt die" in text_of(question)
    assert "Alleen jij leest dit" in text_of(question)
    assert [one.name for one in question.message.buttons] == ["yes_full", "yes_first", "yes_none", "no"]
    said = await world.press("fatima", question, "yes_first")
    assert "met fatima eronder" in text_of(said)
    no = await world.press("jan", world.private("jan")[-1], "no")
    assert "niemand hoort dat" in text_of(no)
    assert await texts(world) == [("We liepen met fatima.", "fatima")]
    desk = text_of(await world.type("iris", "/ritme magazine"))
    assert "fatima: We liepen met fatima." in desk
    # Who said no, and who did not answer, look alike.
    assert "jan" not in desk
    assert "noor" not in desk
    assert "een nee en nog geen antwoord zien er hier gelijk uit" in desk
    back = await world.press("fatima", said, "take_back")
    assert "Wie de pdf al had, houdt die" in text_of(back)
    assert await texts(world) == []


async def test_a_teller_is_asked_about_one_story_at_a_time_and_never_twice(world: World) -> None:
    await world.movement("fatima")
    ids = [await add_story(world, "fatima", f"Verhaal {number}.") for number in range(3)]
    desk = await choose(world, await begin(world), *ids)
    assert len(world.private("fatima")) == 1
    assert "Hierna nog 2" in text_of(world.private("fatima")[-1])
    await choose(world, desk, *ids)
    assert len(world.private("fatima")) == 1
    await world.press("fatima", world.private("fatima")[-1], "yes_full")
    await world.pass_(minutes=1)
    await world.press("fatima", world.private("fatima")[-1], "no")
    await world.pass_(minutes=1)
    assert len(world.private("fatima")) == 3
    await world.press("fatima", world.private("fatima")[-1], "yes_none")
    await world.pass_(minutes=1)
    assert len(world.private("fatima")) == 3
    assert await texts(world) == [("Verhaal 0.", "fatima"), ("Verhaal 2.", "")]
    # Taken out and chosen again: nobody is asked again.
    desk = await choose(world, desk, ids[0])
    assert await texts(world) == [("Verhaal 0.", "fatima")]
    await choose(world, desk, *ids)
    await world.pass_(days=3)
    assert len(world.private("fatima")) == 3, [text_of(one) for one in world.private("fatima")]


async def test_a_second_story_of_who_said_no_looks_like_one_of_who_said_nothing(world: World) -> None:
    await world.movement("fatima", "jan")
    told = {who: [await add_story(world, who, f"{n} van {who}.") for n in range(2)] for who in ("fatima", "jan")}
    desk = await choose(world, await begin(world), told["fatima"][0], told["jan"][0])
    await world.press("fatima", world.private("fatima")[-1], "no")
    both = (told["fatima"][0], told["jan"][0])
    of_silent = text_of(await choose(world, desk, *both, told["jan"][1]))
    of_refusing = text_of(await choose(world, desk, *both, told["fatima"][1]))
    assert of_refusing == of_silent
    assert "Ik vraag het de vertellers" in of_silent
    # Nothing new is chosen: nothing is asked.
    assert "Ik vraag het de vertellers" not in text_of(await choose(world, desk, *both, told["fatima"][1]))


async def test_each_of_many_own_stories_can_be_taken_back(world: World) -> None:
    await world.movement("fatima")
    ids = [await add_story(world, "fatima", f"Verhaal {number}.") for number in range(7)]
    desk = await choose(world, await begin(world), *ids)
    magazine = button_of(desk, "choose").args["magazine"]
    for one in ids:
        await world.do("fatima", "magazine.agree", args={"magazine": magazine, "story": one, "name": "full"})
    await world.do("iris", "magazine.show", magazine=magazine, on="yes")
    first = await world.do("fatima", "magazine.look", magazine=magazine)
    assert "En nog 2" in text_of(first)
    onward = await world.press("fatima", first, "onward")
    assert "Verhaal 5." in text_of(onward)
    assert "Verhaal 0." not in text_of(onward)
    assert [one.name for one in onward.message.buttons if one.name == "onward"] == []
    await world.press("fatima", onward, "take_back_2")
    assert "Verhaal 6." not in str(await texts(world))
    for page in ("9", "-1", "²", "x"):  # what is not there is the first
        assert "Verhaal 0." in text_of(await world.do("fatima", "magazine.look", magazine=magazine, page=page))


async def test_what_tellers_were_asked_about_stands(world: World) -> None:
    await world.movement("fatima")
    one = await add_story(world, "fatima", "We liepen.")
    desk = await begin(world, words="Dit was ons jaar.")
    before = await world.press("iris", desk, "edit")
    await choose(world, desk, one)
    question = world.private("fatima")[-1]
    assert "Dit was ons jaar." in text_of(question)
    await world.press("fatima", question, "yes_full")
    form = await world.press("iris", desk, "edit")
    assert isinstance(form, Form)
    assert not {"name", "words"} & {field.name for field in form.fields}
    assert "staan nu vast" in form.note
    assert isinstance(await world.submit("iris", form, history="no"), Answer)
    # A form that was open before, and one that is made up.
    for other in ({"name": "Wat er misging"}, {"words": "Lees hoe het misging."}):
        wrong = await world.submit("iris", before, **other)
        assert isinstance(wrong, FieldErrors)
        assert set(wrong.errors) == set(other)
        args = {**button_of(desk, "edit").args, "history": "yes", **other}
        assert isinstance(await world.do("iris", "magazine.save", args=args), FieldErrors)
    drawn, page = await printed(world)
    assert (drawn["title"], drawn["words"], page.history) == ("Een jaar samen", ["Dit was ons jaar."], ())


async def test_an_ask_about_print_counts_among_what_somebody_is_asked(world: World) -> None:
    await world.movement("fatima")
    for title in ("Een", "Twee", "Drie"):
        one = await add_story(world, "fatima", f"Verhaal {title}.")
        desk = await world.submit("iris", await world.do("iris", "magazine.begin"), name=title)
        assert isinstance(desk, Answer)
        await choose(world, desk, one)

    def questions() -> int:
        return sum("Mag dit verhaal" in text_of(one) for one in world.private("fatima"))

    await world.pass_(days=10)
    assert questions() == 2
    await world.pass_(days=40)
    assert questions() == 3


async def test_a_nameless_story_stays_nameless(world: World) -> None:
    await world.movement("fatima")
    one = await add_story(world, "fatima", "Zonder naam verteld.", named=False)
    await choose(world, await begin(world), one)
    question = world.private("fatima")[-1]
    assert [button.name for button in question.message.buttons] == ["yes_none", "no"]
    about = button_of(question.message, "yes_none").args
    await world.do("fatima", "magazine.agree", args={**about, "name": "full"})
    assert await texts(world) == [("Zonder naam verteld.", "")]


async def test_others_read_it_once_it_is_shown_and_nobody_elsewhere(world: World) -> None:
    await world.movement("fatima", "jan")
    one = await add_story(world, "fatima", "We liepen.")
    desk = await choose(world, await begin(world), one)
    await world.press("fatima", world.private("fatima")[-1], "yes_full")
    magazine = button_of(desk, "choose").args["magazine"]
    refused = await world.do("jan", "magazine.look", magazine=magazine)
    assert "niet (meer) vinden" in text_of(refused)
    assert "coördinator" in text_of(await world.do("jan", "magazine.edit", magazine=magazine))
    shown = await world.press("iris", await world.type("iris", "/ritme magazine"), "show")
    assert "Iedereen in de beweging" in text_of(shown)
    listed = await world.type("jan", "/ritme magazine")
    assert "Een jaar samen" in text_of(listed)
    seen = await world.press("jan", listed, "look_1")
    assert "één verhaal" in text_of(seen)
    mine = await world.press("fatima", await world.type("fatima", "/ritme magazine"), "look_1")
    assert "Van jou staat erin" in text_of(mine)
    await world.press("fatima", mine, "take_back_1")
    assert await texts(world) == []
    nothing = await world.do("jan", "magazine.print", magazine=magazine, paper="a4")
    assert "geen verhaal dat in druk mag" in text_of(nothing)


async def test_words_that_give_a_client_away_are_asked_about(world: World) -> None:
    await world.movement("fatima")
    form = await world.press("iris", await world.type("iris", "/ritme magazine"), "begin")
    asked = await world.submit("iris", form, name="Het jaar", words="Mevrouw Bos zong op kamer 12.")
    assert "Mevrouw Bos" in text_of(asked)
    async with world.begin() as work:
        assert await work.magazines.of_movement(MOVEMENT, 5) == []


async def test_a_form_says_what_is_missing(world: World) -> None:
    await world.movement("fatima")
    one = await add_story(world, "fatima", "We liepen.")
    desk = await begin(world)
    form = await world.press("iris", desk, "choose")
    assert isinstance(form, Form)
    wrong = await world.submit("iris", form, stories=(one, "vreemd"))
    assert isinstance(wrong, FieldErrors)
    assert await texts(world) == []


TELLERS = tuple(f"teller{number}" for number in range(6))
ACTS = ("yes",) * 6 + ("no", "take_back", "withdraw", "thread", "forget", "leave", "choose", "choose", "nameless")


@pytest.mark.parametrize("seed", range(2))
async def test_no_story_without_a_standing_yes_is_in_any_print_or_page(world: World, seed: int) -> None:
    chance = Random(seed)
    await world.movement(*TELLERS)
    ids = {who: await add_story(world, who, f"Van {who}.") for who in TELLERS}
    desk = await choose(world, await begin(world), *ids.values())
    magazine = button_of(desk, "choose").args["magazine"]
    yes, chosen, told, away, named = set[str](), set(ids), set(ids), set[str](), set(ids)
    seen = 0
    for _ in range(40):
        act, who = chance.choice(ACTS), chance.choice(TELLERS)
        about = {"magazine": magazine, "story": ids[who]}
        if act == "yes":
            await world.do(who, "magazine.agree", args={**about, "name": "full"})
            yes |= {who} & told
            away -= {who}  # who acts is there
        elif act in ("no", "take_back"):
            await world.do(who, "magazine.decline" if act == "no" else "magazine.take_back", args=about)
            yes -= {who}
            away -= {who}
        elif act == "choose":
            form = await world.do("iris", "magazine.choose", magazine=magazine)
            if isinstance(form, Form):
                chosen = set(chance.sample(TELLERS, 4))
                offered = {option.value for option in form.fields[0].options}
                await world.submit("iris", form, stories=tuple(ids[one] for one in chosen if ids[one] in offered))
                chosen = {one for one in chosen if ids[one] in offered} | {one for one in TELLERS if one in away}
        else:
            await lose(world, act, who, ids[who])
            named -= {who} if act == "nameless" else set()
            away |= {who} if act == "leave" else set()
            told -= {who} if act in ("withdraw", "thread", "forget") else set()
        there = await texts(world)
        assert {text for text, _ in there} <= {f"Van {one}." for one in yes & told & chosen - away}, (act, who)
        assert {name for _, name in there} <= named | {""}, (act, who)
        seen += len(there)
    assert seen, "something was printed"


async def lose(world: World, act: str, who: str, story: str) -> None:
    """Let a story be withdrawn, kept to its thread or nameless, or its teller be forgotten or leave."""
    if act == "withdraw":
        await world.do(who, "story.withdraw", args={"story": story}, channel=None)
    elif act == "forget":
        await world.do(who, "me.forget", channel=None)
    else:
        async with world.begin() as work:
            kept = await work.stories.get(StoryId(story), MOVEMENT)
            person = await work.people.get(PersonId(who), MOVEMENT)
            if kept is None or person is None:
                return  # forgotten
            if act == "thread":
                kept.readers = Readers.THREAD
            elif act == "nameless":
                kept.named = False
            else:
                person.deactivated_at = world.clock.now()


@pytest.mark.parametrize("language", list(Language), ids=str)
async def test_the_learning_history_in_it_has_no_names_and_no_stories(world: World, language: Language) -> None:
    await world.movement("fatima")
    one = await add_story(world, "fatima", "Een heel eigen zin.")
    other = await add_story(world, "fatima", "Nooit gevraagd.")
    assert one != other
    await world.do("fatima", "initiative.save", args={"name": "Wandelen na het eten"})
    await choose(world, await begin(world), one)
    await world.press("fatima", world.private("fatima")[-1], "yes_none")
    drawn, page = await printed(world, language)
    assert drawn["moments"]
    assert "Wandelen na het eten" in str(drawn["moments"])
    assert "fatima" not in str(drawn).casefold()
    assert "Nooit gevraagd" not in str(drawn) + str(page)


@pytest.mark.parametrize("about", ["", "own"], ids=["of-all", "of-one-initiative"])
@pytest.mark.parametrize("language", list(Language), ids=str)
async def test_the_words_of_a_try_out_are_not_printed(world: World, language: Language, about: str) -> None:
    await world.movement("fatima")
    one = await add_story(world, "fatima", "Een heel eigen zin.")
    await world.do("fatima", "initiative.save", args={"name": "Wandelen"})
    async with world.begin() as work:
        (walking,) = await work.initiatives.of_movement(MOVEMENT)
        story = await work.stories.get(StoryId(one), MOVEMENT)
        assert story is not None
        story.initiative_id = walking.id
        tried = Experiment(
            id=ExperimentId("tried"),
            movement_id=MOVEMENT,
            initiative_id=walking.id,
            person_id=PersonId("fatima"),
            trying="Met meneer Bos naar buiten",
            sign="Hij lacht",
            ends_at=world.clock.now(),
            timezone="Europe/Amsterdam",
            decision=Decision.GOES_ON,
            decided_at=world.clock.now(),
            started_at=world.clock.now(),
        )
        work.experiments.add(tried)
    await choose(world, await begin(world, initiative=walking.id if about else ""), one)
    await world.press("fatima", world.private("fatima")[-1], "yes_none")
    drawn, page = await printed(world, language)
    said = {Language.NL: "een proef bij Wandelen gaat door", Language.EN: "a try-out of Wandelen goes on"}[language]
    for made in (str(drawn), str(page)):
        assert said in made
        assert not any(own in made for own in ("Bos", "buiten", "lacht"))


@pytest.mark.parametrize("state", [EpisodeState.BREAKTHROUGH, EpisodeState.LET_GO, EpisodeState.OPEN], ids=str)
async def test_that_somebody_was_stuck_is_not_printed(world: World, state: EpisodeState) -> None:
    """It was told to a channel, and is not for print: neither that it was so, nor how it ended."""
    await world.movement("fatima")
    one = await add_story(world, "fatima", "Een heel eigen zin.")
    await world.do("fatima", "initiative.save", args={"name": "Wandelen na het eten"})
    await choose(world, await begin(world), one)
    await world.press("fatima", world.private("fatima")[-1], "yes_none")
    before, _ = await printed(world)
    now = world.clock.now()
    async with world.begin() as work:
        work.stuck.add(
            StuckEpisode(
                id=EpisodeId("spell"),
                movement_id=MOVEMENT,
                initiative_id=None,
                person_id=PersonId("fatima"),
                place_id=PlaceId("general"),
                text="Niemand loopt mee.",
                audience=Audience.CHANNEL,
                state=state,
                opened_at=now,
                closed_at=now + timedelta(minutes=1) if state is not EpisodeState.OPEN else None,
            )
        )
    drawn, page = await printed(world)
    assert before["moments"]
    assert drawn["moments"] == before["moments"]
    assert not any("vast" in line for line in page.history)


async def test_a_list_says_which_are_not_for_everyone_yet(world: World) -> None:
    await world.movement("fatima")
    one = await add_story(world, "fatima", "We liepen mee.")
    await choose(world, await begin(world, name="Voor allen"), one)
    await world.press("fatima", world.private("fatima")[-1], "yes_none")
    await world.press("iris", await world.type("iris", "/ritme magazine"), "show")
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    await begin(world, name="Nog een begin")
    async with world.begin() as work:
        iris = await work.people.by_account(WorkspaceId(LANE), "iris")
        assert iris is not None
        session = PageSession.offer(iris, world.clock.now())
        work.sessions.add(session)
    secret = "x" * SESSION_SECRET_CHARS
    assert await world.ritme.pages.open(session.id, secret, "")
    page = await world.ritme.pages.show(secret, "coordinator", MOVEMENT)
    assert page is not None
    (listed,) = [one.message.text for one in page.page.sections if one.title == "Magazines"]
    assert listed.splitlines()[1:] == ["• 1. Nog een begin (nog niet voor iedereen)", "• 2. Voor allen"]


async def test_who_carries_an_initiative_makes_a_magazine_of_it(world: World) -> None:
    await world.movement("fatima", "jan")
    await world.do("fatima", "initiative.save", args={"name": "Wandelen"})
    form = await world.press("fatima", await world.type("fatima", "/ritme magazine"), "begin")
    desk = await world.submit("fatima", form, name="Onze wandelingen")
    assert "over Wandelen" in text_of(desk)
    magazine = button_of(desk, "choose").args["magazine"]
    assert "coördinator" in text_of(await world.do("jan", "magazine.choose", magazine=magazine))
    assert "over Wandelen" in text_of(await world.do("iris", "magazine", magazine=magazine))
    # Of another initiative, or of all of the movement, only who coordinates makes one.
    wrong = await world.submit("fatima", form, name="Alles", initiative="")
    assert isinstance(wrong, FieldErrors)
    assert MagazineId(magazine)
    assert MovementId("movement") == MOVEMENT

"""People who said yes to being suggested see where, how often it happened, and end it with one press."""

from bot.chat import Answer, Reply
from tests.journeys.test_asking import GARDEN, THEIRS, WALK, add_movements, look
from tests.journeys.test_connecting import initiative, nominate, read_suggestible
from tests.support.world import World, agree, button_of, text_of


async def test_the_question_says_what_it_means_and_how_often(world: World) -> None:
    await world.movement("jan", "sanne")
    await nominate(world, "jan", connector=("sanne",))
    asked = text_of(world.private("sanne")[0])
    assert "Samen op pad" in asked
    assert "mag ik dan je naam noemen of jou vragen om mee te denken" in asked
    assert "hooguit twee keer in dertig dagen, over alles samen" in asked


async def test_a_yes_is_taken_back_where_it_was_given(world: World) -> None:
    await world.movement("jan", "sanne")
    await nominate(world, "jan", connector=("sanne",))
    said = await world.press("sanne", world.private("sanne")[0], "yes", channel=None)
    await world.press("sanne", said, "withdraw", channel=None)
    assert await read_suggestible(world, "sanne") is False


async def test_each_yes_is_ended_by_one_press_on_what_is_kept(world: World) -> None:
    await add_movements(world, "fatima", "sanne", both=("fatima", "sanne"))
    await agree(world.begin, "sanne", figures=("connector",))
    await agree(world.begin, "sanne", figures=("connector",), movement=THEIRS)
    kept = await world.type("sanne", "/ritme ik", channel=None)
    assert "Samen op pad" in text_of(kept)
    assert "Buiten is beter" in text_of(kept)
    theirs = next(name for name in ("withdraw_1", "withdraw_2") if button_of(kept, name).args["movement"] == THEIRS)
    await world.press("sanne", kept, theirs, channel=None)
    kept = await world.type("sanne", "/ritme ik", channel=None)
    assert "Buiten is beter" not in text_of(kept)
    assert "sanne" not in await look(world, "fatima", GARDEN)
    assert "sanne" in await look(world, "fatima")


async def test_they_see_how_often_not_to_whom(world: World) -> None:
    await add_movements(world, "fatima", "sanne")
    await agree(world.begin, "sanne", figures=("connector",))
    for page in ("/ritme ik", "/ritme thuis"):
        assert "stelde ik je aan niemand voor, en vroeg ik je niets" in text_of(await world.type("sanne", page))
    await look(world, "fatima")
    await look(world, "fatima")
    await world.submit("fatima", await world.do("fatima", "invite", person="sanne", initiative=WALK), text="Ga je mee?")
    for page in ("/ritme ik", "/ritme thuis"):
        said = text_of(await world.type("sanne", page))
        assert "liet ik je naam 2 keer zien" in said
        assert "vroeg ik je één keer iets" in said
        assert "fatima" not in said.split("De laatste dertig dagen")[1]
    await world.pass_(days=31)
    assert "aan niemand voor, en vroeg ik je niets" in text_of(await world.type("sanne", "/ritme ik"))


async def test_of_who_was_shown_nothing_is_counted(world: World) -> None:
    await add_movements(world, "fatima", "sanne", "jan")
    await agree(world.begin, "sanne", figures=("connector",))
    await look(world, "fatima")
    assert "aan niemand voor" in text_of(await world.type("jan", "/ritme ik"))


async def test_on_ones_page_a_yes_is_given_and_taken_back(world: World) -> None:
    await world.movement("sanne")
    home = await world.type("sanne", "/ritme thuis", channel=None)
    assert "In Samen op pad stel ik je aan niemand voor" in text_of(home)
    await world.press("sanne", home, find_name(home, "allow"), channel=None)
    assert await read_suggestible(world, "sanne") is True
    home = await world.type("sanne", "/ritme thuis", channel=None)
    await world.press("sanne", home, find_name(home, "withdraw"), channel=None)
    assert await read_suggestible(world, "sanne") is False


async def test_an_invitation_for_the_morning_is_dropped_by_a_no_in_the_evening(world: World) -> None:
    await world.movement("fatima", "sanne")
    about = await initiative(world, "fatima")
    await agree(world.begin, "sanne", figures=("connector",))
    await world.pass_(hours=11)
    form = await world.do("fatima", "invite", person="sanne", initiative=about)
    await world.submit("fatima", form, text="Ga je mee?")
    assert world.private("sanne") == []
    await world.do("sanne", "suggest.no", movement="movement", channel=None)
    await world.pass_(days=2)
    assert not any("Ga je mee?" in text_of(one) for one in world.private("sanne"))
    # Who invited reads what is read of anybody who stays silent.
    await world.pass_(days=7)
    (quiet,) = world.private("fatima")
    assert "bleef het stil" in text_of(quiet)


def find_name(shown: Reply, prefix: str) -> str:
    """Return the name of the first button that begins so: on a page it has a number."""
    assert isinstance(shown, Answer)
    return next(one.name for one in shown.message.buttons if one.name.startswith(prefix))

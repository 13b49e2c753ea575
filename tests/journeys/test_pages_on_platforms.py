"""The link to one's pages comes to its reader alone, in Slack and in Teams; where there are none, that is said."""

from pathlib import Path
from urllib.parse import urlsplit

from adapters.pages.links import PageLinks
from tests.drivers.slack import slack_driver
from tests.drivers.teams import teams_driver
from tests.fakes.slack.state import Shown

ADDRESS = "https://ritme.example.org"
LINKS = PageLinks(["geheim"], ADDRESS)


async def test_in_slack_it_is_a_line_that_only_they_see(tmp_path: Path) -> None:
    async with slack_driver(tmp_path, pages=LINKS) as driver:
        await driver.movement("fatima")
        shown = await driver.type("fatima", "/ritme pagina")
        assert shown is not None
        link = shown.blocks[-1]["elements"][0]["elements"][0]
        assert link["text"] == "Open mijn pagina’s"
        to = urlsplit(link["url"])
        assert (f"{to.scheme}://{to.netloc}", "fatima" in link["url"]) == (ADDRESS, False)
        assert LINKS.read_link(to.path.rpartition("/")[2], driver.clock.now())
        assert "tien minuten" in shown.words()
        assert not [one for one in driver.posts() if "pagina" in one.words()]
        # On the page of their own the button is there; a press brings a new link in their chat.
        await driver.home("fatima")
        pressed = await driver.press_home("fatima", "board")
        assert pressed is not None
        assert "tien minuten" in pressed.words()


async def test_without_a_public_address_it_is_said_how_to_turn_them_on(tmp_path: Path) -> None:
    async with slack_driver(tmp_path, socket=True) as driver:
        await driver.movement("fatima")
        shown = await driver.type("fatima", "/ritme board")
        assert shown is not None
        assert "RITME_PUBLIC_URL" in shown.words()
        assert "board" not in (await driver.home("fatima")).words()
        for line in ("/ritme help", "/ritme ik"):
            shown = await driver.type("fatima", line)
            assert shown is not None
            assert not [word for word in ("pagina", "privacy") if word in str(shown.blocks)]


async def test_from_help_and_from_what_is_kept_one_gets_to_the_pages_and_to_privacy(tmp_path: Path) -> None:
    async with slack_driver(tmp_path, pages=LINKS) as driver:
        await driver.movement("fatima")
        shown = await driver.type("fatima", "/ritme help")
        assert isinstance(shown, Shown)
        pressed = await driver.press("fatima", shown, "board")
        assert isinstance(pressed, Shown)
        assert "tien minuten" in pressed.words()
        unknown = await driver.type("fatima", "/ritme xyzzy")
        assert "board" not in str(unknown.blocks if unknown is not None else "")
        kept = await driver.type("fatima", "/ritme ik")
        assert kept is not None
        assert f"{ADDRESS}/privacy/slack?language=nl" in str(kept.blocks)


async def test_in_teams_privacy_is_a_button_below_what_is_kept(tmp_path: Path) -> None:
    async with teams_driver(tmp_path, pages=LINKS) as teams:
        await teams.say("iris", "ik")
        links = [one["url"] for one in teams.private()[-1].buttons().values() if one["type"] == "Action.OpenUrl"]
        assert [one.partition("language=")[0] for one in links] == [f"{ADDRESS}/privacy/teams?"]


async def test_in_teams_it_is_a_button_and_the_database_does_not_give_it_away(tmp_path: Path) -> None:
    async with teams_driver(tmp_path, pages=LINKS) as driver:
        await driver.say("iris", "pagina")
        (link,) = [one["url"] for one in driver.private()[-1].buttons().values() if one["type"] == "Action.OpenUrl"]
        token = urlsplit(link).path.rpartition("/")[2]
        assert LINKS.read_link(token, driver.clock.now())
        mark = token.rpartition(".")[2]
        async with driver.storage.database.connect() as connection:
            rows = (await connection.exec_driver_sql("SELECT * FROM deliveries")).all()
            assert rows
            assert not [row for row in rows if mark in str(row)]

"""The App Home: a page of one's own, that shows what is true and does what it says."""

import json
from datetime import timedelta

import pytest

from bot.domain.movement import Member, Movement, MovementId, Purpose, PurposeId
from bot.domain.person import Language, PersonId
from tests.drivers.slack import SlackDriver
from tests.fakes.slack.state import Fault, Modal, Shown
from tests.support.world import MONDAY


@pytest.fixture
async def slack(on_slack: SlackDriver) -> SlackDriver:
    await on_slack.movement("fatima")
    return on_slack


def count_published(slack: SlackDriver) -> int:
    return sum(method == "views.publish" for method, _ in slack.slack.calls)


async def choose_step(slack: SlackDriver, who: str = "fatima", action: str = "vraag ik Samira mee") -> None:
    form = await slack.press_home(who, "choose_step")
    await slack.submit(who, form, cue="de overdracht klaar is", action=action, on_my_own="yes")


async def test_opening_it_shows_ones_own_page(slack: SlackDriver) -> None:
    words = (await slack.home("fatima")).words()
    assert "Dag fatima" in words
    assert "Samen op pad" in words
    assert "Mijn kleine stappen" in words
    assert "coördinatoren" not in words
    assert slack.private("fatima") == []


async def test_it_is_in_the_language_of_whoever_looks(slack: SlackDriver) -> None:
    slack.slack.add_user("john", locale="en-GB")
    assert "You don't belong to a movement yet" in (await slack.home("john")).words()


async def test_the_messages_tab_is_no_home(slack: SlackDriver) -> None:
    await slack.people.open_home(slack.user("fatima"), tab="messages")
    await slack.drain()
    assert count_published(slack) == 0


async def test_it_is_published_only_when_something_changed(slack: SlackDriver) -> None:
    await slack.home("fatima")
    await slack.home("fatima")
    await slack.type("fatima", "/ritme hulp")
    assert count_published(slack) == 1
    await slack.type("fatima", "/verhaal De buurvrouw liep mee.")
    assert count_published(slack) == 2
    assert "De buurvrouw liep mee." in slack.slack.tabs[slack.user("fatima")].words()


async def test_it_follows_what_someone_is_called(slack: SlackDriver) -> None:
    await slack.home("fatima")
    user = slack.user("fatima")
    await slack.people.change_profile(user, name="Fatima E")
    await slack.drain()
    assert "Dag Fatima E" in slack.slack.tabs[user].words()


async def test_no_button_can_claim_that_a_page_was_opened(slack: SlackDriver) -> None:
    await slack.home("fatima")
    forged = json.dumps({"intent": "home.opened", "args": {"blank": "yes"}})
    slack.slack.tabs[slack.user("fatima")].buttons("settings")[0]["value"] = forged
    shown = await slack.press_home("fatima", "settings")
    assert isinstance(shown, Shown)
    assert "niet (meer) vinden" in shown.words()
    assert count_published(slack) == 1


async def test_nobody_gets_a_page_they_never_opened(slack: SlackDriver) -> None:
    await slack.type("fatima", "/verhaal De buurvrouw liep mee.")
    assert count_published(slack) == 0


async def test_a_page_slack_lost_is_shown_again(slack: SlackDriver) -> None:
    await slack.home("fatima")
    slack.slack.tabs.clear()
    assert "Dag fatima" in (await slack.home("fatima")).words()


class TestSteps:
    async def test_a_step_is_chosen_and_done_there(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        await choose_step(slack)
        tab = slack.slack.tabs[slack.user("fatima")]
        assert "Als de overdracht klaar is, dan vraag ik Samira mee" in tab.words()
        form = await slack.press_home("fatima", "done")
        welcomed = await slack.submit("fatima", form, outcome="Ze komt donderdag")
        assert isinstance(welcomed, Shown)
        assert welcomed.channel == slack.channel(None, "fatima")
        assert "Samira" not in slack.slack.tabs[slack.user("fatima")].words()

    async def test_not_yet_gives_it_another_moment(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        await choose_step(slack)
        form = await slack.press_home("fatima", "not_yet")
        assert isinstance(form, Modal)
        await slack.submit("fatima", form, day="2027-03-05")
        assert "vrijdag 5 maart om 09:00" in slack.slack.tabs[slack.user("fatima")].words()

    async def test_each_button_is_about_its_own_step(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        await choose_step(slack, action="bel ik Jan")
        await slack.pass_(minutes=1)
        await choose_step(slack, action="bel ik Piet")
        form = await slack.press_home("fatima", "done", 2)
        await slack.submit("fatima", form, outcome="Hij doet mee")
        words = slack.slack.tabs[slack.user("fatima")].words()
        assert "bel ik Jan" in words
        assert "bel ik Piet" not in words

    async def test_when_its_moment_comes_the_page_says_so(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        await choose_step(slack)
        await slack.until(MONDAY + timedelta(days=1))
        words = slack.slack.tabs[slack.user("fatima")].words()
        assert "Het moment was vandaag om 09:00" in words
        assert "hoe het ging met je kleine stap" in words

    async def test_a_button_of_a_page_that_is_no_longer_true_says_how_it_stands(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        await choose_step(slack)
        tab = slack.slack.tabs[slack.user("fatima")]
        await slack.submit("fatima", await slack.press_home("fatima", "done"), outcome="Ze komt donderdag")
        slack.slack.tabs[tab.user] = tab
        stands = await slack.press_home("fatima", "not_yet")
        assert isinstance(stands, Shown)
        assert "another_step" in stands.buttons()


class TestStories:
    async def test_who_reads_it_and_taking_it_back(self, slack: SlackDriver) -> None:
        await slack.type("fatima", "/verhaal De buurvrouw liep mee.")
        tab = await slack.home("fatima")
        assert "De hele beweging mag dit lezen, met je naam" in tab.words()
        assert "confirm" in tab.buttons("withdraw")[0]
        assert await slack.press_home("fatima", "withdraw") is None
        assert "buurvrouw" not in slack.slack.tabs[slack.user("fatima")].words()
        assert slack.posts() == []

    async def test_a_ripple_is_seen_there(self, slack: SlackDriver) -> None:
        await slack.type("fatima", "/verhaal De buurvrouw liep mee.")
        await slack.home("fatima")
        (post,) = slack.posts()
        await slack.press("iris", post, "ripple")
        assert "🌊 Eén collega doet dit ook." in slack.slack.tabs[slack.user("fatima")].words()

    async def test_of_a_long_one_the_beginning(self, slack: SlackDriver) -> None:
        await slack.type("fatima", "/verhaal " + "lopen " * 100)
        tab = await slack.home("fatima")
        assert len(tab.words()) < 1500
        whole = await slack.press_home("fatima", "look")
        assert isinstance(whole, Shown)
        assert whole.words().count("lopen") == 100


class TestCoordinators:
    async def test_they_see_rhythms_with_five_moments(self, slack: SlackDriver) -> None:
        async with slack.begin() as work:
            work.movements.add(
                Purpose(
                    id=PurposeId("purpose"),
                    movement_id=MovementId("movement"),
                    version=1,
                    vision="Samen doen wat kan.",
                    written_by=None,
                    written_at=slack.clock.now(),
                )
            )
        form = await slack.type("iris", "/ritme ritme")
        form = await slack.press("iris", form, "new")
        await slack.submit("iris", form)
        words = (await slack.home("iris")).words()
        assert "elke maandag om 09:00" in words
        assert "maandag 5 april" in words
        assert "herinnering aan de bedoeling in #general" in words
        assert "elke maandag" not in (await slack.home("fatima")).words()
        assert "herinnering aan de bedoeling in #general" in (await slack.home("fatima")).words()


class TestComingAndGoing:
    async def test_who_stopped_finds_the_way_back(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        await slack.press_home("fatima", "stop")
        assert "Uit mezelf stuur ik je niets" in slack.slack.tabs[slack.user("fatima")].words()
        assert await slack.press_home("fatima", "come_back") is None
        assert "Uit mezelf stuur ik je niets" not in slack.slack.tabs[slack.user("fatima")].words()

    async def test_quiet_for_a_while_and_awake_again(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        form = await slack.press_home("fatima", "snooze")
        await slack.submit("fatima", form, until="2027-03-15")
        assert "Ik ben stil tot maandag 15 maart" in slack.slack.tabs[slack.user("fatima")].words()
        await slack.press_home("fatima", "wake")
        assert "stil tot" not in slack.slack.tabs[slack.user("fatima")].words()

    async def test_at_night_it_is_shown_all_the_same(self, slack: SlackDriver) -> None:
        await slack.pass_(hours=14)
        assert "Dag fatima" in (await slack.home("fatima")).words()

    async def test_of_who_was_forgotten_nothing_stays(self, slack: SlackDriver) -> None:
        await slack.type("fatima", "/verhaal De buurvrouw liep mee.")
        await slack.home("fatima")
        me = await slack.type("fatima", "/ritme ik")
        await slack.press("fatima", me, "forget")
        words = slack.slack.tabs[slack.user("fatima")].words()
        assert "Alles over jou is weg" in words
        assert "fatima" not in words
        async with slack.database.connect() as connection:
            rows = (await connection.exec_driver_sql("select * from deliveries")).all()
        assert slack.user("fatima") not in str(rows)


class TestSeveralMovements:
    async def test_the_page_is_turned_and_stays_turned(self, slack: SlackDriver) -> None:
        await slack.pass_(minutes=1)
        async with slack.begin() as work:
            now = slack.clock.now()
            work.movements.add(Movement(id=MovementId("other"), name="De buurt", language=Language.NL, started_at=now))
            work.movements.add(Member(movement_id=MovementId("other"), person_id=PersonId("fatima"), joined_at=now))
        assert "jouw pagina in De buurt" in (await slack.home("fatima")).words()
        assert await slack.press_home("fatima", "switch_1") is None
        await choose_step(slack)
        words = slack.slack.tabs[slack.user("fatima")].words()
        assert "jouw pagina in Samen op pad" in words
        assert "vraag ik Samira mee" in words
        assert "jouw pagina in Samen op pad" in (await slack.home("fatima")).words()


class TestTrouble:
    async def test_a_page_that_has_to_wait_holds_nothing_else_back(self, slack: SlackDriver) -> None:
        await slack.home("fatima")
        slack.slack.faults.append(Fault(method="views.publish", status=429, error="ratelimited", retry_after=600))
        await slack.press_home("fatima", "stop")
        assert "Uit mezelf stuur ik je niets meer" in slack.private("fatima")[-1].words()
        assert "Uit mezelf stuur ik je niets." not in slack.slack.tabs[slack.user("fatima")].words()
        await slack.pass_(minutes=11)
        assert "Uit mezelf stuur ik je niets." in slack.slack.tabs[slack.user("fatima")].words()

    async def test_a_lost_answer_is_no_reason_for_an_old_page(self, slack: SlackDriver) -> None:
        slack.slack.faults.append(Fault(method="views.publish", hang_up=True))
        await slack.people.open_home(slack.user("fatima"))
        await slack.pass_(minutes=1)
        assert "Dag fatima" in slack.slack.tabs[slack.user("fatima")].words()

    async def test_slack_asks_to_wait(self, slack: SlackDriver) -> None:
        slack.slack.faults.append(Fault(method="views.publish", status=429, error="ratelimited", retry_after=30))
        await slack.people.open_home(slack.user("fatima"))
        await slack.pass_(minutes=1)
        assert "Dag fatima" in slack.slack.tabs[slack.user("fatima")].words()


async def test_it_can_be_asked_for_as_a_message(slack: SlackDriver) -> None:
    shown = await slack.type("fatima", "/ritme thuis")
    assert isinstance(shown, Shown)
    assert "Mijn kleine stappen" in shown.words()

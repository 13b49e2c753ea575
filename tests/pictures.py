"""Draw the pictures of the install guide: a movement begins and lives for two weeks in the test's own Slack, in each
language, and what its people see is kept as docs/images/slack-*.png. `make pictures` runs it, with `tests.looks` and
`tests.screens`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser

from adapters.logs import configure_logging
from tests.drivers.slack import SlackDriver, slack_driver
from tests.fakes.slack.picture import Viewer
from tests.fakes.slack.state import Modal, Shown
from tests.looks import main as draw_and_tell
from tests.screens import draw_all
from tests.support.chromium import chromium

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SHARP = ("welcome", "start", "stuck", "reminder")
"""Pictures at a higher resolution: the small ones; a whole page would be a heavy file."""
Keep = Callable[[str, str], Awaitable[None]]
"""A function that saves a page (HTML) as the picture of this name."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """The words that people in the pictures type, in one language."""

    locale: str
    people: tuple[str, str, str]
    channel: str
    stuck_command: str
    story_command: str
    hello: str
    movement: str
    purpose: dict[str, str]
    stuck: str
    cue: str
    action: str
    stories: tuple[str, str]
    answers: tuple[str, str]


SCRIPTS = {
    "en": Script(
        locale="en-GB",
        people=("Iris", "Fatima", "John"),
        channel="north-team",
        stuck_command="/stuck",
        story_command="/story",
        hello="Good morning! From today @Ritme keeps us company.",
        movement="Walking together",
        purpose={
            "vision": "Whoever gets care at home does what they still can",
            "mission": "We look along before we take over",
            "core_messages": "Hands behind your back\nFirst ask, then do",
        },
        stuck="The night shift is always the last to hear what we do",
        cue="the handover is done",
        action="I ask Samira to walk along once",
        stories=(
            "A client put his own stockings on this morning. It took ten minutes, and he laughed.",
            "I waited at the kettle, and the lady I visit made the tea herself.",
        ),
        answers=(
            "One of my clients watered her plants herself today. I only held the can.",
            "The man upstairs laid the table with me. He knew exactly where the forks go.",
        ),
    ),
    "nl": Script(
        locale="nl-NL",
        people=("Iris", "Fatima", "Jan"),
        channel="team-noord",
        stuck_command="/vast",
        story_command="/verhaal",
        hello="Goedemorgen! Vanaf vandaag loopt @Ritme met ons mee.",
        movement="Samen op pad",
        purpose={
            "vision": "Wie thuis zorg krijgt, doet zelf wat zelf nog kan",
            "mission": "We kijken mee voordat we overnemen",
            "core_messages": "Handen op de rug\nEerst vragen, dan doen",
        },
        stuck="De nachtdienst hoort pas als laatste wat we doen",
        cue="de overdracht klaar is",
        action="vraag ik Samira een keer mee",
        stories=(
            "Een cliënt trok vanmorgen zelf zijn kousen aan. Het duurde tien minuten, en hij lachte.",
            "Ik bleef bij de waterkoker staan, en zij zette zelf thee.",
        ),
        answers=(
            "Een cliënte gaf vandaag zelf haar planten water. Ik hield alleen de gieter vast.",
            "Mijn eerste cliënt dekte met mij de tafel. Hij wist precies waar de vorken horen.",
        ),
    ),
}


async def walk(driver: SlackDriver, script: Script, language: str, keep: Keep) -> None:
    """Live from the invitation to a reminder with answers, and save a picture of each screen."""
    iris, fatima, jan = script.people
    for name in script.people:
        driver.slack.add_user(name, locale=script.locale)
    users = [driver.user(name) for name in script.people]
    channel = driver.slack.add_channel(script.channel, *users, with_bot=False).id

    def eyes(who: str) -> Viewer:
        return Viewer(server=driver.slack, user=driver.user(who), language=language)

    await driver.people.say(driver.user(iris), channel, script.hello)
    await driver.pass_(minutes=1)
    await driver.people.invite_bot(driver.user(iris), channel)
    await driver.drain()
    await keep("welcome", eyes(iris).channel(channel))

    begin = _form(await driver.type(iris, "/ritme start", channel=script.channel))
    named = {"name": script.movement, "vision": script.purpose["vision"]}
    await keep("start", eyes(iris).channel(channel, over=eyes(iris).form(begin, {**named, "language": language})))
    await driver.submit(iris, begin, **named, language=language)
    await driver.pass_(minutes=2)
    await _send(driver, iris, script.channel, "/ritme purpose", "change", **script.purpose)
    await _send(driver, iris, script.channel, "/ritme rhythm", "new")

    await driver.pass_(days=1)
    for teller, story in zip((fatima, jan), script.stories, strict=True):
        await driver.pass_(hours=1)
        await driver.type(teller, f"{script.story_command} {story}", channel=script.channel)
    await driver.press(
        iris, next(one for one in driver.posts(script.channel) if script.stories[0] in one.words()), "ripple"
    )
    await driver.pass_(hours=3)
    since = f"{driver.clock.now().timestamp():.6f}"
    stuck = await driver.type(fatima, script.stuck_command, channel=script.channel)
    welcome = await driver.submit(fatima, stuck, text=script.stuck, kind="reach", audience="channel")
    await keep("stuck", eyes(fatima).channel(channel, since=since))
    plan = await driver.press(fatima, _shown(welcome), "choose_step")
    await driver.submit(fatima, plan, cue=script.cue, action=script.action, on_my_own="yes")
    await keep("home", eyes(fatima).home(await driver.home(fatima)))

    since = f"{driver.clock.now().timestamp() + 1:.6f}"
    reminder = await _next_root(driver, script.channel, since)
    for who, text in zip((jan, fatima), script.answers, strict=True):
        await driver.pass_(minutes=11)
        await driver.react(iris, await driver.reply(who, script.channel, reminder.ts, text))
    await keep("reminder", eyes(iris).channel(channel, thread=reminder.ts, since=reminder.ts))


async def _send(driver: SlackDriver, who: str, channel: str, line: str, button: str, **values: str) -> None:
    """Submit the form behind a command, or behind a button of its answer."""
    shown = await driver.type(who, line, channel=channel)
    form = shown if isinstance(shown, Modal) else await driver.press(who, shown, button)
    refused = await driver.submit(who, form, **values)
    assert not isinstance(refused, dict), refused


async def _next_root(driver: SlackDriver, channel: str, since: str) -> Shown:
    """Return the first post of Ritme in a channel after `since`, within a fortnight."""
    for _ in range(14 * 24):
        found = [one for one in driver.posts(channel) if one.thread is None and float(one.ts) > float(since)]
        if found:
            return found[0]
        await driver.pass_(hours=1)
    raise AssertionError("nothing came in a fortnight")


def _form(shown: Shown | Modal | None) -> Modal:
    assert isinstance(shown, Modal), f"no form: {shown}"
    return shown


def _shown(shown: object) -> Shown:
    assert isinstance(shown, Shown), f"no message: {shown}"
    return shown


async def draw(browser: Browser, language: str, folder: Path) -> AsyncIterator[Path]:
    """Draw every picture in a language; yield their files."""
    made: list[Path] = []
    sharp = await browser.new_page(viewport={"width": 700, "height": 100}, device_scale_factor=1.5)
    plain = await browser.new_page(viewport={"width": 700, "height": 100}, device_scale_factor=1)

    async def keep(name: str, html: str) -> None:
        page = sharp if name in SHARP else plain
        await page.set_content(html)
        made.append(folder / f"slack-{name}-{language}.png")
        await page.locator("body").screenshot(path=made[-1])

    with TemporaryDirectory() as database:
        async with slack_driver(Path(database)) as driver:
            await walk(driver, SCRIPTS[language], language, keep)
    await sharp.close()
    await plain.close()
    for one in made:
        yield one


async def main() -> None:
    """Draw all pictures, and print how large each is."""
    configure_logging(level=logging.WARNING)
    await draw_and_tell()
    async with chromium() as browser:
        await draw_all(browser)
        for language in SCRIPTS:
            async for picture in draw(browser, language, IMAGES):
                print(f"{picture.stat().st_size // 1000:4} kB  {picture.name}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())

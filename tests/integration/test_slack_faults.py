"""Faults in every method of the Web API: in the end everyone sees what they would have seen without, once."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.slack.permissions import API_METHODS
from tests.drivers.slack import SlackDriver, slack_driver
from tests.fakes.slack.server import BOT
from tests.fakes.slack.state import Fault, Modal, Shown

SHORT_TIMEOUT = 1.5
"""Seconds until our client gives up where a fault never answers; long enough for a busy machine to answer otherwise."""
RETRY_MINUTES = 20
"""Minutes after which everything was retried."""
TROUBLE: dict[str, dict[str, object]] = {
    "429": {"status": 429, "retry_after": 7},
    "500": {"status": 500},
    "503 after the effect": {"status": 503, "after": True},
    "internal_error": {"error": "internal_error"},
    "internal_error after the effect": {"error": "internal_error", "after": True},
    "dropped": {"hang_up": True},
    "dropped after the effect": {"hang_up": True, "after": True},
    "slow": {"never": True},
    "slow after the effect": {"never": True, "after": True},
}
Scene = Callable[[SlackDriver], Awaitable[None]]


async def tell_story(driver: SlackDriver) -> Shown:
    """Tell a story; return the message its teller reads after all retries."""
    form = await driver.type("fatima", "/story")
    await driver.submit("fatima", form, text="We liepen een rondje", named="with", readers="movement")
    await driver.pass_(minutes=RETRY_MINUTES)
    return next(one for one in driver.private("fatima") if "withdraw" in one.buttons())


async def post(driver: SlackDriver) -> None:
    await tell_story(driver)


async def private_answer(driver: SlackDriver) -> None:
    await tell_story(driver)
    await driver.press("jan", driver.posts()[-1], "ripple")


async def change(driver: SlackDriver) -> None:
    form = await driver.press("fatima", await tell_story(driver), "change")
    await driver.submit("fatima", form, text="Het ging toch anders")


async def withdrawal(driver: SlackDriver) -> None:
    await driver.press("fatima", await tell_story(driver), "withdraw")


async def sign(driver: SlackDriver) -> None:
    message = await driver.people.say(driver.user("fatima"), driver.channel("general"), "Het lukte vandaag")
    await driver.shortcut("fatima", "save_as_story", message)
    await driver.pass_(minutes=RETRY_MINUTES)
    await driver.press("fatima", driver.private("fatima")[-1], "take_back")


async def lost_post(driver: SlackDriver) -> None:
    driver.slack.faults.append(Fault(method="chat.postMessage", hang_up=True, after=True))
    await tell_story(driver)


async def lost_reply(driver: SlackDriver) -> None:
    root = await driver.people.say(driver.user("fatima"), driver.channel("general"), "Hoe gaat het?")
    driver.slack.faults.append(Fault(method="chat.postMessage", hang_up=True, after=True))
    await driver.people.say(driver.user("fatima"), driver.channel("general"), "@Ritme story Het lukte!", thread=root.ts)
    await driver.drain()


async def names(driver: SlackDriver) -> None:
    """Have someone new ask Ritme for help in a private channel that no payload names."""
    channel = driver.channel("nacht")
    driver.slack.channels[channel].private = True
    await driver.people.say(driver.user("wim"), channel, "@Ritme help")
    await driver.pass_(minutes=RETRY_MINUTES)
    await driver.people.say(driver.user("wim"), channel, "@Ritme me")
    await driver.drain()


async def groups(driver: SlackDriver) -> None:
    driver.slack.groups = {"S1": ("Nachtdienst", [driver.user("fatima")])}
    await driver.type("iris", "/ritme groups")
    await driver.pass_(minutes=RETRY_MINUTES)
    for offered in [one for one in driver.private("iris") if "again" in one.buttons()]:
        await driver.press("iris", offered, "again")
    form = await driver.press(
        "iris", next(one for one in driver.private("iris") if "choose" in one.buttons()), "choose"
    )
    await driver.submit("iris", form, groups=["S1"])


async def file(driver: SlackDriver) -> None:
    await driver.press("fatima", await driver.type("fatima", "/ritme me"), "export")
    await driver.pass_(minutes=RETRY_MINUTES)


async def deleted_file(driver: SlackDriver) -> None:
    await file(driver)
    await driver.press("fatima", await driver.type("fatima", "/ritme me"), "forget")


async def heard_of(driver: SlackDriver) -> None:
    await tell_story(driver)
    told = driver.posts()[-1]
    await driver.people.say(driver.user("jan"), told.channel, "Dat deden wij ook eens.", thread=told.ts)
    await driver.pass_(hours=3)


async def page(driver: SlackDriver) -> None:
    await driver.people.open_home(driver.user("fatima"))
    await driver.drain()


SCENES: dict[str, Scene] = {
    "chat.delete": withdrawal,
    "chat.getPermalink": heard_of,
    "chat.postEphemeral": private_answer,
    "chat.postMessage": post,
    "chat.update": change,
    "conversations.history": lost_post,
    "conversations.info": names,
    "conversations.open": private_answer,
    "conversations.replies": lost_reply,
    "files.completeUploadExternal": file,
    "files.delete": deleted_file,
    "files.getUploadURLExternal": file,
    "reactions.add": sign,
    "reactions.remove": sign,
    "usergroups.list": groups,
    "usergroups.users.list": groups,
    "users.info": names,
    "views.publish": page,
}
ELSEWHERE = {
    "auth.revoke": "test_slack_install",
    "auth.test": "test_slack_served",
    "oauth.v2.access": "test_slack_install",
    "views.open": "below: a trigger lives three seconds, so nothing can be tried again",
}


def test_every_method_is_in_trouble_somewhere() -> None:
    assert SCENES.keys() | ELSEWHERE.keys() == API_METHODS.keys()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    with_it, without = tmp_path / "with", tmp_path / "without"
    with_it.mkdir()
    without.mkdir()
    return with_it, without


LINK = "Naar het gesprek"
UPLOADS = {name: fault for name, fault in TROUBLE.items() if "error" not in fault}
"""Taking a file to Slack is no method of the Web API, and knows no errors by name."""


@pytest.mark.parametrize(
    ("method", "trouble"),
    [*((method, one) for method in SCENES for one in TROUBLE), *(("upload", one) for one in UPLOADS)],
)
async def test_nothing_is_lost_and_nothing_comes_twice(folders: tuple[Path, Path], method: str, trouble: str) -> None:
    fault = Fault(method=method, **TROUBLE[trouble])  # type: ignore[arg-type]
    without, _ = await play(folders[1], (SCENES | {"upload": file})[method])
    seen, left = await play(folders[0], (SCENES | {"upload": file})[method], fault)
    assert left == [], "the fault never came"
    if method == "chat.postEphemeral" and "after" in TROUBLE[trouble]:
        # Slack keeps no history of what one person saw: rather twice than not at all.
        seen = {who: list(dict.fromkeys(lines)) for who, lines in seen.items()}
        without = {who: list(dict.fromkeys(lines)) for who, lines in without.items()}
    if method == "chat.getPermalink":
        # The message comes without its link, rather than late.
        assert LINK in repr(without["fatima"])
        assert LINK not in repr(seen["fatima"])
        without = {who: [line.replace(f"\n{LINK}", "") for line in lines] for who, lines in without.items()}
    for who, lines in without.items():
        more = Counter(seen[who]) - Counter(lines)
        assert not Counter(lines) - Counter(seen[who]), f"{who} missed something"
        # Who asks for the groups reads that they could not be told, and asks again.
        assert not more or (method == "usergroups.list" and who == "iris"), f"{who} saw more: {more}"


async def play(folder: Path, scene: Scene, fault: Fault | None = None) -> tuple[dict[str, list[str]], list[Fault]]:
    """Play a scene in a fresh workspace; return what each person sees in the end, and the fault if it was not hit."""
    async with slack_driver(folder, call_timeout=SHORT_TIMEOUT if fault and fault.never else 10) as driver:
        await driver.movement("fatima", "jan")
        for who in ("fatima", "jan", "iris"):
            driver.user(who)
        driver.slack.faults = [fault] if fault else []
        await scene(driver)
        await driver.pass_(minutes=30)
        async with driver.database.connect() as connection:
            states = await connection.exec_driver_sql(
                "SELECT kind, state, reason FROM deliveries WHERE state IN ('waiting', 'sending', 'unknown', 'failed')"
            )
            assert states.all() == []
        return {
            one.name: await visible_to(driver, one.id) for one in driver.slack.users.values() if one.id != BOT
        }, driver.slack.faults


async def visible_to(driver: SlackDriver, user: str) -> list[str]:
    found = [one for channel in driver.slack.channels for one in driver.slack.visible(channel, user)]
    signs = [f"{one.words()} {sorted(one.reactions)}" for one in found]
    tab = driver.slack.tabs.get(user)
    return signs + ([tab.words()] if tab else [])


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_form_that_could_not_open_says_so_or_opens(tmp_path: Path, trouble: str) -> None:
    async with slack_driver(tmp_path, call_timeout=SHORT_TIMEOUT) as driver:
        await driver.movement("fatima")
        driver.slack.faults = [Fault(method="views.open", **TROUBLE[trouble])]  # type: ignore[arg-type]
        shown = await driver.type("fatima", "/story")
        assert isinstance(shown, Modal) or "net te laat" in shown.words()  # type: ignore[union-attr]
        assert isinstance(await driver.type("fatima", "/story"), Modal)

"""Each method of the Web API in trouble: in the end everyone sees what they would have seen, once."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.slack.permissions import METHODS
from tests.drivers.slack import SlackStage, slack_stage
from tests.fakes.slack.server import BOT
from tests.fakes.slack.state import Fault, Modal, Shown

SOONER = 1.5
"""Seconds after which our client gives up, where a fault never answers: long enough that a busy machine always does."""
WHILE = 20
"""Minutes after which everything was tried again."""
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
Scene = Callable[[SlackStage], Awaitable[None]]


async def told(stage: SlackStage) -> Shown:
    """A story, and what its teller reads when all trouble is over."""
    form = await stage.type("fatima", "/story")
    await stage.submit("fatima", form, text="We liepen een rondje", named="with", readers="movement")
    await stage.pass_(minutes=WHILE)
    return next(one for one in stage.private("fatima") if "withdraw" in one.buttons())


async def post(stage: SlackStage) -> None:
    await told(stage)


async def private_answer(stage: SlackStage) -> None:
    await told(stage)
    await stage.press("jan", stage.posts()[-1], "ripple")


async def change(stage: SlackStage) -> None:
    form = await stage.press("fatima", await told(stage), "change")
    await stage.submit("fatima", form, text="Het ging toch anders")


async def withdrawal(stage: SlackStage) -> None:
    await stage.press("fatima", await told(stage), "withdraw")


async def sign(stage: SlackStage) -> None:
    message = await stage.people.say(stage.user("fatima"), stage.channel("general"), "Het lukte vandaag")
    await stage.shortcut("fatima", "save_as_story", message)
    await stage.pass_(minutes=WHILE)
    await stage.press("fatima", stage.private("fatima")[-1], "take_back")


async def lost_post(stage: SlackStage) -> None:
    stage.slack.faults.append(Fault(method="chat.postMessage", hang_up=True, after=True))
    await told(stage)


async def lost_reply(stage: SlackStage) -> None:
    root = await stage.people.say(stage.user("fatima"), stage.channel("general"), "Hoe gaat het?")
    stage.slack.faults.append(Fault(method="chat.postMessage", hang_up=True, after=True))
    await stage.people.say(stage.user("fatima"), stage.channel("general"), "@Ritme story Het lukte!", thread=root.ts)
    await stage.drain()


async def names(stage: SlackStage) -> None:
    """Someone new, in a channel no payload names, whom a colleague asks something."""
    channel = stage.channel("nacht")
    stage.slack.channels[channel].private = True
    await stage.people.say(stage.user("wim"), channel, "@Ritme help")
    await stage.pass_(minutes=WHILE)
    await stage.people.say(stage.user("wim"), channel, "@Ritme me")
    await stage.drain()


async def groups(stage: SlackStage) -> None:
    stage.slack.groups = {"S1": ("Nachtdienst", [stage.user("fatima")])}
    await stage.type("iris", "/ritme groups")
    await stage.pass_(minutes=WHILE)
    for offered in [one for one in stage.private("iris") if "again" in one.buttons()]:
        await stage.press("iris", offered, "again")
    form = await stage.press("iris", next(one for one in stage.private("iris") if "choose" in one.buttons()), "choose")
    await stage.submit("iris", form, groups=["S1"])


async def page(stage: SlackStage) -> None:
    await stage.people.open_home(stage.user("fatima"))
    await stage.drain()


SCENES: dict[str, Scene] = {
    "chat.delete": withdrawal,
    "chat.postEphemeral": private_answer,
    "chat.postMessage": post,
    "chat.update": change,
    "conversations.history": lost_post,
    "conversations.info": names,
    "conversations.open": private_answer,
    "conversations.replies": lost_reply,
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
    assert SCENES.keys() | ELSEWHERE.keys() == METHODS.keys()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    with_it, without = tmp_path / "with", tmp_path / "without"
    with_it.mkdir()
    without.mkdir()
    return with_it, without


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("method", SCENES)
async def test_nothing_is_lost_and_nothing_comes_twice(folders: tuple[Path, Path], method: str, trouble: str) -> None:
    fault = Fault(method=method, **TROUBLE[trouble])  # type: ignore[arg-type]
    without, _ = await lived_through(folders[1], SCENES[method])
    seen, left = await lived_through(folders[0], SCENES[method], fault)
    assert left == [], "the fault never came"
    if method == "chat.postEphemeral" and "after" in TROUBLE[trouble]:
        # Slack keeps no history of what one person saw: rather twice than not at all.
        seen = {who: list(dict.fromkeys(lines)) for who, lines in seen.items()}
        without = {who: list(dict.fromkeys(lines)) for who, lines in without.items()}
    for who, lines in without.items():
        more = Counter(seen[who]) - Counter(lines)
        assert not Counter(lines) - Counter(seen[who]), f"{who} missed something"
        # Who asks for the groups reads that they could not be told, and asks again.
        assert not more or (method == "usergroups.list" and who == "iris"), f"{who} saw more: {more}"


async def lived_through(
    folder: Path, scene: Scene, fault: Fault | None = None
) -> tuple[dict[str, list[str]], list[Fault]]:
    """What each person sees in the end, and the fault if it did not come."""
    async with slack_stage(folder, patience=SOONER if fault and fault.never else 10) as stage:
        await stage.movement("fatima", "jan")
        for who in ("fatima", "jan", "iris"):
            stage.user(who)
        stage.slack.faults = [fault] if fault else []
        await scene(stage)
        await stage.pass_(minutes=30)
        async with stage.database.connect() as connection:
            states = await connection.exec_driver_sql(
                "SELECT kind, state, reason FROM deliveries WHERE state IN ('waiting', 'sending', 'unknown', 'failed')"
            )
            assert states.all() == []
        return {
            one.name: await sees(stage, one.id) for one in stage.slack.users.values() if one.id != BOT
        }, stage.slack.faults


async def sees(stage: SlackStage, user: str) -> list[str]:
    found = [one for channel in stage.slack.channels for one in stage.slack.visible(channel, user)]
    signs = [f"{one.words()} {sorted(one.reactions)}" for one in found]
    tab = stage.slack.tabs.get(user)
    return signs + ([tab.words()] if tab else [])


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_form_that_could_not_open_says_so_or_opens(tmp_path: Path, trouble: str) -> None:
    async with slack_stage(tmp_path, patience=SOONER) as stage:
        await stage.movement("fatima")
        stage.slack.faults = [Fault(method="views.open", **TROUBLE[trouble])]  # type: ignore[arg-type]
        shown = await stage.type("fatima", "/story")
        assert isinstance(shown, Modal) or "net te laat" in shown.words()  # type: ignore[union-attr]
        assert isinstance(await stage.type("fatima", "/story"), Modal)

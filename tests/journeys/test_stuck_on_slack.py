"""The whole way from being stuck to a story, as people in Slack see it: signed requests in, what appears out."""

from datetime import UTC, datetime, timedelta

from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.drivers.slack import SlackStage
from tests.fakes.slack.state import Modal, Shown
from tests.support.world import MONDAY

MOVEMENT = MovementId("movement")
STEP = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes"}


async def test_from_stuck_to_a_story(on_slack: SlackStage) -> None:
    here = on_slack
    await here.movement("fatima", "jan", "samira")
    async with here.begin() as work:
        iris = await work.people.get(PersonId("iris"), MOVEMENT)
        assert iris is not None
        iris.suggestible = False

    form = await here.type("fatima", "/stuck")
    wrong = await here.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="helpers")
    assert isinstance(wrong, dict)
    assert "helpers" in wrong
    form = await here.type("fatima", "/stuck")
    welcome = await here.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="me")
    assert isinstance(welcome, Shown)
    assert here.posts() == []

    form = await here.press("fatima", welcome, "choose_step")
    smaller = await here.submit("fatima", form, **{**STEP, "on_my_own": "no"})
    assert isinstance(smaller, Modal)
    plan = await here.submit("fatima", smaller)
    assert isinstance(plan, Shown)
    assert "vraag ik Jan" in plan.words()

    await here.until(MONDAY + timedelta(days=1))
    form = await here.press("fatima", here.private("fatima")[-1], "not_yet")
    await here.submit("fatima", form, day="2027-03-04")
    await here.until(datetime(2027, 3, 4, 8, tzinfo=UTC))
    still = await here.press("fatima", here.private("fatima")[-1], "still_stuck")
    form = await here.press("fatima", still if isinstance(still, Shown) else None, "choose_step")
    await here.submit("fatima", form, **STEP, day="2027-03-10")
    await here.until(datetime(2027, 3, 10, 8, tzinfo=UTC))
    offer = await here.press("fatima", here.private("fatima")[-1], "still_stuck")
    assert isinstance(offer, Shown)
    assert here.private("jan") == here.private("samira") == []

    await here.press("fatima", offer, "ask_them")
    await here.drain()
    for who in ("jan", "samira"):
        form = await here.press(who, here.private(who)[-1], "give")
        given = await here.submit(who, form, question="Wie loopt graag?", idea=f"idee van {who}")
        assert isinstance(given, Shown)
    await here.drain()
    together = here.private("fatima")[-1]
    assert all(f"idee van {who}" in together.words() for who in ("jan", "samira"))

    form = await here.press("fatima", together, "choose_step")
    await here.submit("fatima", form, **STEP, day="2027-03-17")
    await here.until(datetime(2027, 3, 17, 8, tzinfo=UTC))
    form = await here.press("fatima", here.private("fatima")[-1], "done")
    told = await here.submit("fatima", form, outcome="Samira nam iemand mee")
    assert isinstance(told, Shown)
    story = await here.press("fatima", told, "tell_story")
    assert isinstance(story, Modal)
    assert "Samira nam iemand mee" in str(story.view)


async def test_in_the_channel_it_can_be_answered_and_the_step_stands_under_it(on_slack: SlackStage) -> None:
    here = on_slack
    await here.movement("fatima", "jan")
    form = await here.type("fatima", "/vast")
    welcome = await here.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="channel")
    (post,) = here.posts()
    await here.reply("jan", "general", post.ts, "Ik loop morgen mee")
    form = await here.press("fatima", welcome if isinstance(welcome, Shown) else None, "choose_step")
    await here.submit("fatima", form, **STEP, post="yes")
    assert [one.thread for one in here.posts()] == [None, post.ts]
    choice = await here.type("fatima", "/stuck")
    await here.press("fatima", choice if isinstance(choice, Shown) else None, "moves_again")
    await here.drain()
    assert here.posts()[0].edited

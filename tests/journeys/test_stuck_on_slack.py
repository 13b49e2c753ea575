"""The whole way from being stuck to a story, as people in Slack see it: signed requests in, what appears out."""

from datetime import UTC, datetime, timedelta

from tests.drivers.slack import SlackDriver
from tests.fakes.slack.state import Modal, Shown
from tests.support.world import MONDAY, agree

STEP = {"cue": "de overdracht klaar is", "action": "vraag ik Jan", "on_my_own": "yes"}


async def test_from_stuck_to_a_story(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", "jan", "samira")
    await agree(on_slack.begin, "jan", "samira")

    form = await on_slack.type("fatima", "/stuck")
    wrong = await on_slack.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="helpers")
    assert isinstance(wrong, dict)
    assert "helpers" in wrong
    form = await on_slack.type("fatima", "/stuck")
    welcome = await on_slack.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="me")
    assert isinstance(welcome, Shown)
    assert on_slack.posts() == []

    form = await on_slack.press("fatima", welcome, "choose_step")
    smaller = await on_slack.submit("fatima", form, **{**STEP, "on_my_own": "no"})
    assert isinstance(smaller, Modal)
    plan = await on_slack.submit("fatima", smaller)
    assert isinstance(plan, Shown)
    assert "vraag ik Jan" in plan.words()

    await on_slack.until(MONDAY + timedelta(days=1))
    form = await on_slack.press("fatima", on_slack.private("fatima")[-1], "not_yet")
    await on_slack.submit("fatima", form, day="2027-03-04")
    await on_slack.until(datetime(2027, 3, 4, 8, tzinfo=UTC))
    still = await on_slack.press("fatima", on_slack.private("fatima")[-1], "still_stuck")
    form = await on_slack.press("fatima", still if isinstance(still, Shown) else None, "choose_step")
    await on_slack.submit("fatima", form, **STEP, day="2027-03-10")
    await on_slack.until(datetime(2027, 3, 10, 8, tzinfo=UTC))
    offer = await on_slack.press("fatima", on_slack.private("fatima")[-1], "still_stuck")
    assert isinstance(offer, Shown)
    assert on_slack.private("jan") == on_slack.private("samira") == []

    await on_slack.press("fatima", offer, "ask_them")
    await on_slack.drain()
    for who in ("jan", "samira"):
        form = await on_slack.press(who, on_slack.private(who)[-1], "give")
        given = await on_slack.submit(who, form, question="Wie loopt graag?", idea=f"idee van {who}")
        assert isinstance(given, Shown)
    await on_slack.drain()
    together = on_slack.private("fatima")[-1]
    assert all(f"idee van {who}" in together.words() for who in ("jan", "samira"))

    form = await on_slack.press("fatima", together, "choose_step")
    await on_slack.submit("fatima", form, **STEP, day="2027-03-17")
    await on_slack.until(datetime(2027, 3, 17, 8, tzinfo=UTC))
    form = await on_slack.press("fatima", on_slack.private("fatima")[-1], "done")
    told = await on_slack.submit("fatima", form, outcome="Samira nam iemand mee")
    assert isinstance(told, Shown)
    story = await on_slack.press("fatima", told, "tell_story")
    assert isinstance(story, Modal)
    assert "Samira nam iemand mee" in str(story.view)


async def test_in_the_channel_it_can_be_answered_and_the_step_stands_under_it(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", "jan")
    form = await on_slack.type("fatima", "/vast")
    welcome = await on_slack.submit("fatima", form, text="De nacht komt niet", kind="reach", audience="channel")
    (post,) = on_slack.posts()
    await on_slack.reply("jan", "general", post.ts, "Ik loop morgen mee")
    form = await on_slack.press("fatima", welcome if isinstance(welcome, Shown) else None, "choose_step")
    await on_slack.submit("fatima", form, **STEP, post="yes")
    assert [one.thread for one in on_slack.posts()] == [None, post.ts]
    choice = await on_slack.type("fatima", "/stuck")
    await on_slack.press("fatima", choice if isinstance(choice, Shown) else None, "moves_again")
    await on_slack.drain()
    assert on_slack.posts()[0].edited

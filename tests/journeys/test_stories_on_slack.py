"""Stories, walked over Slack's signed HTTP: told, answered in a thread, carried on, changed and taken back."""

from bot.chat import Message, Paragraph, Post, Span
from bot.domain.delivery import DeliveryId, to_place
from bot.domain.movement import PlaceId
from tests.drivers.slack import LANE, SlackDriver
from tests.fakes.slack.state import Modal, Shown

NASTY = "Dank <!channel> & @here <@U1>: *samen* https://example.org gelukt"


async def test_a_first_start(on_slack: SlackDriver) -> None:
    iris, general = on_slack.user("iris"), on_slack.channel("general")
    await on_slack.people.invite_bot(iris, general)
    form = await on_slack.type("iris", "/ritme start")
    shown = await on_slack.submit("iris", form, name="Samen op pad", vision="Iedereen loopt mee")
    assert isinstance(shown, Shown)
    assert "Samen op pad" in shown.words()


async def test_what_someone_wrote_is_shown_as_written_and_notifies_nobody(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", "jan", channels=("general", "nacht"))
    form = await on_slack.type("fatima", "/story")
    told = await on_slack.submit("fatima", form, text=NASTY, named="with", readers="movement")
    assert isinstance(told, Shown)
    (post,) = on_slack.posts()
    assert NASTY in post.words()
    assert "Dank &lt;!channel&gt; &amp; @here &lt;@U1&gt;" in post.text

    noted = await on_slack.press("jan", post, "ripple")
    assert isinstance(noted, Shown)
    assert noted.only_for == on_slack.user("jan")
    assert NASTY in on_slack.private("fatima")[-1].words()

    share = await on_slack.press("jan", post, "share")
    await on_slack.submit("jan", share, place="nacht", line="Kijk <!everyone>")
    (carried,) = on_slack.posts("nacht")
    assert NASTY in carried.words()
    assert "<" not in carried.text

    form = await on_slack.press("fatima", told, "change")
    await on_slack.submit("fatima", form, text="Toch anders gegaan")
    assert all("Toch anders gegaan" in one.words() for one in (post, carried))

    await on_slack.press("fatima", told, "withdraw")
    assert on_slack.posts() == on_slack.posts("nacht") == []


async def start_story_round(on_slack: SlackDriver) -> str:
    """Post a question for stories; return the message, which is the root of a thread."""
    asked = Message(paragraphs=(Paragraph(spans=(Span(text="Wat gebeurde er deze week?"),)),))
    post = Post(delivery="round", workspace=LANE, channel=on_slack.channel("general"), message=asked)
    receipt = await on_slack.platform.messenger.send(post)
    async with on_slack.begin() as work:
        place = await work.movements.place(PlaceId("general"))
        assert place is not None
        row = to_place(place, "rhythm_stories", key="round", now=on_slack.clock.now(), subject="r1")
        row.id = DeliveryId("round")
        row.record_receipt(on_slack.clock.now(), receipt.channel, receipt.message)
        await work.deliveries.add(row)
    return receipt.message


class TestInTheThreadOfAStoryRound:
    async def test_a_reply_is_marked_and_its_teller_is_told_once_who_reads_it(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        root = await start_story_round(on_slack)
        first = await on_slack.reply("fatima", "general", root, "De buurman liep zelf naar de kapper & terug")
        assert {name for _, name in first.reactions} == {"seedling"}
        (kept,) = on_slack.private("fatima")
        assert (kept.only_for, kept.thread) == (on_slack.user("fatima"), root)

        second = await on_slack.reply("fatima", "general", root, "En vandaag ging de buurvrouw mee")
        assert second.reactions
        assert len(on_slack.private("fatima")) == 1

    async def test_a_command_typed_as_text_is_obeyed_and_no_story(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        await on_slack.reply("fatima", "general", root, "/ritme vast Niemand komt")
        (welcome,) = on_slack.private("fatima")
        assert (welcome.only_for, welcome.thread) == (on_slack.user("fatima"), root)
        assert await texts(on_slack) == []

    async def test_despair_is_answered_in_ones_own_chat_and_kept_nowhere(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        said = await on_slack.reply("fatima", "general", root, "ik wil er niet meer zijn")
        (answer,) = on_slack.private("fatima")
        assert "0800-0113" in answer.words()
        assert answer.channel == on_slack.channel(None, "fatima")
        assert not said.reactions
        assert await texts(on_slack) == []

    async def test_choosing_replaces_the_private_message(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        await on_slack.reply("fatima", "general", root, "De buurman liep zelf naar de kapper")
        (kept,) = on_slack.private("fatima")
        before = kept.words()
        assert await on_slack.press("fatima", kept, "keep") is kept
        assert on_slack.private("fatima") == [kept]
        assert kept.words() != before

    async def test_forget_takes_every_reply_in_the_thread_and_every_mark(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        root = await start_story_round(on_slack)
        first = await on_slack.reply("fatima", "general", root, "De buurman liep zelf naar de kapper")
        (kept,) = on_slack.private("fatima")
        await on_slack.press("fatima", kept, "keep")
        second = await on_slack.reply("fatima", "general", root, "En de buurvrouw ging mee")
        await on_slack.reply("jan", "general", root, "Bij ons ook")
        await on_slack.press("fatima", kept, "forget")
        assert "al je antwoorden" in kept.words()
        assert await texts(on_slack) == ["Bij ons ook"]
        assert not first.reactions | second.reactions

    async def test_editing_and_deleting_the_message_follow_through(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima", "jan")
        root = await start_story_round(on_slack)
        told = await on_slack.reply("fatima", "general", root, "De buurman liep zelf naar de kapper")
        await on_slack.edit("fatima", told, "De buurvrouw liep zelf naar de kapper & de markt")
        assert await texts(on_slack) == ["De buurvrouw liep zelf naar de kapper & de markt"]
        await on_slack.react("jan", told)
        await on_slack.delete("fatima", told)
        assert await texts(on_slack) == []

    async def test_delivered_again_after_an_error_it_is_kept_once(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        await on_slack.reply("fatima", "general", root, "De buurman liep zelf naar de kapper")
        for _ in range(3):
            await on_slack.people.redeliver_latest()
        await on_slack.drain()
        assert len(await texts(on_slack)) == 1
        assert len(on_slack.private("fatima")) == 1


class TestWhatComesAlong:
    async def test_a_file_is_kept_as_a_mention_and_never_fetched(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        photo = {"id": "F1", "title": "wandeling.jpg", "url_private": f"{on_slack.slack.api_url}files/F1"}
        calls = len(on_slack.slack.calls)
        for text in ("Kijk hoe ver we kwamen", ""):
            await on_slack.people.say(
                on_slack.user("fatima"),
                on_slack.channel("general"),
                text,
                thread=root,
                subtype="file_share",
                files=[photo],
            )
        await on_slack.drain()
        assert await texts(on_slack) == ["Kijk hoe ver we kwamen\n📎 wandeling.jpg"]
        assert not [method for method, _ in on_slack.slack.calls[calls:] if "file" in method]

    async def test_a_reply_sent_to_the_channel_too_is_one_story(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        user, general = on_slack.user("fatima"), on_slack.channel("general")
        told = await on_slack.people.say(user, general, "Het lukte", thread=root, broadcast=True)
        event = {"type": "message", "channel": general, "user": user, "text": "Het lukte", "ts": told.ts}
        await on_slack.people.event({**event, "thread_ts": root, "channel_type": "channel"})
        await on_slack.drain()
        assert await texts(on_slack) == ["Het lukte"]

    async def test_bots_and_workflows_tell_no_stories(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        general = on_slack.channel("general")
        for bot in ({"bot_id": "B7", "subtype": "bot_message"}, {"bot_id": "B8", "user": "U77", "workflow_id": "W"}):
            said = {"type": "message", "channel": general, "channel_type": "channel", "text": "Automatisch", **bot}
            await on_slack.people.event({**said, "ts": on_slack.slack.next_ts(), "thread_ts": root})
        await on_slack.drain()
        assert await texts(on_slack) == []

    async def test_someone_of_another_workspace_is_a_guest(self, on_slack: SlackDriver) -> None:
        await on_slack.movement("fatima")
        root = await start_story_round(on_slack)
        user = on_slack.user("noor")
        on_slack.slack.users[user].marks.update(team_id="T9", is_stranger=True)
        await on_slack.people.say(user, on_slack.channel("general"), "Bij ons ook", thread=root, user_team="T9")
        await on_slack.drain()
        assert await texts(on_slack) == ["Bij ons ook"]
        async with on_slack.begin() as work:
            person = await work.people.by_account(LANE, user)
        assert person is not None
        assert person.guest
        assert person.name == "noor"


async def test_a_form_sent_from_a_workspace_the_channel_is_shared_with_is_ours(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    user = on_slack.user("fatima")
    form = await on_slack.type("fatima", "/story")
    assert isinstance(form, Modal)
    form.view["app_installed_team_id"] = "T1"
    before = on_slack.people.team
    on_slack.people.team = "T9"
    try:
        await on_slack.people.submit(user, form, text="Het lukte", named="with", readers="thread")
    finally:
        on_slack.people.team = before
    await on_slack.drain()
    assert await texts(on_slack) == ["Het lukte"]


async def test_a_mention_in_a_thread_is_understood_as_a_command(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima")
    root = await start_story_round(on_slack)
    await on_slack.reply("fatima", "general", root, "@Ritme verhaal")
    offer = on_slack.private("fatima")[-1]
    assert offer.thread == root
    form = await on_slack.press("fatima", offer, "open")
    assert isinstance(form, Modal)
    assert await texts(on_slack) == []


async def texts(on_slack: SlackDriver) -> list[str]:
    async with on_slack.database.connect() as connection:
        found = await connection.exec_driver_sql("SELECT text FROM stories WHERE withdrawn_at IS NULL ORDER BY told_at")
        return [text for (text,) in found]


async def test_a_long_story_is_cut_at_a_word_and_read_on_at_a_button(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", "jan")
    long = "Het begon met een wandeling. " * 40 + "En toen kwam de hele straat."
    form = await on_slack.type("fatima", "/story")
    await on_slack.submit("fatima", form, text=long.strip(), named="with", readers="thread")
    (post,) = on_slack.posts()
    assert "hele straat" not in post.words()
    assert len(max(post.words().splitlines(), key=len)) <= 600
    whole = await on_slack.press("jan", post, "read")
    assert isinstance(whole, Shown)
    assert whole.only_for == on_slack.user("jan")
    assert long.strip() in whole.words()


async def test_what_was_taken_back_is_not_read_on(on_slack: SlackDriver) -> None:
    await on_slack.movement("fatima", "jan")
    form = await on_slack.type("fatima", "/story")
    told = await on_slack.submit("fatima", form, text="Een lang verhaal. " * 60, named="with", readers="movement")
    (post,) = on_slack.posts()
    press = post.buttons()["read"]
    await on_slack.press("fatima", told, "withdraw")
    await on_slack.people.send_press(on_slack.user("jan"), post, press)
    await on_slack.drain()
    assert "Een lang verhaal" not in on_slack.private("jan")[-1].words()

"""Micro-stories: told, kept, rippling, carried on, changed and taken back."""

from asyncio import gather
from datetime import date, time, timedelta

import pytest

from bot import wording
from bot.catalogue.errors import Declined
from bot.chat import Answer, FieldErrors, Form
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.next_step import NextStep, StepId, StepState
from bot.domain.person import Language, Person, PersonId, StoryChoice, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.story import Readers, Story, StoryId
from bot.ports import NoAnswer, TryLater
from bot.wording import Reader
from tests.world import LANE, MONDAY, World, button_of, text_of

WALK = "Na de overdracht liepen we een rondje."
ROOT = "root"


async def reminder(here: World, kind: str = "rhythm_purpose", *, thread: str = ROOT, channel: str = "general") -> None:
    """A post in whose thread people answer, sent just now."""
    now = here.clock.now()
    async with here.begin() as work:
        rhythm = Rhythm(
            id=RhythmId(f"rhythm-{thread}"),
            movement_id=MovementId("movement"),
            place_id=PlaceId(channel),
            kind=RhythmKind.PURPOSE,
            rule="FREQ=WEEKLY",
            starts_on=date(2027, 3, 1),
            at=time(9),
            timezone="Europe/Amsterdam",
            unanswered=2,
            created_by=None,
            created_at=now,
        )
        work.rhythms.add(rhythm)
        sent = Delivery(
            id=DeliveryId(f"d-{thread}"),
            workspace_id=WorkspaceId(LANE),
            movement_id=MovementId("movement"),
            place_id=PlaceId(channel),
            kind=kind,
            subject=rhythm.id,
            args={"part": "behaviour:0", "on": "2027-03-01"},
            key=f"rhythm:{thread}",
            due_at=now,
            created_at=now,
        )
        sent.arrived(now, channel, thread)
        sent.state = DeliveryState.SENT
        await work.deliveries.add(sent)


async def reply(here: World, who: str, text: str, message: str, **more: object) -> None:
    where = {"thread": ROOT, "message": message, "text": text, **more}
    assert await here.do(who, "thread.replied", **where) is None  # type: ignore[arg-type]


async def story_of(here: World, message: str, channel: str = "general") -> Story | None:
    async with here.begin() as work:
        return await work.stories.by_message(PlaceId(channel), message)


async def told(here: World, message: str, channel: str = "general") -> Story:
    story = await story_of(here, message, channel)
    assert story is not None
    return story


async def latest(here: World, who: str) -> Story:
    async with here.begin() as work:
        return (await work.stories.of_teller(PersonId(who), 1))[0]


async def ripples(here: World, story: Story) -> int:
    async with here.begin() as work:
        return await work.stories.ripples(story.id, story.movement_id)


async def person(here: World, who: str) -> Person:
    async with here.begin() as work:
        found = await work.people.by_account(WorkspaceId(LANE), who)
    assert found is not None
    return found


def declined(reply: object, reason: str) -> bool:
    """Whether this answer is that refusal, in either language."""
    assert isinstance(reply, Answer), reply
    readers = [Reader(language=one, timezone="UTC", now=MONDAY) for one in Language]
    return reply.message in [wording.message(Declined(reason=reason), reader) for reader in readers]


class TestTelling:
    async def test_in_one_line_it_stands_in_the_place_for_the_movement_to_read(self, here: World) -> None:
        await here.movement("fatima")
        answer = await here.type("fatima", f"/verhaal {WALK}")
        story = await latest(here, "fatima")
        assert (story.text, story.readers, story.named) == (WALK, Readers.MOVEMENT, True)
        [post] = here.posts()
        assert WALK in text_of(post)
        assert "fatima" in text_of(post)
        assert "beweging" in text_of(answer)
        assert {button.name for button in answer.message.buttons} == {"change", "share", "withdraw"}

    async def test_the_form_says_who_reads_and_keeps_the_last_choice_of_name(self, here: World) -> None:
        await here.movement("fatima")
        form = await here.type("fatima", "/story", language="en")
        answer = await here.submit("fatima", form, text=WALK, named="without", readers="everyone", dimension="broaden")
        assert isinstance(answer, Answer)
        [post] = here.posts()
        assert "fatima" not in text_of(post)
        again = await here.type("fatima", "/verhaal")
        assert isinstance(again, Form)
        assert {field.name: field.value for field in again.fields}["named"] == "without"
        await here.type("fatima", "/verhaal Nog een, weer zonder naam")
        assert not (await latest(here, "fatima")).named

    async def test_for_this_place_only_it_cannot_be_carried_on(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        form = await here.type("fatima", "/verhaal")
        await here.submit("fatima", form, text=WALK, readers="thread")
        [post] = here.posts()
        assert [button.name for button in post.message.buttons] == ["ripple"]
        story = await latest(here, "fatima")
        assert declined(await here.do("jan", "share", story=story.id), "story_stays")

    async def test_in_a_personal_chat_it_is_kept_and_posted_nowhere(self, here: World) -> None:
        await here.movement("fatima")
        await here.type("fatima", f"/verhaal {WALK}", channel=None)
        assert (await latest(here, "fatima")).place_id is None
        assert here.messenger.sent == []

    async def test_too_long_for_one_line_loses_nothing(self, here: World) -> None:
        await here.movement("fatima")
        long = "woord " * 300
        form = await here.type("fatima", f"/verhaal {long}")
        assert isinstance(form, Form)
        shown = {field.name: field for field in form.fields}["text"]
        assert shown.value == long.strip()
        assert shown.max_length >= len(long.strip())
        assert str(len(long.strip())) in form.note
        wrong = await here.submit("fatima", form)
        assert isinstance(wrong, FieldErrors)
        assert set(wrong.errors) == {"text"}
        for_good = await here.type("fatima", "/verhaal " + "woord " * 700)
        assert text_of(for_good).count("woord") == 700

    async def test_a_step_done_prefills_it_for_its_owner_only(self, here: World) -> None:
        await here.movement("fatima", "jan")
        now = here.clock.now()
        async with here.begin() as work:
            initiative = InitiativeId("walks")
            work.initiatives.add(
                Initiative(
                    id=initiative,
                    movement_id=MovementId("movement"),
                    name="Wandelen",
                    started_by=None,
                    started_at=now,
                )
            )
            work.steps.add(
                NextStep(
                    id=StepId("step"),
                    movement_id=MovementId("movement"),
                    initiative_id=initiative,
                    episode_id=None,
                    person_id=PersonId("fatima"),
                    cue="na de overdracht",
                    action="vraag ik Jan mee",
                    follow_up_at=now,
                    state=StepState.DONE,
                    outcome=WALK,
                    chosen_at=now,
                )
            )
        form = await here.do("fatima", "story", step="step")
        assert isinstance(form, Form)
        values = {field.name: field.value for field in form.fields}
        assert (values["text"], values["initiative"]) == (WALK, "walks")
        await here.submit("fatima", form)
        assert (await latest(here, "fatima")).initiative_id == "walks"
        assert declined(await here.do("jan", "story", step="step"), "not_found")

    async def test_changing_it_changes_every_copy(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        answer = await here.type("fatima", f"/verhaal {WALK}")
        form = await here.press("jan", here.posts()[0], "share")
        await here.submit("jan", form, place="night", line="Ook iets voor ons?")
        change = await here.press("fatima", answer, "change")
        await here.submit("fatima", change, text="Anders verteld.", named="without")
        for post in (*here.posts(), *here.posts("night")):
            assert "Anders verteld." in text_of(post)
            assert WALK not in text_of(post)
            assert "fatima" not in text_of(post)

    async def test_keeping_it_here_after_all_takes_the_copies_away_and_it_can_travel_again(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        answer = await here.type("fatima", f"/verhaal {WALK}")
        form = await here.press("jan", here.posts()[0], "share")
        await here.submit("jan", form, place="night")
        await here.submit("fatima", await here.press("fatima", answer, "change"), readers="thread")
        assert len(here.posts()) == 1
        assert here.posts("night") == []
        await here.submit("fatima", await here.press("fatima", answer, "change"), readers="movement")
        await here.submit("jan", await here.press("jan", here.posts()[0], "share"), place="night")
        assert len(here.posts("night")) == 1

    async def test_taking_it_back_removes_it_everywhere_and_keeps_no_words(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        answer = await here.type("fatima", f"/verhaal {WALK}")
        story = await latest(here, "fatima")
        await here.submit("jan", await here.press("jan", here.posts()[0], "share"), place="night")
        gone = await here.press("fatima", answer, "withdraw")
        assert isinstance(gone, Answer)
        assert gone.replaces
        assert here.posts() == here.posts("night") == []
        async with here.begin() as work:
            kept = await work.stories.get(story.id, story.movement_id)
        assert kept is not None
        assert kept.text == ""
        assert declined(await here.press("fatima", answer, "withdraw"), "not_found")

    async def test_taking_it_back_while_its_post_is_under_way_reaches_the_post(self, here: World) -> None:
        await here.movement("fatima")
        here.messenger.fail_next.append((NoAnswer(), True))
        answer = await here.type("fatima", f"/verhaal {WALK}")
        assert len(here.posts()) == 1  # it arrived, but Ritme does not know yet
        await here.press("fatima", answer, "withdraw")
        await here.pass_(hours=1)
        assert here.posts() == []

    async def test_taking_it_back_before_it_was_posted_posts_nothing(self, here: World) -> None:
        await here.movement("fatima")
        here.messenger.fail_next.append((TryLater(here.clock.now() + timedelta(minutes=5)), False))
        answer = await here.type("fatima", f"/verhaal {WALK}")
        await here.press("fatima", answer, "withdraw")
        await here.pass_(hours=1)
        assert here.messenger.sent == []

    async def test_one_reads_ones_own_stories_back_one_at_a_time(self, here: World) -> None:
        await here.movement("fatima")
        assert declined(await here.do("fatima", "story.mine"), "no_stories")
        for text in ("Het eerste", "Het tweede"):
            await here.type("fatima", f"/verhaal {text}")
            here.clock.set(here.clock.now() + timedelta(minutes=1))
        newest = await here.do("fatima", "story.mine", channel=None)
        assert "Het tweede" in text_of(newest)
        assert "Het eerste" in text_of(await here.press("fatima", newest, "older", channel=None))


class TestThreads:
    async def test_a_reply_is_marked_and_the_first_time_explained_in_private(self, here: World) -> None:
        await here.movement("fatima")
        await reminder(here)
        await reply(here, "fatima", WALK, "m-1")
        await reply(here, "fatima", "En nog iets.", "m-2")
        story = await told(here, "m-1")
        assert (story.readers, story.part, story.thread) == (Readers.THREAD, "behaviour:0", ROOT)
        assert [(act.act, act.target, act.reaction) for act in here.messenger.acts] == [
            ("react", "m-1", "seedling"),
            ("react", "m-2", "seedling"),
        ]
        [private] = here.private("fatima")
        assert (private.post.channel, private.post.thread) == ("general", ROOT)
        assert [button.name for button in private.message.buttons] == ["keep", "here", "forget"]
        assert here.posts() == []
        async with here.begin() as work:
            rhythm = await work.rhythms.get(RhythmId(f"rhythm-{ROOT}"), MovementId("movement"))
        assert rhythm is not None
        assert rhythm.unanswered == 0

    @pytest.mark.parametrize("kind", ["rhythm_purpose", "rhythm_stories", "rhythm_check_in"])
    async def test_the_choice_holds_for_what_waited_and_for_what_follows(self, here: World, kind: str) -> None:
        await here.movement("fatima")
        await reminder(here, kind)
        await reply(here, "fatima", WALK, "m-1")
        await reply(here, "fatima", "En nog iets.", "m-2")
        kept = await here.press("fatima", here.private("fatima")[0], "keep")
        assert isinstance(kept, Answer)
        assert kept.replaces
        await reply(here, "fatima", "En later.", "m-3")
        assert {(await told(here, one)).readers for one in ("m-1", "m-2", "m-3")} == {Readers.MOVEMENT}
        assert len(here.private("fatima")) == 1
        await here.press("fatima", kept, "here")
        assert (await person(here, "fatima")).story_choice is StoryChoice.HERE
        await reply(here, "fatima", "En nog later.", "m-4")
        assert (await told(here, "m-4")).readers is Readers.THREAD
        assert (await told(here, "m-2")).readers is Readers.MOVEMENT

    async def test_forgetting_keeps_no_words_and_no_mark_and_nothing_later(self, here: World) -> None:
        await here.movement("fatima")
        await reminder(here)
        await reply(here, "fatima", WALK, "m-1")
        await here.press("fatima", here.private("fatima")[0], "forget")
        await reply(here, "fatima", "En nog iets.", "m-2")
        story = await told(here, "m-1")
        assert (story.is_told, story.text) == (False, "")
        assert await story_of(here, "m-2") is None
        assert [act.act for act in here.messenger.acts] == ["react", "unreact"]

    @pytest.mark.parametrize("text", ["", "  ", "👍", ":tada: :+1:", "…!"])
    async def test_what_holds_no_word_is_no_story(self, here: World, text: str) -> None:
        await here.movement("fatima")
        await reminder(here)
        await reply(here, "fatima", text, "m-1")
        assert await story_of(here, "m-1") is None
        assert here.messenger.acts == []

    async def test_a_long_reply_is_kept_whole_a_very_long_one_to_a_word(self, here: World) -> None:
        await here.movement("fatima")
        await reminder(here)
        await reply(here, "fatima", "woord " * 500, "m-1")
        await reply(here, "fatima", "woord " * 900, "m-2")
        assert (await told(here, "m-1")).text == ("woord " * 500).strip()
        cut = (await told(here, "m-2")).text
        assert len(cut) <= 4000
        assert cut.endswith("woord…")

    async def test_elsewhere_nothing_is_kept(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await reminder(here, "rhythm_harvest")
        await reply(here, "fatima", WALK, "m-1")
        await reply(here, "fatima", WALK, "m-2", thread="of people among themselves")
        assert await story_of(here, "m-1") is None
        assert await story_of(here, "m-2") is None

    async def test_the_same_event_again_or_at_once_acts_once(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await reminder(here)
        args = {"text": WALK}
        same = [
            here.intent("fatima", "thread.replied", args, thread=ROOT, message="m-1", key=key)
            for key in ("a", "a", "b", "a")
        ]
        await gather(*(here.ritme.handle(one) for one in same))
        liked = [
            here.intent("jan", "reaction.added", {"reaction": emoji}, message="m-1", key=f"r{key}")
            for key, emoji in enumerate(("heart", "heart", "fire"))
        ]
        await gather(*(here.ritme.handle(one) for one in liked))
        await here.drain()
        story = await told(here, "m-1")
        assert await ripples(here, story) == 1
        assert len([act for act in here.messenger.acts if act.act == "react"]) == 1
        assert len(here.private("fatima")) == 2  # what is kept, and the first ripple

    async def test_an_edit_before_its_message_and_a_deletion_before_it(self, here: World) -> None:
        await here.movement("fatima")
        await reminder(here)
        await here.do("fatima", "message.edited", thread=ROOT, message="m-1", text="Zoals het werd.")
        await reply(here, "fatima", "Zoals het was.", "m-1")
        assert (await told(here, "m-1")).text == "Zoals het werd."
        await here.do("fatima", "message.deleted", thread=ROOT, message="m-2")
        await reply(here, "fatima", "Al weg.", "m-2")
        assert not (await told(here, "m-2")).is_told
        await here.do("fatima", "reaction.added", message="m-2", reaction="heart")
        assert await ripples(here, await told(here, "m-2")) == 0

    async def test_only_its_writer_edits_a_story(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await reminder(here)
        await reply(here, "fatima", WALK, "m-1")
        await here.do("jan", "message.edited", thread=ROOT, message="m-1", text="Van Jan")
        assert (await told(here, "m-1")).text == WALK

    async def test_those_who_tell_in_one_thread_are_tied_once(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await reminder(here)
        for number, who in enumerate(["fatima", "jan", "fatima", "jan"]):
            await reply(here, who, WALK, f"m-{number}")
        async with here.begin() as work:
            [tie] = await work.connecting.ties(MovementId("movement"))
        assert (tie.one_id, tie.other_id, tie.strength) == ("fatima", "jan", 1)


async def test_from_a_thread_a_story_ripples_travels_changes_and_goes(here: World) -> None:
    await here.movement("fatima", "jan", "noor", channels=("general", "night"))
    await reminder(here)
    await reply(here, "fatima", WALK, "m-1")
    story = await told(here, "m-1")
    assert declined(await here.do("jan", "share", story=story.id), "story_stays")
    await here.press("fatima", here.private("fatima")[0], "keep")

    await here.do("jan", "reaction.added", message="m-1", reaction="heart")
    assert await ripples(here, story) == 1
    assert "🌊" in text_of(here.private("fatima")[1])

    form = await here.do("jan", "share", story=story.id)
    await here.submit("jan", form, place="night", line="Zou dit bij ons kunnen?")
    [copy] = here.posts("night")
    assert WALK in text_of(copy)
    assert "general" in text_of(copy)
    assert "Zou dit bij ons kunnen?" in text_of(copy)
    twice = await here.submit("jan", form, place="night")
    assert isinstance(twice, FieldErrors)
    assert set(twice.errors) == {"place"}

    pressed = await here.press("noor", copy, "ripple")
    await here.press("noor", copy, "ripple")
    await here.do("jan", "reaction.added", channel="night", message=copy.receipt.message, reaction="fire")
    assert await ripples(here, story) == 2
    assert "fatima" not in text_of(pressed)
    await here.press("noor", pressed, "undo", channel="night")
    assert await ripples(here, story) == 1
    await here.do("jan", "reaction.removed", message="m-1", reaction="heart")
    assert await ripples(here, story) == 1
    await here.do("jan", "reaction.removed", channel="night", message=copy.receipt.message, reaction="fire")
    assert await ripples(here, story) == 0

    await here.do("fatima", "message.edited", message="m-1", text="We liepen twee rondjes.")
    assert "twee rondjes" in text_of(here.posts("night")[0])
    await here.do("fatima", "message.deleted", message="m-1")
    assert here.posts("night") == []
    assert declined(await here.do("noor", "ripple", story=story.id), "not_found")


class TestRipples:
    async def test_the_teller_hears_of_the_first_and_every_fifth_and_never_who(self, here: World) -> None:
        await here.movement("fatima", *(f"p{n}" for n in range(12)))
        await here.type("fatima", f"/verhaal {WALK}")
        for number in range(11):
            await here.press(f"p{number}", here.posts()[0], "ripple")
            await here.pass_(days=3)
            await here.do("fatima", "story.mine")  # keeps in touch, so that Ritme does not go quiet
        heard = [one for one in here.private("fatima") if "🌊" in text_of(one)]
        assert len(heard) == 3
        assert not any(f"p{number}" in text_of(one) for number in range(12) for one in heard)

    async def test_ones_own_story_does_not_ripple(self, here: World) -> None:
        await here.movement("fatima")
        await here.type("fatima", f"/verhaal {WALK}")
        [post] = here.posts()
        assert declined(await here.press("fatima", post, "ripple"), "own_story")
        await here.do("fatima", "reaction.added", message=post.receipt.message, reaction="heart")
        assert await ripples(here, await latest(here, "fatima")) == 0

    async def test_a_nameless_teller_is_tied_to_nobody(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        form = await here.type("fatima", "/verhaal")
        await here.submit("fatima", form, text=WALK, named="without")
        [post] = here.posts()
        await here.press("jan", post, "ripple")
        await here.do("jan", "thread.replied", thread=post.receipt.message, message="m-9", text="Mooi")
        await here.submit(
            "fatima", await here.do("fatima", "share", story=(await latest(here, "fatima")).id), place="night"
        )
        assert "fatima" not in text_of(here.posts("night")[0])
        async with here.begin() as work:
            assert await work.connecting.ties(MovementId("movement")) == []

    async def test_answering_under_a_story_ties_to_its_teller_once(self, here: World) -> None:
        await here.movement("fatima", "jan")
        await here.type("fatima", f"/verhaal {WALK}")
        [post] = here.posts()
        for number in range(3):
            await here.do("jan", "thread.replied", thread=post.receipt.message, message=f"m-{number}", text="Mooi")
        async with here.begin() as work:
            [tie] = await work.connecting.ties(MovementId("movement"))
        assert tie.strength == 1
        assert await story_of(here, "m-1") is None


class TestSharing:
    async def test_the_teller_hears_once_that_it_travels(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night", "day"))
        await here.type("fatima", f"/verhaal {WALK}")
        for place in ("night", "day"):
            await here.submit("jan", await here.press("jan", here.posts()[0], "share"), place=place)
        assert len(here.private("fatima")) == 1
        assert declined(await here.press("jan", here.posts()[0], "share"), "no_other_place")

    async def test_carried_twice_at_once_it_stands_there_once(self, here: World) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        await here.type("fatima", f"/verhaal {WALK}")
        form = await here.press("jan", here.posts()[0], "share")
        assert isinstance(form, Form)
        filled = {**form.hidden, "place": "night", "line": ""}
        await gather(*(here.ritme.handle(here.intent("jan", "share.save", filled)) for _ in range(4)))
        await here.drain()
        assert len(here.posts("night")) == 1


async def another_movement(here: World) -> Story:
    """A story, an initiative and a place of a movement nobody here belongs to."""
    now = here.clock.now()
    other = Movement(id=MovementId("other"), name="Elders", language=Language.EN, started_at=now)
    async with here.begin() as work:
        work.people.add(Workspace(id=WorkspaceId("test:W2")))
        work.movements.add(other)
        work.people.add(
            Person(id=PersonId("eve"), workspace_id=WorkspaceId("test:W2"), account="eve", name="eve", created_at=now)
        )
        place = Place(id=PlaceId("far"), workspace_id=WorkspaceId("test:W2"), channel="far", created_at=now)
        place.movement_id = other.id
        work.movements.add(place)
        work.initiatives.add(
            Initiative(id=InitiativeId("far-walks"), movement_id=other.id, name="x", started_by=None, started_at=now)
        )
        story = Story(
            id=StoryId("far-story"),
            movement_id=other.id,
            place_id=place.id,
            teller_id=PersonId("eve"),
            text="secret",
            readers=Readers.EVERYONE,
            told_at=now,
        )
        work.stories.add(story)
    return story


@pytest.mark.parametrize("language", ["nl", "en"])
class TestWhatCannotBe:
    @pytest.mark.parametrize(
        "intent",
        ["ripple", "share", "share.save", "story.change", "story.withdraw", "story.keep", "story.here", "story.forget"],
    )
    async def test_a_story_of_another_movement_is_not_there(self, here: World, language: str, intent: str) -> None:
        await here.movement("fatima")
        story = await another_movement(here)
        for foreign in (story.id, "nonsense", ""):
            reply = await here.do("fatima", intent, language=language, story=foreign)
            assert declined(reply, "not_found"), reply
        assert await ripples(here, story) == 0

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("text", ""),
            ("text", "👍"),
            ("text", "x" * 1501),
            ("initiative", "far-walks"),
            ("initiative", ("a", "b")),
            ("dimension", "sideways"),
            ("named", ""),
            ("named", "perhaps"),
            ("readers", "nobody"),
            ("readers", ("movement",)),
        ],
    )
    async def test_a_form_that_cannot_be_read_says_where(
        self, here: World, language: str, field: str, value: str
    ) -> None:
        await here.movement("fatima")
        await another_movement(here)
        (await person(here, "fatima")).language = Language(language)
        good = {"text": WALK, "initiative": "", "dimension": "", "named": "with", "readers": "movement"}
        reply = await here.do("fatima", "story.save", args={**good, field: value}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}
        assert here.messenger.sent == []

    @pytest.mark.parametrize(
        ("field", "value"), [("place", ""), ("place", "general"), ("place", "far"), ("line", "x" * 301)]
    )
    async def test_a_place_that_cannot_be_chosen_says_so(
        self, here: World, language: str, field: str, value: str
    ) -> None:
        await here.movement("fatima", "jan", channels=("general", "night"))
        await another_movement(here)
        await here.type("fatima", f"/verhaal {WALK}")
        good = {"story": (await latest(here, "fatima")).id, "place": "night", "line": ""}
        reply = await here.do("jan", "share.save", args={**good, field: value}, language=language)
        assert isinstance(reply, FieldErrors)
        assert set(reply.errors) == {field}

    async def test_somebody_elses_story_cannot_be_changed(self, here: World, language: str) -> None:
        await here.movement("fatima", "jan")
        answer = await here.type("fatima", f"/verhaal {WALK}", language=language)
        good = {"text": "x y", "named": "with", "readers": "movement"}
        story = button_of(answer, "change").args["story"]
        assert declined(await here.do("jan", "story.save", args={**good, "story": story}), "not_found")
        for intent in ("story.change", "story.withdraw"):
            assert declined(await here.do("jan", intent, language=language, story=story), "not_found")

    async def test_without_a_movement_it_says_how_to_begin(self, here: World, language: str) -> None:
        for line in ("/story", "/verhaal iets", "/ritme oogst", "/ritme verhaaltje"):
            assert "/ritme start" in text_of(await here.type("fatima", line, language=language))

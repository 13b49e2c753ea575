"""Each message goes to whom its words say that it does, and nowhere else."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from bot.chat import Form, Message
from bot.commands import COMPOSERS
from bot.domain.coverage import LOOKS_AFTER, GroupReach, ReachPicture
from bot.domain.delivery import to_place
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Language, PersonId, WorkspaceId
from bot.doors import Told
from bot.ports import Unreachable
from tests.drivers.slack import SlackDriver
from tests.fakes.slack.state import Shown
from tests.journeys.test_across_workspaces import add_west, join, make_code
from tests.journeys.test_asking import WALK, add_movements
from tests.journeys.test_forgetting import act, live
from tests.journeys.test_rhythms import MONDAY as WEEKLY
from tests.journeys.test_steps import submit_step
from tests.journeys.test_stuck import submit_stuck
from tests.support.groups import add_group
from tests.support.readers import ALONE, FOR_COORDINATORS, TOGETHER
from tests.support.stories import add_reminder, get_story, reply_in_thread
from tests.support.world import LANE, MONDAY, MOVEMENT, World, agree, button_of, members_of, open_world, text_of

ONE, COORDINATORS, PLACE, PAGE = "one person", "coordinators", "a place", "their own page"
READ_BY = {
    "answer": ONE,
    "went_quiet": ONE,
    "home": PAGE,
    "place_lost": COORDINATORS,
    "groups_offered": COORDINATORS,
    "place_joined": COORDINATORS,
    "welcome": PLACE,
    "welcomed": ONE,
    "initiative_joined": ONE,
    "carry_offered": ONE,
    "silence_asked": ONE,
    "room_asked": ONE,
    "room_answered": ONE,
    "room_unanswered": ONE,
    "room_ending": ONE,
    "support_given": ONE,
    "rhythm_purpose": PLACE,
    "rhythm_stories": PLACE,
    "rhythm_check_in": PLACE,
    "rhythm_look_back": PLACE,
    "rhythm_harvest": PLACE,
    "rhythm_quilt": PLACE,
    "history_asked": ONE,
    "history_posted": PLACE,
    "history_given": ONE,
    "initiatives_alike": ONE,
    "rhythm_meeting": PLACE,
    "names_round": PLACE,
    "holdout_said": PLACE,
    "ties_round": PLACE,
    "group_out_of_reach": COORDINATORS,
    "meeting_proposed": ONE,
    "meeting_set": ONE,
    "meeting_after": ONE,
    "pace_asked": COORDINATORS,
    "moment_dropped": COORDINATORS,
    "year_drawn": COORDINATORS,
    "quilt_drawn": ONE,
    "history_drawn": ONE,
    "cloud_drawn": ONE,
    "spread_drawn": ONE,
    "choice_round": PLACE,
    "choice_told": ONE,
    "stuck_posted": PLACE,
    "company_asked": ONE,
    "company_together": ONE,
    "stuck_return": ONE,
    "step_posted": PLACE,
    "group_hours": ONE,
    "follow_up": ONE,
    "experiment_ends": ONE,
    "chance_asked": ONE,
    "steering_asked": ONE,
    "nominated": ONE,
    "invitation": ONE,
    "invitation_answered": ONE,
    "invitation_quiet": ONE,
    "did_you_meet": ONE,
    "coordinator_asked": COORDINATORS,
    "story_posted": PLACE,
    "story_kept": ONE,
    "story_asked": ONE,
    "story_saved": ONE,
    "story_ripple": ONE,
    "story_shared": PLACE,
    "story_travelled": ONE,
    "words_asked": ONE,
    "story_harvested": ONE,
    "print_asked": ONE,
    "print_next": ONE,
    "story_answered": ONE,
    "story_question": ONE,
    "check_in_answered": ONE,
    "door_told": ONE,
    "door_card": ONE,
}
"""The readers of each kind of delivery that has words."""
ELSEWHERE = {
    "webhook_ended": "an address outside fails for days; journeys/test_webhooks.py",
    "personal_file": "journeys/test_export.py looks at where the file comes",
    "takeaway_file": "journeys/test_takeaways.py looks at where the file comes",
    "calendar_file": "journeys/test_calendars.py looks at where the file comes",
    "card_drawn": "journeys/test_cards.py looks at where the card comes",
    "card_file": "journeys/test_cards.py looks at where the card comes",
    "magazine_file": "journeys/test_magazines_on_platforms.py looks at where the file comes",
    "export": "an earlier version planned it; journeys/test_export.py",
    "room_taken_back": "it changes the message of one person; journeys/test_rooms.py",
    "invitation_taken_back": "it changes the message of one person; journeys/test_taking_back.py",
    "initiative_settled": "it changes the card of one person; journeys/test_carrying.py",
    "taken_back": "it changes a message that stands, wherever that is; journeys/test_forgetting.py",
}
"""Kinds that have tests of their own, with the reason."""


@dataclass(frozen=True)
class Heard:
    """A message that arrived: for whom, where, and what it said about that (its small print)."""

    kind: str
    account: str | None
    channel: str | None
    act: str
    said: str
    coordinates: bool


async def live_through_everything(world: World) -> list[Heard]:
    """Live through one of everything that Ritme sends, and return what arrived."""
    await live(world)
    await stay_out_of_reach(world)
    evening = {"group": "Staf", "quiet_from": "19:00", "quiet_until": "08:00", "quiet_weekends": "yes"}
    await world.do("iris", "hours.save", args=evening)
    await act(world, "iris", "groups")
    await world.do("noor", "coordinators.ask", about="rhythm.new")
    await world.do("jan", "nominate.save", args={"inspirer": ("wim",), "maven": ("nieuw",)})
    await world.do("jan", "home.opened", blank="yes")
    await world.do("iris", "rhythm.year")
    await world.do("iris", "place.joined", channel="new")
    for kind, day in (("purpose", "TH"), ("stories", "TU"), ("check_in", "WE")):
        place = "night" if kind == "check_in" else "general"
        args = {**WEEKLY, "kind": kind, "weekdays": (day,), "place": place}
        await world.do("iris", "rhythm.save", args=args)
    await meet_others(world)
    await look_back_together(world)
    await world.do("wim", "chance", text="Morgen is er taart")
    await broaden(world)
    today = world.clock.now()
    tuesday = (today + timedelta(days=8 - today.weekday())).date().isoformat()
    tried = {"trying": "Samen eten", "sign": "Het is vol", "day": tuesday, "initiative": ""}
    await world.do("jan", "experiment.save", args=tried)
    await tell_at_a_door(world)
    await answer_each_other(world)
    await make_magazine(world)
    await add_reminder(world, "rhythm_stories")
    await reply_in_thread(world, "noor", "We liepen een rondje.", "reply-1")
    await reply_in_thread(world, "noor", "We liepen met mevrouw Bos.", "reply-2")
    await give_back(world)
    await ask_around(world)
    await world.pass_(days=40)
    # Nobody answers for weeks: once the service was down, and a place was lost.
    await world.do("iris", "help")
    world.clock.set(world.clock.now() + timedelta(days=20))
    await world.drain()
    await world.pass_(days=30)
    await world.do("iris", "rhythm.save", args={**WEEKLY, "kind": "purpose", "weekdays": ("FR",), "place": "night"})
    await world.do("iris", "effect.begin")
    await world.pass_(days=8)
    await add_west(world)
    await join(world, await make_code(world))
    await world.do("fatima", "help")
    world.messenger.fail_next = [(Unreachable("not_in_place", place_is_gone=True), False)]
    await world.do("fatima", "story.save", text="Nog een.", readers="everyone", named="with", channel="night")
    await world.pass_(days=2)
    async with world.database.connect() as connection:
        rows = (await connection.execute(text("SELECT id, kind FROM deliveries"))).all()
        found = await connection.execute(
            text("SELECT p.account FROM people p JOIN members m ON m.person_id = p.id WHERE m.role = 'coordinator'")
        )
        coordinators = {account for (account,) in found}
    kinds: dict[str, str] = dict(rows)  # type: ignore[arg-type]
    arrived = [(one.post, one.message) for one in world.messenger.sent]
    arrived += [(one, one.page.message if one.page else one.message) for one in world.messenger.acts if one.page]
    return [
        Heard(
            kind=kinds[post.delivery],
            account=post.account,
            channel=post.channel,
            act=post.act,
            said="\n".join(one.text for one in message.paragraphs if one.kind == "small") if message else "",
            coordinates=post.account in coordinators,
        )
        for post, message in arrived
    ]


async def stay_out_of_reach(world: World) -> None:
    """Let a group be out of reach when Ritme looks, and have been so for a month."""
    await add_group(world, "Staf", "s1", "s2", "s3", "s4", "s5")
    async with world.begin() as work:
        movement = await work.movements.get(MOVEMENT)
        assert movement is not None
        since = world.clock.now() - LOOKS_AFTER
        staff = GroupReach(group="Staf", well=0, once=0, unknown=5, out_since=since)
        movement.looked_at, movement.reach = None, ReachPicture(at=since, groups=(staff,)).dump()


async def broaden(world: World) -> None:
    """Let somebody new tell three times that more people join what they began."""
    await world.do("bo", "initiative.save", args={"name": "Muziek op de gang", "description": ""})
    async with world.begin() as work:
        (music,) = [one for one in await work.initiatives.of_movement(MovementId("movement")) if "Muziek" in one.name]
    for told in ("Er zongen er drie.", "Er zongen er tien.", "Iedereen zong."):
        story = {"text": told, "named": "without", "readers": "movement", "dimension": "broaden"}
        await world.do("bo", "story.save", args={**story, "initiative": music.id}, channel=None)


async def ask_around(world: World) -> None:
    """Let a coordinator ask in a place, where little else is posted, who in a group passes things on, and whom people
    ask something."""
    await add_group(world, "Nachtdienst", "n1", "n2", "n3", "n4", "n5")
    async with world.begin() as work:
        place = Place(
            id=PlaceId("nights"),
            workspace_id=WorkspaceId(LANE),
            channel="nights",
            name="nights",
            created_at=world.clock.now(),
        )
        place.movement_id = MovementId("movement")
        work.movements.add(place)
    await world.do("iris", "reach.names.save", group="Nachtdienst", place="nights")
    await world.do("iris", "reach.ties.save", place="nights")
    await world.pass_(days=3)


async def look_back_together(world: World) -> None:
    """Let those who take part in an initiative look back on it together."""
    shown = await world.do("jan", "initiative.save", args={"name": "Samen eten", "description": ""})
    about = button_of(shown, "close").args["initiative"]
    await world.do("noor", "initiative.join", initiative=about)
    await world.do("jan", "history.begin", initiative=about)


async def meet_others(world: World) -> None:
    """Let three people meet, and those who try the same hear of each other."""
    # By people who get nothing else: what is alike waits for room in their attention budget.
    for who, name in (("piet", "Bewoners in de tuin"), ("kees", "De tuin open voor bewoners")):
        await world.do(who, "initiative.save", args={"name": name, "description": ""})
    for who in ("jan", "wim", "noor"):
        await world.do(who, "meeting.join")
    for kind, day in (("quilt", "MO"), ("meeting", "TU")):
        await world.do("iris", "rhythm.save", args={**WEEKLY, "kind": kind, "weekdays": (day,), "place": "night"})
    await world.pass_(days=4)
    for who in ("jan", "wim"):
        asked = next(one for one in world.private(who) if one.message and has_button(one.message, "come"))
        await world.press(who, asked, "come", channel=None)
    # Only now: before, these messages would take the room that the proposal needs in the budget.
    async with world.begin() as work:
        (garden,) = [
            one.id for one in await work.initiatives.of_movement(MOVEMENT) if one.name == "Bewoners in de tuin"
        ]
    await world.do("noor", "initiative.join", initiative=garden)
    until = (world.clock.now() + timedelta(days=40)).date().isoformat()
    # Asked by people who get little else, as above.
    for asker, who in (("gijs", "karin"), ("tess", "els")):
        await world.do(asker, "initiative.join", initiative=garden)
        asked = {"trying": "Buiten eten.", "asking": "Mag dat?", "until": until, "person": (who,)}
        await world.do(asker, "room.send", args={**asked, "initiative": garden})
        if who == "karin":
            card = next(one for one in world.private(who) if one.message and has_button(one.message, "grant"))
            given = await world.press(who, card, "grant", channel=None)
            form = await world.press(who, given, "support", channel=None)
            await world.submit(who, form, channel=None, words="Mooi dat jullie dit proberen.")
    await world.do("noor", "initiative.save", args={"name": "Soep", "description": ""})
    async with world.begin() as work:
        (soup,) = [one.id for one in await work.initiatives.of_movement(MOVEMENT) if one.name == "Soep"]
    await world.do("roos", "initiative.join", initiative=soup)
    await world.do("noor", "initiative.leave", initiative=soup)


async def tell_at_a_door(world: World) -> None:
    """Let somebody without an account tell a story at a door, and a coordinator ask for its card."""
    await world.do("tess", "initiative.save", args={"name": "Zwaaien", "description": ""})
    async with world.begin() as work:
        (waving,) = [one.id for one in await work.initiatives.of_movement(MOVEMENT) if one.name == "Zwaaien"]
    day = (world.clock.now() + timedelta(days=28)).date().isoformat()
    await world.do("iris", "door.save", args={"initiative": waving, "day": day, "question": "Wat maakte je mee?"})
    async with world.begin() as work:
        door = (await work.doors.of_movement(MOVEMENT, 1))[0].id
    await world.do("iris", "door.card", door=door)
    told = Told(text="We zwaaiden naar elkaar.", once="once", code="code")
    assert (await world.ritme.doors.tell(door, told, Language.NL)).outcome == "told"
    await world.drain()


async def give_back(world: World) -> None:
    """Let a harvest hold what was told elsewhere."""
    for number in range(3):
        await world.do(
            "noor", "story.save", text=f"Rondje {number}.", readers="everyone", named="with", channel="night"
        )
    async with world.begin() as work:
        place = await work.movements.place(PlaceId("general"))
        assert place is not None
        await work.deliveries.add(to_place(place, "rhythm_harvest", key="again", now=world.clock.now()))
    await world.pass_(days=1)


async def answer_each_other(world: World) -> None:
    """Let somebody ask something under a story, and go on with what they said at a check-in."""
    await world.do("mila", "story.save", text="We dansten.", readers="everyone", named="with", channel="night")
    post = world.posts("night")[-1]
    answer = {"thread": post.receipt.message, "message": "asked-1", "text": "Hoe deed je dat?", "channel": "night"}
    await world.do("wim", "thread.replied", **answer)
    await world.do("noor", "lookback.draw", channel=None)
    await world.do("noor", "quilt.draw", channel=None)
    await world.do("mila", "initiative.save", args={"name": "Dansen", "description": ""})
    async with world.begin() as work:
        (dance,) = [one for one in await work.initiatives.of_movement(MOVEMENT) if one.name == "Dansen"]
    for who in ("noor", "mila", "wim", "sanne", "roos"):
        told = {"text": "We dansten weer.", "named": "with", "readers": "movement", "where": "nowhere"}
        told["initiative"] = dance.id
        thanks = await world.do(who, "story.save", args=told, channel="night")
        point = "deepen" if who in ("noor", "mila") else "steer"
        await world.press(who, thanks, f"triangle_{point}", channel="night")
    await world.do("noor", "cloud", channel=None)
    async with world.begin() as work:
        for who in ("noor", "mila", "wim", "sanne", "roos"):
            person = await work.people.by_account(WorkspaceId(LANE), who)
            assert person is not None
            person.group, person.chose = "Wijkteam", ["group"]
    await world.do("noor", "map", channel=None)
    about = {"places": ("general",), "period": "month", "initiative": dance.id}
    await world.do("iris", "choice.save", args=about)
    await world.pass_(hours=1)
    # Iris told none of these: the why of a story that is one's own goes to nobody, and chance orders them.
    # Chance orders the stories. Wim was told of as much as he wants this week; he would hear of it later.
    async with world.begin() as work:
        wim = await work.people.by_account(WorkspaceId(LANE), "wim")
        assert wim is not None
        his = [one.id for one in await work.stories.of_teller(wim.id, 20)]
    offered = [button_of(world.posts()[-1], f"pick_{number}") for number in (1, 2)]
    picked = next(one.name for one in offered if one.args["story"] not in his)
    form = await world.press("iris", world.posts()[-1], picked)
    await world.submit("iris", form, why="Samen dansen brengt ons verder.")
    await add_reminder(world, "rhythm_check_in", thread="checked")
    await reply_in_thread(world, "sanne", "Eens.", "checked-1", thread="checked")
    await world.do("sanne", "story.here", story=(await get_story(world, "checked-1")).id)
    await reply_in_thread(world, "sanne", "We proberen nu elke avond een rondje.", "checked-2", thread="checked")
    await world.pass_(hours=2)


async def make_magazine(world: World) -> None:
    """Let somebody who is asked little else be asked about two stories of theirs, one after the other."""
    for told in ("We aten buiten.", "We zongen buiten."):
        await world.do("ada", "story.save", text=told, readers="movement", named="with", channel="night")
    desk = await world.do("iris", "magazine.save", args={"name": "Ons jaar", "history": "yes"})
    form = await world.press("iris", desk, "choose")
    assert isinstance(form, Form)
    outside = tuple(one.value for one in form.fields[0].options if "buiten." in one.label)
    await world.submit("iris", form, stories=outside)
    await world.pass_(days=3)
    await world.press("ada", world.private("ada")[-1], "yes_none", channel=None)
    await world.pass_(minutes=1)


def has_button(message: Message, name: str) -> bool:
    return any(button.name == name for button in message.buttons)


@cache
def everything_heard() -> tuple[Heard, ...]:
    async def run(path: Path) -> list[Heard]:
        async with open_world(path, pages=True) as world:
            return await live_through_everything(world)

    with TemporaryDirectory() as path:
        return tuple(asyncio.run(run(Path(path))))


def test_every_kind_is_known() -> None:
    assert set(READ_BY) | set(ELSEWHERE) == set(COMPOSERS)


@pytest.mark.parametrize("kind", READ_BY)
def test_each_kind_is_sent_to_whom_its_words_say(kind: str) -> None:
    heard = [one for one in everything_heard() if one.kind == kind]
    assert heard, "nobody lived through it"
    for one in heard:
        if READ_BY[kind] == PLACE:
            assert one.channel, one
            assert one.account is None, one
        else:
            assert one.account, one
        if READ_BY[kind] == COORDINATORS:
            assert one.coordinates, one
            assert one.channel is None, "in their own chat"
        assert (one.act == "home") is (READ_BY[kind] == PAGE)


def test_no_words_contradict_who_reads_them() -> None:
    everything = everything_heard()
    for words, is_so in (
        (ALONE, lambda one: one.account is not None),
        (TOGETHER, lambda one: one.account is None),
        (FOR_COORDINATORS, lambda one: one.account is not None and one.coordinates),
    ):
        saying = [one for one in everything if words.search(one.said)]
        assert saying, words
        assert [one for one in saying if not is_so(one)] == []


async def lose_place(world: World, name: str = "general") -> None:
    async with world.begin() as work:
        place = await work.movements.place(PlaceId(name))
        assert place is not None
        place.mark_unreachable("not_in_place")


async def change_person(world: World, who: str, **values: object) -> None:
    async with world.begin() as work:
        person = await work.people.in_workspace(PersonId(who), WorkspaceId(LANE))
        assert person is not None
        for name, value in values.items():
            setattr(person, name, value)


@pytest.mark.parametrize("line", ["/ritme help", "/ritme ik", "/ritme thuis", "/vast het loopt niet", "/ritme foo"])
async def test_on_slack_answers_are_for_one_pair_of_eyes(on_slack: SlackDriver, line: str) -> None:
    await on_slack.movement("fatima", "jan")
    shown = await on_slack.type("fatima", line)
    assert isinstance(shown, Shown)
    assert ALONE.search(shown.words())
    assert shown.only_for == on_slack.user("fatima")
    assert on_slack.posts() == on_slack.private("jan") == []


async def test_an_invitation_and_its_answer_are_read_by_two_people(world: World) -> None:
    await add_movements(world, "fatima", "sanne", "jan")
    await agree(world.begin, "sanne")
    await world.do("fatima", "invite.send", person="sanne", initiative=WALK, text="Loop je mee?")
    await world.press("sanne", world.private("sanne")[-1], "accept", channel=None)
    await world.pass_(days=3)
    assert "Loop je mee?" in text_of(world.private("sanne")[0])
    assert "sanne" in text_of(world.private("fatima")[-1])
    assert world.posts() == world.private("jan") == world.private("iris") == []


async def test_who_stopped_is_not_promised_an_answer(world: World) -> None:
    await add_movements(world, "fatima", "sanne")
    await agree(world.begin, "sanne")
    await change_person(world, "fatima", stopped_at=MONDAY)
    sent = await world.do("fatima", "invite.send", person="sanne", initiative=WALK, text="Loop je mee?")
    assert "hoor je van mij" not in text_of(sent)
    asked = await world.do("fatima", "saving.ask", author="sanne", text="We liepen een rondje.", message="m1", args={})
    assert "Bij een ja" not in text_of(asked)
    for button in ("accept", "keep"):
        card = next(one for one in world.private("sanne") if button in str(one.message))
        await world.press("sanne", card, button, channel=None)
    await world.pass_(days=20)
    assert world.private("fatima") == []


@pytest.mark.parametrize("size", [4, 5])
async def test_a_group_is_named_from_five_people_on(world: World, size: int) -> None:
    people = [f"p{number}" for number in range(size)]
    await add_movements(world, "fatima", *people)
    for who in people:
        await change_person(world, who, group="Nachtploeg")
    await agree(world.begin, "p0", figures=("connector",))
    said = text_of(await world.do("fatima", "connect.look", initiative=WALK, figure="connector"))
    assert "p0" in said
    assert ("Nachtploeg" in said) is (size >= 5)


async def test_how_a_step_went_is_read_by_nobody_until_it_is_told(world: World) -> None:
    await world.movement("fatima", "jan")
    await submit_step(world, await submit_stuck(world))
    await world.until(MONDAY + timedelta(days=1))
    form = await world.press("fatima", world.private("fatima")[0], "done", channel=None)
    welcomed = await world.submit("fatima", form, channel=None, outcome="Samira loopt mee")
    await world.pass_(days=10)
    assert not [one for one in world.messenger.sent if one.post.account != "fatima" and "Samira" in str(one.message)]
    looked = text_of(await world.do("jan", "lookback", channel=None))
    assert "Samira" not in looked
    story = await world.press("fatima", welcomed, "tell_story")
    await world.submit("fatima", story, text="Samira loopt mee", named="with", readers="movement")
    assert "Samira loopt mee" in text_of(world.posts()[-1])


async def test_who_does_something_belongs_and_nobody_else(world: World) -> None:
    await world.movement()
    await world.do("nieuw", "help")
    await reply_in_thread(world, "voorbij", "Wat een mooie dag.", "m1", thread="theirs")
    async with world.begin() as work:
        found = {person.account for person in await members_of(work)}
    assert found == {"iris", "nieuw"}


class TestNotInTheChannelYet:
    @pytest.mark.parametrize(
        ("language", "never", "said"),
        [
            ("nl", "leest iedereen in #general", "komt in #general zodra ik daar weer bij kan"),
            ("en", "Everyone in #general can read", "comes in #general as soon as I can reach it"),
        ],
    )
    async def test_what_one_is_stuck_with(self, world: World, language: str, never: str, said: str) -> None:
        await world.movement("fatima")
        await change_person(world, "fatima", language=Language(language))
        await lose_place(world)
        welcome = await submit_stuck(world, audience="channel")
        assert world.posts() == []
        assert never not in text_of(welcome)
        assert said in text_of(welcome)
        await world.do("iris", "place.back")
        assert "De nacht komt niet" in text_of(world.posts()[0])

    @pytest.mark.parametrize(
        ("language", "never", "said"),
        [
            ("nl", "iedereen daar leest", "komt in #general zodra ik daar weer bij kan"),
            ("en", "everyone there reads", "comes in #general as soon as I can reach it"),
        ],
    )
    async def test_a_step(self, world: World, language: str, never: str, said: str) -> None:
        await world.movement("fatima")
        await change_person(world, "fatima", language=Language(language))
        await lose_place(world)
        card = await submit_step(world, await submit_stuck(world), post="yes")
        assert world.posts() == []
        assert never not in text_of(card)
        assert said in text_of(card)
        await world.do("iris", "place.back")
        assert "vraag ik Jan" in text_of(world.posts()[0])

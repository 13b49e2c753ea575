"""A world with one of everything that a button or form can be about, and what each of them takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from bot.chat import Value
from bot.domain.addition import Addition, join_words
from bot.domain.api_token import ApiToken, ApiTokenId
from bot.domain.choosing import CHOICE_ROUND, Significance, SignificanceId
from bot.domain.company import round_key
from bot.domain.connectors import (
    Invitation,
    InvitationId,
    InvitationState,
    KeyFigure,
    Nomination,
    NominationId,
    Suggestion,
    SuggestionId,
    TieAnswer,
    TieAnswerId,
)
from bot.domain.coverage import NAMES_ROUND
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.door import DoorStory, DoorStoryId, StoryDoor, StoryDoorId, digest_words
from bot.domain.experiment import Experiment, ExperimentId
from bot.domain.feed import CalendarFeed, FeedId
from bot.domain.held_words import HeldWords, HeldWordsId
from bot.domain.history import HistoryRound, HistoryRoundId
from bot.domain.initiative import (
    Company,
    CompanyId,
    EpisodeId,
    Initiative,
    InitiativeId,
    Participant,
    StuckEpisode,
)
from bot.domain.magazine import Magazine, MagazineId, PrintAnswer, PrintConsent
from bot.domain.meeting import Guest, GuestAnswer, Meeting, MeetingId
from bot.domain.movement import (
    InviteCode,
    InviteCodeId,
    Movement,
    MovementId,
    Place,
    PlaceId,
    Purpose,
    PurposeId,
    hash_code,
)
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId, StepState
from bot.domain.person import Language, PersonId, Workspace, WorkspaceId
from bot.domain.practice import behaviour_mark
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.room import Room, RoomId, RoomState
from bot.domain.story import Readers, Ripple, Story, StoryId, StoryRequest, StoryRequestId
from bot.domain.webhook import Webhook, WebhookId
from bot.ports import UnitOfWork
from tests.support.world import LANE, World

MOVEMENT = MovementId("movement")
DAY = timedelta(days=1)
TEXT, ADDED = "Niemand komt", "Ook 's nachts niet"
BEHAVIOUR = "Handen op je rug"
CODE = "K7QM-4TXD-9RFW"
GROUP = "Wijkteam"
PEOPLE = ("fatima", "jan", "kwame", "sanne", "noor")


@dataclass(frozen=True)
class Act:
    """A press of a button, or (with `opener`, the button that opens it) the sending of a form over the values it holds.

    `channel` is None for one in someone's own chat.
    """

    who: str = "fatima"
    args: Mapping[str, str] = field(default_factory=dict)
    channel: str | None = "general"
    opener: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


def press(who: str = "fatima", channel: str | None = "general", **args: str) -> Act:
    return Act(who, args, channel)


def form(opener: str, about: Mapping[str, str] | None = None, who: str = "fatima", **values: Value) -> Act:
    return Act(who, about or {}, opener=opener, values=values)


EPISODE, STEP, WALK, STORY, RHYTHM = (
    {"episode": "spell"},
    {"step": "step", "round": "0"},
    {"initiative": "walk"},
    {"story": "told"},
    {"rhythm": "weekly"},
)
MAGAZINE = {"magazine": "printed"}
TOLD_AT_DOOR = {"door": "door", "told": "told", "words": digest_words("We zwaaiden.", "een buur")}
NEW_RHYTHM = {
    "kind": "stories",
    "place": "general",
    "every": "1",
    "weekdays": "MO TH",
    "at": "10:00",
    "on_holiday": "skip",
}
PRESSES: Mapping[str, Act] = {
    "help": press(),
    "home": press(channel=None),
    "home.switch": press(channel=None, to="movement"),
    "board": press(channel=None),
    "board.end": press(channel=None),
    "start": press(channel="new"),
    "start.begin": press(channel="new"),
    "start.link": press("iris", "new"),
    "start.take_on": press("jan", "orphaned"),
    "start.join": press(channel="new"),
    "start.leave": press("iris"),
    "calendar": press(),
    "calendar.make": press(),
    "calendar.revoke": press(),
    "calendar.file": press(),
    "api": press("iris"),
    "api.new": press("iris"),
    "api.revoke": press("iris", token="token"),
    "webhook": press("iris"),
    "webhook.new": press("iris"),
    "webhook.test": press("iris", webhook="hook"),
    "webhook.on": press("iris", webhook="hook"),
    "webhook.remove": press("iris", webhook="hook"),
    "code": press("iris"),
    "code.make": press("iris"),
    "code.revoke": press("iris"),
    "purpose": press(),
    "behaviour": press(behaviour=behaviour_mark(BEHAVIOUR)),
    "purpose.change": press("iris"),
    "purpose.earlier": press("iris"),
    "purpose.take_back": press("iris", version="1"),
    "initiative": press(),
    "initiative.look": press(**WALK),
    "initiative.make": press(),
    "initiative.describe": press(**WALK),
    "initiative.join": press("jan", **WALK),
    "initiative.leave": press(**WALK),
    "initiative.close": press(**WALK),
    "initiative.reopen": press(initiative="closed"),
    "experiment": press(),
    "experiment.look": press(experiment="tried"),
    "experiment.move": press(experiment="tried", moved="0"),
    "experiment.end": press(experiment="going", moved="0"),
    "experiment.answer": press(experiment="tried", moved="0", answer="stopped"),
    "room.ask": press(**WALK),
    "room.take_back": press(room="room"),
    "room.grant": press("jan", room="room"),
    "room.limit": press("jan", room="room"),
    "room.talk": press("jan", room="room"),
    "room.decline": press("jan", room="room"),
    "room.end": press("jan", room="given"),
    "support.give": press("jan", room="given"),
    "support.undo": press("jan", room="supported"),
    "initiative.carry": press("jan", initiative="orphan"),
    "initiative.going": press(**WALK),
    "initiative.rest": press(**WALK),
    "rhythm": press(),
    "rhythm.look": press(**RHYTHM),
    "rhythm.new": press("iris"),
    "rhythm.more": press("iris"),
    "rhythm.moment": press("iris", **RHYTHM),
    "rhythm.pause": press("iris", **RHYTHM),
    "rhythm.resume": press("iris", **RHYTHM),
    "rhythm.double": press("iris", **NEW_RHYTHM),
    "rhythm.edit": press("iris", **RHYTHM),
    "rhythm.apply": press("iris", **NEW_RHYTHM, **RHYTHM),
    "rhythm.copy": press("iris", **RHYTHM),
    "rhythm.undo": press("iris", **RHYTHM, change=""),
    "rhythm.heard.save": press("iris", **NEW_RHYTHM, starts="2027-03-08"),
    "rhythm.end": press("iris", **RHYTHM),
    "rhythm.slower": press("iris", **RHYTHM),
    "rhythm.keep": press("iris", **RHYTHM),
    "rhythm.place": press("iris"),
    "rhythm.zone": press("iris", place="general", keep="clock", was="Europe/London"),
    "rhythm.fit": press("iris", place="general", **RHYTHM),
    "rhythm.closed": press("iris"),
    "rhythm.year": press("iris"),
    "lookback.draw": press(),
    "quilt.draw": press(),
    "cloud": press(),
    "choice": press("iris"),
    "choice.end": press("iris", occasion="autumn"),
    "choice.pick": press("jan", round="choosing", story="told"),
    "choice.agree": press(channel=None, significance="chosen"),
    "choice.decline": press(channel=None, significance="chosen"),
    "choice.forget": press(channel=None, **STORY),
    "map": press(),
    "cloud.choose": press("iris"),
    "meaning": press(channel=None, meant="triangle:steer", **STORY),
    "meaning.other": press(channel=None, **STORY),
    "meaning.clear": press(channel=None, **STORY),
    "rhythm.closed.add": press("iris"),
    "rhythm.closed.drop": press("iris", days="2027-05-07/2027-05-08"),
    "country": press("iris"),
    "country.choose": press("iris"),
    "country.days": press("iris", where="movement"),
    "country.save": press("iris", where="movement", country="BE", region="", weekend="56", changed=""),
    "groups": press("iris"),
    "effect": press(),
    "effect.begin": press("iris"),
    "effect.end": press("iris"),
    "changes": press(),
    "council": press(),
    "council.agree": press("iris"),
    "council.withdraw": press("iris"),
    "hours": press("iris"),
    "hours.set": press("iris", group="Nacht"),
    "hours.keep": press(were="18:00:00 08:00:00 yes"),
    "groups.choose": press("iris", list="offered"),
    "trouble": press("iris"),
    "trouble.again": press("iris", delivery="failed"),
    "trouble.leave": press("iris", delivery="failed"),
    "trouble.place": press("iris", place="lost"),
    "trouble.knock": press("iris"),
    "stuck": press(),
    "stuck.new": press(),
    "stuck.other": press(**EPISODE),
    "stuck.solved": press(**EPISODE),
    "stuck.take_apart": press(episode="spell", part=Addition.after(TEXT, ADDED).write(), was="other", kind="energy"),
    "stuck.change": press(**EPISODE),
    "company.rest": press(episode="spell", round="1"),
    "stuck.go_on": press(**EPISODE),
    "stuck.not_now": press(**EPISODE),
    "stuck.return": press(episode="spell", after="month"),
    "stuck.moves_again": press(**EPISODE),
    "stuck.let_go": press(**EPISODE),
    "company": press(**EPISODE),
    "company.ask": press(episode="spell", people="kwame,sanne", reserve="noor"),
    "company.give": press("jan", company="beside"),
    "company.decline": press("jan", company="beside"),
    "step": press(**EPISODE),
    "step.smaller": press(**STEP),
    "step.done": press(**STEP),
    "step.else": press(**STEP),
    "step.not_yet": press(**STEP),
    "step.pick_up": press(**STEP),
    "step.still_stuck": press(**STEP),
    "step.let_go": press(**STEP),
    "chance": press(),
    "chance.look": press(chance="sun"),
    "chance.seize": press(chance="sun"),
    "chance.keep": press(chance="sun", round="0"),
    "chance.let_pass": press(chance="sun"),
    "nominate": press(),
    "reach": press("iris"),
    "reach.names": press("iris", group=GROUP),
    "reach.names.here": press("iris", group=GROUP, place="general", again="once"),
    "reach.not_now": press("iris", group=GROUP),
    "reach.end": press("iris", kind="ties_round", place="general"),
    "reach.ties": press("iris"),
    "reach.take_back": press("iris", delivery="round"),
    "ties": press(),
    "ties.take_back": press("jan", None),
    "ties.confirm": press(channel=None, movement="movement", person="jan"),
    "ties.deny": press(channel=None, movement="movement", person="jan"),
    "suggest.yes": press("jan", None, movement="movement"),
    "suggest.no": press("jan", None, movement="movement"),
    "connect": press(**EPISODE),
    "connect.why": press(initiative="walk", people="kwame"),
    "connect.other": press(initiative="walk", people="kwame", figure="connector"),
    "connect.not_now": press(initiative="walk", people="kwame"),
    "invite": press(person="kwame", initiative="walk"),
    "invitation.accept": press("jan", None, invitation="sent"),
    "invitation.decline": press("jan", None, invitation="sent"),
    "invitation.later": press("jan", None, invitation="sent"),
    "invitation.take_back": press(channel=None, invitation="sent"),
    "invitation.met": press(channel=None, invitation="accepted"),
    "invitation.not_met": press(channel=None, invitation="accepted"),
    "meeting.join": press(),
    "meeting.leave": press(),
    "meeting.come": press(channel=None, meeting="lunch"),
    "meeting.decline": press(channel=None, meeting="lunch"),
    "meeting.card": press(channel=None, meeting="soup"),
    "meeting.card.print": press(channel=None, meeting="soup", where="Buiten", words="Kom."),
    "meeting.met": press(channel=None, meeting="lunch"),
    "meeting.not_met": press(channel=None, meeting="lunch"),
    "lookback": press(**WALK),
    "history.begin": press(**WALK),
    "history.answer": press(channel=None, round="looked"),
    "me": press(channel=None),
    "me.settings": press(channel=None),
    "me.snooze": press(channel=None),
    "me.wake": press("sanne", None),
    "me.come_back": press("noor", None),
    "me.export": press(channel=None),
    "me.forget": press(channel=None),
    "stop": press(channel=None),
    "stop.me": press(),
    "coordinators.ask": press(about="rhythm"),
    "story": press(step="done"),
    "story.change": press(channel=None, **STORY),
    "story.withdraw": press(channel=None, **STORY),
    "story.mine": press(),
    "story.read": press("jan", stories="told"),
    "search": press("jan", text="rondje"),
    "search.narrow": press("jan", text="rondje"),
    "story.keep": press(channel=None, story="kept"),
    "story.here": press(channel=None, story="kept"),
    "story.forget": press(channel=None, story="kept"),
    "story.take_back": press(channel=None, story="kept"),
    "saving.keep": press(channel=None, request="asked"),
    "saving.here": press(channel=None, request="asked"),
    "saving.no": press(channel=None, request="asked"),
    "saving.readers": press(channel=None, story="kept", readers="movement"),
    "ripple": press("kwame", **STORY),
    "ripple.undo": press("jan", **STORY),
    "guard.without": press(held="held"),
    "guard.change": press(held="held"),
    "guard.fine": press(held="held"),
    "ripple.introduce": press("jan", **STORY),
    "share": press(**STORY),
    "harvest": press(),
    "takeaway": press("iris"),
    "door": press("iris"),
    "door.open": press("iris"),
    "door.look": press("iris", door="door"),
    "door.card": press("iris", door="door"),
    "door.read": press("iris", door="door"),
    "door.close": press("iris", door="door"),
    "door.let_in": press(channel=None, **TOLD_AT_DOOR),
    "door.not_this": press(channel=None, **TOLD_AT_DOOR),
    "magazine": press("iris"),
    "magazine.begin": press("iris"),
    "magazine.edit": press("iris", **MAGAZINE),
    "magazine.choose": press("iris", **MAGAZINE),
    "magazine.show": press("iris", on="no", **MAGAZINE),
    "magazine.look": press(**MAGAZINE),
    "magazine.print": press("jan", paper="a4", **MAGAZINE),
    "magazine.agree": press(channel=None, name="full", **MAGAZINE, **STORY),
    "magazine.decline": press(channel=None, **MAGAZINE, **STORY),
    "magazine.take_back": press(channel=None, **MAGAZINE, **STORY),
}
"""Every intent that a button can lead to, with what its handler acts on."""

SUBMISSIONS: Mapping[str, Act] = {
    "choice.save": form("choice", who="iris", period="year"),
    "choice.tell": form("choice.pick", {"round": "choosing", "story": "told"}, "jan", why="Het is zo gewoon."),
    "cloud.save": form("cloud.choose", who="iris", scale="courage"),
    "search.filled": form("search.narrow", {"text": "rondje"}, "jan"),
    "room.send": form("room.ask", WALK, person=("kwame",)),
    "room.limit.save": form("room.limit", {"room": "room"}, "jan", limit="Niet in de regen"),
    "support.save": form("support.give", {"room": "given"}, "jan", words="Mooi dat jullie dit proberen."),
    "history.save": form("history.answer", {"round": "looked"}, moment="We liepen.", result="Rust."),
    "company.save": form("company.give", {"company": "beside"}, "jan", question="Wie nog?", idea="Bel eens."),
    "nominate.save": form("nominate", connector=("kwame",)),
    "reach.names.save": form("reach.names", {"group": GROUP}, "iris"),
    "reach.ties.save": form("reach.ties", who="iris"),
    "ties.save": form("ties", people=("kwame",)),
    "connect.look": form("connect", WALK),
    "invite.send": form("invite", {"person": "kwame", "initiative": "walk"}),
    "door.save": form("door.open", who="iris", initiative="walk", question="Wat maakte je mee?"),
    "groups.save": form("groups.choose", {"list": "offered"}, "iris", groups=("S1",)),
    "hours.save": form("hours.set", who="iris", group="Nacht", quiet_from="08:00", quiet_until="16:00"),
    "me.save": form("me.settings", group="Nacht"),
    "me.snooze.save": form("me.snooze"),
    "story.save": form("story", {"step": "done"}, text="We liepen een rondje."),
    "guard.tell": form("guard.change", {"held": "held"}, text="Een cliënt schonk zelf in."),
    "share.save": form("share", STORY, place="night"),
    "meeting.card.save": form("meeting.card", {"meeting": "soup"}, where="Buiten"),
    "magazine.save": form("magazine.begin", who="iris", name="Ons jaar"),
    "magazine.chosen": form("magazine.choose", MAGAZINE, "iris", stories=("told", "more0")),
    "rhythm.save": form("rhythm.new", who="iris"),
    "rhythm.moment.save": form("rhythm.moment", RHYTHM, "iris"),
    "rhythm.pause.save": form("rhythm.pause", RHYTHM, "iris"),
    "rhythm.closed.save": form("rhythm.closed.add", who="iris", starts="2027-05-07"),
    "rhythm.place.save": form("rhythm.place", who="iris", quiet_from="21:00"),
    "country.look": form("country.choose", who="iris", country="België"),
    "country.propose": form("country.days", {"where": "movement"}, "iris"),
    "initiative.save": form("initiative.make", name="Samen eten"),
    "webhook.save": form("webhook.new", who="iris", address="https://site.example.org/x", events=("story_told",)),
    "api.make": form("api.new", who="iris", name="Website", opens=("purpose",), lasts="year"),
    "start.join.save": Act("fatima", {}, "new", "start.join", {"code": CODE}),
    "start.save": Act("fatima", {}, "new", "start.begin", {"name": "Nieuw", "vision": "Samen."}),
    "purpose.save": form("purpose.change", who="iris", vision="Nog meer samen.", core_messages="Vraag eerst."),
    "saving.ask": form("story.save_message", {"author": "kwame", "text": "Zo mooi vandaag."}),
    "experiment.save": form("experiment", {"new": "yes"}, trying="We lopen.", sign="Ze lachen."),
    "experiment.move.save": form("experiment.move", {"experiment": "tried", "moved": "0"}),
    "experiment.answer.save": form(
        "experiment.answer", {"experiment": "tried", "moved": "0", "answer": "stopped"}, learned="Eerder."
    ),
    "step.save": form("step", EPISODE, cue="het rustig is", action="bel ik Jan", on_my_own="yes"),
    "step.move": form("step.not_yet", STEP),
    "step.tell": form("step.done", STEP, outcome="Jan kwam langs."),
    "chance.save": form("chance", text="Een nieuwe collega."),
    "stuck.report": form("stuck.new", text="Niemand komt", kind="reach", audience="me"),
}
"""Every form, with the button that opens it and what is filled in."""


async def fill(world: World) -> None:
    """Add a movement of six people with one of everything, most of it Fatima's; Iris coordinates."""
    movement = await world.movement(*PEOPLE, channels=("general", "night"))
    now, fatima, jan = world.clock.now(), PersonId("fatima"), PersonId("jan")
    belongs: dict[str, Any] = {"movement_id": MOVEMENT}
    async with world.begin() as work:
        await _add_places(work, world)
        for one in PEOPLE:
            person = await work.people.get(PersonId(one), MOVEMENT)
            assert person is not None
            member = await work.movements.membership(MOVEMENT, PersonId(one))
            assert member is not None
            member.suggestible = one in ("kwame", "sanne", "noor")
            person.group = GROUP
            person.snoozed_until = now + DAY if one == "sanne" else None
            person.stopped_at = now if one == "noor" else None
        for row in (
            *(
                Purpose(
                    id=PurposeId(f"p{n}"),
                    version=n,
                    vision="Samen.",
                    behaviours=[BEHAVIOUR, "Eerst vragen", "Even zitten"],
                    written_by=fatima,
                    written_at=now,
                    **belongs,
                )
                for n in (1, 2)
            ),
            HeldWords(
                id=HeldWordsId("held"),
                workspace_id=WorkspaceId(LANE),
                person_id=fatima,
                intent="story",
                args={"text": "Mevrouw Bos schonk zelf in."},
                texts={"text": "Mevrouw Bos schonk zelf in."},
                channel="general",
                asked_at=now,
                **belongs,
            ),
            CalendarFeed(
                id=FeedId("feed"),
                workspace_id=WorkspaceId(LANE),
                person_id=fatima,
                digest="feed",
                made_at=now,
                changed_at=now,
                **belongs,
            ),
            Workspace(id=WorkspaceId("webhook:hook")),
            Webhook(
                id=WebhookId("hook"),
                url="https://site.example.org/x",
                sealed="sealed",
                events=["initiative_begun"],
                made_by=fatima,
                made_at=now,
                **belongs,
            ),
            ApiToken(
                id=ApiTokenId("token"),
                name="Website",
                scopes=["purpose"],
                digest="token",
                made_by=fatima,
                made_at=now,
                expires_at=now + DAY,
                **belongs,
            ),
            StoryDoor(
                id=StoryDoorId("door"),
                initiative_id=InitiativeId("walk"),
                question="Wat maakte je mee?",
                opened_by=PersonId("iris"),
                opened_at=now,
                ends_at=now + 28 * DAY,
                **belongs,
            ),
            DoorStory(
                id=DoorStoryId("told"),
                door_id=StoryDoorId("door"),
                press="press",
                code="code",
                text="We zwaaiden.",
                called="een buur",
                told_at=now,
                **belongs,
            ),
            InviteCode(
                id=InviteCodeId("code"),
                digest=hash_code(CODE),
                made_by=fatima,
                made_at=now,
                expires_at=now + DAY,
                **belongs,
            ),
            Initiative(id=InitiativeId("walk"), name="Wandelen", started_by=fatima, started_at=now, **belongs),
            Initiative(
                id=InitiativeId("closed"), name="Eten", started_by=fatima, started_at=now, closed_at=now, **belongs
            ),
            *(
                Room(
                    id=RoomId(name),
                    initiative_id=InitiativeId(about),
                    asker_id=fatima,
                    giver_id=PersonId("jan"),
                    trying="Buiten eten",
                    asking="Mag dat?",
                    ends_at=now + 28 * DAY,
                    asked_at=now,
                    state=RoomState.ASKED if name == "room" else RoomState.GRANTED,
                    support="Mooi dat jullie dit doen." if name == "supported" else "",
                    supported_at=now if name == "supported" else None,
                    **belongs,
                )
                for name, about in (("room", "walk"), ("given", "walk"), ("supported", "orphan"))
            ),
            Initiative(id=InitiativeId("orphan"), name="Tuin", started_by=fatima, started_at=now, **belongs),
            Participant(initiative_id=InitiativeId("orphan"), person_id=PersonId("jan"), joined_at=now, **belongs),
            *(
                Participant(initiative_id=InitiativeId(one), person_id=fatima, initiator=True, joined_at=now, **belongs)
                for one in ("walk", "closed")
            ),
            Participant(initiative_id=InitiativeId("walk"), person_id=PersonId("kwame"), joined_at=now, **belongs),
            *(
                Rhythm(
                    id=RhythmId(f"purpose-{place}"),
                    place_id=PlaceId(place),
                    kind=RhythmKind.PURPOSE,
                    rule="FREQ=WEEKLY;BYDAY=WE",
                    starts_on=date(2028, 1, 5),
                    at=time(12),
                    timezone="Europe/Amsterdam",
                    created_by=None,
                    created_at=now,
                    **belongs,
                )
                for place in ("general", "night")
            ),
            Rhythm(
                id=RhythmId("weekly"),
                place_id=PlaceId("general"),
                kind=RhythmKind.STORIES,
                rule="FREQ=WEEKLY;BYDAY=MO",
                starts_on=now.date(),
                at=time(11),
                timezone="Europe/Amsterdam",
                next_at=now + 7 * DAY,
                paused_until=date(2027, 3, 5),
                created_by=None,
                created_at=now,
                **belongs,
            ),
        ):
            work.movements.add(row)  # type: ignore[arg-type]  # every repository stores whatever it is given
        for row in (
            Story(
                id=StoryId("told"),
                place_id=PlaceId("general"),
                teller_id=fatima,
                text="We liepen.",
                readers=Readers.MOVEMENT,
                told_at=now,
                **belongs,
            ),
            Story(
                id=StoryId("kept"),
                place_id=PlaceId("general"),
                thread="root",
                message="m1",
                teller_id=fatima,
                text="We lachten.",
                readers=Readers.THREAD,
                told_at=now,
                **belongs,
            ),
            *(
                Story(
                    id=StoryId(f"more{n}"),
                    place_id=PlaceId("general"),
                    teller_id=PersonId(one),
                    text=f"Er lukte iets: {n}.",
                    readers=Readers.MOVEMENT,
                    told_at=now,
                    **belongs,
                )
                for n, one in enumerate(("jan", "kwame", "sanne"))
            ),
            StoryRequest(
                id=StoryRequestId("asked"),
                place_id=PlaceId("general"),
                message="m2",
                author_id=fatima,
                asked_by_id=jan,
                text="Kijk.",
                asked_at=now,
                **belongs,
            ),
            Ripple(
                story_id=StoryId("told"), person_id=jan, place_id=PlaceId("general"), pressed=True, at=now, **belongs
            ),
        ):
            work.stories.add(row)
        await work.flush()
        for row in (
            Magazine(id=MagazineId("printed"), title="Ons jaar", made_by=fatima, begun_at=now, shown_at=now, **belongs),
            PrintConsent(
                magazine_id=MagazineId("printed"),
                story_id=StoryId("told"),
                person_id=fatima,
                answer=PrintAnswer.AGREED,
                asked_at=now,
                **belongs,
            ),
        ):
            work.magazines.add(row)
        work.stories.add(
            Significance(
                id=SignificanceId("chosen"),
                story_id=StoryId("told"),
                place_id=PlaceId("general"),
                round="earlier",
                by_id=jan,
                why="Het is zo gewoon.",
                chosen_at=now,
                **belongs,
            )
        )
        spell = StuckEpisode(
            id=EpisodeId("spell"),
            initiative_id=InitiativeId("walk"),
            person_id=fatima,
            place_id=PlaceId("general"),
            text=join_words(TEXT, ADDED),
            opened_at=now,
            **belongs,
        )
        work.stuck.add(spell)
        work.stuck.add(
            StuckEpisode(
                id=EpisodeId("older"),
                initiative_id=InitiativeId("closed"),
                person_id=fatima,
                place_id=PlaceId("general"),
                text="Nog iets",
                opened_at=now - DAY,
                **belongs,
            )
        )
        await work.flush()
        # A peer of their own choice, so that others may still be asked.
        work.stuck.add(
            Company(id=CompanyId("beside"), episode_id=spell.id, person_id=jan, picked=True, asked_at=now, **belongs)
        )
        for step, state in (("step", StepState.PLANNED), ("done", StepState.DONE)):
            work.steps.add(
                NextStep(
                    id=StepId(step),
                    initiative_id=InitiativeId("walk"),
                    episode_id=spell.id,
                    person_id=fatima,
                    cue="het rustig is",
                    action="bel ik Jan",
                    state=state,
                    outcome="Hij kwam." if state is StepState.DONE else "",
                    follow_up_at=now + DAY,
                    chosen_at=now,
                    closed_at=now if state is StepState.DONE else None,
                    **belongs,
                )
            )
        for one, end in (("tried", now), ("going", now + 9 * DAY)):
            work.experiments.add(
                Experiment(
                    id=ExperimentId(one),
                    initiative_id=InitiativeId("walk"),
                    person_id=fatima,
                    trying="Lopen",
                    sign="Lachen",
                    ends_at=end,
                    timezone="Europe/Amsterdam",
                    started_at=now,
                    **belongs,
                )
            )
        work.steps.add(Chance(id=ChanceId("sun"), person_id=fatima, text="Zon", noted_at=now, **belongs))
        work.connecting.add(
            Nomination(
                id=NominationId("named"), nominator_id=fatima, nominee_id=jan, figure=KeyFigure.MAVEN, at=now, **belongs
            )
        )
        work.connecting.add(
            Suggestion(
                id=SuggestionId("suggested"),
                initiative_id=InitiativeId("walk"),
                asker_id=fatima,
                person_id=PersonId("kwame"),
                at=now,
                **belongs,
            )
        )
        for invited, state in (("sent", InvitationState.SENT), ("accepted", InvitationState.ACCEPTED)):
            work.connecting.add(
                Invitation(
                    id=InvitationId(invited),
                    inviter_id=fatima,
                    invitee_id=jan,
                    initiative_id=None,
                    text="Loop je mee?",
                    state=state,
                    sent_at=now,
                    **belongs,
                )
            )
        work.initiatives.add(
            HistoryRound(
                id=HistoryRoundId("looked"),
                initiative_id=InitiativeId("closed"),
                asked_at=now,
                told_at=now + 7 * DAY,
                **belongs,
            )
        )
        work.connecting.add(
            Meeting(
                id=MeetingId("lunch"),
                place_id=PlaceId("general"),
                question=1,
                at=now + 7 * DAY,
                timezone="Europe/Amsterdam",
                proposed_at=now,
                **belongs,
            )
        )
        work.connecting.add(
            TieAnswer(id=TieAnswerId("asked"), person_id=jan, other_id=fatima, shown=True, at=now, **belongs)
        )
        for guest in (fatima, jan):
            work.connecting.add(Guest(meeting_id=MeetingId("lunch"), person_id=guest, **belongs))
        work.connecting.add(
            Meeting(
                id=MeetingId("soup"),
                place_id=None,
                question=2,
                at=now + 8 * DAY,
                timezone="UTC",
                proposed_at=now,
                **belongs,
            )
        )
        work.connecting.add(Guest(meeting_id=MeetingId("soup"), person_id=fatima, answer=GuestAnswer.COMING, **belongs))
        for row in (
            _delivery(
                world, "offered", kind="groups_offered", person_id=PersonId("iris"), args={"groups": {"S1": "Nacht"}}
            ),
            _delivery(
                world,
                "round",
                kind=NAMES_ROUND,
                subject="night",
                place_id=PlaceId("night"),
                args={"group": GROUP},
                state=DeliveryState.WAITING,
                due_at=now + DAY,
            ),
            _delivery(
                world,
                "choosing",
                kind=CHOICE_ROUND,
                subject="autumn",
                place_id=PlaceId("general"),
                args={"stories": ["told", "more0", "more1"], "until": (now + 14 * DAY).isoformat()},
            ),
            _delivery(
                world,
                "failed",
                kind="stuck_posted",
                subject="spell",
                place_id=PlaceId("night"),
                state=DeliveryState.FAILED,
                reason="not_accepted",
            ),
            _delivery(
                world,
                "together",
                key=round_key(spell, 1),
                kind="company_together",
                subject="spell",
                person_id=fatima,
                state=DeliveryState.WAITING,
                args={"round": 1, "reserve": []},
                due_at=now + DAY,
            ),
        ):
            assert await work.deliveries.add_new(row)
    assert movement.id == MOVEMENT


async def _add_places(work: UnitOfWork, world: World) -> None:
    """Add a place that is out of reach, and one of a movement that nobody coordinates."""
    now, lane = world.clock.now(), WorkspaceId(LANE)
    lonely = Movement(id=MovementId("lonely"), name="Verlaten", language=Language.NL, started_at=now)
    work.movements.add(lonely)
    await work.flush()
    for name, movement in (("lost", MOVEMENT), ("orphaned", lonely.id)):
        place = Place(
            id=PlaceId(name), workspace_id=lane, movement_id=movement, channel=name, name=name, created_at=now
        )
        work.movements.add(place)
        if name == "lost":
            place.mark_unreachable("not_in_place")
    await work.flush()


def _delivery(world: World, id: str, **more: Any) -> Delivery:
    now = world.clock.now()
    usual = {
        "id": DeliveryId(id),
        "workspace_id": WorkspaceId(LANE),
        "movement_id": MOVEMENT,
        "key": id,
        "due_at": now,
        "created_at": now,
        "state": DeliveryState.SENT,
        "priority": Priority.ASKED_FOR,
    }
    return Delivery(**{**usual, **more})

"""On every page each reader finds exactly what they may read: page by field, role, consent and size of the group."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from adapters.typesetting import TypstTypesetter
from bot.chat import BrowserPage
from bot.domain.api_token import ApiToken, ApiTokenId
from bot.domain.change import ChangeId, CoordinatorAct, CoordinatorChange
from bot.domain.choosing import Significance, SignificanceId
from bot.domain.connectors import Invitation, InvitationId
from bot.domain.door import DoorStory, StoryDoor, StoryDoorId
from bot.domain.experiment import Experiment, ExperimentId
from bot.domain.held_words import HeldWords, HeldWordsId
from bot.domain.history import HistoryAnswer, HistoryRound, HistoryRoundId
from bot.domain.initiative import Audience, EpisodeId, Initiative, InitiativeId, Participant, StuckEpisode
from bot.domain.kept_data import KEPT_ABOUT_PEOPLE, ReadIn
from bot.domain.magazine import Magazine, MagazineId, PrintAnswer, PrintConsent
from bot.domain.movement import Member, Movement, MovementId, PlaceId, Purpose, PurposeId
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId, StepState
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.room import Room, RoomId, RoomState
from bot.domain.story import Readers, Story, StoryId, StoryRequest, StoryRequestId
from bot.domain.webhook import Webhook, WebhookId
from bot.errors import Refused
from bot.pages import BOARDS
from tests.support.world import LANE, MOVEMENT, World

WALK = InitiativeId("walk")
HOUR = timedelta(hours=1)
PAGES = {
    "movement": "",
    "search": "",
    "me": "",
    "initiative": WALK,
    "rhythm": "weekly",
    "magazine": "shown",
    "coordinator": "",
}
READERS = ("noor", "jan", "iris", "zed")
"""Readers: one told and did it all, one is another member, one coordinates, one is in another workspace."""
EVERYONE, NOBODY = set(READERS), set[str]()


@dataclass(frozen=True)
class Field:
    """Words that stand nowhere else, and by whom they may be found on which page."""

    words: str
    movement: frozenset[str] | set[str] = frozenset()
    search: frozenset[str] | set[str] = frozenset()
    me: frozenset[str] | set[str] = frozenset()
    initiative: frozenset[str] | set[str] = frozenset()
    rhythm: frozenset[str] | set[str] = frozenset()
    magazine: frozenset[str] | set[str] = frozenset()
    coordinator: frozenset[str] | set[str] = frozenset()
    kept: str = ""
    """The table of it, of which the works-council pack says who reads it."""


OWN = {"noor"}
MOST = {
    ReadIn.OWN: OWN, ReadIn.TWO: {"noor", "jan"}, ReadIn.TAKING_PART: OWN, ReadIn.NOBODY: NOBODY, ReadIn.COUNTED: NOBODY
}  # fmt: skip
"""Readers at most, by what the works-council pack says of the data of noor (with jan)."""
FIELDS = {
    "the purpose": Field("BEDOELD", movement=EVERYONE, me=EVERYONE),
    "a story for everyone in the movement": Field(
        "GEDEELD", movement=EVERYONE, search=EVERYONE, me=OWN, initiative=EVERYONE
    ),
    "a story that stays in its thread": Field("DRAADWERK", search=OWN, me=OWN),
    "a story that was taken back": Field("TERUGGENOMEN"),
    "a story of another movement": Field("ELDERSVERTELD"),
    "what somebody is stuck with, for themselves": Field("VASTGELOPEN", me=OWN, kept="stuck_episodes"),
    "what somebody is stuck with, told in a channel": Field("OPENVAST", me=OWN),
    "a step that was posted": Field("OPENSTAP", movement=EVERYONE, initiative=EVERYONE),
    "a step that was not": Field("STILLESTAP", kept="next_steps"),
    "a step that is planned": Field("PLANSTAP", me=OWN),
    "a chance": Field("KANSRIJK", me=OWN, kept="chances"),
    "the device of a session": Field("NOORS-TELEFOON", me=OWN, kept="page_sessions"),
    "an experiment of an initiative": Field("PROEFSAMEN", initiative=EVERYONE, kept="experiments"),
    "an experiment of one's own": Field("PROEFALLEEN", kept="experiments"),
    "room that was asked": Field("RUIMTEVRAAG", kept="rooms"),
    "a limit of room that was given": Field("RUIMTEGRENS", initiative=EVERYONE, kept="rooms"),
    "support for an initiative": Field("STEUNWOORD", initiative=EVERYONE, kept="rooms"),
    "an invitation": Field("UITNODIGING", kept="invitations"),
    "words that wait for their writer": Field("VASTGEHOUDEN", kept="held_words"),
    "a message that may become a story": Field("GEVRAAGDVERHAAL", kept="story_requests"),
    "what somebody told when looking back": Field("TERUGKIJKEN", kept="history_answers"),
    "a story that waits at a door": Field("DEURWACHT"),
    "a story that was let in at a door": Field("DEURBINNEN", movement=EVERYONE, search=EVERYONE, initiative=EVERYONE),
    "why a story was chosen, which its teller agreed to": Field(
        "WAAROMJA", movement=EVERYONE, search=EVERYONE, initiative=EVERYONE
    ),
    "why a story was chosen, which its teller did not agree to": Field("WAAROMNIET"),
    "a magazine that everyone got": Field("BLADUIT", movement=EVERYONE, magazine=EVERYONE, coordinator={"iris"}),
    "a magazine that is being made": Field("BLADKLAD", coordinator={"iris"}),
    "a story with a yes for print": Field(
        "DRUKJA", movement=EVERYONE, search=EVERYONE, me=OWN, initiative=EVERYONE, magazine=EVERYONE
    ),
    "a key for another program": Field("SLEUTELNAAM", coordinator={"iris"}),
    "an address outside": Field("haak.example.org", coordinator={"iris"}),
    "a change by a coordinator": Field("VERANDERD", movement=EVERYONE),
    # Everyone may search the stories that a group told with a name.
    "a group of five": Field("VIJFTAL", movement=EVERYONE, search=EVERYONE, coordinator={"iris"}),
    "a group of four": Field("VIERTAL"),
    # noor is named among who takes part, but not in another workspace unless she agreed to that.
    "the name of who takes part, without consent": Field(
        "Noortje", movement={"noor", "jan", "iris"}, me=OWN, initiative={"noor", "jan", "iris"}
    ),
}


async def fill(world: World, *, agreed: bool) -> None:
    """Add one of every field, told or done by noor, in a movement over two workspaces."""
    four, five = [f"vier{n}" for n in range(4)], [f"vijf{n}" for n in range(5)]
    await world.movement("noor", "jan", *four, *five)
    now, away = world.clock.now(), WorkspaceId("test:W2")

    def told(id: str, text: str, readers: Readers = Readers.MOVEMENT, movement: MovementId = MOVEMENT) -> Story:
        return Story(
            id=StoryId(id),
            movement_id=movement,
            place_id=PlaceId("general") if movement == MOVEMENT else None,
            teller_id=PersonId("noor") if movement == MOVEMENT else PersonId("stranger"),
            text=text,
            named=False,
            readers=readers,
            initiative_id=WALK if movement == MOVEMENT else None,
            told_at=now,
        )

    def step(id: str, action: str, *, posted: bool, done: bool = True) -> NextStep:
        return NextStep(
            id=StepId(id),
            movement_id=MOVEMENT,
            initiative_id=WALK,
            episode_id=None,
            person_id=PersonId("noor"),
            cue="morgen",
            action=action,
            follow_up_at=now + HOUR,
            chosen_at=now,
            state=StepState.DONE if done else StepState.PLANNED,
            closed_at=now if done else None,
            posted=posted,
        )

    def stuck(id: str, text: str, audience: Audience) -> StuckEpisode:
        return StuckEpisode(
            id=EpisodeId(id),
            movement_id=MOVEMENT,
            initiative_id=WALK if audience is Audience.CHANNEL else None,
            person_id=PersonId("noor"),
            place_id=PlaceId("general"),
            text=text,
            audience=audience,
            opened_at=now,
        )

    async with world.begin() as work:
        work.people.add(Workspace(id=away))
        for name, workspace in (("zed", away), ("stranger", WorkspaceId(LANE))):
            person = Person(id=PersonId(name), workspace_id=workspace, account=name, name=name, created_at=now)
            person.language = Language.NL
            work.people.add(person)
        other = Movement(id=MovementId("other"), name="Elders", language=Language.NL, started_at=now)
        work.movements.add(other)
        work.movements.add(Member(movement_id=MOVEMENT, person_id=PersonId("zed"), joined_at=now))
        work.movements.add(Member(movement_id=other.id, person_id=PersonId("stranger"), joined_at=now))
        work.movements.add(
            Purpose(
                id=PurposeId("p"),
                movement_id=MOVEMENT,
                version=1,
                vision="BEDOELD",
                written_by=PersonId("iris"),
                written_at=now,
            )
        )
        noor = await work.people.by_account(WorkspaceId(LANE), "noor")
        assert noor is not None
        noor.name, noor.named_beyond = "Noortje", agreed
        for name in (*four, *five):
            member = await work.people.by_account(WorkspaceId(LANE), name)
            assert member is not None
            member.group = "VIERTAL" if name in four else "VIJFTAL"
        work.initiatives.add(
            Initiative(id=WALK, movement_id=MOVEMENT, name="Wandelen", started_by=PersonId("noor"), started_at=now)
        )
        work.initiatives.add(
            Participant(initiative_id=WALK, person_id=noor.id, movement_id=MOVEMENT, initiator=True, joined_at=now)
        )
        gone = told("gone", "TERUGGENOMEN")
        gone.withdrawn_at = now
        for row in (
            told("shared", "GEDEELD"),
            told("thread", "DRAADWERK", Readers.THREAD),
            told("elsewhere", "ELDERSVERTELD", movement=other.id),
            gone,
        ):
            work.stories.add(row)
        work.stuck.add(stuck("private", "VASTGELOPEN", Audience.ME))
        work.stuck.add(stuck("open", "OPENVAST", Audience.CHANNEL))
        for planned in (
            step("posted", "OPENSTAP", posted=True),
            step("silent", "STILLESTAP", posted=False),
            step("planned", "PLANSTAP", posted=False, done=False),
        ):
            work.steps.add(planned)
        for row in _more(now):
            work.stories.add(row)
        work.steps.add(Chance(id=ChanceId("c"), movement_id=MOVEMENT, person_id=noor.id, text="KANSRIJK", noted_at=now))
    for who in (*READERS, "stranger"):
        await open_pages(world, who)


def _more(now: datetime) -> list[object]:
    """Return what else noor did, was asked or decides about, and what the coordinator made."""
    noor, jan, iris, later = PersonId("noor"), PersonId("jan"), PersonId("iris"), now + 24 * HOUR
    ours: dict[str, Any] = {"movement_id": MOVEMENT}
    door = StoryDoor(
        id=StoryDoorId("d"), initiative_id=WALK, question="Wat?", opened_by=iris, opened_at=now, ends_at=later, **ours
    )

    def tried(id: str, trying: str, initiative: InitiativeId | None) -> Experiment:
        return Experiment(
            id=ExperimentId(id), initiative_id=initiative, person_id=noor, trying=trying, sign="Rust", ends_at=later,
            timezone="Europe/Amsterdam", started_at=now, **ours,
        )  # fmt: skip

    def asked(id: str, trying: str, **more: Any) -> Room:
        return Room(
            id=RoomId(id), initiative_id=WALK, asker_id=noor, giver_id=iris, trying=trying, asking="Mag dat?",
            ends_at=later, asked_at=now, **ours, **more,
        )  # fmt: skip

    def why(id: str, words: str, agreed: datetime | None) -> Significance:
        return Significance(
            id=SignificanceId(id), story_id=StoryId("shared"), place_id=PlaceId("general"), round=id, by_id=jan,
            why=words, chosen_at=now, agreed_at=agreed, **ours,
        )  # fmt: skip

    def told(id: str, words: str, **more: Any) -> Story:
        usual = {"teller_id": noor, "readers": Readers.MOVEMENT, "initiative_id": WALK, "named": False, **ours}
        return Story(id=StoryId(id), place_id=PlaceId("general"), text=words, told_at=now - HOUR, **{**usual, **more})

    def printed(story: str, answer: PrintAnswer) -> PrintConsent:
        return PrintConsent(
            magazine_id=MagazineId("shown"), story_id=StoryId(story), person_id=noor, answer=answer, asked_at=now,
            **ours,
        )  # fmt: skip

    return [
        tried("together", "PROEFSAMEN", WALK),
        tried("alone", "PROEFALLEEN", None),
        asked("open", "RUIMTEVRAAG"),
        asked("given", "Buiten eten", limit="RUIMTEGRENS", state=RoomState.GRANTED, answered_at=now,
              support="STEUNWOORD", supported_at=now),
        Invitation(id=InvitationId("i"), initiative_id=WALK, inviter_id=noor, invitee_id=jan, text="UITNODIGING",
                   sent_at=now, **ours),
        HeldWords(id=HeldWordsId("h"), workspace_id=WorkspaceId(LANE), person_id=noor, intent="story",
                  args={"text": "VASTGEHOUDEN"}, texts={"text": "VASTGEHOUDEN"}, channel="general", asked_at=now,
                  **ours),
        StoryRequest(id=StoryRequestId("r"), place_id=PlaceId("general"), message="m2", author_id=jan, asked_by_id=noor,
                     text="GEVRAAGDVERHAAL", asked_at=now, **ours),
        HistoryRound(id=HistoryRoundId("back"), initiative_id=WALK, asked_at=now, told_at=later, **ours),
        HistoryAnswer(round_id=HistoryRoundId("back"), person_id=noor, moment="TERUGKIJKEN", result="Rust.",
                      answered_at=now, **ours),
        door,
        DoorStory.tell(door, "press", "code", "DEURWACHT", "een buur", now),
        Person(id=PersonId("nobody"), workspace_id=WorkspaceId(LANE), account=None, name="", created_at=now),
        told("let-in", "DEURBINNEN", teller_id=PersonId("nobody"), called="een buur"),
        why("yes", "WAAROMJA", now),
        why("open", "WAAROMNIET", None),
        Magazine(id=MagazineId("shown"), title="BLADUIT", made_by=iris, begun_at=now, shown_at=now, **ours),
        Magazine(id=MagazineId("draft"), title="BLADKLAD", made_by=iris, begun_at=now, **ours),
        told("print-yes", "DRUKJA"),
        printed("print-yes", PrintAnswer.AGREED),
        printed("shared", PrintAnswer.DECLINED),
        ApiToken(id=ApiTokenId("t"), name="SLEUTELNAAM", scopes=["stories"], digest="d", made_by=iris, made_at=now,
                 expires_at=later, **ours),
        Webhook(id=WebhookId("w"), url="https://haak.example.org/x", sealed="s", events=["story_told"], made_by=iris,
                made_at=now, **ours),
        CoordinatorChange(id=ChangeId("c"), kind=CoordinatorAct.HOURS_CHANGED, about="VERANDERD", by_id=iris, at=now,
                          **ours),
        Rhythm(id=RhythmId("weekly"), place_id=PlaceId("general"), kind=RhythmKind.STORIES, rule="FREQ=WEEKLY;BYDAY=MO",
               starts_on=now.date(), at=time(9), timezone="Europe/Amsterdam", next_at=later, created_by=iris,
               created_at=now, **ours),
    ]  # fmt: skip


def secret_of(who: str) -> str:
    """Return the secret of somebody's session."""
    return who.ljust(SESSION_SECRET_CHARS, ".")


async def open_pages(world: World, who: str) -> None:
    """Open the pages of somebody."""
    async with world.begin() as work:
        lane = WorkspaceId("test:W2" if who == "zed" else LANE)
        person = await work.people.by_account(lane, who)
        assert person is not None
        session = PageSession.offer(person, world.clock.now())
        work.sessions.add(session)
    device = "NOORS-TELEFOON" if who == "noor" else "een ander"
    assert await world.ritme.pages.open(session.id, secret_of(who), device)


def words_of(page: BrowserPage) -> str:
    """Return all that a browser gets of a page: what is read and drawn, and what its buttons and forms hold."""
    said = [page.title, page.movement_name, *page.movements.values()]
    for section in page.page.sections:
        said += [section.title, section.message.text]
        said += [f"{button.label} {dict(button.args)}" for button in section.message.buttons]
        if section.form is not None:
            said += [f"{one.label} {one.value} {one.options}" for one in section.form.fields]
        if section.picture is not None:
            said += [section.picture.title, section.picture.text, str(section.picture.data)]
    return "\n".join(said)


def test_every_page_is_walked() -> None:
    assert set(PAGES) == set(BOARDS)


@pytest.mark.parametrize("agreed", [False, True], ids=["without consent", "agreed"])
async def test_each_reader_finds_exactly_what_they_may_read(world: World, agreed: bool) -> None:
    await fill(world, agreed=agreed)
    world.ritme.pages.typesetter = TypstTypesetter()  # pages show pictures then
    found: dict[tuple[str, str], str] = {}
    for name, about in PAGES.items():
        for reader in READERS:
            try:
                page = await world.ritme.pages.show(secret_of(reader), name, MOVEMENT, about)
            except Refused:
                continue
            assert page is not None
            found[name, reader] = words_of(page)
    assert {reader for name, reader in found if name == "coordinator"} == {"iris"}
    assert {reader for name, reader in found if name != "coordinator"} == EVERYONE
    wrong = []
    for what, field in FIELDS.items():
        for name in PAGES:
            expected = set(getattr(field, name))
            if agreed and what.startswith("the name of") and name in ("movement", "initiative"):
                expected = EVERYONE
            readers = {reader for reader in READERS if field.words in found.get((name, reader), "")}
            if readers != expected:
                wrong.append(f"{what} on {name}: {sorted(readers)}, not {sorted(expected)}")
        if field.kept:
            everywhere = {reader for (_, reader), said in found.items() if field.words in said}
            readers = KEPT_ABOUT_PEOPLE[field.kept].readers
            if not everywhere <= MOST.get(readers, EVERYONE):
                wrong.append(f"{what} is read by {sorted(everywhere)}, and the pack says: {readers}")
    assert wrong == []


@pytest.mark.parametrize("name", ["movement", "initiative"])
async def test_the_learning_history_is_the_same_for_everybody(world: World, name: str) -> None:
    await fill(world, agreed=False)
    world.ritme.pages.typesetter = TypstTypesetter()
    drawn = []
    for reader in ("noor", "jan", "iris"):
        page = await world.ritme.pages.show(secret_of(reader), name, MOVEMENT, PAGES[name])
        assert page is not None
        (history,) = [one for one in page.page.sections if one.title == "Leergeschiedenis"]
        assert history.picture is not None
        drawn.append((history.message.text, history.picture.data))
    assert "OPENSTAP" in drawn[0][0]
    assert drawn[0] == drawn[1] == drawn[2]


@dataclass(frozen=True)
class Told:
    """How noor, who takes part in another initiative alone, told a story of the one that jan takes part in alone."""

    named: bool
    readers: Readers = Readers.MOVEMENT
    beyond: bool = False
    """She agreed to be named in other workspaces."""


@pytest.mark.parametrize(
    ("told", "stitched_for"),
    [
        (Told(named=True), {"jan", "iris"}),
        (Told(named=True, beyond=True), {"jan", "iris", "zed"}),
        (Told(named=False), set()),
        (Told(named=True, readers=Readers.THREAD), set()),
    ],
    ids=["with her name", "with her name everywhere", "without a name", "in its thread"],
)
async def test_initiatives_are_stitched_only_by_a_name_that_is_read(
    world: World, told: Told, stitched_for: set[str]
) -> None:
    """Else everyone would read from a stitch who told a story without a name."""
    await fill(world, agreed=told.beyond)
    world.ritme.pages.typesetter = TypstTypesetter()
    async with world.begin() as work:
        for name, who in (("alone-a", "jan"), ("alone-b", "noor")):
            about, now = InitiativeId(name), world.clock.now() + timedelta(minutes=1)
            work.initiatives.add(
                Initiative(id=about, movement_id=MOVEMENT, name=name, started_by=PersonId(who), started_at=now)
            )
            work.initiatives.add(
                Participant(initiative_id=about, person_id=PersonId(who), movement_id=MOVEMENT, joined_at=now)
            )
        walking = await work.initiatives.participant(WALK, PersonId("noor"))
        assert walking is not None
        walking.left_at = world.clock.now()
        work.stories.add(
            Story(
                id=StoryId("alone"),
                movement_id=MOVEMENT,
                place_id=PlaceId("general"),
                teller_id=PersonId("noor"),
                text="We liepen mee.",
                named=told.named,
                readers=told.readers,
                initiative_id=InitiativeId("alone-a"),
                told_at=world.clock.now(),
            )
        )
    readers = set()
    for reader in ("jan", "iris", "zed"):
        page = await world.ritme.pages.show(secret_of(reader), "movement", MOVEMENT)
        assert page is not None
        (quilt,) = [one for one in page.page.sections if one.title == "Onze lappendeken"]
        assert quilt.picture is not None
        patches: Any = quilt.picture.data["patches"]
        if any(one["stitches"] for one in patches):
            readers.add(reader)
    assert readers == stitched_for


async def test_a_member_of_another_movement_finds_none_of_it(world: World) -> None:
    await fill(world, agreed=True)
    for name, about in PAGES.items():
        with pytest.raises(Refused):
            await world.ritme.pages.show(secret_of("stranger"), name, MOVEMENT, about)
    with pytest.raises(Refused):
        await world.ritme.pages.show(secret_of("stranger"), "initiative", "other", WALK)
    assert await world.ritme.pages.show(secret_of("nobody"), "movement", MOVEMENT) is None
    assert await world.ritme.pages.show("", "movement", MOVEMENT) is None

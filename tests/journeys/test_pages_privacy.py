"""On every page each reader finds exactly what they may read: page by field, role, consent and size of the group."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.typesetting import TypstTypesetter
from bot.chat import BrowserPage
from bot.domain.initiative import Audience, EpisodeId, Initiative, InitiativeId, Participant, StuckEpisode
from bot.domain.movement import Member, Movement, MovementId, PlaceId, Purpose, PurposeId
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId, StepState
from bot.domain.page_session import SESSION_SECRET_CHARS, PageSession
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from bot.errors import Refused
from tests.support.world import LANE, MOVEMENT, World

WALK = InitiativeId("walk")
HOUR = timedelta(hours=1)
PAGES = {"movement": "", "search": "", "me": "", "initiative": WALK, "coordinator": ""}
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
    coordinator: frozenset[str] | set[str] = frozenset()


OWN = {"noor"}
FIELDS = {
    "the purpose": Field("BEDOELD", movement=EVERYONE, me=EVERYONE),
    "a story for everyone in the movement": Field(
        "GEDEELD", movement=EVERYONE, search=EVERYONE, me=OWN, initiative=EVERYONE
    ),
    "a story that stays in its thread": Field("DRAADWERK", movement=OWN, search=OWN, me=OWN, initiative=OWN),
    "a story that was taken back": Field("TERUGGENOMEN"),
    "a story of another movement": Field("ELDERSVERTELD"),
    "what somebody is stuck with, for themselves": Field("VASTGELOPEN", me=OWN),
    "what somebody is stuck with, told in a channel": Field("OPENVAST", me=OWN),
    "a step that was posted": Field("OPENSTAP", initiative=EVERYONE),
    "a step that was not": Field("STILLESTAP", initiative=OWN),
    "a step that is planned": Field("PLANSTAP", me=OWN),
    "a chance": Field("KANSRIJK", me=OWN),
    "the device of a session": Field("NOORS-TELEFOON", me=OWN),
    # Everyone may search the stories that a group told with a name.
    "a group of five": Field("VIJFTAL", movement=EVERYONE, search=EVERYONE, coordinator={"iris"}),
    "a group of four": Field("VIERTAL"),
    # noor is named among who takes part, but not in another workspace unless she agreed to that.
    "the name of who takes part, without consent": Field("Noortje", me=OWN, initiative={"noor", "jan", "iris"}),
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
        work.steps.add(Chance(id=ChanceId("c"), movement_id=MOVEMENT, person_id=noor.id, text="KANSRIJK", noted_at=now))
    for who in (*READERS, "stranger"):
        await open_pages(world, who)


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
            if agreed and what.startswith("the name of") and name == "initiative":
                expected = EVERYONE
            readers = {reader for reader in READERS if field.words in found.get((name, reader), "")}
            if readers != expected:
                wrong.append(f"{what} on {name}: {sorted(readers)}, not {sorted(expected)}")
    assert wrong == []


async def test_a_member_of_another_movement_finds_none_of_it(world: World) -> None:
    await fill(world, agreed=True)
    for name, about in PAGES.items():
        with pytest.raises(Refused):
            await world.ritme.pages.show(secret_of("stranger"), name, MOVEMENT, about)
    with pytest.raises(Refused):
        await world.ritme.pages.show(secret_of("stranger"), "initiative", "other", WALK)
    assert await world.ritme.pages.show(secret_of("nobody"), "movement", MOVEMENT) is None
    assert await world.ritme.pages.show("", "movement", MOVEMENT) is None

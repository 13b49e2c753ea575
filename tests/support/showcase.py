"""A movement that has lived for four months, in each language, to look at: everything that its pages show is in it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.change import ChangeId, CoordinatorAct, CoordinatorChange
from bot.domain.coverage import GroupReach, ReachPicture
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.door import StoryDoor, StoryDoorId
from bot.domain.experiment import Decision, Experiment, ExperimentAnswer, ExperimentId
from bot.domain.initiative import (
    Audience,
    EpisodeId,
    EpisodeState,
    Initiative,
    InitiativeId,
    Participant,
    StuckEpisode,
    StuckKind,
)
from bot.domain.magazine import Magazine, MagazineId, PrintAnswer, PrintConsent, PrintName
from bot.domain.meaning import Cloud, join_meaning
from bot.domain.movement import Member, Movement, Place, PlaceId, Purpose, PurposeId, Role
from bot.domain.next_step import Chance, ChanceId, NextStep, StepId, StepState
from bot.domain.person import Language, Person, PersonId, Workspace
from bot.domain.rhythm import MomentChange, Rhythm, RhythmId, RhythmKind
from bot.domain.room import Room, RoomId, RoomState
from bot.domain.spread import Flow, GroupSpread, SpreadMap
from bot.domain.story import TRIANGLE, Dimension, Readers, Ripple, Story, StoryId
from bot.ports import UnitOfWork
from tests.support.playground import LANE, MOVEMENT, START, ServedPlayground

COORDINATES = "iris"
"""The account of the coordinator."""
DOOR, MAGAZINE = StoryDoorId("door"), MagazineId("magazine")
DAY = timedelta(days=1)
BEGUN = START - 120 * DAY
WEEKS = 12
PLACE = PlaceId("samen-vooruit")
PEOPLE = ("Iris", "Fatima", "Jan", "Sanne", "Wim", "Priya", "Kwame", "Agnieszka", "Mo", "Els", "Tarik", "Noor")
PEOPLE_MORE = ("Bram", "Lotte", "Hans", "Ama", "Joost", "Ria")
POINTS = ("broaden", "deepen", "broaden_deepen", "deepen", "steer", "middle", "broaden")


@dataclass(frozen=True, kw_only=True)
class Showcase:
    """All that people wrote in it, in one language. `stories`: who, in which initiative (from 0; None for none), how
    many days ago, and what; `stuck` and `steps` are of the first initiative; `meeting`: where, and a few words."""

    name: str
    channel: str
    purpose: dict[str, str | list[str]]
    groups: tuple[str, str, str]
    initiatives: tuple[tuple[str, str], ...]
    stories: tuple[tuple[str, int | None, int, str], ...]
    stuck: str
    stuck_now: str
    steps: tuple[tuple[str, str], ...]
    tried: tuple[str, str, str]
    room: tuple[str, str, str]
    chance: str
    magazine: tuple[str, str]
    question: str
    meeting: tuple[str, str]


SHOWCASES = {
    Language.NL: Showcase(
        name="Samen op pad",
        channel="samen-op-pad",
        purpose={
            "vision": "Wie thuis zorg krijgt, doet zelf wat zelf nog kan.",
            "mission": "We kijken mee voordat we overnemen.",
            "identity": "Wij zijn mensen die elkaar om hulp durven vragen.",
            "core_messages": ["Handen op de rug.", "Eerst vragen, dan doen."],
            "behaviours": ["Eén vraag stellen", "Even wachten", "Iets doorvertellen"],
        },
        groups=("Wijkteam Noord", "Nachtdienst", "Kantoor en vrijwilligers"),
        initiatives=(
            ("Wandelen na het eten", "Een rondje met wie mee wil, ook als het regent."),
            ("Thee om drie uur", "Wie komt, zet zelf thee."),
            ("Rust in de nacht", "Eerst luisteren wat iemand wakker houdt."),
            ("De tuin van iedereen", "Bewoners en buren geven samen water."),
            ("Eén goede vraag", "Bij elk bezoek één vraag die je nog niet stelde."),
        ),
        stories=(
            ("fatima", 0, 3, "We liepen een rondje om de vijver. De buurvrouw deed haar jas aan en liep mee."),
            ("jan", 1, 6, "Ik bleef bij de waterkoker staan, en zij zette zelf thee. Voor ons allebei."),
            ("sanne", 2, 11, "Hij kon niet slapen van de stilte. Met de radio zacht aan sliep hij in een kwartier."),
            ("iris", 0, 17, "Vandaag liep de wijkagent een stuk mee. Hij kende de helft van de mensen al."),
            ("els", 4, 24, "Ik vroeg wat ze vroeger het liefst kookte. We maken het volgende week samen."),
            ("tarik", 3, 33, "De jongen van hiernaast gaf de tomaten water. Hij wil nu elke dag."),
            ("noor", 1, 45, "Voor het eerst dekte de hele gang samen de tafel."),
            ("mo", None, 58, "Een cliënt trok zelf zijn kousen aan. Het duurde tien minuten, en hij lachte."),
            ("fatima", 0, 74, "Met z'n drieën begonnen. Het regende, en niemand wilde terug."),
        ),
        stuck="De nachtdienst hoort pas als laatste wat we doen",
        stuck_now="Op vrijdag krijg ik niemand mee naar buiten",
        steps=(
            ("de overdracht klaar is", "vraag ik Samira een keer mee"),
            ("ik woensdag koffie haal", "loop ik langs de nachtdienst"),
        ),
        tried=(
            "Lopen vóór de koffie in plaats van erna",
            "er lopen er meer mee dan vier",
            "Ervoor is het nog te koud.",
        ),
        room=("Een half uur per dag buiten", "Mag dat binnen de route?", "tot de zomer, met z'n tweeën"),
        chance="De wethouder komt vrijdag langs",
        magazine=("Wat we onderweg hoorden", "Zeven verhalen van deze winter, zoals ze verteld zijn."),
        question="Wat maakte je mee dat je wilt doorgeven?",
        meeting=("Aan de lange tafel in de tuin", "Neem iets lekkers mee."),
    ),
    Language.EN: Showcase(
        name="Walking together",
        channel="walking-together",
        purpose={
            "vision": "Whoever gets care at home does what they still can.",
            "mission": "We look along before we take over.",
            "identity": "We are people who dare to ask each other for help.",
            "core_messages": ["Hands behind your back.", "First ask, then do."],
            "behaviours": ["Ask one question", "Wait a moment", "Pass something on"],
        },
        groups=("North team", "Night shift", "Office and volunteers"),
        initiatives=(
            ("A walk after dinner", "Once around with whoever likes to come, rain or not."),
            ("Tea at three", "Whoever comes makes the tea."),
            ("Quiet nights", "First listen to what keeps somebody awake."),
            ("Everybody's garden", "Residents and neighbours do the watering together."),
            ("One good question", "At every visit, one question you haven't asked before."),
        ),
        stories=(
            ("fatima", 0, 3, "We went once around the pond. The lady next door put on her coat and came along."),
            ("jan", 1, 6, "I waited at the kettle, and she made the tea herself. For the two of us."),
            (
                "sanne",
                2,
                11,
                "The silence kept him awake. With the radio on low he was asleep in a quarter of an hour.",
            ),
            ("iris", 0, 17, "Today the local police officer walked along. He knew half of us already."),
            ("els", 4, 24, "I asked what she used to love to cook. Next week we make it together."),
            ("tarik", 3, 33, "The boy next door watered the tomatoes. Now he wants to do it every day."),
            ("noor", 1, 45, "For the first time the whole corridor laid the table together."),
            ("mo", None, 58, "A client put his own stockings on. It took ten minutes, and he laughed."),
            ("fatima", 0, 74, "We began with the three of us. It rained, and nobody wanted to go back."),
        ),
        stuck="The night shift is always the last to hear what we do",
        stuck_now="On Fridays I can't get anybody to come outside",
        steps=(
            ("the handover is done", "I ask Samira to walk along once"),
            ("I get coffee on Wednesday", "I drop in on the night shift"),
        ),
        tried=(
            "Walking before coffee instead of after",
            "more than four people come",
            "Before coffee it is still too cold.",
        ),
        room=("Half an hour outside every day", "Does that fit the route?", "until summer, with two of you"),
        chance="The alderman drops by on Friday",
        magazine=("What we heard on the way", "Seven stories of this winter, as they were told."),
        question="What happened that you would like to pass on?",
        meeting=("At the long table in the garden", "Bring something nice."),
    ),
}


async def show_movement(served: ServedPlayground, language: Language) -> None:
    """Fill a playground without a movement with this one; everybody reads `language`."""
    told = SHOWCASES[language]
    async with served.begin() as work:
        work.people.add(Workspace(id=LANE))
        work.movements.add(_begin(told, language))
        place = Place(id=PLACE, workspace_id=LANE, channel=PLACE, name=told.channel, created_at=BEGUN)
        place.movement_id = MOVEMENT
        work.movements.add(place)
        _add_people(work, told, language)
        await work.flush()
        _add_initiatives(work, told)
        await work.flush()
        _add_stories(work, told)
        _add_rhythms(work)
        await work.flush()
        _add_walk(work, told)
        _add_magazine(work, told)
        for number in range(1, WEEKS + 1):
            for one in _list_deliveries(number):
                await work.deliveries.add(one)


def _begin(told: Showcase, language: Language) -> Movement:
    north, night, office = told.groups
    movement = Movement(id=MOVEMENT, name=told.name, language=language, started_at=BEGUN)
    movement.clouds = {
        TRIANGLE: Cloud(
            at=START - 2 * DAY, points={"broaden": 6, "deepen": 4, "steer": 1, "broaden_deepen": 3, "middle": 2}
        ).dump()
    }
    movement.spread = SpreadMap(
        at=START - DAY,
        groups=(
            GroupSpread(group=north, stories=(5, 10, 15)),
            GroupSpread(group=night, stories=(0, 5, 5)),
            GroupSpread(group=office, stories=(5, 5, 10)),
        ),
        flows=(
            Flow(source=north, target=office, times=15),
            Flow(source=office, target=north, times=10),
            Flow(source=north, target=night, times=5),
            Flow(source=north, target=north, times=5),
        ),
    ).dump()
    movement.reach = ReachPicture(
        at=START - DAY,
        groups=(
            GroupReach(group=north, well=10, once=5, unknown=0),
            GroupReach(group=night, well=0, once=5, unknown=5, out_since=START - 9 * DAY),
            GroupReach(group=office, well=5, once=5, unknown=5),
        ),
    ).dump()
    return movement


def _add_people(work: UnitOfWork, told: Showcase, language: Language) -> None:
    for number, name in enumerate((*PEOPLE, *PEOPLE_MORE)):
        account = name.lower()
        person = Person(id=PersonId(account), workspace_id=LANE, account=account, name=name, created_at=BEGUN)
        person.language, person.timezone = language, "Europe/Amsterdam"
        person.group = told.groups[number % 3]
        work.people.add(person)
        role = Role.COORDINATOR if account == COORDINATES else Role.MEMBER
        joined = BEGUN + number * 3 * DAY
        work.movements.add(Member(movement_id=MOVEMENT, person_id=person.id, role=role, joined_at=joined))
    work.movements.add(
        Purpose(
            id=PurposeId("purpose"),
            movement_id=MOVEMENT,
            version=1,
            written_by=PersonId(COORDINATES),
            written_at=BEGUN,
            **told.purpose,  # type: ignore[arg-type]
        )
    )
    for number, act in enumerate((CoordinatorAct.RHYTHM_MADE, CoordinatorAct.DOOR_OPENED)):
        change = CoordinatorChange(
            id=ChangeId(f"change-{number}"),
            movement_id=MOVEMENT,
            kind=act,
            about=told.channel if act is CoordinatorAct.RHYTHM_MADE else told.initiatives[0][0],
            by_id=PersonId(COORDINATES),
            at=START - (9 - 3 * number) * DAY,
        )
        work.movements.add(change)


def _add_initiatives(work: UnitOfWork, told: Showcase) -> None:
    parts = (("fatima", "jan", COORDINATES, "wim"), ("jan", "noor"), ("sanne", "kwame"), ("tarik",), ())
    for number, (name, trying) in enumerate(told.initiatives):
        begun = BEGUN + (30 + 9 * number) * DAY
        made = Initiative(
            id=InitiativeId(f"i{number}"),
            movement_id=MOVEMENT,
            name=name,
            description=trying,
            started_by=PersonId(parts[number][0]) if parts[number] else None,
            started_at=begun,
        )
        if number == 3:
            made.rests_since = START - 20 * DAY
        if not parts[number]:
            made.seeks_since = START - 8 * DAY
        work.initiatives.add(made)
        for place, who in enumerate(parts[number]):
            part = Participant(
                initiative_id=made.id,
                movement_id=MOVEMENT,
                person_id=PersonId(who),
                initiator=place == 0,
                joined_at=begun + place * 8 * DAY,
            )
            work.initiatives.add(part)


def _add_stories(work: UnitOfWork, told: Showcase) -> None:
    dimensions = (Dimension.BROADEN, Dimension.DEEPEN, None)
    for number, (who, initiative, days, words) in enumerate(told.stories):
        at = START - days * DAY
        story = Story(
            id=StoryId(f"s{number}"),
            movement_id=MOVEMENT,
            place_id=PLACE,
            teller_id=PersonId(who),
            text=words,
            readers=Readers.MOVEMENT,
            initiative_id=InitiativeId(f"i{initiative}") if initiative is not None else None,
            dimension=dimensions[number % 3],
            told_at=at,
        )
        if number < len(POINTS):
            story.meant, story.meant_at = join_meaning(TRIANGLE, POINTS[number]), at
        work.stories.add(story)
    # What came under reminders, for those there.
    for week in range(1, WEEKS + 1):
        for who in PEOPLE[1 : 4 + week % 4]:
            answer = Story(
                id=StoryId(f"a{week}-{who}"),
                movement_id=MOVEMENT,
                place_id=PLACE,
                thread=f"r{week}",
                message=f"m{week}-{who}",
                teller_id=PersonId(who.lower()),
                text=told.stories[week % len(told.stories)][3],
                readers=Readers.THREAD,
                told_at=_monday(week) + timedelta(hours=2),
            )
            if who != PEOPLE[1]:  # her page has her own stories on it
                work.stories.add(answer)


def _add_rhythms(work: UnitOfWork) -> None:
    for called, kind, rule, at in (
        ("weekly", RhythmKind.PURPOSE, "FREQ=WEEKLY;BYDAY=MO", time(9)),
        ("round", RhythmKind.STORIES, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", time(14)),
    ):
        first = (START - WEEKS * 7 * DAY).date()
        rhythm = Rhythm(
            id=RhythmId(called),
            movement_id=MOVEMENT,
            place_id=PLACE,
            kind=kind,
            rule=rule,
            starts_on=first,
            at=at,
            timezone="Europe/Amsterdam",
            next_at=START + (7 if called == "weekly" else 3) * DAY,
            created_by=PersonId(COORDINATES),
            created_at=datetime.combine(first, time(8), UTC),
        )
        work.rhythms.add(rhythm)
    skipped = MomentChange(rhythm_id=RhythmId("weekly"), movement_id=MOVEMENT, on=date(2027, 3, 15), skipped=True)
    work.rhythms.add(skipped)


def _add_walk(work: UnitOfWork, told: Showcase) -> None:
    """Add what happened in the first initiative, and what Fatima and Iris have going on."""
    walk, fatima, iris = InitiativeId("i0"), PersonId("fatima"), PersonId(COORDINATES)
    usual = {"movement_id": MOVEMENT, "place_id": PLACE, "kind": StuckKind.REACH}
    solved = StuckEpisode(
        id=EpisodeId("solved"),
        initiative_id=walk,
        person_id=fatima,
        text=told.stuck,
        audience=Audience.CHANNEL,
        state=EpisodeState.BREAKTHROUGH,
        opened_at=START - 60 * DAY,
        closed_at=START - 40 * DAY,
        **usual,  # type: ignore[arg-type]
    )
    work.stuck.add(solved)
    for number, (cue, action) in enumerate(told.steps):
        done = number == 0
        step = NextStep(
            id=StepId(f"step-{number}"),
            movement_id=MOVEMENT,
            initiative_id=walk,
            episode_id=None,
            person_id=fatima if done else iris,
            cue=cue,
            action=action,
            follow_up_at=START - 50 * DAY if done else START + 2 * DAY,
            state=StepState.DONE if done else StepState.PLANNED,
            posted=True,
            chosen_at=START - 58 * DAY if done else START - 2 * DAY,
            closed_at=START - 50 * DAY if done else None,
        )
        work.steps.add(step)
    trying, sign, learned = told.tried
    experiment = Experiment(
        id=ExperimentId("tried"),
        movement_id=MOVEMENT,
        initiative_id=walk,
        person_id=fatima,
        trying=trying,
        sign=sign,
        ends_at=START - 20 * DAY,
        timezone="Europe/Amsterdam",
        decision=Decision.DIFFERENTLY,
        decided_at=START - 19 * DAY,
        started_at=START - 34 * DAY,
    )
    work.experiments.add(experiment)
    answer = ExperimentAnswer(
        experiment_id=experiment.id,
        movement_id=MOVEMENT,
        person_id=fatima,
        answer=Decision.DIFFERENTLY,
        learned=learned,
        answered_at=START - 19 * DAY,
    )
    work.experiments.add(answer)
    asked, why, limit = told.room
    room = Room(
        id=RoomId("room"),
        movement_id=MOVEMENT,
        initiative_id=walk,
        asker_id=fatima,
        giver_id=PersonId("priya"),
        trying=asked,
        asking=why,
        limit=limit,
        ends_at=START + 90 * DAY,
        state=RoomState.GRANTED,
        asked_at=START - 30 * DAY,
        answered_at=START - 28 * DAY,
    )
    work.initiatives.add(room)
    stuck = StuckEpisode(
        id=EpisodeId("now"),
        initiative_id=None,
        person_id=iris,
        text=told.stuck_now,
        audience=Audience.ME,
        opened_at=START - 6 * DAY,
        **usual,  # type: ignore[arg-type]
    )
    work.stuck.add(stuck)
    chance = Chance(id=ChanceId("chance"), movement_id=MOVEMENT, person_id=iris, text=told.chance, noted_at=START - DAY)
    work.steps.add(chance)
    door = StoryDoor(
        id=DOOR,
        movement_id=MOVEMENT,
        initiative_id=walk,
        question=told.question,
        opened_by=iris,
        opened_at=START - 3 * DAY,
        ends_at=START + 25 * DAY,
    )
    work.doors.add(door)
    for number, who in enumerate(("jan", "noor", "wim", "els", "mo")):
        for story in range(number % 3 + 1):
            work.stories.add(
                Ripple(
                    story_id=StoryId(f"s{story}"),
                    movement_id=MOVEMENT,
                    person_id=PersonId(who),
                    place_id=PLACE,
                    at=START - DAY,
                )
            )


def _add_magazine(work: UnitOfWork, told: Showcase) -> None:
    title, words = told.magazine
    work.magazines.add(
        Magazine(
            id=MAGAZINE,
            movement_id=MOVEMENT,
            title=title,
            words=words,
            made_by=PersonId(COORDINATES),
            begun_at=START - 8 * DAY,
            shown_at=START - DAY,
        )
    )
    for number, (who, *_) in enumerate(told.stories[:7]):
        work.magazines.add(
            PrintConsent(
                magazine_id=MAGAZINE,
                story_id=StoryId(f"s{number}"),
                movement_id=MOVEMENT,
                person_id=PersonId(who),
                answer=PrintAnswer.AGREED,
                shown_name=PrintName.FIRST if number != 4 else PrintName.NONE,
                asked_at=START - 7 * DAY,
            )
        )


def _monday(week: int) -> datetime:
    """Return the moment of the reminder, so many weeks ago."""
    return START - timedelta(weeks=week) - timedelta(hours=1)


def _list_deliveries(week: int) -> list[Delivery]:
    """List what went out in a week: a reminder, every other week a round of stories, and messages to people."""
    monday = _monday(week)

    def sent(id: str, at: datetime, **more: object) -> Delivery:
        usual = {"workspace_id": LANE, "movement_id": MOVEMENT, "due_at": at, "created_at": at, "key": id}
        state = {"state": DeliveryState.SENT, "sent_at": at}
        return Delivery(id=DeliveryId(id), **{**usual, **state, **more})  # type: ignore[arg-type]

    here = {"place_id": PLACE, "priority": Priority.RHYTHM, "receipt_channel": PLACE}
    on = {"on": monday.date().isoformat()}
    found = [sent(f"p{week}", monday, kind="rhythm_purpose", subject="weekly", args=on, receipt=f"r{week}", **here)]
    if week % 2 == 0:
        thursday = monday + 3 * DAY + timedelta(hours=5)
        on = {"on": thursday.date().isoformat()}
        about = {"kind": "rhythm_stories", "subject": "round", "args": on, "receipt": f"t{week}"}
        found.append(sent(f"t{week}", thursday, **about, **here))
    for number, name in enumerate(PEOPLE[: 6 + week % 5]):
        to = {"person_id": PersonId(name.lower()), "kind": "story_ripple", "priority": Priority.NEWS}
        at = monday + timedelta(days=1, hours=number % 6)
        rests = {"state": DeliveryState.DROPPED, "reason": "snoozed", "sent_at": None} if number % 4 == 3 else {}
        found.append(sent(f"n{week}-{number}", at, **to, **rests))
    return found

"""Write movements with years behind them, in bulk: for what must stay as quick when there is much of it.

The newest is the same however much there is: in every movement a few actors told their latest stories, and every place
has the posts of the last week. What lies before grows with `Past.stories`.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5

from sqlalchemy import Connection, text

from adapters.database.tables import metadata
from tests.support.world import MONDAY

ACTORS = 4
"""In each movement, those who do things now; the first of them coordinates."""
LATEST = 4
"""Stories each of them told in the last hours."""
KINDS = 2
"""Posts a week in every place: the purpose on Monday, stories on Friday."""
PRINTED = 10
"""Stories in a magazine."""
DAY, YEAR = 86_400, 365 * 86_400
FRIDAY = 3 * DAY
"""How many seconds before MONDAY stories were asked for last."""
A_MILLION = 1_000_000
WORDS = (
    "Na de overdracht liepen we met z’n drieën een rondje langs alle kamers, en toen zei mevrouw De Wit dat ze voor "
    "het eerst in weken had geslapen. Dat hebben we op het bord geschreven, zodat de nachtdienst het ook las."
)


@dataclass(frozen=True, kw_only=True)
class Past:
    """The size of a past, and the ids of everything in it.

    `stories` in all, over `years`; the rest in proportion to them, but posts of rhythms for `weeks` weeks. Movements,
    and the places and people of each, are as many however long it is.

    With `into` it is the past of one movement that is there already, in the workspace `lane_into`: the first people,
    places and initiatives of the past are then those that are `known` there.
    """

    stories: int
    weeks: int
    years: float = 3
    platform: str = "bench"
    lanes: int = 10
    movements: int = 50
    places: int = 4
    people: int = 100
    initiatives: int = 4
    groups: int = 7
    partakers: int = 0
    """How many of the people take part in initiatives; all of them when it is 0."""
    into: str = ""
    lane_into: str = ""
    known_people: tuple[str, ...] = ()
    known_places: tuple[str, ...] = ()
    known_initiatives: tuple[str, ...] = ()

    @property
    def latest(self) -> int:
        """The number of stories that are the same in every past."""
        return self.movements * ACTORS * LATEST

    @property
    def posts_per_week(self) -> int:
        """Posts of rhythms in all places."""
        return self.movements * self.places * KINDS

    def magazine(self, movement: int) -> str:
        """Return the newest magazine of a movement."""
        return f"magazine-{movement}"

    def scale_to(self, many: int) -> int:
        """Scale a number that goes with a million stories to the stories of this past."""
        return many * self.stories // A_MILLION

    # The ids of things, by their numbers: the newest story of a movement is its story 0.

    def lane(self, movement: int) -> str:
        return f"{self.platform}:{movement % self.lanes}"

    def movement(self, number: int) -> str:
        return f"m{number}"

    def place(self, movement: int, number: int) -> str:
        return f"m{movement}p{number}"

    def person(self, movement: int, number: int) -> str:
        return f"m{movement}u{100 + number}"

    def rhythm(self, movement: int, place: int, kind: str) -> str:
        return f"m{movement}p{place}-{kind}"

    def story(self, movement: int, number: int) -> str:
        return md5(f"story/{number * self.movements + movement}".encode(), usedforsecurity=False).hexdigest()

    def thread(self, movement: int, place: int) -> str:
        """Return the receipt of last Friday's post, in whose thread people answer."""
        return f"post-{(place * KINDS + 1) * self.movements + movement}"


def write_past(connection: Connection, past: Past) -> None:
    """Write a past into an empty, migrated database."""
    if connection.dialect.name == "sqlite":
        connection.connection.create_function("md5", 1, _md5, deterministic=True)
    writing = _PastWriter(connection, past)
    writing.write_people_and_places()
    writing.stories()
    writing.deliveries()
    writing.steps()
    writing.ties()
    writing.magazines()


def _md5(words: str) -> str:
    return md5(words.encode(), usedforsecurity=False).hexdigest()


class _PastWriter:
    """Statements that both databases understand: rows are made of their number `k`, the newest being 0."""

    def __init__(self, connection: Connection, past: Past) -> None:
        self._connection = connection
        self._past = past
        self._on_postgresql = connection.dialect.name == "postgresql"
        self._now = int(MONDAY.timestamp())
        self._nth = f"(k / {past.movements})"
        """SQL for its number within its movement."""
        self._m = f"(k % {past.movements})"
        """SQL for the number of that movement."""
        self._movement = f"'{past.into}'" if past.into else f"'m' || {self._m}"
        self._lane = f"'{past.lane_into}'" if past.into else f"'{past.platform}:' || ({self._m} % {past.lanes})"
        self._steps = past.scale_to(60_000)

    def write_people_and_places(self) -> None:
        """Write workspaces, movements and all that belongs to them, but for what people did there."""
        past, nth, at = self._past, self._nth, self._at(f"{self._now - 4 * YEAR}")
        if not past.into:
            self._fill("workspaces", past.lanes, id=f"'{past.platform}:' || k", name="'Organisatie ' || k")
            self._fill(
                "movements", past.movements, id="'m' || k", name="'Samen op pad'", language="'nl'", country="'NL'",
                timezone="'Europe/Amsterdam'", started_at=at,
            )  # fmt: skip
            self._fill(
                "purposes", past.movements, id="'purpose-' || k", movement_id="'m' || k", version="1",
                vision="'Iedereen thuis, zo lang het kan'", core_messages="'[]'", behaviours="'[]'", written_at=at,
            )  # fmt: skip
        channel = self._place(nth)
        self._fill(
            "places", past.movements * past.places, len(past.known_places),
            id=channel, channel=channel, name=channel, workspace_id=self._lane,
            movement_id=self._movement, timezone="'Europe/Amsterdam'", quiet_from="'18:00:00.000000'",
            quiet_until="'08:00:00.000000'", quiet_weekends="true", state="'alive'", created_at=at,
        )  # fmt: skip
        who = self._person(nth)
        self._fill(
            "people", past.movements * past.people, len(past.known_people),
            id=who, account=who, name=who, workspace_id=self._lane,
            language="'nl'", group=f"'Groep ' || ({nth} % {past.groups})",
            story_choice="'movement'", story_named="true", chose="'[]'", created_at=at,
        )  # fmt: skip
        self._fill(
            "members", past.movements * past.people, len(past.known_people), movement_id=self._movement, person_id=who,
            role=f"CASE WHEN {nth} = 0 THEN 'coordinator' ELSE 'member' END", joined_at=at,
        )  # fmt: skip
        self._fill(
            "initiatives", past.movements * past.initiatives, len(past.known_initiatives),
            id=self._initiative(), movement_id=self._movement,
            name="'Ochtendgymnastiek ' || k", started_by=self._person("0"), started_at=at,
        )  # fmt: skip
        self._fill(
            "participants", past.movements * (past.partakers or past.people), len(past.known_people),
            initiative_id=self._initiative(), person_id=who, movement_id=self._movement, joined_at=at,
            initiator=f"{nth} < {past.initiatives + len(past.known_people)}",
        )  # fmt: skip
        for kind, weekday in (("purpose", "MO"), ("stories", "FR")):
            self._fill(
                "rhythms", past.movements * past.places, len(past.known_places),
                id=f"{channel} || '-{kind}'", movement_id=self._movement,
                place_id=channel, kind=f"'{kind}'", rule=f"'FREQ=WEEKLY;INTERVAL=1;BYDAY={weekday}'",
                starts_on="'2024-01-01'", at="'09:00:00.000000'", timezone="'Europe/Amsterdam'", on_holiday="'skip'",
                next_at=self._at(f"{self._now + 7 * DAY}"), created_at=at,
            )  # fmt: skip

    def stories(self) -> None:
        """Write stories and their ripples: every other one told in a thread; of five, one stays there and one has two
        ripples."""
        past, nth = self._past, self._nth
        self._fill(
            "stories", past.stories, id="md5('story/' || k)", movement_id=self._movement, place_id=self._told_in(),
            thread=f"CASE WHEN {nth} % 2 = 0 THEN NULL WHEN k < {past.latest} THEN {self._post('1')}"
            f" ELSE 'thread-' || ({nth} / 32) END",
            message=f"CASE WHEN {nth} % 2 = 1 THEN 'message-' || k END", teller_id=self._teller(),
            text=f"'{WORDS} (' || k || ')'", named="true",
            readers=f"CASE WHEN {nth} % 5 = 4 AND k >= {past.latest} THEN 'thread' ELSE 'movement' END",
            initiative_id=f"CASE WHEN {nth} % 10 = 0 THEN {self._initiative()} END",
            dimension=f"CASE WHEN {nth} % 3 = 0 THEN 'steer' END",
            part=f"CASE WHEN {nth} % 2 = 1 THEN 'vision' ELSE '' END", told_at=self._at(self._told_at()),
            withdrawn_at=f"CASE WHEN {nth} % 50 = 27 THEN {self._at(f'{self._told_at()} + {DAY}')} END",
            # The last harvest took the first of those before the latest: none of the others is ripe any more.
            harvested_at=f"CASE WHEN {nth} = {ACTORS * LATEST} THEN {self._at(f'{self._now - FRIDAY}')}"
            f" WHEN {nth} % 40 = 30 THEN {self._at(self._told_at())} END",
            # As if indexed, but for the latest; what searching a million stories takes, benchmarks/search.py measures.
            search_position=f"{self._told_at()} * 2147483648 + k", search_indexed=f"k >= {past.latest}",
        )  # fmt: skip
        rippled = max(0, past.stories // past.movements - ACTORS * LATEST + 3) // 5
        which = f"({ACTORS * LATEST + 1} + 5 * (k / {2 * past.movements}))"
        self._fill(
            "ripples", past.movements * rippled * 2,
            story_id=f"md5('story/' || ({which} * {past.movements} + {self._m}))",
            person_id=self._person(f"{which} + {nth} % 2 + 1"), movement_id=self._movement,
            at=self._at(f"{self._now} - 4 * {DAY}"), pressed="true", reactions="'[]'",
        )  # fmt: skip
        self._fill(
            "significances", past.weeks * past.movements, id="md5('choice/' || k)", movement_id=self._movement,
            story_id="md5('story/' || k)", place_id=self._told_in(), round="'round-' || k", by_id=self._teller(),
            why="'Het doet ertoe'", chosen_at=self._at(self._told_at()), agreed_at=self._at(self._told_at()),
        )  # fmt: skip
        self._fill(
            "inbox", past.scale_to(300_000), workspace_id=self._lane, key="md5('key/' || k)",
            at=self._at(f"{self._now} - k % (30 * {DAY})"),
        )  # fmt: skip

    def deliveries(self) -> None:
        """Write deliveries in the order in which they were made: a year of stories, of rhythms, and of follow-ups."""
        past, nth = self._past, self._nth
        where = self._place(f"{nth} / {KINDS} % {past.places}")
        told = {
            "id": "md5('told/' || k)", "place_id": self._told_in(), "person_id": "NULL", "priority": "0",
            "kind": f"CASE WHEN {nth} % 2 = 0 THEN 'story_posted' ELSE 'story_mark' END",
            "act": f"CASE WHEN {nth} % 2 = 0 THEN 'post' ELSE 'react' END",
            "target": f"CASE WHEN {nth} % 2 = 1 THEN 'message-' || k END", "subject": "md5('story/' || k)",
            "receipt": f"CASE WHEN {nth} % 20 <> 19 THEN 'posted-' || k END", "at": self._told_at(),
        }  # fmt: skip
        rhythms = {
            "id": "md5('rhythm/' || k)", "place_id": where, "person_id": "NULL", "priority": "3",
            "kind": f"CASE WHEN {nth} % 2 = 0 THEN 'rhythm_purpose' ELSE 'rhythm_stories' END",
            "act": "'post'", "target": "NULL",
            "subject": f"{where} || CASE WHEN {nth} % 2 = 0 THEN '-purpose' ELSE '-stories' END",
            "receipt": "'post-' || k", "at": f"{self._now} - 7 * {DAY} * (k / {past.posts_per_week})"
            f" - CASE WHEN {nth} % 2 = 0 THEN 7 * {DAY} ELSE {FRIDAY} END",
        }  # fmt: skip
        steps = {
            "id": "md5('follow/' || k)", "place_id": "NULL", "person_id": self._person(nth), "priority": "1",
            "kind": "'follow_up'", "act": "'post'", "target": "NULL", "subject": "md5('step/' || k)",
            "receipt": f"CASE WHEN {nth} % 20 <> 19 THEN 'follow-' || k END", "at": self._step_at(),
        }  # fmt: skip
        each = ((past.stories // 3, told), (past.weeks * past.posts_per_week, rhythms), (self._steps, steps))
        shared = {"movement_id": self._movement, "workspace_id": self._lane}
        made = " UNION ALL ".join(
            f"SELECT {_select_list({**columns, **shared})} FROM {_numbers_query(many)}"
            for many, columns in each
            if many
        )
        at, arrived = self._at("d.at"), "d.receipt IS NOT NULL"
        columns = {name: f"d.{name}" for name in (*told, *shared) if name != "at"}
        columns |= dict.fromkeys(("due_at", "queued_at", "attempted_at", "created_at"), at)
        columns |= {
            "sent_at": f"CASE WHEN {arrived} THEN {at} END",
            "state": f"CASE WHEN {arrived} THEN 'sent' ELSE 'dropped' END",
            "reason": f"CASE WHEN {arrived} THEN '' ELSE 'too_late' END",
            "key": "d.id",
            "args": """'{"part": "vision", "text": "Iedereen thuis", "number": 3, "story": ""}'""",
        }
        self._insert("deliveries", columns, f"({made}) AS d ORDER BY d.at")
        posted = f"{self._m} + 2 * {nth} * {past.movements}"
        self._fill(
            "retellings", past.stories // 3 // (2 * past.movements) * past.movements,
            story_id=f"md5('story/' || ({posted}))", delivery_id=f"md5('told/' || ({posted}))",
            movement_id=self._movement,
        )  # fmt: skip
        self._fill(
            "parts_said", past.weeks * past.movements * past.places, place_id=self._place(f"{nth} % {past.places}"),
            movement_id=self._movement, part="'vision'",
            said_at=self._at(f"{self._now} - 7 * {DAY} * (1 + k / {past.movements * past.places})"),
        )  # fmt: skip

    def steps(self) -> None:
        """Write stuck episodes, with three questions, a step, and for one in three a peer who was asked."""
        nth, at = self._nth, self._step_at()
        shared = {"movement_id": self._movement, "initiative_id": self._initiative(), "person_id": self._person(nth)}
        self._fill(
            "stuck_episodes", self._steps, **shared, id="md5('episode/' || k)", text="'Er komt niemand'",
            kind="'energy'", audience=f"CASE WHEN {nth} % 3 = 0 THEN 'channel' ELSE 'me' END", helpers="'[]'",
            state="'breakthrough'", opened_at=self._at(f"{at} - 5 * {DAY}"), closed_at=self._at(at),
        )  # fmt: skip
        self._fill(
            "questions_asked", self._steps * 3, **shared, episode_id=f"md5('episode/' || (k % {self._steps}))",
            question="'energy_' || (k % 20)", asked_at=self._at(f"{self._now} - 8 * {DAY} - k"),
        )  # fmt: skip
        self._fill(
            "next_steps", self._steps, **shared, id="md5('step/' || k)", episode_id="md5('episode/' || k)",
            cue="'het rustig is'", action="'bel ik Jan'", on_my_own="true", follow_up_at=self._at(at),
            state=f"CASE WHEN {nth} % 3 = 0 THEN 'let_go' ELSE 'done' END", posted=f"{nth} % 2 = 0",
            chosen_at=self._at(f"{at} - 3 * {DAY}"), closed_at=self._at(at),
        )  # fmt: skip
        self._fill(
            "companies", self._steps // 3, id="md5('company/' || k)", movement_id=self._movement,
            episode_id="md5('episode/' || k)", person_id=self._person(f"{nth} + 3"), round="1", state="'declined'",
            asked_at=self._at(at), answered_at=self._at(at),
        )  # fmt: skip

    def ties(self) -> None:
        """Write ties, nominations, invitations, suggestions, chances and requests for stories."""
        past, nth, half, at = self._past, self._nth, self._past.people // 2, self._at(f"{self._now} - 30 * {DAY} - k")
        # Everybody knows as many, however many people there are.
        one, some = self._person(f"{nth} % {half}"), 20_000
        other = self._person(f"{half} + ({nth} / {half} + {nth} % {half}) % {half}")
        most = past.movements * half * half
        self._fill(
            "ties", min(most, past.scale_to(100_000)), movement_id=self._movement, one_id=one, other_id=other,
            strength="1", last_at=at,
        )  # fmt: skip
        self._fill(
            "nominations", min(most, past.scale_to(some)), id="md5('nomination/' || k)", movement_id=self._movement,
            nominator_id=other, nominee_id=one, figure="'connector'", at=at,
        )  # fmt: skip
        self._fill(
            "invitations", past.scale_to(some), id="md5('invitation/' || k)", movement_id=self._movement,
            inviter_id=other, invitee_id=one, state="'accepted'", sent_at=at, answered_at=at,
        )  # fmt: skip
        self._fill(
            "suggestions", past.scale_to(some), id="md5('suggestion/' || k)", movement_id=self._movement,
            asker_id=other, person_id=one, at=at,
        )  # fmt: skip
        self._fill(
            "chances", past.scale_to(some), id="md5('chance/' || k)", movement_id=self._movement, person_id=one,
            text="'Er is nog koffie'", noted_at=at,
        )  # fmt: skip
        self._fill(
            "story_requests", past.scale_to(some), id="md5('request/' || k)", movement_id=self._movement,
            place_id=self._place(f"{nth} % {past.places}"), message="'asked-' || k", author_id=one, asked_by_id=other,
            asked_at=at, answered_at=at,
        )  # fmt: skip

    def magazines(self) -> None:
        """Write magazines that everyone can read, with a few stories that may be printed, told before the latest."""
        past, at = self._past, self._at(f"{self._now} - 30 * {DAY} - k")
        many = past.movements * max(1, past.scale_to(5_000) // past.movements)
        self._fill(
            "magazines", many, id="'magazine-' || k", movement_id=self._movement, title="'Een jaar samen op pad'",
            history="false", made_by=self._person("0"), begun_at=at, shown_at=at,
        )  # fmt: skip
        # A story has the movement of its number, as a magazine has: so many magazines further is the next story.
        told = f"({ACTORS * LATEST} + k / {many})"
        self._fill(
            "magazine_stories", many * PRINTED, magazine_id=f"'magazine-' || (k % {many})",
            story_id=f"md5('story/' || ({told} * {past.movements} + {self._m}))", movement_id=self._movement,
            person_id=self._person(f"{told} * 37"), chosen="true", answer="'agreed'", shown_name="'first'",
            asked_at=at, answered_at=at,
        )  # fmt: skip

    # -- what columns hold, as SQL -------------------------------------------------------------------------------------

    def _place(self, number: str) -> str:
        return _first_known(self._past.known_places, f"({number})", f"{self._movement} || 'p' || ({number})")

    def _person(self, number: str) -> str:
        which = f"(({number}) % {self._past.people})"
        if self._past.into:
            return _first_known(self._past.known_people, which, f"'u' || (100000 + {which})")
        return f"{self._movement} || 'u' || (100 + {which})"

    def _initiative(self) -> str:
        which = f"({self._nth} % {self._past.initiatives})"
        return _first_known(self._past.known_initiatives, which, f"'i' || {self._m} || '-' || {which}")

    def _told_in(self) -> str:
        return self._place(f"{self._nth} / {ACTORS} % {self._past.places}")

    def _post(self, kind: str) -> str:
        """The receipt of the last post of a kind where a story was told, as SQL."""
        place = f"({self._nth} / {ACTORS} % {self._past.places})"
        return f"'post-' || (({place} * {KINDS} + {kind}) * {self._past.movements} + {self._m})"

    def _teller(self) -> str:
        """The teller: of the latest stories the actors in turn, of the others everyone."""
        everyone = f"{self._nth} * 37"
        return self._person(f"CASE WHEN k < {self._past.latest} THEN {self._nth} % {ACTORS} ELSE {everyone} END")

    def _told_at(self) -> str:
        past = self._past
        before = f"{int(past.years * YEAR)} * (k - {past.latest}) / {max(1, past.stories - past.latest)}"
        return f"({self._now} - CASE WHEN k < {past.latest} THEN 60 * (k + 1) ELSE 4 * {DAY} + {before} END)"

    def _step_at(self) -> str:
        return f"({self._now} - 8 * {DAY} - {int(self._past.years * YEAR / 3)} * k / {max(1, self._steps)})"

    def _at(self, seconds: str) -> str:
        """A moment, given as seconds since 1970."""
        if self._on_postgresql:
            return f"to_timestamp({seconds})"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {seconds}, 'unixepoch')"

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _fill(self, table: str, many: int, known: int = 0, **columns: str) -> None:
        """Insert so many rows but the first `known`, with the columns as SQL expressions of `k`; those not given get
        empty defaults."""
        if many > known:
            self._insert(table, columns, _numbers_query(many, known))

    def _insert(self, table: str, columns: Mapping[str, str], source: str) -> None:
        whole = {**columns, **_required_defaults(table, columns)}
        names = ", ".join(f'"{name}"' for name in whole)
        statement = f"INSERT INTO {table} ({names}) SELECT {', '.join(whole.values())} FROM {source}"
        self._connection.execute(text(statement.replace(":", r"\:")))


def _first_known(known: Sequence[str], number: str, other: str) -> str:
    """Return, as SQL, the id of the first things by their number, and another one for those that are not known."""
    cases = " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(known))
    return f"(CASE {number} {cases} ELSE {other} END)" if known else other


def _select_list(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())


def _numbers_query(many: int, first: int = 0) -> str:
    return (
        "(WITH RECURSIVE numbers(k) AS"
        f" (SELECT CAST({first} AS bigint) UNION ALL SELECT k + 1 FROM numbers WHERE k + 1 < {many})"
        " SELECT k FROM numbers) AS counted"
    )


_BLANK = {str: "''", int: "0", bool: "false"}


def _required_defaults(table: str, given: Container[str]) -> dict[str, str]:
    """Return empty values, as SQL, for the required columns that are not given and have no default."""
    return {
        column.name: _BLANK[column.type.python_type]
        for column in metadata.tables[table].columns
        if column.name not in given
        and not column.nullable
        and column.server_default is None
        and column.autoincrement is not True
    }

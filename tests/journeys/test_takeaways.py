"""A coordinator takes along what the movement may: nameless but for who agreed, nothing that was private."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from adapters.typesetting import TypstTypesetter
from bot.domain.movement import Role
from bot.domain.person import Language, PersonId
from bot.domain.story import Readers, Story
from bot.ports import UnitOfWork
from tests.drivers.playground import PlaygroundDriver, Seen
from tests.journeys.test_story_doors import last_card, open_door, tell
from tests.support.playground import MOVEMENT, ServedPlayground, serve_playground
from tests.support.visitors import a_browser

FORMULA = '=HYPERLINK("https://evil.example","klik hier")'


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ServedPlayground]:
    async with serve_playground(tmp_path / "demo.db") as running:
        yield running


@dataclass
class Taken:
    """The file as it is read back."""

    files: dict[str, bytes]

    @property
    def text(self) -> str:
        """Everything that can be read in it, the PDF as well."""
        pdf = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(self.files["movement.pdf"])).pages)
        rest = (one.decode() for name, one in self.files.items() if name != "movement.pdf")
        return " ".join((pdf, *rest))

    def rows(self, table: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.files[f"{table}.csv"].decode("utf-8-sig"))))


async def take_along(served: ServedPlayground, who: str = "iris", word: str = "meenemen") -> Taken:
    people = PlaygroundDriver(served)
    await people.type(who, f"/ritme {word}", channel=None)
    await people.drain()
    given = [one for one in await people.private(who) if one.json.get("file")][-1]
    packed = await served.download(f"/messages/{given.id}/file?persona={who}")
    with ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return Taken({name: archive.read(name) for name in archive.namelist()})


async def live(served: ServedPlayground) -> None:
    """Let people tell things, for all and for themselves; Jan alone agrees to be named everywhere."""
    people = PlaygroundDriver(served)
    async with served.begin() as work:
        jan = await work.people.get(PersonId("jan"), MOVEMENT)
        assert jan is not None
        jan.named_beyond = True
    purpose = (await served.say("iris", "samen-vooruit", "/ritme bedoeling"))["form"]
    await served.submit("iris", purpose, {"vision": "Iedereen doet mee, zegt Iris.", "core_messages": "Vraag eerst."})
    await people.type("iris", "/ritme ritme elke maandag om 9 uur een herinnering in #samen-vooruit", channel=None)
    await people.type("fatima", "/verhaal Samen met Wim en de buurvrouw liepen we een rondje")
    await people.type("jan", "/verhaal Sanne's idee werkte: fatima zong mee en kwame ook")
    await people.type("jan", f"/verhaal {FORMULA}")
    await people.type("fatima", "/vast Ik weet niet hoe ik Wim mee krijg", channel=None)
    async with a_browser(served) as neighbour:
        await tell(neighbour, await open_door(served), "De hond ging mee.", called="name", name="Truus")
        await people.press("fatima", await last_card(served), "let_in")
        await tell(neighbour, await open_door(served), "Dit wacht nog aan de deur.")


async def test_it_holds_what_all_may_read_and_no_name_of_who_did_not_agree(served: ServedPlayground) -> None:
    await live(served)
    taken = await take_along(served)
    assert set(taken.files) == {
        "README.txt", "movement.pdf", "movement.json", "purpose.csv", "rhythms.csv", "moments.csv", "initiatives.csv",
        "steps.csv", "stories.csv", "history.csv", "figures.csv",
    }  # fmt: skip
    stories = taken.rows("stories")
    assert {one["teller"] for one in stories} == {"", "Jan"}
    assert sum(one["teller"] == "Jan" for one in stories) == 2
    by_text = {one["text"]: one for one in stories}
    assert "Samen met een collega en de buurvrouw liepen we een rondje" in by_text
    assert "een collega idee werkte: een collega zong mee en een collega ook" in by_text
    assert by_text["De hond ging mee."]["from_outside"] == "True"
    async with served.begin() as work:
        names = set(await work.people.names_like(MOVEMENT, "aeiou")) - {"Jan"}
    assert names
    everything = taken.text.casefold()
    for name in (*names, "Truus"):
        assert not re.search(rf"\b{re.escape(name.casefold())}\b", everything), name
    for private in ("mee krijg", "dit wacht nog", "stuck", "nomin"):
        assert private not in everything, private
    read = json.loads(taken.files["movement.json"])
    assert [one["text"] for one in read["stories"]] == [one["text"].removeprefix("'") for one in stories]
    assert read["purpose"][0]["text"].startswith("Iedereen doet mee")
    assert taken.rows("initiatives")[0]["name"] == "Wandelen na het eten"
    assert {one["what"]: one["how_many"] for one in taken.rows("figures")}["stories"] == "4"
    assert "WAT ER NIET IN ZIT" in taken.files["README.txt"].decode()


@pytest.mark.parametrize("language", list(Language))
async def test_the_pdf_says_how_often_and_what_each_part_of_the_purpose_is(
    served: ServedPlayground, language: Language
) -> None:
    await live(served)
    async with served.begin() as work:
        kwame = await work.movements.membership(MOVEMENT, PersonId("kwame"))
        assert kwame is not None
        kwame.role = Role.COORDINATOR
        purpose = await work.movements.purpose(MOVEMENT)
        assert purpose is not None
        purpose.mission, purpose.behaviours = "Samen doen.", ["Handen op je rug"]
    people = PlaygroundDriver(served)
    for line in ("elke maandag om 9 uur een herinnering", "verhalen één keer op 19 april om 10 uur"):
        heard = await people.type("iris", f"/ritme ritme {line} in #samen-vooruit", channel=None)
        await people.press("iris", heard, "save")
    who = "iris" if language is Language.NL else "kwame"
    read = " ".join((await take_along(served, who)).text.split())
    dutch = (
        "elke maandag om 09:00",
        "één keer, op 19 april 2027 om 10:00",
        "Wat we doen. Samen doen.",
        "Klein gedrag",
        "Wat iedereen meedraagt",
    )
    english = (
        "every Monday at 09:00",
        "on 19 April 2027 at 10:00",
        "What we do. Samen doen.",
        "Small behaviours",
        "What we all keep in mind",
    )
    for said in dutch if language is Language.NL else english:
        assert said in read, read[:1500]


async def test_the_date_of_a_story_stays_with_its_words(served: ServedPlayground) -> None:
    await live(served)
    people = PlaygroundDriver(served)
    for number in range(30):
        await people.type("jan", f"/verhaal We liepen {number} keer een rondje langs alle kamers van de gang")
    pages = PdfReader(io.BytesIO((await take_along(served)).files["movement.pdf"])).pages
    assert len(pages) > 1
    assert [page.extract_text()[:40] for page in pages if re.match(r"\d+ \w+ 20\d\d", page.extract_text())] == []


async def test_no_cell_is_a_formula_and_the_pdf_is_tagged(served: ServedPlayground) -> None:
    await live(served)
    taken = await take_along(served, word="takeaway")
    for name in taken.files:
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(taken.files[name].decode("utf-8-sig"))):
                assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))], name
    assert any(one["text"] == f"'{FORMULA}" for one in taken.rows("stories"))
    root = PdfReader(io.BytesIO(taken.files["movement.pdf"])).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]


async def test_it_is_for_coordinators_alone_also_when_it_is_sent(served: ServedPlayground) -> None:
    people = PlaygroundDriver(served)
    refused: Seen = await people.type("jan", "/ritme meenemen", channel=None)
    assert "coördinator" in refused.words()
    await served.say("iris", "dm-iris", "/ritme hulp")
    async with served.begin() as work:
        member = await work.movements.membership(MOVEMENT, PersonId("iris"))
        assert member is not None
        member.role = Role.MEMBER
    refused = await people.type("iris", "/ritme meenemen", channel=None)
    assert "coördinator" in refused.words()
    for who in ("iris", "jan"):
        assert not [one for one in await people.private(who) if one.json.get("file")]


async def test_asked_again_within_the_hour_it_is_the_same_file(served: ServedPlayground) -> None:
    first = await take_along(served)
    people = PlaygroundDriver(served)
    again = await people.type("iris", "/ritme meenemen", channel=None)
    assert "hetzelfde" in again.words()
    await people.type("jan", "/verhaal De soep was heet")
    assert (await take_along(served)).files == first.files


async def test_asked_again_after_a_story_was_taken_back_it_is_said_to_be_made_now(served: ServedPlayground) -> None:
    people = PlaygroundDriver(served)
    await people.type("jan", "/verhaal De soep was heet")
    await take_along(served)
    served.clock.set(served.clock.now() + timedelta(minutes=10))
    async with served.begin() as work:
        (story,) = [one for one in await work.stories.of_teller(PersonId("jan"), 99) if one.text == "De soep was heet"]
        story.withdraw(served.clock.now())
    again = await people.type("iris", "/ritme meenemen", channel=None)
    assert "hetzelfde" not in again.words()
    assert "Ik zet in één bestand" in again.words()
    await people.drain()
    first, second = [one for one in await people.private("iris") if one.json.get("file")][-2:]
    assert first.words() != second.words(), "it says when it was made"


async def test_a_story_taken_back_is_gone_from_a_file_that_was_made(served: ServedPlayground) -> None:
    people = PlaygroundDriver(served)
    await people.type("jan", "/verhaal De soep was heet")
    assert "De soep was heet" in (await take_along(served)).text
    async with served.begin() as work:
        (story,) = [one for one in await work.stories.of_teller(PersonId("jan"), 99) if one.text == "De soep was heet"]
        story.withdraw(served.clock.now())
    given = [one for one in await people.private("iris") if one.json.get("file")][-1]
    packed = await served.download(f"/messages/{given.id}/file?persona=iris")
    with ZipFile(io.BytesIO(packed)) as archive:
        left = Taken({name: archive.read(name) for name in archive.namelist()})
    assert "De soep was heet" not in left.text
    async with served.begin() as work:
        member = await work.movements.membership(MOVEMENT, PersonId("iris"))
        assert member is not None
        member.role = Role.MEMBER
    async with served.session.get(f"/playground/api/messages/{given.id}/file?persona=iris") as response:
        assert not (await response.read()).startswith(b"PK")


async def _take_back(served: ServedPlayground) -> None:
    async with served.begin() as work:
        story = await _soup(work)
        story.withdraw(served.clock.now())


async def _narrow(served: ServedPlayground) -> None:
    async with served.begin() as work:
        (await _soup(work)).readers = Readers.THREAD


async def _tell_without_a_name(served: ServedPlayground) -> None:
    async with served.begin() as work:
        jan = await work.people.get(PersonId("jan"), MOVEMENT)
        assert jan is not None
        jan.named_beyond = False


async def _name_me_no_more(served: ServedPlayground) -> None:
    """Let one who told nothing, and is named in a story of somebody else, take back their yes."""
    async with served.begin() as work:
        fatima = await work.people.get(PersonId("fatima"), MOVEMENT)
        assert fatima is not None
        fatima.named_beyond = False


async def _soup(work: UnitOfWork) -> Story:
    (story,) = [one for one in await work.stories.of_teller(PersonId("jan"), 99) if "soep" in one.text]
    return story


@pytest.mark.parametrize(
    ("changing", "gone"),
    [
        (_take_back, "soep"),
        (_narrow, "soep"),
        (_tell_without_a_name, "Jan"),
        (_name_me_no_more, "Fatima"),
    ],
)
async def test_what_changes_while_it_is_composed_is_not_in_it(
    served: ServedPlayground, monkeypatch: pytest.MonkeyPatch, changing: Callable[[ServedPlayground], Any], gone: str
) -> None:
    """Everything is read when it is drawn: what changes then has to be seen at the end."""
    people, typeset, drawn = PlaygroundDriver(served), TypstTypesetter.typeset, []
    async with served.begin() as work:
        for name in ("jan", "fatima"):
            person = await work.people.get(PersonId(name), MOVEMENT)
            assert person is not None
            person.named_beyond = True
    await people.type("jan", "/verhaal De soep van Fatima was heet")

    async def change_once(setter: TypstTypesetter, drawing: str, data: Any, form: Any) -> bytes:
        drawn.append(str(data))
        if len(drawn) == 1:
            await changing(served)
        return await typeset(setter, drawing, data, form)

    monkeypatch.setattr(TypstTypesetter, "typeset", change_once)
    await people.type("iris", "/ritme meenemen", channel=None)
    await people.drain()
    assert not [one for one in await people.private("iris") if one.json.get("file")]
    served.clock.set(served.clock.now() + timedelta(minutes=1))  # others are sent first, then it is made anew
    await people.drain()
    taken = await _open_again(served)
    assert gone in drawn[0]
    assert gone not in taken.text
    assert len(drawn) == 2
    assert (await _open_again(served)).files == taken.files, "it is kept as it was made at last"


async def test_one_who_stops_coordinating_while_it_is_composed_is_not_given_it(
    served: ServedPlayground, monkeypatch: pytest.MonkeyPatch
) -> None:
    typeset = TypstTypesetter.typeset

    async def stop_coordinating(setter: TypstTypesetter, drawing: str, data: Any, form: Any) -> bytes:
        async with served.begin() as work:
            member = await work.movements.membership(MOVEMENT, PersonId("iris"))
            assert member is not None
            member.role = Role.MEMBER
        return await typeset(setter, drawing, data, form)

    monkeypatch.setattr(TypstTypesetter, "typeset", stop_coordinating)
    people = PlaygroundDriver(served)
    await people.type("iris", "/ritme meenemen", channel=None)
    await people.drain()
    assert not [one for one in await people.private("iris") if one.json.get("file")]


async def test_a_movement_that_never_holds_still_is_tried_again_later(
    served: ServedPlayground, monkeypatch: pytest.MonkeyPatch
) -> None:
    typeset, people = TypstTypesetter.typeset, PlaygroundDriver(served)
    await people.type("jan", "/verhaal De soep was heet")

    async def change(setter: TypstTypesetter, drawing: str, data: Any, form: Any) -> bytes:
        async with served.begin() as work:
            (await _soup(work)).text += "!"
        return await typeset(setter, drawing, data, form)

    with monkeypatch.context() as busy:
        busy.setattr(TypstTypesetter, "typeset", change)
        await people.type("iris", "/ritme meenemen", channel=None)
        await people.drain()
        assert not [one for one in await people.private("iris") if one.json.get("file")]
    served.clock.set(served.clock.now() + timedelta(minutes=1))
    await people.drain()
    assert "De soep was heet!" in (await _open_again(served)).text


async def _open_again(served: ServedPlayground) -> Taken:
    """Open the link to the file that Iris was given last."""
    given = [one for one in await PlaygroundDriver(served).private("iris") if one.json.get("file")][-1]
    packed = await served.download(f"/messages/{given.id}/file?persona=iris")
    with ZipFile(io.BytesIO(packed)) as archive:
        return Taken({name: archive.read(name) for name in archive.namelist()})


async def test_a_story_that_fewer_may_read_since_is_gone_from_a_file_that_was_made(served: ServedPlayground) -> None:
    await PlaygroundDriver(served).type("jan", "/verhaal De soep was heet")
    assert "De soep was heet" in (await take_along(served)).text
    async with served.begin() as work:
        told = await work.stories.of_teller(PersonId("jan"), 99)
        (story,) = [one for one in told if one.text == "De soep was heet"]
        story.readers = Readers.THREAD
    assert "De soep was heet" not in (await _open_again(served)).text


async def test_a_name_that_is_no_longer_agreed_to_is_gone_from_a_file_that_was_made(served: ServedPlayground) -> None:
    await live(served)
    assert "Jan" in {one["teller"] for one in (await take_along(served)).rows("stories")}
    async with served.begin() as work:
        jan = await work.people.get(PersonId("jan"), MOVEMENT)
        assert jan is not None
        jan.named_beyond = False
    assert {one["teller"] for one in (await _open_again(served)).rows("stories")} == {""}

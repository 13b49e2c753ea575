"""In every field that a program reads stands only what may leave the movement: field by consent and size of group."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.api.operations import OPERATIONS
from bot.domain.api_token import Scope
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.person import PersonId
from bot.domain.story import Readers, Story, StoryId
from tests.journeys.test_pages_privacy import FIELDS, WALK, fill
from tests.support.api import Program, make_key, open_api
from tests.support.world import MOVEMENT, World, open_world

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?")
NAME = "Noortje"


def is_id(value: object) -> bool:
    """Return whether a value is the id of something that is shown, or nothing; no account and no name."""
    return value is None or (
        isinstance(value, str) and bool(ID.fullmatch(value)) and value not in ("noor", "jan", "iris")
    )


def is_moment(value: object) -> bool:
    return value is None or (isinstance(value, str) and bool(MOMENT.fullmatch(value)))


def is_rounded(value: object) -> bool:
    return isinstance(value, int) and value % 5 == 0


def one_of(*known: object) -> Callable[[object], bool]:
    return lambda value: value in known


SHOWN: dict[str, dict[str, Callable[[object], bool]]] = {
    "getMovement": {
        "id": is_id,
        "name": one_of("Samen op pad"),
        "language": one_of("nl"),
        "timezone": one_of("Europe/Amsterdam"),
        "started_on": is_moment,
        "scopes[]": one_of(*(scope.value for scope in Scope)),
        "expires_at": is_moment,
    },
    "getPurpose": {
        "version": one_of(1),
        "written_at": is_moment,
        "vision": one_of("BEDOELD"),
        **dict.fromkeys(("mission", "identity", "norms", "values"), one_of("")),
        **dict.fromkeys(("core_messages[]", "behaviours[]"), one_of("Vraag eerst")),
    },
    "listRhythms": {
        "items[].id": is_id,
        "items[].kind": one_of("stories"),
        "items[].timezone": one_of("Europe/Amsterdam"),
        "items[].created_at": is_moment,
        "items[].next_moments[]": is_moment,
        "next_cursor": one_of(None),
    },
    "getInitiative": {
        "id": is_id,
        "name": one_of("Wandelen"),
        "state": one_of("going", "resting", "ended"),
        "seeks_somebody": one_of(True, False),
        "started_at": is_moment,
        "ended_at": is_moment,
    },
    "getStory": {
        "id": is_id,
        "text": one_of("BUITENMET", "BUITENZONDER"),
        "teller": one_of(None),
        "told_at": is_moment,
        "initiative_id": is_id,
        "dimension": one_of(None, "broaden", "deepen", "steer"),
    },
    "getFigures": {
        "counted_at": is_moment,
        **dict.fromkeys(("members", "taking_part", "stories", "ripples"), is_rounded),
        "groups_counted_at": is_moment,
        "groups[].group": one_of("VIJFTAL"),
        **{f"groups[].{one}": is_rounded for one in ("reached_well", "reached_once", "not_reached")},
    },
}
"""Each field that a program reads, by operation, and what may stand in it. A new one has to be named here."""
SHOWN |= {
    of: {**{f"items[].{name}": allowed for name, allowed in SHOWN[one].items()}, "next_cursor": one_of(None)}
    for of, one in (("listInitiatives", "getInitiative"), ("listStories", "getStory"))
}


def read_leaves(body: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Read the values of a body with their paths; of an empty list none."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from read_leaves(value, f"{path}.{name}".lstrip("."))
    elif isinstance(body, list):
        for value in body:
            yield from read_leaves(value, f"{path}[]")
    else:
        yield path, body


async def fill_outside(world: World, *, agreed: bool) -> None:
    """Add one of everything, with stories for everyone: one with the name of its teller, one without."""
    await fill(world, agreed=agreed)
    async with world.begin() as work:
        purpose = await work.movements.purpose(MOVEMENT)
        assert purpose is not None
        purpose.core_messages, purpose.behaviours = ["Vraag eerst"], ["Vraag eerst"]
        for story, named in (("BUITENMET", True), ("BUITENZONDER", False)):
            work.stories.add(
                Story(
                    id=StoryId(story),
                    movement_id=MOVEMENT,
                    place_id=None,
                    teller_id=PersonId("noor"),
                    text=story,
                    named=named,
                    readers=Readers.EVERYONE,
                    initiative_id=WALK,
                    told_at=world.clock.now(),
                )
            )


def test_every_operation_is_walked() -> None:
    assert set(SHOWN) == {one.id for one in OPERATIONS}


@pytest.mark.parametrize("agreed", [False, True], ids=["without consent", "agreed"])
async def test_in_each_field_stands_only_what_may_leave_the_movement(tmp_path: Path, agreed: bool) -> None:
    async with open_world(tmp_path, pages=True) as world, open_api(world.ritme.api) as program:
        await fill_outside(world, agreed=agreed)
        said = await read_everything(world, program)
        seen: dict[str, set[str]] = {}
        for operation, bodies in said.items():
            for path, value in (leaf for body in bodies for leaf in read_leaves(body)):
                seen.setdefault(operation, set()).add(path)
                credited = agreed and path.endswith("teller") and value == NAME
                assert credited or SHOWN[operation][path](value), (operation, path, value)
        assert seen == {one: set(fields) for one, fields in SHOWN.items()}
        tellers = {one["text"]: one["teller"] for body in said["listStories"] for one in body["items"]}
        assert tellers == {"BUITENMET": NAME if agreed else None, "BUITENZONDER": None}


@pytest.mark.parametrize("agreed", [False, True], ids=["without consent", "agreed"])
async def test_nothing_that_stands_on_pages_alone_is_read(tmp_path: Path, agreed: bool) -> None:
    async with open_world(tmp_path, pages=True) as world, open_api(world.ritme.api) as program:
        await fill_outside(world, agreed=agreed)
        said = {one: repr(bodies) for one, bodies in (await read_everything(world, program)).items()}
        expected = {"BEDOELD": {"getPurpose"}, "VIJFTAL": {"getFigures"}}
        if agreed:
            expected[NAME] = {"listStories", "getStory"}
        for what, field in FIELDS.items():
            found = {one for one, bodies in said.items() if field.words in bodies}
            assert found == expected.get(field.words, set()), what


@pytest.mark.parametrize("size", [MIN_GROUP_SIZE - 1, MIN_GROUP_SIZE])
async def test_a_group_is_read_from_five_on(tmp_path: Path, size: int) -> None:
    async with open_world(tmp_path, pages=True) as world, open_api(world.ritme.api) as program:
        await fill_outside(world, agreed=True)
        async with world.begin() as work:
            for number in range(size, MIN_GROUP_SIZE):
                left = await work.people.get(PersonId(f"vijf{number}"), MOVEMENT)
                assert left is not None
                left.group = ""
        program.key = await make_key(world, Scope.FIGURES)
        shown = [one["group"] for one in (await program.read("/figures"))["groups"]]
        assert shown == (["VIJFTAL"] if size >= MIN_GROUP_SIZE else [])


async def read_everything(world: World, program: Program) -> dict[str, list[Any]]:
    """Return all bodies of each operation, with a key that opens everything."""
    program.key = await make_key(world)
    ids = {"getInitiative": [WALK], "getStory": ["BUITENMET", "BUITENZONDER"]}
    return {
        one.id: [await program.read(one.path.replace("{id}", about)) for about in ids.get(one.id, [""])]
        for one in OPERATIONS
    }

"""A link or code opens one thing: late, altered, of another installation, or of another kind, it opens nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from adapters.file_links import FileLinks
from adapters.pages.links import ONCE_LASTS, PageLinks
from tests.support.secrets import SITE, core_of, make_secrets

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
DOOR = "d" * 32
LATER = NOW + ONCE_LASTS + timedelta(days=1)
Read = Callable[[str, datetime], object]


def readers(secret: str = "geheim") -> dict[str, Read]:
    """Return what reads each kind of link."""
    pages, files = PageLinks([secret], SITE), FileLinks([secret], SITE)
    return {
        "page": pages.read_link,
        "file": files.read_link,
        "door": lambda token, _now: pages.read_door(token),
        "page of a door": lambda mark, now: pages.make_code(DOOR, mark, now),
    }


def tokens() -> dict[str, str]:
    """Return one of every secret that stands in an address or on a page, by its kind."""
    return {
        **{name: core_of(secret) for name, secret in make_secrets(NOW).items()},
        "page of a door": PageLinks(["geheim"], SITE).mark_page(DOOR, NOW),
    }


def alter(token: str, at: int) -> str:
    """Return a token with one other sign."""
    return f"{token[:at]}{'1' if token[at] != '1' else '2'}{token[at + 1 :]}"


@pytest.mark.parametrize("kind", sorted(readers()))
def test_it_opens_its_own_and_nothing_else(kind: str) -> None:
    read, made = readers()[kind], tokens()
    assert read(made[kind], NOW)
    assert [name for name, token in made.items() if name != kind and read(token, NOW)] == []


@pytest.mark.parametrize("kind", sorted(readers()))
def test_of_another_installation_it_opens_nothing(kind: str) -> None:
    assert not readers("van een ander")[kind](tokens()[kind], NOW)


@pytest.mark.parametrize("kind", sorted(readers()))
def test_altered_anywhere_it_opens_nothing(kind: str) -> None:
    read, token = readers()[kind], tokens()[kind]
    assert [at for at in range(len(token)) if read(alter(token, at), NOW)] == []
    assert not read(token[:-1], NOW)
    assert not read(f"{token}0", NOW)


@pytest.mark.parametrize("kind", sorted(set(readers()) - {"door"}))
def test_late_it_opens_nothing(kind: str) -> None:
    """A door hangs on walls: the core knows when it closes (journeys/test_story_doors.py)."""
    assert not readers()[kind](tokens()[kind], LATER)


def test_the_page_of_one_door_is_none_of_another() -> None:
    pages = PageLinks(["geheim"], SITE)
    assert pages.make_code("e" * 32, pages.mark_page(DOOR, NOW), NOW) == ""

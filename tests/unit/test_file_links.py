"""A link opens one file, until its moment, and nothing about it can be changed or guessed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.file_links import FileLinks
from bot.chat import Message, PostedFile

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
SAID = Message(paragraphs=(), language="nl")
FILE = PostedFile(
    id="a" * 32,
    name="ritme.html",
    title="t",
    label="l",
    until=NOW + timedelta(hours=1),
    linked=SAID,
    refused=SAID,
)
LINKS = FileLinks(["geheim"], "https://ritme.example.org")


def token(links: FileLinks = LINKS, file: PostedFile = FILE) -> str:
    return links.make_link(file, "teams").rpartition("/")[2].partition("?")[0]


def test_it_names_its_file_until_its_moment() -> None:
    assert LINKS.read_link(token(), NOW) == FILE.id
    assert LINKS.read_link(token(), FILE.until - timedelta(seconds=1)) == FILE.id
    assert LINKS.read_link(token(), FILE.until) is None


def test_the_signature_of_one_does_not_open_another() -> None:
    file, expires, mark = token().split(".")
    other = replace(FILE, id="b" * 32)
    theirs = token(file=other).split(".")
    later = str(int(expires) + 3600)
    for changed in ((theirs[0], expires, mark), (file, later, mark), (file, expires, theirs[2]), (file, expires, "")):
        assert LINKS.read_link(".".join(changed), NOW) is None


@pytest.mark.parametrize(
    "nonsense", ["", ".", "..", "a.b.c", "a.1", "a.-1.c", "a.²³.c", "é.1.c", "a." + "9" * 400 + ".c"]
)
def test_nonsense_is_none_of_ours(nonsense: str) -> None:
    assert LINKS.read_link(nonsense, NOW) is None


def test_after_a_new_key_the_old_links_still_open() -> None:
    both = FileLinks(["nieuw", "geheim"], "https://ritme.example.org")
    assert both.read_link(token(), NOW) == FILE.id
    assert LINKS.read_link(token(both), NOW) is None
    assert FileLinks(["nieuw"], "").read_link(token(), NOW) is None

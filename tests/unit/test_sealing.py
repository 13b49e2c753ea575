"""A key, a code or a private link is sealed while its message waits to be sent, whichever message it is in."""

from dataclasses import fields

import pytest

from adapters.bootstrap import _make_page_links, _make_vault
from adapters.settings import Settings
from bot.catalogue import CATALOGUE
from bot.catalogue.base import Entry, dump
from bot.sealing import seal_entry
from tests.support.vault import VAULT, VAULT_KEY

OPENS = {"link", "url", "code", "key", "secret", "token"}
DRAWN = {"DoorCard"}
"""Composed as they are sent: they never wait."""


def opening_fields(entry: type[Entry]) -> set[str]:
    shown = entry.example()
    return {one.name for one in fields(entry) if one.name in OPENS and isinstance(getattr(shown, one.name), str)}


@pytest.mark.parametrize(
    "entry", [one for one in CATALOGUE.values() if opening_fields(one)], ids=lambda one: one.__name__
)
def test_no_message_waits_with_what_opens_a_door(entry: type[Entry]) -> None:
    if entry.__name__ in DRAWN:
        return
    assert opening_fields(entry) <= set(entry.secrets), "name it in `secrets`"
    shown = entry.example()
    stored = str(seal_entry(shown, VAULT))
    for name in entry.secrets:
        assert getattr(shown, name) in str(dump(shown))
        assert getattr(shown, name) not in stored


def test_without_a_vault_it_is_not_stored_at_all() -> None:
    with pytest.raises(ValueError, match="vault"):
        seal_entry(CATALOGUE["CalendarLinked"].example(), None)


def test_a_service_without_a_key_of_its_own_seals_too_until_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "0123456789abcdef" * 2)
    first, second = (_make_vault(Settings(), demo=False) for _ in range(2))
    assert first is not None
    assert second is not None
    assert not first.lasting
    assert second.reveal(first.seal("geheim")) == "geheim", "each process opens what another sealed"


def test_a_key_that_is_set_later_keeps_links_and_what_waits_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "0123456789abcdef" * 2)
    monkeypatch.setenv("RITME_PUBLIC_URL", "https://ritme.example.org")
    vault, links = _make_vault(Settings(), demo=False), _make_page_links(Settings())
    assert vault is not None
    assert links is not None
    waiting, door = vault.seal("geheim"), links.make_door("d1").rpartition("/")[2]
    monkeypatch.setenv("RITME_SECRET_KEY", VAULT_KEY)
    vault, links = _make_vault(Settings(), demo=False), _make_page_links(Settings())
    assert vault is not None
    assert links is not None
    assert vault.lasting
    assert vault.reveal(waiting) == "geheim"
    assert links.read_door(door) == "d1", "a card that hangs somewhere still works"
    assert links.make_door("d1").rpartition("/")[2] != door

"""Keep secrets (keys, codes, private links) that somebody is about to be shown sealed while they wait to be sent."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.catalogue.base import Entry, dump, load
from bot.ports import Outgoing, RetryAfter, Vault

_KEY_AWAY = timedelta(minutes=10)


def seal_entry(entry: Entry, vault: Vault | None) -> dict[str, object]:
    """Return an entry as JSON values, its secrets sealed. Raises `ValueError` for secrets without a vault: nothing that
    opens a door is ever stored as it is."""
    if not entry.secrets:
        return dump(entry)
    if vault is None:
        raise ValueError("no vault for a secret")
    return dump(_change_secrets(entry, vault.seal))


def open_entry(outgoing: Outgoing, dumped: Mapping[str, object]) -> Entry:
    """Return the entry that `seal_entry` stored. Raises `RetryAfter` while no key opens its secrets."""
    entry = load(dumped)

    def reveal(sealed: str) -> str:
        secret = outgoing.vault.reveal(sealed) if outgoing.vault is not None else None
        if secret is None:
            raise RetryAfter(outgoing.now + _KEY_AWAY, reason="secret_unreadable")
        return secret

    return _change_secrets(entry, reveal)


def _change_secrets(entry: Entry, change: Callable[[str], str]) -> Entry:
    changed: dict[str, Any] = {name: change(str(getattr(entry, name))) for name in entry.secrets}
    return replace(entry, **changed)

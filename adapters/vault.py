"""Keep secrets encrypted, with the keys that encrypt the tokens of workspaces; or, until they are sent, with others.

Most services keep none for long, so that what encrypts is loaded with the first secret.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class SecretVault:
    """Implements `Vault`: encrypts with the first of its Fernet keys, decrypts with any of them. One that is not
    `lasting` is for what waits to be sent: its keys may change at any time."""

    def __init__(self, keys: Sequence[str], *, lasting: bool = True) -> None:
        self._keys = tuple(keys)
        self.lasting = lasting

    @cached_property
    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self._keys])

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def reveal(self, sealed: str) -> str | None:
        """Return a secret from its stored form; None when no key fits."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            return None

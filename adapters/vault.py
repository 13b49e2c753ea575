"""Keep secrets of programs outside encrypted, with the keys that encrypt the tokens of workspaces."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretVault:
    """Implements `Vault`: encrypts with the first of its Fernet keys, decrypts with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> str:
        return self._keys.encrypt(secret.encode()).decode()

    def reveal(self, sealed: str) -> str | None:
        """Return a secret from its stored form; None when no key fits."""
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken:
            return None

"""Keep secrets encrypted, with the keys that encrypt the tokens of workspaces; or, until they are sent, with others."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretVault:
    """Implements `Vault`: encrypts with the first of its Fernet keys, decrypts with any of them. One that is not
    `lasting` is for what waits to be sent: its keys may change at any time."""

    def __init__(self, keys: Sequence[str], *, lasting: bool = True) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys])
        self.lasting = lasting

    def seal(self, secret: str) -> str:
        return self._keys.encrypt(secret.encode()).decode()

    def reveal(self, sealed: str) -> str | None:
        """Return a secret from its stored form; None when no key fits."""
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken:
            return None

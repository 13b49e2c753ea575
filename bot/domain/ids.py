"""Opaque identities."""

from secrets import token_hex


def new_id() -> str:
    """Return a new random id: 32 hexadecimal digits, which tell nothing to anyone who sees them."""
    return token_hex(16)


def new_reference() -> str:
    """Return a new reference for a failure: 8 hexadecimal digits that stand in the log, short enough to be told."""
    return new_id()[:8]

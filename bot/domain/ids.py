"""Opaque identities."""

from uuid import uuid4


def new_id() -> str:
    """Return a new random id: 32 hexadecimal digits, which tell nothing to anyone who sees them."""
    return uuid4().hex

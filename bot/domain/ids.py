"""Opaque identities."""

from uuid import uuid4


def new_id() -> str:
    """A fresh identity: 32 hex digits, meaningless to anyone who sees it."""
    return uuid4().hex

"""Forgetting a person resets every field of theirs, but for those listed here with the reason they stay."""

from dataclasses import fields
from types import SimpleNamespace
from typing import cast

from bot.domain.person import Person
from bot.use_cases.people.personal_data import _anonymize

KEPT = {
    "id": "random; rows that others still see refer to it",
    "workspace_id": "says only which workspace they were of, and rows that refer to them need it",
    "language": "identifies nobody, and the last message to them is worded in it",
    "created_at": "says only when the row was made",
}
"""Fields of a forgotten person that stay, each with the reason."""


def test_every_field_is_reset_or_stays_for_a_reason() -> None:
    forgotten = SimpleNamespace()
    _anonymize(cast(Person, forgotten))
    assert set(vars(forgotten)) | set(KEPT) == {one.name for one in fields(Person)}
    assert not set(vars(forgotten)) & set(KEPT)


def test_what_is_reset_holds_nothing() -> None:
    forgotten = SimpleNamespace()
    _anonymize(cast(Person, forgotten))
    assert {name: value for name, value in vars(forgotten).items() if value} == {}

"""The door: a body that is not what it has to be is refused in one way, and words are cleaned of what no one types."""

from typing import Any

import pytest
from pydantic import Field

from adapters.door import (
    DEEPEST,
    AccountId,
    BadInput,
    CleanText,
    Inbound,
    PlatformId,
    check_body,
    decode_form,
    decode_json,
    parse_json_body,
)


class Said(Inbound):
    user: AccountId
    text: CleanText = ""


class Event(Inbound):
    id: PlatformId
    said: Said | None = None
    values: dict[str, str] = Field(default_factory=dict)


GOOD: dict[str, Any] = {"id": "E1", "said": {"user": "U1", "text": "hoi"}, "more": [1, None]}


def test_what_is_read_is_checked_and_the_rest_ignored() -> None:
    event = check_body(Event, GOOD)
    assert event.said is not None
    assert (event.id, event.said.user, event.said.text) == ("E1", "U1", "hoi")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"id": None}, "id: string_type"),
        ({"id": 7}, "id: string_type"),
        ({"id": ""}, "id: string_too_short"),
        ({"id": "x" * 201}, "id: string_too_long"),
        ({"id": "E 1"}, "id: value_error"),
        ({"id": "E\x001"}, "id: value_error"),
        ({"id": "E\u202e1"}, "id: value_error"),
        ({"id": "E\ud800"}, "id: string_unicode"),
        ({"said": {"user": "U" * 129}}, "said.user: string_too_long"),
        ({"said": ["geheim"]}, "said: model_type"),
        ({"said": {"user": "U1", "text": {"geheim": 1}}}, "said.text: string_type"),
        ({"values": {"geheim": 1}}, "values.*: string_type"),
    ],
)
def test_the_reason_names_place_and_kind_and_nothing_that_was_sent(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput) as bad:
        check_body(Event, GOOD | changed)
    assert bad.value.reason == reason
    assert bad.value.__cause__ is None


@pytest.mark.parametrize("decoded", [None, [], "geheim", 7, True])
def test_a_body_of_another_kind_is_refused(decoded: object) -> None:
    with pytest.raises(BadInput, match=r"^body: model_type$"):
        check_body(Event, decoded)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"id": NaN}',
        b'{"id": -Infinity}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput, match=r"^body: (json|nested)$"):
        parse_json_body(Event, raw)


def test_json_is_cleaned_through_and_through() -> None:
    raw = b'\xef\xbb\xbf{"a\\u0000": ["x\\ud83d", {"b": "\\ud83d\\ude00\\u0007"}], "n": 1, "n": 2}'
    assert decode_json(raw) == {"a": ["x", {"b": "😀"}], "n": 2}


@pytest.mark.parametrize("raw", [b"a=%ff", b"\xff=1", b"&".join(b"a=1" for _ in range(101))])
def test_what_is_no_form_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput, match=r"^body: form$"):
        decode_form(raw)


def test_a_form_is_cleaned() -> None:
    assert decode_form(b"text=a%00%0D%0Ab%F0%9F%8E%89&empty=") == {"text": "a\nb🎉", "empty": ""}

"""Where a page of the API begins is read back as it was written, and nothing else is taken for it."""

import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.api.cursors import read_cursor, write_cursor

SOON = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
MOMENTS = st.datetimes(timezones=st.timezones() | st.just(UTC))
IDS = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | MOMENTS.map(datetime.isoformat),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(at=SOON, last=IDS)
def test_a_cursor_is_read_as_it_was_written(at: datetime, last: str) -> None:
    assert read_cursor(write_cursor((at, last))) == (at, last)


@settings(max_examples=500, deadline=None)
@given(
    sent=st.text()
    | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode())
    | st.tuples(MOMENTS.map(datetime.isoformat) | ANY_JSON, IDS | ANY_JSON).map(
        lambda pair: urlsafe_b64encode(json.dumps(pair).encode()).decode()
    )
)
def test_what_is_no_cursor_is_a_value_error_and_what_is_can_be_looked_for(sent: str) -> None:
    with suppress(ValueError):
        at, last = read_cursor(sent)
        assert at.utcoffset() == timedelta(0)
        assert last.isascii()

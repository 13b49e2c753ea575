"""Logs say what happened and mask secrets."""

import asyncio
import gc
import io
import json
import logging

import pytest
import structlog

from adapters import logs

# Put together here, so that no scanner takes them for real ones.
SECRETS = {
    "a bot token": "xoxb-" + "1234-5678-abcdefghijkl",
    "a rotating token": "xoxe.xoxb-" + "1-Mi0yLTEyMzQ1Njc4",
    "an app token": "xapp-" + "1-A012-34567-abcdef",
    "a signature": "v0=" + "a1" * 32,
    "a web token": "eyJhbGciOiJSUzI1NiJ9." + "eyJpc3MiOiJyaXRtZSJ9." + "c2lnbmF0dXJl",
}
WRITTEN = "het ging mis met mijn moeder"
"""Not in the lines of code that a traceback quotes."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture(params=[io.StringIO, Terminal], ids=["machine", "terminal"])
def stream(request: pytest.FixtureRequest) -> io.StringIO:
    stream: io.StringIO = request.param()
    logs.configure_logging(stream)
    return stream


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_never_stands_in_a_line_whatever_way_it_came_in(secret: str, stream: io.StringIO) -> None:
    logger = structlog.get_logger("ritme")
    logger.info(
        "in the words %s", secret, value=secret, deep={"list": [secret, {"more": secret}]}, odd=ValueError(secret)
    )
    logging.getLogger("slack_sdk").error("a library says %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        logger.exception("ours broke")
        logging.getLogger("elsewhere").exception("theirs broke")

    assert secret not in stream.getvalue()
    assert stream.getvalue().count(logs.MASK) >= 7


@pytest.mark.parametrize(
    "name", ["token", "signing_secret", "Authorization", "password", "api_key", "X-Slack-Signature"]
)
def test_what_is_named_a_secret_is_masked_whatever_it_looks_like(name: str, stream: io.StringIO) -> None:
    structlog.get_logger("ritme").info("request", headers={name: "looks-harmless"}, **{name: "looks-harmless"})

    assert "looks-harmless" not in stream.getvalue()


def test_addresses_lose_their_password_and_response_addresses_their_path(stream: io.StringIO) -> None:
    structlog.get_logger("ritme").info(
        "sent", to="https://hooks.slack.com/commands/T1/2/three", database="postgresql://ritme:geheim@db/ritme"
    )

    assert "three" not in stream.getvalue()
    assert "geheim" not in stream.getvalue()


def test_a_machine_reads_one_json_object_a_line() -> None:
    stream = io.StringIO()
    logs.configure_logging(stream)
    structlog.get_logger("ritme").info("intent", name="stuck.report", milliseconds=12, workspace="slack:T1")
    logging.getLogger("aiohttp.server").warning("theirs\nover two lines")

    ours, theirs = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert ours["event"] == "intent"
    assert ours["milliseconds"] == 12
    assert ours["workspace"] == "slack:T1"
    assert ours["level"] == "info"
    assert theirs["logger"] == "aiohttp.server"


def test_a_traceback_says_where_and_why_without_what_somebody_wrote(stream: io.StringIO) -> None:
    def read(told: str) -> int:
        return int(told)

    try:
        try:
            read(WRITTEN)
        except ValueError as cause:
            raise KeyError(WRITTEN) from cause
    except KeyError:
        structlog.get_logger("ritme").exception("read_failed")
        logging.getLogger("elsewhere").exception("theirs broke")
    logged = stream.getvalue()
    assert "moeder" not in logged
    assert logged.count("in read") == 2  # where it began
    assert logged.count("ValueError: •••") == logged.count("KeyError: •••") == 2


@pytest.mark.parametrize("problem", [ConnectionRefusedError("port 5432"), AttributeError("no attribute 'port 5432'")])
def test_what_cannot_quote_anybody_is_told(stream: io.StringIO, problem: Exception) -> None:
    try:
        raise problem
    except (OSError, AttributeError):
        structlog.get_logger("ritme").exception("connect_failed")
    assert "port 5432" in stream.getvalue()


async def test_a_task_that_nobody_waited_for_quotes_nothing(stream: io.StringIO) -> None:
    async def fail() -> None:
        raise ValueError(WRITTEN)

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    del task
    gc.collect()
    assert "never retrieved" in stream.getvalue()
    assert "moeder" not in stream.getvalue()


class FullDisk(io.StringIO):
    def write(self, _line: str) -> int:
        raise OSError("no space left")


def test_a_line_that_cannot_be_written_stops_nothing() -> None:
    logs.configure_logging(FullDisk())
    structlog.get_logger("ritme").info("intent", name="stuck")


def test_lines_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    logs.configure_logging(stream, logging.WARNING)
    structlog.get_logger("ritme").info("intent")
    structlog.get_logger("ritme").warning("slack_answer_late")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["slack_answer_late"]


@pytest.mark.usefixtures("logging_as_it_was")
def test_what_json_cannot_hold_is_logged_all_the_same() -> None:
    stream = io.StringIO()
    logs.configure_logging(stream)
    structlog.get_logger("ritme.test").info("odd", pairs={(1, 2): 3}, token=SECRETS["a bot token"])
    assert "(1, 2): 3" in json.loads(stream.getvalue())["pairs"]
    assert SECRETS["a bot token"] not in stream.getvalue()

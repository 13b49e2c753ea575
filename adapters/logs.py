"""Configure logging: one line per event, coloured text at a terminal and JSON elsewhere.

Code must log no secret and no text a user typed. Values that look like a secret are masked all the same, by the name
they are logged under or by their shape, so that a mistake elsewhere does not leak one. Exceptions are logged with their
traceback, but their message only where it cannot hold what somebody wrote: that of a `ValueError` quotes the value.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from functools import lru_cache, partial
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

MASK = "•••"
"""Printed in place of a secret, or of what may quote somebody."""

SECRET_NAMES = re.compile(r"token|secret|password|authorization|cookie|signature|api_?key|credential", re.IGNORECASE)
SECRET_SHAPES = re.compile(
    r"""
    xox[a-z](?:\.xox[a-z])?-[\w-]+             # Slack tokens
    | xapp-[\w-]+                              # Slack app tokens
    | v0=[0-9a-f]{64}                          # a Slack signature
    | (?<=hooks\.slack\.com/)[\w/-]+           # a response_url: whoever has it can post
    | (?i:(?<=bearer\s))[\w.~+/-]+=*           # an Authorization header
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)          # name:password in an address
    | eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*          # a JSON web token
    """,
    re.VERBOSE,
)


TELLING_ERRORS = frozenset(
    {
        "AttributeError",
        "ImportError",
        "NameError",
        "NotImplementedError",
        "OSError",
        "RecursionError",
        "TimeoutError",
        "TypeError",
        # Jinja's, and the databases', whose parameters are hidden, and PostgreSQL's rows (`hide_row_values`).
        "DataError",
        "IntegrityError",
        "InterfaceError",
        "OperationalError",
        "ProgrammingError",
        "TemplateNotFound",
        "TemplateSyntaxError",
        "UndefinedError",
        # Ours, whose texts are fixed words.
        "Conflict",
        "StorageUnavailable",
        "Unreachable",
    }
)
"""Classes of exceptions, by name, whose messages quote nothing of what people wrote."""
_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode  # `json.dumps` makes one each time


def format_exception(problem: BaseException) -> str:
    """Return an exception with its traceback and causes; without messages that may quote what somebody wrote."""
    return "\n\nwhich led to\n\n".join(reversed([*_format_chain(problem)]))


def _format_chain(problem: BaseException | None) -> Iterator[str]:
    """Yield an exception and what it came from, the latest first."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        name = type(problem).__qualname__
        message = str(problem)
        is_telling = any(one.__name__ in TELLING_ERRORS for one in type(problem).__mro__)
        shown = message if is_telling or not message else MASK
        yield "".join(traceback.format_tb(problem.__traceback__)) + (f"{name}: {shown}" if shown else name)
        problem = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)


class _ExceptionFormatter:
    """`format_exception`, as structlog calls it."""

    def __call__(self, exc_info: ExcInfo) -> str:
        return format_exception(exc_info[1])


def keep_first_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out what asyncio adds to its messages: tasks with their exceptions, as Python prints them. A processor."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None


def _mask(value: Any, name: str = "") -> Any:
    if name and _names_secret(name):
        return MASK
    if isinstance(value, str):
        return SECRET_SHAPES.sub(MASK, value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {key: _mask(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_mask(item) for item in value]
    return SECRET_SHAPES.sub(MASK, str(value))


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask values named or shaped like a secret, at any depth. A structlog processor."""
    return {name: value if name.startswith("_") else _mask(value, name) for name, value in event.items()}


def render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return an event as one line of JSON; where JSON cannot hold a key within, values as Python
    words them. The last of structlog's processors where no terminal reads."""
    try:
        return _encode(event)
    except TypeError:
        return _encode({str(name): repr(value) for name, value in event.items()})


class _LineLogger:
    """Writes lines of ours through a handler's stream, beside those of libraries, without making a record of each."""

    def __init__(self, handler: "logging.StreamHandler[TextIO]", name: str = "ritme") -> None:
        self.name = name
        self._handler = handler

    def write(self, line: str) -> None:
        """Write a line. One that cannot be written, as the disk is full or nobody reads any more, is let go: what it
        tells of goes on."""
        with self._handler.lock or nullcontext(), suppress(OSError, ValueError):
            self._handler.stream.write(f"{line}\n")
            self._handler.flush()

    debug = info = warning = error = critical = write


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send every log line of at least `level`, ours and the libraries', to `stream` (else standard error).

    Coloured for a terminal; elsewhere JSON, one line each. Replaces the handlers of the root logger.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_ExceptionFormatter()),
        keep_first_line,
        # Last, when tracebacks are text: they may hold a secret, too.
        mask_secrets,
    ]
    last: Processor = render_json
    if stream.isatty():
        last = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=partial(_LineLogger, handler),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These tell of every job and request at INFO.
    for chatty in ("apscheduler", "procrastinate", "alembic", "aiosqlite", "slack_bolt", "slack_sdk"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))

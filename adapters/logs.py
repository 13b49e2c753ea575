"""Logs: one line per thing that happened, readable by a person at a terminal and by a machine elsewhere.

No secret and no text a user typed belongs in a line. What looks like a secret is masked all the same, by the name it
is logged under or by its shape, so that a mistake elsewhere does not leak.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "•••"

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


def _masked(value: Any, name: str = "") -> Any:
    if name and SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {key: _masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return SECRET_SHAPES.sub(MASK, value if isinstance(value, str) else str(value))


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Masks what is named or shaped like a secret, wherever it stands in the line. Runs after tracebacks are text."""
    return {name: value if name.startswith("_") else _masked(value, name) for name, value in event.items()}


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends every log line, ours and the libraries', to `stream` (else standard error).

    Coloured for a terminal; elsewhere JSON, one line each.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        mask_secrets,
    ]
    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if stream.isatty():
        last = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("apscheduler", "procrastinate", "alembic", "aiosqlite", "slack_bolt", "slack_sdk"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))

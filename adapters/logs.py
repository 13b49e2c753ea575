"""Configure logging: one line per event, coloured text at a terminal and JSON elsewhere.

Code must log no secret and no text a user typed. Values that look like a secret are masked all the same, by the name
they are logged under or by their shape, so that a mistake elsewhere does not leak one.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "•••"
"""Printed in place of a secret."""

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


def _mask(value: Any, name: str = "") -> Any:
    if name and SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {key: _mask(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_mask(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return SECRET_SHAPES.sub(MASK, value if isinstance(value, str) else str(value))


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask values named or shaped like a secret, at any depth. A structlog processor."""
    return {name: value if name.startswith("_") else _mask(value, name) for name, value in event.items()}


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send every log line of at least `level`, ours and the libraries', to `stream` (else standard error).

    Coloured for a terminal; elsewhere JSON, one line each. Replaces the handlers of the root logger.
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
        # Last, when tracebacks are text: they may hold a secret, too.
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
    # These tell of every job and request at INFO.
    for chatty in ("apscheduler", "procrastinate", "alembic", "aiosqlite", "slack_bolt", "slack_sdk"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))

"""Note what an operator looked at that is about people: one line to standard error, and to the system's own log."""

import getpass
import os
import sys
import syslog

import structlog


def note_access(event: str, **facts: object) -> None:
    """Note an event with who did it and when: a line of JSON on standard error, and in the system's log if it has one.

    Not by the logging of a command, which belongs to whoever runs it: the system's log (of kind `auth`) stays.
    """
    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), _keep_in_system_log],
    )
    logger.warning(event, by=_find_operator(), audit=True, **facts)


def _find_operator() -> str:
    """Return the account that runs the command, and the one that became it with sudo."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # in a container a process may run under a number that has no name
        account = str(os.getuid())
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {account}" if before and before != account else account


def _keep_in_system_log(logger: object, method: str, event: structlog.typing.EventDict) -> str:
    line = str(structlog.processors.JSONRenderer()(logger, method, event))
    syslog.openlog("ritme", 0, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_NOTICE, line)  # does nothing where nobody listens
    return line

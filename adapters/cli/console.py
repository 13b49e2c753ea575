"""Print to the terminal, and stop a command with an exit code."""

import sys
from typing import NoReturn

import typer
from rich.console import Console

FAILED, NOT_CONFIGURED = 1, 2
"""Exit codes: something does not work; something has to be set first."""


def say(sentence: str) -> None:
    """Write a line to standard output, as it is.

    Flushed at once: a script that reads "Ritme is ready at …" through a pipe must not wait for a full buffer.
    """
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def make_console(*, stderr: bool = False) -> Console:
    """Create a console that reads rich markup, neither colours values by itself nor breaks lines."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def stop(code: int, *lines: str) -> NoReturn:
    """Print lines of rich markup to standard error and raise `typer.Exit` with this code."""
    console = make_console(stderr=True)
    for line in lines:
        console.print(line)
    raise typer.Exit(code)


def fail_unless(succeeded: bool) -> None:
    """Raise `typer.Exit` with code `FAILED` when a command, which printed the reason itself, did not succeed."""
    if not succeeded:
        raise typer.Exit(FAILED)

"""The `ritme` command, for operators.

Importing this package stays cheap, so that `ritme --help` answers at once: what serves, or reads the database, is
imported by the function that needs it.
"""

from adapters.cli.commands import main

__all__ = ["main"]

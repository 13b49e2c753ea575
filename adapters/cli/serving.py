"""Start the processes of Ritme, the demo, a web process or a worker, and run each until it is told to stop."""

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from rich.markup import escape

from adapters.cli.console import FAILED, make_console, say, stop
from adapters.cli.data import migrate_database, remove_sqlite_file
from adapters.cli.preconditions import require_database, stop_for_settings

if TYPE_CHECKING:
    from adapters.settings import Settings


async def run_demo(settings: "Settings", *, fresh: bool) -> None:
    """Serve the playground on an SQLite file of its own port. With `fresh`, delete that file first."""
    from adapters.settings import SQLITE

    _configure_logging(logging.WARNING)
    # `make demo` takes PORT=, as the Makefile documents; where RITME_PORT is set, that one decides.
    with _listen(settings, "RITME_PORT=" if "RITME_PORT" in os.environ else "PORT=") as listening:
        settings = _with_bound_port(settings, listening)
        file = Path("var") / f"demo-{settings.port}.db"
        settings = settings.model_copy(update={"database_url": f"{SQLITE}:///{file}"})
        if fresh:
            remove_sqlite_file(file)
        if not settings.is_loopback:
            make_console(stderr=True).print(f"Whoever reaches {settings.host} can act as anyone in this demo.")
        await migrate_database(settings, "head")
        await _serve_http(settings, listening, demo=True)


async def run_server(settings: "Settings", *, sends_deliveries: bool) -> None:
    """Serve the configured platforms. With `sends_deliveries`, send deliveries from this process too."""
    _configure_logging(logging.INFO)
    with _listen(settings, "RITME_PORT=") as listening, _listen_for_operations(settings) as operations:
        settings = _with_bound_port(settings, listening)
        await require_database(settings)
        await _serve_http(settings, listening, operations=operations, sends_deliveries=sends_deliveries)


async def run_worker(settings: "Settings", concurrency: int, port: int | None) -> None:
    """Plan and send, up to `concurrency` lanes at a time; on `port`, if any, answer /healthz, /readyz and /metrics."""
    from adapters.bootstrap import open_service
    from adapters.heap import freeze_heap
    from adapters.web import make_operations_app, serve_apps, wait_for_stop_signal

    _configure_logging(logging.INFO)
    with ExitStack() as stack:
        listening = None
        if port is not None:
            chosen = settings.model_copy(update={"operations_port_chosen": port})
            listening = stack.enter_context(_listen_for_operations(chosen, "--port "))
        await require_database(settings)
        service = await open_service(settings, concurrency=concurrency)
        try:
            await service.start()
            freeze_heap()
            if listening is None:
                await wait_for_stop_signal(lambda: say("Ritme's worker is ready"))
            else:
                app = make_operations_app(find_problems=service.find_problems, metrics=service.export_metrics)
                where = f"http://127.0.0.1:{listening.getsockname()[1]}"
                told = f"Ritme's worker is ready; how it is: {where}/readyz"
                await serve_apps([(app, listening)], lambda: say(told))
        finally:
            await service.close()


async def _serve_http(
    settings: "Settings",
    listening: socket,
    *,
    operations: socket | None = None,
    demo: bool = False,
    sends_deliveries: bool = True,
) -> None:
    """Serve the service on one socket, and on another, if any, how it is."""
    from adapters.bootstrap import open_service
    from adapters.heap import freeze_heap
    from adapters.settings import BadSettings
    from adapters.web import RequestLimits, make_app, make_operations_app, serve_apps

    service = await open_service(settings, demo=demo, sends_deliveries=sends_deliveries)
    try:
        await service.start()
        served = [
            (make_app(mounts=service.mounts, limits=RequestLimits(connections=settings.max_connections)), listening)
        ]
        if operations is not None:
            app = make_operations_app(find_problems=service.find_problems, metrics=service.export_metrics)
            served.append((app, operations))
        try:
            await service.open()
        except BadSettings as bad:
            stop_for_settings(bad)
        freeze_heap()

        def note_ready() -> None:
            say(f"Ritme is ready at http://127.0.0.1:{settings.port}")
            service.load_libraries()

        await serve_apps(served, note_ready)
    finally:
        await service.close()


def _listen(settings: "Settings", chosen_by: str) -> socket:
    from adapters.web import CannotListen, listen

    try:
        return listen(settings.host, settings.port, chosen_by=chosen_by)
    except CannotListen as problem:
        stop(FAILED, escape(str(problem)))


def _listen_for_operations(settings: "Settings", chosen_by: str = "RITME_OPERATIONS_PORT=") -> socket:
    """Listen where /readyz and /metrics are answered, by default for this machine only."""
    from adapters.web import CannotListen, listen

    try:
        return listen(
            settings.operations_host,
            settings.operations_port,
            chosen_by=chosen_by,
            host_variable="RITME_OPERATIONS_HOST",
        )
    except CannotListen as problem:
        stop(FAILED, escape(str(problem)))


def _with_bound_port(settings: "Settings", listening: socket) -> "Settings":
    """Return the settings with the port that was bound: port 0 asks for any free one."""
    return settings.model_copy(update={"port": listening.getsockname()[1]})


def _configure_logging(level: int) -> None:
    from adapters import logs

    logs.configure_logging(level=level)

"""Define `ritme deliveries` and its options.

`adapters.cli.deliveries` does the work; each command imports it when it runs, as it loads the database.
"""

import asyncio
from typing import Annotated

import typer

from adapters.cli.console import fail_unless, make_console
from adapters.cli.preconditions import load_settings
from bot.domain.delivery import DeliveryState

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show the people's accounts. That you did is noted in the system's log.")
]
"""The option that shows whom deliveries are for."""
deliveries_app = typer.Typer(help="List, explain, retry and cancel deliveries.", no_args_is_help=True)


@deliveries_app.command("list")
def list_deliveries(
    state: Annotated[list[DeliveryState] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace, such as slack:T0123.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only deliveries that should have been sent by now.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for another program.")] = False,
    reveal: Reveal = False,
) -> None:
    """List deliveries that are unsettled, or failed; longest due first."""
    from adapters.cli import deliveries

    query = deliveries.DeliveryQuery(states=tuple(state or ()), workspace=workspace, overdue=overdue, limit=limit)
    fail_unless(
        asyncio.run(
            deliveries.print_deliveries(load_settings(), query, as_json=as_json, reveal=reveal, console=make_console())
        )
    )


@deliveries_app.command()
def explain(
    id: Annotated[str, typer.Argument(help="The delivery's id, or its beginning.")], reveal: Reveal = False
) -> None:
    """Show everything known about one delivery except its text."""
    from adapters.cli import deliveries

    fail_unless(asyncio.run(deliveries.print_delivery(load_settings(), id, reveal=reveal, console=make_console())))


@deliveries_app.command()
def retry(
    ids: Annotated[list[str], typer.Argument(help="Ids, or their beginnings.")],
    even_if_twice: Annotated[
        bool,
        typer.Option("--even-if-twice", help="Also deliveries that may have arrived, which may then be seen twice."),
    ] = False,
) -> None:
    """Send failed, dropped or waiting deliveries now."""
    from adapters.cli import deliveries

    fail_unless(
        asyncio.run(
            deliveries.retry_deliveries(load_settings(), ids, even_if_twice=even_if_twice, console=make_console())
        )
    )


@deliveries_app.command()
def drop(ids: Annotated[list[str], typer.Argument(help="Ids, or their beginnings.")]) -> None:
    """Cancel deliveries that are waiting or of unknown outcome."""
    from adapters.cli import deliveries

    fail_unless(asyncio.run(deliveries.drop_deliveries(load_settings(), ids, console=make_console())))

"""Define `ritme deliveries` and its options.

`adapters.cli.deliveries` does the work; each command imports it when it runs, as it loads the database.
"""

import asyncio
from typing import Annotated

import typer

from adapters.cli.console import fail_unless, make_console
from adapters.cli.preconditions import load_settings
from bot.domain.delivery import DeliveryState

deliveries_app = typer.Typer(help="What was, or could not be, sent; and what to do about it.", no_args_is_help=True)


@deliveries_app.command("list")
def list_deliveries(
    state: Annotated[list[DeliveryState] | None, typer.Option(help="Only in this state; may be given again.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace, such as slack:T0123.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what should have been sent by now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
) -> None:
    """List deliveries that are not settled or failed; what has been due longest comes first."""
    from adapters.cli import deliveries

    query = deliveries.DeliveryQuery(states=tuple(state or ()), workspace=workspace, overdue=overdue, limit=limit)
    fail_unless(
        asyncio.run(deliveries.print_deliveries(load_settings(), query, as_json=as_json, console=make_console()))
    )


@deliveries_app.command()
def explain(id: Annotated[str, typer.Argument(help="The delivery's id, or how it begins.")]) -> None:
    """Say all that is known of one delivery, but its words."""
    from adapters.cli import deliveries

    fail_unless(asyncio.run(deliveries.print_delivery(load_settings(), id, console=make_console())))


@deliveries_app.command()
def retry(
    ids: Annotated[list[str], typer.Argument(help="Ids, or how they begin.")],
    even_if_twice: Annotated[
        bool, typer.Option("--even-if-twice", help="Also when it may have arrived, and would then come a second time.")
    ] = False,
) -> None:
    """Send what failed, was dropped or waits, now."""
    from adapters.cli import deliveries

    fail_unless(
        asyncio.run(
            deliveries.retry_deliveries(load_settings(), ids, even_if_twice=even_if_twice, console=make_console())
        )
    )


@deliveries_app.command()
def drop(ids: Annotated[list[str], typer.Argument(help="Ids, or how they begin.")]) -> None:
    """Never send what waits, or may have arrived."""
    from adapters.cli import deliveries

    fail_unless(asyncio.run(deliveries.drop_deliveries(load_settings(), ids, console=make_console())))

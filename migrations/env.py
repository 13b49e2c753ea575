"""Alembic's entry: brings a database to the tables of this version. Run through `ritme migrate`."""

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from adapters.database.tables import metadata
from adapters.database.types import EnumValue, OrderedEnum, Utc


def plain(kind: str, item: object, _context: object) -> str | bool:
    """A migration names plain types: it must not change when our own types do."""
    if kind == "type" and isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, OrderedEnum):
        return "sa.Integer()"
    if kind == "type" and isinstance(item, EnumValue):
        return "sa.String(32)"
    return False


def check_deferred(*, ctx: MigrationContext, **_about: object) -> None:
    """Check what a revision left to the end of the transaction: PostgreSQL alters no table on which checks of changed
    rows wait, and the next revision may alter one whose rows this one changed."""
    if ctx.connection is not None and ctx.connection.dialect.name == "postgresql":
        for moment in ("IMMEDIATE", "DEFERRED"):
            ctx.connection.exec_driver_sql(f"SET CONSTRAINTS ALL {moment}")


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=plain,
        transaction_per_migration=False,
        on_version_apply=check_deferred,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])

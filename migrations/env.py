"""Alembic's entry: brings a database to the tables of this version. Run through `ritme migrate`."""

from alembic import context
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


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=plain,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])

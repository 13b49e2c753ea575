"""How often something was said is kept with those who heard it; indexes hold only the rows that are looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FEW = {
    "ix_deliveries_person_id": (["person_id", "sent_at"], "person_id IS NOT NULL"),
    "ix_deliveries_nudges": (["place_id", "sent_at"], "person_id IS NULL AND act = 'post' AND priority <> 0"),
    "ix_deliveries_receipt": (["place_id", "receipt"], "receipt IS NOT NULL"),
}
ALL = {
    "ix_deliveries_person_id": ["person_id", "sent_at"],
    "ix_deliveries_place_id": ["place_id", "sent_at"],
    "ix_deliveries_receipt": ["place_id", "receipt"],
}
SAID = """
UPDATE {table} SET said = (
    SELECT {to_object}(kind, times) FROM (
        SELECT kind, count(*) AS times FROM deliveries
        WHERE {whose} AND state IN ('sending', 'sent', 'unknown')
          AND (kind LIKE 'rhythm_%' OR kind IN ('welcome', 'follow_up'))
        GROUP BY kind
    ) AS heard
)
WHERE EXISTS (
    SELECT 1 FROM deliveries
    WHERE {whose} AND state IN ('sending', 'sent', 'unknown')
      AND (kind LIKE 'rhythm_%' OR kind IN ('welcome', 'follow_up'))
)
"""


def upgrade() -> None:
    for table in ("people", "places"):
        with op.batch_alter_table(table, schema=None, recreate="never") as batch_op:
            batch_op.add_column(sa.Column("said", sa.JSON(), server_default="{}", nullable=False))
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    to_object = "json_object_agg" if on_postgresql else "json_group_object"
    for table, whose in (
        ("people", "deliveries.person_id = people.id"),
        ("places", "deliveries.place_id = places.id AND deliveries.person_id IS NULL"),
    ):
        op.execute(SAID.format(table=table, whose=whose, to_object=to_object))
    for name in ALL:
        op.drop_index(name, table_name="deliveries")
    for name, (columns, where) in FEW.items():
        op.create_index(
            name, "deliveries", columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.drop_column("variant")


def downgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("variant", sa.Integer(), server_default="0", nullable=False))
    for name in FEW:
        op.drop_index(name, table_name="deliveries")
    for name, columns in ALL.items():
        op.create_index(name, "deliveries", columns, unique=False)
    for table in ("people", "places"):
        with op.batch_alter_table(table, schema=None, recreate="never") as batch_op:
            batch_op.drop_column("said")

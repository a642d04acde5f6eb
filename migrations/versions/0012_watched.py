"""No column holds a moment or a number that cannot be read; what inspections found is kept.

Releases before this one write no such moments and numbers, so they go on working. A row that holds
one stops the upgrade: nobody can read it, and it is put right by hand.

Revision: 0012
Follows: 0011
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LIMITS = {
    "timestamp with time zone": (
        "{name} >= '0002-01-01 00:00:00+00' AND {name} <= '9998-12-31 00:00:00+00'"
    ),
    "double precision": "{name} > '-Infinity' AND {name} < 'Infinity'",
}
"""Type of a column -> what is checked of it."""
COLUMNS = """
SELECT table_name, column_name, data_type
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
    AND data_type IN ('timestamp with time zone', 'double precision')
-- in the order in which all others lock tables
ORDER BY array_position(ARRAY['runs', 'experiments', 'studies'], table_name::text), 1, 2
"""


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("invariant", sa.Text(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.Column(
            "inspected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("invariant", name=op.f("pk_inspections")),
    )
    for table, checks in _checks():
        added = ", ".join(f"ADD CONSTRAINT {name} CHECK ({limits})" for name, limits in checks)
        op.execute(f"ALTER TABLE {table} {added}")


def downgrade() -> None:
    for table, checks in _checks():
        dropped = ", ".join(f"DROP CONSTRAINT {name}" for name, _ in checks)
        op.execute(f"ALTER TABLE {table} {dropped}")
    op.drop_table("inspections")


def _checks() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Table -> name and limits of each constraint."""
    checks: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in op.get_bind().execute(sa.text(COLUMNS)).all():
        limits = LIMITS[kind].format(name=column)
        checks.setdefault(table, []).append((f"ck_{table}_{column}", limits))
    yield from checks.items()

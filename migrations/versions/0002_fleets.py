"""Fleets: runs of one shape, and the kind of device that a run waits for.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # no shape for what is stored: runs that wait now go alone, as they did
    op.add_column("runs", sa.Column("shape", sa.Text(), nullable=True))
    op.add_column(
        "runs", sa.Column("device", sa.Text(), server_default=sa.text("'any'"), nullable=False)
    )
    op.add_column(
        "attempts", sa.Column("fleet", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column(
        "workers", sa.Column("device", sa.Text(), server_default=sa.text("'cpu'"), nullable=False)
    )
    op.create_check_constraint("device", "runs", "device IN ('any', 'cpu', 'cuda')")
    op.create_index(
        "ix_runs_shape",
        "runs",
        ["shape", sa.text("priority DESC"), "queued_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND shape IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_runs_shape",
        table_name="runs",
        postgresql_where=sa.text("state = 'queued' AND shape IS NOT NULL"),
    )
    op.drop_constraint(op.f("ck_runs_device"), "runs", type_="check")
    op.drop_column("workers", "device")
    op.drop_column("attempts", "fleet")
    op.drop_column("runs", "device")
    op.drop_column("runs", "shape")

"""A name for the lab, when a worker last heard a message, and an index on who may take what waits.

`runs.sent_at` is no longer used: workers look at the line by themselves. It stays until no worker
of the release before runs any more.

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lab",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.CheckConstraint("single", name=op.f("ck_lab_single")),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_lab")),
    )
    op.execute("INSERT INTO lab DEFAULT VALUES")
    op.add_column("workers", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_runs_waiting",
        "runs",
        ["device"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_runs_waiting", table_name="runs", postgresql_where=sa.text("state = 'queued'")
    )
    op.drop_column("workers", "heard_at")
    op.drop_table("lab")

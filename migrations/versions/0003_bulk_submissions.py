"""Submissions that come many at once, and an index for every filter of a list.

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FILTERS = ("family", "mixing", "depth", "width", "owner")


def upgrade() -> None:
    op.add_column("submissions", sa.Column("batch", sa.Text(), nullable=True))
    op.add_column(
        "submissions", sa.Column("place", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_index(
        "ix_submissions_batch_place",
        "submissions",
        ["batch", "place"],
        unique=False,
        postgresql_where=sa.text("batch IS NOT NULL"),
    )
    for name in FILTERS:
        op.create_index(
            f"ix_experiments_{name}_created_at_id",
            "experiments",
            [name, "created_at", "id"],
            unique=False,
        )


def downgrade() -> None:
    for name in FILTERS:
        op.drop_index(f"ix_experiments_{name}_created_at_id", table_name="experiments")
    op.drop_index(
        "ix_submissions_batch_place",
        table_name="submissions",
        postgresql_where=sa.text("batch IS NOT NULL"),
    )
    op.drop_column("submissions", "place")
    op.drop_column("submissions", "batch")

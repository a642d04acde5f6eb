"""Limits of a person's own, and what is counted for them: operations of a day, bytes of a run.

Releases before this one write and read none of this and go on working: what is asked for through
them counts for no quota but that of runs in line.

Revision: 0014
Follows: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # users first, as a request reads who asks before it reads or writes anything else
    op.add_column("users", sa.Column("quotas", sa.JSON(), nullable=True))
    op.add_column("experiments", sa.Column("stored_bytes_per_run", sa.Double(), nullable=True))
    op.create_check_constraint(
        "stored_bytes_per_run",
        "experiments",
        "stored_bytes_per_run > '-Infinity' AND stored_bytes_per_run < 'Infinity'",
    )
    op.create_table(
        "charges",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("flops", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "at >= '0002-01-01 00:00:00+00' AND at <= '9998-12-31 00:00:00+00'",
            name=op.f("ck_charges_at"),
        ),
        sa.CheckConstraint(
            "flops > '-Infinity' AND flops < 'Infinity'", name=op.f("ck_charges_flops")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charges")),
    )
    op.create_index("ix_charges_at_owner", "charges", ["at", "owner"])


def downgrade() -> None:
    op.drop_table("charges")
    op.drop_column("users", "quotas")
    op.drop_column("experiments", "stored_bytes_per_run")

"""How long runs took beside what a model says, from which the lab's speed is learnt.

Releases before this one neither write nor read them, so they go on working.

Revision: 0015
Follows: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "timings",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("shape_class", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("fleet", sa.Integer(), nullable=False),
        sa.Column("modelled_seconds", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column(
            "measured_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_timings")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_timings_run_id_runs"), ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "seconds > 0 AND modelled_seconds > 0", name=op.f("ck_timings_positive")
        ),
        *(_number(name) for name in ("modelled_seconds", "seconds")),
        sa.CheckConstraint(
            "measured_at >= '0002-01-01 00:00:00+00' AND measured_at <= '9998-12-31 00:00:00+00'",
            name=op.f("ck_timings_measured_at"),
        ),
    )
    op.create_index(
        "ix_timings_latest", "timings", ["model", "backend", "shape_class", "measured_at"]
    )


def _number(name: str) -> sa.CheckConstraint:
    text = f"{name} > '-Infinity' AND {name} < 'Infinity'"
    return sa.CheckConstraint(text, name=op.f(f"ck_timings_{name}"))


def downgrade() -> None:
    op.drop_table("timings")

"""Lists can be narrowed to a chain, and an attempt ends in one of the ways that there are.

Releases before this one write no other outcomes, so they go on working.

Revision: 0008
Follows: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OUTCOMES = "'done', 'failed', 'cancelled', 'lost', 'crashed', 'timed_out', 'released', 'unreadable'"


def upgrade() -> None:
    op.create_index(
        "ix_experiments_chain_hash_created_at_id",
        "experiments",
        ["chain_hash", "created_at", "id"],
        unique=False,
    )
    op.create_check_constraint(op.f("ck_attempts_outcome"), "attempts", f"outcome IN ({OUTCOMES})")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_attempts_outcome"), "attempts", type_="check")
    op.drop_index("ix_experiments_chain_hash_created_at_id", table_name="experiments")

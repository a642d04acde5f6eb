"""Everybody's own: notes, and the terms on which they ask for a study. What people change is kept.

Who asked for a study before has the terms of its owner. Releases before this one read and write
none of this and go on working.

Revision: 0011
Follows: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REFUSES = """
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = 'the audit log is only added to: no ' || lower(TG_OP) || ' of what it says';
END $$
"""
OF_ROWS = """
CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()
"""


def upgrade() -> None:
    for table in ("experiments", "submissions"):
        op.add_column(table, sa.Column("note", sa.Text(), nullable=True))
    op.create_table(
        "study_requests",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("target_error", sa.Double(), nullable=True),
        sa.Column("max_seeds", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["studies.id"],
            name=op.f("fk_study_requests_study_id_studies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study_id", "owner", name=op.f("pk_study_requests")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at_id", "audit", ["at", "id"])
    for name in ("who", "target"):
        op.create_index(f"ix_audit_{name}_at_id", "audit", [name, "at", "id"])
    op.execute(REFUSES)
    op.execute(OF_ROWS)


def downgrade() -> None:
    op.drop_table("audit")
    op.execute("DROP FUNCTION audit_is_kept()")
    op.drop_table("study_requests")
    for table in ("experiments", "submissions"):
        op.drop_column(table, "note")

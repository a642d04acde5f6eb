"""Users with roles; tokens with a name, a role, an expiry and a last use.

Everybody who has a token, or has asked for anything, becomes a user: a member, as all were. Tokens
go on working; their role is a member's whatever becomes of their user's.

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = "role IN ('reader', 'member', 'admin')"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'member'"), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.CheckConstraint(ROLE, name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    # first: from here on nobody makes a token that the next statement would miss
    for column in (
        sa.Column("name", sa.Text(), server_default=sa.text("'unnamed'"), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'member'"), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column(
            "id", sa.Text(), sa.Computed("'t-' || left(digest, 16)", persisted=True), nullable=False
        ),
    ):
        op.add_column("tokens", column)
    op.execute("""
        INSERT INTO users (name, created_at)
        SELECT name, min(since) FROM (
            SELECT owner, created_at FROM tokens
            UNION ALL SELECT owner, submitted_at FROM submissions
        ) people (name, since)
        GROUP BY name
    """)
    op.create_check_constraint("role", "tokens", ROLE)
    op.create_unique_constraint(op.f("uq_tokens_id"), "tokens", ["id"])
    op.create_index("ix_tokens_owner", "tokens", ["owner"])
    op.create_foreign_key(op.f("fk_tokens_owner_users"), "tokens", "users", ["owner"], ["name"])
    op.execute("""
CREATE FUNCTION token_owner_is_a_user() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO users (name) VALUES (NEW.owner) ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$
""")
    op.execute("""
CREATE TRIGGER owner BEFORE INSERT ON tokens
FOR EACH ROW EXECUTE FUNCTION token_owner_is_a_user()
""")


def downgrade() -> None:
    op.execute("DROP TRIGGER owner ON tokens")
    op.execute("DROP FUNCTION token_owner_is_a_user()")
    op.drop_constraint(op.f("fk_tokens_owner_users"), "tokens", type_="foreignkey")
    op.drop_index("ix_tokens_owner", table_name="tokens")
    op.drop_constraint(op.f("uq_tokens_id"), "tokens", type_="unique")
    op.drop_constraint(op.f("ck_tokens_role"), "tokens", type_="check")
    for name in ("id", "last_used_at", "expires_at", "role", "name"):
        op.drop_column("tokens", name)
    op.drop_table("users")

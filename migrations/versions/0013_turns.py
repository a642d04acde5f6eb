"""Claims take turns: a run says who wants it, and attempts are found by when they ended.

Triggers keep that up to date, so that the release before, which knows none of it, goes on working.

Revision: 0013
Follows: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KNOWN = """
UPDATE runs r SET wanted_by = w.owners
FROM (
    SELECT r.id, (array_agg(DISTINCT s.owner ORDER BY s.owner))[1:16] AS owners
    FROM runs r JOIN submissions s ON s.experiment_id = r.experiment_id
        AND (s.wanted IS NULL OR r.seed = ANY (s.wanted))
    WHERE r.state <> 'done'
    GROUP BY r.id
) w
WHERE w.id = r.id
"""
SAY_WHO = """
CREATE FUNCTION runs_say_who_wants_them() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE runs r SET wanted_by = w.owners
    FROM (
        SELECT r.id, (array_agg(DISTINCT s.owner ORDER BY s.owner))[1:16] AS owners
        FROM runs r JOIN submissions s ON s.experiment_id = r.experiment_id
            AND (s.wanted IS NULL OR r.seed = ANY (s.wanted))
        WHERE r.experiment_id IN (SELECT experiment_id FROM written) AND r.state <> 'done'
        GROUP BY r.id
    ) w
    WHERE w.id = r.id AND w.owners <> r.wanted_by;
    RETURN NULL;
END $$
"""
ON_WISHES = """
CREATE TRIGGER wanted_by_{when} AFTER {when} ON submissions
REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION runs_say_who_wants_them()
"""
QUEUED = sa.text("state = 'queued'")
WITH_A_SHAPE = sa.text("state = 'queued' AND shape IS NOT NULL")
FIRST = sa.text("priority DESC")


def upgrade() -> None:
    names, nobody = postgresql.ARRAY(sa.Text()), sa.text("'{}'")
    op.add_column("runs", sa.Column("wanted_by", names, server_default=nobody, nullable=False))
    op.execute(KNOWN)
    _index("line", ["wanted_by", "device", FIRST, "queued_at", "id"], QUEUED)
    _index("shape", ["shape", FIRST, "wanted_by", "device", "queued_at", "id"], WITH_A_SHAPE)
    op.create_index("ix_attempts_ended_at", "attempts", ["ended_at"])
    op.execute(SAY_WHO)
    for when in ("insert", "update"):
        op.execute(ON_WISHES.format(when=when))


def downgrade() -> None:
    for when in ("insert", "update"):
        op.execute(f"DROP TRIGGER wanted_by_{when} ON submissions")
    op.execute("DROP FUNCTION runs_say_who_wants_them()")
    op.drop_index("ix_attempts_ended_at", "attempts")
    _index("line", [FIRST, "queued_at", "id"], QUEUED)
    _index("shape", ["shape", FIRST, "queued_at", "id"], WITH_A_SHAPE)
    op.drop_column("runs", "wanted_by")


def _index(name: str, columns: list[str | sa.TextClause], where: sa.TextClause) -> None:
    """Put an index of queued runs in place of the one of this name."""
    op.drop_index(f"ix_runs_{name}", "runs")
    op.create_index(f"ix_runs_{name}", "runs", columns, postgresql_where=where)

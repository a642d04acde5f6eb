"""Requests: what each person asked for of an experiment that several share.

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The first submission of a spec added every seed that it named. Its words are the experiment's.
FIRST = """
UPDATE submissions s
SET seeds = s.added_seeds, wanted = s.added_seeds, label = e.label, tags = e.tags,
    priority = e.priority
FROM experiments e
WHERE e.id = s.experiment_id AND s.created AND s.owner = e.owner
"""
# What a study sent is marked with its name in place of a hash. Which of its seeds came with which
# request is not known: each wants all that the study asked for.
OF_STUDIES = """
UPDATE submissions s
SET study_id = t.id, seeds = t.seeds, wanted = t.seeds, priority = t.priority
FROM studies t
WHERE t.id = s.body_hash
"""
# Runs that no submission added came of a study's `target_error`, if there is one, and else belong
# to the owner.
LEFT_OVER = """
INSERT INTO submissions
    (owner, body_hash, experiment_id, created, added_seeds, seeds, wanted, priority, study_id)
SELECT coalesce(t.owner, e.owner), '', e.id, false, r.seeds, r.seeds, r.seeds,
       coalesce(t.priority, e.priority), t.id
FROM (
    SELECT runs.experiment_id, array_agg(DISTINCT runs.seed ORDER BY runs.seed) AS seeds
    FROM runs
    WHERE NOT EXISTS (
        SELECT FROM submissions s
        WHERE s.experiment_id = runs.experiment_id AND runs.seed = ANY (s.added_seeds)
    )
    GROUP BY runs.experiment_id
) r
JOIN experiments e ON e.id = r.experiment_id
LEFT JOIN (
    study_experiments m JOIN studies t ON t.id = m.study_id AND t.target_error IS NOT NULL
) ON m.experiment_id = e.id
"""
# Any other may have named any seed that is there: it wants them all, as urgently as the first.
OTHERS = """
UPDATE submissions s
SET wanted = ARRAY(
        SELECT DISTINCT seed FROM runs WHERE runs.experiment_id = s.experiment_id ORDER BY seed
    ),
    priority = e.priority
FROM experiments e
WHERE e.id = s.experiment_id AND s.seeds IS NULL
"""
# Nobody shall wait longer than before because a request did not say where: it takes the kind of
# device that the runs wait for, and any if they differ.
DEVICES = """
UPDATE submissions s
SET device = r.device
FROM (
    SELECT experiment_id, min(device) AS device
    FROM runs GROUP BY experiment_id HAVING count(DISTINCT device) = 1
) r
WHERE r.experiment_id = s.experiment_id AND r.device <> 'any'
"""


def upgrade() -> None:
    seeds, words = postgresql.ARRAY(sa.Integer()), postgresql.ARRAY(sa.Text())
    for column in (
        sa.Column("seeds", seeds, nullable=True),
        sa.Column("wanted", seeds, nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("tags", words, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("device", sa.Text(), server_default=sa.text("'any'"), nullable=False),
        sa.Column("study_id", sa.Text(), nullable=True),
    ):
        op.add_column("submissions", column)
    for statement in (FIRST, OF_STUDIES, LEFT_OVER, OTHERS, DEVICES):
        op.execute(statement)
    op.create_foreign_key(
        op.f("fk_submissions_study_id_studies"),
        "submissions",
        "studies",
        ["study_id"],
        ["id"],
        ondelete="CASCADE",
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_check_constraint("device", "submissions", "device IN ('any', 'cpu', 'cuda')")
    op.create_index("ix_submissions_tags", "submissions", ["tags"], postgresql_using="gin")
    op.create_index(
        "ix_submissions_study_id_experiment_id",
        "submissions",
        ["study_id", "experiment_id"],
        postgresql_where=sa.text("study_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_submissions_study_id_experiment_id",
        table_name="submissions",
        postgresql_where=sa.text("study_id IS NOT NULL"),
    )
    op.drop_index("ix_submissions_tags", table_name="submissions")
    op.drop_constraint(op.f("ck_submissions_device"), "submissions", type_="check")
    op.drop_constraint(op.f("fk_submissions_study_id_studies"), "submissions", type_="foreignkey")
    for name in ("study_id", "device", "priority", "tags", "label", "wanted", "seeds"):
        op.drop_column("submissions", name)

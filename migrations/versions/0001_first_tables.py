"""First tables.

Revision: 0001
Follows: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chains",
        sa.Column("chain_hash", sa.Text(), nullable=False),
        sa.Column("seq_len", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("n_states", sa.Integer(), nullable=False),
        sa.Column("corr_len", sa.Double(), nullable=False),
        sa.Column("entropy_rate", sa.Double(), nullable=False),
        sa.Column("unigram_entropy", sa.Double(), nullable=False),
        sa.Column("eigenvalues_real", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("eigenvalues_imag", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("stationary", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("transition", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("reversible", sa.Boolean(), nullable=False),
        sa.Column("scale_corr_lens", sa.ARRAY(sa.Double()), nullable=True),
        sa.Column("mutual_information", sa.ARRAY(sa.Double()), nullable=False),
        sa.PrimaryKeyConstraint("chain_hash", "seq_len", name=op.f("pk_chains")),
    )
    op.create_table(
        "experiments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("spec_hash", sa.Text(), nullable=False),
        sa.Column("training_hash", sa.Text(), nullable=False),
        sa.Column("chain_hash", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("corr_len", sa.Double(), nullable=False),
        sa.Column("mixing", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("flops_per_run", sa.Double(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_experiments_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("spec_hash", name=op.f("uq_experiments_spec_hash")),
    )
    op.create_index("ix_experiments_corr_len", "experiments", ["corr_len"], unique=False)
    op.create_index(
        "ix_experiments_created_at_id", "experiments", ["created_at", "id"], unique=False
    )
    op.create_index(
        "ix_experiments_state_created_at_id",
        "experiments",
        ["state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_experiments_tags", "experiments", ["tags"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        op.f("ix_experiments_training_hash"), "experiments", ["training_hash"], unique=False
    )
    op.create_table(
        "studies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("axes", sa.JSON(), nullable=False),
        sa.Column("seeds", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("target_error", sa.Double(), nullable=True),
        sa.Column("max_seeds", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("findings", sa.JSON(), nullable=True),
        sa.Column("findings_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings_due", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_index("ix_studies_created_at_id", "studies", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_studies_findings_due",
        "studies",
        ["id"],
        unique=False,
        postgresql_where=sa.text("findings_due"),
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tokens")),
    )
    op.create_table(
        "trainings",
        sa.Column("training_hash", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("curve_steps", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("curve_losses", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column(
            "trained_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("training_hash", "seed", name=op.f("pk_trainings")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("chain_seed", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt_limit", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column(
            "queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("fraction", sa.Double(), server_default="0", nullable=False),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL)",
            name=op.f("ck_runs_lease"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_runs_state"),
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_runs_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint(
            "experiment_id",
            "chain_seed",
            "seed",
            name=op.f("uq_runs_experiment_id_chain_seed_seed"),
        ),
    )
    op.create_index(
        "ix_runs_lease_until",
        "runs",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_runs_line",
        "runs",
        [sa.literal_column("priority DESC"), "queued_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "study_experiments",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("cell", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_study_experiments_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["studies.id"],
            name=op.f("fk_study_experiments_study_id_studies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study_id", "experiment_id", name=op.f("pk_study_experiments")),
    )
    op.create_index(
        "ix_study_experiments_experiment_id", "study_experiments", ["experiment_id"], unique=False
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("added_seeds", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column(
            "submitted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_submissions_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint(
            "owner", "idempotency_key", name=op.f("uq_submissions_owner_idempotency_key")
        ),
    )
    op.create_index("ix_submissions_experiment_id", "submissions", ["experiment_id"], unique=False)
    op.create_table(
        "summaries",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("when", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("estimator", sa.Text(), nullable=False),
        sa.Column("shape", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("n_runs", sa.Integer(), nullable=False),
        sa.Column("mean", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("standard_error", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("low", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("high", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("half_shift", sa.ARRAY(sa.Double()), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_summaries_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "experiment_id", "when", "level", "quantity", name=op.f("pk_summaries")
        ),
    )
    op.create_table(
        "weights",
        sa.Column("training_hash", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["training_hash", "seed"],
            ["trainings.training_hash", "trainings.seed"],
            name="fk_weights_trainings",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("training_hash", "seed", "step", name=op.f("pk_weights")),
    )
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("calibration", sa.JSON(), nullable=False),
        sa.Column("trained", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_attempts_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_attempts")),
    )
    op.create_table(
        "measurements",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("when", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("estimator", sa.Text(), nullable=False),
        sa.Column("shape", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("values", sa.ARRAY(sa.Double()), nullable=False),
        sa.Column("half", sa.ARRAY(sa.Double()), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_measurements_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "when", "level", "quantity", name=op.f("pk_measurements")
        ),
    )
    op.create_table(
        "results",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "measured_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("curve_steps", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("curve_losses", sa.ARRAY(sa.Double()), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_results_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_results")),
    )


def downgrade() -> None:
    op.drop_table("results")
    op.drop_table("measurements")
    op.drop_table("attempts")
    op.drop_table("weights")
    op.drop_table("summaries")
    op.drop_index("ix_submissions_experiment_id", table_name="submissions")
    op.drop_table("submissions")
    op.drop_index("ix_study_experiments_experiment_id", table_name="study_experiments")
    op.drop_table("study_experiments")
    op.drop_index("ix_runs_line", table_name="runs", postgresql_where=sa.text("state = 'queued'"))
    op.drop_index(
        "ix_runs_lease_until", table_name="runs", postgresql_where=sa.text("state = 'running'")
    )
    op.drop_table("runs")
    op.drop_table("workers")
    op.drop_table("trainings")
    op.drop_table("tokens")
    op.drop_index(
        "ix_studies_findings_due", table_name="studies", postgresql_where=sa.text("findings_due")
    )
    op.drop_index("ix_studies_created_at_id", table_name="studies")
    op.drop_table("studies")
    op.drop_index(op.f("ix_experiments_training_hash"), table_name="experiments")
    op.drop_index("ix_experiments_tags", table_name="experiments", postgresql_using="gin")
    op.drop_index("ix_experiments_state_created_at_id", table_name="experiments")
    op.drop_index("ix_experiments_created_at_id", table_name="experiments")
    op.drop_index("ix_experiments_corr_len", table_name="experiments")
    op.drop_table("experiments")
    op.drop_table("chains")

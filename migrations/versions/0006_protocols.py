"""Who can measure an experiment: what it takes, what workers and attempts implement.

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FIRST = {"spec_schema": "1", "training_protocol": "2", "protocol": "3"}
"""What the releases before implement, which go on writing rows without saying so."""
OF_TABLES = {
    "experiments": ("spec_schema", "training_protocol"),
    "attempts": tuple(FIRST),
    "workers": tuple(FIRST),
}


def upgrade() -> None:
    for table, names in OF_TABLES.items():
        for name in names:
            default = sa.text(FIRST[name])
            op.add_column(
                table, sa.Column(name, sa.Integer(), server_default=default, nullable=False)
            )
    op.add_column(
        "experiments",
        sa.Column("unread_by", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    # what was stored under earlier protocols, all of which trained by the first
    op.execute("UPDATE experiments SET training_protocol = 1 WHERE protocol < 3")
    op.execute("""
        UPDATE attempts SET protocol = e.protocol, training_protocol = e.training_protocol
        FROM runs r JOIN experiments e ON e.id = r.experiment_id
        WHERE r.id = attempts.run_id AND e.protocol < 3
    """)
    op.execute("""
CREATE FUNCTION attempt_is_implemented() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needs experiments;
BEGIN
    SELECT e.* INTO needs FROM experiments e JOIN runs r ON r.experiment_id = e.id
    WHERE r.id = NEW.run_id;
    IF (NEW.training_protocol, NEW.protocol) <> (needs.training_protocol, needs.protocol)
        OR NEW.spec_schema < needs.spec_schema
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = concat(
            'worker ', NEW.worker, ' implements measurement protocol ', NEW.protocol,
            ', training protocol ', NEW.training_protocol, ' and spec schema ', NEW.spec_schema,
            '; run ', NEW.run_id, ' takes ', needs.protocol, ', ', needs.training_protocol,
            ' and ', needs.spec_schema, ': upgrade the worker');
    END IF;
    RETURN NEW;
END $$
""")
    op.execute("""
CREATE TRIGGER implemented BEFORE INSERT ON attempts
FOR EACH ROW EXECUTE FUNCTION attempt_is_implemented()
""")


def downgrade() -> None:
    op.execute("DROP TRIGGER implemented ON attempts")
    op.execute("DROP FUNCTION attempt_is_implemented()")
    op.drop_column("experiments", "unread_by")
    for table, names in OF_TABLES.items():
        for name in names:
            op.drop_column(table, name)

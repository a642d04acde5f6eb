"""Names of before: hashes no longer depend on what a linear algebra or an idle field says.

Experiments, trainings and chains keep the hashes they were stored under; `aliases` says which of
today's each goes by. Correlation lengths of matrices of one's own are worked out anew, since the
service had another idea of them than its workers. Of a family that draws nothing, the chain seed is
0, also in its runs.

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import sqlalchemy as sa
from alembic import op
from pydantic import ValidationError

from rgcontract import (
    TRAINING_PROTOCOL,
    ExperimentSpec,
    ExplicitChain,
    StoredSpec,
    canonical_json,
    chain_hash,
    measurement_hash,
    training_hash,
)
from rgcore.chain import ChainError, make_chain

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

IDLE = ["potts", "ring", "hierarchical", "spectrum", "explicit"]
"""Families whose seed draws nothing, those with derived fields among them."""
SEVERAL = ("seeds", None)
SET_RIGHT = (
    """
UPDATE experiments SET corr_len = :length, spec = CAST(:spec AS json)
WHERE id = :id AND abs(corr_len - :length) > 1e-9 * :length
""",
    """
UPDATE chains SET corr_len = :length, reversible = :reversible,
    eigenvalues_real = CAST(:real AS float8[]), eigenvalues_imag = CAST(:imag AS float8[])
WHERE chain_hash = :kept
    AND (reversible <> :reversible OR abs(corr_len - :length) > 1e-9 * :length)
""",
    "UPDATE chains SET corr_len_error = :error WHERE chain_hash = :kept",
)
"""Last digits stay as they were measured."""
Names = tuple[str, str, str]
"""Hashes of a measurement, a training and a chain."""


def upgrade() -> None:
    op.add_column("chains", sa.Column("corr_len_error", sa.Double(), nullable=True))
    op.create_table(
        "aliases",
        sa.Column("today", sa.Text(), nullable=False),
        sa.Column("stored", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("today", "stored", name=op.f("pk_aliases")),
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT id, spec, protocol, spec_hash, training_hash, chain_hash FROM experiments"
            " WHERE family = ANY (:families) ORDER BY id"
        ),
        {"families": IDLE},
    ).all()
    for name, stored, protocol, *hashes in rows:
        try:
            spec = StoredSpec.model_validate({**stored, "seeds": [0]}, strict=False)
            before = _then(stored, protocol)
        except (ValidationError, KeyError):  # nobody can ask for it today
            continue
        for today, then, kept in zip(_today(spec, protocol), before, hashes, strict=True):
            if then == kept != today:  # else it is of another protocol, which goes by no name today
                connection.execute(
                    sa.text("INSERT INTO aliases VALUES (:today, :kept) ON CONFLICT DO NOTHING"),
                    {"today": today, "kept": kept},
                )
        connection.execute(
            sa.text("UPDATE runs SET chain_seed = 0 WHERE experiment_id = :id AND chain_seed <> 0"),
            {"id": name},
        )
        if isinstance(spec.chain, ExplicitChain):
            _set_right(connection, name, stored, hashes[-1], spec.chain)


def _set_right(
    connection: sa.Connection,
    name: str,
    stored: dict[str, Any],
    kept: str,
    spec: ExplicitChain,
) -> None:
    """What follows from a matrix of one's own, where it was something else."""
    try:
        chain = make_chain("explicit", matrix=spec.matrix)
    except ChainError:  # no worker has measured it
        return
    error = chain.corr_len_error
    values = {
        "id": name,
        "kept": kept,
        "spec": json.dumps({**stored, "chain": {**stored["chain"], "corr_len": chain.corr_len}}),
        "length": chain.corr_len,
        "error": error if math.isfinite(error) else None,
        "reversible": chain.reversible,
        "real": chain.eigenvalues.real.tolist(),
        "imag": chain.eigenvalues.imag.tolist(),
    }
    for statement in SET_RIGHT:
        connection.execute(sa.text(statement), values)


def _today(spec: ExperimentSpec, protocol: int) -> Names:
    return measurement_hash(spec, protocol), training_hash(spec), chain_hash(spec.chain)


def _then(stored: dict[str, Any], protocol: int) -> Names:
    """The same of the whole spec as it was stored, which is how names were made."""
    chain = {name: value for name, value in stored["chain"].items() if (name, value) != SEVERAL}
    trained = {
        "chain": chain,
        **{name: stored[name] for name in ("data", "model", "training")},
        "training_protocol": TRAINING_PROTOCOL,
    }
    measured = {**trained, "measurement": stored["measurement"], "protocol": protocol}
    return _digest(measured), _digest(trained), _digest(chain)


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def downgrade() -> None:
    op.drop_table("aliases")
    op.drop_column("chains", "corr_len_error")

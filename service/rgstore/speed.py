"""How fast this lab trains."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgstore.tables import (
    AttemptRow,
    ExperimentRow,
    ResultRow,
    RunRow,
)

RATE_SAMPLE = 50
FEWEST_FLOPS = 1e11
"""Of a run that says something of speed: seconds of work, of which starting it is a small part."""


def measured_rate(session: Session) -> float | None:
    """Median speed of the latest trainings of some length, operations per second; None if none."""
    latest = (
        select((ExperimentRow.flops_per_run / ResultRow.seconds).label("rate"))
        .select_from(ResultRow)
        .join(RunRow, RunRow.id == ResultRow.run_id)
        .join(ExperimentRow, ExperimentRow.id == RunRow.experiment_id)
        .join(
            AttemptRow,
            (AttemptRow.run_id == ResultRow.run_id) & (AttemptRow.number == ResultRow.attempt),
        )
        .where(
            ResultRow.seconds > 0,
            AttemptRow.trained,
            ExperimentRow.flops_per_run >= FEWEST_FLOPS,
        )
        .order_by(ResultRow.run_id.desc())
        .limit(RATE_SAMPLE)
        .subquery()
    )
    return session.scalar(select(func.percentile_cont(0.5).within_group(latest.c.rate)))

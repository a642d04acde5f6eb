"""Why queued runs are taken by nobody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from rgcontract import Outcome, Protocols
from rgstore.among import among
from rgstore.claimable import can_measure
from rgstore.tables import AttemptRow, ExperimentRow, RunRow, WorkerRow
from rgstore.workers import live_workers

NO_WORKER = "no worker is running; start one with `rglab worker` or `rglab up`"
WHAT_TO_DO = (
    "start a worker of the release that it was submitted to, or cancel it and submit it again"
)


def stuck(session: Session, names: Collection[str], *, device: str = "any") -> dict[str, str]:
    """Experiment -> why no worker that is running can take its runs; without those that one can.

    Args:
        session: to read in.
        names: of the experiments.
        device: kind that the runs wait for.
    """
    alive = live_workers(session)
    if not alive:
        return dict.fromkeys(names, NO_WORKER)
    fit = [worker for worker in alive if device in ("any", worker.device)]
    if not fit:
        none = f"it waits for a worker with device '{device}', and none is running"
        return dict.fromkeys(names, none)
    served = session.scalars(
        select(ExperimentRow.id)
        .join(WorkerRow, can_measure(WorkerRow.name, WorkerRow))
        .where(
            among(ExperimentRow.id, names),
            among(WorkerRow.name, [worker.name for worker in fit]),
        )
        .distinct()
    ).all()
    return _reasons(session, set(names) - set(served), fit)


def _reasons(
    session: Session, names: Collection[str], workers: Sequence[WorkerRow]
) -> dict[str, str]:
    if not names:
        return {}
    row = ExperimentRow
    cause = (
        select(AttemptRow.error)
        .join(RunRow, RunRow.id == AttemptRow.run_id)
        .where(RunRow.experiment_id == row.id, AttemptRow.outcome == Outcome.UNREADABLE)
        .order_by(AttemptRow.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = session.execute(
        select(
            row.id, row.spec_schema, row.training_protocol, row.protocol, row.unread_by,
            cause.label("cause"),
        ).where(among(row.id, names))
    )  # fmt: skip
    return {one.id: _reason(one, workers) for one in found}


def _reason(experiment: Row[*tuple[Any, ...]], workers: Sequence[WorkerRow]) -> str:
    """Of one that none of these workers can measure."""
    if any(worker.name in experiment.unread_by for worker in workers):
        return f"no running worker can measure it ({experiment.cause}); {WHAT_TO_DO}"
    there = "; or ".join(sorted({str(_protocols(worker)) for worker in workers}))
    return (
        f"it takes {_protocols(experiment)}, and the workers that are running implement {there}; "
        f"{WHAT_TO_DO}"
    )


def _protocols(row: Any) -> Protocols:
    return Protocols(row.spec_schema, row.training_protocol, row.protocol)

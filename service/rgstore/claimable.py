"""Which workers can measure which experiments: one condition, for every query that asks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, all_, and_, exists, literal, or_
from sqlalchemy.orm import InstrumentedAttribute

from rgcontract import Protocols
from rgstore.tables import ExperimentRow, WorkerRow


def can_measure(
    name: str | InstrumentedAttribute[str], implements: Protocols | type[WorkerRow]
) -> ColumnElement[bool]:
    """Whether a worker implements what an experiment takes and has not handed it back.

    Args:
        name: of the worker.
        implements: its protocols; with `WorkerRow` the condition joins workers to experiments.
    """
    return and_(
        ExperimentRow.spec_schema <= implements.spec_schema,
        ExperimentRow.training_protocol == implements.training_protocol,
        ExperimentRow.protocol == implements.protocol,
        (literal(name) if isinstance(name, str) else name) != all_(ExperimentRow.unread_by),
    )


def somebody_can(live: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a live worker can measure an experiment; also where no worker is alive at all.

    Args:
        live: which rows of `WorkerRow` are.
    """
    return or_(~exists().where(live), exists().where(live, can_measure(WorkerRow.name, WorkerRow)))

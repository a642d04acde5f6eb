"""Which workers can measure which experiments: one condition, for every query that asks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, all_, and_, exists, literal
from sqlalchemy.orm import InstrumentedAttribute, aliased

from rgcontract import Protocols
from rgstore.tables import ExperimentRow, RunRow, WorkerRow

OfRun = aliased(ExperimentRow)
"""The experiment of a run, in a subquery of its own."""


def can_measure(
    name: str | InstrumentedAttribute[str],
    implements: Protocols | type[WorkerRow],
    experiment: type[ExperimentRow] = ExperimentRow,
) -> ColumnElement[bool]:
    """Whether a worker implements what an experiment takes and has not handed it back.

    Args:
        name: of the worker.
        implements: its protocols; with `WorkerRow` the condition joins workers to experiments.
        experiment: the table, or an alias of it.
    """
    return and_(
        experiment.spec_schema <= implements.spec_schema,
        experiment.training_protocol == implements.training_protocol,
        experiment.protocol == implements.protocol,
        (literal(name) if isinstance(name, str) else name) != all_(experiment.unread_by),
    )


def is_for(name: str, implements: Protocols) -> ColumnElement[bool]:
    """The same of a run."""
    return exists().where(OfRun.id == RunRow.experiment_id, can_measure(name, implements, OfRun))

"""What must hold of stored records: whatever release wrote them, one that is not older reads them.

What a newer release wrote is left out: nothing is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import select

from rgcontract import IMPLEMENTED
from rgstore.among import among
from rgstore.database import Database
from rgstore.estimates import estimate
from rgstore.invariants.invariant import Breach, Invariant, Scope, pages
from rgstore.stored_specs import DAMAGED, loaded_spec, reason_of
from rgstore.stored_studies import loaded_axes, loaded_cell, loaded_findings
from rgstore.summaries import summaries_of
from rgstore.tables import ExperimentRow, StudyExperimentRow, StudyRow


def _unreadable(database: Database, scope: Scope) -> Iterator[Breach]:
    yield from _experiments(database, scope)
    yield from _studies(database, scope)


def _experiments(database: Database, scope: Scope) -> Iterator[Breach]:
    row, ours = ExperimentRow, IMPLEMENTED
    names = (
        select(row.id)
        .where(
            row.spec_schema <= ours.spec_schema,
            row.training_protocol <= ours.training_protocol,
            row.protocol <= ours.protocol,
        )
        .order_by(row.updated_at.desc())
        .limit(scope.newest)
    )
    for some in pages(database, names):
        with database.snapshot() as session:
            for name, spec in session.execute(select(row.id, row.spec).where(among(row.id, some))):
                yield from _said(_spec, spec, "spec", experiment=name)
                for one in summaries_of(session, name):
                    where = {"when": one.when, "level": one.level, "quantity": one.quantity}
                    yield from _said(estimate, one, "summary", experiment=name, **where)


def _studies(database: Database, scope: Scope) -> Iterator[Breach]:
    row, member = StudyRow, StudyExperimentRow
    names = select(row.id).order_by(row.created_at.desc()).limit(scope.newest)
    of_study = select(row.id, row.axes, row.findings)
    of_member = select(member.study_id, member.experiment_id, member.cell)
    for some in pages(database, names):
        with database.snapshot() as session:
            for name, axes, findings in session.execute(of_study.where(among(row.id, some))):
                yield from _said(loaded_axes, axes, "axes", study=name)
                if findings is not None:
                    yield from _said(loaded_findings, findings, "findings", study=name)
            cells = session.execute(of_member.where(among(member.study_id, some)))
            for name, experiment, cell in cells:
                where = {"study": name, "experiment": experiment}
                yield from _said(loaded_cell, cell, "cell", **where)


_spec = partial(loaded_spec, seeds=[0])


def _said(read: Callable[[Any], Any], stored: Any, part: str, **where: str) -> Iterator[Breach]:
    """Why a part of a record cannot be read, if it cannot."""
    try:
        read(stored)
    except DAMAGED as error:
        yield {**where, part: reason_of(error)}


READABLE = Invariant(
    "readable",
    "What this release or one before it stored can be read: specs, summaries, grids of studies "
    "and findings.",
    _unreadable,
)

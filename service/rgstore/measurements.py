"""Storing what a run measured."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from rgstore.chains import hash_of_draw
from rgstore.claiming import Claim
from rgstore.copying import copy_rows
from rgstore.endings import finish
from rgstore.records import RunRecord, Summarise
from rgstore.summaries import store_summaries
from rgstore.tables import (
    ChainRow,
    ExperimentRow,
    MeasurementRow,
    ResultRow,
)


class OtherProtocolError(RuntimeError):
    """A result that was measured under another protocol than its experiment's."""


def store(
    session: Session,
    claim: Claim,
    record: RunRecord,
    summarise: Summarise,
) -> None:
    """Finish a run: its numbers, and the experiment's summaries over all runs measured so far.

    The run is finished first: that checks the fence and locks run and experiment, so two runs
    of one experiment that end together are summarised one after the other.

    Raises:
        LeaseLostError: the run is no longer this worker's; nothing is stored.
        OtherProtocolError: the numbers are not those that the experiment names.
    """
    finish(session, claim, trained=record.trained, backend=record.backend)
    _require_protocols(session, claim, record)
    session.add(
        ResultRow(
            run_id=claim.run_id,
            attempt=claim.attempt,
            seconds=record.seconds,
            curve_steps=record.training.curve_steps,
            curve_losses=record.training.curve_losses,
        )
    )
    session.flush()
    copy_rows(
        session,
        MeasurementRow,
        ({"run_id": claim.run_id, **vars(quantity)} for quantity in record.quantities),
    )
    session.execute(
        upsert(ChainRow)
        .values(
            chain_hash=hash_of_draw(claim.spec, claim.chain_seed),
            **asdict(record.chain),
        )
        .on_conflict_do_nothing()
    )
    store_summaries(session, claim.experiment_id, summarise)


def _require_protocols(session: Session, claim: Claim, record: RunRecord) -> None:
    row, of = ExperimentRow, record.protocols
    needs = session.execute(
        select(row.training_protocol, row.protocol).where(row.id == claim.experiment_id)
    ).one()
    if (of.training_protocol, of.protocol) != tuple(needs):
        raise OtherProtocolError(
            f"measured under {of}; {claim.experiment_id} takes measurement protocol "
            f"{needs.protocol} and training protocol {needs.training_protocol}"
        )

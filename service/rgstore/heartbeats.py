"""Workers that say how far their runs are, and hear which to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    TableValuedAlias,
    Text,
    and_,
    column,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rgcontract import State
from rgstore import clock
from rgstore.claiming import Claim
from rgstore.plain import Floats
from rgstore.tables import RunRow


@dataclass(frozen=True)
class TrainingProgress:
    """What a heartbeat stores."""

    phase: str
    fraction: float
    step: int
    loss: float | None


@dataclass(frozen=True)
class Heard:
    """What a heartbeat brings back."""

    cancelled: frozenset[int]
    """Runs that someone asked to cancel."""
    lost: frozenset[int]
    """Runs that are no longer this worker's."""


def heartbeat(
    session: Session, beats: Sequence[tuple[Claim, TrainingProgress]], *, lease_seconds: float
) -> Heard:
    """Extend the leases of a worker's runs and store how far they are.

    A run that someone else is writing is left for the next heartbeat.
    """
    progress = {claim.run_id: of_run for claim, of_run in beats}
    fences = _fences([claim for claim, _ in beats])
    ours = and_(
        RunRow.state == State.RUNNING,
        tuple_(RunRow.id, RunRow.attempt, RunRow.lease_owner).in_(
            select(fences.c.id, fences.c.attempt, fences.c.owner)
        ),
    )
    held = dict(
        session.execute(
            select(RunRow.id, RunRow.cancel_requested)
            .where(ours)
            .order_by(RunRow.id)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
    )
    _store_progress(session, {run_id: progress[run_id] for run_id in held}, lease_seconds)
    lost = progress.keys() - held.keys()
    if lost:
        lost -= set(session.scalars(select(RunRow.id).where(ours)))
    cancelled = frozenset(run_id for run_id, asked in held.items() if asked)
    return Heard(cancelled, frozenset(lost))


def _fences(claims: Sequence[Claim]) -> TableValuedAlias:
    """Run, attempt and owner of each, as a table."""
    return (
        func.unnest(
            literal([claim.run_id for claim in claims], ARRAY(BigInteger())),
            literal([claim.attempt for claim in claims], ARRAY(Integer())),
            literal([claim.owner for claim in claims], ARRAY(Text())),
        )
        .table_valued(
            column("id", BigInteger()),
            column("attempt", Integer()),
            column("owner", Text()),
            name="fences",
        )
        .render_derived()
    )


def _store_progress(
    session: Session, progress: Mapping[int, TrainingProgress], lease_seconds: float
) -> None:
    """Of runs that this transaction has locked."""
    of = progress.values()
    beats = (
        func.unnest(
            literal(list(progress), ARRAY(BigInteger())),
            literal([one.phase for one in of], ARRAY(Text())),
            literal([one.fraction for one in of], Floats()),
            literal([one.step for one in of], ARRAY(Integer())),
            literal([one.loss for one in of], Floats()),
        )
        .table_valued(
            column("id", BigInteger()),
            column("phase", Text()),
            column("fraction", Double()),
            column("step", Integer()),
            column("loss", Double()),
            name="beats",
        )
        .render_derived()
    )
    session.execute(
        update(RunRow)
        .where(RunRow.id == beats.c.id)
        .values(
            lease_until=clock.ahead(timedelta(seconds=lease_seconds)),
            phase=beats.c.phase,
            fraction=beats.c.fraction,
            step=beats.c.step,
            loss=beats.c.loss,
        )
        .execution_options(synchronize_session=False)
    )

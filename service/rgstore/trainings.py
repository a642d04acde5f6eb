"""Trained networks: their curves and weights, so that measuring anew needs no new training."""

from __future__ import annotations

import hashlib
import logging

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from rgstore import aliases
from rgstore.among import among
from rgstore.records import Training, Weights
from rgstore.tables import TrainingRow, WeightsRow

log = logging.getLogger(__name__)

MOST_WEIGHTS_BYTES = 256 * 2**20
"""Larger networks are trained again: a row of Postgres holds a gigabyte at most."""


def find(
    session: Session, training_hash: str, seed: int, steps: tuple[int, ...]
) -> Training | None:
    """A training with its weights after each of these steps; None if any is missing.

    Weights that are not what was written are forgotten: the network is then trained again.
    """
    kept_under = aliases.of(session, [training_hash]).get(training_hash, [])
    names = (training_hash, *kept_under)
    found = (_under(session, name, seed, steps) for name in names)
    return next((training for training in found if training), None)


def _under(
    session: Session, training_hash: str, seed: int, steps: tuple[int, ...]
) -> Training | None:
    """The same of a training that is stored under just this hash."""
    row = session.get(TrainingRow, (training_hash, seed))
    if row is None:
        return None
    stored = session.scalars(
        select(WeightsRow)
        .where(
            WeightsRow.training_hash == training_hash,
            WeightsRow.seed == seed,
            among(WeightsRow.step, steps),
        )
        .order_by(WeightsRow.step)
        .options(undefer(WeightsRow.data))
    ).all()
    if [weights.step for weights in stored] != sorted(steps):
        return None
    if any(_digest(weights.data) != weights.sha256 for weights in stored):
        log.error("training %s, seed %s: damaged weights forgotten", training_hash, seed)
        session.delete(row)
        return None
    return Training(
        row.curve_steps,
        row.curve_losses,
        [Weights(weights.step, weights.data) for weights in stored],
    )


def keep(
    session: Session,
    training_hash: str,
    seed: int,
    training: Training,
    *,
    device: str,
    versions: dict[str, str],
) -> None:
    """Store a training. What is there already stays: the same seed gives the same weights."""
    session.execute(
        insert(TrainingRow)
        .values(
            training_hash=training_hash,
            seed=seed,
            device=device,
            versions=versions,
            curve_steps=training.curve_steps,
            curve_losses=training.curve_losses,
        )
        .on_conflict_do_nothing()
    )
    rows = [
        {
            "training_hash": training_hash,
            "seed": seed,
            "step": weights.step,
            "sha256": _digest(weights.data),
            "data": weights.data,
        }
        for weights in training.weights
        if len(weights.data) <= MOST_WEIGHTS_BYTES
    ]
    if rows:
        session.execute(insert(WeightsRow).on_conflict_do_nothing(), rows)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

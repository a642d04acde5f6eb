"""How fast this lab works, beside what a model says of one core."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from rgstore import clock
from rgstore.tables import TimingRow

LATEST = 50
"""Runs kept of a class on a backend: a machine that changed is known after as many."""
QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Timing:
    """How long a run took that speaks for its fleet."""

    backend: str
    shape_class: str
    model: str
    fleet: int
    modelled_seconds: float
    seconds: float

    @property
    def says_something(self) -> bool:
        """Whether the two can be compared: neither is nothing, and both are numbers."""
        both = (self.modelled_seconds, self.seconds)
        return all(math.isfinite(seconds) and seconds > 0 for seconds in both)


class Ratios(NamedTuple):
    """What runs say of ln(measured / modelled): how many they are, and their quartiles."""

    n: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Speeds:
    """How the runs of one backend compare with a model."""

    backend: str | None
    """Null where none has run."""
    of_all: Ratios | None
    of_class: Mapping[str, Ratios]


def note(session: Session, run_id: int, timing: Timing) -> None:
    """Keep how long a run took, in place of the oldest of its class on its backend."""
    if not timing.says_something:
        return
    row = TimingRow
    values = {**vars(timing), "measured_at": clock.now()}
    session.execute(
        upsert(row)
        .values(run_id=run_id, **values)
        .on_conflict_do_update(index_elements=[row.run_id], set_=values)
    )
    older = (
        select(row.run_id)
        .where(
            row.model == timing.model,
            row.backend == timing.backend,
            row.shape_class == timing.shape_class,
        )
        .order_by(row.measured_at.desc(), row.run_id.desc())
        .offset(LATEST)
        .with_for_update(skip_locked=True)  # another worker is about to
        .subquery()
    )
    session.execute(delete(row).where(row.run_id.in_(select(older.c.run_id))))


def speeds(session: Session, device: str, model: str) -> Speeds:
    """How the backend compares that runs for a device went to last.

    Args:
        session: the transaction.
        device: `cpu`, `cuda` or `any`.
        model: name of the model that is compared with.
    """
    row = TimingRow
    mine = [row.model == model]
    if device != "any":
        mine.append(row.backend.startswith(f"{device}:", autoescape=True))
    last = (
        select(row.backend)
        .where(*mine)
        .order_by(row.measured_at.desc(), row.run_id.desc())
        .limit(1)
    )
    backend = session.scalar(last)
    if backend is None:
        return Speeds(None, None, {})
    ratio = func.ln(row.seconds / row.modelled_seconds)
    quartiles = [func.percentile_cont(part).within_group(ratio) for part in QUARTILES]
    found = session.execute(
        select(row.shape_class, func.count(), *quartiles)
        .where(row.model == model, row.backend == backend)
        .group_by(func.rollup(row.shape_class))
    ).all()
    ratios = {name: Ratios(*rest) for name, *rest in found}
    return Speeds(backend, ratios.pop(None), ratios)

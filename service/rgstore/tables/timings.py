"""How long runs took, beside what a model says."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Moment


class TimingRow(Base):
    """Working time of a run that speaks for its fleet: the lab's speed is learnt from these.

    The latest of each class of runs on each backend are kept: see `rgstore.speed`.
    """

    __tablename__ = "timings"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    backend: Mapped[str]
    """Device of the attempt, as it says: `cpu: x86_64`."""
    shape_class: Mapped[str]
    """What most of its time goes into, by the model."""
    model: Mapped[str]
    """Name of the model; what another one says is not compared."""
    fleet: Mapped[int]
    """Runs that were trained together."""
    modelled_seconds: Mapped[float]
    seconds: Mapped[float]
    """Of this run: its own, and its part of what the fleet did together."""
    measured_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("seconds > 0 AND modelled_seconds > 0", name="positive"),
        Index("ix_timings_latest", "model", "backend", "shape_class", "measured_at"),
    )

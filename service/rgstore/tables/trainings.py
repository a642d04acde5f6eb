"""Trained networks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Counts, Doubles, Moment


class TrainingRow(Base):
    """A network that has been trained: its curve. What it measured depends on who measures."""

    __tablename__ = "trainings"

    training_hash: Mapped[str] = mapped_column(primary_key=True)
    """Of the spec on one chain."""
    seed: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    versions: Mapped[dict[str, Any]]
    curve_steps: Mapped[Counts]
    curve_losses: Mapped[Doubles]
    trained_at: Mapped[Moment]


class WeightsRow(Base):
    """The weights of a training after so many steps: new observables need no new training."""

    __tablename__ = "weights"

    training_hash: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    data: Mapped[bytes] = mapped_column(deferred=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["training_hash", "seed"],
            ["trainings.training_hash", "trainings.seed"],
            ondelete="CASCADE",
            name="fk_weights_trainings",
        ),
    )

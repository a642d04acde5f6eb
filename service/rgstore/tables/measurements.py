"""What runs measured, and what is known of their chains."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ForeignKey,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Counts, Doubles, Moment


class ResultRow(Base):
    """That a run has been measured, by which attempt. One per run: the key says so."""

    __tablename__ = "results"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int]
    measured_at: Mapped[Moment]
    seconds: Mapped[float]
    """Working time of the attempt."""
    curve_steps: Mapped[Counts]
    curve_losses: Mapped[Doubles]


class MeasurementRow(Base):
    """One quantity of one run, as a flat array with its shape."""

    __tablename__ = "measurements"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    when: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int]
    n_rows: Mapped[int]
    estimator: Mapped[str]
    shape: Mapped[Counts]
    values: Mapped[Doubles]
    """NaN where the quantity is not defined; `reasons` says why."""
    half: Mapped[Doubles | None]
    """The same from the first half of the samples."""
    reasons: Mapped[dict[str, Any]]


class SummaryRow(Base):
    """One quantity of an experiment over its measured runs, kept up to date by the workers."""

    __tablename__ = "summaries"

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    when: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int]
    n_rows: Mapped[int]
    estimator: Mapped[str]
    shape: Mapped[Counts]
    n_runs: Mapped[int]
    mean: Mapped[Doubles]
    standard_error: Mapped[Doubles]
    low: Mapped[Doubles]
    high: Mapped[Doubles]
    half_shift: Mapped[Doubles | None]
    """Mean of the values less those of the first half of the samples."""
    reasons: Mapped[dict[str, Any]]


class ChainRow(Base):
    """What is known exactly of one chain; experiments on the same chain share it."""

    __tablename__ = "chains"

    chain_hash: Mapped[str] = mapped_column(primary_key=True)
    seq_len: Mapped[int] = mapped_column(primary_key=True)
    """Decides how far the mutual information goes."""
    seed: Mapped[int]
    family: Mapped[str]
    n_states: Mapped[int]
    corr_len: Mapped[float]
    entropy_rate: Mapped[float]
    unigram_entropy: Mapped[float]
    eigenvalues_real: Mapped[Doubles]
    eigenvalues_imag: Mapped[Doubles]
    stationary: Mapped[Doubles]
    transition: Mapped[Doubles]
    """Row by row."""
    reversible: Mapped[bool]
    scale_corr_lens: Mapped[Doubles | None]
    mutual_information: Mapped[Doubles]
    corr_len_error: Mapped[float | None]
    """Null where rounding leaves it open, or it was not worked out yet."""

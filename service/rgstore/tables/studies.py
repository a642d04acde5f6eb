"""Grids of experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Moment


class StudyRow(Base):
    """A grid of experiments that someone asked for as one thing."""

    __tablename__ = "studies"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    axes: Mapped[dict[str, Any]]
    """Field -> its values, in the order in which the grid runs over them."""
    seeds: Mapped[list[int]]
    """Training seeds asked for; `target_error` may have added others to some experiments."""
    target_error: Mapped[float | None]
    max_seeds: Mapped[int]
    priority: Mapped[int]
    owner: Mapped[str]
    """Who asked first. Name, target and priority are theirs; of others, see `StudyRequestRow`."""
    created_at: Mapped[Moment]
    findings: Mapped[dict[str, Any] | None]
    findings_at: Mapped[datetime | None]
    findings_due: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether something was measured since the findings were written."""

    __table_args__ = (
        Index("ix_studies_created_at_id", "created_at", "id"),
        Index("ix_studies_findings_due", "id", postgresql_where=text("findings_due")),
    )


class StudyRequestRow(Base):
    """How somebody else than its owner asked for a study last.

    Who asked for it through a release that kept none is held to the terms of its owner.
    """

    __tablename__ = "study_requests"

    study_id: Mapped[str] = mapped_column(
        ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True
    )
    owner: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    target_error: Mapped[float | None]
    max_seeds: Mapped[int]
    priority: Mapped[int]


class StudyExperimentRow(Base):
    """An experiment of a study, and where it lies in the grid."""

    __tablename__ = "study_experiments"

    study_id: Mapped[str] = mapped_column(
        ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True
    )
    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[int]
    cell: Mapped[dict[str, Any]]
    """Its values on the axes."""

    __table_args__ = (Index("ix_study_experiments_experiment_id", "experiment_id"),)

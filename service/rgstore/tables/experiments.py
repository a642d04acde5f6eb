"""Specs, and the names that they had before."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Any, get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from rgcontract import ExperimentSummary
from rgcontract.status import SHOWN
from rgstore.plain import Float
from rgstore.tables.base import STATES, Base, Moment


class ExperimentRow(Base):
    """A spec, shared by all who ask for it. Its runs are the work, `SubmissionRow` the wishes.

    What a list shows of a spec has a column here whether it is named or not: see `SHOWN`.
    """

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(primary_key=True)
    spec_hash: Mapped[str] = mapped_column(unique=True)
    training_hash: Mapped[str] = mapped_column(index=True)
    chain_hash: Mapped[str]
    spec_schema: Mapped[int] = mapped_column(server_default=text("1"))
    training_protocol: Mapped[int] = mapped_column(server_default=text("2"))
    protocol: Mapped[int]
    """These three say who can measure it: `rgcontract.Protocols`."""
    unread_by: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    """Workers that could not read its spec and do not take it again."""
    spec: Mapped[dict[str, Any]]
    """Without seeds: those are the runs."""
    family: Mapped[str]
    corr_len: Mapped[float]
    mixing: Mapped[str]
    depth: Mapped[int]
    width: Mapped[int]
    flops_per_run: Mapped[float]
    """Estimated operations of one seed: what counts for whoever puts it in line."""
    stored_bytes_per_run: Mapped[float | None]
    """Estimated size of what one seed stores; null where a release before wrote the row."""
    label: Mapped[str | None]
    tags: Mapped[list[str]]
    note: Mapped[str | None]
    priority: Mapped[int]
    owner: Mapped[str]
    """Who asked first. Label, tags, note and priority are that request's, and no other request
    changes them; others have their own."""
    state: Mapped[str]
    """Derived from all its runs, kept here so that a list can be filtered by it."""
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    completed_at: Mapped[datetime | None]
    """When all its runs were done for the first time."""

    __table_args__ = (
        CheckConstraint(f"state IN ({STATES})", name="state"),
        Index("ix_experiments_created_at_id", "created_at", "id"),
        # a list is narrowed by any of these and goes on from a (created_at, id)
        *(
            Index(f"ix_experiments_{name}_created_at_id", name, "created_at", "id")
            for name in ("state", "family", "mixing", "depth", "width", "owner", "chain_hash")
        ),
        Index("ix_experiments_corr_len", "corr_len"),
        Index("ix_experiments_tags", "tags", postgresql_using="gin"),
    )


def _column(kind: Any) -> MappedColumn[Any]:
    """Of the type of a field of a list; one that may be null came with a later release."""
    (of,) = {one for one in get_args(kind) or (kind,) if one is not NoneType}
    return mapped_column(_TYPES[of], nullable=kind is not of)


_TYPES: dict[type, Any] = {str: Text(), int: Integer(), float: Float(), bool: Boolean()}
for _name in SHOWN:  # those that no code asks for by name
    if _name not in ExperimentRow.__table__.c:
        setattr(ExperimentRow, _name, _column(ExperimentSummary.model_fields[_name].annotation))


class AliasRow(Base):
    """A hash that rows were stored under before, and the one that their spec has today."""

    __tablename__ = "aliases"

    today: Mapped[str] = mapped_column(primary_key=True)
    stored: Mapped[str] = mapped_column(primary_key=True)

"""What the hourly look at the database found."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Moment


class InspectionRow(Base):
    """The latest look at one invariant; none before the first one."""

    __tablename__ = "inspections"

    invariant: Mapped[str] = mapped_column(primary_key=True)
    broken: Mapped[int]
    """Rows that break it, those that were counted."""
    inspected_at: Mapped[Moment]

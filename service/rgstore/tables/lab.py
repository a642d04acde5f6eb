"""The lab itself."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base


class LabRow(Base):
    """The lab itself; one row, which the migrations make."""

    __tablename__ = "lab"

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    id: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())

    __table_args__ = (CheckConstraint("single", name="single"),)

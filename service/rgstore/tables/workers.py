"""Who measures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from rgstore.tables.base import Base, Moment


class WorkerRow(Base):
    """A worker process and when it was last heard of."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    device: Mapped[str] = mapped_column(server_default=text("'cpu'"))
    """Kind of device it trains on."""
    spec_schema: Mapped[int] = mapped_column(server_default=text("1"))
    training_protocol: Mapped[int] = mapped_column(server_default=text("2"))
    protocol: Mapped[int] = mapped_column(server_default=text("3"))
    """What it implements: `rgcontract.Protocols`."""
    concurrency: Mapped[int]
    started_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    heard_at: Mapped[datetime | None]
    """When a message last reached it; it sends itself one every few seconds."""
